// From the control flow in order to structured code: a row of steps.
//
// Theory. Ramsey's translation (order.c names the paper), with its recursion on a stack of tasks. `next` is the node
// whose code comes right behind the code being made, NONE at the function's end: control that is to go there needs no
// branch. A block is opened in front of everything that might branch to a node; the steps are made first and written
// later, so that a block that is never branched to vanishes.
#include "stack/flow.h"

typedef enum TaskKind {
    TASK_TREE,    // the code of `node` and of what stands in it and behind it
    TASK_BEHIND,  // closes the block of `node`, then its code
    TASK_ENDLOOP, // of `node`
    TASK_OTHER,   // the second arm of a condition, `node`, after the first
    TASK_ENDIF
} TaskKind;
typedef struct Task {
    uint8_t kind;
    uint32_t node, next;
    uint32_t fell; // TASK_OTHER: how often control fell into `next` before the first arm
} Task;

typedef struct Shaper {
    Arena *arena;
    const Flow *f;
    const FlowOrder *order;
    const FlowPlaces *places;
    FlowShape *out;
    VEC(Task) tasks;
    uint32_t *fell; // by node, then one for the end: how often control falls into it
} Shaper;

static void step(Shaper *s, ShapeKind kind, uint32_t x) {
    vec_push(s->arena, &s->out->steps, (Shape){(uint8_t)kind, x});
}

static void later(Shaper *s, TaskKind kind, uint32_t node, uint32_t next) {
    vec_push(s->arena, &s->tasks, (Task){(uint8_t)kind, node, next, 0});
}

static uint32_t *falls_into(Shaper *s, uint32_t next) { return &s->fell[next == NONE ? s->f->nodes.n : next]; }

// ---- edges --------------------------------------------------------------------------------------------

// How control gets along an edge.
typedef enum Way { WAY_FALL, WAY_BRANCH, WAY_REPEAT, WAY_HERE } Way;

static Way way(const Shaper *s, const FlowEdge *e, uint32_t next) {
    if (s->order->number[e->to] <= s->order->number[e->from]) return WAY_REPEAT;
    if (!s->places->placed[e->to]) return WAY_HERE;
    return e->to == next ? WAY_FALL : WAY_BRANCH;
}

static bool branches(Way w) { return w == WAY_BRANCH || w == WAY_REPEAT; }

static void branch(Shaper *s, const FlowEdge *e, Way w, bool conditional) {
    if (w == WAY_BRANCH) s->out->uses[e->to]++;
    ShapeKind forward = conditional ? SHAPE_BR_IF : SHAPE_BR;
    ShapeKind back = conditional ? SHAPE_REPEAT_IF : SHAPE_REPEAT;
    step(s, w == WAY_BRANCH ? forward : back, e->to);
}

static void go(Shaper *s, const FlowEdge *e, uint32_t next) {
    if (e->ops != NONE) step(s, SHAPE_OPS, e->ops);
    if (e->label != NONE) step(s, SHAPE_LABEL, e->label);
    Way w = way(s, e, next);
    if (w == WAY_FALL) ++*falls_into(s, next);
    else if (w == WAY_HERE) later(s, TASK_TREE, e->to, next);
    else branch(s, e, w, false);
}

static bool leaves(const Shaper *s, uint32_t node) { return s->f->nodes.v[node].end == END_LEAVE; }

// Of two arms, both here: whether the second one goes first. When the first one does not go on, no `else` is needed.
static bool second_first(const Shaper *s, uint32_t node, const FlowEdge *yes, const FlowEdge *no) {
    uint16_t mop;
    return leaves(s, no->to) && !leaves(s, yes->to) && flow_inverts(s->f, node, &mop);
}

static void end_in_branch(Shaper *s, uint32_t node, uint32_t next) {
    const FlowEdge *yes = &s->f->edges.v[s->f->nodes.v[node].first];
    const FlowEdge *no = yes + 1;
    Way w_yes = way(s, yes, next);
    Way w_no = way(s, no, next);
    if (yes->to == no->to) {
        step(s, SHAPE_DROP, node);
        go(s, yes, next);
        return;
    }
    // What can be branched to goes first, what falls through last.
    bool swap = !branches(w_yes) &&
                (branches(w_no) || w_yes == WAY_FALL || (w_no == WAY_HERE && second_first(s, node, yes, no)));
    if (swap) {
        step(s, SHAPE_NOT, node);
        const FlowEdge *e = yes;
        yes = no;
        no = e;
        Way w = w_yes;
        w_yes = w_no;
        w_no = w;
    }
    if (branches(w_yes)) {
        branch(s, yes, w_yes, true);
        go(s, no, next);
        return;
    }
    step(s, SHAPE_IF, node);
    if (w_no == WAY_HERE) {
        later(s, TASK_OTHER, no->to, next);
        vec_last(&s->tasks).fell = *falls_into(s, next);
    } else {
        later(s, TASK_ENDIF, NONE, NONE);
        ++*falls_into(s, next);
    }
    go(s, yes, next);
}

static void end_in_table(Shaper *s, uint32_t node) {
    const FlowNode *n = &s->f->nodes.v[node];
    for (uint32_t e = n->first; e < n->first + n->n; e++) {
        const FlowEdge *edge = &s->f->edges.v[e];
        if (way(s, edge, NONE) == WAY_BRANCH) s->out->uses[edge->to]++;
    }
    step(s, SHAPE_TABLE, node);
}

// ---- nodes --------------------------------------------------------------------------------------------

// Opens the blocks of the nodes of a list; the code of the last one is followed by `next`. Returns what follows now.
static uint32_t open_blocks(Shaper *s, uint32_t list, uint32_t next) {
    for (uint32_t v = list; v != NONE; v = s->places->next[v]) {
        step(s, SHAPE_BLOCK, v);
        later(s, TASK_BEHIND, v, next);
        next = v;
    }
    return next;
}

static void tree(Shaper *s, uint32_t node, uint32_t next) {
    const FlowNode *n = &s->f->nodes.v[node];
    next = open_blocks(s, s->places->behind[node], next);
    if (s->order->is_header[node]) {
        step(s, SHAPE_LOOP, node);
        later(s, TASK_ENDLOOP, node, NONE);
    }
    next = open_blocks(s, s->places->inside[node], next);
    step(s, SHAPE_NODE, node);
    switch ((FlowEnd)n->end) {
    case END_LEAVE: step(s, SHAPE_LEAVE, node); break;
    case END_JUMP:
        if (n->drops) step(s, SHAPE_DROP, node);
        go(s, &s->f->edges.v[n->first], next);
        break;
    case END_BRANCH: end_in_branch(s, node, next); break;
    case END_TABLE: end_in_table(s, node); break;
    }
}

static void other_arm(Shaper *s, const Task *t) {
    if (*falls_into(s, t->next) == t->fell) { // the first one goes elsewhere: what follows need not be in an arm
        step(s, SHAPE_ENDIF, NONE);
    } else {
        step(s, SHAPE_ELSE, NONE);
        later(s, TASK_ENDIF, NONE, NONE);
    }
    later(s, TASK_TREE, t->node, t->next);
}

FlowShape *flow_shape(Arena *arena, const Flow *f, const FlowOrder *order, const FlowPlaces *places) {
    Shaper s = {.arena = arena, .f = f, .order = order, .places = places, .out = NEW(arena, FlowShape)};
    s.out->uses = NEW_ARRAY(arena, uint32_t, f->nodes.n);
    s.fell = NEW_ARRAY(arena, uint32_t, f->nodes.n + 1);
    later(&s, TASK_TREE, 0, NONE);
    while (s.tasks.n) {
        Task t = s.tasks.v[--s.tasks.n];
        switch ((TaskKind)t.kind) {
        case TASK_TREE: tree(&s, t.node, t.next); break;
        case TASK_BEHIND:
            step(&s, SHAPE_END, t.node);
            tree(&s, t.node, t.next);
            break;
        case TASK_ENDLOOP: step(&s, SHAPE_ENDLOOP, t.node); break;
        case TASK_OTHER: other_arm(&s, &t); break;
        case TASK_ENDIF: step(&s, SHAPE_ENDIF, NONE); break;
        }
    }
    return s.out;
}
