// Between read_inst.c and read_sugar.c.
#ifndef VTR_IR_READ_INST_H
#define VTR_IR_READ_INST_H

#include "ir/read_internal.h"

typedef struct ResultName {
    uint32_t number;
    Tok tok;
} ResultName;

// A mnemonic that stands for several instructions.
typedef struct Sugar {
    const char *name;
    uint8_t kind;
    uint8_t op; // the opcode behind it
} Sugar;

bool rd_define(Reader *r, const Tok *tok, uint32_t number, ValueData data);
bool rd_values(Reader *r, InstData *d, unsigned n); // separated by commas, appended to d->args
bool rd_slot_ref(Reader *r, InstData *d);
bool rd_global_ref(Reader *r, uint32_t *number);
bool rd_control(Reader *r, const Tok *op_tok, Op op, ValueList args, Type suffix, uint8_t *type);
// Appends the instruction to the current block and defines its results.
bool rd_insert(Reader *r, const Tok *op_tok, const InstData *d, const ResultName *names, uint32_t n_names);

const Sugar *sugar_find(const char *name, uint32_t len);
bool rd_sugar(Reader *r, const Tok *tok, const Sugar *sugar, Type suffix, uint32_t srcloc, const ResultName *names,
              uint32_t n_names);

#endif
