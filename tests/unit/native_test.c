// Programs through the public interface: machine code against the direct interpreter, at both levels, with and without
// a collector that moves everything at every safepoint; host functions, traps, limits, interrupts, several programs.
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "irgen_modules.h"
#include "program/program.h"
#include "unit.h"

static vtr_context *ctx;
static vtr_bytecode *bytecode;

typedef struct Engine {
    const char *name;
    vtr_backend_options options;
} Engine;

static const Engine engines[] = {
    {"interpreter", {.interpret = true}},
    {"none", {.opt = VTR_OPT_NONE, .check = true}},
    {"speed", {.opt = VTR_OPT_SPEED, .check = true}},
    {"interpreter, stress", {.interpret = true, .gc_stress = true}},
    {"none, stress", {.opt = VTR_OPT_NONE, .gc_stress = true}},
    {"speed, stress", {.opt = VTR_OPT_SPEED, .gc_stress = true}},
};
enum { N_ENGINES = sizeof engines / sizeof *engines };

static void setup(void) { ctx = test_context(); }
static void teardown(void) { vtr_context_free(ctx); }

static void want(vtr_status status) {
    if (status == VTR_OK) return;
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(ctx, 0, &info);
    ck_abort_msg("%s: %s (%u:%u)", vtr_status_name(status), info.message ? info.message : "", info.line, info.column);
}

static void assemble(const char *text) {
    uint8_t *bytes;
    size_t n;
    want(vtr_bytecode_assemble(ctx, "test.vita", text, strlen(text), &bytes, &n));
    want(vtr_bytecode_read(ctx, "test", bytes, n, VTR_ALLOW_LOW, &bytecode));
    vtr_bytes_free(ctx, bytes, n);
}

static vtr_program *compile_with(const vtr_backend_options *options) {
    vtr_backend *backend;
    vtr_program *program;
    want(vtr_backend_new(ctx, options, &backend));
    want(vtr_backend_compile(backend, bytecode, &program));
    vtr_backend_free(backend);
    return program;
}

// ---- every operation --------------------------------------------------------------------------------------------

typedef struct Outcome {
    uint64_t word;
    uint32_t code;
} Outcome;

static void run_index(Ctx *c, void *arg) {
    (void)c;
    void **a = arg;
    vtr_program *program = a[0];
    uint32_t func = *(uint32_t *)a[1];
    Outcome *out = a[3];
    out->code = program->interp ? interp_call(program->interp, func, a[2], &out->word)
                                : program_call_native(program, func, a[2], &out->word);
}

static Outcome run_word(vtr_program *program, uint32_t func, const uint64_t *args) {
    Outcome out = {0, 0};
    void *a[] = {program, &func, (void *)args, &out};
    want(ctx_try(ctx, run_index, a));
    return out;
}

static bool is_nan_word(uint32_t type, uint64_t word) {
    if (type == BC_F32) return (word & 0x7fffffff) > 0x7f800000;
    return type == BC_F64 && (word & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

START_TEST(test_operations) {
    OpsText text = ops_text();
    assemble(text.text);
    vtr_program *direct = compile_with(&engines[0].options);
    vtr_program *native = compile_with(&engines[_i].options);
    const BcModule *m = bytecode;
    for (uint32_t f = 0; f < m->n_funcs; f++) {
        const BcType *sig = bc_type(m, bc_function_sig(m, f));
        uint64_t values[2][OPS_VALUES] = {{0}};
        uint32_t n[2] = {1, 1};
        for (uint32_t p = 0; p < sig->n && p < 2; p++) n[p] = ops_values(sig->params[p], values[p]);
        for (uint32_t k = 0; k < n[0] * n[1]; k++) {
            uint64_t args[2] = {values[0][k / n[1]], values[1][k % n[1]]};
            Outcome a = run_word(direct, f, args);
            Outcome b = run_word(native, f, args);
            bool same = a.code == b.code && (a.code || a.word == b.word ||
                                             (is_nan_word(sig->elem, a.word) && is_nan_word(sig->elem, b.word)));
            ck_assert_msg(same, "function %u(0x%llx, 0x%llx): 0x%llx trap %u, not 0x%llx trap %u", f,
                          (unsigned long long)args[0], (unsigned long long)args[1], (unsigned long long)b.word, b.code,
                          (unsigned long long)a.word, a.code);
        }
    }
    vtr_program_free(direct);
    vtr_program_free(native);
    free(text.text);
}
END_TEST

// ---- whole functions --------------------------------------------------------------------------------------------

static vtr_value make_value(vtr_type type, uint64_t word) {
    vtr_value value = {.type = type};
    value.as.u = word;
    return value;
}

START_TEST(test_functions) {
    assemble(functions_text);
    vtr_program *program = compile_with(&engines[_i].options);
    vtr_program *direct = compile_with(&engines[0].options);
    bool stress = engines[_i].options.gc_stress;
    for (const FunctionCase *c = function_cases; c->name; c++) {
        // Each safepoint of deep recursion walks the whole stack under stress.
        if (stress && c->args[0] >= 10000000 && !strcmp(c->name, "deep")) continue;
        vtr_type types[2], result_type;
        size_t n;
        want(vtr_program_signature(program, c->name, types, 2, &n, &result_type));
        vtr_value args[2] = {make_value(types[0], c->args[0]), make_value(types[1], c->args[1])};
        vtr_value result = {0}, other = {0};
        vtr_status status = vtr_program_run(program, c->name, args, n, &result);
        vtr_status expected = vtr_program_run(direct, c->name, args, n, &other);
        ck_assert_int_eq(status, expected);
        if (!c->trap) {
            want(status);
            ck_assert_msg(result.as.u == c->result, "%s(%lld) = %lld", c->name, (long long)c->args[0],
                          (long long)result.as.i);
            ck_assert_int_eq(result.type, result_type);
            continue;
        }
        vtr_trap trap;
        ck_assert_int_eq(status, VTR_ERR_TRAP);
        ck_assert(vtr_trap_info(program, &trap));
        ck_assert_msg(trap.code == (c->trap > 65535 ? 0 : c->trap), "%s: trap %u", c->name, trap.code);
        ck_assert_str_eq(vtr_trap_text(program), vtr_trap_text(direct));
        if (c->trap == BC_TRAP_STACK) ck_assert(trap.depth > 1000);
    }
    vtr_program_free(program);
    vtr_program_free(direct);
}
END_TEST

// ---- imports ----------------------------------------------------------------------------------------------------

static const char *const host_text =
    ".module \"host\"\n"
    ".type bytes = array u8\n .type cell = struct { value: i64, next: cell }\n"
    ".import fn \"io.println\" (bytes) as println\n"
    ".import fn \"host.mix\" (i8, u16, f32, f64, bool, i64) -> f64 as mix\n"
    ".import fn \"host.again\" (i64, cell) -> i64 as again\n"
    ".import fn \"host.fail\" (i64) -> i64 as fail\n"
    ".import c fn \"c.scale\" (i8, u8, f64, i32) -> f64 as scale\n"
    ".import global \"host.level\": mut i32 as level\n"
    ".string HELLO = \"hello\"\n"
    ".export greet\n.export call_mix\n.export rec\n.export call_fail\n.export call_scale\n.export raise_level\n"
    ".export nested\n.export forever\n.export keep\n.export fill\n"
    ".fn greet()\n .reg t: bytes\n KIDX t, const:HELLO\n CALL _, println, 1 [t]\n RET _\n.end\n"
    ".fn call_mix(a: i8, b: u16, c: f32, d: f64, e: bool, f: i64) -> f64\n .reg r: f64\n"
    " CALL r, mix, 6 [a, b, c, d, e, f]\n RET r\n.end\n"
    // Objects stay reachable through a host function and a nested run.
    ".fn rec(n: i64) -> i64\n .reg c: bool\n .reg z: i64\n .reg p: cell\n .reg q: cell\n .reg r: i64\n .reg one: i64\n"
    " CMP c, n, z, EQ\n JIF c, @end, @more\n end: RET z\n"
    "more: ALOC p, cell\n STF p, .value, n\n ALOC q, cell\n STF q, .next, p\n K32 one, 1\n SUB n, n, one\n"
    " CALL r, again, 2 [n, q]\n LDF p, q, .next\n LDF z, p, .value\n ADD r, r, z\n RET r\n.end\n"
    ".fn call_fail(n: i64) -> i64\n CALL n, fail, 1 [n]\n RET n\n.end\n"
    ".fn nested(n: i64) -> i64\n CALL n, call_fail, 1 [n]\n RET n\n.end\n"
    ".fn call_scale(a: i8, b: u8, x: f64, c: i32) -> f64\n CALL x, scale, 4 [a, b, x, c]\n RET x\n.end\n"
    ".fn raise_level(n: i32) -> i32\n .reg x: i32\n LDG x, level\n ADD x, x, n\n STG level, x\n RET x\n.end\n"
    ".fn forever()\n JMP @top\n top: JMP @top\n.end\n"
    ".export inside\n.fn inside()\n CALL _, forever, 0 []\n RET _\n.end\n"
    ".export tails\n.fn tails()\n TCALL tails, 0 []\n.end\n"
    ".export mutual\n.fn mutual(n: i64)\n TCALL other, 2 [n, n]\n.end\n.fn other(n: i64, m: i64)\n TCALL mutual, 1 "
    "[m]\n"
    ".end\n"
    ".export spin\n.fn spin(n: u8)\n .reg c: bool\n top: BRT n, @top, [@mid]\n mid: SWITCH n, @top, {1: @mid}\n.end\n"
    ".export calls\n.fn calls()\n top: CALL _, nothing, 0 []\n JMP @top\n.end\n.fn nothing()\n RET _\n.end\n"
    ".export deep\n.fn deep(n: i64) -> i64\n .reg one: i64\n .reg c: bool\n .reg z: i64\n CMP c, n, z, EQ\n"
    " JIF c, @end, @more\n end: RET z\n more: K32 one, 1\n SUB n, n, one\n CALL n, deep, 1 [n]\n ADD n, n, one\n RET "
    "n\n"
    ".end\n"
    // A list that cannot fit the heap.
    ".fn keep()\n .reg p: cell\n .reg q: cell\n top: ALOC p, cell\n STF p, .next, q\n MOV q, p\n JMP @top\n.end\n"
    ".fn fill(n: i64) -> bytes\n .reg a: bytes\n .reg i: i64\n .reg c: bool\n .reg b: u8\n .reg one: i64\n K32 one, 1\n"
    " ARR_NEW a, n\n top: CMP c, i, n, LT\n JIF c, @more, @end\n more: CVT b, i\n ARR_SET a, i, b\n ADD i, i, one\n"
    " JMP @top\n end: RET a\n.end\n";

static char written[100];
static size_t n_written;

static bool write_text(void *user, const char *bytes, size_t n) {
    ck_assert_ptr_eq(user, &n_written);
    ck_assert(n_written + n < sizeof written);
    memcpy(written + n_written, bytes, n);
    n_written += n;
    return true;
}

static vtr_status mix(vtr_program *program, void *user, const vtr_value *args, size_t n, vtr_value *result) {
    (void)program;
    ck_assert_ptr_eq(user, written);
    ck_assert_uint_eq(n, 6);
    ck_assert(args[0].type == VTR_I8 && args[1].type == VTR_U16 && args[2].type == VTR_F32 && args[4].type == VTR_BOOL);
    result->as.f64 = (double)args[0].as.i + (double)args[1].as.u + (double)args[2].as.f32 + args[3].as.f64 +
                     (args[4].as.b ? 0.5 : 0) + (double)args[5].as.i;
    return VTR_OK;
}

static vtr_status again(vtr_program *program, void *user, const vtr_value *args, size_t n, vtr_value *result) {
    (void)user;
    (void)n;
    ck_assert(args[1].type == VTR_REF && args[1].as.ref);
    return vtr_program_run(program, "rec", args, 1, result);
}

static vtr_status host_fail(vtr_program *program, void *user, const vtr_value *args, size_t n, vtr_value *result) {
    (void)user;
    (void)n;
    if (args[0].as.i == 0) return VTR_ERR_SYSTEM;
    if (args[0].as.i == 1) return vtr_program_trap(program, 777);
    if (args[0].as.i == 2) { // an inner run traps: hand that on
        vtr_value one = make_value(VTR_I64, 1);
        return vtr_program_run(program, "call_fail", &one, 1, NULL);
    }
    result->as.i = args[0].as.i * 2;
    return VTR_OK;
}

static double scale(int8_t a, uint8_t b, double x, int32_t c) { return (a + b) * x + c; }

static uint64_t level = 40;

static vtr_program *host_program(Engine engine) {
    vtr_backend *backend;
    vtr_program *program;
    engine.options.write = write_text;
    engine.options.write_user = &n_written;
    engine.options.heap_limit = 8 << 20;
    n_written = 0;
    level = 40;
    want(vtr_backend_new(ctx, &engine.options, &backend));
    want(vtr_backend_define(backend, "host.mix", mix, written));
    want(vtr_backend_define(backend, "host.again", again, NULL));
    want(vtr_backend_define(backend, "host.fail", host_fail, NULL));
    want(vtr_backend_define_c(backend, "c.scale", (void (*)(void))scale));
    want(vtr_backend_define_global(backend, "host.level", &level));
    want(vtr_backend_compile(backend, bytecode, &program));
    vtr_backend_free(backend);
    return program;
}

START_TEST(test_host) {
    assemble(host_text);
    vtr_program *program = host_program(engines[_i]);
    vtr_value result;
    want(vtr_program_run(program, "greet", NULL, 0, &result));
    ck_assert_int_eq(result.type, VTR_VOID);
    ck_assert(n_written == 6 && !memcmp(written, "hello\n", 6));
    vtr_value args[6] = {make_value(VTR_I8, NEG(3)),         make_value(VTR_U16, 60000),
                         {.type = VTR_F32, .as.f32 = 0.25f}, {.type = VTR_F64, .as.f64 = 1e6},
                         {.type = VTR_BOOL, .as.b = true},   make_value(VTR_I64, NEG(7))};
    want(vtr_program_run(program, "call_mix", args, 6, &result));
    ck_assert_double_eq(result.as.f64, -3 + 60000 + 0.25 + 1e6 + 0.5 - 7);
    vtr_value n = make_value(VTR_I64, 30);
    want(vtr_program_run(program, "rec", &n, 1, &result));
    ck_assert_int_eq(result.as.i, 30 * 31 / 2);
    vtr_value c_args[4] = {make_value(VTR_I8, NEG(100)),
                           make_value(VTR_U8, 200),
                           {.type = VTR_F64, .as.f64 = 0.5},
                           make_value(VTR_I32, NEG(1))};
    want(vtr_program_run(program, "call_scale", c_args, 4, &result));
    ck_assert_double_eq(result.as.f64, (-100 + 200) * 0.5 - 1);
    vtr_value two = make_value(VTR_I32, 2);
    want(vtr_program_run(program, "raise_level", &two, 1, &result));
    ck_assert(result.as.i == 42 && level == 42);
    vtr_program_free(program);
}
END_TEST

// C functions that look at nothing of the program: the one runs it again, with arguments in registers and on the stack;
// the other gives a bool that is none.
static vtr_program *again_program;
static vtr_status again_status;

static int64_t again_c(int64_t n, int8_t a, double b, int64_t c, int32_t d, int64_t e, uint16_t f, int64_t g,
                       int64_t h) {
    ck_assert(a == -1 && b == 2.5 && c == 3 && d == -4 && e == 5 && f == 6 && g == 7 && h == 8);
    vtr_value arg = make_value(VTR_I64, (uint64_t)n), result = {0};
    again_status = vtr_program_run(again_program, n < 0 ? "keep" : "rec", &arg, n >= 0, &result);
    return again_status == VTR_OK ? result.as.i : -1;
}

static int strange_bool(int32_t x) { return x; }

static const char *const again_text =
    ".type cell = struct { value: i64, next: cell }\n"
    ".import c fn \"c.again\" (i64, i8, f64, i64, i32, i64, u16, i64, i64) -> i64 as again\n"
    ".import c fn \"c.strange\" (i32) -> bool as strange\n"
    ".export rec\n.export keep\n.export odd\n.export one_bool\n.const B = f64 2.5\n"
    ".fn rec(n: i64) -> i64\n .reg c: bool\n .reg z: i64\n .reg p: cell\n .reg q: cell\n .reg r: i64\n"
    " .reg one: i64\n .reg a: i8\n .reg b: f64\n .reg d: i32\n .reg f: u16\n .reg x: i64\n .reg e: i64\n .reg g: i64\n"
    " .reg h: i64\n CMP c, n, z, EQ\n JIF c, @end, @more\n end: RET z\n"
    "more: ALOC p, cell\n STF p, .value, n\n ALOC q, cell\n STF q, .next, p\n K32 one, 1\n SUB n, n, one\n"
    " K32 a, -1\n KIDX b, const:B\n K32 x, 3\n K32 d, -4\n K32 e, 5\n K32 f, 6\n K32 g, 7\n K32 h, 8\n"
    " CALL r, again, 9 [n, a, b, x, d, e, f, g, h]\n LDF p, q, .next\n LDF z, p, .value\n ADD r, r, z\n RET r\n.end\n"
    ".fn keep()\n .reg p: cell\n .reg q: cell\n top: ALOC p, cell\n STF p, .next, q\n MOV q, p\n JMP @top\n.end\n"
    ".fn odd() -> i64\n .reg n: i64\n .reg a: i8\n .reg b: f64\n .reg d: i32\n .reg f: u16\n .reg x: i64\n"
    " .reg e: i64\n .reg g: i64\n .reg h: i64\n K32 n, -1\n K32 a, -1\n KIDX b, const:B\n K32 x, 3\n K32 d, -4\n"
    " K32 e, 5\n K32 f, 6\n K32 g, 7\n K32 h, 8\n CALL n, again, 9 [n, a, b, x, d, e, f, g, h]\n RET n\n.end\n"
    ".fn one_bool(n: i32) -> i32\n .reg c: bool\n .reg t: bool\n K32 t, 1\n CALL c, strange, 1 [n]\n"
    " CMP c, c, t, EQ\n CVT n, c\n RET n\n.end\n";

static const Engine again_engines[] = {
    {"interpreter", {.interpret = true}},
    {"interpreter, stress", {.interpret = true, .gc_stress = true}},
    {"none, stress", {.opt = VTR_OPT_NONE, .gc_stress = true}},
    {"speed", {.opt = VTR_OPT_SPEED}},
    {"speed, stress", {.opt = VTR_OPT_SPEED, .gc_stress = true}},
    {"simulated, stress", {.opt = VTR_OPT_SPEED, .gc_stress = true, .simulate = true}},
    {"aarch64, stress", {.opt = VTR_OPT_SPEED, .gc_stress = true, .target = "aarch64"}},
    {"riscv64, stress", {.opt = VTR_OPT_NONE, .gc_stress = true, .target = "riscv64"}},
};
enum { N_AGAIN = sizeof again_engines / sizeof *again_engines };

START_TEST(test_c_runs_again) {
    assemble(again_text);
    vtr_backend *backend;
    vtr_backend_options options = again_engines[_i].options;
    options.heap_limit = 1 << 20;
    want(vtr_backend_new(ctx, &options, &backend));
    want(vtr_backend_define_c(backend, "c.again", (void (*)(void))again_c));
    want(vtr_backend_define_c(backend, "c.strange", (void (*)(void))strange_bool));
    want(vtr_backend_compile(backend, bytecode, &again_program));
    vtr_backend_free(backend);
    vtr_value n = make_value(VTR_I64, 20), result;
    want(vtr_program_run(again_program, "rec", &n, 1, &result));
    ck_assert_int_eq(result.as.i, 20 * 21 / 2);
    // The inner run fails; the outer one goes on.
    if (!options.gc_stress) {
        want(vtr_program_run(again_program, "odd", NULL, 0, &result));
        ck_assert_int_eq(result.as.i, -1);
        ck_assert_int_eq(again_status, VTR_ERR_TRAP);
    }
    for (int32_t k = 0; k < 3; k++) {
        vtr_value flag = make_value(VTR_I32, (uint64_t)k);
        want(vtr_program_run(again_program, "one_bool", &flag, 1, &result));
        ck_assert_int_eq(result.as.i, k != 0);
    }
    vtr_program_free(again_program);
}
END_TEST

START_TEST(test_failures) {
    assemble(host_text);
    vtr_program *program = host_program(engines[_i]);
    vtr_value result = {0}, n = make_value(VTR_I64, 21);
    want(vtr_program_run(program, "nested", &n, 1, &result));
    ck_assert_int_eq(result.as.i, 42);
    n.as.i = 0;
    ck_assert_int_eq(vtr_program_run(program, "nested", &n, 1, &result), VTR_ERR_SYSTEM);
    vtr_trap trap;
    ck_assert(!vtr_trap_info(program, &trap));
    vtr_trap_frame frame;
    for (n.as.i = 1; n.as.i <= 2; n.as.i++) {
        ck_assert_int_eq(vtr_program_run(program, "nested", &n, 1, &result), VTR_ERR_TRAP);
        ck_assert(vtr_trap_info(program, &trap));
        ck_assert(trap.code == 777 && !trap.name && !strcmp(trap.diagnostic, "E7100"));
        ck_assert_uint_eq(trap.n_frames, 2);
        ck_assert(vtr_trap_frame_at(program, 1, &frame) && !strcmp(frame.function, "nested"));
        ck_assert(frame.instruction == 0 && !frame.file);
        ck_assert(!vtr_trap_frame_at(program, 2, &frame));
    }
    ck_assert_int_eq(vtr_program_run(program, "nothing", NULL, 0, NULL), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_program_run(program, NULL, NULL, 0, NULL), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_program_run(program, "nested", NULL, 0, NULL), VTR_ERR_USAGE);
    vtr_value wrong = make_value(VTR_I32, 1);
    ck_assert_int_eq(vtr_program_run(program, "nested", &wrong, 1, NULL), VTR_ERR_USAGE);
    vtr_program_free(program);
}
END_TEST

typedef struct Interrupt {
    vtr_program *program;
    clockid_t clock;    // of the thread that runs it: how busy others are does not count
    double before, now; // milliseconds: when the thread was started, when it was interrupted
} Interrupt;

static double milliseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void *interrupt_later(void *arg) {
    Interrupt *i = arg;
    struct timespec wait = {0, 1000 * 1000};
    while (milliseconds(i->clock) < i->before + 5) nanosleep(&wait, NULL);
    i->now = milliseconds(i->clock);
    vtr_program_interrupt(i->program);
    return NULL;
}

// Every way to go on for ever without growing: loops, in a callee, calls of what returns, tail calls.
START_TEST(test_interrupt) {
    static const char *const endless[] = {"forever", "inside", "tails", "mutual", "spin", "calls"};
    assemble(host_text);
    vtr_program *program = host_program(engines[_i]);
    Interrupt interrupt = {.program = program};
    ck_assert_int_eq(pthread_getcpuclockid(pthread_self(), &interrupt.clock), 0);
    for (unsigned k = 0; k < sizeof endless / sizeof *endless; k++) {
        pthread_t thread;
        vtr_type type = VTR_VOID;
        size_t n;
        want(vtr_program_signature(program, endless[k], &type, 1, &n, NULL));
        vtr_value zero = make_value(type, 0);
        interrupt.before = milliseconds(interrupt.clock);
        ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_later, &interrupt), 0);
        ck_assert_int_eq(vtr_program_run(program, endless[k], &zero, n, NULL), VTR_ERR_TRAP);
        double ms = milliseconds(interrupt.clock);
        pthread_join(thread, NULL);
        vtr_trap trap;
        ck_assert(vtr_trap_info(program, &trap) && trap.code == 12);
        ck_assert_msg(ms - interrupt.now < 50, "%s: after %f ms", endless[k], ms - interrupt.now);
    }
    // Asked for while nothing runs: the next run is interrupted, the one after is not.
    vtr_program_interrupt(program);
    ck_assert_int_eq(vtr_program_run(program, "forever", NULL, 0, NULL), VTR_ERR_TRAP);
    want(vtr_program_run(program, "greet", NULL, 0, NULL));
    vtr_program_free(program);
}
END_TEST

// Recursion without end, then the same program and host go on; in the main thread, and with little stack.
static void *overflow(void *arg) {
    vtr_program *program = arg;
    vtr_value many = make_value(VTR_I64, 1000000000), few = make_value(VTR_I64, 100), result;
    for (int round = 0; round < 2; round++) {
        vtr_trap trap;
        ck_assert_int_eq(vtr_program_run(program, "deep", &many, 1, &result), VTR_ERR_TRAP);
        ck_assert(vtr_trap_info(program, &trap));
        ck_assert_msg(trap.code == 8 && trap.depth > 100, "code %u, %d frames", trap.code, (int)trap.depth);
        ck_assert_str_ne(vtr_trap_text(program), "");
        want(vtr_program_run(program, "deep", &few, 1, &result));
        ck_assert_int_eq(result.as.i, 100);
        want(vtr_program_run(program, "greet", NULL, 0, NULL)); // calls the host
    }
    return NULL;
}

START_TEST(test_stack) {
    assemble(host_text);
    vtr_program *program = host_program(engines[_i]);
    pthread_attr_t attr;
    pthread_t thread;
    overflow(program);
    pthread_attr_init(&attr);
    ck_assert_int_eq(pthread_attr_setstacksize(&attr, 192 << 10), 0);
    ck_assert_int_eq(pthread_create(&thread, &attr, overflow, program), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    overflow(program);
    vtr_program_free(program);
}
END_TEST

START_TEST(test_memory_limit) {
    assemble(host_text);
    vtr_program *program = host_program(engines[_i]);
    if (!engines[_i].options.gc_stress) {
        ck_assert_int_eq(vtr_program_run(program, "keep", NULL, 0, NULL), VTR_ERR_TRAP);
        vtr_trap trap;
        ck_assert(vtr_trap_info(program, &trap) && trap.code == 9);
    }
    vtr_value n = make_value(VTR_I64, 1000), array;
    want(vtr_program_run(program, "fill", &n, 1, &array));
    void *bytes;
    size_t size;
    want(vtr_value_bytes(program, array, &bytes, &size));
    ck_assert_uint_eq(size, 1000);
    for (int i = 0; i < 1000; i++) ck_assert_int_eq(((uint8_t *)bytes)[i], i % 256);
    vtr_program_free(program);
}
END_TEST

// ---- no memory ----------------------------------------------------------------------------------------------------

typedef struct Memory {
    size_t live;
    unsigned n;
    unsigned bad; // the allocation that fails, with all after it; 0 = none
} Memory;

static void *scarce(void *user, void *old, size_t old_size, size_t new_size) {
    Memory *m = user;
    if (new_size && m->bad && ++m->n >= m->bad) return NULL;
    m->live += new_size - old_size;
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

static vtr_status whole_run(vtr_context *c, const uint8_t *bytes, size_t n, const vtr_backend_options *options) {
    vtr_bytecode *bc = NULL;
    vtr_backend *backend = NULL;
    vtr_program *program = NULL;
    vtr_value arg = make_value(VTR_I64, 100), result;
    vtr_status status = vtr_bytecode_read(c, "test", bytes, n, VTR_ALLOW_LOW, &bc);
    if (status == VTR_OK) status = vtr_backend_new(c, options, &backend);
    if (status == VTR_OK) status = vtr_backend_compile(backend, bc, &program);
    if (status == VTR_OK) status = vtr_program_run(program, "sum_list", &arg, 1, &result);
    if (status == VTR_OK) ck_assert_int_eq(result.as.i, 5050);
    vtr_program_free(program);
    vtr_backend_free(backend);
    vtr_bytecode_free(bc);
    return status;
}

START_TEST(test_no_memory) {
    uint8_t *bytes;
    size_t n;
    want(vtr_bytecode_assemble(ctx, "test.vita", functions_text, strlen(functions_text), &bytes, &n));
    vtr_status status = VTR_ERR_MEMORY;
    for (unsigned bad = 1; status != VTR_OK; bad++) {
        ck_assert_uint_lt(bad, 20000);
        Memory memory = {0, 0, bad};
        vtr_allocator allocator = {scarce, &memory};
        vtr_context *c;
        status = vtr_context_new(&allocator, &c);
        if (status == VTR_OK) {
            status = whole_run(c, bytes, n, &engines[_i].options);
            memory.bad = 0;
            if (status != VTR_OK) {
                ck_assert_int_eq(status, VTR_ERR_MEMORY);
                ck_assert_int_eq(whole_run(c, bytes, n, &engines[_i].options), VTR_OK); // the context is usable
            }
            vtr_context_free(c);
        }
        ck_assert_uint_eq(memory.live, 0);
    }
    vtr_bytes_free(ctx, bytes, n);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("native");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, test_operations, 1, 3);
    tcase_add_loop_test(tc, test_functions, 0, N_ENGINES);
    tcase_add_loop_test(tc, test_host, 0, N_ENGINES);
    tcase_add_loop_test(tc, test_c_runs_again, 0, N_AGAIN);
    tcase_add_loop_test(tc, test_failures, 0, N_ENGINES);
    tcase_add_loop_test(tc, test_interrupt, 0, N_ENGINES);
    tcase_add_loop_test(tc, test_stack, 0, 3); // under stress every frame looks at the whole stack
    tcase_add_loop_test(tc, test_memory_limit, 0, N_ENGINES);
    tcase_add_loop_test(tc, test_no_memory, 0, 3);
    return run_tests("native", tc);
}
