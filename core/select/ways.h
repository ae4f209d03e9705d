// What becomes of every opcode on a machine, as data: generated from its description and from md/expand.md, so that
// people and tools can ask without compiling anything (`vitrail targets`). Code generation does not read it;
// Target.covers and Target.select are made of the same patterns.
#ifndef VTR_SELECT_WAYS_H
#define VTR_SELECT_WAYS_H

#include "select/target.h"

typedef enum WayKind {
    WAY_DRIVER,     // by the back end itself, alike on every machine: calls, jumps, returns
    WAY_SELECTED,   // as machine instructions, whatever its operands are
    WAY_EXPANDED,   // rewritten to other opcodes, except where a choice that asks for a feature selects it
    WAY_LIBCALL,    // a call of the run-time library, with the same exception
    WAY_UNSUPPORTED // refused, for the reason given
} WayKind;

typedef enum ChoiceKind {
    CHOICE_DERIVED,   // a pattern derived from what an instruction does
    CHOICE_RULE,      // a rule of the machine
    CHOICE_EXPANSION, // an expansion (md/expand.md)
    CHOICE_LIBCALL    // one that calls the run-time library
} ChoiceKind;

typedef struct OpChoice {
    const char *name;    // of the instruction, the rule or the expansion
    const char *pattern; // what it matches, in opcodes
    const char *guard;   // and under which condition, or NULL
    const char *result;  // names of the instructions it puts, blanks between them; of an expansion, its text
    uint64_t features;   // that it asks for
    uint16_t line;       // where it stands in the machine's description, or in md/expand.md
    uint8_t kind;        // ChoiceKind
    bool total;          // it takes the opcode whatever the operands are; else it is for some shapes of them
} OpChoice;

typedef struct OpRow {
    uint8_t op, control, operand; // Op and Types as Target.covers takes them
    uint8_t way;                  // WayKind
    uint16_t first, n;            // its choices, a run of Ways.lists, in the order they are tried
    const char *why;              // WAY_UNSUPPORTED: the reason
} OpRow;

typedef struct Ways {
    const OpChoice *choices;
    const uint16_t *lists; // numbers of choices
    const OpRow *rows;     // by opcode, in the order of md/ir.md
    uint16_t n_rows;
    uint16_t conds, n_conds; // how a condition is put: a run of `lists`
} Ways;

#endif
