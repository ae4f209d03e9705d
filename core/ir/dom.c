// Control-flow graph, dominators and loops.
//
// Dominators: Lengauer and Tarjan, "A fast algorithm for finding dominators in a flowgraph" (TOPLAS 1979), the
// simple version with path compression, O(m log n). (The iterative scheme of Cooper, Harvey and Kennedy is shorter
// but quadratic on ladders of branches.) Vertices are numbered in depth-first preorder; semi[w] is the smallest
// number from which w is reached by a path whose inner vertices all have numbers above w's.
//
// Loops: natural loops only, found from their back edges (target dominates source), inner headers first. A walk
// backwards from the latches claims blocks; blocks of an inner loop are skipped as a whole by going on at its
// outermost header so far, found by union-find. So each edge is looked at a bounded number of times. An irreducible
// cycle has no header that dominates it and counts as no loop.
#include "ir/dom.h"

typedef struct Walk {
    uint32_t block;
    uint32_t next; // which target to take next
} Walk;

typedef struct Lt {
    Cfg *cfg;
    uint32_t n;       // reachable blocks
    uint32_t *number; // block -> preorder number, NONE = unreachable
    uint32_t *vertex; // preorder number -> block; all arrays below are by preorder number
    uint32_t *parent; // in the depth-first tree
    uint32_t *semi;
    uint32_t *ancestor; // in the link-eval forest, NONE = a root
    uint32_t *label;    // vertex of least semi on the compressed path
    uint32_t *idom;
    uint32_t *bucket; // first vertex with this semi-dominator; chained by bucket_next
    uint32_t *bucket_next;
    uint32_t *stack;
} Lt;

// Depth-first walk from the entry: preorder numbers, tree parents, and the reverse postorder.
static void cfg_walk(Arena *arena, Lt *lt) {
    Cfg *cfg = lt->cfg;
    const Func *f = cfg->f;
    Walk *stack = NEW_ARRAY(arena, Walk, cfg->n_blocks + 1);
    uint32_t depth = 0;
    uint32_t n_post = cfg->n_blocks; // postorder is written from the end: what is left is the reverse
    if (block_ok(f->first)) {
        lt->number[f->first.i] = 0;
        lt->vertex[0] = f->first.i;
        lt->parent[0] = NONE;
        lt->n = 1;
        stack[depth++] = (Walk){f->first.i, 0};
    }
    while (depth) {
        Walk *top = &stack[depth - 1];
        uint32_t n_targets;
        const BlockCall *targets = block_targets(f, (Block){top->block}, &n_targets);
        if (top->next == n_targets) {
            cfg->rpo[--n_post] = (Block){top->block};
            depth--;
            continue;
        }
        uint32_t to = targets[top->next++].block.i;
        if (lt->number[to] != NONE) continue;
        lt->number[to] = lt->n;
        lt->vertex[lt->n] = to;
        lt->parent[lt->n] = lt->number[top->block];
        lt->n++;
        stack[depth++] = (Walk){to, 0};
    }
    cfg->n_rpo = lt->n;
    for (uint32_t k = 0; k < lt->n; k++) {
        cfg->rpo[k] = cfg->rpo[n_post + k];
        cfg->rpo_of[cfg->rpo[k].i] = k;
    }
}

static void cfg_edges(Arena *arena, Cfg *cfg) {
    const Func *f = cfg->f;
    uint32_t n_targets;
    for (uint32_t k = 0; k < cfg->n_rpo; k++) {
        const BlockCall *targets = block_targets(f, cfg->rpo[k], &n_targets);
        for (uint32_t t = 0; t < n_targets; t++) cfg->pred_at[targets[t].block.i + 1]++;
    }
    for (uint32_t b = 0; b < cfg->n_blocks; b++) cfg->pred_at[b + 1] += cfg->pred_at[b];
    cfg->preds = NEW_ARRAY(arena, CfgEdge, cfg->pred_at[cfg->n_blocks]);
    uint32_t *at = arena_copy(arena, cfg->pred_at, (cfg->n_blocks + 1) * sizeof(uint32_t));
    for (uint32_t k = 0; k < cfg->n_rpo; k++) {
        const BlockCall *targets = block_targets(f, cfg->rpo[k], &n_targets);
        for (uint32_t t = 0; t < n_targets; t++) {
            cfg->preds[at[targets[t].block.i]++] = (CfgEdge){cfg->rpo[k], (uint32_t)(targets - f->calls.v) + t};
        }
    }
}

// The vertex of least semi on the path from v up to (not including) its root; compresses that path.
static uint32_t lt_eval(Lt *lt, uint32_t v) {
    if (lt->ancestor[v] == NONE) return v;
    uint32_t depth = 0;
    for (uint32_t u = v; lt->ancestor[lt->ancestor[u]] != NONE; u = lt->ancestor[u]) lt->stack[depth++] = u;
    while (depth) {
        uint32_t u = lt->stack[--depth];
        uint32_t a = lt->ancestor[u];
        if (lt->semi[lt->label[a]] < lt->semi[lt->label[u]]) lt->label[u] = lt->label[a];
        lt->ancestor[u] = lt->ancestor[a];
    }
    return lt->label[v];
}

static void lt_dominators(Lt *lt) {
    Cfg *cfg = lt->cfg;
    for (uint32_t w = 0; w < lt->n; w++) {
        lt->semi[w] = w;
        lt->label[w] = w;
        lt->ancestor[w] = NONE;
        lt->bucket[w] = NONE;
    }
    for (uint32_t w = lt->n; w-- > 1;) {
        uint32_t b = lt->vertex[w];
        for (uint32_t e = cfg->pred_at[b]; e < cfg->pred_at[b + 1]; e++) {
            uint32_t u = lt_eval(lt, lt->number[cfg->preds[e].from.i]);
            if (lt->semi[u] < lt->semi[w]) lt->semi[w] = lt->semi[u];
        }
        lt->bucket_next[w] = lt->bucket[lt->semi[w]];
        lt->bucket[lt->semi[w]] = w;
        uint32_t p = lt->parent[w];
        lt->ancestor[w] = p;
        for (uint32_t v = lt->bucket[p]; v != NONE; v = lt->bucket_next[v]) {
            uint32_t u = lt_eval(lt, v);
            lt->idom[v] = lt->semi[u] < lt->semi[v] ? u : p;
        }
        lt->bucket[p] = NONE;
    }
    for (uint32_t w = 1; w < lt->n; w++) {
        if (lt->idom[w] != lt->semi[w]) lt->idom[w] = lt->idom[lt->idom[w]];
        cfg->idom[lt->vertex[w]] = (Block){lt->vertex[lt->idom[w]]};
    }
}

// Preorder numbers of the dominator tree: an immediate dominator always has the smaller depth-first number.
static void cfg_tree(Arena *arena, Lt *lt) {
    Cfg *cfg = lt->cfg;
    uint32_t *next = NEW_ARRAY(arena, uint32_t, cfg->n_blocks + 1);
    for (uint32_t w = lt->n; w-- > 0;) {
        uint32_t b = lt->vertex[w];
        cfg->dom_size[b]++;
        if (w) cfg->dom_size[cfg->idom[b].i] += cfg->dom_size[b];
    }
    for (uint32_t w = 0; w < lt->n; w++) {
        uint32_t b = lt->vertex[w];
        if (w) {
            cfg->dom_pre[b] = next[cfg->idom[b].i];
            next[cfg->idom[b].i] += cfg->dom_size[b];
        }
        next[b] = cfg->dom_pre[b] + 1;
    }
}

static uint32_t loop_root(uint32_t *outer, uint32_t b) {
    while (outer[b] != b) {
        outer[b] = outer[outer[b]];
        b = outer[b];
    }
    return b;
}

static void cfg_loops(Arena *arena, Cfg *cfg) {
    uint32_t *outer = NEW_ARRAY(arena, uint32_t, cfg->n_blocks + 1); // union-find: loop member -> outermost header
    Block *up = NEW_ARRAY(arena, Block, cfg->n_blocks + 1);          // header -> header of the loop around it
    VEC(uint32_t) work = {0};
    for (uint32_t b = 0; b < cfg->n_blocks; b++) {
        outer[b] = b;
        up[b] = NO_BLOCK;
    }
    for (uint32_t k = cfg->n_rpo; k-- > 0;) {
        uint32_t h = cfg->rpo[k].i;
        bool header = false;
        for (uint32_t e = cfg->pred_at[h]; e < cfg->pred_at[h + 1]; e++) {
            if (!cfg_dominates(cfg, (Block){h}, cfg->preds[e].from)) continue;
            header = true;
            vec_push(arena, &work, cfg->preds[e].from.i);
        }
        if (header) cfg->loop[h] = (Block){h};
        while (work.n) {
            uint32_t b = loop_root(outer, work.v[--work.n]);
            if (b == h) continue;
            outer[b] = h;
            if (block_ok(cfg->loop[b])) {
                up[b] = (Block){h};
            } else {
                cfg->loop[b] = (Block){h};
            }
            for (uint32_t e = cfg->pred_at[b]; e < cfg->pred_at[b + 1]; e++) {
                vec_push(arena, &work, cfg->preds[e].from.i);
            }
        }
    }
    for (uint32_t k = 0; k < cfg->n_rpo; k++) {
        uint32_t b = cfg->rpo[k].i;
        if (!block_ok(cfg->loop[b])) continue;
        uint32_t h = cfg->loop[b].i;
        if (h != b) {
            cfg->depth[b] = cfg->depth[h];
        } else {
            cfg->depth[b] = 1 + (block_ok(up[b]) ? cfg->depth[up[b].i] : 0);
        }
    }
}

Cfg *cfg_new(Arena *arena, const Func *f) {
    Cfg *cfg = NEW(arena, Cfg);
    uint32_t n = f->blocks.n;
    cfg->f = f;
    cfg->n_blocks = n;
    cfg->pred_at = NEW_ARRAY(arena, uint32_t, (size_t)n + 2);
    cfg->rpo = NEW_ARRAY(arena, Block, n);
    cfg->rpo_of = NEW_ARRAY(arena, uint32_t, n);
    cfg->idom = NEW_ARRAY(arena, Block, n);
    cfg->dom_pre = NEW_ARRAY(arena, uint32_t, n);
    cfg->dom_size = NEW_ARRAY(arena, uint32_t, n);
    cfg->loop = NEW_ARRAY(arena, Block, n);
    cfg->depth = NEW_ARRAY(arena, uint32_t, n);
    Arena *scratch = arena_new(arena_ctx(arena));
    uint32_t **arrays[9];
    Lt lt = {.cfg = cfg};
    arrays[0] = &lt.number;
    arrays[1] = &lt.vertex;
    arrays[2] = &lt.parent;
    arrays[3] = &lt.semi;
    arrays[4] = &lt.ancestor;
    arrays[5] = &lt.label;
    arrays[6] = &lt.idom;
    arrays[7] = &lt.bucket;
    arrays[8] = &lt.bucket_next;
    for (int k = 0; k < 9; k++) *arrays[k] = NEW_ARRAY(scratch, uint32_t, (size_t)n + 1);
    lt.stack = NEW_ARRAY(scratch, uint32_t, (size_t)n + 1);
    for (uint32_t b = 0; b < n; b++) {
        lt.number[b] = NONE;
        cfg->rpo_of[b] = NONE;
        cfg->idom[b] = NO_BLOCK;
        cfg->loop[b] = NO_BLOCK;
    }
    cfg_walk(scratch, &lt);
    cfg_edges(arena, cfg);
    lt_dominators(&lt);
    cfg_tree(scratch, &lt);
    cfg_loops(scratch, cfg);
    arena_free(scratch);
    return cfg;
}
