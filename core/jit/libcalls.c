// The run-time library (link/libcalls.h) of this process.
#include <math.h>
#include <string.h>

#include "ir/eval_ops.h"
#include "jit/state.h"
#include "link/libcalls.h"

// ---- adapters ------------------------------------------------------------------------------------

// Through the evaluator: a compiler may open-code ceil() and its like so that a signalling NaN comes out as it went in.
#define UNARY(name, op)                                                                                                \
    static void call_##name##f(void *ctx, const uint64_t *a, uint64_t *r) {                                            \
        (void)ctx;                                                                                                     \
        r[0] = ev_##op((uint32_t)a[0], 32);                                                                            \
    }                                                                                                                  \
    static void call_##name(void *ctx, const uint64_t *a, uint64_t *r) {                                               \
        (void)ctx;                                                                                                     \
        r[0] = ev_##op(a[0], 64);                                                                                      \
    }
UNARY(ceil, ceil)
UNARY(floor, floor)
UNARY(nearbyint, nearest)
UNARY(trunc, trunc)

static void call_fmaf(void *ctx, const uint64_t *a, uint64_t *r) {
    (void)ctx;
    r[0] = ev_fma((uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2], 32);
}
static void call_fma(void *ctx, const uint64_t *a, uint64_t *r) {
    (void)ctx;
    r[0] = ev_fma(a[0], a[1], a[2], 64);
}

static void *at(uint64_t address) { return (void *)(uintptr_t)address; }
static void call_memcmp(void *ctx, const uint64_t *a, uint64_t *r) {
    (void)ctx;
    r[0] = (uint32_t)memcmp(at(a[0]), at(a[1]), a[2]);
}
static void call_memcpy(void *ctx, const uint64_t *a, uint64_t *r) {
    (void)ctx;
    r[0] = (uint64_t)(uintptr_t)memcpy(at(a[0]), at(a[1]), a[2]);
}
static void call_memmove(void *ctx, const uint64_t *a, uint64_t *r) {
    (void)ctx;
    r[0] = (uint64_t)(uintptr_t)memmove(at(a[0]), at(a[1]), a[2]);
}
static void call_memset(void *ctx, const uint64_t *a, uint64_t *r) {
    (void)ctx;
    r[0] = (uint64_t)(uintptr_t)memset(at(a[0]), (int)a[1], a[2]);
}

// ---- the table -----------------------------------------------------------------------------------

typedef void (*Function)(void);
typedef struct Libcall {
    const char *name;
    Function function;
    JitAdapter adapter;
} Libcall;

static const Libcall libcalls[] = {
#define X(name, function, types) {#name, (Function)function, {types, call_##function}},
    LIBCALLS(X)
#undef X
};

void *jit_libcall(ExtName name, JitAdapter *adapter) {
    if (name.kind != NAME_TEXT) return NULL;
    size_t low = 0;
    size_t high = sizeof libcalls / sizeof *libcalls;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(libcalls[mid].name, name.text);
        if (order == 0) {
            *adapter = libcalls[mid].adapter;
            return (void *)(uintptr_t)libcalls[mid].function;
        }
        if (order < 0) low = mid + 1;
        else high = mid;
    }
    return NULL;
}
