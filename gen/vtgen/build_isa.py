"""The declarations of one machine -> Isa: names resolved, encode arguments folded, sems with widths."""
import re

from build_formats import FormatBuilder
from build_regs import RegisterBuilder, expand_range
from build_ir import Once, Rule, Trap, build_cond, build_fn, check_fn, check_values
from isa import (Abi, After, Asm, AsmPiece, Composite, Cpu, Feature, Form, Imm, Inst, Isa, Moves, Opnd, Relax, RelaxRow,
                 Reloc, Short, Spot)
from sem import TESTS, TRUTHS, Binding, Scope, Widths, fold
from tree import Builder

PIECE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?:\.([A-Za-z_][A-Za-z0-9_]*))?\}")


# Settings of `isa NAME { ... }`: their words, and what the last one may be.
ISA_SETTINGS = {("word",): "32|64", ("endian",): "little|big", ("code", "align"): r"[1-9]\d*", ("triple",): r"\w+",
                ("elf", "machine"): r"\d+", ("elf", "flags"): r"\d+", ("dwarf", "return"): r"\d+",
                ("register", "prefix"): ".*", ("machine",): "stack", ("memory",): "unshared",
                ("nan", "first"): "positive|negative", ("nan", "signalling"): "positive|negative",
                ("nan", "default"): "positive|negative"}


SORTS = {"reg": "a register", "fixed": "a register", "imm": "a number", "cond": "a condition", "composite": "composite"}


class IsaWorld:
    """What sem.Widths asks of a machine."""

    def __init__(self, isa, ir):
        self.types = {t.name: t.width for t in ir.types.values()}
        self.types.setdefault("i1", 1)
        self.types.setdefault("i128", 128)
        self.fns, self.flags = isa.fns, isa.flags
        self.word, self.addresses = isa.word, [isa.word]
        self.scope = Scope()
        for name, (reg, view) in isa.reg_names.items():
            self.scope.names[name] = Binding("reg", reg, view.width if view else reg.width)
        for flags in isa.flags.values():
            self.scope.names[flags.name] = Binding("flags", flags, len(flags.bits))
            for i, bit in enumerate(flags.bits):
                self.scope.names[bit] = Binding("flag", (flags, i), 1)
        for name in ("pc", "pc_next"):
            self.scope.names[name] = Binding("pc", name, isa.word)
        self.scope.names["undefined"] = Binding("undefined")

    def member(self, binding, name):
        """b.name: a part of a composite, a view of a register, a flag of a flags register, an immediate's field."""
        opnd = binding.obj
        if binding.kind == "flags" and name in opnd.bits:
            return Binding("flag", (opnd, opnd.bits.index(name)), 1)
        if binding.kind != "opnd" or not isinstance(opnd, Opnd):
            return None
        if opnd.type == "imm":
            if name == "field" and len(opnd.imm.fields) == 1:
                return Binding("part", opnd, opnd.imm.bits)
            for field, width in opnd.imm.fields:
                if field == name:
                    return Binding("part", opnd, width)
        if opnd.type == "composite":
            for form in opnd.comp.forms:
                for part in form.params:
                    if part.name == name:
                        return Binding("part", part, part.width)
                for call, _ in form.encodes:
                    if name in dict(call.kwargs):
                        return Binding("part", opnd)
        if opnd.type in ("reg", "fixed"):
            file = opnd.cls.file if opnd.cls else opnd.reg.file
            if name in file.views:
                return Binding("part", opnd, file.views[name].width)
        return None


class IsaBuilder(RegisterBuilder, FormatBuilder):
    def __init__(self, name, decls, ir, diag):
        self.isa, self.decls, self.ir, self.diag = Isa(name), decls, ir, diag
        self.once = Once(diag)

    # ---- small helpers ----

    def error(self, loc, text, *notes):
        self.diag.error(loc, text, *notes)

    def each(self, *kinds):
        for d in self.decls:
            if d["k"] in kinds:
                yield d, Builder(d), Builder(d).loc(d)

    def names(self, items, b):
        """Names and ranges of a list as [(name, Loc)]."""
        out = []
        for i in items:
            if i["k"] == "range":
                found = expand_range(str(i["lo"]), str(i["hi"]))
                if found is None:
                    self.error(b.loc(i), "'%s..%s' is not a range of names" % (i["lo"], i["hi"]))
                out += [(n, b.loc(i)) for n in found or []]
            else:
                out.append((str(i.get("name", i.get("value", i.get("text")))), b.loc(i)))
        return out

    def rows(self, settings, b):
        """Settings as rows of texts, ranges expanded."""
        out = []
        for row in settings:
            words = []
            for w in row:
                if w["k"] == "range" and isinstance(w["lo"], int):
                    if not 0 <= w["hi"] - w["lo"] < 1000:
                        self.error(b.loc(w), "'%d..%d' is not a range" % (w["lo"], w["hi"]))
                        continue
                    words += [str(i) for i in range(w["lo"], w["hi"] + 1)]
                elif w["k"] == "alt":
                    words.append("%s/%s" % (w["a"], w["b"]))
                else:
                    words += [n for n, _ in self.names([w], b)]
            out.append(words)
        return out

    # ---- in the order of what needs what ----

    def build(self):
        self.isa_settings()
        self.registers()
        self.feature_list()
        self.functions()
        self.world = IsaWorld(self.isa, self.ir)
        self.widths = Widths(self.diag, self.world)
        self.conditions()
        self.immediates()
        self.composites()
        self.formats()
        self.instructions()
        self.settings()
        self.rules()
        known = {"isa", "file", "reg", "class", "hold", "flags", "cond", "after", "imm", "operand", "format",
                 "varformat", "inst", "pseudo", "short", "relax", "untie", "reloc", "abi", "feature", "cpu",
                 "rule", "unsupported", "fn", "roles", "moves", "table", "value"}
        for d in self.decls:
            if d["k"] not in known:
                self.error(Builder(d).loc(d), "'%s' does not belong into a machine's description" % d["k"])
        return self.isa

    def isa_settings(self):
        for d, b, loc in self.each("isa"):
            if self.isa.loc is not None:
                self.error(loc, "a description has one 'isa'", (self.isa.loc, "the first is here"))
            self.isa.loc = loc
            if d["name"] != self.isa.name:
                self.error(loc, "file '%s' describes '%s'" % (loc.base, d["name"]))
            seen = set()
            for row, words in zip(self.rows(d["settings"], b), d["settings"]):
                what = "nan" if row[0] == "nan" else " ".join(row[:-1])
                legal = ISA_SETTINGS.get(tuple(row[:-1]))
                if legal is None or not re.fullmatch(legal, row[-1]):
                    self.error(b.loc(words[0]), "a machine has no setting '%s'" % " ".join(row))
                    continue
                if what in seen:
                    self.error(b.loc(words[0]), "'%s' is given twice" % what)
                seen.add(what)
                self.isa.settings.setdefault(row[0], []).extend(row[1:])
            if "word" not in self.isa.settings:
                self.error(loc, "a machine says how many bits an address has: 'word 64'")
        self.isa.word = int(self.isa.settings.get("word", ["64"])[0])

    def feature_list(self):
        for d, b, loc in self.each("feature"):
            if self.once.add("feature", d["name"], loc):
                f = Feature(d["name"], [n["name"] for n in d["implies"]], loc)
                f.index = len(self.isa.features)
                for n in d["implies"]:
                    if n["name"] not in self.isa.features:
                        self.error(b.loc(n), "no feature declared before is named '%s'" % n["name"])
                self.feature_settings(f, d["settings"], b)
                self.isa.features[d["name"]] = f

    def feature_settings(self, f, settings, b):
        seen = set()
        for row, words in zip(self.rows(settings, b), settings):
            if row[0] in seen:
                self.error(b.loc(words[0]), "'%s' is given twice" % row[0])
            seen.add(row[0])
            if row == ["baseline"]:
                f.baseline = True
            elif row[:2] == ["elf", "flags"] and len(row) == 3 and re.fullmatch(r"[1-9]\d*", row[2]):
                f.elf_flags = int(row[2])
                always = self.isa.settings.get("elf", [])
                always = int(always[always.index("flags") + 1]) if "flags" in always else 0
                if always & f.elf_flags:
                    self.error(b.loc(words[0]), "the flags %d stand in every object of this machine" % (
                        always & f.elf_flags), (self.isa.loc, "the machine is here"))
            else:
                self.error(b.loc(words[0]), "a feature is 'baseline' or has 'elf flags N', not '%s'" % " ".join(row))

    def requires(self, names, b):
        for n in names:
            if n["name"] not in self.isa.features:
                self.error(b.loc(n), "no feature is named '%s'" % n["name"])
        return [n["name"] for n in names]

    def functions(self):
        from sem import BUILTINS, OPERATORS
        for d, b, loc in self.each("fn"):
            if d["name"] in OPERATORS or d["name"] in BUILTINS:
                self.error(loc, "'%s' is built in" % d["name"])
            elif self.once.add("fn", d["name"], loc):
                check_fn(d, {"i1", "i128"} | set(self.ir.types) | set(self.isa.flags), self.diag)
                self.isa.fns[d["name"]] = build_fn(d)

    def conditions(self):
        isa = self.isa
        for d, b, loc in self.each("cond"):
            if not self.once.add("kind", d["name"], loc):
                continue
            cond = build_cond(d)
            check_values(cond, self.diag)
            for item in cond.items:
                if item.when is not None:
                    self.widths.truth(item.when, Scope(self.world.scope))
            isa.conds[d["name"]] = cond
        for d, b, loc in self.each("after"):
            items = []
            scope = Scope(self.world.scope)
            for p in d["params"]:
                scope.names[p["name"]] = Binding("free", p["name"], isa.word)
            for i in d["items"]:
                e = b.expr(i["when"])
                self.widths.truth(e, scope)
                if not any(c.find(i["name"]) for c in isa.conds.values()):
                    self.error(b.loc(i), "no condition is named '%s'" % i["name"])
                if any(i["name"] == name for name, _, _ in items):
                    self.error(b.loc(i), "'%s' is given twice" % i["name"])
                items.append((i["name"], e, b.loc(i)))
            isa.after.append(After(d["name"], [p["name"] for p in d["params"]], items, loc))

    # ---- immediates and composite operands ----

    def immediates(self):
        for d, b, loc in self.each("imm"):
            if not self.once.add("kind", d["name"], loc):
                continue
            fields, scope = [], Scope()
            for p in d["params"]:
                kind = p.get("kind")
                if not kind or kind["k"] != "num":
                    self.error(b.loc(p), "a field is a number of bits: '%s: 12'" % p["name"])
                    continue
                if not 0 < kind["value"] <= 64:
                    self.error(b.loc(p), "an immediate has 1 to 64 bits")
                    continue
                fields.append((p["name"], kind["value"]))
                scope.names[p["name"]] = Binding("part", p["name"], kind["value"])
            if len(d["params"]) != 1:
                self.error(loc, "an immediate has one field")
            if len(fields) != 1:
                continue
            guard, value = b.expr(d["when"]), b.expr(d["value"])
            if guard is not None:
                self.widths.truth(guard, Scope(scope))
            scope.parent = self.world.scope
            if self.widths.infer(value, scope) in (None, 0):
                self.error(value.loc, "the width of this immediate is open")
                continue
            if value.width > 64:
                self.error(value.loc, "an immediate has 1 to 64 bits")
                continue
            names = [str(w.get("name", w.get("value", w.get("text")))) for w in d["names"]]
            imm = Imm(d["name"], fields, guard, value, names, loc)
            if names and len(names) != 1 << imm.bits and names != ["float"]:
                self.error(loc, "%d names for a field of %d bits" % (len(names), imm.bits))
            imm.index = len(self.isa.imms)
            self.isa.imms[d["name"]] = imm

    def opnd(self, p, b):
        """An operand from `name: role kind`; after an error one of any width, so that it is reported once."""
        return self.opnd_of(p, b) or Opnd(p["name"], p.get("role", "in"), "field", None, b.loc(p))

    def opnd_of(self, p, b):
        loc, kind, isa = b.loc(p), p.get("kind"), self.isa
        if kind is None:
            self.error(loc, "operand '%s' has no kind" % p["name"])
            return None
        role = p["role"]
        if kind["k"] == "num":
            return Opnd(p["name"], role, "field", kind["value"], loc)
        if kind["k"] == "sized":
            self.error(b.loc(kind), "an operand is of a class, an immediate, a condition or a composite operand")
            return None
        name, _, view = kind["name"].partition(".")
        o = Opnd(p["name"], role, "reg", 0, loc)
        if name in isa.classes:
            o.cls = isa.classes[name]
            o.view = o.cls.view
            if view:
                if view not in o.cls.file.views:
                    self.error(b.loc(kind), "class '%s' has no view '%s'" % (name, view))
                    return None
                o.view = o.cls.file.views[view]
            o.width = o.view.width if o.view else o.cls.width
            return o
        if name in isa.reg_names and not view:
            reg, v = isa.reg_names[name]
            o.type, o.reg, o.view, o.width = "fixed", reg, v, v.width if v else reg.width
            return o
        if role != "in" and any(name in kinds for kinds in (isa.imms, isa.operands, isa.conds, ["label"])):
            self.error(b.loc(kind), "only a register can be written, '%s' is none" % kind["name"])
            return None
        if name in isa.imms:
            o.type, o.imm, o.width = "imm", isa.imms[name], isa.imms[name].width
        elif name in isa.operands:
            o.type, o.comp, o.width = "composite", isa.operands[name], isa.operands[name].width
        elif name in isa.conds:
            o.type, o.cond, o.width = "cond", isa.conds[name], isa.conds[name].width
        elif name == "label":
            o.type, o.width = "label", isa.word
        else:
            self.error(b.loc(kind), "no class, register or kind of operand is named '%s'" % kind["name"])
            return None
        return o

    def opnds(self, params, b):
        out = []
        for p in params:
            o = self.opnd(p, b)
            if any(x.name == p["name"] for x in out):
                self.error(b.loc(p), "operand '%s' is declared twice" % p["name"])
            else:
                o.index = len(out)
                out.append(o)
        return out

    def scope(self, opnds):
        scope = Scope(self.world.scope)
        for o in opnds:
            scope.names[o.name] = Binding("opnd", o, o.width)
        return scope

    def asm(self, c, opnds, b):
        """One `asm` clause."""
        text, loc = c["text"]["text"], b.loc(c["text"])
        pieces, at = [], 0
        for m in PIECE.finditer(text):
            if m.start() > at:
                pieces.append(AsmPiece("text", text[at:m.start()]))
            opnd = next((o for o in opnds if o.name == m.group(1)), None)
            if opnd is None:
                self.error(loc, "no operand is named '%s'" % m.group(1))
                opnd = Opnd(m.group(1), "in", "field", 1, loc)
            pieces.append(AsmPiece("opnd", opnd=opnd, part=m.group(2)))
            at = m.end()
        if at < len(text):
            pieces.append(AsmPiece("text", text[at:]))
        if re.search("[{}]", PIECE.sub("", text)):
            self.error(loc, "braces stand around an operand's name")
        if not text:
            self.error(loc, "an asm says how it is written")
        return Asm(text, pieces, self.guard(c["when"], opnds, b), loc)

    def guard(self, j, opnds, b):
        """A condition over operands, as the encoder and printer evaluate it: constants folded, names resolved."""
        return None if j is None else self.resolve(self.condition(b.expr(j)), opnds)

    def condition(self, e):
        """e, which must compare something or be a truth value by its name."""
        if e.k == "num" or e.k == "bin" and e.op not in TESTS + TRUTHS or e.k == "un" and e.op != "lnot":
            self.error(e.loc, "a condition compares something, this is a value")
        for a in e.args if e.k in ("bin", "un") and e.op in TRUTHS + ("lnot",) else []:
            self.condition(a)
        return e

    def composites(self):
        for d, b, loc in self.each("operand"):
            if not self.once.add("kind", d["name"], loc):
                continue
            kind = d["type"].get("name")
            if kind not in self.world.types:
                self.error(b.loc(d["type"]), "no type is named '%s'" % kind)
                continue
            comp = Composite(d["name"], self.world.types[kind], loc)
            comp.index = len(self.isa.operands)
            for j in d["forms"]:
                form = Form(j["name"], b.loc(j))
                form.index = len(comp.forms)
                if any(f.name == form.name for f in comp.forms):
                    self.error(form.loc, "form '%s' is declared twice" % form.name)
                form.params = self.opnds(j["params"], b)
                form.value = b.expr(j["value"])
                self.widths.infer(form.value, self.scope(form.params), comp.width)
                if form.value.width not in (None, comp.width):
                    self.error(form.value.loc, "the form is %d bits, operand '%s' is %d"
                               % (form.value.width, comp.name, comp.width))
                form.most = self.most_displacement(form, j, b)
                for c in j["clauses"]:
                    if c["k"] == "asm":
                        form.asms.append(self.asm(c, form.params, b))
                    else:
                        form.encodes.append((self.resolve(b.expr(c["call"]), form.params),
                                             self.guard(c["when"], form.params, b)))
                self.check_asms(form.asms)
                comp.forms.append(form)
            if not comp.forms:
                self.error(loc, "operand '%s' has no form" % comp.name)
            self.isa.operands[d["name"]] = comp

    def most_displacement(self, form, j, b):
        """`when d <u NUMBER` behind a form's value."""
        e = b.expr(j["when"])
        if e is None:
            return None
        part = e.args[0] if e.k == "bin" and e.op == "ult" else None
        limit = fold(e.args[1]) if part is not None else None
        if limit is None or limit <= 0 or not any(part.k == "name" and part.name == p.name and p.type == "imm"
                                                  for p in form.params):
            self.error(e.loc, "a form's 'when' limits its displacement: 'd <u NUMBER'")
            return None
        return limit - 1

    # ---- instructions ----

    def instructions(self):
        isa = self.isa
        for d, b, loc in self.each("inst", "pseudo"):
            if not self.once.add("instruction", d["name"], loc):
                continue
            i = Inst(d["name"], loc)
            i.index = len(isa.insts)
            i.opnds = self.opnds(d["params"], b)
            if "of" in d:
                i.of = b.expr(d["of"])
                i.when = self.guard(d["when"], i.opnds, b)
            self.clauses(i, d, b)
            isa.insts[i.name] = i
        for d, b, loc in self.each("relax"):
            if self.once.add("instruction", d["name"], loc):
                r = Relax(d["name"], loc)
                r.index = len(isa.relaxes)
                r.opnds = self.opnds(d["params"], b)
                for row in d["rows"]:
                    low, high = (b.expr(row.get(x)) for x in ("low", "high"))
                    bounds = [None if x is None else fold(x) for x in (low, high)]
                    if low is not None and None in bounds:
                        self.error(b.loc(row), "a reach is two numbers")
                    r.rows.append(RelaxRow(bounds[0], bounds[1], b.result(row["result"]), b.loc(row)))
                isa.relaxes[r.name] = r
        for d, b, loc in self.each("short"):
            if self.once.add("instruction", d["name"], loc):
                s = Short(d["name"], loc)
                s.opnds = self.opnds(d["params"], b)
                s.of = self.target_call(b.expr(d["of"]), s.opnds)
                s.when = self.guard(d["when"], s.opnds, b)
                self.clauses(s, d, b)
                isa.shorts[s.name] = s
        for i in isa.insts.values():
            if i.of is not None:
                i.of = self.target_call(i.of, i.opnds)
        for d, b, loc in self.each("untie"):
            self.untie(d, b, loc)

    def untie(self, d, b, loc):
        twins = [(d["name"], loc), (d["to"]["name"], b.loc(d["to"]))]
        for name, at in twins:
            if name not in self.isa.insts:
                self.error(at, "no instruction is named '%s'" % name)
                return
        if any(x[0] == d["name"] for x in self.isa.unties):
            self.error(loc, "'%s' has a three-address twin already" % d["name"])
        tied, free = (self.isa.insts[n] for n, _ in twins)
        if not any(o.role == "inout" for o in tied.opnds):
            self.error(loc, "'%s' has no operand that is read and written" % tied.name, (tied.loc, "it is declared here"))
        elif len(free.opnds) != len(tied.opnds) + 1 or not free.opnds[0].role == "out":
            self.error(twins[1][1], "the operands of '%s' are not those of '%s' with the tied one apart"
                       % (free.name, tied.name), (free.loc, "it is declared here"))
        self.isa.unties.append((tied.name, free.name, loc))

    def target_call(self, e, opnds):
        """The instruction that a pseudo or short stands for: INST(arguments), names resolved."""
        if e.k != "call":
            self.error(e.loc, "an instruction with its operands belongs here")
            return e
        inst = self.isa.insts.get(e.name)
        if inst is None:
            self.error(e.loc, "no instruction is named '%s'" % e.name)
        elif len(e.args) != len(inst.opnds):
            self.error(e.loc, "'%s' has %d operands, %d given" % (e.name, len(inst.opnds), len(e.args)),
                       (inst.loc, "it is declared here"))
        scope = self.scope(opnds)
        e.ref = inst
        for a in e.args:
            for n in a.walk():
                if n.k == "name":
                    n.ref = scope.find(n.name)
                    if n.ref is None:
                        self.error(n.loc, "no operand or register is named '%s'" % n.name)
        self.check_sorts(e, inst.opnds if inst is not None else [])
        return e

    def check_sorts(self, e, opnds):
        """Arguments are of the sort of their operands or, of a form, of its parts; registers are in their classes."""
        for a, o in zip(e.args, opnds):
            given = self.sort_of(a)
            bare = given == SORTS["reg"] and o.type == "composite" and any(len(f.params) == 1 for f in o.comp.forms)
            if given is not None and o.type in SORTS and given != SORTS[o.type] and not bare:
                self.error(a.loc, "operand '%s' of '%s' is %s, this %s" % (o.name, e.name, SORTS[o.type], given))
            elif a.k == "name" and a.ref is not None and a.ref.kind == "reg" and o.type == "reg" and a.ref.obj not in o.cls.regs:
                self.error(a.loc, "operand '%s' of '%s' is of class '%s', '%s' is not in it" % (o.name, e.name, o.cls.name, a.name))
            elif a.k == "call" and o.type == "composite":
                form = next((f for f in o.comp.forms if f.name == a.name), None)
                self.check_sorts(a, form.params if form is not None else [])

    @staticmethod
    def sort_of(e):
        """What an argument is, None when it says nothing of itself."""
        if e.k == "num":
            return SORTS["imm"]
        if e.k != "name" or e.ref is None:
            return None
        return SORTS["reg"] if e.ref.kind == "reg" else SORTS.get(e.ref.obj.type) if e.ref.kind == "opnd" else None

    def clauses(self, i, d, b):
        seen = {}
        for c in d["clauses"]:
            k, loc = c["k"], b.loc(c)
            if k in seen and k not in ("asm", "trap"):
                self.error(loc, "'%s' is given twice" % k, (seen[k], "the first is here"))
            seen[k] = loc
            if k == "asm":
                i.asms.append(self.asm(c, i.opnds, b))
            elif k == "encode":
                i.encode = self.encode(c["call"], i.opnds, b)
            elif isinstance(i, Short) and k != "requires":
                self.error(loc, "a short form has no '%s': it is the same instruction" % k)
            elif k == "requires":
                i.requires = self.requires(c["names"], b)
            elif k == "sem":
                i.sem = b.stmts(c["stmts"])
                self.widths.stmts(i.sem, self.scope(i.opnds))
                effects(i)
            elif k == "select":
                i.select, i.select_loc = [w.get("name") for w in c["words"]], loc
            elif k == "cost":
                i.cost, i.cost_loc = c["name"]["name"], b.loc(c["name"])
            elif k == "dearer":
                i.dearer = loc
                if not c["reason"]["text"]:
                    self.error(b.loc(c["reason"]), "say why")
            elif k == "clobbers":
                for name, at in self.names(c["regs"], b):
                    if name in self.isa.reg_names:
                        i.clobbers.append(self.isa.reg_names[name][0])
                    else:
                        self.error(at, "no register is named '%s'" % name)
            elif k == "trap":
                when = b.expr(c["when"])
                self.widths.truth(when, self.scope(i.opnds))
                i.traps.append(Trap(c["code"], when, loc))
                if c["code"] not in [row[0] for row in self.ir.tables.get("trapcode", [])]:
                    self.error(loc, "no trap code is named '%s'" % c["code"])
            elif k == "decode":
                if c["name"] != "none":
                    self.error(loc, "'decode none' or nothing")
                i.decode = False
        self.check_asms(i.asms)

    def check_asms(self, asms):
        if asms and any(a.when is None for a in asms[:-1]):
            self.error(asms[-1].loc, "this asm is never used: one before it has no 'when'")
        if asms and asms[-1].when is not None:
            self.error(asms[-1].loc, "the last asm has no 'when': it is for what is left")

    # ---- the rest ----

    def settings(self):
        isa = self.isa
        for d, b, loc in self.each("roles"):
            for row, words in zip(self.rows(d["settings"], b), d["settings"]):
                if row[0] in isa.roles:
                    self.error(b.loc(words[0]), "role '%s' is given twice" % row[0])
                isa.roles[row[0]] = row[1:]
        for d, b, loc in self.each("moves"):
            if d["name"] not in isa.classes and d["name"] not in isa.files:
                self.error(loc, "no class or register file is named '%s'" % d["name"])
            if d["name"] in isa.moves:
                self.error(loc, "the moves of '%s' are given already" % d["name"],
                           (isa.moves[d["name"]].loc, "they are here"))
            moves = Moves(d["name"], loc)
            for row, words in zip(self.rows(d["settings"], b), d["settings"]):
                self.moves_row(moves, row, b.loc(words[0]))
            isa.moves[d["name"]] = moves
        for d, b, loc in self.each("reloc"):
            if self.once.add("reloc", d["name"], loc):
                self.reloc(d, b, loc)
        for d, b, loc in self.each("abi"):
            if self.once.add("abi", d["name"], loc):
                places = [b.loc(row[0]) for row in d["settings"]]
                isa.abis[d["name"]] = Abi(d["name"], self.rows(d["settings"], b), places, loc)
        for d, b, loc in self.each("cpu"):
            if self.once.add("cpu", d["name"], loc):
                isa.cpus[d["name"]] = self.cpu(d, b, loc)

    def reloc(self, d, b, loc):
        isa, scope, spots = self.isa, Scope(), []
        for name in "SAPGLH":
            scope.names[name] = Binding("free", name, isa.word)
        for j in d["spots"]:
            place, imm, bits, field = j["place"], None, None, None
            if place["k"] == "sized":
                bits = place["size"]["value"]
                if place["name"] != "word" or bits not in (8, 16, 32, 64):
                    self.error(b.loc(place), "a place is 'word 8', 'word 16', 'word 32' or 'word 64', an immediate or FORMAT.FIELD")
                    return
            elif place["name"] in isa.imms:
                imm = isa.imms[place["name"]]
            else:
                form, _, name = place["name"].partition(".")
                f = isa.formats.get(form) or form in isa.insts and isa.insts[form].encode and isa.insts[form].encode.format
                if not f or f.width is None or not any(x.name == name for x in f.fields):
                    self.error(b.loc(place), "no immediate or field of a format is named '%s'" % place["name"])
                    return
                field = (f, name)
            value = b.expr(j["value"])
            self.widths.infer(value, scope, isa.word)
            spots.append(Spot(imm, field, bits, j["at"] or 0, value, b.loc(j)))
        if d["number"] >= 1 << 32:
            self.error(loc, "the number of a relocation has 32 bits")
        reloc = Reloc(d["name"], d["number"], spots, loc)
        reloc.index = len(isa.relocs)
        isa.relocs[d["name"]] = reloc

    def cpu(self, d, b, loc):
        cpu = Cpu(d["name"], loc)
        for row, words in zip(self.rows(d["settings"], b), d["settings"]):
            at = b.loc(words[0])
            if len(row) != 4 or row[0] != "kind" or row[2] != "lat" or not row[3].isdigit():
                self.error(at, "a cpu is a list of 'kind COST lat CYCLES'")
            elif row[1] in cpu.kinds:
                self.error(at, "kind '%s' is given twice" % row[1])
            else:
                cpu.kinds[row[1]] = int(row[3])
        return cpu

    def rules(self):
        isa = self.isa
        for d, b, loc in self.each("rule"):
            if not self.once.add("rule", d["name"], loc):
                continue
            rule = Rule(d["k"], d)
            self.requires(d["requires"], b)
            rule.index = len(isa.rules)
            isa.rules.append(rule)
        for d, b, loc in self.each("unsupported"):
            self.once.add("unsupported", d["name"], loc)
            if not d["reason"]["text"]:
                self.error(b.loc(d["reason"]), "say why")
            isa.unsupported.append((d["name"], d["reason"]["text"], loc))


def effects(inst):
    """Fills in what follows from the sem: flags read and written, memory, branches, named effects."""
    written = set()

    def read(e):
        for n in e.walk():
            b = n.ref
            if n.k == "call" and n.body is not None and n.body.body is not None:
                read(n.body.body)
            if n.k == "call":
                if n.name in ("load", "atomic_mem"):
                    inst.loads = True
                elif n.name in ("store", "atomic_store"):
                    inst.stores = True
                elif n.width == 0 and n.k == "call":
                    inst.effects.add(n.name)
            if isinstance(b, Binding) and b.kind in ("flag", "flags") and n.k in ("name", "dot"):
                flags = b.obj[0] if b.kind == "flag" else b.obj
                inst.reads_flags.add(flags.name)
            if n.k == "call" and n.name == "holds" and n.args[0].ref is not None and n.args[0].ref.kind == "opnd":
                cond = n.args[0].ref.obj.cond
                for item in cond.items if cond is not None else []:
                    if item.when is not None:
                        read(item.when)

    def run(stmts):
        for s in stmts:
            if s.value is not None:
                read(s.value)
            if s.k == "assign":
                base = s.target
                while base.k in ("slice", "index", "dot"):
                    base = base.args[0]
                b = base.ref
                if isinstance(b, Binding) and b.kind == "pc":
                    inst.branches = True
                if isinstance(b, Binding) and b.kind in ("flag", "flags"):
                    written.add((b.obj[0] if b.kind == "flag" else b.obj).name)
            run(s.then)
            run(s.other)

    run(inst.sem)
    inst.writes_flags |= written


def build(name, decls, ir, diag):
    return IsaBuilder(name, decls, ir, diag).build()
