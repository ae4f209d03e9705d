"""What a machine's operators do with values that are held extended: `hold i32 in gpr upper sign`.

Derivation (patterns.py) reads an instruction's tree over whole registers. For a type that is held with its sign, with
zeros or with ones above it, a register that is read whole is that extension of the value: `under` puts this in and moves
the extension outwards as far as the operators allow, so that `a & b` of registers becomes sext(x & y). A result that is
the extension which its own type asks for is then the operation on the narrow type, exactly.

    slt, ...   of two extended values are those of the values (sign extension keeps both orders)
    and, or, xor, not, min, max, select   give the extension of the narrow operation
    low(ext(x)) is x;  the bits above, of ones, are ones: this undoes the test of a boxed float
"""
EXT = {"sign": "sext", "zero": "zext", "ones": "onesext"}
BITWISE = ("and", "or", "xor")
ORDER = ("eq", "ne", "slt", "sle", "ult", "ule")
EXTREMES = ("smin", "smax", "umin", "umax")


def number(t):
    """The value of a constant tree, or None."""
    if t[0] == "num":
        return t[2] & ((1 << t[1]) - 1)
    if t[0] == "ones":
        return (1 << t[1]) - 1
    if t[0] == "zero":
        return 0
    return None


def under(t, reads):
    """The tree when registers hold what `reads` says: file name -> (upper, width); a file that is not named is read as
    it is."""
    if t[0] == "leaf":
        o = t[2]
        if o.type == "reg" and o.cls.file.name in reads and t[1] == o.cls.file.width:
            upper, width = reads[o.cls.file.name]
            return (EXT[upper], t[1], ("leaf", width, o))
        return t
    if t[0] == "num":
        return t
    return simplify((t[0], t[1]) + tuple(under(a, reads) if isinstance(a, tuple) else a for a in t[2:]))


def simplify(t):
    op, w = t[0], t[1]
    args = t[2:]
    if op == "low":
        return low(args[0], w)
    if op == "slice" and args[0][0] == "onesext" and args[1][2] >= args[0][2][1]:
        return ("ones", w)
    if op == "cat" and args[0][0] == "ones":
        return ("onesext", w, args[1])
    if op == "ite" and args[0][0] == "num":
        return args[1] if args[0][2] else args[2]
    if op == "eq" and None not in (number(args[0]), number(args[1])):
        return ("num", 1, int(number(args[0]) == number(args[1])))
    if op in ORDER + BITWISE + EXTREMES:
        a, b = narrowed(args[0], args[1])
        if a is not None and (op in BITWISE or args[0][0] != "onesext"):
            return (op, 1, a, b) if op in ORDER else (extension(args), w, (op, a[1], a, b))
    if op == "not" and args[0][0] == "sext":
        return ("sext", w, ("not", args[0][2][1], args[0][2]))
    if op == "ite":
        a, b = narrowed(args[1], args[2])
        if a is not None:
            return (extension(args[1:]), w, ("ite", a[1], args[0], a, b))
    return t


def low(x, w):
    if x[1] == w:
        return x
    if x[0] == "leaf" and x[2].type == "reg":
        return ("leaf", w, x[2])
    if x[0] in EXT.values():
        inner = x[2]
        return low(inner, w) if inner[1] >= w else (x[0], w, inner)
    if x[0] == "num":
        return ("num", w, x[2])
    return ("low", w, x)


def extension(args):
    return next(a[0] for a in args if a[0] in EXT.values())


def narrowed(a, b):
    """Two operands that are the same extension from the same width, without it; constants are taken along."""
    for x, y in ((a, b), (b, a)):
        if x[0] not in EXT.values():
            continue
        inner = shrunk(y, x[0], x[2][1])
        if inner is not None:
            return (x[2], inner) if x is a else (inner, x[2])
    return None, None


def shrunk(t, ext, width):
    """What t is the extension of, or None."""
    if t[0] == ext and t[2][1] == width:
        return t[2]
    if ext == "sext" and t[0] == "num" and -(1 << width - 1) <= t[2] < 1 << width - 1:
        return ("num", width, t[2])
    if ext == "sext" and t[0] == "leaf" and t[2].type == "imm" and is_small(t[2].imm, width):
        return ("leaf", width, t[2])
    return None


def is_small(imm, width):
    from patterns import imm_range
    how, bits = imm_range(imm)
    return how == "s" and bits <= width or how == "z" and bits < width
