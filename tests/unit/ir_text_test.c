// The CLIF reader and writer: canonical text comes back as it was, every spelling is read, every mistake is located.
#include "ir/text.h"
#include "ir_test.h"
#include "unit.h"
#include "verify/ir_verify.h"

static const char preamble[] = "function %all(i64 vmctx, i32 uext, f64, i8) -> i32 sext, f64 tail {\n"
                               "    ss0 = explicit_slot 16, align = 8\n"
                               "    ss2 = explicit_slot 4, key = 7\n"
                               "    region0 = 5 \"heap\"\n"
                               "    gv0 = vmctx\n"
                               "    gv1 = load.i64 notrap aligned readonly gv0+8\n"
                               "    gv2 = iadd_imm.i64 gv1, -4\n"
                               "    gv3 = symbol colocated %data+16\n"
                               "    sig0 = (i32, f64) -> i32 system_v\n"
                               "    sig1 = (i64 sret, i64 sarg(24)) windows_fastcall\n"
                               "    sig3 = (i32 uext, f64) -> i32 sext, f64 tail\n"
                               "    fn0 = %callee sig0\n"
                               "    fn1 = colocated u2:17 sig3\n"
                               "    const0 = 0x0102030405060708\n"
                               "    stack_limit = gv1\n"
                               "\n"
                               "block0(v0: i64, v1: i32, v2: f64, v3: i8):\n"
                               "    v4 = symbol_value.i64 gv3\n"
                               "    return v1, v2\n"
                               "}\n";

static const char body[] = "function u0:1(i32, f64, i64) -> i32, f64 tail {\n"
                           "    ss0 = explicit_slot 16, align = 8\n"
                           "    region0 = 5 \"heap\"\n"
                           "    sig0 = (i32, f64) -> i32 system_v\n"
                           "    sig3 = (i32 uext, f64) -> i32 sext, f64 tail\n"
                           "    fn0 = %callee sig0\n"
                           "    fn1 = colocated u2:17 sig3\n"
                           "\n"
                           "block0(v0: i32, v1: f64, v2: i64):\n"
                           "    v20 -> v0\n"
                           "    v3 = iconst.i32 -1\n"
                           "    v4 = iconst.i64 0x0001_0000\n"
                           "    v5 = f64const -0x1.8000000000000p-3\n"
                           "    v6, v7 = sadd_overflow v0, v3  ; v3 = -1\n"
                           "    v8 = call fn0(v0, v1), stack_map=[i64 @ ss0+0, i64 @ ss0+8]\n"
                           "    v9 = func_addr.i64 fn0\n"
                           "    v10 = call_indirect sig0, v9(v8, v5)  ; v5 = -0x1.8000000000000p-3\n"
                           "    v11 = load.f64 notrap aligned v2+16\n"
                           "    store user7 little region0 v11, v2-0x4e20\n"
                           "    v12 = atomic_load.i32 v2\n"
                           "    v13 = stack_addr.i64 ss0+4\n"
                           "    v14 = icmp ult v4, v13  ; v4 = 0x0001_0000\n"
                           "    trapnz v14, int_ovf\n"
                           "    fence \n"
                           "    brif v14, block2(v12), block7\n"
                           "\n"
                           "block2(v15: i32) cold:\n"
                           "    v16 = iadd v15, v15\n"
                           "    v17 = iadd.i32 v3, v0  ; v3 = -1\n"
                           "    br_table v16, block7, [block2(v16), block7]\n"
                           "\n"
                           "block7:\n"
                           "    return_call fn1(v0, v1)\n"
                           "}\n";

static void check_same(const char *text) {
    Ctx *ctx = test_context();
    Arena *arena = arena_new(ctx);
    Func *f = read_func(arena, text);
    Buf out = buf_new(arena);
    ir_write(f, &out);
    ck_assert_str_eq(buf_str(&out), text);
    vtr_context_free(ctx);
}

START_TEST(test_round_trip) {
    check_same(preamble);
    check_same(body);
    check_same("function %empty() fast {\nblock0:\n    return\n}\n");
    check_same("function %loc() fast {\nblock0:\n"
               "@00ff                               v0 = iconst.i32 1\n"
               "                                    return\n}\n");
    check_same("function %e(f32) -> f32 fast {\nblock3(v7: f32):\n    v1 = fneg v7\n    jump block0(v1)\n\n"
               "block0(v3: f32):\n    return v3\n}\n");
}
END_TEST

// Printing is a fixed point however often a function has been verified: what is read from the text prints the same, in
// code that cannot be reached, too, and aliases do not depend on who followed them before.
START_TEST(test_fixed_point) {
    static const char *const texts[] = {
        "function %f(i32) -> i32 {\nblock0(v0: i32):\n    v1 -> v0\n    v2 -> v1\n    v3 -> v2\n    v4 -> v3\n"
        "    v5 = iadd v4, v3\n    v6 -> v5\n    v7 -> v6\n    return v7\n}",
        "function %f() {\nblock0:\n    return\nblock1:\n    v1 = iadd.i32 v2, v1\n    v2 = ineg.i32 v1\n    v3 = ineg "
        "v2\n"
        "    store.i8 v4, v5\n    jump block1\nblock2:\n    v4 = iconst.i8 1\n    v5 = iconst.i64 2\n    return\n}",
    };
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        Ctx *ctx = test_context();
        Arena *arena = arena_new(ctx);
        const char *last = texts[k];
        for (int round = 0; round < 3; round++) {
            Func *f = read_func(arena, last);
            Buf first = buf_new(arena);
            Buf second = buf_new(arena);
            ir_write(f, &first);
            ck_assert(verify_func(f));
            ir_write(f, &second);
            ck_assert_str_eq(buf_str(&first), buf_str(&second));
            if (round) ck_assert_str_eq(buf_str(&first), last);
            last = buf_str(&first);
        }
        vtr_context_free(ctx);
    }
}
END_TEST

// Text with other spellings, and what it is canonically.
START_TEST(test_spelling) {
    Ctx *ctx = test_context();
    Arena *arena = arena_new(ctx);
    Func *f =
        read_func(arena, "; before\nfunction %f(i64) -> i64 {\n fn0=%g(i32)->i32 ; inline\nblock0(v0:i64):v1=load.i64 "
                         "aligned heap_oob v0 v2=iconst.i8 255 v3 = iconst.i8 -0x1\n"
                         "v4 = f32const 0x16.1 v5 = call fn0(v6) v6 = ireduce.i32 v0 return v1 }\n; after");
    Buf out = buf_new(arena);
    ir_write(f, &out);
    ck_assert_ptr_null(strstr(buf_str(&out), "heap_oob"));
    ck_assert_ptr_nonnull(strstr(buf_str(&out), "    sig0 = (i32) -> i32 fast\n    fn0 = %g sig0\n"));
    ck_assert_ptr_nonnull(strstr(buf_str(&out), "v2 = iconst.i8 -1\n    v3 = iconst.i8 -1\n"));
    ck_assert_ptr_nonnull(strstr(buf_str(&out), "v4 = f32const 0x1.610000p4\n"));
    vtr_context_free(ctx);
}
END_TEST

START_TEST(test_sugar) {
    Ctx *ctx = test_context();
    Arena *arena = arena_new(ctx);
    Func *f = read_func(arena, "function %f(i32, i64 vmctx) -> i32 {\n ss0 = explicit_slot 8\n gv0 = vmctx\n"
                               " gv1 = load.i64 notrap aligned gv0+8\n gv2 = iadd_imm.i64 gv1, 16\n"
                               "block0(v0: i32, v1: i64):\n v2 = iadd_imm v0, -1\n v3 = icmp_imm slt v2, 7\n"
                               " v4 = band_not v2, v0\n stack_store v4, ss0+4\n v5 = stack_load.i32 ss0+4\n"
                               " v6 = global_value.i64 gv2\n v7 = irsub_imm v5, 3\n return v7\n}\n");
    Buf out = buf_new(arena);
    ir_write(f, &out);
    ck_assert_str_eq(strstr(buf_str(&out), "block0"), "block0(v0: i32, v1: i64):\n"
                                                      "    v8 = iconst.i32 -1\n"
                                                      "    v2 = iadd v0, v8  ; v8 = -1\n"
                                                      "    v9 = iconst.i32 7\n"
                                                      "    v3 = icmp slt v2, v9  ; v9 = 7\n"
                                                      "    v10 = bnot v0\n"
                                                      "    v4 = band v2, v10\n"
                                                      "    v11 = stack_addr.i64 ss0+4\n"
                                                      "    store notrap v4, v11\n"
                                                      "    v12 = stack_addr.i64 ss0+4\n"
                                                      "    v5 = load.i32 notrap v12\n"
                                                      "    v13 = load.i64 notrap aligned v1+8\n"
                                                      "    v14 = iconst.i64 16\n"
                                                      "    v6 = iadd v13, v14  ; v14 = 16\n"
                                                      "    v15 = iconst.i32 3\n"
                                                      "    v7 = isub v15, v5  ; v15 = 3\n"
                                                      "    return v7\n}\n");
    vtr_context_free(ctx);
}
END_TEST

START_TEST(test_errors) {
    static const struct {
        const char *text;
        unsigned line, column;
        const char *message;
    } wrong[] = {
        {"function %f() {\nblock0:\n    return v3\n}", 3, 12, "v3 is used but never defined"},
        {"function %f() {\nblock0:\n    jump block9\n}", 3, 0, "block9 is used but never defined"},
        {"function %f(i32) {\nblock0(v0: i32):\n    v1 = iadd.f32 v0, v0\n    return\n}", 3, 10,
         "iadd has no type f32"},
        {"function %f() {\nblock0:\n    v1 = iadd v2, v2\n    v2 = iconst.i8 1\n    return\n}", 3, 10,
         "iadd needs a type suffix here"},
        {"function %f() {\nblock0:\n    v1 = iconst.i8 256\n    return\n}", 3, 20, "no integer in the range of i8"},
        {"function %f() {\nblock0:\n    v1 = f32const 0x1.0000001\n    return\n}", 3, 19, "too many significant bits"},
        {"function %f() {\nblock0:\n    v1 = f32const 1.5\n    return\n}", 3, 19, "hexadecimal number with a point"},
        {"function %f() {\nblock0:\n    v1 = frobnicate v0\n}", 3, 10, "there is no opcode 'frobnicate'"},
        {"function %f() {\nblock0:\n    v1 = fence\n    return\n}", 3, 10, "fence gives 0 results, 1 are named"},
        {"function %f() {\nblock0:\n    v1 = iconst.i8 1\n    v1 = iconst.i8 1\n    return\n}", 4, 5,
         "v1 is defined twice"},
        {"function %f() {\nblock0:\nblock0:\n    return\n}", 3, 1, "block0 is defined twice"},
        {"function %f() {\nblock0:\n    v16000000 = iconst.i8 1\n    return\n}", 3, 5, "too large for a text"},
        {"function %f() {\n    fn0 = %g sig4\nblock0:\n    return\n}", 1, 1, "sig4, which is not declared"},
        {"function %f() {\nblock0:\n    v0 = stack_addr.i64 ss0\n    return\n}", 3, 25, "ss0 is not declared"},
        {"function %f(i31) {\n}", 1, 13, "expected a type, found 'i31'"},
        {"function %f() {\nblock0:\n    return\n", 4, 1, "not closed"},
        {"block0:\n", 1, 1, "expected 'function', found 'block0'"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        Ctx *ctx = test_context();
        IrFile *file;
        ck_assert_msg(read_text(arena_new(ctx), wrong[k].text, &file) == VTR_ERR_INPUT, "%s", wrong[k].text);
        expect_diagnostic(ctx, 0, wrong[k].line, wrong[k].column, wrong[k].message);
        vtr_context_free(ctx);
    }
}
END_TEST

// One mistake does not hide the others, in the same function or in the next.
START_TEST(test_several_errors) {
    Ctx *ctx = test_context();
    IrFile *file;
    const char *text = "function %f() {\nblock0:\n    v1 = iconst.i8 999\n    v2 = bogus v1\n    return v1, v2\n}\n"
                       "function %g() {\nblock0:\n    return v0\n}\n";
    ck_assert_int_eq(read_text(arena_new(ctx), text, &file), VTR_ERR_INPUT);
    ck_assert_uint_eq(vtr_diagnostic_count(ctx), 3);
    expect_diagnostic(ctx, 0, 3, 20, "no integer");
    expect_diagnostic(ctx, 1, 4, 10, "no opcode 'bogus'");
    expect_diagnostic(ctx, 2, 9, 12, "v0 is used but never defined");
    vtr_context_free(ctx);
}
END_TEST

// What is known but not supported leaves out its function only; comments tell whose they are.
START_TEST(test_skipped) {
    Ctx *ctx = test_context();
    Arena *arena = arena_new(ctx);
    IrFile *file;
    const char *text = "test run\nset a=b\n; top\nfunction %wide(i128) -> i128 {\nblock0(v0: i128):\n    return v0\n}\n"
                       "; run: of wide\nfunction %ok() {\nblock0:\n    return ; inside\n}\n; run: of ok\n"
                       "function %cas() {\nblock0:\n    v1 = atomic_cas.i32 v0, v0, v0\n    return\n}\n; run: of cas\n";
    ck_assert_int_eq(read_text(arena, text, &file), VTR_OK);
    ck_assert_uint_eq(file->header.n, 2);
    ck_assert_str_eq(file->header.v[1].text, "set a=b");
    ck_assert_uint_eq(file->funcs.n, 1);
    ck_assert_str_eq(file->funcs.v[0]->name.text, "ok");
    ck_assert_uint_eq(file->skipped.n, 2);
    ck_assert_str_eq(file->skipped.v[0].name.text, "wide");
    ck_assert_str_eq(file->skipped.v[0].reason, "type i128: 128-bit integers");
    ck_assert_str_eq(file->skipped.v[1].reason, "opcode atomic_cas: atomic compare-and-swap");
    ck_assert_uint_eq(file->skipped.v[1].place.line, 16);
    static const uint32_t func[] = {NONE, NONE, 0, 0, NONE};
    static const uint32_t skipped[] = {NONE, 0, NONE, NONE, 1};
    ck_assert_uint_eq(file->comments.n, 5);
    for (unsigned k = 0; k < 5; k++) {
        ck_assert_uint_eq(file->comment_func.v[k], func[k]);
        ck_assert_uint_eq(file->comment_skipped.v[k], skipped[k]);
    }
    vtr_context_free(ctx);
}
END_TEST

START_TEST(test_floats) {
    static const struct {
        const char *text;
        unsigned bits;
        uint64_t value;
    } right[] = {{"0.0", 32, 0},
                 {"-0.0", 64, UINT64_C(1) << 63},
                 {"0x1.0", 32, 0x3f800000},
                 {"-0x2.68091p6", 64, UINT64_C(0xc063404880000000)},
                 {"0x0.000002p-126", 32, 1},
                 {"0x0.800000p-126", 32, 0x400000},
                 {"0x1.fffffep127", 32, 0x7f7fffff},
                 {"0x1.0p-1074", 64, 1},
                 {"Inf", 32, 0x7f800000},
                 {"-Inf", 64, UINT64_C(0xfff0000000000000)},
                 {"+NaN", 32, 0x7fc00000},
                 {"-NaN:0x1", 32, 0xffc00001},
                 {"+sNaN:0x1", 64, UINT64_C(0x7ff0000000000001)}};
    for (size_t k = 0; k < sizeof right / sizeof *right; k++) {
        uint64_t x = 0;
        ck_assert_ptr_null(text_float(right[k].text, (uint32_t)strlen(right[k].text), right[k].bits, &x));
        ck_assert_msg(x == right[k].value, "%s is %llx", right[k].text, (unsigned long long)x);
    }
    static const char *const wrong[] = {"0x1.0p128",     "0x1.0p-150", "0x1.0000001", "1.0",    "0x1",
                                        "+NaN:0x400000", "+sNaN:0x0",  "0x1..0",      "0x1.0p", "0x1.0p99999999999"};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        uint64_t x;
        ck_assert_msg(text_float(wrong[k], (uint32_t)strlen(wrong[k]), 32, &x) != NULL, "%s", wrong[k]);
    }
}
END_TEST

// Printing and reading are inverses on every exponent and on random bits.
START_TEST(test_float_round_trip) {
    Ctx *ctx = test_context();
    Arena *arena = arena_new(ctx);
    uint64_t random = 88172645463325252;
    for (unsigned k = 0; k < 20000; k++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        unsigned bits = k % 2 ? 64 : 32;
        uint64_t x = bits == 64 ? random : random >> 32;
        if (k % 5 == 0) x &= bits == 64 ? UINT64_C(0x800fffffffffffff) : UINT64_C(0x807fffff); // subnormal
        Buf out = buf_new(arena);
        text_put_float(&out, x, bits);
        uint64_t back = ~x;
        const char *wrong = text_float(buf_str(&out), out.bytes.n, bits, &back);
        ck_assert_msg(!wrong && back == x, "%s: %s", buf_str(&out), wrong ? wrong : "another value");
        arena_reset(arena);
    }
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("text");
    tcase_add_test(tests, test_round_trip);
    tcase_add_test(tests, test_fixed_point);
    tcase_add_test(tests, test_spelling);
    tcase_add_test(tests, test_sugar);
    tcase_add_test(tests, test_errors);
    tcase_add_test(tests, test_several_errors);
    tcase_add_test(tests, test_skipped);
    tcase_add_test(tests, test_floats);
    tcase_add_test(tests, test_float_round_trip);
    return run_tests("ir_text", tests);
}
