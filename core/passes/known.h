// What is known of values at one place of a function: ranges, and which value is at most another plus a constant.
#ifndef VTR_PASSES_KNOWN_H
#define VTR_PASSES_KNOWN_H

#include "passes/objects.h"
#include "passes/range.h"
#include "support/bits.h"

// x <= y + c, as exact numbers with or without sign. x and y may have different types.
typedef struct Relation {
    uint32_t y;
    uint32_t next; // older one of the same x, NONE = none
    uint32_t x;
    bool sign;
    int64_t c;
} Relation;

typedef struct RangeChange {
    uint32_t value;
    Range before;
} RangeChange;

typedef struct Known {
    const Func *f;
    Arena *arena;
    Objects objects;
    uint32_t n_values; // when it was made; nothing is known of values made since
    Range *range;      // by value; see `ranged`
    Bits ranged;       // values of integer type that were defined
    uint32_t *first;   // by value: its newest relation, NONE = none
    VEC(Relation) relations;
    VEC(RangeChange) changes;
} Known;

typedef struct KnownMark {
    uint32_t relations, changes;
} KnownMark;

Known known_new(Arena *arena, const Func *f, const Cfg *cfg);

// What is learned after a mark is forgotten by going back to it.
KnownMark known_mark(const Known *k);
void known_back(Known *k, KnownMark mark);

// The range of an integer value here.
Range known_range(const Known *k, Value v);
// v is defined here, with this range: it holds wherever v can be used.
void known_define(Known *k, Value v, Range r);
// Here, v is in r.
void known_learn(Known *k, Value v, Range r);
// Here, v is 0, or is not.
void known_learn_zero(Known *k, Value v, bool zero);
// Here, x <= y + c.
void known_relate(Known *k, bool sign, Value x, Value y, int64_t c);

// Of def: v = iadd(x, constant): the constant as a number with a sign.
bool known_is_offset(const Known *k, Inst def, int64_t *by);

// Whether x cc y follows (1), its opposite does (0), or neither (-1).
int known_icmp(const Known *k, IntCC cc, Value x, Value y);
// Whether v is certainly not 0 (0), certainly 0 (1), or neither (-1).
int known_zero(const Known *k, Value v);

#endif
