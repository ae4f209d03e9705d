// A compiled module as an object file carries it: everything that the runtime needs of it, as read-only data with
// addresses. core/aot/image.c writes these structures for a machine of 64-bit little-endian words, whose C compiler
// lays them out as the one that compiled the library does (rt_image_check() makes sure); this file's functions run it.
//
// The module is a BcModule without what only a compiler wants of it: instructions, registers, variables.
#ifndef VTR_RUNTIME_IMAGE_H
#define VTR_RUNTIME_IMAGE_H

#include "runtime/frames.h"
#include "runtime/instance.h"

typedef struct RtImageFunc {
    const char *code;
    uint32_t n_code;
    uint32_t func;       // function index, BC_NONE for a thunk
    uint32_t landing;    // entry thunks: where a trap resumes, from `code`; else BC_NONE
    uint32_t activation; // entry thunks: the offset from sp of the word that holds the activation
    uint32_t n_sites;
    const FrameSite *sites; // rising `at`; `trap` is VITBC's code, RT_TRAP_EXIT or RT_TRAP_STACK
    const int32_t *refs;
} RtImageFunc;

// Calls the code `fn` with the arguments at `args`; 0 = it returned, 1 = it trapped.
typedef uint32_t RtEntry(const void *fn, const uint64_t *args, uint64_t *results, void *activation);

typedef struct RtImage {
    uint32_t version; // RT_IMAGE_VERSION
    uint32_t size;    // a sum over the sizes of the structures
    const BcModule *module;
    const RtImageFunc *funcs;     // by address
    const void *const *addresses; // by function index: its code
    RtEntry *const *entries;      // by function index: the entry thunk of an exported function, else NULL
    const void *const *externs;   // by import: the address of the symbol with its name, where C is to provide it
    uint32_t n_funcs;
    uint32_t entry; // the function that the executable runs, BC_NONE = none
} RtImage;

enum {
    RT_IMAGE_VERSION = 1,
    RT_IMAGE_SIZE = sizeof(RtImage) + sizeof(RtImageFunc) * 3 + sizeof(FrameSite) * 5 + sizeof(BcModule) * 7 +
                    sizeof(BcType) * 11 + sizeof(BcFunc) * 13 + sizeof(BcRecord) * 17 + sizeof(BcData) * 19 +
                    sizeof(BcConst) * 23 + sizeof(BcStr) * 29
};

// A trap of the stack check, in FrameSite.trap: told apart from TRAP 8, whose frame has been entered.
enum { RT_TRAP_STACK = 201 };

// What compiled code hangs on the stack (jit/jit.h tells how it works).
typedef struct RtActivation {
    FrameExit exit;
    struct RtActivation *parent;
    const RtImage *image;
    Instance *instance;
    const void *resume[2];
} RtActivation;

// Whether the image was written for this runtime.
bool rt_image_check(const RtImage *image);
// An instance of the image's module, with its frames among the roots of the heap. Throws as rt_instance_new().
Instance *rt_image_instance(Arena *arena, const RtImage *image, const RtOptions *options);
// Runs a function that has an entry thunk. Returns 0, or the code by which all frames were left, with instance->trap
// filled.
uint32_t rt_image_call(Instance *instance, uint32_t func, const uint64_t *args, uint64_t *result);

// What the trap thunk of an object calls, by way of vtr_rt_trap_exit() of the executable, which knows the image: `sp`
// at the call of a trap stub, and where that returns to. Gives the stack pointer and the address to go on with.
const void *const *rt_image_trap(const RtImage *image, const char *sp, const char *pc);

#endif
