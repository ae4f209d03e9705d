import sys

print("trap 8 STACK E7008", file=sys.stderr)
for name in "endless", "wide", "again":
    print("    at %s, block" % name, file=sys.stderr)
sys.exit(1)
