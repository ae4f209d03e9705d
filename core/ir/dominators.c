// Lengauer and Tarjan, "A fast algorithm for finding dominators in a flowgraph" (TOPLAS 1979), the simple version with
// path compression. (The iterative scheme of Cooper, Harvey and Kennedy is shorter but quadratic on ladders of
// branches.)
//
// Theory. semi[w] is the smallest number from which w is reached by a path whose inner vertices all have numbers above
// w's. From the highest number down, the vertices done form a forest that grows by an edge from each to its parent;
// label[v] is the vertex of least semi on v's path to its root as far as it has been shortened. The immediate dominator
// of w is semi[w], unless a vertex between the two on the tree path has a smaller semi: then it is that one's. It is
// known when semi[w]'s child on the path is done, which is what the buckets wait for.
//
//   0 -> 1, 0 -> 2, 1 -> 2: walk 0, 1, 2. semi[2] = 0, because 0 -> 2; so 0 dominates 2, its tree parent 1 does not.
#include "ir/dominators.h"

#include "ir/ir.h"

typedef struct Lt {
    uint32_t *semi;
    uint32_t *ancestor; // in the forest, NONE = a root
    uint32_t *label;
    uint32_t *bucket; // first vertex with this semi-dominator; chained by next
    uint32_t *next;
    uint32_t *path; // scratch of lt_eval()
} Lt;

DomGraph dom_graph(Arena *arena, uint32_t n, uint32_t n_edges) {
    DomGraph graph = {.n = n};
    graph.parent = NEW_ARRAY(arena, uint32_t, n);
    graph.pred_at = NEW_ARRAY(arena, uint32_t, (size_t)n + 1);
    graph.preds = NEW_ARRAY(arena, uint32_t, n_edges);
    return graph;
}

// The vertex of least semi on the path from v up to (not including) its root; compresses that path.
static uint32_t lt_eval(Lt *lt, uint32_t v) {
    if (lt->ancestor[v] == NONE) return v;
    uint32_t depth = 0;
    for (uint32_t u = v; lt->ancestor[lt->ancestor[u]] != NONE; u = lt->ancestor[u]) lt->path[depth++] = u;
    while (depth) {
        uint32_t u = lt->path[--depth];
        uint32_t a = lt->ancestor[u];
        if (lt->semi[lt->label[a]] < lt->semi[lt->label[u]]) lt->label[u] = lt->label[a];
        lt->ancestor[u] = lt->ancestor[a];
    }
    return lt->label[v];
}

uint32_t *dom_immediate(Arena *arena, const DomGraph *graph) {
    uint32_t n = graph->n;
    uint32_t *idom = all_none(arena, n);
    Lt lt = {.ancestor = all_none(arena, n), .bucket = all_none(arena, n)};
    lt.semi = NEW_ARRAY(arena, uint32_t, n);
    lt.label = NEW_ARRAY(arena, uint32_t, n);
    lt.next = NEW_ARRAY(arena, uint32_t, n);
    lt.path = NEW_ARRAY(arena, uint32_t, n);
    for (uint32_t w = 0; w < n; w++) {
        lt.semi[w] = w;
        lt.label[w] = w;
    }
    for (uint32_t w = n; w-- > 1;) {
        for (uint32_t e = graph->pred_at[w]; e < graph->pred_at[w + 1]; e++) {
            uint32_t u = lt_eval(&lt, graph->preds[e]);
            if (lt.semi[u] < lt.semi[w]) lt.semi[w] = lt.semi[u];
        }
        lt.next[w] = lt.bucket[lt.semi[w]];
        lt.bucket[lt.semi[w]] = w;
        uint32_t p = graph->parent[w];
        lt.ancestor[w] = p;
        for (uint32_t v = lt.bucket[p]; v != NONE; v = lt.next[v]) {
            uint32_t u = lt_eval(&lt, v);
            idom[v] = lt.semi[u] < lt.semi[v] ? u : p;
        }
        lt.bucket[p] = NONE;
    }
    for (uint32_t w = 1; w < n; w++) {
        if (idom[w] != lt.semi[w]) idom[w] = idom[idom[w]];
    }
    return idom;
}
