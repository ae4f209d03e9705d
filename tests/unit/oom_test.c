// Running out of memory at every single allocation of reading, compiling, publishing and calling: the status says so,
// the context stays usable, and nothing leaks.
#include <stdlib.h>
#include <string.h>

#include "compile/compile.h"
#include "jit/jit.h"
#include "unit.h"

static const char text[] = "function %main(i64, f64) -> i64 {\n"
                           "    ss0 = explicit_slot 64\n"
                           "    fn0 = %leaf(i64, i64, i64, i64, i64, i64, i64, f64) -> i64, f64\n"
                           "block0(v0: i64, v1: f64):\n"
                           "    v2 = iconst.i64 0\n"
                           "    jump block1(v0, v2)\n"
                           "block1(v3: i64, v4: i64):\n"
                           "    brif v3, block2, block6\n"
                           "block2:\n"
                           "    v5 = ireduce.i32 v3\n"
                           "    br_table v5, block5(v4), [block3, block4, block3]\n"
                           "block3:\n"
                           "    v6, v7 = call fn0(v3, v4, v0, v3, v4, v0, v3, v1)\n"
                           "    v8 = fcvt_to_sint.i64 v7\n"
                           "    v9 = iadd v6, v8\n"
                           "    jump block5(v9)\n"
                           "block4:\n"
                           "    v10 = stack_addr.i64 ss0\n"
                           "    store v4, v10+8\n"
                           "    v11 = load.i64 v10+8\n"
                           "    v12 = udiv v11, v3\n"
                           "    jump block5(v12)\n"
                           "block5(v13: i64):\n"
                           "    v14 = iadd_imm v3, -1\n"
                           "    v15 = imul_imm v13, 3\n"
                           "    v16 = iadd v15, v14\n"
                           "    jump block1(v14, v16)\n"
                           "block6:\n"
                           "    trapz v0, user1\n"
                           "    return v4\n"
                           "}\n"
                           "function %leaf(i64, i64, i64, i64, i64, i64, i64, f64) -> i64, f64 {\n"
                           "block0(v0: i64, v1: i64, v2: i64, v3: i64, v4: i64, v5: i64, v6: i64, v7: f64):\n"
                           "    v8 = iadd v0, v6\n"
                           "    v9 = ceil v7\n"
                           "    v10 = bxor v8, v1\n"
                           "    return v10, v9\n"
                           "}\n";

typedef struct Memory {
    size_t live;  // bytes handed out
    unsigned n;   // allocations so far
    unsigned bad; // the one that fails, counting from 1; 0 = none
    bool rest;    // and all after it
} Memory;

static void *resize(void *user, void *old, size_t old_size, size_t new_size) {
    Memory *m = user;
    if (new_size && m->bad && (++m->n == m->bad || (m->rest && m->n > m->bad))) return NULL;
    m->live += new_size - old_size;
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

static void work(Ctx *ctx, void *arg) {
    uint64_t *result = arg;
    const Target *target = target_host();
    Arena *arena = arena_new(ctx);
    Jit *jit = jit_new(arena, target, NULL);
    IrFile *file = ir_read(arena, "oom", text, sizeof text - 1, CC_SYSTEM_V);
    CompileOptions options = {.target = target, .features = 0, .opt = OPT_SPEED, .check = true};
    for (uint32_t k = 0; k < file->funcs.n; k++) jit_add(jit, compile_func(arena, file->funcs.v[k], &options));
    jit_publish(jit);
    double half = 2.5;
    uint64_t args[2] = {9, 0};
    memcpy(&args[1], &half, sizeof half);
    JitActivation act = {0};
    void *fn = jit_find(jit, name_of("main"));
    if (jit_call(jit, fn, &file->funcs.v[0]->sig, args, result, &act) != VTR_OK) ctx_throw(ctx, VTR_ERR_TRAP);
    ck_assert(jit_free_function(jit, name_of("main")));
    arena_free(arena);
}

// What the function gives, computed here.
static uint64_t model(void) {
    uint64_t x = 0;
    for (uint64_t n = 9; n; n--) {
        if (n == 0 || n == 2) x = ((n + n) ^ x) + 3;
        else if (n == 1) x = x / n;
        x = x * 3 + n - 1;
    }
    return x;
}

static void fail_everywhere(bool rest) {
    uint64_t result = 0;
    unsigned bad = 1;
    for (;; bad++) {
        Memory memory = {.bad = bad, .rest = rest};
        vtr_allocator allocator = {resize, &memory};
        vtr_context *ctx;
        vtr_status status = vtr_context_new(&allocator, &ctx);
        if (status != VTR_OK) {
            ck_assert_int_eq(status, VTR_ERR_MEMORY);
            ck_assert_uint_eq(memory.live, 0);
            continue;
        }
        status = ctx_try(ctx, work, &result);
        vtr_diagnostic_info info;
        if (status != VTR_OK && status != VTR_ERR_MEMORY && vtr_diagnostic(ctx, 0, &info))
            ck_abort_msg("allocation %u: %s", bad, info.message);
        if (status == VTR_OK && memory.n < bad) {
            vtr_context_free(ctx);
            ck_assert_uint_eq(memory.live, 0);
            break;
        }
        ck_assert_msg(status == VTR_ERR_MEMORY, "allocation %u: %s", bad, vtr_status_name(status));
        memory.bad = 0;
        if (bad % 8 == 1) ck_assert_int_eq(ctx_try(ctx, work, &result), VTR_OK); // usable still
        vtr_context_free(ctx);
        ck_assert_msg(memory.live == 0, "allocation %u: %zu bytes leaked", bad, memory.live);
    }
    ck_assert_uint_gt(bad, 20);
    ck_assert_uint_eq(result, model());
}

START_TEST(each_allocation_may_fail) { fail_everywhere(false); }
END_TEST

START_TEST(all_later_allocations_may_fail_too) { fail_everywhere(true); }
END_TEST

int main(void) {
    TCase *tests = tcase_create("oom");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, each_allocation_may_fail);
    tcase_add_test(tests, all_later_allocations_may_fail_too);
    return run_tests("oom", tests);
}
