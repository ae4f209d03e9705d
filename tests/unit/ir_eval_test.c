// The generated evaluator: boundary values of every kind of opcode, and exhaustive 8-bit arithmetic against plain C.
#include <stdlib.h>

#include "ir_eval.h"
#include "unit.h"

static uint8_t trap;

static uint64_t eval(Op op, Type type, Type from, uint64_t x, uint64_t y) {
    uint64_t args[3] = {x, y, 0};
    Type types[3] = {from, from, from};
    uint64_t results[2] = {0, 0};
    if (!ir_eval(op, type, 0, args, types, results, &trap)) ck_abort_msg("%s is not evaluated", op_name(op));
    return results[0];
}

static uint64_t second(Op op, Type type, uint64_t x, uint64_t y, uint64_t z) {
    uint64_t args[3] = {x, y, z};
    Type types[3] = {type, type, T_i8};
    uint64_t results[2] = {0, 0};
    if (!ir_eval(op, type, 0, args, types, results, &trap)) ck_abort_msg("%s is not evaluated", op_name(op));
    return results[1];
}

// ck_assert reports each success to the parent process: too slow for millions.
static void same(uint64_t have, uint64_t want) {
    if (have != want) ck_abort_msg("%llx instead of %llx", (unsigned long long)have, (unsigned long long)want);
}

START_TEST(test_all_bytes) {
    for (unsigned x = 0; x < 256; x++) {
        for (unsigned y = 0; y < 256; y++) {
            int sx = (int8_t)x;
            int sy = (int8_t)y;
            same(eval(OP_iadd, T_i8, T_i8, x, y), (x + y) & 255);
            same(eval(OP_isub, T_i8, T_i8, x, y), (x - y) & 255);
            same(eval(OP_imul, T_i8, T_i8, x, y), (x * y) & 255);
            same(eval(OP_umulhi, T_i8, T_i8, x, y), x * y >> 8);
            same(eval(OP_smulhi, T_i8, T_i8, x, y), (unsigned)(sx * sy >> 8) & 255);
            same(eval(OP_smin, T_i8, T_i8, x, y), sx < sy ? x : y);
            same(eval(OP_umax, T_i8, T_i8, x, y), x > y ? x : y);
            same(eval(OP_ishl, T_i8, T_i8, x, y), (x << (y & 7)) & 255);
            same(eval(OP_ushr, T_i8, T_i8, x, y), x >> (y & 7));
            same(eval(OP_sshr, T_i8, T_i8, x, y), (unsigned)(sx >> (y & 7)) & 255);
            same(eval(OP_rotl, T_i8, T_i8, x, y), ((x << (y & 7)) | (x >> (8 - (y & 7)))) & 255);
            same(eval(OP_rotr, T_i8, T_i8, x, y), ((x >> (y & 7)) | (x << (8 - (y & 7)))) & 255);
            for (unsigned c = 0; c < 2; c++) {
                unsigned in = c ? 2 : 0; // any number that is not 0 is a carry
                same(second(OP_uadd_overflow_cin, T_i8, x, y, in), x + y + c > 255);
                same(second(OP_sadd_overflow_cin, T_i8, x, y, in), (int8_t)(sx + sy + (int)c) != sx + sy + (int)c);
                same(second(OP_usub_overflow_bin, T_i8, x, y, in), x < y + c);
                same(second(OP_ssub_overflow_bin, T_i8, x, y, in), (int8_t)(sx - sy - (int)c) != sx - sy - (int)c);
            }
            same(second(OP_smul_overflow, T_i8, x, y, 0), (int8_t)(sx * sy) != sx * sy);
            same(second(OP_umul_overflow, T_i8, x, y, 0), x * y > 255);
            uint64_t q = eval(OP_sdiv, T_i8, T_i8, x, y);
            uint8_t expected = y == 0 ? TRAP_int_divz : sx == -128 && sy == -1 ? TRAP_int_ovf : 0;
            same(trap, expected);
            if (!trap) same(q, (unsigned)(sx / sy) & 255);
            uint64_t r = eval(OP_srem, T_i8, T_i8, x, y);
            same(trap, y ? 0 : TRAP_int_divz);
            if (!trap) same(r, (unsigned)(sx % sy) & 255);
            same(ir_eval_icmp(ICC_slt, T_i8, x, y), sx < sy);
            same(ir_eval_icmp(ICC_uge, T_i8, x, y), x >= y);
        }
    }
}
END_TEST

static const struct {
    uint16_t op;
    uint8_t type, from;
    uint64_t x, y, result;
    uint8_t trap;
} cases[] = {
    {OP_iabs, T_i32, T_i32, 0x80000000, 0, 0x80000000, 0},
    {OP_clz, T_i16, T_i16, 0, 0, 16, 0},
    {OP_clz, T_i16, T_i16, 1, 0, 15, 0},
    {OP_ctz, T_i64, T_i64, 0, 0, 64, 0},
    {OP_cls, T_i32, T_i32, 0xffffffff, 0, 31, 0},
    {OP_cls, T_i32, T_i32, 0, 0, 31, 0},
    {OP_cls, T_i8, T_i8, 0xf0, 0, 3, 0},
    {OP_popcnt, T_i64, T_i64, UINT64_MAX, 0, 64, 0},
    {OP_bitrev, T_i16, T_i16, 0x0001, 0, 0x8000, 0},
    {OP_bswap, T_i32, T_i32, 0x11223344, 0, 0x44332211, 0},
    {OP_umulhi, T_i64, T_i64, UINT64_MAX, UINT64_MAX, UINT64_MAX - 1, 0},
    {OP_smulhi, T_i64, T_i64, UINT64_C(1) << 63, UINT64_C(1) << 63, UINT64_C(1) << 62, 0},
    {OP_sdiv, T_i64, T_i64, UINT64_C(1) << 63, UINT64_MAX, 0, TRAP_int_ovf},
    {OP_srem, T_i64, T_i64, UINT64_C(1) << 63, UINT64_MAX, 0, 0},
    {OP_bmask, T_i64, T_i8, 4, 0, UINT64_MAX, 0},
    {OP_bmask, T_i16, T_i64, 0, 0, 0, 0},
    {OP_ireduce, T_i8, T_i32, 0x1ff, 0, 0xff, 0},
    {OP_sextend, T_i32, T_i8, 0x80, 0, 0xffffff80, 0},
    {OP_uextend, T_i64, T_i16, 0x8000, 0, 0x8000, 0},
    {OP_iconcat, T_i32, T_i32, 0x1, 0x2, UINT64_C(0x200000001), 0},
    {OP_uadd_overflow_trap, T_i32, T_i32, 0xffffffff, 0, 0xffffffff, 0},
    // floats: 1 = 3f800000, 2 = 40000000, -0 = 80000000
    {OP_fadd, T_f32, T_f32, 0x3f800000, 0x3f800000, 0x40000000, 0},
    {OP_fdiv, T_f32, T_f32, 0x3f800000, 0x80000000, 0xff800000, 0},
    {OP_fdiv, T_f32, T_f32, 0, 0, 0x7fc00000, 0},          // the same NaN on every host
    {OP_fadd, T_f32, T_f32, 0xff800001, 0, 0xffc00001, 0}, // a signalling NaN is quieted
    {OP_fmin, T_f32, T_f32, 0, 0x80000000, 0x80000000, 0},
    {OP_fmax, T_f32, T_f32, 0x80000000, 0, 0, 0},
    {OP_fmin, T_f64, T_f64, UINT64_C(0x7ff8000000000000), 0, UINT64_C(0x7ff8000000000000), 0},
    {OP_fneg, T_f32, T_f32, 0x7f800001, 0, 0xff800001, 0}, // bit operation: stays signalling
    {OP_fcopysign, T_f32, T_f32, 0x3f800000, 0xffc00000, 0xbf800000, 0},
    {OP_nearest, T_f64, T_f64, UINT64_C(0x4004000000000000), 0, UINT64_C(0x4000000000000000), 0}, // 2.5 -> 2
    {OP_trunc, T_f32, T_f32, 0xbf000000, 0, 0x80000000, 0},                                       // -0.5 -> -0
    {OP_sqrt, T_f32, T_f32, 0xbf800000, 0, 0x7fc00000, 0},
    {OP_fpromote, T_f64, T_f32, 0x7f800001, 0, UINT64_C(0x7ff8000020000000), 0},
    {OP_fdemote, T_f32, T_f64, UINT64_C(0x7ff8000020000000), 0, 0x7fc00001, 0},
    {OP_fdemote, T_f32, T_f64, UINT64_C(0x3ff0000010000000), 0, 0x3f800000, 0}, // a tie goes to even
    {OP_fcvt_to_uint, T_i8, T_f32, 0xbf666666, 0, 0, 0},                        // -0.9
    {OP_fcvt_to_uint, T_i8, T_f32, 0xbf800000, 0, 0, TRAP_int_ovf},
    {OP_fcvt_to_uint, T_i8, T_f32, 0x7fc00000, 0, 0, TRAP_bad_toint},
    {OP_fcvt_to_sint, T_i32, T_f64, UINT64_C(0xc1e0000000000000), 0, 0x80000000, 0},
    {OP_fcvt_to_sint, T_i32, T_f64, UINT64_C(0x41e0000000000000), 0, 0, TRAP_int_ovf},
    {OP_fcvt_to_uint_sat, T_i64, T_f64, UINT64_C(0x43f0000000000000), 0, UINT64_MAX, 0},
    {OP_fcvt_to_sint_sat, T_i64, T_f32, 0xdf800000, 0, UINT64_C(1) << 63, 0},
    {OP_fcvt_to_sint_sat, T_i16, T_f32, 0x7fc00000, 0, 0, 0},
    {OP_fcvt_from_uint, T_f32, T_i64, UINT64_C(0xffffff7fffffffff), 0, 0x5f7fffff, 0},
    {OP_fcvt_from_sint, T_f64, T_i8, 0xff, 0, UINT64_C(0xbff0000000000000), 0},
};

START_TEST(test_cases) {
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        uint64_t r = eval((Op)cases[k].op, (Type)cases[k].type, (Type)cases[k].from, cases[k].x, cases[k].y);
        ck_assert_msg(trap == cases[k].trap, "case %zu, %s: trap %u", k, op_name((Op)cases[k].op), trap);
        ck_assert_msg(trap || r == cases[k].result, "case %zu, %s: %llx", k, op_name((Op)cases[k].op),
                      (unsigned long long)r);
    }
}
END_TEST

// Every float relation, on one pair of each kind: less, equal, greater, unordered.
START_TEST(test_float_conditions) {
    static const uint64_t pairs[4][2] = {
        {0x3f800000, 0x40000000}, {0x80000000, 0}, {0x40000000, 0x3f800000}, {0x7fc00000, 0}};
    static const char *const holds[N_FCC] = {"LEG", "U", "E",  "ULG", "LG",  "UE", "L",
                                             "LE",  "G", "EG", "UL",  "ULE", "UG", "UEG"};
    for (unsigned cc = 0; cc < N_FCC; cc++) {
        for (unsigned p = 0; p < 4; p++) {
            bool expected = false;
            for (const char *s = holds[cc]; *s; s++) expected |= *s == "LEGU"[p];
            ck_assert_msg(ir_eval_fcmp((FloatCC)cc, T_f32, pairs[p][0], pairs[p][1]) == expected, "%s", fcc_name[cc]);
            ck_assert_int_eq(ir_eval_fcmp((FloatCC)fcc_not[cc], T_f32, pairs[p][0], pairs[p][1]), !expected);
            ck_assert_int_eq(ir_eval_fcmp((FloatCC)fcc_swap[cc], T_f32, pairs[p][1], pairs[p][0]), expected);
        }
    }
    for (unsigned cc = 0; cc < N_ICC; cc++) {
        for (unsigned x = 0; x < 256; x += 51) {
            for (unsigned y = 0; y < 256; y += 51) {
                bool expected = ir_eval_icmp((IntCC)cc, T_i8, x, y);
                ck_assert_int_eq(ir_eval_icmp((IntCC)icc_not[cc], T_i8, x, y), !expected);
                ck_assert_int_eq(ir_eval_icmp((IntCC)icc_swap[cc], T_i8, y, x), expected);
            }
        }
    }
}
END_TEST

// What reaches beyond its operands is not evaluated.
START_TEST(test_refused) {
    static const Op ops[] = {OP_load, OP_store, OP_call, OP_iconst, OP_stack_addr, OP_brif, OP_fence, OP_atomic_load};
    uint64_t args[3] = {0};
    Type types[3] = {T_i64, T_i64, T_i64};
    uint64_t results[2];
    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
        ck_assert(!ir_eval(ops[k], T_i64, 0, args, types, results, &trap));
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("eval");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_all_bytes);
    tcase_add_test(tests, test_cases);
    tcase_add_test(tests, test_float_conditions);
    tcase_add_test(tests, test_refused);
    return run_tests("ir_eval", tests);
}
