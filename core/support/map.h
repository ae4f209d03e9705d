// A hash map from 64-bit keys to 32-bit numbers, in an arena; and an interner of byte strings on top of it.
// Iteration order is insertion order, so nothing ever depends on hashes.
#ifndef VTR_SUPPORT_MAP_H
#define VTR_SUPPORT_MAP_H

#include "support/vec.h"

typedef struct MapEntry {
    uint64_t key;
    uint32_t value;
} MapEntry;

typedef struct Map {
    Arena *arena;
    VEC(MapEntry) entries; // in insertion order
    uint32_t *slots;       // entry index + 1, 0 = free
    uint32_t n_slots;      // a power of two, or 0
} Map;

Map map_new(Arena *arena);
// The value of `key`, or NULL.
uint32_t *map_find(const Map *map, uint64_t key);
// The value of `key`, inserted as `initial` when absent; *added tells which (may be NULL).
uint32_t *map_add(Map *map, uint64_t key, uint32_t initial, bool *added);

// A mixing function good enough for hash tables; not cryptographic.
uint64_t hash_u64(uint64_t x);
uint64_t hash_bytes(const void *bytes, size_t size);

// Byte strings <-> dense numbers 0, 1, 2, ... in order of first appearance.
typedef struct Symbol {
    const char *text; // NUL-terminated copy
    uint32_t len;
    uint32_t next; // chain of equal hashes; internal
} Symbol;

typedef struct Interner {
    Map map;
    VEC(Symbol) symbols;
} Interner;

Interner interner_new(Arena *arena);
uint32_t intern(Interner *table, const char *text, size_t len);
// The number of a string that is there, or UINT32_MAX.
uint32_t intern_find(const Interner *table, const char *text, size_t len);

#endif
