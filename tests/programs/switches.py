import datetime

print(1, 2, 3, 4, 5, 6, 7, 0, 7, 8, 0, 9, "")
print(1, 2, 3, 4, -1, "")


def signed8(x):
    x = (x + 128) % 256 - 128
    return 11 if x == -128 else 12 if abs(x) <= 2 else 13 if x == 127 else 10


def unsigned8(x):
    return {0: 21, 127: 22, 128: 22, 254: 23, 255: 23}.get(x % 256, 20)


def wide16(x):
    return 31 if (x + 32768) % 65536 - 32768 in (-32768, -300, 300, 32767) else 30


def rem(v):
    """The remainder with the sign of the dividend."""
    return v % 1000003 if v >= 0 else -(-v % 1000003)


total = 0
for x in range(-128, 256):
    total = total * 5 + signed8(x) + unsigned8(x) + wide16(x * 300) + x + 40
    total = rem(total) * 3 + {0: 20, 1: 22, 2: 24, 4: 24, 5: 26}.get(x, 198)
    total = rem(total + {0: 1, 1: 2, 2: 3}.get(x, -1) + {1: 100, 3: 300}.get(x % 256, 0))
print(total, -1, -1, 198, "")
for day in (1969, 7, 20), (2000, 2, 29), (2024, 12, 25):
    print(datetime.date(*day).strftime("%A"))
print(1994 * 10000 + 2026)
