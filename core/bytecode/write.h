// Writing modules: binary and text.
#ifndef VTR_BYTECODE_WRITE_H
#define VTR_BYTECODE_WRITE_H

#include "bytecode/module.h"
#include "support/buf.h"

typedef struct BcWriteOptions {
    bool strip;    // leave SYMS out
    bool compress; // wrap each section that gets smaller by it
} BcWriteOptions;

// Appends the file image. Reading it gives the same module; for an uncompressed file without ancillary sections the
// bytes are the same too.
void bc_write(const BcModule *m, BcWriteOptions options, Buf *out);

// Appends the .vita text.
void bc_disassemble(const BcModule *m, Buf *out);

// Assembles .vita text into a verified module; throws after recording one diagnostic (file:line:col) per error.
// Low functions are acceptable.
BcModule *bc_assemble(Ctx *ctx, const char *name, const char *text, size_t len);

// Calls visit(data, &index) for every place that holds a string index, in the order in which an assembler numbers
// strings: module name, types, imports, globals, data, constants; then per function its name, the source files of its
// lines as they first occur, its record's names; then exports.
void bc_each_string(BcModule *m, void (*visit)(void *data, uint32_t *string), void *data);

#endif
