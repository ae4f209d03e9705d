// Modules that exercise irgen, for irgen_test.c and native_test.c: one function per operation and type, made here;
// and written functions with known answers.
#ifndef IRGEN_MODULES_H
#define IRGEN_MODULES_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/module.h"

typedef struct OpsText {
    char *text;
    size_t n, cap;
    unsigned functions;
} OpsText;

enum { OPS_VALUES = 32 };

static void ops_put(OpsText *o, const char *fmt, ...) {
    if (o->cap - o->n < 1000) o->text = realloc(o->text, o->cap = o->cap * 2 + 4000);
    va_list args;
    va_start(args, fmt);
    o->n += (size_t)vsnprintf(o->text + o->n, o->cap - o->n, fmt, args);
    va_end(args);
}

// A function of one or two parameters whose body is one instruction.
static void ops_fn(OpsText *o, const char *a, const char *b, const char *result, const char *fmt, ...) {
    char inst[100];
    va_list args;
    va_start(args, fmt);
    vsnprintf(inst, sizeof inst, fmt, args);
    va_end(args);
    ops_put(o, "; %s\n.fn f%u(a: %s", inst, o->functions, a);
    if (b) ops_put(o, ", b: %s", b);
    ops_put(o, ") -> %s\n    .reg d: %s\n    %s\n    RET d\n.end\n", result, result, inst);
    o->functions++;
}

static void ops_ints(OpsText *o, const char *t) {
    static const char *const binary[] = {"ADD",     "SUB",     "MUL",     "DIV", "MOD", "ADD_CHK",
                                         "SUB_CHK", "MUL_CHK", "DIV_CHK", "AND", "OR",  "XOR"};
    static const char *const unary[] = {"NEG", "NEG_CHK", "NOT"};
    static const char *const shifts[] = {"SHL", "SHR", "SAR"};
    static const char *const amounts[] = {"i8", "u8", "u16", "i32", "i64", "u64"};
    static const char *const count[] = {"ctz", "clz", "popcnt"};
    for (size_t k = 0; k < sizeof binary / sizeof *binary; k++) ops_fn(o, t, t, t, "%s d, a, b", binary[k]);
    for (size_t k = 0; k < sizeof unary / sizeof *unary; k++) ops_fn(o, t, NULL, t, "%s d, a", unary[k]);
    for (size_t k = 0; k < sizeof shifts / sizeof *shifts; k++)
        for (size_t s = 0; s < sizeof amounts / sizeof *amounts; s++)
            ops_fn(o, t, amounts[s], t, "%s d, a, b", shifts[k]);
    for (int kind = BC_CMP_EQ; kind <= BC_CMP_SGE; kind++)
        ops_fn(o, t, t, "bool", "CMP d, a, b, %s", bc_cmp_name[kind]);
    for (size_t k = 0; k < sizeof count / sizeof *count; k++) ops_fn(o, t, NULL, t, "INTR d, %s, 1 [a]", count[k]);
    ops_fn(o, t, t, t, "INTR d, rotl, 2 [a, b]");
    ops_fn(o, t, t, t, "INTR d, rotr, 2 [a, b]");
    if (t[1] != '8') ops_fn(o, t, NULL, t, "INTR d, bswap, 1 [a]");
}

static void ops_floats(OpsText *o, const char *t) {
    static const char *const binary[] = {"FADD", "FSUB", "FMUL", "FDIV"};
    static const char *const one[] = {"sqrt", "fabs", "floor", "ceil", "trunc", "nearest"};
    static const char *const two[] = {"fmin", "fmax", "copysign"};
    for (size_t k = 0; k < sizeof binary / sizeof *binary; k++) ops_fn(o, t, t, t, "%s d, a, b", binary[k]);
    ops_fn(o, t, NULL, t, "FNEG d, a");
    for (size_t k = 0; k < sizeof one / sizeof *one; k++) ops_fn(o, t, NULL, t, "INTR d, %s, 1 [a]", one[k]);
    for (size_t k = 0; k < sizeof two / sizeof *two; k++) ops_fn(o, t, t, t, "INTR d, %s, 2 [a, b]", two[k]);
    for (int kind = BC_CMP_EQ; kind <= BC_CMP_GE; kind++) ops_fn(o, t, t, "bool", "CMP d, a, b, %s", bc_cmp_name[kind]);
    ops_fn(o, t, t, "bool", "CMP d, a, b, ORD");
    ops_fn(o, t, t, "bool", "CMP d, a, b, UNO");
}

static OpsText __attribute__((unused)) ops_text(void) {
    OpsText o = {0};
    ops_put(&o, ".module \"ops\"\n");
    for (uint32_t t = BC_I8; t <= BC_U64; t++) ops_ints(&o, bc_prim_name[t]);
    ops_floats(&o, "f32");
    ops_floats(&o, "f64");
    static const char *const logic[] = {"AND", "OR", "XOR"};
    for (int k = 0; k < 3; k++) ops_fn(&o, "bool", "bool", "bool", "%s d, a, b", logic[k]);
    ops_fn(&o, "bool", NULL, "bool", "NOT d, a");
    ops_fn(&o, "bool", "bool", "bool", "CMP d, a, b, EQ");
    for (uint32_t t = BC_I8; t <= BC_BOOL; t++) {
        ops_fn(&o, "bool", bc_prim_name[t], bc_prim_name[t], "SEL d, a, b, d");
        for (uint32_t to = BC_I8; to <= BC_F64; to++) {
            if (t == BC_BOOL && bc_is_float(to)) continue;
            ops_fn(&o, bc_prim_name[t], NULL, bc_prim_name[to], "CVT d, a");
            ops_fn(&o, bc_prim_name[t], NULL, bc_prim_name[to], "CVT_CHK d, a");
            if (t != BC_BOOL && bc_type_size(t) == bc_type_size(to))
                ops_fn(&o, bc_prim_name[t], NULL, bc_prim_name[to], "BITC d, a");
        }
    }
    return o;
}

// Boundary values of a type as words.
static uint32_t __attribute__((unused)) ops_values(uint32_t type, uint64_t *out) {
    static const double floats[] = {0.0,
                                    -0.0,
                                    1.0,
                                    -1.0,
                                    0.5,
                                    -0.9,
                                    2.5,
                                    127.5,
                                    -128.9,
                                    255.9,
                                    256.0,
                                    32767.9,
                                    -32769.0,
                                    65535.5,
                                    1e-310,
                                    2147483647.0,
                                    -2147483649.0,
                                    4294967295.5,
                                    4294967296.0,
                                    9223372036854774784.0,
                                    9223372036854775808.0,
                                    -9223372036854777856.0,
                                    18446744073709549568.0,
                                    18446744073709551616.0,
                                    1e39,
                                    3.5};
    uint32_t n = 0;
    if (type == BC_BOOL) {
        out[n++] = 0;
        out[n++] = 1;
    } else if (bc_is_float(type)) {
        for (size_t k = 0; k < sizeof floats / sizeof *floats; k++) {
            float narrow = (float)floats[k];
            uint32_t bits;
            memcpy(&bits, &narrow, 4);
            if (type == BC_F32) out[n++] = bits;
            else memcpy(&out[n++], &floats[k], 8);
        }
        out[n++] = type == BC_F32 ? 0x7f800000 : UINT64_C(0x7ff0000000000000);
        out[n++] = type == BC_F32 ? 0xff800000 : UINT64_C(0xfff0000000000000);
        out[n++] = type == BC_F32 ? 0x7fc00000 : UINT64_C(0x7ff8000000000000);
        out[n++] = type == BC_F32 ? 0x00000001 : 1;
    } else {
        unsigned w = bc_type_width(type);
        uint64_t mask = w == 64 ? UINT64_MAX : (UINT64_C(1) << w) - 1;
        uint64_t top = UINT64_C(1) << (w - 1);
        uint64_t values[] = {0,   1,       2,   3,       7,    w - 1,    w,        w + 1,
                             100, top - 1, top, top + 1, mask, mask - 1, mask / 3, UINT64_C(0x123456789abcdef0)};
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) out[n++] = values[k] & mask;
    }
    return n;
}

// ---- written functions ------------------------------------------------------------------------------------------

typedef struct FunctionCase {
    const char *name;
    uint64_t args[2];
    uint32_t trap; // 0 = returns `result`
    uint64_t result;
} FunctionCase;

#define NEG(x) ((uint64_t) - (int64_t)(x))

static const FunctionCase function_cases[] = {
    {"sparse", {NEG(1000000), 0}, 0, 1},
    {"sparse", {0, 0}, 0, 2},
    {"sparse", {7, 0}, 0, 3},
    {"sparse", {8, 0}, 0, 9},
    {"sparse", {UINT64_C(0x7fffffffffffffff), 0}, 0, 4},
    {"sparse", {UINT64_C(0x8000000000000000), 0}, 0, 5},
    {"sparse", {10, 0}, 0, 10},
    {"sparse", {13, 0}, 0, 13},
    {"sparse", {15, 0}, 0, 9},
    {"sparse", {UINT64_C(0x10000000a), 0}, 0, 9},
    {"bytes", {250, 0}, 0, 1},
    {"bytes", {255, 0}, 0, 4},
    {"bytes", {0, 0}, 0, 9},
    {"bytes", {249, 0}, 0, 9},
    {"table", {0, 0}, 0, 100},
    {"table", {2, 0}, 0, 102},
    {"table", {3, 0}, 0, 199},
    {"table", {UINT64_C(0x100000001), 0}, 0, 199},
    {"fact", {10, 0}, 0, 3628800},
    {"fact", {21, 0}, 2, 0},
    {"sum_list", {1000, 0}, 0, 500500},
    {"sum_list", {0, 0}, 0, 0},
    {"field_null", {0, 0}, 4, 0},
    {"store_null", {0, 0}, 4, 0},
    {"length_null", {0, 0}, 4, 0},
    {"element", {4, 0}, 0, 16},
    {"element", {5, 0}, 3, 0},
    {"element", {NEG(1), 0}, 3, 0},
    {"set_element", {9, 0}, 3, 0},
    {"new_array", {UINT64_C(0x80000000), 0}, 10, 0},
    {"new_array", {NEG(1), 0}, 10, 0},
    {"new_array", {3, 0}, 0, 3},
    {"new_array", {0, 0}, 0, 0},
    {"cast", {0, 0}, 0, 1},
    {"cast", {1, 0}, 6, 0},
    {"cast", {2, 0}, 0, 3},
    {"test_types", {0, 0}, 0, 0x1 | 0x4},
    {"counter", {5, 0}, 0, 5},
    {"counter", {6, 0}, 0, 11},
    {"indirect", {3, 0}, 0, NEG(3)},
    {"indirect", {UINT64_C(0x8000000000000000), 0}, 2, 0},
    {"indirect_null", {0, 0}, 4, 0},
    {"unresolved", {0, 0}, 11, 0},
    {"same_function", {0, 0}, 0, 1},
    {"tail_even", {100001, 0}, 0, 0},
    {"tail_even", {100000, 0}, 0, 1},
    {"user_trap", {0, 0}, 300, 0},
    {"unreachable", {0, 0}, 5, 0},
    {"raise", {0, 0}, 0x10000, 0},
    {"text", {1, 0}, 0, 'e'},
    {"raw", {0, 0}, 0, 0x0201 + 0xff + 3},
    {"raw_move", {0, 0}, 0, 0x77770302},
    {"loop_to_entry", {10, 0}, 0, 1024},
    {"clobber", {7, 0}, 0, 7 + 49},
    {"deep", {1000, 0}, 0, 1000},
    {"deep", {10000000, 0}, 8, 0},
    {"collatz", {27, 0}, 0, 111},
    {"unsigned_immediate", {0, 0}, 0, UINT64_C(0xffffffff)},
    {"signed_immediate", {0, 0}, 0, UINT64_MAX},
    {NULL, {0, 0}, 0, 0},
};

static const char *const functions_text __attribute__((unused)) =
    ".module \"functions\"\n"
    ".type node = struct { value: i64, next: node }\n"
    ".type other = struct { value: i64 }\n"
    ".type ints = array i64\n"
    ".type bytes_t = array u8\n"
    ".type unop = fn (i64) -> i64\n"
    ".type nullary = fn () -> i64\n"
    ".import fn \"nowhere.nothing\" () -> i64 as nothing\n"
    ".global count: mut i64\n"
    ".global first: mut node\n"
    ".const NEGATE = fn negate\n"
    ".const NOTHING = fn nothing\n"
    ".string HELLO = \"hello\"\n"
    ".data blob align 4 = [1, 2, 255, 3, 0, 0, 0, 0]\n"
    ".export sparse\n.export bytes\n.export table\n.export fact\n.export sum_list\n.export field_null\n"
    ".export store_null\n.export length_null\n.export element\n.export set_element\n.export new_array\n.export cast\n"
    ".export test_types\n.export counter\n.export indirect\n.export indirect_null\n.export unresolved\n"
    ".export same_function\n.export tail_even\n.export user_trap\n.export unreachable\n.export raise\n.export text\n"
    ".export raw\n.export raw_move\n.export loop_to_entry\n.export clobber\n.export deep\n.export collatz\n"
    ".export unsigned_immediate\n.export signed_immediate\n"

    ".fn sparse(a: i64) -> i64\n .reg r: i64\n"
    " SWITCH a, @other, {-9223372036854775808: @e, -1000000: @a1, 0: @b, 7: @c, 10: @t, 11: @t, 12: @t, 13: @t, 14: @t,"
    " 9223372036854775807: @d}\n"
    "a1: K32 r, 1\n RET r\n b: K32 r, 2\n RET r\n c: K32 r, 3\n RET r\n d: K32 r, 4\n RET r\n e: K32 r, 5\n RET r\n"
    "t: RET a\n other: K32 r, 9\n RET r\n.end\n"

    ".fn bytes(a: u8) -> i64\n .reg r: i64\n"
    " SWITCH a, @other, {250: @a1, 251: @b, 253: @c, 254: @c, 255: @d}\n"
    "a1: K32 r, 1\n RET r\n b: K32 r, 2\n RET r\n c: K32 r, 3\n RET r\n d: K32 r, 4\n RET r\n"
    "other: K32 r, 9\n RET r\n.end\n"

    ".fn table(a: u64) -> i64\n .reg r: i64\n BRT a, @other, [@x, @y, @z]\n"
    "x: K32 r, 100\n RET r\n y: K32 r, 101\n RET r\n z: K32 r, 102\n RET r\n other: K32 r, 199\n RET r\n.end\n"

    ".fn fact(n: i64) -> i64\n .reg one: i64\n .reg c: bool\n .reg t: i64\n"
    " K32 one, 1\n CMP c, n, one, LE\n JIF c, @base, @rec\n"
    "base: RET one\n rec: SUB t, n, one\n CALL t, fact, 1 [t]\n MUL_CHK t, n, t\n RET t\n.end\n"

    ".fn sum_list(n: i64) -> i64\n .local head: node\n .local s: i64\n .local i: i64\n .reg x: node\n .reg c: bool\n"
    " .reg one: i64\n .reg null: node\n"
    " K32 one, 1\n"
    "build: CMP c, i, n, LT\n JIF c, @more, @walk\n"
    "more: ADD i, i, one\n ALOC x, node\n STF x, .value, i\n STF x, .next, head\n MOV head, x\n JMP @build\n"
    "walk: CMP c, head, null, EQ\n JIF c, @done, @step\n"
    "step: LDF i, head, .value\n ADD s, s, i\n LDF head, head, .next\n JMP @walk\n"
    "done: RET s\n.end\n"

    ".fn field_null() -> i64\n .reg x: node\n .reg v: i64\n LDF v, x, .value\n RET v\n.end\n"
    ".fn store_null() -> i64\n .reg x: node\n .reg v: i64\n STF x, .value, v\n RET v\n.end\n"
    ".fn length_null() -> i64\n .reg x: ints\n .reg v: i64\n ARR_LEN v, x\n RET v\n.end\n"

    ".fn squares(n: i64) -> ints\n .local a: ints\n .local i: i64\n .reg c: bool\n .reg x: i64\n .reg one: i64\n"
    " K32 one, 1\n ARR_NEW a, n\n"
    "loop: CMP c, i, n, LT\n JIF c, @body, @done\n"
    "body: MUL x, i, i\n ARR_SET a, i, x\n ADD i, i, one\n JMP @loop\n done: RET a\n.end\n"

    ".fn element(i: i32) -> i64\n .reg a: ints\n .reg n: i64\n K32 n, 5\n CALL a, squares, 1 [n]\n"
    " ARR_GET n, a, i\n RET n\n.end\n"
    ".fn set_element(i: u32) -> i64\n .reg a: ints\n .reg n: i64\n K32 n, 5\n CALL a, squares, 1 [n]\n"
    " ARR_SET a, i, n\n RET n\n.end\n"
    ".fn new_array(n: i64) -> i64\n .reg a: ints\n ARR_NEW a, n\n ARR_LEN n, a\n RET n\n.end\n"

    ".fn make(kind: i64) -> ref\n .reg r: ref\n .reg x: node\n .reg y: other\n .reg v: i64\n"
    " BRT kind, @nil, [@a, @b]\n"
    "a: ALOC x, node\n K32 v, 1\n STF x, .value, v\n MOV r, x\n RET r\n"
    "b: ALOC y, other\n K32 v, 2\n STF y, .value, v\n MOV r, y\n RET r\n nil: RET r\n.end\n"
    ".fn cast(kind: i64) -> i64\n .reg r: ref\n .reg x: node\n .reg v: i64\n .reg c: bool\n .reg nil: node\n"
    " CALL r, make, 1 [kind]\n RCAST x, r\n CMP c, x, nil, EQ\n JIF c, @null, @not\n"
    "not: LDF v, x, .value\n RET v\n null: K32 v, 3\n RET v\n.end\n"
    ".fn test_types() -> i64\n .reg r: ref\n .reg k: i64\n .reg s: i64\n .reg x: i64\n .reg c: bool\n .reg two: i64\n"
    " K32 two, 2\n CALL r, make, 1 [k]\n RTST c, r, node\n CVT s, c\n"
    " RTST c, r, other\n CVT x, c\n SHL x, x, two\n SHR x, x, two\n K32 k, 1\n SHL x, x, k\n OR s, s, x\n"
    " CALL r, make, 1 [k]\n RTST c, r, other\n CVT x, c\n SHL x, x, two\n OR s, s, x\n"
    " CALL r, make, 1 [two]\n RTST c, r, node\n CVT x, c\n K32 k, 3\n SHL x, x, k\n OR s, s, x\n RET s\n.end\n"

    ".fn counter(n: i64) -> i64\n .reg c: i64\n LDG c, count\n ADD c, c, n\n STG count, c\n LDG n, count\n RET "
    "n\n.end\n"

    ".fn negate(r0: i64) -> i64\n NEG_CHK r0, r0\n RET r0\n.end\n"
    ".fn indirect(r0: i64) -> i64\n .reg f: unop\n KIDX f, const:NEGATE\n ICALL r0, f, 1 [r0]\n RET r0\n.end\n"
    ".fn indirect_null(r0: i64) -> i64\n .reg f: unop\n ICALL r0, f, 1 [r0]\n RET r0\n.end\n"
    ".fn unresolved() -> i64\n .reg f: nullary\n .reg r: i64\n KIDX f, const:NOTHING\n ICALL r, f, 0 []\n RET r\n.end\n"
    ".fn same_function() -> i64\n .reg f: unop\n .reg g: unop\n .reg c: bool\n .reg r: i64\n KIDX f, const:NEGATE\n"
    " KIDX g, const:NEGATE\n CMP c, f, g, EQ\n CVT r, c\n RET r\n.end\n"

    ".fn tail_even(n: i64) -> i64\n .reg z: i64\n .reg c: bool\n CMP c, n, z, EQ\n JIF c, @yes, @no\n"
    "yes: K32 z, 1\n RET z\n no: K32 z, 1\n SUB n, n, z\n TCALL tail_odd, 1 [n]\n.end\n"
    ".fn tail_odd(n: i64) -> i64\n .reg z: i64\n .reg c: bool\n CMP c, n, z, EQ\n JIF c, @yes, @no\n"
    "yes: RET z\n no: K32 z, 1\n SUB n, n, z\n TCALL tail_even, 1 [n]\n.end\n"

    ".fn user_trap() -> i64\n TRAP 300\n.end\n"
    ".fn unreachable() -> i64\n TRAP UNREACHABLE\n.end\n"
    ".fn raise() -> i64\n .reg x: other\n ALOC x, other\n RAISE x\n.end\n"
    ".fn text(i: i64) -> i64\n .reg t: bytes_t\n .reg b: u8\n KIDX t, const:HELLO\n ARR_GET b, t, i\n CVT i, b\n RET "
    "i\n"
    ".end\n"

    ".fn raw() -> i64 low\n .reg p: ptr\n .reg a: i64\n .reg b: i64\n .reg o: i64\n DPTR p, blob\n LD.u16 a, [p]\n"
    " LD.u8 b, [p + 2]\n ADD a, a, b\n K32 o, 4\n PADD p, p, o\n LD.i8 b, [p - 1]\n ADD a, a, b\n RET a\n.end\n"
    ".fn raw_move() -> i64 low\n .reg p: ptr\n .reg q: ptr\n .reg n: u64\n .reg v: u8\n .reg o: i64\n .reg r: u32\n"
    " DPTR p, blob\n K32 o, 4\n PADD q, p, o\n K32 n, 4\n K32 v, 119\n INTR _, memset, 3 [q, v, n]\n"
    " K32 o, 3\n ST.u8 [q], o\n K32 o, 2\n ST.i16 [q], o\n K32 o, 3\n ST.i8 [q + 1], o\n LD.u32 r, [q]\n CVT o, r\n"
    " RET o\n.end\n"

    ".fn loop_to_entry(n: i64) -> i64\n .local x: i64\n .reg one: i64\n .reg c: bool\n .reg z: i64\n"
    "top: K32 one, 1\n CMP c, x, z, EQ\n SEL x, c, one, x\n ADD x, x, x\n SUB n, n, one\n CMP c, n, z, GT\n"
    " JIF c, @top, @end\n end: RET x\n.end\n"
    ".fn clobber(n: i64) -> i64\n .reg m: i64\n CALL m, square, 1 [n]\n ADD m, m, n\n RET m\n.end\n"
    ".fn square(n: i64) -> i64\n MUL n, n, n\n RET n\n.end\n"
    ".fn deep(n: i64) -> i64\n .reg one: i64\n .reg c: bool\n .reg z: i64\n CMP c, n, z, EQ\n JIF c, @end, @more\n"
    "end: RET z\n more: K32 one, 1\n SUB n, n, one\n CALL n, deep, 1 [n]\n ADD n, n, one\n RET n\n.end\n"
    ".fn collatz(n: u64) -> i64\n .local s: i64\n .reg one: u64\n .reg two: u64\n .reg three: u64\n .reg r: u64\n"
    " .reg c: bool\n .reg z: u64\n .reg i: i64\n K32 one, 1\n K32 two, 2\n K32 three, 3\n K32 i, 1\n"
    "loop: CMP c, n, one, EQ\n JIF c, @done, @go\n go: ADD s, s, i\n MOD r, n, two\n CMP c, r, z, EQ\n JIF c, @half, "
    "@odd\n"
    "half: DIV n, n, two\n JMP @loop\n odd: MUL n, n, three\n ADD n, n, one\n JMP @loop\n done: RET s\n.end\n"
    ".fn unsigned_immediate() -> u64\n .reg x: u64\n K32 x, 4294967295\n RET x\n.end\n"
    ".fn signed_immediate() -> i64\n .reg x: i64\n K32 x, -1\n RET x\n.end\n";

#endif
