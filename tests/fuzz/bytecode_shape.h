// Random changes of a module's content that keep it a module: what byte-wise damage, nearly always refused, never gets
// to.
#ifndef TESTS_FUZZ_BYTECODE_SHAPE_H
#define TESTS_FUZZ_BYTECODE_SHAPE_H

#include "bytecode/module.h"

static inline uint64_t shape_random(uint64_t *state) { // splitmix64
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

// Makes up to `changes` changes to a verified module, each of which leaves it verified: operands, opcodes, modifiers,
// new and moved instructions, copied blocks, other edges, register types, constants. How many were made.
unsigned shape_change(BcModule *m, uint64_t *state, unsigned changes);

#endif
