def wrap(v, bits, signed):
    v %= 2 ** bits
    return v - 2 ** bits if signed and v >> bits - 1 else v


def i8(v):
    return wrap(v, 8, True)


def i16(v):
    return wrap(v, 16, True)


def quotient(x, y):
    q = abs(x) // abs(y)
    return q if (x < 0) == (y < 0) else -q


def all_i8():
    h = 2166136261
    values = [v for x in (0, 1, 2, 7, 8, 15, 16, 64, 126, 127) for v in (x, -x - 1)]
    for x in values:
        for y in values:
            out = [i8(x + y), i8(x - y), i8(x * y)]
            if y:
                out += [i8(quotient(x, y)), i8(x - y * quotient(x, y))]
            out += [i8(x << y % 8), x >> y % 8, i8(x % 256 >> y % 8), i8(-x) ^ ~y & x | y]
            out += [(x < y) + (x % 256 < y % 256) * 2 + (x >= y) * 4 + (x % 256 >= y % 256) * 8]
            out += [(x % 256 <= y % 256) + (x % 256 > y % 256) * 2]
            for v in out:
                h = (h ^ v % 2 ** 32) * 16777619 % 2 ** 32
    return h


def all_u16():
    h, x = 2166136261, 1
    for _ in range(60):
        y = (x * 40503 + 1) % 65536
        s = y % 16
        out = [x + y, x - y, x * y, x // y, y % (x | 1), x << s, x >> s, i16(x) >> s, -x, x << s | x >> 16 - s]
        out = [v % 65536 for v in out]
        out += [(x < y) + (i16(x) < i16(y)) * 2 + (x <= y) * 4 + (i16(x) > i16(y)) * 8]
        out += [(i16(x) <= i16(y)) + (i16(x) >= i16(y)) * 2]
        for v in out:
            h = (h ^ v) * 16777619 % 2 ** 32
        x = y ^ x >> 3
    return h


print(-128, 0, -128, -32768, 0, 0, sep="\n")
print(400 % 256, 40000 % 256, 56, 55, 65535 ** 2 % 65536, 0, sep="\n")
print(127, -128, -128, -128, 255, 0, 255, 181 ** 2, -144 * 227, 65535, 0, -32768, sep="\n")
print(all_i8(), all_u16(), sep="\n")
print(i16(sum(i8(i * 13) * i16(i * 4099) - (39 - i) * 29 % 256 for i in range(40))))
