// Shared by the files of irgen; nobody else includes it.
#ifndef VTR_IRGEN_GEN_H
#define VTR_IRGEN_GEN_H

#include "builder/ssa.h"
#include "ir_build.h"
#include "irgen/irgen.h"
#include "irgen/live.h"
#include "runtime/vmctx.h"

typedef struct Gen {
    Arena *arena; // working data
    const BcModule *m;
    const BcFunc *bf;
    uint32_t func;
    const Irgen *irgen;
    Func *f;
    Builder b; // b.at is the IR block being filled
    Ssa *ssa;  // variable i is register i, all of the function's types but void
    Value vm;  // the vmctx parameter

    Block *heads;         // by bytecode block: where it starts; NO_BLOCK if it cannot be reached
    uint32_t *preds_left; // by bytecode block: edges into it not emitted yet
    VEC(Block) cold;      // to be placed at the end

    const Live *live;
    uint32_t safepoint;   // index into live->points of the next safepoint
    uint32_t *ref_slot;   // by register: its stack slot, NONE = none yet
    uint32_t *slot_value; // by register: value that its slot holds here, valid if slot_block is the current block
    Block *slot_block;

    Map sigs;    // TBLT index -> signature
    Map funcs;   // function index -> function
    Map helpers; // helper number -> function
} Gen;

// ---- registers (gen.c) ----------------------------------------------------------------------------
Type gen_type(uint32_t typeref); // T_none for void
static inline uint32_t gen_reg_type(const Gen *g, uint16_t reg) { return g->bf->regs[reg]; }
Value gen_use(Gen *g, uint16_t reg);
void gen_def(Gen *g, uint16_t reg, Value value);
void gen_def_rooted(Gen *g, uint16_t reg, Value value); // null, or an object that the collector finds elsewhere
Value gen_int(Gen *g, Type type, uint64_t bits);
// A new block, placed after everything so far; sealed when its predecessors are told.
Block gen_block(Gen *g);
// A new block that is seldom entered, placed at the function's end.
Block gen_cold(Gen *g);
// Ends the current block; gen_go() continues in another one.
void gen_jump(Gen *g, Block to);
void gen_brif(Gen *g, Value c, Block then, Block other);
void gen_go(Gen *g, Block to); // seals it

// ---- operations (gen_op.c, gen_convert.c, gen_memory.c) ---------------------------------------------
bool gen_arith(Gen *g, const BcInst *i);
bool gen_convert(Gen *g, const BcInst *i);
bool gen_memory(Gen *g, const BcInst *i);
void gen_intrinsic(Gen *g, const BcInst *i);
Value gen_cell(Gen *g, uint32_t cell, Type type, uint8_t flags);

// ---- calls and safepoints (gen_call.c) ---------------------------------------------------------------
enum GenHelper {
    GH_ALLOC_STRUCT,
    GH_ALLOC_ARRAY,
    GH_POLL,
    GH_IMPORT,
    GH_LEAVE,
    GH_READ_BARRIER,
    GH_WRITE_BARRIER,
    GH_MEMMOVE,
    GH_MEMSET,
    N_GEN_HELPERS
};
Inst gen_helper(Gen *g, enum GenHelper helper, const Value *args, uint32_t n);
void gen_call(Gen *g, const BcInst *i);
void gen_tail_call(Gen *g, const BcInst *i);
void gen_poll(Gen *g);
// Leaves with a reason beyond the IR's trap codes.
void gen_exit(Gen *g, uint32_t code);
// Around a call that is a safepoint: the live references go to their slots; the call gets a stack map; they come back.
void gen_spill_refs(Gen *g);
// Objects that do not move may go to their slots where a register is written instead (Live.at_writes).
bool gen_stores_writes(const Gen *g, uint16_t reg);
void gen_store_ref(Gen *g, uint16_t reg, Value value);
void gen_reload_refs(Gen *g, Inst call);
// The wrapper of an imported function, into an empty g->f.
void gen_import(Gen *g);
uint32_t gen_func_ref(Gen *g, uint32_t func);
uint32_t gen_sig(Gen *g, uint32_t table_index);

// ---- switches (gen_switch.c) --------------------------------------------------------------------------
void gen_switch(Gen *g, const BcInst *i);
void gen_table(Gen *g, const BcInst *i);

#endif
