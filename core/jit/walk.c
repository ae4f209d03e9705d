// From code addresses to functions and sites, and over the frames of compiled code. jit.h has the theory.
//
// A frame is known by a code address in it (a return address) and by `base`: the stack pointer that the frame's
// function had when it pushed what the frame below it uses, arguments that the callee removes included. The frame's
// own sp is base - site.pop; its return address and its caller's base follow from site.ret and site.top.
#include <string.h>

#include "emit/mach.h"
#include "jit/state.h"

uint32_t jit_batch_after(const Jit *jit, const void *pc) {
    uint32_t low = 0;
    uint32_t high = jit->batches.n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if ((uintptr_t)jit->batches.v[mid]->base <= (uintptr_t)pc) low = mid + 1;
        else high = mid;
    }
    return low;
}

// The function at a code address, or NULL.
static const JitFunc *func_at(const Jit *jit, const void *pc) {
    uint32_t b = jit_batch_after(jit, pc);
    if (b == 0) return NULL;
    const JitBatch *batch = jit->batches.v[b - 1];
    uint32_t low = 0;
    uint32_t high = batch->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if ((uintptr_t)batch->funcs[mid]->addr <= (uintptr_t)pc) low = mid + 1;
        else high = mid;
    }
    if (low == 0) return NULL;
    const JitFunc *f = batch->funcs[low - 1];
    return !f->dead && (uintptr_t)pc - (uintptr_t)f->addr < f->n_code ? f : NULL;
}

static const CodeSite *site_at(const JitFunc *func, uint32_t offset) {
    return frame_site_at(func->sites, func->n_sites, offset);
}

// A call that never returns may be a function's last instruction: its return address is the next function's start.
static const JitFunc *caller_at(const Jit *jit, const void *ret) {
    return func_at(jit, (const void *)((uintptr_t)ret - 1));
}

static uint32_t offset_in(const JitFunc *f, const void *pc) { return (uint32_t)((uintptr_t)pc - (uintptr_t)f->addr); }

bool jit_lookup(const Jit *jit, const void *pc, JitFrame *frame) {
    const JitFunc *f = caller_at(jit, pc);
    const CodeSite *site = f ? site_at(f, offset_in(f, pc)) : NULL;
    if (!site) f = func_at(jit, pc);
    if (!f) return false;
    uint32_t offset = offset_in(f, pc);
    *frame = (JitFrame){.func = f->name, .offset = offset, .srcloc = NONE};
    if (site) {
        frame->srcloc = site->srcloc;
        frame->refs = f->refs + site->refs;
        frame->n_refs = site->n_refs;
    }
    return true;
}

// ---- walking -------------------------------------------------------------------------------------

typedef struct Walk {
    const Jit *jit;
    char *base;
    const void *pc;
    const JitFunc *func; // of the frame, after walk_frame()
    JitFrame frame;
} Walk;

// Starts at the call of an exit thunk.
static Walk walk_from(const JitActivation *activation) {
    const Target *t = activation->jit->target;
    Walk w = {.jit = activation->jit, .base = activation->exit.sp, .pc = activation->exit.pc};
    if (mach_link(t) == NO_REG) {
        memcpy(&w.pc, w.base, sizeof w.pc);
        w.base += mach_word(t);
    }
    return w;
}

// Finds the frame the walk stands at and moves on to its caller. False when the address is not that of a site in
// published code: then the stack is not as compiled code leaves it.
static bool walk_frame(Walk *w) {
    w->func = caller_at(w->jit, w->pc);
    if (!w->func) return false;
    uint32_t offset = offset_in(w->func, w->pc);
    const CodeSite *site = site_at(w->func, offset);
    if (!site) return false;
    char *sp = w->base - site->pop;
    w->frame = (JitFrame){w->func->name, offset, site->srcloc, sp, w->func->refs + site->refs, site->n_refs};
    memcpy(&w->pc, sp + site->ret, sizeof w->pc);
    w->base = sp + site->top;
    return true;
}

static bool is_entry(const JitFunc *f) { return f->landing != NONE; }

void jit_walk(const JitActivation *activation, bool (*visit)(void *user, const JitFrame *frame), void *user) {
    for (; activation; activation = activation->parent) {
        if (!activation->exit.sp) continue; // it has not called out
        Walk w = walk_from(activation);
        while (walk_frame(&w) && !is_entry(w.func))
            if (!visit(user, &w.frame)) return;
    }
}

// ---- traps ---------------------------------------------------------------------------------------

void **jit_trap_exit(char *sp, Jit *jit, const void *pc) {
    Walk w = {.jit = jit, .base = sp, .pc = pc};
    const CodeSite *site = NULL;
    uint64_t depth = 0;
    while (walk_frame(&w) && !is_entry(w.func)) {
        if (depth++ == 0) site = site_at(w.func, w.frame.offset);
    }
    // Every return address of compiled code is a site and the outermost frame is an entry thunk's; were it not so,
    // there would be nothing to return to.
    if (!w.func || !is_entry(w.func)) __builtin_trap();
    JitActivation *activation;
    memcpy(&activation, w.frame.sp + w.func->activation, sizeof activation);
    activation->trap = site ? site->trap : 0;
    activation->depth = depth;
    activation->n_frames = 0;
    Walk again = {.jit = jit, .base = sp, .pc = pc};
    while (activation->n_frames < activation->max_frames && walk_frame(&again) && !is_entry(again.func))
        activation->frames[activation->n_frames++] = again.frame;
    activation->resume[0] = w.frame.sp;
    activation->resume[1] = w.func->addr + w.func->landing;
    return activation->resume;
}
