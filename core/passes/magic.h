// Division by a constant as a multiplication by its reciprocal.
//
// Theory. T. Granlund and P. Montgomery, "Division by Invariant Integers using Multiplication" (PLDI 1994). Let N be
// the width and d the divisor, no power of two. With p = 2^(N+s) and m = ceil(p / d), the error m * d - p is e, 0 < e <
// d.
//   unsigned   floor(x * m / p) = floor(x / d) for all 0 <= x < 2^N      when e <= 2^s     (theorem 4.2)
//   signed     the same for |x| <= 2^(N-1), toward minus infinity         when e <= 2^(s+1) (theorem 5.1)
// Both hold at the latest for s = floor(log2 d) + 1 and s = floor(log2 d); smaller s with the property give smaller m.
// An unsigned m may then have N + 1 bits ("wide"): m = 2^N + w, and x * m / 2^N = x + umulhi(x, w), which is computed
// as
// ((x - t) / 2 + t) * 2 so that it does not overflow. A signed m below 2^N that reads as negative lacks the same 2^N.
// floor becomes truncation by adding 1 when x is negative.
//
// Example, N = 8, d = 10: s = 3, p = 2048, m = 205, e = 2 <= 8: x / 10 = (x * 205 >> 8) >> 3.
#ifndef VTR_PASSES_MAGIC_H
#define VTR_PASSES_MAGIC_H

#include "ir/ir.h"

__extension__ typedef unsigned __int128 Magic128;

// The least s up to `most` with an error of at most 2^(s + slack), and m for it, whatever its width.
static inline Magic128 magic_find(uint64_t d, unsigned width, unsigned slack, unsigned most, unsigned *s) {
    for (*s = 0;; ++*s) {
        Magic128 p = (Magic128)1 << (width + *s);
        Magic128 m = (p - 1) / d + 1;
        if (*s == most || m * d - p <= (Magic128)1 << (*s + slack)) return m;
    }
}

static inline unsigned magic_log2(uint64_t d) { return 63 - (unsigned)__builtin_clzll(d); }

// Whether an unsigned reciprocal of N bits does.
static inline bool rw_umagic_fits(uint64_t d, Type t) {
    unsigned s;
    Magic128 m = magic_find(d, type_bits(t), 0, magic_log2(d), &s);
    Magic128 p = (Magic128)1 << (type_bits(t) + s);
    return m >> type_bits(t) == 0 && m * d - p <= (Magic128)1 << s;
}

static inline uint64_t rw_umagic(uint64_t d, Type t) {
    unsigned s;
    return (uint64_t)magic_find(d, type_bits(t), 0, magic_log2(d), &s);
}

static inline uint64_t rw_umagic_shift(uint64_t d, Type t) {
    unsigned s;
    (void)magic_find(d, type_bits(t), 0, magic_log2(d), &s);
    return s;
}

// The low N bits of the one of N + 1 bits, for s = floor(log2 d) + 1.
static inline uint64_t rw_umagic_wide(uint64_t d, Type t) {
    unsigned width = type_bits(t);
    // 2^(N+s) - 2^N * d, divided by d, is m - 2^N and stays below 2^128.
    Magic128 over = (((Magic128)1 << (magic_log2(d) + 1)) - d) << width;
    return (uint64_t)(over / d + 1) & UINT64_MAX >> (64 - width);
}

static inline uint64_t rw_smagic(uint64_t d, Type t) {
    unsigned s;
    return (uint64_t)magic_find(d, type_bits(t), 1, magic_log2(d), &s);
}

static inline uint64_t rw_smagic_shift(uint64_t d, Type t) {
    unsigned s;
    (void)magic_find(d, type_bits(t), 1, magic_log2(d), &s);
    return s;
}

#endif
