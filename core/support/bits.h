// Bit sets of a fixed size in an arena, and bit tricks.
#ifndef VTR_SUPPORT_BITS_H
#define VTR_SUPPORT_BITS_H

#include "support/ctx.h"

typedef struct Bits {
    uint64_t *w;
    uint32_t n; // number of bits
} Bits;

static inline Bits bits_new(Arena *arena, uint32_t n) {
    return (Bits){NEW_ARRAY(arena, uint64_t, ((size_t)n + 63) / 64), n};
}
static inline bool bits_has(Bits b, uint32_t i) { return b.w[i >> 6] >> (i & 63) & 1; }
static inline void bits_add(Bits b, uint32_t i) { b.w[i >> 6] |= UINT64_C(1) << (i & 63); }
static inline void bits_del(Bits b, uint32_t i) { b.w[i >> 6] &= ~(UINT64_C(1) << (i & 63)); }

// x must not be 0.
static inline unsigned bit_ctz64(uint64_t x) { return (unsigned)__builtin_ctzll(x); }
static inline unsigned bit_clz64(uint64_t x) { return (unsigned)__builtin_clzll(x); }
static inline unsigned bit_popcount64(uint64_t x) { return (unsigned)__builtin_popcountll(x); }

// The low `width` bits (1..64) of x, zero- and sign-extended.
static inline uint64_t bit_zext(uint64_t x, unsigned width) { return x << (64 - width) >> (64 - width); }
static inline int64_t bit_sext(uint64_t x, unsigned width) {
    uint64_t sign = UINT64_C(1) << (width - 1);
    return (int64_t)((bit_zext(x, width) ^ sign) - sign);
}

#endif
