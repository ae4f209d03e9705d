"""One arm of a generated selector: a pattern's tests, then the machine instructions of its result, as C."""
import re

from patterns import Cond, Const, Mem, Node, Var, imm_range


MATCH_ROOM = {"n": 4, "v": 6, "c": 4}  # of SelMatch (core/select/sel.h)


class Wrong(Exception):
    def __init__(self, loc, text):
        super().__init__(text)
        self.loc, self.text = loc, text


def type_bits(names):
    return " | ".join("1u << T_%s" % n for n in names)


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
            return "target_imm_fits(s->t, %d /* %s */, %s)" % (imm.index, imm.name, text)
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
        if cond.kind == "plain":
            self.tests.append("if (!cond_plain[%s.arm]) break;" % q)
            self.env[cond.name] = ("value", "%s.v[0]" % q)
            return
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
        if any(counts[kind] > MATCH_ROOM[kind] for kind in counts):
            raise Wrong(self.p.loc, "the condition of %s binds more than SelMatch holds" % self.p.name)
        return self.comment() + ["do {"] + ["    " + x for x in body] + ["    return true;", "} while (0);"]

    def put_lines(self):
        """The case of put_cond() for this arm."""
        if not self.tests:
            self.match()
        self.tests = []
        counts = {"n": 1, "v": 0, "c": 0}
        if isinstance(self.p.tree, Node):
            self.out.append("const Inst n0 = m->n[0];")
            self.out.append("if (!inst_eq(n0, s->root)) sel_cover(s, n0);")
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
        if e.k == "call" and self.w.isa.inst(e.name) is not None:
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
            if o.reads and o.name in self.p.forms:
                args.append(self.put_form(self.p.forms[o.name], ["%s.%s" % (o.name, x.name)
                                                                 for x in self.p.forms[o.name].params]))
            elif o.reads:
                kind, text = self.env[o.name]
                if kind == "value":
                    args.append("sel_use(s, %s)" % text)
                elif kind == "address":
                    args.append(self.use_mem(o.name))
                else:
                    args.append("sel_imm(%s)" % text if self.w.is_place(o) else text)
        self.call(inst, args)

    def put_form(self, form, names):
        """A composite operand whose parts the pattern has bound."""
        parts = []
        for p, name in zip(form.params, names):
            kind, text = self.env[name]
            if kind == "value":
                text = "sel_in(sel_use(s, %s), CLS_%s, NO_REG)" % (text, p.cls.name)
            elif kind == "reg":
                text = "sel_in(%s, CLS_%s, NO_REG)" % (text, p.cls.name)
            else:
                text = "sel_imm(%s)" % text
            parts.append(text)
        name = self.new_name("m")
        self.out.append("const SelMem %s = {.form = %d, .n = %d, .part = {%s}};" % (name, form.index, len(parts),
                                                                                ", ".join(parts)))
        return "&" + name

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
        if e.k == "call" and self.w.isa.inst(e.name) is not None:
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
        given = {o.name: self.argument(o, a) for o, a in zip(ins, e.args)}
        writers = [o for o in inst.opnds if o.writes]
        outs, args = {}, []
        for o in inst.opnds:
            if o.writes and o.type in ("reg", "fixed"):
                outs[o.name] = self.dest(o, dest, name, len(writers))
                args.append(outs[o.name])
            if o.reads:
                args.append(given[o.name])
        self.flags |= bool(getattr(inst, "writes_flags", None))
        self.call(inst, args)
        return outs

    def dest(self, o, dest, name, n_outs):
        if dest is not None and n_outs == 1:
            return dest[None]
        k = self.dests.get((name, o.name), self.dests.get(name) if n_outs == 1 else None)
        if k is not None:
            text = "d%d" % k
            width = min(o.width, 64) // 8  # the rule may read more of it than the result's type has
            self.out.append("const uint32_t %s = sel_result_of(s, i, %d, %d);" % (text, k, width))
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
            return self.mem(e, o.comp)
        if o.type == "cond":
            return self.code(e)
        if self.w.is_place(o):
            return self.place(e)
        return self.number(e)

    def reg(self, e):
        if e.k == "call" and self.w.isa.inst(e.name) is not None:
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
        found = self.w.isa.reg_names.get(name)
        if found is not None and found[0].constant is not None:
            return "SEL_PREG | %d /* %s */" % (found[0].index, name)
        raise Wrong(e.loc, "'%s' is no register here" % e)

    def is_mem(self, e):
        return e.k == "call" and self.form(e.name)[0] is not None

    def form(self, name, of=None):
        for comp in [of] if of is not None else self.w.isa.operands.values():
            for form in comp.forms:
                if form.name == name:
                    return comp, form
        return None, None

    def bare_form(self, comp):
        """The form that is just a register."""
        return next((f for f in comp.forms if len(f.params) == 1 and f.value.k == "name" and f.params[0].type == "reg"), None)

    def mem(self, e, of=None):
        if e.k == "name" and self.env.get(e.name, ("",))[0] == "address":
            return self.use_mem(e.name)
        if e.k == "name" and self.env.get(e.name, ("",))[0] == "mem":
            return self.env[e.name][1]
        if of is not None and self.bare_form(of) is not None and not (e.k == "call" and self.form(e.name)[0]):
            reg = self.reg(e)
            self.env["bare register"] = ("reg", reg)
            return self.put_form(self.bare_form(of), ["bare register"])
        comp, form = self.form(e.name, of) if e.k == "call" else (None, None)
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
        if e.k == "call" and e.name == "not" and len(e.args) == 1 or e.k == "un" and e.op in ("not", "lnot"):
            lacks = [i.name for i in self.w.conds.items if i.value not in self.w.conds.opposite]
            if lacks:
                raise Wrong(e.loc, "no condition is the opposite of '%s'" % lacks[0])
            return "cc_not[%s]" % self.code(e.args[0])
        if e.k == "call" and e.name == "cc_of" and len(e.args) == 1:
            lacks = [i.name for i in self.w.ir.conds["intcc"].items if i.value not in self.w.conds.of_int]
            if lacks:
                raise Wrong(e.loc, "no 'after' says which condition '%s' is" % lacks[0])
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
        known = e.k == "call" and len(e.args) == (2 if e.name == "fits" else 1)
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
        if e.k == "bin" and e.op == "ashr":
            return "(%s >> %s)" % (self.number(e.args[0]), self.number(e.args[1]))
        if e.k == "un":
            return {"neg": "(int64_t)(0 - (uint64_t)%s)", "not": "~%s", "lnot": "!%s"}[e.op] % self.number(e.args[0])
        if known and e.name == "fits":
            imm = self.w.isa.imms.get(e.args[1].name)
            if imm is None:
                raise Wrong(e.loc, "'%s' is no immediate" % e.args[1])
            return self.fits(imm, self.number(e.args[0]))
        if known and e.name == "colocated":
            kind, text = self.env.get(e.args[0].name, (None, None))
            table = {"func": "funcs", "global": "globals"}.get(kind)
            if table:
                return "s->f->%s.v[%s].colocated" % (table, text)
        if known and e.name == "zeros":
            kind, text = self.env.get(e.args[0].name, (None, None))
            if kind != "value":
                raise Wrong(e.loc, "'%s' is no value in a register" % e.args[0])
            return "sel_zeros(s, %s)" % text
        if known and e.name == "log2":
            return "sel_log2(%s)" % self.number(e.args[0])
        if known and e.name == "top":
            return "sel_top(%s)" % self.number(e.args[0])
        if known and e.name == "is_power":
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
