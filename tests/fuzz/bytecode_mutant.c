#include "bytecode_mutant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytecode/read.h"
#include "bytecode/write.h"
#include "interp/interp.h"

// Counts what the context has, and stops at the limit as the operating system might.
typedef struct Meter {
    uint64_t now;
    uint64_t peak;
} Meter;

static void *meter_resize(void *user, void *old, size_t old_size, size_t new_size) {
    Meter *meter = user;
    meter->now += new_size - old_size;
    if (meter->now > meter->peak) meter->peak = meter->now;
    if (meter->peak > MUTANT_MEMORY) {
        fprintf(stderr, "loading took more than %llu bytes\n", (unsigned long long)MUTANT_MEMORY);
        abort();
    }
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

void mutant_repair(uint8_t *bytes, size_t n) {
    if (n < 18) return;
    uint32_t crc = (uint32_t)crc32(0, bytes + 6, (unsigned)(n - 18));
    for (int i = 0; i < 4; i++) bytes[n - 4 + (size_t)i] = (uint8_t)(crc >> 8 * i);
}

typedef struct Job {
    const BcModule *m;
    const uint8_t *bytes;
    size_t n;
    MutantStats *stats;
} Job;

static bool same_bytes_expected(const Job *job) {
    // Ancillary sections, compression and later minors are not written back.
    for (size_t at = 8; at + 8 <= job->n;) {
        const uint8_t *head = job->bytes + at;
        if ((head[0] >= 'a' && head[0] <= 'z') || !memcmp(head, "ZSTD", 4)) return false;
        uint32_t len;
        memcpy(&len, head + 4, 4);
        at += 8 + (size_t)len;
    }
    return job->m->minor == 0;
}

static void write_job(Ctx *ctx, void *arg) {
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    Buf out = buf_new(arena);
    bc_write(job->m, (BcWriteOptions){0}, &out);
    if (same_bytes_expected(job) && (out.bytes.n != job->n || memcmp(out.bytes.v, job->bytes, job->n) != 0)) {
        fprintf(stderr, "the module writes other bytes than were read\n");
        abort();
    }
    Buf text = buf_new(arena);
    bc_disassemble(job->m, &text);
    BcModule *again = bc_assemble(ctx, "mutant.vita", buf_str(&text), text.bytes.n);
    arena_free(again->arena);
    arena_free(arena);
}

static void run_job(Ctx *ctx, void *arg) {
    Job *job = arg;
    static const uint64_t values[] = {0, 1, 10, UINT64_MAX, UINT64_C(1) << 31};
    uint64_t args[BC_MAX_PARAMS];
    Arena *arena = arena_new(ctx);
    RtOptions options = {.heap = {.limit = 1 << 16}, .max_depth = 50};
    Instance *instance = rt_instance_new(arena, job->m, &options);
    Interp *interp = interp_new(instance);
    for (uint32_t i = 0; i < job->m->n_exports; i++) {
        const BcExport *e = &job->m->exports[i];
        if (e->kind != BC_KIND_FUNC) continue;
        const BcType *sig = bc_type(job->m, bc_function_sig(job->m, e->index));
        for (uint32_t k = 0; k < sig->n; k++) {
            uint32_t t = sig->params[k];
            uint64_t value = values[(i + k) % 5];
            args[k] = t > BC_BOOL ? 0 : t == BC_BOOL ? value & 1 : value & (UINT64_MAX >> (64 - bc_type_width(t)));
        }
        uint64_t result;
        interp_set_fuel(interp, 200);
        job->stats->calls++;
        job->stats->traps += interp_call(interp, e->index, args, &result) != 0;
    }
    arena_free(arena);
}

static void report(vtr_context *ctx, const char *what) {
    vtr_diagnostic_info info;
    for (size_t i = 0; vtr_diagnostic(ctx, i, &info); i++) {
        fprintf(stderr, "%s: %u:%u: %s\n", what, info.line, info.column, info.message);
    }
    abort();
}

void mutant_try(const uint8_t *bytes, size_t n, MutantStats *stats) {
    Meter meter = {0, 0};
    vtr_allocator allocator = {meter_resize, &meter};
    vtr_context *ctx;
    vtr_bytecode *bc;
    if (vtr_context_new(&allocator, &ctx) != VTR_OK) abort();
    stats->tried++;
    if (vtr_bytecode_read(ctx, "mutant", bytes, n, VTR_ALLOW_LOW, &bc) == VTR_OK) {
        Job job = {bc, bytes, n, stats};
        stats->accepted++;
        if (ctx_try(ctx, write_job, &job) != VTR_OK) report(ctx, "round trip");
        vtr_status status = bc->low ? VTR_OK : ctx_try(ctx, run_job, &job);
        // A module may import globals that nobody defines, or have constants beyond the small heap.
        if (status != VTR_OK && status != VTR_ERR_NOT_FOUND && status != VTR_ERR_LIMIT) report(ctx, "run");
    }
    if (meter.peak > stats->peak) stats->peak = meter.peak;
    vtr_context_free(ctx);
    if (meter.now) {
        fprintf(stderr, "%llu bytes were not freed\n", (unsigned long long)meter.now);
        abort();
    }
}
