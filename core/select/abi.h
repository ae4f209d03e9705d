// Calling conventions: where arguments and results live, and the machine code of calls, entries and returns.
// Driven by the Abi tables of the target record; names no machine.
//
// Results that do not fit the result registers come back through memory: the caller passes the address of a return
// area as a hidden first integer argument, and the callee stores result k at that address + AbiLoc.offset. The
// results that do fit stay in registers. This is Vitrail's own extension of each convention (its C-compatible part
// is what fits the registers).
#ifndef VTR_SELECT_ABI_H
#define VTR_SELECT_ABI_H

#include "select/target.h"

typedef struct AbiLoc {
    uint8_t reg;     // physical register, or NO_REG: in memory
    uint8_t type;    // Type
    bool crosses;    // a float in an integer register
    uint32_t offset; // argument: in the stack argument area (shadow space included); result: in the return area
    uint32_t copy;   // bytes to copy to the stack (a struct passed by value; the value is its address), else 0
} AbiLoc;

typedef struct AbiSig {
    const Abi *abi;
    AbiLoc *params;      // one per parameter
    AbiLoc *results;     // one per result
    AbiLoc area;         // of the hidden return area's address, when area_size is not 0
    uint32_t area_size;  // bytes of the return area, 0 = none
    uint32_t stack_size; // bytes of the stack argument area, shadow space included, aligned
} AbiSig;

// Places the parameters and results of `sig`. Throws VTR_ERR_UNSUPPORTED when the target has no such convention
// or a type has no register.
AbiSig abi_place(Arena *arena, const Target *target, const Sig *sig);

#endif
