// Objects from modules of bytecode: the functions, the thunks between them and the runtime, and the image.
#include <string.h>

#include "aot/aot.h"
#include "aot/image.h"
#include "compile/thunk.h"

typedef struct Module {
    Aot *aot;
    Object *o;
    const BcModule *m;
    CompileOptions compile;
    Irgen irgen;
    uint32_t *functions, *entries, *externs; // ImageCode
    Interner thunks;                         // CODE_TRAP, helpers that exit: local symbols thunk_syms
    VEC(uint32_t) thunk_syms;
    Interner sigs; // keys of signatures that have an entry thunk: entry_syms
    VEC(uint32_t) entry_syms;
} Module;

static uint32_t resolve(void *user, ExtName name) {
    Module *a = user;
    if (name.kind == NAME_USER) return a->functions[name.index];
    uint32_t thunk = intern_find(&a->thunks, name.text, strlen(name.text));
    if (thunk != UINT32_MAX) return a->thunk_syms.v[thunk];
    return aot_symbol(a->o, name.text);
}

// Only helpers have text names, and their addresses are not taken.
static bool in_module(const void *user, ExtName name) {
    (void)user;
    (void)name;
    return true;
}

// What thunks refer to is outside, whatever its name.
static uint32_t resolve_outside(void *user, ExtName name) {
    Module *a = user;
    return object_symbol(a->o, strcmp(name.text, THUNK_TRAP_EXIT) == 0 ? "vtr_rt_trap_exit" : name.text);
}

static uint32_t new_local(Module *a, const char *name) { return object_local(a->o, name, OBJ_FUNC, NONE, 0, 0); }

// ---- thunks ----------------------------------------------------------------------------------------------

static uint32_t add_thunk_name(Module *a, const char *name) {
    intern(&a->thunks, name, strlen(name));
    vec_push(a->o->arena, &a->thunk_syms, new_local(a, name));
    return vec_last(&a->thunk_syms);
}

static void add_thunks(Module *a) {
    const Target *t = a->o->target;
    Arena *arena = a->o->arena;
    object_code(a->o, thunk_trap(arena, t, true), add_thunk_name(a, CODE_TRAP), OBJ_LOCAL, resolve_outside, a);
    for (const RtHelper *h = rt_helpers; h->name; h++) {
        if (!h->exits) continue;
        ExtName name = name_of(h->name);
        const Code *code = thunk_exit(arena, t, name, name, t->conv[CC_SYSTEM_V], offsetof(VmCtx, activation), true);
        object_code(a->o, code, add_thunk_name(a, h->name), OBJ_LOCAL, resolve_outside, a);
    }
}

// The entry thunk of a function's signature.
static uint32_t entry_thunk(Module *a, uint32_t func) {
    Arena *tmp = arena_new(a->o->ctx);
    Sig sig = irgen_sig(&a->irgen, tmp, func);
    Buf key = buf_new(tmp);
    for (uint32_t k = 0; k < sig.n_params; k++) buf_printf(&key, "%u.%u ", sig.params[k].type, sig.params[k].ext);
    for (uint32_t k = 0; k < sig.n_results; k++) buf_printf(&key, "-> %u ", sig.results[k].type);
    uint32_t number = intern(&a->sigs, buf_str(&key), key.bytes.n);
    if (number == a->entry_syms.n) {
        CompileOptions options = a->compile;
        options.opt = OPT_NONE;
        Func *f = thunk_entry(a->o->ctx, a->o->target, &sig);
        f->name = name_of(arena_printf(a->o->arena, "__vtr_entry %u", number));
        vec_push(a->o->arena, &a->entry_syms, new_local(a, f->name.text));
        object_code(a->o, compile_func(a->o->arena, f, &options), a->entry_syms.v[number], OBJ_LOCAL, resolve, a);
        arena_free(f->arena);
    }
    arena_free(tmp);
    return a->entry_syms.v[number];
}

// ---- functions -------------------------------------------------------------------------------------------

// Tells the source places of the function that was added last. What the code generator has put in between belongs to
// the line before. Wrappers of imports have none.
static void add_places(Module *a, uint32_t f) {
    const Code *code = vec_last(&a->o->funcs).code;
    const BcLine *line = NULL;
    if (f < a->m->n_imp_funcs) return;
    for (uint32_t k = 0; k < code->lines.n; k++) {
        uint32_t inst = code->lines.v[k].srcloc;
        if (inst != NONE) line = bc_line_at(a->m, f - a->m->n_imp_funcs, inst);
        BcStr file = line ? a->m->strs[a->m->files[line->file]] : (BcStr){"", 0};
        object_place(a->o, file.bytes, file.len, line ? line->line : 0, line ? line->col : 0);
    }
}

static void add_function(void *user, uint32_t func, Func *f, Arena *arena) {
    Module *a = user;
    aot_make_near(f, in_module, NULL);
    object_code(a->o, compile_func(arena, f, &a->compile), a->functions[func], OBJ_LOCAL, resolve, a);
    add_places(a, func);
}

static void add_functions(Module *a) {
    for (uint32_t f = 0; f < bc_n_functions(a->m); f++)
        a->functions[f] = new_local(a, bc_function_name(a->m, f, a->o->arena));
    aot_each_function(&a->irgen, &a->compile, add_function, a);
}

// C's functions and the cells of imported globals are what the linker finds under the import's name.
static void add_externs(Module *a) {
    for (uint32_t k = 0; k < a->m->n_imports; k++) {
        const BcImport *import = &a->m->imports[k];
        a->externs[k] = NONE;
        if (import->kind != BC_KIND_GLOBAL && import->abi != BC_ABI_C) continue;
        const BcStr *name = &a->m->strs[import->name];
        a->externs[k] = object_weak(a->o, arena_text(a->o->arena, name->bytes, name->len));
    }
}

uint32_t aot_entry(Ctx *ctx, const BcModule *m, const char *entry) {
    if (!entry) return m->entry;
    const BcExport *found = bc_export_find(m, BC_KIND_FUNC, entry, strlen(entry));
    if (found) return found->index;
    diag_error(ctx, (Place){.file = m->file}, "there is no exported function '%s'", entry);
    ctx_throw(ctx, VTR_ERR_NOT_FOUND);
}

static uint8_t image_trap(uint8_t code) {
    return (uint8_t)(code == TRAP_stk_ovf ? (uint32_t)RT_TRAP_STACK : irgen_trap_code(code));
}

void aot_each_function(const Irgen *irgen, CompileOptions *compile, AotEach *each, void *user) {
    Ctx *ctx = irgen->m->ctx;
    Arena *ir = arena_new(ctx);
    Arena *arena = arena_new(ctx);
    compile->scratch = arena_new(ctx);
    for (uint32_t func = 0; func < bc_n_functions(irgen->m); func++) {
        each(user, func, irgen_func(irgen, ir, func), arena);
        arena_reset(ir);
        arena_reset(arena);
    }
    arena_free(compile->scratch);
    compile->scratch = NULL;
    arena_free(arena);
    arena_free(ir);
}

void aot_add_module(Aot *aot, const BcModule *m, const char *entry) {
    Object *o = aot->object;
    if (o->funcs.n) ctx_fail(o->ctx, VTR_ERR_USAGE, "a module of bytecode has an object of its own");
    if (o->target->word_bits != 64)
        ctx_fail(o->ctx, VTR_ERR_UNSUPPORTED, "%s: modules need words of 64 bits", o->target->name);
    Module a = {.aot = aot, .o = o, .m = m, .compile = aot->compile};
    a.compile.traps = TRAPS_CALL;
    a.irgen = irgen_start(m, NULL);
    a.thunks = interner_new(o->arena);
    a.sigs = interner_new(o->arena);
    a.functions = NEW_ARRAY(o->arena, uint32_t, bc_n_functions(m));
    a.entries = NEW_ARRAY(o->arena, uint32_t, bc_n_functions(m));
    a.externs = NEW_ARRAY(o->arena, uint32_t, m->n_imports);
    ImageCode image = {a.functions, a.entries, a.externs, aot_entry(o->ctx, m, entry), image_trap};
    add_thunks(&a);
    add_functions(&a);
    for (uint32_t f = 0; f < bc_n_functions(m); f++) a.entries[f] = NONE;
    for (uint32_t k = 0; k < m->n_exports; k++)
        if (m->exports[k].kind == BC_KIND_FUNC) a.entries[m->exports[k].index] = entry_thunk(&a, m->exports[k].index);
    if (image.entry != BC_NONE) a.entries[image.entry] = entry_thunk(&a, image.entry);
    add_externs(&a);
    image_write(o, m, &image);
}
