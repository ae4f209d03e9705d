// Bytecode: the specification's vectors through every component, every rule of the verifier, the assembler's errors.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytecode/read.h"
#include "bytecode/write.h"
#include "interp/interp.h"
#include "unit.h"

static const char *const vectors[] = {"add", "fact_fib", "sum_array", "low"};
enum { N_VECTORS = 4 };

typedef struct File {
    uint8_t *bytes;
    size_t n;
} File;

static File file_read(const char *name, const char *extension) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/vectors/%s.%s", VITRAIL_SOURCE, name, extension);
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "cannot open %s", path);
    File file = {malloc(1 << 16), 0};
    file.n = fread(file.bytes, 1, 1 << 16, in);
    fclose(in);
    return file;
}

static vtr_context *context(void) {
    Ctx *ctx = test_context();
    return ctx;
}

static vtr_bytecode *vector(vtr_context *ctx, const char *name) {
    File file = file_read(name, "vitbc");
    vtr_bytecode *bc = NULL;
    ck_assert_int_eq(vtr_bytecode_read(ctx, name, file.bytes, file.n, VTR_ALLOW_LOW, &bc), VTR_OK);
    free(file.bytes);
    return bc;
}

static void expect_diagnostic(vtr_context *ctx, uint32_t line, uint32_t col, const char *text) {
    vtr_diagnostic_info info;
    bool found = false;
    for (size_t i = 0; vtr_diagnostic(ctx, i, &info); i++) {
        found |= info.line == line && info.column == col && strstr(info.message, text);
    }
    vtr_diagnostic_info first = {"", 0, 0, "no diagnostic"};
    vtr_diagnostic(ctx, 0, &first);
    ck_assert_msg(found, "wanted %u:%u %s, first is %u:%u %s", line, col, text, first.line, first.column,
                  first.message);
}

// ---- text ---------------------------------------------------------------------------------------------------

START_TEST(assembles_vectors) {
    vtr_context *ctx = context();
    File text = file_read(vectors[_i], "vita");
    File want = file_read(vectors[_i], "vitbc");
    uint8_t *bytes;
    size_t n;
    ck_assert_int_eq(vtr_bytecode_assemble(ctx, "x.vita", (char *)text.bytes, text.n, &bytes, &n), VTR_OK);
    ck_assert_uint_eq(n, want.n);
    ck_assert_mem_eq(bytes, want.bytes, n);
    vtr_bytes_free(ctx, bytes, n);
    free(text.bytes);
    free(want.bytes);
    vtr_context_free(ctx);
}
END_TEST

// Disassembling and assembling gives the same bytes.
static void round_trip(const uint8_t *bytes, size_t n) {
    vtr_context *ctx = context();
    vtr_bytecode *bc;
    char *text;
    uint8_t *again;
    size_t text_n;
    size_t again_n;
    ck_assert_int_eq(vtr_bytecode_read(ctx, "x", bytes, n, VTR_ALLOW_LOW, &bc), VTR_OK);
    ck_assert_int_eq(vtr_bytecode_disassemble(bc, &text, &text_n), VTR_OK);
    vtr_status status = vtr_bytecode_assemble(ctx, "x.vita", text, text_n, &again, &again_n);
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(ctx, 0, &info);
    ck_assert_msg(status == VTR_OK, "%u: %s\n%s", info.line, info.message, text);
    ck_assert_msg(n == again_n && !memcmp(bytes, again, n), "other bytes from\n%s", text);
    vtr_bytes_free(ctx, again, again_n);
    vtr_bytes_free(ctx, text, text_n);
    vtr_bytecode_free(bc);
    vtr_context_free(ctx);
}

START_TEST(disassembles_vectors) {
    File file = file_read(vectors[_i], "vitbc");
    round_trip(file.bytes, file.n);
    free(file.bytes);
}
END_TEST

// Every kind of entry, and what only the text's extensions can say.
static const char everything[] =
    ".pool \"late\"\n.file \"unused.v\"\n.module \"every thing\"\n"
    ".type Node = struct { next: Node, `odd name`: i32, x%2: u8, x: u8, cb: fn (Node) -> i32 }\n"
    ".type Node%1 = struct align 8 size 32 { a: i64 @8, %1: bool @16 }\n"
    ".type %2 = struct { }\n"
    ".type rec = array rec\n.type bytes = array u8\n.type both = fn (rec, ref) -> f32\n"
    ".import c fn \"libc.abs\" (i32) -> i32\n.import fn \"a.b.abs\" () as abs%1\n.import global \"env.g\": mut i64\n"
    ".global %9: f32 = const:F\n.global g%1: mut bytes = const:S\n"
    ".data d align 16 = \"ab\\n\\x00\"\n.data `d 2` = []\n"
    ".const F = f32 -0.1\n.const N = f64 0x7ff8000000000001\n.const I = i8 -128\n.const U = u64 0xffff_ffff_ffff_ffff\n"
    ".const B = bool true\n.const S = string \"s\"\n.const D = bytes d\n.const P = fn `f f`\n"
    ".export global g%1 as \"glob\"\n.export abs\n"
    ".fn `f f`(r0: Node, v: rec) -> i32\n .local acc: i32\n .reg r3: i64\n .reg r3x: u16\n .reg r3x%: i8\n .reg `_`: "
    "i32\n .constoff "
    "2\n"
    " .pretty \"F::f\"\n .var w r3 0 2\nL: K32 acc, -1\n K32 r3x, 65535\n .loc \"a.v\" 3\n KIDX r3x%, const:I\n"
    " JMP @L\n.end\n";

START_TEST(round_trips_everything) {
    vtr_context *ctx = context();
    uint8_t *bytes;
    size_t n;
    vtr_status status = vtr_bytecode_assemble(ctx, "x.vita", everything, strlen(everything), &bytes, &n);
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(ctx, 0, &info);
    ck_assert_msg(status == VTR_OK, "%u:%u: %s", info.line, info.column, info.message);
    round_trip(bytes, n);
    vtr_bytes_free(ctx, bytes, n);
    vtr_context_free(ctx);
}
END_TEST

// A register named like the sign for "no register".
START_TEST(round_trips_odd_names) {
    static const char text[] = ".export `fn`\n.type `i32` = struct { `a\\x22b`: i8 }\n"
                               ".fn `fn`(r7%: i32) -> i32\n .reg `_`: i32\n .reg `r0`: `i32`\n RET `_`\n.end\n";
    vtr_context *ctx = context();
    uint8_t *bytes;
    size_t n;
    ck_assert_int_eq(vtr_bytecode_assemble(ctx, "x.vita", text, strlen(text), &bytes, &n), VTR_OK);
    round_trip(bytes, n);
    vtr_bytes_free(ctx, bytes, n);
    vtr_context_free(ctx);
}
END_TEST

typedef struct BadText {
    const char *text;
    uint32_t line;
    uint32_t col;
    const char *message;
} BadText;

static const BadText bad_texts[] = {
    {".fn f()\n FOO r1\n RET\n.end\n", 2, 2, "no instruction FOO"},
    {".fn f()\n RET\n", 3, 1, ".end is missing"},
    {".fn f()\n ADD r1, r2, r3\n.end\n", 2, 6, "no register r1"},
    {".fn f()\n JMP @nowhere\n.end\n", 2, 7, "no label nowhere"},
    {".fn f()\nL: JMP L\nL: RET\n.end\n", 3, 1, "L is defined already"},
    {".fn f()\n .reg r3: i32\n RET\n.end\n", 2, 7, "register 0 cannot be called r3"},
    {".fn f()\n .reg a: i32\n .local b: i32\n RET\n.end\n", 3, 9, ".local must stand before"},
    {".fn f()\n .reg a: i32\n K32 a, 5000000000\n RET\n.end\n", 3, 9, "too large"},
    {".fn f()\n .reg a: i8\n K32 a, 200\n RET\n.end\n", 3, 2, "V-TYPING: 200 does not fit i8"},
    {".fn f()\n .reg a: i32\n .reg b: f32\n MOV a, b\n RET\n.end\n", 4, 2, "V-TYPING: R1 is f32, not i32"},
    {".fn f()\n .reg a: i32\n K32 a, 1\n.end\n", 3, 2, "V-BLOCK"},
    {".fn f()\n RET\n RET\n.end\n", 3, 2, "a label is expected"},
    {".type t = struct { a: t2 }\n.fn f()\n RET\n.end\n", 1, 23, "no type t2"},
    {".type a = b\n.type b = a\n.fn f()\n RET\n.end\n", 1, 11, "no type b"},
    {".const C = u8 256\n.fn f()\n RET\n.end\n", 1, 15, "too large"},
    {".const C = i8 128\n.fn f()\n RET\n.end\n", 1, 15, "does not fit i8"},
    {".string S = \"abc\n.fn f()\n RET\n.end\n", 1, 13, "does not end on its line"},
    {".export nothing\n.fn f()\n RET\n.end\n", 1, 9, "no function nothing"},
    {".frob\n.fn f()\n RET\n.end\n", 1, 1, "unknown directive .frob"},
    {".fn f()\n CALL _, f, 2 []\n RET\n.end\n", 2, 13, "0 arguments are given, not 2"},
    {".fn f()\n TRAP 13\n.end\n", 2, 2, "V-TRAP"},
    {".fn f() $\n RET\n.end\n", 1, 9, "the end of the line"},
    {".import fn \"print\" ()\n.fn f()\n RET\n.end\n", 1, 12, "module.name"},
    {".module \"m\"\n", 1, 1, "at least one function"},
};
enum { N_BAD_TEXTS = sizeof bad_texts / sizeof *bad_texts };

START_TEST(refuses_text) {
    const BadText *bad = &bad_texts[_i];
    vtr_context *ctx = context();
    uint8_t *bytes;
    size_t n;
    ck_assert_int_eq(vtr_bytecode_assemble(ctx, "x.vita", bad->text, strlen(bad->text), &bytes, &n), VTR_ERR_INPUT);
    expect_diagnostic(ctx, bad->line, bad->col, bad->message);
    vtr_context_free(ctx);
}
END_TEST

START_TEST(reports_several_errors) {
    static const char text[] = ".frob\n.fn f()\n FOO\n BAR\n.end\n.const x = y 1\n";
    vtr_context *ctx = context();
    uint8_t *bytes;
    size_t n;
    ck_assert_int_eq(vtr_bytecode_assemble(ctx, "x.vita", text, strlen(text), &bytes, &n), VTR_ERR_INPUT);
    expect_diagnostic(ctx, 1, 1, "unknown directive");
    expect_diagnostic(ctx, 3, 2, "FOO");
    expect_diagnostic(ctx, 4, 2, "BAR");
    expect_diagnostic(ctx, 6, 12, "no constants of type y");
    vtr_context_free(ctx);
}
END_TEST

// ---- damaged files ------------------------------------------------------------------------------------------

START_TEST(refuses_damage) {
    File file = file_read(vectors[_i], "vitbc");
    uint8_t *copy = malloc(file.n);
    size_t variants = 0;
    vtr_context *ctx = context();
    vtr_bytecode *bc;
    for (size_t n = 0; n < file.n; n++, variants++) {
        memcpy(copy, file.bytes, n);
        ck_assert_int_ne(vtr_bytecode_read(ctx, "x", copy, n, VTR_ALLOW_LOW, &bc), VTR_OK);
        vtr_diagnostics_clear(ctx);
    }
    memcpy(copy, file.bytes, file.n);
    for (size_t bit = 0; bit < 8 * file.n; bit++, variants++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne(vtr_bytecode_read(ctx, "x", copy, file.n, VTR_ALLOW_LOW, &bc), VTR_OK);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        vtr_diagnostics_clear(ctx);
    }
    ck_assert_uint_eq(variants, 9 * file.n);
    ck_assert_int_eq(vtr_bytecode_read(ctx, "x", copy, file.n, VTR_ALLOW_LOW, &bc), VTR_OK);
    vtr_context_free(ctx);
    free(copy);
    free(file.bytes);
}
END_TEST

static void repair_crc(uint8_t *bytes, size_t n) {
    uint32_t crc = (uint32_t)crc32(0, bytes + 6, (unsigned)(n - 18));
    for (int i = 0; i < 4; i++) bytes[n - 4 + (size_t)i] = (uint8_t)(crc >> 8 * i);
}

// Where a section's payload starts; 0 for "".
static size_t payload(const File *file, const char *tag) {
    if (!*tag) return 0;
    for (size_t at = 8; at + 8 <= file->n;) {
        if (!memcmp(file->bytes + at, tag, 4)) return at + 8;
        at += 8 + (file->bytes[at + 4] | (size_t)file->bytes[at + 5] << 8);
    }
    ck_abort_msg("no section %s", tag);
    return 0;
}

// One hand-made fault: `n` bytes at section + offset are replaced, and the CRC is made right again.
typedef struct Fault {
    const char *vector;
    const char *section; // "" = from the start of the file
    size_t offset;
    size_t n;
    const char *bytes;
    const char *message; // how the diagnostic starts
} Fault;

static const Fault faults[] = {
    {"add", "", 0, 1, "X", "V-MAGIC: byte 0x0"},
    {"add", "", 6, 1, "\2", "V-VERSION: byte 0x6"},
    {"add", "HEAD", 6, 1, "\2", "V-VERSION: HEAD+0x6"},
    {"add", "STRS", 0, 1, "\5", "V-TRUNC: STRS+0x4"},
    {"add", "STRS", 4, 1, "\4", "V-TRUNC: STRS+0x8"},
    {"add", "STRS", 4, 1, "\2", "V-TRAIL: STRS+0xa"},
    {"add", "FUNC", 4, 1, "\x4b", "V-TRUNC: FUNC+0x52"},
    {"add", "", 0x20, 4, "STRX", "V-SECTION: byte 0x20"},
    {"add", "", 0x20, 4, "CONS", "V-TRAIL: CONS+0x9"},
    {"add", "", 0x20, 4, "DATA", "V-SECTION: byte 0x33"},
    {"add", "EXPT", 0, 1, "\0", "V-SECTION: EXPT+0x0"},
    {"add", "HEAD", 0, 1, "\1", "V-ZSTD: HEAD+0x0"},
    {"add", "STRS", 0, 4, "\0\0\x20\0", "V-LIMIT: STRS+0x0"},
    {"add", "FUNC", 4 + 16, 4, "\0\0\0\1", "V-LIMIT: FUNC+0x14"},
    {"add", "HEAD", 0, 1, "\x08", "V-RESERVED: HEAD+0x0"},
    {"add", "FUNC", 0x47, 1, "\1", "V-RESERVED: FUNC+0x44"},
    {"add", "FUNC", 0x46, 1, "\1", "V-RESERVED: FUNC+0x44"},
    {"add", "FUNC", 0x24, 1, "\1", "V-RESERVED: FUNC+0x24"},
    {"add", "STRS", 8, 1, "\xff", "V-UTF8: STRS+0x8"},
    {"add", "HEAD", 8, 1, "\7", "V-STR: HEAD"},
    {"add", "STRS", 9, 1, "\0", "V-NAME: function a"},
    {"add", "TBLT", 8, 1, "\x0e", "V-TYPE: TBLT entry 0"},
    {"add", "TBLT", 4, 1, "\4", "V-TYPE: TBLT+0x4"},
    {"sum_array", "TBLT", 0x10, 1, "\0", "V-TYPE: TBLT+0x38"},
    {"sum_array", "TBLT", 0x38, 1, "\0", "V-TYPE: TBLT entry 0"},
    {"fact_fib", "CONS", 4, 1, "\x13", "V-CONST: CONS+0x4"},
    {"fact_fib", "CONS", 5, 1, "\x63", "V-CONST: CONS entry 0"},
    {"low", "DATA", 8, 1, "\3", "V-DATA: DATA entry 0"},
    {"sum_array", "GLOB", 12, 1, "\0", "V-GLOBAL: FUNC+0x8a: function run, block 0, instruction 3 (STG)"},
    {"sum_array", "GLOB", 16, 1, "\0", "V-GLOBAL: GLOB entry 0"},
    {"fact_fib", "IMPT", 4, 1, "\2", "V-IMPORT: IMPT+0x4"},
    {"fact_fib", "IMPT", 6, 1, "\1", "V-IMPORT: IMPT entry 0"},
    {"fact_fib", "IMPT", 16, 1, "\4", "V-IMPORT: IMPT entry 0"},
    {"add", "EXPT", 12, 1, "\3", "V-EXPORT: EXPT entry 0"},
    {"sum_array", "EXPT", 20, 1, "\6", "V-EXPORT: EXPT entry 1"},
    {"add", "HEAD", 12, 4, "\0\0\0\0", "V-ENTRY: HEAD"},
    {"add", "FUNC", 12, 1, "\1", "V-FUNC: function add"},
    {"add", "FUNC", 0x1c, 1, "\1", "V-FUNC: function add"},
    {"add", "FUNC", 0x40, 1, "\1", "V-FUNC: FUNC+0x4e"},
    {"add", "FUNC", 0x3c, 1, "\1", "V-LABEL: FUNC+0x3c"},
    {"fact_fib", "FUNC", 0x62, 1, "\x07", "V-LABEL: FUNC+0x5c: function fact, block 0, instruction 2 (JIF)"},
    {"add", "FUNC", 0x40, 1, "\0", "V-BLOCK: FUNC+0x40"},
    {"add", "FUNC", 0x4e, 6, "\0\0\0\0\0\0", "V-TRAIL: FUNC+0x52"},
    {"add", "FUNC", 0x44, 1, "\x16", "V-OPCODE: FUNC+0x44"},
    {"add", "FUNC", 0x44, 1, "\x1c", "V-OPCODE: FUNC+0x44"},
    {"add", "FUNC", 0x48, 1, "\3",
     "V-REG: FUNC+0x44: function add, block 0, instruction 0 (ADD): there is no register R3"},
    {"add", "FUNC", 0x48, 2, "\xff\xff", "V-REG: FUNC+0x44"},
    {"add", "FUNC", 0x38, 1, "\3",
     "V-TYPING: FUNC+0x44: function add, block 0, instruction 0 (ADD): R0 is i64, not i32"},
    {"fact_fib", "FUNC", 0x90, 1, "\x63", "V-CALL: FUNC+0x8a: function fact, block 2, instruction 5 (CALL)"},
    {"fact_fib", "FUNC", 0x94, 1, "\2", "V-CALL: FUNC+0x8a"},
    {"sum_array", "FUNC", 0x2bb, 1, "\0", "V-TRAP: FUNC+0x2b6: function kind, block 4, instruction 7 (TRAP)"},
    {"add", "HEAD", 0, 1, "\4", "V-CAP: HEAD"},
    {"low", "FUNC", 0x24, 1, "\0", "V-CAP: HEAD"},
    {"add", "HEAD", 0, 1, "\2", "V-SYMS: HEAD+0x0"},
    {"fact_fib", "SYMS", 0x1c, 1, "\x09", "V-SYMS: SYMS entry 0"},
    {"fact_fib", "SYMS", 0x0c, 1, "\1", "V-SYMS: SYMS entry 0"},
};
enum { N_FAULTS = sizeof faults / sizeof *faults };

static void expect_refused(File *file, const char *message) {
    vtr_context *ctx = context();
    vtr_bytecode *bc;
    vtr_status status = vtr_bytecode_read(ctx, "x", file->bytes, file->n, 0, &bc);
    vtr_diagnostic_info info = {NULL, 0, 0, "accepted"};
    vtr_diagnostic(ctx, 0, &info);
    bool limit = !strncmp(message, "V-LIMIT", 7);
    ck_assert_msg(!strncmp(info.message, message, strlen(message)), "wanted %s\ngot %s", message, info.message);
    ck_assert_int_eq(status, limit ? VTR_ERR_LIMIT : VTR_ERR_INPUT);
    ck_assert_uint_eq(vtr_diagnostic_count(ctx), 1);
    vtr_context_free(ctx);
    free(file->bytes);
}

START_TEST(names_the_rule) {
    const Fault *fault = &faults[_i];
    File file = file_read(fault->vector, "vitbc");
    memcpy(file.bytes + payload(&file, fault->section) + fault->offset, fault->bytes, fault->n);
    repair_crc(file.bytes, file.n);
    expect_refused(&file, fault->message);
}
END_TEST

START_TEST(names_rules_of_the_frame) {
    File file = file_read("add", "vitbc");
    file.bytes[file.n - 1] ^= 1;
    expect_refused(&file, "V-CRC: byte 0xcb");
    file = file_read("add", "vitbc");
    file.bytes[file.n++] = 0;
    expect_refused(&file, "V-TRAIL: byte 0xcf");
    file = file_read("low", "vitbc");
    expect_refused(&file, "V-CAP: the host does not grant");
    // A return in the middle of a block: RET, NOP in the place of ADD.
    file = file_read("add", "vitbc");
    size_t func = payload(&file, "FUNC");
    file.bytes[func + 0x18] = file.bytes[func + 0x40] = 3;
    memcpy(file.bytes + func + 0x44, "\x64\0\0\0\0\0\0\0\0\0", 10);
    repair_crc(file.bytes, file.n);
    expect_refused(&file, "V-BLOCK: FUNC+0x44: function add, block 0, instruction 0 (RET)");
}
END_TEST

START_TEST(reads_compressed) {
    vtr_context *ctx = context();
    vtr_bytecode *bc = vector(ctx, "sum_array");
    File want = file_read("sum_array", "vitbc");
    uint8_t *bytes;
    size_t n;
    ck_assert_int_eq(vtr_bytecode_write(bc, VTR_COMPRESS, &bytes, &n), VTR_OK);
    ck_assert_uint_lt(n, want.n);
    ck_assert_int_eq(bytes[0x10] & 1, 1);
    vtr_bytecode *again;
    ck_assert_int_eq(vtr_bytecode_read(ctx, "z", bytes, n, 0, &again), VTR_OK);
    uint8_t *plain;
    size_t plain_n;
    ck_assert_int_eq(vtr_bytecode_write(again, 0, &plain, &plain_n), VTR_OK);
    ck_assert_uint_eq(plain_n, want.n);
    ck_assert_mem_eq(plain, want.bytes, plain_n);
    // A length that the frame does not have; and one that would be a bomb.
    File file = {bytes, n};
    size_t zstd = payload(&file, "ZSTD");
    bytes[zstd + 4] ^= 1;
    repair_crc(bytes, n);
    ck_assert_int_eq(vtr_bytecode_read(ctx, "z", bytes, n, 0, &again), VTR_ERR_INPUT);
    expect_diagnostic(ctx, 0, 0, "V-ZSTD");
    memcpy(bytes + zstd + 4, "\0\0\0\x40", 4);
    repair_crc(bytes, n);
    ck_assert_int_eq(vtr_bytecode_read(ctx, "z", bytes, n, 0, &again), VTR_ERR_LIMIT);
    vtr_bytes_free(ctx, plain, plain_n);
    vtr_bytes_free(ctx, bytes, n);
    vtr_context_free(ctx);
    free(want.bytes);
}
END_TEST

START_TEST(strips) {
    vtr_context *ctx = context();
    vtr_bytecode *bc = vector(ctx, "fact_fib");
    uint8_t *bytes;
    size_t n;
    ck_assert_int_eq(vtr_bytecode_write(bc, VTR_STRIP, &bytes, &n), VTR_OK);
    ck_assert_int_eq(vtr_bytecode_read(ctx, "s", bytes, n, 0, &bc), VTR_OK);
    vtr_bytes_free(ctx, bytes, n);
    ck_assert(!bc->has_syms);
    ck_assert_uint_eq(bc->funcs[0].dbg_off, BC_NONE);
    vtr_context_free(ctx);
}
END_TEST

// ---- running ------------------------------------------------------------------------------------------------

typedef struct Output {
    char text[256];
    size_t n;
} Output;

static bool collect(void *user, const char *bytes, size_t n) {
    Output *out = user;
    ck_assert_uint_lt(out->n + n, sizeof out->text);
    memcpy(out->text + out->n, bytes, n);
    out->n += n;
    return true;
}

typedef struct Run {
    const char *vector;
    const char *function;
    bool is_float;
    uint64_t args[2];
    double number; // argument or result when is_float
    uint32_t trap;
    uint64_t result;
} Run;

static const Run runs[] = {
    {"add", "add", false, {40, 2}, 0, 0, 42},
    {"add", "add", false, {INT64_MAX, 1}, 0, 0, UINT64_C(1) << 63},
    {"fact_fib", "fact", false, {20}, 0, 0, UINT64_C(2432902008176640000)},
    {"fact_fib", "fact", false, {21}, 0, BC_TRAP_OVERFLOW, 0},
    {"fact_fib", "factTail", false, {20}, 0, 0, UINT64_C(2432902008176640000)},
    {"fact_fib", "factTail", false, {21}, 0, BC_TRAP_OVERFLOW, 0},
    {"fact_fib", "fib", false, {20}, 0, 0, 6765},
    {"fact_fib", "main", false, {0}, 0, 0, UINT64_C(2432902008176640000)},
    {"sum_array", "run", true, {10}, 142.5, 0, 0},
    {"sum_array", "run", true, {0}, 0.0, 0, 0},
    {"sum_array", "run", false, {UINT64_MAX}, 0, BC_TRAP_BAD_LEN, 0},
    {"sum_array", "kind", false, {UINT32_MAX}, 0, 0, 100},
    {"sum_array", "kind", false, {0}, 0, 0, 200},
    {"sum_array", "kind", false, {1}, 0, 0, 300},
    {"sum_array", "kind", false, {2}, 0, 0, 300},
    {"sum_array", "kind", false, {7}, 0, 256, 0},
    {"low", "apply", false, {5}, 0, 0, UINT64_C(0) - 5},
    {"low", "apply", false, {UINT64_C(1) << 63}, 0, BC_TRAP_OVERFLOW, 0},
    {"low", "narrow", false, {UINT64_C(0xC00C000000000000)}, 0, 0, 0xFC},             // -3.5
    {"low", "narrow", false, {UINT64_C(0x4069000000000000)}, 0, BC_TRAP_OVERFLOW, 0}, // 200
    {"low", "narrow", false, {UINT64_C(0x7FF8000000000000)}, 0, BC_TRAP_BAD_CONV, 0},
    {"low", "second", false, {0}, 0, 0, 255},
};
enum { N_RUNS = sizeof runs / sizeof *runs };

typedef struct RunJob {
    const vtr_bytecode *m;
    const char *function;
    const uint64_t *args;
    RtOptions options;
    uint64_t fuel;
    uint32_t trap;
    uint64_t result;
    char text[4096];
} RunJob;

static void run_job(Ctx *ctx, void *arg) {
    RunJob *job = arg;
    Instance *instance = rt_instance_new(arena_new(ctx), job->m, &job->options);
    Interp *interp = interp_new(instance);
    interp_set_fuel(interp, job->fuel);
    const BcExport *e = bc_export_find(job->m, BC_KIND_FUNC, job->function, strlen(job->function));
    ck_assert_ptr_nonnull(e);
    job->trap = interp_call(interp, e->index, job->args, &job->result);
    Buf text = buf_new(instance->arena);
    if (job->trap) rt_trap_print(instance, &text);
    buf_text(&text, "");
    snprintf(job->text, sizeof job->text, "%s", buf_str(&text));
    arena_free(instance->arena);
}

START_TEST(runs_vectors) {
    const Run *run = &runs[_i / 2];
    vtr_context *ctx = context();
    Output out = {.n = 0};
    RunJob job = {.m = vector(ctx, run->vector), .function = run->function, .args = run->args, .fuel = UINT64_MAX};
    job.options.write = collect;
    job.options.write_user = &out;
    job.options.heap.stress = _i % 2; // everything moves at every safepoint
    ck_assert_int_eq(ctx_try(ctx, run_job, &job), VTR_OK);
    ck_assert_uint_eq(job.trap, run->trap);
    double number;
    memcpy(&number, &job.result, sizeof number);
    if (run->is_float) ck_assert_double_eq(number, run->number);
    else if (!run->trap) ck_assert_uint_eq(job.result, run->result);
    if (!strcmp(run->function, "main")) ck_assert_str_eq(out.text, "fact/fib\n");
    vtr_context_free(ctx);
}
END_TEST

// Assembles and runs the export `f` without arguments.
static RunJob run_text(const char *text, uint64_t fuel) {
    static const uint64_t none[1];
    vtr_context *ctx = context();
    uint8_t *bytes;
    size_t n;
    vtr_bytecode *bc;
    vtr_status status = vtr_bytecode_assemble(ctx, "x.vita", text, strlen(text), &bytes, &n);
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(ctx, 0, &info);
    ck_assert_msg(status == VTR_OK, "%u:%u: %s", info.line, info.column, info.message);
    ck_assert_int_eq(vtr_bytecode_read(ctx, "x", bytes, n, VTR_ALLOW_LOW, &bc), VTR_OK);
    vtr_bytes_free(ctx, bytes, n);
    RunJob job = {.m = bc, .function = "f", .args = none, .fuel = fuel};
    ck_assert_int_eq(ctx_try(ctx, run_job, &job), VTR_OK);
    vtr_context_free(ctx);
    return job;
}

START_TEST(traps_tell_frames) {
    RunJob job = run_text(".export f\n.fn f() -> i32\n .reg a: i32\n .loc \"m.v\" 3 7\n CALL a, g, 0 []\n RET a\n.end\n"
                          ".fn g() -> i32\n .reg a: i32\n .reg z: i32\n JMP L\nL: K32 a, 1\n .loc \"n.v\" 9\n"
                          " DIV a, a, z\n RET a\n.end\n",
                          UINT64_MAX);
    ck_assert_uint_eq(job.trap, BC_TRAP_DIV_ZERO);
    ck_assert_ptr_nonnull(strstr(job.text, "DIV_ZERO E7001"));
    const char *inner = strstr(job.text, "at g, block 1, instruction 2, n.v:9\n");
    const char *outer = strstr(job.text, "at f, block 0, instruction 0, m.v:3:7\n");
    ck_assert_msg(inner && outer && inner < outer, "%s", job.text);
}
END_TEST

START_TEST(stops_endless_programs) {
    ck_assert_uint_eq(run_text(".export f\n.fn f()\nL: JMP L\n.end\n", 1000).trap, BC_TRAP_INTERRUPT);
    ck_assert_uint_eq(run_text(".export f\n.fn f()\n TCALL f, 0 []\n.end\n", 100000).trap, BC_TRAP_INTERRUPT);
    RunJob deep = run_text(".export f\n.fn f()\n CALL _, f, 0 []\n RET\n.end\n", UINT64_MAX);
    ck_assert_uint_eq(deep.trap, BC_TRAP_STACK);
    ck_assert_ptr_nonnull(strstr(deep.text, "and more\n"));
    // Frames so large that their words run out before the depth does.
    ck_assert_uint_eq(run_text(".export f\n.fn f()\n .reg a: i64\n CALL _, g, 0 []\n RET\n.end\n"
                               ".fn g()\n TCALL f, 0 []\n.end\n",
                               UINT64_MAX)
                          .trap,
                      BC_TRAP_STACK);
    ck_assert_uint_eq(
        run_text(".import fn \"no.where\" ()\n.export f\n.fn f()\n CALL _, where, 0 []\n RET\n.end\n", 10).trap,
        BC_TRAP_LINK);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("bytecode");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, assembles_vectors, 0, N_VECTORS);
    tcase_add_loop_test(tc, disassembles_vectors, 0, N_VECTORS);
    tcase_add_test(tc, round_trips_everything);
    tcase_add_test(tc, round_trips_odd_names);
    tcase_add_loop_test(tc, refuses_text, 0, N_BAD_TEXTS);
    tcase_add_test(tc, reports_several_errors);
    tcase_add_loop_test(tc, refuses_damage, 0, N_VECTORS);
    tcase_add_loop_test(tc, names_the_rule, 0, N_FAULTS);
    tcase_add_test(tc, names_rules_of_the_frame);
    tcase_add_test(tc, reads_compressed);
    tcase_add_test(tc, strips);
    tcase_add_loop_test(tc, runs_vectors, 0, 2 * N_RUNS);
    tcase_add_test(tc, traps_tell_frames);
    tcase_add_test(tc, stops_endless_programs);
    return run_tests("bytecode", tc);
}
