total = 6000000 * 6000001 // 2

a, b = 1, 2
for n in range(3000000, 0, -2):
    # Two steps at once: even passes eight values to odd, and odd three back.
    a, b, c, d, e, f, g = b + n, a, n & 7, a & 15, b & 31, n, b
    a, b = a + c + d, (b + e + f + g) & 0xffffffff
total = total * 31 + a * 1000003 + b

order = [1, 2, 3, 4, 5, 6, 7]
bumps = sum(order[k % 7] % 2 for k in range(1000000))
k = 1000000 % 7
order = order[k:] + order[:k] + [bumps % 8]
x = int(0.25)
total = (total * 31 + sum(v * 10 ** p for p, v in enumerate(order + [x]))) % 2 ** 64
print(total - (total >> 63 << 64))
