// The context: allocator, arenas, diagnostics and the way failures travel.
//
// Theory. Everything a compile allocates lives in an Arena, and every Arena belongs to a Ctx. So nothing
// needs a check after each allocation: running out of memory (or any other failure that ends the operation)
// is thrown with ctx_throw() to the innermost ctx_try(), which frees every arena made since it was entered
// and returns the status. Each public function wraps its work in one ctx_try().
//
// Rules for whoever edits code under core/:
//   * arena_alloc(), vec_push() and friends never return NULL; any function that allocates may throw.
//   * A resource that is no arena memory (mapped pages, a zstd context, a FILE) must not be held in a local
//     variable across a call that may throw. Register it with arena_on_free() the moment it exists.
//   * Local variables changed inside a ctx_try() body are reached through its argument, never captured.
#ifndef VTR_SUPPORT_CTX_H
#define VTR_SUPPORT_CTX_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vitrail.h"

typedef struct vtr_context Ctx;
typedef struct Arena Arena;

#if defined(__GNUC__)
#define VTR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define VTR_NORETURN __attribute__((noreturn))
#else
#define VTR_PRINTF(fmt, args)
#define VTR_NORETURN
#endif

// ---- failures ---------------------------------------------------------------------------------

// Ends the running operation with `status`: control goes to the innermost ctx_try().
VTR_NORETURN void ctx_throw(Ctx *ctx, vtr_status status);

// Records a diagnostic (see below) and throws VTR_ERR_INTERNAL: a broken invariant of our own. Name the pass,
// the function and the value in the text.
VTR_NORETURN void ctx_bug(Ctx *ctx, const char *fmt, ...) VTR_PRINTF(2, 3);

// Records a diagnostic without a place and throws `status`: a limit, or something unsupported.
VTR_NORETURN void ctx_fail(Ctx *ctx, vtr_status status, const char *fmt, ...) VTR_PRINTF(3, 4);

// Runs body(ctx, arg). Returns VTR_OK, or the status thrown; then every arena made inside is freed.
// May be nested.
vtr_status ctx_try(Ctx *ctx, void (*body)(Ctx *ctx, void *arg), void *arg);

// ---- arenas -----------------------------------------------------------------------------------

// A new empty arena. Freed by arena_free(), by a throw out of the ctx_try() it was made in, or with its context.
Arena *arena_new(Ctx *ctx);
void arena_free(Arena *arena); // NULL is allowed

// Forgets everything allocated (running the arena_on_free() hooks) and keeps the first chunk.
void arena_reset(Arena *arena);

// `size` bytes, zeroed, aligned for any object. size 0 gives a valid pointer.
void *arena_alloc(Arena *arena, size_t size);

// count * size bytes, zeroed; throws VTR_ERR_MEMORY when the product overflows.
void *arena_array(Arena *arena, size_t count, size_t size);

// Copies; arena_text() takes `len` bytes and adds a NUL. arena_printf() formats into the arena.
void *arena_copy(Arena *arena, const void *bytes, size_t size);
char *arena_text(Arena *arena, const char *text, size_t len);
char *arena_printf(Arena *arena, const char *fmt, ...) VTR_PRINTF(2, 3);

// Calls hook(data) when the arena is reset or freed, latest first.
void arena_on_free(Arena *arena, void (*hook)(void *data), void *data);

Ctx *arena_ctx(const Arena *arena);
// Bytes handed out so far, for reports.
size_t arena_used(const Arena *arena);

#define NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define NEW_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

// Memory from the context's allocator outside any arena, for objects that live on their own (the context's
// clients, published code). ctx_alloc() throws VTR_ERR_MEMORY; the memory is zeroed.
void *ctx_alloc(Ctx *ctx, size_t size);
void ctx_free(Ctx *ctx, void *memory, size_t size);

// ---- diagnostics ------------------------------------------------------------------------------

// A place in an input. line and col count from 1; 0 = unknown.
typedef struct Place {
    const char *file; // NULL = none; must outlive the context's diagnostics or be arena text of the caller
    uint32_t line;
    uint32_t col;
} Place;

// Records one error. Diagnostics are collected in the context until vtr_diagnostics_clear(); the text and the
// file name are copied. At most 100 are kept, further ones are counted.
void diag_error(Ctx *ctx, Place place, const char *fmt, ...) VTR_PRINTF(3, 4);
void diag_error_v(Ctx *ctx, Place place, const char *fmt, va_list args);

// How many errors were recorded since the last clear, dropped ones included.
size_t diag_count(const Ctx *ctx);

#endif
