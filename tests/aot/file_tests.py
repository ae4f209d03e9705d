#!/usr/bin/env python3
"""File tests (.clif with `; run:` lines) in an executable, at both levels.

    file_tests.py VITRAIL FOLDER TARGET --cc COMMAND [--runner COMMAND] [--expect N] PATH...

`vitrail test --object` makes one object of all files; it is linked with run_tests.c and run, by the runner (qemu) where
this machine cannot. --expect: how many directives must pass at least.
"""
import argparse
import os
import re
import subprocess
import sys


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def check(options, level):
    base = os.path.join(options.folder, "%s-%s" % (options.target, level))
    made = run([options.vitrail, "test", "-q", "-O", level, "--target", options.target, "--object", base + ".o",
                *options.paths])
    counts = re.search(r"^(\d+) passed, 0 failed", made.stdout, re.M)
    if made.returncode or not counts:
        return "vitrail test --object failed:\n" + made.stdout + made.stderr
    driver = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run_tests.c")
    linked = run([*options.cc.split(), "-O1", "-Wall", "-Werror", driver, base + ".o", "-o", base, "-lm"])
    if linked.returncode:
        return "linking failed:\n" + linked.stderr
    result = run([*options.runner.split(), base])
    print("-O %s: %s" % (level, result.stdout.splitlines()[-1] if result.stdout else "no output"))
    if result.returncode or not result.stdout.endswith("%s passed, 0 failed\n" % counts.group(1)):
        return "status %d\n%s%s" % (result.returncode, result.stdout, result.stderr)
    if int(counts.group(1)) < options.expect:
        return "only %s directives, %d expected" % (counts.group(1), options.expect)
    return None


def main():
    parser = argparse.ArgumentParser()
    for name in ("vitrail", "folder", "target"):
        parser.add_argument(name)
    parser.add_argument("--cc", required=True)
    parser.add_argument("--runner", default="")
    parser.add_argument("--expect", type=int, default=1)
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    failures = ["-O %s: %s" % (level, error) for level in ("none", "speed") for error in [check(options, level)] if error]
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
