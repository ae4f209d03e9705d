"""Totality: every row of the IR is selected, expanded into such rows, or declared unsupported.

A row is (opcode, controlling type, type of the operand that the opcode leaves free), as Target.covers has it. A pattern
covers a row when it matches whatever stands below its root: register variables and operands that some form of a bare
register serves, no guard, no feature (Pattern.is_total). The criterion is one of syntax, so that a person can predict it. A
pattern that wants one kind of condition covers its rows together with those for the other kinds that a condition of the
machine can have. An expansion covers a row when it has no guard and its operands are bare or of the row's types; what its
result builds is followed row by row, types inferred as emit_rewrite.py does. Expansions must not go round in a circle.
"""
from patterns import DRIVER_OPS, Cond, Node, Pattern, Var, covers_instance, every_item
from regions import Frame


def row_of(inst):
    """(opcode, controlling type, free operand type)."""
    free = {v for v, _ in inst.op.vars[1:]}
    operand = next((inst.type_of(p.kind).name for p in inst.op.params if p.kind in free), None)
    return (inst.op.name, inst.control.name if inst.control else None, operand)


def text_of(row, short=False):
    text = row[0] + ("." + row[1] if row[1] else "")
    return text if short or row[2] is None else "%s with an operand of type %s" % (text, row[2])


def kinds_of(patterns, op=None):
    """The kinds of condition that rules make, of any value or of an opcode's own."""
    from checks_cost import kind_of_cond
    return {kind_of_cond(p) for p in patterns.by_root.get("cond", ())
            if op is None or isinstance(p.tree, Node) and p.tree.op is op}


def is_covered(patterns, inst):
    op, control = inst.op, inst.control.name if inst.control else None
    if op.name in DRIVER_OPS:
        return True
    total = [p for p in patterns.by_root.get(op.name, ()) if p.type == control and p.is_total() and not p.requires and
             (p.itself is not None or covers_instance(p, inst))]
    items = [p for p in patterns.by_root.get(op.name, ()) if p.type == control and p.item() and not p.requires and
             p.itself is None and covers_instance(p, inst)]
    if every_item(items, patterns.ir, op):
        return True
    kinds = set()
    for p in total:
        conds = {p.itself.kind} if p.itself else {a.kind for a in p.tree.args if isinstance(a, Cond)}
        if not conds:
            return True
        kinds |= conds
    return bool(total) and kinds >= kinds_of(patterns, op if total[0].itself else None)


# ---- expansions ----------------------------------------------------------------------------------------------------

class Expansion:
    """One `expand` at one choice of the root's types: is it for all operands, which rows does its result use?"""

    def __init__(self, ir, rule, inst):
        self.ir, self.rule, self.inst = ir, rule, inst
        self.vars, self.names, self.rows = {}, {}, set()
        self.fits = self.match()

    def match(self):
        """None: it is not for these types; False: for some operands only; True: for all."""
        e, whole = self.rule.pattern, self.rule.guard is None
        _, _, suffix = e.name.partition(".")
        if suffix in self.ir.types and (self.inst.control is None or self.inst.control.name != suffix):
            return None
        if suffix:
            self.vars[suffix] = self.inst.control.name
        for given, attr in zip(e.attrs, self.inst.op.attrs):
            cond = self.ir.conds.get(attr.kind)
            if given.k != "name" or cond is not None and cond.find(given.name) is not None:
                whole = False
        for arg, p in zip(e.args, self.inst.op.params):
            t = self.inst.type_of(p.kind)
            t = t.name if t else None
            if arg.k == "typed" and arg.op in self.ir.types and arg.op != t:
                return None
            if arg.k == "typed" and arg.op not in self.ir.types or arg.k not in ("name", "typed"):
                whole = False
            if arg.k in ("name", "typed"):
                whole = whole and arg.name not in self.names
                self.names[arg.name] = [t]
        return whole

    def follow(self):
        seq = self.rule.result
        for s in seq.stmts:
            types = self.types(s.value)
            if s.k == "let":
                self.names[s.name] = types
        if seq.value is not None:
            self.types(seq.value)
        return self.rows

    def types(self, e, want=None):
        """The types of a result's values, [None] when they are not known; collects its rows."""
        if e.k == "name":
            return self.names.get(e.name, [None])
        if e.k == "nth":
            found = self.types(e.args[0])
            return found[e.value:e.value + 1] or [None]
        if e.k != "call":
            return [want]
        if e.name == "pair":
            return [self.types(a)[0] for a in e.args]
        if e.name == "libcall":
            return [self.types(a)[0] for a in e.args][:1] or [None]
        name, _, suffix = e.name.partition(".")
        op = self.ir.ops.get(name)
        if op is None:
            return [None]
        control = self.vars.get(suffix, suffix) or None
        args = []
        for a, p in zip(e.args, op.params):
            before = args[0] if args else None
            args.append(self.types(a, p.kind if p.kind in self.ir.types else control or before)[0])
        fit = [i for i in op.instances() if (control is None or i.control is None or i.control.name == control) and
               all(t is None or i.type_of(p.kind) is None or i.type_of(p.kind).name == t for t, p in zip(args, op.params))]
        self.rows |= {row_of(i) for i in fit}
        results = [{i.type_of(r.kind).name for i in fit if i.type_of(r.kind)} for r in op.results]
        return [next(iter(r)) if len(r) == 1 else None for r in results] or [None]


class Totality:
    def __init__(self, isa, model, patterns, diag):
        self.isa, self.ir, self.patterns, self.diag = isa, model.ir, patterns, diag
        self.refused = {n for n, _, _ in isa.unsupported} | {n for n, _ in self.ir.unsupported}
        self.covered, self.expanded = set(), {}  # row -> [Expansion]
        self.rows = {}                           # row -> whether an expansion is for all its operands
        by_root = {}
        for rule in model.expands:
            by_root.setdefault(rule.pattern.name.split(".")[0], []).append(rule)
        for op in self.ir.ops.values():
            for inst in op.instances():
                row = row_of(inst)
                self.rows[row] = False
                if is_covered(patterns, inst):
                    self.covered.add(row)
                    continue
                found = [Expansion(self.ir, r, inst) for r in by_root.get(op.name, ())]
                self.expanded[row] = [x for x in found if x.fits is not None]
                self.rows[row] = any(x.fits for x in found)

    def is_refused(self, row):
        return row[0] in self.refused or text_of(row, True) in self.refused

    def has(self, row):
        return row in self.covered or self.rows.get(row, False) or self.is_refused(row)

    def check(self):
        self.unsupported()
        edges, leads, by_text = {}, {}, {}
        for row, found in self.expanded.items():
            edges[row] = [] if self.is_refused(row) else [(end, x.rule) for x in found for end in sorted(x.follow(), key=str)]
            for end, rule in edges[row]:
                leads.setdefault(end, (rule.loc, "expanding %s leads to it" % text_of(row, True)))
        for row in self.rows:
            by_text.setdefault(text_of(row, True), []).append(row)
        for text, rows in by_text.items():
            bad = [r for r in rows if not self.has(r)]
            op = self.ir.ops[rows[0][0]]
            for row in bad[:1] if len(bad) == len(rows) else bad:
                notes = [(x.rule.loc, "'%s' expands some cases of it only" % x.rule.name)
                         for x in self.expanded.get(row, ())[:1]]
                notes += [leads[r] for r in ([row] + bad if row in bad[:1] else [row]) if r in leads][:1]
                self.diag.error(self.isa.loc, "nothing selects %s" % (text if len(bad) == len(rows) else text_of(row)),
                                (op.loc, "the opcode is declared here"), *notes)
        self.circles(edges)
        self.conditions()

    def unsupported(self):
        for name, _, loc in self.isa.unsupported:
            rows = [r for r in self.rows if name in (r[0], text_of(r, True))]
            if not rows:
                self.diag.error(loc, "no opcode is named '%s'" % name)
            for row in rows:
                if row in self.covered or self.rows[row]:
                    self.diag.error(loc, "'%s' is %s: it is not unsupported"
                                    % (name, "selected" if row in self.covered else "expanded"))
                    break

    def circles(self, edges):
        state, path = {}, []

        def visit(row):
            state[row] = "open"
            path.append(row)
            for end, rule in edges.get(row, ()):
                if state.get(end) == "open":
                    circle = path[path.index(end):] + [end]
                    self.diag.error(rule.loc, "expansions go round in a circle: %s"
                                    % " -> ".join(text_of(r, True) for r in circle))
                elif end not in state:
                    visit(end)
            path.pop()
            state[row] = "done"

        for row in sorted(edges, key=str):
            if row not in state:
                visit(row)

    # ---- conditions ----

    def conditions(self):
        """What may stand where a condition is wanted has one: any value of the types asked for, and every item of an
        opcode that asks for its own."""
        conds = self.patterns.by_root.get("cond", ())
        plain = {t for p in conds if isinstance(p.tree, Var) and p.guard is None for t in p.tree.types}
        told = set()
        for found in self.patterns.by_root.values():
            for p in found:
                for node in p.nodes():
                    for a, param in zip(node.args, node.op.params):
                        t = node.inst.type_of(param.kind)
                        if isinstance(a, Cond) and t and t.name not in plain and (p.name, t.name) not in told:
                            told.add((p.name, t.name))
                            self.diag.error(p.loc, "no rule gives the condition of any %s: 'cond(x: %s)'" % (t.name, t.name))
                if p.itself is not None and (p.tree.op, p.type) not in told:
                    told.add((p.tree.op, p.type))
                    self.own(p, conds)

    def own(self, p, conds):
        base = Pattern("cond", p.tree, p.name, p.loc)
        frame = Frame(self.isa, base)
        sides = [s for s in (frame.add(c) for c in conds if not c.requires) if s is not None and not s.narrower]
        frame.solve()
        left = frame.base.boxes
        for s in sides:
            left = frame.without(left, s.boxes)
        if left:
            items = sorted({i for b in left for k, v in b.items() if k[0] == "attr" for i in v})
            self.diag.error(p.loc, "no rule gives the condition of %s%s" % (
                text_of((p.tree.op.name, p.type, None)), " for " + ", ".join(items) if items else ""))


def check(isa, model, patterns, diag):
    Totality(isa, model, patterns, diag).check()
