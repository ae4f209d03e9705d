"""The simulator of a machine: <isa>_sim.c, one C function for each instruction that executes its `sem`.

How a sem is executed (gen/README.md, "Instructions"): every right side sees the state before the instruction;
memory is read and written in the order of the text; registers, flags and pc are assigned at the end, in the order of
the text, so of two assignments to one register the later stands. So each assignment becomes a C variable, and the
functions end in the assignments to the state.

Values up to 64 bits are zero-extended uint64_t, wider ones EvUint. A value of flags carries the mask of its undefined
bits 32 bits above the bits (sim/ops.h).
"""
import re

import cexpr
from cexpr import C, CannotExpress
from emit_encode import banner
from diag import DescriptionError
from machine import machines
from sem import fold

REGS = 128   # SIM_REGS; the last one is SIM_SINK
SLOTS = 12   # SIM_SLOTS
NAN_RULES = {"first": "NAN_FIRST", "signalling": "NAN_SIGNALLING", "default": "NAN_DEFAULT"}
NAN_CALLS = "fadd fsub fmul fdiv sqrt fma fmin fmax ceil floor trunc nearest".split()


def outputs(isas):
    return ["%s_sim.c" % isa for isa in isas]


def emit(model):
    return {"%s_sim.c" % name: NO_SIMULATOR % (name, name) if m.isa.is_stack else Simulator(m).text()
            for name, m in machines(model).items()}


NO_SIMULATOR = """// Generated from md/%s.md by gen/vtgen/emit_sim.py. Do not edit.
//
// Code of a stack machine runs in an engine of its own: there is no simulator.
#include "%s.h"
"""


def ones(width):
    return (1 << width) - 1


def c_number(value, width):
    value &= ones(width)
    if width > 64:
        return "sim_pair(UINT64_C(0x%x), UINT64_C(0x%x))" % (value >> 64, value & ones(64))
    return "UINT64_C(%s)" % (value if value < 10 else "0x%x" % value)


def c_type(width):
    return "EvUint" if width > 64 else "uint64_t"


def zx(text, width):
    """The low bits of a 64-bit C expression."""
    return text if width >= 64 else "(%s & 0x%x)" % (text, ones(width))


class SemC(cexpr.Translator):
    """Expressions of a sem. `slots`: operand name -> (machine.Slot, C text of its first slot)."""

    WRAPPING = dict(cexpr.Translator.WRAPPING, shl="sim_shl({a}, {b}, {w})", ashr="sim_ashr({a}, {b}, {w})",
                    sdiv="sim_sdiv({a}, {b}, {w})", srem="sim_srem({a}, {b}, {w})")
    BITWISE = dict(cexpr.Translator.BITWISE, lshr="sim_lshr({a}, {b}, {w})", udiv="sim_udiv({a}, {b}, {w})",
                   urem="sim_urem({a}, {b}, {w})")
    PLAIN = {"add": "+", "sub": "-", "mul": "*"}
    WIDE = {"and": "({a} & {b})", "or": "({a} | {b})", "xor": "({a} ^ {b})", "shl": "sim_wide_shl({a}, {b})",
            "lshr": "sim_wide_lshr({a}, {b})", "eq": "({a} == {b})", "ne": "({a} != {b})"}

    def __init__(self, sim, slots):
        super().__init__({}, {})
        self.sim, self.m, self.slots = sim, sim.m, slots
        self.locals = None  # where operands are read once: name -> C text

    # ---- values ----
    def type_width(self, e):
        value = fold(e)
        if value is None and e.k == "name":
            types = self.m.ir.types
            value = e.ref.obj if e.ref is not None else types[e.name].width if e.name in types else None
        if value is None:
            raise CannotExpress("no width: %s" % e)
        return str(value)

    def value(self, e, width=None):
        c = self.of(e)
        if c.width is None:
            return c_number(int(c.text), e.width or int(width))
        return "(uint64_t)%s" % c.text if c.width == "bool" else c.text

    def typed(self, e, text):
        return C(text, str(e.width))

    def of_cond(self, e):
        c, x, y = e.args
        if self.of(x).width is None and self.of(y).width is None:  # numbers only: as wide as the place wants
            return self.typed(e, "(%s ? %s : %s)" % (self.truth(c), self.value(x, e.width), self.value(y, e.width)))
        return self.choice(c, x, y)

    def of_un(self, e):
        if e.op == "lnot":
            return C("!%s" % self.truth(e.args[0]), "bool")
        text = "%s%s" % ({"neg": "0 - ", "not": "~"}[e.op], self.value(e.args[0], e.width))
        if e.width > 64:
            return self.typed(e, "(%s)" % text)
        return self.typed(e, zx("(%s)" % text, e.width))

    def of_bin(self, e):
        if e.op == "cat":
            return self.cat(e)
        operand = e.args[0].width or e.args[1].width or 0
        if e.op in ("lor", "land") or operand <= 64:
            if e.op in self.PLAIN:
                a, b = (self.value(a, e.width) for a in e.args)
                return self.typed(e, zx("(%s %s %s)" % (a, self.PLAIN[e.op], b), e.width))
            c = super().of_bin(e)
            return c if c.width in (None, "bool") else self.typed(e, c.text)
        if e.op not in self.WIDE or operand != 128:
            raise CannotExpress("'%s' of %d bits" % (e.op, operand))
        shift = e.op in cexpr.SHIFTS
        a = self.value(e.args[0], operand)
        b = self.value(e.args[1], 64 if shift else operand)
        return C(self.WIDE[e.op].format(a=a, b=b), "bool" if e.op in ("eq", "ne") else str(operand))

    def cat(self, e):
        high, low = e.args
        if e.width > 64:
            return self.typed(e, "((EvUint)%s << %d | %s)" % (self.value(high), low.width, self.value(low)))
        return self.typed(e, "(%s << %d | %s)" % (self.value(high), low.width, self.value(low)))

    def bits(self, a, lo, width):
        """Bits lo .. lo + width - 1 of an expression."""
        text = self.value(a)
        if lo:
            text = "(%s >> %d)" % (text, lo)
        if a.width > 64 and width <= 64:
            text = "(uint64_t)%s" % text
        return zx(text, width) if width <= 64 and lo + width < max(a.width, 65) else text

    def of_slice(self, e):
        hi, lo = e.value
        return self.typed(e, self.bits(e.args[0], lo, hi - lo + 1))

    def of_index(self, e):
        i = fold(e.args[1])
        if i is not None:
            return C(self.bits(e.args[0], i, 1), "1")
        return C("(sim_lshr(%s, %s, %d) & 1)" % (self.value(e.args[0]), self.value(e.args[1], 8), e.args[0].width), "1")

    # ---- names ----
    def of_name(self, e):
        ref = e.ref
        if ref is None:
            raise CannotExpress("'%s' has no meaning" % e.name)
        return getattr(self, "ref_" + ref.kind, self.of_other)(e, ref)

    def of_dot(self, e):
        ref, base = e.ref, e.args[0]
        if ref.kind == "flag":
            return self.ref_flag(e, ref)
        slot, at = self.slots[base.name]
        if slot.type == "reg":
            return self.typed(e, self.read(slot, at, ref_view(ref.obj, e.name)))
        if slot.type == "composite":
            for form in slot.kind.forms:
                for part in self.m.form_slots[id(form)]:
                    if part.name == e.name:
                        return self.typed(e, self.operand(part, "%s + %d" % (at, part.slot)))
        if e.name == "field":
            return self.typed(e, zx("(uint64_t)i->a[%s]" % at, e.width))
        raise CannotExpress("'%s' of '%s'" % (e.name, base.name))

    def ref_opnd(self, e, ref):
        slot, at = self.slots[ref.obj.name]
        text = self.operand(slot, at)
        if self.locals is not None:
            self.locals[ref.obj.name] = "const %s v_%s = %s;" % (c_type(e.width), ref.obj.name, strip(text))
            text = "v_" + ref.obj.name
        return self.typed(e, text)

    def operand(self, slot, at):
        """What an operand reads as."""
        if slot.type == "reg":
            return self.read(slot, at, slot.view)
        if slot.type == "composite":
            return "form_%s(s, i, %s)" % (slot.kind.name, at)
        return zx("(uint64_t)i->a[%s]" % at, self.imm_width(slot))

    @staticmethod
    def imm_width(slot):
        if slot.kind is not None and slot.kind.value is not None:
            return slot.kind.value.width
        return slot.bits or 64

    def read(self, slot, at, view):
        if slot.fixed is not None:
            return self.read_reg("%s_REG_%s" % (self.m.name.upper(), slot.fixed.name), slot.fixed, view)
        at = str(int(at) + 1) if slot.role == "inout" else at
        return self.read_reg("i->a[%s]" % at, slot.cls.regs[0], view)

    @staticmethod
    def read_reg(index, reg, view):
        """A register of this file, or its view."""
        hi, lo = (view.hi, view.lo) if view is not None else (reg.width - 1, 0)
        if hi - lo >= 64:
            return "sim_wide(&s->r[%s])" % index
        text = "s->r[%s].w[%d]" % (index, lo // 64)
        if hi // 64 != lo // 64:
            raise CannotExpress("a view across the 64-bit words of a register")
        if lo % 64:
            text = "(%s >> %d)" % (text, lo % 64)
        return zx(text, hi - lo + 1)

    def ref_let(self, e, ref):
        return C("v_" + e.name, str(ref.obj.value.width))

    def ref_param(self, e, ref):
        return C("v_" + ref.obj, str(ref.width))

    def ref_reg(self, e, ref):
        reg = ref.obj
        if reg.constant is not None:
            return self.typed(e, c_number(reg.constant, e.width))
        view = self.m.isa.reg_names[e.name][1]
        return self.typed(e, self.read_reg("%s_REG_%s" % (self.m.name.upper(), reg.name), reg, view))

    def ref_flag(self, e, ref):
        flags, bit = ref.obj
        return C("sim_flag(s, %s, %d)" % (self.sim.reg_name(flags), bit), "1")

    def ref_flags(self, e, ref):
        flags = ref.obj
        return self.typed(e, "sim_read_flags(s, %s, 0x%x)" % (self.sim.reg_name(flags), ones(len(flags.bits))))

    def ref_pc(self, e, ref):
        return self.typed(e, "i->next" if e.name == "pc_next" else "i->pc")

    def ref_undefined(self, e, ref):
        if e.width > 64:
            return self.typed(e, "sim_pair(sim_undefined(s), sim_undefined(s))")
        return self.typed(e, zx("sim_undefined(s)", e.width))

    def ref_const(self, e, ref):
        return C(str(ref.obj), None)

    ref_type = ref_const

    # ---- calls ----
    def of_call(self, e):
        found = getattr(self, "call_" + e.name, None)
        if found is not None:
            return found(e, *e.args)
        if e.body is not None and not e.name.startswith("lanes"):
            return self.typed(e, self.sim.call_fn(e.body, [self.argument(a, p) for a, p in zip(e.args, e.ref.params)]))
        if e.name.startswith("lanes"):
            return self.lanes(e)
        if e.name in NAN_CALLS:
            args = ", ".join(self.value(a, e.width) for a in e.args)
            return self.typed(e, "sim_%s(%s, %s, %d)" % (e.name, self.sim.nan(e), args, e.width))
        c = super().of_call(e)
        return c if c.width in (None, "bool") else self.typed(e, c.text)

    def argument(self, a, param):
        return self.flags(a) if param[1] in self.m.isa.flags else self.value(a)

    def lanes(self, e):
        """lanesN(f, x, ...): operands as wide as x are cut into N lanes, the others are given whole."""
        n = int(e.name[5:])
        lane = e.width // n
        wide = c_type(e.width)
        texts, params = [], []
        for k, a in enumerate(e.args[1:]):
            params.append("%s x%d" % (c_type(a.width), k))
            cut = a.width == e.width
            texts.append(zx("(uint64_t)(x%d >> at)" % k, lane) if cut else "x%d" % k)
        inner = self.sim.call_fn(e.body, texts) if e.body is not None else self.lane_builtin(e, texts, lane)
        name = self.sim.helper(
            "%s_%s_%d" % (e.name, e.args[0].name, e.width),
            "static inline %s %%s(SimState *s, const SimInst *i, %s) {\n%s    %s r = 0;\n"
            "    for (unsigned at = 0; at < %d; at += %d) r |= (%s)%s << at;\n    return r;\n}\n"
            % (wide, ", ".join(params), unused(["s", "i"], inner), wide, e.width, lane, wide, inner.replace("%", "%%")))
        return self.typed(e, "%s(s, i, %s)" % (name, ", ".join(self.value(a) for a in e.args[1:])))

    @staticmethod
    def lane_builtin(e, texts, lane):
        if cexpr.CALLS.get(e.args[0].name) != "same":
            raise CannotExpress("'%s' is no function of lanes" % e.args[0].name)
        return "ev_%s(%s, %d)" % (e.args[0].name, ", ".join(texts), lane)

    def call_load(self, e, address, _):
        if e.width == 128:
            return self.typed(e, "sim_load_wide(%s)" % self.value(address))
        return self.typed(e, "sim_load(%s, %d)" % (self.value(address), e.width // 8))

    def call_atomic_mem(self, e, address, _):
        return self.typed(e, "sim_atomic_load(%s, %d)" % (self.value(address), e.width // 8))

    def call_holds(self, e, cc):
        slot, at = self.slots[cc.name]
        return C("holds_%s(s, %s)" % (slot.kind.name, self.operand(slot, at)), "bool")

    def call_zext(self, e, a, _):
        return self.typed(e, "(EvUint)%s" % self.value(a, e.width) if e.width > 64 else self.value(a, e.width))

    def call_sext(self, e, a, _):
        if a.width is None or a.width == e.width:
            return self.typed(e, self.value(a, e.width))
        if e.width > 64:
            return self.typed(e, "(EvUint)(EvInt)ev_sx(%s, %d)" % (self.value(a), a.width))
        return self.typed(e, zx("(uint64_t)ev_sx(%s, %d)" % (self.value(a), a.width), e.width))

    def call_low(self, e, a, _):
        return self.typed(e, self.bits(a, 0, e.width))

    def call_high(self, e, a, _):
        return self.typed(e, self.bits(a, a.width - e.width, e.width))

    def call_zero(self, e, _):
        return self.typed(e, c_number(0, e.width))

    def call_ones(self, e, _):
        return self.typed(e, c_number(-1, e.width))

    def call_min(self, e, _):
        return self.typed(e, c_number(1 << e.width - 1, e.width))

    def call_max(self, e, _):
        return self.typed(e, c_number(ones(e.width - 1), e.width))

    def call_msb(self, e, a):
        return C(self.bits(a, a.width - 1, 1), "1")

    def call_bit4(self, e, a):
        return C(self.bits(a, 4, 1), "1")

    def call_bool(self, e, a):
        return C("(%s != 0)" % self.value(a), "bool")

    def call_parity(self, e, a):
        return C("sim_parity(%s)" % self.value(a), "1")

    def over(self, name, args):
        a, b, c = args
        return C("ev_%s(%s, %s, %s, %d)" % (name, self.value(a), self.value(b, a.width), self.value(c, 1), a.width or b.width),
                 "bool")

    def call_carry(self, e, *args):
        return self.over("uadd_over", args)

    def call_borrow(self, e, *args):
        return self.over("usub_over", args)

    def call_overflow(self, e, *args):
        return self.over("sadd_over", args)

    call_uadd_over, call_usub_over, call_sadd_over = call_carry, call_borrow, call_overflow

    def call_ssub_over(self, e, *args):
        return self.over("ssub_over", args)

    def rotate(self, e, x, n):
        return self.typed(e, "sim_%s(%s, %s, %d)" % (e.name, self.value(x, e.width), self.value(n, 8), e.width))

    call_rotl = call_rotr = call_replicate = rotate

    def plain(self, e, *args):
        return self.typed(e, "sim_%s(%s)" % (e.name, ", ".join(self.value(a, e.width) for a in args)))

    call_umin = call_umax = plain

    def sized(self, e, *args):
        return self.typed(e, "sim_%s(%s, %d)" % (e.name, ", ".join(self.value(a, e.width) for a in args), e.width))

    call_smin = call_smax = call_abs = sized

    def divide(self, e, n, d):
        text = "sim_%s((EvUint)%s, %s, %d)" % (e.name, self.value(n), self.value(d), d.width)
        return C(text, "bool") if e.name.startswith("fits") else self.typed(e, text)

    call_quot_u = call_quot_s = call_rem_u = call_rem_s = divide
    call_fits_quotient_u = call_fits_quotient_s = divide

    def resize(self, e, x, _):
        return self.typed(e, "sim_%s(%s, %s, %d, %d)" % (e.name, self.sim.nan(e), self.value(x), x.width, e.width))

    call_fpromote = call_fdemote = resize

    def call_round_mode(self, e, x, mode):
        return self.typed(e, "sim_round_mode(%s, %s, %s, %d)" % (self.sim.nan(e), self.value(x), self.value(mode), e.width))

    def call_guard_select(self, e, c, x, y):
        return self.choice(c, x, y)

    # ---- flags ----
    def is_flags(self, e):
        isa = self.m.isa
        if e.k == "call":
            return e.name in isa.flags or (e.body is not None and e.body.fn.type in isa.flags)
        if e.k == "cond":
            return any(self.is_flags(a) for a in e.args[1:])
        if e.k == "name" and e.ref is not None:
            if e.ref.kind == "let":
                return self.is_flags(e.ref.obj.value)
            return e.ref.kind == "flags"
        return False

    def flags(self, e):
        """The expression as bits with the mask of undefined ones above."""
        isa, kind = self.m.isa, e.ref.kind if e.k == "name" and e.ref is not None else None
        if kind == "undefined":
            return "(UINT64_C(0x%x) << 32)" % ones(e.width)
        if kind == "flags":
            return "sim_flags(s, %s)" % self.sim.reg_name(e.ref.obj)
        if kind in ("let", "param"):
            return self.of(e).text
        if e.k == "cond":
            return "(%s ? %s : %s)" % (self.truth(e.args[0]), self.flags(e.args[1]), self.flags(e.args[2]))
        if e.k == "call" and e.name in isa.flags:
            return self.flags_value(e, isa.flags[e.name])
        if e.k == "call" and e.body is not None and e.body.fn.type in isa.flags:
            return self.sim.call_fn(e.body, [self.argument(a, p) for a, p in zip(e.args, e.ref.params)])
        return self.value(e)

    def flags_value(self, e, flags):
        at = {n: k for k, n in enumerate(flags.bits)}
        given = sum(1 << at[n] for n, _ in e.kwargs)
        open_bits = ones(len(flags.bits)) & ~given
        parts, constant = [], 0
        for name, value in e.kwargs:
            k = at[name]
            number = fold(value)
            if is_undefined(value):
                constant |= 1 << 32 + k
            elif number is not None:
                constant |= (number & 1) << k
            else:
                parts.append(self.flag_bit(value, k))
        if e.args:
            keep = open_bits | open_bits << 32
            parts.insert(0, "(%s & UINT64_C(0x%x))" % (self.flags(e.args[0]), keep) if given else self.flags(e.args[0]))
        else:
            constant |= open_bits << 32
        if constant or not parts:
            parts.append("UINT64_C(0x%x)" % constant)
        return "(%s)" % " | ".join(parts)

    def flag_bit(self, value, k):
        if value.k == "cond" and (is_undefined(value.args[1]) or is_undefined(value.args[2])):
            sides = ["UINT64_C(1) << %d" % (32 + k) if is_undefined(a) else self.flag_bit(a, k) for a in value.args[1:]]
            return "(%s ? %s : %s)" % (self.truth(value.args[0]), *sides)
        text = self.value(value, 1)
        return "%s << %d" % (text, k) if k else text


def is_undefined(e):
    return e.k == "name" and e.ref is not None and e.ref.kind == "undefined"


def unused(names, text):
    """C lines that keep a compiler quiet about what a function's text does not mention."""
    return "".join("    (void)%s;\n" % n for n in names if not re.search(r"\b%s\b" % n, text))


def ref_view(opnd, name):
    return (opnd.cls.file if opnd.cls else opnd.reg.file).views[name]


def deep(e):
    """An expression's nodes, those of the functions it calls included."""
    for n in e.walk():
        yield n
        if n.k == "call" and n.body is not None:
            yield from deep(n.body.body)
        if n.k == "name" and n.ref is not None and n.ref.kind == "let":
            yield from deep(n.ref.obj.value)


class Body:
    """The function of one instruction."""

    def __init__(self, sim, minst):
        self.sim, self.m, self.minst = sim, sim.m, minst
        self.c = SemC(sim, {s.name: (s, str(s.slot)) for s in minst.slots})
        self.c.locals = {}
        self.heads, self.lines, self.commits, self.n = [], [], [], 0
        self.vague = any(is_undefined(n) for s in minst.inst.sem for e in s.exprs() for n in deep(e)
                         if not self.flag_target(s))

    def flag_target(self, s):
        return s.k == "assign" and self.c.is_flags(s.target)

    def text(self):
        for trap in self.minst.inst.traps:
            test = "" if trap.when.k == "num" else "if (%s) " % strip(self.c.truth(trap.when))
            self.lines.append("    %ssim_stop(s, SIM_FAULT, TRAP_%s);" % (test, trap.code))
        if self.minst.inst.traps:
            self.lines.append("    if (s->event) return;")
        if self.vague:
            self.lines.append("    s->vague = false;")
        self.stmts(self.minst.inst.sem, "    ", False)
        body = ["    " + line for line in self.c.locals.values()] + self.heads + self.lines + self.commits
        text = "".join(line + "\n" for line in body)
        return "static void run_%s(SimState *s, const SimInst *i) {\n%s%s}\n" % (
            self.minst.name, unused(["s", "i"], text), text)

    def stmts(self, stmts, indent, nested):
        for s in stmts:
            if s.k == "let":
                flags = self.c.is_flags(s.value)
                text = self.c.flags(s.value) if flags else self.c.value(s.value)
                self.lines.append("%sconst %s v_%s = %s;" % (indent, c_type(s.value.width), s.name, text))
            elif s.k == "assign":
                self.assign(s, indent, nested)
            elif s.k == "do":
                self.do(s.value, indent, nested)
            else:
                self.lines.append("%sif (%s) {" % (indent, strip(self.c.truth(s.value))))
                self.stmts(s.then, indent + "    ", True)
                if s.other:
                    self.lines.append("%s} else {" % indent)
                    self.stmts(s.other, indent + "    ", True)
                self.lines.append("%s}" % indent)

    def pending(self, width, text, indent, nested):
        """A variable that holds what an assignment will assign, and the condition of doing so, or None."""
        name, self.n = "t%d" % self.n, self.n + 1
        if not nested:
            self.lines.append("%sconst %s %s = %s;" % (indent, c_type(width), name, text))
            return name, None
        self.heads.append("    %s %s = 0;" % (c_type(width), name))
        self.heads.append("    bool is_%s = false;" % name)
        self.lines.append("%s%s = %s;" % (indent, name, text))
        self.lines.append("%sis_%s = true;" % (indent, name))
        return name, "is_" + name

    def commit(self, when, lines):
        if when is None:
            self.commits += ["    " + line for line in lines]
        elif len(lines) == 1:
            self.commits.append("    if (%s) %s" % (when, lines[0]))
        else:
            self.commits += ["    if (%s) {" % when] + ["        " + line for line in lines] + ["    }"]

    def assign(self, s, indent, nested):
        target = s.target
        ref = target.ref
        kind = ref.kind if ref is not None else None
        flags = kind == "flags"
        value = self.c.flags(s.value) if flags else self.c.value(s.value, target.width)
        name, when = self.pending(64 if flags else target.width, value, indent, nested)
        if flags:
            self.commit(when, ["sim_set_flags(s, %s, %s);" % (self.sim.reg_name(ref.obj), name)])
        elif kind == "flag":
            reg, bit = self.sim.reg_name(ref.obj[0]), ref.obj[1]
            self.commit(when, ["s->r[%s].w[0] = (s->r[%s].w[0] & ~UINT64_C(0x%x)) | %s << %d;" % (reg, reg, 1 << bit, name, bit),
                               "s->r[%s].w[1] &= ~UINT64_C(0x%x);" % (reg, 1 << bit)])
        elif kind == "pc":
            self.commit(when, ["s->pc = %s;" % name])
        elif kind == "reg":
            if ref.obj.constant is None:
                index = "%s_REG_%s" % (self.m.name.upper(), ref.obj.name)
                self.commit(when, self.write(index, ref.obj, self.m.isa.reg_names[target.name][1], name))
        elif kind in ("opnd", "part") and (target if target.k == "name" else target.args[0]).name in self.c.slots:
            base = target if target.k == "name" else target.args[0]
            slot, at = self.c.slots[base.name]
            view = slot.view if target.k == "name" else ref_view(ref.obj, target.name) if slot.type == "reg" else None
            if slot.type == "composite":  # its base is written back
                part = next(p for f in slot.kind.forms for p in self.m.form_slots[id(f)] if p.name == target.name)
                slot, at, view = part, "%s + %d" % (at, part.slot), part.view
            if slot.type != "reg":
                raise CannotExpress("'%s' cannot be assigned" % target)
            index = "i->a[%s]" % at
            reg = slot.cls.regs[0] if slot.cls is not None else slot.fixed
            if slot.fixed is not None:
                reg, index = slot.fixed, "%s_REG_%s" % (self.m.name.upper(), slot.fixed.name)
                if reg.constant is not None:
                    return
            self.commit(when, self.write(index, reg, view, name))
        else:
            raise CannotExpress("'%s' cannot be assigned" % target)

    def write(self, index, reg, view, value):
        at = "s->r[%s]" % index
        if view is None or (view.lo == 0 and view.hi == reg.width - 1):
            out = ["sim_set_wide(&%s, %s);" % (at, value)] if reg.width > 64 else ["%s.w[0] = %s;" % (at, value)]
        elif view.write == "zero" and view.lo == 0 and view.hi < 64:
            out = ["%s.w[0] = %s;" % (at, value)] + (["%s.w[1] = 0;" % at] if reg.width > 64 else [])
        elif view.lo // 64 != view.hi // 64:
            raise CannotExpress("a view across the 64-bit words of a register")
        else:
            w, lo = view.lo // 64, view.lo % 64
            word = "%s.w[%d]" % (at, w)
            moved = "%s << %d" % (value, lo) if lo else value
            if view.write == "zero":
                out = ["%s.w[%d] = 0;" % (at, 1 - w)] if reg.width > 64 else []
                out.append("%s = %s;" % (word, moved))
            elif view.width == 64:
                out = ["%s = %s;" % (word, value)]
            else:
                out = ["%s = (%s & ~UINT64_C(0x%x)) | %s;" % (word, word, ones(view.width) << lo, moved)]
        if self.vague:
            out.append("if (s->vague) regset_add(&s->unknown, (unsigned)%s);" % index)
        return out

    # ---- effects ----
    def do(self, e, indent, nested):
        c, name = self.c, e.name
        if name in ("store", "atomic_store"):
            address, value, width = c.value(e.args[0]), c.value(e.args[1]), e.args[1].width
            if width == 128:
                self.lines.append("%ssim_store_wide(%s, %s);" % (indent, address, value))
            else:
                self.lines.append("%ssim_%s(%s, %s, %d);" % (indent, name, address, value, width // 8))
        elif name == "fence":
            self.lines.append("%s__atomic_thread_fence(__ATOMIC_SEQ_CST);" % indent)
        elif name in ("trap", "debugtrap"):
            self.lines.append("%ssim_stop(s, %s, 0);" % (indent, {"trap": "SIM_TRAP", "debugtrap": "SIM_BREAK"}[name]))
        elif name in ("call", "return_to"):
            value, when = self.pending(64, c.value(e.args[0], 64), indent, nested)
            self.commit(when, self.sim.call_lines(value) if name == "call" else self.sim.return_lines(value))
        else:
            raise CannotExpress("'%s'" % name)


def strip(text):
    """Without the parentheses around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for k, ch in enumerate(text):
        depth += {"(": 1, ")": -1}.get(ch, 0)
        if depth == 0 and k < len(text) - 1:
            return text
    return text[1:-1]


class Simulator:
    def __init__(self, m):
        self.m = m
        self.fns, self.helpers = {}, {}
        abi = next((a for a in m.isa.abis.values() if a.get("link")), None)
        self.link = m.reg(abi.get("link")[0]) if abi is not None else None
        self.sp = m.reg(m.role("sp")[0]) if m.role("sp") else None

    # ---- what expressions ask for ----
    def reg_name(self, flags):
        return "%s_REG_%s" % (self.m.name.upper(), flags.reg.name)

    def nan(self, e):
        rule = self.m.isa.settings.get("nan")
        if rule is None:
            raise CannotExpress("which NaN comes out? write `nan first negative`, ... among the machine's settings")
        return NAN_RULES[rule[0]] + (" | NAN_NEGATIVE" if rule[1] == "negative" else "")

    def helper(self, name, text):
        """The name of a C function with this text (%s: its name); equal texts are one function."""
        if text not in self.helpers:
            taken = sum(1 for n in self.helpers.values() if n == name or n.startswith(name + "_x"))
            self.helpers[text] = "%s_x%d" % (name, taken) if taken else name
        return self.helpers[text]

    def call_fn(self, instance, args):
        key = id(instance)
        if key not in self.fns:
            widths = "_".join(str(w) for _, w in instance.params)
            flags = instance.fn.type in self.m.isa.flags
            c = SemC(self, {})
            value = c.flags(instance.body) if flags else c.value(instance.body, instance.width)
            params = "".join(", %s v_%s" % ("uint64_t" if k in self.m.isa.flags else c_type(w), n)
                             for (n, w), (_, k) in zip(instance.params, instance.fn.params))
            text = "    return %s;\n" % strip(value)
            text = unused(["s", "i"] + ["v_" + n for n, _ in instance.params], text) + text
            self.fns[key] = self.helper(
                "fn_%s_%s" % (instance.fn.name, widths),
                "static inline %s %%s(SimState *s, const SimInst *i%s) {\n%s}\n"
                % ("uint64_t" if flags else c_type(instance.width), params, text.replace("%", "%%")))
        return "%s(%s)" % (self.fns[key], ", ".join(["s", "i"] + args))

    def call_lines(self, to):
        """The return address goes to the register that the convention names, or on the stack."""
        up, word = self.m.name.upper(), self.m.isa.word // 8
        if self.link is not None:
            return ["s->r[%s_REG_%s].w[0] = i->next;" % (up, self.link.name), "s->pc = %s;" % to]
        sp = "s->r[%s_REG_%s].w[0]" % (up, self.sp.name)
        return ["%s -= %d;" % (sp, word), "sim_store(%s, i->next, %d);" % (sp, word), "s->pc = %s;" % to]

    def return_lines(self, more):
        up, word = self.m.name.upper(), self.m.isa.word // 8
        sp = "s->r[%s_REG_%s].w[0]" % (up, self.sp.name)
        if self.link is not None:
            return ["s->pc = s->r[%s_REG_%s].w[0];" % (up, self.link.name), "%s += %s;" % (sp, more)]
        return ["s->pc = sim_load(%s, %d);" % (sp, word), "%s += %d + %s;" % (sp, word, more)]

    # ---- the file ----
    def forms(self):
        """name -> C function of the value of a composite operand."""
        out = {}
        for comp in self.m.isa.operands.values():
            text = ["static inline uint64_t form_%s(SimState *s, const SimInst *i, unsigned at) {\n    switch (i->a[at]) {"
                    % comp.name]
            for f in comp.forms:
                c = SemC(self, {p.name: (p, "at + %d" % p.slot) for p in self.m.form_slots[id(f)]})
                text.append("    case %d: return %s;" % (f.index, strip(self.guarded(f.loc, c.value, f.value))))
            text.append("    default: sim_stop(s, SIM_UNDEFINED, 0); return 0;\n    }\n}\n")
            out["form_" + comp.name] = "\n".join(text)
        return out

    def conditions(self):
        """name -> C function that tells whether a condition holds."""
        out = {}
        for name, cond in self.m.isa.conds.items():
            text = ["static inline bool holds_%s(SimState *s, uint64_t code) {\n    switch (code) {" % name]
            for item in cond.items:
                if item.when is None:
                    continue
                read = {}
                for n in deep(item.when):
                    if n.k in ("name", "dot") and n.ref is not None and getattr(n.ref, "kind", None) == "flag":
                        flags, bit = n.ref.obj
                        read[flags.name] = read.get(flags.name, 0) | 1 << bit
                # All of a condition's flags are read, also where the first one decides.
                reads = "".join("        sim_read_flags(s, %s, 0x%x);\n" % (self.reg_name(self.m.isa.flags[f]), mask)
                                for f, mask in read.items())
                truth = self.guarded(item.loc, SemC(self, {}).truth, item.when)
                text.append("    case %d: // %s\n%s        return %s;" % (item.value, item.names[0], reads, strip(truth)))
            text.append("    default: sim_stop(s, SIM_UNDEFINED, 0); return false;\n    }\n}\n")
            out["holds_" + name] = "\n".join(text)
        return out

    @staticmethod
    def guarded(loc, function, *args):
        try:
            return function(*args)
        except CannotExpress as e:
            raise DescriptionError(loc, "the simulator cannot execute this: %s" % e) from None

    def check(self):
        m = self.m
        if len(m.isa.regs) >= REGS:
            raise DescriptionError(m.isa.loc, "more registers than the simulator has")
        for i in m.insts:
            if i.n_slots > SLOTS:
                raise DescriptionError(i.loc, "'%s' has more operand slots than the simulator" % i.name)
        for r in m.isa.regs:
            if r.constant not in (None, 0):
                raise DescriptionError(r.loc, "the simulator knows registers that read as 0 only")

    def text(self):
        m = self.m
        self.check()
        forms, conditions, bodies, table = self.forms(), self.conditions(), [], []
        for i in m.insts:
            if i.relax or i.pseudo:
                continue
            bodies.append("// %s\n%s" % (signature(i), self.guarded(i.loc, Body(self, i).text)))
            table.append("    [%s_%s] = run_%s," % (m.name.upper(), i.name, i.name))
        out = [banner(m, "emit_sim"), '#include "%s.h"' % m.name, '#include "sim/ops.h"', ""]
        # What a helper calls stands before it: they are made innermost first. Forms call helpers, never the reverse.
        functions = dict([(name, text % name) for text, name in self.helpers.items()] + list(forms.items())
                         + list(conditions.items()))
        later, kept = "".join(bodies), []
        for name, text in reversed(list(functions.items())):
            if name + "(" in later:
                kept.insert(0, text)
                later += text
        out += kept
        out += bodies
        out += ["SimRun *const %s_sim[N_%s_INSTS] = {" % (m.name, m.name.upper())] + table + ["};", ""]
        return "\n".join(out)


def signature(i):
    sems = "; ".join(str(s) for s in i.inst.sem)
    text = "%s: %s" % (i.name, sems)
    return text if len(text) < 200 else text[:196] + " ..."
