// What the two halves of the verifier share: verify.c (tables) and verify_code.c (functions).
#ifndef VTR_BYTECODE_VERIFY_H
#define VTR_BYTECODE_VERIFY_H

#include "bytecode/read.h"

typedef struct Check {
    const BcModule *m;
    const BcSink *sink;
    const BcFunc *f;   // the function being checked
    const char *table; // where faults are reported
    uint32_t index;
    uint32_t inst;
    uint32_t block;
    bool ok;
    bool stop; // the sink has heard enough
} Check;

// Reports a fault at the current place; always returns false.
bool check_wrong(Check *c, BcRule rule, const char *fmt, ...) VTR_PRINTF(3, 4);

// A typeref that a value may have: a primitive but void, or an entry of the table.
static inline bool check_value_type(const BcModule *m, uint32_t t) {
    return (t >= BC_I8 && t <= BC_REF) || bc_is_table_type(m, t);
}
// A constant of this index may initialise something of type t (3.3, CONS).
bool check_const_fits(const BcModule *m, uint32_t constant, uint32_t t);

// All instructions of c->f, which is entry c->index of FUNC and whose head is sound.
void check_code(Check *c);

#endif
