// Compiles worst cases of two sizes at both levels, from IR text to code, and asks for the exponent of growth: which e
// makes time = c * n^e, memory likewise.
//
// Time is the processor's, not the clock's, and the least of several runs, so other work on the machine matters little.
// The exponent must stay near 1: sorting and searching add a logarithm and caches some more, while anything quadratic
// comes out near 2. A case that fails is measured again before it counts.
//
//   growth [-m TARGET] [-v [CASE]]      for this machine, or another one
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cases.h"
#include "compile/compile.h"
#include "jit/jit.h"
#include "select/target.h"
#include "verify/ir_verify.h"
#include "vitrail.h"

enum { RATIO = 8, RUNS = 2, ATTEMPTS = 3 }; // of the sizes
#ifdef VTR_CHECKING
enum { SMALLER = 8 };
#else
enum { SMALLER = 1 };
#endif

static const double most_time = 1.3;
static const double most_memory = 1.2;

typedef struct Memory {
    size_t now, peak;
} Memory;

static void *counted_resize(void *user, void *old, size_t old_size, size_t new_size) {
    Memory *memory = user;
    memory->now += new_size - old_size;
    if (memory->now > memory->peak) memory->peak = memory->now;
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

static uint64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

typedef struct Job {
    const GrowthCase *what;
    const char *text;
    size_t len;
    const Target *target;
    OptLevel opt;
    uint64_t ns;
} Job;

static void compile(Ctx *ctx, void *data) {
    Job *job = data;
    uint64_t start = cpu_ns();
    Arena *arena = arena_new(ctx);
    const Target *target = job->target;
    IrFile *file = ir_read(arena, "growth", job->text, job->len, CC_SYSTEM_V);
    bool is_host = target == target_host();
    Stress squeeze = {.squeeze = 1};
    CompileOptions options = {.target = target,
                              .features = is_host ? target->host_features() : target_all_features(target),
                              .opt = job->opt,
                              .check = job->what->how & GROWTH_CHECK,
                              .traps = TRAPS_CALL,
                              .stress = job->what->how & GROWTH_SQUEEZE ? &squeeze : NULL,
                              .scratch = arena_new(ctx)};
    Arena *out = arena_new(ctx);
    bool batches = job->what->how & GROWTH_BATCHES;
    Jit *jit = batches ? jit_new(arena, target, NULL) : NULL;
    for (uint32_t k = 0; k < file->funcs.n; k++) {
        if (!verify_func(file->funcs.v[k])) ctx_throw(ctx, VTR_ERR_INPUT);
        Code *code = compile_func(out, file->funcs.v[k], &options);
        if (batches) {
            jit_add(jit, code);
            jit_publish(jit);
        }
        arena_reset(out);
    }
    for (uint32_t k = 0; batches && k < file->funcs.n; k++) jit_free_function(jit, file->funcs.v[k]->name);
    job->ns = cpu_ns() - start;
    arena_free(out);
    arena_free(options.scratch);
    arena_free(arena);
}

static vtr_status make_object(vtr_context *ctx, Job *job) {
    uint64_t start = cpu_ns();
    vtr_object_options options = {.opt = job->opt == OPT_NONE ? VTR_OPT_NONE : VTR_OPT_SPEED,
                                  .target = job->target->name};
    vtr_object *object;
    uint8_t *bytes;
    size_t n;
    vtr_status status = vtr_object_new(ctx, &options, &object);
    if (status != VTR_OK) return status;
    status = vtr_object_add_clif(object, "growth", job->text, job->len);
    if (status == VTR_OK) status = vtr_object_bytes(object, &bytes, &n);
    if (status == VTR_OK) vtr_bytes_free(ctx, bytes, n);
    vtr_object_free(object);
    job->ns = cpu_ns() - start;
    return status;
}

static void fail(vtr_context *context, vtr_status status) {
    vtr_diagnostic_info info;
    bool known = vtr_diagnostic(context, 0, &info);
    fprintf(stderr, "%s: %s\n", vtr_status_name(status), known ? info.message : "no diagnostic");
    exit(1);
}

typedef struct Cost {
    double n, ns, bytes; // bytes: the peak
} Cost;

static Cost measure(const GrowthCase *c, uint32_t n, const Target *target, OptLevel opt) {
    Memory none = {0, 0};
    vtr_allocator plain = {counted_resize, &none};
    vtr_context *context;
    if (vtr_context_new(&plain, &context) != VTR_OK) exit(1);
    Buf text = buf_new(arena_new(context));
    c->write(&text, n);
    Job job = {.what = c, .text = buf_str(&text), .target = target, .opt = opt};
    job.len = strlen(job.text);
    Cost cost = {.n = n};
    for (int run = 0; run < RUNS; run++) {
        Memory memory = {0, 0};
        vtr_allocator allocator = {counted_resize, &memory};
        vtr_context *fresh;
        if (vtr_context_new(&allocator, &fresh) != VTR_OK) exit(1);
        vtr_status status = c->how & GROWTH_OBJECT ? make_object(fresh, &job) : ctx_try(fresh, compile, &job);
        if (status != VTR_OK) fail(fresh, status);
        vtr_context_free(fresh);
        if (run == 0 || (double)job.ns < cost.ns) cost.ns = (double)job.ns;
        cost.bytes = (double)memory.peak;
    }
    vtr_context_free(context);
    return cost;
}

static bool grows_well(const GrowthCase *c, const Target *target, OptLevel opt, bool verbose) {
    uint32_t n = c->most / SMALLER;
    Cost small = measure(c, n / RATIO, target, opt);
    Cost large = measure(c, n, target, opt);
    double time = log(large.ns / small.ns) / log(large.n / small.n);
    double memory = log(large.bytes / small.bytes) / log(large.n / small.n);
    bool good = time <= most_time && memory <= most_memory;
    if (verbose || !good)
        printf(
            "%-10s -O %-6s time ~ n^%.2f, memory ~ n^%.2f; at n = %.0f: %.1f ms, %.0f ns and %.0f bytes for each%s\n",
            c->name, opt == OPT_NONE ? "none" : "speed", time, memory, large.n, large.ns / 1e6, large.ns / large.n,
            large.bytes / large.n, good ? "" : "  GROWS TOO FAST");
    return good;
}

int main(int argc, char **argv) {
#ifdef __GLIBC__
    // Memory that a run freed serves the next one: what is measured is the compiler, not page faults.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
    const Target *target = target_host();
    if (argc > 2 && !strcmp(argv[1], "-m")) {
        target = target_find(argv[2]);
        argc -= 2;
        argv += 2;
    }
    if (!target) {
        fprintf(stderr, "no such machine\n");
        return 2;
    }
    bool verbose = argc > 1 && !strcmp(argv[1], "-v");
    int failed = 0;
    for (unsigned k = 0; k < n_growth_cases; k++) {
        if (argc > 2 && strcmp(argv[2], growth_cases[k].name)) continue;
        if (target->stack && growth_cases[k].how & GROWTH_REGISTERS) continue;
        for (int opt = OPT_NONE; opt <= OPT_SPEED; opt++) {
            bool good = false;
            for (int attempt = 0; attempt < ATTEMPTS && !good; attempt++)
                good = grows_well(&growth_cases[k], target, (OptLevel)opt, verbose);
            failed += !good;
        }
    }
    return failed != 0;
}
