// Calls of compiled code from the host: one entry thunk for each signature.
#include "jit/state.h"

static bool param_eq(const AbiParam *a, const AbiParam *b) {
    return a->type == b->type && a->ext == b->ext && a->purpose == b->purpose && a->sarg_size == b->sarg_size;
}

static bool sig_eq(const Sig *a, const Sig *b) {
    if (a->conv != b->conv || a->n_params != b->n_params || a->n_results != b->n_results) return false;
    for (uint32_t k = 0; k < a->n_params; k++)
        if (!param_eq(&a->params[k], &b->params[k])) return false;
    for (uint32_t k = 0; k < a->n_results; k++)
        if (!param_eq(&a->results[k], &b->results[k])) return false;
    return true;
}

static uint64_t sig_hash(const Sig *sig) {
    uint64_t hash = hash_u64(sig->conv + ((uint64_t)sig->n_params << 8) + ((uint64_t)sig->n_results << 36));
    for (uint32_t k = 0; k < sig->n_params; k++)
        hash = hash_u64(hash ^ (sig->params[k].type | (uint32_t)sig->params[k].ext << 8));
    for (uint32_t k = 0; k < sig->n_results; k++) hash = hash_u64(hash ^ sig->results[k].type);
    return hash;
}

static void make_entry(Jit *jit, const Sig *sig, uint64_t hash) {
    if (sig->n_params > INT32_MAX / THUNK_CELL || sig->n_results > INT32_MAX / THUNK_CELL)
        ctx_fail(jit->ctx, VTR_ERR_LIMIT, "a signature with too many parameters");
    Arena *tmp = arena_new(jit->ctx);
    Func *f = thunk_entry(jit->ctx, jit->target, sig);
    f->name = name_of(arena_printf(tmp, "__vtr_entry %u", jit->entries.n));
    // One that was added but not published by an earlier, failed call is pending still.
    jit_free_function(jit, f->name);
    CompileOptions options = {.target = jit->target, .opt = OPT_NONE};
    jit_add(jit, compile_func(tmp, f, &options));
    jit_publish(jit);
    JitEntry entry = {sig_copy(jit->arena, sig), jit_find(jit, f->name), 0};
    vec_reserve(jit->arena, &jit->entries, 1);
    uint32_t *head = map_add(&jit->sigs, hash, 0, NULL);
    entry.next = *head;
    jit->entries.v[jit->entries.n++] = entry;
    *head = jit->entries.n;
    arena_free(f->arena);
    arena_free(tmp);
}

// The thunk by which functions of this signature are called.
static void *entry_thunk(Jit *jit, const Sig *sig) {
    uint64_t hash = sig_hash(sig);
    for (;;) {
        const uint32_t *head = map_find(&jit->sigs, hash);
        for (uint32_t k = head ? *head : 0; k; k = jit->entries.v[k - 1].next)
            if (sig_eq(&jit->entries.v[k - 1].sig, sig)) return jit->entries.v[k - 1].thunk;
        make_entry(jit, sig, hash);
    }
}

void jit_prepare_call(Jit *jit, const Sig *sig) { entry_thunk(jit, sig); }

vtr_status jit_call(Jit *jit, void *fn, const Sig *sig, const uint64_t *args, uint64_t *results,
                    JitActivation *activation) {
    typedef int (*Entry)(void *fn, const uint64_t *args, uint64_t *results, JitActivation *activation);
    void *thunk = entry_thunk(jit, sig);
    for (uint32_t k = 0; k < sig->n_results; k++) results[k] = 0;
    activation->jit = jit;
    activation->exit.sp = NULL;
    activation->trap = 0;
    activation->n_frames = 0;
    activation->depth = 0;
    uint64_t words[4] = {(uintptr_t)fn, (uintptr_t)args, (uintptr_t)results, (uintptr_t)activation};
    int trapped = jit->sim ? jit_simulate(jit, thunk, words) : ((Entry)(uintptr_t)thunk)(fn, args, results, activation);
    return trapped ? VTR_ERR_TRAP : VTR_OK;
}
