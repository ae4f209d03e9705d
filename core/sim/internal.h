// What the files of the simulator share.
#ifndef VTR_SIM_INTERNAL_H
#define VTR_SIM_INTERNAL_H

#include "select/abi.h"
#include "sim/sim.h"
#include "support/vec.h"

enum {
    CACHE_INSTS = 1 << 14, // decoded instructions that are kept
    CACHE_HEADS = 1 << 15, // places of the hash table
    CACHE_PROBES = 8,      // places that one address may stand at
    HOST_CELL = 16,        // bytes between host functions
    HOST_CHUNK = 256,      // host functions of one piece of memory
    STACK_DEFAULT = 8 << 20,
    STACK_GUARD = 64 << 10
};

// A kept instruction, and where control went from it the last time.
typedef struct SimKept {
    SimInst inst;
    struct SimKept *follow; // at inst.next
    struct SimKept *jump;   // at another address
} SimKept;

typedef struct SimCache {
    SimKept *kept; // CACHE_INSTS
    uint32_t n;
    uint32_t *heads; // CACHE_HEADS: number + 1 of an instruction, by hash of its address
} SimCache;

typedef struct SimRange {
    uint64_t at, n;
} SimRange;

// A host function: what it is called with. [0] is where sim_call() has its callees return to.
typedef struct SimHostFn {
    SimHost *function;
    void *ctx;
    AbiSig place;
    Sig sig;
} SimHostFn;

struct Sim {
    Ctx *ctx;
    Arena *arena;
    const Target *target;
    uint64_t features;
    SimState s;
    uint8_t *memory; // stack with its guard, then the cache
    size_t size;
    uint8_t *stack_low, *stack_top;
    SimCache cache;
    VEC(SimRange) ranges; // by address; none overlap
    VEC(SimHostFn) hosts;
    VEC(uint8_t *) chunks; // HOST_CHUNK cells each
    uint64_t left;         // instructions until SIM_FUEL
    uint64_t fuel;         // `left` at the start
};

// decode.c
// Fills in operands from decoded slots.
void sim_operands(const Target *t, uint16_t mop, const MOpnd *slots, SimInst *inst);
// The instruction at s.pc, or NULL with s.event set.
SimKept *sim_fetch(Sim *sim);

// host.c
// The number of the host function at a guest address, UINT32_MAX: none.
uint32_t sim_host_at(const Sim *sim, uint64_t pc);
void *sim_host_cell(const Sim *sim, uint32_t number);
// Calls host function `number`, whose address the machine has got to, and goes back to its caller.
void sim_host_call(Sim *sim, uint32_t number);
// Puts a value where the convention wants a value of this type.
void sim_set_value(Sim *sim, unsigned reg, Type type, uint64_t bits);
uint64_t sim_get_value(const Sim *sim, unsigned reg, Type type);

#endif
