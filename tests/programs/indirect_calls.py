import functools
import operator

print(*[f(1000, -7) for f in (operator.add, operator.sub, operator.mul)], -(1000 // 7), "none", sep="\n")
a = [i * 37 % 101 for i in range(20)]
for key in (lambda v: v), (lambda v: (v % 10, -v)):
    a.sort(key=key)
    print(a[0] * 10000 + a[10] * 100 + a[19])
print(5000 - sum(a))
print(sum(k if k % 2 == 0 else -k for k in range(100)))
print(3 * (5 * (7 * 10 - 8) - 6) + 4)
print(functools.reduce(lambda x, k: x - 1 if k % 3 else x * 2, range(40), 1))
