// Inside the register allocator: locations, parallel moves, the code that is being written, and what both allocators
// ask about instructions. regalloc.c opens with the theory that both share.
#ifndef VTR_REGALLOC_RA_H
#define VTR_REGALLOC_RA_H

#include "regalloc/regalloc.h"
#include "support/bits.h"

enum { MAX_REGS = 128 };

static inline RegSet regset_or(RegSet a, RegSet b) { return (RegSet){{a.w[0] | b.w[0], a.w[1] | b.w[1]}}; }
static inline RegSet regset_and(RegSet a, RegSet b) { return (RegSet){{a.w[0] & b.w[0], a.w[1] & b.w[1]}}; }
static inline RegSet regset_minus(RegSet a, RegSet b) { return (RegSet){{a.w[0] & ~b.w[0], a.w[1] & ~b.w[1]}}; }
static inline bool regset_empty(RegSet s) { return !(s.w[0] | s.w[1]); }
static inline bool regset_within(RegSet a, RegSet b) { return regset_empty(regset_minus(a, b)); }
static inline unsigned regset_count(RegSet s) { return bit_popcount64(s.w[0]) + bit_popcount64(s.w[1]); }
// The lowest member; the set is not empty.
static inline unsigned regset_first(RegSet s) { return s.w[0] ? bit_ctz64(s.w[0]) : 64 + bit_ctz64(s.w[1]); }
#define REGSET_EACH(r, set)                                                                                            \
    for (RegSet r##_left = (set); !regset_empty(r##_left); regset_del(&r##_left, regset_first(r##_left)))              \
        for (unsigned r = regset_first(r##_left), r##_once = 1; r##_once; r##_once = 0)

// ---- locations ----------------------------------------------------------------------------------

typedef enum LocKind {
    LOC_NONE,
    LOC_REG,  // n = physical register
    LOC_SLOT, // n = index into MFunc.slots
    LOC_REMAT // nowhere: the value's definition can be repeated (a source only)
} LocKind;

typedef struct Loc {
    uint8_t kind; // LocKind
    uint32_t n;
} Loc;

static inline Loc loc_reg(unsigned r) { return (Loc){LOC_REG, r}; }
static inline Loc loc_slot(uint32_t s) { return (Loc){LOC_SLOT, s}; }
static inline bool loc_eq(Loc a, Loc b) { return a.kind == b.kind && a.n == b.n; }

// One move of a parallel move: all sources are read before any destination is written. `vreg` is the value as its
// source knows it: its class and size decide which instructions move it.
typedef struct Move {
    Loc dst, src;
    uint32_t vreg;
} Move;

// ---- the code being written -----------------------------------------------------------------------

// The allocators write a new instruction array and a new slot pool beside the SSA code; ra_allocate() swaps them in.
typedef struct Ra {
    MFunc *m;
    const Target *t;
    const Stress *stress;
    Arena *tmp;       // freed when allocation ends
    MInst *old;       // the SSA code
    MOpnd *old_slots; // its operands (the allocator may note its choices there)
    VEC(MInst) insts; // the allocated code
    VEC(MOpnd) slots;
    uint32_t *first;          // by block: its first instruction in the allocated code; one more element for the end
    uint32_t *in_edge;        // by block: an edge that leads to it, NONE = none
    uint32_t *from;           // by edge: the block it leaves
    uint8_t scratch[256];     // by class: register for moves, or NO_REG
    uint8_t *order[256];      // by class: registers in order of preference ...
    uint8_t n_order[256];     // ... how many of them to hand out
    uint8_t n_full[256];      // ... and how many there are
    uint32_t cycle_slot[256]; // by class: slot that breaks cycles through memory, or NONE
    // moves_emit()'s tables by location, with a stamp that says whether an entry is of this call
    uint32_t *readers; // pending moves that read the location
    uint32_t *writer;  // the move that writes it
    uint32_t *stamp;
    uint32_t n_locs;
    uint32_t now;
} Ra;

// What an instruction needs; NULL for MOP_* pseudos.
static inline const InstDesc *ra_desc(const Ra *ra, const MInst *i) {
    return mop_is_pseudo(i->mop) ? NULL : &ra->t->insts[i->mop];
}
static inline bool ra_is_reg(const MOpnd *o) { return o->kind == MO_VREG; }
static inline bool ra_is_use(const MOpnd *o) { return o->kind == MO_VREG && o->role == ROLE_USE; }
static inline bool ra_is_def(const MOpnd *o) { return o->kind == MO_VREG && o->role != ROLE_USE; }

RegSet ra_clobbers(const Ra *ra, const MInst *i);
// Number of instructions in front of the terminators of `b`.
uint32_t ra_body(const MFunc *m, const MBlock *b);
// Whether the value may be computed again anywhere: its definition touches no flags and asks for no register.
bool ra_can_remat(const Ra *ra, uint32_t vreg);
// A fresh spill slot of `size` bytes, aligned as much; and the size that the value needs.
uint32_t ra_new_slot(Ra *ra, unsigned size);
unsigned ra_slot_size(const Ra *ra, uint32_t vreg);
// Throws VTR_ERR_UNSUPPORTED: the registers that instruction `i` of the SSA code asks for do not exist.
VTR_NORETURN void ra_stuck(const Ra *ra, uint32_t i, const char *why);

// Appends the SSA instruction `i`; returns its slots, in which the caller replaces MO_VREG.
MOpnd *ra_put_inst(Ra *ra, uint32_t i);
// Appends one move; no memory to memory. dst is a register when src is LOC_REMAT.
void ra_put_move(Ra *ra, Loc dst, Loc src, uint32_t vreg);
// Appends a parallel move as a sequence. Destinations differ, except that equal moves may be repeated.
void moves_emit(Ra *ra, const Move *moves, uint32_t n);

// Where an edge's moves stand.
typedef enum EdgePlace {
    EDGE_AT_END,  // before the terminators of the predecessor
    EDGE_AT_START // at the start of the successor
} EdgePlace;
EdgePlace ra_edge_place(const Ra *ra, uint32_t from, uint32_t to);

void fast_allocate(Ra *ra);  // RA_NONE
void speed_allocate(Ra *ra); // RA_SPEED

#endif
