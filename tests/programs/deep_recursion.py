def depth(n, a, b, c, d):
    total = 0
    for k in range(n, 0, -1):
        total += a - int(b) + c * 3 + d
        a, b, c, d = a + k, b / 2, c ^ k, (d + 1) % 256
    return total


print(depth(800, 5, 1e6, -1, 250))
print((3 ** 300 + sum(k * k * 3 ** (300 - k) for k in range(1, 301))) % 1000000007)
print(depth(700, -3, 64.0, 12, 0))
