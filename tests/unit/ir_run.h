// Shared by the tests of passes: work in a context that must succeed, and what a function comes to in the interpreter.
#ifndef TESTS_IR_RUN_H
#define TESTS_IR_RUN_H

#include "ir/interp.h"
#include "unit.h"

static inline void in_context(void (*body)(Ctx *ctx, void *arg), void *arg) {
    Ctx *ctx = test_context();
    vtr_status status = ctx_try(ctx, body, arg);
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(ctx, 0, &info);
    ck_assert_msg(status == VTR_OK, "%s: %s", vtr_status_name(status), info.message ? info.message : "");
    vtr_context_free(ctx);
}

typedef struct Result {
    IrInterpStatus status;
    uint64_t value; // or the trap's code
} Result;

static inline Result call(IrInterp *interp, const Func *f, const uint64_t *args) {
    uint64_t value = 0;
    IrInterpStatus status = ir_interp_call(interp, f, args, &value);
    return (Result){status, status == IR_INTERP_TRAP ? ir_interp_trap(interp) : value};
}

#endif
