// Control-flow graph, dominators and loops against their definitions, on random graphs; and the builder functions
// and editing operations that the graphs are made with.
#include "ir/dom.h"
#include "ir_build.h"
#include "ir_test.h"
#include "unit.h"

enum { MAX_BLOCKS = 24 };

static uint64_t seed = 88172645463325252;

static unsigned below(unsigned n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 20) % n;
}

// n blocks, each ending in a return or a br_table to random blocks.
static Func *random_graph(Ctx *ctx, unsigned n) {
    Func *f = func_new(ctx);
    Builder b = {f, NO_BLOCK, NONE};
    f->name = name_of("g");
    for (unsigned k = 0; k < n; k++) block_append(f, block_new(f));
    for (unsigned k = 0; k < n; k++) {
        BlockCall targets[4];
        b.at = (Block){k};
        unsigned m = below(4);
        for (unsigned t = 0; t < m; t++) targets[t] = (BlockCall){{1 + below(n - 1)}, {0, 0}};
        if (m == 0) {
            ir_return(&b, NULL, 0);
        } else {
            ir_br_table(&b, ir_iconst(&b, T_i32, k), targets, m);
        }
    }
    return f;
}

// Blocks reached from the entry when `without` is taken out (NONE: nothing is).
static void reach(const Func *f, uint32_t without, bool *seen) {
    uint32_t work[MAX_BLOCKS * 4 + 1];
    unsigned n = 0;
    memset(seen, 0, MAX_BLOCKS * sizeof *seen);
    if (without != 0) work[n++] = 0;
    while (n) {
        uint32_t b = work[--n];
        if (seen[b]) continue;
        seen[b] = true;
        uint32_t m;
        const BlockCall *to = block_targets(f, (Block){b}, &m);
        for (uint32_t k = 0; k < m; k++) {
            if (to[k].block.i != without && !seen[to[k].block.i]) work[n++] = to[k].block.i;
        }
    }
}

// Does a natural loop with this header hold b? From b the latch is reached without passing the header.
static bool in_loop(const Func *f, const Cfg *cfg, uint32_t header, uint32_t b) {
    if (!cfg_dominates(cfg, (Block){header}, (Block){b})) return false;
    bool seen[MAX_BLOCKS] = {false};
    uint32_t work[MAX_BLOCKS * 4 + 1];
    unsigned n = 0;
    work[n++] = b;
    while (n) {
        uint32_t at = work[--n];
        if (seen[at]) continue;
        seen[at] = true;
        uint32_t m;
        const BlockCall *to = block_targets(f, (Block){at}, &m);
        for (uint32_t k = 0; k < m; k++) {
            uint32_t t = to[k].block.i;
            if (t == header && cfg_dominates(cfg, (Block){header}, (Block){at})) return true;
            if (t != header && !seen[t]) work[n++] = t;
        }
    }
    return false;
}

static void check_graph(const Func *f, const Cfg *cfg, unsigned n) {
    bool dominates[MAX_BLOCKS][MAX_BLOCKS] = {{false}};
    bool reached[MAX_BLOCKS];
    bool seen[MAX_BLOCKS];
    reach(f, NONE, reached);
    for (unsigned a = 0; a < n; a++) {
        ck_assert_int_eq(cfg_reachable(cfg, (Block){a}), reached[a]);
        reach(f, a, seen);
        for (unsigned b = 0; b < n; b++) {
            dominates[a][b] = reached[a] && reached[b] && !seen[b];
            ck_assert_msg(cfg_dominates(cfg, (Block){a}, (Block){b}) == dominates[a][b], "block%u, block%u", a, b);
        }
    }
    for (unsigned b = 0; b < n; b++) {
        unsigned depth = 0;
        if (!reached[b]) {
            ck_assert(!block_ok(cfg->idom[b]));
            continue;
        }
        for (unsigned h = 0; h < n; h++) depth += reached[h] && in_loop(f, cfg, h, b);
        ck_assert_msg(cfg->depth[b] == depth, "block%u: depth %u instead of %u", b, cfg->depth[b], depth);
        if (b == 0) continue;
        uint32_t idom = cfg->idom[b].i;
        for (unsigned a = 0; a < n; a++) {
            if (a != b && dominates[a][b]) ck_assert_msg(dominates[a][idom], "idom of block%u", b);
        }
    }
}

START_TEST(test_random_graphs) {
    for (unsigned round = 0; round < 3000; round++) {
        Ctx *ctx = test_context();
        unsigned n = 2 + below(MAX_BLOCKS - 2);
        Func *f = random_graph(ctx, n);
        check_graph(f, cfg_new(f->arena, f), n);
        vtr_context_free(ctx);
    }
}
END_TEST

// Edges carry their block call, and stand in the order of their sources.
START_TEST(test_edges) {
    Ctx *ctx = test_context();
    Func *f = read_func(arena_new(ctx), "function %f(i32) {\nblock0(v0: i32):\n  brif v0, block1(v0), block1(v0)\n"
                                        "block2:\n  jump block1(v0)\nblock1(v1: i32):\n  brif v1, block1(v1), block3\n"
                                        "block3:\n  return\n}");
    Cfg *cfg = cfg_new(f->arena, f);
    ck_assert_uint_eq(cfg->n_rpo, 3);
    ck_assert_uint_eq(cfg->pred_at[2] - cfg->pred_at[1], 3);
    const CfgEdge *edges = &cfg->preds[cfg->pred_at[1]];
    ck_assert_uint_eq(edges[0].from.i, 0);
    ck_assert_uint_eq(edges[1].from.i, 0);
    ck_assert_uint_ne(edges[0].target, edges[1].target);
    ck_assert_uint_eq(edges[2].from.i, 1);
    ck_assert_uint_eq(f->calls.v[edges[2].target].block.i, 1);
    ck_assert_uint_eq(cfg->depth[1], 1);
    ck_assert_uint_eq(cfg->depth[3], 0);
    vtr_context_free(ctx);
}
END_TEST

// A ladder of a hundred thousand blocks: slow if anything is quadratic, deep if anything recurses.
START_TEST(test_long_ladder) {
    enum { RUNGS = 100000 };
    Ctx *ctx = test_context();
    Func *f = func_new(ctx);
    Builder b = {f, NO_BLOCK, NONE};
    for (unsigned k = 0; k < RUNGS; k++) block_append(f, block_new(f));
    for (unsigned k = 0; k < RUNGS; k++) {
        b.at = (Block){k};
        if (k + 1 < RUNGS) {
            Block other = {k % 2 && k > 2 ? k - 2 : k + 2 < RUNGS ? k + 2 : k + 1};
            ir_brif(&b, ir_iconst(&b, T_i8, k), (Block){k + 1}, NULL, 0, other, NULL, 0);
        } else {
            ir_return(&b, NULL, 0);
        }
    }
    Cfg *cfg = cfg_new(f->arena, f);
    ck_assert(cfg_dominates(cfg, (Block){0}, (Block){RUNGS - 1}));
    vtr_context_free(ctx);
}
END_TEST

START_TEST(test_editing) {
    Ctx *ctx = test_context();
    Func *f = func_new(ctx);
    Builder b = {f, block_new(f), 5};
    block_append(f, b.at);
    Value x = ir_iconst(&b, T_i16, 0x12345);
    ck_assert_int_eq(inst_get(f, value_def(f, x))->imm, 0x2345); // zero-extended bits of the type
    ck_assert_uint_eq(inst_get(f, value_def(f, x))->srcloc, 5);
    Inst sum = ir_uadd_overflow(&b, x, x);
    ck_assert_int_eq(value_type(f, inst_result(f, sum, 0)), T_i16);
    ck_assert_int_eq(value_type(f, inst_result(f, sum, 1)), T_i8);
    Value halves[2] = {x, inst_result(f, sum, 0)};
    Value wide = ir_iconcat(&b, halves[0], halves[1]);
    ck_assert_int_eq(value_type(f, wide), T_i32);
    Inst end = ir_return(&b, halves, 2);
    Block second = block_new(f);
    block_append(f, second);
    ck_assert(block_eq(f->last, second));
    inst_remove(f, sum);
    inst_insert_before(f, sum, value_def(f, x));
    ck_assert(inst_eq(block_get(f, b.at)->first, sum));
    ck_assert(inst_eq(block_get(f, b.at)->last, end));
    ValueList list = {0, 0};
    ValueList other = {0, 0};
    for (unsigned k = 0; k < 100; k++) {
        list_push(f, &list, x);
        list_push(f, &other, wide);
    }
    for (unsigned k = 0; k < 100; k++) {
        ck_assert(value_eq(list_get(f, list, k), x));
        ck_assert(value_eq(list_get(f, other, k), wide));
    }
    Value copies[50];
    for (unsigned k = 0; k < 50; k++) copies[k] = ir_ineg(&b, wide);
    for (unsigned k = 0; k + 1 < 50; k++) value_alias(f, copies[k], copies[k + 1]);
    ck_assert(value_eq(func_value(f, copies[0]), copies[49]));
    block_remove(f, b.at);
    ck_assert(block_eq(f->first, second));
    ck_assert(!block_ok(inst_get(f, end)->block));
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("dom");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_random_graphs);
    tcase_add_test(tests, test_edges);
    tcase_add_test(tests, test_long_ladder);
    tcase_add_test(tests, test_editing);
    return run_tests("ir_dom", tests);
}
