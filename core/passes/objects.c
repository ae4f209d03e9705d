// Objects: references that come back from a safepoint.
//
// A reference that is live across a safepoint is stored in a slot that the call's stack map lists, and loaded again
// after it. A collector may have moved the object, so the loaded value is another one; but it is the same object: null
// stays null, and what never changes in it (`readonly`) reads the same at the new place. So in
//
//     block1(v1: i64):                        v1: the array at the loop's head
//         trapz v1, user4
//         v2 = load.i32 notrap readonly v1-4
//         brif v9, block2, block3(v1)
//     block2:
//         store v1, v3                        v3 = stack_addr ss0
//         call fn0(), stack_map=[i64 @ ss0+0]
//         v4 = load.i64 v3                    the same object as v1
//         jump block3(v4)
//     block3(v5: i64):                        v1 or v4: the same object as v1
//         jump block1(v5)                     and v1 is the object that the loop began with
//
// the null check and the length of the array are those of the first round.
//
// Theory. Within a block, a load from a slot is a copy of what the slot was given last. Then a parameter that only ever
// receives one object, or itself, is that object: the rule for redundant phis (Braun et al., "Simple and Efficient
// Construction of Static Single Assignment Form", CC 2013), with `is the same object` in place of `is the same value`.
// What arrives on every edge dominates the end of each predecessor, hence the block. Sweeps go backwards first: inner
// loops, which turn in themselves, are looked at before the loops around them.
//
// A slot counts only while nobody but the collector can write to it behind our back: each use of its address is as the
// address of a load or a store of a whole reference.
#include "passes/objects.h"

#include "support/bits.h"

typedef struct Slots {
    const Func *f;
    Bits addresses;    // values that are addresses in slots
    Bits held;         // slots that hold references only
    uint32_t *content; // by slot: the value in it,
    Block *known_in;   // in this block
} Slots;

Value object_of(const Objects *objects, Value v) {
    v = func_value(objects->f, v);
    while (v.i < objects->n && objects->same[v.i] != v.i) v = func_value(objects->f, (Value){objects->same[v.i]});
    return v;
}

// ---- slots that hold references ------------------------------------------------------------------

// The slot whose first byte v is the address of, or NONE.
static uint32_t slot_at(const Func *f, Value v) {
    Inst def = value_def(f, v);
    if (!inst_ok(def) || inst_get(f, def)->op != OP_stack_addr || inst_get(f, def)->imm) return NONE;
    return inst_get(f, def)->ref;
}

// An operand that is an address in a slot, used so (`type` of the value there, or T_none): is the slot still our own?
static void look_at_use(Slots *s, uint32_t raw, const InstData *inst, Type type) {
    const Func *f = s->f;
    Value v = {raw};
    if (f->values.v[raw].kind == VALUE_ALIAS) v = func_value(f, v);
    if (!bits_has(s->addresses, v.i)) return;
    bool whole = type == T_i64 && inst->imm == 0 && !(inst->memflags & MF_BIG) && slot_at(f, v) != NONE;
    if (!whole) bits_del(s->held, inst_get(f, value_def(f, v))->ref);
}

static void drop_escaping(Slots *s, Inst i) {
    const Func *f = s->f;
    const InstData *inst = inst_get(f, i);
    for (uint32_t k = 0; k < inst->args.n; k++) {
        Type type = T_none;
        if (inst->op == OP_load) type = value_type(f, inst_result(f, i, 0));
        else if (inst->op == OP_store && k == 1) type = value_type(f, list_get(f, inst->args, 0));
        look_at_use(s, f->pool.v[inst->args.at + k], inst, type);
    }
    for (uint32_t t = 0; t < inst->n_targets; t++) {
        ValueList args = f->calls.v[inst->targets + t].args;
        for (uint32_t k = 0; k < args.n; k++) look_at_use(s, f->pool.v[args.at + k], inst, T_none);
    }
}

static void mark_addresses(Slots *s, Block b) {
    BLOCK_INSTS(i, s->f, b) {
        if (inst_get(s->f, i)->op == OP_stack_addr) bits_add(s->addresses, inst_result(s->f, i, 0).i);
    }
}

static Slots find_slots(Arena *arena, const Func *f, const Cfg *cfg) {
    Slots s = {.f = f, .held = bits_new(arena, f->slots.n), .addresses = bits_new(arena, f->values.n)};
    s.known_in = NEW_ARRAY(arena, Block, f->slots.n);
    s.content = NEW_ARRAY(arena, uint32_t, f->slots.n);
    for (uint32_t k = 0; k < f->slots.n; k++) s.known_in[k] = NO_BLOCK;
    for (uint32_t k = 0; k < f->map_entries.n; k++) bits_add(s.held, f->map_entries.v[k].slot);
    for (uint32_t k = 0; k < f->map_entries.n; k++) {
        const StackMapEntry *e = &f->map_entries.v[k];
        if (e->type != T_i64 || e->offset || f->slots.v[e->slot].size != 8) bits_del(s.held, e->slot);
    }
    for (uint32_t k = 0; k < cfg->n_rpo; k++) mark_addresses(&s, cfg->rpo[k]);
    for (uint32_t k = 0; k < cfg->n_rpo; k++) {
        BLOCK_INSTS(i, f, cfg->rpo[k]) drop_escaping(&s, i);
    }
    return s;
}

// ---- copies --------------------------------------------------------------------------------------

static void find_reloads(Slots *s, uint32_t *same, Block b) {
    const Func *f = s->f;
    BLOCK_INSTS(i, f, b) {
        const InstData *inst = inst_get(f, i);
        if (inst->op != OP_load && inst->op != OP_store) continue;
        uint32_t slot = slot_at(f, inst_arg(f, i, inst->op == OP_store));
        if (slot == NONE || !bits_has(s->held, slot)) continue;
        if (inst->op == OP_store) {
            s->content[slot] = inst_arg(f, i, 0).i;
            s->known_in[slot] = b;
        } else if (block_eq(s->known_in[slot], b)) {
            same[inst_result(f, i, 0).i] = s->content[slot];
        }
    }
}

// Paths are halved on the way, so that long chains of safepoints are walked once.
static uint32_t root(const Func *f, uint32_t *same, Value v) {
    uint32_t at = func_value(f, v).i;
    while (same[at] != at) {
        uint32_t up = func_value(f, (Value){same[at]}).i;
        same[at] = same[up];
        at = func_value(f, (Value){same[up]}).i;
    }
    return at;
}

// A parameter of b that always receives one object is that object.
static void merge_params(const Func *f, const Cfg *cfg, uint32_t *same, Block b) {
    ValueList params = block_get(f, b)->params;
    for (uint32_t k = 0; k < params.n; k++) {
        uint32_t param = block_param(f, b, k).i;
        if (same[param] != param || f->values.v[param].type != T_i64) continue;
        uint32_t arrives = NONE;
        uint32_t e = cfg->pred_at[b.i];
        for (; e < cfg->pred_at[b.i + 1]; e++) {
            uint32_t from = root(f, same, list_get(f, f->calls.v[cfg->preds[e].target].args, k));
            if (from == param) continue;
            if (arrives != NONE && arrives != from) break;
            arrives = from;
        }
        if (e == cfg->pred_at[b.i + 1] && arrives != NONE) same[param] = arrives;
    }
}

Objects objects_find(Arena *arena, const Func *f, const Cfg *cfg) {
    Objects objects = {.f = f};
    if (!f->map_entries.n) return objects;
    Slots s = find_slots(arena, f, cfg);
    uint32_t *same = NEW_ARRAY(arena, uint32_t, f->values.n);
    for (uint32_t v = 0; v < f->values.n; v++) same[v] = v;
    for (uint32_t k = 0; k < cfg->n_rpo; k++) find_reloads(&s, same, cfg->rpo[k]);
    for (uint32_t k = cfg->n_rpo; k-- > 1;) merge_params(f, cfg, same, cfg->rpo[k]);
    for (uint32_t k = 1; k < cfg->n_rpo; k++) merge_params(f, cfg, same, cfg->rpo[k]);
    for (uint32_t k = cfg->n_rpo; k-- > 1;) merge_params(f, cfg, same, cfg->rpo[k]);
    for (uint32_t v = 0; v < f->values.n; v++) same[v] = root(f, same, (Value){v});
    objects.same = same;
    objects.n = f->values.n;
    return objects;
}
