// What every unit test begins and ends with: a context, and main().
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

#include "vitrail.h"

static inline vtr_context *test_context(void) {
    vtr_context *ctx;
    ck_assert_int_eq(vtr_context_new(NULL, &ctx), VTR_OK);
    return ctx;
}

// Runs a suite that consists of `tests`; the exit status of main().
static inline int run_tests(const char *name, TCase *tests) {
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
