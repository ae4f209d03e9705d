// File tests in the IR interpreter.
#include "filetest.h"
#include "ir/interp.h"
#include "ir/text.h"

enum { FUEL = 200 * 1000 * 1000 };

static void *interpreter_open(const void *options, Arena *arena, const IrFile *file, Func **funcs, uint32_t n,
                              FiletestResult *result, const char **why) {
    (void)options;
    (void)file;
    (void)result;
    (void)why;
    IrInterpOptions limits = {.host = {.call = ir_interp_libcall}, .fuel = FUEL};
    return ir_interp_new(arena, funcs, n, &limits);
}

static FiletestResult interpreter_call(void *state, const Func *f, const uint64_t *args, uint64_t *results,
                                       const char **why) {
    IrInterp *in = state;
    Buf text = buf_new(f->arena);
    switch (ir_interp_call(in, f, args, results)) {
    case IR_INTERP_OK: return FILETEST_RAN;
    case IR_INTERP_TRAP:
        buf_text(&text, "trap ");
        text_put_trap(&text, ir_interp_trap(in));
        *why = buf_str(&text);
        return FILETEST_FAILED;
    case IR_INTERP_FUEL: *why = "too many instructions"; return FILETEST_FAILED;
    case IR_INTERP_ERROR: break;
    }
    *why = ir_interp_error(in);
    return FILETEST_FAILED;
}

const FiletestEngine filetest_interpreter = {
    .name = "interpreter", .command = "interpret", .by_name = true, .open = interpreter_open, .call = interpreter_call};
