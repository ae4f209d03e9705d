// Single machine instructions made from the roles of a target record: what prologues, moves and thunks consist of.
#ifndef VTR_EMIT_MACH_H
#define VTR_EMIT_MACH_H

#include "select/target.h"

enum { MACH_SLOTS = 16 };

// One instruction with physical operands, ready for Target.encode.
typedef struct Mach {
    uint16_t mop; // NO_MOP: nothing to emit, or (mach_load, mach_store) no such instruction
    MOpnd slots[MACH_SLOTS];
} Mach;

// The class of registers that hold an address.
static inline unsigned mach_word_class(const Target *t) { return t->type_class[target_ptr_type(t)]; }
static inline unsigned mach_word(const Target *t) { return t->word_bits / 8u; }
// The first class with `reg` in it that can be loaded and stored, or NO_CLASS.
unsigned mach_reg_class(const Target *t, unsigned reg);

Mach mach_copy(const Target *t, unsigned cls, unsigned dst, unsigned src); // NO_MOP when dst = src
// `bytes` is 1, 2, 4 or 8; the next larger access is taken where the machine has none of that size.
Mach mach_load(const Target *t, unsigned cls, unsigned bytes, unsigned dst, unsigned base, int64_t disp);
Mach mach_store(const Target *t, unsigned cls, unsigned bytes, unsigned src, unsigned base, int64_t disp);
// Any load- or store-like instruction (register, memory).
Mach mach_mem(const Target *t, unsigned mop, unsigned reg, unsigned base, int64_t disp);
// dst = base + amount in one instruction. False when there is none; nothing to emit (NO_MOP) is an answer, too.
bool mach_offset(const Target *t, unsigned dst, unsigned base, int64_t amount, Mach *out);
// dst = a + b; a and b differ, and dst is neither or b. NO_MOP when the machine has no such role.
Mach mach_sum(const Target *t, unsigned dst, unsigned a, unsigned b);
Mach mach_reg(const Target *t, unsigned mop, unsigned reg); // push, pop, jump or call through a register
Mach mach_regs(const Target *t, unsigned mop, unsigned a, unsigned b);
Mach mach_sym(const Target *t, unsigned mop, uint32_t sym);  // call or jump to a symbol
Mach mach_addr(const Target *t, unsigned reg, uint32_t sym); // the absolute address of a symbol
Mach mach_imm(const Target *t, unsigned mop, int64_t imm);   // op_ret_pop
Mach mach_plain(unsigned mop);                               // without operands

// Bytes and fixups of an instruction, or of the last row of a relax pseudo; how many instructions these are, 0 when an
// operand does not fit.
unsigned mach_encode(const Target *t, unsigned mop, const MOpnd *slots, uint64_t features, Encoded out[4]);
bool mach_fits(const Target *t, const Mach *x);
// The register that holds the return address at a function's entry, or NO_REG when calls push it.
unsigned mach_link(const Target *t);
// A register of the word class that the allocator never hands out and that is not in `taken`, or NO_REG.
unsigned mach_scratch(const Target *t, RegSet taken);

// A register that may be changed at a function's entry: not preserved, not an argument's, not in `avoid`.
// NO_REG when there is none.
unsigned mach_entry_scratch(const Target *t, const Abi *abi, RegSet avoid);

#endif
