"""Rewrites and expansions: for every choice of types that a rule allows, both sides give the same values, trap with the
same code in the same cases, and read and write the same memory.

A rule is read here as emit_rewrite.py reads it: types are found from the pattern's suffixes and from what opcodes take
and give; constants are numbers of 64 bits, in a pattern the zero extension of the constant's bits.
"""
import itertools

import emit_ir
import smt
from prove_ir import IrSide, trap_number
from prove_rule import Obligation, compare_memory, is_power, number_op
from prove_sem import Unsaid, clz
from smt import const, var

COND_KINDS = ("intcc", "floatcc")


def relations(ir, kind):
    """EnumItem name -> (name of the opposite, name with operands exchanged): the tables of the generated code."""
    items = ir.conds[kind].items
    ints = kind == "intcc"
    truth = emit_ir.int_truth if ints else emit_ir.float_truth
    swap = emit_ir.swap_int if ints else emit_ir.swap_float
    inverse, swapped = emit_ir.relations(ir.conds[kind], truth, swap)
    return {i.name: (a, b) for i, a, b in zip(items, inverse, swapped)}


class Env:
    """A choice of types for a pattern. types: variable -> Type; values: name -> Type; insts: id(call) -> OpInst;
    conds: attribute name -> kind."""

    def __init__(self):
        self.types, self.values, self.insts, self.conds = {}, {}, {}, {}

    def copy(self):
        e = Env()
        e.types, e.values, e.insts, e.conds = dict(self.types), dict(self.values), dict(self.insts), dict(self.conds)
        return e


class Types:
    """All choices of types for a rule's pattern."""

    def __init__(self, ir):
        self.ir = ir

    def value(self, node, want, env):
        if node.k == "name":
            if node.name in env.values:
                if env.values[node.name] is want:
                    yield env
                return
            env = env.copy()
            env.values[node.name] = want
            yield env
        elif node.k == "num" or node.k == "un":
            if "int" in want.sets:
                yield env
        elif node.k == "typed":
            fits = "int" in want.sets if node.op == "iconst" else self.ir.types.get(node.op, want) is want
            if not fits:
                return
            env = env.copy()
            env.values[node.name] = want
            yield env
        else:
            yield from self.call(node, want, env)

    def call(self, node, want, env):
        name, _, suffix = node.name.partition(".")
        op = self.ir.ops[name]
        for inst in op.instances():
            if want is not None and inst.type_of(op.results[0].kind) is not want:
                continue
            types = env.types
            if suffix:
                control = self.ir.types.get(suffix) or types.get(suffix)
                if control is not None and control is not inst.control:
                    continue
                if control is None:
                    types = dict(types)
                    types[suffix] = inst.control
            new = env.copy()
            new.types = types
            new.insts[id(node)] = inst
            for attr, a in zip(node.attrs, op.attrs):
                if a.kind in COND_KINDS and attr.k == "name" and self.ir.conds[a.kind].find(attr.name) is None:
                    new.conds[attr.name] = a.kind
            yield from self.args(node, inst, 0, new)

    def args(self, node, inst, k, env):
        if k == len(node.args):
            yield env
            return
        want = inst.type_of(inst.op.params[k].kind)
        for e in self.value(node.args[k], want, env):
            yield from self.args(node, inst, k + 1, e)


class Side:
    """Both sides of one rule at one choice of types."""

    def __init__(self, ir, decl, env, picks, name, kind):
        self.ir, self.decl, self.env, self.picks = ir, decl, env, picks
        self.ob = Obligation(name, decl.loc, kind)
        self.values = {}    # name -> Term
        self.bits = {}      # constant's name -> number of 64 bits
        self.attrs = {}     # attribute name -> Term or EnumItem
        self.results = {}   # let with several results -> [Term]
        self.known = {}     # constant's name -> its number, when cases are told apart
        self.old, self.new = IrSide(ir), IrSide(ir)

    # ---- the pattern ----

    def match(self, node):
        inst = self.env.insts[id(node)]
        attrs = {}
        given = list(node.attrs) or [None] * len(inst.op.attrs)
        for attr, a in zip(given, inst.op.attrs):
            attrs[a.name] = self.pattern_attr(attr, a, inst)
        args = [self.pattern_value(x, inst.type_of(p.kind)) for x, p in zip(node.args, inst.op.params)]
        return self.old.run(inst, args, attrs)

    def pattern_attr(self, attr, a, inst):
        wide = inst.control.width if inst.control else 64
        width = {"ieee32": 32, "offset": 32, "trapcode": 8, "imm64": wide}.get(a.kind, 64)
        if attr is None:
            return self.attribute(a, var(a.name, width))
        if a.kind in COND_KINDS:
            item = self.ir.conds[a.kind].find(attr.name) or self.picks[attr.name]
            self.attrs[attr.name] = item
            return item
        if attr.k == "num":
            return self.attribute(a, const(attr.value, width))
        if a.kind == "trapcode":
            self.ob.hyps.append(smt.ne(var(attr.name, 8), const(0, 8)))
        if attr.name not in self.attrs:
            self.attrs[attr.name] = var(attr.name, width)
        return self.attribute(a, self.attrs[attr.name])

    @staticmethod
    def attribute(a, x):
        return smt.sext(x, 64) if a.kind == "offset" else x

    def pattern_value(self, node, t):
        number = number_of(node)
        if number is not None:
            return const(number, t.width)
        if node.k == "call":
            return self.match(node)[0]
        if node.name not in self.values:
            x = const(self.known[node.name], t.width) if node.name in self.known else var(node.name, t.width)
            self.values[node.name] = x
            self.ob.inputs.append(("%s: %s" % (node.name, t.name), x))
            if node.k == "typed" and node.op == "iconst":
                self.bits[node.name] = smt.zext(x, 64)
        return self.values[node.name]

    # ---- constants ----

    def type_named(self, node):
        t = self.env.types.get(node.name) or self.ir.types.get(node.name)
        if t is None:
            raise Unsaid(node.loc, "'%s' is no type" % node.name)
        return t

    def const(self, e):
        if e.k == "num":
            return const(e.value, 64)
        if e.k == "name":
            if e.name in self.bits:
                return self.bits[e.name]
            x = self.attrs.get(e.name)
            if isinstance(x, smt.Term):
                return smt.sext(x, 64)
            raise Unsaid(e.loc, "'%s' is no constant" % e.name)
        if e.k == "un":
            x = self.const(e.args[0])
            if e.op == "lnot":
                return smt.zext(smt.eq(x, const(0, 64)), 64)
            return smt.bvneg(x) if e.op == "neg" else smt.bvnot(x)
        if e.k == "bin":
            return number_op(e, self.const(e.args[0]), self.const(e.args[1]))
        if e.name in ("width", "ones", "min", "max"):
            w = self.type_named(e.args[0]).width
            return const({"width": w, "ones": (1 << w) - 1, "min": 1 << (w - 1), "max": (1 << (w - 1)) - 1}[e.name], 64)
        if e.name in ("sext", "zext"):
            x, w = self.const(e.args[0]), self.type_named(e.args[1]).width
            return (smt.sext if e.name == "sext" else smt.zext)(smt.low(x, w), 64)
        if e.name == "is_pow2":
            return smt.zext(is_power(self.const(e.args[0])), 64)
        if e.name == "log2":
            x = self.const(e.args[0])
            return smt.ite(smt.eq(x, const(0, 64)), x, smt.sub(const(63, 64), clz(x)))
        if e.name == "selects":
            return const(1, 64)  # right on any machine
        raise Unsaid(e.loc, "'%s' is a function of core/passes/magic.h" % e.name)

    # ---- the result ----

    def build(self, node, want):
        """(Term, Type) that a result node builds."""
        number = number_of(node)
        if number is not None:
            return const(number, want.width), want
        if node.k == "name":
            return self.values[node.name], self.env.values[node.name]
        if node.k == "nth":
            terms, inst = self.results[node.args[0].name]
            return terms[node.value], inst.type_of(inst.op.results[node.value].kind)
        if node.name.startswith("libcall"):
            raise Unsaid(node.loc, "it calls the run-time library")
        terms, inst = self.build_op(node)
        return terms[0], inst.type_of(inst.op.results[0].kind)

    def build_op(self, node):
        name, _, suffix = node.name.partition(".")
        op = self.ir.ops[name]
        control = None
        if suffix:
            control = self.env.types.get(suffix) or self.ir.types[suffix]
        args = []
        for arg, p in zip(node.args, op.params):
            want = self.ir.types.get(p.kind) or control
            if want is None and args:
                want = args[0][1]
            args.append(self.build(arg, want))
        for inst in op.instances():
            if control is not None and inst.control is not control:
                continue
            if all(inst.type_of(p.kind) is t for p, (_, t) in zip(op.params, args)):
                break
        else:
            raise Unsaid(node.loc, "no types of '%s' fit" % node.name)
        attrs = {a.name: self.built_attr(x, a, inst) for x, a in zip(node.attrs, op.attrs)}
        return self.new.run(inst, [x for x, _ in args], attrs), inst

    def built_attr(self, attr, a, inst):
        if a.kind in COND_KINDS:
            if attr.k == "call":
                item, which = self.attrs[attr.args[0].name], {"inverse": 0, "swap": 1}[attr.name]
                return self.ir.conds[a.kind].find(relations(self.ir, a.kind)[item.name][which])
            return self.attrs.get(attr.name) or self.ir.conds[a.kind].find(attr.name)
        if a.kind == "trapcode":
            bound = self.attrs.get(attr.name)
            return bound if bound is not None else trap_number(self.ir, attr.name)
        if a.kind == "memflags":
            return None
        x = self.const(attr)
        return smt.low(x, {"ieee32": 32, "imm64": inst.control.width if inst.control else 64}.get(a.kind, 64))

    def statement(self, s):
        node = s.value
        if node.k == "call" and not node.name.startswith("libcall"):
            terms, inst = self.build_op(node)
            if s.k == "let" and len(terms) == 1:
                self.values[s.name], self.env.values[s.name] = terms[0], inst.type_of(inst.op.results[0].kind)
            elif s.k == "let":
                self.results[s.name] = (terms, inst)
        else:
            self.values[s.name], self.env.values[s.name] = self.build(node, self.env.types.get("T"))

    def obligation(self):
        root = self.env.insts[id(self.decl.pattern)]
        self.ob.text = "%s => %s" % (self.decl.pattern, self.decl.result.value)
        want = self.match(self.decl.pattern)
        if self.decl.guard is not None:
            self.ob.hyps.append(smt.ne(self.const(self.decl.guard), const(0, 64)))
        for s in self.decl.result.stmts:
            self.statement(s)
        value, types = self.decl.result.value, [root.type_of(r.kind) for r in root.op.results]
        if value is None:
            got = []
        elif value.k == "call" and value.name == "pair":
            got = [self.build(v, None)[0] for v in value.args]
        elif not root.op.results:
            self.build_op(value)
            got = []
        else:
            got = [self.build(value, self.env.types.get("T") or types[0])[0]]
        self.ob.goal("trap", self.old.trap, self.new.trap)
        live = smt.eq(self.old.trap, const(0, 8))
        for k, (a, b) in enumerate(zip(want, got)):
            if a.width != b.width:
                raise Unsaid(self.decl.loc, "the result has another type")
            self.ob.goal("result" if len(want) == 1 else "result %d" % k, a, b, live)
        compare_memory(self.ob, self.new, self.old)
        return self.ob


def powers(guard):
    """Names of constants that a guard wants to be powers of two."""
    if guard is None:
        return []
    if guard.k == "bin" and guard.op == "land":
        return powers(guard.args[0]) + powers(guard.args[1])
    if guard.k == "call" and guard.name == "is_pow2" and guard.args[0].k == "name":
        return [guard.args[0].name]
    return []


def shadowed(decl, env, decls):
    """Does a rule for this very type stand before this one, without any condition?"""
    name, _, suffix = decl.pattern.name.partition(".")
    control = env.insts[id(decl.pattern)].control
    for d in decls:
        other, _, fixed = d.pattern.name.partition(".")
        if (d is not decl and other == name and control is not None and fixed == control.name != suffix and
                d.guard is None and all(a.k == "name" for a in d.pattern.args) and
                len({a.name for a in d.pattern.args}) == len(d.pattern.args)):
            return True
    return False


def number_of(node):
    if node.k == "num":
        return node.value
    if node.k == "un" and node.op == "neg" and node.args[0].k == "num":
        return -node.args[0].value
    return None


def label(ir, env, root, picks):
    inst = env.insts[id(root)]
    parts = ["%s=%s" % (n, t.name) for n, t in sorted(env.types.items())]
    if inst.control is not None and not env.types:
        parts.append(inst.control.name)
    parts += ["%s:%s" % (n, t.name) for n, t in env.values.items()]
    return ",".join(parts + ["%s=%s" % (n, i.name) for n, i in picks.items()])


def by_cases(ir, decl, env, picks, name, kind):
    """One side, or several: a constant that is a power of two is each in turn, 16 to a question: division by it is then
    a shift."""
    fixed = powers(decl.guard)
    if not fixed:
        smt.reset()
        yield Side(ir, decl, env.copy(), picks, name, kind)
        return
    for low in range(0, env.values[fixed[0]].width, 16):
        smt.reset()
        at = "%s/%d" % (name, low) if env.values[fixed[0]].width > 16 else name
        yield Cases(ir, decl, env, picks, at, kind, fixed[0], low)


class Cases(Side):
    def __init__(self, ir, decl, env, picks, name, kind, fixed, low):
        super().__init__(ir, decl, env.copy(), picks, name, kind)
        self.again, self.fixed, self.low = (ir, decl, env, picks, name, kind), fixed, low

    def obligation(self):
        ir, decl, env, picks, name, kind = self.again
        for k in range(self.low, min(self.low + 16, env.values[self.fixed].width)):
            side = Side(ir, decl, env.copy(), picks, name, kind)
            side.known[self.fixed] = 1 << k
            case = side.obligation()
            when = smt.all_of(case.hyps)
            for what, holds, want, got in case.goals:
                if want is not got:
                    self.ob.goal("%s for %s = %#x" % (what, self.fixed, 1 << k), want, got, smt.conj(when, holds))
            self.ob.inputs, self.ob.text = case.inputs, case.text
        return self.ob


def obligations(ir, decl, kind, decls):
    """The obligations of a rewrite or expansion."""
    seen = {}
    for env in Types(ir).call(decl.pattern, None, Env()):
        if any(t.name == "i32" and v in pointers(env, decl.pattern) for v, t in env.values.items()):
            continue
        if shadowed(decl, env, decls):
            continue
        names = sorted(env.conds)
        for items in itertools.product(*[ir.conds[env.conds[n]].items for n in names]):
            picks = dict(zip(names, items))
            name = "%s/%s/%s" % (kind, decl.name, label(ir, env, decl.pattern, picks))
            if name in seen:
                seen[name] += 1
                name += "#%d" % seen[name]
            else:
                seen[name] = 1
            for side in by_cases(ir, decl, env, picks, name, kind):
                try:
                    ob = side.obligation()
                except Unsaid as e:
                    ob = side.ob
                    ob.unsaid = e.text
                ob.integer = all("int" in inst.type_of(p.kind).sets for inst in env.insts.values()
                                 for p in inst.op.params + inst.op.results)
                yield ob


def pointers(env, node, out=None):
    """Names that stand where an address does."""
    out = set() if out is None else out
    inst = env.insts.get(id(node))
    if inst is not None:
        kinds = {v for v, types in inst.op.vars if "ptr" in types[0].sets and len(types) == 2 and v == "P"}
        for a, p in zip(node.args, inst.op.params):
            if p.kind in kinds and a.k == "name":
                out.add(a.name)
            pointers(env, a, out)
    return out
