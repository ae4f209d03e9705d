// Instruction selection on x86_64: what is folded and what may not be, conditions, blocks and edges, calls. Each test
// names facts of the listing rather than all of it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "select/select.h"
#include "unit.h"

typedef struct Job {
    const char *text;
    bool fold;
    CallConv conv;
    char *listing; // malloc
    char *trace;
} Job;

static char *copy_text(Buf *buf) { return strdup(buf_str(buf)); }

static void select_body(Ctx *ctx, void *arg) {
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    IrFile *file = ir_read(arena, "test.clif", job->text, strlen(job->text), job->conv);
    Buf trace = buf_new(arena);
    Buf listing = buf_new(arena);
    SelOptions options = {.features = 0, .fold = job->fold, .trace = &trace};
    MFunc *m = select_func(arena, file->funcs.v[0], target_find("x86_64"), &options);
    mfunc_write(m, &listing);
    job->listing = copy_text(&listing);
    job->trace = copy_text(&trace);
    arena_free(arena);
}

static Job job;
static char *last_message;

static vtr_status try_select(const char *text, bool fold, CallConv conv) {
    Ctx *ctx = test_context();
    free(job.listing);
    free(job.trace);
    free(last_message);
    last_message = NULL;
    job = (Job){.text = text, .fold = fold, .conv = conv};
    vtr_status status = ctx_try(ctx, select_body, &job);
    vtr_diagnostic_info info;
    if (vtr_diagnostic(ctx, 0, &info)) last_message = strdup(info.message);
    vtr_context_free(ctx);
    return status;
}

// The listing of a function whose body and head are given as CLIF.
static const char *listing_of(const char *text) {
    vtr_status status = try_select(text, true, CC_SYSTEM_V);
    ck_assert_msg(status == VTR_OK, "%s: %s", vtr_status_name(status), last_message ? last_message : "");
    return job.listing;
}

static unsigned count(const char *text, const char *part) {
    unsigned n = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) n++;
    return n;
}

#define has(part) ck_assert_msg(strstr(job.listing, (part)) != NULL, "no \"%s\" in\n%s", (part), job.listing)
#define lacks(part) ck_assert_msg(strstr(job.listing, (part)) == NULL, "\"%s\" in\n%s", (part), job.listing)
#define times(n, part)                                                                                                 \
    ck_assert_msg(count(job.listing, (part)) == (n), "%u times \"%s\", not %u, in\n%s", count(job.listing, (part)),    \
                  (part), (unsigned)(n), job.listing)

// ---- folding -----------------------------------------------------------------------------------------

START_TEST(load_folds_into_its_only_user) {
    listing_of("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n v2 = load.i64 v1+8\n v3 = iadd v0, v2\n"
               " return v3\n}\n");
    has("add64_rm");
    lacks("mov64_rm");
    has("; trap heap_oob"); // the access keeps its trap code
}
END_TEST

START_TEST(load_stays_before_a_store) {
    listing_of("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n v2 = load.i64 notrap v1\n store v0, v1\n"
               " v3 = iadd v0, v2\n return v3\n}\n");
    lacks("add64_rm");
    ck_assert(strstr(job.listing, "mov64_rm") < strstr(job.listing, "mov64_mr"));
}
END_TEST

START_TEST(load_stays_before_a_call) {
    listing_of("function %f(i64, i64) -> i64 {\n fn0 = %g()\nblock0(v0: i64, v1: i64):\n v2 = load.i64 notrap v1\n"
               " call fn0()\n v3 = iadd v0, v2\n return v3\n}\n");
    lacks("add64_rm");
}
END_TEST

START_TEST(load_stays_before_what_may_trap) {
    listing_of("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n v2 = load.i64 v1\n trapz v0, user1\n"
               " v3 = iadd v0, v2\n return v3\n}\n");
    lacks("add64_rm");
    ck_assert(strstr(job.listing, "mov64_rm") < strstr(job.listing, "jcc"));
}
END_TEST

START_TEST(load_of_two_users_is_one_load) {
    listing_of("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n v2 = load.i64 v1\n v3 = iadd v0, v2\n"
               " v4 = isub v3, v2\n return v4\n}\n");
    times(1, "mov64_rm");
    lacks("add64_rm");
    lacks("sub64_rm");
}
END_TEST

START_TEST(load_folds_at_its_own_width_only) {
    listing_of("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n v2 = load.i32 v1\n v3 = uextend.i64 v2\n"
               " v4 = iadd v0, v3\n return v4\n}\n");
    has("mov32_rm");
    lacks("add64_rm");
}
END_TEST

START_TEST(unused_load_that_may_trap_stays) {
    listing_of("function %f(i64) {\nblock0(v0: i64):\n v1 = load.i64 v0\n v2 = load.i64 notrap v0+8\n return\n}\n");
    times(1, "mov64_rm");
}
END_TEST

START_TEST(read_change_write_is_one_instruction) {
    listing_of("function %f(i64, i64) {\nblock0(v0: i64, v1: i64):\n v2 = load.i64 v1+8\n v3 = iadd v2, v0\n"
               " store v3, v1+8\n return\n}\n");
    has("add64_mr");
    listing_of("function %f(i64, i64) {\nblock0(v0: i64, v1: i64):\n v2 = load.i64 v1+8\n v3 = iadd v2, v0\n"
               " store v3, v1+16\n return\n}\n"); // another place
    lacks("add64_mr");
}
END_TEST

START_TEST(nothing_folds_without_fold) {
    ck_assert_int_eq(try_select("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n v2 = load.i64 v1+8\n"
                                " v3 = iadd v0, v2\n v4 = iadd_imm v3, 5\n return v4\n}\n",
                                false, CC_SYSTEM_V),
                     VTR_OK);
    lacks("add64_rm");
    has("add64_ri"); // a constant is no instruction to fold
}
END_TEST

// ---- addresses -----------------------------------------------------------------------------------------

START_TEST(address_with_index_and_slot) {
    listing_of("function %f(i64, i64) -> i64 {\n ss0 = explicit_slot 64\nblock0(v0: i64, v1: i64):\n"
               " v2 = ishl_imm v1, 3\n v3 = iadd v0, v2\n v4 = load.i64 v3+16\n v5 = stack_addr.i64 ss0+8\n"
               " v6 = ishl_imm v4, 2\n v7 = iadd v5, v6\n store v0, v7+4\n return v4\n}\n");
    has("#1[%"); // base + index << 3 + 16
    has(", 3, 16]");
    has("#1[local0, %"); // slot + index << 2 + 8 + 4
    has(", 2, 12]");
    lacks("shl64");
}
END_TEST

START_TEST(displacement_does_not_overflow) {
    listing_of("function %f(i64) -> i64 {\nblock0(v0: i64):\n v1 = iadd_imm v0, 0x7fffffff\n v2 = load.i64 v1+1\n"
               " return v2\n}\n");
    has("add64_ri");
    has(", 1]");
}
END_TEST

START_TEST(base_and_offset_serve_many) {
    listing_of("function %f(i64) -> i64 {\nblock0(v0: i64):\n v1 = iadd_imm v0, 32\n v2 = load.i64 v1\n"
               " v3 = load.i64 v1+8\n v4 = iadd v2, v3\n return v4\n}\n");
    has(", 32]");
    has(", 40]");
    lacks("add64_ri");
}
END_TEST

START_TEST(long_chains_are_cut) {
    listing_of(
        "function %f(i64) -> i64 {\nblock0(v0: i64):\n v1 = iadd_imm v0, 1\n v2 = iadd_imm v1, 1\n"
        " v3 = iadd_imm v2, 1\n v4 = iadd_imm v3, 1\n v5 = iadd_imm v4, 1\n v6 = iadd_imm v5, 1\n"
        " v7 = iadd_imm v6, 1\n v8 = iadd_imm v7, 1\n v9 = iadd_imm v8, 1\n v10 = load.i64 v9\n return v10\n}\n");
    has("add64_ri"); // the first of nine
    has(", 8]");
}
END_TEST

START_TEST(near_symbols_are_relative) {
    listing_of("function %f() -> i64 {\n gv0 = symbol colocated %x\n gv1 = symbol %y\nblock0:\n"
               " v0 = symbol_value.i64 gv0\n v1 = symbol_value.i64 gv1\n v2 = load.i64 v0+8\n v3 = iadd v1, v2\n"
               " return v3\n}\n");
    has("#3[%x+8]");
    has("movabs %y");
}
END_TEST

// ---- conditions ----------------------------------------------------------------------------------------

START_TEST(compare_fuses_with_each_user) {
    listing_of("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n v2 = icmp slt v0, v1\n"
               " v3 = select v2, v0, v1\n brif v2, block1, block2\nblock1:\n return v3\nblock2:\n return v0\n}\n");
    times(2, "cmp64_rr");
    lacks("setcc_r");
    has("cmov64_rr");
}
END_TEST

START_TEST(repeated_compare_does_not_repeat_its_load) {
    listing_of("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n v5 = load.i64 v1\n v2 = icmp slt v0, v5\n"
               " v3 = select v2, v0, v1\n brif v2, block1, block2\nblock1:\n return v3\nblock2:\n return v0\n}\n");
    times(1, "mov64_rm");
    lacks("cmp64_rm");
}
END_TEST

START_TEST(overflow_bit_fuses) {
    listing_of("function %f(i32, i32) -> i32 {\nblock0(v0: i32, v1: i32):\n v2, v3 = sadd_overflow v0, v1\n"
               " trapnz v3, user7\n return v2\n}\n");
    has("add32_rr");
    lacks("setcc_r");
    times(1, "add32_rr");
}
END_TEST

START_TEST(overflow_bit_stays_when_the_sum_is_used_between) {
    listing_of("function %f(i32, i32, i64) -> i32 {\nblock0(v0: i32, v1: i32, v4: i64):\n"
               " v2, v3 = sadd_overflow v0, v1\n store v2, v4\n trapnz v3, user7\n return v2\n}\n");
    has("setcc_r");
    times(1, "add32_rr");
}
END_TEST

START_TEST(float_equality_takes_two_codes) {
    listing_of("function %f(f64, f64) -> i32 {\nblock0(v0: f64, v1: f64):\n v2 = fcmp eq v0, v1\n"
               " brif v2, block1, block2\nblock1:\n v3 = iconst.i32 1\n return v3\nblock2:\n v4 = iconst.i32 2\n"
               " return v4\n}\n");
    times(1, "ucomisd_rr");
    times(2, "jcc ");
}
END_TEST

// ---- blocks --------------------------------------------------------------------------------------------

START_TEST(critical_edges_are_split) {
    listing_of("function %f(i32, i32) -> i32 {\nblock0(v0: i32, v1: i32):\n brif v0, block1(v0), block1(v1)\n"
               "block1(v2: i32):\n return v2\n}\n");
    has("    -> block1, block2\n");
    has("    -> block3(%1)\n");
    has("    -> block3(%2)\n");
}
END_TEST

START_TEST(equal_edges_are_one) {
    listing_of(
        "function %f(i32) {\nblock0(v0: i32):\n br_table v0, block1, [block1, block2, block1]\nblock1:\n return\n"
        "block2:\n return\n}\n");
    has("table0: block1 block2 block1 block1");
    has("    -> block1, block2\n");
}
END_TEST

START_TEST(definitions_may_stand_below_their_uses) {
    listing_of("function %f(i64) -> i64 {\nblock0(v0: i64):\n jump block2\nblock1:\n v2 = iadd.i64 v1, v0\n return v2\n"
               "block2:\n v1 = imul v0, v0\n jump block1\n}\n");
    has("imul64_rr");
    has("add64_rr");
}
END_TEST

START_TEST(unreachable_blocks_vanish) {
    listing_of("function %f(i64) -> i64 {\nblock0(v0: i64):\n return v0\nblock1:\n v1 = imul v0, v0\n return v1\n}\n");
    lacks("imul");
}
END_TEST

START_TEST(cold_blocks_come_last) {
    listing_of("function %f(i32) -> i32 {\nblock0(v0: i32):\n brif v0, block1, block2\nblock1 cold:\n"
               " v1 = iconst.i32 1\n return v1\nblock2:\n v2 = iconst.i32 2\n return v2\n}\n");
    ck_assert(strstr(job.listing, "; ir block2") < strstr(job.listing, "; ir block1, cold"));
}
END_TEST

START_TEST(trap_sites_are_shared_by_code_and_place) {
    listing_of("function %f(i32, i32) -> i32 {\nblock0(v0: i32, v1: i32):\n trapz v0, user1\n trapz v1, user1\n"
               " trapnz v1, user2\n v2 = udiv v0, v1\n return v2\n}\n");
    times(2, "; trap user"); // user1 and user2
    times(1, "; trap int_divz");
    times(4, "jcc ");
}
END_TEST

// ---- calls ---------------------------------------------------------------------------------------------

START_TEST(many_arguments_and_results) {
    listing_of("function %f(i64, i64, i64, i64, i64, i64, i64, f64) -> i64, i64, i64, f64 {\n"
               "block0(v0: i64, v1: i64, v2: i64, v3: i64, v4: i64, v5: i64, v6: i64, v7: f64):\n"
               " return v0, v5, v6, v7\n}\n");
    // The hidden area takes rdi: the sixth and seventh integers are on the stack.
    has("@rsi");
    has("mov64_rm #0[in0, 0]");
    has("mov64_rm #0[in0+8, 0]");
    has("mov64_mr #0[%");
    has("@rax, %");
    lacks("@r10");
}
END_TEST

START_TEST(windows_leaves_shadow_space) {
    ck_assert_int_eq(
        try_select("function %f(i64, f64) windows_fastcall {\n fn0 = %g(i64, f64, i64, i64, i64) "
                   "windows_fastcall\nblock0(v0: i64, v1: f64):\n call fn0(v0, v1, v0, v0, v0)\n return\n}\n",
                   true, CC_SYSTEM_V),
        VTR_OK);
    has("@rcx");
    has("@xmm1"); // positions are shared
    has("out0+32");
    has("out0: 48 bytes");
}
END_TEST

START_TEST(narrow_arguments_are_extended) {
    listing_of("function %f(i8, i16) {\n fn0 = %g(i8 uext, i16 sext)\nblock0(v0: i8, v1: i16):\n call fn0(v0, v1)\n"
               " return\n}\n");
    has("movzx32_rr8");
    has("movsx32_rr16");
}
END_TEST

START_TEST(tail_calls_use_their_own_area) {
    listing_of("function %f(i64) -> i64 tail {\n"
               " sig0 = (i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64) -> i64 tail\n"
               "block0(v0: i64):\n return_call_indirect sig0, v0(v0, v0, v0, v0, v0, v0, v0, v0, v0, v0, v0, v0)\n}\n");
    has("tail0: 16 bytes");
    has("mov64_mr #0[tail0, 0]");
    has("jmp_r %");
    has(" | 16, ");
}
END_TEST

START_TEST(what_cannot_be_selected_is_named) {
    vtr_status status = try_select(
        "function %f(i64) -> i64 {\nblock0(v0: i64):\n v1 = load.i64 big v0\n return v1\n}\n", true, CC_SYSTEM_V);
    ck_assert_int_eq(status, VTR_ERR_UNSUPPORTED);
    ck_assert_msg(strstr(last_message, "x86_64 cannot select load.i64: v1 = load.i64 big v0") != NULL, "%s",
                  last_message);
}
END_TEST

// Bits above a narrow value are anything: it is no address.
// 16 bits say how much a return removes: more is a limit, and 65,520 bytes are not.
START_TEST(a_return_removes_as_much_as_it_can_say) {
    enum { IN_REGISTERS = 11 };
    for (unsigned n = IN_REGISTERS + 8190; n <= IN_REGISTERS + 8192; n += 2) {
        size_t size = 64 + 20 * n;
        char *text = malloc(size);
        char *at = text + snprintf(text, size, "function %%f(i64");
        for (unsigned k = 1; k < n; k++) at += snprintf(at, size - (size_t)(at - text), ", i64");
        at += snprintf(at, size - (size_t)(at - text), ") tail {\nblock0(v0: i64");
        for (unsigned k = 1; k < n; k++) at += snprintf(at, size - (size_t)(at - text), ",v%u:i64", k);
        snprintf(at, size - (size_t)(at - text), "):\n    return\n}\n");
        vtr_status status = try_select(text, true, CC_SYSTEM_V);
        free(text);
        ck_assert_int_eq(status, n <= IN_REGISTERS + 8190 ? VTR_OK : VTR_ERR_LIMIT);
    }
    ck_assert_str_eq(last_message, "x86_64: a function that removes 65536 bytes of stack arguments");
}
END_TEST

START_TEST(addresses_have_the_width_of_the_machine) {
    static const char *const wrong[][2] = {
        {"function %f(i32) -> i64 {\nblock0(v0: i32):\n v1 = load.i64 v0\n return v1\n}\n", "load.i64 v0"},
        {"function %f(i32, i64) -> i64 {\nblock0(v0: i32, v1: i64):\n v2 = load.i64 v0\n v3 = iadd v1, v2\n"
         " return v3\n}\n",
         "load.i64 v0"},
        {"function %f(i32, i64) {\nblock0(v0: i32, v1: i64):\n store v1, v0\n return\n}\n", "store v1, v0"},
        {"function %f(i32) -> i64 {\nblock0(v0: i32):\n v1 = atomic_load.i64 v0\n return v1\n}\n",
         "atomic_load.i64 v0"},
        {"function %f(i32) {\n sig0 = () system_v\nblock0(v0: i32):\n call_indirect sig0, v0()\n return\n}\n",
         "call_indirect sig0, v0()"},
    };
    for (unsigned k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        ck_assert_int_eq(try_select(wrong[k][0], true, CC_SYSTEM_V), VTR_ERR_UNSUPPORTED);
        ck_assert_msg(strstr(last_message, wrong[k][1]) != NULL, "%s", last_message);
    }
}
END_TEST

START_TEST(the_trace_says_which_rule_covered_what) {
    listing_of("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n v2 = load.i64 v1+8\n v3 = iadd v0, v2\n"
               " return v3\n}\n");
    const char *rule = strstr(job.trace, "add64_rm");
    ck_assert_ptr_nonnull(rule);
    ck_assert_ptr_nonnull(strstr(rule, "v3 = iadd v0, v2"));
    ck_assert_ptr_nonnull(strstr(rule, "v2 = load.i64 v1+8"));
}
END_TEST

int main(void) {
    TCase *t = tcase_create("all");
    tcase_add_test(t, load_folds_into_its_only_user);
    tcase_add_test(t, load_stays_before_a_store);
    tcase_add_test(t, load_stays_before_a_call);
    tcase_add_test(t, load_stays_before_what_may_trap);
    tcase_add_test(t, load_of_two_users_is_one_load);
    tcase_add_test(t, load_folds_at_its_own_width_only);
    tcase_add_test(t, unused_load_that_may_trap_stays);
    tcase_add_test(t, read_change_write_is_one_instruction);
    tcase_add_test(t, nothing_folds_without_fold);
    tcase_add_test(t, address_with_index_and_slot);
    tcase_add_test(t, displacement_does_not_overflow);
    tcase_add_test(t, base_and_offset_serve_many);
    tcase_add_test(t, long_chains_are_cut);
    tcase_add_test(t, near_symbols_are_relative);
    tcase_add_test(t, compare_fuses_with_each_user);
    tcase_add_test(t, repeated_compare_does_not_repeat_its_load);
    tcase_add_test(t, overflow_bit_fuses);
    tcase_add_test(t, overflow_bit_stays_when_the_sum_is_used_between);
    tcase_add_test(t, float_equality_takes_two_codes);
    tcase_add_test(t, critical_edges_are_split);
    tcase_add_test(t, equal_edges_are_one);
    tcase_add_test(t, definitions_may_stand_below_their_uses);
    tcase_add_test(t, unreachable_blocks_vanish);
    tcase_add_test(t, cold_blocks_come_last);
    tcase_add_test(t, trap_sites_are_shared_by_code_and_place);
    tcase_add_test(t, many_arguments_and_results);
    tcase_add_test(t, windows_leaves_shadow_space);
    tcase_add_test(t, narrow_arguments_are_extended);
    tcase_add_test(t, tail_calls_use_their_own_area);
    tcase_add_test(t, what_cannot_be_selected_is_named);
    tcase_add_test(t, a_return_removes_as_much_as_it_can_say);
    tcase_add_test(t, addresses_have_the_width_of_the_machine);
    tcase_add_test(t, the_trace_says_which_rule_covered_what);
    return run_tests("select", t);
}
