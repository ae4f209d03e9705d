// Plans of functions of a stack machine (core/stack: trees.c, locals.c) and their checker (verify/stack_check.c).
#include <stdio.h>
#include <time.h>

#include "regalloc_growth.h"
#include "stack_machine.h"
#include "unit.h"

typedef struct Job {
    MFunc *m;
    StackPlan plan;
    bool optimise;
} Job;

static void check(Ctx *ctx, void *arg) {
    (void)ctx;
    const Job *job = arg;
    stack_check(job->m, &job->plan);
}

static void make(Ctx *ctx, void *arg) {
    Job *job = arg;
    stack_trees(job->m, &job->plan, job->optimise);
    stack_locals(job->m, &job->plan, job->optimise);
    check(ctx, arg);
}

static const char *last_error(Ctx *ctx) {
    vtr_diagnostic_info info;
    return vtr_diagnostic(ctx, 0, &info) ? info.message : "no diagnostic";
}

static uint64_t rounds(void) {
    const char *text = getenv("VITRAIL_STACK_ROUNDS");
    return text ? strtoull(text, NULL, 10) : 3000;
}

static void random_functions(bool optimise, uint64_t first, uint64_t n, uint32_t size) {
    Ctx *ctx = test_context();
    for (uint64_t seed = first; seed < first + n; seed++) {
        Arena *arena = arena_new(ctx);
        Job job = {.m = random_stack_mfunc(ctx, arena, seed, size), .optimise = optimise};
        vtr_status status = ctx_try(ctx, make, &job);
        ck_assert_msg(status == VTR_OK, "seed %llu: %s: %s", (unsigned long long)seed, vtr_status_name(status),
                      last_error(ctx));
        for (uint64_t input = 0; input < 4; input++) {
            uint64_t want = run_stack(job.m, NULL, input);
            ck_assert_msg(run_stack(job.m, &job.plan, input) == want, "seed %llu, input %llu: another outcome",
                          (unsigned long long)seed, (unsigned long long)input);
        }
        arena_free(arena);
    }
    vtr_context_free(ctx);
}

START_TEST(plain_random) { random_functions(false, 1, rounds() / 4, 8); }
END_TEST
START_TEST(random_short) { random_functions(true, 1, rounds(), 8); }
END_TEST
START_TEST(random_long) { random_functions(true, 1000000, rounds() / 4, 40); }
END_TEST

// ---- the checker objects --------------------------------------------------------------------------

// Spoils the plan in some way.
static void spoil(Job *job, uint64_t seed) {
    StackPlan *plan = &job->plan;
    Random r = {.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    for (unsigned k = 0; k < 8; k++) rnd(&r, 2);
    uint32_t a = rnd(&r, plan->ops.n);
    uint32_t b = rnd(&r, 2) && a + 1 < plan->ops.n ? a + 1 : rnd(&r, plan->ops.n);
    StackOp swap = plan->ops.v[a];
    uint32_t v = rnd(&r, job->m->vregs.n);
    switch (rnd(&r, 6)) {
    case 0:
        plan->ops.v[a] = plan->ops.v[b];
        plan->ops.v[b] = swap;
        break;
    case 1: plan->ops.v[a] = plan->ops.v[b]; break;
    case 2:
        if (plan->ops.v[a].kind == SOP_TEE) plan->ops.v[a].kind = SOP_GET;
        else if (plan->ops.v[a].kind == SOP_SET) plan->ops.v[a].kind = SOP_DROP;
        break;
    case 3: plan->local[v] = plan->local[rnd(&r, job->m->vregs.n)]; break;
    case 4:
        if (plan->ops.v[a].kind != SOP_INST && plan->ops.v[a].kind != SOP_FRAME) plan->ops.v[a].x = v;
        break;
    default: {
        StackRun *run = rnd(&r, 2) && job->m->edges.n ? &plan->edges[rnd(&r, job->m->edges.n)]
                                                      : &plan->blocks[rnd(&r, job->m->blocks.n)];
        if (run->n) run->n--;
    }
    }
}

static bool run_has_locals(const Job *job, const StackRun *run) {
    for (uint32_t k = run->first; k < run->first + run->n; k++) {
        const StackOp *op = &job->plan.ops.v[k];
        bool names = op->kind == SOP_GET || op->kind == SOP_SET || op->kind == SOP_TEE;
        if (names && job->plan.local[op->x] == NONE) return false;
    }
    return true;
}

static bool all_have_locals(const Job *job) {
    bool all = true;
    for (uint32_t b = 0; b < job->m->blocks.n; b++) all &= run_has_locals(job, &job->plan.blocks[b]);
    for (uint32_t e = 0; e < job->m->edges.n; e++) all &= run_has_locals(job, &job->plan.edges[e]);
    return all;
}

// A spoilt plan that the checker takes does what the right one did; and it does not take many.
START_TEST(spoilt_random) {
    Ctx *ctx = test_context();
    unsigned taken = 0;
    unsigned wrong = 0;
    for (uint64_t seed = 1; seed <= rounds(); seed++) {
        Arena *arena = arena_new(ctx);
        Job job = {.m = random_stack_mfunc(ctx, arena, seed % 500, 8), .optimise = seed % 3 != 0};
        ck_assert_int_eq(ctx_try(ctx, make, &job), VTR_OK);
        if (job.plan.ops.n) spoil(&job, seed);
        bool is_taken = ctx_try(ctx, check, &job) == VTR_OK;
        vtr_diagnostics_clear(ctx);
        taken += is_taken;
        bool is_right = all_have_locals(&job);
        for (uint64_t input = 0; input < 8 && is_right; input++)
            is_right = run_stack(job.m, &job.plan, input) == run_stack(job.m, NULL, input);
        wrong += !is_right;
        ck_assert_msg(is_right || !is_taken, "seed %llu: a wrong plan is taken", (unsigned long long)seed);
        arena_free(arena);
    }
    ck_assert_msg(wrong > rounds() / 5 && taken < rounds() * 2 / 3, "%u taken, %u wrong", taken, wrong);
    vtr_context_free(ctx);
}
END_TEST

// ---- growth ---------------------------------------------------------------------------------------

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

typedef struct Times {
    double make, check;
} Times;

static void make_only(Ctx *ctx, void *arg) {
    (void)ctx;
    Job *job = arg;
    stack_trees(job->m, &job->plan, job->optimise);
    stack_locals(job->m, &job->plan, job->optimise);
}

static Times grow(const GrowthCase *c, bool optimise, uint32_t n) {
    Ctx *ctx = test_context();
    Job job = {.m = test_mfunc(ctx, arena_new(ctx)), .optimise = optimise};
    c->make(job.m, n);
    test_preds(job.m);
    for (uint32_t k = 0; k < job.m->insts.n; k++) { // what only uses would be dead
        MInst *i = &job.m->insts.v[k];
        if (i->mop == T_OP && i->n_slots && minst_slots(job.m, i)->role == ROLE_USE) i->mop = T_CALL;
    }
    Times times;
    times.make = seconds();
    vtr_status status = ctx_try(ctx, make_only, &job);
    times.check = seconds();
    ck_assert_msg(status == VTR_OK, "%s: %s", c->name, last_error(ctx));
    times.make = times.check - times.make;
    status = ctx_try(ctx, check, &job);
    times.check = seconds() - times.check;
    ck_assert_msg(status == VTR_OK, "%s: %s", c->name, last_error(ctx));
    vtr_context_free(ctx);
    return times;
}

// Sixteen times the input takes no more than sixty times the time: a quadratic step would take 256 times.
START_TEST(growth) {
    const GrowthCase *c = &growth_cases[_i / 2];
    uint32_t n = c->dense ? c->n / 4 : c->n;
    Times large = grow(c, _i % 2, n);
    Times small = grow(c, _i % 2, n / 16);
    if (getenv("VITRAIL_STACK_TIMES"))
        printf("%-12s %d %u: %f %f, %u: %f %f\n", c->name, _i % 2, n / 16, small.make, small.check, n, large.make,
               large.check);
    ck_assert_msg(c->dense || large.make < 60 * small.make + 0.05, "%s: %f s for %u, %f s for %u", c->name, small.make,
                  n / 16, large.make, n);
    ck_assert_msg(c->dense || large.check < 60 * small.check + 0.05, "%s, checking: %f s for %u, %f s for %u", c->name,
                  small.check, n / 16, large.check, n);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 120);
    tcase_add_test(all, plain_random);
    tcase_add_test(all, random_short);
    tcase_add_test(all, random_long);
    tcase_add_test(all, spoilt_random);
    tcase_add_loop_test(all, growth, 0, 2 * sizeof growth_cases / sizeof *growth_cases);
    return run_tests("stack", all);
}
