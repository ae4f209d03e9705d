// Register allocation: random functions for a made-up machine, allocated both ways and proved by the checker.
#include <stdlib.h>
#include <time.h>

#include "mfunc_random.h"
#include "regalloc_growth.h"
#include "unit.h"

typedef struct Job {
    MFunc *m;
    RaKind kind;
    Stress stress;
    MFunc *before;
} Job;

static void allocate(Ctx *ctx, void *arg) {
    (void)ctx;
    Job *job = arg;
    job->before = mfunc_copy(job->m->arena, job->m);
    ra_allocate(job->m, job->kind, &job->stress);
    ra_check(job->before, job->m);
}

static void check(Ctx *ctx, void *arg) {
    (void)ctx;
    const Job *job = arg;
    ra_check(job->before, job->m);
}

static const char *last_error(Ctx *ctx) {
    vtr_diagnostic_info info;
    return vtr_diagnostic(ctx, 0, &info) ? info.message : "no diagnostic";
}

static void random_functions(RaKind kind, uint64_t first, uint64_t n, uint32_t size) {
    Ctx *ctx = test_context();
    for (uint64_t seed = first; seed < first + n; seed++) {
        Arena *arena = arena_new(ctx);
        static const uint32_t regs[4] = {0, 0, 5, 4};
        Job job = {random_mfunc(ctx, arena, seed, size),
                   kind,
                   {.max_regs = regs[seed % 4], .seed = seed % 3 ? seed : 0},
                   NULL};
        vtr_status status = ctx_try(ctx, allocate, &job);
        ck_assert_msg(status == VTR_OK, "seed %llu: %s: %s", (unsigned long long)seed, vtr_status_name(status),
                      last_error(ctx));
        arena_free(arena);
    }
    vtr_context_free(ctx);
}

static uint64_t rounds(void) {
    const char *text = getenv("VITRAIL_RA_ROUNDS");
    return text ? strtoull(text, NULL, 10) : 4000;
}

START_TEST(none_random) { random_functions(RA_NONE, 1, rounds(), 8); }
END_TEST
START_TEST(none_random_long) { random_functions(RA_NONE, 1000000, rounds() / 8, 60); }
END_TEST
START_TEST(speed_random) { random_functions(RA_SPEED, 1, rounds(), 8); }
END_TEST
START_TEST(speed_random_long) { random_functions(RA_SPEED, 1000000, rounds() / 8, 60); }
END_TEST

static void end_with(MFunc *m, uint16_t mop, const uint32_t *to, uint32_t n) {
    test_inst(m, mop, MI_TERM);
    test_end_block(m);
    vec_last(&m->blocks).succs = m->edges.n;
    vec_last(&m->blocks).n_succs = n;
    for (uint32_t k = 0; k < n; k++) vec_push(m->arena, &m->edges, (MEdge){to[k], m->lists.n, 0});
}

// Moves of block b from or to a slot.
static unsigned slot_moves(const MFunc *m, uint32_t b) {
    const MBlock *block = &m->blocks.v[b];
    unsigned n = 0;
    for (uint32_t i = block->first; i < block->first + block->n; i++) {
        const MInst *inst = &m->insts.v[i];
        const MOpnd *o = minst_slots(m, inst);
        n += inst->flags & MI_MOVE && (o[0].kind == MO_SLOT || o[1].kind == MO_SLOT);
    }
    return n;
}

// Three values live around a call in a cold block: it saves them and brings them back, and nobody else pays, neither
// with stores nor by using a register that the prologue must save.
START_TEST(cold_call) {
    vtr_context *ctx = NULL;
    ck_assert_int_eq(vtr_context_new(NULL, &ctx), VTR_OK);
    MFunc *m = test_mfunc(ctx, arena_new(ctx));
    test_block(m);
    uint32_t first = m->vregs.n;
    for (uint32_t i = 0; i < 3; i++) test_op(m, GPR);
    end_with(m, T_BRANCH, (uint32_t[]){1, 3}, 2);
    test_block(m);
    end_with(m, T_JUMP, (uint32_t[]){2}, 1);
    test_block(m);
    for (uint32_t i = 0; i < 3; i++) {
        test_inst(m, T_OP, 0);
        test_use(m, first + i, NO_REG);
    }
    end_with(m, T_RET, NULL, 0);
    test_block(m)->cold = true;
    test_inst(m, T_CALL, MI_CALL)->clobbers = 1;
    end_with(m, T_JUMP, (uint32_t[]){2}, 1);
    test_preds(m);
    Job job = {m, RA_SPEED, {0}, NULL};
    vtr_status status = ctx_try(ctx, allocate, &job);
    ck_assert_msg(status == VTR_OK, "%s", last_error(ctx));
    for (uint32_t b = 0; b < 3; b++) ck_assert_uint_eq(slot_moves(m, b), 0);
    ck_assert_uint_eq(slot_moves(m, 3), 6);
    ck_assert_uint_eq(m->used.w[0] & test_abi.preserved.w[0], 0);
    vtr_context_free(ctx);
}
END_TEST

// A value that must give way in code as frequent as its definition, but only on one of two ways: the other stores
// nothing.
START_TEST(late_store) {
    vtr_context *ctx = NULL;
    ck_assert_int_eq(vtr_context_new(NULL, &ctx), VTR_OK);
    MFunc *m = test_mfunc(ctx, arena_new(ctx));
    test_block(m);
    uint32_t v = test_op(m, FPR);
    end_with(m, T_BRANCH, (uint32_t[]){1, 2}, 2);
    test_block(m);
    test_inst(m, T_OP, 0);
    test_use(m, v, NO_REG);
    end_with(m, T_RET, NULL, 0);
    test_block(m);
    test_inst(m, T_CALL, MI_CALL)->clobbers = 1;
    test_inst(m, T_OP, 0);
    test_use(m, v, NO_REG);
    end_with(m, T_RET, NULL, 0);
    test_preds(m);
    Job job = {m, RA_SPEED, {0}, NULL};
    vtr_status status = ctx_try(ctx, allocate, &job);
    ck_assert_msg(status == VTR_OK, "%s", last_error(ctx));
    ck_assert_uint_eq(slot_moves(m, 0), 0);
    ck_assert_uint_eq(slot_moves(m, 1), 0);
    ck_assert_uint_eq(slot_moves(m, 2), 2);
    vtr_context_free(ctx);
}
END_TEST

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

// The times of allocating and of checking.
typedef struct Times {
    double allocate, check;
} Times;

static Times grow(const GrowthCase *c, RaKind kind, uint32_t n) {
    Ctx *ctx = test_context();
    Arena *arena = arena_new(ctx);
    MFunc *m = test_mfunc(ctx, arena);
    c->make(m, n);
    test_preds(m);
    Job job = {m, kind, {0}, mfunc_copy(arena, m)};
    Times times;
    times.allocate = seconds();
    ra_allocate(m, kind, NULL);
    times.check = seconds();
    times.allocate = times.check - times.allocate;
    vtr_status status = ctx_try(ctx, check, &job);
    times.check = seconds() - times.check;
    ck_assert_msg(status == VTR_OK, "%s: %s", c->name, last_error(ctx));
    vtr_context_free(ctx);
    return times;
}

// Sixteen times the input takes no more than sixty times the time: a quadratic step would take 256 times.
START_TEST(growth) {
    const GrowthCase *c = &growth_cases[_i / 2];
    RaKind kind = _i % 2 ? RA_SPEED : RA_NONE;
    Times large = grow(c, kind, c->n);
    Times small = grow(c, kind, c->n / 16);
    bool quick = (c->dense && kind == RA_SPEED) || large.allocate < 60 * small.allocate + 0.05;
    ck_assert_msg(quick, "%s: %f s for %u, %f s for %u", c->name, small.allocate, c->n / 16, large.allocate, c->n);
    ck_assert_msg(large.check < 60 * small.check + 0.05, "%s, checking: %f s for %u, %f s for %u", c->name, small.check,
                  c->n / 16, large.check, c->n);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("regalloc");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, none_random);
    tcase_add_test(tests, none_random_long);
    tcase_add_test(tests, speed_random);
    tcase_add_test(tests, speed_random_long);
    tcase_add_test(tests, cold_call);
    tcase_add_test(tests, late_store);
    tcase_add_loop_test(tests, growth, 0, 2 * sizeof growth_cases / sizeof *growth_cases);
    return run_tests("regalloc", tests);
}
