// Host functions: their guest addresses, and values on their way between the machine and C.
#include <string.h>

#include "emit/mach.h"
#include "sim/internal.h"
#include "sim/ops.h"

// ---- guest addresses -----------------------------------------------------------------------------

void *sim_host_cell(const Sim *sim, uint32_t number) {
    return sim->chunks.v[number / HOST_CHUNK] + (size_t)HOST_CELL * (number % HOST_CHUNK);
}

uint32_t sim_host_at(const Sim *sim, uint64_t pc) {
    for (uint32_t k = 0; k < sim->chunks.n; k++) {
        uint64_t in = pc - (uint64_t)(uintptr_t)sim->chunks.v[k];
        if (in < (uint64_t)HOST_CHUNK * HOST_CELL && in % HOST_CELL == 0)
            return k * HOST_CHUNK + (uint32_t)(in / HOST_CELL);
    }
    return UINT32_MAX;
}

static void add_chunk(Sim *sim) {
    const Target *t = sim->target;
    Encoded code;
    Mach trap = mach_plain(t->op_trap);
    memset(&code, 0, sizeof code);
    if (t->op_trap == NO_MOP || !t->encode(trap.mop, trap.slots, sim->features, &code) || code.n > HOST_CELL)
        ctx_fail(sim->ctx, VTR_ERR_UNSUPPORTED, "%s has no trapping instruction", t->name);
    // One spare cell, so that the first can be put at a multiple of its size.
    uint8_t *memory = arena_alloc(sim->arena, (HOST_CHUNK + 1) * (size_t)HOST_CELL);
    memory += (HOST_CELL - (uintptr_t)memory % HOST_CELL) % HOST_CELL;
    for (unsigned k = 0; k < HOST_CHUNK; k++) memcpy(memory + (size_t)HOST_CELL * k, code.bytes, code.n);
    sim_add_code(sim, memory, (size_t)HOST_CHUNK * HOST_CELL);
    vec_push(sim->arena, &sim->chunks, memory);
}

void *sim_host(Sim *sim, const Sig *sig, SimHost *function, void *ctx) {
    SimHostFn host = {.function = function, .ctx = ctx, .sig = sig_copy(sim->arena, sig)};
    host.place = abi_place(sim->arena, sim->target, &host.sig);
    uint32_t number = sim->hosts.n;
    if (number / HOST_CHUNK == sim->chunks.n) add_chunk(sim);
    vec_push(sim->arena, &sim->hosts, host);
    return sim_host_cell(sim, number);
}

// ---- values --------------------------------------------------------------------------------------

uint64_t sim_get_value(const Sim *sim, unsigned reg, Type type) {
    return bit_zext(sim->s.r[reg].w[0], type_bits(type));
}

// As a load of that type fills the register: what the machine has above a narrow value is the description's business.
void sim_set_value(Sim *sim, unsigned reg, Type type, uint64_t bits) {
    const Target *t = sim->target;
    unsigned cls = t->type_class[type];
    if (!regset_has(t->classes[cls].regs, reg)) cls = mach_reg_class(t, reg);
    Mach load = mach_load(t, cls, type_bytes(type), reg, SIM_SINK, 0);
    SimInst inst;
    uint64_t word = bits;
    memset(&inst, 0, sizeof inst);
    sim_operands(t, load.mop, load.slots, &inst);
    sim->s.r[SIM_SINK].w[0] = (uint64_t)(uintptr_t)&word;
    if (!inst.run) ctx_bug(sim->ctx, "%s: no load for %s", t->name, type_name(type));
    inst.run(&sim->s, &inst);
}

// Where a callee finds its stack arguments, from its stack pointer at entry.
static uint64_t arg_area(const Sim *sim, const Abi *abi) {
    uint64_t sp = sim->s.r[sim->target->sp].w[0];
    return abi->link == NO_REG ? sp + sim->target->word_bits / 8 : sp;
}

// ---- a call --------------------------------------------------------------------------------------

static uint64_t argument(const Sim *sim, const AbiLoc *loc, uint64_t area) {
    if (loc->copy) return area + loc->offset;
    if (loc->reg != NO_REG) return sim_get_value(sim, loc->reg, (Type)loc->type);
    return sim_load(area + loc->offset, type_bytes((Type)loc->type));
}

// A function of the host keeps nothing that the convention lets it change: whoever relies on it shall notice.
static void clobber(Sim *sim, const Abi *abi) {
    const Target *t = sim->target;
    for (unsigned reg = 0; reg < t->n_regs; reg++) {
        if (!regset_has(abi->clobbered, reg) || regset_has(t->zero, reg) || reg == t->sp) continue;
        sim->s.r[reg].w[0] = reg == t->flags ? 0 : UINT64_C(0xc10bbe4edc10bbe4) + reg;
        sim->s.r[reg].w[1] = reg == t->flags ? UINT32_MAX : sim->s.r[reg].w[0];
    }
}

static void go_back(Sim *sim, const AbiSig *place) {
    const Target *t = sim->target;
    SimState *s = &sim->s;
    unsigned word = t->word_bits / 8;
    if (place->abi->link == NO_REG) {
        s->pc = sim_load(s->r[t->sp].w[0], word);
        s->r[t->sp].w[0] += word;
    } else {
        s->pc = s->r[place->abi->link].w[0];
    }
    if (place->abi->callee_pops) s->r[t->sp].w[0] += place->stack_size;
}

static void put_results(Sim *sim, const SimHostFn *host, uint64_t area, const uint64_t *args, const uint64_t *results) {
    const AbiSig *place = &host->place;
    for (uint32_t k = 0; k < host->sig.n_results; k++) {
        const AbiLoc *loc = &place->results[k];
        if (loc->reg != NO_REG) sim_set_value(sim, loc->reg, (Type)loc->type, results[k]);
        else sim_store(area + loc->offset, results[k], type_bytes((Type)loc->type));
    }
    for (uint32_t k = 0; k < host->sig.n_params; k++)
        if (host->sig.params[k].purpose == PURPOSE_SRET && place->abi->sret_result != NO_REG)
            sim_set_value(sim, place->abi->sret_result, target_ptr_type(sim->target), args[k]);
}

enum { FEW = 32 };

void sim_host_call(Sim *sim, uint32_t number) {
    const SimHostFn host = sim->hosts.v[number]; // a callback may register more
    uint32_t n = host.sig.n_params + host.sig.n_results;
    uint64_t few[FEW];
    Arena *tmp = n > FEW ? arena_new(sim->ctx) : NULL;
    uint64_t *args = tmp ? NEW_ARRAY(tmp, uint64_t, n) : few;
    uint64_t *results = args + host.sig.n_params;
    uint64_t area = arg_area(sim, host.place.abi);
    uint64_t back = host.place.area_size ? argument(sim, &host.place.area, area) : 0;
    for (uint32_t k = 0; k < host.sig.n_params; k++) args[k] = argument(sim, &host.place.params[k], area);
    memset(results, 0, host.sig.n_results * sizeof *results);
    // The function may run this machine again, and may catch what is thrown out of that.
    SimState before = sim->s;
    host.function(host.ctx, args, results);
    sim->s = before;
    go_back(sim, &host.place);
    clobber(sim, host.place.abi);
    put_results(sim, &host, back, args, results);
    if (tmp) arena_free(tmp);
}
