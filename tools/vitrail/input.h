// Input files: read whole, told apart by content. And how diagnostics are shown.
#ifndef VITRAIL_INPUT_H
#define VITRAIL_INPUT_H

#include "vitrail.h"

typedef enum InputKind {
    INPUT_BYTECODE, // .vitbc: begins with its magic bytes
    INPUT_VITA,     // bytecode as text: the first thing that is no comment is a directive (.module, .fn, ...)
    INPUT_CLIF      // anything else
} InputKind;

typedef struct Input {
    const char *path;
    char *bytes; // `size` bytes and a NUL behind them
    size_t size;
    InputKind kind;
} Input;

// Reads a file ("-" = standard input). On failure says why on stderr and returns false.
bool input_read(const char *path, Input *input);
// The same of a file that is not empty, and makes the context that the input is worked on in.
bool input_open(const char *path, Input *input, vtr_context **context);
void input_free(Input *input);

// Reads or assembles a module; the input is not IR text. allow_low: accept functions that use raw memory.
vtr_status input_module(vtr_context *context, const Input *input, bool allow_low, vtr_bytecode **module);

// Prints what the context holds, one line each: `file:line:col: error: ...`. With no diagnostic, the status's name.
void input_report(const vtr_context *context, const char *path, vtr_status status);

#endif
