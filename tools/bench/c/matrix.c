// tests/programs/matrix.vita in plain C.
#include "main.h"

typedef struct Mat2 {
    uint64_t a, b, c, d;
} Mat2;

typedef struct Rows {
    int64_t n, m;
    int32_t **at;
} Rows;

static double *product(const double *x, const double *y, int64_t n) {
    double *z = calloc((size_t)(n * n), sizeof *z);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < n; k++) {
            double f = x[i * n + k];
            for (int64_t j = 0; j < n; j++) z[i * n + j] += f * y[k * n + j];
        }
    }
    return z;
}

static Rows rows_new(int64_t n, int64_t m) {
    Rows r = {n, m, calloc((size_t)n, sizeof *r.at)};
    for (int64_t i = 0; i < n; i++) r.at[i] = calloc((size_t)m, sizeof **r.at);
    return r;
}

static void rows_free(Rows r) {
    for (int64_t i = 0; i < r.n; i++) free(r.at[i]);
    free(r.at);
}

static Rows row_product(Rows x, Rows y) {
    Rows z = rows_new(x.n, y.m);
    for (int64_t i = 0; i < x.n; i++) {
        for (int64_t j = 0; j < y.m; j++) {
            int32_t s = 0;
            for (int64_t k = 0; k < y.n; k++) s += x.at[i][k] * y.at[k][j];
            z.at[i][j] = s;
        }
    }
    return z;
}

static Rows make_rows(int64_t n, int64_t m, int32_t seed) {
    Rows z = rows_new(n, m);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) z.at[i][j] = (int32_t)(i * 3 + j * 5) % 11 - seed;
    return z;
}

static Mat2 *times(const Mat2 *x, const Mat2 *y) {
    uint64_t p = 1000000007;
    Mat2 *z = malloc(sizeof *z);
    z->a = (x->a * y->a + x->b * y->c) % p;
    z->b = (x->a * y->b + x->b * y->d) % p;
    z->c = (x->c * y->a + x->d * y->c) % p;
    z->d = (x->c * y->b + x->d * y->d) % p;
    return z;
}

static uint64_t fibonacci(uint64_t n) {
    Mat2 *r = malloc(sizeof *r);
    Mat2 *s = malloc(sizeof *s);
    *r = (Mat2){1, 0, 0, 1};
    *s = (Mat2){1, 1, 1, 0};
    for (; n > 0; n >>= 1) {
        if ((n & 1) == 1) {
            Mat2 *t = times(r, s);
            free(r);
            r = t;
        }
        Mat2 *t = times(s, s);
        free(s);
        s = t;
    }
    uint64_t result = r->b;
    free(r);
    free(s);
    return result;
}

static int64_t program(void) {
    int64_t n = 20;
    double *x = calloc((size_t)(n * n), sizeof *x);
    double *y = calloc((size_t)(n * n), sizeof *y);
    for (int64_t i = 0; i < n * n; i++) {
        x[i] = (double)(i % 13) * 0.25 - 1.0;
        y[i] = (double)(i % 7) * 0.5 + 0.125;
    }
    double *z = product(x, y, n);
    double trace = 0.0;
    double total = 0.0;
    for (int64_t i = 0; i < n; i++) {
        trace += z[i * n + i];
        for (int64_t j = 0; j < n; j++) total += z[i * n + j];
    }
    print_fixed(trace, 6);
    PRINT("\n");
    print_fixed(total, 6);
    PRINT("\n");
    Rows a = make_rows(7, 12, 4);
    Rows b = make_rows(12, 9, 6);
    Rows r = row_product(a, b);
    for (int64_t i = 0; i < r.n; i++) {
        for (int64_t j = 0; j < r.m; j++) {
            print_i64(r.at[i][j]);
            print_bytes(j < r.m - 1 ? "," : "\n", 1);
        }
    }
    print_u64(fibonacci(90));
    PRINT("\n");
    free(x);
    free(y);
    free(z);
    rows_free(a);
    rows_free(b);
    rows_free(r);
    return (int64_t)fibonacci(UINT64_C(1000000000000));
}
