"""targets_all.c: the list of the machines."""


def outputs(isas):
    return ["targets_all.c"]


def emit(model):
    lines = ["// Generated from the descriptions in md/ by gen/vtgen/emit_targets.py; do not edit.", '#include "select/target.h"', ""]
    lines += ["extern const Target target_%s;" % n for n in model.names]
    lines += ["const Target *const targets_all[] = {%s};" % ", ".join(["&target_%s" % n for n in model.names] + ["NULL"]), ""]
    return {"targets_all.c": "\n".join(lines)}
