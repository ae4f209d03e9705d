// The verifier, second half: instructions (3.6 to 3.8). One linear pass; registers have one type for the whole
// function and are initialised, so no data flow is needed.
//
// Each instruction is checked in two steps. operands() goes along its shape and checks that every index is in range
// (V-REG, V-LABEL, ...); then the rule of its typing class looks at types, and may use any operand without care.
#include <string.h>

#include "bytecode/verify.h"

typedef struct Site {
    Check *c;
    const BcModule *m;
    const BcFunc *f;
    const BcInst *in;
    const BcOpInfo *info;
} Site;

static uint32_t type_of(const Site *s, uint32_t operand) { return s->f->regs[s->in->r[operand]]; }

static bool bad_type(const Site *s, uint32_t reg, const char *wanted) {
    return check_wrong(s->c, BC_V_TYPING, "R%u is %s, not %s", reg,
                       bc_type_text(s->m, s->f->regs[reg], s->c->sink->scratch), wanted);
}

static bool want(const Site *s, uint32_t operand, uint32_t type) {
    if (type_of(s, operand) == type) return true;
    return bad_type(s, s->in->r[operand], bc_type_text(s->m, type, s->c->sink->scratch));
}

static bool want_int(const Site *s, uint32_t operand) {
    return bc_is_int(type_of(s, operand)) || bad_type(s, s->in->r[operand], "an integer");
}

static bool want_gc_ref(const Site *s, uint32_t operand) {
    return bc_is_gc_ref(s->m, type_of(s, operand)) || bad_type(s, s->in->r[operand], "a GC reference");
}

// i32, u32, i64 or u64: an array's index or length.
static bool want_index(const Site *s, uint32_t operand) {
    uint32_t t = type_of(s, operand);
    return (bc_is_int(t) && bc_type_size(t) >= 4) || bad_type(s, s->in->r[operand], "i32, u32, i64 or u64");
}

static uint32_t register_count(const BcOpInfo *info) {
    uint32_t n = 0;
    for (const char *shape = info->shape; *shape; shape++) n += strchr("dDsS", *shape) != NULL;
    return n;
}

// All registers of the instruction have the type of the first.
static bool same_types(const Site *s) {
    for (uint32_t i = 1; i < register_count(s->info); i++) {
        if (!want(s, i, type_of(s, 0))) return false;
    }
    return true;
}

static bool want_low(const Site *s, const char *what) {
    if (s->f->flags & BC_FN_LOW) return true;
    return check_wrong(s->c, BC_V_CAP, "%s is allowed in `low` functions only", what);
}

// ---- operands: indices in range -----------------------------------------------------------------------------

static bool check_label(const Site *s, uint32_t label) {
    if (label < s->f->n_blocks) return true;
    return check_wrong(s->c, BC_V_LABEL, "there is no block %u", label);
}

static bool check_reg(const Site *s, uint32_t reg, bool optional) {
    if (reg < s->f->n_regs || (optional && reg == BC_NOREG)) return true;
    return check_wrong(s->c, BC_V_REG, "there is no register R%u", reg);
}

static bool check_list(const Site *s, char shape) {
    const BcInst *in = s->in;
    if (shape != 'a' && !check_label(s, in->x)) return false;
    for (uint32_t i = 0; i < in->n; i++) {
        bool ok = shape == 'a'   ? check_reg(s, s->f->args[in->y + i], false)
                  : shape == 'w' ? check_label(s, s->f->cases[in->y + i].label)
                                 : check_label(s, s->f->labels[in->y + i]);
        if (!ok) return false;
    }
    return true;
}

static bool check_index(const Site *s, BcRule rule, uint32_t index, uint64_t limit, const char *what) {
    return index < limit || check_wrong(s->c, rule, "there is no %s %u", what, index);
}

static bool check_operand(const Site *s, char shape, uint32_t reg, uint32_t wide) {
    const BcModule *m = s->m;
    switch (shape) {
    case 'd':
    case 's': return check_reg(s, reg, false);
    case 'D':
    case 'S': return check_reg(s, reg, true);
    case 'l': return check_label(s, wide);
    case 'k': return check_index(s, BC_V_TYPING, wide, m->n_consts - s->f->const_off, "constant");
    case 't': return check_index(s, BC_V_TYPING, wide, m->n_types, "type");
    case 'g': return check_index(s, BC_V_TYPING, wide, bc_n_globals(m), "global");
    case 'f': return check_index(s, BC_V_CALL, wide, bc_n_functions(m), "function");
    case 'x': return check_index(s, BC_V_TYPING, wide, m->n_datas, "data blob");
    case 'c': return bc_trap_valid(wide) || check_wrong(s->c, BC_V_TRAP, "trap code %u is reserved", wide);
    case 'n': return bc_intrinsic(wide) || check_wrong(s->c, BC_V_CALL, "there is no intrinsic %u", wide);
    case 'a':
    case 'w':
    case 'b': return check_list(s, shape);
    default: return true; // i, o, m: any value
    }
}

static bool operands(const Site *s) {
    uint32_t regs = 0;
    uint32_t wides = 0;
    for (const char *shape = s->info->shape; *shape; shape++) {
        bool is_reg = strchr("dDsS", *shape) != NULL;
        bool is_list = strchr("awb", *shape) != NULL;
        uint32_t reg = is_reg ? s->in->r[regs++] : 0;
        uint32_t wide = is_reg || is_list ? 0 : wides++ ? s->in->y : s->in->x;
        if (!check_operand(s, *shape, reg, wide)) return false;
    }
    return true;
}

// ---- typing classes -----------------------------------------------------------------------------------------

static bool move_types(const Site *s) {
    if (type_of(s, 0) == BC_REF && bc_is_gc_ref(s->m, type_of(s, 1))) return true;
    return want(s, 1, type_of(s, 0));
}

static bool immediate_type(const Site *s) {
    uint32_t t = type_of(s, 0);
    int32_t value = (int32_t)s->in->x;
    bool fits;
    if (bc_is_float(t)) return bad_type(s, s->in->r[0], "a type that K32 can load");
    if (t == BC_BOOL) {
        fits = s->in->x <= 1;
    } else if (!bc_is_int(t)) {
        fits = value == 0;
    } else if (bc_type_width(t) >= 32) {
        fits = true;
    } else if (bc_is_signed(t)) {
        int32_t half = INT32_C(1) << (bc_type_width(t) - 1);
        fits = value >= -half && value < half;
    } else {
        fits = s->in->x >> bc_type_width(t) == 0;
    }
    return fits ||
           check_wrong(s->c, BC_V_TYPING, "%d does not fit %s", value, bc_type_text(s->m, t, s->c->sink->scratch));
}

static bool constant_type(const Site *s) {
    uint32_t k = s->f->const_off + s->in->x;
    if (check_const_fits(s->m, k, type_of(s, 0))) return true;
    return check_wrong(s->c, BC_V_TYPING, "constant %u cannot be loaded into R%u, which is %s", k, s->in->r[0],
                       bc_type_text(s->m, type_of(s, 0), s->c->sink->scratch));
}

static bool float_types(const Site *s) {
    return (bc_is_float(type_of(s, 0)) || bad_type(s, s->in->r[0], "f32 or f64")) && same_types(s);
}

static bool logic_types(const Site *s) {
    uint32_t t = type_of(s, 0);
    return (bc_is_int(t) || t == BC_BOOL || bad_type(s, s->in->r[0], "an integer or bool")) && same_types(s);
}

static bool shift_types(const Site *s) { return want_int(s, 0) && want(s, 1, type_of(s, 0)) && want_int(s, 2); }

static bool compare_types(const Site *s) {
    uint32_t a = type_of(s, 1);
    uint32_t b = type_of(s, 2);
    uint32_t kind = s->in->m0;
    if (!want(s, 0, BC_BOOL)) return false;
    if (kind >= BC_N_CMPS) return check_wrong(s->c, BC_V_TYPING, "there is no comparison %u", kind);
    if (kind <= BC_CMP_NE && bc_is_gc_ref(s->m, a) && bc_is_gc_ref(s->m, b)) return true;
    if (a != b) return want(s, 2, a);
    bool allowed = kind <= BC_CMP_NE    ? true
                   : kind <= BC_CMP_GE  ? bc_is_int(a) || bc_is_float(a) || a == BC_PTR
                   : kind <= BC_CMP_SGE ? bc_is_int(a)
                                        : bc_is_float(a);
    return allowed || check_wrong(s->c, BC_V_TYPING, "%s cannot be compared by %s",
                                  bc_type_text(s->m, a, s->c->sink->scratch), bc_cmp_name[kind]);
}

static bool select_types(const Site *s) {
    return want(s, 1, BC_BOOL) && want(s, 2, type_of(s, 0)) && want(s, 3, type_of(s, 0));
}

static bool convert_types(const Site *s) {
    uint32_t to = type_of(s, 0);
    uint32_t from = type_of(s, 1);
    if (bc_is_int(to) && (bc_is_int(from) || bc_is_float(from) || from == BC_BOOL)) return true;
    if (bc_is_float(to) && (bc_is_int(from) || bc_is_float(from))) return true;
    return check_wrong(s->c, BC_V_TYPING, "there is no conversion from %s to %s",
                       bc_type_text(s->m, from, s->c->sink->scratch), bc_type_text(s->m, to, s->c->sink->scratch));
}

static bool bitcast_types(const Site *s) {
    uint32_t to = type_of(s, 0);
    uint32_t from = type_of(s, 1);
    bool plain_to = bc_is_int(to) || bc_is_float(to);
    bool plain_from = bc_is_int(from) || bc_is_float(from);
    if (plain_to && plain_from && bc_type_size(to) == bc_type_size(from)) return true;
    bool pointer =
        (to == BC_PTR && (from == BC_U64 || from == BC_I64)) || (from == BC_PTR && (to == BC_U64 || to == BC_I64));
    if (pointer) return want_low(s, "BITC of a pointer");
    return check_wrong(s->c, BC_V_TYPING, "the bits of %s are no %s", bc_type_text(s->m, from, s->c->sink->scratch),
                       bc_type_text(s->m, to, s->c->sink->scratch));
}

static bool switch_types(const Site *s) {
    if (!want_int(s, 0)) return false;
    uint32_t t = type_of(s, 0);
    unsigned width = bc_type_width(t);
    bool is_signed = bc_is_signed(t);
    const BcCase *cases = s->f->cases + s->in->y;
    for (uint32_t i = 0; i < s->in->n; i++) {
        int64_t value = cases[i].value;
        uint64_t bits = (uint64_t)value << (64 - width);
        int64_t extended = is_signed ? (int64_t)bits >> (64 - width) : (int64_t)(bits >> (64 - width));
        if (extended != value) return check_wrong(s->c, BC_V_TYPING, "case %u does not fit the register's type", i);
        bool rises =
            i == 0 || (is_signed ? cases[i - 1].value < value : (uint64_t)cases[i - 1].value < (uint64_t)value);
        if (!rises) return check_wrong(s->c, BC_V_TYPING, "case %u does not rise", i);
    }
    return true;
}

static bool return_type(const Site *s) {
    uint32_t result = bc_type(s->m, s->f->sig)->elem;
    if (s->in->r[0] != BC_NOREG) return want(s, 0, result);
    return result == BC_VOID || check_wrong(s->c, BC_V_TYPING, "the function returns a value");
}

// LDF d, base, off and STF base, off, s.
static bool field_types(const Site *s) {
    bool load = s->in->op == BC_LDF;
    uint32_t base = load ? 1 : 0;
    if (!bc_is_kind(s->m, type_of(s, base), BC_STRUCT)) return bad_type(s, s->in->r[base], "a STRUCT reference");
    const BcField *field = bc_field_at(bc_type(s->m, type_of(s, base)), s->in->x);
    if (!field) return check_wrong(s->c, BC_V_TYPING, "there is no field at offset %d", (int32_t)s->in->x);
    return want(s, load ? 0 : 1, field->type);
}

// LD d, [addr + off] and ST [addr + off], s; m0 is the type in memory.
static bool raw_types(const Site *s) {
    bool load = s->in->op == BC_LD;
    uint32_t memory = s->in->m0;
    uint32_t value = load ? 0 : 1;
    if (!want(s, load ? 1 : 0, BC_PTR)) return false;
    if (memory < BC_I8 || memory > BC_PTR) {
        return check_wrong(s->c, BC_V_TYPING, "%u is no memory type", memory);
    }
    if (!bc_is_int(memory)) return want(s, value, memory);
    bool wide = bc_is_int(type_of(s, value)) && bc_type_size(type_of(s, value)) >= bc_type_size(memory);
    return wide || bad_type(s, s->in->r[value], "an integer as wide as the memory type");
}

static bool new_struct_types(const Site *s) {
    if (s->m->types[s->in->x].kind != BC_STRUCT)
        return check_wrong(s->c, BC_V_TYPING, "type %u is no STRUCT", s->in->x);
    return type_of(s, 0) == BC_REF || want(s, 0, s->in->x + BC_TYPE_BASE);
}

static bool want_array(const Site *s, uint32_t operand) {
    return bc_is_kind(s->m, type_of(s, operand), BC_ARRAY) || bad_type(s, s->in->r[operand], "an ARRAY reference");
}

// ARR_GET d, array, index and ARR_SET array, index, s.
static bool element_types(const Site *s) {
    bool load = s->in->op == BC_ARR_GET;
    uint32_t array = load ? 1 : 0;
    if (!want_array(s, array) || !want_index(s, array + 1)) return false;
    return want(s, load ? 0 : 2, bc_type(s->m, type_of(s, array))->elem);
}

static bool length_types(const Site *s) {
    uint32_t t = type_of(s, 0);
    return (t == BC_I64 || t == BC_U64 || bad_type(s, s->in->r[0], "i64 or u64")) && want_array(s, 1);
}

static bool global_types(const Site *s) {
    if (s->in->op == BC_STG && !bc_global_mutable(s->m, s->in->x)) {
        return check_wrong(s->c, BC_V_GLOBAL, "global %u is constant", s->in->x);
    }
    return want(s, 0, bc_global_type(s->m, s->in->x));
}

// RCAST d, s and RTST d, s, t.
static bool cast_types(const Site *s) {
    uint32_t target = s->in->op == BC_RCAST ? type_of(s, 0) : s->in->x + BC_TYPE_BASE;
    if (s->in->op == BC_RTST && !want(s, 0, BC_BOOL)) return false;
    if (target < BC_TYPE_BASE || !bc_is_gc_ref(s->m, target)) {
        return check_wrong(s->c, BC_V_TYPING, "the tested type is no STRUCT or ARRAY");
    }
    return want_gc_ref(s, 1);
}

static bool pointer_add_types(const Site *s) {
    uint32_t t = type_of(s, 2);
    return want(s, 0, BC_PTR) && want(s, 1, BC_PTR) &&
           (t == BC_I64 || t == BC_U64 || bad_type(s, s->in->r[2], "i64 or u64"));
}

// ---- calls --------------------------------------------------------------------------------------------------

static bool call_arguments(const Site *s, const BcType *sig) {
    const BcInst *in = s->in;
    if (in->n != sig->n) return check_wrong(s->c, BC_V_CALL, "%u arguments, the callee takes %u", in->n, sig->n);
    for (uint32_t i = 0; i < in->n; i++) {
        uint32_t reg = s->f->args[in->y + i];
        if (s->f->regs[reg] != sig->params[i]) {
            return check_wrong(s->c, BC_V_CALL, "argument %u is %s, the callee takes %s", i + 1,
                               bc_type_text(s->m, s->f->regs[reg], s->c->sink->scratch),
                               bc_type_text(s->m, sig->params[i], s->c->sink->scratch));
        }
    }
    return true;
}

static bool call_result(const Site *s, uint32_t result) {
    uint32_t reg = s->in->r[0];
    if (reg == BC_NOREG) return true;
    if (result == BC_VOID) return check_wrong(s->c, BC_V_CALL, "the callee gives no result");
    if (s->f->regs[reg] == result) return true;
    return check_wrong(s->c, BC_V_CALL, "R%u is %s, the result is %s", reg,
                       bc_type_text(s->m, s->f->regs[reg], s->c->sink->scratch),
                       bc_type_text(s->m, result, s->c->sink->scratch));
}

static bool call_types(const Site *s) {
    const BcModule *m = s->m;
    uint32_t callee = s->in->op == BC_ICALL ? type_of(s, 1) : bc_function_sig(m, s->in->x);
    if (!bc_is_kind(m, callee, BC_FUNC)) return check_wrong(s->c, BC_V_CALL, "R%u is no function", s->in->r[1]);
    const BcType *sig = bc_type(m, callee);
    if (!call_arguments(s, sig)) return false;
    if (s->in->op != BC_TCALL) return call_result(s, sig->elem);
    if (!bc_local_func(m, s->in->x)) return check_wrong(s->c, BC_V_CALL, "TCALL of an imported function");
    if (sig->elem == bc_type(m, s->f->sig)->elem) return true;
    return check_wrong(s->c, BC_V_CALL, "the callee of a TCALL gives another result type");
}

static bool intrinsic_types(const Site *s) {
    const BcInst *in = s->in;
    const BcIntrInfo *intr = bc_intrinsic(in->x);
    if ((intr->flags & BC_LOW) && !want_low(s, intr->name)) return false;
    if (in->n != strlen(intr->params)) {
        return check_wrong(s->c, BC_V_CALL, "%u arguments, %s takes %zu", in->n, intr->name, strlen(intr->params));
    }
    uint32_t any = BC_VOID; // what T, W or F stand for here
    for (uint32_t i = 0; i < in->n; i++) {
        uint32_t t = s->f->regs[s->f->args[in->y + i]];
        bool ok;
        switch (intr->params[i]) {
        case 'p': ok = t == BC_PTR; break;
        case 'l': ok = t == BC_U64; break;
        case 'b': ok = t == BC_U8; break;
        case 'F': ok = bc_is_float(t) && (i == 0 || t == any); break;
        case 'W': ok = bc_is_int(t) && bc_type_size(t) >= 2; break;
        default: ok = bc_is_int(t) && (i == 0 || t == any); break;
        }
        any = t;
        if (!ok)
            return check_wrong(s->c, BC_V_CALL, "argument %u of %s is %s", i + 1, intr->name,
                               bc_type_text(s->m, t, s->c->sink->scratch));
    }
    return call_result(s, intr->result == 'v' ? BC_VOID : any);
}

static bool types(const Site *s) {
    switch ((BcTyping)s->info->typing) {
    case BC_TY_NONE:
    case BC_TY_TRAP: return true;
    case BC_TY_MOVE: return move_types(s);
    case BC_TY_IMMEDIATE: return immediate_type(s);
    case BC_TY_CONSTANT: return constant_type(s);
    case BC_TY_INTS: return want_int(s, 0) && same_types(s);
    case BC_TY_FLOATS: return float_types(s);
    case BC_TY_LOGIC: return logic_types(s);
    case BC_TY_SHIFT: return shift_types(s);
    case BC_TY_COMPARE: return compare_types(s);
    case BC_TY_SELECT: return select_types(s);
    case BC_TY_CONVERT: return convert_types(s);
    case BC_TY_BITCAST: return bitcast_types(s);
    case BC_TY_BRANCH: return want(s, 0, BC_BOOL);
    case BC_TY_SWITCH: return switch_types(s);
    case BC_TY_RETURN: return return_type(s);
    case BC_TY_FIELD: return field_types(s);
    case BC_TY_RAW: return raw_types(s);
    case BC_TY_NEW_STRUCT: return new_struct_types(s);
    case BC_TY_NEW_ARRAY: return want_array(s, 0) && want_index(s, 1);
    case BC_TY_ELEMENT: return element_types(s);
    case BC_TY_LENGTH: return length_types(s);
    case BC_TY_GLOBAL: return global_types(s);
    case BC_TY_CAST: return cast_types(s);
    case BC_TY_DATA: return want(s, 0, BC_PTR);
    case BC_TY_POINTER_ADD: return pointer_add_types(s);
    case BC_TY_CALL: return call_types(s);
    case BC_TY_INTRINSIC: return intrinsic_types(s);
    case BC_TY_RAISE: return want_gc_ref(s, 0);
    }
    return false;
}

void check_code(Check *c) {
    const BcFunc *f = c->f;
    for (uint32_t b = 0; b < f->n_blocks; b++) {
        const BcBlock *block = &f->blocks[b];
        c->block = b;
        for (uint32_t i = 0; i < block->n && !c->stop; i++) {
            const BcInst *in = &f->insts[block->first + i];
            Site s = {c, c->m, f, in, bc_op(in->op)};
            c->inst = block->first + i;
            bool last = i + 1 == block->n;
            bool ends = s.info->flags & BC_TERM;
            if (last != ends)
                check_wrong(c, BC_V_BLOCK, last ? "the block has no terminator" : "terminator in a block");
            else if ((s.info->flags & BC_LOW) && !want_low(&s, s.info->name)) continue;
            else if (operands(&s)) types(&s);
        }
    }
}
