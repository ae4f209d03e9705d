import datetime
import math
import struct

print(math.gcd(1071, 462), math.gcd(-48, 18), 3 ** 39, -2 ** 63, "true", "false", sep="\n")
print(math.hypot(3, 4), math.hypot(-3e200, 4e200), sep="\n")
print(0.1)
# Half the least float is a tie and rounds to the even one: zero.
print(struct.unpack("f", struct.pack("f", 1e-45 / 2))[0])
print((-128 + 127) // 2, (255 + 254) // 2, 65535, -65535 // 2, sep="\n")
x = 0xdeadbeef
print((x << 20 | x >> 12) % 2 ** 32)
print(-2 ** 31, 2 ** 64 - 2, "true", "false", "5, 4, 3, 2, 1", sep="\n")
print(datetime.date(2024, 12, 31).timetuple().tm_yday)
print(7 * 2.5 - 3 * 0.125 + 1)
print(int("1234567"[::-1]), -5, sep="\n")
