"""Templates: every `stamp` row and every row of a template's tables makes one copy of the template's body.

A hole `{name}` or `{row.column}` in a name or string is replaced by the cell's text; a name or `row.column` that stands
alone as an expression or a kind is replaced by the cell itself. A body holds no templates and no conditions.
"""
import re

from diag import Loc

READ_BY_NAME = ("trapcode", "callconv")  # tables of the IR
HOLE = re.compile(r"\{([A-Za-z][A-Za-z0-9_.]*)\}")
NUMBER = re.compile(r"-?(0x[0-9A-Fa-f_]+|0b[01_]+|[0-9][0-9_]*)\Z")


def number(text):
    """The value of a number's text, or None."""
    if not NUMBER.match(text):
        return None
    text = text.replace("_", "")
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("-")
    return sign * int(text, 16 if text.startswith("0x") else 2 if text.startswith("0b") else 10)


def cell_text(word):
    """A word of a row as text."""
    k = word["k"]
    if k == "num":
        return str(word["value"])
    if k == "str":
        return word["text"]
    if k == "name":
        return word["name"]
    return "%s..%s" % (word["lo"], word["hi"]) if k == "range" else "%s/%s" % (word["a"], word["b"])


class Holes:
    """One set of cells and the copying of JSON under it."""

    def __init__(self, cells, stamps):
        self.cells = cells  # "op" or "w.sfx" -> word
        self.used = set()   # those that stand somewhere
        self.stamps = stamps
        self.wrong = []    # (node, hole)
        self.unknown = []  # holes of a row that has no such column

    def text(self, s):
        return HOLE.sub(self.fill, s)

    def fill(self, match):
        """A hole's text; braces that name no cell belong to someone else (an operand in an `asm`)."""
        name = match.group(1)
        if name in self.cells:
            self.used.add(name)
            return cell_text(self.cells[name])
        row = name.split(".")[0]
        if row != name and row in self.cells:
            self.unknown.append(name)
            return ""  # reported; no further error about it
        return match.group(0)

    def put(self, name, at):
        """The cell as an expression at the place of `at`."""
        self.used.add(name)
        copy = dict(self.cells[name])
        copy["line"], copy["col"] = at["line"], at["col"]
        return copy

    def copy(self, j):
        if isinstance(j, str):
            return self.text(j) if "{" in j else j
        if isinstance(j, list):
            return [self.copy(i) for i in j]
        if not isinstance(j, dict):
            return j
        if j.get("k") == "name":
            if j["name"] in self.cells:
                return self.put(j["name"], j)
            text = self.text(j["name"])
            value = number(text) if text != j["name"] else None
            if value is not None:
                return {"k": "num", "line": j["line"], "col": j["col"], "value": value}
            return dict(j, name=text)
        if j.get("k") == "dot" and j["base"].get("k") == "name":
            full = "%s.%s" % (j["base"]["name"], j["name"])
            if full in self.cells:
                return self.put(full, j)
        new = {key: self.copy(value) for key, value in j.items()}
        if self.unknown:  # the innermost node that has a place
            self.wrong += [(j, name) for name in self.unknown if "line" in j]
            self.unknown = [name for name in self.unknown if "line" not in j]
        if "file" in j:
            new["file"] = j["file"]
            new["stamps"] = self.stamps
        return new


class Stamper:
    def __init__(self, diag):
        self.diag = diag
        self.tables = {}
        self.templates = {}
        self.used = set()   # names of templates; (template, parameter); (table, column)

    def loc(self, decl, at=None):
        at = at or decl
        return Loc(decl["file"], at["line"], at["col"])

    def expand(self, decls):
        """All declarations with templates and stamps replaced by what they make. Tables remain."""
        for d in decls:
            if d["k"] in ("table", "template"):
                kind = self.tables if d["k"] == "table" else self.templates
                if d["name"] in kind:
                    self.diag.error(self.loc(d), "%s '%s' is declared twice" % (d["k"], d["name"]),
                                    (self.loc(kind[d["name"]]), "the first is here"))
                kind[d["name"]] = d
        out = []
        for d in decls:
            if d["k"] == "template":
                continue
            if d["k"] != "stamp":
                out.append(d)
                continue
            template = self.templates.get(d["name"])
            if template is None:
                self.diag.error(self.loc(d), "no template is named '%s'" % d["name"])
                continue
            self.used.add(d["name"])
            out += self.stamp(template, d)
        for name, d in self.templates.items():
            if name not in self.used:
                self.diag.error(self.loc(d), "nothing stamps template '%s'" % name)
            inside = {b["k"]: b for b in d["body"]}
            for k in ("template", "stamp"):
                if k in inside:
                    self.diag.error(self.loc(inside[k]), "a template holds no templates")
            if not d["body"]:
                self.diag.error(self.loc(d), "template '%s' is empty" % name)
            for p in d["params"]:
                if name in self.used and (name, p["name"]) not in self.used:
                    self.diag.error(self.loc(d, p), "nothing in template '%s' uses '%s'" % (name, p["name"]))
        for name, d in self.tables.items():
            if name in READ_BY_NAME:
                continue
            if name not in self.used:
                self.diag.error(self.loc(d), "nothing uses table '%s'" % name)
                continue
            for column in d["rows"][0]:
                if (name, cell_text(column)) not in self.used:
                    self.diag.error(self.loc(d, column), "nothing uses column '%s' of table '%s'"
                                    % (cell_text(column), name))
        return out

    def note_used(self, template, used):
        """Holes of a template's body that were filled."""
        tables = {item["name"]: item["in"][0]["name"] for item in template["for"]
                  if len(item["in"]) == 1 and item["in"][0].get("name") in self.tables}
        for name in used:
            row, _, column = name.partition(".")
            if row in tables:  # the row itself is its first column
                self.used.add((tables[row], column or cell_text(self.tables[tables[row]]["rows"][0][0])))
            else:
                self.used.add((template["name"], name))

    def rows_of(self, template, item):
        """The rows of one `for NAME in ...`: dictionaries of cells."""
        name, words = item["name"], item["in"]
        if len(words) == 1 and words[0]["k"] == "name" and words[0]["name"] in self.tables:
            table = self.tables[words[0]["name"]]
            self.used.add(table["name"])
            head, rows = table["rows"][0], []
            for row in table["rows"][1:]:
                if len(row) != len(head):
                    at = row[0] if row else table
                    self.diag.error(self.loc(table, at), "this row has %d cells, the table has %d columns"
                                    % (len(row), len(head)))
                    continue
                cells = {name: row[0]}
                for column, cell in zip(head, row):
                    cells["%s.%s" % (name, cell_text(column))] = cell
                rows.append(cells)
            return rows
        if len(words) == 1 and words[0]["k"] == "name":
            self.diag.error(self.loc(template, words[0]), "no table is named '%s'" % words[0]["name"])
            return []
        return [{name: w} for w in words]

    def stamp(self, template, stamp):
        params = [p["name"] for p in template["params"]]
        loops = [self.rows_of(template, item) for item in template["for"]]
        out = []
        for row in stamp["rows"]:
            if len(row) != len(params) and params:
                self.diag.error(self.loc(stamp, row[0]), "template '%s' has %d parameters, this row %d cells"
                                % (template["name"], len(params), len(row)),
                                (self.loc(template), "the template is here"))
                continue
            base = dict(zip(params, row))
            combos = [base]
            for rows in loops:
                combos = [dict(c, **r) for c in combos for r in rows]
            for cells in combos:
                shown = ", ".join("%s = %s" % (n, cell_text(c)) for n, c in cells.items() if "." not in n)
                holes = Holes(cells, ((self.loc(stamp, row[0] if row else None), shown),))
                for d in template["body"]:
                    out.append(holes.copy(d))
                self.note_used(template, holes.used)
                for node, name in holes.wrong:
                    table, _, column = name.partition(".")
                    self.diag.error(Loc(template["file"], node["line"], node["col"]),
                                    "the rows of '%s' have no column '%s'" % (table, column))
        return out
