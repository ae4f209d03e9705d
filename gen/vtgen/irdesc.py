"""The part of md/ir.md that does not need expressions, read straight from the text.

Stands in until the model brings parsed opcodes.
"""
import re


def read(path):
    text = open(path, encoding="utf-8").read()
    text = re.sub(r"//[^\n]*", "", text)
    ir = {"types": [], "sets": {}, "ops": [], "conds": {}, "tables": {}, "unsupported": []}
    for m in re.finditer(r"^type ([\w ]+?)\s*:\s*(\w+)", text, re.M):
        names = m.group(1).split()
        for name in names:
            if name not in ir["types"]:
                ir["types"].append(name)
        ir["sets"][m.group(2)] = names
    for m in re.finditer(r"^unsupported (\w+) \"([^\"]*)\"", text, re.M):
        ir["unsupported"].append((m.group(1), m.group(2)))
    for m in re.finditer(r"^table (\w+) \{([^}]*)\}", text, re.M):
        ir["tables"][m.group(1)] = [row.split() for row in m.group(2).split(";") if row.strip()]
    for m in re.finditer(r"^cond (\w+) : \d+ \{([^}]*)\}", text, re.M):
        rows = [re.match(r"\s*(\w+)\s*=\s*(\d+)\s+when\s+(.*)", row, re.S) for row in m.group(2).split(";")]
        ir["conds"][m.group(1)] = [(r.group(1), int(r.group(2)), r.group(3)) for r in rows if r]
    pattern = r"^op (\w+)(?:\[([^\]]*)\])?\(([^)]*)\)\s*(?:->\s*([\w<>, ]+?))?\s*(?:\bfor\s+([^{]*))?\{(.*?)\}"

    def pairs(s):
        return [tuple(w.strip() for w in p.split(":")) for p in (s or "").split(",") if p.strip()]
    for m in re.finditer(pattern, text, re.M | re.S):
        op = {"name": m.group(1), "attrs": pairs(m.group(2)), "args": pairs(m.group(3)),
              "results": [r.strip() for r in (m.group(4) or "").split(",") if r.strip()],
              "vars": [], "props": [], "traps": [], "sems": [], "when": []}
        for v in (m.group(5) or "").split(","):
            if v.strip():
                name, kinds = v.split(" in ")
                types = []
                for k in kinds.split():
                    types += ir["sets"].get(k, [k])
                op["vars"].append((name.strip(), types))
        for clause in m.group(6).split(";"):
            w = clause.split()
            if not w:
                continue
            if w[0] == "trap":
                op["traps"].append((w[1], " ".join(w[3:])))
            elif w[0] == "sem":
                op["sems"].append(" ".join(w[1:]))
            elif w[0] == "when":
                op["when"].append(" ".join(w[1:]))
            elif w[:2] == ["reads", "memory"] or w[:2] == ["writes", "memory"]:
                op["props"].append(w[0])
            else:
                op["props"] += w
        ir["ops"].append(op)
    return ir
