// Which narrow values have zeros above them, seen by what a stack machine selects for a branch: one that has needs no
// extension. tests/file/narrow.clif runs such code.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "select/select.h"
#include "unit.h"

typedef struct Job {
    const char *text;
    char *trace; // malloc
} Job;

static void select_body(Ctx *ctx, void *arg) {
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    IrFile *file = ir_read(arena, "test.clif", job->text, strlen(job->text), CC_SYSTEM_V);
    Buf trace = buf_new(arena);
    SelOptions options = {.fold = true, .trace = &trace};
    (void)select_func(arena, file->funcs.v[0], target_find("wasm64"), &options);
    job->trace = strdup(buf_str(&trace));
    arena_free(arena);
}

// Whether the rule was taken for some instruction of the function.
static bool takes(const char *text, const char *rule) {
    Ctx *ctx = test_context();
    Job job = {text, NULL};
    vtr_status status = ctx_try(ctx, select_body, &job);
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(ctx, 0, &info);
    ck_assert_msg(status == VTR_OK, "%s", info.message);
    vtr_context_free(ctx);
    char word[64];
    snprintf(word, sizeof word, "    %s ", rule);
    bool found = strstr(job.trace, word) != NULL;
    free(job.trace);
    return found;
}

#define BRANCH " brif %s, block1, block2\nblock1:\n return v0\nblock2:\n return v1\n}\n"

static bool masked(const char *body, const char *value) {
    char text[1024];
    int n = snprintf(text, sizeof text,
                     "function %%f(i64, i64, i8, i8) -> i64 {\nblock0(v0: i64, v1: i64, v2: i8, v3: i8):\n%s", body);
    snprintf(text + n, sizeof text - (size_t)n, BRANCH, value);
    bool plain = takes(text, "brif_i8");
    ck_assert_int_ne(plain, takes(text, "brif_i8_z"));
    return plain;
}

START_TEST(what_makes_a_value_tells) {
    ck_assert(masked("", "v2"));
    ck_assert(masked(" v4 = iadd v2, v3\n", "v4"));
    ck_assert(masked(" v4 = ireduce.i8 v0\n", "v4"));
    ck_assert(masked(" v4 = icmp slt v0, v1\n v5 = bxor v4, v2\n", "v5"));
    ck_assert(masked(" v4 = icmp slt v0, v1\n v5 = bnot v4\n", "v5"));
    ck_assert(!masked(" v4 = icmp slt v0, v1\n", "v4"));
    ck_assert(!masked(" v4 = load.i8 v0\n store v4, v1\n", "v4"));
    ck_assert(!masked(" v4 = icmp slt v0, v1\n v5 = band v4, v2\n", "v5"));
    ck_assert(!masked(" v4 = icmp slt v0, v1\n v5 = icmp eq v2, v3\n v6 = bor v4, v5\n", "v6"));
    ck_assert(!masked(" v4 = icmp slt v0, v1\n v5 = load.i8 v0\n v6 = select v2, v4, v5\n", "v6"));
    ck_assert(masked(" v4 = icmp slt v0, v1\n v6 = select v2, v4, v3\n", "v6"));
}
END_TEST

// A parameter has what all its arguments have, round loops, too.
#define LOOP                                                                                                           \
    "function %%f(i64, i64, i8) -> i64 {\nblock0(v0: i64, v1: i64, v2: i8):\n v3 = icmp eq v0, v1\n"                   \
    " v4 = iconst.i8 %s\n jump block1(v3)\nblock1(v5: i8):\n brif v5, block2(v4), block3\n"                            \
    "block2(v6: i8):\n v7 = %s\n jump block1(v7)\nblock3:\n return v0\n}\n"

static bool loop_masked(const char *constant, const char *sum) {
    char text[1024];
    snprintf(text, sizeof text, LOOP, constant, sum);
    return takes(text, "brif_i8");
}

START_TEST(parameters_have_what_all_arguments_have) {
    ck_assert(!loop_masked("1", "band v6, v2"));
    ck_assert(!loop_masked("1", "bor v6, v5"));
    ck_assert(loop_masked("-1", "bor v6, v5"));
    ck_assert(loop_masked("1", "iadd v6, v5"));
}
END_TEST

// Blocks in the order of the text that hand a value backwards take a round each: in the end nothing is known.
START_TEST(after_many_rounds_nothing_is_known) {
    char text[4096];
    for (unsigned n = 2; n <= 40; n += 38) {
        int at = snprintf(text, sizeof text,
                          "function %%f(i64, i8) -> i64 {\nblock0(v0: i64, v1: i8):\n v2 = icmp eq v0, v0\n"
                          " brif v0, block%u(v1), block%u(v2)\n",
                          n, n);
        for (unsigned k = 1; k <= n; k++) {
            at += snprintf(text + at, sizeof text - (size_t)at, "block%u(v%u: i8):\n", k, 10 + k);
            at += k > 1 ? snprintf(text + at, sizeof text - (size_t)at, " jump block%u(v%u)\n", k - 1, 10 + k)
                        : snprintf(text + at, sizeof text - (size_t)at, " brif v%u, block100, block100\n", 10 + k);
        }
        snprintf(text + at, sizeof text - (size_t)at,
                 "block100:\n v5 = icmp eq v0, v0\n brif v5, block101, block102\nblock101:\n return v0\nblock102:\n "
                 "return v0\n}\n");
        ck_assert(takes(text, "brif_i8"));
        ck_assert_int_eq(takes(text, "brif_i8_z"), n == 2);
    }
}
END_TEST

int main(void) {
    TCase *t = tcase_create("all");
    tcase_add_test(t, what_makes_a_value_tells);
    tcase_add_test(t, parameters_have_what_all_arguments_have);
    tcase_add_test(t, after_many_rounds_nothing_is_known);
    return run_tests("zeros", t);
}
