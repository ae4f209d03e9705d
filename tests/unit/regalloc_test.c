// Register allocation: random functions for a made-up machine, allocated both ways and proved by the checker.
#include <check.h>
#include <stdlib.h>

#include "mfunc_random.h"

typedef struct Job {
    MFunc *m;
    RaKind kind;
    RaStress stress;
    MFunc *before;
} Job;

static void allocate(Ctx *ctx, void *arg) {
    (void)ctx;
    Job *job = arg;
    job->before = mfunc_copy(job->m->arena, job->m);
    ra_allocate(job->m, job->kind, &job->stress);
    ra_check(job->before, job->m);
}

static const char *last_error(Ctx *ctx) {
    vtr_diagnostic_info info;
    return vtr_diagnostic(ctx, 0, &info) ? info.message : "no diagnostic";
}

static void random_functions(RaKind kind, uint64_t first, uint64_t n, uint32_t size) {
    vtr_context *ctx = NULL;
    ck_assert_int_eq(vtr_context_new(NULL, &ctx), VTR_OK);
    for (uint64_t seed = first; seed < first + n; seed++) {
        Arena *arena = arena_new(ctx);
        static const uint32_t regs[4] = {0, 0, 5, 4};
        Job job = {random_mfunc(ctx, arena, seed, size), kind, {regs[seed % 4], seed % 3 ? seed : 0}, NULL};
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

int main(void) {
    Suite *suite = suite_create("regalloc");
    TCase *random = tcase_create("random");
    tcase_set_timeout(random, 600);
    tcase_add_test(random, none_random);
    tcase_add_test(random, none_random_long);
    tcase_add_test(random, speed_random);
    tcase_add_test(random, speed_random_long);
    suite_add_tcase(suite, random);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
