"""The decoder's tables: <isa>_decode.c. core/select/tables.h has the theory.

Every encode line, every form of its composite operand and every combination of present and absent byte groups gives one
row: which bits are constant, and where each operand's bits are. What the conditions say is used: an absent group tells
that the bits that would have called for it are 0, `fits(d, simm8)` that the rest of d is sign.
"""
import copy
from itertools import product

from emit_encode import Encoder, banner
from machine import LABEL_BITS, Leb, machines
from symbits import Bits, Cond, NotSymbolic, Rec, c_cond, land, lnot, truth

LEAF = 48  # rows that are tried one by one: an instruction's forms, with and without optional bytes


def outputs(isas):
    return ["%s_decode.c" % isa for isa in isas]


def emit(model):
    return {"%s_decode.c" % name: Decoder(m).text() for name, m in machines(model).items()}


def assume(cond, value, known, fits):
    """Adds to `known` (atom -> bit) what follows from a condition's truth; False when it contradicts."""
    if cond is True or cond is False:
        return cond == value
    if cond.op == "not":
        return assume(cond.args[0], not value, known, fits)
    if cond.op in ("and", "or") and value == (cond.op == "and"):
        return all([assume(a, value, known, fits) for a in cond.args])
    if cond.op == "nz" and (not value or len(cond.args[0].atoms) == 1):
        return all(know(a, int(value), known) for a in cond.args[0].atoms)
    if cond.op == "eq" and value:
        bits, want = cond.args
        return all(know(a, want >> i & 1, known) for i, a in enumerate(bits.atoms))
    if cond.op == "fits" and value:
        fits[cond.args[0].opnd.slot] = cond.args[1]
    return True


def know(atom, bit, known):
    if atom in (0, 1):
        return atom == bit
    var, i, inverted = atom
    return known.setdefault((var.slot, var.field, i), bit ^ inverted) == bit ^ inverted


class Row:
    """lebs: [(byte, bits, signed)] where LEBs stand, each counted as eight bytes."""

    def __init__(self, inst, form, mask, match, runs, size, lebs):
        self.inst, self.form, self.mask, self.match, self.runs, self.size = inst, form, mask, match, runs, size
        self.lebs = lebs
        self.requires = list(inst.inst.requires)


class Decoder:
    def __init__(self, m):
        self.m = m
        self.encoder = Encoder(m)
        self.rows = []

    # ---- rows ----
    def add(self, inst, slots, encode, guard, pinned=()):
        """Rows of one encode line. slots: operands; pinned: (slot, register number) of narrowed operands."""
        m = self.m
        comp = next((s for s in slots if s.type == "composite"), None)
        base = {s.name: m.opnd_value(s) for s in slots if s.type != "composite"}
        variants = [(0, slots, {}, True)]
        if comp is not None:
            variants = []
            for form in comp.kind.forms:
                parts = []
                for p in m.form_slots[id(form)]:
                    q = copy.copy(p)
                    q.slot += comp.slot
                    parts.append(q)
                env = {p.name: m.opnd_value(p, c_name="%s_%s" % (comp.name, p.name)) for p in parts}
                if not form.encodes:
                    variants.append((form.index, [s for s in slots if s is not comp] + parts,
                                     {comp.name: Rec(comp.kind.name, env)}, True))
                before = []  # the lines before this one did not hold
                for call, when in form.encodes:
                    own = m.truth(when, env)
                    line = land(before + [own])
                    before.append(lnot(own))
                    rec = m.evaluator.eval(call, env)
                    self.encoder.fields[id(comp.kind)].add_parts(rec, env)
                    variants.append((form.index, [s for s in slots if s is not comp] + parts, {comp.name: rec}, line))
        for form, all_slots, records, line in variants:
            groups = m.layout(encode, dict(base, **records))
            self.combine(inst, form, all_slots, groups, land([c for c in (guard, line) if c is not True]), encode.loc)

    def combine(self, inst, form, slots, groups, guard, loc):
        conds = {}
        for _, c in groups:
            if c is not True:
                base = c.args[0] if c.op == "not" else c
                conds.setdefault(c_cond(base), base)
        for choice in product((False, True), repeat=len(conds)):
            chosen = dict(zip(conds, choice))
            known, fits = {}, {}
            ok = assume(guard, True, known, fits)
            for key, value in chosen.items():
                ok = assume(conds[key], value, known, fits) and ok
            if not ok:
                continue
            for s in slots:
                self.assume_legal(s, known)
            atoms, lebs = [], []
            for a, c in groups:
                if c is not True:
                    present = not chosen[c_cond(c.args[0])] if c.op == "not" else chosen[c_cond(c)]
                    if not present:
                        continue
                if isinstance(a, Leb):
                    width = len(a) if a.constant() is None else 33 if a.signed else 32
                    lebs.append((len(atoms) // 8, width, a.signed))
                    atoms += a + [a[-1] if a.signed else 0] * (64 - len(a))
                    continue
                n = len(a) // 8
                order = range(n - 1, -1, -1) if self.m.big_endian else range(n)
                for k in order:
                    atoms += a[8 * k:8 * k + 8]
            self.row(inst, form, slots, atoms, lebs, known, fits, loc)

    def assume_legal(self, s, known):
        """What the `when` of an immediate says of its other bits, given the known ones."""
        if s.type not in ("imm", "label") or s.kind is None or getattr(s.kind, "guard", None) is None:
            return
        (name, width), = s.kind.fields
        var = next(a[0] for a in self.m.opnd_value(s).fields[name].atoms if a not in (0, 1))
        env = {name: Bits([known.get((s.slot, name, i), (var, i, False)) for i in range(width)])}
        try:
            guard = truth(self.m.evaluator.eval(s.kind.guard, env))
        except NotSymbolic:
            return
        if isinstance(guard, Cond):
            assume(guard, True, known, {})

    def row(self, inst, form, slots, atoms, lebs, known, fits, loc):
        mask = match = 0
        fixed = min([64] + [8 * at for at, _, _ in lebs])  # bits before the first LEB stand where they are said to
        where = {}
        for at, a in enumerate(atoms):
            if a in (0, 1):
                if at < fixed:
                    mask |= 1 << at
                    match |= a << at
                continue
            var, i, inverted = a
            key = (var.slot, var.field, i)
            where.setdefault(key, (at, inverted))  # the lower of a sign and its copies
            if key in known:  # tells this row from one whose condition is the opposite
                if at < fixed:
                    mask |= 1 << at
                    match |= (known[key] ^ inverted) << at
        runs = []
        for s in slots:
            runs += self.runs(s, where, known, fits.get(s.slot), loc, inst)
        self.rows.append(Row(inst, form, mask, match, runs, len(atoms) // 8, lebs))

    def runs(self, s, where, known, sign, loc, inst):
        """The runs that give one operand: [(slot, to, from, width, flags)]."""
        if s.type == "reg":
            if s.fixed is not None:
                return []
            width, field = s.cls.code_bits, None
        elif s.kind is None:
            width, field = LABEL_BITS, "value"
        else:
            (field, width), = s.kind.fields
        out, value, missing = [], 0, False
        for i in range(width):
            key = (s.slot, field, i)
            if key in where and not missing:
                at, inverted = where[key]
                last = out[-1] if out else None
                if last and last[1] + last[3] == i and last[2] + last[3] == at and last[4] == int(inverted):
                    last[3] += 1
                else:
                    out.append([s.slot, i, at, 1, int(inverted)])
            elif key in known:
                value |= known[key] << i
            elif sign is not None and i >= sign.width:
                missing = True
            else:
                self.m.fail(loc, "bit %d of operand '%s' of '%s' is not encoded" % (i, s.name, inst.name))
        if missing:
            out[-1][4] |= 2
        if value:
            low = (value & -value).bit_length() - 1
            if value >> low > 255:
                self.m.fail(loc, "a constant operand of more than eight bits")
            out.append([s.slot, low, value >> low, 8, 4])
        return [tuple(r) for r in out]

    def collect(self):
        m = self.m
        for i in m.insts:
            if i.relax or i.pseudo or not i.inst.decode or i.inst.encode.format is None:
                continue
            self.add(i, i.slots, i.inst.encode, True)
            for s in i.shorts:
                narrow = {o.name: o for o in s.opnds}
                slots, own, again, narrowed, pinned = [], [], [], [], []
                for slot, arg in m.leaves(i, s.of):
                    n = copy.copy(slot)
                    same = next((x for x in slots if x.name == arg.name), None)
                    if same is not None:
                        again.append((slot.slot, same.slot))
                        continue
                    if arg.k == "num":
                        self.pin(pinned, slot, arg.value >> slot.kind.low_zeros, s.loc)
                        continue
                    o = narrow.get(arg.name)
                    if o is None or o.type == "fixed":
                        reg = m.reg(arg.name) if o is None else o.reg
                        self.pin(pinned, slot, slot.cls.codes[slot.cls.regs.index(reg)], s.loc)
                    if o is None:
                        continue
                    own.append(slot)
                    n.name = arg.name
                    if o.type == "fixed":
                        n.fixed = o.reg
                    elif o.cls is not None:
                        n.cls = o.cls
                    elif o.imm is not None and m.kinds[o.imm.name] is not slot.kind:
                        n.kind = m.kinds[o.imm.name]
                        narrowed.append((slot.slot, n.kind, slot.kind))
                    slots.append(n)
                env = {n.name: m.opnd_value(n) for n in slots if n.type != "composite"}
                guard = m.truth(s.when, env)
                before = len(self.rows)
                self.add(i, slots, s.encode, guard)
                for r in self.rows[before:]:
                    r.requires += s.requires
                    for slot, small, large in narrowed:
                        r.runs = [self.widen(run, small, large) if run[0] == slot else run for run in r.runs]
                    for n, slot in zip(slots, own):
                        base = self.first_code(n, slot, s.loc)
                        if base:
                            r.runs.append((slot.slot, 0, base, 8, 4))
                    r.runs += [(to,) + run[1:] for to, at in again for run in r.runs if run[0] == at]
                    r.runs += pinned

    def first_code(self, narrow, slot, loc):
        """What is to be added to the number of a register in a narrower class to get that in the instruction's."""
        if narrow.cls is None or narrow.cls is slot.cls or narrow.fixed is not None:
            return 0
        codes = dict(zip((r.index for r in slot.cls.regs), slot.cls.codes))
        found = {codes.get(r.index, -1) - c for r, c in zip(narrow.cls.regs, narrow.cls.codes)}
        base = found.pop()
        if found or base < 0 or any(base & c for c in narrow.cls.codes):
            self.m.fail(loc, "the numbers of class '%s' are not those of '%s' with some bits left out"
                        % (narrow.cls.name, slot.cls.name))
        return base

    def pin(self, pinned, slot, value, loc):
        """An operand that a short form has no bits for."""
        if not 0 <= value <= 255:
            self.m.fail(loc, "a constant operand outside 0 .. 255")
        if value and not (slot.type == "reg" and slot.fixed is not None):
            pinned.append((slot.slot, 0, value, 8, 4))

    @staticmethod
    def widen(run, small, large):
        """A run of a narrower kind's field as one of the wider kind's."""
        slot, to, at, width, flags = run
        if small.signed and to + width == small.width:
            flags |= 2
        return slot, to + small.low_zeros - large.low_zeros, at, width, flags

    # ---- tree ----
    def tree(self):
        """nodes: [(byte, [(last, leaf?, index)])], leaves: [row numbers]."""
        nodes, leaves, memo = [], [], {}

        def leaf(rows):
            key = ("leaf", rows)
            if key not in memo:
                memo[key] = len(leaves)
                leaves.append(rows)
            return True, memo[key]

        def build(rows, byte):
            while byte < 8 and not any(self.rows[r].mask >> 8 * byte & 255 for r in rows):
                byte += 1
            if len(rows) <= LEAF or byte == 8:
                return leaf(rows)
            key = (rows, byte)
            if key in memo:
                return False, memo[key]
            memo[key] = index = len(nodes)
            nodes.append(None)
            by_bits = {}
            for r in rows:
                row = self.rows[r]
                by_bits.setdefault((row.mask >> 8 * byte & 255, row.match >> 8 * byte & 255), []).append(r)
            parts, children = [(mask, match, rs) for (mask, match), rs in by_bits.items()], []
            for value in range(256):
                found = [rs for mask, match, rs in parts if value & mask == match]
                children.append(tuple(found[0]) if len(found) == 1 else tuple(sorted(sum(found, []))))
            branches = []
            for value in range(256):
                if value < 255 and children[value] == children[value + 1]:
                    continue
                branches.append((value,) + build(children[value], byte + 1))
            nodes[index] = (byte, branches)
            return False, index

        is_leaf, _ = build(tuple(range(len(self.rows))), 0)
        if is_leaf:
            nodes.append((0, [(255, True, 0)]))
        return nodes, leaves

    def text(self):
        m = self.m
        self.collect()
        self.rows.sort(key=lambda r: (-bin(r.mask).count("1"), r.inst.index, r.form, r.size, r.match, r.runs))
        nodes, leaves = self.tree()
        out = [banner(m, "emit_decode"), '#include "%s.h"' % m.name, '#include "select/tables.h"', ""]
        run_at, runs, lebs = {}, [], []
        for r in self.rows:
            key = tuple(r.runs)
            if key not in run_at:
                run_at[key] = len(runs)
                runs += r.runs
        out.append("// slot, bit of the field, bit of the instruction, width, flags")
        out += ["static const DecodeRun runs[] = {"] + ["    {%d, %d, %d, %d, %d}," % r for r in runs] + ["};", ""]
        out.append("static const DecodeRow rows[] = {")
        for r in self.rows:
            first = next((k for k in range(len(lebs)) if lebs[k:k + len(r.lebs)] == r.lebs), len(lebs))
            lebs += r.lebs if first == len(lebs) else []
            out.append("    {0x%016x, 0x%016x, %d, %d, %d, %d, %d, %s0x%x}, // %s" % (
                r.mask, r.match, r.inst.index, run_at[tuple(r.runs)], len(r.runs), r.size, r.form,
                "%d, %d, " % (first, len(r.lebs)), m.feature_bits(r.requires), r.inst.name))
        out += ["};", "", "static const DecodeLeb lebs[] = {"]
        out += ["    {%d, %d, %s}," % (at, bits, "true" if s else "false") for at, bits, s in lebs or [(0, 0, False)]]
        out += ["};", ""]
        branches, rows = [], []
        for byte, found in nodes:
            rows.append("    {%d, %d, %d}," % (byte, len(found) & 255, len(branches)))
            branches += found
        out += ["static const DecodeBranch branches[] = {"]
        out += ["    {%d, %s, %d}," % (last, "true" if leaf else "false", to) for last, leaf, to in branches] + ["};", ""]
        out += ["static const DecodeNode nodes[] = {"] + rows + ["};", ""]
        lists, rows = [], []
        for leaf in leaves:
            rows.append("    {%d, %d}," % (len(lists), len(leaf)))
            lists += leaf
        out += ["static const DecodeLeaf leaves[] = {"] + rows + ["};", "", "static const uint16_t lists[] = {"]
        for k in range(0, max(len(lists), 1), 16):
            out.append("    " + " ".join("%d," % x for x in lists[k:k + 16] or [0]))
        out += ["};", ""]
        return "\n".join(out + self.class_regs() + self.tables())

    def class_regs(self):
        out, names, sizes = [], [], []
        for c in self.m.isa.classes.values():
            table = ["NO_REG"] * (max(c.codes, default=0) + 1)
            for r, code in zip(c.regs, c.codes):
                table[code] = str(r.index)
            out.append("static const uint8_t class_%s[] = {%s};" % (c.name, ", ".join(table)))
            names.append("class_" + c.name)
            sizes.append(str(len(table)))
        return out + ["static const uint8_t *const class_regs[] = {%s};" % ", ".join(names),
                      "static const uint8_t n_class_regs[] = {%s};" % ", ".join(sizes), ""]

    def tables(self):
        n = self.m.name
        return ["static const DecodeTables tables = {&target_%s, rows, runs, lebs, nodes, branches, leaves, lists," % n,
                "                                    class_regs, n_class_regs};", "",
                "unsigned %s_decode(const uint8_t *bytes, size_t n, uint16_t *mop, MOpnd *slots) {" % n,
                "    return decode_inst(&tables, bytes, n, mop, slots);", "}", ""]
