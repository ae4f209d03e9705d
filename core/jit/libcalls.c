// The run-time library: what expansions of opcodes call (md/expand.md), by name.
#include <math.h>
#include <string.h>

#include "jit/state.h"

typedef void (*Function)(void);
typedef struct Libcall {
    const char *name;
    Function function;
} Libcall;

// Sorted by name. Nearest rounds ties to even, as nearbyint() does in the default rounding mode.
static const Libcall libcalls[] = {
    {"CeilF32", (Function)ceilf},   {"CeilF64", (Function)ceil},          {"FloorF32", (Function)floorf},
    {"FloorF64", (Function)floor},  {"FmaF32", (Function)fmaf},           {"FmaF64", (Function)fma},
    {"Memcmp", (Function)memcmp},   {"Memcpy", (Function)memcpy},         {"Memmove", (Function)memmove},
    {"Memset", (Function)memset},   {"NearestF32", (Function)nearbyintf}, {"NearestF64", (Function)nearbyint},
    {"TruncF32", (Function)truncf}, {"TruncF64", (Function)trunc},
};

void *jit_libcall(ExtName name) {
    if (name.kind != NAME_TEXT) return NULL;
    size_t low = 0;
    size_t high = sizeof libcalls / sizeof *libcalls;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(libcalls[mid].name, name.text);
        if (order == 0) return (void *)(uintptr_t)libcalls[mid].function;
        if (order < 0) low = mid + 1;
        else high = mid;
    }
    return NULL;
}
