// Operands that an instruction of the machine may not be able to hold: places in large frames.
//
// Theory. Selection sees to the constants of a program. What it cannot see is where the frame's slots end up, so the
// distance of a slot from sp meets the instruction here. An instruction that cannot hold it gets the address in a
// register:
//
//     ld a0, 70000(sp)      becomes      lui t6, 17; add t6, sp, t6; ld a0, 368(t6)
//
// The code of a constant is what selection makes of an `iconst` (select_constant()), so that nothing about it is known
// here. Machines whose displacements hold every frame (1 GiB) never come here and need no Target.op_add.
//
// Invariants. The allocator's moves use the first scratch register of a file, and may hold a value in it across other
// moves; addresses are made in the last one. Nothing here changes the flags: a description's constants and additions of
// this kind do not (target.h).
#include "emit/state.h"
#include "select/select.h"
#include "support/bits.h"

// A register for an address: not the first, in which moves keep values, even across other moves (regalloc/moves.c).
static unsigned address_reg(const Emit *e, RegSet taken) {
    unsigned reg = mach_scratch(e->t, taken); // the last one
    if (reg == NO_REG) return NO_REG;
    for (unsigned r = 0; r < reg; r++)
        if (regset_has(e->t->scratch, r) && e->t->regs[r].file == e->t->regs[reg].file) return reg;
    return NO_REG;
}

static unsigned scratch_reg(Emit *e, RegSet taken) {
    unsigned reg = address_reg(e, taken);
    if (reg == NO_REG) ctx_fail(e->ctx, VTR_ERR_UNSUPPORTED, "%s: no scratch register for a large frame", e->t->name);
    return reg;
}

static void constant(Emit *e, unsigned reg, int64_t value) {
    const MFunc *code = select_constant(e->tmp, e->t, value);
    const MBlock *block = &code->blocks.v[0];
    for (uint32_t k = 0; k < block->n; k++) {
        const MInst *i = &code->insts.v[block->first + k];
        MOpnd slots[MACH_SLOTS];
        const MOpnd *from = minst_slots(code, i);
        for (unsigned s = 0; s < i->n_slots && s < MACH_SLOTS; s++) {
            slots[s] = from[s];
            if (from[s].kind != MO_VREG) continue;
            slots[s].kind = MO_PREG;
            slots[s].preg = (uint8_t)reg;
        }
        emit_inst(e, i->mop, slots);
    }
}

// Whether stress has it that the next operand that fits is treated as one that does not.
static bool squeezed(Emit *e) {
    const Stress *stress = e->m->stress;
    return stress && stress->squeeze && stress_choice(stress, ++e->squeezes, 0) % 4 == 0;
}

static void offset_through(Emit *e, unsigned dst, unsigned base, int64_t amount) {
    unsigned temp = dst;
    if (dst == base || dst == e->t->sp) {
        RegSet taken = {{0, 0}};
        regset_add(&taken, dst);
        regset_add(&taken, base);
        temp = scratch_reg(e, taken);
    }
    constant(e, temp, amount);
    Mach sum = mach_sum(e->t, dst, base, temp);
    if (sum.mop == NO_MOP) ctx_bug(e->ctx, "emit: %s cannot add %lld", e->t->name, (long long)amount);
    emit_mach(e, &sum);
}

void emit_offset(Emit *e, unsigned dst, unsigned base, int64_t amount) {
    Mach x;
    bool squeeze = e->t->op_add != NO_MOP && squeezed(e) && dst != base && dst != e->t->sp;
    if (!squeeze && mach_offset(e->t, dst, base, amount, &x)) emit_mach(e, &x);
    else offset_through(e, dst, base, amount);
}

void emit_sp(Emit *e, int64_t amount, bool step) {
    unsigned sp = e->t->sp;
    if (amount == 0) return;
    Mach x;
    bool squeeze = e->t->op_add != NO_MOP && squeezed(e);
    if (!squeeze && mach_offset(e->t, sp, sp, amount, &x)) emit_mach(e, &x);
    else offset_through(e, sp, sp, amount);
    if (step) emit_step(e, amount < 0 ? STEP_ALLOC : STEP_FREE, NO_REG, amount < 0 ? -amount : amount);
}

// What of `at` the instruction itself can hold, when what is left ends in 12 zeros: such constants are shorter.
static int64_t near_part(Emit *e, uint16_t mop, MOpnd *slots, unsigned disp, int64_t at) {
    int64_t parts[2] = {at & 4095, bit_sext((uint64_t)at, 12)};
    for (unsigned k = 0; k < 2; k++) {
        Encoded code[4];
        slots[disp].imm = parts[k];
        if (mach_encode(e->t, mop, slots, e->m->features, code)) return parts[k];
    }
    return 0;
}

Mark emit_placed(Emit *e, uint16_t mop, MOpnd *slots, unsigned base, unsigned disp, int64_t at) {
    Mark start = emit_mark(e);
    RegSet taken = {{0, 0}};
    for (unsigned k = 0; k < e->t->insts[mop].n_slots; k++)
        if (slots[k].kind == MO_PREG) regset_add(&taken, slots[k].preg);
    bool may_fit = disp != NONE || at == 0;
    bool squeeze = may_fit && squeezed(e) && address_reg(e, taken) != NO_REG;
    if (may_fit && !squeeze && emit_try(e, mop, slots)) return start;
    unsigned reg = scratch_reg(e, taken);
    int64_t near = disp != NONE ? near_part(e, mop, slots, disp, at) : 0;
    emit_offset(e, reg, slots[base].preg, at - near);
    slots[base].preg = (uint8_t)reg;
    if (disp != NONE) slots[disp].imm = near;
    start = emit_mark(e);
    emit_inst(e, mop, slots);
    return start;
}

void emit_access(Emit *e, Mach x) {
    const InstDesc *desc = &e->t->insts[x.mop];
    for (unsigned k = 0; k < desc->n_opnds; k++) {
        unsigned at = desc->opnds[k].slot;
        if (desc->opnds[k].type != OT_COMPOSITE) continue;
        (void)emit_placed(e, x.mop, x.slots, at + 1, at + 2, x.slots[at + 2].imm);
        return;
    }
    emit_mach(e, &x);
}
