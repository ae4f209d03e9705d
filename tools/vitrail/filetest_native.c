// File tests as machine code, run by the host or in a simulator.
#include "filetest.h"

#include "ir/text.h"
#include "compile/compile.h"
#include "jit/jit.h"

static void *native_open(const FiletestMachine *machine, Arena *arena, Func **funcs, uint32_t n, OptLevel opt,
                         FiletestResult *result, const char **why) {
    JitMachine how = jit_machine(arena_ctx(arena), machine->target ? machine->target->name : NULL, machine->features,
                                 machine->simulate);
    const Target *target = how.target;
    if (!target) {
        *result = FILETEST_SKIP;
        *why = "there is no code generator for this machine";
        return NULL;
    }
    Jit *jit =
        jit_new(arena, target, &(JitOptions){.use_dlsym = true, .simulate = how.simulate, .features = how.features});
    CompileOptions options = {
        .target = target, .features = how.features, .opt = opt, .check = true, .stress = &machine->stress};
    Arena *code = arena_new(arena_ctx(arena));
    for (uint32_t k = 0; k < n; k++) {
        jit_declare_callees(jit, funcs[k]);
        jit_add(jit, compile_func(code, funcs[k], &options));
    }
    arena_free(code);
    jit_publish(jit);
    return jit;
}

static void *open_none(const void *options, Arena *arena, const IrFile *file, Func **funcs, uint32_t n,
                       FiletestResult *result, const char **why) {
    (void)file;
    return native_open(options, arena, funcs, n, OPT_NONE, result, why);
}

static void *open_speed(const void *options, Arena *arena, const IrFile *file, Func **funcs, uint32_t n,
                        FiletestResult *result, const char **why) {
    (void)file;
    return native_open(options, arena, funcs, n, OPT_SPEED, result, why);
}

static FiletestResult native_call(void *state, const Func *f, const uint64_t *args, uint64_t *results,
                                  const char **why) {
    JitActivation activation = {0};
    if (jit_call(state, jit_find(state, f->name), &f->sig, args, results, &activation) == VTR_OK) return FILETEST_RAN;
    Buf text = buf_new(f->arena);
    buf_text(&text, "trap ");
    text_put_trap(&text, (uint8_t)activation.trap);
    *why = buf_str(&text);
    return FILETEST_FAILED;
}

static void native_close(void *state) { jit_free(state); }

const FiletestEngine filetest_native_none = {
    .name = "native, -O none", .command = "run", .open = open_none, .call = native_call, .close = native_close};
const FiletestEngine filetest_native_speed = {
    .name = "native, -O speed", .command = "run", .open = open_speed, .call = native_call, .close = native_close};
