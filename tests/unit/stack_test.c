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

// ---- what plans look like -------------------------------------------------------------------------

// A run of operations as text: `get 1` with the number of the local, `op 7` with that of the instruction.
static const char *run_text(const Job *job, const StackRun *run) {
    static const char *const names[] = {"inst", "get", "set", "tee", "drop", "frame"};
    Buf text = buf_new(job->m->arena);
    for (uint32_t k = run->first; k < run->first + run->n; k++) {
        const StackOp *op = &job->plan.ops.v[k];
        if (k > run->first) buf_text(&text, "; ");
        if (op->kind == SOP_INST) {
            buf_printf(&text, "%s", stack_insts[job->m->insts.v[op->x].mop].name);
        } else {
            buf_printf(&text, "%s", names[op->kind]);
            if (op->kind <= SOP_TEE) buf_printf(&text, " %u", job->plan.local[op->x]);
        }
    }
    return buf_str(&text);
}

static void add_op(MFunc *m, uint16_t mop, uint32_t result, const uint32_t *uses, uint32_t n) {
    test_inst(m, mop, mop == S_CHECK ? MI_TRAP : 0);
    for (uint32_t k = 0; k < n; k++) test_use(m, uses[k], NO_REG);
    if (result != NONE) test_def(m, result, NO_REG);
}
#define ADD(m, mop, result, ...)                                                                                       \
    add_op((m), (mop), (result), (uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void end_block(MFunc *m, uint16_t mop, const uint32_t *uses, uint32_t n_uses, const MEdge *edges, uint32_t n) {
    add_op(m, mop, NONE, uses, n_uses);
    vec_last(&m->insts).flags = MI_TERM;
    test_end_block(m);
    vec_last(&m->blocks).succs = m->edges.n;
    vec_last(&m->blocks).n_succs = n;
    for (uint32_t k = 0; k < n; k++) vec_push(m->arena, &m->edges, edges[k]);
}

static MEdge edge_to(MFunc *m, uint32_t block, const uint32_t *args, uint32_t n) {
    MEdge e = {block, m->lists.n, n};
    for (uint32_t k = 0; k < n; k++) vec_push(m->arena, &m->lists, args[k]);
    return e;
}

static MBlock *block_with(MFunc *m, const uint32_t *params, uint32_t n) {
    MBlock *b = test_block(m);
    b->n_params = n;
    for (uint32_t k = 0; k < n; k++) vec_push(m->arena, &m->lists, params[k]);
    return b;
}

// An optimised plan of one block: entry, what `fill` adds, a return of what it returns.
static const char *block_plan(Ctx *ctx, uint32_t (*fill)(MFunc *m, const uint32_t *params), Job *job) {
    MFunc *m = stack_mfunc(ctx, arena_new(ctx));
    *job = (Job){.m = m, .optimise = true};
    uint32_t params[N_STACK_PARAMS];
    test_block(m);
    stack_entry(m, params);
    uint32_t result = fill(m, params);
    end_block(m, S_RET, &result, 1, NULL, 0);
    test_preds(m);
    ck_assert_msg(ctx_try(ctx, make, job) == VTR_OK, "%s", last_error(ctx));
    return run_text(job, &job->plan.blocks[0]);
}

static uint32_t one_tree(MFunc *m, const uint32_t *p) {
    uint32_t v[3];
    for (unsigned k = 0; k < 3; k++) v[k] = test_vreg(m, GPR, 8);
    ADD(m, S_LOAD, v[0], p[0]);
    ADD(m, S_OP, v[1], p[1]);
    ADD(m, S_OP, v[2], v[0], v[1], v[0]);
    return v[2];
}

static uint32_t one_waits(MFunc *m, const uint32_t *p) {
    uint32_t v = test_vreg(m, GPR, 8);
    uint32_t address = test_vreg(m, GPR, 8);
    ADD(m, S_CALL, v, p[0]);
    ADD(m, S_CHECK, NONE, p[1]);
    ADD(m, S_OP, address, p[1]);
    ADD(m, S_STORE, NONE, address, v);
    return p[0];
}

static uint32_t one_cannot_wait(MFunc *m, const uint32_t *p) {
    uint32_t v = test_vreg(m, GPR, 8);
    uint32_t address = test_vreg(m, GPR, 8);
    ADD(m, S_LOAD, v, p[0]);
    ADD(m, S_CALL, address, p[1]);
    ADD(m, S_STORE, NONE, address, v);
    return p[0];
}

static uint32_t parameters_end(MFunc *m, const uint32_t *p) {
    uint32_t v[3];
    for (unsigned k = 0; k < 3; k++) v[k] = test_vreg(m, GPR, 8);
    ADD(m, S_OP, v[0], p[0]);
    ADD(m, S_OP, v[1], v[0], v[0]);
    ADD(m, S_OP, v[2], v[1], v[1]);
    return v[2];
}

// In the order of the fields: a tree, with a `tee` at the first of two uses; what waits below a check and an address
// that is computed in front of it; what cannot, as the address comes later; locals of parameters that are used again.
START_TEST(values_stay_on_the_stack) {
    static const struct {
        uint32_t (*fill)(MFunc *m, const uint32_t *params);
        const char *ops;
    } cases[] = {
        {one_tree, "get 0; load; tee 0; get 1; op; get 0; op"},
        {one_waits, "get 1; op; get 0; call; get 1; check; store; get 0"},
        {one_cannot_wait, "get 0; load; set 3; get 1; call; get 3; store; get 0"},
        {parameters_end, "get 0; op; tee 0; get 0; op; tee 0; get 0; op"},
    };
    for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) {
        Ctx *ctx = test_context();
        Job job;
        ck_assert_str_eq(block_plan(ctx, cases[k].fill, &job), cases[k].ops);
        ck_assert_uint_eq(job.plan.n_groups, 0);
        vtr_context_free(ctx);
    }
}
END_TEST

// loop(i, sum, old): branches to the end or the body: loop(op(i), op(sum, i), sum). Zeros at first; what the loop
// changes stays in its local, and only `old`, which outlives the sum that it was, needs a move.
START_TEST(loops_need_no_moves) {
    Ctx *ctx = test_context();
    MFunc *m = stack_mfunc(ctx, arena_new(ctx));
    Job job = {.m = m, .optimise = true};
    uint32_t p[N_STACK_PARAMS];
    test_block(m);
    stack_entry(m, p);
    uint32_t zero = stack_imm(m, GPR, 0);
    uint32_t v[5];
    for (unsigned k = 0; k < 5; k++) v[k] = test_vreg(m, GPR, 8);
    MEdge enter = edge_to(m, 1, (uint32_t[]){zero, zero, p[0]}, 3);
    end_block(m, S_JUMP, NULL, 0, &enter, 1);
    block_with(m, v, 3);
    end_block(m, S_BRANCH, &v[0], 1, (MEdge[]){{2, 0, 0}, {3, 0, 0}}, 2);
    block_with(m, NULL, 0)->loop_depth = 1;
    ADD(m, S_OP, v[3], v[0]);
    ADD(m, S_OP, v[4], v[1], v[0]);
    MEdge again = edge_to(m, 1, (uint32_t[]){v[3], v[4], v[1]}, 3);
    end_block(m, S_JUMP, NULL, 0, &again, 1);
    block_with(m, NULL, 0);
    end_block(m, S_RET, (uint32_t[]){v[1], v[2]}, 2, NULL, 0);
    test_preds(m);
    ck_assert_msg(ctx_try(ctx, make, &job) == VTR_OK, "%s", last_error(ctx));
    ck_assert_str_eq(run_text(&job, &job.plan.edges[m->blocks.v[0].succs]), "");
    ck_assert_str_eq(run_text(&job, &job.plan.edges[m->blocks.v[2].succs]),
                     "get 5; get 6; op; get 5; get 6; op; set 5; set 6; set 0");
    ck_assert_uint_eq(job.plan.groups[0].n, 2);
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
    tcase_add_test(all, values_stay_on_the_stack);
    tcase_add_test(all, loops_need_no_moves);
    tcase_add_loop_test(all, growth, 0, 2 * sizeof growth_cases / sizeof *growth_cases);
    return run_tests("stack", all);
}
