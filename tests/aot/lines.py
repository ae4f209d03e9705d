#!/usr/bin/env python3
"""Source lines in executables: gdb's backtrace of a trap is that of the runtime's report, and it can break at a line.

    lines.py VITRAIL FOLDER PROGRAMS TARGET --cc COMMAND [--runner COMMAND] [--gdb COMMAND] [--dwarfdump COMMAND] NAME...

The programs are run without arguments and trap.
"""
import argparse
import os
import re
import sys

from debugger import debug, run

REPORT = re.compile(r"^    at (\S+), block \d+, instruction \d+, (\S+):(\d+):\d+$", re.M)
FRAME = re.compile(r"^#\d+ .*?(\S+) \(\) at (\S+):(\d+)$", re.M)


def backtrace(options, program, point):
    start = ["-ex", "set pagination off", "-ex", "set width 0", "-ex", "set debuginfod enabled off"]
    if options.runner:
        start += ["-ex", "python gdb.execute('target remote 127.0.0.1:' + __import__('os').environ['UNWIND_PORT'])"]
    told = debug(options, [*start, "-ex", "break " + point, "-ex", "continue" if options.runner else "run", "-ex",
                           "backtrace"], program)
    return FRAME.findall(told.stdout), told.stdout + told.stderr


def check(options, name, level):
    source = os.path.join(options.programs, name + ".vita")
    base = os.path.join(options.folder, "%s-%s-%s" % (name, options.target, level))
    build = [options.vitrail, "build", source, "--target", options.target, "-O", level, "-o"]
    for command in (build + [base + ".o"], build + [base, "--exe", "--linker", options.cc]):
        made = run(command)
        if made.returncode:
            yield made.stderr
            return
    for file in (base + ".o", base):
        for tables in (["--debug-line"], ["--debug-info"]):
            told = run([options.dwarfdump, "--verify", *tables, file])
            if told.returncode or "No errors." not in told.stdout:
                yield "%s --verify %s: %s" % (options.dwarfdump, tables, told.stdout + told.stderr)
    report = REPORT.findall(run([options.vitrail, "run", source]).stderr)
    if len(report) < 2:
        yield "the program does not trap deep enough: %r" % report
        return
    frames, text = backtrace(options, base, "vtr_rt_trap_exit")
    if frames != report:
        yield "at the trap gdb sees %r, the report is %r\n%s" % (frames, report, text)
    frames, text = backtrace(options, base, "%s:%s" % report[0][1:])
    if frames[:1] != report[:1] or [f[0] for f in frames] != [f[0] for f in report]:
        yield "at the line gdb sees %r, the report is %r\n%s" % (frames, report, text)


def main():
    parser = argparse.ArgumentParser()
    for name in ("vitrail", "folder", "programs", "target"):
        parser.add_argument(name)
    parser.add_argument("--cc", required=True)
    parser.add_argument("--runner", default="")
    parser.add_argument("--gdb", default="gdb")
    parser.add_argument("--dwarfdump", default="llvm-dwarfdump-19")
    parser.add_argument("names", nargs="+")
    options = parser.parse_intermixed_args()
    os.makedirs(options.folder, exist_ok=True)
    failures = ["%s -O %s: %s" % (name, level, error) for name in options.names for level in ("none", "speed")
                for error in check(options, name, level)]
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
