import math

f, p = math.factorial(100), 3 ** 256
print((f.bit_length() + 31) // 32)
print(f)
print(sum(map(int, str(f))))
print((p.bit_length() + 31) // 32)
print(p)
print(sum(map(int, str(f))))
