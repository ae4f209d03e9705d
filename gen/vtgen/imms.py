"""Immediates that are no single run of their field's bits: the field for a value.

Two ways. Where the value is, for each setting of a few bits of the field (those that its conditions look at), a run of
the other bits among constants, each setting is a *case*: `f[12] ? zext(f[11:0] ++ zero(12), 64) : zext(f[11:0], 64)` has
two. Everything else, such as the bit masks of logical immediates, is a sorted table of all values (at most 16 bits of
field). In both the least of several fields for one value is the canonical one.
"""
from symbits import Bits, Cond, Evaluator, NotSymbolic, Var, truth


class Case:
    """fixed, fixed_mask: the bits of the field that choose this case; the value is `base`, and from bit `at` on the `width`
    bits of the field from `start` on, inverted where `inverted` says so; with `signed` the last of them is repeated."""

    def __init__(self, fixed, fixed_mask, base, at, start, width, inverted, signed):
        self.fixed, self.fixed_mask, self.base, self.at, self.start = fixed, fixed_mask, base, at, start
        self.width, self.inverted, self.signed = width, inverted, signed

    def value(self, field, bits):
        run = field >> self.start & (1 << self.width) - 1
        if self.inverted:
            run ^= (1 << self.width) - 1
        if self.signed and run >> self.width - 1:
            run -= 1 << self.width
        return (self.base | run << self.at) & (1 << bits) - 1


class Choice(Exception):
    def __init__(self, atom):
        super().__init__()
        self.atom = atom


class Splitter(Evaluator):
    """Raises Choice where the value depends on a condition."""

    def _cond(self, e, env):
        c = truth(self.eval(e.args[0], env))
        if isinstance(c, Cond):
            raise Choice(first_atom(c))
        return self.eval(e.args[1 if c else 2], env)


def first_atom(c):
    for a in c.args:
        if isinstance(a, Bits) and not a.known():
            return next(x for x in a.atoms if x not in (0, 1))
        if isinstance(a, Cond) and a.op != "fits":
            return first_atom(a)
    raise NotSymbolic("a choice by nothing")


def known_by(c, known):
    """Adds the bits that a condition of equalities fixes; False when it says more."""
    if c is True:
        return True
    if c.op == "and":
        return all(known_by(a, known) for a in c.args)
    if c.op == "eq":
        for k, (_, i, inverted) in enumerate(c.args[0].atoms):
            known[i] = (c.args[1] >> k & 1) ^ inverted
        return True
    if c.op == "not" and c.args[0].op == "nz":
        for _, i, inverted in c.args[0].args[0].atoms:
            known[i] = int(inverted)
        return True
    return False


def cases_of(imm):
    """The cases of an immediate of one field, in the order of their fields; None when it has none."""
    if len(imm.fields) != 1:
        return None
    (name, bits), = imm.fields
    var, splitter, out = Var(name, bits, name), Splitter({}, {}), []

    def split(known):
        if len(known) > bits:
            raise NotSymbolic("too many cases")
        env = {name: Bits([known.get(i, (var, i, False)) for i in range(bits)])}
        try:
            guard = truth(splitter.eval(imm.guard, env)) if imm.guard is not None else True
            if guard is False:
                return
            more = dict(known)
            if not known_by(guard, more):
                raise Choice(first_atom(guard))
            if more != known:
                split(more)
                return
            value = splitter.eval(imm.value, env)
        except Choice as c:
            if len(out) > 16:
                raise NotSymbolic("too many cases") from None
            split({**known, c.atom[1]: 0})
            split({**known, c.atom[1]: 1})
            return
        atoms = value.atoms if isinstance(value, Bits) else [value >> i & 1 for i in range(imm.value.width)]
        out.append(case(known, bits, atoms, imm.value.width))

    try:
        split({})
    except NotSymbolic:
        return None
    return sorted(out, key=lambda c: c.fixed) if len(out) <= 16 else None


def case(known, bits, atoms, width):
    free = [i for i in range(bits) if i not in known]
    atoms = (atoms + [0] * width)[:width]
    places = [k for k, a in enumerate(atoms) if a not in (0, 1)]
    at, n = (places[0], len(free)) if places else (0, 0)
    run = atoms[at:at + n]
    signed = len(places) > n
    inverted = bool(run and run[0][2])
    ascending = [a[1] for a in run if a not in (0, 1)] == free == list(range(free[0], free[0] + n)) if free else True
    if not ascending or any(a[2] != inverted for a in run):
        raise NotSymbolic("not a run")
    if signed and any(a != run[-1] for a in atoms[at + n:]):
        raise NotSymbolic("not a run")
    base = sum(a << k for k, a in enumerate(atoms) if a in (0, 1))
    fixed = sum(v << i for i, v in known.items())
    return Case(fixed, sum(1 << i for i in known), base, at, free[0] if free else 0, n, inverted, signed)


def table_of(imm):
    """{value: least field} of an immediate of at most 16 bits."""
    from checks_machine import evaluate
    if imm.table is not None:  # the checks have made it
        return imm.table
    (name, bits), = imm.fields
    out = {}
    for code in range(1 << bits):
        if imm.guard is None or evaluate(imm.guard, {name: code}):
            out.setdefault(evaluate(imm.value, {name: code}), code)
    return out
