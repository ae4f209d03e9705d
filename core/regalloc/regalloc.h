// Register allocation: rewrites every MO_VREG slot of an MFunc to MO_PREG, inserting moves, spills, reloads and
// rematerialised constants.
#ifndef VTR_REGALLOC_REGALLOC_H
#define VTR_REGALLOC_REGALLOC_H

#include "select/target.h"

typedef enum RaKind { RA_NONE, RA_SPEED } RaKind;

// Allocates in place: m->insts and m->slots_pool are replaced, spill slots are appended to m->slots, m->used is set.
// Throws VTR_ERR_UNSUPPORTED (naming the instruction) when constraints cannot be met.
void ra_allocate(MFunc *m, RaKind kind, const Stress *stress);

// verify/ra_check.c: proves that `after` (allocated) computes what `before` (a mfunc_copy() of the SSA code) does.
// Throws VTR_ERR_INTERNAL naming the instruction, the slot and what it found there.
MFunc *mfunc_copy(Arena *arena, const MFunc *m);
void ra_check(const MFunc *before, const MFunc *after);

#endif
