"""Complex numbers of python; the coordinates are exact, and so is every comparison that matters here."""


def steps(c, limit):
    z = 0j
    for n in range(limit):
        if z.real * z.real + z.imag * z.imag > 4:
            return n
        z = z * z + c
    return limit


counts = [[steps(complex(x / 24 - 2, y / 8 - 1.25), 40) for x in range(61)] for y in range(21)]
for row in counts:
    print("".join(" .:-=+*#%@"[n * 9 // 40] for n in row))
bits = "".join(str(int(steps(complex(x / 16 - 1.5, 0.25), 50) == 50)) for x in range(32))
print("%08x" % int(bits, 2))
print(sum(n == 40 for row in counts for n in row))
