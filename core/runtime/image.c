// Running a compiled module that was linked into this program.
//
// Frames are walked as the JIT walks them (jit/walk.c), by the tables of the image instead of those of a Jit.
#include "runtime/image.h"

#include <string.h>

bool rt_image_check(const RtImage *image) {
    return image->version == RT_IMAGE_VERSION && image->size == (uint32_t)RT_IMAGE_SIZE;
}

// ---- frames ----------------------------------------------------------------------------------------

typedef struct Walk {
    const RtImage *image;
    const char *base; // sp when the frame's function called, less what it pushed itself
    const char *pc;   // where that call returns to
    const RtImageFunc *func;
    const FrameSite *site;
    const char *sp; // of the frame
} Walk;

// The function whose call returns to `pc`. A call that never returns may be the last instruction of a function.
static const RtImageFunc *find_func(const RtImage *image, const char *pc) {
    uint32_t low = 0;
    uint32_t high = image->n_funcs;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (image->funcs[mid].code < pc) low = mid + 1;
        else high = mid;
    }
    if (!low) return NULL;
    const RtImageFunc *func = &image->funcs[low - 1];
    return (uint64_t)(pc - func->code) <= func->n_code ? func : NULL;
}

// Finds the frame the walk stands at and moves on to its caller.
static bool walk_frame(Walk *w) {
    w->func = find_func(w->image, w->pc);
    w->site = w->func ? frame_site_at(w->func->sites, w->func->n_sites, (uint32_t)(w->pc - w->func->code)) : NULL;
    if (!w->site) return false;
    w->sp = w->base - w->site->pop;
    memcpy(&w->pc, w->sp + w->site->ret, sizeof w->pc);
    w->base = w->sp + w->site->top;
    return true;
}

static bool at_entry(const Walk *w) { return w->func->landing != BC_NONE; }

static Walk walk_from(const RtActivation *a) {
    Walk w = {.image = a->image, .base = a->exit.sp, .pc = a->exit.pc};
    if (!w.pc) { // the call pushed it
        memcpy(&w.pc, w.base, sizeof w.pc);
        w.base += sizeof w.pc;
    }
    return w;
}

static void frame_roots(void *data, Heap *heap, HeapVisit *visit) {
    Instance *instance = data;
    for (const RtActivation *a = instance->vm->activation; a; a = a->parent) {
        if (!a->exit.sp) continue; // it has not called out
        Walk w = walk_from(a);
        while (walk_frame(&w) && !at_entry(&w))
            for (uint32_t k = 0; k < w.site->n_refs; k++)
                visit(heap, (Ref *)(uintptr_t)(w.sp + w.func->refs[w.site->refs + k]));
    }
}

// ---- traps -----------------------------------------------------------------------------------------

// Wrappers of imports are not the program's frames: the call of an import is what trapped. Nor is a function that
// found no room for its frame: STACK is a trap of the call, before the callee's first instruction.
static void record_trap(Instance *instance, Walk w) {
    uint64_t hidden = 0;
    uint64_t depth = 0;
    for (; walk_frame(&w) && !at_entry(&w); depth++) {
        uint32_t code = w.site->trap;
        if (!depth && code == RT_TRAP_EXIT) code = (uint32_t)instance->vm->exit_code;
        if (!depth) rt_trap_begin(instance, code == RT_TRAP_STACK ? (uint32_t)BC_TRAP_STACK : code);
        bool entered = depth || w.site->trap != RT_TRAP_STACK;
        bool shown = entered && w.func->func != BC_NONE && w.func->func >= instance->module->n_imp_funcs;
        // One more than are shown is looked at: the innermost may be the wrapper of an import.
        if (shown && depth <= RT_MAX_FRAMES)
            rt_trap_frame(instance, w.func->func, w.site->srcloc == UINT32_MAX ? 0 : w.site->srcloc);
        else if (depth <= RT_MAX_FRAMES) hidden++;
    }
    instance->trap.depth = depth - hidden;
}

const void *const *rt_image_trap(const RtImage *image, const char *sp, const char *pc) {
    const Walk start = {.image = image, .base = sp, .pc = pc};
    Walk w = start;
    while (walk_frame(&w) && !at_entry(&w)) continue;
    // Every return address of compiled code is a site and the outermost frame is an entry thunk's; were it not so,
    // there would be nothing to return to.
    if (!w.site || !at_entry(&w)) __builtin_trap();
    RtActivation *activation;
    memcpy(&activation, w.sp + w.func->activation, sizeof activation);
    record_trap(activation->instance, start);
    activation->resume[0] = w.sp;
    activation->resume[1] = w.func->code + w.func->landing;
    return activation->resume;
}

// ---- instances -------------------------------------------------------------------------------------

static void resolve(void *user, const BcModule *m, const BcImport *import, const char *key, RtResolved *resolved) {
    const RtImage *image = user;
    (void)key;
    resolved->address = (void *)(uintptr_t)image->externs[import - m->imports];
}

static uint64_t function_address(void *user, uint32_t func) {
    const RtImage *image = user;
    return (uint64_t)(uintptr_t)image->addresses[func];
}

Instance *rt_image_instance(Arena *arena, const RtImage *image, const RtOptions *options) {
    RtOptions chosen = *options;
    chosen.resolve = resolve;
    chosen.resolve_user = (void *)(uintptr_t)image;
    Instance *instance = rt_instance_new(arena, image->module, &chosen);
    instance->engine = (void *)(uintptr_t)image;
    rt_function_globals(instance, function_address, (void *)(uintptr_t)image);
    heap_add_roots(instance->heap, (HeapRoots){frame_roots, instance});
    return instance;
}

uint32_t rt_image_call(Instance *instance, uint32_t func, const uint64_t *args, uint64_t *result) {
    const RtImage *image = instance->engine;
    VmCtx *vm = instance->vm;
    const BcType *sig = bc_type(instance->module, bc_function_sig(instance->module, func));
    uint64_t words[UINT8_MAX + 2] = {(uint64_t)(uintptr_t)vm};
    if (sig->n) memcpy(words + 1, args, sig->n * sizeof *args);
    RtActivation activation = {.parent = vm->activation, .image = image, .instance = instance};
    vm->activation = &activation;
    rt_stack_enter(instance);
    *result = 0;
    uint32_t trapped = image->entries[func](image->addresses[func], words, result, &activation);
    vm->activation = activation.parent;
    return trapped ? instance->trap.code : 0;
}
