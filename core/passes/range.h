// Ranges: what an integer value can be, as numbers without and with a sign. Both bounds hold at once.
//
// Bits that are at most 127 of an i8 mean the same number either way, so either pair of bounds sharpens the other where
// it lies on one side of the sign bit. A range is never empty: to meet a range that contradicts another changes nothing
// (the code in question cannot run).
#ifndef VTR_PASSES_RANGE_H
#define VTR_PASSES_RANGE_H

#include "ir/ir.h"

__extension__ typedef __int128 Wide; // holds sums, differences and products of all bounds

typedef struct Range {
    uint64_t umin, umax; // zero-extended
    int64_t smin, smax;  // sign-extended
} Range;

Range range_all(Type type);
Range range_const(Type type, uint64_t bits);
// Numbers min to max, as far as the type has them; all of the type's when a bound is outside.
Range range_unsigned(Type type, Wide min, Wide max);
Range range_signed(Type type, Wide min, Wide max);
// What is in both; a when nothing is.
Range range_meet(Type type, Range a, Range b);
// What is in either.
Range range_join(Range a, Range b);

// What x with this range is, when x cc y holds for a y with that range.
Range range_if(Type type, IntCC cc, Range x, Range y);

// Is x + by the exact sum, as numbers with or without sign, for every x in r?
bool range_is_exact(Type type, bool sign, Range r, Wide by);
// Do the numbers min to max fit the type?
bool range_fits(Type type, bool sign, Wide min, Wide max);

// Result k of i, when its operands have these ranges (args[] for those of integer type).
Range range_result(const Func *f, Inst i, uint32_t k, const Range *args);

static inline bool range_is_one(Range r) { return r.umin == r.umax; }
static inline bool range_has_zero(Range r) { return r.umin == 0; }
static inline bool range_no_sign(Range r) { return r.smin >= 0; } // the same number with and without sign

#endif
