// Tables that decoders and printers of targets are made of. Generated code fills them in; asm.c and decode.c read them.
//
// Decoding. An encoding is a row of bits: constants, and bits of operands. So each way to encode an instruction is one
// DecodeRow: which bits of the first eight bytes are constant, and a run for each stretch of operand bits. A tree over
// the bytes gives the few rows that can match. What a row leaves open (an encoding that the encoder would never choose,
// a displacement that should have been shorter) is settled at the end by encoding the decoded operands again: the
// bytes must be the same. decode() is the inverse of encode() by construction. Of a LEB it is the value that must be
// the same: it may be longer than the encoder would make it.
#ifndef VTR_SELECT_TABLES_H
#define VTR_SELECT_TABLES_H

#include "select/target.h"

// ---- decoding ---------------------------------------------------------------------------------

enum {
    RUN_INVERTED = 1, // the bits are stored inverted
    RUN_SIGN = 2,     // the field's bits above the run repeat its top bit
    RUN_CONST = 4     // no bits of the instruction: the value is `from`
};

typedef struct DecodeRun {
    uint8_t slot;  // operand slot
    uint8_t to;    // bit of the field
    uint8_t from;  // bit of the instruction, counted from bit 0 of its first byte
    uint8_t width; // 1 to 64
    uint8_t flags; // RUN_*
} DecodeRun;

// A number of variable length (support/leb.h). Rows count it as the eight bytes of its value.
typedef struct DecodeLeb {
    uint8_t at; // byte
    uint8_t width;
    bool is_signed;
} DecodeLeb;

typedef struct DecodeRow {
    uint64_t mask, match; // of the first eight bytes, the first byte lowest; 0 from the first LEB on
    uint16_t mop;
    uint16_t runs; // first in DecodeTables.runs
    uint8_t n_runs;
    uint8_t size;  // bytes of the instruction
    uint8_t form;  // of its composite operand
    uint16_t lebs; // first in DecodeTables.lebs
    uint8_t n_lebs;
    uint64_t features; // with these the encoder gives this row for its operands
} DecodeRow;

// One byte is looked at; branches are sorted, the first with byte <= last is taken.
typedef struct DecodeNode {
    uint8_t byte;
    uint8_t n;
    uint16_t first; // in DecodeTables.branches
} DecodeNode;
typedef struct DecodeBranch {
    uint8_t last;
    bool leaf;
    uint16_t to; // node or leaf
} DecodeBranch;
typedef struct DecodeLeaf {
    uint16_t first, n; // run of row numbers in DecodeTables.lists
} DecodeLeaf;

typedef struct DecodeTables {
    const Target *target;
    const DecodeRow *rows;
    const DecodeRun *runs;
    const DecodeLeb *lebs;
    const DecodeNode *nodes; // [0] is the root
    const DecodeBranch *branches;
    const DecodeLeaf *leaves;
    const uint16_t *lists;
    const uint8_t *const *class_regs; // by class: register of each number, or NO_REG
    const uint8_t *n_class_regs;
} DecodeTables;

unsigned decode_inst(const DecodeTables *t, const uint8_t *bytes, size_t n, uint16_t *mop, MOpnd *slots);

// ---- printing ---------------------------------------------------------------------------------

typedef enum AsmKind {
    ASM_TEXT,  // text
    ASM_REG,   // register in `slot`, as names[arg] calls it
    ASM_IMM,   // value in `slot`, of immediate kind arg
    ASM_FIELD, // value in `slot`, of immediate kind arg: the bits of its field
    ASM_LABEL, // place in the code: a label, a symbol, or a distance from the end of the instruction
    ASM_PLACE, // the same, a distance from its start
    ASM_DIST,  // the same, but a distance is written as it is
    ASM_FORM   // composite operand at `slot`, of operand kind arg
} AsmKind;

typedef struct AsmPiece {
    const char *text;
    uint8_t kind; // AsmKind
    uint8_t slot;
    uint16_t arg;
} AsmPiece;

// One way to write an instruction or a form; the first whose `when` holds (or is NULL) is used.
typedef struct AsmText {
    bool (*when)(const MOpnd *s);
    const AsmPiece *pieces;
    uint8_t n;
} AsmText;

typedef struct AsmInst {
    const AsmText *texts;
    uint8_t n;
    // Texts of the short forms, by Encoded.form - 1; NULL: they are written like the instruction.
    const struct AsmInst *shorts;
    // A pseudo: fills `t` with the operands of the instruction it stands for and returns that; NULL = none.
    uint16_t (*stands_for)(const MOpnd *s, MOpnd *t);
} AsmInst;

typedef struct AsmTables {
    const Target *target;
    const char *prefix;              // of register names
    const char *const *const *names; // names[view][register]
    const AsmInst *insts;
    const AsmInst *const *forms; // forms[operand kind][form]
} AsmTables;

void asm_print(const AsmTables *t, uint16_t mop, const MOpnd *slots, uint64_t at, unsigned size, Buf *out);

#endif
