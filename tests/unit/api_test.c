// The public interface as a client sees it: IR built by calls, and what it says to wrong input and wrong use.
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "vitrail_ir.h"

static bool said(vtr_context *ctx, const char *part) {
    vtr_diagnostic_info info;
    for (size_t k = 0; vtr_diagnostic(ctx, k, &info); k++)
        if (strstr(info.message, part)) return true;
    return false;
}

// ---- building -------------------------------------------------------------------------------------

typedef vtr_func *(*Build)(vtr_context *ctx);

static vtr_func *begin(vtr_context *ctx, const char *signature) {
    vtr_func *f;
    ck_assert_int_eq(vtr_func_new(ctx, "f", signature, &f), VTR_OK);
    return f;
}

// n + (n - 1) + ... + 1 by variables around a loop.
static vtr_func *build_sum(vtr_context *ctx) {
    vtr_func *f = begin(ctx, "(i64) -> i64");
    vtr_ir_variable n = vtr_func_variable(f, VTR_I64);
    vtr_ir_variable sum = vtr_func_variable(f, VTR_I64); // 0 until it is set
    vtr_ir_block loop = vtr_func_block(f);
    vtr_ir_block more = vtr_func_block(f);
    vtr_ir_block done = vtr_func_block(f);
    vtr_func_set(f, n, vtr_func_param(f, 0));
    vtr_ir_jump(f, loop, NULL, 0);
    ck_assert(!vtr_func_open(f));
    vtr_func_enter(f, loop);
    vtr_ir_brif(f, vtr_func_get(f, n), more, NULL, 0, done, NULL, 0);
    vtr_func_seal(f, more);
    vtr_func_enter(f, more);
    vtr_func_set(f, sum, vtr_ir_iadd(f, vtr_func_get(f, sum), vtr_func_get(f, n)));
    vtr_func_set(f, n, vtr_ir_isub(f, vtr_func_get(f, n), vtr_ir_iconst(f, VTR_I64, 1)));
    vtr_ir_jump(f, loop, NULL, 0);
    vtr_func_seal(f, loop);
    vtr_func_enter(f, done);
    ck_assert(vtr_func_open(f));
    vtr_ir_value result = vtr_func_get(f, sum);
    vtr_ir_return(f, &result, 1);
    return f;
}

// x by a table of branches with block arguments: 0 -> 70, 1 -> 71, others -> -1.
static vtr_func *build_table(vtr_context *ctx) {
    vtr_func *f = begin(ctx, "(i64) -> i64");
    vtr_ir_block to = vtr_func_block(f);
    vtr_ir_value x = vtr_func_block_param(f, to, VTR_I64);
    vtr_ir_value values[] = {vtr_ir_iconst(f, VTR_I64, -1), vtr_ir_iconst(f, VTR_I64, 70),
                             vtr_ir_iconst(f, VTR_I64, 71)};
    vtr_ir_target targets[] = {{to, &values[0], 1}, {to, &values[1], 1}, {to, &values[2], 1}};
    vtr_ir_br_table(f, vtr_ir_ireduce(f, VTR_I32, vtr_func_param(f, 0)), targets, 3);
    vtr_func_enter(f, to);
    vtr_ir_return(f, &x, 1);
    return f;
}

// Memory, two results, addresses: *host + x + (x + x overflows) by way of a stack slot and an indirect call of itself
// with 0.
static vtr_func *build_entities(vtr_context *ctx) {
    vtr_func *f = begin(ctx, "(i64) -> i64 system_v");
    vtr_ir_value x = vtr_func_param(f, 0);
    vtr_ir_value word = vtr_ir_symbol_value(f, VTR_I64, vtr_func_symbol(f, "host"));
    vtr_ir_block again = vtr_func_block(f);
    vtr_ir_block done = vtr_func_block(f);
    vtr_ir_brif(f, x, again, NULL, 0, done, NULL, 0);
    vtr_func_enter(f, done);
    vtr_ir_value read = vtr_ir_load(f, VTR_I64, VTR_MEM_NOTRAP | VTR_MEM_ALIGNED, word, 0);
    vtr_ir_return(f, &read, 1);
    vtr_func_enter(f, again);
    vtr_ir_value at = vtr_ir_stack_addr(f, VTR_I64, vtr_func_slot(f, 16, 8), 8);
    vtr_ir_value over;
    vtr_ir_sadd_overflow(f, x, x, &over);
    vtr_ir_store(f, 0, vtr_ir_uextend(f, VTR_I64, over), at, 0);
    vtr_ir_value self = vtr_ir_func_addr(f, VTR_I64, vtr_func_callee(f, "f", "(i64) -> i64 system_v"));
    vtr_ir_value zero = vtr_ir_iconst(f, VTR_I64, 0);
    vtr_ir_value base = vtr_ir_call_indirect(f, vtr_func_signature(f, "(i64) -> i64 system_v"), self, &zero, 1, NULL);
    vtr_ir_value sum = vtr_ir_iadd(f, vtr_ir_iadd(f, base, x), vtr_ir_load(f, VTR_I64, 0, at, 0));
    vtr_ir_return(f, &sum, 1);
    return f;
}

static int64_t host_word = 1000;

// What a built function computes on every machine that runs here, at both levels; and what its text does.
static void check_built(Build build, const int64_t cases[][2], size_t n) {
    vtr_context *ctx = test_context();
    unsigned machines = 0;
    for (size_t t = 0; vtr_target_name(t); t++) {
        for (int way = 0; way < 4; way++) {
            vtr_jit_options options = {.opt = way % 2 ? VTR_OPT_SPEED : VTR_OPT_NONE, .target = vtr_target_name(t)};
            options.check = true;
            vtr_jit *jit;
            vtr_status status = vtr_jit_new(ctx, &options, &jit);
            if (status == VTR_ERR_UNSUPPORTED) break; // it runs in an engine of its own
            ck_assert_int_eq(status, VTR_OK);
            machines++;
            ck_assert_int_eq(vtr_jit_define(jit, "host", &host_word), VTR_OK);
            vtr_func *f = build(ctx);
            if (way < 2) {
                ck_assert_int_eq(vtr_jit_add_func(jit, f), VTR_OK);
                ck_assert_int_eq(vtr_jit_add_func(jit, f), VTR_ERR_USAGE);
            } else {
                char *text;
                size_t len;
                ck_assert_int_eq(vtr_func_text(f, &text, &len), VTR_OK);
                ck_assert_uint_eq(strlen(text), len);
                ck_assert_int_eq(vtr_jit_add_clif(jit, "text", text, len), VTR_OK);
                vtr_bytes_free(ctx, text, len);
            }
            vtr_func_free(f);
            ck_assert_int_eq(vtr_jit_publish(jit), VTR_OK);
            for (size_t k = 0; k < n; k++) {
                uint64_t arg = (uint64_t)cases[k][0];
                uint64_t result;
                ck_assert_int_eq(vtr_jit_call(jit, "f", &arg, 1, &result, 1, NULL), VTR_OK);
                ck_assert_int_eq((int64_t)result, cases[k][1]);
            }
            vtr_jit_free(jit);
        }
    }
    ck_assert_uint_ge(machines, 8); // this one and two more
    vtr_context_free(ctx);
}

START_TEST(built) {
    check_built(build_sum, (const int64_t[][2]){{0, 0}, {1, 1}, {100, 5050}}, 3);
    check_built(build_table, (const int64_t[][2]){{0, 70}, {1, 71}, {2, -1}, {-1, -1}}, 4);
    check_built(build_entities, (const int64_t[][2]){{0, 1000}, {5, 1005}, {INT64_MAX - 2000, INT64_MAX - 999}}, 3);
}
END_TEST

// A built function is an object of every machine, alone and behind another.
START_TEST(built_objects) {
    static const Build builds[] = {build_sum, build_table};
    vtr_context *ctx = test_context();
    for (size_t k = 0; k < 2; k++) {
        for (size_t t = 0; vtr_target_name(t); t++) {
            vtr_object_options options = {.target = vtr_target_name(t), .check = true};
            vtr_object *object;
            vtr_status status = vtr_object_new(ctx, &options, &object);
            if (status == VTR_ERR_UNSUPPORTED) continue; // no object format
            ck_assert_int_eq(status, VTR_OK);
            vtr_func *f = builds[k](ctx);
            ck_assert_int_eq(vtr_object_add_func(object, f), VTR_OK);
            vtr_func_free(f);
            static const char text[] = "function %g() {\nblock0:\n    return\n}\n";
            ck_assert_int_eq(vtr_object_add_clif(object, "g", text, strlen(text)), VTR_OK);
            uint8_t *bytes;
            size_t n;
            ck_assert_int_eq(vtr_object_bytes(object, &bytes, &n), VTR_OK);
            ck_assert_uint_gt(n, 64);
            vtr_bytes_free(ctx, bytes, n);
            vtr_object_free(object);
        }
    }
    vtr_context_free(ctx);
}
END_TEST

// ---- mistakes -------------------------------------------------------------------------------------

static void nothing(vtr_func *f) { (void)f; }
static void half_done(vtr_func *f) { vtr_ir_iconst(f, VTR_I64, 1); }
static void behind_return(vtr_func *f) {
    vtr_ir_value x = vtr_func_param(f, 0);
    vtr_ir_return(f, &x, 1);
    vtr_ir_nop(f);
}
static void get_behind_return(vtr_func *f) {
    vtr_ir_variable x = vtr_func_variable(f, VTR_I64);
    vtr_ir_trap(f, 1);
    vtr_func_get(f, x);
}
static void no_param(vtr_func *f) { vtr_ir_ineg(f, vtr_func_param(f, 1)); }
static void no_value(vtr_func *f) { vtr_ir_iadd(f, vtr_func_param(f, 0), (vtr_ir_value){UINT32_MAX}); }
static void no_block(vtr_func *f) { vtr_ir_jump(f, (vtr_ir_block){1}, NULL, 0); }
static void no_variable(vtr_func *f) { vtr_func_get(f, (vtr_ir_variable){0}); }
static void no_callee(vtr_func *f) { vtr_ir_call(f, (vtr_ir_callee){0}, NULL, 0, NULL); }
static void no_signature(vtr_func *f) {
    vtr_ir_call_indirect(f, (vtr_ir_signature){7}, vtr_func_param(f, 0), NULL, 0, NULL);
}
static void no_slot(vtr_func *f) { vtr_ir_stack_addr(f, VTR_I64, (vtr_ir_slot){0}, 0); }
static void no_symbol(vtr_func *f) { vtr_ir_symbol_value(f, VTR_I64, (vtr_ir_symbol){0}); }
static void no_condition(vtr_func *f) { vtr_ir_icmp(f, (vtr_ir_intcc)10, vtr_func_param(f, 0), vtr_func_param(f, 0)); }
static void no_trap(vtr_func *f) { vtr_ir_trap(f, 256); }
static void no_flags(vtr_func *f) { vtr_ir_load(f, VTR_I64, 256, vtr_func_param(f, 0), 0); }
static void both_orders(vtr_func *f) { vtr_ir_load(f, VTR_I64, VTR_MEM_LITTLE | VTR_MEM_BIG, vtr_func_param(f, 0), 0); }
static void no_type(vtr_func *f) { vtr_ir_iconst(f, VTR_U64, 1); }
static void float_type(vtr_func *f) { vtr_ir_iconst(f, VTR_F64, 1); }
static void float_of_int(vtr_func *f) { vtr_ir_fadd(f, vtr_func_param(f, 0), vtr_func_param(f, 0)); }
static void other_type(vtr_func *f) {
    vtr_ir_value x = vtr_ir_iadd(f, vtr_func_param(f, 0), vtr_ir_iconst(f, VTR_I32, 1));
    vtr_ir_return(f, &x, 1);
}
static void set_other_type(vtr_func *f) { vtr_func_set(f, vtr_func_variable(f, VTR_I32), vtr_func_param(f, 0)); }
static void no_table(vtr_func *f) { vtr_ir_br_table(f, vtr_ir_iconst(f, VTR_I32, 0), NULL, 0); }
static void to_entry(vtr_func *f) { vtr_ir_jump(f, (vtr_ir_block){0}, NULL, 0); }
static void to_sealed(vtr_func *f) {
    vtr_ir_block b = vtr_func_block(f);
    vtr_func_seal(f, b);
    vtr_ir_jump(f, b, NULL, 0);
}
static void to_empty(vtr_func *f) {
    vtr_ir_block b = vtr_func_block(f);
    vtr_ir_jump(f, b, NULL, 0);
}
static void enter_filled(vtr_func *f) {
    vtr_ir_trap(f, 1);
    vtr_func_enter(f, (vtr_ir_block){0});
}
static void odd_align(vtr_func *f) { vtr_func_slot(f, 8, 3); }
static void bad_signature(vtr_func *f) { vtr_func_callee(f, "g", "(i64) -> "); }
static void more_signature(vtr_func *f) { vtr_func_callee(f, "g", "() fast fast"); }
static void i128_signature(vtr_func *f) { vtr_func_callee(f, "g", "(i128)"); }
static void undominated(vtr_func *f) {
    vtr_ir_block b[] = {vtr_func_block(f), vtr_func_block(f), vtr_func_block(f)};
    vtr_ir_brif(f, vtr_func_param(f, 0), b[0], NULL, 0, b[1], NULL, 0);
    vtr_func_enter(f, b[0]);
    vtr_ir_value x = vtr_ir_iconst(f, VTR_I64, 1);
    vtr_ir_jump(f, b[2], NULL, 0);
    vtr_func_enter(f, b[1]);
    vtr_ir_jump(f, b[2], NULL, 0);
    vtr_func_enter(f, b[2]);
    vtr_ir_return(f, &x, 1);
}

static const struct {
    void (*make)(vtr_func *f);
    vtr_status status;
    const char *text;
} mistakes[] = {
    {nothing, VTR_ERR_INPUT, "empty"},
    {half_done, VTR_ERR_INPUT, "terminator"},
    {behind_return, VTR_ERR_USAGE, "behind a terminator"},
    {get_behind_return, VTR_ERR_USAGE, "behind a terminator"},
    {no_param, VTR_ERR_USAGE, "no such parameter"},
    {no_value, VTR_ERR_USAGE, "not a value"},
    {no_block, VTR_ERR_USAGE, "not one of its blocks"},
    {no_variable, VTR_ERR_USAGE, "not one of its variables"},
    {no_callee, VTR_ERR_USAGE, "call: no such callee"},
    {no_signature, VTR_ERR_USAGE, "no such signature"},
    {no_slot, VTR_ERR_USAGE, "no such stack slot"},
    {no_symbol, VTR_ERR_USAGE, "no such symbol"},
    {no_condition, VTR_ERR_USAGE, "icmp: no such condition"},
    {no_trap, VTR_ERR_USAGE, "trap: no such trap code"},
    {no_flags, VTR_ERR_USAGE, "no such combination of memory flags"},
    {both_orders, VTR_ERR_USAGE, "no such combination of memory flags"},
    {no_type, VTR_ERR_USAGE, "a type of IR is"},
    {float_type, VTR_ERR_USAGE, "iconst has no type f64"},
    {float_of_int, VTR_ERR_USAGE, "fadd has no type i64"},
    {other_type, VTR_ERR_INPUT, "iadd"},
    {set_other_type, VTR_ERR_USAGE, "another type"},
    {no_table, VTR_ERR_USAGE, "no default"},
    {to_entry, VTR_ERR_USAGE, "leads to the entry block"},
    {to_sealed, VTR_ERR_USAGE, "leads to a sealed block"},
    {to_empty, VTR_ERR_USAGE, "never entered"},
    {enter_filled, VTR_ERR_USAGE, "entered again"},
    {odd_align, VTR_ERR_USAGE, "power of two"},
    {bad_signature, VTR_ERR_INPUT, "expected a type"},
    {more_signature, VTR_ERR_INPUT, "expected the end"},
    {i128_signature, VTR_ERR_UNSUPPORTED, "i128"},
    {undominated, VTR_ERR_INPUT, "v"},
};

// Each mistake is kept and told, whatever is called afterwards.
START_TEST(mistake) {
    vtr_context *ctx = test_context();
    vtr_jit *jit;
    ck_assert_int_eq(vtr_jit_new(ctx, NULL, &jit), VTR_OK);
    vtr_func *f = begin(ctx, "(i64) -> i64");
    mistakes[_i].make(f);
    vtr_func_variable(f, VTR_I64);
    ck_assert_int_eq(vtr_jit_add_func(jit, f), mistakes[_i].status);
    ck_assert_msg(said(ctx, mistakes[_i].text), "mistake %d: not said: %s", _i, mistakes[_i].text);
    ck_assert_int_eq(vtr_func_finish(f), mistakes[_i].status);
    vtr_func_free(f);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_OK);
    ck_assert_ptr_null(vtr_jit_find(jit, "f"));
    vtr_jit_free(jit);
    vtr_context_free(ctx);
}
END_TEST

// ---- anything ------------------------------------------------------------------------------------

static uint32_t roll(uint64_t *seed, uint32_t n) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % n;
}

static vtr_type any_type(uint64_t *seed) {
    static const vtr_type types[] = {VTR_I8, VTR_I32, VTR_I64, VTR_I64, VTR_I64, VTR_F32, VTR_F64};
    return roll(seed, 60) ? types[roll(seed, 7)] : (vtr_type)roll(seed, 20);
}

// One call, most often with numbers of things that exist: `n` values and 4 blocks, 2 variables, 1 of everything else.
static vtr_ir_value any_call(vtr_func *f, uint64_t *seed, uint32_t n) {
    vtr_ir_value x = {roll(seed, n)};
    vtr_ir_value y = {roll(seed, n + 1)};
    vtr_ir_block to = {roll(seed, 40) ? 1 + roll(seed, 3) : roll(seed, 6)};
    vtr_ir_block other = {1 + roll(seed, 3)};
    vtr_ir_variable variable = {roll(seed, 50) ? roll(seed, 2) : 9};
    vtr_ir_target targets[] = {{to, NULL, 0}, {other, &x, roll(seed, 2)}};
    vtr_ir_value none = {UINT32_MAX};
    switch (roll(seed, 24)) {
    case 0: return vtr_ir_iadd(f, x, y);
    case 1: return vtr_ir_iconst(f, any_type(seed), (int64_t)*seed);
    case 2: return vtr_ir_fadd(f, x, x);
    case 3: return vtr_ir_icmp(f, (vtr_ir_intcc)roll(seed, 10), x, x);
    case 4: return vtr_ir_select(f, x, y, y);
    case 5: return vtr_ir_ireduce(f, any_type(seed), x);
    case 6: return vtr_ir_sextend(f, any_type(seed), x);
    case 7: return vtr_ir_smul_overflow(f, x, x, &y);
    case 8: return vtr_ir_load(f, any_type(seed), roll(seed, 64), x, (int32_t)*seed);
    case 9: vtr_ir_store(f, 0, x, y, 8); return none;
    case 10: return vtr_ir_call(f, (vtr_ir_callee){0}, &x, roll(seed, 3) != 0, NULL);
    case 11: return vtr_ir_call_indirect(f, (vtr_ir_signature){0}, x, &y, 1, NULL);
    case 12: return vtr_ir_stack_addr(f, VTR_I64, (vtr_ir_slot){0}, (int32_t)roll(seed, 9));
    case 13: return vtr_ir_f64const(f, 1.5);
    case 14: return vtr_func_get(f, variable);
    case 15: vtr_func_set(f, variable, x); return none;
    case 16: return vtr_ir_bitcast(f, any_type(seed), 0, x);
    case 17: vtr_ir_brif(f, x, to, NULL, 0, other, &y, roll(seed, 9) == 0); break;
    case 18: vtr_ir_jump(f, to, &x, roll(seed, 9) == 0); break;
    case 19: vtr_ir_return(f, &x, 1); break;
    case 20: vtr_ir_br_table(f, x, targets, 1 + roll(seed, 2)); break;
    case 21: vtr_ir_return_call(f, (vtr_ir_callee){0}, &x, 1); break;
    case 22: return vtr_ir_isplit(f, x, NULL);
    default:
        if (roll(seed, 30) == 0) vtr_func_seal(f, to);
        return none;
    }
    if (roll(seed, 20)) vtr_func_enter(f, to);
    return none;
}

// Whatever is called, a function is compiled or refused with a reason.
START_TEST(anything) {
    vtr_context *ctx = test_context();
    unsigned status_seen[VTR_ERR_INTERNAL + 1] = {0};
    uint64_t seed = 1;
    for (unsigned k = 0; k < 6000; k++) {
        vtr_jit *jit;
        vtr_jit_options options = {.opt = k % 2 ? VTR_OPT_SPEED : VTR_OPT_NONE, .check = true, .reserve = 1 << 20};
        ck_assert_int_eq(vtr_jit_new(ctx, &options, &jit), VTR_OK);
        vtr_func *f = begin(ctx, "(i64, i64) -> i64 tail");
        vtr_func_callee(f, "f", "(i64, i64) -> i64 tail");
        vtr_func_slot(f, 16, 8);
        for (unsigned b = 0; b < 3; b++) vtr_func_block(f);
        for (unsigned v = 0; v < 2; v++) vtr_func_variable(f, v ? VTR_I32 : VTR_I64);
        uint32_t n = 2;
        for (unsigned calls = roll(&seed, 12); calls; calls--) {
            vtr_ir_value made = any_call(f, &seed, n);
            if (made.id != UINT32_MAX && made.id >= n) n = made.id + 1;
        }
        vtr_ir_value zero = vtr_func_open(f) ? vtr_ir_iconst(f, VTR_I64, 0) : (vtr_ir_value){0};
        if (vtr_func_open(f)) vtr_ir_return(f, &zero, 1);
        vtr_status status = vtr_jit_add_func(jit, f);
        ck_assert_int_ne(status, VTR_ERR_INTERNAL);
        ck_assert(status == VTR_OK || vtr_diagnostic_count(ctx));
        status_seen[status]++;
        vtr_diagnostics_clear(ctx);
        vtr_func_free(f);
        vtr_jit_free(jit);
    }
    ck_assert_uint_gt(status_seen[VTR_OK], 300);
    ck_assert_uint_gt(status_seen[VTR_ERR_INPUT], 300);
    ck_assert_uint_gt(status_seen[VTR_ERR_USAGE], 300);
    vtr_context_free(ctx);
}
END_TEST

// A function of another context is not taken, and is none the worse for it.
START_TEST(other_context) {
    vtr_context *ctx = test_context();
    vtr_context *other = test_context();
    vtr_func *f = build_sum(other);
    vtr_jit *jit;
    ck_assert_int_eq(vtr_jit_new(ctx, NULL, &jit), VTR_OK);
    ck_assert_int_eq(vtr_jit_add_func(jit, f), VTR_ERR_USAGE);
    ck_assert_int_eq(vtr_func_finish(f), VTR_OK);
    vtr_func_free(f);
    vtr_jit_free(jit);
    vtr_context_free(other);
    vtr_context_free(ctx);
}
END_TEST

// ---- IR text from anyone ---------------------------------------------------------------------------

// Text that has the right form and still is no function: to be refused, never compiled.
static const struct {
    const char *text;
    vtr_status status;
} texts[] = {
    {"function %f(i64) -> i64 {\nblock0(v0: i64):\n brif v0, block1, block2\nblock1:\n v1 = iadd v0, v0\n jump block3\n"
     "block2:\n jump block3\nblock3:\n return v1\n}\n",
     VTR_ERR_INPUT},
    {"function %f(i64) -> i64 {\nblock0(v0: i64):\n v1 = iadd v0, v0\n}\n", VTR_ERR_INPUT},
    {"function %f(i64) -> i64, i64 {\nblock0(v0: i64):\n return v0\n}\n", VTR_ERR_INPUT},
    {"function %f(i64) -> i64 {\nblock0(v0: i32):\n jump block1(v0)\nblock1(v1: i64):\n return v1\n}\n", VTR_ERR_INPUT},
    {"function %f(i64) -> i64 {\nblock0(v0: i64):\n jump block0(v0)\n}\n", VTR_ERR_INPUT},
    {"function %f(i64) -> i64 {\n fn0 = %g(i64) -> i32\nblock0(v0: i64):\n v1 = call fn0()\n return v1\n}\n",
     VTR_ERR_INPUT},
    {"function %g() {\nblock0:\n return\n}\nfunction %f(i128) {\nblock0(v0: i128):\n return\n}\n", VTR_ERR_UNSUPPORTED},
};

START_TEST(wrong_text) {
    const char *text = texts[_i].text;
    vtr_context *ctx = test_context();
    vtr_jit *jit;
    ck_assert_int_eq(vtr_jit_new(ctx, NULL, &jit), VTR_OK);
    ck_assert_int_eq(vtr_jit_add_clif(jit, "text", text, strlen(text)), texts[_i].status);
    ck_assert_uint_ge(vtr_diagnostic_count(ctx), 1);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_OK);
    ck_assert_ptr_null(vtr_jit_find(jit, "g")); // nothing of the text was added
    vtr_jit_free(jit);
    for (size_t t = 0; vtr_target_name(t); t++) {
        vtr_object_options options = {.target = vtr_target_name(t)};
        vtr_object *object;
        if (vtr_object_new(ctx, &options, &object) != VTR_OK) continue;
        vtr_diagnostics_clear(ctx);
        ck_assert_int_eq(vtr_object_add_clif(object, "text", text, strlen(text)), texts[_i].status);
        ck_assert_uint_ge(vtr_diagnostic_count(ctx), 1);
        vtr_object_free(object);
    }
    vtr_context_free(ctx);
}
END_TEST

// ---- names ----------------------------------------------------------------------------------------

static int64_t seven(void) { return 7; }
static int64_t eight(void) { return 8; }

static void *resolve(void *user, const char *name) {
    ++*(unsigned *)user;
    int64_t (*found)(void) = strcmp(name, "seven") ? NULL : seven;
    void *address;
    memcpy(&address, &found, sizeof address);
    return address;
}

static uint64_t call_f(vtr_jit *jit) {
    uint64_t result = 0;
    ck_assert_int_eq(vtr_jit_call(jit, "f", NULL, 0, &result, 1, NULL), VTR_OK);
    return result;
}

// Names are looked for, missing ones can be given later, functions can be taken out and defined anew.
START_TEST(names) {
    static const char calls_seven[] =
        "function %f() -> i64 {\n fn0 = %seven() -> i64\nblock0:\n v0 = call fn0()\n return v0\n}\n";
    static const char calls_eight[] =
        "function %f() -> i64 {\n fn0 = %eight() -> i64\nblock0:\n v0 = call fn0()\n return v0\n}\n";
    vtr_context *ctx = test_context();
    unsigned asked = 0;
    vtr_jit_options options = {.resolve = resolve, .resolve_user = &asked};
    vtr_jit *jit;
    ck_assert_int_eq(vtr_jit_new(ctx, &options, &jit), VTR_OK);
    ck_assert_int_eq(vtr_jit_remove(jit, "f"), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_jit_add_clif(jit, "a", calls_seven, strlen(calls_seven)), VTR_OK);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_OK);
    ck_assert_uint_eq(asked, 1);
    ck_assert_uint_eq(call_f(jit), 7);
    ck_assert_int_eq(vtr_jit_add_clif(jit, "b", calls_eight, strlen(calls_eight)), VTR_ERR_USAGE);
    ck_assert_int_eq(vtr_jit_remove(jit, "f"), VTR_OK);
    ck_assert_ptr_null(vtr_jit_find(jit, "f"));
    ck_assert_int_eq(vtr_jit_call(jit, "f", NULL, 0, NULL, 1, NULL), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_jit_add_clif(jit, "b", calls_eight, strlen(calls_eight)), VTR_OK);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_ERR_NOT_FOUND);
    ck_assert(said(ctx, "%eight"));
    int64_t (*function)(void) = eight;
    void *address;
    memcpy(&address, &function, sizeof address);
    ck_assert_int_eq(vtr_jit_define(jit, "eight", address), VTR_OK);
    ck_assert_int_eq(vtr_jit_publish(jit), VTR_OK);
    ck_assert_uint_eq(call_f(jit), 8);
    ck_assert_int_eq(vtr_jit_remove(jit, "__vtr_trap"), VTR_ERR_NOT_FOUND); // the JIT's own
    vtr_jit_free(jit);
    vtr_context_free(ctx);
}
END_TEST

// A host that does not know a module asks what it gives and wants.
START_TEST(listing) {
    static const char text[] =
        ".module \"m\"\n.import fn \"host.add\" (i64) -> i64\n.import global \"host.limit\": i64\n"
        ".export one as \"first\"\n.export two\n"
        ".fn one() -> void\ne:\n    RET\n.end\n.fn two() -> void\ne:\n    RET\n.end\n";
    vtr_context *ctx = test_context();
    uint8_t *bytes;
    size_t n;
    vtr_bytecode *module;
    char name[16];
    bool global;
    ck_assert_int_eq(vtr_bytecode_assemble(ctx, "m", text, strlen(text), &bytes, &n), VTR_OK);
    ck_assert_int_eq(vtr_bytecode_read(ctx, "m", bytes, n, 0, &module), VTR_OK);
    ck_assert(vtr_bytecode_export(module, 0, name, sizeof name));
    ck_assert_str_eq(name, "first");
    ck_assert(vtr_bytecode_export(module, 1, name, sizeof name));
    ck_assert_str_eq(name, "two");
    ck_assert(!vtr_bytecode_export(module, 2, name, sizeof name));
    ck_assert(vtr_bytecode_import(module, 0, name, sizeof name, &global));
    ck_assert_str_eq(name, "host.add");
    ck_assert(!global);
    ck_assert(vtr_bytecode_import(module, 1, name, 9, &global));
    ck_assert_str_eq(name, "host.lim");
    ck_assert(global);
    ck_assert(!vtr_bytecode_import(module, 2, name, sizeof name, NULL));
    vtr_bytecode_free(module);
    vtr_bytes_free(ctx, bytes, n);
    vtr_context_free(ctx);
}
END_TEST

// ---- objects of the host ---------------------------------------------------------------------------

static const char lines_text[] = ".module \"m\"\n.type bytes = array u8\n.import fn \"host.line\" (i64) -> bytes\n"
                                 ".export joined\n.export read\n"
                                 ".fn joined(a: bytes, b: bytes) -> i64\n.reg n: i64\n.reg m: i64\n"
                                 "e:\n    ARR_LEN n, a\n    ARR_LEN m, b\n    ADD n, n, m\n    RET n\n.end\n"
                                 ".fn read(k: i64) -> bytes\n.reg a: bytes\ne:\n    CALL a, line, 1 [k]\n"
                                 "    CALL a, line, 1 [k]\n    RET a\n.end\n";

// Hands out "line 0", "line 1", ...; for a number below 0 an array too long for the heap.
static vtr_status host_line(vtr_program *program, void *user, const vtr_value *args, size_t n, vtr_value *result) {
    char line[32];
    ck_assert_uint_eq(n, 1);
    if (args[0].as.i < 0) {
        ck_assert_int_eq(vtr_program_array(program, VTR_U8, NULL, 1 << 30, result), VTR_ERR_LIMIT);
        return vtr_program_trap(program, VTR_TRAP_OOM);
    }
    int len = snprintf(line, sizeof line, "line %u", (*(unsigned *)user)++);
    return vtr_program_array(program, VTR_U8, line, (size_t)len, result);
}

static void ck_bytes(vtr_program *program, vtr_value value, const char *expected) {
    void *bytes;
    size_t n;
    ck_assert_int_eq(vtr_value_bytes(program, value, &bytes, &n), VTR_OK);
    ck_assert_uint_eq(n, strlen(expected));
    ck_assert_mem_eq(bytes, expected, n);
}

static void check_objects(vtr_program *program) {
    vtr_value args[2];
    vtr_value number = {.type = VTR_I64};
    vtr_value result;
    ck_assert_int_eq(vtr_program_run(program, "read", &number, 1, &result), VTR_OK);
    ck_bytes(program, result, "line 1");
    // Under stress each of these moves what there is.
    for (size_t k = 0; k < 2; k++) {
        ck_assert_int_eq(vtr_program_array(program, VTR_U8, k ? "other" : "one", k ? 5 : 3, &args[k]), VTR_OK);
        ck_assert_int_eq(vtr_program_hold(program, &args[k]), VTR_OK);
    }
    ck_assert_int_eq(vtr_program_run(program, "joined", args, 2, &result), VTR_OK);
    ck_assert_int_eq(result.as.i, 8);
    ck_assert_int_eq(vtr_program_run(program, "read", &number, 1, NULL), VTR_OK);
    ck_bytes(program, args[0], "one");
    ck_bytes(program, args[1], "other");
    // Held twice it is one object still, of which two references are one.
    vtr_value same = args[0];
    ck_assert_int_eq(vtr_program_hold(program, &same), VTR_OK);
    ck_assert_int_eq(vtr_program_hold(program, &args[0]), VTR_OK);
    ck_assert_int_eq(vtr_program_run(program, "read", &number, 1, NULL), VTR_OK);
    ck_assert_uint_eq(same.as.ref, args[0].as.ref);
    ck_bytes(program, same, "one");
    vtr_program_release(program, &same);
    vtr_program_release(program, &args[0]);
    ck_assert_int_eq(vtr_program_run(program, "read", &number, 1, NULL), VTR_OK);
    ck_bytes(program, args[0], "one");
    vtr_program_release(program, &args[0]);
    ck_assert_int_eq(vtr_program_run(program, "read", &number, 1, NULL), VTR_OK);
    ck_bytes(program, args[1], "other");
    vtr_program_release(program, &args[1]);
    vtr_program_release(program, &args[1]); // nothing is held: nothing happens
    number.as.i = -1;
    vtr_trap trap;
    ck_assert_int_eq(vtr_program_run(program, "read", &number, 1, NULL), VTR_ERR_TRAP);
    ck_assert(vtr_trap_info(program, &trap) && trap.code == VTR_TRAP_OOM);
    ck_assert_int_eq(vtr_program_array(program, VTR_I32, NULL, 1, &result), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_program_array(program, VTR_REF, NULL, 1, &result), VTR_ERR_USAGE);
    ck_assert_int_eq(vtr_program_array(program, VTR_U8, NULL, SIZE_MAX, &result), VTR_ERR_LIMIT);
}

START_TEST(objects) {
    static const vtr_backend_options ways[] = {
        {.opt = VTR_OPT_SPEED}, {.interpret = true}, {.target = "riscv64"}, {.opt = VTR_OPT_NONE}};
    vtr_context *ctx = test_context();
    uint8_t *bytes;
    size_t n;
    vtr_bytecode *module;
    ck_assert_int_eq(vtr_bytecode_assemble(ctx, "m", lines_text, strlen(lines_text), &bytes, &n), VTR_OK);
    ck_assert_int_eq(vtr_bytecode_read(ctx, "m", bytes, n, 0, &module), VTR_OK);
    vtr_backend_options options = ways[_i / 2];
    options.gc_stress = _i % 2;
    options.heap_limit = 1 << 20;
    unsigned lines = 0;
    vtr_backend *backend;
    vtr_program *program;
    ck_assert_int_eq(vtr_backend_new(ctx, &options, &backend), VTR_OK);
    ck_assert_int_eq(vtr_backend_define(backend, "host.line", host_line, &lines), VTR_OK);
    ck_assert_int_eq(vtr_backend_compile(backend, module, &program), VTR_OK);
    check_objects(program);
    vtr_program_free(program);
    vtr_backend_free(backend);
    vtr_bytecode_free(module);
    vtr_bytes_free(ctx, bytes, n);
    vtr_context_free(ctx);
}
END_TEST

START_TEST(versions) {
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", VTR_VERSION_MAJOR, VTR_VERSION_MINOR, VTR_VERSION_PATCH);
    ck_assert_str_eq(vtr_version(), text);
    bool found = false;
    size_t n = 0;
    for (; vtr_target_name(n); n++) found |= vtr_host_target() && !strcmp(vtr_target_name(n), vtr_host_target());
    ck_assert_uint_ge(n, 4);
    ck_assert_ptr_null(vtr_target_name(n + 1));
    ck_assert(found || !vtr_host_target());
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("api");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, built);
    tcase_add_test(tests, built_objects);
    tcase_add_loop_test(tests, mistake, 0, (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(tests, anything);
    tcase_add_test(tests, other_context);
    tcase_add_loop_test(tests, wrong_text, 0, (int)(sizeof texts / sizeof *texts));
    tcase_add_test(tests, names);
    tcase_add_test(tests, listing);
    tcase_add_loop_test(tests, objects, 0, 8);
    tcase_add_test(tests, versions);
    return run_tests("api", tests);
}
