// How the C versions and the compiled programs are timed alike: whole runs, repeated in batches.
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

// Nanoseconds per run: the fastest of `batches`, each of as many runs as fill `ns`. Other work on the machine only
// ever adds time, so the fastest batch is the one closest to the truth.
static inline double clock_run(void (*run)(void *data), void *data, unsigned batches, uint64_t ns) {
    double best = 0;
    for (unsigned b = 0; b < batches; b++) {
        uint64_t start = clock_ns();
        uint64_t took;
        uint64_t n = 0;
        do {
            run(data);
            n++;
            took = clock_ns() - start;
        } while (took < ns);
        double each = (double)took / (double)n;
        if (b == 0 || each < best) best = each;
    }
    return best;
}

#endif
