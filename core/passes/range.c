// Ranges of results from ranges of operands (see range.h).
//
// Theory. Interval arithmetic: an operation that is monotonic in each operand has its extremes at the corners of the
// operands' box. Sums, differences and products are exact in Wide; where the exact bounds leave the type, the operation
// may wrap and nothing is known - except that an unsigned sum that wraps for every operand is exact less 2^width, which
// is how `x + (2^width - 1)` means x - 1.
#include "passes/range.h"

#include "support/bits.h"

typedef struct Exact {
    Wide min, max;
} Exact;

static Wide min_of(Wide a, Wide b) { return a < b ? a : b; }
static Wide max_of(Wide a, Wide b) { return a < b ? b : a; }

static Wide unsigned_max(Type type) { return ((Wide)1 << type_bits(type)) - 1; }
static Wide signed_max(Type type) { return ((Wide)1 << (type_bits(type) - 1)) - 1; }
static Wide signed_min(Type type) { return -signed_max(type) - 1; }

// Lets each pair of bounds sharpen the other.
static Range settle(Type type, Range r) {
    uint64_t half = (uint64_t)signed_max(type);
    if (r.umax <= half || r.smin >= 0 || r.umin > half || r.smax < 0) {
        bool high = r.umin > half || r.smax < 0; // all have the sign bit: numbers with sign are less by 2^width
        Wide less = high ? unsigned_max(type) + 1 : 0;
        Wide min = max_of(r.umin, (Wide)r.smin + less);
        Wide max = min_of(r.umax, (Wide)r.smax + less);
        return (Range){(uint64_t)min, (uint64_t)max, (int64_t)(min - less), (int64_t)(max - less)};
    }
    return r;
}

Range range_all(Type type) {
    return (Range){0, (uint64_t)unsigned_max(type), (int64_t)signed_min(type), (int64_t)signed_max(type)};
}

Range range_unsigned(Type type, Wide min, Wide max) {
    Range r = range_all(type);
    if (min > max || !range_fits(type, false, min, max)) return r;
    r.umin = (uint64_t)min;
    r.umax = (uint64_t)max;
    return settle(type, r);
}

Range range_signed(Type type, Wide min, Wide max) {
    Range r = range_all(type);
    if (min > max || !range_fits(type, true, min, max)) return r;
    r.smin = (int64_t)min;
    r.smax = (int64_t)max;
    return settle(type, r);
}

bool range_fits(Type type, bool sign, Wide min, Wide max) {
    return sign ? min >= signed_min(type) && max <= signed_max(type) : min >= 0 && max <= unsigned_max(type);
}

bool range_is_exact(Type type, bool sign, Range r, Wide by) {
    return sign ? range_fits(type, true, r.smin + by, r.smax + by) : range_fits(type, false, r.umin + by, r.umax + by);
}

Range range_const(Type type, uint64_t bits) { return range_unsigned(type, bits, bits); }

Range range_meet(Type type, Range a, Range b) {
    Range r = {.umin = a.umin > b.umin ? a.umin : b.umin,
               .umax = a.umax < b.umax ? a.umax : b.umax,
               .smin = a.smin > b.smin ? a.smin : b.smin,
               .smax = a.smax < b.smax ? a.smax : b.smax};
    if (r.umin > r.umax || r.smin > r.smax) return a;
    r = settle(type, r);
    return r.umin > r.umax || r.smin > r.smax ? a : r;
}

Range range_join(Range a, Range b) {
    return (Range){.umin = a.umin < b.umin ? a.umin : b.umin,
                   .umax = a.umax > b.umax ? a.umax : b.umax,
                   .smin = a.smin < b.smin ? a.smin : b.smin,
                   .smax = a.smax > b.smax ? a.smax : b.smax};
}

static Range without(Type type, Range x, uint64_t bits) {
    if (range_is_one(x)) return x;
    int64_t number = bit_sext(bits, type_bits(type));
    Range r = x;
    if (r.umin == bits) r.umin++;
    if (r.umax == bits) r.umax--;
    if (r.smin == number) r.smin++;
    if (r.smax == number) r.smax--;
    return range_meet(type, x, r);
}

Range range_if(Type type, IntCC cc, Range x, Range y) {
    Range all = range_all(type);
    switch (cc) {
    case ICC_eq: return range_meet(type, x, y);
    case ICC_ne: return range_is_one(y) ? without(type, x, y.umin) : x;
    case ICC_slt: return range_meet(type, x, range_signed(type, all.smin, (Wide)y.smax - 1));
    case ICC_sle: return range_meet(type, x, range_signed(type, all.smin, y.smax));
    case ICC_sgt: return range_meet(type, x, range_signed(type, (Wide)y.smin + 1, all.smax));
    case ICC_sge: return range_meet(type, x, range_signed(type, y.smin, all.smax));
    case ICC_ult: return range_meet(type, x, range_unsigned(type, 0, (Wide)y.umax - 1));
    case ICC_ule: return range_meet(type, x, range_unsigned(type, 0, y.umax));
    case ICC_ugt: return range_meet(type, x, range_unsigned(type, (Wide)y.umin + 1, all.umax));
    default: return range_meet(type, x, range_unsigned(type, y.umin, all.umax)); // uge
    }
}

// ---- results -------------------------------------------------------------------------------------

static Exact corners(Wide a, Wide b, Wide c, Wide d) {
    return (Exact){min_of(min_of(a, b), min_of(c, d)), max_of(max_of(a, b), max_of(c, d))};
}

static Exact signed_products(Range x, Range y) {
    return corners((Wide)x.smin * y.smin, (Wide)x.smin * y.smax, (Wide)x.smax * y.smin, (Wide)x.smax * y.smax);
}

static Range both(Type type, Range a, Range b) { return range_meet(type, range_meet(type, range_all(type), a), b); }

static Range sum(Type type, Range x, Range y) {
    Wide min = (Wide)x.umin + y.umin;
    Wide max = (Wide)x.umax + y.umax;
    Wide wrap = min > unsigned_max(type) ? unsigned_max(type) + 1 : 0;
    return both(type, range_unsigned(type, min - wrap, max - wrap),
                range_signed(type, (Wide)x.smin + y.smin, (Wide)x.smax + y.smax));
}

static Range difference(Type type, Range x, Range y) {
    return both(type, range_unsigned(type, (Wide)x.umin - y.umax, (Wide)x.umax - y.umin),
                range_signed(type, (Wide)x.smin - y.smax, (Wide)x.smax - y.smin));
}

static Range product(Type type, Range x, Range y) {
    Exact s = signed_products(x, y);
    Range r = range_signed(type, s.min, s.max);
    // The largest unsigned products do not fit Wide; they do not fit the type either.
    if (x.umax > UINT32_MAX && y.umax > UINT32_MAX) return r;
    return both(type, range_unsigned(type, (Wide)x.umin * y.umin, (Wide)x.umax * y.umax), r);
}

// A quotient or remainder exists only where the divisor is not 0.
static Range unsigned_quotient(Type type, Range x, Range y) {
    if (y.umax == 0) return range_all(type);
    return range_unsigned(type, x.umin / y.umax, x.umax / (y.umin ? y.umin : 1));
}

static Range unsigned_rest(Type type, Range x, Range y) {
    if (y.umax == 0) return range_all(type);
    if (x.umax < y.umin) return x;
    return range_unsigned(type, 0, min_of(x.umax, (Wide)y.umax - 1));
}

static Range signed_quotient(Type type, Range x, Range y) {
    if (y.smin < 0 || y.smax == 0) return range_all(type);
    Wide least = y.smin ? y.smin : 1;
    Exact e = corners(x.smin / least, x.smin / (Wide)y.smax, x.smax / least, x.smax / (Wide)y.smax);
    return range_signed(type, e.min, e.max);
}

static Range signed_rest(Type type, Range x, Range y) {
    Wide most = max_of(y.smax, -(Wide)y.smin) - 1; // of the magnitude
    if (most < 0) return range_all(type);
    Wide min = x.smin < 0 ? max_of(x.smin, -most) : 0;
    Wide max = x.smax > 0 ? min_of(x.smax, most) : 0;
    return range_signed(type, min, max);
}

// All bits up to the highest of x.
static uint64_t fill(uint64_t x) { return x ? UINT64_MAX >> bit_clz64(x) : 0; }

static Range magnitude(Type type, Range x) {
    Wide least = x.smin > 0 ? x.smin : x.smax < 0 ? -(Wide)x.smax : 0;
    return range_unsigned(type, least, max_of(x.smax, -(Wide)x.smin)); // of the least number: itself, as unsigned
}

static Range shifted(Type type, Op op, Range x, Range amount) {
    if (!range_is_one(amount)) {
        if (op == OP_ushr) return range_unsigned(type, 0, x.umax);
        if (op == OP_sshr) return range_signed(type, min_of(x.smin, 0), max_of(x.smax, x.smax < 0 ? -1 : 0));
        return range_all(type);
    }
    unsigned by = (unsigned)amount.umin & (type_bits(type) - 1);
    if (op == OP_ushr) return range_unsigned(type, x.umin >> by, x.umax >> by);
    if (op == OP_sshr) return range_signed(type, x.smin >> by, x.smax >> by);
    Wide factor = (Wide)1 << by;
    return both(type, range_unsigned(type, x.umin * factor, x.umax * factor),
                range_signed(type, x.smin * factor, x.smax * factor));
}

static Range lesser(Type type, Op op, Range x, Range y) {
    Range either = range_join(x, y);
    switch (op) {
    case OP_umin: return both(type, either, range_unsigned(type, either.umin, min_of(x.umax, y.umax)));
    case OP_umax: return both(type, either, range_unsigned(type, max_of(x.umin, y.umin), either.umax));
    case OP_smin: return both(type, either, range_signed(type, either.smin, min_of(x.smax, y.smax)));
    default: return both(type, either, range_signed(type, max_of(x.smin, y.smin), either.smax));
    }
}

static Range bitwise(Type type, Op op, Range x, Range y) {
    uint64_t most = fill(x.umax | y.umax);
    switch (op) {
    case OP_band: return range_unsigned(type, 0, min_of(x.umax, y.umax));
    case OP_bor: return range_unsigned(type, max_of(x.umin, y.umin), most);
    case OP_bxor: return range_unsigned(type, 0, most);
    default: return range_unsigned(type, unsigned_max(type) - x.umax, unsigned_max(type) - x.umin);
    }
}

static bool fits_signed(Type type, Exact e) { return range_fits(type, true, e.min, e.max); }

// The second result of an operation on numbers of this type, if it is an overflow bit.
static Range overflow_bit(Type type, Op op, Range x, Range y) {
    bool never = false;
    switch (op) {
    case OP_sadd_overflow: never = fits_signed(type, (Exact){(Wide)x.smin + y.smin, (Wide)x.smax + y.smax}); break;
    case OP_ssub_overflow: never = fits_signed(type, (Exact){(Wide)x.smin - y.smax, (Wide)x.smax - y.smin}); break;
    case OP_smul_overflow: never = fits_signed(type, signed_products(x, y)); break;
    case OP_uadd_overflow: never = (Wide)x.umax + y.umax <= unsigned_max(type); break;
    case OP_usub_overflow: never = x.umin >= y.umax; break;
    case OP_umul_overflow: never = x.umax <= UINT32_MAX && (Wide)x.umax * y.umax <= unsigned_max(type); break;
    default: return range_all(T_i8);
    }
    return range_unsigned(T_i8, 0, !never);
}

static Range narrowed(Type type, Range x) {
    return both(type, range_unsigned(type, x.umin, x.umax), range_signed(type, x.smin, x.smax));
}

static Range high_product(Type type, Op op, Range x, Range y) {
    unsigned width = type_bits(type);
    if (op == OP_umulhi) {
        __extension__ typedef unsigned __int128 UWide;
        return range_unsigned(type, (Wide)((UWide)x.umin * y.umin >> width), (Wide)((UWide)x.umax * y.umax >> width));
    }
    Exact s = signed_products(x, y);
    return range_signed(type, s.min >> width, s.max >> width);
}

// Of opcodes that say what they read: so many bits, with a sign or without.
static Range loaded(Type type, Op op) {
    switch (op) {
    case OP_uload8: return range_unsigned(type, 0, UINT8_MAX);
    case OP_uload16: return range_unsigned(type, 0, UINT16_MAX);
    case OP_uload32: return range_unsigned(type, 0, UINT32_MAX);
    case OP_sload8: return range_signed(type, INT8_MIN, INT8_MAX);
    case OP_sload16: return range_signed(type, INT16_MIN, INT16_MAX);
    case OP_sload32: return range_signed(type, INT32_MIN, INT32_MAX);
    default: return range_all(type);
    }
}

static Range arithmetic(Type type, Op op, Range x, Range y) {
    switch (op) {
    case OP_iadd:
    case OP_sadd_overflow:
    case OP_uadd_overflow: return sum(type, x, y);
    case OP_uadd_overflow_trap: // what is left did not wrap
        return both(type, sum(type, x, y), range_unsigned(type, max_of(x.umin, y.umin), unsigned_max(type)));
    case OP_isub:
    case OP_ssub_overflow:
    case OP_usub_overflow: return difference(type, x, y);
    case OP_imul:
    case OP_smul_overflow:
    case OP_umul_overflow: return product(type, x, y);
    case OP_udiv: return unsigned_quotient(type, x, y);
    case OP_urem: return unsigned_rest(type, x, y);
    case OP_sdiv: return signed_quotient(type, x, y);
    case OP_srem: return signed_rest(type, x, y);
    case OP_umulhi:
    case OP_smulhi: return high_product(type, op, x, y);
    case OP_umin:
    case OP_umax:
    case OP_smin:
    case OP_smax: return lesser(type, op, x, y);
    case OP_band:
    case OP_bor:
    case OP_bxor: return bitwise(type, op, x, y);
    case OP_ishl:
    case OP_ushr:
    case OP_sshr: return shifted(type, op, x, y);
    default: return loaded(type, op);
    }
}

Range range_result(const Func *f, Inst i, uint32_t k, const Range *args) {
    const InstData *inst = inst_get(f, i);
    Type type = value_type(f, inst_result(f, i, k));
    Type from = inst->args.n ? value_type(f, inst_arg(f, i, 0)) : type;
    switch (inst->op) {
    case OP_iconst: return range_const(type, (uint64_t)inst->imm);
    case OP_icmp:
    case OP_fcmp: return range_unsigned(type, 0, 1);
    case OP_bmask: return range_signed(type, -1, 0);
    case OP_clz:
    case OP_cls:
    case OP_ctz:
    case OP_popcnt: return range_unsigned(type, 0, type_bits(type));
    case OP_uextend: return range_unsigned(type, args[0].umin, args[0].umax);
    case OP_sextend: return range_signed(type, args[0].smin, args[0].smax);
    case OP_ireduce: return narrowed(type, args[0]);
    case OP_select: return range_join(args[1], args[2]);
    case OP_iabs: return magnitude(type, args[0]);
    case OP_ineg: return difference(type, range_const(type, 0), args[0]);
    case OP_bnot: return bitwise(type, inst->op, args[0], args[0]);
    default: break;
    }
    if (inst->args.n != 2 || !type_is_int(from)) return loaded(type, inst->op);
    if (k == 1) return type == T_i8 ? overflow_bit(from, inst->op, args[0], args[1]) : range_all(type);
    return arithmetic(type, inst->op, args[0], args[1]);
}
