// Small questions and edits that several passes share.
#ifndef VTR_PASSES_EDIT_H
#define VTR_PASSES_EDIT_H

#include "ir/ir.h"

// Whether removing i could be noticed even if nobody uses its results.
bool inst_must_stay(const Func *f, Inst i);

// The constant a value is, as zero-extended bits (IEEE bits for floats). False when it is none.
bool value_const(const Func *f, Value v, uint64_t *bits);

// Turns i, in place, into a constant of its only result's type.
void inst_become_const(Func *f, Inst i, uint64_t bits);

// Makes `b` end in `jump to(args)`: everything from i (which is in b) to the end of b goes.
void block_end_with_jump(Func *f, Block b, Inst i, BlockCall call);

// A list of its own with the same values.
ValueList list_copy(Func *f, ValueList list);

#endif
