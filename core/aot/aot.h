// What becomes object files: IR texts and modules of bytecode. object.h is what they are put into.
#ifndef VTR_AOT_AOT_H
#define VTR_AOT_AOT_H

#include "aot/object.h"
#include "bytecode/module.h"
#include "jit/compile.h"

typedef struct Aot {
    Object *object;
    CompileOptions compile; // of every function; `traps` is set by kind of input
} Aot;

// clif.c: adds the functions of an IR text, global symbols by their names. A trap executes the machine's trapping
// instruction; its address and code are a row of the section vitrail_traps. Throws VTR_ERR_INPUT, VTR_ERR_UNSUPPORTED
// and VTR_ERR_LIMIT with diagnostics.
void aot_add_clif(Aot *aot, const char *file, const char *text, size_t len);

// module.c: adds a module of bytecode, to be linked with the runtime; nothing else may be in the object. `entry` names
// the exported function that the executable runs, NULL = the module's entry. Throws VTR_ERR_NOT_FOUND when there is
// none of the name, VTR_ERR_LIMIT and VTR_ERR_UNSUPPORTED naming the function.
void aot_add_module(Aot *aot, const BcModule *m, const char *entry);

// The C function that does the work of a function of the run-time library (link/libcalls.h), or NULL.
const char *aot_libcall(const char *name);
// The symbol outside that an external name stands for.
uint32_t aot_symbol(Aot *aot, ExtName name);
// Lets the addresses of all functions and data be taken relative to the code, as in executables, position-independent
// ones included.
void aot_make_near(Func *f);

#endif
