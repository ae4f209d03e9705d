"""One run over all proof obligations: what the cache of answers has is not asked again.

answers/GROUP.txt   one line for each obligation, sorted by name:  NAME  HASH  ANSWER  SOLVER
undecided.txt       what no solver decides, with the execution test that covers it instead
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import solver  # noqa: E402


class Failure:
    """text: what to print."""

    def __init__(self, text):
        self.text = text


class Listed:
    """An entry of undecided.txt. pattern: of names; test: FILE or FILE:WORD; why; line."""

    def __init__(self, pattern, test, why, line):
        self.pattern, self.test, self.why, self.line = pattern, test, why, line
        self.regex = re.compile(re.escape(pattern).replace(r"\*", ".*"))
        self.used = self.needed = 0


def read_listed(path):
    out = []
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line.strip() or line.startswith("#"):
                continue
            parts = line.split(None, 2)
            out.append(Listed(parts[0], parts[1], parts[2], n))
    return out


def read_answers(path):
    """name -> (hash, answer, solver)."""
    out = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for line in f:
                name, digest, answer, by = line.split()
                out[name] = (digest, answer, by)
    return out


def write_answers(path, answers):
    with open(path, "w", encoding="utf-8") as f:
        for name in sorted(answers):
            f.write("%s %s %s %s\n" % ((name,) + answers[name]))


def covering_test(source, test):
    """Does FILE or FILE:WORD exist?"""
    path, _, word = test.partition(":")
    path = os.path.join(source, path)
    if not os.path.exists(path):
        return False
    if not word:
        return True
    with open(path, encoding="utf-8") as f:
        return re.search(r"\b%s\b" % re.escape(word), f.read()) is not None


class Item:
    """An obligation without its terms. text: only when the answer is not known."""

    def __init__(self, group, ob, digest, text, kind=None):
        self.group, self.name, self.loc, self.kind = group, ob.name, ob.loc, kind or ob.kind
        self.unsaid, self.digest, self.text = ob.unsaid, digest, text
        self.rule, self.integer = ob.rule, ob.integer
        self.answer = None
        if kind is not None:
            self.name, self.integer = "%s/%s" % (kind, ob.name), False

    @property
    def full(self):
        return "%s/%s" % (self.group, self.name)


def collect(prove, smt, model, group, answers, wanted=lambda ob: True):
    """The obligations of a group one after the other, with the answers that are known. An obligation's terms, which come
    with it, last until the next one."""
    hashes, assumed = {d: (a, by) for d, a, by in answers.values()}, set()

    def item(ob, text, kind=None):
        digest = smt.digest(text)
        made = Item(group, ob, digest, None if digest in hashes else text, kind)
        made.answer = hashes.get(digest)
        return made

    for ob in filter(wanted, prove.obligations(model, group)):
        if ob.unsaid is not None:
            yield Item(group, ob, None, None), ob
            continue
        yield item(ob, prove.question(ob)), ob
        text = prove.conditions(ob)
        if text is not None and text not in assumed:
            assumed.add(text)
            yield item(ob, text, "possible"), ob


class Run:
    """md: the directory of descriptions; answers: that of the cache."""

    def __init__(self, source, mdc, md, answers=None, jobs=2, seconds=60, load=None):
        self.source, self.mdc, self.md, self.jobs, self.seconds = source, mdc, md, jobs, seconds
        self.answers = answers or os.path.join(HERE, "answers")
        sys.path.insert(0, os.path.join(source, "gen", "vtgen"))
        import checks
        import model
        import prove
        import smt
        self.prove, self.smt = prove, smt
        checks.run = lambda *_: None  # the build has run the checks; wrong rules are what the mutations are about
        self.load = model.load
        self.items, self.failures, self.notes = [], [], []
        self.listed = read_listed(os.path.join(HERE, "undecided.txt"))
        self.model = None

    def describe(self, isas):
        self.model = self.load(self.mdc, self.md, isas)
        return self.model is not None

    def groups(self):
        return self.prove.groups(self.model)

    def known(self, group):
        return read_answers(os.path.join(self.answers, group + ".txt"))

    def collect(self, groups):
        for g in groups:
            self.items += [item for item, _ in collect(self.prove, self.smt, self.model, g, self.known(g))]

    def solve(self, retry=False):
        """Asks what is not known; equal questions once."""
        open_ = {}
        for i in self.items:
            if i.text is not None:
                open_.setdefault(i.digest, []).append(i)
        texts = [same[0].text for same in open_.values()]
        groups = list(open_.values())
        self.asked = len(texts)

        def done(k, answer, by):
            for i in groups[k]:
                i.answer = (answer, by)
        solver.ask(texts, self.jobs, self.seconds, done)

    # ---- judging ----

    def entry(self, item):
        return next((e for e in self.listed if e.regex.fullmatch(item.full)), None)

    def judge(self):
        for i in self.items:
            if i.kind == "possible":
                if i.answer[0] != "sat":
                    self.failures.append(Failure("%s: '%s' assumes what cannot be: it proves nothing (%s)"
                                                 % (self.place(i.loc), i.rule, i.full)))
                continue
            entry = self.entry(i)
            proved = i.unsaid is None and i.answer[0] == "unsat"
            if entry is not None:
                entry.used += 1
                if not proved:
                    entry.needed += 1
                else:
                    self.failures.append(Failure("undecided.txt:%d: %s is proved: it does not belong on the list"
                                                 % (entry.line, i.full)))
            elif not proved:
                self.failures.append(Failure(self.explain(i)))

    def check_list(self):
        for e in self.listed:
            if not e.used:
                self.failures.append(Failure("undecided.txt:%d: no obligation is named '%s'" % (e.line, e.pattern)))
            if not covering_test(self.source, e.test):
                self.failures.append(Failure("undecided.txt:%d: there is no test '%s'" % (e.line, e.test)))

    def check_share(self):
        """At most a tenth of a machine's integer rules are on the list."""
        for g in self.groups():
            rules, listed = set(), set()
            for i in self.items:
                if i.group == g and i.integer:
                    rules.add((i.kind, i.rule))
                    if self.entry(i) is not None:
                        listed.add((i.kind, i.rule))
            if 10 * len(listed) > len(rules):
                self.failures.append(Failure("%s: %d of %d integer rules are listed as undecided, more than a tenth"
                                             % (g, len(listed), len(rules))))

    def place(self, loc):
        if loc is None:
            return "gen/vtgen/smt.py"
        file = os.path.relpath(loc.file, self.source) if loc.file.startswith(self.source) else loc.file
        text = "%s:%d" % (file, loc.line)
        for where, row in getattr(loc, "stamps", ()) or ():
            if where is not None and row:
                text += " (stamped at line %d with %s)" % (where.line, row)
        return text

    def explain(self, i, ob=None):
        head = "%s: %s '%s' " % (self.place(i.loc), i.kind, i.rule)
        if i.unsaid is not None:
            return head + "cannot be stated: %s\n    (%s)" % (i.unsaid, i.full)
        if i.answer[0] == "unknown":
            return head + "is not decided within %d seconds\n    (%s)" % (self.seconds, i.full)
        return head + "is wrong\n" + self.counterexample(i, ob or self.obligation(i))

    def obligation(self, item):
        return next(o for o in self.prove.obligations(self.model, item.group) if o.name == item.name)

    def counterexample(self, item, ob):
        printer = self.smt.Printer(ob.asserts())
        names = printer.unknowns()
        found = solver.model(printer.text(), [n for n, _ in names], self.seconds)
        lines = ["    %s" % ob.text, "    (%s)" % item.full]
        if found is None:
            return "\n".join(lines + ["    (the solver gives no values)"])
        values = {id(t): found.get(n, 0) for n, t in names}
        value = lambda t: self.smt.evaluate(t, values)  # noqa: E731
        for name, t in ob.inputs:
            lines.append("    %s = %s" % (name, number(value(t), t.width)))
        for text, outs, flags in ob.trace:
            gives = ["%s = %s" % (n, number(value(t), t.width)) for n, t in outs.items()]
            if flags:
                gives.append(" ".join("%s=%d" % (f, value(t)) for f, t in flags.items()))
            lines.append("    %s%s" % (text, ":  " + ", ".join(gives) if gives else ""))
        for what, when, want, got in ob.goals:
            if value(when) and value(want) != value(got):
                lines.append("    %s: %s is due, %s is given" % (what, number(value(want), want.width),
                                                               number(value(got), got.width)))
        return "\n".join(lines)

    # ---- figures ----

    def table(self):
        kinds, rows = {}, []
        for i in self.items:
            row = kinds.setdefault((i.group, i.kind), [0, 0, 0])
            row[0] += 1
            row[1 if self.entry(i) is None else 2] += 1
        for (group, kind), (n, proved, listed) in sorted(kinds.items()):
            rows.append("%-10s %-9s %5d obligations, %5d proved, %3d undecided" % (group, kind, n, proved, listed))
        return rows

    def stale(self, group):
        """Answers that nothing asks for, and obligations whose answer is not there."""
        have = self.known(group)
        want = {i.name: (i.digest,) + i.answer for i in self.items if i.group == group and i.unsaid is None}
        return have, want


def number(x, width):
    if width == 1:
        return str(x)
    text = "%#x" % x
    if x >> (width - 1) & 1:
        text += " (%d)" % (x - (1 << width))
    elif x > 9:
        text += " (%d)" % x
    return text
