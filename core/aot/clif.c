// Objects from IR text.
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

uint32_t aot_symbol(Aot *aot, ExtName name) {
    Object *o = aot->object;
    if (name.kind == NAME_USER) {
        char text[32];
        snprintf(text, sizeof text, "u%u:%u", name.space, name.index);
        return object_symbol(o, text);
    }
    // What the object defines or has met under this name goes before the library.
    const char *function =
        intern_find(&o->names, name.text, strlen(name.text)) == UINT32_MAX ? aot_libcall(name.text) : NULL;
    return object_symbol(o, function ? function : name.text);
}

void aot_make_near(Func *f) {
    for (uint32_t k = 0; k < f->globals.n; k++) f->globals.v[k].colocated = true;
    for (uint32_t k = 0; k < f->funcs.n; k++) f->funcs.v[k].colocated = true;
}

static uint32_t resolve(void *user, ExtName name) { return aot_symbol(user, name); }

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

void aot_add_clif(Aot *aot, const char *file, const char *text, size_t len) {
    Object *o = aot->object;
    IrFile *ir = ir_read(o->arena, file, text, len, CC_SYSTEM_V);
    for (uint32_t k = 0; k < ir->skipped.n; k++)
        diag_error(o->ctx, ir->skipped.v[k].place, "unsupported: %s", ir->skipped.v[k].reason);
    if (ir->skipped.n) ctx_throw(o->ctx, VTR_ERR_UNSUPPORTED);
    CompileOptions options = aot->compile;
    options.traps = TRAPS_INSN;
    // All names first: they are not the library's.
    for (uint32_t k = 0; k < ir->funcs.n; k++) aot_symbol(aot, ir->funcs.v[k]->name);
    uint32_t traps = trap_section(o);
    for (uint32_t k = 0; k < ir->funcs.n; k++) {
        Func *f = ir->funcs.v[k];
        aot_make_near(f);
        const Code *code = compile_func(o->arena, f, &options);
        object_code(o, code, aot_symbol(aot, f->name), OBJ_GLOBAL, resolve, aot);
        put_traps(o, traps, &vec_last(&o->funcs));
    }
}
