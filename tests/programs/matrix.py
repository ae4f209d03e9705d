"""Exact rational arithmetic for the floats (every product and sum here is exact), fast doubling for Fibonacci."""
from fractions import Fraction as F

N = 20
x = [[F((i * N + j) % 13, 4) - 1 for j in range(N)] for i in range(N)]
y = [[F((i * N + j) % 7, 2) + F(1, 8) for j in range(N)] for i in range(N)]


def product(a, b):
    return [[sum(p * q for p, q in zip(row, column)) for column in zip(*b)] for row in a]


z = product(x, y)
print("%.6f" % sum(z[i][i] for i in range(N)))
print("%.6f" % sum(map(sum, z)))


def rows(n, m, seed):
    return [[(i * 3 + j * 5) % 11 - seed for j in range(m)] for i in range(n)]


for row in product(rows(7, 12, 4), rows(12, 9, 6)):
    print(*row, sep=",")


def fib(n, p):
    if not n:
        return 0, 1
    a, b = fib(n // 2, p)
    c, d = a * (2 * b - a) % p, (a * a + b * b) % p
    return (d, (c + d) % p) if n % 2 else (c, d)


print(fib(90, 10 ** 9 + 7)[0], fib(10 ** 12, 10 ** 9 + 7)[0], sep="\n")
