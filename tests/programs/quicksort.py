"""The numbers come from the recurrence; sorting is python's own."""
seed, numbers = 12345, []
for _ in range(1000):
    seed = (seed * 6364136223846793005 + 1442695040888963407) % 2 ** 64
    numbers.append((seed >> 33) % 100000 - 50000)
numbers.sort()
print(*numbers[::100], numbers[-1], sep="\n")
checksum = sum(v * 31 ** (len(numbers) - 1 - k) for k, v in enumerate(numbers)) % 2 ** 64
print(checksum - (checksum >> 63 << 64))
