// Worst cases of register allocation, each of size n.
#ifndef TESTS_UNIT_REGALLOC_GROWTH_H
#define TESTS_UNIT_REGALLOC_GROWTH_H

#include "mfunc_random.h"

static void growth_jump(MFunc *m, uint32_t to) {
    test_inst(m, T_JUMP, MI_TERM);
    MBlock *b = &vec_last(&m->blocks);
    b->n = m->insts.n - b->first;
    b->succs = m->edges.n;
    b->n_succs = 1;
    vec_push(m->arena, &m->edges, (MEdge){to, m->lists.n, 0});
}

static void growth_return(MFunc *m, uint32_t v) {
    test_inst(m, T_RET, MI_TERM);
    test_use(m, v, 0);
    test_end_block(m);
}

// n instructions, each using the two before.
static void growth_straight(MFunc *m, uint32_t n) {
    test_block(m);
    uint32_t a = test_op(m, GPR);
    uint32_t b = test_op(m, GPR);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = test_op(m, GPR);
        test_use(m, a, NO_REG);
        test_use(m, b, NO_REG);
        a = b;
        b = c;
    }
    growth_return(m, b);
}

// n values that all live until the last was made, then are used forwards and backwards.
static void growth_pressure(MFunc *m, uint32_t n) {
    test_block(m);
    uint32_t first = m->vregs.n;
    for (uint32_t i = 0; i < n; i++) test_op(m, i % 2 ? FPR : GPR);
    for (uint32_t i = 0; i < n; i++) {
        test_inst(m, T_OP, 0);
        test_use(m, first + i, NO_REG);
        test_use(m, first + n - 1 - i, NO_REG);
    }
    growth_return(m, first);
}

// n blocks in a row with a few values live through all of them, used in each.
static void growth_blocks(MFunc *m, uint32_t n) {
    test_block(m);
    uint32_t first = m->vregs.n;
    for (uint32_t i = 0; i < 12; i++) test_op(m, GPR);
    growth_jump(m, 1);
    for (uint32_t b = 1; b <= n; b++) {
        test_block(m);
        test_inst(m, T_OP, 0);
        test_use(m, first + b % 12, NO_REG);
        if (b < n) {
            growth_jump(m, b + 1);
        } else {
            growth_return(m, first);
        }
    }
}

// A block with n parameters, reached twice: straight, and by a loop edge that turns them round.
static void growth_params(MFunc *m, uint32_t n) {
    test_block(m);
    uint32_t args = m->vregs.n;
    for (uint32_t i = 0; i < n; i++) test_op(m, GPR);
    uint32_t params = m->vregs.n;
    for (uint32_t i = 0; i < n; i++) test_vreg(m, GPR, 8);
    growth_jump(m, 1);
    m->edges.v[0].n_args = n;
    for (uint32_t i = 0; i < n; i++) vec_push(m->arena, &m->lists, args + i);
    MBlock *b = test_block(m);
    b->n_params = n;
    for (uint32_t i = 0; i < n; i++) vec_push(m->arena, &m->lists, params + i);
    test_inst(m, T_OP, 0);
    test_use(m, params + n / 2, NO_REG);
    test_inst(m, T_BRANCH, MI_TERM);
    growth_jump(m, 2);
    vec_last(&m->blocks).n_succs = 2;
    vec_push(m->arena, &m->edges, (MEdge){3, m->lists.n, 0});
    test_block(m);
    growth_jump(m, 1);
    vec_last(&m->edges).n_args = n;
    for (uint32_t i = 0; i < n; i++) vec_push(m->arena, &m->lists, params + (i + 1) % n);
    test_block(m);
    growth_return(m, params);
}

// n calls, with values that live through all of them.
static void growth_calls(MFunc *m, uint32_t n) {
    test_block(m);
    uint32_t first = m->vregs.n;
    for (uint32_t i = 0; i < 20; i++) test_op(m, i % 2 ? FPR : GPR);
    for (uint32_t i = 0; i < n; i++) {
        test_inst(m, T_CALL, MI_CALL)->clobbers = 1;
        test_use(m, first + 2 * (i % 10), 0);
        test_use(m, first + 2 * ((i + 1) % 10), 1);
        test_use(m, first + 2 * (i % 10) + 1, F0);
        test_def(m, test_vreg(m, GPR, 8), 0);
    }
    growth_return(m, first);
}

// A switch over n blocks that meet again, with a value from each.
static void growth_switch(MFunc *m, uint32_t n) {
    test_block(m);
    uint32_t v = test_op(m, GPR);
    test_inst(m, T_SWITCH, MI_TERM);
    test_use(m, v, NO_REG);
    test_end_block(m);
    m->blocks.v[0].n_succs = n;
    for (uint32_t i = 0; i < n; i++) vec_push(m->arena, &m->edges, (MEdge){1 + i, m->lists.n, 0});
    uint32_t param = test_vreg(m, GPR, 8);
    for (uint32_t i = 0; i < n; i++) {
        test_block(m);
        uint32_t w = test_op(m, GPR);
        test_use(m, v, NO_REG);
        growth_jump(m, n + 1);
        vec_last(&m->edges).n_args = 1;
        vec_push(m->arena, &m->lists, w);
    }
    MBlock *b = test_block(m);
    b->n_params = 1;
    vec_push(m->arena, &m->lists, param);
    growth_return(m, param);
}

// Values with a hole in every other block.
static void growth_holes(MFunc *m, uint32_t n) {
    test_block(m);
    uint32_t v[4];
    for (uint32_t i = 0; i < 4; i++) v[i] = test_op(m, GPR);
    test_inst(m, T_SWITCH, MI_TERM);
    test_use(m, v[0], NO_REG);
    test_end_block(m);
    m->blocks.v[0].n_succs = n;
    for (uint32_t i = 0; i < n; i++) vec_push(m->arena, &m->edges, (MEdge){1 + i, m->lists.n, 0});
    for (uint32_t i = 0; i < n; i++) {
        test_block(m);
        test_inst(m, T_CALL, MI_CALL)->clobbers = 1;
        test_inst(m, T_OP, 0);
        test_use(m, v[i % 4], NO_REG);
        test_use(m, v[(i + 1) % 4], NO_REG);
        growth_return(m, i % 2 ? v[2] : v[3]);
    }
}

// n diamonds: a value from in front of each is used in both arms and behind, one from each arm meets there.
static void growth_diamonds(MFunc *m, uint32_t n) {
    test_block(m);
    uint32_t base = test_op(m, GPR);
    uint32_t last = base;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = test_op(m, GPR);
        test_use(m, last, NO_REG);
        test_inst(m, T_SWITCH, MI_TERM);
        test_use(m, v, NO_REG);
        test_end_block(m);
        uint32_t b = m->blocks.n;
        vec_last(&m->blocks).succs = m->edges.n;
        vec_last(&m->blocks).n_succs = 2;
        for (uint32_t k = 0; k < 2; k++) vec_push(m->arena, &m->edges, (MEdge){b + k, m->lists.n, 0});
        uint32_t param = test_vreg(m, GPR, 8);
        for (uint32_t k = 0; k < 2; k++) {
            test_block(m);
            uint32_t w = test_op(m, GPR);
            test_use(m, v, NO_REG);
            test_use(m, base, NO_REG);
            growth_jump(m, b + 2);
            vec_last(&m->edges).n_args = 1;
            vec_push(m->arena, &m->lists, w);
        }
        MBlock *join = test_block(m);
        join->n_params = 1;
        vec_push(m->arena, &m->lists, param);
        test_inst(m, T_OP, 0);
        test_use(m, v, NO_REG);
        last = param;
    }
    growth_return(m, last);
}

// n values made at once, and n blocks that use one each, the last one first: all of them wait.
static void growth_waiting(MFunc *m, uint32_t n) {
    test_block(m);
    uint32_t first = m->vregs.n;
    for (uint32_t i = 0; i < n; i++) test_op(m, GPR);
    for (uint32_t i = 0; i < n; i++) {
        growth_jump(m, i + 1);
        test_block(m);
        test_inst(m, T_OP, 0);
        test_use(m, first + n - 1 - i, NO_REG);
    }
    growth_return(m, first);
}

typedef struct GrowthCase {
    const char *name;
    void (*make)(MFunc *m, uint32_t n);
    uint32_t n;
    bool dense; // n^2 pairs of a value and a block where it is live, which `speed` visits
} GrowthCase;

static const GrowthCase growth_cases[] = {
    {"straight", growth_straight, 200000, false}, {"pressure", growth_pressure, 10000, false},
    {"blocks", growth_blocks, 50000, false},      {"params", growth_params, 10000, false},
    {"calls", growth_calls, 50000, false},        {"switch", growth_switch, 20000, false},
    {"holes", growth_holes, 20000, false},        {"diamonds", growth_diamonds, 20000, false},
    {"waiting", growth_waiting, 4000, true},
};

#endif
