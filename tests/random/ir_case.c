#include "ir_case.h"

#include "ir/text.h"
#include "select/select.h"
#include "stack/stack.h"
#include "verify/ir_verify.h"

enum { FUEL = 1000000 };

// ---- ways to compile ----------------------------------------------------------------------------

void way_describe(const Way *way, Buf *out) {
    buf_printf(
        out,
        "%s%s, passes %s, registers %s, fold %d, features 0x%llx, max_regs %u, seed %llu, squeeze %llu, frame %u, "
        "edges %u",
        way->simulate ? "simulated " : "", way->target->name, way->opt == OPT_NONE ? "none" : "speed",
        way->ra == RA_NONE ? "none" : "speed", way->fold, (unsigned long long)way->features, way->stress.max_regs,
        (unsigned long long)way->stress.seed, (unsigned long long)way->stress.squeeze, way->stress.frame,
        way->stress.edges);
}

// Leaves out features whose implied ones are not there.
static uint64_t closed(const Target *t, uint64_t features) {
    for (unsigned round = 0; round < t->n_features; round++) {
        for (unsigned k = 0; k < t->n_features; k++) {
            if (t->features[k].implies & ~features) features &= ~(UINT64_C(1) << k);
        }
    }
    return features;
}

Way way_random(const Target *target, uint64_t seed, uint32_t index) {
    bool simulate = target != target_host() || (seed + index) % 4 == 3;
    uint64_t all = target->stack ? target->baseline // others take engines that have them
                   : simulate    ? target_all_features(target)
                                 : target->host_features();
    if (index < 2) return (Way){target, simulate, (OptLevel)index, (RaKind)index, index != 0, all, {0}};
    Random r = random_new(seed * 64 + index);
    Way way = {.target = target, .simulate = simulate, .opt = (OptLevel)pick(&r, 2)};
    way.ra = (RaKind)(pick(&r, 3) != 0);
    way.fold = pick(&r, 3) != 0;
    if (pick(&r, 2)) way.features = closed(target, all & random_word(&r));
    if (pick(&r, 4) == 0) way.features = all;
    if (pick(&r, 3)) way.stress = (Stress){.max_regs = 3 + pick(&r, 6), .seed = pick(&r, 4) ? 1 + pick(&r, 1000) : 0};
    if (!pick(&r, 3)) way.stress.squeeze = 1 + pick(&r, 1000);
    if (!pick(&r, 3)) way.stress.frame = pick(&r, 5000);
    if (!pick(&r, 2)) way.stress.edges = 1 + pick(&r, 30);
    return way;
}

// ---- running ------------------------------------------------------------------------------------

void case_arguments(const RandomProgram *program, uint64_t seed, uint32_t run, Arguments *args) {
    const Sig *sig = &program->entry->sig;
    Random r = random_new(seed ^ (uint64_t)(run + 1) << 48);
    for (uint32_t k = 0; k < sig->n_params; k++) args->values[k] = random_bits(&r, (Type)sig->params[k].type);
    for (uint32_t k = 0; k < RANDOM_ROOM; k++) args->memory[k] = k < RANDOM_BUFFER ? (uint8_t)pick(&r, 256) : 0;
    args->memory[RANDOM_FUEL] = (uint8_t)(1 + pick(&r, 60));
    args->memory[RANDOM_CALLS] = (uint8_t)(1 + pick(&r, 30));
    if (program->memory_arg != NONE) args->values[program->memory_arg] = (uint64_t)(uintptr_t)args->memory;
}

Outcome case_interpret(const RandomProgram *program, Arguments *args) {
    Outcome out = {0};
    Arena *arena = arena_new(program->entry->ctx);
    IrInterpOptions options = {.host = {.call = ir_interp_libcall}, .fuel = FUEL, .stack_size = 1 << 14};
    IrInterp *interp = ir_interp_new(arena, program->funcs, program->n, &options);
    out.status = (uint8_t)ir_interp_call(interp, program->entry, args->values, out.results);
    if (out.status == IR_INTERP_TRAP) out.trap = ir_interp_trap(interp);
    if (out.status == IR_INTERP_ERROR) ctx_bug(program->entry->ctx, "interpreter: %s", ir_interp_error(interp));
    out.executed = ir_interp_executed(interp);
    memcpy(out.memory, args->memory, RANDOM_ROOM);
    arena_free(arena);
    return out;
}

// What compile_func() does, with each part's options free.
Code *case_code(Arena *arena, Func *f, const Way *way) {
    const Target *target = way->target;
    PassOptions passes = {
        .level = way->opt, .verify = true, .fuel = UINT64_MAX, .covers = target->covers, .features = way->features};
    const Abi *abi = target->conv[f->sig.conv];
    passes.stack_align = abi ? abi->stack_align : 0;
    passes_run(f, &passes);
    SelOptions select = {.features = way->features, .fold = way->fold, .stress = &way->stress};
    MFunc *m = select_func(arena, f, target, &select);
    if (target->stack) return stack_emit(arena, m, TRAPS_INSN, way->ra != RA_NONE, true);
    MFunc *before = mfunc_copy(arena, m);
    ra_allocate(m, way->ra, &way->stress);
    ra_check(before, m);
    return emit_func(arena, m, TRAPS_CALL);
}

void case_compile(Jit *jit, const RandomProgram *program, const Way *way) {
    Arena *arena = arena_new(program->entry->ctx);
    for (uint32_t k = 0; k < program->n; k++) {
        jit_add(jit, case_code(arena, program->funcs[k], way));
        arena_reset(arena);
    }
    jit_publish(jit);
    arena_free(arena);
}

Outcome case_call(Jit *jit, const RandomProgram *program, Arguments *args) {
    Outcome out = {.status = IR_INTERP_OK};
    const Sig *sig = &program->entry->sig;
    // The bits of a slot above a narrow argument mean nothing.
    Random r = random_new(args->values[0]);
    for (uint32_t k = 0; k < sig->n_params; k++) {
        unsigned bits = type_bits((Type)sig->params[k].type);
        if (bits < 64) args->values[k] |= random_word(&r) << bits;
    }
    JitActivation activation = {0};
    void *entry = jit_find(jit, program->entry->name);
    if (jit_call(jit, entry, sig, args->values, out.results, &activation) != VTR_OK) {
        out.status = IR_INTERP_TRAP;
        out.trap = (uint8_t)activation.trap;
    }
    memcpy(out.memory, args->memory, RANDOM_ROOM);
    return out;
}

// ---- comparing ----------------------------------------------------------------------------------

bool case_same(const RandomProgram *program, const Outcome *a, const Outcome *b) {
    if (a->status != b->status || a->trap != b->trap) return false;
    if (memcmp(a->memory, b->memory, RANDOM_ROOM)) return false;
    if (a->status != IR_INTERP_OK) return true;
    const Sig *sig = &program->entry->sig;
    for (uint32_t k = 0; k < sig->n_results; k++) {
        Type type = (Type)sig->results[k].type;
        if (is_nan(type, a->results[k]) && is_nan(type, b->results[k])) continue;
        if (a->results[k] != b->results[k]) return false;
    }
    return true;
}

void case_describe(const RandomProgram *program, const Outcome *o, Buf *out) {
    const Sig *sig = &program->entry->sig;
    if (o->status == IR_INTERP_TRAP) {
        buf_text(out, "trap ");
        text_put_trap(out, o->trap);
    }
    for (uint32_t k = 0; k < sig->n_results && o->status == IR_INTERP_OK; k++) {
        buf_printf(out, "%s", k ? ", " : "");
        text_put_value(out, (Type)sig->results[k].type, o->results[k]);
    }
    buf_text(out, "; memory");
    for (uint32_t k = 0; k < RANDOM_ROOM; k++) buf_printf(out, "%s%02x", k % 8 ? "" : " ", o->memory[k]);
}

void case_free(RandomProgram *program) {
    for (uint32_t k = 0; k < program->n; k++) arena_free(program->funcs[k]->arena);
}
