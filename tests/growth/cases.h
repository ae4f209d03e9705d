// Worst cases for a compiler, as IR text of any size.
#ifndef TESTS_GROWTH_CASES_H
#define TESTS_GROWTH_CASES_H

#include "support/buf.h"

enum {
    GROWTH_REGISTERS = 1, // for machines with registers only: too many parameters for a stack machine
    GROWTH_SQUEEZE = 2,   // much does not fit or reach (Stress.squeeze)
    GROWTH_CHECK = 16,    // and proved (verify/)
    GROWTH_OBJECT = 4,    // into an object file
    GROWTH_BATCHES = 8    // each function published as it is compiled, and freed at the end
};

typedef struct GrowthCase {
    const char *name;
    uint32_t most;                     // the larger of the sizes that are compared
    unsigned how;                      // GROWTH_*
    void (*write)(Buf *b, uint32_t n); // a text whose length is proportional to n
} GrowthCase;

extern const GrowthCase growth_cases[];
extern const unsigned n_growth_cases;

#endif
