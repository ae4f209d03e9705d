// Deterministic mutation driver: bytecode_mutate COUNT SEED FILE... makes COUNT mutants of the files (one to four small
// changes each, CRC repaired), tries each, and reports. Any fault aborts after naming the mutant.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytecode_mutant.h"

enum { MAX_FILE = 1 << 16 };

static uint64_t next_random(uint64_t *state) { // splitmix64
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static size_t mutate(uint8_t *bytes, size_t n, uint64_t *state) {
    static const uint32_t interesting[] = {0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 16, 17, 13, 14};
    size_t at = next_random(state) % n;
    uint64_t r = next_random(state);
    switch (r % 6) {
    case 0: bytes[at] ^= (uint8_t)(1u << (r >> 8) % 8); break;
    case 1: bytes[at] = (uint8_t)(r >> 8); break;
    case 2: bytes[at] = (uint8_t)(bytes[at] + 1 - 2 * (r >> 8 & 1)); break;
    case 3: { // a whole field
        uint32_t value = interesting[(r >> 8) % 12];
        size_t size = (size_t)1 << (r >> 16) % 3;
        if (at + size <= n) memcpy(bytes + at, &value, size);
        break;
    }
    case 4: { // a piece copied elsewhere
        size_t from = (r >> 8) % n;
        size_t size = 1 + (r >> 32) % 16;
        if (at + size <= n && from + size <= n) memmove(bytes + at, bytes + from, size);
        break;
    }
    default: // a piece cut out or doubled; rarely survives the frame, but must not harm
        if (r >> 8 & 15) break;
        if (r >> 12 & 1) {
            memmove(bytes + at, bytes + at + 1, n - at - 1);
            n--;
        } else if (n < MAX_FILE) {
            memmove(bytes + at + 1, bytes + at, n - at);
            n++;
        }
        break;
    }
    return n;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s COUNT SEED FILE...\n", argv[0]);
        return 2;
    }
    uint64_t count = strtoull(argv[1], NULL, 0);
    uint64_t state = strtoull(argv[2], NULL, 0);
    int n_files = argc - 3;
    uint8_t(*files)[MAX_FILE] = calloc((size_t)n_files, sizeof *files);
    size_t *sizes = calloc((size_t)n_files, sizeof *sizes);
    static uint8_t mutant[MAX_FILE];
    if (!files || !sizes) return 1;
    for (int i = 0; i < n_files; i++) {
        FILE *in = fopen(argv[3 + i], "rb");
        if (!in) {
            perror(argv[3 + i]);
            return 1;
        }
        sizes[i] = fread(files[i], 1, MAX_FILE, in);
        fclose(in);
    }
    MutantStats stats = {0};
    clock_t start = clock();
    for (uint64_t k = 0; k < count; k++) {
        size_t which = next_random(&state) % (size_t)n_files;
        size_t n = sizes[which];
        memcpy(mutant, files[which], n);
        for (uint64_t changes = 1 + next_random(&state) % 4; changes--;) n = mutate(mutant, n, &state);
        mutant_repair(mutant, n);
        mutant_try(mutant, n, &stats);
    }
    printf("%llu mutants, %llu accepted, %llu calls, %llu traps, peak %llu KiB, %.1f s\n",
           (unsigned long long)stats.tried, (unsigned long long)stats.accepted, (unsigned long long)stats.calls,
           (unsigned long long)stats.traps, (unsigned long long)stats.peak >> 10,
           (double)(clock() - start) / CLOCKS_PER_SEC);
    free(files);
    free(sizes);
    return 0;
}
