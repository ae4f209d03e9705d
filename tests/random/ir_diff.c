// Random IR programs: the interpreter's result is what machine code gives, however it was compiled.
//
//   ir_diff FIRST COUNT [-g] [-m TARGET] [-t SECONDS] [-w WAYS] [-s SIZE] [-f FUNCS]
//                               compare COUNT programs from seed FIRST on, as code of TARGET (default: this machine);
//                               -g: over random control-flow graphs, whose shapes are then listed (graph.h);
//                               -w 0: generates and interprets only
//                               of a stack machine, -k FILE: keep the module that was run last; -v: modules must also
//                               be valid for wabt's wasm-validate
//   ir_diff -r SEED WAY [...]   cut a failing one down and print it
//
// Ends with 1 when a program differs or does not compile; each is named by its seed and the way it was compiled. Also
// when most runs trap, many do not end, or a shape of graphs has become rare.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ir_case.h"
#include "ir_cut.h"
#include "passes/pipeline.h"
#include "verify/ir_verify.h"
#include "wasm_case.h"

typedef struct Settings {
    uint64_t first, count;
    uint32_t seconds;
    uint32_t ways;
    uint32_t size;
    uint32_t n_funcs;
    bool graphs;
    uint32_t only_way; // for cutting down; NONE = all
    const Target *target;
    const char *keep; // file for the module that is being run, or NULL
    bool validate;    // modules by another validator, too
} Settings;

typedef struct Job {
    const Settings *settings;
    const Cuts *cuts; // NULL = none
    uint64_t seed;
    Arena *engine_arena;
    WasmEngine *engine; // of a stack machine
    bool print;
    bool differs;
    uint64_t n_runs, n_traps, n_endless, n_executed;
    uint64_t n_funcs;
    uint64_t shapes[N_SHAPES], with_shape[N_SHAPES];
} Job;

// Where a crash happened, for the handler.
static volatile uint64_t now_seed;
static volatile uint32_t now_way;
static volatile int now_engine; // its process, 0 = none

static void crashed(int number) {
    char text[100];
    int n =
        snprintf(text, sizeof text, "seed %llu, way %u: signal %d\n", (unsigned long long)now_seed, now_way, number);
    if (now_engine) kill(now_engine, SIGKILL);
    if (write(STDERR_FILENO, text, (size_t)n) < 0) _exit(3);
    _exit(2);
}

// ---- one program --------------------------------------------------------------------------------

static RandomProgram make(Arena *arena, const Job *job, uint32_t space) {
    RandomOptions options = {.seed = job->seed,
                             .space = space,
                             .graphs = job->settings->graphs,
                             .size = job->settings->size,
                             .n_funcs = job->settings->n_funcs,
                             .target = job->settings->target};
    RandomProgram program = random_program(arena, &options);
    if (job->cuts) cut_program(&program, job->cuts);
    return program;
}

static void print_program(Arena *arena, const RandomProgram *program) {
    for (uint32_t k = 0; k < program->n; k++) {
        if (!cut_needed(program, k)) continue;
        Buf text = buf_new(arena);
        ir_write(program->funcs[k], &text);
        printf("%s\n", buf_str(&text));
    }
}

static void report(Arena *arena, Job *job, const RandomProgram *program, uint32_t run, const Way *way,
                   const Outcome *expected, const Outcome *got) {
    Buf text = buf_new(arena);
    buf_printf(&text, "seed %llu, way %u (", (unsigned long long)job->seed, now_way);
    way_describe(way, &text);
    buf_printf(&text, "), run %u:\n  expected ", run);
    case_describe(program, expected, &text);
    buf_text(&text, "\n  got      ");
    case_describe(program, got, &text);
    printf("%s\n", buf_str(&text));
    if (job->print) {
        Arguments args;
        case_arguments(program, job->seed, run, &args);
        for (uint32_t k = 0; k < program->entry->sig.n_params; k++)
            printf("%s%s 0x%llx", k ? ", " : "  arguments: ", type_name((Type)program->entry->sig.params[k].type),
                   (unsigned long long)args.values[k]);
        printf("\n");
    }
}

// Whether a way to compile is wanted.
static bool wanted(const Job *job, uint32_t w) {
    return job->settings->only_way == NONE || w == job->settings->only_way;
}

// Tells whether an outcome is right; reports one that is not.
static bool check(Arena *arena, Job *job, const RandomProgram *program, uint32_t run, const Way *way,
                  const Outcome *expected, const Outcome *got) {
    if (case_same(program, expected, got)) return true;
    job->differs = true;
    report(arena, job, program, run, way, expected, got);
    return false;
}

static void run_ways(Arena *arena, Job *job, const RandomProgram *program, const Outcome *expected) {
    const Target *target = job->settings->target;
    Jit *jits[2] = {NULL}; // native, simulated
    Arguments args;
    for (uint32_t w = 0; w < job->settings->ways; w++) {
        if (!wanted(job, w)) continue;
        now_way = w;
        Way way = way_random(target, job->seed, w);
        RandomProgram again = make(arena, job, w);
        Jit *jit = jits[way.simulate];
        if (!jit) {
            JitOptions options = {.reserve = 8 << 20, .simulate = way.simulate};
            options.features = target_all_features(target);
            jit = jits[way.simulate] = jit_new(arena, target, &options);
        }
        case_compile(jit, &again, &way);
        for (uint32_t run = 0; run < CASE_RUNS; run++) {
            if (expected[run].status == IR_INTERP_FUEL) continue;
            case_arguments(&again, job->seed, run, &args);
            Outcome got = case_call(jit, &again, &args);
            if (!check(arena, job, program, run, &way, &expected[run], &got)) break;
        }
        case_free(&again);
    }
}

// All ways in one module.
static void run_stack_ways(Arena *arena, Job *job, const RandomProgram *program, const Outcome *expected) {
    const Target *target = job->settings->target;
    uint32_t n_ways = job->settings->ways;
    WasmCase *module = wasm_case_new(arena, target);
    Outcome *got = NEW_ARRAY(arena, Outcome, (size_t)n_ways * CASE_RUNS);
    Arguments args;
    for (uint32_t w = 0; w < n_ways; w++) {
        if (!wanted(job, w)) continue;
        now_way = w;
        Way way = way_random(target, job->seed, w);
        RandomProgram again = make(arena, job, w);
        uint32_t number = wasm_case_add(module, &again, &way);
        for (uint32_t run = 0; run < CASE_RUNS; run++) {
            if (expected[run].status == IR_INTERP_FUEL) continue;
            case_arguments(program, job->seed, run, &args);
            wasm_case_call(module, number, &args);
        }
        case_free(&again);
    }
    if (!n_ways) return;
    wasm_case_run(module, job->engine, job->settings->keep, job->settings->validate, got);
    for (uint32_t w = 0, k = 0; w < n_ways; w++) {
        if (!wanted(job, w)) continue;
        now_way = w;
        Way way = way_random(target, job->seed, w);
        for (uint32_t run = 0, right = true; run < CASE_RUNS; run++) {
            if (expected[run].status == IR_INTERP_FUEL) continue;
            right = right && check(arena, job, program, run, &way, &expected[run], &got[k]);
            k++;
        }
    }
}

static void compare_ways(Ctx *ctx, void *arg) {
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    RandomProgram program = make(arena, job, 0);
    for (uint32_t k = 0; k < program.n; k++) {
        if (!verify_func(program.funcs[k])) ctx_throw(ctx, VTR_ERR_INPUT);
    }
    if (job->print) print_program(arena, &program);
    job->n_funcs += program.n;
    for (unsigned k = 0; k < N_SHAPES; k++) {
        job->shapes[k] += program.shapes[k];
        job->with_shape[k] += program.with_shape[k];
    }
    Outcome expected[CASE_RUNS];
    Arguments args;
    for (uint32_t run = 0; run < CASE_RUNS; run++) {
        case_arguments(&program, job->seed, run, &args);
        expected[run] = case_interpret(&program, &args);
        job->n_runs++;
        job->n_executed += expected[run].executed;
        job->n_traps += expected[run].status == IR_INTERP_TRAP;
        job->n_endless += expected[run].status == IR_INTERP_FUEL;
    }
    if (job->settings->target->stack) run_stack_ways(arena, job, &program, expected);
    else run_ways(arena, job, &program, expected);
    case_free(&program);
    arena_free(arena);
}

// The next program starts another one.
static void end_engine(Job *job) {
    if (job->engine) arena_free(job->engine_arena);
    job->engine = NULL;
    now_engine = 0;
}

// Whether the program is as it should be.
static bool right(Ctx *ctx, Job *job) {
    now_seed = job->seed;
    job->differs = false;
    if (job->settings->target->stack && !job->engine) {
        job->engine_arena = arena_new(ctx);
        job->engine = wasm_engine_new(job->engine_arena);
        if (!job->engine) ctx_bug(ctx, "no engine");
        now_engine = wasm_engine_process(job->engine);
    }
    alarm(20);
    vtr_status status = ctx_try(ctx, compare_ways, job);
    if (status != VTR_OK) {
        vtr_diagnostic_info info = {0};
        vtr_diagnostic(ctx, 0, &info);
        printf("seed %llu, way %u: %s: %s\n", (unsigned long long)job->seed, now_way, vtr_status_name(status),
               info.message ? info.message : "");
        vtr_diagnostics_clear(ctx);
        end_engine(job);
    }
    fflush(stdout);
    return status == VTR_OK && !job->differs;
}

// Prints how often each shape occurred. False when one has become rare.
static bool print_shapes(const Job *job) {
    // Percent of the functions that have it: about half of what there is.
    static const uint8_t least[N_SHAPES] = {
        [SHAPE_BLOCKS] = 100,     [SHAPE_EDGES] = 80,          [SHAPE_UNREACHABLE] = 25,
        [SHAPE_RETURNS] = 50,     [SHAPE_TRAPS] = 15,          [SHAPE_TAILS] = 15,
        [SHAPE_SWITCHES] = 30,    [SHAPE_LARGE_SWITCHES] = 10, [SHAPE_REPEATED_TARGETS] = 30,
        [SHAPE_BOTH_EDGES] = 35,  [SHAPE_SELF_LOOPS] = 7,      [SHAPE_CRITICAL_EDGES] = 50,
        [SHAPE_LOOPS] = 40,       [SHAPE_NESTED_LOOPS] = 20,   [SHAPE_DEEP_LOOPS] = 6,
        [SHAPE_OVERLAPPING] = 20, [SHAPE_IRREDUCIBLE] = 20,    [SHAPE_NESTED_IRREDUCIBLE] = 7,
    };
    bool enough = true;
    printf("%llu functions\n", (unsigned long long)job->n_funcs);
    for (unsigned k = 0; k < N_SHAPES; k++) {
        if (job->n_funcs >= 300 && job->with_shape[k] * 100 < job->n_funcs * least[k]) {
            printf("too rare: fewer than %u %% of the functions have what follows\n", least[k]);
            enough = false;
        }
        printf("  %-40s %8.1f in a function, in %5.1f %% of them\n", shape_name((Shape)k),
               (double)job->shapes[k] / (double)job->n_funcs,
               100.0 * (double)job->with_shape[k] / (double)job->n_funcs);
    }
    return enough;
}

static int sweep(Ctx *ctx, const Settings *settings) {
    uint64_t failed = 0, n = 0;
    time_t end = time(NULL) + settings->seconds;
    Job job = {.settings = settings};
    for (; n < settings->count && (!settings->seconds || time(NULL) < end); n++) {
        job.seed = settings->first + n;
        failed += !right(ctx, &job);
    }
    end_engine(&job);
    printf("%llu programs, %llu wrong; %llu runs, %llu trapped, %llu too long; %llu instructions each\n",
           (unsigned long long)n, (unsigned long long)failed, (unsigned long long)job.n_runs,
           (unsigned long long)job.n_traps, (unsigned long long)job.n_endless,
           (unsigned long long)(job.n_executed / (job.n_runs + !job.n_runs)));
    bool enough = !settings->graphs || print_shapes(&job);
    return failed || !enough || job.n_traps * 2 > job.n_runs || job.n_endless * 10 > job.n_runs;
}

// ---- cutting a failing program down -------------------------------------------------------------

static int try_cuts(Ctx *ctx, const Settings *settings, const Cuts *cuts, uint64_t seed, bool print) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!print && !freopen("/dev/null", "w", stdout)) _exit(9);
        if (!print && !freopen("/dev/null", "w", stderr)) _exit(9);
        Job job = {.settings = settings, .cuts = cuts, .seed = seed, .print = print};
        bool fine = right(ctx, &job);
        end_engine(&job);
        fflush(stdout);
        _exit(fine ? 0 : job.differs ? 1 : 4);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 5;
}

typedef struct CutJob {
    const Settings *settings;
    uint64_t seed;
    int kind; // how the whole program fails
} CutJob;

static RandomProgram make_cut(Arena *arena, void *user, const Cuts *cuts) {
    const CutJob *cut_job = user;
    Job job = {.settings = cut_job->settings, .cuts = cuts, .seed = cut_job->seed};
    return make(arena, &job, 0);
}

static bool still_fails(Ctx *ctx, void *user, const Cuts *cuts) {
    const CutJob *job = user;
    return try_cuts(ctx, job->settings, cuts, job->seed, false) == job->kind;
}

static void cut_down(Ctx *ctx, void *arg) {
    CutJob *job = arg;
    Arena *arena = arena_new(ctx);
    Cuts cuts = {0};
    job->kind = try_cuts(ctx, job->settings, &cuts, job->seed, false);
    if (job->kind) cuts = cut_search(arena, make_cut, still_fails, job);
    try_cuts(ctx, job->settings, &cuts, job->seed, true);
    arena_free(arena);
}

int main(int argc, char **argv) {
    Settings settings = {.ways = 6, .n_funcs = 4, .only_way = NONE, .target = target_host()};
    bool cut = false;
    int option;
    while ((option = getopt(argc, argv, "gk:m:t:w:s:f:rv")) != -1) {
        switch (option) {
        case 'g': settings.graphs = true; break;
        case 'k': settings.keep = optarg; break;
        case 'm': settings.target = target_find(optarg); break;
        case 't': settings.seconds = (uint32_t)atoi(optarg); break;
        case 'w': settings.ways = (uint32_t)atoi(optarg); break;
        case 's': settings.size = (uint32_t)atoi(optarg); break;
        case 'f': settings.n_funcs = (uint32_t)atoi(optarg); break;
        case 'r': cut = true; break;
        case 'v': settings.validate = true; break;
        default: return 2;
        }
    }
    if (!settings.size) settings.size = settings.graphs ? 100 : 40;
    if (argc - optind < 2 || !settings.target) return 2;
    settings.first = strtoull(argv[optind], NULL, 0);
    settings.count = strtoull(argv[optind + 1], NULL, 0);
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGALRM, SIGABRT};
    for (unsigned k = 0; k < sizeof signals / sizeof *signals; k++) signal(signals[k], crashed);
    signal(SIGPIPE, SIG_IGN);
    vtr_context *ctx;
    if (vtr_context_new(NULL, &ctx) != VTR_OK) return 2;
    int result = 0;
    if (cut) {
        settings.only_way = (uint32_t)settings.count;
        if (settings.ways <= settings.only_way) settings.ways = settings.only_way + 1;
        CutJob job = {&settings, settings.first, 0};
        result = ctx_try(ctx, cut_down, &job) != VTR_OK;
    } else {
        result = sweep(ctx, &settings);
    }
    vtr_context_free(ctx);
    return result;
}
