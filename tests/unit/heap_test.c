// The heap and its moving collector.
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/heap.h"
#include "unit.h"

// 0: struct { i64; ref; i64; ref }   1: array of u8   2: array of references   3: struct of 40 words, ref in the last
static const uint32_t map0[] = {1u << 1 | 1u << 3};
static const uint32_t map3[] = {0, 1u << 7};
static const HeapType types[] = {
    {HEAP_STRUCT, true, 32, 1, map0},
    {HEAP_ARRAY, false, 1, 0, NULL},
    {HEAP_ARRAY, true, 8, 0, NULL},
    {HEAP_STRUCT, true, 320, 2, map3},
};

enum { ROOTS = 4 };
static vtr_context *ctx;
static Heap *heap;
static Ref roots[ROOTS];

static void each_root(void *data, Heap *h, HeapVisit *visit) {
    (void)data;
    for (int i = 0; i < ROOTS; i++) visit(h, &roots[i]);
}

static void make(Ctx *c, void *arg) {
    heap = heap_new(arena_new(c), types, 4, &heap_semispace, arg);
    heap_add_roots(heap, (HeapRoots){each_root, NULL});
}

static void start(HeapOptions options) {
    memset(roots, 0, sizeof roots);
    ctx = test_context();
    ck_assert_int_eq(ctx_try(ctx, make, &options), VTR_OK);
}

static void setup(void) { start((HeapOptions){0}); }
static void teardown(void) { vtr_context_free(ctx); }

static uint64_t *words(Ref r) { return heap_payload(r); }

static bool is_mapped(Ref r) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    return msync((void *)((uintptr_t)r & ~(page - 1)), page, MS_ASYNC) == 0 || errno != ENOMEM;
}

START_TEST(test_objects) {
    Ref s = heap_struct(heap, 0);
    Ref a = heap_array(heap, 1, 13);
    Ref none = heap_array(heap, 2, 0);
    ck_assert(s % 8 == 0 && a % 8 == 0 && none && none != a);
    ck_assert_uint_eq(heap_header(s)->type, 0);
    ck_assert_uint_eq(heap_header(a)->type, 1);
    ck_assert_uint_eq(heap_header(a)->length, 13);
    ck_assert_uint_eq(*(uint32_t *)(uintptr_t)(a + (Ref)HEAP_OFF_LENGTH), 13);
    ck_assert_uint_eq(*(uint32_t *)(uintptr_t)(s + (Ref)HEAP_OFF_TYPE), 0);
    for (int i = 0; i < 4; i++) ck_assert_uint_eq(words(s)[i], 0);
    for (int i = 0; i < 13; i++) ck_assert_uint_eq(((uint8_t *)heap_payload(a))[i], 0);
}
END_TEST

// A cycle, sharing, both kinds of references; everything moves, the old place is gone, dead objects are not copied.
START_TEST(test_move) {
    Ref a = roots[0] = heap_struct(heap, 0);
    Ref b = heap_struct(heap, 3);
    Ref c = heap_array(heap, 2, 3);
    heap_array(heap, 1, 100000);      // garbage
    words(a)[0] = 0x1234567890abcdef; // looks like nothing that may be touched
    words(a)[1] = b;
    words(a)[3] = c;
    words(b)[39] = a;
    words(c)[0] = a;
    words(c)[2] = b;
    roots[1] = c;
    heap_collect(heap);
    ck_assert_uint_eq(heap->stats.moved, 3);
    ck_assert(!is_mapped(a) && !is_mapped(c));
    ck_assert(roots[0] != a && roots[1] != c && roots[2] == 0);
    Ref na = roots[0], nc = roots[1], nb = words(na)[1];
    ck_assert_uint_eq(words(na)[0], 0x1234567890abcdef);
    ck_assert_uint_eq(words(na)[3], nc);
    ck_assert_uint_eq(words(nb)[39], na);
    ck_assert_uint_eq(words(nc)[0], na);
    ck_assert_uint_eq(words(nc)[1], 0);
    ck_assert_uint_eq(words(nc)[2], nb);
    ck_assert_uint_eq(heap_header(nb)->type, 3);
}
END_TEST

// A list of two million nodes: collected several times while it grows, and never by recursion.
START_TEST(test_deep) {
    enum { N = 2000000 };
    for (int i = 0; i < N; i++) {
        Ref node = heap_struct(heap, 0);
        ck_assert(node != 0);
        words(node)[0] = (uint64_t)i;
        words(node)[1] = roots[0];
        roots[0] = node;
    }
    heap_collect(heap);
    ck_assert(heap->stats.collections > 3 && heap->stats.collections < 40);
    Ref node = roots[0];
    for (int i = N - 1; i >= 0; i--, node = words(node)[1]) ck_assert_uint_eq(words(node)[0], (uint64_t)i);
    ck_assert_uint_eq(node, 0);
}
END_TEST

START_TEST(test_garbage) {
    // 200 megabytes through a heap that never holds more than one.
    for (int i = 0; i < 200; i++) {
        roots[0] = heap_array(heap, 1, 1 << 20);
        ck_assert(roots[0] != 0);
        ck_assert_uint_eq(((uint8_t *)heap_payload(roots[0]))[i], 0);
        memset(heap_payload(roots[0]), 0xff, 1 << 20);
    }
    ck_assert(heap->stats.collections >= 60);
}
END_TEST

START_TEST(test_limit) {
    teardown();
    start((HeapOptions){.limit = 1 << 20});
    ck_assert_uint_eq(heap_array(heap, 1, HEAP_MAX_LENGTH), 0);
    ck_assert_uint_eq(heap_array(heap, 2, HEAP_MAX_LENGTH), 0);
    roots[0] = heap_array(heap, 1, 600 << 10);
    ck_assert(roots[0] != 0);
    uint64_t before = heap->stats.collections;
    ck_assert_uint_eq(heap_array(heap, 1, 600 << 10), 0); // both are live
    ck_assert(heap->stats.collections > before);
    roots[0] = 0;
    roots[1] = heap_array(heap, 1, 600 << 10);
    ck_assert(roots[1] != 0);
}
END_TEST

// Under stress every allocation and every safepoint moves everything.
START_TEST(test_stress) {
    teardown();
    start((HeapOptions){.stress = true});
    roots[0] = heap_struct(heap, 0);
    words(roots[0])[0] = 42;
    for (int i = 0; i < 50000; i++) {
        Ref old = roots[0];
        if (i % 3) heap_safepoint(heap);
        else roots[1] = heap_array(heap, 1, (uint32_t)i % 9000);
        ck_assert(roots[0] != old);
        if (i % 100 == 0) ck_assert(!is_mapped(old));
        ck_assert_uint_eq(words(roots[0])[0], 42);
    }
    ck_assert_uint_eq(heap->stats.collections >= 50000, true);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("heap");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_objects);
    tcase_add_test(tc, test_move);
    tcase_add_test(tc, test_deep);
    tcase_add_test(tc, test_garbage);
    tcase_add_test(tc, test_limit);
    tcase_add_test(tc, test_stress);
    return run_tests("heap", tc);
}
