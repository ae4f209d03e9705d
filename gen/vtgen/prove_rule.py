"""One selection pattern, derived or from a rule: the machine's instructions do what the opcodes say.

Both sides start from the same values. A value of IR type T is the low bits of a register of the class that holds T; of
the bits above, `hold` says at entry (hypothesis) and at exit (obligation) what they are. A constant is a 64-bit number,
the sign extension of the IR's. What the pattern tests (ranges, guards) are hypotheses; that each immediate can then be
encoded is an obligation, and what the instruction computes with is the decoded field.

A condition rule must leave codes that hold exactly when the tested value is not 0. A rule that uses conditions is
proved for an unknown truth value whose codes were just put, valid until the flags change.
"""
import itertools

import smt
from patterns import Cond, Const, Mem, Node, Var, imm_range
from prove_inst import Code, Exec, Place, RegVal, is_pc_next
from prove_ir import IrSide, trap_number
from prove_sem import Unsaid, clz, ctz
from smt import const, var


class Obligation:
    """hyps: [Term]; goals: [(what, when, want, got)]: with hyps and `when`, want equals got. inputs: [(name, Term)],
    trace: [(text, {name: Term}, flags)] for a counterexample."""

    def __init__(self, name, loc, kind):
        self.name, self.loc, self.kind = name, loc, kind
        self.rule = name.split("/")[1]   # the rule's, instruction's or opcode's name
        self.integer = False             # does it speak of integers only?
        self.hyps, self.goals, self.inputs, self.trace = [], [], [], []
        self.text = ""    # what is proved, for people
        self.unsaid = None

    def asserts(self):
        wrong = smt.any_of([smt.conj(when, smt.ne(want, got)) for _, when, want, got in self.goals])
        return [h for h in self.hyps if h is not smt.TRUE] + [wrong]

    def goal(self, what, want, got, when=smt.TRUE):
        self.goals.append((what, when, want, got))


class Machine:
    """What proofs of one machine share."""

    def __init__(self, isa, ir, imms, conds):
        self.isa, self.ir, self.imms, self.conds = isa, ir, imms, conds
        self.hold = {}
        for h in isa.holds:
            for t in h.types:
                self.hold[getattr(t, "name", t)] = h

    def exec(self):
        return Exec(self.isa, self.ir, self.imms, self.conds)

    def above(self, t, value, reg):
        """What `hold` says of a register that holds this value."""
        h, width = self.hold[t], value.width
        if width == reg.width or h.upper in ("any", "none"):
            return smt.eq(smt.low(reg, width), value)
        w = min(reg.width, h.cls.width)
        held = {"zero": smt.zext, "sign": smt.sext}.get(h.upper, lambda v, n: smt.concat(smt.ones(n - v.width), v))
        return smt.eq(smt.low(reg, w), held(value, w))


class Proof:
    """Builds the obligation of a pattern. tree: with one type for each variable; picks: attribute name -> EnumItem of
    conditions that are enumerated."""

    def __init__(self, machine, pattern, tree, picks, name, loc):
        self.m, self.p, self.tree, self.picks = machine, pattern, tree, picks
        self.isa, self.ir = machine.isa, machine.ir
        self.ob = Obligation(name, loc, "")
        self.irs = IrSide(self.ir, self.isa.word)
        self.x = machine.exec()
        self.widths = {}      # of the values in registers: bits of their types
        self.env = {}         # name -> ("value", RegVal), ("number", Term), ("address", Term), ("cond", ...), ...
        self.attrs = {}       # of the root
        self.serial = 0
        self.codes = {}       # condition name -> [truths]
        self.placed = {}      # condition name -> [Code]

    # ---- the left side ----

    def fresh(self, stem, width):
        self.serial += 1
        return var("%s_%d" % (stem, self.serial), width)

    def register(self, name, t):
        """A value of an IR type in a register."""
        width, h = self.ir.types[t].width, self.m.hold[t]
        file = h.cls.file
        whole = h.cls.width
        x = var(name, width)
        self.ob.inputs.append(("%s: %s" % (name, t), x))
        if h.upper == "zero":
            reg = smt.zext(x, whole)
        elif h.upper == "sign":
            reg = smt.sext(x, whole)
        elif h.upper == "ones":
            reg = smt.concat(smt.ones(whole - width), x) if width < whole else x
        else:
            reg = x
        if reg.width < file.width:
            reg = smt.concat(var(name + ".above", file.width - reg.width), reg)
        self.env[name], self.widths[name] = ("value", RegVal(reg)), width
        return x

    def left(self, node):
        """The results of a tree's node."""
        attrs, root = {}, node is self.tree
        given = dict(node.attrs)
        width = node.inst.control.width if node.inst.control else 64
        for a in node.op.attrs:
            how = given.get(a.name, ("bind", a.name if root else "_" + a.name))
            attrs[a.name] = self.attribute(a, how, width)
        for a in node.op.attrs:
            if a.kind == "block":
                self.env[given.get(a.name, (0, a.name))[1]] = ("label", Place("block", const(
                    [b.name for b in node.op.attrs if b.kind == "block"].index(a.name) + 1, 8), a.name))
        args = [self.argument(a, node, k, attrs) for k, a in enumerate(node.args)]
        if root:
            self.attrs, self.root_args = attrs, args
        return self.irs.run(node.inst, args, attrs)

    def attribute(self, a, how, width):
        name = how[1]
        stem = a.name if name.startswith("_") else name
        if a.kind in ("intcc", "floatcc"):
            item = self.ir.conds[a.kind].find(name) if how[0] == "is" else self.picks[name]
            self.env[name] = (a.kind, item)
            return item
        if a.kind in ("imm64", "ieee32", "ieee64", "offset"):
            bits = {"imm64": width, "ieee32": 32, "ieee64": 64, "offset": 32}[a.kind]
            x = self.fresh(stem, bits) if name.startswith("_") else var(name, bits)
            self.ob.inputs.append((stem, x))
            number = smt.zext(x, 64) if a.kind == "ieee32" else smt.sext(x, 64)
            self.env[name] = ("number", number)
            return x if a.kind != "offset" else number
        if a.kind == "trapcode":
            x = var(name, 8)
            self.ob.hyps.append(smt.ne(x, const(0, 8)))
            self.env[name] = ("code", x)
            return x
        if a.kind in ("func", "global", "slot"):
            x = var("address_of_" + stem, 64)
            self.env[name] = (a.kind, x)
            return x
        if a.kind == "blocks":
            x = var("entries", 32)
            self.ob.hyps.append(smt.bvnot(smt.msb(x)))  # no table is that long
            self.env[name] = ("blocks", x)
            return x
        return None

    def argument(self, a, node, k, attrs):
        t = node.inst.type_of(node.op.params[k].kind)
        if isinstance(a, Node):
            return self.left(a)[a.nth or 0]
        if isinstance(a, Var):
            if a.name in self.env:
                return smt.low(self.env[a.name][1].term, t.width)
            return self.register(a.name, t.name)
        if isinstance(a, Const):
            return self.constant(a, t.width)
        if isinstance(a, Mem):
            if a.name not in self.env:
                address = var(a.name, self.isa.word)
                self.ob.inputs.append((a.name + " (address)", address))
                self.env[a.name] = ("address", address)
            offset = next((attrs[x.name] for x in node.op.attrs if x.kind == "offset"), None)
            address = self.env[a.name][1]
            return address if offset is None else smt.sub(address, smt.resize(offset, address.width, True))
        if isinstance(a, Cond):
            return self.condition(a, t.width)
        raise AssertionError(a)

    def constant(self, a, width):
        kind, bits = imm_range(a.kind) if a.kind is not None else (None, 0)
        if a.name[0] == "=":
            number = const(int(a.name[1:]), 64)
        elif kind in ("s", "z") and bits < width:  # all numbers of that range: the extensions of the field
            number = (smt.sext if kind == "s" else smt.zext)(var(a.name, bits), 64)
        else:
            number = smt.sext(var(a.name, width), 64)
        if a.name[0] != "=":
            self.ob.inputs.append((a.name, number))
            self.env[a.name] = ("number", number)
        if a.kind is not None:
            self.ob.hyps.append(self.fits(a.kind, number))
        return smt.low(number, width)

    def condition(self, a, width):
        """A condition that was tested: the value is 0 exactly when it does not hold."""
        if a.kind == "plain":
            return self.register(a.name, "i%d" % width)
        n = 1 if a.kind == "cond" else 2
        truths = [var("%s_holds%s" % (a.name, k or ""), 1) for k in range(n)]
        holds = truths[0] if n == 1 else (smt.conj if a.kind == "both" else smt.disj)(*truths)
        x = var(a.name, width)
        self.ob.hyps.append(smt.eq(smt.ne(x, const(0, width)), holds))
        self.ob.inputs.append((a.name, x))
        self.codes[a.name] = truths
        self.env[a.name] = ("cond", a.name)
        return x

    def fits(self, imm, v):
        """What the selector's test of a range says (sel_fits_... in core/select/sel.h)."""
        kind, bits = imm_range(imm)
        if kind is None or bits > 64:
            return self.m.imms.fits(imm, v)
        x = smt.low(v, bits) if bits < 64 else v
        s, z = smt.eq(smt.sext(x, 64), v), smt.eq(smt.zext(x, 64), v)
        return {"s": s, "z": z, "exact": smt.disj(s, z)}[kind]

    # ---- the right side: as select_arm.py puts it ----

    def build(self):
        p, root = self.p, self.tree
        self.ob.text = str(p)
        if p.itself is not None:
            want = self.itself()
        elif isinstance(root, Node):
            want = self.left(root)
        else:
            t = sorted(root.types)[0]
            want = [self.register(root.name, t)]
        if p.guard is not None:
            self.ob.hyps.append(self.truth(p.guard))
        if p.rule is None:
            got = self.derived()
        else:
            got = self.result()
        self.compare(want, got)
        self.ob.hyps += self.x.hyps
        self.ob.trace = self.x.trace
        return self.ob

    def itself(self):
        """`icmp(c: cond)`: the root's own condition."""
        node, cond = self.tree, self.p.itself
        t = node.inst.type_of(node.op.results[0].kind)
        holds = smt.ne(self.condition(cond, t.width), const(0, t.width))
        return [smt.zext(holds, t.width)]

    def derived(self):
        inst = self.p.inst
        given = {}
        for o in inst.opnds:
            if o.reads and o.name in self.p.forms:
                given[o.name] = self.form_of(self.p.forms[o.name], o.name)
            elif o.reads:
                kind, x = self.env[o.name]
                given[o.name] = x if kind == "value" else x if kind == "address" else self.immediate(o, x)
        outs = self.x.run(inst, given)
        return [next(iter(outs.values()))] if outs else []

    def form_of(self, form, prefix):
        """A composite operand whose parts the pattern has bound."""
        env = {"pc_next": False}
        for p in form.params:
            kind, x = self.env["%s.%s" % (prefix, p.name)]
            env[p.name] = x if kind == "value" else self.immediate(p, x)
        return self.x.eval.expr(form.value, env)

    def immediate(self, o, number):
        fits = self.m.imms.fits(o.imm, number)
        self.x.needs.append(("%s can be encoded as %s" % (o.name, o.imm.name), smt.disj(smt.bvnot(self.x.alive), fits)))
        return self.m.imms.value(o.imm, number)

    def result(self):
        seq = self.p.rule.result
        finals, stmts = self.finals(seq)
        for s in stmts:
            if s.k == "let":
                self.let(s)
            else:
                self.do(s.value)
        if self.p.root == "cond":
            return []
        return [self.final(e) for e in finals]

    def finals(self, seq):
        if seq.value is None or self.p.root == "cond":
            return [], seq.stmts
        if seq.value.k == "call" and seq.value.name == "pair":
            return seq.value.args, seq.stmts
        if not self.ir.ops[self.p.root].results:
            self.do_later = seq.value
            return [], list(seq.stmts) + [Do(seq.value)]
        return [seq.value], seq.stmts

    def final(self, e):
        """The register of a result. What a rule returns by name is not limited to what a spill keeps of it: its
        register is given the size of the result."""
        return RegVal(self.reg(e).term)

    def let(self, s):
        e = s.value
        if e.k == "call" and self.isa.inst(e.name) is not None:
            outs = self.inst(e, s.name)
            if len(outs) == 1:
                self.env[s.name] = ("value", next(iter(outs.values())))
            for o, x in outs.items():
                self.env[s.name + "." + o] = ("value", x)
        elif e.k == "call" and self.form(e.name) is not None:
            self.env[s.name] = ("address", self.mem(e))
        else:
            self.env[s.name] = ("number", self.number(e))

    def do(self, e):
        if e.k == "call" and e.name == "define":
            self.defined = self.reg(e.args[0])
            return
        self.inst(e, None)

    def inst(self, e, name):
        inst = self.isa.inst(e.name)
        if inst is None:
            raise Unsaid(e.loc, "'%s' is no instruction" % e)
        ins = [o for o in inst.opnds if o.reads]
        given = {o.name: self.give(o, a) for o, a in zip(ins, e.args)}
        outs = self.x.run(inst, given, "%s%s" % (name + " = " if name else "", e))
        for o in inst.opnds:
            if o.name in outs:
                outs[o.name].bytes = min(o.width, 64) // 8 if o.type == "reg" else o.width // 8
        return outs

    def give(self, o, e):
        if o.type in ("reg", "fixed"):
            return self.reg(e)
        if o.type == "composite":
            return self.mem(e, o.comp)
        if o.type == "cond":
            return self.code(e)
        place = self.place(e)
        return place if place is not None else self.immediate(o, self.number(e))

    def reg(self, e):
        if e.k == "call" and self.isa.inst(e.name) is not None:
            outs = self.inst(e, None)
            return next(iter(outs.values()))
        name = e.name if e.k == "name" else "%s.%s" % (e.args[0].name, e.name) if e.k == "dot" else None
        kind, x = self.env.get(name, (None, None))
        if kind == "value":
            return x
        if name in self.isa.reg_names:
            reg, view = self.isa.reg_names[name]
            if reg.constant is not None:
                return RegVal(const(reg.constant, reg.width))
            return RegVal(var(reg.name, reg.width))
        raise Unsaid(e.loc, "'%s' is no register" % e)

    def form(self, name, of=None):
        for comp in [of] if of is not None else self.isa.operands.values():
            for form in comp.forms:
                if form.name == name:
                    return form
        return None

    def mem(self, e, of=None):
        if e.k == "name" and self.env.get(e.name, ("",))[0] == "address":
            return self.env[e.name][1]
        form = self.form(e.name, of) if e.k == "call" else None
        if form is None and of is not None:
            form = next((f for f in of.forms
                         if len(f.params) == 1 and f.value.k == "name" and f.params[0].type == "reg"), None)
            if form is not None:  # the form that is just a register
                return self.x.eval.expr(form.value, {form.params[0].name: self.reg(e), "pc_next": False})
        if form is None:
            raise Unsaid(e.loc, "'%s' is no memory operand" % e)
        env = {"pc_next": is_pc_next([form.value])}
        frame = any(a.k == "call" and a.name == "slot" for a in e.args)
        for p, a in zip(form.params, e.args):
            if p.type == "reg" and a.k == "call" and a.name == "slot":
                env[p.name] = RegVal(self.entity(a.args[0], "slot"))
            elif p.type == "reg":
                env[p.name] = self.reg(a)
            elif frame:  # the frame's layout adds to it, and takes care of what does not fit then
                env[p.name] = self.number(a)
            else:
                place = self.place(a)
                env[p.name] = place if place is not None else self.immediate(p, self.number(a))
        return self.x.eval.expr(form.value, env)

    def entity(self, e, kind):
        found = self.env.get(e.name, ("", None))
        if found[0] != kind:
            raise Unsaid(e.loc, "'%s' is no %s" % (e, kind))
        return found[1]

    def place(self, e):
        """A Place, or None when e is a number."""
        if e.k == "name" and self.env.get(e.name, ("",))[0] == "label":
            return self.env[e.name][1]
        if e.k != "call":
            return None
        if e.name == "trap":
            return Place("trap", self.trap_code(e.args[0]))
        if e.name in ("func", "global"):
            return Place("symbol", self.entity(e.args[0], e.name), e.args[0].name)
        if e.name == "table":
            return Place("symbol", var("jump_table", self.isa.word), "jump_table")
        if e.name == "pool":
            return self.pool(self.number(e.args[0]), self.number(e.args[1]).value)
        return None

    def pool(self, bits, size):
        """A constant in memory: `size` bytes that start with these bits, zeros after them."""
        self.serial += 1
        at = var("pool_%d" % self.serial, self.isa.word)
        width = 8 * size
        value = smt.resize(bits, width) if width <= 64 else smt.zext(bits, width)
        for w in {width, min(width, 64)}:
            self.x.hyps.append(smt.eq(smt.apply("load%d" % w, w, at), smt.low(value, w)))
        return Place("symbol", at, "pool_%d" % self.serial)

    def trap_code(self, e):
        if self.env.get(e.name, ("",))[0] == "code":
            return self.env[e.name][1]
        return trap_number(self.ir, e.name)

    # ---- condition codes ----

    def put(self, name):
        """The flags of a condition are put right before their first reader."""
        if name not in self.placed:
            self.x.epoch += 1
            for f in self.x.flags:
                self.x.flags[f] = self.x.fresh(f, 1)
            self.placed[name] = [Code(holds=t, epoch=self.x.epoch) for t in self.codes[name]]
        return self.placed[name]

    def code(self, e):
        if e.k == "dot" and e.args[0].k == "name" and self.env.get(e.args[0].name, ("",))[0] == "cond":
            return self.put(e.args[0].name)[0 if e.name == "cc" else 1]
        if (e.k == "call" and e.name == "not") or (e.k == "un" and e.op in ("not", "lnot")):
            inner = self.code(e.args[0])
            if inner.number is not None:
                return Code(self.m.conds.opposite[inner.number])
            return Code(holds=smt.bvnot(inner.holds), epoch=inner.epoch)
        if e.k == "call" and e.name == "cc_of":
            inner = e.args[0]
            if inner.k == "call" and inner.name == "swap":
                item = self.swapped(self.entity(inner.args[0], "intcc"))
            else:
                item = self.entity(inner, "intcc")
            return Code(self.m.conds.of_int[item.value])
        if e.k == "name" and e.name in self.m.conds.numbers:
            return Code(self.m.conds.numbers[e.name])
        raise Unsaid(e.loc, "'%s' is no condition" % e)

    def swapped(self, item):
        """The condition of the operands exchanged: what the table icc_swap of the generated code has."""
        return swap_of(self.ir, item)

    # ---- numbers, on 64 bits ----

    def truth(self, e):
        x = self.number(e)
        return smt.ne(x, const(0, 64))

    def number(self, e):
        if e.k == "num":
            return const(e.value, 64)
        if e.k == "name":
            kind, x = self.env.get(e.name, (None, None))
            if kind == "number":
                return x
            if kind == "blocks":
                return smt.zext(x, 64)
            raise Unsaid(e.loc, "'%s' is no number" % e)
        if e.k == "un":
            x = self.number(e.args[0])
            if e.op == "lnot":
                return smt.zext(smt.eq(x, const(0, 64)), 64)
            return smt.bvneg(x) if e.op == "neg" else smt.bvnot(x)
        if e.k == "bin":
            a, b = self.number(e.args[0]), self.number(e.args[1])
            return number_op(e, a, b)
        if e.k == "cond":
            return smt.ite(self.truth(e.args[0]), self.number(e.args[1]), self.number(e.args[2]))
        if e.k == "call" and e.name == "fits":
            return smt.zext(self.fits(self.isa.imms[e.args[1].name], self.number(e.args[0])), 64)
        if e.k == "call" and e.name == "colocated":
            return smt.zext(var("colocated_" + e.args[0].name, 1), 64)
        if e.k == "call" and e.name == "zeros":
            reg, width = self.env[e.args[0].name][1].term, self.widths[e.args[0].name]
            return smt.zext(smt.eq(reg, smt.zext(smt.low(reg, width), reg.width)), 64)
        if e.k == "call" and e.name == "log2":
            return ctz(self.number(e.args[0]))
        if e.k == "call" and e.name == "top":  # the place of the highest one
            x = self.number(e.args[0])
            return smt.sub(const(63, 64), clz(x))
        if e.k == "call" and e.name == "is_power":
            x = self.number(e.args[0])
            return smt.zext(is_power(x), 64)
        raise Unsaid(e.loc, "'%s' has no meaning for the prover" % e)

    # ---- both sides together ----

    def compare(self, want, got):
        ob, x, irs = self.ob, self.x, self.irs
        root = self.tree.op.name if isinstance(self.tree, Node) else None
        if self.p.root == "cond":
            self.compare_condition(want)
        elif root in ("brif", "br_table"):
            self.compare_branch(root)
        else:
            self.compare_traps()
            self.compare_results(want, got)
        compare_memory(ob, x, irs)
        for text, ok in x.needs:
            ob.goal(text, smt.TRUE, ok)
        for when, text in x.faults:
            ob.goal("no fault of %s" % text, smt.FALSE, when)

    def compare_results(self, want, got):
        node = self.tree
        live = smt.eq(self.irs.trap, const(0, 8))
        if len(want) != len(got):
            raise Unsaid(self.p.loc, "%d results, %d given" % (len(want), len(got)))
        for k, (w, g) in enumerate(zip(want, got)):
            t = node.inst.type_of(node.op.results[k].kind).name
            name = "result" if len(want) == 1 else "result %d" % k
            self.ob.goal(name, w, smt.low(g.term, w.width), live)
            if self.m.hold[t].upper not in ("any", "none"):
                self.ob.goal("%s as '%s' is held" % (name, t), smt.TRUE, self.m.above(t, w, g.term), live)

    def compare_traps(self):
        got, left = const(0, 8), smt.TRUE
        for when, target in self.x.jumps:
            if not isinstance(target, Place) or target.kind != "trap":
                raise Unsaid(self.p.loc, "a jump that is no trap")
            got = smt.ite(when, target.term, got)
        self.ob.goal("trap", self.irs.trap if left is smt.TRUE else left, got)

    def compare_condition(self, want):
        v = self.p.rule.result.value
        codes = v.args if v.k == "call" and v.name in ("both", "either") else [v]
        truths = [self.x.truth_of(self.code(c)) for c in codes]
        got = truths[0] if len(truths) == 1 else (smt.conj if v.name == "both" else smt.disj)(*truths)
        nth = self.tree.nth or 0 if isinstance(self.tree, Node) else 0
        self.ob.goal("condition", smt.ne(want[nth], const(0, want[nth].width)), got)
        if hasattr(self, "defined"):
            w = want[1 - nth]
            self.ob.goal("the other result", w, smt.low(self.defined.term, w.width))
            t = self.tree.inst.type_of(self.tree.op.results[1 - nth].kind).name
            self.ob.goal("the other result as '%s' is held" % t, smt.TRUE, self.m.above(t, w, self.defined.term))

    def compare_branch(self, root):
        if root == "br_table":
            self.compare_table()
            return
        c = self.root_args[0]
        want = smt.ite(smt.ne(c, const(0, c.width)), const(1, 8), const(2, 8))
        got = const(0, 8)
        for when, target in self.x.jumps:
            if not isinstance(target, Place) or target.kind != "block":
                raise Unsaid(self.p.loc, "a jump to no block")
            got = smt.ite(when, target.term, got)
        self.ob.goal("target (1 then, 2 other, 0 neither)", want, got)

    def compare_table(self):
        """A jump to what the table's entry for the index says, the last one for an index beyond. An entry is the
        distance from the table, 32 bits."""
        if self.isa.is_stack:
            self.compare_stack_table()
            return
        n, x, base = self.attrs["to"], self.root_args[0], var("jump_table", self.isa.word)
        index = smt.ite(smt.ult(x, n), x, n)
        entry = smt.apply("load32", 32, smt.add(base, smt.shl(smt.zext(index, 64), const(2, 64))))
        want = smt.add(base, smt.sext(entry, 64))
        if len(self.x.jumps) != 1 or isinstance(self.x.jumps[0][1], Place):
            raise Unsaid(self.p.loc, "one jump to an address is due")
        n = int((self.isa.settings.get("code") or ["align", "1"])[-1])
        aligned = smt.eq(smt.conj(want, const(n - 1, want.width)), const(0, want.width))
        self.ob.goal("target", want, self.x.jumps[0][1], aligned)
        self.ob.goal("it jumps", smt.TRUE, self.x.jumps[0][0])


    def compare_stack_table(self):
        """The machine takes the entry for the index, the last one for an index beyond, as the opcode does."""
        if len(self.x.tables) != 1 or self.x.jumps:
            raise Unsaid(self.p.loc, "one branch by a table is due")
        when, (index, n) = self.x.tables[0]
        self.ob.goal("it branches", smt.TRUE, when)
        self.ob.goal("index", smt.zext(self.root_args[0], 64), smt.resize(index, 64))
        self.ob.goal("number of entries", smt.resize(self.attrs["to"], 64), smt.resize(n, 64))


class Do:
    def __init__(self, value):
        self.k, self.value, self.name = "do", value, None


def compare_memory(ob, x, irs):
    """The same loads and stores, but for what a rule keeps in memory for itself."""
    own = [(when, a, w) for when, a, w, _ in x.loads if private(a)]
    for _, a, _ in own:
        at = private(a)
        if at.value != "jump_table":
            ob.goal("the address of %s" % at.value, at, a)
    places = [(r[1], r[2].width) for r in irs.stores]  # what is stored to may be read before: an exchange
    loads = [r for r in x.loads if not private(r[1]) and (irs.loads or (r[1], r[2]) not in places)]
    want = list(irs.loads)
    if len(loads) != len(want) or [w for _, _, w, _ in loads] != [w for _, _, w, _ in want]:
        found = match_up(want, loads)
        if found is None:
            text = "widths of the loads (%s; the instructions: %s)" % (widths(want), widths(loads))
            ob.goal(text, smt.TRUE, smt.FALSE)
            return
        loads = found
    for k, (a, b) in enumerate(zip(want, loads)):
        ob.goal("address of load %d" % k, a[1], b[1], a[0])
        ob.goal("load %d happens" % k, a[0], b[0])
    if len(x.stores) != len(irs.stores) or any(a[2].width != b[2].width for a, b in zip(x.stores, irs.stores)):
        ob.goal("stores", smt.TRUE, smt.FALSE)
        return
    for k, (a, b) in enumerate(zip(irs.stores, x.stores)):
        ob.goal("address of store %d" % k, a[1], b[1], a[0])
        ob.goal("value of store %d" % k, a[2], b[2], a[0])
        ob.goal("store %d happens" % k, a[0], b[0])
        if a[3] and not b[3] and "fence" not in x.fences and x.shared:
            ob.goal("store %d is atomic" % k, smt.TRUE, smt.FALSE)
    for f in set(irs.fences):
        if f not in x.fences and x.shared:
            ob.goal("a %s" % f, smt.TRUE, smt.FALSE)


def widths(loads):
    return ", ".join(str(w) for _, _, w, _ in loads) or "none"


def match_up(want, loads):
    """The loads in the order of those wanted, by address."""
    if len(want) != len(loads):
        return None
    out, left = [], list(loads)
    for _, a, w, _ in want:
        found = next((r for r in left if r[2] == w and r[1] is a), None)
        if found is None:
            return None
        left.remove(found)
        out.append(found)
    return out


def private(address):
    """The variable of the pool, jump table or offset table that an address counts from, or None."""
    for v in smt.variables(address):
        if v.value.startswith("pool_") or v.value.startswith("got_") or v.value == "jump_table":
            return v
    return None


def number_op(e, a, b):
    f = {"add": smt.add, "sub": smt.sub, "mul": smt.mul, "and": smt.conj, "or": smt.disj, "xor": smt.xor,
         "shl": smt.shl, "lshr": smt.lshr, "ashr": smt.ashr}
    if e.op in f:
        return f[e.op](a, b)
    t = {"eq": smt.eq, "ne": smt.ne, "ult": smt.ult, "ule": smt.ule, "slt": smt.slt, "sle": smt.sle}
    if e.op in t:
        return smt.zext(t[e.op](a, b), 64)
    zero = const(0, 64)
    if e.op in ("land", "lor"):
        return smt.zext((smt.conj if e.op == "land" else smt.disj)(smt.ne(a, zero), smt.ne(b, zero)), 64)
    raise Unsaid(e.loc, "'%s' has no meaning for the prover" % e)


def is_power(x):
    zero = const(0, x.width)
    return smt.conj(smt.ne(x, zero), smt.eq(smt.conj(x, smt.sub(x, const(1, x.width))), zero))


SWAPS = {"eq": "eq", "ne": "ne", "slt": "sgt", "sgt": "slt", "sle": "sge", "sge": "sle", "ult": "ugt", "ugt": "ult",
         "ule": "uge", "uge": "ule"}


def swap_of(ir, item):
    return ir.conds["intcc"].find(SWAPS[item.name])


# ---- all patterns of a machine -------------------------------------------------------------------------------------

def one_type(tree):
    """The tree with one type for each variable, in all ways."""
    if isinstance(tree, Node):
        for args in itertools.product(*[list(one_type(a)) for a in tree.args]):
            yield Node(tree.inst, list(args), tree.attrs, tree.nth)
    elif isinstance(tree, Var):
        for t in sorted(tree.types):
            yield Var(tree.name, [t])
    else:
        yield tree


def enumerated(tree, ir):
    """Names of condition attributes that the pattern binds, with the conditions they range over."""
    out = {}
    if isinstance(tree, Node):
        given = dict(tree.attrs)
        for a in tree.op.attrs:
            if a.kind in ("intcc", "floatcc"):
                how = given.get(a.name, ("bind", a.name))
                if how[0] == "bind":
                    out[how[1]] = ir.conds[a.kind].items
        for arg in tree.args:
            out.update(enumerated(arg, ir))
    return out


def choices(tree, ir):
    """[{attribute: EnumItem}] for all that a pattern leaves open."""
    open_ = enumerated(tree, ir)
    out = [{}]
    for name, items in open_.items():
        out = [dict(p, **{name: i}) for p in out for i in items]
    return out


def text_of(tree):
    """A tree without blanks, for names."""
    if isinstance(tree, Var):
        return "%s:%s" % (tree.name, "/".join(sorted(tree.types)))
    if isinstance(tree, Node):
        attrs = "[%s]" % ",".join(v for _, (_, v) in tree.attrs) if tree.attrs else ""
        args = [text_of(a) for a in tree.args]
        for k, (a, p) in enumerate(zip(tree.args, tree.op.params)):
            if isinstance(a, (Cond, Const)):
                args[k] += "/%s" % tree.inst.type_of(p.kind).name
        t = "%s%s%s(%s)" % (tree.op.name, "." + tree.type if tree.type else "", attrs, ",".join(args))
        return t if tree.nth is None else "%s#%d" % (t, tree.nth)
    return str(tree).replace(" ", "")


def narrow_pointers(tree, word):
    """Does it use an address that is narrower than the machine's? There are none on such a machine."""
    if not isinstance(tree, Node):
        return False
    for a, p in zip(tree.args, tree.op.params):
        if narrow_pointers(a, word):
            return True
        t = tree.inst.type_of(p.kind)
        pointer = any(v == p.kind and len(types) == 2 and "ptr" in types[0].sets for v, types in tree.op.vars)
        if t is not None and t.width != word and (pointer or isinstance(a, Mem)):
            return True
    return False


def obligations(machine, pattern, kind):
    """The obligations of one pattern: one for each choice of types and conditions."""
    ir = machine.ir
    for tree in one_type(pattern.tree):
        if narrow_pointers(tree, machine.isa.word):
            continue
        picks = choices(tree, ir) if pattern.itself is None else [{}]
        for pick in picks:
            text = text_of(tree) if pattern.itself is None else tree.op.name + ("." + tree.type if tree.type else "")
            for n, i in pick.items():
                text += ",%s=%s" % (n, i.name)
            if pattern.root == "cond":
                text = "cond(%s)" % text
            name = "%s/%s/%s" % (kind, pattern.name, text)
            smt.reset()
            proof = Proof(machine, pattern, tree, pick, name, pattern.loc)
            try:
                ob = proof.build()
            except Unsaid as e:
                ob = proof.ob
                ob.unsaid = e.text
            ob.kind, ob.integer = kind, all_integer(tree)
            yield ob


def all_integer(tree):
    """Are all values of a pattern integers?"""
    if isinstance(tree, Node):
        kinds = [tree.inst.type_of(p.kind) for p in tree.op.params + tree.op.results]
        return all(t is None or "int" in t.sets for t in kinds) and all(map(all_integer, tree.args))
    return not isinstance(tree, Var) or all(t[0] == "i" for t in tree.types)
