// tests/programs/sieve.vita in plain C.
#include "main.h"

static uint32_t *sieve(int64_t limit, int64_t *n) {
    int64_t half = (limit + 1) / 2;
    *n = (half + 31) / 32;
    uint32_t *set = calloc((size_t)*n, sizeof *set);
    set[0] = 1;
    for (int64_t p = 3; p * p <= limit; p += 2) {
        int64_t k = p / 2;
        if ((set[k / 32] >> (k & 31) & 1) != 0) continue;
        for (int64_t m = p * p; m <= limit; m += 2 * p) {
            k = m / 2;
            set[k / 32] |= UINT32_C(1) << (k & 31);
        }
    }
    return set;
}

static int64_t totients(int32_t n) {
    int32_t *phi = calloc((size_t)n + 1, sizeof *phi);
    int32_t *primes = calloc((size_t)n, sizeof *primes);
    int32_t count = 0;
    int64_t sum = 1;
    phi[1] = 1;
    for (int32_t i = 2; i < n + 1; i++) {
        if (phi[i] == 0) {
            phi[i] = i - 1;
            primes[count++] = i;
        }
        sum += phi[i];
        for (int32_t j = 0; j < count; j++) {
            int32_t p = primes[j];
            if (i * p > n) break;
            if (i % p == 0) {
                phi[i * p] = phi[i] * p;
                break;
            }
            phi[i * p] = phi[i] * (p - 1);
        }
    }
    free(phi);
    free(primes);
    return sum;
}

static int64_t program(void) {
    int64_t limit = 20000;
    int64_t n;
    uint32_t *set = sieve(limit, &n);
    int64_t clear = 0;
    for (int64_t w = 0; w < n; w++) clear += __builtin_popcount(~set[w]);
    line_i64(1 + clear - (n * 32 - (limit + 1) / 2));
    int64_t last = 0;
    int64_t gap = 0;
    int64_t twins = 0;
    for (int64_t k = 1; k < (limit + 1) / 2; k++) {
        if ((set[k / 32] >> (k & 31) & 1) != 0) continue;
        int64_t p = 2 * k + 1;
        if (p - last == 2) twins++;
        if (last > 0 && p - last > gap) gap = p - last;
        last = p;
    }
    free(set);
    line_i64(last);
    line_i64(twins);
    line_i64(gap);
    return totients(3000);
}
