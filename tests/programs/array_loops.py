import itertools
import math

numbers, x = [], 17
for _ in range(500):
    x = (x * 1103 + 12345) % 65536
    numbers.append(x % 201 - 100)
print(*[sum((v + 100) // 26 == k for v in numbers) for k in range(8)], "")
sums = [0, *itertools.accumulate(numbers)]
print(max(sums[j] - sums[i] for i in range(500) for j in range(i + 1, 501)))
print(sum(numbers[250:]))
rotated = numbers[123:] + numbers[:123]
print(rotated[0], rotated[-1], sep="\n")
print(201 - len(set(numbers)))
print("%.2f" % min(sum(numbers[i:i + 50]) / 50 for i in range(0, 500, 50)))
print(math.comb(29, 14))
