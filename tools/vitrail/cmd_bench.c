// vitrail bench: how long each phase of compiling takes, function by function.
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytecode/read.h"
#include "bytecode/write.h"
#include "commands.h"
#include "input.h"
#include "irgen/irgen.h"
#include "compile/compile.h"
#include "json.h"
#include "number.h"
#include "verify/ir_verify.h"

typedef enum Phase { PHASE_IRGEN, PHASE_OPT, PHASE_SELECT, PHASE_ALLOC, PHASE_EMIT, N_PHASES } Phase;
static const char *const phase_names[N_PHASES] = {"irgen", "passes", "select", "allocate", "emit"};

typedef struct Row {
    const char *name;
    uint64_t insts; // of IR, as it comes in
    uint64_t bytes; // of machine code
    uint64_t ns[N_PHASES];
    uint64_t total;
} Row;

typedef struct Bench {
    Input input;
    const Target *target;
    const char *func; // NULL = all
    OptLevel opt;
    uint64_t rounds;
    bool json;
    VEC(Row) rows;
    uint64_t read; // nanoseconds of the fastest reading of the file
} Bench;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static uint64_t count(const Func *f) {
    uint64_t n = 0;
    FUNC_BLOCKS(b, f) BLOCK_INSTS(i, f, b) n++;
    return n;
}

// ---- measuring ----------------------------------------------------------------------------------------------

// Compiles a function and keeps the figures if it never was faster. Other work on the machine only ever adds time.
static void measure(const Bench *bench, Row *row, Arena *out, Arena *scratch, Func *f, uint64_t irgen) {
    uint64_t times[N_STAGES] = {0};
    const Target *t = bench->target;
    CompileOptions options = {.target = t,
                              .features = t == target_host() ? t->host_features() : t->baseline,
                              .opt = bench->opt,
                              .traps = TRAPS_CALL,
                              .scratch = scratch,
                              .times = times};
    Row made = {.name = row->name, .insts = count(f)};
    made.bytes = compile_func(out, f, &options)->n;
    made.ns[PHASE_IRGEN] = irgen;
    made.ns[PHASE_OPT] = times[STAGE_OPT];
    made.ns[PHASE_SELECT] = times[STAGE_SELECT];
    made.ns[PHASE_ALLOC] = times[STAGE_ALLOC];
    made.ns[PHASE_EMIT] = times[STAGE_ASM];
    for (Phase k = 0; k < N_PHASES; k++) made.total += made.ns[k];
    if (!row->insts || made.total < row->total) *row = made;
    arena_reset(out);
}

static bool chosen(const Bench *bench, const char *name) { return !bench->func || !strcmp(bench->func, name); }

// The row of the n-th function that is measured.
static Row *row_of(Bench *bench, Arena *arena, uint32_t n, const char *name) {
    if (n == bench->rows.n) vec_push(arena, &bench->rows, (Row){.name = arena_text(arena, name, strlen(name))});
    return &bench->rows.v[n];
}

static void took(uint64_t *best, uint64_t ns) {
    if (!*best || ns < *best) *best = ns;
}

static void bench_clif(Ctx *ctx, Bench *bench, Arena *arena) {
    const Input *in = &bench->input;
    Arena *out = arena_new(ctx);
    Arena *scratch = arena_new(ctx);
    for (uint64_t round = 0; round < bench->rounds; round++) {
        Arena *ir = arena_new(ctx);
        uint64_t start = now();
        const IrFile *file = verify_read(ir, in->path, in->bytes, in->size);
        took(&bench->read, now() - start);
        uint32_t n = 0;
        for (uint32_t k = 0; k < file->funcs.n; k++) {
            ExtName name = file->funcs.v[k]->name;
            const char *text = name_symbol(ir, name);
            if (chosen(bench, text)) measure(bench, row_of(bench, arena, n++, text), out, scratch, file->funcs.v[k], 0);
        }
        arena_free(ir);
    }
}

static void bench_module(Ctx *ctx, Bench *bench, Arena *arena) {
    const Input *in = &bench->input;
    Arena *out = arena_new(ctx);
    Arena *scratch = arena_new(ctx);
    Arena *ir = arena_new(ctx);
    uint64_t start = now();
    BcModule *m = in->kind == INPUT_VITA ? bc_assemble(ctx, in->path, in->bytes, in->size)
                                         : bc_read(ctx, in->path, in->bytes, in->size, true);
    took(&bench->read, now() - start);
    IrgenOptions engine = irgen_engine(false);
    Irgen irgen = irgen_start(m, bench->target->stack ? &engine : NULL);
    for (uint64_t round = 0; round < bench->rounds; round++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < bc_n_functions(m); k++) {
            const char *name = bc_function_name(m, k, ir);
            if (chosen(bench, name)) {
                Row *row = row_of(bench, arena, n++, name);
                start = now();
                Func *f = irgen_func(&irgen, ir, k);
                uint64_t ns = now() - start;
                measure(bench, row, out, scratch, f, ns);
            }
            arena_reset(ir);
        }
    }
}

static int slower_first(const void *a, const void *b) {
    const Row *x = a;
    const Row *y = b;
    if (x->total != y->total) return x->total < y->total ? 1 : -1;
    return strcmp(x->name, y->name);
}

// ---- reporting ----------------------------------------------------------------------------------------------

static void print_row(const Row *row) {
    printf("%8" PRIu64 " %8" PRIu64, row->insts, row->bytes);
    for (Phase k = 0; k < N_PHASES; k++) printf(" %9.1f", (double)row->ns[k] / 1e3);
    printf(" %9.1f %8.0f  %s\n", (double)row->total / 1e3, (double)row->total / (double)(row->insts ? row->insts : 1),
           row->name);
}

static void print_text(const Bench *bench, const Row *sum) {
    printf("microseconds for %s at -O %s, the fastest of %" PRIu64 " rounds; ns/inst is of IR\n", bench->target->name,
           bench->opt == OPT_NONE ? "none" : "speed", bench->rounds);
    printf("%8s %8s", "IR insts", "bytes");
    for (Phase k = 0; k < N_PHASES; k++) printf(" %9s", phase_names[k]);
    printf(" %9s %8s  %s\n", "total", "ns/inst", "function");
    for (uint32_t k = 0; k < bench->rows.n; k++) print_row(&bench->rows.v[k]);
    print_row(sum);
    printf("%s the file took %.1f microseconds\n", bench->input.kind == INPUT_VITA ? "assembling" : "reading",
           (double)bench->read / 1e3);
}

static void put_row(Json *j, const char *key, const Row *row) {
    json_open(j, key, '{');
    if (!key) json_text(j, "name", row->name);
    json_number(j, "instructions", row->insts);
    json_number(j, "bytes", row->bytes);
    json_open(j, "nanoseconds", '{');
    for (Phase k = 0; k < N_PHASES; k++) json_number(j, phase_names[k], row->ns[k]);
    json_number(j, "total", row->total);
    json_close(j, '}');
    json_close(j, '}');
}

static void print_json(const Bench *bench, const Row *sum) {
    Json j = json_begin();
    json_text(&j, "file", bench->input.path);
    json_text(&j, "target", bench->target->name);
    json_text(&j, "level", bench->opt == OPT_NONE ? "none" : "speed");
    json_number(&j, "rounds", bench->rounds);
    json_number(&j, "read_nanoseconds", bench->read);
    json_open(&j, "functions", '[');
    for (uint32_t k = 0; k < bench->rows.n; k++) put_row(&j, NULL, &bench->rows.v[k]);
    json_close(&j, ']');
    put_row(&j, "all", sum);
    json_end(&j);
}

static void bench_body(Ctx *ctx, void *arg) {
    Bench *bench = arg;
    Arena *arena = arena_new(ctx);
    if (bench->input.kind == INPUT_CLIF) bench_clif(ctx, bench, arena);
    else bench_module(ctx, bench, arena);
    if (!bench->rows.n && bench->func) ctx_fail(ctx, VTR_ERR_NOT_FOUND, "there is no function '%s'", bench->func);
    if (!bench->rows.n) ctx_fail(ctx, VTR_ERR_INPUT, "there is no function in it");
    Row sum = {.name = "all"};
    for (uint32_t k = 0; k < bench->rows.n; k++) {
        const Row *row = &bench->rows.v[k];
        sum.insts += row->insts;
        sum.bytes += row->bytes;
        sum.total += row->total;
        for (Phase p = 0; p < N_PHASES; p++) sum.ns[p] += row->ns[p];
    }
    qsort(bench->rows.v, bench->rows.n, sizeof *bench->rows.v, slower_first);
    if (bench->json) print_json(bench, &sum);
    else print_text(bench, &sum);
    arena_free(arena);
}

// ---- the command ----------------------------------------------------------------------------------------------

static const struct argp_option options[] = {
    {"func", 'f', "NAME", 0, "Only this function", 0},
    {"target", 't', "TARGET", 0, "The machine to compile for; this one by default", 0},
    {"optimise", 'O', "LEVEL", 0, "none or speed (the default)", 0},
    {"rounds", 'n', "N", 0, "Compile everything N times; 20 by default", 0},
    {"json", 'j', NULL, 0, "Print the figures as JSON, times in nanoseconds", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    Bench *bench = state->input;
    switch (key) {
    case 'f': bench->func = arg[0] == '%' ? arg + 1 : arg; return 0;
    case 't':
        bench->target = target_find(arg);
        if (!bench->target) argp_error(state, "there is no target '%s'", arg);
        return 0;
    case 'O':
        if (strcmp(arg, "none") != 0 && strcmp(arg, "speed") != 0)
            argp_error(state, "-O takes none or speed, not '%s'", arg);
        bench->opt = strcmp(arg, "none") != 0 ? OPT_SPEED : OPT_NONE;
        return 0;
    case 'n':
        bench->rounds = read_number(state, "--rounds", arg, 1000000);
        if (!bench->rounds) argp_error(state, "--rounds wants at least 1");
        return 0;
    case 'j': bench->json = true; return 0;
    case ARGP_KEY_ARG:
        if (bench->input.path) return ARGP_ERR_UNKNOWN;
        bench->input.path = arg;
        return 0;
    case ARGP_KEY_END:
        if (!bench->input.path) argp_error(state, "which file?");
        if (!bench->target) argp_error(state, "this machine is no target; name one with --target");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int cmd_bench(int argc, char **argv) {
    static const struct argp argp = {
        options,
        parse,
        "FILE",
        "Compiles every function of a .vitbc, .vita or .clif file again and again, runs nothing, and says how long "
        "each "
        "phase takes, the slowest function first.\v"
        "Phases: irgen (bytecode to IR), passes (the optimiser and expansion), select, allocate (not of a stack "
        "machine), emit. Of each function the round counts in which it was compiled fastest.",
        NULL,
        NULL,
        NULL};
    argp_err_exit_status = EXIT_USAGE;
    Bench bench = {.opt = OPT_SPEED, .target = target_host(), .rounds = 20};
    argp_parse(&argp, argc, argv, 0, NULL, &bench);
    Ctx *ctx;
    if (!input_open(bench.input.path, &bench.input, &ctx)) return EXIT_INPUT;
    vtr_status status = ctx_try(ctx, bench_body, &bench);
    if (status != VTR_OK) input_report(ctx, bench.input.path, status);
    vtr_context_free(ctx);
    input_free(&bench.input);
    return status == VTR_OK ? 0 : EXIT_INPUT;
}
