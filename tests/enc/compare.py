#!/usr/bin/env python3
"""Our encodings against llvm-mc's, both ways.

    compare.py --enumerate PROGRAM --target T --mc llvm-mc --objcopy llvm-objcopy --least N [--random WORDS]

PROGRAM writes "name <tab> bytes <tab> text" lines (enumerate.c). For every line
  1. llvm-mc assembles our text: the bytes must be ours;
  2. llvm-mc disassembles our bytes: the text must be ours.
PROGRAM with `random` writes the same lines for random bytes that we decode; of these 2. must hold.

What is only another spelling is said in spelling_<machine>.py, in one place, and no operand is ever dropped.
"""
import argparse
import importlib
import re
import subprocess
import sys
import tempfile


class Report:
    def __init__(self):
        self.failed = 0

    def fail(self, text):
        self.failed += 1
        if self.failed <= 20:
            print(text)


def assemble(lines, mc, spelling, report):
    """Texts without distances, by --show-encoding."""
    text = "".join(spelling.source(t) + "\n" for _, _, t in lines)
    run = subprocess.run([mc] + spelling.OPTIONS + ["--show-encoding"], input=text, capture_output=True, text=True,
                         check=False)
    if run.returncode:
        report.fail("llvm-mc refuses our text:\n" + "\n".join(run.stderr.splitlines()[:9]))
        return 0
    found = re.findall(r"encoding: \[([^]]*)\]", run.stdout)
    if len(found) != len(lines):
        report.fail("%d texts gave %d encodings" % (len(lines), len(found)))
        return 0
    for (name, ours, t), theirs in zip(lines, found):
        theirs = "".join(b[2:] if b.startswith("0x") else b for b in theirs.split(","))
        if theirs != ours:
            report.fail("%s: '%s' is %s for us, %s for llvm-mc" % (name, t, ours, theirs))
    return len(lines)


def assemble_branches(lines, mc, objcopy, spelling, report):
    """Texts with distances, as one section whose bytes must be ours put together."""
    if not lines:
        return 0
    text, want = [], []
    for _, ours, t in lines:
        text.append(spelling.branch(t, len(ours) // 2) + "\n")
        want.append(ours)
    with tempfile.TemporaryDirectory() as where:
        obj, raw = where + "/a.o", where + "/a.bin"
        subprocess.run([mc] + spelling.OPTIONS + ["-filetype=obj", "-o", obj], input="".join(text), text=True, check=True)
        subprocess.run([objcopy, "-O", "binary", "-j", ".text", obj, raw], check=True)
        with open(raw, "rb") as f:
            got = f.read().hex()
    at = 0
    for (name, ours, t) in lines:
        if got[at:at + len(ours)] != ours:
            report.fail("%s: '%s' is %s for us, %s for llvm-mc" % (name, t, ours, got[at:at + len(ours)]))
            break
        at += len(ours)
    return len(lines)


def disassemble(lines, mc, spelling, report):
    """Each line's bytes alone: instructions never run into each other."""
    text = "".join(re.sub("..", r"0x\g<0> ", ours) + "\n" for _, ours, _ in lines)
    run = subprocess.run([mc] + spelling.OPTIONS + ["--disassemble"], input=text, capture_output=True, text=True,
                         check=False)
    found = [t for t in run.stdout.splitlines() if t.strip() and t.strip()[0] not in ".#"]
    if run.returncode or "warning" in run.stderr or len(found) != len(lines):
        report.fail("llvm-mc cannot read our bytes:\n" + "\n".join(run.stderr.splitlines()[:9]))
        return
    for (name, ours, t), theirs in zip(lines, found):
        if spelling.normal(theirs) != spelling.normal(t):
            report.fail("%s: %s is '%s' for us, '%s' for llvm-mc (%s, %s)"
                        % (name, ours, t, theirs.strip(), spelling.normal(t), spelling.normal(theirs)))


def enumerated(program, arguments, spelling, report):
    run = subprocess.run([program] + arguments, capture_output=True, text=True, check=False)
    if run.returncode:
        report.fail("enumerate: " + "\n".join(run.stderr.splitlines()[-9:]))
    lines = (spelling.line(*line.split("\t")) for line in run.stdout.splitlines())
    return [line for line in lines if line is not None]


def main():
    options = argparse.ArgumentParser()
    for name in ("enumerate", "target", "mc", "objcopy"):
        options.add_argument("--" + name, required=True)
    options.add_argument("--least", type=int, required=True)
    options.add_argument("--random", type=int, default=0)
    o = options.parse_args()
    report, spelling = Report(), importlib.import_module("spelling_" + o.target)
    lines = enumerated(o.enumerate, [o.target, str(spelling.CASES)], spelling, report)
    branches = [x for x in lines if spelling.is_branch(x[2])]
    skipped = [x for x in lines if spelling.disassemble_only(*x)]
    gone = {id(x) for x in skipped} | {id(x) for x in branches}
    checked = assemble([x for x in lines if id(x) not in gone], o.mc, spelling, report)
    out = {id(x) for x in skipped}
    checked += assemble_branches([x for x in branches if id(x) not in out], o.mc, o.objcopy, spelling, report)
    disassemble(lines, o.mc, spelling, report)
    distinct = len({x[1:] for x in lines})
    forms = len({x[0] for x in lines})
    print("%d encodings of %d instructions, %d of them different; %d assembled alike, %d by disassembly only, %d failures"
          % (len(lines), forms, distinct, checked, len(skipped), report.failed))
    if distinct < o.least:
        report.fail("fewer than %d different encodings" % o.least)
    if o.random:
        before = report.failed
        found = enumerated(o.enumerate, [o.target, "random", str(o.random)], spelling, report)
        disassemble(found, o.mc, spelling, report)
        print("%d of %d random words are ours, of %d instructions; %d failures"
              % (len(found), o.random, len({x[0] for x in found}), report.failed - before))
        if len(found) * 1000 < o.random:
            report.fail("hardly any random word is decoded")
    return report.failed != 0


if __name__ == "__main__":
    sys.exit(main())
