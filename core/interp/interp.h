// The direct interpreter of bytecode. It runs verified modules on an Instance, and shares nothing with irgen, so that
// each checks the other.
#ifndef VTR_INTERP_INTERP_H
#define VTR_INTERP_INTERP_H

#include "runtime/instance.h"

typedef struct Interp Interp;

// Makes the engine of an instance, in the instance's arena: registers its frames as roots of the heap and fills the
// globals that function constants initialise. An instance has one engine.
Interp *interp_new(Instance *instance);

// Safepoints that may still pass before the program is interrupted (trap INTERRUPT); UINT64_MAX = no limit, the
// default.
void interp_set_fuel(Interp *interp, uint64_t fuel);

// Runs a function index (an import too) with arguments as words (see instance.h), which are not kept. Returns 0 with
// *result set (0 for void), or the trap code or RT_EXIT_* by which all frames were left; instance->trap then has the
// frames. May be called again by a host function that it called: frames and the depth limit are shared.
uint32_t interp_call(Interp *interp, uint32_t func, const uint64_t *args, uint64_t *result);

// How many frames there are now; and, after an interp_call() that was thrown out of (no memory), going back to that.
uint32_t interp_depth(const Interp *interp);
void interp_rewind(Interp *interp, uint32_t depth);

#endif
