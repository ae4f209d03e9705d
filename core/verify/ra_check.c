// The symbolic checker of register allocation: proves that allocated code computes what the SSA code does.
//
// Theory. (The idea is that of regalloc2's checker and of Rideau and Leroy's validator.) Run the allocated code
// abstractly, with for each location, register or spill slot, the set of vregs whose value it surely holds:
//
//   at entry         nothing is anywhere
//   move d <- s      d holds what s holds, and nothing else
//   instruction      each use slot must be a register that holds the use's vreg; then clobbered registers hold
//                    nothing; then each def's register holds the def's vreg alone, and no other location holds it any
//                    more (in a loop, those were the values of the round before)
//   edge             what held an argument holds the parameter too; locations that held the parameter's old value
//                    do not any more; all parameters at once
//   where edges meet a location holds what it holds on every edge
//
// The sets at block entries start as "everything" (unreached) and only shrink, so iterating until nothing changes
// ends; only then are the uses checked. The instructions of both sides are matched one by one, so that nothing is lost,
// added or reordered: what the allocator may add is MI_MOVE and MI_REMAT, what it may change is the two-address form
// into its three-address twin, what it may drop is the definition of a value that can be rematerialised.
//
// Rules for whoever edits it: take nothing from core/regalloc but the interface; no liveness: a location that is wrong
// but never read is right. State is a set of (location, vreg) pairs, linked both by location and by vreg, so each step
// costs what it changes.
#include <stdlib.h>

#include "regalloc/regalloc.h"

enum { N_REGS = 128 };

typedef struct Pair {
    uint32_t loc, vreg;
    uint32_t next_loc, prev_loc;
    uint32_t next_vreg, prev_vreg;
} Pair;

typedef struct Check {
    const MFunc *a; // before
    const MFunc *b; // after
    const Target *t;
    Ctx *ctx;
    Arena *arena;
    bool report; // the sets are final: check
    // current state
    VEC(Pair) pairs;
    uint32_t free_pair; // chain through next_loc
    uint32_t *by_loc;   // first pair, NONE = empty
    uint32_t *by_vreg;
    VEC(uint32_t) copied;
    // at block entries: sorted pairs (location << 32 | vreg)
    uint64_t **in;
    uint32_t *n_in;
    bool *reached;
    VEC(uint64_t) out;
    // of the edge at hand, by vreg
    uint32_t *stamp;       // the edge's stamp if the vreg is a parameter of the successor
    uint32_t *first_param; // chain of argument positions that the vreg is passed in, NONE = end
    VEC(uint32_t) next_param;
    uint32_t now;
    uint32_t *in_edge;    // by block: the one edge that leads there, NONE = none or several
    uint32_t *entered_by; // arguments of the edge whose moves stand here, NULL = none
    uint32_t *entered_as; // and the parameters
    uint32_t n_entered;
    // place, for messages
    uint32_t block, inst;
} Check;

// ---- messages ---------------------------------------------------------------------------------------

static const char *inst_name(const Check *c, uint32_t i) {
    uint16_t mop = c->a->insts.v[i].mop;
    return mop_is_pseudo(mop) ? (mop == MOP_ENTRY ? "entry" : "copy") : c->t->insts[mop].name;
}

VTR_NORETURN static void wrong(Check *c, unsigned slot, const char *what) {
    ctx_bug(c->ctx, "ra_check: block %u, instruction %u (%s), slot %u: %s", c->block, c->inst, inst_name(c, c->inst),
            slot, what);
}

VTR_NORETURN static void wrong_insert(Check *c, uint32_t at, const char *what) {
    ctx_bug(c->ctx, "ra_check: block %u, inserted instruction %u (in front of instruction %u): %s", c->block, at,
            c->inst, what);
}

// ---- the state --------------------------------------------------------------------------------------

static bool holds(const Check *c, uint32_t loc, uint32_t vreg) {
    for (uint32_t p = c->by_loc[loc]; p != NONE; p = c->pairs.v[p].next_loc) {
        if (c->pairs.v[p].vreg == vreg) return true;
    }
    return false;
}

static void add(Check *c, uint32_t loc, uint32_t vreg) {
    uint32_t p = c->free_pair;
    if (p == NONE) {
        p = c->pairs.n;
        vec_push(c->arena, &c->pairs, (Pair){0});
    } else {
        c->free_pair = c->pairs.v[p].next_loc;
    }
    c->pairs.v[p] = (Pair){loc, vreg, c->by_loc[loc], NONE, c->by_vreg[vreg], NONE};
    if (c->by_loc[loc] != NONE) c->pairs.v[c->by_loc[loc]].prev_loc = p;
    if (c->by_vreg[vreg] != NONE) c->pairs.v[c->by_vreg[vreg]].prev_vreg = p;
    c->by_loc[loc] = c->by_vreg[vreg] = p;
}

static void del(Check *c, uint32_t p) {
    Pair *pair = &c->pairs.v[p];
    if (pair->prev_loc != NONE) {
        c->pairs.v[pair->prev_loc].next_loc = pair->next_loc;
    } else {
        c->by_loc[pair->loc] = pair->next_loc;
    }
    if (pair->next_loc != NONE) c->pairs.v[pair->next_loc].prev_loc = pair->prev_loc;
    if (pair->prev_vreg != NONE) {
        c->pairs.v[pair->prev_vreg].next_vreg = pair->next_vreg;
    } else {
        c->by_vreg[pair->vreg] = pair->next_vreg;
    }
    if (pair->next_vreg != NONE) c->pairs.v[pair->next_vreg].prev_vreg = pair->prev_vreg;
    pair->loc = NONE;
    pair->next_loc = c->free_pair;
    c->free_pair = p;
}

static void forget_loc(Check *c, uint32_t loc) {
    while (c->by_loc[loc] != NONE) del(c, c->by_loc[loc]);
}

static void forget_vreg(Check *c, uint32_t vreg) {
    while (c->by_vreg[vreg] != NONE) del(c, c->by_vreg[vreg]);
}

static void set_state(Check *c, const uint64_t *pairs, uint32_t n) {
    for (uint32_t p = 0; p < c->pairs.n; p++) {
        if (c->pairs.v[p].loc == NONE) continue;
        c->by_loc[c->pairs.v[p].loc] = NONE;
        c->by_vreg[c->pairs.v[p].vreg] = NONE;
    }
    c->pairs.n = 0;
    c->free_pair = NONE;
    for (uint32_t i = 0; i < n; i++) add(c, (uint32_t)(pairs[i] >> 32), (uint32_t)pairs[i]);
}

// dst holds what src holds; through memory only values of at most `bytes`.
static void transfer(Check *c, uint32_t dst, uint32_t src, unsigned bytes) {
    if (dst == src) return;
    c->copied.n = 0;
    for (uint32_t p = c->by_loc[src]; p != NONE; p = c->pairs.v[p].next_loc) {
        uint32_t vreg = c->pairs.v[p].vreg;
        if (c->a->vregs.v[vreg].size <= bytes) vec_push(c->arena, &c->copied, vreg);
    }
    forget_loc(c, dst);
    for (uint32_t i = 0; i < c->copied.n; i++) add(c, dst, c->copied.v[i]);
}

// ---- inserted instructions --------------------------------------------------------------------------

// The location of a move's operand; checks that it is one.
static uint32_t move_loc(Check *c, uint32_t at, const MOpnd *o, uint32_t vreg) {
    const VReg *v = &c->a->vregs.v[vreg];
    if (o->kind == MO_PREG) {
        if (o->preg >= c->t->n_regs || !regset_has(c->t->classes[v->cls].regs, o->preg)) {
            wrong_insert(c, at,
                         arena_printf(c->arena, "%s is no register for v%u",
                                      o->preg < c->t->n_regs ? c->t->regs[o->preg].name : "?", vreg));
        }
        return o->preg;
    }
    if (o->kind != MO_SLOT || o->imm != 0 || o->reg >= c->b->slots.n) wrong_insert(c, at, "moves something else");
    const MSlot *slot = &c->b->slots.v[o->reg];
    if (slot->kind != MSLOT_SPILL) wrong_insert(c, at, "moves to or from a slot that is the program's");
    if (slot->size < v->size) {
        wrong_insert(c, at,
                     arena_printf(c->arena, "slot%u has %u bytes, v%u has %u", o->reg, slot->size, vreg, v->size));
    }
    return N_REGS + o->reg;
}

static void check_used(Check *c, unsigned preg, unsigned slot) {
    if (!regset_has(c->b->used, preg)) {
        wrong(c, slot, arena_printf(c->arena, "%s is written and not in `used`", c->t->regs[preg].name));
    }
}

static void run_move(Check *c, uint32_t at, const MInst *i) {
    const MOpnd *o = minst_slots(c->b, i);
    if (i->n_slots != 2 || i->mop != MOP_COPY) wrong_insert(c, at, "a move of unknown shape");
    const MOpnd *named = o[0].kind == MO_PREG ? &o[0] : &o[1];
    if (named->kind != MO_PREG) wrong_insert(c, at, "moves from memory to memory");
    if (named->reg >= c->a->vregs.n) wrong_insert(c, at, "names no vreg");
    uint32_t dst = move_loc(c, at, &o[0], named->reg);
    uint32_t src = move_loc(c, at, &o[1], named->reg);
    bool memory = dst >= N_REGS || src >= N_REGS;
    if (dst < N_REGS) check_used(c, dst, 0);
    transfer(c, dst, src, memory ? c->a->vregs.v[named->reg].size : UINT8_MAX);
}

static RegSet clobbers_of(const Check *c, const MFunc *m, const MInst *i) {
    RegSet set = m->clobbers.n ? m->clobbers.v[i->clobbers] : (RegSet){{0, 0}};
    if (mop_is_pseudo(i->mop)) return set;
    const InstDesc *desc = &c->t->insts[i->mop];
    return (RegSet){{set.w[0] | desc->clobbers.w[0], set.w[1] | desc->clobbers.w[1]}};
}

static void forget_clobbers(Check *c, RegSet set) {
    for (unsigned r = 0; r < c->t->n_regs; r++) {
        if (regset_has(set, r)) forget_loc(c, r);
    }
}

static bool same_other(const MOpnd *x, const MOpnd *y) {
    return x->kind == y->kind && x->reg == y->reg && x->imm == y->imm && x->preg == y->preg;
}

static void run_remat(Check *c, uint32_t at, const MInst *i) {
    const MOpnd *o = minst_slots(c->b, i);
    uint32_t vreg = NONE;
    unsigned preg = 0;
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (o[k].kind == MO_PREG && o[k].role != ROLE_USE && vreg == NONE) {
            vreg = o[k].reg;
            preg = o[k].preg;
        }
    }
    if (vreg >= c->a->vregs.n || c->a->vregs.v[vreg].remat == NONE) wrong_insert(c, at, "repeats what may not be");
    const MInst *def = &c->a->insts.v[c->a->vregs.v[vreg].remat];
    const MOpnd *d = minst_slots(c->a, def);
    if (def->mop != i->mop || def->n_slots != i->n_slots) wrong_insert(c, at, "is not the definition it repeats");
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (d[k].kind == MO_VREG) {
            if (d[k].reg != vreg || o[k].kind != MO_PREG || !regset_has(c->t->classes[d[k].cls].regs, o[k].preg)) {
                wrong_insert(c, at, "repeats a definition in a register it cannot have");
            }
        } else if (!same_other(&d[k], &o[k])) {
            wrong_insert(c, at, "is not the definition it repeats");
        }
    }
    if (!mop_is_pseudo(i->mop) && c->t->insts[i->mop].flags & MD_WRITES_FLAGS) {
        wrong_insert(c, at, "writes the flags");
    }
    check_used(c, preg, 0);
    forget_clobbers(c, clobbers_of(c, c->b, i));
    forget_loc(c, preg);
    add(c, preg, vreg);
    // Among an edge's moves it is the parameters that it is passed for, too.
    if (!c->n_entered) return;
    for (uint32_t k = c->first_param[vreg]; k != NONE; k = c->next_param.v[k]) add(c, preg, c->entered_as[k]);
}

// ---- the program's instructions ---------------------------------------------------------------------

static const char *found(Check *c, uint32_t loc) {
    Buf text = buf_new(c->arena);
    unsigned n = 0;
    for (uint32_t p = c->by_loc[loc]; p != NONE && n < 8; p = c->pairs.v[p].next_loc, n++) {
        buf_printf(&text, "%sv%u", n ? " " : "", c->pairs.v[p].vreg);
    }
    if (!n) buf_text(&text, "nothing");
    return buf_str(&text);
}

// Whether `y` is the instruction `x`, allocated.
static bool is_same(const Check *c, const MInst *x, const MInst *y) {
    if (y->flags & (MI_MOVE | MI_REMAT) || x->flags != y->flags || x->n_slots != y->n_slots) return false;
    if (x->mop != y->mop) {
        if (mop_is_pseudo(x->mop) || c->t->insts[x->mop].untie_mop != y->mop || y->mop == NO_MOP) return false;
        if (x->flags & MI_FLAGS) return false;
    }
    if (x->trap != y->trap || x->clobbers != y->clobbers || x->srcloc != y->srcloc || x->stack_map != y->stack_map) {
        return false;
    }
    const MOpnd *p = minst_slots(c->a, x);
    const MOpnd *q = minst_slots(c->b, y);
    for (unsigned k = 0; k < x->n_slots; k++) {
        if (p[k].kind == MO_VREG ? q[k].kind != MO_PREG || q[k].reg != p[k].reg : !same_other(&p[k], &q[k])) {
            return false;
        }
    }
    return true;
}

static void check_place(Check *c, unsigned k, const MOpnd *p, const MOpnd *q) {
    const RegClass *cls = &c->t->classes[p->cls];
    if (q->preg >= c->t->n_regs) wrong(c, k, "is no register");
    const char *name = c->t->regs[q->preg].name;
    if (p->fixed != NO_REG) {
        if (q->preg != p->fixed) {
            wrong(c, k, arena_printf(c->arena, "must be %s and is %s", c->t->regs[p->fixed].name, name));
        }
    } else if (!regset_has(cls->regs, q->preg)) {
        wrong(c, k, arena_printf(c->arena, "%s is not of class %s", name, cls->name));
    }
    if (p->fixed == NO_REG && regset_has(c->t->scratch, q->preg)) {
        wrong(c, k, arena_printf(c->arena, "%s is a scratch register", name));
    }
}

static void check_use(Check *c, unsigned k, const MOpnd *p, const MOpnd *q, bool tied) {
    if (!holds(c, q->preg, p->reg)) {
        wrong(c, k,
              arena_printf(c->arena, "expected v%u in %s, found %s", p->reg, c->t->regs[q->preg].name,
                           found(c, q->preg)));
    }
    if (tied && q->preg != q[-(int)p->tied].preg) {
        wrong(c, k,
              arena_printf(c->arena, "is tied and %s is not the result's %s", c->t->regs[q->preg].name,
                           c->t->regs[q[-(int)p->tied].preg].name));
    }
}

static void check_def(Check *c, unsigned k, const MInst *y, const MOpnd *p, const MOpnd *q, bool ties) {
    const MOpnd *def = &q[k];
    const char *name = c->t->regs[def->preg].name;
    if (p[k].fixed == NO_REG && regset_has(clobbers_of(c, c->b, y), def->preg)) {
        wrong(c, k, arena_printf(c->arena, "%s is clobbered by the instruction itself", name));
    }
    check_used(c, def->preg, k);
    for (unsigned j = 0; j < y->n_slots; j++) {
        if (j == k || q[j].kind != MO_PREG || q[j].preg != def->preg) continue;
        if (q[j].role != ROLE_USE) wrong(c, k, arena_printf(c->arena, "%s takes two results", name));
        if (p[k].role != ROLE_DEF_EARLY) continue;
        if (ties && p[j].tied && j - p[j].tied == k) continue;
        wrong(c, k, arena_printf(c->arena, "%s is written early and slot %u is read from it", name, j));
    }
}

static void run_inst(Check *c, const MInst *x, const MInst *y) {
    const MOpnd *p = minst_slots(c->a, x);
    const MOpnd *q = minst_slots(c->b, y);
    bool ties = x->mop == y->mop;
    for (unsigned k = 0; k < x->n_slots && c->report; k++) {
        if (p[k].kind != MO_VREG) continue;
        check_place(c, k, &p[k], &q[k]);
        if (p[k].role == ROLE_USE) {
            check_use(c, k, &p[k], &q[k], ties && p[k].tied);
        } else {
            check_def(c, k, y, p, q, ties);
        }
    }
    forget_clobbers(c, clobbers_of(c, c->b, y));
    for (unsigned k = 0; k < x->n_slots; k++) {
        if (q[k].kind != MO_PREG || (q[k].role != ROLE_DEF && q[k].role != ROLE_DEF_EARLY)) continue;
        forget_loc(c, q[k].preg);
        if (p[k].kind != MO_VREG) continue;
        forget_vreg(c, p[k].reg);
        add(c, q[k].preg, p[k].reg);
    }
}

// Links the argument positions in which each vreg is passed along an edge.
static void link_args(Check *c, const MEdge *e) {
    c->next_param.n = 0;
    for (uint32_t k = 0; k < e->n_args; k++) {
        uint32_t arg = c->a->lists.v[e->args + k];
        vec_push(c->arena, &c->next_param, c->first_param[arg]);
        c->first_param[arg] = k;
    }
}

// The vreg whose repeatable definition `x` is, or NONE.
static uint32_t droppable(const Check *c, uint32_t x) {
    const MInst *i = &c->a->insts.v[x];
    const MOpnd *o = minst_slots(c->a, i);
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (o[k].kind == MO_VREG && o[k].role != ROLE_USE && c->a->vregs.v[o[k].reg].remat == x) return o[k].reg;
    }
    return NONE;
}

// The moves of a block's only edge may stand at its start: notes what the parameters are there.
static void begin_entry(Check *c, uint32_t b) {
    c->n_entered = 0;
    if (c->in_edge[b] == NONE) return;
    const MEdge *e = &c->a->edges.v[c->in_edge[b]];
    c->entered_by = &c->a->lists.v[e->args];
    c->entered_as = &c->a->lists.v[c->a->blocks.v[b].params];
    c->n_entered = e->n_args;
    link_args(c, e);
}

static void end_entry(Check *c) {
    for (uint32_t k = 0; k < c->n_entered; k++) c->first_param[c->entered_by[k]] = NONE;
    c->n_entered = 0;
}

static void run_block(Check *c, uint32_t b) {
    const MBlock *before = &c->a->blocks.v[b];
    const MBlock *after = &c->b->blocks.v[b];
    uint32_t x = before->first;
    uint32_t end = before->first + before->n;
    bool term = false;
    c->block = b;
    begin_entry(c, b);
    for (uint32_t y = after->first; y < after->first + after->n; y++) {
        const MInst *inst = &c->b->insts.v[y];
        c->inst = x < end ? x : end - 1;
        if (inst->flags & (MI_MOVE | MI_REMAT)) {
            if (term) wrong_insert(c, y, "stands between terminators");
            if (inst->flags & MI_MOVE) {
                run_move(c, y, inst);
            } else {
                run_remat(c, y, inst);
            }
            continue;
        }
        end_entry(c);
        while (x < end && !is_same(c, &c->a->insts.v[x], inst) && droppable(c, x) != NONE) {
            x++; // what holds the value already, holds the same one
        }
        if (x == end) wrong(c, 0, "is followed by an instruction that the program does not have");
        c->inst = x;
        if (!is_same(c, &c->a->insts.v[x], inst)) wrong(c, 0, "was lost or changed");
        run_inst(c, &c->a->insts.v[x], inst);
        term |= (inst->flags & MI_TERM) != 0;
        x++;
    }
    end_entry(c);
    for (; x < end; x++) {
        c->inst = x;
        if (droppable(c, x) == NONE) wrong(c, 0, "was lost");
    }
}

// ---- edges ------------------------------------------------------------------------------------------

static int compare_pairs(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x;
    uint64_t b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

// The state at the far end of an edge, sorted, in c->out.
static void cross_edge(Check *c, const MEdge *e) {
    const MBlock *to = &c->a->blocks.v[e->block];
    const uint32_t *lists = c->a->lists.v;
    c->now++;
    for (uint32_t k = 0; k < e->n_args; k++) c->stamp[lists[to->params + k]] = c->now;
    link_args(c, e);
    c->out.n = 0;
    for (uint32_t i = 0; i < c->pairs.n; i++) {
        const Pair *p = &c->pairs.v[i];
        if (p->loc == NONE) continue;
        uint64_t loc = (uint64_t)p->loc << 32;
        if (c->stamp[p->vreg] != c->now) vec_push(c->arena, &c->out, loc | p->vreg);
        for (uint32_t k = c->first_param[p->vreg]; k != NONE; k = c->next_param.v[k]) {
            vec_push(c->arena, &c->out, loc | lists[to->params + k]);
        }
    }
    for (uint32_t k = 0; k < e->n_args; k++) c->first_param[lists[e->args + k]] = NONE;
    if (c->out.n) qsort(c->out.v, c->out.n, sizeof *c->out.v, compare_pairs);
}

// Merges c->out into the state at the entry of b; tells whether that changed.
static bool merge(Check *c, uint32_t b) {
    if (!c->reached[b]) {
        c->reached[b] = true;
        c->in[b] = NEW_ARRAY(c->arena, uint64_t, c->out.n);
        for (uint32_t i = 0; i < c->out.n; i++) c->in[b][i] = c->out.v[i];
        c->n_in[b] = c->out.n;
        return true;
    }
    uint64_t *in = c->in[b];
    uint32_t n = 0;
    uint32_t j = 0;
    for (uint32_t i = 0; i < c->n_in[b]; i++) {
        while (j < c->out.n && c->out.v[j] < in[i]) j++;
        if (j < c->out.n && c->out.v[j] == in[i]) in[n++] = in[i];
    }
    bool changed = n != c->n_in[b];
    c->n_in[b] = n;
    return changed;
}

// Blocks in reverse postorder of the edges; unreachable ones are left out.
static uint32_t order_blocks(const Check *c, uint32_t *order) {
    uint32_t n = c->a->blocks.n;
    uint32_t *stack = NEW_ARRAY(c->arena, uint32_t, n);
    uint32_t *next = NEW_ARRAY(c->arena, uint32_t, n);
    bool *seen = NEW_ARRAY(c->arena, bool, n);
    uint32_t at = n;
    uint32_t depth = 0;
    stack[depth++] = 0;
    seen[0] = true;
    while (depth) {
        uint32_t b = stack[depth - 1];
        const MBlock *block = &c->a->blocks.v[b];
        if (next[b] == block->n_succs) {
            order[--at] = b;
            depth--;
            continue;
        }
        uint32_t to = c->a->edges.v[block->succs + next[b]++].block;
        if (seen[to]) continue;
        seen[to] = true;
        stack[depth++] = to;
    }
    for (uint32_t i = at; i < n; i++) order[i - at] = order[i];
    return n - at;
}

static void solve(Check *c) {
    uint32_t n = c->a->blocks.n;
    uint32_t *order = NEW_ARRAY(c->arena, uint32_t, n);
    bool *dirty = NEW_ARRAY(c->arena, bool, n);
    uint32_t n_order = order_blocks(c, order);
    c->reached[0] = true;
    dirty[0] = true;
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < n_order; i++) {
            uint32_t b = order[i];
            if (!dirty[b]) continue;
            dirty[b] = false;
            again = true;
            set_state(c, c->in[b], c->n_in[b]);
            run_block(c, b);
            for (uint32_t k = 0; k < c->a->blocks.v[b].n_succs; k++) {
                const MEdge *e = &c->a->edges.v[c->a->blocks.v[b].succs + k];
                cross_edge(c, e);
                if (merge(c, e->block)) dirty[e->block] = true;
            }
        }
    }
    // Blocks that no edge reaches are entered with nothing anywhere.
    c->report = true;
    for (uint32_t b = 0; b < n; b++) {
        set_state(c, c->in[b], c->n_in[b]);
        run_block(c, b);
    }
}

static void check_frame(Check *c) {
    bool same = c->a->blocks.n == c->b->blocks.n && c->a->slots.n <= c->b->slots.n;
    for (uint32_t b = 0; same && b < c->a->blocks.n; b++) {
        const MBlock *x = &c->a->blocks.v[b];
        const MBlock *y = &c->b->blocks.v[b];
        same = x->succs == y->succs && x->n_succs == y->n_succs && x->params == y->params && x->n_params == y->n_params;
    }
    for (uint32_t i = 0; same && i < c->a->slots.n; i++) {
        same = c->a->slots.v[i].kind == c->b->slots.v[i].kind && c->a->slots.v[i].size <= c->b->slots.v[i].size;
    }
    if (!same) ctx_bug(c->ctx, "ra_check: blocks or stack slots of the program were changed");
}

void ra_check(const MFunc *before, const MFunc *after) {
    Arena *arena = arena_new(before->ctx);
    uint32_t n_locs = N_REGS + after->slots.n;
    uint32_t n_vregs = before->vregs.n;
    Check *c = NEW(arena, Check);
    *c = (Check){.a = before, .b = after, .t = before->target, .ctx = before->ctx, .arena = arena, .free_pair = NONE};
    c->by_loc = NEW_ARRAY(arena, uint32_t, n_locs);
    c->by_vreg = NEW_ARRAY(arena, uint32_t, n_vregs);
    c->first_param = NEW_ARRAY(arena, uint32_t, n_vregs);
    c->stamp = NEW_ARRAY(arena, uint32_t, n_vregs);
    c->in = NEW_ARRAY(arena, uint64_t *, before->blocks.n);
    c->n_in = NEW_ARRAY(arena, uint32_t, before->blocks.n);
    c->reached = NEW_ARRAY(arena, bool, before->blocks.n);
    c->in_edge = NEW_ARRAY(arena, uint32_t, before->blocks.n);
    for (uint32_t b = 0; b < before->blocks.n; b++) c->in_edge[b] = NONE;
    bool *twice = NEW_ARRAY(arena, bool, before->blocks.n);
    for (uint32_t e = 0; e < before->edges.n; e++) {
        uint32_t to = before->edges.v[e].block;
        c->in_edge[to] = twice[to] ? NONE : e;
        twice[to] = true;
    }
    for (uint32_t i = 0; i < n_locs; i++) c->by_loc[i] = NONE;
    for (uint32_t i = 0; i < n_vregs; i++) c->by_vreg[i] = c->first_param[i] = NONE;
    check_frame(c);
    solve(c);
    arena_free(arena);
}

// ---- a copy to check against ------------------------------------------------------------------------

#define COPY_VEC(arena, to, from, field)                                                                               \
    ((to)->field.v = arena_copy((arena), (from)->field.v, (from)->field.n * sizeof *(from)->field.v),                  \
     (to)->field.cap = (from)->field.n)

MFunc *mfunc_copy(Arena *arena, const MFunc *m) {
    MFunc *copy = NEW(arena, MFunc);
    *copy = *m;
    copy->arena = arena;
    COPY_VEC(arena, copy, m, insts);
    COPY_VEC(arena, copy, m, slots_pool);
    COPY_VEC(arena, copy, m, blocks);
    COPY_VEC(arena, copy, m, edges);
    COPY_VEC(arena, copy, m, lists);
    COPY_VEC(arena, copy, m, vregs);
    COPY_VEC(arena, copy, m, slots);
    COPY_VEC(arena, copy, m, syms);
    COPY_VEC(arena, copy, m, tables);
    COPY_VEC(arena, copy, m, clobbers);
    return copy;
}
