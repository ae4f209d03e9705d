// The rules that make bytes a module (3.2, 3.3, 3.10, 3.11), each broken once: by an edit of a sound module that is
// then written, or by bytes put together here. The diagnostic names the rule and the place.
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "bytecode/read.h"
#include "bytecode/write.h"
#include "unit.h"

static const char *const base_text =
    ".module \"base\"\n.type N = struct { a: i64, r: N, b: u8, c: u8 }\n.type bytes = array u8\n.type E = struct { }\n"
    ".type unary = fn (i32) -> i32\n.type W = struct align 8 size 16 { a: i8 @0, b: i32 @8 }\n"
    ".import fn \"m.f\" (i32) -> i32 as f\n.import c fn \"m.c\" (i64)\n.import global \"m.g\": i32\n"
    ".global k: i32 = const:I\n.global s: mut bytes = const:S\n"
    ".const I = i32 1\n.const B = bool true\n.const S = string \"x\"\n.const D = bytes d\n.const P = fn f\n"
    ".data d align 4 = [1, 2]\n.export f\n.export global k\n.export main\n.entry main\n"
    ".fn main() -> i64\n .local v: i64\n .loc \"a.v\" 1 1\n K32 v, 1\n .loc \"a.v\" 2 1\n RET v\n.end\n"
    ".fn g(a: i32, b: bytes) -> i32\n .local w: i32\n .reg p: unary\n .loc \"b.v\" 5 1\n"
    "top: BRT a, @two, [@two, @one]\n one: KIDX p, const:P\n ICALL a, p, 1 [a]\n LDG w, k\n JMP top\n"
    "two: SWITCH a, @one, {1: @one, 5: @top}\n.end\n.fn h()\n RET _\n.end\n";
enum { T_N, T_BYTES, T_E, T_UNARY, T_W }; // types, in this order
enum { I_F, I_C, I_G };

// ---- edits of tables ------------------------------------------------------------------------

// A last type that is another one's double.
static void twice(BcModule *m, uint32_t which) {
    BcType *types = NEW_ARRAY(m->arena, BcType, m->n_types + 1);
    memcpy(types, m->types, m->n_types * sizeof *types);
    types[m->n_types++] = types[which];
    m->types = types;
}

static void c_takes(BcModule *m, uint32_t type) { m->types[m->imports[I_C].type - BC_TYPE_BASE].params[0] = type; }

// Makes the edit with this number; the diagnostic that is to come.
static const char *edit(BcModule *m, int number) {
#define EDIT(message, ...)                                                                                             \
    if (number-- == 0) return (__VA_ARGS__), message
    EDIT("V-NAME: HEAD: module name is empty", m->strs[m->name].len = 0);
    EDIT("V-STR: HEAD: module name", m->name = m->n_strs);
    EDIT("V-ENTRY: HEAD", m->entry = 0);
    EDIT("V-ENTRY: HEAD", m->entry = 3);
    EDIT("V-ENTRY: HEAD", m->entry = 5);
    EDIT("V-CONST: CONS entry 1: 2", m->consts[1].bits = 2);
    EDIT("V-CONST: CONS entry 2", m->consts[2].bits = m->n_strs);
    EDIT("V-CONST: CONS entry 3", m->consts[3].bits = 1);
    EDIT("V-CONST: CONS entry 4", m->consts[4].bits = 5);
    EDIT("V-TYPE: TBLT entry 0: alignment 0", m->types[T_N].align = 0);
    EDIT("V-TYPE: TBLT entry 0: alignment 3", m->types[T_N].align = 3);
    EDIT("V-TYPE: TBLT entry 0: alignment 16", m->types[T_N].align = 16);
    EDIT("V-TYPE: TBLT entry 0: size 23", m->types[T_N].size = 23);
    EDIT("V-TYPE: TBLT entry 0: size 16777224", m->types[T_N].size = (16 << 20) + 8);
    EDIT("V-TYPE: TBLT entry 0: field 0: typeref 0", m->types[T_N].fields[0].type = BC_VOID);
    EDIT("V-TYPE: TBLT entry 0: field 0: typeref 14", m->types[T_N].fields[0].type = 14);
    EDIT("V-TYPE: TBLT entry 0: field 0: typeref 15", m->types[T_N].fields[0].type = 15);
    EDIT("V-TYPE: TBLT entry 0: field 1: typeref", m->types[T_N].fields[1].type = BC_TYPE_BASE + m->n_types);
    EDIT("V-TYPE: TBLT entry 0: field 1 does not fit", m->types[T_N].fields[1].offset = 0);
    EDIT("V-TYPE: TBLT entry 0: field 1 does not fit", m->types[T_N].fields[1].offset = 12);
    EDIT("V-TYPE: TBLT entry 0: field 3 does not fit", m->types[T_N].fields[3].offset = 24);
    EDIT("V-TYPE: TBLT entry 0: field 3 does not fit", m->types[T_N].fields[3].offset = 16);
    EDIT("V-TYPE: TBLT entry 0: field 3 does not fit", m->types[T_N].fields[3].offset = 0);
    EDIT("V-TYPE: TBLT entry 0: field 3 does not fit", m->types[T_N].fields[3].offset = UINT32_MAX);
    EDIT("V-TYPE: TBLT entry 4: field 1 does not fit", m->types[T_W].align = 2);
    EDIT("V-TYPE: TBLT entry 0: the reference map has 0 words", m->types[T_N].n_map = 0);
    EDIT("V-TYPE: TBLT entry 0: word 0 of the reference map", m->types[T_N].map[0] = 1);
    EDIT("V-TYPE: TBLT entry 0: word 0 of the reference map", m->types[T_N].map[0] = 3);
    EDIT("V-TYPE: TBLT entry 0: word 0 of the reference map", m->types[T_N].fields[1].type = BC_U64);
    EDIT("V-TYPE: TBLT entry 0: word 0 of the reference map",
         m->types[T_N].fields[1].type = BC_TYPE_BASE + T_UNARY); // no GC reference
    EDIT("V-NAME: TBLT entry 0: type name", m->strs[m->types[T_N].name].len = 0);
    EDIT("V-STR: TBLT entry 0: field name", m->types[T_N].fields[0].name = m->n_strs);
    EDIT("V-TYPE: TBLT entry 1: typeref 0", m->types[T_BYTES].elem = BC_VOID);
    EDIT("V-TYPE: TBLT entry 1: typeref 14", m->types[T_BYTES].elem = 14);
    EDIT("V-TYPE: TBLT entry 3: typeref 15", m->types[T_UNARY].elem = 15);
    EDIT("V-TYPE: TBLT entry 3: parameter 0: typeref 0", m->types[T_UNARY].params[0] = BC_VOID);
    EDIT("V-TYPE: TBLT entry 9: the same type", twice(m, T_UNARY));
    EDIT("V-TYPE: TBLT entry 9: the same type", twice(m, T_BYTES));
    EDIT("V-IMPORT: IMPT entry 0: i32", m->imports[I_F].type = BC_I32);
    EDIT("V-IMPORT: IMPT entry 0", m->imports[I_F].type = BC_TYPE_BASE + T_N);
    EDIT("V-TYPE: IMPT entry 0: typeref 14", m->imports[I_F].type = 14);
    EDIT("V-IMPORT: IMPT entry 2: void", m->imports[I_G].type = BC_VOID);
    EDIT("V-IMPORT: IMPT entry 1: the same import", m->imports[I_C].name = m->imports[I_F].name);
    EDIT("V-IMPORT: IMPT entry 1: a C function", c_takes(m, BC_REF));
    EDIT("V-IMPORT: IMPT entry 1: a C function", c_takes(m, BC_TYPE_BASE + T_UNARY));
    EDIT("V-IMPORT: IMPT entry 1: a C function", c_takes(m, BC_TYPE_BASE + T_BYTES));
    EDIT("V-RESERVED: IMPT+0x5", m->imports[I_F].flags = BC_MUTABLE);
    EDIT("V-RESERVED: IMPT+0x25", m->imports[I_G].flags = 2);
    EDIT("V-RESERVED: IMPT+0x26", m->imports[I_G].abi = BC_ABI_C);
    EDIT("V-RESERVED: IMPT+0x6", m->imports[I_F].abi = 2);
    EDIT("V-IMPORT: IMPT+0x4", m->imports[I_F].kind = 2);
    EDIT("V-STR: IMPT entry 0: module name", m->imports[I_F].module = BC_NONE);
    EDIT("V-STR: IMPT entry 0: name", m->imports[I_F].name = BC_NONE);
    EDIT("V-GLOBAL: GLOB entry 0: the initialiser", m->globals[0].init = 1);
    EDIT("V-GLOBAL: GLOB entry 1: the initialiser", m->globals[1].init = 0);
    EDIT("V-GLOBAL: GLOB entry 0: there is no constant 5", m->globals[0].init = 5);
    EDIT("V-TYPE: GLOB entry 0: typeref 0", m->globals[0].type = BC_VOID);
    EDIT("V-RESERVED: GLOB+0xc", m->globals[0].flags = 2);
    EDIT("V-FUNC: function main: 1 parameters", m->funcs[0].n_params = 1);
    EDIT("V-FUNC: function main: more parameters and locals", m->funcs[0].n_locals = 2);
    EDIT("V-FUNC: function main: more parameters and locals", m->funcs[0].n_locals = UINT32_MAX);
    EDIT("V-FUNC: function g: the parameters' types", m->funcs[1].regs[0] = BC_U32);
    EDIT("V-FUNC: function g: R3: typeref 0", m->funcs[1].regs[3] = BC_VOID);
    EDIT("V-FUNC: function g: R3: typeref 14", m->funcs[1].regs[3] = 14);
    EDIT("V-FUNC: function g: the signature is no FUNC", m->funcs[1].sig = BC_I32);
    EDIT("V-FUNC: function g: the signature is no FUNC", m->funcs[1].sig = BC_TYPE_BASE + T_N);
    EDIT("V-FUNC: function g: const_off", m->funcs[1].const_off = 6);
    EDIT("V-TYPING: FUNC+0x", m->funcs[1].const_off = 5); // KIDX 0 is none then
    EDIT("V-RESERVED: FUNC+0x24", m->funcs[0].flags = 1);
    EDIT("V-RESERVED: FUNC+0x24", m->funcs[0].flags = 2);
    EDIT("V-RESERVED: FUNC+0x24", m->funcs[0].flags = 4);
    EDIT("V-RESERVED: FUNC+0x24", m->funcs[0].flags = 16);
    EDIT("V-CAP: HEAD", m->funcs[0].flags = BC_FN_LOW);
    EDIT("V-STR: function", m->funcs[0].name = m->n_strs);
    EDIT("V-SYMS: SYMS entry 0: the record does not belong", m->funcs[0].dbg_off = BC_NONE);
    EDIT("V-SYMS: function h: record 0 is not", m->funcs[2].dbg_off = 0);
    EDIT("V-SYMS: function h: record 2 is not", m->funcs[2].dbg_off = 2);
    EDIT("V-EXPORT: EXPT+0x4", m->exports[0].kind = 2);
    EDIT("V-EXPORT: EXPT entry 0: index 5", m->exports[0].index = 5);
    EDIT("V-EXPORT: EXPT entry 1: index 3", m->exports[1].index = 3);
    EDIT("V-EXPORT: EXPT entry 1: two exports", m->exports[1].name = m->exports[0].name);
    EDIT("V-STR: EXPT entry 0: name", m->exports[0].name = BC_NONE);
    EDIT("V-DATA: DATA entry 0: alignment 0", m->datas[0].align = 0);
    EDIT("V-DATA: DATA entry 0: alignment 3", m->datas[0].align = 3);
    EDIT("V-DATA: DATA entry 0: alignment 32", m->datas[0].align = 32);
    EDIT("V-STR: DATA entry 0: name", m->datas[0].name = m->n_strs);
    EDIT("V-STR: SYMS: source file", m->files[0] = m->n_strs);
    EDIT("V-STR: SYMS entry 0: pretty name", m->records[0].pretty = m->n_strs);
    EDIT("V-SYMS: SYMS entry 0: the record does not belong", m->records[0].func = 1);
    EDIT("V-SYMS: SYMS entry 0: the record does not belong", m->records[0].func = 2);
    EDIT("V-SYMS: SYMS entry 0: line 1: instruction 0", m->records[0].lines[1].inst = 0);
    EDIT("V-SYMS: SYMS entry 0: line 1: instruction 2", m->records[0].lines[1].inst = 2);
    EDIT("V-SYMS: SYMS entry 0: line 0: there is no file 2", m->records[0].lines[0].file = 2);
    EDIT("V-SYMS: SYMS entry 0: variable 0", m->records[0].vars[0].reg = 1);
    EDIT("V-SYMS: SYMS entry 0: variable 0", m->records[0].vars[0].reg = BC_NOREG);
    EDIT("V-SYMS: SYMS entry 0: variable 0", m->records[0].vars[0].end = 3);
    EDIT("V-SYMS: SYMS entry 0: variable 0", m->records[0].vars[0].start = 3);
    EDIT("V-STR: SYMS entry 0: variable name", m->records[0].vars[0].name = BC_NONE);
    EDIT("V-LABEL: FUNC+0x", m->funcs[1].labels[1] = 3);
    EDIT("V-LABEL: FUNC+0x", m->funcs[1].cases[1].label = 3);
    EDIT("V-LABEL: FUNC+0x", m->funcs[1].insts[0].x = 3);
    EDIT("V-TYPING: FUNC+0x", m->funcs[1].cases[1].value = 1);
    EDIT("V-TYPING: FUNC+0x", m->funcs[1].cases[1].value = INT64_C(1) << 31);
    EDIT("V-TYPING: FUNC+0x", m->funcs[1].cases[0].value = 6);
    EDIT("V-TYPING: FUNC+0x", m->funcs[1].insts[1].x = 5);
    EDIT("V-TYPING: FUNC+0x", m->funcs[1].insts[3].x = 3);
    EDIT("V-REG: FUNC+0x", m->funcs[1].args[0] = 4);
    EDIT("V-REG: FUNC+0x", m->funcs[1].args[0] = BC_NOREG);
    EDIT("V-REG: FUNC+0x", m->funcs[1].insts[0].r[0] = BC_NOREG);
    EDIT("V-REG: FUNC+0x", m->funcs[0].insts[1].r[0] = 1);
#undef EDIT
    return NULL;
}

typedef struct Job {
    int number;
    const char *message;
    Buf bytes;
} Job;

static void edit_body(Ctx *ctx, void *arg) {
    Job *job = arg;
    BcModule *m = bc_assemble(ctx, "base.vita", base_text, strlen(base_text));
    job->message = edit(m, job->number);
    job->bytes = buf_new(m->arena);
    bc_write(m, (BcWriteOptions){0}, &job->bytes);
}

// The diagnostic starts with `message`; "" = the module is accepted.
static void expect(vtr_context *ctx, const void *bytes, size_t n, const char *message) {
    vtr_bytecode *bc;
    vtr_status status = vtr_bytecode_read(ctx, "x", bytes, n, VTR_ALLOW_LOW, &bc);
    vtr_diagnostic_info info = {NULL, 0, 0, ""};
    vtr_diagnostic(ctx, 0, &info);
    ck_assert_msg(!strncmp(info.message, message, strlen(message)) && (*message || !*info.message),
                  "wanted %s\n   got %s", message, info.message);
    bool limit = !strncmp(message, "V-LIMIT", 7);
    ck_assert_int_eq(status, !*message ? VTR_OK : limit ? VTR_ERR_LIMIT : VTR_ERR_INPUT);
    vtr_diagnostics_clear(ctx);
}

START_TEST(edits) {
    vtr_context *ctx = test_context();
    Job job = {.number = -1};
    ck_assert_int_eq(ctx_try(ctx, edit_body, &job), VTR_OK);
    expect(ctx, job.bytes.bytes.v, job.bytes.bytes.n, "");
    for (job.number = 0;; job.number++) {
        ck_assert_int_eq(ctx_try(ctx, edit_body, &job), VTR_OK);
        if (!job.message) break;
        expect(ctx, job.bytes.bytes.v, job.bytes.bytes.n, job.message);
    }
    ck_assert_int_gt(job.number, 100);
    vtr_context_free(ctx);
}
END_TEST

// ---- bytes ------------------------------------------------------------

typedef struct Bytes {
    uint8_t v[4096];
    size_t n;
} Bytes;

static void put(Bytes *b, const void *bytes, size_t n) {
    ck_assert_uint_le(b->n + n, sizeof b->v);
    memcpy(b->v + b->n, bytes, n);
    b->n += n;
}

static void put32(Bytes *b, uint32_t x) {
    put(b, (uint8_t[]){(uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24)}, 4);
}

static void section(Bytes *b, const char *tag, const void *payload, size_t n) {
    put(b, tag, 4);
    put32(b, (uint32_t)n);
    put(b, payload, n);
}

static const uint8_t head[16] = {0, 0, 0, 0, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t tblt[] = {1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}; // fn ()
// The smallest function there can be: RET.
static const uint8_t func[] = {1,    0,    0,    0,    54, 0, 0, 0, 0,    0,    0,    0,    0,    0,   0, 0,
                               0,    0,    0,    0,    1,  0, 0, 0, 1,    0,    0,    0,    0,    0,   0, 0,
                               0xff, 0xff, 0xff, 0xff, 0,  0, 0, 0, 0xff, 0xff, 0xff, 0xff, 16,   0,   0, 0,
                               0,    0,    0,    0,    1,  0, 0, 0, 0x64, 0,    0,    0,    0xff, 0xff};

static Bytes start(void) {
    Bytes b = {.n = 0};
    put(&b, "VITBC\0\1\0", 8);
    return b;
}

static void end(Bytes *b) {
    uint32_t crc = (uint32_t)crc32(0, b->v + 6, (unsigned)(b->n - 6));
    put(b, "END!", 4);
    put32(b, 4);
    put32(b, crc);
}

// HEAD, then these sections (";"-separated, with small payloads of no meaning), TBLT, FUNC; what is said of it.
static const struct {
    const char *before; // tags in front of HEAD
    const char *between;
    const char *after; // behind FUNC
    const char *message;
} frames[] = {
    {"", "", "", ""},
    {"", "abcdabcd", "zzzzabcd", ""},
    {"", "ABCD", "", "V-SECTION: byte 0x20: unknown section ABCD"},
    {"", "", "Abcd", "V-SECTION: byte"},
    {"abcd", "", "", "V-SECTION: byte 0x8: HEAD must come first"},
    {"ABCD", "", "", "V-SECTION: byte 0x8"},
    {"", "HEAD", "", "V-SECTION: byte 0x20: section HEAD"},
    {"", "FUNC", "", "V-SECTION: byte"},
    {"", "EXPT", "", "V-SECTION: byte"},
    {"", "", "IMPT", "V-SECTION: byte"},
    {"", "", "FUNC", "V-SECTION: byte"},
    {"", "", "SYMSSYMS", "V-SECTION: byte"},
    {"", "a cd", "", "V-SECTION: byte 0x20: a tag is four printable"},
    {"",
     "ab\x7f"
     "d",
     "", "V-SECTION: byte 0x20: a tag is four printable"},
    {"",
     "\xe1"
     "bcd",
     "", "V-SECTION: byte 0x20: a tag is four printable"},
    {"", "1bcd", "", "V-SECTION: byte 0x20: unknown section 1bcd"},
};

static void put_tags(Bytes *b, const char *tags) {
    for (; *tags; tags += 4) section(b, tags, "xyz", 3);
}

START_TEST(sections) {
    vtr_context *ctx = test_context();
    for (size_t k = 0; k < sizeof frames / sizeof *frames; k++) {
        Bytes b = start();
        put_tags(&b, frames[k].before);
        section(&b, "HEAD", head, sizeof head);
        put_tags(&b, frames[k].between);
        section(&b, "TBLT", tblt, sizeof tblt);
        section(&b, "FUNC", func, sizeof func);
        put_tags(&b, frames[k].after);
        end(&b);
        expect(ctx, b.v, b.n, frames[k].message);
    }
    // FUNC and END! must be there, and nothing behind END!, not even what may be skipped elsewhere.
    Bytes b = start();
    section(&b, "HEAD", head, sizeof head);
    section(&b, "TBLT", tblt, sizeof tblt);
    Bytes without = b;
    end(&without);
    expect(ctx, without.v, without.n, "V-SECTION: byte 0x34: section FUNC is missing");
    section(&b, "FUNC", func, sizeof func);
    expect(ctx, b.v, b.n, "V-TRUNC: byte");
    Bytes more = b;
    end(&more);
    section(&more, "abcd", "", 0);
    expect(ctx, more.v, more.n, "V-TRAIL: byte");
    section(&b, "END!", "\0\0\0\0\0", 5);
    expect(ctx, b.v, b.n, "V-CRC: byte");
    vtr_context_free(ctx);
}
END_TEST

// A section of a module that is sound otherwise.
static void expect_section(vtr_context *ctx, const char *tag, const void *payload, size_t n, const char *message) {
    static const char order[] = "HEADSTRSCONSTBLTIMPTGLOBFUNCEXPTDATASYMS";
    Bytes b = start();
    for (const char *at = order; *at; at += 4) {
        if (!memcmp(at, tag, 4)) section(&b, at, payload, n);
        else if (!memcmp(at, "HEAD", 4)) section(&b, at, head, sizeof head);
        else if (!memcmp(at, "TBLT", 4)) section(&b, at, tblt, sizeof tblt);
        else if (!memcmp(at, "FUNC", 4)) section(&b, at, func, sizeof func);
    }
    end(&b);
    expect(ctx, b.v, b.n, message);
}

START_TEST(heads) {
    vtr_context *ctx = test_context();
    uint8_t h[24] = {0};
    memcpy(h, head, sizeof head);
    expect_section(ctx, "HEAD", h, 15, "V-TRUNC: HEAD");
    expect_section(ctx, "HEAD", h, 17, "V-TRAIL: HEAD+0x10");
    h[4] = 1; // a later minor version may append fields
    expect_section(ctx, "HEAD", h, 16, "");
    expect_section(ctx, "HEAD", h, 24, "");
    expect_section(ctx, "HEAD", h, 15, "V-TRUNC: HEAD");
    h[6] = 0;
    expect_section(ctx, "HEAD", h, 16, "V-VERSION: HEAD+0x6");
    h[6] = 1;
    for (unsigned bit = 3; bit < 32; bit++) {
        h[bit / 8] = (uint8_t)(1u << bit % 8);
        expect_section(ctx, "HEAD", h, 16, "V-RESERVED: HEAD+0x0");
        h[bit / 8] = 0;
    }
    vtr_context_free(ctx);
}
END_TEST

START_TEST(constants) {
    static const uint8_t sizes[] = {0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 1};
    vtr_context *ctx = test_context();
    for (unsigned tag = 0; tag < 256; tag++) {
        uint8_t cons[13] = {1, 0, 0, 0, (uint8_t)tag};
        bool plain = tag >= 1 && tag <= 11;
        size_t size = plain ? sizes[tag] : 4;
        // There is no string, no blob, but function 0.
        const char *message = plain || tag == 0x12         ? ""
                              : tag == 0x10 || tag == 0x11 ? "V-CONST: CONS entry 0"
                                                           : "V-CONST: CONS+0x4";
        expect_section(ctx, "CONS", cons, 5 + size, message);
        if (!*message) expect_section(ctx, "CONS", cons, 4 + size, "V-TRUNC: CONS+0x");
        if (!*message && size < 8) expect_section(ctx, "CONS", cons, 6 + size, "V-TRAIL: CONS+0x");
    }
    vtr_context_free(ctx);
}
END_TEST

START_TEST(reserved_bytes_of_types) {
    vtr_context *ctx = test_context();
    uint8_t array[] = {1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0};
    array[5] = 1;
    expect_section(ctx, "TBLT", array, sizeof array, "V-RESERVED: TBLT+0x5");
    array[5] = 0;
    array[6] = 1;
    expect_section(ctx, "TBLT", array, sizeof array, "V-RESERVED: TBLT+0x6");
    uint8_t fn[sizeof tblt];
    memcpy(fn, tblt, sizeof tblt);
    fn[5] = 1;
    expect_section(ctx, "TBLT", fn, sizeof fn, "V-RESERVED: TBLT+0x5");
    Bytes many = {.n = 0};
    put(&many, (uint8_t[]){1, 0, 0, 0, 3, 0, 0, 1, 0, 0, 0, 0}, 12); // 256 parameters
    for (unsigned k = 0; k < 256; k++) put32(&many, BC_I8);
    expect_section(ctx, "TBLT", many.v, many.n, "V-TYPE: TBLT+0x6: type 0: 256 parameters");
    many.v[6] = 0xff;
    many.v[7] = 0;
    expect_section(ctx, "TBLT", many.v, many.n - 4, "V-FUNC: function"); // our function has none
    uint8_t expt[16] = {1, 0, 0, 0, 0, 1};
    expect_section(ctx, "EXPT", expt, sizeof expt, "V-RESERVED: EXPT+0x5");
    expt[5] = 0;
    expt[7] = 1;
    expect_section(ctx, "EXPT", expt, sizeof expt, "V-RESERVED: EXPT+0x6");
    for (unsigned at = 0x25; at < 0x28; at++) {
        uint8_t body[sizeof func];
        memcpy(body, func, sizeof func);
        body[at] = 1;
        expect_section(ctx, "FUNC", body, sizeof body, at == 0x25 ? "V-RESERVED: FUNC+0x25" : "V-RESERVED: FUNC+0x26");
    }
    vtr_context_free(ctx);
}
END_TEST

// Counts and lengths over the limits of V-LIMIT, and counts that the remaining bytes cannot hold: nothing is allocated.
START_TEST(counts) {
    static const struct {
        const char *tag;
        uint32_t count;
        const char *over, *within;
    } cases[] = {
        {"STRS", 1000001, "V-LIMIT: STRS+0x0", "V-TRUNC: STRS+0x4"},
        {"CONS", 1000001, "V-LIMIT: CONS+0x0", "V-TRUNC: CONS+0x4"},
        {"TBLT", 65537, "V-LIMIT: TBLT+0x0", "V-TRUNC: TBLT+0x4"},
        {"IMPT", 1000001, "V-LIMIT: IMPT+0x0", "V-TRUNC: IMPT+0x4"},
        {"GLOB", 1000001, "V-LIMIT: GLOB+0x0", "V-TRUNC: GLOB+0x4"},
        {"FUNC", 1000001, "V-LIMIT: FUNC+0x0", "V-TRUNC: FUNC+0x4"},
        {"EXPT", 1000001, "V-LIMIT: EXPT+0x0", "V-TRUNC: EXPT+0x4"},
        {"DATA", 1000001, "V-LIMIT: DATA+0x0", "V-TRUNC: DATA+0x4"},
    };
    vtr_context *ctx = test_context();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Bytes b = {.n = 0};
        put32(&b, cases[k].count);
        expect_section(ctx, cases[k].tag, b.v, b.n, cases[k].over);
        b.n = 0;
        put32(&b, cases[k].count - 1);
        expect_section(ctx, cases[k].tag, b.v, b.n, cases[k].within);
        b.n = 0;
        put32(&b, 0);
        expect_section(ctx, cases[k].tag, b.v, b.n, "V-SECTION: ");
        expect_section(ctx, cases[k].tag, b.v, 3, "V-TRUNC: ");
    }
    Bytes b = {.n = 0};
    put32(&b, 1);
    put32(&b, (64 << 20) + 1);
    expect_section(ctx, "STRS", b.v, b.n, "V-LIMIT: STRS+0x4");
    b.v[4] = 0;
    expect_section(ctx, "STRS", b.v, b.n, "V-TRUNC: STRS+0x8");
    b.n = 0;
    put32(&b, 1);
    put32(&b, BC_NONE);
    put32(&b, 1);
    put32(&b, (256 << 20) + 1);
    expect_section(ctx, "DATA", b.v, b.n, "V-LIMIT: DATA+0xc");
    b.v[12] = 0;
    expect_section(ctx, "DATA", b.v, b.n, "V-TRUNC: DATA+0x10");
    // Fields of the function: n_regs, n_blocks, n_insts.
    static const struct {
        unsigned at;
        uint32_t value;
        const char *message;
    } fields[] = {
        {8, 65536, "V-FUNC: FUNC+0x8: 65536 registers"},
        {8, 65535, "V-TRUNC: FUNC+0x30"},
        {20, 0, "V-FUNC: FUNC+0x14"},
        {20, 1000001, "V-LIMIT: FUNC+0x14"},
        {20, 1000000, "V-TRUNC: FUNC+0x30"},
        {20, 2, "V-TRUNC: FUNC+0x30"},
        {24, 10000001, "V-LIMIT: FUNC+0x18"},
        {24, 10000000, "V-TRUNC: FUNC+0x30"},
        {24, 0, "V-FUNC: FUNC+0x34"},
        {52, 0, "V-BLOCK: FUNC+0x34"},
        {48, 1, "V-LABEL: FUNC+0x30"},
        {4, 57, "V-TRUNC: FUNC+0x"},
        {4, 59, "V-TRUNC: FUNC+0x8"},
        {0, 2, "V-TRUNC: FUNC+0x4"},
    };
    for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
        uint8_t body[sizeof func];
        memcpy(body, func, sizeof func);
        for (unsigned i = 0; i < 4; i++) body[fields[k].at + i] = (uint8_t)(fields[k].value >> 8 * i);
        expect_section(ctx, "FUNC", body, sizeof body, fields[k].message);
    }
    vtr_context_free(ctx);
}
END_TEST

// ---- compressed sections ------------------------------------------------------------------------

// A frame of one block: `n` bytes as they are, or `n` times the same one.
static size_t frame(uint8_t *out, const void *bytes, uint32_t n, bool same) {
    uint32_t block = n << 3 | (uint32_t)same << 1 | 1;
    memcpy(out, "\x28\xb5\x2f\xfd\xa0", 5); // the content's length in four bytes
    for (unsigned k = 0; k < 4; k++) out[5 + k] = (uint8_t)(n >> 8 * k);
    for (unsigned k = 0; k < 3; k++) out[9 + k] = (uint8_t)(block >> 8 * k);
    memcpy(out + 12, bytes, same ? 1 : n);
    return 12 + (same ? 1 : n);
}

// A module with a wrapped section, FUNC or one behind it.
static Bytes wrapped(const char *tag, uint32_t raw, const void *bytes, size_t n) {
    uint8_t payload[1024];
    uint8_t flags[16];
    memcpy(flags, head, sizeof head);
    flags[0] = 1;
    memcpy(payload, tag, 4);
    for (unsigned k = 0; k < 4; k++) payload[4 + k] = (uint8_t)(raw >> 8 * k);
    memcpy(payload + 8, bytes, n);
    Bytes b = start();
    section(&b, "HEAD", flags, sizeof flags);
    section(&b, "TBLT", tblt, sizeof tblt);
    if (memcmp(tag, "FUNC", 4) != 0) section(&b, "FUNC", func, sizeof func);
    section(&b, "ZSTD", payload, n + 8);
    return b;
}

static void expect_wrapped(const char *tag, uint32_t raw, const void *bytes, size_t n, const char *message) {
    vtr_context *ctx = test_context();
    Bytes b = wrapped(tag, raw, bytes, n);
    end(&b);
    expect(ctx, b.v, b.n, message);
    vtr_context_free(ctx);
}

START_TEST(wrappers) {
    static const char *const not_inside[] = {"HEAD", "END!", "ZSTD", "abcd", "ABCD"};
    uint8_t good[200], more[300];
    size_t n = frame(good, func, sizeof func, false);
    expect_wrapped("FUNC", sizeof func, good, n, "");
    for (unsigned k = 0; k < 5; k++) expect_wrapped(not_inside[k], sizeof func, good, n, "V-ZSTD: byte 0x");
    expect_wrapped("TBLT", sizeof func, good, n, "V-SECTION: byte 0x"); // out of order
    expect_wrapped("FUNC", sizeof func + 1, good, n, "V-ZSTD: FUNC");
    expect_wrapped("FUNC", sizeof func - 1, good, n, "V-ZSTD: FUNC");
    expect_wrapped("FUNC", 0, good, n, "V-ZSTD: FUNC");
    for (size_t less = 0; less < n; less++) expect_wrapped("FUNC", sizeof func, good, less, "V-ZSTD: FUNC");
    memcpy(more, good, n);
    more[n] = 0;
    expect_wrapped("FUNC", sizeof func, more, n + 1, "V-ZSTD: FUNC");
    memcpy(more + n, good, n);
    expect_wrapped("FUNC", sizeof func, more, 2 * n, "V-ZSTD: FUNC"); // two frames
    memcpy(more, "\x50\x2a\x4d\x18\1\0\0\0x", 9);                     // a frame to be skipped, before and alone
    memcpy(more + 9, good, n);
    expect_wrapped("FUNC", sizeof func, more, 9 + n, "V-ZSTD: FUNC+0x0: no zstd frame");
    expect_wrapped("FUNC", 0, more, 9, "V-ZSTD: FUNC");
    for (unsigned bit = 0; bit < 8 * 12; bit++) { // every part of the head but the frame's flags
        memcpy(more, good, n);
        more[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (bit / 8 != 4) expect_wrapped("FUNC", sizeof func, more, n, "V-ZSTD: FUNC");
    }
    // Too short for its head; HEAD that does not say so; two sections that claim more than all may have together.
    vtr_context *ctx = test_context();
    Bytes b = start();
    section(&b, "HEAD", head, sizeof head);
    section(&b, "TBLT", tblt, sizeof tblt);
    Bytes brief = b;
    section(&brief, "ZSTD", "FUNC\0\0\0", 7);
    end(&brief);
    expect(ctx, brief.v, brief.n, "V-TRUNC: byte 0x");
    section(&b, "FUNC", func, sizeof func);
    Bytes silent = b;
    section(&silent, "ZSTD", "DATA\0\0\0\0", 8);
    end(&silent);
    expect(ctx, silent.v, silent.n, "V-ZSTD: HEAD+0x0");
    section(&b, "ZSTD", "EXPT\0\0\0\x10", 8);
    section(&b, "ZSTD", "DATA\1\0\0\x10", 8);
    end(&b);
    expect(ctx, b.v, b.n, "V-LIMIT: ");
    vtr_context_free(ctx);
}
END_TEST

// What a section claims to hold is not allocated unless its frame can hold it.
typedef struct Meter {
    size_t now, peak;
} Meter;

static void *metered(void *user, void *old, size_t old_size, size_t new_size) {
    Meter *meter = user;
    meter->now += new_size - old_size;
    if (meter->now > meter->peak) meter->peak = meter->now;
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

START_TEST(bombs) {
    static const uint32_t claims[] = {1 << 20, 16 << 20, 256 << 20, (512u << 20) - 1, 512u << 20};
    enum { BLOCK = 1 << 17 };
    uint8_t bytes[200];
    for (unsigned k = 0; k < 2 * sizeof claims / sizeof *claims; k++) {
        Meter meter = {0, 0};
        vtr_allocator allocator = {metered, &meter};
        vtr_context *ctx;
        ck_assert_int_eq(vtr_context_new(&allocator, &ctx), VTR_OK);
        uint32_t claim = claims[k / 2];
        size_t n = k % 2 ? frame(bytes, "x", BLOCK, true) : frame(bytes, func, sizeof func, false);
        for (unsigned i = 0; i < 4; i++) bytes[5 + i] = (uint8_t)(claim >> 8 * i); // the frame claims it, too
        Bytes b = wrapped("FUNC", claim, bytes, n);
        end(&b);
        expect(ctx, b.v, b.n, "V-ZSTD: FUNC");
        ck_assert_uint_lt(meter.peak, 4 << 20);
        vtr_context_free(ctx);
    }
}
END_TEST

// ---- strings ------------------------------------------------------------

// Every sequence of up to four bytes out of those at which something changes, against the definition's table.
START_TEST(utf8) {
    static const uint8_t edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
                                    0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff};
    enum { N = sizeof edges };
    // Unicode's table 3-7: lead bytes and what may follow.
    static const struct {
        uint8_t low, high, second_low, second_high, more;
    } rows[] = {{0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2},
                {0xe1, 0xec, 0x80, 0xbf, 2}, {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2},
                {0xf0, 0xf0, 0x90, 0xbf, 3}, {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3}};
    for (unsigned long k = 0; k < (unsigned long)N * N * N * N; k++) {
        uint8_t text[4] = {edges[k % N], edges[k / N % N], edges[k / N / N % N], edges[k / N / N / N]};
        for (unsigned n = 1; n <= 4; n++) {
            bool good = true;
            for (unsigned at = 0; good && at < n;) {
                unsigned row = 0;
                while (row < 9 && (text[at] < rows[row].low || text[at] > rows[row].high)) row++;
                good = row < 9 && at + rows[row].more < n;
                for (unsigned i = 1; good && i <= rows[row].more; i++) {
                    good = text[at + i] >= (i == 1 ? rows[row].second_low : 0x80) &&
                           text[at + i] <= (i == 1 ? rows[row].second_high : 0xbf);
                }
                if (good) at += 1u + rows[row].more;
            }
            if (bc_utf8_valid((const char *)text, n) != good) // Check's own assertions take longer than all of this
                ck_abort_msg("%02x %02x %02x %02x, %u bytes", text[0], text[1], text[2], text[3], n);
        }
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("rules");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, edits);
    tcase_add_test(tc, sections);
    tcase_add_test(tc, heads);
    tcase_add_test(tc, constants);
    tcase_add_test(tc, reserved_bytes_of_types);
    tcase_add_test(tc, counts);
    tcase_add_test(tc, wrappers);
    tcase_add_test(tc, bombs);
    tcase_add_test(tc, utf8);
    return run_tests("rules", tc);
}
