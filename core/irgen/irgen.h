// From bytecode to IR: one IR function for each function index of a module.
//
// Own functions become their code. An imported function becomes a wrapper with the same convention that marshals to
// the runtime (VITTE abi) or calls the C function (C abi), so that calls, tail calls and function references need not
// tell them apart.
//
// Names: function index f is u0:f. Helpers of the runtime (rt_helpers[]) are called by their text names.
// Source locations are instruction ordinals. Trap codes 1 to 12 are VITBC's; RT_TRAP_EXIT: see VmCtx.exit_code.
#ifndef VTR_IRGEN_IRGEN_H
#define VTR_IRGEN_IRGEN_H

#include "bytecode/module.h"
#include "ir/ir.h"

typedef struct IrgenOptions {
    bool read_barrier;  // call rt_read_barrier where a reference is loaded
    bool write_barrier; // call rt_write_barrier where one was stored
    // The collector moves nothing: references that it must see are stored as ever, but not loaded again.
    bool pinned;
    bool no_polls; // no other thread can reach the flag that a poll reads: leave polls out
    // Reading just below address 0, where the length of an array that is null would be, traps by itself.
    bool null_faults;
} IrgenOptions;
// For an engine that gives the memory of a module to one thread, and the collector of its loader.
static inline IrgenOptions irgen_engine(bool polls) {
    return (IrgenOptions){.pinned = true, .no_polls = !polls, .null_faults = true};
}

typedef struct Irgen {
    const BcModule *m;
    IrgenOptions options;
    uint8_t conv; // of all functions of the module, so that calls, indirect calls and tail calls mix
} Irgen;

// options NULL = no barriers.
Irgen irgen_start(const BcModule *m, const IrgenOptions *options);

// The function with this index, made in `arena`. Throws VTR_ERR_LIMIT for a function too large to compile.
Func *irgen_func(const Irgen *irgen, Arena *arena, uint32_t func);

// Its signature as compiled code and jit_call() see it: the vmctx, then the parameters.
Sig irgen_sig(const Irgen *irgen, Arena *arena, uint32_t func);
// The signature of the C function behind import `func`: no vmctx, the platform's convention.
Sig irgen_c_sig(Arena *arena, const BcModule *m, uint32_t func);

// The VITBC trap code that an IR trap code stands for (RT_TRAP_EXIT excepted).
uint32_t irgen_trap_code(uint32_t ir_code);

#endif
