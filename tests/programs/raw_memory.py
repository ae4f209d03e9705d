import struct

sample = bytes([1, 130, 3, 132, 5, 134, 7, 136, 9, 138, 0, 0, 128, 191, 0, 0, 0, 0, 0, 0, 248, 191, 2, 0])


def load(code, at):
    return struct.unpack_from("<" + code, sample, at)[0]


for code, at in ("b", 1), ("B", 1), ("h", 1), ("H", 1), ("i", 1), ("I", 3), ("q", 1), ("Q", 2), ("b", 3):
    print(load(code, at))
print(load("b", 3) % 2 ** 64)
print(load("h", 7) % 2 ** 32)
print(load("I", 5), load("B", 7), sep="\n")
print("%.3f" % load("f", 10))
print("%.3f" % load("d", 14))
print("yes")

p = bytearray([170] * 40)
p[32:] = bytes(8)


def store(code, at, value):
    size = struct.calcsize(code)
    p[at:at + size] = struct.pack("<" + code, value) if code in "fd" else (value % 256 ** size).to_bytes(size, "little")


for code, at, value in (("B", 0, 511), ("h", 1, -2), ("I", 3, 81985529216486895), ("q", 7, -81985529216486896),
                        ("f", 15, 1.5), ("d", 19, -0.1), ("?", 27, 1), ("Q", 4, 72623859790382856)):
    store(code, at, value)
print("same")
print(p[:32].hex(), p[5:8].hex(), p[24:32].hex(), 32, "below", "null", sep="\n")

p[:32] = range(65, 97)
p[4:16] = p[:12]
print(p[:20].hex())
p[:12] = p[3:15]
print(p[:20].hex())
words = b"the words to count, and the vowels"
p[24:32] = words[:8]
print(p[20:32].hex())
x, numbers = 77, []
for _ in range(16):
    x = (x * 1021 + 12347 + 2 ** 15) % 2 ** 16 - 2 ** 15
    numbers.append(x)
print(b"".join(struct.pack("<h", v) for v in sorted(numbers)).hex())
print(sum(chr(c) in "aeiou" for c in words))
