"""Reads which operations to try from the program's `run:` lines and does them on python's integers."""
import operator
import os
import re
import sys

with open(os.path.splitext(__file__)[0] + ".vita", encoding="utf-8") as program:
    text = program.read()
runs = re.findall(r"^; run: --entry (\w+)(?: --)? (.+)$", text, re.M)
types = dict(re.findall(r"^\.fn (\w+)\(a: (\w+)", text, re.M))
assert len(runs) > 40


def quotient(a, b):
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


OPERATIONS = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "neg": operator.neg, "div": quotient,
              "mod": lambda a, b: a - b * quotient(a, b)}
for name, arguments in runs:
    width, signed = int(types[name][1:]), types[name][0] == "i"
    operation = re.match("[a-z]{3}", name).group()
    try:
        value = OPERATIONS[operation](*map(int, arguments.split()))
        low = -2 ** (width - 1) if signed else 0
        if low <= value < low + 2 ** width:
            print(value)
        elif name in ("div", "div8"):
            print((value - low) % 2 ** width + low)
        else:
            print("trap 2 OVERFLOW E7002", file=sys.stderr)
            print("at %s, block 0, instruction 0, arith_traps.vitte" % name, file=sys.stderr)
    except ZeroDivisionError:
        print("trap 1 DIV_ZERO E7001", file=sys.stderr)
        print("at %s, block 0, instruction 0, arith_traps.vitte" % name, file=sys.stderr)
sys.exit(1)
