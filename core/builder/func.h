// Functions that a client of the library builds. The instructions' functions, vtr_ir_*(), are generated from md/ir.md
// (ir_api.c) and end in func_op().
#ifndef VTR_BUILDER_FUNC_H
#define VTR_BUILDER_FUNC_H

#include "ir/ir.h"
#include "vitrail_ir.h"

// An instruction to be made. `data` has what needs no check against the function, `type` what the text form writes
// behind a dot; the other fields are those of the opcode's format.
typedef struct FuncOp {
    InstData data;
    vtr_type type;
    vtr_ir_value fixed[OP_MAX_ARGS];
    uint32_t n_fixed;
    const vtr_ir_value *more; // operands behind the fixed ones
    size_t n_more;
    const vtr_ir_target *targets;
    size_t n_targets;
} FuncOp;

// Appends the instruction to the current block and returns its first result. `results` gets all of them; it may be
// NULL. Without results, and after a mistake, which the function then keeps, values that are none.
vtr_ir_value func_op(vtr_func *func, const FuncOp *op, vtr_ir_value *results);

Ctx *func_ctx(const vtr_func *func);
// The function, complete and verified, to be compiled. Throws what it keeps, and VTR_ERR_USAGE when it has been taken
// already.
Func *func_take(vtr_func *func);

#endif
