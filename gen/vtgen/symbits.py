"""Bits whose values are not known yet: what an `encode` line makes of its operands.

Encoders of real machines permute bits: a field of the instruction is a run of bits of a register's number or of an
immediate, perhaps inverted. So an encoding is evaluated once, when the tables are generated, with every operand as
a row of named bits; what comes out is read forward by the encoder and backward by the decoder.

A value is one of
    int            known
    Bits           known and unknown bits, least significant first
    Rec            named values: what a form's `encode NAME(field=value)` line makes
    Cond           an unknown truth value
An atom of Bits is 0, 1 or (Var, index, inverted).
"""


from sem import MOST_BITS


class Var:
    """A source of bits: the number of a register operand, a field of an immediate, a part of a composite operand.

    c       C expression of its value in an encoder function, an unsigned integer
    slot    operand slot it comes from, or None
    width   bits
    label   relocation that may fill it (a Reloc), or None
    """
    __slots__ = ("name", "width", "c", "slot", "label", "opnd", "field")

    def __init__(self, name, width, c, slot=None, label=None, opnd=None, field=None):
        self.name, self.width, self.c, self.slot, self.label = name, width, c, slot, label
        self.opnd, self.field = opnd, field

    def name_c(self):
        """The C variable that it is a member of."""
        return self.c.split(".")[0]

    def bits(self, view=0):
        return Bits([(self, i, False) for i in range(self.width)], view)


class Bits:
    __slots__ = ("atoms", "view", "opnd", "fields")

    def __init__(self, atoms, view=0, opnd=None, fields=None):
        self.atoms = list(atoms)
        self.view = view      # width of the view that a register operand names, else 0
        self.opnd = opnd      # the operand it is the value of, for `fits`
        self.fields = fields  # an immediate's fields by name

    def known(self):
        return all(a in (0, 1) for a in self.atoms)

    def value(self):
        return sum(a << i for i, a in enumerate(self.atoms))


class Rec:
    __slots__ = ("name", "fields")

    def __init__(self, name, fields):
        self.name, self.fields = name, fields


class Cond:
    """op: and or (args), not (one), nz (one Bits), eq (Bits, int), fits (Bits, kind), same (Bits, Bits)."""
    __slots__ = ("op", "args")

    def __init__(self, op, *args):
        self.op, self.args = op, args


class NotSymbolic(Exception):
    """The expression is outside what can be read both ways."""


def atoms_of(v, width=None):
    """The low `width` bits of a value; without width, all bits (of an int: as many as it needs)."""
    if isinstance(v, bool):
        v = int(v)
    if isinstance(v, int):
        n = max(v.bit_length(), 1) if width is None else width
        return [v >> i & 1 for i in range(n)]
    if isinstance(v, Cond):
        raise NotSymbolic("a condition on operands cannot be a field")
    if not isinstance(v, Bits):
        raise NotSymbolic("a record cannot be a field")
    if width is None:
        return v.atoms
    return (v.atoms + [0] * width)[:width]


def simple(bits):
    return bits.value() if bits.known() else bits


def land(args):
    out = []
    for a in args:
        if a is False:
            return False
        if a is not True:
            out.append(a)
    return True if not out else out[0] if len(out) == 1 else Cond("and", *out)


def lor(args):
    out = []
    for a in args:
        if a is True:
            return True
        if a is not False:
            out.append(a)
    return False if not out else out[0] if len(out) == 1 else Cond("or", *out)


def lnot(a):
    if a is True or a is False:
        return not a
    return Cond("not", a)


def truth(v):
    if isinstance(v, (bool, Cond)):
        return v
    if isinstance(v, int):
        return v != 0
    if isinstance(v, Bits):
        if 1 in v.atoms:
            return True
        unknown = list(dict.fromkeys(a for a in v.atoms if a != 0))
        return Cond("nz", Bits(unknown)) if unknown else False
    raise NotSymbolic("a record is not a truth value")


def equal(a, b):
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    if isinstance(a, int):
        a, b = b, a
    if isinstance(b, int):
        want = [b >> i & 1 for i in range(len(a.atoms))]
        if b >= 0 and b >> len(a.atoms):
            return False
        rest = []
        for atom, bit in zip(a.atoms, want):
            if atom in (0, 1):
                if atom != bit:
                    return False
            else:
                rest.append((atom, bit))
        rest = list(dict.fromkeys(rest))
        if not rest:
            return True
        return Cond("eq", Bits([r[0] for r in rest]), sum(r[1] << i for i, r in enumerate(rest)))
    return Cond("same", a, b)


class Evaluator:
    """Evaluates expressions (tree.Expr) over such values. kinds: immediates by name; regs: numbers of registers by
    name. Functions of the description are put in before (build_isa)."""

    def __init__(self, kinds, regs):
        self.kinds, self.regs = kinds, regs

    def eval(self, e, env):
        return getattr(self, "_" + e.k)(e, env)

    def _num(self, e, env):
        return e.value

    def _name(self, e, env):
        if e.name in env:
            return env[e.name]
        if e.name in self.regs:
            return self.regs[e.name]
        raise NotSymbolic("'%s' is not known here" % e.name)

    def _dot(self, e, env):
        base = self.eval(e.args[0], env)
        if isinstance(base, Rec):
            return base.fields.get(e.name, 0)
        if isinstance(base, Bits) and base.fields and e.name in base.fields:
            return base.fields[e.name]
        if isinstance(base, int):
            return 0  # an operand that was left out
        raise NotSymbolic("there is no part '%s'" % e.name)

    def _slice(self, e, env):
        hi, lo = e.value
        return simple(Bits(atoms_of(self.eval(e.args[0], env), hi + 1)[lo:]))

    def _index(self, e, env):
        i = self.eval(e.args[1], env)
        return simple(Bits(atoms_of(self.eval(e.args[0], env), i + 1)[i:]))

    def _cond(self, e, env):
        c = truth(self.eval(e.args[0], env))
        if isinstance(c, Cond):
            raise NotSymbolic("a choice by an operand")
        return self.eval(e.args[1 if c else 2], env)

    def _un(self, e, env):
        a = self.eval(e.args[0], env)
        if e.op == "lnot":
            return lnot(truth(a))
        if isinstance(a, int):
            return -a if e.op == "neg" else ~a
        if e.op == "not" and isinstance(a, Bits):
            return Bits([1 - x if x in (0, 1) else (x[0], x[1], not x[2]) for x in a.atoms])
        raise NotSymbolic("'%s' of an operand" % e.op)

    def _bin(self, e, env):
        op = e.op
        if op in ("land", "lor"):
            a = truth(self.eval(e.args[0], env))
            if op == "land" and a is False or op == "lor" and a is True:
                return a
            b = truth(self.eval(e.args[1], env))
            return land([a, b]) if op == "land" else lor([a, b])
        a, b = self.eval(e.args[0], env), self.eval(e.args[1], env)
        a, b = (int(x) if isinstance(x, bool) else x for x in (a, b))
        if op in ("eq", "ne"):
            same = equal(a, b)
            return same if op == "eq" else lnot(same)
        if op == "cat":
            return simple(Bits(atoms_of(b) + atoms_of(a)))
        if isinstance(a, int) and isinstance(b, int):
            return self.ints(op, a, b)
        if op == "shl" and isinstance(b, int):
            return Bits([0] * b + atoms_of(a))
        if op == "lshr" and isinstance(b, int):
            return Bits(atoms_of(a)[b:])
        if op in ("add", "or", "xor"):
            n = max(len(atoms_of(a)), len(atoms_of(b)))
            x, y = atoms_of(a, n), atoms_of(b, n)
            if all(p == 0 or q == 0 for p, q in zip(x, y)):
                return Bits([p if q == 0 else q for p, q in zip(x, y)])
        if op == "and":
            n = max(len(atoms_of(a)), len(atoms_of(b)))
            x, y = atoms_of(a, n), atoms_of(b, n)
            if all(p in (0, 1) or q in (0, 1) for p, q in zip(x, y)):
                return simple(Bits([0 if 0 in (p, q) else q if p == 1 else p for p, q in zip(x, y)]))
        raise NotSymbolic("'%s' of operands" % op)

    @staticmethod
    def ints(op, a, b):
        table = {"add": a + b, "sub": a - b, "mul": a * b, "and": a & b, "or": a | b, "xor": a ^ b}
        if op in table:
            return table[op]
        if op == "shl" and b <= MOST_BITS:
            return a << b
        if op == "lshr":
            return a >> b
        raise NotSymbolic("'%s' of numbers" % op)

    def _call(self, e, env):
        if len(e.args) != {"bits": 1, "fits": 2, "sext": 2, "zext": 2, "zero": 1}.get(e.name, len(e.args)):
            raise NotSymbolic("'%s' of %d arguments" % (e.name, len(e.args)))
        if e.name == "bits":
            a = self.eval(e.args[0], env)
            return a.view if isinstance(a, Bits) else 0
        if e.name == "fits":
            a = self.eval(e.args[0], env)
            kind = self.kinds.get(e.args[1].name)
            if kind is None:
                raise NotSymbolic("'%s' is no immediate" % e.args[1])
            return kind.fits(a) if isinstance(a, int) else Cond("fits", a, kind)
        if e.name in ("sext", "zext"):
            a, n = self.eval(e.args[0], env), self.eval(e.args[1], env)
            if isinstance(a, int):
                return a
            if not isinstance(n, int) or n > MOST_BITS:
                raise NotSymbolic("'%s' to '%s' bits" % (e.name, e.args[1]))
            top = a.atoms[-1] if e.name == "sext" else 0
            return Bits(a.atoms + [top] * (n - len(a.atoms)))
        if e.name == "zero":
            return Bits([0] * self.eval(e.args[0], env))
        if not e.args:
            return Rec(e.name, {name: self.eval(value, env) for name, value in e.kwargs})
        raise NotSymbolic("'%s' cannot be read backwards" % e.name)


# ---- as C -------------------------------------------------------------------------------------------------

def runs(atoms):
    """Known part and runs (Var, first bit of it, inverted, first bit here, width) of a row of atoms."""
    known, out = 0, []
    for i, a in enumerate(atoms):
        if a in (0, 1):
            known |= a << i
            continue
        var, k, inv = a
        if out and out[-1][0] is var and out[-1][2] == inv and out[-1][1] + out[-1][4] == k and out[-1][3] + out[-1][4] == i:
            out[-1][4] += 1
        else:
            out.append([var, k, inv, i, 1])
    return known, out


def c_runs(parts, room=0):
    """room: bits of the word that is put together. A run that ends below its top is masked: the C value of a number may
    have a sign above the variable's bits."""
    text = []
    for var, k, inv, at, width in parts:
        t = "%s%s" % ("~" if inv else "", var.c)
        if k:
            t = "(%s) >> %d" % (t, k) if inv else "%s >> %d" % (t, k)
        if inv or k + width < var.width or at + width < room:
            t = "(%s & 0x%x)" % (("(%s)" % t) if k else t, (1 << width) - 1)
        elif k and at:
            t = "(%s)" % t
        text.append("%s << %d" % (t, at) if at else t)
    return text


def c_bits(bits, room=0):
    known, parts = runs(bits.atoms)
    text = c_runs(parts, room)
    if known or not text:
        text.insert(0, "0x%x" % known)
    return text[0] if len(text) == 1 else " | ".join("(%s)" % t if " " in t else t for t in text)


def c_cond(c, top=True):
    if c is True or c is False:
        return "true" if c else "false"
    if c.op == "text":
        return c.args[0]
    if c.op in ("and", "or"):
        sign = " && " if c.op == "and" else " || "
        text = sign.join(c_cond(a, False) for a in c.args)
        return text if top else "(%s)" % text
    if c.op == "not":
        inner = c.args[0]
        if inner.op == "eq":
            return c_compare(inner.args[0], "!=", inner.args[1], top)
        return "!(%s)" % c_cond(inner)
    if c.op == "nz":
        return c_compare(c.args[0], "!=", 0, top)
    if c.op == "eq":
        return c_compare(c.args[0], "==", c.args[1], top)
    if c.op == "fits":
        return c.args[1].c_fits(c.args[0].opnd.c_value)
    if c.op == "same":
        return "(%s) == (%s)" % (c_bits(c.args[0]), c_bits(c.args[1]))
    raise AssertionError(c.op)


def c_compare(bits, sign, value, top):
    text = c_bits(bits)
    if " " in text and not (text[0] == "(" and text[-1] == ")" and text.count("(") == 1):
        text = "(%s)" % text
    text = "%s %s %s" % (text, sign, value if value < 10 else hex(value))
    return text if top else "(%s)" % text
