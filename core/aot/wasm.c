// WebAssembly files while they are being made: the model, and what both writers need.
#include "aot/wasm.h"

#include <string.h>

#include "support/leb.h"

Wasm *wasm_new(Arena *arena, const Target *target, uint64_t features) {
    Ctx *ctx = arena_ctx(arena);
    if (!target->stack) ctx_fail(ctx, VTR_ERR_UNSUPPORTED, "%s: not a stack machine", target->name);
    Wasm *w = NEW(arena, Wasm);
    w->ctx = ctx;
    w->arena = arena;
    w->target = target;
    w->features = features;
    w->type_keys = interner_new(arena);
    w->names = interner_new(arena);
    w->start = NONE;
    return w;
}

// ---- symbols ------------------------------------------------------------------------------------------------

// The number of a function type; the same for equal ones.
static uint32_t type_number(Wasm *w, const MType *type) {
    Buf key = buf_new(w->arena);
    buf_uleb(&key, type->n_params);
    if (type->n_params) buf_bytes(&key, type->params, type->n_params);
    if (type->n_results) buf_bytes(&key, type->results, type->n_results);
    uint32_t number = intern(&w->type_keys, buf_str(&key), key.bytes.n);
    if (number == w->types.n) {
        MType copy = {arena_copy(w->arena, type->params, type->n_params),
                      arena_copy(w->arena, type->results, type->n_results), type->n_params, type->n_results};
        vec_push(w->arena, &w->types, copy);
    }
    return number;
}

static uint32_t add_symbol(Wasm *w, const char *name, WasmScope scope) {
    WasmSym sym = {.name = name, .scope = (uint8_t)scope, .item = NONE};
    vec_push(w->arena, &w->syms, sym);
    return w->syms.n - 1;
}

uint32_t wasm_symbol(Wasm *w, const char *name) {
    uint32_t number = intern(&w->names, name, strlen(name));
    while (w->by_name.n <= number) vec_push(w->arena, &w->by_name, 0);
    if (!w->by_name.v[number]) w->by_name.v[number] = add_symbol(w, w->names.symbols.v[number].text, WASM_PUBLIC) + 1;
    return w->by_name.v[number] - 1;
}

uint32_t wasm_local(Wasm *w, const char *name) {
    return add_symbol(w, arena_text(w->arena, name, strlen(name)), WASM_LOCAL);
}

void wasm_import(Wasm *w, uint32_t sym, const char *module, const char *field) {
    WasmSym *s = &w->syms.v[sym];
    s->module = arena_text(w->arena, module, strlen(module));
    s->field = arena_text(w->arena, field, strlen(field));
}

void wasm_export(Wasm *w, uint32_t sym, const char *name) {
    w->syms.v[sym].export_as = arena_text(w->arena, name, strlen(name));
}

void wasm_start(Wasm *w, const char *name) {
    uint32_t number = intern_find(&w->names, name, strlen(name));
    const WasmSym *s = number == UINT32_MAX ? NULL : &w->syms.v[w->by_name.v[number] - 1];
    if (!s || !s->defined || s->kind != WASM_FUNC)
        ctx_fail(w->ctx, VTR_ERR_NOT_FOUND, "there is no function '%s' to start with", name);
    const MType *type = &w->types.v[w->funcs.v[s->item].type];
    if (type->n_params || type->n_results)
        ctx_fail(w->ctx, VTR_ERR_INPUT, "'%s' has parameters or results, so it cannot start a module", name);
    w->start = w->by_name.v[number] - 1;
}

static void define(Wasm *w, uint32_t sym, WasmSymKind kind, uint32_t item) {
    WasmSym *s = &w->syms.v[sym];
    if (s->defined) {
        diag_error(w->ctx, (Place){0}, "%%%s is defined already", s->name);
        ctx_throw(w->ctx, VTR_ERR_INPUT);
    }
    s->defined = true;
    s->kind = (uint8_t)kind;
    s->item = item;
}

// ---- contents -----------------------------------------------------------------------------------------------

WasmRelocKind wasm_reloc_kind(unsigned number) {
    // WebAssembly/tool-conventions, Linking.md, "Relocation Sections".
    static const WasmRelocKind kinds[] = {
        [0] = {WASM_F_FUNCTION, WASM_ULEB, 5},  [1] = {WASM_F_TABLE, WASM_SLEB, 5},
        [2] = {WASM_F_TABLE, WASM_FIXED, 4},    [3] = {WASM_F_ADDRESS, WASM_ULEB, 5},
        [4] = {WASM_F_ADDRESS, WASM_SLEB, 5},   [5] = {WASM_F_ADDRESS, WASM_FIXED, 4},
        [6] = {WASM_F_TYPE, WASM_ULEB, 5},      [7] = {WASM_F_GLOBAL, WASM_ULEB, 5},
        [8] = {WASM_F_CODE, WASM_FIXED, 4},     [13] = {WASM_F_GLOBAL, WASM_FIXED, 4},
        [14] = {WASM_F_ADDRESS, WASM_ULEB, 10}, [15] = {WASM_F_ADDRESS, WASM_SLEB, 10},
        [16] = {WASM_F_ADDRESS, WASM_FIXED, 8}, [18] = {WASM_F_TABLE, WASM_SLEB, 10},
        [19] = {WASM_F_TABLE, WASM_FIXED, 8},
    };
    return number < sizeof kinds / sizeof *kinds ? kinds[number] : (WasmRelocKind){0};
}

// What a symbol is that nothing has defined, from who refers to it.
static void note_use(Wasm *w, uint32_t sym, WasmField field) {
    WasmSym *s = &w->syms.v[sym];
    if (s->kind != WASM_UNKNOWN) return;
    if (field == WASM_F_FUNCTION || field == WASM_F_TABLE) s->kind = WASM_FUNC;
    else if (field == WASM_F_GLOBAL) s->kind = WASM_GLOBAL;
}

static void copy_relocs(Wasm *w, WasmFunc *f, const Code *code, uint32_t (*resolve)(void *user, const CodeReloc *reloc),
                        void *user) {
    uint32_t end = 0; // of the field before
    for (uint32_t k = 0; k < code->relocs.n; k++) {
        const CodeReloc *r = &code->relocs.v[k];
        const Reloc *desc = &w->target->relocs[r->reloc];
        WasmRelocKind kind = wasm_reloc_kind(desc->elf);
        if (kind.field == WASM_F_NONE || kind.size != desc->size || r->at < end || r->at + kind.size > code->n)
            ctx_bug(w->ctx, "relocation %s at %u of %u bytes", desc->name, r->at, code->n);
        end = r->at + kind.size;
        WasmReloc out = {.at = r->at, .number = (uint8_t)desc->elf, .sym = NONE, .type = NONE, .addend = r->addend};
        if (r->type) out.type = type_number(w, &code->types.v[r->type - 1]);
        if (kind.field != WASM_F_TYPE) {
            out.sym = resolve(user, r);
            note_use(w, out.sym, kind.field);
        }
        vec_push(w->arena, &f->relocs, out);
    }
}

uint32_t wasm_code(Wasm *w, const Code *code, uint32_t sym, uint32_t (*resolve)(void *user, const CodeReloc *reloc),
                   void *user) {
    WasmFunc f = {.sym = sym, .type = type_number(w, &code->types.v[0]), .code = NEW(w->arena, Code)};
    *f.code = (Code){.target = code->target, .name = code->name, .n = code->n, .n_code = code->n_code};
    if (f.code->name.kind == NAME_TEXT) f.code->name.text = "";
    f.code->bytes = arena_copy(w->arena, code->bytes, code->n);
    for (uint32_t k = 0; k < code->sites.n; k++) vec_push(w->arena, &f.code->sites, code->sites.v[k]);
    for (uint32_t k = 0; k < code->refs.n; k++) vec_push(w->arena, &f.code->refs, code->refs.v[k]);
    for (uint32_t k = 0; k < code->lines.n; k++) vec_push(w->arena, &f.code->lines, code->lines.v[k]);
    define(w, sym, WASM_FUNC, w->funcs.n);
    copy_relocs(w, &f, code, resolve, user);
    vec_push(w->arena, &w->funcs, f);
    return w->funcs.n - 1;
}

uint32_t wasm_data(Wasm *w, const char *name, WasmDataKind kind, uint32_t align) {
    WasmData data = {.name = name, .kind = (uint8_t)kind, .align = align, .bytes = buf_new(w->arena)};
    vec_push(w->arena, &w->datas, data);
    return w->datas.n - 1;
}

void wasm_define_data(Wasm *w, uint32_t sym, uint32_t data, uint64_t offset, uint64_t size) {
    define(w, sym, WASM_DATA, data);
    w->syms.v[sym].offset = offset;
    w->syms.v[sym].size = size;
}

void wasm_address(Wasm *w, uint32_t data, uint32_t sym, bool function, int64_t addend) {
    static const uint8_t numbers[2][2] = {{5, 16}, {2, 19}}; // of words of 32 and 64 bits
    WasmData *d = &w->datas.v[data];
    bool wide = w->target->word_bits == 64;
    WasmReloc r = {.at = d->bytes.bytes.n, .number = numbers[function][wide], .sym = sym, .type = NONE};
    r.addend = addend;
    note_use(w, sym, function ? WASM_F_TABLE : WASM_F_ADDRESS);
    vec_push(w->arena, &d->relocs, r);
    if (wide) buf_u64(&d->bytes, 0);
    else buf_u32(&d->bytes, 0);
}

void wasm_global(Wasm *w, uint32_t sym, uint8_t type, bool writable, uint32_t of, int64_t value) {
    define(w, sym, WASM_GLOBAL, w->globals.n);
    vec_push(w->arena, &w->globals, (WasmGlobal){sym, type, writable, of, value});
}

uint32_t wasm_custom(Wasm *w, const char *name, WasmFill *fill, void *user) {
    vec_push(w->arena, &w->customs, (WasmCustom){.name = name, .fill = fill, .user = user, .bytes = buf_new(w->arena)});
    return w->customs.n - 1;
}

// ---- numbers ------------------------------------------------------------------------------------------------

WasmField wasm_field(const Wasm *w, const WasmReloc *reloc) {
    WasmField field = wasm_reloc_kind(reloc->number).field;
    if (field != WASM_F_TABLE && field != WASM_F_ADDRESS) return field;
    return w->syms.v[reloc->sym].kind == WASM_FUNC ? WASM_F_TABLE : WASM_F_ADDRESS;
}

static uint64_t use_key(uint32_t sym, uint32_t type) { return (uint64_t)sym << 32 | type; }

uint32_t wasm_find_import(const Wasm *w, const WasmNumbers *numbers, uint32_t sym, uint32_t type) {
    const uint32_t *found = map_find(&numbers->by_use, use_key(sym, type));
    return found ? *found : w->syms.v[sym].import - 1;
}

uint32_t wasm_index(const Wasm *w, const WasmNumbers *numbers, uint32_t sym, uint32_t type) {
    const WasmSym *s = &w->syms.v[sym];
    if (!s->defined) return numbers->imports.v[wasm_find_import(w, numbers, sym, type)].index;
    return s->item + (s->kind == WASM_FUNC ? numbers->n_funcs : numbers->n_globals);
}

uint64_t wasm_value(const Wasm *w, const WasmNumbers *numbers, const WasmReloc *reloc) {
    const WasmSym *s = reloc->sym == NONE ? NULL : &w->syms.v[reloc->sym];
    switch (wasm_field(w, reloc)) {
    case WASM_F_FUNCTION:
    case WASM_F_GLOBAL: return wasm_index(w, numbers, reloc->sym, reloc->type);
    case WASM_F_TABLE: return s->table;
    case WASM_F_TYPE: return reloc->type;
    case WASM_F_ADDRESS: return (s->defined ? w->datas.v[s->item].addr + s->offset : 0) + (uint64_t)reloc->addend;
    case WASM_F_CODE: return w->funcs.v[s->item].at + (uint64_t)reloc->addend;
    case WASM_F_NONE: break;
    }
    return 0;
}

static void add_import(Wasm *w, WasmNumbers *numbers, uint32_t sym, uint32_t type) {
    WasmSym *s = &w->syms.v[sym];
    bool added;
    map_add(&numbers->by_use, use_key(sym, type), numbers->imports.n, &added);
    if (!added) return;
    uint32_t index = s->kind == WASM_FUNC ? numbers->n_funcs++ : s->kind == WASM_GLOBAL ? numbers->n_globals++ : 0;
    vec_push(w->arena, &numbers->imports, (WasmImport){sym, type, index});
    if (!s->import) s->import = numbers->imports.n;
}

VTR_NORETURN static void wrong(Wasm *w, uint32_t sym, const char *what) {
    diag_error(w->ctx, (Place){0}, "%%%s %s", w->syms.v[sym].name, what);
    ctx_throw(w->ctx, VTR_ERR_INPUT);
}

// First what tells the type of a function, then what does not.
static void number_use(Wasm *w, WasmNumbers *numbers, const WasmReloc *r, bool typed) {
    if (r->sym == NONE) {
        numbers->needs_table = true; // an indirect call
        return;
    }
    WasmSym *s = &w->syms.v[r->sym];
    bool is_func = s->kind == WASM_FUNC;
    if ((is_func && r->type != NONE) != typed) return;
    WasmField field = wasm_field(w, r);
    if (field == WASM_F_FUNCTION && s->defined && (!is_func || w->funcs.v[s->item].type != r->type))
        wrong(w, r->sym, "is called as a function of a type that it does not have");
    if (!s->defined && (typed || !is_func)) add_import(w, numbers, r->sym, is_func ? r->type : NONE);
    else if (!s->defined && !s->import) wrong(w, r->sym, "is a function of unknown type");
    if (field != WASM_F_TABLE || s->table) return;
    vec_push(w->arena, &numbers->table, r->sym);
    s->table = numbers->table.n;
    numbers->needs_table = true;
}

void wasm_number(Wasm *w, WasmNumbers *numbers) {
    *numbers = (WasmNumbers){.by_use = map_new(w->arena)};
    for (unsigned typed = 2; typed-- > 0;) {
        for (uint32_t k = 0; k < w->funcs.n; k++)
            for (uint32_t j = 0; j < w->funcs.v[k].relocs.n; j++)
                number_use(w, numbers, &w->funcs.v[k].relocs.v[j], typed);
        for (uint32_t k = 0; k < w->datas.n; k++)
            for (uint32_t j = 0; j < w->datas.v[k].relocs.n; j++)
                number_use(w, numbers, &w->datas.v[k].relocs.v[j], typed);
    }
    w->n_func_imports = numbers->n_funcs;
    for (uint32_t k = 0; k < w->syms.n; k++) {
        if (!w->syms.v[k].in_table) continue;
        WasmReloc r = {.number = WASM_R_TABLE_INDEX, .sym = k, .type = NONE};
        number_use(w, numbers, &r, false);
    }
}

// ---- pieces of files ----------------------------------------------------------------------------------------

void wasm_put_name(Buf *out, const char *name) {
    buf_uleb(out, strlen(name));
    buf_text(out, name);
}

void wasm_put_section(Buf *file, unsigned id, Buf *contents) {
    buf_u8(file, (uint8_t)id);
    buf_uleb(file, contents->bytes.n);
    buf_bytes(file, buf_str(contents), contents->bytes.n);
}

void wasm_put_header(Buf *file) {
    buf_bytes(file, "\0asm", 4);
    buf_u32(file, 1); // version
}

void wasm_put_types(const Wasm *w, Buf *file) {
    Buf out = buf_new(file->arena);
    if (!w->types.n) return;
    buf_uleb(&out, w->types.n);
    for (uint32_t k = 0; k < w->types.n; k++) {
        const MType *t = &w->types.v[k];
        buf_u8(&out, w->target->stack->function_type);
        buf_uleb(&out, t->n_params);
        buf_bytes(&out, t->params, t->n_params);
        buf_uleb(&out, t->n_results);
        buf_bytes(&out, t->results, t->n_results);
    }
    wasm_put_section(file, WASM_S_TYPE, &out);
}

void wasm_put_functions(const Wasm *w, Buf *file) {
    Buf out = buf_new(file->arena);
    if (!w->funcs.n) return;
    buf_uleb(&out, w->funcs.n);
    for (uint32_t k = 0; k < w->funcs.n; k++) buf_uleb(&out, w->funcs.v[k].type);
    wasm_put_section(file, WASM_S_FUNCTION, &out);
}

uint8_t wasm_address_type(const Wasm *w) {
    return w->target->classes[w->target->type_class[target_ptr_type(w->target)]].value_type;
}

bool wasm_wide_table(const Wasm *w) { return target_wide_table(w->target, w->features); }

void wasm_put_constant(Buf *out, bool wide, int64_t value) {
    buf_u8(out, wide ? 0x42 : 0x41); // of 64 bits, of 32
    buf_sleb(out, value);
    buf_u8(out, 0x0b); // the end
}

void wasm_put_limits(Buf *out, bool wide, uint64_t low, uint64_t high) {
    buf_u8(out, (uint8_t)((high ? WASM_L_MAX : 0) | (wide ? WASM_L_64 : 0)));
    buf_uleb(out, low);
    if (high) buf_uleb(out, high);
}

// The functions in the table, from number 1 on.
void wasm_put_elements(const Wasm *w, const WasmNumbers *numbers, Buf *file) {
    Buf out = buf_new(file->arena);
    if (!numbers->table.n) return;
    buf_uleb(&out, 1); // segment
    buf_uleb(&out, 0); // of table 0, functions
    wasm_put_constant(&out, wasm_wide_table(w), 1);
    buf_uleb(&out, numbers->table.n);
    for (uint32_t k = 0; k < numbers->table.n; k++) buf_uleb(&out, wasm_index(w, numbers, numbers->table.v[k], NONE));
    wasm_put_section(file, WASM_S_ELEMENT, &out);
}

uint32_t wasm_put_imports(const Wasm *w, const WasmNumbers *numbers, Buf *out) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < numbers->imports.n; k++) {
        const WasmImport *i = &numbers->imports.v[k];
        const WasmSym *s = &w->syms.v[i->sym];
        if (s->kind != WASM_FUNC && s->kind != WASM_GLOBAL) continue;
        wasm_put_name(out, s->module ? s->module : "env");
        wasm_put_name(out, s->field ? s->field : s->name);
        buf_u8(out, s->kind == WASM_FUNC ? WASM_X_FUNC : WASM_X_GLOBAL);
        if (s->kind == WASM_FUNC) buf_uleb(out, i->type);
        else {
            buf_u8(out, wasm_address_type(w));
            buf_u8(out, 1); // writable
        }
        n++;
    }
    return n;
}

void wasm_put_custom(Buf *file, const char *name, Buf *contents) {
    Buf out = buf_new(file->arena);
    wasm_put_name(&out, name);
    buf_bytes(&out, buf_str(contents), contents->bytes.n);
    wasm_put_section(file, WASM_S_CUSTOM, &out);
}

void wasm_put_producers(Buf *file) {
    Buf out = buf_new(file->arena);
    buf_uleb(&out, 1); // field
    wasm_put_name(&out, "processed-by");
    buf_uleb(&out, 1); // tool
    wasm_put_name(&out, "Vitrail");
    wasm_put_name(&out, "");
    wasm_put_custom(file, "producers", &out);
}

void wasm_put_padded(uint8_t *to, WasmRelocKind kind, uint64_t value) {
    if (kind.form == WASM_FIXED) {
        for (unsigned k = 0; k < kind.size; k++) to[k] = (uint8_t)(k < 8 ? value >> 8 * k : 0);
        return;
    }
    leb_put_wide(to, kind.size, value, kind.form == WASM_SLEB);
}

static void fill_fields(Wasm *w, const WasmNumbers *numbers, const WasmReloc *relocs, uint32_t n, Buf *bytes) {
    for (uint32_t k = 0; k < n; k++)
        wasm_put_padded((uint8_t *)bytes->bytes.v + relocs[k].at, wasm_reloc_kind(relocs[k].number),
                        wasm_value(w, numbers, &relocs[k]));
}

void wasm_fill_custom(Wasm *w, const WasmNumbers *numbers, WasmCustom *custom) {
    if (custom->fill) custom->fill(custom->user, w, custom);
    fill_fields(w, numbers, custom->relocs.v, custom->relocs.n, &custom->bytes);
}

void wasm_fill_data(Wasm *w, const WasmNumbers *numbers, WasmData *data) {
    fill_fields(w, numbers, data->relocs.v, data->relocs.n, &data->bytes);
}
