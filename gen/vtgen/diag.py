"""Places in descriptions and the errors reported at them.

Text of an error:

    md/x86_64.md:144:18: error: this format is 31 bits, 32 declared
        format R : 32 { ... }
               ^
    md/x86_64.md:160:3: note: stamped here with op = add (and 4 more rows)

An error inside a template is reported once, however many rows stamp it.
"""
import re
import sys


class Loc:
    """A place: file as given to mdc, line and column from 1. `stamps`: the rows of the templates around it."""
    __slots__ = ("file", "line", "col", "stamps")

    def __init__(self, file, line, col, stamps=()):
        self.file, self.line, self.col, self.stamps = file, line, col, stamps

    @property
    def base(self):
        """File name without directories, for generated text."""
        return self.file.replace("\\", "/").rsplit("/", 1)[-1]

    def key(self):
        return (self.file, self.line, self.col)

    def __str__(self):
        return "%s:%d" % (self.base, self.line)


class Diagnostics:
    """Collects errors; `report` prints them sorted by place."""

    def __init__(self):
        self.found = []
        self.same = {}
        self.texts = {}

    def __bool__(self):
        return bool(self.found)

    def error(self, loc, text, *notes):
        """notes: pairs (Loc or None, text)."""
        shape = (loc.key(), re.sub(r"'[^']*'|\d+", "", text)) if loc.stamps else (loc.key(), text)
        if shape in self.same:
            self.same[shape][3] += 1
            return
        entry = [loc, text, notes, 0]
        self.same[shape] = entry
        self.found.append(entry)

    def _line(self, loc):
        if loc.file not in self.texts:
            try:
                with open(loc.file, encoding="utf-8", errors="replace") as f:
                    self.texts[loc.file] = f.read().split("\n")
            except OSError:
                self.texts[loc.file] = []
        lines = self.texts[loc.file]
        return lines[loc.line - 1] if 0 < loc.line <= len(lines) else ""

    def _show(self, out, loc, what, text):
        if loc is None:
            out.write("  %s: %s\n" % (what, text))
            return
        out.write("%s:%d:%d: %s: %s\n" % (loc.file, loc.line, loc.col, what, text))
        line = self._line(loc)
        if line:
            pad = "".join("\t" if c == "\t" else " " for c in line[:loc.col - 1])
            out.write("    %s\n    %s^\n" % (line, pad))

    def report(self, out=sys.stderr):
        for loc, text, notes, more in sorted(self.found, key=lambda e: (e[0].key(), e[1])):
            self._show(out, loc, "error", text)
            for where, note in notes:
                self._show(out, where, "note", note)
            for where, row in loc.stamps:
                rest = " (and %d more)" % more if more else ""
                self._show(out, where, "note", "stamped here with %s%s" % (row, rest) if row else "stamped here" + rest)


class Rejected(Exception):
    """Errors that an emitter found."""

    def __init__(self, diag):
        super().__init__("rejected")
        self.diag = diag


class DescriptionError(Exception):
    """One error, which ends the work of an emitter."""

    def __init__(self, loc, text):
        super().__init__("%s:%d:%d: error: %s" % (loc.file, loc.line, loc.col, text))
        self.loc, self.text = loc, text

    def report(self, out):
        diag = Diagnostics()
        diag.error(self.loc, self.text)
        diag.report(out)
