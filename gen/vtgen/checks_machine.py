"""Checks of immediates, branches and instructions, and of declarations that nothing uses."""
import checks_encode
from emit_encode import stmts_end_relative
from build_isa import Binding
from imms import cases_of
from isa import Inst
from tree import Expr


# ---- immediates: a value has one field -----------------------------------------------------------------

def bit_row(e, imm, depth=0):
    """The value of an expression as a row of bits, least first: 0, 1 or (field, index); None when it is not one."""
    if e.width is None and e.k == "num":
        return None
    w = e.width
    if e.k == "num":
        return [e.value >> i & 1 for i in range(w)]
    if e.k == "name":
        width = dict(imm.fields).get(e.name)
        return [(e.name, i) for i in range(width)] if width else None
    args = [bit_row(a, imm, depth + 1) for a in e.args[:1]] if e.args else []
    if e.k == "slice":
        return args[0][e.value[1]:e.value[0] + 1] if args[0] else None
    if e.k == "bin" and e.op == "cat":
        low = bit_row(e.args[1], imm, depth + 1)
        return low + args[0] if low is not None and args[0] is not None else None
    if e.k == "bin" and e.op in ("shl", "lshr") and e.args[1].k == "num" and args[0] is not None:
        n = e.args[1].value
        return ([0] * min(n, w) + args[0])[:w] if e.op == "shl" else args[0][n:] + [0] * min(n, w)
    if e.k == "call" and e.name in ("zext", "sext", "low") and args[0]:
        fill = args[0][-1] if e.name == "sext" else 0
        return (args[0] + [fill] * w)[:w]
    if e.k == "call" and e.name == "zero":
        return [0] * w
    return None


class Stuck(Exception):
    """The value of an expression cannot be computed from the fields alone."""


def evaluate(e, env):
    """The value of an expression of constants and fields (env), unsigned at its width."""
    w = e.width or 64
    mask = (1 << w) - 1

    def signed(x, width):
        return x - (1 << width) if x >> (width - 1) & 1 else x

    if e.k == "num":
        return e.value & mask
    if e.k == "name":
        if e.name in env:
            return env[e.name] & mask
        if isinstance(e.ref, Binding) and e.ref.kind == "const":
            return e.ref.obj & mask
        raise Stuck(e.name)
    if e.k == "cond":
        return evaluate(e.args[1 if evaluate(e.args[0], env) else 2], env)
    if e.k == "call" and e.body is not None:
        inner = {n: evaluate(a, env) for (n, _), a in zip(e.body.params, e.args)}
        key = tuple(inner.values())
        if key not in e.body.known:  # immediates are enumerated: the same few arguments come again and again
            e.body.known[key] = evaluate(e.body.body, inner)
        return e.body.known[key] & mask
    if e.k == "call" and e.name in ("zero", "ones"):
        return 0 if e.name == "zero" else mask
    if not e.args:
        raise Stuck(str(e))
    a = evaluate(e.args[0], env)
    wa = e.args[0].width or 64
    if e.k == "index":
        return a >> evaluate(e.args[1], env) & 1
    if e.k == "slice":
        return a >> e.value[1] & mask
    if e.k == "un":
        return {"neg": -a & mask, "not": ~a & mask, "lnot": int(a == 0)}[e.op]
    if e.k == "call":
        if e.name in ("zext", "low"):
            return a & mask
        if e.name == "sext":
            return signed(a, wa) & mask
        if e.name in ("clz", "ctz", "popcnt"):
            text = format(a, "0%db" % wa)
            return {"clz": len(text) - len(text.lstrip("0")), "ctz": len(text) - len(text.rstrip("0")),
                    "popcnt": text.count("1")}[e.name]
        if e.name in ("rotl", "rotr", "replicate"):
            b = evaluate(e.args[1], env)
            if e.name == "replicate":
                if not 0 < b <= w or w % b:
                    raise Stuck("replicate")
                return sum((a & ((1 << b) - 1)) << i for i in range(0, w, b))
            b = b % w if e.name == "rotl" else -b % w
            return (a << b | a >> (w - b)) & mask
        raise Stuck(e.name)
    b = evaluate(e.args[1], env)
    wb = e.args[1].width or 64
    sa, sb = signed(a, wa), signed(b, wb)
    op = e.op
    if op in ("udiv", "urem", "sdiv", "srem"):
        if b == 0:
            raise Stuck("division by zero")
        q = abs(sa) // abs(sb) * (1 if (sa < 0) == (sb < 0) else -1)
        return {"udiv": a // b, "urem": a % b, "sdiv": q & mask, "srem": (sa - q * sb) & mask}[op]
    if op in ("shl", "lshr", "ashr"):
        return {"shl": a << min(b, 4096) & mask, "lshr": a >> b, "ashr": sa >> b & mask}[op]
    if op == "cat":
        return a << wb | b
    return {"add": a + b & mask, "sub": a - b & mask, "mul": a * b & mask, "and": a & b, "or": a | b, "xor": a ^ b,
            "eq": int(a == b), "ne": int(a != b), "ult": int(a < b), "ule": int(a <= b), "slt": int(sa < sb),
            "sle": int(sa <= sb), "land": int(bool(a and b)), "lor": int(bool(a or b))}[op]


def imm_range(imm):
    """The least and greatest value as signed numbers, for immediates that are rows of bits, else None."""
    row = bit_row(imm.value, imm)
    if row is None or not row:
        return None
    top = row[-1]
    low = sum((1 << i) * (-1 if i == len(row) - 1 else 1) for i, b in enumerate(row) if b == 1)
    high = low
    weights = {}
    for i, b in enumerate(row):
        if isinstance(b, tuple):
            weights[b] = weights.get(b, 0) + (1 << i) * (-1 if i == len(row) - 1 else 1)
    for w in weights.values():
        low, high = low + min(w, 0), high + max(w, 0)
    return (low, high, top) if top is not None else None


def check_imm(imm, diag):
    """Different fields give different values where the guard allows them; otherwise the least field must be meant, and
    that is said by enumeration (at most 16 bits)."""
    row = bit_row(imm.value, imm)
    if row is not None:
        for name, width in imm.fields:
            for i in range(width):
                if (name, i) not in row:
                    diag.error(imm.loc, "bit %d of field '%s' of immediate '%s' changes nothing" % (i, name, imm.name))
                    return
        return
    if cases_of(imm):
        return
    if imm.bits > 16:
        diag.error(imm.loc, "immediate '%s' has %d bits and is no rearrangement of them: it cannot be inverted"
                   % (imm.name, imm.bits))
        return
    seen, legal = {}, 0
    for code in range(1 << imm.bits):
        env, at = {}, imm.bits
        for name, width in imm.fields:
            at -= width
            env[name] = code >> at & ((1 << width) - 1)
        try:
            if imm.guard is not None and not evaluate(imm.guard, env):
                continue
            value = evaluate(imm.value, env)
        except Stuck as what:
            diag.error(imm.loc, "immediate '%s' has no value at field %s: %s"
                       % (imm.name, ", ".join("%s = %d" % p for p in env.items()), what))
            return
        legal += 1
        seen.setdefault(value, code)
    imm.table = seen
    if legal == 0:
        diag.error(imm.loc, "no field of immediate '%s' satisfies its 'when'" % imm.name)
    elif len(seen) == 1 and legal > 1:
        diag.error(imm.loc, "every field of immediate '%s' gives the same value" % imm.name)


# ---- relax, reach ----------------------------------------------------------------------------------------

def check_relax(isa, relax, diag):
    allocatable = {}
    scratch = set()
    for name in isa.roles.get("scratch", []):
        if name in isa.reg_names:
            scratch.add(isa.reg_names[name][0].index)
    for hold in isa.holds:
        for reg in hold.cls.regs:
            allocatable.setdefault(reg.index, hold.cls)
    if not relax.rows:
        diag.error(relax.loc, "relax '%s' has no row" % relax.name)
        return
    params = {o.name: o for o in relax.opnds}
    last = None
    for i, row in enumerate(relax.rows):
        if last is not None and row.low is not None and (row.low > last[0] or row.high < last[1]):
            diag.error(row.loc, "this row does not reach as far as the one before it")
        if last is None and i > 0:
            diag.error(row.loc, "this row is never used: the one before it always reaches")
        if row.low is not None and row.low > row.high:
            diag.error(row.loc, "the reach is empty: %d .. %d" % (row.low, row.high))
        last = None if row.low is None else (row.low, row.high)
        calls = [s.value for s in row.result.stmts] + ([row.result.value] if row.result.value is not None else [])
        offset = 0  # of the instruction in the row
        for call in calls:
            check_relax_call(isa, relax, row, call, params, allocatable, scratch, offset, diag)
            size = checks_encode.length(isa, isa.insts[call.name]) if call.name in isa.insts else None
            offset = None if offset is None or size is None else offset + size
    if last is not None:
        diag.error(relax.loc, "the last row of relax '%s' has a limit: nothing is left beyond it" % relax.name)


def check_relax_call(isa, relax, row, call, params, allocatable, scratch, offset, diag):
    inst = isa.insts.get(call.name) if call.k == "call" else None
    if inst is None:
        diag.error(call.loc, "no instruction is named '%s'" % (call.name if call.k == "call" else call))
        return
    if len(call.args) != len(inst.opnds):
        diag.error(call.loc, "'%s' has %d operands, %d given" % (inst.name, len(inst.opnds), len(call.args)),
                   (inst.loc, "it is declared here"))
        return
    for arg, opnd in zip(call.args, inst.opnds):
        behind = arg.k == "name" and arg.name == "end" and opnd.type == "imm"  # a distance: sequence.py
        if arg.k == "name" and arg.name not in params and not behind:
            found = isa.reg_names.get(arg.name)
            if found is None:
                diag.error(arg.loc, "no operand or register is named '%s'" % arg.name)
            elif (found[0].index in allocatable and found[0].index not in scratch and found[0].constant is None
                  and opnd.writes):
                diag.error(arg.loc, "register '%s' is overwritten here, and the allocator may have handed it out"
                           % arg.name, (allocatable[found[0].index].loc, "it is in this class"))
        elif arg.k == "name" and arg.name in params and opnd.writes and not params[arg.name].writes:
            diag.error(arg.loc, "'%s' is written here and not declared 'out'" % arg.name,
                       (params[arg.name].loc, "it is declared here"))
        if (offset is not None and row.low is not None and arg.k == "name" and arg.name in params and opnd.type == "imm"
                and params[arg.name].type == "label"):
            check_reach(isa, row, inst, opnd, offset, diag)


def check_reach(isa, row, inst, opnd, offset, diag):
    """The written range of a row must be what its branch's immediate holds, counted from the row's start."""
    found = imm_range(opnd.imm)
    if found is None:
        return
    low, high, _ = found
    size = None if stmts_end_relative(inst.sem) else 0
    if size is None:  # relative to the end: the size is the length of the encoding
        size = checks_encode.length(isa, inst)
        if size is None:
            return
    size += offset
    if row.low < low + size or row.high > high + size:
        diag.error(row.loc, "'%s' holds %d .. %d, which reaches %d .. %d from its start; this row says %d .. %d"
                   % (opnd.imm.name, low, high, low + size, high + size, row.low, row.high),
                   (opnd.imm.loc, "the immediate is here"))


# ---- select low -------------------------------------------------------------------------------------------

LOW_OPS = {"add", "sub", "mul", "and", "or", "xor", "neg", "not"}


def low_legal(e):
    """Whether the low bits of the result follow from the low bits of the operands."""
    if e.k in ("num", "name", "dot", "str"):
        return None
    if e.k in ("bin", "un"):
        if e.op == "shl":
            return low_legal(e.args[0]) if shift_known(e.args[1]) else e
        if e.op not in LOW_OPS:
            return e
        return next((bad for bad in map(low_legal, e.args) if bad is not None), None)
    if e.k == "call" and e.body is not None:
        return low_legal(e.body.body) or next((b for b in map(low_legal, e.args) if b is not None), None)
    if e.k == "call" and e.name in ("zext", "sext", "low", "load", "undefined"):
        return None  # a leaf: its own low bits
    if e.k == "cond":
        return low_legal(e.args[1]) or low_legal(e.args[2])
    if e.k == "slice" and e.value[1] == 0:
        return low_legal(e.args[0])
    return e


def shift_known(e):
    """A shift amount that does not depend on the width: an immediate operand or a number."""
    if e.k == "num":
        return True
    b = e.ref
    return e.k == "name" and isinstance(b, Binding) and b.kind in ("opnd", "part") and getattr(b.obj, "type", "") == "imm"


def lets_in(e, lets):
    """The expression with the names of lets replaced by what they name."""
    if e.k == "name" and e.name in lets:
        return lets_in(lets[e.name], {k: v for k, v in lets.items() if k != e.name})
    new = Expr(e.k, e.loc, e.op, e.name, e.value, [lets_in(a, lets) for a in e.args], e.kwargs, e.attrs)
    new.ref, new.width, new.body = e.ref, e.width, e.body
    return new


def check_select(isa, inst, diag):
    words = set(inst.select)
    for word in inst.select:
        if word not in ("none", "low", "exact"):
            diag.error(inst.select_loc, "'select' takes none, low or exact, not '%s'" % word)
    if "low" not in words:
        return
    lets = {}
    for s in inst.sem:
        if s.k == "let":
            lets[s.name] = s.value
        elif s.k == "assign":
            b = s.target.ref
            if isinstance(b, Binding) and b.kind == "opnd":
                bad = low_legal(lets_in(s.value, lets))
                if bad is not None:
                    diag.error(inst.select_loc, "'select low' of '%s': the low bits of %s do not follow from the low "
                               "bits of its operands" % (inst.name, bad), (bad.loc, "it stands here"))


# ---- what nothing uses ------------------------------------------------------------------------------------

def uses(isa):
    """Names that occur anywhere outside their own declaration."""
    names = set(isa.inlined)

    def expr(e):
        for n in e.walk():
            if n.name:
                names.add(n.name)
                names.update(n.name.split("."))
            if n.k == "call" and n.body is not None:
                names.add(n.body.fn.name)
            if n.k == "typed":
                names.add(n.op)

    def seq(s):
        for st in s.stmts:
            expr(st.value)
        if s.value is not None:
            expr(s.value)

    for fn in isa.fns.values():
        expr(fn.value)
    for cond in isa.conds.values():
        for item in cond.items:
            if item.when is not None:
                expr(item.when)
    for imm in isa.imms.values():
        expr(imm.value)
        if imm.guard is not None:
            expr(imm.guard)
    every = list(isa.insts.values()) + list(isa.shorts.values())
    for i in every:
        for s in getattr(i, "sem", []):
            for e in s.exprs():
                expr(e)
        for e in [i.of, i.when] + [t.when for t in getattr(i, "traps", [])] + [a.when for a in i.asms]:
            if e is not None:
                expr(e)
        names.update(i.requires)
        if i.encode is not None:
            if i.encode.format is not None:
                names.add(i.encode.format.name)
            for e in list(i.encode.args.values()) + i.encode.parts:
                expr(e)
    forms = [f for c in isa.operands.values() for f in c.forms]
    for f in forms:
        for call, guard in f.encodes:
            expr(call)
            if guard is not None:
                expr(guard)
    for i in every + forms + list(isa.relaxes.values()):
        for o in getattr(i, "opnds", []) + getattr(i, "params", []):
            for x in (o.imm, o.comp, o.cond, o.cls):
                if x is not None:
                    names.add(x.name)
    for f in isa.formats.values():
        for g in f.groups:
            for e in [p for p, _ in g.pieces] + [x for x in (g.value, g.when) if x is not None]:
                expr(e)
    for r in isa.rules:
        expr(r.pattern)
        if r.guard is not None:
            expr(r.guard)
        seq(r.result)
        names.update(r.requires)
    for reloc in isa.relocs.values():
        for spot in reloc.spots:
            names.update([spot.imm.name] if spot.imm else [spot.field[0].name] if spot.field else [])
    for relax in isa.relaxes.values():
        for row in relax.rows:
            seq(row.result)
    for feature in isa.features.values():
        names.update(feature.implies)
    for hold in isa.holds:
        names.add(hold.cls.name)
    for moves in isa.moves.values():
        names.add(moves.name)
    return names


def check_unused(isa, diag):
    names = uses(isa)
    for what, things in (("immediate", isa.imms), ("operand", isa.operands), ("format", isa.formats),
                         ("function", isa.fns), ("class", isa.classes), ("feature", isa.features)):
        for name, thing in things.items():
            implied = what == "feature" and thing.implies
            if name not in names and not implied:
                diag.error(thing.loc, "nothing uses %s '%s'" % (what, name))


def check_shown(isa, i, opnds, diag):
    """Two instructions that differ in an operand have different texts: each stands in some asm. Fixed ones are the same in
    all, those of a stack machine have no names."""
    shown = {p.opnd.name for a in i.asms for p in a.pieces if p.kind == "opnd"}
    for o in opnds if i.asms else []:
        if o.name not in shown and o.type != "fixed" and not (isa.is_stack and o.type == "reg"):
            diag.error(o.loc, "operand '%s' stands in no asm of '%s'" % (o.name, i.name))


def check_clauses(isa, diag):
    for s in isa.shorts.values():
        check_shown(isa, s, s.opnds, diag)
    for form in [f for c in isa.operands.values() for f in c.forms]:
        check_shown(isa, form, form.params, diag)
    for i in isa.insts.values():
        if not i.is_pseudo and i.encode is None:
            diag.error(i.loc, "instruction '%s' has no 'encode'" % i.name)
        if not i.is_pseudo and not i.asms:
            diag.error(i.loc, "instruction '%s' has no 'asm'" % i.name)
        check_shown(isa, i, i.opnds, diag)
        assigned = set()

        def targets(stmts):
            for s in stmts:
                if s.k == "assign":
                    base = s.target
                    while base.k in ("slice", "index", "dot"):
                        base = base.args[0]
                    assigned.add(base.name)
                    b = base.ref
                    if isinstance(b, Binding) and b.kind == "opnd" and not b.obj.writes:
                        diag.error(s.target.loc, "'%s' is only read: declare it 'out' or 'inout'" % base.name,
                                   (b.obj.loc, "it is declared here"))
                targets(s.then)
                targets(s.other)

        targets(i.sem)
        for o in i.opnds:
            if o.writes and o.name not in assigned and i.sem:
                diag.error(o.loc, "operand '%s' is written and no sem assigns it" % o.name)
            if o.role in ("out", "early") and i.sem:
                check_read_before(i, o, diag)


def check_read_before(inst, opnd, diag):
    """An `out` operand has no old value to read. A sem's right sides see old values."""
    for s in inst.sem:
        if s.value is None:
            continue
        for n in s.value.walk():
            if n.k == "name" and isinstance(n.ref, Binding) and n.ref.obj is opnd:
                diag.error(n.loc, "'%s' is only written, it has no value here: declare it 'inout'" % opnd.name,
                           (opnd.loc, "it is declared here"))
                return


def check(isa, diag, total):
    for imm in isa.imms.values():
        check_imm(imm, diag)
    for relax in isa.relaxes.values():
        check_relax(isa, relax, diag)
    for inst in isa.insts.values():
        if isinstance(inst, Inst):
            check_select(isa, inst, diag)
    check_clauses(isa, diag)
    if total:
        check_unused(isa, diag)
