import sys

balance, rate, frames = 10000, 5, ["checked_trap.vitte:10:5", "checked_trap.vitte:16:9", "checked_trap.vitte:22:9",
                                   "checked_trap.vitte:29:9", "checked_trap.vitte:35:5"]


def life():
    global balance, rate
    while True:
        for _ in range(10):
            if balance * rate >= 2 ** 31:
                return
            balance += balance * rate // 100
            assert balance < 2 ** 31
        print(balance)
        rate += 2


life()
print("trap 2 OVERFLOW E7002", *frames, sep="\n", file=sys.stderr)
sys.exit(1)
