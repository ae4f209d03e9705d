// Backends and programs: the public interface to running bytecode, above both engines.
//
// Theory. A program is an Instance (runtime/) with one engine on it. Compiled: every function index, imports included,
// goes through irgen and the compile pipeline into a Jit. The collector finds the references of compiled frames with
// jit_walk(), from the activation that vm->activation names; each run of compiled code puts its own activation there
// and the previous one back, so runs nest through host functions. Where the Jit simulates, compiled code has a stack of
// its own: the depth limit is that stack's, and a run that would start with little of the thread's own left traps, too.
#ifndef VTR_PROGRAM_PROGRAM_H
#define VTR_PROGRAM_PROGRAM_H

#include "interp/interp.h"
#include "irgen/irgen.h"
#include "jit/jit.h"
#include "runtime/instance.h"
#include "runtime/value.h"

typedef enum DefinitionKind { DEFINE_FUNCTION, DEFINE_C, DEFINE_GLOBAL } DefinitionKind;

typedef struct Definition {
    DefinitionKind kind;
    vtr_host_function function;
    void *user;
    void *address;
} Definition;

// A value that the collector keeps right. It is visited once, however often it is held.
typedef struct Held {
    vtr_value *value;
    uint32_t times;
} Held;

struct vtr_backend {
    Ctx *ctx;
    Arena *arena;
    vtr_backend_options options;
    JitMachine machine; // target NULL: none is known for this machine
    Interner names;     // "module.name" -> index into definitions
    VEC(Definition) definitions;
};

struct vtr_program {
    Ctx *ctx;
    Arena *arena;
    vtr_backend_options options;
    JitMachine machine; // of the backend
    Instance *instance;
    Interp *interp; // one of these two
    Jit *jit;
    Irgen irgen;
    vtr_program_stats stats;
    uint32_t host_trap; // vtr_program_trap()
    bool trapped;       // the last run ended in a trap
    Arena *text;        // strings about the last trap
    VEC(Held) held;     // references that the host holds
    Map held_at;        // address of a value -> its number in `held` + 1, 0 = it is not there
};

// Makes the engine of the options. (program/native.c)
void program_compile(vtr_program *program);
// The references that the host holds, for the collector: HeapRoots.each of a program. (program/value.c)
void program_held_roots(void *program, Heap *heap, HeapVisit *visit);
// Runs a function index; returns 0, or the code by which all frames were left, with instance->trap filled.
uint32_t program_call_native(vtr_program *program, uint32_t func, const uint64_t *args, uint64_t *result);

#endif
