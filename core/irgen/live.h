// Which references are live at each safepoint of a bytecode function.
#ifndef VTR_IRGEN_LIVE_H
#define VTR_IRGEN_LIVE_H

#include "bytecode/module.h"
#include "support/vec.h"

typedef struct LivePoint {
    uint32_t at, n; // run in Live.regs: reference registers live across it
} LivePoint;

// The safepoints in the order in which irgen meets them: function entry; then in each reachable block every call and
// allocation (what is live after it, its result excepted) and, before a terminator with a back edge, the poll.
typedef struct Live {
    VEC(LivePoint) points;
    VEC(uint16_t) regs;
    // By register: to store it wherever it is written takes no more instructions than to store it before the calls
    // across which it is live. Nulls and constant objects do not count: the collector need not find them here.
    bool *at_writes;
} Live;

typedef enum LiveKind { LIVE_NOT, LIVE_AFTER, LIVE_BEFORE } LiveKind;
// Whether an instruction of block `block` is a safepoint in the sense above.
LiveKind live_kind(const BcFunc *f, uint32_t block, const BcInst *inst);

// `reached` tells which blocks can be reached. NULL when no register holds references. Throws VTR_ERR_LIMIT when the
// lists would grow beyond a cap.
const Live *live_refs(Arena *arena, const BcModule *m, const BcFunc *f, const bool *reached);

// Visits the labels of a terminator, duplicates included.
void live_targets(const BcFunc *f, const BcInst *term, void (*visit)(void *data, uint32_t label), void *data);

#endif
