// The C compiler's code and ours, linked into one program, call each other.
#include "object_test.h"

#include <stdio.h>
#include <string.h>

static unsigned fail(const ObjectCase *c, const char *what) {
    printf("%s: %s\n", what, c->signature);
    return 1;
}

int main(void) {
    unsigned failed = 0;
    for (unsigned k = 0; k < n_cases; k++) {
        unsigned char buffer[1024];
        const ObjectCase *c = &cases[k];
        memset(buffer, 0xcc, sizeof buffer);
        if (!c->call_take(c->take, buffer)) failed += fail(c, "C calls ours");
        memset(buffer, 0xcc, sizeof buffer);
        memset(abi_got, 0xcc, sizeof abi_got);
        if (!c->call_make(c->make, buffer)) failed += fail(c, "ours calls C: result");
        else if (!abi_arguments_right) failed += fail(c, "ours calls C: argument");
    }
    printf("%u signatures, %u failures\n", n_cases, failed);
    return failed || !n_cases;
}
