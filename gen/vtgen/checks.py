"""All checks of a whole model; each module checks one part. They decide by trees, intervals and enumeration: none
needs a solver. build_ir.py and build_isa.py have reported what is wrong with a declaration by itself."""
import checks_encode
import checks_machine
import checks_rules
import checks_settings
import emit_rewrite


def run(model, diag, total):
    common(model, diag)
    for isa in model.isas.values():
        machine(isa, model, diag, total)


def common(model, diag):
    """What stands for all machines."""
    emit_rewrite.check(model, diag)


def machine(isa, model, diag, total):
    checks_machine.check(isa, diag, total)
    checks_settings.check(isa, model.ir, diag, total)
    checks_encode.check(isa, diag)
    checks_rules.check(isa, model, diag, total)
