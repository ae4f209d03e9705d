// The interpreter's arithmetic at its corners (3.6 to 3.8 of the bytecode's specification).
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
    ck_assert_uint_eq(arith_convert(checked, to, from, a, &result), trap);
    if (!trap) ck_assert_uint_eq(result, want);
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

int main(void) {
    TCase *tc = tcase_create("arith");
    tcase_add_loop_test(tc, integers, 0, sizeof ints / sizeof *ints);
    tcase_add_test(tc, conversions);
    tcase_add_test(tc, comparisons);
    tcase_add_test(tc, intrinsics);
    return run_tests("arith", tc);
}
