// libFuzzer target: IR text through everything that is made of it without running it. Built when VITRAIL_FUZZ is on.
// The first byte chooses the machine and the level; what is verified must be printed as text that reads back the same.
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "select/target.h"
#include "verify/ir_verify.h"
#include "vitrail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Job {
    Arena *arena;
    const char *text;
    size_t len;
} Job;

static Buf printed(Arena *arena, const Func *f) {
    Buf out = buf_new(arena);
    ir_write(f, &out);
    return out;
}

static void round_trip(Ctx *ctx, void *arg) {
    (void)ctx;
    Job *job = arg;
    const IrFile *file = ir_read(job->arena, "fuzz", job->text, job->len, CC_SYSTEM_V);
    for (uint32_t k = 0; k < file->funcs.n; k++) {
        const Func *f = file->funcs.v[k];
        if (!verify_func(f)) continue;
        Buf first = printed(job->arena, f);
        const IrFile *again = ir_read(job->arena, "again", buf_str(&first), first.bytes.n, CC_SYSTEM_V);
        if (again->funcs.n != 1 || !verify_func(again->funcs.v[0])) abort();
        Buf second = printed(job->arena, again->funcs.v[0]);
        if (strcmp(buf_str(&first), buf_str(&second)) != 0) abort();
        // Printing changes nothing.
        second = printed(job->arena, f);
        if (strcmp(buf_str(&first), buf_str(&second)) != 0) abort();
    }
}

static void make_object(vtr_context *context, const char *text, size_t len, unsigned how) {
    unsigned n = 0;
    while (targets_all[n]) n++;
    vtr_object_options options = {
        .target = targets_all[how / 2 % n]->name, .opt = how % 2 ? VTR_OPT_SPEED : VTR_OPT_NONE, .check = true};
    vtr_object *object;
    if (vtr_object_new(context, &options, &object) != VTR_OK) return; // no object files for this one
    vtr_status status = vtr_object_add_clif(object, "fuzz", text, len);
    uint8_t *bytes;
    size_t size;
    if (status == VTR_OK && vtr_object_bytes(object, &bytes, &size) == VTR_OK) vtr_bytes_free(context, bytes, size);
    if (status != VTR_OK && status != VTR_ERR_INPUT && status != VTR_ERR_UNSUPPORTED && status != VTR_ERR_LIMIT)
        abort();
    if (status != VTR_OK && vtr_diagnostic_count(context) == 0) abort();
    vtr_object_free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    vtr_context *context;
    if (size == 0 || vtr_context_new(NULL, &context) != VTR_OK) return 0;
    Job job = {arena_new(context), (const char *)data + 1, size - 1};
    size_t before = vtr_diagnostic_count(context);
    vtr_status status = ctx_try(context, round_trip, &job);
    if (status != VTR_OK && vtr_diagnostic_count(context) == before) abort();
    vtr_diagnostics_clear(context);
    make_object(context, job.text, job.len, data[0]);
    vtr_context_free(context);
    return 0;
}
