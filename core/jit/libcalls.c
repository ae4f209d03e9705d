// The run-time library (link/libcalls.h) of this process.
#include <math.h>
#include <string.h>

#include "jit/state.h"
#include "link/libcalls.h"

typedef void (*Function)(void);
typedef struct Libcall {
    const char *name;
    Function function;
} Libcall;

static const Libcall libcalls[] = {
#define X(name, function) {#name, (Function)function},
    LIBCALLS(X)
#undef X
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
