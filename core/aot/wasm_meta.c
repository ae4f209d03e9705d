// The custom sections for the loader.
//
// Of the module's texts only those go into the file that something in vitrail.module names; they stand before the rest.
#include "aot/wasm_meta.h"

#include <string.h>

#include "irgen/irgen.h"
#include "runtime/vmctx.h"

enum { META_VERSION = 2, META_BYTECODE = 1, META_POLLS = 2 };

// ---- vitrail.code --------------------------------------------------------------------------------------

// As the loader reports it: VITBC's codes in modules of bytecode.
static uint32_t site_trap(const WasmMeta *meta, const CodeSite *site) {
    if (site->kind != SITE_TRAP) return 0;
    return meta->m ? irgen_trap_code(site->trap) : site->trap;
}

void wasm_meta_code(const WasmMeta *meta, Buf *out) {
    uint32_t n = 0;
    uint32_t before = 0;
    uint64_t place = 0;
    for (uint32_t k = 0; k < meta->n_funcs; k++) n += meta->funcs[k].code->sites.n > 0;
    buf_uleb(out, META_VERSION);
    buf_uleb(out, (meta->m ? META_BYTECODE : 0) | (meta->polls ? META_POLLS : 0));
    buf_uleb(out, meta->stack_low);
    buf_uleb(out, meta->stack_high);
    buf_uleb(out, meta->heap_base);
    buf_uleb(out, n);
    for (uint32_t k = 0; k < meta->n_funcs; k++) {
        const WasmMetaFunc *f = &meta->funcs[k];
        if (!f->code->sites.n) continue;
        buf_uleb(out, f->number - before);
        before = f->number;
        buf_uleb(out, f->func == NONE ? 0 : (uint64_t)f->func + 1);
        buf_uleb(out, f->code->sites.n);
        int64_t source = 0;
        for (uint32_t s = 0; s < f->code->sites.n; s++) {
            const CodeSite *site = &f->code->sites.v[s];
            uint64_t here = meta->place(meta->user, k, site->at);
            int64_t line = site->srcloc == NONE ? 0 : (int64_t)site->srcloc + 1;
            buf_uleb(out, here - place);
            buf_uleb(out, site_trap(meta, site));
            buf_sleb(out, line - source);
            place = here;
            source = line;
        }
    }
}

// ---- vitrail.module ------------------------------------------------------------------------------------

typedef struct Writer {
    const BcModule *m;
    Buf tables;
    uint32_t *text; // by string of the module: its number in the file + 1
    VEC(uint32_t) texts;
} Writer;

static uint32_t text_number(Writer *w, uint32_t str) {
    if (!w->text[str]) {
        vec_push(w->tables.arena, &w->texts, str);
        w->text[str] = w->texts.n;
    }
    return w->text[str] - 1;
}

static void put(Writer *w, uint64_t x) { buf_uleb(&w->tables, x); }
static void put_text(Writer *w, uint32_t str) { put(w, text_number(w, str)); }
static void put_optional(Writer *w, uint32_t x) { put(w, x == BC_NONE ? 0 : (uint64_t)x + 1); }
static void put_optional_text(Writer *w, uint32_t str) {
    put(w, str == BC_NONE ? 0 : (uint64_t)text_number(w, str) + 1);
}

static void put_types(Writer *w) {
    put(w, w->m->n_types);
    for (uint32_t k = 0; k < w->m->n_types; k++) {
        const BcType *t = &w->m->types[k];
        put(w, t->kind);
        if (t->kind == BC_STRUCT) {
            put_optional_text(w, t->name);
            put(w, t->size);
            put(w, t->n_map);
            for (uint32_t i = 0; i < t->n_map; i++) put(w, t->map[i]);
        } else {
            put(w, t->elem);
        }
        if (t->kind != BC_FUNC) continue;
        put(w, t->n);
        for (uint32_t i = 0; i < t->n; i++) put(w, t->params[i]);
    }
}

static void put_imports(Writer *w) {
    put(w, w->m->n_imports);
    for (uint32_t k = 0; k < w->m->n_imports; k++) {
        const BcImport *import = &w->m->imports[k];
        put(w, import->kind);
        put(w, import->kind == BC_KIND_GLOBAL ? import->flags : import->abi);
        put_text(w, import->module);
        put_text(w, import->name);
        put(w, import->type);
    }
}

static void put_values(Writer *w) {
    const BcModule *m = w->m;
    put(w, m->n_globals);
    for (uint32_t k = 0; k < m->n_globals; k++) {
        put(w, m->globals[k].type);
        put(w, m->globals[k].flags);
        put_optional(w, m->globals[k].init);
    }
    put(w, m->n_consts);
    for (uint32_t k = 0; k < m->n_consts; k++) {
        put(w, m->consts[k].tag);
        if (m->consts[k].tag == BC_CONST_STR) put_text(w, (uint32_t)m->consts[k].bits);
        else put(w, m->consts[k].bits);
    }
    put(w, m->n_datas);
    for (uint32_t k = 0; k < m->n_datas; k++) {
        put(w, m->datas[k].align);
        put(w, m->datas[k].len);
        buf_bytes(&w->tables, m->datas[k].bytes, m->datas[k].len);
    }
    put(w, m->n_exports);
    for (uint32_t k = 0; k < m->n_exports; k++) {
        put(w, m->exports[k].kind);
        put_text(w, m->exports[k].name);
        put(w, m->exports[k].index);
    }
}

static void put_lines(Writer *w, uint32_t func) {
    const BcFunc *f = &w->m->funcs[func];
    const BcRecord *record = f->dbg_off >= w->m->n_records ? NULL : &w->m->records[f->dbg_off];
    uint32_t before = 0;
    put(w, record ? record->n_lines : 0);
    for (uint32_t k = 0; record && k < record->n_lines; k++) {
        const BcLine *line = &record->lines[k];
        put(w, line->inst - before);
        put(w, line->file);
        put(w, line->line);
        put(w, line->col);
        before = line->inst;
    }
}

static void put_functions(Writer *w, const WasmMeta *meta) {
    const BcModule *m = w->m;
    put(w, bc_n_functions(m));
    for (uint32_t k = 0; k < bc_n_functions(m); k++) {
        const char *export = meta->exports[k];
        put(w, meta->table[k]);
        put(w, export ? strlen(export) + 1 : 0);
        if (export) buf_text(&w->tables, export);
    }
    put(w, m->n_files);
    for (uint32_t k = 0; k < m->n_files; k++) put_text(w, m->files[k]);
    put(w, m->n_funcs);
    for (uint32_t k = 0; k < m->n_funcs; k++) {
        const BcFunc *f = &m->funcs[k];
        put_optional_text(w, f->name);
        put(w, f->sig);
        put(w, f->n_blocks);
        for (uint32_t b = 0; b < f->n_blocks; b++) put(w, f->blocks[b].n);
        put_lines(w, k);
    }
}

// What compiled code takes for granted of its runtime. The loader reads what it can, and compares the header of
// objects, which its heap is built around.
static void put_agreement(Buf *out) {
    static const uint32_t facts[] = {sizeof(VmCtx),
                                     offsetof(VmCtx, poll),
                                     offsetof(VmCtx, stack_limit),
                                     offsetof(VmCtx, exit_code),
                                     offsetof(VmCtx, raised),
                                     offsetof(VmCtx, window),
                                     RT_TRAP_EXIT,
                                     RT_EXIT_RAISE,
                                     HEAP_HEADER,
                                     -HEAP_OFF_TYPE,
                                     -HEAP_OFF_LENGTH};
    for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) buf_uleb(out, facts[k]);
}

void wasm_meta_module(const WasmMeta *meta, Buf *out) {
    const BcModule *m = meta->m;
    Writer w = {.m = m, .tables = buf_new(out->arena), .text = NEW_ARRAY(out->arena, uint32_t, m->n_strs)};
    put_types(&w);
    put_imports(&w);
    put_values(&w);
    put_functions(&w, meta);
    put_optional(&w, meta->entry);
    buf_uleb(out, META_VERSION);
    put_agreement(out);
    buf_uleb(out, w.texts.n);
    for (uint32_t k = 0; k < w.texts.n; k++) {
        buf_uleb(out, m->strs[w.texts.v[k]].len);
        buf_bytes(out, m->strs[w.texts.v[k]].bytes, m->strs[w.texts.v[k]].len);
    }
    buf_bytes(out, w.tables.bytes.v, w.tables.bytes.n);
}
