#include "graph.h"

#define NOWHERE UINT32_MAX

enum { MAX_REGIONS = 6, MAX_SWITCH = 300 };

typedef enum Style { STYLE_ANY, STYLE_NEAR, STYLE_FORWARD, STYLE_NEST, STYLE_HUB, STYLE_COMB, N_STYLES } Style;

typedef struct Region {
    uint32_t first, n;
    uint8_t style;
    uint32_t exits, switches; // percent of its nodes
} Region;

typedef struct Grow {
    Arena *arena;
    Random *r;
    Node *nodes;
    uint32_t n, room;
    Region regions[MAX_REGIONS];
    uint32_t n_regions;
    uint32_t *nest; // by node: where the innermost interval of a region of style nest that ends here starts
} Grow;

static uint32_t node_new(Grow *g, NodeKind kind, uint32_t n_to) {
    if (g->n == g->room) {
        Node *old = g->nodes;
        g->room = 2 * g->room + 64;
        g->nodes = NEW_ARRAY(g->arena, Node, g->room);
        if (g->n) memcpy(g->nodes, old, g->n * sizeof *old);
    }
    Node *node = &g->nodes[g->n];
    *node = (Node){.kind = (uint8_t)kind, .n_to = n_to};
    node->to = NEW_ARRAY(g->arena, uint32_t, n_to + 1);
    return g->n++;
}

// ---- edges --------------------------------------------------------------------------------------

static uint32_t random_size(Random *r, uint32_t size) {
    static const struct {
        uint32_t percent, low, high;
    } sizes[] = {{10, 1, 3}, {25, 2, 10}, {40, 5, 40}, {20, 20, 120}, {5, 100, 300}};
    uint32_t x = pick(r, 100);
    unsigned k = 0;
    while (x >= sizes[k].percent) x -= sizes[k++].percent;
    uint32_t n = (sizes[k].low + pick(r, sizes[k].high - sizes[k].low + 1)) * size / 100;
    return n ? n : 1;
}

// From `at` by so many nodes, inside the region.
static uint32_t near(const Region *g, uint32_t at, int32_t by) {
    int64_t to = (int64_t)at + by;
    if (to < g->first) to = g->first;
    if (to >= g->first + g->n) to = g->first + g->n - 1;
    return (uint32_t)to;
}

static uint32_t anywhere(Random *r, const Region *g) { return g->first + pick(r, g->n); }

static uint32_t random_target(Grow *g, const Region *region, uint32_t at) {
    Random *r = g->r;
    bool back = pick(r, 4) == 0;
    switch ((Style)region->style) {
    case STYLE_NEAR: return near(region, at, back ? -(int32_t)pick(r, 9) : 1 + (int32_t)pick(r, 4));
    case STYLE_FORWARD: return near(region, at, 1 + (int32_t)pick(r, 1 + pick(r, region->n)));
    case STYLE_NEST:
        if (pick(r, 12) == 0) return anywhere(r, region);
        return g->nest[at] != NOWHERE && pick(r, 2) ? g->nest[at] : near(region, at, 1 + (int32_t)pick(r, 2));
    case STYLE_HUB: return pick(r, 3) ? region->first : anywhere(r, region);
    case STYLE_COMB: return near(region, at, back ? -1 : pick(r, 8) ? 1 : 2);
    default: return anywhere(r, region);
    }
}

// A region of style forward has no cycles only if its last node goes out of it.
static bool goes_back(const Region *region, uint32_t at, uint32_t to) {
    return region->style == STYLE_FORWARD && to <= at;
}

static uint32_t target_from(Grow *g, const Region *region, uint32_t at) {
    uint32_t k = (uint32_t)(region - g->regions);
    uint32_t to = random_target(g, region, at);
    if (goes_back(region, at, to) || (g->n_regions > 1 && chance(g->r, 4))) {
        uint32_t other = k + 1 < g->n_regions && pick(g->r, 3) ? k + 1 : pick(g->r, g->n_regions);
        to = pick(g->r, 2) ? g->regions[other].first : anywhere(g->r, &g->regions[other]);
    }
    return to ? to : g->n > 1 ? 1 : NOWHERE; // nothing goes to the entry
}

static void node_random(Grow *g, const Region *region, uint32_t at) {
    Random *r = g->r;
    Node *node = &g->nodes[at];
    bool last = at + 1 == region->first + region->n;
    bool end = last && region == &g->regions[g->n_regions - 1];
    uint32_t exits = !end ? region->exits : region->style == STYLE_FORWARD && g->n_regions == 1 ? 100 : 50;
    if (g->n == 1 || (at && chance(r, exits))) {
        uint32_t how = pick(r, 20);
        node->kind = how < 14 ? NODE_RETURN : how < 16 ? NODE_TRAP : NODE_TAIL;
        return;
    }
    uint32_t n = pick(r, 3) ? 2 : 1;
    bool hub = region->style == STYLE_HUB && at == region->first;
    if (hub || chance(r, region->switches)) {
        n = 1 + pick(r, 8);
        if (pick(r, 8) == 0) n = 1 + pick(r, MAX_SWITCH);
        if (hub) n += region->n;
        node->kind = NODE_SWITCH;
    } else {
        node->kind = n == 1 ? NODE_JUMP : NODE_BRANCH;
    }
    node->n_to = n;
    node->to = NEW_ARRAY(g->arena, uint32_t, n);
    uint32_t few[3];
    for (unsigned k = 0; k < 3; k++) few[k] = target_from(g, region, at);
    bool repeat = pick(r, 3) == 0; // few different targets
    for (uint32_t k = 0; k < n; k++) node->to[k] = repeat ? few[pick(r, 3)] : target_from(g, region, at);
    if (n == 2 && chance(r, 4)) node->to[1] = node->to[0];
    if (at && chance(r, 3)) node->to[pick(r, n)] = at;
}

// Intervals of a region of style nest: in [first, first + n), each inside the one before or after it.
static void nest_intervals(Grow *g, uint32_t first, uint32_t n) {
    while (n >= 2) {
        uint32_t size = 1 + pick(g->r, n);
        uint32_t start = first + pick(g->r, n - size + 1);
        g->nest[start + size - 1] = start;
        if (pick(g->r, 4) == 0) { // go on beside it
            n = first + n - (start + size);
            first = start + size;
        } else {
            n = size - 1;
            first = start + pick(g->r, 2);
        }
    }
}

// Makes most nodes reachable: an edge of one shortly before it comes here, which no other node needs.
static void connect(Grow *g) {
    uint32_t *needed = NEW_ARRAY(g->arena, uint32_t, g->n);
    for (uint32_t k = 1; k < g->n; k++) {
        if (pick(g->r, 12) == 0 && k > 1) continue;
        for (uint32_t tries = 0; tries < 8; tries++) {
            uint32_t back = 1 + pick(g->r, 1 + tries);
            uint32_t from = k > back ? k - back : 0;
            Node *node = &g->nodes[from];
            if (needed[from] == node->n_to) continue;
            node->to[needed[from]++] = k;
            break;
        }
    }
    for (uint32_t k = 0; k < g->n; k++) {
        Node *node = &g->nodes[k];
        for (uint32_t t = 0; t < needed[k]; t++) {
            uint32_t other = pick(g->r, node->n_to);
            uint32_t to = node->to[t];
            node->to[t] = node->to[other];
            node->to[other] = to;
        }
    }
}

static void make_regions(Grow *g, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) node_new(g, NODE_RETURN, 0);
    uint32_t most = 1 + n / 5;
    g->n_regions = 1 + pick(g->r, most < MAX_REGIONS ? most : MAX_REGIONS);
    g->nest = NEW_ARRAY(g->arena, uint32_t, n);
    for (uint32_t k = 0; k < n; k++) g->nest[k] = NOWHERE;
    uint32_t at = 0;
    for (uint32_t k = 0; k < g->n_regions; k++) {
        uint32_t left = n - at - (g->n_regions - 1 - k);
        Region *region = &g->regions[k];
        *region = (Region){.first = at, .n = k + 1 == g->n_regions ? left : 1 + pick(g->r, left)};
        region->style = (uint8_t)pick(g->r, N_STYLES);
        region->exits = pick(g->r, 4) ? pick(g->r, 4) : pick(g->r, 25);
        region->switches = pick(g->r, 2) ? pick(g->r, 8) : pick(g->r, 40);
        if (region->style == STYLE_NEST) nest_intervals(g, region->first, region->n);
        at += region->n;
    }
    for (uint32_t k = 0; k < g->n_regions; k++) {
        const Region *region = &g->regions[k];
        for (uint32_t i = 0; i < region->n; i++) node_random(g, region, region->first + i);
    }
    connect(g);
}

// Nodes that nothing reachable goes to, and that go to each other and to the others.
static void add_unreachable(Grow *g) {
    if (pick(g->r, 6)) return;
    uint32_t n = 1 + pick(g->r, 5);
    uint32_t first = g->n;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t n_to = pick(g->r, 4);
        uint32_t at = node_new(g,
                               n_to > 2    ? NODE_SWITCH
                               : n_to == 2 ? NODE_BRANCH
                               : n_to      ? NODE_JUMP
                                           : NODE_RETURN,
                               n_to);
        for (uint32_t t = 0; t < n_to; t++)
            g->nodes[at].to[t] = pick(g->r, 2) || first == 1 ? first + pick(g->r, n) : 1 + pick(g->r, first - 1);
    }
}

// ---- checks -------------------------------------------------------------------------------------

// Marks the edges (by number: those of node k start at first[k]) that go back in a depth-first walk: each cycle has
// one.
static void find_back_edges(Grow *g, const uint32_t *first, bool *back) {
    uint32_t *stack = NEW_ARRAY(g->arena, uint32_t, g->n);
    uint32_t *next = NEW_ARRAY(g->arena, uint32_t, g->n);
    uint8_t *state = NEW_ARRAY(g->arena, uint8_t, g->n); // 1 = on the stack, 2 = done
    uint32_t depth = 0;
    stack[depth++] = 0;
    state[0] = 1;
    while (depth) {
        uint32_t at = stack[depth - 1];
        const Node *node = &g->nodes[at];
        if (next[at] == node->n_to) {
            state[at] = 2;
            depth--;
            continue;
        }
        uint32_t k = next[at]++;
        uint32_t to = node->to[k];
        if (state[to] == 1) back[first[at] + k] = true;
        if (state[to]) continue;
        state[to] = 1;
        stack[depth++] = to;
    }
}

static uint32_t way_out(Grow *g, uint32_t *shared) {
    if (shared && *shared != NOWHERE) return *shared;
    uint32_t out = node_new(g, pick(g->r, 10) ? NODE_RETURN : NODE_TRAP, 0);
    if (shared) *shared = out;
    return out;
}

static void make_check(Grow *g, uint32_t at, uint32_t on, uint32_t out) {
    Node *node = &g->nodes[at];
    bool other = pick(g->r, 2); // which of the two targets
    node->kind = NODE_BRANCH;
    node->check = CHECK_BRANCH;
    node->out = other;
    node->n_to = 2;
    node->to = NEW_ARRAY(g->arena, uint32_t, 2);
    node->to[other] = out;
    node->to[!other] = on;
}

// The check comes before what the node does: the rest of it moves to a new node.
static void check_head(Grow *g, uint32_t at, uint32_t *shared) {
    if (g->nodes[at].check) return;
    uint32_t rest = node_new(g, NODE_JUMP, 0);
    g->nodes[rest] = g->nodes[at];
    make_check(g, at, rest, way_out(g, shared));
}

static void check_edge(Grow *g, uint32_t at, uint32_t k, uint32_t *shared) {
    uint32_t to = g->nodes[at].to[k];
    uint32_t between = at;
    if (g->nodes[at].kind != NODE_JUMP || g->nodes[at].check) {
        between = node_new(g, NODE_JUMP, 0);
        g->nodes[at].to[k] = between;
    }
    make_check(g, between, to, way_out(g, shared));
}

static void add_checks(Grow *g) {
    uint32_t *first = NEW_ARRAY(g->arena, uint32_t, g->n + 1);
    for (uint32_t k = 0; k < g->n; k++) first[k + 1] = first[k] + g->nodes[k].n_to;
    bool *back = NEW_ARRAY(g->arena, bool, first[g->n] + 1);
    find_back_edges(g, first, back);
    uint32_t n = g->n;
    uint32_t how = pick(g->r, 8); // 0 guards, 1 to 3 at heads, 4 to 6 on edges, 7 any of these
    uint32_t out = NOWHERE;
    uint32_t *shared = pick(g->r, 2) ? &out : NULL;
    // Edges first: what stands at a head stays valid when the head's own edges change.
    bool *heads = NEW_ARRAY(g->arena, bool, n);
    for (uint32_t at = 0; at < n; at++) {
        uint32_t n_to = g->nodes[at].n_to;
        for (uint32_t k = 0; k < n_to; k++) {
            if (!back[first[at] + k]) continue;
            if ((how == 7 ? pick(g->r, 8) : how) >= 4) check_edge(g, at, k, shared);
            else heads[g->nodes[at].to[k]] = true;
        }
    }
    for (uint32_t at = 0; at < n; at++) {
        if (!heads[at]) continue;
        if (how == 0 || (how == 7 && pick(g->r, 4) == 0))
            g->nodes[at].check = g->nodes[at].check ? g->nodes[at].check : CHECK_GUARD;
        else check_head(g, at, shared);
    }
}

// ---- what there is ------------------------------------------------------------------------------

static void number_nodes(Arena *arena, Graph *g, uint32_t *post) {
    uint32_t *stack = NEW_ARRAY(arena, uint32_t, g->n);
    uint32_t *next = NEW_ARRAY(arena, uint32_t, g->n);
    uint32_t depth = 0;
    uint32_t n = 0;
    for (uint32_t k = 0; k < g->n; k++) post[k] = NOWHERE;
    bool *seen = NEW_ARRAY(arena, bool, g->n);
    stack[depth++] = 0;
    seen[0] = true;
    uint32_t *order = NEW_ARRAY(arena, uint32_t, g->n);
    while (depth) {
        uint32_t at = stack[depth - 1];
        if (next[at] < g->nodes[at].n_to) {
            uint32_t to = g->nodes[at].to[next[at]++];
            g->n_in[to]++;
            if (!seen[to]) stack[depth++] = to;
            seen[to] = true;
            continue;
        }
        order[n] = at;
        post[at] = n++;
        depth--;
    }
    g->n_order = n;
    for (uint32_t k = 0; k < n; k++) g->order[k] = order[n - 1 - k];
}

static uint32_t meet(const Graph *g, const uint32_t *post, uint32_t a, uint32_t b) {
    while (a != b) {
        while (post[a] < post[b]) a = g->idom[a];
        while (post[b] < post[a]) b = g->idom[b];
    }
    return a;
}

// Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm".
static void find_dominators(Arena *arena, Graph *g) {
    uint32_t *post = NEW_ARRAY(arena, uint32_t, g->n);
    number_nodes(arena, g, post);
    for (uint32_t k = 0; k < g->n; k++) g->idom[k] = NOWHERE;
    g->idom[0] = 0;
    for (bool again = true; again;) {
        again = false;
        for (uint32_t k = 0; k < g->n_order; k++) {
            uint32_t from = g->order[k];
            for (uint32_t t = 0; t < g->nodes[from].n_to; t++) {
                uint32_t to = g->nodes[from].to[t];
                uint32_t dom = g->idom[to] == NOWHERE ? from : meet(g, post, from, g->idom[to]);
                again |= dom != g->idom[to];
                g->idom[to] = dom;
            }
        }
    }
    g->idom[0] = NOWHERE;
}

// Puts the nodes in preorder of the dominator tree.
static void order_nodes(Arena *arena, Graph *g) {
    uint32_t *first = NEW_ARRAY(arena, uint32_t, g->n);
    uint32_t *next = NEW_ARRAY(arena, uint32_t, g->n);
    uint32_t *stack = NEW_ARRAY(arena, uint32_t, g->n);
    for (uint32_t k = 0; k < g->n; k++) first[k] = NOWHERE;
    for (uint32_t k = 1; k < g->n_order; k++) {
        uint32_t at = g->order[k];
        next[at] = first[g->idom[at]];
        first[g->idom[at]] = at;
    }
    uint32_t depth = 0;
    uint32_t n = 0;
    stack[depth++] = 0;
    while (depth) {
        uint32_t at = stack[--depth];
        g->order[n++] = at;
        for (uint32_t k = first[at]; k != NOWHERE; k = next[k]) stack[depth++] = k;
    }
}

bool graph_dominates(const Graph *g, uint32_t a, uint32_t b) {
    while (b != a && b != NOWHERE) b = g->idom[b];
    return b == a;
}

// Strongly connected parts by Tarjan's algorithm, and inside each, without the edges to its entries, again.
typedef struct Nest {
    Graph *g;
    uint32_t *part;           // which part the node is in; parts of one round only see nodes of the same part
    uint32_t *index, *low;    // 0 = not seen
    uint32_t *stack;          // Tarjan's
    uint32_t n_stack, n_seen; //
    bool *entry;              // of the part that is being looked into: edges to it do not count
    uint32_t *found;          // nodes of parts to look into, with their numbers, as a stack of runs
    uint32_t n_parts;
    Arena *arena;
} Nest;

static void nest_part(Nest *s, const uint32_t *nodes, uint32_t n, uint32_t depth, bool irreducible);

static void nest_visit(Nest *s, uint32_t at, uint32_t part, uint32_t depth, bool irreducible, uint32_t **parts,
                       uint32_t *n_found) {
    const Graph *g = s->g;
    s->index[at] = s->low[at] = ++s->n_seen;
    s->stack[s->n_stack++] = at;
    bool self = false;
    for (uint32_t k = 0; k < g->nodes[at].n_to; k++) {
        uint32_t to = g->nodes[at].to[k];
        if (s->part[to] != part || s->entry[to]) continue;
        self |= to == at;
        if (!s->index[to]) nest_visit(s, to, part, depth, irreducible, parts, n_found);
        if (s->low[to] < s->low[at]) s->low[at] = s->low[to];
    }
    if (s->low[at] != s->index[at]) return;
    uint32_t base = s->n_stack;
    do base--;
    while (s->stack[base] != at);
    uint32_t n = s->n_stack - base;
    if (n > 1 || self) { // as a run: how many, then the nodes
        (*parts)[(*n_found)++] = n;
        memcpy(*parts + *n_found, s->stack + base, n * sizeof(uint32_t));
        *n_found += n;
    }
    for (uint32_t k = base; k < s->n_stack; k++) s->low[s->stack[k]] = UINT32_MAX;
    s->n_stack = base;
}

// Looks for the loops among these nodes, which are one part.
static void nest_loops(Nest *s, const uint32_t *nodes, uint32_t n, uint32_t depth, bool irreducible) {
    uint32_t part = s->part[nodes[0]];
    uint32_t *parts = NEW_ARRAY(s->arena, uint32_t, 2 * (size_t)n);
    uint32_t n_found = 0;
    for (uint32_t k = 0; k < n; k++) s->index[nodes[k]] = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (!s->index[nodes[k]] && !s->entry[nodes[k]])
            nest_visit(s, nodes[k], part, depth, irreducible, &parts, &n_found);
    }
    for (uint32_t at = 0; at < n_found; at += 1 + parts[at])
        nest_part(s, parts + at + 1, parts[at], depth, irreducible);
}

// One loop: its entries, and what is inside.
static void nest_part(Nest *s, const uint32_t *nodes, uint32_t n, uint32_t depth, bool irreducible) {
    Graph *g = s->g;
    uint32_t part = ++s->n_parts;
    for (uint32_t k = 0; k < n; k++) {
        s->part[nodes[k]] = part;
        s->entry[nodes[k]] = false;
    }
    for (uint32_t k = 0; k < g->n_order; k++) {
        const Node *from = &g->nodes[g->order[k]];
        if (s->part[g->order[k]] == part) continue;
        for (uint32_t t = 0; t < from->n_to; t++) {
            if (s->part[from->to[t]] == part) s->entry[from->to[t]] = true;
        }
    }
    uint32_t n_entries = 0;
    uint32_t n_back = 0;
    for (uint32_t k = 0; k < n; k++) {
        n_entries += s->entry[nodes[k]];
        for (uint32_t t = 0; t < g->nodes[nodes[k]].n_to; t++)
            n_back += s->part[g->nodes[nodes[k]].to[t]] == part && s->entry[g->nodes[nodes[k]].to[t]];
    }
    g->shapes[SHAPE_LOOPS]++;
    g->shapes[SHAPE_NESTED_LOOPS] += depth >= 2;
    g->shapes[SHAPE_DEEP_LOOPS] += depth >= 4;
    g->shapes[SHAPE_OVERLAPPING] += n_entries == 1 && n_back > 1;
    g->shapes[SHAPE_IRREDUCIBLE] += n_entries > 1;
    g->shapes[SHAPE_NESTED_IRREDUCIBLE] += n_entries > 1 && irreducible;
    nest_loops(s, nodes, n, depth + 1, irreducible || n_entries > 1);
}

static void count_loops(Arena *arena, Graph *g) {
    Nest s = {.g = g, .arena = arena};
    s.part = NEW_ARRAY(arena, uint32_t, g->n);
    s.index = NEW_ARRAY(arena, uint32_t, g->n);
    s.low = NEW_ARRAY(arena, uint32_t, g->n);
    s.stack = NEW_ARRAY(arena, uint32_t, g->n);
    s.entry = NEW_ARRAY(arena, bool, g->n);
    nest_loops(&s, g->order, g->n_order, 1, false);
}

// Edges of one node that go to a node that an earlier one goes to.
static uint32_t count_repeated(const Node *node) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < node->n_to; k++) {
        uint32_t before = 0;
        while (before < k && node->to[before] != node->to[k]) before++;
        n += before < k;
    }
    return n;
}

static void count_node(Graph *g, uint32_t at) {
    const Node *node = &g->nodes[at];
    uint32_t *shapes = g->shapes;
    shapes[SHAPE_RETURNS] += node->kind == NODE_RETURN;
    shapes[SHAPE_TRAPS] += node->kind == NODE_TRAP;
    shapes[SHAPE_TAILS] += node->kind == NODE_TAIL;
    shapes[SHAPE_SWITCHES] += node->kind == NODE_SWITCH;
    shapes[SHAPE_LARGE_SWITCHES] += node->kind == NODE_SWITCH && node->n_to >= 32;
    if (node->kind == NODE_SWITCH) shapes[SHAPE_REPEATED_TARGETS] += count_repeated(node) != 0;
    if (node->kind == NODE_BRANCH) shapes[SHAPE_BOTH_EDGES] += node->to[0] == node->to[1];
    for (uint32_t k = 0; k < node->n_to; k++) {
        shapes[SHAPE_EDGES]++;
        shapes[SHAPE_SELF_LOOPS] += node->to[k] == at;
        shapes[SHAPE_CRITICAL_EDGES] += node->n_to > 1 && g->n_in[node->to[k]] > 1;
    }
}

static void count_shapes(Arena *arena, Graph *g) {
    g->shapes[SHAPE_BLOCKS] = g->n;
    g->shapes[SHAPE_UNREACHABLE] = g->n - g->n_order;
    for (uint32_t k = 0; k < g->n_order; k++) count_node(g, g->order[k]);
    count_loops(arena, g);
}

const char *shape_name(Shape shape) {
    static const char *const names[] = {"blocks",
                                        "edges",
                                        "unreachable",
                                        "returns",
                                        "traps",
                                        "tail calls",
                                        "switches",
                                        "switches of 32 and more",
                                        "switches with repeated targets",
                                        "branches with both edges to one block",
                                        "self loops",
                                        "critical edges",
                                        "loops",
                                        "nested loops",
                                        "loops at depth 4 and deeper",
                                        "loops with several edges back",
                                        "irreducible loops",
                                        "irreducible loops in such"};
    return names[shape];
}

Graph *graph_random(Arena *arena, Random *r, uint32_t size) {
    Arena *scratch = arena_new(arena_ctx(arena));
    Grow *grow = NEW(arena, Grow);
    grow->arena = arena;
    grow->r = r;
    make_regions(grow, random_size(r, size));
    add_checks(grow);
    add_unreachable(grow);
    Graph *g = NEW(arena, Graph);
    g->nodes = grow->nodes;
    g->n = grow->n;
    g->order = NEW_ARRAY(arena, uint32_t, g->n);
    g->idom = NEW_ARRAY(arena, uint32_t, g->n);
    g->n_in = NEW_ARRAY(arena, uint32_t, g->n);
    find_dominators(scratch, g);
    order_nodes(scratch, g);
    count_shapes(scratch, g);
    arena_free(scratch);
    return g;
}
