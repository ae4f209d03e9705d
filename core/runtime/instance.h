// An instance: a module with its memory. Globals, constant objects, DATA blobs, heap and resolved imports, and how the
// last run ended. Both engines run on it, compiled code and the direct interpreter of bytecode; it knows neither.
//
// Values travel as 64-bit words: integers zero-extended from their width, bool 0 or 1, floats as their bits
// (f32 in the low half), ptr and references as addresses, function references as the engine likes (0 = null).
#ifndef VTR_RUNTIME_INSTANCE_H
#define VTR_RUNTIME_INSTANCE_H

#include "runtime/vmctx.h"
#include "support/buf.h"

// One frame of a trap: the instruction that trapped, or the call that is being executed.
typedef struct RtFrame {
    uint32_t func; // function index
    uint32_t inst; // ordinal of the instruction in the function
} RtFrame;

#define RT_MAX_FRAMES 64

// How a run ended when it did not return.
typedef struct RtTrap {
    uint32_t code;     // trap code, or RT_EXIT_*
    uint32_t n_frames; // innermost first, at most RT_MAX_FRAMES
    uint64_t depth;    // frames there were
    RtFrame frames[RT_MAX_FRAMES];
} RtTrap;

// A host function. args and *result are words as above; result is zeroed. Returns 0, or the code by which all frames
// are left: a trap code, or RT_EXIT_HOST after setting instance->host_status. It may allocate on instance->heap;
// then references among args are moved in place.
typedef uint32_t RtFunction(Instance *instance, void *user, uint64_t *args, uint64_t *result);

typedef struct RtImport {
    RtFunction *call; // NULL = unresolved: calling it traps LINK
    void *user;
} RtImport;

// What the resolver says about "module.name". Leave everything zero when it is not known.
typedef struct RtResolved {
    RtImport function; // VITTE abi
    void *address;     // C abi: the function; global: its cell, which must live as long as the instance
} RtResolved;

typedef struct RtOptions {
    HeapOptions heap;
    const Collector *collector; // NULL = heap_semispace
    // Called for each import; `key` is "module.name". May be NULL. The natives of runtime/natives.c are asked after it.
    void (*resolve)(void *user, const BcModule *m, const BcImport *import, const char *key, RtResolved *resolved);
    void *resolve_user;
    // Receives what io.print and io.println write; false = writing failed. NULL = the text is dropped.
    bool (*write)(void *user, const char *bytes, size_t n);
    void *write_user;
    uint64_t stack_size; // bytes of machine stack that compiled code may use; 0 = what the thread has, less a reserve
    uint32_t max_depth;  // frames of the interpreter; 0 = RT_DEFAULT_DEPTH
} RtOptions;

#define RT_DEFAULT_DEPTH 200000

struct Instance {
    Ctx *ctx;
    Arena *arena;
    const BcModule *module;
    RtOptions options;
    VmCtx *vm;
    Heap *heap;
    RtImport *imports; // by function index
    Ref **roots;       // cells that hold references: globals and constants
    uint32_t n_roots;
    uint32_t interrupt;     // atomic: 1 = trap INTERRUPT at the next safepoint
    uint64_t stack_thread;  // the thread whose limit is known, 0 = none
    uint64_t thread_limit;  // of its stack, less a reserve
    vtr_status host_status; // RT_EXIT_HOST
    RtTrap trap;            // how the last run ended, when it did not return
    // Set by the engine that can: calls the C function behind import `func`. NULL: C imports trap LINK.
    uint32_t (*call_c)(Instance *instance, uint32_t func, const uint64_t *args, uint64_t *result);
    void *engine; // the engine's own
};

// Makes an instance in `arena`: resolves imports, places blobs, makes constant objects, initialises globals.
// m must outlive it. Function references in globals and constants are left to the engine: rt_function_globals().
// Throws VTR_ERR_SYSTEM, and VTR_ERR_LIMIT when the constants do not fit the heap.
Instance *rt_instance_new(Arena *arena, const BcModule *m, const RtOptions *options);

// Fills the globals that a FN constant initialises, with the engine's value of each function reference.
void rt_function_globals(Instance *instance, uint64_t (*reference)(void *user, uint32_t func), void *user);

// The cell of a global, imported ones included.
static inline uint64_t *rt_global(Instance *instance, uint32_t global) {
    uint64_t *cell = &instance->vm->cells[vm_cell_global(global)];
    return global < instance->module->n_imp_globals ? (uint64_t *)(uintptr_t)*cell : cell;
}
// The root that holds the object of a STR or BYTES constant.
static inline Ref *rt_const(Instance *instance, uint32_t k) {
    return &instance->vm->cells[vm_cell_const(instance->module, k)];
}
static inline void *rt_data(Instance *instance, uint32_t x) {
    return (void *)(uintptr_t)instance->vm->cells[vm_cell_data(instance->module, x)];
}

// Calls an imported function. References among args are updated in place if the heap moves while it runs: args must
// be roots of the caller's engine. Returns 0 or the code by which to leave.
uint32_t rt_call_import(Instance *instance, uint32_t func, uint64_t *args, uint64_t *result);

// A safepoint: collects under stress; returns 0, or BC_TRAP_INTERRUPT when one is wanted (which is then done).
uint32_t rt_safepoint(Instance *instance);
// True when rt_safepoint() has anything to do.
static inline bool rt_poll_wanted(const Instance *instance) {
    return __atomic_load_n(&instance->vm->poll, __ATOMIC_RELAXED) != 0;
}

// From any thread: what runs traps INTERRUPT at its next safepoint; if nothing runs, the next run does.
void rt_interrupt(Instance *instance);

// Sets vm->stack_limit for the calling thread.
void rt_stack_enter(Instance *instance);

// Starts a trap record; then frames are added, innermost first.
void rt_trap_begin(Instance *instance, uint32_t code);
void rt_trap_frame(Instance *instance, uint32_t func, uint32_t inst);

// The text of the trap of an instance: a line with code, name, diagnostic and meaning, then a line for each frame.
void rt_trap_print(const Instance *instance, Buf *out);

// The natives that come with the runtime (runtime/natives.c): io.print, io.println, time.now_ms.
bool rt_native(const char *key, const BcModule *m, const BcImport *import, RtFunction **function);

// ---- called by compiled code --------------------------------------------------------------------
// Functions that take a VmCtx may move objects: the caller's references must be visible to the heap's roots.

Ref rt_alloc_struct(VmCtx *vm, uint32_t type);                                  // 0 = OOM
Ref rt_alloc_array(VmCtx *vm, uint32_t type, uint32_t length);                  // 0 = OOM
uint32_t rt_poll(VmCtx *vm);                                                    // trap code or 0
uint32_t rt_import(VmCtx *vm, uint32_t func, uint64_t *args, uint64_t *result); // 0, or 1 with vm->exit_code set
void rt_leave(VmCtx *vm); // nothing; its exit thunk has noted where compiled code stands
Ref rt_read_barrier(VmCtx *vm, Ref *slot);
void rt_write_barrier(VmCtx *vm, Ref *slot, Ref value);

typedef struct RtHelper {
    const char *name; // the symbol that irgen calls
    void *address;
    bool exits; // may walk frames: to be reached through an exit thunk; its first argument is the vmctx
    // For code that is simulated: its types (jit/jit.h) and what calls it with words for arguments and results.
    const char *types;
    void (*call)(void *ctx, const uint64_t *args, uint64_t *results);
} RtHelper;
// Every function that code made by irgen may call by name, NULL-name terminated.
extern const RtHelper rt_helpers[];

#endif
