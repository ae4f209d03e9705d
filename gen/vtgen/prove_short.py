"""What the encoding of a short form keeps of its immediates.

A short form means what the instruction that it stands for means; what can be wrong about it is that it is used for
operands that its fields do not hold. encoded() gives the bits of an unknown operand that the encoding has, under the
conditions of the form: two operands with the same bits must be the same.
"""
import copy

import machine
import smt
from emit_encode import Encoder
from prove_inst import Imms  # noqa: F401  (the class of m.imms)
from prove_sem import Unsaid
from smt import const, var


class Encoded:
    """values: immediate's name -> its number (64 bits); bits: what the encoding has of them; hyps: the conditions of
    the form; fits: [(text, truth)] that must hold."""

    def __init__(self):
        self.values, self.bits, self.hyps, self.fits = {}, [], [], []


def machine_of(model, m):
    if not hasattr(m, "encoder"):
        m.encoder = Encoder(machine.Machine(m.isa, model.ir))
    return m.encoder.m


def encoded(ob, model, m, s, mark):
    out, mach = Encoded(), machine_of(model, m)
    i = mach.by_name[s.of.name]
    slots, long_kinds = [], {}
    for slot, arg in mach.leaves(i, s.of):
        o = next((o for o in s.opnds if arg.k == "name" and o.name == arg.name), None)
        if o is None or any(x.name == o.name for x in slots):
            continue
        n = copy.copy(slot)
        n.name = o.name
        if o.type == "imm" and slot.type in ("imm", "label"):
            long_kinds[o.name] = m.isa.imms[slot.kind.name]
            n.kind = mach.kinds[o.imm.name]
        elif o.type == "reg":
            n.cls = o.cls
        slots.append(n)
    fields = {}
    for o in s.opnds:
        if o.type != "imm" or any(r.imm is o.imm for r in m.isa.relocs.values()):
            continue
        v = var(o.name + mark, max(o.imm.width, 64))
        out.values[o.name] = v
        ob.inputs.append((o.name + mark, v))
        out.hyps.append(m.imms.fits(o.imm, v))
        if o.imm.width < 64:  # either reading is the same operand: take the signed one
            out.hyps.append(smt.eq(smt.sext(smt.low(v, o.imm.width), v.width), v))
        if m.imms.choices(o.imm) is None or len(m.imms.choices(o.imm)) > 1:
            raise Unsaid(s.loc, "immediate '%s' is no rearrangement of bits" % o.imm.name)
        fields[o.name] = m.imms.decode(o.imm, smt.low(v, o.imm.width))[0][0]
        if o.name in long_kinds and long_kinds[o.name] is not o.imm:
            out.fits.append(("'%s' can be an operand of %s" % (o.name, s.of.name), m.imms.fits(long_kinds[o.name], v)))
    if s.when is not None:
        regs = {o.name: var(o.name + mark, 8) for o in s.opnds if o.type in ("reg", "fixed")}
        out.hyps.append(truth(m, s.when, out.values, regs))
    seen = set()
    for atoms, _ in mach.layout(s.encode, m.encoder.operand_env(slots)):
        for a in atoms:
            if a in (0, 1) or a[0].opnd is None or a[0].opnd.name not in fields:
                continue
            v = a[0]
            name = v.field if v.field in fields[v.opnd.name] else next(iter(fields[v.opnd.name]))
            if (v.opnd.name, name, a[1]) not in seen:
                seen.add((v.opnd.name, name, a[1]))
                out.bits.append(((v.opnd.name, name, a[1]), smt.bit(fields[v.opnd.name][name], a[1])))
    out.bits = [b for _, b in sorted(out.bits, key=lambda x: x[0])]
    out.fits = [(text, implied(out.hyps, ok)) for text, ok in out.fits]
    return out


def implied(hyps, ok):
    return smt.disj(smt.bvnot(smt.all_of(hyps)), ok)


def truth(m, e, values, regs):
    """A form's `when` over immediates (numbers) and registers (their numbers)."""
    x = number(m, e, values, regs)
    return smt.ne(x, const(0, x.width))


def number(m, e, values, regs):
    from prove_rule import number_op
    if e.k == "num":
        return const(e.value, 64)
    if e.k == "name":
        if e.name in values:
            return values[e.name]
        if e.name in regs:
            return smt.zext(regs[e.name], 64)
        if e.name in m.isa.reg_names:
            return const(m.isa.reg_names[e.name][0].hw, 64)
        if e.ref is not None and e.ref.kind == "const":
            return const(e.ref.obj, 64)
    if e.k == "bin":
        return number_op(e, number(m, e.args[0], values, regs), number(m, e.args[1], values, regs))
    if e.k == "un":
        x = number(m, e.args[0], values, regs)
        if e.op == "lnot":
            return smt.zext(smt.eq(x, const(0, 64)), 64)
        return smt.bvneg(x) if e.op == "neg" else smt.bvnot(x)
    if e.k == "call" and e.name == "fits":
        return smt.zext(m.imms.fits(m.isa.imms[e.args[1].name], number(m, e.args[0], values, regs)), 64)
    raise Unsaid(e.loc, "'%s' has no meaning for the prover" % e)
