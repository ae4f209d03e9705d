// Which vregs share a local, and the numbers of locals.
//
// Theory. Copies are what costs: `get a; set p` on an edge where a and its parameter p have different locals. So first
// vregs that a copy joins are merged while they are never live together (aggressive coalescing, Chaitin 1981; deepest
// loops first), into groups. Then groups get colours, each with a value type: in the order in which they start a group
// takes the first colour of the first TRIES that is free wherever it lives, else one that is free from there on, else a
// new one. Of intervals without holes that is the least number of colours; SSA code has few holes that it could not
// use. Parameters of the function are groups with given colours. Last, colours are numbered by how often code names
// them, since small numbers are short.
//
// Groups and colours are sets of spans (live.c), each a splay tree (Sleator and Tarjan 1985) by position, with its
// spans in a list, too: to see whether two are apart, and to join them, the smaller one's spans are looked up in the
// larger one. So all merges together take n log^2 n. What two groups said of each other is remembered.
//
// Then a copy between vregs with the same local is dropped, unless something wrote the local between its `get` and its
// `set` (the vreg was dead there, so others may), and `set x; get x` becomes `tee x`. Locals are 0 when the function is
// entered, so a constant 0 is not written to one that block 0, which runs once, has not written yet.
//
//   loop(i): ... i2 = i + 1; jump loop(i2)      i2's span ends at the `set` of i on the edge, i's ended at the
//   addition:
//                                               one local, and the edge is empty or `get 0; const 1; add; set 0`.
#include <stdlib.h>

#include "stack/locals.h"
#include "stack/operands.h"
#include "support/map.h"

enum { TRIES = 48 };

typedef struct Set {
    uint32_t root, head, tail; // spans; 0 = none
    uint32_t n;
    uint32_t from, to; // around all
    uint32_t color;    // given to it, NONE = any
    uint8_t cls;
    bool starts_zero; // block 0 writes 0 to it: no parameter's local would do without that
} Set;

typedef struct Color {
    Set set;
    uint64_t uses;
    uint32_t number;
} Color;

typedef struct Copy {
    uint32_t from, to; // vregs
    uint32_t depth;
} Copy;

typedef struct Locals {
    Arena *tmp;
    MFunc *m;
    StackPlan *plan;
    Span *spans;
    uint32_t *group; // by vreg: one that stands for its group, or itself
    Set *sets;       // by such a vreg
    VEC(Copy) copies;
    Map apart; // pairs of groups that are live together
    VEC(Color) colors;
    VEC(uint32_t) by_class[256]; // colours
    VEC(uint32_t) ending[256];   // colours beyond the first TRIES: a heap by Set.to
    // what operations do
    // By operation: the `get` or constant that pushed what this `set` or `tee` finds, NONE = something else did; and
    // the last `tee` in front of the `set` that copies what this operation pushed, NONE = none.
    uint32_t *origin;
    uint32_t *teed;
    VEC(uint32_t) stack;
} Locals;

// ---- sets of spans --------------------------------------------------------------------------------

// Brings the last span that starts at or in front of `key`, or else the first one, to the root.
static uint32_t splay(Span *s, uint32_t root, uint32_t key) {
    if (!root) return 0;
    uint32_t left = 0;
    uint32_t right = 0;
    s[0].left = s[0].right = 0;
    for (;;) {
        bool less = key < s[root].from;
        uint32_t child = less ? s[root].left : s[root].right;
        if (!child) break;
        if (less && key < s[child].from) {
            s[root].left = s[child].right;
            s[child].right = root;
            root = child;
            child = s[root].left;
        } else if (!less && key >= s[child].from) {
            s[root].right = s[child].left;
            s[child].left = root;
            root = child;
            child = s[root].right;
        }
        if (!child) break;
        if (less) {
            s[right].left = root;
            right = root;
        } else {
            s[left].right = root;
            left = root;
        }
        root = child;
    }
    s[left].right = s[root].left;
    s[right].left = s[root].right;
    s[root].left = s[0].right;
    s[root].right = s[0].left;
    return root;
}

// Whether a span of the set meets [from, to).
static bool meets(Span *s, Set *set, uint32_t from, uint32_t to) {
    if (!set->root || to <= set->from || set->to <= from) return false;
    uint32_t root = set->root = splay(s, set->root, to - 1);
    if (s[root].from >= to) {
        if (!s[root].left) return false;
        root = s[root].left = splay(s, s[root].left, to - 1);
    }
    return s[root].to > from;
}

static bool are_apart(Span *s, Set *a, Set *b) {
    Set *small = a->n < b->n ? a : b;
    Set *large = small == a ? b : a;
    if (!small->n || small->to <= large->from || large->to <= small->from) return true;
    for (uint32_t i = small->head; i; i = s[i].next)
        if (meets(s, large, s[i].from, s[i].to)) return false;
    return true;
}

static void insert(Span *s, Set *set, uint32_t span) {
    uint32_t root = splay(s, set->root, s[span].from);
    s[span].left = s[span].right = 0;
    if (root && s[root].from <= s[span].from) {
        s[span].left = root;
        s[span].right = s[root].right;
        s[root].right = 0;
    } else if (root) {
        s[span].right = root;
        s[span].left = s[root].left;
        s[root].left = 0;
    }
    set->root = span;
}

// `to` gets the spans of `from`, which is apart from it.
static void join(Span *s, Set *to, Set *from) {
    if (!from->n) return;
    Set small = to->n < from->n ? *to : *from;
    Set large = to->n < from->n ? *from : *to;
    for (uint32_t i = small.head; i; i = s[i].next) insert(s, &large, i);
    if (small.n) {
        s[large.tail].next = small.head;
        large.tail = small.tail;
        large.n += small.n;
        if (small.from < large.from) large.from = small.from;
        if (small.to > large.to) large.to = small.to;
    }
    large.color = to->color != NONE ? to->color : from->color;
    large.cls = to->cls;
    large.starts_zero = to->starts_zero || from->starts_zero;
    *to = large;
}

// ---- copies ---------------------------------------------------------------------------------------

// Whether it pushes a constant that is what locals start as.
static bool is_zero(const Locals *l, const MInst *i) {
    const MOpnd *o = minst_slots(l->m, i);
    if (i->n_slots != 2 || o[0].kind != MO_VREG || !stack_is_result(&o[0])) return false;
    return i->mop == l->m->target->classes[o[0].cls].constant && o[1].kind == MO_IMM && o[1].imm == 0;
}

// Follows one run: which `get` each `set` has its value from.
static void trace_run(Locals *l, const StackRun *run, uint32_t depth, bool is_entry) {
    l->stack.n = 0;
    for (uint32_t op = run->first; op < run->first + run->n; op++) {
        const StackOp *o = &l->plan->ops.v[op];
        if (o->kind == SOP_GET || o->kind == SOP_FRAME) {
            vec_push(l->tmp, &l->stack, o->kind == SOP_GET ? op : NONE);
        } else if (o->kind == SOP_INST) {
            const MInst *i = &l->m->insts.v[o->x];
            const MOpnd *slots = minst_slots(l->m, i);
            for (unsigned k = 0; k < i->n_slots && l->stack.n; k++)
                if (stack_is_push(&slots[k])) l->stack.n--;
            uint32_t origin = is_zero(l, i) ? op : NONE;
            for (unsigned k = 0; k < i->n_slots; k++)
                if (stack_is_result(&slots[k])) vec_push(l->tmp, &l->stack, origin);
        } else if (o->kind == SOP_TEE && l->stack.n) {
            l->origin[op] = vec_last(&l->stack);
        } else if (o->kind != SOP_TEE && l->stack.n) {
            uint32_t from = l->stack.v[--l->stack.n];
            if (o->kind == SOP_DROP || from == NONE) continue;
            l->origin[op] = from;
            const StackOp *pushed = &l->plan->ops.v[from];
            if (pushed->kind == SOP_GET) vec_push(l->tmp, &l->copies, (Copy){pushed->x, o->x, depth});
            else l->sets[o->x].starts_zero |= is_entry;
        }
    }
}

static int compare_copies(const void *x, const void *y) {
    const Copy *a = x;
    const Copy *b = y;
    if (a->depth != b->depth) return a->depth > b->depth ? -1 : 1;
    if (a->to != b->to) return a->to < b->to ? -1 : 1;
    return a->from < b->from ? -1 : a->from > b->from;
}

static void find_copies(Locals *l) {
    const MFunc *m = l->m;
    l->origin = NEW_ARRAY(l->tmp, uint32_t, l->plan->ops.n);
    l->teed = NEW_ARRAY(l->tmp, uint32_t, l->plan->ops.n);
    for (uint32_t k = 0; k < l->plan->ops.n; k++) l->origin[k] = l->teed[k] = NONE;
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        const MBlock *block = &m->blocks.v[b];
        trace_run(l, &l->plan->blocks[b], block->loop_depth, b == 0);
        for (uint32_t e = block->succs; e < block->succs + block->n_succs; e++)
            trace_run(l, &l->plan->edges[e], block->loop_depth, b == 0 && block->n_succs == 1);
    }
    if (l->copies.n > 1) qsort(l->copies.v, l->copies.n, sizeof *l->copies.v, compare_copies);
}

static uint32_t group_of(Locals *l, uint32_t v) {
    while (l->group[v] != v) {
        l->group[v] = l->group[l->group[v]];
        v = l->group[v];
    }
    return v;
}

static void merge_copies(Locals *l) {
    l->apart = map_new(l->tmp);
    for (uint32_t k = 0; k < l->copies.n; k++) {
        uint32_t a = group_of(l, l->copies.v[k].from);
        uint32_t b = group_of(l, l->copies.v[k].to);
        Set *x = &l->sets[a];
        Set *y = &l->sets[b];
        if (a == b || x->cls != y->cls || (x->color != NONE && y->color != NONE)) continue;
        bool added;
        map_add(&l->apart, a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a, 0, &added);
        if (!added || !are_apart(l->spans, x, y)) continue;
        join(l->spans, x, y);
        l->group[b] = a;
    }
}

// ---- colours --------------------------------------------------------------------------------------

static void make_sets(Locals *l, const Lives *lives) {
    const MFunc *m = l->m;
    l->group = NEW_ARRAY(l->tmp, uint32_t, m->vregs.n);
    l->sets = NEW_ARRAY(l->tmp, Set, m->vregs.n);
    for (uint32_t v = 0; v < m->vregs.n; v++) {
        uint32_t first = lives->first[v];
        uint32_t end = lives->first[v + 1];
        l->group[v] = v;
        Set *set = &l->sets[v];
        *set = (Set){.color = NONE, .cls = m->vregs.v[v].cls};
        if (first == end) continue;
        // The tree of a rising row: each the left child of the next.
        for (uint32_t s = first; s < end; s++) {
            l->spans[s].left = s > first ? s - 1 : 0;
            l->spans[s].right = 0;
            l->spans[s].next = s + 1 < end ? s + 1 : 0;
        }
        set->head = first;
        set->tail = set->root = end - 1;
        set->n = end - first;
        set->from = l->spans[first].from;
        set->to = l->spans[end - 1].to;
    }
}

static uint32_t new_color(Locals *l, uint8_t cls) {
    vec_push(l->tmp, &l->colors, (Color){.set = {.color = NONE, .cls = cls}, .number = NONE});
    vec_push(l->tmp, &l->by_class[cls], l->colors.n - 1);
    return l->colors.n - 1;
}

static uint8_t class_of_type(const MFunc *m, uint8_t value_type) {
    for (unsigned c = 0; c < m->target->n_classes; c++)
        if (m->target->classes[c].value_type == value_type) return (uint8_t)c;
    ctx_bug(m->ctx, "stack: no class of value type %u", value_type);
}

static void color_params(Locals *l) {
    const MFunc *m = l->m;
    l->plan->n_params = m->types.n ? m->types.v[0].n_params : 0;
    Params params = stack_params(l->tmp, m);
    for (uint32_t k = 0; k < l->plan->n_params; k++) {
        uint32_t color = new_color(l, class_of_type(m, m->types.v[0].params[k]));
        l->colors.v[color].number = k;
        if (k < params.n && params.v[k] != NONE) l->sets[params.v[k]].color = color;
    }
}

static bool ends_before(const Locals *l, uint32_t a, uint32_t b) {
    uint32_t x = l->colors.v[a].set.to;
    uint32_t y = l->colors.v[b].set.to;
    return x != y ? x < y : a < b;
}

static void sift_down(const Locals *l, uint32_t *heap, uint32_t n, uint32_t at) {
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
            if (ends_before(l, heap[child], heap[least])) least = child;
        if (least == at) return;
        uint32_t swap = heap[at];
        heap[at] = heap[least];
        heap[least] = swap;
        at = least;
    }
}

static void sift_up(const Locals *l, uint32_t *heap, uint32_t at) {
    while (at && ends_before(l, heap[at], heap[(at - 1) / 2])) {
        uint32_t swap = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

static uint32_t find_color(Locals *l, Set *set) {
    uint8_t cls = set->cls;
    for (uint32_t k = 0; k < l->by_class[cls].n && k < TRIES; k++) {
        uint32_t color = l->by_class[cls].v[k];
        if (set->starts_zero && color < l->plan->n_params) continue;
        if (are_apart(l->spans, set, &l->colors.v[color].set)) return color;
    }
    const uint32_t *heap = l->ending[cls].v;
    if (l->ending[cls].n && l->colors.v[heap[0]].set.to <= set->from) return heap[0];
    return new_color(l, cls);
}

static void give_color(Locals *l, Set *set, uint32_t color) {
    bool is_new = !l->colors.v[color].set.n;
    join(l->spans, &l->colors.v[color].set, set);
    set->color = color;
    uint32_t n = l->ending[set->cls].n;
    if (n && l->ending[set->cls].v[0] == color) {
        sift_down(l, l->ending[set->cls].v, n, 0);
    } else if (is_new && l->by_class[set->cls].n > TRIES) {
        vec_push(l->tmp, &l->ending[set->cls], color);
        sift_up(l, l->ending[set->cls].v, n);
    }
}

typedef struct Start {
    uint32_t from, vreg;
} Start;

static int compare_starts(const void *x, const void *y) {
    const Start *a = x;
    const Start *b = y;
    if (a->from != b->from) return a->from < b->from ? -1 : 1;
    return a->vreg < b->vreg ? -1 : a->vreg > b->vreg;
}

static void color_groups(Locals *l) {
    const MFunc *m = l->m;
    uint32_t n = 0;
    Start *starts = NEW_ARRAY(l->tmp, Start, m->vregs.n);
    for (uint32_t v = 0; v < m->vregs.n; v++) {
        Set *set = &l->sets[v];
        if (l->group[v] != v || !set->n) continue;
        if (set->color != NONE) join(l->spans, &l->colors.v[set->color].set, set);
        else starts[n++] = (Start){set->from, v};
    }
    qsort(starts, n, sizeof *starts, compare_starts);
    for (uint32_t k = 0; k < n; k++) {
        Set *set = &l->sets[starts[k].vreg];
        give_color(l, set, find_color(l, set));
    }
}

// ---- operations -----------------------------------------------------------------------------------

static uint32_t color_of(Locals *l, uint32_t vreg) { return l->sets[group_of(l, vreg)].color; }

enum { GONE = 0xff };

// Whether a `set` changes nothing. `written`: by colour, the operation that wrote it last, NONE = none.
static bool is_idle(Locals *l, uint32_t op, const uint32_t *written, bool is_entry) {
    const StackOp *ops = l->plan->ops.v;
    uint32_t color = color_of(l, ops[op].x);
    uint32_t from = l->origin[op];
    if (from == NONE) return false;
    if (ops[from].kind == SOP_INST) return is_entry && color >= l->plan->n_params && written[color] == NONE;
    if (color_of(l, ops[from].x) != color) return false;
    return written[color] == NONE || written[color] < from || written[color] > op;
}

// Drops what locals shared make useless. `is_entry`: of block 0, of which nothing was cleaned but the operations in
// front of these.
static void clean_run(Locals *l, StackRun *run, uint32_t *written, bool is_entry) {
    StackOp *ops = l->plan->ops.v;
    for (uint32_t op = run->first; op < run->first + run->n; op++) {
        if (ops[op].kind != SOP_SET && ops[op].kind != SOP_TEE) continue;
        uint32_t from = l->origin[op];
        if (is_idle(l, op, written, is_entry)) {
            // The value stays for a `tee` that needs it, which becomes the `set`.
            if (ops[op].kind == SOP_SET && l->teed[from] != NONE) ops[l->teed[from]].kind = SOP_SET;
            else if (ops[op].kind == SOP_SET) ops[from].kind = GONE;
            ops[op].kind = GONE;
            continue;
        }
        written[color_of(l, ops[op].x)] = op;
        if (ops[op].kind == SOP_TEE && from != NONE) l->teed[from] = op;
    }
    uint32_t to = run->first;
    for (uint32_t op = run->first; op < run->first + run->n; op++) {
        if (ops[op].kind == GONE) continue;
        StackOp *last = to > run->first ? &ops[to - 1] : NULL;
        if (last && ops[op].kind == SOP_GET && last->kind == SOP_SET &&
            color_of(l, last->x) == color_of(l, ops[op].x)) {
            last->kind = SOP_TEE;
        } else {
            ops[to++] = ops[op];
        }
    }
    run->n = to - run->first;
}

static void clean(Locals *l) {
    const MFunc *m = l->m;
    uint32_t *written = NEW_ARRAY(l->tmp, uint32_t, l->colors.n);
    for (uint32_t k = 0; k < l->colors.n; k++) written[k] = NONE;
    const MBlock *entry = &m->blocks.v[0];
    clean_run(l, &l->plan->blocks[0], written, true);
    if (entry->n_succs == 1) clean_run(l, &l->plan->edges[entry->succs], written, true);
    for (uint32_t b = 1; b < m->blocks.n; b++) clean_run(l, &l->plan->blocks[b], written, false);
    for (uint32_t e = 0; e < m->edges.n; e++)
        if (entry->n_succs != 1 || e != entry->succs) clean_run(l, &l->plan->edges[e], written, false);
}

// ---- numbers --------------------------------------------------------------------------------------

static void count_use(void *user, uint32_t op, uint32_t block) {
    (void)block;
    Locals *l = user;
    if (op == NONE) return;
    const StackOp *o = &l->plan->ops.v[op];
    if (stack_names_local(o)) l->colors.v[color_of(l, o->x)].uses++;
}

typedef struct Rank {
    uint64_t class_uses, uses;
    uint32_t color;
    uint8_t cls;
} Rank;

static int compare_ranks(const void *x, const void *y) {
    const Rank *a = x;
    const Rank *b = y;
    if (a->class_uses != b->class_uses) return a->class_uses > b->class_uses ? -1 : 1;
    if (a->cls != b->cls) return a->cls < b->cls ? -1 : 1;
    if (a->uses != b->uses) return a->uses > b->uses ? -1 : 1;
    return a->color < b->color ? -1 : a->color > b->color;
}

static void number_colors(Locals *l) {
    StackPlan *plan = l->plan;
    stack_each_op(l->m, plan, count_use, l);
    uint64_t class_uses[256] = {0};
    Rank *ranks = NEW_ARRAY(l->tmp, Rank, l->colors.n);
    uint32_t n = 0;
    for (uint32_t k = plan->n_params; k < l->colors.n; k++) class_uses[l->colors.v[k].set.cls] += l->colors.v[k].uses;
    for (uint32_t k = plan->n_params; k < l->colors.n; k++) {
        const Color *c = &l->colors.v[k];
        if (c->uses) ranks[n++] = (Rank){class_uses[c->set.cls], c->uses, k, c->set.cls};
    }
    qsort(ranks, n, sizeof *ranks, compare_ranks);
    for (uint32_t k = 0; k < n; k++) {
        l->colors.v[ranks[k].color].number = plan->n_params + k;
        if (!k || ranks[k].cls != ranks[k - 1].cls)
            plan->groups[plan->n_groups++].value_type = l->m->target->classes[ranks[k].cls].value_type;
        plan->groups[plan->n_groups - 1].n++;
    }
}

void stack_locals(MFunc *m, StackPlan *plan, bool optimise) {
    Arena *tmp = arena_new(m->ctx);
    Lives lives = stack_lives(tmp, m, plan);
    Locals *l = NEW(tmp, Locals);
    l->tmp = tmp;
    l->m = m;
    l->plan = plan;
    l->spans = lives.spans.v;
    make_sets(l, &lives);
    color_params(l);
    if (optimise) {
        find_copies(l);
        merge_copies(l);
    }
    color_groups(l);
    if (optimise) clean(l);
    number_colors(l);
    plan->local = NEW_ARRAY(m->arena, uint32_t, m->vregs.n);
    for (uint32_t v = 0; v < m->vregs.n; v++) {
        uint32_t color = color_of(l, v);
        plan->local[v] = color != NONE ? l->colors.v[color].number : NONE;
    }
    arena_free(tmp);
}
