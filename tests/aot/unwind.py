#!/usr/bin/env python3
"""Unwinding: libgcc's unwinder walks from a C function through our frames; gdb, at every instruction.

    unwind.py VITRAIL FOLDER TARGET --cc COMMAND [--runner COMMAND] [--gdb COMMAND] [--dwarfdump COMMAND]
"""
import argparse
import os
import re
import sys

from debugger import debug, run

HERE = os.path.dirname(os.path.abspath(__file__))


def build(options, level):
    base = os.path.join(options.folder, "unwind-%s-%s" % (options.target, level))
    made = run([options.vitrail, "build", os.path.join(HERE, "unwind.clif"), "--target", options.target, "-O", level,
                "--check", "-o", base + ".o"])
    if made.returncode:
        raise RuntimeError(made.stdout + made.stderr)
    linked = run([*options.cc.split(), "-O1", "-g", "-funwind-tables", "-Wall", "-Werror",
                  os.path.join(HERE, "unwind.c"), base + ".o", "-o", base])
    if linked.returncode:
        raise RuntimeError(linked.stderr)
    return base


def check(options, level):
    base = build(options, level)
    told = run([options.dwarfdump, "--verify", "--eh-frame", base + ".o"])
    if told.returncode:
        yield "%s --verify: %s" % (options.dwarfdump, told.stdout + told.stderr)
    walked = run([*options.runner.split(), base])
    if walked.returncode or not re.search(r"^1\d walks, 0 wrong$", walked.stdout, re.M):
        yield "libgcc: status %d\n%s%s" % (walked.returncode, walked.stdout, walked.stderr)
    stepped = debug(options, ["-x", os.path.join(HERE, "unwind_gdb.py")], base, ["trap"])
    counts = re.search(r"^(\d+) calls, (\d+) instructions, 0 wrong$", stepped.stdout, re.M)
    if stepped.returncode or not counts or int(counts.group(2)) < 200:
        yield "gdb: status %d\n%s%s" % (stepped.returncode, stepped.stdout[-3000:], stepped.stderr[-3000:])
    else:
        print("-O %s: %s; %s" % (level, walked.stdout.strip(), counts.group(0)))


def main():
    parser = argparse.ArgumentParser()
    for name in ("vitrail", "folder", "target"):
        parser.add_argument(name)
    parser.add_argument("--cc", required=True)
    parser.add_argument("--runner", default="")
    parser.add_argument("--gdb", default="gdb")
    parser.add_argument("--dwarfdump", default="llvm-dwarfdump-19")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    failures = ["-O %s: %s" % (level, error) for level in ("none", "speed") for error in check(options, level)]
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
