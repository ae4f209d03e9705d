"""The parsed declarations of md/ir.md in the shape the IR's emitters want."""


class IrError(Exception):
    """A wrong declaration; place is the node."""

    def __init__(self, node, text):
        super().__init__("%s:%d:%d: error: %s" % (node.get("file", "md/ir.md"), node["line"], node["col"], text))


def kind_text(kind):
    if kind["k"] == "sized":
        size = kind["size"]
        return "%s<%s>" % (kind["name"], size["name"] if isinstance(size, dict) else size)
    return kind["name"]


def op_of(ir, decl):
    op = {"name": decl["name"], "node": decl,
          "attrs": [(p["name"], kind_text(p["kind"])) for p in decl["attrs"]],
          "args": [(p["name"], kind_text(p["kind"])) for p in decl["params"]],
          "results": [kind_text(r) for r in decl["results"]],
          "vars": [], "props": [], "traps": [], "sems": [], "when": []}
    for v in decl["for"]:
        types = []
        for word in v["in"]:
            types += ir["sets"].get(word["name"], [word["name"]])
        for t in types:
            if t not in ir["types"]:
                raise IrError(v, "there is no type '%s'" % t)
        op["vars"].append((v["name"], types))
    for clause in decl["clauses"]:
        if clause["k"] == "props":
            words = [w["name"] for w in clause["words"]]
            for w in words:
                if w not in PROPERTIES:
                    raise IrError(clause, "there is no property '%s'" % w)
            op["props"] += [w for w in words if w != "memory"]
        elif clause["k"] == "trap":
            op["traps"].append((clause["code"], clause["when"]))
        elif clause["k"] == "sem":
            op["sems"].append(clause["value"])
        elif clause["k"] == "when":
            op["when"].append(clause["value"])
    return op


PROPERTIES = {"pure", "commutes", "idempotent", "reads", "writes", "memory", "effect", "terminator", "branch", "call",
              "return"}


def from_decls(decls):
    ir = {"types": [], "sets": {}, "ops": [], "conds": {}, "tables": {}, "unsupported": []}
    for d in decls:
        if d["k"] == "type":
            names = [n["name"] for n in d["names"]]
            ir["types"] += [n for n in names if n not in ir["types"]]
            ir["sets"][d["of"]] = names
        elif d["k"] == "unsupported":
            ir["unsupported"].append((d["name"], d["reason"]["text"]))
        elif d["k"] == "table":
            ir["tables"][d["name"]] = [(row[0]["name"], row[1]["value"]) for row in d["rows"]]
        elif d["k"] == "cond":
            ir["conds"][d["name"]] = [(n["name"], item["value"], item["when"])
                                      for item in d["items"] for n in item["names"]]
        elif d["k"] == "op":
            ir["ops"].append(op_of(ir, d))
    return ir


def of(model):
    """The IR's description in this module's shape."""
    return from_decls(model.ir.decls)
