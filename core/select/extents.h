// Where values may be live, rounded up to runs of blocks (extents.c has the theory).
#ifndef VTR_SELECT_EXTENTS_H
#define VTR_SELECT_EXTENTS_H

#include "select/mfunc.h"

// Along how many edges the liveness of one value is followed exactly; one that goes farther is rounded.
static inline uint32_t extents_exact(const Stress *stress) { return stress && stress->edges ? stress->edges : 512; }

// Blocks [from, to) of MFunc.blocks.
typedef struct BlockRun {
    uint32_t from, to;
} BlockRun;

typedef struct Extents Extents;

Extents *extents_new(Arena *arena, const MFunc *m);
// The block's number in an order in which a block comes before all that it dominates.
uint32_t extents_number(const Extents *e, uint32_t block);
// Runs, ascending and apart, that hold every block where a value is live that is defined in block `def`, `last` being
// the largest number of a block that reads it, or of `def`. Returns how many there are: 1 or 2.
unsigned extents_runs(const Extents *e, uint32_t def, uint32_t last, BlockRun runs[2]);

#endif
