// `vitrail dis`: a .vitbc module to .vita text; with --target, machine code to assembler text.
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "dis_code.h"
#include "dis_elf.h"
#include "dis_wasm.h"
#include "input.h"
#include "output.h"

typedef struct Options {
    const char *output;
    char **inputs;
    int n_inputs;
    bool has_address;
    DisCode code; // .target is NULL: bytecode
} Options;

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "write the text to FILE instead of standard output", 0},
    {"target", 't', "TARGET", 0, "the input is machine code of TARGET: a file of raw bytes, or HEX", 0},
    {"address", 'a', "N", 0, "with --target: the address of the first byte, 0 by default", 0},
    {0},
};

static void parse_address(struct argp_state *state, Options *o, const char *text) {
    char *end;
    errno = 0;
    o->code.address = strtoull(text, &end, 0);
    o->has_address = true;
    if (end == text || *end || errno || text[0] == '-') argp_error(state, "'%s' is no address", text);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    Options *o = state->input;
    switch (key) {
    case 'o': o->output = argument; return 0;
    case 'a': parse_address(state, o, argument); return 0;
    case 't':
        o->code.target = target_find(argument);
        if (!o->code.target) argp_error(state, "there is no target '%s'", argument);
        return 0;
    case ARGP_KEY_ARGS:
        o->inputs = state->argv + state->next;
        o->n_inputs = state->argc - state->next;
        return 0;
    case ARGP_KEY_END:
        if (!o->n_inputs) argp_error(state, "FILE is missing");
        if (!o->code.target && o->n_inputs > 1) argp_error(state, "one file at a time");
        if (!o->code.target && o->has_address) argp_error(state, "bytecode has no address; --target is missing");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static bool dis_bytecode(const Options *o, const Input *input) {
    vtr_context *context;
    vtr_bytecode *module = NULL;
    char *text = NULL;
    size_t n = 0;
    vtr_status status = vtr_context_new(NULL, &context);
    if (status == VTR_OK)
        status = vtr_bytecode_read(context, input->path, input->bytes, input->size, VTR_ALLOW_LOW, &module);
    if (status == VTR_OK) status = vtr_bytecode_disassemble(module, &text, &n);
    bool done = status == VTR_OK && output_write(o->output, input->path, ".vita", text, n);
    if (status != VTR_OK) input_report(context, input->path, status);
    vtr_bytes_free(context, text, n);
    vtr_bytecode_free(module);
    vtr_context_free(context);
    return done;
}

// A file when there is one of that name, else bytes in hexadecimal.
static bool read_code(const Options *o, Input *input) {
    const char *first = o->inputs[0];
    if (o->n_inputs == 1 && (!strcmp(first, "-") || !access(first, F_OK))) return input_read(first, input);
    *input = (Input){.path = "HEX"};
    for (int k = 0; k < o->n_inputs; k++) {
        if (dis_add_hex(input, o->inputs[k])) continue;
        fprintf(stderr, "%s: error: there is no such file, and these are no bytes in hexadecimal\n", o->inputs[k]);
        input_free(input);
        return false;
    }
    return true;
}

static bool dis_machine(Options *o, const Input *input) {
    vtr_context *context;
    vtr_status status = vtr_context_new(NULL, &context);
    if (status == VTR_OK) status = dis_code(context, input, &o->code);
    bool done = status == VTR_OK && output_write(o->output, input->path, ".s", o->code.text, o->code.n);
    if (status != VTR_OK) input_report(context, input->path, status);
    vtr_context_free(context);
    return done;
}

// What the file is, its content tells, unless a target is named.
static bool dis(Options *o) {
    Input input;
    if (o->code.target ? !read_code(o, &input) : !input_read(o->inputs[0], &input)) return false;
    bool done = false;
    const bool is_machine = elf_is_object(&input) || wasm_is_module(&input);
    if (!o->code.target && is_machine) {
        o->code.target = elf_is_object(&input) ? elf_target(&input) : wasm_target();
        if (!o->code.target) fprintf(stderr, "%s: error: this file is for none of our targets\n", input.path);
    }
    if (o->code.target) done = dis_machine(o, &input);
    else if (!is_machine) done = dis_bytecode(o, &input);
    input_free(&input);
    return done;
}

int cmd_dis(int argc, char **argv) {
    static const struct argp argp = {
        options,
        parse,
        "FILE\n--target TARGET FILE\n--target TARGET HEX...",
        "Disassembles a bytecode module (.vitbc) to text (.vita), an ELF file, a WebAssembly module, or machine code.\v"
        "The text of a module assembles back to the same bytes. Names that are missing or not unique in the module get "
        "a suffix after %, which `vitrail asm` drops; lines like .pool and .constoff appear only where a module "
        "differs "
        "from what the assembler would choose. Compression and unknown ancillary sections are not kept.\n\n"
        "Of machine code, every line shows an address, bytes, and the instruction. What is no instruction that "
        "TARGET's "
        "description has is shown as data (.byte), up to the next address where an instruction may stand. HEX is pairs "
        "of digits, in the order of the bytes in memory; a file of that name goes first. "
        "Of an ELF file, the sections of instructions are listed, with labels and relocations; of a WebAssembly module "
        "or "
        "relocatable object, the functions, with offsets in the file.",
        NULL,
        NULL,
        NULL};
    Options o = {.output = "-"};
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    return dis(&o) ? 0 : EXIT_INPUT;
}
