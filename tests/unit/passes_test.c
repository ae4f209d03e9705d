// The passes: random functions mean the same before and after; and what each pass is for happens.
#include <stdlib.h>
#include <string.h>

#include "ir/interp.h"
#include "ir_build.h"
#include "passes/pipeline.h"
#include "verify/ir_verify.h"
#include "unit.h"

// ---- random functions --------------------------------------------------------------------------

typedef struct Random {
    uint64_t state;
} Random;

static uint32_t pick(Random *r, uint32_t n) {
    r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((r->state >> 33) % n);
}

// Integers where rules and expansions have their edges.
static uint64_t interesting(Random *r, Type type) {
    unsigned width = type_bits(type);
    uint64_t all = UINT64_MAX >> (64 - width);
    switch (pick(r, 8)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return all;
    case 3: return UINT64_C(1) << (width - 1);
    case 4: return (UINT64_C(1) << (width - 1)) - 1;
    case 5: return UINT64_C(1) << pick(r, width);
    case 6: return pick(r, 256) & all;
    default: return ((uint64_t)pick(r, 1u << 31) << 33 ^ pick(r, 1u << 31)) & all;
    }
}

static uint64_t float_bits(Random *r, Type type) {
    static const double values[] = {0.0, -0.0, 1.0, -1.5, 0.49999, 127.5, -128.9, 2147483648.0, -9.3e18, 1.9e19, 1e300};
    double d = values[pick(r, sizeof values / sizeof *values)];
    uint64_t bits = 0;
    if (pick(r, 12) == 0) d = d - d == 0 ? (0.0 / 0.0) : d;
    if (type == T_f32) {
        float f = (float)d;
        memcpy(&bits, &f, sizeof f);
    } else {
        memcpy(&bits, &d, sizeof d);
    }
    return bits;
}

typedef struct Gen {
    Random r;
    Builder b;
    VEC(Value) pool; // what may be used
    bool narrow;     // few opcodes of one type over few values, so that nested patterns of rules arise
    Op ops[3];
    Type type;
} Gen;

static Value constant(Gen *g, Type type) {
    if (type == T_f32) return ir_f32const(&g->b, (uint32_t)float_bits(&g->r, type));
    if (type == T_f64) return ir_f64const(&g->b, float_bits(&g->r, type));
    return ir_iconst(&g->b, type, interesting(&g->r, type));
}

static Value operand(Gen *g, Type type) {
    for (int tries = 0; tries < 12 && pick(&g->r, 4); tries++) {
        uint32_t newest = g->pool.n < 8 ? g->pool.n : 8; // deep trees, not wide ones
        Value v = g->pool.v[pick(&g->r, 3) ? g->pool.n - 1 - pick(&g->r, newest) : pick(&g->r, g->pool.n)];
        if (value_type(g->b.f, v) == type) return v;
    }
    return constant(g, type);
}

static Type type_of_set(Random *r, TypeSet set) {
    Type type;
    do type = (Type)pick(r, N_TYPES);
    while (!type_in(type, set));
    return type;
}

// Opcodes whose value follows from their operands. What shows a NaN's sign is left out: passes may change it.
static bool usable(Op op) {
    const OpInfo *info = &op_info[op];
    if (info->flags & (OPF_can_load | OPF_can_store | OPF_other_effect | OPF_terminator | OPF_call | OPF_variadic))
        return false;
    return info->n_args && info->n_results && op != OP_bitcast && op != OP_fcopysign;
}

static Op random_op(Random *r) {
    Op op;
    do op = (Op)pick(r, N_OPS);
    while (!usable(op));
    return op;
}

// md/ir.md lists opcodes by family, and rules mostly stay in one.
static Op related_op(Random *r, Op op) {
    int near = (int)op + (int)pick(r, 9) - 4;
    return pick(r, 3) && near >= 0 && near < N_OPS && usable((Op)near) ? (Op)near : random_op(r);
}

static bool type_fits(const OpInfo *info, Type control, Type arg) {
    if (info->when == WHEN_ARG_NARROWER) return type_bits(arg) < type_bits(control);
    if (info->when == WHEN_ARG_WIDER) return type_bits(arg) > type_bits(control);
    return true;
}

static void random_inst(Gen *g) {
    Op op = g->narrow ? g->ops[pick(&g->r, 3)] : random_op(&g->r);
    const OpInfo *info = &op_info[op];
    Type control = info->types ? type_of_set(&g->r, info->types) : T_none;
    if (g->narrow && info->when == WHEN_ANY && type_in(g->type, info->types) && pick(&g->r, 8)) control = g->type;
    if (type_is_float(control) && info->types == (TS_int | TS_float) && op != OP_select) return; // bits of a NaN
    Value args[OP_MAX_ARGS];
    for (unsigned k = 0; k < info->n_args; k++) {
        Type type = control;
        if (info->args[k].rule == TR_FREE) type = type_of_set(&g->r, info->args[k].set);
        if (info->args[k].rule == TR_FIXED) type = type_of_set(&g->r, info->args[k].set);
        if (info->args[k].rule == TR_FREE && !type_fits(info, control, type)) return;
        args[k] = operand(g, type);
    }
    InstData data = {.op = op, .type = (uint8_t)control, .srcloc = NONE};
    if (info->format == FMT_int_compare) data.code = (uint8_t)pick(&g->r, N_ICC);
    if (info->format == FMT_float_compare) data.code = (uint8_t)pick(&g->r, N_FCC);
    if (op == OP_uadd_overflow_trap) data.code = 7;
    Inst made = ir_insert(&g->b, &data, args, info->n_args);
    for (unsigned k = 0; k < info->n_results; k++) vec_push(g->b.f->arena, &g->pool, inst_result(g->b.f, made, k));
}

enum { N_PARAMS = 6, N_RETURNS = 8 };
static const Type param_types[N_PARAMS] = {T_i64, T_i32, T_i16, T_i8, T_f64, T_f32};

// A diamond and a loop-free tail, so that blocks and their parameters take part.
static Func *random_func(Ctx *ctx, uint64_t seed) {
    Func *f = func_new(ctx);
    Gen g = {.r = {seed}, .b = {.f = f, .srcloc = NONE}};
    f->name = (ExtName){.kind = NAME_TEXT, .text = "random"};
    f->sig = (Sig){.params = NEW_ARRAY(f->arena, AbiParam, N_PARAMS), .n_params = N_PARAMS, .declared = true};
    g.narrow = seed % 2;
    g.type = type_of_set(&g.r, TS_int);
    for (unsigned k = 0; k < 3; k++) g.ops[k] = related_op(&g.r, k ? g.ops[0] : random_op(&g.r));
    Block entry = block_new(f);
    block_append(f, entry);
    for (unsigned k = 0; k < N_PARAMS; k++) {
        f->sig.params[k].type = (uint8_t)param_types[k];
        vec_push(f->arena, &g.pool, block_add_param(f, entry, param_types[k]));
    }
    g.b.at = entry;
    for (unsigned n = pick(&g.r, 12); n; n--) random_inst(&g);
    Block arms[2] = {block_new(f), block_new(f)};
    Block end = block_new(f);
    Value condition = operand(&g, type_of_set(&g.r, TS_int));
    ir_brif(&g.b, condition, arms[0], NULL, 0, arms[1], NULL, 0);
    uint32_t kept = g.pool.n;
    Type joined = type_of_set(&g.r, TS_int);
    for (unsigned k = 0; k < 2; k++) {
        block_append(f, arms[k]);
        g.b.at = arms[k];
        g.pool.n = kept;
        for (unsigned n = pick(&g.r, 4); n; n--) random_inst(&g);
        Value arg = operand(&g, joined);
        ir_jump(&g.b, end, &arg, 1);
    }
    block_append(f, end);
    g.b.at = end;
    g.pool.n = kept;
    vec_push(f->arena, &g.pool, block_add_param(f, end, joined));
    for (unsigned n = pick(&g.r, 16); n; n--) random_inst(&g);
    Value returned[N_RETURNS];
    f->sig.results = NEW_ARRAY(f->arena, AbiParam, N_RETURNS);
    f->sig.n_results = N_RETURNS;
    for (unsigned k = 0; k < N_RETURNS; k++) {
        returned[k] = g.pool.v[g.pool.n - 1 - pick(&g.r, g.pool.n < 16 ? g.pool.n : 16)];
        f->sig.results[k].type = (uint8_t)value_type(f, returned[k]);
    }
    ir_return(&g.b, returned, N_RETURNS);
    return f;
}

// ---- the same before and after -------------------------------------------------------------------

typedef struct Outcome {
    IrInterpStatus status;
    uint8_t trap;
    uint64_t results[N_RETURNS];
} Outcome;

static Outcome run(Func *f, const uint64_t *args) {
    Outcome out = {0};
    Arena *arena = arena_new(f->ctx);
    IrInterpOptions options = {.host = {.call = ir_interp_libcall}};
    IrInterp *interp = ir_interp_new(arena, &f, 1, &options);
    out.status = ir_interp_call(interp, f, args, out.results);
    if (out.status == IR_INTERP_TRAP) out.trap = ir_interp_trap(interp);
    arena_free(arena);
    return out;
}

static bool is_nan(Type type, uint64_t bits) {
    if (type == T_f32) return (bits & 0x7fffffff) > 0x7f800000;
    return type == T_f64 && (bits & UINT64_C(0x7fffffffffffffff)) > UINT64_C(0x7ff0000000000000);
}

static bool same_outcome(const Func *f, const Outcome *a, const Outcome *b) {
    if (a->status != b->status || a->trap != b->trap) return false;
    if (a->status != IR_INTERP_OK) return true;
    for (unsigned k = 0; k < N_RETURNS; k++) {
        Type type = (Type)f->sig.results[k].type;
        if (is_nan(type, a->results[k]) && is_nan(type, b->results[k])) continue;
        if (a->results[k] != b->results[k]) return false;
    }
    return true;
}

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
    case OP_fcvt_from_uint: return false;
    case OP_umulhi:
    case OP_smulhi: return control == T_i64;
    case OP_clz:
    case OP_ctz:
    case OP_bswap:
    case OP_fcvt_to_sint_sat: return word;
    case OP_fcvt_from_sint: return operand == T_i32 || operand == T_i64;
    default: return true;
    }
}

static void check_seed(Ctx *ctx, uint64_t seed, const PassOptions *options) {
    Func *f = random_func(ctx, seed);
    Buf before = buf_new(f->arena);
    ir_write(f, &before);
    ck_assert_msg(verify_func(f), "seed %llu does not verify:\n%s", (unsigned long long)seed, buf_str(&before));
    uint64_t args[4][N_PARAMS];
    Outcome expected[4];
    Random r = {seed ^ 0x5555};
    for (unsigned k = 0; k < 4; k++) {
        for (unsigned p = 0; p < N_PARAMS; p++)
            args[k][p] = type_is_int(param_types[p]) ? interesting(&r, param_types[p]) : float_bits(&r, param_types[p]);
        expected[k] = run(f, args[k]);
    }
    passes_run(f, options);
    for (unsigned k = 0; k < 4; k++) {
        Outcome got = run(f, args[k]);
        if (same_outcome(f, &expected[k], &got)) continue;
        Buf after = buf_new(f->arena);
        ir_write(f, &after);
        ck_abort_msg("seed %llu, arguments %u: another result\n%s\n%s", (unsigned long long)seed, k, buf_str(&before),
                     buf_str(&after));
    }
    arena_free(f->arena);
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

static void in_context(void (*body)(Ctx *ctx, void *arg), void *arg) {
    Ctx *ctx = test_context();
    vtr_status status = ctx_try(ctx, body, arg);
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(ctx, 0, &info);
    ck_assert_msg(status == VTR_OK, "%s: %s", vtr_status_name(status), info.message ? info.message : "");
    vtr_context_free(ctx);
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

static void run_example(Ctx *ctx, void *arg) {
    const Example *example = arg;
    Arena *arena = arena_new(ctx);
    IrFile *file = ir_read(arena, example->name, example->before, strlen(example->before), CC_SYSTEM_V);
    Func *f = file->funcs.v[0];
    PassOptions options = {.level = OPT_SPEED, .verify = true, .fuel = UINT64_MAX};
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
    for (size_t k = 0; k < sizeof examples / sizeof *examples; k++) in_context(run_example, (void *)&examples[k]);
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
