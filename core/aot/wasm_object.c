// Relocatable objects (WebAssembly/tool-conventions, Linking.md), which linkers of C programs take.
//
// Memory and function table are imported. Fields that wait for a number stay as wide as they are and hold what they
// would if this object were the whole program. Symbols of the linking section: everything that is defined here, then
// what is imported; `sym_at` and `import_at` tell which one a relocation names.
#include <string.h>

#include "aot/wasm.h"

enum {
    LINKING_VERSION = 2,
    SUBSECTION_SEGMENTS = 5,
    SUBSECTION_INIT = 6,
    SUBSECTION_SYMBOLS = 8,
    SYM_FUNCTION = 0,
    SYM_DATA = 1,
    SYM_GLOBAL = 2,
    FLAG_LOCAL = 2,
    FLAG_UNDEFINED = 0x10,
    FLAG_EXPLICIT_NAME = 0x40,
    INIT_PRIORITY = 65535
};

typedef struct Writer {
    Wasm *w;
    Arena *arena;
    WasmNumbers numbers;
    Buf file;
    uint32_t *sym_at;    // by symbol: number in the linking section, if it is defined
    uint32_t *import_at; // by import
    uint32_t n_sections; // so far
} Writer;

static void put_section(Writer *x, unsigned id, Buf *contents) {
    wasm_put_section(&x->file, id, contents);
    x->n_sections++;
}

static void place_data(Wasm *w) {
    uint64_t at = 0;
    for (uint32_t k = 0; k < w->datas.n; k++) {
        WasmData *d = &w->datas.v[k];
        d->addr = at = (at + d->align - 1) & ~(uint64_t)(d->align - 1);
        uint64_t size = d->kind == WASM_ZERO ? d->size : d->bytes.bytes.n;
        if (size > UINT32_MAX) ctx_fail(w->ctx, VTR_ERR_LIMIT, "%s is too large for an object", d->name);
        at += size;
    }
}

// ---- sections -----------------------------------------------------------------------------------------------

static void put_imports(Writer *x) {
    const Wasm *w = x->w;
    Buf list = buf_new(x->arena);
    Buf out = buf_new(x->arena);
    uint32_t n = 1;
    wasm_put_name(&list, "env");
    wasm_put_name(&list, "__linear_memory");
    buf_u8(&list, WASM_X_MEMORY);
    wasm_put_limits(&list, w->target->word_bits == 64, 0, 0);
    if (x->numbers.needs_table) {
        wasm_put_name(&list, "env");
        wasm_put_name(&list, "__indirect_function_table");
        buf_u8(&list, WASM_X_TABLE);
        buf_u8(&list, 0x70); // references to functions
        wasm_put_limits(&list, wasm_wide_table(w), x->numbers.table.n + 1, 0);
        n++;
    }
    n += wasm_put_imports(w, &x->numbers, &list);
    buf_uleb(&out, n);
    buf_bytes(&out, buf_str(&list), list.bytes.n);
    put_section(x, WASM_S_IMPORT, &out);
}

// Returns the number of the section.
static uint32_t put_code(Writer *x) {
    Wasm *w = x->w;
    Buf out = buf_new(x->arena);
    buf_uleb(&out, w->funcs.n);
    for (uint32_t k = 0; k < w->funcs.n; k++) {
        WasmFunc *f = &w->funcs.v[k];
        buf_uleb(&out, f->code->n);
        f->at = out.bytes.n;
        f->size = f->code->n;
        buf_bytes(&out, f->code->bytes, f->code->n);
        for (uint32_t j = 0; j < f->relocs.n; j++) {
            const WasmReloc *r = &f->relocs.v[j];
            wasm_put_padded((uint8_t *)out.bytes.v + f->at + r->at, wasm_reloc_kind(r->number),
                            wasm_value(w, &x->numbers, r));
        }
    }
    put_section(x, WASM_S_CODE, &out);
    return x->n_sections - 1;
}

static uint32_t put_data(Writer *x, uint32_t *at) {
    Wasm *w = x->w;
    Buf out = buf_new(x->arena);
    buf_uleb(&out, w->datas.n);
    for (uint32_t k = 0; k < w->datas.n; k++) {
        WasmData *d = &w->datas.v[k];
        buf_uleb(&out, 0); // active, of memory 0
        wasm_put_constant(&out, w->target->word_bits == 64, (int64_t)d->addr);
        uint64_t size = d->kind == WASM_ZERO ? d->size : d->bytes.bytes.n;
        buf_uleb(&out, size);
        at[k] = out.bytes.n;
        wasm_fill_data(w, &x->numbers, d);
        if (d->kind == WASM_ZERO) memset(vec_extend(out.arena, &out.bytes, size), 0, size);
        else buf_bytes(&out, buf_str(&d->bytes), size);
    }
    put_section(x, WASM_S_DATA, &out);
    return x->n_sections - 1;
}

// ---- linking ------------------------------------------------------------------------------------------------

static void put_subsection(Buf *linking, unsigned id, uint32_t n, Buf *list) {
    Buf out = buf_new(linking->arena);
    if (!n) return;
    buf_uleb(&out, n);
    buf_bytes(&out, buf_str(list), list->bytes.n);
    wasm_put_section(linking, id, &out);
}

static void put_defined(Writer *x, uint32_t sym, Buf *list) {
    const WasmSym *s = &x->w->syms.v[sym];
    buf_u8(list, s->kind == WASM_FUNC ? SYM_FUNCTION : s->kind == WASM_DATA ? SYM_DATA : SYM_GLOBAL);
    buf_uleb(list, s->scope == WASM_LOCAL ? FLAG_LOCAL : 0);
    if (s->kind != WASM_DATA) buf_uleb(list, wasm_index(x->w, &x->numbers, sym, NONE));
    wasm_put_name(list, s->name);
    if (s->kind != WASM_DATA) return;
    buf_uleb(list, s->item);
    buf_uleb(list, s->offset);
    buf_uleb(list, s->size);
}

// Linkers find what is undefined by the name of the import, which is another one when it is not of "env".
static void put_undefined(Writer *x, const WasmImport *i, Buf *list) {
    const WasmSym *s = &x->w->syms.v[i->sym];
    bool function = s->kind == WASM_FUNC;
    bool index = function || s->kind == WASM_GLOBAL;
    bool explicit = index && (s->module || s->field);
    buf_u8(list, function ? SYM_FUNCTION : index ? SYM_GLOBAL : SYM_DATA);
    buf_uleb(list, FLAG_UNDEFINED | (explicit ? FLAG_EXPLICIT_NAME : 0));
    if (index) buf_uleb(list, i->index);
    if (explicit || !index) wasm_put_name(list, s->name);
}

static void put_symbols(Writer *x, Buf *linking) {
    const Wasm *w = x->w;
    Buf list = buf_new(x->arena);
    uint32_t n = 0;
    x->sym_at = NEW_ARRAY(x->arena, uint32_t, w->syms.n);
    x->import_at = NEW_ARRAY(x->arena, uint32_t, x->numbers.imports.n);
    for (uint32_t k = 0; k < w->syms.n; k++) {
        if (!w->syms.v[k].defined) continue;
        x->sym_at[k] = n++;
        put_defined(x, k, &list);
    }
    for (uint32_t k = 0; k < x->numbers.imports.n; k++) {
        x->import_at[k] = n++;
        put_undefined(x, &x->numbers.imports.v[k], &list);
    }
    put_subsection(linking, SUBSECTION_SYMBOLS, n, &list);
}

static void put_segments(Writer *x, Buf *linking) {
    const Wasm *w = x->w;
    Buf list = buf_new(x->arena);
    for (uint32_t k = 0; k < w->datas.n; k++) {
        unsigned power = 0;
        while (UINT32_C(1) << power < w->datas.v[k].align) power++;
        wasm_put_name(&list, w->datas.v[k].name);
        buf_uleb(&list, power);
        buf_uleb(&list, 0); // flags
    }
    put_subsection(linking, SUBSECTION_SEGMENTS, w->datas.n, &list);
}

static void put_linking(Writer *x) {
    Buf linking = buf_new(x->arena);
    buf_uleb(&linking, LINKING_VERSION);
    put_symbols(x, &linking);
    put_segments(x, &linking);
    if (x->w->start != NONE) {
        Buf list = buf_new(x->arena);
        buf_uleb(&list, INIT_PRIORITY);
        buf_uleb(&list, x->sym_at[x->w->start]);
        put_subsection(&linking, SUBSECTION_INIT, 1, &list);
    }
    wasm_put_custom(&x->file, "linking", &linking);
    x->n_sections++;
}

// ---- relocations --------------------------------------------------------------------------------------------

typedef struct Relocs {
    Buf list;
    uint32_t n;
} Relocs;

// Those of a piece that stands at offset `at` of its section.
static void add_relocs(Writer *x, Relocs *to, const WasmReloc *relocs, uint32_t n, uint32_t at) {
    // A symbol may turn out to be a function where an address was expected, and the other way round.
    static const uint8_t twins[] = {[1] = 4, [2] = 5, [4] = 1, [5] = 2, [15] = 18, [16] = 19, [18] = 15, [19] = 16};
    const Wasm *w = x->w;
    for (uint32_t k = 0; k < n; k++) {
        const WasmReloc *r = &relocs[k];
        WasmField field = wasm_field(w, r);
        WasmField by_number = wasm_reloc_kind(r->number).field;
        uint8_t number = r->number;
        if (field != by_number && r->number < sizeof twins) number = twins[r->number];
        if (!number && r->number) ctx_bug(w->ctx, "relocation %u of %s", r->number, w->syms.v[r->sym].name);
        buf_u8(&to->list, number);
        buf_uleb(&to->list, at + r->at);
        if (r->sym == NONE) buf_uleb(&to->list, r->type);
        else if (w->syms.v[r->sym].defined) buf_uleb(&to->list, x->sym_at[r->sym]);
        else buf_uleb(&to->list, x->import_at[wasm_find_import(w, &x->numbers, r->sym, r->type)]);
        if (field == WASM_F_ADDRESS || field == WASM_F_CODE) buf_sleb(&to->list, r->addend);
        to->n++;
    }
}

static void put_relocs(Writer *x, const char *section, uint32_t number, Relocs *relocs) {
    Buf out = buf_new(x->arena);
    if (!relocs->n) return;
    buf_uleb(&out, number);
    buf_uleb(&out, relocs->n);
    buf_bytes(&out, buf_str(&relocs->list), relocs->list.bytes.n);
    wasm_put_custom(&x->file, arena_printf(x->arena, "reloc.%s", section), &out);
    x->n_sections++;
}

static Relocs no_relocs(Writer *x) { return (Relocs){buf_new(x->arena), 0}; }

Buf wasm_object(Wasm *w, Arena *arena) {
    Writer x = {.w = w, .arena = arena, .file = buf_new(arena)};
    place_data(w);
    wasm_number(w, &x.numbers);
    wasm_put_header(&x.file);
    wasm_put_types(w, &x.file);
    x.n_sections = w->types.n ? 1 : 0;
    put_imports(&x);
    wasm_put_functions(w, &x.file);
    x.n_sections += w->funcs.n != 0;
    wasm_put_elements(w, &x.numbers, &x.file);
    x.n_sections += x.numbers.table.n != 0;
    uint32_t code = w->funcs.n ? put_code(&x) : 0;
    uint32_t *data_at = NEW_ARRAY(arena, uint32_t, w->datas.n);
    uint32_t data = w->datas.n ? put_data(&x, data_at) : 0;
    uint32_t customs = x.n_sections;
    for (uint32_t k = 0; k < w->customs.n; k++) {
        wasm_fill_custom(w, &x.numbers, &w->customs.v[k]);
        wasm_put_custom(&x.file, w->customs.v[k].name, &w->customs.v[k].bytes);
        x.n_sections++;
    }
    put_linking(&x);
    Relocs relocs = no_relocs(&x);
    for (uint32_t k = 0; k < w->funcs.n; k++)
        add_relocs(&x, &relocs, w->funcs.v[k].relocs.v, w->funcs.v[k].relocs.n, w->funcs.v[k].at);
    put_relocs(&x, "CODE", code, &relocs);
    relocs = no_relocs(&x);
    for (uint32_t k = 0; k < w->datas.n; k++)
        add_relocs(&x, &relocs, w->datas.v[k].relocs.v, w->datas.v[k].relocs.n, data_at[k]);
    put_relocs(&x, "DATA", data, &relocs);
    for (uint32_t k = 0; k < w->customs.n; k++) {
        WasmCustom *c = &w->customs.v[k];
        relocs = no_relocs(&x);
        add_relocs(&x, &relocs, c->relocs.v, c->relocs.n, 0);
        put_relocs(&x, c->name, customs + k, &relocs);
    }
    wasm_put_producers(&x.file);
    return x.file;
}
