"""md/ir.md, md/rewrite.md, md/expand.md -> Ir and rules."""
from diag import Loc
from sem import Binding, Scope, Widths
from tree import Builder


class Type:
    """name, width, sets (names of the sets it belongs to: int, float, ptr)."""

    def __init__(self, name, width, loc):
        self.name, self.width, self.loc, self.sets = name, width, loc, []


class EnumItem:
    """One name of an enumeration or condition: names[0] is the name, the others are synonyms; value; when (Expr or
    None: its meaning)."""

    def __init__(self, names, value, when, loc):
        self.names, self.value, self.when, self.loc = names, value, when, loc

    @property
    def name(self):
        return self.names[0]


class Cond:
    """`cond NAME : width { ... }`."""

    def __init__(self, name, width, items, loc):
        self.name, self.width, self.items, self.loc = name, width, items, loc

    def find(self, name):
        return next((i for i in self.items if name in i.names), None)


class IrParam:
    """An operand (`x: T`), attribute (`cc: intcc`) or result of an opcode. kind: text as written (T, i8, values,
    half<T>, trapcode, ...); name: None for a result."""

    def __init__(self, name, kind, loc):
        self.name, self.kind, self.loc = name, kind, loc


class Trap:
    """`trap CODE when COND`. code is a trap code's name or the name of a trapcode attribute."""

    def __init__(self, code, when, loc):
        self.code, self.when, self.loc = code, when, loc


class OpInst:
    """An opcode at one choice of types. types: {"T": Type, ...}; sems: one Expr per result, with widths (a result of
    1 bit stands for an i8 that is 0 or 1); an opcode without results has its effect as only entry or []; traps."""

    def __init__(self, op, types):
        self.op, self.types, self.sems, self.traps = op, types, [], []

    @property
    def control(self):
        """The controlling type (what the suffix names), or None."""
        return self.types[self.op.vars[0][0]] if self.op.vars else None

    def type_of(self, kind):
        """The Type of an operand kind here, None for values and attributes."""
        if kind in self.types:
            return self.types[kind]
        types = self.op.ir.types
        if kind in types:
            return types[kind]
        for prefix, num, den in (("half<", 1, 2), ("double<", 2, 1)):
            if kind.startswith(prefix):
                base = self.types.get(kind[len(prefix):-1])
                width = base.width * num // den
                return next((t for t in types.values() if t.width == width and "int" in t.sets), None)
        return None


class IrOp:
    """An opcode. attrs, params, results: [IrParam]; vars: [(name, [Type])], the first is the controlling one;
    props: names as written (`reads memory` gives "reads"); sems, traps, whens: as parsed, without widths."""

    def __init__(self, ir, name, loc):
        self.ir, self.name, self.loc = ir, name, loc
        self.attrs, self.params, self.results, self.vars = [], [], [], []
        self.props, self.sems, self.traps, self.whens = [], [], [], []
        self.index = 0
        self._instances = None

    def instances(self):
        """[OpInst], one for each choice of types that the `when` clauses allow."""
        return self._instances


class Ir:
    """types: name -> Type; sets: name -> [Type]; ops: name -> IrOp; conds: name -> Cond; tables: name -> rows of cell
    texts; unsupported: [(name, reason)]; word: widest pointer; fns as in Isa."""

    def __init__(self):
        self.types, self.sets, self.ops, self.conds = {}, {}, {}, {}
        self.tables, self.unsupported = {}, []
        self.fns = {}
        self.word = 64


class IrWorld:
    """What sem.Widths asks of the IR."""

    def __init__(self, ir):
        self.types = {t.name: t.width for t in ir.types.values()}
        self.fns, self.flags = ir.fns, {}
        self.scope = Scope()
        self.word = None
        self.addresses = [t.width for t in ir.sets.get("ptr", [])] or [64]

    def member(self, binding, name):
        return None


class Fn:
    """fn NAME(params) -> type = value. params: [(name, kind)]; kind and type: int, a type, flags or a width's name."""

    def __init__(self, name, params, kind, value, loc):
        self.name, self.params, self.type, self.value, self.loc = name, params, kind, value, loc


def kind_text(j):
    if j is None:
        return None
    if j["k"] == "sized":
        return "%s<%s>" % (j["name"], j["size"].get("name", j["size"].get("value")))
    return str(j["name"] if j["k"] == "name" else j["value"])


def fn_kind(j):
    """bits<N> -> "N", bits<7> -> 7, i64 -> "i64"."""
    if j is None:
        return None
    if j["k"] == "sized":
        return j["size"].get("name", j["size"].get("value"))
    return j["name"] if j["k"] == "name" else j["value"]


def check_fn(d, kinds, diag):
    """The kinds of a fn's parameters and result: bits<N>, bits<7>, or one of `kinds`, names of types and flags."""
    b, known = Builder(d), set()
    for j, what in [(p.get("kind"), "parameter '%s'" % p["name"]) for p in d["params"]] + [(d["type"], None)]:
        size = j["size"].get("name") if j is not None and j["k"] == "sized" and j["name"] == "bits" else None
        record = what is None and d["value"]["k"] == "call" and d["value"]["name"]  # of an encode line
        if j is None or j["k"] == "num" or j["k"] == "sized" and j["name"] != "bits" \
                or j["k"] == "name" and j["name"] not in kinds and j["name"] != record:
            diag.error(b.loc(j or d), "%s is of a type, or bits<N>" % (what or "a result"))
        elif what is None and size is not None and size not in known:
            diag.error(b.loc(j), "no parameter says how wide '%s' is" % size)
        known.add(size)


def build_fn(d):
    b = Builder(d)
    return Fn(d["name"], [(p["name"], fn_kind(p.get("kind"))) for p in d["params"]], fn_kind(d["type"]),
              b.expr(d["value"]), b.loc(d))


def build_cond(d):
    b = Builder(d)
    items = [EnumItem([n["name"] for n in i["names"]], i["value"], b.expr(i["when"]), b.loc(i)) for i in d["items"]]
    return Cond(d["name"], d["width"], items, b.loc(d))


def check_values(cond, diag):
    """Names and values of a condition: each once, and none wider than said."""
    values, names = {}, {}
    if not 0 < cond.width <= 8:
        diag.error(cond.loc, "a condition has 1 to 8 bits")
        return
    for item in cond.items:
        if item.value in values or item.value >= 1 << cond.width:
            diag.error(item.loc, "condition %d is given twice" % item.value if item.value in values
                       else "%d does not fit %d bits" % (item.value, cond.width))
        values[item.value] = item
        for n in item.names:
            if n in names:
                diag.error(item.loc, "condition '%s' is declared twice" % n, (names[n].loc, "the first is here"))
            names[n] = item


def check_table(d, diag):
    """Rows open with different names, and with different numbers where they are a byte in records: those of traps."""
    b, names, numbers = Builder(d), set(), set()
    for row in d["rows"]:
        name, number = row[0].get("name"), row[1].get("value") if len(row) > 1 else None
        if name in names:
            diag.error(b.loc(row[0]), "'%s' stands twice in this table" % name)
        if d["name"] == "trapcode" and (number is None or number > 255 or number in numbers):
            diag.error(b.loc(row[0]), "a trap code has a number of its own, of one byte")
        names.add(name)
        numbers.add(number)


def type_width(name, diag, loc):
    digits = name.lstrip("abcdefghijklmnopqrstuvwxyz")
    if not digits.isdigit():
        diag.error(loc, "a type's name ends in its width: '%s'" % name)
        return 64
    return int(digits)


class Once:
    """Duplicate names of one kind."""

    def __init__(self, diag):
        self.diag, self.seen = diag, {}

    def add(self, space, name, loc):
        if (space, name) in self.seen:
            self.diag.error(loc, "'%s' is declared twice" % name, (self.seen[space, name], "the first is here"))
            return False
        self.seen[space, name] = loc
        return True


def build(decls, diag):
    ir, once = Ir(), Once(diag)
    for d in decls:
        loc = Builder(d).loc(d)
        k = d["k"]
        if k == "type":
            for n in d["names"]:
                if n["name"] not in ir.types:
                    ir.types[n["name"]] = Type(n["name"], type_width(n["name"], diag, loc), loc)
                ir.types[n["name"]].sets.append(d["of"])
                ir.sets.setdefault(d["of"], []).append(ir.types[n["name"]])
        elif k == "cond":
            once.add("cond", d["name"], loc)
            ir.conds[d["name"]] = build_cond(d)
            check_values(ir.conds[d["name"]], diag)
        elif k == "table":
            check_table(d, diag)
            ir.tables[d["name"]] = [[str(c.get("value", c.get("name", c.get("text")))) for c in row] for row in d["rows"]]
        elif k == "unsupported":
            once.add("op", d["name"], loc)
            if not d["reason"]["text"]:
                diag.error(Builder(d).loc(d["reason"]), "say why")
            ir.unsupported.append((d["name"], d["reason"]["text"]))
        elif k == "fn":
            once.add("fn", d["name"], loc)
            ir.fns[d["name"]] = build_fn(d)
        elif k == "op":
            if once.add("op", d["name"], loc):
                ir.ops[d["name"]] = None  # built below, when all types are known
        else:
            diag.error(loc, "'%s' does not belong into the IR's description" % k)
    for d in decls:
        if d["k"] == "op":
            ir.ops[d["name"]] = build_op(ir, d, diag)
    for i, op in enumerate(ir.ops.values()):
        op.index = i
    if not diag:
        widths = Widths(diag, IrWorld(ir))
        check_conds(ir, widths)
        for op in ir.ops.values():
            op._instances = instantiate(ir, op, widths, diag)
    return ir


PROPS = {"pure", "commutes", "idempotent", "reads", "writes", "memory", "effect", "terminator", "branch", "call", "return"}


def build_op(ir, d, diag):
    b = Builder(d)
    op = IrOp(ir, d["name"], b.loc(d))
    names = {}

    def param(p):
        if "kind" not in p:
            diag.error(b.loc(p), "operand '%s' has no type" % p["name"])
        if p["name"] in names:
            diag.error(b.loc(p), "'%s' is declared twice" % p["name"], (names[p["name"]], "the first is here"))
        names[p["name"]] = b.loc(p)
        return IrParam(p["name"], kind_text(p.get("kind")), b.loc(p))

    op.attrs = [param(p) for p in d["attrs"]]
    op.params = [param(p) for p in d["params"]]
    op.results = [IrParam(None, kind_text(p), b.loc(p)) for p in d["results"]]
    for item in d["for"]:
        types = []
        for w in item["in"]:
            name = w.get("name")
            if name in ir.sets:
                types += ir.sets[name]
            elif name in ir.types:
                types.append(ir.types[name])
            else:
                diag.error(b.loc(w), "no type or set of types is named '%s'" % name)
        op.vars.append((item["name"], types))
        if item["when"] is not None:
            op.whens.append(b.expr(item["when"]))
    for c in d["clauses"]:
        if c["k"] == "props":
            for w in c["words"]:
                if w.get("name") not in PROPS:
                    diag.error(b.loc(w), "no property of an opcode is named '%s'" % w.get("name"))
                elif w["name"] in op.props:
                    diag.error(b.loc(w), "'%s' is given twice" % w["name"])
                elif w["name"] != "memory":
                    op.props.append(w["name"])
        elif c["k"] == "when":
            op.whens.append(b.expr(c["value"]))
        elif c["k"] == "trap":
            op.traps.append(Trap(c["code"], b.expr(c["when"]), b.loc(c)))
            check_trap(ir, op, op.traps[-1], diag)
        else:
            op.sems.append(b.expr(c["value"]))
    used = set(dict(op.vars))
    known = set(ir.types) | used | set(ir.conds) | set(ir.tables) | {"values"}
    attr_kinds = known | {"imm64", "ieee32", "ieee64", "memflags", "offset", "block", "blocks", "func", "sig", "slot",
                          "global"}
    for p in op.params + op.results:
        base = p.kind[p.kind.index("<") + 1:-1] if p.kind and "<" in p.kind else p.kind
        if base is not None and base not in known:
            diag.error(p.loc, "no type is named '%s'" % base)
    for p in op.attrs:
        if p.kind not in attr_kinds:
            diag.error(p.loc, "no kind of attribute is named '%s'" % p.kind)
    if op.sems and op.results and len(op.sems) != len(op.results):
        diag.error(op.loc, "'%s' has %d results and %d sems" % (op.name, len(op.results), len(op.sems)))
    if "pure" in op.props and not op.sems:
        diag.error(op.loc, "'%s' is pure and nothing says what it computes" % op.name)
    return op


def check_trap(ir, op, trap, diag):
    codes = {row[0] for row in ir.tables.get("trapcode", [])}
    if trap.code not in codes and trap.code not in [a.name for a in op.attrs if a.kind == "trapcode"]:
        diag.error(trap.loc, "no trap code or attribute is named '%s'" % trap.code)


def check_conds(ir, widths):
    for cond in ir.conds.values():
        for item in cond.items:
            if item.when is None:
                continue
            scope = Scope()
            for name in ("x", "y"):
                scope.names[name] = Binding("free", name, 64)
            widths.truth(item.when, scope)


def combos(pairs):
    out = [{}]
    for name, types in pairs:
        out = [dict(c, **{name: t}) for c in out for t in types]
    return out


def instantiate(ir, op, widths, diag):
    out, errors = [], len(diag.found)
    for types in combos(op.vars):
        if len(diag.found) > errors:
            return out  # one choice of types is enough to show what is wrong
        base = Scope()
        for name, t in types.items():
            base.names[name] = Binding("type", t.width)
        allowed = True
        for when in op.whens:
            test = when.copy()
            widths.truth(test, base)
            from sem import fold
            value = fold(test)
            if value is None:
                diag.error(when.loc, "this restriction of types is not a constant")
                return out
            allowed = allowed and bool(value)
        if not allowed:
            continue
        inst = OpInst(op, types)
        scope = Scope(base)
        for p in op.attrs:
            scope.names[p.name] = Binding("opnd", p, None if p.kind not in ("memflags",) else 0)
        for p in op.params:
            t = inst.type_of(p.kind)
            scope.names[p.name] = Binding("opnd", p, t.width if t else None)
        for trap in op.traps:
            when = trap.when.copy()
            widths.truth(when, scope)
            inst.traps.append(Trap(trap.code, when, trap.loc))
        for i, sem in enumerate(op.sems):
            e = sem.copy()
            want = None
            if op.results:
                t = inst.type_of(op.results[i].kind)
                want = t.width if t else None
            w = widths.infer(e, scope, want)
            if want is not None and w != want and not (w == 1 and want == 8):
                diag.error(e.loc, "the result is %d bits, this is %s" % (want, w))
            inst.sems.append(e)
        out.append(inst)
    if not out:
        diag.error(op.loc, "no choice of types satisfies the restrictions of '%s'" % op.name)
    return out


class Rule:
    """rule, rewrite, expand. kind: which; pattern: Expr; guard: Expr or None; requires: [feature names];
    result: tree.Seq; before: [(name, Loc)]; dearer: Loc of the mark or None."""

    def __init__(self, kind, d):
        b = Builder(d)
        self.kind, self.name, self.loc = kind, d["name"], b.loc(d)
        self.pattern, self.guard = b.expr(d["pattern"]), b.expr(d["if"])
        self.requires = [r["name"] for r in d.get("requires", [])]
        self.result = b.result(d["result"])
        self.before = [(n["name"], b.loc(n)) for n in d["before"]]
        self.dearer = b.loc(d["dearer"]) if d.get("dearer") else None
        self.index = 0


def build_rules(decls, diag):
    rewrites, expands, once = [], [], Once(diag)
    for d in decls:
        loc = Loc(d["file"], d["line"], d["col"], d.get("stamps", ()))
        if d["k"] not in ("rewrite", "expand"):
            if d["k"] != "table":
                diag.error(loc, "'%s' does not belong into a file of rules" % d["k"])
            continue
        once.add(d["k"], d["name"], loc)
        (rewrites if d["k"] == "rewrite" else expands).append(Rule(d["k"], d))
    return rewrites, expands
