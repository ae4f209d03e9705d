import sys

cells, k = {(2, 3), (3, 4), (4, 2), (4, 3), (4, 4)}, 0
# A step reads two cells around each living one.
while all(2 <= c <= 6 for cell in cells for c in cell):
    if k % 2 == 0:
        for y in range(9):
            print("".join("#" if (y, x) in cells else "." for x in range(9)))
        print()
    around = [(y + dy, x + dx) for y, x in cells for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    cells = {c for c in around if around.count(c) == 3 or around.count(c) == 2 and c in cells}
    k += 1
if k % 2 == 0:
    for y in range(9):
        print("".join("#" if (y, x) in cells else "." for x in range(9)))
    print()
# The first cell too far out is so by its row, which is what the program looks up first.
assert max(y for y, _ in cells) == 7 and max(x for _, x in cells) <= 6
print(2 * 2, "before", 8, "before", sep="\n")
print("trap 3 BOUNDS E7003", "at neighbours, block 6, instruction 18, bounds_trap.vitte:24:17", "at grow,", "at step,",
      "at main, block 7, instruction 50, bounds_trap.vitte:67:9",
      "at get, block 3, instruction 10, bounds_trap.vitte:75:5",
      "at get_u32,", "at get_u64,", "at get_i32,", "at set, block 0, instruction 5, bounds_trap.vitte:97:5",
      sep="\n", file=sys.stderr)
sys.exit(1)
