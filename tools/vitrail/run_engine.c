#include "run_engine.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "aot/aot.h"
#include "commands.h"
#include "filetest.h"
#include "input.h"
#include "runtime/value.h"

enum { STACK = 8 << 20 }; // bytes of the shadow stack

typedef struct Job {
    vtr_bytecode *module;
    const EngineRun *run;
    vtr_value *result;
    int status;
} Job;

static uint32_t find_function(Ctx *ctx, const BcModule *m, const char *name) {
    uint32_t found = m->entry;
    if (name) {
        const BcExport *export = bc_export_find(m, BC_KIND_FUNC, name, strlen(name));
        found = export ? export->index : BC_NONE;
    }
    if (found != BC_NONE) return found;
    if (name) diag_error(ctx, (Place){.file = m->file}, "there is no exported function '%s'", name);
    else diag_error(ctx, (Place){.file = m->file}, "the module has no entry function");
    ctx_throw(ctx, VTR_ERR_NOT_FOUND);
}

static Buf compile(Arena *arena, const Job *job) {
    const EngineRun *run = job->run;
    const FiletestMachine machine = {.target = run->target, .features = run->features};
    uint64_t features = filetest_features(arena_ctx(arena), &machine);
    Aot aot = {.wasm = wasm_new(arena, run->target, features), .complete = true};
    // What is to be interrupted or to collect everywhere has to ask.
    aot.polls = run->timeout || run->gc_stress;
    aot.wasm->stack_size = STACK;
    aot.compile = (CompileOptions){.target = run->target,
                                   .features = features,
                                   .opt = run->speed ? OPT_SPEED : OPT_NONE,
                                   .check = run->check,
                                   .stress = &run->stress};
    aot_wasm_module(&aot, job->module, run->entry);
    return wasm_module(aot.wasm, arena);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Loads the module and calls the function; words as the runtime has them.
static EngineResult call(Engine *engine, const Job *job, const Buf *file, const EngineCall *function) {
    const EngineModule module = {.bytes = file->bytes.v,
                                 .n = file->bytes.n,
                                 .gc_stress = job->run->gc_stress,
                                 .timeout = (uint32_t)job->run->timeout};
    EngineResult result = engine_load(engine, &module);
    double start = seconds();
    if (result == ENGINE_DONE) result = engine_call(engine, function);
    fflush(stdout);
    if (job->run->stats)
        fprintf(stderr, "compiled %u functions to a module of %zu bytes; ran in Node.js for %.3f ms\n",
                bc_n_functions(job->module), (size_t)file->bytes.n, (seconds() - start) * 1e3);
    return result;
}

static void run_body(Ctx *ctx, void *arg) {
    Job *job = arg;
    const EngineRun *run = job->run;
    const BcModule *m = job->module;
    const BcType *sig = bc_type(m, bc_function_sig(m, find_function(ctx, m, run->entry)));
    vtr_type types[UINT8_MAX];
    vtr_value values[UINT8_MAX];
    uint64_t words[UINT8_MAX];
    uint64_t word = 0;
    for (uint32_t k = 0; k < sig->n; k++) types[k] = value_public_type(m, sig->params[k]);
    job->status = EXIT_USAGE;
    if (!run_read_args(types, sig->n, run->args, run->n_args, values)) return;
    for (uint32_t k = 0; k < sig->n; k++) words[k] = value_to_word(values[k]);
    Arena *arena = arena_new(ctx);
    Buf file = compile(arena, job);
    Engine *engine = engine_start();
    if (!engine) ctx_throw(ctx, VTR_ERR_MEMORY);
    const EngineCall function = {.bytecode = true,
                                 .name = run->entry ? run->entry : "",
                                 .args = words,
                                 .results = &word,
                                 .n_args = sig->n,
                                 .n_results = sig->elem != BC_VOID,
                                 .write = run->write,
                                 .user = run->write_user};
    EngineResult result = call(engine, job, &file, &function);
    job->status = result == ENGINE_DONE ? 0 : EXIT_INPUT;
    if (result == ENGINE_TRAP) fputs(engine_text(engine), stderr);
    else if (result == ENGINE_ERROR) fprintf(stderr, "%s: error: %s\n", run->file, engine_text(engine));
    *job->result = value_from_word(m, sig->elem, word);
    engine_stop(engine);
    arena_free(arena);
}

int run_engine(vtr_context *context, vtr_bytecode *module, const EngineRun *run, vtr_value *result) {
    Job job = {module, run, result, EXIT_INPUT};
    vtr_status status = ctx_try(context, run_body, &job);
    if (status == VTR_OK) return job.status;
    input_report(context, run->file, status);
    return EXIT_INPUT;
}
