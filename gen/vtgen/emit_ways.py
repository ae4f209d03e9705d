"""<isa>_ways.c: what becomes of every opcode at every choice of types (core/select/ways.h), from what the checks of
totality, the selector and md/expand.md know."""
from checks_total import Totality, row_of
from diag import Diagnostics
from emit_encode import banner
from patterns import DRIVER_OPS, Cond, Const, Mem, Node, Var
from tree import show


def outputs(isas):
    return ["%s_ways.c" % isa for isa in isas]


def emit(model):
    return {"%s_ways.c" % name: Ways(isa, model).text() for name, isa in model.isas.items()}


def c_text(text):
    return "NULL" if text is None else '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def may_match(pattern, inst):
    """Can the pattern match the root at this choice of types?"""
    if pattern.type != (inst.control.name if inst.control else None):
        return False
    if pattern.itself is not None:
        return True
    for arg, param in zip(pattern.tree.args, inst.op.params):
        t = inst.type_of(param.kind)
        if t is None or isinstance(arg, (Mem, Cond)):
            continue
        if isinstance(arg, (Var, Const)) and t.name not in arg.types:
            return False
        if isinstance(arg, Node) and arg.result_type(arg.nth or 0) != t.name:
            return False
    return True


def calls_library(rule):
    exprs = [s.value for s in rule.result.stmts] + ([rule.result.value] if rule.result.value is not None else [])
    return any(x.k == "call" and x.name == "libcall" for e in exprs for x in e.walk())


def result_text(rule):
    return show(rule.result.value) if not rule.result.stmts else str(rule.result)


class Ways:
    def __init__(self, isa, model):
        self.isa, self.model = isa, model
        self.total = Totality(isa, model, isa.patterns, Diagnostics())
        self.choices, self.places = [], {}  # texts of the choices, each once; run of numbers -> its place in the list
        self.known, self.list = {}, []

    def number(self, text):
        if text not in self.known:
            self.known[text] = len(self.choices)
            self.choices.append(text)
        return self.known[text]

    def of_pattern(self, p):
        source = p.rule.name if p.rule is not None else p.inst.name
        insts = " ".join(i.name for i in p.insts)
        features = 0
        for name in p.requires:
            features |= 1 << self.isa.features[name].index
        return self.number("{%s, %s, %s, %s, 0x%x, %d, %s, %s}" % (
            c_text(source), c_text(str(p)), c_text(show(p.guard) or None), c_text(insts), features, p.loc.line,
            "CHOICE_RULE" if p.rule is not None else "CHOICE_DERIVED", "true" if p.is_total() or p.item() and not p.requires else "false"))

    def of_expansion(self, x):
        rule = x.rule
        return self.number("{%s, %s, %s, %s, 0, %d, %s, %s}" % (
            c_text(rule.name), c_text(show(rule.pattern)), c_text(show(rule.guard) or None), c_text(result_text(rule)),
            rule.loc.line, "CHOICE_LIBCALL" if calls_library(rule) else "CHOICE_EXPANSION", "true" if x.fits else "false"))

    def run(self, numbers):
        """Where a run of choices stands in the list."""
        key = tuple(numbers)
        if key not in self.places:
            self.places[key] = len(self.list)
            self.list += numbers
        return self.places[key], len(numbers)

    def selected(self, inst):
        found = [p for p in self.isa.patterns.by_root.get(inst.op.name, ()) if not p.order and may_match(p, inst)]
        return [self.of_pattern(p) for p in found]

    def reason(self, row):
        names = (row[0], row[0] + ("." + row[1] if row[1] else ""))
        refused = [(n, why) for n, why, _ in self.isa.unsupported] + list(self.model.ir.unsupported)
        return next((why for n, why in refused if n in names), None)

    def row(self, inst):
        row = row_of(inst)
        op, control, operand = row
        choices, why = self.selected(inst), None
        expansions = self.total.expanded.get(row, ())
        if op in DRIVER_OPS:
            way = "WAY_DRIVER"
        elif row in self.total.covered:
            way = "WAY_SELECTED"
        elif self.total.rows[row]:
            way = "WAY_LIBCALL" if any(x.fits and calls_library(x.rule) for x in expansions) else "WAY_EXPANDED"
        else:
            way, why = "WAY_UNSUPPORTED", self.reason(row)
        if way != "WAY_UNSUPPORTED":
            choices += [self.of_expansion(x) for x in expansions]
        first, n = self.run(choices if way != "WAY_DRIVER" else [])
        return "{OP_%s, T_%s, T_%s, %s, %d, %d, %s}" % (op, control or "none", operand or "none", way, first, n, c_text(why))

    def text(self):
        rows, seen = [], set()
        for op in self.model.ir.ops.values():
            for inst in op.instances():
                if row_of(inst) not in seen:
                    seen.add(row_of(inst))
                    rows.append(self.row(inst))
        conds = self.run([self.of_pattern(p) for p in self.isa.patterns.by_root.get("cond", ()) if not p.order])
        out = [banner(self.isa, "emit_ways"), '#include "select/ways.h"', '#include "%s.h"' % self.isa.name, ""]
        out += ["static const OpChoice choices[] = {"] + ["    %s," % c for c in self.choices or ["{0}"]] + ["};", ""]
        out += ["static const uint16_t lists[] = {"]
        out += ["    %s," % ", ".join(map(str, self.list[k:k + 20])) for k in range(0, len(self.list) or 1, 20)]
        out += ["};", "", "static const OpRow rows[] = {"] + ["    %s," % r for r in rows] + ["};", ""]
        out += ["const Ways %s_ways = {choices, lists, rows, sizeof rows / sizeof *rows, %d, %d};" % (self.isa.name, *conds), ""]
        return "\n".join(out)
