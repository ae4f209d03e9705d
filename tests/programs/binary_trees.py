for depth in 2, 4, 6:
    rounds = 2 ** (8 - depth) // 4
    print("%d trees of depth %d: %d" % (rounds, depth, rounds * (2 ** (depth + 1) - 1)))
print(2 ** 9 - 1)


def fold(keys):
    h = 0
    for k in sorted(keys):
        h = (h * 33 + k) % 2 ** 64
    return h - (h >> 63 << 64)


x, keys, depth = 1, [], {}
for _ in range(120):
    x = x * 75 % 65537
    k = x % 1000
    if k not in depth:
        # A new key hangs below the later inserted of its two neighbours: one deeper than the deeper one.
        below = max((d for d in keys if d < k), default=None)
        above = min((d for d in keys if d > k), default=None)
        depth[k] = 1 + max(depth.get(below, 0), depth.get(above, 0))
        keys.append(k)
print(len(keys), max(depth.values()), fold(keys), sep="\n")
rest = [k for k in keys if k % 3]
print(len(rest), fold(rest), sep="\n")
