#include "compile/compile.h"

#include <time.h>

#include "select/select.h"
#include "stack/stack.h"

typedef struct Compile {
    const CompileOptions *options;
    uint64_t since;
} Compile;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

// Ends a stage: books its time and shows what it made.
static void stage_done(Compile *c, CompileStage stage, const Func *f, const MFunc *m, const Code *code) {
    const CompileOptions *o = c->options;
    if (o->times) o->times[stage] += now() - c->since;
    if (o->dump) o->dump(o->dump_user, &(CompileView){stage, f, m, code});
    if (o->times) c->since = now();
}

static void optimise(Func *f, const CompileOptions *o) {
    const Abi *abi = o->target->conv[f->sig.conv];
    PassOptions passes = {.level = o->opt,
                          .verify = o->check,
                          .fuel = o->fuel ? o->fuel : UINT64_MAX,
                          .covers = o->target->covers,
                          .features = o->features,
                          .stack_align = abi ? abi->stack_align : 0,
                          .dump = o->dump_pass,
                          .timing = o->time_pass,
                          .user = o->dump_user};
    passes_run(f, &passes);
}

static void allocate(Compile *c, MFunc *m) {
    const CompileOptions *o = c->options;
    // The checker needs the code as it was: allocation rewrites it in place.
    MFunc *before = o->check ? mfunc_copy(m->arena, m) : NULL;
    ra_allocate(m, o->opt == OPT_NONE ? RA_NONE : RA_SPEED, o->stress);
    if (before) ra_check(before, m);
}

static Code *allocate_and_emit(Compile *c, const Func *f, MFunc *m, Arena *out) {
    allocate(c, m);
    stage_done(c, STAGE_ALLOC, f, m, NULL);
    return emit_func(out, m, c->options->traps);
}

Code *compile_func(Arena *out, Func *f, const CompileOptions *options) {
    Compile c = {.options = options, .since = options->times ? now() : 0};
    Arena *tmp = options->scratch ? options->scratch : arena_new(f->ctx);
    stage_done(&c, STAGE_IR, f, NULL, NULL);
    optimise(f, options);
    stage_done(&c, STAGE_OPT, f, NULL, NULL);
    SelOptions select = {.features = options->features,
                         .fold = options->opt != OPT_NONE,
                         .trace = options->trace,
                         .stress = options->stress};
    MFunc *m = select_func(tmp, f, options->target, &select);
    m->saves_all = block_ok(f->landing);
    stage_done(&c, STAGE_SELECT, f, m, NULL);
    Code *code = options->target->stack ? stack_emit(out, m, options->traps, options->opt != OPT_NONE, options->check)
                                        : allocate_and_emit(&c, f, m, out);
    stage_done(&c, STAGE_ASM, f, m, code);
    if (options->scratch) arena_reset(tmp);
    else arena_free(tmp);
    return code;
}
