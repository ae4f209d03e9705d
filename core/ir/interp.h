// The IR interpreter: runs verified functions of a file without a machine. It is what native code is compared with.
//
// Memory is the host's: a 64-bit address is a real one, and a load from a wrong one faults as native code would.
// (A 32-bit address counts from the start of the interpreter's stack and is checked.) Calls need no host stack:
// frames stand in a list of their own. Stack slots start as zeros. stack_limit is not looked at.
#ifndef VTR_IR_INTERP_H
#define VTR_IR_INTERP_H

#include "ir/ir.h"

typedef enum IrInterpStatus {
    IR_INTERP_OK,
    IR_INTERP_TRAP,  // ir_interp_trap() tells the code, ir_interp_frame() the frames
    IR_INTERP_FUEL,  // the instruction budget is used up
    IR_INTERP_ERROR, // ir_interp_error() tells: an unknown function or symbol, a call through a wrong address
} IrInterpStatus;

// Functions and data that the file does not define. Each callback may be NULL.
typedef struct IrInterpHost {
    void *data;
    // Runs a function; args and results are one cell each, zero-extended bits. Returns 0, a trap code, or -1 when
    // there is no such function.
    int (*call)(void *data, const ExtName *name, const Sig *sig, const uint64_t *args, uint64_t *results);
    // The address of a data object, NULL when there is none.
    void *(*symbol)(void *data, const ExtName *name);
} IrInterpHost;

typedef struct IrInterpOptions {
    IrInterpHost host;
    uint64_t fuel;       // instructions per ir_interp_call(); 0 = no limit
    uint32_t max_depth;  // frames; 0 = 10,000. Beyond it: trap stk_ovf
    uint32_t stack_size; // bytes for stack slots; 0 = 1 MiB and each function's slots once, at most
                         // 64 MiB. Beyond it: trap stk_ovf
} IrInterpOptions;

typedef struct IrInterpFrame {
    const Func *f;
    Inst inst; // being executed: in outer frames, the call
} IrInterpFrame;

typedef struct IrInterp IrInterp;

// The functions must have passed verify_func() and outlive the interpreter. options may be NULL.
IrInterp *ir_interp_new(Arena *arena, Func *const *funcs, uint32_t n_funcs, const IrInterpOptions *options);

// Runs f, one of the functions. args and results: one cell per parameter and result, zero-extended bits.
IrInterpStatus ir_interp_call(IrInterp *interp, const Func *f, const uint64_t *args, uint64_t *results);

// About the last ir_interp_call().
uint8_t ir_interp_trap(const IrInterp *interp);
const char *ir_interp_error(const IrInterp *interp);
uint64_t ir_interp_executed(const IrInterp *interp); // instructions
// The k-th frame from the innermost; false beyond the outermost. After a trap, an error or lack of fuel.
bool ir_interp_frame(const IrInterp *interp, uint32_t k, IrInterpFrame *frame);

// The libcalls that the text form knows (%CeilF32, ..., %FmaF64, %Memcpy, ...), as IrInterpHost.call; data is unused.
int ir_interp_libcall(void *data, const ExtName *name, const Sig *sig, const uint64_t *args, uint64_t *results);

#endif
