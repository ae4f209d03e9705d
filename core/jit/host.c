// Host functions as the code of a Jit sees them, native and simulated; and entering the simulator. jit.h has the
// theory.
#include <string.h>

#include "ir_build.h"
#include "jit/state.h"

// The convention of the C functions of this process, and of their guest addresses.
static const CallConv host_conv = CC_SYSTEM_V;

// ---- signatures ----------------------------------------------------------------------------------

static Type letter_type(const Target *t, char letter) {
    switch (letter) {
    case 'i': return T_i32;
    case 'l': return T_i64;
    case 'f': return T_f32;
    case 'd': return T_f64;
    default: return target_ptr_type(t);
    }
}

static Sig text_sig(Arena *arena, const Target *t, const char *types) {
    const char *colon = strchr(types, ':');
    Sig sig = {.conv = (uint8_t)host_conv, .declared = true, .n_params = (uint32_t)(colon - types)};
    sig.n_results = (uint32_t)strlen(colon + 1);
    sig.params = NEW_ARRAY(arena, AbiParam, sig.n_params);
    sig.results = NEW_ARRAY(arena, AbiParam, sig.n_results);
    for (uint32_t k = 0; k < sig.n_params; k++) sig.params[k].type = (uint8_t)letter_type(t, types[k]);
    for (uint32_t k = 0; k < sig.n_results; k++) sig.results[k].type = (uint8_t)letter_type(t, colon[1 + k]);
    return sig;
}

static const Sig *keep_sig(Arena *arena, const Sig *sig) {
    Sig *kept = NEW(arena, Sig);
    *kept = sig_copy(arena, sig);
    return kept;
}

// Says what signature a symbol of the host is called with; without it, simulated code takes the symbol for data.
static void declare(Jit *jit, ExtName name, const Sig *sig) {
    uint32_t sym = jit_name(jit, name);
    if (!jit->syms.v[sym].sig) jit->syms.v[sym].sig = keep_sig(jit->arena, sig);
}

void jit_declare_callees(Jit *jit, const Func *f) {
    if (!jit->sim) return;
    for (uint32_t k = 0; k < f->funcs.n; k++)
        if (f->funcs.v[k].declared) declare(jit, f->funcs.v[k].name, &f->sigs.v[f->funcs.v[k].sig]);
}

// ---- C functions for simulated code --------------------------------------------------------------

typedef struct Bridge {
    Jit *native;
    void *function;
    const Sig *sig;
} Bridge;

static void cross(void *ctx, const uint64_t *args, uint64_t *results) {
    const Bridge *bridge = ctx;
    JitActivation activation = {0};
    jit_call(bridge->native, bridge->function, bridge->sig, args, results, &activation);
}

void *jit_guest_function(Jit *jit, void *function, const Sig *sig) {
    if (!jit->sim) return function;
    const Target *host = target_host();
    if (!host)
        ctx_fail(jit->ctx, VTR_ERR_UNSUPPORTED,
                 "simulated code cannot call C functions here: Vitrail has no "
                 "description of this machine");
    if (!jit->native) jit->native = jit_new(jit->arena, host, &(JitOptions){.reserve = 1 << 20});
    Bridge *bridge = NEW(jit->arena, Bridge);
    *bridge = (Bridge){jit->native, function, keep_sig(jit->arena, sig)};
    jit_prepare_call(jit->native, bridge->sig);
    return sim_host(jit->sim, sig, cross, bridge);
}

void jit_define_function(Jit *jit, ExtName name, void *addr, const JitAdapter *adapter) {
    uint32_t number = jit_name(jit, name); // may move `syms`
    Sig sig = adapter && jit->sim ? text_sig(jit->arena, jit->target, adapter->types) : (Sig){0};
    JitSym *sym = &jit->syms.v[number];
    sym->addr = addr;
    sym->guest = NULL;
    if (!adapter || !jit->sim) return;
    sym->sig = keep_sig(jit->arena, &sig);
    sym->call = adapter->call;
    sym->call_ctx = NULL;
}

void *jit_sym_address(Jit *jit, JitSym *sym, void *addr) {
    if (!jit->sim) return addr;
    if (sym->guest) return sym->guest;
    const Sig *sig = sym->sig ? sym->sig : sym->called_as ? jit->syms.v[sym->called_as - 1].sig : NULL;
    if (!sig) return addr;
    return sym->guest =
               sym->call ? sim_host(jit->sim, sig, sym->call, sym->call_ctx) : jit_guest_function(jit, addr, sig);
}

// ---- functions that are given words --------------------------------------------------------------

enum { WORD = 8 };

static Value word_of(Builder *b, Value x) {
    Type type = value_type(b->f, x);
    if (type == T_f32) return ir_uextend(b, T_i64, ir_bitcast(b, T_i32, 0, x));
    if (type == T_f64) return ir_bitcast(b, T_i64, 0, x);
    return type == T_i64 ? x : ir_uextend(b, T_i64, x);
}

// function name(sig): puts its arguments into an array of words, calls function(ctx, args, results), and returns
// what it finds in the other array.
static Func *words_func(Jit *jit, ExtName name, const Sig *sig, SimHost *function, void *ctx) {
    Func *f = func_new(jit->ctx);
    Type ptr = target_ptr_type(jit->target);
    f->name = name;
    f->sig = sig_copy(f->arena, sig);
    Sig inner = text_sig(f->arena, jit->target, "ppp:");
    vec_push(f->arena, &f->sigs, inner);
    uint32_t sizes[2] = {sig->n_params, sig->n_results};
    for (unsigned k = 0; k < 2; k++)
        vec_push(f->arena, &f->slots, (StackSlot){.size = WORD * (sizes[k] + 1), .align = WORD, .declared = true});
    Builder b = {.f = f, .at = block_new(f), .srcloc = NONE};
    block_append(f, b.at);
    uint8_t flags = MF_NOTRAP | MF_ALIGNED;
    Value *params = NEW_ARRAY(f->arena, Value, sig->n_params);
    for (uint32_t k = 0; k < sig->n_params; k++) params[k] = block_add_param(f, b.at, (Type)sig->params[k].type);
    Value args = ir_stack_addr(&b, ptr, 0, 0);
    Value results = ir_stack_addr(&b, ptr, 1, 0);
    for (uint32_t k = 0; k < sig->n_params; k++) ir_store(&b, flags, word_of(&b, params[k]), args, (int32_t)(WORD * k));
    for (uint32_t k = 0; k < sig->n_results; k++)
        ir_store(&b, flags, ir_iconst(&b, T_i64, 0), results, (int32_t)(WORD * k));
    Value passed[3] = {ir_iconst(&b, ptr, (uint64_t)(uintptr_t)ctx), args, results};
    ir_call_indirect(&b, 0, ir_iconst(&b, ptr, (uint64_t)(uintptr_t)function), passed, 3);
    Value *out = NEW_ARRAY(f->arena, Value, sig->n_results);
    for (uint32_t k = 0; k < sig->n_results; k++)
        out[k] = ir_load(&b, (Type)sig->results[k].type, flags, results, (int32_t)(WORD * k));
    ir_return(&b, out, sig->n_results);
    return f;
}

void jit_define_host(Jit *jit, ExtName name, const Sig *sig, SimHost *function, void *ctx) {
    if (jit->sim) {
        const Sig *kept = keep_sig(jit->arena, sig);
        JitSym *sym = &jit->syms.v[jit_name(jit, name)];
        sym->sig = kept;
        sym->call = function;
        sym->call_ctx = ctx;
        sym->guest = NULL;
        return;
    }
    Func *f = words_func(jit, name, sig, function, ctx);
    CompileOptions options = {.target = jit->target, .opt = OPT_NONE};
    Arena *tmp = arena_new(jit->ctx);
    jit_add(jit, compile_func(tmp, f, &options));
    arena_free(tmp);
    arena_free(f->arena);
}

// ---- which machine -------------------------------------------------------------------------------

JitMachine jit_machine(Ctx *ctx, const char *target, const char *features, bool simulate) {
    JitMachine m = {.target = target ? target_find(target) : target_host()};
    const char *wrong;
    size_t n;
    if (target && !m.target) ctx_fail(ctx, VTR_ERR_NOT_FOUND, "there is no target '%s'", target);
    if (!m.target) return m;
    m.simulate = simulate || m.target != target_host();
    m.features = m.simulate ? m.target->baseline : m.target->host_features();
    if (features && !target_features(m.target, features, &m.features, &wrong, &n))
        ctx_fail(ctx, VTR_ERR_NOT_FOUND, "%s has no feature '%.*s'", m.target->name, (int)n, wrong);
    return m;
}

// ---- the simulator -------------------------------------------------------------------------------

static void call_trap_exit(void *ctx, const uint64_t *args, uint64_t *results) {
    (void)ctx;
    results[0] = (uint64_t)(uintptr_t)jit_trap_exit((char *)(uintptr_t)args[0], (Jit *)(uintptr_t)args[1],
                                                    (const void *)(uintptr_t)args[2]);
}
const JitAdapter jit_trap_adapter = {"ppp:p", call_trap_exit};

Sim *jit_sim(const Jit *jit) { return jit->sim; }

static _Noreturn void stopped(const Jit *jit, const SimStop *stop) {
    JitFrame frame;
    const char *what = sim_event_text(stop->event);
    vtr_status status = stop->event == SIM_FUEL ? VTR_ERR_LIMIT : VTR_ERR_INTERNAL;
    if (!jit_lookup(jit, stop->pc, &frame))
        ctx_fail(jit->ctx, status, "simulated %s: %s at %p", jit->target->name, what, stop->pc);
    ctx_fail(jit->ctx, status, "simulated %s: %s at %s+0x%x", jit->target->name, what,
             name_text(jit->arena, frame.func), frame.offset);
}

int jit_simulate(Jit *jit, void *thunk, const uint64_t words[4]) {
    uint8_t ptr = (uint8_t)target_ptr_type(jit->target);
    AbiParam params[4] = {{.type = ptr}, {.type = ptr}, {.type = ptr}, {.type = ptr}};
    AbiParam result = {.type = T_i32};
    Sig sig = {.params = params, .results = &result, .n_params = 4, .n_results = 1, .declared = true};
    sig.conv = (uint8_t)host_conv;
    SimStop stop;
    uint64_t status = 0;
    if (!sim_call(jit->sim, thunk, &sig, words, &status, &stop)) stopped(jit, &stop);
    return (int)status;
}
