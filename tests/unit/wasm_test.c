// WebAssembly files from code that is written by hand, for a stack machine that only this test knows.
#include <string.h>

#include "aot/wasm.h"
#include "support/leb.h"
#include "unit.h"

enum { FUNCTION, TYPE, GLOBAL, ADDRESS, NUMBER }; // relocations

static const Reloc relocs[] = {
    [FUNCTION] = {.name = "function", .elf = 0, .size = 5}, [TYPE] = {.name = "type", .elf = 6, .size = 5},
    [GLOBAL] = {.name = "global", .elf = 7, .size = 5},     [ADDRESS] = {.name = "address", .elf = 15, .size = 10},
    [NUMBER] = {.name = "number", .elf = 18, .size = 10},
};
static const RegClass classes[] = {{.name = "i64", .value_type = 0x7e}};
static const StackMachine stack = {.wide_call_reg = NO_MOP, .sp_symbol = "__stack_pointer", .function_type = 0x60};
static const Target target = {.name = "stack",
                              .word_bits = 64,
                              .relocs = relocs,
                              .n_relocs = 5,
                              .classes = classes,
                              .n_classes = 1,
                              .stack = &stack};

static const uint8_t i64s[] = {0x7e, 0x7e};
static const MType none = {NULL, NULL, 0, 0};
static const MType one = {i64s, i64s, 1, 1};
static const MType two = {i64s, i64s, 2, 1};

// ---- code by hand ------------------------------------------------------------------------------------------------

typedef struct Hand {
    Wasm *w;
    Code *code;
    Buf bytes;
    const char *names[16]; // by relocation
} Hand;

static Hand start(Wasm *w, const char *name, MType type) {
    Hand h = {.w = w, .code = NEW(w->arena, Code), .bytes = buf_new(w->arena)};
    h.code->target = &target;
    h.code->name = name_of(name);
    vec_push(w->arena, &h.code->types, type);
    buf_u8(&h.bytes, 0); // no locals
    return h;
}

static void op(Hand *h, unsigned opcode) { buf_u8(&h->bytes, (uint8_t)opcode); }

// A field that waits: `type` NULL = none is known.
static void field(Hand *h, unsigned reloc, const char *name, int64_t addend, const MType *type) {
    CodeReloc r = {.at = h->bytes.bytes.n, .reloc = (uint8_t)reloc, .addend = addend};
    if (name) r.name = name_of(name);
    if (type) {
        vec_push(h->w->arena, &h->code->types, *type);
        r.type = h->code->types.n;
    }
    vec_push(h->w->arena, &h->code->relocs, r);
    for (unsigned k = 0; k < relocs[reloc].size; k++) buf_u8(&h->bytes, 0);
}

static void site(Hand *h, SiteKind kind, unsigned trap) {
    CodeSite s = {.at = h->bytes.bytes.n, .kind = (uint8_t)kind, .trap = (uint8_t)trap, .srcloc = NONE};
    vec_push(h->w->arena, &h->code->sites, s);
    vec_push(h->w->arena, &h->code->lines, (CodeLine){h->bytes.bytes.n, 7});
}

static uint32_t resolve(void *user, const CodeReloc *r) { return wasm_symbol(user, r->name.text); }

// Returns the function's symbol.
static uint32_t finish(Hand *h) {
    op(h, 0x0b); // end
    h->code->bytes = (uint8_t *)h->bytes.bytes.v;
    h->code->n = h->code->n_code = h->bytes.bytes.n;
    uint32_t sym = wasm_symbol(h->w, h->code->name.text);
    wasm_code(h->w, h->code, sym, resolve, h->w);
    return sym;
}

// A function (i64) -> i64 that calls what has the name; returns its symbol.
static uint32_t caller(Wasm *w, const char *name, const char *callee, const MType *type) {
    Hand h = start(w, name, one);
    for (uint32_t k = 0; k < type->n_params; k++) {
        op(&h, 0x20); // local.get 0
        op(&h, 0);
    }
    site(&h, SITE_CALL, 0);
    op(&h, 0x10);
    field(&h, FUNCTION, callee, 0, type);
    return finish(&h);
}

// ---- files -------------------------------------------------------------------------------------------------------

typedef struct Job {
    void (*make)(Wasm *w);
    bool object;
    uint64_t max_memory, stack_size;
    uint8_t *bytes;
    size_t n;
    Wasm *w;
} Job;

static void run_job(Ctx *ctx, void *arg) {
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    Wasm *w = wasm_new(arena, &target, 0);
    w->stack_size = job->stack_size ? job->stack_size : 4096;
    w->max_memory = job->max_memory;
    job->make(w);
    Buf file = job->object ? wasm_object(w, arena) : wasm_module(w, arena);
    job->bytes = (uint8_t *)file.bytes.v;
    job->n = file.bytes.n;
    job->w = w;
}

static vtr_status make_file(vtr_context *ctx, Job *job) { return ctx_try(ctx, run_job, job); }

static uint64_t number(const uint8_t **at, const uint8_t *end) {
    uint64_t x;
    unsigned n = leb_get(*at, (size_t)(end - *at), 64, false, &x);
    ck_assert_uint_ne(n, 0);
    *at += n;
    return x;
}

// The contents of a section, NULL = there is none; of a custom one by name, behind it.
static const uint8_t *find(const Job *job, unsigned id, const char *name, size_t *n) {
    const uint8_t *at = job->bytes + 8;
    const uint8_t *end = job->bytes + job->n;
    ck_assert_mem_eq(job->bytes, "\0asm\1\0\0", 8);
    while (at < end) {
        unsigned found = *at++;
        uint64_t size = number(&at, end);
        ck_assert_uint_le(size, (uint64_t)(end - at));
        const uint8_t *next = at + size;
        uint64_t len = name && found == id ? number(&at, end) : 0;
        if (found == id && (!name || (len == strlen(name) && !memcmp(at, name, len)))) {
            *n = (size_t)(next - at - len);
            return at + len;
        }
        at = next;
    }
    return NULL;
}

static void ck_section(const Job *job, unsigned id, const char *name, const void *want, size_t n) {
    size_t size = 0;
    const uint8_t *found = find(job, id, name, &size);
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(size, n);
    ck_assert_mem_eq(found, want, n);
}
#define CK_SECTION(job, id, ...)                                                                                       \
    do {                                                                                                               \
        static const uint8_t want[] = {__VA_ARGS__};                                                                   \
        ck_section((job), (id), NULL, want, sizeof want);                                                              \
    } while (0)

// ---- complete modules --------------------------------------------------------------------------------------------

static void make_calls(Wasm *w) {
    caller(w, "first", "outside", &two);
    caller(w, "dead", "deader", &one);
    caller(w, "deader", "nowhere", &two);
    uint32_t second = caller(w, "second", "first", &one);
    wasm_export(w, second, "second");
    wasm_import(w, wasm_symbol(w, "outside"), "host", "give");
    wasm_import(w, wasm_symbol(w, "unused"), "host", "unused");
}

START_TEST(calls) {
    vtr_context *ctx = test_context();
    Job job = {.make = make_calls};
    ck_assert_int_eq(make_file(ctx, &job), VTR_OK);
    CK_SECTION(&job, 1, 2, 0x60, 1, 0x7e, 1, 0x7e, 0x60, 2, 0x7e, 0x7e, 1, 0x7e);
    CK_SECTION(&job, 2, 1, 4, 'h', 'o', 's', 't', 4, 'g', 'i', 'v', 'e', 0, 1);
    CK_SECTION(&job, 3, 2, 0, 0);
    // No shadow stack: data, of which there is none, would begin at 65536.
    CK_SECTION(&job, 5, 1, 4, 1);
    CK_SECTION(&job, 10, 2, 8, 0, 0x20, 0, 0x20, 0, 0x10, 0, 0x0b, 6, 0, 0x20, 0, 0x10, 1, 0x0b);
    // Calls stand where their sites say.
    for (uint32_t k = 0; k < job.w->funcs.n; k++) {
        const WasmFunc *f = &job.w->funcs.v[k];
        ck_assert_uint_eq(job.bytes[job.w->code_at + f->at + f->code->sites.v[0].at], 0x10);
        ck_assert_uint_eq(f->code->lines.v[0].at, f->code->sites.v[0].at);
    }
    vtr_context_free(ctx);
}
END_TEST

// A function without a fixed length of fields: addresses, numbers of functions, types, the stack pointer.
static void make_all(Wasm *w) {
    uint32_t text = wasm_data(w, ".rodata", WASM_READ_ONLY, 1);
    buf_bytes(&w->datas.v[text].bytes, "abc", 3);
    uint32_t zeros = wasm_data(w, ".bss", WASM_ZERO, 32);
    w->datas.v[zeros].size = 70000;
    uint32_t words = wasm_data(w, ".data", WASM_WRITABLE, 8);
    wasm_define_data(w, wasm_symbol(w, "text"), text, 1, 2);
    wasm_define_data(w, wasm_symbol(w, "zeros"), zeros, 0, 70000);
    wasm_define_data(w, wasm_symbol(w, "words"), words, 0, 16);
    wasm_address(w, words, wasm_symbol(w, "zeros"), false, 8);
    wasm_address(w, words, wasm_symbol(w, "all"), true, 0);
    Hand h = start(w, "all", none);
    op(&h, 0x23); // global.get
    field(&h, GLOBAL, "__stack_pointer", 0, NULL);
    op(&h, 0x24); // global.set
    field(&h, GLOBAL, "__stack_pointer", 0, NULL);
    op(&h, 0x42); // i64.const
    field(&h, ADDRESS, "text", 1, NULL);
    op(&h, 0x1a); // drop
    op(&h, 0x42);
    field(&h, ADDRESS, "all", 0, NULL); // a function after all
    op(&h, 0x1a);
    op(&h, 0x41); // i32.const
    op(&h, 1);
    site(&h, SITE_TRAP, 3);
    op(&h, 0x11); // call_indirect
    field(&h, TYPE, NULL, 0, &none);
    op(&h, 0);
    finish(&h);
    w->start = w->funcs.v[0].sym;
}

START_TEST(everything) {
    vtr_context *ctx = test_context();
    Job job = {.make = make_all, .max_memory = 4 * 65536};
    ck_assert_int_eq(make_file(ctx, &job), VTR_OK);
    CK_SECTION(&job, 4, 1, 0x70, 1, 2, 2);
    CK_SECTION(&job, 5, 1, 5, 3, 4);
    // 65536 + 4096 and, behind the data, 69664 + 70000 up to a multiple of 16.
    CK_SECTION(&job, 6, 2, 0x7e, 1, 0x42, 0x80, 0xa0, 0x04, 0x0b, 0x7e, 0, 0x42, 0x90, 0xc3, 0x08, 0x0b);
    CK_SECTION(&job, 8, 0);
    CK_SECTION(&job, 9, 1, 0, 0x41, 1, 0x0b, 1, 0);
    // text + 1 is 69634.
    CK_SECTION(&job, 10, 1, 19, 0, 0x23, 0, 0x24, 0, 0x42, 0x82, 0xa0, 0x04, 0x1a, 0x42, 1, 0x1a, 0x41, 1, 0x11, 0, 0,
               0x0b);
    // The zeros behind the number of `all` are the memory's.
    CK_SECTION(&job, 11, 2, 0, 0x42, 0x80, 0xa0, 0x04, 0x0b, 3, 'a', 'b', 'c', 0, 0x42, 0x88, 0xa0, 0x04, 0x0b, 9, 0x28,
               0x10, 0x01, 0, 0, 0, 0, 0, 1);
    const WasmFunc *f = &job.w->funcs.v[0];
    ck_assert_uint_eq(job.bytes[job.w->code_at + f->at + f->code->sites.v[0].at], 0x11);
    vtr_context_free(ctx);
}
END_TEST

// ---- refused -----------------------------------------------------------------------------------------------------

static void make_wrong_type(Wasm *w) {
    wasm_export(w, caller(w, "a", "b", &two), "a");
    caller(w, "b", "a", &one);
}

static void make_no_data(Wasm *w) {
    Hand h = start(w, "f", none);
    op(&h, 0x42);
    field(&h, ADDRESS, "nowhere", 0, NULL);
    op(&h, 0x1a);
    wasm_export(w, finish(&h), "f");
}

static void make_no_type(Wasm *w) {
    Hand h = start(w, "f", none);
    op(&h, 0x42);
    field(&h, NUMBER, "outside", 0, NULL);
    op(&h, 0x1a);
    wasm_export(w, finish(&h), "f");
}

static void make_twins(Wasm *w) {
    wasm_export(w, caller(w, "a", "b", &one), "x");
    wasm_export(w, caller(w, "b", "a", &one), "x");
}

static void make_memory(Wasm *w) { wasm_export(w, caller(w, "memory", "b", &one), "memory"); }

static void make_again(Wasm *w) {
    caller(w, "a", "b", &one);
    caller(w, "a", "b", &one);
}

static const struct {
    void (*make)(Wasm *w);
    const char *text;
} refusals[] = {
    {make_wrong_type, "%b is called as a function of a type that it does not have"},
    {make_no_data, "%nowhere is data that nothing defines; it takes an object and a linker"},
    {make_no_type, "%outside is a function of unknown type"},
    {make_twins, "there are two exports named 'x'"},
    {make_memory, "there are two exports named 'memory'"},
    {make_again, "%a is defined already"},
};

START_TEST(refused) {
    vtr_context *ctx = test_context();
    Job job = {.make = refusals[_i].make};
    ck_assert_int_eq(make_file(ctx, &job), VTR_ERR_INPUT);
    vtr_diagnostic_info info;
    ck_assert_uint_eq(vtr_diagnostic_count(ctx), 1);
    ck_assert(vtr_diagnostic(ctx, 0, &info));
    ck_assert_str_eq(info.message, refusals[_i].text);
    vtr_context_free(ctx);
}
END_TEST

START_TEST(too_small) {
    vtr_context *ctx = test_context();
    Job job = {.make = make_all, .max_memory = 2 * 65536};
    ck_assert_int_eq(make_file(ctx, &job), VTR_ERR_LIMIT);
    job = (Job){.make = make_all, .stack_size = UINT64_MAX};
    ck_assert_int_eq(make_file(ctx, &job), VTR_ERR_LIMIT);
    vtr_context_free(ctx);
}
END_TEST

// ---- objects -----------------------------------------------------------------------------------------------------

static void make_object(Wasm *w) {
    caller(w, "first", "outside", &two);
    caller(w, "second", "first", &one);
    wasm_import(w, wasm_symbol(w, "outside"), "host", "give");
}

START_TEST(object) {
    vtr_context *ctx = test_context();
    Job job = {.make = make_object, .object = true};
    ck_assert_int_eq(make_file(ctx, &job), VTR_OK);
    static const uint8_t padded[] = {2,    12, 0, 0x20, 0, 0x20, 0,    0x10, 0x80, 0x80, 0x80, 0x80, 0,
                                     0x0b, 10, 0, 0x20, 0, 0x10, 0x81, 0x80, 0x80, 0x80, 0,    0x0b};
    ck_section(&job, 10, NULL, padded, sizeof padded);
    // Section 3 (types, imports, functions, code): call outside, call first.
    static const uint8_t code[] = {3, 2, 0, 8, 2, 0, 19, 0};
    ck_section(&job, 0, "reloc.CODE", code, sizeof code);
    static const uint8_t linking[] = {2,    8, 31, 3,   0,   0,   1,   5,   'f', 'i', 'r', 's',
                                      't',  0, 0,  2,   6,   's', 'e', 'c', 'o', 'n', 'd', 0,
                                      0x50, 0, 7,  'o', 'u', 't', 's', 'i', 'd', 'e'};
    ck_section(&job, 0, "linking", linking, sizeof linking);
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("wasm");
    tcase_add_test(tests, calls);
    tcase_add_test(tests, everything);
    tcase_add_loop_test(tests, refused, 0, sizeof refusals / sizeof *refusals);
    tcase_add_test(tests, too_small);
    tcase_add_test(tests, object);
    return run_tests("wasm", tests);
}
