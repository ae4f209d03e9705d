"""Proof obligations: what the descriptions claim, as questions for an SMT solver.

    groups(model)                      "ir" and the machines
    obligations(model, group)          all of a group, one after the other (prove_rule.Obligation)
    question(obligation)               its text in SMT-LIB 2 (QF_BV): unsatisfiable = proved

Kinds of obligations, and where each is made:
    derived, rule        prove_rule      a selection pattern: the instructions do what the opcodes say
    rewrite, expand      prove_rewrite   both sides of a rule between opcodes are the same
    commutes, not, swap  prove_tables    of md/ir.md: operands exchanged, conditions negated and turned
    opposite, after      prove_tables    of a machine: its conditions' opposites, what a compare establishes
    form, pseudo, untie, short, relax, seq, moves   prove_tables
    division             prove_tables    what smt.py takes for granted of division, at widths that a solver can do
How `sem` becomes terms is said in prove_sem, prove_inst, prove_ir; what stands for what in smt.
tests/proof asks the solver and keeps its answers.

Terms live until the next obligation is made: take the question before going on.
"""
import emit_select
import patterns
import prove_rewrite
import prove_rule
import prove_tables
import smt
from diag import Diagnostics
from prove_inst import Imms


def groups(model):
    return ["ir"] + sorted(model.isas)


def obligations(model, group):
    if group == "ir":
        yield from prove_tables.of_ir(model.ir)
        for kind, decls in (("rewrite", model.rewrites), ("expand", model.expands)):
            for d in decls:
                yield from prove_rewrite.obligations(model.ir, d, kind, decls)
        return
    isa = model.isas[group]
    machine = prove_rule.Machine(isa, model.ir, Imms(isa), emit_select.Conds(isa, model.ir))
    yield from prove_tables.of_machine(model, machine)
    derive, rules = patterns.Derive(isa, model.ir), patterns.Rules(isa, model.ir, Diagnostics())
    for inst in isa.insts.values():
        for p in derive.of_inst(inst):
            yield from prove_rule.obligations(machine, p, "derived")
    for rule in isa.rules:
        for p in rules.of_rule(rule):
            yield from prove_rule.obligations(machine, p, "rule")


def question(obligation):
    return smt.Printer(obligation.asserts()).text()


def conditions(obligation):
    """Whether what it assumes is possible at all: satisfiable, or it proves nothing. None when it assumes nothing."""
    hyps = [h for h in obligation.hyps if h is not smt.TRUE]
    return smt.Printer(hyps).text() if hyps else None


def write(model, path):
    """All questions in one file, each between push and pop, its name before it."""
    with open(path, "w", encoding="utf-8") as out:
        out.write("(set-logic QF_BV)\n")
        for group in groups(model):
            for ob in obligations(model, group):
                if ob.unsaid is not None:
                    out.write("; %s/%s: not a question: %s\n" % (group, ob.name, ob.unsaid))
                else:
                    out.write('(push)\n(echo "%s/%s")\n%s(check-sat)\n(pop)\n' % (group, ob.name, question(ob)))
