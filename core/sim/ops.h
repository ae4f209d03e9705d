// What the named functions of a machine's semantics do, for the generated simulators. Widths and the machine's rule for
// NaNs are constants in generated code, so everything here folds. Integers and float arithmetic are those of
// ir/eval_ops.h; here stands what machines have beyond the IR: memory, flags, 128 bits, shifts by any count, and which
// NaN comes out.
//
// The NaN of an operation (`nan` in a description's settings):
//   first       the first operand that is a NaN, made quiet
//   signalling  the first signalling operand, else the first quiet one, made quiet; an addend counts as first
//   default     always the default NaN
// and the default NaN where no operand is one, or where `default` is the rule: its sign is the description's.
#ifndef VTR_SIM_OPS_H
#define VTR_SIM_OPS_H

#include <stdatomic.h>

#include "ir/eval_ops.h"
#include "sim/state.h"

// ---- state --------------------------------------------------------------------------------------

static inline EvUint sim_wide(const SimReg *r) { return (EvUint)r->w[1] << 64 | r->w[0]; }
static inline void sim_set_wide(SimReg *r, EvUint x) {
    r->w[0] = (uint64_t)x;
    r->w[1] = (uint64_t)(x >> 64);
}
static inline EvUint sim_pair(uint64_t high, uint64_t low) { return (EvUint)high << 64 | low; }

static inline void sim_stop(SimState *s, SimEvent event, unsigned code) {
    if (s->event) return;
    s->event = (uint8_t)event;
    s->code = (uint8_t)code;
}

// Stands for `undefined`: a pattern that no program expects.
static inline uint64_t sim_undefined(SimState *s) {
    s->vague = true;
    return UINT64_C(0xbadc0ffee0ddf00d);
}

// A value of flags travels as its bits with those that are undefined 32 bits above.
static inline uint64_t sim_flags(const SimState *s, unsigned reg) { return s->r[reg].w[0] | s->r[reg].w[1] << 32; }
static inline void sim_set_flags(SimState *s, unsigned reg, uint64_t flags) {
    s->r[reg].w[0] = flags & UINT32_MAX;
    s->r[reg].w[1] = flags >> 32;
}
// Flags that an instruction reads: they must be defined.
static inline uint64_t sim_read_flags(SimState *s, unsigned reg, uint64_t mask) {
    if (s->r[reg].w[1] & mask) sim_stop(s, SIM_UNDEFINED_FLAG, 0);
    return s->r[reg].w[0] & mask;
}
static inline uint64_t sim_flag(SimState *s, unsigned reg, unsigned bit) {
    return sim_read_flags(s, reg, UINT64_C(1) << bit) >> bit;
}

// ---- memory: little-endian machines on a little-endian host (sim_new() checks) --------------------

// The machine may access address 0: what comes of that is the system's to say.
#define SIM_ANY_ADDRESS __attribute__((no_sanitize("undefined")))

SIM_ANY_ADDRESS static inline uint64_t sim_load(uint64_t at, unsigned bytes) {
    uint64_t x = 0;
    memcpy(&x, (const void *)(uintptr_t)at, bytes);
    return x;
}
SIM_ANY_ADDRESS static inline void sim_store(uint64_t at, uint64_t x, unsigned bytes) {
    memcpy((void *)(uintptr_t)at, &x, bytes);
}
static inline EvUint sim_load_wide(uint64_t at) {
    uint64_t low = sim_load(at, 8);
    atomic_signal_fence(memory_order_seq_cst); // the low half first: where it faults, a test takes for the address
    return sim_pair(sim_load(at + 8, 8), low);
}
static inline void sim_store_wide(uint64_t at, EvUint x) {
    sim_store(at, (uint64_t)x, 8);
    sim_store(at + 8, (uint64_t)(x >> 64), 8);
}
// As one access where the host can, which is at addresses that are multiples of the size.
static inline uint64_t sim_atomic_load(uint64_t at, unsigned bytes) {
    const void *p = (const void *)(uintptr_t)at;
    if (at & (bytes - 1)) return sim_load(at, bytes);
    if (bytes == 1) return __atomic_load_n((const uint8_t *)p, __ATOMIC_SEQ_CST);
    if (bytes == 2) return __atomic_load_n((const uint16_t *)p, __ATOMIC_SEQ_CST);
    if (bytes == 4) return __atomic_load_n((const uint32_t *)p, __ATOMIC_SEQ_CST);
    return __atomic_load_n((const uint64_t *)p, __ATOMIC_SEQ_CST);
}
static inline void sim_atomic_store(uint64_t at, uint64_t x, unsigned bytes) {
    void *p = (void *)(uintptr_t)at;
    if (at & (bytes - 1)) sim_store(at, x, bytes);
    else if (bytes == 1) __atomic_store_n((uint8_t *)p, (uint8_t)x, __ATOMIC_SEQ_CST);
    else if (bytes == 2) __atomic_store_n((uint16_t *)p, (uint16_t)x, __ATOMIC_SEQ_CST);
    else if (bytes == 4) __atomic_store_n((uint32_t *)p, (uint32_t)x, __ATOMIC_SEQ_CST);
    else __atomic_store_n((uint64_t *)p, x, __ATOMIC_SEQ_CST);
}

// ---- integers -----------------------------------------------------------------------------------

// By any count: what leaves the width is gone.
static inline uint64_t sim_shl(uint64_t x, uint64_t n, unsigned w) { return n < w ? ev_zx(x << n, w) : 0; }
static inline uint64_t sim_lshr(uint64_t x, uint64_t n, unsigned w) { return n < w ? x >> n : 0; }
static inline uint64_t sim_ashr(uint64_t x, uint64_t n, unsigned w) {
    return ev_zx((uint64_t)(ev_sx(x, w) >> (n < w ? n : w - 1)), w);
}
static inline EvUint sim_wide_shl(EvUint x, uint64_t n) { return n < 128 ? x << n : 0; }
static inline EvUint sim_wide_lshr(EvUint x, uint64_t n) { return n < 128 ? x >> n : 0; }
static inline uint64_t sim_rotl(uint64_t x, uint64_t n, unsigned w) { return ev_rotl(x, n % w, w); }
static inline uint64_t sim_rotr(uint64_t x, uint64_t n, unsigned w) { return ev_rotr(x, n % w, w); }

// Division by 0 is `ones`, and MIN / -1 is MIN, where a description does not say otherwise: SMT-LIB's rule.
static inline uint64_t sim_udiv(uint64_t x, uint64_t y, unsigned w) { return y ? x / y : ev_zx(~UINT64_C(0), w); }
static inline uint64_t sim_urem(uint64_t x, uint64_t y, unsigned w) {
    (void)w;
    return y ? x % y : x;
}
static inline uint64_t sim_sdiv(uint64_t x, uint64_t y, unsigned w) {
    return y ? ev_sdiv(x, y, w) : ev_sx(x, w) < 0 ? 1 : ev_zx(~UINT64_C(0), w);
}
static inline uint64_t sim_srem(uint64_t x, uint64_t y, unsigned w) { return y ? ev_srem(x, y, w) : x; }

// A dividend of 2w bits and a divisor of w. The quotients are wanted only where they fit.
static inline EvInt sim_wide_sx(EvUint x, unsigned w) {
    return w == 128 ? (EvInt)x : (EvInt)(x << (128 - w)) >> (128 - w);
}
static inline bool sim_fits_quotient_u(EvUint n, uint64_t d, unsigned w) { return d && (n >> w) < d; }
static inline bool sim_fits_quotient_s(EvUint n, uint64_t d, unsigned w) {
    EvInt x = sim_wide_sx(n, 2 * w);
    EvInt y = ev_sx(d, w);
    EvInt limit = (EvInt)1 << (w - 1);
    if (y == 0) return false;
    if (y == -1) return x > -limit && x <= limit; // the least dividend has no opposite
    return ev_signed_fits(x / y, w);
}
static inline uint64_t sim_quot_u(EvUint n, uint64_t d, unsigned w) { return d ? ev_zx((uint64_t)(n / d), w) : 0; }
static inline uint64_t sim_rem_u(EvUint n, uint64_t d, unsigned w) { return d ? ev_zx((uint64_t)(n % d), w) : 0; }
static inline uint64_t sim_quot_s(EvUint n, uint64_t d, unsigned w) {
    int64_t y = ev_sx(d, w);
    if (y == 0) return 0;
    if (y == -1) return ev_zx((uint64_t)(0 - n), w);
    return ev_zx((uint64_t)(sim_wide_sx(n, 2 * w) / y), w);
}
static inline uint64_t sim_rem_s(EvUint n, uint64_t d, unsigned w) {
    int64_t y = ev_sx(d, w);
    return y == 0 || y == -1 ? 0 : ev_zx((uint64_t)(sim_wide_sx(n, 2 * w) % y), w);
}

static inline uint64_t sim_parity(uint64_t x) { return !(bit_popcount64(x) & 1); }
static inline uint64_t sim_abs(uint64_t x, unsigned w) { return ev_sx(x, w) < 0 ? ev_zx(0 - x, w) : x; }
static inline uint64_t sim_umin(uint64_t x, uint64_t y) { return x < y ? x : y; }
static inline uint64_t sim_umax(uint64_t x, uint64_t y) { return x < y ? y : x; }
static inline uint64_t sim_smin(uint64_t x, uint64_t y, unsigned w) { return ev_sx(x, w) < ev_sx(y, w) ? x : y; }
static inline uint64_t sim_smax(uint64_t x, uint64_t y, unsigned w) { return ev_sx(x, w) < ev_sx(y, w) ? y : x; }
// The low n bits of x over and over.
static inline uint64_t sim_replicate(uint64_t x, uint64_t n, unsigned w) {
    uint64_t element = n ? ev_zx(x, n < 64 ? (unsigned)n : 64) : 0;
    uint64_t all = 0;
    for (uint64_t at = 0; n && at < w; at += n) all |= element << at;
    return ev_zx(all, w);
}

// ---- floats -------------------------------------------------------------------------------------

typedef enum SimNan { NAN_FIRST = 0, NAN_SIGNALLING = 1, NAN_DEFAULT = 2, NAN_NEGATIVE = 4 } SimNan;

static inline bool sim_signalling(uint64_t x, unsigned w) { return ev_is_nan(x, w) && !(x & ev_quiet(w)); }
static inline uint64_t sim_default_nan(unsigned rule, unsigned w) {
    return ev_canonical(w) | (uint64_t)(rule & NAN_NEGATIVE ? 1 : 0) << (w - 1);
}
// The NaN of an operation on up to three operands; 0 is no NaN and stands for one that is not there.
static inline uint64_t sim_nan(unsigned rule, uint64_t x, uint64_t y, uint64_t z, unsigned w) {
    uint64_t from[] = {x, y, z};
    unsigned how = rule & 3;
    for (unsigned k = 0; k < 3 && how == NAN_SIGNALLING; k++)
        if (sim_signalling(from[k], w)) return from[k] | ev_quiet(w);
    for (unsigned k = 0; k < 3 && how != NAN_DEFAULT; k++)
        if (ev_is_nan(from[k], w)) return from[k] | ev_quiet(w);
    return sim_default_nan(rule, w);
}
#define SIM_FLOAT_UNARY(name)                                                                                          \
    static inline uint64_t sim_##name(unsigned rule, uint64_t x, unsigned w) {                                         \
        uint64_t r = ev_##name(x, w);                                                                                  \
        return ev_is_nan(r, w) ? sim_nan(rule, x, 0, 0, w) : r;                                                        \
    }
#define SIM_FLOAT_BINARY(name)                                                                                         \
    static inline uint64_t sim_##name(unsigned rule, uint64_t x, uint64_t y, unsigned w) {                             \
        uint64_t r = ev_##name(x, y, w);                                                                               \
        return ev_is_nan(r, w) ? sim_nan(rule, x, y, 0, w) : r;                                                        \
    }
SIM_FLOAT_UNARY(sqrt)
SIM_FLOAT_UNARY(ceil)
SIM_FLOAT_UNARY(floor)
SIM_FLOAT_UNARY(trunc)
SIM_FLOAT_UNARY(nearest)
SIM_FLOAT_BINARY(fadd)
SIM_FLOAT_BINARY(fsub)
SIM_FLOAT_BINARY(fmul)
SIM_FLOAT_BINARY(fdiv)
SIM_FLOAT_BINARY(fmin)
SIM_FLOAT_BINARY(fmax)

// 0 * infinity plus a quiet NaN: `signalling` machines give the default NaN.
static inline uint64_t sim_fma(unsigned rule, uint64_t x, uint64_t y, uint64_t z, unsigned w) {
    uint64_t r = ev_fma(x, y, z, w);
    if (!ev_is_nan(r, w)) return r;
    if ((rule & 3) != NAN_SIGNALLING) return sim_nan(rule, x, y, z, w);
    bool invalid = !ev_is_nan(x, w) && !ev_is_nan(y, w) && ev_is_nan(ev_fmul(x, y, w), w);
    if (invalid && !sim_signalling(z, w)) return sim_default_nan(rule, w);
    return sim_nan(rule, z, x, y, w);
}

static inline uint64_t sim_fpromote(unsigned rule, uint64_t x, unsigned wx, unsigned w) {
    if (wx == w) return x;
    uint64_t r = ev_fpromote(x, wx, w);
    return ev_is_nan(r, w) && (rule & 3) == NAN_DEFAULT ? sim_default_nan(rule, w) : r;
}
static inline uint64_t sim_fdemote(unsigned rule, uint64_t x, unsigned wx, unsigned w) {
    if (wx == w) return x;
    uint64_t r = ev_fdemote(x, wx, w);
    return ev_is_nan(r, w) && (rule & 3) == NAN_DEFAULT ? sim_default_nan(rule, w) : r;
}
// The rounding modes of an immediate: 0 nearest, 1 down, 2 up, 3 to zero; from 4 on the machine's own, which is
// nearest.
static inline uint64_t sim_round_mode(unsigned rule, uint64_t x, uint64_t mode, unsigned w) {
    switch (mode & 7) {
    case 1: return sim_floor(rule, x, w);
    case 2: return sim_ceil(rule, x, w);
    case 3: return sim_trunc(rule, x, w);
    default: return sim_nearest(rule, x, w);
    }
}

#endif
