// A machine that exists for tests of register allocation only, and random SSA machine code for it.
#ifndef TESTS_UNIT_MFUNC_RANDOM_H
#define TESTS_UNIT_MFUNC_RANDOM_H

#include <string.h>

#include "regalloc/regalloc.h"
#include "support/bits.h"

// ---- the machine ----------------------------------------------------------------------------------

enum { G0 = 0, G_SCRATCH = 8, F0 = 10, F_SCRATCH = 16, FLAGS = 17, SP = 18, N_TEST_REGS = 19 };
enum { GPR, FPR, LOW, N_TEST_CLASSES };
enum {
    T_OP,     // any operands
    T_TWO,    // tied, has a twin
    T_THREE,  // the twin
    T_TIED,   // tied, has none
    T_DIV,    // fixed registers, writes flags
    T_CALL,   // clobbers g0..g4 and all f
    T_IMM,    // may be repeated
    T_IMM_FL, // writes flags: may not
    T_CMP,
    T_JUMP,
    T_BRANCH, // reads flags
    T_INVOKE, // terminator with results
    T_SWITCH, // terminator with uses
    T_RET,
    N_TEST_INSTS
};

#define GPRS UINT64_C(0xff)
#define FPRS (UINT64_C(0x3f) << F0)
#define BIT(r) (UINT64_C(1) << (r))

static const RegInfo test_regs[N_TEST_REGS] = {
    {"g0", 0, NO_DWARF}, {"g1", 0, NO_DWARF}, {"g2", 0, NO_DWARF}, {"g3", 0, NO_DWARF}, {"g4", 0, NO_DWARF},
    {"g5", 0, NO_DWARF}, {"g6", 0, NO_DWARF}, {"g7", 0, NO_DWARF}, {"g8", 0, NO_DWARF}, {"none", 0, NO_DWARF},
    {"f0", 1, NO_DWARF}, {"f1", 1, NO_DWARF}, {"f2", 1, NO_DWARF}, {"f3", 1, NO_DWARF}, {"f4", 1, NO_DWARF},
    {"f5", 1, NO_DWARF}, {"f6", 1, NO_DWARF}, {"fl", 2, NO_DWARF}, {"sp", 0, NO_DWARF},
};
static const RegClass test_classes[N_TEST_CLASSES] = {
    {.name = "gpr", .regs = {{GPRS | BIT(G_SCRATCH), 0}}, .allocatable = {{GPRS, 0}}, .spill_size = 8},
    {.name = "fpr", .regs = {{FPRS | BIT(F_SCRATCH), 0}}, .allocatable = {{FPRS, 0}}, .spill_size = 16},
    {.name = "low", .regs = {{0xf, 0}}, .allocatable = {{0xf, 0}}, .spill_size = 8},
};
static const InstDesc test_insts[N_TEST_INSTS] = {
    [T_OP] = {.name = "op", .untie_mop = NO_MOP},
    [T_TWO] = {.name = "two", .untie_mop = T_THREE},
    [T_THREE] = {.name = "three", .untie_mop = NO_MOP},
    [T_TIED] = {.name = "tied", .untie_mop = NO_MOP},
    [T_DIV] = {.name = "div", .untie_mop = NO_MOP, .flags = MD_WRITES_FLAGS, .clobbers = {{BIT(FLAGS), 0}}},
    [T_CALL] = {.name = "call", .untie_mop = NO_MOP, .flags = MD_CALL},
    [T_IMM] = {.name = "imm", .untie_mop = NO_MOP},
    [T_IMM_FL] = {.name = "imm_fl", .untie_mop = NO_MOP, .flags = MD_WRITES_FLAGS, .clobbers = {{BIT(FLAGS), 0}}},
    [T_CMP] = {.name = "cmp", .untie_mop = NO_MOP, .flags = MD_WRITES_FLAGS},
    [T_JUMP] = {.name = "jump", .untie_mop = NO_MOP, .flags = MD_BRANCH},
    [T_BRANCH] = {.name = "branch", .untie_mop = NO_MOP, .flags = MD_BRANCH | MD_READS_FLAGS},
    [T_INVOKE] = {.name = "invoke", .untie_mop = NO_MOP, .flags = MD_CALL | MD_BRANCH},
    [T_SWITCH] = {.name = "switch", .untie_mop = NO_MOP, .flags = MD_BRANCH},
    [T_RET] = {.name = "ret", .untie_mop = NO_MOP, .flags = MD_RETURN},
};
static const Abi test_abi = {.name = "test",
                             .preserved = {{BIT(5) | BIT(6) | BIT(7), 0}},
                             .clobbered = {{0x1f | FPRS | BIT(F_SCRATCH) | BIT(FLAGS), 0}}};
static const Target test_target = {
    .name = "test",
    .regs = test_regs,
    .n_regs = N_TEST_REGS,
    .classes = test_classes,
    .n_classes = N_TEST_CLASSES,
    .insts = test_insts,
    .n_insts = N_TEST_INSTS,
    .sp = SP,
    .flags = FLAGS,
    .scratch = {{BIT(G_SCRATCH) | BIT(F_SCRATCH), 0}},
};

// ---- building -------------------------------------------------------------------------------------

static MFunc *test_mfunc(Ctx *ctx, Arena *arena) {
    MFunc *m = NEW(arena, MFunc);
    m->ctx = ctx;
    m->arena = arena;
    m->target = &test_target;
    m->abi = &test_abi;
    vec_push(arena, &m->clobbers, (RegSet){{0, 0}});
    vec_push(arena, &m->clobbers, test_abi.clobbered);
    return m;
}

static uint32_t test_vreg(MFunc *m, uint8_t cls, uint8_t size) {
    vec_push(m->arena, &m->vregs, (VReg){.cls = cls, .size = size, .value = NONE, .remat = NONE});
    return m->vregs.n - 1;
}

static MInst *test_inst(MFunc *m, uint16_t mop, uint8_t flags) {
    MInst i = {.mop = mop, .slots = m->slots_pool.n, .flags = flags, .srcloc = NONE, .ir = NONE};
    vec_push(m->arena, &m->insts, i);
    return &vec_last(&m->insts);
}

// Appends an operand to the last instruction.
static MOpnd *test_opnd(MFunc *m, MOpnd o) {
    vec_push(m->arena, &m->slots_pool, o);
    vec_last(&m->insts).n_slots++;
    return &vec_last(&m->slots_pool);
}
static MOpnd *test_use(MFunc *m, uint32_t v, uint8_t fixed) {
    return test_opnd(m, (MOpnd){MO_VREG, ROLE_USE, m->vregs.v[v].cls, fixed, .reg = v});
}
static MOpnd *test_def(MFunc *m, uint32_t v, uint8_t fixed) {
    return test_opnd(m, (MOpnd){MO_VREG, ROLE_DEF, m->vregs.v[v].cls, fixed, .reg = v});
}
static uint32_t test_imm(MFunc *m, uint8_t cls) {
    uint32_t v = test_vreg(m, cls, 8);
    test_inst(m, T_IMM, 0);
    test_def(m, v, NO_REG);
    test_opnd(m, (MOpnd){.kind = MO_IMM, .imm = (int64_t)v});
    m->vregs.v[v].remat = m->insts.n - 1;
    return v;
}
static inline uint32_t test_op(MFunc *m, uint8_t cls) {
    uint32_t v = test_vreg(m, cls, 8);
    test_inst(m, T_OP, 0);
    test_def(m, v, NO_REG);
    return v;
}
static inline MBlock *test_block(MFunc *m) {
    vec_push(m->arena, &m->blocks, (MBlock){.first = m->insts.n, .params = m->lists.n, .ir = NONE});
    return &vec_last(&m->blocks);
}
static inline void test_end_block(MFunc *m) { vec_last(&m->blocks).n = m->insts.n - vec_last(&m->blocks).first; }

// Fills in the predecessors from the edges.
static void test_preds(MFunc *m) {
    for (uint32_t b = 0; b < m->blocks.n; b++) m->blocks.v[b].n_preds = 0;
    for (uint32_t e = 0; e < m->edges.n; e++) m->blocks.v[m->edges.v[e].block].n_preds++;
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        m->blocks.v[b].preds = m->lists.n;
        (void)vec_extend(m->arena, &m->lists, m->blocks.v[b].n_preds);
        m->blocks.v[b].n_preds = 0;
    }
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        for (uint32_t k = 0; k < m->blocks.v[b].n_succs; k++) {
            MBlock *to = &m->blocks.v[m->edges.v[m->blocks.v[b].succs + k].block];
            m->lists.v[to->preds + to->n_preds++] = b;
        }
    }
}

// ---- random code ----------------------------------------------------------------------------------

typedef struct Random {
    uint64_t state;
    MFunc *m;
    uint32_t n; // blocks
    uint32_t succs[64][4];
    uint32_t n_succs[64];
    uint64_t dom[64];
    VEC(uint32_t) params[64];
    VEC(uint32_t) values[64];      // what a block defines
    VEC(uint32_t) edge_values[64]; // what its terminator defines
    uint32_t order[64];            // block at each place of the layout
    uint32_t place[64];
} Random;

static uint32_t rnd(Random *r, uint32_t n) {
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (uint32_t)((r->state >> 11) % n);
}

static inline void random_graph(Random *r) {
    uint32_t n = 1 + rnd(r, 14);
    memset(r->n_succs, 0, sizeof r->n_succs);
    for (uint32_t b = 1; b < n; b++) {
        uint32_t from = rnd(r, 3) ? b - 1 : rnd(r, b);
        if (r->n_succs[from] == 3) from = b - 1;
        r->succs[from][r->n_succs[from]++] = b;
    }
    for (uint32_t k = rnd(r, n); k-- > 0 && n > 1;) {
        uint32_t from = rnd(r, n);
        if (r->n_succs[from] < 3) r->succs[from][r->n_succs[from]++] = 1 + rnd(r, n - 1);
    }
    uint32_t preds[64] = {0};
    for (uint32_t b = 0; b < n; b++) {
        for (uint32_t k = 0; k < r->n_succs[b]; k++) preds[r->succs[b][k]]++;
    }
    r->n = n;
    for (uint32_t b = 0; b < n; b++) {
        bool split = rnd(r, 4) == 0;
        for (uint32_t k = 0; k < r->n_succs[b]; k++) {
            uint32_t to = r->succs[b][k];
            if (!(r->n_succs[b] > 1 && preds[to] > 1) && !split) continue;
            if (r->n == 64) continue;
            r->succs[b][k] = r->n;
            r->succs[r->n][0] = to;
            r->n_succs[r->n++] = 1;
        }
    }
}

static inline void random_dominators(Random *r) {
    r->dom[0] = 1;
    for (uint32_t b = 1; b < r->n; b++) r->dom[b] = ~UINT64_C(0);
    for (bool again = true; again;) {
        again = false;
        uint64_t next[64];
        for (uint32_t b = 0; b < r->n; b++) next[b] = b ? ~UINT64_C(0) : 1;
        for (uint32_t b = 0; b < r->n; b++) {
            for (uint32_t k = 0; k < r->n_succs[b]; k++) {
                if (r->succs[b][k]) next[r->succs[b][k]] &= r->dom[b] | BIT(r->succs[b][k]);
            }
        }
        for (uint32_t b = 0; b < r->n; b++) {
            again |= next[b] != r->dom[b];
            r->dom[b] = next[b];
        }
    }
}

static inline void random_layout(Random *r) {
    for (uint32_t b = 0; b < r->n; b++) r->order[b] = b;
    if (rnd(r, 2)) {
        for (uint32_t i = r->n; i > 2; i--) {
            uint32_t k = 1 + rnd(r, i - 1);
            uint32_t swap = r->order[i - 1];
            r->order[i - 1] = r->order[k];
            r->order[k] = swap;
        }
    }
    for (uint32_t i = 0; i < r->n; i++) r->place[r->order[i]] = i;
}

// Some value of class `cls` that is defined at the current end of b, NONE = there is none.
static inline uint32_t random_value(Random *r, uint32_t b, uint8_t cls) {
    for (unsigned attempt = 0; attempt < 12; attempt++) {
        uint32_t from = attempt % 3 ? rnd(r, r->n) : b;
        if (!(r->dom[b] >> from & 1)) continue;
        uint32_t n = r->values[from].n;
        if (!n) continue;
        uint32_t back = rnd(r, 3) ? rnd(r, n < 6 ? n : 6) : rnd(r, n);
        uint32_t v = r->values[from].v[n - 1 - back];
        if (r->m->vregs.v[v].cls == cls) return v;
    }
    return NONE;
}

static inline uint32_t random_def(Random *r, uint32_t b, uint8_t cls) {
    uint32_t v = test_vreg(r->m, cls, (uint8_t)(1u << rnd(r, 4)));
    vec_push(r->m->arena, &r->values[b], v);
    return v;
}

static uint32_t need_value(Random *r, uint32_t b, uint8_t cls) {
    uint32_t v = random_value(r, b, cls);
    if (v != NONE) return v;
    v = random_def(r, b, cls);
    test_inst(r->m, T_OP, 0);
    test_def(r->m, v, NO_REG);
    return v;
}

static inline void random_op(Random *r, uint32_t b) {
    uint32_t uses[3];
    uint32_t n = rnd(r, 4);
    for (uint32_t k = 0; k < n; k++) uses[k] = need_value(r, b, rnd(r, 4) ? GPR : FPR);
    uint32_t defs = rnd(r, 3);
    test_inst(r->m, T_OP, 0);
    bool low_used = false;
    bool early = rnd(r, 5) == 0;
    for (uint32_t k = 0; k < defs; k++) {
        uint8_t cls = rnd(r, 4) ? GPR : FPR;
        uint32_t v = random_def(r, b, cls);
        MOpnd *o = test_def(r->m, v, NO_REG);
        if (early) o->role = ROLE_DEF_EARLY;
        if (cls == GPR && !low_used && rnd(r, 6) == 0) o->cls = LOW, low_used = true;
    }
    for (uint32_t k = 0; k < n; k++) {
        MOpnd *o = test_use(r->m, uses[k], NO_REG);
        if (o->cls == GPR && !low_used && rnd(r, 6) == 0) o->cls = LOW, low_used = true;
    }
}

static inline void random_tied(Random *r, uint32_t b) {
    uint8_t cls = rnd(r, 4) ? GPR : FPR;
    uint32_t x = need_value(r, b, cls);
    uint32_t y = rnd(r, 4) ? need_value(r, b, cls) : x;
    test_inst(r->m, rnd(r, 2) ? T_TWO : T_TIED, 0);
    bool early = rnd(r, 6) == 0;
    MOpnd *d = test_def(r->m, random_def(r, b, cls), NO_REG);
    if (early) d->role = ROLE_DEF_EARLY;
    test_use(r->m, x, NO_REG)->tied = 1;
    if (rnd(r, 3)) test_use(r->m, y, NO_REG);
    if (vec_last(&r->m->insts).mop == T_TIED && rnd(r, 4) == 0) {
        test_def(r->m, random_def(r, b, cls), NO_REG);
        test_use(r->m, y, NO_REG)->tied = 1;
    }
}

static inline void random_div(Random *r, uint32_t b) {
    uint32_t hi = need_value(r, b, GPR);
    uint32_t lo = rnd(r, 3) ? need_value(r, b, GPR) : hi;
    uint32_t by = rnd(r, 3) ? need_value(r, b, GPR) : hi;
    test_inst(r->m, T_DIV, 0);
    bool tied = rnd(r, 2);
    bool early = rnd(r, 4) == 0;
    MOpnd *d = test_def(r->m, random_def(r, b, GPR), 0);
    if (early && tied) d->role = ROLE_DEF_EARLY;
    test_use(r->m, lo, 0)->tied = tied;
    d = test_def(r->m, random_def(r, b, GPR), 2);
    test_use(r->m, hi, 2)->tied = tied;
    test_use(r->m, by, rnd(r, 4) ? NO_REG : 1);
}

static inline void random_call(Random *r, uint32_t b, uint16_t mop) {
    uint32_t args[5];
    uint32_t n = rnd(r, 5);
    for (uint32_t k = 0; k < n; k++) args[k] = need_value(r, b, k == 3 ? FPR : GPR);
    uint32_t by_reg = rnd(r, 3) == 0 ? need_value(r, b, GPR) : NONE;
    bool results = rnd(r, 3) != 0;
    MInst *i = test_inst(r->m, mop, MI_CALL);
    i->clobbers = 1;
    if (mop == T_INVOKE) i->flags |= MI_TERM;
    test_opnd(r->m, (MOpnd){.kind = MO_SYM, .reg = 0});
    if (by_reg != NONE) test_use(r->m, by_reg, NO_REG);
    for (uint32_t k = 0; k < n; k++) test_use(r->m, args[k], k == 3 ? F0 : (uint8_t)k);
    if (!results) return;
    uint32_t g = test_vreg(r->m, GPR, 8);
    uint32_t f = test_vreg(r->m, FPR, 8);
    test_def(r->m, g, 0);
    test_def(r->m, f, F0);
    if (mop == T_INVOKE) {
        uint32_t other = test_vreg(r->m, GPR, 4);
        test_def(r->m, other, NO_REG);
        vec_push(r->m->arena, &r->edge_values[b], other);
        vec_push(r->m->arena, &r->edge_values[b], g);
        vec_push(r->m->arena, &r->edge_values[b], f);
    } else {
        vec_push(r->m->arena, &r->values[b], g);
        vec_push(r->m->arena, &r->values[b], f);
    }
}

static inline void random_inst(Random *r, uint32_t b) {
    switch (rnd(r, 12)) {
    case 0: random_call(r, b, T_CALL); break;
    case 1:
    case 2:
    case 3: random_tied(r, b); break;
    case 4: random_div(r, b); break;
    case 5:
    case 6: {
        uint32_t v = test_imm(r->m, rnd(r, 4) ? GPR : FPR);
        if (rnd(r, 6) == 0) vec_last(&r->m->insts).mop = T_IMM_FL;
        vec_push(r->m->arena, &r->values[b], v);
        break;
    }
    case 7: {
        uint32_t v = need_value(r, b, GPR);
        test_inst(r->m, MOP_COPY, 0);
        test_def(r->m, random_def(r, b, GPR), NO_REG);
        test_use(r->m, v, NO_REG);
        break;
    }
    default: random_op(r, b); break;
    }
}

static inline void random_term(Random *r, uint32_t b) {
    MFunc *m = r->m;
    if (r->n_succs[b] == 0) {
        uint32_t v = need_value(r, b, GPR);
        uint32_t w = need_value(r, b, GPR);
        test_inst(m, T_RET, MI_TERM);
        test_use(m, v, 0);
        test_use(m, w, 1);
    } else if (r->n_succs[b] == 1) {
        test_inst(m, T_JUMP, MI_TERM);
    } else if (rnd(r, 3) == 0) {
        random_call(r, b, T_INVOKE);
    } else if (rnd(r, 2)) {
        uint32_t v = need_value(r, b, GPR);
        uint32_t w = need_value(r, b, GPR);
        test_inst(m, T_SWITCH, MI_TERM);
        test_use(m, v, NO_REG);
        test_inst(m, T_SWITCH, MI_TERM);
        test_use(m, w, rnd(r, 3) ? NO_REG : 3);
    } else {
        uint32_t v = need_value(r, b, GPR);
        test_inst(m, T_CMP, 0);
        test_use(m, v, NO_REG);
        test_inst(m, T_BRANCH, MI_TERM);
        test_inst(m, T_JUMP, MI_TERM);
    }
}

static inline void random_edges(Random *r, uint32_t b) {
    MFunc *m = r->m;
    MBlock *block = &m->blocks.v[r->place[b]];
    block->succs = m->edges.n;
    block->n_succs = r->n_succs[b];
    for (uint32_t k = 0; k < r->n_succs[b]; k++) {
        uint32_t to = r->succs[b][k];
        uint32_t at = m->lists.n;
        for (uint32_t p = 0; p < r->params[to].n; p++) {
            uint8_t cls = m->vregs.v[r->params[to].v[p]].cls;
            uint32_t v = NONE;
            for (uint32_t e = 0; e < r->edge_values[b].n && v == NONE; e++) {
                uint32_t w = r->edge_values[b].v[e];
                if (m->vregs.v[w].cls == cls && rnd(r, 2)) v = w;
            }
            if (v == NONE) v = random_value(r, b, cls);
            for (uint32_t e = 0; e < r->values[0].n && v == NONE; e++) {
                if (m->vregs.v[r->values[0].v[e]].cls == cls) v = r->values[0].v[e];
            }
            vec_push(m->arena, &m->lists, v);
        }
        vec_push(m->arena, &m->edges, (MEdge){r->place[to], at, r->params[to].n});
    }
}

// Makes no argument smaller than its parameter.
static inline void random_sizes(Random *r) {
    MFunc *m = r->m;
    for (bool again = true; again;) {
        again = false;
        for (uint32_t e = 0; e < m->edges.n; e++) {
            uint32_t to = r->order[m->edges.v[e].block];
            for (uint32_t k = 0; k < m->edges.v[e].n_args; k++) {
                VReg *arg = &m->vregs.v[m->lists.v[m->edges.v[e].args + k]];
                uint8_t size = m->vregs.v[r->params[to].v[k]].size;
                again |= arg->size < size;
                if (arg->size < size) arg->size = size;
            }
        }
    }
}

// A random function. `size` is about how many instructions a block has at most.
static inline MFunc *random_mfunc(Ctx *ctx, Arena *arena, uint64_t seed, uint32_t size) {
    Random *r = NEW(arena, Random);
    r->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    r->m = test_mfunc(ctx, arena);
    for (unsigned k = 0; k < 8; k++) rnd(r, 2);
    random_graph(r);
    random_dominators(r);
    random_layout(r);
    MFunc *m = r->m;
    (void)vec_extend(arena, &m->blocks, r->n);
    uint64_t done = 0;
    for (uint32_t b = 1; b < r->n; b++) {
        uint32_t n = rnd(r, 3) ? rnd(r, 4) : rnd(r, 14);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t v = test_vreg(m, rnd(r, 4) ? GPR : FPR, (uint8_t)(1u << rnd(r, 4)));
            vec_push(arena, &r->params[b], v);
            vec_push(arena, &r->values[b], v);
        }
    }
    // A block's dominators are generated before it.
    for (uint32_t left = r->n; left;) {
        for (uint32_t b = 0; b < r->n; b++) {
            if (done >> b & 1 || (r->dom[b] & ~BIT(b)) & ~done) continue;
            MBlock *block = &m->blocks.v[r->place[b]];
            *block = (MBlock){.first = m->insts.n, .ir = b, .loop_depth = (uint8_t)rnd(r, 4), .cold = rnd(r, 5) == 0};
            if (b == 0) {
                test_inst(m, MOP_ENTRY, 0);
                for (unsigned k = 0; k < 4; k++) test_def(m, random_def(r, 0, GPR), (uint8_t)k);
                for (unsigned k = 0; k < 2; k++) test_def(m, random_def(r, 0, FPR), (uint8_t)(F0 + k));
            }
            for (uint32_t k = rnd(r, size + 1); k-- > 0;) random_inst(r, b);
            random_term(r, b);
            block->n = m->insts.n - block->first;
            done |= BIT(b);
            left--;
            for (uint32_t e = 0; e < r->n; e++) {
                bool sole = false;
                for (uint32_t k = 0; k < r->n_succs[b]; k++) sole |= r->succs[b][k] == e;
                if (!sole || !(r->dom[e] >> b & 1) || e == b) continue;
                for (uint32_t k = 0; k < r->edge_values[b].n; k++) {
                    vec_push(arena, &r->values[e], r->edge_values[b].v[k]);
                }
            }
        }
    }
    for (uint32_t b = 0; b < r->n; b++) random_edges(r, b);
    random_sizes(r);
    for (uint32_t b = 0; b < r->n; b++) {
        m->blocks.v[r->place[b]].params = m->lists.n;
        m->blocks.v[r->place[b]].n_params = r->params[b].n;
        for (uint32_t k = 0; k < r->params[b].n; k++) vec_push(arena, &m->lists, r->params[b].v[k]);
    }
    test_preds(m);
    return m;
}

#endif
