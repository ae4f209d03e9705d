"""The printer's tables: <isa>_print.c."""
import copy

from emit_encode import banner, copy_operands, opposites, stmts_end_relative
from isa import Asm, AsmPiece
from machine import machines
from symbits import Bits, NotSymbolic, Var, c_cond, truth


def outputs(isas):
    return ["%s_print.c" % isa for isa in isas]


def emit(model):
    return {"%s_print.c" % name: Printer(m).text() for name, m in machines(model).items()}


def quoted(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def place_of(stmts):
    """Where the distances of an instruction count from."""
    names = {n.name for s in stmts for e in s.exprs() for n in e.walk() if n.k == "name"}
    if any(n.k == "bin" and n.op == "and" and n.args[0].k == "name" and n.args[0].name == "pc"
           for s in stmts for e in s.exprs() for n in e.walk()):
        return "ASM_DIST"  # from the page
    return "ASM_LABEL" if stmts_end_relative(stmts) else "ASM_PLACE" if "pc" in names else "ASM_DIST"


class Printer:
    def __init__(self, m):
        self.m = m
        self.views = {}     # (file, view name or None) -> number
        self.functions = {}  # condition text -> name
        self.pieces = {}    # pieces as C text -> name
        self.out = []

    def view(self, slot, part=None):
        view = part or (slot.view.name if slot.view is not None else None)
        if part is not None and part not in slot.cls.file.views:
            self.m.fail(slot.loc, "'%s' has no view '%s'" % (slot.cls.file.name, part))
        key = (slot.cls.file.name, view)
        return self.views.setdefault(key, len(self.views))

    def value(self, slot):
        """An operand as its raw C value, for conditions."""
        c = "(uint64_t)s[%d].imm" % slot.slot
        if slot.type == "reg":
            return slot.slot
        if slot.type == "label":  # one that waits for an address is no number
            c = "(s[%d].kind == MO_IMM ? %s : UINT64_MAX)" % (slot.slot, c)
        name, width = slot.kind.fields[0]
        if slot.kind.regular and slot.kind.signed and width < 64:
            c = "bit_zext(%s, %d)" % (c, width)
        atoms = Var(slot.name, width, c).bits().atoms
        return Bits(atoms, 0, slot)

    def condition(self, when, slots):
        if when is None:
            return "NULL"
        env = {s.name: self.value(s) for s in slots if s.type in ("imm", "label") and s.kind is not None}
        try:
            text = c_cond(truth(self.m.evaluator.eval(when, env)))
        except NotSymbolic as e:
            self.m.fail(when.loc, "this condition: %s" % e)
        if text not in self.functions:
            self.functions[text] = "when_%d" % len(self.functions)
        return self.functions[text]

    def piece(self, p, slots, form):
        if p.kind == "text":
            return "{%s, ASM_TEXT, 0, 0}" % quoted(p.text)
        s = next(x for x in slots if x.name == p.opnd.name)
        if s.type == "composite" and p.part is not None:
            form = s.kind.forms[0]
            part = next((x for x in self.m.form_slots[id(form)] if x.name == p.part), None)
            if len(s.kind.forms) != 1 or part is None:
                self.m.fail(s.loc, "operand '%s' has no part '%s' in every form" % (s.name, p.part))
            s = copy.copy(part)
            s.slot += next(x for x in slots if x.name == p.opnd.name).slot
        if s.type == "reg":
            return "{NULL, ASM_REG, %d, %d}" % (s.slot, self.view(s, p.part if p.opnd.name == s.name else None))
        if p.part is not None and s.type == "imm":
            return "{NULL, ASM_FIELD, %d, %d}" % (s.slot, s.kind.index)
        if s.type == "composite":
            return "{NULL, ASM_FORM, %d, %d}" % (s.slot, s.kind.index)
        if s.type == "label":
            return "{NULL, %s, %d, 0}" % (form, s.slot)
        return "{NULL, ASM_IMM, %d, %d}" % (s.slot, s.kind.index)

    def texts(self, name, asms, slots, place):
        """place: what a label prints as."""
        rows = []
        for a in asms:
            pieces = "{%s}" % ", ".join(self.piece(p, slots, place) for p in a.pieces)
            if pieces not in self.pieces:
                self.pieces[pieces] = "pieces_%d" % len(self.pieces)
            rows.append("{%s, %s, %d}" % (self.condition(a.when, slots), self.pieces[pieces], len(a.pieces)))
        if rows:
            self.out.append("static const AsmText text_%s[] = {%s};" % (name, ", ".join(rows)))
        return rows

    def text(self):
        m, insts, stands, forms = self.m, [], [], []
        for i in m.insts:
            asms = i.inst.asms if not i.relax else [] if self.last_call(i) is not None else self.plain_text(i)
            rows = self.texts(i.name, asms, i.slots, "ASM_DIST" if i.relax or m.isa.is_stack else place_of(i.inst.sem))
            function = "NULL"
            if not rows:
                call = i.inst.of if i.pseudo else self.last_call(i)
                target = m.by_name[call.name]
                lines, _, _ = copy_operands(m, i, target, call)
                function = "stands_%s" % i.name
                unused = "" if any("s[" in line for line in lines) else "    (void)s;\n"
                stands.append("static uint16_t %s(const MOpnd *s, MOpnd *t) {\n%s%s\n    return %d;\n}\n"
                              % (function, unused, "\n".join(lines), target.index))
            insts.append("    {%s, %d, %s, %s}," % ("text_" + i.name if rows else "NULL", len(rows), self.shorts(i), function))
        lists = []
        for comp in m.isa.operands.values():
            rows = []
            for f in comp.forms:
                found = self.texts("%s_%s" % (comp.name, f.name), f.asms, m.form_slots[id(f)], "ASM_DIST")
                if not found:
                    m.fail(f.loc, "form '%s' has no asm" % f.name)
                rows.append("{text_%s_%s, %d, NULL, NULL}" % (comp.name, f.name, len(found)))
            forms.append("static const AsmInst forms_%s[] = {%s};" % (comp.name, ", ".join(rows)))
            lists.append("forms_%s" % comp.name)
        return self.file(insts, stands, forms, lists)

    def shorts(self, i):
        """The texts of an instruction's short forms, where they have some."""
        if not any(s.asms for s in i.shorts):
            return "NULL"
        rows = []
        for s in i.shorts:
            names = {a.name: slot for slot, a in reversed(self.m.leaves(i, s.of))}
            slots = []
            for o in s.opnds:
                slots.append(copy.copy(names[o.name]))
                slots[-1].name = o.name
            found = self.texts(s.name, s.asms, slots, place_of(i.inst.sem))
            rows.append("{text_%s, %d, NULL, NULL}" % (s.name, len(found)) if found else "{NULL, 0, NULL, NULL}")
        self.out.append("static const AsmInst shorts_%s[] = {%s};" % (i.name, ", ".join(rows)))
        return "shorts_%s" % i.name

    @staticmethod
    def last_call(i):
        """The instruction whose text stands for a branch of any reach: of the longest row that is one instruction."""
        rows = [r.result for r in i.inst.rows if len(r.result.stmts) + (r.result.value is not None) == 1]
        return (rows[-1].value if rows[-1].value is not None else rows[-1].stmts[-1].value) if rows else None

    @staticmethod
    def plain_text(i):
        """The name and the operands: of a relax whose rows are all several instructions."""
        pieces = [AsmPiece("text", i.name)]
        for n, o in enumerate(i.inst.opnds):
            pieces += [AsmPiece("text", ", " if n else " "), AsmPiece("opnd", opnd=o)]
        return [Asm(None, pieces, None, i.loc)]

    def names(self):
        out, tables = [], []
        for (file, view), n in self.views.items():
            f = self.m.isa.files[file]
            own = dict(zip((r.index for r in f.regs), f.views[view].names if view else [r.name for r in f.regs]))
            for c in self.m.isa.classes.values():
                for r in c.regs if c.file is f else []:  # a class may have registers of several files
                    own.setdefault(r.index, r.file.views[view].names[r.hw] if view in r.file.views else r.name)
            cells = ", ".join('"%s"' % own[r.index] if r.index in own else "NULL" for r in self.m.isa.regs)
            out.append("static const char *const names_%d[] = {%s}; // %s" % (n, cells, ".".join(x for x in (file, view) if x)))
            tables.append("names_%d" % n)
        return out + ["static const char *const *const names[] = {%s};" % ", ".join(tables or ["NULL"]), ""]

    def file(self, insts, stands, forms, lists):
        m = self.m
        prefix = m.isa.settings.get("register", ["prefix", ""])[1]
        out = [banner(m, "emit_print"), '#include "%s.h"' % m.name, '#include "select/tables.h"',
               '#include "support/bits.h"', ""]
        out += self.names()
        out += ["static bool %s(const MOpnd *s) { return %s; }" % (n, t) for t, n in self.functions.items()] + [""]
        out += ["static const AsmPiece %s[] = %s;" % (n, t) for t, n in self.pieces.items()] + [""]
        out += self.out + [""] + opposites(m, stands) + stands + forms
        out += ["static const AsmInst insts[] = {"] + insts + ["};", ""]
        out += ["static const AsmInst *const forms[] = {%s};" % ", ".join(lists or ["NULL"]), "",
                "static const AsmTables tables = {&target_%s, %s, names, insts, forms};" % (m.name, quoted(prefix)), "",
                "void %s_print(uint16_t mop, const MOpnd *slots, uint64_t at, unsigned size, Buf *out) {" % m.name,
                "    asm_print(&tables, mop, slots, at, size, out);", "}", ""]
        return "\n".join(out)
