def fold(values, base):
    h = 0
    for v in values:
        h = (h * base + v) % 2 ** 64
    return h - (h >> 63 << 64)


x, numbers = 7, []
for _ in range(150):
    x = (x * 1664525 + 1013904223) % 2 ** 32
    numbers.append(x % 1000)
print(fold(numbers[::-1], 37))
print(fold(numbers, 37))
print(fold(sorted(numbers), 37))
place = 0
for n in range(2, 42):
    place = (place + 3) % n
print(place + 1)
keys = [k for k in range(40) if k % 3 and k % 5 != 1]
print("%.1f" % (sum(keys) / 2))
print(fold(keys[::-1], 41))
