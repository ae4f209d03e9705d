// `vitrail verify`: what a loader checks, nothing run.
#include <argp.h>
#include <stdio.h>

#include "commands.h"
#include "input.h"
#include "verify/ir_verify.h"

enum { OPTION_DENY_LOW = 256 };

typedef struct Options {
    bool quiet;
    unsigned flags;
    bool failed;
    int files;
} Options;

static const struct argp_option options[] = {
    {"quiet", 'q', 0, 0, "say nothing about files that are right", 0},
    {"deny-low", OPTION_DENY_LOW, 0, 0, "refuse modules with raw-memory functions, as a host without that capability",
     0},
    {0},
};

static void verify_clif(Ctx *ctx, void *arg) {
    const Input *input = arg;
    Arena *arena = arena_new(ctx);
    const IrFile *file = verify_read(arena, input->path, input->bytes, input->size);
    if (!file->funcs.n) ctx_fail(ctx, VTR_ERR_INPUT, "there is no function in it");
    arena_free(arena);
}

static vtr_status verify_input(vtr_context *context, Input *input, unsigned flags) {
    if (input->kind == INPUT_CLIF) return ctx_try(context, verify_clif, input);
    uint8_t *assembled = NULL;
    size_t n = input->size;
    vtr_status status = VTR_OK;
    if (input->kind == INPUT_VITA)
        status = vtr_bytecode_assemble(context, input->path, input->bytes, input->size, &assembled, &n);
    vtr_bytecode *module = NULL;
    const void *bytes = assembled ? (const void *)assembled : input->bytes;
    if (status == VTR_OK) status = vtr_bytecode_read(context, input->path, bytes, n, flags, &module);
    vtr_bytecode_free(module);
    vtr_bytes_free(context, assembled, n);
    return status;
}

static void verify(const char *path, Options *o) {
    Input input;
    vtr_context *context;
    if (!input_open(path, &input, &context)) {
        o->failed = true;
        return;
    }
    vtr_status status = verify_input(context, &input, o->flags);
    if (status != VTR_OK) input_report(context, path, status);
    else if (!o->quiet) printf("%s: ok\n", path);
    o->failed |= status != VTR_OK;
    vtr_context_free(context);
    input_free(&input);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    Options *o = state->input;
    switch (key) {
    case 'q': o->quiet = true; return 0;
    case OPTION_DENY_LOW: o->flags = 0; return 0;
    case ARGP_KEY_ARG:
        verify(argument, o);
        o->files++;
        return 0;
    case ARGP_KEY_END:
        if (!o->files) argp_error(state, "FILE is missing");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int cmd_verify(int argc, char **argv) {
    static const struct argp argp = {
        options,
        parse,
        "FILE...",
        "Checks bytecode modules (.vitbc, .vita) as a loader does, and IR text (.clif) by the rules of the IR; runs "
        "nothing.\v"
        "The error of a refused module opens with the rule it breaks (V-CRC, V-TYPING, ...) and says where: a byte of "
        "a section, an entry of a table, or an instruction of a function. Exit status 1 if any file is refused.",
        NULL,
        NULL,
        NULL};
    Options o = {.flags = VTR_ALLOW_LOW};
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    return o.failed ? EXIT_INPUT : 0;
}
