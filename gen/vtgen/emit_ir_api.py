"""md/ir.md -> the public functions that build instructions, one per opcode: vitrail_ir.h, ir_api.c."""
from emit_ir import BANNER, cond_rows, control_of, pairs, result_kinds
from emit_ir_build import AFTER_OPERANDS

BANNER = BANNER.replace("emit_ir.py", "emit_ir_api.py")

# attribute kind -> C parameters, and the assignments to `op`
PARAMS = {
    "imm64": ("int64_t {n}", "op.data.imm = {n};"),
    "ieee32": ("float {n}", "op.data.imm = (int64_t)f32_bits({n});"),
    "ieee64": ("double {n}", "op.data.imm = (int64_t)f64_bits({n});"),
    "intcc": ("vtr_ir_intcc {n}", "op.data.code = byte((unsigned){n});"),
    "floatcc": ("vtr_ir_floatcc {n}", "op.data.code = byte((unsigned){n});"),
    "trapcode": ("unsigned {n}", "op.data.code = trap_byte({n});"),
    "memflags": ("unsigned {n}", "op.data.memflags = byte({n});"),
    "offset": ("int32_t {n}", "op.data.imm = {n};"),
    "func": ("vtr_ir_callee {n}", "op.data.ref = {n}.id;"),
    "sig": ("vtr_ir_signature {n}", "op.data.ref = {n}.id;"),
    "slot": ("vtr_ir_slot {n}", "op.data.ref = {n}.id;"),
    "global": ("vtr_ir_symbol {n}", "op.data.ref = {n}.id;"),
    "block": ("vtr_ir_block {n}, const vtr_ir_value *{n}_args, size_t n_{n}_args", None),
    "blocks": ("const vtr_ir_target *{n}, size_t n_{n}", None),
}

HEAD = """/* Building IR: one function for each opcode of Vitrail's IR.
 *
 * Generated from md/ir.md by gen/vtgen/emit_ir_api.py; do not edit. vitrail.h has what stands around instructions
 * (functions, blocks, variables), and an example. This header, too, compiles alone as C99, C11 and C++17.
 *
 * Each function appends its instruction to the current block of the function that is being built. The IR is
 * Cranelift's: opcodes, types and meaning are those of its text form; share/vitrail/ir.md, where Vitrail is installed,
 * says exactly what each computes and when it traps. The line above a function is the opcode as it stands there:
 * operands and results with their types, attributes in brackets.
 *
 * Rules:
 *   - Parameters stand in the order of the text form, a type and attributes before the operands, an offset, a trap code
 *     and branch targets behind them. `type` is what the text form writes behind a dot: the type T, or P, the pointer's.
 *   - What has one result returns it; of two, the first is returned and the second goes to *second, which may be NULL.
 *     A call returns its first result and puts all of them into results[], which may be NULL. What has none returns
 *     nothing.
 *   - After a mistake, the value returned is none and nothing is appended: see vtr_func_new().
 *   - Arguments of blocks may be NULL with 0 of them: variables need none.
 *   - Memory flags are VTR_MEM_*, 0 for none; offsets are in bytes.
 *   - Trap codes are VTR_IR_TRAP_*, or a number of the client's own, 1 to %(last_user)d.
 */
#ifndef VITRAIL_IR_H
#define VITRAIL_IR_H

#include "vitrail.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Traps, which `trap` and its like, and vtr_jit_call(), know by number. */
enum {
%(traps)s
};

/* Conditions of icmp: signed ones begin with S, unsigned ones with U. */
typedef enum vtr_ir_intcc {
%(intcc)s
} vtr_ir_intcc;

/* Conditions of fcmp. Those with U, and NE, hold also when either side is NaN; UNO only then, ORD only otherwise. */
typedef enum vtr_ir_floatcc {
%(floatcc)s
} vtr_ir_floatcc;
"""

SOURCE = """#include "builder/func.h"

#include <string.h>

// Numbers that do not fit the record stay wrong: func_op() refuses them.
static uint8_t byte(unsigned x) { return (uint8_t)(x < UINT8_MAX ? x : UINT8_MAX); }
static uint8_t trap_byte(unsigned x) { return (uint8_t)(x <= UINT8_MAX ? x : 0); }

static uint32_t f32_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint64_t f64_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

"""


# What entities are called; other parameters have the opcode's names but for those that are taken.
NAMES = {"func": "callee", "sig": "signature", "slot": "slot", "global": "symbol", "memflags": "flags"}


def c_name(name, kind):
    return NAMES.get(kind, {"b": "borrow", "callee": "address"}.get(name, name))


def results_of(op):
    """"call", or how many results there are."""
    kinds = result_kinds(op)
    return "call" if "values" in kinds else len(kinds)


def prototype(op):
    params = ["vtr_func *f"]
    if control_of(op)[0] == "REQUIRED":
        params.append("vtr_type type")
    params += [PARAMS[k][0].format(n=c_name(n, k)) for n, k in pairs(op.attrs) if k not in AFTER_OPERANDS]
    for n, k in pairs(op.params):
        params.append("const vtr_ir_value *args, size_t n_args" if k == "values" else "vtr_ir_value " + c_name(n, k))
    params += [PARAMS[k][0].format(n=c_name(n, k)) for n, k in pairs(op.attrs) if k in AFTER_OPERANDS]
    results = results_of(op)
    if results == "call":
        params.append("vtr_ir_value *results")
    elif results == 2:
        params.append("vtr_ir_value *second")
    return "%s vtr_ir_%s(%s)" % ("vtr_ir_value" if results else "void", op.name, ", ".join(params))


def wrapped(text, indent, width=120):
    """A declaration of one line as lines, broken behind commas."""
    lines, line = [], ""
    for piece in text.split(", "):
        if line and len(line) + len(piece) + 3 > width:
            lines.append(line + ",")
            line = " " * indent + piece
        else:
            line = line + ", " + piece if line else piece
    return "\n".join(lines + [line])


def comment(op):
    def listed(params):
        return ", ".join("%s: %s" % pair for pair in pairs(params))
    text = op.name
    if op.attrs:
        text += "[%s]" % listed(op.attrs)
    text += "(%s)" % listed(op.params)
    if op.results:
        text += " -> " + ", ".join(result_kinds(op))
    if op.vars:
        text += " for " + ", ".join("%s in %s" % (name, " ".join(t.name for t in types)) for name, types in op.vars)
    return text


def codes(prefix, rows):
    return ",\n".join("    %s_%s = %s" % (prefix, name.upper(), number) for name, number in rows)


def header(ir):
    def conditions(cond, prefix):
        return codes(prefix, [(name, number) for name, number, _ in cond_rows(ir, cond)])
    traps = [(name, number) for name, number in ir.tables["trapcode"]]
    first = min(int(number) for _, number in traps)
    out = [HEAD % {"last_user": first - 1, "traps": codes("VTR_IR_TRAP", traps),
                   "intcc": conditions("intcc", "VTR_ICC"), "floatcc": conditions("floatcc", "VTR_FCC")}]
    for op in ir.ops.values():
        out.append("\n/* %s */\n" % comment(op))
        text = "VTR_API %s;" % prototype(op)
        out.append(wrapped(text, text.index("(") + 1) + "\n")
    out.append("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n")
    return "".join(out)


def body(op):
    fixed = [c_name(n, k) for n, k in pairs(op.params) if k != "values"]
    out = [prototype(op) + " {\n    FuncOp op = {.data = {.op = OP_%s, .srcloc = NONE}};\n" % op.name]
    if control_of(op)[0] == "REQUIRED":
        out.append("    op.type = type;\n")
    for n, k in pairs(op.attrs):
        if PARAMS[k][1]:
            out.append("    " + PARAMS[k][1].format(n=c_name(n, k)) + "\n")
    out += ["    op.fixed[%d] = %s;\n" % (k, name) for k, name in enumerate(fixed)]
    if fixed:
        out.append("    op.n_fixed = %d;\n" % len(fixed))
    if len(fixed) != len(op.params):
        out.append("    op.more = args;\n    op.n_more = n_args;\n")
    blocks = [c_name(n, k) for n, k in pairs(op.attrs) if k == "block"]
    if blocks:
        rows = ", ".join("{%s, %s_args, n_%s_args}" % (n, n, n) for n in blocks)
        out.append("    vtr_ir_target targets[] = {%s};\n    op.targets = targets;\n    op.n_targets = %d;\n"
                   % (rows, len(blocks)))
    for n, k in pairs(op.attrs):
        if k == "blocks":
            out.append("    op.targets = %s;\n    op.n_targets = n_%s;\n" % (c_name(n, k), c_name(n, k)))
    results = results_of(op)
    if results == "call":
        out.append("    return func_op(f, &op, results);\n")
    elif results == 2:
        out.append("    vtr_ir_value both[2] = {{NONE}, {NONE}};\n    func_op(f, &op, both);\n"
                   "    if (second) *second = both[1];\n    return both[0];\n")
    elif results == 1:
        out.append("    return func_op(f, &op, NULL);\n")
    else:
        out.append("    func_op(f, &op, NULL);\n")
    out.append("}\n\n")
    return "".join(out)


def outputs(isas):
    return ["vitrail_ir.h", "ir_api.c"]


def emit(model):
    return {"vitrail_ir.h": header(model.ir),
            "ir_api.c": BANNER + SOURCE + "".join(body(op) for op in model.ir.ops.values())}
