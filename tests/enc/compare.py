#!/usr/bin/env python3
"""Our encodings against llvm-mc's, both ways.

    compare.py --enumerate PROGRAM --target T --mc llvm-mc --objcopy llvm-objcopy --least N

PROGRAM writes "name <tab> bytes <tab> text" lines (enumerate.c). For every line
  1. llvm-mc assembles our text: the bytes must be ours;
  2. llvm-mc disassembles our bytes: the text must be ours.

What is only another spelling (nothing else is forgiven, and no operand is ever dropped):
  * white space, and comments that llvm-mc adds;
  * an immediate of an 8-, 16- or 32-bit operation may be written signed or unsigned: -1 and 255 are the same byte. The
    last letter of the mnemonic gives the width, in UNSIGNED those whose immediate is a plain unsigned field;
  * a displacement of 0 may be left out.
A branch names its distance from the end of the instruction. llvm-mc reads a number there as an address, so for
assembling it becomes `.+distance+size`; and it always takes the short branch where that reaches, so a long branch over
a short distance is checked by disassembly only (TOO_SHORT counts them).
A pseudo that asks for a relocation writes that behind the number (`12@GOTPCREL(%rip)`), which llvm-mc takes behind a
symbol only: the bytes are those of the number alone, and that is what is compared (RELOCATION).
"""
import argparse
import re
import subprocess
import sys
import tempfile

WIDTH = {"b": 8, "w": 16, "l": 32}
UNSIGNED = {"retq": 16}
RELOCATION = re.compile(r"(?<=\d)@[A-Z]+")
BRANCH = re.compile(r"(j[a-z]+|callq) (-?\d+)\Z")


def normal(text):
    """One spelling of an instruction's text."""
    text = re.sub(r"\s+", " ", text.split("#")[0]).strip()
    mnemonic, _, rest = text.partition(" ")
    rest = re.sub(r"(^|,\s*)0\(", r"\1(", rest)
    width = UNSIGNED.get(mnemonic) or WIDTH.get(mnemonic[-1])
    if width:
        rest = re.sub(r"\$(-?\d+)", lambda m: "$%d" % (int(m.group(1)) % (1 << width)), rest)
    return ("%s %s" % (mnemonic, rest)).strip()


class Report:
    def __init__(self):
        self.failed = 0

    def fail(self, text):
        self.failed += 1
        if self.failed <= 20:
            print(text)


def assemble(lines, mc, report):
    """Texts without distances, by --show-encoding."""
    text = "".join(t + "\n" for _, _, t in lines)
    run = subprocess.run([mc, "-triple=x86_64", "--show-encoding"], input=text, capture_output=True, text=True,
                         check=False)
    if run.returncode:
        report.fail("llvm-mc refuses our text:\n" + "\n".join(run.stderr.splitlines()[:9]))
        return 0
    found = re.findall(r"# encoding: \[([^]]*)\]", run.stdout)
    if len(found) != len(lines):
        report.fail("%d texts gave %d encodings" % (len(lines), len(found)))
        return 0
    for (name, ours, t), theirs in zip(lines, found):
        theirs = "".join(b[2:] if b.startswith("0x") else b for b in theirs.split(","))
        if theirs != ours:
            report.fail("%s: '%s' is %s for us, %s for llvm-mc" % (name, t, ours, theirs))
    return len(lines)


def assemble_branches(lines, mc, objcopy, report):
    """Texts with distances, as one section whose bytes must be ours put together."""
    text, want = [], []
    for _, ours, t in lines:
        mnemonic, distance = BRANCH.match(t).groups()
        text.append("%s .%+d\n" % (mnemonic, int(distance) + len(ours) // 2))
        want.append(ours)
    with tempfile.TemporaryDirectory() as where:
        obj, raw = where + "/a.o", where + "/a.bin"
        subprocess.run([mc, "-triple=x86_64", "-filetype=obj", "-o", obj], input="".join(text), text=True, check=True)
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


def disassemble(lines, mc, report):
    text = "".join(re.sub("..", r"0x\g<0> ", ours) + "\n" for _, ours, _ in lines)
    run = subprocess.run([mc, "-triple=x86_64", "--disassemble"], input=text, capture_output=True, text=True, check=False)
    found = [t for t in run.stdout.splitlines() if t.strip() and not t.strip().startswith(".")]
    if run.returncode or "warning" in run.stderr or len(found) != len(lines):
        report.fail("llvm-mc cannot read our bytes:\n" + "\n".join(run.stderr.splitlines()[:9]))
        return
    for (name, ours, t), theirs in zip(lines, found):
        if normal(theirs) != normal(t):
            report.fail("%s: %s is '%s' for us, '%s' for llvm-mc" % (name, ours, t, theirs.strip()))


def main():
    options = argparse.ArgumentParser()
    for name in ("enumerate", "target", "mc", "objcopy"):
        options.add_argument("--" + name, required=True)
    options.add_argument("--least", type=int, required=True)
    o = options.parse_args()
    report = Report()
    run = subprocess.run([o.enumerate, o.target], capture_output=True, text=True, check=False)
    if run.returncode:
        report.fail("enumerate: " + "\n".join(run.stderr.splitlines()[-9:]))
    lines = [tuple(RELOCATION.sub("", line).split("\t")) for line in run.stdout.splitlines()]
    branches = [x for x in lines if BRANCH.match(x[2])]
    short = [x for x in branches if len(x[1]) > 4 and not x[2].startswith("callq")
             and -128 <= int(x[2].split()[1]) + len(x[1]) // 2 - 2 <= 127]
    too_short = {id(x) for x in short}
    plain = [x for x in lines if not BRANCH.match(x[2])]
    checked = assemble(plain, o.mc, report)
    checked += assemble_branches([x for x in branches if id(x) not in too_short], o.mc, o.objcopy, report)
    disassemble(lines, o.mc, report)
    distinct = len({x[1:] for x in lines})
    forms = len({x[0] for x in lines})
    print("%d encodings of %d instructions, %d of them different; %d assembled alike, %d by disassembly only, %d failures"
          % (len(lines), forms, distinct, checked, len(short), report.failed))
    if distinct < o.least:
        report.fail("fewer than %d different encodings" % o.least)
    return report.failed != 0


if __name__ == "__main__":
    sys.exit(main())
