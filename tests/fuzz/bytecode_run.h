// One accepted module in every engine: what the direct interpreter does, machine code must do, too.
#ifndef TESTS_FUZZ_BYTECODE_RUN_H
#define TESTS_FUZZ_BYTECODE_RUN_H

#include <stdint.h>

#include "bytecode/module.h"

typedef struct RunStats {
    uint64_t modules; // that were compared
    uint64_t calls;
    uint64_t traps;
    uint64_t endless; // calls that did not end within the interpreter's fuel
} RunStats;

// Compiles the module at both levels, on every second seed with a collector that moves everything, and calls each of
// its functions with arguments made from the seed: results, traps with their frames, and globals must be those of the
// interpreter. Aborts with a message when they are not. target NULL = this machine; another one is simulated. Modules
// that may touch raw memory, or look at the bits of a NaN, are left alone.
void mutant_run(const BcModule *m, const char *target, uint64_t seed, RunStats *stats);

#endif
