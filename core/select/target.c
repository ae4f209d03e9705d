// What is common to all targets: finding them, and checking operands against the generated tables.
#include "select/target.h"

#include <string.h>

bool target_imm_fits(const Target *t, uint16_t kind, int64_t value) {
    const ImmKind *k = &t->imms[kind];
    return value >= k->lo && value <= k->hi && !(value & ((INT64_C(1) << k->low_zeros) - 1));
}

static bool reg_fits(const Target *t, const OpndDesc *d, const MOpnd *o) {
    return o->kind == MO_PREG && o->preg < t->n_regs && regset_has(t->classes[d->cls].regs, o->preg) &&
           (d->fixed == NO_REG || d->fixed == o->preg);
}

static bool value_fits(const Target *t, const OpndDesc *d, const MOpnd *o) {
    bool waits = d->kind == NO_KIND || t->imms[d->kind].reloc != NO_RELOC;
    if (o->kind == MO_BLOCK || o->kind == MO_SYM) return waits;
    return o->kind == MO_IMM && (d->kind == NO_KIND || target_imm_fits(t, d->kind, o->imm));
}

static bool plain_fits(const Target *t, const OpndDesc *d, const MOpnd *o) {
    if (d->type != OT_REG) return value_fits(t, d, o);
    if (!reg_fits(t, d, o)) return false;
    return !d->inout || (o[1].kind == MO_PREG && o[1].preg == o[0].preg);
}

static bool form_fits(const Target *t, const OpndDesc *d, const MOpnd *o) {
    const OperandKind *k = &t->operands[d->kind];
    if (o->kind != MO_FORM || o->imm < 0 || o->imm >= k->n_forms) return false;
    const FormDesc *form = &k->forms[o->imm];
    for (unsigned i = 0; i < form->n_parts; i++)
        if (!plain_fits(t, &form->parts[i], o + form->parts[i].slot)) return false;
    return true;
}

bool target_operands_fit(const Target *t, uint16_t mop, const MOpnd *slots) {
    const InstDesc *inst = &t->insts[mop];
    for (unsigned i = 0; i < inst->n_opnds; i++) {
        const OpndDesc *d = &inst->opnds[i];
        bool fits = d->type == OT_COMPOSITE ? form_fits(t, d, slots + d->slot) : plain_fits(t, d, slots + d->slot);
        if (!fits) return false;
    }
    return true;
}

const Target *target_find(const char *name) {
    for (const Target *const *t = targets_all; *t; t++)
        if (!strcmp((*t)->name, name)) return *t;
    return NULL;
}

const Target *target_host(void) {
    for (const Target *const *t = targets_all; *t; t++)
        if ((*t)->host_features && (*t)->host_features()) return *t;
    return NULL;
}
