// What the named functions of md/ir.md's semantics do, for the generated evaluator. Values are zero-extended bits of
// width w (8, 16, 32 or 64; floats 32 or 64).
//
// Floats go through the host's float and double: IEEE 754, round to nearest, one operation per function, so nothing
// can be contracted. A NaN result is made the same on every host: the first NaN operand, quieted, or else the
// positive canonical NaN. So constant folding gives the same bits wherever the compiler runs.
#ifndef VTR_IR_EVAL_OPS_H
#define VTR_IR_EVAL_OPS_H

#include <math.h>
#include <string.h>

#include "support/bits.h"

static inline uint64_t ev_zx(uint64_t x, unsigned w) { return bit_zext(x, w); }
static inline int64_t ev_sx(uint64_t x, unsigned w) { return bit_sext(x, w); }

static inline uint64_t ev_sdiv(uint64_t x, uint64_t y, unsigned w) {
    if (y == ev_zx(~UINT64_C(0), w)) return ev_zx(0 - x, w); // the machine's own division overflows on MIN / -1
    return ev_zx((uint64_t)(ev_sx(x, w) / ev_sx(y, w)), w);
}
static inline uint64_t ev_srem(uint64_t x, uint64_t y, unsigned w) {
    if (y == ev_zx(~UINT64_C(0), w)) return 0;
    return ev_zx((uint64_t)(ev_sx(x, w) % ev_sx(y, w)), w);
}

__extension__ typedef __int128 EvInt;
__extension__ typedef unsigned __int128 EvUint;

static inline uint64_t ev_umulhi(uint64_t x, uint64_t y, unsigned w) { return (uint64_t)((EvUint)x * y >> w); }
static inline uint64_t ev_smulhi(uint64_t x, uint64_t y, unsigned w) {
    return ev_zx((uint64_t)((EvInt)ev_sx(x, w) * ev_sx(y, w) >> w), w);
}
static inline bool ev_unsigned_fits(EvInt x, unsigned w) { return x >= 0 && (EvUint)x >> w == 0; }
static inline bool ev_signed_fits(EvInt x, unsigned w) {
    EvInt limit = (EvInt)1 << (w - 1);
    return x >= -limit && x < limit;
}
static inline bool ev_uadd_over(uint64_t x, uint64_t y, uint64_t c, unsigned w) {
    return !ev_unsigned_fits((EvInt)x + (EvInt)y + (EvInt)c, w);
}
static inline bool ev_usub_over(uint64_t x, uint64_t y, uint64_t c, unsigned w) {
    return !ev_unsigned_fits((EvInt)x - (EvInt)y - (EvInt)c, w);
}
static inline bool ev_sadd_over(uint64_t x, uint64_t y, uint64_t c, unsigned w) {
    return !ev_signed_fits((EvInt)ev_sx(x, w) + ev_sx(y, w) + (EvInt)c, w);
}
static inline bool ev_ssub_over(uint64_t x, uint64_t y, uint64_t c, unsigned w) {
    return !ev_signed_fits((EvInt)ev_sx(x, w) - ev_sx(y, w) - (EvInt)c, w);
}
static inline bool ev_umul_over(uint64_t x, uint64_t y, unsigned w) { return (EvUint)x * y >> w != 0; }
static inline bool ev_smul_over(uint64_t x, uint64_t y, unsigned w) {
    return !ev_signed_fits((EvInt)ev_sx(x, w) * ev_sx(y, w), w);
}

static inline uint64_t ev_rotl(uint64_t x, uint64_t n, unsigned w) {
    return n == 0 ? x : ev_zx(x << n | x >> (w - n), w);
}
static inline uint64_t ev_rotr(uint64_t x, uint64_t n, unsigned w) {
    return n == 0 ? x : ev_zx(x >> n | x << (w - n), w);
}
static inline uint64_t ev_bswap(uint64_t x, unsigned w) { return __builtin_bswap64(x) >> (64 - w); }
static inline uint64_t ev_bitrev(uint64_t x, unsigned w) {
    x = (x >> 1 & UINT64_C(0x5555555555555555)) | (x & UINT64_C(0x5555555555555555)) << 1;
    x = (x >> 2 & UINT64_C(0x3333333333333333)) | (x & UINT64_C(0x3333333333333333)) << 2;
    x = (x >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (x & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
    return ev_bswap(x, w);
}
static inline uint64_t ev_clz(uint64_t x, unsigned w) { return x ? bit_clz64(x) - (64 - w) : w; }
static inline uint64_t ev_ctz(uint64_t x, unsigned w) { return x ? bit_ctz64(x) : w; }
static inline uint64_t ev_cls(uint64_t x, unsigned w) { return ev_clz(ev_zx(ev_sx(x, w) < 0 ? ~x : x, w), w) - 1; }
static inline uint64_t ev_popcnt(uint64_t x, unsigned w) {
    (void)w;
    return bit_popcount64(x);
}

// ---- floats -------------------------------------------------------------------------------------

static inline double ev_double(uint64_t x) {
    double d;
    memcpy(&d, &x, 8);
    return d;
}
static inline uint64_t ev_double_bits(double d) {
    uint64_t x;
    memcpy(&x, &d, 8);
    return x;
}
static inline float ev_float(uint64_t x) {
    uint32_t low = (uint32_t)x;
    float f;
    memcpy(&f, &low, 4);
    return f;
}
static inline uint64_t ev_float_bits(float f) {
    uint32_t x;
    memcpy(&x, &f, 4);
    return x;
}
// The value as a double; exact.
static inline double ev_wide(uint64_t x, unsigned w) { return w == 32 ? (double)ev_float(x) : ev_double(x); }

static inline uint64_t ev_quiet(unsigned w) { return w == 32 ? UINT64_C(0x400000) : UINT64_C(0x8000000000000); }
static inline uint64_t ev_canonical(unsigned w) {
    return w == 32 ? UINT64_C(0x7fc00000) : UINT64_C(0x7ff8000000000000);
}
static inline bool ev_is_nan(uint64_t x, unsigned w) {
    uint64_t infinity = w == 32 ? UINT64_C(0x7f800000) : UINT64_C(0x7ff0000000000000);
    return (x & ((UINT64_C(1) << (w - 1)) - 1)) > infinity;
}
// The NaN that an operation on these operands gives.
static inline uint64_t ev_nan(uint64_t x, uint64_t y, unsigned w) {
    if (ev_is_nan(x, w)) return x | ev_quiet(w);
    if (ev_is_nan(y, w)) return y | ev_quiet(w);
    return ev_canonical(w);
}

static inline bool ev_feq(uint64_t x, uint64_t y, unsigned w) { return ev_wide(x, w) == ev_wide(y, w); }
static inline bool ev_flt(uint64_t x, uint64_t y, unsigned w) { return ev_wide(x, w) < ev_wide(y, w); }
static inline bool ev_fle(uint64_t x, uint64_t y, unsigned w) { return ev_wide(x, w) <= ev_wide(y, w); }
static inline bool ev_funo(uint64_t x, uint64_t y, unsigned w) { return ev_is_nan(x, w) || ev_is_nan(y, w); }

#define EV_FLOAT_BINARY(name, op)                                                                                      \
    static inline uint64_t ev_##name(uint64_t x, uint64_t y, unsigned w) {                                             \
        uint64_t r =                                                                                                   \
            w == 32 ? ev_float_bits(ev_float(x) op ev_float(y)) : ev_double_bits(ev_double(x) op ev_double(y));        \
        return ev_is_nan(r, w) ? ev_nan(x, y, w) : r;                                                                  \
    }
EV_FLOAT_BINARY(fadd, +)
EV_FLOAT_BINARY(fsub, -)
EV_FLOAT_BINARY(fmul, *)
EV_FLOAT_BINARY(fdiv, /)

#define EV_FLOAT_UNARY(name, f32, f64)                                                                                 \
    static inline uint64_t ev_##name(uint64_t x, unsigned w) {                                                         \
        if (ev_is_nan(x, w)) return x | ev_quiet(w);                                                                   \
        uint64_t r = w == 32 ? ev_float_bits(f32(ev_float(x))) : ev_double_bits(f64(ev_double(x)));                    \
        return ev_is_nan(r, w) ? ev_canonical(w) : r;                                                                  \
    }
EV_FLOAT_UNARY(sqrt, sqrtf, sqrt)
EV_FLOAT_UNARY(ceil, ceilf, ceil)
EV_FLOAT_UNARY(floor, floorf, floor)
EV_FLOAT_UNARY(trunc, truncf, trunc)
EV_FLOAT_UNARY(nearest, nearbyintf, nearbyint)

static inline uint64_t ev_fma(uint64_t x, uint64_t y, uint64_t z, unsigned w) {
    uint64_t r = w == 32 ? ev_float_bits(fmaf(ev_float(x), ev_float(y), ev_float(z)))
                         : ev_double_bits(fma(ev_double(x), ev_double(y), ev_double(z)));
    if (!ev_is_nan(r, w)) return r;
    return ev_is_nan(x, w) || ev_is_nan(y, w) ? ev_nan(x, y, w) : ev_nan(z, z, w);
}
static inline uint64_t ev_fmin(uint64_t x, uint64_t y, unsigned w) {
    if (ev_funo(x, y, w)) return ev_nan(x, y, w);
    if (ev_feq(x, y, w)) return x | y; // equal, or zeros of which one may be negative
    return ev_flt(x, y, w) ? x : y;
}
static inline uint64_t ev_fmax(uint64_t x, uint64_t y, unsigned w) {
    if (ev_funo(x, y, w)) return ev_nan(x, y, w);
    if (ev_feq(x, y, w)) return x & y;
    return ev_flt(x, y, w) ? y : x;
}

// ---- conversions (x of width wx to width w) -----------------------------------------------------

static inline uint64_t ev_fpromote(uint64_t x, unsigned wx, unsigned w) {
    (void)w;
    if (!ev_is_nan(x, wx)) return ev_double_bits((double)ev_float(x));
    return (x >> 31) << 63 | UINT64_C(0x7ff8000000000000) | (x & 0x7fffff) << 29;
}
static inline uint64_t ev_fdemote(uint64_t x, unsigned wx, unsigned w) {
    (void)w;
    if (!ev_is_nan(x, wx)) return ev_float_bits((float)ev_double(x));
    return (x >> 63) << 31 | 0x7fc00000 | (x >> 29 & 0x7fffff);
}
static inline bool ev_fits_uint(uint64_t x, unsigned wx, unsigned w) {
    double t = trunc(ev_wide(x, wx));
    return t >= 0 && t < ldexp(1, (int)w);
}
static inline bool ev_fits_sint(uint64_t x, unsigned wx, unsigned w) {
    double t = trunc(ev_wide(x, wx));
    return t >= -ldexp(1, (int)w - 1) && t < ldexp(1, (int)w - 1);
}
static inline uint64_t ev_to_uint_sat(uint64_t x, unsigned wx, unsigned w) {
    if (ev_is_nan(x, wx)) return 0;
    if (ev_fits_uint(x, wx, w)) return (uint64_t)trunc(ev_wide(x, wx));
    return ev_wide(x, wx) < 0 ? 0 : ev_zx(~UINT64_C(0), w);
}
static inline uint64_t ev_to_sint_sat(uint64_t x, unsigned wx, unsigned w) {
    if (ev_is_nan(x, wx)) return 0;
    if (ev_fits_sint(x, wx, w)) return ev_zx((uint64_t)(int64_t)trunc(ev_wide(x, wx)), w);
    uint64_t least = UINT64_C(1) << (w - 1);
    return ev_wide(x, wx) < 0 ? least : least - 1;
}
// The trapping forms are evaluated only where the saturating ones agree.
static inline uint64_t ev_to_uint(uint64_t x, unsigned wx, unsigned w) { return ev_to_uint_sat(x, wx, w); }
static inline uint64_t ev_to_sint(uint64_t x, unsigned wx, unsigned w) { return ev_to_sint_sat(x, wx, w); }
static inline uint64_t ev_from_uint(uint64_t x, unsigned wx, unsigned w) {
    (void)wx;
    return w == 32 ? ev_float_bits((float)x) : ev_double_bits((double)x);
}
static inline uint64_t ev_from_sint(uint64_t x, unsigned wx, unsigned w) {
    int64_t i = ev_sx(x, wx);
    return w == 32 ? ev_float_bits((float)i) : ev_double_bits((double)i);
}

#endif
