// vitrail run: loads, compiles or interprets, runs, prints the result.
#include <argp.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "input.h"
#include "number.h"
#include "runtime/number.h"
#include "runtime/value.h"
#include "run_clif.h"
#include "run_engine.h"
#include "stress.h"

typedef struct RunArgs {
    vtr_backend_options backend;
    const char *file;
    const char *entry;
    char **args;
    int n_args;
    Stress stress;
    uint64_t timeout; // milliseconds, 0 = none
    bool allow_low;
    bool stats;
} RunArgs;

enum { MAX_TIMEOUT = 1000 * 1000 * 1000 }; // milliseconds

enum {
    KEY_INTERPRET = 256,
    KEY_STRESS,
    KEY_ENTRY,
    KEY_LOW,
    KEY_TIMEOUT,
    KEY_STATS,
    KEY_CHECK,
    KEY_TARGET,
    KEY_SIMULATE,
    KEY_FEATURES
};

static const struct argp_option run_options[] = {
    {"entry", KEY_ENTRY, "NAME", 0,
     "Run this export instead of the module's entry function (.clif: this function instead of the first)", 0},
    {NULL, 'O', "LEVEL", 0, "Optimise: none (fast compile) or speed (the default)", 0},
    {"target", KEY_TARGET, "TARGET", 0,
     "Compile for this machine; when it is not this one, run in its simulator, code for wasm64 in Node.js (`node`, or "
     "what the environment variable VITRAIL_NODE names)",
     0},
    {"features", KEY_FEATURES, "LIST", 0,
     "The features of it that may be used, with commas between, or none, or all; otherwise this machine's, in a "
     "simulator "
     "those of every machine of its kind",
     0},
    {"simulate", KEY_SIMULATE, NULL, 0, "Run this machine's code in the simulator, too", 0},
    {"interpret", KEY_INTERPRET, NULL, 0, "Interpret the bytecode (.clif: the IR) itself instead of compiling it", 0},
    {"allow-low", KEY_LOW, NULL, 0, "Accept modules whose functions use raw memory: they can read and write anything",
     0},
    {"gc-stress", KEY_STRESS, NULL, 0, "Move every object at every safepoint and unmap the old place", 0},
    {"check", KEY_CHECK, NULL, 0, "Verify every pass and prove every register allocation while compiling", 0},
    {"timeout", KEY_TIMEOUT, "MS", 0, "Interrupt the program (trap 12) after this many milliseconds", 0},
    {"stats", KEY_STATS, NULL, 0, "Say on stderr what was compiled and how long it took to compile and to run", 0},
    {0},
};

static error_t run_parse(int key, char *arg, struct argp_state *state) {
    RunArgs *run = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &run->stress; return 0;
    case KEY_ENTRY: run->entry = arg; return 0;
    case KEY_INTERPRET: run->backend.interpret = true; return 0;
    case KEY_TARGET:
        if (!target_find(arg)) argp_error(state, "there is no target '%s'", arg);
        run->backend.target = arg;
        return 0;
    case KEY_FEATURES: run->backend.features = arg; return 0;
    case KEY_SIMULATE: run->backend.simulate = true; return 0;
    case KEY_LOW: run->allow_low = true; return 0;
    case KEY_STRESS: run->backend.gc_stress = true; return 0;
    case KEY_CHECK: run->backend.check = true; return 0;
    case KEY_STATS: run->stats = true; return 0;
    case KEY_TIMEOUT:
        run->timeout = read_number(state, "--timeout", arg, MAX_TIMEOUT);
        if (!run->timeout) argp_error(state, "--timeout wants at least 1 millisecond");
        return 0;
    case 'O':
        if (!strcmp(arg, "none")) run->backend.opt = VTR_OPT_NONE;
        else if (!strcmp(arg, "speed")) run->backend.opt = VTR_OPT_SPEED;
        else argp_error(state, "-O takes none or speed, not '%s'", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (!run->file) {
            run->file = arg;
            return 0;
        }
        run->args[run->n_args++] = arg;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which file?"); return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child run_children[] = {{&stress_argp, 0, NULL, 0}, {0}};

static const struct argp run_argp = {
    run_options,
    run_parse,
    "FILE [ARG...]",
    "Runs a module of Vitte bytecode, binary or text, or a function of an IR text (.clif), and prints what it returns "
    "on a line of its own, the "
    "last one: integers in decimal, floats as the shortest text that reads back the same, booleans as true and false, "
    "nothing for a function without result.\v"
    "Arguments are given in order and read by the types of the parameters: integers in decimal or 0x..., floats, true "
    "or false, null for references. Put -- before the first negative one.\n\n"
    "A trap prints its code, name, diagnostic and frames on stderr. Exit status: 0 if the function returned, 1 if the "
    "program trapped or the file is at fault, 2 for wrong usage.\n\n"
    "Examples:\n"
    "  vitrail run fib.vita --entry fib 30\n"
    "  vitrail run sums.vitbc --interpret --entry run -- -1",
    run_children,
    NULL,
    NULL,
};

// ---- output -----------------------------------------------------------------------------------------------------

typedef struct Output {
    bool midline; // the program's output does not end in a newline
} Output;

static bool output_write(void *user, const char *bytes, size_t n) {
    Output *output = user;
    output->midline = bytes[n - 1] != '\n';
    return fwrite(bytes, 1, n, stdout) == n;
}

static void print_result(const Output *output, vtr_value value) {
    char text[VALUE_TEXT];
    if (!value_text(value, text)) return;
    if (output->midline) putchar('\n');
    puts(text);
}

// ---- arguments --------------------------------------------------------------------------------------------------

bool run_read_args(const vtr_type *types, size_t n, char **args, int n_args, vtr_value *values) {
    if (n != (size_t)n_args) {
        fprintf(stderr, "vitrail run: the function takes %zu argument%s, %d given\n", n, n == 1 ? "" : "s", n_args);
        return false;
    }
    for (size_t k = 0; k < n; k++) {
        if (number_read(args[k], types[k], &values[k])) continue;
        const char *hint = types[k] >= VTR_PTR ? ": only null can be given" : "";
        fprintf(stderr, "vitrail run: argument %zu: '%s' is no %s%s\n", k + 1, args[k], number_type_name(types[k]),
                hint);
        return false;
    }
    return true;
}

static bool read_args(vtr_program *program, const RunArgs *run, vtr_value *args) {
    vtr_type types[UINT8_MAX];
    size_t n;
    vtr_program_signature(program, run->entry, types, UINT8_MAX, &n, NULL);
    return run_read_args(types, n, run->args, run->n_args, args);
}

// ---- the time limit -----------------------------------------------------------------------------------------------

typedef struct Timer {
    vtr_program *program;
    uint64_t ms;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool over;
} Timer;

static void *timer_thread(void *arg) {
    Timer *timer = arg;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(timer->ms / 1000);
    until.tv_nsec += (long)(timer->ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&timer->lock);
    while (!timer->over && pthread_cond_timedwait(&timer->done, &timer->lock, &until) != ETIMEDOUT) continue;
    if (!timer->over) vtr_program_interrupt(timer->program);
    pthread_mutex_unlock(&timer->lock);
    return NULL;
}

static vtr_status run_timed(vtr_program *program, const RunArgs *run, const vtr_value *args, vtr_value *result) {
    Timer timer = {program, run->timeout, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    pthread_t thread;
    if (run->timeout && pthread_create(&thread, NULL, timer_thread, &timer)) return VTR_ERR_SYSTEM;
    vtr_status status = vtr_program_run(program, run->entry, args, (size_t)run->n_args, result);
    if (run->timeout) {
        pthread_mutex_lock(&timer.lock);
        timer.over = true;
        pthread_cond_signal(&timer.done);
        pthread_mutex_unlock(&timer.lock);
        pthread_join(thread, NULL);
    }
    return status;
}

// ---- the command --------------------------------------------------------------------------------------------------

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_stats(vtr_program *program, double run_time) {
    vtr_program_stats stats;
    vtr_program_statistics(program, &stats);
    if (stats.functions)
        fprintf(stderr, "compiled %u functions, %llu IR instructions to %llu bytes in %.3f ms; ", stats.functions,
                (unsigned long long)stats.instructions, (unsigned long long)stats.code_bytes,
                (double)stats.nanoseconds / 1e6);
    if (stats.simulated)
        fprintf(stderr, "simulated %llu instructions in %.3f ms, %.1f million a second\n",
                (unsigned long long)stats.simulated, run_time * 1e3, (double)stats.simulated / run_time / 1e6);
    else fprintf(stderr, "%s for %.3f ms\n", stats.functions ? "ran natively" : "interpreted", run_time * 1e3);
}

static int run_program(vtr_context *context, vtr_program *program, const RunArgs *run, const Output *output) {
    vtr_value args[UINT8_MAX];
    vtr_value result = {.type = VTR_VOID};
    vtr_status status = vtr_program_signature(program, run->entry, NULL, 0, NULL, NULL);
    if (status != VTR_OK) {
        input_report(context, run->file, status);
        return EXIT_INPUT;
    }
    if (!read_args(program, run, args)) return EXIT_USAGE;
    double start = seconds();
    status = run_timed(program, run, args, &result);
    double took = seconds() - start;
    if (status == VTR_OK) print_result(output, result);
    fflush(stdout);
    if (run->stats) print_stats(program, took);
    if (status == VTR_OK) return 0;
    if (status == VTR_ERR_TRAP) fputs(vtr_trap_text(program), stderr);
    else input_report(context, run->file, status);
    return EXIT_INPUT;
}

// Code of a stack machine, which an engine runs.
static bool wants_engine(const RunArgs *run) {
    const Target *target = run->backend.target ? target_find(run->backend.target) : NULL;
    return target && target->stack && !run->backend.interpret;
}

static int run_in_engine(vtr_context *context, const RunArgs *run, const Input *input) {
    Output output = {false};
    vtr_bytecode *module = NULL;
    vtr_value result = {.type = VTR_VOID};
    EngineRun how = {run->file, run->entry, run->args, run->n_args, .write = output_write, .write_user = &output};
    how.target = target_find(run->backend.target);
    how.features = run->backend.features;
    how.stress = run->stress;
    how.speed = run->backend.opt == VTR_OPT_SPEED;
    how.check = run->backend.check;
    how.gc_stress = run->backend.gc_stress;
    how.stats = run->stats;
    how.timeout = run->timeout;
    vtr_status status = input_module(context, input, run->allow_low, &module);
    if (status != VTR_OK) {
        input_report(context, run->file, status);
        return EXIT_INPUT;
    }
    int code = run_engine(context, module, &how, &result);
    if (code == 0) print_result(&output, result);
    return code;
}

static int run_module(vtr_context *context, RunArgs *run, const Input *input) {
    Output output = {false};
    run->backend.write = output_write;
    run->backend.write_user = &output;
    vtr_bytecode *module = NULL;
    vtr_backend *backend = NULL;
    vtr_program *program = NULL;
    vtr_status status = input_module(context, input, run->allow_low, &module);
    if (status == VTR_OK) status = vtr_backend_new(context, &run->backend, &backend);
    if (status == VTR_OK) status = vtr_backend_compile(backend, module, &program);
    int code = EXIT_INPUT;
    if (status == VTR_OK) code = run_program(context, program, run, &output);
    else input_report(context, run->file, status);
    vtr_program_free(program);
    vtr_backend_free(backend);
    return code;
}

int cmd_run(int argc, char **argv) {
    RunArgs run = {.backend = {.opt = VTR_OPT_SPEED}};
    Input input;
    vtr_context *context;
    run.args = calloc((size_t)argc, sizeof *run.args);
    if (!run.args) return EXIT_INPUT;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&run_argp, argc, argv, 0, NULL, &run);
    run.backend.max_registers = run.stress.max_regs;
    run.backend.register_seed = run.stress.seed;
    run.backend.squeeze_seed = run.stress.squeeze;
    run.backend.frame_padding = run.stress.frame;
    int code = EXIT_INPUT;
    if (input_open(run.file, &input, &context)) {
        ClifArgs clif = {&input,
                         run.entry,
                         run.args,
                         run.n_args,
                         run.backend.interpret,
                         run.backend.opt == VTR_OPT_SPEED,
                         {run.backend.target ? target_find(run.backend.target) : NULL, run.backend.simulate,
                          run.backend.features, run.stress, NULL}};
        if (input.kind == INPUT_CLIF) {
            if (wants_engine(&run)) clif.machine.engine = engine_start();
            code = run_clif(context, &clif);
            engine_stop(clif.machine.engine);
        } else {
            code = wants_engine(&run) ? run_in_engine(context, &run, &input) : run_module(context, &run, &input);
        }
        vtr_context_free(context);
        input_free(&input);
    }
    free(run.args);
    return code;
}
