import math

LIMIT = 20000
primes = [n for n in range(2, LIMIT + 1) if all(n % d for d in range(2, math.isqrt(n) + 1))]
gaps = [q - p for p, q in zip(primes[1:], primes[2:])]
print(len(primes), primes[-1], gaps.count(2), max(gaps), sep="\n")
print(sum(math.gcd(a, b) == 1 for b in range(1, 3001) for a in range(1, b + 1)))
