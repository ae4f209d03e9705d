// The IR verifier: right functions pass, each kind of mistake is named with its instruction.
#include "ir_test.h"
#include "verify/ir_verify.h"
#include "unit.h"

START_TEST(test_right) {
    static const char *const right[] = {
        "function %f(i32) -> i32 {\nblock0(v0: i32):\n    jump block1(v0)\nblock1(v1: i32):\n    v2 = iadd v1, v1\n"
        "    brif v2, block1(v2), block2\nblock2:\n    return v2\n}",
        // a use in unreachable code needs no dominance
        "function %f() -> i32 {\nblock0:\n    trap user1\nblock1:\n    jump block2\nblock2:\n    return v0\nblock3:\n"
        "    v0 = iconst.i32 1\n    jump block2\n}",
        "function %f(i64) tail {\n    fn0 = %g(i64) tail\nblock0(v0: i64):\n    return_call fn0(v0)\n}",
        "function %f(i8, f32) -> f32 {\nblock0(v0: i8, v1: f32):\n    v2 -> v1\n    v3 = select v0, v1, v2\n"
        "    v4 = ishl v0, v0\n    return v3\n}",
    };
    for (size_t k = 0; k < sizeof right / sizeof *right; k++) {
        Ctx *ctx = test_context();
        vtr_diagnostic_info info = {.message = ""};
        bool ok = verify_func(read_func(arena_new(ctx), right[k]));
        vtr_diagnostic(ctx, 0, &info);
        ck_assert_msg(ok, "%s", info.message);
        ck_assert_uint_eq(vtr_diagnostic_count(ctx), 0);
        vtr_context_free(ctx);
    }
}
END_TEST

START_TEST(test_wrong) {
    static const struct {
        const char *text;
        unsigned line; // counted from the function's
        const char *message;
    } wrong[] = {
        {"(i32) {\nblock0(v0: i64):\n    return\n}", 1, "block0: parameter 0 has type i64, the signature says i32"},
        {"(i32) {\nblock0:\n    return\n}", 1, "the entry block has 0 parameters, the signature 1"},
        {"() {\nblock0 cold:\n    return\n}", 1, "the entry block is cold"},
        {"() {\nblock0:\n    jump block0\n}", 2, "block0, `jump block0`: a branch to the entry block"},
        {"() {\nblock0:\n    nop\n}", 2, "the block does not end in a terminator"},
        {"() {\nblock0:\n    return\n    return\n}", 2, "a terminator inside the block"},
        {"() {\nblock0:\n    jump block1\nblock1:\n}", 3, "block1: the block is empty"},
        {"() {\n}", 0, "the function has no block"},
        {"(i32) -> i64 {\nblock0(v0: i32):\n    return v0\n}", 2,
         "`return v0`: v0 has type i32, the signature says i64"},
        {"(i32) {\nblock0(v0: i32):\n    return v0\n}", 2, "1 results, the signature has 0"},
        {"(i32, i64) {\nblock0(v0: i32, v1: i64):\n    v2 = iadd v0, v1\n    return\n}", 2,
         "`v2 = iadd v0, v1`: v1 has type i64, i32 expected"},
        {"(i32) {\nblock0(v0: i32):\n    v1 = uextend.i16 v0\n    return\n}", 2, "uextend does not go from i32 to i16"},
        {"(i32) {\nblock0(v0: i32):\n    v1 = ireduce.i32 v0\n    return\n}", 2, "ireduce does not go from i32 to i32"},
        {"(i32) {\nblock0(v0: i32):\n    v1 = bitcast.f64 v0\n    return\n}", 2, "bitcast does not go from i32 to f64"},
        {"(f32) {\nblock0(v0: f32):\n    v1 = load.i32 v0\n    return\n}", 2, "v0 has type f32, another expected"},
        {"(i32) {\nblock0(v0: i32):\n    brif v0, block1, block2\nblock1:\n    v1 = iconst.i32 1\n    jump "
         "block2\nblock2:\n    v2 = iadd.i32 v1, v1\n    return\n}",
         7, "v1 is defined in block1, which does not dominate this use"},
        {"() {\nblock0:\n    v0 = ineg.i32 v1\n    v1 = iconst.i32 1\n    return\n}", 2,
         "v1 is used before its definition"},
        {"(i32) {\nblock0(v0: i32):\n    jump block1(v0, v0)\nblock1(v1: i32):\n    return\n}", 2,
         "2 arguments for block1, it has 1 parameters"},
        {"(i32) {\nblock0(v0: i32):\n    jump block1(v0)\nblock1(v1: f32):\n    return\n}", 2,
         "v0 has type i32, block1 wants f32"},
        {"(i32) {\n    fn0 = %g(i64)\nblock0(v0: i32):\n    call fn0(v0)\n    return\n}", 3,
         "v0 has type i32, the signature says i64"},
        {"() fast {\n    fn0 = %g() tail\nblock0:\n    return_call fn0()\n}", 3,
         "needs caller and callee of convention tail"},
        {"() tail {\n    fn0 = %g() -> i32 tail\nblock0:\n    return_call fn0()\n}", 3, "needs the same results"},
        {"() {\n    ss0 = explicit_slot 8\nblock0:\n    v0 = stack_addr.i64 ss0+8\n    return\n}", 3, "outside ss0"},
        {"() {\n    ss0 = explicit_slot 8\n    fn0 = %g()\nblock0:\n    call fn0(), stack_map=[i64 @ ss0+4]\n    "
         "return\n}",
         4, "the stack map leaves ss0"},
        {"() {\n    ss0 = explicit_slot 8\n    fn0 = %g()\nblock0:\n    call fn0(), stack_map=[i64 @ ss0+8]\n    "
         "return\n}",
         4, "the stack map leaves ss0"},
        {"(i64) {\nblock0(v0: i64):\n    store readonly v0, v0\n    return\n}", 2, "a store cannot be readonly"},
        {"(i64) {\nblock0(v0: i64):\n    v1 = bitcast.f64 notrap v0\n    return\n}", 2,
         "bitcast knows little and big only"},
        {"(f32 uext) {\nblock0(v0: f32):\n    return\n}", 0, "uext and sext are for integers only"},
        {"() -> i32 preserve_all {\nblock0:\n    trap user1\n}", 0, "preserve_all returns nothing"},
        {"() {\n    gv0 = vmctx\nblock0:\n    return\n}", 0, "gv0 is vmctx, but no parameter is"},
        {"() {\n    gv0 = iadd_imm.i64 gv1, 1\n    gv1 = iadd_imm.i64 gv0, 1\nblock0:\n    return\n}", 0,
         "depends on itself"},
        {"() {\nblock0:\n    jump block2\nblock2:\n    v0 = iconst.i8 1\n    jump block1\nblock1:\n    nop\n}", 7,
         "block1, `nop `: the block does not end in a terminator"},
        {"() {\n    region0 = 7 \"a\"\n    region1 = 8 \"b\"\n    region2 = 7 \"c\"\nblock0:\n    return\n}", 0,
         "region2 has the number of region0"},
        {"(i64 vmctx) {\n    gv0 = vmctx\n    gv1 = load.i64 notrap gv0\nblock0(v0: i64):\n    return\n}", 0,
         "gv1 loads without notrap and aligned"},
        {"(i64 vmctx) {\n    gv0 = vmctx\n    gv1 = load.f64 notrap aligned gv0\nblock0(v0: i64):\n    return\n}", 0,
         "gv1 has type f64"},
        {"(i64 vmctx) {\n    gv0 = vmctx\n    gv1 = iadd_imm.i32 gv0, 4\nblock0(v0: i64):\n    return\n}", 0,
         "gv1 has type i32, gv0 has type i64"},
        {"(i64 vmctx) {\n    gv0 = vmctx\n    gv1 = load.i32 notrap aligned gv0\n    gv2 = load.i64 notrap aligned "
         "gv1\nblock0(v0: i64):\n    return\n}",
         0, "gv2 loads from gv1, which is no address"},
        {"() {\n    gv0 = symbol %x\nblock0:\n    v0 = symbol_value.i32 gv0\n    return\n}", 3,
         "`v0 = symbol_value.i32 gv0`: gv0 has type i64"},
        {"() {\n    fn0 = patchable %g()\nblock0:\n    return\n}", 0, "fn0 is patchable but not colocated"},
        {"() {\n    fn0 = colocated patchable %g() -> i32\nblock0:\n    return\n}", 0,
         "fn0 is patchable but has results"},
        {"() tail {\n    fn0 = colocated patchable %g() tail\nblock0:\n    return_call fn0()\n}", 3,
         "a tail call of a patchable function"},
        {"() -> i64 sarg(8) {\nblock0:\n    trap user1\n}", 0, "sarg is for parameters only"},
        {"(i64) {\n    gv0 = vmctx\n    stack_limit = gv0\nblock0(v0: i64):\n    return\n}", 0,
         "gv0 is vmctx, but no parameter is"},
        {"(f64) {\n    sig0 = ()\nblock0(v0: f64):\n    call_indirect.i64 sig0, v0()\n    return\n}", 3,
         "v0 has type f64, i64 expected"},
        {"() {\n    fn0 = %g() -> i32\nblock0:\n    v0 = call fn0()\n    v1 = iadd.i64 v0, v0\n    return\n}", 4,
         "`v1 = iadd v0, v0`: v0 has type i32, i64 expected"},
        {"(i64) {\nblock0(v0: i64):\n    br_table v0, block1, []\nblock1:\n    return\n}", 2,
         "v0 has type i64, i32 expected"},
        {"(f32) {\nblock0(v0: f32):\n    brif.i32 v0, block1, block1\nblock1:\n    return\n}", 2,
         "v0 has type f32, i32 expected"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        Ctx *ctx = test_context();
        Arena *arena = arena_new(ctx);
        Func *f = read_func(arena, arena_printf(arena, "\n\nfunction %%f%s", wrong[k].text));
        ck_assert_msg(!verify_func(f), "%s", wrong[k].text);
        expect_diagnostic(ctx, 0, 3 + wrong[k].line, 0, wrong[k].message);
        expect_diagnostic(ctx, 0, 3 + wrong[k].line, 0, "function %f");
        vtr_context_free(ctx);
    }
}
END_TEST

START_TEST(test_several) {
    Ctx *ctx = test_context();
    Func *f = read_func(arena_new(ctx), "function %f(i32, i64) {\nblock0(v0: i32, v1: i64):\n    v2 = iadd v0, v1\n"
                                        "    v3 = imul v1, v0\n    return v0\n}");
    ck_assert(!verify_func(f));
    ck_assert_uint_eq(vtr_diagnostic_count(ctx), 3);
    vtr_context_free(ctx);
}
END_TEST

// Records that no text can make: numbers that point nowhere.
START_TEST(test_broken_records) {
    for (int k = 0; k < 6; k++) {
        Ctx *ctx = test_context();
        Func *f =
            read_func(arena_new(ctx), "function %f(i32) {\nblock0(v0: i32):\n    v1 = iadd v0, v0\n    jump block1\n"
                                      "block1:\n    return\n}");
        InstData *add = inst_get(f, block_get(f, f->first)->first);
        InstData *jump = inst_get(f, block_get(f, f->first)->last);
        if (k == 0) add->op = N_OPS;
        if (k == 1) add->args.at = f->pool.n;
        if (k == 2) f->pool.v[add->args.at] = 77;
        if (k == 3) f->calls.v[jump->targets].block.i = 9;
        if (k == 4) jump->n_targets = 5;
        if (k == 5) f->values.v[0] = (ValueData){T_i32, VALUE_ALIAS, 0, 0};
        ck_assert_msg(!verify_func(f), "%d", k);
        vtr_context_free(ctx);
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("verify");
    tcase_add_test(tests, test_right);
    tcase_add_test(tests, test_wrong);
    tcase_add_test(tests, test_several);
    tcase_add_test(tests, test_broken_records);
    return run_tests("ir_verify", tests);
}
