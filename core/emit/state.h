// What the files of emission share: the function being emitted and how bytes are appended to it.
#ifndef VTR_EMIT_STATE_H
#define VTR_EMIT_STATE_H

#include "emit/code.h"
#include "emit/mach.h"

// A place in code whose branches have no size yet: so many bytes of other instructions, and so many branches, come
// before it. relax.c turns it into an offset.
typedef struct Mark {
    uint32_t bytes;
    uint32_t branches;
} Mark;

// A relax pseudo that names a place in this function.
typedef struct Branch {
    uint32_t bytes;     // bytes of other instructions before it
    uint32_t target;    // a block, or
    bool is_sym;        // an MFunc.syms entry (data or table)
    const Relax *relax; // its rows
    const MOpnd *slots; // of the pseudo
    uint8_t row, size;  // the row chosen so far, and its bytes
} Branch;

// A field of an ordinary instruction that refers to a place in this function.
typedef struct LocalRef {
    Mark start; // of the instruction
    uint8_t at; // offset of the field in it
    uint8_t reloc;
    bool is_sym; // target is an MFunc.syms entry (data or table), else a block
    uint32_t target;
    int64_t addend;
    uint8_t back; // Fixup.back
} LocalRef;

// The frame (frame.c has the picture). All offsets count from sp after the prologue.
typedef struct Frame {
    RegSet pushed;      // preserved registers that are pushed
    RegSet stored;      // preserved registers, and the link register, that are stored into the frame
    uint32_t stored_at; // where the first of them is
    uint32_t alloc;     // bytes that the prologue subtracts after the pushes, in all
    uint32_t later;     // of these, what it subtracts after it stored registers (0 or stored_at)
    uint32_t depth;     // from sp to what it was at the entry
    uint32_t ret;       // where the return address is, NONE = in the link register
    uint32_t top;       // the caller's sp before it passed arguments (callee pops) or made the call (otherwise)
    uint32_t in_base;   // where MSLOT_IN_ARG begins
    uint32_t arg_area;  // callee pops: bytes from where the callee's argument area may begin to top
    uint32_t grow;      // bytes by which the prologue enlarges the argument area for tail calls
    uint32_t trap_pad;  // bytes a trap stub subtracts so that the call in it is aligned
} Frame;

typedef struct Emit {
    Ctx *ctx;
    Arena *tmp; // MFunc's arena
    MFunc *m;
    const Target *t;
    Code *code;
    Arena *out;
    TrapStyle traps;
    Frame frame;
    VEC(uint8_t) bytes; // of everything but branches
    VEC(Branch) branches;
    VEC(LocalRef) refs;
    VEC(Mark) site_marks, step_marks, line_marks, reloc_marks; // one for each Code.sites, steps, lines, relocs
    Mark *labels;                                              // by block
    uint32_t *forward;                                         // by block: where a jump to it ends up
    uint32_t *sym_at;                                          // by symbol: offset in the data part, NONE = external
    int32_t *locals;         // by number of IR stack slot: offset from sp, INT32_MIN = no code uses it
    uint32_t trap_sym;       // MFunc.syms number of CODE_TRAP, NONE = not made yet
    uint32_t squeezes;       // decisions of Stress.squeeze so far
    uint32_t overflow_block; // number of the stack-overflow stub: one past MFunc.blocks; NONE = none
} Emit;

static inline Mark emit_mark(const Emit *e) { return (Mark){e->bytes.n, e->branches.n}; }

// Appends one instruction, or the last row of a relax pseudo over a symbol; throws VTR_ERR_INTERNAL when it cannot be
// encoded, having appended nothing.
void emit_mach(Emit *e, const Mach *x);
void emit_inst(Emit *e, uint16_t mop, const MOpnd *slots);
bool emit_try(Emit *e, uint16_t mop, const MOpnd *slots); // false instead

// legal.c: what may be out of range. None of these changes the flags or a register but the results and scratch ones.
// dst = base + amount, whatever the amount.
void emit_offset(Emit *e, unsigned dst, unsigned base, int64_t amount);
// sp += amount; `step` is recorded behind each instruction that moves sp.
void emit_sp(Emit *e, int64_t amount, bool step);
// A load or store (mach_load, mach_store, mach_mem), with the address in a scratch register if need be.
void emit_access(Emit *e, Mach x);
// Appends an instruction whose slot `base` holds the stack pointer and whose slot `disp` (NONE: there is none) holds an
// offset from it, or should; `at` is that of the address. Returns where the instruction itself starts.
Mark emit_placed(Emit *e, uint16_t mop, MOpnd *slots, unsigned base, unsigned disp, int64_t at);
// Appends a relaxable branch; slots live as long as the MFunc.
void emit_branch(Emit *e, const Relax *relax, const MOpnd *slots, uint32_t block);
const Relax *emit_relax_of(const Emit *e, uint16_t mop);
// The slot of a branch pseudo's label, or NULL when the instruction is none that goes to a block.
MOpnd *emit_label(const Emit *e, const MInst *i);

// layout.c: the live blocks in the order to write them in.
uint32_t *emit_layout(Emit *e, const bool *live, uint32_t *n);

// frame.c
void emit_step(Emit *e, FrameStepKind kind, unsigned reg, int64_t amount);
void frame_layout(Emit *e);
void frame_prologue(Emit *e);
// Undoes the frame. `area` is the size of the stack argument area that is to remain above sp and a pushed return
// address: at a return, what op_ret_pop removes; at a tail call, the callee's.
void frame_epilogue(Emit *e, uint32_t area);
// The stub of the prologue's stack check; to be called once, after all blocks, when overflow_block is set.
void frame_overflow_stub(Emit *e);
// A trap. `ret` and `top`: see CodeSite; `pad` bytes are subtracted from sp first so that a call is aligned.
void frame_trap_call(Emit *e, uint8_t trap, uint32_t srcloc, uint32_t pad, uint32_t ret, uint32_t top);

// relax.c
// Chooses the rows of all branches, then writes the code into Code.bytes and resolves marks and local references.
void emit_finish(Emit *e);

#endif
