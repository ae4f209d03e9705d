// What the C versions of tests/programs have in common: how they print, and how they are started.
//
// As an ordinary program: with arguments BATCHES NANOSECONDS it prints nanoseconds per run, without any it runs once
// and prints what the program prints, followed by its result. As a freestanding WebAssembly module: text and memory
// come from imports, as they do for the bytecode versions, and the function "run" is exported.
//
// The functions that print numbers are those of the bytecode versions (lines std.vitte), which are compiled with each
// of them; so both sides have the same code to translate.
#ifndef BENCH_C_MAIN_H
#define BENCH_C_MAIN_H

#include <stddef.h>
#include <stdint.h>

static int64_t program(void); // the program's main function

#ifdef __wasm__

#define HOST(name) __attribute__((import_module("host"), import_name(name)))
HOST("print") void print_bytes(const void *s, size_t n);
HOST("calloc") void *calloc(size_t n, size_t size);
HOST("free") void free(void *p);
#define malloc(size) calloc(1, size)

__attribute__((export_name("run"))) int64_t run(void) { return program(); }

#else

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"

static char text[1 << 16];
static size_t n_text;

static void print_bytes(const void *s, size_t n) {
    if (n > sizeof text - n_text) abort();
    memcpy(text + n_text, s, n);
    n_text += n;
}

static void run_program(void *data) {
    n_text = 0;
    *(volatile int64_t *)data = program();
}

int main(int argc, char **argv) {
    int64_t result;
    if (argc == 3) {
        double ns = clock_run(run_program, &result, (unsigned)atoi(argv[1]), strtoull(argv[2], NULL, 10));
        printf("%.0f\n", ns);
        return 0;
    }
    run_program(&result);
    fwrite(text, 1, n_text, stdout);
#ifndef NO_RESULT
    printf("%lld\n", (long long)result);
#endif
    return 0;
}

#endif

#define UNUSED __attribute__((unused))
#define PRINT(literal) print_bytes(literal, sizeof(literal) - 1)

UNUSED static void print_u64(uint64_t n) {
    uint8_t s[20];
    int64_t digits = 1;
    for (uint64_t rest = n; rest >= 10; rest /= 10) digits++;
    size_t length = (size_t)digits;
    while (digits > 0) {
        s[--digits] = (uint8_t)(n % 10 + '0');
        n /= 10;
    }
    print_bytes(s, length);
}

UNUSED static void print_i64(int64_t n) {
    if (n < 0) {
        PRINT("-");
        print_u64(-(uint64_t)n);
        return;
    }
    print_u64((uint64_t)n);
}

UNUSED static void line_i64(int64_t n) {
    print_i64(n);
    PRINT("\n");
}

// The low digits of n in hexadecimal.
UNUSED static void print_hex(uint64_t n, int64_t digits) {
    uint8_t s[16];
    for (int64_t i = digits; i > 0; n >>= 4) {
        uint8_t d = (uint8_t)(n & 15);
        s[--i] = (uint8_t)(d + (d < 10 ? '0' : 'a' - 10));
    }
    print_bytes(s, (size_t)digits);
}

UNUSED static void print_fixed(double x, int64_t digits) {
    if (x < 0.0) {
        PRINT("-");
        x = -x;
    }
    uint64_t whole = (uint64_t)x;
    double scale = 1.0;
    for (int64_t i = 0; i < digits; i++) scale *= 10.0;
    uint64_t part = (uint64_t)__builtin_nearbyint((x - (double)whole) * scale);
    if (part >= (uint64_t)scale) {
        whole++;
        part -= (uint64_t)scale;
    }
    print_u64(whole);
    if (digits == 0) return;
    PRINT(".");
    uint8_t s[20];
    for (int64_t i = digits; i > 0; part /= 10) s[--i] = (uint8_t)(part % 10 + '0');
    print_bytes(s, (size_t)digits);
}

#endif
