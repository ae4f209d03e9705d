// Calling conventions: placing arguments and results, and the machine code of calls, entries and returns.
//
// Theory. A convention is a table (Abi): registers in order for integers and floats, then stack slots. An argument
// takes the next register of its file, or, where the files share positions (Abi.slots), the register of its position;
// when there is none it goes to the stack argument area, which starts with the shadow space. Results take result
// registers of their file; those beyond come back through the return area (abi.h).
//
// Values meet registers only at the call, entry or return instruction, as uses and defs with a fixed register;
// everything else is the allocator's business. Stack arguments are stored before the call into MSLOT_OUT_ARG, and
// loaded at the entry from MSLOT_IN_ARG, all of them first thing, so a tail call may overwrite that area
// (MSLOT_TAIL_ARG).
//
// Of a stack machine (Abi.values) every argument and result is an operand of the call, entry or return, in the order of
// the signature; a struct is the address of a copy of the caller's, which the callee owns. A tail call leaves nothing
// of the caller's frame, so the only struct that it can pass is one that came in.
//
// A narrow integer that the convention wants widened, and a float that goes to an integer register, pass through an IR
// instruction made on the spot, which the target's own rules select.
#include <string.h>

#include "select/sel.h"

enum { MAX_COPY = 1024 }; // bytes of a struct argument that are copied in line

// ---- placing ----------------------------------------------------------------------------------------

typedef struct Place_ {
    const Abi *abi;
    unsigned n_ints, n_floats; // registers taken; positions taken, in both, when the files share them
    uint32_t stack;
} Place_;

static uint32_t align_up(uint32_t x, uint32_t to) { return (x + to - 1) / to * to; }

static uint8_t next_int(Place_ *p) {
    unsigned k = p->n_ints++;
    return k < p->abi->n_int_args ? p->abi->int_args[k] : NO_REG;
}

static uint8_t next_register(Place_ *p, bool is_float, bool *crosses) {
    const Abi *abi = p->abi;
    *crosses = is_float && abi->floats_in_ints && p->n_floats >= abi->n_float_args;
    if (!is_float || *crosses) {
        uint8_t reg = next_int(p);
        if (abi->slots) p->n_floats = p->n_ints;
        return reg;
    }
    unsigned k = p->n_floats++;
    if (abi->slots) p->n_ints = p->n_floats;
    return k < abi->n_float_args ? abi->float_args[k] : NO_REG;
}

static void place_on_stack(Place_ *p, AbiLoc *loc, uint32_t bytes) {
    loc->reg = NO_REG;
    loc->offset = p->stack;
    p->stack += align_up(bytes, p->abi->arg_slot);
}

static AbiLoc place_arg(Place_ *p, Type type) {
    AbiLoc loc = {.type = (uint8_t)type};
    loc.reg = next_register(p, type_is_float(type), &loc.crosses);
    if (loc.reg == NO_REG) {
        loc.crosses = false;
        place_on_stack(p, &loc, type_bytes(type));
    }
    return loc;
}

static void check_type(const Target *t, Ctx *ctx, Type type) {
    if (t->type_class[type] == NO_CLASS)
        ctx_fail(ctx, VTR_ERR_UNSUPPORTED, "%s has no register for %s in a signature", t->name, type_name(type));
}

// Of a stack machine: only the copies of structs have a place, in an area of the caller's frame.
static void place_values(Ctx *ctx, const Target *t, const Sig *sig, AbiSig *out) {
    for (uint32_t k = 0; k < sig->n_results; k++) {
        check_type(t, ctx, (Type)sig->results[k].type);
        out->results[k] = (AbiLoc){.type = sig->results[k].type, .reg = NO_REG};
    }
    for (uint32_t k = 0; k < sig->n_params; k++) {
        const AbiParam *param = &sig->params[k];
        check_type(t, ctx, (Type)param->type);
        out->params[k] = (AbiLoc){.type = param->type, .reg = NO_REG, .offset = out->stack_size};
        if (param->purpose != PURPOSE_SARG) continue;
        out->params[k].copy = param->sarg_size;
        out->stack_size += align_up(param->sarg_size, out->abi->stack_align);
    }
}

AbiSig abi_place(Arena *arena, const Target *t, const Sig *sig) {
    const Abi *abi = t->conv[sig->conv];
    if (!abi)
        ctx_fail(arena_ctx(arena), VTR_ERR_UNSUPPORTED, "%s has no calling convention %s", t->name,
                 conv_name[sig->conv]);
    AbiSig out = {.abi = abi, .params = NEW_ARRAY(arena, AbiLoc, sig->n_params)};
    out.results = NEW_ARRAY(arena, AbiLoc, sig->n_results);
    if (abi->values) {
        place_values(arena_ctx(arena), t, sig, &out);
        return out;
    }
    unsigned n_ints = 0;
    unsigned n_floats = 0;
    for (uint32_t k = 0; k < sig->n_results; k++) {
        Type type = (Type)sig->results[k].type;
        check_type(t, arena_ctx(arena), type);
        AbiLoc loc = {.type = (uint8_t)type, .reg = NO_REG};
        if (type_is_float(type) && n_floats < abi->n_float_results) {
            loc.reg = abi->float_results[n_floats++];
        } else if (!type_is_float(type) && n_ints < abi->n_int_results) {
            loc.reg = abi->int_results[n_ints++];
        } else {
            loc.offset = out.area_size;
            out.area_size += 8;
        }
        out.results[k] = loc;
    }
    Place_ p = {.abi = abi, .stack = abi->shadow};
    if (out.area_size) out.area = place_arg(&p, target_ptr_type(t));
    for (uint32_t k = 0; k < sig->n_params; k++) {
        const AbiParam *param = &sig->params[k];
        check_type(t, arena_ctx(arena), (Type)param->type);
        if (param->purpose == PURPOSE_SARG) {
            out.params[k] = (AbiLoc){.type = param->type, .copy = param->sarg_size};
            place_on_stack(&p, &out.params[k], param->sarg_size);
        } else if (param->purpose == PURPOSE_SRET && abi->sret_arg != NO_REG) {
            out.params[k] = (AbiLoc){.type = param->type, .reg = abi->sret_arg};
        } else {
            out.params[k] = place_arg(&p, (Type)param->type);
        }
    }
    out.stack_size = align_up(p.stack, abi->stack_align);
    return out;
}

// ---- machine code from roles ---------------------------------------------------------------------------

static const OpndDesc *operand_of(const InstDesc *d, OpndType type) {
    for (unsigned k = 0; k < d->n_opnds; k++)
        if (d->opnds[k].type == type) return &d->opnds[k];
    return NULL;
}

// Fills base + displacement into the composite operand of `d`.
static void put_address(Sel *s, const InstDesc *d, MOpnd *o, MOpnd base, int64_t disp) {
    const OpndDesc *mem = operand_of(d, OT_COMPOSITE);
    o[mem->slot] = sel_form(s->t->mem_form);
    o[mem->slot + 1] = base;
    o[mem->slot + 2] = sel_imm(disp);
}

static MOpnd base_reg(Sel *s, uint32_t vreg) { return sel_in(vreg, s->t->type_class[target_ptr_type(s->t)], NO_REG); }

static MOpnd base_slot(Sel *s, uint32_t slot, uint32_t offset) {
    return sel_slot(slot, s->t->type_class[target_ptr_type(s->t)], offset);
}

static uint16_t by_size(const uint16_t mops[4], Type type) {
    unsigned k = bit_ctz64(type_bytes(type));
    while (k < 3 && mops[k] == NO_MOP) k++;
    return mops[k];
}

static void load(Sel *s, Type type, uint32_t vreg, MOpnd base, int64_t disp) {
    uint16_t mop = by_size(s->t->classes[s->t->type_class[type]].load, type);
    const InstDesc *d = &s->t->insts[mop];
    MOpnd *o = sel_inst(s, mop, d->n_slots);
    const OpndDesc *reg = operand_of(d, OT_REG);
    o[reg->slot] = sel_def(vreg, reg->cls, reg->fixed);
    put_address(s, d, o, base, disp);
}

static void store(Sel *s, Type type, uint32_t vreg, MOpnd base, int64_t disp) {
    uint16_t mop = by_size(s->t->classes[s->t->type_class[type]].store, type);
    const InstDesc *d = &s->t->insts[mop];
    MOpnd *o = sel_inst(s, mop, d->n_slots);
    const OpndDesc *reg = operand_of(d, OT_REG);
    o[reg->slot] = sel_in(vreg, reg->cls, reg->fixed);
    put_address(s, d, o, base, disp);
}

static void address_of(Sel *s, uint32_t vreg, MOpnd base) {
    const InstDesc *d = &s->t->insts[s->t->op_lea];
    MOpnd *o = sel_inst(s, s->t->op_lea, d->n_slots);
    const OpndDesc *reg = operand_of(d, OT_REG);
    o[reg->slot] = sel_def(vreg, reg->cls, reg->fixed);
    put_address(s, d, o, base, 0);
}

void sel_jump_to(Sel *s, uint32_t mblock) {
    const InstDesc *d = &s->t->insts[s->t->op_jump];
    MOpnd *o = sel_inst(s, s->t->op_jump, d->n_slots);
    o[operand_of(d, OT_LABEL)->slot] = sel_block(mblock);
}

void sel_jump(Sel *s) {
    sel_jump_to(s, sel_target(s, 0));
    vec_last(&s->group).flags |= MI_TERM;
}

void sel_trap(Sel *s, Inst i) {
    (void)sel_inst(s, s->t->op_trap, s->t->insts[s->t->op_trap].n_slots);
    vec_last(&s->group).flags |= MI_TRAP | MI_TERM;
    vec_last(&s->group).trap = sel_data(s, i)->code;
}

// ---- values --------------------------------------------------------------------------------------------

// The result of an instruction of one operand made on the spot.
static Value spot_value(Sel *s, Op op, Type type, Value v, Inst *made) {
    const InstData *r = sel_data(s, s->root);
    InstData d = {.op = (uint16_t)op, .type = (uint8_t)type, .srcloc = r->srcloc, .block = r->block};
    d.args = list_new(s->f, &v, 1);
    *made = sel_spot(s, &d);
    return inst_result(s->f, *made, 0);
}

static uint32_t use_spot(Sel *s, Op op, Type type, Value v) {
    Inst made;
    uint32_t vreg = sel_use(s, spot_value(s, op, type, v, &made));
    sel_spot_one(s, made);
    return vreg;
}

// What an integer of `type` becomes as an argument or result, and by which opcode; `type` itself when it stays.
static Type extended(Sel *s, const Abi *abi, const AbiParam *param, Op *op) {
    Type type = (Type)param->type;
    *op = param->ext == EXT_UEXT ? OP_uextend : OP_sextend;
    if (type_is_float(type)) return type;
    if (abi->extend == EXTEND_TO_32 && param->ext != EXT_NONE && type_bits(type) < 32) return T_i32;
    if (abi->extend != EXTEND_TO_WORD || type_bits(type) >= s->t->word_bits) return type;
    if (type_bits(type) == 32) *op = OP_sextend;
    else if (param->ext == EXT_NONE) return type;
    return target_ptr_type(s->t);
}

// The register with v as an argument or result at `loc`: widened when the signature and the convention say so, and as
// an integer when it goes to an integer register. *type: what it is then.
static uint32_t use_as(Sel *s, const Abi *abi, const AbiParam *param, const AbiLoc *loc, Value v, Type *type) {
    Op op = OP_bitcast;
    *type = loc->crosses ? (type_bytes((Type)param->type) == 4 ? T_i32 : T_i64) : extended(s, abi, param, &op);
    return *type == (Type)param->type ? sel_use(s, v) : use_spot(s, op, *type, v);
}

// A slot that a call or return has beyond its description.
typedef VEC(MOpnd) Extras;

static uint8_t loc_class(const Sel *s, const AbiLoc *loc) {
    return s->t->type_class[loc->crosses ? target_ptr_type(s->t) : (Type)loc->type];
}

static void extra_use(Sel *s, Extras *extras, uint32_t vreg, const AbiLoc *loc) {
    vec_push(s->tmp, extras, sel_in(vreg, loc_class(s, loc), loc->reg));
}

static MOpnd *inst_with_extras(Sel *s, uint16_t mop, const Extras *extras) {
    unsigned described = mop_is_pseudo(mop) ? 0 : s->t->insts[mop].n_slots;
    if (extras->n > UINT16_MAX - described)
        ctx_fail(s->ctx, VTR_ERR_LIMIT, "a call or function with more than 65,000 arguments and results");
    MOpnd *o = sel_inst(s, mop, described + extras->n);
    for (uint32_t k = 0; k < extras->n; k++) o[described + k] = extras->v[k];
    return o;
}

// ---- entry ---------------------------------------------------------------------------------------------

static uint32_t in_slot(Sel *s) {
    if (s->in_slot == NONE) s->in_slot = mfunc_slot(s->m, MSLOT_IN_ARG, s->abi.stack_size, s->abi.abi->stack_align);
    return s->in_slot;
}

static void arrive_from_stack(Sel *s, const AbiLoc *loc, uint32_t vreg) {
    MOpnd at = base_slot(s, in_slot(s), loc->offset);
    if (loc->copy) {
        address_of(s, vreg, at);
    } else {
        load(s, (Type)loc->type, vreg, at, 0);
    }
}

// A float that arrives in an integer register, as a value that is defined there and nowhere in the IR.
typedef struct Crossing {
    uint32_t vreg; // of the integer
    Value param;
} Crossing;

static void cross(Sel *s, const Crossing *c) {
    Type type = value_type(s->f, c->param);
    Inst made;
    Value bits = sel_spot_value(s, c->vreg, type_bytes(type) == 4 ? T_i32 : T_i64);
    Value v = spot_value(s, OP_bitcast, type, bits, &made);
    s->vregs[v.i] = s->vregs[c->param.i];
    sel_spot_one(s, made);
}

static MOpnd def_of(Sel *s, uint32_t vreg, Type type) {
    return vreg == NONE ? (MOpnd){.kind = MO_NONE, .role = ROLE_DEF, .fixed = NO_REG, .reg = NONE}
                        : sel_def(vreg, s->t->type_class[type], NO_REG);
}

static void enter_with_values(Sel *s) {
    const Func *f = s->f;
    Extras extras = {0};
    for (uint32_t k = 0; k < f->sig.n_params; k++)
        vec_push(s->tmp, &extras, def_of(s, s->vregs[block_param(f, f->first, k).i], (Type)f->sig.params[k].type));
    (void)inst_with_extras(s, MOP_ENTRY, &extras);
    vec_last(&s->group).srcloc = NONE;
    vec_last(&s->group).ir = NONE;
}

void sel_entry(Sel *s) {
    const Func *f = s->f;
    Extras extras = {0};
    if (s->abi.abi->values) {
        enter_with_values(s);
        return;
    }
    VEC(Crossing) crossings = {0};
    if (s->area != NONE && s->abi.area.reg != NO_REG)
        vec_push(s->tmp, &extras, sel_def(s->area, s->t->type_class[s->abi.area.type], s->abi.area.reg));
    for (uint32_t k = 0; k < f->sig.n_params; k++) {
        const AbiLoc *loc = &s->abi.params[k];
        Value v = block_param(f, f->first, k);
        if (loc->reg == NO_REG || loc->copy || s->vregs[v.i] == NONE) continue;
        uint32_t vreg = s->vregs[v.i];
        if (loc->crosses) {
            vreg = sel_temp(s, loc_class(s, loc), type_bytes((Type)loc->type));
            vec_push(s->tmp, &crossings, (Crossing){vreg, v});
        }
        vec_push(s->tmp, &extras, sel_def(vreg, loc_class(s, loc), loc->reg));
    }
    (void)inst_with_extras(s, MOP_ENTRY, &extras);
    vec_last(&s->group).srcloc = NONE;
    vec_last(&s->group).ir = NONE;
    for (uint32_t k = 0; k < crossings.n; k++) cross(s, &crossings.v[k]);
    if (s->area != NONE && s->abi.area.reg == NO_REG) arrive_from_stack(s, &s->abi.area, s->area);
    for (uint32_t k = 0; k < f->sig.n_params; k++) {
        const AbiLoc *loc = &s->abi.params[k];
        Value v = block_param(f, f->first, k);
        if ((loc->reg == NO_REG || loc->copy) && s->vregs[v.i] != NONE) arrive_from_stack(s, loc, s->vregs[v.i]);
    }
}

// ---- return --------------------------------------------------------------------------------------------

static uint32_t own_area(Sel *s) {
    if (s->area == NONE) {
        Type type = target_ptr_type(s->t);
        s->area = sel_temp(s, s->t->type_class[type], type_bytes(type));
    }
    return s->area;
}

// A struct-return pointer also comes back in a register where the convention says so and the signature does not.
static void return_sret(Sel *s, Extras *extras) {
    const Func *f = s->f;
    uint8_t reg = s->abi.abi->sret_result;
    if (reg == NO_REG) return;
    for (uint32_t k = 0; k < f->sig.n_results; k++)
        if (s->abi.results[k].reg == reg) return;
    for (uint32_t k = 0; k < f->sig.n_params; k++) {
        if (f->sig.params[k].purpose != PURPOSE_SRET) continue;
        AbiLoc loc = {.reg = reg, .type = f->sig.params[k].type};
        extra_use(s, extras, sel_use(s, block_param(f, f->first, k)), &loc);
        return;
    }
}

// Whether the machine's store of that type can say the displacement.
static bool store_holds(const Sel *s, Type type, uint32_t disp) {
    const InstDesc *d = &s->t->insts[by_size(s->t->classes[s->t->type_class[type]].store, type)];
    const FormDesc *form = &s->t->operands[operand_of(d, OT_COMPOSITE)->kind].forms[s->t->mem_form];
    return target_imm_fits(s->t, form->parts[1].kind, disp) && !sel_squeezed(s, disp);
}

// Stores a result where the caller said.
static void store_result(Sel *s, Type type, uint32_t vreg, uint32_t offset) {
    uint32_t area = own_area(s);
    if (!store_holds(s, type, offset)) {
        area = sel_use(s, sel_spot_sum(s, sel_spot_value(s, area, target_ptr_type(s->t)), offset));
        offset = 0;
    }
    store(s, type, vreg, base_reg(s, area), offset);
}

void sel_return(Sel *s, Inst i) {
    const Sig *sig = &s->f->sig;
    Extras extras = {0};
    for (uint32_t k = 0; k < sig->n_results; k++) {
        const AbiLoc *loc = &s->abi.results[k];
        Type type;
        uint32_t vreg = use_as(s, s->abi.abi, &sig->results[k], loc, sel_arg(s, i, k), &type);
        if (loc->reg == NO_REG && !s->abi.abi->values) {
            store_result(s, (Type)loc->type, vreg, loc->offset);
        } else {
            extra_use(s, &extras, vreg, loc);
        }
    }
    return_sret(s, &extras);
    bool pops = s->abi.abi->callee_pops && s->abi.stack_size && s->t->op_ret_pop != NO_MOP;
    uint16_t mop = pops ? s->t->op_ret_pop : s->t->op_ret;
    MOpnd *o = inst_with_extras(s, mop, &extras);
    if (pops) {
        const OpndDesc *bytes = operand_of(&s->t->insts[mop], OT_IMM);
        if (!target_imm_fits(s->t, bytes->kind, s->abi.stack_size))
            ctx_fail(s->ctx, VTR_ERR_LIMIT, "%s: a function that removes %u bytes of stack arguments", s->t->name,
                     s->abi.stack_size);
        o[bytes->slot] = sel_imm(s->abi.stack_size);
    }
    vec_last(&s->group).flags |= MI_TERM;
}

// ---- calls ---------------------------------------------------------------------------------------------

static void grow(uint32_t *size, uint32_t to) {
    if (*size < to) *size = to;
}

// The area that the stack arguments of a call go to.
static uint32_t args_slot(Sel *s, const AbiSig *sig, bool tail) {
    MFunc *m = s->m;
    uint32_t align = sig->abi->stack_align;
    if (!tail) {
        if (s->out_slot == NONE) s->out_slot = mfunc_slot(m, MSLOT_OUT_ARG, 0, align);
        grow(&m->slots.v[s->out_slot].size, sig->stack_size);
        return s->out_slot;
    }
    bool added;
    uint32_t *slot = map_add(&s->tails, sig->stack_size, m->slots.n, &added);
    if (added) (void)mfunc_slot(m, MSLOT_TAIL_ARG, sig->stack_size, align);
    return *slot;
}

static void copy_struct(Sel *s, uint32_t from, MOpnd to, uint32_t bytes) {
    Type word = target_ptr_type(s->t);
    uint32_t size = type_bytes(word);
    if (bytes % size || bytes > MAX_COPY)
        ctx_fail(s->ctx, VTR_ERR_UNSUPPORTED, "a struct argument of %u bytes (up to %d in multiples of %u)", bytes,
                 MAX_COPY, size);
    for (uint32_t at = 0; at < bytes; at += size) {
        uint32_t t = sel_temp(s, s->t->type_class[word], size);
        load(s, word, t, base_reg(s, from), at);
        to.imm += at ? size : 0;
        store(s, word, t, to, 0);
    }
}

// Puts the arguments where the callee expects them; those in registers become extra slots.
static void pass_args(Sel *s, const Sig *sig, const AbiSig *abi, ValueList args, uint32_t first, bool tail,
                      Extras *extras) {
    uint32_t slot = NONE;
    for (uint32_t k = 0; k < sig->n_params; k++) {
        const AbiLoc *loc = &abi->params[k];
        Type type;
        uint32_t vreg = use_as(s, abi->abi, &sig->params[k], loc, list_get(s->f, args, first + k), &type);
        if (loc->reg != NO_REG && !loc->copy) {
            extra_use(s, extras, vreg, loc);
            continue;
        }
        if (slot == NONE) slot = args_slot(s, abi, tail);
        MOpnd to = base_slot(s, slot, loc->offset);
        if (loc->copy) {
            copy_struct(s, vreg, to, loc->copy);
        } else {
            store(s, type, vreg, to, 0);
        }
    }
}

// The hidden argument: where the callee stores the results that fit no register. One area serves all calls, as it is
// read right after each; a tail call passes on the caller's own.
static uint32_t pass_area(Sel *s, const AbiSig *abi, bool tail, Extras *extras) {
    Type type = target_ptr_type(s->t);
    uint32_t vreg;
    if (tail) {
        vreg = own_area(s);
    } else {
        vreg = sel_temp(s, s->t->type_class[type], type_bytes(type));
        if (s->area_slot == NONE) s->area_slot = mfunc_slot(s->m, MSLOT_LOCAL, 0, 8);
        grow(&s->m->slots.v[s->area_slot].size, abi->area_size);
        address_of(s, vreg, base_slot(s, s->area_slot, 0));
    }
    if (abi->area.reg != NO_REG) {
        extra_use(s, extras, vreg, &abi->area);
    } else {
        store(s, type, vreg, base_slot(s, args_slot(s, abi, tail), abi->area.offset), 0);
    }
    return vreg;
}

static uint16_t clobbers_of(Sel *s, const Abi *abi) {
    uint16_t *at = &s->clobbers[abi - s->t->abis];
    if (!*at) {
        *at = (uint16_t)s->m->clobbers.n;
        vec_push(s->m->arena, &s->m->clobbers, abi->clobbered);
    }
    return *at;
}

// A register for the address of a tail callee: free of arguments, and not restored by the epilogue.
static uint8_t tail_register(Sel *s, const AbiSig *abi, const Extras *extras, uint8_t cls) {
    RegSet free = s->t->classes[cls].allocatable;
    for (unsigned w = 0; w < 2; w++) free.w[w] &= abi->abi->clobbered.w[w] & s->abi.abi->clobbered.w[w];
    for (uint32_t k = 0; k < extras->n; k++)
        if (extras->v[k].kind == MO_VREG) regset_del(&free, extras->v[k].fixed);
    if (s->abi.abi->link != NO_REG) regset_del(&free, s->abi.abi->link);
    for (unsigned r = 0; r < s->t->n_regs; r++)
        if (regset_has(free, r)) return (uint8_t)r;
    ctx_fail(s->ctx, VTR_ERR_UNSUPPORTED, "%s: no register is left for the address of a tail callee", s->t->name);
}

// The value of a struct argument: the address of a copy, or in a tail call of one that the caller owns.
static uint32_t pass_struct(Sel *s, Value v, const AbiLoc *loc, uint32_t area, bool tail) {
    const Func *f = s->f;
    v = func_value(s->f, v);
    if (tail) {
        for (uint32_t k = 0; k < f->sig.n_params; k++)
            if (f->sig.params[k].purpose == PURPOSE_SARG && block_param(f, f->first, k).i == v.i) return sel_use(s, v);
        Buf text = buf_new(s->tmp);
        ir_write_inst(f, s->root, &text);
        ctx_fail(s->ctx, VTR_ERR_UNSUPPORTED, "%s: a tail call with a struct that is not one of the caller's own: %s",
                 s->t->name, buf_str(&text));
    }
    MOpnd to = base_slot(s, area, loc->offset);
    copy_struct(s, sel_use(s, v), to, loc->copy);
    Type type = target_ptr_type(s->t);
    uint32_t vreg = sel_temp(s, s->t->type_class[type], type_bytes(type));
    address_of(s, vreg, to);
    return vreg;
}

static void pass_values(Sel *s, const Sig *sig, const AbiSig *abi, ValueList args, uint32_t first, bool tail,
                        Extras *extras) {
    uint32_t area = NONE;
    if (abi->stack_size && !tail) {
        if (s->out_slot == NONE) s->out_slot = mfunc_slot(s->m, MSLOT_LOCAL, 0, abi->abi->stack_align);
        area = s->out_slot;
        grow(&s->m->slots.v[area].size, abi->stack_size);
    }
    for (uint32_t k = 0; k < sig->n_params; k++) {
        const AbiLoc *loc = &abi->params[k];
        Value v = list_get(s->f, args, first + k);
        Type type;
        uint32_t vreg = sig->params[k].purpose == PURPOSE_SARG ? pass_struct(s, v, loc, area, tail)
                                                               : use_as(s, abi->abi, &sig->params[k], loc, v, &type);
        extra_use(s, extras, vreg, loc);
    }
}

static void take_results(Sel *s, Inst i, const AbiSig *abi, Extras *extras) {
    const InstData *d = sel_data(s, i);
    for (uint32_t k = 0; k < d->results.n; k++) {
        const AbiLoc *loc = &abi->results[k];
        uint32_t vreg = s->vregs[inst_result(s->f, i, k).i];
        if (abi->abi->values) vec_push(s->tmp, extras, def_of(s, vreg, (Type)loc->type));
        if (loc->reg == NO_REG || vreg == NONE) continue;
        vec_push(s->tmp, extras, sel_def(vreg, s->t->type_class[loc->type], loc->reg));
    }
}

static void load_results(Sel *s, Inst i, const AbiSig *abi) {
    const InstData *d = sel_data(s, i);
    for (uint32_t k = 0; k < d->results.n; k++) {
        const AbiLoc *loc = &abi->results[k];
        uint32_t vreg = s->vregs[inst_result(s->f, i, k).i];
        if (loc->reg != NO_REG || vreg == NONE) continue;
        load(s, (Type)loc->type, vreg, base_slot(s, s->area_slot, loc->offset), 0);
    }
}

static const uint8_t *value_types(Sel *s, const AbiParam *params, uint32_t n) {
    uint8_t *out = NEW_ARRAY(s->m->arena, uint8_t, n);
    for (uint32_t k = 0; k < n; k++) out[k] = s->t->classes[s->t->type_class[params[k].type]].value_type;
    return out;
}

static bool same_type(const MType *a, const MType *b) {
    return a->n_params == b->n_params && a->n_results == b->n_results &&
           memcmp(a->params, b->params, a->n_params) == 0 && memcmp(a->results, b->results, a->n_results) == 0;
}

uint32_t sel_func_type(Sel *s, const Sig *sig) {
    (void)abi_place(s->tmp, s->t, sig); // every type has a class
    MType type = {value_types(s, sig->params, sig->n_params), value_types(s, sig->results, sig->n_results),
                  sig->n_params, sig->n_results};
    uint64_t key = hash_bytes(type.params, type.n_params) * 31 + hash_bytes(type.results, type.n_results);
    for (;; key++) { // types that share a hash stand at the next keys
        bool added;
        uint32_t *at = map_add(&s->types, key, s->m->types.n, &added);
        if (added) vec_push(s->m->arena, &s->m->types, type);
        if (added || same_type(&s->m->types.v[*at], &type)) return *at;
    }
}

static uint16_t call_inst(const Sel *s, bool tail, bool indirect) {
    const Target *t = s->t;
    if (!indirect) return tail ? t->op_tail_call : t->op_call;
    if (t->stack && target_wide_table(t, s->m->features))
        return tail ? t->stack->wide_tail_call_reg : t->stack->wide_call_reg;
    return tail ? t->op_tail_call_reg : t->op_call_reg;
}

void sel_call(Sel *s, Inst i) {
    const InstData d = *sel_data(s, i); // a copy: the extensions of arguments add instructions
    const Sig *sig = inst_sig(s->f, i);
    AbiSig abi = abi_place(s->tmp, s->t, sig);
    bool tail = d.op == OP_return_call || d.op == OP_return_call_indirect;
    bool indirect = d.op == OP_call_indirect || d.op == OP_return_call_indirect;
    bool values = abi.abi->values;
    Extras extras = {0};
    uint32_t type = values ? sel_func_type(s, sig) : 0;
    uint32_t pops = tail || abi.abi->callee_pops ? abi.stack_size : 0;
    vec_push(s->tmp, &extras, sel_imm(values ? type : pops));
    if (abi.area_size) (void)pass_area(s, &abi, tail, &extras);
    if (values) pass_values(s, sig, &abi, d.args, indirect ? 1 : 0, tail, &extras);
    else pass_args(s, sig, &abi, d.args, indirect ? 1 : 0, tail, &extras);
    if (!tail) take_results(s, i, &abi, &extras);

    uint16_t mop = call_inst(s, tail, indirect);
    const InstDesc *desc = &s->t->insts[mop];
    MOpnd callee = {0};
    if (indirect && values) {
        const OpndDesc *reg = operand_of(desc, OT_REG);
        Type word = target_ptr_type(s->t);
        bool narrow = reg->cls != s->t->type_class[word];
        callee = sel_in(narrow ? use_spot(s, OP_ireduce, T_i32, sel_arg(s, i, 0)) : sel_use(s, sel_arg(s, i, 0)),
                        reg->cls, NO_REG);
    }
    MOpnd *o = inst_with_extras(s, mop, &extras);
    if (indirect && values) {
        o[operand_of(desc, OT_REG)->slot] = callee;
        o[operand_of(desc, OT_IMM)->slot] = sel_imm(type);
    } else if (indirect) {
        const OpndDesc *reg = operand_of(desc, OT_REG);
        uint8_t fixed = tail ? tail_register(s, &abi, &extras, reg->cls) : reg->fixed;
        o[reg->slot] = sel_in(sel_use(s, sel_arg(s, i, 0)), reg->cls, fixed);
    } else {
        o[operand_of(desc, OT_LABEL)->slot] = sel_sym(sel_sym_func(s, d.ref), 0);
    }
    MInst *call = &vec_last(&s->group);
    MFunc *m = s->m;
    if (tail) {
        call->flags |= MI_TERM;
        if (!values) grow(&m->tail_arg_size, abi.stack_size);
        return;
    }
    call->flags |= MI_CALL;
    call->clobbers = clobbers_of(s, abi.abi);
    call->stack_map = d.stack_map;
    m->has_calls = true;
    if (values) return;
    grow(&m->out_arg_size, abi.stack_size);
    load_results(s, i, &abi);
}
