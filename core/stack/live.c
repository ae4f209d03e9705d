// When locals are live.
//
// Theory. Operations get positions in the order of the blocks, and each vreg that has a local gets its events, `get`s
// and writes, at these positions. A vreg has one write if an instruction defines it, one on each edge if it is a
// parameter. Value by value (Boissinot et al., "Computing Liveness Sets for SSA-Form Programs", section 5), blocks that
// read before they write are live at their start; from there the walk goes to the predecessors, until one that writes.
// So the time is that of writing the result, and no set per block exists. A vreg that lives in too many blocks is taken
// to live in a few runs of them (select/extents.h). The result are spans, from a write (included)
// to the last read (excluded): two vregs may share a local when their spans are apart. A write that nobody reads has a
// span of 1.
#include <stdlib.h>

#include "select/extents.h"
#include "stack/locals.h"
#include "stack/operands.h"

typedef struct Event {
    uint32_t pos, block;
    bool writes;
} Event;

typedef struct Live {
    Arena *tmp, *arena;
    const MFunc *m;
    const StackPlan *plan;
    uint32_t *start;       // by block: its first position; one more element for the end
    uint32_t *first_event; // by vreg: run in events; one more element for the end
    Event *events;
    uint32_t pos;
    // For the vreg at hand, where the stamp is its number + 1:
    uint32_t *in, *out;              // by block: it is live at its start, its end
    uint32_t *has;                   // by block: it has events, ...
    uint32_t *event_from, *event_to; // ... these
    VEC(uint32_t) work;
    VEC(uint32_t) blocks; // touched
    Lives lives;
    Extents *extents;   // NULL until a vreg is rounded
    uint32_t *param_of; // then, by vreg: block that it is a parameter of, NONE = none
} Live;

Params stack_params(Arena *arena, const MFunc *m) {
    Params params = {0};
    const MBlock *entry = &m->blocks.v[0];
    if (!entry->n || m->insts.v[entry->first].mop != MOP_ENTRY) return params;
    const MInst *i = &m->insts.v[entry->first];
    const MOpnd *o = minst_slots(m, i);
    for (unsigned k = 0; k < i->n_slots; k++)
        if (stack_is_result(&o[k])) vec_push(arena, &params, o[k].kind == MO_VREG ? o[k].reg : NONE);
    return params;
}

// ---- positions and events -------------------------------------------------------------------------

static void each_in(const StackRun *run, void (*visit)(void *user, uint32_t op, uint32_t block), void *user,
                    uint32_t block) {
    for (uint32_t k = 0; k < run->n; k++) visit(user, run->first + k, block);
}

void stack_each_op(const MFunc *m, const StackPlan *plan, void (*visit)(void *user, uint32_t op, uint32_t block),
                   void *user) {
    Arena *tmp = arena_new(m->ctx);
    uint32_t *before = NEW_ARRAY(tmp, uint32_t, m->blocks.n); // edge that stands at the block's start, plus 1
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        const MBlock *block = &m->blocks.v[b];
        for (uint32_t e = block->succs; e < block->succs + block->n_succs; e++)
            if (block->n_succs > 1) before[m->edges.v[e].block] = e + 1;
    }
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        const MBlock *block = &m->blocks.v[b];
        visit(user, NONE, b);
        if (before[b]) each_in(&plan->edges[before[b] - 1], visit, user, b);
        each_in(&plan->blocks[b], visit, user, b);
        if (block->n_succs == 1) each_in(&plan->edges[block->succs], visit, user, b);
    }
    visit(user, NONE, m->blocks.n);
    arena_free(tmp);
}

static void count_event(void *user, uint32_t op, uint32_t block) {
    Live *l = user;
    if (op == NONE) {
        l->start[block] = l->pos++;
        return;
    }
    l->pos++;
    const StackOp *o = &l->plan->ops.v[op];
    if (stack_names_local(o)) l->first_event[o->x + 1]++;
}

static void add_event(Live *l, uint32_t vreg, Event event) { l->events[l->first_event[vreg]++] = event; }

static void note_event(void *user, uint32_t op, uint32_t block) {
    Live *l = user;
    uint32_t pos = l->pos++;
    if (op == NONE) return;
    const StackOp *o = &l->plan->ops.v[op];
    if (stack_names_local(o)) add_event(l, o->x, (Event){pos, block, o->kind != SOP_GET});
}

// The first position of a block is nobody's operation: there the parameters of the function are written.
static void find_events(Live *l) {
    const MFunc *m = l->m;
    l->start = NEW_ARRAY(l->tmp, uint32_t, m->blocks.n + 1);
    l->first_event = NEW_ARRAY(l->tmp, uint32_t, m->vregs.n + 2);
    stack_each_op(m, l->plan, count_event, l);
    Params params = stack_params(l->tmp, m);
    for (uint32_t k = 0; k < params.n; k++)
        if (params.v[k] != NONE) l->first_event[params.v[k] + 1]++;
    for (uint32_t v = 0; v < m->vregs.n; v++) l->first_event[v + 1] += l->first_event[v];
    l->events = NEW_ARRAY(l->tmp, Event, l->first_event[m->vregs.n]);
    for (uint32_t k = 0; k < params.n; k++)
        if (params.v[k] != NONE) add_event(l, params.v[k], (Event){0, 0, true});
    l->pos = 0;
    stack_each_op(m, l->plan, note_event, l);
    for (uint32_t v = m->vregs.n; v-- > 0;) l->first_event[v + 1] = l->first_event[v];
    l->first_event[0] = 0;
}

// ---- spans ----------------------------------------------------------------------------------------

static void live_in(Live *l, uint32_t b, uint32_t stamp) {
    if (l->in[b] == stamp) return;
    l->in[b] = stamp;
    vec_push(l->tmp, &l->work, b);
    if (l->has[b] != stamp && l->out[b] != stamp) vec_push(l->tmp, &l->blocks, b);
}

static bool writes_in(const Live *l, uint32_t b, uint32_t stamp) {
    if (l->has[b] != stamp) return false;
    for (uint32_t e = l->event_to[b]; e-- > l->event_from[b];)
        if (l->events[e].writes) return true;
    return false;
}

// False: that would take too long.
static bool walk_back(Live *l, uint32_t stamp) {
    const MFunc *m = l->m;
    uint32_t steps = 0;
    while (l->work.n) {
        const MBlock *b = &m->blocks.v[l->work.v[--l->work.n]];
        steps += b->n_preds;
        if (steps > extents_exact(m->stress)) return false;
        for (uint32_t k = 0; k < b->n_preds; k++) {
            uint32_t p = m->lists.v[b->preds + k];
            if (l->out[p] == stamp) continue;
            if (l->has[p] != stamp && l->in[p] != stamp) vec_push(l->tmp, &l->blocks, p);
            l->out[p] = stamp;
            if (!writes_in(l, p, stamp)) live_in(l, p, stamp);
        }
    }
    return true;
}

// Backwards: `last` is the last span made.
static void add_span(Live *l, uint32_t from, uint32_t to, uint32_t first) {
    if (l->lives.spans.n > first && vec_last(&l->lives.spans).from == to) vec_last(&l->lives.spans).from = from;
    else vec_push(l->arena, &l->lives.spans, (Span){from, to, 0, 0, 0});
}

static void add_spans(Live *l, uint32_t b, uint32_t stamp, uint32_t first) {
    uint32_t until = l->out[b] == stamp ? l->start[b + 1] : NONE;
    if (l->has[b] == stamp) {
        for (uint32_t e = l->event_to[b]; e-- > l->event_from[b];) {
            uint32_t pos = l->events[e].pos;
            if (l->events[e].writes) {
                add_span(l, pos, until != NONE ? until : pos + 1, first);
                until = NONE;
            } else if (until == NONE) {
                until = pos;
            }
        }
    }
    if (until != NONE) add_span(l, l->start[b], until, first);
}

static int compare_numbers(const void *x, const void *y) {
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

static void make_extents(Live *l) {
    const MFunc *m = l->m;
    l->extents = extents_new(l->tmp, m);
    l->param_of = all_none(l->tmp, m->vregs.n);
    for (uint32_t b = 0; b < m->blocks.n; b++)
        for (uint32_t k = 0; k < m->blocks.v[b].n_params; k++) l->param_of[m->lists.v[m->blocks.v[b].params + k]] = b;
}

// Spans of what a vreg's writes leave in those of the first `n` of l->blocks that are not in front of block `floor`;
// how many are.
static uint32_t add_tails(Live *l, uint32_t n, uint32_t floor, uint32_t first) {
    for (; n > 0 && l->blocks.v[n - 1] >= floor; n--) {
        uint32_t b = l->blocks.v[n - 1];
        add_span(l, l->events[l->event_from[b]].pos, l->start[b + 1], first);
    }
    return n;
}

// Spans of a vreg with events in the first `n` of l->blocks: the runs around its life, and of a parameter what comes
// behind its write where a predecessor stands outside.
static void add_rounded(Live *l, uint32_t vreg, uint32_t n, uint32_t first) {
    if (!l->extents) make_extents(l);
    uint32_t def = l->param_of[vreg];
    for (uint32_t e = l->first_event[vreg]; def == NONE; e++)
        if (l->events[e].writes) def = l->events[e].block;
    uint32_t last = extents_number(l->extents, def);
    for (uint32_t e = l->first_event[vreg]; e < l->first_event[vreg + 1]; e++) {
        uint32_t number = extents_number(l->extents, l->events[e].block);
        if (!l->events[e].writes && number > last) last = number;
    }
    // An edge that passes a parameter on to itself neither reads nor writes.
    const MBlock *block = &l->m->blocks.v[def];
    for (uint32_t k = 0; k < block->n_preds && l->param_of[vreg] != NONE; k++) {
        uint32_t number = extents_number(l->extents, l->m->lists.v[block->preds + k]);
        if (number > last) last = number;
    }
    BlockRun runs[2];
    for (unsigned r = extents_runs(l->extents, def, last, runs); r-- > 0;) {
        n = add_tails(l, n, runs[r].to, first);
        add_span(l, l->start[runs[r].from], l->start[runs[r].to], first);
        while (n > 0 && l->blocks.v[n - 1] >= runs[r].from) n--;
    }
    (void)add_tails(l, n, 0, first);
}

static void build(Live *l, uint32_t vreg) {
    uint32_t stamp = vreg + 1;
    l->blocks.n = l->work.n = 0;
    uint32_t end = l->first_event[vreg + 1];
    for (uint32_t e = l->first_event[vreg]; e < end;) {
        uint32_t b = l->events[e].block;
        l->has[b] = stamp;
        vec_push(l->tmp, &l->blocks, b);
        l->event_from[b] = e;
        while (e < end && l->events[e].block == b) e++;
        l->event_to[b] = e;
    }
    uint32_t n = l->blocks.n;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t b = l->blocks.v[k];
        if (!l->events[l->event_from[b]].writes) live_in(l, b, stamp);
    }
    uint32_t first = l->lives.spans.n;
    l->lives.first[vreg] = first;
    if (walk_back(l, stamp)) {
        if (l->blocks.n > n) qsort(l->blocks.v, l->blocks.n, sizeof *l->blocks.v, compare_numbers);
        for (uint32_t k = l->blocks.n; k-- > 0;) add_spans(l, l->blocks.v[k], stamp, first);
    } else {
        add_rounded(l, vreg, n, first);
    }
    for (uint32_t i = first, j = l->lives.spans.n; i + 1 < j; i++) {
        Span swap = l->lives.spans.v[i];
        l->lives.spans.v[i] = l->lives.spans.v[--j];
        l->lives.spans.v[j] = swap;
    }
}

Lives stack_lives(Arena *arena, const MFunc *m, const StackPlan *plan) {
    Live l = {.tmp = arena_new(m->ctx), .arena = arena, .m = m, .plan = plan};
    find_events(&l);
    l.in = NEW_ARRAY(l.tmp, uint32_t, m->blocks.n);
    l.out = NEW_ARRAY(l.tmp, uint32_t, m->blocks.n);
    l.has = NEW_ARRAY(l.tmp, uint32_t, m->blocks.n);
    l.event_from = NEW_ARRAY(l.tmp, uint32_t, m->blocks.n);
    l.event_to = NEW_ARRAY(l.tmp, uint32_t, m->blocks.n);
    l.lives.first = NEW_ARRAY(arena, uint32_t, m->vregs.n + 1);
    (void)vec_extend(arena, &l.lives.spans, 1);
    for (uint32_t v = 0; v < m->vregs.n; v++) build(&l, v);
    l.lives.first[m->vregs.n] = l.lives.spans.n;
    arena_free(l.tmp);
    return l.lives;
}
