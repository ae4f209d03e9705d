// One mutant through the loader and everything behind it; shared by the libFuzzer target and the mutation driver.
#ifndef TESTS_FUZZ_BYTECODE_MUTANT_H
#define TESTS_FUZZ_BYTECODE_MUTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Memory that loading may take.
#define MUTANT_MEMORY (UINT64_C(64) << 20)

typedef struct MutantStats {
    uint64_t tried;
    uint64_t accepted;
    uint64_t calls;
    uint64_t traps;
    uint64_t peak; // bytes
} MutantStats;

// Makes the CRC of a module right, if it is long enough to have one.
void mutant_repair(uint8_t *bytes, size_t n);

// Loads the bytes. An accepted module is written, disassembled and assembled; what it exports is run with little fuel,
// unless it may touch raw memory. Aborts when something is wrong: memory over the limit, a module that writes other
// bytes than were read, text that does not assemble.
void mutant_try(const uint8_t *bytes, size_t n, MutantStats *stats);

#endif
