"""`vtgen --expand FILE`: what the templates of a description make, as a list of its declarations.

Every stamped declaration is printed with the row it comes from; what a hole was filled with can be read off it.
"""
import sys

import model
import stamp
from diag import Diagnostics
from tree import Builder


def value(j, b):
    """A JSON value of the syntax tree as short text."""
    if isinstance(j, list):
        return " ".join(value(i, b) for i in j)
    if not isinstance(j, dict):
        return str(j)
    k = j["k"]
    if k in ("num", "str", "name", "dot", "call", "index", "bin", "un", "cond", "typed", "nth"):
        return str(b.expr(j))
    if k in ("assign", "let", "do", "if"):
        return "%s;" % b.stmt(j)
    if k == "param":
        return "%s: %s %s," % (j["name"], j.get("role", ""), value(j.get("kind", ""), b))
    return fields(j, b)


def fields(j, b):
    hidden = ("k", "line", "col", "file", "stamps", "name")
    shown = [(key, v) for key, v in j.items() if v not in (None, []) and (key not in hidden or isinstance(v, dict))]
    return " ".join(value(v, b) if key == "name" else "%s %s" % (key, value(v, b)) for key, v in shown)


def print_file(mdc, path):
    diag = Diagnostics()
    decls = model.parse(mdc, [path])
    if decls is None:
        return 1
    for d in stamp.Stamper(diag).expand(decls):
        b = Builder(d)
        row = "".join("    // %s:%d: %s" % (at.base, at.line, row) for at, row in d.get("stamps", ()))
        print("%s %s%s" % (d["k"], d["name"], row))
        for key, v in d.items():
            if key in ("k", "line", "col", "file", "stamps", "name") or v in (None, []):
                continue
            if key == "clauses":
                for c in v:
                    print("    %s %s" % (c["k"], fields(c, b)))
            else:
                print("    %s %s" % (key, value(v, b)))
    diag.report(sys.stderr)
    return 1 if diag else 0
