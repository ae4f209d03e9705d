// The JIT's functions and symbols: adding, publishing, freeing. jit.h has the theory.
//
// Invariant: everything that can throw in jit_add() and jit_publish() comes before the first change that a later
// call could see, so a failure leaves the Jit as it was.
#include "jit/jit.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "jit/state.h"

enum { RESERVE_DEFAULT = 64 << 20 };

// ---- making and freeing --------------------------------------------------------------------------

static void free_func(Jit *jit, JitFunc *func) { ctx_free(jit->ctx, func, func->size); }

static void free_batch(Jit *jit, JitBatch *batch) {
    for (uint32_t k = 0; k < batch->n; k++) free_func(jit, batch->funcs[k]);
    ctx_free(jit->ctx, batch, batch->alloc);
}

static void drop_spare(Jit *jit) {
    if (jit->spare) ctx_free(jit->ctx, jit->spare, jit->spare->alloc);
    jit->spare = NULL;
}

static void destroy(void *data) {
    Jit *jit = data;
    for (uint32_t k = 0; k < jit->pending.n; k++) free_func(jit, jit->pending.v[k]);
    for (uint32_t k = 0; k < jit->batches.n; k++) free_batch(jit, jit->batches.v[k]);
    jit->pending.n = jit->batches.n = 0;
    drop_spare(jit);
    code_memory_release(&jit->memory);
    sim_free(jit->sim);
    if (jit->native) destroy(jit->native);
}

Jit *jit_new(Arena *arena, const Target *target, const JitOptions *options) {
    Ctx *ctx = arena_ctx(arena);
    JitOptions chosen = options ? *options : (JitOptions){0};
    if (!target) ctx_fail(ctx, VTR_ERR_USAGE, "code for no target");
    Jit *jit = NEW(arena, Jit);
    jit->ctx = ctx;
    jit->arena = arena;
    jit->target = target;
    jit->use_dlsym = chosen.use_dlsym;
    jit->names = interner_new(arena);
    jit->sigs = map_new(arena);
    arena_on_free(arena, destroy, jit);
    bool simulate = chosen.simulate || target != target_host();
    code_memory_init(&jit->memory, arena, chosen.reserve ? chosen.reserve : RESERVE_DEFAULT, !simulate);
    if (simulate) jit->sim = sim_new(arena, target, &(SimOptions){chosen.features, chosen.stack, chosen.fuel});
    // ISO C has no conversion from function to object pointers; POSIX does.
    jit_define_function(jit, name_of(THUNK_TRAP_EXIT), (void *)(uintptr_t)jit_trap_exit, &jit_trap_adapter);
    jit_define_symbol(jit, name_of(THUNK_SELF), jit);
    Arena *tmp = arena_new(ctx);
    jit_add(jit, thunk_trap(tmp, target, false));
    arena_free(tmp);
    return jit;
}

void jit_free(Jit *jit) {
    if (jit) destroy(jit);
}

// ---- names ---------------------------------------------------------------------------------------

typedef struct NameKey {
    const char *text; // NULL: the bytes are in `user`
    size_t len;
    char user[1 + 2 * sizeof(uint32_t)];
} NameKey;

static NameKey name_key(ExtName name) {
    if (name.kind == NAME_TEXT) return (NameKey){.text = name.text, .len = strlen(name.text)};
    // A text has no NUL, so the two kinds of keys differ.
    NameKey key = {.len = sizeof key.user};
    memcpy(key.user + 1, &name.space, sizeof name.space);
    memcpy(key.user + 1 + sizeof name.space, &name.index, sizeof name.index);
    return key;
}

uint32_t jit_name(Jit *jit, ExtName name) {
    NameKey key = name_key(name);
    uint32_t number = intern(&jit->names, key.text ? key.text : key.user, key.len);
    while (jit->syms.n <= number) vec_push(jit->arena, &jit->syms, (JitSym){0});
    JitSym *sym = &jit->syms.v[number];
    sym->name = name;
    if (name.kind == NAME_TEXT) sym->name.text = jit->names.symbols.v[number].text;
    return number;
}

void jit_define_symbol(Jit *jit, ExtName name, void *addr) { jit_define_function(jit, name, addr, NULL); }

void jit_define_exit(Jit *jit, ExtName name, void *addr, const JitAdapter *adapter, const Abi *abi,
                     uint32_t activation_offset) {
    Arena *tmp = arena_new(jit->ctx);
    const char *text = name_text(tmp, name);
    ExtName host = name_of(arena_printf(tmp, JIT_HOST "%s", text));
    jit_define_function(jit, host, addr, adapter);
    uint32_t number = jit_name(jit, host);
    uint32_t thunk = jit_name(jit, name);
    jit->syms.v[number].called_as = thunk + 1;
    jit_add(jit, thunk_exit(tmp, jit->target, name, host, abi, activation_offset, false));
    arena_free(tmp);
}

void jit_set_resolver(Jit *jit, JitResolver resolve, void *user) {
    jit->resolve = resolve;
    jit->resolve_user = user;
}

// ---- adding --------------------------------------------------------------------------------------

typedef struct Carver {
    char *at;
} Carver;

static size_t padded(size_t size) { return (size + 15) / 16 * 16; }

static void *carve(Carver *c, size_t size) {
    void *at = c->at;
    c->at += padded(size);
    return at;
}

static size_t func_size(const Code *code) {
    return padded(sizeof(JitFunc)) + padded(code->n) + padded(code->sites.n * sizeof(CodeSite)) +
           padded(code->refs.n * sizeof(int32_t)) + padded(code->relocs.n * sizeof(LinkReloc));
}

static JitFunc *copy_code(Jit *jit, const Code *code, uint32_t sym) {
    size_t size = func_size(code);
    Carver c = {ctx_alloc(jit->ctx, size)};
    JitFunc *f = carve(&c, sizeof *f);
    *f = (JitFunc){.name = jit->syms.v[sym].name, .sym = sym, .size = size};
    f->n = code->n;
    f->n_code = code->n_code;
    f->align = code->align > 16 ? code->align : 16;
    f->landing = code->landing;
    f->activation = code->activation;
    f->n_sites = code->sites.n;
    f->n_refs = code->refs.n;
    f->n_relocs = code->relocs.n;
    uint8_t *bytes = carve(&c, code->n);
    CodeSite *sites = carve(&c, f->n_sites * sizeof *sites);
    int32_t *refs = carve(&c, f->n_refs * sizeof *refs);
    f->relocs = carve(&c, f->n_relocs * sizeof *f->relocs);
    if (code->n) memcpy(bytes, code->bytes, code->n);
    if (f->n_sites) memcpy(sites, code->sites.v, f->n_sites * sizeof *sites);
    if (f->n_refs) memcpy(refs, code->refs.v, f->n_refs * sizeof *refs);
    f->bytes = bytes;
    f->sites = sites;
    f->refs = refs;
    return f;
}

void jit_add(Jit *jit, const Code *code) {
    if (code->target != jit->target)
        ctx_fail(jit->ctx, VTR_ERR_USAGE, "code for %s added to a JIT for %s", code->target->name, jit->target->name);
    uint32_t sym = jit_name(jit, code->name);
    if (jit->syms.v[sym].func) {
        Arena *tmp = arena_new(jit->ctx);
        diag_error(jit->ctx, (Place){0}, "%s is defined already", name_text(tmp, code->name));
        arena_free(tmp);
        ctx_throw(jit->ctx, VTR_ERR_USAGE);
    }
    for (uint32_t k = 0; k < code->relocs.n; k++) jit_name(jit, code->relocs.v[k].name);
    vec_reserve(jit->arena, &jit->pending, 1);
    JitFunc *f = copy_code(jit, code, sym);
    for (uint32_t k = 0; k < f->n_relocs; k++) {
        const CodeReloc *r = &code->relocs.v[k];
        // Known already: allocates nothing.
        f->relocs[k] = (LinkReloc){r->at, r->reloc, jit_name(jit, r->name), r->addend, r->back};
    }
    jit->syms.v[sym].func = f;
    f->index = jit->pending.n;
    jit->pending.v[jit->pending.n++] = f;
}

// ---- publishing ----------------------------------------------------------------------------------

typedef struct Publish {
    Jit *jit;
    Arena *tmp;
    Link link;
    VEC(LinkSym) syms;
    VEC(LinkPart) parts;
    VEC(uint32_t) sym_of; // LinkSym number -> Jit.syms number
    uint32_t *at;         // by pending function: its offset in the batch
    size_t area_at, size;
} Publish;

static void *host_addr(Jit *jit, JitSym *sym) {
    if (sym->addr || sym->call) return jit_sym_address(jit, sym, sym->addr);
    void *addr = jit->resolve ? jit->resolve(jit->resolve_user, sym->name) : NULL;
    JitAdapter adapter = {0};
    if (!addr) {
        addr = jit_libcall(sym->name, &adapter);
        if (addr && jit->sim) jit_define_function(jit, sym->name, addr, &adapter);
    }
    if (!addr && jit->use_dlsym && sym->name.kind == NAME_TEXT) addr = dlsym(RTLD_DEFAULT, sym->name.text);
    return addr ? jit_sym_address(jit, sym, addr) : NULL;
}

// Numbers the symbols that the pending functions refer to and finds the host's addresses of those outside.
static void resolve_syms(Publish *p) {
    Jit *jit = p->jit;
    uint32_t missing = 0;
    jit->epoch++;
    for (uint32_t f = 0; f < jit->pending.n; f++) {
        const JitFunc *func = jit->pending.v[f];
        LinkReloc *relocs = NEW_ARRAY(p->tmp, LinkReloc, func->n_relocs);
        for (uint32_t k = 0; k < func->n_relocs; k++) {
            JitSym *sym = &jit->syms.v[func->relocs[k].sym];
            if (sym->epoch != jit->epoch) {
                sym->epoch = jit->epoch;
                sym->local = p->syms.n;
                LinkSym s = {.near = sym->func != NULL, .name = name_text(p->tmp, sym->name)};
                if (!sym->func) s.addr = (uint64_t)(uintptr_t)host_addr(jit, sym);
                if (!sym->func && !s.addr && ++missing) diag_error(jit->ctx, (Place){0}, "unknown symbol %s", s.name);
                vec_push(p->tmp, &p->syms, s);
                vec_push(p->tmp, &p->sym_of, func->relocs[k].sym);
            }
            relocs[k] = func->relocs[k];
            relocs[k].sym = sym->local;
        }
        vec_push(p->tmp, &p->parts, (LinkPart){.relocs = relocs, .n_relocs = func->n_relocs});
    }
    if (missing) ctx_throw(jit->ctx, VTR_ERR_NOT_FOUND);
}

static void lay_out(Publish *p) {
    Jit *jit = p->jit;
    p->at = NEW_ARRAY(p->tmp, uint32_t, jit->pending.n);
    size_t at = 0;
    for (uint32_t k = 0; k < jit->pending.n; k++) {
        const JitFunc *f = jit->pending.v[k];
        at = (at + f->align - 1) / f->align * f->align;
        p->at[k] = (uint32_t)at;
        at += f->n;
        if (at > INT32_MAX) ctx_fail(jit->ctx, VTR_ERR_LIMIT, "more than 2 GiB of code in one batch");
    }
    p->link = (Link){.ctx = jit->ctx, .target = jit->target, .parts = p->parts.v, .n_parts = p->parts.n};
    p->link.syms = p->syms.v;
    p->link.n_syms = p->syms.n;
    link_plan(&p->link);
    p->area_at = padded(at);
    p->size = p->area_at + p->link.area_size;
}

static bool write_batch(Publish *p, uint8_t *base, size_t size) {
    Jit *jit = p->jit;
    for (uint32_t k = 0; k < jit->pending.n; k++) {
        memcpy(base + p->at[k], jit->pending.v[k]->bytes, jit->pending.v[k]->n);
        p->parts.v[k].bytes = base + p->at[k];
        p->parts.v[k].addr = (uint64_t)(uintptr_t)(base + p->at[k]);
    }
    for (uint32_t k = 0; k < p->syms.n; k++) {
        const JitFunc *f = jit->syms.v[p->sym_of.v[k]].func;
        if (f && f->addr) p->syms.v[k].addr = (uint64_t)(uintptr_t)f->addr;
    }
    p->link.area = base + p->area_at;
    p->link.area_addr = (uint64_t)(uintptr_t)p->link.area;
    if (!link_apply(&p->link)) return false;
    if (code_memory_seal(&jit->memory, base, size)) return true;
    diag_error(jit->ctx, (Place){0}, "the system refuses to protect code");
    return false;
}

static void insert_batch(Jit *jit, JitBatch *batch) {
    uint32_t at = jit_batch_after(jit, batch->base);
    memmove(jit->batches.v + at + 1, jit->batches.v + at, (jit->batches.n - at) * sizeof(JitBatch *));
    jit->batches.v[at] = batch;
    jit->batches.n++;
}

static void place_pending(Publish *p, uint8_t *base) {
    for (uint32_t k = 0; k < p->jit->pending.n; k++) p->jit->pending.v[k]->addr = base ? base + p->at[k] : NULL;
}

void jit_publish(Jit *jit) {
    if (jit->pending.n == 0) return;
    Publish p = {.jit = jit, .tmp = arena_new(jit->ctx)};
    resolve_syms(&p);
    lay_out(&p);
    vec_reserve(jit->arena, &jit->batches, 1);
    if (jit->sim) sim_reserve_code(jit->sim);
    size_t alloc = sizeof(JitBatch) + jit->pending.n * sizeof(JitFunc *);
    drop_spare(jit);
    JitBatch *batch = jit->spare = ctx_alloc(jit->ctx, alloc);
    batch->alloc = alloc;
    size_t size = p.size;
    uint8_t *base = code_memory_take(&jit->memory, &size);
    place_pending(&p, base);
    if (!write_batch(&p, base, size)) {
        place_pending(&p, NULL);
        code_memory_return(&jit->memory, base, size);
        ctx_throw(jit->ctx, VTR_ERR_LIMIT);
    }
    jit->spare = NULL;
    *batch = (JitBatch){.base = base, .size = size, .n = jit->pending.n, .live = jit->pending.n, .alloc = alloc};
    for (uint32_t k = 0; k < batch->n; k++) {
        batch->funcs[k] = jit->pending.v[k];
        batch->funcs[k]->batch = batch;
        jit->code_size += batch->funcs[k]->n;
    }
    jit->pending.n = 0;
    if (jit->sim) sim_add_code(jit->sim, base, size);
    insert_batch(jit, batch);
    arena_free(p.tmp);
}

// The number of a name, or NONE when the Jit has never met it.
static uint32_t find_name(const Jit *jit, ExtName name) {
    NameKey key = name_key(name);
    return intern_find(&jit->names, key.text ? key.text : key.user, key.len);
}

void *jit_find(const Jit *jit, ExtName name) {
    uint32_t sym = find_name(jit, name);
    const JitFunc *f = sym == NONE ? NULL : jit->syms.v[sym].func;
    return f ? f->addr : NULL;
}

// ---- freeing -------------------------------------------------------------------------------------

static void drop_pending(Jit *jit, JitFunc *f) {
    JitFunc *last = jit->pending.v[--jit->pending.n];
    last->index = f->index;
    jit->pending.v[last->index] = last;
    free_func(jit, f);
}

bool jit_free_function(Jit *jit, ExtName name) {
    uint32_t sym = find_name(jit, name);
    JitFunc *f = sym == NONE ? NULL : jit->syms.v[sym].func;
    if (!f) return false;
    jit->syms.v[sym].func = NULL;
    if (!f->batch) {
        drop_pending(jit, f);
        return true;
    }
    JitBatch *batch = f->batch;
    f->dead = true;
    jit->code_size -= f->n;
    if (--batch->live) return true;
    uint32_t k = jit_batch_after(jit, batch->base) - 1;
    memmove(jit->batches.v + k, jit->batches.v + k + 1, (--jit->batches.n - k) * sizeof(JitBatch *));
    if (jit->sim) sim_remove_code(jit->sim, batch->base, batch->size);
    code_memory_return(&jit->memory, batch->base, batch->size);
    free_batch(jit, batch);
    return true;
}

size_t jit_code_size(const Jit *jit) { return jit->code_size; }
