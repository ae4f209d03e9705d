// The JIT's page allocator: random taking and returning against a map of what is in use.
#include <stdlib.h>
#include <string.h>

#include "jit/memory.h"
#include "unit.h"

enum { PAGES = 64, ROUNDS = 20000 };

static uint32_t seed = 1;
static uint32_t rnd(uint32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

typedef struct Run {
    uint8_t *at;
    size_t size;
    bool sealed;
} Run;

static void take_too_much(Ctx *ctx, void *arg) {
    (void)ctx;
    CodeMemory *memory = arg;
    size_t size = memory->size;
    code_memory_take(memory, &size);
}

// Free runs are sorted, do not touch, and with the taken ones make up the whole range.
static void check_free(const CodeMemory *memory, const Run *runs, uint32_t n) {
    size_t sum = 0;
    for (uint32_t k = 0; k < memory->free.n; k++) {
        sum += memory->free.v[k].n;
        if (k) ck_assert_uint_gt(memory->free.v[k].at, memory->free.v[k - 1].at + memory->free.v[k - 1].n);
    }
    for (uint32_t k = 0; k < n; k++) sum += runs[k].size;
    ck_assert_uint_eq(sum, memory->size);
    ck_assert_uint_eq(memory->taken, n);
}

static void churn(Ctx *ctx, void *arg) {
    (void)arg;
    Arena *arena = arena_new(ctx);
    CodeMemory *memory = NEW(arena, CodeMemory);
    code_memory_init(memory, arena, 1, true);
    ck_assert_uint_eq(memory->size, memory->page);
    size_t page = memory->page;
    code_memory_release(memory);
    code_memory_init(memory, arena, PAGES * page, true);
    Run runs[PAGES];
    uint32_t n = 0;
    unsigned refused = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (n && rnd(2)) {
            uint32_t k = rnd(n);
            // What was written is still there, and nobody else wrote to it.
            ck_assert_uint_eq(runs[k].at[0], (uint8_t)((uintptr_t)runs[k].at / page));
            ck_assert_uint_eq(runs[k].at[runs[k].size - 1], runs[k].size / page);
            code_memory_return(memory, runs[k].at, runs[k].size);
            runs[k] = runs[--n];
        } else if (n < PAGES) {
            Run run = {.size = 1 + rnd((uint32_t)(5 * page))};
            size_t want = (run.size + page - 1) / page * page;
            bool fits = false;
            for (uint32_t k = 0; k < memory->free.n; k++) fits |= memory->free.v[k].n >= want;
            if (!fits) {
                refused++;
                ck_assert_int_eq(ctx_try(ctx, take_too_much, memory), VTR_ERR_LIMIT);
                vtr_diagnostics_clear(ctx);
                continue;
            }
            run.at = code_memory_take(memory, &run.size);
            ck_assert_uint_eq(run.size, want);
            for (size_t k = 0; k < run.size; k += 512) ck_assert_uint_eq(run.at[k], 0); // nothing of former owners
            run.at[0] = (uint8_t)((uintptr_t)run.at / page);
            run.at[run.size - 1] = (uint8_t)(run.size / page);
            ck_assert(code_memory_seal(memory, run.at, run.size));
            runs[n++] = run;
        }
        check_free(memory, runs, n);
    }
    ck_assert_uint_gt(refused, 0);
    while (n) code_memory_return(memory, runs[n - 1].at, runs[n - 1].size), n--;
    ck_assert_uint_eq(memory->free.n, 1);
    code_memory_release(memory);
    arena_free(arena);
}

START_TEST(pages_are_taken_and_returned) {
    Ctx *ctx = test_context();
    ck_assert_int_eq(ctx_try(ctx, churn, NULL), VTR_OK);
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("code_memory");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, pages_are_taken_and_returned);
    return run_tests("code_memory", tests);
}
