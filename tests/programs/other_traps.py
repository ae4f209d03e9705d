import sys

# 50 of 100 can be withdrawn; 101 and -1 cannot. An array of no elements is one.
print("paid", 100 - 50, 0, "huge", "spinning", sep="\n")
for name, places in (("trap 256 E7100: user trap 256", ["24:9", "29:5"]),
                     ("trap 65535 E7100: user trap 65535", ["22:9"]),
                     ("trap 5 UNREACHABLE E7005", ["40:5"]),
                     ("trap 10 BAD_LEN E7010", ["44:5", "48:5", "52:5", "56:5"]),
                     ("trap 9 OOM E7009", ["61:5"]), ("trap 12 INTERRUPT E7012", ["66:5"])):
    print(name, *["other_traps.vitte:" + place for place in places], sep="\n", file=sys.stderr)
sys.exit(1)
