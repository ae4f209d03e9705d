// Spill slots: values whose lifetimes do not overlap share one.
//
// A value's slot is taken from its first to its last position, holes included. Slots are handed out by start, so the
// ones that are free again wait in a heap by the position where they became free. A value whose lifetime follows that
// of one it is moved from or to (a parameter and its argument) prefers that one's slot: the move between them is then
// none.
#include <stdlib.h>

#include "regalloc/speed.h"

enum { MAX_SIZES = 8 };

typedef struct Heap {
    unsigned size; // bytes of the slots
    Queue free;    // slots by the position where they are free again
} Heap;

typedef struct Slots {
    Speed *s;
    Heap heaps[MAX_SIZES];
    VEC(uint32_t) ends; // by slot, counted from the first of ours: where it is free again
    uint32_t base;
} Slots;

// The slot of a partner, if it is free at `from`.
static uint32_t preferred(const Slots *slots, const Val *v, uint32_t from, unsigned size) {
    const Speed *s = slots->s;
    for (uint32_t k = v->hints; k < v->hints + v->n_hints && k < v->hints + 8; k++) {
        if (s->hints[k].val == NONE) continue;
        uint32_t slot = s->vals.v[s->hints[k].val].slot;
        if (slot == NONE || slots->ends.v[slot - slots->base] > from || s->m->slots.v[slot].size != size) continue;
        return slot;
    }
    return NONE;
}

static Heap *heap_of(Slots *slots, unsigned size) {
    unsigned k = 0;
    while (slots->heaps[k].size && slots->heaps[k].size != size && k + 1 < MAX_SIZES) k++;
    slots->heaps[k].size = size;
    return &slots->heaps[k];
}

static void assign(Slots *slots, uint32_t val) {
    Speed *s = slots->s;
    Val *v = &s->vals.v[val];
    uint32_t from = s->ranges.v[v->ranges].from;
    uint32_t to = s->ranges.v[v->ranges + v->n_ranges - 1].to;
    unsigned size = ra_slot_size(s->ra, val);
    Heap *heap = heap_of(slots, size);
    uint32_t slot = preferred(slots, v, from, size);
    while (slot == NONE && heap->free.v.n && heap->free.v.v[0].key <= from) {
        Queued top = queue_pop(&heap->free);
        // Entries of slots that were taken as somebody's preferred one are out of date.
        if (slots->ends.v[top.item - slots->base] == top.key) slot = top.item;
    }
    if (slot == NONE) {
        slot = ra_new_slot(s->ra, size);
        vec_push(s->tmp, &slots->ends, 0);
    }
    v->slot = slot;
    slots->ends.v[slot - slots->base] = to;
    queue_push(s->tmp, &heap->free, to, slot);
}

static int compare_keys(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x;
    uint64_t b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

void speed_assign_slots(Speed *s) {
    Slots *slots = NEW(s->tmp, Slots);
    slots->s = s;
    slots->base = s->m->slots.n;
    VEC(uint64_t) keys = {0};
    for (uint32_t v = 0; v < s->m->vregs.n; v++) {
        const Val *val = &s->vals.v[v];
        if (!val->in_slot || val->remat) continue;
        vec_push(s->tmp, &keys, (uint64_t)s->ranges.v[val->ranges].from << 32 | v);
    }
    if (keys.n) qsort(keys.v, keys.n, sizeof *keys.v, compare_keys);
    for (uint32_t k = 0; k < keys.n; k++) assign(slots, (uint32_t)keys.v[k]);
}
