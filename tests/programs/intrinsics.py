import math
import struct

INF, NAN = math.inf, math.nan


def wrap(v, w, signed):
    v %= 2 ** w
    return v - 2 ** w if signed and v >> w - 1 else v


for kind in ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"):
    w, signed = int(kind[1:]), kind[0] == "i"
    for x, y in ((0, 1), (1, 3), (1 << w - 1, w), (2 ** w - 1, w + 1), (0x1234567890abcdef, 4), (0x80, 7),
                 (0x00f0f0f0f0f0f000, -1)):
        digits = format(x % 2 ** w, "0%db" % w)
        left = y % 2 ** w % w
        out = [w - len(digits.rstrip("0")), w - len(digits.lstrip("0")), digits.count("1")]
        words = [digits[left:] + digits[:left], digits[w - left:] + digits[:w - left]]
        if w > 8:
            words.append("".join(digits[at:at + 8] for at in range(w - 8, -1, -8)))
        # Everything is printed as i64, which the bits of u64 wrap to.
        print(*out, *[wrap(wrap(int(b, 2), w, signed), 64, True) for b in words], "")


def pack(x, kind):
    if x != x:
        return "7fc00000" if kind == "f" else "7ff8000000000000"
    return struct.pack(">" + kind, x).hex()


def whole(f):
    """f of floats that may be infinite, with the sign of a zero kept."""
    return lambda x: x if math.isinf(x) or x != x else math.copysign(f(x), x)


def root(x):
    return x if x == 0 or x != x else math.sqrt(x) if x > 0 else NAN


def least(a, b, sign):
    if a != a or b != b:
        return NAN
    if a == b == 0:
        return sign * max(math.copysign(1, a * sign), math.copysign(1, b * sign)) * 0.0
    return max(a, b) if sign > 0 else min(a, b)


ONES = [0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 2.5, 3.5, 0.49999997, -2.0000002, 8388607.5, 4503599627370495.5, 1e+30,
        2.0, -7.3, INF, -INF, NAN]
TWOS = [0.0, -0.0, 1.0, -3.5, INF, -INF, NAN]
for kind in "fd":
    for x in ONES:
        x, = struct.unpack(kind, struct.pack(kind, x))
        # A root rounded to f64 and then to f32 is correctly rounded: 53 >= 2 * 24 + 2.
        print(*[pack(f(x), kind) for f in (root, abs, whole(math.floor), whole(math.ceil), whole(math.trunc),
                                           whole(round))], "")
for kind in "fd":
    for a in TWOS:
        for b in TWOS:
            sign = NAN if a != a else math.copysign(a, b)
            print(pack(least(a, b, -1), kind), pack(least(a, b, 1), kind), pack(sign, kind), "")
m = bytearray([255] * 16)
m[3:8] = [17] * 5
m[9:13] = m[2:6]
m[1:9] = m[2:10]
m[6:15] = m[4:13]
print(m.hex())
