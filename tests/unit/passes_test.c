// The passes: random functions mean the same before and after; and what each pass is for happens.
#include <stdlib.h>
#include <string.h>

#include "../random/ir_case.h"
#include "passes/pipeline.h"
#include "verify/ir_verify.h"
#include "ir_run.h"

// ---- the same before and after -------------------------------------------------------------------

// A machine that selects little: everything that has an expansion is expanded.
static bool selects_little(Op op, Type control, Type operand, uint64_t features) {
    (void)features;
    bool word = control == T_i32 || control == T_i64;
    switch (op) {
    case OP_ineg:
    case OP_bnot:
    case OP_iabs:
    case OP_smin:
    case OP_smax:
    case OP_umin:
    case OP_umax:
    case OP_rotl:
    case OP_rotr:
    case OP_bmask:
    case OP_bitselect:
    case OP_popcnt:
    case OP_bitrev:
    case OP_cls:
    case OP_isplit:
    case OP_iconcat:
    case OP_fneg:
    case OP_fabs:
    case OP_fmin:
    case OP_fmax:
    case OP_ceil:
    case OP_floor:
    case OP_trunc:
    case OP_nearest:
    case OP_fma:
    case OP_uadd_overflow:
    case OP_sadd_overflow:
    case OP_usub_overflow:
    case OP_ssub_overflow:
    case OP_umul_overflow:
    case OP_smul_overflow:
    case OP_uadd_overflow_cin:
    case OP_sadd_overflow_cin:
    case OP_usub_overflow_bin:
    case OP_ssub_overflow_bin:
    case OP_uadd_overflow_trap:
    case OP_fcvt_to_uint:
    case OP_fcvt_to_sint:
    case OP_fcvt_to_uint_sat:
    case OP_fcvt_from_uint:
    case OP_umulhi:
    case OP_smulhi: return false;
    case OP_clz:
    case OP_ctz:
    case OP_bswap:
    case OP_fcvt_to_sint_sat: return word;
    case OP_fcvt_from_sint: return operand == T_i32 || operand == T_i64;
    default: return true;
    }
}

static void check_seed(Ctx *ctx, uint64_t seed, const PassOptions *options) {
    Arena *arena = arena_new(ctx);
    RandomOptions random = {.seed = seed, .size = 24, .n_funcs = 1, .values_only = true};
    RandomProgram program = random_program(arena, &random);
    Func *f = program.entry;
    Buf before = buf_new(arena);
    ir_write(f, &before);
    ck_assert_msg(verify_func(f), "seed %llu does not verify:\n%s", (unsigned long long)seed, buf_str(&before));
    Arguments args[CASE_RUNS];
    Outcome expected[CASE_RUNS];
    for (unsigned k = 0; k < CASE_RUNS; k++) {
        case_arguments(&program, seed, k, &args[k]);
        expected[k] = case_interpret(&program, &args[k]);
    }
    passes_run(f, options);
    for (unsigned k = 0; k < CASE_RUNS; k++) {
        Outcome got = case_interpret(&program, &args[k]);
        bool endless = expected[k].status == IR_INTERP_FUEL || got.status == IR_INTERP_FUEL;
        if (endless || case_same(&program, &expected[k], &got)) continue;
        Buf after = buf_new(arena);
        ir_write(f, &after);
        ck_abort_msg("seed %llu, arguments %u: another result\n%s\n%s", (unsigned long long)seed, k, buf_str(&before),
                     buf_str(&after));
    }
    case_free(&program);
    arena_free(arena);
}

#ifdef VTR_CHECKING
enum { N_SEEDS = 300 }; // everything is several times slower there
#else
enum { N_SEEDS = 2000 };
#endif

typedef struct Sweep {
    const PassOptions *options;
    uint64_t first;
} Sweep;

static void sweep(Ctx *ctx, void *arg) {
    const Sweep *s = arg;
    for (uint64_t seed = s->first; seed < s->first + N_SEEDS; seed++) check_seed(ctx, seed, s->options);
}

START_TEST(optimising_keeps_the_meaning) {
    PassOptions options = {.level = OPT_SPEED, .verify = true, .fuel = UINT64_MAX};
    in_context(sweep, &(Sweep){&options, 1});
}
END_TEST

START_TEST(expanding_keeps_the_meaning) {
    PassOptions options = {.level = OPT_NONE, .verify = true, .fuel = UINT64_MAX, .covers = selects_little};
    in_context(sweep, &(Sweep){&options, 100000});
}
END_TEST

START_TEST(optimising_and_expanding_keep_the_meaning) {
    PassOptions options = {.level = OPT_SPEED, .verify = true, .fuel = UINT64_MAX, .covers = selects_little};
    in_context(sweep, &(Sweep){&options, 200000});
}
END_TEST

START_TEST(any_amount_of_fuel_keeps_the_meaning) {
    for (uint64_t fuel = 0; fuel < 12; fuel++) {
        PassOptions options = {.level = OPT_SPEED, .verify = true, .fuel = fuel};
        in_context(sweep, &(Sweep){&options, 300000 + 10000 * fuel});
    }
}
END_TEST

// ---- what each pass is for -------------------------------------------------------------------------

typedef struct Example {
    const char *name;
    const char *before;
    const char *after; // the body as printed
} Example;

static const Example examples[] = {
    {"constants fold",
     "function %f() -> i32 system_v {\nblock0:\n v0 = iconst.i32 6\n v1 = iconst.i32 7\n v2 = imul v0, v1\n return "
     "v2\n}",
     "block0:\n    v2 = iconst.i32 42\n    return v2  ; v2 = 42\n"},
    {"a division that traps stays",
     "function %f() -> i32 system_v {\nblock0:\n v0 = iconst.i32 6\n v1 = iconst.i32 0\n v2 = udiv v0, v1\n return "
     "v0\n}",
     "block0:\n    v0 = iconst.i32 6\n    v1 = iconst.i32 0\n    v2 = udiv v0, v1  ; v0 = 6, v1 = 0\n    return v0  ; "
     "v0 = 6\n"},
    {"a multiplication by a power of two becomes a shift",
     "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n v1 = iconst.i64 8\n v2 = imul v1, v0\n return v2\n}",
     "block0(v0: i64):\n    v3 = iconst.i64 3\n    v4 = ishl v0, v3  ; v3 = 3\n    v2 -> v4\n    return v4\n"},
    {"equal expressions are computed once, in either order",
     "function %f(i64, i64) -> i64 system_v {\nblock0(v0: i64, v1: i64):\n v2 = imul v0, v1\n v3 = imul v1, v0\n"
     " v4 = bxor v2, v3\n return v4\n}",
     "block0(v0: i64, v1: i64):\n    v5 = iconst.i64 0\n    v4 -> v5\n    return v5  ; v5 = 0\n"},
    {"a second null check goes, whatever its code, and so does a second look at what never changes",
     "function %f(i64) -> i32 system_v {\nblock0(v0: i64):\n trapz v0, user1\n v1 = load.i32 notrap readonly v0\n"
     " store v1, v0+8\n trapz v0, user2\n v2 = load.i32 notrap readonly v0\n v3 = load.i32 notrap v0+8\n"
     " store v2, v0+8\n v4 = load.i32 notrap v0+8\n v5 = iadd v3, v4\n return v5\n}",
     "block0(v0: i64):\n    trapz v0, user1\n    v1 = load.i32 notrap readonly v0\n    v2 -> v1\n"
     "    store v1, v0+8\n    v3 = load.i32 notrap v0+8\n    store v1, v0+8\n    v4 = load.i32 notrap v0+8\n"
     "    v5 = iadd v3, v4\n    return v5\n"},
    {"of two such looks that may trap the second goes, unless it traps with another code",
     "function %f(i64) -> i32 system_v {\nblock0(v0: i64):\n v1 = load.i32 user4 readonly v0-4\n store v1, v0+8\n"
     " v2 = load.i32 user4 readonly v0-4\n v3 = load.i32 readonly v0-4\n v4 = isub v1, v2\n v5 = iadd v4, v3\n"
     " return v5\n}",
     "block0(v0: i64):\n    v1 = load.i32 user4 readonly v0-4\n    v2 -> v1\n    store v1, v0+8\n"
     "    v3 = load.i32 readonly v0-4\n    v5 -> v3\n    return v3\n"},
    {"what a loop's head computes is known in its body, also when the exit computes it as well",
     "function %f(i64, i64) -> i64 system_v {\nblock0(v0: i64, v1: i64):\n jump block1(v0)\n"
     "block1(v2: i64):\n v3 = imul v2, v1\n brif v3, block2, block3\n"
     "block2:\n v4 = imul v2, v1\n brif v4, block1(v4), block3\n"
     "block3:\n v5 = imul v2, v1\n return v5\n}",
     "block0(v0: i64, v1: i64):\n    jump block1(v0)\n\n"
     "block1(v2: i64):\n    v3 = imul.i64 v1, v2\n    v4 -> v3\n    v5 -> v3\n    brif v3, block2, block3\n\n"
     "block2:\n    jump block1(v3)\n\nblock3:\n    return v3\n"},
    {"what a loop does not change is computed before it, as far out as it goes",
     "function %f(i64, i64) -> i64 system_v {\nblock0(v0: i64, v1: i64):\n jump block1(v0)\n"
     "block1(v2: i64):\n jump block2(v2)\n"
     "block2(v3: i64):\n v4 = iconst.i64 7\n v5 = imul v1, v4\n v6 = imul v2, v5\n v7 = isub v3, v6\n"
     " brif v7, block2(v7), block3\n"
     "block3:\n v8 = bxor v2, v1\n brif v8, block1(v8), block4\nblock4:\n return v2\n}",
     "block0(v0: i64, v1: i64):\n    v4 = iconst.i64 7\n    v5 = imul v1, v4  ; v4 = 7\n    jump block1(v0)\n\n"
     "block1(v2: i64):\n    v6 = imul v2, v5\n    jump block2(v2)\n\n"
     "block2(v3: i64):\n    v7 = isub v3, v6\n    brif v7, block2(v7), block3\n\n"
     "block3:\n    v8 = bxor.i64 v1, v2\n    brif v8, block1(v8), block4\n\nblock4:\n    return v2\n"},
    {"a constant branch goes, and the block behind it joins",
     "function %f(i32) -> i32 system_v {\nblock0(v0: i32):\n v1 = iconst.i8 1\n brif v1, block1(v0), block2\n"
     "block1(v2: i32):\n return v2\nblock2:\n trap user1\n}",
     "block0(v0: i32):\n    v2 -> v0\n    return v0\n"},
    {"a value that only feeds itself dies",
     "function %f(i32) system_v {\nblock0(v0: i32):\n v1 = iconst.i32 0\n jump block1(v0, v1)\n"
     "block1(v2: i32, v3: i32):\n v4 = iconst.i32 1\n v5 = iadd v3, v4\n v6 = isub v2, v4\n brif v6, block1(v6, v5), "
     "block2\n"
     "block2:\n return\n}",
     "block0(v0: i32):\n    jump block1(v0)\n\nblock1(v2: i32):\n    v7 = iconst.i32 -1\n    v8 = iadd v2, v7  ; v7 = "
     "-1\n"
     "    v6 -> v8\n    brif v8, block1(v8), block2\n\nblock2:\n    return\n"},
};

// For a machine that selects little.
static const Example little_examples[] = {
    {"without high products a division by a constant stays as it is; it goes if it cannot trap and nobody needs it",
     "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n v1 = iconst.i64 10\n v2 = udiv v0, v1\n"
     " v3 = iconst.i64 -1\n v4 = sdiv v0, v3\n v5 = sdiv v0, v1\n v6 = srem v0, v3\n return v2\n}",
     "block0(v0: i64):\n    v1 = iconst.i64 10\n    v2 = udiv v0, v1  ; v1 = 10\n    v3 = iconst.i64 -1\n"
     "    v4 = sdiv v0, v3  ; v3 = -1\n    return v2\n"},
};

typedef struct ExampleRun {
    const Example *example;
    bool little;
} ExampleRun;

static void run_example(Ctx *ctx, void *arg) {
    const ExampleRun *run = arg;
    const Example *example = run->example;
    Arena *arena = arena_new(ctx);
    IrFile *file = ir_read(arena, example->name, example->before, strlen(example->before), CC_SYSTEM_V);
    Func *f = file->funcs.v[0];
    PassOptions options = {.level = OPT_SPEED, .verify = true, .fuel = UINT64_MAX};
    if (run->little) options.covers = selects_little;
    passes_run(f, &options);
    Buf text = buf_new(arena);
    ir_write(f, &text);
    const char *body = strstr(buf_str(&text), "block0");
    size_t n = strlen(example->after);
    ck_assert_msg(body && !strncmp(body, example->after, n) && !strcmp(body + n, "}\n"), "%s:\n%s\nexpected:\n%s",
                  example->name, body ? body : "", example->after);
    arena_free(arena);
}

START_TEST(each_pass_does_its_work) {
    for (size_t k = 0; k < sizeof examples / sizeof *examples; k++)
        in_context(run_example, &(ExampleRun){&examples[k], false});
    for (size_t k = 0; k < sizeof little_examples / sizeof *little_examples; k++)
        in_context(run_example, &(ExampleRun){&little_examples[k], true});
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("passes");
    tcase_set_timeout(cases, 240);
    tcase_add_test(cases, optimising_keeps_the_meaning);
    tcase_add_test(cases, expanding_keeps_the_meaning);
    tcase_add_test(cases, optimising_and_expanding_keep_the_meaning);
    tcase_add_test(cases, any_amount_of_fuel_keeps_the_meaning);
    tcase_add_test(cases, each_pass_does_its_work);
    return run_tests("passes", cases);
}
