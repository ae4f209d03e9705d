// The order in which blocks are written.
//
// Theory. Blocks keep the order of the machine code, cold ones last, but loops are turned: of a loop that tests at its
// top and jumps back from its bottom,
//
//   before:  head: test; if done goto exit     after:        jump head
//            body: ...                                 body: ...
//                  jump head                           head: test; if not done goto body
//            exit: ...                                 exit: ...
//
// the head moves below the block that jumps back, so that an iteration has one taken branch instead of a taken and an
// untaken one. Nothing is copied. A head that leaves the loop nowhere, or that is the entry block, stays.
//
// Positions are those of the first order throughout; only links change. A block that jumps back may itself be the
// head of an inner loop and have moved: the outer head then follows it there.
#include "emit/state.h"

typedef struct Layout {
    Emit *e;
    uint32_t *order;
    uint32_t n_hot, n;
    uint32_t *place; // by block: position in order, NONE = not there
} Layout;

static const MInst *last_inst(const Emit *e, uint32_t b) {
    const MBlock *block = &e->m->blocks.v[b];
    return block->n ? &e->m->insts.v[block->first + block->n - 1] : NULL;
}

// The block that b's closing jump leads to, or NONE.
static uint32_t jumps_to(const Emit *e, uint32_t b) {
    const MInst *last = last_inst(e, b);
    if (!last || last->mop != e->t->op_jump) return NONE;
    const MOpnd *label = emit_label(e, last);
    return label ? e->forward[label->imm] : NONE;
}

// Whether block h ends in branches of which one leads to a place in (from, to] and one leads elsewhere.
static bool tests(const Layout *l, uint32_t h, uint32_t from, uint32_t to) {
    const Emit *e = l->e;
    const MBlock *block = &e->m->blocks.v[h];
    bool inside = false;
    bool outside = false;
    for (uint32_t k = block->n; k-- > 0;) {
        const MInst *i = &e->m->insts.v[block->first + k];
        const MOpnd *label = emit_label(e, i);
        if (!(i->flags & MI_TERM) || !label) break;
        uint32_t place = l->place[e->forward[label->imm]];
        if (place > from && place <= to) inside = true;
        else outside = true;
    }
    return inside && outside;
}

static void turn_loops(Layout *l) {
    const Emit *e = l->e;
    uint32_t n = e->m->blocks.n;
    uint32_t *bottom = NEW_ARRAY(e->tmp, uint32_t, l->n_hot); // by position of a head: that of its last jump back, + 1
    for (uint32_t k = 0; k < l->n_hot; k++) {
        uint32_t h = jumps_to(e, l->order[k]);
        if (h == NONE) continue;
        uint32_t at = l->place[h];
        if (at > 0 && at < k && tests(l, h, at, k)) bottom[at] = k + 1;
    }
    uint32_t *next = NEW_ARRAY(e->tmp, uint32_t, n);
    uint32_t *prev = NEW_ARRAY(e->tmp, uint32_t, n);
    for (uint32_t k = 0; k < l->n_hot; k++) {
        next[l->order[k]] = k + 1 < l->n_hot ? l->order[k + 1] : NONE;
        prev[l->order[k]] = k > 0 ? l->order[k - 1] : NONE;
    }
    // Inner heads first: they stand behind outer ones.
    uint32_t first = l->order[0];
    for (uint32_t k = l->n_hot; k-- > 1;) {
        if (bottom[k] == 0) continue;
        uint32_t h = l->order[k];
        uint32_t t = l->order[bottom[k] - 1];
        next[prev[h]] = next[h];
        if (next[h] != NONE) prev[next[h]] = prev[h];
        next[h] = next[t];
        prev[h] = t;
        if (next[t] != NONE) prev[next[t]] = h;
        next[t] = h;
    }
    uint32_t at = 0;
    for (uint32_t b = first; b != NONE; b = next[b]) l->order[at++] = b;
}

uint32_t *emit_layout(Emit *e, const bool *live, uint32_t *n) {
    const MFunc *m = e->m;
    Layout l = {.e = e, .order = NEW_ARRAY(e->tmp, uint32_t, m->blocks.n)};
    l.place = NEW_ARRAY(e->tmp, uint32_t, m->blocks.n + 1);
    for (uint32_t b = 0; b <= m->blocks.n; b++) l.place[b] = NONE;
    for (unsigned cold = 0; cold < 2; cold++) {
        for (uint32_t b = 0; b < m->blocks.n; b++) {
            if (!live[b] || (b != 0 && m->blocks.v[b].cold) != (cold == 1)) continue;
            l.place[b] = l.n;
            l.order[l.n++] = b;
        }
        if (!cold) l.n_hot = l.n;
    }
    turn_loops(&l);
    *n = l.n;
    return l.order;
}
