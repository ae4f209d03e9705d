// The state of writing a function's body, shared by the files that write it (put.c, shadow.c, body.c).
#ifndef VTR_STACK_BODY_H
#define VTR_STACK_BODY_H

#include "stack/flow.h"
#include "support/buf.h"
#include "support/map.h"

enum { BODY_SLOTS = 16 }; // described slots of any instruction

// The frame on the shadow stack (shadow.c).
typedef struct Shadow {
    uint32_t size; // bytes, a multiple of the convention's alignment; 0 = there is no frame
    bool moves;    // the stack pointer is moved: the function calls
    bool checks;   // against the stack limit
    uint32_t base; // local: the frame's address
    // Operand slot (MO_SLOT) -> what is added to the address when it is pushed: its instruction cannot take it.
    Map far;
} Shadow;

typedef struct Body {
    Ctx *ctx;
    Arena *tmp; // dies with the machine code
    Arena *out; // the Code's
    MFunc *m;
    const Target *t;
    const StackMachine *s;
    const StackPlan *plan;
    const Flow *flow;
    Code *code;
    TrapStyle traps;
    Buf bytes;
    Shadow shadow;
    uint32_t dispatch; // local: number of the node to go to
    uint32_t trap_sym, sp_sym;
    uint32_t trap_type; // number in Code.types
} Body;

// ---- put.c: single instructions -----------------------------------------------------------------------------

static inline uint32_t body_at(const Body *b) { return b->bytes.bytes.n; }
// Appends an instruction with these described slots. `type`: number of the type that an indirect call wants.
void put_inst(Body *b, uint16_t mop, const MOpnd *slots, uint32_t type);
bool put_fits(const Body *b, uint16_t mop, const MOpnd *slots);
// Bytes of an instruction whose immediates are 0.
unsigned put_size(const Body *b, uint16_t mop);
void put_plain(Body *b, uint16_t mop);
void put_imm(Body *b, uint16_t mop, int64_t imm);      // its immediate
void put_label(Body *b, uint16_t mop, uint32_t depth); // its label
void put_sym(Body *b, uint16_t mop, uint32_t sym, int64_t addend);
void put_address(Body *b, int64_t value); // the constant
// For what is appended next: a row of the line table, a site.
void put_line(Body *b, uint32_t srcloc);
void put_site(Body *b, unsigned kind, unsigned trap, uint32_t srcloc);
void put_trap(Body *b, uint8_t trap, uint32_t srcloc);
// The slot of the displacement that belongs to the frame slot in slot k of an instruction: a part of a composite
// operand, or the immediate that an address is computed with. NONE: there is none.
unsigned put_displacement(const Body *b, uint16_t mop, const MOpnd *slots, unsigned k);

// ---- shadow.c: the frame --------------------------------------------------------------------------------------

// Decides what the frame is; `next` is the first free local. Returns the next one.
uint32_t shadow_plan(Body *b, uint32_t next);
void shadow_enter(Body *b);
void shadow_leave(Body *b); // in front of a return or tail call
// The address that operand slot `slot` of MFunc.slots_pool stands for, as far as it is pushed.
void shadow_push(Body *b, uint32_t slot);
// Replaces frame slots among the described slots of an instruction by what is left for its displacement.
void shadow_lower(const Body *b, const MInst *i, MOpnd *slots);

#endif
