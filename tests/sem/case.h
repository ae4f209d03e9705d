// What the checker of semantics and the program that runs instructions on a real machine share: places in memory, the
// state of a machine, and what travels between them.
//
// Every instruction is executed alone. Its last byte stands before SEM_ANCHOR; from there on, and in all the area of
// code around it, stand pads of SEM_PAD bytes that save the whole state and say which of them they are: where control
// goes is part of the result.
#ifndef SEM_CASE_H
#define SEM_CASE_H

// Addresses, the same in both programs. Nothing of either lies there.
#define SEM_CODE 0x04000000
#define SEM_CODE_SIZE 0x20000
#define SEM_ANCHOR 0x04010000
#define SEM_PAD 32
#define SEM_DATA 0x04040000 // a page between pages that are not mapped
#define SEM_PAGE 4096
#define SEM_DATA_SIZE 256 // of it; the rest is 0
#define SEM_STATE 0x04050000

// Offsets in SemState, for assembly.
#define SEM_GPR 0
#define SEM_VEC 256
#define SEM_SP 768
#define SEM_FLAGS 776
#define SEM_PC 784
#define SEM_SIGNAL 792
#define SEM_HOST_SP 800
#define SEM_ENTRY 808
#define SEM_SAVE 816
#define SEM_TEMP 824

#ifndef __ASSEMBLER__
#include <stdint.h>

typedef struct SemState {
    uint64_t gpr[32]; // by hardware number
    uint64_t vec[32][2];
    uint64_t sp; // where it is not among the others
    uint64_t flags;
    uint64_t pc;     // a pad, or with a signal where it came
    uint64_t signal; // 0: none
    uint64_t host_sp, entry, save, temp;
    uint64_t data[SEM_DATA_SIZE / 8];
} SemState;

// A run: this, then n_states states. Back come n_states states.
typedef struct SemBlock {
    uint32_t n_states;
    uint32_t size; // of the instruction
    uint8_t bytes[16];
} SemBlock;

enum { SEM_MAX_STATES = 64 };
#endif

#endif
