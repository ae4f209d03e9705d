// What becomes object files: IR texts and modules of bytecode. object.h is what they are put into.
#ifndef VTR_AOT_AOT_H
#define VTR_AOT_AOT_H

#include "aot/object.h"
#include "aot/wasm.h"
#include "bytecode/module.h"
#include "compile/compile.h"
#include "irgen/irgen.h"

typedef struct Aot {
    Object *object;
    Wasm *wasm;             // of a stack machine, instead of `object`
    bool complete;          // it becomes a complete module
    bool entries;           // of a complete module made from IR: with an entry function (wasm_meta.h) for each function
    bool polls;             // of a module of bytecode: with safepoint polls, so that it can be interrupted
    CompileOptions compile; // of every function; `traps` is set by kind of input
} Aot;

// clif.c: adds functions that have passed the verifier, global symbols by their names. A trap executes the machine's
// trapping instruction; its address and code are a row of the section vitrail_traps. Throws VTR_ERR_UNSUPPORTED and
// VTR_ERR_LIMIT with diagnostics.
void aot_add_funcs(Aot *aot, Func *const *funcs, uint32_t n);

// module.c: adds a module of bytecode, to be linked with the runtime; nothing else may be in the object. `entry` names
// the exported function that the executable runs, NULL = the module's entry. Throws VTR_ERR_NOT_FOUND when there is
// none of the name, VTR_ERR_LIMIT and VTR_ERR_UNSUPPORTED naming the function.
void aot_add_module(Aot *aot, const BcModule *m, const char *entry);
// The index of that function; BC_NONE when `entry` is NULL and the module has none.
uint32_t aot_entry(Ctx *ctx, const BcModule *m, const char *entry);

// Calls `each` with the IR of every function of the module, which ends, with what was made in `arena`, when it returns.
// compile->scratch is set meanwhile.
typedef void AotEach(void *user, uint32_t func, Func *f, Arena *arena);
void aot_each_function(const Irgen *irgen, CompileOptions *compile, AotEach *each, void *user);

// wasm_input.c: the same for WebAssembly. Functions of IR are exported under their names from a complete module, which
// imports from "env" what it calls and does not define. Complete modules have the sections of wasm_meta.h, objects
// vitrail_traps: rows of the place of an instruction in the code section and its trap code, 4 bytes each.
void aot_wasm_funcs(Aot *aot, Func *const *funcs, uint32_t n);
// Only complete modules can be made of bytecode.
void aot_wasm_module(Aot *aot, const BcModule *m, const char *entry);

// The C function that does the work of a function of the run-time library (link/libcalls.h), or NULL.
const char *aot_libcall(const char *name);
// near.c: the symbol that a text name stands for: the object's own, a function of the library, anything outside; or,
// for a name from aot_make_near(), the word that holds the address of that.
uint32_t aot_symbol(Object *o, const char *name);
// Makes the function's addresses fit an object in which the names are defined that defined(user, name) says.
void aot_make_near(Func *f, bool (*defined)(const void *user, ExtName name), const void *user);

#endif
