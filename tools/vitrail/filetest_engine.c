// File tests of machines whose code is a WebAssembly module: a file's functions become a module, which Node.js runs.
#include <string.h>

#include "aot/aot.h"
#include "engine.h"
#include "filetest.h"

enum { STACK = 8 << 20 }; // bytes of the shadow stack

uint64_t filetest_features(Ctx *ctx, const FiletestMachine *machine) {
    uint64_t found = machine->target->baseline;
    const char *wrong;
    size_t n;
    if (machine->features && !target_features(machine->target, machine->features, &found, &wrong, &n))
        ctx_fail(ctx, VTR_ERR_NOT_FOUND, "%s has no feature '%.*s'", machine->target->name, (int)n, wrong);
    return found;
}

static void *open_module(const FiletestMachine *machine, Arena *arena, Func **funcs, uint32_t n, OptLevel opt,
                         FiletestResult *result, const char **why) {
    uint64_t features = filetest_features(arena_ctx(arena), machine);
    Aot aot = {.wasm = wasm_new(arena, machine->target, features), .complete = true, .entries = true};
    aot.wasm->stack_size = STACK;
    aot.compile = (CompileOptions){
        .target = machine->target, .features = features, .opt = opt, .check = true, .stress = &machine->stress};
    aot_wasm_funcs(&aot, funcs, n);
    Buf file = wasm_module(aot.wasm, arena);
    const EngineModule module = {.bytes = file.bytes.v, .n = file.bytes.n};
    if (engine_load(machine->engine, &module) == ENGINE_DONE) return machine->engine;
    *result = FILETEST_FAILED;
    *why = arena_printf(arena, "%s", engine_text(machine->engine));
    return NULL;
}

static void *open_none(const void *options, Arena *arena, const IrFile *file, Func **funcs, uint32_t n,
                       FiletestResult *result, const char **why) {
    (void)file;
    return open_module(options, arena, funcs, n, OPT_NONE, result, why);
}

static void *open_speed(const void *options, Arena *arena, const IrFile *file, Func **funcs, uint32_t n,
                        FiletestResult *result, const char **why) {
    (void)file;
    return open_module(options, arena, funcs, n, OPT_SPEED, result, why);
}

static FiletestResult call_function(void *state, const Func *f, const uint64_t *args, uint64_t *results,
                                    const char **why) {
    const EngineCall call = {.name = name_symbol(f->arena, f->name),
                             .args = args,
                             .results = results,
                             .n_args = f->sig.n_params,
                             .n_results = f->sig.n_results};
    if (engine_call(state, &call) == ENGINE_DONE) return FILETEST_RAN;
    // Of a trap's report the line that says what it is.
    const char *report = engine_text(state);
    *why = arena_printf(f->arena, "%.*s", (int)strcspn(report, "\n"), report);
    return FILETEST_FAILED;
}

const FiletestEngine filetest_engine_none = {
    .name = "engine, -O none", .command = "run", .open = open_none, .call = call_function};
const FiletestEngine filetest_engine_speed = {
    .name = "engine, -O speed", .command = "run", .open = open_speed, .call = call_function};
