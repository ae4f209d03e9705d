"""The encoder: <isa>_encode.c.

Each `encode` line is evaluated with symbolic operands (symbits.py). What remains is a short list of byte groups with
conditions, and instructions of one family differ in constants only: one C function for each shape, one row of constants
for each instruction.
"""
import copy

from machine import Leb, c_int, machines
from symbits import Bits, Cond, NotSymbolic, Rec, Var, atoms_of, c_bits, c_cond, land, runs, truth


def outputs(isas):
    return ["%s_encode.c" % isa for isa in isas]


def emit(model):
    return {"%s_encode.c" % name: Encoder(m).text() for name, m in machines(model).items()}


def banner(m, module):
    return "// Generated from md/%s.md by gen/vtgen/%s.py; do not edit.\n" % (m.name, module)


class Fields:
    """What the encode lines of a composite operand give: field -> width."""

    def __init__(self, m, comp):
        self.comp, self.width, self.record, self.lines = comp, {}, None, []
        self.label = False
        self.named = {e.name for i in m.isa.insts.values() if i.encode is not None for v in i.encode.args.values()
                      for e in v.walk() if e.k == "dot"}
        for form in comp.forms:
            slots = m.form_slots[id(form)]
            env = {s.name: m.opnd_value(s, c_name="o_" + s.name) for s in slots}
            self.label |= any(s.type == "label" for s in slots)
            for call, when in form.encodes:
                try:
                    guard = truth(m.evaluator.eval(when, env)) if when is not None else True
                    rec = m.evaluator.eval(call, env)
                except NotSymbolic as e:
                    m.fail(call.loc, "this encoding cannot be read backwards: %s" % e)
                self.record = rec.name
                self.add_parts(rec, env)
                self.lines.append((form, slots, env, guard, rec))
                for name, value in rec.fields.items():
                    atoms = atoms_of(value)
                    while atoms and atoms[-1] == 0:
                        atoms = atoms[:-1]
                    self.width[name] = max(self.width.get(name, 1), min(len(atoms), 32))

    def add_parts(self, rec, env):
        """`m.r` in an instruction may be a part itself, beside what the encode line gives."""
        for name in sorted(self.named & set(env)):
            rec.fields.setdefault(name, env[name])

    def dynamic(self, slot, c_name):
        """The record as unknown bits, for the encoder."""
        fields = {}
        for name, width in self.width.items():
            label = "dynamic" if self.label and any(
                isinstance(l[4].fields.get(name), Bits) and any(
                    a not in (0, 1) and a[0].label for a in l[4].fields[name].atoms) for l in self.lines) else None
            fields[name] = Var(c_name, width, "%s.%s" % (c_name, name), slot, label, None, name).bits()
        return Rec(self.record, fields)


def end_relative(e):
    """Does a distance in it count from the end of the instruction?"""
    return e is not None and any(x.k == "bin" and any(a.k == "name" and a.name == "pc_next" for a in x.args)
                                 for x in e.walk())


def stmts_end_relative(stmts):
    return any(end_relative(e) for s in stmts for e in s.exprs())


NUMBERS = {"add": "+", "sub": "-", "and": "&"}


def number_of(i, e):
    """A sum of immediates of i and numbers as C text, or None."""
    if e.k == "num":
        return c_int(e.value)
    if e.k == "name":
        own = i.inst_opnd(e.name)
        return "s[%d].imm" % own.slot if own is not None and own.type == "imm" else None
    if e.k == "bin" and e.op in NUMBERS:
        parts = [number_of(i, a) for a in e.args]
        return None if None in parts else "(%s %s %s)" % (parts[0], NUMBERS[e.op], parts[1])
    return None


def opposites(m, texts):
    """C tables of opposite conditions, for what says not(c) in these texts."""
    from emit_select import Conds
    out, conds = [], Conds(m.isa, m.ir)
    for name, cond in m.isa.conds.items():
        if not any("%s_not[" % name in t for t in texts):
            continue
        table = [str(conds.opposite.get(k, k)) for k in range(1 << cond.width)]
        out.append("static const uint8_t %s_not[] = {%s};" % (name, ", ".join(table)))
    return out


def copy_operands(m, i, target, call):
    """C lines that fill t[], the slots of `target`, from s[], those of `i`, as `call` says. Also: slot of target -> own
    slot of what waits for an address, and the relocation that own operand asks for."""
    lines, back, reloc = [], {}, None

    def place(slot, arg, at):
        nonlocal reloc
        if arg.k == "num":
            lines.append("    t[%d] = (MOpnd){.kind = MO_IMM, .imm = %s};" % (at, c_int(arg.value)))
        elif arg.k == "name" and i.inst_opnd(arg.name) is not None:
            own = i.inst_opnd(arg.name)
            lines.append("    t[%d] = s[%d];" % (at, own.slot))
            if slot.type == "reg" and slot.n_slots == 2:
                lines.append("    t[%d] = s[%d];" % (at + 1, own.slot + own.n_slots - 1))
            if own.type == "imm" and own.kind.open:
                lines.append("    t[%d].imm = bit_sext((uint64_t)t[%d].imm, %d);" % (at, at, own.kind.width))
            if own.type == "label":
                reloc = own.kind.reloc if own.kind is not None else None
                back[at] = own.slot
            for k in range(1, own.n_slots if own.type == "composite" else 1):
                lines.append("    t[%d] = s[%d];" % (at + k, own.slot + k))
        elif number_of(i, arg) is not None:
            lines.append("    t[%d] = (MOpnd){.kind = MO_IMM, .imm = %s};" % (at, number_of(i, arg)))
        elif arg.k == "call" and arg.name == "not" and slot.type == "imm":
            own = i.inst_opnd(arg.args[0].name) if len(arg.args) == 1 else None
            if own is None or own.kind is not slot.kind:
                m.fail(arg.loc, "not(c) takes a condition of '%s'" % i.name)
            lines.append("    t[%d] = s[%d];" % (at, own.slot))
            lines.append("    t[%d].imm = %s_not[t[%d].imm & %d];" % (at, slot.kind.name, at, (1 << slot.kind.width) - 1))
        elif arg.k == "dot":
            own = i.inst_opnd(arg.args[0].name)
            forms = own.kind.forms if own is not None and own.type == "composite" else []
            part = next((p for f in forms for p in m.form_slots[id(f)] if p.name == arg.name), None)
            if part is None or len(forms) != 1:
                m.fail(arg.loc, "a part of an operand with one form belongs here")
            lines.append("    t[%d] = s[%d];" % (at, own.slot + part.slot))
        elif arg.k == "name":
            if arg.name not in m.isa.reg_names:
                m.fail(arg.loc, "no operand or register is named '%s'" % arg.name)
            lines.append("    t[%d] = (MOpnd){.kind = MO_PREG, .preg = %d};" % (at, m.reg(arg.name).index))
        elif arg.k == "call" and slot.type == "composite":
            form = next((f for f in slot.kind.forms if f.name == arg.name), None)
            if form is None:
                m.fail(arg.loc, "operand '%s' has no form '%s'" % (slot.kind.name, arg.name))
            if len(arg.args) != len(form.params):
                m.fail(arg.loc, "form '%s' has %d parts, %d given" % (form.name, len(form.params), len(arg.args)))
            lines.append("    t[%d] = (MOpnd){.kind = MO_FORM, .imm = %d};" % (at, form.index))
            for part, a in zip(m.form_slots[id(form)], arg.args):
                place(part, a, at + part.slot)
        else:
            m.fail(arg.loc, "an operand, a number or a form belongs here")

    for slot, arg in zip(target.slots, call.args):
        place(slot, arg, slot.slot)
    return lines, back, reloc


def plain_bytes(groups):
    """The groups, with constants of variable length as the bytes that they are."""
    for atoms, cond in groups:
        code = atoms.constant() if isinstance(atoms, Leb) else None
        if code is None:
            yield atoms, cond
        for byte in code or b"":
            yield atoms_of(byte, 8), cond


class Encoder:
    def __init__(self, m):
        self.m = m
        self.fields = {id(c): Fields(m, c) for c in m.isa.operands.values()}
        self.shapes = {}   # text -> name
        self.bodies = []
        self.consts = []
        self.rows = []
        self.short_rows = []
        self.functions = []

    # ---- one encode line -> a shape and its constants ----
    def operand_env(self, slots):
        env = {}
        for s in slots:
            if s.type == "composite" and not self.fields[id(s.kind)].lines:
                env[s.name] = Rec(s.kind.name, {p.name: self.m.opnd_value(p, c_name="o_%s_%s" % (s.name, p.name))
                                                for p in self.parts(s)})
            elif s.type == "composite":
                env[s.name] = self.fields[id(s.kind)].dynamic(s.slot, "o_" + s.name)
            else:
                env[s.name] = self.m.opnd_value(s, c_name="o_" + s.name)
        return env

    def parts(self, s):
        """The parts of a composite operand whose only form names no `encode`: instructions take them one by one."""
        if len(s.kind.forms) != 1:
            self.m.fail(s.kind.loc, "operand '%s' has several forms: each needs its encode lines" % s.kind.name)
        out = []
        for p in self.m.form_slots[id(s.kind.forms[0])]:
            q = copy.copy(p)
            q.slot += s.slot
            out.append(q)
        return out

    def prologue(self, slots, used):
        out, flat = [], []
        for s in slots:
            if s.type == "composite" and not self.fields[id(s.kind)].lines:
                for p in self.parts(s):
                    p.name = "%s_%s" % (s.name, p.name)
                    flat.append(p)
            else:
                flat.append(s)
        for s in flat:
            c = "o_" + s.name
            if c not in used:
                continue
            if s.type == "reg":
                out.append("    const unsigned %s = %s;" % (c, self.number(s.cls, "s[%d].preg" % s.slot)))
            elif s.type == "composite":
                f = self.fields[id(s.kind)]
                out.append("    struct %s %s = operand_%s(s + %d);" % (f.record, c, s.kind.name, s.slot))
            elif s.type == "label":
                out.append("    const uint64_t %s = s[%d].kind == MO_IMM ? %s : 0;" % (c, s.slot, self.field_of(s)))
            else:
                out.append("    const uint64_t %s = %s;" % (c, self.field_of(s)))
        return out

    def number(self, cls, preg):
        if all(r.hw == c for r, c in zip(cls.regs, cls.codes)):
            return "reg_hw[%s]" % preg
        return "codes_%s[%s]" % (cls.name, preg)

    def field_of(self, s, base="s"):
        k = s.kind
        text = "(uint64_t)%s[%d].imm" % (base, s.slot)
        if k is not None and not k.regular:
            return "target_imm_field(&target_%s, %d, %s[%d].imm)" % (self.m.name, k.index, base, s.slot)
        if k is not None and k.low_zeros:
            text = "%s >> %d" % (text, k.low_zeros)
        if k is not None and (k.signed or k.open) and k.width < 32:  # its sign would run into what stands above it
            text = "bit_zext(%s, %d)" % (text, k.width)
        return text

    def shape(self, slots, groups, guard, relative):
        """(function name, constants) that writes these groups."""
        lines, consts, used = [], [], set()

        def use(parts):
            for var, *_ in parts:
                used.add(var.c.split(".")[0])

        def use_cond(c):
            if isinstance(c, Cond):
                for a in c.args:
                    if isinstance(a, Cond):
                        use_cond(a)
                    elif isinstance(a, Bits):
                        use(runs(a.atoms)[1])

        labels = False
        for atoms, cond in plain_bytes(groups):
            known, parts = runs(atoms)
            use(parts)
            use_cond(cond)
            if isinstance(atoms, Leb):
                lines += self.put_leb(atoms, cond)
                labels |= any(var.label for var, *_ in parts)
                continue
            n = len(atoms) // 8
            text = []
            if known or not parts:
                if n == 1:
                    text.append("k[%d]" % len(consts))
                    consts.append(known)
                elif n <= 4 and known < 1 << 32:  # a word of the fixed formats
                    text.append(" | ".join("(uint32_t)k[%d] << %d" % (len(consts) + i, 8 * i) for i in range(n)))
                    consts += [known >> 8 * i & 255 for i in range(n)]
                else:
                    text.append("UINT64_C(%d)" % known)
            body = c_bits(Bits([0 if a in (0, 1) else a for a in atoms]), len(atoms))
            if parts:
                text.append(body)
            value = " | ".join("(%s)" % t if " " in t and len(text) > 1 else t for t in text)
            put = []
            for var in dict.fromkeys(p[0] for p in parts if p[0].label):
                labels = True
                if var.label == "dynamic":
                    put.append("if (%s.label) put_fixup(e, %s.reloc, %s%s.label);"
                               % (var.name_c(), var.name_c(), "%d + " % var.slot if var.slot else "", var.name_c()))
                else:
                    put.append("if (s[%d].kind != MO_IMM) put_fixup(e, %d, %d);" % (var.slot, var.label.index, var.slot))
            put.append("put%d(e, %s);" % (8 * n, value))
            if cond is True:
                lines += ["    " + p for p in put]
            elif len(put) == 1:
                lines.append("    if (%s) %s" % (c_cond(cond), put[0]))
            else:
                lines += ["    if (%s) {" % c_cond(cond)] + ["        " + p for p in put] + ["    }"]
        use_cond(guard)
        test = []
        if guard is not True:
            test = ["    if (!(%s)) return false;" % c_cond(guard)]
        end = ["    fixups_from_end(e);"] if labels and relative else []
        body = "\n".join(self.prologue(slots, used) + test + lines + end + ["    return true;"])
        if body not in self.shapes:
            name = "encode_%d" % len(self.shapes)
            self.shapes[body] = name
            unused = "".join("    (void)%s;\n" % x for x, key in (("s", "s["), ("k", "k["))
                             if key not in body and (x != "s" or "(s +" not in body))
            self.bodies.append("static bool %s(const MOpnd *s, const uint8_t *k, uint64_t features, Encoded *e) {\n"
                               "    (void)features;\n%s%s\n}\n"
                               % (name, unused, body))
        return self.shapes[body], consts

    def put_leb(self, atoms, cond):
        """C lines that write a group of variable length: as short as it can be, or as wide as a relocation wants it."""
        signed, n = "true" if atoms.signed else "false", len(atoms)
        var = next(a[0] for a in atoms if a not in (0, 1))
        if var.slot is None or "." in var.c:
            self.m.fail(atoms.loc, "the number of a 'uleb' or 'sleb' is an operand or a part of one")
        value = c_bits(Bits(atoms), 64)
        if atoms.signed and n < 64:
            value = "(uint64_t)bit_sext(%s, %d)" % (value, n)
        put = "put_leb(e, %s, %s);" % (value, signed)
        if var.label:
            put = "put_leb_for(e, &s[%d], %d, %s, %s, %d, %d);" % (var.slot, (n + 6) // 7, value, signed,
                                                                var.label.index, var.slot)
        return ["    " + put if cond is True else "    if (%s) %s" % (c_cond(cond), put)]

    def put_consts(self, consts):
        """Offset of a run of constants; equal runs are shared."""
        key = tuple(consts)
        if key not in self.const_at:
            self.const_at[key] = len(self.consts)
            self.consts += consts
        return self.const_at[key]

    # ---- instructions ----
    def text(self):
        m, self.const_at = self.m, {}
        self.const_at[()] = 0
        for i in m.insts:
            first = len(self.short_rows)
            if i.relax:
                self.rows.append((i, "encode_none", 0, first, 0))
                continue
            if i.pseudo:
                self.rows.append((i, self.pseudo(i), 0, first, 0))
                continue
            for s in i.shorts:
                self.short_rows.append(self.short(i, s))
            if i.inst.encode.format is None:
                self.rows.append((i, self.sequence(i), 0, first, len(self.short_rows) - first))
                continue
            fn, consts = self.shape(i.slots, m.layout(i.inst.encode, self.operand_env(i.slots)), True,
                                    self.relative(i))
            self.rows.append((i, fn, self.put_consts(consts), first, len(self.short_rows) - first))
        return self.file()

    def relative(self, i):
        comps = [s.kind for s in i.slots if s.type == "composite"]
        return stmts_end_relative(i.inst.sem) or any(end_relative(f.value) for c in comps for f in c.forms)

    def short(self, i, s):
        """A short form's operands are those of its instruction, more narrowly: same slots, more conditions."""
        m, slots, guards = self.m, [], []
        narrow, first = {o.name: o for o in s.opnds}, {}
        for slot, arg in m.leaves(i, s.of):
            if arg.k == "num":
                guards.append("s[%d].imm == %d" % (slot.slot, arg.value))
                continue
            if arg.k == "name" and arg.name in m.isa.reg_names and arg.name not in narrow:
                guards.append("s[%d].preg == %d" % (slot.slot, m.reg(arg.name).index))
                continue
            o = narrow.get(arg.name)
            if arg.k == "name" and arg.name in first:  # add(d, d, b): the same register twice
                guards.append("s[%d].preg == s[%d].preg" % (first[arg.name], slot.slot))
                continue
            first[arg.name] = slot.slot
            if arg.k != "name" or o is None:
                m.fail(s.loc, "the operands of a short form are names, registers and numbers")
            n = copy.copy(slot)
            n.name = o.name
            if o.type == "fixed":
                n.fixed = o.reg
                guards.append("s[%d].preg == %d" % (slot.slot, o.reg.index))
            elif slot.type == "reg" and o.cls is not slot.cls:
                n.cls = o.cls
                guards.append("regset_has(target_%s.classes[%d].regs, s[%d].preg)" % (m.name, o.cls.index, slot.slot))
            elif slot.type in ("imm", "label") and o.imm is not None and m.kinds[o.imm.name] is not slot.kind:
                n.kind = m.kinds[o.imm.name]
                guards.append(n.kind.c_fits("s[%d].imm" % slot.slot))
            slots.append(n)
        env = self.operand_env(slots)
        guard = m.truth(s.when, env)
        parts = [CText(g) for g in guards] + ([] if guard is True else [guard])
        fn, consts = self.shape(slots, m.layout(s.encode, env), land(parts), False)
        return s, fn, self.put_consts(consts)

    def pseudo(self, i):
        """Encodes the instruction that it stands for."""
        of = i.inst.of
        target = self.m.by_name[of.name]
        lines, back, reloc = copy_operands(self.m, i, target, of)
        name, fix = "pseudo_%s" % i.name, ""
        if reloc is not None:
            (at, own), = back.items()
            fix = ("    for (unsigned f = 0; f < e->n_fixups; f++) {\n        if (e->fixups[f].slot != %d) continue;\n"
                   "        e->fixups[f].slot = %d;\n        e->fixups[f].reloc = %d;\n    }\n" % (at, own, reloc.index))
        unused = "" if any("s[" in line for line in lines) else "    (void)s;\n"
        self.functions.append(
            "// %s\nstatic bool %s(const MOpnd *s, const uint8_t *k, uint64_t features, Encoded *e) {\n    (void)k;\n%s"
            "    MOpnd t[%d] = {{0}};\n%s\n    if (!encode(%d, t, features, e)) return false;\n%s    return true;\n}\n"
            % (of, name, unused, max(target.n_slots, 1), "\n".join(lines), target.index, fix))
        return name

    def sequence(self, i):
        import sequence
        lines = sequence.join(self.m, i, i.inst.encode.parts)
        name = "sequence_%s" % i.name
        self.functions.append("// %s\nstatic bool %s(const MOpnd *s, const uint8_t *k, uint64_t features, Encoded *e) {\n"
                              "    (void)k;\n%s\n    return true;\n}\n"
                              % (", ".join(map(str, i.inst.encode.parts)), name, "\n".join(lines)))
        return name

    # ---- composite operands ----
    def composite(self, comp):
        f = self.fields[id(comp)]
        out = ["static struct %s operand_%s(const MOpnd *s) {" % (f.record, comp.name),
               "    struct %s m = {0};" % f.record, "    switch (s[0].imm) {"]
        for form in comp.forms:
            out.append("    case %d: { // %s" % (form.index, form.name))
            lines = [l for l in f.lines if l[0] is form]
            slots = lines[0][1]
            body, used = [], set()

            def note(value):
                if isinstance(value, Bits):
                    used.update(a[0].c for a in value.atoms if a not in (0, 1))
                elif isinstance(value, Cond):
                    for a in value.args:
                        note(a)

            for n, (_, _, _, guard, rec) in enumerate(lines):
                note(guard)
                sets = []
                for name, value in rec.fields.items():
                    note(value)
                    value = Bits(atoms_of(value, f.width[name])) if not isinstance(value, int) else value
                    text = str(value) if isinstance(value, int) else c_bits(value)
                    cast = "(uint32_t)" if f.width[name] > 8 else "(uint8_t)"
                    sets.append("m.%s = %s;" % (name, text if isinstance(value, int) else
                                                "%s(%s)" % (cast, text) if " " in text else cast + text))
                head = "        if (%s) {" % c_cond(guard) if guard is not True else "        {"
                body += [head] + ["            " + x for x in sets]
                for s in slots:
                    if s.type == "label":
                        body += ["            if (s[%d].kind != MO_IMM) {" % s.slot,
                                 "                m.label = %d;" % s.slot, "                m.reloc = %d;"
                                 % s.kind.reloc.index, "            }"]
                body += ["            return m;", "        }"]
            for s in slots:
                if "o_" + s.name in used:
                    if s.type == "reg":
                        out.append("        const unsigned o_%s = %s;" % (s.name, self.number(s.cls, "s[%d].preg" % s.slot)))
                    elif s.type == "label":
                        out.append("        const uint64_t o_%s = s[%d].kind == MO_IMM ? %s : 0;"
                                   % (s.name, s.slot, self.field_of(s)))
                    else:
                        out.append("        const uint64_t o_%s = %s;" % (s.name, self.field_of(s)))
            if lines[-1][3] is not True:
                body.append("        break;")
            out += body + ["    }"]
        out += ["    default: break;", "    }", "    return m;", "}", ""]
        return "\n".join(out)

    def record(self, comp):
        f = self.fields[id(comp)]
        out = ["struct %s {" % f.record]
        for name, width in f.width.items():
            out.append("    %s %s;" % ("uint32_t" if width > 8 else "uint8_t", name))
        out += ["    uint8_t label; // part that waits for an address, 0 = none", "    uint8_t reloc;", "};", ""]
        return "\n".join(out)

    def file(self):
        m = self.m
        out = [banner(m, "emit_encode"), '#include "%s.h"' % m.name, "", "#include <string.h>", "",
               '#include "support/bits.h"']
        bodies = self.bodies + self.functions
        out += ['#include "support/leb.h"', ""] if any("put_leb" in b for b in bodies) else [""]
        if any("reg_hw[" in b for b in bodies):
            out.append("// Numbers of registers in encodings.")
            out.append("static const uint8_t reg_hw[] = {%s};" % ", ".join(str(r.hw) for r in m.isa.regs))
        for c in m.isa.classes.values():
            if any(r.hw != code for r, code in zip(c.regs, c.codes)):
                codes = dict(zip((r.index for r in c.regs), c.codes))
                out.append("static const uint8_t codes_%s[] = {%s};"
                           % (c.name, ", ".join(str(codes.get(r.index, 0)) for r in m.isa.regs)))
        out += opposites(m, self.functions)
        helpers = []
        for name, text in reversed(HELPERS.items()):  # a helper calls those before it
            if any(name + "(" in b for b in bodies + helpers):
                helpers.insert(0, text)
        out += helpers
        widths = {n for n in (8, 16, 32, 64) if any("put%d(" % n in b for b in self.bodies)}
        for n in (16, 32, 64):
            if n in widths:
                out.append(PUT % {"n": n, "bytes": n // 8, "at": "%d - 1 - i" % (n // 8) if m.big_endian else "i"})
        comps = [c for c in m.isa.operands.values() if any("operand_%s(" % c.name in b for b in self.bodies)]
        done = set()
        for c in comps:
            if self.fields[id(c)].record not in done:
                out.append(self.record(c))
                done.add(self.fields[id(c)].record)
            out.append(self.composite(c))
        out += self.bodies
        out.append("static bool encode_none(const MOpnd *s, const uint8_t *k, uint64_t features, Encoded *e) {\n    (void)s;\n"
                   "    (void)k;\n    (void)features;\n    (void)e;\n    return false;\n}\n")
        if any("join(s," in f for f in self.functions):
            out.append(JOIN % m.name)
        out.append("static bool encode(uint16_t mop, const MOpnd *s, uint64_t features, Encoded *e);\n")
        out += self.functions
        out.append("static const uint8_t constants[] = {")
        line = "   "
        for c in self.consts or [0]:
            if len(line) > 110:
                out.append(line)
                line = "   "
            line += " 0x%02x," % c
        out += [line, "};", ""]
        out.append(ROWS)
        out.append("static const Row short_rows[] = {")
        for s, fn, at in self.short_rows:
            out.append("    {%s, %d, 0, 0, 0x%x}, // %s" % (fn, at, m.feature_bits(s.requires), s.name))
        if not self.short_rows:
            out.append("    {encode_none, 0, 0, 0, 0},")
        out += ["};", "", "static const Row rows[] = {"]
        for i, fn, at, first, n in self.rows:
            out.append("    {%s, %d, %d, %d, 0}, // %s" % (fn, at, first, n, i.name))
        out += ["};", "", ENCODE % {"isa": m.name, "n": len(self.rows)}]
        return "\n".join(out) + "\n"


class CText(Cond):
    """A condition that is C text already."""
    __slots__ = ()

    def __init__(self, text):
        super().__init__("text", text)


HELPERS = {  # each is written where something calls it
    "put8": """static inline void put8(Encoded *e, uint64_t x) { e->bytes[e->n++] = (uint8_t)x; }
""",
    "put_fixup": """static inline void put_fixup(Encoded *e, unsigned reloc, unsigned slot) {
    e->fixups[e->n_fixups++] = (Fixup){.at = e->n, .reloc = (uint8_t)reloc, .slot = (uint16_t)slot, .addend = 0};
}
""",
    "put_leb": """static inline void put_leb(Encoded *e, uint64_t x, bool is_signed) {
    e->n = (uint8_t)(e->n + leb_put(e->bytes + e->n, x, is_signed));
}
""",
    "put_leb_for": """// An operand that waits for an address has the width that its relocation fills.
static inline void put_leb_for(Encoded *e, const MOpnd *o, unsigned size, uint64_t x, bool is_signed, unsigned reloc,
                               unsigned slot) {
    if (o->kind == MO_IMM) {
        put_leb(e, x, is_signed);
        return;
    }
    put_fixup(e, reloc, slot);
    leb_put_wide(e->bytes + e->n, size, 0, false);
    e->n = (uint8_t)(e->n + size);
}
""",
    "fixups_from_end": """// Distances count from the end of the instruction, relocations from the field.
static inline void fixups_from_end(Encoded *e) {
    for (unsigned f = 0; f < e->n_fixups; f++) e->fixups[f].addend = (int64_t)e->fixups[f].at - e->n;
}
"""}
JOIN = """// Appends a part of a sequence. What waits for a number gets it at once.
static void join(const MOpnd *s, const Encoded *part, Encoded *e) {
    unsigned start = e->n;
    memcpy(e->bytes + start, part->bytes, part->n);
    e->n = (uint8_t)(start + part->n);
    for (unsigned f = 0; f < part->n_fixups; f++) {
        Fixup fix = part->fixups[f];
        fix.at = (uint8_t)(fix.at + start);
        const MOpnd *o = &s[fix.slot];
        const uint64_t x = (uint64_t)o->imm;
        if (o->kind != MO_IMM) e->fixups[e->n_fixups++] = fix;
        else target_%s.relocs[fix.reloc].apply(e->bytes + fix.at, (uint64_t)fix.at - fix.back, x, fix.addend, x);
    }
}
"""
PUT = """static inline void put%(n)d(Encoded *e, uint64_t x) {
    for (unsigned i = 0; i < %(bytes)d; i++) e->bytes[e->n + i] = (uint8_t)(x >> 8 * (%(at)s));
    e->n = (uint8_t)(e->n + %(bytes)d);
}
"""
ROWS = """typedef struct Row {
    bool (*encode)(const MOpnd *s, const uint8_t *k, uint64_t features, Encoded *e);
    uint16_t constants; // first of its constants
    uint16_t shorts;    // first of its short forms
    uint16_t n_shorts;
    uint64_t features; // that a short form asks for
} Row;
"""
ENCODE = """// Short forms check their conditions before they write.
static bool encode(uint16_t mop, const MOpnd *s, uint64_t features, Encoded *e) {
    e->n = 0;
    e->n_fixups = 0;
    e->form = 0;
    if (mop >= %(n)d || (target_%(isa)s.insts[mop].features & ~features)) return false;
    if (!target_operands_fit(&target_%(isa)s, mop, s)) return false;
    const Row *row = &rows[mop];
    for (unsigned i = 0; i < row->n_shorts; i++) {
        const Row *s_row = &short_rows[row->shorts + i];
        if (!(s_row->features & ~features) && s_row->encode(s, constants + s_row->constants, features, e)) {
            e->form = (uint8_t)(i + 1);
            return true;
        }
    }
    return row->encode(s, constants + row->constants, features, e);
}

bool %(isa)s_encode(uint16_t mop, const MOpnd *slots, uint64_t features, Encoded *out) {
    return encode(mop, slots, features, out);
}

bool %(isa)s_encode_long(uint16_t mop, const MOpnd *slots, uint64_t features, Encoded *out) {
    out->n = 0;
    out->n_fixups = 0;
    out->form = 0;
    const Row *row = &rows[mop];
    return target_operands_fit(&target_%(isa)s, mop, slots) &&
           row->encode(slots, constants + row->constants, features, out);
}
"""
