// The IR interpreter: calls, memory, traps with frames, limits. What opcodes compute, ir_eval_test.c and the file
// tests check.
#include "ir/interp.h"
#include "ir_test.h"
#include "verify/ir_verify.h"
#include "unit.h"

typedef struct Machine {
    Ctx *ctx;
    Arena *arena;
    IrFile *file;
    IrInterp *interp;
    uint64_t results[4];
} Machine;

static Machine machine(const char *text, const IrInterpOptions *options) {
    Machine m = {.ctx = test_context()};
    m.arena = arena_new(m.ctx);
    vtr_diagnostic_info info = {.message = ""};
    vtr_status status = read_text(m.arena, text, &m.file);
    vtr_diagnostic(m.ctx, 0, &info);
    ck_assert_msg(status == VTR_OK, "%u: %s", info.line, info.message);
    for (uint32_t k = 0; k < m.file->funcs.n; k++) {
        bool right = verify_func(m.file->funcs.v[k]);
        vtr_diagnostic(m.ctx, 0, &info);
        ck_assert_msg(right, "%s", info.message);
    }
    m.interp = ir_interp_new(m.arena, m.file->funcs.v, m.file->funcs.n, options);
    return m;
}

static IrInterpStatus call(Machine *m, uint32_t func, uint64_t x, uint64_t y) {
    uint64_t args[] = {x, y};
    return ir_interp_call(m->interp, m->file->funcs.v[func], args, m->results);
}

START_TEST(test_recursion) {
    Machine m = machine("function %fib(i64) -> i64 {\n fn0 = %fib(i64) -> i64\nblock0(v0: i64):\n v1 = iconst.i64 2\n"
                        " v2 = icmp ult v0, v1\n brif v2, block1, block2\nblock1:\n return v0\nblock2:\n"
                        " v3 = iconst.i64 1\n v4 = isub.i64 v0, v3\n v5 = call fn0(v4)\n v6 = isub v4, v3\n"
                        " v7 = call fn0(v6)\n v8 = iadd v5, v7\n return v8\n}",
                        NULL);
    ck_assert_int_eq(call(&m, 0, 20, 0), IR_INTERP_OK);
    ck_assert_uint_eq(m.results[0], 6765);
    vtr_context_free(m.ctx);
}
END_TEST

// A million tail calls between two functions, in the space of one frame.
START_TEST(test_tail_calls) {
    IrInterpOptions options = {.max_depth = 2};
    Machine m =
        machine("function %even(i64) -> i8 tail {\n fn0 = %odd(i64) -> i8 tail\n ss0 = explicit_slot 64\n"
                "block0(v0: i64):\n brif v0, block1, block2\nblock1:\n v1 = iconst.i64 -1\n v2 = iadd.i64 v0, v1\n"
                " return_call fn0(v2)\nblock2:\n v3 = iconst.i8 1\n return v3\n}\n"
                "function %odd(i64) -> i8 tail {\n sig0 = (i64) -> i8 tail\n fn0 = %even sig0\nblock0(v0: i64):\n"
                " brif v0, block1, block2\nblock1:\n v1 = iconst.i64 -1\n v2 = iadd.i64 v0, v1\n"
                " v9 = func_addr.i64 fn0\n return_call_indirect sig0, v9(v2)\nblock2:\n v3 = iconst.i8 0\n"
                " return v3\n}\n",
                &options);
    ck_assert_int_eq(call(&m, 0, 1000001, 0), IR_INTERP_OK);
    ck_assert_uint_eq(m.results[0], 0);
    ck_assert_int_eq(call(&m, 0, 1000000, 0), IR_INTERP_OK);
    ck_assert_uint_eq(m.results[0], 1);
    vtr_context_free(m.ctx);
}
END_TEST

START_TEST(test_trap_frames) {
    Machine m =
        machine("function %inner(i32, i32) -> i32 {\nblock0(v0: i32, v1: i32):\n@0007 v2 = sdiv v0, v1\n return v2\n}\n"
                "function %outer(i32, i32) -> i32 {\n fn0 = %inner(i32, i32) -> i32\nblock0(v0: i32, v1: i32):\n"
                "@0009 v2 = call fn0(v0, v1)\n return v2\n}\n",
                NULL);
    IrInterpFrame frame;
    ck_assert_int_eq(call(&m, 1, 7, 0), IR_INTERP_TRAP);
    ck_assert_uint_eq(ir_interp_trap(m.interp), TRAP_int_divz);
    ck_assert(ir_interp_frame(m.interp, 0, &frame));
    ck_assert_str_eq(frame.f->name.text, "inner");
    ck_assert_uint_eq(inst_get(frame.f, frame.inst)->srcloc, 7);
    ck_assert(ir_interp_frame(m.interp, 1, &frame));
    ck_assert_str_eq(frame.f->name.text, "outer");
    ck_assert_uint_eq(inst_get(frame.f, frame.inst)->srcloc, 9);
    ck_assert(!ir_interp_frame(m.interp, 2, &frame));
    ck_assert_int_eq(call(&m, 1, 0x80000000, 0xffffffff), IR_INTERP_TRAP);
    ck_assert_uint_eq(ir_interp_trap(m.interp), TRAP_int_ovf);
    ck_assert_int_eq(call(&m, 1, 0xfffffff9, 2), IR_INTERP_OK); // usable after a trap
    ck_assert_uint_eq(m.results[0], 0xfffffffd);
    vtr_context_free(m.ctx);
}
END_TEST

START_TEST(test_limits) {
    IrInterpOptions options = {.fuel = 1000, .max_depth = 50};
    Machine m = machine("function %loop() {\nblock0:\n jump block1\nblock1:\n jump block1\n}\n"
                        "function %deep() {\n fn0 = %deep()\nblock0:\n call fn0()\n return\n}\n"
                        "function %big() {\n ss0 = explicit_slot 1000000000\nblock0:\n return\n}\n",
                        &options);
    ck_assert_int_eq(call(&m, 0, 0, 0), IR_INTERP_FUEL);
    ck_assert_uint_eq(ir_interp_executed(m.interp), 1000);
    ck_assert_int_eq(call(&m, 1, 0, 0), IR_INTERP_TRAP);
    ck_assert_uint_eq(ir_interp_trap(m.interp), TRAP_stk_ovf);
    ck_assert_int_eq(call(&m, 2, 0, 0), IR_INTERP_TRAP);
    ck_assert_uint_eq(ir_interp_trap(m.interp), TRAP_stk_ovf);
    vtr_context_free(m.ctx);
}
END_TEST

// Host memory in both byte orders, narrow accesses, and stack slots that start as zeros in every activation.
START_TEST(test_memory) {
    Machine m =
        machine("function %f(i64, i64) -> i64, i64, i64 {\n ss0 = explicit_slot 8\nblock0(v0: i64, v1: i64):\n"
                " store big v1, v0\n v2 = load.i64 v0\n v3 = sload8.i64 v0+7\n v4 = stack_addr.i64 ss0\n"
                " v5 = load.i64 v4\n store v1, v4\n istore16 v1, v0+2\n v6 = iadd v3, v5\n v7 = uload32.i64 big v0\n"
                " return v2, v6, v7\n}",
                NULL);
    uint64_t memory = 0;
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(call(&m, 0, (uint64_t)(uintptr_t)&memory, UINT64_C(0x11223344556677f8)), IR_INTERP_OK);
        ck_assert_uint_eq(m.results[0], UINT64_C(0xf877665544332211));
        ck_assert_uint_eq(m.results[1], (uint64_t)-8);
        ck_assert_uint_eq(m.results[2], 0x1122f877);
    }
    vtr_context_free(m.ctx);
}
END_TEST

static int host_call(void *data, const ExtName *name, const Sig *sig, const uint64_t *args, uint64_t *results) {
    if (name->kind == NAME_USER && name->space == 3) return 9; // traps user9
    if (name->kind != NAME_TEXT || strcmp(name->text, "add") != 0) return -1;
    *(unsigned *)data += sig->n_params;
    results[0] = args[0] + args[1];
    return 0;
}

START_TEST(test_host) {
    unsigned seen = 0;
    IrInterpOptions options = {.host = {.data = &seen, .call = host_call}};
    Machine m = machine(
        "function %f(i64, i64) -> i64 {\n sig0 = (i64, i64) -> i64\n fn0 = %add sig0\nblock0(v0: i64, v1: i64):\n"
        " v2 = call fn0(v0, v1)\n v3 = func_addr.i64 fn0\n v4 = call_indirect sig0, v3(v2, v1)\n return v4\n}\n"
        "function %trap() {\n fn0 = u3:1()\nblock0:\n call fn0()\n return\n}\n"
        "function %none() {\n fn0 = %nowhere()\nblock0:\n call fn0()\n return\n}\n"
        "function %wild(i64) {\n sig0 = ()\nblock0(v0: i64):\n call_indirect sig0, v0()\n return\n}\n",
        &options);
    ck_assert_int_eq(call(&m, 0, 40, 1), IR_INTERP_OK);
    ck_assert_uint_eq(m.results[0], 42);
    ck_assert_uint_eq(seen, 4);
    ck_assert_int_eq(call(&m, 1, 0, 0), IR_INTERP_TRAP);
    ck_assert_uint_eq(ir_interp_trap(m.interp), 9);
    ck_assert_int_eq(call(&m, 2, 0, 0), IR_INTERP_ERROR);
    ck_assert_str_eq(ir_interp_error(m.interp), "there is no function %nowhere");
    ck_assert_int_eq(call(&m, 3, 12345, 0), IR_INTERP_ERROR);
    vtr_context_free(m.ctx);
}
END_TEST

// Block arguments are read before any parameter is written.
START_TEST(test_parallel_copy) {
    Machine m = machine("function %swap(i64, i64) -> i64, i64 {\nblock0(v0: i64, v1: i64):\n jump block1(v0, v1, v1)\n"
                        "block1(v2: i64, v3: i64, v4: i64):\n v5 = iconst.i64 1\n v6 = isub v4, v5\n"
                        " brif v6, block1(v3, v2, v6), block2\nblock2:\n return v2, v3\n}",
                        NULL);
    ck_assert_int_eq(call(&m, 0, 7, 4), IR_INTERP_OK); // three swaps
    ck_assert_uint_eq(m.results[0], 4);
    ck_assert_uint_eq(m.results[1], 7);
    vtr_context_free(m.ctx);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("interp");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_recursion);
    tcase_add_test(tests, test_tail_calls);
    tcase_add_test(tests, test_trap_frames);
    tcase_add_test(tests, test_limits);
    tcase_add_test(tests, test_memory);
    tcase_add_test(tests, test_host);
    tcase_add_test(tests, test_parallel_copy);
    return run_tests("ir_interp", tests);
}
