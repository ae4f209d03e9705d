"""Integers are exact in python; rounding to f32 is done on integers or by struct, saturation by limits."""
import math
import struct

INTS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"]


def limits(t):
    w = int(t[1:])
    return (-2 ** (w - 1), 2 ** (w - 1) - 1) if t[0] == "i" else (0, 2 ** w - 1)


def wrap(v, t):
    low, high = limits(t)
    return (v - low) % (high - low + 1) + low


def saturate(x, t):
    if x != x:
        return 0
    low, high = limits(t)
    return high if x >= high else low if x <= low else int(x)


def f32_bits(x):
    if isinstance(x, int):
        # One rounding: what is beyond 24 bits goes into the last one as a sticky bit before the halves are rounded.
        drop = max(abs(x).bit_length() - 24, 0)
        high, rest = abs(x) >> drop, abs(x) & (1 << drop) - 1
        half = 1 << drop >> 1
        high += rest > half or rest == half and drop > 0 and high & 1
        x = math.copysign(math.ldexp(high, drop), x)
    try:
        return struct.unpack("<I", struct.pack("<f", x))[0]
    except OverflowError:
        return 0x7f800000 if x > 0 else 0xff800000


def f64_bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def show(x):
    if isinstance(x, int):
        values, x32, x64 = [wrap(x, t) for t in INTS], x, float(x)
    else:
        values, x32, x64 = [saturate(x, t) for t in INTS], x if x == x else 0.0, x if x == x else 0.0
    print(*values, "%08x" % f32_bits(x32), "%016x" % f64_bits(x64))


CANDIDATES = {-1, 0, 1, 100, 16777217, 33554435, -16777219, 9007199254740993, 18014398509481987,
              2 ** 63 + 2 ** 39 + 1, 200, 40000, 3000000000}
for kind in INTS:
    low, high = limits(kind)
    for v in sorted(CANDIDATES | {low, low + 1, high // 2 + 1, high - 1, high}):
        if low <= v <= high:
            show(v)
FLOATS = [0.0, -0.0, 0.5, -0.99, 1.5, -1.5, 127.99, 128.0, -128.5, -129.0, 255.5, 256.0, 32768.0, -32769.0,
          65536.0, 2147483520.0, 2147483648.0, 4294967296.0, -2147483904.0,
          9223372036854775808.0, 1.8446744073709552e+19, -1e+30, 1.401298464324817e-45, math.inf, -math.inf, math.nan]
for x in FLOATS:
    show(struct.unpack("f", struct.pack("f", x))[0])
for x in FLOATS + [2147483647.5, -2147483648.5, 4294967295.999,
                   9.223372036854775e+18, 1e+300, 3.4028235677973366e+38, 3.4028235677973362e+38,
                   1.00000005960464477539, 1.00000017881393432617,
                   7.006492321624085e-46, 5e-324, 0.1]:
    show(x)
print(*[0] * 8, "")
print(*[1] * 8, "")
print(200 - 256, 255, 40000 - 65536, 65534, struct.unpack("i", struct.pack("f", -1.5))[0], 2 ** 32 - 3, f64_bits(1e100),
      2 ** 64 - 4, "40490fdb", "%016x" % f64_bits(math.pi))
