// Random IR: programs of verified functions that end, and whose meaning is defined wherever they look.
//
// What is kept from view: addresses (they differ from run to run), and the bits of a NaN that arithmetic made (they
// differ between machines and optimisations). A float that may be such a NaN is `loose`: before its bits are looked
// at (stored, cast, combined bit by bit) it goes through a select that replaces any NaN.
#ifndef TESTS_IR_RANDOM_H
#define TESTS_IR_RANDOM_H

#include "graph.h"
#include "ir/ir.h"
#include "random.h"

// What each function's pointer parameter points to: bytes for random accesses, and behind them, of programs over random
// graphs, what all their functions share: fuel, calls that may be made, and the trail of what was done.
enum { RANDOM_BUFFER = 64, RANDOM_FUEL = 64, RANDOM_CALLS = 72, RANDOM_TRAIL = 80, RANDOM_ROOM = 88 };

typedef struct RandomOptions {
    uint64_t seed;
    uint32_t space;              // functions are named u<space>:0, u<space>:1, ...
    bool graphs;                 // over random graphs, else of nested statements
    uint32_t size;               // statements per function, about; of graphs: percent of the sizes there
    uint32_t n_funcs;            // at most so many functions
    bool values_only;            // no calls, no memory: what the passes alone are about
    const struct Target *target; // whose conventions there are; NULL = all
} RandomOptions;

typedef struct RandomProgram {
    Func **funcs; // of nested statements: each calls only those before it
    uint32_t n;
    Func *entry;         // the last one
    uint32_t memory_arg; // which of its parameters is the pointer; NONE with values_only
    // Of graphs: how many of each shape, and in how many functions.
    uint32_t shapes[N_SHAPES], with_shape[N_SHAPES];
} RandomProgram;

// Makes a program; each function has an arena of its own.
RandomProgram random_program(Arena *arena, const RandomOptions *options);

#endif
