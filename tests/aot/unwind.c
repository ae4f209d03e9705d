// Calls the functions of unwind.clif. hook(), which they call, has libgcc's unwinder walk up to main(): every frame
// must be that of a function that is being run, in order. unwind_gdb.py steps through the same program.
#include <stdint.h>
#include <stdio.h>
#include <unwind.h>

int64_t plain(int64_t, int64_t), leaf_slot(int64_t), saves(int64_t, int64_t, int64_t, int64_t);
int64_t branches(int64_t, int64_t), big(int64_t), very_big(int64_t), calls_many(int64_t), tails(int64_t);
int64_t many(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);
int64_t fact(int64_t), traps(int64_t, int64_t);
double floats(double, double);
void tail_small(void), tail_large(void);
int main(int argc, char **argv);

enum { MAX_FRAMES = 64 };

// What hook() must see: functions from its caller to main(); a list for each call of it, NULL behind each.
static const void *const *expected;
static unsigned hooks, wrong;

typedef struct Seen {
    const void *frames[MAX_FRAMES];
    unsigned n;
} Seen;

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *arg) {
    Seen *seen = arg;
    if (seen->n < MAX_FRAMES) seen->frames[seen->n++] = (const void *)_Unwind_GetRegionStart(context);
    return _URC_NO_REASON;
}

int64_t hook(int64_t x) {
    Seen seen = {.n = 0};
    _Unwind_Backtrace(visit, &seen);
    unsigned k = 1; // behind hook() itself
    hooks++;
    for (; *expected; expected++, k++) {
        if (k < seen.n && seen.frames[k] == *expected) continue;
        printf("hook %u: frame %u is at %p, not %p\n", hooks, k, k < seen.n ? seen.frames[k] : NULL, *expected);
        wrong++;
    }
    expected++;
    return x + 1;
}

#define F(name) (const void *)(name)
#define END F(main), NULL
#define WALKS(...) (expected = (const void *const[]){__VA_ARGS__})
#define CHECK(call, value)                                                                                             \
    do {                                                                                                               \
        if ((call) != (value)) printf("%s is not %s\n", #call, #value), wrong++;                                       \
    } while (0)

int main(int argc, char **argv) {
    (void)argv;
    setvbuf(stdout, NULL, _IONBF, 0);
    CHECK(plain(6, 7), 35);
    CHECK(leaf_slot(21), 42);
    WALKS(F(saves), END);
    CHECK(saves(1, 2, 3, 4), 2 + 7 + 3 + 3 + 2 + 4);
    WALKS(F(branches), END);
    CHECK(branches(5, 1), 6);
    WALKS(F(branches), END, F(branches), END);
    CHECK(branches(1, 5), 7);
    WALKS(F(big), END);
    CHECK(big(10), 21);
    WALKS(F(big), F(very_big), END);
    CHECK(very_big(10), 11);
    WALKS(F(floats), END);
    CHECK(floats(1.5, 2.5), 15.0);
    WALKS(F(many), END);
    CHECK(many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 21);
    WALKS(F(many), F(calls_many), END);
    CHECK(calls_many(2), 9);
    WALKS(F(tail_large), F(tails), END, F(tail_small), F(tails), END, F(tail_large), F(tails), END, F(tail_small),
          F(tails), END);
    CHECK(tails(3), 96);
    WALKS(F(fact), F(fact), F(fact), F(fact), END);
    CHECK(fact(3), 6);
    WALKS(F(traps), END);
    CHECK(traps(1, 2), 4);
    printf("%u walks, %u wrong\n", hooks, wrong);
    if (argc > 1) {
        WALKS(F(traps), END);
        traps(1, 0); // for the debugger to see
    }
    return wrong != 0;
}
