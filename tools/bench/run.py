#!/usr/bin/env python3
"""Measures the test programs that have a C version here, and compiling.

    run.py [--quick] [--bench BUILD/tools/bench/vitrail_bench] [--cc gcc] [--compile-only | --run-only]

Prints two tables. Run time: one run of the whole program (compiling not included) in every engine and in C, with the
fastest of several batches taken of each, and engines taking turns, so that a busy machine disturbs all alike. Compile
time: nanoseconds per IR instruction, by stage, over all test programs at once.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = os.path.join(ROOT, "tests", "programs")
STAGES = ["irgen", "passes", "select", "allocate", "emit", "compile"]


def output(command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if result.returncode != 0:
        sys.exit("%s failed:\n%s" % (" ".join(command), result.stderr))
    return result.stdout


def build_c(options, folder, name, level):
    """The C version as a program, proved to print what the Vitrail version prints."""
    program = os.path.join(folder, name + level)
    output([options.cc, "-std=gnu11", "-Wall", "-Wextra", "-Werror", level, os.path.join(HERE, "c", name + ".c"),
            "-o", program, "-lm"])
    with open(os.path.join(PROGRAMS, name + ".out"), encoding="utf-8") as kept:
        if output([program]) != kept.read():
            sys.exit("%s.c does not print what %s.out holds" % (name, name))
    return [program]


def run_table(options):
    batches, rounds, nanoseconds = ("1", 1, "1") if options.quick else ("3", 3, "60000000")
    names = sorted(os.path.basename(path)[:-2] for path in glob.glob(os.path.join(HERE, "c", "*.c")))
    print("%-12s %11s %10s %10s %10s %10s | speed against %8s %8s %8s %8s" % (
        "run time, us", "interpreter", "none", "speed", "cc -O0", "cc -O2", "interp.", "none", "cc -O0", "cc -O2"))
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            vita = os.path.join(PROGRAMS, name + ".vita")
            times = {}
            commands = {e: [options.bench, "run", e, batches, nanoseconds, vita] for e in ["interpret", "none", "speed"]}
            for level in ["-O0", "-O2"]:
                commands[level] = build_c(options, folder, name, level) + [batches, nanoseconds]
            for _ in range(rounds):
                for engine, command in commands.items():
                    took = float(output(command)) / 1000
                    times[engine] = min(took, times.get(engine, took))
            us = [times[e] for e in ["interpret", "none", "speed", "-O0", "-O2"]]
            speed = us[2]
            print("%-12s %11.1f %10.1f %10.1f %10.1f %10.1f |               %8.1f %8.2f %8.2f %8.2f" % (
                name, *us, us[0] / speed, us[1] / speed, us[3] / speed, us[4] / speed))


def compile_table(options):
    programs = sorted(glob.glob(os.path.join(PROGRAMS, "*.vita")))
    rounds = "1" if options.quick else "15"
    print("%-10s %s %12s %12s" % ("ns/inst", " ".join("%9s" % s for s in STAGES), "code B/inst", "memory B/inst"))
    for level in ["none", "speed"]:
        lines = output([options.bench, "compile", level, rounds, *programs]).splitlines()
        figures = {key: float(value) for key, value in (line.split() for line in lines)}
        print("-O %-7s %s %12.2f %12.0f" % (level, " ".join("%9.1f" % figures[s] for s in STAGES),
                                          figures["code_bytes_per_instruction"],
                                          figures["peak_bytes_per_instruction"]))
    print("(%d functions, %d IR instructions)" % (figures["functions"], figures["instructions"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="prove that everything works, measure nothing")
    parser.add_argument("--bench", default=os.path.join(ROOT, "build", "tools", "bench", "vitrail_bench"))
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--run-only", action="store_true")
    parser.add_argument("--compile-only", action="store_true")
    options = parser.parse_args()
    if not options.compile_only:
        run_table(options)
    if not options.run_only:
        compile_table(options)


if __name__ == "__main__":
    main()
