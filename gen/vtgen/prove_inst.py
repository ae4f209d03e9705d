"""Instructions run on bit-vector terms: what a proof says of a machine.

Exec runs instructions one after the other. Registers hold RegVal: the whole register, of which an operand reads and
writes a view. The flags are one bit each. What a sem calls `undefined`, the part of a register that a write keeps when
nothing was there, and everything that was there before are fresh variables: a proof holds for all their values.

Memory. A load is an unknown function of the address (one for each width and number of stores before it), and what is
loaded or stored, where, how wide and in which order is part of what both sides of a proof must agree on: so a rule
reads and writes exactly the memory that its opcodes do, and so faults where they do. That is stronger than equality of
memories and needs no arrays. A store that only lives on in another load of the same rule would be too much for it;
there are no such rules. Order between threads is no part of it but for this: an atomic store is an atomic store or
has a fence at its side, a fence a fence, unless memory is said to be unshared.

Stack machines. Values are registers of their own, without number: what is on the stack and what is in a local is the
whole value, so nothing is spilled. Instructions trap for the IR's codes: a rule may rely on it, in the IR's order. The
sum of base and displacement of an access is taken modulo the word here; a machine that does not wrap around differs
only for displacements that the description's `when` keeps below what is never used (see the machine's description).

Spilling. A register of a rule that holds n bytes may be written to memory and read back between two instructions, by
the `moves` of the machine: bits above those bytes are then what the reload makes of them. Whoever reads more than
those bytes gets either value, as an unknown truth value decides.
"""
import smt
from prove_ir import trap_number
from prove_sem import Eval, Unsaid, World
from smt import const, var
from symbits import Bits, Evaluator, NotSymbolic, Var, simple


class RegVal:
    """term: the whole register. bytes: how much of it survives a spill, or None: all of it. spilled: the truth value
    that says whether it was, once somebody asked."""

    def __init__(self, term, bytes_=None):
        self.term, self.bytes, self.spilled = term, bytes_, None


class Code:
    """A condition code: a number, or the unknown code of a condition that was put before (`holds` tells)."""

    def __init__(self, number=None, holds=None, epoch=None):
        self.number, self.holds, self.epoch = number, holds, epoch


class Place:
    """A label or symbol where an immediate may wait for one. kind: block, trap, symbol; term: the block's number, the
    trap code, or the symbol's address. imm: whose relocation
    fills it, when another operand passes it on."""

    def __init__(self, kind, term, name="", imm=None):
        self.kind, self.term, self.name, self.imm = kind, term, name, imm


class Imms:
    """Immediates as the encoder and the decoder see them."""

    def __init__(self, isa):
        self.isa, self.shapes, self.sets = isa, {}, {}
        regs = {n: r.hw for n, (r, _) in isa.reg_names.items()}
        self.evaluator = Evaluator({}, regs)

    def choices(self, imm):
        """[(chosen bits, atoms of the value)]: one, or one for each value of the bits that a `?:` looks at; None when
        the value is no rearrangement of bits at all."""
        if imm.name not in self.shapes:
            self.shapes[imm.name] = self.find(imm)
        return self.shapes[imm.name]

    def find(self, imm):
        widths, bits = dict(imm.fields), []
        for x in imm.value.walk():
            if x.k == "cond":
                for y in x.args[0].walk():
                    if y.k == "name" and y.name in widths:
                        bits += [(y.name, i) for i in range(widths[y.name])] if widths[y.name] <= 2 else []
                    if y.k == "index" and y.args[0].k == "name" and y.args[0].name in widths and y.args[1].k == "num":
                        bits.append((y.args[0].name, y.args[1].value))
        bits = sorted(set(bits))
        if len(bits) > 4:
            return None
        out = []
        for k in range(1 << len(bits)):
            row = {b: k >> i & 1 for i, b in enumerate(bits)}
            env = {}
            for n, w in imm.fields:
                v = Var(n, w, n)
                env[n] = simple(Bits([row.get((n, i), (v, i, False)) for i in range(w)]))
            try:
                value = self.evaluator.eval(imm.value, env)
            except (NotSymbolic, AttributeError, KeyError):
                return None
            if isinstance(value, int):
                value = Bits([value >> i & 1 for i in range(imm.width)])
            out.append((row, (value.atoms + [0] * imm.width)[:imm.width]))
        return out

    def decode(self, imm, v):
        """[(fields as terms, value that these fields read as)]: the fields are those that the encoder makes of v."""
        out = []
        for row, atoms in self.choices(imm):
            fields = {}
            for n, w in imm.fields:
                bits = []
                for k in range(w):
                    if (n, k) in row:
                        bits.append(const(row[n, k], 1))
                        continue
                    at = next((i for i, a in enumerate(atoms)
                               if a not in (0, 1) and a[0].name == n and a[1] == k), None)
                    if at is None:  # it does not matter in this case
                        bits.append(const(0, 1))
                        continue
                    b = smt.bit(v, at)
                    bits.append(smt.bvnot(b) if atoms[at][2] else b)
                fields[n] = join(bits)
            value = []
            for a in atoms:
                if a in (0, 1):
                    value.append(const(a, 1))
                else:
                    b = smt.bit(fields[a[0].name], a[1])
                    value.append(smt.bvnot(b) if a[2] else b)
            out.append((fields, join(value)))
        return out

    def fits(self, imm, v):
        """Can the encoder write the number v (64 bits)?"""
        w = imm.width
        v = smt.resize(v, max(w, 64), True)
        x = smt.low(v, w)
        whole = smt.TRUE if w == v.width else smt.disj(smt.eq(v, smt.sext(x, v.width)), smt.eq(v, smt.zext(x, v.width)))
        if self.choices(imm) is None:
            return smt.conj(whole, self.in_set(imm, x))
        ways = []
        for fields, value in self.decode(imm, x):
            ok = smt.eq(value, x)
            if imm.guard is not None:
                ok = smt.conj(ok, Eval(None, FieldWorld()).expr(imm.guard, fields))
            ways.append(ok)
        return smt.conj(whole, smt.any_of(ways))

    @staticmethod
    def value(imm, v):
        """What the instruction reads when the encoder was given v. Whoever asks must have made sure that v fits: then
        it is v."""
        return smt.resize(v, imm.width, True)

    def in_set(self, imm, x):
        """Values that are no rearrangement of bits are enumerated; of an unknown number it is an unknown question."""
        if not smt.known(x):
            return smt.apply("is_%s" % imm.name, 1, x)
        if imm.name not in self.sets:
            self.sets[imm.name] = frozenset(self.enumerate(imm))
        return const(int(x.value in self.sets[imm.name]), 1)

    def enumerate(self, imm):
        total = sum(w for _, w in imm.fields)
        if total > 16:
            raise Unsaid(imm.loc, "immediate '%s' has too many fields to enumerate" % imm.name)
        ev = Eval(None, FieldWorld())
        for k in range(1 << total):
            env, rest = {}, k
            for n, w in imm.fields:
                env[n] = const(rest, w)
                rest >>= w
            if imm.guard is None or ev.expr(imm.guard, dict(env)).value:
                yield ev.expr(imm.value, dict(env)).value


class FieldWorld(World):
    def name(self, e, env):
        return env[e.name]


def join(bits):
    """Bits, least significant first."""
    out = bits[0]
    for b in bits[1:]:
        out = smt.concat(b, out)
    return out


def is_pc_next(exprs):
    return any(x.k == "name" and x.name == "pc_next" for e in exprs if e is not None for x in e.walk())


def asks_table(isa, inst):
    """Does an instruction of several parts take its label from the table of addresses?"""
    if inst.encode is None or inst.encode.format is not None:
        return False
    return any(x.k == "call" and x.name in isa.relocs and "G" in isa.relocs[x.name].letters()
               for part in inst.encode.parts for x in part.walk())


def sem_exprs(stmts):
    for s in stmts:
        yield from s.exprs()


class Exec(World):
    def __init__(self, isa, ir, imms, conds):
        self.isa, self.ir, self.imms, self.conds = isa, ir, imms, conds
        self.eval = Eval(ir, self)
        self.count = 0
        self.flags = {f: self.fresh("%s_before" % f, 1) for flags in isa.flags.values() for f in flags.bits}
        self.epoch = 0          # how often the flags were written
        self.alive = smt.TRUE   # no jump was taken so far
        self.loads, self.stores, self.fences = [], [], []
        self.jumps = []         # (when, Place or address term)
        self.faults = []        # (when, text): instructions that trap by themselves, for other reasons than the IR's
        self.tables = []        # (when, [index, number of entries but the last]): branches of a stack machine
        self.needs = []         # (text, truth): what the encoder must be able to do
        self.trace = []         # (text, {operand: Term}) of each instruction
        self.hyps = []          # what is known of the pool and such
        self.specified = None   # values to take for `undefined`, when a sem is a specification
        self.given = None
        self.pc, self.size = var("pc", isa.word), None   # of the instruction that runs; its bytes, where they matter
        self.wrote_flags = False
        self.shared = isa.settings.get("memory") != ["unshared"]  # with other threads

    def fresh(self, name, width):
        self.count += 1
        return var("%s.%d" % (name, self.count), width)

    # ---- World ----

    def name(self, e, env):
        ref = e.ref
        if ref is None:
            raise Unsaid(e.loc, "'%s' has no meaning here" % e)
        if ref.kind == "opnd":
            return self.read_opnd(ref.obj, env)
        if ref.kind == "flag":
            return self.before_flags[ref.obj[0].bits[ref.obj[1]]]
        if ref.kind == "pc":
            if self.size is None and e.name == "pc_next":
                return var("pc_next", self.isa.word)
            return self.pc if e.name == "pc" else smt.add(self.pc, const(self.size, self.isa.word))
        if ref.kind == "reg":
            reg = ref.obj
            if reg.constant is not None:
                return const(reg.constant, e.width)
            return smt.low(var(reg.name, reg.width), e.width)
        raise Unsaid(e.loc, "'%s' has no meaning here" % e)

    def read_opnd(self, o, env):
        x = env[o.name]
        if isinstance(x, RegVal):
            hi, lo = (o.view.hi, o.view.lo) if o.view is not None else (x.term.width - 1, 0)
            return smt.extract(self.spillable(x, hi + 1), hi, lo)
        if isinstance(x, Place):
            return self.place_value(x, o, env)
        if isinstance(x, Code):
            raise Unsaid(o.loc, "a condition code is read as a number")
        return x

    def spillable(self, x, width):
        if x.bytes is None or width <= 8 * x.bytes or x.term.width <= 8 * x.bytes:
            return x.term
        back = self.reloaded(smt.low(x.term, 8 * x.bytes), x.term.width)
        if back is x.term:
            return x.term
        if x.spilled is None:
            x.spilled = self.fresh("spilled", 1)
        return smt.ite(x.spilled, back, x.term)

    def reloaded(self, value, width):
        for moves in self.isa.moves.values():
            load = moves.load.get(value.width // 8)
            out = next((o for o in load.opnds if o.writes), None) if load is not None else None
            if out is None or out.cls is None or out.cls.file.width != width:
                continue
            inner = Exec(self.isa, self.ir, self.imms, self.conds)
            inner.count = 1000 + self.count
            inner.memory = value
            made = inner.run(load, {o.name: const(0, self.isa.word) for o in load.opnds if o.type == "composite"})
            self.count += 1
            return made[out.name].term
        return smt.concat(self.fresh("above", width - value.width), value)

    memory = None  # what every load gives (of a reload)

    def place_value(self, place, o, env):
        """The number that the linker or the emitter writes for a symbol: its relocation's value."""
        base = var("pc_next", self.isa.word) if env["pc_next"] else self.pc
        if o.type == "label":
            return smt.sub(self.through_table(place) if env["table"] else place.term, base)
        imm = place.imm or o.imm
        reloc = next((r for r in self.isa.relocs.values() if r.imm is imm), None)
        if reloc is None:
            raise Unsaid(o.loc, "no relocation fills '%s'" % o.imm.name)
        got = self.through_table(place) if "G" in reloc.letters() else place.term
        names = {"S": place.term, "L": place.term, "A": const(0, self.isa.word), "P": base, "G": got}
        value = RelocEval(self.isa.word).expr(reloc.spots[0].value, names)
        self.hyps.append(self.imms.fits(o.imm, value))  # whoever fills it refuses what is out of reach
        return smt.resize(value, o.imm.width, True)

    def through_table(self, place):
        """The address of the word that holds the symbol's address."""
        got = var("got_" + place.name, self.isa.word)
        self.hyps.append(smt.eq(smt.low(got, 3), const(0, 3)))
        self.hyps.append(smt.eq(smt.apply("load%d" % self.isa.word, self.isa.word, got), place.term))
        return got

    def load(self, address, width, atomic):
        if self.memory is not None:
            return smt.resize(self.memory, width)
        self.loads.append((self.alive, address, width, atomic))
        return smt.apply("load%d%s" % (width, ".after%d" % len(self.stores) if self.stores else ""), width, address)

    def undefined(self, width):
        if self.specified is not None and self.specified.width == width:
            return self.specified
        return self.fresh("undefined", width)

    def holds(self, e, env):
        code = env[e.name]
        return self.truth_of(code, self.before_flags, self.before_epoch)

    def truth_of(self, code, flags=None, epoch=None):
        flags = self.flags if flags is None else flags
        epoch = self.epoch if epoch is None else epoch
        if code.number is None:
            if code.epoch != epoch:
                return self.fresh("lost_condition", 1)
            return code.holds
        item = next(i for c in self.isa.conds.values() for i in c.items if i.value == code.number)
        return self.condition(item, flags)

    def condition(self, item, flags):
        saved = getattr(self, "before_flags", None)
        self.before_flags = flags
        out = self.eval.expr(item.when, {})
        self.before_flags = saved
        return out

    # ---- running ----

    def run(self, inst, given, text=None):
        """Runs an instruction; given: operand name -> RegVal, Term of an immediate or address, Code or Place. Returns
        output name -> RegVal."""
        if hasattr(inst, "rows"):
            return self.run_relax(inst, given, text)
        env = dict(given)
        env["pc_next"] = is_pc_next(sem_exprs(inst.sem))
        env["table"] = asks_table(self.isa, inst)
        self.before_flags, self.before_epoch = dict(self.flags), self.epoch
        self.outs = {}
        for o in inst.opnds:
            if o.writes and o.type in ("reg", "fixed"):
                old = given.get(o.name)
                file = o.cls.file if o.type == "reg" else o.reg.file
                self.outs[o.name] = old.term if isinstance(old, RegVal) and o.role == "inout" else \
                    self.fresh("old_%s" % o.name, file.width)
        before = dict(self.outs)
        for trap in inst.traps:
            when = smt.conj(self.alive, self.eval.expr(trap.when, env))
            if self.isa.is_stack:  # whoever runs it gets the IR's code
                self.jumps.append((when, Place("trap", trap_number(self.ir, trap.code))))
                self.alive = smt.conj(self.alive, smt.bvnot(when))
            else:
                self.faults.append((when, "%s: %s" % (inst.name, trap.code)))
        self.wrote_flags = False
        if self.isa.roles.get("branch_table") == [inst.name]:
            self.tables.append((self.alive, [self.read_opnd(o, env) for o in inst.opnds]))
        else:
            self.stmts(inst.sem, env, smt.TRUE, inst)
        if self.wrote_flags:
            self.epoch += 1
        made = {}
        for o in inst.opnds:
            if o.name in self.outs:
                made[o.name] = RegVal(self.outs[o.name])
        shown = {n: t for n, t in self.outs.items() if t is not before[n]}
        self.trace.append((text or inst.name, shown, dict(self.flags) if self.wrote_flags else None))
        return made

    def run_relax(self, relax, given, text):
        """Its first row stands for all (prove_tables: relaxed)."""
        calls = calls_of(relax.rows[0])
        if len(calls) != 1:
            raise Unsaid(relax.loc, "the first row of '%s' has several instructions" % relax.name)
        inst, inner = self.isa.insts[calls[0].name], {}
        for o, a in zip(inst.opnds, calls[0].args):
            if o.reads:
                inner[o.name] = self.part_operand(o, a, given, {}, None)
        outs = self.run(inst, inner, text)
        return {a.name: outs[o.name] for o, a in zip(inst.opnds, calls[0].args) if o.name in outs}

    # ---- instructions in a row: of a relax, of `encode seq(...)` ----

    def parts(self, calls, given):
        """Runs them one behind the other; registers that they write are known to those that follow. Returns what they
        leave: operand or register name -> RegVal."""
        insts = [self.isa.insts[c.name] for c in calls]
        if any(i.encode is None or i.encode.format is None or i.encode.format.width is None for i in insts):
            raise Unsaid(calls[0].loc, "parts whose size is not known")
        local, start, at, high = {}, self.pc, 0, None
        patched = {}  # offset -> value that a relocation of an earlier part puts there
        for inst, call in zip(insts, calls):
            self.pc, self.size = smt.add(start, const(at, self.isa.word)), inst.encode.format.width // 8
            state, inner = Relocs(self, at, high, patched), {}
            for o, a in zip(inst.opnds, call.args):
                inner[o.name] = self.part_operand(o, a, given, local, state)
            high = state.high
            alive = self.alive
            outs = self.run(inst, inner, str(call))
            for o, a in zip(inst.opnds, call.args):
                if o.name in outs and a.k == "name":
                    old = local.get(a.name) or given.get(a.name)
                    new = outs[o.name].term
                    local[a.name] = RegVal(smt.ite(alive, new, old.term) if isinstance(old, RegVal) else new)
            at += self.size
        self.pc, self.size = start, None
        return local

    def part_operand(self, o, a, given, local, state):
        if a.k == "call" and a.name in self.isa.relocs:
            return state.value(o, self.isa.relocs[a.name], given[a.args[0].name])
        if o.type == "imm" and state is not None and state.at in state.patched:
            return state.patched[state.at]
        if a.k == "call" and o.type == "composite":
            form = next(f for f in o.comp.forms if f.name == a.name)
            env = {p.name: self.part_operand(p, x, given, local, state) for p, x in zip(form.params, a.args)}
            env["pc_next"] = is_pc_next([form.value])
            return self.eval.expr(form.value, env)
        if a.k == "call" and a.name == "not" and o.type == "cond":
            c = given[a.args[0].name]
            return Code(self.conds.opposite[c.number]) if c.number is not None else \
                Code(holds=smt.bvnot(c.holds), epoch=c.epoch)
        if a.k == "name" and a.name == "end" and a.name not in given:
            return Place("end", var("end", self.isa.word))
        if a.k == "name" and a.name in local:
            return local[a.name]
        if a.k == "name" and a.name in given:
            x = given[a.name]
            if o.type == "imm" and isinstance(x, smt.Term):
                x = smt.resize(x, 64, True)
                self.needs.append(("%s can be encoded as %s" % (o.name, o.imm.name), self.imms.fits(o.imm, x)))
                return self.imms.value(o.imm, x)
            return x
        if a.k == "name" and a.name in self.isa.reg_names:
            reg = self.isa.reg_names[a.name][0]
            return RegVal(var(reg.name, reg.width) if reg.constant is None else const(reg.constant, reg.width))
        x = self.part_number(a, given)
        self.needs.append(("%s can be encoded as %s" % (o.name, o.imm.name), self.imms.fits(o.imm, x)))
        return self.imms.value(o.imm, x)

    def part_number(self, a, given):
        if a.k == "num":
            return const(a.value, 64)
        if a.k == "name" and isinstance(given.get(a.name), smt.Term):
            return smt.resize(given[a.name], 64, True)
        if a.k == "bin":
            f = {"add": smt.add, "sub": smt.sub, "and": smt.conj, "or": smt.disj, "xor": smt.xor, "mul": smt.mul,
                 "shl": smt.shl, "lshr": smt.lshr, "ashr": smt.ashr}
            if a.op in f:
                return f[a.op](*[self.part_number(x, given) for x in a.args])
        if a.k == "un" and a.op in ("neg", "not"):
            return (smt.bvneg if a.op == "neg" else smt.bvnot)(self.part_number(a.args[0], given))
        if a.k == "call" and a.name in ("sext", "zext") and a.args[1].k == "num":
            x = smt.low(self.part_number(a.args[0], given), a.args[1].value)
            return (smt.sext if a.name == "sext" else smt.zext)(x, 64)
        raise Unsaid(a.loc, "'%s' as an operand" % a)

    def stmts(self, stmts, env, when, inst):
        for s in stmts:
            if s.k == "let":
                env["let", id(s)] = self.eval.expr(s.value, env)
            elif s.k == "assign":
                self.assign(s, env, when, inst)
            elif s.k == "do":
                self.effect(s.value, env, when)
            else:
                c = self.eval.expr(s.value, env)
                self.stmts(s.then, env, smt.conj(when, c), inst)
                self.stmts(s.other, env, smt.conj(when, smt.bvnot(c)), inst)

    def assign(self, s, env, when, inst):
        t = s.target
        ref = t.ref if t.k in ("name", "dot") else t.args[0].ref
        if ref is None:
            raise Unsaid(t.loc, "'%s' is assigned" % t)
        if ref.kind == "flags":
            self.wrote_flags = True
            new = self.flags_value(s.value, env, ref.obj)
            for f, x in zip(ref.obj.bits, new):
                self.flags[f] = smt.ite(when, x, self.flags[f])
        elif ref.kind == "flag":
            self.wrote_flags = True
            f = ref.obj[0].bits[ref.obj[1]]
            self.flags[f] = smt.ite(when, self.eval.expr(s.value, env), self.flags[f])
        elif ref.kind == "pc":
            self.jump(s.value, env, when)
        elif ref.kind == "opnd":
            o = ref.obj
            old = self.outs[o.name]
            new = self.write(o, old, t, s, env)
            self.outs[o.name] = smt.ite(when, new, old)
        elif ref.kind == "reg" and ref.obj.constant is not None:
            pass
        else:
            raise Unsaid(t.loc, "a write of '%s' is outside what is proved" % t)

    def write(self, o, old, t, s, env):
        view = o.view
        hi, lo = (view.hi, view.lo) if view is not None else (old.width - 1, 0)
        if t.k in ("slice", "index"):
            shi, slo = t.value if t.k == "slice" else (t.args[1].value, t.args[1].value)
            value = self.value(s.value, env, None)
            inner = replace(smt.extract(old, hi, lo), shi, slo, value)
            return replace(old, hi, lo, inner)
        spec = self.given_out(o, hi, lo)
        value = self.value(s.value, env, spec)
        if view is None or view.write == "keep":
            return replace(old, hi, lo, value)
        if lo:
            value = smt.concat(value, const(0, lo))
        return smt.zext(value, old.width)

    def given_out(self, o, hi, lo):
        if self.given is None or o.name not in self.given:
            return None
        return smt.extract(self.given[o.name].term, hi, lo)

    def value(self, e, env, spec):
        self.specified = spec
        out = self.eval.expr(e, env)
        self.specified = None
        return out

    def flags_value(self, e, env, flags):
        """One truth value for each flag."""
        if e.k == "name" and e.ref is not None and e.ref.kind == "undefined":
            return [self.undefined_flag(f) for f in flags.bits]
        if e.k == "cond":
            c = self.eval.expr(e.args[0], env)
            a, b = (self.flags_value(x, env, flags) for x in e.args[1:])
            return [smt.ite(c, x, y) for x, y in zip(a, b)]
        if e.k == "name" and e.ref is not None and e.ref.kind == "flags":
            return [self.before_flags[f] for f in flags.bits]
        if e.k == "call" and e.body is not None:
            inner = {("param", n): self.eval.expr(a, env) for (n, _), a in zip(e.body.params, e.args)}
            return self.flags_value(e.body.body, inner, flags)
        if e.k == "call" and getattr(e.ref, "kind", None) == "flags":
            given = {n: v for n, v in e.kwargs}
            base = self.flags_value(e.args[0], env, flags) if e.args else None
            out = []
            for k, f in enumerate(flags.bits):
                if f in given:
                    v = given[f]
                    if v.k == "name" and v.ref is not None and v.ref.kind == "undefined":
                        out.append(self.undefined_flag(f))
                    else:
                        out.append(self.eval.expr(v, env))
                else:
                    out.append(base[k] if base is not None else self.undefined_flag(f))
            return out
        x = self.eval.expr(e, env)
        return [smt.bit(x, k) for k in range(len(flags.bits))]

    def undefined_flag(self, f):
        if self.given is not None and ("flag", f) in self.given:
            return self.given["flag", f]
        return self.fresh("undefined_%s" % f, 1)

    def jump(self, e, env, when):
        """pc = (pc | pc_next) + label, or label on a stack machine, or to an address."""
        when = smt.conj(self.alive, when)
        target = None
        if e.k == "bin" and e.op == "add" and e.args[0].k == "name" and e.args[0].ref.kind == "pc":
            target = self.label(e.args[1], env)
        elif self.isa.is_stack:
            target = self.label(e, env)
        if target is None:
            target = self.eval.expr(e, env)
        self.jumps.append((when, target))
        self.alive = smt.conj(self.alive, smt.bvnot(when))

    @staticmethod
    def label(e, env):
        x = env.get(e.name) if e.k == "name" and e.ref is not None and e.ref.kind == "opnd" else None
        return x if isinstance(x, Place) else None

    def effect(self, e, env, when):
        if e.name in ("store", "atomic_store"):
            address, value = self.eval.expr(e.args[0], env), self.eval.expr(e.args[1], env)
            self.stores.append((smt.conj(self.alive, when), address, value, e.name == "atomic_store"))
        elif e.name in ("fence", "debugtrap"):
            self.fences.append(e.name)
        elif e.name == "trap":
            self.faults.append((smt.conj(self.alive, when), "trap"))
        else:
            raise Unsaid(e.loc, "'%s' is outside what is proved" % e.name)


def calls_of(row):
    return [s.value for s in row.result.stmts] + ([row.result.value] if row.result.value is not None else [])


class Relocs:
    """The relocations of one part. at: its offset; high: the place that H means to it; patched: see Exec.parts."""

    def __init__(self, x, at, high, patched):
        self.x, self.at, self.high, self.patched = x, at, high, patched

    def value(self, o, reloc, place):
        x, word = self.x, self.x.isa.word
        got = x.through_table(place) if "G" in reloc.letters() else place.term
        if "H" not in reloc.letters():
            self.high = x.pc
        names = {"S": place.term, "L": place.term, "A": const(0, word), "P": x.pc, "G": got, "H": self.high}
        for spot in reloc.spots[1:]:
            self.patched[self.at + spot.at] = RelocEval(word).expr(spot.value, names)
        value = RelocEval(word).expr(reloc.spots[0].value, names)
        x.hyps.append(x.imms.fits(o.imm, value))
        return x.imms.value(o.imm, value)


class RelocEval:
    """A relocation's value over S, A, P, G, L."""

    def __init__(self, word):
        self.word = word

    def expr(self, e, names):
        if e.k == "num":
            return const(e.value, self.word)
        if e.k == "name":
            return names[e.name]
        if e.k == "bin":
            a, b = (self.expr(x, names) for x in e.args)
            f = {"add": smt.add, "sub": smt.sub, "and": smt.conj, "or": smt.disj, "xor": smt.xor, "shl": smt.shl,
                 "lshr": smt.lshr, "ashr": smt.ashr}
            if e.op in f:
                return f[e.op](a, b)
        if e.k == "un":
            x = self.expr(e.args[0], names)
            return smt.bvneg(x) if e.op == "neg" else smt.bvnot(x)
        if e.k == "call" and e.name == "page":
            return smt.conj(self.expr(e.args[0], names), const(~0xfff, self.word))
        raise Unsaid(e.loc, "the relocation's value '%s' has no meaning for the prover" % e)


def replace(old, hi, lo, value):
    if hi < old.width - 1:
        value = smt.concat(smt.extract(old, old.width - 1, hi + 1), value)
    return value if lo == 0 else smt.concat(value, smt.extract(old, lo - 1, 0))
