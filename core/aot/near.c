// Addresses in objects.
//
// What is defined in the same object is addressed relative to the code. The address of anything else may be that of a
// function in a shared library, which position-independent code must read from memory: func_addr and symbol_value
// become the load of a word that holds it, a word of the object's own in its data (.data.rel.ro), for every machine
// alike:
//
//     v1 = func_addr.i64 fn0       ->      v9 = symbol_value.i64 gv3       ; gv3 = symbol colocated %*f
//                                          v1 = load.i64 notrap aligned readonly v9
//
// The name of the word is that of the symbol behind an asterisk, which no name of an IR text begins with.
// Calls are left to the linker, which reaches everything.
#include <string.h>

#include "aot/aot.h"

static uint32_t word_global(Func *f, const char *name, Type type) {
    GlobalValue g = {.kind = GV_SYMBOL, .type = (uint8_t)type, .colocated = true};
    g.name = name_of(arena_printf(f->arena, "*%s", name));
    for (uint32_t k = 0; k < f->globals.n; k++)
        if (f->globals.v[k].kind == GV_SYMBOL && f->globals.v[k].name.kind == NAME_TEXT &&
            strcmp(f->globals.v[k].name.text, g.name.text) == 0)
            return k;
    vec_push(f->arena, &f->globals, g);
    return f->globals.n - 1;
}

static void load_address(Func *f, Inst i, const char *name) {
    Type type = value_type(f, inst_result(f, i, 0));
    InstData word = {.op = OP_symbol_value, .type = (uint8_t)type, .srcloc = inst_get(f, i)->srcloc, .block = NO_BLOCK};
    word.ref = word_global(f, name, type);
    Inst at = inst_new(f, &word);
    inst_make_results(f, at);
    inst_insert_before(f, at, i);
    Value value = inst_result(f, at, 0);
    InstData *load = inst_get(f, i);
    load->op = OP_load;
    load->type = (uint8_t)type;
    load->memflags = MF_NOTRAP | MF_ALIGNED | MF_READONLY;
    load->imm = 0;
    load->ref = 0;
    load->args = list_new(f, &value, 1);
}

void aot_make_near(Func *f, bool (*defined)(const void *user, ExtName name), const void *user) {
    FUNC_BLOCKS(b, f) {
        Inst next;
        for (Inst i = block_get(f, b)->first; inst_ok(i); i = next) {
            const InstData *d = inst_get(f, i);
            next = d->next;
            ExtName name = {0};
            if (d->op == OP_func_addr) name = f->funcs.v[d->ref].name;
            else if (d->op == OP_symbol_value && !f->globals.v[d->ref].offset) name = f->globals.v[d->ref].name;
            else continue;
            if (name.kind == NAME_TEXT && name.text[0] != '*' && !defined(user, name)) load_address(f, i, name.text);
        }
    }
    for (uint32_t k = 0; k < f->globals.n; k++) f->globals.v[k].colocated = true;
    for (uint32_t k = 0; k < f->funcs.n; k++) f->funcs.v[k].colocated = true;
}

// The section of such words.
static uint32_t word_section(Object *o) {
    for (uint32_t k = 0; k < o->sections.n; k++)
        if (!strcmp(o->sections.v[k].name, ".data.rel.ro")) return k;
    return object_section(o, ".data.rel.ro", OBJ_RELRO, 8);
}

uint32_t aot_symbol(Object *o, const char *name) {
    bool word = name[0] == '*';
    const char *text = word ? name + 1 : name;
    // What the object defines or has met under this name goes before the library.
    bool known = intern_find(&o->names, text, strlen(text)) != UINT32_MAX;
    const char *function = known ? NULL : aot_libcall(text);
    uint32_t sym = object_symbol(o, function ? function : text);
    if (!word) return sym;
    if (!o->syms.v[sym].word) {
        uint32_t section = word_section(o);
        uint64_t at = object_align(o, section, o->target->word_bits / 8);
        object_address(o, section, sym, 0);
        uint32_t local = object_local(o, "", OBJ_OBJECT, section, at, o->target->word_bits / 8);
        o->syms.v[sym].word = local + 1;
    }
    return o->syms.v[sym].word - 1;
}
