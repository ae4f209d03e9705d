"""All permutations by itertools; the sign of a place in the benchmark's order is found from its own ranking."""
import itertools


def flips(p):
    count = 0
    while p[0]:
        p = p[p[0]::-1] + p[p[0] + 1:]
        count += 1
    return count


def rank(p):
    """How often each prefix was rotated, the longest first, as a number in mixed radix."""
    order, place, weight = list(range(7)), 0, 720
    for r in range(6, 0, -1):
        turns = (order.index(p[r]) - r) % (r + 1)
        order = order[turns:r + 1] + order[:turns] + order[r + 1:]
        place += turns * weight
        weight //= r
    return place


counts = {rank(p): flips(p) for p in itertools.permutations(range(7))}
assert sorted(counts) == list(range(5040))
print(sum(-f if k % 2 else f for k, f in counts.items()))
print("Pfannkuchen(7) =", max(counts.values()))
print(5040)
