// Worst cases for a compiler, as IR text of any size.
#ifndef TESTS_GROWTH_CASES_H
#define TESTS_GROWTH_CASES_H

#include "support/buf.h"

typedef struct GrowthCase {
    const char *name;
    uint32_t most;                     // the largest size measured; smaller ones are halves of it
    bool registers;                    // for machines with registers only: too many parameters for a stack machine
    void (*write)(Buf *b, uint32_t n); // a text whose length is proportional to n
} GrowthCase;

extern const GrowthCase growth_cases[];
extern const unsigned n_growth_cases;

#endif
