// `vitrail dis --target`: machine code to text.
#ifndef VITRAIL_DIS_CODE_H
#define VITRAIL_DIS_CODE_H

#include "input.h"
#include "select/target.h"

typedef struct DisCode {
    const Target *target;
    uint64_t address; // of the first byte
    const char *text; // receives the listing, in an arena of the context
    size_t n;
} DisCode;

// Adds the bytes that `text` writes in hexadecimal, pairs of digits with blanks between them or not, to the input.
// Returns false and adds nothing when it is no such text.
bool dis_add_hex(Input *input, const char *text);

// Lists the bytes of the input; of an ELF file, the sections of instructions. A failure is in the context's
// diagnostics.
vtr_status dis_code(vtr_context *context, const Input *input, DisCode *dis);

#endif
