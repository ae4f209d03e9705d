// What the generated selectors call: matching helpers, values to virtual registers, emission of machine code.
// select.c opens with the theory.
#ifndef VTR_SELECT_SEL_H
#define VTR_SELECT_SEL_H

#include "select/abi.h"
#include "select/select.h"
#include "support/bits.h"

// What the driver knows of an IR block.
typedef struct SelBlock {
    bool reached;
    uint32_t mblock; // its machine block, NONE = not reached
    uint32_t calls;  // its terminator's block calls in Sel.calls
} SelBlock;

// A block call of a terminator.
typedef struct SelCall {
    uint32_t edge;         // the block call whose edge it shares, or itself
    uint32_t to;           // IR block
    uint32_t split;        // machine block of the edge when it is critical, else NONE
    uint32_t args, n_args; // run of vregs in MFunc.lists
} SelCall;

typedef struct Sel {
    Ctx *ctx;
    Arena *tmp; // freed at the end of selection
    Func *f;
    MFunc *m;
    const Target *t;
    uint64_t features;
    bool fold;
    AbiSig abi;       // of the function itself
    uint32_t area;    // vreg of the hidden return area's address, NONE = not asked for or none
    SelBlock *blocks; // by IR block
    VEC(SelCall) calls;
    uint32_t first_trap;  // machine blocks from here on are trap blocks
    uint32_t *vregs;      // IR value -> vreg, NONE = nobody asked for it
    uint8_t *uses;        // IR value -> number of uses, saturating at 2
    uint32_t *order;      // IR instruction -> barriers before it in its block
    Bits covered;         // IR instructions that another one's rule defined
    Bits zeros;           // IR values above which their registers have zeros (Target.zeros)
    uint32_t n_zeros;     // values that this says something of
    uint32_t cap_values;  // of vregs and uses
    uint32_t cap_insts;   // of order and covered
    Inst root;            // the instruction being selected
    Inst access;          // whose memory flags the accesses of the group have: the root or a covered load
    const char *rule;     // the rule that was taken, for the dump
    VEC(MInst) group;     // machine instructions of the root, in program order
    VEC(MInst) reversed;  // of the block, last first
    VEC(uint32_t) merged; // vreg -> vreg it is another name of, or itself
    // MFunc.slots of the argument areas and of the area for results in memory, NONE = not made yet.
    uint32_t in_slot, out_slot, area_slot;
    uint32_t *slots;    // IR stack slot -> MFunc.slots
    uint16_t *clobbers; // by Target.abis: index into MFunc.clobbers, 0 = not made yet
    Map syms;           // key of a symbol -> MFunc.syms
    Map tails;          // size of a tail callee's area -> MFunc.slots
    Map sites;          // trap code and source location -> MBlock
    Map types;          // hash of a function type -> MFunc.types
    Map consts;         // hash of a constant's bytes -> MFunc.syms
    Buf *trace;         // `-d select`, or NULL
} Sel;

// ---- matching: looks, and changes nothing -------------------------------------------------------

static inline bool sel_has(const Sel *s, uint64_t features) { return (s->features & features) == features; }
static inline InstData *sel_data(const Sel *s, Inst i) { return &s->f->insts.v[i.i]; }
static inline Value sel_arg(const Sel *s, Inst i, unsigned k) { return inst_arg(s->f, i, k); }
static inline Type sel_type(const Sel *s, Value v) { return value_type(s->f, v); }
static inline Op sel_op(const Sel *s, Inst i) { return (Op)s->f->insts.v[i.i].op; }

// Whether stress has it that `x` (a constant's instruction, a displacement) is not taken in by the root.
bool sel_squeezed(const Sel *s, uint64_t x);
// Is v an integer constant that may become part of an instruction? Its value, sign-extended from its type.
bool sel_const(const Sel *s, Value v, int64_t *c);
// The instruction that defines v, if it may become part of the root's rule, else NO_INST. It may when
//   * it is repeatable: a constant, an address of a slot or symbol, a sum with a constant, a compare of the root's
//     block; or
//   * v is its only result, used once, in the root's block, and it is pure; or
//   * it is such a load and nothing between it and the root writes memory, calls or can trap.
Inst sel_fold(const Sel *s, Value v);
// The same for an instruction with several results of which the rule will define all.
Inst sel_fold_multi(const Sel *s, Value v, unsigned result);

// Does a register that holds v have zeros above it?
static inline bool sel_zeros(const Sel *s, Value v) {
    v = func_value(s->f, v);
    return v.i < s->n_zeros && bits_has(s->zeros, v.i);
}

// Is i an instruction with this opcode and controlling type?
static inline bool sel_is(const Sel *s, Inst i, Op op, Type type) {
    return inst_ok(i) && s->f->insts.v[i.i].op == op && s->f->insts.v[i.i].type == type;
}
// The constant of an iconst, sign-extended from its type.
static inline int64_t sel_imm_of(const Sel *s, Inst i) {
    const InstData *d = sel_data(s, i);
    return bit_sext((uint64_t)d->imm, type_bits((Type)d->type));
}
static inline bool sel_fits_signed(int64_t c, unsigned bits) { return bit_sext((uint64_t)c, bits) == c; }
static inline bool sel_fits_unsigned(int64_t c, unsigned bits) { return bit_zext((uint64_t)c, bits) == (uint64_t)c; }
// As a field that is exactly as wide as the operand: both readings will do.
static inline bool sel_fits_bits(int64_t c, unsigned bits) {
    return sel_fits_signed(c, bits) || sel_fits_unsigned(c, bits);
}
static inline bool sel_is_power(int64_t c) { return bit_popcount64((uint64_t)c) == 1; }
static inline int64_t sel_log2(int64_t c) { return bit_ctz64((uint64_t)c); }
static inline int64_t sel_top(int64_t c) { return c ? 63 - bit_clz64((uint64_t)c) : 0; }

// What a matched condition bound; an arm knows the meaning of the fields it filled.
typedef struct SelMatch {
    unsigned arm;
    Inst n[4];
    Value v[6];
    int64_t c[4];
} SelMatch;
// The condition codes that decide, after put_cond() put the flags.
typedef struct SelCond {
    uint8_t cc, cc2;
} SelCond;

// ---- taking a rule ------------------------------------------------------------------------------

// Says which rule was taken (for the dump) and starts emission.
void sel_take(Sel *s, const char *rule);
// `i` is part of the taken rule; if it has an effect or another result, nothing else will select it.
void sel_cover(Sel *s, Inst i);

// The register that holds v; asks for v to be computed.
uint32_t sel_use(Sel *s, Value v);
// The register that result k of i goes to; a new one when nobody asked for it.
uint32_t sel_result(Sel *s, Inst i, unsigned k);
// The same, of which at least `size` bytes matter: a rule reads more of it than its type has.
uint32_t sel_result_of(Sel *s, Inst i, unsigned k, unsigned size);
uint32_t sel_temp(Sel *s, unsigned cls, unsigned size);
// Result k of i is what v is: no instruction at all. Only when a register of v serves as it is.
void sel_rename(Sel *s, Inst i, unsigned k, Value v);
void sel_rename_reg(Sel *s, Inst i, unsigned k, uint32_t vreg);

// Appends a machine instruction to the group. The slots are those of its description; the caller fills each.
// The pointer is good until the next call.
MOpnd *sel_inst(Sel *s, uint16_t mop, unsigned n_slots);

static inline MOpnd sel_def(uint32_t vreg, uint8_t cls, uint8_t fixed) {
    return (MOpnd){.kind = MO_VREG, .role = ROLE_DEF, .cls = cls, .fixed = fixed, .reg = vreg};
}
static inline MOpnd sel_def_early(uint32_t vreg, uint8_t cls, uint8_t fixed) {
    return (MOpnd){.kind = MO_VREG, .role = ROLE_DEF_EARLY, .cls = cls, .fixed = fixed, .reg = vreg};
}
// In the place of a vreg that is read: a register that always reads the same (its number below this bit).
#define SEL_PREG UINT32_C(0x80000000)
static inline MOpnd sel_in(uint32_t vreg, uint8_t cls, uint8_t fixed) {
    if (vreg & SEL_PREG)
        return (MOpnd){
            .kind = MO_PREG, .role = ROLE_USE, .cls = cls, .fixed = NO_REG, .preg = (uint8_t)vreg, .reg = NONE};
    return (MOpnd){.kind = MO_VREG, .role = ROLE_USE, .cls = cls, .fixed = fixed, .reg = vreg};
}
static inline MOpnd sel_tied(uint32_t vreg, uint8_t cls, uint8_t fixed) {
    return (MOpnd){.kind = MO_VREG, .role = ROLE_USE, .cls = cls, .fixed = fixed, .tied = 1, .reg = vreg};
}
static inline MOpnd sel_preg(uint8_t role, uint8_t cls, uint8_t preg) {
    return (MOpnd){.kind = MO_PREG, .role = role, .cls = cls, .fixed = NO_REG, .preg = preg, .reg = NONE};
}
static inline MOpnd sel_imm(int64_t imm) { return (MOpnd){.kind = MO_IMM, .fixed = NO_REG, .reg = NONE, .imm = imm}; }
static inline MOpnd sel_form(unsigned form) {
    return (MOpnd){.kind = MO_FORM, .fixed = NO_REG, .reg = NONE, .imm = form};
}
static inline MOpnd sel_block(uint32_t mblock) {
    return (MOpnd){.kind = MO_BLOCK, .fixed = NO_REG, .reg = NONE, .imm = mblock};
}
static inline MOpnd sel_slot(uint32_t slot, uint8_t cls, int64_t offset) {
    return (MOpnd){.kind = MO_SLOT, .role = ROLE_NONE, .cls = cls, .fixed = NO_REG, .reg = slot, .imm = offset};
}
static inline MOpnd sel_sym(uint32_t sym, int64_t addend) {
    return (MOpnd){.kind = MO_SYM, .fixed = NO_REG, .reg = sym, .imm = addend};
}

// ---- what operands may name -----------------------------------------------------------------------

// The machine block that the root's k-th block call leads to (the block of the edge when it was split).
uint32_t sel_target(Sel *s, unsigned k);
// The trap block for `code` at the root's source location.
uint32_t sel_trap_block(Sel *s, uint8_t code);
// Symbols: of a function or global value of the IR, of the root's jump table (entry k for each target in text order
// after the default, which comes last).
uint32_t sel_sym_func(Sel *s, uint32_t func);
uint32_t sel_sym_global(Sel *s, uint32_t global);
uint32_t sel_stack_slot(Sel *s, uint32_t slot); // MFunc.slots of an IR stack slot
uint32_t sel_sym_table(Sel *s);
// `n` bytes (8 or 16, aligned to n; or 4) that start with these bits, the rest 0.
uint32_t sel_sym_bits(Sel *s, int64_t bits, unsigned n);

// ---- addresses (address.c) ----------------------------------------------------------------------------

// A composite operand to be put: the form's number and parts.
typedef struct SelMem {
    uint8_t form, n;
    MOpnd part[4];
} SelMem;
void sel_put_mem(MOpnd *o, const SelMem *m);

// A form of a composite operand as an address: base + (index << shift) + displacement, of which it may lack each, or
// the distance of a symbol. Numbers of parts count from 1, 0 = there is none.
typedef enum SelExtend { SEL_INDEX_WORD, SEL_INDEX_ZEXT, SEL_INDEX_SEXT } SelExtend; // the latter: of its low 32 bits
typedef struct SelAddrForm {
    uint8_t form, n; // number, and of parts
    uint8_t base, index, scale, disp, symbol;
    uint8_t min_shift, max_shift; // of the index; they differ where a part (scale) says
    uint8_t extend;               // SelExtend of the index
    uint8_t base_cls, index_cls;
    uint16_t disp_kind; // Target.imms of the displacement
    uint64_t most;      // the greatest displacement of a base that is no slot, 0 = what the kind holds
} SelAddrForm;
// The address p + offset in one of `n` forms, of which one is base + displacement or base alone.
SelMem sel_mem(Sel *s, Value p, int64_t offset, const SelAddrForm *forms, unsigned n);

// ---- opcodes that are the same on every machine (abi.c) ---------------------------------------------

void sel_call(Sel *s, Inst i);   // call, call_indirect, return_call, return_call_indirect
void sel_return(Sel *s, Inst i); // return
// Of a stack machine: the number of a signature's type in MFunc.types.
uint32_t sel_func_type(Sel *s, const Sig *sig);
void sel_entry(Sel *s); // arrival of the arguments, in front of block 0
void sel_jump(Sel *s);  // jump: the root
void sel_jump_to(Sel *s, uint32_t mblock);
void sel_trap(Sel *s, Inst i); // trap

// Finds out what sel_zeros() says (zeros.c).
void sel_find_zeros(Sel *s);

// Makes an instruction that is not in the layout and part of what is being selected: nothing may be folded into it but
// constants. sel_spot_one() selects it as part of the root's group.
Inst sel_spot(Sel *s, const InstData *data);
void sel_spot_one(Sel *s, Inst i);
// A value for what a register holds that is no value of the IR.
Value sel_spot_value(Sel *s, uint32_t vreg, Type type);
// p + offset, selected as part of the root's group (address.c).
Value sel_spot_sum(Sel *s, Value p, int64_t offset);

#endif
