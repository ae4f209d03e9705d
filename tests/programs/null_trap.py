import sys

staff = {"Edsger": "Grace", "Grace": "Ada", "Ada": None}
for name, boss in staff.items():
    print("%s works for " % name, end="")
    if boss is None:
        break
    print(boss)
# What is printed before a trap stays printed; nothing ends the line.
print("store", "call", "printing", sep="\n")
lines = {"boss_of": 38, "report": 44, "main": 53, "load": 59,
         "store": 65, "element": 70, "set_element": 75, "length": 80, "call": 86, "printing": 92, "order": 99}
print("trap 4 NULL E7004", file=sys.stderr)
for line in lines.values():
    print("null_trap.vitte:%d:5" % line, file=sys.stderr)
sys.exit(1)
