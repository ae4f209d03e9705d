// irgen against the direct interpreter of bytecode: every operation on boundary operands, then control flow, memory,
// calls and traps. The IR runs in the IR's own interpreter, as generated and after the passes, so no machine is
// involved; tests/bytecode does the same with machine code.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/write.h"
#include "interp/interp.h"
#include "ir/interp.h"
#include "irgen/irgen.h"
#include "irgen_modules.h"
#include "passes/pipeline.h"
#include "runtime/instance.h"
#include "verify/ir_verify.h"
#include "unit.h"

// One module on both sides: an instance with the bytecode interpreter, one with the IR interpreter.
typedef struct Pair {
    BcModule *m;
    Instance *direct;
    Interp *interp;
    Instance *lowered;
    Irgen irgen;
    Func **funcs;
    IrInterp *ir;
} Pair;

static vtr_context *ctx;
static const char *module_text;
static bool optimise;
static bool barriers;
static bool null_faults;           // then nothing can be run here
static bool alone;                 // for a runtime of one thread that moves nothing
static unsigned n_read, n_written; // barrier calls
static Pair pair;

static void setup(void) { ctx = test_context(); }
static void teardown(void) { vtr_context_free(ctx); }

static int host_call(void *data, const ExtName *name, const Sig *sig, const uint64_t *args, uint64_t *results) {
    VmCtx *vm = ((Pair *)data)->lowered->vm;
    uint64_t words[300];
    (void)sig;
    if (name->kind != NAME_TEXT) return -1;
    if (!strcmp(name->text, "rt_alloc_struct")) results[0] = rt_alloc_struct(vm, (uint32_t)args[1]);
    else if (!strcmp(name->text, "rt_alloc_array"))
        results[0] = rt_alloc_array(vm, (uint32_t)args[1], (uint32_t)args[2]);
    else if (!strcmp(name->text, "rt_poll")) results[0] = rt_poll(vm);
    else if (!strcmp(name->text, "rt_import"))
        results[0] = rt_import(vm, (uint32_t)args[1], (uint64_t *)(uintptr_t)args[2], (uint64_t *)(uintptr_t)args[3]);
    else if (!strcmp(name->text, "memmove"))
        memmove((void *)(uintptr_t)args[0], (const void *)(uintptr_t)args[1], args[2]);
    else if (!strcmp(name->text, "memset")) memset((void *)(uintptr_t)args[0], (int)args[1], args[2]);
    else if (!strcmp(name->text, "rt_read_barrier")) {
        results[0] = rt_read_barrier(vm, (Ref *)(uintptr_t)args[1]);
        n_read++;
    } else if (!strcmp(name->text, "rt_write_barrier")) {
        ck_assert_uint_eq(*(Ref *)(uintptr_t)args[1], args[2]); // after the store
        rt_write_barrier(vm, (Ref *)(uintptr_t)args[1], args[2]);
        n_written++;
    } else return ir_interp_libcall(NULL, name, sig, args, words);
    return 0;
}

static uint64_t no_reference(void *user, uint32_t func) {
    (void)user;
    (void)func;
    return 0;
}

static void build(Ctx *c, void *arg) {
    (void)arg;
    Arena *arena = arena_new(c);
    BcModule *m = bc_assemble(c, "test.vita", module_text, strlen(module_text));
    pair = (Pair){.m = m, .direct = rt_instance_new(arena, m, NULL), .lowered = rt_instance_new(arena, m, NULL)};
    pair.interp = interp_new(pair.direct);
    pair.irgen = irgen_start(m, &(IrgenOptions){barriers, barriers, alone, alone, null_faults});
    pair.funcs = NEW_ARRAY(arena, Func *, bc_n_functions(m));
    for (uint32_t f = 0; f < bc_n_functions(m); f++) {
        pair.funcs[f] = irgen_func(&pair.irgen, arena, f);
        if (!verify_func(pair.funcs[f])) ctx_throw(c, VTR_ERR_INTERNAL);
        PassOptions passes = {.level = OPT_SPEED, .verify = true, .fuel = UINT64_MAX};
        if (optimise) passes_run(pair.funcs[f], &passes);
    }
    rt_function_globals(pair.lowered, no_reference, NULL);
    IrInterpOptions options = {.host = {&pair, host_call, NULL}, .max_depth = 100000, .stack_size = 64 << 20};
    pair.ir = ir_interp_new(arena, pair.funcs, bc_n_functions(m), &options);
}

static void fail_with_diagnostics(vtr_status status) {
    vtr_diagnostic_info info = {0};
    for (size_t k = 0; k < 5 && vtr_diagnostic(ctx, k, &info); k++)
        fprintf(stderr, "%u:%u: %s\n", info.line, info.column, info.message);
    ck_abort_msg("%s", vtr_status_name(status));
}

static void open_module(const char *text, bool with_passes) {
    module_text = text;
    optimise = with_passes;
    vtr_status status = ctx_try(ctx, build, NULL);
    if (status != VTR_OK) fail_with_diagnostics(status);
}

typedef struct Call {
    uint32_t func;
    const uint64_t *args;
    uint64_t result;
    uint32_t code;
} Call;

static void call_direct(Ctx *c, void *arg) {
    (void)c;
    Call *call = arg;
    call->code = interp_call(pair.interp, call->func, call->args, &call->result);
}

static void call_lowered(Ctx *c, void *arg) {
    Call *call = arg;
    uint64_t words[300] = {(uint64_t)(uintptr_t)pair.lowered->vm};
    const Func *f = pair.funcs[call->func];
    for (uint32_t k = 1; k < f->sig.n_params; k++) words[k] = call->args[k - 1];
    IrInterpStatus status = ir_interp_call(pair.ir, f, words, &call->result);
    if (status == IR_INTERP_OK) return;
    if (status != IR_INTERP_TRAP) ctx_fail(c, VTR_ERR_INTERNAL, "%s", ir_interp_error(pair.ir));
    uint8_t trap = ir_interp_trap(pair.ir);
    call->code = trap == RT_TRAP_EXIT ? (uint32_t)pair.lowered->vm->exit_code : irgen_trap_code(trap);
    // The same frames as the interpreter reports?
    IrInterpFrame frame;
    uint32_t n = 0;
    for (uint32_t k = 0; ir_interp_frame(pair.ir, k, &frame); k++) {
        if (frame.f->name.index < pair.m->n_imp_funcs) continue;
        if (n < pair.direct->trap.n_frames && call->code != BC_TRAP_STACK) {
            ck_assert_uint_eq(pair.direct->trap.frames[n].func, frame.f->name.index);
            ck_assert_uint_eq(pair.direct->trap.frames[n].inst, inst_get(frame.f, frame.inst)->srcloc);
        }
        n++;
    }
    if (call->code != BC_TRAP_STACK) ck_assert_uint_eq(n, pair.direct->trap.depth);
}

static bool is_nan_word(uint32_t type, uint64_t word) {
    if (type == BC_F32) return (word & 0x7fffffff) > 0x7f800000;
    return type == BC_F64 && (word & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

// Runs a function on both sides; results or traps must agree. Returns the trap code.
static uint32_t compare(uint32_t func, const uint64_t *args, uint64_t *result) {
    Call direct = {func, args, 0, 0}, lowered = {func, args, 0, 0};
    vtr_status status = ctx_try(ctx, call_direct, &direct);
    if (status == VTR_OK) status = ctx_try(ctx, call_lowered, &lowered);
    if (status != VTR_OK) fail_with_diagnostics(status);
    uint32_t type = bc_type(pair.m, bc_function_sig(pair.m, func))->elem;
    bool same = direct.code == lowered.code;
    if (same && !direct.code && type != BC_VOID)
        same =
            direct.result == lowered.result || (is_nan_word(type, direct.result) && is_nan_word(type, lowered.result));
    if (!same) {
        Arena *arena = arena_new(ctx);
        ck_abort_msg("%s(0x%llx, 0x%llx): interpreter 0x%llx trap %u, IR 0x%llx trap %u",
                     bc_function_name(pair.m, func, arena), (unsigned long long)args[0], (unsigned long long)args[1],
                     (unsigned long long)direct.result, direct.code, (unsigned long long)lowered.result, lowered.code);
    }
    if (result) *result = direct.result;
    return direct.code;
}

// ---- every operation --------------------------------------------------------------------------------------------

START_TEST(test_operations) {
    OpsText text = ops_text();
    open_module(text.text, _i);
    uint32_t traps = 0, runs = 0;
    for (uint32_t f = 0; f < pair.m->n_funcs; f++) {
        const BcType *sig = bc_type(pair.m, bc_function_sig(pair.m, f));
        uint64_t values[2][OPS_VALUES] = {{0}};
        uint32_t n[2] = {1, 1};
        for (uint32_t p = 0; p < sig->n && p < 2; p++) n[p] = ops_values(sig->params[p], values[p]);
        for (uint32_t a = 0; a < n[0]; a++) {
            for (uint32_t b = 0; b < n[1]; b++) {
                uint64_t args[3] = {values[0][a], values[1][b], values[1][b]};
                traps += compare(f, args, NULL) != 0;
                runs++;
            }
        }
    }
    ck_assert(runs > 20000 && traps > 1000 && traps < runs / 2);
    free(text.text);
}
END_TEST

// ---- whole functions --------------------------------------------------------------------------------------------

static uint32_t export_index(const char *name) {
    const BcExport *found = bc_export_find(pair.m, BC_KIND_FUNC, name, strlen(name));
    ck_assert_msg(found, "no export %s", name);
    return found->index;
}

// _i: bit 0 = after the passes, bit 1 = with barriers, bit 2 = pinned references, no polls.
START_TEST(test_functions) {
    barriers = _i & 2;
    alone = _i & 4;
    open_module(functions_text, _i & 1);
    for (const FunctionCase *c = function_cases; c->name; c++) {
        uint64_t result = 0;
        uint32_t code = compare(export_index(c->name), c->args, &result);
        ck_assert_msg(code == c->trap, "%s: trap %u, not %u", c->name, code, c->trap);
        if (!code)
            ck_assert_msg(result == c->result, "%s: %lld, not %lld", c->name, (long long)result, (long long)c->result);
    }
}
END_TEST

// A list of n nodes: n references stored (and read back), nothing else is one.
START_TEST(test_barriers) {
    barriers = true;
    open_module(functions_text, false);
    uint64_t n = 10;
    n_read = n_written = 0;
    ck_assert_uint_eq(compare(export_index("sum_list"), &n, NULL), 0);
    ck_assert_uint_eq(n_written, 10);
    ck_assert_uint_eq(n_read, 10);
}
END_TEST

// References are live across some of the calls of these functions.
START_TEST(test_stack_maps) {
    open_module(functions_text, false);
    uint32_t maps = 0, entries = 0;
    for (uint32_t f = 0; f < bc_n_functions(pair.m); f++) {
        maps += pair.funcs[f]->stack_maps.n;
        entries += pair.funcs[f]->map_entries.n;
    }
    ck_assert(maps >= 5 && entries >= maps);
}
END_TEST

// In pinned mode `list` goes to its slot once, where it is written, instead of before each call; `next`, which is
// written more often than it is live across a call, before the call; constants never.
static const char stores_text[] = ".module \"stores\"\n"
                                  ".type bytes = array u8\n"
                                  ".string text = \"x\"\n"
                                  ".fn callee(b: bytes)\n"
                                  "    RET _\n"
                                  ".end\n"
                                  ".fn caller(list: bytes, flag: bool)\n"
                                  "    .local next: bytes\n"
                                  "    .local text1: bytes\n"
                                  "    .local n: i64\n"
                                  "    KIDX text1, const:text\n"
                                  "    CALL _, callee, 1 [list]\n"
                                  "    JIF flag, more, done\n"
                                  "more:\n"
                                  "    K32 n, 1\n"
                                  "    CALL _, callee, 1 [list]\n"
                                  "    ARR_NEW next, n\n"
                                  "    ARR_NEW next, n\n"
                                  "    CALL _, callee, 1 [next]\n"
                                  "    CALL _, callee, 1 [next]\n"
                                  "    JMP done\n"
                                  "done:\n"
                                  "    CALL _, callee, 1 [list]\n"
                                  "    CALL _, callee, 1 [list]\n"
                                  "    CALL _, callee, 1 [text1]\n"
                                  "    RET _\n"
                                  ".end\n";

static uint32_t stores_to_slots(const Func *f) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->insts.n; i++) {
        const InstData *d = &f->insts.v[i];
        if (d->op != OP_store) continue;
        Inst address = value_def(f, list_get(f, d->args, 1));
        n += inst_ok(address) && f->insts.v[address.i].op == OP_stack_addr;
    }
    return n;
}

START_TEST(test_stores_of_pinned) {
    alone = true;
    open_module(stores_text, false);
    ck_assert_uint_eq(stores_to_slots(pair.funcs[1]), 2); // list as it comes in, next before a call
    alone = false;
    open_module(stores_text, false);
    ck_assert_uint_gt(stores_to_slots(pair.funcs[1]), 4);
}
END_TEST

// The references are stored and named in the maps all the same; nothing polls, and nothing is loaded from their slots.
START_TEST(test_alone) {
    uint32_t maps[2] = {0}, polls[2] = {0}, reloads[2] = {0};
    for (unsigned k = 0; k < 2; k++) {
        alone = k;
        open_module(functions_text, false);
        for (uint32_t f = pair.m->n_imp_funcs; f < bc_n_functions(pair.m); f++) {
            const Func *func = pair.funcs[f];
            maps[k] += func->stack_maps.n;
            for (uint32_t i = 0; i < func->insts.n; i++) {
                const InstData *d = &func->insts.v[i];
                polls[k] += d->op == OP_atomic_load;
                if (d->op != OP_load) continue;
                Inst address = value_def(func, list_get(func, d->args, 0));
                reloads[k] += inst_ok(address) && func->insts.v[address.i].op == OP_stack_addr;
            }
        }
    }
    ck_assert(polls[0] && reloads[0] && !polls[1] && !reloads[1]);
    ck_assert(maps[1] && maps[1] < maps[0]); // those of polls are gone
}
END_TEST

// Of arrays, the load of the length traps for null, before and after the passes.
START_TEST(test_null_faults) {
    uint32_t loads[2][2] = {{0}}, traps[2][2] = {{0}};
    for (unsigned k = 0; k < 4; k++) {
        null_faults = k & 1;
        open_module(functions_text, k & 2);
        for (uint32_t f = pair.m->n_imp_funcs; f < bc_n_functions(pair.m); f++) {
            const Func *func = pair.funcs[f];
            FUNC_BLOCKS(b, func) {
                BLOCK_INSTS(i, func, b) {
                    const InstData *d = &func->insts.v[i.i];
                    bool null = d->code == BC_TRAP_NULL;
                    loads[k & 1][k >> 1] += null && d->op == OP_load && !(d->memflags & MF_NOTRAP);
                    traps[k & 1][k >> 1] += null && d->op == OP_trapz;
                }
            }
        }
    }
    for (unsigned p = 0; p < 2; p++) {
        ck_assert_uint_eq(loads[0][p], 0);
        ck_assert(loads[1][p] && traps[1][p] < traps[0][p]);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("irgen");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, test_operations, 0, 2);
    tcase_add_loop_test(tc, test_functions, 0, 8);
    tcase_add_test(tc, test_barriers);
    tcase_add_test(tc, test_stack_maps);
    tcase_add_test(tc, test_stores_of_pinned);
    tcase_add_test(tc, test_alone);
    tcase_add_test(tc, test_null_faults);
    return run_tests("irgen", tc);
}
