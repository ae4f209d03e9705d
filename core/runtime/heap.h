// The heap: objects, and the interface that a garbage collector plugs into.
//
// An object is a header of 16 bytes and a payload; a reference is the payload's address (null = 0). Compiled code
// reads `type` and `length` at fixed distances below the payload (HEAP_OFF_*) and the payload itself; everything
// else it leaves to the collector.
//
// A collector may move every object whenever the program is at a safepoint. What it may not know by itself, where
// the references are, it asks: HeapRoots callbacks enumerate slots (global cells, constants, interpreter registers,
// stack slots of compiled frames), and the collector updates the slots in place. Objects themselves are described by
// HeapType: the reference map of a struct, or whether an array's elements are references.
//
// Rules for whoever writes a collector: alloc() may collect; read_barrier and write_barrier may be NULL, and then
// compiled code does not call them; nothing may recurse on the shape of the object graph.
#ifndef VTR_RUNTIME_HEAP_H
#define VTR_RUNTIME_HEAP_H

#include "support/vec.h"

typedef uint64_t Ref; // payload address, 0 = null

typedef struct ObjHeader {
    uint64_t gc;     // the collector's word; 0 in a new object
    uint32_t type;   // index into Heap.types
    uint32_t length; // elements of an array; 0 for a struct
} ObjHeader;

enum { HEAP_HEADER = sizeof(ObjHeader), HEAP_OFF_TYPE = -8, HEAP_OFF_LENGTH = -4 };

static inline ObjHeader *heap_header(Ref r) { return (ObjHeader *)(uintptr_t)r - 1; }
static inline void *heap_payload(Ref r) { return (void *)(uintptr_t)r; }

typedef enum HeapKind { HEAP_OPAQUE, HEAP_STRUCT, HEAP_ARRAY } HeapKind;

typedef struct HeapType {
    uint8_t kind;        // HeapKind; HEAP_OPAQUE entries (function types) have no objects
    bool refs;           // HEAP_ARRAY: the elements are references; HEAP_STRUCT: the map has a bit
    uint32_t size;       // bytes of a struct's payload, or of one array element
    uint32_t n_map;      // words of the reference map (HEAP_STRUCT)
    const uint32_t *map; // bit k: payload word k (8 bytes) is a reference
} HeapType;

typedef struct Heap Heap;
typedef void HeapVisit(Heap *heap, Ref *slot);

// Calls visit(heap, slot) for every root it knows. Null slots are allowed.
typedef struct HeapRoots {
    void (*each)(void *data, Heap *heap, HeapVisit *visit);
    void *data;
} HeapRoots;

typedef struct Collector {
    const char *name;
    // Makes the collector's state in heap->state. false: the system refused memory.
    bool (*start)(Heap *heap);
    void (*stop)(Heap *heap);
    // `bytes` of zeroed memory (header included, a multiple of 8) at an address divisible by 8, or NULL when there is
    // no room even after a collection. Stores the object's payload nowhere: the caller fills the header.
    void *(*alloc)(Heap *heap, uint64_t bytes);
    void (*collect)(Heap *heap);
    // Called before a reference is loaded from / after a reference was stored to *slot, a field of an object, an
    // element or a global cell. NULL = none.
    Ref (*read_barrier)(Heap *heap, Ref *slot);
    void (*write_barrier)(Heap *heap, Ref *slot, Ref value);
} Collector;

// Where the next object may go: memory from top to end is free and zero. Compiled code allocates a struct here by
// itself when it fits, by moving top and writing the header; only otherwise it calls. A collector that wants to hear
// of each allocation keeps end at top.
typedef struct HeapWindow {
    uint64_t top;
    uint64_t end;
} HeapWindow;

typedef struct HeapOptions {
    uint64_t limit;     // bytes of live objects and what was allocated since the last collection; 0 = the default
    bool stress;        // every safepoint collects, every collection moves everything and unmaps the old place
    HeapWindow *window; // where compiled code looks; NULL = the heap has one of its own
} HeapOptions;

typedef struct HeapStats {
    uint64_t collections;
    uint64_t moved; // objects, ever
} HeapStats;

struct Heap {
    Arena *arena;
    const HeapType *types;
    uint32_t n_types;
    const Collector *collector;
    void *state;
    HeapWindow *window;
    HeapOptions options;
    HeapStats stats;
    VEC(HeapRoots) roots;
};

#define HEAP_DEFAULT_LIMIT (UINT64_C(1) << 30)
#define HEAP_MAX_LENGTH INT32_MAX // elements of an array

extern const Collector heap_semispace; // the moving collector of runtime/semispace.c

// A heap whose memory and registration belong to `arena`. types must outlive it. options NULL = defaults. Throws
// VTR_ERR_SYSTEM when no memory can be mapped.
Heap *heap_new(Arena *arena, const HeapType *types, uint32_t n_types, const Collector *collector,
               const HeapOptions *options);
void heap_add_roots(Heap *heap, HeapRoots roots);

// A zeroed object; 0 = out of memory even after a collection. May move every other object.
Ref heap_struct(Heap *heap, uint32_t type);
Ref heap_array(Heap *heap, uint32_t type, uint32_t length);

void heap_collect(Heap *heap);
// A safepoint without anything to allocate: collects under stress.
static inline void heap_safepoint(Heap *heap) {
    if (heap->options.stress) heap_collect(heap);
}

static inline Ref heap_load_ref(Heap *heap, Ref *slot) {
    return heap->collector->read_barrier ? heap->collector->read_barrier(heap, slot) : *slot;
}
static inline void heap_store_ref(Heap *heap, Ref *slot, Ref value) {
    *slot = value;
    if (heap->collector->write_barrier) heap->collector->write_barrier(heap, slot, value);
}

// For collectors: visits every root; the bytes of an object, header included.
void heap_each_root(Heap *heap, HeapVisit *visit);
uint64_t heap_object_bytes(const Heap *heap, const ObjHeader *header);

#endif
