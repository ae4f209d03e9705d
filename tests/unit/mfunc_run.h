// Runs code of the test machine (mfunc_random.h), before and after register allocation, so that the two can be compared
// without the checker. What an instruction makes is a hash of its number, of its operands and of how many ran before.
//
// Instructions are told apart by their srcloc: number_insts() gives each its own, before allocation copies them.
#ifndef TESTS_UNIT_MFUNC_RUN_H
#define TESTS_UNIT_MFUNC_RUN_H

#include "mfunc_random.h"
#include "support/map.h"

enum { RUN_BLOCKS = 60, RUN_SLOTS = 512 };

typedef struct Runner {
    const MFunc *m;
    bool allocated;
    uint64_t *vregs; // of SSA code
    uint64_t regs[N_TEST_REGS], slots[RUN_SLOTS];
    uint64_t input, time;
    uint64_t trace; // of all that was read
    bool broken;    // an operand is where it cannot be
} Runner;

static inline void number_insts(MFunc *m) {
    for (uint32_t i = 0; i < m->insts.n; i++) m->insts.v[i].srcloc = i;
}

static inline uint64_t run_mix(uint64_t x, uint64_t y) { return hash_u64(x * 31 + y); }
static inline uint64_t run_garbage(const Runner *r, uint64_t x) { return run_mix(run_mix(r->time, x), 0xbad); }

// The part of `x` that a value of `bytes` has.
static inline uint64_t run_part(uint64_t x, unsigned bytes) {
    return bytes < 8 ? x & ((UINT64_C(1) << 8 * bytes) - 1) : x;
}

static inline uint64_t *run_place(Runner *r, const MOpnd *o) {
    if (o->kind == MO_VREG && !r->allocated) return &r->vregs[o->reg];
    if (o->kind == MO_PREG && o->preg < N_TEST_REGS) return &r->regs[o->preg];
    bool spilled = o->kind == MO_SLOT && o->reg < r->m->slots.n && o->reg < RUN_SLOTS;
    if (spilled && r->m->slots.v[o->reg].kind == MSLOT_SPILL) return &r->slots[o->reg];
    r->broken = true;
    return &r->slots[0];
}

// A move that the allocator inserted. Only what the value's size says goes through memory.
static inline void run_move(Runner *r, const MInst *i) {
    const MOpnd *o = minst_slots(r->m, i);
    const MOpnd *named = o[0].kind == MO_PREG ? &o[0] : &o[1];
    r->broken |= named->kind != MO_PREG || named->reg >= r->m->vregs.n;
    if (r->broken) return;
    unsigned size = r->m->vregs.v[named->reg].size;
    const MOpnd *memory = o[0].kind == MO_SLOT ? &o[0] : o[1].kind == MO_SLOT ? &o[1] : NULL;
    uint64_t x = *run_place(r, &o[1]);
    if (memory) {
        r->broken |= memory->reg >= r->m->slots.n || r->m->slots.v[memory->reg].size < size;
        x = run_part(x, size) | (run_garbage(r, 1) & ~run_part(UINT64_MAX, size));
    }
    uint64_t *to = run_place(r, &o[0]);
    for (unsigned k = 0; k < 2; k++) {
        RegSet regs = test_classes[r->m->vregs.v[named->reg].cls].regs;
        r->broken |= o[k].kind == MO_PREG && !regset_has(regs, o[k].preg);
    }
    *to = x;
}

// Whether an operand may be where it is.
static inline bool run_may_be(const MInst *i, const MOpnd *o, const MOpnd *all) {
    if (o->fixed != NO_REG ? o->preg != o->fixed : !regset_has(test_classes[o->cls].regs, o->preg)) return false;
    if (!(i->flags & MI_REMAT) && o->fixed == NO_REG && regset_has(test_target.scratch, o->preg)) return false;
    if (o->role == ROLE_USE) return !o->tied || i->mop == T_THREE || o->preg == o[-(int)o->tied].preg;
    for (unsigned k = 0; k < i->n_slots; k++) {
        bool other_def = &all[k] != o && all[k].kind == MO_PREG && all[k].role != ROLE_USE;
        if (other_def && all[k].preg == o->preg) return false;
    }
    return true;
}

static inline uint64_t run_use(Runner *r, const MInst *i, const MOpnd *o, const MOpnd *all) {
    uint64_t x = run_part(*run_place(r, o), r->m->vregs.v[o->reg].size);
    for (unsigned k = 0; k < i->n_slots && r->allocated; k++) {
        bool overwritten = all[k].kind == MO_PREG && all[k].role == ROLE_DEF_EARLY && all[k].preg == o->preg;
        if (overwritten && !(o->tied && o - o->tied == &all[k])) return run_garbage(r, 2);
    }
    return x;
}

static inline void run_inst(Runner *r, const MInst *i) {
    const MOpnd *o = minst_slots(r->m, i);
    uint8_t kind = r->allocated ? MO_PREG : MO_VREG;
    uint64_t in = i->mop == MOP_ENTRY ? run_mix(r->input, i->srcloc) : i->srcloc;
    bool repeats = i->mop == T_IMM;
    if (!repeats) in = run_mix(in, ++r->time);
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (o[k].kind == MO_IMM) in = run_mix(in, (uint64_t)o[k].imm);
        if (o[k].kind != kind) continue;
        if (r->allocated && !run_may_be(i, &o[k], o)) r->broken = true;
        if (o[k].role == ROLE_USE) in = run_mix(in, run_use(r, i, &o[k], o));
    }
    if (i->mop == MOP_COPY) in = run_use(r, i, &o[1], o);
    if (!repeats) r->trace = run_mix(r->trace, in);
    RegSet clobbers = r->m->clobbers.v[i->clobbers];
    for (unsigned p = 0; p < r->m->target->n_regs && r->allocated; p++) {
        bool lost = regset_has(clobbers, p) || (!mop_is_pseudo(i->mop) && regset_has(test_insts[i->mop].clobbers, p));
        if (lost) r->regs[p] = run_garbage(r, p);
    }
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (o[k].kind != kind || o[k].role == ROLE_USE) continue;
        *run_place(r, &o[k]) = i->mop == MOP_COPY ? in : run_mix(in, k);
    }
}

static inline void run_edge(Runner *r, const MEdge *e) {
    uint64_t now[64];
    for (uint32_t k = 0; k < e->n_args; k++) now[k] = r->vregs[r->m->lists.v[e->args + k]];
    const uint32_t *params = &r->m->lists.v[r->m->blocks.v[e->block].params];
    for (uint32_t k = 0; k < e->n_args; k++) r->vregs[params[k]] = now[k];
}

// A hash of all that can be seen of a run of at most RUN_BLOCKS blocks; 0 when something is where it cannot be.
static inline uint64_t run_mfunc(const MFunc *m, bool allocated, uint64_t input) {
    Runner *r = NEW(m->arena, Runner);
    *r = (Runner){.m = m, .allocated = allocated, .input = input};
    r->vregs = NEW_ARRAY(m->arena, uint64_t, m->vregs.n);
    for (unsigned p = 0; p < m->target->n_regs; p++) r->regs[p] = run_garbage(r, 100 + p);
    uint32_t b = 0;
    for (unsigned n = 0; n < RUN_BLOCKS && !r->broken; n++) {
        const MBlock *block = &m->blocks.v[b];
        for (uint32_t i = block->first; i < block->first + block->n && !r->broken; i++) {
            if (m->insts.v[i].flags & MI_MOVE) run_move(r, &m->insts.v[i]);
            else run_inst(r, &m->insts.v[i]);
        }
        if (!block->n_succs) break;
        const MEdge *e = &m->edges.v[block->succs + r->trace % block->n_succs];
        if (!allocated) run_edge(r, e);
        b = e->block;
    }
    return r->broken ? 0 : r->trace | 1;
}

#endif
