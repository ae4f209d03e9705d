// The assembler's declarations, and how everything comes together. asm.h has the theory.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/asm.h"
#include "bytecode/write.h"

// ---- phrases ------------------------------------------------------------------------------------------------

bool asm_bad(Asm *a, const Tok *tok, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    diag_error_v(a->ctx, (Place){a->m->file, tok->line, tok->col}, fmt, args);
    va_end(args);
    a->errors++;
    return false;
}

bool asm_at_punct(const Asm *a, char c) { return asm_peek(a)->kind == TOK_PUNCT && asm_peek(a)->punct == c; }

static bool at_word(const Asm *a, const char *word) {
    const Tok *tok = asm_peek(a);
    return tok->kind == TOK_NAME && !tok->quoted && tok->len == strlen(word) && !memcmp(tok->text, word, tok->len);
}

bool asm_take_punct(Asm *a, char c) {
    if (!asm_at_punct(a, c)) return false;
    a->at++;
    return true;
}

bool asm_take_word(Asm *a, const char *word) {
    if (!at_word(a, word)) return false;
    a->at++;
    return true;
}

bool asm_want_punct(Asm *a, char c) { return asm_take_punct(a, c) || asm_bad(a, asm_peek(a), "'%c' is expected", c); }

static bool want(Asm *a, TokKind kind, const char *what, const Tok **tok) {
    *tok = asm_peek(a);
    if ((*tok)->kind != kind) return asm_bad(a, *tok, "%s is expected", what);
    a->at++;
    return true;
}

bool asm_want_name(Asm *a, const char *what, const Tok **name) { return want(a, TOK_NAME, what, name); }
bool asm_want_string(Asm *a, const char *what, const Tok **string) { return want(a, TOK_STRING, what, string); }

bool asm_want_int(Asm *a, uint64_t max, const char *what, uint64_t *value) {
    const Tok *tok;
    if (!want(a, TOK_INT, what, &tok)) return false;
    *value = tok->value;
    return (tok->value <= max && !tok->too_big) || asm_bad(a, tok, "%.*s is too large", (int)tok->len, tok->text);
}

bool asm_want_signed(Asm *a, unsigned width, uint64_t *bits) {
    bool minus = asm_take_punct(a, '-');
    uint64_t half = UINT64_C(1) << (width - 1);
    if (!asm_want_int(a, minus ? half : half - 1 + half, "an integer", bits)) return false;
    if (minus) *bits = 0 - *bits;
    return true;
}

bool asm_want_end_of_line(Asm *a) {
    return asm_peek(a)->kind == TOK_NEWLINE || asm_bad(a, asm_peek(a), "the end of the line is expected");
}

void asm_skip_line(Asm *a) {
    while (asm_peek(a)->kind != TOK_NEWLINE && asm_peek(a)->kind != TOK_END) a->at++;
    if (asm_peek(a)->kind == TOK_NEWLINE) a->at++;
}

// ---- names --------------------------------------------------------------------------------------------------

uint32_t asm_string(Asm *a, const char *text, size_t len) { return intern(&a->strings, text, len); }

uint32_t asm_file_name(Asm *a, const Tok *name) {
    const char *suffix = memchr(name->text, 0, name->len);
    uint32_t len = suffix ? (uint32_t)(suffix - name->text) : name->len;
    return len ? asm_string(a, name->text, len) : BC_NONE;
}

static uint64_t symbol_key(Asm *a, Space space, const Tok *name) {
    uint64_t owner = space >= SPACE_REG ? a->owner + 1 : 0;
    return (uint64_t)space << 60 | owner << 32 | intern(&a->names, name->text, name->len);
}

bool asm_define(Asm *a, Space space, const Tok *name, uint32_t index) {
    bool added;
    map_add(&a->symbols, symbol_key(a, space, name), index, &added);
    return added || asm_bad(a, name, "%.*s is defined already", (int)name->len, name->text);
}

bool asm_find(Asm *a, Space space, const Tok *name, uint32_t *index) {
    const uint32_t *found = map_find(&a->symbols, symbol_key(a, space, name));
    if (found) *index = *found;
    return found != NULL;
}

bool asm_lookup(Asm *a, Space space, const char *what, uint32_t *index) {
    const Tok *name = asm_peek(a);
    if (name->kind != TOK_NAME) return asm_bad(a, name, "a %s is expected", what);
    a->at++;
    return asm_find(a, space, name, index) || asm_bad(a, name, "there is no %s %.*s", what, (int)name->len, name->text);
}

// ---- directives ---------------------------------------------------------------------------------------------

static bool do_module(Asm *a) {
    const Tok *name;
    if (!asm_want_string(a, "the module's name", &name)) return false;
    if (a->m->name != BC_NONE) return asm_bad(a, name, "the module has a name already");
    a->m->name = asm_string(a, name->text, name->len);
    return true;
}

static bool do_pool(Asm *a) {
    const Tok *string;
    if (!asm_want_string(a, "a string", &string)) return false;
    vec_push(a->scratch, &a->pool, asm_string(a, string->text, string->len));
    return true;
}

static bool do_file(Asm *a) {
    const Tok *string;
    if (!asm_want_string(a, "a source file's name", &string)) return false;
    uint32_t name = asm_string(a, string->text, string->len);
    map_add(&a->file_ids, name, a->files.n, NULL);
    vec_push(a->scratch, &a->files, name);
    return true;
}

static bool do_import(Asm *a) {
    BcImport imp = {.abi = asm_take_word(a, "c") ? BC_ABI_C : BC_ABI_VITTE};
    bool global = imp.abi == BC_ABI_VITTE && asm_take_word(a, "global");
    const Tok *key;
    if (!global && !asm_take_word(a, "fn")) return asm_bad(a, asm_peek(a), "fn or global is expected");
    if (!asm_want_string(a, "the import's \"module.name\"", &key)) return false;
    const char *dot = memrchr(key->text, '.', key->len);
    if (!dot) return asm_bad(a, key, "an import is called \"module.name\"");
    Tok name = *key;
    name.kind = TOK_NAME;
    name.text = dot + 1;
    name.len = (uint32_t)(key->text + key->len - name.text);
    imp.kind = global ? BC_KIND_GLOBAL : BC_KIND_FUNC;
    imp.module = asm_string(a, key->text, (size_t)(dot - key->text));
    imp.name = asm_string(a, name.text, name.len);
    if (global) {
        if (!asm_want_punct(a, ':')) return false;
        imp.flags = asm_take_word(a, "mut") ? BC_MUTABLE : 0;
        if (!asm_type(a, &imp.type)) return false;
    } else if (!asm_sig(a, NULL, &imp.type)) {
        return false;
    }
    const Tok *local = &name;
    if (asm_take_word(a, "as") && !asm_want_name(a, "a name", &local)) return false;
    vec_push(a->scratch, &a->imports, imp);
    uint32_t *count = global ? &a->m->n_imp_globals : &a->m->n_imp_funcs;
    return asm_define(a, global ? SPACE_GLOBAL : SPACE_FUNC, local, (*count)++);
}

// The initialiser is looked up after constants are known.
static bool do_global(Asm *a) {
    const Tok *name;
    BcGlobal g = {.init = BC_NONE};
    if (!asm_want_name(a, "a name", &name) || !asm_want_punct(a, ':')) return false;
    g.flags = asm_take_word(a, "mut") ? BC_MUTABLE : 0;
    if (!asm_type(a, &g.type)) return false;
    g.name = asm_file_name(a, name);
    if (asm_take_punct(a, '=')) {
        g.init = a->at; // the token, until constants are known
        asm_skip_line(a);
        a->at--;
    }
    vec_push(a->scratch, &a->globals, g);
    return asm_define(a, SPACE_GLOBAL, name, a->m->n_imp_globals + a->globals.n - 1);
}

static bool want_const(Asm *a, uint32_t *index) {
    if (!asm_take_word(a, "const")) return asm_bad(a, asm_peek(a), "const:NAME is expected");
    return asm_want_punct(a, ':') && asm_lookup(a, SPACE_CONST, "constant", index);
}

static void finish_globals(Asm *a) {
    for (uint32_t i = 0; i < a->globals.n; i++) {
        BcGlobal *g = &a->globals.v[i];
        if (g->init == BC_NONE) continue;
        a->at = g->init;
        g->init = BC_NONE;
        if (want_const(a, &g->init)) asm_want_end_of_line(a);
    }
}

static bool do_data(Asm *a) {
    const Tok *name;
    uint64_t value = 1;
    if (!asm_want_name(a, "a name", &name)) return false;
    BcData d = {.name = asm_file_name(a, name), .align = 1};
    if (asm_take_word(a, "align") && !asm_want_int(a, 16, "an alignment", &value)) return false;
    d.align = (uint32_t)value;
    if (!asm_want_punct(a, '=')) return false;
    if (asm_peek(a)->kind == TOK_STRING) {
        const Tok *string = &a->toks[a->at++];
        d.bytes = (const uint8_t *)string->text;
        d.len = string->len;
    } else {
        Buf bytes = buf_new(a->arena);
        if (!asm_want_punct(a, '[')) return false;
        while (!asm_at_punct(a, ']')) {
            if (bytes.bytes.n && !asm_want_punct(a, ',')) return false;
            if (!asm_want_int(a, 255, "a byte", &value)) return false;
            buf_u8(&bytes, (uint8_t)value);
        }
        a->at++;
        d.bytes = (const uint8_t *)bytes.bytes.v;
        d.len = bytes.bytes.n;
    }
    vec_push(a->scratch, &a->datas, d);
    return asm_define(a, SPACE_DATA, name, a->datas.n - 1);
}

static bool define_const(Asm *a, const Tok *name, uint8_t tag, uint64_t bits) {
    vec_push(a->scratch, &a->consts, (BcConst){tag, bits});
    return asm_define(a, SPACE_CONST, name, a->consts.n - 1);
}

static bool do_string(Asm *a) {
    const Tok *name;
    const Tok *string;
    if (!asm_want_name(a, "a name", &name) || !asm_want_punct(a, '=')) return false;
    if (!asm_want_string(a, "a string", &string)) return false;
    return define_const(a, name, BC_CONST_STR, asm_string(a, string->text, string->len));
}

static bool float_const(Asm *a, uint8_t type, uint64_t *bits) {
    bool minus = asm_take_punct(a, '-');
    const Tok *tok = &a->toks[a->at];
    if (tok->kind != TOK_FLOAT && tok->kind != TOK_INT) return asm_bad(a, tok, "a number is expected");
    a->at++;
    uint64_t sign = UINT64_C(1) << (bc_type_width(type) - 1);
    if (tok->hex) {
        if (tok->too_big || tok->value > sign - 1 + sign || minus)
            return asm_bad(a, tok, "these are not the bits of a float");
        *bits = tok->value;
        return true;
    }
    char text[400]; // without the _ between digits
    size_t n = 0;
    for (uint32_t i = 0; i < tok->len && n < sizeof text - 1; i++) {
        if (tok->text[i] != '_') text[n++] = tok->text[i];
    }
    text[n] = 0;
    if (type == BC_F32) {
        float value = strtof(text, NULL);
        uint32_t low;
        memcpy(&low, &value, sizeof low);
        *bits = low;
    } else {
        double value = strtod(text, NULL);
        memcpy(bits, &value, sizeof *bits);
    }
    if (minus) *bits ^= sign;
    return true;
}

static bool do_const(Asm *a) {
    const Tok *name;
    const Tok *type;
    const Tok *string;
    uint32_t index = 0;
    uint64_t bits = 0;
    if (!asm_want_name(a, "a name", &name) || !asm_want_punct(a, '=')) return false;
    if (!asm_want_name(a, "the constant's type", &type)) return false;
    if (type->len == 2 && !memcmp(type->text, "fn", 2)) {
        return asm_lookup(a, SPACE_FUNC, "function", &index) && define_const(a, name, BC_CONST_FN, index);
    }
    if (type->len == 5 && !memcmp(type->text, "bytes", 5)) {
        return asm_lookup(a, SPACE_DATA, "data blob", &index) && define_const(a, name, BC_CONST_BYTES, index);
    }
    if (type->len == 6 && !memcmp(type->text, "string", 6)) {
        return asm_want_string(a, "a string", &string) &&
               define_const(a, name, BC_CONST_STR, asm_string(a, string->text, string->len));
    }
    for (unsigned k = BC_I8; k <= BC_BOOL; k++) {
        uint8_t t = (uint8_t)k;
        if (type->len != strlen(bc_prim_name[t]) || memcmp(type->text, bc_prim_name[t], type->len) != 0) continue;
        if (bc_is_float(t)) return float_const(a, t, &bits) && define_const(a, name, t, bits);
        if (t == BC_BOOL) {
            bits = at_word(a, "true");
            if (!asm_take_word(a, "true") && !asm_take_word(a, "false")) {
                return asm_bad(a, asm_peek(a), "true or false is expected");
            }
            return define_const(a, name, t, bits);
        }
        const Tok *number = asm_peek(a);
        unsigned width = bc_type_width(t);
        bool minus = asm_at_punct(a, '-');
        if (minus && !bc_is_signed(t)) return asm_bad(a, number, "%s has no negative values", bc_prim_name[t]);
        if (!asm_want_signed(a, width, &bits)) return false;
        bits = bits << (64 - width) >> (64 - width);
        if (bc_is_signed(t) && !minus && bits >> (width - 1))
            return asm_bad(a, number, "this does not fit %s", bc_prim_name[t]);
        return define_const(a, name, t, bits);
    }
    return asm_bad(a, type, "there are no constants of type %.*s", (int)type->len, type->text);
}

static bool do_export(Asm *a) {
    const Tok *name;
    BcExport e = {0};
    bool global = at_word(a, "global") && a->toks[a->at + 1].kind == TOK_NAME && a->at++;
    bool func = !global && at_word(a, "fn") && a->toks[a->at + 1].kind == TOK_NAME && a->at++;
    if (!asm_want_name(a, "a name", &name)) return false;
    if (!global && asm_find(a, SPACE_FUNC, name, &e.index)) {
        e.kind = BC_KIND_FUNC;
    } else if (!func && asm_find(a, SPACE_GLOBAL, name, &e.index)) {
        e.kind = BC_KIND_GLOBAL;
    } else {
        return asm_bad(a, name, "there is no %s %.*s", global ? "global" : "function", (int)name->len, name->text);
    }
    if (asm_take_word(a, "as")) {
        if (!asm_want_string(a, "the export's name", &name)) return false;
        e.name = asm_string(a, name->text, name->len);
    } else {
        e.name = asm_file_name(a, name);
        if (e.name == BC_NONE) return asm_bad(a, name, "the export needs a name: as \"NAME\"");
    }
    vec_push(a->scratch, &a->exports, e);
    return true;
}

static bool do_entry(Asm *a) {
    const Tok *name = asm_peek(a);
    if (a->m->entry != BC_NONE) return asm_bad(a, name, "the module has an entry already");
    return asm_lookup(a, SPACE_FUNC, "function", &a->m->entry);
}

// .fn NAME (...) -> type [low]: everything but the body.
static bool do_fn(Asm *a) {
    const Tok *name;
    const Tok *params[BC_MAX_PARAMS];
    uint32_t head = a->at;
    uint32_t index = a->funcs.n;
    BcFunc f = {.name = BC_NONE, .dbg_off = BC_NONE};
    bool ok = asm_want_name(a, "the function's name", &name) && asm_sig(a, params, &f.sig);
    if (ok) {
        f.flags = asm_take_word(a, "low") ? BC_FN_LOW : 0;
        a->m->low |= f.flags != 0;
        f.name = asm_file_name(a, name);
        ok = asm_define(a, SPACE_FUNC, name, a->m->n_imp_funcs + index);
        const BcType *sig = &a->table.v[f.sig - BC_TYPE_BASE];
        a->owner = index;
        for (uint32_t i = 0; i < sig->n; i++) ok &= asm_define(a, SPACE_REG, params[i], i);
    }
    vec_push(a->scratch, &a->funcs, f);
    vec_push(a->scratch, &a->sources, (AsmFunc){.head = head});
    if (ok) ok = asm_want_end_of_line(a);
    if (!ok) a->funcs.v[index].sig = BC_NONE; // the body is skipped
    asm_skip_line(a);
    a->sources.v[index].body = a->at--;
    return ok;
}

// ---- the whole ----------------------------------------------------------------------------------------------

// In the order of work; see asm.h.
typedef struct Directive {
    const char *name;
    bool (*run)(Asm *a); // behind the directive's name; NULL = asm_types()
} Directive;

static const Directive directives[] = {
    {"pool", do_pool},     {"file", do_file},     {"module", do_module}, {"type", NULL},
    {"import", do_import}, {"global", do_global}, {"data", do_data},     {"string", do_string},
    {"fn", do_fn},         {"const", do_const},   {"export", do_export}, {"entry", do_entry},
};
enum { N_DIRECTIVES = sizeof directives / sizeof *directives };

typedef struct Items {
    VEC(uint32_t) at[N_DIRECTIVES]; // the token behind the directive's name
} Items;

static void collect(Asm *a, Items *items) {
    bool inside = false; // a function
    while (asm_peek(a)->kind != TOK_END) {
        const Tok *start = asm_peek(a);
        bool directive = asm_at_punct(a, '.') && a->toks[a->at + 1].kind == TOK_NAME;
        if (directive) a->at++;
        if (inside) {
            if (directive && at_word(a, "end")) inside = false;
        } else if (directive) {
            uint32_t k = 0;
            while (k < N_DIRECTIVES && !at_word(a, directives[k].name)) k++;
            a->at++;
            if (k < N_DIRECTIVES) vec_push(a->scratch, &items->at[k], a->at);
            else asm_bad(a, start, "unknown directive .%.*s", (int)a->toks[a->at - 1].len, a->toks[a->at - 1].text);
            inside = k < N_DIRECTIVES && directives[k].run == do_fn;
        } else if (start->kind != TOK_NEWLINE) {
            asm_bad(a, start, "a directive is expected outside functions");
        }
        asm_skip_line(a);
    }
    if (inside) asm_bad(a, asm_peek(a), ".end is missing");
}

static void work(Asm *a, const Items *items) {
    for (uint32_t k = 0; k < N_DIRECTIVES; k++) {
        if (!directives[k].run) {
            asm_types(a, items->at[k].v, items->at[k].n);
            continue;
        }
        for (uint32_t i = 0; i < items->at[k].n; i++) {
            a->at = items->at[k].v[i];
            if (directives[k].run(a)) asm_want_end_of_line(a);
        }
    }
    finish_globals(a);
    for (uint32_t i = 0; i < a->funcs.n; i++) {
        if (a->funcs.v[i].sig != BC_NONE) asm_body(a, i);
    }
}

typedef struct Renumber {
    Asm *a;
    uint32_t *to; // provisional -> final number, BC_NONE = not met yet
    uint32_t n;
} Renumber;

static void renumber(void *data, uint32_t *string) {
    Renumber *r = data;
    if (*string == BC_NONE) return;
    if (r->to[*string] == BC_NONE) {
        const Symbol *symbol = &r->a->strings.symbols.v[*string];
        r->a->m->strs[r->n] = (BcStr){arena_text(r->a->arena, symbol->text, symbol->len), symbol->len};
        r->to[*string] = r->n++;
    }
    *string = r->to[*string];
}

static void finish_strings(Asm *a) {
    Renumber r = {a, NEW_ARRAY(a->scratch, uint32_t, a->strings.symbols.n), 0};
    for (uint32_t i = 0; i < a->strings.symbols.n; i++) r.to[i] = BC_NONE;
    a->m->strs = NEW_ARRAY(a->arena, BcStr, a->strings.symbols.n);
    for (uint32_t i = 0; i < a->pool.n; i++) renumber(&r, &a->pool.v[i]);
    bc_each_string(a->m, renumber, &r);
    a->m->n_strs = r.n;
    for (uint32_t i = 0; i < r.n; i++) {
        if (!bc_utf8_valid(a->m->strs[i].bytes, a->m->strs[i].len)) asm_bad(a, &a->toks[0], "a string is not UTF-8");
    }
}

#define TABLE(from, to, count)                                                                                         \
    (m->count = a->from.n, m->to = arena_copy(a->arena, a->from.v, a->from.n * sizeof *a->from.v))

static void finish_tables(Asm *a) {
    BcModule *m = a->m;
    TABLE(table, types, n_types);
    TABLE(imports, imports, n_imports);
    TABLE(globals, globals, n_globals);
    TABLE(datas, datas, n_datas);
    TABLE(consts, consts, n_consts);
    TABLE(exports, exports, n_exports);
    TABLE(funcs, funcs, n_funcs);
    TABLE(files, files, n_files);
    TABLE(records, records, n_records);
    m->has_syms = m->n_files || m->n_records;
    for (uint32_t i = 0; i < m->n_types; i++) {
        BcType *t = &m->types[i];
        if (t->kind != BC_STRUCT) continue;
        t->n_map = bc_map_words(t->size);
        t->map = NEW_ARRAY(a->arena, uint32_t, t->n_map);
        for (uint32_t k = 0; k < t->n; k++) {
            uint32_t word = t->fields[k].offset / 8;
            if (bc_is_gc_ref(m, t->fields[k].type) && word / 32 < t->n_map)
                t->map[word / 32] |= UINT32_C(1) << word % 32;
        }
    }
    finish_strings(a);
    bc_index_imports(m);
}

// A fault of the verifier, told at the line it comes from.
static bool report(void *data, const BcModule *m, const BcFault *fault) {
    Asm *a = data;
    (void)m;
    const Tok *tok = &a->toks[0];
    if (fault->table && !strcmp(fault->table, "FUNC") && fault->index != BC_NONE) {
        const AsmFunc *source = &a->sources.v[fault->index];
        tok = &a->toks[fault->inst == BC_NONE ? source->head : source->inst_tok[fault->inst]];
    }
    if (tok == &a->toks[0] && fault->table && fault->index != BC_NONE) {
        asm_bad(a, tok, "%s: %s entry %u: %s", bc_rule_name[fault->rule], fault->table, fault->index, fault->text);
    } else {
        asm_bad(a, tok, "%s: %s", bc_rule_name[fault->rule], fault->text);
    }
    return true;
}

BcModule *bc_assemble(Ctx *ctx, const char *name, const char *text, size_t len) {
    Arena *arena = arena_new(ctx);
    Arena *scratch = arena_new(ctx);
    Asm a = {.ctx = ctx, .arena = arena, .scratch = scratch};
    BcModule *m = a.m = NEW(arena, BcModule);
    m->ctx = ctx;
    m->arena = arena;
    m->file = arena_text(arena, name, strlen(name));
    m->name = m->entry = BC_NONE;
    a.names = interner_new(scratch);
    a.strings = interner_new(scratch);
    a.types = interner_new(scratch);
    a.symbols = map_new(scratch);
    a.file_ids = map_new(scratch);
    a.toks = asm_lex(&a, text, len);
    Items items = {0};
    collect(&a, &items);
    work(&a, &items);
    if (!a.errors) {
        finish_tables(&a);
        BcSink sink = {report, &a, scratch};
        if (m->n_funcs == 0) asm_bad(&a, &a.toks[0], "a module has at least one function");
        else if (m->n_types > BC_MAX_TYPES) asm_bad(&a, &a.toks[0], "more than %u types", BC_MAX_TYPES);
        else bc_verify(m, &sink);
    }
    if (a.errors) ctx_throw(ctx, VTR_ERR_INPUT);
    arena_free(scratch);
    return m;
}
