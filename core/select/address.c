// Addresses: taking base + index << scale + displacement apart, as far as a machine's memory operands go.
//
// Theory. An address is a sum. Peel constants off it into the displacement, then split what is left once into base and
// index, preferring a shifted side as the index; peel constants off the base again. A stack slot or a symbol that is
// reached this way becomes the base. Each step looks only through instructions that may be folded (sel_fold()), and
// stops when the displacement would leave its range, so the result is always right and `base + displacement` always
// fits: an offset of a load or store that the machine cannot hold does not occur (32 bits everywhere, or expanded
// before).
//
// A long chain of sums is looked through for a few steps only, so that an address for each of its members costs no
// square.
#include "select/sel.h"

enum { MAX_PEEL = 8 };

static bool fits_disp(const SelAddrLimits *limits, int64_t disp) { return sel_fits_signed(disp, limits->disp_bits); }

static Inst sum_of(const Sel *s, Value v) {
    Inst i = sel_fold(s, v);
    return inst_ok(i) && sel_op(s, i) == OP_iadd ? i : NO_INST;
}

// Strips constants from v into the displacement.
static Value peel(const Sel *s, Value v, const SelAddrLimits *limits, SelAddr *a) {
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
        if (__builtin_add_overflow(a->disp, c, &sum) || !fits_disp(limits, sum)) return v;
        a->disp = sum;
        v = sel_arg(s, i, k);
    }
    return v;
}

static void set_base(const Sel *s, Value v, const SelAddrLimits *limits, SelAddr *a) {
    Inst i = sel_fold(s, v);
    a->kind = SEL_ADDR_VALUE;
    a->base = v;
    if (!inst_ok(i)) return;
    const InstData *d = sel_data(s, i);
    int64_t sum;
    // Half of the range is left for where the slot will be in the frame.
    if (d->op == OP_stack_addr && !__builtin_add_overflow(a->disp, d->imm, &sum) &&
        sel_fits_signed(sum, limits->disp_bits - 1U)) {
        a->kind = SEL_ADDR_SLOT;
        a->number = d->ref;
        a->disp = sum;
    }
}

// A symbol stands alone: position-relative forms have no other part.
static bool set_symbol(Sel *s, Value v, const SelAddrLimits *limits, SelAddr *a) {
    Inst i = sel_fold(s, v);
    if (!limits->symbol || !inst_ok(i)) return false;
    const InstData *d = sel_data(s, i);
    int64_t sum;
    if (d->op == OP_func_addr && s->f->funcs.v[d->ref].colocated) {
        a->number = sel_sym_func(s, d->ref);
    } else if (d->op == OP_symbol_value && s->f->globals.v[d->ref].colocated) {
        if (__builtin_add_overflow(a->disp, s->f->globals.v[d->ref].offset, &sum) || !fits_disp(limits, sum))
            return false;
        a->disp = sum;
        a->number = sel_sym_global(s, d->ref);
    } else {
        return false;
    }
    a->kind = SEL_ADDR_SYMBOL;
    return true;
}

// v as index << scale; false when it is no shift that may be folded.
static bool set_shifted(const Sel *s, Value v, const SelAddrLimits *limits, SelAddr *a) {
    Inst i = sel_fold(s, v);
    int64_t c;
    if (!inst_ok(i) || sel_op(s, i) != OP_ishl || !sel_const(s, sel_arg(s, i, 1), &c)) return false;
    if (c < 0 || c > limits->max_scale) return false;
    a->index = sel_arg(s, i, 0);
    a->scale = (uint8_t)c;
    a->has_index = true;
    return true;
}

SelAddr sel_address(Sel *s, Value p, int64_t offset, const SelAddrLimits *limits) {
    SelAddr a = {.disp = offset, .base = NO_VALUE, .index = NO_VALUE};
    Value v = peel(s, func_value(s->f, p), limits, &a);
    if (set_symbol(s, v, limits, &a)) return a;
    Inst i = limits->index ? sum_of(s, v) : NO_INST;
    int64_t c; // a constant that did not fit is no index
    if (inst_ok(i) && !sel_const(s, sel_arg(s, i, 0), &c) && !sel_const(s, sel_arg(s, i, 1), &c)) {
        unsigned shifted = set_shifted(s, sel_arg(s, i, 1), limits, &a) ? 1 : 0;
        if (!shifted && !set_shifted(s, sel_arg(s, i, 0), limits, &a)) {
            a.index = sel_arg(s, i, 1);
            a.has_index = true;
            shifted = 1;
        }
        set_base(s, peel(s, sel_arg(s, i, 1 - shifted), limits, &a), limits, &a);
        return a;
    }
    if (limits->index_only && set_shifted(s, v, limits, &a)) {
        a.kind = SEL_ADDR_NONE;
        return a;
    }
    set_base(s, v, limits, &a);
    return a;
}

MOpnd sel_addr_base(Sel *s, const SelAddr *a, uint8_t cls) {
    if (a->kind == SEL_ADDR_SLOT) return sel_slot(sel_stack_slot(s, a->number), cls, 0);
    return sel_in(sel_use(s, a->base), cls, NO_REG);
}

void sel_put_mem(MOpnd *o, const SelMem *m) {
    o[0] = sel_form(m->form);
    for (unsigned k = 0; k < m->n; k++) o[1 + k] = m->part[k];
}
