import ctypes
import struct

print("globals")
print(ctypes.c_int8(-7 - 200).value, (250 + 30) % 256, ctypes.c_int16(30000 + 5000).value, -10 % 65536, sep="\n")
print(ctypes.c_int32(2000000000 + 200000000).value)
mask, total, scale = 0xf0000000, -9000000000, 1e-3
for _ in range(10):
    mask ^= mask >> 1
    total -= -(-total // 3)
    scale *= 10
print(mask, total, sep="\n")
ratio, = struct.unpack("f", struct.pack("f", 0.75 / 1024))
print("%.4f" % (ratio * 1e6))
print("%.3f" % scale)
print("ready")
x, low = 88172645463325252, 0
for _ in range(200):
    x ^= x << 13 & 2 ** 64 - 1
    x ^= x >> 7
    x ^= x << 17 & 2 ** 64 - 1
    low ^= x
print(low)
a, b = 0, 1
for _ in range(59):
    a, b = b, a + b
print(a)
ids = [k * 7 % 30 for k in range(30)]
h = 0
for i in reversed(ids):
    h = (h * 31 + i) % 2 ** 64
print(h - (h >> 63 << 64))
print([i for i in ids if i % 4 == 0][-1])
print(len("globals"), total, sep="\n")
