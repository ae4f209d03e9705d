// Frames: where things stand on the stack, prologue and epilogue.
//
// Theory. The frame is addressed from the stack pointer, which does not move between prologue and epilogue. From
// low to high addresses (the stack grows down):
//
//     sp ->  outgoing stack arguments (MSLOT_OUT_ARG)
//            locals and spill slots   (MSLOT_LOCAL, MSLOT_SPILL)
//            registers stored, not pushed; the link register among them
//            registers pushed, the first pushed highest
//     ret -> return address, where calls push it
//            incoming stack arguments (MSLOT_IN_ARG)
//     top -> the caller's frame
//
// Link registers (Abi.link). The return address arrives in a register. A function that calls, or uses the register for
// something else, stores it like a preserved register and reloads it in front of its return; one that does neither
// leaves it where it is, and its trap stubs, which do call, store it first: a check costs a leaf nothing unless it
// fails. sp moves once. Only where the registers' places would be out of a store's reach it moves twice: by what the
// stored registers take, then, after they are stored, by the rest.
//
// A function that calls nothing and whose slots fit the convention's red zone does not move sp for them: the slots
// have negative offsets. A call in such a function is only ever that of a trap stub, after which nothing is read.
//
// Tail calls (convention `tail`: the callee removes its stack arguments). The argument area of a chain of tail calls
// ends at one address, `top`, which is where its caller's sp returns to; where the area begins differs from callee to
// callee. So MSLOT_TAIL_ARG slots, and the return address below them, are placed by the *size* of the callee's area:
//
//     own area 16 bytes, callee's 48:      entry          after the prologue      at the jump
//                                   top ->                 top ->                  top ->
//                                          own area        own area                callee's area
//                                          return address  (32 bytes more)         (48 bytes)
//                                                          return address          return address <- sp
//
// The prologue moves the return address down by `grow` = the largest callee's area minus the own one, before anything
// is pushed, so that writing the callee's arguments never overwrites it. The epilogue of a tail call moves it up again
// when this callee's area is smaller than the space made. A chain of any length uses the stack of its largest member.
// An ordinary return removes the enlarged area. With a link register there is nothing to be moved: `grow` is part of
// what the prologue subtracts, and the epilogue puts sp at the callee's area.
//
// The stack check (Func.stack_limit) comes before everything else, when sp still is the entry's: it compares
// sp - (size of the frame) with the limit, so that a frame of any size is refused before it touches memory.
//
// Invariants: sp + trap_pad is aligned for a call at every instruction after the prologue; every CodeSite says where
// return address and top are as seen from sp there; steps are recorded at the offset behind the instruction they tell
// of.
#include "emit/state.h"
#include "select/abi.h"
#include "support/bits.h"

static uint32_t round_up(uint32_t x, uint32_t align) { return (x + align - 1) / align * align; }

// ---- layout ------------------------------------------------------------------------------------

enum { FRAME_MAX = 1 << 30 };

static void check_size(Emit *e, uint64_t size) {
    if (size > FRAME_MAX) ctx_fail(e->ctx, VTR_ERR_LIMIT, "the stack frame exceeds 1 GiB");
}

// Gives the locals and spill slots places from `at` on; returns the end. *align becomes the largest alignment.
static uint32_t place_slots(Emit *e, uint32_t at, uint32_t *align) {
    MFunc *m = e->m;
    for (uint32_t k = 0; k < m->slots.n; k++) {
        MSlot *slot = &m->slots.v[k];
        if (slot->kind != MSLOT_LOCAL && slot->kind != MSLOT_SPILL) continue;
        uint32_t want = slot->align ? slot->align : 1;
        uint32_t size = slot->size;
        if (slot->kind == MSLOT_SPILL) {
            // A spill may be stored with an access that is wider than the value.
            size = round_up(size, mach_word(e->t));
            if (want < mach_word(e->t)) want = mach_word(e->t);
        }
        if (want > e->m->abi->stack_align)
            ctx_fail(e->ctx, VTR_ERR_UNSUPPORTED, "stack slot aligned to %u bytes; %s stacks are aligned to %u", want,
                     e->t->name, e->m->abi->stack_align);
        if (want > *align) *align = want;
        check_size(e, (uint64_t)at + size + want);
        at = round_up(at, want);
        slot->offset = (int32_t)at;
        at += size;
    }
    return at;
}

static bool saves_link(const Emit *e) {
    const MFunc *m = e->m;
    return m->abi->link != NO_REG && (m->has_calls || m->saves_all || regset_has(m->used, m->abi->link));
}

static uint32_t stored_size(const Emit *e, unsigned reg) {
    uint32_t size = e->t->classes[mach_reg_class(e->t, reg)].save_size;
    return size ? size : 8u;
}

// Splits the preserved registers that must be saved into pushed and stored ones; returns the bytes of the latter.
static uint32_t saved_regs(Emit *e) {
    const Target *t = e->t;
    const RegClass *word = &t->classes[mach_word_class(t)];
    Frame *f = &e->frame;
    uint32_t stored = 0;
    for (unsigned r = 0; r < t->n_regs; r++) {
        bool is_link = r == e->m->abi->link;
        if (is_link ? !saves_link(e) : !regset_has(e->m->abi->preserved, r) || r == t->sp) continue;
        if (!is_link && !e->m->saves_all && !regset_has(e->m->used, r)) continue;
        if (t->op_push != NO_MOP && regset_has(word->regs, r)) {
            regset_add(&f->pushed, r);
            continue;
        }
        if (mach_reg_class(t, r) == NO_CLASS) continue; // flags and the like
        regset_add(&f->stored, r);
        stored += stored_size(e, r);
    }
    return stored;
}

static unsigned regset_count(RegSet s) { return bit_popcount64(s.w[0]) + bit_popcount64(s.w[1]); }

static bool has_trap(const MFunc *m) {
    for (uint32_t k = 0; k < m->insts.n; k++)
        if (m->insts.v[k].flags & MI_TRAP) return true;
    return false;
}

static void place_args(Emit *e) {
    Frame *f = &e->frame;
    MFunc *m = e->m;
    for (uint32_t k = 0; k < m->slots.n; k++) {
        MSlot *slot = &m->slots.v[k];
        if (slot->kind == MSLOT_IN_ARG) slot->offset = (int32_t)f->in_base;
        else if (slot->kind == MSLOT_OUT_ARG) slot->offset = 0;
        else if (slot->kind == MSLOT_TAIL_ARG) slot->offset = (int32_t)(f->top - slot->size);
    }
}

static Mach store_reg(const Emit *e, unsigned reg, uint32_t at) {
    unsigned cls = mach_reg_class(e->t, reg);
    const RegClass *c = &e->t->classes[cls];
    return c->save_size ? mach_mem(e->t, c->save, reg, e->t->sp, at) : mach_store(e->t, cls, 8, reg, e->t->sp, at);
}

static Mach reload_reg(const Emit *e, unsigned reg, uint32_t at) {
    unsigned cls = mach_reg_class(e->t, reg);
    const RegClass *c = &e->t->classes[cls];
    return c->save_size ? mach_mem(e->t, c->restore, reg, e->t->sp, at) : mach_load(e->t, cls, 8, reg, e->t->sp, at);
}

// Whether every stored register can be stored at its place without a detour.
static bool stores_reach(Emit *e) {
    uint32_t at = e->frame.stored_at;
    for (unsigned r = 0; r < e->t->n_regs; r++) {
        if (!regset_has(e->frame.stored, r)) continue;
        Mach x = store_reg(e, r, at);
        if (!mach_fits(e->t, &x)) return false;
        at += stored_size(e, r);
    }
    return true;
}

// What follows when the return address arrives in a register.
static void layout_link(Emit *e) {
    Frame *f = &e->frame;
    const MFunc *m = e->m;
    uint32_t size = f->alloc;
    f->alloc += f->grow;
    f->depth = f->alloc;
    f->in_base = f->alloc;
    f->top = f->alloc + (m->callee_pops ? m->in_arg_size : 0);
    f->later = size && !stores_reach(e) ? f->stored_at : 0;
    f->ret = NONE;
    uint32_t at = f->stored_at;
    for (unsigned r = 0; r < e->t->n_regs; r++) {
        if (!regset_has(f->stored, r)) continue;
        if (r == m->abi->link) f->ret = at;
        at += stored_size(e, r);
    }
}

void frame_layout(Emit *e) {
    MFunc *m = e->m;
    Frame *f = &e->frame;
    const Abi *abi = m->abi;
    bool link = abi->link != NO_REG;
    uint32_t word = link ? 0 : mach_word(e->t); // what a call pushes
    uint32_t align = abi->stack_align;
    uint32_t stored = saved_regs(e);
    uint32_t slot_align = 1;
    uint64_t start = (uint64_t)m->out_arg_size + (m->stress ? round_up(m->stress->frame, align) : 0);
    check_size(e, start);
    uint32_t end = place_slots(e, (uint32_t)start, &slot_align);
    f->stored_at = round_up(end, stored ? align : 1);
    uint32_t size = f->stored_at + stored;
    uint32_t pushes = regset_count(f->pushed) * mach_word(e->t);
    uint32_t above = word + pushes;
    if (link || m->has_calls || slot_align > mach_word(e->t) || stored) size = round_up(above + size, align) - above;
    else size = round_up(size, mach_word(e->t));
    check_size(e, (uint64_t)size + above + m->in_arg_size + m->tail_arg_size);
    bool red = !m->has_calls && m->out_arg_size == 0 && stored == 0 && size <= abi->red_zone;
    f->alloc = red ? 0 : size;
    if (red)
        for (uint32_t k = 0; k < m->slots.n; k++)
            if (m->slots.v[k].kind <= MSLOT_SPILL) m->slots.v[k].offset -= (int32_t)size;
    e->code->pops = m->callee_pops ? m->in_arg_size : 0;
    f->arg_area = m->callee_pops ? (m->tail_arg_size > m->in_arg_size ? m->tail_arg_size : m->in_arg_size) : 0;
    f->grow = m->callee_pops ? f->arg_area - m->in_arg_size : 0;
    f->ret = f->alloc + pushes;
    f->depth = f->ret + f->grow;
    f->top = f->ret + word + f->arg_area;
    f->in_base = f->ret + word + f->grow;
    f->trap_pad = has_trap(m) ? round_up(f->alloc + above, align) - (f->alloc + above) : 0;
    if (link) layout_link(e);
    place_args(e);
}

// ---- prologue ----------------------------------------------------------------------------------

void emit_step(Emit *e, FrameStepKind kind, unsigned reg, int64_t amount) {
    vec_push(e->out, &e->code->steps,
             (FrameStep){.kind = (uint8_t)kind, .reg = (uint8_t)reg, .amount = (int32_t)amount});
    vec_push(e->tmp, &e->step_marks, emit_mark(e));
}

static void mach1(Emit *e, Mach x) { emit_mach(e, &x); }

// Stores or restores the registers that are not pushed; `below`: bytes that sp is above its place after the prologue.
static void stored_regs(Emit *e, bool save, uint32_t below) {
    uint32_t at = e->frame.stored_at - below;
    for (unsigned r = 0; r < e->t->n_regs; r++) {
        if (!regset_has(e->frame.stored, r)) continue;
        emit_access(e, save ? store_reg(e, r, at) : reload_reg(e, r, at));
        emit_step(e, save ? STEP_SAVE : STEP_RELOAD, r, at);
        at += stored_size(e, r);
    }
}

// Where the vmctx parameter is at entry: a register, or (with NO_REG) an offset from the first stack argument.
static unsigned find_vmctx(Emit *e, uint32_t *offset) {
    const Sig *sig = &e->m->ir->sig;
    AbiSig place = abi_place(e->tmp, e->t, sig);
    for (uint32_t k = 0; k < sig->n_params; k++)
        if (sig->params[k].purpose == PURPOSE_VMCTX) {
            *offset = place.params[k].offset;
            return place.params[k].reg;
        }
    ctx_fail(e->ctx, VTR_ERR_INPUT, "stack_limit needs a vmctx parameter");
}

// Computes global value `gv` into register `dst` at the function's entry. A chain is walked from its end (the vmctx)
// to its head; it is as long as the input made it, so it is turned round in an array first.
static void entry_global(Emit *e, uint32_t gv, unsigned dst) {
    const Target *t = e->t;
    const Func *f = e->m->ir;
    unsigned cls = mach_word_class(t);
    VEC(uint32_t) chain = {0};
    while (f->globals.v[gv].kind == GV_LOAD || f->globals.v[gv].kind == GV_IADD_IMM) {
        vec_push(e->tmp, &chain, gv);
        gv = f->globals.v[gv].base;
        if (chain.n > f->globals.n) ctx_fail(e->ctx, VTR_ERR_INPUT, "gv%u depends on itself", gv);
    }
    if (f->globals.v[gv].kind != GV_VMCTX) ctx_fail(e->ctx, VTR_ERR_UNSUPPORTED, "stack_limit from anything but vmctx");
    uint32_t offset = 0;
    unsigned at = find_vmctx(e, &offset);
    unsigned pushed = e->m->abi->link == NO_REG ? mach_word(t) : 0; // by the call
    if (at == NO_REG) emit_access(e, mach_load(t, cls, mach_word(t), dst, t->sp, pushed + (int64_t)offset));
    else if (chain.n == 0 || f->globals.v[vec_last(&chain)].kind != GV_LOAD) mach1(e, mach_copy(t, cls, dst, at));
    unsigned base = at == NO_REG ? dst : at;
    while (chain.n) {
        const GlobalValue *g = &f->globals.v[chain.v[--chain.n]];
        if (g->kind == GV_LOAD) emit_access(e, mach_load(t, cls, mach_word(t), dst, base, g->offset));
        else emit_offset(e, dst, dst, g->offset);
        base = dst;
    }
}

// Branches to the overflow stub when register `low` is below `limit`.
static void branch_below(Emit *e, unsigned low, unsigned limit) {
    const Target *t = e->t;
    unsigned regs[2] = {low, limit};
    unsigned n = 0;
    MOpnd *slots = NEW_ARRAY(e->tmp, MOpnd, MACH_SLOTS);
    const InstDesc *desc = &t->insts[t->op_branch];
    if (t->op_cmp != NO_MOP) mach1(e, mach_regs(t, t->op_cmp, low, limit));
    for (unsigned k = 0; k < desc->n_opnds; k++) {
        const OpndDesc *o = &desc->opnds[k];
        if (o->type == OT_LABEL) slots[o->slot] = (MOpnd){.kind = MO_BLOCK, .imm = e->overflow_block};
        else if (o->type == OT_IMM) slots[o->slot] = (MOpnd){.kind = MO_IMM, .imm = t->cond_below};
        else if (o->type == OT_REG && n < 2)
            slots[o->slot] = (MOpnd){.kind = MO_PREG, .preg = (uint8_t)regs[n++], .reg = NONE, .fixed = NO_REG};
    }
    emit_branch(e, emit_relax_of(e, t->op_branch), slots, e->overflow_block);
}

static void stack_check(Emit *e) {
    const MFunc *m = e->m;
    const Target *t = e->t;
    Frame *f = &e->frame;
    if (!m->ir || m->ir->stack_limit == NONE || (f->alloc == 0 && f->grow == 0 && !m->has_calls)) return;
    unsigned limit = mach_entry_scratch(t, m->abi, (RegSet){{0, 0}});
    RegSet avoid = {{0, 0}};
    if (limit != NO_REG) regset_add(&avoid, limit);
    unsigned low = mach_entry_scratch(t, m->abi, avoid);
    if (limit == NO_REG || low == NO_REG || t->op_branch == NO_MOP)
        ctx_fail(e->ctx, VTR_ERR_UNSUPPORTED, "stack_limit on %s with this calling convention", t->name);
    e->overflow_block = m->blocks.n;
    entry_global(e, m->ir->stack_limit, limit);
    emit_offset(e, low, t->sp, -(int64_t)f->depth);
    branch_below(e, low, limit);
}

// Moves the return address from [sp + from] to [sp + to].
static void move_return(Emit *e, unsigned scratch, int64_t from, int64_t to) {
    unsigned cls = mach_word_class(e->t);
    mach1(e, mach_load(e->t, cls, mach_word(e->t), scratch, e->t->sp, from));
    mach1(e, mach_store(e->t, cls, mach_word(e->t), scratch, e->t->sp, to));
}

// Enlarges the argument area below which the return address stands.
static void grow_area(Emit *e) {
    const Target *t = e->t;
    Frame *f = &e->frame;
    unsigned scratch = mach_entry_scratch(t, e->m->abi, (RegSet){{0, 0}});
    if (scratch == NO_REG) ctx_fail(e->ctx, VTR_ERR_UNSUPPORTED, "%s: no register to grow the frame with", t->name);
    emit_sp(e, -(int64_t)f->grow, true);
    move_return(e, scratch, f->grow, 0);
    emit_step(e, STEP_RETURN, NO_REG, -(int64_t)f->grow - mach_word(t));
}

void frame_prologue(Emit *e) {
    const Target *t = e->t;
    Frame *f = &e->frame;
    stack_check(e);
    if (f->grow && e->m->abi->link == NO_REG) grow_area(e);
    for (unsigned r = 0; r < t->n_regs; r++) {
        if (!regset_has(f->pushed, r)) continue;
        mach1(e, mach_reg(t, t->op_push, r));
        emit_step(e, STEP_PUSH, r, 0);
    }
    emit_sp(e, -(int64_t)(f->alloc - f->later), true);
    stored_regs(e, true, f->later);
    emit_sp(e, -(int64_t)f->later, true);
}

// Shrinks or removes what grow_area() made.
static void shrink_area(Emit *e, uint32_t area) {
    const Target *t = e->t;
    unsigned scratch = mach_entry_scratch(t, e->m->abi, (RegSet){{0, 0}});
    if (scratch == NO_REG) ctx_fail(e->ctx, VTR_ERR_UNSUPPORTED, "%s: no register for a tail call", t->name);
    uint32_t up = e->frame.arg_area - area;
    move_return(e, scratch, 0, up);
    emit_step(e, STEP_RETURN, NO_REG, (int64_t)up - e->frame.grow - mach_word(t));
    emit_sp(e, up, true);
}

void frame_epilogue(Emit *e, uint32_t area) {
    const Target *t = e->t;
    Frame *f = &e->frame;
    bool link = e->m->abi->link != NO_REG;
    uint32_t free = f->alloc - f->later;
    if (link && e->m->callee_pops) free += f->arg_area - f->grow - area; // may be below what sp was at the entry
    emit_step(e, STEP_REMEMBER, NO_REG, 0);
    emit_sp(e, f->later, true);
    stored_regs(e, false, f->later);
    emit_sp(e, free, true);
    for (unsigned r = t->n_regs; r-- > 0;) {
        if (!regset_has(f->pushed, r)) continue;
        mach1(e, mach_reg(t, t->op_pop, r));
        emit_step(e, STEP_POP, r, 0);
    }
    if (!link && e->m->callee_pops && area != f->arg_area) shrink_area(e, area);
}

// ---- traps -------------------------------------------------------------------------------------

static uint32_t trap_symbol(Emit *e) {
    if (e->trap_sym == NONE) {
        e->trap_sym = e->m->syms.n;
        vec_push(e->tmp, &e->m->syms, (MSym){.name = name_of(CODE_TRAP)});
    }
    return e->trap_sym;
}

// A trap: `ret` and `top` as seen from sp before `pad` is subtracted.
void frame_trap_call(Emit *e, uint8_t trap, uint32_t srcloc, uint32_t pad, uint32_t ret, uint32_t top) {
    const Target *t = e->t;
    CodeSite site = {.kind = SITE_TRAP, .trap = trap, .srcloc = srcloc, .ret = ret, .top = top};
    if (e->traps == TRAPS_INSN) {
        vec_push(e->out, &e->code->sites, site);
        vec_push(e->tmp, &e->site_marks, emit_mark(e));
        mach1(e, mach_plain(t->op_trap));
        return;
    }
    bool in_link = ret == NONE;
    if (in_link) pad += e->m->abi->stack_align;
    site.ret = in_link ? 0 : ret + pad;
    site.top += pad;
    emit_sp(e, -(int64_t)pad, true);
    if (in_link) {
        emit_access(e, store_reg(e, e->m->abi->link, 0));
        emit_step(e, STEP_SAVE, e->m->abi->link, 0);
    }
    mach1(e, mach_sym(t, t->op_call, trap_symbol(e)));
    // For the code behind: the call does not return.
    if (in_link) emit_step(e, STEP_RELOAD, e->m->abi->link, 0);
    if (pad) emit_step(e, STEP_FREE, NO_REG, pad);
    vec_push(e->out, &e->code->sites, site);
    vec_push(e->tmp, &e->site_marks, emit_mark(e));
}

void frame_overflow_stub(Emit *e) {
    bool link = e->m->abi->link != NO_REG;
    uint32_t word = link ? 0 : mach_word(e->t);
    uint32_t align = e->m->abi->stack_align;
    e->labels[e->overflow_block] = emit_mark(e);
    // Nothing is saved yet: the return address is at sp or in the link register.
    emit_step(e, STEP_ENTRY, NO_REG, 0);
    frame_trap_call(e, TRAP_stk_ovf, NONE, round_up(word, align) - word, link ? NONE : 0,
                    word + (e->m->callee_pops ? e->m->in_arg_size : 0));
}
