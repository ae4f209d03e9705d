// The back end of stack machines: from selected machine code (SSA, vregs; select/mfunc.h) to the body of a function.
//
//   trees.c      which values stay on the operand stack, and in which order instructions then stand
//   locals.c     which of the others share a local; live.c when they are live
//   flow.c       the control flow that remains once blocks without anything to do are left out
//   dispatch.c   makes every loop reducible: a loop with several entries gets one, which branches on a local
//   order.c      dominator tree, loops, and where each block stands: what structure needs
//   shape.c      structured code as a row of steps
//   body.c       writes the steps; shadow.c the frame, put.c single instructions
//
// trees.c and locals.c see the control flow of the machine code as selection made it, irreducible or not: what
// dispatch.c adds has a local of its own and leaves all others alone, so liveness along the original edges holds.
#ifndef VTR_STACK_STACK_H
#define VTR_STACK_STACK_H

#include "emit/code.h"

// What a block or an edge does, in order.
typedef enum StackOpKind {
    SOP_INST,  // instruction `x` of MFunc.insts, whose operands are on the stack
    SOP_GET,   // push the local of vreg `x`
    SOP_SET,   // pop into the local of vreg `x`
    SOP_TEE,   // copy the top into the local of vreg `x`
    SOP_DROP,  // pop
    SOP_FRAME, // push what operand slot `x` of MFunc.slots_pool (MO_SLOT) stands for: the frame's address, to which the
               // displacement of the instruction adds the slot's place
} StackOpKind;
typedef struct StackOp {
    uint8_t kind; // StackOpKind
    uint32_t x;
} StackOp;

typedef struct StackRun {
    uint32_t first, n; // in StackPlan.ops
} StackRun;

// Made by trees.c and locals.c, read by body.c.
typedef struct StackPlan {
    VEC(StackOp) ops;
    // By MBlock: everything up to its terminators (MI_TERM), whose operands it leaves on the stack: those of the first
    // one on top. Conditional branches out of the middle (traps) are among the instructions; MOP_ENTRY and MOP_COPY are
    // not.
    StackRun *blocks;
    // By MFunc.edges: the parameters of the successor get their values. Where the predecessor has no other successor
    // its operations run in front of its terminators (balanced, above operands if there are any), and instructions of
    // the predecessor may stand there, whatever they do; else at the start of the successor, with constants only. As
    // locals are shared, most are empty, so that blocks of edges often have nothing to do at all.
    StackRun *edges;
    uint32_t *local; // by vreg: number of its local, NONE = it has none. The function's parameters come first
    // Locals that are not parameters, in the order of their numbers: so many of each value type.
    struct {
        uint8_t value_type;
        uint32_t n;
    } groups[8];
    unsigned n_groups;
    uint32_t n_params;
} StackPlan;

// Fills ops, blocks and edges. `optimise`: trees, else every value goes through a local.
void stack_trees(MFunc *m, StackPlan *plan, bool optimise);
// Fills local and groups, for the vregs that the ops name.
void stack_locals(MFunc *m, StackPlan *plan, bool optimise);

// verify/stack_check.c: proves that the plan computes what the SSA code does. Throws VTR_ERR_INTERNAL naming the block,
// the operation and what it found there.
void stack_check(const MFunc *m, const StackPlan *plan);

// Emits selected code. `arena` receives the Code. `check`: proves the plan. Throws VTR_ERR_LIMIT.
Code *stack_emit(Arena *arena, MFunc *m, TrapStyle traps, bool optimise, bool check);

#endif
