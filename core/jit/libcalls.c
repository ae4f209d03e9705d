// The run-time library (link/libcalls.h) of this process.
#include <math.h>
#include <string.h>

#include "ir/eval_ops.h"
#include "jit/state.h"
#include "link/libcalls.h"

// ---- adapters ------------------------------------------------------------------------------------

#define UNARY(name)                                                                                                    \
    static void call_##name##f(void *ctx, const uint64_t *a, uint64_t *r) {                                            \
        (void)ctx;                                                                                                     \
        r[0] = ev_float_bits(name##f(ev_float(a[0])));                                                                 \
    }                                                                                                                  \
    static void call_##name(void *ctx, const uint64_t *a, uint64_t *r) {                                               \
        (void)ctx;                                                                                                     \
        r[0] = ev_double_bits(name(ev_double(a[0])));                                                                  \
    }
UNARY(ceil)
UNARY(floor)
UNARY(nearbyint)
UNARY(trunc)

static void call_fmaf(void *ctx, const uint64_t *a, uint64_t *r) {
    (void)ctx;
    r[0] = ev_float_bits(fmaf(ev_float(a[0]), ev_float(a[1]), ev_float(a[2])));
}
static void call_fma(void *ctx, const uint64_t *a, uint64_t *r) {
    (void)ctx;
    r[0] = ev_double_bits(fma(ev_double(a[0]), ev_double(a[1]), ev_double(a[2])));
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
