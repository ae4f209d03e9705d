// `vitrail dis`: a .vitbc module to .vita text.
#include <argp.h>
#include <stdio.h>

#include "commands.h"
#include "input.h"
#include "output.h"

typedef struct Options {
    const char *input;
    const char *output;
} Options;

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "write the text to FILE instead of standard output", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    Options *o = state->input;
    switch (key) {
    case 'o': o->output = argument; return 0;
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

int cmd_dis(int argc, char **argv) {
    static const struct argp argp = {
        options,
        parse,
        "FILE",
        "Disassembles a bytecode module (.vitbc) to text (.vita).\v"
        "The text assembles back to the same bytes. Names that are missing or not unique in the module get a suffix "
        "after %, which `vitrail asm` drops; lines like .pool and .constoff appear only where a module differs from "
        "what the assembler would choose. Compression and unknown ancillary sections are not kept.",
        NULL,
        NULL,
        NULL};
    Options o = {NULL, "-"};
    Input input;
    vtr_context *context;
    vtr_bytecode *module = NULL;
    char *text = NULL;
    size_t n = 0;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (!input_open(o.input, &input, &context)) return EXIT_INPUT;
    vtr_status status = vtr_bytecode_read(context, o.input, input.bytes, input.size, VTR_ALLOW_LOW, &module);
    if (status == VTR_OK) status = vtr_bytecode_disassemble(module, &text, &n);
    bool done = status == VTR_OK && output_write(o.output, o.input, ".vita", text, n);
    if (status != VTR_OK) input_report(context, o.input, status);
    vtr_bytes_free(context, text, n);
    vtr_bytecode_free(module);
    vtr_context_free(context);
    input_free(&input);
    return done ? 0 : EXIT_INPUT;
}
