// Running the code of any described machine: its instructions are decoded and their `sem` is executed.
//
// The simulated machine shares the address space of this process: its addresses are ours, so code made for it uses
// the heap, the data and the structures of the runtime in place. It follows that a wild access of simulated code is
// what it is in compiled code, a fault of this process: the simulator checks what it executes, not what it reads or
// writes. Byte orders must agree: a machine of the other one is refused.
//
// Code lives in ranges that sim_add_code() names; running elsewhere stops. Instructions are decoded once and kept in
// a cache by address.
//
// A host function has a guest address: the place of a reserved trapping instruction (the role `trap` of the
// description). When simulated code gets there, the arguments are taken from where the calling convention puts them,
// the function is called, and its results are put where the convention wants them. A host function may call back.
#ifndef VTR_SIM_SIM_H
#define VTR_SIM_SIM_H

#include "sim/state.h"

typedef struct Sim Sim;

// args and results are 8-byte slots: integers zero-extended from their type, floats as their bits. Of a narrow result
// the low bytes are taken. Results are zero before the call.
typedef void SimHost(void *ctx, const uint64_t *args, uint64_t *results);

typedef struct SimOptions {
    uint64_t features; // instructions that need others are undefined
    size_t stack;      // bytes of the machine's own stack; 0 = 8 MiB
    uint64_t fuel;     // instructions until SIM_FUEL, over all calls; 0 = no limit
} SimOptions;

// How sim_call() ended when it did not return.
typedef struct SimStop {
    SimEvent event;
    uint8_t code;   // SIM_FAULT: TRAP_*
    const void *pc; // where
} SimStop;

// A machine in `arena`. options NULL = all zero. Throws VTR_ERR_UNSUPPORTED when the target has no simulator,
// VTR_ERR_SYSTEM when the system refuses memory.
Sim *sim_new(Arena *arena, const Target *target, const SimOptions *options);
// Returns its memory now rather than with the arena.
void sim_free(Sim *sim);

// Names a range of instructions, or takes back ranges that lie in [at, at + n); what was decoded there is forgotten.
// sim_reserve_code() makes sure that the next sim_add_code() does not throw.
void sim_add_code(Sim *sim, const void *at, size_t n);
void sim_reserve_code(Sim *sim);
void sim_remove_code(Sim *sim, const void *at, size_t n);

// A guest address for a host function of this signature (copied). Good as long as the Sim; never code of the host.
void *sim_host(Sim *sim, const Sig *sig, SimHost *function, void *ctx);

// Calls the code at `fn`. args as for SimHost; results are zero-extended. Calls nest: from a host function the machine
// goes on below the frames it has. False when it stopped without returning; its stack is then as before the call.
bool sim_call(Sim *sim, const void *fn, const Sig *sig, const uint64_t *args, uint64_t *results, SimStop *stop);

// The lowest address of the machine's stack, where a guard of at least 64 KiB starts below.
const void *sim_stack_low(const Sim *sim);
// The stack pointer with which a call from here would start. A sim_call() that is thrown out of leaves its frames:
// whoever catches puts back what this said before.
uint64_t sim_mark(const Sim *sim);
void sim_rewind(Sim *sim, uint64_t mark);

// Instructions executed so far.
uint64_t sim_instructions(const Sim *sim);

const char *sim_event_text(SimEvent event);

// One instruction, without a machine around it: decodes the `n` bytes at `bytes` as if they stood at s->pc, and
// executes it on `s`. s->pc becomes that of the next instruction, s->event what happened (it is cleared before, and
// s->unknown too).
SimEvent sim_step(const Target *target, SimState *s, const uint8_t *bytes, size_t n, uint64_t features);

#endif
