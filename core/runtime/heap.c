#include "runtime/heap.h"

#include <string.h>

static void heap_stop(void *data) {
    Heap *heap = data;
    heap->collector->stop(heap);
}

static uint64_t heap_round(uint64_t bytes) { return (bytes + 7) & ~UINT64_C(7); }

uint64_t heap_object_bytes(const Heap *heap, const ObjHeader *header) {
    const HeapType *type = &heap->types[header->type];
    uint64_t payload = type->kind == HEAP_ARRAY ? (uint64_t)type->size * header->length : type->size;
    return HEAP_HEADER + heap_round(payload);
}

static Ref heap_object(Heap *heap, uint32_t type, uint32_t length) {
    ObjHeader header = {0, type, length};
    uint64_t bytes = heap_object_bytes(heap, &header);
    if (bytes > heap->options.limit) {
        heap->collector->collect(heap); // the contract of OOM: after a collection
        return 0;
    }
    ObjHeader *object = heap->collector->alloc(heap, bytes);
    if (!object) return 0;
    *object = header;
    return (Ref)(uintptr_t)(object + 1);
}

void heap_each_root(Heap *heap, HeapVisit *visit) {
    for (uint32_t i = 0; i < heap->roots.n; i++) heap->roots.v[i].each(heap->roots.v[i].data, heap, visit);
}

Heap *heap_new(Arena *arena, const HeapType *types, uint32_t n_types, const Collector *collector,
               const HeapOptions *options) {
    Heap *heap = NEW(arena, Heap);
    heap->arena = arena;
    heap->types = types;
    heap->n_types = n_types;
    heap->collector = collector;
    if (options) heap->options = *options;
    heap->window = heap->options.window ? heap->options.window : NEW(arena, HeapWindow);
    if (!heap->options.limit) heap->options.limit = HEAP_DEFAULT_LIMIT;
    arena_on_free(arena, heap_stop, heap);
    if (!collector->start(heap)) ctx_fail(arena_ctx(arena), VTR_ERR_SYSTEM, "no memory can be mapped for the heap");
    return heap;
}

void heap_add_roots(Heap *heap, HeapRoots roots) { vec_push(heap->arena, &heap->roots, roots); }

Ref heap_struct(Heap *heap, uint32_t type) { return heap_object(heap, type, 0); }

Ref heap_array(Heap *heap, uint32_t type, uint32_t length) { return heap_object(heap, type, length); }

void heap_collect(Heap *heap) { heap->collector->collect(heap); }
