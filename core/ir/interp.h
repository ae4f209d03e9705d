// The IR interpreter: runs verified functions of a file without a machine. It is what native code is compared with.
//
// Memory is the host's: a 64-bit address is a real one, and a load from a wrong one faults as native code would.
// (A 32-bit address counts from the start of the interpreter's stack and is checked.) Calls need no host stack:
// frames stand in a list of their own. Stack slots start as zeros. stack_limit is not looked at.
#ifndef VTR_IR_INTERP_H
#define VTR_IR_INTERP_H

#include "ir/ir.h"

typedef enum InterpStatus {
    INTERP_OK,
    INTERP_TRAP,  // interp_trap() tells the code, interp_frame() the frames
    INTERP_FUEL,  // the instruction budget is used up
    INTERP_ERROR, // interp_error() tells: an unknown function or symbol, a call through a wrong address
} InterpStatus;

// Functions and data that the file does not define. Each callback may be NULL.
typedef struct InterpHost {
    void *data;
    // Runs a function; args and results are one cell each, zero-extended bits. Returns 0, a trap code, or -1 when
    // there is no such function.
    int (*call)(void *data, const ExtName *name, const Sig *sig, const uint64_t *args, uint64_t *results);
    // The address of a data object, NULL when there is none.
    void *(*symbol)(void *data, const ExtName *name);
} InterpHost;

typedef struct InterpOptions {
    InterpHost host;
    uint64_t fuel;       // instructions per interp_call(); 0 = no limit
    uint32_t max_depth;  // frames; 0 = 10,000. Beyond it: trap stk_ovf
    uint32_t stack_size; // bytes for stack slots; 0 = 1 MiB. Beyond it: trap stk_ovf
} InterpOptions;

typedef struct InterpFrame {
    const Func *f;
    Inst inst; // being executed: in outer frames, the call
} InterpFrame;

typedef struct Interp Interp;

// The functions must have passed verify_func() and outlive the interpreter. options may be NULL.
Interp *interp_new(Arena *arena, Func *const *funcs, uint32_t n_funcs, const InterpOptions *options);

// Runs f, one of the functions. args and results: one cell per parameter and result, zero-extended bits.
InterpStatus interp_call(Interp *interp, const Func *f, const uint64_t *args, uint64_t *results);

// About the last interp_call().
uint8_t interp_trap(const Interp *interp);
const char *interp_error(const Interp *interp);
uint64_t interp_executed(const Interp *interp); // instructions
// The k-th frame from the innermost; false beyond the outermost. After a trap, an error or lack of fuel.
bool interp_frame(const Interp *interp, uint32_t k, InterpFrame *frame);

// The libcalls that the text form knows (%CeilF32, ..., %FmaF64, %Memcpy, ...), as InterpHost.call; data is unused.
int interp_libcall(void *data, const ExtName *name, const Sig *sig, const uint64_t *args, uint64_t *results);

#endif
