// The whole pipeline: text to running code, natively and simulated, at both levels, with every allocation proved. What
// is tested is calls, traps, frame walks, tail calls, stack limits and the life of published code.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/compile.h"
#include "jit/jit.h"
#include "unit.h"

typedef struct Env {
    Ctx *ctx;
    Arena *arena;
    Jit *jit;
    OptLevel opt;
    const Target *target;
    bool simulate;
    VEC(Func *) funcs;
} Env;

typedef void (*Body)(Env *env);

typedef struct Run {
    Body body;
    OptLevel opt;
    const Target *target;
    bool simulate;
} Run;

static void with_jit(Ctx *ctx, void *arg) {
    Run *run = arg;
    Env env = {.ctx = ctx, .arena = arena_new(ctx), .opt = run->opt, .target = run->target, .simulate = run->simulate};
    JitOptions options = {.use_dlsym = true, .simulate = run->simulate, .features = target_all_features(run->target)};
    env.jit = jit_new(env.arena, run->target, &options);
    run->body(&env);
    jit_free(env.jit);
    arena_free(env.arena);
}

static void run_level(Body body, OptLevel opt, const Target *target, bool simulate) {
    Ctx *ctx = test_context();
    Run run = {body, opt, target, simulate};
    vtr_status status = ctx_try(ctx, with_jit, &run);
    for (size_t k = 0; k < vtr_diagnostic_count(ctx); k++) {
        vtr_diagnostic_info info;
        vtr_diagnostic(ctx, k, &info);
        fprintf(stderr, "%s:%u: %s\n", info.file ? info.file : "-", info.line, info.message);
    }
    ck_assert_msg(status == VTR_OK, "%s%s at level %d: %s", simulate ? "simulated " : "", target->name, (int)opt,
                  vtr_status_name(status));
    vtr_context_free(ctx);
}

// At both levels, natively and on every machine that can be simulated.
static void run_both(Body body) {
    for (OptLevel opt = OPT_NONE; opt <= OPT_SPEED; opt++) {
        run_level(body, opt, target_host(), false);
        for (const Target *const *t = targets_all; *t; t++)
            if ((*t)->sim) run_level(body, opt, *t, true);
    }
}

#define BOTH(name, body)                                                                                               \
    START_TEST(name) { run_both(body); }                                                                               \
    END_TEST

// What the frame steps say, run along the code: where the return address is as seen from the stack pointer.
typedef struct Unwind {
    int64_t cfa, ret; // from sp to the frame's canonical address; of the return address from there
    bool in_link;     // it is in the link register instead
} Unwind;

static Unwind unwind_entry(const Target *t) {
    bool link = t->conv[CC_SYSTEM_V]->link != NO_REG;
    int64_t word = t->word_bits / 8;
    return link ? (Unwind){0, 0, true} : (Unwind){word, -word, false};
}

static void unwind_step(const Target *t, Unwind *u, Unwind *saved, const FrameStep *step) {
    int64_t word = t->word_bits / 8;
    bool is_link = step->reg == t->conv[CC_SYSTEM_V]->link && step->reg != NO_REG;
    switch (step->kind) {
    case STEP_PUSH: u->cfa += word; break;
    case STEP_POP: u->cfa -= word; break;
    case STEP_ALLOC: u->cfa += step->amount; break;
    case STEP_FREE:
    case STEP_POPPED: u->cfa -= step->amount; break;
    case STEP_RETURN: u->ret = step->amount; break;
    case STEP_SAVE:
        if (!is_link) break;
        u->ret = step->amount - u->cfa;
        u->in_link = false;
        break;
    case STEP_RELOAD: u->in_link |= is_link; break;
    case STEP_ENTRY: *u = unwind_entry(t); break;
    case STEP_REMEMBER: *saved = *u; break;
    case STEP_RESTORE: // behind a return or tail call, where sp is at the return address, or that is in its register
        ck_assert(u->in_link || u->cfa + u->ret == 0);
        *u = *saved;
        break;
    default: break;
    }
}

// Sites and steps tell the same story.
static void check_steps(const Code *code) {
    Unwind u = unwind_entry(code->target);
    Unwind saved = u;
    uint32_t next = 0;
    for (uint32_t k = 0; k < code->sites.n; k++) {
        const CodeSite *site = &code->sites.v[k];
        if (k) ck_assert_uint_gt(site->at, code->sites.v[k - 1].at);
        for (; next < code->steps.n && code->steps.v[next].at < site->at; next++)
            unwind_step(code->target, &u, &saved, &code->steps.v[next]);
        ck_assert(!u.in_link);
        ck_assert_int_eq(site->ret, u.cfa + u.ret);
    }
    for (; next < code->steps.n; next++) unwind_step(code->target, &u, &saved, &code->steps.v[next]);
}

// Compiles and adds every function of a text; does not publish.
static void add_text(Env *env, const char *text) {
    IrFile *file = ir_read(env->arena, "test", text, strlen(text), CC_SYSTEM_V);
    for (uint32_t k = 0; k < file->funcs.n; k++) {
        CompileOptions options = {.target = env->target, .opt = env->opt, .check = true};
        options.features = env->simulate ? target_all_features(env->target) : env->target->host_features();
        vec_push(env->arena, &env->funcs, file->funcs.v[k]);
        const Code *code = compile_func(env->arena, file->funcs.v[k], &options);
        check_steps(code);
        jit_declare_callees(env->jit, file->funcs.v[k]);
        jit_add(env->jit, code);
    }
}

static void load(Env *env, const char *text) {
    add_text(env, text);
    jit_publish(env->jit);
}

static const Sig *sig_of(Env *env, const char *name) {
    for (uint32_t k = env->funcs.n; k-- > 0;)
        if (strcmp(env->funcs.v[k]->name.text, name) == 0) return &env->funcs.v[k]->sig;
    ck_abort_msg("no function %s", name);
}

static vtr_status call(Env *env, const char *name, const uint64_t *args, uint64_t *results, JitActivation *act) {
    void *fn = jit_find(env->jit, name_of(name));
    ck_assert_ptr_nonnull(fn);
    return jit_call(env->jit, fn, sig_of(env, name), args, results, act);
}

// A function of up to three integers and one result that must not trap.
static uint64_t call3(Env *env, const char *name, uint64_t a, uint64_t b, uint64_t c) {
    JitActivation act = {0};
    uint64_t args[3] = {a, b, c};
    uint64_t result[1] = {99};
    ck_assert_int_eq(call(env, name, args, result, &act), VTR_OK);
    return result[0];
}

// ---- plain code --------------------------------------------------------------------------------

static void plain(Env *env) {
    load(env,
         "function %add(i64, i64) -> i64 {\n"
         "block0(v0: i64, v1: i64):\n    v2 = iadd v0, v1\n    return v2\n}\n"
         "function %small(i8, i16) -> i8 {\n"
         "block0(v0: i8, v1: i16):\n    v2 = ireduce.i8 v1\n    v3 = iadd v0, v2\n    return v3\n}\n"
         "function %sum(i64) -> i64 {\n"
         "block0(v0: i64):\n    v1 = iconst.i64 0\n    jump block1(v0, v1)\n"
         "block1(v2: i64, v3: i64):\n    brif v2, block2, block3\n"
         "block2:\n    v4 = iadd v3, v2\n    v5 = iadd_imm v2, -1\n    jump block1(v5, v4)\n"
         "block3:\n    return v3\n}\n"
         "function %fact(i64) -> i64 {\n    fn0 = %fact(i64) -> i64\n"
         "block0(v0: i64):\n    v1 = icmp_imm ule v0, 1\n    brif v1, block1, block2\n"
         "block1:\n    v2 = iconst.i64 1\n    return v2\n"
         "block2:\n    v3 = iadd_imm v0, -1\n    v4 = call fn0(v3)\n    v5 = imul v0, v4\n    return v5\n}\n"
         "function %indexed(i64, i64) -> i64 {\n    ss0 = explicit_slot 40\n    ss1 = explicit_slot 80\n"
         "block0(v0: i64, v1: i64):\n    v2 = stack_addr.i64 ss1\n    v3 = ishl_imm v0, 3\n    v4 = iadd v2, v3\n"
         "    v5 = stack_addr.i64 ss0\n    store v0, v5\n    store v1, v4+8\n    v6 = load.i64 v2+24\n"
         "    v7 = load.i64 v5\n    v8 = iadd v6, v7\n    return v8\n}\n"
         // A table's jump in a loop with calls: the frame stays.
         "function %steps(i64) -> i64 {\n    ss0 = explicit_slot 16\n    fn0 = %add(i64, i64) -> i64\n"
         "block0(v0: i64):\n    v1 = iconst.i64 0\n    v2 = stack_addr.i64 ss0\n    store v1, v2\n    jump block1(v0)\n"
         "block1(v3: i64):\n    v4 = urem_imm v3, 3\n    v5 = ireduce.i32 v4\n    v6 = load.i64 v2\n"
         "    br_table v5, block4, [block2, block3]\n"
         "block2:\n    v7 = iconst.i64 2\n    jump block5(v7)\n"
         "block3:\n    v8 = iconst.i64 7\n    jump block5(v8)\n"
         "block4:\n    v9 = iconst.i64 5\n    jump block5(v9)\n"
         "block5(v10: i64):\n    v11 = call fn0(v6, v10)\n    store v11, v2\n    v12 = iadd_imm v3, -1\n"
         "    brif v12, block1(v12), block6\n"
         "block6:\n    return v11\n}\n"
         "function %table(i32) -> i64 {\n"
         "block0(v0: i32):\n    br_table v0, block4, [block1, block2, block3, block1]\n"
         "block1:\n    v1 = iconst.i64 10\n    return v1\n"
         "block2:\n    v2 = iconst.i64 20\n    return v2\n"
         "block3:\n    v3 = iconst.i64 30\n    return v3\n"
         "block4:\n    v4 = iconst.i64 40\n    return v4\n}\n");
    ck_assert_uint_eq(call3(env, "add", 40, 2, 0), 42);
    ck_assert_uint_eq(call3(env, "add", UINT64_MAX, 2, 0), 1);
    ck_assert_uint_eq(call3(env, "small", 0xabc0 + 250, 0x10a, 0), (0xc0 + 250 + 10) & 255);
    ck_assert_uint_eq(call3(env, "sum", 1000, 0, 0), 500500);
    ck_assert_uint_eq(call3(env, "fact", 20, 0, 0), UINT64_C(2432902008176640000));
    ck_assert_uint_eq(call3(env, "indexed", 2, 100, 0), 102);
    ck_assert_uint_eq(call3(env, "steps", 100, 0, 0), 2 * (100 / 3) + 5 * (100 / 3) + 7 * (100 / 3 + 1));
    static const uint64_t table[] = {10, 20, 30, 10, 40, 40};
    for (unsigned k = 0; k < 6; k++) ck_assert_uint_eq(call3(env, "table", k, 0, 0), table[k]);
    ck_assert_uint_eq(call3(env, "table", UINT32_MAX, 0, 0), 40);
    ck_assert_uint_gt(jit_code_size(env->jit), 0);
}
BOTH(plain_functions, plain)

// f(n arguments, alternating integers and floats) = sum of (k + 1) * argument k, directly and through another function.
static void many_args(Env *env) {
    enum { N = 40 };
    Buf b = buf_new(env->arena);
    for (unsigned outer = 0; outer < 2; outer++) {
        buf_printf(&b, "function %%%s(", outer ? "outer" : "inner");
        for (unsigned k = 0; k < N; k++) buf_printf(&b, "%s%s", k ? ", " : "", k % 2 ? "f64" : "i64");
        buf_text(&b, ") -> i64, f64 {\n");
        if (outer) {
            buf_text(&b, "fn0 = %inner(");
            for (unsigned k = 0; k < N; k++) buf_printf(&b, "%s%s", k ? ", " : "", k % 2 ? "f64" : "i64");
            buf_text(&b, ") -> i64, f64\n");
        }
        buf_text(&b, "block0(");
        for (unsigned k = 0; k < N; k++) buf_printf(&b, "%sv%u: %s", k ? ", " : "", k, k % 2 ? "f64" : "i64");
        buf_text(&b, "):\n");
        if (outer) {
            buf_text(&b, "    v100, v101 = call fn0(");
            for (unsigned k = 0; k < N; k++) buf_printf(&b, "%sv%u", k ? ", " : "", k);
            buf_text(&b, ")\n    v102 = iadd v100, v0\n    v103 = fadd v101, v39\n    return v102, v103\n}\n");
            continue;
        }
        buf_text(&b, "    v100 = iconst.i64 0\n    v101 = f64const 0.0\n");
        for (unsigned k = 0; k < N; k += 2) {
            buf_printf(&b, "    v%u = imul_imm v%u, %u\n    v%u = iadd v%u, v%u\n", 200 + 4 * k, k, k + 1, 102 + k,
                       200 + 4 * k, 100 + k);
            buf_printf(&b, "    v%u = fcvt_from_uint.f64 v%u\n", 202 + 4 * k, k);
            buf_printf(&b, "    v%u = fadd v%u, v%u\n", 103 + k, 101 + k, k + 1);
        }
        buf_printf(&b, "    return v%u, v%u\n}\n", 100 + N, 101 + N);
    }
    load(env, buf_str(&b));
    uint64_t args[N];
    uint64_t want = 0;
    double fwant = 0;
    for (unsigned k = 0; k < N; k++) {
        double x = 0.5 * k;
        args[k] = 1000 + k * k;
        if (k % 2) memcpy(&args[k], &x, sizeof x);
        if (k % 2) fwant += x;
        else want += args[k] * (k + 1);
    }
    uint64_t results[2];
    JitActivation act = {0};
    ck_assert_int_eq(call(env, "inner", args, results, &act), VTR_OK);
    double got;
    memcpy(&got, &results[1], sizeof got);
    ck_assert_uint_eq(results[0], want);
    ck_assert(got == fwant);
    ck_assert_int_eq(call(env, "outer", args, results, &act), VTR_OK);
    memcpy(&got, &results[1], sizeof got);
    ck_assert_uint_eq(results[0], want + args[0]);
    ck_assert(got == fwant + 19.5);
}
BOTH(many_arguments, many_args)

// ---- traps -------------------------------------------------------------------------------------

static const char three_deep[] =
    "function %outer(i64) -> i64 {\n    fn0 = %middle(i64) -> i64\n"
    "block0(v0: i64):\n    v1 = call fn0(v0)\n    v2 = iadd v0, v1\n    return v2\n}\n"
    "function %middle(i64) -> i64 {\n    ss0 = explicit_slot 200\n    fn0 = %inner(i64, i64) -> i64\n"
    "block0(v0: i64):\n    v9 = stack_addr.i64 ss0\n    store v0, v9\n    v1 = call fn0(v0, v0)\n"
    "    v2 = load.i64 v9\n    v3 = imul v1, v2\n    return v3\n}\n"
    "function %inner(i64, i64) -> i64 {\n"
    "block0(v0: i64, v1: i64):\n    v2 = iconst.i64 1000\n    v3 = udiv v2, v0\n    trapz v3, user7\n"
    "    v4 = iadd v3, v1\n    return v4\n}\n";

static void check_frames(const JitActivation *act, unsigned trap) {
    static const char *const names[] = {"inner", "middle", "outer"};
    ck_assert_uint_eq(act->trap, trap);
    ck_assert_uint_eq(act->depth, 3);
    ck_assert_uint_eq(act->n_frames, act->max_frames < 3 ? act->max_frames : 3);
    for (unsigned k = 0; k < act->n_frames; k++) ck_assert_str_eq(act->frames[k].func.text, names[k]);
}

static void traps(Env *env) {
    load(env, three_deep);
    JitFrame frames[8];
    JitActivation act = {.frames = frames, .max_frames = 8};
    uint64_t arg = 0;
    uint64_t result;
    for (unsigned k = 0; k < 1000; k++) { // again and again: nothing leaks from the stack
        arg = 0;
        ck_assert_int_eq(call(env, "outer", &arg, &result, &act), VTR_ERR_TRAP);
        check_frames(&act, TRAP_int_divz);
        arg = 1001;
        ck_assert_int_eq(call(env, "outer", &arg, &result, &act), VTR_ERR_TRAP);
        check_frames(&act, 7);
        arg = 10;
        ck_assert_int_eq(call(env, "outer", &arg, &result, &act), VTR_OK);
        ck_assert_uint_eq(result, 10 + 10 * 110);
    }
    act.max_frames = 2;
    arg = 0;
    ck_assert_int_eq(call(env, "outer", &arg, &result, &act), VTR_ERR_TRAP);
    check_frames(&act, TRAP_int_divz);
}
BOTH(traps_list_their_frames, traps)

#if defined(__x86_64__)
// Calls jit_call() with a known value in every register that a C function preserves; returns how many changed.
static unsigned long changed_registers(void (*fn)(void *), void *arg) {
    unsigned long changed;
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushq %%rbp\n\t"
                     "movq %%rsp, %%rbp\n\tandq $-16, %%rsp\n\t"
                     "pushq %%rbp\n\tpushq %%rbp\n\t"
                     "movq $0x1111, %%rbx\n\tmovq $0x2222, %%r12\n\tmovq $0x3333, %%r13\n\t"
                     "movq $0x4444, %%r14\n\tmovq $0x5555, %%r15\n\tmovq $0x6666, %%rbp\n\t"
                     "callq *%1\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "xorq $0x1111, %%rbx\n\torq %%rbx, %%rax\n\txorq $0x2222, %%r12\n\torq %%r12, %%rax\n\t"
                     "xorq $0x3333, %%r13\n\torq %%r13, %%rax\n\txorq $0x4444, %%r14\n\torq %%r14, %%rax\n\t"
                     "xorq $0x5555, %%r15\n\torq %%r15, %%rax\n\txorq $0x6666, %%rbp\n\torq %%rbp, %%rax\n\t"
                     "popq %%rbp\n\tmovq %%rbp, %%rsp\n\tpopq %%rbp\n\tleaq 128(%%rsp), %%rsp\n\t"
                     : "=&a"(changed), "+S"(fn), "+D"(arg)
                     :
                     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc",
                       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                       "xmm12", "xmm13", "xmm14", "xmm15");
    return changed;
}

typedef struct RawCall {
    Env *env;
    vtr_status status;
} RawCall;

static void raw_call(void *arg) {
    RawCall *raw = arg;
    uint64_t in = 5;
    uint64_t out;
    JitActivation act = {0};
    raw->status = call(raw->env, "pressure", &in, &out, &act);
}

// Many values live over a call make the allocator use preserved registers; then the callee traps.
static void preserved(Env *env) {
    Buf b = buf_new(env->arena);
    buf_text(&b, three_deep);
    buf_text(&b, "function %pressure(i64) -> i64 {\n    fn0 = %outer(i64) -> i64\nblock0(v0: i64):\n"
                 "    v1 = iconst.i64 0\n");
    for (unsigned k = 2; k < 22; k++) buf_printf(&b, "    v%u = imul_imm v0, %u\n", k, 3 * k + 1);
    buf_text(&b, "    v100 = call fn0(v1)\n");
    for (unsigned k = 2; k < 22; k++) buf_printf(&b, "    v%u = iadd v%u, v%u\n", 99 + k, 98 + k, k);
    buf_text(&b, "    return v120\n}\n");
    load(env, buf_str(&b));
    RawCall raw = {env, VTR_OK};
    raw_call(&raw); // the thunk is made here
    ck_assert_uint_eq(changed_registers(raw_call, &raw), 0);
    ck_assert_int_eq(raw.status, VTR_ERR_TRAP);
}
BOTH(a_trap_restores_the_hosts_registers, preserved)
#endif

static uint64_t stack_place(const Env *env) {
    return env->simulate ? sim_mark(jit_sim(env->jit)) : (uint64_t)(uintptr_t)__builtin_frame_address(0);
}

static void stack_limit(Env *env) {
    load(env, "function %deep(i64 vmctx, i64) -> i64 {\n    gv0 = vmctx\n"
              "    gv1 = load.i64 notrap aligned gv0+8\n    stack_limit = gv1\n    fn0 = %deep(i64 vmctx, i64) -> i64\n"
              "block0(v0: i64, v1: i64):\n    brif v1, block1, block2\n"
              "block1:\n    v2 = iadd_imm v1, -1\n    v3 = call fn0(v0, v2)\n    v4 = iadd_imm v3, 1\n    return v4\n"
              "block2:\n    v5 = iconst.i64 0\n    return v5\n}\n"
              "function %huge(i64 vmctx) -> i64 {\n    ss0 = explicit_slot 100000000\n    gv0 = vmctx\n"
              "    gv1 = load.i64 notrap aligned gv0+8\n    stack_limit = gv1\n    fn0 = %huge(i64 vmctx) -> i64\n"
              "block0(v0: i64):\n    v1 = stack_addr.i64 ss0\n    store v0, v1\n    v2 = call fn0(v0)\n"
              "    return v2\n}\n");
    uint64_t vmctx[2] = {0, stack_place(env) - 256 * 1024};
    uint64_t args[2] = {(uint64_t)(uintptr_t)vmctx, 100};
    uint64_t result;
    JitFrame frames[3];
    JitActivation act = {.frames = frames, .max_frames = 3};
    ck_assert_int_eq(call(env, "deep", args, &result, &act), VTR_OK);
    ck_assert_uint_eq(result, 100);
    args[1] = UINT64_MAX;
    ck_assert_int_eq(call(env, "deep", args, &result, &act), VTR_ERR_TRAP);
    ck_assert_uint_eq(act.trap, TRAP_stk_ovf);
    ck_assert_uint_gt(act.depth, 1000);
    ck_assert_uint_le(act.depth, 256 * 1024 / 16);
    ck_assert_str_eq(frames[2].func.text, "deep");
    // A frame far larger than what is left is refused before it is touched.
    ck_assert_int_eq(call(env, "huge", args, &result, &act), VTR_ERR_TRAP);
    ck_assert_uint_eq(act.trap, TRAP_stk_ovf);
    ck_assert_uint_eq(act.depth, 1);
    vmctx[1] = UINT64_MAX; // a limit that no stack meets
    ck_assert_int_eq(call(env, "deep", args, &result, &act), VTR_ERR_TRAP);
    ck_assert_uint_eq(act.depth, 1);
}
BOTH(a_stack_limit_traps, stack_limit)

// ---- tail calls --------------------------------------------------------------------------------

// Two functions call each other in tail position with areas of stack arguments of different sizes; 10 million steps.
static void tail_calls(Env *env) {
    enum { FEW = 13, MANY = 21 };
    Buf b = buf_new(env->arena);
    for (unsigned f = 0; f < 2; f++) {
        unsigned n = f ? MANY : FEW;
        unsigned m = f ? FEW : MANY;
        buf_printf(&b, "function %%t%u(", f);
        for (unsigned k = 0; k < n; k++) buf_text(&b, k ? ", i64" : "i64");
        buf_printf(&b, ") -> i64 tail {\n    fn0 = %%t%u(", 1 - f);
        for (unsigned k = 0; k < m; k++) buf_text(&b, k ? ", i64" : "i64");
        buf_text(&b, ") -> i64 tail\nblock0(");
        for (unsigned k = 0; k < n; k++) buf_printf(&b, "%sv%u: i64", k ? ", " : "", k);
        // v0 counts down; the other arguments move one place on, and v1 gains the last.
        buf_printf(&b,
                   "):\n    brif v0, block1, block2\nblock1:\n    v100 = iadd_imm v0, -1\n    v101 = iadd v1, v%u\n"
                   "    v102 = iconst.i64 3\n    return_call fn0(v100, v101",
                   n - 1);
        for (unsigned k = 2; k < m; k++) {
            if (k == 2 || k - 1 >= n) buf_text(&b, ", v102");
            else buf_printf(&b, ", v%u", k - 1);
        }
        buf_text(&b, ")\nblock2:\n    return v1\n}\n");
    }
    buf_text(&b, "function %start(i64) -> i64 {\n    fn0 = %t0(");
    for (unsigned k = 0; k < FEW; k++) buf_text(&b, k ? ", i64" : "i64");
    buf_text(&b,
             ") -> i64 tail\nblock0(v0: i64):\n    v1 = iconst.i64 0\n    v2 = iconst.i64 3\n    v3 = call fn0(v0, v1");
    for (unsigned k = 2; k < FEW; k++) buf_text(&b, ", v2");
    buf_text(&b, ")\n    v4 = call fn0(v0, v3");
    for (unsigned k = 2; k < FEW; k++) buf_text(&b, ", v2");
    buf_text(&b, ")\n    v5 = isub v4, v3\n    v6 = iadd v5, v0\n    return v6\n}\n");
    load(env, buf_str(&b));
    // Step by step the same in C.
    // Enough to overflow any stack, were one used.
    uint64_t most = env->simulate ? 100001 : 10000001;
    for (uint64_t steps = 0; steps <= most; steps = steps * 10 + 1) {
        uint64_t v[MANY];
        uint64_t first = 0;
        for (unsigned round = 0; round < 2; round++) {
            for (unsigned k = 0; k < MANY; k++) v[k] = 3;
            v[1] = round ? first : 0;
            unsigned n = FEW;
            for (uint64_t s = steps; s; s--) {
                unsigned m = n == FEW ? MANY : FEW;
                uint64_t gain = v[n - 1];
                for (unsigned k = m - 1; k > 2; k--) v[k] = k - 1 < n ? v[k - 1] : 3;
                v[2] = 3;
                v[1] += gain;
                n = m;
            }
            if (!round) first = v[1];
        }
        ck_assert_uint_eq(call3(env, "start", steps, 0, 0), v[1] - first + steps);
    }
}
BOTH(tail_calls_need_no_stack, tail_calls)

// A trap in a function that was reached by tail calls which enlarged the argument area.
static void tail_trap(Env *env) {
    load(env, "function %big(i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64) -> i64 tail {\n"
              "block0(v0: i64, v1: i64, v2: i64, v3: i64, v4: i64, v5: i64, v6: i64, v7: i64, v8: i64, v9: i64, "
              "v10: i64, v11: i64, v12: i64, v13: i64, v14: i64):\n    trapz v14, user9\n    return v13\n}\n"
              "function %small(i64) -> i64 tail {\n"
              "    fn0 = %big(i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64) -> i64 tail\n"
              "block0(v0: i64):\n    return_call fn0(v0, v0, v0, v0, v0, v0, v0, v0, v0, v0, v0, v0, v0, v0, v0)\n}\n"
              "function %caller(i64) -> i64 {\n    fn0 = %small(i64) -> i64 tail\n"
              "block0(v0: i64):\n    v1 = call fn0(v0)\n    v2 = iadd v1, v0\n    return v2\n}\n");
    JitFrame frames[4];
    JitActivation act = {.frames = frames, .max_frames = 4};
    uint64_t arg = 0;
    uint64_t result;
    ck_assert_uint_eq(call3(env, "caller", 21, 0, 0), 42);
    ck_assert_int_eq(call(env, "caller", &arg, &result, &act), VTR_ERR_TRAP);
    ck_assert_uint_eq(act.trap, 9);
    ck_assert_uint_eq(act.depth, 2);
    ck_assert_str_eq(frames[0].func.text, "big");
    ck_assert_str_eq(frames[1].func.text, "caller");
}
BOTH(a_trap_walks_over_tail_calls, tail_trap)

// ---- the host's functions ----------------------------------------------------------------------

typedef struct Host {
    uint64_t spare;
    JitActivation *activation;
    Env *env;
    unsigned frames, refs;
    vtr_status inner;
} Host;

static bool move_refs(void *user, const JitFrame *frame) {
    Host *host = user;
    host->frames++;
    for (uint32_t k = 0; k < frame->n_refs; k++, host->refs++) {
        uint64_t ref;
        memcpy(&ref, frame->sp + frame->refs[k], sizeof ref);
        ref += 1000;
        memcpy(frame->sp + frame->refs[k], &ref, sizeof ref);
    }
    return true;
}

static uint64_t collect(Host *host, uint64_t x) {
    host->frames = host->refs = 0;
    jit_walk(host->activation, move_refs, host);
    return x + 1;
}

static const char with_maps[] =
    "function %leaf(i64, i64) -> i64 {\n    ss0 = explicit_slot 16\n    fn0 = %collect(i64, i64) -> i64\n"
    "block0(v0: i64, v1: i64):\n    v2 = stack_addr.i64 ss0\n    store v1, v2+8\n"
    "    v3 = call fn0(v0, v1), stack_map=[i64 @ ss0+8]\n    v4 = load.i64 v2+8\n    v5 = iadd v4, v3\n"
    "    return v5\n}\n"
    "function %root(i64, i64) -> i64 {\n    ss0 = explicit_slot 8\n    ss1 = explicit_slot 24\n"
    "    fn0 = %leaf(i64, i64) -> i64\n"
    "block0(v0: i64, v1: i64):\n    v2 = stack_addr.i64 ss0\n    v3 = stack_addr.i64 ss1\n    store v1, v2\n"
    "    v4 = iadd_imm v1, 5\n    store v4, v3+16\n"
    "    v5 = call fn0(v0, v1), stack_map=[i64 @ ss0+0, i64 @ ss1+16]\n"
    "    v6 = load.i64 v2\n    v7 = load.i64 v3+16\n    v8 = iadd v6, v7\n    v9 = iadd v8, v5\n    return v9\n}\n";

static void stack_maps(Env *env) {
    Host host = {.env = env};
    jit_define_exit(env->jit, name_of("collect"), (void *)(uintptr_t)collect, NULL, env->target->conv[CC_SYSTEM_V],
                    offsetof(Host, activation));
    load(env, with_maps);
    JitActivation act = {0};
    host.activation = &act;
    uint64_t args[2] = {(uint64_t)(uintptr_t)&host, 100};
    uint64_t result;
    ck_assert_int_eq(call(env, "root", args, &result, &act), VTR_OK);
    ck_assert_uint_eq(host.frames, 2);
    ck_assert_uint_eq(host.refs, 3);
    ck_assert_uint_eq(result, (100 + 1000) + (105 + 1000) + (100 + 1000) + 101);
}
BOTH(a_host_function_sees_and_moves_references, stack_maps)

// A host function that runs compiled code which traps, then one that collects: both activations are walked.
static uint64_t nested(Host *host, uint64_t x) {
    JitActivation inner = {.parent = host->activation};
    host->activation = &inner;
    uint64_t args[2] = {(uint64_t)(uintptr_t)host, x};
    uint64_t result = 0;
    ck_assert_int_eq(call(host->env, "root", args, &result, &inner), VTR_OK);
    uint64_t zero = 0;
    host->inner = call(host->env, "outer", &zero, &zero, &inner);
    host->activation = inner.parent;
    return result;
}

static void nesting(Env *env) {
    Host host = {.env = env};
    const Abi *abi = env->target->conv[CC_SYSTEM_V];
    uint32_t offset = offsetof(Host, activation);
    jit_define_exit(env->jit, name_of("collect"), (void *)(uintptr_t)collect, NULL, abi, offset);
    jit_define_exit(env->jit, name_of("nested"), (void *)(uintptr_t)nested, NULL, abi, offset);
    add_text(env, with_maps);
    add_text(env, three_deep);
    load(env, "function %top(i64, i64) -> i64 {\n    ss0 = explicit_slot 8\n    fn0 = %nested(i64, i64) -> i64\n"
              "block0(v0: i64, v1: i64):\n    v2 = stack_addr.i64 ss0\n    store v1, v2\n"
              "    v3 = call fn0(v0, v1), stack_map=[i64 @ ss0+0]\n    v4 = load.i64 v2\n    v5 = iadd v3, v4\n"
              "    return v5\n}\n");
    JitActivation act = {0};
    host.activation = &act;
    uint64_t args[2] = {(uint64_t)(uintptr_t)&host, 100};
    uint64_t result;
    ck_assert_int_eq(call(env, "top", args, &result, &act), VTR_OK);
    ck_assert_uint_eq(host.frames, 3);
    ck_assert_uint_eq(host.refs, 4);
    ck_assert_int_eq(host.inner, VTR_ERR_TRAP);
    ck_assert_uint_eq(result, 1100 + 1105 + 1100 + 101 + 1100);
}
BOTH(activations_nest, nesting)

// ---- symbols and memory ------------------------------------------------------------------------

static uint64_t twice(uint64_t x) { return 2 * x; }
static uint64_t thrice(uint64_t x) { return 3 * x; }

static void *resolve(void *user, ExtName name) {
    ++*(unsigned *)user;
    return strcmp(name.text, "by_callback") == 0 ? (void *)(uintptr_t)thrice : NULL;
}

static void publish(Ctx *ctx, void *arg) {
    (void)ctx;
    jit_publish(arg);
}

static void find_symbols(Env *env) {
    unsigned asked = 0;
    jit_define_symbol(env->jit, name_of("by_table"), (void *)(uintptr_t)twice);
    add_text(env, "function %f(i64) -> i64 {\n    sig0 = (i64) -> i64 system_v\n    fn0 = %by_table(i64) -> i64\n"
                  "    fn1 = %by_callback(i64) -> i64\n    fn2 = %labs(i64) -> i64\n"
                  "block0(v0: i64):\n    v1 = call fn0(v0)\n    v2 = call fn1(v1)\n    v3 = ineg v2\n"
                  "    v4 = call fn2(v3)\n    v5 = func_addr.i64 fn0\n    v6 = call_indirect sig0, v5(v4)\n"
                  "    return v6\n}\n");
    ck_assert_int_eq(ctx_try(env->ctx, publish, env->jit), VTR_ERR_NOT_FOUND);
    vtr_diagnostic_info info;
    ck_assert(vtr_diagnostic(env->ctx, 0, &info));
    ck_assert_ptr_nonnull(strstr(info.message, "%by_callback"));
    ck_assert_uint_eq(vtr_diagnostic_count(env->ctx), 1);
    vtr_diagnostics_clear(env->ctx);
    ck_assert_ptr_null(jit_find(env->jit, name_of("f")));
    jit_set_resolver(env->jit, resolve, &asked);
    jit_publish(env->jit);
    ck_assert_uint_gt(asked, 0);
    ck_assert_uint_eq(call3(env, "f", 7, 0, 0), 7 * 2 * 3 * 2);
}
BOTH(symbols_come_from_table_callback_and_program, find_symbols)

// How many mappings are executable, and that none is writable too.
static unsigned executable_mappings(const void *inside, bool *found) {
    FILE *maps = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(maps);
    char line[512];
    unsigned n = 0;
    *found = false;
    while (fgets(line, sizeof line, maps)) {
        unsigned long from;
        unsigned long to;
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3) continue;
        ck_assert_msg(!(strchr(rights, 'w') && strchr(rights, 'x')), "%s", line);
        bool holds = (uintptr_t)inside >= from && (uintptr_t)inside < to;
        if (strchr(rights, 'x')) n++;
        if (holds) *found = strchr(rights, 'x') != NULL;
    }
    fclose(maps);
    return n;
}

static void memory(Env *env) {
    static const char text[] =
        "function %f(i64) -> i64 {\nblock0(v0: i64):\n    v1 = iadd_imm v0, 1\n    return v1\n}\n";
    bool executable;
    void *first = NULL;
    jit_publish(env->jit); // what the Jit itself needs, apart from what is freed here
    for (unsigned k = 0; k < 300; k++) {
        load(env, text);
        void *f = jit_find(env->jit, name_of("f"));
        if (k < 3) {
            executable_mappings(f, &executable);
            ck_assert_int_eq(executable, !env->simulate);
            ck_assert_uint_eq(call3(env, "f", k, 0, 0), k + 1);
            JitFrame frame;
            ck_assert(jit_lookup(env->jit, (char *)f + 1, &frame));
            ck_assert_str_eq(frame.func.text, "f");
            ck_assert_uint_eq(frame.offset, 1);
        }
        if (k == 0) first = f;
        ck_assert_ptr_eq(f, first); // the place is reused
        ck_assert(jit_free_function(env->jit, name_of("f")));
        ck_assert(!jit_free_function(env->jit, name_of("f")));
        ck_assert_ptr_null(jit_find(env->jit, name_of("f")));
        JitFrame frame;
        ck_assert(!jit_lookup(env->jit, f, &frame));
        if (k < 3) {
            executable_mappings(f, &executable);
            ck_assert(!executable);
        }
    }
}
BOTH(memory_is_never_writable_and_executable_and_is_reused, memory)

static void add_twice(Ctx *ctx, void *arg) {
    (void)ctx;
    add_text(arg, "function %f() {\nblock0:\n    return\n}\nfunction %f() {\nblock0:\n    return\n}\n");
}

static void duplicates(Env *env) {
    ck_assert_int_eq(ctx_try(env->ctx, add_twice, env), VTR_ERR_USAGE);
    vtr_diagnostics_clear(env->ctx);
    jit_publish(env->jit);
    ck_assert_ptr_nonnull(jit_find(env->jit, name_of("f")));
}
BOTH(a_name_is_defined_once, duplicates)

int main(void) {
    TCase *tests = tcase_create("jit");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, plain_functions);
    tcase_add_test(tests, many_arguments);
    tcase_add_test(tests, traps_list_their_frames);
#if defined(__x86_64__)
    tcase_add_test(tests, a_trap_restores_the_hosts_registers);
#endif
    tcase_add_test(tests, a_stack_limit_traps);
    tcase_add_test(tests, tail_calls_need_no_stack);
    tcase_add_test(tests, a_trap_walks_over_tail_calls);
    tcase_add_test(tests, a_host_function_sees_and_moves_references);
    tcase_add_test(tests, activations_nest);
    tcase_add_test(tests, symbols_come_from_table_callback_and_program);
    tcase_add_test(tests, memory_is_never_writable_and_executable_and_is_reused);
    tcase_add_test(tests, a_name_is_defined_once);
    return run_tests("jit", tests);
}
