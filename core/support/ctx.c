#include "support/ctx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/buf.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum {
    CHUNK_SIZE = 64 * 1024, // the usual chunk; larger requests get a chunk of their own
    CHUNKS_KEPT = 64,       // free usual-sized chunks a context holds back for reuse
    DIAGS_KEPT = 100,
    ALIGN = 16
};

typedef struct Chunk {
    struct Chunk *next;
    size_t size; // payload bytes
    _Alignas(ALIGN) char data[];
} Chunk;

typedef struct Hook {
    struct Hook *next;
    void (*run)(void *data);
    void *data;
} Hook;

struct Arena {
    Ctx *ctx;
    Arena *prev, *next; // of all arenas of the context, latest first
    uint64_t serial;
    Chunk *chunks; // the newest, being filled, first
    char *at, *end;
    Hook *hooks;
    size_t used;
};

typedef struct Handler {
    jmp_buf env;
    struct Handler *outer;
    uint64_t serial; // arenas with a larger serial die when this handler is reached
    vtr_status status;
} Handler;

typedef struct Diag {
    vtr_diagnostic_info info;
} Diag;

struct vtr_context {
    vtr_allocator allocator;
    Arena *arenas;
    uint64_t serial;
    Handler *handler;
    Chunk *free_chunks;
    unsigned n_free_chunks;
    Arena *diag_arena;
    Diag diags[DIAGS_KEPT];
    size_t n_diags; // may exceed DIAGS_KEPT
    size_t n_lost;  // there was no memory for them
};

// ---- the allocator -----------------------------------------------------------------------------

static void *default_resize(void *user, void *old, size_t old_size, size_t new_size) {
    (void)user;
    (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

static void *try_alloc(Ctx *ctx, size_t size) { return ctx->allocator.resize(ctx->allocator.user, NULL, 0, size); }

void *ctx_alloc(Ctx *ctx, size_t size) {
    void *memory = try_alloc(ctx, size ? size : 1);
    if (!memory) ctx_throw(ctx, VTR_ERR_MEMORY);
    return memset(memory, 0, size);
}

void ctx_free(Ctx *ctx, void *memory, size_t size) {
    if (memory) ctx->allocator.resize(ctx->allocator.user, memory, size ? size : 1, 0);
}

vtr_status vtr_context_new(const vtr_allocator *allocator, vtr_context **context) {
    vtr_allocator chosen = allocator ? *allocator : (vtr_allocator){default_resize, NULL};
    Ctx *ctx = chosen.resize(chosen.user, NULL, 0, sizeof *ctx);
    if (!ctx) return VTR_ERR_MEMORY;
    memset(ctx, 0, sizeof *ctx);
    ctx->allocator = chosen;
    *context = ctx;
    return VTR_OK;
}

void vtr_context_free(vtr_context *ctx) {
    if (!ctx) return;
    while (ctx->arenas) arena_free(ctx->arenas);
    while (ctx->free_chunks) {
        Chunk *chunk = ctx->free_chunks;
        ctx->free_chunks = chunk->next;
        ctx_free(ctx, chunk, sizeof *chunk + CHUNK_SIZE);
    }
    ctx_free(ctx, ctx, sizeof *ctx);
}

// ---- failures ----------------------------------------------------------------------------------

void ctx_throw(Ctx *ctx, vtr_status status) {
    // Every public function enters through ctx_try(), so a handler is always there.
    Handler *handler = ctx->handler;
    handler->status = status;
    longjmp(handler->env, 1);
}

static void free_arenas_after(Ctx *ctx, uint64_t serial) {
    // Latest first: the list is ordered by serial.
    while (ctx->arenas && ctx->arenas->serial > serial) arena_free(ctx->arenas);
}

vtr_status ctx_try(Ctx *ctx, void (*body)(Ctx *ctx, void *arg), void *arg) {
    Handler handler = {.outer = ctx->handler, .serial = ctx->serial, .status = VTR_OK};
    ctx->handler = &handler;
    if (setjmp(handler.env) == 0) {
        body(ctx, arg);
        ctx->handler = handler.outer;
        return VTR_OK;
    }
    ctx->handler = handler.outer;
    free_arenas_after(ctx, handler.serial);
    return handler.status;
}

void ctx_fail(Ctx *ctx, vtr_status status, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    diag_error_v(ctx, (Place){0}, fmt, args);
    va_end(args);
    ctx_throw(ctx, status);
}

void ctx_bug(Ctx *ctx, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    diag_error_v(ctx, (Place){0}, fmt, args);
    va_end(args);
    ctx_throw(ctx, VTR_ERR_INTERNAL);
}

// ---- arenas ------------------------------------------------------------------------------------

// Appends an arena whose serial is its birth order, so that the list stays sorted.
static Arena *try_arena_new(Ctx *ctx) {
    Arena *arena = try_alloc(ctx, sizeof *arena);
    if (!arena) return NULL;
    memset(arena, 0, sizeof *arena);
    arena->ctx = ctx;
    arena->serial = ++ctx->serial;
    arena->next = ctx->arenas;
    if (arena->next) arena->next->prev = arena;
    ctx->arenas = arena;
    return arena;
}

Arena *arena_new(Ctx *ctx) {
    Arena *arena = try_arena_new(ctx);
    if (!arena) ctx_throw(ctx, VTR_ERR_MEMORY);
    return arena;
}

static void chunk_release(Ctx *ctx, Chunk *chunk) {
    UNPOISON(chunk->data, chunk->size);
    if (chunk->size == CHUNK_SIZE && ctx->n_free_chunks < CHUNKS_KEPT) {
        chunk->next = ctx->free_chunks;
        ctx->free_chunks = chunk;
        ctx->n_free_chunks++;
        return;
    }
    ctx_free(ctx, chunk, sizeof *chunk + chunk->size);
}

static void run_hooks(Arena *arena) {
    while (arena->hooks) {
        Hook *hook = arena->hooks;
        arena->hooks = hook->next;
        hook->run(hook->data);
    }
}

void arena_free(Arena *arena) {
    if (!arena) return;
    Ctx *ctx = arena->ctx;
    run_hooks(arena);
    while (arena->chunks) {
        Chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        chunk_release(ctx, chunk);
    }
    if (arena->prev) arena->prev->next = arena->next;
    else ctx->arenas = arena->next;
    if (arena->next) arena->next->prev = arena->prev;
    ctx_free(ctx, arena, sizeof *arena);
}

void arena_reset(Arena *arena) {
    run_hooks(arena);
    Chunk *kept = NULL;
    while (arena->chunks) {
        Chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        if (!kept && chunk->size == CHUNK_SIZE) kept = chunk;
        else chunk_release(arena->ctx, chunk);
    }
    arena->used = 0;
    arena->at = arena->end = NULL;
    if (!kept) return;
    kept->next = NULL;
    arena->chunks = kept;
    arena->at = kept->data;
    arena->end = kept->data + kept->size;
    POISON(kept->data, kept->size);
}

static Chunk *chunk_new(Arena *arena, size_t need) {
    Ctx *ctx = arena->ctx;
    if (need <= CHUNK_SIZE && ctx->free_chunks) {
        Chunk *chunk = ctx->free_chunks;
        ctx->free_chunks = chunk->next;
        ctx->n_free_chunks--;
        return chunk;
    }
    size_t size = need > CHUNK_SIZE ? need : CHUNK_SIZE;
    Chunk *chunk = size > SIZE_MAX - sizeof *chunk ? NULL : try_alloc(ctx, sizeof *chunk + size);
    if (!chunk) ctx_throw(ctx, VTR_ERR_MEMORY);
    chunk->size = size;
    return chunk;
}

void *arena_alloc(Arena *arena, size_t size) {
    if (size > SIZE_MAX / 2) ctx_throw(arena->ctx, VTR_ERR_MEMORY);
    size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (need == 0) need = ALIGN;
    arena->used += need;
    if (need > (size_t)(arena->end - arena->at)) {
        Chunk *chunk = chunk_new(arena, need);
        POISON(chunk->data, chunk->size);
        if (need > CHUNK_SIZE / 2 && arena->chunks) {
            // A large block gets its chunk behind the one being filled, so that the rest of that is not lost.
            chunk->next = arena->chunks->next;
            arena->chunks->next = chunk;
            UNPOISON(chunk->data, size);
            return memset(chunk->data, 0, size);
        }
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        arena->at = chunk->data;
        arena->end = chunk->data + chunk->size;
    }
    void *memory = arena->at;
    arena->at += need;
    UNPOISON(memory, size);
    return memset(memory, 0, size);
}

void *arena_array(Arena *arena, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) ctx_throw(arena->ctx, VTR_ERR_MEMORY);
    return arena_alloc(arena, count * size);
}

void *arena_copy(Arena *arena, const void *bytes, size_t size) {
    void *copy = arena_alloc(arena, size);
    if (size) memcpy(copy, bytes, size);
    return copy;
}

char *arena_text(Arena *arena, const char *text, size_t len) {
    char *copy = arena_alloc(arena, len + 1);
    if (len) memcpy(copy, text, len);
    return copy;
}

static char *arena_vprintf(Arena *arena, const char *fmt, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = arena_alloc(arena, n < 0 ? 1 : (size_t)n + 1);
    if (n > 0) vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

char *arena_printf(Arena *arena, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    char *text = arena_vprintf(arena, fmt, args);
    va_end(args);
    return text;
}

void arena_on_free(Arena *arena, void (*run)(void *data), void *data) {
    Hook *hook = NEW(arena, Hook);
    *hook = (Hook){arena->hooks, run, data};
    arena->hooks = hook;
}

Ctx *arena_ctx(const Arena *arena) { return arena->ctx; }
size_t arena_used(const Arena *arena) { return arena->used; }

// ---- diagnostics -------------------------------------------------------------------------------

typedef struct DiagText {
    Place place;
    const char *fmt;
    va_list *args;
} DiagText;

static void diag_record(Ctx *ctx, void *arg) {
    DiagText *text = arg;
    Diag *diag = &ctx->diags[ctx->n_diags];
    const char *file = text->place.file;
    diag->info.file = file ? arena_text(ctx->diag_arena, file, strlen(file)) : NULL;
    diag->info.line = text->place.line;
    diag->info.column = text->place.col;
    diag->info.message = arena_vprintf(ctx->diag_arena, text->fmt, *text->args);
}

void diag_error_v(Ctx *ctx, Place place, const char *fmt, va_list args) {
    // The arena outlives the operation that failed, so it takes the oldest serial: it is made at the list's end.
    if (!ctx->diag_arena) {
        Arena *arena = try_arena_new(ctx);
        if (!arena) { // out of memory: the status alone tells
            ctx->n_lost++;
            return;
        }
        if (arena->next) {
            ctx->arenas = arena->next;
            arena->next->prev = NULL;
            Arena *last = ctx->arenas;
            while (last->next) last = last->next;
            last->next = arena;
            arena->prev = last;
            arena->next = NULL;
        }
        arena->serial = 0;
        ctx->diag_arena = arena;
    }
    if (ctx->n_diags >= DIAGS_KEPT) {
        ctx->n_diags++;
        return;
    }
    va_list copy;
    va_copy(copy, args);
    DiagText text = {place, fmt, &copy};
    if (ctx_try(ctx, diag_record, &text) == VTR_OK) ctx->n_diags++;
    else ctx->n_lost++;
    va_end(copy);
}

void diag_error(Ctx *ctx, Place place, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    diag_error_v(ctx, place, fmt, args);
    va_end(args);
}

size_t diag_count(const Ctx *ctx) { return ctx->n_diags + ctx->n_lost; }

size_t vtr_diagnostic_count(const vtr_context *ctx) { return ctx->n_diags < DIAGS_KEPT ? ctx->n_diags : DIAGS_KEPT; }

bool vtr_diagnostic(const vtr_context *ctx, size_t index, vtr_diagnostic_info *info) {
    if (index >= vtr_diagnostic_count(ctx)) return false;
    *info = ctx->diags[index].info;
    return true;
}

void vtr_diagnostics_clear(vtr_context *ctx) {
    ctx->n_diags = ctx->n_lost = 0;
    if (ctx->diag_arena) arena_reset(ctx->diag_arena);
}

#define DIGITS(x) #x
#define VERSION(major, minor, patch) DIGITS(major) "." DIGITS(minor) "." DIGITS(patch)

const char *vtr_version(void) { return VERSION(VTR_VERSION_MAJOR, VTR_VERSION_MINOR, VTR_VERSION_PATCH); }

const char *vtr_status_name(vtr_status status) {
    static const char *const names[] = {
        "VTR_OK",           "VTR_ERR_MEMORY",      "VTR_ERR_INPUT",
        "VTR_ERR_LIMIT",    "VTR_ERR_UNSUPPORTED", "VTR_ERR_NOT_FOUND",
        "VTR_ERR_TRAP",     "VTR_ERR_SYSTEM",      "VTR_ERR_USAGE",
        "VTR_ERR_INTERNAL",
    };
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "unknown status";
}
