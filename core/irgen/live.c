// Liveness of reference registers, by one search per register.
//
// Theory. A register is live out of a block if some path from there reaches a use without passing a definition. For
// each register the blocks that use it before defining it are found in one scan; from them the search walks
// backwards over predecessors and stops at blocks that define it. (B. Boissinot et al., "Computing Liveness Sets for
// SSA-Form Programs", INRIA RR-7503, section 4.2; here without SSA, with an explicit kill test.) The work is linear
// in the code plus the size of the sets found, and those are what has to be stored and loaded around safepoints, so
// it is linear in the output as well. LIVE_CAP bounds it for absurd input.
#include "irgen/live.h"

#include <string.h>

#define LIVE_CAP (UINT32_C(1) << 24)

typedef struct Pair {
    uint32_t key; // register, later block
    uint32_t value;
} Pair;

// Pairs grouped by key, in order of arrival: those of key k are items[first[k]] to items[first[k + 1]].
typedef struct Groups {
    uint32_t *first;
    uint32_t *items;
} Groups;

typedef VEC(Pair) Pairs;

typedef struct LiveWork {
    Arena *arena;
    const BcModule *m;
    const BcFunc *f;
    const bool *reached;
    Live *live;
    Groups preds;   // of blocks
    Groups exposed; // by register: blocks that use it before they define it
    Groups kills;   // by register: blocks that define it
    Pairs outs;     // (block, register) live out
    // The set while a block is scanned: members in any order, place[reg] = index + 1.
    uint16_t *set;
    uint32_t n_set;
    uint32_t *place;
    uint32_t *writes;  // by register: instructions that write it, parameters included
    uint32_t *stores;  // by register: blocks with calls across which it is live
    uint32_t *counted; // by register: block + 1 that was last counted in stores
} LiveWork;

static Groups groups_make(Arena *arena, const Pairs *pairs, uint32_t n_keys) {
    Groups g = {NEW_ARRAY(arena, uint32_t, (size_t)n_keys + 2), NEW_ARRAY(arena, uint32_t, pairs->n)};
    // first[k + 2] counts key k; after summing, first[k + 1] is where k starts and moves to where it ends.
    for (uint32_t i = 0; i < pairs->n; i++) g.first[pairs->v[i].key + 2]++;
    for (uint32_t k = 0; k <= n_keys; k++) g.first[k + 1] += g.first[k];
    for (uint32_t i = 0; i < pairs->n; i++) g.items[g.first[pairs->v[i].key + 1]++] = pairs->v[i].value;
    return g;
}

static void live_pair(LiveWork *w, Pairs *pairs, uint32_t key, uint32_t value) {
    if (pairs->n >= LIVE_CAP)
        ctx_fail(arena_ctx(w->arena), VTR_ERR_LIMIT, "a function has too many references live at its safepoints");
    vec_push(w->arena, pairs, (Pair){key, value});
}

void live_targets(const BcFunc *f, const BcInst *term, void (*visit)(void *data, uint32_t label), void *data) {
    switch (term->op) {
    case BC_JMP: visit(data, term->x); break;
    case BC_JIF:
        visit(data, term->x);
        visit(data, term->y);
        break;
    case BC_SWITCH:
        visit(data, term->x);
        for (uint32_t k = 0; k < term->n; k++) visit(data, f->cases[term->y + k].label);
        break;
    case BC_BRT:
        visit(data, term->x);
        for (uint32_t k = 0; k < term->n; k++) visit(data, f->labels[term->y + k]);
        break;
    default: break;
    }
}

typedef struct BackEdge {
    uint32_t from;
    bool found;
} BackEdge;

static void back_edge(void *data, uint32_t label) {
    BackEdge *edge = data;
    edge->found |= bc_is_back_edge(edge->from, label);
}

LiveKind live_kind(const BcFunc *f, uint32_t block, const BcInst *inst) {
    switch (inst->op) {
    case BC_CALL:
    case BC_ICALL:
    case BC_ALOC:
    case BC_ARR_NEW: return LIVE_AFTER;
    case BC_JMP:
    case BC_JIF:
    case BC_SWITCH:
    case BC_BRT: {
        BackEdge edge = {block, false};
        live_targets(f, inst, back_edge, &edge);
        return edge.found ? LIVE_BEFORE : LIVE_NOT;
    }
    default: return LIVE_NOT;
    }
}

static bool live_is_ref(const LiveWork *w, uint32_t reg) {
    return reg != BC_NOREG && bc_is_gc_ref(w->m, w->f->regs[reg]);
}

// Visits the reference registers that an instruction reads; returns the one it writes, or BC_NOREG.
static uint32_t live_operands(LiveWork *w, const BcInst *inst, void (*use)(LiveWork *w, uint32_t reg, void *data),
                              void *data) {
    uint32_t def = BC_NOREG;
    uint32_t r = 0;
    for (const char *shape = bc_op(inst->op)->shape; *shape; shape++) {
        if (*shape == 'd' || *shape == 'D') {
            if (live_is_ref(w, inst->r[r])) def = inst->r[r];
            r++;
        } else if (*shape == 's' || *shape == 'S') {
            if (live_is_ref(w, inst->r[r])) use(w, inst->r[r], data);
            r++;
        } else if (*shape == 'a') {
            for (uint32_t k = 0; k < inst->n; k++) {
                uint32_t reg = w->f->args[inst->y + k];
                if (live_is_ref(w, reg)) use(w, reg, data);
            }
        }
    }
    return def;
}

// ---- per block: what it exposes and kills ---------------------------------------------------------------

typedef struct Scan {
    Pairs exposed, kills, preds;
    uint32_t *used;    // by register: block + 1 that last noted an exposed use
    uint32_t *defined; // by register: block + 1 that last noted a definition
    uint32_t block;
} Scan;

static void scan_use(LiveWork *w, uint32_t reg, void *data) {
    Scan *s = data;
    if (s->defined[reg] == s->block + 1 || s->used[reg] == s->block + 1) return;
    s->used[reg] = s->block + 1;
    live_pair(w, &s->exposed, reg, s->block);
}

typedef struct EdgeVisit {
    LiveWork *w;
    Scan *s;
} EdgeVisit;

static void scan_edge(void *data, uint32_t label) {
    EdgeVisit *visit = data;
    vec_push(visit->w->arena, &visit->s->preds, (Pair){label, visit->s->block});
}

static void live_scan(LiveWork *w) {
    const BcFunc *f = w->f;
    Scan s = {.used = NEW_ARRAY(w->arena, uint32_t, f->n_regs), .defined = NEW_ARRAY(w->arena, uint32_t, f->n_regs)};
    for (s.block = 0; s.block < f->n_blocks; s.block++) {
        if (!w->reached[s.block]) continue;
        const BcBlock *block = &f->blocks[s.block];
        for (uint32_t i = 0; i < block->n; i++) {
            const BcInst *inst = &f->insts[block->first + i];
            uint32_t def = live_operands(w, inst, scan_use, &s);
            if (def != BC_NOREG) w->writes[def] += inst->op != BC_K32 && inst->op != BC_KIDX;
            if (def == BC_NOREG || s.defined[def] == s.block + 1) continue;
            s.defined[def] = s.block + 1;
            live_pair(w, &s.kills, def, s.block);
        }
        live_targets(f, &f->insts[block->first + block->n - 1], scan_edge, &(EdgeVisit){w, &s});
    }
    w->exposed = groups_make(w->arena, &s.exposed, f->n_regs);
    w->kills = groups_make(w->arena, &s.kills, f->n_regs);
    w->preds = groups_make(w->arena, &s.preds, f->n_blocks);
}

// ---- per register: where it is live ---------------------------------------------------------------------

typedef struct Search {
    uint32_t *in, *out, *kill; // by block: register + 1 for which it is noted
    VEC(uint32_t) work;
} Search;

static void live_search(LiveWork *w, Search *s, uint32_t reg) {
    for (uint32_t i = w->kills.first[reg]; i < w->kills.first[reg + 1]; i++) s->kill[w->kills.items[i]] = reg + 1;
    for (uint32_t i = w->exposed.first[reg]; i < w->exposed.first[reg + 1]; i++) {
        s->in[w->exposed.items[i]] = reg + 1;
        vec_push(w->arena, &s->work, w->exposed.items[i]);
    }
    while (s->work.n) {
        uint32_t block = vec_last(&s->work);
        s->work.n--;
        for (uint32_t i = w->preds.first[block]; i < w->preds.first[block + 1]; i++) {
            uint32_t pred = w->preds.items[i];
            if (s->out[pred] == reg + 1) continue;
            s->out[pred] = reg + 1;
            live_pair(w, &w->outs, pred, reg);
            if (s->kill[pred] == reg + 1 || s->in[pred] == reg + 1) continue;
            s->in[pred] = reg + 1;
            vec_push(w->arena, &s->work, pred);
        }
    }
}

// ---- per safepoint --------------------------------------------------------------------------------------

static void set_add(LiveWork *w, uint32_t reg, void *data) {
    (void)data;
    if (w->place[reg]) return;
    w->set[w->n_set++] = (uint16_t)reg;
    w->place[reg] = w->n_set;
}

static void set_del(LiveWork *w, uint32_t reg) {
    uint32_t at = w->place[reg];
    if (!at) return;
    uint16_t last = w->set[--w->n_set];
    w->set[at - 1] = last;
    w->place[last] = at;
    w->place[reg] = 0;
}

static void live_record(LiveWork *w, LivePoint *point) {
    Live *live = w->live;
    if (live->regs.n + w->n_set > LIVE_CAP)
        ctx_fail(arena_ctx(w->arena), VTR_ERR_LIMIT, "a function has too many references live at its safepoints");
    *point = (LivePoint){live->regs.n, w->n_set};
    uint16_t *regs = vec_extend(w->arena, &live->regs, w->n_set);
    if (w->n_set) memcpy(regs, w->set, w->n_set * sizeof *regs);
}

static void live_count(LiveWork *w, uint32_t b) {
    for (uint32_t i = 0; i < w->n_set; i++) {
        uint16_t reg = w->set[i];
        if (w->counted[reg] == b + 1) continue;
        w->counted[reg] = b + 1;
        w->stores[reg]++;
    }
}

static void live_block(LiveWork *w, uint32_t b, const Groups *outs) {
    const BcFunc *f = w->f;
    const BcBlock *block = &f->blocks[b];
    uint32_t n_points = 0;
    for (uint32_t i = 0; i < block->n; i++) n_points += live_kind(f, b, &f->insts[block->first + i]) != LIVE_NOT;
    if (!n_points) return;
    (void)vec_extend(w->arena, &w->live->points, n_points);
    LivePoint *point = w->live->points.v + w->live->points.n;
    for (uint32_t i = outs->first[b]; i < outs->first[b + 1]; i++) set_add(w, outs->items[i], NULL);
    for (uint32_t i = block->n; i-- > 0;) {
        const BcInst *inst = &f->insts[block->first + i];
        LiveKind kind = live_kind(f, b, inst);
        uint32_t r = 0;
        for (const char *shape = bc_op(inst->op)->shape; *shape; shape++) {
            if ((*shape == 'd' || *shape == 'D') && live_is_ref(w, inst->r[r])) set_del(w, inst->r[r]);
            r += *shape == 'd' || *shape == 'D' || *shape == 's' || *shape == 'S';
        }
        if (kind == LIVE_AFTER) {
            live_record(w, --point);
            live_count(w, b);
        }
        live_operands(w, inst, set_add, NULL);
        if (kind == LIVE_BEFORE) live_record(w, --point);
    }
    while (w->n_set) set_del(w, w->set[w->n_set - 1]);
}

const Live *live_refs(Arena *arena, const BcModule *m, const BcFunc *f, const bool *reached) {
    bool any = false;
    for (uint32_t r = 0; r < f->n_regs && !any; r++) any = bc_is_gc_ref(m, f->regs[r]);
    if (!any) return NULL;
    LiveWork w = {.arena = arena, .m = m, .f = f, .reached = reached, .live = NEW(arena, Live)};
    w.set = NEW_ARRAY(arena, uint16_t, f->n_regs);
    w.place = NEW_ARRAY(arena, uint32_t, f->n_regs);
    w.writes = NEW_ARRAY(arena, uint32_t, f->n_regs);
    w.stores = NEW_ARRAY(arena, uint32_t, f->n_regs);
    w.counted = NEW_ARRAY(arena, uint32_t, f->n_regs);
    live_scan(&w);
    Search s = {NEW_ARRAY(arena, uint32_t, f->n_blocks),
                NEW_ARRAY(arena, uint32_t, f->n_blocks),
                NEW_ARRAY(arena, uint32_t, f->n_blocks),
                {0}};
    for (uint32_t reg = 0; reg < f->n_regs; reg++) {
        live_search(&w, &s, reg);
        if (reg < f->n_params && s.in[0] == reg + 1) set_add(&w, reg, NULL);
    }
    live_record(&w, vec_extend(arena, &w.live->points, 1)); // function entry
    while (w.n_set) set_del(&w, w.set[w.n_set - 1]);
    Groups outs = groups_make(arena, &w.outs, f->n_blocks);
    for (uint32_t b = 0; b < f->n_blocks; b++)
        if (reached[b]) live_block(&w, b, &outs);
    w.live->at_writes = NEW_ARRAY(arena, bool, f->n_regs);
    for (uint32_t reg = 0; reg < f->n_regs; reg++)
        w.live->at_writes[reg] = w.stores[reg] && w.writes[reg] + (reg < f->n_params) <= w.stores[reg];
    return w.live;
}
