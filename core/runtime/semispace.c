// A moving collector: Cheney's semispace copying collector (C. J. Cheney, "A nonrecursive list compacting
// algorithm", CACM 13(11), 1970).
//
// Theory. Objects are allocated by bumping `top` through one mapped space. A collection maps a second space, copies
// what the roots reach to its start, then scans the copies from left to right: `scan` chases `top`, everything left
// of `scan` refers only to the new space. The region between the two pointers is the work list, so nothing recurses
// and nothing is allocated beside the new space. A copied object leaves its new payload address + 1 in the gc word
// of the old header (payloads are at least 8-aligned, so bit 0 tells).
//
//   roots -> [A|B]      old: A(fwd) B(fwd) C          new: A' B'
//                                                           ^scan  ^top      C is garbage
//
// The old space is unmapped at once: a reference that someone forgot to report crashes instead of reading garbage.
//
// Sizes. After a collection that left L live bytes, the program may allocate max(SPACE_MIN, L) bytes until the next
// one; the work of a collection is linear in L, so allocation is amortised constant per byte. Mapped pages are zero
// and are touched only when used.
//
// Stress mode collects at every safepoint, so one map and one unmap call each time would dominate. There, a stretch
// of address space is mapped once and the spaces are laid into it one after the other, never reusing an address
// until the stretch is used up; the old place is unmapped at every collection just the same.
#include "runtime/heap.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Space {
    char *base; // page-aligned
    char *top;  // next free byte
    char *end;
} Space;

typedef struct Semi {
    Space space;   // its top is window->top; window->end is where the limit or the space ends
    Space to;      // during a collection
    char *stretch; // stress: mapped and not yet used, up to stretch_end
    char *stretch_end;
    uint64_t page;
    uint64_t live; // bytes after the last collection
} Semi;

#define SPACE_MIN (UINT64_C(1) << 20)
#define STRETCH_SIZE (UINT64_C(64) << 20)

static uint64_t semi_pages(const Semi *semi, uint64_t bytes) { return (bytes + semi->page - 1) & ~(semi->page - 1); }

static char *semi_map(uint64_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

// An empty space of at least `bytes`; false when the system has no memory.
static bool semi_space(Heap *heap, Space *space, uint64_t bytes) {
    Semi *semi = heap->state;
    bytes = semi_pages(semi, bytes);
    if (heap->options.stress && bytes <= STRETCH_SIZE) {
        if ((uint64_t)(semi->stretch_end - semi->stretch) < bytes) {
            char *stretch = semi_map(STRETCH_SIZE);
            if (!stretch) return false;
            if (semi->stretch < semi->stretch_end) munmap(semi->stretch, (size_t)(semi->stretch_end - semi->stretch));
            semi->stretch = stretch;
            semi->stretch_end = stretch + STRETCH_SIZE;
        }
        space->base = semi->stretch;
        semi->stretch += bytes;
    } else {
        space->base = semi_map(bytes);
        if (!space->base) return false;
    }
    space->top = space->base;
    space->end = space->base + bytes;
    return true;
}

static void semi_visit(Heap *heap, Ref *slot) {
    Semi *semi = heap->state;
    if (!*slot) return;
    ObjHeader *old = heap_header(*slot);
    if (!(old->gc & 1)) {
        uint64_t bytes = heap_object_bytes(heap, old);
        ObjHeader *copy = (ObjHeader *)semi->to.top;
        memcpy(copy, old, bytes);
        semi->to.top += bytes;
        old->gc = (uint64_t)(uintptr_t)(copy + 1) | 1;
        heap->stats.moved++;
    }
    *slot = old->gc & ~UINT64_C(1);
}

static void semi_scan_struct(Heap *heap, const HeapType *type, Ref *words) {
    for (uint32_t w = 0; w < type->n_map; w++) {
        for (uint32_t bits = type->map[w]; bits; bits &= bits - 1)
            semi_visit(heap, &words[w * 32 + (uint32_t)__builtin_ctz(bits)]);
    }
}

static void semi_scan(Heap *heap) {
    Semi *semi = heap->state;
    for (char *scan = semi->to.base; scan < semi->to.top;) {
        ObjHeader *object = (ObjHeader *)scan;
        const HeapType *type = &heap->types[object->type];
        Ref *words = (Ref *)(object + 1);
        if (type->kind == HEAP_STRUCT) {
            if (type->refs) semi_scan_struct(heap, type, words);
        } else if (type->refs) {
            for (uint32_t i = 0; i < object->length; i++) semi_visit(heap, &words[i]);
        }
        scan += heap_object_bytes(heap, object);
    }
}

// Shows the program the free part of the space, or under stress nothing of it.
static void semi_show(Heap *heap) {
    const Space *space = &((Semi *)heap->state)->space;
    uint64_t room = (uint64_t)(space->end - space->base);
    uint64_t most = room < heap->options.limit ? room : heap->options.limit;
    heap->window->top = (uint64_t)(uintptr_t)space->top;
    heap->window->end = (uint64_t)(uintptr_t)space->base + most;
    if (heap->options.stress || heap->window->end < heap->window->top) heap->window->end = heap->window->top;
}

// Copies the live objects into a new space in which `request` more bytes fit. false: no memory; nothing changed.
static bool semi_collect_for(Heap *heap, uint64_t request) {
    Semi *semi = heap->state;
    semi->space.top = (char *)(uintptr_t)heap->window->top;
    uint64_t used = (uint64_t)(semi->space.top - semi->space.base);
    uint64_t slack = heap->options.stress ? 0 : used > SPACE_MIN ? used : SPACE_MIN;
    if (!semi_space(heap, &semi->to, used + request + slack + semi->page)) return false;
    heap_each_root(heap, semi_visit);
    semi_scan(heap);
    munmap(semi->space.base, (size_t)(semi->space.end - semi->space.base));
    semi->space = semi->to;
    semi->live = (uint64_t)(semi->space.top - semi->space.base);
    // Give back what is beyond the room that the live bytes justify.
    uint64_t room = semi->live > SPACE_MIN ? semi->live : SPACE_MIN;
    char *end = semi->space.base + semi_pages(semi, semi->live + request + (heap->options.stress ? 0 : room));
    if (end < semi->space.end) {
        if (semi->stretch == semi->space.end) semi->stretch = end; // never touched, so still zero
        else munmap(end, (size_t)(semi->space.end - end));
        semi->space.end = end;
    }
    semi_show(heap);
    heap->stats.collections++;
    return true;
}

static void *semi_alloc(Heap *heap, uint64_t bytes) {
    Semi *semi = heap->state;
    HeapWindow *window = heap->window;
    if (heap->options.stress || window->end - window->top < bytes) {
        if (!semi_collect_for(heap, bytes)) return NULL;
        if (semi->live + bytes > heap->options.limit) return NULL;
    }
    void *memory = (void *)(uintptr_t)window->top;
    window->top += bytes;
    if (heap->options.stress) window->end = window->top;
    return memory;
}

static void semi_collect(Heap *heap) {
    Semi *semi = heap->state;
    // An empty heap has nothing to move.
    if (heap->window->top != (uint64_t)(uintptr_t)semi->space.base) semi_collect_for(heap, 0);
}

static bool semi_start(Heap *heap) {
    Semi *semi = NEW(heap->arena, Semi);
    heap->state = semi;
    semi->page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (!semi_space(heap, &semi->space, heap->options.stress ? semi->page : SPACE_MIN)) return false;
    semi_show(heap);
    return true;
}

static void semi_stop(Heap *heap) {
    Semi *semi = heap->state;
    if (!semi) return;
    if (semi->space.base) munmap(semi->space.base, (size_t)(semi->space.end - semi->space.base));
    if (semi->stretch < semi->stretch_end) munmap(semi->stretch, (size_t)(semi->stretch_end - semi->stretch));
}

const Collector heap_semispace = {
    .name = "semispace",
    .start = semi_start,
    .stop = semi_stop,
    .alloc = semi_alloc,
    .collect = semi_collect,
};
