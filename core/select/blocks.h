// The shape of the machine code: which IR blocks are reached, in which order they are selected and emitted, which
// edges need a block of their own, and how deep in loops each block is.
#ifndef VTR_SELECT_BLOCKS_H
#define VTR_SELECT_BLOCKS_H

#include "select/sel.h"

// Makes m->blocks (without instructions), and in `s`: blocks, calls. Returns the reached IR blocks in the order to
// select them in: every block after all those that it dominates.
typedef struct BlockOrder {
    uint32_t *v;
    uint32_t n;
} BlockOrder;
BlockOrder blocks_make(Sel *s);

// After selection: fills preds and succs of the machine blocks from what blocks_make() decided, with the vregs
// of block-call arguments taken from s->calls.
void blocks_connect(Sel *s);

#endif
