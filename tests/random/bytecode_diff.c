// Random bytecode modules: the interpreter's results, globals, traps and frame lists are those of machine code, at both
// levels, with a collector that moves every object at every safepoint and without, run natively and simulated.
//
//   bytecode_diff FIRST COUNT [-m TARGET] [-t SECONDS] [-s SIZE]
//                                     compare COUNT modules from seed FIRST on, as code of TARGET (default: this
//                                     machine); code of a stack machine runs in the engine of `vitrail run`
//   bytecode_diff -p SEED [-s SIZE]   print a module
//
// Ends with 1 when a module differs or does not compile; each is named by its seed.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../../tools/vitrail/engine.h"
#include "bytecode_random.h"
#include "select/target.h"
#include "vitrail.h"

enum { MOST_PARAMS = 8, TEXT = 4096, MOST_CALLS = 2 * (BYTECODE_FUNCTIONS + BYTECODE_GLOBALS) };

typedef struct Runner {
    const char *name;
    vtr_backend_options options;
} Runner;

static Runner engines[] = {
    {"interpreter", {.interpret = true, .heap_limit = 1 << 20}},
    {"none", {.opt = VTR_OPT_NONE, .check = true, .heap_limit = 1 << 20}},
    {"speed", {.opt = VTR_OPT_SPEED, .check = true, .heap_limit = 1 << 20}},
    {"interpreter, stress", {.interpret = true, .gc_stress = true, .heap_limit = 1 << 20}},
    {"none, stress", {.opt = VTR_OPT_NONE, .check = true, .gc_stress = true, .heap_limit = 1 << 20}},
    {"speed, stress", {.opt = VTR_OPT_SPEED, .check = true, .gc_stress = true, .heap_limit = 1 << 20}},
    {"none, simulated", {.opt = VTR_OPT_NONE, .simulate = true, .heap_limit = 1 << 20}},
    {"speed, simulated, stress", {.opt = VTR_OPT_SPEED, .simulate = true, .gc_stress = true, .heap_limit = 1 << 20}},
};
enum { N_ENGINES = sizeof engines / sizeof *engines };

// A call, and what the interpreter gave.
typedef struct Done {
    char name[20];
    uint64_t args[MOST_PARAMS]; // cells
    uint32_t n_args;
    vtr_type type;
    vtr_status status;
    vtr_value result;
    char *trap;
} Done;

typedef struct Settings {
    const Target *stack; // the stack machine, or NULL
    Engine *engine;
    uint32_t seconds;
    uint32_t size;
} Settings;

typedef struct Counts {
    uint64_t runs, traps;
} Counts;

static volatile uint64_t now_seed;
static const char *volatile now_engine = "";

static void crashed(int number) {
    char text[100];
    int n = snprintf(text, sizeof text, "seed %llu, %s: signal %d\n", (unsigned long long)now_seed, now_engine, number);
    if (write(STDERR_FILENO, text, (size_t)n) < 0) _exit(3);
    _exit(2);
}

static void module_body(vtr_context *ctx, void *arg) {
    void **a = arg;
    Arena *arena = arena_new(ctx);
    Buf text = buf_new(arena);
    *(uint32_t *)a[3] = random_module(&text, *(uint64_t *)a[0], *(uint32_t *)a[1]);
    *(char **)a[2] = strdup(buf_str(&text));
    arena_free(arena);
}

static char *module_text(vtr_context *ctx, uint64_t seed, uint32_t size, uint32_t *n) {
    char *text = NULL;
    void *args[] = {&seed, &size, &text, n};
    return ctx_try(ctx, module_body, args) == VTR_OK ? text : NULL;
}

static bool failed(vtr_context *ctx, uint64_t seed, const char *what, vtr_status status) {
    if (status == VTR_OK) return false;
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(ctx, 0, &info);
    printf("seed %llu, %s: %s: %s (%u:%u)\n", (unsigned long long)seed, what, vtr_status_name(status),
           info.message ? info.message : "", info.line, info.column);
    vtr_diagnostics_clear(ctx);
    return true;
}

// ---- one call in every engine -------------------------------------------------------------------

static vtr_value random_value(Random *r, vtr_type type) {
    static const Type types[] = {
        [VTR_I8] = T_i8,   [VTR_I16] = T_i16, [VTR_I32] = T_i32, [VTR_I64] = T_i64, [VTR_U8] = T_i8,  [VTR_U16] = T_i16,
        [VTR_U32] = T_i32, [VTR_U64] = T_i64, [VTR_F32] = T_f32, [VTR_F64] = T_f64, [VTR_BOOL] = T_i8};
    vtr_value value = {.type = type};
    if (type > VTR_BOOL) return value; // a null
    uint64_t bits = random_bits(r, types[type]);
    unsigned unused = 64 - type_bits(types[type]);
    if (type == VTR_BOOL) value.as.b = bits & 1;
    else if (type <= VTR_I64) value.as.i = (int64_t)(bits << unused) >> unused;
    else value.as.u = bits;
    return value;
}

// The value as the runtime has it: integers extended by zeros.
static uint64_t value_cell(vtr_value v) {
    static const uint8_t bits[] = {[VTR_I8] = 8,   [VTR_I16] = 16, [VTR_I32] = 32, [VTR_U8] = 8,
                                   [VTR_U16] = 16, [VTR_U32] = 32, [VTR_F32] = 32, [VTR_BOOL] = 8};
    unsigned n = v.type <= VTR_BOOL && bits[v.type] ? bits[v.type] : 64;
    return v.as.u & UINT64_MAX >> (64 - n);
}

static bool same_value(vtr_value a, vtr_value b) {
    if (a.type != b.type) return false;
    if (a.type == VTR_VOID) return true;
    if (a.type >= VTR_PTR) return (a.as.ref != 0) == (b.as.ref != 0);
    Type real = a.type == VTR_F32 ? T_f32 : a.type == VTR_F64 ? T_f64 : T_i64;
    return a.as.u == b.as.u || (is_nan(real, a.as.u) && is_nan(real, b.as.u));
}

// What a program may do on its own: running out of stack or heap.
static bool own_limit(const vtr_program *program) {
    vtr_trap trap;
    return vtr_trap_info(program, &trap) && (trap.code == 8 || trap.code == 9);
}

typedef struct Programs {
    vtr_program *v[N_ENGINES]; // NULL: it does not take part
    Done calls[MOST_CALLS];
    uint32_t n_calls;     // before a limit was met
    bool lost[N_ENGINES]; // its state is another since it ran out of something
} Programs;

static bool compare_call(Programs *p, uint64_t seed, const char *name, Random *r, Counts *counts) {
    vtr_type types[MOST_PARAMS];
    vtr_type result_type;
    size_t n;
    if (vtr_program_signature(p->v[0], name, types, MOST_PARAMS, &n, &result_type) != VTR_OK) return false;
    vtr_value args[MOST_PARAMS];
    for (size_t k = 0; k < n; k++) args[k] = random_value(r, types[k]);
    vtr_value expected = {0};
    now_engine = engines[0].name;
    vtr_status status = vtr_program_run(p->v[0], name, args, n, &expected);
    counts->runs++;
    counts->traps += status == VTR_ERR_TRAP;
    bool limit = status == VTR_ERR_TRAP && own_limit(p->v[0]);
    for (unsigned e = 1; e < N_ENGINES; e++) {
        if (!p->v[e] || p->lost[e] || p->lost[0]) continue;
        now_engine = engines[e].name;
        vtr_value got = {0};
        vtr_status other = vtr_program_run(p->v[e], name, args, n, &got);
        if (limit || (other == VTR_ERR_TRAP && own_limit(p->v[e]))) {
            p->lost[e] = true;
            continue;
        }
        bool same = other == status && (status != VTR_OK || same_value(expected, got));
        if (same && status == VTR_ERR_TRAP) same = !strcmp(vtr_trap_text(p->v[0]), vtr_trap_text(p->v[e]));
        if (same) continue;
        printf("seed %llu, %s, %s: %s 0x%llx, not %s 0x%llx\n%s%s", (unsigned long long)seed, engines[e].name, name,
               vtr_status_name(other), (unsigned long long)got.as.u, vtr_status_name(status),
               (unsigned long long)expected.as.u, vtr_trap_text(p->v[e]), vtr_trap_text(p->v[0]));
        return false;
    }
    p->lost[0] |= limit;
    if (p->lost[0]) return true;
    Done *done = &p->calls[p->n_calls++];
    *done = (Done){.n_args = (uint32_t)n, .type = result_type, .status = status, .result = expected};
    snprintf(done->name, sizeof done->name, "%s", name);
    for (size_t k = 0; k < n; k++) done->args[k] = value_cell(args[k]);
    if (status == VTR_ERR_TRAP) done->trap = strdup(vtr_trap_text(p->v[0]));
    return true;
}

static bool compare_programs(Programs *p, uint64_t seed, uint32_t n_functions, Counts *counts) {
    Random r = random_new(~seed);
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t f = 0; f < n_functions; f++) {
            char name[20];
            snprintf(name, sizeof name, "f%u", f);
            if (!compare_call(p, seed, name, &r, counts)) return false;
        }
        for (unsigned k = 0; k < BYTECODE_GLOBALS; k++) {
            char name[20];
            Counts none = {0};
            snprintf(name, sizeof name, "get%u", k);
            if (!compare_call(p, seed, name, &r, &none)) return false;
        }
    }
    return true;
}

// ---- stack machines -----------------------------------------------------------------------------

// The calls once more. Every number is the same, of references whether they are null.
static bool replay(Engine *engine, const Programs *p, uint64_t seed, const char *way) {
    for (uint32_t k = 0; k < p->n_calls; k++) {
        const Done *done = &p->calls[k];
        uint64_t got = 0;
        EngineCall call = {.bytecode = true, .name = done->name, .args = done->args, .n_args = done->n_args};
        call.results = &got;
        call.n_results = done->type != VTR_VOID;
        EngineResult result = engine_call(engine, &call);
        if (result == ENGINE_TRAP && (engine_trap(engine) == 8 || engine_trap(engine) == 9)) return true;
        bool same = result == (done->status == VTR_OK ? ENGINE_DONE : ENGINE_TRAP);
        if (same && result == ENGINE_TRAP) same = !strcmp(engine_text(engine), done->trap);
        vtr_value value = {.type = done->result.type, .as.u = got};
        vtr_value expected = {.type = done->result.type, .as.u = value_cell(done->result)};
        if (same && result == ENGINE_DONE) same = same_value(expected, value);
        if (same) continue;
        printf("seed %llu, %s, %s: %s0x%llx, not %s0x%llx\n", (unsigned long long)seed, way, done->name,
               result == ENGINE_DONE ? "" : engine_text(engine), (unsigned long long)got, done->trap ? done->trap : "",
               (unsigned long long)expected.as.u);
        return false;
    }
    return true;
}

static bool compare_engine(vtr_context *ctx, const Settings *settings, const vtr_bytecode *bytecode, const Programs *p,
                           uint64_t seed) {
    for (unsigned way = 0; way < 4; way++) {
        static const char *const names[] = {"none", "speed", "none, stress", "speed, stress"};
        vtr_object_options options = {.opt = way % 2 ? VTR_OPT_SPEED : VTR_OPT_NONE, .check = true};
        options.target = settings->stack->name;
        now_engine = names[way];
        vtr_object *object;
        EngineModule module = {.gc_stress = way >= 2};
        uint8_t *bytes = NULL;
        if (failed(ctx, seed, now_engine, vtr_object_new(ctx, &options, &object))) return false;
        bool bad = failed(ctx, seed, now_engine, vtr_object_add_bytecode(object, bytecode, NULL)) ||
                   failed(ctx, seed, now_engine, vtr_object_bytes(object, &bytes, &module.n));
        vtr_object_free(object);
        if (bad) return false;
        module.bytes = bytes;
        EngineResult loaded = engine_load(settings->engine, &module);
        vtr_bytes_free(ctx, bytes, module.n);
        if (loaded != ENGINE_DONE)
            printf("seed %llu, %s: %s\n", (unsigned long long)seed, now_engine, engine_text(settings->engine));
        if (loaded != ENGINE_DONE || !replay(settings->engine, p, seed, now_engine)) return false;
    }
    return true;
}

static bool right(vtr_context *ctx, const Settings *settings, uint64_t seed, Counts *counts) {
    now_seed = seed;
    now_engine = "making";
    alarm(60);
    uint32_t n_functions;
    char *text = module_text(ctx, seed, settings->size, &n_functions);
    if (!text) return false;
    uint8_t *bytes;
    size_t n;
    vtr_bytecode *bytecode;
    bool bad = failed(ctx, seed, "assembling", vtr_bytecode_assemble(ctx, "random", text, strlen(text), &bytes, &n));
    free(text);
    if (bad) return false;
    bad = failed(ctx, seed, "reading", vtr_bytecode_read(ctx, "random", bytes, n, VTR_ALLOW_LOW, &bytecode));
    vtr_bytes_free(ctx, bytes, n);
    if (bad) return false;
    Programs programs = {0};
    for (unsigned e = 0; e < N_ENGINES && !bad; e++) {
        vtr_backend *backend;
        if (settings->stack && !engines[e].options.interpret) continue;
        now_engine = engines[e].name;
        bad = failed(ctx, seed, now_engine, vtr_backend_new(ctx, &engines[e].options, &backend));
        if (bad) break;
        bad = failed(ctx, seed, now_engine, vtr_backend_compile(backend, bytecode, &programs.v[e]));
        vtr_backend_free(backend);
    }
    bad = bad || !compare_programs(&programs, seed, n_functions, counts);
    bad = bad || (settings->stack && !compare_engine(ctx, settings, bytecode, &programs, seed));
    for (uint32_t k = 0; k < programs.n_calls; k++) free(programs.calls[k].trap);
    for (unsigned e = 0; e < N_ENGINES; e++) vtr_program_free(programs.v[e]);
    vtr_bytecode_free(bytecode);
    fflush(stdout);
    return !bad;
}

int main(int argc, char **argv) {
    Settings settings = {.size = 12};
    bool print = false;
    int option;
    while ((option = getopt(argc, argv, "m:t:s:p")) != -1) {
        switch (option) {
        case 'm':
            settings.stack = target_find(optarg);
            if (settings.stack && settings.stack->stack) break;
            settings.stack = NULL;
            for (unsigned e = 0; e < N_ENGINES; e++) engines[e].options.target = optarg;
            break;
        case 't': settings.seconds = (uint32_t)atoi(optarg); break;
        case 's': settings.size = (uint32_t)atoi(optarg); break;
        case 'p': print = true; break;
        default: return 2;
        }
    }
    if (argc - optind < 2 - print) return 2;
    uint64_t first = strtoull(argv[optind], NULL, 0);
    vtr_context *ctx;
    if (vtr_context_new(NULL, &ctx) != VTR_OK) return 2;
    if (print) {
        uint32_t n;
        char *text = module_text(ctx, first, settings.size, &n);
        if (text) fputs(text, stdout);
        free(text);
        vtr_context_free(ctx);
        return !text;
    }
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGALRM, SIGABRT};
    for (unsigned k = 0; k < sizeof signals / sizeof *signals; k++) signal(signals[k], crashed);
    if (settings.stack) settings.engine = engine_start();
    uint64_t count = strtoull(argv[optind + 1], NULL, 0);
    uint64_t n = 0;
    uint64_t wrong = 0;
    Counts counts = {0};
    time_t end = time(NULL) + settings.seconds;
    for (; n < count && (!settings.seconds || time(NULL) < end); n++)
        wrong += !right(ctx, &settings, first + n, &counts);
    printf("%llu modules, %llu wrong; %llu runs, %llu trapped\n", (unsigned long long)n, (unsigned long long)wrong,
           (unsigned long long)counts.runs, (unsigned long long)counts.traps);
    vtr_context_free(ctx);
    engine_stop(settings.engine);
    return wrong || counts.traps * 2 > counts.runs;
}
