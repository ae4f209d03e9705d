// Random numbers for tests: the same on every machine, and more often where arithmetic has its edges.
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <string.h>

#include "ir_tables.h"

typedef struct Random {
    uint64_t state;
} Random;

static inline Random random_new(uint64_t seed) {
    // Neighbouring seeds must not give related sequences (splitmix64's finish).
    seed += UINT64_C(0x9e3779b97f4a7c15);
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return (Random){seed ^ seed >> 31};
}

// A number below n.
static inline uint32_t pick(Random *r, uint32_t n) {
    r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((r->state >> 33) % n);
}

static inline bool chance(Random *r, uint32_t percent) { return pick(r, 100) < percent; }

static inline uint64_t random_word(Random *r) {
    uint64_t high = pick(r, 1u << 31);
    return high << 33 ^ (uint64_t)pick(r, 1u << 31) << 11 ^ pick(r, 1u << 31);
}

// Integers where rules, immediates and expansions have their edges, zero-extended.
static inline uint64_t random_int(Random *r, Type type) {
    static const uint8_t edges[] = {7, 8, 15, 16, 31, 32};
    unsigned width = type_bits(type);
    uint64_t all = UINT64_MAX >> (64 - width);
    uint64_t near = pick(r, 5) - UINT64_C(2);
    switch (pick(r, 10)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return all;
    case 3: return ((UINT64_C(1) << (width - 1)) + near) & all;
    case 4: return ((UINT64_C(1) << edges[pick(r, sizeof edges)]) + near) & all;
    case 5: return ((UINT64_MAX << edges[pick(r, sizeof edges)]) + near) & all;
    case 6: return UINT64_C(1) << pick(r, width);
    case 7: return pick(r, 256) & all;
    case 8: return (0 - (uint64_t)pick(r, 256)) & all;
    default: return random_word(r) & all;
    }
}

static inline uint64_t random_float(Random *r, Type type) {
    static const double values[] = {0.0,   -0.0,  1.0,    -1.5,         0.49999,       0.5,     2.5,
                                    127.5, 255.9, -128.9, 65535.5,      1e-310,        3e-42,   1e300,
                                    1e38,  -1.0,  3e9,    2147483648.0, -2147483649.0, -9.3e18, 9.2233720368547758e18,
                                    1.9e19};
    static const uint64_t bits64[] = {UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000),
                                      UINT64_C(0x7ff8000000000000), UINT64_C(0xfff8000000000001),
                                      UINT64_C(0x7ff0000000000001), UINT64_C(0x7fefffffffffffff)};
    static const uint32_t bits32[] = {0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0x7f7fffff};
    double d = values[pick(r, sizeof values / sizeof *values)];
    uint64_t bits = 0;
    uint32_t how = pick(r, 8);
    if (how == 0) return type == T_f32 ? bits32[pick(r, 6)] : bits64[pick(r, 6)];
    if (how == 1) return random_word(r) & (UINT64_MAX >> (64 - type_bits(type)));
    if (how == 2) d = (double)(int64_t)random_int(r, T_i64);
    if (type == T_f32) {
        float f = (float)d;
        memcpy(&bits, &f, sizeof f);
    } else {
        memcpy(&bits, &d, sizeof d);
    }
    return bits;
}

static inline uint64_t random_bits(Random *r, Type type) {
    return type_is_float(type) ? random_float(r, type) : random_int(r, type);
}

static inline bool is_nan(Type type, uint64_t bits) {
    if (type == T_f32) return (bits & 0x7fffffff) > 0x7f800000;
    return type == T_f64 && (bits & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

static inline Type type_of_set(Random *r, TypeSet set) {
    Type type;
    do type = (Type)pick(r, N_TYPES);
    while (!type_in(type, set));
    return type;
}

#endif
