// The public functions on bytecode modules.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytecode/read.h"
#include "bytecode/write.h"

typedef struct Job {
    const char *name;
    const void *bytes;
    size_t n;
    unsigned flags;
    const vtr_bytecode *from;
    vtr_bytecode *module;
    uint8_t *out;
    size_t out_n;
} Job;

// Hands bytes to the caller, with a NUL behind them.
static void give(Ctx *ctx, Job *job, const Buf *buf) {
    job->out = ctx_alloc(ctx, (size_t)buf->bytes.n + 1);
    if (buf->bytes.n) memcpy(job->out, buf->bytes.v, buf->bytes.n);
    job->out_n = buf->bytes.n;
}

static void read_job(Ctx *ctx, void *arg) {
    Job *job = arg;
    job->module = bc_read(ctx, job->name, job->bytes, job->n, job->flags & VTR_ALLOW_LOW);
}

static void close_file(void *file) { fclose(file); }

static void load_job(Ctx *ctx, void *arg) {
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    Arena *scratch = arena_new(ctx);
    FILE *file = fopen(job->name, "rb");
    if (!file) ctx_fail(ctx, VTR_ERR_SYSTEM, "%s: %s", job->name, strerror(errno));
    arena_on_free(scratch, close_file, file);
    // Some inputs (pipes) have no size to ask for, so the bytes are collected.
    Buf bytes = buf_new(arena);
    size_t want = 1 << 16;
    while (bytes.bytes.n <= BC_MAX_FILE) {
        vec_reserve(arena, &bytes.bytes, want);
        size_t got = fread(bytes.bytes.v + bytes.bytes.n, 1, want, file);
        bytes.bytes.n += (uint32_t)got;
        if (got < want) break;
        want = bytes.bytes.n;
    }
    if (ferror(file)) ctx_fail(ctx, VTR_ERR_SYSTEM, "%s: %s", job->name, strerror(errno));
    job->module = bc_read_in(arena, job->name, (const uint8_t *)bytes.bytes.v, bytes.bytes.n, false);
    arena_free(scratch);
}

static void write_job(Ctx *ctx, void *arg) {
    Job *job = arg;
    Buf buf = buf_new(arena_new(ctx));
    BcWriteOptions options = {.strip = job->flags & VTR_STRIP, .compress = job->flags & VTR_COMPRESS};
    bc_write(job->from, options, &buf);
    give(ctx, job, &buf);
    arena_free(buf.arena);
}

static void assemble_job(Ctx *ctx, void *arg) {
    Job *job = arg;
    BcModule *m = bc_assemble(ctx, job->name, job->bytes, job->n);
    Buf buf = buf_new(m->arena);
    bc_write(m, (BcWriteOptions){0}, &buf);
    give(ctx, job, &buf);
    arena_free(m->arena);
}

static void disassemble_job(Ctx *ctx, void *arg) {
    Job *job = arg;
    Buf buf = buf_new(arena_new(ctx));
    bc_disassemble(job->from, &buf);
    give(ctx, job, &buf);
    arena_free(buf.arena);
}

vtr_status vtr_bytecode_load(vtr_context *context, const char *path, vtr_bytecode **bytecode) {
    Job job = {.name = path};
    vtr_status status = ctx_try(context, load_job, &job);
    if (status == VTR_OK) *bytecode = job.module;
    return status;
}

vtr_status vtr_bytecode_read(vtr_context *context, const char *name, const void *bytes, size_t n, unsigned flags,
                             vtr_bytecode **bytecode) {
    Job job = {.name = name, .bytes = bytes, .n = n, .flags = flags};
    vtr_status status = ctx_try(context, read_job, &job);
    if (status == VTR_OK) *bytecode = job.module;
    return status;
}

void vtr_bytecode_free(vtr_bytecode *bytecode) {
    if (bytecode) arena_free(bytecode->arena);
}

vtr_status vtr_bytecode_write(const vtr_bytecode *bytecode, unsigned flags, uint8_t **bytes, size_t *n) {
    Job job = {.from = bytecode, .flags = flags};
    vtr_status status = ctx_try(bytecode->ctx, write_job, &job);
    if (status != VTR_OK) return status;
    *bytes = job.out;
    *n = job.out_n;
    return VTR_OK;
}

vtr_status vtr_bytecode_assemble(vtr_context *context, const char *name, const char *text, size_t len, uint8_t **bytes,
                                 size_t *n) {
    Job job = {.name = name, .bytes = text, .n = len};
    vtr_status status = ctx_try(context, assemble_job, &job);
    if (status != VTR_OK) return status;
    *bytes = job.out;
    *n = job.out_n;
    return VTR_OK;
}

vtr_status vtr_bytecode_disassemble(const vtr_bytecode *bytecode, char **text, size_t *n) {
    Job job = {.from = bytecode};
    vtr_status status = ctx_try(bytecode->ctx, disassemble_job, &job);
    if (status != VTR_OK) return status;
    *text = (char *)job.out;
    *n = job.out_n;
    return VTR_OK;
}

void vtr_bytes_free(vtr_context *context, void *bytes, size_t n) {
    if (bytes) ctx_free(context, bytes, n + 1);
}

bool vtr_bytecode_export(const vtr_bytecode *bytecode, size_t index, char *name, size_t capacity) {
    for (uint32_t k = 0; k < bytecode->n_exports; k++) {
        const BcExport *e = &bytecode->exports[k];
        if (e->kind != BC_KIND_FUNC || index--) continue;
        const BcStr *s = &bytecode->strs[e->name];
        snprintf(name, capacity, "%.*s", (int)s->len, s->bytes);
        return true;
    }
    return false;
}

bool vtr_bytecode_import(const vtr_bytecode *bytecode, size_t index, char *name, size_t capacity, bool *global) {
    if (index >= bytecode->n_imports) return false;
    const BcImport *import = &bytecode->imports[index];
    const BcStr *module = &bytecode->strs[import->module];
    const BcStr *s = &bytecode->strs[import->name];
    snprintf(name, capacity, "%.*s.%.*s", (int)module->len, module->bytes, (int)s->len, s->bytes);
    if (global) *global = import->kind == BC_KIND_GLOBAL;
    return true;
}
