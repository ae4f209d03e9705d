"""The tables of a machine: <isa>.h (numbers of instructions, registers, ...) and <isa>_target.c (the Target record)."""
import importlib.util
import re

import sequence

from checks_settings import STACK_LIMITS
from emit_encode import banner, opposites, stmts_end_relative
from emit_select import asks_zeros
from isa import Moves
from diag import DescriptionError
from machine import Leb, c_int, displacement, machines
from tree import SIGNS, show

ROLES = {"prefix": "op_", "registers": ("sp",), "insts": (
    "jump", "call", "call_reg", "tail_call", "tail_call_reg", "ret", "ret_pop", "push", "pop", "sp_add", "sp_sub",
    "add", "trap", "lea", "load_addr", "cmp", "branch"), "stack": (
    "get", "set", "tee", "drop", "block", "loop", "end", "if_", "else_", "branch_if", "branch_table", "branch_entry",
    "eqz", "below", "sp_get", "sp_set"), "stack_optional": ("wide_call_reg", "wide_tail_call_reg")}


def outputs(isas):
    return [n for isa in isas for n in ("%s.h" % isa, "%s_target.c" % isa)]


def emit(model):
    out = {}
    for name, m in machines(model).items():
        out["%s.h" % name] = header(m)
        out["%s_target.c" % name] = Tables(m).text()
    return out


def header(m):
    up = m.name.upper()
    out = [banner(m, "emit_target"), "#ifndef VTR_GENERATED_%s_H" % up, "#define VTR_GENERATED_%s_H" % up, "",
           '#include "select/target.h"', "", "enum {"]
    out += ["    %s_%s," % (up, i.name) for i in m.insts] + ["    N_%s_INSTS" % up, "};", ""]
    out += ["enum {"] + ["    %s_REG_%s," % (up, r.name) for r in m.isa.regs] + ["    N_%s_REGS" % up, "};", ""]
    out += ["enum {"] + ["    %s_CLASS_%s," % (up, c.name) for c in m.isa.classes.values()] + ["};", ""]
    for comp in m.isa.operands.values():
        out += ["enum {"] + ["    %s_%s_%s," % (up, comp.name, f.name) for f in comp.forms] + ["};", ""]
    for kind, cond in m.isa.conds.items():
        out += ["enum {"] + ["    %s_%s_%s = %d," % (up, kind, n, item.value) for item in cond.items
                             for n in item.names] + ["};", ""]
    if m.isa.features:
        out += ["enum {"] + ["    %s_FEATURE_%s = %d," % (up, f.name, f.index) for f in m.isa.features.values()] + ["};", ""]
    out += ["extern const Target target_%s;" % m.name,
            "bool %s_encode(uint16_t mop, const MOpnd *slots, uint64_t features, Encoded *out);" % m.name,
            "// Without short forms.",
            "bool %s_encode_long(uint16_t mop, const MOpnd *slots, uint64_t features, Encoded *out);" % m.name,
            "unsigned %s_decode(const uint8_t *bytes, size_t n, uint16_t *mop, MOpnd *slots);" % m.name,
            "void %s_print(uint16_t mop, const MOpnd *slots, uint64_t at, unsigned size, Buf *out);" % m.name,
            "bool %s_select(struct Sel *sel, Inst i);" % m.name,
            *([] if m.isa.is_stack else ["extern SimRun *const %s_sim[N_%s_INSTS];" % (m.name, up)]),
            "bool %s_covers(Op op, Type control, Type operand, uint64_t features);" % m.name,
            *(["bool %s_zeros(Op op, Type control, Type result, const bool *z);" % m.name] if asks_zeros(m.isa) else []),
            "uint64_t %s_host_features(void);" % m.name, "extern const struct Ways %s_ways;" % m.name, "", "#endif", ""]
    return "\n".join(out)


def regset(regs):
    w = [0, 0]
    for r in regs:
        w[r.index >> 6] |= 1 << (r.index & 63)
    return "{{%s, %s}}" % tuple("0x%x" % x for x in w)


def have(module):
    return importlib.util.find_spec(module) is not None


class Tables:
    def __init__(self, m):
        self.m, self.isa = m, m.isa
        self.sp = m.reg(m.role("sp")[0]) if m.role("sp") else None

    def text(self):
        m = self.m
        out = [banner(m, "emit_target"), '#include "%s.h"' % m.name, "", "#include <string.h>", "",
               '#include "support/bits.h"']
        relocs = self.relocs()
        out += ['#include "support/leb.h"', ""] if any("leb_put_wide(" in text for text in relocs) else [""]
        out += self.regs() + self.classes() + self.imms() + self.operands() + self.insts() + relocs
        out += self.relaxes() + self.features() + self.abis() + self.invert() + self.stack() + self.record()
        return "\n".join(out) + "\n"

    def regs(self):
        out = ["static const RegInfo regs[] = {"]
        for r in self.isa.regs:
            out.append('    {"%s", %d, %s},' % (r.name, r.file.index, "NO_DWARF" if r.dwarf is None else r.dwarf))
        return out + ["};", ""]

    def allocatable(self, regs):
        out = {r.index for r in self.m.scratch()} | ({self.sp.index} if self.sp else set())
        held = {r.index for h in self.isa.holds for r in h.cls.regs}
        return [r for r in regs if r.index in held - out and r.constant is None]

    def mop(self, inst):
        return str(self.m.by_name[inst.name].index) if inst is not None else "NO_MOP"

    def classes(self):
        out = ["static const RegClass classes[] = {"]
        for c in self.isa.classes.values():
            moves = self.isa.moves.get(c.name) or self.isa.moves.get(c.file.name)
            spill = max([self.m.ir.types[t].width // 8 for h in self.isa.holds for t in h.types
                         if t in self.m.ir.types and h.cls.file is c.file] or [0])
            if moves is None and not self.isa.is_stack:
                raise DescriptionError(c.loc, "class '%s' has no 'moves'" % c.name)
            moves = moves or Moves(c.name, c.loc)
            load = [self.mop(moves.load.get(n)) for n in (1, 2, 4, 8)]
            store = [self.mop(moves.store.get(n)) for n in (1, 2, 4, 8)]
            rest = [self.mop(moves.save), self.mop(moves.restore), str(moves.save_bytes or 0), str(c.file.values or 0),
                    self.mop(moves.constant)]
            out.append('    {"%s", %s, %s, %d, %s, {%s}, {%s}, %s},' % (
                c.name, regset(c.regs), regset(self.allocatable(c.regs)), spill, self.mop(moves.copy),
                ", ".join(load), ", ".join(store), ", ".join(rest)))
        return out + ["};", ""]

    def imms(self):
        out = []
        for k in self.m.kinds.values():
            if k.names:
                texts = ", ".join('"%s"' % n if n is not None else "NULL" for n in k.names)
                out.append("static const char *const names_%s[] = {%s};" % (k.name, texts))
        for k in self.m.kinds.values():
            out += self.irregular(k)
        out += ["static const ImmKind imms[] = {"]
        for k in self.m.kinds.values():
            out.append('    {"%s", %s, %s, %d, %d, %s, %s, %s, %s, %s, %s},' % (
                k.name, c_int(k.lo), c_int(k.hi), k.width, k.low_zeros, "true" if k.signed else "false",
                "true" if k.open else "false", "true" if k.floating else "false", k.reloc.index if k.reloc else "NO_RELOC",
                "names_%s" % k.name if k.names else "NULL",
                "NULL" if k.regular else "&irregular_%s" % k.name))
        return out + ["};", ""]

    @staticmethod
    def numbers(texts, width):
        """Initialisers in lines of a readable length."""
        per = max(100 // width, 1)
        return ["    " + ", ".join(texts[k:k + per]) + "," for k in range(0, len(texts), per)]

    def irregular(self, k):
        """The cases or the table of an immediate that is not one run of bits."""
        if k.regular:
            return []
        (_, bits), = k.fields
        if k.cases is not None:
            rows = ["    {UINT64_C(0x%x), UINT64_C(0x%x), UINT64_C(0x%x), %d, %d, %d, %s, %s}," % (
                c.fixed, c.fixed_mask, c.base, c.at, c.start, c.width, "true" if c.inverted else "false",
                "true" if c.signed else "false") for c in k.cases]
            return ["static const ImmCase cases_%s[] = {" % k.name] + rows + [
                "};", "static const ImmIrregular irregular_%s = {%d, %d, cases_%s, %d, NULL, NULL, NULL};"
                % (k.name, bits, k.width, k.name, len(k.cases)), ""]
        values = sorted(k.table)
        index = {k.table[v]: n for n, v in enumerate(values)}
        out = ["static const int64_t values_%s[] = {" % k.name] + self.numbers([c_int(v) for v in values], 30) + ["};"]
        out += ["static const uint16_t fields_%s[] = {" % k.name] + self.numbers([str(k.table[v]) for v in values], 6) + ["};"]
        out += ["static const uint16_t places_%s[] = {" % k.name]
        out += self.numbers([str(index.get(f, 65535)) for f in range(1 << bits)], 6) + ["};"]
        return out + ["static const ImmIrregular irregular_%s = {%d, %d, NULL, %d, values_%s, fields_%s, places_%s};"
                      % (k.name, bits, k.width, len(values), k.name, k.name, k.name), ""]

    ROLE = {"in": "ROLE_USE", "out": "ROLE_DEF", "early": "ROLE_DEF_EARLY", "inout": "ROLE_DEF"}

    def desc(self, s):
        if s.type == "reg":
            cls, fixed, kind = s.cls.index, s.fixed.index if s.fixed is not None else "NO_REG", "NO_KIND"
            role, type_ = self.ROLE[s.role], "OT_REG"
        else:
            cls, fixed, role = "NO_CLASS", "NO_REG", "ROLE_NONE"
            type_ = {"imm": "OT_IMM", "label": "OT_LABEL", "composite": "OT_COMPOSITE"}[s.type]
            if s.type == "label" and s.kind is not None and [s.kind.reloc.name] == self.m.role("reloc_type"):
                type_ = "OT_IMM"  # the number of a function type: no place
            kind = s.kind.index if s.kind is not None else "NO_KIND"
        return '{"%s", %s, %s, %s, %s, %d, %s, %s, %d, %d}' % (
            s.name, type_, role, "true" if s.role == "inout" else "false", cls, min(s.bits, 255), fixed, kind,
            s.slot, s.n_slots)

    def operands(self):
        out, kinds = [], []
        for comp in self.isa.operands.values():
            forms = []
            for f in comp.forms:
                parts = self.m.form_slots[id(f)]
                out.append("static const OpndDesc form_%s_%s[] = {%s};"
                           % (comp.name, f.name, ", ".join(map(self.desc, parts))))
                disp = displacement(f)
                at = next((s.slot for s in parts if disp is not None and s.name == disp.name), 0)
                forms.append('{"%s", form_%s_%s, %d, %d}' % (f.name, comp.name, f.name, len(parts), at))
            out.append("static const FormDesc forms_%s[] = {%s};" % (comp.name, ", ".join(forms)))
            kinds.append('{"%s", forms_%s, %d, %d}' % (comp.name, comp.name, len(forms), 1 + comp.max_parts))
        if not kinds:
            kinds = ["{0}"]
        return out + ["static const OperandKind operands[] = {%s};" % ", ".join(kinds), ""]

    def flags(self, i):
        last, first_row = i.inst, []
        if i.relax:
            result = i.inst.rows[0].result
            first_row = [self.isa.insts[e.name] for e in [s.value for s in result.stmts] + [result.value] if e is not None]
            last = first_row[-1]
        elif i.pseudo:
            of = self.isa.insts[i.inst.of.name]
            last = i.inst if i.inst.sem else of
        out = set()
        src = [last] + first_row + ([self.isa.insts[i.inst.of.name]] if i.pseudo else [])
        if any(x.reads_flags for x in [last] + first_row):
            out.add("MD_READS_FLAGS")
        if any(x.writes_flags for x in src):
            out.add("MD_WRITES_FLAGS")
        if last.loads:
            out.add("MD_LOADS")
        if last.stores:
            out.add("MD_STORES")
        if last.branches:
            out.add("MD_BRANCH")
        for name in last.effects:
            out.add({"call": "MD_CALL", "return_to": "MD_RETURN"}.get(name, "MD_EFFECT"))
        called = {x.name for s in last.sem for e in s.exprs() for x in e.walk() if x.k == "call"}
        if called & {"atomic_store", "atomic_mem", "fence"}:
            out |= {"MD_EFFECT", "MD_LOADS", "MD_STORES"}
        if self.writes_fixed_state(last):
            out.add("MD_EFFECT")
        if i.relax:
            out.add("MD_RELAX")
        elif not i.pseudo and i.inst.encode.format is None:
            out.add("MD_SEQUENCE")
        return " | ".join(sorted(out)) or "0"

    def writes_fixed_state(self, inst):
        """Assigns a register that is no operand (push: rsp)."""
        return any(s.k == "assign" and s.target.k == "name" and inst.opnd(s.target.name) is None
                   and s.target.name in self.isa.reg_names for s in inst.sem)

    def insts(self):
        out, rows = [], []
        untie = {a: b for a, b, _ in self.isa.unties}
        lists = {}
        for i in self.m.insts:
            text = ", ".join(map(self.desc, i.slots))
            if text and text not in lists:
                lists[text] = "opnds_%d" % len(lists)
                out.append("static const OpndDesc %s[] = {%s};" % (lists[text], text))
            requires = 0
            source = self.isa.insts[i.inst.of.name] if i.pseudo else i.inst
            for n in getattr(source, "requires", []) + (getattr(i.inst, "requires", []) if i.pseudo else []):
                requires |= 1 << self.isa.features[n].index
            twin = untie.get(i.name)
            traps = ", ".join("TRAP_" + t.code for t in getattr(source, "traps", [])) or "0"
            rows.append('    {"%s", %s, %d, %d, %s, %s, %s, %s, 0x%x},' % (
                i.name, lists.get(text, "NULL"), len(i.slots), i.n_slots, "{%s}" % traps,
                self.flags(i), regset(getattr(i.inst, "clobbers", [])),
                self.m.by_name[twin].index if twin else "NO_MOP", requires))
        return out + ["", "static const InstDesc insts[] = {"] + rows + ["};", ""]

    # ---- relocations ----
    def relocs(self):
        out, rows = [], []
        for r in self.m.relocs:
            names = r.letters()
            base = "RELOC_G" if "G" in names else "RELOC_L" if "L" in names else "RELOC_S"
            if "P" in names and "H" in names:
                raise DescriptionError(r.loc, "a formula counts from P or from H")
            unused = "".join("    (void)%s;\n" % c for n, c in (("PH", "p"), ("S", "s"), ("A", "a"), ("GL", "g"))
                             if not names & set(n))
            fields = [(self.m.reloc_field(r, s), s) for s in r.spots]
            checks, writes = [], []
            for k, (f, s) in enumerate(fields):
                x = "x%d" % k if k else "x"
                checks.append("    const uint64_t %s = %s;\n" % (x, self.formula(s.value)))
                if f.lo is not None:
                    test = "(int64_t)%s < %s || (int64_t)%s > %s" % (x, c_int(f.lo), x, c_int(f.hi))
                    if f.low_zeros:
                        test += " || (%s & %d)" % (x, (1 << f.low_zeros) - 1)
                    checks.append("    if (%s) return false;\n" % test)
                if f.leb is not None:
                    writes.append("    leb_put_wide(place%s, %d, %s, %s);\n" % (
                        " + %d" % f.at if f.at else "", f.size, x, "true" if f.leb.signed else "false"))
                for at, bit, width in f.runs:
                    writes.append("    put_bits(place%s, %d, %d, %d, %s%s);\n" % (
                        " + %d" % f.at if f.at else "", f.size, at, width, x, " >> %d" % bit if bit else ""))
            out.append("// %s\nstatic bool apply_%s(uint8_t *place, uint64_t p, uint64_t s, int64_t a, uint64_t g) {\n%s"
                       "%s%s    return true;\n}\n"
                       % (", ".join(str(s.value) for s in r.spots), r.name, unused, "".join(checks), "".join(writes)))
            lebs = {"LEB_NONE" if f.leb is None else "LEB_SIGNED" if f.leb.signed else "LEB_UNSIGNED" for f, _ in fields}
            if len(lebs) > 1:
                raise DescriptionError(r.loc, "a relocation fills LEBs or other fields, not both")
            rows.append('    {"%s", %d, %d, %s, %s, %s, apply_%s},'
                        % (r.name, r.number, max(f.at + f.size for f, _ in fields), base,
                           "false" if all(moves_along(s.value) for s in r.spots) else "true", lebs.pop(), r.name))
        put = [PUT_BITS % ("size - 1 - b / 8" if self.m.big_endian else "b / 8")] if any("put_bits(" in x for x in out) else []
        return put + out + ["static const Reloc relocs[] = {"] + (rows or ["    {0}"]) + ["};", ""]

    def object_formats(self):
        """What object files say of the machine: numbers of ELF and DWARF, and the relocations of their own tables."""
        def setting(word, what):
            row = self.isa.settings.get(word, [])
            return row[row.index(what) + 1] if what in row else None

        def plain(bits, formula):
            from tree import show
            found = [r for r in self.m.relocs if len(r.spots) == 1 and show(r.spots[0].value) == formula
                     and r.spots[0].field is None
                     and (r.spots[0].bits == bits or r.imm is not None and self.m.kinds[r.imm.name].width == bits
                          and not self.m.kinds[r.imm.name].low_zeros)]
            return found[0].index if found else "NO_RELOC"
        links = {abi.get("link")[0] for abi in self.isa.abis.values() if abi.get("link")}
        column = setting("dwarf", "return")
        if column is None and len(links) == 1:
            column = self.m.reg(links.pop()).dwarf
        return ["    .elf_machine = %s," % (setting("elf", "machine") or 0),
                "    .elf_flags = %s," % (setting("elf", "flags") or 0),
                "    .dwarf_return = %s," % ("NO_DWARF" if column is None else column),
                "    .reloc_word = %s," % plain(self.isa.word, "(S + A)"),
                "    .reloc_place = %s," % plain(32, "((S + A) - P)")]

    SIGNS = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^", "shl": "<<", "lshr": ">>", "mul": "*"}

    def formula(self, e):
        if e.k == "name":
            return {"S": "s", "A": "(uint64_t)a", "P": "p", "H": "p", "G": "g", "L": "g"}[e.name]
        if e.k == "num":
            return "UINT64_C(%d)" % (e.value & (1 << 64) - 1)
        if e.k == "un" and e.op == "not":
            return "~%s" % self.formula(e.args[0])
        if e.k == "bin" and e.op in self.SIGNS:
            return "(%s %s %s)" % (self.formula(e.args[0]), self.SIGNS[e.op], self.formula(e.args[1]))
        raise DescriptionError(e.loc, "a relocation is sums and masks of S, A, P, G, L")

    # ---- relaxation ----
    def size_of(self, inst):
        """Bytes of an instruction of constant size, else None."""
        from emit_encode import Encoder
        enc = Encoder(self.m)
        i = self.m.by_name[inst.name]
        groups = self.m.layout(i.inst.encode, enc.operand_env(i.slots))
        if not all(c is True and not isinstance(a, Leb) for a, c in groups):
            return None
        return sum(len(a) for a, _ in groups) // 8

    def check_reach(self, row, calls):
        """The written reach is what the branch of a one-instruction row reaches."""
        i = self.m.by_name[calls[0].name]
        label = next((s for s in i.slots if s.type == "label"), None)
        if row.low is None or len(calls) != 1 or label is None:
            return
        size = self.size_of(i.inst) if stmts_end_relative(i.inst.sem) else 0
        if size is not None and (row.low, row.high) != (label.kind.lo + size, label.kind.hi + size):
            raise DescriptionError(row.loc, "'%s' reaches %d .. %d from its start"
                                   % (i.name, label.kind.lo + size, label.kind.hi + size))

    def relaxes(self):
        out, relaxes = [], []
        for i in self.m.insts:
            if not i.relax:
                continue
            rows = []
            for n, row in enumerate(i.inst.rows):
                calls = [s.value for s in row.result.stmts] + ([row.result.value] if row.result.value is not None else [])
                self.check_reach(row, calls)
                body = sequence.Parts(self.m, i, calls, "return 0;").lines()
                if not any(re.search(r"\bs\[", line) for line in body):
                    body.insert(0, "    (void)s;")
                total = sum(self.size_of(self.m.by_name[call.name].inst) or 16 for call in calls)
                out.append("static unsigned expand_%s_%d(const MOpnd *s, uint64_t features, Encoded out[4]) {\n%s\n"
                           "    return %d;\n}\n" % (i.name, n, "\n".join(body), len(calls)))
                low, high = ("INT64_MIN", "INT64_MAX") if row.low is None else (c_int(row.low), c_int(row.high))
                rows.append("{%s, %s, expand_%s_%d, %d}" % (low, high, i.name, n, total))
            out.append("static const RelaxRow relax_%s[] = {%s};" % (i.name, ", ".join(rows)))
            relaxes.append("    {%d, relax_%s, %d}," % (i.index, i.name, len(rows)))
        return opposites(self.m, out) + out + ["", "static const Relax relaxes[] = {"] + (relaxes or ["    {0}"]) + ["};", ""]

    def invert(self):
        """Conditions come in pairs of opposite meaning; a relax pseudo with a condition operand has an opposite, and so
        has one whose shortest branch is taken exactly when another one's is not. So has a comparison of a stack machine, when
        another one gives the opposite."""
        cases, tests = [], {}
        for i in self.m.insts:
            if self.isa.is_stack and (test := self.gives(i)) is not None and test.op in self.OPPOSITE:
                op, order = self.OPPOSITE[test.op]
                x, y = test.args[::order]
                tests[i] = (show(test), "(%s %s %s)" % (show(x), SIGNS[op], show(y))), ", ".join(map(self.desc, i.slots))
            if not i.relax:
                continue
            for s, o in zip(i.slots, i.inst.opnds):
                if o.type != "cond":
                    continue
                flip = {}
                for a in o.cond.items:
                    for b in o.cond.items:
                        if opposite(a.when, b.when):
                            flip[a.value] = b.value
                table = ", ".join(str(flip.get(v, -1)) for v in range(1 << o.cond.width))
                cases.append("    case %d: {\n        static const int8_t opposite[] = {%s};\n"
                             "        const int64_t c = slots[%d].imm;\n"
                             "        if (c < 0 || c >= %d || opposite[c] < 0) return NO_MOP;\n"
                             "        slots[%d].imm = opposite[c];\n        return mop;\n    }"
                             % (i.index, table, s.slot, 1 << o.cond.width, s.slot))
                break
            else:
                taken = self.taken(i)
                if taken is not None:
                    tests[i] = taken, ", ".join(map(self.desc, i.slots))
        for i, ((_, never), opnds) in tests.items():
            other = next((j for j, ((when, _), same) in tests.items() if when == never and same == opnds), None)
            if other is not None:
                cases.append("    case %d: return %d; // %s, %s" % (i.index, other.index, i.name, other.name))
        unused = [] if any("slots" in c for c in cases) else ["    (void)slots;"]
        return ["static uint16_t invert(uint16_t mop, MOpnd *slots) {"] + unused + ["    switch (mop) {"] + cases + [
            "    default: return NO_MOP;", "    }", "}", ""]

    @staticmethod
    def gives(i):
        """What an instruction compares whose result is 1 when it holds and else 0; None: it is no such instruction."""
        sem = getattr(i.inst, "sem", None) or []
        e = sem[0].value if len(sem) == 1 and sem[0].k == "assign" else None
        test = e.args[0] if e is not None and e.k == "call" and e.name == "zext" else None
        return test if test is not None and test.k == "bin" else None

    OPPOSITE = {"eq": ("ne", 1), "ne": ("eq", 1), "slt": ("sle", -1), "sle": ("slt", -1), "ult": ("ule", -1), "ule": ("ult", -1)}

    def taken(self, i):
        """When the shortest branch of a relax is taken, and when it is not, as text in the names of the relax's operands; None:
        it has no condition that can be turned round."""
        result = i.inst.rows[0].result
        call = result.value if result.value is not None else result.stmts[-1].value
        inst = self.isa.insts[call.name]
        test = next((s.value for s in inst.sem if s.k not in ("assign", "let", "do") and len(s.then) == 1), None)
        if test is None:
            return None
        own = {o.name: show(a) for o, a in zip(inst.opnds, call.args)}

        def text(e):
            return re.sub(r"[A-Za-z_]\w*", lambda m: own.get(m.group(), m.group()), show(e))
        if test.k == "bin" and test.op in self.OPPOSITE:
            op, order = self.OPPOSITE[test.op]
            return text(test), "(%s %s %s)" % (tuple([text(test.args[::order][0]), SIGNS[op], text(test.args[::order][1])]))
        if test.k == "un" and test.op == "lnot":
            return text(test), text(test.args[0])
        return text(test), "!" + text(test)

    def features(self):
        out = ["static const Feature features[] = {"]
        self.baseline = 0
        closure = {}
        for f in self.isa.features.values():
            bits = 1 << f.index
            for n in f.implies:
                bits |= closure[n]
            closure[f.name] = bits
            out.append('    {"%s", 0x%x, 0x%x},' % (f.name, bits, f.elf_flags))
            if f.baseline:
                self.baseline |= bits
        if not closure:
            out.append("    {0}")
        return out + ["};", ""]

    # ---- calling conventions ----
    EXTEND = {(): "EXTEND_NOBODY", ("caller",): "EXTEND_TO_32", ("caller", "word"): "EXTEND_TO_WORD"}

    def abis(self):
        out, rows = [], []
        self.convs = {}
        for n, (name, abi) in enumerate(self.isa.abis.items()):
            lists = {}
            slots = abi.get("slots")
            for what in ("int_args", "float_args", "int_results", "float_results"):
                words = abi.get(*what.split("_")) or []
                if slots and what.endswith("args"):
                    words = [w.split("/")[what.startswith("float")] if "/" in w else w for w in slots]
                regs = [self.m.reg(w) for w in words[:words.index("then")] if True] if "then" in words \
                    else [self.m.reg(w) for w in words]
                lists[what] = regs
                if regs:
                    out.append("static const uint8_t %s_%s[] = {%s};" % (name, what, ", ".join(str(r.index) for r in regs)))
            preserved = [self.m.reg(w) for w in abi.get("preserved") or [] if w != "low64"]
            if abi.get("preserved", "low64"):
                preserved = [self.m.reg(w) for row in abi.rows if row[0] == "preserved" and row[1] != "low64"
                             for w in row[1:]]
            gone = [r for r in self.isa.regs if r not in preserved]
            stack = abi.get("stack") or []
            value = {k: int(stack[stack.index(k) + 1]) if k in stack else 0 for k in ("align", "redzone", "shadow")}
            args = slots or abi.get("int", "args") or []
            slot = int(args[args.index("stack") + 1]) if "stack" in args else 8

            def one(*path):
                found = abi.get(*path)
                return self.m.reg(found[0]).index if found else "NO_REG"
            for conv in abi.get("conv") or []:
                self.convs[conv] = n
            rows.append("    {\n        .name = \"%s\",\n%s        .slots = %s,\n        .callee_pops = %s,\n"
                        "        .floats_in_ints = %s,\n        .extend = %s,\n"
                        "        .preserved = %s,\n        .clobbered = %s,\n"
                        "        .stack_align = %d,\n        .arg_slot = %d,\n        .red_zone = %d,\n        .shadow = %d,\n"
                        "        .variadic_count = %s,\n        .sret_result = %s,\n        .sret_arg = %s,\n"
                        "        .link = %s,\n        .values = %s,\n    }," % (
                            name, "".join("        .%s = %s,\n        .n_%s = %d,\n" % (
                                what, "%s_%s" % (name, what) if regs else "NULL", what, len(regs))
                                for what, regs in lists.items()),
                            "true" if slots else "false", "true" if abi.get("callee") == ["pops"] else "false",
                            "true" if "int" in (abi.get("float", "args") or []) else "false",
                            self.EXTEND[tuple(abi.get("extend") or [])], regset(preserved), regset(gone),
                            value["align"], slot, value["redzone"], value["shadow"], one("variadic"),
                            one("sret") if (abi.get("sret") or ["arg"])[0] != "arg" else "NO_REG", one("sret", "arg"),
                            one("link"), "true" if abi.get("values") is not None else "false"))
        return out + ["static const Abi abis[] = {"] + rows + ["};", ""]

    def stack(self):
        """The instructions of a stack machine that core/stack puts by name."""
        if not self.isa.is_stack:
            return []
        m = self.m
        out = ["static const StackMachine stack = {"]
        lacks = [r for r in ROLES["stack"] + ("sp_symbol", "reloc_type", "function_type") if not m.role(r)]
        if lacks:
            raise DescriptionError(self.isa.loc, "a stack machine needs the role '%s'" % lacks[0])
        out += ["    .%s = %d," % (r, m.by_name[m.role(r)[0]].index) for r in ROLES["stack"]]
        out += ["    .%s = %s," % (r, m.by_name[m.role(r)[0]].index if m.role(r) else "NO_MOP")
                for r in ROLES["stack_optional"]]
        out.append('    .sp_symbol = "%s",' % m.role("sp_symbol")[0])
        out.append("    .reloc_type = %d," % self.isa.relocs[m.role("reloc_type")[0]].index)
        out.append("    .function_type = %s," % m.role("function_type")[0])
        out += ["    .%s = %s," % (r, m.role(r)[0]) for r in STACK_LIMITS if m.role(r)]
        return out + ["};", ""]

    def record(self):
        m, isa = self.m, self.isa

        def count(name):
            return "    .%s = %s,\n    .n_%s = sizeof %s / sizeof *%s," % (name, name, name, name, name)

        out = ["const Target target_%s = {" % m.name, '    .name = "%s",' % m.name,
               '    .triple_arch = "%s",' % (isa.settings.get("triple") or [m.name])[0],
               "    .word_bits = %d," % isa.word, "    .code_align = %s," % isa.settings.get("code", ["align", "1"])[1]]
        out += [count(n) for n in ("regs", "classes", "insts", "relocs", "abis")]
        out.append("    .features = features,\n    .n_features = %d,\n    .baseline = 0x%x," % (
            len(isa.features), self.baseline))
        out.append("    .imms = imms,\n    .operands = operands,")
        out += self.object_formats()
        out.append("    .relaxes = relaxes,\n    .n_relaxes = %d," % len(isa.relaxes))
        held = {t: h.cls.index for h in isa.holds for t in h.types if t in m.ir.types}
        rest = ["T_none"] + ["T_" + t for t in m.ir.types if t not in held]
        out.append("    .type_class = {%s, [N_TYPES ... 31] = NO_CLASS}," % ", ".join(
            ["[%s] = NO_CLASS" % t for t in rest] + ["[T_%s] = %d" % x for x in held.items()]))
        # Bits above a value that are neither garbage nor absent are part of it.
        sizes = ["[T_%s] = %d" % (t, (h.cls.file.width if h.upper not in ("any", "none") else m.ir.types[t].width) // 8)
                 for h in isa.holds for t in h.types if t in m.ir.types]
        out.append("    .type_size = {%s}," % ", ".join(sizes))
        out.append("    .conv = {%s}," % ", ".join("[CC_%s] = &abis[%d]" % (c.upper(), n) for c, n in self.convs.items()))
        for r in ("sp", "flags"):
            out.append("    .%s = %s," % (r, m.reg(m.role(r)[0]).index if m.role(r) else "NO_REG"))
        out.append("    .scratch = %s," % regset(m.scratch()))
        out.append("    .zero = %s," % regset([r for r in isa.regs if r.constant is not None]))
        for r in ROLES["insts"]:
            names = m.role(r)
            out.append("    .op_%s = %s," % (r, m.by_name[names[0]].index if names else "NO_MOP"))
        if m.role("cond_below"):
            branch = m.by_name[m.role("branch")[0]].inst
            cond = next(o.cond for o in branch.opnds if o.type == "cond")
            out.append("    .cond_below = %d," % cond.find(m.role("cond_below")[0]).value)
        forms = {f.index for c in isa.operands.values() for f in c.forms if [f.name] == m.role("mem_form")}
        if len(forms) > 1:
            raise DescriptionError(isa.loc, "role 'mem_form': form '%s' has not the same place in every operand"
                                   % m.role("mem_form")[0])
        out.append("    .mem_form = %d," % (forms.pop() if forms else 0))
        out.append("    .encode = %s_encode,\n    .invert = invert,\n    .ways = &%s_ways," % (m.name, m.name))
        if isa.is_stack:
            out.append("    .stack = &stack,")
        if asks_zeros(isa):
            out.append("    .zeros = %s_zeros," % m.name)
        for field, module in (("decode", "emit_decode"), ("print", "emit_print"), ("select", "emit_select"),
                              ("covers", "emit_select"), ("sim", "emit_sim")):
            if have(module) and not (isa.is_stack and field == "sim"):
                out.append("    .%s = %s_%s," % (field, m.name, field))
        if m.role("host_features"):
            out.append("    .host_features = %s," % m.role("host_features")[0])
        return out + ["};"]


PUT_BITS = """// The low bits of x to a run of bits in a field of `size` bytes.
static void put_bits(uint8_t *place, unsigned size, unsigned from, unsigned width, uint64_t x) {
    (void)size;
    for (unsigned b = from; b < from + width;) {
        unsigned n = 8 - b %% 8 < from + width - b ? 8 - b %% 8 : from + width - b;
        unsigned mask = ((1u << n) - 1) << b %% 8;
        uint8_t *byte = &place[%s];
        *byte = (uint8_t)((*byte & ~mask) | ((unsigned)x << b %% 8 & mask));
        x >>= n;
        b += n;
    }
}
"""


def moves_along(e):
    """Does a relocation's formula stay the same when the code and what it refers to move together? Decided on samples: the
    formulas are sums and masks."""
    def value(e, at):
        if e.k == "name":
            return at[e.name]
        if e.k == "num":
            return e.value
        if e.k == "un":
            return ~value(e.args[0], at)
        x, y = (value(a, at) for a in e.args)
        return {"add": lambda: x + y, "sub": lambda: x - y, "and": lambda: x & y, "or": lambda: x | y,
                "xor": lambda: x ^ y, "shl": lambda: x << min(y, 64), "lshr": lambda: x >> y, "mul": lambda: x * y}[e.op]() % (1 << 64)
    for k in range(64):
        place, target = k * 0x9e37 % 0x10000, 0x12340 + k * 0x5851 % 0x20000
        by = (16 + k * 0x1230) * (1 + (k << 16) + (k << 32)) % (1 << 60)  # shows in every part of an address
        at = dict.fromkeys("SGL", target) | dict.fromkeys("PH", place) | {"A": k}
        moved = {n: x if n == "A" else x + by for n, x in at.items()}
        if value(e, at) != value(e, moved):
            return False
    return True


def opposite(a, b):
    """a is !b, as the description writes them."""
    x, y = show(a), show(b)
    if x == "!" + y or y == "!" + x or x == "!(%s)" % y or y == "!(%s)" % x:
        return True
    if a.k == b.k == "bin" and {a.op, b.op} == {"eq", "ne"}:
        return [show(e) for e in a.args] == [show(e) for e in b.args]
    return False
