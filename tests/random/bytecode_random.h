// Random bytecode, as .vita text: modules whose functions end, with every instruction that has a defined meaning.
//
// Registers are variables, so blocks may branch anywhere; that everything ends is seen to by a count that each branch
// backwards passes. What is kept from view: addresses, and the bits of a NaN (a float is made a number before its bits
// or its sign are looked at).
#ifndef TESTS_BYTECODE_RANDOM_H
#define TESTS_BYTECODE_RANDOM_H

#include "random.h"
#include "support/buf.h"

enum { BYTECODE_FUNCTIONS = 4, BYTECODE_GLOBALS = 4 };

// Appends a module: it exports f0, f1, ... (each calls only earlier ones) and get0, get1, ..., which give the globals.
// Returns how many f there are.
uint32_t random_module(Buf *out, uint64_t seed, uint32_t size);

#endif
