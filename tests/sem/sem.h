// The checker of semantics: makes instructions with states (make.c), lets the simulator and a real machine execute them
// (check.c), and compares.
#ifndef SEM_SEM_H
#define SEM_SEM_H

#include "case.h"
#include "sim/sim.h"

// ---- numbers (state.c) ----------------------------------------------------------------------------

uint64_t sem_random(void);
unsigned sem_below(unsigned n);

// A state of boundary and random values. The stack pointer is in the data. `small`: all numbers are small ones.
// `pads`: the memory holds addresses of pads.
void sem_randomise(SemState *s, bool small, bool pads);

// ---- registers of the target and of a state -----------------------------------------------------------

typedef struct SemPlace {
    uint64_t *w;    // in a state; NULL: the state has none
    unsigned words; // that the target's register has of it
} SemPlace;

typedef struct SemMachine {
    const Target *target;
    uint64_t features;
    RegSet reserved;          // by number of the target: the code around needs them
    const uint8_t *flag_bits; // of the target's flags, the bit in the machine's flags
    unsigned n_flags;
    const char *const *aligned; // instructions whose memory operand must be a multiple of 16
} SemMachine;

// False when there is no such machine.
bool sem_machine(const char *name, SemMachine *m);
SemPlace sem_place(const SemMachine *m, SemState *s, unsigned reg);
void sem_to_sim(const SemMachine *m, const SemState *s, SimState *sim);

// ---- instructions (make.c) -----------------------------------------------------------------------------

typedef struct SemCase {
    uint16_t mop;
    MOpnd slots[16];
    SemBlock block;
    SemState start[SEM_MAX_STATES];
    SimState end[SEM_MAX_STATES]; // what the simulator makes of it
    uint64_t data[SEM_MAX_STATES][SEM_DATA_SIZE / 8];
} SemCase;

void sem_make_init(const SemMachine *m);
// The instruction that the decoder sees in an encoding of `mop`: another one's for sequences and other names of an
// instruction, NO_MOP when it sees none.
unsigned sem_decoded_as(const SemMachine *m, uint16_t mop);
// Makes an instruction `mop` whose composite operand has the form given, and n states that it can be executed on. False
// when that does not succeed.
bool sem_make(const SemMachine *m, uint16_t mop, unsigned form, unsigned n, SemCase *c);

#endif
