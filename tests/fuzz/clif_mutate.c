// Damaged CLIF texts through the reader, the verifier, the writer and the reader again. Deterministic.
//   clif_mutate COUNT FILE...
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "verify/ir_verify.h"

enum { MAX_TEXT = 16384, ROOM = MAX_TEXT + 256 };

static const char *const words[] = {
    "v0",       "v1",
    "v99",      "block0",
    "block1",   "i8",
    "i64",      "f32",
    "i128",     "->",
    "(",        ")",
    "{",        "}",
    ",",        "=",
    ":",        "iadd",
    "load",     "call",
    "fn0",      "sig0",
    "ss0",      "gv0",
    "return",   "jump",
    "brif",     "br_table",
    "[",        "]",
    "+8",       "-4",
    "0x1.0",    "notrap",
    "function", "global_value",
    "@12",      "stack_map",
    "\"",       "v4294967294",
    "cold",     "select",
    ";",        "trapz",
    "user1",    "v16777214",
    "const0",   "stack_load",
    "iadd_imm", "block4000000",
};

typedef struct Job {
    Arena *arena;
    const char *text;
    size_t len;
    unsigned read, verified, differing;
} Job;

static uint64_t seed = 88172645463325252;

static unsigned below(size_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 16) % n);
}

// A verified function's text must be read again and give the same text.
static void check_again(Job *job, const Func *f) {
    Buf first = buf_new(job->arena);
    Buf second = buf_new(job->arena);
    ir_write(f, &first);
    const IrFile *again = ir_read(job->arena, NULL, buf_str(&first), first.bytes.n, CC_FAST);
    if (again->funcs.n == 1) ir_write(again->funcs.v[0], &second);
    if (again->funcs.n != 1 || strcmp(buf_str(&first), buf_str(&second)) != 0) {
        printf("not the same again:\n%s", buf_str(&first));
        job->differing++;
    }
}

static void read_body(Ctx *ctx, void *arg) {
    Job *job = arg;
    const IrFile *file = ir_read(job->arena, NULL, job->text, job->len, CC_FAST);
    (void)ctx;
    job->read++;
    for (uint32_t k = 0; k < file->funcs.n; k++) {
        if (!verify_func(file->funcs.v[k])) continue;
        job->verified++;
        check_again(job, file->funcs.v[k]);
    }
}

static size_t mutate(char *text, size_t len) {
    for (unsigned n = below(5); n-- > 0 && len > 0;) {
        size_t at = below(len);
        if (below(4) == 0) {
            text[at] = (char)below(256);
            continue;
        }
        const char *word = words[below(sizeof words / sizeof *words)];
        size_t size = strlen(word);
        size_t cut = below(8);
        if (cut > len - at) cut = len - at;
        if (len + size - cut > ROOM) continue;
        memmove(text + at + size, text + at + cut, len - at - cut);
        memcpy(text + at, word, size);
        len += size - cut;
    }
    return len;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    Job job = {0};
    long count = atol(argv[1]);
    for (long k = 0; k < count; k++) {
        FILE *in = fopen(argv[2 + below((size_t)argc - 2)], "rb");
        char *text = malloc(ROOM);
        vtr_context *ctx;
        if (!in || !text || vtr_context_new(NULL, &ctx) != VTR_OK) return 2;
        job.len = mutate(text, fread(text, 1, MAX_TEXT, in));
        fclose(in);
        job.text = realloc(text, job.len + 1); // so that a checking build sees reads beyond the end
        ((char *)(uintptr_t)job.text)[job.len] = 'x';
        job.arena = arena_new(ctx);
        vtr_status status = ctx_try(ctx, read_body, &job);
        if (status != VTR_OK && status != VTR_ERR_INPUT && status != VTR_ERR_LIMIT) {
            printf("mutant %ld: %s\n", k, vtr_status_name(status));
            return 1;
        }
        vtr_context_free(ctx);
        free((char *)(uintptr_t)job.text);
    }
    printf("%ld mutants: %u read, %u functions verified, %u differ when read again\n", count, job.read, job.verified,
           job.differing);
    return job.differing || job.read == 0 || job.verified == 0;
}
