#include "emit/mach.h"

#include <string.h>

static MOpnd preg(unsigned reg) { return (MOpnd){.kind = MO_PREG, .preg = (uint8_t)reg, .reg = NONE, .fixed = NO_REG}; }

static Mach mach_new(unsigned mop) {
    Mach x;
    memset(&x, 0, sizeof x);
    x.mop = (uint16_t)mop;
    return x;
}

// Puts a register into the operand number k; an inout operand has it in both of its slots.
static void set_reg(const Target *t, Mach *x, unsigned k, unsigned reg) {
    const InstDesc *desc = &t->insts[x->mop];
    if (k >= desc->n_opnds) return;
    const OpndDesc *o = &desc->opnds[k];
    for (unsigned s = 0; s < o->n_slots && o->slot + s < MACH_SLOTS; s++) x->slots[o->slot + s] = preg(reg);
}

static MOpnd *slot_of(const Target *t, Mach *x, unsigned k) { return &x->slots[t->insts[x->mop].opnds[k].slot]; }

static void set_mem(const Target *t, Mach *x, unsigned k, unsigned base, int64_t disp) {
    MOpnd *o = slot_of(t, x, k);
    o[0] = (MOpnd){.kind = MO_FORM, .imm = t->mem_form};
    o[1] = preg(base);
    o[2] = (MOpnd){.kind = MO_IMM, .imm = disp};
}

unsigned mach_reg_class(const Target *t, unsigned reg) {
    for (unsigned c = 0; c < t->n_classes; c++) {
        const RegClass *cls = &t->classes[c];
        if (regset_has(cls->regs, reg) && (cls->load[3] != NO_MOP || cls->save_size)) return c;
    }
    return NO_CLASS;
}

Mach mach_copy(const Target *t, unsigned cls, unsigned dst, unsigned src) {
    if (dst == src) return mach_new(NO_MOP);
    return mach_regs(t, t->classes[cls].copy, dst, src);
}

static unsigned access_index(const uint16_t ops[4], unsigned bytes) {
    unsigned k = bytes <= 1 ? 0 : bytes <= 2 ? 1 : bytes <= 4 ? 2 : 3;
    while (k < 3 && ops[k] == NO_MOP) k++;
    return k;
}

Mach mach_mem(const Target *t, unsigned mop, unsigned reg, unsigned base, int64_t disp) {
    Mach x = mach_new(mop);
    if (mop == NO_MOP) return x;
    const InstDesc *desc = &t->insts[mop];
    for (unsigned k = 0; k < desc->n_opnds; k++) {
        if (desc->opnds[k].type == OT_REG) set_reg(t, &x, k, reg);
        else if (desc->opnds[k].type == OT_COMPOSITE) set_mem(t, &x, k, base, disp);
    }
    return x;
}

Mach mach_load(const Target *t, unsigned cls, unsigned bytes, unsigned dst, unsigned base, int64_t disp) {
    const uint16_t *ops = t->classes[cls].load;
    return mach_mem(t, ops[access_index(ops, bytes)], dst, base, disp);
}

Mach mach_store(const Target *t, unsigned cls, unsigned bytes, unsigned src, unsigned base, int64_t disp) {
    const uint16_t *ops = t->classes[cls].store;
    return mach_mem(t, ops[access_index(ops, bytes)], src, base, disp);
}

static bool is_first(const InstDesc *desc, unsigned k) { return k == 0 || desc->opnds[k].type != OT_REG; }

// (inout, imm), (out, in, imm) or (out, mem).
static bool try_offset(const Target *t, unsigned mop, unsigned dst, unsigned base, int64_t amount, Mach *out) {
    if (mop == NO_MOP) return false;
    const InstDesc *desc = &t->insts[mop];
    *out = mach_new(mop);
    for (unsigned k = 0; k < desc->n_opnds; k++) {
        const OpndDesc *o = &desc->opnds[k];
        if (o->inout && dst != base) return false;
        if (o->type == OT_REG) set_reg(t, out, k, is_first(desc, k) ? dst : base);
        else if (o->type == OT_COMPOSITE) set_mem(t, out, k, base, amount);
        else *slot_of(t, out, k) = (MOpnd){.kind = MO_IMM, .imm = amount};
    }
    return mach_fits(t, out);
}

bool mach_offset(const Target *t, unsigned dst, unsigned base, int64_t amount, Mach *out) {
    *out = mach_copy(t, mach_word_class(t), dst, base);
    if (amount == 0 && (dst == base || mach_fits(t, out))) return true;
    if (amount < 0 && t->op_sp_sub != NO_MOP && try_offset(t, t->op_sp_sub, dst, base, -amount, out)) return true;
    return try_offset(t, t->op_sp_add, dst, base, amount, out) || try_offset(t, t->op_lea, dst, base, amount, out);
}

Mach mach_sum(const Target *t, unsigned dst, unsigned a, unsigned b) {
    Mach x = mach_new(t->op_add);
    if (t->op_add == NO_MOP) return x;
    bool two = t->insts[t->op_add].opnds[0].inout;
    set_reg(t, &x, 0, dst);
    set_reg(t, &x, 1, two && dst == b ? a : two ? b : a);
    if (!two) set_reg(t, &x, 2, b);
    return x;
}

Mach mach_reg(const Target *t, unsigned mop, unsigned reg) {
    Mach x = mach_new(mop);
    set_reg(t, &x, 0, reg);
    return x;
}

Mach mach_regs(const Target *t, unsigned mop, unsigned a, unsigned b) {
    Mach x = mach_new(mop);
    set_reg(t, &x, 0, a);
    set_reg(t, &x, 1, b);
    return x;
}

Mach mach_sym(const Target *t, unsigned mop, uint32_t sym) {
    Mach x = mach_new(mop);
    *slot_of(t, &x, t->insts[mop].n_opnds - 1u) = (MOpnd){.kind = MO_SYM, .reg = sym};
    return x;
}

Mach mach_addr(const Target *t, unsigned reg, uint32_t sym) {
    Mach x = mach_sym(t, t->op_load_addr, sym);
    set_reg(t, &x, 0, reg);
    return x;
}

Mach mach_imm(const Target *t, unsigned mop, int64_t imm) {
    Mach x = mach_new(mop);
    *slot_of(t, &x, 0) = (MOpnd){.kind = MO_IMM, .imm = imm};
    return x;
}

Mach mach_plain(unsigned mop) { return mach_new(mop); }

static const Relax *relax_of(const Target *t, unsigned mop) {
    for (unsigned k = 0; k < t->n_relaxes; k++)
        if (t->relaxes[k].mop == mop) return &t->relaxes[k];
    return NULL;
}

unsigned mach_encode(const Target *t, unsigned mop, const MOpnd *slots, uint64_t features, Encoded out[4]) {
    if (!(t->insts[mop].flags & MD_RELAX)) {
        memset(out, 0, sizeof *out);
        return t->encode((uint16_t)mop, slots, features, out) ? 1 : 0;
    }
    const Relax *relax = relax_of(t, mop);
    memset(out, 0, 4 * sizeof *out);
    return relax->rows[relax->n_rows - 1].expand(slots, features, out);
}

bool mach_fits(const Target *t, const Mach *x) {
    Encoded code;
    memset(&code, 0, sizeof code);
    return x->mop != NO_MOP && t->encode(x->mop, x->slots, 0, &code);
}

unsigned mach_link(const Target *t) { return t->n_abis ? t->abis[0].link : NO_REG; }

// Words live in one register file; classes leave some of it out.
static bool holds_words(const Target *t, unsigned reg) {
    const RegSet *words = &t->classes[mach_word_class(t)].regs;
    unsigned member = 0;
    while (member < t->n_regs && !regset_has(*words, member)) member++;
    return member < t->n_regs && t->regs[member].file == t->regs[reg].file;
}

unsigned mach_scratch(const Target *t, RegSet taken) {
    unsigned reg = t->n_regs;
    while (reg-- > 0)
        if (regset_has(t->scratch, reg) && !regset_has(taken, reg) && holds_words(t, reg)) return reg;
    return NO_REG;
}

unsigned mach_entry_scratch(const Target *t, const Abi *abi, RegSet avoid) {
    const RegClass *cls = &t->classes[mach_word_class(t)];
    for (unsigned k = 0; k < abi->n_int_args; k++) regset_add(&avoid, abi->int_args[k]);
    if (abi->variadic_count != NO_REG) regset_add(&avoid, abi->variadic_count);
    if (abi->sret_result != NO_REG) regset_add(&avoid, abi->sret_result);
    if (abi->sret_arg != NO_REG) regset_add(&avoid, abi->sret_arg);
    if (abi->link != NO_REG) regset_add(&avoid, abi->link);
    regset_add(&avoid, t->sp);
    // Registers kept out of allocation first: nothing else can want them.
    for (unsigned r = 0; r < t->n_regs; r++)
        if (regset_has(t->scratch, r) && !regset_has(avoid, r) && holds_words(t, r)) return r;
    for (unsigned r = 0; r < t->n_regs; r++)
        if (regset_has(cls->allocatable, r) && !regset_has(avoid, r) && !regset_has(abi->preserved, r)) return r;
    return NO_REG;
}
