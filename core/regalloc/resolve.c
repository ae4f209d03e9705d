// From intervals to code: the moves that connect a value's locations, and the allocated instructions.
//
// A move stands in the gap in front of a step (`gaps`), where an interval ends in one place and goes on in another,
// where a value arrives from a fixed register, or behind a definition that must be stored; or on an edge (`edges`),
// where the locations at its two ends differ, and for block parameters. Moves that bring operands where an instruction
// wants them are added while it is written. All moves of a gap are one parallel move; so are all moves of an edge.
//
// Stores. A value's slot must hold it wherever one of its intervals has no register. Either it is stored once, right
// behind its definition, or each time that it leaves a register for the slot, in the gap or on the edge, whichever runs
// less often by a guess. So a value that gives way to a call in a cold block is stored there and costs the hot path
// nothing; one that gives way in a loop, but is defined outside of it, is stored outside.
#include "regalloc/speed.h"

typedef struct PlacedMove {
    uint32_t place; // step or edge
    Move move;
} PlacedMove;

typedef struct Placed {
    VEC(PlacedMove) list;
    uint32_t *first; // by place, once sorted; one more element for the end
    Move *moves;
} Placed;

typedef struct Resolve {
    Speed *s;
    MFunc *m;
    Placed gaps;
    Placed edges;
    uint32_t *in_first; // by block: run in in_edges; one more element for the end
    uint32_t *in_edges;
    VEC(Move) now;
    // Of the value at hand: the stores where it leaves a register, and how often they would run.
    VEC(PlacedMove) gap_stores;
    VEC(PlacedMove) edge_stores;
    uint64_t store_cost;
} Resolve;

static const uint64_t NEVER = UINT64_C(1) << 60;

static void place(Resolve *r, Placed *p, uint32_t where, Loc dst, Loc src, uint32_t val) {
    if (loc_eq(dst, src)) return;
    vec_push(r->s->tmp, &p->list, (PlacedMove){where, {dst, src, val}});
}

static void sort_moves(Resolve *r, Placed *p, uint32_t n_places) {
    p->first = NEW_ARRAY(r->s->tmp, uint32_t, n_places + 2);
    p->moves = NEW_ARRAY(r->s->tmp, Move, p->list.n);
    for (uint32_t k = 0; k < p->list.n; k++) p->first[p->list.v[k].place + 2]++;
    for (uint32_t k = 2; k < n_places + 2; k++) p->first[k] += p->first[k - 1];
    for (uint32_t k = 0; k < p->list.n; k++) p->moves[p->first[p->list.v[k].place + 1]++] = p->list.v[k].move;
}

// ---- locations --------------------------------------------------------------------------------------

// The value's interval that holds pos, or NONE.
static uint32_t find_child(const Speed *s, uint32_t val, uint32_t pos) {
    const Val *v = &s->vals.v[val];
    uint32_t low = 0;
    uint32_t high = v->n_children;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->intervals.v[s->children[v->first + mid]].end <= pos) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == v->n_children) return NONE;
    uint32_t i = s->children[v->first + low];
    return s->intervals.v[i].start <= pos ? i : NONE;
}

static Loc loc_of(const Speed *s, uint32_t i) {
    const Interval *in = &s->intervals.v[i];
    if (in->reg != NO_REG) return loc_reg(in->reg);
    if (s->vals.v[in->val].remat) return (Loc){LOC_REMAT, 0};
    return loc_slot(s->vals.v[in->val].slot);
}

static Loc loc_at(const Speed *s, uint32_t val, uint32_t pos) {
    uint32_t i = find_child(s, val, pos);
    if (i == NONE) ctx_bug(s->m->ctx, "regalloc: v%u is nowhere at position %u", val, pos);
    return loc_of(s, i);
}

static unsigned reg_at(const Speed *s, uint32_t val, uint32_t pos) {
    Loc l = loc_at(s, val, pos);
    if (l.kind != LOC_REG) ctx_bug(s->m->ctx, "regalloc: v%u has no register at position %u", val, pos);
    return l.n;
}

static Loc born_at(const Speed *s, const Val *v) {
    return v->temp == NONE ? v->born : loc_at(s, v->temp, s->vals.v[v->temp].start);
}

// Where the moves in front of `step` find the value.
static Loc loc_before(const Speed *s, uint32_t val, uint32_t step) {
    const Val *v = &s->vals.v[val];
    if (v->def_step == step - 1 && !v->by_term) return born_at(s, v);
    if (v->remat && v->start == 2 * step) return (Loc){LOC_REMAT, 0};
    return loc_at(s, val, 2 * step - 1);
}

// ---- stores -----------------------------------------------------------------------------------------

// How often block b runs, by a guess: a cold one in one of sixteen calls, others eight times more in each loop.
static uint64_t frequency(const Speed *s, uint32_t b) {
    return s->weight[b] ? UINT64_C(16) << (3 * (s->weight[b] - 1)) : 1;
}

static void note_store(Resolve *r, bool edge, uint32_t where, uint64_t cost, Loc src, uint32_t val) {
    if (src.kind != LOC_REG) return;
    PlacedMove store = {where, {loc_slot(r->s->vals.v[val].slot), src, val}};
    if (edge) vec_push(r->s->tmp, &r->edge_stores, store);
    else vec_push(r->s->tmp, &r->gap_stores, store);
    r->store_cost += cost;
}

// Inside of a block the value goes from a register to its slot at `start`.
static void leave_register(Resolve *r, uint32_t val, uint32_t start) {
    const Speed *s = r->s;
    uint32_t step = start / 2;
    if (s->step_inst[step] != NONE) {
        note_store(r, false, step, frequency(s, s->step_block[step]), loc_before(s, val, step), val);
    } else if (start & 1) {
        r->store_cost = NEVER; // no gap could take the store
    }
}

// Places the stores where the value leaves a register; false: its definition is the better place.
static bool place_stores(Resolve *r, uint32_t val) {
    const Speed *s = r->s;
    const Val *v = &s->vals.v[val];
    // Half as much again: a place behind the definition may run less often, and cold ones hardly count.
    if (v->slot == NONE || v->by_term || 2 * r->store_cost > 3 * frequency(s, v->block)) return false;
    for (uint32_t k = 0; k < r->gap_stores.n; k++) vec_push(s->tmp, &r->gaps.list, r->gap_stores.v[k]);
    for (uint32_t k = 0; k < r->edge_stores.n; k++) vec_push(s->tmp, &r->edges.list, r->edge_stores.v[k]);
    return true;
}

// ---- gaps -------------------------------------------------------------------------------------------

static void connect_children(Resolve *r, uint32_t val) {
    const Speed *s = r->s;
    const Val *v = &s->vals.v[val];
    for (uint32_t k = 1; k < v->n_children; k++) {
        const Interval *prev = &s->intervals.v[s->children[v->first + k - 1]];
        const Interval *in = &s->intervals.v[s->children[v->first + k]];
        // A value is reborn where a range begins: the edges or its definition bring it.
        if (prev->end != in->start || s->ranges.v[in->range].from == in->start) continue;
        if (in->reg == NO_REG) {
            if (v->slot != NONE) leave_register(r, val, in->start);
        } else if (s->step_inst[in->start / 2] != NONE) {
            place(r, &r->gaps, in->start / 2, loc_reg(in->reg), loc_of(s, s->children[v->first + k - 1]), val);
        }
    }
}

static void place_definition(Resolve *r, uint32_t val, bool stored_late) {
    const Speed *s = r->s;
    const Val *v = &s->vals.v[val];
    if (v->start == NONE || v->by_term) return;
    uint32_t child = find_child(s, val, v->start);
    if (child == NONE) return;
    Loc at = loc_of(s, child);
    bool store = v->slot != NONE && at.kind == LOC_REG && !stored_late;
    if (v->remat) {
        if (at.kind == LOC_REG) place(r, &r->gaps, v->start / 2, at, (Loc){LOC_REMAT, 0}, val);
    } else if (v->def_step != NONE) {
        Loc born = born_at(s, v);
        place(r, &r->gaps, v->def_step + 1, at, born, val);
        if (store) place(r, &r->gaps, v->def_step + 1, loc_slot(v->slot), born, val);
    } else if (store) {
        place(r, &r->gaps, v->start / 2 + 1, loc_slot(v->slot), at, val);
    }
}

// ---- edges ------------------------------------------------------------------------------------------

// The last position whose locations the moves of an edge find.
static uint32_t pos_at_end(const Speed *s, uint32_t from, uint32_t to) {
    return speed_block_to(s, from) - (ra_edge_place(s->ra, from, to) == EDGE_AT_END ? 2 : 1);
}

// LOC_NONE: a value whose life was rounded does not live there.
static Loc loc_at_end(const Resolve *r, uint32_t val, uint32_t from, uint32_t to) {
    const Speed *s = r->s;
    const Val *v = &s->vals.v[val];
    if (v->by_term && v->block == from)
        return v->def_step != NONE ? v->born : loc_at(s, val, speed_block_to(s, from) - 1);
    uint32_t end = pos_at_end(s, from, to);
    if (v->rounded && find_child(s, val, end) == NONE) return (Loc){LOC_NONE, 0};
    return loc_at(s, val, end);
}

static void pass_params(Resolve *r, uint32_t e) {
    const Speed *s = r->s;
    const MEdge *edge = &r->m->edges.v[e];
    uint32_t params = r->m->blocks.v[edge->block].params;
    for (uint32_t k = 0; k < edge->n_args; k++) {
        uint32_t param = r->m->lists.v[params + k];
        uint32_t arg = r->m->lists.v[edge->args + k];
        if (!s->vals.v[param].n_children) continue;
        Loc dst = loc_at(s, param, s->block_from[edge->block]);
        place(r, &r->edges, e, dst, loc_at_end(r, arg, s->ra->from[e], edge->block), arg);
    }
}

// The value is in register `reg` at the start of block `to`: brings it there along each edge.
static void enter_block(Resolve *r, uint32_t val, uint32_t to, unsigned reg) {
    const Speed *s = r->s;
    const Val *v = &s->vals.v[val];
    if (v->param && v->block == to) return;
    for (uint32_t k = r->in_first[to]; k < r->in_first[to + 1]; k++) {
        uint32_t e = r->in_edges[k];
        Loc src = loc_at_end(r, val, s->ra->from[e], to);
        if (src.kind != LOC_NONE) place(r, &r->edges, e, loc_reg(reg), src, val);
    }
}

// Whether the value is in its slot at the start of block `to`, not counting one that begins there.
static bool enters_in_slot(const Speed *s, uint32_t val, uint32_t to) {
    const Val *v = &s->vals.v[val];
    if (v->slot == NONE || (v->param && v->block == to)) return false;
    uint32_t child = find_child(s, val, s->block_from[to]);
    return child != NONE && s->intervals.v[child].reg == NO_REG && interval_lives_at(s, child, s->block_from[to]);
}

// Register `in->reg` may hold the value at the end of block `from`: notes the stores on edges to blocks where it is in
// its slot.
static void leave_block(Resolve *r, const Interval *in, uint32_t from) {
    const Speed *s = r->s;
    const MBlock *block = &r->m->blocks.v[from];
    for (uint32_t e = block->succs; e < block->succs + block->n_succs; e++) {
        uint32_t to = r->m->edges.v[e].block;
        uint32_t end = pos_at_end(s, from, to);
        if (end < in->start || end >= in->end || !enters_in_slot(s, in->val, to)) continue;
        uint64_t cost = frequency(s, s->weight[from] < s->weight[to] ? from : to);
        note_store(r, true, e, cost, loc_reg(in->reg), in->val);
    }
}

// Connects a piece of the value's life with what is at the other ends of edges. That only matters for those in
// registers, of which not many live at a time: so all of them together take no longer than the blocks are many.
static void connect_piece(Resolve *r, const Interval *in) {
    const Speed *s = r->s;
    const Val *v = &s->vals.v[in->val];
    for (uint32_t k = in->range; k < v->ranges + v->n_ranges && s->ranges.v[k].from < in->end; k++) {
        uint32_t from = s->ranges.v[k].from > in->start ? s->ranges.v[k].from : in->start;
        uint32_t to = s->ranges.v[k].to < in->end ? s->ranges.v[k].to : in->end;
        for (uint32_t b = speed_block_at(s, from); b < r->m->blocks.n && s->block_from[b] < to; b++) {
            if (s->block_from[b] >= from) enter_block(r, in->val, b, in->reg);
            if (speed_block_to(s, b) - 2 < to && !v->by_term) leave_block(r, in, b);
        }
    }
}

// A value that a terminator defines is stored on each edge to where it lives.
static void store_on_edges(Resolve *r, uint32_t val) {
    const Speed *s = r->s;
    const Val *v = &s->vals.v[val];
    const MBlock *block = &r->m->blocks.v[v->block];
    for (uint32_t e = block->succs; v->slot != NONE && e < block->succs + block->n_succs; e++) {
        uint32_t to = r->m->edges.v[e].block;
        uint32_t child = find_child(s, val, s->block_from[to]);
        if (child == NONE || !interval_lives_at(s, child, s->block_from[to])) continue;
        place(r, &r->edges, e, loc_slot(v->slot), loc_at_end(r, val, v->block, to), val);
    }
}

static void resolve_edges(Resolve *r, uint32_t val) {
    const Speed *s = r->s;
    const Val *v = &s->vals.v[val];
    if (v->n_children < 2 && !v->by_term) return;
    for (uint32_t k = 0; k < v->n_children; k++) {
        const Interval *in = &s->intervals.v[s->children[v->first + k]];
        if (in->reg != NO_REG) connect_piece(r, in);
    }
    if (v->by_term) store_on_edges(r, val);
}

static void list_in_edges(Resolve *r) {
    const MFunc *m = r->m;
    r->in_first = NEW_ARRAY(r->s->tmp, uint32_t, m->blocks.n + 2);
    r->in_edges = NEW_ARRAY(r->s->tmp, uint32_t, m->edges.n);
    for (uint32_t e = 0; e < m->edges.n; e++) r->in_first[m->edges.v[e].block + 2]++;
    for (uint32_t b = 2; b < m->blocks.n + 2; b++) r->in_first[b] += r->in_first[b - 1];
    for (uint32_t e = 0; e < m->edges.n; e++) r->in_edges[r->in_first[m->edges.v[e].block + 1]++] = e;
}

// ---- writing ----------------------------------------------------------------------------------------

// Registers of the instruction's operands, into the SSA code's MOpnd.preg.
static void pick_registers(Resolve *r, uint32_t i, uint32_t step) {
    const Speed *s = r->s;
    const MInst *inst = &s->ra->old[i];
    MOpnd *slots = &s->ra->old_slots[inst->slots];
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        MOpnd *o = &slots[k];
        if (!ra_is_def(o)) continue;
        if (o->fixed != NO_REG) {
            o->preg = o->fixed;
        } else if (o->note == NOTE_TEMP) {
            o->preg = (uint8_t)reg_at(s, o->note_arg, 2 * step + 1);
        } else {
            o->preg = (uint8_t)reg_at(s, o->reg, s->vals.v[o->reg].start);
        }
    }
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        MOpnd *o = &slots[k];
        if (!ra_is_use(o)) continue;
        switch (o->note) {
        case NOTE_OWN: o->preg = (uint8_t)reg_at(s, o->reg, 2 * step); break;
        case NOTE_FIXED: o->preg = (uint8_t)o->note_arg; break;
        case NOTE_TIED: o->preg = slots[k - o->tied].preg; break;
        case NOTE_TEMP: o->preg = (uint8_t)reg_at(s, o->note_arg, 2 * step); break;
        default: break;
        }
    }
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        if (ra_is_use(&slots[k]) && slots[k].note == NOTE_ALIAS) slots[k].preg = slots[slots[k].note_arg].preg;
    }
}

static void add_operand_moves(Resolve *r, uint32_t i, uint32_t step) {
    const Speed *s = r->s;
    const MInst *inst = &s->ra->old[i];
    const MOpnd *slots = &s->ra->old_slots[inst->slots];
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        const MOpnd *o = &slots[k];
        if (!ra_is_use(o) || o->note == NOTE_OWN || o->note == NOTE_ALIAS) continue;
        vec_push(s->tmp, &r->now, (Move){loc_reg(o->preg), loc_before(s, o->reg, step), o->reg});
    }
}

// Whether the instruction only defines a value that is computed where it is used.
static bool is_dropped(const Resolve *r, uint32_t i) {
    const MInst *inst = &r->s->ra->old[i];
    const MOpnd *slots = &r->s->ra->old_slots[inst->slots];
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        if (ra_is_def(&slots[k])) return r->s->vals.v[slots[k].reg].remat;
    }
    return false;
}

static void put_inst(Resolve *r, uint32_t i) {
    MOpnd *slots = ra_put_inst(r->s->ra, i);
    for (uint32_t k = 0; k < r->s->ra->old[i].n_slots; k++) {
        if (!ra_is_reg(&slots[k])) continue;
        slots[k].kind = MO_PREG;
        slots[k].note = 0;
        slots[k].note_arg = 0;
    }
}

static void put_moves(Resolve *r, const Placed *p, uint32_t where) {
    moves_emit(r->s->ra, p->moves + p->first[where], p->first[where + 1] - p->first[where]);
}

static void put_step(Resolve *r, uint32_t step) {
    const Speed *s = r->s;
    uint32_t first = s->step_inst[step];
    uint32_t n = s->step_n[step];
    r->now.n = 0;
    for (uint32_t k = r->gaps.first[step]; k < r->gaps.first[step + 1]; k++) {
        vec_push(s->tmp, &r->now, r->gaps.moves[k]);
    }
    bool dropped = n == 1 && is_dropped(r, first);
    for (uint32_t i = first; i < first + n && !dropped; i++) {
        pick_registers(r, i, step);
        add_operand_moves(r, i, step);
    }
    moves_emit(s->ra, r->now.v, r->now.n);
    if (step + 1 == speed_block_to(s, s->step_block[step]) / 2) {
        const MBlock *block = &r->m->blocks.v[s->step_block[step]];
        if (block->n_succs == 1 && r->edges.first[block->succs] != r->edges.first[block->succs + 1] &&
            ra_edge_place(s->ra, s->step_block[step], r->m->edges.v[block->succs].block) == EDGE_AT_END) {
            put_moves(r, &r->edges, block->succs);
        }
    }
    for (uint32_t i = first; i < first + n && !dropped; i++) put_inst(r, i);
}

static void put_block(Resolve *r, uint32_t b) {
    const Speed *s = r->s;
    s->ra->first[b] = s->ra->insts.n;
    uint32_t e = s->ra->in_edge[b];
    if (e != NONE && r->edges.first[e] != r->edges.first[e + 1] &&
        ra_edge_place(s->ra, s->ra->from[e], b) == EDGE_AT_START) {
        put_moves(r, &r->edges, e);
    }
    for (uint32_t step = s->block_from[b] / 2 + 1; step < speed_block_to(s, b) / 2; step++) put_step(r, step);
}

void speed_rewrite(Speed *s) {
    Resolve *r = NEW(s->tmp, Resolve);
    r->s = s;
    r->m = s->m;
    list_in_edges(r);
    for (uint32_t v = 0; v < s->m->vregs.n; v++) {
        r->gap_stores.n = r->edge_stores.n = 0;
        r->store_cost = 0;
        connect_children(r, v);
        resolve_edges(r, v);
        place_definition(r, v, place_stores(r, v));
    }
    for (uint32_t e = 0; e < s->m->edges.n; e++) pass_params(r, e);
    sort_moves(r, &r->gaps, s->n_steps);
    sort_moves(r, &r->edges, s->m->edges.n);
    for (uint32_t b = 0; b < s->m->blocks.n; b++) put_block(r, b);
}
