"""Is a large pattern cheaper than its parts? The dynamic programming that other selectors do while they compile.

The selector takes the largest pattern that fits and never looks back. That loses nothing as long as no pattern costs more
than the cheapest cover of its own tree by the other patterns (BURS with the one pattern left out, over one tree instead
of all programs). For each pattern of more than one opcode, a constant in a register being one, and for each cpu this
computes that cover: at an opcode every other pattern that matches all the cases of the pattern at hand may stand; what
its variables leave uncovered is covered in turn. A dearer pattern is an error unless it is marked `dearer "WHY"`; so is
a mark without need. Costs are latencies, added up: a shorter chain of the same instructions does not show.
"""
from patterns import Cond, Const, Mem, Node, Pattern, Var
from regions import Frame, asks_more


def cost_on(cpu, p):
    return sum(cpu.kinds.get(i.cost, 1) for i in p.insts)


def kind_of_cond(p):
    """What a condition rule leaves: one code, or two."""
    v = p.rule.result.value
    return v.name if v is not None and v.k == "call" and v.name in ("both", "either") else "cond"


def owner(p):
    return p.rule if p.rule is not None else p.inst


class Cover:
    """The cheapest cover of a pattern's tree by others. Answers are (cost, [names]) or None."""

    def __init__(self, isa, patterns, cpu, whole):
        self.isa, self.patterns, self.cpu, self.whole = isa, patterns, cpu, whole
        self.known = {}

    def best(self):
        if self.whole.root == "cond":
            return self.condition(self.whole.tree, (), kind_of_cond(self.whole))
        return self.value(self.whole.tree, ())

    def value(self, tree, at):
        """The value (or effect) of a tree, in a register."""
        if isinstance(tree, Var):
            return (0, [])
        if isinstance(tree, Const):
            return self.constant(tree, at)
        if not isinstance(tree, Node):
            return None
        if ("value", at) not in self.known:
            self.known["value", at] = None
            found = [self.with_pattern(p, tree, at) for p in self.patterns.by_root.get(tree.op.name, ())]
            self.known["value", at] = least(found)
        return self.known["value", at]

    def condition(self, tree, at, kind):
        if isinstance(tree, Cond):
            return (0, []) if tree.kind == kind else None
        if (kind, at) not in self.known:
            self.known[kind, at] = None
            found = [self.with_pattern(p, tree, at) for p in self.patterns.by_root.get("cond", ())
                     if kind_of_cond(p) == kind]
            self.known[kind, at] = least(found)
        return self.known[kind, at]

    def constant(self, const, at):
        """A constant in a register: the patterns of the opcode that makes one, for the worst of its types."""
        found = [self.constant_of(Const(const.name, t, const.kind), at) for t in sorted(const.types)]
        return None if None in found else max(found)

    def constant_of(self, const, at):
        found = []
        for p in self.patterns.by_root.get("iconst", ()):
            if p.type != const.type or owner(p) is owner(self.whole) or p.requires - self.whole.requires:
                continue
            frame = Frame(self.isa, self.whole, const, at)
            side = frame.add(as_constant(p))
            if side is not None:
                frame.solve()
                if frame.covers(side):
                    found.append((cost_on(self.cpu, p), [p.name]))
        return least(found)

    def with_pattern(self, p, tree, at):
        if owner(p) is owner(self.whole) or p.requires - self.whole.requires:
            return None
        if p.itself is not None:
            if p.type != tree.type:
                return None
            inner = self.condition(tree, at, p.itself.kind)
            return inner and (inner[0] + cost_on(self.cpu, p), [p.name] + inner[1])
        if isinstance(p.tree, Node) and p.tree.nth is None and tree.nth is not None:
            tree = Node(tree.inst, tree.args, tree.attrs)  # all results are made, one is taken
        if asks_more(p.tree, tree):
            return None
        # What the tree's holes cover by other patterns must not count against this one: they become variables.
        holes = []
        cut = cut_out(p.tree, tree, at, holes)
        frame = Frame(self.isa, self.whole, cut, at)
        side = frame.add(as_node(p))
        if side is None:
            return None
        frame.solve()
        if not frame.covers(side):
            return None
        cost, names = cost_on(self.cpu, p), [p.name]
        for part, place, kind in holes:
            inner = self.condition(part, place, kind) if kind else self.value(part, place)
            if inner is None:
                return None
            cost, names = cost + inner[0], names + inner[1]
        return (cost, names)


def least(found):
    found = [f for f in found if f is not None]
    return min(found) if found else None


def as_constant(p):
    """A pattern of iconst, as one of the constant itself: its attribute is the constant."""
    name = next((how[1] for _, how in p.tree.attrs if how[0] == "bind"), p.tree.op.attrs[0].name)
    const = Const(name, p.type)
    q = Pattern("iconst", const, p.name, p.loc)
    q.guard, q.requires = p.guard, p.requires
    return q


def as_node(p):
    q = Pattern(p.root, p.tree, p.name, p.loc)
    q.guard, q.requires = p.guard, p.requires
    return q


def cut_out(a, tree, at, holes):
    """The tree with variables where pattern tree a has one and the tree has more; holes: (part, place, kind of condition
    wanted or None)."""
    if isinstance(a, Node) and isinstance(tree, Node) and a.op is tree.op and len(a.args) == len(tree.args):
        args = [cut_out(x, y, at + (k,), holes) for k, (x, y) in enumerate(zip(a.args, tree.args))]
        return Node(tree.inst, args, tree.attrs, tree.nth)
    if isinstance(a, Cond):
        holes.append((tree, at, a.kind))
        return a
    if isinstance(a, (Var, Mem)) and isinstance(tree, Node):  # an operand of several forms takes a register, too
        holes.append((tree, at, None))
        return Var(a.name, [tree.result_type(tree.nth or 0)])
    if isinstance(a, Var) and isinstance(tree, Const):
        holes.append((tree, at, None))
        return Var(a.name, tree.types)
    if isinstance(a, Var) and isinstance(tree, (Mem, Cond)):
        holes.append((tree, at, None))  # neither is a value in a register: value() says so
    return tree


def is_large(p):
    consts = sum(isinstance(t, Const) for t in p.leaves())
    return p.itself is None and len(p.nodes()) + consts > 1


def check(isa, patterns, diag):
    marked = {i.name for i in isa.insts.values() if i.dearer} | {r.name for r in isa.rules if r.dearer}
    needed, told = set(), set()
    for found in patterns.by_root.values():
        for p in found:
            if not is_large(p) or p.name in told:
                continue
            for cpu in isa.cpus.values():
                best = Cover(isa, patterns, cpu, p).best()
                if best is None or cost_on(cpu, p) <= best[0]:
                    continue
                needed.add(p.name)
                if p.name not in marked:
                    told.add(p.name)
                    diag.error(p.loc, "'%s' costs %d on cpu '%s', its parts %s cost %d: drop it, or say why: 'dearer \"...\"'"
                               % (p.name, cost_on(cpu, p), cpu.name, " + ".join("'%s'" % n for n in best[1]), best[0]))
                    break
    for thing in list(isa.insts.values()) + isa.rules:
        if thing.dearer and thing.name not in needed:
            diag.error(thing.dearer, "'%s' is not dearer than its parts" % thing.name)
