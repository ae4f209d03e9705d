// What generated signatures carry: values in slots of eight bytes, the lowest byte first.
#ifndef ABI_VALUES_H
#define ABI_VALUES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct AbiValue {
    uint64_t bits;
    unsigned size; // in bytes
} AbiValue;

void abi_put(unsigned char *slots, const AbiValue *values, unsigned n);
bool abi_same(const unsigned char *slots, const AbiValue *values, unsigned n);

// The arguments of the C callee that was called last, and whether they were right.
extern unsigned char abi_got[256];
extern bool abi_arguments_right;

#endif
