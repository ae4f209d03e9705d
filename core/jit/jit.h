// Running code in this process: memory, publishing, symbols, calls from the host, traps and frame walks.
//
// Theory. A Jit owns one reserved range of addresses. jit_add() takes a copy of a function's Code; jit_publish()
// places everything added since the last publish on fresh pages (writable, not executable), resolves and applies
// relocations, and turns the pages executable and read-only. A page never changes back while code on it lives: a
// batch's pages return to the reservation when the last function of the batch is freed.
//
// The library has no signal handler, no thread-local and no global, so everything a trap needs hangs on the stack
// of the compiled code itself:
//
//   host  jit_call()
//         entry thunk (one per signature)        holds the JitActivation in a known place of its frame
//           compiled f -> compiled g             a check fails: the cold stub does `call __vtr_trap`
//             __vtr_trap (one per Jit)           calls jit_trap_exit(sp, jit, pc)
//
// jit_trap_exit() finds the function of each return address in the Jit's table and with the frame sizes recorded in
// Code walks up to the entry thunk, fills the activation, and hands back the thunk's stack pointer and landing
// address; __vtr_trap continues there, and the thunk, which saved every preserved register, returns 1 to jit_call().
//
// A host function that must see the frames of its caller (a collector, a stack trace) is defined with
// jit_define_exit(): calls reach it through an exit thunk that first stores the stack pointer in the activation.
// The thunk finds the activation through the call's first integer argument: a pointer to the embedder's context,
// which holds the JitActivation pointer at a fixed offset. jit_walk() then yields the frames, innermost first.
//
// A host function reports failure by status; compiled code tests it and traps. What CLIF's trap codes cannot say the
// host function keeps in the embedder's context.
//
// Nesting: a host function may call jit_call() again with a new activation whose parent is the current one, after
// storing the new activation where exit thunks look, and restores the old one afterwards. A trap of the inner call
// unwinds to the inner jit_call() only, which returns VTR_ERR_TRAP; what then happens is the host function's choice.
// Host frames are never skipped.
//
// Simulation. A Jit for another machine than the host's, or one that is told to, runs its code in the generated
// simulator (sim/sim.h). Its code lies in readable memory that is never executable; thunks, traps, exits and walks are
// the same code and the same data. What differs is how host functions are reached: each needs a guest address, and so
// its signature. Where a JitAdapter is given it makes the call, so the simulator needs no code for the host; any other
// function is called through an entry thunk of a second Jit, for the host's machine.
#ifndef VTR_JIT_JIT_H
#define VTR_JIT_JIT_H

#include "emit/code.h"
#include "sim/sim.h"

typedef struct Jit Jit;

// One compiled frame: where it stands and what is known there.
typedef struct JitFrame {
    ExtName func;
    uint32_t offset;     // of the return address in the function's code
    uint32_t srcloc;     // of the call or the trapping instruction, NONE = none
    char *sp;            // the frame's stack pointer at the call
    const int32_t *refs; // stack map of the call: offsets from sp of the words that hold live references
    uint32_t n_refs;
} JitFrame;

typedef struct JitActivation {
    FrameExit exit;
    struct JitActivation *parent; // the activation that was current when this one began, NULL = none
    Jit *jit;                     // set by jit_call()
    uint32_t trap;                // TRAP_* after VTR_ERR_TRAP
    JitFrame *frames;             // the caller's array for the frame list of a trap, may be NULL
    uint32_t max_frames;          // its length
    uint32_t n_frames;            // filled in: the innermost min(depth, max_frames) frames
    uint64_t depth;               // frames between the trap and the entry thunk, all counted
    void *resume[2];              // internal: the stack pointer and the address __vtr_trap goes on with
} JitActivation;

// The address of a symbol, or NULL when it does not know.
typedef void *(*JitResolver)(void *user, ExtName name);

// How a host function is called by simulated code. types: a letter for each parameter, then `:` and one for each
// result: i = i32, l = i64, p = an address, f = f32, d = f64.
typedef struct JitAdapter {
    const char *types;
    SimHost *call; // with ctx NULL
} JitAdapter;

typedef struct JitOptions {
    size_t reserve;    // bytes of address space for code; 0 = 64 MiB. Code beyond it is VTR_ERR_LIMIT
    bool use_dlsym;    // look symbols that nothing else knows up in the running program
    bool simulate;     // run the host's own code in the simulator, too
    uint64_t features; // of a simulated machine: other instructions are undefined there
    size_t stack;      // bytes of its stack; 0 = 8 MiB
    uint64_t fuel; // instructions it may execute, over all calls; 0 = no limit. Then jit_call() throws VTR_ERR_LIMIT
} JitOptions;

// A Jit for `target`, simulated when it is not the host's; it lives in `arena` and ends with it. Throws
// VTR_ERR_UNSUPPORTED when the target has no simulator, VTR_ERR_SYSTEM when the system refuses the reservation.
// options NULL = all zero.
Jit *jit_new(Arena *arena, const Target *target, const JitOptions *options);
// Frees all code and the reservation now rather than with the arena. Nothing may be done with the Jit afterwards but
// to free it again.
void jit_free(Jit *jit);

// How code is to be run, from what a user asks for; each may be NULL or false.
typedef struct JitMachine {
    const Target *target;
    uint64_t features; // to compile with
    bool simulate;
} JitMachine;
// Throws VTR_ERR_NOT_FOUND for an unknown target or feature. The target is NULL when none is asked for and this machine
// is unknown.
JitMachine jit_machine(Ctx *ctx, const char *target, const char *features, bool simulate);

// Adds a function; the Code is copied. Throws VTR_ERR_USAGE when a live function has the name already.
void jit_add(Jit *jit, const Code *code);

// Gives a symbol an address outside the Jit. Order of look-up: functions of the Jit, defined symbols, the resolver,
// the run-time library that expansions call (CeilF32, ..., Memcpy, ...), dlsym(). A defined symbol may be redefined;
// code published before keeps the old address.
void jit_define_symbol(Jit *jit, ExtName name, void *addr);
// The same for a function with an adapter.
void jit_define_function(Jit *jit, ExtName name, void *addr, const JitAdapter *adapter);
// Says with what signatures a function calls what it names; without it, simulated code takes symbols of the host for
// data. To be called before the function's code is published. Does nothing where code runs natively.
void jit_declare_callees(Jit *jit, const Func *f);
// Defines a function by what runs when it is called, with this signature: compiled and simulated code alike.
void jit_define_host(Jit *jit, ExtName name, const Sig *sig, SimHost *function, void *ctx);
// The address by which this Jit's code may call a C function of the platform's convention: itself or its guest address.
void *jit_guest_function(Jit *jit, void *function, const Sig *sig);
// Defines a host function that is reached through an exit thunk (see the top). `abi` is the convention compiled
// code calls it with; at run time *(JitActivation **)(first integer argument + activation_offset) is the current
// activation. To be called before code that uses it is published. adapter NULL: simulated code calls it as
// jit_declare_callees() says.
void jit_define_exit(Jit *jit, ExtName name, void *addr, const JitAdapter *adapter, const Abi *abi,
                     uint32_t activation_offset);
void jit_set_resolver(Jit *jit, JitResolver resolve, void *user);

// Makes everything added callable. Throws VTR_ERR_NOT_FOUND naming the symbols that are unknown (everything stays
// pending: define them and publish again), VTR_ERR_LIMIT when the reservation is full.
void jit_publish(Jit *jit);

// The address of a published function, or NULL.
void *jit_find(const Jit *jit, ExtName name);

// Calls the published function at `fn`. args and results are 8-byte slots: integers of narrower types in the low
// bytes (the rest of an argument slot is ignored, of a result slot zero), floats as their bits. `fn` may also be a
// host function of that signature. The activation's parent, frames and max_frames are the caller's, the rest is set
// here; a caller without interest in traps may pass a zeroed one. Returns VTR_OK or VTR_ERR_TRAP (results are then
// undefined); throws when the thunk of a new signature cannot be made, which publishes what is pending, too, and when a
// simulated machine stops: VTR_ERR_LIMIT without fuel, else VTR_ERR_INTERNAL, with a diagnostic that names the place.
vtr_status jit_call(Jit *jit, void *fn, const Sig *sig, const uint64_t *args, uint64_t *results,
                    JitActivation *activation);
// Makes the thunk of a signature ahead of time, so that a later jit_call() with it neither allocates nor throws.
void jit_prepare_call(Jit *jit, const Sig *sig);

// Frees a function's code: nothing may run in it, return to it or hold its address. Its name may be added again.
// False when there is no such function.
bool jit_free_function(Jit *jit, ExtName name);

// What stands at a code address: fills func, offset and, when `pc` is a return address of a known site, srcloc and
// refs. sp is set to NULL. False when pc lies in no published function.
bool jit_lookup(const Jit *jit, const void *pc, JitFrame *frame);

// Visits the compiled frames below the current host function, innermost first, through all activations from
// `activation` outwards; entry thunks are not shown. Only to be called from a host function defined with
// jit_define_exit(). Slots that frame->refs names may be read and changed. Ends early when visit returns false.
void jit_walk(const JitActivation *activation, bool (*visit)(void *user, const JitFrame *frame), void *user);

// The simulated machine, NULL where code runs natively.
Sim *jit_sim(const Jit *jit);

// Bytes of code published and live, for reports.
size_t jit_code_size(const Jit *jit);

#endif
