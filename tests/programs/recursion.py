"""Closed forms and exhaustive search instead of the program's recursions."""
import itertools

print("ackermann(2, 9) =", 2 * 9 + 3)
print("hanoi moves:", 2 ** 10 - 1)
print("discs on the target:", 10)


def queens(n):
    return sum(len({c + r for r, c in enumerate(p)}) == n == len({c - r for r, c in enumerate(p)})
               for p in itertools.permutations(range(n)))


print("queens:", *[queens(n) for n in range(1, 8)])
f, m = [1], [0]
for n in range(1, 12):
    m.append(n - f[m[n - 1]])
    f.append(n - m[f[n - 1]])
print("female:", *f)
print("male:", *m)
print(20 + 2)
