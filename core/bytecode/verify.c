// The verifier, first half: names, types and tables (3.3, 3.10, 3.11). The second half is verify_code.c.
//
// Order matters where a later check relies on an earlier one: types before everything that has a type, constants
// before globals, heads of all functions before the code of any, as calls look at signatures. After a fault in a table
// that code relies on, code is not looked at.
#include <stdio.h>
#include <string.h>

#include "bytecode/verify.h"
#include "support/buf.h"
#include "support/map.h"

bool check_wrong(Check *c, BcRule rule, const char *fmt, ...) {
    c->ok = false;
    if (c->stop) return false;
    char text[320];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    BcFault fault = {rule, c->table, c->index, c->inst, text};
    c->stop = !c->sink->report(c->sink->data, c->m, &fault);
    return false;
}

static void place(Check *c, const char *table, uint32_t index) {
    c->table = table;
    c->index = index;
    c->inst = BC_NONE;
}

// ---- strings ------------------------------------------------------------------------------------------------

bool bc_utf8_valid(const char *bytes, size_t n) {
    const unsigned char *p = (const unsigned char *)bytes;
    const unsigned char *end = p + n;
    while (p < end) {
        uint32_t lead = *p++;
        if (lead < 0x80) continue;
        unsigned more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        if (lead < 0xC2 || lead > 0xF4 || (size_t)(end - p) < more) return false;
        uint32_t code = lead & (0x3Fu >> more);
        for (unsigned i = 0; i < more; i++) {
            if ((*p & 0xC0) != 0x80) return false;
            code = code << 6 | (*p++ & 0x3Fu);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    }
    return true;
}

static bool check_str(Check *c, uint32_t s, const char *what) {
    if (s < c->m->n_strs) return true;
    return check_wrong(c, BC_V_STR, "%s: there is no string %u", what, s);
}

static bool check_name(Check *c, uint32_t s, const char *what) {
    if (!check_str(c, s, what)) return false;
    const BcStr *name = &c->m->strs[s];
    if (name->len == 0) return check_wrong(c, BC_V_NAME, "%s is empty", what);
    if (name->len > BC_MAX_NAME) return check_wrong(c, BC_V_NAME, "%s has %u bytes", what, name->len);
    if (memchr(name->bytes, 0, name->len)) return check_wrong(c, BC_V_NAME, "%s contains a NUL", what);
    return true;
}

static bool check_optional_name(Check *c, uint32_t s, const char *what) {
    return s == BC_NONE || check_name(c, s, what);
}

// ---- types --------------------------------------------------------------------------------------------------

static void check_map(Check *c, const BcType *t) {
    if (t->n_map != bc_map_words(t->size)) {
        check_wrong(c, BC_V_TYPE, "the reference map has %u words, not %u", t->n_map, bc_map_words(t->size));
        return;
    }
    // Fields stand in rising order, so the words of the map come one after the other.
    uint32_t field = 0;
    for (uint32_t w = 0; w < t->n_map; w++) {
        uint32_t word = 0;
        for (; field < t->n && t->fields[field].offset / 256 == w; field++) {
            const BcField *f = &t->fields[field];
            if (bc_is_gc_ref(c->m, f->type)) word |= UINT32_C(1) << (f->offset / 8 % 32);
        }
        if (word != t->map[w]) check_wrong(c, BC_V_TYPE, "word %u of the reference map is wrong", w);
    }
}

static void check_struct(Check *c, const BcType *t) {
    check_optional_name(c, t->name, "type name");
    if (t->align != 1 && t->align != 2 && t->align != 4 && t->align != 8) {
        check_wrong(c, BC_V_TYPE, "alignment %u", t->align);
        return;
    }
    if (t->size > BC_MAX_STRUCT || t->size % t->align) {
        check_wrong(c, BC_V_TYPE, "size %u with alignment %u", t->size, t->align);
        return;
    }
    uint64_t end = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        const BcField *f = &t->fields[i];
        check_optional_name(c, f->name, "field name");
        if (!check_value_type(c->m, f->type)) {
            check_wrong(c, BC_V_TYPE, "field %u: typeref %u", i, f->type);
            return;
        }
        uint32_t size = bc_type_size(f->type);
        bool fits = f->offset >= end && f->offset % size == 0 && size <= t->align;
        end = (uint64_t)f->offset + size;
        if (!fits || end > t->size) {
            check_wrong(c, BC_V_TYPE, "field %u does not fit at offset %u", i, f->offset);
            return;
        }
    }
    check_map(c, t);
}

static void check_types(Check *c) {
    const BcModule *m = c->m;
    Interner seen = interner_new(c->sink->scratch);
    Buf key = buf_new(c->sink->scratch);
    for (uint32_t i = 0; i < m->n_types && !c->stop; i++) {
        const BcType *t = &m->types[i];
        place(c, "TBLT", i);
        if (t->kind == BC_STRUCT) {
            check_struct(c, t);
            continue;
        }
        if (!check_value_type(m, t->elem) && !(t->kind == BC_FUNC && t->elem == BC_VOID)) {
            check_wrong(c, BC_V_TYPE, "typeref %u", t->elem);
        }
        for (uint32_t k = 0; k < t->n; k++) {
            if (!check_value_type(m, t->params[k])) {
                check_wrong(c, BC_V_TYPE, "parameter %u: typeref %u", k, t->params[k]);
            }
        }
        if (t->n > BC_MAX_PARAMS) check_wrong(c, BC_V_TYPE, "%u parameters", t->n);
        key.bytes.n = 0;
        buf_u8(&key, t->kind);
        buf_u32(&key, t->elem);
        for (uint32_t k = 0; k < t->n; k++) buf_u32(&key, t->params[k]);
        uint32_t before = seen.symbols.n;
        intern(&seen, key.bytes.v, key.bytes.n);
        if (seen.symbols.n == before) check_wrong(c, BC_V_TYPE, "the same type stands in the table twice");
    }
}

// ---- tables -------------------------------------------------------------------------------------------------

static void check_consts(Check *c) {
    const BcModule *m = c->m;
    for (uint32_t i = 0; i < m->n_consts && !c->stop; i++) {
        const BcConst *k = &m->consts[i];
        place(c, "CONS", i);
        uint64_t limit = k->tag == BC_CONST_STR     ? m->n_strs
                         : k->tag == BC_CONST_BYTES ? m->n_datas
                         : k->tag == BC_CONST_FN    ? bc_n_functions(m)
                         : k->tag == BC_BOOL        ? 2
                                                    : UINT64_MAX;
        if (limit != UINT64_MAX && k->bits >= limit) {
            check_wrong(c, BC_V_CONST, "%u is out of range", (unsigned)k->bits);
        }
    }
}

bool check_const_fits(const BcModule *m, uint32_t constant, uint32_t t) {
    const BcConst *k = &m->consts[constant];
    const BcType *type = bc_type(m, t);
    switch (k->tag) {
    case BC_CONST_STR:
    case BC_CONST_BYTES: return type && type->kind == BC_ARRAY && type->elem == BC_U8;
    case BC_CONST_FN: return t == bc_function_sig(m, (uint32_t)k->bits);
    default: return t == k->tag;
    }
}

static void check_c_signature(Check *c, const BcType *sig) {
    bool traced = sig->elem >= BC_REF;
    for (uint32_t i = 0; i < sig->n; i++) traced |= sig->params[i] >= BC_REF;
    if (traced) check_wrong(c, BC_V_IMPORT, "a C function cannot take or give references");
}

static void check_imports(Check *c) {
    const BcModule *m = c->m;
    Interner names = interner_new(c->sink->scratch);
    Interner keys = interner_new(c->sink->scratch);
    for (uint32_t i = 0; i < m->n_imports && !c->stop; i++) {
        const BcImport *imp = &m->imports[i];
        place(c, "IMPT", i);
        bool is_func = imp->kind == BC_KIND_FUNC;
        if (!check_name(c, imp->module, "module name") || !check_name(c, imp->name, "name")) continue;
        if (imp->type != BC_VOID && !check_value_type(m, imp->type)) {
            check_wrong(c, BC_V_TYPE, "typeref %u", imp->type);
        } else if (is_func ? !bc_is_kind(m, imp->type, BC_FUNC) : imp->type == BC_VOID) {
            check_wrong(c, BC_V_IMPORT, "%s cannot be the type of this import",
                        bc_type_text(m, imp->type, c->sink->scratch));
        } else if (is_func && imp->abi == BC_ABI_C) {
            check_c_signature(c, bc_type(m, imp->type));
        }
        const BcStr *home = &m->strs[imp->module];
        const BcStr *name = &m->strs[imp->name];
        uint32_t key[3] = {imp->kind, intern(&names, home->bytes, home->len), intern(&names, name->bytes, name->len)};
        uint32_t before = keys.symbols.n;
        intern(&keys, (const char *)key, sizeof key);
        if (keys.symbols.n == before) check_wrong(c, BC_V_IMPORT, "the same import stands in the table twice");
    }
}

static void check_globals(Check *c) {
    const BcModule *m = c->m;
    for (uint32_t i = 0; i < m->n_globals && !c->stop; i++) {
        const BcGlobal *g = &m->globals[i];
        place(c, "GLOB", i);
        check_optional_name(c, g->name, "name");
        if (!check_value_type(m, g->type)) check_wrong(c, BC_V_TYPE, "typeref %u", g->type);
        else if (g->init == BC_NONE) continue;
        else if (g->init >= m->n_consts) check_wrong(c, BC_V_GLOBAL, "there is no constant %u", g->init);
        else if (!check_const_fits(m, g->init, g->type))
            check_wrong(c, BC_V_GLOBAL, "the initialiser has another type");
    }
}

static void check_exports(Check *c) {
    const BcModule *m = c->m;
    Interner names = interner_new(c->sink->scratch);
    for (uint32_t i = 0; i < m->n_exports && !c->stop; i++) {
        const BcExport *e = &m->exports[i];
        place(c, "EXPT", i);
        if (e->index >= (e->kind == BC_KIND_FUNC ? bc_n_functions(m) : bc_n_globals(m))) {
            check_wrong(c, BC_V_EXPORT, "index %u is out of range", e->index);
        }
        if (!check_name(c, e->name, "name")) continue;
        uint32_t before = names.symbols.n;
        intern(&names, m->strs[e->name].bytes, m->strs[e->name].len);
        if (names.symbols.n == before) check_wrong(c, BC_V_EXPORT, "two exports have the same name");
    }
}

static void check_datas(Check *c) {
    const BcModule *m = c->m;
    for (uint32_t i = 0; i < m->n_datas && !c->stop; i++) {
        const BcData *d = &m->datas[i];
        place(c, "DATA", i);
        check_optional_name(c, d->name, "name");
        if (d->align == 0 || d->align > 16 || (d->align & (d->align - 1))) {
            check_wrong(c, BC_V_DATA, "alignment %u", d->align);
        }
    }
}

static void check_head(Check *c) {
    const BcModule *m = c->m;
    place(c, "HEAD", BC_NONE);
    check_optional_name(c, m->name, "module name");
    if (m->entry == BC_NONE) return;
    const BcFunc *f = m->entry < bc_n_functions(m) ? bc_local_func(m, m->entry) : NULL;
    const BcType *sig = f ? bc_type(m, f->sig) : NULL;
    if (!sig) check_wrong(c, BC_V_ENTRY, "entry %u is no function of this module", m->entry);
    else if (sig->n != 0 || (sig->elem != BC_VOID && sig->elem != BC_I32 && sig->elem != BC_I64)) {
        check_wrong(c, BC_V_ENTRY, "the entry is not of type () -> void, i32 or i64");
    }
}

// ---- SYMS ---------------------------------------------------------------------------------------------------

static void check_record(Check *c, const BcRecord *record, uint32_t index) {
    const BcModule *m = c->m;
    check_optional_name(c, record->pretty, "pretty name");
    if (record->func >= m->n_funcs || m->funcs[record->func].dbg_off != index) {
        check_wrong(c, BC_V_SYMS, "the record does not belong to function %u", record->func);
        return;
    }
    const BcFunc *f = &m->funcs[record->func];
    for (uint32_t i = 0; i < record->n_lines && !c->stop; i++) {
        const BcLine *line = &record->lines[i];
        if (line->inst >= f->n_insts || (i && line->inst <= record->lines[i - 1].inst)) {
            check_wrong(c, BC_V_SYMS, "line %u: instruction %u is out of order or range", i, line->inst);
        }
        if (line->file >= m->n_files) check_wrong(c, BC_V_SYMS, "line %u: there is no file %u", i, line->file);
    }
    for (uint32_t i = 0; i < record->n_vars && !c->stop; i++) {
        const BcVar *var = &record->vars[i];
        check_name(c, var->name, "variable name");
        if (var->reg >= f->n_regs || var->start > var->end || var->end > f->n_insts) {
            check_wrong(c, BC_V_SYMS, "variable %u: register or range is wrong", i);
        }
    }
}

static void check_syms(Check *c) {
    const BcModule *m = c->m;
    place(c, "SYMS", BC_NONE);
    for (uint32_t i = 0; i < m->n_files; i++) check_str(c, m->files[i], "source file");
    for (uint32_t i = 0; i < m->n_records && !c->stop; i++) {
        place(c, "SYMS", i);
        check_record(c, &m->records[i], i);
    }
    for (uint32_t i = 0; i < m->n_funcs && !c->stop; i++) {
        uint32_t record = m->funcs[i].dbg_off;
        place(c, "FUNC", i);
        if (record != BC_NONE && (record >= m->n_records || m->records[record].func != i)) {
            check_wrong(c, BC_V_SYMS, "record %u is not this function's", record);
        }
    }
}

// ---- functions ----------------------------------------------------------------------------------------------

static void check_func_head(Check *c, const BcFunc *f) {
    const BcModule *m = c->m;
    check_optional_name(c, f->name, "name");
    for (uint32_t i = 0; i < f->n_regs && !c->stop; i++) {
        if (!check_value_type(m, f->regs[i])) check_wrong(c, BC_V_FUNC, "R%u: typeref %u", i, f->regs[i]);
    }
    if (f->const_off > m->n_consts) check_wrong(c, BC_V_FUNC, "const_off %u", f->const_off);
    if (!bc_is_kind(m, f->sig, BC_FUNC)) {
        check_wrong(c, BC_V_FUNC, "the signature is no FUNC type");
        return;
    }
    const BcType *sig = bc_type(m, f->sig);
    if (f->n_params != sig->n) {
        check_wrong(c, BC_V_FUNC, "%u parameters, the signature has %u", f->n_params, sig->n);
    } else if ((uint64_t)f->n_params + f->n_locals > f->n_regs) {
        check_wrong(c, BC_V_FUNC, "more parameters and locals than registers");
    } else if (memcmp(f->regs, sig->params, sig->n * sizeof *f->regs) != 0) {
        check_wrong(c, BC_V_FUNC, "the parameters' types are not those of the signature");
    }
}

static void check_funcs(Check *c) {
    const BcModule *m = c->m;
    bool low = false;
    for (uint32_t i = 0; i < m->n_funcs && !c->stop; i++) {
        place(c, "FUNC", i);
        check_func_head(c, &m->funcs[i]);
        low |= (m->funcs[i].flags & BC_FN_LOW) != 0;
    }
    place(c, "HEAD", BC_NONE);
    if (low != m->low) check_wrong(c, BC_V_CAP, "flag bit 2 does not match the functions");
}

bool bc_verify(const BcModule *m, const BcSink *sink) {
    Check c = {.m = m, .sink = sink, .ok = true};
    check_types(&c);
    check_imports(&c);
    if (!c.ok) return false; // constants look at signatures of imports
    check_funcs(&c);
    check_consts(&c);
    if (!c.ok) return false;
    check_globals(&c);
    check_exports(&c);
    check_datas(&c);
    check_head(&c);
    check_syms(&c);
    if (!c.ok) return false;
    for (uint32_t i = 0; i < m->n_funcs && !c.stop; i++) {
        place(&c, "FUNC", i);
        c.f = &m->funcs[i];
        check_code(&c);
    }
    return c.ok;
}
