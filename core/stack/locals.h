// Between the files that give values their locals: live.c and locals.c.
#ifndef VTR_STACK_LOCALS_H
#define VTR_STACK_LOCALS_H

#include "stack/stack.h"

// Positions [from, to) of the operations in the order in which blocks hold them.
typedef struct Span {
    uint32_t from, to;
    uint32_t left, right; // in a tree of spans (locals.c)
    uint32_t next;
} Span;
typedef VEC(Span) Spans;

typedef struct Lives {
    Spans spans;     // spans.v[0] is nobody's
    uint32_t *first; // by vreg: run in spans, rising and apart; one more element for the end
} Lives;

// When locals of vregs hold what is still read, or are written. The parameters of the function are written in front of
// everything.
Lives stack_lives(Arena *arena, const MFunc *m, const StackPlan *plan);

// Calls visit(user, op, block) for each operation: block by block, an edge's where it stands. With op = NONE first for
// each block, and once more, with the number of blocks, at the end.
void stack_each_op(const MFunc *m, const StackPlan *plan, void (*visit)(void *user, uint32_t op, uint32_t block),
                   void *user);
// The vregs of the function's parameters, NONE = it is not used.
typedef VEC(uint32_t) Params;
Params stack_params(Arena *arena, const MFunc *m);

static inline bool stack_names_local(const StackOp *op) {
    return op->kind == SOP_GET || op->kind == SOP_SET || op->kind == SOP_TEE;
}

#endif
