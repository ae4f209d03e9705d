// Structured control flow (core/stack: dispatch.c, order.c, shape.c): walks through random graphs and through the steps
// made from them must pass the same nodes, whatever is decided on the way.
#include <stdio.h>
#include <time.h>

#include "stack/flow.h"
#include "support/buf.h"
#include "unit.h"

// ---- graphs ------------------------------------------------------------------------------------------------

typedef struct Graph {
    Flow *flow;
    FlowNode *nodes; // as they were before dispatches
    FlowEdge *edges;
} Graph;

static uint64_t next(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = *state;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}
static uint32_t below(uint64_t *state, uint32_t n) { return (uint32_t)(next(state) % n); }

static Flow *new_flow(Arena *arena, uint32_t n) {
    MFunc *m = NEW(arena, MFunc);
    StackPlan *plan = NEW(arena, StackPlan);
    *m = (MFunc){.ctx = arena_ctx(arena), .arena = arena};
    (void)vec_extend(arena, &m->blocks, n);
    plan->blocks = NEW_ARRAY(arena, StackRun, n);
    Flow *f = NEW(arena, Flow);
    *f = (Flow){.arena = arena, .m = m, .plan = plan};
    return f;
}

static void add_node(Flow *f, FlowEnd end, uint32_t n, const uint32_t *to) {
    uint32_t x = f->nodes.n;
    vec_push(f->arena, &f->nodes,
             (FlowNode){.kind = FLOW_BLOCK, .end = (uint8_t)end, .x = x, .first = f->edges.n, .n = n});
    for (uint32_t k = 0; k < n; k++)
        vec_push(f->arena, &f->edges, (FlowEdge){.from = x, .to = to[k], .ops = NONE, .label = NONE});
}

static void keep(Graph *g) {
    Arena *arena = g->flow->arena;
    g->nodes = arena_copy(arena, g->flow->nodes.v, g->flow->nodes.n * sizeof *g->nodes);
    g->edges = arena_copy(arena, g->flow->edges.v, g->flow->edges.n * sizeof *g->edges);
}

// Styles: any node, nodes nearby, mostly forwards, one forward and one far back.
static uint32_t target(uint64_t *r, uint32_t style, uint32_t from, uint32_t n) {
    uint32_t near = from + below(r, 9);
    switch (style) {
    case 0: return below(r, n);
    case 1: return near < 4 ? 0 : near - 4 < n ? near - 4 : n - 1;
    case 2: return below(r, 5) ? from + below(r, n - from) : below(r, n);
    default: return below(r, 2) && from + 1 < n ? from + 1 : below(r, from + 1);
    }
}

static Graph random_graph(Arena *arena, uint64_t seed) {
    uint64_t r = seed;
    uint32_t n = 1 + below(&r, below(&r, 4) ? 12 : 60);
    uint32_t style = below(&r, 4);
    Graph g = {.flow = new_flow(arena, n)};
    for (uint32_t b = 0; b < n; b++) {
        uint32_t to[8];
        uint32_t kind = below(&r, 20);
        uint32_t n_to = kind < 2 || b == n - 1 ? 0 : kind < 8 ? 1 : kind < 17 ? 2 : 3 + below(&r, 6);
        for (uint32_t k = 0; k < n_to; k++) to[k] = target(&r, style, b, n);
        add_node(g.flow, n_to > 2 ? END_TABLE : n_to == 2 ? END_BRANCH : n_to ? END_JUMP : END_LEAVE, n_to, to);
        if (n_to == 1 && below(&r, 3) == 0) vec_last(&g.flow->edges).ops = g.flow->edges.n;
        g.flow->m->blocks.v[b].cold = below(&r, 8) == 0;
    }
    keep(&g);
    return g;
}

// ---- walks ---------------------------------------------------------------------------------------------------

// What a walk passes is hashed: nodes, and the operations of edges.
typedef struct Walk {
    uint64_t decisions, trace;
    uint32_t left; // nodes
    bool done;
} Walk;

static void pass(Walk *w, uint64_t what) {
    w->trace = (w->trace ^ what) * UINT64_C(0x100000001b3);
    w->trace ^= w->trace >> 29;
}

// Passes a node; which of n ways it then takes.
static uint32_t pass_node(Walk *w, uint32_t node, uint32_t n) {
    pass(w, node);
    w->done = n == 0 || --w->left == 0;
    return n > 1 ? below(&w->decisions, n) : 0;
}

static uint64_t walk_graph(const Graph *g, uint64_t decisions) {
    Walk w = {.decisions = decisions, .left = 300};
    for (uint32_t at = 0;;) {
        const FlowNode *node = &g->nodes[at];
        const FlowEdge *e = &g->edges[node->first + pass_node(&w, at, node->n)];
        if (w.done) return w.trace;
        if (e->ops != NONE) pass(&w, UINT64_C(1) << 32 | e->ops);
        at = e->to;
    }
}

typedef struct Program {
    const Flow *f;
    const FlowShape *shape;
    uint32_t *block_end, *loop_start; // by node: steps
    uint32_t *other;                  // by step of an IF: its ELSE or ENDIF; of an ELSE: its ENDIF
} Program;

// Where control is after a branch along e.
static uint32_t branch_along(const Program *p, const FlowEdge *e, uint32_t at) {
    uint32_t loop = p->loop_start[e->to];
    return loop != NONE && loop < at ? loop : p->block_end[e->to];
}

static uint64_t walk_steps(const Program *p, uint64_t decisions) {
    Walk w = {.decisions = decisions, .left = 300};
    uint32_t label = NONE;
    uint32_t way = 0;
    bool condition = false;
    for (uint32_t at = 0; at < p->shape->steps.n && !w.done; at++) {
        const Shape *s = &p->shape->steps.v[at];
        const FlowNode *node = &p->f->nodes.v[s->x < p->f->nodes.n ? s->x : 0];
        switch ((ShapeKind)s->kind) {
        case SHAPE_NODE:
            if (node->kind == FLOW_DISPATCH) {
                ck_assert(label < node->n);
                way = node->end == END_BRANCH ? 1 - label : label;
                label = NONE;
            } else if (node->kind == FLOW_BLOCK) {
                way = pass_node(&w, s->x, node->n);
            }
            condition = way == 0;
            break;
        case SHAPE_NOT: condition = !condition; break;
        case SHAPE_OPS: pass(&w, UINT64_C(1) << 32 | s->x); break;
        case SHAPE_LABEL: label = s->x; break;
        case SHAPE_BR: at = p->block_end[s->x]; break;
        case SHAPE_REPEAT: at = p->loop_start[s->x]; break;
        case SHAPE_BR_IF: at = condition ? p->block_end[s->x] : at; break;
        case SHAPE_REPEAT_IF: at = condition ? p->loop_start[s->x] : at; break;
        case SHAPE_TABLE: at = branch_along(p, &p->f->edges.v[node->first + way], at); break;
        case SHAPE_IF: at = condition ? at : p->other[at]; break;
        case SHAPE_ELSE: at = p->other[at]; break;
        case SHAPE_LEAVE: ck_abort_msg("a node that leaves goes on"); break;
        default: break;
        }
    }
    ck_assert_msg(w.done, "control falls off the end");
    return w.trace;
}

// ---- structure -----------------------------------------------------------------------------------------------

typedef struct Nesting {
    Program *p;
    const FlowOrder *order;
    VEC(uint32_t) open; // steps
    uint32_t *branches; // by node: to its block
    bool *is_open;      // by node: its block is
} Nesting;

static bool in_loop(const FlowOrder *o, uint32_t node, uint32_t header) {
    for (uint32_t h = o->loop[node]; h != NONE; h = o->loop_parent[h])
        if (h == header) return true;
    return false;
}

static void branches_to(Nesting *n, uint32_t node) {
    ck_assert_msg(n->is_open[node], "a branch out of a block that is not open");
    n->branches[node]++;
}

static void close(Nesting *n, uint32_t at, ShapeKind kind, ShapeKind other) {
    ck_assert(n->open.n > 0);
    uint32_t start = n->open.v[--n->open.n];
    const Shape *s = n->p->shape->steps.v;
    ck_assert(s[start].kind == kind || s[start].kind == other);
    if (kind == SHAPE_BLOCK || kind == SHAPE_LOOP) ck_assert(s[start].x == s[at].x);
    n->p->other[start] = at;
}

// A node is in a loop of the steps only when it is in that of the graph, or does not go on.
static void check_node(const Nesting *n, uint32_t node) {
    for (uint32_t k = 0; k < n->open.n; k++) {
        const Shape *s = &n->p->shape->steps.v[n->open.v[k]];
        if (s->kind != SHAPE_LOOP || in_loop(n->order, node, s->x)) continue;
        ck_assert_msg(n->p->f->nodes.v[node].end == END_LEAVE, "node %u is in the loop of %u", node, s->x);
    }
}

static void check_step(Nesting *n, uint32_t at) {
    const Flow *f = n->p->f;
    const Shape *s = &n->p->shape->steps.v[at];
    switch ((ShapeKind)s->kind) {
    case SHAPE_NODE: check_node(n, s->x); break;
    case SHAPE_BLOCK:
        n->is_open[s->x] = true;
        vec_push(f->arena, &n->open, at);
        break;
    case SHAPE_LOOP:
        n->p->loop_start[s->x] = at;
        vec_push(f->arena, &n->open, at);
        break;
    case SHAPE_IF: vec_push(f->arena, &n->open, at); break;
    case SHAPE_END:
        close(n, at, SHAPE_BLOCK, SHAPE_BLOCK);
        n->is_open[s->x] = false;
        n->p->block_end[s->x] = at;
        break;
    case SHAPE_ENDLOOP: close(n, at, SHAPE_LOOP, SHAPE_LOOP); break;
    case SHAPE_ELSE:
        close(n, at, SHAPE_IF, SHAPE_IF);
        vec_push(f->arena, &n->open, at);
        break;
    case SHAPE_ENDIF: close(n, at, SHAPE_IF, SHAPE_ELSE); break;
    case SHAPE_BR:
    case SHAPE_BR_IF: branches_to(n, s->x); break;
    case SHAPE_TABLE:
        for (uint32_t k = 0; k < f->nodes.v[s->x].n; k++) {
            const FlowEdge *e = &f->edges.v[f->nodes.v[s->x].first + k];
            if (n->order->number[e->to] > n->order->number[s->x]) branches_to(n, e->to);
        }
        break;
    default: break;
    }
}

static Program program_of(Arena *arena, Flow *f) {
    FlowOrder *order = flow_reduce(arena, f);
    Program p = {.f = f, .shape = flow_shape(arena, f, order, flow_places(arena, f, order))};
    p.block_end = all_none(arena, f->nodes.n);
    p.loop_start = all_none(arena, f->nodes.n);
    p.other = NEW_ARRAY(arena, uint32_t, p.shape->steps.n);
    Nesting n = {.p = &p, .order = order};
    n.branches = NEW_ARRAY(arena, uint32_t, f->nodes.n);
    n.is_open = NEW_ARRAY(arena, bool, f->nodes.n);
    for (uint32_t k = 0; k < p.shape->steps.n; k++) check_step(&n, k);
    ck_assert(n.open.n == 0);
    for (uint32_t v = 0; v < f->nodes.n; v++) ck_assert_uint_eq(n.branches[v], p.shape->uses[v]);
    return p;
}

// Nothing is written twice, and a dispatch adds no more than a node to each edge.
static void check_size(const Graph *g, uint32_t n, uint32_t n_edges, const Program *p) {
    uint32_t nodes = 0;
    uint8_t *seen = NEW_ARRAY(g->flow->arena, uint8_t, g->flow->nodes.n);
    for (uint32_t k = 0; k < p->shape->steps.n; k++) {
        if (p->shape->steps.v[k].kind != SHAPE_NODE) continue;
        ck_assert(!seen[p->shape->steps.v[k].x]++);
        nodes++;
    }
    ck_assert(nodes <= n + n / 2 + n_edges);
    ck_assert(p->shape->steps.n <= 8 * (n + n_edges) + 8);
}

static void random_walks(uint64_t first, uint64_t count) {
    Ctx *ctx = test_context();
    for (uint64_t seed = first; seed < first + count; seed++) {
        Arena *arena = arena_new(ctx);
        Graph g = random_graph(arena, seed);
        uint32_t n = g.flow->nodes.n;
        uint32_t n_edges = g.flow->edges.n;
        Program p = program_of(arena, g.flow);
        check_size(&g, n, n_edges, &p);
        for (uint64_t walk = 0; walk < 8; walk++)
            ck_assert_msg(walk_graph(&g, walk) == walk_steps(&p, walk), "seed %llu, walk %llu: another trace",
                          (unsigned long long)seed, (unsigned long long)walk);
        arena_free(arena);
    }
    vtr_context_free(ctx);
}

START_TEST(random_graphs) {
    const char *text = getenv("VITRAIL_FLOW_ROUNDS");
    random_walks(1, text ? strtoull(text, NULL, 10) : 20000);
}
END_TEST

// ---- single shapes -------------------------------------------------------------------------------------------

static Flow *flow_of(Arena *arena, uint32_t n, const uint32_t (*to)[2]) {
    Flow *f = new_flow(arena, n);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t n_to = to[k][0] == NONE ? 0 : to[k][1] == NONE ? 1 : 2;
        add_node(f, n_to == 2 ? END_BRANCH : n_to ? END_JUMP : END_LEAVE, n_to, to[k]);
    }
    return f;
}

// The steps as text, without blocks that nothing branches to.
static const char *steps_of(Arena *arena, Flow *f) {
    static const char *const names[] = {"n",   "ops",     "label", "drop",     "block", "loop",
                                        "end", "endloop", "if",    "else",     "endif", "not",
                                        "br",  "repeat",  "brif",  "repeatif", "table", "leave"};
    FlowOrder *order = flow_reduce(arena, f);
    FlowShape *shape = flow_shape(arena, f, order, flow_places(arena, f, order));
    Buf out = buf_new(arena);
    for (uint32_t k = 0; k < shape->steps.n; k++) {
        const Shape *s = &shape->steps.v[k];
        if ((s->kind == SHAPE_BLOCK || s->kind == SHAPE_END) && !shape->uses[s->x]) continue;
        bool bare = s->kind == SHAPE_LEAVE || s->kind == SHAPE_IF || s->kind == SHAPE_ELSE || s->kind == SHAPE_ENDIF ||
                    s->kind == SHAPE_NOT || s->kind == SHAPE_TABLE || s->kind == SHAPE_DROP;
        buf_printf(&out, "%s%s", out.bytes.n ? " " : "", names[s->kind]);
        if (!bare) buf_printf(&out, "%u", s->x);
    }
    return buf_str(&out);
}

static void expect(uint32_t n, const uint32_t (*to)[2], const char *want) {
    Ctx *ctx = test_context();
    Arena *arena = arena_new(ctx);
    ck_assert_str_eq(steps_of(arena, flow_of(arena, n, to)), want);
    vtr_context_free(ctx);
}

START_TEST(diamond) {
    const uint32_t to[][2] = {{1, 2}, {3, NONE}, {3, NONE}, {NONE, NONE}};
    expect(4, to, "n0 if n1 else n2 endif n3 leave");
}
END_TEST

START_TEST(one_arm) {
    const uint32_t to[][2] = {{1, 2}, {2, NONE}, {NONE, NONE}};
    expect(3, to, "n0 if n1 endif n2 leave");
    const uint32_t other[][2] = {{2, 1}, {2, NONE}, {NONE, NONE}};
    expect(3, other, "n0 not if n1 endif n2 leave");
}
END_TEST

START_TEST(while_loop) {
    const uint32_t to[][2] = {{1, NONE}, {2, 3}, {1, NONE}, {NONE, NONE}};
    expect(4, to, "n0 loop1 n1 if n2 repeat1 endif endloop1 n3 leave");
}
END_TEST

START_TEST(do_loop) {
    const uint32_t to[][2] = {{1, NONE}, {1, 2}, {NONE, NONE}};
    expect(3, to, "n0 loop1 n1 repeatif1 endloop1 n2 leave");
}
END_TEST

// An early return stays in the loop; a way out that goes on does not.
START_TEST(exits) {
    const uint32_t leaves[][2] = {{1, NONE}, {2, NONE}, {5, 3}, {1, 4}, {NONE, NONE}, {NONE, NONE}};
    expect(6, leaves, "n0 loop1 n1 n2 if n5 leave endif n3 repeatif1 endloop1 n4 leave");
    const uint32_t goes_on[][2] = {{1, NONE}, {2, NONE}, {5, 3}, {1, 4}, {6, NONE}, {6, NONE}, {NONE, NONE}};
    expect(7, goes_on, "n0 block6 block5 loop1 n1 n2 brif5 n3 repeatif1 endloop1 n4 br6 end5 n5 end6 n6 leave");
}
END_TEST

// Loops in a row do not nest.
START_TEST(row) {
    const uint32_t to[][2] = {{1, NONE}, {1, 2}, {2, 3}, {3, 4}, {NONE, NONE}};
    expect(5, to, "n0 loop1 n1 repeatif1 endloop1 loop2 n2 repeatif2 endloop2 loop3 n3 repeatif3 endloop3 n4 leave");
}
END_TEST

// Two entries; the way from 2 to 1 leads forward in the order of the nodes and stays a jump.
START_TEST(irreducible) {
    const uint32_t to[][2] = {{1, 2}, {2, NONE}, {1, 3}, {NONE, NONE}};
    expect(
        4, to,
        "n0 if n5 label0 else n6 label1 endif loop4 n4 if n2 not if n3 leave endif endif n1 label1 repeat4 endloop4");
}
END_TEST

// ---- growth --------------------------------------------------------------------------------------------------

typedef void Write(Flow *f, uint32_t n);

static void branch(Flow *f, uint32_t yes, uint32_t no) {
    const uint32_t to[] = {yes, no};
    add_node(f, END_BRANCH, 2, to);
}
static void jump(Flow *f, uint32_t to) { add_node(f, END_JUMP, 1, &to); }

// Conditions in a row that all have the same way out.
static void ladder(Flow *f, uint32_t n) {
    for (uint32_t k = 0; k + 1 < n; k++) branch(f, k + 1, n - 1);
    add_node(f, END_LEAVE, 0, NULL);
}
// Arms in arms.
static void arms(Flow *f, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) branch(f, k + 1, 2 * n - k);
    jump(f, n + 1);
    for (uint32_t k = 0; k < n; k++)
        if (k + 1 < n) jump(f, n + 2 + k);
        else add_node(f, END_LEAVE, 0, NULL);
}
// Loops in loops, each with a way out to the very end.
static void nest(Flow *f, uint32_t n) {
    uint32_t half = n / 2;
    jump(f, 1);
    for (uint32_t k = 1; k <= half; k++) branch(f, k + 1, 2 * half + 1);
    for (uint32_t k = 0; k < half; k++) branch(f, half - k, half + 2 + k);
    add_node(f, END_LEAVE, 0, NULL);
}
// Loops in a row.
static void row_of_loops(Flow *f, uint32_t n) {
    jump(f, 1);
    for (uint32_t k = 1; k + 1 < n; k++) branch(f, k, k + 1);
    add_node(f, END_LEAVE, 0, NULL);
}
// A path in both directions that is entered at both ends: every node is an entry of some cycle.
static void both_ways(Flow *f, uint32_t n) {
    branch(f, 1, n - 2);
    branch(f, 2, n - 1);
    for (uint32_t k = 2; k + 2 < n; k++) branch(f, k - 1, k + 1);
    branch(f, n - 3, n - 1);
    add_node(f, END_LEAVE, 0, NULL);
}
// Cycles with two entries in cycles with two entries.
static void nested_tangles(Flow *f, uint32_t n) {
    uint32_t levels = n / 4;
    for (uint32_t k = 0; k < levels; k++) {
        uint32_t at = 4 * k;
        branch(f, at + 1, at + 2);
        branch(f, at + 2, at + 4);
        branch(f, at + 1, at + 3);
        branch(f, at + 4, 4 * levels);
    }
    add_node(f, END_LEAVE, 0, NULL);
}
// Each goes on or back to one of a few places before it.
static void overlapping(Flow *f, uint32_t n) {
    for (uint32_t k = 0; k + 1 < n; k++) branch(f, k + 1, k < 8 ? 0 : k - k * 7 % 8);
    add_node(f, END_LEAVE, 0, NULL);
}
// A switch that all go back to.
static void hub(Flow *f, uint32_t n) {
    uint32_t *to = NEW_ARRAY(f->arena, uint32_t, n);
    for (uint32_t k = 0; k < n; k++) to[k] = 1 + k;
    add_node(f, END_TABLE, n, to);
    for (uint32_t k = 0; k + 1 < n; k++) branch(f, 0, k + 2);
    add_node(f, END_LEAVE, 0, NULL);
}

static Write *const writes[] = {ladder, arms, nest, row_of_loops, both_ways, nested_tangles, overlapping, hub};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double time_of(Write *write, uint32_t n) {
    Ctx *ctx = test_context();
    Arena *arena = arena_new(ctx);
    Flow *f = new_flow(arena, 4 * n);
    write(f, n);
    double start = seconds();
    FlowOrder *order = flow_reduce(arena, f);
    (void)flow_shape(arena, f, order, flow_places(arena, f, order));
    double time = seconds() - start;
    vtr_context_free(ctx);
    return time;
}

// Sixteen times the input takes no more than sixty times the time: a quadratic step would take 256 times.
START_TEST(growth) {
    double large = time_of(writes[_i], 100000);
    double small = time_of(writes[_i], 100000 / 16);
    if (getenv("VITRAIL_FLOW_TIMES")) fprintf(stderr, "%d: %f %f\n", _i, small, large);
    ck_assert_msg(large < 60 * small + 0.05, "graph %d: %f s, then %f s", _i, small, large);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 120);
    tcase_add_test(all, random_graphs);
    tcase_add_test(all, diamond);
    tcase_add_test(all, one_arm);
    tcase_add_test(all, while_loop);
    tcase_add_test(all, do_loop);
    tcase_add_test(all, exits);
    tcase_add_test(all, row);
    tcase_add_test(all, irreducible);
    tcase_add_loop_test(all, growth, 0, sizeof writes / sizeof *writes);
    return run_tests("flow", all);
}
