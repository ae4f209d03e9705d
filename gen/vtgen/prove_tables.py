"""Proofs that are not of rules: tables of conditions, what stands for what among instructions, and what the prover
takes for granted. prove.py lists the kinds."""
import copy

import smt
from prove_inst import Code, Place, RegVal, calls_of, is_pc_next
from prove_ir import IrSide
from prove_rewrite import relations
from prove_rule import Obligation
from prove_sem import Eval, Unsaid, is_nan, plain_whole, trunc
from smt import const, var
from tree import Expr


def made(kind, name, loc, build):
    """The obligation that build(obligation) fills in."""
    smt.reset()
    ob = Obligation("%s/%s" % (kind, name), loc, kind)
    try:
        build(ob)
    except Unsaid as e:
        ob.unsaid = e.text
    return ob


# ---- md/ir.md -----------------------------------------------------------------------------------------------------

def of_ir(ir):
    for op in ir.ops.values():
        if "commutes" not in op.props:
            continue
        for inst in op.instances():
            yield made("commutes", "%s.%s" % (op.name, inst.control.name), op.loc, lambda ob: commutes(ob, ir, inst))
    for kind in ("intcc", "floatcc"):
        table = relations(ir, kind)
        for item in ir.conds[kind].items:
            for t in ir.sets["int" if kind == "intcc" else "float"]:
                name = "%s.%s" % (item.name, t.name)
                yield made("not", name, item.loc, lambda ob: negated(ob, ir, kind, item, t, table))
                yield made("swap", name, item.loc, lambda ob: turned(ob, ir, kind, item, t, table))
    for t in ir.sets["float"]:
        yield made("division", "whole.%s" % t.name, None, lambda ob: whole_of_trunc(ob, t))
    for w in (2, 3, 4, 6):
        for name in ("udiv", "urem", "sdiv", "srem"):
            yield made("division", "%s.%d" % (name, w), None, lambda ob: division(ob, name, w))


def commutes(ob, ir, inst):
    op, attrs = inst.op, {}
    for a in op.attrs:
        attrs[a.name] = var(a.name, 8)
    args = [var(p.name, inst.type_of(p.kind).width) for p in op.params]
    ob.inputs = [(p.name, a) for p, a in zip(op.params, args)]
    ob.text = "%s(%s)" % (op.name, ", ".join(p.name for p in op.params))
    one, other = IrSide(ir), IrSide(ir)
    a, b = one.run(inst, args, attrs), other.run(inst, [args[1], args[0]] + args[2:], attrs)
    for k, (x, y) in enumerate(zip(a, b)):
        ob.goal("result %d" % k, x, y, smt.eq(one.trap, const(0, 8)))
    ob.goal("trap", one.trap, other.trap)


def two(ob, t):
    x, y = var("x", t.width), var("y", t.width)
    ob.inputs = [("x", x), ("y", y)]
    return x, y


def negated(ob, ir, kind, item, t, table):
    x, y = two(ob, t)
    ev, other = Eval(ir, None), ir.conds[kind].find(table[item.name][0])
    ob.text = "'%s' is the opposite of '%s'" % (other.name, item.name)
    ob.goal(other.name, smt.bvnot(ev.compare(item, x, y)), ev.compare(other, x, y))


def turned(ob, ir, kind, item, t, table):
    x, y = two(ob, t)
    ev, other = Eval(ir, None), ir.conds[kind].find(table[item.name][1])
    ob.text = "'%s' is '%s' with operands exchanged" % (other.name, item.name)
    ob.goal(other.name, ev.compare(item, x, y), ev.compare(other, y, x))


def whole_of_trunc(ob, t):
    """prove_sem.py takes the whole part of a float without fraction from the float it was cut from."""
    x = var("x", t.width)
    ob.inputs = [("x", x)]
    ob.text = "the whole part of trunc(x)"
    cut = trunc(x)
    ob.goal("whole part", plain_whole(x), plain_whole(cut), smt.bvnot(is_nan(x)))


def division(ob, name, w):
    """smt.py divides extended numbers by dividing the numbers, and makes remainders from quotients."""
    x, y = var("x", w), var("y", w)
    grow = smt.zext if name[0] == "u" else smt.sext
    a, b = grow(x, 2 * w), grow(y, 2 * w)
    plain = smt.make("bv" + name, 2 * w, (a, b))
    ob.goal("of extended numbers", plain, getattr(smt, name)(a, b))
    ob.goal("of plain numbers", smt.make("bv" + name, w, (x, y)), getattr(smt, name)(x, y))
    for c in {1, 2, 1 << (w - 2), -1}:
        c = const(c, w)
        ob.goal("by %d" % c.value, smt.make("bv" + name, w, (x, c)), getattr(smt, name)(x, c))
    ob.goal("by -1", smt.bvneg(x), smt.make("bvsdiv", w, (x, smt.ones(w))))
    ob.goal("by -1 and back", x, smt.make("bvmul", w, (smt.make("bvneg", w, (x,)), smt.ones(w))))
    over = smt.conj(smt.eq(x, const(1 << (w - 1), w)), smt.eq(y, smt.ones(w)))
    ob.goal("the quotient that overflows", x, smt.make("bvsdiv", w, (x, y)), over)
    n = smt.zext(var("n", max(w // 2, 1)), w)
    for op in ("bvshl", "bvlshr", "bvashr"):
        ob.goal(op, smt.make(op, w, (smt.make(op, w, (x, n)), n)), smt.binary(op, smt.binary(op, x, n), n))
    ob.goal("product of a shift", smt.make("bvmul", w, (smt.make("bvshl", w, (x, n)), y)), smt.mul(smt.shl(x, n), y))


# ---- machines -----------------------------------------------------------------------------------------------------

def of_machine(model, m):
    isa = m.isa
    for cond in isa.conds.values():
        for item in cond.items:
            if item.value in m.conds.opposite:
                yield made("opposite", item.name, item.loc, lambda ob: opposite(ob, m, cond, item))
    for after in isa.after:
        if not compares(isa, after):
            yield made("after", after.name, after.loc, unchecked)
        for inst in compares(isa, after):
            for name, e, loc in after.items:
                yield made("after", "%s/%s" % (inst.name, name), loc,
                           lambda ob: established(ob, m, after, inst, name, e))
    for i in isa.insts.values():
        if i.of is not None:
            yield made("pseudo", i.name, i.loc, lambda ob: pseudo(ob, m, i))
    for tied, free, loc in isa.unties:
        yield made("untie", "%s=%s" % (tied, free), loc, lambda ob: untied(ob, m, isa.insts[tied], isa.insts[free]))
    for i in isa.insts.values():
        if i.encode is not None and i.encode.format is None:
            yield made("seq", i.name, i.loc, lambda ob: sequence(ob, m, i))
    for r in isa.relaxes.values():
        for k in range(1, len(r.rows)):
            yield made("relax", "%s.%d" % (r.name, k), r.rows[k].loc, lambda ob: relaxed(ob, m, r, k))
    for s in isa.shorts.values():
        yield made("short", s.name, s.loc, lambda ob: short(ob, model, m, s))
    for hold in isa.holds:
        for t in hold.types:
            name = getattr(t, "name", t)
            yield made("moves", name, hold.loc, lambda ob: moved(ob, m, hold, name))


def opposite(ob, m, cond, item):
    other = next(i for i in cond.items if i.value == m.conds.opposite[item.value])
    x = m.exec()
    ob.text = "'%s' is the opposite of '%s'" % (other.name, item.name)
    ob.inputs = sorted(x.flags.items())
    ob.goal(other.name, smt.bvnot(x.condition(item, x.flags)), x.condition(other, x.flags))


def compares(isa, after):
    """The instructions that `after NAME(a, b)` speaks of: those whose names start with it, that put flags and read so
    many operands: registers, or composite operands, of one width."""
    found = []
    for i in isa.insts.values():
        reads = [o for o in i.opnds if o.reads]
        if (i.name.startswith(after.name) and len(reads) == len(after.params) and i.writes_flags and not i.loads and
                reads[0].type == "reg" and all(o.type in ("reg", "composite") for o in reads) and
                len({o.width for o in reads}) == 1):
            found.append(i)
    return found


def established(ob, m, after, inst, name, e):
    x, env, given = m.exec(), {}, {}
    for o, p in zip([o for o in inst.opnds if o.reads], after.params):
        env[p] = var(p, o.width)
        ob.inputs.append((p, env[p]))
        if o.type == "composite":
            given[o.name] = env[p]
            continue
        file = o.cls.file
        given[o.name] = RegVal(env[p] if o.width == file.width else
                               smt.concat(var(p + ".above", file.width - o.width), env[p]))
    x.run(inst, given)
    ob.text = "after %s(%s) '%s' is %s" % (inst.name, ", ".join(after.params), name, e)
    item = next(i for c in m.isa.conds.values() for i in c.items if name in i.names)
    ob.goal("'%s'" % name, Eval(m.ir, x).expr(e, env), x.condition(item, x.flags))
    ob.trace = x.trace


def unchecked(ob):
    raise Unsaid(None, "no instruction that puts flags has this name")


# ---- one instruction stands for another ------------------------------------------------------------------------------

def operands(ob, m, opnds):
    """Unknown values for operands: name -> what Exec takes."""
    given = {}
    for o in opnds:
        if o.type in ("reg", "fixed"):
            file = o.cls.file if o.type == "reg" else o.reg.file
            given[o.name] = RegVal(var(o.name, file.width))
            if o.reads:
                ob.inputs.append((o.name, given[o.name].term))
        elif o.type == "imm":
            if any(r.imm is o.imm for r in m.isa.relocs.values()):
                given[o.name] = Place("symbol", var("place_" + o.name, m.isa.word), o.name, o.imm)
                continue
            v = var(o.name, max(o.imm.width, 64))
            ob.inputs.append((o.name, v))
            ob.hyps.append(m.imms.fits(o.imm, v))
            given[o.name] = m.imms.value(o.imm, v)
        elif o.type == "composite" and len(o.comp.forms) == 1:
            parts = operands(ob, m, [named(p, "%s.%s" % (o.name, p.name)) for p in o.comp.forms[0].params])
            given.update(parts)
            env = {p.name: parts["%s.%s" % (o.name, p.name)] for p in o.comp.forms[0].params}
            env["pc_next"] = is_pc_next([o.comp.forms[0].value])
            given[o.name] = m.exec().eval.expr(o.comp.forms[0].value, env)
        elif o.type == "composite":
            given[o.name] = var(o.name, o.comp.width)
            ob.inputs.append((o.name, given[o.name]))
        elif o.type == "cond":
            given[o.name] = Code(holds=var(o.name + "_holds", 1), epoch=0)
            ob.inputs.append((o.name + " holds", given[o.name].holds))
        else:
            given[o.name] = Place("symbol", var("place_" + o.name, m.isa.word), o.name)
    return given


def named(o, name):
    o = copy.copy(o)
    o.name = name
    return o


class Args:
    """Arguments of `= INST(...)`: names of operands, registers, numbers, forms, expressions over immediates."""

    def __init__(self, ob, m, x, given, codes=None):
        self.ob, self.m, self.x, self.given = ob, m, x, given

    def give(self, o, e):
        if o.type == "cond" and e.k == "call" and e.name == "not":
            inner = self.given[e.args[0].name]
            return Code(holds=smt.bvnot(inner.holds), epoch=inner.epoch)
        if e.k == "call" and o.type == "composite":
            return self.form(o, e)
        if e.k == "dot":
            e = Expr("name", e.loc, name="%s.%s" % (e.args[0].name, e.name))
        if e.k == "name" and e.name in self.given:
            g = self.given[e.name]
            if isinstance(g, smt.Term) and o.type == "imm":
                return self.immediate(o, smt.resize(g, max(g.width, 64), True))
            return g
        if e.k == "name" and e.name in self.m.isa.reg_names:
            return self.register(e.name)
        return self.immediate(o, self.number(e))

    def register(self, name):
        reg, view = self.m.isa.reg_names[name]
        if reg.constant is not None:
            return RegVal(const(reg.constant, reg.width))
        return RegVal(var(reg.name, reg.width))

    def form(self, o, e):
        form = next(f for f in o.comp.forms if f.name == e.name)
        env = {"pc_next": is_pc_next([form.value])}
        for p, a in zip(form.params, e.args):
            env[p.name] = self.give(p, a)
        return self.x.eval.expr(form.value, env)

    def number(self, e):
        if e.k == "num":
            return const(e.value, 64)
        if e.k == "name":
            g = self.given[e.name]
            if isinstance(g, smt.Term):
                return smt.resize(g, 64, True)
        if e.k == "bin":
            from prove_rule import number_op
            return number_op(e, self.number(e.args[0]), self.number(e.args[1]))
        if e.k == "un" and e.op in ("neg", "not"):
            return (smt.bvneg if e.op == "neg" else smt.bvnot)(self.number(e.args[0]))
        raise Unsaid(e.loc, "'%s' as an operand" % e)

    def immediate(self, o, v):
        if o.type not in ("imm",):
            raise Unsaid(o.loc, "a number for operand '%s'" % o.name)
        self.ob.goal("operand '%s' can be encoded" % o.name, smt.TRUE, self.m.imms.fits(o.imm, v))
        return self.m.imms.value(o.imm, v)


def pseudo(ob, m, i):
    """The instruction it stands for does what the pseudo's sem says; where that says `undefined`, anything."""
    given = operands(ob, m, i.opnds)
    base, x = i.of.ref, m.exec()
    args = Args(ob, m, x, given)
    inner = {}
    for o, a in zip(base.opnds, i.of.args):
        inner[o.name] = args.give(o, a)
    ob.text = "%s = %s" % (i.name, i.of)
    outs = x.run(base, inner)
    named = {a.name: outs[o.name] for o, a in zip(base.opnds, i.of.args) if o.name in outs and a.k == "name"}
    said = m.exec()
    said.flags = {f: x_flag for f, x_flag in m.exec().flags.items()}
    said.given = dict(named)
    said.given.update({("flag", f): t for f, t in x.flags.items()})
    want = said.run(i, given)
    for name, reg in want.items():
        o = i.opnd(name)
        keep = RegVal(reg.term)
        hi = (o.view.hi if o.view is not None and o.view.write == "keep" else reg.term.width - 1)
        if name not in named:
            raise Unsaid(i.loc, "nothing gives '%s'" % name)
        ob.goal("'%s'" % name, smt.low(keep.term, hi + 1), smt.low(named[name].term, hi + 1))
    if said.wrote_flags:
        for f in said.flags:
            ob.goal("flag %s" % f, said.flags[f], x.flags[f])
    elif x.wrote_flags and i.opnds is not None and not i.writes_flags:
        ob.goal("the flags are left alone", smt.TRUE, smt.FALSE)
    same_memory(ob, said, x)
    ob.hyps += x.hyps + said.hyps
    ob.trace = x.trace


def same_memory(ob, a, b):
    if len(a.loads) != len(b.loads) or len(a.stores) != len(b.stores) or len(a.jumps) != len(b.jumps):
        ob.goal("as many loads, stores and jumps", smt.TRUE, smt.FALSE)
        return
    for k, (p, q) in enumerate(zip(a.loads, b.loads)):
        ob.goal("address of load %d" % k, p[1], q[1])
        ob.goal("width of load %d" % k, const(p[2], 16), const(q[2], 16))
    for k, (p, q) in enumerate(zip(a.stores, b.stores)):
        ob.goal("address of store %d" % k, p[1], q[1])
        if p[2].width != q[2].width:
            ob.goal("width of store %d" % k, const(p[2].width, 16), const(q[2].width, 16))
        else:
            ob.goal("value of store %d" % k, p[2], q[2])
    for k, (p, q) in enumerate(zip(a.jumps, b.jumps)):
        ob.goal("jump %d is taken" % k, p[0], q[0])
        ob.goal("target of jump %d" % k, target(p[1]), target(q[1]), smt.conj(p[0], aligned(a.isa, target(p[1]))))


def aligned(isa, address):
    """Is it where an instruction can stand?"""
    n = int((isa.settings.get("code") or ["align", "1"])[-1])
    return smt.eq(smt.conj(address, const(n - 1, address.width)), const(0, address.width))


def target(t):
    return t.term if isinstance(t, Place) else t


def sequence(ob, m, i):
    """An instruction of several parts does what its own sem says."""
    given = operands(ob, m, i.opnds)
    ob.text = "%s: %s" % (i.name, "; ".join(map(str, i.encode.parts)))
    said, x = m.exec(), m.exec()
    want = said.run(i, given)
    left = x.parts(i.encode.parts, given)
    for name, reg in want.items():
        ob.goal("'%s'" % name, reg.term, left[name].term if name in left else var("nothing", reg.term.width))
    x.jumps = [j for j in x.jumps if not (isinstance(j[1], Place) and j[1].kind == "end")]
    same_memory(ob, said, x)
    for text, ok in x.needs:
        ob.goal(text, smt.TRUE, ok)
    ob.hyps += x.hyps + said.hyps
    ob.trace = x.trace


def relaxed(ob, m, r, k):
    """A row goes where the first row goes, for the same operands, and leaves the same values, read at the same places;
    `end` is where it goes on."""
    given = operands(ob, m, r.opnds)
    for o in r.opnds:
        if o.type == "label":
            given[o.name] = Place("block", var("place_" + o.name, m.isa.word), o.name)
    first, other = m.exec(), m.exec()
    ob.text = "%s, row %d: %s" % (r.name, k + 1, "; ".join(map(str, calls_of(r.rows[k]))))
    outcomes = []
    for x, row in ((first, r.rows[0]), (other, r.rows[k])):
        calls = calls_of(row)
        if len(calls) == 1:
            inst, inner = m.isa.insts[calls[0].name], {}
            for o, a in zip(inst.opnds, calls[0].args):
                inner[o.name] = x.part_operand(o, a, given, {}, None)
            outs = x.run(inst, inner, str(calls[0]))
            outs = {a.name: outs[o.name] for o, a in zip(inst.opnds, calls[0].args) if o.name in outs}
        else:
            outs = x.parts(calls, given)
        goes, to = smt.FALSE, const(0, m.isa.word)
        for when, t in x.jumps:
            end = isinstance(t, Place) and t.kind == "end"
            goes = smt.ite(when, smt.FALSE if end else smt.TRUE, goes)
            to = smt.ite(when, to if end else target(t), to)
        outcomes.append((goes, to, outs))
        ob.hyps += x.hyps
        for text, ok in x.needs:
            ob.goal(text, smt.TRUE, ok)
    (a, to, left), (b, there, outs) = outcomes
    ob.goal("it jumps", a, b)
    ob.goal("where it jumps", to, there, smt.conj(a, aligned(m.isa, to)))
    for o in r.opnds:
        if o.writes:
            ob.goal("'%s'" % o.name, left[o.name].term, outs[o.name].term if o.name in outs else const(0, 1))
    first.jumps, other.jumps = [], []
    same_memory(ob, first, other)
    ob.trace = first.trace + other.trace


def untied(ob, m, tied, free):
    """The twin computes the same from the tied operand's value; what it does to the flags is the allocator's care."""
    a, b = m.exec(), m.exec()
    regs = operands(ob, m, tied.opnds)
    sources = [o for o in tied.opnds]
    given = {}
    for o, p in zip(sources, free.opnds[1:]):
        given[p.name] = regs[o.name]
        if p.type == "imm" and o.type == "imm" and p.imm is not o.imm:
            number = smt.resize(regs[o.name], 64, True)
            ob.goal("operand '%s' can be encoded" % p.name, smt.TRUE, m.imms.fits(p.imm, number))
            given[p.name] = m.imms.value(p.imm, number)
    want, got = a.run(tied, regs), b.run(free, given)
    ob.text = "%s = %s" % (tied.name, free.name)
    out = next(o for o in tied.opnds if o.role == "inout")
    ob.goal("'%s'" % free.opnds[0].name, want[out.name].term, got[free.opnds[0].name].term)
    same_memory(ob, a, b)
    ob.trace = a.trace + b.trace


def short(ob, model, m, s):
    """A short form's operands are those of the long one, and its encoding determines them: operands that differ and
    meet its conditions are encoded differently."""
    ob.text = "%s = %s" % (s.name, s.of)
    from prove_short import encoded
    one, other = encoded(ob, model, m, s, ""), encoded(ob, model, m, s, ".2")
    ob.hyps += one.hyps + other.hyps
    ob.hyps += [smt.eq(a, b) for a, b in zip(one.bits, other.bits)]
    for name in one.values:
        ob.goal("'%s' is determined by the encoding" % name, one.values[name], other.values[name])
    for text, ok in one.fits:
        ob.goal(text, smt.TRUE, ok)


def moved(ob, m, hold, t):
    """Written to memory and read back, a value is held as `hold` says; a copy is the whole register."""
    width = m.ir.types[t].width
    file = hold.cls.file
    moves = next((x for n, x in m.isa.moves.items() if n in (file.name, hold.cls.name)), None)
    if moves is None:
        raise Unsaid(hold.loc, "no moves for '%s'" % file.name)
    if m.isa.is_stack:
        pushed(ob, m, moves.constant, t, width)
        return
    value, reg = var("value", width), var("register", file.width)
    ob.inputs = [("value: %s" % t, value), ("its register", reg)]
    ob.hyps.append(m.above(t, value, reg))
    store, load = moves.store[width // 8], moves.load[width // 8]
    x = m.exec()
    x.run(store, store_operands(store, RegVal(reg), m))
    ob.text = "%s, then %s" % (store.name, load.name)
    if len(x.stores) != 1 or x.stores[0][2].width != width:
        ob.goal("one store of %d bits" % width, smt.TRUE, smt.FALSE)
        return
    ob.goal("what is stored", value, x.stores[0][2])
    y = m.exec()
    y.memory = x.stores[0][2]
    back = y.run(load, store_operands(load, RegVal(reg), m))
    ob.goal("read back", smt.TRUE, m.above(t, value, next(iter(back.values())).term))
    c = m.exec()
    copy = c.run(moves.copy, store_operands(moves.copy, RegVal(reg), m))
    ob.goal("copied", reg, next(iter(copy.values())).term)
    if c.wrote_flags or y.wrote_flags:
        ob.goal("the flags are left alone", smt.TRUE, smt.FALSE)
    ob.trace = x.trace + y.trace + c.trace


def pushed(ob, m, inst, t, width):
    """The constant that a value type's `constant` pushes; a value in a local or on the stack is all of it."""
    if inst is None:
        raise Unsaid(ob.loc, "no constants of '%s'" % t)
    number, (o,) = var("number", 64), [o for o in inst.opnds if o.type == "imm"]
    ob.text = "%s(number)" % inst.name
    ob.inputs = [("number", number)]
    ob.hyps.append(smt.disj(smt.eq(smt.sext(smt.low(number, width), 64), number),
                            smt.eq(smt.zext(smt.low(number, width), 64), number)))
    ob.goal("it can be encoded", smt.TRUE, m.imms.fits(o.imm, number))
    x = m.exec()
    made = x.run(inst, {o.name: m.imms.value(o.imm, number)})
    ob.goal("what is pushed", smt.TRUE, m.above(t, smt.low(number, width), next(iter(made.values())).term))
    ob.trace = x.trace


def store_operands(inst, reg, m):
    out = {}
    for o in inst.opnds:
        if o.type == "composite":
            out[o.name] = var("slot", o.comp.width)
        elif o.type in ("reg", "fixed") and o.reads:
            out[o.name] = reg
        elif o.type == "imm":
            out[o.name] = const(0, o.width)
    return out
