// Shared by the tests of the IR: reading a text that must be right, and diagnostics of one that must not.
#ifndef TESTS_IR_TEST_H
#define TESTS_IR_TEST_H

#include <string.h>

#include "ir/ir.h"
#include "unit.h"

typedef struct Reading {
    Arena *arena;
    const char *text;
    IrFile *file;
} Reading;

static void reading_body(Ctx *ctx, void *arg) {
    Reading *r = arg;
    (void)ctx;
    r->file = ir_read(r->arena, "t.clif", r->text, strlen(r->text), CC_FAST);
}

static inline vtr_status read_text(Arena *arena, const char *text, IrFile **file) {
    Reading r = {arena, text, NULL};
    vtr_status status = ctx_try(arena_ctx(arena), reading_body, &r);
    *file = r.file;
    return status;
}

// The only function of a right text.
static inline Func *read_func(Arena *arena, const char *text) {
    IrFile *file;
    vtr_diagnostic_info info = {.message = ""};
    vtr_status status = read_text(arena, text, &file);
    vtr_diagnostic(arena_ctx(arena), 0, &info);
    ck_assert_msg(status == VTR_OK, "%u:%u: %s", info.line, info.column, info.message);
    ck_assert_uint_eq(file->funcs.n, 1);
    return file->funcs.v[0];
}

// Diagnostic `index` stands at line:column and holds the text.
static inline void expect_diagnostic(Ctx *ctx, size_t index, unsigned line, unsigned column, const char *text) {
    vtr_diagnostic_info info;
    ck_assert_msg(vtr_diagnostic(ctx, index, &info), "no diagnostic %zu: '%s' expected", index, text);
    ck_assert_msg(strstr(info.message, text) != NULL, "'%s' in '%s'", text, info.message);
    ck_assert_msg(info.line == line && info.column == column, "%u:%u instead of %u:%u: %s", info.line, info.column,
                  line, column, info.message);
}

#endif
