#!/usr/bin/env python3
"""Random signatures between the C compiler's code and ours, linked from object files, in both directions.

    object_test.py VITRAIL FOLDER TARGET COUNT --cc COMMAND [--runner COMMAND]

The C text is compiled once, in parts side by side, and linked with our object of each level.
"""
import argparse
import concurrent.futures
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = 4


def run(command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if result.returncode:
        raise RuntimeError("%s: status %d\n%s%s" % (" ".join(command), result.returncode, result.stdout[-4000:],
                                                    result.stderr[-4000:]))
    return result.stdout


def part(options, number):
    name = "object_%d" % number
    folder = os.path.join(options.folder, name)
    os.makedirs(folder, exist_ok=True)
    base = os.path.join(folder, name)
    run([sys.executable, "-B", os.path.join(HERE, "generate.py"), name, folder, options.target,
         str((options.count + PARTS - 1) // PARTS)])
    compiler = [*options.cc.split(), "-w", "-I" + HERE]
    # What is called must be what the compiler makes of the declared types, not what it can see through (clang does not).
    if "clang" not in run([*compiler, "--version"]):
        compiler.append("-fno-ipa-ra")
    # Optimising takes most of the time of this test, so half of the parts do without.
    run([*compiler, "-O%d" % (number % 2), "-c", base + ".c", "-o", base + ".c.o"])
    lines = []
    for level in ("none", "speed"):
        run([options.vitrail, "build", base + ".clif", "--target", options.target, "-O", level, "--check",
             "-o", "%s.%s.o" % (base, level)])
        exe = "%s.%s" % (base, level)
        run([*compiler, os.path.join(HERE, "object_test.c"), os.path.join(HERE, "abi_values.c"), base + ".c.o", exe + ".o", "-o", exe])
        lines.append("part %d -O %s: %s" % (number, level, run([*options.runner.split(), exe]).strip()))
    return lines


def main():
    parser = argparse.ArgumentParser()
    for name in ("vitrail", "folder", "target"):
        parser.add_argument(name)
    parser.add_argument("count", type=int)
    parser.add_argument("--cc", required=True)
    parser.add_argument("--runner", default="")
    options = parser.parse_args()
    status = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for job in [pool.submit(part, options, k) for k in range(PARTS)]:
            try:
                print("\n".join(job.result()))
            except RuntimeError as error:
                print(error)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
