"""Opcodes on bit-vector terms: what a proof says of a pattern's left side, of rewrites and of expansions.

IrSide runs opcodes: each gives its results, notes the memory that it reads and writes, and its traps. Loads and stores
are those of prove_inst.py, so that both sides of a proof speak of the same unknown memory.
"""
import smt
from prove_sem import Eval, Unsaid, World
from smt import const


class IrSide(World):
    def __init__(self, ir, word=64):
        self.ir, self.word = ir, word
        self.eval = Eval(ir, self)
        self.loads, self.stores, self.fences = [], [], []
        self.alive = smt.TRUE
        self.trap = const(0, 8)   # the code of the first trap, 0: none
        self.entities = {}        # name of an attribute -> address

    # ---- World ----

    def name(self, e, env):
        x = env[e.name]
        if not isinstance(x, smt.Term):
            raise Unsaid(e.loc, "'%s' is no number" % e.name)
        return smt.resize(x, e.width or x.width, True)

    def load(self, address, width, atomic):
        address = smt.zext(address, self.word)
        self.loads.append((self.alive, address, width, atomic))
        return smt.apply("load%d%s" % (width, ".after%d" % len(self.stores) if self.stores else ""), width, address)

    def undefined(self, width):
        raise Unsaid(None, "an opcode with an undefined result")

    def address(self, e, env):
        return env[e.name]

    def code(self, e, env):
        return env[e.name]

    # ---- opcodes ----

    def run(self, inst, args, attrs):
        """The results of an opcode at one choice of types. attrs: attribute name -> Term or EnumItem."""
        op = inst.op
        env = dict(zip([p.name for p in op.params], args))
        env.update(attrs)
        for trap in inst.traps:
            when = smt.conj(self.alive, self.eval.expr(trap.when, env))
            self.trap = smt.ite(when, self.trap_code(trap.code, env), self.trap)
            self.alive = smt.conj(self.alive, smt.bvnot(when))
        if not op.results:
            for sem in inst.sems:
                self.effect(sem, env)
            return []
        results = []
        for sem, param in zip(inst.sems, op.results):
            type_ = inst.type_of(param.kind)
            results.append(smt.resize(self.eval.expr(sem, env), type_.width))
        return results

    def trap_code(self, code, env):
        if code in env:
            return env[code]
        return trap_number(self.ir, code)

    def effect(self, e, env):
        if e.name in ("store", "atomic_store"):
            address = smt.zext(self.eval.expr(e.args[0], env), self.word)
            value = self.eval.expr(e.args[1], env)
            self.stores.append((self.alive, address, value, e.name == "atomic_store"))
        elif e.name in ("fence", "debugtrap"):
            self.fences.append(e.name)
        else:
            raise Unsaid(e.loc, "'%s' has no meaning for the prover" % e.name)


def trap_number(ir, name):
    row = next(r for r in ir.tables["trapcode"] if r[0] == name)
    return const(int(row[1]), 8)
