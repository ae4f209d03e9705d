"""A machine as the emitters of tables, encoder, decoder and printer see it: the Isa with numbered instructions (relax
pseudos after the others), operands laid out in slots (core/select/mfunc.h) and kinds of immediates that can be read
both ways. Everything is in the order of the text, so numbers are stable.
"""
import copy

from checks_encode import leb
from diag import DescriptionError
from imms import cases_of, table_of
from symbits import Bits, Evaluator, NotSymbolic, Rec, Var, atoms_of, truth


class Kind:
    """An immediate kind or a set of conditions. index: number in the target's table of both.

    A value of the kind is `low_zeros` zero bits, `width` bits of field, and an extension: with the sign (signed), with
    zeros, or none to the word (open: either reading of the top bit is accepted, the signed one is canonical). What is
    not of that shape has bits None and either cases or a table (imms.py), of which width is the value's, low_zeros 0.
    """

    def __init__(self, index, name, fields, names, value, reloc):
        self.index, self.name, self.fields, self.names, self.value, self.reloc = index, name, fields, names, value, reloc
        self.bits = None
        self.low_zeros = self.width = 0
        self.signed = self.open = False
        self.guard = self.cases = self.table = None
        self.floating = names == ["float"]
        if self.floating:
            self.names = []
        self.least = self.most = None

    def irregular(self, imm, word):
        """An immediate that is not one run of bits."""
        self.guard, self.bits, self.low_zeros, self.width = imm.guard, None, 0, imm.value.width
        self.signed, self.open = False, imm.value.width < word
        self.cases = cases_of(imm)
        if self.cases is None:
            self.table = {signed(v, self.width): f for v, f in table_of(imm).items()}
            ends = list(self.table)
        else:
            ends = [signed(c.value(f, self.width), self.width) for c in self.cases
                    for f in (c.fixed, c.fixed | (1 << c.width) - 1 << c.start, c.fixed | (1 << c.width >> 1) << c.start,
                              c.fixed | (1 << c.width >> 1) - 1 << c.start if c.width else c.fixed)]
        self.least, self.most = (-(1 << self.width - 1), (1 << self.width) - 1) if self.open else (min(ends), max(ends))

    @property
    def regular(self):
        return self.cases is None and self.table is None

    def shape(self, atoms, word):
        n = k = 0
        while n < len(atoms) and atoms[n] == 0:
            n += 1
        while n + k < len(atoms) and atoms[n + k] not in (0, 1) and atoms[n + k][1] == k:
            k += 1
        rest = atoms[n + k:]
        self.low_zeros, self.width = n, k
        if n + k == word or (rest and all(a == atoms[n + k - 1] for a in rest)):
            self.signed = True
        elif not rest:
            self.open = True
        elif any(a != 0 for a in rest):
            return
        self.bits = atoms

    @property
    def lo(self):
        if self.least is not None:
            return self.least
        return -(1 << self.low_zeros + self.width - 1) if self.signed or self.open else 0

    @property
    def hi(self):
        if self.most is not None:
            return self.most
        n = self.low_zeros + self.width
        return (1 << (n - 1 if self.signed else n)) - (1 << self.low_zeros)

    def fits(self, value):
        if not self.regular:
            return self.field(value) is not None
        return self.lo <= value <= self.hi and value % (1 << self.low_zeros) == 0

    def field(self, value):
        """The least field of a value of an irregular kind, or None."""
        if not self.lo <= value <= self.hi:
            return None
        value = signed(value, self.width)
        if self.table is not None:
            return self.table.get(value)
        for c in self.cases:
            run = value >> c.at & (1 << c.width) - 1
            field = c.fixed | (run ^ (1 << c.width) - 1 if c.inverted else run) << c.start
            if signed(c.value(field, self.width), self.width) == value:
                return field
        return None

    def c_fits(self, value):
        if not self.regular:
            return "target_imm_fits(&target_%s, %d, %s)" % (self.isa, self.index, value)
        text = "%s >= %s && %s <= %s" % (value, c_int(self.lo), value, c_int(self.hi))
        return "(%s && !(%s & %d))" % (text, value, (1 << self.low_zeros) - 1) if self.low_zeros else "(%s)" % text


def signed(value, width):
    value &= (1 << width) - 1
    return value - (1 << width) if value >> width - 1 else value


def c_int(n):
    return "INT64_MIN" if n == -(1 << 63) else "%d" % n if -(1 << 31) < n < 1 << 31 else "INT64_C(%d)" % n


class Leb(list):
    """The atoms of a group of bytes that has as many as its value needs; of a signed one the last is the sign."""

    def __init__(self, atoms, signed, loc):
        super().__init__(atoms)
        self.signed, self.loc = signed, loc

    def constant(self):
        """Its bytes, or None when they depend on operands."""
        if any(a not in (0, 1) for a in self):
            return None
        value, code = sum(a << i for i, a in enumerate(self)), bytearray()
        leb(code, value - (self[-1] << len(self)) if self.signed else value, self.signed)
        return bytes(code)


LABEL_BITS = 32  # of a label that no immediate kind describes


class Field:
    """Where a relocation writes: `size` bytes, `at` bytes behind its place; runs: [(bit of these bytes, bit of the value,
    width)]; the value lies in lo .. hi (None: is a whole word), its bits below `low_zeros` are 0. leb: None, or the Leb that has all
    `size` bytes; then there are no runs."""

    def __init__(self, at, size, runs, lo, hi, low_zeros, leb_=None):
        self.at, self.size, self.runs, self.lo, self.hi, self.low_zeros = at, size, runs, lo, hi, low_zeros
        self.leb = leb_


def joined(pairs):
    """Runs of (bit of the place, bit of the value)."""
    out = []
    for at, bit in sorted(pairs):
        if out and out[-1][0] + out[-1][2] == at and out[-1][1] + out[-1][2] == bit:
            out[-1][2] += 1
        else:
            out.append([at, bit, 1])
    return [tuple(r) for r in out]


class Slot:
    """An operand of an instruction or a part of a form, with its place among the slots.

    type: reg (cls, fixed or None, view) imm (kind) label (kind or None) composite (kind: Composite)
    """

    def __init__(self, machine, o, slot):
        self.name, self.role, self.loc, self.slot = o.name, o.role, o.loc, slot
        self.cls, self.fixed, self.view, self.kind, self.bits = o.cls, o.reg, o.view, None, o.width
        self.n_slots = 2 if o.role == "inout" else 1
        self.type = "reg" if o.type == "fixed" else o.type
        if o.type == "fixed":
            self.cls = next(c for c in machine.isa.classes.values() if o.reg in c.regs)
        elif o.type == "imm":
            self.kind = machine.kinds[o.imm.name]
            self.type = "label" if self.kind.reloc else "imm"
            self.bits = self.kind.width
        elif o.type == "cond":
            self.type, self.kind = "imm", machine.kinds[machine.cond_name[id(o.cond)]]
        elif o.type == "composite":
            self.kind = o.comp
            self.n_slots = 1 + o.comp.max_parts

    @property
    def c_value(self):
        """Its value in the canonical reading, as C."""
        text = "s[%d].imm" % self.slot
        return "bit_sext((uint64_t)%s, %d)" % (text, self.kind.width) if self.kind is not None and self.kind.open else text


def displacement(form):
    """The part of a form that is added to a base as it is, or None. Distances from the instruction are none."""
    def summands(e):
        if e.k == "bin" and e.op == "add":
            return summands(e.args[0]) + summands(e.args[1])
        return [e.name] if e.k == "name" else []
    names = summands(form.value)
    if "pc" in names or "pc_next" in names:
        return None
    return next((p for p in form.params if p.name in names and p.type == "imm"), None)


def lay_out(machine, opnds, first=0):
    out, slot = [], first
    for o in opnds:
        out.append(Slot(machine, o, slot))
        slot += out[-1].n_slots
    return out


class MInst:
    """An instruction, pseudo or relax with its number and slots. inst: isa.Inst or isa.Relax."""

    def __init__(self, machine, index, inst):
        self.index, self.inst, self.name, self.loc = index, inst, inst.name, inst.loc
        self.slots = lay_out(machine, inst.opnds)
        self.n_slots = sum(s.n_slots for s in self.slots)
        self.relax = hasattr(inst, "rows")
        self.shorts = []

    def inst_opnd(self, name):
        return next((s for s in self.slots if s.name == name), None)

    @property
    def pseudo(self):
        return not self.relax and self.inst.of is not None


class Machine:
    def __init__(self, isa, ir):
        self.isa, self.ir, self.name = isa, ir, isa.name
        self.big_endian = isa.settings.get("endian") == ["big"]
        self.relocs = list(isa.relocs.values())
        self.read_kinds()
        self.form_slots = {id(f): lay_out(self, f.params, 1) for c in isa.operands.values() for f in c.forms}
        self.insts = [MInst(self, i, x) for i, x in
                      enumerate(list(isa.insts.values()) + list(isa.relaxes.values()))]
        self.by_name = {i.name: i for i in self.insts}
        for s in isa.shorts.values():
            self.by_name[s.of.name].shorts.append(s)

    def read_kinds(self):
        filled = {}
        for r in self.relocs:
            if r.imm is not None:
                if r.imm.name in filled:
                    raise DescriptionError(r.loc, "'%s' is already filled by %s" % (r.imm.name, filled[r.imm.name].name))
                filled[r.imm.name] = r
        self.kinds, self.cond_name = {}, {}
        self.evaluator = Evaluator(self.kinds, {n: r.hw for n, (r, _) in self.isa.reg_names.items()})
        for imm in self.isa.imms.values():
            k = Kind(len(self.kinds), imm.name, imm.fields, imm.names, imm.value, filled.get(imm.name))
            k.isa = self.name
            self.kinds[k.name] = k
            env = {n: Var(n, w, n).bits() for n, w in imm.fields}
            try:
                k.shape(self.evaluator.eval(imm.value, env).atoms, self.isa.word)
            except NotSymbolic:
                pass
            if k.bits is None or imm.guard is not None:
                k.irregular(imm, self.isa.word)
        for name, cond in self.isa.conds.items():
            names = [None] * (1 << cond.width)
            for item in cond.items:
                names[item.value] = item.names[0]
            k = Kind(len(self.kinds), name, [("value", cond.width)], names, None, None)
            k.shape(Var("value", cond.width, "value").bits().atoms + [0] * (self.isa.word - cond.width), self.isa.word)
            k.most = max(item.value for item in cond.items)  # what is not listed is no condition
            self.kinds[name] = k
            self.cond_name[id(cond)] = name

    def leaves(self, i, call):
        """[(slot, argument)] of a short form's instruction; a form's parts are taken one by one."""
        out = []
        for slot, arg in zip(i.slots, call.args):
            form = next((f for f in slot.kind.forms if arg.k == "call" and f.name == arg.name), None) \
                if slot.type == "composite" else None
            if form is None:
                out.append((slot, arg))
                continue
            for part, a in zip(self.form_slots[id(form)], arg.args):
                q = copy.copy(part)
                q.slot += slot.slot
                out.append((q, a))
        return out

    # ---- relocations ----
    def reloc_field(self, reloc, spot):
        """The Field of one spot of a relocation."""
        if spot.field is not None:
            fmt, name = spot.field
            at, pairs = 0, []
            for x in reversed(fmt.fields):
                if x.name == name:
                    lo = x.lo if x.kind == "part" else 0
                    pairs += [(at + i, lo + i) for i in range(x.width)]
                at += x.width
            low, top = min(b for _, b in pairs), max(b for _, b in pairs)
            e = spot.value
            if e.k == "bin" and e.op == "and" and e.args[1].k == "num" and e.args[1].value < 1 << top + 1:
                return Field(spot.at, fmt.width // 8, joined(pairs), None, None, low)  # a part of the value always fits
            return Field(spot.at, fmt.width // 8, joined(pairs), -(1 << top), (1 << top) - (1 << low), low)
        if spot.imm is None:
            lo, hi = (-(1 << spot.bits - 1), (1 << spot.bits) - 1) if spot.bits < 64 else (None, None)
            return Field(spot.at, spot.bits // 8, [(0, 0, spot.bits)], lo, hi, 0)
        kind = self.kinds[spot.imm.name]
        lo, hi = (kind.lo, kind.hi) if kind.width + kind.low_zeros < 64 else (None, None)
        found = self.leb_of(kind)
        if found is not None:
            return Field(spot.at, (len(found) + 6) // 7, [], lo, hi, 0, found)
        found = {places for i in self.insts if not i.relax and not i.pseudo and i.inst.encode.format is not None
                 for places in self.field_places(i, kind)}
        if len(found) > 1:
            self.fail(spot.loc, "immediate '%s' stands in several places: name a format's field" % kind.name)
        if found:
            (size, runs), = found
            return Field(spot.at, size, list(runs), lo, hi, kind.low_zeros)
        if kind.width % 8 or kind.low_zeros:
            self.fail(spot.loc, "this relocation's field is not whole bytes")
        return Field(spot.at, kind.width // 8, [(0, 0, kind.width)], lo, hi, 0)

    def leb_of(self, kind):
        """The Leb that holds operands of a kind, or None."""
        for i in self.insts:
            fmt = i.inst.encode.format if not i.relax and not i.pseudo else None
            if fmt is None or not any(g.kind in ("uleb", "sleb") for g in fmt.groups):
                continue
            parts = [p for s in i.slots if s.type == "composite" for f in s.kind.forms for p in self.form_slots[id(f)]]
            if not any(s.kind is kind for s in i.slots + parts):
                continue
            env = {s.name: self.parts_value(s) if s.type == "composite" else self.opnd_value(s) for s in i.slots}
            for atoms, _ in self.layout(i.inst.encode, env):
                if isinstance(atoms, Leb) and any(a not in (0, 1) and a[0].opnd.kind is kind for a in atoms):
                    return atoms
        return None

    def parts_value(self, s):
        """A composite operand whose parts an instruction encodes one by one."""
        return Rec(s.kind.name, {p.name: self.opnd_value(p) for f in s.kind.forms for p in self.form_slots[id(f)]})

    def field_places(self, i, kind):
        """(bytes, runs) of the operands of a kind in an instruction of a fixed format."""
        fmt = i.inst.encode.format
        for s in i.slots:
            if s.kind is not kind or fmt.width is None:
                continue
            env = {x.name: self.opnd_value(x) for x in i.slots if x.type != "composite"}
            try:
                (atoms, _), = self.layout(i.inst.encode, env)
            except DescriptionError:  # it has a memory operand, too
                continue
            pairs = [(at, a[1] + kind.low_zeros) for at, a in enumerate(atoms) if a not in (0, 1) and a[0].slot == s.slot]
            yield fmt.width // 8, tuple(joined(pairs))

    def feature_bits(self, names):
        return sum(1 << self.isa.features[n].index for n in set(names))

    def fail(self, loc, text):
        raise DescriptionError(loc, text)

    def reg(self, name):
        if name in self.isa.flags:
            return self.isa.flags[name].reg
        return self.isa.reg_names[name][0]

    def role(self, name):
        return self.isa.roles.get(name, [])

    def scratch(self):
        return [self.reg(n) for n in self.role("scratch")]

    # ---- encoding ----
    def opnd_value(self, o, slot=None, c_name=None):
        """The symbolic value of a register or immediate operand: what its name means in an `encode` line."""
        slot = o.slot if slot is None else slot
        c_name = c_name or o.name
        if o.type == "reg":
            width = o.cls.code_bits
            if o.fixed is not None:
                code = o.cls.codes[o.cls.regs.index(o.fixed)]
                return Bits(atoms_of(code, width), o.bits, o)
            return Bits(Var(o.name, width, c_name, slot, None, o).bits().atoms, o.bits, o)
        if o.kind is None:  # a label of a stack machine: how many constructs are left
            bits = Var(o.name, LABEL_BITS, c_name, slot, None, o, "value").bits()
            return Bits(bits.atoms, 0, o, {"value": bits, "field": bits})
        fields = {}
        for name, width in o.kind.fields:
            c = c_name if len(o.kind.fields) == 1 else "%s_%s" % (c_name, name)
            fields[name] = Var(o.name, width, c, slot, o.kind.reloc, o, name).bits()
        if len(fields) == 1:
            fields["field"] = next(iter(fields.values()))  # `i.field`, whatever the description calls it
        if o.kind.value is None:
            return Bits(fields["value"].atoms, 0, o, fields)
        try:
            value = self.evaluator.eval(o.kind.value, fields).atoms
        except NotSymbolic:
            value = []
        return Bits(value, 0, o, fields)

    def args(self, encode, env):
        return {name: self.evaluator.eval(value, env) for name, value in encode.args.items()}

    def layout(self, encode, env):
        """The groups of bytes of `encode FORMAT(args)`: [(atoms, Cond or True)] in order; what cannot be present is
        left out."""
        try:
            args = self.args(encode, env)
            if encode.format.width is not None:
                return [(self.fixed_bits(encode.format, args), True)]
            return self.groups(encode.format, dict(args))
        except NotSymbolic as e:
            return self.fail(encode.loc, "this encoding cannot be read backwards: %s" % e)

    def truth(self, when, env):
        """A condition over operands, True when there is none."""
        try:
            return True if when is None else truth(self.evaluator.eval(when, env))
        except NotSymbolic as e:
            return self.fail(when.loc, "this condition cannot be read backwards: %s" % e)

    def groups(self, f, scope):
        ev, out = self.evaluator, []
        for g in f.groups:
            if g.kind == "let":
                scope[g.name] = ev.eval(g.value, scope)
                continue
            cond = truth(ev.eval(g.when, scope)) if g.when is not None else True
            if cond is False:
                continue
            if g.kind in ("uleb", "sleb"):
                out.append((self.leb(g, ev.eval(g.value, scope)), cond))
                continue
            atoms = []
            for e, width in reversed(g.pieces):
                value = ev.eval(e, scope)
                if isinstance(value, int) and not -(1 << width - 1) <= value < 1 << width:
                    self.fail(g.loc, "%d does not fit %d bits" % (value, width))
                atoms += atoms_of(value, width)
            out.append((atoms, cond))
        return out

    def leb(self, g, value):
        """A group of variable length."""
        signed = g.kind == "sleb"
        if isinstance(value, int):
            return Leb(atoms_of(value, value.bit_length() + 1), signed, g.loc)
        atoms = list(atoms_of(value))
        zeros = atoms[-1] == 0
        while len(atoms) > 1 and (atoms[-1] == 0 if zeros else atoms[-1] == atoms[-2]):
            atoms.pop()
        if zeros and signed:
            atoms.append(0)
        if not signed and not zeros and len(atoms_of(value)) != len(atoms) < 64:
            self.fail(g.loc, "'uleb' of a number with a sign")
        return Leb(atoms, signed, g.loc)

    def fixed_bits(self, f, args):
        atoms = []
        for x in reversed(f.fields):
            if x.kind == "bits":
                atoms += atoms_of(x.value, x.width)
            elif x.kind == "field":
                atoms += atoms_of(args[x.name], x.width)
            else:
                atoms += atoms_of(args[x.name], x.hi + 1)[x.lo:]
        return atoms


def machines(model):
    """One Machine for each described machine, made once."""
    if not hasattr(model, "machines"):
        model.machines = {name: Machine(isa, model.ir) for name, isa in sorted(model.isas.items())}
    return model.machines
