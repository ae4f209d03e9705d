// The register operands of an instruction of a stack machine, in the order in which they are pushed and pushed back.
//
// What a call, a tail call or a return takes beyond its description (its arguments) lies below what the description
// names (the number in the function table); all others have only what the description names. Results are pushed in the
// order of their slots.
#ifndef VTR_STACK_OPERANDS_H
#define VTR_STACK_OPERANDS_H

#include "select/target.h"

static inline bool stack_is_push(const MOpnd *o) {
    return o->kind == MO_SLOT || (o->kind == MO_VREG && o->role == ROLE_USE);
}
static inline bool stack_is_result(const MOpnd *o) { return o->role == ROLE_DEF || o->role == ROLE_DEF_EARLY; }

// The k-th slot in the order of pushing: extra slots, then described ones. k < n_slots.
static inline const MOpnd *stack_slot(const MFunc *m, const MInst *i, unsigned k) {
    unsigned described = mop_is_pseudo(i->mop) ? i->n_slots : m->target->insts[i->mop].n_slots;
    unsigned extra = i->n_slots - described;
    return minst_slots(m, i) + (k < extra ? described + k : k - extra);
}

// The block that an instruction branches to, or NULL.
static inline const MOpnd *stack_label(const MFunc *m, const MInst *i) {
    const MOpnd *o = minst_slots(m, i);
    for (unsigned k = 0; k < i->n_slots; k++)
        if (o[k].kind == MO_BLOCK) return &o[k];
    return NULL;
}

// Number of instructions in front of the terminators of `b`.
static inline uint32_t stack_body(const MFunc *m, const MBlock *b) {
    uint32_t n = b->n;
    while (n && m->insts.v[b->first + n - 1].flags & MI_TERM) n--;
    return n;
}

#endif
