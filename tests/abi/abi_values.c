#include "abi_values.h"

#include <string.h>

unsigned char abi_got[256];
bool abi_arguments_right;

void abi_put(unsigned char *slots, const AbiValue *values, unsigned n) {
    for (unsigned k = 0; k < n; k++) memcpy(slots + 8 * k, &values[k].bits, values[k].size);
}

bool abi_same(const unsigned char *slots, const AbiValue *values, unsigned n) {
    for (unsigned k = 0; k < n; k++)
        if (memcmp(slots + 8 * k, &values[k].bits, values[k].size)) return false;
    return true;
}
