// The allocator `none`: one forward pass over each block, for compile speed.
//
// Theory. Between blocks every live value is in a spill slot of its own: a value that is used outside its block, or
// carried by an edge whose moves stand in the successor, is stored right after its definition ("cross"), and a block
// parameter is written to its slot by the edges. Inside a block values move to registers when they are used and are
// dropped when the register is wanted: for nothing if a slot holds them too or they can be computed again, with a
// store otherwise. So no liveness is needed beyond each value's last use in the block at hand.
//
// One instruction (or the terminator group) goes through these steps; all moves they emit stand before it:
//   1 fixed uses get their registers; whoever is there makes room
//   2 tied uses get the register that the def will have: their own if they die here, else the three-address twin is
//     taken (untie), else a copy is made
//   3 the other uses are brought to registers, narrow classes first
//   4 early defs get registers that no use has, those with narrow classes before the wide uses
//   5 values whose last use this is give up their registers
//   6 values in clobbered registers, and in those of defs, are stored or moved
//   7 the other defs get registers
// Invariants: reg[v] = r if and only if holder[r] = v; a value with neither register nor slot can be computed again or
// is dead. `locked` are registers that hold an operand of the instruction at hand; a locked register without holder is
// a copy made for that operand alone.
#include "regalloc/ra.h"

typedef struct FreeSlot {
    uint32_t slot, size;
} FreeSlot;

typedef struct Fast {
    Ra *ra;
    MFunc *m;
    uint8_t *reg;    // vreg -> its register, or NO_REG
    uint32_t *slot;  // vreg -> its slot, or NONE
    uint32_t *last;  // vreg -> instruction of its last use in the current block
    uint32_t *block; // vreg -> block of its definition
    Bits stored;     // the slot holds the value
    Bits cross;      // must be in its slot at the end of its block
    Bits used;       // has a use
    Bits remat;
    uint32_t holder[MAX_REGS];
    uint32_t copy[MAX_REGS]; // of a locked register: the value that was brought there
    uint32_t current;        // block
    VEC(FreeSlot) free_slots;
    VEC(Move) moves;
    uint32_t clock; // where the search for a victim starts
} Fast;

// One step's view of an instruction or terminator group.
typedef struct Step {
    uint32_t first, n; // instructions of the SSA code
    bool term;
    RegSet locked;     // hold operands until the instruction reads them
    RegSet fixed_uses; // registers that fixed uses ask for
    RegSet clobbers;
    RegSet defs;  // of fixed, tied and early defs, later of all
    RegSet early; // of fixed early defs
} Step;

#define STEP_SLOTS(f, s, i, o)                                                                                         \
    for (uint32_t i = (s)->first; i < (s)->first + (s)->n; i++)                                                        \
        for (MOpnd *o = &(f)->ra->old_slots[(f)->ra->old[i].slots], *o##_end = o + (f)->ra->old[i].n_slots;            \
             o < o##_end; o++)

static const RegClass *class_of(const Fast *f, unsigned cls) { return &f->ra->t->classes[cls]; }

// ---- values and registers ---------------------------------------------------------------------------

static uint32_t slot_of(Fast *f, uint32_t v) {
    if (f->slot[v] != NONE) return f->slot[v];
    unsigned size = ra_slot_size(f->ra, v);
    if (f->free_slots.n && !bits_has(f->cross, v) && vec_last(&f->free_slots).size == size) {
        f->slot[v] = f->free_slots.v[--f->free_slots.n].slot;
    } else {
        f->slot[v] = ra_new_slot(f->ra, size);
    }
    return f->slot[v];
}

// A value from another block is in its slot, whether that block comes earlier or later in the layout.
static bool is_stored(const Fast *f, uint32_t v) { return bits_has(f->stored, v) || f->block[v] != f->current; }
static bool is_safe(const Fast *f, uint32_t v) { return bits_has(f->remat, v) || is_stored(f, v); }

static void store(Fast *f, uint32_t v) {
    uint32_t slot = slot_of(f, v);
    ra_put_move(f->ra, loc_slot(slot), loc_reg(f->reg[v]), v);
    bits_add(f->stored, v);
}

static void set_home(Fast *f, uint32_t v, unsigned r) {
    f->reg[v] = (uint8_t)r;
    f->holder[r] = v;
}

static void drop(Fast *f, uint32_t v) {
    if (f->reg[v] == NO_REG) return;
    f->holder[f->reg[v]] = NONE;
    f->reg[v] = NO_REG;
}

static void evict(Fast *f, unsigned r) {
    uint32_t v = f->holder[r];
    if (v == NONE) return;
    if (!is_safe(f, v)) store(f, v);
    drop(f, v);
}

static Loc place_of(Fast *f, uint32_t v) {
    if (f->reg[v] != NO_REG) return loc_reg(f->reg[v]);
    if (bits_has(f->remat, v)) return (Loc){LOC_REMAT, 0};
    if (is_stored(f, v)) return loc_slot(slot_of(f, v));
    ctx_bug(f->m->ctx, "regalloc: v%u is nowhere", v);
}

// A register of `cls` outside `avoid`; empties it if it must. NO_REG when there is none.
static unsigned pick(Fast *f, unsigned cls, RegSet avoid) {
    const Ra *ra = f->ra;
    const uint8_t *order = ra->order[cls];
    unsigned n = ra->n_order[cls];
    for (unsigned k = 0; k < n; k++) {
        if (!regset_has(avoid, order[k]) && f->holder[order[k]] == NONE) return order[k];
    }
    unsigned victim = NO_REG;
    f->clock++;
    for (unsigned k = 0; k < n; k++) {
        unsigned r = order[(k + f->clock) % n];
        if (regset_has(avoid, r)) continue;
        if (victim == NO_REG || is_safe(f, f->holder[r])) victim = r;
        if (is_safe(f, f->holder[victim])) break;
    }
    // Only when told to do with few registers: an instruction may need more.
    for (unsigned k = n; k < ra->n_full[cls] && victim == NO_REG; k++) {
        if (!regset_has(avoid, order[k])) victim = order[k];
    }
    if (victim != NO_REG) evict(f, victim);
    return victim;
}

static unsigned must_pick(Fast *f, const Step *s, unsigned cls, RegSet avoid) {
    unsigned r = pick(f, cls, avoid);
    if (r == NO_REG) ra_stuck(f->ra, s->first, "no register is left for an operand");
    return r;
}

// Empties r, whose value may stay in another register outside `avoid`.
static void make_room(Fast *f, unsigned r, RegSet avoid) {
    uint32_t v = f->holder[r];
    if (v == NONE) return;
    if (!is_safe(f, v)) {
        unsigned cls = f->m->vregs.v[v].cls;
        for (unsigned k = 0; k < f->ra->n_order[cls]; k++) {
            unsigned to = f->ra->order[cls][k];
            if (to == r || regset_has(avoid, to) || f->holder[to] != NONE) continue;
            ra_put_move(f->ra, loc_reg(to), loc_reg(r), v);
            drop(f, v);
            set_home(f, v, to);
            return;
        }
    }
    evict(f, r);
}

// ---- the steps --------------------------------------------------------------------------------------

static bool dies(const Fast *f, const Step *s, uint32_t v) { return f->last[v] == s->first; }

// The register that a use must be in: its own, or that of the def it is tied to.
static unsigned wanted_reg(const MOpnd *o) {
    if (o->fixed != NO_REG) return o->fixed;
    return o->tied ? o[-(int)o->tied].fixed : NO_REG;
}

static void look(Fast *f, Step *s) {
    for (uint32_t i = s->first; i < s->first + s->n; i++) {
        s->clobbers = regset_or(s->clobbers, ra_clobbers(f->ra, &f->ra->old[i]));
    }
    STEP_SLOTS(f, s, i, o) {
        if (ra_is_use(o) && wanted_reg(o) != NO_REG) regset_add(&s->fixed_uses, wanted_reg(o));
        if (!ra_is_def(o) || o->fixed == NO_REG) continue;
        if (regset_has(s->defs, o->fixed)) ra_stuck(f->ra, i, "two results in one register");
        regset_add(&s->defs, o->fixed);
        if (o->role == ROLE_DEF_EARLY) regset_add(&s->early, o->fixed);
    }
}

static void take_fixed_uses(Fast *f, Step *s) {
    RegSet taken_by_other = s->early;
    STEP_SLOTS(f, s, i, o) {
        if (!ra_is_use(o) || wanted_reg(o) == NO_REG) continue;
        unsigned r = wanted_reg(o);
        uint32_t v = o->reg;
        bool tied = o->tied && o[-(int)o->tied].fixed == r;
        if ((regset_has(taken_by_other, r) && !tied) || (regset_has(s->locked, r) && f->copy[r] != v)) {
            ra_stuck(f->ra, i, "two operands in one register");
        }
        if (f->holder[r] != v && !regset_has(s->locked, r)) {
            make_room(f, r, regset_or(regset_or(s->fixed_uses, s->locked), regset_or(s->clobbers, s->defs)));
            ra_put_move(f->ra, loc_reg(r), place_of(f, v), v);
            if (f->reg[v] == NO_REG) set_home(f, v, r);
        }
        regset_add(&s->locked, r);
        f->copy[r] = v;
        o->preg = (uint8_t)r;
    }
}

static void take_tied_uses(Fast *f, Step *s) {
    STEP_SLOTS(f, s, i, o) {
        if (!ra_is_use(o) || !o->tied || wanted_reg(o) != NO_REG) continue;
        MOpnd *def = o - o->tied;
        uint32_t v = o->reg;
        MInst *inst = &f->ra->old[i];
        const InstDesc *desc = ra_desc(f->ra, inst);
        RegSet avoid = regset_or(regset_or(s->locked, s->early), regset_or(s->clobbers, s->defs));
        unsigned r = f->reg[v];
        if (!dies(f, s, v) && desc && desc->untie_mop != NO_MOP && !(inst->flags & MI_FLAGS)) {
            inst->mop = desc->untie_mop;
            o->tied = 0;
            continue;
        }
        // A register that is written early may hold no other use of the value.
        bool fits = r != NO_REG && def->role == ROLE_DEF && regset_has(class_of(f, def->cls)->allocatable, r) &&
                    regset_has(class_of(f, o->cls)->regs, r);
        if (!fits || !dies(f, s, v) || regset_has(avoid, r)) {
            r = must_pick(f, s, def->cls, avoid);
            ra_put_move(f->ra, loc_reg(r), place_of(f, v), v);
        }
        o->preg = def->preg = (uint8_t)r;
        regset_add(&s->locked, r);
        regset_add(&s->defs, r);
    }
}

// In a terminator group a later instruction's uses must outlive what the earlier ones write.
static RegSet not_for_uses(const Step *s) {
    return s->n > 1 ? regset_or(s->early, regset_or(s->clobbers, s->defs)) : s->early;
}

// Whether an operand asks for less than any register of the vreg's class.
static bool is_narrow(const Fast *f, const MOpnd *o) {
    return !regset_within(class_of(f, f->m->vregs.v[o->reg].cls)->allocatable, class_of(f, o->cls)->regs);
}

static void take_uses(Fast *f, Step *s, bool narrow) {
    RegSet bad = not_for_uses(s);
    STEP_SLOTS(f, s, i, o) {
        if (!ra_is_use(o) || o->tied || o->fixed != NO_REG) continue;
        uint32_t v = o->reg;
        const RegClass *cls = class_of(f, o->cls);
        if (is_narrow(f, o) != narrow) continue;
        unsigned r = f->reg[v];
        if (r == NO_REG || !regset_has(cls->regs, r) || regset_has(bad, r)) {
            unsigned to = must_pick(f, s, o->cls, regset_or(s->locked, bad));
            ra_put_move(f->ra, loc_reg(to), place_of(f, v), v);
            if (f->reg[v] == NO_REG || !regset_has(s->locked, f->reg[v])) {
                drop(f, v);
                set_home(f, v, to);
            }
            r = to;
        }
        regset_add(&s->locked, r);
        o->preg = (uint8_t)r;
    }
}

static bool is_tied_def(const MOpnd *def, const MOpnd *end) {
    for (const MOpnd *use = def + 1; use < end; use++) {
        if (use->role == ROLE_USE && use->tied && use - use->tied == def) return true;
    }
    return false;
}

static void take_early_defs(Fast *f, Step *s, bool narrow) {
    STEP_SLOTS(f, s, i, o) {
        if (!ra_is_def(o) || o->role != ROLE_DEF_EARLY || o->fixed != NO_REG) continue;
        if (is_tied_def(o, o_end) || is_narrow(f, o) != narrow) continue;
        unsigned r = must_pick(f, s, o->cls, regset_or(s->locked, regset_or(s->clobbers, s->defs)));
        regset_add(&s->locked, r);
        regset_add(&s->early, r);
        regset_add(&s->defs, r);
        o->preg = (uint8_t)r;
    }
}

static void release_dying(Fast *f, Step *s) {
    STEP_SLOTS(f, s, i, o) {
        if (!ra_is_use(o) || !dies(f, s, o->reg)) continue;
        uint32_t v = o->reg;
        drop(f, v);
        if (f->slot[v] == NONE || bits_has(f->cross, v) || !bits_has(f->stored, v)) continue;
        FreeSlot slot = {f->slot[v], f->m->slots.v[f->slot[v]].size};
        vec_push(f->ra->tmp, &f->free_slots, slot);
        bits_del(f->stored, v);
    }
}

static void clear_written(Fast *f, Step *s) {
    RegSet written = regset_or(s->clobbers, s->defs);
    REGSET_EACH(r, written) {
        if (f->holder[r] != NONE) make_room(f, r, regset_or(written, s->locked));
    }
}

static void take_defs(Fast *f, Step *s, bool narrow) {
    STEP_SLOTS(f, s, i, o) {
        if (!ra_is_def(o) || is_narrow(f, o) != narrow) continue;
        if (o->fixed != NO_REG) {
            o->preg = o->fixed;
        } else if (o->role == ROLE_DEF && !is_tied_def(o, o_end)) {
            unsigned r = must_pick(f, s, o->cls, regset_or(s->clobbers, s->defs));
            regset_add(&s->defs, r);
            o->preg = (uint8_t)r;
        }
    }
}

static void emit_step(Fast *f, Step *s) {
    for (uint32_t i = s->first; i < s->first + s->n; i++) {
        MOpnd *slots = ra_put_inst(f->ra, i);
        for (uint32_t k = 0; k < f->ra->old[i].n_slots; k++) {
            if (ra_is_reg(&slots[k])) slots[k].kind = MO_PREG;
        }
    }
    STEP_SLOTS(f, s, i, o) {
        if (!ra_is_def(o) || !bits_has(f->used, o->reg)) continue;
        set_home(f, o->reg, o->preg);
        if (!s->term && bits_has(f->cross, o->reg) && !bits_has(f->remat, o->reg)) store(f, o->reg);
    }
}

static void run_step(Fast *f, uint32_t first, uint32_t n, bool term) {
    Step s = {.first = first, .n = n, .term = term};
    look(f, &s);
    take_fixed_uses(f, &s);
    take_tied_uses(f, &s);
    take_uses(f, &s, true);
    take_early_defs(f, &s, true);
    take_uses(f, &s, false);
    take_early_defs(f, &s, false);
    release_dying(f, &s);
    clear_written(f, &s);
    take_defs(f, &s, true);
    take_defs(f, &s, false);
    emit_step(f, &s);
}

// ---- blocks -----------------------------------------------------------------------------------------

static void add_edge_moves(Fast *f, const MEdge *e) {
    const MBlock *to = &f->m->blocks.v[e->block];
    for (uint32_t k = 0; k < e->n_args; k++) {
        uint32_t param = f->m->lists.v[to->params + k];
        uint32_t arg = f->m->lists.v[e->args + k];
        if (!bits_has(f->used, param)) continue;
        Move move = {loc_slot(slot_of(f, param)), place_of(f, arg), arg};
        vec_push(f->ra->tmp, &f->moves, move);
    }
}

// What the only predecessor leaves to do: store what its terminators define, and the edge's moves.
static void enter(Fast *f, uint32_t b) {
    const MBlock *block = &f->m->blocks.v[b];
    if (block->n_preds != 1 || b == 0 || f->ra->in_edge[b] == NONE) return;
    const MBlock *pred = &f->m->blocks.v[f->ra->from[f->ra->in_edge[b]]];
    for (uint32_t i = ra_body(f->m, pred); i < pred->n; i++) {
        const MInst *inst = &f->ra->old[pred->first + i];
        for (uint32_t k = 0; k < inst->n_slots; k++) {
            const MOpnd *o = &f->ra->old_slots[inst->slots + k];
            if (!ra_is_def(o) || !bits_has(f->used, o->reg)) continue;
            ra_put_move(f->ra, loc_slot(slot_of(f, o->reg)), loc_reg(o->fixed), o->reg);
        }
    }
    f->moves.n = 0;
    add_edge_moves(f, &f->m->edges.v[f->ra->in_edge[b]]);
    moves_emit(f->ra, f->moves.v, f->moves.n);
}

static void note_last_uses(Fast *f, const MBlock *b, uint32_t body, bool moves_at_end) {
    for (uint32_t i = 0; i < b->n; i++) {
        const MInst *inst = &f->ra->old[b->first + i];
        for (uint32_t k = 0; k < inst->n_slots; k++) {
            const MOpnd *o = &f->ra->old_slots[inst->slots + k];
            if (ra_is_use(o)) f->last[o->reg] = b->first + (i < body ? i : body);
        }
    }
    if (!moves_at_end) return;
    const MEdge *e = &f->m->edges.v[b->succs];
    for (uint32_t k = 0; k < e->n_args; k++) f->last[f->m->lists.v[e->args + k]] = b->first + body;
}

static void run_block(Fast *f, uint32_t b) {
    const MBlock *block = &f->m->blocks.v[b];
    f->current = b;
    f->ra->first[b] = f->ra->insts.n;
    uint32_t body = ra_body(f->m, block);
    bool at_end = block->n_succs == 1 && ra_edge_place(f->ra, b, f->m->edges.v[block->succs].block) == EDGE_AT_END;
    for (uint32_t k = 0; k < block->n_params; k++) {
        uint32_t param = f->m->lists.v[block->params + k];
        if (!bits_has(f->used, param)) continue;
        slot_of(f, param);
        bits_add(f->stored, param);
    }
    note_last_uses(f, block, body, at_end);
    enter(f, b);
    for (uint32_t i = 0; i < body; i++) run_step(f, block->first + i, 1, false);
    if (at_end) {
        f->moves.n = 0;
        add_edge_moves(f, &f->m->edges.v[block->succs]);
        moves_emit(f->ra, f->moves.v, f->moves.n);
    }
    if (body < block->n) run_step(f, block->first + body, block->n - body, true);
    for (unsigned r = 0; r < MAX_REGS; r++) {
        if (f->holder[r] != NONE) drop(f, f->holder[r]);
    }
}

// ---- looking ahead ----------------------------------------------------------------------------------

static void note_use(Fast *f, uint32_t v, uint32_t b, bool outside) {
    bits_add(f->used, v);
    if (outside || f->block[v] != b) bits_add(f->cross, v);
}

// Gives every def of a terminator a fixed register, so that successors know it whatever the order of blocks.
static void fix_term_defs(Fast *f, const MBlock *b, uint32_t body) {
    RegSet taken = {{0, 0}};
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = body; i < b->n; i++) {
            const MInst *inst = &f->ra->old[b->first + i];
            if (!pass) taken = regset_or(taken, ra_clobbers(f->ra, inst));
            for (uint32_t k = 0; k < inst->n_slots; k++) {
                MOpnd *o = &f->ra->old_slots[inst->slots + k];
                if (!ra_is_reg(o)) continue;
                if (o->fixed != NO_REG) {
                    regset_add(&taken, o->fixed);
                } else if (pass && ra_is_def(o)) {
                    unsigned n = 0;
                    while (n < f->ra->n_full[o->cls] && regset_has(taken, f->ra->order[o->cls][n])) n++;
                    if (n == f->ra->n_full[o->cls]) ra_stuck(f->ra, b->first + i, "no register is left for a result");
                    o->fixed = f->ra->order[o->cls][n];
                    regset_add(&taken, o->fixed);
                }
            }
        }
    }
}

static void note_defs(Fast *f, uint32_t b) {
    const MBlock *block = &f->m->blocks.v[b];
    for (uint32_t k = 0; k < block->n_params; k++) {
        f->block[f->m->lists.v[block->params + k]] = b;
        bits_add(f->cross, f->m->lists.v[block->params + k]);
    }
    uint32_t body = ra_body(f->m, block);
    for (uint32_t i = 0; i < block->n; i++) {
        const MInst *inst = &f->ra->old[block->first + i];
        for (uint32_t k = 0; k < inst->n_slots; k++) {
            const MOpnd *o = &f->ra->old_slots[inst->slots + k];
            if (!ra_is_def(o)) continue;
            f->block[o->reg] = b;
            if (i >= body) bits_add(f->cross, o->reg);
        }
    }
    fix_term_defs(f, block, body);
}

static void note_uses(Fast *f, uint32_t b) {
    const MBlock *block = &f->m->blocks.v[b];
    for (uint32_t i = block->first; i < block->first + block->n; i++) {
        const MInst *inst = &f->ra->old[i];
        for (uint32_t k = 0; k < inst->n_slots; k++) {
            const MOpnd *o = &f->ra->old_slots[inst->slots + k];
            if (ra_is_use(o)) note_use(f, o->reg, b, false);
        }
    }
    for (uint32_t k = 0; k < block->n_succs; k++) {
        const MEdge *e = &f->m->edges.v[block->succs + k];
        bool at_start = e->n_args && ra_edge_place(f->ra, b, e->block) == EDGE_AT_START;
        for (uint32_t j = 0; j < e->n_args; j++) note_use(f, f->m->lists.v[e->args + j], b, at_start);
    }
}

void fast_allocate(Ra *ra) {
    uint32_t n = ra->m->vregs.n;
    Fast *f = NEW(ra->tmp, Fast);
    f->ra = ra;
    f->m = ra->m;
    f->reg = NEW_ARRAY(ra->tmp, uint8_t, n);
    f->slot = NEW_ARRAY(ra->tmp, uint32_t, n);
    f->last = NEW_ARRAY(ra->tmp, uint32_t, n);
    f->block = NEW_ARRAY(ra->tmp, uint32_t, n);
    f->stored = bits_new(ra->tmp, n);
    f->cross = bits_new(ra->tmp, n);
    f->used = bits_new(ra->tmp, n);
    f->remat = bits_new(ra->tmp, n);
    for (uint32_t v = 0; v < n; v++) {
        f->reg[v] = NO_REG;
        f->slot[v] = f->last[v] = f->block[v] = NONE;
        if (ra_can_remat(ra, v)) bits_add(f->remat, v);
    }
    for (unsigned r = 0; r < MAX_REGS; r++) f->holder[r] = NONE;
    for (uint32_t b = 0; b < ra->m->blocks.n; b++) note_defs(f, b);
    for (uint32_t b = 0; b < ra->m->blocks.n; b++) note_uses(f, b);
    for (uint32_t b = 0; b < ra->m->blocks.n; b++) run_block(f, b);
}
