// What is known of values: ranges hold for every value of 8 bits; checks that are implied go, near misses stay; and
// random little functions over narrow integers give what they gave, for all corners of their arguments.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir_eval.h"
#include "passes/pipeline.h"
#include "passes/range.h"
#include "support/bits.h"
#include "ir_run.h"
#include "verify/ir_verify.h"

#ifdef VTR_CHECKING
enum { N_BOXES = 8, N_FUNCTIONS = 120 }; // everything is several times slower there
#else
enum { N_BOXES = 40, N_FUNCTIONS = 800 };
#endif

static uint64_t state = 1;

static uint32_t below(uint32_t n) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % n);
}

static Func *read_one(Arena *arena, const char *text) {
    Func *f = ir_read(arena, "facts", text, strlen(text), CC_SYSTEM_V)->funcs.v[0];
    ck_assert_msg(verify_func(f), "does not verify:\n%s", text);
    return f;
}

// ---- ranges ----------------------------------------------------------------------------------------

static bool contains(Range r, Type type, uint64_t bits) {
    int64_t number = bit_sext(bits, type_bits(type));
    return r.umin <= bits && bits <= r.umax && r.smin <= number && number <= r.smax;
}

// Ends near the corners as often as not.
static uint64_t corner(void) {
    static const uint8_t corners[] = {0, 1, 2, 3, 7, 8, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff};
    return below(2) ? corners[below(sizeof corners)] : below(256);
}

static Range random_range(void) {
    uint64_t a = corner();
    uint64_t b = below(3) ? corner() : a;
    int64_t sa = bit_sext(a, 8);
    int64_t sb = bit_sext(b, 8);
    Range u = range_unsigned(T_i8, (Wide)(a < b ? a : b), (Wide)(a < b ? b : a));
    Range s = range_signed(T_i8, sa < sb ? sa : sb, sa < sb ? sb : sa);
    return below(3) == 0 ? u : below(2) ? s : range_meet(T_i8, u, s);
}

static void check_box(const Func *f, Inst i, const Range *box) {
    const InstData *inst = inst_get(f, i);
    const Type types[2] = {T_i8, T_i8};
    for (uint32_t k = 0; k < inst->results.n; k++) {
        Type type = value_type(f, inst_result(f, i, k));
        Range r = range_result(f, i, k, box);
        for (uint64_t at = 0; at < 65536; at++) {
            const uint64_t args[2] = {at & 255, at >> 8};
            if (!contains(box[0], T_i8, args[0]) || !contains(box[1], T_i8, args[1])) continue;
            uint64_t results[OP_MAX_RESULTS];
            uint8_t trap;
            if (!ir_eval(inst->op, inst->type, inst->code, args, types, results, &trap)) ck_abort_msg("not evaluated");
            if (trap || contains(r, type, results[k])) continue;
            ck_abort_msg("%s of %llu and %llu: result %u is %llu, outside of %llu to %llu and %lld to %lld",
                         op_name(inst->op), (unsigned long long)args[0], (unsigned long long)args[1], k,
                         (unsigned long long)results[k], (unsigned long long)r.umin, (unsigned long long)r.umax,
                         (long long)r.smin, (long long)r.smax);
        }
    }
}

static const char *const operations[] = {
    "iadd v0, v1",
    "isub v0, v1",
    "imul v0, v1",
    "udiv v0, v1",
    "sdiv v0, v1",
    "urem v0, v1",
    "srem v0, v1",
    "umulhi v0, v1",
    "smulhi v0, v1",
    "umin v0, v1",
    "umax v0, v1",
    "smin v0, v1",
    "smax v0, v1",
    "band v0, v1",
    "bor v0, v1",
    "bxor v0, v1",
    "ishl v0, v1",
    "ushr v0, v1",
    "sshr v0, v1",
    "rotl v0, v1",
    "ineg v0",
    "iabs v0",
    "bnot v0",
    "clz v0",
    "cls v0",
    "ctz v0",
    "popcnt v0",
    "uextend.i32 v0",
    "sextend.i16 v0",
    "bmask.i16 v0",
    "icmp slt v0, v1",
    "uadd_overflow v0, v1",
    "sadd_overflow v0, v1",
    "usub_overflow v0, v1",
    "ssub_overflow v0, v1",
    "umul_overflow v0, v1",
    "smul_overflow v0, v1",
};

static void sweep_ranges(Ctx *ctx, void *arg) {
    (void)arg;
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++) {
        Arena *arena = arena_new(ctx);
        char text[200];
        snprintf(text, sizeof text, "function %%f(i8, i8) system_v {\nblock0(v0: i8, v1: i8):\n v2%s = %s\n return\n}",
                 strstr(operations[k], "overflow") ? ", v3" : "", operations[k]);
        Func *f = read_one(arena, text);
        Inst i = block_get(f, f->first)->first;
        for (int n = 0; n < N_BOXES; n++) check_box(f, i, (Range[]){random_range(), random_range()});
        arena_free(arena);
    }
}

START_TEST(results_lie_in_their_ranges) { in_context(sweep_ranges, NULL); }
END_TEST

static void check_condition(IntCC cc, Range x, Range y) {
    Range r = range_if(T_i8, cc, x, y);
    for (uint64_t at = 0; at < 65536; at++) {
        uint64_t a = at & 255;
        uint64_t b = at >> 8;
        if (!contains(x, T_i8, a) || !contains(y, T_i8, b) || !ir_eval_icmp(cc, T_i8, a, b)) continue;
        if (!contains(r, T_i8, a))
            ck_abort_msg("%llu %s %llu", (unsigned long long)a, icc_name[cc], (unsigned long long)b);
    }
}

START_TEST(what_a_condition_leaves_holds_every_value_that_meets_it) {
    for (int n = 0; n < N_BOXES; n++) {
        for (int cc = 0; cc < N_ICC; cc++) check_condition((IntCC)cc, random_range(), random_range());
    }
}
END_TEST

// ---- implications and near misses ------------------------------------------------------------------

typedef struct Example {
    bool goes; // the check `..., user9`
    const char *name;
    const char *body;
} Example;

// v0 and v1: i64, v2: i32, v3: i8; block8 returns.
#define IF(cond, at, then) " v" at " = icmp " cond "\n brif v" at ", block" then ", block8\nblock" then ":\n"
#define CHECK(cond) " v99 = icmp " cond "\n trapnz v99, user9\n return\n"
// v10 counts from `start`; v19 is 1.
#define LOOP(start, test)                                                                                              \
    " v19 = iconst.i64 1\n jump block1(" start ")\nblock1(v10: i64):\n v11 = icmp " test                               \
    "\n brif v11, block2, block8\nblock2:\n"
#define AGAIN(step) " " step "\n jump block1(v18)\n"

static const Example examples[] = {
    {true, "below n and not negative",
     " v4 = iconst.i64 0\n" IF("sge v0, v4", "5", "1") IF("slt v0, v1", "6", "2") CHECK("uge v0, v1")},
    {false, "below n, perhaps negative", IF("slt v0, v1", "6", "2") CHECK("uge v0, v1")},
    {false, "at most n",
     " v4 = iconst.i64 0\n" IF("sge v0, v4", "5", "1") IF("sle v0, v1", "6", "2") CHECK("uge v0, v1")},
    {false, "at least -1",
     " v4 = iconst.i64 -1\n" IF("sge v0, v4", "5", "1") IF("slt v0, v1", "6", "2") CHECK("uge v0, v1")},
    {false, "what holds on the other edge",
     " v6 = icmp ult v0, v1\n brif v6, block8, block2\nblock2:\n" CHECK("uge v0, v1")},
    {true, "the opposite of what holds on the other edge",
     " v6 = icmp uge v0, v1\n brif v6, block8, block2\nblock2:\n" CHECK("uge v0, v1")},
    {false, "where two edges meet",
     " v6 = icmp ult v0, v1\n brif v6, block2, block3\nblock3:\n brif v3, block2, block8\nblock2:\n" CHECK(
         "uge v0, v1")},
    {false, "where both edges lead", " v6 = icmp ult v0, v1\n brif v6, block2, block2\nblock2:\n" CHECK("uge v0, v1")},
    {true, "behind a check", " v6 = icmp uge v0, v1\n trapnz v6, user1\n" CHECK("ule v1, v0")},
    {false, "behind the opposite check", " v6 = icmp uge v0, v1\n trapz v6, user1\n" CHECK("uge v0, v1")},
    {true, "two comparisons in one",
     " v5 = icmp ult v0, v1\n v6 = icmp ne v1, v0\n v7 = band v5, v6\n brif v7, block2, block8\nblock2:\n" CHECK(
         "uge v0, v1")},
    {false, "one of two comparisons",
     " v5 = icmp ult v0, v1\n v6 = icmp ugt v0, v1\n v7 = bor v5, v6\n brif v7, block2, block8\nblock2:\n" CHECK(
         "uge v0, v1")},
    {true, "a chain",
     " v4 = uextend.i64 v2\n" IF("ult v0, v4", "5", "1") IF("ult v4, v1", "6", "2") CHECK("uge v0, v1")},
    {true, "one more than below a chain of two",
     " v4 = uextend.i64 v2\n v19 = iconst.i64 1\n" IF("ult v0, v4", "5", "1")
         IF("ult v4, v1", "6", "2") " v7 = iadd v0, v19\n" CHECK("uge v7, v1")},
    {false, "two more than below a chain of two",
     " v4 = uextend.i64 v2\n v19 = iconst.i64 2\n" IF("ult v0, v4", "5", "1")
         IF("ult v4, v1", "6", "2") " v7 = iadd v0, v19\n" CHECK("uge v7, v1")},
    {false, "one more than below n",
     " v19 = iconst.i64 1\n" IF("ult v0, v1", "5", "1") " v7 = iadd v0, v19\n" CHECK("uge v7, v1")},
    {false, "one more than below n, with sign",
     " v19 = iconst.i64 1\n" IF("slt v0, v1", "5", "1") " v7 = iadd v0, v19\n" CHECK("sge v7, v1")},
    {true, "one more than below n is at most n, with sign",
     " v19 = iconst.i64 1\n" IF("sgt v1, v0", "5", "1") " v7 = iadd v0, v19\n" CHECK("sgt v7, v1")},
    {false, "one more than at most, which may wrap",
     " v19 = iconst.i64 1\n" IF("ule v0, v1", "5", "1") " v7 = iadd v0, v19\n" CHECK("ult v7, v0")},
    {true, "one more than below, which cannot wrap",
     " v19 = iconst.i64 1\n" IF("ult v0, v1", "5", "1") " v7 = iadd v0, v19\n" CHECK("ult v7, v0")},
    {false, "without sign is not with sign", IF("ult v0, v1", "5", "1") CHECK("sge v0, v1")},
    {true, "without sign is with sign below a number without",
     " v4 = uextend.i64 v2\n" IF("ult v0, v4", "5", "1") CHECK("sge v0, v4")},
    {true, "a remainder", " v4 = urem v0, v1\n" CHECK("uge v4, v1")},
    {false, "a remainder with sign", " v4 = srem v0, v1\n" CHECK("uge v4, v1")},
    {true, "a remainder with sign of a number without, by one without",
     " v4 = uextend.i64 v2\n v5 = uextend.i64 v3\n v6 = srem v4, v5\n" CHECK("uge v6, v5")},
    {false, "a remainder and one more",
     " v19 = iconst.i64 1\n v4 = urem v0, v1\n v5 = iadd v4, v19\n" CHECK("uge v5, v1")},
    {true, "a remainder and one more is at most the divisor",
     " v19 = iconst.i64 1\n v4 = urem v0, v1\n v5 = iadd v4, v19\n" CHECK("ugt v5, v1")},
    {false, "below a wide number is not below its low part",
     IF("ult v0, v1", "6", "1") " v5 = ireduce.i32 v1\n v7 = uextend.i64 v5\n" CHECK("uge v0, v7")},
    {false, "a remainder without sign, compared with it", " v4 = urem v0, v1\n" CHECK("sge v4, v1")},
    {false, "the lesser without sign of numbers of which one has none",
     " v4 = iconst.i64 0\n" IF("sge v0, v4", "6", "1") " v5 = umin v0, v1\n" CHECK("sgt v5, v1")},
    {false, "the largest operand of a sum that wraps",
     " v4 = iconst.i64 0x8000_0000_0000_0000\n v5 = iadd v0, v4\n v6 = iconst.i64 9\n v7 = iadd v4, v6\n" IF(
         "ule v5, v6", "8", "1") CHECK("eq v0, v7")},
    {false, "the largest operand of a difference",
     " v4 = iconst.i64 -1\n v5 = iadd v0, v4\n v6 = iconst.i64 4\n" IF("ule v5, v6", "7", "1") CHECK("ugt v0, v6")},
    {false, "a quotient of a number with sign", " v4 = uextend.i64 v3\n v5 = sdiv v0, v4\n" CHECK("sgt v5, v0")},
    {false, "a quotient by a number with sign", " v4 = uextend.i64 v2\n v5 = sdiv v4, v0\n" CHECK("ugt v5, v4")},
    {false, "a remainder with sign of a number with sign, without",
     " v4 = uextend.i64 v2\n v5 = srem v0, v4\n" CHECK("uge v5, v4")},
    {false, "a remainder by a number with sign", " v4 = uextend.i64 v2\n v5 = srem v4, v0\n" CHECK("sge v5, v0")},
    {false, "the lesser without sign is not the lesser with sign",
     " v4 = uextend.i64 v2\n v5 = umin v4, v0\n" CHECK("sgt v5, v0")},
    {true, "a difference that does not wrap",
     " v4 = uextend.i64 v2\n v5 = uextend.i64 v3\n" IF("uge v4, v5", "6", "1") " v8 = iconst.i64 255\n" IF(
         "uge v4, v8", "7", "2") " v9 = isub v4, v5\n" CHECK("ugt v9, v4")},
    {false, "a difference that may wrap",
     " v4 = uextend.i64 v2\n v8 = iconst.i64 255\n" IF("uge v4, v8", "7",
                                                       "2") " v9 = isub v4, v0\n" CHECK("ugt v9, v4")},
    {false, "one less than what is at least 5 may be below 5",
     " v4 = iconst.i64 5\n v5 = iconst.i64 -1\n" IF("uge v0, v4", "6", "1")
         IF("ule v1, v4", "7", "2") " v8 = iadd v0, v5\n" CHECK("ugt v1, v8")},
    {true, "low bits", " v4 = iconst.i64 7\n v5 = band v0, v4\n" CHECK("ugt v5, v4")},
    {false, "low bits and one more", " v4 = iconst.i64 7\n v5 = band v0, v4\n" CHECK("uge v5, v4")},
    {true, "a half", " v4 = iconst.i64 1\n v5 = ushr v0, v4\n" IF("ult v0, v1", "6", "1") CHECK("uge v5, v1")},
    {false, "a half of a number with sign",
     " v4 = iconst.i64 1\n v5 = sshr v0, v4\n" IF("slt v0, v1", "6", "1") CHECK("sge v5, v1")},
    {true, "an extension", " v4 = uextend.i64 v2\n v5 = iconst.i64 4294967295\n" CHECK("ugt v4, v5")},
    {false, "an extension with sign", " v4 = sextend.i64 v2\n v5 = iconst.i64 4294967295\n" CHECK("ugt v4, v5")},
    {true, "what a wider number is below, its low part is below",
     " v4 = iconst.i64 100\n v5 = iconst.i32 100\n" IF("ult v0, v4", "6",
                                                       "1") " v7 = ireduce.i32 v0\n" CHECK("uge v7, v5")},
    {false, "a low part of a number that is too wide",
     " v4 = iconst.i64 4294967297\n v5 = iconst.i32 100\n" IF("ult v0, v4", "6",
                                                              "1") " v7 = ireduce.i32 v0\n" CHECK("uge v7, v5")},
    {true, "what an extension is below, the number is below",
     " v4 = uextend.i64 v2\n v5 = iconst.i64 9\n v7 = iconst.i32 9\n" IF("ult v4, v5", "6", "1") CHECK("uge v2, v7")},
    {true, "a difference of zero bits", " v4 = iconst.i64 5\n" IF("eq v0, v4", "5", "1") CHECK("ne v0, v4")},
    {true, "equal to what is below",
     IF("eq v0, v1", "5", "1") " v4 = iconst.i64 3\n" IF("ult v1, v4", "6", "2") CHECK("uge v0, v4")},
    {false, "unequal to what is below",
     IF("ne v0, v1", "5", "1") " v4 = iconst.i64 3\n" IF("ult v1, v4", "6", "2") CHECK("uge v0, v4")},
    {true, "the third way out of a switch",
     " br_table v2, block8, [block8, block8, block2]\nblock2:\n v4 = iconst.i32 2\n" CHECK("ne v2, v4")},
    {true, "the last way out of a switch",
     " br_table v2, block2, [block8, block8]\nblock2:\n v4 = iconst.i32 2\n" CHECK("ult v2, v4")},
    {false, "two ways out of a switch",
     " br_table v2, block8, [block2, block8, block2]\nblock2:\n v4 = iconst.i32 2\n" CHECK("ne v2, v4")},
    {false, "the least number of the last way out of a switch",
     " br_table v2, block2, [block8, block8]\nblock2:\n v4 = iconst.i32 2\n" CHECK("eq v2, v4")},
    {true, "a sum that wraps tells of its operand", // v5 = v0 + 2^63: at most 9
     " v4 = iconst.i64 0x8000_0000_0000_0000\n v5 = iadd v0, v4\n v6 = iconst.i64 9\n" IF("ule v5, v6", "7", "1")
         CHECK("ult v0, v4")},
    {true, "a sum of narrow numbers does not overflow",
     " v4 = uextend.i64 v2\n v5, v6 = sadd_overflow v4, v4\n trapnz v6, user9\n store v5, v0\n return\n"},
    {false, "a sum of wide numbers does",
     " v4 = uextend.i64 v2\n v5, v6 = sadd_overflow v4, v0\n trapnz v6, user9\n store v5, v0\n return\n"},
    // Loops.
    {true, "a loop from 0 to below n",
     " v9 = iconst.i64 0\n" LOOP("v9", "slt v10, v0") " v12 = icmp uge v10, v0\n"
                                                      " trapnz v12, user9\n" AGAIN("v18 = iadd v10, v19")},
    {true, "a loop from 1: one less",
     " v9 = iconst.i64 1\n v8 = iconst.i64 -1\n" LOOP(
         "v9", "slt v10, v0") " v13 = iadd v10, v8\n v12 = icmp uge v13, v0\n"
                              " trapnz v12, user9\n" AGAIN("v18 = iadd v10, v19")},
    {false, "a loop from 0: one less",
     " v9 = iconst.i64 0\n v8 = iconst.i64 -1\n" LOOP(
         "v9", "slt v10, v0") " v13 = iadd v10, v8\n v12 = icmp uge v13, v0\n"
                              " trapnz v12, user9\n" AGAIN("v18 = iadd v10, v19")},
    {false, "a loop from anywhere",
     LOOP("v1", "slt v10, v0") " v12 = icmp uge v10, v0\n trapnz v12, user9\n" AGAIN("v18 = iadd v10, v19")},
    {true, "a loop is never below its start",
     LOOP("v1", "slt v10, v0") " v12 = icmp slt v10, v1\n trapnz v12, user9\n" AGAIN("v18 = iadd v10, v19")},
    {false, "a loop that goes both ways",
     " v9 = iconst.i64 0\n v8 = iconst.i64 -1\n" LOOP(
         "v9",
         "slt v10, v0") " v12 = icmp uge v10, v0\n trapnz v12, user9\n"
                        " v17 = iadd v10, v8\n brif v3, block1(v17), block3\nblock3:\n" AGAIN("v18 = iadd v10, v19")},
    {false, "a loop that goes on from another number",
     " v9 = iconst.i64 0\n" LOOP("v9", "slt v10, v0") " v12 = icmp slt v10, v9\n trapnz v12, user9\n" AGAIN(
         "v18 = iadd v1, v19")},
    {false, "a loop that goes up and down, between ends: above its start",
     " v9 = iconst.i64 0\n v8 = iconst.i64 -1\n v7 = iconst.i64 100\n v6 = iconst.i64 -100\n" LOOP(
         "v9", "sgt v10, v6") " v12 = icmp sgt v10, v9\n trapnz v12, user9\n v17 = iadd v10, v8\n"
                              " brif v3, block1(v17), block3\nblock3:\n v13 = icmp slt v10, v7\n"
                              " brif v13, block4, block8\nblock4:\n" AGAIN("v18 = iadd v10, v19")},
    {false, "a loop of which one step may wrap",
     " v19 = iconst.i64 1\n v8 = iconst.i64 2\n v9 = iconst.i64 100\n jump block1(v1)\nblock1(v10: i64):\n"
     " v17 = iadd v10, v8\n brif v3, block1(v17), block3\nblock3:\n v11 = icmp slt v10, v9\n"
     " brif v11, block2, block8\nblock2:\n v12 = icmp slt v10, v1\n trapnz v12, user9\n" AGAIN("v18 = iadd v10, v19")},
    {false, "a loop to n, whose step may wrap",
     " v9 = iconst.i64 0\n" LOOP("v9", "sle v10, v0") " v12 = icmp slt v10, v9\n trapnz v12, user9\n" AGAIN(
         "v18 = iadd v10, v19")},
    {false, "a loop until n, whose step may wrap",
     " v9 = iconst.i64 0\n" LOOP("v9", "ne v10, v0") " v12 = icmp slt v10, v9\n trapnz v12, user9\n" AGAIN(
         "v18 = iadd v10, v19")},
    {false, "a loop in steps of two, which may wrap",
     " v9 = iconst.i64 0\n v8 = iconst.i64 2\n" LOOP(
         "v9", "slt v10, v0") " v12 = icmp slt v10, v9\n trapnz v12, user9\n" AGAIN("v18 = iadd v10, v8")},
    {true, "a loop in steps of two below a narrow number",
     " v9 = iconst.i64 0\n v8 = iconst.i64 2\n v7 = uextend.i64 v2\n" LOOP(
         "v9", "slt v10, v7") " v12 = icmp slt v10, v9\n trapnz v12, user9\n" AGAIN("v18 = iadd v10, v8")},
    {false, "a loop whose step is made before the test",
     " v9 = iconst.i64 0\n v19 = iconst.i64 1\n jump block1(v9)\nblock1(v10: i64):\n v12 = icmp slt v10, v9\n"
     " trapnz v12, user9\n v18 = iadd v10, v19\n v11 = icmp slt v18, v0\n brif v11, block1(v18), block8\n"},
    {true, "a loop down",
     " v9 = iconst.i64 0\n v8 = iconst.i64 -1\n v7 = uextend.i64 v2\n" LOOP(
         "v7", "sgt v10, v9") " v12 = icmp ugt v10, v7\n trapnz v12, user9\n" AGAIN("v18 = iadd v10, v8")},
    {true, "a loop of 10 rounds ends at 10",
     " v9 = iconst.i64 0\n v8 = iconst.i64 10\n v19 = iconst.i64 1\n jump block1(v9)\nblock1(v10: i64):\n"
     " v12 = icmp ugt v10, v8\n trapnz v12, user9\n v11 = icmp slt v10, v8\n brif v11, block2, block8\nblock2:\n" AGAIN(
         "v18 = iadd v10, v19")},
    {false, "a loop of 10 rounds gets to 10",
     " v9 = iconst.i64 0\n v8 = iconst.i64 10\n v19 = iconst.i64 1\n jump block1(v9)\nblock1(v10: i64):\n"
     " v12 = icmp uge v10, v8\n trapnz v12, user9\n v11 = icmp slt v10, v8\n brif v11, block2, block8\nblock2:\n" AGAIN(
         "v18 = iadd v10, v19")},
    {false, "a cycle that is entered in its middle",
     " v9 = iconst.i64 0\n v19 = iconst.i64 1\n brif v3, block1(v9), block2(v1)\nblock1(v10: i64):\n v12 = icmp slt "
     "v10, v9\n"
     " trapnz v12, user9\n v11 = icmp slt v10, v0\n brif v11, block2(v10), block8\nblock2(v13: i64):\n"
     " v18 = iadd v13, v19\n jump block1(v18)\n"},
    // References and safepoints.
    {true, "null again behind a safepoint",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n store notrap v0, v4\n call fn0(), stack_map=[i64 @ ss0+0]\n"
     " v5 = load.i64 notrap v4\n trapz v5, user9\n return\n"},
    {false, "another reference in the slot",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n store notrap v0, v4\n store notrap v1, v4\n"
     " call fn0(), stack_map=[i64 @ ss0+0]\n v5 = load.i64 notrap v4\n trapz v5, user9\n return\n"},
    {false, "a slot whose address is known elsewhere",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n store notrap v0, v4\n call fn1(v4), stack_map=[i64 @ ss0+0]\n"
     " v5 = load.i64 notrap v4\n trapz v5, user9\n return\n"},
    {false, "a slot that is not of references",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n store notrap v0, v4\n call fn0()\n v5 = load.i64 notrap v4\n"
     " trapz v5, user9\n return\n"},
    {false, "a slot that is written in part",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n store notrap v0, v4\n istore32 notrap v1, v4+4\n"
     " call fn0(), stack_map=[i64 @ ss0+0]\n v5 = load.i64 notrap v4\n trapz v5, user9\n return\n"},
    {false, "a slot whose address is known elsewhere by another name",
     " v4 = stack_addr.i64 ss0\n v7 = stack_addr.i64 ss0\n trapz v0, user1\n store notrap v0, v4\n"
     " call fn1(v7), stack_map=[i64 @ ss0+0]\n v5 = load.i64 notrap v4\n trapz v5, user9\n return\n"},
    {false, "a slot whose address is stored",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n store notrap v4, v1\n store notrap v0, v4\n"
     " call fn0(), stack_map=[i64 @ ss0+0]\n v5 = load.i64 notrap v4\n trapz v5, user9\n return\n"},
    {false, "a slot whose address goes to a block",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n brif v3, block1(v4), block1(v1)\nblock1(v10: i64):\n"
     " store notrap v0, v4\n store notrap v2, v10\n call fn0(), stack_map=[i64 @ ss0+0]\n"
     " v5 = load.i64 notrap v4\n trapz v5, user9\n return\n"},
    {false, "a slot that is written by half",
     " v4 = stack_addr.i64 ss0\n trapz v2, user1\n store notrap v0, v4\n store notrap v2, v4\n"
     " call fn0(), stack_map=[i64 @ ss0+0]\n v5 = load.i64 notrap v4\n trapz v5, user9\n return\n"},
    {false, "a slot that is written the other way round",
     " v4 = stack_addr.i64 ss0\n v5 = load.i32 notrap readonly v0-4\n store notrap big v0, v4\n"
     " call fn0(), stack_map=[i64 @ ss0+0]\n v7 = load.i64 notrap little v4\n"
     " v8 = load.i32 notrap readonly v7-4\n" CHECK("ne v5, v8")},
    {false, "a slot that is written on one way",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n store notrap v1, v4\n brif v3, block1, block2\nblock1:\n"
     " store notrap v0, v4\n jump block2\nblock2:\n call fn0(), stack_map=[i64 @ ss0+0]\n"
     " v5 = load.i64 notrap v4\n trapz v5, user9\n return\n"},
    {false, "an address in an object behind a safepoint",
     " v4 = stack_addr.i64 ss0\n v6 = iconst.i64 8\n v7 = iadd v0, v6\n store notrap v0, v4\n"
     " call fn0(), stack_map=[i64 @ ss0+0]\n v5 = load.i64 notrap v4\n v8 = iadd v5, v6\n" CHECK("ne v7, v8")},
    {true, "null in a loop with safepoints",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n jump block1(v0)\nblock1(v10: i64):\n trapz v10, user9\n"
     " brif v3, block2, block3(v10)\nblock2:\n store notrap v10, v4\n call fn0(), stack_map=[i64 @ ss0+0]\n"
     " v5 = load.i64 notrap v4\n jump block3(v5)\nblock3(v6: i64):\n brif v2, block1(v6), block8\n"},
    {false, "null in a loop that goes on with another reference",
     " v4 = stack_addr.i64 ss0\n trapz v0, user1\n jump block1(v0)\nblock1(v10: i64):\n trapz v10, user9\n"
     " brif v3, block2, block3(v1)\nblock2:\n store notrap v10, v4\n call fn0(), stack_map=[i64 @ ss0+0]\n"
     " v5 = load.i64 notrap v4\n jump block3(v5)\nblock3(v6: i64):\n brif v2, block1(v6), block8\n"},
    {true, "the length of an array behind a safepoint",
     " v4 = stack_addr.i64 ss0\n v5 = load.i32 notrap readonly v0-4\n v6 = icmp uge v2, v5\n trapnz v6, user1\n"
     " store notrap v0, v4\n call fn0(), stack_map=[i64 @ ss0+0]\n v7 = load.i64 notrap v4\n"
     " v8 = load.i32 notrap readonly v7-4\n" CHECK("uge v2, v8")},
    {false, "what may change in an object behind a safepoint",
     " v4 = stack_addr.i64 ss0\n v5 = load.i32 notrap v0-4\n v6 = icmp uge v2, v5\n trapnz v6, user1\n"
     " store notrap v0, v4\n call fn0(), stack_map=[i64 @ ss0+0]\n v7 = load.i64 notrap v4\n"
     " v8 = load.i32 notrap v7-4\n" CHECK("uge v2, v8")},
    {true, "the length that was stored",
     " store notrap v2, v0-4\n v8 = load.i32 notrap readonly v0-4\n" CHECK("ne v2, v8")},
    {false, "a length that was stored elsewhere",
     " store notrap v2, v0-8\n v8 = load.i32 notrap readonly v0-4\n" CHECK("ne v2, v8")},
    {false, "a length that was stored the other way round",
     " store notrap big v2, v0-4\n v8 = load.i32 notrap readonly little v0-4\n" CHECK("ne v2, v8")},
    {false, "a length that was stored as a float",
     " v7 = bitcast.f32 v2\n store notrap v7, v0-4\n v8 = load.i32 notrap readonly v0-4\n" CHECK("ne v2, v8")},
    {false, "a length of which more was stored",
     " store notrap v1, v0-4\n v8 = load.i32 notrap readonly v0-4\n" CHECK("ne v2, v8")},
};

static bool has_check(const Func *f) {
    FUNC_BLOCKS(b, f) {
        BLOCK_INSTS(i, f, b) {
            const InstData *inst = inst_get(f, i);
            if ((inst->op == OP_trapz || inst->op == OP_trapnz || inst->op == OP_trap) && inst->code == 9) return true;
        }
    }
    return false;
}

static void run_examples(Ctx *ctx, void *arg) {
    (void)arg;
    PassOptions options = {.level = OPT_SPEED, .verify = true, .fuel = UINT64_MAX};
    for (size_t k = 0; k < sizeof examples / sizeof *examples; k++) {
        Arena *arena = arena_new(ctx);
        Buf text = buf_new(arena);
        buf_printf(&text,
                   "function %%f(i64, i64, i32, i8) system_v {\n ss0 = explicit_slot 8\n sig0 = () system_v\n"
                   " sig1 = (i64) system_v\n fn0 = %%g sig0\n fn1 = %%h sig1\n"
                   "block0(v0: i64, v1: i64, v2: i32, v3: i8):\n%sblock8:\n return\n}\n",
                   examples[k].body);
        Func *f = read_one(arena, buf_str(&text));
        ck_assert_msg(has_check(f), "%s: no check", examples[k].name);
        passes_run(f, &options);
        Buf after = buf_new(arena);
        ir_write(f, &after);
        ck_assert_msg(has_check(f) != examples[k].goes, "%s: the check %s\n%s", examples[k].name,
                      examples[k].goes ? "stays" : "goes", buf_str(&after));
        arena_free(arena);
    }
}

START_TEST(implied_checks_go_and_others_stay) { in_context(run_examples, NULL); }
END_TEST

// ---- random little functions -----------------------------------------------------------------------

// Values of i8, i16 and i32, by number; `n` each.
typedef struct Little {
    Buf text;
    uint32_t next; // number of the next value
    uint32_t values[3][64];
    uint32_t n[3];
    uint32_t next_block;
} Little;

static const char *const type_names[3] = {"i8", "i16", "i32"};

static uint32_t pick(Little *l, int t) {
    // Recent values more often than old ones.
    uint32_t n = l->n[t];
    uint32_t a = below(n);
    uint32_t b = below(n);
    return l->values[t][a > b ? a : b];
}

static uint32_t add_value(Little *l, int t) {
    if (l->n[t] < 64) l->values[t][l->n[t]++] = l->next;
    return l->next++;
}

static void put_constant(Little *l, int t) {
    int c = (int)below(8) - 3;
    if (below(3) == 0) c = t == 0 ? (int)bit_sext(corner(), 8) : (int)corner() - 128;
    uint32_t v = add_value(l, t);
    buf_printf(&l->text, " v%u = iconst.%s %d\n", v, type_names[t], c);
}

static void put_value(Little *l) {
    static const char *const binary[] = {"iadd", "iadd", "iadd", "isub", "band", "bor",  "bxor", "imul", "ishl",
                                         "ushr", "sshr", "umin", "umax", "smin", "smax", "urem", "udiv", "srem"};
    int t = (int)below(3);
    uint32_t x = pick(l, t);
    uint32_t y = pick(l, t);
    switch (below(6)) {
    case 0: put_constant(l, t); break;
    case 1: // widen
        if (t < 2)
            buf_printf(&l->text, " v%u = %s.%s v%u\n", l->next, below(2) ? "uextend" : "sextend", type_names[t + 1], x);
        if (t < 2) add_value(l, t + 1);
        break;
    case 2: // narrow
        if (t > 0) buf_printf(&l->text, " v%u = ireduce.%s v%u\n", l->next, type_names[t - 1], x);
        if (t > 0) add_value(l, t - 1);
        break;
    default: {
        const char *op = binary[below(sizeof binary / sizeof *binary)];
        // Divisors that are seldom 0.
        if (!strcmp(op, "urem") || !strcmp(op, "udiv") || !strcmp(op, "srem")) {
            buf_printf(&l->text, " v%u = iconst.%s 1\n v%u = bor v%u, v%u\n", l->next, type_names[t], l->next + 1, y,
                       l->next);
            y = l->next + 1;
            l->next += 2;
        }
        buf_printf(&l->text, " v%u = %s v%u, v%u\n", l->next, op, x, y);
        add_value(l, t);
        break;
    }
    }
}

static uint32_t put_test(Little *l) {
    int t = (int)below(3);
    uint32_t x = pick(l, t);
    uint32_t y = pick(l, t);
    buf_printf(&l->text, " v%u = icmp %s v%u, v%u\n", l->next, icc_name[below(N_ICC)], x, y);
    return l->next++;
}

// Goes on in a new block: behind a test, behind a check, or in a loop that counts.
static void put_step(Little *l) {
    uint32_t block = l->next_block;
    switch (below(8)) {
    case 0: {
        int t = (int)below(3);
        uint32_t start = pick(l, t);
        uint32_t end = pick(l, t);
        put_constant(l, t);
        uint32_t by = l->next - 1;
        uint32_t i = l->next++;
        uint32_t test = l->next++;
        uint32_t sum = l->next++;
        buf_printf(&l->text, " jump block%u(v%u)\nblock%u(v%u: %s):\n", block, start, block, i, type_names[t]);
        l->values[t][l->n[t] < 64 ? l->n[t]++ : 63] = i;
        // The counter goes on from any place below; here from a block of its own.
        buf_printf(&l->text, " v%u = icmp %s v%u, v%u\n brif v%u, block%u, block%u\nblock%u:\n", test,
                   icc_name[below(N_ICC)], i, end, test, block + 1, block + 2, block + 1);
        uint32_t kept[3] = {l->n[0], l->n[1], l->n[2]};
        for (uint32_t n = below(4); n-- > 0;) put_value(l);
        uint32_t check = put_test(l);
        uint32_t code = 1 + below(200);
        buf_printf(&l->text, " trapnz v%u, user%u\n v%u = iadd v%u, v%u\n jump block%u(v%u)\nblock%u:\n", check, code,
                   sum, i, by, block, sum, block + 2);
        memcpy(l->n, kept, sizeof kept); // what was made in the loop is not known behind it
        l->next_block += 3;
        break;
    }
    case 1:
    case 2: {
        uint32_t check = put_test(l);
        buf_printf(&l->text, " trap%s v%u, user%u\n", below(2) ? "z" : "nz", check, 1 + below(200));
        break;
    }
    default: {
        uint32_t test = put_test(l);
        bool swap = below(2);
        buf_printf(&l->text, " brif v%u, block%u, block%u\nblock%u:\n v%u = iconst.i32 %u\n return v%u\nblock%u:\n",
                   test, block + swap, block + !swap, block + 1, l->next, block, l->next, block);
        l->next++;
        l->next_block += 2;
        break;
    }
    }
}

static Func *little_function(Arena *arena, Buf *text) {
    Little l = {.text = buf_new(arena), .next = 3, .next_block = 1};
    for (int t = 0; t < 3; t++) l.values[t][l.n[t]++] = (uint32_t)t;
    buf_printf(&l.text, "function %%f(i8, i16, i32) -> i32 system_v {\nblock0(v0: i8, v1: i16, v2: i32):\n");
    uint32_t steps = 2 + below(6);
    for (uint32_t k = 0; k < steps; k++) {
        for (uint32_t n = 1 + below(4); n-- > 0;) put_value(&l);
        put_step(&l);
    }
    // All that is known at the end.
    uint32_t sum = l.values[2][0];
    for (uint32_t k = 1; k < l.n[2]; k++) {
        buf_printf(&l.text, " v%u = bxor v%u, v%u\n", l.next, sum, l.values[2][k]);
        sum = l.next++;
    }
    buf_printf(&l.text, " return v%u\n}\n", sum);
    *text = l.text;
    return read_one(arena, buf_str(&l.text));
}

static void sweep_functions(Ctx *ctx, void *arg) {
    (void)arg;
    static const uint32_t near[] = {0,   1,   2,      3,      5,      8,          127,        128,        129,
                                    254, 255, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    enum { N_ARGS = 160 };
    PassOptions options = {.level = OPT_SPEED, .verify = true, .fuel = UINT64_MAX};
    IrInterpOptions limits = {.fuel = 3000, .max_depth = 4, .stack_size = 64};
    for (int n = 0; n < N_FUNCTIONS; n++) {
        Arena *arena = arena_new(ctx);
        Buf text;
        Func *f = little_function(arena, &text);
        uint64_t args[N_ARGS][3];
        Result expected[N_ARGS];
        IrInterp *interp = ir_interp_new(arena, &f, 1, &limits);
        for (int k = 0; k < N_ARGS; k++) {
            args[k][0] = k < 80 ? near[below(11)] : below(256);
            args[k][1] = near[below(14)];
            args[k][2] = near[below(18)];
            expected[k] = call(interp, f, args[k]);
        }
        passes_run(f, &options);
        interp = ir_interp_new(arena, &f, 1, &limits);
        for (int k = 0; k < N_ARGS; k++) {
            Result got = call(interp, f, args[k]);
            if (expected[k].status == IR_INTERP_FUEL || got.status == IR_INTERP_FUEL) continue;
            if (got.status == expected[k].status && got.value == expected[k].value) continue;
            Buf after = buf_new(arena);
            ir_write(f, &after);
            ck_abort_msg("function %d of %llu, %llu, %llu: status %d, %llu instead of %d, %llu\n%s\n%s", n,
                         (unsigned long long)args[k][0], (unsigned long long)args[k][1], (unsigned long long)args[k][2],
                         (int)got.status, (unsigned long long)got.value, (int)expected[k].status,
                         (unsigned long long)expected[k].value, buf_str(&text), buf_str(&after));
        }
        arena_free(arena);
    }
}

START_TEST(little_functions_keep_their_meaning) { in_context(sweep_functions, NULL); }
END_TEST

int main(void) {
    TCase *cases = tcase_create("facts");
    tcase_set_timeout(cases, 240);
    tcase_add_test(cases, results_lie_in_their_ranges);
    tcase_add_test(cases, what_a_condition_leaves_holds_every_value_that_meets_it);
    tcase_add_test(cases, implied_checks_go_and_others_stay);
    tcase_add_test(cases, little_functions_keep_their_meaning);
    return run_tests("facts", cases);
}
