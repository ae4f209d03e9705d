// The simulator: single instructions, what stops a machine, host functions, code that comes and goes.
#include <string.h>

#include "compile/compile.h"
#include "jit/jit.h"
#include "unit.h"
#include "x86_64.h"

// ---- single instructions of one machine ----------------------------------------------------------

static SimEvent step(SimState *s, const char *bytes, size_t n) {
    return sim_step(&target_x86_64, s, (const uint8_t *)bytes, n, target_all_features(&target_x86_64));
}
#define STEP(s, bytes) step(s, bytes, sizeof(bytes) - 1)
#define WORD(s, name) ((s).r[X86_64_REG_##name].w[0])
#define FLAGS(s) ((s).r[X86_64_REG_EFLAGS])
enum { CF = 1, PF = 2, AF = 4, ZF = 8, SF = 16, OF = 32 };

START_TEST(views_and_flags) {
    SimState s = {.pc = 100};
    WORD(s, rax) = UINT64_C(0x11223344556677ff);
    WORD(s, rcx) = 1;
    ck_assert_int_eq(STEP(&s, "\x00\xc8"), SIM_NONE); // addb %cl, %al keeps the rest
    ck_assert_uint_eq(WORD(s, rax), UINT64_C(0x1122334455667700));
    ck_assert_uint_eq(FLAGS(s).w[0], CF | PF | AF | ZF);
    ck_assert_uint_eq(FLAGS(s).w[1], 0);
    ck_assert_uint_eq(s.pc, 102);
    ck_assert_int_eq(STEP(&s, "\x21\xc8"), SIM_NONE); // andl %ecx, %eax clears the rest
    ck_assert_uint_eq(WORD(s, rax), 0);
    ck_assert_uint_eq(FLAGS(s).w[0], PF | ZF);
    ck_assert_uint_eq(FLAGS(s).w[1], AF);
}
END_TEST

// Right sides see the state before: of two assignments to one register the later stands.
START_TEST(assignments_are_at_the_end) {
    uint64_t stack[2] = {0, UINT64_C(0x123456789)};
    SimState s = {0};
    WORD(s, rsp) = (uint64_t)(uintptr_t)&stack[1];
    ck_assert_int_eq(STEP(&s, "\x54"), SIM_NONE); // pushq %rsp
    ck_assert_uint_eq(stack[0], (uint64_t)(uintptr_t)&stack[1]);
    ck_assert_uint_eq(WORD(s, rsp), (uint64_t)(uintptr_t)&stack[0]);
    WORD(s, rsp) += 8;
    ck_assert_int_eq(STEP(&s, "\x5c"), SIM_NONE); // popq %rsp
    ck_assert_uint_eq(WORD(s, rsp), UINT64_C(0x123456789));
    WORD(s, rax) = UINT64_C(0xfedcba9876543210);
    WORD(s, rdx) = 16;
    ck_assert_int_eq(STEP(&s, "\x48\xf7\xe2"), SIM_NONE); // mulq %rdx: also an output
    ck_assert_uint_eq(WORD(s, rax), UINT64_C(0xedcba98765432100));
    ck_assert_uint_eq(WORD(s, rdx), 15);
}
END_TEST

START_TEST(undefined_values_are_known_as_such) {
    SimState s = {0};
    WORD(s, rax) = 3;
    ck_assert_int_eq(STEP(&s, "\x0f\xaf\xc0"), SIM_NONE); // imull %eax, %eax leaves ZF undefined
    ck_assert_uint_eq(WORD(s, rax), 9);
    ck_assert_uint_eq(FLAGS(s).w[1], ZF | SF | PF | AF);
    ck_assert_int_eq(STEP(&s, "\x0f\x90\xc1"), SIM_NONE); // seto %cl
    s.pc = 7;
    ck_assert_int_eq(STEP(&s, "\x0f\x94\xc1"), SIM_UNDEFINED_FLAG); // sete %cl
    ck_assert_uint_eq(s.pc, 7);
    WORD(s, rcx) = 0;
    ck_assert_int_eq(STEP(&s, "\x0f\xbc\xc1"), SIM_NONE); // bsfl %ecx, %eax of 0
    ck_assert(regset_has(s.unknown, X86_64_REG_rax));
    ck_assert_int_eq(STEP(&s, "\x0f\x94\xc1"), SIM_NONE); // ZF is defined now
    ck_assert(!regset_has(s.unknown, X86_64_REG_rax));
    ck_assert_uint_eq(WORD(s, rcx), 1);
}
END_TEST

START_TEST(faults_change_nothing) {
    SimState s = {.pc = 50};
    WORD(s, rax) = 1;
    WORD(s, rdx) = 5;
    SimState before = s;
    ck_assert_int_eq(STEP(&s, "\xf7\xf1"), SIM_FAULT); // divl %ecx by 0
    ck_assert_int_eq(s.code, TRAP_int_divz);
    ck_assert_mem_eq(s.r, before.r, sizeof s.r);
    ck_assert_uint_eq(s.pc, 50);
    WORD(s, rcx) = 5;
    ck_assert_int_eq(STEP(&s, "\xf7\xf1"), SIM_FAULT); // the quotient does not fit
    ck_assert_int_eq(s.code, TRAP_int_ovf);
    WORD(s, rcx) = 6;
    ck_assert_int_eq(STEP(&s, "\xf7\xf1"), SIM_NONE);
    ck_assert_uint_eq(WORD(s, rax), ((UINT64_C(5) << 32) + 1) / 6);
    WORD(s, rdx) = 0;
    ck_assert_int_eq(STEP(&s, "\xf7\xf9"), SIM_NONE); // idivl %ecx
    WORD(s, rax) = UINT64_C(0x80000000);
    WORD(s, rdx) = UINT32_MAX;
    WORD(s, rcx) = UINT32_MAX;
    ck_assert_int_eq(STEP(&s, "\xf7\xf9"), SIM_FAULT); // MIN / -1
    ck_assert_int_eq(s.code, TRAP_int_ovf);
    ck_assert_int_eq(STEP(&s, "\x0f\x0b"), SIM_TRAP);      // ud2
    ck_assert_int_eq(STEP(&s, "\x0f\xff"), SIM_UNDEFINED); // no instruction of the description
    ck_assert_int_eq(STEP(&s, "\xf7"), SIM_UNDEFINED);     // half of one
    const uint8_t popcnt[] = "\xf3\x0f\xb8\xc1";
    ck_assert_int_eq(sim_step(&target_x86_64, &s, popcnt, 4, UINT64_MAX), SIM_NONE);
    ck_assert_int_eq(sim_step(&target_x86_64, &s, popcnt, 4, 0), SIM_UNDEFINED);
}
END_TEST

static void check_nan(uint64_t a, uint64_t b, const char *code, uint64_t want) {
    SimState s = {0};
    WORD(s, xmm0) = a;
    WORD(s, xmm1) = b;
    ck_assert_int_eq(step(&s, code, 4), SIM_NONE);
    ck_assert_uint_eq(WORD(s, xmm0), want);
}

START_TEST(nans_are_the_machines) {
    uint64_t infinity = UINT64_C(0x7ff0000000000000);
    uint64_t quiet = UINT64_C(0xfff8000000000123);
    uint64_t signalling = UINT64_C(0x7ff0000000000456);
    static const char addsd[] = "\xf2\x0f\x58\xc1";
    static const char subsd[] = "\xf2\x0f\x5c\xc1";
    check_nan(infinity, infinity, subsd, UINT64_C(0xfff8000000000000));
    check_nan(quiet, signalling, addsd, quiet);
    check_nan(signalling, quiet, addsd, UINT64_C(0x7ff8000000000456));
    check_nan(infinity, signalling, addsd, UINT64_C(0x7ff8000000000456));
}
END_TEST

// ---- functions, on every machine -------------------------------------------------------------------

typedef struct Env {
    Ctx *ctx;
    Arena *arena;
    Jit *jit;
    const Target *target;
    bool simulate;
    uint64_t fuel;
    VEC(Func *) funcs;
    unsigned calls;
    uint64_t seen[16];
} Env;
typedef void Body(Env *env);
typedef struct Run {
    Body *body;
    Env env;
} Run;

static void with_jit(Ctx *ctx, void *arg) {
    Run *run = arg;
    Env env = run->env;
    env.ctx = ctx;
    env.arena = arena_new(ctx);
    JitOptions options = {.simulate = env.simulate, .features = target_all_features(env.target), .fuel = env.fuel};
    env.jit = jit_new(env.arena, env.target, &options);
    run->body(&env);
    arena_free(env.arena);
}

static void run_on(Body *body, const Target *target, bool simulate, uint64_t fuel) {
    Ctx *ctx = test_context();
    Run run = {body, {.target = target, .simulate = simulate, .fuel = fuel}};
    vtr_status status = ctx_try(ctx, with_jit, &run);
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(ctx, 0, &info);
    ck_assert_msg(status == VTR_OK, "%s: %s: %s", target->name, vtr_status_name(status), info.message);
    vtr_context_free(ctx);
}

static void run_simulated(Body *body, uint64_t fuel) {
    for (const Target *const *t = targets_all; *t; t++)
        if ((*t)->sim) run_on(body, *t, true, fuel);
}

static void add(Env *env, const char *text) {
    IrFile *file = ir_read(env->arena, "test", text, strlen(text), CC_SYSTEM_V);
    for (uint32_t k = 0; k < file->funcs.n; k++) {
        Func *f = file->funcs.v[k];
        CompileOptions options = {.target = env->target, .opt = OPT_SPEED};
        vec_push(env->arena, &env->funcs, f);
        jit_declare_callees(env->jit, f);
        jit_add(env->jit, compile_func(env->arena, f, &options));
    }
    jit_publish(env->jit);
}

static const Sig *sig_of(const Env *env, const char *name) {
    for (uint32_t k = env->funcs.n; k-- > 0;)
        if (!strcmp(env->funcs.v[k]->name.text, name)) return &env->funcs.v[k]->sig;
    ck_abort_msg("no function %s", name);
}

static vtr_status call(Env *env, const char *name, const uint64_t *args, uint64_t *results) {
    JitActivation activation = {0};
    return jit_call(env->jit, jit_find(env->jit, name_of(name)), sig_of(env, name), args, results, &activation);
}

typedef struct Throwing {
    Env *env;
    const char *name;
} Throwing;
static void throwing_body(Ctx *ctx, void *arg) {
    (void)ctx;
    Throwing *t = arg;
    uint64_t zeros[8] = {0};
    call(t->env, t->name, zeros, zeros);
}

// Calls a function that stops the machine.
static void check_stop(Env *env, const char *name, vtr_status want, const char *text) {
    Throwing t = {env, name};
    uint64_t mark = sim_mark(jit_sim(env->jit));
    ck_assert_int_eq(ctx_try(env->ctx, throwing_body, &t), want);
    vtr_diagnostic_info info = {0};
    ck_assert(vtr_diagnostic(env->ctx, 0, &info));
    ck_assert_msg(strstr(info.message, text) && strstr(info.message, name), "%s", info.message);
    vtr_diagnostics_clear(env->ctx);
    ck_assert_uint_eq(sim_mark(jit_sim(env->jit)), mark);
}

static void stops(Env *env) {
    add(env,
        "function %break() {\nblock0:\n    debugtrap\n    return\n}\n"
        "function %wild(i64) {\n    sig0 = () system_v\nblock0(v0: i64):\n    call_indirect sig0, v0()\n    return\n}\n"
        "function %fine(i64) -> i64 {\nblock0(v0: i64):\n    return v0\n}\n");
    check_stop(env, "break", VTR_ERR_INTERNAL, "breakpoint at %break+0x");
    Throwing t = {env, "wild"};
    ck_assert_int_eq(ctx_try(env->ctx, throwing_body, &t), VTR_ERR_INTERNAL);
    vtr_diagnostics_clear(env->ctx);
    uint64_t x = 77;
    uint64_t got;
    ck_assert_int_eq(call(env, "fine", &x, &got), VTR_OK);
    ck_assert_uint_eq(got, 77);
}
START_TEST(stops_have_a_place) { run_simulated(stops, 0); }
END_TEST

static void endless(Env *env) {
    add(env, "function %endless() {\nblock0:\n    jump block0\n}\n");
    check_stop(env, "endless", VTR_ERR_LIMIT, "the limit of instructions was reached at %endless");
    ck_assert_uint_eq(sim_instructions(jit_sim(env->jit)), 100000);
}
START_TEST(fuel_ends) { run_simulated(endless, 100000); }
END_TEST

// ---- host functions ---------------------------------------------------------------------------------

static void record(void *ctx, const uint64_t *args, uint64_t *results) {
    Env *env = ctx;
    env->calls++;
    memcpy(env->seen, args, sizeof env->seen);
    for (unsigned k = 0; k < 6; k++) results[k] = 1000 + k;
    float f = 0.25f;
    double d = -2.5;
    memcpy(&results[1], &f, sizeof f);
    memcpy(&results[2], &d, sizeof d);
    results[3] = 0xffff80; // an i8: the low byte counts
}

// Arguments of every type, in registers and on the stack; more results than there are registers for.
static void words(Env *env) {
    static const char types[] = "i8, i64, f32, f64, i16, i32, i64, i64, f64, f32, i64, i8, i64, i64, i16, i64";
    static const char results[] = "i64, f32, f64, i8, i64, i32";
    Buf b = buf_new(env->arena);
    buf_printf(&b, "function %%f(%s) -> %s {\n    fn0 = %%record(%s) -> %s\nblock0(", types, results, types, results);
    const char *type = types;
    for (unsigned k = 0; k < 16; k++, type += strcspn(type, " ") + 1)
        buf_printf(&b, "%sv%u: %.*s", k ? ", " : "", k, (int)strcspn(type, ","), type);
    buf_text(&b, "):\n    v100, v101, v102, v103, v104, v105 = call fn0(");
    for (unsigned k = 0; k < 16; k++) buf_printf(&b, "%sv%u", k ? ", " : "", k);
    // The frame is whole after the call.
    buf_text(&b, ")\n    v106 = iadd v100, v1\n    v107 = iadd v104, v15\n"
                 "    return v106, v101, v102, v103, v107, v105\n}\n");
    const char *text = buf_str(&b);
    IrFile *file = ir_read(env->arena, "test", text, strlen(text), CC_SYSTEM_V);
    jit_define_host(env->jit, name_of("record"), &file->funcs.v[0]->sig, record, env);
    add(env, text);
    uint64_t args[16];
    uint64_t got[6];
    for (unsigned k = 0; k < 16; k++) args[k] = UINT64_C(0x8091a2b3c4d5e6f7) * (k + 1);
    ck_assert_int_eq(call(env, "f", args, got), VTR_OK);
    ck_assert_uint_eq(env->calls, 1);
    static const unsigned bits[] = {8, 64, 32, 64, 16, 32, 64, 64, 64, 32, 64, 8, 64, 64, 16, 64};
    for (unsigned k = 0; k < 16; k++) ck_assert_uint_eq(env->seen[k], args[k] & UINT64_MAX >> (64 - bits[k]));
    ck_assert_uint_eq(got[0], 1000 + args[1]);
    ck_assert_uint_eq(got[1], 0x3e800000);
    ck_assert_uint_eq(got[2], UINT64_C(0xc004000000000000));
    ck_assert_uint_eq(got[3], 0x80);
    ck_assert_uint_eq(got[4], 1004 + args[15]);
    ck_assert_uint_eq(got[5], 1005);
}
START_TEST(host_functions_take_words) {
    run_on(words, target_host(), false, 0);
    run_simulated(words, 0);
}
END_TEST

static double mixed(int8_t a, float b, uint64_t c, double d, int32_t e, int64_t f, int16_t g, uint8_t h, int64_t i,
                    float j) {
    return a + 2 * b + 3 * (double)c + 4 * d + 5 * e + 6 * (double)f + 7 * g + 8 * h + 9 * (double)i + 10 * j;
}

// Any C function, called by what was declared of it.
static void c_functions(Env *env) {
    jit_define_symbol(env->jit, name_of("mixed"), (void *)(uintptr_t)mixed);
    add(env, "function %f(f32, f64, i64) -> f64 {\n"
             "    fn0 = %mixed(i8 sext, f32, i64, f64, i32, i64, i16 sext, i8 uext, i64, f32) -> f64\n"
             "block0(v0: f32, v1: f64, v2: i64):\n    v3 = iconst.i8 -3\n    v4 = iconst.i32 -70000\n"
             "    v5 = iconst.i16 -300\n    v6 = iconst.i8 200\n    v7 = iconst.i64 11\n"
             "    v8 = call fn0(v3, v0, v2, v1, v4, v7, v5, v6, v2, v0)\n    return v8\n}\n");
    float f = 1.5f;
    double d = -4.25;
    uint64_t args[3] = {0, 0, 1000};
    uint64_t bits;
    memcpy(&args[0], &f, sizeof f);
    memcpy(&args[1], &d, sizeof d);
    ck_assert_int_eq(call(env, "f", args, &bits), VTR_OK);
    double got;
    memcpy(&got, &bits, sizeof got);
    ck_assert_double_eq(got, mixed(-3, f, 1000, d, -70000, 11, -300, 200, 1000, f));
}
START_TEST(c_functions_are_called_as_declared) {
    run_on(c_functions, target_host(), false, 0);
    run_simulated(c_functions, 0);
}
END_TEST

// A host function that runs the machine again, which throws, and catches that: the caller notices nothing.
static void catches(void *ctx, const uint64_t *args, uint64_t *results) {
    Env *env = ctx;
    bool inner = env->calls++ > 0;
    Throwing t = {env, inner ? "break" : "again"};
    uint64_t mark = sim_mark(jit_sim(env->jit));
    ck_assert_int_eq(ctx_try(env->ctx, throwing_body, &t), VTR_ERR_INTERNAL);
    ck_assert_uint_eq(sim_mark(jit_sim(env->jit)) > mark, 0);
    vtr_diagnostics_clear(env->ctx);
    results[0] = args[0] + 1;
    if (inner) ctx_throw(env->ctx, VTR_ERR_INTERNAL);
}

static void nested(Env *env) {
    AbiParam one = {.type = T_i64};
    Sig sig = {.params = &one, .results = &one, .n_params = 1, .n_results = 1, .declared = true};
    sig.conv = CC_SYSTEM_V;
    jit_define_host(env->jit, name_of("catches"), &sig, catches, env);
    add(env, "function %break() {\nblock0:\n    debugtrap\n    return\n}\n"
             "function %again(i64) -> i64 {\n    fn0 = %catches(i64) -> i64\n"
             "block0(v0: i64):\n    v1 = call fn0(v0)\n    return v1\n}\n"
             "function %f(i64, i64, i64, i64) -> i64 {\n    fn0 = %catches(i64) -> i64\n"
             "block0(v0: i64, v1: i64, v2: i64, v3: i64):\n    v4 = call fn0(v0)\n"
             "    v5 = iadd v4, v1\n    v6 = imul v5, v2\n    v7 = bxor v6, v3\n    return v7\n}\n");
    uint64_t args[4] = {5, 6, 7, 8};
    uint64_t got;
    uint64_t mark = sim_mark(jit_sim(env->jit));
    ck_assert_int_eq(call(env, "f", args, &got), VTR_OK);
    ck_assert_uint_eq(got, ((5 + 1 + 6) * 7) ^ 8);
    ck_assert_uint_eq(env->calls, 2);
    ck_assert_uint_eq(sim_mark(jit_sim(env->jit)), mark);
}
START_TEST(what_is_thrown_through_a_run_leaves_the_caller_whole) { run_simulated(nested, 0); }
END_TEST

// ---- code that goes -----------------------------------------------------------------------------------

static void replace(Env *env) {
    void *first = NULL;
    jit_publish(env->jit);
    uint64_t zero = 0;
    uint64_t got = 0;
    for (unsigned k = 1; k < 20; k++) {
        add(env,
            arena_printf(env->arena,
                         "function %%f(i64) -> i64 {\nblock0(v0: i64):\n    v1 = iadd_imm v0, %u\n    return v1\n}\n",
                         k * 37));
        void *at = jit_find(env->jit, name_of("f"));
        ck_assert_int_eq(call(env, "f", &zero, &got), VTR_OK);
        ck_assert_uint_eq(got, k * 37);
        jit_free_function(env->jit, name_of("f"));
        if (!first) first = at;
        ck_assert_ptr_eq(at, first);
    }
}
START_TEST(freed_code_is_forgotten) { run_simulated(replace, 0); }
END_TEST

// ---- far apart ------------------------------------------------------------------------------------------

// A function of more than 1 MiB that uses constants, jump tables and branches at both of its ends. What is in between
// only takes up room: %far jumps over it, forwards and backwards.
static void far_apart(Env *env) {
    enum { CALLS = 18000, MiB = 1 << 20 };
    Buf b = buf_new(env->arena);
    buf_text(&b, "function %far(i32, i64, i64, i32) -> f64, i64 {\n    fn0 = %never(i64");
    for (unsigned k = 1; k < 16; k++) buf_text(&b, ", i64");
    buf_text(&b, ")\nblock0(v0: i32, v1: i64, v2: i64, v3: i32):\n"
                 "    v4 = f64const 0x1.3333333333333p3\n    br_table v0, block7(v4), [block1(v4), block2, block6]\n"
                 "block1(v5: f64):\n    v6 = f32const 0x1.777776p3\n    v7 = fpromote.f64 v6\n    v8 = fmul v5, v7\n"
                 "    brif v3, block7(v8), block8(v8)\n"
                 "block2:\n");
    for (unsigned k = 0; k < CALLS; k++)
        buf_text(&b, "    call fn0(v1, v2, v1, v2, v1, v2, v1, v2, v1, v2, v1, v2, v1, v2, v1, v2)\n");
    buf_text(&b, "    v9 = fcvt_from_sint.f64 v1\n    jump block8(v9)\n"
                 "block6:\n    v10 = f64const 0x1.5555555555555p-1\n"
                 "    br_table v3, block1(v10), [block7(v10), block8(v10)]\n"
                 "block7(v11: f64):\n    v12 = f32const 0x1.123456p-3\n    v13 = fpromote.f64 v12\n"
                 "    v14 = fadd v11, v13\n    jump block8(v14)\n"
                 "block8(v15: f64):\n    v16 = f64const 0x1.7654321p-5\n    v17 = fadd v15, v16\n"
                 "    v18 = bxor v1, v2\n    return v17, v18\n}\n");
    const char *text = buf_str(&b);
    IrFile *file = ir_read(env->arena, "far", text, strlen(text), CC_SYSTEM_V);
    ck_assert_uint_eq(file->funcs.n, 1);
    CompileOptions options = {.target = env->target, .opt = OPT_SPEED};
    Code *code = compile_func(env->arena, file->funcs.v[0], &options);
    ck_assert_uint_gt(code->n_code, MiB + MiB / 16);
    vec_push(env->arena, &env->funcs, file->funcs.v[0]);
    jit_declare_callees(env->jit, file->funcs.v[0]);
    jit_define_symbol(env->jit, name_of("never"), (void *)(uintptr_t)mixed);
    jit_add(env->jit, code);
    jit_publish(env->jit);
    static const double first = 0x1.3333333333333p3;
    static const double wide = 0x1.777776p3;
    static const double third = 0x1.5555555555555p-1;
    static const double eighth = 0x1.123456p-3;
    static const double last = 0x1.7654321p-5;
    const struct {
        uint64_t at, how;
        double want;
    } cases[] = {{0, 0, first * wide + last},  {0, 1, first * wide + eighth + last}, {2, 0, third + eighth + last},
                 {2, 1, third + last},         {2, 5, third * wide + eighth + last}, {3, 0, first + eighth + last},
                 {9, 0, first + eighth + last}};
    for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) {
        uint64_t args[4] = {cases[k].at, 0x1234, 0xff00, cases[k].how};
        uint64_t bits[2];
        ck_assert_int_eq(call(env, "far", args, bits), VTR_OK);
        double got;
        memcpy(&got, bits, sizeof got);
        ck_assert_double_eq(got, cases[k].want);
        ck_assert_uint_eq(bits[1], 0xff00 ^ 0x1234);
    }
}
START_TEST(functions_may_be_larger_than_the_reach_of_loads) {
    run_on(far_apart, target_host(), false, 0);
    run_simulated(far_apart, 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("sim");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, views_and_flags);
    tcase_add_test(tests, assignments_are_at_the_end);
    tcase_add_test(tests, undefined_values_are_known_as_such);
    tcase_add_test(tests, faults_change_nothing);
    tcase_add_test(tests, nans_are_the_machines);
    tcase_add_test(tests, stops_have_a_place);
    tcase_add_test(tests, fuel_ends);
    tcase_add_test(tests, host_functions_take_words);
    tcase_add_test(tests, c_functions_are_called_as_declared);
    tcase_add_test(tests, what_is_thrown_through_a_run_leaves_the_caller_whole);
    tcase_add_test(tests, freed_code_is_forgotten);
    tcase_add_test(tests, functions_may_be_larger_than_the_reach_of_loads);
    return run_tests("sim", tests);
}
