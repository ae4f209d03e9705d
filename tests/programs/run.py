#!/usr/bin/env python3
"""Runs one program in every engine and compares what it prints.

    run.py VITRAIL PROGRAM.vita [--stress | --target=MACHINE | --engine=MACHINE]

PROGRAM.py, run alone, prints the expected standard output; its exit status is the expected one (1 = the program
traps), and what it prints on standard error are lines that the trap report must hold. PROGRAM.out holds the same
output, so that a change of the script shows. Lines `; run: ARGUMENTS` in the program give the arguments of `vitrail
run` (options such as --allow-low or --entry and values); without one it runs with none. All engines must print the
same trap report. With --stress: in the engines that make code generation hard. With --target: as code of that machine. With --engine: likewise, where that is run by
another program with a runtime of its own, whose trap reports must be those of this one.
"""
import json
import os
import re
import subprocess
import sys

# Machine code is compiled with every pass verified and every register allocation proved.
ENGINES = [
    ["--interpret"],
    ["--interpret", "--gc-stress"],
    ["-O", "none", "--check"],
    ["-O", "speed", "--check"],
    ["-O", "none", "--check", "--gc-stress"],
    ["-O", "speed", "--check", "--gc-stress"],
    ["-O", "none", "--simulate"],
    ["-O", "speed", "--simulate", "--features", "all"],
    ["-O", "speed", "--simulate", "--features", "all", "--gc-stress"],
]

STRESS = [
    ["-O", level, "--check", "--max-regs", "3", "--ra-seed", seed, "--squeeze", seed, "--frame-pad", pad]
    for level in ("none", "speed")
    for seed, pad in (("1", "0"), ("2", "2600"))
]


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def arguments(program):
    with open(program, encoding="utf-8") as text:
        lines = re.findall(r"^;\s*run:(.*)$", text.read(), re.M)
    return [line.split() for line in lines] or [[]]


def ever_longer(lines):
    """With more and more time: a machine with other work may interrupt a program before it comes to its loop."""
    timed = any(word.startswith("--timeout=") for line in lines for word in line)
    for zeros in ("", "0", "00") if timed else ("",):
        yield [[word + zeros if word.startswith("--timeout=") else word for word in line] for line in lines]


def run_lines(command, lines):
    results = [run(command + line) for line in lines]
    return "".join(r.stdout for r in results), "".join(r.stderr for r in results), max(r.returncode for r in results)


def slow_under_stress(program):
    """`; no-gc-stress: REASON`: the program allocates nothing and runs long."""
    with open(program, encoding="utf-8") as text:
        return re.search(r"^;\s*no-gc-stress: \S", text.read(), re.M) is not None


def foreign_stress(vitrail):
    """Under stress as code of other machines, in their simulators."""
    listed = {target["name"] for target in json.loads(run([vitrail, "targets", "--json"]).stdout)["targets"]}
    return [["--target", m] + engine for m in ("aarch64", "riscv64") if m in listed
            for engine in (STRESS[0], STRESS[3] + ["--features", "all"])]


def main():
    vitrail, program = sys.argv[1:3]
    base = os.path.splitext(program)[0]
    expected = run([sys.executable, "-B", base + ".py"])
    with open(base + ".out", encoding="utf-8") as text:
        kept = text.read()
    failures = []
    if expected.stdout != kept:
        failures.append("%s.py prints something else than %s.out holds:\n%s" % (base, base, expected.stdout))
    reports = set()
    engines = ENGINES
    targets_engine = any(option.startswith("--engine=") for option in sys.argv[3:])
    for option in sys.argv[3:]:
        if option.startswith("--engine="):
            target = option.replace("--engine", "--target")
            engines = [["--interpret"], ["-O", "none", "--check", target], ["-O", "speed", "--check", target]]
            # Each line starts the engine anew; programs of many lines are short ones.
            if len(arguments(program)) < 10:
                engines.append(["-O", "speed", target, "--gc-stress"])
            continue
        stress = option == "--stress"
        engines = STRESS + foreign_stress(vitrail) if stress else [
            ["-O", level, "--check", option] for level in ("none", "speed")
        ]
    for engine in engines:
        if "--gc-stress" in engine and slow_under_stress(program):
            continue
        for lines in ever_longer(arguments(program)):
            stdout, stderr, status = run_lines([vitrail, "run", *engine, program], lines)
            if stdout == kept and all(line in stderr for line in expected.stderr.splitlines()):
                break
        name = " ".join(engine)
        if stdout != kept:
            failures.append("%s: standard output differs:\n%s" % (name, stdout))
        if status != expected.returncode:
            failures.append("%s: exit status %d, expected %d\n%s" % (name, status, expected.returncode, stderr))
        for line in expected.stderr.splitlines():
            if line not in stderr:
                failures.append("%s: the trap report lacks %r:\n%s" % (name, line, stderr))
        # An engine's own functions take from the stack, too, and polls call them: any frame may be the last.
        if not ("--gc-stress" in engine and targets_engine and "trap 8 STACK" in stderr):
            reports.add(stderr)
    if len(reports) > 1:
        failures.append("trap reports differ between engines:\n" + "\n---\n".join(sorted(reports)))
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
