// libFuzzer target: modules with a repaired CRC through the loader, the writers and the interpreter.
#include <string.h>

#include "bytecode_mutant.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    (void)seed;
    size = LLVMFuzzerMutate(data, size, max_size);
    mutant_repair(data, size);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    MutantStats stats = {0};
    mutant_try(data, size, &stats);
    return 0;
}
