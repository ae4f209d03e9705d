// Emission: allocated machine code -> bytes, relocations, sites, lines, frame steps.
//
// Theory. One walk over the blocks in the order of layout.c appends encoded instructions; branches to blocks
// are kept apart, without a size, until relax.c has chosen their forms. Before that walk, jumps are tidied:
//   * a block that only jumps on is skipped by everything that jumps to it (`forward`), and left out when nothing
//     reaches it any more;
//   * at the end of a block, a branch to the block that follows is dropped, and of `jcc A; jmp B` with A following,
//     the condition is inverted and the jump dropped.
// The allocator's pseudo moves become loads, stores and copies; MO_SLOT operands become sp plus displacement
// (legal.c, where that is out of range).
//
// Invariants: an instruction is appended whole or not at all; every Mark is taken between instructions; sites rise.
// Whoever adds a pseudo instruction expands it in emit_one() and nowhere else.
#include "emit/state.h"

#include <string.h>

// ---- appending ---------------------------------------------------------------------------------

static void append_reloc(Emit *e, Mark start, const Fixup *fix, const MOpnd *o) {
    const MSym *sym = &e->m->syms.v[o->reg];
    int64_t addend = fix->addend + o->imm;
    if (sym->is_data || sym->table) {
        vec_push(e->tmp, &e->refs, (LocalRef){start, fix->at, fix->reloc, true, o->reg, addend, fix->back});
        return;
    }
    CodeReloc reloc = {fix->at, fix->reloc, name_copy(e->out, sym->name), addend, sym->colocated, fix->back, 0};
    vec_push(e->out, &e->code->relocs, reloc);
    vec_push(e->tmp, &e->reloc_marks, start);
}

bool emit_try(Emit *e, uint16_t mop, const MOpnd *slots) {
    Encoded code[4];
    unsigned n = mach_encode(e->t, mop, slots, e->m->features, code);
    for (unsigned j = 0; j < n; j++) {
        Mark start = emit_mark(e);
        memcpy(vec_extend(e->tmp, &e->bytes, code[j].n), code[j].bytes, code[j].n);
        for (unsigned k = 0; k < code[j].n_fixups; k++) {
            const Fixup *fix = &code[j].fixups[k];
            const MOpnd *o = &slots[fix->slot];
            if (o->kind != MO_BLOCK) append_reloc(e, start, fix, o);
            else
                vec_push(e->tmp, &e->refs,
                         (LocalRef){start, fix->at, fix->reloc, false, e->forward[o->imm], fix->addend, fix->back});
        }
    }
    return n != 0;
}

void emit_inst(Emit *e, uint16_t mop, const MOpnd *slots) {
    if (!emit_try(e, mop, slots))
        ctx_bug(e->ctx, "emit: %s instruction %s has an operand that cannot be encoded", e->t->name,
                e->t->insts[mop].name);
}

void emit_mach(Emit *e, const Mach *x) {
    if (x->mop != NO_MOP) emit_inst(e, x->mop, x->slots);
}

const Relax *emit_relax_of(const Emit *e, uint16_t mop) {
    for (unsigned k = 0; k < e->t->n_relaxes; k++)
        if (e->t->relaxes[k].mop == mop) return &e->t->relaxes[k];
    return NULL;
}

void emit_branch(Emit *e, const Relax *relax, const MOpnd *slots, uint32_t block) {
    vec_push(e->tmp, &e->branches, (Branch){.bytes = e->bytes.n, .target = block, .relax = relax, .slots = slots});
}

// Likewise what names data or a table of this function.
static void add_reference(Emit *e, const Relax *relax, const MOpnd *slots, uint32_t sym) {
    emit_branch(e, relax, slots, sym);
    vec_last(&e->branches).is_sym = true;
}

// ---- jump tidying ------------------------------------------------------------------------------

// The label of a relax pseudo, whatever it names; NULL when the instruction is none.
static MOpnd *relax_label(const Emit *e, const MInst *i) {
    if (mop_is_pseudo(i->mop) || (i->flags & MI_MOVE) || !(e->t->insts[i->mop].flags & MD_RELAX)) return NULL;
    const InstDesc *desc = &e->t->insts[i->mop];
    for (unsigned k = 0; k < desc->n_opnds; k++)
        if (desc->opnds[k].type == OT_LABEL) return &minst_slots(e->m, i)[desc->opnds[k].slot];
    return NULL;
}

MOpnd *emit_label(const Emit *e, const MInst *i) {
    MOpnd *o = relax_label(e, i);
    return o && o->kind == MO_BLOCK ? o : NULL;
}

// The block that b does nothing but jump to, or b.
static uint32_t jump_only(const Emit *e, uint32_t b) {
    const MBlock *block = &e->m->blocks.v[b];
    if (block->n != 1 || block->is_landing || b == 0) return b;
    const MInst *i = &e->m->insts.v[block->first];
    const MOpnd *label = i->mop == e->t->op_jump ? emit_label(e, i) : NULL;
    return label ? (uint32_t)label->imm : b;
}

// Fills `forward`. Chains are followed once and shortened for all on them; a cycle of empty blocks (an endless loop)
// forwards to one of its members.
static void thread_jumps(Emit *e) {
    uint32_t n = e->m->blocks.n;
    uint32_t *forward = e->forward;
    uint32_t *seen = NEW_ARRAY(e->tmp, uint32_t, n); // the walk (number + 1) that met the block
    for (uint32_t b = 0; b <= n; b++) forward[b] = NONE;
    forward[n] = n; // the overflow stub
    for (uint32_t b = 0; b < n; b++) {
        uint32_t at = b;
        while (forward[at] == NONE && seen[at] != b + 1) {
            seen[at] = b + 1;
            uint32_t next = jump_only(e, at);
            if (next == at) break;
            at = next;
        }
        uint32_t end = forward[at] == NONE ? at : forward[at];
        for (uint32_t x = b; forward[x] == NONE;) {
            uint32_t next = jump_only(e, x);
            forward[x] = end;
            x = next;
        }
    }
}

typedef struct Reach {
    Emit *e;
    bool *seen;
    VEC(uint32_t) work;
} Reach;

static void reach_block(Reach *r, uint32_t b) {
    b = r->e->forward[b];
    if (r->seen[b]) return;
    r->seen[b] = true;
    vec_push(r->e->tmp, &r->work, b);
}

static void reach_inst(Reach *r, const MInst *i, bool *tables) {
    const MFunc *m = r->e->m;
    const MOpnd *o = minst_slots(m, i);
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (o[k].kind == MO_BLOCK) reach_block(r, (uint32_t)o[k].imm);
        if (o[k].kind != MO_SYM || !m->syms.v[o[k].reg].table) continue;
        uint32_t table = m->syms.v[o[k].reg].table - 1;
        if (tables[table]) continue;
        tables[table] = true;
        for (uint32_t j = 0; j < m->tables.v[table].n; j++) reach_block(r, m->lists.v[m->tables.v[table].blocks + j]);
    }
}

// Which blocks have code that can be reached, not counting jump-only ones that were threaded away. A table none of
// whose users is reached is not written with places of its own: its entries forward to blocks that have no label
// and read as offset 0.
static bool *reachable(Emit *e) {
    MFunc *m = e->m;
    Reach r = {.e = e, .seen = NEW_ARRAY(e->tmp, bool, m->blocks.n + 1)};
    bool *tables = NEW_ARRAY(e->tmp, bool, m->tables.n);
    reach_block(&r, 0);
    for (uint32_t b = 0; b < m->blocks.n; b++)
        if (m->blocks.v[b].is_landing) reach_block(&r, b);
    while (r.work.n) {
        const MBlock *block = &m->blocks.v[r.work.v[--r.work.n]];
        for (uint32_t k = 0; k < block->n; k++) reach_inst(&r, &m->insts.v[block->first + k], tables);
    }
    return r.seen;
}

// How many of the block's instructions remain when branches that only lead to `next` are dropped.
static uint32_t tidy_end(Emit *e, const MBlock *block, uint32_t next) {
    MFunc *m = e->m;
    uint32_t n = block->n;
    for (;;) {
        if (n == 0) return n;
        MInst *last = &m->insts.v[block->first + n - 1];
        MOpnd *label = emit_label(e, last);
        if (!label) return n;
        if (e->forward[label->imm] == next) {
            n--;
            continue;
        }
        if (last->mop != e->t->op_jump || n < 2) return n;
        MInst *cond = last - 1;
        MOpnd *cond_label = emit_label(e, cond);
        if (!cond_label || !(cond->flags & MI_TERM) || cond->mop == e->t->op_jump) return n;
        if (e->forward[cond_label->imm] != next || !e->t->invert) return n;
        uint16_t opposite = e->t->invert(cond->mop, minst_slots(m, cond));
        if (opposite == NO_MOP) return n;
        cond->mop = opposite;
        cond_label->imm = label->imm;
        n--;
    }
}

// ---- instructions ------------------------------------------------------------------------------

static void emit_line(Emit *e, uint32_t srcloc) {
    CodeLine *last = e->code->lines.n ? &vec_last(&e->code->lines) : NULL;
    if (last ? last->srcloc == srcloc : srcloc == NONE) return;
    vec_push(e->out, &e->code->lines, (CodeLine){.srcloc = srcloc});
    vec_push(e->tmp, &e->line_marks, emit_mark(e));
}

static unsigned move_size(const Emit *e, const MOpnd *o) { return o->reg == NONE ? 8 : e->m->vregs.v[o->reg].size; }

// A move of the allocator: each side a register or a frame slot.
static void emit_move(Emit *e, const MOpnd *dst, const MOpnd *src) {
    const Target *t = e->t;
    if (dst->kind == MO_PREG && src->kind == MO_PREG) {
        Mach x = mach_copy(t, mach_reg_class(t, dst->preg), dst->preg, src->preg);
        emit_mach(e, &x);
    } else if (dst->kind == MO_PREG && src->kind == MO_SLOT) {
        int64_t at = e->m->slots.v[src->reg].offset + src->imm;
        emit_access(e, mach_load(t, mach_reg_class(t, dst->preg), move_size(e, dst), dst->preg, t->sp, at));
    } else if (dst->kind == MO_SLOT && src->kind == MO_PREG) {
        int64_t at = e->m->slots.v[dst->reg].offset + dst->imm;
        emit_access(e, mach_store(t, mach_reg_class(t, src->preg), move_size(e, src), src->preg, t->sp, at));
    } else {
        ctx_bug(e->ctx, "emit: a move between operands of kinds %u and %u", dst->kind, src->kind);
    }
}

// The slot of the displacement that belongs to the base register in slot k: a part of a composite operand, or the
// immediate that an address is computed with. NONE: there is none.
static unsigned displacement_of(const Emit *e, const MInst *i, unsigned k) {
    const InstDesc *d = &e->t->insts[i->mop];
    const MOpnd *o = minst_slots(e->m, i);
    for (unsigned p = 0; p < d->n_opnds; p++) {
        const OpndDesc *opnd = &d->opnds[p];
        if (opnd->type == OT_IMM && opnd->slot > k) return opnd->slot;
        if (opnd->type != OT_COMPOSITE || k <= opnd->slot || k >= opnd->slot + opnd->n_slots) continue;
        const FormDesc *form = &e->t->operands[opnd->kind].forms[o[opnd->slot].imm];
        return form->disp ? opnd->slot + form->disp : NONE;
    }
    return NONE;
}

// A place in the frame that an instruction names.
typedef struct FramePlace {
    unsigned base, disp; // slots, NONE = none
    int64_t at;
} FramePlace;

// Replaces a frame slot by the stack pointer and adds its place to the displacement. `out` has room for the described
// slots of any instruction.
static FramePlace lower_slots(Emit *e, const MInst *i, MOpnd *out) {
    const MOpnd *in = minst_slots(e->m, i);
    unsigned n = e->t->insts[i->mop].n_slots;
    FramePlace place = {NONE, NONE, 0};
    for (unsigned k = 0; k < n && k < i->n_slots; k++) {
        out[k] = in[k];
        if (in[k].kind == MO_VREG) ctx_bug(e->ctx, "emit: virtual register %u was not allocated", in[k].reg);
        if (in[k].kind == MO_SLOT && place.base != NONE)
            ctx_bug(e->ctx, "emit: two frame slots in %s", e->t->insts[i->mop].name);
        if (in[k].kind == MO_SLOT) place.base = k;
    }
    if (place.base == NONE) return place;
    const MOpnd *base = &in[place.base];
    out[place.base] = (MOpnd){.kind = MO_PREG, .role = base->role, .cls = base->cls, .fixed = NO_REG, .preg = e->t->sp};
    place.at = base->imm + e->m->slots.v[base->reg].offset;
    place.disp = displacement_of(e, i, place.base);
    if (place.disp != NONE) place.at = out[place.disp].imm += place.at;
    return place;
}

// The first slot after the described ones of a call: bytes of stack arguments the callee removes.
static uint32_t call_pop(const Emit *e, const MInst *i) {
    unsigned at = e->t->insts[i->mop].n_slots;
    const MOpnd *o = minst_slots(e->m, i);
    return at < i->n_slots && o[at].kind == MO_IMM ? (uint32_t)o[at].imm : 0;
}

static void emit_call_site(Emit *e, const MInst *i, uint32_t pop) {
    CodeSite site = {.kind = SITE_CALL, .srcloc = i->srcloc, .ret = e->frame.ret, .top = e->frame.top, .pop = pop};
    site.refs = e->code->refs.n;
    if (i->stack_map) {
        const StackMap *map = &e->m->ir->stack_maps.v[i->stack_map - 1];
        for (uint32_t k = 0; k < map->n; k++) {
            const StackMapEntry *entry = &e->m->ir->map_entries.v[map->at + k];
            int32_t place = e->locals[entry->slot];
            if (place != INT32_MIN) vec_push(e->out, &e->code->refs, place + (int32_t)entry->offset);
        }
        site.n_refs = e->code->refs.n - site.refs;
    }
    vec_push(e->out, &e->code->sites, site);
    vec_push(e->tmp, &e->site_marks, emit_mark(e));
    if (pop) emit_step(e, STEP_POPPED, NO_REG, pop);
    emit_sp(e, -(int64_t)pop, true);
}

static void emit_restore_step(Emit *e) {
    vec_push(e->out, &e->code->steps, (FrameStep){.kind = STEP_RESTORE});
    vec_push(e->tmp, &e->step_marks, emit_mark(e));
}

// Returns and tail calls.
static void emit_exit(Emit *e, const MInst *i, const MOpnd *slots) {
    const Target *t = e->t;
    if (e->t->insts[i->mop].flags & MD_RETURN) {
        uint32_t area = t->op_ret_pop == NO_MOP ? 0 : e->frame.arg_area;
        frame_epilogue(e, area);
        Mach x = area ? mach_imm(t, t->op_ret_pop, area) : mach_plain(t->op_ret);
        emit_mach(e, &x);
    } else {
        frame_epilogue(e, call_pop(e, i));
        emit_inst(e, i->mop, slots);
    }
    emit_restore_step(e);
}

// A tail call carries the operands of a call behind the described ones (call_pop); the same instruction without them
// is a jump within the function, through a table.
static bool leaves_function(const Emit *e, const MInst *i) {
    const Target *t = e->t;
    if (t->insts[i->mop].flags & MD_RETURN) return true;
    return (i->mop == t->op_tail_call || i->mop == t->op_tail_call_reg) && i->n_slots > t->insts[i->mop].n_slots;
}

// Appends a relax pseudo whose target lies in this function.
static bool emit_near(Emit *e, const MInst *i) {
    const MOpnd *label = relax_label(e, i);
    if (!label) return false;
    const MSym *sym = label->kind == MO_SYM ? &e->m->syms.v[label->reg] : NULL;
    if (sym && !sym->is_data && !sym->table) return false;
    const Relax *relax = emit_relax_of(e, i->mop);
    if (sym) add_reference(e, relax, minst_slots(e->m, i), label->reg);
    else emit_branch(e, relax, minst_slots(e->m, i), e->forward[label->imm]);
    return true;
}

static void emit_one(Emit *e, const MInst *i) {
    const MOpnd *o = minst_slots(e->m, i);
    if (i->mop == MOP_ENTRY) return;
    emit_line(e, i->srcloc);
    if ((i->flags & MI_MOVE) || i->mop == MOP_COPY) {
        emit_move(e, &o[0], &o[1]);
        return;
    }
    if (i->flags & MI_TRAP) {
        const Frame *f = &e->frame;
        frame_trap_call(e, i->trap, i->srcloc, f->trap_pad, f->ret, f->top);
        return;
    }
    if (emit_near(e, i)) return;
    MOpnd slots[MACH_SLOTS];
    memset(slots, 0, sizeof slots);
    FramePlace place = lower_slots(e, i, slots);
    if (leaves_function(e, i)) {
        emit_exit(e, i, slots);
        return;
    }
    Mark start = emit_mark(e);
    if (place.base == NONE) emit_inst(e, i->mop, slots);
    else start = emit_placed(e, i->mop, slots, place.base, place.disp, place.at);
    if (i->trap && e->traps == TRAPS_INSN) { // an access that may fault: a row for the embedder's handler
        const Frame *f = &e->frame;
        CodeSite site = {.kind = SITE_TRAP, .trap = i->trap, .srcloc = i->srcloc, .ret = f->ret, .top = f->top};
        vec_push(e->out, &e->code->sites, site);
        vec_push(e->tmp, &e->site_marks, start);
    }
    if (i->flags & MI_CALL) emit_call_site(e, i, call_pop(e, i));
}

// ---- the function ------------------------------------------------------------------------------

static void emit_blocks(Emit *e) {
    const MFunc *m = e->m;
    uint32_t n;
    uint32_t *order = emit_layout(e, reachable(e), &n);
    for (uint32_t k = 0; k < n; k++) {
        const MBlock *block = &m->blocks.v[order[k]];
        e->labels[order[k]] = emit_mark(e);
        if (block->is_landing) e->code->landing = order[k];
        uint32_t end = tidy_end(e, block, k + 1 < n ? order[k + 1] : NONE);
        for (uint32_t j = 0; j < end; j++) emit_one(e, &m->insts.v[block->first + j]);
    }
    if (e->overflow_block != NONE) frame_overflow_stub(e);
}

static void collect_locals(Emit *e) {
    MFunc *m = e->m;
    uint32_t n = m->ir ? m->ir->slots.n : 0;
    e->locals = NEW_ARRAY(e->tmp, int32_t, n);
    for (uint32_t k = 0; k < n; k++) e->locals[k] = INT32_MIN;
    for (uint32_t k = 0; k < m->slots.n; k++)
        if (m->slots.v[k].kind == MSLOT_LOCAL && m->slots.v[k].ir < n)
            e->locals[m->slots.v[k].ir] = m->slots.v[k].offset;
    if (m->saves_all && n) e->code->activation = (uint32_t)e->locals[0];
}

Code *emit_func(Arena *arena, MFunc *m, TrapStyle traps) {
    Code *code = NEW(arena, Code);
    code->target = m->target;
    if (m->ir) code->name = name_copy(arena, m->ir->name);
    code->align = 16;
    code->landing = NONE;
    code->activation = NONE;
    Emit *e = NEW(m->arena, Emit);
    *e = (Emit){.ctx = m->ctx, .tmp = m->arena, .m = m, .t = m->target, .code = code, .out = arena, .traps = traps};
    e->trap_sym = NONE;
    e->overflow_block = NONE;
    e->labels = NEW_ARRAY(e->tmp, Mark, m->blocks.n + 1);
    e->forward = NEW_ARRAY(e->tmp, uint32_t, m->blocks.n + 1);
    thread_jumps(e);
    frame_layout(e);
    collect_locals(e);
    frame_prologue(e);
    emit_blocks(e);
    emit_finish(e);
    return code;
}
