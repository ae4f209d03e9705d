// The state of a simulated machine, and one decoded instruction: what the generated functions of <isa>_sim.c work on.
#ifndef VTR_SIM_STATE_H
#define VTR_SIM_STATE_H

#include "select/target.h"

// A register, low word first. A register narrower than 128 bits leaves the rest alone. A flags register: w[0] are its
// bits, lowest first as in the description, w[1] the bits of it that are undefined now.
typedef struct SimReg {
    uint64_t w[2];
} SimReg;

enum {
    SIM_REGS = 128,
    SIM_SINK = SIM_REGS - 1, // takes what is written to registers that read as 0; no machine has so many
    SIM_SLOTS = 12           // operand slots of an instruction at most
};

// Why a machine stopped, or what an instruction asks for.
typedef enum SimEvent {
    SIM_NONE,
    SIM_TRAP,       // the description's trap(): pc is at it
    SIM_BREAK,      // debugtrap(): pc is behind it
    SIM_FAULT,      // the instruction's `trap CODE when` holds: `code` is a TRAP_*, pc is at it, nothing was changed
    SIM_UNDEFINED,  // no instruction of the description, or one whose features are not there
    SIM_MISALIGNED, // pc is no multiple of Target.code_align
    SIM_NO_CODE,    // pc is outside of the code
    SIM_UNDEFINED_FLAG, // a flag was read that is undefined: code that does so is wrong. pc is at it
    SIM_FUEL,           // the limit of instructions is reached
    N_SIM_EVENTS
} SimEvent;

typedef struct SimState {
    SimReg r[SIM_REGS]; // by register number of the target
    uint64_t pc;
    uint8_t event;  // SimEvent
    uint8_t code;   // SIM_FAULT: TRAP_*
    bool vague;     // an undefined value was computed
    RegSet unknown; // registers that were given one: what they hold is arbitrary. Only ever added to
} SimState;

// An instruction with its operands as the generated functions want them.
typedef struct SimInst {
    SimRun *run;
    uint64_t pc, next; // its address and that of what stands behind it
    uint16_t mop;
    // By slot (mfunc.h): the number of a register, SIM_SINK where a register that reads as 0 is written; an
    // immediate; a form number. A distance to a label is an immediate.
    int64_t a[SIM_SLOTS];
} SimInst;

#endif
