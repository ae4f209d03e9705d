"""<isa>_select.c: the instruction selector of a machine, from its patterns (patterns.py).

One C function for each opcode: a switch on the controlling type, then the arms in their order. An arm looks at the
instructions below the root, and only when all fits takes the rule: says so (sel_take, sel_cover), then puts machine
instructions. Conditions (`cond`) are matched first and put where the first reader of the flags stands, so that a flag
writer is always followed by its readers.

What a rule's result may name, beyond its variables and machine instructions:
    then, other, ...      the opcode's own attributes: block labels, numbers, trap code
    trap(code)            a label: the trap block for the code
    func(f) global(g) table(to)    symbols: a function, a global value, the jump table
    pool(bits, n)         a symbol: n bytes of constant pool that start with the bits
    slot(s)               a stack slot, where a base register stands
    bd(b, d), ...         a form of a composite operand
    c.cc, c.cc2           the condition codes of a Cond; cc_of(k): of an integer comparison; not(cc): the opposite
    both(a, b), either(a, b)       of a condition rule: two codes
    pair(a, b)            of an opcode with two results
    define(a)             of a condition rule: the other result of the instruction it folds
"""
import re
import sys

from diag import Diagnostics
from patterns import Cond, Const, DRIVER_OPS, Mem, Node, Var, control_types, covers_instance, imm_range, patterns_of


def outputs(isas):
    return ["%s_select.c" % isa for isa in isas]


def emit(model):
    texts, diag = {}, Diagnostics()
    for name, isa in model.isas.items():
        patterns = patterns_of(isa, model.ir, diag)
        if not diag:
            texts["%s_select.c" % name] = Writer(isa, model.ir, patterns, diag).text()
    if diag:
        diag.report(sys.stderr)
        sys.exit(1)
    return texts


BANNER = """// Generated from md/%s.md and md/ir.md by gen/vtgen/emit_select.py. Do not edit.
//
// The instruction selector of %s: one function for each opcode; its arms stand in the order they are tried.
#include "%s.h"
#include "select/sel.h"

"""


class Wrong(Exception):
    def __init__(self, loc, text):
        super().__init__(text)
        self.loc, self.text = loc, text


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
                codes = ", ".join(str(table[k]) for k in range(max(table) + 1))
                out.append("// %s\nstatic const uint8_t %s[] = {%s};\n\n" % (what, name, codes))
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

    def roles(self, form):
        """part name -> base, index, scale, disp, symbol, from the form's expression."""
        roles = {}

        def add(e):
            if e.k == "bin" and e.op == "add":
                add(e.args[0])
                add(e.args[1])
            elif e.k == "bin" and e.op == "shl" and e.args[0].k == "name":
                roles[e.args[0].name] = "index"
                if e.args[1].k == "name":
                    roles[e.args[1].name] = "scale"
            elif e.k == "name" and e.name != "pc_next":
                p = next((p for p in form.params if p.name == e.name), None)
                if p is not None:
                    roles[e.name] = "disp" if p.type == "imm" else "base"
            elif e.k == "name":
                roles["pc"] = "pc"
        add(form.value)
        if "pc" in roles:
            del roles["pc"]
            roles = {n: "symbol" for n in roles}
        return roles

    def mem_functions(self):
        out = []
        for comp in sorted(self.comps.values(), key=lambda c: c.name):
            out.append("// ---- operand %s: the form that fits an address\n\n" % comp.name)
            shapes = []
            for form in comp.forms:
                roles = self.roles(form)
                shapes.append((form, roles, frozenset(roles.values())))
            scales = [imm_range(p.imm)[1] for f, r, _ in shapes for p in f.params if r.get(p.name) == "scale"]
            disps = [imm_range(p.imm)[1] for f, r, _ in shapes for p in f.params if r.get(p.name) == "disp"]
            have = [s for _, _, s in shapes]
            index = any("index" in s and "base" in s for s in have)
            symbol = any("symbol" in s for s in have)
            out.append("static SelMem use_%s(Sel *s, Value p, int64_t offset) {\n" % comp.name)
            out.append("    static const SelAddrLimits limits = {.disp_bits = %d, .max_scale = %d, .index = %s, "
                       ".index_only = %s, .symbol = %s};\n" % (
                           min(disps or [0]), (1 << min(scales)) - 1 if scales else 0, "true" if index else "false",
                           "true" if any("index" in s and "base" not in s for s in have) else "false",
                           "true" if symbol else "false"))
            out.append("    SelAddr a = sel_address(s, p, offset, &limits);\n    SelMem m = {0};\n")
            for want, test in (("symbol", "a.kind == SEL_ADDR_SYMBOL"), ("base index", "a.has_index && a.kind != SEL_ADDR_NONE"),
                               ("index", "a.has_index"), ("base", None)):
                words = set(want.split())
                fit = [x for x in shapes if {"base", "index", "symbol"} & x[2] == words]
                if not fit:
                    continue
                form, roles, _ = fit[0]
                pad = "        " if test else "    "
                if test:
                    out.append("    if (%s) {\n" % test)
                out.append("%sm.form = %d; // %s\n%sm.n = %d;\n" % (pad, form.index, form.name, pad, len(form.params)))
                for k, p in enumerate(form.params):
                    role = roles[p.name]
                    value = {"base": "sel_addr_base(s, &a, CLS_%s)" % (p.cls.name if p.cls else ""),
                             "index": "sel_in(sel_use(s, a.index), CLS_%s, NO_REG)" % (p.cls.name if p.cls else ""),
                             "scale": "sel_imm(a.scale)", "disp": "sel_imm(a.disp)",
                             "symbol": "sel_sym(a.number, a.disp)"}[role]
                    out.append("%sm.part[%d] = %s;\n" % (pad, k, value))
                if test:
                    out.append("        return m;\n    }\n")
            out.append("    return m;\n}\n\n")
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


def type_bits(names):
    return " | ".join("1u << T_%s" % n for n in names)


def wrap(line, width=118):
    """A long head of a function on several lines."""
    if len(line) <= width:
        return line
    at = line.rindex(", ", 0, width)
    return line[:at + 1] + "\n    " + wrap(line[at + 2:], width)


class Arm:
    """One pattern as C. cond: its number among the arms of `cond`, when it is one."""

    def __init__(self, writer, pattern, cond=None):
        self.w, self.p, self.cond = writer, pattern, cond
        self.tests, self.out = [], []
        self.env = {}      # name -> (kind, C text)
        self.nodes = []    # (C name, Node) below the root
        self.mems, self.saved = {}, []
        self.counter = 0
        self.ends = False
        self.flags = False  # the flags were put by the last writer
        self.dests = {}

    def comment(self):
        p = self.p
        text = "// %s (%s): %s" % (p.name, p.loc, p)
        return [text[:116] + "..." if len(text) > 119 else text]

    # ---- matching: self.tests is a list of C statements; `break` leaves the arm ----

    def match(self):
        p = self.p
        root = "n0" if self.cond is not None else "i"
        if p.requires:
            self.tests.append("if (!sel_has(s, %s)) break;" % self.w.features(p.requires))
        if isinstance(p.tree, Node):
            self.bind_attrs(p.tree, root)
            if p.itself is not None:
                self.test_cond(p.itself, "q")
            else:
                self.match_args(p.tree, root, top=self.cond is None)
        else:
            self.env[p.tree.name] = ("value", "m->v[0]")
        if p.guard is not None:
            self.tests.append("if (!(%s)) break;" % self.number(p.guard))

    def match_args(self, node, inst, top=False):
        order = sorted(range(len(node.args)), key=lambda k: not isinstance(node.args[k], (Node, Const)))
        for k in order:
            arg = node.args[k]
            value = "a%d" % k if top else "sel_arg(s, %s, %d)" % (inst, k)
            if isinstance(arg, Node):
                self.match_node(arg, value, "f%d" % k if top and arg.nth is None else None)
            elif isinstance(arg, Const):
                self.match_const(arg, value)
            elif isinstance(arg, Var):
                self.match_var(arg, node, k, value)
            elif isinstance(arg, Mem):
                self.match_mem(arg, node, inst, value)
            elif isinstance(arg, Cond):
                self.test_cond(arg, "q%d" % k)

    def match_node(self, node, value, folded):
        name = "n%d" % (len(self.nodes) + 1)
        self.nodes.append((name, node))
        fold = folded or ("sel_fold(s, %s)" % value if node.nth is None else "sel_fold_multi(s, %s, %d)" % (value, node.nth))
        control = "T_%s" % node.type if node.type else "T_none"
        self.tests.append("const Inst %s = %s;" % (name, fold))
        self.tests.append("if (!sel_is(s, %s, OP_%s, %s)) break;" % (name, node.op.name, control))
        self.saved.append(("n", name))
        self.bind_attrs(node, name)
        self.match_args(node, name)

    def bind_attrs(self, node, inst):
        given = dict(node.attrs)
        for attr in node.op.attrs:
            how = given.get(attr.name, ("bind", attr.name) if inst in ("i", "n0") else None)
            if how is None:
                continue
            if how[0] == "is":
                prefix = {"intcc": "ICC", "floatcc": "FCC"}[attr.kind]
                self.tests.append("if (sel_data(s, %s)->code != %s_%s) break;" % (inst, prefix, how[1]))
                continue
            data = "sel_data(s, %s)" % inst
            self.env[how[1]] = {
                "imm64": ("number", "sel_imm_of(s, %s)" % inst), "ieee32": ("number", data + "->imm"),
                "ieee64": ("number", data + "->imm"), "offset": ("number", data + "->imm"),
                "intcc": ("intcc", data + "->code"), "floatcc": ("floatcc", data + "->code"),
                "trapcode": ("code", data + "->code"), "func": ("func", data + "->ref"), "global": ("global", data + "->ref"),
                "slot": ("slot", data + "->ref"), "blocks": ("blocks", ""), "memflags": ("none", ""), "sig": ("none", ""),
                "block": ("label", "sel_block(sel_target(s, %d))" % self.block_number(node, attr))}[attr.kind]

    def block_number(self, node, attr):
        return [a.name for a in node.op.attrs if a.kind == "block"].index(attr.name) if attr.kind == "block" else 0

    def match_const(self, const, value):
        name = "c%d" % len(self.saved)
        self.saved.append(("c", name))
        self.tests.append("int64_t %s;" % name)
        test = "!sel_const(s, %s, &%s)" % (value, name)
        if const.name[0] == "=":
            test += " || %s != %s" % (name, const.name[1:])
        else:
            self.env[const.name] = ("number", name)
        if const.kind is not None:
            test += " || !%s" % self.fits(const.kind, name)
        self.tests.append("if (%s) break;" % test)

    def fits(self, imm, text):
        kind, bits = imm_range(imm)
        if kind is None:
            raise Wrong(self.p.loc, "the range of immediate '%s' cannot be tested" % imm.name)
        return "sel_fits_%s(%s, %d)" % ({"s": "signed", "z": "unsigned", "exact": "bits"}[kind], text, bits)

    def match_var(self, var, node, k, value):
        param = node.op.params[k]
        possible = {i.type_of(param.kind).name for i in node.op.instances()
                    if i.type_of(param.kind) is not None and (i.control.name if i.control else None) == node.type}
        name = "v%d" % len(self.saved)
        self.saved.append(("v", name))
        self.tests.append("const Value %s = %s;" % (name, value))
        if not possible <= var.types:
            types = sorted(var.types & possible)
            if len(types) == 1:
                self.tests.append("if (sel_type(s, %s) != T_%s) break;" % (name, types[0]))
            else:
                self.tests.append("if (!type_in(sel_type(s, %s), %s)) break;" % (name, type_bits(types)))
        self.env[var.name] = ("value", name)

    def match_mem(self, mem, node, inst, value):
        offset = "sel_data(s, %s)->imm" % inst if any(a.kind == "offset" for a in node.op.attrs) else "0"
        if mem.name in self.mems:
            v, c = self.mems[mem.name]
            self.tests.append("if (!value_eq(%s, %s) || %s != %s) break;" % (v, value, c, offset))
            return
        v, c = "v%d" % len(self.saved), "c%d" % (len(self.saved) + 1)
        self.saved += [("v", v), ("c", c)]
        self.tests.append("const Value %s = %s;" % (v, value))
        self.tests.append("const int64_t %s = %s;" % (c, offset))
        self.mems[mem.name] = (v, c)
        self.w.comps[mem.comp.name] = mem.comp
        self.env[mem.name] = ("address", (mem.comp, v, c))

    def test_cond(self, cond, q):
        want = {"cond": "COND_ONE", "both": "COND_BOTH", "either": "COND_EITHER"}[cond.kind]
        self.tests.append("if (cond_kind[%s.arm] != %s) break;" % (q, want))
        self.env[cond.name] = ("cond", q)

    # ---- C of the whole arm ----

    def lines(self):
        self.match()
        self.take()
        self.put_result()
        body = drop_unused(self.tests + self.out) + ["return true;"]
        return self.comment() + ["do {"] + ["    " + x for x in body] + ["} while (0);"]

    def take(self):
        self.out.append('sel_take(s, "%s");' % self.p.name)
        for name, node in self.nodes:
            self.out.append("sel_cover(s, %s);" % name)

    def match_lines(self):
        self.match()
        body = list(self.tests) + ["m->arm = %d;" % self.cond, "m->n[0] = n0;"]
        counts = {"n": 1, "v": 0, "c": 0}
        for kind, name in self.saved:
            body.append("m->%s[%d] = %s;" % (kind, counts[kind], name))
            counts[kind] += 1
        return self.comment() + ["do {"] + ["    " + x for x in body] + ["    return true;", "} while (0);"]

    def put_lines(self):
        """The case of put_cond() for this arm."""
        if not self.tests:
            self.match()
        self.tests = []
        counts = {"n": 1, "v": 0, "c": 0}
        if isinstance(self.p.tree, Node):
            self.out.append("const Inst n0 = m->n[0];")
            self.out.append("sel_cover(s, n0);")
        for kind, name in self.saved:
            ctype = {"n": "const Inst", "v": "const Value", "c": "const int64_t"}[kind]
            self.out.append("%s %s = m->%s[%d];" % (ctype, name, kind, counts[kind]))
            counts[kind] += 1
        for name, _ in self.nodes:
            self.out.append("sel_cover(s, %s);" % name)
        self.put_result()
        body = drop_unused(self.out)
        return ["case %d: { // %s" % (self.cond, self.p.name)] + ["    " + x for x in body] + ["}"]

    def cond_kind(self):
        v = self.p.rule.result.value
        if v is not None and v.k == "call" and v.name in ("both", "either"):
            return "COND_BOTH" if v.name == "both" else "COND_EITHER"
        return "COND_ONE"

    # ---- results ----

    def put_result(self):
        p = self.p
        if p.rule is None:
            self.put_derived()
            return
        seq = p.rule.result
        finals, stmts = self.finals(seq)
        for k, e in enumerate(finals):
            if e.k == "name":
                self.dests[e.name] = k
            elif e.k == "dot" and e.args[0].k == "name":
                self.dests[e.args[0].name, e.name] = k
        for stmt in stmts:
            if stmt.k == "let":
                self.let(stmt)
            else:
                self.do(stmt.value)
        if self.cond is not None:
            self.put_codes(seq)
            return
        for k, e in enumerate(finals):
            self.final(k, e)

    def finals(self, seq):
        """The expressions of the results, and the statements."""
        if seq.value is None or self.cond is not None:
            return [], seq.stmts
        if seq.value.k == "call" and seq.value.name == "pair":
            return seq.value.args, seq.stmts
        if not self.w.ir.ops[self.p.root].results:
            return [], seq.stmts + [DoStmt(seq.value)]
        return [seq.value], seq.stmts

    def result(self, k):
        return "sel_result(s, i, %d)" % k

    def final(self, k, e):
        if e.k == "call" and e.name in self.w.isa.insts:
            self.inst(e, {None: self.result(k)})
            return
        kind = self.env.get(e.name) if e.k == "name" else None
        if kind is not None and kind[0] == "value":
            self.out.append("sel_rename(s, i, %d, %s);" % (k, kind[1]))
            return
        text = self.reg(e)
        if text != "d%d" % k:
            self.out.append("sel_rename_reg(s, i, %d, %s);" % (k, text))

    def put_derived(self):
        inst = self.p.inst
        args = []
        for o in inst.opnds:
            if o.writes and o.type in ("reg", "fixed"):
                args.append(self.result(0))
            if o.reads:
                kind, text = self.env[o.name]
                if kind == "value":
                    args.append("sel_use(s, %s)" % text)
                elif kind == "address":
                    args.append(self.use_mem(o.name))
                else:
                    args.append("sel_imm(%s)" % text if self.w.is_place(o) else text)
        self.call(inst, args)

    def call(self, inst, args):
        self.w.used[inst.name] = inst
        self.out.append("put_%s(%s);" % (inst.name, ", ".join(["s"] + args)))

    def use_mem(self, name):
        comp, v, c = self.env[name][1]
        self.out.append("const SelMem m_%s = use_%s(s, %s, %s);" % (name, comp.name, v, c))
        return "&m_%s" % name

    def new_name(self, stem):
        self.counter += 1
        return "%s%d" % (stem, self.counter)

    def let(self, stmt):
        e = stmt.value
        if e.k == "call" and e.name in self.w.isa.insts:
            outs = self.inst(e, None, stmt.name)
            if len(outs) == 1:
                self.env[stmt.name] = ("reg", next(iter(outs.values())))
            for opnd, text in outs.items():
                self.env[stmt.name + "." + opnd] = ("reg", text)
        elif self.is_mem(e):
            self.env[stmt.name] = ("mem", self.mem(e))
        else:
            name = self.new_name("k")
            self.out.append("const int64_t %s = %s;" % (name, self.number(e)))
            self.env[stmt.name] = ("number", name)

    def do(self, e):
        if e.k == "call" and e.name == "define":
            other = 1 - self.p.tree.nth
            self.out.append("sel_rename_reg(s, n0, %d, %s);" % (other, self.reg(e.args[0])))
            return
        if e.k != "call" or self.w.isa.inst(e.name) is None:
            raise Wrong(e.loc, "a machine instruction is due here")
        self.inst(e, None)

    # An instruction of a result: puts it; returns operand name -> C text of the register of each output.
    def inst(self, e, dest, name=None):
        inst = self.w.isa.inst(e.name)
        ins = [o for o in inst.opnds if o.reads]
        if len(e.args) != len(ins):
            raise Wrong(e.loc, "'%s' takes %d operands (%s), %d given"
                        % (e.name, len(ins), ", ".join(o.name for o in ins), len(e.args)))
        given = {o.name: self.argument(o, a) for o, a in zip(ins, e.args)}
        writers = [o for o in inst.opnds if o.writes]
        outs, args = {}, []
        for o in inst.opnds:
            if o.writes and o.type in ("reg", "fixed"):
                outs[o.name] = self.dest(o, dest, name, len(writers))
                args.append(outs[o.name])
            if o.reads:
                args.append(given[o.name])
        self.check_flags(inst, e)
        self.call(inst, args)
        return outs

    def check_flags(self, inst, e):
        reads = getattr(inst, "reads_flags", None) or any(o.type == "cond" for o in inst.opnds)
        if reads and not self.flags:
            raise Wrong(e.loc, "'%s' reads the flags, and nothing right before it in this result wrote them" % inst.name)
        if getattr(inst, "writes_flags", None):
            self.flags = True

    def dest(self, o, dest, name, n_outs):
        if dest is not None and n_outs == 1:
            return dest[None]
        k = self.dests.get((name, o.name), self.dests.get(name) if n_outs == 1 else None)
        if k is not None:
            text = "d%d" % k
            self.out.append("const uint32_t %s = %s;" % (text, self.result(k)))
            return text
        text = self.new_name("t")
        width = min(o.width, 64) if o.type == "reg" else o.width
        self.out.append("const uint32_t %s = sel_temp(s, CLS_%s, %d);"
                        % (text, self.w.hold[self.w.cls_of(o).file.name].name, width // 8))
        return text

    def argument(self, o, e):
        if o.type in ("reg", "fixed"):
            return self.reg(e)
        if o.type == "composite":
            return self.mem(e)
        if o.type == "cond":
            return self.code(e)
        if self.w.is_place(o):
            return self.place(e)
        return self.number(e)

    def reg(self, e):
        if e.k == "call" and e.name in self.w.isa.insts:
            outs = self.inst(e, None)
            if len(outs) != 1:
                raise Wrong(e.loc, "'%s' has %d outputs: give it a name and say which" % (e.name, len(outs)))
            return next(iter(outs.values()))
        name = e.name if e.k == "name" else "%s.%s" % (e.args[0].name, e.name) if e.k == "dot" else None
        kind, text = self.env.get(name, (None, None))
        if kind == "value":
            return "sel_use(s, %s)" % text
        if kind == "reg":
            return text
        raise Wrong(e.loc, "'%s' is no register here" % e)

    def is_mem(self, e):
        return e.k == "call" and self.form(e.name)[0] is not None

    def form(self, name):
        for comp in self.w.isa.operands.values():
            for form in comp.forms:
                if form.name == name:
                    return comp, form
        return None, None

    def mem(self, e):
        if e.k == "name" and self.env.get(e.name, ("",))[0] == "address":
            return self.use_mem(e.name)
        if e.k == "name" and self.env.get(e.name, ("",))[0] == "mem":
            return self.env[e.name][1]
        comp, form = self.form(e.name) if e.k == "call" else (None, None)
        if form is None or len(e.args) != len(form.params):
            raise Wrong(e.loc, "'%s' is no memory operand here" % e)
        parts = []
        for p, a in zip(form.params, e.args):
            if p.type == "reg" and a.k == "call" and a.name == "slot":
                parts.append("sel_slot(sel_stack_slot(s, %s), CLS_%s, 0)" % (self.entity(a.args[0], "slot"), p.cls.name))
            elif p.type == "reg":
                parts.append("sel_in(%s, CLS_%s, NO_REG)" % (self.reg(a), p.cls.name))
            else:
                parts.append(self.place(a) if self.w.is_place(p) else "sel_imm(%s)" % self.number(a))
        name = self.new_name("m")
        self.out.append("const SelMem %s = {.form = %d, .n = %d, .part = {%s}};" % (name, form.index, len(parts),
                                                                                ", ".join(parts)))
        return "&" + name

    def entity(self, e, kind):
        found = self.env.get(e.name if e.k == "name" else None, ("", ""))
        if found[0] != kind:
            raise Wrong(e.loc, "'%s' is no %s" % (e, kind))
        return found[1]

    def place(self, e):
        """A label, a symbol or a number where an address may stand."""
        if e.k == "name" and self.env.get(e.name, ("",))[0] == "label":
            return self.env[e.name][1]
        if e.k == "call":
            if e.name == "trap":
                return "sel_block(sel_trap_block(s, %s))" % self.trap_code(e.args[0])
            if e.name == "func":
                return "sel_sym(sel_sym_func(s, %s), 0)" % self.entity(e.args[0], "func")
            if e.name == "global":
                return "sel_sym(sel_sym_global(s, {0}), s->f->globals.v[{0}].offset)".format(self.entity(e.args[0], "global"))
            if e.name == "table":
                return "sel_sym(sel_sym_table(s), 0)"
            if e.name == "pool":
                return "sel_sym(sel_sym_bits(s, %s, %s), 0)" % (self.number(e.args[0]), self.number(e.args[1]))
        return "sel_imm(%s)" % self.number(e)

    def trap_code(self, e):
        if e.k == "name" and self.env.get(e.name, ("",))[0] == "code":
            return self.env[e.name][1]
        if e.k == "name" and any(row[0] == e.name for row in self.w.ir.tables["trapcode"]):
            return "TRAP_%s" % e.name
        raise Wrong(e.loc, "'%s' is no trap code" % e)

    # ---- condition codes ----

    def flags_of(self, name):
        """Puts the flags of a Cond in front of their first reader."""
        q = self.env[name][1]
        if ("codes", name) not in self.env:
            self.env["codes", name] = "code_%s" % name
            self.out.append("const SelCond code_%s = put_cond(s, &%s);" % (name, q))
            self.flags = True
        return "code_%s" % name

    def code(self, e):
        if e.k == "dot" and e.args[0].k == "name" and self.env.get(e.args[0].name, ("",))[0] == "cond":
            if e.name not in ("cc", "cc2"):
                raise Wrong(e.loc, "a condition has .cc and .cc2")
            return "%s.%s" % (self.flags_of(e.args[0].name), e.name)
        if e.k == "call" and e.name == "not":
            return "cc_not[%s]" % self.code(e.args[0])
        if e.k == "un" and e.op in ("not", "lnot"):
            return "cc_not[%s]" % self.code(e.args[0])
        if e.k == "call" and e.name == "cc_of":
            inner = e.args[0]
            if inner.k == "call" and inner.name == "swap":
                return "cc_of[icc_swap[%s]]" % self.entity(inner.args[0], "intcc")
            return "cc_of[%s]" % self.entity(inner, "intcc")
        if e.k == "name" and e.name in self.w.conds.numbers:
            return "%d /* %s */" % (self.w.conds.numbers[e.name], e.name)
        raise Wrong(e.loc, "'%s' is no condition" % e)

    def put_codes(self, seq):
        v = seq.value
        if v is None:
            raise Wrong(seq.loc, "a condition rule ends in a condition code")
        if not self.flags:
            raise Wrong(v.loc, "nothing wrote the flags that this condition reads")
        codes = v.args if v.k == "call" and v.name in ("both", "either") else [v]
        texts = [self.code(c) for c in codes] + ["0"]
        self.out.append("return (SelCond){%s, %s};" % (texts[0], texts[1]))

    # ---- numbers ----

    BIN = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^", "eq": "==", "ne": "!=", "slt": "<",
           "sle": "<=", "lor": "||", "land": "&&"}

    def number(self, e):
        if e.k == "num":
            return str(e.value) if -2**31 < e.value < 2**31 else \
                "INT64_C(%d)" % e.value if e.value < 2**63 else "(int64_t)UINT64_C(%d)" % e.value
        if e.k == "name":
            kind, text = self.env.get(e.name, (None, None))
            if kind == "number":
                return text
            if kind == "blocks":
                return "(sel_data(s, i)->n_targets - 1)"
            raise Wrong(e.loc, "'%s' is no number here" % e.name)
        if e.k == "bin" and e.op in self.BIN:
            op = self.BIN[e.op]
            if e.op in ("add", "sub", "mul"):
                return "(int64_t)((uint64_t)%s %s (uint64_t)%s)" % (self.number(e.args[0]), op, self.number(e.args[1]))
            return "(%s %s %s)" % (self.number(e.args[0]), op, self.number(e.args[1]))
        if e.k == "bin" and e.op in ("ult", "ule"):
            return "((uint64_t)%s %s (uint64_t)%s)" % (self.number(e.args[0]), "<" if e.op == "ult" else "<=",
                                                       self.number(e.args[1]))
        if e.k == "bin" and e.op in ("shl", "lshr"):
            return "(int64_t)((uint64_t)%s %s %s)" % (self.number(e.args[0]), "<<" if e.op == "shl" else ">>",
                                                      self.number(e.args[1]))
        if e.k == "un":
            return {"neg": "(int64_t)(0 - (uint64_t)%s)", "not": "~%s", "lnot": "!%s"}[e.op] % self.number(e.args[0])
        if e.k == "call" and e.name == "fits":
            imm = self.w.isa.imms.get(e.args[1].name)
            if imm is None:
                raise Wrong(e.loc, "no immediate is named '%s'" % e.args[1])
            return self.fits(imm, self.number(e.args[0]))
        if e.k == "call" and e.name == "colocated":
            kind, text = self.env.get(e.args[0].name, (None, None))
            table = {"func": "funcs", "global": "globals"}.get(kind)
            if table:
                return "s->f->%s.v[%s].colocated" % (table, text)
        if e.k == "call" and e.name == "log2":
            return "sel_log2(%s)" % self.number(e.args[0])
        if e.k == "call" and e.name == "is_power":
            return "sel_is_power(%s)" % self.number(e.args[0])
        raise Wrong(e.loc, "'%s' is no number here" % e)


class DoStmt:
    def __init__(self, value):
        self.k, self.value, self.name = "do", value, None


DECLARES = re.compile(r"(?:const (?:Inst|Value|int64_t|uint32_t)|int64_t) (\w+)(?: = |;)")


def drop_unused(lines):
    """Without declarations of names that nothing reads: what they look at has no effect."""
    while True:
        text = "\n".join(lines)
        unused = [line for line in lines if DECLARES.match(line) and "put_" not in line and
                  len(re.findall(r"\b%s\b" % DECLARES.match(line).group(1), text)) == 1]
        if not unused:
            return lines
        lines = [line for line in lines if line not in unused]
