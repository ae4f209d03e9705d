// WebAssembly files from IR text and from modules of bytecode.
#include <stdio.h>
#include <string.h>

#include "aot/aot.h"
#include "aot/wasm_meta.h"
#include "ir_build.h"

#define RUNTIME "vitrail" // the module that the loader's functions are imported from

// ---- what the loader reads ----------------------------------------------------------------------------------

// Told when everything has its place.
typedef struct Meta {
    const BcModule *m;         // NULL: made from IR text
    const uint32_t *functions; // of m: symbols by function index
    const char *const *exports;
    uint32_t entry; // function index or BC_NONE
    bool polls;
} Meta;

static uint64_t site_place(const void *user, uint32_t k, uint32_t at) {
    const Wasm *w = user;
    return w->code_at + w->funcs.v[k].at + at;
}

static WasmMeta describe(const Meta *meta, Wasm *w) {
    WasmMetaFunc *funcs = NEW_ARRAY(w->arena, WasmMetaFunc, w->funcs.n);
    for (uint32_t k = 0; k < w->funcs.n; k++) {
        const Code *code = w->funcs.v[k].code;
        bool own = meta->m && code->name.kind == NAME_USER;
        funcs[k] = (WasmMetaFunc){code, w->n_func_imports + k, own ? code->name.index : NONE};
    }
    WasmMeta out = {
        .m = meta->m, .funcs = funcs, .n_funcs = w->funcs.n, .heap_base = w->heap_base, .polls = meta->polls};
    out.stack_low = w->stack_start;
    out.stack_high = w->stack_end;
    out.place = site_place;
    out.user = w;
    return out;
}

static void fill_code(void *user, Wasm *w, WasmCustom *section) {
    WasmMeta meta = describe(user, w);
    wasm_meta_code(&meta, &section->bytes);
}

static void fill_module(void *user, Wasm *w, WasmCustom *section) {
    const Meta *from = user;
    WasmMeta meta = describe(from, w);
    uint32_t *table = NEW_ARRAY(w->arena, uint32_t, bc_n_functions(from->m));
    for (uint32_t f = 0; f < bc_n_functions(from->m); f++) table[f] = w->syms.v[from->functions[f]].table;
    meta.table = table;
    meta.exports = from->exports;
    meta.entry = from->entry;
    wasm_meta_module(&meta, &section->bytes);
}

static Meta *add_meta(Wasm *w) {
    Meta *meta = NEW(w->arena, Meta);
    wasm_custom(w, WASM_META_CODE, fill_code, meta);
    return meta;
}

// The section vitrail_traps of an object.
static void fill_traps(void *user, Wasm *w, WasmCustom *section) {
    (void)user;
    for (uint32_t k = 0; k < w->funcs.n; k++) {
        const WasmFunc *f = &w->funcs.v[k];
        for (uint32_t s = 0; s < f->code->sites.n; s++) {
            const CodeSite *site = &f->code->sites.v[s];
            if (site->kind != SITE_TRAP) continue;
            WasmReloc r = {.at = section->bytes.bytes.n, .number = WASM_R_FUNCTION_OFFSET, .sym = f->sym, .type = NONE};
            r.addend = site->at;
            vec_push(w->arena, &section->relocs, r);
            buf_u32(&section->bytes, 0);
            buf_u32(&section->bytes, site->trap);
        }
    }
}

// ---- IR text ------------------------------------------------------------------------------------------------

static uint32_t symbol(Aot *aot, ExtName name) {
    Wasm *w = aot->wasm;
    const char *text = name_symbol(w->arena, name);
    // What the file defines or has met under this name goes before the library.
    bool known = intern_find(&w->names, text, strlen(text)) != UINT32_MAX;
    const char *function = known || name.kind != NAME_TEXT ? NULL : aot_libcall(text);
    uint32_t sym = wasm_symbol(w, function ? function : text);
    if (function && aot->complete && !w->syms.v[sym].module) wasm_import(w, sym, RUNTIME, function);
    return sym;
}

static uint32_t resolve_text(void *user, const CodeReloc *r) { return symbol(user, r->name); }

// Exports the function by which a host that cannot pass every value unchanged calls another one.
static void add_text_entry(Aot *aot, const Func *callee, const char *name) {
    Wasm *w = aot->wasm;
    CompileOptions options = aot->compile;
    options.traps = TRAPS_INSN;
    Func *f = wasm_entry_func(w->ctx, w->target, &callee->sig, callee->name);
    f->name = name_of(arena_printf(w->arena, "%s%s", WASM_ENTRY, name));
    uint32_t sym = wasm_local(w, f->name.text);
    wasm_code(w, compile_func(f->arena, f, &options), sym, resolve_text, aot);
    wasm_export(w, sym, w->syms.v[sym].name);
    arena_free(f->arena);
}

void aot_wasm_funcs(Aot *aot, Func *const *funcs, uint32_t n) {
    Wasm *w = aot->wasm;
    Arena *code = arena_new(w->ctx);
    if (!w->customs.n) {
        if (aot->complete) add_meta(w);
        else wasm_custom(w, "vitrail_traps", fill_traps, NULL);
    }
    CompileOptions options = aot->compile;
    options.traps = TRAPS_INSN;
    // All names first: they are not the library's.
    for (uint32_t k = 0; k < n; k++) wasm_symbol(w, name_symbol(w->arena, funcs[k]->name));
    for (uint32_t k = 0; k < n; k++) {
        const char *name = name_symbol(w->arena, funcs[k]->name);
        uint32_t sym = wasm_symbol(w, name);
        wasm_code(w, compile_func(code, funcs[k], &options), sym, resolve_text, aot);
        wasm_export(w, sym, name);
        // The passes may change a function, but not its signature.
        if (aot->entries) add_text_entry(aot, funcs[k], name);
        arena_reset(code);
    }
    arena_free(code);
}

// ---- bytecode -----------------------------------------------------------------------------------------------

typedef struct Module {
    Wasm *w;
    const BcModule *m;
    CompileOptions compile;
    Irgen irgen;
    uint32_t *functions; // symbols by function index
    const char **exports;
    Map traps;      // trap code -> symbol of the function that traps with it
    uint32_t array; // symbol of wasm_array_func(), NONE = nothing calls it
    uint32_t sizes; // and of its table
} Module;

static uint32_t trap_symbol(Module *a, uint32_t code) {
    bool added;
    uint32_t *sym = map_add(&a->traps, code, 0, &added);
    if (added) *sym = wasm_local(a->w, arena_printf(a->w->arena, "trap %u", code));
    return *sym;
}

static uint32_t resolve_outside(void *user, const CodeReloc *r) {
    Module *a = user;
    uint32_t sym = wasm_symbol(a->w, r->name.text);
    bool stack = !strcmp(r->name.text, a->w->target->stack->sp_symbol);
    if (!stack && !a->w->syms.v[sym].module) wasm_import(a->w, sym, RUNTIME, r->name.text);
    return sym;
}

static uint32_t resolve(void *user, const CodeReloc *r) {
    Module *a = user;
    if (r->name.kind == NAME_USER) return a->functions[r->name.index];
    if (!strcmp(r->name.text, CODE_TRAP)) return trap_symbol(a, (uint32_t)r->addend);
    if (strcmp(r->name.text, WASM_ARRAY) != 0) return resolve_outside(a, r);
    if (a->array == NONE) a->array = wasm_local(a->w, WASM_ARRAY);
    return a->array;
}

static void add_function(void *user, uint32_t func, Func *f, Arena *arena) {
    Module *a = user;
    wasm_code(a->w, compile_func(arena, f, &a->compile), a->functions[func], resolve, a);
}

static void add_functions(Module *a) {
    for (uint32_t f = 0; f < bc_n_functions(a->m); f++)
        a->functions[f] = wasm_local(a->w, bc_function_name(a->m, f, a->w->arena));
    aot_each_function(&a->irgen, &a->compile, add_function, a);
}

// A function (): trap(code), which never returns.
static Func *trap_func(Ctx *ctx, uint32_t code) {
    Func *f = func_new(ctx);
    f->sig = (Sig){.conv = CC_SYSTEM_V, .declared = true};
    Sig thrower = {.n_params = 1, .conv = CC_SYSTEM_V, .declared = true, .params = NEW(f->arena, AbiParam)};
    thrower.params[0].type = T_i32;
    vec_push(f->arena, &f->sigs, thrower);
    ExtFunc callee = {name_of("trap"), 0, .declared = true};
    vec_push(f->arena, &f->funcs, callee);
    Builder b = {.f = f, .at = block_new(f), .srcloc = NONE};
    block_append(f, b.at);
    Value number = ir_iconst(&b, T_i32, irgen_trap_code((uint8_t)code));
    ir_call(&b, 0, &number, 1);
    ir_trap(&b, (uint8_t)code);
    return f;
}

// The functions that trap, one for each code that is used.
static void add_traps(Module *a) {
    CompileOptions options = a->compile;
    options.traps = TRAPS_INSN;
    for (uint32_t k = 0; k < a->traps.entries.n; k++) {
        Func *f = trap_func(a->w->ctx, (uint32_t)a->traps.entries.v[k].key);
        f->name = name_of("trap");
        Code *code = compile_func(a->w->arena, f, &options);
        code->sites.n = 0; // the place that traps is the one that called it
        wasm_code(a->w, code, a->traps.entries.v[k].value, resolve, a);
        arena_free(f->arena);
    }
}

#define ARRAY_SIZES "array sizes"

static uint32_t resolve_in_array(void *user, const CodeReloc *r) {
    Module *a = user;
    return strcmp(r->name.text, ARRAY_SIZES) == 0 ? a->sizes : resolve_outside(a, r);
}

static void add_array(Module *a) {
    if (a->array == NONE) return;
    Wasm *w = a->w;
    uint32_t data = wasm_data(w, ".rodata.array_sizes", WASM_READ_ONLY, 1);
    wasm_array_sizes(a->m, &w->datas.v[data].bytes);
    a->sizes = wasm_local(w, ARRAY_SIZES);
    wasm_define_data(w, a->sizes, data, 0, a->m->n_types);
    Func *f = wasm_array_func(w->ctx, WASM_ARRAY, ARRAY_SIZES);
    f->name = name_of(WASM_ARRAY);
    wasm_code(w, compile_func(f->arena, f, &a->compile), a->array, resolve_in_array, a);
    arena_free(f->arena);
}

// Exports a function and the one by which a host that cannot pass every value unchanged calls it.
static void add_entry(Module *a, uint32_t func) {
    if (a->exports[func]) return;
    Wasm *w = a->w;
    ExtName name = {.kind = NAME_USER, .index = func};
    const char *text = name_symbol(w->arena, name);
    Arena *tmp = arena_new(w->ctx);
    Sig sig = irgen_sig(&a->irgen, tmp, func);
    Func *f = wasm_entry_func(w->ctx, w->target, &sig, name);
    f->name = name_of(arena_printf(w->arena, "%s%s", WASM_ENTRY, text));
    uint32_t sym = wasm_local(w, f->name.text);
    wasm_code(w, compile_func(tmp, f, &a->compile), sym, resolve, a);
    wasm_export(w, sym, w->syms.v[sym].name);
    wasm_export(w, a->functions[func], text);
    a->exports[func] = text;
    arena_free(f->arena);
    arena_free(tmp);
}

// Functions of which the loader makes references.
static void add_table(Module *a) {
    for (uint32_t k = 0; k < a->m->n_consts; k++)
        if (a->m->consts[k].tag == BC_CONST_FN) a->w->syms.v[a->functions[a->m->consts[k].bits]].in_table = true;
    a->w->table_may_grow = true;
}

void aot_wasm_module(Aot *aot, const BcModule *m, const char *entry) {
    Wasm *w = aot->wasm;
    if (w->funcs.n) ctx_fail(w->ctx, VTR_ERR_USAGE, "a module of bytecode has a file of its own");
    if (!aot->complete) ctx_fail(w->ctx, VTR_ERR_UNSUPPORTED, "a module of bytecode becomes a complete module only");
    Module a = {.w = w, .m = m, .compile = aot->compile, .traps = map_new(w->arena), .array = NONE};
    a.compile.traps = TRAPS_CALL;
    IrgenOptions irgen = irgen_engine(aot->polls);
    a.irgen = irgen_start(m, &irgen);
    a.functions = NEW_ARRAY(w->arena, uint32_t, bc_n_functions(m));
    a.exports = NEW_ARRAY(w->arena, const char *, bc_n_functions(m));
    uint32_t start = aot_entry(w->ctx, m, entry);
    add_functions(&a);
    for (uint32_t k = 0; k < m->n_exports; k++)
        if (m->exports[k].kind == BC_KIND_FUNC) add_entry(&a, m->exports[k].index);
    if (start != BC_NONE) add_entry(&a, start);
    add_array(&a);
    add_traps(&a);
    add_table(&a);
    Meta *meta = add_meta(w);
    *meta = (Meta){m, a.functions, a.exports, start, aot->polls};
    wasm_custom(w, WASM_META_MODULE, fill_module, meta);
}
