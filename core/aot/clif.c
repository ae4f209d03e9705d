// Objects from functions of IR.
#include <stdio.h>
#include <string.h>

#include "aot/aot.h"
#include "link/libcalls.h"

const char *aot_libcall(const char *name) {
    static const struct {
        const char *name, *function;
    } libcalls[] = {
#define X(name, function, types) {#name, #function},
        LIBCALLS(X)
#undef X
    };
    for (size_t k = 0; k < sizeof libcalls / sizeof *libcalls; k++)
        if (!strcmp(libcalls[k].name, name)) return libcalls[k].function;
    return NULL;
}

// The symbol of a function: what is not a text becomes one that no text is.
static uint32_t symbol(Object *o, ExtName name) {
    if (name.kind == NAME_TEXT) return aot_symbol(o, name.text);
    return object_symbol(o, name_symbol(o->arena, name));
}

static uint32_t resolve(void *user, ExtName name) { return symbol(user, name); }

// The functions that are being added are symbols by now, some not defined yet; `user` holds their names.
static bool among_names(const void *user, ExtName name) {
    return intern_find(user, name.text, strlen(name.text)) != UINT32_MAX;
}

// Rows of the section vitrail_traps: the distance from the row to the trapping instruction, and the code, 4 bytes each.
static void put_traps(Object *o, uint32_t section, const ObjFunc *func) {
    Buf *out = &o->sections.v[section].bytes;
    for (uint32_t k = 0; k < func->code->sites.n; k++) {
        const CodeSite *site = &func->code->sites.v[k];
        if (site->kind != SITE_TRAP) continue;
        object_reloc(o, section, out->bytes.n, o->target->reloc_place, o->sections.v[o->text].sym,
                     (int64_t)(func->at + site->at));
        buf_u32(out, 0);
        buf_u32(out, site->trap);
    }
}

static uint32_t trap_section(Object *o) {
    for (uint32_t k = 0; k < o->sections.n; k++)
        if (!strcmp(o->sections.v[k].name, "vitrail_traps")) return k;
    return object_section(o, "vitrail_traps", OBJ_READ_ONLY, 4);
}

void aot_add_funcs(Aot *aot, Func *const *funcs, uint32_t n) {
    Object *o = aot->object;
    Arena *code = arena_new(o->ctx);
    CompileOptions options = aot->compile;
    options.traps = TRAPS_INSN;
    // All names first: they are not the library's.
    Arena *tmp = arena_new(o->ctx);
    Interner names = interner_new(tmp);
    for (uint32_t k = 0; k < n; k++) {
        ExtName name = funcs[k]->name;
        if (name.kind == NAME_TEXT) {
            intern(&names, name.text, strlen(name.text));
            object_symbol(o, name.text);
        }
    }
    uint32_t traps = trap_section(o);
    for (uint32_t k = 0; k < n; k++) {
        Func *f = funcs[k];
        aot_make_near(f, among_names, &names);
        object_code(o, compile_func(code, f, &options), symbol(o, f->name), OBJ_GLOBAL, resolve, o);
        put_traps(o, traps, &vec_last(&o->funcs));
        arena_reset(code);
    }
    arena_free(tmp);
    arena_free(code);
}
