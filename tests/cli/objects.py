#!/usr/bin/env python3
"""`vitrail dis` of object files against llvm-objdump: the same labels, and at every address the same bytes and mnemonic.

    objects.py VITRAIL OBJDUMP SOURCE_DIR TARGET...

Also damaged files: an error or a listing, never a crash.
"""
import os
import random
import re
import subprocess
import sys
import tempfile

VITRAIL, OBJDUMP, SOURCE = sys.argv[1:4]
TARGETS = sys.argv[4:]
LINE = re.compile(r"^\s*([0-9a-f]+):\s+((?:[0-9a-f]{2,8} )*[0-9a-f]{2,8})\s+(\S+)")
ENDS = re.compile(r"(ret|jmp|ud2|b|br|udf|brk|j|jr|c\.j|unimp|tail)")
failures = []


def listing(command, label):
    """[(address, mnemonic)] and the labels, in order."""
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    found = []
    for line in printed.splitlines():
        match = LINE.match(line)
        if match:
            found.append((int(match.group(1), 16), match.group(3)))
        elif label.match(line):
            found.append(label.match(line).group(1))
    return found


# Instructions by their own names, and all that a machine may have.
OPTIONS = {"aarch64": ["-M", "no-aliases"], "riscv64": ["-M", "no-aliases", "--mattr=+m,+a,+f,+d,+c,+zba,+zbb,+zbs"]}

SAME = {("aarch64", "mov"): "orr"}  # a move of a register has both names


def compare(target, name, path):
    ours = listing([VITRAIL, "dis", path], re.compile(r"^(\S+):$"))
    theirs = listing([OBJDUMP, "-d", *OPTIONS.get(target, []), path], re.compile(r"^[0-9a-f]+ <(.*)>:$"))
    if [x for x in ours if isinstance(x, str)] != [x for x in theirs if isinstance(x, str)]:
        failures.append("%s %s: other labels" % (target, name))
    return sum(compare_function(target, name, a, b) for a, b in zip(functions(ours), functions(theirs)))


def functions(lines):
    """What stands behind each label."""
    found = []
    for line in lines:
        if isinstance(line, str):
            found.append([])
        elif found:
            found[-1].append(line)
    return found


def compare_function(target, name, ours, theirs):
    """The number of equal lines. Behind code that ends may stand constants, which are no instructions."""
    equal, ended = 0, False
    for a, b in zip(ours, theirs):
        a, b = ((x[0], SAME.get((target, x[1]), x[1])) for x in (a, b))
        if a != b and not ended:
            failures.append("%s %s: %r, llvm-objdump says %r" % (target, name, a, b))
        if a != b:
            break
        equal += 1
        ended = ended or ENDS.match(a[1])
    return equal


def damaged(path, folder):
    with open(path, "rb") as whole:
        text = whole.read()
    rng = random.Random(1)
    for k in range(60):
        wrong = bytearray(text)
        if k % 3 == 0:
            wrong = wrong[:rng.randrange(64, len(text))]
        for _ in range(4):
            where = rng.choice([rng.randrange(0x10, 64), rng.randrange(len(wrong))])
            wrong[where] = rng.choice([0, 1, 0x7f, 0xff, rng.randrange(256)])
        broken = os.path.join(folder, "broken.o")
        with open(broken, "wb") as out:
            out.write(wrong)
        status = subprocess.run([VITRAIL, "dis", broken], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
                                check=False).returncode
        if status not in (0, 1):
            failures.append("damaged file %d: exit status %d" % (k, status))


def main():
    names = ["calls.clif", "address.clif", "edges.clif", "fcvt_sat.clif", "slot_align.clif"]
    total = {}
    with tempfile.TemporaryDirectory() as folder:
        for target in TARGETS:
            for name in names:
                path = os.path.join(folder, "x.o")
                built = subprocess.run([VITRAIL, "build", "--target", target, "-o", path,
                                        os.path.join(SOURCE, "tests", "file", name)], capture_output=True, text=True,
                                       timeout=60, check=False)
                if "no calling convention" in built.stderr:
                    continue
                if built.returncode:
                    failures.append("%s %s: %s" % (target, name, built.stderr[:300]))
                    continue
                total[target] = total.get(target, 0) + compare(target, name, path)
            if total.get(target, 0) < 100:
                failures.append("%s: only %d lines compared" % (target, total.get(target, 0)))
        damaged(path, folder)
    print(total)
    print("\n".join(failures))
    return 1 if failures else 0


sys.exit(main())
