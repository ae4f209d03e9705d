// Every opcode that computes, on every combination of types that it has, with operands at the boundaries, each operand
// once a parameter and once a constant: the interpreter against machine code at both levels.
//   ops MACHINE STEP    only every STEP-th constant; a machine other than this one is simulated
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp.h"
#include "ir_build.h"
#include "compile/compile.h"
#include "jit/jit.h"
#include "random.h"
#include "select/target.h"

enum { MOST_VALUES = 48, MOST_FUNCS = 512, ALL_PARAMS = OP_MAX_ARGS };

// What is computed: an opcode with its condition, its controlling type and those of its operands.
typedef struct Form {
    Op op;
    uint8_t code;
    Type type;
    Type args[OP_MAX_ARGS];
    uint32_t n_args;
} Form;

// One operand may be a constant.
typedef struct Variant {
    uint32_t constant; // which operand, ALL_PARAMS = none
    uint64_t bits;
} Variant;

typedef struct Test {
    const Target *target;
    unsigned step;
    Jit *jit;
    Form form;
    unsigned forms, functions, calls, wrong;
} Test;

// ---- operands ---------------------------------------------------------------------------------------

static uint32_t int_values(Type type, uint64_t *values) {
    unsigned bits = type_bits(type);
    uint64_t ones = UINT64_MAX >> (64 - bits);
    uint64_t top = UINT64_C(1) << (bits - 1);
    const uint64_t all[] = {0,    1,        2,        3,        bits - 1, bits, bits + 1, top - 1, top,      top + 1,
                            ones, ones - 1, ones / 3, ones / 5, 0x7f,     0x80, 0xff,     100,     ones - 99};
    for (uint32_t k = 0; k < sizeof all / sizeof *all; k++) values[k] = all[k] & ones;
    return sizeof all / sizeof *all;
}

// Around the ranges of the integers, halves, and every kind of number.
static uint32_t float_values(Type type, uint64_t *values) {
    static const double doubles[] = {0,
                                     1,
                                     0.5,
                                     1.5,
                                     2.5,
                                     127,
                                     128,
                                     255,
                                     256,
                                     32768,
                                     65536,
                                     2147483648.0,
                                     4294967296.0,
                                     9223372036854775808.0,
                                     18446744073709551616.0,
                                     0x1p-150,
                                     1e300};
    uint32_t n = 0;
    for (uint32_t k = 0; k < sizeof doubles / sizeof *doubles; k++) {
        for (int sign = 0; sign < 2; sign++) {
            double d = sign ? -doubles[k] : doubles[k];
            float f = (float)d;
            uint32_t narrow;
            memcpy(&narrow, &f, sizeof f);
            memcpy(&values[n], &d, sizeof d);
            if (type == T_f32) values[n] = narrow;
            n++;
        }
    }
    static const uint32_t odd32[] = {0x7f800000, 0x7fc00000, 0xffc00001, 0x7f800001,
                                     1,          0x80800000, 0x4effffff, 0xcf000001};
    static const uint64_t odd64[] = {UINT64_C(0x7ff0000000000000),
                                     UINT64_C(0x7ff8000000000000),
                                     UINT64_C(0xfff8000000000001),
                                     UINT64_C(0x7ff0000000000001),
                                     1,
                                     UINT64_C(0x8010000000000000),
                                     UINT64_C(0x41dfffffffffffff),
                                     UINT64_C(0xc1e0000000200000)};
    for (uint32_t k = 0; k < sizeof odd32 / sizeof *odd32; k++) values[n++] = type == T_f32 ? odd32[k] : odd64[k];
    return n;
}

static uint32_t values_of(Type type, uint64_t *values) {
    return type_is_float(type) ? float_values(type, values) : int_values(type, values);
}

// ---- functions --------------------------------------------------------------------------------------

static Value constant(Builder *b, Type type, uint64_t bits) {
    if (type == T_f32) return ir_f32const(b, (uint32_t)bits);
    return type == T_f64 ? ir_f64const(b, bits) : ir_iconst(b, type, bits);
}

static Func *make(Arena *arena, const Form *form, const Variant *variant, uint32_t number) {
    Func *f = func_new_in(arena);
    f->name = (ExtName){.kind = NAME_USER, .index = number};
    f->sig = (Sig){.conv = CC_SYSTEM_V, .declared = true};
    f->sig.params = NEW_ARRAY(arena, AbiParam, OP_MAX_ARGS);
    Block block = block_new(f);
    block_append(f, block);
    Builder b = {f, block, NONE};
    Value args[OP_MAX_ARGS];
    for (uint32_t k = 0; k < form->n_args; k++) {
        if (k == variant->constant) {
            args[k] = constant(&b, form->args[k], variant->bits);
        } else {
            f->sig.params[f->sig.n_params++].type = (uint8_t)form->args[k];
            args[k] = block_add_param(f, block, form->args[k]);
        }
    }
    InstData data = {.op = (uint16_t)form->op, .type = (uint8_t)form->type, .code = form->code, .srcloc = NONE};
    Inst inst = ir_insert(&b, &data, args, form->n_args);
    Value results[OP_MAX_RESULTS];
    uint32_t n = inst_get(f, inst)->results.n;
    for (uint32_t k = 0; k < n; k++) results[k] = inst_result(f, inst, k);
    f->sig.results = NEW_ARRAY(arena, AbiParam, OP_MAX_RESULTS);
    f->sig.n_results = n;
    for (uint32_t k = 0; k < n; k++) f->sig.results[k].type = (uint8_t)value_type(f, results[k]);
    ir_return(&b, results, n);
    return f;
}

// ---- running ----------------------------------------------------------------------------------------

// Does it hand on the bits of a NaN, instead of making one with bits of the machine's choice?
static bool keeps_nan(Op op) {
    return op == OP_fneg || op == OP_fabs || op == OP_fcopysign || op == OP_band || op == OP_bor || op == OP_bxor ||
           op == OP_bnot || op == OP_select || op == OP_select_spectre_guard || op == OP_bitselect || op == OP_bitcast;
}

static bool same_result(const Form *form, Type type, uint64_t want, uint64_t got) {
    uint64_t quiet = type == T_f32 ? 0x400000 : UINT64_C(0x8000000000000);
    if (!keeps_nan(form->op) && is_nan(type, want)) return is_nan(type, got) && (got & quiet);
    return want == got;
}

static void call_all(Test *t, IrInterp *interp, const Func *f, const Form *form) {
    uint64_t values[OP_MAX_ARGS][MOST_VALUES];
    uint32_t n[OP_MAX_ARGS] = {1, 1, 1};
    uint32_t stride = f->sig.n_params == 3 ? 3 : 1;
    for (uint32_t k = 0; k < f->sig.n_params; k++) n[k] = values_of((Type)f->sig.params[k].type, values[k]);
    void *address = jit_find(t->jit, f->name);
    uint32_t at[OP_MAX_ARGS];
    for (at[0] = 0; at[0] < n[0]; at[0] += stride) {
        for (at[1] = 0; at[1] < n[1]; at[1] += stride) {
            for (at[2] = 0; at[2] < n[2]; at[2] += stride) {
                uint64_t args[OP_MAX_ARGS] = {0};
                uint64_t want[OP_MAX_RESULTS] = {0};
                uint64_t got[OP_MAX_RESULTS] = {0};
                for (uint32_t k = 0; k < f->sig.n_params; k++) args[k] = values[k][at[k]];
                bool traps = ir_interp_call(interp, f, args, want) == IR_INTERP_TRAP;
                JitActivation activation = {0};
                bool trapped = jit_call(t->jit, address, &f->sig, args, got, &activation) != VTR_OK;
                bool same = traps == trapped && (!traps || ir_interp_trap(interp) == activation.trap);
                for (uint32_t k = 0; same && !traps && k < f->sig.n_results; k++)
                    same = same_result(form, (Type)f->sig.results[k].type, want[k], got[k]);
                t->calls++;
                if (same || t->wrong++ > 20) continue;
                Buf text = buf_new(f->arena);
                ir_write(f, &text);
                printf("%s: %sarguments %llx %llx %llx: %s %llx instead of %s %llx\n", t->target->name, buf_str(&text),
                       (unsigned long long)args[0], (unsigned long long)args[1], (unsigned long long)args[2],
                       trapped ? "trap" : "", (unsigned long long)(trapped ? activation.trap : got[0]),
                       traps ? "trap" : "", (unsigned long long)(traps ? ir_interp_trap(interp) : want[0]));
            }
        }
    }
}

static uint32_t variants(const Form *form, unsigned step, Variant *list) {
    uint32_t n = 0;
    list[n++] = (Variant){ALL_PARAMS, 0};
    for (uint32_t k = 0; k < form->n_args; k++) {
        uint64_t values[MOST_VALUES];
        uint32_t count = values_of(form->args[k], values);
        for (uint32_t v = 0; v < count; v += step) list[n++] = (Variant){k, values[v]};
    }
    return n;
}

static void run_form(Ctx *ctx, void *arg) {
    Test *t = arg;
    Variant list[OP_MAX_ARGS * MOST_VALUES + 1];
    uint32_t n = variants(&t->form, t->step, list);
    for (unsigned level = 0; level < 2; level++) {
        Arena *arena = arena_new(ctx);
        bool host = t->target == target_host();
        // Unoptimised for every machine of its kind, optimised with all that there is.
        uint64_t all = host ? t->target->host_features() : UINT64_MAX;
        uint64_t features = level ? all : t->target->baseline;
        CompileOptions options = {
            .target = t->target, .features = features, .opt = level ? OPT_SPEED : OPT_NONE, .check = true};
        t->jit = jit_new(arena, t->target, &(JitOptions){.features = features, .reserve = 8 << 20});
        Func **funcs = NEW_ARRAY(arena, Func *, n);
        for (uint32_t k = 0; k < n; k++) {
            funcs[k] = make(arena, &t->form, &list[k], k);
            jit_add(t->jit, compile_func(arena, make(arena, &t->form, &list[k], k), &options));
        }
        jit_publish(t->jit);
        IrInterp *interp = ir_interp_new(arena, funcs, n, NULL);
        for (uint32_t k = 0; k < n; k++) call_all(t, interp, funcs[k], &t->form);
        jit_free(t->jit);
        arena_free(arena);
        t->functions += n;
    }
    t->forms++;
}

// ---- what there is ----------------------------------------------------------------------------------

static bool fits(const Form *form) {
    unsigned have = type_bits(form->args[0]);
    unsigned want = type_bits(form->type);
    switch ((OpWhen)op_info[form->op].when) {
    case WHEN_ANY: return true;
    case WHEN_ARG_NARROWER: return have < want;
    case WHEN_ARG_WIDER: return have > want;
    case WHEN_ARG_SAME: return have == want;
    }
    return false;
}

static bool covered(Op op) {
    switch ((OpFormat)op_info[op].format) {
    case FMT_unary:
    case FMT_binary:
    case FMT_ternary:
    case FMT_int_compare:
    case FMT_float_compare:
    case FMT_cond_trap:
    case FMT_add_trap: return true;
    case FMT_load_no_offset: return !op_has(op, OPF_can_load); // bitcast
    default: return false;
    }
}

static bool run_types(Ctx *ctx, Test *t, uint32_t k) {
    const OpInfo *info = &op_info[t->form.op];
    if (k == info->n_args || k == OP_MAX_ARGS) return !fits(&t->form) || ctx_try(ctx, run_form, t) == VTR_OK;
    TypeSet set = info->args[k].rule == TR_CONTROL ? (TypeSet)1 << t->form.type : info->args[k].set;
    bool right = true;
    for (unsigned type = 1; type < N_TYPES; type++) {
        if (!type_in((Type)type, set)) continue;
        t->form.args[k] = (Type)type;
        right = run_types(ctx, t, k + 1) && right;
    }
    return right;
}

static bool run_op(Ctx *ctx, Test *t, Op op) {
    const OpInfo *info = &op_info[op];
    unsigned codes = info->format == FMT_int_compare ? N_ICC : info->format == FMT_float_compare ? N_FCC : 1;
    bool trap = info->format == FMT_cond_trap || info->format == FMT_add_trap;
    bool right = true;
    for (unsigned code = 0; code < codes; code++) {
        for (unsigned type = 0; type < N_TYPES; type++) {
            if (info->suffix == SUFFIX_NONE ? type != T_none : !type_in((Type)type, info->types)) continue;
            t->form = (Form){.op = op, .code = trap ? 7 : (uint8_t)code, .type = (Type)type, .n_args = info->n_args};
            right = run_types(ctx, t, 0) && right;
        }
    }
    return right;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    Test t = {.target = target_find(argv[1]), .step = (unsigned)atoi(argv[2])};
    vtr_context *ctx;
    if (!t.target || !t.step || vtr_context_new(NULL, &ctx) != VTR_OK) return 2;
    bool right = true;
    unsigned ops = 0;
    for (unsigned op = 0; op < N_OPS; op++) {
        if (!covered((Op)op)) continue;
        ops++;
        if (run_op(ctx, &t, (Op)op)) continue;
        vtr_diagnostic_info info = {.message = "no diagnostic"};
        vtr_diagnostic(ctx, 0, &info);
        printf("%s: %s\n", op_name((Op)op), info.message);
        right = false;
    }
    vtr_context_free(ctx);
    printf("%u opcodes, %u forms, %u functions, %u calls, %u wrong\n", ops, t.forms, t.functions, t.calls, t.wrong);
    return !right || t.wrong || t.forms < 450;
}
