"""`sem` as bit-vector terms (smt.py): one evaluator for opcodes and for instructions.

    Eval(ir, world).expr(e, env)     the Term of an expression whose names sem.py has resolved

`world` answers for what is not arithmetic; see class World. Integer functions are written out exactly. Of floats:
  * comparisons, NaN tests and "does the truncated value fit" are exact: functions of the bits;
  * conversions to integers go through one exact function, the float's whole part as an integer of 66 bits (read only
    where it fits); conversions from integers through one unknown function of the 65-bit number;
  * `trunc` is exact, but for which NaN it gives;
  * other arithmetic is an unknown function: equal for equal operands, nothing else is known of it.
"""
import smt
from smt import const, ite

WHOLE = 66   # bits of a whole part: every i64 and u64, and a bit


class Unsaid(Exception):
    """The meaning of this cannot be written as bit vectors."""

    def __init__(self, loc, text):
        super().__init__(text)
        self.loc, self.text = loc, text


class World:
    """What an evaluation asks of its surroundings. Env: operand name -> Term, Code, Place or whatever the
    asking class puts there."""

    def name(self, e, env):
        """The Term of a name or dot whose meaning is not local (opnd, part, reg, flag, pc)."""
        raise NotImplementedError

    def load(self, address, width, atomic):
        raise NotImplementedError

    def undefined(self, width):
        raise NotImplementedError

    def holds(self, e, env):
        raise NotImplementedError

    def address(self, e, env):
        raise NotImplementedError


# ---- integers ----------------------------------------------------------------------------------------------------

def popcnt(x):
    """Pairs, then fours, ...: the sum of all bits."""
    w, k = x.width, 1
    while k < w:
        mask = const(sum(((1 << k) - 1) << i for i in range(0, w, 2 * k)), w)
        x = smt.add(smt.conj(x, mask), smt.conj(smt.lshr(x, const(k, w)), mask))
        k *= 2
    return x


def ctz(x):
    w = x.width
    out = const(w, w)
    for i in reversed(range(w)):
        out = ite(smt.bit(x, i), const(i, w), out)
    return out


def clz(x):
    w = x.width
    out = const(w, w)
    for i in range(w):
        out = ite(smt.bit(x, i), const(w - 1 - i, w), out)
    return out


def cls(x):
    """Bits below the sign bit that equal it, from above."""
    w = x.width
    return smt.sub(clz(smt.xor(x, smt.ashr(x, const(w - 1, w)))), const(1, w))


def bitrev(x):
    out = smt.bit(x, 0)
    for i in range(1, x.width):
        out = smt.concat(out, smt.bit(x, i))
    return out


def bswap(x):
    out = smt.extract(x, 7, 0)
    for i in range(8, x.width, 8):
        out = smt.concat(out, smt.extract(x, i + 7, i))
    return out


def rotate(op, x, n):
    """Left ("rotl") or right, by n modulo the width (a power of two)."""
    w = x.width
    n = smt.conj(smt.resize(n, w), const(w - 1, w))
    rest = smt.conj(smt.sub(const(w, w), n), const(w - 1, w))
    left, right = (n, rest) if op == "rotl" else (rest, n)
    return smt.disj(smt.shl(x, left), smt.lshr(x, right))


def shift(op, x, n):
    """Beyond the width everything is shifted out; the amount is a number without sign of any width."""
    w = x.width
    if n.op == "zero_extend" and n.args[0].width <= w:
        n = n.args[0]
    if n.width > w:
        beyond = smt.ule(const(w, n.width), n)
        gone = smt.ashr(x, const(w - 1, w)) if op == "ashr" else const(0, w)
        return ite(beyond, gone, shift(op, x, smt.low(n, w)))
    n = smt.zext(n, w)
    return {"shl": smt.shl, "lshr": smt.lshr, "ashr": smt.ashr}[op](x, n)


def product(x, y, sign):
    grow = smt.sext if sign else smt.zext
    return smt.mul(grow(x, 2 * x.width), grow(y, 2 * x.width))


def fits_sum(x, y, c, op, sign):
    """The exact x op y op c, two bits wider, leaves the type."""
    grow, w = (smt.sext if sign else smt.zext), x.width
    a, b = grow(x, w + 2), grow(y, w + 2)
    exact = (smt.add if op == "add" else smt.sub)(a, b)
    exact = (smt.add if op == "add" else smt.sub)(exact, smt.zext(c, w + 2))
    return smt.ne(exact, grow(smt.low(exact, w), w + 2))


def quotient(op, n, d):
    """Of a dividend twice as wide as the divisor; the low half of the exact result."""
    w = d.width
    sign = op.endswith("_s")
    d2 = (smt.sext if sign else smt.zext)(d, 2 * w)
    f = {"quot_s": smt.sdiv, "rem_s": smt.srem, "quot_u": smt.udiv, "rem_u": smt.urem}[op]
    return f(n, d2)


def compact(n):
    """A dividend hi ++ lo whose high half is an extension of the low one."""
    if n.op == "concat":
        hi, lo = n.args
        if smt.known(hi) and hi.value == 0:
            return smt.zext(lo, n.width)
        if hi.op == "bvashr" and hi.args[0] is lo and hi.args[1] is const(lo.width - 1, lo.width):
            return smt.sext(lo, n.width)
    return n


# ---- floats ------------------------------------------------------------------------------------------------------

MANTISSA = {16: 10, 32: 23, 64: 52, 128: 112}


def exponent_mask(w):
    m = MANTISSA[w]
    return ((1 << (w - 1 - m)) - 1) << m


def magnitude(x):
    return smt.conj(x, const((1 << (x.width - 1)) - 1, x.width))


def is_nan(x):
    return smt.ult(const(exponent_mask(x.width), x.width), magnitude(x))


def funo(x, y):
    return smt.disj(is_nan(x), is_nan(y))


def both_zero(x, y):
    return smt.eq(magnitude(smt.disj(x, y)), const(0, x.width))


def feq(x, y):
    return smt.conj(smt.bvnot(funo(x, y)), smt.disj(smt.eq(x, y), both_zero(x, y)))


def flt(x, y):
    """Sign and magnitude: like signs compare by magnitude, the other way round below zero."""
    sx, sy = smt.msb(x), smt.msb(y)
    less = ite(sx, ite(sy, smt.ult(y, x), smt.TRUE), ite(sy, smt.FALSE, smt.ult(x, y)))
    return smt.all_of([smt.bvnot(funo(x, y)), smt.bvnot(both_zero(x, y)), less])


def float_bits(number, w, up):
    """The bits of an integer as a float; rounded up or down when it is none. Exact for the bounds of types."""
    m = MANTISSA[w]
    bias = (1 << (w - 2 - m)) - 1
    if number == 0:
        return 0
    sign, a = (1 << (w - 1) if number < 0 else 0), abs(number)
    e = a.bit_length() - 1
    if e <= m:
        return sign | (e + bias) << m | (a << (m - e)) & ((1 << m) - 1)
    f, rest = a >> (e - m), a & ((1 << (e - m)) - 1)
    if rest and (up != (number < 0)):
        f += 1
    return sign | ((e + bias) << m) + (f - (1 << m))


def exact_float(number, w):
    return abs(number) == 0 or abs(number).bit_length() - (abs(number) & -abs(number)).bit_length() <= MANTISSA[w]


def fits(x, n, sign):
    """x truncated toward zero is in the range of an integer of n bits: low - 1 < x < high + 1."""
    w = x.width
    least = -(1 << (n - 1)) if sign else 0
    below = least - 1
    if exact_float(below, w):
        low_ok = flt(const(float_bits(below, w, False), w), x)
    else:  # no float between low - 1 and low: it starts at low
        bound = const(float_bits(least, w, True), w)
        low_ok = smt.disj(flt(bound, x), feq(bound, x))
    high = const(float_bits(1 << (n - 1 if sign else n), w, True), w)
    return smt.all_of([smt.bvnot(is_nan(x)), low_ok, flt(x, high)])


def whole(x):
    """The whole part as an integer of 66 bits; 0 for what has none of that size."""
    return plain_whole(smt.WHOLE_OF.get(id(x), x))  # tests/proof proves that this is the same (`division`)


def plain_whole(x):
    w, m = x.width, MANTISSA[x.width]
    n, bias = WHOLE + m, (1 << (w - 2 - m)) - 1
    e = smt.zext(smt.extract(x, w - 2, m), n)
    power = smt.sub(e, const(bias, n))
    one = smt.zext(smt.concat(const(1, 1), smt.extract(x, m - 1, 0)), n)
    size = smt.extract(smt.shl(one, power), n - 1, m)
    inside = smt.conj(smt.ule(const(bias, n), e), smt.ult(e, const(bias + WHOLE - 1, n)))
    size = ite(inside, size, const(0, WHOLE))
    return ite(smt.msb(x), smt.bvneg(size), size)


def trunc(x):
    """The whole part as a float: the bits of the fraction below the unit are cleared. Of a NaN it is some NaN."""
    w, m = x.width, MANTISSA[x.width]
    bias = (1 << (w - 2 - m)) - 1
    e = smt.zext(smt.extract(x, w - 2, m), w)
    keep = smt.ashr(const((1 << w) - (1 << m), w), smt.sub(e, const(bias, w)))
    cut = ite(smt.ult(e, const(bias, w)), smt.conj(x, const(1 << (w - 1), w)),
              ite(smt.ule(const(bias + m, w), e), x, smt.conj(x, keep)))
    out = ite(is_nan(x), smt.disj(smt.apply("nan%d" % w, w, x), const(exponent_mask(w) | 1 << (m - 1), w)), cut)
    smt.WHOLE_OF[id(out)] = x
    return out


def to_int(x, n):
    return smt.low(whole(x), n)


def to_int_sat(x, n, sign):
    w = x.width
    least = -(1 << (n - 1)) if sign else 0
    most = (1 << (n - 1)) - 1 if sign else (1 << n) - 1
    clamped = ite(smt.msb(x), const(least, n), const(most, n))
    return ite(is_nan(x), const(0, n), ite(fits(x, n, sign), to_int(x, n), clamped)) if w else None


def from_int(x, w, sign):
    return smt.apply("from_int%d" % w, w, (smt.sext if sign else smt.zext)(x, 65))


UNKNOWN = {"fadd", "fsub", "fmul", "fdiv", "sqrt", "fma", "fmin", "fmax", "ceil", "floor", "nearest"}
ROUNDINGS = ("nearest", "floor", "ceil", "trunc")


# ---- the evaluator -----------------------------------------------------------------------------------------------

class Eval:
    def __init__(self, ir, world):
        self.ir, self.world = ir, world

    def expr(self, e, env):
        return getattr(self, "_" + e.k)(e, env)

    def _num(self, e, env):
        return const(e.value, e.width or 64)

    def _name(self, e, env):
        ref = e.ref
        if ref is None or ref.kind == "free":
            return env[e.name]
        if ref.kind == "const":
            return const(ref.obj, e.width or 64)
        if ref.kind == "param":
            return env["param", e.name]
        if ref.kind == "undefined":
            return self.world.undefined(e.width)
        if ref.kind == "let":
            if ("let", id(ref.obj)) not in env:
                env["let", id(ref.obj)] = self.expr(ref.obj.value, env)
            return env["let", id(ref.obj)]
        return self.world.name(e, env)

    def _dot(self, e, env):
        return self.world.name(e, env)

    def _index(self, e, env):
        x, i = self.expr(e.args[0], env), self.expr(e.args[1], env)
        if smt.known(i):
            return smt.bit(x, i.value)
        return smt.bit(shift("lshr", x, i), 0)

    def _slice(self, e, env):
        return smt.extract(self.expr(e.args[0], env), *e.value)

    def _un(self, e, env):
        x = self.expr(e.args[0], env)
        return smt.bvneg(x) if e.op == "neg" else smt.bvnot(x)

    BIN = {"add": smt.add, "sub": smt.sub, "mul": smt.mul, "and": smt.conj, "or": smt.disj, "xor": smt.xor,
           "land": smt.conj, "lor": smt.disj, "eq": smt.eq, "ne": smt.ne, "ult": smt.ult, "ule": smt.ule,
           "slt": smt.slt, "sle": smt.sle, "cat": smt.concat, "udiv": smt.udiv, "sdiv": smt.sdiv, "urem": smt.urem,
           "srem": smt.srem}

    def _bin(self, e, env):
        a, b = self.expr(e.args[0], env), self.expr(e.args[1], env)
        if e.op in ("shl", "lshr", "ashr"):
            return shift(e.op, a, b)
        if e.op != "cat" and a.width != b.width:  # a number of a body that is used at several widths
            if e.args[1].k == "num":
                b = const(e.args[1].value, a.width)
            elif e.args[0].k == "num":
                a = const(e.args[0].value, b.width)
        return self.BIN[e.op](a, b)

    def _cond(self, e, env):
        c, a, b = (self.expr(x, env) for x in e.args)
        return ite(c, a, b)

    def _call(self, e, env):
        if e.ref is not None and getattr(e.ref, "kind", None) == "flags":
            raise Unsaid(e.loc, "a flags value stands alone")
        name = e.name
        if e.body is not None and not name.startswith("lanes"):
            return self.function(e, env)
        method = getattr(self, "f_" + name, None)
        if method is not None:
            return method(e, env)
        if name in UNKNOWN:
            args = [self.expr(a, env) for a in e.args]
            return smt.apply("%s%d" % (name, args[0].width), args[0].width, *args)
        if name in ("zero", "ones", "min", "max"):
            w = e.width
            return const({"zero": 0, "ones": -1, "min": 1 << (w - 1), "max": (1 << (w - 1)) - 1}[name], w)
        if name in ("zext", "sext", "low"):
            return {"zext": smt.zext, "sext": smt.sext, "low": smt.low}[name](self.expr(e.args[0], env), e.width)
        if name == "high":
            x = self.expr(e.args[0], env)
            return smt.extract(x, x.width - 1, x.width - e.width)
        raise Unsaid(e.loc, "'%s' has no meaning for the prover" % name)

    def function(self, e, env):
        inner = {("param", n): self.expr(a, env) for (n, _), a in zip(e.body.params, e.args)}
        inner["outer"] = env
        return self.expr(e.body.body, inner)

    def values(self, e, env):
        return [self.expr(a, env) for a in e.args]

    def f_load(self, e, env):
        return self.world.load(self.expr(e.args[0], env), e.width, False)

    def f_atomic_mem(self, e, env):
        return self.world.load(self.expr(e.args[0], env), e.width, True)

    def f_holds(self, e, env):
        return self.world.holds(e.args[0], env)

    def f_address(self, e, env):
        return self.world.address(e.args[0], env)

    def f_compare(self, e, env):
        cc = self.world.code(e.args[0], env)
        x, y = self.values_of(e.args[1:], env)
        return self.compare(cc, x, y)

    def values_of(self, args, env):
        return [self.expr(a, env) for a in args]

    def compare(self, item, x, y):
        """The meaning of a condition of the IR (an EnumItem) for two operands."""
        return self.expr(item.when, {"x": x, "y": y})

    def f_rotl(self, e, env):
        return rotate(e.name, *self.values(e, env))

    f_rotr = f_rotl

    def f_umulhi(self, e, env):
        x, y = self.values(e, env)
        return smt.extract(product(x, y, e.name == "smulhi"), 2 * x.width - 1, x.width)

    f_smulhi = f_umulhi

    def f_umul_over(self, e, env):
        x, y = self.values(e, env)
        p, sign = product(x, y, e.name == "smul_over"), e.name == "smul_over"
        return smt.ne(p, (smt.sext if sign else smt.zext)(smt.low(p, x.width), p.width))

    f_smul_over = f_umul_over

    def f_umin(self, e, env):
        x, y = self.values(e, env)
        less = smt.slt if e.name[0] == "s" else smt.ult
        return ite(less(x, y) if e.name.endswith("min") else less(y, x), x, y)

    f_umax = f_smin = f_smax = f_umin

    def f_abs(self, e, env):
        x, = self.values(e, env)
        return ite(smt.msb(x), smt.bvneg(x), x)

    def f_clz(self, e, env):
        return clz(*self.values(e, env))

    def f_ctz(self, e, env):
        return ctz(*self.values(e, env))

    def f_cls(self, e, env):
        return cls(*self.values(e, env))

    def f_popcnt(self, e, env):
        return popcnt(*self.values(e, env))

    def f_bitrev(self, e, env):
        return bitrev(*self.values(e, env))

    def f_bswap(self, e, env):
        return bswap(*self.values(e, env))

    def f_msb(self, e, env):
        return smt.msb(*self.values(e, env))

    def f_bit4(self, e, env):
        return smt.bit(self.values(e, env)[0], 4)

    def f_bool(self, e, env):
        x, = self.values(e, env)
        return smt.ne(x, const(0, x.width))

    def f_parity(self, e, env):
        """1 when the number of ones is even."""
        x, = self.values(e, env)
        odd = smt.FALSE
        for i in range(x.width):
            odd = smt.xor(odd, smt.bit(x, i))
        return smt.bvnot(odd)

    def f_uadd_over(self, e, env):
        x, y, c = self.values(e, env)
        return fits_sum(x, y, c, e.name[1:4], e.name[0] == "s")

    f_sadd_over = f_usub_over = f_ssub_over = f_uadd_over

    def f_carry(self, e, env):
        x, y, c = self.values(e, env)
        return fits_sum(x, y, c, "add", False)

    def f_borrow(self, e, env):
        x, y, c = self.values(e, env)
        return fits_sum(x, y, c, "sub", False)

    def f_overflow(self, e, env):
        x, y, c = self.values(e, env)
        return fits_sum(x, y, c, "add", True)

    def f_quot_u(self, e, env):
        n, d = self.values(e, env)
        return smt.low(quotient(e.name, compact(n), d), d.width)

    f_quot_s = f_rem_u = f_rem_s = f_quot_u

    def f_fits_quotient_u(self, e, env):
        n, d = self.values(e, env)
        sign = e.name.endswith("_s")
        q = quotient("quot_s" if sign else "quot_u", compact(n), d)
        return smt.eq((smt.sext if sign else smt.zext)(smt.low(q, d.width), n.width), q)

    f_fits_quotient_s = f_fits_quotient_u

    def f_guard_select(self, e, env):
        return ite(*self.values(e, env))

    def f_replicate(self, e, env):
        x, n = self.values(e, env)
        if not smt.known(n):
            raise Unsaid(e.loc, "'replicate' needs a known width")
        out = part = smt.low(x, n.value)
        while out.width < x.width:
            out = smt.concat(out, part)
        return out

    def f_lanes2(self, e, env):
        n = int(e.name[5:])
        args = [self.expr(a, env) for a in e.args[1:]]
        w, fn, out = args[0].width // n, e.args[0].name, None
        for k in range(n):
            lane = self.lane(e, fn, [smt.extract(a, (k + 1) * w - 1, k * w) if a.width == n * w else a for a in args])
            out = lane if out is None else smt.concat(lane, out)
        return out

    f_lanes4 = f_lanes8 = f_lanes2

    def lane(self, e, fn, args):
        if e.body is not None:
            return self.expr(e.body.body, {("param", n): a for (n, _), a in zip(e.body.params, args)})
        plain = {"popcnt": popcnt, "bitrev": bitrev, "clz": clz, "cls": cls, "bswap": bswap}
        if fn in plain:
            return plain[fn](*args)
        raise Unsaid(e.loc, "lanes of '%s' have no meaning for the prover" % fn)

    # ---- floats ----

    def f_feq(self, e, env):
        return feq(*self.values(e, env))

    def f_flt(self, e, env):
        return flt(*self.values(e, env))

    def f_fle(self, e, env):
        x, y = self.values(e, env)
        return smt.disj(flt(x, y), feq(x, y))

    def f_funo(self, e, env):
        return funo(*self.values(e, env))

    def f_round_mode(self, e, env):
        x, mode = self.values(e, env)
        if not smt.known(mode) or mode.value & 4:
            raise Unsaid(e.loc, "'round_mode' needs a known mode")
        name = ROUNDINGS[mode.value & 3]
        return trunc(x) if name == "trunc" else smt.apply("%s%d" % (name, x.width), x.width, x)

    def f_trunc(self, e, env):
        return trunc(*self.values(e, env))

    def f_fpromote(self, e, env):
        x = self.expr(e.args[0], env)
        return smt.apply("%s%d" % (e.name, x.width), e.width, x)

    f_fdemote = f_fpromote

    def f_to_uint(self, e, env):
        return to_int(self.expr(e.args[0], env), e.width)

    f_to_sint = f_to_uint

    def f_to_uint_sat(self, e, env):
        return to_int_sat(self.expr(e.args[0], env), e.width, e.name == "to_sint_sat")

    f_to_sint_sat = f_to_uint_sat

    def f_from_uint(self, e, env):
        return from_int(self.expr(e.args[0], env), e.width, e.name == "from_sint")

    f_from_sint = f_from_uint

    def f_fits_uint(self, e, env):
        return fits(self.expr(e.args[0], env), self.size(e.args[1]), e.name == "fits_sint")

    f_fits_sint = f_fits_uint

    def size(self, e):
        if e.k == "num":
            return e.value
        if e.ref is not None and e.ref.kind in ("type", "const"):
            return e.ref.obj
        if e.name in self.ir.types:
            return self.ir.types[e.name].width
        raise Unsaid(e.loc, "'%s' is no width" % e)
