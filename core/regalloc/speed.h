// Inside the allocator `speed`: positions, live intervals and what its parts hand to each other. linear_scan.c opens
// with the theory.
#ifndef VTR_REGALLOC_SPEED_H
#define VTR_REGALLOC_SPEED_H

#include "regalloc/ra.h"
#include "support/queue.h"

// Half-open range of positions.
typedef struct Range {
    uint32_t from, to;
} Range;

// A place where a value is read or written. `must`: it is in a register there; otherwise any location does, because a
// move reads it.
typedef struct Use {
    uint32_t pos;
    bool must;
} Use;

// A wish: to be where `val` is, or in register `preg` (val = NONE), when allocated around `pos`.
typedef struct Hint {
    uint32_t pos;
    uint32_t val;
    uint8_t preg;
} Hint;

// A value to allocate: vreg v is Val v; after the vregs come temporaries for operands with narrow classes.
typedef struct Val {
    uint32_t ranges, n_ranges;  // run in Speed.ranges, ascending, not touching
    uint32_t uses, n_uses;      // run in Speed.uses, ascending
    uint32_t hints, n_hints;    // run in Speed.hints, ascending
    uint32_t block;             // of the definition
    uint32_t start;             // position where it exists first, NONE = on edges only
    uint32_t def_step;          // it arrives from `born` in the gap behind this step, NONE = it does not
    Loc born;                   // LOC_REG, or LOC_NONE while the temporary `temp` is not allocated
    uint32_t temp;              // temporary that the definition goes through, NONE = none
    uint32_t first, n_children; // run in Speed.children once they are sorted
    uint32_t slot;              // MFunc.slots, NONE = none
    uint8_t cls;                // class to allocate from
    uint8_t last_reg;           // register of the latest child that got one
    bool param;
    bool remat;
    bool in_slot; // some child is in the slot
    bool by_term; // defined by a terminator
    bool rounded; // its ranges are larger than its life
} Val;

// A piece of a value's lifetime with one location.
typedef struct Interval {
    uint32_t val;
    uint32_t start, end;
    uint32_t range; // index in Speed.ranges of the first range that reaches beyond start
    uint8_t reg;    // NO_REG: slot, or recomputed
} Interval;

// A fixed use of a register; the value `owner` does not collide with it.
typedef struct FixedRange {
    uint32_t from, to, owner;
} FixedRange;

enum { MAX_CLOBBER_SETS = 8, SKIP_LEVELS = 12 };

// Positions at which one set of registers is clobbered, ascending.
typedef struct ClobberSites {
    RegSet set;
    VEC(uint32_t) at;
} ClobberSites;

// Ranges given to a register: a skip list, ordered, disjoint.
typedef struct SkipNode {
    uint32_t from, to, interval;
    uint8_t height;
    struct SkipNode *next[];
} SkipNode;

// Notes on operands of the SSA code (MOpnd.note); MOpnd.note_arg is the argument.
enum {
    NOTE_OWN,   // the register of the vreg at this place
    NOTE_FIXED, // a move brings the value to the fixed register; note_arg = register
    NOTE_TIED,  // a move brings the value to the register of the def
    NOTE_ALIAS, // the register of the use in slot note_arg of the instruction, which has the same value
    NOTE_TEMP   // the register of Val note_arg
};

typedef struct Speed {
    Ra *ra;
    MFunc *m;
    Arena *tmp;
    // Steps: block heads, instructions, terminator groups, in layout order. Positions are 2 * step (before the
    // instruction reads) and 2 * step + 1 (after it has read).
    uint32_t n_steps;
    uint32_t *step_inst; // first SSA instruction, NONE for a head
    uint32_t *step_n;    // instructions
    uint32_t *step_block;
    uint32_t *block_from; // by block; one more element for the end
    uint32_t *outer;      // by block: the nearest block before it that runs less often, NONE = none
    uint8_t *weight;      // by block: how often it runs, logarithmic
    VEC(Val) vals;
    VEC(Range) ranges;
    Use *uses;
    uint32_t *next_must; // by use: the same or the next use of its Val that has `must`, or one past its last
    Hint *hints;
    VEC(FixedRange) fixed[MAX_REGS];
    ClobberSites clobbers[MAX_CLOBBER_SETS];
    uint32_t n_clobbers;
    VEC(Interval) intervals;
    uint32_t *children;                // intervals by Val, ascending
    RegSet fresh;                      // preserved registers that nothing has yet: using one costs each call a save
    SkipNode *occupied[MAX_REGS];      // heads
    SkipNode *unused[SKIP_LEVELS + 1]; // by height
    uint64_t random;
    Queue queue; // intervals by start
} Speed;

static inline uint32_t speed_block_at(const Speed *s, uint32_t pos) { return s->step_block[pos / 2]; }
static inline uint32_t speed_block_to(const Speed *s, uint32_t b) { return s->block_from[b + 1]; }

// live.c: everything in front of the intervals.
void live_build(Speed *s);

// intervals.c
uint32_t interval_new(Speed *s, uint32_t val, uint32_t start, uint32_t end, uint32_t range);
// Cuts interval `i` at `pos`, inside of it; returns the second piece, which starts at pos or, when that lies in a
// hole, behind the hole.
uint32_t interval_split(Speed *s, uint32_t i, uint32_t pos);
// The first position where the interval collides with what has register r, NONE = nowhere.
uint32_t interval_conflict(const Speed *s, uint32_t i, unsigned r);
// The same with fixed ranges and clobbers only.
uint32_t interval_fixed_conflict(const Speed *s, uint32_t i, unsigned r);
void interval_occupy(Speed *s, uint32_t i, unsigned r);
void interval_vacate(Speed *s, uint32_t i, uint32_t from);
// The interval that has register r at `pos`, or NONE.
uint32_t interval_at(const Speed *s, unsigned r, uint32_t pos);
// First use of the interval's value at or after pos that lies inside the interval; NONE = none. must_only as said.
uint32_t interval_next_use(const Speed *s, uint32_t i, uint32_t pos, bool must_only);
// Last use before pos, not before the interval's start; NONE = none.
uint32_t interval_last_use(const Speed *s, uint32_t i, uint32_t pos);
// Whether one of the value's ranges holds `pos`, inside the interval.
bool interval_lives_at(const Speed *s, uint32_t i, uint32_t pos);
bool interval_must_at(const Speed *s, uint32_t i, uint32_t pos);

// resolve.c: locations to code.
void speed_assign_slots(Speed *s);
void speed_rewrite(Speed *s);

#endif
