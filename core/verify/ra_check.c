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
//   where edges meet a location holds what it holds on every edge (from where execution can come)
//
// The instructions of both sides are matched one by one, so that nothing is lost, added or reordered: what the
// allocator may add is MI_MOVE and MI_REMAT, what it may change is the two-address form into its three-address twin,
// what it may drop is the definition of a value that can be rematerialised.
//
// By demand. No step makes one pair (location, vreg) out of two, so whether a pair holds follows back along the paths:
// it holds after a step for good, or not, or if one certain pair holds before. Instead of sets at all blocks the
// checker therefore keeps none: run_block() runs each block once and notes for each location that changes what it holds
// then: a vreg, nothing, or what location L held at the block's entry. A use of v in a location that holds the entry's
// L makes the demand that L holds v there, which makes one at the end of each predecessor (of the argument, if v is a
// parameter), and so on (solve()). A demand that comes back to itself is met: it could only be wrong the first time
// round. So time and memory are those of the code plus the blocks through which what is used really travels.
//
// Home slots. A value that waits in its slot while n blocks go by would still make n demands; n such values, n^2. Call
// slot S the home of v if each move into S stores v, or stands in a block whose only successor is v's own block, of
// which v is a parameter (it prepares v's next round, before which nobody reads v). If S holds v at the end of v's own
// block, it does in every other block that v reaches: SSA code comes there through v's block, and what was written to S
// since then was v. So such a demand is one demand at v's own block. A slot is taken for a home because all moves out
// of it say so, and what is said is proved as any use is; if that proof fails, or a slot serves several values, demands
// travel block by block. The proof is by induction over the steps of an execution: each step relies on what was proved
// of earlier ones only.
//
// Example: `none` makes of v, defined in block 1 and used in block 9:  1: v -> g0, s0 <- g0;  9: g3 <- s0, use g3.
// Block 9's summary up to the use is "g3: entry's s0", so the use demands (s0, v) at 9. s0 is the home of v, and at the
// end of block 1 it holds v: met.
//
// Rules for whoever edits it: take nothing from core/regalloc but the interface; no liveness: a location that is wrong
// but never read is right. Every new inserted instruction must say what each location holds after it in the terms of
// Content, from one location before it. A shortcut may be wrong only towards `again`, which runs without shortcuts.
#include <stdlib.h>

#include "regalloc/regalloc.h"
#include "support/map.h"

enum { N_REGS = 128 };

// What a location holds at a place in a block.
typedef enum Holds {
    HOLDS_NOTHING,
    HOLDS_ENTRY,  // what location n held at the block's entry, minus what the block has defined since
    HOLDS_VREG,   // vreg n
    HOLDS_PASSED, // vreg n, and the parameters that the block's only edge passes it for
} Holds;

typedef struct Content {
    uint8_t kind;  // Holds
    uint8_t bytes; // of larger values a part was lost on the way through memory
    uint32_t n;
} Content;

typedef struct Change {
    uint32_t loc;
    Content content;
} Change;

// Who demands: a slot of an instruction, or NONE for the claim that a slot is a home.
typedef struct Use {
    uint32_t block, inst, slot;
    uint32_t loc, vreg;
} Use;

typedef struct Demand {
    uint32_t block, loc, vreg; // loc holds vreg at the block's entry
    uint32_t use;
    uint32_t next; // another demand for the same location of the same block
} Demand;

typedef struct Check {
    const MFunc *a; // before
    const MFunc *b; // after
    const Target *t;
    Ctx *ctx;
    Arena *arena;
    bool homes; // take slots for homes
    bool again; // that went wrong: check without
    // the block at hand: where stamp says so, `now` holds the location's content; it has its entry's otherwise
    Content *now;
    uint32_t *stamp; // block + 1
    VEC(uint32_t) touched;
    bool entering; // no instruction of the program was met yet
    // at block ends
    VEC(Change) changes;
    uint32_t *first_change; // by block; one more element for the end; ascending by location
    RegSet *lost;           // by block: registers that hold nothing
    // the graph
    uint32_t *in_first; // by block: run in in_edges; one more element for the end
    uint32_t *in_edges;
    uint32_t *from; // by edge: the block it leaves
    bool *reached;  // by block: there is a path from the entry
    // by vreg
    uint32_t *def_block; // where the instruction stands that defined it, NONE = not met (yet)
    uint32_t *param_of;  // block that it is a parameter of, NONE = none
    uint32_t *param_at;  // which one
    uint32_t *owner;     // by slot: the vreg whose home it may be, NONE = nobody's
    Map demanded;        // block << 32 | location -> first demand
    VEC(Demand) demands;
    VEC(Use) uses;
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

// ---- what locations hold ----------------------------------------------------------------------------

static Content content_of(const Check *c, uint32_t loc) {
    if (c->stamp[loc] == c->block + 1) return c->now[loc];
    return (Content){HOLDS_ENTRY, UINT8_MAX, loc};
}

static void set(Check *c, uint32_t loc, Content content) {
    if (c->stamp[loc] != c->block + 1) vec_push(c->arena, &c->touched, loc);
    c->stamp[loc] = c->block + 1;
    c->now[loc] = content;
}

static void forget_loc(Check *c, uint32_t loc) { set(c, loc, (Content){HOLDS_NOTHING, 0, 0}); }

// dst holds what src holds; through memory only values of at most `bytes`.
static void transfer(Check *c, uint32_t dst, uint32_t src, unsigned bytes) {
    Content content = content_of(c, src);
    if (content.bytes > bytes) content.bytes = (uint8_t)bytes;
    if (dst != src) set(c, dst, content);
}

static int compare_locs(const void *x, const void *y) {
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

// Keeps what the locations hold at the end of the block at hand.
static void keep_changes(Check *c) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->touched.n; i++) {
        uint32_t loc = c->touched.v[i];
        if (loc < N_REGS && c->now[loc].kind == HOLDS_NOTHING) {
            regset_add(&c->lost[c->block], loc);
        } else {
            c->touched.v[n++] = loc;
        }
    }
    if (n > 1) qsort(c->touched.v, n, sizeof *c->touched.v, compare_locs);
    c->first_change[c->block] = c->changes.n;
    for (uint32_t i = 0; i < n; i++) {
        vec_push(c->arena, &c->changes, (Change){c->touched.v[i], c->now[c->touched.v[i]]});
    }
    c->first_change[c->block + 1] = c->changes.n;
    c->touched.n = 0;
}

static Content content_at_end(const Check *c, uint32_t b, uint32_t loc) {
    if (loc < N_REGS && regset_has(c->lost[b], loc)) return (Content){HOLDS_NOTHING, 0, 0};
    uint32_t low = c->first_change[b];
    uint32_t high = c->first_change[b + 1];
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (c->changes.v[mid].loc < loc) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low < c->first_change[b + 1] && c->changes.v[low].loc == loc) return c->changes.v[low].content;
    return (Content){HOLDS_ENTRY, UINT8_MAX, loc};
}

// ---- demands ----------------------------------------------------------------------------------------

static uint32_t argument(const Check *c, uint32_t edge, uint32_t k) {
    return c->a->lists.v[c->a->edges.v[edge].args + k];
}

// Demands that `loc` holds `vreg` at the entry of block b.
static void demand(Check *c, uint32_t b, uint32_t loc, uint32_t vreg, uint32_t use) {
    bool added;
    uint32_t *first = map_add(&c->demanded, (uint64_t)b << 32 | loc, c->demands.n, &added);
    for (uint32_t d = added ? NONE : *first; d != NONE; d = c->demands.v[d].next) {
        if (c->demands.v[d].vreg == vreg) return;
    }
    uint32_t next = added ? NONE : *first;
    *first = c->demands.n;
    vec_push(c->arena, &c->demands, (Demand){b, loc, vreg, use, next});
}

// Whether a location of block b with this content holds the vreg; if that hangs on the block's entry, demands it there.
static bool holds(Check *c, uint32_t b, Content content, uint32_t vreg, uint32_t use) {
    if (c->a->vregs.v[vreg].size > content.bytes) return false;
    switch (content.kind) {
    case HOLDS_VREG: return content.n == vreg;
    case HOLDS_PASSED:
        return content.n == vreg ||
               (c->param_of[vreg] == b && argument(c, c->in_edges[c->in_first[b]], c->param_at[vreg]) == content.n);
    case HOLDS_ENTRY:
        if (c->def_block[vreg] == b || b == 0 || !c->reached[b]) return false;
        demand(c, b, content.n, vreg, use);
        return true;
    default: return false;
    }
}

static const char *found(Check *c, uint32_t b, Content content, uint32_t vreg) {
    if (content.kind == HOLDS_VREG || content.kind == HOLDS_PASSED) {
        bool part = c->a->vregs.v[content.n].size > content.bytes;
        return arena_printf(c->arena, part ? "a part of v%u" : "v%u", content.n);
    }
    bool old = content.kind == HOLDS_ENTRY && c->def_block[vreg] == b && b != 0;
    return old ? "what was there before it was defined" : "nothing";
}

// ---- homes ------------------------------------------------------------------------------------------

// A slot that all moves out of it read as one value may be its home.
static void guess_homes(Check *c) {
    bool *several = NEW_ARRAY(c->arena, bool, c->b->slots.n);
    for (uint32_t i = 0; i < c->b->insts.n; i++) {
        const MInst *inst = &c->b->insts.v[i];
        if (!(inst->flags & MI_MOVE) || inst->n_slots != 2) continue;
        const MOpnd *o = minst_slots(c->b, inst);
        if (o[1].kind != MO_SLOT || o[1].reg >= c->b->slots.n || several[o[1].reg]) continue;
        uint32_t *owner = &c->owner[o[1].reg];
        if (o[0].kind == MO_PREG && o[0].reg < c->a->vregs.n && (*owner == NONE || *owner == o[0].reg)) {
            *owner = o[0].reg;
        } else {
            several[o[1].reg] = true;
            *owner = NONE;
        }
    }
}

// Something is stored to the slot: it stays a home only if that is the owner, or for the owner's next round.
static void store_home(Check *c, uint32_t slot, Content content) {
    uint32_t owner = c->owner[slot];
    if (owner == NONE || !c->reached[c->block]) return;
    const MBlock *block = &c->a->blocks.v[c->block];
    if (block->n_succs == 1 && c->a->edges.v[block->succs].block == c->param_of[owner]) return;
    if (!holds(c, c->block, content, owner, NONE)) c->owner[slot] = NONE;
}

// Tries to meet the demand at the block where its value is defined.
static bool meet_at_home(Check *c, const Demand *d) {
    if (d->loc < N_REGS || c->owner[d->loc - N_REGS] != d->vreg) return false;
    bool param = c->param_of[d->vreg] != NONE;
    uint32_t home = param ? c->param_of[d->vreg] : c->def_block[d->vreg];
    if (home == NONE || home == d->block || !c->reached[home]) return false;
    Content content = content_at_end(c, home, d->loc);
    if (content.kind == HOLDS_ENTRY && !param) return false; // stored later
    return holds(c, home, content, d->vreg, d->use);
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
    if (dst >= N_REGS) store_home(c, dst - N_REGS, content_of(c, dst));
}

static RegSet clobbers_of(const Check *c, const MFunc *m, const MInst *i) {
    RegSet set = m->clobbers.n ? m->clobbers.v[i->clobbers] : (RegSet){{0, 0}};
    if (mop_is_pseudo(i->mop)) return set;
    const InstDesc *desc = &c->t->insts[i->mop];
    return (RegSet){{set.w[0] | desc->clobbers.w[0], set.w[1] | desc->clobbers.w[1]}};
}

static void forget_clobbers(Check *c, RegSet lost) {
    for (unsigned r = 0; r < c->t->n_regs; r++) {
        if (regset_has(lost, r)) forget_loc(c, r);
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
    // Among an edge's moves it is the parameters that it is passed for, too.
    set(c, preg, (Content){c->entering ? HOLDS_PASSED : HOLDS_VREG, UINT8_MAX, vreg});
}

// ---- the program's instructions ---------------------------------------------------------------------

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
    Content content = content_of(c, q->preg);
    vec_push(c->arena, &c->uses, (Use){c->block, c->inst, k, q->preg, p->reg});
    if (!holds(c, c->block, content, p->reg, c->uses.n - 1)) {
        wrong(c, k,
              arena_printf(c->arena, "expected v%u in %s, found %s", p->reg, c->t->regs[q->preg].name,
                           found(c, c->block, content, p->reg)));
    }
    if (content.kind != HOLDS_ENTRY) c->uses.n--;
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
    for (unsigned k = 0; k < x->n_slots; k++) {
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
        if (c->def_block[p[k].reg] != NONE || c->param_of[p[k].reg] != NONE) wrong(c, k, "defines a vreg again");
        c->def_block[p[k].reg] = c->block;
        set(c, q[k].preg, (Content){HOLDS_VREG, UINT8_MAX, p[k].reg});
    }
}

// The vreg whose repeatable definition `x` is, or NONE. What writes the flags may be there for them.
static uint32_t droppable(const Check *c, uint32_t x) {
    const MInst *i = &c->a->insts.v[x];
    const MOpnd *o = minst_slots(c->a, i);
    if (!mop_is_pseudo(i->mop) && c->t->insts[i->mop].flags & MD_WRITES_FLAGS) return NONE;
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (o[k].kind == MO_VREG && o[k].role != ROLE_USE && c->a->vregs.v[o[k].reg].remat == x) return o[k].reg;
    }
    return NONE;
}

static void run_block(Check *c, uint32_t b) {
    const MBlock *before = &c->a->blocks.v[b];
    const MBlock *after = &c->b->blocks.v[b];
    uint32_t x = before->first;
    uint32_t end = before->first + before->n;
    bool term = false;
    c->block = b;
    c->entering = c->in_first[b + 1] - c->in_first[b] == 1;
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
        c->entering = false;
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
    for (; x < end; x++) {
        c->inst = x;
        if (droppable(c, x) == NONE) wrong(c, 0, "was lost");
    }
    keep_changes(c);
}

// ---- along the paths --------------------------------------------------------------------------------

VTR_NORETURN static void unmet(Check *c, const Demand *d, uint32_t at, Content content, uint32_t vreg) {
    const Use *use = &c->uses.v[d->use];
    c->block = use->block;
    c->inst = use->inst;
    const char *name = d->loc < N_REGS ? c->t->regs[d->loc].name : arena_printf(c->arena, "slot%u", d->loc - N_REGS);
    wrong(c, use->slot,
          arena_printf(c->arena, "expected v%u in %s, found %s (v%u in %s at the end of block %u)", use->vreg,
                       c->t->regs[use->loc].name, found(c, at, content, vreg), vreg, name, at));
}

// Demands of the predecessors what the block's entry is to hold.
static void meet(Check *c, uint32_t i) {
    Demand d = c->demands.v[i];
    if (c->homes && meet_at_home(c, &d)) return;
    for (uint32_t k = c->in_first[d.block]; k < c->in_first[d.block + 1]; k++) {
        uint32_t e = c->in_edges[k];
        uint32_t from = c->from[e];
        if (!c->reached[from]) continue;
        uint32_t vreg = c->param_of[d.vreg] == d.block ? argument(c, e, c->param_at[d.vreg]) : d.vreg;
        Content content = content_at_end(c, from, d.loc);
        if (holds(c, from, content, vreg, d.use)) continue;
        c->again = c->homes;
        if (c->again) return;
        unmet(c, &d, from, content, vreg);
    }
}

static void solve(Check *c) {
    for (uint32_t b = 0; b < c->a->blocks.n; b++) run_block(c, b);
    for (uint32_t i = 0; i < c->demands.n && !c->again; i++) meet(c, i);
}

static void find_reached(Check *c) {
    VEC(uint32_t) work = {0};
    c->reached[0] = true;
    vec_push(c->arena, &work, 0);
    while (work.n) {
        const MBlock *block = &c->a->blocks.v[work.v[--work.n]];
        for (uint32_t k = 0; k < block->n_succs; k++) {
            uint32_t to = c->a->edges.v[block->succs + k].block;
            if (c->reached[to]) continue;
            c->reached[to] = true;
            vec_push(c->arena, &work, to);
        }
    }
}

static void read_graph(Check *c) {
    const MFunc *m = c->a;
    c->in_first = NEW_ARRAY(c->arena, uint32_t, m->blocks.n + 2);
    c->in_edges = NEW_ARRAY(c->arena, uint32_t, m->edges.n);
    c->from = NEW_ARRAY(c->arena, uint32_t, m->edges.n);
    c->reached = NEW_ARRAY(c->arena, bool, m->blocks.n);
    for (uint32_t e = 0; e < m->edges.n; e++) c->in_first[m->edges.v[e].block + 2]++;
    for (uint32_t b = 2; b < m->blocks.n + 2; b++) c->in_first[b] += c->in_first[b - 1];
    for (uint32_t e = 0; e < m->edges.n; e++) c->in_edges[c->in_first[m->edges.v[e].block + 1]++] = e;
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        const MBlock *block = &m->blocks.v[b];
        for (uint32_t k = 0; k < block->n_succs; k++) c->from[block->succs + k] = b;
        for (uint32_t k = 0; k < block->n_params; k++) {
            uint32_t param = m->lists.v[block->params + k];
            c->param_of[param] = b;
            c->param_at[param] = k;
        }
    }
    find_reached(c);
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

// False: a slot was wrongly taken for a home, and nothing is known.
static bool check_all(Arena *arena, const MFunc *before, const MFunc *after, bool homes) {
    uint32_t n_locs = N_REGS + after->slots.n;
    uint32_t n_vregs = before->vregs.n;
    Check *c = NEW(arena, Check);
    *c = (Check){.a = before, .b = after, .t = before->target, .ctx = before->ctx, .arena = arena, .homes = homes};
    c->now = NEW_ARRAY(arena, Content, n_locs);
    c->stamp = NEW_ARRAY(arena, uint32_t, n_locs);
    c->first_change = NEW_ARRAY(arena, uint32_t, before->blocks.n + 1);
    c->lost = NEW_ARRAY(arena, RegSet, before->blocks.n);
    c->def_block = all_none(arena, n_vregs);
    c->param_of = all_none(arena, n_vregs);
    c->param_at = NEW_ARRAY(arena, uint32_t, n_vregs);
    c->owner = all_none(arena, after->slots.n);
    c->demanded = map_new(arena);
    check_frame(c);
    read_graph(c);
    if (homes) guess_homes(c);
    solve(c);
    return !c->again;
}

void ra_check(const MFunc *before, const MFunc *after) {
    for (bool homes = true, done = false; !done; homes = false) {
        Arena *arena = arena_new(before->ctx);
        done = check_all(arena, before, after, homes);
        arena_free(arena);
    }
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
