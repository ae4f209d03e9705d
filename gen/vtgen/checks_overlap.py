"""Selection rules against each other: one that can never be used, two that both match and that nothing orders.

A rule is dead when every case of each of its patterns is taken by the patterns tried before it, all together: guards of
several rules may leave nothing of it (`fits(c, simm8)` and `!fits(c, simm8)`), or rules for each condition code. Two
patterns overlap when their boxes (regions.py) meet. What is ordered: patterns of different rank (patterns.rank), one that
matches part of what the other matches, a `before`, different costs, operands as written before operands exchanged.
Anything else is an error, which shows a case that both match; no order by name or by place in the text ever decides what is selected.
"""
from patterns import Const, Mem, Node, Var, rank
from regions import Frame, meets


def groups_of(patterns):
    """Patterns that may meet, in their order: [[Pattern]]."""
    for found in patterns.by_root.values():
        groups = {}
        for p in found:
            tree = p.tree
            groups.setdefault((tree.op.name, tree.type) if isinstance(tree, Node) else None, []).append(p)
        yield from groups.values()
        whole = groups.get(None)
        for key, mine in groups.items():
            if whole and key is not None:
                yield [p for p in found if p in mine or p in whole]


def by_name(p):
    return p.rule.name if p.rule is not None else None


def place(loc, here):
    return "line %d" % loc.line if loc.file == here.file else "%s:%d" % (loc.base, loc.line)


class Overlaps:
    def __init__(self, isa, diag):
        self.isa, self.diag = isa, diag
        self.alive = set()  # names of rules that some case is left of
        self.takers = {}    # rule -> the patterns that take its cases
        self.told = set()
        self.found = []     # (late, early, text)

    def group(self, found):
        for n, q in enumerate(found):
            frame = Frame(self.isa, q)
            sides = [s for s in (frame.add(p) for p in found[:n]) if s is not None]
            frame.solve()
            self.dead(q, frame, sides)
            for side in sides:
                self.pair(frame, side, q)

    # ---- dead rules ----

    def dead(self, q, frame, sides):
        if q.rule is None:
            return
        takers = [s for s in sides if not s.narrower and s.pattern.rule is not q.rule and
                  (s.pattern.requires <= q.requires)]
        left = frame.base.boxes
        for s in takers:
            left = frame.without(left, s.boxes)
        if left:
            self.alive.add(by_name(q))
            return
        for s in list(takers):  # name only those that it takes
            rest = [b for t in takers if t is not s for b in t.boxes]
            if not frame.without(frame.base.boxes, rest):
                takers.remove(s)
        names = self.takers.setdefault(by_name(q), (q, {}))[1]
        for s in takers:
            names.setdefault(s.pattern.name, s.pattern)

    def report(self):
        for name, (q, by) in self.takers.items():
            if name in self.alive:
                continue
            if not by:
                self.diag.error(q.loc, "rule '%s' can never be used: its guard never holds" % name)
                continue
            text = " or ".join("'%s' (%s)" % (n, place(p.loc, q.loc)) for n, p in sorted(by.items(), key=lambda i: i[1].loc.key()))
            self.diag.error(q.loc, "rule '%s' can never be used: every case is taken earlier by %s" % (name, text))
        dead = set(self.takers) - self.alive
        for late, early, text in self.found:
            if late.name not in dead:
                self.diag.error(late.loc, text, (early.loc, "'%s' is here" % early.name))

    # ---- overlaps ----

    def pair(self, frame, side, q):
        p = side.pattern
        if p.name == q.name or rank(p) != rank(q) or (p.cost, p.order) != (q.cost, q.order) or (p.name, q.name) in self.told:
            return
        if q.name in p.before or p.name in q.before or p.requires != q.requires:
            return
        box = frame.witness(side)
        if box is None:
            return
        same = frame.covers(side)
        other = Frame(self.isa, p)
        back = other.add(q)
        other.solve()
        if other.covers(back) != same or same and p.guard is None and q.guard is None:
            return  # one matches part of what the other matches, or in_order() has told that they are the same
        self.told.add((p.name, q.name))
        late, early = (q, p) if q.rule is not None else (p, q)
        what = "write 'before %s'" % early.name if late.rule is not None else "write 'select none' in one of them"
        self.found.append((late, early, "'%s' and '%s' both match %s and nothing orders them: %s"
                           % (late.name, early.name, self.case(frame, side, box), what)))

    def case(self, frame, side, box):
        """A case that both match: the values of constants; without constants the tree."""
        values = frame.values(box)
        text = ", ".join("%s = %d" % v for v in values)
        if not text or side.narrower:
            text = joined(frame.tree, side.pattern.tree) + (" with " + text if text else "")
        guards = frame.assumed(box)
        return text + (" when " + " and ".join(guards) if guards else "")


def joined(a, b):
    """A tree that both trees match, as text."""
    if isinstance(a, Node) and isinstance(b, Node):
        attrs = [x if x[1][0] == "is" else y for x, y in zip(a.attrs, b.attrs)] or a.attrs or b.attrs
        args = [joined(x, y) for x, y in zip(a.args, b.args)]
        text = "%s%s%s(%s)" % (a.op.name, "." + a.type if a.type else "",
                               "[%s]" % ", ".join(v for _, (_, v) in attrs) if attrs else "", ", ".join(args))
        return text if a.nth is None else "%s#%d" % (text, a.nth)
    if isinstance(a, Node) or isinstance(b, Node):
        tree = a if isinstance(a, Node) else b
        return joined(tree, tree)
    for kind in (Const, Mem):
        for t in (a, b):
            if isinstance(t, kind):
                return t.name.lstrip("=")
    return a.name


def check(isa, patterns, diag):
    overlaps = Overlaps(isa, diag)
    for found in groups_of(patterns):
        overlaps.group(found)
    overlaps.report()
