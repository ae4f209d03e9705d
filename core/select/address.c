// Addresses: taking base + index << scale + displacement apart, as far as a machine's memory operands go.
//
// Theory. An address is a sum. Peel constants off it into the displacement, then split what is left once into base and
// index, preferring a shifted or extended side as the index; peel constants off the base again. A stack slot or a
// symbol that is reached this way becomes the base. Each step looks only through instructions that may be folded
// (sel_fold()), and stops when no form of the operand would hold the result, so the result is always right. What a form
// can hold is a table (SelAddrForm): machines differ in which shifts of an index there are, whether an index may be a
// narrow value to be extended, whether an index leaves room for a displacement, and which displacements there are.
//
// An offset of a load or store that no form holds is added to the base first, by instructions made on the spot:
//
//     load.i64 v1+100000     becomes     v8 = iadd v1, 100000 (by the machine's own rules), then base v8, displacement
//     0
//
// A slot's place in the frame is not known yet: emission finds room for the displacement of a slot (emit/legal.c).
//
// A long chain of sums is looked through for a few steps only, so that an address for each of its members costs no
// square.
#include <string.h>

#include "select/sel.h"

enum {
    MAX_PEEL = 8,
    SLOT_BITS = 31 // displacements into a slot: half of 32 bits is left for where the slot will be in the frame
};

typedef enum AddrKind { ADDR_NONE, ADDR_VALUE, ADDR_SLOT, ADDR_SYMBOL } AddrKind;

typedef struct Addr {
    Sel *s;
    const SelAddrForm *forms;
    unsigned n_forms;
    uint8_t kind;            // AddrKind: what the base is
    const SelAddrForm *form; // the one with the index, or NULL
    uint8_t shift;
    uint32_t number; // IR stack slot, or MFunc.syms
    Value base, index;
    int64_t disp;
} Addr;

static bool holds(const Addr *a, const SelAddrForm *form, int64_t disp) {
    if (disp != 0 && sel_squeezed(a->s, (uint64_t)disp)) return false;
    if (form->most && (uint64_t)disp > form->most) return false;
    return form->disp ? target_imm_fits(a->s->t, form->disp_kind, disp) : disp == 0;
}

static bool has_base_only(const SelAddrForm *f) { return f->base && !f->index && !f->symbol; }

// The form base + displacement that holds `disp`, or NULL.
static const SelAddrForm *base_form(const Addr *a, int64_t disp) {
    for (unsigned k = 0; k < a->n_forms; k++)
        if (has_base_only(&a->forms[k]) && holds(a, &a->forms[k], disp)) return &a->forms[k];
    return NULL;
}

// The first base + displacement there is: emission makes a slot's displacement fit.
static const SelAddrForm *slot_form(const Addr *a) {
    for (unsigned k = 0; k < a->n_forms; k++)
        if (has_base_only(&a->forms[k]) && a->forms[k].disp) return &a->forms[k];
    return NULL;
}

static const SelAddrForm *symbol_form(const Addr *a, int64_t disp) {
    for (unsigned k = 0; k < a->n_forms; k++)
        if (a->forms[k].symbol && target_imm_fits(a->s->t, a->forms[k].disp_kind, disp)) return &a->forms[k];
    return NULL;
}

static const SelAddrForm *index_form(const Addr *a, bool with_base, SelExtend extend, int64_t shift) {
    for (unsigned k = 0; k < a->n_forms; k++) {
        const SelAddrForm *f = &a->forms[k];
        if (!f->index || !f->base != !with_base || f->extend != extend) continue;
        if (shift >= f->min_shift && shift <= f->max_shift && holds(a, f, a->disp)) return f;
    }
    return NULL;
}

static Inst sum_of(const Sel *s, Value v) {
    Inst i = sel_fold(s, v);
    return inst_ok(i) && sel_op(s, i) == OP_iadd ? i : NO_INST;
}

static bool disp_fits(const Addr *a, int64_t disp) {
    return a->form ? holds(a, a->form, disp) : base_form(a, disp) != NULL;
}

// Strips constants from v into the displacement.
static Value peel(Addr *a, Value v) {
    const Sel *s = a->s;
    for (unsigned steps = 0; steps < MAX_PEEL; steps++) {
        Inst i = sum_of(s, v);
        if (!inst_ok(i)) return v;
        int64_t c;
        unsigned k = 0;
        if (sel_const(s, sel_arg(s, i, 1), &c)) {
            k = 0;
        } else if (sel_const(s, sel_arg(s, i, 0), &c)) {
            k = 1;
        } else {
            return v;
        }
        int64_t sum;
        if (__builtin_add_overflow(a->disp, c, &sum) || !disp_fits(a, sum)) return v;
        a->disp = sum;
        v = sel_arg(s, i, k);
    }
    return v;
}

// Whether v is the address of a stack slot that can be the base; *sum: the displacement with it.
static bool is_slot(const Addr *a, Value v, int64_t *sum) {
    Inst i = sel_fold(a->s, v);
    if (!inst_ok(i) || sel_op(a->s, i) != OP_stack_addr || (a->form ? !a->form->disp : !slot_form(a))) return false;
    return !__builtin_add_overflow(a->disp, sel_data(a->s, i)->imm, sum) && sel_fits_signed(*sum, SLOT_BITS);
}

static void set_base(Addr *a, Value v) {
    const Sel *s = a->s;
    a->kind = ADDR_VALUE;
    a->base = v;
    int64_t sum;
    if (!is_slot(a, v, &sum)) return;
    const InstData *d = sel_data(s, sel_fold(s, v));
    a->kind = ADDR_SLOT;
    a->number = d->ref;
    a->disp = sum;
}

// A symbol stands alone: position-relative forms have no other part.
static bool set_symbol(Addr *a, Value v) {
    Sel *s = a->s;
    Inst i = sel_fold(s, v);
    if (!symbol_form(a, a->disp) || !inst_ok(i)) return false;
    const InstData *d = sel_data(s, i);
    int64_t sum;
    if (d->op == OP_func_addr && s->f->funcs.v[d->ref].colocated) {
        a->number = sel_sym_func(s, d->ref);
    } else if (d->op == OP_symbol_value && s->f->globals.v[d->ref].colocated) {
        if (__builtin_add_overflow(a->disp, s->f->globals.v[d->ref].offset, &sum) || !symbol_form(a, sum)) return false;
        a->disp = sum;
        a->number = sel_sym_global(s, d->ref);
    } else {
        return false;
    }
    a->kind = ADDR_SYMBOL;
    return true;
}

// v as a 32-bit value extended to a word; *extend how. v itself when it is none that may be folded.
static Value extended(const Sel *s, Value v, SelExtend *extend) {
    Inst i = sel_fold(s, v);
    *extend = SEL_INDEX_WORD;
    if (!inst_ok(i) || (sel_op(s, i) != OP_uextend && sel_op(s, i) != OP_sextend)) return v;
    Value from = sel_arg(s, i, 0);
    if (sel_type(s, from) != T_i32) return v;
    *extend = sel_op(s, i) == OP_uextend ? SEL_INDEX_ZEXT : SEL_INDEX_SEXT;
    return from;
}

static bool take_index(Addr *a, bool with_base, Value v, SelExtend extend, int64_t shift) {
    const SelAddrForm *form = index_form(a, with_base, extend, shift);
    if (!form) return false;
    a->form = form;
    a->index = v;
    a->shift = (uint8_t)shift;
    return true;
}

// v as an index that is shifted, extended or both; false when it is none that may be folded and a form has.
static bool set_shifted(Addr *a, bool with_base, Value v) {
    const Sel *s = a->s;
    Inst i = sel_fold(s, v);
    SelExtend extend;
    Value from = extended(s, v, &extend);
    if (extend != SEL_INDEX_WORD) return take_index(a, with_base, from, extend, 0);
    int64_t c;
    if (!inst_ok(i) || sel_op(s, i) != OP_ishl || !sel_const(s, sel_arg(s, i, 1), &c)) return false;
    v = sel_arg(s, i, 0);
    from = extended(s, v, &extend);
    return (extend != SEL_INDEX_WORD && take_index(a, with_base, from, extend, c)) ||
           take_index(a, with_base, v, SEL_INDEX_WORD, c);
}

// Splits v into base and index; false when it is no sum that a form has room for.
static bool set_sum(Addr *a, Value v) {
    const Sel *s = a->s;
    Inst i = sum_of(s, v);
    int64_t c; // a constant that did not fit is no index
    if (!inst_ok(i) || sel_const(s, sel_arg(s, i, 0), &c) || sel_const(s, sel_arg(s, i, 1), &c)) return false;
    unsigned index = 1;
    if (!set_shifted(a, true, sel_arg(s, i, 1))) {
        if (set_shifted(a, true, sel_arg(s, i, 0))) index = 0;
        else if (!take_index(a, true, sel_arg(s, i, 1), SEL_INDEX_WORD, 0)) return false;
    }
    set_base(a, peel(a, sel_arg(s, i, 1 - index)));
    return true;
}

Value sel_spot_sum(Sel *s, Value p, int64_t offset) {
    const InstData *r = sel_data(s, s->root);
    Type type = value_type(s->f, p);
    InstData d = {.op = OP_iconst, .type = (uint8_t)type, .srcloc = r->srcloc, .block = r->block};
    d.imm = (int64_t)bit_zext((uint64_t)offset, type_bits(type));
    Inst constant = sel_spot(s, &d);
    Value args[2] = {p, inst_result(s->f, constant, 0)};
    d.op = OP_iadd;
    d.imm = 0;
    d.args = list_new(s->f, args, 2);
    Inst sum = sel_spot(s, &d);
    Value result = inst_result(s->f, sum, 0);
    (void)sel_use(s, result);
    uint32_t first = s->group.n;
    sel_spot_one(s, sum);
    uint32_t after = s->group.n;
    if (s->vregs[args[1].i] == NONE) return result; // the constant is part of the sum
    sel_spot_one(s, constant);
    // It was asked for after the sum, and comes before it.
    uint32_t n = s->group.n - after;
    MInst *moved = arena_copy(s->tmp, s->group.v + after, n * sizeof *moved);
    memmove(s->group.v + first + n, s->group.v + first, (after - first) * sizeof *moved);
    memcpy(s->group.v + first, moved, n * sizeof *moved);
    return result;
}

static MOpnd base_operand(const Addr *a, uint8_t cls) {
    if (a->kind == ADDR_SLOT) return sel_slot(sel_stack_slot(a->s, a->number), cls, 0);
    return sel_in(sel_use(a->s, a->base), cls, NO_REG);
}

SelMem sel_mem(Sel *s, Value p, int64_t offset, const SelAddrForm *forms, unsigned n) {
    Addr a = {.s = s, .forms = forms, .n_forms = n, .disp = offset, .base = NO_VALUE, .index = NO_VALUE};
    p = func_value(s->f, p);
    int64_t in_slot;
    if (is_slot(&a, p, &in_slot) || disp_fits(&a, offset)) {
        Value v = peel(&a, p);
        if (!set_symbol(&a, v) && !set_sum(&a, v) && !set_shifted(&a, false, v)) set_base(&a, v);
    } else {
        a.kind = ADDR_VALUE;
        a.base = sel_spot_sum(s, p, offset);
        a.disp = 0;
    }
    const SelAddrForm *f = a.form;
    if (a.kind == ADDR_SYMBOL) f = symbol_form(&a, a.disp);
    else if (!f) f = a.kind == ADDR_SLOT ? slot_form(&a) : base_form(&a, a.disp);
    if (!f) ctx_bug(s->ctx, "select: %s has no form for an address", s->t->name);
    SelMem m = {.form = f->form, .n = f->n};
    if (f->base) m.part[f->base - 1] = base_operand(&a, f->base_cls);
    if (f->index) m.part[f->index - 1] = sel_in(sel_use(s, a.index), f->index_cls, NO_REG);
    if (f->scale) m.part[f->scale - 1] = sel_imm(a.shift);
    if (f->disp) m.part[f->disp - 1] = sel_imm(a.disp);
    if (f->symbol) m.part[f->symbol - 1] = sel_sym(a.number, a.disp);
    return m;
}

void sel_put_mem(MOpnd *o, const SelMem *m) {
    o[0] = sel_form(m->form);
    for (unsigned k = 0; k < m->n; k++) o[1 + k] = m->part[k];
}
