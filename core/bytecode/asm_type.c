// Types of .vita text: type expressions, and the .type lines as a system of equations.
//
// A .type line may use names of later lines, also in a circle. So each line that is not an alias gets its table entry
// first; then the bodies are read, with inner types as further entries; then equal ARRAY and FUNC entries are
// merged, since the file allows each of them once. Merging can make others equal, so it is repeated until nothing
// changes, forth and back in turn: chains in either direction take one round.
#include <string.h>

#include "bytecode/asm.h"
#include "support/buf.h"

static uint32_t find_prim(const Tok *tok) {
    for (uint32_t i = 0; i < BC_N_PRIMS && !tok->quoted; i++) {
        if (strlen(bc_prim_name[i]) == tok->len && !memcmp(bc_prim_name[i], tok->text, tok->len)) return i;
    }
    return BC_NONE;
}

static uint32_t number_of(Asm *a, const BcType *t, bool *added) {
    Buf key = buf_new(a->scratch);
    buf_u8(&key, t->kind);
    buf_u32(&key, t->elem);
    for (uint32_t i = 0; i < t->n; i++) buf_u32(&key, t->params[i]);
    uint32_t before = a->types.symbols.n;
    uint32_t id = intern(&a->types, key.bytes.v, key.bytes.n);
    *added = a->types.symbols.n != before;
    return id;
}

// The typeref of an ARRAY or FUNC.
static uint32_t add_type(Asm *a, BcType t) {
    bool added;
    uint32_t id = number_of(a, &t, &added);
    if (added) {
        vec_push(a->scratch, &a->type_ids, a->table.n);
        vec_push(a->scratch, &a->table, t);
    }
    return a->type_ids.v[id] + BC_TYPE_BASE;
}

// Nesting of type expressions is bounded, so that reading them may recurse.
enum { MAX_NESTING = 32 };
static bool type_nested(Asm *a, uint32_t depth, uint32_t *type);

static bool sig_nested(Asm *a, uint32_t depth, const Tok **names, BcType *t) {
    uint32_t params[BC_MAX_PARAMS];
    uint32_t n = 0;
    *t = (BcType){.kind = BC_FUNC, .elem = BC_VOID};
    if (!asm_want_punct(a, '(')) return false;
    while (!asm_at_punct(a, ')')) {
        const Tok *first = asm_peek(a);
        if (n && !asm_want_punct(a, ',')) return false;
        if (n == BC_MAX_PARAMS) return asm_bad(a, first, "more than %u parameters", BC_MAX_PARAMS);
        if (names && (!asm_want_name(a, "a parameter's name", &names[n]) || !asm_want_punct(a, ':'))) return false;
        if (!type_nested(a, depth, &params[n++])) return false;
    }
    a->at++;
    if (asm_take_punct(a, '-')) {
        if (!asm_want_punct(a, '>')) return false;
        if (!asm_take_word(a, "void") && !type_nested(a, depth, &t->elem)) return false;
    }
    t->n = (uint16_t)n;
    t->params = arena_copy(a->arena, params, n * sizeof *params);
    return true;
}

static bool type_nested(Asm *a, uint32_t depth, uint32_t *type) {
    const Tok *tok = asm_peek(a);
    BcType t = {.kind = BC_ARRAY};
    if (depth == MAX_NESTING) return asm_bad(a, tok, "the type is nested too deeply");
    if (asm_take_punct(a, '[')) {
        if (!type_nested(a, depth + 1, &t.elem) || !asm_want_punct(a, ']')) return false;
        *type = add_type(a, t);
        return true;
    }
    if (asm_take_word(a, "fn")) {
        if (!sig_nested(a, depth + 1, NULL, &t)) return false;
        *type = add_type(a, t);
        return true;
    }
    if (tok->kind != TOK_NAME) return asm_bad(a, tok, "a type is expected");
    a->at++;
    *type = find_prim(tok);
    if (*type == BC_VOID) return asm_bad(a, tok, "void can only be a result");
    return *type != BC_NONE || asm_find(a, SPACE_TYPE, tok, type) ||
           asm_bad(a, tok, "there is no type %.*s", (int)tok->len, tok->text);
}

bool asm_type(Asm *a, uint32_t *type) { return type_nested(a, 0, type); }

bool asm_sig(Asm *a, const Tok **names, uint32_t *type) {
    BcType t;
    if (!sig_nested(a, 0, names, &t)) return false;
    *type = add_type(a, t);
    return true;
}

// ---- .type lines --------------------------------------------------------------------------------------------

static bool struct_fields(Asm *a, BcType *t, bool own_align) {
    VEC(BcField) fields = {0};
    uint64_t end = 0;
    uint64_t value;
    while (!asm_at_punct(a, '}')) {
        const Tok *name;
        BcField field = {0};
        if (fields.n && !asm_want_punct(a, ',')) return false;
        if (!asm_want_name(a, "a field's name", &name) || !asm_want_punct(a, ':') || !asm_type(a, &field.type))
            return false;
        uint32_t size = bc_type_size(field.type);
        field.name = asm_file_name(a, name);
        end = (end + size - 1) / size * size;
        if (asm_take_punct(a, '@')) {
            if (!asm_want_int(a, BC_MAX_STRUCT, "an offset", &value)) return false;
            end = value;
        }
        field.offset = (uint32_t)end;
        end += size;
        if (end > BC_MAX_STRUCT || fields.n == UINT16_MAX) return asm_bad(a, name, "the struct is too large");
        if (!own_align && size > t->align) t->align = (uint8_t)size;
        vec_push(a->scratch, &fields, field);
    }
    a->at++;
    t->n = (uint16_t)fields.n;
    t->fields = arena_copy(a->arena, fields.v, fields.n * sizeof *fields.v);
    uint32_t align = t->align ? t->align : 1;
    if (!t->size) t->size = (uint32_t)((end + align - 1) / align * align);
    return true;
}

static bool struct_body(Asm *a, const Tok *name, BcType *t) {
    uint64_t align = 1;
    uint64_t size = 0;
    bool own_align = asm_take_word(a, "align");
    if (own_align && !asm_want_int(a, 8, "an alignment", &align)) return false;
    if (asm_take_word(a, "size") && !asm_want_int(a, BC_MAX_STRUCT, "a size", &size)) return false;
    *t = (BcType){.kind = BC_STRUCT, .align = (uint8_t)align, .size = (uint32_t)size};
    t->name = asm_file_name(a, name);
    return asm_want_punct(a, '{') && struct_fields(a, t, own_align);
}

static bool type_body(Asm *a, uint32_t entry) {
    const Tok *name = &a->toks[a->at];
    BcType t = {.kind = BC_ARRAY, .elem = BC_I8};
    bool ok;
    a->at += 2; // name and =
    if (asm_take_word(a, "struct")) ok = struct_body(a, name, &t);
    else if (asm_take_word(a, "array")) ok = asm_type(a, &t.elem);
    else if (asm_take_punct(a, '[')) ok = asm_type(a, &t.elem) && asm_want_punct(a, ']');
    else if (asm_take_word(a, "fn")) ok = sig_nested(a, 0, NULL, &t);
    else return asm_bad(a, asm_peek(a), "a type is expected");
    a->table.v[entry] = t;
    return ok && asm_want_end_of_line(a);
}

static bool is_alias(Asm *a) {
    const Tok *tok = &a->toks[a->at + 2];
    static const char *const words[] = {"struct", "array", "fn"};
    for (int i = 0; i < 3; i++) {
        if (!tok->quoted && tok->len == strlen(words[i]) && !memcmp(tok->text, words[i], tok->len)) return false;
    }
    return tok->kind == TOK_NAME;
}

// Aliases may stand before what they name: rounds over those that are left, forth and back in turn.
static void resolve_aliases(Asm *a, const uint32_t *items, uint32_t n) {
    bool *done = NEW_ARRAY(a->scratch, bool, n);
    uint32_t left = n;
    bool moved = true;
    for (bool back = false; left && moved; back = !back) {
        moved = false;
        for (uint32_t k = 0; k < n; k++) {
            uint32_t i = back ? n - 1 - k : k;
            if (done[i]) continue;
            const Tok *name = &a->toks[items[i]];
            uint32_t type = find_prim(name + 2);
            if (type == BC_NONE && !asm_find(a, SPACE_TYPE, name + 2, &type)) continue;
            a->at = items[i] + 3;
            if (type == BC_VOID) asm_bad(a, name + 2, "void can only be a result");
            else if (asm_want_end_of_line(a)) asm_define(a, SPACE_TYPE, name, type);
            done[i] = moved = true;
            left--;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        const Tok *name = &a->toks[items[i]];
        if (!done[i]) asm_bad(a, name + 2, "there is no type %.*s", (int)name[2].len, name[2].text);
    }
}

static void remap(BcType *t, const uint32_t *to) {
    if (t->elem >= BC_TYPE_BASE) t->elem = to[t->elem - BC_TYPE_BASE] + BC_TYPE_BASE;
    for (uint32_t k = 0; k < t->n; k++) {
        uint32_t *inner = t->kind == BC_STRUCT ? &t->fields[k].type : &t->params[k];
        if (*inner >= BC_TYPE_BASE) *inner = to[*inner - BC_TYPE_BASE] + BC_TYPE_BASE;
    }
}

// One round of merging; to[i] becomes the entry that i is merged into. Returns whether anything was.
static bool merge_round(Asm *a, uint32_t *to, bool back) {
    bool changed = false;
    a->types = interner_new(a->scratch);
    a->type_ids.n = 0;
    for (uint32_t k = 0; k < a->table.n; k++) {
        uint32_t i = back ? a->table.n - 1 - k : k;
        if (to[i] != i || a->table.v[i].kind == BC_STRUCT) continue;
        bool added;
        remap(&a->table.v[i], to);
        uint32_t id = number_of(a, &a->table.v[i], &added);
        if (added) {
            vec_push(a->scratch, &a->type_ids, i);
            continue;
        }
        uint32_t other = a->type_ids.v[id];
        uint32_t keep = i < other ? i : other;
        to[i] = to[other] = keep;
        a->type_ids.v[id] = keep;
        changed = true;
    }
    for (uint32_t i = 0; i < a->table.n; i++) { // shorten chains; targets are lower
        to[i] = to[to[i]];
    }
    return changed;
}

static void merge_types(Asm *a) {
    uint32_t n = a->table.n;
    uint32_t *to = NEW_ARRAY(a->scratch, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) to[i] = i;
    bool back = false;
    while (merge_round(a, to, back)) back = !back;
    // Close the gaps.
    uint32_t *place = NEW_ARRAY(a->scratch, uint32_t, n);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) place[i] = to[i] == i ? kept++ : place[to[i]];
    kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (to[i] != i) continue;
        a->table.v[kept] = a->table.v[i];
        remap(&a->table.v[kept++], place);
    }
    a->table.n = kept;
    for (uint32_t i = 0; i < a->symbols.entries.n; i++) { // only types are defined yet
        uint32_t *type = &a->symbols.entries.v[i].value;
        if (*type >= BC_TYPE_BASE) *type = place[*type - BC_TYPE_BASE] + BC_TYPE_BASE;
    }
    a->types = interner_new(a->scratch);
    a->type_ids.n = 0;
    for (uint32_t i = 0; i < kept; i++) {
        bool added;
        if (a->table.v[i].kind == BC_STRUCT) continue;
        number_of(a, &a->table.v[i], &added);
        vec_push(a->scratch, &a->type_ids, i);
    }
}

void asm_types(Asm *a, const uint32_t *items, uint32_t n) {
    VEC(uint32_t) aliases = {0};
    VEC(uint32_t) entries = {0};
    for (uint32_t i = 0; i < n; i++) {
        const Tok *name;
        a->at = items[i];
        if (!asm_want_name(a, "a type's name", &name) || !asm_want_punct(a, '=')) continue;
        if (find_prim(name) != BC_NONE) {
            asm_bad(a, name, "%.*s is a primitive type", (int)name->len, name->text);
            continue;
        }
        a->at = items[i];
        if (is_alias(a)) {
            vec_push(a->scratch, &aliases, items[i]);
        } else if (asm_define(a, SPACE_TYPE, name, a->table.n + BC_TYPE_BASE)) {
            vec_push(a->scratch, &entries, items[i]);
            vec_push(a->scratch, &a->table, (BcType){.kind = BC_ARRAY, .elem = BC_I8});
        }
    }
    resolve_aliases(a, aliases.v, aliases.n);
    for (uint32_t i = 0; i < entries.n; i++) {
        a->at = entries.v[i];
        type_body(a, i);
    }
    merge_types(a);
}
