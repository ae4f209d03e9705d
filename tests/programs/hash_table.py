d = {}
for k in range(150):
    d[k * k % 173] = k
print(len(d))
gone = [k for k in range(0, 173, 3) if d.pop(k, None) is not None]
print(len(gone), len(d), 3000, -1, sep="\n")
print(173 - len(d))
room, peak = 8, len(d) + len(gone)
while peak * 4 > room * 3:
    room *= 2
print(room)
total = 0
for k in sorted(d):
    total = total * 7 + d[k]
total %= 2 ** 64
print(total - (total >> 63 << 64))
