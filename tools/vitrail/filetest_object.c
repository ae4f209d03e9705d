// File tests as an object file: each function with an entry thunk, and for each directive a row in the section
// vitrail_tests, which the linker joins with those of other objects:
//     place, text, entry thunk, function, arguments, expected results: addresses
//     number of results, flags (1: `!=`, 2: `run` alone): 4 bytes each
// tests/aot/run_tests.c reads them. Names of one file are not seen by another.
//
// A file has a context of its own; the object's lives on. So functions are compiled in the file's, and what an object
// keeps is copied under the object's own ctx_try().
#include <stdio.h>
#include <string.h>

#include "aot/aot.h"
#include "filetest.h"
#include "compile/thunk.h"

struct FiletestObject {
    Ctx *ctx;
    Object *object;
    FiletestMachine machine;
    uint64_t features;
    OptLevel opt;
    uint32_t rows, data; // sections
};

typedef struct File {
    FiletestObject *tests;
    Ctx *ctx;
    Func **funcs;
    uint32_t n;
    Code **codes, **entries; // by function
    uint32_t *syms, *entry_syms;
} File;

typedef struct NewJob {
    const FiletestMachine *machine;
    bool speed;
    FiletestObject *made;
} NewJob;

static void new_body(Ctx *ctx, void *arg) {
    NewJob *job = arg;
    Arena *arena = arena_new(ctx);
    FiletestObject *tests = NEW(arena, FiletestObject);
    tests->ctx = ctx;
    tests->machine = *job->machine;
    tests->opt = job->speed ? OPT_SPEED : OPT_NONE;
    tests->features = filetest_features(ctx, job->machine);
    tests->object = object_new(arena, job->machine->target, tests->features);
    tests->rows = object_section(tests->object, "vitrail_tests", OBJ_RELRO, 8);
    tests->data = object_section(tests->object, ".rodata", OBJ_READ_ONLY, 8);
    job->made = tests;
}

FiletestObject *filetest_object_new(vtr_context *context, const FiletestMachine *machine, bool speed) {
    NewJob job = {machine, speed, NULL};
    return ctx_try(context, new_body, &job) == VTR_OK ? job.made : NULL;
}

typedef struct WriteJob {
    FiletestObject *tests;
    Buf file;
} WriteJob;

static void write_body(Ctx *ctx, void *arg) {
    (void)ctx;
    WriteJob *job = arg;
    object_unwind(job->tests->object);
    job->file = object_elf(job->tests->object, job->tests->object->arena);
}

bool filetest_object_write(FiletestObject *tests, const char *path) {
    WriteJob job = {.tests = tests};
    if (ctx_try(tests->ctx, write_body, &job) != VTR_OK) return false;
    FILE *out = fopen(path, "wb");
    bool right = out && fwrite(buf_str(&job.file), 1, job.file.bytes.n, out) == job.file.bytes.n;
    return out && fclose(out) == 0 && right;
}

// ---- a file ----------------------------------------------------------------------------------------

static bool same_name(const ExtName *a, const ExtName *b) {
    if (a->kind != b->kind) return false;
    if (a->kind == NAME_USER) return a->space == b->space && a->index == b->index;
    return strcmp(a->text, b->text) == 0;
}

static uint32_t resolve(void *user, ExtName name) {
    File *file = user;
    for (uint32_t k = 0; k < file->n; k++)
        if (same_name(&file->funcs[k]->name, &name)) return file->syms[k];
    return aot_symbol(file->tests->object, name.kind == NAME_TEXT ? name.text : "?");
}

static bool in_file(const void *user, ExtName name) {
    const File *file = user;
    for (uint32_t k = 0; k < file->n; k++)
        if (same_name(&file->funcs[k]->name, &name)) return true;
    return false;
}

static uint32_t resolve_none(void *user, ExtName name) {
    (void)user;
    (void)name;
    return NONE;
}

static void add_body(Ctx *ctx, void *arg) {
    (void)ctx;
    File *file = arg;
    Object *o = file->tests->object;
    for (uint32_t k = 0; k < file->n; k++) {
        const ExtName *name = &file->funcs[k]->name;
        file->syms[k] = object_local(o, name->kind == NAME_TEXT ? name->text : "", OBJ_FUNC, NONE, 0, 0);
        file->entry_syms[k] = object_local(o, "", OBJ_FUNC, NONE, 0, 0);
    }
    for (uint32_t k = 0; k < file->n; k++) {
        object_code(o, file->codes[k], file->syms[k], OBJ_LOCAL, resolve, file);
        object_code(o, file->entries[k], file->entry_syms[k], OBJ_LOCAL, resolve_none, file);
    }
}

static void *object_open(const void *options, Arena *arena, const IrFile *ir, Func **funcs, uint32_t n,
                         FiletestResult *result, const char **why) {
    FiletestObject *tests = *(FiletestObject *const *)options;
    (void)ir;
    File *file = NEW(arena, File);
    *file = (File){.tests = tests, .ctx = arena_ctx(arena), .funcs = funcs, .n = n};
    file->codes = NEW_ARRAY(arena, Code *, n);
    file->entries = NEW_ARRAY(arena, Code *, n);
    file->syms = NEW_ARRAY(arena, uint32_t, n);
    file->entry_syms = NEW_ARRAY(arena, uint32_t, n);
    CompileOptions compile = {
        .target = tests->machine.target, .features = tests->features, .opt = tests->opt, .check = true};
    compile.stress = &tests->machine.stress;
    compile.traps = TRAPS_INSN;
    for (uint32_t k = 0; k < n; k++) {
        aot_make_near(funcs[k], in_file, file);
        // The passes may change a function, but not its signature.
        file->codes[k] = compile_func(arena, funcs[k], &compile);
        CompileOptions entry = {.target = tests->machine.target, .opt = OPT_NONE, .traps = TRAPS_INSN};
        Func *thunk = thunk_entry(arena_ctx(arena), tests->machine.target, &funcs[k]->sig);
        file->entries[k] = compile_func(arena, thunk, &entry);
        arena_free(thunk->arena);
    }
    vtr_status status = ctx_try(tests->ctx, add_body, file);
    if (status == VTR_OK) return file;
    *result = FILETEST_FAILED;
    *why = vtr_status_name(status);
    return NULL;
}

// ---- directives --------------------------------------------------------------------------------------

typedef struct Row {
    File *file;
    const Func *f;
    const FiletestDirective *d;
    const char *place, *text;
} Row;

static uint64_t put_data(const FiletestObject *tests, const void *bytes, size_t size) {
    uint64_t at = object_align(tests->object, tests->data, 8);
    buf_bytes(&tests->object->sections.v[tests->data].bytes, bytes, size);
    return at;
}

static void row_body(Ctx *ctx, void *arg) {
    (void)ctx;
    const Row *row = arg;
    const FiletestObject *tests = row->file->tests;
    Object *o = tests->object;
    uint32_t k = 0;
    while (row->file->funcs[k] != row->f) k++;
    uint32_t data = o->sections.v[tests->data].sym;
    uint64_t at[] = {
        put_data(tests, row->place, strlen(row->place) + 1),
        put_data(tests, row->text, strlen(row->text) + 1),
        put_data(tests, row->d->args, row->d->n_args * sizeof *row->d->args),
        put_data(tests, row->d->expected, row->d->n_expected * sizeof *row->d->expected),
    };
    object_address(o, tests->rows, data, (int64_t)at[0]);
    object_address(o, tests->rows, data, (int64_t)at[1]);
    object_address(o, tests->rows, row->file->entry_syms[k], 0);
    object_address(o, tests->rows, row->file->syms[k], 0);
    object_address(o, tests->rows, data, (int64_t)at[2]);
    object_address(o, tests->rows, data, (int64_t)at[3]);
    Buf *rows = &o->sections.v[tests->rows].bytes;
    buf_u32(rows, row->d->n_expected);
    buf_u32(rows, (row->d->differs ? 1u : 0u) | (row->d->bare ? 2u : 0u));
}

static void object_keep(void *state, const Func *f, const FiletestDirective *d, const char *place, const char *text) {
    File *file = state;
    Row row = {file, f, d, place, text};
    vtr_status status = ctx_try(file->tests->ctx, row_body, &row);
    if (status != VTR_OK) ctx_throw(file->ctx, status);
}

const FiletestEngine filetest_object = {.name = "object", .command = "run", .open = object_open, .keep = object_keep};
