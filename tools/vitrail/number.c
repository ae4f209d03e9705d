#include "number.h"

#include <errno.h>
#include <stdlib.h>

uint64_t read_number(struct argp_state *state, const char *option, const char *text, uint64_t max) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || n > max) {
        argp_error(state, "%s wants a number of at most %llu, not '%s'", option, (unsigned long long)max, text);
    }
    return n;
}
