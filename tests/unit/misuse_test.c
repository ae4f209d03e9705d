// The public interface to IR text, used wrongly: whatever the text and the order of calls, an error comes back and what
// was there before still works. Run with sanitizers, it also shows that nothing is read or written beyond its end.
#include <string.h>

#include "select/target.h"
#include "unit.h"

static const char good[] = "function %good(i32) -> i32 {\nblock0(v0: i32):\n    v1 = iadd v0, v0\n    return v1\n}\n";

// Texts that can be read and are wrong, or not supported, and the line of the error. Each would break a compiler that
// believes what it is told.
static const struct {
    const char *text;
    vtr_status status;
    unsigned line;
} wrong[] = {
    {"function %f(i32) -> i32 {\nblock0(v0: i32):\n    v1 = iadd v0, v0\n}\n", VTR_ERR_INPUT, 3},
    {"function %f(i32) -> i32 {\nblock0(v0: i32):\n    jump block1\nblock1(v1: i32, v2: f64):\n    return v1\n}\n",
     VTR_ERR_INPUT, 3},
    {"function %f(i32) -> i32 {\nblock0(v0: i32):\n    return v0, v0, v0\n}\n", VTR_ERR_INPUT, 3},
    {"function %f(i32, f64) -> i32 {\nblock0(v0: i32, v1: f64):\n    v2 = iadd v0, v1\n    return v2\n}\n",
     VTR_ERR_INPUT, 3},
    {"function %f() -> i32 {\nblock0:\n    v0 = iadd.i32 v1, v1\n    v1 = iconst.i32 1\n    return v0\n}\n",
     VTR_ERR_INPUT, 3},
    {"function %f(i32) -> i32 {\nblock0:\n    trap user1\n}\n", VTR_ERR_INPUT, 2},
    {"function %f() {\n    fn0 = %g(i32)\nblock0:\n    call fn0()\n    return\n}\n", VTR_ERR_INPUT, 4},
    {"function %f() {\nblock0:\n    jump block0\n}\n", VTR_ERR_INPUT, 3},
    {"function %f() {\n}\n", VTR_ERR_INPUT, 1},
    {"function %f() {\nblock0:\nblock1:\n    return\n}\n", VTR_ERR_INPUT, 2},
    {"function %f() {\nblock0:\n    return v7\n}\n", VTR_ERR_INPUT, 3},
    {"bogus", VTR_ERR_INPUT, 1},
    {"function %f() {\nblock0:\n    return\n}\nfunction %g(i128) {\nblock0(v0: i128):\n    return\n}\n",
     VTR_ERR_UNSUPPORTED, 5},
    {"function %f() winch {\nblock0:\n    return\n}\n", VTR_ERR_UNSUPPORTED, 0},
};
enum { N_WRONG = sizeof wrong / sizeof *wrong };

static void expect_error(vtr_context *ctx, unsigned k, vtr_status status, const char *who) {
    vtr_diagnostic_info info = {0};
    ck_assert_msg(status == wrong[k].status, "%s: %s: %s", who, wrong[k].text, vtr_status_name(status));
    ck_assert_msg(vtr_diagnostic(ctx, 0, &info), "%s: %s: no diagnostic", who, wrong[k].text);
    ck_assert_msg(!wrong[k].line || (info.line == wrong[k].line && info.file && !strcmp(info.file, "t.clif")),
                  "%s: %s: line %u: %s", who, wrong[k].text, info.line, info.message);
    vtr_diagnostics_clear(ctx);
}

START_TEST(test_jit_text) {
    for (unsigned check = 0; check < 2; check++) {
        vtr_context *ctx = test_context();
        vtr_jit_options options = {.opt = (vtr_opt)_i, .check = check};
        vtr_jit *jit;
        ck_assert_int_eq(vtr_jit_new(ctx, &options, &jit), VTR_OK);
        ck_assert_int_eq(vtr_jit_add_clif(jit, "t.clif", good, strlen(good)), VTR_OK);
        for (unsigned k = 0; k < N_WRONG; k++) {
            expect_error(ctx, k, vtr_jit_add_clif(jit, "t.clif", wrong[k].text, strlen(wrong[k].text)), "jit");
            ck_assert_ptr_null(vtr_jit_find(jit, "f"));
        }
        ck_assert_int_eq(vtr_jit_publish(jit), VTR_OK);
        ck_assert_ptr_null(vtr_jit_find(jit, "f")); // nothing of those texts was added
        uint64_t arg = 21;
        uint64_t result = 0;
        ck_assert_int_eq(vtr_jit_call(jit, "good", &arg, 1, &result, 1, NULL), VTR_OK);
        ck_assert_uint_eq(result, 42);
        vtr_jit_free(jit);
        vtr_context_free(ctx);
    }
}
END_TEST

// After an error an object can only be freed; anything else is refused.
START_TEST(test_object_text) {
    for (const Target *const *target = targets_all; *target; target++) {
        for (unsigned k = 0; k < N_WRONG; k++) {
            vtr_context *ctx = test_context();
            vtr_object_options options = {.opt = (vtr_opt)_i, .target = (*target)->name};
            vtr_object *object;
            uint8_t *bytes;
            size_t n;
            vtr_status status = vtr_object_new(ctx, &options, &object);
            if (status == VTR_OK) {
                ck_assert_int_eq(vtr_object_add_clif(object, "t.clif", good, strlen(good)), VTR_OK);
                const char *text = wrong[k].text;
                expect_error(ctx, k, vtr_object_add_clif(object, "t.clif", text, strlen(text)), (*target)->name);
                ck_assert_int_eq(vtr_object_add_clif(object, "t.clif", good, strlen(good)), VTR_ERR_USAGE);
                ck_assert_int_eq(vtr_object_bytes(object, &bytes, &n), VTR_ERR_USAGE);
                vtr_object_free(object);
            } else {
                ck_assert_int_eq(status, VTR_ERR_UNSUPPORTED);
            }
            vtr_context_free(ctx);
        }
    }
}
END_TEST

// A name that is taken, in one text or in two.
START_TEST(test_names) {
    char twice[2 * sizeof good];
    strcpy(twice, good);
    strcat(twice, good);
    vtr_context *ctx = test_context();
    vtr_jit *jit;
    ck_assert_int_eq(vtr_jit_new(ctx, NULL, &jit), VTR_OK);
    ck_assert_int_eq(vtr_jit_add_clif(jit, "t.clif", twice, strlen(twice)), VTR_ERR_USAGE);
    ck_assert_int_eq(vtr_jit_add_clif(jit, "t.clif", good, strlen(good)), VTR_OK);
    ck_assert_int_eq(vtr_jit_add_clif(jit, "t.clif", good, strlen(good)), VTR_ERR_USAGE);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_OK);
    ck_assert_int_eq(vtr_jit_add_clif(jit, "t.clif", good, strlen(good)), VTR_ERR_USAGE);
    vtr_jit_free(jit);
    for (const Target *const *target = targets_all; *target; target++) {
        for (unsigned texts = 1; texts <= 2; texts++) {
            vtr_object_options options = {.target = (*target)->name};
            vtr_object *object;
            if (vtr_object_new(ctx, &options, &object) != VTR_OK) continue;
            const char *text = texts == 1 ? twice : good;
            vtr_status status = vtr_object_add_clif(object, "t.clif", text, strlen(text));
            if (texts == 2) {
                ck_assert_int_eq(status, VTR_OK);
                status = vtr_object_add_clif(object, "t.clif", text, strlen(text));
            }
            ck_assert_msg(status == VTR_ERR_INPUT, "%s, %u texts: %s", (*target)->name, texts, vtr_status_name(status));
            vtr_object_free(object);
        }
    }
    vtr_context_free(ctx);
}
END_TEST

START_TEST(test_jit_calls) {
    static const char text[] = "function %odd(i64) -> i64, f32 {\n    fn0 = %missing(i64) -> i64\nblock0(v0: i64):\n"
                               "    v1 = call fn0(v0)\n    v2 = f32const 0x1.0\n    return v1, v2\n}\n";
    vtr_context *ctx = test_context();
    vtr_jit_options options = {.target = "pdp11"};
    vtr_jit *jit;
    uint64_t cells[4] = {0};
    ck_assert_int_eq(vtr_jit_new(ctx, &options, &jit), VTR_ERR_NOT_FOUND);
    options = (vtr_jit_options){.features = "warp,drive"};
    ck_assert_int_eq(vtr_jit_new(ctx, &options, &jit), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_jit_new(ctx, NULL, &jit), VTR_OK);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_OK); // nothing
    ck_assert_int_eq(vtr_jit_add_clif(jit, "t.clif", "", 0), VTR_OK);
    ck_assert_int_eq(vtr_jit_add_clif(jit, NULL, good, strlen(good)), VTR_OK);
    ck_assert_int_eq(vtr_jit_call(jit, "good", cells, 1, cells, 1, NULL), VTR_ERR_NOT_FOUND); // not published yet
    ck_assert_ptr_null(vtr_jit_find(jit, "good"));
    ck_assert_int_eq(vtr_jit_add_clif(jit, "t.clif", text, strlen(text)), VTR_OK);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_jit_define(jit, "missing", (void *)(uintptr_t)labs), VTR_OK);
    ck_assert_int_eq(vtr_jit_call(jit, "", cells, 0, cells, 0, NULL), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_OK);
    for (size_t args = 0; args < 3; args++) {
        for (size_t results = 0; results < 3; results++) {
            vtr_status want = args == 1 && results == 1 ? VTR_OK : VTR_ERR_USAGE;
            ck_assert_int_eq(vtr_jit_call(jit, "good", cells, args, cells, results, NULL), want);
            if (args != 1 || results != 2)
                ck_assert_int_eq(vtr_jit_call(jit, "odd", cells, args, cells, results, NULL), VTR_ERR_USAGE);
        }
    }
    ck_assert_int_eq(vtr_jit_call(jit, "missing", cells, 1, cells, 1, NULL), VTR_ERR_NOT_FOUND); // not of this one
    vtr_jit_free(jit);
    vtr_jit_free(NULL);
    vtr_context_free(ctx);
}
END_TEST

START_TEST(test_object_calls) {
    vtr_context *ctx = test_context();
    vtr_object *object;
    uint8_t *bytes;
    size_t n;
    ck_assert_int_eq(vtr_object_new(ctx, &(vtr_object_options){.target = "pdp11"}, &object), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_object_new(ctx, &(vtr_object_options){.features = ",,"}, &object), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_object_new(ctx, NULL, &object), VTR_OK);
    ck_assert_int_eq(vtr_object_start(object, "good"), VTR_ERR_UNSUPPORTED);
    ck_assert_int_eq(vtr_object_import(object, "good", "a", "b"), VTR_ERR_UNSUPPORTED);
    ck_assert_int_eq(vtr_object_write(object, "/nonexistent/file.o"), VTR_ERR_SYSTEM);
    ck_assert_int_eq(vtr_object_bytes(object, &bytes, &n), VTR_ERR_USAGE);
    ck_assert_int_eq(vtr_object_add_clif(object, "t.clif", good, strlen(good)), VTR_ERR_USAGE);
    vtr_object_free(object);
    vtr_object_free(NULL);
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("misuse");
    tcase_add_loop_test(tests, test_jit_text, 0, 2);
    tcase_add_loop_test(tests, test_object_text, 0, 2);
    tcase_add_test(tests, test_names);
    tcase_add_test(tests, test_jit_calls);
    tcase_add_test(tests, test_object_calls);
    return run_tests("misuse", tests);
}
