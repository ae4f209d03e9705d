"""Selection patterns of a machine: derived from each instruction's `sem`, and from its rules.

    patterns_of(isa, ir, diag) -> Patterns
        .by_root        root ("iadd", or "cond") -> [Pattern], in the order they are tried

A pattern is a tree: Node (an opcode at a choice of types), with leaves
    Var    any value in a register, of one of `types`
    Const  an integer constant; `kind` = the immediate that must be able to hold it, or None
    Mem    an address with the constant offset of the load or store above it, for a composite operand
    Cond   a condition: kind "cond" (one condition code decides), "both" or "either" (two codes)

Derivation. The value an instruction's sem assigns to its only output (or stores) is written as a tree of operators
over its operands (`normal`), and the trees of all opcodes' sems are matched with it top down: an opcode whose sem
has the same shape takes the place of that shape, what stands at its operands is matched further. There may be several
readings (`sext(load(m, 8), 32)` is sload8 and sextend of a load); each is a pattern. What does not match an
opcode exactly derives nothing. `select low` also derives the operation on the low bits (`narrow`), where truncating
the operands first gives the same low bits.

Order of the patterns with one root and type (`rank`): more opcodes covered first, then more guards and constants,
then `before`, then lower cost, then the order of commuted operands. Two that none of these separates and that select the
same tree are an error.
"""
import copy
import itertools

import held
from sem import fold
from tree import Expr

# Opcodes whose machine code is made by the driver for every machine alike (core/select).
DRIVER_OPS = ("jump", "trap", "return", "call", "call_indirect", "return_call", "return_call_indirect", "nop",
              "sequence_point")
COMMUTES = {"add", "mul", "and", "or", "xor", "eq", "ne"}
COND_KINDS = ("cond", "both", "either", "plain")


class Node:
    def __init__(self, inst, args, attrs, nth=None):
        self.inst, self.args, self.attrs, self.nth = inst, args, attrs, nth

    @property
    def op(self):
        return self.inst.op

    @property
    def type(self):
        return self.inst.control.name if self.inst.control else None

    def result_type(self, n=0):
        t = self.inst.type_of(self.op.results[n].kind)
        return t.name if t else None

    def __str__(self):
        attrs = "[%s]" % ", ".join(v for _, (_, v) in self.attrs) if self.attrs else ""
        text = "%s%s%s(%s)" % (self.op.name, "." + self.type if self.type else "", attrs, ", ".join(map(str, self.args)))
        return text if self.nth is None else "%s#%d" % (text, self.nth)


class Var:
    def __init__(self, name, types):
        self.name, self.types = name, frozenset(types)

    def __str__(self):
        return "%s: %s" % (self.name, "/".join(sorted(self.types, key=lambda t: (t[0], int(t[1:])))))


class Const:
    """types: all of them when patterns that differ in it have become one."""

    def __init__(self, name, type_, kind=None):
        self.name, self.type, self.kind = name, type_, kind
        self.types = frozenset([type_])

    def __str__(self):
        return "%s: %s" % (self.name, self.kind.name if self.kind else "iconst")


class Mem:
    def __init__(self, name, comp):
        self.name, self.comp = name, comp

    def __str__(self):
        return "%s: %s" % (self.name, self.comp.name)


class Cond:
    def __init__(self, name, kind):
        self.name, self.kind = name, kind

    def __str__(self):
        return "%s: %s" % (self.name, self.kind)


class Pattern:
    """root: opcode name or "cond"; tree: Node, or for a condition the Node or Var it tests; type: the controlling
    type's name; itself: the root's own condition is asked for (`icmp(c: cond)`); guard: Expr or None; requires: set of
    features; cost; insts: what it becomes; name; loc; rule: build_ir.Rule or None; inst: the derived instruction or None; args: operand name
    -> variable name (derived); order: how many operand exchanges lead here; forms: operand name -> the Form that a
    composite operand takes (derived)."""

    def __init__(self, root, tree, name, loc):
        self.root, self.tree, self.name, self.loc = root, tree, name, loc
        self.guard, self.requires, self.cost = None, frozenset(), 0
        self.rule = self.inst = None
        self.itself = None
        self.before, self.insts = [], []
        self.order, self.forms = 0, {}

    @property
    def type(self):
        return self.tree.type if isinstance(self.tree, Node) else sorted(self.tree.types)[0]

    def nodes(self):
        return [t for t in walk(self.tree) if isinstance(t, Node)]

    def leaves(self):
        return [t for t in walk(self.tree) if not isinstance(t, Node)]

    def is_total(self):
        """Does it match whatever stands below its root?"""
        return (self.guard is None and (not isinstance(self.tree, Node) or
                all(isinstance(a, (Var, Mem, Cond)) for a in self.tree.args)) and
                all(v[0] == "bind" for _, v in getattr(self.tree, "attrs", ())))

    def item(self):
        """Of a pattern that matches whatever stands below its root for one item of its attribute: that item."""
        fixed = [v[1] for _, v in getattr(self.tree, "attrs", ()) if v[0] == "is"]
        if len(fixed) != 1 or self.guard is not None or not all(isinstance(a, (Var, Mem, Cond)) for a in self.tree.args):
            return None
        return fixed[0]

    def __str__(self):
        return "cond(%s)" % self.tree if self.root == "cond" else str(self.tree)


class Patterns:
    def __init__(self, isa, ir):
        self.isa, self.ir, self.by_root = isa, ir, {}


def control_types(op):
    seen = []
    for i in op.instances():
        t = i.control.name if i.control else None
        if t not in seen:
            seen.append(t)
    return seen


def covers_instance(p, inst):
    for arg, param in zip(p.tree.args, inst.op.params):
        t = inst.type_of(param.kind)
        if isinstance(arg, Var) and t is not None and t.name not in arg.types:
            return False
    return True


def every_item(patterns, ir, op):
    """Do these patterns (Pattern.item) stand for all items of the opcode's condition?"""
    found = {p.item() for p in patterns}
    return any({n for i in ir.conds[a.kind].items for n in i.names[:1]} <= found
               for a in op.attrs if a.kind in ir.conds)


def walk(t):
    yield t
    if isinstance(t, Node):
        for a in t.args:
            yield from walk(a)


# ---- operators as plain trees -----------------------------------------------------------------------------
# (operator, width, arguments...); ("leaf", width, operand); ("num", width, value)

class NotATree(Exception):
    pass


def normal(e, lets, params):
    """A sem expression as a plain tree: lets and functions put in. Raises NotATree for what no opcode says."""
    if e.k == "num":
        return ("num", e.width, e.value)
    value = fold(e)
    if value is not None and e.width is not None:
        return ("num", e.width, value)
    if e.k == "name":
        kind = e.ref.kind if e.ref is not None else None
        if kind == "opnd":
            return ("leaf", e.width, e.ref.obj)
        if kind == "let":
            return normal(e.ref.obj.value, lets, params)
        if kind == "param":
            return params[e.name]
        raise NotATree
    if e.k == "bin":
        return (e.op, e.width) + tuple(normal(a, lets, params) for a in e.args)
    if e.k == "un":
        return (e.op, e.width, normal(e.args[0], lets, params))
    if e.k == "cond":
        return ("ite", e.width) + tuple(normal(a, lets, params) for a in e.args)
    if e.k == "slice" and e.value[1] == 0:
        return ("low", e.width, normal(e.args[0], lets, params))
    if e.k == "slice":
        return ("slice", e.width, normal(e.args[0], lets, params), ("num", 8, e.value[1]))
    if e.k != "call":
        raise NotATree
    if e.body is not None:
        inner = {n: normal(a, lets, params) for (n, _), a in zip(e.body.params, e.args)}
        return normal(e.body.body, lets, inner)
    args = e.args
    if e.name in SIZED:
        args = args[:-1]
    elif e.name in ("zero", "ones", "min", "max"):
        return (e.name, e.width)
    trees = tuple(normal(a, lets, params) for a in args)
    width = trees[1][1] if e.name in ("store", "atomic_store") else e.width
    return (e.name, width) + trees


SIZED = {"zext", "sext", "low", "high", "load", "store", "atomic_mem", "atomic_store", "fpromote", "fdemote", "to_uint",
         "to_sint", "to_uint_sat", "to_sint_sat", "from_uint", "from_sint", "fits_uint", "fits_sint"}
TRUNCATES = {"add", "sub", "mul", "and", "or", "xor", "neg", "not"}


def narrow(t, n):
    """The low n bits of t, computed on n bits."""
    if t[1] == n:
        return t
    if t[0] == "leaf":
        if t[2].type not in ("reg", "imm"):
            raise NotATree
        return ("leaf", n, t[2])
    if t[0] in TRUNCATES:
        return (t[0], n) + tuple(narrow(a, n) for a in t[2:])
    if t[0] in ("zext", "sext") and t[2][0] != "load":
        return (t[0], n, t[2]) if t[2][1] < n else narrow(t[2], n)
    raise NotATree


# ---- derivation ----------------------------------------------------------------------------------------------

class Derive:
    def __init__(self, isa, ir):
        self.isa, self.ir = isa, ir
        self.by_head = {}
        self.types = {}  # (file name, width) -> type name
        self.upper = {}  # type name -> Hold
        for hold in isa.holds:
            for name in hold.types:
                name = getattr(name, "name", name)
                self.types[hold.cls.file.name, ir.types[name].width] = name
                self.upper[name] = hold
        for op in ir.ops.values():
            if op.name in DRIVER_OPS or len(op.results) > 1 or len(op.sems) != 1 or op.traps:
                continue
            for inst in op.instances():
                try:
                    tree = normal(inst.sems[0], {}, {})
                except NotATree:
                    continue
                if tree[0] != "leaf":
                    self.by_head.setdefault(tree[0], []).append((inst, tree))

    def type_of(self, opnd, width):
        file = opnd.reg.file if opnd.type == "fixed" else opnd.cls.file
        return self.types.get((file.name, width))

    # Matches an opcode's tree with a machine's; `got` collects what stands at the opcode's operands.
    def unify(self, ir, machine, inst, got):
        if ir[0] == "leaf":
            param = ir[2]
            if param not in inst.op.params:  # an attribute
                return False
            if param.name in got:
                return got[param.name] == machine
            if machine[1] != ir[1]:
                return False
            got[param.name] = machine
            return True
        if ir[0] == "low" and ir[2][0] == "leaf" and machine[0] == "leaf" and machine[1] == ir[1]:
            if machine[2].type != "reg":
                return False
            got[ir[2][2].name] = ("leaf", ir[2][1], machine[2])  # the register holds the wider value just as well
            return True
        if ir[0] == "and" and machine[0] == "leaf" and masked_amount(ir, machine[2]):
            return self.unify(ir[2], ("leaf", ir[2][1], machine[2]), inst, got)
        if ir[0] != machine[0] or ir[1] != machine[1] or len(ir) != len(machine):
            return False
        if ir[0] in ("load", "store", "atomic_mem", "atomic_store"):
            address = ir[2]
            if address[0] == "add" and address[3][0] == "leaf" and address[3][2].kind == "offset":
                address = address[2]
            if machine[2][0] != "leaf" or machine[2][2].type != "composite":
                return False
            got[address[2].name] = machine[2]
            return all(self.unify(a, b, inst, got) for a, b in zip(ir[3:], machine[3:]))
        if ir[0] == "num":
            return ir[2] == machine[2]
        return all(self.unify(a, b, inst, got) for a, b in zip(ir[2:], machine[2:]))

    def read(self, machine, want):
        """All patterns for a machine tree whose value has IR type `want`."""
        if machine[0] == "leaf":
            opnd = machine[2]
            if opnd.type == "composite":
                return [Mem(opnd.name, opnd.comp)]
            if opnd.type == "imm":
                return [Const(opnd.name, want, self.needed(opnd.imm, machine[1], want))] if want[0] == "i" else []
            if opnd.type in ("reg", "fixed") and self.type_of(opnd, machine[1]) == want:
                return [Var(opnd.name, [want])]
            return []
        out = []
        for inst, tree in self.by_head.get(machine[0], ()):
            op = inst.op
            if op.results and inst.type_of(op.results[0].kind).name != want:
                continue
            got = {}
            if not self.unify(tree, machine, inst, got):
                continue
            choices = []
            for p in op.params:
                t = inst.type_of(p.kind)
                choices.append(self.read(got[p.name], t.name) if p.name in got else [])
            for args in itertools.product(*choices):
                out.append(Node(inst, list(args), []))
        return out

    def needed(self, imm, width, want):
        """The immediate kind whose range must be tested, or None when every constant of the type fits."""
        return None if imm_range(imm)[1] >= min(width, self.ir.types[want].width) and imm_range(imm)[0] == "exact" or \
            imm_range(imm)[1] > self.ir.types[want].width else imm

    def of_inst(self, inst):
        if ("none" in inst.select or inst.branches or inst.effects - {"store", "atomic_store"} or inst.reads_flags or
                inst.traps):
            return
        outs = [o for o in inst.opnds if o.writes]
        root = None
        for stmt in inst.sem:
            if stmt.k == "let":
                continue
            if stmt.k == "assign" and stmt.target.k == "name" and stmt.target.ref.kind == "flags":
                continue
            if root is not None or stmt.k == "if":
                return
            if stmt.k == "assign":
                if len(outs) != 1 or stmt.target.k != "name" or stmt.target.ref.obj is not outs[0]:
                    return
            elif outs:
                return
            root = stmt
        if root is None:
            return
        try:
            whole = normal(root.value, {}, {})
        except NotATree:
            return
        seen = set()
        for tree, forms in variants(whole):
            for reads in self.readings(inst):
                for p in self.of_tree(inst, outs, held.under(tree, reads), bool(reads)):
                    if str(p) not in seen:
                        seen.add(str(p))
                        p.forms = forms
                        yield p

    def readings(self, inst):
        """What whole registers may be taken to hold: as they are, or values of a type that is held extended."""
        files = {o.cls.file.name for o in inst.opnds if o.type == "reg" and o.reads and o.view is None}
        choices = []
        for f in sorted(files):
            mine = [(f, (self.upper[t].upper, w)) for (g, w), t in self.types.items()
                    if g == f and self.upper[t].upper in held.EXT]
            choices.append([None] + mine)
        for chosen in itertools.product(*choices):
            yield dict(c for c in chosen if c is not None)

    def of_tree(self, inst, outs, tree, assumed):
        if not outs:
            yield from self.patterns(inst, tree, None)
            return
        out = outs[0]
        if out.type not in ("reg", "fixed"):
            return
        widths = [out.width]
        if "low" in inst.select and not assumed:
            file = out.cls.file.name
            widths = [w for (f, w), t in self.types.items() if f == file and w <= out.width
                      and (w == out.width or self.upper[t].upper not in held.EXT)]
        for width in sorted(widths, reverse=True):
            want = self.type_of(out, width)
            if want is None:
                continue
            yield from self.extended(inst, out, tree)
            try:
                low = narrow(tree, width)
            except NotATree:
                continue
            if low[0] == "leaf":
                yield from self.bitcast(inst, low, want)
            else:
                yield from self.patterns(inst, low, want)

    def extended(self, inst, out, tree):
        """The result is a value of a type that is held like this."""
        if tree[0] not in held.EXT.values() or out.width != out.cls.file.width:
            return
        want = self.types.get((out.cls.file.name, tree[2][1]))
        if want is None or held.EXT.get(self.upper[want].upper) != tree[0]:
            return
        if tree[2][0] == "leaf":
            yield from self.bitcast(inst, tree[2], want)
        else:
            yield from self.patterns(inst, tree[2], want)

    def bitcast(self, inst, leaf, want):
        """d = a between two register files."""
        if leaf[2].type != "reg" or "bitcast" not in self.ir.ops:
            return
        source = self.type_of(leaf[2], leaf[1])
        if source is None or source[0] == want[0]:
            return
        for i in self.ir.ops["bitcast"].instances():
            if [i.types[v].name for v, _ in i.op.vars] == [want, source]:
                yield self.pattern(inst, Node(i, [Var(leaf[2].name, [source])], []))

    def patterns(self, inst, tree, want):
        for t in self.read(tree, want):
            if not isinstance(t, Node):
                continue
            names = [leaf.name for leaf in walk(t) if not isinstance(leaf, (Node, Mem))]
            if len(set(names)) == len(names):
                yield self.pattern(inst, t)

    def pattern(self, inst, tree):
        p = Pattern(tree.op.name, tree, inst.name, inst.loc)
        p.inst, p.requires = inst, frozenset(inst.requires)
        p.cost, p.insts = cost_of(self.isa, inst), [inst]
        return p


def masked_amount(ir, opnd):
    """Is `y & mask` the amount of a shift, and the operand an immediate that the mask never changes?"""
    if opnd.type != "imm" or ir[2][0] != "leaf" or ir[3][0] != "num" or len(opnd.imm.fields) != 1:
        return False
    (name, bits), = opnd.imm.fields
    v = opnd.imm.value
    zext = v.k == "call" and v.name == "zext" and v.args[0].k == "name" and v.args[0].name == name
    return zext and (1 << bits) - 1 <= ir[3][2]


def variants(tree):
    """A tree with a composite operand that is no address: once for each form, the form's expression in its place.
    [(tree, operand name -> Form)]. The parts get the names m.r, m.k, ..."""
    found = {}

    def look(t, address):
        if t[0] == "leaf":
            if t[2].type == "composite" and not address:
                found[t[2].name] = t[2]
        elif t[0] != "num":
            for k, a in enumerate(t[2:]):
                if isinstance(a, tuple):
                    look(a, k == 0 and t[0] in ("load", "store", "atomic_mem", "atomic_store"))

    def put(t, values):
        if t[0] == "leaf":
            return values.get(t[2].name, t) if t[2].type == "composite" else t
        return t if t[0] == "num" else t[:2] + tuple(put(a, values) if isinstance(a, tuple) else a for a in t[2:])

    look(tree, False)
    out = []
    for forms in itertools.product(*(o.comp.forms for o in found.values())):
        values = {}
        try:
            for name, form in zip(found, forms):
                values[name] = renamed(normal(form.value, {}, {}), name)
        except NotATree:
            continue
        out.append((put(tree, values), dict(zip(found, forms))))
    return out


def renamed(tree, prefix):
    """The tree of a form, its parts as operands of their own."""
    if tree[0] == "leaf":
        part = copy.copy(tree[2])
        part.name = "%s.%s" % (prefix, part.name)
        return tree[:2] + (part,)
    return tree if tree[0] == "num" else tree[:2] + tuple(renamed(a, prefix) if isinstance(a, tuple) else a for a in tree[2:])


def imm_range(imm):
    """("exact" | "s" | "u" | None, bits): how the field's value is read."""
    if len(imm.fields) != 1 or imm.guard is not None:
        return (None, 0)
    (name, bits), v = imm.fields[0], imm.value
    if v.k == "name" and v.name == name:
        return ("exact", bits)
    if v.k == "call" and v.name in ("sext", "zext") and v.args[0].k == "name" and v.args[0].name == name:
        return (v.name[0], bits)
    return (None, 0)


def cost_of(isa, inst):
    for cpu in isa.cpus.values():
        kind = cpu.kinds.get(inst.cost)
        return 1 if kind is None else kind
    return 1


# ---- rules -------------------------------------------------------------------------------------------------------

class Rules:
    """Patterns of the `rule` declarations: one for each choice of types that its text allows."""

    def __init__(self, isa, ir, diag):
        self.isa, self.ir, self.diag = isa, ir, diag

    def of_rule(self, rule):
        e = rule.pattern
        name = e.name.split(".")[0]
        if name == "cond":
            if len(e.args) != 1:
                self.diag.error(e.loc, "cond has one operand")
                return
            trees = self.read(e.args[0], None)
        elif self.is_itself(e, name):
            for inst in self.instances(e, None):
                names = [Var("%s_" % p.name, [inst.type_of(p.kind).name]) for p in inst.op.params]
                p = self.pattern(rule, name, Node(inst, names, [(a.name, ("bind", a.name)) for a in inst.op.attrs]))
                p.itself = Cond(e.args[0].name, e.args[0].op)
                yield p
            return
        else:
            trees = self.read(e, None)
        for tree in trees:
            yield self.pattern(rule, name, tree)

    def is_itself(self, e, name):
        op = self.ir.ops.get(name)
        return (op is not None and len(e.args) == 1 and len(op.params) != 1 and e.args[0].k == "typed" and
                e.args[0].op in COND_KINDS)

    def pattern(self, rule, root, tree):
        p = Pattern(root, tree, rule.name, rule.loc)
        p.rule, p.guard, p.before = rule, rule.guard, [b for b, _ in rule.before]
        p.requires = frozenset(rule.requires)
        p.insts = self.insts_of(rule.result)
        p.cost = sum(cost_of(self.isa, i) for i in p.insts)
        return p

    def insts_of(self, seq):
        found = []
        exprs = [s.value for s in seq.stmts] + ([seq.value] if seq.value is not None else [])
        for x in (x for e in exprs for x in e.walk() if x.k == "call"):
            if x.name in self.isa.insts:
                found.append(self.isa.insts[x.name])
            elif x.name in self.isa.relaxes and self.isa.relaxes[x.name].rows:
                found += self.insts_of(self.isa.relaxes[x.name].rows[0].result)  # the near row is what is usual
        return found

    def instances(self, e, want):
        """The choices of types of an opcode in a pattern."""
        parts = e.name.split(".")
        op, out = self.ir.ops[parts[0]], []
        for inst in op.instances():
            if len(parts) > 1 and (inst.control is None or inst.control.name != parts[1]):
                continue
            if want is not None and (not op.results or inst.type_of(op.results[0].kind).name != want):
                continue
            out.append(inst)
        return out

    def read(self, e, want):
        """[tree] for a pattern expression whose value has type `want` (None = any)."""
        if e.k == "nth":
            trees = self.node(e.args[0], None)
            for t in trees:
                t.nth = e.value
            return [t for t in trees if want is None or t.result_type(e.value) == want]
        if e.k == "call":
            return self.node(e, want)
        types = [want] if want is not None else [t.name for t in self.ir.types.values()]
        if e.k == "name":
            return [Var(e.name, types)]
        if e.k == "typed":
            if e.op in self.ir.types:
                return [Var(e.name, [e.op])] if e.op in types else []
            if e.op == "iconst":
                return [Const(e.name, want)] if want is None or want[0] == "i" else []
            if e.op in self.isa.imms:
                return [Const(e.name, want, self.isa.imms[e.op])] if want is None or want[0] == "i" else []
            if e.op in COND_KINDS:
                return [Cond(e.name, e.op)]
            if e.op in self.isa.operands:
                return [Mem(e.name, self.isa.operands[e.op])]
        if e.k == "num":
            return [Const("=%d" % e.value, want)]
        raise AssertionError(e)  # checks_rules.py has refused it

    def node(self, e, want):
        out = []
        for inst in self.instances(e, want):
            op = inst.op
            attrs = self.attrs(e, op)
            choices = []
            for arg, p in zip(e.args, op.params):
                t = inst.type_of(p.kind)
                choices.append(self.read(arg, t.name if t else None))
            for args in itertools.product(*choices):
                if not self.offset_taken(op, args):
                    self.diag.error(e.loc, "the address of '%s' must be a memory operand" % op.name)
                    return []
                out.append(Node(inst, list(args), attrs))
        return out

    def offset_taken(self, op, args):
        if not any(a.kind == "offset" for a in op.attrs) or op.name == "stack_addr":
            return True
        return any(isinstance(a, Mem) for a in args)

    def attrs(self, e, op):
        out = []
        for given, attr in zip(e.attrs, op.attrs):
            cond = self.ir.conds.get(attr.kind)
            if given.k == "name" and cond is not None and cond.find(given.name) is not None:
                out.append((attr.name, ("is", given.name)))
            else:
                out.append((attr.name, ("bind", given.name)))
        return out


# ---- all together -------------------------------------------------------------------------------------------------

def commuted(tree):
    """The tree and all it becomes by exchanging operands of commutative opcodes."""
    if not isinstance(tree, Node):
        return [tree]
    out = []
    for args in itertools.product(*(commuted(a) for a in tree.args)):
        orders = [list(args)]
        if "commutes" in tree.op.props and len(args) == 2 and not all(isinstance(a, Var) for a in args):
            orders.append([args[1], args[0]])
        for order in orders:
            out.append(Node(tree.inst, order, tree.attrs, tree.nth))
    return out


def copy_with(p, tree, order):
    q = Pattern(p.root, tree, p.name, p.loc)
    q.guard, q.requires, q.cost, q.rule, q.inst = p.guard, p.requires, p.cost, p.rule, p.inst
    q.itself, q.before, q.order, q.insts, q.forms = p.itself, p.before, order, p.insts, p.forms
    return q


def shape(tree, open_types):
    """What two patterns that differ in the types of a variable only have in common."""
    if isinstance(tree, Var):
        return ("var", tree.name) if open_types else ("var", tuple(sorted(tree.types)))
    if isinstance(tree, Const):
        return ("const", tree.name if open_types or tree.name[0] == "=" else "", None if open_types else tree.type,
                tree.kind.name if tree.kind else None)
    if isinstance(tree, Mem):
        return ("mem", tree.name if open_types else "")
    if isinstance(tree, Cond):
        return ("cond", tree.kind)
    types = tree.type if open_types else tuple((v, t.name) for v, t in tree.inst.types.items())
    return (tree.op.name, types, tuple(v if v[0] == "is" else "bind" for _, v in tree.attrs), tree.nth,
            tuple(shape(a, open_types) for a in tree.args))


def merge_types(patterns):
    """Patterns of one rule or instruction that differ in the types of plain variables only become one."""
    merged = {}
    for p in patterns:
        key = (p.root, p.name, p.order, p.itself.kind if p.itself else None, shape(p.tree, True),
               tuple((n, f.name) for n, f in p.forms.items()))
        if key not in merged:
            merged[key] = p
            continue
        for mine, other in zip(walk(merged[key].tree), walk(p.tree)):
            if isinstance(mine, (Var, Const)):
                mine.types = mine.types | other.types
    return list(merged.values())


def copy_tree(t):
    if isinstance(t, Node):
        return Node(t.inst, [copy_tree(a) for a in t.args], t.attrs, t.nth)
    if isinstance(t, Const):
        return Const(t.name, t.type, t.kind)
    return Var(t.name, t.types) if isinstance(t, Var) else t


def rank(p):
    consts = sum(isinstance(t, Const) for t in p.leaves())
    exact = sum(t.name[0] == "=" for t in p.leaves() if isinstance(t, Const))
    ranges = sum(t.kind is not None for t in p.leaves() if isinstance(t, Const))
    fixed = sum(v[0] == "is" for n in p.nodes() for _, v in n.attrs)
    special = sum(isinstance(t, Cond) and t.kind != "cond" for t in p.leaves()) + \
        (p.itself is not None and p.itself.kind != "cond")
    return (-(len(p.nodes()) + consts), -exact, -special, -fixed, -(p.guard is not None) - ranges)


def narrow_first(isa, group):
    """Patterns of one type and rank, in order of cost: those that match part of what another matches go first."""
    import regions
    wider = {id(p): [q for q in group if q is not p and q.name != p.name and more_special(regions, isa, p, q)]
             for p in group}
    out, left = [], list(group)
    while left:
        p = next((p for p in left if not any(p is w for q in left for w in wider[id(q)])), left[0])
        left.remove(p)
        out.append(p)
    return out


def more_special(regions, isa, p, q):
    """Does p match part of what q matches: in its tree, its guards, the features it asks for?"""
    if not p.requires >= q.requires or not regions.inside(isa, p, q):
        return False
    return p.requires > q.requires or not regions.inside(isa, q, p)


def in_order(isa, patterns, diag):
    """Sorted: by rank, then the more special, then by cost, then what is written before what has operands exchanged;
    `before` moves a rule in front of a named one."""
    groups = {}
    for p in sorted(patterns, key=lambda p: (rank(p), p.cost, p.order, p.name, str(p))):
        groups.setdefault((rank(p), p.type or ""), []).append(p)
    ranked = [p for key in sorted(groups) for p in narrow_first(isa, groups[key])]
    position = {id(p): i for i, p in enumerate(ranked)}
    for p in sorted(patterns, key=lambda p: p.name):
        for q in ranked:
            if q.name in p.before and position[id(q)] < position[id(p)] and rank(q) <= rank(p):
                ranked.remove(p)
                ranked.insert(ranked.index(q), p)
                position = {id(r): i for i, r in enumerate(ranked)}
                break
    seen = {}
    for p in ranked:
        key = (shape(p.tree, False), p.itself.kind if p.itself else None, p.requires, p.guard is None)
        if p.guard is None:
            other = seen.setdefault(key, p)
            if other is not p and other.name != p.name and not (other.cost < p.cost or p.name in other.before):
                diag.error(p.loc, "%s and %s select the same tree %s at the same cost" % (other.name, p.name, p),
                           (other.loc, "the other is here"))
    return ranked


def check_names(p, diag):
    """A name stands for one thing in a pattern; only a memory operand may stand twice (read, change, write)."""
    names = [t.name for t in p.leaves() if not isinstance(t, Mem) and t.name[0] != "="]
    for name in names:
        if names.count(name) > 1:
            diag.error(p.loc, "'%s' stands twice in the pattern of %s" % (name, p.name))
            return


def patterns_of(isa, ir, diag):
    out = Patterns(isa, ir)
    derive, rules = Derive(isa, ir), Rules(isa, ir, diag)
    found = []
    for inst in isa.insts.values():
        found += list(derive.of_inst(inst))
    for rule in isa.rules:
        made = list(rules.of_rule(rule))
        if not made and not diag:
            diag.error(rule.loc, "no types fit the pattern of rule '%s'" % rule.name)
        found += made
    spread = []
    for p in found:
        check_names(p, diag)
        seen = set()
        for k, tree in enumerate(commuted(p.tree)):
            text = str(tree)
            if text not in seen:
                seen.add(text)
                spread.append(copy_with(p, copy_tree(tree), k))
    for p in merge_types(spread):
        out.by_root.setdefault(p.root, []).append(p)
    for root in out.by_root:
        out.by_root[root] = in_order(isa, out.by_root[root], diag)
    return out
