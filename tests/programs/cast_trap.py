import sys

total = 0
for message in 40, "hello", 2, "now a stranger":
    total += 0 if isinstance(message, str) else message
    print(message if isinstance(message, str) else total)
print(7, "true", sep="\n")
print("trap 6 BAD_CAST E7006", file=sys.stderr)
for name, place in (("handle", "41:5"), ("pump", "47:9"), ("main", "57:5"), ("other_struct", "71:5"),
                    ("struct_to_array", "75:5"), ("array_to_struct", "80:5"), ("other_array", "85:5"),
                    ("like_struct", "90:5")):
    print("at %s," % name, "cast_trap.vitte:%s" % place, sep="\n", file=sys.stderr)
sys.exit(1)
