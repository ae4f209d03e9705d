/* Vitrail: a retargetable code generator.
 *
 * This is the one public header. It compiles alone as C99, C11 and C++17.
 *
 * Rules that hold for every function here:
 *   - A context (vtr_context) and everything made from it belong to one thread at a time. Contexts are
 *     independent of each other; nothing is shared but immutable tables.
 *   - A function that can fail returns vtr_status. VTR_OK is 0. On failure, outputs are untouched and the
 *     context stays usable; vtr_diagnostic() tells what went wrong and where.
 *   - Nothing here exits, aborts or prints.
 *   - Strings are NUL-terminated UTF-8 unless a length is given.
 */
#ifndef VITRAIL_H
#define VITRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define VTR_API
#elif defined(__GNUC__)
#define VTR_API __attribute__((visibility("default")))
#else
#define VTR_API
#endif

typedef enum vtr_status {
    VTR_OK = 0,
    VTR_ERR_MEMORY = 1,      /* the allocator returned NULL */
    VTR_ERR_INPUT = 2,       /* the input is wrong; diagnostics say where */
    VTR_ERR_LIMIT = 3,       /* the input is right but larger than a documented limit */
    VTR_ERR_UNSUPPORTED = 4, /* the target cannot do this; the diagnostic names instruction, type and target */
    VTR_ERR_NOT_FOUND = 5,   /* a name that was asked for does not exist */
    VTR_ERR_TRAP = 6,        /* the program trapped; vtr_trap_info() tells where */
    VTR_ERR_SYSTEM = 7,      /* the operating system refused (mapping memory, reading a file) */
    VTR_ERR_USAGE = 8,       /* a function was called against its documentation */
    VTR_ERR_INTERNAL = 9     /* a bug of Vitrail; the diagnostic names pass, function and value */
} vtr_status;

typedef struct vtr_context vtr_context;

/* The memory source of a context. resize() is realloc() with the old size told: old == NULL allocates, new_size
 * 0 frees and returns NULL, and NULL for a non-zero new_size means out of memory (the old block then still
 * stands). Blocks are aligned for any object. */
typedef struct vtr_allocator {
    void *(*resize)(void *user, void *old, size_t old_size, size_t new_size);
    void *user;
} vtr_allocator;

/* Makes a context. allocator NULL means malloc and free; the structure is copied. The caller frees the context
 * with vtr_context_free() after everything made from it. Errors: VTR_ERR_MEMORY. */
VTR_API vtr_status vtr_context_new(const vtr_allocator *allocator, vtr_context **context);
VTR_API void vtr_context_free(vtr_context *context);

/* One collected error. file may be NULL; line and column count from 1, 0 = unknown. The strings belong to the
 * context and live until vtr_diagnostics_clear() or vtr_context_free(). */
typedef struct vtr_diagnostic_info {
    const char *file;
    uint32_t line;
    uint32_t column;
    const char *message;
} vtr_diagnostic_info;

/* How many diagnostics are held (at most 100), and the index-th of them; false when index is out of range. */
VTR_API size_t vtr_diagnostic_count(const vtr_context *context);
VTR_API bool vtr_diagnostic(const vtr_context *context, size_t index, vtr_diagnostic_info *info);
VTR_API void vtr_diagnostics_clear(vtr_context *context);

/* The name of a status as it stands above, for example "VTR_ERR_INPUT". */
VTR_API const char *vtr_status_name(vtr_status status);

#ifdef __cplusplus
}
#endif

#endif
