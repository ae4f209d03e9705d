"""Checks of encodings: every bit of every operand is encoded, every value has an encoding, and no two instructions
share one.

Collisions of fixed formats are decided exactly: two instructions collide when their constant bits agree wherever both
have one. Variable formats are decided by enumeration: every instruction is encoded with each operand in turn taking all
its registers or the boundary values of its field, for every form and every encode line; equal bytes, or bytes that begin
another instruction's, are a collision.
"""
import operator

from isa import Opnd
from sem import Binding, fold
from tree import show


# ---- evaluating a format with operands known ---------------------------------------------------------------

class Unknown(Exception):
    """Something the enumeration cannot compute; the symbolic emitters report what they cannot do themselves."""


class Value:
    """An operand's value in an encoding: code (an integer), bits (width of its code), view (of a register), parts."""
    __slots__ = ("code", "bits", "view", "parts")

    def __init__(self, code, bits, view=0, parts=None):
        self.code, self.bits, self.view, self.parts = code, bits, view, parts or {}


def number(v):
    return v.code if isinstance(v, Value) else v


OPERATORS = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "and": operator.and_, "or": operator.or_,
             "xor": operator.xor, "eq": operator.eq, "ne": operator.ne, "ult": operator.lt, "slt": operator.lt,
             "ule": operator.le, "sle": operator.le, "shl": operator.lshift, "lshr": operator.rshift,
             "ashr": operator.rshift}


def run(e, env, isa):
    """The value of an encoder's expression: int, Value, or a dictionary (a record)."""
    if e.k == "num":
        return e.value
    if e.k == "name":
        if e.name in env:
            return env[e.name]
        b = e.ref
        if isinstance(b, Binding) and b.kind == "reg":
            return b.obj.hw
        raise Unknown(e.name)
    if e.k == "dot":
        base = run(e.args[0], env, isa)
        if isinstance(base, dict):
            return base.get(e.name, 0)
        if isinstance(base, Value) and e.name in base.parts:
            return base.parts[e.name]
        if isinstance(base, Value) and e.name == "field":
            return base
        raise Unknown(show(e))
    if e.k == "index":
        return number(run(e.args[0], env, isa)) >> run(e.args[1], env, isa) & 1
    if e.k == "slice":
        return number(run(e.args[0], env, isa)) >> e.value[1] & ((1 << (e.value[0] - e.value[1] + 1)) - 1)
    if e.k == "cond":
        return run(e.args[1 if number(run(e.args[0], env, isa)) else 2], env, isa)
    if e.k == "un":
        a = number(run(e.args[0], env, isa))
        return {"neg": -a, "not": ~a, "lnot": int(not a)}[e.op]
    if e.k == "call":
        return run_call(e, env, isa)
    if e.k != "bin":
        raise Unknown(show(e))
    a = number(run(e.args[0], env, isa))
    if isinstance(a, dict):
        raise Unknown(show(e))
    if e.op == "land":
        return int(bool(a and number(run(e.args[1], env, isa))))
    if e.op == "lor":
        return int(bool(a or number(run(e.args[1], env, isa))))
    apply = OPERATORS.get(e.op)
    if apply is None:
        raise Unknown(show(e))
    return int(apply(a, number(run(e.args[1], env, isa))))


def run_call(e, env, isa):
    if e.name == "bits" and len(e.args) == 1:
        v = run(e.args[0], env, isa)
        return v.view if isinstance(v, Value) else 0
    if e.name == "fits" and len(e.args) == 2:
        imm = isa.imms.get(e.args[1].name)
        v = run(e.args[0], env, isa)
        if imm is None or len(imm.fields) != 1:
            raise Unknown(show(e))
        n, x = imm.bits, number(v)
        width = v.bits if isinstance(v, Value) else 64
        signed = x - (1 << width) if x >> (width - 1) & 1 else x
        is_signed = imm.value.k == "call" and imm.value.name == "sext"
        return int(-(1 << (n - 1)) <= signed < 1 << (n - 1) if is_signed else 0 <= signed < 1 << n)
    if not e.args and e.kwargs:
        return {n: run(v, env, isa) for n, v in e.kwargs}
    raise Unknown(show(e))


def encode_bytes(encode, env, isa):
    """(bytes, mask): mask 0 where nothing is fixed; here all is known."""
    fmt = encode.format
    args = {n: run(e, env, isa) for n, e in encode.args.items()}
    out = bytearray()
    if fmt.width is not None:
        word, at = 0, fmt.width
        for f in fmt.fields:
            at -= f.width
            v = f.value if f.kind == "bits" else number(args[f.name])
            if f.kind == "part":
                v >>= f.lo
            word |= (v & ((1 << f.width) - 1)) << at
        return word.to_bytes(fmt.width // 8, "little")
    for g in fmt.groups:
        if g.when is not None and not number(run(g.when, args, isa)):
            continue
        if g.kind == "let":
            args[g.name] = run(g.value, args, isa)
        elif g.kind in ("uleb", "sleb"):
            leb(out, number(run(g.value, args, isa)), g.kind == "sleb")
        else:
            word = total = 0
            for e, width in g.pieces:
                word = word << width | number(run(e, args, isa)) & ((1 << width) - 1)
                total += width
            out += word.to_bytes(total // 8, "little")
    return bytes(out)


def leb(out, v, signed):
    if not signed:
        v &= (1 << 64) - 1
    while True:
        byte, v = v & 0x7f, v >> 7
        done = v in (0, -1) and (v == 0) == (not byte & 0x40) if signed else v == 0
        out.append(byte if done else byte | 0x80)
        if done:
            return


# ---- values of operands --------------------------------------------------------------------------------------

def code_bits(o):
    if o.type == "reg":
        return o.cls.code_bits
    if o.type == "fixed":
        return 1
    return o.imm.bits if o.type == "imm" else o.width


def values(o, isa, depth=0):
    """[Value or record] of an operand: the first is its typical one."""
    if o.type == "reg" and o.cls.values:
        return [Value(0, 0, o.width)]  # on the stack
    if o.type == "reg":
        bits = code_bits(o)
        codes = sorted(o.cls.codes)
        return [Value(c, bits, o.width) for c in codes[1:] + codes[:1]]
    if o.type == "fixed":
        return [Value(o.reg.hw, o.reg.hw.bit_length() or 1, o.width)]
    if o.type == "imm":
        n = o.imm.bits
        picks = sorted({0, 1, 2, 1 << (n - 1), (1 << n) - 1, (1 << (n - 1)) - 1, min(200, (1 << n) - 1)}
                       & set([0, 1, 2, 200] + [1 << (n - 1), (1 << n) - 1, (1 << (n - 1)) - 1]))
        picks = [p for p in picks if p < 1 << n]
        start = picks.pop(2 if len(picks) > 2 else 0)
        return [imm_value(o.imm, p) for p in [start] + picks]
    if o.type == "cond":
        return [Value(i.value, o.width) for i in o.cond.items]
    if o.type == "composite":
        out = []
        for form in o.comp.forms:
            for env in one_by_one(form.params, isa):
                out.append(form_value(form, env, isa))
        return [v for v in out if v is not None]
    return [Value(c, o.width) for c in range(min(1 << (o.width or 1), 8))]


def imm_value(imm, code):
    parts, at = {}, imm.bits
    for name, width in imm.fields:
        at -= width
        parts[name] = Value(code >> at & ((1 << width) - 1), width)
    return Value(code, imm.bits, 0, parts)


def form_value(form, env, isa):
    """The record of the first encode line that holds, or the parts themselves when the form has none."""
    if not form.encodes:
        return Value(0, 1, 0, dict(env))
    for call, guard in form.encodes:
        if guard is None or number(run(guard, env, isa)):
            record = run(call, env, isa)
            if isinstance(record, dict):  # m.x is a field of the line if it gives one, otherwise the part
                record = dict(env, **record)
            return record
    return None


def one_by_one(opnds, isa):
    """Environments: each operand in turn takes all its values, the others their typical one."""
    all_values = {o.name: values(o, isa) for o in opnds}
    if any(not v for v in all_values.values()):
        return
    base = {n: v[0] for n, v in all_values.items()}
    yield dict(base)
    for n, vs in all_values.items():
        for v in vs[1:]:
            yield dict(base, **{n: v})


# ---- the checks ------------------------------------------------------------------------------------------------

def encodable(isa):
    """Everything that has bytes of its own and must be told apart."""
    for i in isa.insts.values():
        if i.encode is not None and i.encode.format is not None and i.decode:
            yield i, i.name
    for s in isa.shorts.values():
        if s.encode is not None and s.encode.format is not None:
            yield s, s.of.name


def length(isa, inst):
    """Bytes of an instruction without register operands that change its length, or None."""
    if inst.encode is None or inst.encode.format is None:
        return None
    try:
        found = {len(encode_bytes(inst.encode, env, isa)) for env in one_by_one(inst.opnds, isa)}
    except Unknown:
        return None
    return found.pop() if len(found) == 1 else None


def pinned(guard):
    """Names that a guard makes constant: conjuncts `name == number`."""
    if guard is None:
        return set()
    if guard.k == "bin" and guard.op == "land":
        return pinned(guard.args[0]) | pinned(guard.args[1])
    if guard.k == "bin" and guard.op == "eq" and fold(guard.args[1]) is not None and guard.args[0].k == "name":
        return {guard.args[0].name}
    return set()


def used_parts(exprs):
    """Operand name -> set of bits, or None when all of it is used; parts as "m.b"."""
    used = {}

    def note(name, bits):
        if bits is None or used.get(name, set()) is None:
            used[name] = None
        else:
            used.setdefault(name, set()).update(bits)

    def walk(e):
        if e.k in ("index", "slice") and e.args[0].k == "name":
            if e.k == "slice":
                note(e.args[0].name, range(e.value[1], e.value[0] + 1))
            else:
                bit = fold(e.args[1])
                note(e.args[0].name, [bit] if bit is not None else None)
            return
        if e.k == "call" and e.name in ("bits", "fits"):
            return
        if e.k == "dot" and e.args[0].k == "name":
            note("%s.%s" % (e.args[0].name, e.name), None)
            return
        if e.k == "name":
            note(e.name, None)
            return
        for a in e.args + [v for _, v in e.kwargs]:
            walk(a)

    for e in exprs:
        walk(e)
    return used


def whole_names(exprs):
    """Names that occur in some way."""
    return {n.split(".")[0] for n in used_parts(exprs)}


def check_operands(i, what, isa, diag):
    """Every operand is somewhere in the bytes."""
    if i.encode is None:
        return
    exprs = list(i.encode.args.values()) + i.encode.parts
    used = used_parts(exprs)
    fixed = pinned(getattr(i, "when", None))
    for o in i.opnds:
        if o.type == "fixed" or o.name in fixed or (o.type == "reg" and o.cls.values):
            continue
        if o.name not in used:
            parts = {n.split(".")[1] for n in used if n.startswith(o.name + ".")}
            if o.type == "composite":
                for form in o.comp.forms:
                    for p in form.params:
                        if any(parts & set(dict(call.kwargs)) and p.name in whole_names([call])
                               for call, _ in form.encodes):
                            continue  # inside a field of the form's encode line
                        if parts and p.name not in parts and not (p.type == "reg" and p.cls.values):
                            diag.error(o.loc, "part '%s' of operand '%s' of '%s' is never encoded"
                                       % (p.name, o.name, i.name), (i.encode.loc, "the encoding is here"))
            if not parts:
                diag.error(o.loc, "operand '%s' of '%s' is never encoded" % (o.name, i.name),
                           (i.encode.loc, "the encoding is here"))
        elif used[o.name] is not None and o.type == "reg":
            lost = [b for b in range(code_bits(o)) if b not in used[o.name]]
            if lost:
                diag.error(o.loc, "bit %d of operand '%s' of '%s' is never encoded" % (lost[0], o.name, i.name),
                           (i.encode.loc, "the encoding is here"))
    if i.encode.format is not None and i.encode.format.width is not None:
        check_fields(i, diag)


def check_fields(i, diag):
    """Widths of a fixed format's fields against what is put in them."""
    fmt = i.encode.format
    room = {}
    for f in fmt.fields:
        if f.kind == "field":
            room[f.name] = f.width
        elif f.kind == "part":
            room[f.name] = max(room.get(f.name, 0), f.hi + 1)
    for name, arg in i.encode.args.items():
        for e in given(arg, i):
            value = fold(e)
            if value is not None:
                if not -(1 << (room[name] - 1)) <= value < 1 << room[name]:
                    diag.error(e.loc, "%d does not fit the %d bits of field '%s'" % (value, room[name], name))
            elif e.k == "name" and isinstance(e.ref, Binding) and isinstance(e.ref.obj, Opnd):
                o = e.ref.obj
                bits = code_bits(o) if o.type in ("reg", "imm", "cond") else 0
                if bits > room[name]:
                    diag.error(e.loc, "operand '%s' has %d bits, field '%s' has %d" % (o.name, bits, name, room[name]))


def given(e, i):
    """What a field may be given: the expression, or what the forms of a composite operand give their `field`."""
    o = next((o for o in i.opnds if o.type == "composite" and e.k == "dot" and e.args[0].name == o.name), None)
    if o is None:
        return [e]
    return [value for form in o.comp.forms for call, _ in form.encodes for name, value in call.kwargs if name == e.name]


def check_formats(isa, diag):
    for f in isa.formats.values():
        if f.width is not None:
            continue
        exprs = [x for g in f.groups for x in [e for e, _ in g.pieces] + [g.value] if x is not None]
        used = {n.split(".")[0] for n in used_parts(exprs)}
        conditions = {n.split(".")[0] for n in used_parts([g.when for g in f.groups if g.when is not None])}
        for name in f.params:
            if name not in used and name not in conditions:
                diag.error(f.loc, "format '%s' never uses '%s'" % (f.name, name))


def named_apart(isa, comp):
    """Parts of a composite operand that every instruction with such an operand names itself, as m.b."""
    found = None
    for i in isa.insts.values():
        if i.encode is None:
            continue
        used = used_parts(i.encode.args.values())
        for o in i.opnds:
            if o.comp is comp:
                parts = {n.split(".")[1] for n in used if n.startswith(o.name + ".")}
                found = parts if found is None else found & parts
    return found or set()


def check_forms(isa, diag):
    """Every value of a form has an encode line, and each line but the last can fail."""
    variable = any(f.width is None for f in isa.formats.values())
    for comp in isa.operands.values():
        apart = named_apart(isa, comp)
        for form in comp.forms:
            if not form.encodes:
                if variable and any(o.comp is comp and e.k == "name" and e.name == o.name
                                    for i in isa.insts.values() if i.encode is not None
                                    for o in i.opnds for e in i.encode.args.values()):
                    diag.error(form.loc, "form '%s' has no encode line" % form.name)
                continue
            for n, (call, guard) in enumerate(form.encodes):
                if guard is None and n + 1 < len(form.encodes):
                    diag.error(form.encodes[n + 1][0].loc, "this encode line is never used: the one before it always holds")
                used = whole_names([call]) | apart
                for p in form.params:
                    if p.name not in used and p.name not in pinned(guard) and p.type != "fixed":
                        diag.error(call.loc, "part '%s' is never encoded" % p.name, (p.loc, "it is declared here"))
            try:
                for env in one_by_one(form.params, isa):
                    if form_value(form, env, isa) is None:
                        shown = ", ".join("%s = %d" % (n, number(v)) for n, v in env.items())
                        diag.error(form.loc, "form '%s' has no encode line for %s" % (form.name, shown))
                        break
            except Unknown:
                pass


def fixed_pattern(i):
    """(width, mask, bits) of an instruction of a fixed format: bits that do not depend on operands."""
    fmt, mask, bits, at = i.encode.format, 0, 0, i.encode.format.width
    for f in fmt.fields:
        at -= f.width
        v = f.value if f.kind == "bits" else fold(i.encode.args[f.name])
        if v is None:
            continue
        if f.kind == "part":
            v >>= f.lo
        ones = (1 << f.width) - 1
        mask |= ones << at
        bits |= (v & ones) << at
    return fmt.width, mask, bits


def rows_text(a, b):
    """Two patterns as rows of bits."""
    def row(p):
        return "".join("?" if not p[1] >> i & 1 else str(p[2] >> i & 1) for i in range(p[0] - 1, -1, -1))
    return "%s and %s" % (row(a), row(b))


def check_collisions(isa, diag):
    fixed, seen, reported = [], {}, set()
    for i, target in encodable(isa):
        if i.encode.format.width is not None:
            fixed.append((fixed_pattern(i), i, target))
    for n, (p, i, target) in enumerate(fixed):
        for q, j, other in fixed[:n]:
            if p[0] == q[0] and (p[2] ^ q[2]) & p[1] & q[1] == 0 and target != other and not same_guarded(i, j):
                diag.error(i.encode.loc, "'%s' and '%s' can have the same encoding: %s" % (i.name, j.name, rows_text(p, q)),
                           (j.encode.loc, "'%s' is encoded here" % j.name))
    for i, target in encodable(isa):
        if i.encode.format.width is not None:
            continue
        try:
            for env in one_by_one(i.opnds, isa):
                if i.__class__.__name__ == "Short" and i.when is not None and not number(run(i.when, env, isa)):
                    continue
                code = encode_bytes(i.encode, env, isa)
                j, other = seen.setdefault(code, (i, target))
                if other != target and (i.name, j.name) not in reported and len(reported) < 50:
                    reported.add((i.name, j.name))
                    diag.error(i.encode.loc, "'%s' and '%s' can have the same encoding: %s"
                               % (i.name, j.name, code.hex(" ")), (j.encode.loc, "'%s' is encoded here" % j.name))
        except Unknown:
            continue
    codes = sorted(seen)
    for a, b in zip(codes, codes[1:]):
        (i, target), (j, other) = seen[a], seen[b]
        if b.startswith(a) and target != other and (i.name, j.name) not in reported:
            reported.add((i.name, j.name))
            diag.error(j.encode.loc, "the encoding of '%s' begins like that of '%s': %s and %s"
                       % (j.name, i.name, b.hex(" "), a.hex(" ")), (i.encode.loc, "'%s' is encoded here" % i.name))


def same_guarded(i, j):
    """A short form with a guard is told apart from what it is not by that guard: left to the decoder's own check."""
    return any(getattr(x, "when", None) is not None for x in (i, j))


def check(isa, diag):
    for i in list(isa.insts.values()) + list(isa.shorts.values()):
        check_operands(i, "instruction", isa, diag)
    check_formats(isa, diag)
    check_forms(isa, diag)
    if not diag:
        check_collisions(isa, diag)
