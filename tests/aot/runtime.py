#!/usr/bin/env python3
"""The runtime of executables gives the linker no names but those that compiled modules and the C library look for, so
that it collides with nothing of a program that it is linked into.

    runtime.py CC LIBRARY SOURCE_DIR
"""
import os
import re
import subprocess
import sys

CC, LIBRARY, SOURCE = sys.argv[1:4]


def main():
    tool = subprocess.run([CC, "-print-prog-name=nm"], capture_output=True, text=True, check=True).stdout.strip()
    listed = subprocess.run([tool, "-g", "--defined-only", LIBRARY], capture_output=True, text=True, check=True).stdout
    given = set(re.findall(r"^[0-9a-f]+ [A-Z] (\S+)$", listed, re.M))
    with open(os.path.join(SOURCE, "core", "runtime", "calls.c"), encoding="utf-8") as text:
        helpers = set(re.findall(r'^ +\{"(rt_\w+)", ', text.read(), re.M))
    wanted = helpers | {"main", "vtr_rt_trap_exit"}
    if given != wanted or len(helpers) < 5:
        print("too many: %s\nmissing: %s" % (sorted(given - wanted), sorted(wanted - given)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
