// Running out of memory in the public interface: each call returns VTR_ERR_MEMORY when any one allocation in it fails
// (or that one and all later ones), leaves the objects it works on as they were, and succeeds when it is made again.
// Nothing leaks.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "irgen_modules.h"
#include "vitrail_ir.h"

typedef struct Memory {
    size_t live;
    unsigned n;
    unsigned bad; // counts from 1; 0 = none
    bool rest;    // all later ones fail, too
} Memory;

static void *scarce(void *user, void *old, size_t old_size, size_t new_size) {
    Memory *m = user;
    if (new_size && m->bad && (++m->n == m->bad || (m->rest && m->n > m->bad))) return NULL;
    m->live += new_size - old_size;
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

typedef struct Steps {
    vtr_context *ctx;
    vtr_opt opt;
    const char *target; // of simulated code, NULL = code runs natively
    unsigned attempt;
    // the work's objects
    vtr_jit *jit;
    vtr_bytecode *bytecode;
    vtr_backend *backend;
    vtr_program *program;
    uint8_t *bytes;
    size_t n_bytes;
    char *text;
    size_t n_text;
} Steps;

typedef struct Step {
    const char *name;
    vtr_status (*run)(Steps *s);
} Step;

// Makes the steps in order on the same objects, each with every allocation failing once before it succeeds.
static void run_steps(const Step *steps, vtr_opt opt, const char *target, bool rest, void (*end)(Steps *s)) {
    Memory memory = {0};
    vtr_allocator allocator = {scarce, &memory};
    Steps s = {.opt = opt, .target = target};
    ck_assert_int_eq(vtr_context_new(&allocator, &s.ctx), VTR_OK);
    for (const Step *step = steps; step->name; step++) {
        for (unsigned bad = 1;; bad++) {
            memory.n = 0;
            memory.bad = bad;
            memory.rest = rest;
            s.attempt++;
            vtr_status status = step->run(&s);
            memory.bad = 0;
            vtr_diagnostic_info info = {0};
            vtr_diagnostic(s.ctx, 0, &info);
            if (status == VTR_OK && memory.n < bad) break;
            ck_assert_msg(status == VTR_ERR_MEMORY, "%s, allocation %u: %s: %s", step->name, bad,
                          vtr_status_name(status), info.message ? info.message : "");
            vtr_diagnostics_clear(s.ctx);
            ck_assert_uint_lt(bad, 20000);
        }
    }
    end(&s);
    vtr_context_free(s.ctx);
    ck_assert_msg(memory.live == 0, "%zu bytes leaked", memory.live);
}

// ---- IR text ------------------------------------------------------------------------------------

static int64_t host_twice(int64_t x) { return 2 * x; }

static vtr_status jit_make(Steps *s) {
    vtr_jit_options options = {
        .opt = s->opt, .check = true, .reserve = 1 << 20, .target = s->target, .simulate = s->target != NULL};
    return vtr_jit_new(s->ctx, &options, &s->jit);
}

static vtr_status jit_name(Steps *s) { return vtr_jit_define(s->jit, "twice", (void *)(uintptr_t)host_twice); }

// A name that no later attempt uses again, and one that stays.
static vtr_status jit_text(Steps *s) {
    char text[1000];
    snprintf(text, sizeof text,
             "function %%attempt%u(i64) -> i64 system_v {\n"
             "    fn0 = %%main(i64, i32) -> i64 system_v\n"
             "block0(v0: i64):\n"
             "    v1 = iconst.i32 1\n"
             "    v2 = call fn0(v0, v1)\n"
             "    return v2\n"
             "}\n"
             "function %%main(i64, i32) -> i64 system_v {\n"
             "    fn0 = %%twice(i64) -> i64 system_v\n"
             "block0(v0: i64, v1: i32):\n"
             "    br_table v1, block3(v0), [block1, block2]\n"
             "block1:\n"
             "    jump block3(v0)\n"
             "block2:\n"
             "    v2 = call fn0(v0)\n"
             "    v3 = sdiv v2, v0\n"
             "    v4 = iadd v2, v3\n"
             "    jump block3(v4)\n"
             "block3(v5: i64):\n"
             "    return v5\n"
             "}\n",
             s->attempt);
    return vtr_jit_add_clif(s->jit, "oom", text, strlen(text));
}

static vtr_status jit_ready(Steps *s) { return vtr_jit_publish(s->jit); }

static vtr_status jit_run(Steps *s) {
    uint64_t args[2] = {21, 1};
    uint64_t result = 0;
    vtr_status status = vtr_jit_call(s->jit, "main", args, 2, &result, 1, NULL);
    if (status == VTR_OK) ck_assert_uint_eq(result, 44);
    return status;
}

static vtr_status jit_trap(Steps *s) {
    uint64_t args[2] = {0, 1};
    uint64_t result = 0;
    unsigned trap = 0;
    vtr_status status = vtr_jit_call(s->jit, "main", args, 2, &result, 1, &trap);
    if (status != VTR_ERR_TRAP) return status;
    ck_assert_uint_eq(trap, 254);
    return VTR_OK;
}

static void jit_end(Steps *s) {
    uint64_t args[2] = {5, 0};
    uint64_t result = 0;
    ck_assert_int_eq(vtr_jit_call(s->jit, "main", args, 2, &result, 1, NULL), VTR_OK);
    ck_assert_uint_eq(result, 5);
    vtr_jit_free(s->jit);
}

START_TEST(jit) {
    static const Step steps[] = {{"new", jit_make}, {"define", jit_name}, {"add", jit_text}, {"publish", jit_ready},
                                 {"call", jit_run}, {"trap", jit_trap},   {NULL, NULL}};
    static const char *const targets[] = {NULL, NULL, "aarch64"};
    run_steps(steps, (vtr_opt)(_i % 2), targets[_i / 2], _i / 2 == 1, jit_end);
}
END_TEST

// ---- bytecode -----------------------------------------------------------------------------------

static vtr_status bc_assemble(Steps *s) {
    return vtr_bytecode_assemble(s->ctx, "oom", functions_text, strlen(functions_text), &s->bytes, &s->n_bytes);
}

static vtr_status bc_read(Steps *s) {
    return vtr_bytecode_read(s->ctx, "oom", s->bytes, s->n_bytes, VTR_ALLOW_LOW, &s->bytecode);
}

static vtr_status bc_write(Steps *s) {
    uint8_t *bytes;
    size_t n;
    vtr_status status = vtr_bytecode_write(s->bytecode, VTR_COMPRESS, &bytes, &n);
    if (status != VTR_OK) return status;
    vtr_bytes_free(s->ctx, s->bytes, s->n_bytes);
    s->bytes = bytes;
    s->n_bytes = n;
    return VTR_OK;
}

// The compressed file, which is dropped again.
static vtr_status bc_read_again(Steps *s) {
    vtr_bytecode *other;
    vtr_status status = vtr_bytecode_read(s->ctx, "oom", s->bytes, s->n_bytes, VTR_ALLOW_LOW, &other);
    if (status == VTR_OK) vtr_bytecode_free(other);
    return status;
}

static vtr_status bc_print(Steps *s) {
    char *text;
    size_t n;
    vtr_status status = vtr_bytecode_disassemble(s->bytecode, &text, &n);
    if (status == VTR_OK) vtr_bytes_free(s->ctx, text, n);
    return status;
}

static vtr_status nothing(vtr_program *program, void *user, const vtr_value *args, size_t n, vtr_value *result) {
    (void)program;
    (void)user;
    (void)args;
    (void)n;
    result->as.i = 77;
    return VTR_OK;
}

static vtr_status bc_backend(Steps *s) {
    vtr_backend_options options = {.opt = s->opt, .check = true, .heap_limit = 1 << 20};
    return vtr_backend_new(s->ctx, &options, &s->backend);
}
static vtr_status bc_interpreter(Steps *s) {
    vtr_backend_options options = {.interpret = true, .heap_limit = 1 << 20};
    return vtr_backend_new(s->ctx, &options, &s->backend);
}

static vtr_status bc_define(Steps *s) { return vtr_backend_define(s->backend, "nowhere.nothing", nothing, NULL); }
static vtr_status bc_compile(Steps *s) { return vtr_backend_compile(s->backend, s->bytecode, &s->program); }

static vtr_status call(Steps *s, const char *name, size_t n_args, int64_t arg, int64_t expected) {
    vtr_value value = {.type = VTR_I64, .as.i = arg};
    vtr_value result = {0};
    vtr_status status = vtr_program_run(s->program, name, &value, n_args, &result);
    if (status == VTR_OK) ck_assert_int_eq(result.as.i, expected);
    return status;
}

static vtr_status bc_list(Steps *s) { return call(s, "sum_list", 1, 1000, 500500); }
static vtr_status bc_deep(Steps *s) { return call(s, "deep", 1, 500, 500); }
static vtr_status bc_host(Steps *s) { return call(s, "unresolved", 0, 0, 77); }
static vtr_status bc_text(Steps *s) { return call(s, "text", 1, 1, 'e'); }

// What a trap leaves must be there, or its lack must be told.
static vtr_status bc_trap(Steps *s) {
    vtr_status status = call(s, "fact", 1, 21, 0);
    if (status != VTR_ERR_TRAP) return status;
    vtr_trap trap;
    ck_assert(vtr_trap_info(s->program, &trap));
    ck_assert_uint_eq(trap.code, 2);
    ck_assert_uint_eq(trap.n_frames, 1);
    return VTR_OK;
}

static void bc_end(Steps *s) {
    ck_assert_int_eq(bc_list(s), VTR_OK);
    vtr_program_free(s->program);
    vtr_backend_free(s->backend);
    vtr_bytecode_free(s->bytecode);
    vtr_bytes_free(s->ctx, s->bytes, s->n_bytes);
}

START_TEST(bytecode) {
    Step steps[] = {
        {"assemble", bc_assemble}, {"read", bc_read},       {"write", bc_write},   {"read again", bc_read_again},
        {"print", bc_print},       {"backend", bc_backend}, {"define", bc_define}, {"compile", bc_compile},
        {"list", bc_list},         {"deep", bc_deep},       {"host", bc_host},     {"text", bc_text},
        {"trap", bc_trap},         {"list again", bc_list}, {NULL, NULL}};
    if (_i % 3 == 2) steps[5].run = bc_interpreter;
    run_steps(steps, (vtr_opt)(_i % 3 % 2), NULL, _i / 3, bc_end);
}
END_TEST

// ---- objects ------------------------------------------------------------------------------------

// A whole object at once: one that an error stopped is only good for being freed.
static vtr_status object_bytes(Steps *s, const char *target, bool relocatable, bool module) {
    static const char text[] = "function %f(i64) -> i64 system_v {\n"
                               "    fn0 = %g(i64) -> i64 system_v\n"
                               "    sig9 = (i64) -> i64 system_v\n"
                               "block0(v0: i64):\n"
                               "    v1 = call fn0(v0)\n"
                               "    v2 = func_addr.i64 fn0\n"
                               "    v3 = call_indirect sig9, v2(v1)\n"
                               "    v4 = udiv v3, v0\n"
                               "    return v4\n"
                               "}\n";
    vtr_object_options options = {.opt = s->opt, .check = !target, .target = target, .relocatable = relocatable};
    vtr_object *object;
    uint8_t *bytes;
    size_t n;
    vtr_status status = vtr_object_new(s->ctx, &options, &object);
    if (status != VTR_OK) return status;
    status = module ? vtr_object_add_bytecode(object, s->bytecode, "fact")
                    : vtr_object_add_clif(object, "oom", text, sizeof text - 1);
    if (status == VTR_OK) status = vtr_object_bytes(object, &bytes, &n);
    if (status == VTR_OK) vtr_bytes_free(s->ctx, bytes, n);
    vtr_object_free(object);
    return status;
}

static vtr_status object_clif(Steps *s) { return object_bytes(s, NULL, false, false); }
static vtr_status object_module(Steps *s) { return object_bytes(s, NULL, false, true); }
static vtr_status wasm_clif(Steps *s) { return object_bytes(s, "wasm64", false, false); }
static vtr_status wasm_object(Steps *s) { return object_bytes(s, "wasm64", true, false); }
static vtr_status wasm_module(Steps *s) { return object_bytes(s, "wasm64", false, true); }

// A function built by calls, with an operation of every kind that allocates.
static void build_body(vtr_func *f) {
    vtr_ir_variable n = vtr_func_variable(f, VTR_I64);
    vtr_ir_block loop = vtr_func_block(f);
    vtr_ir_block done = vtr_func_block(f);
    vtr_func_set(f, n, vtr_func_param(f, 0));
    vtr_ir_jump(f, loop, NULL, 0);
    vtr_func_enter(f, loop);
    vtr_ir_value x = vtr_func_get(f, n);
    vtr_ir_store(f, 0, x, vtr_ir_stack_addr(f, VTR_I64, vtr_func_slot(f, 8, 8), 0), 0);
    vtr_func_set(f, n, vtr_ir_call(f, vtr_func_callee(f, "g", "(i64) -> i64"), &x, 1, NULL));
    vtr_ir_brif(f, vtr_func_get(f, n), loop, NULL, 0, done, NULL, 0);
    vtr_func_enter(f, done);
    vtr_ir_value address = vtr_ir_symbol_value(f, VTR_I64, vtr_func_symbol(f, "data"));
    vtr_ir_return(f, &address, 1);
}

static vtr_status object_built(Steps *s) {
    vtr_func *f;
    vtr_object *object;
    vtr_status status = vtr_func_new(s->ctx, "built", "(i64) -> i64", &f);
    if (status != VTR_OK) return status;
    build_body(f);
    char *text;
    size_t n;
    status = vtr_func_text(f, &text, &n);
    if (status == VTR_OK) {
        vtr_bytes_free(s->ctx, text, n);
        status = vtr_object_new(s->ctx, &(vtr_object_options){.opt = s->opt}, &object);
    }
    if (status == VTR_OK) {
        status = vtr_object_add_func(object, f);
        vtr_object_free(object);
    }
    vtr_func_free(f);
    return status;
}

static void object_end(Steps *s) {
    vtr_bytecode_free(s->bytecode);
    vtr_bytes_free(s->ctx, s->bytes, s->n_bytes);
}

START_TEST(object) {
    static const Step steps[] = {{"assemble", bc_assemble}, {"read", bc_read},       {"text", object_clif},
                                 {"module", object_module}, {"built", object_built}, {NULL, NULL}};
    run_steps(steps, (vtr_opt)(_i % 2), NULL, _i / 2, object_end);
}
END_TEST

START_TEST(wasm) {
    static const Step steps[] = {{"assemble", bc_assemble}, {"read", bc_read},       {"text", wasm_clif},
                                 {"object", wasm_object},   {"module", wasm_module}, {NULL, NULL}};
    run_steps(steps, VTR_OPT_SPEED, NULL, false, object_end);
}
END_TEST

// Wrong input is not taken for right because there was no memory to say what is wrong.
START_TEST(wrong_input) {
    static const char text[] = "function %f(i64) -> i64 system_v {\n"
                               "    sig0 = (i64) -> i64 system_v\n"
                               "    sig0 = (i64) -> i64 system_v\n"
                               "block0(v0: i64):\n"
                               "    return v0\n"
                               "}\n";
    for (unsigned bad = 1, more = 1; more; bad++) {
        Memory memory = {.rest = _i};
        vtr_allocator allocator = {scarce, &memory};
        vtr_context *ctx;
        vtr_object *object;
        ck_assert_int_eq(vtr_context_new(&allocator, &ctx), VTR_OK);
        ck_assert_int_eq(vtr_object_new(ctx, NULL, &object), VTR_OK);
        memory.bad = bad;
        ck_assert_int_ne(vtr_object_add_clif(object, "wrong", text, sizeof text - 1), VTR_OK);
        more = memory.n >= bad;
        memory.bad = 0;
        vtr_object_free(object);
        vtr_context_free(ctx);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("oom_api");
    TCase *tests = tcase_create("oom_api");
    tcase_set_timeout(tests, 200);
    tcase_add_loop_test(tests, jit, 0, 6);
    tcase_add_loop_test(tests, bytecode, 0, 6);
    tcase_add_loop_test(tests, object, 0, 4);
    tcase_add_test(tests, wasm);
    tcase_add_loop_test(tests, wrong_input, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
