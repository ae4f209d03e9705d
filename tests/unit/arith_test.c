// The interpreter's arithmetic at its corners (3.6 to 3.8 of the bytecode's specification).
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "interp/arith.h"
#include "unit.h"

static uint64_t f64(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t f32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

typedef struct IntCase {
    uint32_t op;
    uint32_t type;
    uint64_t a;
    uint64_t b;
    uint32_t trap;
    uint64_t result;
} IntCase;

static const IntCase ints[] = {
    {BC_ADD, BC_I8, 0x7f, 1, 0, 0x80},
    {BC_ADD_CHK, BC_I8, 0x7f, 1, BC_TRAP_OVERFLOW, 0},
    {BC_ADD_CHK, BC_U8, 0xff, 1, BC_TRAP_OVERFLOW, 0},
    {BC_ADD_CHK, BC_U64, UINT64_MAX, 1, BC_TRAP_OVERFLOW, 0},
    {BC_SUB_CHK, BC_U32, 0, 1, BC_TRAP_OVERFLOW, 0},
    {BC_SUB_CHK, BC_I32, 0, 1, 0, UINT32_MAX},
    {BC_MUL_CHK, BC_U32, 0x10000, 0x10000, BC_TRAP_OVERFLOW, 0},
    {BC_MUL_CHK, BC_I64, UINT64_C(1) << 62, 2, BC_TRAP_OVERFLOW, 0},
    {BC_MUL, BC_U16, 0xffff, 0xffff, 0, 1},
    {BC_DIV, BC_I32, 0x80000000, UINT32_MAX, 0, 0x80000000},
    {BC_DIV_CHK, BC_I32, 0x80000000, UINT32_MAX, BC_TRAP_OVERFLOW, 0},
    {BC_MOD, BC_I64, UINT64_C(1) << 63, UINT64_MAX, 0, 0},
    {BC_DIV, BC_I8, 0xf9, 2, 0, 0xfd}, // -7 / 2 = -3
    {BC_MOD, BC_I8, 0xf9, 2, 0, 0xff}, // -7 mod 2 = -1
    {BC_DIV, BC_U8, 0xf9, 2, 0, 0x7c},
    {BC_DIV, BC_U8, 1, 0, BC_TRAP_DIV_ZERO, 0},
    {BC_MOD, BC_I16, 1, 0, BC_TRAP_DIV_ZERO, 0},
    {BC_NEG, BC_U8, 1, 0, 0, 0xff},
    {BC_NEG_CHK, BC_U8, 1, 0, BC_TRAP_OVERFLOW, 0},
    {BC_NEG_CHK, BC_U8, 0, 0, 0, 0},
    {BC_NEG_CHK, BC_I8, 0x80, 0, BC_TRAP_OVERFLOW, 0},
    {BC_SHL, BC_I8, 1, 9, 0, 2},
    {BC_SHR, BC_I8, 0x80, 7, 0, 1},
    {BC_SAR, BC_U8, 0x80, 7, 0, 0xff},
    {BC_SHL, BC_I64, 1, 64, 0, 1},
    {BC_NOT, BC_BOOL, 1, 0, 0, 0},
    {BC_NOT, BC_U16, 1, 0, 0, 0xfffe},
};

START_TEST(integers) {
    const IntCase *c = &ints[_i];
    uint64_t result = 0;
    ck_assert_uint_eq(arith_int(c->op, c->type, c->a, c->b, &result), c->trap);
    if (!c->trap) ck_assert_uint_eq(result, c->result);
}
END_TEST

static void convert(bool checked, uint32_t to, uint32_t from, uint64_t a, uint32_t trap, uint64_t want) {
    uint64_t result = 0;
    uint32_t code = arith_convert(checked, to, from, a, &result);
    if (code == trap && (trap || result == want)) return;
    ck_abort_msg("%s to %s of 0x%llx: 0x%llx, trap %u", bc_prim_name[from], bc_prim_name[to], (unsigned long long)a,
                 (unsigned long long)result, code);
}

START_TEST(conversions) {
    uint64_t nan = UINT64_C(0x7ff8000000000000);
    convert(false, BC_I8, BC_F64, f64(1000), 0, 0x7f);
    convert(false, BC_I8, BC_F64, f64(-1000), 0, 0x80);
    convert(false, BC_U8, BC_F64, f64(-0.9), 0, 0);
    convert(false, BC_U64, BC_F64, f64(-5), 0, 0);
    convert(false, BC_I64, BC_F64, f64(9.3e18), 0, INT64_MAX);
    convert(false, BC_U64, BC_F64, f64(1e30), 0, UINT64_MAX);
    convert(false, BC_I32, BC_F64, nan, 0, 0);
    convert(true, BC_I32, BC_F64, nan, BC_TRAP_BAD_CONV, 0);
    convert(true, BC_I8, BC_F64, f64(-128.9), 0, 0x80);
    convert(true, BC_I8, BC_F64, f64(-129), BC_TRAP_OVERFLOW, 0);
    convert(true, BC_U8, BC_F32, f32(-0.5f), 0, 0);
    convert(true, BC_I64, BC_F32, f32(9223372036854775808.0f), BC_TRAP_OVERFLOW, 0);
    convert(true, BC_U64, BC_I64, UINT64_MAX, BC_TRAP_OVERFLOW, 0);
    convert(true, BC_I64, BC_U64, UINT64_MAX, BC_TRAP_OVERFLOW, 0);
    convert(true, BC_I8, BC_U8, 0x80, BC_TRAP_OVERFLOW, 0);
    convert(true, BC_U8, BC_I32, 255, 0, 255);
    convert(false, BC_I64, BC_I8, 0x80, 0, UINT64_C(0xffffffffffffff80));
    convert(false, BC_I64, BC_U8, 0x80, 0, 0x80);
    convert(false, BC_I32, BC_BOOL, 1, 0, 1);
    convert(false, BC_F32, BC_U64, UINT64_C(0x8000008000000001), 0, f32(9223373136366403584.0f)); // rounded once
    convert(false, BC_F64, BC_I32, UINT32_MAX, 0, f64(-1));
    convert(false, BC_F32, BC_F64, f64(0.1), 0, f32(0.1f));
}
END_TEST

START_TEST(comparisons) {
    uint64_t nan = UINT64_C(0x7ff8000000000000);
    ck_assert(arith_compare(BC_CMP_LT, BC_I8, 0xff, 0));
    ck_assert(!arith_compare(BC_CMP_LT, BC_U8, 0xff, 0));
    ck_assert(!arith_compare(BC_CMP_ULT, BC_I8, 0xff, 0));
    ck_assert(arith_compare(BC_CMP_SLT, BC_U8, 0xff, 0));
    ck_assert(arith_compare(BC_CMP_SGE, BC_I64, 0, UINT64_C(1) << 63));
    ck_assert(arith_compare(BC_CMP_UGE, BC_I64, UINT64_C(1) << 63, 0));
    ck_assert(!arith_compare(BC_CMP_EQ, BC_F64, nan, nan));
    ck_assert(arith_compare(BC_CMP_NE, BC_F64, nan, nan));
    ck_assert(arith_compare(BC_CMP_UNO, BC_F64, nan, f64(1)));
    ck_assert(!arith_compare(BC_CMP_ORD, BC_F64, nan, f64(1)));
    ck_assert(arith_compare(BC_CMP_EQ, BC_F64, f64(0.0), f64(-0.0)));
    ck_assert(!arith_compare(BC_CMP_GE, BC_F64, nan, f64(1)));
    ck_assert(arith_compare(BC_CMP_LE, BC_F32, f32(1), f32(1)));
}
END_TEST

START_TEST(intrinsics) {
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_ctz, BC_I8, 0, 0), 8);
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_clz, BC_I16, 1, 0), 15);
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_clz, BC_I32, 0, 0), 32);
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_popcnt, BC_U64, UINT64_MAX, 0), 64);
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_rotl, BC_U8, 0x81, 9), 0x03);
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_rotr, BC_U16, 1, 1), 0x8000);
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_rotl, BC_U64, 5, 64), 5);
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_bswap, BC_U16, 0x1234, 0), 0x3412);
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_nearest, BC_F64, f64(2.5), 0), f64(2));
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_floor, BC_F32, f32(-0.5f), 0), f32(-1));
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_fmin, BC_F64, f64(0.0), f64(-0.0)), f64(-0.0));
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_fmax, BC_F64, f64(-0.0), f64(0.0)), f64(0.0));
    uint64_t nan = arith_intrinsic(BC_INTR_fmax, BC_F64, UINT64_C(0x7ff8000000000000), f64(1));
    ck_assert(arith_compare(BC_CMP_UNO, BC_F64, nan, nan));
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_copysign, BC_F32, f32(1), f32(-0.0f)), f32(-1));
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_fabs, BC_F64, f64(-3), 0), f64(3));
    ck_assert_uint_eq(arith_intrinsic(BC_INTR_sqrt, BC_F32, f32(2), 0), f32(1.41421356f));
    ck_assert_uint_eq(arith_float(BC_FNEG, BC_F64, f64(0.0), 0), f64(-0.0));
}
END_TEST

// ---- numbers as mathematics has them --------------------------------------------------------------

typedef __int128 Number;

// Check's own assertions take longer than what is asserted here.
#define CHECK(good, ...)                                                                                               \
    do {                                                                                                               \
        if (!(good)) ck_abort_msg(__VA_ARGS__);                                                                        \
    } while (0)
#define SAME(a, b) CHECK((a) == (b), #a)

static bool signed_type(uint32_t t) { return t <= BC_I64; }
static unsigned bits_of(uint32_t t) { return 8u << (t - 1) % 4; }
static Number least(uint32_t t) { return signed_type(t) ? -((Number)1 << (bits_of(t) - 1)) : 0; }
static Number most(uint32_t t) { return ((Number)1 << (bits_of(t) - signed_type(t))) - 1; }
static bool within(uint32_t t, Number x) { return x >= least(t) && x <= most(t); }
static uint64_t to_word(uint32_t t, Number x) {
    return (uint64_t)x & (uint64_t)((((unsigned __int128)1) << bits_of(t)) - 1);
}
static Number to_number(uint32_t t, uint64_t word) {
    return signed_type(t) && word >> (bits_of(t) - 1) ? (Number)word - ((Number)1 << bits_of(t)) : (Number)word;
}

static Number turned(uint32_t t, Number a, Number by) { // to the left
    Number size = (Number)1 << bits_of(t);
    Number word = to_word(t, a);
    for (unsigned k = 0; k < (unsigned)to_word(t, by) % bits_of(t); k++) word = word * 2 % size + word * 2 / size;
    return word;
}

static Number floor_half(Number a, unsigned times) {
    for (; times; times--) a = (a - (a & 1)) / 2;
    return a;
}

// The exact result, before it is wrapped; *trap: the trap that comes instead. The second operand of shifts is `b` as
// bits.
static Number exact(uint32_t op, uint32_t t, Number a, Number b, uint64_t count, uint32_t *trap) {
    unsigned shift = (unsigned)(count % bits_of(t));
    bool divides = op == BC_DIV || op == BC_MOD || op == BC_DIV_CHK;
    *trap = divides && b == 0 ? BC_TRAP_DIV_ZERO : 0;
    if (*trap) return 0;
    switch (op) {
    case BC_ADD:
    case BC_ADD_CHK: return a + b;
    case BC_SUB:
    case BC_SUB_CHK: return a - b;
    case BC_MUL:
    case BC_MUL_CHK: return a * b; // of 64 bits each: fits, but for the unsigned ones, which are kept below that
    case BC_DIV:
    case BC_DIV_CHK: return a / b;
    case BC_MOD: return a % b;
    case BC_NEG:
    case BC_NEG_CHK: return -a;
    case BC_AND: return a & b;
    case BC_OR: return a | b;
    case BC_XOR: return a ^ b;
    case BC_NOT: return ~a;
    case BC_SHL: return (Number)(to_word(t, a) << shift);
    case BC_SHR: return floor_half(to_word(t, a), shift);
    default: return floor_half(to_number((t - 1) % 4 + 1, to_word(t, a)), shift); // SAR: the bits as a signed type
    }
}

static void check_int(uint32_t op, uint32_t t, uint64_t a, uint64_t b) {
    bool checked = op == BC_ADD_CHK || op == BC_SUB_CHK || op == BC_MUL_CHK || op == BC_DIV_CHK || op == BC_NEG_CHK;
    bool product = op == BC_MUL || op == BC_MUL_CHK;
    if (product && t == BC_U64 && a >> 63 && b >> 63) return; // does not fit the type we compute in
    uint32_t trap;
    uint64_t got = 0;
    Number want = exact(op, t, to_number(t, a), to_number(t, b), b, &trap);
    if (!trap && checked && !within(t, want)) trap = BC_TRAP_OVERFLOW;
    uint32_t code = arith_int(op, t, a, b, &got);
    CHECK(code == trap && (trap || got == to_word(t, want)), "%s %s 0x%llx 0x%llx: 0x%llx, trap %u", bc_op(op)->name,
          bc_prim_name[t], (unsigned long long)a, (unsigned long long)b, (unsigned long long)got, code);
}

static void check_order(uint32_t t, uint64_t a, uint64_t b) {
    uint32_t as_signed = (t - 1) % 4 + 1;
    Number views[3][2] = {
        {to_number(t, a), to_number(t, b)}, {(Number)a, (Number)b}, {to_number(as_signed, a), to_number(as_signed, b)}};
    for (uint32_t kind = BC_CMP_EQ; kind <= BC_CMP_SGE; kind++) {
        const Number *v = views[kind < BC_CMP_ULT ? 0 : kind < BC_CMP_SLT ? 1 : 2];
        uint32_t order = kind < BC_CMP_LT ? 4 + kind : (kind - BC_CMP_LT) % 4;
        bool wants[] = {v[0]<v[1], v[0] <= v[1], v[0]> v[1], v[0] >= v[1], v[0] == v[1], v[0] != v[1]};
        CHECK(arith_compare(kind, t, a, b) == wants[order], "%s %s 0x%llx 0x%llx", bc_cmp_name[kind], bc_prim_name[t],
              (unsigned long long)a, (unsigned long long)b);
    }
}

static void check_bits(uint32_t t, uint64_t a, uint64_t b) {
    unsigned n = bits_of(t), ones = 0, leading = 0, trailing = 0;
    uint64_t swapped = 0;
    for (unsigned k = 0; k < n; k++) ones += a >> k & 1;
    while (leading < n && !(a >> (n - 1 - leading) & 1)) leading++;
    while (trailing < n && !(a >> trailing & 1)) trailing++;
    for (unsigned k = 0; k < n; k += 8) swapped |= (a >> k & 0xff) << (n - 8 - k);
    SAME(arith_intrinsic(BC_INTR_popcnt, t, a, 0), ones);
    SAME(arith_intrinsic(BC_INTR_clz, t, a, 0), leading);
    SAME(arith_intrinsic(BC_INTR_ctz, t, a, 0), trailing);
    if (n > 8) SAME(arith_intrinsic(BC_INTR_bswap, t, a, 0), swapped);
    SAME(arith_intrinsic(BC_INTR_rotl, t, a, b), (uint64_t)turned(t, (Number)a, (Number)b));
    SAME(arith_intrinsic(BC_INTR_rotr, t, a, b), (uint64_t)turned(t, (Number)a, n - (Number)(b % n)));
}

static void check_to(uint32_t t, uint64_t a) {
    for (uint32_t to = BC_I8; to <= BC_U64; to++) {
        Number x = to_number(t, a);
        convert(false, to, t, a, 0, to_word(to, x));
        convert(true, to, t, a, within(to, x) ? 0 : BC_TRAP_OVERFLOW, to_word(to, x));
    }
}

// The nearest float of `digits` bits to an integer, ties to even; as a double, which is exact.
static double rounded(Number x, unsigned digits) {
    bool negative = x < 0;
    unsigned __int128 size = (unsigned __int128)(negative ? -x : x);
    unsigned drop = 0;
    while (size >> drop >> digits) drop++;
    unsigned __int128 kept = size >> drop;
    unsigned __int128 rest = size - (kept << drop);
    unsigned __int128 half = drop ? (unsigned __int128)1 << (drop - 1) : 0;
    if (drop && (rest > half || (rest == half && (kept & 1)))) kept++;
    double value = (double)(uint64_t)kept; // at most 2^53
    for (; drop; drop--) value *= 2;
    return negative ? -value : value;
}

static void check_floats_of(uint32_t t, uint64_t a) {
    for (int checked = 0; checked < 2; checked++) {
        convert(checked, BC_F64, t, a, 0, f64(rounded(to_number(t, a), 53)));
        convert(checked, BC_F32, t, a, 0, f32((float)rounded(to_number(t, a), 24)));
    }
}

static uint32_t edges(uint32_t t, uint64_t *out) {
    uint32_t n = 0;
    unsigned width = bits_of(t);
    for (unsigned k = 0; k < width; k++)
        for (unsigned d = 0; d < 5; d++) out[n++] = to_word(t, ((Number)1 << k) + d - 2);
    for (unsigned k = 1; k < 8; k++) out[n++] = to_word(t, (Number)(UINT64_C(0x9e3779b97f4a7c15) * k));
    return n;
}

static const uint32_t int_ops[] = {BC_ADD,     BC_SUB, BC_MUL,     BC_DIV,     BC_MOD, BC_NEG,
                                   BC_ADD_CHK, BC_AND, BC_SUB_CHK, BC_MUL_CHK, BC_OR,  BC_DIV_CHK,
                                   BC_NEG_CHK, BC_XOR, BC_NOT,     BC_SHL,     BC_SHR, BC_SAR};

static void check_pair(uint32_t t, uint64_t a, uint64_t b) {
    for (size_t k = 0; k < sizeof int_ops / sizeof *int_ops; k++) check_int(int_ops[k], t, a, b);
    check_order(t, a, b);
}

// Every pair of bytes; of the wider types, what lies around powers of two.
START_TEST(all_integers) {
    uint32_t t = BC_I8 + (uint32_t)_i;
    uint64_t values[400];
    uint32_t n = edges(t, values);
    if (bits_of(t) == 8) {
        for (n = 0; n < 256; n++) values[n] = n;
    }
    for (uint32_t i = 0; i < n; i++) {
        check_to(t, values[i]);
        check_floats_of(t, values[i]);
        for (uint32_t k = 0; k < n; k++) check_pair(t, values[i], values[k]);
        for (uint32_t k = 0; k < n; k += 7) check_bits(t, values[i], values[k]);
    }
}
END_TEST

// Floats around the ends of every integer type, as the type's numbers have them.
START_TEST(all_floats) {
    uint32_t to = BC_I8 + (uint32_t)_i;
    for (unsigned k = 0; k < 70; k++) {
        for (int step = -3; step <= 3; step++) {
            for (int sign = -1; sign <= 1; sign += 2) {
                double x = sign * (ldexp(1, (int)k) + step * (k > 52 ? ldexp(1, (int)k - 52) : 0.5));
                Number whole = (Number)x; // truncates
                Number kept = whole < least(to) ? least(to) : whole > most(to) ? most(to) : whole;
                convert(false, to, BC_F64, f64(x), 0, to_word(to, kept));
                convert(true, to, BC_F64, f64(x), kept == whole ? 0 : BC_TRAP_OVERFLOW, to_word(to, kept));
                float y = (float)x;
                whole = (Number)y;
                kept = whole < least(to) ? least(to) : whole > most(to) ? most(to) : whole;
                convert(false, to, BC_F32, f32(y), 0, to_word(to, kept));
                convert(true, to, BC_F32, f32(y), kept == whole ? 0 : BC_TRAP_OVERFLOW, to_word(to, kept));
            }
        }
    }
    for (int sign = -1; sign <= 1; sign += 2) {
        uint64_t end = to_word(to, sign < 0 ? least(to) : most(to));
        convert(false, to, BC_F64, f64(sign * HUGE_VAL), 0, end);
        convert(true, to, BC_F64, f64(sign * HUGE_VAL), BC_TRAP_OVERFLOW, 0);
        convert(false, to, BC_F32, f32(sign * HUGE_VALF), 0, end);
        convert(false, to, BC_F64, f64(sign * 5e-324), 0, 0);
        convert(true, to, BC_F32, f32(sign * 1e-45f), 0, 0);
    }
    convert(false, to, BC_F32, 0x7fc00000, 0, 0);
    convert(true, to, BC_F32, 0xff800001, BC_TRAP_BAD_CONV, 0);
    for (int checked = 0; checked < 2; checked++)
        for (uint64_t x = 0; x < 2; x++) convert(checked, to, BC_BOOL, x, 0, x);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("arith");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, integers, 0, sizeof ints / sizeof *ints);
    tcase_add_test(tc, conversions);
    tcase_add_test(tc, comparisons);
    tcase_add_test(tc, intrinsics);
    tcase_add_loop_test(tc, all_integers, 0, 8);
    tcase_add_loop_test(tc, all_floats, 0, 8);
    return run_tests("arith", tc);
}
