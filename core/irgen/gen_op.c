// Arithmetic, logic, comparison, selection, and the intrinsics.
#include "irgen/gen.h"

typedef Value Binary(Builder *b, Value x, Value y);
typedef Value Unary(Builder *b, Value x);
typedef Inst Overflow(Builder *b, Value x, Value y);

static void gen_binary(Gen *g, const BcInst *i, Binary *make) {
    Value x = gen_use(g, i->r[1]);
    Value y = gen_use(g, i->r[2]);
    gen_def(g, i->r[0], make(&g->b, x, y));
}

static void gen_unary(Gen *g, const BcInst *i, Unary *make) { gen_def(g, i->r[0], make(&g->b, gen_use(g, i->r[1]))); }

static void gen_checked(Gen *g, const BcInst *i, Overflow *with_sign, Overflow *without) {
    Value x = gen_use(g, i->r[1]);
    Value y = gen_use(g, i->r[2]);
    Inst inst = (bc_is_signed(gen_reg_type(g, i->r[0])) ? with_sign : without)(&g->b, x, y);
    ir_trapnz(&g->b, inst_result(g->f, inst, 1), BC_TRAP_OVERFLOW);
    gen_def(g, i->r[0], inst_result(g->f, inst, 0));
}

// Division traps on a zero divisor by itself; MIN % -1 is 0 in both. Signed MIN / -1 traps there and wraps here: for
// the divisor -1 the operation divides by 1 instead, and the quotient is the negation.
static void gen_divide(Gen *g, const BcInst *i) {
    Builder *b = &g->b;
    uint32_t type = gen_reg_type(g, i->r[0]);
    Value x = gen_use(g, i->r[1]);
    Value y = gen_use(g, i->r[2]);
    if (!bc_is_signed(type)) {
        gen_def(g, i->r[0], i->op == BC_MOD ? ir_urem(b, x, y) : ir_udiv(b, x, y));
        return;
    }
    if (i->op != BC_DIV) {
        gen_def(g, i->r[0], i->op == BC_MOD ? ir_srem(b, x, y) : ir_sdiv(b, x, y));
        return;
    }
    Value minus = ir_icmp(b, ICC_eq, y, gen_int(g, gen_type(type), UINT64_MAX));
    Value divisor = ir_select(b, minus, gen_int(g, gen_type(type), 1), y);
    Value quotient = ir_sdiv(b, x, divisor);
    gen_def(g, i->r[0], ir_select(b, minus, ir_ineg(b, x), quotient));
}

static void gen_negate_checked(Gen *g, const BcInst *i) {
    uint32_t type = gen_reg_type(g, i->r[0]);
    Value x = gen_use(g, i->r[1]);
    if (bc_is_signed(type)) {
        Value min = gen_int(g, gen_type(type), UINT64_C(1) << (bc_type_width(type) - 1));
        ir_trapnz(&g->b, ir_icmp(&g->b, ICC_eq, x, min), BC_TRAP_OVERFLOW);
    } else {
        ir_trapnz(&g->b, x, BC_TRAP_OVERFLOW);
    }
    gen_def(g, i->r[0], ir_ineg(&g->b, x));
}

static void gen_not(Gen *g, const BcInst *i) {
    Value x = gen_use(g, i->r[1]);
    bool is_bool = gen_reg_type(g, i->r[0]) == BC_BOOL;
    gen_def(g, i->r[0], is_bool ? ir_bxor(&g->b, x, gen_int(g, T_i8, 1)) : ir_bnot(&g->b, x));
}

// By kind: condition for signed integers, for unsigned ones (and everything without sign), for floats.
static const struct {
    uint8_t with_sign, without, floats;
} compares[BC_N_CMPS] = {
    [BC_CMP_EQ] = {ICC_eq, ICC_eq, FCC_eq},   [BC_CMP_NE] = {ICC_ne, ICC_ne, FCC_ne},
    [BC_CMP_LT] = {ICC_slt, ICC_ult, FCC_lt}, [BC_CMP_LE] = {ICC_sle, ICC_ule, FCC_le},
    [BC_CMP_GT] = {ICC_sgt, ICC_ugt, FCC_gt}, [BC_CMP_GE] = {ICC_sge, ICC_uge, FCC_ge},
    [BC_CMP_ULT] = {ICC_ult, ICC_ult, 0},     [BC_CMP_ULE] = {ICC_ule, ICC_ule, 0},
    [BC_CMP_UGT] = {ICC_ugt, ICC_ugt, 0},     [BC_CMP_UGE] = {ICC_uge, ICC_uge, 0},
    [BC_CMP_SLT] = {ICC_slt, ICC_slt, 0},     [BC_CMP_SLE] = {ICC_sle, ICC_sle, 0},
    [BC_CMP_SGT] = {ICC_sgt, ICC_sgt, 0},     [BC_CMP_SGE] = {ICC_sge, ICC_sge, 0},
    [BC_CMP_ORD] = {0, 0, FCC_ord},           [BC_CMP_UNO] = {0, 0, FCC_uno},
};

static void gen_compare(Gen *g, const BcInst *i) {
    uint32_t type = gen_reg_type(g, i->r[1]);
    Value x = gen_use(g, i->r[1]);
    Value y = gen_use(g, i->r[2]);
    if (bc_is_float(type)) {
        gen_def(g, i->r[0], ir_fcmp(&g->b, (FloatCC)compares[i->m0].floats, x, y));
        return;
    }
    uint8_t cc = bc_is_signed(type) ? compares[i->m0].with_sign : compares[i->m0].without;
    gen_def(g, i->r[0], ir_icmp(&g->b, (IntCC)cc, x, y));
}

static void gen_select(Gen *g, const BcInst *i) {
    Value c = gen_use(g, i->r[1]);
    Value x = gen_use(g, i->r[2]);
    Value y = gen_use(g, i->r[3]);
    gen_def(g, i->r[0], ir_select(&g->b, c, x, y));
}

bool gen_arith(Gen *g, const BcInst *i) {
    switch (i->op) {
    case BC_ADD: gen_binary(g, i, ir_iadd); return true;
    case BC_SUB: gen_binary(g, i, ir_isub); return true;
    case BC_MUL: gen_binary(g, i, ir_imul); return true;
    case BC_DIV:
    case BC_MOD:
    case BC_DIV_CHK: gen_divide(g, i); return true;
    case BC_NEG: gen_unary(g, i, ir_ineg); return true;
    case BC_ADD_CHK: gen_checked(g, i, ir_sadd_overflow, ir_uadd_overflow); return true;
    case BC_SUB_CHK: gen_checked(g, i, ir_ssub_overflow, ir_usub_overflow); return true;
    case BC_MUL_CHK: gen_checked(g, i, ir_smul_overflow, ir_umul_overflow); return true;
    case BC_NEG_CHK: gen_negate_checked(g, i); return true;
    case BC_FADD: gen_binary(g, i, ir_fadd); return true;
    case BC_FSUB: gen_binary(g, i, ir_fsub); return true;
    case BC_FMUL: gen_binary(g, i, ir_fmul); return true;
    case BC_FDIV: gen_binary(g, i, ir_fdiv); return true;
    case BC_FNEG: gen_unary(g, i, ir_fneg); return true;
    case BC_AND: gen_binary(g, i, ir_band); return true;
    case BC_OR: gen_binary(g, i, ir_bor); return true;
    case BC_XOR: gen_binary(g, i, ir_bxor); return true;
    case BC_NOT: gen_not(g, i); return true;
    case BC_SHL: gen_binary(g, i, ir_ishl); return true;
    case BC_SHR: gen_binary(g, i, ir_ushr); return true;
    case BC_SAR: gen_binary(g, i, ir_sshr); return true;
    case BC_CMP: gen_compare(g, i); return true;
    case BC_SEL: gen_select(g, i); return true;
    case BC_PADD: gen_binary(g, i, ir_iadd); return true;
    default: return false;
    }
}

// ---- intrinsics -------------------------------------------------------------------------------------------

static Value gen_intrinsic1(Gen *g, uint32_t id, Value x) {
    Builder *b = &g->b;
    switch (id) {
    case BC_INTR_sqrt: return ir_sqrt(b, x);
    case BC_INTR_ctz: return ir_ctz(b, x);
    case BC_INTR_clz: return ir_clz(b, x);
    case BC_INTR_popcnt: return ir_popcnt(b, x);
    case BC_INTR_fabs: return ir_fabs(b, x);
    case BC_INTR_floor: return ir_floor(b, x);
    case BC_INTR_ceil: return ir_ceil(b, x);
    case BC_INTR_trunc: return ir_trunc(b, x);
    case BC_INTR_nearest: return ir_nearest(b, x);
    case BC_INTR_bswap: return ir_bswap(b, x);
    default: return NO_VALUE;
    }
}

static Value gen_intrinsic2(Gen *g, uint32_t id, Value x, Value y) {
    Builder *b = &g->b;
    switch (id) {
    case BC_INTR_fmin: return ir_fmin(b, x, y);
    case BC_INTR_fmax: return ir_fmax(b, x, y);
    case BC_INTR_copysign: return ir_fcopysign(b, x, y);
    case BC_INTR_rotl: return ir_rotl(b, x, y);
    case BC_INTR_rotr: return ir_rotr(b, x, y);
    default: return NO_VALUE;
    }
}

void gen_intrinsic(Gen *g, const BcInst *i) {
    Value args[3];
    for (uint32_t k = 0; k < i->n && k < 3; k++) args[k] = gen_use(g, g->bf->args[i->y + k]);
    Value result = NO_VALUE;
    switch (i->x) {
    case BC_INTR_fence: ir_fence(&g->b); return;
    case BC_INTR_memcpy:
    case BC_INTR_memmove: gen_helper(g, GH_MEMMOVE, args, 3); return;
    case BC_INTR_memset:
        args[1] = ir_uextend(&g->b, T_i32, args[1]);
        gen_helper(g, GH_MEMSET, args, 3);
        return;
    default: result = i->n == 1 ? gen_intrinsic1(g, i->x, args[0]) : gen_intrinsic2(g, i->x, args[0], args[1]);
    }
    if (!value_ok(result)) ctx_bug(arena_ctx(g->arena), "irgen: intrinsic %u is not known", (unsigned)i->x);
    if (i->r[0] != BC_NOREG) gen_def(g, i->r[0], result);
}
