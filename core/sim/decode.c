// Decoded instructions, kept by address.
//
// Theory. A pool of instructions in the order they were first met, and a hash table from address to number in the
// pool. Most transfers need no look-up: each instruction remembers the one behind it and the one it last jumped to,
// both checked against pc before use. When the pool is full, or code goes away, everything is forgotten.
#include <string.h>

#include "sim/internal.h"

enum { MAX_BYTES = 16 };

void sim_operands(const Target *t, uint16_t mop, const MOpnd *slots, SimInst *inst) {
    unsigned n = t->insts[mop].n_slots;
    inst->mop = mop;
    inst->run = t->sim[mop];
    for (unsigned k = 0; k < n && k < SIM_SLOTS; k++) {
        const MOpnd *o = &slots[k];
        inst->a[k] = o->kind == MO_PREG ? o->preg : o->imm;
        bool written = o->kind == MO_PREG && (o->role == ROLE_DEF || o->role == ROLE_DEF_EARLY);
        if (written && o->preg < SIM_SINK && regset_has(t->zero, o->preg)) inst->a[k] = SIM_SINK;
    }
}

static SimEvent decode(const Target *t, const uint8_t *bytes, size_t n, uint64_t pc, uint64_t features, SimInst *inst) {
    MOpnd slots[16];
    uint16_t mop;
    if (pc % t->code_align) return SIM_MISALIGNED;
    unsigned size = t->decode(bytes, n < MAX_BYTES ? n : MAX_BYTES, &mop, slots);
    if (!size || !t->sim[mop] || (t->insts[mop].features & ~features)) return SIM_UNDEFINED;
    sim_operands(t, mop, slots, inst);
    inst->pc = pc;
    inst->next = pc + size;
    return SIM_NONE;
}

// ---- ranges of code ------------------------------------------------------------------------------

// The number of the first range that starts after `at`.
static uint32_t range_after(const Sim *sim, uint64_t at) {
    uint32_t low = 0;
    uint32_t high = sim->ranges.n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (sim->ranges.v[mid].at <= at) low = mid + 1;
        else high = mid;
    }
    return low;
}

void sim_reserve_code(Sim *sim) { vec_reserve(sim->arena, &sim->ranges, 1); }

void sim_add_code(Sim *sim, const void *at, size_t n) {
    SimRange range = {(uint64_t)(uintptr_t)at, n};
    sim_reserve_code(sim);
    uint32_t k = range_after(sim, range.at);
    memmove(sim->ranges.v + k + 1, sim->ranges.v + k, (sim->ranges.n - k) * sizeof range);
    sim->ranges.v[k] = range;
    sim->ranges.n++;
}

static void forget(Sim *sim) {
    if (!sim->cache.n) return;
    sim->cache.n = 0;
    memset(sim->cache.heads, 0, CACHE_HEADS * sizeof *sim->cache.heads);
}

void sim_remove_code(Sim *sim, const void *at, size_t n) {
    uint64_t from = (uint64_t)(uintptr_t)at;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < sim->ranges.n; k++)
        if (sim->ranges.v[k].at - from >= n) sim->ranges.v[kept++] = sim->ranges.v[k];
    sim->ranges.n = kept;
    forget(sim);
}

// ---- the cache -----------------------------------------------------------------------------------

static uint32_t hash(uint64_t pc) { return (uint32_t)((pc * UINT64_C(0x9e3779b97f4a7c15)) >> 40); }

static SimKept *decode_new(Sim *sim, uint32_t *head) {
    uint64_t pc = sim->s.pc;
    uint32_t k = range_after(sim, pc);
    uint64_t in = k ? pc - sim->ranges.v[k - 1].at : 0;
    if (!k || in >= sim->ranges.v[k - 1].n) {
        sim->s.event = SIM_NO_CODE;
        return NULL;
    }
    if (sim->cache.n == CACHE_INSTS) forget(sim);
    SimKept *kept = &sim->cache.kept[sim->cache.n];
    memset(kept, 0, sizeof *kept);
    sim->s.event = (uint8_t)decode(sim->target, (const uint8_t *)(uintptr_t)pc, sim->ranges.v[k - 1].n - in, pc,
                                   sim->features, &kept->inst);
    if (sim->s.event) return NULL;
    *head = ++sim->cache.n;
    return kept;
}

SimKept *sim_fetch(Sim *sim) {
    const SimCache *cache = &sim->cache;
    uint32_t first = hash(sim->s.pc);
    uint32_t *free = NULL;
    for (uint32_t k = 0; k < CACHE_PROBES; k++) {
        uint32_t *head = &cache->heads[(first + k) % CACHE_HEADS];
        if (*head && cache->kept[*head - 1].inst.pc == sim->s.pc) return &cache->kept[*head - 1];
        if (*head) continue;
        free = head;
        break;
    }
    return decode_new(sim, free ? free : &cache->heads[first % CACHE_HEADS]);
}

// ---- one instruction -----------------------------------------------------------------------------

SimEvent sim_step(const Target *target, SimState *s, const uint8_t *bytes, size_t n, uint64_t features) {
    SimInst inst;
    memset(&inst, 0, sizeof inst);
    s->code = 0;
    s->unknown = (RegSet){{0, 0}};
    s->event = target->sim ? (uint8_t)decode(target, bytes, n, s->pc, features, &inst) : SIM_UNDEFINED;
    if (s->event) return (SimEvent)s->event;
    s->pc = inst.next;
    inst.run(s, &inst);
    if (s->event && s->event != SIM_BREAK) s->pc = inst.pc;
    return (SimEvent)s->event;
}
