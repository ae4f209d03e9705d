"""A typed sem expression -> C over zero-extended 64-bit values.

Widths need not be known here: each subexpression carries its width as C text ("32" or "w_x"), so that one C
function serves all types of an opcode. Every integer result is brought back to its width (ev_zx). A literal has
no width of its own and takes the other side's.
"""

COMPARES = {"eq": "{a} == {b}", "ne": "{a} != {b}", "ult": "{a} < {b}", "ule": "{a} <= {b}",
            "slt": "ev_sx({a}, {w}) < ev_sx({b}, {w})", "sle": "ev_sx({a}, {w}) <= ev_sx({b}, {w})"}
# exact when the operands are within their width
BITWISE = {"and": "({a} & {b})", "or": "({a} | {b})", "xor": "({a} ^ {b})", "udiv": "({a} / {b})",
           "urem": "({a} % {b})", "lshr": "({a} >> {b})"}
WRAPPING = {"add": "ev_zx({a} + {b}, {w})", "sub": "ev_zx({a} - {b}, {w})", "mul": "ev_zx({a} * {b}, {w})",
            "shl": "ev_zx({a} << {b}, {w})", "ashr": "ev_zx((uint64_t)(ev_sx({a}, {w}) >> {b}), {w})",
            "sdiv": "ev_sdiv({a}, {b}, {w})", "srem": "ev_srem({a}, {b}, {w})"}
SHIFTS = ("shl", "lshr", "ashr")

# name -> (C function, what the result's width is: that of operand 0, a bool, or that of the type operand)
CALLS = {}
for _name in ("umulhi smulhi rotl rotr bitrev bswap clz cls ctz popcnt fadd fsub fmul fdiv sqrt fma fmin fmax ceil"
              " floor trunc nearest").split():
    CALLS[_name] = "same"
for _name in "uadd_over sadd_over usub_over ssub_over umul_over smul_over feq flt fle funo".split():
    CALLS[_name] = "bool"
for _name in "to_uint to_sint to_uint_sat to_sint_sat from_uint from_sint fpromote fdemote".split():
    CALLS[_name] = "convert"
for _name in "fits_uint fits_sint".split():
    CALLS[_name] = "test_type"


class CannotExpress(Exception):
    """The expression reaches memory, an address or something else that is no value of its operands."""


class C:
    """C text, and its width as C text; width None = a literal, "bool" = a truth value (0 or 1)."""

    def __init__(self, text, width):
        self.text = text
        self.width = width


def literal(value, width):
    if value < 0:
        return "ev_zx((uint64_t)%d, %s)" % (value, width)
    return "UINT64_C(%d)" % value


class Translator:
    """names: value name -> C(text, width); types: type name -> width as C text; special: call name -> method.

    emit_sim.py derives from it the translation of machine instructions, where every width is a number."""
    BITWISE, WRAPPING, COMPARES = BITWISE, WRAPPING, COMPARES

    def __init__(self, names, types, special=None):
        self.names = names
        self.types = types
        self.special = special or {}

    def type_width(self, e):
        if e.k == "name" and e.name in self.types:
            return self.types[e.name]
        if e.k == "call" and e.name == "half":
            return "%s / 2" % self.type_width(e.args[0])
        raise CannotExpress("no type: %s" % e)

    def value(self, e, width):
        """The expression as C text; a literal gets this width."""
        c = self.of(e)
        if c.width is None:
            return literal(int(c.text), width)
        if c.width == "bool":
            return "(uint64_t)%s" % c.text
        return c.text

    def truth(self, e):
        """The expression as a C condition, in parentheses or a call."""
        c = self.of(e)
        return c.text if c.width == "bool" else "(%s != 0)" % c.text

    def of(self, e):
        return getattr(self, "of_" + e.k, self.of_other)(e)

    def of_other(self, e):
        raise CannotExpress(e.k)

    def of_num(self, e):
        return C(str(e.value), None)

    def of_name(self, e):
        if e.name not in self.names:
            raise CannotExpress(e.name)
        return self.names[e.name]

    def of_un(self, e):
        if e.op == "lnot":
            return C("!%s" % self.truth(e.args[0]), "bool")
        a = self.of(e.args[0])
        if a.width is None:
            value = int(a.text)
            return C(str(-value if e.op == "neg" else ~value), None)
        return C("ev_zx(%s(%s), %s)" % ({"neg": "0 - ", "not": "~"}[e.op], a.text, a.width), a.width)

    def of_bin(self, e):
        op = e.op
        if op in ("land", "lor"):
            return C("(%s %s %s)" % (self.truth(e.args[0]), {"land": "&&", "lor": "||"}[op], self.truth(e.args[1])), "bool")
        a, b = self.of(e.args[0]), self.of(e.args[1])
        if op == "cat":
            return C("((%s << (%s)) | %s)" % (a.text, b.width, b.text), "%s + %s" % (a.width, b.width))
        width = a.width if a.width is not None or op in SHIFTS else b.width
        width = {None: "64", "bool": "1"}.get(width, width)
        ta, tb = self.value(e.args[0], width), self.value(e.args[1], width)
        if op in self.COMPARES:
            return C("(%s)" % self.COMPARES[op].format(a=ta, b=tb, w=width), "bool")
        return C((self.BITWISE.get(op) or self.WRAPPING[op]).format(a=ta, b=tb, w=width), width)

    def of_cond(self, e):
        return self.choice(*e.args)

    def choice(self, condition, x, y):
        a, b = self.of(x), self.of(y)
        width = a.width if a.width is not None else b.width
        width = "1" if width == "bool" else width
        return C("(%s ? %s : %s)" % (self.truth(condition), self.value(x, width), self.value(y, width)), width)

    def of_call(self, e):
        name, args = e.name, e.args
        if name in self.special:
            return self.special[name](self, args)
        if name == "width":
            return C("(uint64_t)(%s)" % self.type_width(args[0]), "64")
        if name == "min":
            w = self.type_width(args[0])
            return C("(UINT64_C(1) << (%s - 1))" % w, w)
        if name == "ones":
            w = self.type_width(args[0])
            return C("ev_zx(~UINT64_C(0), %s)" % w, w)
        if name == "zero":
            return C("UINT64_C(0)", self.type_width(args[0]))
        if name == "zext":
            return C(self.value(args[0], "64"), self.type_width(args[1]))
        if name == "sext":
            a, w = self.of(args[0]), self.type_width(args[1])
            return C("ev_zx((uint64_t)ev_sx(%s, %s), %s)" % (a.text, a.width, w), w)
        if name == "low":
            w = self.type_width(args[1])
            return C("ev_zx(%s, %s)" % (self.of(args[0]).text, w), w)
        if name == "high":
            a, w = self.of(args[0]), self.type_width(args[1])
            return C("(%s >> (%s - (%s)))" % (a.text, a.width, w), w)
        if name == "guard_select":
            return self.choice(*args)
        if name not in CALLS:
            raise CannotExpress(name)
        return self.named(name, args)

    def named(self, name, args):
        how = CALLS[name]
        if how in ("convert", "test_type"):
            a, w = self.of(args[0]), self.type_width(args[1])
            return C("ev_%s(%s, %s, %s)" % (name, a.text, a.width, w), w if how == "convert" else "bool")
        width = self.of(args[0]).width
        texts = [self.value(a, width) for a in args]
        return C("ev_%s(%s, %s)" % (name, ", ".join(texts), width), width if how == "same" else "bool")
