// Vectors, bit sets, maps, interner and byte buffers.
#include <stdio.h>
#include <string.h>

#include "support/queue.h"
#include "support/bits.h"
#include "support/buf.h"
#include "support/leb.h"
#include "support/map.h"
#include "support/vec.h"

// ---- vectors -----------------------------------------------------------------------------------

void *vec_grow_(Arena *arena, void *old, uint32_t n, uint32_t *cap, size_t extra, size_t size) {
    if (extra <= *cap - n) return old;
    if (extra > UINT32_MAX - n) ctx_throw(arena_ctx(arena), VTR_ERR_LIMIT);
    uint64_t want = (uint64_t)*cap * 2;
    if (want < n + extra) want = n + extra;
    if (want < 8) want = 8;
    if (want > UINT32_MAX) want = UINT32_MAX;
    void *grown = arena_array(arena, (size_t)want, size);
    if (n) memcpy(grown, old, (size_t)n * size);
    *cap = (uint32_t)want;
    return grown;
}

// ---- queues ------------------------------------------------------------------------------------

static bool queue_before(Queued a, Queued b) { return a.key < b.key || (a.key == b.key && a.item < b.item); }

void queue_push(Arena *arena, Queue *q, uint32_t key, uint32_t item) {
    Queued x = {key, item};
    vec_push(arena, &q->v, x);
    uint32_t k = q->v.n - 1;
    while (k && queue_before(x, q->v.v[(k - 1) / 2])) {
        q->v.v[k] = q->v.v[(k - 1) / 2];
        k = (k - 1) / 2;
    }
    q->v.v[k] = x;
}

Queued queue_pop(Queue *q) {
    Queued top = q->v.v[0];
    Queued x = q->v.v[--q->v.n];
    uint32_t n = q->v.n;
    uint32_t k = 0;
    for (;;) {
        uint32_t child = 2 * k + 1;
        if (child >= n) break;
        if (child + 1 < n && queue_before(q->v.v[child + 1], q->v.v[child])) child++;
        if (!queue_before(q->v.v[child], x)) break;
        q->v.v[k] = q->v.v[child];
        k = child;
    }
    if (n) q->v.v[k] = x;
    return top;
}

// ---- maps --------------------------------------------------------------------------------------

uint64_t hash_u64(uint64_t x) {
    // The finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t hash_bytes(const void *bytes, size_t size) {
    // FNV-1a, then mixed, as its low bits are weak.
    const unsigned char *p = bytes;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return hash_u64(h ^ size);
}

Map map_new(Arena *arena) { return (Map){.arena = arena}; }

static uint32_t *map_slot(const Map *map, uint64_t key) {
    uint32_t mask = map->n_slots - 1;
    uint32_t i = (uint32_t)hash_u64(key) & mask;
    while (map->slots[i] && map->entries.v[map->slots[i] - 1].key != key) i = (i + 1) & mask;
    return &map->slots[i];
}

uint32_t *map_find(const Map *map, uint64_t key) {
    if (!map->n_slots) return NULL;
    uint32_t slot = *map_slot(map, key);
    return slot ? &map->entries.v[slot - 1].value : NULL;
}

static void map_grow(Map *map) {
    map->n_slots = map->n_slots ? map->n_slots * 2 : 16;
    map->slots = NEW_ARRAY(map->arena, uint32_t, map->n_slots);
    for (uint32_t i = 0; i < map->entries.n; i++) *map_slot(map, map->entries.v[i].key) = i + 1;
}

uint32_t *map_add(Map *map, uint64_t key, uint32_t initial, bool *added) {
    // At most three quarters full.
    if ((uint64_t)(map->entries.n + 1) * 4 > (uint64_t)map->n_slots * 3) map_grow(map);
    uint32_t *slot = map_slot(map, key);
    if (added) *added = *slot == 0;
    if (!*slot) {
        vec_push(map->arena, &map->entries, (MapEntry){key, initial});
        *slot = map->entries.n;
    }
    return &map->entries.v[*slot - 1].value;
}

// ---- interner ----------------------------------------------------------------------------------

Interner interner_new(Arena *arena) { return (Interner){.map = map_new(arena)}; }

static uint32_t chain_find(const Interner *table, uint32_t at, const char *text, size_t len) {
    for (; at != UINT32_MAX; at = table->symbols.v[at].next) {
        const Symbol *symbol = &table->symbols.v[at];
        if (symbol->len == len && memcmp(symbol->text, text, len) == 0) return at;
    }
    return UINT32_MAX;
}

uint32_t intern_find(const Interner *table, const char *text, size_t len) {
    const uint32_t *head = map_find(&table->map, hash_bytes(text, len));
    return head ? chain_find(table, *head, text, len) : UINT32_MAX;
}

uint32_t intern(Interner *table, const char *text, size_t len) {
    Arena *arena = table->map.arena;
    uint32_t *head = map_add(&table->map, hash_bytes(text, len), UINT32_MAX, NULL);
    uint32_t found = chain_find(table, *head, text, len);
    if (found != UINT32_MAX) return found;
    vec_push(arena, &table->symbols, (Symbol){arena_text(arena, text, len), (uint32_t)len, *head});
    return *head = table->symbols.n - 1;
}

// ---- byte buffers ------------------------------------------------------------------------------

Buf buf_new(Arena *arena) { return (Buf){.arena = arena}; }

// Room for n bytes and the NUL behind them.
static char *buf_room(Buf *buf, size_t n) {
    vec_reserve(buf->arena, &buf->bytes, n + 1);
    return buf->bytes.v + buf->bytes.n;
}

void buf_bytes(Buf *buf, const void *bytes, size_t size) {
    char *to = buf_room(buf, size);
    if (size) memcpy(to, bytes, size);
    to[size] = 0;
    buf->bytes.n += (uint32_t)size;
}

void buf_text(Buf *buf, const char *text) { buf_bytes(buf, text, strlen(text)); }
void buf_char(Buf *buf, char c) { buf_bytes(buf, &c, 1); }

void buf_printf(Buf *buf, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n > 0) {
        char *to = buf_room(buf, (size_t)n);
        vsnprintf(to, (size_t)n + 1, fmt, again);
        buf->bytes.n += (uint32_t)n;
    }
    va_end(again);
}

static void buf_little(Buf *buf, uint64_t x, unsigned n) {
    unsigned char bytes[8];
    for (unsigned i = 0; i < n; i++) bytes[i] = (unsigned char)(x >> 8 * i);
    buf_bytes(buf, bytes, n);
}
void buf_u8(Buf *buf, uint8_t x) { buf_little(buf, x, 1); }
void buf_u16(Buf *buf, uint16_t x) { buf_little(buf, x, 2); }
void buf_u32(Buf *buf, uint32_t x) { buf_little(buf, x, 4); }
void buf_u64(Buf *buf, uint64_t x) { buf_little(buf, x, 8); }

static void buf_leb(Buf *buf, uint64_t x, bool is_signed) {
    uint8_t bytes[LEB_MAX];
    buf_bytes(buf, bytes, leb_put(bytes, x, is_signed));
}
void buf_uleb(Buf *buf, uint64_t x) { buf_leb(buf, x, false); }
void buf_sleb(Buf *buf, int64_t x) { buf_leb(buf, (uint64_t)x, true); }

const char *buf_str(Buf *buf) {
    if (!buf->bytes.n) *buf_room(buf, 0) = 0;
    return buf->bytes.v;
}
