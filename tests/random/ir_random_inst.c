#include "ir_random_gen.h"

#include "select/target.h"

enum { MAX_SLOTS = 4 };

Value gen_add(Gen *g, Value v, bool loose) {
    vec_push(gen_arena(g), &g->pool, (Item){v, loose && type_is_float(value_type(g->b.f, v))});
    return v;
}

// ---- operands -----------------------------------------------------------------------------------

static Value constant(Gen *g, Type type) {
    if (type == T_f32) return ir_f32const(&g->b, (uint32_t)random_float(&g->r, type));
    if (type == T_f64) return ir_f64const(&g->b, random_float(&g->r, type));
    return ir_iconst(&g->b, type, random_int(&g->r, type));
}

Item gen_operand_item(Gen *g, Type type) {
    for (int tries = 0; g->pool.n && tries < 12 && pick(&g->r, 5); tries++) {
        uint32_t newest = g->pool.n < 8 ? g->pool.n : 8; // deep trees, not wide ones
        Item item =
            g->pool
                .v[(pick(&g->r, 3) != 0) != g->spread ? g->pool.n - 1 - pick(&g->r, newest) : pick(&g->r, g->pool.n)];
        if (value_type(g->b.f, item.v) == type) return item;
    }
    return (Item){constant(g, type), false};
}

Value gen_operand(Gen *g, Type type) { return gen_operand_item(g, type).v; }

// The value, or a number in place of a NaN.
static Value tight(Gen *g, Item item) {
    if (!item.loose) return item.v;
    Type type = value_type(g->b.f, item.v);
    Value other = type == T_f32 ? ir_f32const(&g->b, 0x3fc00000) : ir_f64const(&g->b, UINT64_C(0x4004000000000000));
    Value nan = ir_fcmp(&g->b, FCC_uno, item.v, item.v);
    return ir_select(&g->b, nan, other, item.v);
}

// ---- opcodes that follow from their operands ----------------------------------------------------

static bool usable(Op op) {
    const OpInfo *info = &op_info[op];
    if (info->flags & (OPF_can_load | OPF_can_store | OPF_other_effect | OPF_terminator | OPF_call | OPF_variadic))
        return false;
    return info->n_args && info->n_results;
}

Op gen_random_op(Gen *g) {
    Op op;
    do op = (Op)pick(&g->r, N_OPS);
    while (!usable(op));
    // What traps ends the function: not too often.
    return op_has(op, OPF_can_trap) && !chance(&g->r, g->tame ? 3 : 25) ? gen_random_op(g) : op;
}

Op gen_related_op(Gen *g, Op op) {
    int near = (int)op + (int)pick(&g->r, 9) - 4;
    bool there = near >= 0 && near < N_OPS && usable((Op)near) && !(g->tame && op_has((Op)near, OPF_can_trap));
    return pick(&g->r, 3) && there ? (Op)near : gen_random_op(g);
}

static bool type_fits(const OpInfo *info, Type control, Type arg) {
    if (info->when == WHEN_ARG_NARROWER) return type_bits(arg) < type_bits(control);
    if (info->when == WHEN_ARG_WIDER) return type_bits(arg) > type_bits(control);
    if (info->when == WHEN_ARG_SAME) return type_bits(arg) == type_bits(control);
    return true;
}

static bool is_bitwise(Op op) {
    return op == OP_band || op == OP_bor || op == OP_bxor || op == OP_bnot || op == OP_bitselect || op == OP_bitcast ||
           op == OP_fcopysign;
}

// Whether the bits of a result are those of its operands when these are a NaN.
static bool keeps_bits(Op op) {
    return is_bitwise(op) || op == OP_select || op == OP_select_spectre_guard || op == OP_fneg || op == OP_fabs;
}

static bool divides(Op op) { return op == OP_udiv || op == OP_sdiv || op == OP_urem || op == OP_srem; }

// A load with one use, for operands that machines take from memory.
static Value loaded(Gen *g, Type type);

// An instruction of this opcode with operands from the pool, the last one from memory when asked.
static void make_inst(Gen *g, Op op, Type control, bool from_memory) {
    const OpInfo *info = &op_info[op];
    Value args[OP_MAX_ARGS];
    bool loose = !keeps_bits(op);
    for (unsigned k = 0; k < info->n_args; k++) {
        Type type = control;
        if (info->args[k].rule == TR_FREE || info->args[k].rule == TR_FIXED)
            type = type_of_set(&g->r, info->args[k].set);
        if (info->args[k].rule == TR_FREE && !type_fits(info, control, type)) return;
        Item item = {NO_VALUE, false};
        if (from_memory && k + 1 == info->n_args) item.v = loaded(g, type);
        else item = gen_operand_item(g, type);
        if (divides(op) && k == 1 && pick(&g->r, g->tame ? 60 : 8)) {
            item.v = ir_bor(&g->b, item.v, ir_iconst(&g->b, type, 1 + pick(&g->r, 3)));
        }
        if (type_is_float(type) && is_bitwise(op)) item = (Item){tight(g, item), false};
        loose |= item.loose;
        args[k] = item.v;
    }
    InstData data = {.op = op, .type = (uint8_t)control, .srcloc = NONE};
    if (info->format == FMT_int_compare) data.code = (uint8_t)pick(&g->r, N_ICC);
    if (info->format == FMT_float_compare) data.code = (uint8_t)pick(&g->r, N_FCC);
    if (op == OP_uadd_overflow_trap) data.code = (uint8_t)(1 + pick(&g->r, 100));
    Inst made = ir_insert(&g->b, &data, args, info->n_args);
    for (unsigned k = 0; k < info->n_results; k++) gen_add(g, inst_result(g->b.f, made, k), loose);
}

void gen_inst(Gen *g) {
    Op op = g->narrow && pick(&g->r, 4) ? g->ops[pick(&g->r, 3)] : gen_random_op(g);
    const OpInfo *info = &op_info[op];
    Type control = info->types ? type_of_set(&g->r, info->types) : T_none;
    if (g->narrow && info->when == WHEN_ANY && type_in(g->type, info->types) && pick(&g->r, 8)) control = g->type;
    make_inst(g, op, control, false);
}

// ---- conditions ---------------------------------------------------------------------------------

static Value compare_ints(Gen *g) {
    Type type = type_of_set(&g->r, TS_int);
    Value x = gen_operand(g, type);
    return ir_icmp(&g->b, (IntCC)pick(&g->r, N_ICC), x, gen_operand(g, type));
}

Value gen_condition(Gen *g) {
    Type type = type_of_set(&g->r, TS_int);
    switch (pick(&g->r, 8)) {
    case 0: return gen_operand(g, type);
    case 7:
    case 1: {
        Type real = type_of_set(&g->r, TS_float);
        Value x = gen_operand(g, real);
        return ir_fcmp(&g->b, (FloatCC)pick(&g->r, N_FCC), x, gen_operand(g, real));
    }
    case 2: {
        Value x = gen_operand(g, type);
        Value bits = ir_band(&g->b, x, gen_operand(g, type));
        if (pick(&g->r, 2)) return bits;
        return ir_icmp(&g->b, pick(&g->r, 2) ? ICC_eq : ICC_ne, bits, ir_iconst(&g->b, type, 0));
    }
    case 3: {
        static const Op ops[] = {OP_uadd_overflow, OP_sadd_overflow, OP_usub_overflow,
                                 OP_ssub_overflow, OP_umul_overflow, OP_smul_overflow};
        InstData data = {.op = ops[pick(&g->r, 6)], .type = (uint8_t)type, .srcloc = NONE};
        Value x = gen_operand(g, type);
        Inst made = ir_insert(&g->b, &data, (Value[]){x, gen_operand(g, type)}, 2);
        gen_add(g, inst_result(g->b.f, made, 0), false);
        return inst_result(g->b.f, made, 1);
    }
    case 4: {
        Value x = compare_ints(g);
        Value y = compare_ints(g);
        return pick(&g->r, 2) ? ir_band(&g->b, x, y) : ir_bor(&g->b, x, y);
    }
    default: return compare_ints(g);
    }
}

// ---- memory -------------------------------------------------------------------------------------

typedef struct Address {
    Value p;
    int32_t offset;
} Address;

static Value word(Gen *g, uint64_t x) { return ir_iconst(&g->b, T_i64, x); }

static Value add_either_way(Gen *g, Value x, Value y) {
    return pick(&g->r, 2) ? ir_iadd(&g->b, x, y) : ir_iadd(&g->b, y, x);
}

// An index of 0 to `most`, times 1 << shift, from a value of any width; what the bits above a narrow value hold is
// nobody's business.
static Value scaled_index(Gen *g, uint32_t most, unsigned shift) {
    uint64_t mask = 1;
    while ((mask * 2 + 1) << shift <= most) mask = mask * 2 + 1;
    Type type = type_of_set(&g->r, TS_int);
    Value x = gen_operand(g, type);
    bool late = pick(&g->r, 2); // extended first, cut then
    if (!late) x = ir_band(&g->b, x, ir_iconst(&g->b, type, mask));
    if (type != T_i64) x = pick(&g->r, 2) ? ir_uextend(&g->b, T_i64, x) : ir_sextend(&g->b, T_i64, x);
    if (late) x = ir_band(&g->b, x, word(g, mask));
    if (!shift && pick(&g->r, 2)) return x;
    return pick(&g->r, 3) ? ir_ishl(&g->b, x, ir_iconst(&g->b, type_of_set(&g->r, TS_int), shift))
                          : ir_imul(&g->b, x, word(g, UINT64_C(1) << shift));
}

// Near the limits of displacements.
static int64_t random_displacement(Gen *g) {
    static const int64_t edges[] = {0, 127, -128, 2147483647, -INT64_C(2147483648), 4096};
    int64_t x = edges[pick(&g->r, 6)] + (int64_t)pick(&g->r, 9) - 4;
    return pick(&g->r, 8) ? x : (int64_t)random_int(&g->r, T_i64);
}

// An address of `size` bytes in a stack slot or behind the pointer parameter.
static Address address(Gen *g, unsigned size, bool aligned) {
    const Func *f = g->b.f;
    uint32_t slot = pick(&g->r, g->n_slots + 1);
    uint32_t room = slot < g->n_slots ? f->slots.v[slot].size : RANDOM_BUFFER;
    if (room < size || (aligned && slot < g->n_slots)) { // alignment is known of the buffer only
        slot = g->n_slots;
        room = RANDOM_BUFFER;
    }
    uint32_t at = pick(&g->r, room - size + 1);
    if (aligned || pick(&g->r, 2)) at &= ~(size - 1);
    Value p = g->memory;
    if (slot < g->n_slots) {
        uint32_t from = pick(&g->r, 2) ? 0 : pick(&g->r, at + 1);
        p = ir_stack_addr(&g->b, T_i64, slot, (int32_t)from);
        at -= from;
        room -= from;
    }
    if (!aligned && pick(&g->r, 3) == 0) {
        unsigned shift = pick(&g->r, 4);
        if ((UINT32_C(1) << shift) <= at) {
            p = add_either_way(g, p, scaled_index(g, at, shift));
            at = 0;
        }
    }
    int64_t k = pick(&g->r, 3) ? 0 : random_displacement(g);
    if (k)
        p = pick(&g->r, 4) ? add_either_way(g, p, word(g, (uint64_t)k)) : ir_isub(&g->b, p, word(g, 0 - (uint64_t)k));
    int64_t rest = (int64_t)((uint64_t)at - (uint64_t)k);
    if (rest != (int32_t)rest) {
        p = add_either_way(g, p, word(g, (uint64_t)rest));
        rest = 0;
    }
    return (Address){p, (int32_t)rest};
}

// An address as a value, for what takes no offset.
static Value flat(Gen *g, Address a) {
    return a.offset ? ir_iadd(&g->b, a.p, word(g, (uint64_t)(int64_t)a.offset)) : a.p;
}

static unsigned narrow_size(Op op) {
    switch (op) {
    case OP_uload8:
    case OP_sload8:
    case OP_istore8: return 1;
    case OP_uload16:
    case OP_sload16:
    case OP_istore16: return 2;
    case OP_uload32:
    case OP_sload32:
    case OP_istore32: return 4;
    default: return 0;
    }
}

static uint8_t random_flags(Gen *g) { return pick(&g->r, 3) ? 0 : MF_NOTRAP | (pick(&g->r, 2) ? MF_CAN_MOVE : 0); }

static Value load_at(Gen *g, Op op, Type type, Address a) {
    InstData data = {.op = op, .type = (uint8_t)type, .memflags = random_flags(g), .imm = a.offset, .srcloc = NONE};
    Inst made = ir_insert(&g->b, &data, &a.p, 1);
    return gen_add(g, inst_result(g->b.f, made, 0), false);
}

static void store_at(Gen *g, Op op, Value x, Address a) {
    Type type = value_type(g->b.f, x);
    InstData data = {.op = op, .type = (uint8_t)type, .memflags = random_flags(g), .imm = a.offset, .srcloc = NONE};
    ir_insert(&g->b, &data, (Value[]){x, a.p}, 2);
}

static void random_load(Gen *g) {
    static const Op ops[] = {OP_load,    OP_load,    OP_load,    OP_uload8, OP_sload8,
                             OP_uload16, OP_sload16, OP_uload32, OP_sload32};
    Op op = ops[pick(&g->r, 9)];
    Type type = narrow_size(op) == 4 ? T_i64 : type_of_set(&g->r, op_info[op].types);
    load_at(g, op, type, address(g, narrow_size(op) ? narrow_size(op) : type_bytes(type), false));
}

static void random_store(Gen *g) {
    static const Op ops[] = {OP_store, OP_store, OP_store, OP_istore8, OP_istore16, OP_istore32};
    Op op = ops[pick(&g->r, 6)];
    Type type = type_of_set(&g->r, op_info[op].types);
    Value x = tight(g, gen_operand_item(g, type));
    store_at(g, op, x, address(g, narrow_size(op) ? narrow_size(op) : type_bytes(type), false));
}

// load, operation, store at one place; sometimes with another access between, or the value used again.
static void random_update(Gen *g) {
    static const Op ops[] = {OP_iadd, OP_isub, OP_band, OP_bor,  OP_bxor, OP_ishl, OP_ushr, OP_sshr,
                             OP_rotl, OP_ineg, OP_bnot, OP_imul, OP_smin, OP_iadd, OP_isub};
    Op op = ops[pick(&g->r, sizeof ops / sizeof *ops)];
    Type type = type_of_set(&g->r, TS_int);
    Address a = address(g, type_bytes(type), false);
    Value x = load_at(g, OP_load, type, a);
    if (pick(&g->r, 4) == 0) random_store(g);
    Value y = gen_operand(g, type);
    Value args[2] = {x, y};
    if (op_has(op, OPF_commutes) && pick(&g->r, 2)) args[0] = y, args[1] = x;
    InstData data = {.op = op, .type = (uint8_t)type, .srcloc = NONE};
    Value z = inst_result(g->b.f, ir_insert(&g->b, &data, args, op_info[op].n_args), 0);
    if (pick(&g->r, 4) == 0) random_store(g);
    store_at(g, OP_store, z, a);
    if (pick(&g->r, 4) == 0) gen_add(g, z, false);
    else if (pick(&g->r, 2)) g->pool.n--; // the load has one use
}

static Value loaded(Gen *g, Type type) {
    Value v = load_at(g, OP_load, type, address(g, type_bytes(type), false));
    g->pool.n--;
    if (pick(&g->r, 8) == 0) random_store(g); // the load may not sink past it
    return v;
}

static void random_load_use(Gen *g) {
    static const Op ops[] = {OP_isub, OP_iadd,          OP_imul,         OP_band,   OP_icmp,   OP_fadd,
                             OP_fsub, OP_fmul,          OP_fdiv,         OP_sqrt,   OP_fma,    OP_fcmp,
                             OP_isub, OP_fpromote,      OP_fdemote,      OP_clz,    OP_ctz,    OP_fcvt_from_sint,
                             OP_isub, OP_uextend,       OP_sextend,      OP_popcnt, OP_select, OP_smulhi,
                             OP_isub, OP_usub_overflow, OP_ssub_overflow};
    Op op = pick(&g->r, 4) ? ops[pick(&g->r, sizeof ops / sizeof *ops)] : gen_random_op(g);
    const OpInfo *info = &op_info[op];
    make_inst(g, op, info->types ? type_of_set(&g->r, info->types) : T_none, true);
}

static void random_atomic(Gen *g) {
    Type type = type_of_set(&g->r, TS_int);
    Value p = flat(g, address(g, type_bytes(type), true));
    if (pick(&g->r, 4) == 0) ir_fence(&g->b);
    if (pick(&g->r, 2)) ir_atomic_store(&g->b, 0, gen_operand(g, type), p);
    else gen_add(g, ir_atomic_load(&g->b, type, 0, p), false);
}

void gen_memory(Gen *g) {
    switch (pick(&g->r, 11)) {
    case 8:
    case 9:
    case 10: random_load_use(g); break;
    case 0:
    case 1: random_store(g); break;
    case 2:
    case 3: random_update(g); break;
    case 4:
        if (pick(&g->r, 2)) {
            random_atomic(g);
            break;
        }
        // fall through
    default: random_load(g); break;
    }
}

void gen_slots(Gen *g) {
    Func *f = g->b.f;
    for (uint32_t n = pick(&g->r, MAX_SLOTS + 1); n; n--) {
        StackSlot slot = {.size = 1 + pick(&g->r, 40), .align = 1u << pick(&g->r, 7), .declared = true};
        if (pick(&g->r, 3) == 0) slot.size = RANDOM_BUFFER;
        vec_push(f->arena, &f->slots, slot);
    }
    // Nothing is known of a slot's bytes before they are stored.
    g->n_slots = f->slots.n;
    for (uint32_t k = 0; k < g->n_slots; k++) {
        static const Type types[] = {T_i64, T_i32, T_i16, T_i8};
        Value p = ir_stack_addr(&g->b, T_i64, k, 0);
        for (uint32_t at = 0, t = 0; at < f->slots.v[k].size;) {
            while (type_bytes(types[t]) > f->slots.v[k].size - at) t++;
            store_at(g, OP_store, gen_operand(g, types[t]), (Address){p, (int32_t)at});
            at += type_bytes(types[t]);
        }
        // Where a slot lies is not known, but that it is aligned.
        if (f->slots.v[k].align >= 16) gen_add(g, ir_band(&g->b, p, word(g, f->slots.v[k].align - 1)), false);
    }
}

// ---- calls --------------------------------------------------------------------------------------

static bool same_results(const Sig *a, const Sig *b) {
    if (a->n_results != b->n_results) return false;
    for (uint32_t k = 0; k < a->n_results; k++) {
        if (a->results[k].type != b->results[k].type) return false;
    }
    return true;
}

static uint32_t declare(Gen *g, uint32_t callee, uint32_t *sig) {
    Func *f = g->b.f;
    const Func *other = g->program->funcs[callee];
    *sig = f->sigs.n;
    vec_push(f->arena, &f->sigs, other->sig);
    ExtFunc ext = {.name = other->name, .sig = *sig, .colocated = pick(&g->r, 2), .declared = true};
    vec_push(f->arena, &f->funcs, ext);
    return f->funcs.n - 1;
}

// Arguments for a callee; its pointer is ours, or one to a slot of ours that is large enough (not when our frame ends).
static Value *call_args(Gen *g, uint32_t callee, bool tail) {
    const Func *f = g->b.f;
    const Sig *sig = &g->program->funcs[callee]->sig;
    Value *args = NEW_ARRAY(gen_arena(g), Value, sig->n_params + 1);
    for (uint32_t k = 0; k < sig->n_params; k++) {
        if (k != g->memory_arg[callee]) {
            args[k] = gen_operand(g, (Type)sig->params[k].type);
            continue;
        }
        args[k] = g->memory;
        uint32_t slot = pick(&g->r, g->n_slots + 1);
        if (!tail && !g->shared && slot < g->n_slots && f->slots.v[slot].size == RANDOM_BUFFER)
            args[k] = ir_stack_addr(&g->b, T_i64, slot, 0);
    }
    return args;
}

void gen_call(Gen *g) {
    uint32_t callee = pick(&g->r, g->n_callees);
    const Sig *to = &g->program->funcs[callee]->sig;
    Value *args = call_args(g, callee, false);
    uint32_t sig;
    uint32_t func = declare(g, callee, &sig);
    Inst made;
    if (pick(&g->r, 3) == 0) {
        Value pointer = ir_func_addr(&g->b, T_i64, func);
        made = ir_call_indirect(&g->b, sig, pointer, args, to->n_params);
    } else {
        made = ir_call(&g->b, func, args, to->n_params);
    }
    for (uint32_t k = 0; k < to->n_results; k++) gen_add(g, inst_result(g->b.f, made, k), true);
}

bool gen_tail_call(Gen *g) {
    const Sig *own = &g->b.f->sig;
    if (own->conv != CC_TAIL || g->n_callees == 0) return false;
    uint32_t callee = pick(&g->r, g->n_callees);
    const Sig *to = &g->program->funcs[callee]->sig;
    if (to->conv != CC_TAIL || !same_results(own, to)) return false;
    Value *args = call_args(g, callee, true);
    uint32_t sig;
    uint32_t func = declare(g, callee, &sig);
    if (pick(&g->r, 3)) ir_return_call(&g->b, func, args, to->n_params);
    else ir_return_call_indirect(&g->b, sig, ir_func_addr(&g->b, T_i64, func), args, to->n_params);
    return true;
}

void gen_trap(Gen *g) {
    uint8_t code = (uint8_t)(1 + pick(&g->r, 100));
    if (g->tame) {
        Type type = pick(&g->r, 2) ? T_i64 : T_i32;
        Value x = gen_operand(g, type);
        uint64_t k = random_word(&g->r) & (UINT64_MAX >> (64 - type_bits(type)));
        if (pick(&g->r, 2)) ir_trapz(&g->b, ir_icmp(&g->b, ICC_ne, x, ir_iconst(&g->b, type, k)), code);
        else ir_trapnz(&g->b, ir_icmp(&g->b, ICC_eq, ir_iconst(&g->b, type, k), x), code);
        return;
    }
    if (pick(&g->r, 2)) ir_trapz(&g->b, gen_condition(g), code);
    else ir_trapnz(&g->b, gen_condition(g), code);
}

void gen_select(Gen *g) {
    Type type = type_of_set(&g->r, TS_int | TS_float);
    Value c = gen_condition(g);
    Item x = gen_operand_item(g, type);
    Item y = gen_operand_item(g, type);
    switch (pick(&g->r, 4)) {
    case 0: gen_add(g, ir_select_spectre_guard(&g->b, c, x.v, y.v), x.loose || y.loose); break;
    case 1: gen_add(g, ir_bmask(&g->b, type_of_set(&g->r, TS_int), c), false); break;
    default: gen_add(g, ir_select(&g->b, c, x.v, y.v), x.loose || y.loose); break;
    }
}

// Sums, products and masks as machines have them in one instruction.
void gen_shape(Gen *g) {
    static const uint8_t factors[] = {2, 3, 4, 5, 7, 8, 9, 10, 24, 40, 72, 255};
    Type type = pick(&g->r, 3) ? (pick(&g->r, 2) ? T_i64 : T_i32) : type_of_set(&g->r, TS_int);
    Value x = gen_operand(g, type);
    Value y = gen_operand(g, type);
    Value c = ir_iconst(&g->b, type, factors[pick(&g->r, sizeof factors)]);
    switch (pick(&g->r, 6)) {
    case 0: gen_add(g, pick(&g->r, 2) ? ir_imul(&g->b, x, c) : ir_imul(&g->b, c, x), false); break;
    case 1: gen_add(g, ir_band(&g->b, pick(&g->r, 2) ? ir_bnot(&g->b, x) : x, ir_bnot(&g->b, y)), false); break;
    case 2: {
        Value (*const ops[])(Builder *, Value, Value) = {ir_sdiv, ir_udiv, ir_srem, ir_urem};
        if (pick(&g->r, 3) == 0) c = ir_iconst(&g->b, type, random_int(&g->r, type) | 1);
        gen_add(g, ops[pick(&g->r, 4)](&g->b, x, c), false);
        break;
    }
    default:
        y = ir_ishl(&g->b, y, ir_iconst(&g->b, type_of_set(&g->r, TS_int), pick(&g->r, 5)));
        x = add_either_way(g, x, y);
        if (pick(&g->r, 2)) x = add_either_way(g, x, constant(g, type));
        gen_add(g, x, false);
        break;
    }
}

// ---- signatures ---------------------------------------------------------------------------------

static AbiParam *random_types(Gen *g, uint32_t n) {
    AbiParam *list = NEW_ARRAY(gen_arena(g), AbiParam, n + 1);
    for (uint32_t k = 0; k < n; k++) {
        list[k].type = (uint8_t)type_of_set(&g->r, TS_int | TS_float);
        if (type_is_int((Type)list[k].type) && pick(&g->r, 4) == 0) list[k].ext = pick(&g->r, 2) ? EXT_UEXT : EXT_SEXT;
    }
    return list;
}

void gen_sig(Gen *g) {
    static const CallConv convs[] = {CC_FAST, CC_SYSTEM_V, CC_WINDOWS_FASTCALL, CC_TAIL, CC_TAIL};
    Func *f = g->b.f;
    f->sig.conv = (uint8_t)convs[pick(&g->r, 5)];
    if (g->options->target && !g->options->target->conv[f->sig.conv]) f->sig.conv = CC_FAST;
    f->sig.declared = true;
    f->sig.n_params = pick(&g->r, pick(&g->r, 4) ? 7 : 24);
    f->sig.n_results = pick(&g->r, pick(&g->r, 4) ? 5 : 14);
    if (!g->options->values_only) {
        f->sig.n_params++;
        g->memory_arg[g->index] = pick(&g->r, f->sig.n_params);
    }
    f->sig.params = random_types(g, f->sig.n_params);
    f->sig.results = random_types(g, f->sig.n_results);
    if (!g->options->values_only) f->sig.params[g->memory_arg[g->index]] = (AbiParam){.type = T_i64};
    const Func *earlier = g->index ? g->program->funcs[pick(&g->r, g->index)] : NULL;
    if (earlier && earlier->sig.conv == CC_TAIL && pick(&g->r, 2)) { // so that one can tail-call the other
        f->sig.conv = CC_TAIL;
        f->sig.n_results = earlier->sig.n_results;
        f->sig.results = earlier->sig.results;
    }
}

void gen_entry(Gen *g) {
    Func *f = g->b.f;
    Block entry = block_new(f);
    block_append(f, entry);
    g->b.at = entry;
    for (uint32_t k = 0; k < f->sig.n_params; k++) {
        Value v = block_add_param(f, entry, (Type)f->sig.params[k].type);
        if (!g->options->values_only && k == g->memory_arg[g->index]) g->memory = v;
        else gen_add(g, v, true);
    }
}

void gen_start(Gen *g, uint32_t index, Func *f) {
    g->index = index;
    g->n_callees = index;
    g->b = (Builder){.f = f, .srcloc = NONE};
    g->pool.v = NULL;
    g->pool.n = g->pool.cap = 0;
    g->n_slots = 0;
    g->loop = NULL;
    g->narrow = pick(&g->r, 3) == 0;
    g->type = type_of_set(&g->r, TS_int);
    for (unsigned k = 0; k < 3; k++) g->ops[k] = gen_related_op(g, k ? g->ops[0] : gen_random_op(g));
}
