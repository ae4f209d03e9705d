// What structured code needs to know of the control flow: dominators, loops, and where each node stands.
//
// Theory. Norman Ramsey, "Beyond Relooper: recursive translation of unstructured control flow to structured control
// flow" (ICFP 2022): the code of a node is followed by, or holds, the code of the nodes that it immediately dominates.
// One that is reached from a single place, by a jump or an arm of a condition, is part of the code there; any other
// stands behind a `block` that encloses what comes before it, in reverse postorder, so that every branch to it is a
// branch out of that block. A node that is reached from what it dominates is the start of a `loop`.
//
// Ramsey's loops hold all that their header dominates. Here what is not in the loop stands behind it: engines see what
// is loop from the syntax, and the nest of loops in a row would grow with each. A node Y whose immediate dominator D
// is in loops that Y is not in stands behind the outermost of these, as if the header of that loop had it. That every
// branch to Y still leaves a block (or falls into Y) follows from reducibility: let H be that header and S -> Y an
// edge. S is dominated by D, thus by H. Were S in code that stands behind a still outer loop L, then S would not be
// in L, and Y would have to be (else L, which holds H, were the outermost that D is in and Y is not), so S -> Y would
// enter L other than by its header. Likewise when Y stands inside of D. Exits without successors stay where they are
// reached, since a return needs no place to go on; but not those at the start or the end of a loop, which cost nothing
// behind it.
//
// Loops: from each header, innermost first, backwards from the edges that return to it; what was found is
// contracted by union-find (Tarjan, "Testing flow graph reducibility", 1974).
#include "ir/dominators.h"
#include "stack/flow.h"

typedef struct Walk {
    uint32_t node, next;
} Walk;

// The walk's numbers.
typedef struct Preorder {
    Arena *arena;
    const Flow *f;
    uint32_t n;
    uint32_t *number; // node -> preorder number, NONE = not reached
    uint32_t *vertex; // preorder number -> node
    uint32_t *parent; // preorder number -> that of the parent in the depth-first tree
} Preorder;

// The edges into each node: those of node v are in[first[v]] to in[first[v + 1]], without those from nodes that are not
// reached.
typedef struct Preds {
    uint32_t *first, *in;
} Preds;

// ---- order ------------------------------------------------------------------------------------------

// For the order among successors: blocks stand in the order of the input, cold ones last.
static uint32_t rank(const Flow *f, uint32_t node) {
    for (unsigned k = 0; k < 2 && f->nodes.v[node].kind == FLOW_EDGE; k++) node = f->edges.v[f->nodes.v[node].first].to;
    return f->nodes.v[node].kind == FLOW_BLOCK ? node : 0;
}

// The k-th successor to visit: in reverse postorder what was visited first comes last.
static uint32_t visit(const Flow *f, const FlowNode *node, uint32_t k) {
    uint32_t e = node->first + (node->n - 1 - k);
    if (node->n == 2 && rank(f, f->edges.v[node->first].to) > rank(f, f->edges.v[node->first + 1].to))
        e = node->first + k;
    return f->edges.v[e].to;
}

static void walk(Preorder *pre, FlowOrder *o) {
    const Flow *f = pre->f;
    uint32_t n = f->nodes.n;
    Walk *stack = NEW_ARRAY(pre->arena, Walk, n);
    uint32_t depth = 1;
    uint32_t post = n; // written from the end: what is left is the reverse
    stack[0] = (Walk){0, 0};
    pre->number[0] = 0;
    pre->parent[0] = NONE;
    pre->n = 1;
    while (depth) {
        Walk *top = &stack[depth - 1];
        const FlowNode *node = &f->nodes.v[top->node];
        if (top->next == node->n) {
            o->rpo[--post] = top->node;
            depth--;
            continue;
        }
        uint32_t to = visit(f, node, top->next++);
        if (pre->number[to] != NONE) continue;
        pre->number[to] = pre->n;
        pre->vertex[pre->n] = to;
        pre->parent[pre->n++] = pre->number[top->node];
        stack[depth++] = (Walk){to, 0};
    }
    o->n_rpo = n - post;
    o->rpo += post;
    for (uint32_t k = 0; k < o->n_rpo; k++) o->number[o->rpo[k]] = k;
}

static Preds preds_of(Arena *arena, const Flow *f, const FlowOrder *o) {
    Preds p = {NEW_ARRAY(arena, uint32_t, f->nodes.n + 2), NULL};
    uint32_t n = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t k = 0; k < o->n_rpo; k++) {
            const FlowNode *node = &f->nodes.v[o->rpo[k]];
            for (uint32_t e = node->first; e < node->first + node->n; e++) {
                uint32_t *at = &p.first[f->edges.v[e].to + 2 - pass];
                if (pass) p.in[*at] = e;
                ++*at;
                n++;
            }
        }
        if (pass) break;
        for (uint32_t v = 2; v < f->nodes.n + 2; v++) p.first[v] += p.first[v - 1];
        p.in = NEW_ARRAY(arena, uint32_t, n);
    }
    return p;
}

// ---- dominators ---------------------------------------------------------------------------------------

static void dominators(const Preorder *pre, const Preds *preds, FlowOrder *o) {
    DomGraph graph = dom_graph(pre->arena, pre->n, preds->first[pre->f->nodes.n]);
    uint32_t n = 0;
    for (uint32_t w = 0; w < pre->n; w++) {
        uint32_t node = pre->vertex[w];
        graph.parent[w] = pre->parent[w];
        for (uint32_t k = preds->first[node]; k < preds->first[node + 1]; k++)
            graph.preds[n++] = pre->number[pre->f->edges.v[preds->in[k]].from];
        graph.pred_at[w + 1] = n;
    }
    const uint32_t *idom = dom_immediate(pre->arena, &graph);
    for (uint32_t w = 1; w < pre->n; w++) o->idom[pre->vertex[w]] = pre->vertex[idom[w]];
}

// The dominator tree as intervals: a dominates b when b's start lies in a's.
static void number_tree(Arena *arena, FlowOrder *o) {
    uint32_t n = o->n_rpo;
    uint32_t *next = NEW_ARRAY(arena, uint32_t, n); // by rpo number: start of the next child
    for (uint32_t k = n; k-- > 0;) {
        uint32_t v = o->rpo[k];
        o->size[v]++;
        if (k) o->size[o->idom[v]] += o->size[v];
    }
    next[0] = 1;
    for (uint32_t k = 1; k < n; k++) {
        uint32_t v = o->rpo[k];
        uint32_t *at = &next[o->number[o->idom[v]]];
        o->start[v] = *at;
        *at += o->size[v];
        next[k] = o->start[v] + 1;
    }
}

// ---- loops --------------------------------------------------------------------------------------------

static uint32_t find(uint32_t *up, uint32_t v) {
    while (up[v] != v) {
        up[v] = up[up[v]];
        v = up[v];
    }
    return v;
}

typedef struct Loops {
    const Flow *f;
    const Preds *preds;
    FlowOrder *o;
    uint32_t *up;   // union-find: what a node is contracted to
    uint32_t *work; // nodes of the loop whose predecessors are to be looked at
    uint32_t n_work;
} Loops;

static void claim(Loops *l, uint32_t from, uint32_t header) {
    uint32_t v = find(l->up, from);
    if (v == header) return;
    l->up[v] = header;
    if (l->o->is_header[v]) l->o->loop_parent[v] = header;
    else l->o->loop[v] = header;
    l->work[l->n_work++] = v;
}

static void loop_of(Loops *l, uint32_t header) {
    FlowOrder *o = l->o;
    const Preds *p = l->preds;
    for (uint32_t k = p->first[header]; k < p->first[header + 1]; k++) {
        uint32_t from = l->f->edges.v[p->in[k]].from;
        if (o->number[from] < o->number[header]) continue;
        o->is_header[header] = true;
        o->loop[header] = header;
        claim(l, from, header);
    }
    while (l->n_work) {
        uint32_t v = l->work[--l->n_work];
        for (uint32_t k = p->first[v]; k < p->first[v + 1]; k++) claim(l, l->f->edges.v[p->in[k]].from, header);
    }
}

static void find_loops(Arena *arena, const Flow *f, const Preds *preds, FlowOrder *o) {
    Loops l = {.f = f, .preds = preds, .o = o};
    l.up = NEW_ARRAY(arena, uint32_t, f->nodes.n);
    l.work = NEW_ARRAY(arena, uint32_t, f->nodes.n);
    for (uint32_t v = 0; v < f->nodes.n; v++) l.up[v] = v;
    for (uint32_t k = o->n_rpo; k-- > 0;) loop_of(&l, o->rpo[k]);
}

static bool dominates(const FlowOrder *o, uint32_t a, uint32_t b) { return o->start[b] - o->start[a] < o->size[a]; }

FlowOrder *flow_order(Arena *arena, const Flow *f) {
    uint32_t n = f->nodes.n;
    FlowOrder *o = NEW(arena, FlowOrder);
    o->rpo = NEW_ARRAY(arena, uint32_t, n);
    o->number = all_none(arena, n);
    o->idom = all_none(arena, n);
    o->loop = all_none(arena, n);
    o->loop_parent = all_none(arena, n);
    o->start = NEW_ARRAY(arena, uint32_t, n);
    o->size = NEW_ARRAY(arena, uint32_t, n);
    o->is_header = NEW_ARRAY(arena, bool, n);
    Preorder pre = {.arena = arena, .f = f, .number = all_none(arena, n)};
    pre.vertex = NEW_ARRAY(arena, uint32_t, n);
    pre.parent = NEW_ARRAY(arena, uint32_t, n);
    walk(&pre, o);
    Preds preds = preds_of(arena, f, o);
    dominators(&pre, &preds, o);
    number_tree(arena, o);
    o->preds_first = preds.first;
    o->preds = preds.in;
    for (uint32_t k = 0; k < o->n_rpo && !o->irreducible; k++) {
        const FlowNode *node = &f->nodes.v[o->rpo[k]];
        for (uint32_t e = node->first; e < node->first + node->n; e++) {
            uint32_t to = f->edges.v[e].to;
            if (o->number[to] <= k && !dominates(o, to, o->rpo[k])) o->irreducible = true;
        }
    }
    if (!o->irreducible) find_loops(arena, f, &preds, o);
    return o;
}

// ---- places -------------------------------------------------------------------------------------------

// Loops by their headers, with shortcuts to an ancestor each that make the way to any of them logarithmic (E. W. Myers,
// "An applicative random-access stack", 1983).
typedef struct Nest {
    uint32_t *depth, *far;
} Nest;

static Nest nest_of(Arena *arena, const Flow *f, const FlowOrder *o) {
    Nest nest = {NEW_ARRAY(arena, uint32_t, f->nodes.n), NEW_ARRAY(arena, uint32_t, f->nodes.n)};
    for (uint32_t k = 0; k < o->n_rpo; k++) {
        uint32_t h = o->rpo[k];
        if (!o->is_header[h]) continue;
        uint32_t up = o->loop_parent[h];
        if (up == NONE) {
            nest.depth[h] = 1;
            nest.far[h] = h;
            continue;
        }
        nest.depth[h] = nest.depth[up] + 1;
        uint32_t far = nest.far[up];
        bool same = nest.depth[up] - nest.depth[far] == nest.depth[far] - nest.depth[nest.far[far]];
        nest.far[h] = same ? nest.far[far] : up;
    }
    return nest;
}

// The loop at `depth` around the loop of h.
static uint32_t ancestor_at(const Nest *nest, const FlowOrder *o, uint32_t h, uint32_t depth) {
    while (nest->depth[h] > depth) h = nest->depth[nest->far[h]] >= depth ? nest->far[h] : o->loop_parent[h];
    return h;
}

// Reached by one edge, of a node whose code can hold its code.
static bool has_one_user(const Flow *f, const FlowOrder *o, uint32_t v) {
    uint32_t n = 0;
    for (uint32_t k = o->preds_first[v]; k < o->preds_first[v + 1]; k++) {
        uint32_t from = f->edges.v[o->preds[k]].from;
        if (o->number[from] >= o->number[v]) continue;
        if (f->nodes.v[from].end == END_TABLE) return false;
        n++;
    }
    return n == 1;
}

// A node in no loop that one edge out of a loop reaches.
static bool stays_in_loop(const Flow *f, const FlowOrder *o, uint32_t v) {
    const FlowNode *node = &f->nodes.v[v];
    if (node->end != END_LEAVE) return false;
    const FlowNode *from = &f->nodes.v[o->idom[v]];
    if (node->kind == FLOW_BLOCK && f->m->blocks.v[node->x].cold) return true;
    if (o->is_header[o->idom[v]]) return false;
    for (uint32_t e = from->first; e < from->first + from->n; e++)
        if (o->number[f->edges.v[e].to] <= o->number[o->idom[v]]) return false;
    return true;
}

FlowPlaces *flow_places(Arena *arena, const Flow *f, const FlowOrder *o) {
    uint32_t n = f->nodes.n;
    FlowPlaces *p = NEW(arena, FlowPlaces);
    p->inside = all_none(arena, n);
    p->behind = all_none(arena, n);
    p->next = all_none(arena, n);
    p->placed = NEW_ARRAY(arena, bool, n);
    Nest nest = nest_of(arena, f, o);
    for (uint32_t k = 1; k < o->n_rpo; k++) {
        uint32_t v = o->rpo[k];
        uint32_t from = o->loop[o->idom[v]];
        uint32_t to = o->is_header[v] ? o->loop_parent[v] : o->loop[v];
        bool single = has_one_user(f, o, v);
        uint32_t *list = &p->inside[o->idom[v]];
        if (from != to && !(single && stays_in_loop(f, o, v)))
            list = &p->behind[ancestor_at(&nest, o, from, to == NONE ? 1 : nest.depth[to] + 1)];
        else if (single) continue;
        p->placed[v] = true;
        p->next[v] = *list;
        *list = v;
    }
    return p;
}
