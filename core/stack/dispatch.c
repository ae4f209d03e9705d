// Irreducible control flow: cycles with several entries get one, a dispatch.
//
// Theory. Let c be a node and G(c) the graph of the nodes that c immediately dominates, with an edge a -> v when some
// edge u -> v starts in what a dominates, v itself excepted. Every edge into what v dominates from elsewhere goes to v,
// so a cycle that no node dominates shows up as a cycle of one G(c), and the control flow is reducible when no G(c) has
// any (the DJ-graphs of V. C. Sreedhar, G. R. Gao, Y.-F. Lee, "Identifying loops using DJ graphs", TOPLAS 1996, say the
// same by levels). Each edge belongs to one G(c), that of its target's immediate dominator, so all of them together
// have as many edges as the control flow.
//
// For each strongly connected part S of a G(c) with several nodes: a dispatch node D, which branches to the nodes of S
// by a number in a local. Edges into S from outside go to D, and so do those inside that lead backwards in reverse
// postorder, with the number of where they were to go; edges inside that lead forwards stay. Now D is the only way into
// S, and G(D) has forward edges only; what the nodes of S dominate, and every other G(c), is as it was. So one
// round makes everything reducible, nested cycles too, at the cost of one node for each S and at most one for each
// edge: nothing is copied.
//
// One local serves all dispatches, as each edge to one sets it right before. No other local is touched on the way, so a
// value that is live along an edge is live, in its local, through the dispatch: the plan (trees.c, locals.c) need not
// know of it.
//
// Example: 0 -> {1, 2}, 1 -> 2, 2 -> {1, 3}. G(0) has 1 <-> 2. D gets the edges 0 -> 1, 0 -> 2 and 2 -> 1; 1 -> 2
// stays.
#include "stack/flow.h"

typedef struct Walk {
    uint32_t node, next;
} Walk;

typedef struct Dispatch {
    Arena *arena;
    Flow *f;
    const FlowOrder *o;
    uint32_t n, n_edges;  // before dispatches are added
    uint32_t *sibling;    // by edge: a of the edge a -> v in G(idom(v)); NONE = it is none of a G
    uint32_t *first, *to; // the G's: edges of node a are to[first[a]] to to[first[a + 1]]
    uint32_t *part;       // by node: number of its strongly connected part, NONE = not known yet
    uint32_t *part_size;  // by part
    uint32_t *label;      // by node: number in its dispatch, NONE = it has none yet
    uint32_t *node;       // by part: its dispatch, NONE = none yet
} Dispatch;

// The edges of the G's, found on a walk through the dominator tree: path[depth(c) + 1] is the child of c that dominates
// where the walk is.
static void find_siblings(Dispatch *d) {
    const FlowOrder *o = d->o;
    const Flow *f = d->f;
    uint32_t *depth = NEW_ARRAY(d->arena, uint32_t, d->n);
    uint32_t *path = NEW_ARRAY(d->arena, uint32_t, d->n);
    uint32_t *at = NEW_ARRAY(d->arena, uint32_t, d->n); // nodes in preorder of the dominator tree
    for (uint32_t k = 0; k < o->n_rpo; k++) at[o->start[o->rpo[k]]] = o->rpo[k];
    for (uint32_t k = 0; k < o->n_rpo; k++) {
        uint32_t u = at[k];
        depth[u] = k ? depth[o->idom[u]] + 1 : 0;
        path[depth[u]] = u;
        const FlowNode *node = &f->nodes.v[u];
        for (uint32_t e = node->first; e < node->first + node->n; e++) {
            uint32_t v = f->edges.v[e].to;
            if (o->idom[v] == NONE || o->idom[v] == u) continue;
            uint32_t a = path[depth[o->idom[v]] + 1];
            if (a == v) continue;
            d->sibling[e] = a;
            d->first[a + 2]++;
        }
    }
    for (uint32_t a = 2; a < d->n + 2; a++) d->first[a] += d->first[a - 1];
    d->to = NEW_ARRAY(d->arena, uint32_t, d->first[d->n + 1]);
    for (uint32_t e = 0; e < d->n_edges; e++)
        if (d->sibling[e] != NONE) d->to[d->first[d->sibling[e] + 1]++] = f->edges.v[e].to;
}

// R. Tarjan, "Depth-first search and linear graph algorithms" (1972), with a stack of its own.
typedef struct Scc {
    Dispatch *d;
    uint32_t *number, *low; // 0 = not visited
    uint32_t *open;         // nodes without a part yet
    uint32_t n_open, n_parts, visited;
    Walk *walk;
    uint32_t depth;
} Scc;

static void scc_enter(Scc *s, uint32_t v) {
    s->number[v] = s->low[v] = ++s->visited;
    s->open[s->n_open++] = v;
    s->walk[s->depth++] = (Walk){v, s->d->first[v]};
}

static void scc_leave(Scc *s) {
    uint32_t v = s->walk[--s->depth].node;
    if (s->depth) {
        uint32_t up = s->walk[s->depth - 1].node;
        if (s->low[v] < s->low[up]) s->low[up] = s->low[v];
    }
    if (s->low[v] != s->number[v]) return;
    uint32_t w;
    do {
        w = s->open[--s->n_open];
        s->d->part[w] = s->n_parts;
        s->d->part_size[s->n_parts]++;
    } while (w != v);
    s->n_parts++;
}

static void find_parts(Dispatch *d) {
    Scc s = {.d = d};
    s.number = NEW_ARRAY(d->arena, uint32_t, d->n);
    s.low = NEW_ARRAY(d->arena, uint32_t, d->n);
    s.open = NEW_ARRAY(d->arena, uint32_t, d->n);
    s.walk = NEW_ARRAY(d->arena, Walk, d->n);
    for (uint32_t k = 0; k < d->o->n_rpo; k++) {
        if (s.number[d->o->rpo[k]]) continue;
        scc_enter(&s, d->o->rpo[k]);
        while (s.depth) {
            Walk *top = &s.walk[s.depth - 1];
            if (top->next == d->first[top->node + 1]) {
                scc_leave(&s);
                continue;
            }
            uint32_t to = d->to[top->next++];
            if (!s.number[to]) scc_enter(&s, to);
            else if (d->part[to] == NONE && s.number[to] < s.low[top->node]) s.low[top->node] = s.number[to];
        }
    }
}

// The dispatch of v's part, which has no edges yet, and v's number in it.
static uint32_t dispatch_to(Dispatch *d, uint32_t v) {
    Flow *f = d->f;
    uint32_t *node = &d->node[d->part[v]];
    if (*node == NONE) {
        *node = f->nodes.n;
        vec_push(d->arena, &f->nodes, (FlowNode){.kind = FLOW_DISPATCH, .end = END_TABLE});
    }
    if (d->label[v] == NONE) d->label[v] = f->nodes.v[*node].n++;
    return *node;
}

static void redirect(Dispatch *d, uint32_t e) {
    Flow *f = d->f;
    uint32_t v = f->edges.v[e].to;
    uint32_t node = dispatch_to(d, v);
    if (f->nodes.v[f->edges.v[e].from].end != END_JUMP) {
        uint32_t on = flow_split(f, e, NONE, d->label[v]);
        f->edges.v[on].to = node;
    } else {
        f->edges.v[e].to = node;
        f->edges.v[e].label = d->label[v];
    }
}

// Gives the dispatches their edges, in the order of the numbers; of two, the condition is the number itself.
static void connect(Dispatch *d, uint32_t first_node) {
    Flow *f = d->f;
    uint32_t end = f->nodes.n;
    for (uint32_t x = first_node; x < end; x++) {
        FlowNode *node = &f->nodes.v[x];
        if (node->kind != FLOW_DISPATCH) continue;
        if (node->n == 2) node->end = END_BRANCH;
        if (node->n > f->n_labels) f->n_labels = node->n;
        node->first = f->edges.n;
        FlowEdge *edges = vec_extend(d->arena, &f->edges, node->n);
        for (uint32_t k = 0; k < node->n; k++) edges[k] = (FlowEdge){.from = x, .ops = NONE, .label = NONE};
    }
    for (uint32_t v = 0; v < d->n; v++) {
        if (d->label[v] == NONE) continue;
        const FlowNode *node = &f->nodes.v[d->node[d->part[v]]];
        uint32_t k = node->end == END_BRANCH ? 1 - d->label[v] : d->label[v];
        f->edges.v[node->first + k].to = v;
    }
}

FlowOrder *flow_reduce(Arena *arena, Flow *f) {
    FlowOrder *o = flow_order(arena, f);
    if (!o->irreducible) return o;
    Dispatch d = {.arena = arena, .f = f, .o = o, .n = f->nodes.n, .n_edges = f->edges.n};
    d.sibling = all_none(arena, d.n_edges);
    d.first = NEW_ARRAY(arena, uint32_t, d.n + 2);
    d.part = all_none(arena, d.n);
    d.part_size = NEW_ARRAY(arena, uint32_t, d.n);
    d.label = all_none(arena, d.n);
    d.node = all_none(arena, d.n);
    find_siblings(&d);
    find_parts(&d);
    for (uint32_t e = 0; e < d.n_edges; e++) {
        const FlowEdge *edge = &f->edges.v[e];
        uint32_t v = edge->to;
        if (o->number[edge->from] == NONE || o->idom[v] == NONE || d.part_size[d.part[v]] < 2) continue;
        uint32_t a = d.sibling[e];
        bool within = a != NONE && d.part[a] == d.part[v];
        bool own = a == NONE && o->idom[v] != edge->from; // from what v dominates
        if (own || (within && o->number[v] > o->number[edge->from])) continue;
        redirect(&d, e);
    }
    connect(&d, d.n);
    o = flow_order(arena, f);
    if (o->irreducible) ctx_bug(arena_ctx(arena), "stack: control flow is irreducible after all");
    return o;
}
