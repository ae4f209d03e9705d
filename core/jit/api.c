// The public interface to compiling IR text into this process.
#include <string.h>

#include "builder/func.h"
#include "compile/compile.h"
#include "jit/jit.h"
#include "verify/ir_verify.h"

struct vtr_jit {
    Ctx *ctx;
    Arena *arena;
    Jit *jit;
    CompileOptions options;
    Interner names; // of the functions added
    VEC(Sig) sigs;  // by number in names
    void *(*resolve)(void *user, const char *name);
    void *resolve_user;
};

static void *resolve_text(void *user, ExtName name) {
    const vtr_jit *jit = user;
    return name.kind == NAME_TEXT ? jit->resolve(jit->resolve_user, name.text) : NULL;
}

typedef struct NewJob {
    const vtr_jit_options *options;
    vtr_jit *jit;
} NewJob;

static void new_body(Ctx *ctx, void *arg) {
    NewJob *job = arg;
    vtr_jit_options chosen = job->options ? *job->options : (vtr_jit_options){.opt = VTR_OPT_SPEED};
    JitMachine machine = jit_machine(ctx, chosen.target, chosen.features, chosen.simulate);
    const Target *target = machine.target;
    if (!target) ctx_fail(ctx, VTR_ERR_UNSUPPORTED, "Vitrail has no description of this machine");
    Arena *arena = arena_new(ctx);
    vtr_jit *jit = NEW(arena, vtr_jit);
    JitOptions options = {.reserve = chosen.reserve,
                          .use_dlsym = chosen.use_dlsym,
                          .simulate = machine.simulate,
                          .features = machine.features,
                          .fuel = chosen.fuel};
    jit->ctx = ctx;
    jit->arena = arena;
    jit->jit = jit_new(arena, target, &options);
    if (chosen.resolve) {
        jit->resolve = chosen.resolve;
        jit->resolve_user = chosen.resolve_user;
        jit_set_resolver(jit->jit, resolve_text, jit);
    }
    jit->names = interner_new(arena);
    jit->options = (CompileOptions){.target = target,
                                    .features = machine.features,
                                    .opt = chosen.opt == VTR_OPT_NONE ? OPT_NONE : OPT_SPEED,
                                    .check = chosen.check};
    job->jit = jit;
}

vtr_status vtr_jit_new(vtr_context *ctx, const vtr_jit_options *options, vtr_jit **jit) {
    NewJob job = {options, NULL};
    vtr_status status = ctx_try(ctx, new_body, &job);
    if (status == VTR_OK) *jit = job.jit;
    return status;
}

void vtr_jit_free(vtr_jit *jit) {
    if (jit) arena_free(jit->arena);
}

typedef struct TextJob {
    vtr_jit *jit;
    const char *name;
    const char *text;
    size_t len;
    void *address;
} TextJob;

static void define_body(Ctx *ctx, void *arg) {
    (void)ctx;
    TextJob *job = arg;
    jit_define_symbol(job->jit->jit, name_of(job->name), job->address);
}

vtr_status vtr_jit_define(vtr_jit *jit, const char *name, void *address) {
    TextJob job = {.jit = jit, .name = name, .address = address};
    return ctx_try(jit->ctx, define_body, &job);
}

// Keeps a copy of the signature for vtr_jit_call().
static void remember(vtr_jit *jit, const Func *f) {
    Sig sig = sig_copy(jit->arena, &f->sig);
    uint32_t name = intern(&jit->names, f->name.text, strlen(f->name.text));
    // The number may be known from a function freed since, or from a try that ran out of memory here.
    while (jit->sigs.n <= name) vec_push(jit->arena, &jit->sigs, (Sig){0});
    jit->sigs.v[name] = sig;
}

typedef struct AddJob {
    vtr_jit *jit;
    Func *const *funcs;
    Code *const *codes;
    uint32_t n;
    uint32_t done; // added so far
} AddJob;

static void add_codes(Ctx *ctx, void *arg) {
    (void)ctx;
    AddJob *job = arg;
    while (job->done < job->n) {
        const Func *f = job->funcs[job->done];
        jit_declare_callees(job->jit->jit, f);
        jit_add(job->jit->jit, job->codes[job->done]);
        job->done++; // from here on it is to be taken back
        if (f->name.kind == NAME_TEXT) remember(job->jit, f);
    }
}

// Compiles functions that have passed the verifier, and adds all of them or none.
static void add_funcs(vtr_jit *jit, Func *const *funcs, uint32_t n) {
    Arena *arena = arena_new(jit->ctx);
    Code **codes = NEW_ARRAY(arena, Code *, n);
    for (uint32_t k = 0; k < n; k++) codes[k] = compile_func(arena, funcs[k], &jit->options);
    // A name that is taken throws at its function: take back those before it.
    AddJob add = {jit, funcs, codes, n, 0};
    vtr_status status = ctx_try(jit->ctx, add_codes, &add);
    if (status != VTR_OK) {
        for (uint32_t k = 0; k < add.done; k++) jit_free_function(jit->jit, codes[k]->name);
        ctx_throw(jit->ctx, status);
    }
    arena_free(arena);
}

static void add_clif(Ctx *ctx, void *arg) {
    TextJob *job = arg;
    Arena *arena = arena_new(ctx);
    const IrFile *file = verify_read(arena, job->name, job->text, job->len);
    add_funcs(job->jit, file->funcs.v, file->funcs.n);
    arena_free(arena);
}

vtr_status vtr_jit_add_clif(vtr_jit *jit, const char *file, const char *text, size_t len) {
    TextJob job = {.jit = jit, .name = file, .text = text, .len = len};
    return ctx_try(jit->ctx, add_clif, &job);
}

typedef struct FuncJob {
    vtr_jit *jit;
    vtr_func *func;
} FuncJob;

static void add_func(Ctx *ctx, void *arg) {
    const FuncJob *job = arg;
    if (func_ctx(job->func) != ctx) ctx_fail(ctx, VTR_ERR_USAGE, "the function was made in another context");
    Func *f = func_take(job->func);
    add_funcs(job->jit, &f, 1);
}

vtr_status vtr_jit_add_func(vtr_jit *jit, vtr_func *func) {
    FuncJob job = {jit, func};
    return ctx_try(jit->ctx, add_func, &job);
}

static void remove_body(Ctx *ctx, void *arg) {
    const TextJob *job = arg;
    // Names that were never added here are the JIT's own.
    bool own = intern_find(&job->jit->names, job->name, strlen(job->name)) == UINT32_MAX;
    if (own || !jit_free_function(job->jit->jit, name_of(job->name)))
        ctx_fail(ctx, VTR_ERR_NOT_FOUND, "there is no function '%s'", job->name);
}

vtr_status vtr_jit_remove(vtr_jit *jit, const char *name) {
    TextJob job = {.jit = jit, .name = name};
    return ctx_try(jit->ctx, remove_body, &job);
}

static void publish_body(Ctx *ctx, void *arg) {
    (void)ctx;
    jit_publish(((vtr_jit *)arg)->jit);
}

vtr_status vtr_jit_publish(vtr_jit *jit) { return ctx_try(jit->ctx, publish_body, jit); }

void *vtr_jit_find(const vtr_jit *jit, const char *name) { return jit_find(jit->jit, name_of(name)); }

typedef struct CallJob {
    vtr_jit *jit;
    const char *name;
    const uint64_t *args;
    size_t n_args;
    uint64_t *results;
    size_t n_results;
    unsigned trap;
    vtr_status status;
} CallJob;

static void call_body(Ctx *ctx, void *arg) {
    CallJob *job = arg;
    const vtr_jit *jit = job->jit;
    void *address = vtr_jit_find(jit, job->name);
    uint32_t name = intern_find(&jit->names, job->name, strlen(job->name));
    if (!address || name == UINT32_MAX)
        ctx_fail(ctx, VTR_ERR_NOT_FOUND, "there is no published function '%s'", job->name);
    const Sig *sig = &jit->sigs.v[name];
    if (sig->n_params != job->n_args || sig->n_results != job->n_results)
        ctx_fail(ctx, VTR_ERR_USAGE, "'%s' has %u parameters and %u results", job->name, sig->n_params, sig->n_results);
    JitActivation activation = {0};
    job->status = jit_call(jit->jit, address, sig, job->args, job->results, &activation);
    job->trap = activation.trap;
}

vtr_status vtr_jit_call(vtr_jit *jit, const char *name, const uint64_t *args, size_t n_args, uint64_t *results,
                        size_t n_results, unsigned *trap) {
    CallJob job = {jit, name, args, n_args, results, n_results, 0, VTR_OK};
    Sim *sim = jit_sim(jit->jit);
    uint64_t mark = sim ? sim_mark(sim) : 0;
    vtr_status status = ctx_try(jit->ctx, call_body, &job);
    if (sim) sim_rewind(sim, mark);
    if (status == VTR_OK) status = job.status;
    if (status == VTR_ERR_TRAP && trap) *trap = job.trap;
    return status;
}
