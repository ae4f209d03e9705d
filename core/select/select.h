// Instruction selection: IR function -> MFunc. The matcher is generated per target (Target.select); this is the
// driver it runs in.
//
// Blocks are walked so that uses come before definitions, instructions backwards. An instruction is selected if it has
// an effect or one of its results was asked for with sel_use() (select/sel.h). The generated code for an instruction
// emits its machine instructions in program order; the driver puts the groups in reverse.
#ifndef VTR_SELECT_SELECT_H
#define VTR_SELECT_SELECT_H

#include "select/target.h"

typedef struct SelOptions {
    uint64_t features;    // enabled target features
    bool fold;            // fold single-use operands into their users (off at -O none)
    Buf *trace;           // `-d select`: gets each rule taken and what it covered; may be NULL
    const Stress *stress; // NULL = none
} SelOptions;

// Selects `f`, which must be verified and free of opcodes the target does not cover. Throws VTR_ERR_UNSUPPORTED
// naming instruction, type and target. May add instructions to `f` that are not in its layout.
MFunc *select_func(Arena *arena, Func *f, const Target *t, const SelOptions *options);

// What the target selects for an `iconst` of a word, without features: block 0 has its instructions, of which each
// uses at most the register that the one before it defines. So all of them can work in one register.
const MFunc *select_constant(Arena *arena, const Target *t, int64_t value);

#endif
