"""What a pattern matches, as a set: the ground of three checks (checks_overlap.py, checks_cost.py) and of one order.

Patterns with the same root that fit the same tree differ in finitely many things: the type of a variable, an item of an
enumeration, the kind of a condition, the value of a constant, the truth of a guard. Each of these is a *dimension*; its
key is its place in the tree. A pattern is a union of *boxes*, a box being a set of cells for each of some dimensions
(all cells of the others). Union, inclusion and intersection of boxes are then plain set arithmetic: no solver.

The cells of a constant. All facts that the patterns at hand state of it are intervals (`fits(c, simm8)`, `c <u 4`,
`-c == 7`) or masks (`c & 7 == 0`, `c[0] == 1`); the ends of the intervals and the bits of the masks cut its range into
cells on which every fact is constant. A cell carries its value next to 0, which is what an error prints. Example: `c <u 4`
and `fits(c, simm8)` of an i64 give [-2^63, -128) [-128, 0) [0, 4) [4, 128) [128, 2^63).

A guard that is no such fact (`colocated(f)`, two constants in one fact) is a dimension of its own with the cells True and
False, the same text over the same places being the same dimension. Nothing else is known of it: it may hold and may not.

Rules for whoever edits this: what makes a pattern narrower than the dimensions say must set `narrower` (else a live rule is
called dead); what makes it wider does no harm to the check of dead rules but may invent an overlap.
"""
from patterns import Cond, Const, Mem, Node, Var, imm_range
from tree import show

BITS = 64
FULL = 1 << BITS
COMPARES = ("eq", "ne", "slt", "sle", "ult", "ule")
KINDS = frozenset(("cond", "both", "either"))
MAX_MASK, MAX_BOXES = 6, 64


def signed(n):
    n &= FULL - 1
    return n - FULL if n >> (BITS - 1) else n


# ---- numbers in guards ------------------------------------------------------------------------------------------

class Unknown(Exception):
    """What cannot be computed from constants."""


def compute(e, env, isa):
    """A guard's value for these constants (name -> signed number), with the meaning it has in the selector: 64 bits."""
    if e.k == "num":
        return signed(e.value)
    if e.k == "name":
        if e.name in env:
            return env[e.name]
        raise Unknown
    if e.k == "un":
        a = compute(e.args[0], env, isa)
        return {"neg": signed(-a), "not": ~a, "lnot": int(not a)}[e.op]
    if e.k == "bin":
        return binary(e.op, compute(e.args[0], env, isa), compute(e.args[1], env, isa))
    if e.k == "call" and e.name == "fits" and e.args[1].name in isa.imms:
        low, high = range_of(isa.imms[e.args[1].name])
        return int(low <= compute(e.args[0], env, isa) < high)
    if e.k == "call" and e.name == "is_power":
        a = compute(e.args[0], env, isa) & (FULL - 1)
        return int(a != 0 and a & (a - 1) == 0)
    if e.k == "call" and e.name == "log2":
        a = compute(e.args[0], env, isa) & (FULL - 1)
        return (a & -a).bit_length() - 1 if a else BITS
    if e.k == "call" and e.name == "top":
        return max((compute(e.args[0], env, isa) & (FULL - 1)).bit_length() - 1, 0)
    raise Unknown


def binary(op, a, b):
    ua, ub = a & (FULL - 1), b & (FULL - 1)
    if op in ("shl", "lshr"):
        return signed(ua << b if op == "shl" else ua >> b) if 0 <= b < BITS else 0
    table = {"add": a + b, "sub": a - b, "mul": a * b, "and": a & b, "or": a | b, "xor": a ^ b, "eq": a == b, "ne": a != b,
             "slt": a < b, "sle": a <= b, "ult": ua < ub, "ule": ua <= ub, "lor": bool(a or b), "land": bool(a and b)}
    if op not in table:
        raise Unknown
    return signed(int(table[op]))


def range_of(imm):
    """The half-open range of the numbers that the selector puts into an immediate."""
    kind, bits = imm_range(imm)
    if kind is None:
        raise Unknown
    if kind == "z":
        return (0, 1 << bits) if bits < BITS else (-FULL // 2, FULL // 2)
    return -(1 << bits - 1), 1 << bits - (kind == "s")


# ---- facts: where the truth of a comparison over one constant may change -----------------------------------------------

class Facts:
    """cuts: the first values of new cells; mask: bits that a cell fixes."""

    def __init__(self):
        self.cuts, self.mask = {0}, 0


def linear(e, isa):
    """(sign, offset): the expression is sign * c + offset modulo 2^64."""
    if e.k == "name":
        return (1, 0)
    if e.k == "un" and e.op in ("neg", "not"):
        sign, offset = linear(e.args[0], isa)
        return (-sign, -offset if e.op == "neg" else -offset - 1)
    if e.k == "bin" and e.op in ("add", "sub"):
        for mine, other in ((0, 1), (1, 0)):
            if any(n.k == "name" for n in e.args[other].walk()):
                continue
            sign, offset = linear(e.args[mine], isa)
            n = compute(e.args[other], {}, isa)
            if e.op == "add":
                return (sign, offset + n)
            return (sign, offset - n) if mine == 0 else (-sign, n - offset)
    raise Unknown


def fact(e, isa, facts):
    """Adds what the atom e, over one constant, says. Raises Unknown when it is neither an interval nor a mask."""
    if e.k == "call" and e.name == "fits" and e.args[1].name in isa.imms:
        cut(e.args[0], list(range_of(isa.imms[e.args[1].name])), isa, facts)
    elif e.k == "call" and e.name == "is_power":
        cut(e.args[0], [(1 << k) + d for k in range(BITS) for d in (0, 1)], isa, facts)
    elif e.k == "bin" and e.op in COMPARES:
        a, b = e.args
        if any(n.k == "name" for n in b.walk()):
            a, b = b, a
        number = compute(b, {}, isa)
        if a.k == "bin" and a.op == "and":
            masked(a, e.op, number, isa, facts)
        else:
            cut(a, [number, number + 1, 0, FULL // 2], isa, facts)
    elif e.k == "name":
        facts.cuts |= {0, 1}
    elif e.k == "bin" and e.op == "and":
        masked(e, "ne", 0, isa, facts)
    else:
        raise Unknown


def cut(e, points, isa, facts):
    sign, offset = linear(e, isa)
    for p in points:  # of a falling line the cell begins after the point
        facts.cuts |= {signed(sign * (p - offset)), signed(sign * (p - offset) + 1)} if sign < 0 else {signed(p - offset)}


def masked(e, op, number, isa, facts):
    mask = next((compute(a, {}, isa) for a in e.args if not any(n.k == "name" for n in a.walk())), None)
    inner = next((a for a in e.args if a.k == "name"), None)
    if mask is None or inner is None or op not in ("eq", "ne"):
        raise Unknown
    mask &= FULL - 1
    if mask and (mask | mask - 1) == FULL - 1:  # all bits from one on: an interval
        facts.cuts |= {signed(number), signed(number + (mask & -mask))}
    elif bin(facts.mask | mask).count("1") <= MAX_MASK:
        facts.mask |= mask
    else:
        raise Unknown


def next_match(low, mask, want):
    """The least number from `low` on whose bits under the mask are `want` (numbers and mask below 2^64)."""
    x = low & ~mask | want
    if x >= low:
        return x
    for k in range(BITS):  # carry out of a free bit above the highest wrong one
        if not mask >> k & 1 and not low >> k & 1:
            x = (low >> k | 1) << k
            x = x & ~mask | want
            if x >= low:
                return x
    return FULL


def last_match(high, mask, want):
    """The greatest number up to `high` whose bits under the mask are `want`, below 0 when there is none."""
    return FULL - 1 - next_match(FULL - 1 - high, mask, mask & ~want)


def cells_of(low, high, facts):
    """[sample] of the cells of [low, high): of each the number nearest to 0."""
    points = sorted({low} | {c for c in facts.cuts if low < c < high})
    residues, sub = [], facts.mask
    while True:  # all subsets of the mask's bits
        residues.append(sub)
        if sub == 0:
            break
        sub = sub - 1 & facts.mask
    out = []
    for first, end in zip(points, points[1:] + [high]):
        for want in sorted(residues):
            x = (next_match(first & FULL - 1, facts.mask, want) if first >= 0 else
                 last_match(end - 1 & FULL - 1, facts.mask, want))
            if 0 <= x < FULL and first <= signed(x) < end:
                out.append(signed(x))
    return out


# ---- unification ---------------------------------------------------------------------------------------------------

class Side:
    """One of the patterns in a frame: sets (key -> set of cells or of names), names (name -> key of a constant or
    attribute), narrower: does its tree ask for more than the frame's tree says?"""

    def __init__(self, pattern):
        self.pattern, self.sets, self.names, self.narrower = pattern, {}, {}, False
        self.mems, self.consts = {}, []

    def meet(self, key, values):
        self.sets[key] = self.sets[key] & values if key in self.sets else values


class Disjoint(Exception):
    pass


class Frame:
    """The patterns that can match what one pattern (`base`, at its tree or a part of it) matches, and their boxes."""

    def __init__(self, isa, base, tree=None, at=()):
        self.isa, self.tree, self.at = isa, base.tree if tree is None else tree, at
        self.domains, self.limits, self.facts = {}, {}, {}
        self.samples, self.shown = {}, {}
        self.base = Side(base)
        self.outline(base.tree, ())
        self.sides = []

    # The base pattern's own sets.
    def outline(self, t, at):
        side = self.base
        if isinstance(t, Var):
            self.enum(side, ("type", at), t.types, t.types)
        elif isinstance(t, Cond):
            self.enum(side, ("kind", at), frozenset([t.kind]), KINDS)
        elif isinstance(t, Const):
            self.const(side, t, at)
        elif isinstance(t, Mem):
            self.mem(side, t, at)
        else:
            for name, how in self.attrs(t):
                self.attr(side, t, name, how, at)
            for k, a in enumerate(t.args):
                self.outline(a, at + (k,))

    def attrs(self, node):
        given = dict(node.attrs)
        return [(a.name, given.get(a.name, ("bind", a.name))) for a in node.op.attrs]

    def enum(self, side, key, values, domain):
        self.domains[key] = self.domains.get(key, frozenset()) | domain
        side.meet(key, frozenset(values))

    def const(self, side, const, at):
        key = ("const", at)
        types = getattr(const, "types", None) or {const.type}
        bits = max((int(t[1:]) for t in types if t), default=BITS)
        low, high = self.limits.get(key, (0, 0))
        self.limits[key] = (min(low, -(1 << bits - 1)), max(high, 1 << bits - 1))
        if const.name[0] != "=":
            side.names[const.name] = key
        side.consts.append((const, key))
        facts = self.facts.setdefault(key, Facts())
        if const.name[0] == "=":
            facts.cuts |= {int(const.name[1:]), int(const.name[1:]) + 1}
        elif const.kind is not None:
            try:
                facts.cuts |= set(range_of(const.kind))
            except Unknown:  # of which nothing is known but that it is the same for all
                fits = ("fits", at, const.kind.name)
                self.enum(side, fits, {True}, frozenset((False, True)))
                self.shown[fits] = "fits(%s, %s)" % (const.name, const.kind.name)

    def mem(self, side, mem, at):
        """A memory operand takes any address; one that stands twice asks for equal ones."""
        if mem.name in side.mems:
            self.enum(side, ("same", side.mems[mem.name], at), {True}, frozenset((False, True)))
        side.mems.setdefault(mem.name, at)

    def attr(self, side, node, name, how, at):
        kind = next(a.kind for a in node.op.attrs if a.name == name)
        key = ("attr", at, name)
        if kind in ("intcc", "floatcc"):
            domain = frozenset(i.name for i in node.op.ir.conds[kind].items)
            if how[0] == "is":
                item = node.op.ir.conds[kind].find(how[1])
                self.enum(side, key, {item.name}, domain)
            else:
                self.enum(side, key, domain, domain)
        elif kind in ("imm64", "ieee32", "ieee64", "offset"):
            bits = {"offset": 32, "imm64": int(node.type[1:]) if node.type else BITS}.get(kind, BITS)
            self.limits[key] = (-(1 << bits - 1), 1 << bits - 1)
            self.facts.setdefault(key, Facts())
        if how[0] == "bind":
            side.names[how[1]] = key

    def add(self, pattern):
        """The side of a pattern in this frame, None when it matches nothing that the base does."""
        side = Side(pattern)
        try:
            kinds = [p.itself.kind if p.itself else None for p in (pattern, self.base.pattern)]
            if kinds[0] or kinds[1]:
                if self.at:
                    raise Disjoint
                self.enum(side, ("kind", ()), frozenset(kinds[:1]) if kinds[0] else KINDS, KINDS)
                self.enum(self.base, ("kind", ()), frozenset(kinds[1:]) if kinds[1] else KINDS, KINDS)
                if side.sets["kind", ()].isdisjoint(self.base.sets["kind", ()]):
                    raise Disjoint
            self.unify(side, pattern.tree, self.tree, self.at)
        except Disjoint:
            return None
        self.sides.append(side)
        return side

    def unify(self, side, a, b, at):
        """a: the pattern's tree; b: the frame's."""
        base = self.base
        if isinstance(b, Node):
            if isinstance(a, Node):
                if a.op is not b.op or a.type != b.type or a.nth != b.nth:
                    raise Disjoint
                for name, how in self.attrs(a):
                    self.attr(side, a, name, how, at)
                    key = ("attr", at, name)
                    if key in side.sets and side.sets[key].isdisjoint(base.sets.get(key, side.sets[key])):
                        raise Disjoint
                for k, (x, y) in enumerate(zip(a.args, b.args)):
                    self.unify(side, x, y, at + (k,))
            elif isinstance(a, Var):
                if b.result_type(b.nth or 0) not in a.types:
                    raise Disjoint
            elif isinstance(a, Const):
                raise Disjoint
            elif isinstance(a, Cond):
                side.narrower = True  # which kind of condition it becomes is not known here
            return
        if isinstance(a, Node):
            if isinstance(b, Const) or isinstance(b, Var) and a.result_type(a.nth or 0) not in b.types:
                raise Disjoint
            side.narrower = True
        elif isinstance(a, Const):
            if isinstance(b, Const):
                if not self.const_types(a) & self.const_types(b):
                    raise Disjoint
                if not self.const_types(b) <= self.const_types(a):
                    side.narrower = True
                self.const(side, a, at)
            elif isinstance(b, Var) and not self.const_types(a) & b.types:
                raise Disjoint
            else:
                side.narrower = True
        elif isinstance(a, Var):
            types = b.types if isinstance(b, Var) else self.const_types(b) if isinstance(b, Const) else a.types
            if not types & a.types:
                raise Disjoint
            if isinstance(b, Var):
                self.enum(side, ("type", at), a.types, a.types | b.types)
            elif not types <= a.types:
                side.narrower = True
        elif isinstance(a, Mem):
            if isinstance(b, Mem) and a.comp is not b.comp:
                side.narrower = True
            self.mem(side, a, at)
        elif isinstance(a, Cond):
            if isinstance(b, Cond):
                if a.kind != b.kind:
                    raise Disjoint
            else:
                side.narrower = True

    @staticmethod
    def const_types(const):
        return frozenset(getattr(const, "types", None) or {const.type})

    # ---- boxes ----

    def solve(self):
        """Cuts the constants into cells; boxes can be asked for then."""
        atoms = [(s, e) for s in [self.base] + self.sides if s.pattern.guard is not None
                 for e in atoms_of(s.pattern.guard)]
        self.known = {}
        for side, e in atoms:
            key = self.key_of(side, e)
            if key is None:
                continue
            try:
                fact(e, self.isa, self.facts[key])
                self.known[id(e), id(side)] = key
            except Unknown:
                pass
        for key, facts in self.facts.items():
            self.samples[key] = cells_of(*self.limits[key], facts)
            self.domains[key] = frozenset(range(len(self.samples[key])))
        for side in [self.base] + self.sides:
            for const, key in side.consts:
                if const.name[0] == "=":
                    self.restrict(side, key, lambda v, c=const: v == int(c.name[1:]))
                elif const.kind is not None:
                    try:
                        low, high = range_of(const.kind)
                        self.restrict(side, key, lambda v, l=low, h=high: l <= v < h)
                    except Unknown:
                        pass
            side.boxes = self.boxes(side)

    def restrict(self, side, key, test):
        side.meet(key, frozenset(k for k, v in enumerate(self.samples[key]) if test(v)))

    def key_of(self, side, e):
        """The one constant that an atom speaks of, or None."""
        names = {n.name for n in e.walk() if n.k == "name" and n.name not in self.isa.imms}
        keys = {side.names.get(n) for n in names}
        key = keys.pop() if len(keys) == 1 else None
        return key if key in self.facts else None

    def boxes(self, side):
        found = [dict(side.sets)]
        if side.pattern.guard is not None:
            found = [b for g in self.guard(side, side.pattern.guard, True) for b in meets(found, [g])]
        return [b for b in found if all(b.values())]

    def guard(self, side, e, positive):
        """The boxes where a guard is true (false)."""
        if e.k == "un" and e.op == "lnot":
            return self.guard(side, e.args[0], not positive)
        if e.k == "bin" and e.op in ("land", "lor"):
            a, b = (self.guard(side, x, positive) for x in e.args)
            both = meets(a, b) if (e.op == "land") == positive else a + b
            if len(both) <= MAX_BOXES:
                return both
        elif e.k == "num":
            return [{}] if bool(e.value) == positive else []
        key = self.known.get((id(e), id(side)))
        if key is not None:
            name = next(n for n, k in side.names.items() if k == key)
            try:
                return [{key: frozenset(k for k, v in enumerate(self.samples[key])
                                        if bool(compute(e, {name: v}, self.isa)) == positive)}]
            except Unknown:
                pass
        key = ("guard", self.text(side, e))
        self.domains[key] = frozenset((False, True))
        self.shown[key] = show(e)
        return [{key: frozenset([positive])}]

    def text(self, side, e):
        """A guard with places for names: the same text means the same."""
        parts = [str(side.names.get(e.name, e.name)) if e.k == "name" else "%s %s %s" % (e.k, e.name or "", e.op or ""),
                 str(e.value)]
        return "(%s %s)" % (" ".join(parts), " ".join(self.text(side, a) for a in e.args))

    def without(self, boxes, others):
        """What `boxes` have and `others` have not."""
        for b in others:
            left = []
            for r in boxes:
                left += self.subtract(r, b)
            boxes = left
        return boxes

    def subtract(self, r, b):
        if any(r.get(k, self.domains[k]).isdisjoint(v) for k, v in b.items()):
            return [r]
        out = []
        for key in sorted(b, key=str):
            have = r.get(key, self.domains[key])
            rest = have - b[key]
            if rest:
                out.append({**r, key: rest})
                r = {**r, key: have & b[key]}
        return out

    def covers(self, side):
        """Does the side match all that the base matches?"""
        return not side.narrower and not self.without(self.base.boxes, side.boxes)

    def witness(self, side):
        """A box that both the side and the base match, or None."""
        both = meets(self.base.boxes, side.boxes)
        return min(both, key=lambda b: sum(k in self.shown for k in b)) if both else None

    def values(self, box):
        """[(name in the base, value)] of the constants that a box limits: the least in size."""
        out = []
        for name, key in self.base.names.items():
            if key in self.samples and key in box:
                out.append((name, min((self.samples[key][c] for c in box[key]), key=lambda v: (abs(v), v < 0))))
        return out

    def assumed(self, box):
        """The texts of guards that a box takes to hold, of which nothing is known."""
        return sorted(self.shown[k] if True in v else "!" + self.shown[k] for k, v in box.items() if k in self.shown)


def meets(a, b):
    """The boxes in which one of a and one of b meet."""
    out = []
    for x in a:
        for y in b:
            both = dict(x)
            for key, values in y.items():
                both[key] = both[key] & values if key in both else values
            if all(both.values()):
                out.append(both)
    return out


def atoms_of(e):
    if e.k == "un" and e.op == "lnot":
        yield from atoms_of(e.args[0])
    elif e.k == "bin" and e.op in ("land", "lor"):
        for a in e.args:
            yield from atoms_of(a)
    elif e.k != "num":
        yield e


def asks_more(a, tree):
    """Does pattern tree a, by its shape alone, ask for more than the tree says? A quick no before the sets are made."""
    if isinstance(a, Node):
        if not isinstance(tree, Node) or a.op is not tree.op or a.type != tree.type or a.nth != tree.nth:
            return True
        return any(map(asks_more, a.args, tree.args))
    if isinstance(a, Const):
        return not isinstance(tree, Const)
    if isinstance(a, Var) and isinstance(tree, Node):
        return tree.result_type(tree.nth or 0) not in a.types
    return False


def inside(isa, p, q):
    """Does q match all that p matches?"""
    if asks_more(q.tree, p.tree):
        return False
    frame = Frame(isa, p)
    side = frame.add(q)
    if side is None:
        return False
    frame.solve()
    return frame.covers(side)
