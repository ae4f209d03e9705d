// Positions, uses and live ranges of the allocator `speed` (linear_scan.c has the theory).
//
// Liveness is found value by value (Boissinot et al., "Computing Liveness Sets for SSA-Form Programs", section 5):
// from each use walk the predecessors backwards until the definition. Each step of the walk makes a block live-in, so
// the time is that of writing the result, whatever the shape of the graph, and no set per block exists. A value whose
// walk takes too many steps is taken to live in a few runs of blocks around those where it does
// (select/extents.h), so that n values in n blocks are no square. Where that is too much it is nowhere on the way in,
// and what moves and stores are made of it there is read by nobody.
#include <stdlib.h>

#include "regalloc/speed.h"
#include "select/extents.h"

typedef struct ValUse {
    uint32_t val;
    Use use;
} ValUse;
typedef struct ValHint {
    uint32_t val;
    Hint hint;
} ValHint;

typedef struct Live {
    Speed *s;
    MFunc *m;
    VEC(ValUse) uses;
    VEC(ValHint) hints;
    VEC(uint32_t) untie; // steps with a tied use that has a three-address twin
    uint32_t *in;        // by block: the Val last seen live at its start, plus 1
    uint32_t *out;       // by block: the same at its end
    VEC(uint32_t) work;
    VEC(uint32_t) blocks; // where the Val at hand is live-in
    Extents *extents;     // NULL until a Val is rounded
} Live;

// ---- steps ------------------------------------------------------------------------------------------

static void number_steps(Speed *s) {
    const MFunc *m = s->m;
    uint32_t n = 0;
    for (uint32_t b = 0; b < m->blocks.n; b++) n += 2 + ra_body(m, &m->blocks.v[b]);
    if (n > INT32_MAX / 2) ctx_fail(m->ctx, VTR_ERR_LIMIT, "regalloc: the function is too large");
    s->n_steps = n;
    s->step_inst = NEW_ARRAY(s->tmp, uint32_t, n);
    s->step_n = NEW_ARRAY(s->tmp, uint32_t, n);
    s->step_block = NEW_ARRAY(s->tmp, uint32_t, n + 1);
    s->block_from = NEW_ARRAY(s->tmp, uint32_t, m->blocks.n + 1);
    uint32_t at = 0;
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        const MBlock *block = &m->blocks.v[b];
        uint32_t body = ra_body(m, block);
        s->block_from[b] = 2 * at;
        s->step_inst[at] = NONE;
        s->step_block[at++] = b;
        for (uint32_t i = 0; i <= body; i++) {
            s->step_inst[at] = block->first + i;
            s->step_n[at] = i < body ? 1 : block->n - body;
            s->step_block[at++] = b;
        }
    }
    s->block_from[m->blocks.n] = 2 * at;
    s->step_block[at] = m->blocks.n - 1;
}

static void weigh_blocks(Speed *s) {
    uint32_t n = s->m->blocks.n;
    s->outer = NEW_ARRAY(s->tmp, uint32_t, n);
    s->weight = NEW_ARRAY(s->tmp, uint8_t, n);
    for (uint32_t b = 0; b < n; b++) {
        const MBlock *block = &s->m->blocks.v[b];
        unsigned depth = block->loop_depth < 6 ? block->loop_depth : 6;
        s->weight[b] = block->cold ? 0 : (uint8_t)(1 + depth);
        uint32_t o = b - 1; // NONE for block 0
        while (o != NONE && s->weight[o] >= s->weight[b]) o = s->outer[o];
        s->outer[b] = o;
    }
}

// ---- operands ---------------------------------------------------------------------------------------

static void note_use(Live *l, uint32_t val, uint32_t pos, bool must) {
    vec_push(l->s->tmp, &l->uses, (ValUse){val, {pos, must}});
}

static void note_hint(Live *l, uint32_t val, uint32_t pos, uint32_t other, uint8_t preg) {
    vec_push(l->s->tmp, &l->hints, (ValHint){val, {pos, other, preg}});
}

static void note_pair(Live *l, uint32_t a, uint32_t b, uint32_t pos) {
    note_hint(l, a, pos, b, NO_REG);
    note_hint(l, b, pos, a, NO_REG);
}

static void block_reg(Speed *s, unsigned r, uint32_t from, uint32_t to, uint32_t owner) {
    vec_push(s->tmp, &s->fixed[r], (FixedRange){from, to, owner});
}

static void block_clobbers(Speed *s, RegSet set, uint32_t pos) {
    if (regset_empty(set)) return;
    for (uint32_t k = 0; k < s->n_clobbers; k++) {
        if (s->clobbers[k].set.w[0] != set.w[0] || s->clobbers[k].set.w[1] != set.w[1]) continue;
        if (vec_last(&s->clobbers[k].at) != pos) vec_push(s->tmp, &s->clobbers[k].at, pos);
        return;
    }
    if (s->n_clobbers == MAX_CLOBBER_SETS) {
        REGSET_EACH(r, set) block_reg(s, r, pos, pos + 1, NONE);
        return;
    }
    s->clobbers[s->n_clobbers].set = set;
    vec_push(s->tmp, &s->clobbers[s->n_clobbers].at, pos);
    s->n_clobbers++;
}

static uint32_t new_temp(Live *l, uint8_t cls, uint32_t from, uint32_t to) {
    Speed *s = l->s;
    Val temp = {.cls = cls, .slot = NONE, .def_step = NONE, .temp = NONE, .last_reg = NO_REG, .start = from};
    temp.block = speed_block_at(s, from);
    temp.ranges = s->ranges.n;
    temp.n_ranges = 1;
    vec_push(s->tmp, &s->ranges, (Range){from, to});
    vec_push(s->tmp, &s->vals, temp);
    uint32_t val = s->vals.n - 1;
    for (uint32_t pos = from; pos < to; pos++) note_use(l, val, pos, true);
    return val;
}

static bool is_narrow(const Live *l, const MOpnd *o) {
    const RegClass *classes = l->s->ra->t->classes;
    return !regset_within(classes[l->s->vals.v[o->reg].cls].allocatable, classes[o->cls].regs);
}

// A use of the same vreg in the same instruction whose register serves slot k too; its number, NONE = none.
static uint32_t find_alias(const Live *l, const MInst *inst, const MOpnd *slots, uint32_t k) {
    const RegClass *classes = l->s->ra->t->classes;
    for (uint32_t j = 0; j < inst->n_slots; j++) {
        const MOpnd *o = &slots[j];
        if (j == k || !ra_is_use(o) || o->reg != slots[k].reg) continue;
        if (o->fixed != NO_REG && !o->tied && regset_has(classes[slots[k].cls].regs, o->fixed)) return j;
        if (!o->tied) continue;
        const MOpnd *def = o - o->tied;
        if (def->role != ROLE_DEF) continue;
        if (def->fixed != NO_REG ? regset_has(classes[slots[k].cls].regs, def->fixed)
                                 : regset_within(classes[def->cls].allocatable, classes[slots[k].cls].regs)) {
            return j;
        }
    }
    return NONE;
}

// `late`: the register must hold until the step is over.
static void read_use(Live *l, const MInst *inst, MOpnd *slots, uint32_t k, uint32_t step, bool late) {
    MOpnd *o = &slots[k];
    uint32_t pos = 2 * step;
    MOpnd *def = o->tied ? o - o->tied : NULL;
    uint8_t fixed = def && def->fixed != NO_REG ? def->fixed : o->fixed;
    uint32_t alias = def || fixed != NO_REG ? NONE : find_alias(l, inst, slots, k);
    if (fixed != NO_REG) {
        o->note = NOTE_FIXED;
        o->note_arg = fixed;
        note_use(l, o->reg, pos, false);
        note_hint(l, o->reg, pos, NONE, fixed);
        block_reg(l->s, fixed, pos, pos + 1 + late, o->reg);
    } else if (def) {
        o->note = NOTE_TIED;
        note_use(l, o->reg, pos, false);
        note_pair(l, o->reg, def->reg, pos);
    } else if (alias != NONE) {
        o->note = NOTE_ALIAS;
        o->note_arg = alias;
        note_use(l, o->reg, pos, false);
    } else if (is_narrow(l, o)) {
        o->note = NOTE_TEMP;
        note_use(l, o->reg, pos, false);
        o->note_arg = new_temp(l, o->cls, pos, pos + 1 + late);
        note_pair(l, o->reg, o->note_arg, pos);
    } else {
        o->note = NOTE_OWN;
        note_use(l, o->reg, pos, true);
        if (late) note_use(l, o->reg, pos + 1, true);
    }
}

static bool has_tied_use(const MInst *inst, const MOpnd *slots, uint32_t k) {
    for (uint32_t j = k + 1; j < inst->n_slots; j++) {
        if (ra_is_use(&slots[j]) && slots[j].tied && j - slots[j].tied == k) return true;
    }
    return false;
}

static void read_def(Live *l, const MInst *inst, MOpnd *slots, uint32_t k, uint32_t step) {
    Speed *s = l->s;
    MOpnd *o = &slots[k];
    Val *v = &s->vals.v[o->reg];
    bool early = o->role == ROLE_DEF_EARLY || has_tied_use(inst, slots, k);
    uint32_t from = 2 * step + !early;
    v->block = s->step_block[step];
    v->by_term = (inst->flags & MI_TERM) != 0;
    o->note = NOTE_OWN;
    if (v->remat) {
        v->start = 2 * step + 2;
        return;
    }
    if (v->by_term && o->fixed == NO_REG) v->cls = o->cls;
    bool narrow = o->fixed == NO_REG && is_narrow(l, o);
    if (o->fixed == NO_REG && !narrow) {
        v->start = from;
        for (uint32_t pos = from; pos < 2 * step + 2; pos++) note_use(l, o->reg, pos, true);
        return;
    }
    v->start = v->by_term ? NONE : 2 * step + 2;
    v->def_step = step;
    if (narrow) {
        o->note = NOTE_TEMP;
        uint32_t temp = new_temp(l, o->cls, from, 2 * step + 2);
        o->note_arg = temp;
        s->vals.v[o->reg].temp = temp;
        note_pair(l, o->reg, temp, from);
        return;
    }
    v->born = loc_reg(o->fixed);
    block_reg(s, o->fixed, from, 2 * step + 2, o->reg);
    note_hint(l, o->reg, 2 * step + 2, NONE, o->fixed);
}

static void read_inst(Live *l, uint32_t i, uint32_t step, bool first) {
    Speed *s = l->s;
    const MInst *inst = &s->ra->old[i];
    MOpnd *slots = &s->ra->old_slots[inst->slots];
    const InstDesc *desc = ra_desc(s->ra, inst);
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        if (ra_is_use(&slots[k])) read_use(l, inst, slots, k, step, !first);
        if (ra_is_use(&slots[k]) && slots[k].note == NOTE_TIED && desc && desc->untie_mop != NO_MOP) {
            vec_push(s->tmp, &l->untie, step);
        }
    }
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        if (ra_is_def(&slots[k])) read_def(l, inst, slots, k, step);
    }
    bool is_copy = inst->mop == MOP_COPY && inst->n_slots == 2 && ra_is_def(&slots[0]) && ra_is_use(&slots[1]);
    if (is_copy) note_pair(l, slots[0].reg, slots[1].reg, 2 * step);
    block_clobbers(s, ra_clobbers(s->ra, inst), 2 * step + 1);
}

static void read_block(Live *l, uint32_t b) {
    Speed *s = l->s;
    const MBlock *block = &l->m->blocks.v[b];
    for (uint32_t step = s->block_from[b] / 2 + 1; step < speed_block_to(s, b) / 2; step++) {
        for (uint32_t i = 0; i < s->step_n[step]; i++) read_inst(l, s->step_inst[step] + i, step, i == 0);
    }
    uint32_t end = speed_block_to(s, b) - 1;
    for (uint32_t e = block->succs; e < block->succs + block->n_succs; e++) {
        const MEdge *edge = &l->m->edges.v[e];
        uint32_t params = l->m->blocks.v[edge->block].params;
        for (uint32_t k = 0; k < edge->n_args; k++) {
            uint32_t arg = l->m->lists.v[edge->args + k];
            note_use(l, arg, end, false);
            note_hint(l, arg, end, l->m->lists.v[params + k], NO_REG);
        }
    }
}

static void read_params(Live *l, uint32_t b) {
    const MBlock *block = &l->m->blocks.v[b];
    const Ra *ra = l->s->ra;
    for (uint32_t k = 0; k < block->n_params; k++) {
        uint32_t param = l->m->lists.v[block->params + k];
        Val *v = &l->s->vals.v[param];
        v->param = true;
        v->block = b;
        v->start = l->s->block_from[b];
        uint32_t left = 4; // arguments to look at
        for (uint32_t p = 0; p < block->n_preds && left; p++, left--) {
            uint32_t from = l->m->lists.v[block->preds + p];
            uint32_t e = l->m->blocks.v[from].n_succs == 1 ? l->m->blocks.v[from].succs : ra->in_edge[b];
            if (l->m->edges.v[e].block != b) continue;
            note_hint(l, param, v->start, l->m->lists.v[l->m->edges.v[e].args + k], NO_REG);
        }
    }
}

// ---- sorting by value -------------------------------------------------------------------------------

static void sort_uses(Live *l) {
    Speed *s = l->s;
    for (uint32_t i = 0; i < l->uses.n; i++) s->vals.v[l->uses.v[i].val].n_uses++;
    uint32_t at = 0;
    for (uint32_t v = 0; v < s->vals.n; v++) {
        s->vals.v[v].uses = at;
        at += s->vals.v[v].n_uses;
        s->vals.v[v].n_uses = 0;
    }
    s->uses = NEW_ARRAY(s->tmp, Use, at);
    for (uint32_t i = 0; i < l->uses.n; i++) {
        Val *v = &s->vals.v[l->uses.v[i].val];
        Use use = l->uses.v[i].use;
        // Of one instruction's uses the order is that of its slots; a later position may come first.
        uint32_t k = v->uses + v->n_uses++;
        while (k > v->uses && s->uses[k - 1].pos > use.pos) {
            s->uses[k] = s->uses[k - 1];
            k--;
        }
        s->uses[k] = use;
    }
}

static void sort_hints(Live *l) {
    Speed *s = l->s;
    for (uint32_t i = 0; i < l->hints.n; i++) s->vals.v[l->hints.v[i].val].n_hints++;
    uint32_t at = 0;
    for (uint32_t v = 0; v < s->vals.n; v++) {
        s->vals.v[v].hints = at;
        at += s->vals.v[v].n_hints;
        s->vals.v[v].n_hints = 0;
    }
    s->hints = NEW_ARRAY(s->tmp, Hint, at);
    for (uint32_t i = 0; i < l->hints.n; i++) {
        Val *v = &s->vals.v[l->hints.v[i].val];
        s->hints[v->hints + v->n_hints++] = l->hints.v[i].hint;
    }
}

static void link_musts(Speed *s) {
    s->next_must = NEW_ARRAY(s->tmp, uint32_t, s->vals.n ? vec_last(&s->vals).uses + vec_last(&s->vals).n_uses : 0);
    for (uint32_t v = 0; v < s->vals.n; v++) {
        uint32_t end = s->vals.v[v].uses + s->vals.v[v].n_uses;
        uint32_t next = end;
        for (uint32_t u = end; u-- > s->vals.v[v].uses;) {
            if (s->uses[u].must) next = u;
            s->next_must[u] = next;
        }
    }
}

// ---- ranges -----------------------------------------------------------------------------------------

static int compare_blocks(const void *x, const void *y) {
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

static void reach(Live *l, uint32_t val, uint32_t b) {
    if (l->in[b] == val + 1) return;
    l->in[b] = val + 1;
    vec_push(l->s->tmp, &l->work, b);
    vec_push(l->s->tmp, &l->blocks, b);
}

// False: that would take too long.
static bool find_blocks(Live *l, uint32_t val) {
    Speed *s = l->s;
    const Val *v = &s->vals.v[val];
    uint32_t steps = 0;
    l->blocks.n = l->work.n = 0;
    for (uint32_t u = v->uses; u < v->uses + v->n_uses; u++) {
        uint32_t b = speed_block_at(s, s->uses[u].pos);
        if (b != v->block) reach(l, val, b);
    }
    while (l->work.n) {
        const MBlock *block = &l->m->blocks.v[l->work.v[--l->work.n]];
        steps += block->n_preds;
        if (steps > extents_exact(s->ra->stress)) return false;
        for (uint32_t k = 0; k < block->n_preds; k++) {
            uint32_t p = l->m->lists.v[block->preds + k];
            l->out[p] = val + 1;
            if (p != v->block) reach(l, val, p);
        }
    }
    bool sorted = true;
    for (uint32_t k = 1; k < l->blocks.n; k++) sorted &= l->blocks.v[k - 1] < l->blocks.v[k];
    if (!sorted) qsort(l->blocks.v, l->blocks.n, sizeof *l->blocks.v, compare_blocks);
    return true;
}

static void add_range(Speed *s, Val *v, uint32_t from, uint32_t to) {
    if (from >= to) return;
    if (v->n_ranges && vec_last(&s->ranges).to == from) {
        vec_last(&s->ranges).to = to;
        return;
    }
    vec_push(s->tmp, &s->ranges, (Range){from, to});
    v->n_ranges++;
}

static void round_ranges(Live *l, uint32_t val) {
    Speed *s = l->s;
    Val *v = &s->vals.v[val];
    if (!l->extents) l->extents = extents_new(s->tmp, l->m);
    uint32_t last = extents_number(l->extents, v->block);
    for (uint32_t u = v->uses; u < v->uses + v->n_uses; u++) {
        uint32_t number = extents_number(l->extents, speed_block_at(s, s->uses[u].pos));
        if (number > last) last = number;
    }
    BlockRun runs[2];
    unsigned n = extents_runs(l->extents, v->block, last, runs);
    v->rounded = true;
    for (unsigned k = 0; k < n; k++) {
        uint32_t from = s->block_from[runs[k].from];
        if (v->block >= runs[k].from && v->block < runs[k].to) {
            add_range(s, v, from, s->block_from[v->block]);
            from = v->start != NONE ? v->start : speed_block_to(s, v->block);
        }
        add_range(s, v, from, s->block_from[runs[k].to]);
    }
}

static void build_ranges(Live *l, uint32_t val) {
    Speed *s = l->s;
    Val *v = &s->vals.v[val];
    if (!v->n_uses) return;
    v->ranges = s->ranges.n;
    if (!find_blocks(l, val)) {
        round_ranges(l, val);
        return;
    }
    uint32_t u = v->uses;
    uint32_t end = v->uses + v->n_uses;
    bool pending = v->start != NONE; // the definition's own block is still to come
    for (uint32_t k = 0; k <= l->blocks.n; k++) {
        uint32_t b = k < l->blocks.n ? l->blocks.v[k] : NONE;
        if (pending && v->block < b) {
            b = v->block;
            k--;
            pending = false;
        }
        if (b == NONE) break;
        uint32_t from = b == v->block ? v->start : s->block_from[b];
        uint32_t to = from;
        for (; u < end && s->uses[u].pos < speed_block_to(s, b); u++) {
            uint32_t reach_to = s->uses[u].pos + (s->uses[u].must || s->uses[u].pos & 1);
            if (to < reach_to) to = reach_to;
        }
        if (l->out[b] == val + 1) to = speed_block_to(s, b);
        add_range(s, v, from, to);
    }
}

// ---- the three-address form -------------------------------------------------------------------------

// The range that holds pos, NONE = there is none.
static uint32_t range_at(const Speed *s, uint32_t val, uint32_t pos) {
    const Val *v = &s->vals.v[val];
    uint32_t low = v->ranges;
    uint32_t high = v->ranges + v->n_ranges;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->ranges.v[mid].to <= pos) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < v->ranges + v->n_ranges && s->ranges.v[low].from <= pos ? low : NONE;
}

static void set_must(Speed *s, uint32_t val, uint32_t pos, bool must) {
    const Val *v = &s->vals.v[val];
    uint32_t low = v->uses;
    uint32_t high = v->uses + v->n_uses;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->uses[mid].pos < pos) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    for (; low < v->uses + v->n_uses && s->uses[low].pos == pos; low++) s->uses[low].must = must;
}

// Takes the three-address twin of the instruction if the tied input lives on.
static void untie(Speed *s, uint32_t step) {
    MInst *inst = &s->ra->old[s->step_inst[step]];
    MOpnd *slots = &s->ra->old_slots[inst->slots];
    const InstDesc *desc = ra_desc(s->ra, inst);
    if (!desc || desc->untie_mop == NO_MOP || inst->flags & (MI_TERM | MI_FLAGS)) return;
    uint32_t n_ties = 0;
    uint32_t tied = 0;
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        if (!ra_is_use(&slots[k]) || slots[k].note != NOTE_TIED) continue;
        n_ties++;
        tied = k;
    }
    if (n_ties != 1 || range_at(s, slots[tied].reg, 2 * step + 1) == NONE) return;
    MOpnd *def = &slots[tied] - slots[tied].tied;
    uint32_t range = def->note == NOTE_OWN ? range_at(s, def->reg, 2 * step) : NONE;
    if (range == NONE || s->ranges.v[range].from != 2 * step) return;
    for (uint32_t k = 0; k < inst->n_slots; k++) {
        if (ra_is_use(&slots[k]) && slots[k].reg == slots[tied].reg && slots[k].note == NOTE_ALIAS) {
            slots[k].note = NOTE_OWN;
        }
    }
    inst->mop = desc->untie_mop;
    slots[tied].tied = 0;
    slots[tied].note = NOTE_OWN;
    set_must(s, slots[tied].reg, 2 * step, true);
    if (def->role == ROLE_DEF_EARLY) return;
    set_must(s, def->reg, 2 * step, false);
    s->vals.v[def->reg].start = 2 * step + 1;
    s->ranges.v[range].from = 2 * step + 1;
}

static void init_vals(Speed *s) {
    uint32_t n = s->m->vregs.n;
    vec_reserve(s->tmp, &s->vals, n + 16);
    for (uint32_t v = 0; v < n; v++) {
        Val val = {.cls = s->m->vregs.v[v].cls, .slot = NONE, .def_step = NONE, .temp = NONE, .last_reg = NO_REG};
        val.start = val.block = NONE;
        val.remat = ra_can_remat(s->ra, v);
        vec_push(s->tmp, &s->vals, val);
    }
}

void live_build(Speed *s) {
    Live *l = NEW(s->tmp, Live);
    l->s = s;
    l->m = s->m;
    number_steps(s);
    weigh_blocks(s);
    init_vals(s);
    for (uint32_t b = 0; b < s->m->blocks.n; b++) {
        read_params(l, b);
        read_block(l, b);
    }
    sort_uses(l);
    sort_hints(l);
    l->in = NEW_ARRAY(s->tmp, uint32_t, s->m->blocks.n);
    l->out = NEW_ARRAY(s->tmp, uint32_t, s->m->blocks.n);
    for (uint32_t v = 0; v < s->m->vregs.n; v++) build_ranges(l, v);
    for (uint32_t k = 0; k < l->untie.n; k++) untie(s, l->untie.v[k]);
    link_musts(s);
}
