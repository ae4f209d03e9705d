def weigh(values):
    return sum(w * (len(v) if isinstance(v, str) else v) for w, v in enumerate(values, 1))


def swap(values):
    return 2 * weigh(values[12:] + values[:12])


one, two = "eleven", "twenty-three"
values = [-8, 200, -3000, 60000, -70000, 4000000000, -5000000000, 6000000000, 1.5, -2.25, True, one,
          127, 1, 30000, 2, 2000000000, 3, 4, 5, 0.125, 1000.5, False, two]
print("%.3f" % weigh(values))
print("%.3f" % swap(values))
total = 0
for k in range(20):
    values = [k, k, 1, 2, k, 3, k, 4, k, 0.5, k > 5, one, -k, 7, k * 100, 8, 9, k, -k, k, 0.25, k / 2, k < 9, two]
    total += weigh(values) if k % 2 else swap(values)
print("%.3f" % total)
signs = [v * (-1) ** (v + 1) for v in range(1, 12)]
print("%.1f" % sum(v * 2 ** (10 - p) for p, v in enumerate(signs)))
print("%.1f" % sum(v * 2 ** p for p, v in enumerate(signs)))
print("%.1f" % (0.5 + 3 ** 5))
ring = list(range(1, 21))
for n in range(50, 0, -1):
    ring = ring[1:] + [ring[0] + n]
primes = [1, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71]
print(sum(p * v for p, v in zip(primes, ring)) - 50 * 51 // 2)
