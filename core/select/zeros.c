// Which narrow values have zeros above them in their registers.
//
// Theory. A compare leaves 0 or 1 in a whole register, a narrow load may extend with zeros: then nobody needs to mask
// the value before it is branched on or extended. What each opcode leaves the description knows (Target.zeros, derived
// from the semantics of what is selected); here it is followed through a function. A block parameter has zeros above it
// when all arguments have, so all that can is taken to have them at first, and what turns out not to is taken back
// until nothing changes: the greatest fixed point. Code that is not of the usual shape may need many rounds; after
// MAX_ROUNDS nothing is known.
#include "select/sel.h"

enum { MAX_ROUNDS = 8, MAX_OPERANDS = 8 };

static bool is_open(const Sel *s, Value v) {
    Type type = value_type(s->f, v);
    return type == T_i8 || type == T_i16; // what is as wide as its register has nothing above it
}

static bool has(const Sel *s, Value v) { return is_open(s, v) && sel_zeros(s, v); }

// A constant is put as it is read, with its sign.
static bool result_has(const Sel *s, Inst i, Value result) {
    const InstData *d = sel_data(s, i);
    if (d->op == OP_iconst) return sel_imm_of(s, i) >= 0;
    if (d->args.n > MAX_OPERANDS) return false;
    bool z[MAX_OPERANDS] = {false};
    for (uint32_t k = 0; k < d->args.n; k++) z[k] = has(s, inst_arg(s->f, i, k));
    return s->t->zeros((Op)d->op, (Type)d->type, value_type(s->f, result), z);
}

static bool drop(Sel *s, Value v) {
    if (!bits_has(s->zeros, v.i)) return false;
    bits_del(s->zeros, v.i);
    return true;
}

static bool look_at_inst(Sel *s, Inst i) {
    const InstData *d = sel_data(s, i);
    bool changed = false;
    for (uint32_t k = 0; k < d->results.n; k++) {
        Value v = inst_result(s->f, i, k);
        if (is_open(s, v) && bits_has(s->zeros, v.i) && (d->results.n > 1 || !result_has(s, i, v)))
            changed |= drop(s, v);
    }
    for (uint32_t k = 0; k < d->n_targets; k++) {
        const BlockCall *call = &s->f->calls.v[d->targets + k];
        ValueList params = block_get(s->f, call->block)->params;
        for (uint32_t a = 0; a < call->args.n; a++) {
            Value p = (Value){s->f->pool.v[params.at + a]};
            if (is_open(s, p) && !has(s, list_get(s->f, call->args, a))) changed |= drop(s, p);
        }
    }
    return changed;
}

void sel_find_zeros(Sel *s) {
    const Func *f = s->f;
    if (!s->t->zeros) return;
    s->n_zeros = f->values.n;
    s->zeros = bits_new(s->tmp, f->values.n);
    bool any = false;
    for (uint32_t v = 0; v < f->values.n; v++) {
        if (!is_open(s, (Value){v})) continue;
        bits_add(s->zeros, v);
        any = true;
    }
    if (!any) return;
    ValueList entry = block_get(f, f->first)->params;
    for (uint32_t k = 0; k < entry.n; k++) (void)drop(s, (Value){f->pool.v[entry.at + k]});
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        bool changed = false;
        FUNC_BLOCKS(b, f) { BLOCK_INSTS(i, f, b) changed |= look_at_inst(s, i); }
        if (!changed) return;
    }
    s->n_zeros = 0;
}
