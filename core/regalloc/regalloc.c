// What both register allocators share: what an instruction asks for, and the writing of allocated code.
//
// Theory. The input is SSA machine code (select/mfunc.h), the output the same instructions in the same order, with
// physical registers in place of virtual ones, and moves (MI_MOVE, MOP_COPY) and repeated definitions (MI_REMAT) in
// between. verify/ra_check.c proves that the one computes the other; it shares nothing with this folder but the
// headers. The parts:
//
//   regalloc.c     this file
//   moves.c        parallel moves as sequences
//   fast.c         `none`: one pass, block by block
//   live.c ...     `speed`: live intervals, linear scan, resolution (linear_scan.c opens with its theory)
//
// What both rely on, and whoever makes MFuncs guarantees:
//   * A terminator group (all instructions with MI_TERM at a block's end) is one instruction to the allocators: moves
//     stand in front of it, never inside.
//   * An edge's moves stand at the start of the successor when it has one predecessor, else in front of the terminators
//     of the predecessor, which then has one successor and whose terminators use and define no vreg.
//   * Inserted moves keep the flags; so does all that may be rematerialised (ra_can_remat()).
//   * Target.scratch holds a register of each class that needs moves between memory and memory. No scratch register
//     holds a value across an instruction.
#include "regalloc/ra.h"

RegSet ra_clobbers(const Ra *ra, const MInst *i) {
    RegSet set = ra->m->clobbers.n ? ra->m->clobbers.v[i->clobbers] : (RegSet){{0, 0}};
    const InstDesc *desc = ra_desc(ra, i);
    return desc ? regset_or(set, desc->clobbers) : set;
}

uint32_t ra_body(const MFunc *m, const MBlock *b) {
    uint32_t n = b->n;
    while (n && m->insts.v[b->first + n - 1].flags & MI_TERM) n--;
    return n;
}

bool ra_can_remat(const Ra *ra, uint32_t vreg) {
    const VReg *v = &ra->m->vregs.v[vreg];
    if (v->remat == NONE) return false;
    const MInst *def = &ra->old[v->remat];
    const InstDesc *desc = ra_desc(ra, def);
    if (!desc || desc->flags & (MD_WRITES_FLAGS | MD_READS_FLAGS) || !regset_empty(ra_clobbers(ra, def))) return false;
    for (uint32_t k = 0; k < def->n_slots; k++) {
        const MOpnd *o = &ra->old_slots[def->slots + k];
        if (o->kind == MO_PREG ? !regset_has(ra->t->zero, o->preg) : ra_is_use(o)) return false;
        if (!ra_is_def(o)) continue;
        if (o->reg != vreg || o->fixed != NO_REG) return false;
        if (!regset_within(ra->t->classes[v->cls].regs, ra->t->classes[o->cls].regs)) return false;
    }
    return true;
}

unsigned ra_slot_size(const Ra *ra, uint32_t vreg) {
    const VReg *v = &ra->m->vregs.v[vreg];
    unsigned whole = ra->t->classes[v->cls].spill_size;
    return v->size <= 8 && whole > 8 ? 8 : whole;
}

uint32_t ra_new_slot(Ra *ra, unsigned size) {
    uint32_t slot = ra->m->slots.n;
    vec_push(ra->m->arena, &ra->m->slots, (MSlot){.kind = MSLOT_SPILL, .size = size, .align = size});
    return slot;
}

void ra_stuck(const Ra *ra, uint32_t i, const char *why) {
    const InstDesc *desc = ra_desc(ra, &ra->old[i]);
    ctx_fail(ra->m->ctx, VTR_ERR_UNSUPPORTED, "regalloc: instruction %u (%s) of the machine code for %s: %s", i,
             desc ? desc->name : "pseudo", ra->t->name, why);
}

EdgePlace ra_edge_place(const Ra *ra, uint32_t from, uint32_t to) {
    const MFunc *m = ra->m;
    if (m->blocks.v[to].n_preds == 1 && to != 0) return EDGE_AT_START;
    const MBlock *b = &m->blocks.v[from];
    if (b->n_succs != 1) ctx_bug(m->ctx, "regalloc: the edge from block %u to block %u is critical", from, to);
    for (uint32_t i = ra_body(m, b); i < b->n; i++) {
        const MInst *inst = &ra->old[b->first + i];
        for (uint32_t k = 0; k < inst->n_slots; k++) {
            if (ra_is_reg(&ra->old_slots[inst->slots + k])) {
                ctx_bug(m->ctx, "regalloc: block %u ends with a branch that has registers; its edge must be split",
                        from);
            }
        }
    }
    return EDGE_AT_END;
}

// ---- writing ----------------------------------------------------------------------------------------

MOpnd *ra_put_inst(Ra *ra, uint32_t i) {
    MInst inst = ra->old[i];
    const MOpnd *from = &ra->old_slots[inst.slots];
    inst.slots = ra->slots.n;
    MOpnd *to = vec_extend(ra->m->arena, &ra->slots, inst.n_slots);
    for (uint32_t k = 0; k < inst.n_slots; k++) to[k] = from[k];
    vec_push(ra->m->arena, &ra->insts, inst);
    return to;
}

static MOpnd move_operand(Loc l, uint8_t role, uint8_t cls, uint32_t vreg) {
    MOpnd o = {.role = role, .cls = cls, .fixed = NO_REG};
    if (l.kind == LOC_REG) {
        o.kind = MO_PREG;
        o.preg = (uint8_t)l.n;
        o.reg = vreg;
    } else {
        o.kind = MO_SLOT;
        o.reg = l.n;
    }
    return o;
}

static void put_remat(Ra *ra, unsigned preg, uint32_t vreg) {
    MOpnd *slots = ra_put_inst(ra, ra->m->vregs.v[vreg].remat);
    MInst *inst = &vec_last(&ra->insts);
    inst->flags |= MI_REMAT;
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        if (!ra_is_def(&slots[k])) continue;
        slots[k].kind = MO_PREG;
        slots[k].preg = (uint8_t)preg;
    }
}

void ra_put_move(Ra *ra, Loc dst, Loc src, uint32_t vreg) {
    if (src.kind == LOC_REMAT) {
        put_remat(ra, dst.n, vreg);
        return;
    }
    uint8_t cls = ra->m->vregs.v[vreg].cls;
    MInst inst = {.mop = MOP_COPY, .n_slots = 2, .slots = ra->slots.n, .flags = MI_MOVE, .srcloc = NONE, .ir = NONE};
    vec_push(ra->m->arena, &ra->slots, move_operand(dst, ROLE_DEF, cls, vreg));
    vec_push(ra->m->arena, &ra->slots, move_operand(src, ROLE_USE, cls, vreg));
    vec_push(ra->m->arena, &ra->insts, inst);
}

// ---- set-up -----------------------------------------------------------------------------------------

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// Registers that calls destroy come first: using them costs no save in the prologue.
static void order_class(Ra *ra, unsigned cls, uint64_t *seed) {
    RegSet all = ra->t->classes[cls].allocatable;
    RegSet preserved = {{0, 0}};
    if (ra->m->abi && !ra->m->saves_all) preserved = ra->m->abi->preserved;
    uint8_t *order = NEW_ARRAY(ra->tmp, uint8_t, regset_count(all));
    unsigned n = 0;
    REGSET_EACH(r, regset_minus(all, preserved)) order[n++] = (uint8_t)r;
    REGSET_EACH(r, regset_and(all, preserved)) order[n++] = (uint8_t)r;
    if (*seed) {
        for (unsigned i = n; i > 1; i--) {
            unsigned k = (unsigned)(next_random(seed) % i);
            uint8_t swap = order[i - 1];
            order[i - 1] = order[k];
            order[k] = swap;
        }
    }
    ra->order[cls] = order;
    ra->n_full[cls] = (uint8_t)n;
    ra->n_order[cls] = (uint8_t)n;
    if (ra->stress && ra->stress->max_regs && ra->stress->max_regs < n) {
        ra->n_order[cls] = (uint8_t)ra->stress->max_regs;
    }
}

// The first scratch register of the class's file; the class itself need not have it.
static uint8_t scratch_of(const Target *t, unsigned cls) {
    if (regset_empty(t->classes[cls].regs)) return NO_REG;
    unsigned file = t->regs[regset_first(t->classes[cls].regs)].file;
    REGSET_EACH(r, t->scratch) {
        if (t->regs[r].file == file) return (uint8_t)r;
    }
    return NO_REG;
}

static void set_up(Ra *ra) {
    uint64_t seed = ra->stress ? ra->stress->seed : 0;
    for (unsigned c = 0; c < ra->t->n_classes; c++) {
        ra->scratch[c] = scratch_of(ra->t, c);
        ra->cycle_slot[c] = NONE;
        order_class(ra, c, &seed);
    }
    const MFunc *m = ra->m;
    ra->first = NEW_ARRAY(ra->tmp, uint32_t, m->blocks.n + 1);
    ra->in_edge = all_none(ra->tmp, m->blocks.n);
    ra->from = NEW_ARRAY(ra->tmp, uint32_t, m->edges.n);
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        for (uint32_t e = m->blocks.v[b].succs; e < m->blocks.v[b].succs + m->blocks.v[b].n_succs; e++) {
            ra->from[e] = b;
            ra->in_edge[m->edges.v[e].block] = e;
        }
    }
}

// Every physical register that the allocated code writes.
static RegSet written(const Ra *ra) {
    RegSet used = {{0, 0}};
    for (uint32_t i = 0; i < ra->insts.n; i++) {
        const MInst *inst = &ra->insts.v[i];
        used = regset_or(used, ra_clobbers(ra, inst));
        for (uint32_t k = 0; k < inst->n_slots; k++) {
            const MOpnd *o = &ra->slots.v[inst->slots + k];
            if (o->kind == MO_PREG && (o->role == ROLE_DEF || o->role == ROLE_DEF_EARLY)) regset_add(&used, o->preg);
        }
    }
    return used;
}

static void swap_in(Ra *ra) {
    MFunc *m = ra->m;
    ra->first[m->blocks.n] = ra->insts.n;
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        m->blocks.v[b].first = ra->first[b];
        m->blocks.v[b].n = ra->first[b + 1] - ra->first[b];
    }
    m->used = written(ra);
    m->insts.v = ra->insts.v;
    m->insts.n = ra->insts.n;
    m->insts.cap = ra->insts.cap;
    m->slots_pool.v = ra->slots.v;
    m->slots_pool.n = ra->slots.n;
    m->slots_pool.cap = ra->slots.cap;
}

void ra_allocate(MFunc *m, RaKind kind, const Stress *stress) {
    Arena *tmp = arena_new(m->ctx);
    Ra *ra = NEW(tmp, Ra);
    *ra = (Ra){.m = m, .t = m->target, .stress = stress, .tmp = tmp};
    ra->old = m->insts.v;
    ra->old_slots = m->slots_pool.v;
    vec_reserve(m->arena, &ra->insts, m->insts.n + m->insts.n / 4);
    vec_reserve(m->arena, &ra->slots, m->slots_pool.n + m->slots_pool.n / 4);
    set_up(ra);
    if (kind == RA_SPEED) {
        speed_allocate(ra);
    } else {
        fast_allocate(ra);
    }
    swap_in(ra);
    arena_free(tmp);
}
