// Runs the directives of an object made by `vitrail test --object`, which this is linked with. A trap, whatever signal
// the machine makes of it, fails the directive. Prints what fails and the counts.
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef struct Row {
    const char *place, *text;
    uint32_t (*entry)(const void *fn, const uint64_t *args, uint64_t *results, void *activation);
    const void *fn;
    const uint64_t *args, *expected;
    uint32_t n_results;
    uint32_t flags;
} Row;

enum { DIFFERS = 1, BARE = 2, MAX_RESULTS = 256 };

extern const Row __start_vitrail_tests[], __stop_vitrail_tests[];

static sigjmp_buf back;
static void on_signal(int number) { siglongjmp(back, number); }

static int fail(const Row *row, const char *what) {
    printf("%s: FAILED: %s\n    %s\n", row->place, what, row->text);
    return 1;
}

static int run(const Row *row) {
    static uint64_t results[MAX_RESULTS];
    char text[64];
    if (row->n_results > MAX_RESULTS) return fail(row, "too many results");
    memset(results, 0, sizeof results);
    int number = sigsetjmp(back, 1);
    if (number) {
        snprintf(text, sizeof text, "signal %d", number);
        return fail(row, text);
    }
    row->entry(row->fn, row->args, results, NULL);
    if (row->flags & BARE) return results[0] ? 0 : fail(row, "the result is 0");
    int equal = memcmp(results, row->expected, row->n_results * sizeof *results) == 0;
    if (equal != !!(row->flags & DIFFERS)) return 0;
    snprintf(text, sizeof text, "got 0x%" PRIx64, results[0]);
    return fail(row, text);
}

int main(void) {
    static const int signals[] = {SIGILL, SIGTRAP, SIGFPE, SIGSEGV, SIGBUS};
    for (size_t k = 0; k < sizeof signals / sizeof *signals; k++) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};
        sigaction(signals[k], &action, NULL);
    }
    unsigned failed = 0;
    unsigned n = 0;
    for (const Row *row = __start_vitrail_tests; row < __stop_vitrail_tests; row++, n++) failed += (unsigned)run(row);
    printf("%u passed, %u failed\n", n - failed, failed);
    return failed || !n;
}
