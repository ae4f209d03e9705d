// Control-flow graph, dominators and loops.
//
// Loops: natural loops only, found from their back edges (target dominates source), inner headers first. A walk
// backwards from the latches claims blocks; blocks of an inner loop are skipped as a whole by going on at its
// outermost header so far, found by union-find. So each edge is looked at a bounded number of times. An irreducible
// cycle has no header that dominates it and counts as no loop.
#include "ir/dom.h"

#include "ir/dominators.h"

typedef struct Walk {
    uint32_t block;
    uint32_t next; // which target to take next
} Walk;

// The walk's numbers.
typedef struct Preorder {
    Cfg *cfg;
    uint32_t n;       // reachable blocks
    uint32_t *number; // block -> preorder number, NONE = unreachable
    uint32_t *vertex; // preorder number -> block
    uint32_t *parent; // preorder number -> that of the parent in the depth-first tree
} Preorder;

// Depth-first walk from the entry: preorder numbers, tree parents, and the reverse postorder.
static void cfg_walk(Arena *arena, Preorder *pre) {
    Cfg *cfg = pre->cfg;
    const Func *f = cfg->f;
    Walk *stack = NEW_ARRAY(arena, Walk, cfg->n_blocks + 1);
    uint32_t depth = 0;
    uint32_t n_post = cfg->n_blocks; // postorder is written from the end: what is left is the reverse
    if (block_ok(f->first)) {
        pre->number[f->first.i] = 0;
        pre->vertex[0] = f->first.i;
        pre->parent[0] = NONE;
        pre->n = 1;
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
        if (pre->number[to] != NONE) continue;
        pre->number[to] = pre->n;
        pre->vertex[pre->n] = to;
        pre->parent[pre->n] = pre->number[top->block];
        pre->n++;
        stack[depth++] = (Walk){to, 0};
    }
    cfg->n_rpo = pre->n;
    for (uint32_t k = 0; k < pre->n; k++) {
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

static void cfg_dominators(Arena *arena, const Preorder *pre) {
    Cfg *cfg = pre->cfg;
    DomGraph graph = dom_graph(arena, pre->n, cfg->pred_at[cfg->n_blocks]);
    uint32_t n = 0;
    for (uint32_t w = 0; w < pre->n; w++) {
        uint32_t b = pre->vertex[w];
        graph.parent[w] = pre->parent[w];
        for (uint32_t e = cfg->pred_at[b]; e < cfg->pred_at[b + 1]; e++)
            graph.preds[n++] = pre->number[cfg->preds[e].from.i];
        graph.pred_at[w + 1] = n;
    }
    const uint32_t *idom = dom_immediate(arena, &graph);
    for (uint32_t w = 1; w < pre->n; w++) cfg->idom[pre->vertex[w]] = (Block){pre->vertex[idom[w]]};
}

// Preorder numbers of the dominator tree: an immediate dominator always has the smaller depth-first number.
static void cfg_tree(Arena *arena, Preorder *pre) {
    Cfg *cfg = pre->cfg;
    uint32_t *next = NEW_ARRAY(arena, uint32_t, cfg->n_blocks + 1);
    for (uint32_t w = pre->n; w-- > 0;) {
        uint32_t b = pre->vertex[w];
        cfg->dom_size[b]++;
        if (w) cfg->dom_size[cfg->idom[b].i] += cfg->dom_size[b];
    }
    for (uint32_t w = 0; w < pre->n; w++) {
        uint32_t b = pre->vertex[w];
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
    Preorder pre = {.cfg = cfg, .number = all_none(scratch, n)};
    pre.vertex = NEW_ARRAY(scratch, uint32_t, (size_t)n + 1);
    pre.parent = NEW_ARRAY(scratch, uint32_t, (size_t)n + 1);
    for (uint32_t b = 0; b < n; b++) {
        cfg->rpo_of[b] = NONE;
        cfg->idom[b] = NO_BLOCK;
        cfg->loop[b] = NO_BLOCK;
    }
    cfg_walk(scratch, &pre);
    cfg_edges(arena, cfg);
    cfg_dominators(scratch, &pre);
    cfg_tree(scratch, &pre);
    cfg_loops(scratch, cfg);
    arena_free(scratch);
    return cfg;
}
