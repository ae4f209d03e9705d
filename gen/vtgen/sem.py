"""Names, widths and constants of expressions.

`Widths.infer` resolves every name of an expression (Expr.ref = Binding) and gives every node its .width in bits. Widths
come from the leaves: operands, views, loads, explicit extensions. A number and `undefined` take the width of what they
are combined with; nothing is ever extended silently. Truth values have width 1, effects (store) width 0.

Named functions that are operators (`add`, `slt`, ...) become bin nodes, so that `add(a, b)` and `a + b` are one tree;
`load` and `mem` are one function, called `load`.
"""
from tree import Expr


class Binding:
    """What a name stands for. kind:
      opnd   an operand of an instruction or opcode, or a part of a form (obj = Opnd, or IrParam)
      part   a part of a composite operand, m.b (obj = Opnd of the form)
      let    obj = Stmt          param   a parameter of a fn (obj = its name)
      reg    obj = Reg           flag    one flag bit (obj = (Flags, index))    flags  a flags register (obj = Flags)
      pc     pc or pc_next       undefined
      type   obj = width         const   obj = int         free  a pattern variable
    width: bits, None = takes the width of its surroundings.
    """
    __slots__ = ("kind", "obj", "width")

    def __init__(self, kind, obj=None, width=None):
        self.kind, self.obj, self.width = kind, obj, width

    def __repr__(self):
        return "<%s %r %s>" % (self.kind, self.obj, self.width)


class Scope:
    def __init__(self, parent=None):
        self.parent, self.names = parent, {}

    def find(self, name):
        scope = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None


OPERATORS = {n: ("bin", n, False) for n in (
    "add sub mul and or xor udiv sdiv urem srem shl lshr ashr eq ne ult slt ule sle cat".split())}
OPERATORS.update({"ugt": ("bin", "ult", True), "sgt": ("bin", "slt", True), "uge": ("bin", "ule", True),
                  "sge": ("bin", "sle", True), "not": ("un", "not", False), "neg": ("un", "neg", False)})

# name -> (rule, number of arguments). Rules:
#   same     all arguments and the result have one width        shift   result like the first, the second any
#   test     arguments of one width, result 1                   first   result 1, arguments of any width
#   grow, shrink, convert   (x, N): result N bits; N >= width(x), N <= width(x), any
#   size     (N): result N bits             load    (address, N): N bits from memory
#   store    (address, x, N): no result     effect  any arguments, no result
#   address  an entity's address: as wide as wanted             number  a constant: as wide as wanted
#   over     (x, y, truth): 1           select  (truth, x, y)   quotient, divides  (twice as wide as y, y)
#   lanes    (function, operands)
BUILTINS = {
    "zext": ("grow", 2), "sext": ("grow", 2), "low": ("shrink", 2), "high": ("shrink", 2),
    "zero": ("size", 1), "ones": ("size", 1), "min": ("size", 1), "max": ("size", 1),
    "load": ("load", 2), "store": ("store", 3), "atomic_mem": ("load", 2), "atomic_store": ("store", 3),
    "fence": ("effect", 0), "address": ("address", 1), "width": ("number", 1), "half": ("number", 1),
    "rotl": ("shift", 2), "rotr": ("shift", 2), "umulhi": ("same", 2), "smulhi": ("same", 2),
    "umin": ("same", 2), "umax": ("same", 2), "smin": ("same", 2), "smax": ("same", 2), "abs": ("same", 1),
    "clz": ("same", 1), "ctz": ("same", 1), "cls": ("same", 1), "popcnt": ("same", 1), "bitrev": ("same", 1),
    "bswap": ("same", 1), "msb": ("first", 1), "parity": ("first", 1), "bit4": ("first", 1), "bool": ("first", 1),
    "uadd_over": ("over", 3), "sadd_over": ("over", 3), "usub_over": ("over", 3), "ssub_over": ("over", 3),
    "umul_over": ("test", 2), "smul_over": ("test", 2), "carry": ("over", 3), "overflow": ("over", 3),
    "borrow": ("over", 3), "fits_quotient_u": ("divides", 2), "fits_quotient_s": ("divides", 2),
    "lanes2": ("lanes", 0), "lanes4": ("lanes", 0), "lanes8": ("lanes", 0), "round_mode": ("shift", 2),
    "call": ("effect", 1), "return_to": ("effect", 1), "trap": ("effect", 0), "debugtrap": ("effect", 0),
    "guard_select": ("select", 3),
    "fadd": ("same", 2), "fsub": ("same", 2), "fmul": ("same", 2), "fdiv": ("same", 2), "sqrt": ("same", 1),
    "fma": ("same", 3), "fmin": ("same", 2), "fmax": ("same", 2), "ceil": ("same", 1), "floor": ("same", 1),
    "trunc": ("same", 1), "nearest": ("same", 1), "feq": ("test", 2), "flt": ("test", 2), "fle": ("test", 2),
    "funo": ("test", 2),
    "fpromote": ("grow", 2), "fdemote": ("shrink", 2), "to_uint": ("convert", 2), "to_sint": ("convert", 2),
    "to_uint_sat": ("convert", 2), "to_sint_sat": ("convert", 2), "from_uint": ("convert", 2),
    "from_sint": ("convert", 2), "fits_uint": ("fits", 2), "fits_sint": ("fits", 2),
    "quot_s": ("quotient", 2), "rem_s": ("quotient", 2), "quot_u": ("quotient", 2), "rem_u": ("quotient", 2),
    "replicate": ("replicate", 2), "holds": ("first", 1), "compare": ("compare", 3),
}
SYNONYMS = {"mem": "load"}
MOST_BITS = 1024  # of a value
SHIFTS = ("shl", "lshr", "ashr")
TESTS = ("eq", "ne", "ult", "slt", "ule", "sle")
TRUTHS = ("lor", "land")


def fold(e, lookup=None):
    """The integer value of a constant expression, or None. lookup(name) may supply values of names."""
    if e.k == "num":
        return e.value
    if e.k == "name":
        if e.ref is not None and e.ref.kind == "const":
            return e.ref.obj
        return lookup(e.name) if lookup else None
    args = [fold(a, lookup) for a in e.args] if e.k in ("bin", "un", "cond", "index", "slice") else [None]
    if any(a is None for a in args):
        return None
    if e.k == "cond":
        return args[1] if args[0] else args[2]
    if e.k == "un":
        return {"neg": -args[0], "not": ~args[0], "lnot": int(not args[0])}[e.op]
    if e.k == "index":
        return args[0] >> args[1] & 1
    if e.k == "slice":
        return args[0] >> e.value[1] & ((1 << (e.value[0] - e.value[1] + 1)) - 1)
    a, b = args
    if e.op in ("shl", "lshr", "ashr") and not 0 <= b < 4096:
        return None
    table = {"add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "and": lambda: a & b,
             "or": lambda: a | b, "xor": lambda: a ^ b, "shl": lambda: a << b, "lshr": lambda: a >> b,
             "ashr": lambda: a >> b, "eq": lambda: int(a == b), "ne": lambda: int(a != b),
             "land": lambda: int(bool(a and b)), "lor": lambda: int(bool(a or b)),
             "ult": lambda: int(a < b), "slt": lambda: int(a < b), "ule": lambda: int(a <= b),
             "sle": lambda: int(a <= b)}
    return table[e.op]() if e.op in table else None


def folded(e, lookup=None):
    """The expression with its constant parts made into numbers (a new tree; names keep their refs)."""
    value = fold(e, lookup)
    if value is not None:
        return Expr("num", e.loc, value=value)
    new = Expr(e.k, e.loc, e.op, e.name, e.value, [folded(a, lookup) for a in e.args],
               [(n, folded(v, lookup)) for n, v in e.kwargs], [folded(a, lookup) for a in e.attrs])
    new.ref, new.width, new.body = e.ref, e.width, e.body
    return new


class FnInstance:
    """A `fn` at the widths of one call. params: [(name, width)]; body: Expr with widths, its parameters refs of kind
    'param'; width: of the result; known: arguments -> value, of those that were evaluated."""

    def __init__(self, fn, params):
        self.fn, self.params, self.body, self.width, self.known = fn, params, None, None, {}


class Widths:
    """world: has .fns (name -> Fn), .flags (name -> Flags), .types (name -> width), .word (bits of operands of effects, or
    None), .addresses (how many bits they may have), .scope, member(binding, name)."""

    def __init__(self, diag, world):
        self.diag, self.world = diag, world
        self.instances = {}

    def error(self, loc, text, *notes):
        self.diag.error(loc, text, *notes)

    # ---- flexible nodes ----

    def settle(self, e, width):
        """Gives a node without width (and its flexible parts) this one."""
        if width is None or e.width is not None:
            return
        e.width = width
        if e.k == "num":
            if width and not -(1 << (width - 1)) <= e.value < (1 << width):
                self.error(e.loc, "%d does not fit %d bits" % (e.value, width))
        elif e.k == "name" and e.ref is not None and e.ref.kind == "let" and e.ref.width is None:
            e.ref.width = width
            self.settle(e.ref.obj.value, width)
        elif e.k == "cond":
            self.settle(e.args[1], width)
            self.settle(e.args[2], width)
        elif e.k in ("bin", "un"):
            self.settle(e.args[0], width)
            if e.k == "bin":
                self.settle(e.args[1], width)
        elif e.k == "call":
            for a in e.args:
                self.settle(a, width)

    def unify(self, e, parts, scope):
        """Infers parts that must be equally wide; returns the width, None if all are flexible."""
        widths = [self.infer(p, scope) for p in parts]
        known = next((w for w in widths if w is not None), None)
        if known is None:
            return None
        for p, w in zip(parts, widths):
            if w is None:
                self.settle(p, known)
            elif w != known:
                self.error(e.loc, "the two sides are %d and %d bits wide" % (known, w))
                return known
        return known

    def truth(self, e, scope):
        """e must be a truth value."""
        w = self.infer(e, scope)
        if w is None:
            self.settle(e, 1)
        elif w != 1:
            self.error(e.loc, "a condition is 1 bit, this is %d: compare it with something" % w)

    # ---- inference ----

    def infer(self, e, scope, want=None):
        w = getattr(self, "_" + e.k)(e, scope)
        e.width = w
        if w is None and want is not None:
            self.settle(e, want)
            return want
        return w

    def expect(self, e, scope, want, what):
        """Infers e, which must be `want` bits (None: any definite width)."""
        w = self.infer(e, scope, want)
        if want is not None and w != want:
            self.error(e.loc, "%s is %d bits, this is %s" % (what, want, "%d" % w if w else "nothing"))
        return w

    def _num(self, e, scope):
        return None

    def _str(self, e, scope):
        return 0

    def _typed(self, e, scope):
        self.error(e.loc, "'%s: %s' has no place here" % (e.name, e.op))
        return None

    def _nth(self, e, scope):
        self.error(e.loc, "'#' belongs to patterns")
        return None

    def _name(self, e, scope):
        b = scope.find(e.name)
        if b is None:
            self.error(e.loc, "nothing is named '%s'" % e.name)
            return None
        e.ref = b
        if b.kind == "type":
            self.error(e.loc, "'%s' is a type: a value belongs here" % e.name)
        return None if b.kind == "const" else b.width

    def _dot(self, e, scope):
        base = e.args[0]
        if base.k == "name":
            b = scope.find(base.name)
            if b is None:
                self.error(base.loc, "nothing is named '%s'" % base.name)
                return None
            base.ref, base.width = b, b.width
            found = self.world.member(b, e.name)
            if found is not None:
                e.ref = found
                return found.width
            self.error(e.loc, "'%s' has no '%s'" % (base.name, e.name))
            return None
        self.infer(base, scope)
        self.error(e.loc, "only names have parts")
        return None

    def _index(self, e, scope):
        w = self.infer(e.args[0], scope)
        if len(e.args) != 2:
            self.error(e.loc, "one bit number, please")
            return 1
        i = fold(e.args[1])
        if i is not None:
            e.args[1].width = e.args[1].width or 8
            if w is not None and not 0 <= i < w:
                self.error(e.loc, "bit %d of a value of %d bits" % (i, w))
        else:
            self.infer(e.args[1], scope, 8)
        return 1

    def _slice(self, e, scope):
        w = self.infer(e.args[0], scope)
        hi, lo = e.value
        if not 0 <= lo <= hi:
            self.error(e.loc, "the upper bit stands first: [hi:lo]")
            return None
        if w is not None and hi >= w:
            self.error(e.loc, "bits %d to %d of a value of %d bits" % (hi, lo, w))
        return hi - lo + 1

    def _un(self, e, scope):
        if e.op == "lnot":
            self.truth(e.args[0], scope)
            return 1
        return self.infer(e.args[0], scope)

    def _bin(self, e, scope):
        a, b = e.args
        if e.op in TRUTHS:
            self.truth(a, scope)
            self.truth(b, scope)
            return 1
        if e.op in SHIFTS:
            w = self.infer(a, scope)
            self.infer(b, scope, w or 8)
            if b.width is None:
                self.settle(b, 8)
            return w
        if e.op == "cat":
            wa, wb = self.infer(a, scope), self.infer(b, scope)
            if wa is None or wb is None:
                self.error(e.loc, "++ needs parts of known width: write zext(%s, N)" % (a if wa is None else b))
                return None
            return wa + wb
        w = self.unify(e, e.args, scope)
        if e.op in TESTS:
            if w is None:
                self.settle(a, 64)
                self.settle(b, 64)
            return 1
        return w

    def _cond(self, e, scope):
        self.truth(e.args[0], scope)
        return self.unify(e, e.args[1:], scope)

    def size(self, e, scope):
        """A width argument: a number, a type, or a name bound to one."""
        if e.k == "call" and e.name in ("half", "width") and len(e.args) == 1:
            inner = self.size(e.args[0], scope)
            e.width = 0
            return None if inner is None else inner // 2 if e.name == "half" else inner
        value = fold(e)
        if value is None and e.k == "name":
            b = scope.find(e.name)
            if b is not None and b.kind in ("type", "const"):
                value = b.obj
                e.ref = b
            elif e.name in self.world.types:
                value = self.world.types[e.name]
        if value is None or not 0 < value <= MOST_BITS:
            self.error(e.loc, "a width in bits belongs here")
            return None
        for part in e.walk():
            part.width = 0  # not a value
        return value

    def _call(self, e, scope):
        name = e.name = SYNONYMS.get(e.name, e.name)
        if name in self.world.flags:
            return self._flags_value(e, scope)
        if name in self.world.fns:
            return self._fn_call(e, scope)
        if e.attrs:
            self.error(e.loc, "'%s' takes no attributes here" % name)
        if e.kwargs:
            self.error(e.loc, "'%s' has no named arguments" % name)
        if name == "same" and len(e.args) == 1:
            w = self.infer(e.args[0], scope)
            self._become(e, e.args[0])
            return w
        if name in OPERATORS:
            k, op, swap = OPERATORS[name]
            if len(e.args) != (2 if k == "bin" else 1):
                self.error(e.loc, "'%s' has %d arguments" % (name, 2 if k == "bin" else 1))
                return None
            e.k, e.op, e.name = k, op, None
            if swap:
                e.args.reverse()
            return self._bin(e, scope) if k == "bin" else self._un(e, scope)
        if name not in BUILTINS:
            self.error(e.loc, "no function is named '%s'" % name)
            for a in e.args:
                self.infer(a, scope)
            return None
        rule, n = BUILTINS[name]
        if len(e.args) != n and rule != "lanes":
            self.error(e.loc, "'%s' has %d arguments, %d given" % (name, n, len(e.args)))
            return None
        return self._builtin(e, rule, scope)

    def address(self, e, scope):
        w = self.infer(e, scope, max(self.world.addresses))
        if w is not None and w not in self.world.addresses:
            self.error(e.loc, "an address has %s bits, this is %d" % (" or ".join(map(str, self.world.addresses)), w))

    @staticmethod
    def _become(e, other):
        for slot in Expr.__slots__:
            setattr(e, slot, getattr(other, slot))

    def _builtin(self, e, rule, scope):
        args = e.args
        if rule in ("same", "test"):
            w = self.unify(e, args, scope)
            return 1 if rule == "test" else w
        if rule == "over":
            self.unify(e, args[:2], scope)
            self.truth(args[2], scope)
            return 1
        if rule == "select":
            self.truth(args[0], scope)
            return self.unify(e, args[1:], scope)
        if rule == "first":
            self.infer(args[0], scope)
            return 1
        if rule == "shift":
            w = self.infer(args[0], scope)
            self.infer(args[1], scope, 8)
            return w
        if rule in ("grow", "shrink", "convert", "fits"):
            w, n = self.infer(args[0], scope), self.size(args[1], scope)
            if w is None and n is not None and rule in ("grow", "shrink"):
                self.settle(args[0], n)
            elif w is not None and n is not None:
                if rule == "grow" and w > n:
                    self.error(e.loc, "'%s' to %d bits of a value of %d bits" % (e.name, n, w))
                if rule == "shrink" and w < n:
                    self.error(e.loc, "'%s' to %d bits of a value of %d bits" % (e.name, n, w))
            return 1 if rule == "fits" else n
        if rule == "size":
            return self.size(args[0], scope)
        if rule == "load":
            self.address(args[0], scope)
            return self.size(args[1], scope)
        if rule == "store":
            self.address(args[0], scope)
            n = self.size(args[2], scope)
            if n is not None:
                self.expect(args[1], scope, n, "what is stored")
            return 0
        if rule == "effect":
            for a in args:
                self.infer(a, scope, self.world.word)
            return 0
        if rule == "lanes":  # (function of lanes, operands): the operands are cut into lanes and put together again
            args[0].width = 0
            return self._lanes(e, [self.infer(a, scope) for a in args[1:]])
        if rule == "address":
            self.infer(args[0], scope)
            return None
        if rule == "number":
            n = self.size(e, scope) if e.name == "half" else self.size(args[0], scope)
            if n is not None:
                e.k, e.value, e.args, e.name = "num", n, [], None
            return None
        if rule in ("quotient", "divides"):
            wa, wb = self.infer(args[0], scope), self.infer(args[1], scope)
            if wa is not None and wb is not None and wa != 2 * wb:
                self.error(e.loc, "the dividend is %d bits, twice the divisor's %d are due" % (wa, wb))
            return 1 if rule == "divides" else wb
        if rule == "replicate":  # (x, n): the low n bits of x, repeated over its width
            w = self.infer(args[0], scope)
            self.infer(args[1], scope, w)
            return w
        if rule == "compare":
            return self._compare(e, scope)
        raise AssertionError(rule)

    def _lanes(self, e, widths):
        """lanesN(f, x, ...): f is a `fn`, given lanes of what is as wide as x and the rest as it is, or built in."""
        if not widths or widths[0] is None:
            return None
        fn = self.world.fns.get(e.args[0].name)
        if fn is not None:
            sizes = {}
            for width, (_, kind) in zip(widths, fn.params):
                if self.fixed_width(kind, {}) is None and width is not None:
                    sizes.setdefault(kind, width // int(e.name[5:]) if width == widths[0] else width)
            e.body = self.instance(fn, sizes)
        elif e.args[0].name not in BUILTINS:
            self.error(e.args[0].loc, "no function is named '%s'" % e.args[0].name)
        return widths[0]

    def _compare(self, e, scope):
        cc = e.args[0]
        self.infer(cc, scope)
        if cc.k == "name" and cc.ref is not None and not getattr(cc.ref.obj, "kind", "").endswith("cc"):
            self.error(cc.loc, "'%s' is no condition: compare(cc, x, y)" % cc.name)
        self.unify(e, e.args[1:], scope)
        return 1

    def _flags_value(self, e, scope):
        """EFLAGS(base, CF = ..., ...): the base's bits (a flags value) with some replaced; what nothing gives is
        undefined."""
        flags = self.world.flags[e.name]
        e.ref = Binding("flags", flags, len(flags.bits))
        for a in e.args:
            self.expect(a, scope, len(flags.bits), "'%s'" % flags.name)
        for name, value in e.kwargs:
            if name not in flags.bits:
                self.error(value.loc, "'%s' has no flag '%s'" % (flags.name, name))
            self.infer(value, scope, 1)
            if value.width not in (None, 1):
                self.error(value.loc, "a flag is 1 bit, this is %d" % value.width)
        given = [n for n, _ in e.kwargs]
        for name in given:
            if given.count(name) > 1:
                self.error(e.loc, "flag '%s' is given twice" % name)
                break
        return len(flags.bits)

    def _fn_call(self, e, scope):
        fn = self.world.fns[e.name]
        e.ref = fn
        if len(e.args) != len(fn.params) or e.kwargs:
            self.error(e.loc, "'%s' has %d arguments, %d given" % (fn.name, len(fn.params), len(e.args)),
                       (fn.loc, "it is declared here"))
            for a in e.args:
                self.infer(a, scope)
            return self.fixed_width(fn.type, {})
        sizes = {}
        for a, (_, kind) in zip(e.args, fn.params):
            w = self.infer(a, scope)
            if w is None:
                continue
            if isinstance(kind, str) and kind not in self.world.types and kind not in self.world.flags:
                if sizes.setdefault(kind, w) != w:
                    self.error(a.loc, "'%s' is %d bits in this call, this argument %d" % (kind, sizes[kind], w))
            elif self.fixed_width(kind, {}) not in (None, w):
                self.error(a.loc, "this parameter of '%s' is %d bits, the argument %d"
                           % (fn.name, self.fixed_width(kind, {}), w))
        for a, (_, kind) in zip(e.args, fn.params):
            if a.width is None:
                self.settle(a, self.fixed_width(kind, sizes))
        free = [k for _, k in fn.params if self.fixed_width(k, sizes) is None]
        if free:
            if all(a.ref is not None or a.k == "num" for a in e.args):  # else something in them is wrong, and reported
                self.error(e.loc, "the width '%s' of '%s' is open: write zext(..., N)" % (free[0], fn.name))
            return None
        e.body = self.instance(fn, sizes)
        return e.body.width

    def fixed_width(self, kind, sizes):
        """kind of a fn's parameter or result: int, a type's or flags' name, or the name of a width."""
        if isinstance(kind, int):
            return kind
        if kind in self.world.types:
            return self.world.types[kind]
        if kind in self.world.flags:
            return len(self.world.flags[kind].bits)
        return sizes.get(kind)

    def instance(self, fn, sizes):
        key = (fn.name, tuple(sorted(sizes.items())))
        if key in self.instances:
            if self.instances[key] is None:
                self.error(fn.loc, "'%s' calls itself" % fn.name)
                return FnInstance(fn, [])
            return self.instances[key]
        self.instances[key] = None
        inst = FnInstance(fn, [(n, self.fixed_width(k, sizes)) for n, k in fn.params])
        scope = Scope(self.world.scope)
        for name, size in sizes.items():
            scope.names[name] = Binding("const", size)
        for name, width in inst.params:
            scope.names[name] = Binding("param", name, width)
        inst.body = fn.value.copy()
        inst.width = self.fixed_width(fn.type, sizes)
        self.expect(inst.body, scope, inst.width, "the result of '%s'" % fn.name)
        self.instances[key] = inst
        return inst

    # ---- statements ----

    def stmts(self, stmts, scope):
        for s in stmts:
            if s.k == "let":
                w = self.infer(s.value, scope)
                if scope.find(s.name) is not None and scope.find(s.name).kind in ("let", "opnd", "reg"):
                    self.error(s.loc, "'%s' has a meaning already" % s.name)
                scope.names[s.name] = Binding("let", s, w)
            elif s.k == "assign":
                t = self.infer(s.target, scope)
                base = s.target
                while base.k in ("slice", "index", "dot") and base.args:
                    base = base.args[0]
                kind = base.ref.kind if base.ref is not None else None
                if kind in ("let", "param", "const", "type", "undefined"):
                    self.error(s.target.loc, "'%s' cannot be assigned to" % base)
                self.infer(s.value, scope, t)
                if t is not None and s.value.width not in (None, t):
                    self.error(s.loc, "%d bits are assigned to '%s', which has %d" % (s.value.width, s.target, t))
            elif s.k == "do":
                if self.infer(s.value, scope) not in (0, None):
                    self.error(s.loc, "this computes a value that nothing takes")
            else:
                self.truth(s.value, scope)
                self.stmts(s.then, Scope(scope))
                self.stmts(s.other, Scope(scope))
