"""md/ir.md -> the evaluator of opcodes whose results follow from their operands: ir_eval.h, ir_eval.c.

The interpreter runs on it and the constant folder is it."""
import re

import cexpr
from emit_ir import BANNER, cond_rows, pairs

BANNER = BANNER.replace("emit_ir.py", "emit_ir_eval.py")

HEADER = """#ifndef VTR_IR_EVAL_H
#define VTR_IR_EVAL_H

#include "ir_tables.h"

// Evaluates one opcode. type: the controlling type; code: its condition or trap code; args, arg_types: the value
// operands, zero-extended bits. Results go to results[0 .. n_results), zero-extended bits. *trap becomes the trap
// code, or 0: then the results are valid. False: the opcode is no function of its value operands (constants, memory,
// addresses, calls, branches), and nothing was written.
bool ir_eval(Op op, Type type, uint8_t code, const uint64_t *args, const Type *arg_types, uint64_t *results,
             uint8_t *trap);

bool ir_eval_icmp(IntCC cc, Type type, uint64_t x, uint64_t y);
bool ir_eval_fcmp(FloatCC cc, Type type, uint64_t x, uint64_t y);

#endif
"""


def compare_function(ir, cond, prefix, name, enum):
    out = ["bool %s(%s cc, Type type, uint64_t x, uint64_t y) {\n" % (name, enum),
           "    unsigned w = type_bits(type);\n    (void)w;\n    switch (cc) {\n"]
    names = {"x": cexpr.C("x", "w"), "y": cexpr.C("y", "w")}
    for code, _, when in cond_rows(ir, cond):
        out.append("    case %s_%s:\n        return %s;\n" % (prefix, code, cexpr.Translator(names, {}).truth(when)))
    out.append("    default:\n        return false;\n    }\n}\n\n")
    return "".join(out)


def case(ir, op):
    """The body of one opcode, or None when it is no function of its operands."""
    if not op.sems and not op.traps:
        return None
    if any(kind == "values" for _, kind in pairs(op.params)) or "reads" in op.props or "writes" in op.props:
        return None
    names, types, lines = {}, {}, []
    if op.vars:
        types[op.vars[0][0]] = "w"
        lines.append("unsigned w = type_bits(type);")
    for t in ir.types:
        types[t] = t[1:]
    for i, (name, kind) in enumerate(pairs(op.params)):
        lines.append("uint64_t %s = args[%d];" % (name, i))
        if op.vars and kind == op.vars[0][0]:
            width = "w"
        elif kind in ir.types:
            width = kind[1:]
        else:
            width = types[kind] = "w_" + kind
            lines.append("unsigned %s = type_bits(arg_types[%d]);" % (width, i))
        names[name] = cexpr.C(name, width)

    def compare(translator, args):
        integer = dict(pairs(op.attrs))[args[0].name] == "intcc"
        call = "ir_eval_icmp((IntCC)code" if integer else "ir_eval_fcmp((FloatCC)code"
        return cexpr.C("%s, type, %s, %s)" % (call, translator.of(args[1]).text, translator.of(args[2]).text), "bool")

    translator = cexpr.Translator(names, types, {"compare": compare})
    attrs = dict(pairs(op.attrs))
    try:
        for trap in op.traps:
            code, when = trap.code, trap.when
            text = "code" if code in attrs else "TRAP_" + code
            test = "(true)" if when.k == "num" else translator.truth(when)
            lines += ["if %s {" % (test if test[0] == "(" else "(%s)" % test), "    *trap = %s;" % text, "    return true;", "}"]
        for k, sem in enumerate(op.sems):
            lines.append("results[%d] = %s;" % (k, translator.value(sem, "64")))
    except cexpr.CannotExpress:
        return None
    used = "\n".join(line for line in lines if not line.startswith(("unsigned w", "uint64_t")))
    kept = []
    for line in lines:
        m = re.match(r"(?:unsigned|uint64_t) (\w+) =", line)
        if m and not re.search(r"\b%s\b" % m.group(1), used):
            continue
        kept.append(line)
    return kept


def source(ir):
    out = [BANNER, "#include \"ir_eval.h\"\n\n#include \"ir/eval_ops.h\"\n\n"]
    out.append(compare_function(ir, "intcc", "ICC", "ir_eval_icmp", "IntCC"))
    out.append(compare_function(ir, "floatcc", "FCC", "ir_eval_fcmp", "FloatCC"))
    out.append("bool ir_eval(Op op, Type type, uint8_t code, const uint64_t *args, const Type *arg_types,"
               " uint64_t *results,\n             uint8_t *trap) {\n    *trap = 0;\n    switch (op) {\n")
    for op in ir.ops.values():
        lines = case(ir, op)
        if lines is None:
            continue
        out.append("    case OP_%s: {\n" % op.name)
        out += ["        %s\n" % line for line in lines]
        if lines[-1] != "}" or op.traps[-1].when.k != "num":
            out.append("        return true;\n")
        out.append("    }\n")
    out.append("    default:\n        return false;\n    }\n}\n")
    return "".join(out)


def outputs(isas):
    return ["ir_eval.h", "ir_eval.c"]


def emit(model):
    return {"ir_eval.h": BANNER + HEADER, "ir_eval.c": source(model.ir)}
