#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/read.h"
#include "bytecode/write.h"

// Where the first thing of a text stands that is no comment; n if there is none.
static size_t first_thing(const char *text, size_t n) {
    size_t i = 0;
    while (i < n) {
        if (text[i] == ';' || (text[i] == '/' && i + 1 < n && text[i + 1] == '/')) {
            while (i < n && text[i] != '\n') i++;
        } else if (strchr(" \t\r\n\v\f", text[i]) && text[i]) {
            i++;
        } else {
            return i;
        }
    }
    return n;
}

static InputKind kind_of(const char *text, size_t n) {
    if (n >= 6 && memcmp(text, "VITBC\0", 6) == 0) return INPUT_BYTECODE;
    size_t first = first_thing(text, n);
    return first < n && text[first] == '.' ? INPUT_VITA : INPUT_CLIF;
}

static bool read_all(FILE *file, Input *input) {
    size_t room = 1 << 16;
    input->bytes = malloc(room + 1);
    while (input->bytes) {
        input->size += fread(input->bytes + input->size, 1, room - input->size, file);
        if (input->size < room) break;
        room *= 2;
        char *grown = realloc(input->bytes, room + 1);
        if (!grown) free(input->bytes);
        input->bytes = grown;
    }
    if (!input->bytes) {
        errno = ENOMEM;
        return false;
    }
    input->bytes[input->size] = 0;
    return !ferror(file);
}

bool input_read(const char *path, Input *input) {
    *input = (Input){.path = path};
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *file = from_stdin ? stdin : fopen(path, "rb");
    bool done = file && read_all(file, input);
    if (!done) {
        fprintf(stderr, "%s: error: %s\n", path, strerror(errno));
        input_free(input);
    }
    if (file && !from_stdin) fclose(file);
    input->kind = done ? kind_of(input->bytes, input->size) : INPUT_CLIF;
    return done;
}

bool input_open(const char *path, Input *input, vtr_context **context) {
    if (!input_read(path, input)) return false;
    bool blank = first_thing(input->bytes, input->size) == input->size;
    if (!blank && vtr_context_new(NULL, context) == VTR_OK) return true;
    fprintf(stderr, "%s: error: %s\n", path, blank ? "the file is empty" : "out of memory");
    input_free(input);
    return false;
}

void input_free(Input *input) {
    free(input->bytes);
    input->bytes = NULL;
}

void input_report(const vtr_context *context, const char *path, vtr_status status) {
    vtr_diagnostic_info info;
    for (size_t k = 0; vtr_diagnostic(context, k, &info); k++) {
        fprintf(stderr, "%s:", info.file ? info.file : path);
        if (info.line) fprintf(stderr, "%u:", info.line);
        if (info.line && info.column) fprintf(stderr, "%u:", info.column);
        fprintf(stderr, " error: %s\n", info.message);
    }
    if (vtr_diagnostic_count(context) == 0) fprintf(stderr, "%s: error: %s\n", path, vtr_status_name(status));
}

typedef struct Load {
    const Input *input;
    bool allow_low;
    BcModule *module;
} Load;

static void load_body(Ctx *ctx, void *arg) {
    Load *load = arg;
    const Input *in = load->input;
    if (in->kind == INPUT_BYTECODE) {
        load->module = bc_read(ctx, in->path, in->bytes, in->size, load->allow_low);
        return;
    }
    load->module = bc_assemble(ctx, in->path, in->bytes, in->size);
    if (load->module->low && !load->allow_low) {
        diag_error(ctx, (Place){.file = in->path}, "V-CAP: the module uses raw memory, which was not allowed");
        ctx_throw(ctx, VTR_ERR_INPUT);
    }
}

vtr_status input_module(vtr_context *context, const Input *input, bool allow_low, vtr_bytecode **module) {
    Load load = {input, allow_low, NULL};
    vtr_status status = ctx_try(context, load_body, &load);
    if (status == VTR_OK) *module = load.module;
    return status;
}
