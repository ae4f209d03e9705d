// Complete WebAssembly modules.
//
// Bodies are copied with each field that waited for a number in its shortest form:
//
//     10 85 80 80 80 00    call 5        ->      10 05
//
// Nothing in a body depends on distances, so that is all; the offsets of sites and lines move along. Numbers and
// addresses do not depend on the size of code, so one pass does it.
#include <string.h>

#include "aot/wasm.h"

typedef struct Writer {
    Wasm *w;
    Arena *arena;
    WasmNumbers numbers;
    Buf file;
} Writer;

// ---- what is used ---------------------------------------------------------------------------------------------

typedef struct Uses {
    Wasm *w;
    Arena *arena;
    bool *used; // by function
    VEC(uint32_t) todo;
} Uses;

static void use_symbol(Uses *u, uint32_t sym) {
    const WasmSym *s = sym == NONE ? NULL : &u->w->syms.v[sym];
    if (!s || !s->defined || s->kind != WASM_FUNC || u->used[s->item]) return;
    u->used[s->item] = true;
    vec_push(u->arena, &u->todo, s->item);
}

// Leaves out the functions that nobody reaches: no export, no entry of the function table and no data leads to them.
static void drop_unused(Wasm *w, Arena *arena) {
    Uses u = {.w = w, .arena = arena, .used = NEW_ARRAY(arena, bool, w->funcs.n)};
    use_symbol(&u, w->start);
    for (uint32_t k = 0; k < w->syms.n; k++)
        if (w->syms.v[k].export_as || w->syms.v[k].in_table) use_symbol(&u, k);
    for (uint32_t k = 0; k < w->datas.n; k++)
        for (uint32_t j = 0; j < w->datas.v[k].relocs.n; j++) use_symbol(&u, w->datas.v[k].relocs.v[j].sym);
    while (u.todo.n) {
        const WasmFunc *f = &w->funcs.v[u.todo.v[--u.todo.n]];
        for (uint32_t j = 0; j < f->relocs.n; j++) use_symbol(&u, f->relocs.v[j].sym);
    }
    uint32_t n = 0;
    for (uint32_t k = 0; k < w->funcs.n; k++) {
        WasmSym *s = &w->syms.v[w->funcs.v[k].sym];
        s->defined = u.used[k];
        s->item = n;
        if (u.used[k]) w->funcs.v[n++] = w->funcs.v[k];
    }
    w->funcs.n = n;
}

// ---- layout -------------------------------------------------------------------------------------------------

VTR_NORETURN static void too_large(const Wasm *w) {
    ctx_fail(w->ctx, VTR_ERR_LIMIT, "stack and data do not fit into the memory");
}

static uint64_t align_up(uint64_t x, uint64_t align) { return (x + align - 1) & ~(align - 1); }

static uint64_t data_size(const WasmData *d) { return d->kind == WASM_ZERO ? d->size : d->bytes.bytes.n; }

// The largest memory, in bytes.
static uint64_t memory_limit(const Wasm *w) {
    uint64_t limit = w->target->word_bits == 64 ? UINT64_C(1) << 48 : UINT64_C(1) << 32;
    return w->max_memory && w->max_memory < limit ? w->max_memory : limit;
}

static bool has_stack(const Wasm *w) {
    return intern_find(&w->names, w->target->stack->sp_symbol, strlen(w->target->stack->sp_symbol)) != UINT32_MAX;
}

// Gives segments their addresses and defines the stack pointer.
static void place_data(Wasm *w) {
    uint64_t limit = memory_limit(w);
    uint64_t at = WASM_PAGE;
    if (has_stack(w)) {
        if (w->stack_size > limit - WASM_PAGE) too_large(w);
        at += align_up(w->stack_size, 16);
        uint32_t sp = wasm_symbol(w, w->target->stack->sp_symbol);
        w->stack_start = WASM_PAGE;
        w->stack_end = at;
        if (!w->syms.v[sp].defined) wasm_global(w, sp, wasm_address_type(w), true, NONE, (int64_t)at);
        wasm_export(w, sp, w->target->stack->sp_symbol);
    }
    for (unsigned kind = 0; kind < N_WASM_DATA_KINDS; kind++) {
        for (uint32_t k = 0; k < w->datas.n; k++) {
            WasmData *d = &w->datas.v[k];
            if (d->kind != kind) continue;
            d->addr = at = align_up(at, d->align);
            if (at > limit || data_size(d) > limit - at) too_large(w);
            at += data_size(d);
        }
    }
    w->heap_base = align_up(at, 16);
    if (w->heap_base > limit) too_large(w);
    uint32_t heap = wasm_local(w, "__heap_base");
    wasm_global(w, heap, wasm_address_type(w), false, NONE, (int64_t)w->heap_base);
    wasm_export(w, heap, "__heap_base");
}

// Only functions can be imported where an address is a constant.
static void check_addresses(const Wasm *w, const WasmNumbers *numbers) {
    bool right = true;
    for (uint32_t k = 0; k < numbers->imports.n; k++) {
        const WasmSym *s = &w->syms.v[numbers->imports.v[k].sym];
        if (s->kind == WASM_FUNC || s->kind == WASM_GLOBAL) continue;
        diag_error(w->ctx, (Place){0}, "%%%s is data that nothing defines; it takes an object and a linker", s->name);
        right = false;
    }
    if (!right) ctx_throw(w->ctx, VTR_ERR_INPUT);
}

// ---- code ---------------------------------------------------------------------------------------------------

static void put_field(Buf *out, WasmRelocKind kind, uint64_t value) {
    if (kind.form == WASM_ULEB) buf_uleb(out, value);
    else if (kind.form == WASM_SLEB) buf_sleb(out, (int64_t)value);
    else {
        uint8_t bytes[16];
        wasm_put_padded(bytes, kind, value);
        buf_bytes(out, bytes, kind.size);
    }
}

// Copies a body up to the `end` of a run between fields, and moves what stands there along: sites and lines up to that
// offset, from *site and *line on, are `shrink` bytes further down.
typedef struct Copy {
    Code *code;
    Buf *out;
    uint32_t done; // bytes of the body
    uint32_t site, line;
} Copy;

static void copy_run(Copy *c, uint32_t end, uint32_t start) {
    Code *code = c->code;
    uint32_t shrink = c->done - (c->out->bytes.n - start);
    for (; c->site < code->sites.n && code->sites.v[c->site].at < end; c->site++) code->sites.v[c->site].at -= shrink;
    for (; c->line < code->lines.n && code->lines.v[c->line].at < end; c->line++) code->lines.v[c->line].at -= shrink;
    buf_bytes(c->out, code->bytes + c->done, end - c->done);
    c->done = end;
}

static void put_body(Writer *x, WasmFunc *f, Buf *out) {
    Copy c = {.code = f->code, .out = out};
    uint32_t start = out->bytes.n;
    for (uint32_t k = 0; k < f->relocs.n; k++) {
        const WasmReloc *r = &f->relocs.v[k];
        WasmRelocKind kind = wasm_reloc_kind(r->number);
        copy_run(&c, r->at, start);
        put_field(out, kind, wasm_value(x->w, &x->numbers, r));
        c.done += kind.size;
    }
    copy_run(&c, f->code->n, start);
}

static void put_code(Writer *x) {
    Wasm *w = x->w;
    Buf out = buf_new(x->arena);
    if (!w->funcs.n) return;
    Buf body = buf_new(x->arena);
    buf_uleb(&out, w->funcs.n);
    for (uint32_t k = 0; k < w->funcs.n; k++) {
        WasmFunc *f = &w->funcs.v[k];
        body.bytes.n = 0;
        put_body(x, f, &body);
        buf_uleb(&out, body.bytes.n);
        f->at = out.bytes.n;
        f->size = body.bytes.n;
        buf_bytes(&out, buf_str(&body), body.bytes.n);
    }
    wasm_put_section(&x->file, WASM_S_CODE, &out);
    w->code_at = x->file.bytes.n - out.bytes.n;
}

// ---- the other sections -------------------------------------------------------------------------------------

static void put_imports(Writer *x) {
    Buf list = buf_new(x->arena);
    Buf out = buf_new(x->arena);
    uint32_t n = wasm_put_imports(x->w, &x->numbers, &list);
    if (!n) return;
    buf_uleb(&out, n);
    buf_bytes(&out, buf_str(&list), list.bytes.n);
    wasm_put_section(&x->file, WASM_S_IMPORT, &out);
}

static void put_table_and_memory(Writer *x) {
    const Wasm *w = x->w;
    Buf out = buf_new(x->arena);
    if (x->numbers.needs_table) {
        uint32_t n = x->numbers.table.n + 1;
        buf_uleb(&out, 1);
        buf_u8(&out, 0x70); // references to functions
        wasm_put_limits(&out, wasm_wide_table(w), n, w->table_may_grow ? 0 : n);
        wasm_put_section(&x->file, WASM_S_TABLE, &out);
    }
    out.bytes.n = 0;
    buf_uleb(&out, 1);
    uint64_t low = (w->heap_base + WASM_PAGE - 1) / WASM_PAGE;
    wasm_put_limits(&out, w->target->word_bits == 64, low, w->max_memory ? memory_limit(w) / WASM_PAGE : 0);
    wasm_put_section(&x->file, WASM_S_MEMORY, &out);
}

static void put_globals(Writer *x) {
    const Wasm *w = x->w;
    Buf out = buf_new(x->arena);
    if (!w->globals.n) return;
    buf_uleb(&out, w->globals.n);
    for (uint32_t k = 0; k < w->globals.n; k++) {
        const WasmGlobal *g = &w->globals.v[k];
        int64_t value = g->value;
        if (g->of != NONE) value += (int64_t)(w->datas.v[w->syms.v[g->of].item].addr + w->syms.v[g->of].offset);
        buf_u8(&out, g->type);
        buf_u8(&out, g->writable);
        wasm_put_constant(&out, g->type == wasm_address_type(w) && w->target->word_bits == 64, value);
    }
    wasm_put_section(&x->file, WASM_S_GLOBAL, &out);
}

typedef struct Exports {
    Wasm *w;
    Interner names;
    Buf list;
    uint32_t n;
} Exports;

static void put_export(Exports *e, const char *name, unsigned kind, uint32_t index) {
    uint32_t before = e->names.symbols.n;
    if (intern(&e->names, name, strlen(name)) < before) {
        diag_error(e->w->ctx, (Place){0}, "there are two exports named '%s'", name);
        ctx_throw(e->w->ctx, VTR_ERR_INPUT);
    }
    wasm_put_name(&e->list, name);
    buf_u8(&e->list, (uint8_t)kind);
    buf_uleb(&e->list, index);
    e->n++;
}

static void put_exports(Writer *x) {
    Wasm *w = x->w;
    Exports e = {.w = w, .names = interner_new(x->arena), .list = buf_new(x->arena)};
    put_export(&e, "memory", WASM_X_MEMORY, 0);
    if (x->numbers.needs_table) put_export(&e, "__indirect_function_table", WASM_X_TABLE, 0);
    for (uint32_t k = 0; k < w->syms.n; k++) {
        const WasmSym *s = &w->syms.v[k];
        if (!s->export_as || !(s->defined || s->import)) continue;
        if (s->kind != WASM_FUNC && s->kind != WASM_GLOBAL) continue;
        put_export(&e, s->export_as, s->kind == WASM_FUNC ? WASM_X_FUNC : WASM_X_GLOBAL,
                   wasm_index(w, &x->numbers, k, NONE));
    }
    Buf out = buf_new(x->arena);
    buf_uleb(&out, e.n);
    buf_bytes(&out, buf_str(&e.list), e.list.bytes.n);
    wasm_put_section(&x->file, WASM_S_EXPORT, &out);
}

static void put_start(Writer *x) {
    Buf out = buf_new(x->arena);
    if (x->w->start == NONE) return;
    buf_uleb(&out, wasm_index(x->w, &x->numbers, x->w->start, NONE));
    wasm_put_section(&x->file, WASM_S_START, &out);
}

// A segment's bytes without the zeros at its end, which the memory has anyway.
static uint32_t used_bytes(const WasmData *d) {
    uint32_t n = d->bytes.bytes.n;
    while (n && !d->bytes.bytes.v[n - 1]) n--;
    return n;
}

static void put_data(Writer *x) {
    Wasm *w = x->w;
    Buf list = buf_new(x->arena);
    Buf out = buf_new(x->arena);
    uint32_t n = 0;
    for (unsigned kind = 0; kind < WASM_ZERO; kind++) {
        for (uint32_t k = 0; k < w->datas.n; k++) {
            WasmData *d = &w->datas.v[k];
            if (d->kind != kind) continue;
            wasm_fill_data(w, &x->numbers, d);
            if (!used_bytes(d)) continue;
            buf_uleb(&list, 0); // active, of memory 0
            wasm_put_constant(&list, w->target->word_bits == 64, (int64_t)d->addr);
            buf_uleb(&list, used_bytes(d));
            buf_bytes(&list, d->bytes.bytes.v, used_bytes(d));
            n++;
        }
    }
    if (!n) return;
    buf_uleb(&out, n);
    buf_bytes(&out, buf_str(&list), list.bytes.n);
    wasm_put_section(&x->file, WASM_S_DATA, &out);
}

static void put_name_list(Buf *names, unsigned id, uint32_t n, Buf *list) {
    if (!n) return;
    Buf out = buf_new(names->arena);
    buf_uleb(&out, n);
    buf_bytes(&out, buf_str(list), list->bytes.n);
    wasm_put_section(names, id, &out);
}

// The name section: of functions and globals, those that have one.
static void put_names(Writer *x) {
    enum { FUNCTIONS = 1, GLOBALS = 7 };
    const Wasm *w = x->w;
    Buf names = buf_new(x->arena);
    for (unsigned pass = 0; pass < 2; pass++) {
        WasmSymKind kind = pass ? WASM_GLOBAL : WASM_FUNC;
        Buf list = buf_new(x->arena);
        uint32_t n = 0;
        for (uint32_t k = 0; k < x->numbers.imports.n; k++) {
            const WasmSym *s = &w->syms.v[x->numbers.imports.v[k].sym];
            if (s->kind != kind) continue;
            buf_uleb(&list, x->numbers.imports.v[k].index);
            wasm_put_name(&list, s->name);
            n++;
        }
        for (uint32_t k = 0; k < (pass ? w->globals.n : w->funcs.n); k++) {
            uint32_t sym = pass ? w->globals.v[k].sym : w->funcs.v[k].sym;
            buf_uleb(&list, wasm_index(w, &x->numbers, sym, NONE));
            wasm_put_name(&list, w->syms.v[sym].name);
            n++;
        }
        put_name_list(&names, pass ? GLOBALS : FUNCTIONS, n, &list);
    }
    wasm_put_custom(&x->file, "name", &names);
}

static void put_customs(Writer *x) {
    for (uint32_t k = 0; k < x->w->customs.n; k++) {
        WasmCustom *c = &x->w->customs.v[k];
        wasm_fill_custom(x->w, &x->numbers, c);
        wasm_put_custom(&x->file, c->name, &c->bytes);
    }
}

Buf wasm_module(Wasm *w, Arena *arena) {
    Writer x = {.w = w, .arena = arena, .file = buf_new(arena)};
    drop_unused(w, arena);
    place_data(w);
    wasm_number(w, &x.numbers);
    check_addresses(w, &x.numbers);
    wasm_put_header(&x.file);
    wasm_put_types(w, &x.file);
    put_imports(&x);
    wasm_put_functions(w, &x.file);
    put_table_and_memory(&x);
    put_globals(&x);
    put_exports(&x);
    put_start(&x);
    wasm_put_elements(w, &x.numbers, &x.file);
    put_code(&x);
    put_data(&x);
    put_customs(&x);
    put_names(&x);
    wasm_put_producers(&x.file);
    return x.file;
}
