#include "aot/object.h"

#include <string.h>

Object *object_new(Arena *arena, const Target *target, uint64_t features) {
    Ctx *ctx = arena_ctx(arena);
    if (!target->elf_machine || target->reloc_word == NO_RELOC || target->reloc_place == NO_RELOC ||
        target->dwarf_return == NO_DWARF)
        ctx_fail(ctx, VTR_ERR_UNSUPPORTED, "%s: its description lacks what object files need", target->name);
    Object *o = NEW(arena, Object);
    o->ctx = ctx;
    o->arena = arena;
    o->target = target;
    o->features = features;
    o->names = interner_new(arena);
    o->files = interner_new(arena);
    o->text = object_section(o, ".text", OBJ_CODE, target->code_align);
    return o;
}

uint32_t object_section(Object *o, const char *name, ObjSectionKind kind, uint32_t align) {
    uint32_t number = o->sections.n;
    vec_push(o->arena, &o->sections, (ObjSection){.name = name, .kind = kind, .align = align});
    o->sections.v[number].bytes = buf_new(o->arena);
    o->sections.v[number].sym = object_local(o, "", OBJ_SECTION, number, 0, 0);
    return number;
}

uint64_t object_align(Object *o, uint32_t section, uint32_t align) {
    ObjSection *s = &o->sections.v[section];
    if (align > s->align) s->align = align;
    while (s->bytes.bytes.n % align) buf_u8(&s->bytes, 0);
    return s->bytes.bytes.n;
}

// ---- symbols -------------------------------------------------------------------------------------

static uint32_t add_symbol(Object *o, ObjSym sym) {
    vec_push(o->arena, &o->syms, sym);
    return o->syms.n - 1;
}

uint32_t object_local(Object *o, const char *name, ObjSymKind kind, uint32_t section, uint64_t value, uint64_t size) {
    ObjSym sym = {.name = arena_text(o->arena, name, strlen(name)), .scope = OBJ_LOCAL, .kind = (uint8_t)kind};
    sym.section = section;
    sym.value = value;
    sym.size = size;
    return add_symbol(o, sym);
}

static uint32_t find_or_add(Object *o, const char *name, ObjScope scope) {
    uint32_t number = intern(&o->names, name, strlen(name));
    while (o->by_name.n <= number) vec_push(o->arena, &o->by_name, 0);
    if (!o->by_name.v[number]) {
        ObjSym sym = {.name = o->names.symbols.v[number].text, .scope = (uint8_t)scope, .section = NONE};
        o->by_name.v[number] = add_symbol(o, sym) + 1;
    }
    return o->by_name.v[number] - 1;
}

uint32_t object_symbol(Object *o, const char *name) { return find_or_add(o, name, OBJ_GLOBAL); }

uint32_t object_weak(Object *o, const char *name) { return find_or_add(o, name, OBJ_WEAK); }

void object_define(Object *o, uint32_t sym, ObjScope scope, ObjSymKind kind, uint32_t section, uint64_t value,
                   uint64_t size) {
    ObjSym *s = &o->syms.v[sym];
    if (s->section != NONE) {
        diag_error(o->ctx, (Place){0}, "%%%s is defined already", s->name);
        ctx_throw(o->ctx, VTR_ERR_INPUT);
    }
    s->scope = (uint8_t)scope;
    s->kind = (uint8_t)kind;
    s->section = section;
    s->value = value;
    s->size = size;
}

// ---- relocations ---------------------------------------------------------------------------------

void object_reloc(Object *o, uint32_t section, uint64_t at, unsigned reloc, uint32_t sym, int64_t addend) {
    ObjReloc r = {at, o->target->relocs[reloc].elf, sym, addend};
    vec_push(o->arena, &o->sections.v[section].relocs, r);
}

void object_address(Object *o, uint32_t section, uint32_t sym, int64_t addend) {
    Buf *bytes = &o->sections.v[section].bytes;
    if (sym != NONE) object_reloc(o, section, bytes->bytes.n, o->target->reloc_word, sym, addend);
    for (unsigned k = 0; k < o->target->word_bits; k += 8) buf_u8(bytes, 0);
}

// ---- code ----------------------------------------------------------------------------------------

// What tables are made from later.
static const Code *copy_code(Object *o, const Code *code) {
    Code *copy = NEW(o->arena, Code);
    *copy = (Code){.target = code->target, .name = code->name, .n = code->n, .n_code = code->n_code};
    copy->align = code->align;
    copy->pops = code->pops;
    copy->landing = code->landing;
    copy->activation = code->activation;
    if (copy->name.kind == NAME_TEXT) copy->name.text = "";
    for (uint32_t k = 0; k < code->sites.n; k++) vec_push(o->arena, &copy->sites, code->sites.v[k]);
    for (uint32_t k = 0; k < code->refs.n; k++) vec_push(o->arena, &copy->refs, code->refs.v[k]);
    for (uint32_t k = 0; k < code->steps.n; k++) vec_push(o->arena, &copy->steps, code->steps.v[k]);
    for (uint32_t k = 0; k < code->lines.n; k++) vec_push(o->arena, &copy->lines, code->lines.v[k]);
    return copy;
}

void object_code(Object *o, const Code *code, uint32_t sym, ObjScope scope,
                 uint32_t (*resolve)(void *user, ExtName name), void *user) {
    uint64_t at = object_align(o, o->text, code->align);
    object_define(o, sym, scope, OBJ_FUNC, o->text, at, code->n);
    for (uint32_t k = 0; k < code->relocs.n; k++) {
        const CodeReloc *r = &code->relocs.v[k];
        uint32_t to = resolve(user, r->name);
        int64_t addend = r->addend;
        // The partner of another relocation names that one's place, and the linker finds symbol and addend there.
        if (r->back) {
            to = object_local(o, ".L", OBJ_NOTYPE, o->text, at + r->at - r->back, 0);
            addend = 0;
        }
        object_reloc(o, o->text, at + r->at, r->reloc, to, addend);
    }
    if (code->n) buf_bytes(&o->sections.v[o->text].bytes, code->bytes, code->n);
    vec_push(o->arena, &o->funcs, (ObjFunc){.sym = sym, .at = at, .code = copy_code(o, code)});
}
