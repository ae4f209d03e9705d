import sys

ERRORS = {"2 * (3 + 4": ("a closing parenthesis", 10), "7 +": ("a number", 3), "8 8": ("an operator", 2)}
for text in "1 + 2 * 3", "(1 + 2) * -3 - -4", "2 * (3 + 4", "100 / 7 / 2 - 50", "7 +", "8 8", \
        "((((((((9))))))))", "10 * 10":
    try:
        print(eval(text.replace("/", "//")))
        assert text not in ERRORS
    except SyntaxError:
        print("wanted %s at %d" % ERRORS[text])
print("before", "true", sep="\n")
print("raised an object of type SyntaxError", "at unhandled,", "exceptions.vitte:105:9", "exceptions.vitte:116:5",
      "trap 11 LINK E7011", "at unresolved,", "exceptions.vitte:122:5", sep="\n", file=sys.stderr)
sys.exit(1)
