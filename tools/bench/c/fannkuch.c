// tests/programs/fannkuch.vita in plain C.
#include "main.h"

static int32_t flips(const int32_t *p, int32_t *q, int64_t n) {
    for (int64_t i = 0; i < n; i++) q[i] = p[i];
    int32_t count = 0;
    while (q[0] != 0) {
        int32_t lo = 0;
        int32_t hi = q[0];
        while (lo < hi) {
            int32_t t = q[lo];
            q[lo] = q[hi];
            q[hi] = t;
            lo++;
            hi--;
        }
        count++;
    }
    return count;
}

static int next(int32_t *p, int32_t *counts, int64_t n) {
    int32_t r = 1;
    while (r < (int32_t)n) {
        int32_t first = p[0];
        for (int32_t i = 0; i < r; i++) p[i] = p[i + 1];
        p[r] = first;
        counts[r]++;
        if (counts[r] <= r) return 1;
        counts[r] = 0;
        r++;
    }
    return 0;
}

static int64_t program(void) {
    int64_t n = 7;
    int32_t *p = calloc((size_t)n, sizeof *p);
    int32_t *q = calloc((size_t)n, sizeof *q);
    int32_t *counts = calloc((size_t)n, sizeof *counts);
    for (int32_t i = 0; i < (int32_t)n; i++) p[i] = i;
    int32_t most = 0;
    int32_t checksum = 0;
    int32_t sign = 1;
    int64_t total = 0;
    for (;;) {
        int32_t f = flips(p, q, n);
        most = f > most ? f : most;
        checksum += sign * f;
        sign = -sign;
        total++;
        if (!next(p, counts, n)) break;
    }
    line_i64(checksum);
    PRINT("Pfannkuchen(7) = ");
    line_i64(most);
    free(p);
    free(q);
    free(counts);
    return total;
}
