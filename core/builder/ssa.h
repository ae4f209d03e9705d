// Variables, and SSA construction on the fly.
//
// A front end declares variables, and for each block in turn says "variable x is now v" and asks "what is x here".
// Values that meet at a join become block parameters, made on demand. Protocol:
//
//   Ssa *ssa = ssa_new(arena, f);
//   Var x = ssa_declare(ssa, T_i64);
//   ssa_def(ssa, x, block, v);  v = ssa_use(ssa, x, block);
//   ssa_branch(ssa, terminator);   // once for each terminator, when it stands at the end of its block
//   ssa_seal(ssa, block);          // once for each block, when all terminators that lead to it were told
//   ssa_finish(ssa);               // all blocks sealed: removes redundant parameters
//
// A use that no definition reaches yields zero of the variable's type.
#ifndef VTR_BUILDER_SSA_H
#define VTR_BUILDER_SSA_H

#include "ir/ir.h"

typedef struct Ssa Ssa;
typedef struct Var {
    uint32_t i;
} Var;

// `arena` holds the working data; instructions and values are made in f.
Ssa *ssa_new(Arena *arena, Func *f);

// A variable of a scalar integer or float type. Numbers are 0, 1, 2, ... in order of declaration.
Var ssa_declare(Ssa *ssa, Type type);

// Within one block, definitions and uses come in program order. The value holds at the end of the block until the
// next definition there.
void ssa_def(Ssa *ssa, Var var, Block block, Value value);
Value ssa_use(Ssa *ssa, Var var, Block block);

// Tells that `terminator`, placed at the end of its block, leads to its targets. Its block calls get their arguments
// from here: they must not be copied elsewhere before ssa_finish().
void ssa_branch(Ssa *ssa, Inst terminator);

void ssa_seal(Ssa *ssa, Block block);

// Removes every parameter that a variable made and that can only ever hold one value (its uses see that value).
// Work is linear in the block-call arguments.
void ssa_finish(Ssa *ssa);

#endif
