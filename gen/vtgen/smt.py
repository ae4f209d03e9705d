"""Bit-vector terms: built once each (equal terms are one object), simplified a little, printed as SMT-LIB 2 (QF_BV).

A truth value is a bit vector of width 1. Functions without meaning (`apply`: memory, float arithmetic) are printed as
one variable for each application, with the congruence axiom written out (Ackermann): so that every query is plain
QF_BV, which solvers decide by bit-blasting.

The text of a query depends on nothing but its terms: variables carry the names that the description gives them, shared
subterms are numbered in the order in which the query reaches them. Simplification folds constants, cancels what cancels
and moves `extract` towards the leaves; everything else is the solver's work.
"""
import hashlib


class Term:
    """op: var, const, apply or an operator of SMT-LIB. value: the constant, the name, or (hi, lo) of extract."""
    __slots__ = ("op", "width", "args", "value", "key")

    def __init__(self, op, width, args, value, key):
        self.op, self.width, self.args, self.value, self.key = op, width, args, value, key

    def __repr__(self):
        return show(self)


TABLE = {}
WHOLE_OF = {}  # id of a float without fraction -> the float that it was cut from (prove_sem.py)


def make(op, width, args=(), value=None):
    key = (op, width, value) + tuple(id(a) for a in args)
    t = TABLE.get(key)
    if t is None:
        t = TABLE[key] = Term(op, width, tuple(args), value, len(TABLE))
    return t


def const(value, width):
    return make("const", width, (), value & ((1 << width) - 1))


def var(name, width):
    return make("var", width, (), name)


def apply(name, width, *args):
    """The value of an unknown function: equal for equal arguments."""
    return make("apply", width, args, name)


TRUE, FALSE = const(1, 1), const(0, 1)


def reset():
    """Forgets all terms, so that what is built next does not depend on what was built before."""
    TABLE.clear()
    WHOLE_OF.clear()
    TABLE["const", 1, 1] = TRUE
    TABLE["const", 1, 0] = FALSE


def known(t):
    return t.op == "const"


def ones(width):
    return const(-1, width)


def signed(value, width):
    return value - (1 << width) if value >> (width - 1) & 1 else value


# ---- operators on numbers: the meaning that SMT-LIB gives them ---------------------------------------------

def divide_signed(a, b, w):
    x, y = signed(a, w), signed(b, w)
    if y == 0:
        return 1 if x < 0 else -1
    q = abs(x) // abs(y)
    return -q if (x < 0) != (y < 0) else q


def remainder_signed(a, b, w):
    x, y = signed(a, w), signed(b, w)
    if y == 0:
        return x
    r = abs(x) % abs(y)
    return -r if x < 0 else r


BINARY = {
    "bvand": lambda a, b, w: a & b, "bvor": lambda a, b, w: a | b, "bvxor": lambda a, b, w: a ^ b,
    "bvadd": lambda a, b, w: a + b, "bvsub": lambda a, b, w: a - b, "bvmul": lambda a, b, w: a * b,
    "bvshl": lambda a, b, w: a << b if b < w else 0, "bvlshr": lambda a, b, w: a >> b if b < w else 0,
    "bvashr": lambda a, b, w: signed(a, w) >> min(b, w),
    "bvudiv": lambda a, b, w: a // b if b else -1, "bvurem": lambda a, b, w: a % b if b else a,
    "bvsdiv": divide_signed, "bvsrem": remainder_signed,
}
TESTS = {
    "=": lambda a, b, w: a == b, "bvult": lambda a, b, w: a < b, "bvule": lambda a, b, w: a <= b,
    "bvslt": lambda a, b, w: signed(a, w) < signed(b, w), "bvsle": lambda a, b, w: signed(a, w) <= signed(b, w),
}


def check(a, b):
    assert a.width == b.width, "%d and %d bits: %s, %s" % (a.width, b.width, a, b)


def binary(op, a, b):
    check(a, b)
    w = a.width
    if known(a) and known(b):
        return const(BINARY[op](a.value, b.value, w), w)
    zero = const(0, w)
    if op in ("bvadd", "bvor", "bvxor", "bvsub", "bvshl", "bvlshr", "bvashr") and b is zero:
        return a
    if op in ("bvadd", "bvor", "bvxor") and a is zero:
        return b
    if op in ("bvand", "bvmul") and zero in (a, b):
        return zero
    if op == "bvand" and ones(w) in (a, b):
        return b if a is ones(w) else a
    if op == "bvor" and ones(w) in (a, b):
        return ones(w)
    if op == "bvand" and (known(a) or known(b)):
        x, k = (b, a.value) if known(a) else (a, b.value)
        if k & (k + 1) == 0:  # the low bits
            return zext(low(x, k.bit_length()), w)
    if op == "bvmul" and const(1, w) in (a, b):
        return b if a is const(1, w) else a
    if op == "bvmul":
        for x, y in ((a, b), (b, a)):
            if x.op == "bvshl":  # the shift last
                return shl(mul(x.args[0], y), x.args[1])
            if x.op == "ite" and has_constant(x):  # each case by itself
                return ite(x.args[0], mul(x.args[1], y), mul(x.args[2], y))
            if known(y) and bin(y.value).count("1") <= 8:  # few summands
                out = zero
                for i in range(w):
                    if y.value >> i & 1:
                        out = add(out, shl(x, const(i, w)))
                return out
    if op in ("bvshl", "bvlshr", "bvashr") and a.op == op and short(a.args[1]) and short(b):
        return binary(op, a.args[0], add(a.args[1], b))  # the sum does not wrap
    if op in ("bvand", "bvor") and a is b:
        return a
    if op in ("bvxor", "bvsub") and a is b:
        return zero
    if op == "bvadd":  # p + (s - p): an address that counts from the place of the instruction
        for x, y in ((a, b), (b, a)):
            if y.op == "bvsub" and y.args[1] is x:
                return y.args[0]
    if op in ("bvadd", "bvmul", "bvand", "bvor", "bvxor") and a.key > b.key and not known(b):
        a, b = b, a  # one order for what commutes
    return make(op, w, (a, b))


def has_constant(t):
    """Is a case of it a number?"""
    return known(t) or t.op == "ite" and any(map(has_constant, t.args[1:]))


def short(n):
    """An amount so small that two of them can be added up."""
    return n.op == "zero_extend" or known(n) and n.value >> (n.width - 1) == 0


def test(op, a, b):
    check(a, b)
    if known(a) and known(b):
        return const(int(TESTS[op](a.value, b.value, a.width)), 1)
    if a is b:
        return const(int(op in ("=", "bvule", "bvsle")), 1)
    if op == "=" and a.width == 1 and (known(a) or known(b)):
        x, k = (b, a) if known(a) else (a, b)
        return x if k.value else bvnot(x)
    for x, y in ((a, b), (b, a)):
        if op == "=" and known(x) and y.op in ("zero_extend", "sign_extend"):
            inner = low(x, y.args[0].width)
            grown = (zext if y.op == "zero_extend" else sext)(inner, x.width)
            return eq(inner, y.args[0]) if grown is x else FALSE
    if op == "=" and a.key > b.key:
        a, b = b, a
    return make(op, 1, (a, b))


def bvnot(a):
    if known(a):
        return const(~a.value, a.width)
    return a.args[0] if a.op == "bvnot" else make("bvnot", a.width, (a,))


def bvneg(a):
    return const(-a.value, a.width) if known(a) else make("bvneg", a.width, (a,))


def add(a, b): return binary("bvadd", a, b)
def sub(a, b): return binary("bvsub", a, b)
def mul(a, b): return binary("bvmul", a, b)
def conj(a, b): return binary("bvand", a, b)
def disj(a, b): return binary("bvor", a, b)
def xor(a, b): return binary("bvxor", a, b)
def shl(a, b): return binary("bvshl", a, b)
def lshr(a, b): return binary("bvlshr", a, b)
def ashr(a, b): return binary("bvashr", a, b)
def eq(a, b): return test("=", a, b)
def ne(a, b): return bvnot(eq(a, b))
def ult(a, b): return test("bvult", a, b)
def ule(a, b): return test("bvule", a, b)
def slt(a, b): return test("bvslt", a, b)
def sle(a, b): return test("bvsle", a, b)
def implies(a, b): return disj(bvnot(a), b)


def all_of(terms):
    out = TRUE
    for t in terms:
        out = conj(out, t)
    return out


def any_of(terms):
    out = FALSE
    for t in terms:
        out = disj(out, t)
    return out


def ite(c, a, b):
    check(a, b)
    if known(c):
        return a if c.value else b
    if a is b:
        return a
    if a.width == 1 and known(a) and known(b):
        return c if a.value else bvnot(c)
    if c.op == "bvnot":
        return ite(c.args[0], b, a)
    if b.op == "bvsdiv" and b.args[0] is a and c is conj(eq(a, const(1 << (a.width - 1), a.width)),
                                                         eq(b.args[1], ones(a.width))):
        return b  # the one quotient that overflows is the dividend
    return make("ite", a.width, (c, a, b))


def concat(hi, lo):
    if known(hi) and known(lo):
        return const(hi.value << lo.width | lo.value, hi.width + lo.width)
    if known(hi) and hi.value == 0:
        return zext(lo, hi.width + lo.width)
    if hi.op == lo.op == "extract" and hi.args[0] is lo.args[0] and hi.value[1] == lo.value[0] + 1:
        return extract(hi.args[0], hi.value[0], lo.value[1])
    return make("concat", hi.width + lo.width, (hi, lo))


def zext(a, width):
    if width == a.width:
        return a
    if known(a):
        return const(a.value, width)
    return zext(a.args[0], width) if a.op == "zero_extend" else make("zero_extend", width, (a,))


def sext(a, width):
    if width == a.width:
        return a
    if known(a):
        return const(signed(a.value, a.width), width)
    if a.op in ("sign_extend", "zero_extend"):
        return (sext if a.op == "sign_extend" else zext)(a.args[0], width)
    return make("sign_extend", width, (a,))


def resize(a, width, sign=False):
    """The low bits, or an extension."""
    if width <= a.width:
        return low(a, width)
    return sext(a, width) if sign else zext(a, width)


def low(a, width):
    return extract(a, width - 1, 0)


def bit(a, i):
    return extract(a, i, i)


def msb(a):
    return bit(a, a.width - 1)


# The low n bits of these depend on the low n bits of the operands only.
FROM_BELOW = {"bvadd", "bvsub", "bvmul", "bvneg"}
BITWISE = {"bvand", "bvor", "bvxor", "bvnot"}
BUILD = {"bvneg": bvneg, "bvnot": bvnot}


def extract(a, hi, lo):
    assert 0 <= lo <= hi < a.width, "bits %d to %d of %d" % (hi, lo, a.width)
    n = hi - lo + 1
    if n == a.width:
        return a
    if known(a):
        return const(a.value >> lo, n)
    op = a.op
    if op == "extract":
        return extract(a.args[0], hi + a.value[1], lo + a.value[1])
    if op == "concat":
        cut = a.args[1].width
        if hi < cut:
            return extract(a.args[1], hi, lo)
        if lo >= cut:
            return extract(a.args[0], hi - cut, lo - cut)
        return concat(extract(a.args[0], hi - cut, 0), extract(a.args[1], cut - 1, lo))
    if op in ("zero_extend", "sign_extend"):
        inner = a.args[0]
        if hi < inner.width:
            return extract(inner, hi, lo)
        if lo < inner.width:
            return (zext if op == "zero_extend" else sext)(extract(inner, inner.width - 1, lo), n)
        if op == "zero_extend":
            return const(0, n)
        return sext(msb(inner), n)
    if op in BITWISE:
        parts = [extract(x, hi, lo) for x in a.args]
        return BUILD[op](*parts) if op in BUILD else binary(op, *parts)
    if op == "ite":
        return ite(a.args[0], extract(a.args[1], hi, lo), extract(a.args[2], hi, lo))
    if op in FROM_BELOW and hi + 1 < a.width:
        parts = [extract(x, hi, 0) for x in a.args]
        return extract(BUILD[op](*parts) if op in BUILD else binary(op, *parts), hi, lo)
    if op == "bvshl" and known(a.args[1]):
        k = a.args[1].value
        if lo >= k:
            return extract(a.args[0], hi - k, lo - k)
        if hi < k:
            return const(0, n)
        return concat(extract(a.args[0], hi - k, 0), const(0, k - lo))
    if op == "bvshl" and lo == 0 and a.args[1].op == "zero_extend" and a.args[1].args[0].width <= n:
        return shl(low(a.args[0], n), zext(a.args[1].args[0], n))
    if op == "bvlshr" and known(a.args[1]) and hi + a.args[1].value < a.width:
        k = a.args[1].value
        return extract(a.args[0], hi + k, lo + k)
    if op == "bvashr" and known(a.args[1]) and hi + a.args[1].value < a.width:
        k = a.args[1].value
        return extract(a.args[0], hi + k, lo + k)
    return make("extract", n, (a,), (hi, lo))


# ---- division: of extended numbers it is the extended division ------------------------------------------------
# With b = 0 SMT-LIB's quotients are not extensions of each other, nor is that of the least number by -1; the cases are
# written out. tests/proof proves these equations at widths that a solver can do; they hold at each by the same
# argument.

def by_cases(f):
    """A divisor that may be a constant: each case by itself."""
    def divide(a, b):
        if b.op == "ite" and has_constant(b):
            return ite(b.args[0], divide(a, b.args[1]), divide(a, b.args[2]))
        return f(a, b)
    return divide


@by_cases
def udiv(a, b):
    n = narrowest(a, b, "zero_extend")
    if n < a.width:
        x, y = low(a, n), low(b, n)
        return ite(eq(y, const(0, n)), ones(a.width), zext(udiv(x, y), a.width))
    if known(b) and b.value and b.value & (b.value - 1) == 0:
        return lshr(a, const(b.value.bit_length() - 1, a.width))
    return binary("bvudiv", a, b)


@by_cases
def urem(a, b):
    n = narrowest(a, b, "zero_extend")
    return zext(urem(low(a, n), low(b, n)), a.width) if n < a.width else sub(a, mul(udiv(a, b), b))


@by_cases
def sdiv(a, b):
    n, w = narrowest(a, b, "sign_extend"), a.width
    if n < w:
        x, y = low(a, n), low(b, n)
        zero = ite(slt(x, const(0, n)), const(1, w), ones(w))
        over = conj(eq(x, const(1 << (n - 1), n)), eq(y, ones(n)))
        return ite(eq(y, const(0, n)), zero, ite(over, const(1 << (n - 1), w), sext(sdiv(x, y), w)))
    if known(b) and b.value and b.value & (b.value - 1) == 0 and b.value >> (w - 1) == 0:  # what SMT-LIB says bvsdiv is
        return ite(msb(a), bvneg(udiv(bvneg(a), b)), udiv(a, b))
    return binary("bvsdiv", a, b)


@by_cases
def srem(a, b):
    n, w = narrowest(a, b, "sign_extend"), a.width
    if n < w:
        return sext(srem(low(a, n), low(b, n)), w)
    if b is const(1, w) or b is ones(w):
        return const(0, w)
    return sub(a, mul(sdiv(a, b), b))


def narrowest(a, b, op):
    """The least width of which both are such extensions."""
    widths = []
    for t in (a, b):
        if t.op == op:
            widths.append(t.args[0].width)
        elif op == "sign_extend" and t.op == "zero_extend":
            widths.append(t.args[0].width + 1)
        elif known(t):
            v = t.value if op == "zero_extend" else signed(t.value, t.width)
            widths.append(max(v.bit_length() if op == "zero_extend" else (v if v >= 0 else ~v).bit_length() + 1, 1))
        else:
            widths.append(t.width)
    return max(widths)


# ---- printing ---------------------------------------------------------------------------------------------

def literal(t):
    return "#x%0*x" % (t.width // 4, t.value) if t.width % 4 == 0 else "#b" + format(t.value, "0%db" % t.width)


LOGIC = {"bvand": "and", "bvor": "or", "bvxor": "xor"}


def quoted(name):
    return name if name.replace("_", "a").replace(".", "a").isalnum() and not name[0].isdigit() else "|%s|" % name


class Printer:
    """One query: declarations, shared terms, assertions."""

    def __init__(self, asserts):
        self.asserts = asserts
        self.order, self.uses, self.vars, self.applied = [], {}, [], []
        for t in asserts:
            self.visit(t)
        done = 0
        while done < len(self.applied):  # arguments of applications may hold further applications
            for a in self.applied[done].args:
                self.visit(a)
            done += 1
        self.name = {id(t): "%s!%d" % (t.value, k) for k, t in enumerate(self.applied)}
        self.shared = {}

    def visit(self, root):
        stack = [(root, False)]
        while stack:
            t, ready = stack.pop()
            if ready:
                self.order.append(t)
                continue
            n = self.uses.get(id(t), 0)
            self.uses[id(t)] = n + 1
            if n:
                continue
            if t.op == "var":
                self.vars.append(t)
            elif t.op == "apply":
                self.applied.append(t)
            elif t.op != "const":
                stack.append((t, True))
                stack.extend((a, False) for a in reversed(t.args))

    def text(self):
        out = ["(declare-const %s (_ BitVec %d))" % (quoted(v.value), v.width) for v in self.vars]
        out += ["(declare-const %s (_ BitVec %d))" % (quoted(self.name[id(t)]), t.width) for t in self.applied]
        for t in self.order:
            if self.uses[id(t)] > 1 and t.op != "bvnot":
                body = self.truth(t, True) if t.width == 1 else self.term(t, True)
                self.shared[id(t)] = "t%d" % len(self.shared)
                sort = "Bool" if t.width == 1 else "(_ BitVec %d)" % t.width
                out.append("(define-fun %s () %s %s)" % (self.shared[id(t)], sort, body))
        for k, t in enumerate(self.applied):
            for s in self.applied[:k]:
                if s.value == t.value and s.width == t.width and [a.width for a in s.args] == [a.width for a in t.args]:
                    same = ["(= %s %s)" % (self.term(a), self.term(b)) for a, b in zip(s.args, t.args)]
                    both = same[0] if len(same) == 1 else "(and %s)" % " ".join(same)
                    out.append("(assert (=> %s (= %s %s)))"
                               % (both, quoted(self.name[id(s)]), quoted(self.name[id(t)])))
        out += self.by_minus_one()
        out += ["(assert %s)" % self.truth(t) for t in self.asserts]
        return "\n".join(out) + "\n"

    def by_minus_one(self):
        """True in any case, but more than a solver finds out: a / -1 is -a, and a / -1 * -1 is a."""
        for t in self.order:
            q = next((x for x in t.args if x.op == "bvsdiv" and x.args[1] in t.args), None) if t.op == "bvmul" else t
            if q is not None and q.op == "bvsdiv" and not known(q.args[1]):
                a = self.term(q.args[0])
                yield "(assert (=> (= %s %s) (= %s %s)))" % (self.term(q.args[1]), literal(ones(t.width)), self.term(t),
                                                           a if t is not q else "(bvneg %s)" % a)

    def term(self, t, define=False):
        """As a bit vector."""
        if t.op == "const":
            return literal(t)
        if t.op == "var":
            return quoted(t.value)
        if t.op == "apply":
            return quoted(self.name[id(t)])
        if id(t) in self.shared and not define:
            name = self.shared[id(t)]
            return "(ite %s #b1 #b0)" % name if t.width == 1 else name
        if t.width == 1 and t.op != "extract":
            return "(ite %s #b1 #b0)" % self.truth(t, define)
        if t.op == "ite":
            return "(ite %s %s %s)" % (self.truth(t.args[0]), self.term(t.args[1]), self.term(t.args[2]))
        args = " ".join(self.term(a) for a in t.args)
        if t.op == "extract":
            return "((_ extract %d %d) %s)" % (t.value[0], t.value[1], args)
        if t.op in ("zero_extend", "sign_extend"):
            return "((_ %s %d) %s)" % (t.op, t.width - t.args[0].width, args)
        return "(%s %s)" % (t.op, args)

    def truth(self, t, define=False):
        """A term of one bit as a Boolean."""
        if t.op == "const":
            return "true" if t.value else "false"
        if id(t) in self.shared and not define:
            return self.shared[id(t)]
        if t.op in TESTS:
            if t.args[0].width == 1:
                return "(%s %s)" % (t.op, " ".join(self.truth(a) for a in t.args)) if t.op == "=" else \
                    "(%s %s)" % (t.op, " ".join(self.term(a) for a in t.args))
            return "(%s %s)" % (t.op, " ".join(self.term(a) for a in t.args))
        if t.op == "bvnot":
            return "(not %s)" % self.truth(t.args[0])
        if t.op in LOGIC:
            return "(%s %s)" % (LOGIC[t.op], " ".join(self.truth(a) for a in t.args))
        if t.op == "ite":
            return "(ite %s)" % " ".join(self.truth(a) for a in t.args)
        if t.op in ("var", "apply"):
            return "(= %s #b1)" % self.term(t)
        if t.op == "extract":
            return "(= ((_ extract %d %d) %s) #b1)" % (t.value[0], t.value[1], self.term(t.args[0]))
        args = " ".join(self.term(a) for a in t.args)
        return "(= (%s %s) #b1)" % (t.op, args)

    def unknowns(self):
        """What a model gives values to: [(printed name, term)]."""
        return [(quoted(v.value), v) for v in self.vars] + [(quoted(self.name[id(t)]), t) for t in self.applied]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def evaluate(t, values):
    """The number that a term is; values: id(var or apply term) -> number, what is missing is 0."""
    done = {}
    stack = [t]
    while stack:
        x = stack[-1]
        if id(x) in done:
            stack.pop()
            continue
        if x.op == "const":
            done[id(x)] = x.value
        elif x.op in ("var", "apply"):
            done[id(x)] = values.get(id(x), 0)
        else:
            missing = [a for a in x.args if id(a) not in done]
            if missing:
                stack.extend(missing)
                continue
            done[id(x)] = step(x, [done[id(a)] for a in x.args])
        stack.pop()
    return done[id(t)]


def step(t, args):
    op, w, mask = t.op, t.width, (1 << t.width) - 1
    if op in BINARY:
        return BINARY[op](args[0], args[1], w) & mask
    if op in TESTS:
        return int(TESTS[op](args[0], args[1], t.args[0].width))
    if op == "bvnot":
        return ~args[0] & mask
    if op == "bvneg":
        return -args[0] & mask
    if op == "ite":
        return args[1] if args[0] else args[2]
    if op == "concat":
        return args[0] << t.args[1].width | args[1]
    if op == "extract":
        return args[0] >> t.value[1] & mask
    if op == "zero_extend":
        return args[0]
    return signed(args[0], t.args[0].width) & mask


def variables(t):
    """The variables of a term, applications included."""
    seen, out, stack = set(), [], [t]
    while stack:
        x = stack.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if x.op == "var":
            out.append(x)
        stack.extend(x.args)
    return out


def show(t):
    if t.op == "const":
        return "0x%x" % t.value
    if t.op == "var":
        return t.value
    return "%s(%s)" % (t.value if t.op == "apply" else t.op, ", ".join(map(show, t.args)))
