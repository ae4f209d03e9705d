// tests/programs/quicksort.vita in plain C.
#include "main.h"

static void swap(int64_t *a, int64_t i, int64_t j) {
    int64_t t = a[i];
    a[i] = a[j];
    a[j] = t;
}

static void insertion(int64_t *a, int64_t lo, int64_t hi) {
    for (int64_t i = lo + 1; i < hi + 1; i++) {
        int64_t v = a[i];
        int64_t j = i - 1;
        for (; j >= lo && a[j] > v; j--) a[j + 1] = a[j];
        a[j + 1] = v;
    }
}

static void sort(int64_t *a, int64_t lo, int64_t hi) {
    while (hi - lo > 8) {
        int64_t mid = lo + (hi - lo) / 2;
        if (a[mid] < a[lo]) swap(a, mid, lo);
        if (a[hi] < a[lo]) swap(a, hi, lo);
        if (a[hi] < a[mid]) swap(a, hi, mid);
        int64_t pivot = a[mid];
        int64_t i = lo;
        int64_t j = hi;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i <= j) swap(a, i++, j--);
        }
        if (j - lo < hi - i) {
            sort(a, lo, j);
            lo = i;
        } else {
            sort(a, i, hi);
            hi = j;
        }
    }
    insertion(a, lo, hi);
}

static int64_t program(void) {
    int64_t n = 1000;
    int64_t *a = calloc((size_t)n, sizeof *a);
    uint64_t seed = 12345;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        a[i] = (int64_t)(seed >> 33) % 100000 - 50000;
    }
    sort(a, 0, n - 1);
    uint64_t checksum = 0;
    for (int64_t k = 0; k < n; k++) {
        if (k > 0 && a[k - 1] > a[k]) {
            PRINT("not sorted\n");
            return -1;
        }
        checksum = checksum * 31 + (uint64_t)a[k];
        if (k % 100 == 0) line_i64(a[k]);
    }
    line_i64(a[n - 1]);
    free(a);
    return (int64_t)checksum;
}
