// Frames: where things stand on the stack, prologue and epilogue.
//
// Theory. The frame is addressed from the stack pointer, which does not move between prologue and epilogue. From
// low to high addresses (the stack grows down):
//
//     sp ->  outgoing stack arguments (MSLOT_OUT_ARG)
//            locals and spill slots   (MSLOT_LOCAL, MSLOT_SPILL)
//            registers stored, not pushed
//            registers pushed, the first pushed highest
//     ret -> return address
//            incoming stack arguments (MSLOT_IN_ARG)
//     top -> the caller's frame
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
// An ordinary return removes the enlarged area.
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

// Splits the preserved registers that must be saved into pushed and stored ones; returns the bytes of the latter.
static uint32_t saved_regs(Emit *e) {
    const Target *t = e->t;
    const RegClass *word = &t->classes[mach_word_class(t)];
    Frame *f = &e->frame;
    uint32_t stored = 0;
    for (unsigned r = 0; r < t->n_regs; r++) {
        if (!regset_has(e->m->abi->preserved, r) || r == t->sp) continue;
        if (!e->m->saves_all && !regset_has(e->m->used, r)) continue;
        if (t->op_push != NO_MOP && regset_has(word->regs, r)) {
            regset_add(&f->pushed, r);
            continue;
        }
        unsigned cls = mach_reg_class(t, r);
        if (cls == NO_CLASS) continue; // flags and the like
        regset_add(&f->stored, r);
        stored += t->classes[cls].save_size ? t->classes[cls].save_size : 8u;
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

void frame_layout(Emit *e) {
    MFunc *m = e->m;
    Frame *f = &e->frame;
    const Abi *abi = m->abi;
    uint32_t word = abi->link == NO_REG ? mach_word(e->t) : 0; // what a call pushes
    uint32_t align = abi->stack_align;
    uint32_t stored = saved_regs(e);
    uint32_t slot_align = 1;
    uint32_t end = place_slots(e, m->out_arg_size, &slot_align);
    f->stored_at = round_up(end, stored ? align : 1);
    uint32_t size = f->stored_at + stored;
    uint32_t pushes = regset_count(f->pushed) * mach_word(e->t);
    uint32_t above = word + pushes;
    if (m->has_calls || slot_align > mach_word(e->t) || stored) size = round_up(above + size, align) - above;
    else size = round_up(size, mach_word(e->t));
    check_size(e, (uint64_t)size + above + m->in_arg_size + m->tail_arg_size);
    bool red = !m->has_calls && m->out_arg_size == 0 && stored == 0 && size <= abi->red_zone;
    f->alloc = red ? 0 : size;
    if (red)
        for (uint32_t k = 0; k < m->slots.n; k++)
            if (m->slots.v[k].kind <= MSLOT_SPILL) m->slots.v[k].offset -= (int32_t)size;
    f->arg_area = m->callee_pops ? (m->tail_arg_size > m->in_arg_size ? m->tail_arg_size : m->in_arg_size) : 0;
    f->grow = m->callee_pops ? f->arg_area - m->in_arg_size : 0;
    f->ret = f->alloc + pushes;
    f->top = f->ret + word + f->arg_area;
    f->in_base = f->ret + word + f->grow;
    f->trap_pad = has_trap(m) ? round_up(f->alloc + above, align) - (f->alloc + above) : 0;
    place_args(e);
}

// ---- prologue ----------------------------------------------------------------------------------

static void emit_step(Emit *e, FrameStepKind kind, unsigned reg, int64_t amount) {
    vec_push(e->out, &e->code->steps,
             (FrameStep){.kind = (uint8_t)kind, .reg = (uint8_t)reg, .amount = (int32_t)amount});
    vec_push(e->tmp, &e->step_marks, emit_mark(e));
}

static void mach1(Emit *e, Mach x) { emit_mach(e, &x); }

// Stores or restores the registers that are not pushed.
static void stored_regs(Emit *e, bool save) {
    const Target *t = e->t;
    uint32_t at = e->frame.stored_at;
    for (unsigned r = 0; r < t->n_regs; r++) {
        if (!regset_has(e->frame.stored, r)) continue;
        unsigned c = mach_reg_class(t, r);
        const RegClass *cls = &t->classes[c];
        if (cls->save_size) mach1(e, mach_mem(t, save ? cls->save : cls->restore, r, t->sp, at));
        else mach1(e, save ? mach_store(t, c, 8, r, t->sp, at) : mach_load(t, c, 8, r, t->sp, at));
        if (save) emit_step(e, STEP_SAVE, r, at);
        at += cls->save_size ? cls->save_size : 8u;
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
    if (at == NO_REG) mach1(e, mach_load(t, cls, mach_word(t), dst, t->sp, mach_word(t) + (int64_t)offset));
    else if (chain.n == 0 || f->globals.v[vec_last(&chain)].kind != GV_LOAD) mach1(e, mach_copy(t, cls, dst, at));
    unsigned base = at == NO_REG ? dst : at;
    while (chain.n) {
        const GlobalValue *g = &f->globals.v[chain.v[--chain.n]];
        if (g->kind == GV_LOAD) mach1(e, mach_load(t, cls, mach_word(t), dst, base, g->offset));
        else mach1(e, mach_add(t, dst, g->offset));
        base = dst;
    }
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
    const Relax *branch = t->op_cmp != t->op_branch ? emit_relax_of(e, t->op_branch) : NULL;
    if (limit == NO_REG || low == NO_REG || !branch)
        ctx_fail(e->ctx, VTR_ERR_UNSUPPORTED, "stack_limit on %s with this calling convention", t->name);
    entry_global(e, m->ir->stack_limit, limit);
    mach1(e, mach_mem(t, t->op_lea, low, t->sp, -(int64_t)(f->ret + f->grow)));
    mach1(e, mach_regs(t, t->op_cmp, low, limit));
    MOpnd *slots = NEW_ARRAY(e->tmp, MOpnd, MACH_SLOTS);
    const InstDesc *desc = &t->insts[t->op_branch];
    for (unsigned k = 0; k < desc->n_opnds; k++) {
        bool label = desc->opnds[k].type == OT_LABEL;
        slots[desc->opnds[k].slot] =
            label ? (MOpnd){.kind = MO_BLOCK, .imm = m->blocks.n} : (MOpnd){.kind = MO_IMM, .imm = t->cond_below};
    }
    e->overflow_block = m->blocks.n;
    emit_branch(e, branch, slots, e->overflow_block);
}

// Moves the return address from [sp + from] to [sp + to].
static void move_return(Emit *e, unsigned scratch, int64_t from, int64_t to) {
    unsigned cls = mach_word_class(e->t);
    mach1(e, mach_load(e->t, cls, mach_word(e->t), scratch, e->t->sp, from));
    mach1(e, mach_store(e->t, cls, mach_word(e->t), scratch, e->t->sp, to));
}

void frame_prologue(Emit *e) {
    const Target *t = e->t;
    Frame *f = &e->frame;
    stack_check(e);
    if (f->grow) {
        unsigned scratch = mach_entry_scratch(t, e->m->abi, (RegSet){{0, 0}});
        if (scratch == NO_REG) ctx_fail(e->ctx, VTR_ERR_UNSUPPORTED, "%s: no register to grow the frame with", t->name);
        mach1(e, mach_sp(t, -(int64_t)f->grow));
        emit_step(e, STEP_ALLOC, NO_REG, f->grow);
        move_return(e, scratch, f->grow, 0);
        emit_step(e, STEP_RETURN, NO_REG, -(int64_t)f->grow - mach_word(t));
    }
    for (unsigned r = 0; r < t->n_regs; r++) {
        if (!regset_has(f->pushed, r)) continue;
        mach1(e, mach_reg(t, t->op_push, r));
        emit_step(e, STEP_PUSH, r, 0);
    }
    if (f->alloc) {
        mach1(e, mach_sp(t, -(int64_t)f->alloc));
        emit_step(e, STEP_ALLOC, NO_REG, f->alloc);
    }
    stored_regs(e, true);
}

void frame_epilogue(Emit *e, uint32_t area) {
    const Target *t = e->t;
    Frame *f = &e->frame;
    emit_step(e, STEP_REMEMBER, NO_REG, 0);
    stored_regs(e, false);
    if (f->alloc) {
        mach1(e, mach_sp(t, f->alloc));
        emit_step(e, STEP_FREE, NO_REG, f->alloc);
    }
    for (unsigned r = t->n_regs; r-- > 0;) {
        if (!regset_has(f->pushed, r)) continue;
        mach1(e, mach_reg(t, t->op_pop, r));
        emit_step(e, STEP_POP, r, 0);
    }
    if (!e->m->callee_pops || area == f->arg_area) return;
    unsigned scratch = mach_entry_scratch(t, e->m->abi, (RegSet){{0, 0}});
    if (scratch == NO_REG) ctx_fail(e->ctx, VTR_ERR_UNSUPPORTED, "%s: no register for a tail call", t->name);
    uint32_t up = f->arg_area - area;
    move_return(e, scratch, 0, up);
    emit_step(e, STEP_RETURN, NO_REG, (int64_t)up - f->grow - mach_word(t));
    mach1(e, mach_sp(t, up));
    emit_step(e, STEP_FREE, NO_REG, up);
}

// ---- traps -------------------------------------------------------------------------------------

static uint32_t trap_symbol(Emit *e) {
    if (e->trap_sym == NONE) {
        e->trap_sym = e->m->syms.n;
        vec_push(e->tmp, &e->m->syms, (MSym){.name = {.kind = NAME_TEXT, .text = "__vtr_trap"}});
    }
    return e->trap_sym;
}

// A trap: `ret` and `top` as seen from sp before `pad` is subtracted.
void frame_trap_call(Emit *e, uint8_t trap, uint32_t srcloc, uint32_t pad, uint32_t ret, uint32_t top) {
    CodeSite site = {.kind = SITE_TRAP, .trap = trap, .srcloc = srcloc, .ret = ret, .top = top};
    if (e->traps == TRAPS_INSN) {
        vec_push(e->out, &e->code->sites, site);
        vec_push(e->tmp, &e->site_marks, emit_mark(e));
        mach1(e, mach_plain(e->t->op_trap));
        return;
    }
    site.ret += pad;
    site.top += pad;
    mach1(e, mach_sp(e->t, -(int64_t)pad));
    mach1(e, mach_sym(e->t, e->t->op_call, trap_symbol(e)));
    vec_push(e->out, &e->code->sites, site);
    vec_push(e->tmp, &e->site_marks, emit_mark(e));
}

void frame_overflow_stub(Emit *e) {
    uint32_t word = e->m->abi->link == NO_REG ? mach_word(e->t) : 0;
    uint32_t align = e->m->abi->stack_align;
    e->labels[e->overflow_block] = emit_mark(e);
    // Nothing is saved yet: the return address is at sp. What steps the last block left do not hold here, and the
    // entry's state does: an unwinder never sees this stub but through the trap's own walk.
    frame_trap_call(e, TRAP_stk_ovf, NONE, round_up(word, align) - word, 0,
                    word + (e->m->callee_pops ? e->m->in_arg_size : 0));
}
