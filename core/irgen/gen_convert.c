// Conversions: CVT (total), CVT_CHK (exact or trap), BITC.
#include "irgen/gen.h"

typedef struct Convert {
    uint32_t from, to; // typerefs
    Value x;
} Convert;

// Extends by the source's signedness, keeps the low bits, or leaves as is. bool counts as unsigned.
static Value convert_int(Gen *g, Convert c) {
    uint32_t from = bc_type_width(c.from);
    uint32_t to = bc_type_width(c.to);
    if (to < from) return ir_ireduce(&g->b, gen_type(c.to), c.x);
    if (to == from) return c.x;
    return bc_is_signed(c.from) ? ir_sextend(&g->b, gen_type(c.to), c.x) : ir_uextend(&g->b, gen_type(c.to), c.x);
}

static void trap_if(Gen *g, IntCC cc, Value x, uint64_t bound, uint32_t type) {
    ir_trapnz(&g->b, ir_icmp(&g->b, cc, x, gen_int(g, gen_type(type), bound)), BC_TRAP_OVERFLOW);
}

static Value convert_int_checked(Gen *g, Convert c) {
    uint32_t from = bc_type_width(c.from);
    uint32_t to = bc_type_width(c.to);
    bool with_sign = bc_is_signed(c.to);
    if (c.from == BC_BOOL) return convert_int(g, c);
    if (bc_is_signed(c.from) && with_sign) {
        if (to >= from) return convert_int(g, c);
        Value low = convert_int(g, c);
        Value back = ir_sextend(&g->b, gen_type(c.from), low);
        ir_trapnz(&g->b, ir_icmp(&g->b, ICC_ne, back, c.x), BC_TRAP_OVERFLOW);
        return low;
    }
    if (bc_is_signed(c.from)) {
        // To unsigned: read as unsigned, a negative number is above every narrower type's largest one.
        if (to >= from) trap_if(g, ICC_slt, c.x, 0, c.from);
        else trap_if(g, ICC_ugt, c.x, (UINT64_C(1) << to) - 1, c.from);
        return convert_int(g, c);
    }
    uint32_t value_bits = with_sign ? to - 1 : to;
    if (value_bits < from) trap_if(g, ICC_ugt, c.x, (UINT64_C(1) << value_bits) - 1, c.from);
    return convert_int(g, c);
}

// The checked form traps on NaN (bad_toint) before it traps on the range (int_ovf) by itself.
static Value convert_to_int(Gen *g, Convert c, bool checked) {
    Type type = gen_type(c.to);
    if (bc_is_signed(c.to)) return checked ? ir_fcvt_to_sint(&g->b, type, c.x) : ir_fcvt_to_sint_sat(&g->b, type, c.x);
    return checked ? ir_fcvt_to_uint(&g->b, type, c.x) : ir_fcvt_to_uint_sat(&g->b, type, c.x);
}

static Value convert_from_int(Gen *g, Convert c) {
    Type type = gen_type(c.to);
    return bc_is_signed(c.from) ? ir_fcvt_from_sint(&g->b, type, c.x) : ir_fcvt_from_uint(&g->b, type, c.x);
}

static Value convert_float(Gen *g, Convert c) {
    if (c.from == c.to) return c.x;
    return c.to == BC_F64 ? ir_fpromote(&g->b, T_f64, c.x) : ir_fdemote(&g->b, T_f32, c.x);
}

static Value convert_value(Gen *g, Convert c, bool checked) {
    if (bc_is_float(c.from)) return bc_is_float(c.to) ? convert_float(g, c) : convert_to_int(g, c, checked);
    if (bc_is_float(c.to)) return convert_from_int(g, c);
    return checked ? convert_int_checked(g, c) : convert_int(g, c);
}

bool gen_convert(Gen *g, const BcInst *i) {
    if (i->op != BC_CVT && i->op != BC_CVT_CHK && i->op != BC_BITC) return false;
    Convert c = {gen_reg_type(g, i->r[1]), gen_reg_type(g, i->r[0]), gen_use(g, i->r[1])};
    Value result = c.x;
    if (i->op != BC_BITC) result = convert_value(g, c, i->op == BC_CVT_CHK);
    else if (gen_type(c.from) != gen_type(c.to)) result = ir_bitcast(&g->b, gen_type(c.to), 0, c.x);
    gen_def(g, i->r[0], result);
    return true;
}
