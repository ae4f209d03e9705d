"""Formats and encode lines of a machine: the part of build_isa.IsaBuilder that makes them."""
from isa import Encode, Field, Format, Group
from sem import Binding, Scope, folded
from tree import Expr


class FormatBuilder:
    def formats(self):
        for d, b, loc in self.each("format", "varformat"):
            if not self.once.add("format", d["name"], loc):
                continue
            f = Format(d["name"], loc)
            self.isa.formats[f.name] = f
            if d["k"] == "format":
                self.fixed_format(f, d, b)
                continue
            for p in d["params"]:
                if p["name"] in f.params:
                    self.error(b.loc(p), "'%s' is declared twice" % p["name"])
                f.params.append(p["name"])
            for g in d["groups"]:
                when = b.expr(g.get("when"))
                if g["k"] in ("byte", "word"):
                    pieces = [(b.expr(p["value"]), 8 if p["width"] is None else p["width"]) for p in g["pieces"]]
                    total = sum(w for _, w in pieces)
                    at = b.loc(g)
                    if g["k"] == "byte" and total != 8:
                        self.error(at, "this byte is %d bits" % total)
                    elif total % 8 or not 0 < total <= 64:
                        self.error(at, "this word is %d bits: it has up to 8 whole bytes" % total)
                    f.groups.append(Group(g["k"], at, pieces, when=when))
                else:
                    f.groups.append(Group(g["k"], b.loc(g), value=b.expr(g["value"]), name=g.get("name"), when=when))
                    if when is not None:
                        self.condition(when)
            self.format_names(f)

    def fixed_format(self, f, d, b):
        f.width = d["width"]
        for j in d["fields"]:
            at = b.loc(j)
            if not 0 < j.get("width", 1) <= 64 or j.get("hi", 0) >= 64:
                self.error(at, "a field has 1 to 64 bits")
                continue
            if j["k"] == "field":
                f.fields.append(Field("field", j["name"], j["width"], at))
            elif j["k"] == "bits":
                if j["value"] >> j["width"]:
                    self.error(at, "%d does not fit %d bits" % (j["value"], j["width"]))
                f.fields.append(Field("bits", None, j["width"], at, value=j["value"]))
            else:
                if j["hi"] < j["lo"]:
                    self.error(at, "the upper bit stands first: [hi:lo]")
                f.fields.append(Field("part", j["name"], j["hi"] - j["lo"] + 1, at, hi=j["hi"], lo=j["lo"]))
        total = sum(x.width for x in f.fields)
        if total != f.width:
            self.error(f.loc, "this format is %d bits, %d declared" % (total, f.width))
        if f.width % 8:
            self.error(f.loc, "a format is whole bytes")
        seen = {}
        for x in f.fields:
            if x.kind == "bits":
                continue
            for bit in range(x.lo, x.hi + 1) if x.kind == "part" else [None]:
                if (x.name, bit) in seen or (bit is not None and (x.name, None) in seen):
                    self.error(x.loc, "'%s' stands twice in this format" % x.name)
                    break
                seen[x.name, bit] = x
        for name in dict.fromkeys(x.name for x in f.fields if x.name):
            f.params.append(name)

    def format_names(self, f):
        known = set(f.params)
        for g in f.groups:
            exprs = [e for e, _ in g.pieces] + [e for e in (g.value, g.when) if e is not None]
            for e in exprs:
                for n in e.walk():
                    if n.k == "name" and n.name not in known:
                        self.error(n.loc, "format '%s' has no '%s'" % (f.name, n.name))
            if g.kind == "let":
                known.add(g.name)

    def resolve(self, e, opnds):
        """An expression of the encoder: operands and constants resolved, functions put in, constants folded."""
        scope = self.scope(opnds)
        if e.k == "call" and e.name == "seq":
            scope.names.setdefault("end", Binding("free", "end", self.isa.word))  # the place behind the sequence
        return folded(self.inline(e, scope))

    def inline(self, e, scope, depth=0):
        if e.k == "name":
            b = scope.find(e.name)
            if b is None and e.name not in self.isa.imms:
                self.error(e.loc, "nothing is named '%s'" % e.name)
            elif b is not None and b.kind == "expr":
                return b.obj
            e.ref = b
            return e
        if e.k == "dot" and e.args[0].k == "name":
            b = scope.find(e.args[0].name)
            if b is None:
                self.error(e.loc, "nothing is named '%s'" % e.args[0].name)
            elif b.kind == "expr" and b.obj.k != "name":
                self.error(e.loc, "only operands have parts")
            else:
                if b.kind == "expr":
                    e.args[0], b = b.obj, b.obj.ref
                e.args[0].ref = b
                e.ref = self.world.member(b, e.name) if b is not None else None
                if e.ref is None and b is not None:
                    self.error(e.loc, "'%s' has no '%s'" % (e.args[0].name, e.name))
            return e
        e.args = [self.inline(a, scope, depth) for a in e.args]
        e.kwargs = [(n, self.inline(v, scope, depth)) for n, v in e.kwargs]
        if e.k == "call" and e.name in self.isa.fns:
            fn = self.isa.fns[e.name]
            self.isa.inlined.add(fn.name)
            if len(fn.params) != len(e.args) or depth > 20:
                self.error(e.loc, "'%s' has %d arguments, %d given" % (fn.name, len(fn.params), len(e.args)))
                return e
            inner = Scope()
            for (name, _), a in zip(fn.params, e.args):
                inner.names[name] = Binding("expr", a)
            return self.inline(fn.value.copy(), inner, depth + 1)
        return e

    def encode(self, j, opnds, b):
        e = self.resolve(b.expr(j), opnds)
        if e.k != "call":
            self.error(e.loc, "encode names a format and gives its fields")
            return None
        if e.name == "seq":
            return Encode(None, {}, e.args, e.loc)
        f = self.isa.formats.get(e.name)
        if f is None:
            self.error(e.loc, "no format is named '%s'" % e.name)
            return None
        args = {}
        for a in e.args:
            self.error(a.loc, "fields are given by name")
        for name, value in e.kwargs:
            if name not in f.params:
                self.error(value.loc, "format '%s' has no '%s'" % (f.name, name), (f.loc, "the format is here"))
            elif name in args:
                self.error(value.loc, "'%s' is given twice" % name)
            args[name] = value
        for name in f.params:
            if name in args:
                continue
            if f.width is not None:
                self.error(e.loc, "nothing gives field '%s' of format '%s'" % (name, f.name))
            args[name] = Expr("num", e.loc, value=0)
        return Encode(f, args, [], e.loc)
