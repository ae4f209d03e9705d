// tests/programs/spectral_norm.vita in plain C.
#define NO_RESULT
#include "main.h"

static double element(int64_t i, int64_t j) { return 1.0 / (double)((i + j) * (i + j + 1) / 2 + i + 1); }

static void times(const double *v, double *out, int64_t n, int transposed) {
    for (int64_t i = 0; i < n; i++) {
        double s = 0.0;
        for (int64_t j = 0; j < n; j++) s += element(transposed ? j : i, transposed ? i : j) * v[j];
        out[i] = s;
    }
}

static int64_t program(void) {
    int64_t n = 30;
    double *u = calloc((size_t)n, sizeof *u);
    double *v = calloc((size_t)n, sizeof *v);
    double *t = calloc((size_t)n, sizeof *t);
    for (int64_t i = 0; i < n; i++) u[i] = 1.0;
    for (int64_t k = 0; k < 10; k++) {
        times(u, t, n, 0);
        times(t, v, n, 1);
        times(v, t, n, 0);
        times(t, u, n, 1);
    }
    double uv = 0.0;
    double vv = 0.0;
    for (int64_t i = 0; i < n; i++) {
        uv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    print_fixed(__builtin_sqrt(uv / vv), 9);
    PRINT("\n");
    free(u);
    free(v);
    free(t);
    return 0;
}
