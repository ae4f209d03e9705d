"""Several instructions in a row as C: the rows of a `relax`, and instructions with `encode seq(...)`.

A part is an instruction with operands that are names, registers, numbers, forms, and besides these
    RELOC(t)      where an immediate stands: a field that the relocation fills with the address of the label or symbol t.
                  One whose formula names H belongs to the last one before it whose formula does not.
    end           where a label stands: behind the last part
    not(c)        where a condition stands: the opposite one
    an expression over the immediates of the whole, where an immediate stands
Parts with a field that waits are encoded in their long form, so that the field is where the relocation expects it.
"""
from machine import c_int
from tree import Expr

OPS = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^", "mul": "*", "shl": "<<", "lshr": ">>"}
MAX_FIXUPS = 4  # of Encoded


class Parts:
    """C lines that encode `calls` into out[0], out[1], ... from the slots s[] of `i`; `give_up`: the statement for
    operands that do not fit."""

    def __init__(self, m, i, calls, give_up):
        self.m, self.i, self.calls, self.give_up = m, i, calls, give_up
        self.waits = {}  # number of a part -> (Reloc, own slot)
        self.room = 1
        # A relocation that patches several parts knows how long they are.
        self.fixed = any(x.k == "call" and x.name in m.isa.relocs and len(m.isa.relocs[x.name].spots) > 1
                         for c in calls for x in c.walk())

    def lines(self):
        bodies = [self.part(j, call) for j, call in enumerate(self.calls)]
        out = ["    MOpnd t[%d] = {{0}};" % self.room]
        if any("end_at" in line for b in bodies for line in b):
            out.append("    unsigned end_at = 0;")
        sized = len(out) > 1
        for j in reversed(range(len(bodies))):
            if j + 1 < len(bodies):
                out.append("    memset(t, 0, sizeof t);")
            out += bodies[j]
            if sized and j:
                out.append("    end_at += out[%d].n;" % j)
        return out + self.fixups()

    def part(self, j, call):
        from emit_encode import copy_operands
        m, target = self.m, self.m.by_name.get(call.name) if call.k == "call" else None
        if target is None:
            m.fail(call.loc, "no instruction is named '%s'" % call.name if call.k == "call" else "an instruction belongs here")
        if len(call.args) != len(target.slots):
            m.fail(call.loc, "'%s' has %d operands, %d given" % (call.name, len(target.slots), len(call.args)))
        self.room = max(self.room, target.n_slots)
        plain, special = [], []
        for slot, arg in zip(target.slots, call.args):
            plain.append(self.plain(j, slot, arg, slot.slot, special))
        lines, back, _ = copy_operands(m, self.i, target, Expr("call", call.loc, name=call.name, args=plain))
        lines += special
        long = "_long" if any("/* long */" in x for x in special) or self.fixed else ""
        lines = [x.replace(" /* long */", "") for x in lines]
        lines.append("    if (!%s_encode%s(%d, t, features, &out[%d])) %s" % (m.name, long, target.index, j, self.give_up))
        for at, own in back.items():
            lines.append("    for (unsigned f = 0; f < out[%d].n_fixups; f++)" % j)
            lines.append("        if (out[%d].fixups[f].slot == %d) out[%d].fixups[f].slot = %d;" % (j, at, j, own))
        return lines

    def plain(self, j, slot, arg, at, special):
        """The argument as copy_operands takes it; what it does not know is put into `special`."""
        zero = Expr("num", arg.loc, value=0)
        if arg.k == "call" and slot.type == "composite":
            form = next((f for f in slot.kind.forms if f.name == arg.name), None)
            if form is None:
                self.m.fail(arg.loc, "operand '%s' has no form '%s'" % (slot.kind.name, arg.name))
            args = [self.plain(j, p, a, at + p.slot, special) for p, a in zip(self.m.form_slots[id(form)], arg.args)]
            return Expr("call", arg.loc, name=arg.name, args=args)
        if arg.k == "call" and arg.name in self.m.isa.relocs:
            own = self.i.inst_opnd(arg.args[0].name) if len(arg.args) == 1 and arg.args[0].k == "name" else None
            if own is None or own.type != "label":
                self.m.fail(arg.loc, "'%s' takes a label of '%s'" % (arg.name, self.i.name))
            self.waits[j] = (self.m.isa.relocs[arg.name], own.slot)
            special.append("    t[%d].imm = 0; /* long */" % at)
            return zero
        if arg.k == "name" and arg.name == "end" and slot.type == "label":
            size = self.m.by_name[self.calls[j].name].inst.encode.format.width // 8
            special.append("    t[%d].imm = end_at + %d; /* long */" % (at, size))
            return zero
        if arg.k == "call" and arg.name == "not":  # the opposite condition
            return arg
        if arg.k in ("bin", "un", "call"):
            special.append("    t[%d].imm = %s;" % (at, self.number(arg)))
            return zero
        return arg

    def number(self, e):
        if e.k == "num":
            return c_int(e.value)
        if e.k == "name":
            own = self.i.inst_opnd(e.name)
            if own is None or own.type != "imm":
                self.m.fail(e.loc, "no immediate of '%s' is named '%s'" % (self.i.name, e.name))
            return own.c_value
        if e.k == "bin" and e.op in OPS:
            return "(int64_t)((uint64_t)%s %s (uint64_t)%s)" % (self.number(e.args[0]), OPS[e.op], self.number(e.args[1]))
        if e.k == "call" and e.name == "sext" and e.args[1].k == "num":
            return "bit_sext((uint64_t)%s, %d)" % (self.number(e.args[0]), e.args[1].value)
        return self.m.fail(e.loc, "an operand, a number, a form or a relocation belongs here")

    def fixups(self):
        """What waits, in the order of the parts."""
        out, high = [], None
        if len(self.waits) > MAX_FIXUPS:
            self.m.fail(self.calls[0].loc, "more than %d parts wait for an address" % MAX_FIXUPS)
        for j in sorted(self.waits):
            reloc, slot = self.waits[j]
            back = "0"
            if "H" in reloc.letters():
                if high is None:
                    self.m.fail(self.calls[j].loc, "'%s' belongs to a relocation before it" % reloc.name)
                back = "(uint8_t)(%s)" % " + ".join("out[%d].n" % k for k in range(high, j))
            else:
                high = j
            out.append("    out[%d].fixups[out[%d].n_fixups++] = (Fixup){.reloc = %d, .back = %s, .slot = %d}; // %s"
                       % (j, j, reloc.index, back, slot, reloc.name))
        return out


def join(m, i, calls):
    """The body of an encoder function for `encode seq(calls)`: parts put together; distances that are numbers already
    are filled in."""
    parts = Parts(m, i, calls, "return false;")
    lines = ["    Encoded out[%d];" % len(calls)] + parts.lines()
    lines.append("    for (unsigned j = 0; j < %d; j++) join(s, &out[j], e);" % len(calls))
    return lines
