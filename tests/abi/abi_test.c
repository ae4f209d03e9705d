// Compiles the generated functions at both levels and lets C call them and be called by them.
#include "abi_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/compile.h"
#include "jit/jit.h"

typedef struct Job {
    const AbiPart *part;
    const char *folder;
    OptLevel opt;
    unsigned failed;
} Job;

static char *read_file(const char *folder, const char *name, size_t *n) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.clif", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*n + 1);
    if (text && fread(text, 1, *n, file) != *n) *n = 0;
    fclose(file);
    return text;
}

static void fail(Job *job, const AbiCase *c, const char *what) {
    printf("%s -O %s: %s: %s\n", job->part->name, job->opt == OPT_NONE ? "none" : "speed", what, c->signature);
    job->failed++;
}

static void run_case(Job *job, const Jit *jit, const AbiCase *c) {
    unsigned char buffer[1024];
    memset(buffer, 0xcc, sizeof buffer);
    if (!c->call_take(jit_find(jit, name_of(c->take)), buffer)) fail(job, c, "C calls ours");
    memset(buffer, 0xcc, sizeof buffer);
    memset(abi_got, 0xcc, sizeof abi_got);
    if (!c->call_make(jit_find(jit, name_of(c->make)), buffer)) fail(job, c, "ours calls C: result");
    if (!abi_arguments_right) fail(job, c, "ours calls C: argument");
}

static void run_part(Ctx *ctx, void *arg) {
    Job *job = arg;
    size_t n = 0;
    char *text = read_file(job->folder, job->part->name, &n);
    if (!text) ctx_fail(ctx, VTR_ERR_SYSTEM, "cannot read %s.clif", job->part->name);
    Arena *arena = arena_new(ctx);
    IrFile *file = ir_read(arena, job->part->name, text, n, CC_SYSTEM_V);
    free(text);
    const Target *target = target_host();
    Jit *jit = jit_new(arena, target, NULL);
    CompileOptions options = {.target = target, .features = target->host_features(), .opt = job->opt, .check = true};
    for (uint32_t k = 0; k < file->funcs.n; k++) jit_add(jit, compile_func(arena, file->funcs.v[k], &options));
    for (unsigned k = 0; k < job->part->n; k++)
        jit_define_symbol(jit, name_of(job->part->cases[k].callee_name), job->part->cases[k].callee);
    jit_publish(jit);
    for (unsigned k = 0; k < job->part->n; k++) run_case(job, jit, &job->part->cases[k]);
    jit_free(jit);
    arena_free(arena);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    const AbiPart *parts[] = {&abi_sysv_0, &abi_sysv_1, &abi_win_0, &abi_win_1};
    unsigned passed = 0, failed = 0;
    for (unsigned k = 0; k < 8; k++) {
        Job job = {parts[k / 2], argv[1], k % 2 ? OPT_SPEED : OPT_NONE, 0};
        Ctx *ctx;
        if (vtr_context_new(NULL, &ctx) != VTR_OK) return 1;
        vtr_status status = ctx_try(ctx, run_part, &job);
        if (status != VTR_OK) {
            vtr_diagnostic_info info;
            printf("%s: %s\n", job.part->name, vtr_status_name(status));
            for (size_t d = 0; vtr_diagnostic(ctx, d, &info); d++) printf("  %u: %s\n", info.line, info.message);
            job.failed += job.part->n;
        }
        vtr_context_free(ctx);
        failed += job.failed;
        passed += job.part->n > job.failed ? job.part->n - job.failed : 0;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
