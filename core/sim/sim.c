// The machine itself: its memory, the loop that runs it, and calls into it. sim.h has the theory.
#include "sim/sim.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/internal.h"
#include "sim/ops.h"

// ---- making and freeing --------------------------------------------------------------------------

static size_t whole_pages(size_t n) { return (n + 0xffff) & ~(size_t)0xffff; }

static void destroy(void *data) {
    Sim *sim = data;
    if (sim->memory) munmap(sim->memory, sim->size);
    sim->memory = NULL;
}

static void map_memory(Sim *sim, size_t stack) {
    size_t kept = whole_pages(CACHE_INSTS * sizeof(SimKept));
    size_t heads = whole_pages(CACHE_HEADS * sizeof(uint32_t));
    sim->size = STACK_GUARD + stack + kept + heads;
    void *memory = mmap(NULL, sim->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        ctx_fail(sim->ctx, VTR_ERR_SYSTEM, "%zu bytes for a simulated machine: %s", sim->size, strerror(errno));
    sim->memory = memory;
    sim->stack_low = sim->memory + STACK_GUARD;
    sim->stack_top = sim->stack_low + stack;
    if (mprotect(sim->stack_low, sim->size - STACK_GUARD, PROT_READ | PROT_WRITE) != 0)
        ctx_fail(sim->ctx, VTR_ERR_SYSTEM, "%zu bytes for a simulated machine: %s", sim->size, strerror(errno));
    sim->cache.kept = (SimKept *)(void *)sim->stack_top;
    sim->cache.heads = (uint32_t *)(void *)(sim->stack_top + kept);
}

Sim *sim_new(Arena *arena, const Target *target, const SimOptions *options) {
    Ctx *ctx = arena_ctx(arena);
    SimOptions chosen = options ? *options : (SimOptions){0};
    const uint16_t order = 1;
    if (!target->sim || !target->decode || target->word_bits != 64 || target->sp == NO_REG || !*(const uint8_t *)&order)
        ctx_fail(ctx, VTR_ERR_UNSUPPORTED, "%s cannot be simulated here", target->name);
    Sim *sim = NEW(arena, Sim);
    sim->ctx = ctx;
    sim->arena = arena;
    sim->target = target;
    sim->features = chosen.features;
    sim->left = sim->fuel = chosen.fuel ? chosen.fuel : UINT64_MAX;
    arena_on_free(arena, destroy, sim);
    map_memory(sim, whole_pages(chosen.stack ? chosen.stack : STACK_DEFAULT));
    sim->s.r[target->sp].w[0] = (uint64_t)(uintptr_t)sim->stack_top;
    Sig none = {.conv = CC_SYSTEM_V, .declared = true};
    sim_host(sim, &none, NULL, NULL); // number 0: where calls return to
    return sim;
}

void sim_free(Sim *sim) {
    if (sim) destroy(sim);
}

// ---- running -------------------------------------------------------------------------------------

// Runs until the return of the outermost function or something that only the caller can deal with, which is in
// s.event; s.pc is then where it happened.
static void run(Sim *sim) {
    SimState *s = &sim->s;
    SimKept *at = NULL;
    uint64_t left = sim->left;
    for (;;) {
        if (!at && !(at = sim_fetch(sim))) break;
        if (left == 0) {
            s->event = SIM_FUEL;
            break;
        }
        left--;
        const SimInst *inst = &at->inst;
        s->pc = inst->next;
        inst->run(s, inst);
        if (s->event) {
            uint32_t host = s->event == SIM_TRAP ? sim_host_at(sim, inst->pc) : UINT32_MAX;
            if (s->event != SIM_BREAK) s->pc = inst->pc;
            if (host == UINT32_MAX) break;
            s->event = SIM_NONE;
            if (host == 0) break;
            sim->left = left;
            sim_host_call(sim, host);
            left = sim->left;
            at = NULL;
            continue;
        }
        SimKept **next = s->pc == inst->next ? &at->follow : &at->jump;
        if (!*next || (*next)->inst.pc != s->pc) {
            uint32_t n = sim->cache.n;
            SimKept *found = sim_fetch(sim);
            // Had the cache been emptied for it, `at` would be gone.
            if (found && sim->cache.n >= n) *next = found;
            at = found;
            if (!at) break;
        } else {
            at = *next;
        }
    }
    sim->left = left;
}

uint64_t sim_mark(const Sim *sim) { return sim->s.r[sim->target->sp].w[0]; }
void sim_rewind(Sim *sim, uint64_t mark) { sim->s.r[sim->target->sp].w[0] = mark; }

// Makes room on the stack and puts the arguments where `place` says. Returns the address of the return area.
static uint64_t put_args(Sim *sim, const AbiSig *place, const Sig *sig, const uint64_t *args) {
    const Abi *abi = place->abi;
    uint64_t *sp = &sim->s.r[sim->target->sp].w[0];
    uint64_t align = abi->stack_align ? abi->stack_align : 16;
    *sp = (*sp - abi->red_zone - place->area_size) & ~(align - 1);
    uint64_t back = *sp;
    *sp = (*sp - place->stack_size) & ~(align - 1);
    uint64_t area = *sp;
    if (place->area_size) {
        if (place->area.reg != NO_REG) sim_set_value(sim, place->area.reg, (Type)place->area.type, back);
        else sim_store(area + place->area.offset, back, 8);
    }
    for (uint32_t k = 0; k < sig->n_params; k++) {
        const AbiLoc *loc = &place->params[k];
        if (loc->copy) memcpy((void *)(uintptr_t)(area + loc->offset), (const void *)(uintptr_t)args[k], loc->copy);
        else if (loc->reg != NO_REG) sim_set_value(sim, loc->reg, (Type)loc->type, args[k]);
        else sim_store(area + loc->offset, args[k], 8);
    }
    return back;
}

static void set_return_address(Sim *sim, const Abi *abi) {
    uint64_t to = (uint64_t)(uintptr_t)sim_host_cell(sim, 0);
    uint64_t *sp = &sim->s.r[sim->target->sp].w[0];
    if (abi->link != NO_REG) {
        sim->s.r[abi->link].w[0] = to;
        return;
    }
    *sp -= 8;
    sim_store(*sp, to, 8);
}

bool sim_call(Sim *sim, const void *fn, const Sig *sig, const uint64_t *args, uint64_t *results, SimStop *stop) {
    SimState *s = &sim->s;
    Arena *tmp = arena_new(sim->ctx);
    AbiSig place = abi_place(tmp, sim->target, sig);
    uint64_t sp = sim_mark(sim);
    s->event = SIM_NONE;
    uint64_t back = put_args(sim, &place, sig, args);
    set_return_address(sim, place.abi);
    s->pc = (uint64_t)(uintptr_t)fn;
    run(sim);
    bool returned = s->event == SIM_NONE;
    *stop = (SimStop){(SimEvent)s->event, s->code, (const void *)(uintptr_t)s->pc};
    for (uint32_t k = 0; k < sig->n_results && returned; k++) {
        const AbiLoc *loc = &place.results[k];
        results[k] = loc->reg != NO_REG ? sim_get_value(sim, loc->reg, (Type)loc->type)
                                        : sim_load(back + loc->offset, type_bytes((Type)loc->type));
    }
    sim_rewind(sim, sp);
    arena_free(tmp);
    return returned;
}

const void *sim_stack_low(const Sim *sim) { return sim->stack_low; }
uint64_t sim_instructions(const Sim *sim) { return sim->fuel - sim->left; }

const char *sim_event_text(SimEvent event) {
    static const char *const texts[N_SIM_EVENTS] = {
        [SIM_NONE] = "returned",
        [SIM_TRAP] = "trapping instruction",
        [SIM_BREAK] = "breakpoint",
        [SIM_FAULT] = "fault",
        [SIM_UNDEFINED] = "undefined instruction",
        [SIM_MISALIGNED] = "misaligned program counter",
        [SIM_NO_CODE] = "program counter outside of the code",
        [SIM_UNDEFINED_FLAG] = "an undefined flag was read",
        [SIM_FUEL] = "the limit of instructions was reached",
    };
    return event < N_SIM_EVENTS ? texts[event] : "?";
}
