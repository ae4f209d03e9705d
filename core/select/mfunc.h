// Machine code as a function of machine instructions: what selection makes, the register allocator rewrites and
// emission encodes. Knows no machine: instructions are numbers into the target's generated tables (target.h).
//
// Before allocation the code is SSA: every virtual register (vreg) has one definition (an instruction's def slot
// or a block parameter). Block parameters receive their values along edges; critical edges are split, so an edge's
// moves fit either at the end of the predecessor (it has one successor) or at the start of the successor (it has
// one predecessor). A terminator may define vregs; they are live only on its edges.
//
// Operands. An instruction has a run of slots. How the operands of a description become slots, in order:
//   d: out C            one slot, ROLE_DEF                     (out early: ROLE_DEF_EARLY)
//   d: inout C          two slots: ROLE_DEF, then ROLE_USE with tied = distance back to the def (1)
//   a: C                one slot, ROLE_USE
//   i: imm kind         one slot, MO_IMM (a constant that stands for a symbol's address: MO_SYM)
//   t: label            one slot, MO_BLOCK or MO_SYM
//   m: composite        1 + max(parts of any form) slots: MO_FORM (imm = form number), then the form's parts in
//                       order; unused ones MO_NONE
// Extra slots after the described ones belong to calls and returns (arguments, results): uses and defs with fixed
// registers that the encoder ignores. The first extra slot of a call or tail call is no register but MO_IMM: the
// bytes of stack arguments that the callee removes (for a tail call: the size of the callee's whole stack argument
// area, `MSlot.size` of its MSLOT_TAIL_ARG slot). After a call that removes bytes, emission lowers the stack pointer
// by as much, as part of the call. A fixed operand (a register name as class) is a slot with `fixed` set; a use or
// def of a register that no class allocates (the stack pointer) is MO_PREG from the start, with reg = NONE.
//
// On a stack machine (target.h) calls, tail calls, returns and MOP_ENTRY have their arguments and results as extra
// slots, too, without fixed registers and in the order of the signature: each of them, used or not (MO_NONE with the
// role of a def is a result or parameter that nobody uses); the first extra slot of a call or tail call is the number
// of its type in MFunc.types. Arguments are pushed before what the description names (the number in the function
// table). There is no allocation: core/stack takes the SSA code.
//
// Side exits. A conditional branch without MI_TERM in the middle of a block leaves it for a trap block: a cold block
// at the end of the function, without parameters, predecessors in `preds` or use of any vreg, whose only instruction
// is the trap (MI_TRAP | MI_TERM). No value is live on such an exit, so it is no edge, and an allocator sees in it
// an instruction like any other. Sites with the same trap code and source location share one block.
//
// Flags. Between an instruction that writes the flags and the one that reads them only what preserves flags may be
// inserted: moves, spills, reloads and rematerialised constants of this file's kind do.
#ifndef VTR_SELECT_MFUNC_H
#define VTR_SELECT_MFUNC_H

#include "ir/ir.h"

// A set of physical registers, by number (all files of a target are numbered in one row, fewer than 128).
typedef struct RegSet {
    uint64_t w[2];
} RegSet;
static inline bool regset_has(RegSet s, unsigned r) { return s.w[r >> 6] >> (r & 63) & 1; }
static inline void regset_add(RegSet *s, unsigned r) { s->w[r >> 6] |= UINT64_C(1) << (r & 63); }
static inline void regset_del(RegSet *s, unsigned r) { s->w[r >> 6] &= ~(UINT64_C(1) << (r & 63)); }

#define NO_REG 0xff

typedef enum MOpndKind {
    MO_NONE,
    MO_VREG,  // reg = vreg number (before allocation)
    MO_PREG,  // preg = physical register; reg still names the vreg it was (NONE if it never was one)
    MO_IMM,   // imm
    MO_BLOCK, // imm = MBlock number
    MO_SYM,   // reg = index into MFunc.syms, imm = addend
    MO_SLOT,  // reg = index into MFunc.slots, imm = byte offset: stands where a base register stands; emission puts
              // the frame register there and adds the slot's place to the displacement (FormDesc.disp, or the
              // immediate operand that follows a plain register), or has the address in a scratch register
    MO_FORM   // imm = form number of a composite operand
} MOpndKind;

typedef enum MRole { ROLE_NONE, ROLE_USE, ROLE_DEF, ROLE_DEF_EARLY } MRole;

typedef struct MOpnd {
    uint8_t kind;  // MOpndKind
    uint8_t role;  // MRole, registers only
    uint8_t cls;   // register class that the operand allows (Target.classes)
    uint8_t fixed; // physical register it must be, or NO_REG
    uint8_t tied;  // ROLE_USE: this slot must share the register of the def `tied` slots before it; 0 = not tied
    uint8_t preg;  // MO_PREG
    uint16_t note; // the allocator's, with note_arg (regalloc/speed.h)
    uint32_t reg;
    uint32_t note_arg;
    int64_t imm;
} MOpnd;

enum {
    MI_TERM = 1,  // ends its block (only branches, returns and tail calls; the last instructions of a block)
    MI_CALL = 2,  // a call: srcloc and stack map are recorded at its return address
    MI_MOVE = 4,  // inserted by the allocator, mop MOP_COPY: slot 0 = destination, slot 1 = source, each MO_PREG or
                  // MO_SLOT, not both slots. `reg` of the MO_PREG names the vreg moved: its size says how many bytes
                  // a load or store moves. `cls` of both is its class. Between two registers it moves all of them.
    MI_REMAT = 8, // inserted by the allocator: a copy of the definition of the vreg that its def slot names
    MI_TRAP = 16, // a conditional or unconditional trap site; trap code in `trap`
    MI_FLAGS = 32 // the flags it writes are read: its three-address twin, which writes none, will not do
};

// Instructions without a description, numbered from the top. Emission encodes nothing for MOP_ENTRY.
enum {
    // First instruction of block 0: a def with a fixed register for each argument that arrives in a register.
    MOP_ENTRY = 0xfffe,
    // Slot 0: def, slot 1: use, both of the same class; becomes the class's `copy` or nothing. Keeps flags.
    MOP_COPY = 0xfffd
};
static inline bool mop_is_pseudo(uint16_t mop) { return mop >= MOP_COPY; }

typedef struct MInst {
    uint16_t mop; // number of the target's instruction or relaxable pseudo (Target.insts), or MOP_*
    uint16_t n_slots;
    uint32_t slots;     // first slot in MFunc.slots_pool
    uint8_t flags;      // MI_*
    uint8_t trap;       // trap code (TRAP_*) for MI_TRAP, for loads and stores that may fault, and on a stack machine
                        // for what traps by itself (the first of its codes)
    uint16_t clobbers;  // index into MFunc.clobbers; 0 = what the table says and nothing more
    uint32_t srcloc;    // IR srcloc, NONE = none
    uint32_t stack_map; // index + 1 into the Func's stack maps
    uint32_t ir;        // the IR instruction it came from (index), NONE = none; for dumps
} MInst;

typedef struct MEdge {
    uint32_t block;        // successor
    uint32_t args, n_args; // run of vregs in MFunc.lists: one per parameter of the successor
} MEdge;

typedef struct MBlock {
    uint32_t first, n;         // instructions [first, first+n) of MFunc.insts
    uint32_t params, n_params; // run of vregs in MFunc.lists
    uint32_t succs, n_succs;   // run in MFunc.edges
    uint32_t preds, n_preds;   // run of block numbers in MFunc.lists
    uint32_t ir;               // IR block it came from, NONE for a split edge
    uint8_t loop_depth;
    bool cold;
    bool is_landing; // reached by a trap only
} MBlock;

typedef struct VReg {
    uint8_t cls;    // class it lives in (the type's class; an operand's class is a subset)
    uint8_t size;   // bytes that matter: 1, 2, 4, 8
    uint32_t value; // IR value, NONE = temporary
    uint32_t remat; // instruction (index into the SSA code) that may be repeated instead of spilling, NONE = none:
                    // it has this def only, no uses, no effects
} VReg;

typedef enum MSlotKind {
    MSLOT_LOCAL,   // an IR stack slot, or other memory of selection's own
    MSLOT_SPILL,   // made by the allocator
    MSLOT_IN_ARG,  // the incoming stack argument area: offset 0 is the stack pointer of the caller at the call
    MSLOT_OUT_ARG, // offset counts from the stack pointer at an outgoing call; the callee's shadow space comes first
    MSLOT_TAIL_ARG // one slot for each size of a tail callee's area: offset 0 is where the callee's MSLOT_IN_ARG starts
} MSlotKind;

typedef struct MSlot {
    uint8_t kind; // MSlotKind
    uint32_t size, align;
    int32_t offset; // from the frame register; emission fills it in
    uint32_t ir;    // number of the IR stack slot, NONE = none
} MSlot;

typedef struct MSym {
    ExtName name;
    bool colocated;
    bool is_data;   // a constant-pool entry: `data` of `n` bytes
    uint32_t align; // is_data
    const uint8_t *data;
    uint32_t n;
    uint32_t table; // jump table number + 1 (MFunc.tables), 0 = none
    uint32_t type;  // of a stack machine, of a function: number of its type in MFunc.types + 1, 0 = no function
} MSym;

// A jump table: block numbers; entries are 32-bit offsets from the table's start.
typedef struct MTable {
    uint32_t blocks, n; // run of block numbers in MFunc.lists
} MTable;

// What the stages from selection on may be told to do badly, for tests: what is rare becomes common. The code stays
// right, and the same for the same seeds.
typedef struct Stress {
    uint32_t max_regs; // the allocator hands out at most so many registers per class; 0 = all
    uint64_t seed;     // shuffles its order of preference; 0 = none
    uint64_t squeeze;  // 0 = none. Chooses constants that selection does not take as immediates, displacements that do
                       // not fit and branches that do not reach
    uint32_t frame;    // bytes below each function's slots that nothing uses
    uint32_t edges;    // liveness is rounded when it goes along more edges (select/extents.h); 0 = as ever
} Stress;

// The type of a function of a stack machine: value types of its parameters and results (RegClass.value_type).
typedef struct MType {
    const uint8_t *params, *results;
    uint32_t n_params, n_results;
} MType;

// A number that `squeeze` gives the n-th decision about x.
static inline uint64_t stress_choice(const Stress *s, uint64_t n, uint64_t x) {
    uint64_t h = (s->squeeze ^ n * UINT64_C(0x9e3779b97f4a7c15) ^ x * UINT64_C(0xc2b2ae3d27d4eb4f)) + 1;
    h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
    return h ^ h >> 31;
}

struct Target;

typedef struct MFunc {
    Ctx *ctx;
    Arena *arena;
    const struct Target *target;
    const Func *ir;
    const struct Abi *abi; // of the function itself
    const Stress *stress;  // NULL = none
    uint64_t features;     // that selection and encoding may use
    VEC(MInst) insts;
    VEC(MOpnd) slots_pool;
    VEC(MBlock) blocks; // in emission order; block 0 is the entry
    VEC(MEdge) edges;
    VEC(uint32_t) lists;
    VEC(VReg) vregs;
    VEC(MSlot) slots;
    VEC(MSym) syms;
    VEC(MTable) tables;
    VEC(RegSet) clobbers; // [0] is empty
    VEC(MType) types;     // of a stack machine: [0] is the function's own
    RegSet used;          // physical registers written, filled in by the allocator; emission saves the preserved ones
    // Sizes in bytes, multiples of the convention's stack alignment, shadow space included.
    uint32_t in_arg_size;   // of the incoming stack argument area
    uint32_t out_arg_size;  // largest area of outgoing stack arguments
    uint32_t tail_arg_size; // largest area of a tail call's stack arguments; may exceed in_arg_size
    // Convention `tail`: the callee removes its stack arguments. Where the machine has Target.op_ret_pop, a return is
    // that with in_arg_size as its immediate when that is not 0, op_ret otherwise.
    bool callee_pops;
    bool has_calls;
    bool saves_all; // an entry thunk: saves every preserved register; IR stack slot 0 holds the activation
} MFunc;

uint32_t mfunc_vreg(MFunc *m, uint8_t cls, uint8_t size, uint32_t value);
uint32_t mfunc_slot(MFunc *m, MSlotKind kind, uint32_t size, uint32_t align);

static inline MOpnd *minst_slots(const MFunc *m, const MInst *i) {
    return m->slots_pool.v ? &m->slots_pool.v[i->slots] : NULL; // code without any operand has no pool
}

// A listing: `-d select` before, `-d regalloc` after allocation.
void mfunc_write(const MFunc *m, Buf *out);

#endif
