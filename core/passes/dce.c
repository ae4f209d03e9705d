// Dead code: instructions without effect whose results nobody needs, and block parameters nobody reads.
//
// Mark and sweep. Marking starts at instructions that must stay (effects, stores, traps, terminators) and follows
// operands; an argument of a block call is needed only if the parameter it is for is. So a loop-carried value that
// only feeds itself dies.
#include "passes/pipeline.h"

#include "passes/edit.h"
#include "support/bits.h"

typedef struct Dce {
    Func *f;
    Arena *arena;
    Bits live; // values
    VEC(uint32_t) work;
    // For each block, the block calls that lead there: a linked list through `next_call`.
    uint32_t *first_call;
    uint32_t *next_call;
} Dce;

static void need(Dce *d, Value v) {
    v = func_value(d->f, v);
    if (bits_has(d->live, v.i)) return;
    bits_add(d->live, v.i);
    vec_push(d->arena, &d->work, v.i);
}

static void need_list(Dce *d, ValueList list) {
    for (uint32_t k = 0; k < list.n; k++) need(d, list_get(d->f, list, k));
}

static void index_calls(Dce *d) {
    Func *f = d->f;
    d->first_call = all_none(d->arena, f->blocks.n);
    d->next_call = NEW_ARRAY(d->arena, uint32_t, f->calls.n);
    FUNC_BLOCKS(b, f) {
        const InstData *last = inst_get(f, block_get(f, b)->last);
        for (uint32_t k = 0; k < last->n_targets; k++) {
            uint32_t call = last->targets + k;
            uint32_t to = f->calls.v[call].block.i;
            d->next_call[call] = d->first_call[to];
            d->first_call[to] = call;
        }
    }
}

static void mark(Dce *d) {
    Func *f = d->f;
    FUNC_BLOCKS(b, f) {
        BLOCK_INSTS(i, f, b) {
            if (inst_must_stay(f, i)) need_list(d, inst_get(f, i)->args);
        }
    }
    Block entry = f->first;
    need_list(d, block_get(f, entry)->params);
    while (d->work.n) {
        Value v = {d->work.v[--d->work.n]};
        const ValueData *value = &f->values.v[v.i];
        if (value->kind == VALUE_RESULT) {
            need_list(d, f->insts.v[value->owner].args);
            continue;
        }
        for (uint32_t c = d->first_call[value->owner]; c != NONE; c = d->next_call[c])
            need(d, list_get(f, f->calls.v[c].args, value->num));
    }
}

static bool any_live(const Dce *d, ValueList list) {
    for (uint32_t k = 0; k < list.n; k++) {
        if (bits_has(d->live, d->f->pool.v[list.at + k])) return true;
    }
    return false;
}

// Keeps the elements of `list` (in place) whose counterpart in `params` is live.
static void keep_live(Dce *d, ValueList *list, ValueList params) {
    uint32_t n = 0;
    uint32_t *pool = d->f->pool.v;
    for (uint32_t k = 0; k < list->n; k++) {
        if (bits_has(d->live, pool[params.at + k])) pool[list->at + n++] = pool[list->at + k];
    }
    list->n = n;
}

static void sweep_params(Dce *d) {
    Func *f = d->f;
    FUNC_BLOCKS(b, f) {
        ValueList params = block_get(f, b)->params;
        if (b.i == f->first.i || params.n == 0) continue;
        for (uint32_t c = d->first_call[b.i]; c != NONE; c = d->next_call[c]) keep_live(d, &f->calls.v[c].args, params);
    }
    FUNC_BLOCKS(b, f) {
        if (b.i == f->first.i) continue;
        ValueList *params = &block_get(f, b)->params;
        uint32_t n = 0;
        for (uint32_t k = 0; k < params->n; k++) {
            uint32_t v = f->pool.v[params->at + k];
            if (!bits_has(d->live, v)) continue;
            f->values.v[v].num = (uint16_t)n;
            f->pool.v[params->at + n++] = v;
        }
        params->n = n;
    }
}

// Requires verified SSA. Makes every remaining pure instruction and block parameter used. Breaks nothing.
void pass_dce(Pass *p) {
    Func *f = p->f;
    if (!pass_burn(p)) return; // all or nothing: what dies together must go together
    Dce d = {.f = f, .arena = p->arena, .live = bits_new(p->arena, f->values.n)};
    index_calls(&d);
    mark(&d);
    FUNC_BLOCKS(b, f) {
        for (Inst i = block_get(f, b)->first, next; inst_ok(i); i = next) {
            next = inst_get(f, i)->next;
            if (inst_must_stay(f, i) || any_live(&d, inst_get(f, i)->results)) continue;
            inst_remove(f, i);
        }
    }
    sweep_params(&d);
}
