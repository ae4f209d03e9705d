// A stack machine that exists for tests of core/stack only, random SSA code for it, and a way to run code and plans:
// what instructions compute is a hash of what they are and read.
#ifndef TESTS_UNIT_STACK_MACHINE_H
#define TESTS_UNIT_STACK_MACHINE_H

#include "mfunc_random.h"
#include "stack/operands.h"
#include "stack/stack.h"
#include "support/map.h"

enum {
    S_OP,    // any operands, pure
    S_LOAD,  // reads memory
    S_STORE, // writes memory
    S_DIV,   // traps for some operands
    S_CHECK, // leaves for a trap block for some operands
    S_CALL,
    S_CALL_REG, // a described use, which is pushed last
    S_IMM,      // may be repeated
    S_JUMP,
    S_BRANCH,
    S_RET,
    N_STACK_INSTS
};

static const RegClass stack_classes[] = {
    {.name = "i64", .value_type = 0x7e, .spill_size = 8, .constant = S_IMM},
    {.name = "f64", .value_type = 0x7c, .spill_size = 8, .constant = S_IMM},
};
static const InstDesc stack_insts[N_STACK_INSTS] = {
    [S_OP] = {.name = "op"},
    [S_LOAD] = {.name = "load", .flags = MD_LOADS},
    [S_STORE] = {.name = "store", .flags = MD_STORES},
    [S_DIV] = {.name = "div"},
    [S_CHECK] = {.name = "check", .flags = MD_BRANCH},
    [S_CALL] = {.name = "call", .flags = MD_CALL},
    [S_CALL_REG] = {.name = "call_reg", .flags = MD_CALL, .n_slots = 1},
    [S_IMM] = {.name = "imm"},
    [S_JUMP] = {.name = "jump", .flags = MD_BRANCH},
    [S_BRANCH] = {.name = "branch", .flags = MD_BRANCH},
    [S_RET] = {.name = "ret", .flags = MD_RETURN},
};
// Only for the size of constants: that of floats is the same for all.
static inline bool stack_encode(uint16_t mop, const MOpnd *slots, uint64_t features, Encoded *out) {
    (void)mop, (void)features;
    out->n = slots[0].cls == FPR ? 9 : (uint8_t)(2 + slots[1].imm % 9);
    return true;
}
static const StackMachine stack_machine;
static const Target stack_target = {
    .name = "stack",
    .classes = stack_classes,
    .n_classes = 2,
    .insts = stack_insts,
    .n_insts = N_STACK_INSTS,
    .encode = stack_encode,
    .stack = &stack_machine,
};
static const uint8_t stack_params_types[] = {0x7e, 0x7e, 0x7c, 0x7e, 0x7c};
enum { N_STACK_PARAMS = 5 };

static inline MFunc *stack_mfunc(Ctx *ctx, Arena *arena) {
    MFunc *m = test_mfunc(ctx, arena);
    m->target = &stack_target;
    vec_push(arena, &m->types, (MType){.params = stack_params_types, .n_params = N_STACK_PARAMS});
    return m;
}

static inline void stack_entry(MFunc *m, uint32_t vregs[N_STACK_PARAMS]) {
    test_inst(m, MOP_ENTRY, 0);
    for (unsigned k = 0; k < N_STACK_PARAMS; k++) {
        vregs[k] = test_vreg(m, stack_params_types[k] == 0x7e ? GPR : FPR, 8);
        test_def(m, vregs[k], NO_REG);
    }
}

static inline uint32_t stack_imm(MFunc *m, uint8_t cls, int64_t imm) {
    uint32_t v = test_vreg(m, cls, 8);
    test_inst(m, S_IMM, 0);
    test_def(m, v, NO_REG);
    test_opnd(m, (MOpnd){.kind = MO_IMM, .imm = imm});
    m->vregs.v[v].remat = m->insts.n - 1;
    return v;
}

// ---- random code ----------------------------------------------------------------------------------

static inline uint32_t stack_need(Random *r, uint32_t b, uint8_t cls) {
    uint32_t v = random_value(r, b, cls);
    if (v != NONE) return v;
    v = random_def(r, b, cls);
    test_inst(r->m, S_OP, 0);
    test_def(r->m, v, NO_REG);
    return v;
}

static inline void random_stack_inst(Random *r, uint32_t b) {
    static const uint16_t mops[] = {S_OP,    S_OP,  S_OP,    S_OP,   S_LOAD,    S_LOAD,
                                    S_STORE, S_DIV, S_CHECK, S_CALL, S_CALL_REG};
    MFunc *m = r->m;
    uint32_t which = rnd(r, 14);
    if (which == 13) {
        uint32_t v = stack_need(r, b, rnd(r, 4) ? GPR : FPR);
        uint32_t d = random_def(r, b, m->vregs.v[v].cls);
        test_inst(m, MOP_COPY, 0);
        test_def(m, d, NO_REG);
        test_use(m, v, NO_REG);
        return;
    }
    if (which > 10) {
        vec_push(m->arena, &r->values[b], stack_imm(m, rnd(r, 2) ? GPR : FPR, rnd(r, 2) ? rnd(r, 100) : 0));
        return;
    }
    uint32_t uses[4];
    uint32_t n = rnd(r, 5);
    for (uint32_t k = 0; k < n; k++) uses[k] = stack_need(r, b, rnd(r, 4) ? GPR : FPR);
    uint16_t mop = mops[which];
    uint32_t fn = mop == S_CALL_REG ? stack_need(r, b, GPR) : 0;
    uint32_t defs = mop == S_OP ? 1 + rnd(r, 2) : mop == S_STORE || mop == S_CHECK ? 0 : rnd(r, 3);
    MInst *i = test_inst(m, mop, mop == S_CHECK ? MI_TRAP : 0);
    if (mop == S_DIV || mop == S_CHECK || ((mop == S_LOAD || mop == S_STORE) && rnd(r, 2))) i->trap = 1;
    if (mop == S_CALL_REG) test_use(m, fn, NO_REG);
    for (uint32_t k = 0; k < n; k++) test_use(m, uses[k], NO_REG);
    if (rnd(r, 8) == 0) test_opnd(m, (MOpnd){.kind = MO_SLOT, .reg = 0, .imm = 8});
    for (uint32_t k = 0; k < defs; k++) {
        uint32_t d = random_def(r, b, rnd(r, 4) ? GPR : FPR);
        if (rnd(r, 8)) {
            test_def(m, d, NO_REG);
        } else {
            r->values[b].n--;
            test_opnd(m, (MOpnd){.kind = MO_NONE, .role = ROLE_DEF, .cls = m->vregs.v[d].cls});
        }
    }
}

static inline void random_stack_term(Random *r, uint32_t b) {
    MFunc *m = r->m;
    uint32_t v = stack_need(r, b, GPR);
    uint32_t w = stack_need(r, b, rnd(r, 2) ? GPR : FPR);
    if (r->n_succs[b] == 0) {
        test_inst(m, S_RET, MI_TERM);
        test_use(m, v, NO_REG);
        test_use(m, w, NO_REG);
    } else if (r->n_succs[b] == 1 && rnd(r, 8)) {
        test_inst(m, S_JUMP, MI_TERM);
    } else {
        test_inst(m, S_BRANCH, MI_TERM);
        test_use(m, v, NO_REG);
        test_inst(m, S_BRANCH, MI_TERM);
        test_use(m, w, NO_REG);
        test_inst(m, S_JUMP, MI_TERM);
    }
}

static inline void random_stack_block(Random *r, uint32_t b, uint32_t size) {
    MFunc *m = r->m;
    MBlock *block = &m->blocks.v[r->place[b]];
    *block = (MBlock){.first = m->insts.n, .ir = b, .loop_depth = (uint8_t)rnd(r, 4)};
    if (b == 0) {
        uint32_t params[N_STACK_PARAMS];
        stack_entry(m, params);
        for (unsigned k = 0; k < N_STACK_PARAMS; k++) {
            if (k == 0 || k == 2 || rnd(r, 4))
                vec_push(m->arena, &r->values[0], params[k]); // edges need one of each class
            else if (rnd(r, 2)) minst_slots(m, &m->insts.v[0])[k].kind = MO_NONE;
        }
    }
    for (uint32_t k = rnd(r, size + 1); k-- > 0;) random_stack_inst(r, b);
    random_stack_term(r, b);
    block->n = m->insts.n - block->first;
}

static inline MFunc *random_stack_mfunc(Ctx *ctx, Arena *arena, uint64_t seed, uint32_t size) {
    Random *r = NEW(arena, Random);
    r->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    MFunc *m = r->m = stack_mfunc(ctx, arena);
    for (unsigned k = 0; k < 8; k++) rnd(r, 2);
    random_graph(r);
    random_dominators(r);
    random_layout(r);
    (void)vec_extend(arena, &m->blocks, r->n);
    for (uint32_t b = 1; b < r->n; b++) {
        for (uint32_t k = rnd(r, 3) ? rnd(r, 4) : rnd(r, 14); k-- > 0;) {
            uint32_t v = test_vreg(m, rnd(r, 4) ? GPR : FPR, 8);
            vec_push(arena, &r->params[b], v);
            vec_push(arena, &r->values[b], v);
        }
    }
    uint64_t done = 0;
    for (uint32_t left = r->n; left;) { // a block's dominators are generated before it
        for (uint32_t b = 0; b < r->n; b++) {
            if (done >> b & 1 || (r->dom[b] & ~BIT(b)) & ~done) continue;
            random_stack_block(r, b, size);
            done |= BIT(b);
            left--;
        }
    }
    for (uint32_t b = 0; b < r->n; b++) random_edges(r, b);
    for (uint32_t b = 0; b < r->n; b++) {
        m->blocks.v[r->place[b]].params = m->lists.n;
        m->blocks.v[r->place[b]].n_params = r->params[b].n;
        for (uint32_t k = 0; k < r->params[b].n; k++) vec_push(arena, &m->lists, r->params[b].v[k]);
    }
    test_preds(m);
    return m;
}

// ---- running --------------------------------------------------------------------------------------

typedef struct StackRunner {
    MFunc *m;
    const StackPlan *plan; // NULL = run the SSA code
    uint64_t input;
    uint64_t memory; // all that was written
    uint64_t *vregs; // or locals
    VEC(uint64_t) stack;
    bool trapped, broken;
} StackRunner;

static inline uint64_t mix(uint64_t x, uint64_t y) { return hash_u64(x * 31 + y); }

// Runs an instruction whose operands hash to `in`; the results are hashes of what it returns.
static inline uint64_t run_effects(StackRunner *s, const MInst *i, uint64_t in) {
    unsigned flags = s->m->target->insts[i->mop].flags;
    if (flags & MD_LOADS) in = mix(in, s->memory);
    if (i->trap && in % 16 == 0) {
        s->trapped = true;
        s->memory = mix(s->memory, in);
        return 0;
    }
    if (flags & (MD_STORES | MD_CALL)) in = s->memory = mix(s->memory, in);
    return in;
}

static inline uint64_t inst_hash(const StackRunner *s, const MInst *i) {
    uint64_t h = i->mop;
    const MOpnd *o = minst_slots(s->m, i);
    if (i->mop == S_IMM) return (uint64_t)o[1].imm;
    for (unsigned k = 0; k < i->n_slots; k++) h = o[k].kind == MO_IMM ? mix(h, (uint64_t)o[k].imm) : h;
    return h;
}

static inline uint64_t run_result(const MInst *i, uint64_t in, uint64_t k) { return i->mop == S_IMM ? in : mix(in, k); }

static inline void run_ssa_inst(StackRunner *s, const MInst *i) {
    const MOpnd *o = minst_slots(s->m, i);
    if (i->mop == MOP_COPY) s->vregs[o[0].reg] = s->vregs[o[1].reg];
    if (mop_is_pseudo(i->mop)) return;
    uint64_t in = inst_hash(s, i);
    for (unsigned k = 0; k < i->n_slots; k++) {
        const MOpnd *p = stack_slot(s->m, i, k);
        if (stack_is_push(p)) in = mix(in, p->kind == MO_SLOT ? 77 : s->vregs[p->reg]);
    }
    in = run_effects(s, i, in);
    for (unsigned k = 0; k < i->n_slots; k++)
        if (o[k].kind == MO_VREG && stack_is_result(&o[k])) s->vregs[o[k].reg] = run_result(i, in, k);
}

static inline void run_ops(StackRunner *s, const StackRun *run) {
    for (uint32_t k = run->first; k < run->first + run->n && !s->trapped && !s->broken; k++) {
        const StackOp *op = &s->plan->ops.v[k];
        uint32_t local =
            (op->kind == SOP_GET || op->kind == SOP_SET || op->kind == SOP_TEE) ? s->plan->local[op->x] : 0;
        bool pops = op->kind == SOP_SET || op->kind == SOP_TEE || op->kind == SOP_DROP;
        s->broken = (pops && !s->stack.n) || op->kind > SOP_FRAME;
        if (s->broken) return;
        switch (op->kind) {
        case SOP_GET: vec_push(s->m->arena, &s->stack, s->vregs[local]); break;
        case SOP_SET: s->vregs[local] = s->stack.v[--s->stack.n]; break;
        case SOP_TEE: s->vregs[local] = vec_last(&s->stack); break;
        case SOP_DROP: s->stack.n--; break;
        case SOP_FRAME: vec_push(s->m->arena, &s->stack, 77); break;
        default: {
            const MInst *i = &s->m->insts.v[op->x];
            uint32_t n = 0;
            for (unsigned j = 0; j < i->n_slots; j++) n += stack_is_push(&minst_slots(s->m, i)[j]);
            s->broken = n > s->stack.n;
            if (s->broken) return;
            uint64_t in = inst_hash(s, i);
            for (uint32_t j = s->stack.n - n; j < s->stack.n; j++) in = mix(in, s->stack.v[j]);
            s->stack.n -= n;
            in = run_effects(s, i, in);
            for (unsigned j = 0; j < i->n_slots; j++) {
                const MOpnd *o = stack_slot(s->m, i, j);
                if (stack_is_result(o))
                    vec_push(s->m->arena, &s->stack, run_result(i, in, (uint64_t)(o - minst_slots(s->m, i))));
            }
        }
        }
    }
}

static inline void run_ssa_edge(StackRunner *s, const MEdge *e) {
    const MFunc *m = s->m;
    s->stack.n = 0;
    for (uint32_t k = 0; k < e->n_args; k++) vec_push(m->arena, &s->stack, s->vregs[m->lists.v[e->args + k]]);
    for (uint32_t k = 0; k < e->n_args; k++) s->vregs[m->lists.v[m->blocks.v[e->block].params + k]] = s->stack.v[k];
}

// What the terminators of a block read.
static inline uint64_t run_terms(StackRunner *s, const MBlock *b) {
    uint64_t h = 5;
    for (uint32_t n = b->first + stack_body(s->m, b); n < b->first + b->n; n++) {
        const MInst *i = &s->m->insts.v[n];
        uint64_t values[8];
        uint32_t count = 0;
        for (unsigned k = 0; k < i->n_slots; k++) {
            const MOpnd *o = stack_slot(s->m, i, k);
            if (stack_is_push(o)) values[count++] = s->plan ? 0 : s->vregs[o->reg];
        }
        for (uint32_t k = count; s->plan && k-- > 0;) {
            s->broken |= !s->stack.n;
            if (s->broken) return 0;
            values[k] = s->stack.v[--s->stack.n];
        }
        for (uint32_t k = 0; k < count; k++) h = mix(h, values[k]);
    }
    s->broken |= s->plan && s->stack.n;
    return h;
}

// A hash of all that can be seen of a run with these arguments; at most 60 blocks.
static inline uint64_t run_stack(MFunc *m, const StackPlan *plan, uint64_t input) {
    uint32_t n = m->vregs.n + 1;
    for (uint32_t v = 0; plan && v < m->vregs.n; v++)
        if (plan->local[v] != NONE && plan->local[v] >= n) n = plan->local[v] + 1;
    StackRunner s = {.m = m, .plan = plan, .vregs = NEW_ARRAY(m->arena, uint64_t, n + N_STACK_PARAMS)};
    const MOpnd *o = minst_slots(m, &m->insts.v[m->blocks.v[0].first]);
    for (uint32_t k = 0; k < N_STACK_PARAMS; k++) {
        if (plan) s.vregs[k] = mix(input, k);
        else if (o[k].kind == MO_VREG) s.vregs[o[k].reg] = mix(input, k);
    }
    uint32_t block = 0;
    uint64_t h = 0;
    for (unsigned steps = 0; steps < 60; steps++) {
        const MBlock *b = &m->blocks.v[block];
        if (plan) run_ops(&s, &plan->blocks[block]);
        for (uint32_t k = 0; !plan && k < stack_body(m, b) && !s.trapped; k++)
            run_ssa_inst(&s, &m->insts.v[b->first + k]);
        if (plan && b->n_succs == 1) run_ops(&s, &plan->edges[b->succs]);
        if (s.trapped || s.broken) break;
        h = run_terms(&s, b);
        if (s.broken || !b->n_succs) break;
        uint32_t edge = b->succs + (uint32_t)(h % b->n_succs);
        if (!plan) run_ssa_edge(&s, &m->edges.v[edge]);
        else if (b->n_succs > 1) run_ops(&s, &plan->edges[edge]);
        block = m->edges.v[edge].block;
    }
    return s.broken ? 0 : mix(mix(s.memory, s.trapped ? 1 : h), 9);
}

#endif
