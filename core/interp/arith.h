// Arithmetic of single instructions on words: integers zero-extended from their width, floats as their bits.
#ifndef VTR_INTERP_ARITH_H
#define VTR_INTERP_ARITH_H

#include "bytecode/module.h"

// Each stores to *out and returns 0, or returns the code of a trap. t is the type of the operands.
uint32_t arith_int(uint32_t op, uint32_t t, uint64_t a, uint64_t b, uint64_t *out);
uint32_t arith_convert(bool checked, uint32_t to, uint32_t from, uint64_t a, uint64_t *out);

uint64_t arith_float(uint32_t op, uint32_t t, uint64_t a, uint64_t b);
bool arith_compare(uint32_t kind, uint32_t t, uint64_t a, uint64_t b);
// Intrinsics on integers and floats (not those on memory).
uint64_t arith_intrinsic(uint32_t id, uint32_t t, uint64_t a, uint64_t b);

// The value of an integer word, extended by the signedness of its type.
static inline int64_t arith_signed(uint32_t t, uint64_t a) {
    unsigned shift = 64 - bc_type_width(t);
    return (int64_t)(a << shift) >> shift;
}
static inline uint64_t arith_extend(uint32_t t, uint64_t a) {
    return bc_is_signed(t) ? (uint64_t)arith_signed(t, a) : a;
}
static inline uint64_t arith_trim(uint32_t t, uint64_t a) {
    unsigned shift = 64 - bc_type_width(t);
    return a << shift >> shift;
}

#endif
