// `vitrail test`: file tests.
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "engine.h"
#include "filetest.h"
#include "input.h"
#include "select/target.h"
#include "stress.h"

typedef struct Options {
    const char *groups;
    const FiletestEngine *engine;
    FiletestMachine machine;
    const char *object; // NULL = run the tests
    bool quiet;
    bool json;
    int first; // of the paths in argv
} Options;

enum { KEY_SIMULATE = 256, KEY_OBJECT, KEY_FEATURES };

static const struct argp_option options[] = {
    {"interpret", 'i', NULL, 0, "Run the files with `test interpret` in the IR interpreter", 0},
    {NULL, 'O', "LEVEL", 0, "Run the files with `test run` as machine code: none, or speed (the default)", 0},
    {"target", 't', "TARGET", 0,
     "The machine whose code is run; not this one, in its simulator, wasm64 in Node.js (`node`, or what the "
     "environment "
     "variable VITRAIL_NODE names)",
     0},
    {"features", KEY_FEATURES, "LIST", 0,
     "The features of the machine that may be used, with commas between, or none, or all; otherwise this machine's, in "
     "a "
     "simulator "
     "those of every machine of its kind",
     0},
    {"simulate", KEY_SIMULATE, NULL, 0, "Run this machine's code in the simulator, too", 0},
    {"object", KEY_OBJECT, "FILE", 0,
     "Run nothing: write an object file that holds the machine code and the directives, for tests/aot/run_tests.c to "
     "run; `passed` then counts what it holds",
     0},
    {"groups", 'g', "TABLE", 0,
     "Take the feature groups from a table: file name, tab, group; else a file's group is "
     "the name of its directory",
     0},
    {"quiet", 'q', NULL, 0, "Do not name what is skipped", 0},
    {"json", 'j', NULL, 0, "Report as JSON; what fails or is skipped is named on stderr", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    Options *chosen = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &chosen->machine.stress; return 0;
    case 'i': chosen->engine = &filetest_interpreter; return 0;
    case 'O':
        if (!strcmp(arg, "none")) chosen->engine = &filetest_native_none;
        else if (!strcmp(arg, "speed")) chosen->engine = &filetest_native_speed;
        else argp_error(state, "-O takes none or speed");
        return 0;
    case 't':
        chosen->machine.target = target_find(arg);
        if (!chosen->machine.target) argp_error(state, "there is no target '%s'", arg);
        return 0;
    case KEY_FEATURES: chosen->machine.features = arg; return 0;
    case KEY_SIMULATE: chosen->machine.simulate = true; return 0;
    case KEY_OBJECT: chosen->object = arg; return 0;
    case 'g': chosen->groups = arg; return 0;
    case 'q': chosen->quiet = true; return 0;
    case 'j': chosen->json = true; return 0;
    case ARGP_KEY_ARGS: chosen->first = state->next; return 0;
    case ARGP_KEY_NO_ARGS: argp_usage(state); return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
    }
}

// No test file of others names a stack machine; what runs on one with registers is to run there, too.
static void use_engine(Options *chosen, FiletestEngine *engine) {
    *engine = chosen->engine == &filetest_native_none ? filetest_engine_none : filetest_engine_speed;
    engine->target = "";
    chosen->machine.engine = engine_start();
}

int cmd_test(int argc, char **argv) {
    static const struct argp_child children[] = {{&stress_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        "PATH...",
        "Runs file tests: .clif files whose comments say what calls give, as in `; run: %add(1, 2) == 3`. A PATH is a "
        "file or a directory.\vEnds with a table by feature group and the line `N passed, N failed, N skipped`, "
        "counting directives. Exit status: 0 nothing failed, 1 something failed or could not be read, 2 wrong usage.",
        children,
        NULL,
        NULL};
    Options chosen = {.engine = &filetest_native_speed, .machine = {.target = target_host()}};
    argp_err_exit_status = EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &chosen) != 0) return EXIT_USAGE;
    FiletestEngine engine = *chosen.engine;
    if (chosen.engine != &filetest_interpreter) {
        if (chosen.machine.target) engine.target = chosen.machine.target->triple_arch;
        if (chosen.machine.target && chosen.machine.target->stack && !chosen.object) use_engine(&chosen, &engine);
        engine.options = &chosen.machine;
    }
    vtr_context *context = NULL;
    FiletestObject *tests = NULL;
    if (chosen.object) {
        bool speed = chosen.engine == &filetest_native_speed;
        if (vtr_context_new(NULL, &context) == VTR_OK) tests = filetest_object_new(context, &chosen.machine, speed);
        if (!tests) {
            if (context) input_report(context, chosen.object, VTR_ERR_UNSUPPORTED);
            vtr_context_free(context);
            return EXIT_INPUT;
        }
        engine = filetest_object;
        engine.target = chosen.machine.target->triple_arch;
        engine.options = &tests;
    }
    FiletestRun run = {.engine = &engine, .quiet = chosen.quiet, .json = chosen.json};
    Input table = {0};
    if (chosen.groups && !input_read(chosen.groups, &table)) return EXIT_INPUT;
    run.group_table = table.bytes;
    bool readable = true;
    for (int k = chosen.first; k < argc; k++) readable = filetest_path(&run, argv[k]) && readable;
    filetest_report(&run);
    if (readable && !run.n_groups) {
        fputs("vitrail test: there is no .clif file\n", stderr);
        readable = false;
    }
    if (tests && !filetest_object_write(tests, chosen.object)) {
        fprintf(stderr, "%s: error: %s\n", chosen.object, strerror(errno));
        readable = false;
    }
    vtr_context_free(context);
    engine_stop(chosen.machine.engine);
    int status = readable && run.failed == 0 ? 0 : EXIT_INPUT;
    filetest_free(&run);
    input_free(&table);
    return status;
}
