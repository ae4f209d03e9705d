"""Reads which conversions to try from the program's `run:` lines and does them with exact arithmetic."""
import math
import os
import re
import struct
import sys


def limits(t):
    w = int(t[1:])
    return (-2 ** (w - 1), 2 ** (w - 1) - 1) if t[0] == "i" else (0, 2 ** w - 1)


def single(x):
    try:
        return struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


def shortest(x, t):
    """The shortest digits that read back the same, as python's repr would write them."""
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    same = single if t == "f32" else float
    return repr(next(y for y in (float("%.*g" % (n, x)) for n in range(1, 18)) if same(y) == x))


with open(os.path.splitext(__file__)[0] + ".vita", encoding="utf-8") as program:
    runs = re.findall(r"^; run: --entry (\w+)_to_(\w+)(?: --)? (\S+)$", program.read(), re.M)
assert len(runs) > 40
traps = 0
for source, to, text in runs:
    value = (single(float(text)) if source == "f32" else float(text)) if source[0] == "f" else int(text)
    if to[0] == "f":
        print(shortest(single(value) if to == "f32" else float(value), to))
    elif value != value:
        print("trap 7 BAD_CONV E7007", file=sys.stderr)
    elif math.isinf(value) or not limits(to)[0] <= int(value) <= limits(to)[1]:
        print("trap 2 OVERFLOW E7002", file=sys.stderr)
        print("at %s_to_%s, block 0, instruction 0, convert_traps.vitte" % (source, to), file=sys.stderr)
        traps += 1
    else:
        print(int(value))
assert traps
sys.exit(1)
