// Random functions, run by the IR interpreter and as machine code at both levels; results, memory and traps must be
// equal. Every opcode that a function can hold without a call takes part, at random types, over values, constants,
// memory, a stack slot and diamonds of blocks. NaNs that arithmetic makes are replaced by one NaN, since their bits are
// free.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp.h"
#include "ir_build.h"
#include "compile/compile.h"
#include "jit/jit.h"
#include "support/bits.h"
#include "unit.h"

enum { BUFFER = 256, MAX_POOL = 64, N_PARAMS = 7 };

typedef struct Gen {
    uint64_t state;
    Func *f;
    Builder b;
    Value pool[MAX_POOL];
    unsigned n_pool;
    Value memory;
    uint32_t slot;
    unsigned n_ops;
} Gen;

static uint64_t next(Gen *g) {
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return g->state * UINT64_C(0x2545f4914f6cdd1d);
}
static unsigned below(Gen *g, unsigned n) { return (unsigned)((next(g) >> 32) % n); }

static const uint64_t special[] = {0, 1, 2, 3, 5, 7, 8, 15, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff,
                                   0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
                                   0x8000000000000000, 0xffffffffffffffff, 0xffffffffffffff80, 0xffffffff80000000,
                                   // floats
                                   0x3f800000, 0xbf800000, 0x7f800000, 0x7fc00000, 0x4f000000, 0x80000001,
                                   0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000, 0x7ff8000000000000,
                                   0x43e0000000000000, 0x4060000000000000, 0xc1e0000000000000, 0x0000000000000001};

static uint64_t bits(Gen *g) {
    unsigned kind = below(g, 4);
    if (kind < 2) return special[below(g, sizeof special / sizeof special[0])];
    if (kind == 2) return next(g) >> below(g, 64);
    return next(g);
}

static Value constant(Gen *g, Type type) {
    uint64_t c = bits(g);
    if (type == T_f32) return ir_f32const(&g->b, (uint32_t)c);
    if (type == T_f64) return ir_f64const(&g->b, c);
    return ir_iconst(&g->b, type, bit_zext(c, type_bits(type)));
}

static Value some_value(Gen *g, Type type) {
    if (below(g, 6)) {
        unsigned from = below(g, g->n_pool);
        for (unsigned k = 0; k < g->n_pool; k++) {
            Value v = g->pool[(from + k) % g->n_pool];
            if (value_type(g->f, v) == type) return v;
        }
    }
    return constant(g, type);
}

static void keep(Gen *g, Value v) {
    if (g->n_pool < MAX_POOL) {
        g->pool[g->n_pool++] = v;
    } else {
        g->pool[N_PARAMS + below(g, MAX_POOL - N_PARAMS)] = v;
    }
}

static Type pick(Gen *g, TypeSet set) {
    unsigned n = bit_popcount64(set);
    unsigned skip = below(g, n);
    for (unsigned t = 0; t < N_TYPES; t++)
        if (set >> t & 1 && skip-- == 0) return (Type)t;
    return T_i32;
}

static Type type_by(Gen *g, const OpType *rule, Type control) {
    switch (rule->rule) {
    case TR_CONTROL: return control;
    case TR_HALF: return (Type)type_info[control].half;
    case TR_DOUBLE: return (Type)type_info[control].twice;
    default: return pick(g, rule->set);
    }
}

static bool widths_fit(uint8_t when, Type control, Type arg) {
    unsigned c = type_bits(control);
    unsigned a = type_bits(arg);
    return when == WHEN_ANY || (when == WHEN_ARG_NARROWER && a < c) || (when == WHEN_ARG_WIDER && a > c) ||
           (when == WHEN_ARG_SAME && a == c);
}

static bool computes_floats(Op op) {
    switch (op) {
    case OP_fadd:
    case OP_fsub:
    case OP_fmul:
    case OP_fdiv:
    case OP_sqrt:
    case OP_fma:
    case OP_fmin:
    case OP_fmax:
    case OP_ceil:
    case OP_floor:
    case OP_trunc:
    case OP_nearest:
    case OP_fpromote:
    case OP_fdemote: return true;
    default: return false;
    }
}

static Value one_nan(Gen *g, Value v) {
    Value nan = value_type(g->f, v) == T_f32 ? ir_f32const(&g->b, 0x7fc00000) : ir_f64const(&g->b, 0x7ff8000000000000);
    return ir_select(&g->b, ir_fcmp(&g->b, FCC_uno, v, v), nan, v);
}

// An address inside the buffer or the stack slot with room for 8 bytes, as a sum that selection may take apart.
static Value address(Gen *g, int64_t *offset) {
    bool slot = below(g, 4) == 0;
    unsigned room = slot ? 64 : BUFFER;
    Value p = g->memory;
    *offset = 0;
    if (slot) {
        InstData d = {.op = OP_stack_addr, .type = T_i64, .ref = g->slot, .imm = below(g, 8)};
        p = inst_result(g->f, ir_insert(&g->b, &d, NULL, 0), 0);
        room -= 8;
    }
    if (below(g, 2)) {
        Value index = ir_band(&g->b, some_value(g, T_i64), ir_iconst(&g->b, T_i64, 3));
        unsigned shift = below(g, 4);
        index = below(g, 2) ? ir_ishl(&g->b, index, ir_iconst(&g->b, T_i8, shift)) : index;
        p = below(g, 2) ? ir_iadd(&g->b, p, index) : ir_iadd(&g->b, index, p);
        room -= 24;
    }
    if (below(g, 2)) {
        unsigned c = below(g, room / 2 - 8);
        p = ir_iadd(&g->b, p, ir_iconst(&g->b, T_i64, c));
        room -= c;
    }
    *offset = below(g, room - 8);
    if (!slot && below(g, 3) == 0) keep(g, p); // both runs use the same buffer, but not the same stack
    return p;
}

static void memory_op(Gen *g, Op op, Type control) {
    const OpInfo *info = &op_info[op];
    InstData d = {.op = (uint16_t)op, .type = (uint8_t)control, .memflags = below(g, 2) ? MF_NOTRAP : 0};
    Value args[2];
    unsigned n = 0;
    int64_t offset;
    if (info->n_args == 2) args[n++] = some_value(g, type_by(g, &info->args[0], control));
    args[n++] = address(g, &offset);
    if (info->format == FMT_load || info->format == FMT_store) d.imm = offset;
    Inst i = ir_insert(&g->b, &d, args, n);
    if (inst_get(g->f, i)->results.n) keep(g, inst_result(g->f, i, 0));
}

static void plain_op(Gen *g, Op op, Type control) {
    const OpInfo *info = &op_info[op];
    InstData d = {.op = (uint16_t)op, .type = (uint8_t)control};
    Value args[OP_MAX_ARGS];
    for (unsigned k = 0; k < info->n_args; k++) {
        Type type = type_by(g, &info->args[k], control);
        if (k == 0 && !widths_fit(info->when, control, type)) return;
        args[k] = some_value(g, type);
    }
    if (info->format == FMT_int_compare) d.code = (uint8_t)below(g, N_ICC);
    if (info->format == FMT_float_compare) d.code = (uint8_t)below(g, N_FCC);
    if (info->format == FMT_cond_trap || info->format == FMT_add_trap) d.code = (uint8_t)(1 + below(g, 9));
    Inst i = ir_insert(&g->b, &d, args, info->n_args);
    for (uint32_t k = 0; k < inst_get(g->f, i)->results.n; k++) {
        Value v = inst_result(g->f, i, k);
        keep(g, computes_floats(op) ? one_nan(g, v) : v);
    }
}

static void random_op(Gen *g) {
    Op op = (Op)below(g, N_OPS);
    const OpInfo *info = &op_info[op];
    if (info->flags & (OPF_terminator | OPF_call | OPF_variadic) || op == OP_debugtrap) return;
    switch (info->format) {
    case FMT_imm64:
    case FMT_ieee32:
    case FMT_ieee64:
    case FMT_func_addr:
    case FMT_stack_addr:
    case FMT_global:
    case FMT_nullary: return;
    default: break;
    }
    // What traps ends the run: a few of it will do.
    if (op_has(op, OPF_can_trap) && !op_has(op, OPF_can_load | OPF_can_store) && below(g, 4)) return;
    Type control = info->types ? pick(g, info->types) : T_none;
    if (op_has(op, OPF_can_load | OPF_can_store)) {
        if (control == T_i32 && info->args[info->n_args - 1].rule == TR_CONTROL) control = T_i64; // the address's type
        memory_op(g, op, control);
    } else {
        plain_op(g, op, control);
    }
    g->n_ops++;
}

static void some_ops(Gen *g, unsigned n) {
    for (unsigned end = g->n_ops + n; g->n_ops < end;) random_op(g);
}

// if (value) { ops } else { ops }, with what each side made as parameters of the join.
static void diamond(Gen *g) {
    Block sides[2] = {block_new(g->f), block_new(g->f)};
    Block join = block_new(g->f);
    Type types[2] = {pick(g, TS_int | TS_float), pick(g, TS_int)};
    Value params[2];
    for (unsigned k = 0; k < 2; k++) params[k] = block_add_param(g->f, join, types[k]);
    Value c = below(g, 2) ? ir_icmp(&g->b, (IntCC)below(g, N_ICC), some_value(g, T_i32), some_value(g, T_i32))
                          : some_value(g, pick(g, TS_int));
    if (below(g, 4) == 0) { // straight to the join, two critical edges
        Value a[2] = {some_value(g, types[0]), some_value(g, types[1])};
        Value b[2] = {some_value(g, types[0]), some_value(g, types[1])};
        (void)ir_brif(&g->b, c, join, a, 2, join, b, 2);
    } else {
        (void)ir_brif(&g->b, c, sides[0], NULL, 0, sides[1], NULL, 0);
        Value saved[MAX_POOL];
        unsigned n_saved = g->n_pool;
        memcpy(saved, g->pool, sizeof saved);
        for (unsigned k = 0; k < 2; k++) {
            block_append(g->f, sides[k]);
            g->b.at = sides[k];
            some_ops(g, 1 + below(g, 4));
            Value out[2] = {some_value(g, types[0]), some_value(g, types[1])};
            (void)ir_jump(&g->b, join, out, 2);
            memcpy(g->pool, saved, sizeof saved);
            g->n_pool = n_saved;
        }
    }
    block_append(g->f, join);
    g->b.at = join;
    for (unsigned k = 0; k < 2; k++) keep(g, params[k]);
}

static Func *random_function(Ctx *ctx, uint64_t seed) {
    static const uint8_t types[N_PARAMS + 1] = {T_i64, T_i8, T_i16, T_i32, T_i64, T_f32, T_f64, T_i64};
    Gen g = {.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1, .f = func_new(ctx)};
    Func *f = g.f;
    f->name = name_of("f");
    f->sig = (Sig){.n_params = N_PARAMS + 1, .n_results = 2, .conv = CC_SYSTEM_V, .declared = true};
    f->sig.params = NEW_ARRAY(f->arena, AbiParam, N_PARAMS + 1);
    f->sig.results = NEW_ARRAY(f->arena, AbiParam, 2);
    Block entry = block_new(f);
    block_append(f, entry);
    for (unsigned k = 0; k <= N_PARAMS; k++) {
        f->sig.params[k].type = types[k];
        Value v = block_add_param(f, entry, (Type)types[k]);
        if (k) g.pool[g.n_pool++] = v;
        else g.memory = v;
    }
    f->sig.results[0].type = T_i64;
    f->sig.results[1].type = T_f64;
    vec_push(f->arena, &f->slots, (StackSlot){.size = 80, .align = 8, .declared = true});
    g.b = (Builder){f, entry, NONE};
    for (unsigned k = 0; k < 80; k += 8) { // what is in a slot is undefined until it is written
        InstData a = {.op = OP_stack_addr, .type = T_i64, .imm = k};
        Value args[2] = {some_value(&g, T_i64), inst_result(f, ir_insert(&g.b, &a, NULL, 0), 0)};
        InstData d = {.op = OP_store, .type = T_i64};
        (void)ir_insert(&g.b, &d, args, 2);
    }
    some_ops(&g, 4 + below(&g, 12));
    for (unsigned n = below(&g, 4); n > 0; n--) {
        diamond(&g);
        some_ops(&g, below(&g, 10));
    }
    Value results[2] = {some_value(&g, T_i64), some_value(&g, T_f64)};
    (void)ir_return(&g.b, results, 2);
    return f;
}

// ---- running -------------------------------------------------------------------------------------------

typedef struct Outcome {
    uint64_t results[2];
    uint8_t memory[BUFFER];
    int trap; // 0 = none
} Outcome;

typedef struct Job {
    uint64_t seed;
    char what[300]; // what failed
    char *text;     // malloc: the function
} Job;

static void interpret(Arena *arena, Func *f, const uint64_t *args, Outcome *out) {
    IrInterpOptions options = {.host = {.call = ir_interp_libcall}, .fuel = 100000};
    IrInterp *interp = ir_interp_new(arena, &f, 1, &options);
    IrInterpStatus status = ir_interp_call(interp, f, args, out->results);
    out->trap = status == IR_INTERP_TRAP ? ir_interp_trap(interp) : status == IR_INTERP_OK ? 0 : -1;
}

static Jit *compile(Arena *arena, Func *f, OptLevel opt, bool features) {
    CompileOptions options = {.target = target_host(), .opt = opt, .check = true};
    if (features) options.features = target_host()->host_features();
    Jit *jit = jit_new(arena, target_host(), &(JitOptions){.reserve = 1 << 20, .use_dlsym = true});
    jit_add(jit, compile_func(arena, f, &options));
    jit_publish(jit);
    return jit;
}

// The function of a seed as text.
static void write_seed(Ctx *ctx, void *arg) {
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    Buf text = buf_new(arena);
    ir_write(random_function(ctx, job->seed), &text);
    job->text = strdup(buf_str(&text));
    arena_free(arena);
}

static void differ(Job *job, OptLevel opt, const Outcome *want, const Outcome *got) {
    unsigned at = 0;
    while (at < BUFFER && want->memory[at] == got->memory[at]) at++;
    snprintf(job->what, sizeof job->what,
             "level %d: results %llx %llx, trap %d, not %llx %llx, trap %d; memory differs at %u of %d", (int)opt,
             (unsigned long long)got->results[0], (unsigned long long)got->results[1], got->trap,
             (unsigned long long)want->results[0], (unsigned long long)want->results[1], want->trap, at, BUFFER);
}

static void run_seed(Ctx *ctx, void *arg) {
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    static _Alignas(16) uint8_t buffer[BUFFER];
    Gen g = {.state = job->seed * 77 + 5};
    uint64_t args[4][N_PARAMS + 1];
    Outcome want[4];
    Func *f = random_function(ctx, job->seed);
    for (unsigned k = 0; k < 4; k++) {
        for (unsigned a = 0; a <= N_PARAMS; a++) {
            args[k][a] = a ? bits(&g) : (uint64_t)(uintptr_t)buffer;
            args[k][a] = bit_zext(args[k][a], type_bits((Type)f->sig.params[a].type));
        }
        for (unsigned at = 0; at < BUFFER; at++) buffer[at] = (uint8_t)(at * 37 + k);
        interpret(arena, f, args[k], &want[k]);
        memcpy(want[k].memory, buffer, BUFFER);
    }
    for (OptLevel opt = OPT_NONE; opt <= OPT_SPEED; opt++) {
        Func *again = random_function(ctx, job->seed);
        Jit *jit = compile(arena, again, opt, job->seed % 2);
        for (unsigned k = 0; k < 4; k++) {
            Outcome got = {0};
            JitActivation act = {0};
            for (unsigned at = 0; at < BUFFER; at++) buffer[at] = (uint8_t)(at * 37 + k);
            vtr_status status = jit_call(jit, jit_find(jit, again->name), &again->sig, args[k], got.results, &act);
            memcpy(got.memory, buffer, BUFFER);
            got.trap = status == VTR_ERR_TRAP ? (int)act.trap : 0;
            bool same = got.trap == want[k].trap && memcmp(got.memory, want[k].memory, BUFFER) == 0;
            if (same && !got.trap) same = memcmp(got.results, want[k].results, sizeof got.results) == 0;
            if (!same) {
                differ(job, opt, &want[k], &got);
                return;
            }
        }
        jit_free(jit);
    }
    arena_free(arena);
}

static uint64_t number_of(const char *variable, uint64_t otherwise) {
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

START_TEST(machine_code_computes_what_the_interpreter_does) {
    uint64_t first = number_of("VITRAIL_SELECT_SEED", 1);
    uint64_t n = number_of("VITRAIL_SELECT_ROUNDS", 400);
    for (uint64_t seed = first; seed < first + n; seed++) {
        Ctx *ctx = test_context();
        Job job = {.seed = seed};
        vtr_status status = ctx_try(ctx, run_seed, &job);
        vtr_diagnostic_info info = {.message = ""};
        vtr_diagnostic(ctx, 0, &info);
        if (status != VTR_OK) snprintf(job.what, sizeof job.what, "%s: %s", vtr_status_name(status), info.message);
        if (job.what[0]) (void)ctx_try(ctx, write_seed, &job);
        ck_assert_msg(!job.what[0], "seed %llu, %s\n%s", (unsigned long long)seed, job.what, job.text);
        vtr_context_free(ctx);
    }
}
END_TEST

int main(void) {
    TCase *t = tcase_create("random");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, machine_code_computes_what_the_interpreter_does);
    return run_tests("select_random", t);
}
