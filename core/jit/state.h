// What the files of the JIT share.
#ifndef VTR_JIT_STATE_H
#define VTR_JIT_STATE_H

#include "compile/compile.h"
#include "compile/thunk.h"
#include "jit/jit.h"
#include "jit/memory.h"
#include "link/link.h"

struct JitBatch;

// A function of the Jit. One allocation with everything that hangs on it.
typedef struct JitFunc {
    ExtName name;
    uint32_t sym;           // its name's number
    struct JitBatch *batch; // NULL while pending
    uint8_t *addr;          // where it runs, NULL while pending
    bool dead;              // freed by its owner; the batch lives on
    uint32_t index;         // in Jit.pending while pending
    uint32_t n, n_code, align;
    uint32_t landing, activation;
    const uint8_t *bytes; // the code as it was added
    const CodeSite *sites;
    const int32_t *refs;
    LinkReloc *relocs; // sym = Jit.syms number
    uint32_t n_sites, n_refs, n_relocs;
    size_t size; // of the allocation
} JitFunc;

// What was published together, on pages of its own.
typedef struct JitBatch {
    uint8_t *base;
    size_t size;
    uint32_t n, live;
    size_t alloc;
    JitFunc *funcs[]; // by address
} JitBatch;

typedef struct JitSym {
    ExtName name;  // text in the Jit's arena
    JitFunc *func; // defined in the Jit: pending or published
    void *addr;    // defined by jit_define_symbol()
    // Simulated: how it is called. The signature that was declared, or the adapter; the guest address made of them.
    const Sig *sig;
    SimHost *call;
    void *call_ctx;
    void *guest;
    uint32_t called_as; // behind an exit thunk: number + 1 of the name whose signature it has
    uint32_t local;     // during a publish: LinkSym number, valid if `epoch` is the publish's
    uint32_t epoch;
} JitSym;

// The entry thunk of a signature.
typedef struct JitEntry {
    Sig sig; // in the Jit's arena
    void *thunk;
    uint32_t next; // number + 1 of the next one with the same hash
} JitEntry;

struct Jit {
    Ctx *ctx;
    Arena *arena; // the owner's; functions and batches are allocated outside it and hang on its hook
    const Target *target;
    bool use_dlsym;
    Sim *sim;    // NULL: code runs natively
    Jit *native; // of a simulating one: what calls C functions, made when first needed
    CodeMemory memory;
    Interner names; // key bytes of names -> numbers in syms
    VEC(JitSym) syms;
    VEC(JitFunc *) pending;
    VEC(JitBatch *) batches; // by address
    JitBatch *spare;         // made by a publish that then failed
    JitResolver resolve;
    void *resolve_user;
    Map sigs; // hash of a signature -> number + 1 of the first of `entries` with it
    VEC(JitEntry) entries;
    uint32_t epoch;
    size_t code_size;
};

// The number of a name, made if new.
uint32_t jit_name(Jit *jit, ExtName name);
// The number of the first batch that starts after `pc`.
uint32_t jit_batch_after(const Jit *jit, const void *pc);

// walk.c: what the trap thunk calls with the stack pointer at the call of the trap stub and the return address of that
// call. Returns the address of two words, the stack pointer and the program counter to go on with.
void **jit_trap_exit(char *sp, Jit *jit, const void *pc);

// libcalls.c: the address of a function of the run-time library, or NULL; and its adapter.
void *jit_libcall(ExtName name, JitAdapter *adapter);

// host.c
// What the code of this Jit calls where `sym` is meant, which the host has at `addr`.
void *jit_sym_address(Jit *jit, JitSym *sym, void *addr);
// Runs a thunk with these four words in the simulator; returns its result.
int jit_simulate(Jit *jit, void *thunk, const uint64_t words[4]);
extern const JitAdapter jit_trap_adapter;

// A host function behind an exit thunk: this, then the thunk's name as text.
#define JIT_HOST "__vtr_host "

#endif
