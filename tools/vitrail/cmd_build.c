// vitrail build: object files and executables.
#include <argp.h>
#include <argz.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "input.h"
#include "link_exe.h"
#include "select/target.h"

typedef struct BuildArgs {
    vtr_object_options object;
    const char *file;
    const char *output;
    const char *entry;
    const char *start;
    char *imports; // NAME, MODULE, FIELD and so on, as one argz vector
    size_t n_imports;
    LinkExe link; // for --exe
    bool exe;
    bool allow_low;
} BuildArgs;

enum {
    KEY_CHECK = 256,
    KEY_NATIVE,
    KEY_EXE,
    KEY_LINKER,
    KEY_RUNTIME,
    KEY_ENTRY,
    KEY_LOW,
    KEY_FEATURES,
    KEY_STACK,
    KEY_MEMORY,
    KEY_POLLS,
    KEY_IMPORT,
    KEY_START
};

static const struct argp_option build_options[] = {
    {"output", 'o', "FILE", 0, "Where the result goes", 0},
    {"target", 't', "TARGET", 0, "The machine to build for, instead of this one", 0},
    {NULL, 'O', "LEVEL", 0, "Optimise: none (fast compile) or speed (the default)", 0},
    {"relocatable", 'c', NULL, 0, "Make an object for a linker (of most machines it is one anyway)", 0},
    {"exe", KEY_EXE, NULL, 0, "Link the object with the runtime: an executable (modules of bytecode)", 0},
    {"linker", KEY_LINKER, "COMMAND", 0,
     "What links, with options if need be; the default is cc, for another machine its cross compiler "
     "(aarch64-linux-gnu-gcc)",
     0},
    {"runtime", KEY_RUNTIME, "FILE", 0,
     "The runtime to link; the default is lib/vitrail/TARGET/libvitrail_rt.a where this program is installed", 0},
    {"entry", KEY_ENTRY, "NAME", 0, "The executable runs this export instead of the module's entry function", 0},
    {"native", KEY_NATIVE, NULL, 0, "Use what this processor has, not only what every machine of its kind has", 0},
    {"features", KEY_FEATURES, "LIST", 0,
     "The features of the processor that the code may use, with commas between, or none, or all; otherwise those that "
     "every machine of its kind has",
     0},
    {"allow-low", KEY_LOW, NULL, 0, "Accept modules whose functions use raw memory: they can read and write anything",
     0},
    {"stack-size", KEY_STACK, "BYTES", 0, "The shadow stack of a WebAssembly module; the default is 1 MiB", 0},
    {"max-memory", KEY_MEMORY, "BYTES", 0, "The size to which the memory of a WebAssembly module may grow", 0},
    {"import", KEY_IMPORT, "NAME=MODULE.FIELD", 0,
     "A WebAssembly module of an IR text imports what the text calls NAME as this, not as env.NAME", 0},
    {"start", KEY_START, "NAME", 0, "This function of an IR text runs when the WebAssembly module is instantiated", 0},
    {"polls", KEY_POLLS, NULL, 0, "Let a WebAssembly module of bytecode poll, so that its loader can interrupt it", 0},
    {"check", KEY_CHECK, NULL, 0, "Verify every pass and prove every register allocation while compiling", 0},
    {0},
};

static uint64_t parse_bytes(const char *option, const char *text, struct argp_state *state) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno || end == text || *end || !n || *text == '-')
        argp_error(state, "%s takes a number of bytes, not '%s'", option, text);
    return n;
}

static void add_import(BuildArgs *build, const char *text, struct argp_state *state) {
    const char *equal = strchr(text, '=');
    const char *dot = equal ? strchr(equal, '.') : NULL;
    if (!dot || equal == text || dot == equal + 1 || !dot[1])
        argp_error(state, "--import takes NAME=MODULE.FIELD, not '%s'", text);
    char *parts = strdup(text);
    if (!parts) argp_failure(state, EXIT_USAGE, errno, "--import");
    parts[equal - text] = 0;
    parts[dot - text] = 0;
    if (argz_append(&build->imports, &build->n_imports, parts, strlen(text) + 1))
        argp_failure(state, EXIT_USAGE, ENOMEM, "--import");
    free(parts);
}

static error_t build_parse(int key, char *arg, struct argp_state *state) {
    BuildArgs *build = state->input;
    switch (key) {
    case 'o': build->output = arg; return 0;
    case 't': build->object.target = arg; return 0;
    case 'O':
        if (!strcmp(arg, "none")) build->object.opt = VTR_OPT_NONE;
        else if (!strcmp(arg, "speed")) build->object.opt = VTR_OPT_SPEED;
        else argp_error(state, "-O takes none or speed, not '%s'", arg);
        return 0;
    case 'c': build->object.relocatable = true; return 0;
    case KEY_STACK: build->object.stack_size = parse_bytes("--stack-size", arg, state); return 0;
    case KEY_MEMORY: build->object.max_memory = parse_bytes("--max-memory", arg, state); return 0;
    case KEY_IMPORT: add_import(build, arg, state); return 0;
    case KEY_START: build->start = arg; return 0;
    case KEY_POLLS: build->object.polls = true; return 0;
    case KEY_EXE: build->exe = true; return 0;
    case KEY_LINKER: build->link.linker = arg; return 0;
    case KEY_RUNTIME: build->link.runtime = arg; return 0;
    case KEY_ENTRY: build->entry = arg; return 0;
    case KEY_LOW: build->allow_low = true; return 0;
    case KEY_NATIVE: build->object.native = true; return 0;
    case KEY_FEATURES: build->object.features = arg; return 0;
    case KEY_CHECK: build->object.check = true; return 0;
    case ARGP_KEY_ARG:
        if (build->file) argp_error(state, "one file at a time");
        build->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (!build->file) argp_error(state, "which file?");
        if (!build->output) argp_error(state, "where to? -o FILE");
        if (build->object.target && !target_find(build->object.target))
            argp_error(state, "there is no target '%s'", build->object.target);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp build_argp = {
    build_options,
    build_parse,
    "FILE -o OUT",
    "Compiles a file to a relocatable object for the system's linker, to an executable or to a WebAssembly module.\v"
    "Of an IR text (.clif), every function becomes a global symbol, to be called with the convention of its "
    "signature.\n\n"
    "Of a module of bytecode, --exe makes an executable that behaves as `vitrail run` does with it: arguments, the "
    "result on the last line, traps, exit status. The environment variable VITRAIL_RT gives it options, separated by "
    "commas: gc-stress, timeout=MS, heap=BYTES, entry=NAME.\n\n"
    "For wasm64 the result is a complete module, or with -c an object for a linker. A module of an IR text exports "
    "every function, `memory` and `__heap_base` (the first address that nothing uses). What the text calls and does "
    "not "
    "define it imports from \"env\", or as --import says. A module of bytecode is for the JavaScript loader.\n\n"
    "Examples:\n"
    "  vitrail build gcd.clif -o gcd.o\n"
    "  vitrail build sieve.vita --exe -o sieve\n"
    "  vitrail build sieve.vita --target aarch64 --exe --linker 'aarch64-linux-gnu-gcc -static' -o sieve\n"
    "  vitrail build gcd.clif --target wasm64 -o gcd.wasm",
    NULL,
    NULL,
    NULL,
};

static vtr_status name_imports(vtr_object *object, const BuildArgs *build) {
    const char *name = NULL;
    vtr_status status = VTR_OK;
    while (status == VTR_OK && (name = argz_next(build->imports, build->n_imports, name))) {
        const char *module = argz_next(build->imports, build->n_imports, name);
        const char *field = argz_next(build->imports, build->n_imports, module);
        status = vtr_object_import(object, name, module, field);
        name = field;
    }
    return status;
}

static vtr_status build_object(vtr_context *context, const BuildArgs *build, const Input *input, const char *output) {
    vtr_object *object = NULL;
    vtr_bytecode *module = NULL;
    vtr_status status = vtr_object_new(context, &build->object, &object);
    if (status == VTR_OK) status = name_imports(object, build);
    if (status == VTR_OK && input->kind == INPUT_CLIF) {
        status = vtr_object_add_clif(object, build->file, input->bytes, input->size);
    } else if (status == VTR_OK) {
        status = input_module(context, input, build->allow_low, &module);
        if (status == VTR_OK) status = vtr_object_add_bytecode(object, module, build->entry);
    }
    if (status == VTR_OK && build->start) status = vtr_object_start(object, build->start);
    if (status == VTR_OK) status = vtr_object_write(object, output);
    vtr_object_free(object);
    return status;
}

static int build(vtr_context *context, const BuildArgs *build, const Input *input) {
    char *object = NULL;
    if (build->exe) {
        object = link_temporary(build->output);
        if (!object) {
            fprintf(stderr, "%s: error: %s\n", build->output, strerror(errno));
            return EXIT_INPUT;
        }
    }
    vtr_status status = build_object(context, build, input, build->exe ? object : build->output);
    int code = status == VTR_OK ? 0 : EXIT_INPUT;
    if (status != VTR_OK) input_report(context, build->file, status);
    else if (build->exe && !link_exe(&build->link, object, build->output)) code = EXIT_INPUT;
    if (object) unlink(object);
    free(object);
    return code;
}

int cmd_build(int argc, char **argv) {
    BuildArgs args = {.object = {.opt = VTR_OPT_SPEED}};
    Input input;
    vtr_context *context;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&build_argp, argc, argv, 0, NULL, &args);
    const Target *target = args.object.target ? target_find(args.object.target) : target_host();
    args.link.target = target ? target->name : "";
    args.link.arch = target && target != target_host() ? target->triple_arch : NULL;
    if (!input_open(args.file, &input, &context)) return EXIT_INPUT;
    int code = EXIT_USAGE;
    if (args.exe && target && target->stack)
        fprintf(stderr, "vitrail build: --exe is not for %s, whose modules are complete\n", target->name);
    else if (args.exe && input.kind == INPUT_CLIF) fprintf(stderr, "vitrail build: --exe is for modules of bytecode\n");
    else code = build(context, &args, &input);
    vtr_context_free(context);
    input_free(&input);
    free(args.imports);
    return code;
}
