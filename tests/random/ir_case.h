// One random program, run by the interpreter and as machine code compiled in several ways.
#ifndef TESTS_IR_CASE_H
#define TESTS_IR_CASE_H

#include "emit/code.h"
#include "ir/interp.h"
#include "ir_random.h"
#include "jit/jit.h"
#include "passes/pipeline.h"
#include "regalloc/regalloc.h"

enum { CASE_RUNS = 6, CASE_MOST_RESULTS = 64 };

// A way to compile and run.
typedef struct Way {
    const Target *target;
    bool simulate; // instead of running natively
    OptLevel opt;
    RaKind ra;
    bool fold;
    uint64_t features;
    Stress stress;
} Way;

void way_describe(const Way *way, Buf *out);

// The index-th way to compile the program of a seed: 0 is -O none, 1 is -O speed, the others are random mixtures. The
// host's code is simulated now and then, that of other machines always.
Way way_random(const Target *target, uint64_t seed, uint32_t index);

typedef struct Outcome {
    uint8_t status; // IrInterpStatus
    uint8_t trap;
    uint64_t executed; // instructions, by the interpreter
    uint64_t results[CASE_MOST_RESULTS];
    uint8_t memory[RANDOM_ROOM];
} Outcome;

// What the entry is called with in run number `run`.
typedef struct Arguments {
    uint64_t values[CASE_MOST_RESULTS];
    _Alignas(16) uint8_t memory[RANDOM_ROOM];
} Arguments;
void case_arguments(const RandomProgram *program, uint64_t seed, uint32_t run, Arguments *args);

// Runs the entry in the interpreter. The program must be as generated.
Outcome case_interpret(const RandomProgram *program, Arguments *args);

// Compiles a function, which changes it.
Code *case_code(Arena *arena, Func *f, const Way *way);

// Compiles every function (which changes them) and makes them callable.
void case_compile(Jit *jit, const RandomProgram *program, const Way *way);
Outcome case_call(Jit *jit, const RandomProgram *program, Arguments *args);

bool case_same(const RandomProgram *program, const Outcome *a, const Outcome *b);
void case_describe(const RandomProgram *program, const Outcome *o, Buf *out);
void case_free(RandomProgram *program);

#endif
