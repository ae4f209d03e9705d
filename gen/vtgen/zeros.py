"""Which results have zeros above them where they are held (`hold i8 i16 in i32 upper any`): what `zeros(x)` in the guard
of a rule asks.

Read off the `sem` of the instructions that a pattern becomes: a load that extends with zeros, the truth of a
comparison, `a & b` when a or b is so, and so on. A result is known to be so when it is by every pattern of its opcode, and
opcodes without patterns (calls, parameters of the function) never are. What depends on operands of the opcode is
asked of them: the C that is made is a condition over z[k], whether operand k has zeros above it.
"""
from patterns import NotATree, Var, normal
from tree import Expr

NEVER, ALWAYS = None, frozenset([frozenset()])  # otherwise a set of sets of operands: any of these all


def either(a, b):
    if a is NEVER or b is NEVER:
        return b if a is NEVER else a
    return least(a | b)


def both(a, b):
    if a is NEVER or b is NEVER:
        return NEVER
    return least(frozenset(x | y for x in a for y in b))


def least(sets):
    return frozenset(s for s in sets if not any(t < s for t in sets))


class Zeros:
    def __init__(self, isa, ir, patterns):
        self.isa, self.ir, self.patterns = isa, ir, patterns
        self.open = {t: ir.types[t].width for h in isa.holds if h.upper == "any" for t in h.types}

    def rows(self):
        """opcode -> {(controlling type or None, result type): condition}, for those that are not NEVER."""
        out = {}
        for root, patterns in self.patterns.by_root.items():
            op = self.ir.ops.get(root)
            if op is None or len(op.results) != 1:
                continue
            found = {}
            for p in patterns:
                want = p.tree.result_type(0)
                if want in self.open:
                    key, cond = (p.type, want), self.pattern(p, self.open[want])
                    found[key] = cond if key not in found else both(found[key], cond)
            rows = {k: c for k, c in found.items() if c is not NEVER}
            if rows:
                out[root] = rows
        return out

    def pattern(self, p, width):
        places = {a.name: k for k, a in enumerate(p.tree.args) if isinstance(a, Var)}
        if p.rule is None:
            return self.inst(p.inst, {o.name: Expr("name", o.loc, name=o.name) for o in p.inst.opnds if o.reads}, {}, p,
                             places, width)
        seq = p.rule.result
        lets = {s.name: s.value for s in seq.stmts if s.k == "let"}
        return NEVER if seq.value is None else self.value(seq.value, lets, p, places, width)

    def value(self, e, lets, p, places, width):
        """Of an expression of a rule's result."""
        if e.k == "name" and e.name in lets:
            return self.value(lets[e.name], {n: v for n, v in lets.items() if n != e.name}, p, places, width)
        if e.k == "name" and e.name in places:
            var = p.tree.args[places[e.name]]
            if all(self.open.get(t, width + 1) <= width for t in var.types):
                return frozenset([frozenset([places[e.name]])])
            return NEVER
        inst = self.isa.insts.get(e.name) if e.k == "call" else None
        if inst is None or sum(o.writes for o in inst.opnds) != 1:
            return NEVER
        return self.inst(inst, dict(zip((o.name for o in inst.opnds if o.reads), e.args)), lets, p, places, width)

    def inst(self, inst, args, lets, p, places, width):
        """Of an instruction with these operands."""
        stmts = [s for s in inst.sem if s.k == "assign"]
        if len(stmts) != 1 or any(s.k not in ("assign", "let") for s in inst.sem):
            return NEVER
        try:
            tree = normal(stmts[0].value, {}, {})
        except NotATree:
            return NEVER
        return self.tree(tree, width, lambda o, w: self.value(args[o.name], lets, p, places, w) if o.type == "reg" else
                         self.number(args[o.name], w))

    @staticmethod
    def number(e, width):
        return ALWAYS if e.k == "num" and 0 <= e.value < 1 << width else NEVER

    def tree(self, t, width, leaf):
        """Are the bits of t from `width` on zero?"""
        if t[1] <= width or t[0] == "num" and 0 <= t[2] < 1 << width:
            return ALWAYS
        if t[0] == "leaf":
            return leaf(t[2], width)
        if t[0] == "zext":
            return self.tree(t[2], width, leaf)
        if t[0] == "and":
            return either(self.tree(t[2], width, leaf), self.tree(t[3], width, leaf))
        if t[0] in ("or", "xor"):
            return both(self.tree(t[2], width, leaf), self.tree(t[3], width, leaf))
        if t[0] == "ite":
            return both(self.tree(t[3], width, leaf), self.tree(t[4], width, leaf))
        return self.tree(t[2], width, leaf) if t[0] == "lshr" else NEVER


def c_condition(cond):
    if cond == ALWAYS:
        return "true"
    terms = [" && ".join("z[%d]" % k for k in sorted(s)) for s in sorted(cond, key=sorted)]
    return " || ".join("(%s)" % t if " && " in t and len(terms) > 1 else t for t in terms)


def function(isa, ir, patterns):
    """<isa>_zeros() as C."""
    out = ["// What leaves zeros above its result: see Target.zeros.\n"
           "bool %s_zeros(Op op, Type control, Type result, const bool *z);\n"
           "bool %s_zeros(Op op, Type control, Type result, const bool *z) {\n"
           "    (void)control;\n    (void)result;\n    (void)z;\n    switch (op) {\n" % (isa.name, isa.name)]
    for root, rows in Zeros(isa, ir, patterns).rows().items():
        out.append("    case OP_%s:\n" % root)
        merged = {}
        for (control, want), cond in rows.items():
            merged.setdefault(c_condition(cond), []).append("(control == T_%s && result == T_%s)" % (control or "none", want))
        for cond, tests in merged.items():
            test = " ||\n            ".join(tests)
            out.append("        if (%s) return %s;\n" % (test[1:-1] if len(tests) == 1 else test, cond))
        out.append("        return false;\n")
    return out + ["    default:\n        return false;\n    }\n}\n\n"]
