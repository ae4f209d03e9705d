"""<isa>_select.c: the instruction selector of a machine, from its patterns (patterns.py).

One C function for each opcode: a switch on the controlling type, then the arms in their order. An arm looks at the
instructions below the root, and only when all fits takes the rule: says so (sel_take, sel_cover), then puts machine
instructions. Conditions (`cond`) are matched first and put where the first reader of the flags stands, so that a flag
writer is always followed by its readers.

In a pattern, `c: cond` is a condition that one condition code decides, `c: both` and `c: either` one of two codes, `c: plain` a
value that no condition rule looks into, in a register. As the only
argument of an opcode with several operands (`icmp(c: cond)`) it is the root's own. `cond(...)` as the root of a rule's
pattern says how a condition is put; the rule ends in its code.

What a rule's result may name, beyond its variables and machine instructions:
    then, other, ...      the opcode's own attributes: block labels, numbers, trap code
    trap(code)            a label: the trap block for the code
    func(f) global(g) table(to)    symbols: a function, a global value, the jump table
    pool(bits, n)         a symbol: n bytes of constant pool that start with the bits
    slot(s)               a stack slot, where a base register stands
    bd(b, d), ...         a form of a composite operand
    c.cc, c.cc2           the condition codes of a Cond; cc_of(k): of an integer comparison, cc_of(swap(k)): with
                          its sides exchanged; not(cc): the opposite
    zeros(x)              in a guard: x has zeros above it in its register
    log2(n), top(n)       a number: which bit of n is the lowest, the highest that is 1
    both(a, b), either(a, b)       of a condition rule: two codes
    pair(a, b)            of an opcode with two results
    define(a)             of a condition rule: the other result of the instruction it folds
"""
import re

import zeros

from diag import Diagnostics, Rejected
from patterns import Cond, DRIVER_OPS, Node, control_types, covers_instance, every_item, imm_range, patterns_of
from select_arm import Arm, Wrong, type_bits


def outputs(isas):
    return ["%s_select.c" % isa for isa in isas]


def emit(model):
    texts, diag = {}, Diagnostics()
    for name, isa in model.isas.items():
        patterns = isa.patterns or patterns_of(isa, model.ir, diag)
        if not diag:
            texts["%s_select.c" % name] = Writer(isa, model.ir, patterns, diag).text()
    if diag:
        raise Rejected(diag)
    return texts


BANNER = """// Generated from md/%s.md and md/ir.md by gen/vtgen/emit_select.py. Do not edit.
//
// The instruction selector of %s: one function for each opcode; its arms stand in the order they are tried.
#include "%s.h"
#include "select/sel.h"

"""


def int_when(e, x, y):
    """Truth of an integer comparison of two 8-bit numbers, e over the names x and y."""
    def value(n):
        if n.k == "name":
            return {"x": x, "y": y, "a": x, "b": y}[n.name]
        raise KeyError(n.k)
    a, b = value(e.args[0]), value(e.args[1])
    sa, sb = (a ^ 128) - 128, (b ^ 128) - 128
    return {"eq": a == b, "ne": a != b, "ult": a < b, "ule": a <= b, "slt": sa < sb, "sle": sa <= sb}[e.op]


SAMPLES = [(a, b) for a in (0, 1, 127, 128, 255) for b in (0, 1, 127, 128, 255)]


def flag_truth(e, bits):
    if e.k == "name":
        return bits[e.name]
    if e.k == "un":
        return not flag_truth(e.args[0], bits)
    a, b = (flag_truth(x, bits) for x in e.args)
    return {"lor": a or b, "land": a and b, "eq": a == b, "ne": a != b, "or": a or b, "and": a and b}[e.op]


class Conds:
    """Condition codes of a machine: numbers by name, opposites, and what integer comparisons give."""

    def __init__(self, isa, ir):
        self.cond = next(iter(isa.conds.values()), None)
        self.numbers, self.opposite, self.of_int = {}, {}, {}
        self.items = self.cond.items if self.cond is not None else []
        if self.cond is None:
            return
        for item in self.cond.items:
            for n in item.names:
                self.numbers[n] = item.value
        names = sorted({f for flags in isa.flags.values() for f in flags.bits})
        worlds = [dict(zip(names, [bool(k >> i & 1) for i in range(len(names))])) for k in range(1 << len(names))]
        truth = {i.value: tuple(flag_truth(i.when, w) for w in worlds) for i in self.cond.items}
        for a, ta in truth.items():
            for b, tb in truth.items():
                if all(x != y for x, y in zip(ta, tb)):
                    self.opposite[a] = b
        proved = {}
        for after in isa.after:
            for name, expr, _ in after.items:
                try:
                    proved[tuple(int_when(expr, *s) for s in SAMPLES)] = self.numbers[name]
                except (KeyError, IndexError):  # no comparison of integers
                    break
        for item in ir.conds["intcc"].items:
            key = tuple(int_when(item.when, *s) for s in SAMPLES)
            if key in proved:
                self.of_int[item.value] = proved[key]


def asks_zeros(isa):
    """Does some rule ask what stands above a value?"""
    return any(e.k == "call" and e.name == "zeros" for r in isa.rules if r.guard is not None for e in r.guard.walk())


class Writer:
    def __init__(self, isa, ir, patterns, diag):
        self.isa, self.ir, self.patterns, self.diag = isa, ir, patterns, diag
        self.conds = Conds(isa, ir)
        self.used = {}  # machine instructions put by some rule
        self.comps = {}
        self.upper = isa.name.upper()
        self.reloc_imms = {r.imm.name for r in isa.relocs.values() if r.imm is not None}
        self.hold = {}
        for h in isa.holds:
            self.hold[h.cls.file.name] = h.cls
        self.cond_arms = patterns.by_root.get("cond", [])

    def text(self):
        body = []
        try:
            if self.cond_arms:
                body += self.cond_functions()
            for root in self.patterns.by_root:
                if root != "cond":
                    body += self.root_function(root)
            body += self.dispatcher() + self.covers()
            if asks_zeros(self.isa):
                body += zeros.function(self.isa, self.ir, self.patterns)
        except Wrong as e:
            self.diag.error(e.loc, e.text)
        head = [BANNER % (self.isa.name, self.isa.name, self.isa.name)]
        body = "".join(body)
        return "".join(head + self.tables(body) + self.putters() + self.mem_functions()) + body

    # ---- what all arms use ----

    def tables(self, body):
        out = ["enum { // register classes\n"]
        out += ["    CLS_%s = %d,\n" % (c.name, c.index) for c in self.isa.classes.values()]
        out.append("};\n\n")
        for name, table, what in (("cc_of", self.conds.of_int, "The condition code of a comparison, by IntCC."),
                                  ("cc_not", self.conds.opposite, "The opposite condition.")):
            if name + "[" in body:
                codes = ", ".join(str(table.get(k, 0)) for k in range(max(table) + 1))
                out.append("// %s\nstatic const uint8_t %s[] = {%s};\n\n" % (what, name, codes))
        if "cond_plain[" in body:
            out.append(wrap_list("// Is the condition a value that no rule looks into?\nstatic const bool cond_plain[] = {",
                                 ["0" if isinstance(p.tree, Node) else "1" for p in self.cond_arms]))
        return out

    def cls_of(self, opnd):
        if opnd.type == "fixed":
            return self.hold[opnd.reg.file.name]
        return opnd.cls

    def fixed_of(self, opnd):
        return "%d /* %s */" % (opnd.reg.index, opnd.reg.name) if opnd.type == "fixed" else "NO_REG"

    def mop(self, name):
        return "%s_%s" % (self.upper, name)

    def putters(self):
        """One function for each machine instruction that is used: fills its slots."""
        out = ["// ---- machine instructions\n\n"]
        for name in sorted(self.used):
            inst = self.used[name]
            params, lines, slot = [], [], 0
            for o in inst.opnds:
                cls = "CLS_%s" % self.cls_of(o).name if o.type in ("reg", "fixed") else None
                fixed = self.fixed_of(o)
                if o.type in ("reg", "fixed"):
                    if o.writes:
                        params.append("uint32_t %s" % o.name)
                        lines.append("o[%d] = %s(%s, %s, %s);" % (slot, "sel_def_early" if o.role == "early" else "sel_def",
                                                                  o.name, cls, fixed))
                        slot += 1
                    if o.reads:
                        source = o.name + "_in" if o.role == "inout" else o.name
                        params.append("uint32_t %s" % source)
                        lines.append("o[%d] = %s(%s, %s, %s);" % (slot, "sel_tied" if o.role == "inout" else "sel_in", source,
                                                                  cls, fixed))
                        slot += 1
                elif o.type == "composite":
                    params.append("const SelMem *%s" % o.name)
                    lines.append("sel_put_mem(&o[%d], %s);" % (slot, o.name))
                    slot += 1 + o.comp.max_parts
                else:
                    params.append(self.param_type(o) + " " + o.name)
                    lines.append("o[%d] = %s;" % (slot, o.name if self.is_place(o) else "sel_imm(%s)" % o.name))
                    slot += 1
            head = "static void put_%s(%s) {\n" % (name, ", ".join(["Sel *s"] + params))
            out.append(wrap(head))
            if slot:
                out.append("    MOpnd *o = sel_inst(s, %s, %d);\n" % (self.mop(name), slot))
            else:
                out.append("    (void)sel_inst(s, %s, 0);\n" % self.mop(name))
            out += ["    %s\n" % line for line in lines] + ["}\n\n"]
        return out

    def is_place(self, o):
        """May the operand be a symbol or label?"""
        return o.type == "label" or (o.type == "imm" and o.imm.name in self.reloc_imms)

    def param_type(self, o):
        if self.is_place(o):
            return "MOpnd"
        return "unsigned" if o.type == "cond" else "int64_t"

    # ---- composite operands ----

    def address_form(self, form):
        """The initialisers of a SelAddrForm, from the form's expression; None: no address that is looked for."""
        at = {p.name: n + 1 for n, p in enumerate(form.params)}
        part = {p.name: p for p in form.params}
        out = {"form": form.index, "n": len(form.params)}

        def summand(e):
            if e.k == "bin" and e.op == "add":
                return summand(e.args[0]) and summand(e.args[1])
            shift = None
            if e.k == "bin" and e.op == "shl":
                e, shift = e.args
            extend = {"zext": "SEL_INDEX_ZEXT", "sext": "SEL_INDEX_SEXT"}.get(e.name) if e.k == "call" else None
            if extend:
                e = e.args[0]
            if e.k != "name":
                return False
            if e.name == "pc_next":
                out["pc"] = True
                return True
            p = part.get(e.name)
            if p is None:
                return False
            if p.type == "imm" and shift is None and not extend:
                out["disp"], out["disp_kind"] = at[e.name], list(self.isa.imms).index(p.imm.name)
                if form.most is not None:
                    out["most"] = form.most
                return True
            if p.type != "reg" or ("base" in out and "index" in out):
                return False
            if shift is None and not extend and "base" not in out:
                out["base"], out["base_cls"] = at[e.name], "CLS_%s" % p.cls.name
                return True
            out["index"], out["index_cls"] = at[e.name], "CLS_%s" % p.cls.name
            if extend:
                out["extend"] = extend
            if shift is not None and shift.k == "num":
                out["min_shift"] = out["max_shift"] = shift.value
            elif shift is not None and shift.k == "name" and part[shift.name].type == "imm":
                out["scale"], out["max_shift"] = at[shift.name], (1 << imm_range(part[shift.name].imm)[1]) - 1
            return shift is None or "max_shift" in out
        if not summand(form.value):
            return None
        if out.pop("pc", False):
            if set(out) != {"form", "n", "disp", "disp_kind"}:
                return None
            out["symbol"] = out.pop("disp")
        return ", ".join(".%s = %s" % item for item in out.items())

    def mem_functions(self):
        out = []
        for comp in sorted(self.comps.values(), key=lambda c: c.name):
            out.append("// ---- operand %s: the form that fits an address\n\n" % comp.name)
            out.append("static const SelAddrForm forms_%s[] = {\n" % comp.name)
            n = 0
            for form in comp.forms:
                text = self.address_form(form)
                if text is not None:
                    out.append(wrap("    {%s}, // %s\n" % (text, form.name)))
                    n += 1
            out.append("};\n\nstatic SelMem use_%s(Sel *s, Value p, int64_t offset) {\n" % comp.name)
            out.append("    return sel_mem(s, p, offset, forms_%s, %d);\n}\n\n" % (comp.name, n))
        return out

    # ---- matching ----

    def features(self, names):
        return " | ".join("UINT64_C(1) << %d /* %s */" % (self.isa.features[n].index, n) for n in sorted(names))

    def root_function(self, root):
        patterns, op = self.patterns.by_root[root], self.ir.ops[root]
        out = ["static bool select_%s(Sel *s, Inst i) {\n" % root]
        args = sorted({k for p in patterns for k in range(len(p.tree.args)) if p.itself is None})
        for k in args:
            out.append("    const Value a%d = sel_arg(s, i, %d);\n" % (k, k))
        folded = sorted({k for p in patterns if p.itself is None for k, a in enumerate(p.tree.args)
                         if isinstance(a, Node) and a.nth is None})
        for k in folded:
            out.append("    const Inst f%d = sel_fold(s, a%d);\n" % (k, k))
        conds = sorted({k for p in patterns if p.itself is None for k, a in enumerate(p.tree.args) if isinstance(a, Cond)})
        for k in conds:
            out.append("    SelMatch q%d;\n    match_cond(s, a%d, sel_fold(s, a%d), &q%d);\n" % (k, k, k, k))
        if any(p.itself for p in patterns):
            out.append("    SelMatch q;\n    match_cond(s, inst_result(s->f, i, 0), i, &q);\n")
        types = control_types(op)
        if types == [None]:
            out += self.arms(patterns, "    ")
            out.append("    return false;\n")
        else:
            out.append("    switch (sel_data(s, i)->type) {\n")
            for t in types:
                mine = [p for p in patterns if p.type == t]
                if mine:
                    out.append("    case T_%s:\n" % t)
                    out += self.arms(mine, "        ")
                    out.append("        return false;\n")
            out.append("    default:\n        return false;\n    }\n")
        out.append("}\n\n")
        if not any(re.search(r"\bi\b", line) for line in "".join(out[1:]).splitlines() if not line.strip().startswith("//")):
            out.insert(1, "    (void)i;\n")
        return out

    def arms(self, patterns, pad):
        out = []
        for p in patterns:
            arm = Arm(self, p)
            out += [pad + line + "\n" for line in arm.lines()]
        return out

    # ---- conditions ----

    def cond_functions(self):
        arms = self.cond_arms
        groups, plain = {}, []
        for k, p in enumerate(arms):
            if isinstance(p.tree, Node):
                groups.setdefault((p.tree.op.name, p.tree.nth), []).append((k, p))
            else:
                plain.append((k, p))
        out = ["// ---- conditions: the arm that puts the flags, and the kind of answer it gives\n\n"]
        kinds = []
        puts = []
        for k, p in enumerate(arms):
            arm = Arm(self, p, cond=k)
            puts.append((k, arm))
            kinds.append(arm.cond_kind())
        out.append("enum { COND_ONE, COND_BOTH, COND_EITHER };\nstatic const uint8_t cond_kind[] = {%s};\n\n"
                   % ", ".join(kinds))
        for (op, nth), mine in groups.items():
            out.append("static bool match_cond_%s(Sel *s, Inst n0, SelMatch *m) {\n" % op)
            out.append("    switch (sel_data(s, n0)->type) {\n")
            for t in sorted({p.type for _, p in mine}):
                out.append("    case T_%s:\n" % t)
                for k, p in mine:
                    if p.type == t:
                        out += ["        " + line + "\n" for line in Arm(self, p, cond=k).match_lines()]
                out.append("        return false;\n")
            out.append("    default:\n        return false;\n    }\n")
            out.append("}\n\n")
        out.append("static void match_cond(Sel *s, Value v, Inst n0, SelMatch *m) {\n")
        out.append("    if (inst_ok(n0)) {\n        switch (sel_op(s, n0)) {\n")
        for (op, nth) in groups:
            if nth is None:
                out.append("        case OP_%s:\n            if (match_cond_%s(s, n0, m)) return;\n            break;\n" % (op, op))
        out.append("        default:\n            break;\n        }\n    }\n")
        multi = [(op, nth) for op, nth in groups if nth is not None]
        for nth in sorted({n for _, n in multi}):
            out.append("    n0 = sel_fold_multi(s, v, %d);\n    if (inst_ok(n0)) {\n        switch (sel_op(s, n0)) {\n" % nth)
            for op, n in multi:
                if n == nth:
                    out.append("        case OP_%s:\n            if (match_cond_%s(s, n0, m)) return;\n            break;\n"
                               % (op, op))
            out.append("        default:\n            break;\n        }\n    }\n")
        out.append("    m->v[0] = v;\n    switch (sel_type(s, v)) {\n")
        default = None
        for k, p in plain:
            for t in sorted(p.tree.types):
                out.append("    case T_%s:\n" % t)
            out.append("        m->arm = %d;\n        return;\n" % k)
            default = k
        out.append("    default:\n        m->arm = %d; // no other type is an integer\n        return;\n    }\n}\n\n" % (default or 0))
        out.append("static SelCond put_cond(Sel *s, const SelMatch *m) {\n    switch (m->arm) {\n")
        for k, arm in puts:
            out += ["    " + line + "\n" for line in arm.put_lines()]
        out.append("    default:\n        return (SelCond){0};\n    }\n}\n\n")
        return out

    # ---- the rest ----

    def dispatcher(self):
        out = ["bool %s_select(Sel *s, Inst i) {\n    switch (sel_op(s, i)) {\n" % self.isa.name]
        out.insert(0, "bool %s_select(Sel *s, Inst i);\n" % self.isa.name)
        for root in self.patterns.by_root:
            if root != "cond":
                out.append("    case OP_%s:\n        return select_%s(s, i);\n" % (root, root))
        return out + ["    default:\n        return false;\n    }\n}\n\n"]

    def covers(self):
        """<isa>_covers(): rows (controlling types, operand types, features) for each opcode."""
        name = self.isa.name
        out = ["// What is selected: see Target.covers.\n"
               "bool %s_covers(Op op, Type control, Type operand, uint64_t features);\n"
               "bool %s_covers(Op op, Type control, Type operand, uint64_t features) {\n"
               "    (void)features;\n    switch (op) {\n" % (name, name)]
        for op in DRIVER_OPS:
            if op in self.ir.ops:
                out.append("    case OP_%s:\n" % op)
        out.append("        return true;\n")
        for root, patterns in self.patterns.by_root.items():
            if root == "cond":
                continue
            rows = {}
            for p in patterns:
                if p.is_total():
                    for control, operand in self.instances_of(root, p):
                        rows.setdefault((operand, tuple(sorted(p.requires))), set()).add(control)
            items = {}
            for p in patterns:
                if p.item() and not p.requires:
                    for row in self.instances_of(root, p):
                        items.setdefault(row, []).append(p)
            for (control, operand), found in items.items():
                if every_item(found, self.ir, self.ir.ops[root]):
                    rows.setdefault((operand, ()), set()).add(control)
            merged = {}
            for (operand, need), controls in rows.items():
                merged.setdefault((tuple(sorted(controls)), need), set()).add(operand)
            if not merged:
                continue
            tests = []
            for (controls, need), operands in sorted(merged.items()):
                test = "in_set(control, %s) && in_set(operand, %s)" % (type_bits(controls), type_bits(sorted(operands)))
                if need:
                    mask = self.features(need)
                    test += " && (features & (%s)) == (%s)" % (mask, mask)
                tests.append("(%s)" % test if len(merged) > 1 else test)
            out.append("    case OP_%s:\n        return %s;\n" % (root, " ||\n               ".join(tests)))
        out.append("    default:\n        return false;\n    }\n}\n")
        out.insert(0, "static bool in_set(Type t, TypeSet set) { return set >> t & 1; }\n\n")
        return out

    def instances_of(self, root, p):
        op = self.ir.ops[root]
        free = [v for v, _ in op.vars[1:] if any(q.kind == v for q in op.params)]
        wanted = [v for v in free if len(dict(op.vars)[v]) > 0]
        for inst in op.instances():
            control = inst.control.name if inst.control else "none"
            if control != (p.type or "none") or (p.itself is None and not covers_instance(p, inst)):
                continue
            operand = inst.types[wanted[0]].name if wanted else "none"
            if op.results == [] and not op.vars[1:]:
                operand = "none"
            yield control, operand


def wrap_list(head, items, per=36):
    """An initialiser in lines of a readable length."""
    lines = [", ".join(items[k:k + per]) for k in range(0, len(items), per)]
    return head + "\n    " + ",\n    ".join(lines) + "};\n\n"


def wrap(line, width=118):
    """A long head of a function on several lines."""
    if len(line) <= width:
        return line
    at = line.rindex(", ", 0, width)
    return line[:at + 1] + "\n    " + wrap(line[at + 2:], width)
