"""Registers, views, flags, classes, holds and moves of a machine: the part of build_isa.IsaBuilder that makes them."""
import re

from isa import Flags, Hold, Reg, RegClass, RegFile, View
from sem import MOST_BITS


def expand_range(lo, hi):
    """r8d..r15d -> [r8d, ..., r15d], or None."""
    a, b = re.match(r"(.*?)(\d+)(\D*)\Z", lo), re.match(r"(.*?)(\d+)(\D*)\Z", hi)
    if not a or not b or a.group(1) != b.group(1) or a.group(3) != b.group(3) \
            or not 0 <= int(b.group(2)) - int(a.group(2)) < 1000:
        return None
    return ["%s%d%s" % (a.group(1), i, a.group(3)) for i in range(int(a.group(2)), int(b.group(2)) + 1)]


class RegisterBuilder:
    def registers(self):
        isa = self.isa
        for d, b, loc in self.each("file", "reg"):
            if isa.is_stack:
                self.error(loc, "a stack machine has no registers")
                continue
            if d["k"] == "file" and not self.once.add("register", d["name"], loc):
                continue
            if not 0 < d.get("count", 1) <= 256 or not 0 < d["width"] <= MOST_BITS:
                self.error(loc, "a register file has up to 256 registers of up to %d bits" % MOST_BITS)
                continue
            f = RegFile(d["name"], d["width"], loc)
            f.index = len(isa.files)
            isa.files[f.name] = f
            names = [(d["name"], loc)] if d["k"] == "reg" else []
            settings = []
            for c in d["clauses"]:
                if c["k"] == "names":
                    names = self.names(c["regs"], b)
                elif c["k"] == "view":
                    self.view(f, c, b)
                else:
                    settings.append(c)
            if d["k"] == "file" and len(names) != d["count"]:
                self.error(loc, "file '%s' has %d registers and %d names" % (f.name, d["count"], len(names)))
            for name, at in names:
                reg = Reg(name, f, len(f.regs), len(isa.regs), at)
                f.regs.append(reg)
                isa.regs.append(reg)
                self.reg_name(name, reg, None, at)
            for v in f.views.values():
                if v.names and len(v.names) != len(f.regs):
                    self.error(v.loc, "view '%s' names %d of %d registers" % (v.name, len(v.names), len(f.regs)))
                for reg, (name, at) in zip(f.regs, v.names):
                    if name != reg.name:
                        self.reg_name(name, reg, v, at)
                v.names = [n for n, _ in v.names] or [r.name for r in f.regs]
            for c in settings:
                self.reg_setting(f, c, b, loc)
        self.values()
        for d, b, loc in self.each("flags"):
            bits = [n["name"] for n in d["bits"]]
            for i, n in enumerate(d["bits"]):
                if n["name"] in bits[:i]:
                    self.error(b.loc(n), "flag '%s' is declared twice" % n["name"])
            f = RegFile(d["name"], len(bits), loc)
            f.index = len(isa.files)
            isa.files[f.name] = f
            reg = Reg(d["name"], f, 0, len(isa.regs), loc)
            f.regs.append(reg)
            isa.regs.append(reg)
            if self.once.add("register", d["name"], loc):
                isa.flags[d["name"]] = Flags(d["name"], bits, reg, loc)
        self.class_list()
        for d, b, loc in self.each("hold"):
            cls = self.class_of(d["class"], b)
            types = []
            for t in d["types"]:
                if t["name"] not in self.ir.types:
                    self.error(b.loc(t), "no type is named '%s'" % t["name"])
                    continue
                if any(t["name"] in h.types for h in isa.holds):
                    self.error(b.loc(t), "a class for '%s' is named already" % t["name"])
                types.append(t["name"])
            upper = d["upper"]["name"]
            if d["what"] != "upper" or upper not in ("any", "zero", "sign", "ones", "none"):
                self.error(b.loc(d["upper"]), "'upper any', 'upper zero', 'upper sign', 'upper ones' or 'upper none'")
            if cls is not None:
                self.hold_widths(types, cls, upper, b.loc(d["class"]), loc)
                isa.holds.append(Hold(types, cls, upper, loc))

    def values(self):
        """Value types of a stack machine: classes without registers."""
        isa = self.isa
        for d, _, loc in self.each("value"):
            if not isa.is_stack:
                self.error(loc, "only a stack machine has value types: 'machine stack'")
                continue
            if not 0 < d["width"] <= MOST_BITS:
                self.error(loc, "a value has up to %d bits" % MOST_BITS)
                continue
            if not 0 <= d["number"] < 256:
                self.error(loc, "the number of a value type is one byte")
            if not self.once.add("class", d["name"], loc):
                continue
            f = RegFile(d["name"], d["width"], loc)
            f.index, f.values = len(isa.files), d["number"]
            if any(x.values == f.values for x in isa.files.values()):
                self.error(loc, "two value types have the number %d" % f.values)
            isa.files[f.name] = f
            isa.classes[f.name] = RegClass(f.name, loc, f)
            isa.classes[f.name].index = len(isa.classes) - 1

    def hold_widths(self, types, cls, upper, at, loc):
        for t in types:
            width = self.ir.types[t].width
            if width > cls.width:
                self.error(at, "'%s' does not fit the %d bits of class '%s'" % (t, cls.width, cls.name))
            elif upper == "none" and width != cls.width:
                self.error(loc, "'upper none' of '%s': class '%s' has %d bits above it" % (t, cls.name, cls.width - width))

    def view(self, f, c, b):
        loc = b.loc(c)
        if c["hi"] < c["lo"] or c["hi"] >= f.width:
            self.error(loc, "view [%d:%d] lies outside the %d bits of '%s'" % (c["hi"], c["lo"], f.width, f.name))
        if c["write"] not in ("zero", "keep"):
            self.error(loc, "a write to a view does 'zero' or 'keep' the rest, not '%s'" % c["write"])
        if c["name"] in f.views:
            self.error(loc, "view '%s' is declared twice" % c["name"], (f.views[c["name"]].loc, "the first is here"))
        f.views[c["name"]] = View(c["name"], c["hi"], c["lo"], c["write"], self.names(c["regs"], b), loc)

    def reg_name(self, name, reg, view, loc):
        if self.once.add("register", name, loc):
            self.isa.reg_names[name] = (reg, view)

    def reg_setting(self, f, c, b, loc):
        if c["k"] == "const":
            found = next((r for r in f.regs if r.name == c["name"]), None)
            if found is None:
                self.error(b.loc(c), "'%s' has no register '%s'" % (f.name, c["name"]))
            else:
                found.constant = c["value"]
            return
        row = self.rows([c["words"]], b)[0]
        at = b.loc(c["words"][0])
        if row[0] == "dwarf":
            if len(row) - 1 != len(f.regs) or not all(n.isdigit() for n in row[1:]):
                self.error(at, "%d DWARF numbers for %d registers" % (sum(n.isdigit() for n in row[1:]), len(f.regs)))
                return
            for reg, n in zip(f.regs, row[1:]):
                reg.dwarf = int(n)
        else:
            self.error(at, "a register file has no '%s'" % row[0])

    def class_list(self):
        isa = self.isa
        for d, b, loc in self.each("class"):
            if not self.once.add("class", d["name"], loc):
                continue
            cls = RegClass(d["name"], loc)
            for i in d["items"]:
                self.class_item(cls, i, b)
            gone = set()
            for name, at in self.names(d["except"], b):
                found = isa.reg_names.get(name)
                if found is None:
                    self.error(at, "no register is named '%s'" % name)
                elif found[0] not in cls.regs:
                    self.error(at, "'%s' is not in the class to begin with" % name)
                else:
                    gone.add(found[0].index)
            kept = [(r, c) for r, c in zip(cls.regs, cls.codes) if r.index not in gone]
            cls.regs, cls.codes = [r for r, _ in kept], [c for _, c in kept]
            if not cls.regs:
                self.error(loc, "class '%s' is empty" % cls.name)
                continue
            for code in set(cls.codes):
                twice = [r.name for r, c in kept if c == code]
                if len(twice) > 1:
                    self.error(loc, "in class '%s' both '%s' and '%s' are number %d"
                               % (cls.name, twice[0], twice[1], code))
            cls.index = len(isa.classes)
            isa.classes[cls.name] = cls

    def class_item(self, cls, i, b):
        isa, loc = self.isa, b.loc(i)
        if i["k"] == "at":
            if i["name"] not in isa.reg_names:
                self.error(loc, "no register is named '%s'" % i["name"])
                return
            cls.regs.append(isa.reg_names[i["name"]][0])
            cls.codes.append(i["hw"])
            return
        if i["k"] == "name":
            if i["name"] in isa.files:
                cls.regs += isa.files[i["name"]].regs
                cls.codes += [r.hw for r in isa.files[i["name"]].regs]
                return
            if i["name"] in isa.classes:
                cls.regs += isa.classes[i["name"]].regs
                cls.codes += isa.classes[i["name"]].codes
                return
        for name, at in self.names([i], b):
            if name not in isa.reg_names:
                self.error(at, "no register is named '%s'" % name)
                continue
            reg, view = isa.reg_names[name]
            cls.view = view
            cls.codes.append(len(cls.regs))  # named by places: the place is the code
            cls.regs.append(reg)

    def moves_row(self, moves, row, at):
        """copy INST; load BYTES INST ...; store BYTES INST ...; save INST restore INST BYTES."""
        insts = [n for n in row[1:] if not n.isdigit() and n != "restore"]
        for name in insts:
            if name not in self.isa.insts:
                self.error(at, "no instruction is named '%s'" % name)
                return
        found = [self.isa.insts[n] for n in insts]
        if row[0] in moves.at:
            self.error(at, "'%s' is given twice" % row[0])
        moves.at[row[0]] = at
        if row[0] == "copy" and len(row) == 2:
            moves.copy = found[0]
        elif row[0] in ("load", "store") and len(row) % 2 and all(n.isdigit() for n in row[1::2]):
            if len(set(row[1::2])) < len(found):
                self.error(at, "two moves of the same number of bytes")
            getattr(moves, row[0]).update(zip(map(int, row[1::2]), found))
        elif row[0] == "constant" and len(row) == 2 and self.isa.is_stack:
            moves.constant = found[0]
        elif row[0] == "save" and row[2:3] == ["restore"] and len(row) == 5 and row[4].isdigit():
            moves.save, moves.restore, moves.save_bytes = found[0], found[1], int(row[4])
        else:
            self.error(at, "moves of a value type are 'constant INST', 'load BYTES INST ...', 'store ...'" if self.isa.is_stack else
                       "moves are 'copy INST', 'load BYTES INST ...', 'store ...', 'save INST restore INST BYTES'")

    def class_of(self, j, b):
        name = j["name"]
        if name not in self.isa.classes:
            self.error(b.loc(j), "no class is named '%s'" % name)
            return None
        return self.isa.classes[name]
