// SSA construction: joins, loops, undefined variables, redundant parameters, size, and random functions against
// a direct simulation of the variables.
#include <stdlib.h>

#include "builder/ssa.h"
#include "ir_build.h"
#include "verify/ir_verify.h"
#include "unit.h"

static vtr_context *ctx;
static Arena *arena;
static Func *f;
static Ssa *ssa;
static Builder b;

static void make(Ctx *c, void *arg) {
    (void)arg;
    arena = arena_new(c);
    f = func_new_in(arena);
    f->sig.declared = true;
    f->name = name_of("test");
    ssa = ssa_new(arena, f);
    b = (Builder){f, NO_BLOCK, NONE};
}

static void setup(void) {
    ctx = test_context();
    ck_assert_int_eq(ctx_try(ctx, make, NULL), VTR_OK);
}

static void teardown(void) { vtr_context_free(ctx); }

static Block place(void) {
    Block block = block_new(f);
    block_append(f, block);
    return block;
}

static Value constant(Block at, uint64_t x) {
    b.at = at;
    return ir_iconst(&b, T_i64, x);
}

static void jump(Block from, Block to) {
    b.at = from;
    ssa_branch(ssa, ir_jump(&b, to, NULL, 0));
}

static void split(Block from, Block then, Block other) {
    b.at = from;
    Value c = ir_iconst(&b, T_i8, 1);
    ssa_branch(ssa, ir_brif(&b, c, then, NULL, 0, other, NULL, 0));
}

static void finish(Block from) {
    b.at = from;
    ir_return(&b, NULL, 0);
}

static uint32_t n_params(Block block) { return block_get(f, block)->params.n; }
static Value last(Value v) { return func_value(f, v); }

// a diamond in which x differs on the two ways and y does not
START_TEST(test_join) {
    Block top = place(), left = place(), right = place(), end = place();
    Var x = ssa_declare(ssa, T_i64), y = ssa_declare(ssa, T_i64);
    ssa_seal(ssa, top);
    Value one = constant(top, 1);
    ssa_def(ssa, y, top, one);
    split(top, left, right);
    ssa_seal(ssa, left);
    ssa_seal(ssa, right);
    Value two = constant(left, 2), three = constant(right, 3);
    ssa_def(ssa, x, left, two);
    ssa_def(ssa, x, right, three);
    jump(left, end);
    jump(right, end);
    ssa_seal(ssa, end);
    Value joined = ssa_use(ssa, x, end), same = ssa_use(ssa, y, end);
    finish(end);
    ssa_finish(ssa);
    ck_assert_uint_eq(n_params(end), 1);
    ck_assert_uint_eq(last(joined).i, block_param(f, end, 0).i);
    ck_assert_uint_eq(last(same).i, one.i);
    Inst from_left = block_get(f, left)->last;
    ValueList args = f->calls.v[inst_get(f, from_left)->targets].args;
    ck_assert_uint_eq(args.n, 1);
    ck_assert_uint_eq(list_get(f, args, 0).i, two.i);
    ck_assert(verify_func(f));
}
END_TEST

// two nested loops that only read x, one that counts y
START_TEST(test_loops) {
    Block top = place(), outer = place(), inner = place(), latch = place(), end = place();
    Var x = ssa_declare(ssa, T_i64), y = ssa_declare(ssa, T_i64);
    ssa_seal(ssa, top);
    Value seven = constant(top, 7);
    ssa_def(ssa, x, top, seven);
    ssa_def(ssa, y, top, seven);
    jump(top, outer);
    jump(outer, inner);
    b.at = inner;
    Value used = ssa_use(ssa, x, inner);
    Value counted = ssa_use(ssa, y, inner);
    ssa_def(ssa, y, inner, ir_iadd(&b, counted, used));
    split(inner, inner, latch);
    ssa_seal(ssa, inner);
    ssa_seal(ssa, latch);
    split(latch, outer, end);
    ssa_seal(ssa, outer);
    ssa_seal(ssa, end);
    finish(end);
    ssa_finish(ssa);
    ck_assert_uint_eq(last(used).i, seven.i);
    ck_assert_uint_eq(n_params(outer), 1);
    ck_assert_uint_eq(n_params(inner), 1);
    ck_assert(verify_func(f));
}
END_TEST

// an irreducible pair of blocks that hand x to each other: both parameters are redundant, in a cycle
START_TEST(test_cycle) {
    Block top = place(), one = place(), two = place(), end = place();
    Var x = ssa_declare(ssa, T_i64);
    ssa_seal(ssa, top);
    Value seven = constant(top, 7);
    ssa_def(ssa, x, top, seven);
    split(top, one, two);
    Value used = ssa_use(ssa, x, one);
    split(one, two, end);
    ssa_use(ssa, x, two);
    jump(two, one);
    ssa_seal(ssa, two);
    ssa_seal(ssa, one);
    ssa_seal(ssa, end);
    finish(end);
    ssa_finish(ssa);
    ck_assert_uint_eq(last(used).i, seven.i);
    ck_assert_uint_eq(n_params(one) + n_params(two), 0);
    ck_assert(verify_func(f));
}
END_TEST

START_TEST(test_undefined) {
    Block top = place(), end = place(), dead = place();
    Var x = ssa_declare(ssa, T_i8), y = ssa_declare(ssa, T_f32), z = ssa_declare(ssa, T_f64);
    ssa_seal(ssa, top);
    jump(top, end);
    ssa_seal(ssa, end);
    Value vx = last(ssa_use(ssa, x, end)), vy = last(ssa_use(ssa, y, end)), vz = last(ssa_use(ssa, z, end));
    finish(end);
    // A loop that nothing enters.
    jump(dead, dead);
    ssa_seal(ssa, dead);
    ssa_use(ssa, x, dead);
    ssa_finish(ssa);
    ck_assert_int_eq(inst_get(f, value_def(f, vx))->op, OP_iconst);
    ck_assert_int_eq(inst_get(f, value_def(f, vy))->op, OP_f32const);
    ck_assert_int_eq(inst_get(f, value_def(f, vz))->op, OP_f64const);
    ck_assert_int_eq(value_type(f, vx), T_i8);
    ck_assert(inst_get(f, value_def(f, vx))->imm == 0 && inst_get(f, value_def(f, vz))->imm == 0);
    ck_assert(verify_func(f));
}
END_TEST

// 100,000 blocks in a row, each a little loop that changes one variable; many variables read only at the end.
START_TEST(test_size) {
    enum { BLOCKS = 100000, VARS = 8 };
    Var vars[VARS];
    Block at = place();
    ssa_seal(ssa, at);
    for (int v = 0; v < VARS; v++) {
        vars[v] = ssa_declare(ssa, T_i64);
        ssa_def(ssa, vars[v], at, constant(at, (uint64_t)v));
    }
    Value changed = NO_VALUE;
    for (int k = 0; k < BLOCKS; k++) {
        Block next = place();
        jump(at, next);
        b.at = next;
        changed = ir_iadd(&b, ssa_use(ssa, vars[0], next), ssa_use(ssa, vars[0], next));
        ssa_def(ssa, vars[0], next, changed);
        Block after = place();
        split(next, next, after);
        ssa_seal(ssa, next);
        ssa_seal(ssa, after);
        at = after;
    }
    Value end[VARS];
    for (int v = 0; v < VARS; v++) end[v] = ssa_use(ssa, vars[v], at);
    finish(at);
    ssa_finish(ssa);
    for (int v = 1; v < VARS; v++) ck_assert_int_eq(inst_get(f, value_def(f, last(end[v])))->imm, v);
    ck_assert_uint_eq(last(end[0]).i, changed.i);
    uint32_t params = 0;
    FUNC_BLOCKS(block, f) params += n_params(block);
    ck_assert_uint_eq(params, BLOCKS);
}
END_TEST

// 50,000 variables defined before 50,000 blocks in a row and read behind them: a walk per read would take minutes.
START_TEST(test_wide) {
    enum { N = 50000 };
    Block first = place();
    Block at = first;
    ssa_seal(ssa, at);
    Var *vars = calloc(N, sizeof *vars);
    for (int v = 0; v < N; v++) {
        vars[v] = ssa_declare(ssa, T_i64);
        if (v % 2) ssa_def(ssa, vars[v], at, constant(at, (uint64_t)v));
    }
    for (int k = 0; k < N; k++) {
        Block next = place();
        jump(at, next);
        ssa_seal(ssa, next);
        at = next;
    }
    for (int v = 0; v < N; v++)
        ck_assert_int_eq(inst_get(f, value_def(f, ssa_use(ssa, vars[v], at)))->imm, v % 2 ? v : 0);
    finish(at);
    ssa_finish(ssa);
    ck_assert_uint_eq(n_params(at), 0);
    free(vars);
}
END_TEST

// ---- random functions -------------------------------------------------------------------------------------------

enum { R_BLOCKS = 14, R_VARS = 4, R_OPS = 5 };

typedef struct Step {
    int var;
    bool def;
    Value value;
} Step;

typedef struct RandomBlock {
    Block block;
    Step ops[R_OPS];
    int succ[2];
    int n_succ;
} RandomBlock;

static unsigned state;
static unsigned rnd(unsigned n) {
    state = state * 1103515245u + 12345u;
    return (state >> 16) % n;
}

static RandomBlock blocks[R_BLOCKS];

static void random_shape(int *preds) {
    for (int k = 0; k < R_BLOCKS; k++) {
        blocks[k].block = place();
        blocks[k].n_succ = (int)rnd(3);
        if (k == 0 && blocks[k].n_succ == 0) blocks[k].n_succ = 1;
        for (int s = 0; s < blocks[k].n_succ; s++) {
            blocks[k].succ[s] = 1 + (int)rnd(R_BLOCKS - 1); // never the entry
            preds[blocks[k].succ[s]]++;
        }
    }
}

static void random_fill(const Var *vars, int *preds) {
    // Any order of filling; a block is sealed as soon as its last edge is told.
    int order[R_BLOCKS];
    for (int k = 0; k < R_BLOCKS; k++) order[k] = k;
    for (int k = R_BLOCKS - 1; k > 0; k--) {
        int j = (int)rnd((unsigned)k + 1), t = order[k];
        order[k] = order[j];
        order[j] = t;
    }
    for (int k = 0; k < R_BLOCKS; k++)
        if (!preds[k]) ssa_seal(ssa, blocks[k].block);
    for (int k = 0; k < R_BLOCKS; k++) {
        RandomBlock *r = &blocks[order[k]];
        for (int o = 0; o < R_OPS; o++) {
            r->ops[o].var = (int)rnd(R_VARS);
            r->ops[o].def = rnd(3) == 0;
            Var var = vars[r->ops[o].var];
            if (r->ops[o].def) {
                r->ops[o].value = constant(r->block, (uint64_t)(1 + order[k] * R_OPS + o));
                ssa_def(ssa, var, r->block, r->ops[o].value);
            } else {
                r->ops[o].value = ssa_use(ssa, var, r->block);
            }
        }
        if (r->n_succ == 0) finish(r->block);
        if (r->n_succ == 1) jump(r->block, blocks[r->succ[0]].block);
        if (r->n_succ == 2) split(r->block, blocks[r->succ[0]].block, blocks[r->succ[1]].block);
        for (int s = 0; s < r->n_succ; s++)
            if (--preds[r->succ[s]] == 0) ssa_seal(ssa, blocks[r->succ[s]].block);
    }
}

static uint64_t *held; // by value: what it holds in the simulation

static uint64_t value_now(Value v) {
    v = last(v);
    Inst def = value_def(f, v);
    return inst_ok(def) ? (uint64_t)inst_get(f, def)->imm : held[v.i];
}

// Walks a random path; variables and SSA values must agree at every use.
static void random_walk(void) {
    uint64_t vars[R_VARS] = {0};
    int k = 0;
    for (int step = 0; step < 60; step++) {
        const RandomBlock *r = &blocks[k];
        for (int o = 0; o < R_OPS; o++) {
            if (r->ops[o].def) vars[r->ops[o].var] = (uint64_t)(1 + k * R_OPS + o);
            else ck_assert_uint_eq(value_now(r->ops[o].value), vars[r->ops[o].var]);
        }
        if (!r->n_succ) return;
        uint32_t s = rnd((unsigned)r->n_succ);
        BlockCall call = f->calls.v[inst_get(f, block_get(f, r->block)->last)->targets + s];
        uint64_t args[R_VARS * R_BLOCKS];
        ck_assert_uint_eq(call.args.n, n_params(call.block));
        for (uint32_t a = 0; a < call.args.n; a++) args[a] = value_now(list_get(f, call.args, a));
        for (uint32_t a = 0; a < call.args.n; a++) held[block_param(f, call.block, a).i] = args[a];
        k = r->succ[s];
    }
}

START_TEST(test_random) {
    for (unsigned seed = 0; seed < 60; seed++) {
        state = (unsigned)_i * 1000 + seed;
        if (seed) ck_assert_int_eq(ctx_try(ctx, make, NULL), VTR_OK);
        int preds[R_BLOCKS] = {0};
        Var vars[R_VARS];
        for (int v = 0; v < R_VARS; v++) vars[v] = ssa_declare(ssa, T_i64);
        random_shape(preds);
        random_fill(vars, preds);
        ssa_finish(ssa);
        ck_assert(verify_func(f));
        held = calloc(f->values.n, sizeof *held);
        for (int walk = 0; walk < 30; walk++) random_walk();
        free(held);
        arena_free(arena);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("ssa");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, test_join);
    tcase_add_test(tc, test_loops);
    tcase_add_test(tc, test_cycle);
    tcase_add_test(tc, test_undefined);
    tcase_add_test(tc, test_size);
    tcase_add_test(tc, test_wide);
    tcase_add_loop_test(tc, test_random, 0, 10);
    return run_tests("ssa", tc);
}
