// Immediate dominators of any graph.
#ifndef VTR_IR_DOMINATORS_H
#define VTR_IR_DOMINATORS_H

#include "support/ctx.h"

// Vertices are the numbers that a depth-first walk from the root gives them in preorder: the root is 0, all are
// reached.
typedef struct DomGraph {
    uint32_t n;
    uint32_t *parent;  // in the tree of the walk; the root's means nothing
    uint32_t *pred_at; // n + 1 numbers: the edges into v are from preds[pred_at[v]] .. preds[pred_at[v + 1] - 1]
    uint32_t *preds;
} DomGraph;

// A graph of at most n vertices and n_edges edges, to be filled in: with `n` as it turns out.
DomGraph dom_graph(Arena *arena, uint32_t n, uint32_t n_edges);

// By vertex its immediate dominator; NONE for the root. In `arena`, like the working data. O(m log n), no recursion.
uint32_t *dom_immediate(Arena *arena, const DomGraph *graph);

#endif
