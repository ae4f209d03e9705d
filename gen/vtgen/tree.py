"""Expressions and statements of descriptions, made from mdc's JSON.

Expr.k      meaning                  fields used
  num       a number                 value
  str       "text"                   name
  name      a name                   name, ref (what it resolved to; see sem.py)
  dot       base.name                args[0], name, ref
  call      name[attrs](args)        name, args, kwargs [(name, Expr)], attrs [Expr], ref
  index     base[i]                  args[0], args[1]
  slice     base[hi:lo]              args[0], value = (hi, lo)
  bin       op                       op, args[0], args[1]
  un        op                       op, args[0]
  cond      c ? a : b                args
  typed     name: kind               name, op = kind        (an argument of a rule's pattern)
  nth       e#n                      args[0], value = n     (the n-th result)

bin ops: lor land or xor and eq ne ult slt ule sle cat shl lshr ashr add sub mul udiv sdiv urem srem
un ops:  neg not lnot
Every expression of a `sem` has .width after sem.py has been over it: bits, 1 for truth values, 0 for effects.
"""
from diag import Loc


class Expr:
    __slots__ = ("k", "loc", "op", "name", "value", "args", "kwargs", "attrs", "width", "ref", "body")

    def __init__(self, k, loc, op=None, name=None, value=None, args=(), kwargs=(), attrs=()):
        self.k, self.loc, self.op, self.name, self.value = k, loc, op, name, value
        self.args, self.kwargs, self.attrs = list(args), list(kwargs), list(attrs)
        self.width = None
        self.ref = None
        self.body = None  # call of a `fn`: the FnInstance

    def copy(self):
        """A deep copy without widths."""
        e = Expr(self.k, self.loc, self.op, self.name, self.value, [a.copy() for a in self.args],
                 [(n, v.copy()) for n, v in self.kwargs], [a.copy() for a in self.attrs])
        e.ref = self.ref
        return e

    def walk(self):
        """This node and all below, parents first."""
        yield self
        for a in self.args:
            yield from a.walk()
        for _, a in self.kwargs:
            yield from a.walk()
        for a in self.attrs:
            yield from a.walk()

    def __str__(self):
        return show(self)

    __repr__ = __str__


class Stmt:
    """k: assign (target, value), let (name, value), do (value), if (value, then, other)."""
    __slots__ = ("k", "loc", "target", "name", "value", "then", "other")

    def __init__(self, k, loc, target=None, name=None, value=None, then=(), other=()):
        self.k, self.loc, self.target, self.name, self.value = k, loc, target, name, value
        self.then, self.other = list(then), list(other)

    def exprs(self):
        if self.target is not None:
            yield self.target
        if self.value is not None:
            yield self.value
        for s in self.then + self.other:
            yield from s.exprs()

    def __str__(self):
        return show_stmt(self)

    __repr__ = __str__


class Seq:
    """The result of a rule: statements (let, do), then `value` (Expr or None)."""
    __slots__ = ("loc", "stmts", "value")

    def __init__(self, loc, stmts, value):
        self.loc, self.stmts, self.value = loc, stmts, value

    def __str__(self):
        return "{ %s }" % " ".join([str(s) + ";" for s in self.stmts] + ([str(self.value)] if self.value else []))


SIGNS = {"lor": "||", "land": "&&", "or": "|", "xor": "^", "and": "&", "eq": "==", "ne": "!=", "ult": "<u",
         "slt": "<s", "ule": "<=u", "sle": "<=s", "cat": "++", "shl": "<<", "lshr": ">>u", "ashr": ">>s", "add": "+",
         "sub": "-", "mul": "*", "udiv": "/u", "sdiv": "/s", "urem": "%u", "srem": "%s",
         "neg": "-", "not": "~", "lnot": "!"}


def show(e):
    """The expression as text of the language, fully bracketed."""
    if e is None:
        return ""
    if e.k == "num":
        return str(e.value)
    if e.k == "str":
        return '"%s"' % e.name
    if e.k == "name":
        return e.name
    if e.k == "dot":
        return "%s.%s" % (show(e.args[0]), e.name)
    if e.k == "call":
        attrs = "[%s]" % ", ".join(map(show, e.attrs)) if e.attrs else ""
        args = [show(a) for a in e.args] + ["%s=%s" % (n, show(v)) for n, v in e.kwargs]
        return "%s%s(%s)" % (e.name, attrs, ", ".join(args))
    if e.k == "index":
        return "%s[%s]" % (show(e.args[0]), show(e.args[1]))
    if e.k == "slice":
        return "%s[%d:%d]" % (show(e.args[0]), *e.value)
    if e.k == "bin":
        return "(%s %s %s)" % (show(e.args[0]), SIGNS[e.op], show(e.args[1]))
    if e.k == "un":
        return "%s%s" % (SIGNS[e.op], show(e.args[0]))
    if e.k == "cond":
        return "(%s ? %s : %s)" % tuple(map(show, e.args))
    if e.k == "typed":
        return "%s: %s" % (e.name, e.op)
    if e.k == "nth":
        return "%s#%d" % (show(e.args[0]), e.value)
    raise AssertionError(e.k)


def show_stmt(s):
    if s.k == "assign":
        return "%s = %s" % (show(s.target), show(s.value))
    if s.k == "let":
        return "%s = %s" % (s.name, show(s.value))
    if s.k == "do":
        return show(s.value)
    return "if (%s) { %s } else { %s }" % (show(s.value), "; ".join(map(show_stmt, s.then)),
                                           "; ".join(map(show_stmt, s.other)))


class Builder:
    """JSON -> Expr, Stmt, with the file and the stamp rows of the declaration they stand in."""

    def __init__(self, decl):
        self.file = decl["file"]
        self.stamps = decl.get("stamps", ())

    def loc(self, j):
        return Loc(self.file, j["line"], j["col"], self.stamps)

    def name(self, text, loc):
        """A name that a template may have made out of several: `g.r32` is a dot."""
        parts = text.split(".")
        e = Expr("name", loc, name=parts[0])
        for part in parts[1:]:
            e = Expr("dot", loc, name=part, args=[e])
        return e

    def expr(self, j):
        if j is None:
            return None
        k, loc = j["k"], self.loc(j)
        if k == "num":
            return Expr("num", loc, value=j["value"])
        if k == "str":
            return Expr("str", loc, name=j["text"])
        if k == "name":
            return self.name(j["name"], loc)
        if k == "dot":
            return Expr("dot", loc, name=j["name"], args=[self.expr(j["base"])])
        if k == "call":
            args = [a for a in j["args"] if a["k"] != "kwarg"]
            kwargs = [(a["name"], self.expr(a["value"])) for a in j["args"] if a["k"] == "kwarg"]
            return Expr("call", loc, name=j["name"], args=map(self.expr, args), kwargs=kwargs,
                        attrs=map(self.expr, j["attrs"]))
        if k == "index":
            if len(j["args"]) == 1 and j["args"][0]["k"] == "typed":  # base[hi:lo]
                bounds = [b["value"] if b["k"] == "num" else -1 for b in (j["args"][0]["of"], j["args"][0]["kind"])]
                return Expr("slice", loc, value=tuple(bounds), args=[self.expr(j["base"])])
            return Expr("index", loc, args=[self.expr(j["base"])] + [self.expr(a) for a in j["args"]])
        if k == "bin":
            return Expr("bin", loc, op=j["op"], args=[self.expr(j["a"]), self.expr(j["b"])])
        if k == "un":
            a = self.expr(j["a"])
            if j["op"] == "neg" and a.k == "num":
                return Expr("num", loc, value=-a.value)
            return Expr("un", loc, op=j["op"], args=[a])
        if k == "cond":
            return Expr("cond", loc, args=[self.expr(j["c"]), self.expr(j["a"]), self.expr(j["b"])])
        if k == "typed":
            of, kind = (str(p.get("name", p.get("value"))) for p in (j["of"], j["kind"]))
            return Expr("typed", loc, name=of, op=kind)
        if k == "nth":
            return Expr("nth", loc, value=j["n"], args=[self.expr(j["base"])])
        if k == "kwarg":
            return Expr("typed", loc, name=j["name"], op="=")
        raise AssertionError(k)

    def stmt(self, j):
        k, loc = j["k"], self.loc(j)
        if k == "assign":
            return Stmt("assign", loc, target=self.expr(j["to"]), value=self.expr(j["value"]))
        if k == "let":
            return Stmt("let", loc, name=j["name"], value=self.expr(j["value"]))
        if k == "do":
            value = self.expr(j["value"])
            return Stmt("do", value.loc, value=value)
        return Stmt("if", loc, value=self.expr(j["cond"]), then=map(self.stmt, j["then"]),
                    other=map(self.stmt, j["else"]))

    def stmts(self, js):
        return [self.stmt(j) for j in js]

    def result(self, j):
        """What stands after => : always a Seq."""
        if j["k"] == "seq":
            return Seq(self.loc(j), self.stmts(j["stmts"]), self.expr(j.get("value")))
        e = self.expr(j)
        return Seq(e.loc, [], e)
