// Integer and float arithmetic, conversions and intrinsics of bytecode (3.6 to 3.8), written from the specification.
#include "interp/arith.h"

#include <math.h>
#include <string.h>

#include "support/bits.h"

static float f32_of(uint64_t bits) {
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

static double f64_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t f32_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t f64_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// The value as a double; exact for both types.
static double wide_of(uint32_t t, uint64_t bits) { return t == BC_F32 ? (double)f32_of(bits) : f64_of(bits); }

// ---- integers -----------------------------------------------------------------------------------------------

static uint32_t divide(uint32_t op, uint32_t t, uint64_t a, uint64_t b, uint64_t *out) {
    if (b == 0) return BC_TRAP_DIV_ZERO;
    if (!bc_is_signed(t)) {
        *out = op == BC_MOD ? a % b : a / b;
        return 0;
    }
    int64_t x = arith_signed(t, a);
    int64_t y = arith_signed(t, b);
    if (y == -1) { // MIN / -1 has no representable quotient
        bool min = a == UINT64_C(1) << (bc_type_width(t) - 1);
        if (op == BC_DIV_CHK && min) return BC_TRAP_OVERFLOW;
        *out = op == BC_MOD ? 0 : arith_trim(t, 0 - a);
        return 0;
    }
    *out = arith_trim(t, (uint64_t)(op == BC_MOD ? x % y : x / y));
    return 0;
}

static uint32_t checked(uint32_t op, uint32_t t, uint64_t a, uint64_t b, uint64_t *out) {
    bool over;
    if (op == BC_NEG_CHK) {
        b = a;
        a = 0;
        op = BC_SUB_CHK;
    }
    if (bc_is_signed(t)) {
        int64_t x = arith_signed(t, a);
        int64_t y = arith_signed(t, b);
        int64_t r;
        over = op == BC_ADD_CHK   ? __builtin_add_overflow(x, y, &r)
               : op == BC_SUB_CHK ? __builtin_sub_overflow(x, y, &r)
                                  : __builtin_mul_overflow(x, y, &r);
        *out = arith_trim(t, (uint64_t)r);
        over |= arith_signed(t, *out) != r;
    } else {
        uint64_t r;
        over = op == BC_ADD_CHK   ? __builtin_add_overflow(a, b, &r)
               : op == BC_SUB_CHK ? __builtin_sub_overflow(a, b, &r)
                                  : __builtin_mul_overflow(a, b, &r);
        *out = arith_trim(t, r);
        over |= *out != r;
    }
    return over ? BC_TRAP_OVERFLOW : 0;
}

uint32_t arith_int(uint32_t op, uint32_t t, uint64_t a, uint64_t b, uint64_t *out) {
    unsigned width = bc_type_width(t);
    uint64_t r;
    switch (op) {
    case BC_ADD: r = a + b; break;
    case BC_SUB: r = a - b; break;
    case BC_MUL: r = a * b; break;
    case BC_NEG: r = 0 - a; break;
    case BC_AND: r = a & b; break;
    case BC_OR: r = a | b; break;
    case BC_XOR: r = a ^ b; break;
    case BC_NOT: r = t == BC_BOOL ? !a : ~a; break;
    case BC_SHL: r = a << (b & (width - 1)); break;
    case BC_SHR: r = a >> (b & (width - 1)); break;
    case BC_SAR: r = (uint64_t)(arith_signed(t, a) >> (b & (width - 1))); break;
    case BC_DIV:
    case BC_MOD:
    case BC_DIV_CHK: return divide(op, t, a, b, out);
    default: return checked(op, t, a, b, out);
    }
    *out = arith_trim(t, r);
    return 0;
}

// ---- floats -------------------------------------------------------------------------------------------------

uint64_t arith_float(uint32_t op, uint32_t t, uint64_t a, uint64_t b) {
    if (op == BC_FNEG) return a ^ UINT64_C(1) << (bc_type_width(t) - 1);
    if (t == BC_F32) {
        float x = f32_of(a);
        float y = f32_of(b);
        return f32_bits(op == BC_FADD ? x + y : op == BC_FSUB ? x - y : op == BC_FMUL ? x * y : x / y);
    }
    double x = f64_of(a);
    double y = f64_of(b);
    return f64_bits(op == BC_FADD ? x + y : op == BC_FSUB ? x - y : op == BC_FMUL ? x * y : x / y);
}

static bool compare_floats(uint32_t kind, double x, double y) {
    switch (kind) {
    case BC_CMP_EQ: return x == y;
    case BC_CMP_NE: return x != y;
    case BC_CMP_LT: return x < y;
    case BC_CMP_LE: return x <= y;
    case BC_CMP_GT: return x > y;
    case BC_CMP_GE: return x >= y;
    case BC_CMP_ORD: return !isnan(x) && !isnan(y);
    default: return isnan(x) || isnan(y);
    }
}

bool arith_compare(uint32_t kind, uint32_t t, uint64_t a, uint64_t b) {
    if (bc_is_float(t)) return compare_floats(kind, wide_of(t, a), wide_of(t, b));
    if (kind == BC_CMP_EQ) return a == b;
    if (kind == BC_CMP_NE) return a != b;
    // The four orders stand in the same sequence for the type's own signedness, unsigned and signed.
    bool is_signed = kind >= BC_CMP_SLT || (kind < BC_CMP_ULT && bc_is_signed(t));
    uint32_t order = kind >= BC_CMP_SLT ? kind - BC_CMP_SLT : kind >= BC_CMP_ULT ? kind - BC_CMP_ULT : kind - BC_CMP_LT;
    if (is_signed) { // flipping the sign bit maps the signed order to the unsigned one
        uint64_t sign = UINT64_C(1) << (bc_type_width(t) - 1);
        a ^= sign;
        b ^= sign;
    }
    switch (order) {
    case 0: return a < b;
    case 1: return a <= b;
    case 2: return a > b;
    default: return a >= b;
    }
}

// ---- conversions --------------------------------------------------------------------------------------------

// Truncates x, which is no NaN, to the integer type; *fits tells whether it had to saturate.
static uint64_t to_int(uint32_t to, double x, bool *fits) {
    unsigned width = bc_type_width(to);
    bool is_signed = bc_is_signed(to);
    double top = ldexp(1, (int)width - is_signed); // first value above the range; exact
    double bottom = is_signed ? -top : 0;
    x = trunc(x);
    *fits = x >= bottom && x < top;
    if (!*fits) {
        if (is_signed) return UINT64_C(1) << (width - 1) ^ (x < 0 ? 0 : arith_trim(to, UINT64_MAX));
        return x < 0 ? 0 : arith_trim(to, UINT64_MAX);
    }
    return arith_trim(to, is_signed ? (uint64_t)(int64_t)x : (uint64_t)x);
}

uint32_t arith_convert(bool checked, uint32_t to, uint32_t from, uint64_t a, uint64_t *out) {
    if (bc_is_float(from) && bc_is_float(to)) {
        double x = wide_of(from, a);
        *out = to == BC_F64 ? f64_bits(x) : f32_bits((float)x);
    } else if (bc_is_float(from)) {
        double x = wide_of(from, a);
        bool fits = true;
        if (isnan(x) && checked) return BC_TRAP_BAD_CONV;
        *out = isnan(x) ? 0 : to_int(to, x, &fits);
        if (checked && !fits) return BC_TRAP_OVERFLOW;
    } else if (bc_is_float(to)) {
        if (bc_is_signed(from)) {
            int64_t x = arith_signed(from, a);
            *out = to == BC_F32 ? f32_bits((float)x) : f64_bits((double)x);
        } else {
            *out = to == BC_F32 ? f32_bits((float)a) : f64_bits((double)a);
        }
    } else {
        uint64_t x = bc_is_int(from) ? arith_extend(from, a) : a;
        *out = arith_trim(to, x);
        if (!checked || from == BC_BOOL) return 0;
        // Equal as mathematical values: the same 64 bits, and the same sign.
        bool negative = bc_is_signed(from) && (int64_t)x < 0;
        bool negative_out = bc_is_signed(to) && arith_signed(to, *out) < 0;
        if (arith_extend(to, *out) != x || negative != negative_out) return BC_TRAP_OVERFLOW;
    }
    return 0;
}

// ---- intrinsics ---------------------------------------------------------------------------------------------

// minimum and maximum of IEEE 754-2019: a NaN wins, -0 < +0.
static double minimum(double x, double y) {
    if (isnan(x) || isnan(y)) return x + y;
    if (x == y) return signbit(x) ? x : y;
    return x < y ? x : y;
}

static double maximum(double x, double y) {
    if (isnan(x) || isnan(y)) return x + y;
    if (x == y) return signbit(x) ? y : x;
    return x > y ? x : y;
}

static uint64_t float_intrinsic(uint32_t id, uint32_t t, uint64_t a, uint64_t b) {
    uint64_t sign = UINT64_C(1) << (bc_type_width(t) - 1);
    double x = wide_of(t, a);
    double y = wide_of(t, b);
    double r;
    switch (id) {
    case BC_INTR_fabs: return a & ~sign;
    case BC_INTR_copysign: return (a & ~sign) | (b & sign);
    case BC_INTR_sqrt: return t == BC_F32 ? f32_bits(sqrtf(f32_of(a))) : f64_bits(sqrt(x));
    // The rest is exact in double for an f32 too.
    case BC_INTR_floor: r = floor(x); break;
    case BC_INTR_ceil: r = ceil(x); break;
    case BC_INTR_trunc: r = trunc(x); break;
    case BC_INTR_nearest: r = nearbyint(x); break;
    case BC_INTR_fmin: r = minimum(x, y); break;
    default: r = maximum(x, y); break;
    }
    return t == BC_F32 ? f32_bits((float)r) : f64_bits(r);
}

uint64_t arith_intrinsic(uint32_t id, uint32_t t, uint64_t a, uint64_t b) {
    unsigned width = bc_type_width(t);
    unsigned turn = (unsigned)b & (width - 1);
    switch (id) {
    case BC_INTR_ctz: return a ? bit_ctz64(a) : width;
    case BC_INTR_clz: return a ? bit_clz64(a) - (64 - width) : width;
    case BC_INTR_popcnt: return bit_popcount64(a);
    case BC_INTR_rotl: return arith_trim(t, turn ? a << turn | a >> (width - turn) : a);
    case BC_INTR_rotr: return arith_trim(t, turn ? a >> turn | a << (width - turn) : a);
    case BC_INTR_bswap: return __builtin_bswap64(a) >> (64 - width);
    default: return float_intrinsic(id, t, a, b);
    }
}
