// Cutting a failing program down: what can go while it still fails.
#ifndef TESTS_IR_CUT_H
#define TESTS_IR_CUT_H

#include "ir_random.h"

typedef enum CutHow {
    CUT_RETURN, // a block ends in a return of constants
    CUT_FIRST,  // a branch becomes a jump to its first target
    CUT_SECOND,
    CUT_LAST,
    CUT_FEW,   // a table keeps its default and two entries
    CUT_VALUE, // an instruction's results become constants
    N_CUTS
} CutHow;

// One change of a program as generated.
typedef struct Cut {
    uint32_t func;
    uint32_t inst;
    uint8_t how; // CutHow
} Cut;

typedef struct Cuts {
    VEC(Cut) v;
    bool straight; // blocks become one that only follow each other
} Cuts;

// Changes a program as it was generated, and removes what is not used then.
void cut_program(RandomProgram *program, const Cuts *cuts);
// Whether the entry may call a function, directly or not.
bool cut_needed(const RandomProgram *program, uint32_t func);

// Looks for as many cuts as possible with which the program still fails. make() gives the program with these cuts.
Cuts cut_search(Arena *arena, RandomProgram (*make)(Arena *arena, void *user, const Cuts *cuts),
                bool (*fails)(Ctx *ctx, void *user, const Cuts *cuts), void *user);

#endif
