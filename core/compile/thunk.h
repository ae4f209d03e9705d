// The small pieces of code between a host and compiled code: entry, exit and trap thunks. jit/jit.h tells what each is
// for; objects have the same ones, with the runtime of executables (runtime/image.h) in the place of the JIT.
//
// Entry thunks are ordinary IR and go the way of every function; exit and trap thunks are a few instructions that
// must touch no register but scratch ones, made from the roles of the target record.
#ifndef VTR_COMPILE_THUNK_H
#define VTR_COMPILE_THUNK_H

#include "emit/code.h"

enum { THUNK_CELL = 8 }; // bytes of an argument or a result of an entry thunk

// Symbols that the trap thunk refers to: the function that finds where to go on, and what it is given as its second
// argument.
#define THUNK_TRAP_EXIT "__vtr_trap_exit"
#define THUNK_SELF "__vtr_self"

// The code that trap sites call (CODE_TRAP). near: symbols are called directly, wherever they are, and the second
// argument of THUNK_TRAP_EXIT is left undefined.
Code *thunk_trap(Arena *arena, const Target *t, bool near);

// `name`, which goes on to `host`, called by `abi`, after it has stored where the call came from in the activation (a
// FrameExit is its first field), whose address stands at `activation` bytes from the call's first argument.
Code *thunk_exit(Arena *arena, const Target *t, ExtName name, ExtName host, const Abi *abi, uint32_t activation,
                 bool near);

// function thunk(fn, args, results, activation) -> i32: calls fn with this signature. 0 = it returned, 1 = it trapped.
Func *thunk_entry(Ctx *ctx, const Target *t, const Sig *sig);

#endif
