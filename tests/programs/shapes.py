circle, box, triangle = 3.25 * 4, 4.5, 6.0
areas = [circle, box, triangle, 4 * (box + circle), 0, 0]
print(*["%.3f" % a for a in areas + [sum(areas)]])
print("same", "null", sep="\n")


class E:
    """An expression as nested tuples (op, left, right), numbers and names."""
    @staticmethod
    def d(e):
        if isinstance(e, int):
            return 0
        if isinstance(e, str):
            return int(e == "x")
        op, l, r = e
        return ("+", ("*", E.d(l), r), ("*", l, E.d(r))) if op == "*" else (op, E.d(l), E.d(r))

    @staticmethod
    def simple(e):
        if not isinstance(e, tuple):
            return e
        op, l, r = e[0], E.simple(e[1]), E.simple(e[2])
        if isinstance(l, int) and isinstance(r, int):
            return {"+": l + r, "-": l - r, "*": l * r}[op]
        rules = {("*", 0, None): 0, ("*", None, 0): 0, ("*", 1, None): r, ("*", None, 1): l, ("+", None, 0): l,
                 ("-", None, 0): l, ("+", 0, None): r}
        for (o, a, b), to in rules.items():
            if o == op and (a is None or l == a) and (b is None or r == b):
                return to
        return op, l, r

    @staticmethod
    def text(e):
        return "(%s%s%s)" % (E.text(e[1]), e[0], E.text(e[2])) if isinstance(e, tuple) else str(e)


e = ("-", ("*", "x", ("*", "x", ("+", "x", 7))), ("*", 3, "y"))
once = E.simple(E.d(e))
print(E.text(e), E.text(E.d(e)), E.text(once), E.text(E.simple(E.d(E.simple(E.d(once))))), sep="\n")
print(3 * 11 ** 2 + 14 * 11)
