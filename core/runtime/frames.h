// What is known of compiled code where it calls out: enough to walk its frames. Emission makes it; the JIT keeps it in
// memory, objects carry it as data.
#ifndef VTR_RUNTIME_FRAMES_H
#define VTR_RUNTIME_FRAMES_H

#include <stddef.h>
#include <stdint.h>

typedef enum SiteKind { SITE_CALL, SITE_TRAP } SiteKind;

// A return address of interest: after a call, or after the call of a trap stub.
typedef struct FrameSite {
    uint32_t at;           // offset of the return address
    uint8_t kind;          // SiteKind
    uint8_t trap;          // SITE_TRAP: TRAP_* code
    uint32_t srcloc;       // IR srcloc, NONE = none
    uint32_t refs, n_refs; // SITE_CALL: run in Code.refs: offsets from the frame's sp of slots that hold references
    // For walking: from the frame's sp at the site to the word that holds the frame's own return address, and to the
    // end of what the frame's caller will have popped (the caller's sp is there, less the caller's own `pop`). A `ret`
    // of NONE: the address still is in the link register. That is so only at a trapping instruction (TRAPS_INSN) of a
    // function that calls nothing; every call's site, that of a trap stub included, has it on the stack.
    uint32_t ret, top;
    uint32_t pop; // SITE_CALL: bytes of stack arguments that the callee removes
} FrameSite;

// The site of a return address, in a list of rising ones; NULL = none.
static inline const FrameSite *frame_site_at(const FrameSite *sites, uint32_t n, uint32_t at) {
    uint32_t low = 0;
    uint32_t high = n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (sites[mid].at < at) low = mid + 1;
        else high = mid;
    }
    return low < n && sites[low].at == at ? &sites[low] : NULL;
}

// Where compiled code called out to a function that walks its frames: the first field of an activation, written by exit
// thunks. Where calls push the return address, sp is where the innermost frame's stands, and pc is not written;
// elsewhere they are the stack pointer at the call and the return address.
typedef struct FrameExit {
    char *sp; // NULL: it has not called out
    void *pc;
} FrameExit;

#endif
