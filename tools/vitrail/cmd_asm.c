// `vitrail asm`: .vita text to a .vitbc module.
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "input.h"
#include "output.h"

typedef struct Options {
    const char *input;
    const char *output;
    unsigned flags; // VTR_STRIP, VTR_COMPRESS
} Options;

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "write the module to FILE; by default the input's name with .vitbc", 0},
    {"strip", 's', 0, 0, "leave out debug information (source lines, variables)", 0},
    {"compress", 'z', 0, 0, "zstd-compress every section that gets smaller by it", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    Options *o = state->input;
    switch (key) {
    case 'o': o->output = argument; return 0;
    case 's': o->flags |= VTR_STRIP; return 0;
    case 'z': o->flags |= VTR_COMPRESS; return 0;
    case ARGP_KEY_ARG:
        if (o->input) argp_error(state, "one file at a time");
        o->input = argument;
        return 0;
    case ARGP_KEY_END:
        if (!o->input) argp_error(state, "FILE is missing");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

// Reads back what was assembled and writes it with the options' flags.
static vtr_status rewrite(vtr_context *context, const Options *o, uint8_t **bytes, size_t *n) {
    vtr_bytecode *module;
    vtr_status status = vtr_bytecode_read(context, o->input, *bytes, *n, VTR_ALLOW_LOW, &module);
    if (status != VTR_OK) return status;
    uint8_t *written;
    size_t written_n;
    status = vtr_bytecode_write(module, o->flags, &written, &written_n);
    vtr_bytecode_free(module);
    if (status != VTR_OK) return status;
    vtr_bytes_free(context, *bytes, *n);
    *bytes = written;
    *n = written_n;
    return VTR_OK;
}

int cmd_asm(int argc, char **argv) {
    static const struct argp argp = {
        options,
        parse,
        "FILE",
        "Assembles bytecode text (.vita) to a module (.vitbc).\v"
        "All errors are reported, each with its line and column; then nothing is written. The module is verified as a "
        "loader would, so what comes out can be run.",
        NULL,
        NULL,
        NULL};
    Options o = {0};
    Input input;
    vtr_context *context;
    uint8_t *bytes = NULL;
    size_t n = 0;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (!input_open(o.input, &input, &context)) return EXIT_INPUT;
    vtr_status status = vtr_bytecode_assemble(context, o.input, input.bytes, input.size, &bytes, &n);
    if (status == VTR_OK && o.flags) status = rewrite(context, &o, &bytes, &n);
    bool done = status == VTR_OK && output_write(o.output, o.input, ".vitbc", bytes, n);
    if (status != VTR_OK) input_report(context, o.input, status);
    vtr_bytes_free(context, bytes, n);
    vtr_context_free(context);
    input_free(&input);
    return done ? 0 : EXIT_INPUT;
}
