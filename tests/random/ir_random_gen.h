// What the generators of random IR share: values to choose from, instructions, memory, calls, signatures.
#ifndef TESTS_IR_RANDOM_GEN_H
#define TESTS_IR_RANDOM_GEN_H

#include "ir_build.h"
#include "ir_random.h"

// A value that may be used here.
typedef struct Item {
    Value v;
    bool loose; // may be a NaN with bits of the machine's choice
} Item;

typedef struct Gen {
    Random r;
    Builder b;
    const RandomOptions *options;
    RandomProgram *program;
    uint32_t index;     // of this function
    uint32_t n_callees; // the functions that it may call: those with smaller numbers
    uint32_t n_slots;   // of its slots, those that random accesses may touch: the first
    VEC(Item) pool;
    Value memory; // the pointer parameter
    bool narrow;  // few opcodes of one type over few values, so that nested patterns of rules arise
    bool spread;  // operands from far away rather than the newest
    bool tame;    // traps seldom: what would trap now and then would end every run that is long
    bool shared;  // callees get the same pointer, as behind the buffer stands what all have in common
    Op ops[3];
    Type type;
    struct Loop *loop;       // ir_random.c: the innermost
    uint32_t memory_arg[64]; // per function: which parameter is the pointer
} Gen;

static inline Arena *gen_arena(Gen *g) { return g->b.f->arena; }

// Adds to the pool; returns the value.
Value gen_add(Gen *g, Value v, bool loose);

// A value of the type: of the pool, or a constant.
Item gen_operand_item(Gen *g, Type type);
Value gen_operand(Gen *g, Type type);
// Something to branch, select or trap on: mostly what machines fuse.
Value gen_condition(Gen *g);

// Statements: each may add to the pool.
Op gen_random_op(Gen *g);
Op gen_related_op(Gen *g, Op op); // md/ir.md lists opcodes by family, and rules mostly stay in one
void gen_inst(Gen *g);
void gen_memory(Gen *g);
void gen_call(Gen *g);
void gen_trap(Gen *g);
void gen_select(Gen *g);
void gen_shape(Gen *g);

// Makes slots for random accesses, with something in each byte.
void gen_slots(Gen *g);

// Ends the block with a tail call when some function fits; tells whether.
bool gen_tail_call(Gen *g);

// Gives the function a signature.
void gen_sig(Gen *g);
// Makes its entry block and is in it; the parameters are in the pool.
void gen_entry(Gen *g);
// Makes the functions of a program over random graphs (ir_graph.c).
void random_graph_funcs(Gen *g);
// Starts the next function of the program: an empty pool.
void gen_start(Gen *g, uint32_t index, Func *f);

#endif
