// Division by constants as multiplication: every divisor and dividend of 8 bits, and corners of the wider types.
#include <check.h>
#include <stdlib.h>

#include "ir/interp.h"
#include "ir_build.h"
#include "passes/pipeline.h"
#include "verify/ir_verify.h"

static uint64_t state = 1;

static uint64_t next(void) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return state >> 11 ^ state << 40;
}

static uint64_t mask(Type t) { return UINT64_MAX >> (64 - type_bits(t)); }
static int64_t sext(uint64_t x, Type t) { return (int64_t)(x << (64 - type_bits(t))) >> (64 - type_bits(t)); }

// x / d, x % d, without sign and with, optimised.
static Func *divisions(Arena *arena, Type t, uint64_t d) {
    Func *f = func_new_in(arena);
    f->name = (ExtName){.kind = NAME_USER};
    Builder b = {f, block_new(f), NONE};
    block_append(f, b.at);
    Value x = block_add_param(f, b.at, t);
    f->sig = (Sig){.params = NEW_ARRAY(arena, AbiParam, 1), .results = NEW_ARRAY(arena, AbiParam, 4), .declared = true};
    f->sig.n_params = 1;
    f->sig.n_results = 4;
    f->sig.params[0].type = (uint8_t)t;
    for (unsigned k = 0; k < 4; k++) f->sig.results[k].type = (uint8_t)t;
    Value c = ir_iconst(&b, t, d);
    Value results[4] = {ir_udiv(&b, x, c), ir_urem(&b, x, c), ir_sdiv(&b, x, c), ir_srem(&b, x, c)};
    ir_return(&b, results, 4);
    PassOptions options = {.level = OPT_SPEED, .verify = true, .fuel = UINT64_MAX};
    passes_run(f, &options);
    return f;
}

static unsigned count_divisions(const Func *f) {
    unsigned n = 0;
    FUNC_BLOCKS(b, f) {
        BLOCK_INSTS(i, f, b) {
            Op op = (Op)inst_get(f, i)->op;
            n += op == OP_udiv || op == OP_urem || op == OP_sdiv || op == OP_srem;
        }
    }
    return n;
}

static void check_one(IrInterp *interp, const Func *f, Type t, uint64_t x, uint64_t d) {
    uint64_t got[4];
    x &= mask(t);
    if (sext(d, t) == -1 && sext(x, t) == sext(UINT64_C(1) << (type_bits(t) - 1), t)) return;
    ck_assert_int_eq(ir_interp_call(interp, f, &x, got), IR_INTERP_OK);
    const uint64_t want[4] = {x / d, x % d, (uint64_t)(sext(x, t) / sext(d, t)) & mask(t),
                              (uint64_t)(sext(x, t) % sext(d, t)) & mask(t)};
    for (unsigned k = 0; k < 4; k++)
        ck_assert_msg(got[k] == want[k], "%s: %llu by %llu, result %u is %llu, not %llu", type_name(t),
                      (unsigned long long)x, (unsigned long long)d, k, (unsigned long long)got[k],
                      (unsigned long long)want[k]);
}

typedef struct Case {
    Type type;
    uint64_t d;
} Case;

static void check_divisor(Ctx *ctx, void *data) {
    const Case *c = data;
    Type t = c->type;
    Arena *arena = arena_new(ctx);
    Func *f = divisions(arena, t, c->d);
    if (sext(c->d, t) > 0) ck_assert_uint_eq(count_divisions(f), 0);
    IrInterpOptions options = {.host = {.call = ir_interp_libcall}};
    IrInterp *interp = ir_interp_new(arena, &f, 1, &options);
    if (t == T_i8) {
        for (uint64_t x = 0; x < 256; x++) check_one(interp, f, t, x, c->d);
    }
    for (unsigned n = 0; n < 24 && t != T_i8; n++) {
        // Around multiples of the divisor, where quotients change, and around the ends of the type.
        uint64_t x = n % 3 ? next() & mask(t) : n % 2 ? mask(t) : mask(t) >> 1;
        uint64_t multiple = x / c->d * c->d;
        for (uint64_t near = 0; near < 3; near++) {
            check_one(interp, f, t, x + near, c->d);
            check_one(interp, f, t, multiple + near - 1, c->d);
            check_one(interp, f, t, 0 - multiple + near - 1, c->d);
        }
    }
    arena_free(arena);
}

static void check(Type type, uint64_t d) {
    static vtr_context *context;
    if (!context) ck_assert_int_eq(vtr_context_new(NULL, &context), VTR_OK);
    Case c = {type, d};
    ck_assert_int_eq(ctx_try(context, check_divisor, &c), VTR_OK);
}

START_TEST(every_division_of_bytes) {
    for (uint64_t d = 1; d < 256; d++) check(T_i8, d);
}
END_TEST

START_TEST(corners_of_wider_types) {
    static const Type types[] = {T_i16, T_i32, T_i64};
    for (unsigned k = 0; k < 3; k++) {
        Type t = types[k];
        for (uint64_t d = 1; d < 130; d++) check(t, d);
        for (unsigned bit = 3; bit < type_bits(t); bit++) {
            uint64_t power = UINT64_C(1) << bit;
            check(t, power - 1);
            check(t, power);
            check(t, power + 1);
            check(t, power | (next() & (power - 1)));
        }
        for (uint64_t d = 0; d < 4; d++) check(t, mask(t) - d);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("magic");
    TCase *cases = tcase_create("magic");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, every_division_of_bytes);
    tcase_add_test(cases, corners_of_wider_types);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
