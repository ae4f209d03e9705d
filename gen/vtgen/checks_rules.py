"""Checks of selection rules and expansions.

By themselves: opcodes, types, operand counts, names, flags. Together with the patterns that patterns.py derives from
semantics: checks_overlap.py, checks_cost.py, checks_total.py.
"""
# What a rule's result may call besides instructions, relaxable branches and forms (emit_select.py says what each does).
RESULT_FUNCTIONS = {"trap", "func", "global", "table", "pool", "slot", "cc_of", "not", "both", "either", "pair", "define",
                    "swap", "log2", "top"}
GUARD_FUNCTIONS = {"fits", "colocated", "is_power", "log2", "top", "zeros"}
COND_KINDS = ("cond", "both", "either", "plain")


# ---- a rule by itself ----------------------------------------------------------------------------------------

class RuleCheck:
    def __init__(self, isa, ir, rule, diag):
        self.isa, self.ir, self.rule, self.diag = isa, ir, rule, diag
        self.codes = {row[0] for row in ir.tables.get("trapcode", [])}
        self.vars = {}   # name -> what: "value", "const", "cond", "mem", "attr"
        self.bound = []  # (name as it stands, condition of the IR) of attributes that the pattern binds

    def error(self, loc, text, *notes):
        self.diag.error(loc, text, *notes)

    def check(self):
        errors = len(self.diag.found)
        self.pattern(self.rule.pattern, True)
        if len(self.diag.found) > errors:
            return
        if self.rule.guard is not None:
            self.guard(self.rule.guard)
        self.result()

    def bind(self, name, what, loc):
        if name in self.isa.reg_names:
            self.error(loc, "'%s' is a register: a pattern's names are its own" % name)
        self.vars[name] = what

    def pattern(self, e, root):
        if e.k == "nth":
            self.pattern(e.args[0], root)
            op = self.ir.ops.get(e.args[0].name.split(".")[0]) if e.args[0].k == "call" else None
            if op is not None and e.value >= len(op.results):
                self.error(e.loc, "'%s' has %d results, they count from #0" % (op.name, len(op.results)))
        elif e.k == "call":
            self.node(e, root)
        elif root:
            self.error(e.loc, "a rule's pattern is an opcode with its operands")
        elif e.k == "name":
            self.bind(e.name, "value", e.loc)
        elif e.k == "typed":
            known = {"value": e.op in self.ir.types, "const": e.op == "iconst" or e.op in self.isa.imms,
                     "cond": e.op in COND_KINDS, "mem": e.op in self.isa.operands}
            what = next((k for k, yes in known.items() if yes), None)
            if what is None:
                self.error(e.loc, "no type, immediate, condition or operand is named '%s'" % e.op)
            self.bind(e.name, what, e.loc)
        elif e.k != "num":
            self.error(e.loc, "this does not belong into a pattern")

    def node(self, e, root):
        name, _, suffix = e.name.partition(".")
        if root and name == "cond" and not suffix:
            for a in e.args:
                self.pattern(a, False)
            return
        op = self.ir.ops.get(name)
        if op is None:
            self.error(e.loc, "no opcode is named '%s'" % name)
            return
        if suffix and not any(i.control is not None and i.control.name == suffix for i in op.instances()):
            self.error(e.loc, "'%s' has no type '%s'" % (name, suffix), (op.loc, "it is declared here"))
        itself = root and len(e.args) == 1 and e.args[0].k == "typed" and e.args[0].op in COND_KINDS
        if len(e.args) != len(op.params) and not itself:
            self.error(e.loc, "'%s' has %d operands, %d given" % (name, len(op.params), len(e.args)),
                       (op.loc, "it is declared here"))
        if len(e.attrs) > len(op.attrs):
            self.error(e.loc, "'%s' has %d attributes, %d given" % (name, len(op.attrs), len(e.attrs)),
                       (op.loc, "it is declared here"))
        for given, attr in zip(e.attrs, op.attrs):
            cond = self.ir.conds.get(attr.kind)
            if given.k != "name":
                self.error(given.loc, "an attribute is a name")
            elif cond is None or cond.find(given.name) is None:
                self.vars[given.name] = "attr"
                if cond is not None:
                    self.bound.append((given, cond))
        for attr in op.attrs:
            if root:
                self.vars.setdefault(attr.name, "attr")
        for a in e.args:
            self.pattern(a, False)

    def guard(self, e):
        if e.k == "name" and e.name not in self.vars and e.name not in self.isa.imms:
            self.error(e.loc, "the pattern binds no '%s'" % e.name)
        if e.k == "call" and e.name not in GUARD_FUNCTIONS and e.name not in self.isa.fns:
            self.error(e.loc, "no function is named '%s'" % e.name)
        for a in e.args + [v for _, v in e.kwargs]:
            self.guard(a)

    # ---- results ----

    def result(self):
        names, order = {}, []
        seq = self.rule.result
        for s in seq.stmts:
            self.value(s.value, names, order)
            if s.k == "let":
                if s.name in names or self.vars.get(s.name) not in (None, "attr"):
                    self.error(s.loc, "'%s' has a meaning already" % s.name)
                names[s.name] = s.value
        if seq.value is not None:
            self.value(seq.value, names, order)
        if not order and seq.value is None and not seq.stmts:
            self.error(seq.loc, "the result of '%s' is empty" % self.rule.name)
        self.used(names, seq)
        self.bound_used(seq)
        self.flags(order)

    def bound_used(self, seq):
        """A condition that a pattern binds is wanted: else the name is one that the condition does not have."""
        exprs = [self.rule.guard] * (self.rule.guard is not None) + [s.value for s in seq.stmts]
        exprs += [seq.value] * (seq.value is not None)
        seen = {n.name for e in exprs for n in e.walk()}
        for given, cond in self.bound:
            if given.name not in seen:
                self.error(given.loc, "'%s' is no condition of '%s', and nothing uses it" % (given.name, cond.name))

    def used(self, names, seq):
        seen = {n.name for s in seq.stmts for n in s.value.walk()}
        if seq.value is not None:
            seen |= {n.name for n in seq.value.walk()}
        for s in seq.stmts:
            if s.k != "let" or s.name in seen:
                continue
            inst = self.isa.insts.get(s.value.name) if s.value.k == "call" else None
            if inst is None or not (inst.writes_flags or inst.stores or inst.effects):
                self.error(s.loc, "nothing uses '%s'" % s.name)

    def value(self, e, names, order):
        if e.k == "name":
            if (e.name not in names and e.name not in self.vars and e.name not in self.codes and e.name not in self.isa.reg_names and
                    not any(c.find(e.name) for c in self.isa.conds.values())):
                self.error(e.loc, "nothing is named '%s'" % e.name)
            return
        if e.k == "dot":
            base = e.args[0]
            if base.k == "name" and base.name in names:
                inst = self.isa.inst(names[base.name].name) if names[base.name].k == "call" else None
                if inst is not None and not any(o.writes and o.name == e.name for o in inst.opnds):
                    self.error(e.loc, "'%s' has no result '%s'" % (inst.name, e.name), (inst.loc, "it is declared here"))
                return
            self.value(base, names, order)
            return
        for a in e.args:
            self.value(a, names, order)
        if e.k != "call":
            return
        inst = self.isa.inst(e.name)
        if inst is not None:
            takes = [o for o in inst.opnds if o.reads]
            if len(e.args) != len(takes):
                self.error(e.loc, "'%s' takes %d operands, %d given" % (e.name, len(takes), len(e.args)),
                           (inst.loc, "it is declared here"))
            order.append((e, inst))
        elif e.name not in RESULT_FUNCTIONS and not any(f.name == e.name for c in self.isa.operands.values()
                                                        for f in c.forms):
            self.error(e.loc, "no instruction or form is named '%s'" % e.name)

    def flags(self, order):
        """Whoever reads the flags reads those of the last writer in the same result, or of the condition matched."""
        writer, read = None, True
        conds = {n for n, what in self.vars.items() if what == "cond"}
        for e, inst in order:
            reads, writes = flags_of(self.isa, inst)
            if reads:
                of_cond = any(n.k == "name" and n.name in conds for a in e.args for n in a.walk())
                if of_cond and writer is not None:
                    self.error(e.loc, "the flags of the matched condition are gone: '%s' wrote them" % writer[1].name)
                elif not of_cond and writer is None and not self.rule.pattern.name.startswith("cond"):
                    self.error(e.loc, "'%s' reads flags that nothing in this result has written" % e.name)
                read = True
            if writes:
                if writer is not None and not read and only_flags(writer[1]):
                    self.error(writer[0].loc, "the flags of '%s' are overwritten before they are read" % writer[0].name)
                writer, read = (e, inst), False
        if writer is not None and not read and only_flags(writer[1]) and not self.rule.pattern.name.startswith("cond"):
            self.error(writer[0].loc, "nothing reads the flags of '%s'" % writer[0].name)


def only_flags(inst):
    return not any(o.writes for o in inst.opnds) and not getattr(inst, "stores", False)


def flags_of(isa, inst):
    """(reads, writes) of an instruction or a relaxable branch (what its first row does)."""
    if hasattr(inst, "rows"):
        insts = [isa.insts[n.name] for row in inst.rows[:1]
                 for x in [s.value for s in row.result.stmts] + [row.result.value] if x is not None
                 for n in x.walk() if n.k == "call" and n.name in isa.insts]
        return any(i.reads_flags for i in insts), any(i.writes_flags for i in insts)
    return bool(inst.reads_flags), bool(inst.writes_flags)


def check_before(isa, diag):
    rules = {r.name: r for r in isa.rules}
    names = set(rules) | set(isa.insts)
    for r in isa.rules:
        for name, loc in r.before:
            if name not in names:
                diag.error(loc, "no rule is named '%s'" % name)
            elif name == r.name:
                diag.error(loc, "'%s' stands before itself" % name)

    def reaches(a, b, seen):
        if a in seen or a not in rules:
            return False
        seen.add(a)
        return any(n == b or reaches(n, b, seen) for n, _ in rules[a].before)

    for r in isa.rules:
        for name, loc in r.before:
            if name != r.name and reaches(name, r.name, set()) and r.name < name:
                diag.error(loc, "'%s' and '%s' stand before each other" % (r.name, name))


def check(isa, model, diag, total):
    for rule in isa.rules:
        RuleCheck(isa, model.ir, rule, diag).check()
    check_before(isa, diag)
    if diag or not (isa.rules or total):
        return
    import checks_cost
    import checks_overlap
    import checks_total
    import patterns
    found = patterns.patterns_of(isa, model.ir, diag)
    if diag:
        return
    isa.patterns = found
    checks_overlap.check(isa, found, diag)
    if not diag:
        checks_cost.check(isa, found, diag)
    if total:
        checks_total.check(isa, model, found, diag)
