// vitrail build: object files and executables.
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "input.h"

typedef struct BuildArgs {
    vtr_object_options object;
    const char *file;
    const char *output;
} BuildArgs;

enum { KEY_CHECK = 256, KEY_NATIVE };

static const struct argp_option build_options[] = {
    {"output", 'o', "FILE", 0, "Where the result goes", 0},
    {"target", 't', "TARGET", 0, "The machine to build for, instead of this one", 0},
    {NULL, 'O', "LEVEL", 0, "Optimise: none (fast compile) or speed (the default)", 0},
    {"native", KEY_NATIVE, NULL, 0, "Use what this processor has, not only what every machine of its kind has", 0},
    {"check", KEY_CHECK, NULL, 0, "Verify every pass and prove every register allocation while compiling", 0},
    {0},
};

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
    case KEY_NATIVE: build->object.native = true; return 0;
    case KEY_CHECK: build->object.check = true; return 0;
    case ARGP_KEY_ARG:
        if (build->file) argp_error(state, "one file at a time");
        build->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (!build->file) argp_error(state, "which file?");
        if (!build->output) argp_error(state, "where to? -o FILE");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp build_argp = {
    build_options,
    build_parse,
    "FILE -o OUT",
    "Compiles a file to a relocatable object for the system's linker.\v"
    "Of an IR text (.clif), every function becomes a global symbol, to be called with the convention of its signature.",
    NULL,
    NULL,
    NULL,
};

static vtr_status build_object(vtr_context *context, const BuildArgs *build, const Input *input) {
    vtr_object *object = NULL;
    vtr_status status = vtr_object_new(context, &build->object, &object);
    if (status == VTR_OK) status = vtr_object_add_clif(object, build->file, input->bytes, input->size);
    if (status == VTR_OK) status = vtr_object_write(object, build->output);
    vtr_object_free(object);
    return status;
}

int cmd_build(int argc, char **argv) {
    BuildArgs build = {.object = {.opt = VTR_OPT_SPEED}};
    Input input;
    vtr_context *context;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&build_argp, argc, argv, 0, NULL, &build);
    if (!input_open(build.file, &input, &context)) return EXIT_INPUT;
    vtr_status status = build_object(context, &build, &input);
    if (status != VTR_OK) input_report(context, build.file, status);
    vtr_context_free(context);
    input_free(&input);
    return status == VTR_OK ? 0 : EXIT_INPUT;
}
