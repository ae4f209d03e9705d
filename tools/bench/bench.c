// Measures one engine on one program, or compiling.
//
//   vitrail_bench run none|speed|interpret BATCHES NANOSECONDS FILE.vita
//       prints nanoseconds per run of the program's entry function, compiling not included
//   vitrail_bench compile none|speed ROUNDS FILE...
//       compiles every function of all files in each round; prints, one pair a line, figures of the fastest round
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/module.h"
#include "clock.h"
#include "irgen/irgen.h"
#include "compile/compile.h"
#include "select/target.h"
#include "vitrail.h"

_Noreturn static void die(const char *what) {
    fprintf(stderr, "vitrail_bench: %s\n", what);
    exit(1);
}

static void check(vtr_context *context, vtr_status status) {
    vtr_diagnostic_info info;
    if (status == VTR_OK) return;
    die(vtr_diagnostic(context, 0, &info) ? info.message : vtr_status_name(status));
}

static vtr_bytecode *load(vtr_context *context, const char *path) {
    static char text[1 << 22];
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    vtr_bytecode *bytecode;
    if (n >= 4 && !memcmp(text, "VITB", 4)) {
        check(context, vtr_bytecode_read(context, path, text, n, VTR_ALLOW_LOW, &bytecode));
        return bytecode;
    }
    uint8_t *bytes;
    size_t n_bytes;
    check(context, vtr_bytecode_assemble(context, path, text, n, &bytes, &n_bytes));
    check(context, vtr_bytecode_read(context, path, bytes, n_bytes, VTR_ALLOW_LOW, &bytecode));
    vtr_bytes_free(context, bytes, n_bytes);
    return bytecode;
}

// ---- run --------------------------------------------------------------------------------------------------------

typedef struct Run {
    vtr_context *context;
    vtr_program *program;
} Run;

static void run_entry(void *data) {
    const Run *run = data;
    vtr_status status = vtr_program_run(run->program, NULL, NULL, 0, NULL);
    if (status == VTR_ERR_TRAP) die(vtr_trap_text(run->program));
    check(run->context, status);
}

static int command_run(char **args) {
    Run run;
    check(NULL, vtr_context_new(NULL, &run.context));
    vtr_bytecode *bytecode = load(run.context, args[3]);
    vtr_backend_options options = {
        .interpret = !strcmp(args[0], "interpret"),
        .opt = !strcmp(args[0], "none") ? VTR_OPT_NONE : VTR_OPT_SPEED,
    };
    vtr_backend *backend;
    check(run.context, vtr_backend_new(run.context, &options, &backend));
    check(run.context, vtr_backend_compile(backend, bytecode, &run.program));
    printf("%.0f\n", clock_run(run_entry, &run, (unsigned)atoi(args[1]), strtoull(args[2], NULL, 10)));
    vtr_program_free(run.program);
    vtr_backend_free(backend);
    vtr_bytecode_free(bytecode);
    vtr_context_free(run.context);
    return 0;
}

// ---- compile ------------------------------------------------------------------------------------------------------

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

typedef struct Round {
    uint64_t total, irgen, stages[N_STAGES];
    uint64_t insts, bytes, functions;
} Round;

typedef struct Compile {
    vtr_bytecode *const *modules;
    unsigned n_modules;
    OptLevel opt;
    Memory *memory;
    Round *round;
    double bytes; // of memory per IR instruction
} Compile;

static void compile_all(Ctx *ctx, void *data) {
    const Compile *c = data;
    Round *round = c->round;
    const Target *target = target_host();
    Arena *ir = arena_new(ctx);
    Arena *out = arena_new(ctx);
    CompileOptions options = {.target = target,
                              .features = target->host_features(),
                              .opt = c->opt,
                              .traps = TRAPS_CALL,
                              .scratch = arena_new(ctx),
                              .times = round->stages};
    uint64_t start = clock_ns();
    for (unsigned k = 0; k < c->n_modules; k++) {
        Irgen irgen = irgen_start(c->modules[k], NULL);
        for (uint32_t f = 0; f < bc_n_functions(c->modules[k]); f++) {
            uint64_t before = clock_ns();
            Func *func = irgen_func(&irgen, ir, f);
            uint32_t insts = func->insts.n;
            round->irgen += clock_ns() - before;
            round->bytes += compile_func(out, func, &options)->n;
            round->insts += insts;
            round->functions++;
            arena_reset(ir);
            arena_reset(out);
        }
    }
    round->total = clock_ns() - start;
    arena_free(options.scratch);
    arena_free(out);
    arena_free(ir);
}

// The peak of the memory for the largest function; to be run before anything grew an arena that it would reuse.
static void compile_largest(Ctx *ctx, void *data) {
    Compile *c = data;
    const Target *target = target_host();
    const vtr_bytecode *module = c->modules[0];
    uint32_t largest = 0;
    uint32_t most = 0;
    for (unsigned k = 0; k < c->n_modules; k++) {
        for (uint32_t f = 0; f < c->modules[k]->n_funcs; f++) {
            if (c->modules[k]->funcs[f].n_insts <= most) continue;
            most = c->modules[k]->funcs[f].n_insts;
            module = c->modules[k];
            largest = module->n_imp_funcs + f;
        }
    }
    Irgen irgen = irgen_start(module, NULL);
    Arena *arena = arena_new(ctx);
    size_t floor = c->memory->peak = c->memory->now;
    Func *func = irgen_func(&irgen, arena, largest);
    uint32_t insts = func->insts.n;
    CompileOptions options = {
        .target = target, .features = target->host_features(), .opt = c->opt, .traps = TRAPS_CALL};
    compile_func(arena, func, &options);
    c->bytes = (double)(c->memory->peak - floor) / insts;
    arena_free(arena);
}

static void print_round(const Round *r, double bytes) {
    static const char *const names[N_STAGES] = {"verify", "passes", "select", "allocate", "emit"};
    double insts = (double)r->insts;
    printf("functions %llu\n", (unsigned long long)r->functions);
    printf("instructions %.0f\n", insts);
    printf("code_bytes_per_instruction %.2f\n", (double)r->bytes / insts);
    printf("peak_bytes_per_instruction %.0f\n", bytes);
    printf("irgen %.1f\n", (double)r->irgen / insts);
    double compile = 0;
    for (int s = STAGE_OPT; s < N_STAGES; s++) {
        printf("%s %.1f\n", names[s], (double)r->stages[s] / insts);
        compile += (double)r->stages[s];
    }
    printf("compile %.1f\n", compile / insts);
    printf("total %.1f\n", (double)r->total / insts);
}

static int command_compile(int n_args, char **args) {
    vtr_context *context;
    Memory memory = {0, 0};
    vtr_allocator allocator = {counted_resize, &memory};
    check(NULL, vtr_context_new(&allocator, &context));
    unsigned n = (unsigned)n_args - 2;
    vtr_bytecode **modules = calloc(n, sizeof *modules);
    if (!modules) die("out of memory");
    for (unsigned k = 0; k < n; k++) modules[k] = load(context, args[k + 2]);
    Round best = {0};
    OptLevel opt = !strcmp(args[0], "none") ? OPT_NONE : OPT_SPEED;
    Compile c = {modules, n, opt, &memory, NULL, 0};
    check(context, ctx_try(context, compile_largest, &c));
    for (int round = 0; round < atoi(args[1]); round++) {
        Round now = {0};
        c.round = &now;
        check(context, ctx_try(context, compile_all, &c));
        if (round == 0 || now.total < best.total) best = now;
    }
    print_round(&best, c.bytes);
    for (unsigned k = 0; k < n; k++) vtr_bytecode_free(modules[k]);
    free(modules);
    vtr_context_free(context);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 6 && !strcmp(argv[1], "run")) return command_run(argv + 2);
    if (argc > 4 && !strcmp(argv[1], "compile")) return command_compile(argc - 2, argv + 2);
    fprintf(stderr, "usage: vitrail_bench run none|speed|interpret BATCHES NANOSECONDS FILE.vita\n"
                    "       vitrail_bench compile none|speed ROUNDS FILE...\n");
    return 2;
}
