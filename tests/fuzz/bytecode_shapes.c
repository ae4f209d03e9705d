// Deterministic: bytecode_shapes [-m TARGET] [-t SECONDS] COUNT SEED FILE... changes the modules of the files (.vita or
// .vitbc), changes some results again and again, and runs each in every engine. Any fault aborts; the module that
// showed it is then in the file named by $MUTANT, if that is set.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bytecode/read.h"
#include "bytecode/write.h"
#include "bytecode_mutant.h"
#include "bytecode_run.h"
#include "bytecode_shape.h"

enum { MAX_FILE = 1 << 17, MOST_MODULES = 256, MOST_CHANGES = 6 };

typedef struct Bytes {
    uint8_t *v;
    size_t n;
} Bytes;

typedef struct Job {
    Bytes from;
    Bytes to; // malloc'ed
    uint64_t *state;
    uint64_t seed;
    const char *target;
    RunStats *stats;
} Job;

static Bytes now;

static void keep_mutant(void) {
    const char *path = getenv("MUTANT");
    FILE *out = path ? fopen(path, "wb") : NULL;
    if (!out) return;
    fwrite(now.v, 1, now.n, out);
    fclose(out);
}

static void stopped(int number) {
    signal(number, SIG_DFL);
    keep_mutant();
    raise(number);
}

static void change_body(Ctx *ctx, void *arg) {
    Job *job = arg;
    BcModule *m = bc_read(ctx, "mutant", job->from.v, job->from.n, true);
    Arena *arena = arena_new(ctx);
    Buf out = buf_new(arena);
    shape_change(m, job->state, 1 + (unsigned)(shape_random(job->state) % MOST_CHANGES));
    bc_write(m, (BcWriteOptions){0}, &out);
    job->to = (Bytes){malloc(out.bytes.n), out.bytes.n};
    if (!job->to.v) abort();
    memcpy(job->to.v, out.bytes.v, out.bytes.n);
}

static void run_body(Ctx *ctx, void *arg) {
    Job *job = arg;
    mutant_run(bc_read(ctx, "mutant", job->to.v, job->to.n, true), job->target, job->seed, job->stats);
}

static Bytes load(vtr_context *ctx, const char *path) {
    Bytes file = {malloc(MAX_FILE), 0};
    FILE *in = fopen(path, "rb");
    if (!in || !file.v) {
        perror(path);
        exit(1);
    }
    file.n = fread(file.v, 1, MAX_FILE, in);
    fclose(in);
    if (file.n >= 5 && !memcmp(file.v, "VITBC", 5)) return file;
    uint8_t *bytes;
    size_t n;
    if (vtr_bytecode_assemble(ctx, path, (const char *)file.v, file.n, &bytes, &n) != VTR_OK) exit(1);
    file.v = realloc(file.v, n);
    file.n = n;
    memcpy(file.v, bytes, n);
    vtr_bytes_free(ctx, bytes, n);
    return file;
}

static void run_one(Job *job) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGALRM, SIGABRT};
    MutantStats loading = {0};
    vtr_context *ctx;
    for (size_t k = 0; k < sizeof signals / sizeof *signals; k++) signal(signals[k], stopped);
    if (vtr_context_new(NULL, &ctx) != VTR_OK || ctx_try(ctx, change_body, job) != VTR_OK) abort();
    now = job->to;
    alarm(60);
    mutant_try(now.v, now.n, &loading);
    if (!loading.accepted || ctx_try(ctx, run_body, job) != VTR_OK) abort();
    vtr_context_free(ctx);
}

int main(int argc, char **argv) {
    const char *target = NULL;
    unsigned seconds = 0;
    for (int option; (option = getopt(argc, argv, "m:t:")) != -1;) {
        if (option == 'm') target = optarg;
        else if (option == 't') seconds = (unsigned)atoi(optarg);
        else return 2;
    }
    if (argc - optind < 3) return 2;
    uint64_t count = strtoull(argv[optind], NULL, 0);
    uint64_t state = strtoull(argv[optind + 1], NULL, 0);
    Bytes pool[MOST_MODULES];
    size_t n_files = 0;
    vtr_context *ctx;
    if (vtr_context_new(NULL, &ctx) != VTR_OK) return 1;
    for (int k = optind + 2; k < argc && n_files < MOST_MODULES / 2; k++) pool[n_files++] = load(ctx, argv[k]);
    vtr_context_free(ctx);
    size_t n = n_files;
    RunStats stats = {0};
    time_t end = time(NULL) + seconds;
    uint64_t made = 0;
    for (; made < count && (!seconds || time(NULL) < end); made++) {
        Job job = {.state = &state, .seed = shape_random(&state), .target = target, .stats = &stats};
        job.from = pool[shape_random(&state) % n];
        run_one(&job);
        if (n < MOST_MODULES) {
            pool[n++] = job.to;
            continue;
        }
        // The files stay, so that not everything ends in modules that trap at once.
        size_t place = n_files + shape_random(&state) % (n - n_files);
        free(pool[place].v);
        pool[place] = job.to;
    }
    for (size_t k = 0; k < n; k++) free(pool[k].v);
    printf("%llu modules, %llu compared; %llu calls, %llu trapped, %llu had no end\n", (unsigned long long)made,
           (unsigned long long)stats.modules, (unsigned long long)stats.calls, (unsigned long long)stats.traps,
           (unsigned long long)stats.endless);
    return stats.modules * 4 < made || stats.traps * 10 > stats.calls * 9;
}
