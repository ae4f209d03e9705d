import math
import struct

INF, NAN = math.inf, math.nan


def single(x):
    try:
        return struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        return math.copysign(INF, x)


def divide(x, y):
    if y == 0 and x == x:
        return math.copysign(INF, x) * math.copysign(1, y) if x else NAN
    return x / y


def show(values, kind):
    # Rounding a sum, product or quotient of two f32 to f64 and then to f32 is the same as rounding it once.
    rounded = [single(x) if kind == "f" else x for x in values]
    print(*["nan" if x != x else struct.pack(">" + kind, x).hex() for x in rounded], "")


VALUES = [0.0, -0.0, 1.5, -2.75, INF, -INF, NAN, 5e-324]
for x in VALUES:
    print(*[sum(bit << k for k, bit in enumerate([x == y, x != y, x < y, x <= y, x > y, x >= y, x == x and y == y,
                                                 x != x or y != y])) for y in VALUES])
for kind, pairs in (
        ("d", [(1e308, 1e308), (INF, -INF), (0.0, -0.0), (1.0, 3.0), (5e-324, 2.0), (2.2250738585072014e-308, 1.5),
               (-0.0, 4.0), (NAN, 1.0)]),
        ("f", [(3e38, 3e38), (INF, INF), (-0.0, 0.0), (1.0, 3.0), (1e-45, 0.5), (16777216.0, 1.0), (0.1, 0.2)])):
    for x, y in pairs:
        if kind == "f":
            x, y = single(x), single(y)
        show([x + y, x - y, x * y, divide(x, y), -x, x if x < y else y], kind)
plain = near = 0.0
for _ in range(1000):
    plain += 0.1
    near = single(near + single(0.1))
print(struct.pack(">d", plain).hex(), struct.pack(">f", near).hex(),
      struct.pack(">d", math.fsum([0.1] * 1000)).hex(), "")
print(0)
