"""Exact rational powers of A'A instead of floats."""
from fractions import Fraction as F
import math

N = 30
A = [[(i + j) * (i + j + 1) // 2 + i + 1 for j in range(N)] for i in range(N)]


def step(v):
    t = [sum(F(x, a) for x, a in zip(v, row)) for row in A]
    w = [sum(x / A[i][j] for i, x in enumerate(t)) for j in range(N)]
    # Scaling changes nothing in the quotient; without it the fractions grow without end.
    return [F(round(x / max(w) * 10 ** 40), 10 ** 40) for x in w], max(w)


u = [F(1)] * N
for _ in range(10):
    v, _ = step(u)
    u, scale = step(v)
print("%.9f" % math.sqrt(scale * sum(a * b for a, b in zip(u, v)) / sum(b * b for b in v)))
