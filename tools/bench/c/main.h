// The main program of a C version: with arguments BATCHES NANOSECONDS it prints nanoseconds per run, without any it
// runs once and prints what the program prints, followed by its result.
#ifndef BENCH_C_MAIN_H
#define BENCH_C_MAIN_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../clock.h"

static char text[1 << 16];
static size_t n_text;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...) {
    va_list args;
    va_start(args, format);
    n_text += (size_t)vsnprintf(text + n_text, sizeof text - n_text, format, args);
    va_end(args);
}

static int64_t program(void); // the program's main function

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
