// The control-flow graph of a function: edges, reverse postorder, dominators, loop depth.
#ifndef VTR_IR_DOM_H
#define VTR_IR_DOM_H

#include "ir/ir.h"

// One edge, seen from its target: block call number `target` of the terminator of `from`.
typedef struct CfgEdge {
    Block from;
    uint32_t target; // index into Func.calls
} CfgEdge;

// A snapshot: it does not follow later changes of the function. Arrays are indexed by block number.
typedef struct Cfg {
    const Func *f;
    uint32_t n_blocks; // f->blocks.n when made
    uint32_t *pred_at; // n_blocks + 1 numbers: the edges into b are preds[pred_at[b]] .. preds[pred_at[b + 1] - 1]
    CfgEdge *preds;    // from reachable blocks only, in the reverse postorder of their sources
    Block *rpo;        // the reachable blocks; the entry is first
    uint32_t n_rpo;
    uint32_t *rpo_of;   // place in rpo; NONE = unreachable
    Block *idom;        // immediate dominator; NO_BLOCK for the entry and unreachable blocks
    uint32_t *dom_pre;  // preorder number in the dominator tree
    uint32_t *dom_size; // blocks in its subtree, itself included; 0 = unreachable
    Block *loop;        // header of the innermost natural loop that holds b, or NO_BLOCK
    uint32_t *depth;    // how many natural loops hold b
} Cfg;

// O(n log n) time in blocks and edges, no recursion. Edges are those of each block's last instruction.
Cfg *cfg_new(Arena *arena, const Func *f);

static inline bool cfg_reachable(const Cfg *cfg, Block b) { return cfg->rpo_of[b.i] != NONE; }

// Does every path from the entry to b pass a? A block dominates itself. False when either is unreachable.
static inline bool cfg_dominates(const Cfg *cfg, Block a, Block b) {
    return cfg->dom_pre[b.i] - cfg->dom_pre[a.i] < cfg->dom_size[a.i] && cfg->dom_size[b.i] != 0;
}

// The block calls of a block's terminator: targets[0 .. *n), or *n = 0.
static inline const BlockCall *block_targets(const Func *f, Block b, uint32_t *n) {
    Inst last = block_get(f, b)->last;
    *n = inst_ok(last) ? inst_get(f, last)->n_targets : 0;
    return *n ? &f->calls.v[inst_get(f, last)->targets] : NULL;
}

#endif
