// Arenas, failures, vectors, maps, buffers.
#include <stdlib.h>
#include <string.h>

#include "support/bits.h"
#include "support/buf.h"
#include "support/map.h"
#include "support/leb.h"
#include "support/queue.h"
#include "unit.h"

// An allocator that counts what is out and can fail at the n-th request.
typedef struct Counting {
    size_t live;
    long fail_at; // 0 = never
    long calls;
} Counting;

static void *counting_resize(void *user, void *old, size_t old_size, size_t new_size) {
    Counting *c = user;
    if (new_size && ++c->calls == c->fail_at) return NULL;
    c->live += new_size;
    c->live -= old_size;
    if (!new_size) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

static Ctx *counting_ctx(Counting *c) {
    vtr_allocator allocator = {counting_resize, c};
    Ctx *ctx;
    ck_assert_int_eq(vtr_context_new(&allocator, &ctx), VTR_OK);
    return ctx;
}

static void work(Ctx *ctx, void *arg) {
    Arena *arena = arena_new(ctx);
    VEC(uint32_t) numbers = {0};
    for (uint32_t i = 0; i < 100000; i++) vec_push(arena, &numbers, i);
    for (uint32_t i = 0; i < 100000; i++) ck_assert_uint_eq(numbers.v[i], i);
    Map map = map_new(arena);
    for (uint64_t i = 0; i < 5000; i++) *map_add(&map, i * 7919, 0, NULL) = (uint32_t)i;
    for (uint64_t i = 0; i < 5000; i++) ck_assert_uint_eq(*map_find(&map, i * 7919), i);
    ck_assert_ptr_null(map_find(&map, 1));
    if (arg) ctx_fail(ctx, VTR_ERR_LIMIT, "limit of %d reached", 7);
    arena_free(arena);
}

START_TEST(every_failing_allocation_is_reported_and_leaks_nothing) {
    for (long n = 1;; n++) {
        Counting c = {.fail_at = n};
        vtr_allocator allocator = {counting_resize, &c};
        Ctx *ctx;
        vtr_status status = vtr_context_new(&allocator, &ctx);
        if (status == VTR_OK) {
            status = ctx_try(ctx, work, NULL);
            vtr_context_free(ctx);
        }
        ck_assert_uint_eq(c.live, 0);
        if (status == VTR_OK) {
            ck_assert_int_lt(c.calls, n);
            ck_assert_int_gt(n, 10);
            break;
        }
        ck_assert_int_eq(status, VTR_ERR_MEMORY);
    }
}
END_TEST

START_TEST(a_throw_frees_what_was_made_and_keeps_the_diagnostic) {
    Counting c = {0};
    Ctx *ctx = counting_ctx(&c);
    Arena *outer = arena_new(ctx);
    char *text = arena_printf(outer, "%s-%d", "kept", 1);
    ck_assert_int_eq(ctx_try(ctx, work, ctx), VTR_ERR_LIMIT);
    ck_assert_str_eq(text, "kept-1");
    vtr_diagnostic_info info;
    ck_assert_uint_eq(vtr_diagnostic_count(ctx), 1);
    ck_assert(vtr_diagnostic(ctx, 0, &info));
    ck_assert_str_eq(info.message, "limit of 7 reached");
    ck_assert(!vtr_diagnostic(ctx, 1, &info));
    vtr_diagnostics_clear(ctx);
    ck_assert_uint_eq(vtr_diagnostic_count(ctx), 0);
    vtr_context_free(ctx);
    ck_assert_uint_eq(c.live, 0);
}
END_TEST

static void count_up(void *data) { ++*(int *)data; }

START_TEST(hooks_run_on_reset_and_free) {
    Counting c = {0};
    Ctx *ctx = counting_ctx(&c);
    Arena *arena = arena_new(ctx);
    int runs = 0;
    arena_on_free(arena, count_up, &runs);
    arena_reset(arena);
    ck_assert_int_eq(runs, 1);
    arena_on_free(arena, count_up, &runs);
    vtr_context_free(ctx);
    ck_assert_int_eq(runs, 2);
}
END_TEST

START_TEST(a_reset_arena_needs_no_new_memory) {
    Counting c = {0};
    Ctx *ctx = counting_ctx(&c);
    Arena *arena = arena_new(ctx);
    for (int round = 0; round < 3; round++) {
        long before = c.calls;
        for (int i = 0; i < 20000; i++) memset(arena_alloc(arena, 64), 0xab, 64);
        if (round) ck_assert_int_eq(c.calls, before);
        arena_reset(arena);
        ck_assert_uint_eq(arena_used(arena), 0);
    }
    vtr_context_free(ctx);
}
END_TEST

START_TEST(diagnostics_are_bounded) {
    Counting c = {0};
    Ctx *ctx = counting_ctx(&c);
    for (uint32_t i = 0; i < 1000; i++) diag_error(ctx, (Place){"f", i, 1}, "no %u", i);
    ck_assert_uint_eq(vtr_diagnostic_count(ctx), 100);
    ck_assert_uint_eq(diag_count(ctx), 1000);
    vtr_context_free(ctx);
}
END_TEST

START_TEST(interned_strings_keep_their_order) {
    Counting c = {0};
    Ctx *ctx = counting_ctx(&c);
    Interner table = interner_new(arena_new(ctx));
    ck_assert_uint_eq(intern(&table, "a", 1), 0);
    ck_assert_uint_eq(intern(&table, "bc", 2), 1);
    ck_assert_uint_eq(intern(&table, "a", 1), 0);
    ck_assert_uint_eq(intern_find(&table, "bc", 2), 1);
    ck_assert_uint_eq(intern_find(&table, "b", 1), UINT32_MAX);
    ck_assert_str_eq(table.symbols.v[1].text, "bc");
    vtr_context_free(ctx);
}
END_TEST

START_TEST(bytes_and_bit_sets) {
    Counting c = {0};
    Ctx *ctx = counting_ctx(&c);
    Arena *arena = arena_new(ctx);
    Buf buf = buf_new(arena);
    ck_assert_str_eq(buf_str(&buf), "");
    buf_u8(&buf, 1);
    buf_u32(&buf, 0x05040302);
    ck_assert_uint_eq(buf.bytes.n, 5);
    ck_assert_mem_eq(buf.bytes.v, "\1\2\3\4\5", 5);
    Bits a = bits_new(arena, 200);
    bits_add(a, 3);
    bits_add(a, 64);
    bits_add(a, 199);
    bits_del(a, 64);
    for (uint32_t i = 0; i < 200; i++) ck_assert(bits_has(a, i) == (i == 3 || i == 199));
    ck_assert_int_eq(bit_sext(0x80, 8), -128);
    ck_assert_uint_eq(bit_zext(UINT64_MAX, 64), UINT64_MAX);
    vtr_context_free(ctx);
}
END_TEST

START_TEST(queues_give_the_least_first) {
    Counting c = {0};
    Ctx *ctx = counting_ctx(&c);
    Arena *arena = arena_new(ctx);
    Queue q = {0};
    uint32_t x = 1;
    for (uint32_t n = 1; n < 200; n++) {
        for (uint32_t k = 0; k < n; k++) {
            x = x * 1664525 + 1013904223;
            queue_push(arena, &q, (x >> 16) % 50, k);
        }
        Queued last = queue_pop(&q);
        for (uint32_t k = 1; k < n; k++) {
            Queued next = queue_pop(&q);
            ck_assert(last.key < next.key || (last.key == next.key && last.item < next.item));
            last = next;
        }
        ck_assert_uint_eq(q.v.n, 0);
    }
    vtr_context_free(ctx);
}
END_TEST

// The bytes of the value's shortest form; the widest one of `width` bits; both read back.
static void check_leb(uint64_t x, unsigned width, bool is_signed, unsigned length) {
    uint8_t bytes[LEB_MAX];
    uint64_t back = ~x;
    ck_assert_uint_eq(leb_put(bytes, x, is_signed), length);
    ck_assert_uint_eq(leb_get(bytes, length, width, is_signed, &back), length);
    ck_assert_uint_eq(back, x);
    ck_assert_uint_eq(leb_get(bytes, length - 1, width, is_signed, &back), 0); // cut off
    const unsigned size = (width + 6) / 7;
    leb_put_wide(bytes, size, x, is_signed);
    back = ~x;
    ck_assert_uint_eq(leb_get(bytes, size, width, is_signed, &back), size);
    ck_assert_uint_eq(back, x);
}

START_TEST(lebs_are_short_or_wide_and_read_back) {
    check_leb(0, 32, false, 1);
    check_leb(0, 32, true, 1);
    for (unsigned bit = 0; bit < 64; bit++) {
        const uint64_t x = UINT64_C(1) << bit;
        if (bit < 32) check_leb(x, 32, false, bit / 7 + 1);
        check_leb(x, 64, false, bit / 7 + 1);
        check_leb(x - 1, 64, false, bit ? (bit - 1) / 7 + 1 : 1);
        if (bit < 63) check_leb(x, 64, true, (bit + 1) / 7 + 1);
        check_leb(0 - x, 64, true, bit / 7 + 1);
        if (bit < 32) check_leb(0 - x, 32, true, bit / 7 + 1);
        if (bit < 33) check_leb(0 - x, 33, true, bit / 7 + 1);
    }
    check_leb(UINT64_MAX, 64, false, 10);
    check_leb((uint64_t)INT64_MIN, 64, true, 10);
}
END_TEST

START_TEST(lebs_with_bits_above_their_width_are_none) {
    uint64_t x;
    static const struct {
        uint8_t bytes[11];
        unsigned width;
        bool is_signed;
    } wrong[] = {
        {{0x80, 0x80, 0x80, 0x80, 0x10}, 32, false},       // bit 32
        {{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 32, false}, // six bytes
        {{0x80, 0x80, 0x80, 0x80, 0x08}, 32, true},        // bit 31 without its copies
        {{0x80, 0x80, 0x80, 0x80, 0x70}, 32, true},        // copies of a sign that is none
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 64, false},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 64, true},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00}, 64, true},
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!leb_get(wrong[i].bytes, sizeof wrong[i].bytes, wrong[i].width, wrong[i].is_signed, &x), "%u", i);
    ck_assert_uint_eq(leb_get((const uint8_t[]){0x80, 0x80, 0x80, 0x80, 0x78}, 5, 32, true, &x), 5);
    ck_assert_uint_eq(x, UINT64_C(0xffffffff80000000));
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("support");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, every_failing_allocation_is_reported_and_leaks_nothing);
    tcase_add_test(cases, a_throw_frees_what_was_made_and_keeps_the_diagnostic);
    tcase_add_test(cases, hooks_run_on_reset_and_free);
    tcase_add_test(cases, a_reset_arena_needs_no_new_memory);
    tcase_add_test(cases, diagnostics_are_bounded);
    tcase_add_test(cases, interned_strings_keep_their_order);
    tcase_add_test(cases, bytes_and_bit_sets);
    tcase_add_test(cases, queues_give_the_least_first);
    tcase_add_test(cases, lebs_are_short_or_wide_and_read_back);
    tcase_add_test(cases, lebs_with_bits_above_their_width_are_none);
    return run_tests("support", cases);
}
