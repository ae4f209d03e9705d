// What is common to all targets: finding them, and checking operands against the generated tables.
#include "select/target.h"

#include <string.h>

#include "support/bits.h"

static int64_t case_value(const ImmCase *c, uint64_t field, unsigned bits) {
    if (c->width == 0) return bit_sext(c->base, bits);
    uint64_t x = field >> c->start;
    if (c->inverted) x = ~x;
    x = c->is_signed ? (uint64_t)bit_sext(x, c->width) : bit_zext(x, c->width);
    return bit_sext(c->base | x << c->at, bits);
}

bool imm_irregular_value(const ImmIrregular *k, uint64_t field, int64_t *value) {
    if (!k->cases) {
        uint16_t place = field >> k->field_bits ? UINT16_MAX : k->places[field];
        if (place != UINT16_MAX) *value = k->values[place];
        return place != UINT16_MAX;
    }
    for (unsigned i = 0; i < k->n; i++) {
        const ImmCase *c = &k->cases[i];
        if ((field & c->fixed_mask) != c->fixed) continue;
        *value = case_value(c, field, k->value_bits);
        return true;
    }
    return false;
}

static bool irregular_field(const ImmIrregular *k, int64_t value, uint64_t *field) {
    value = bit_sext((uint64_t)value, k->value_bits);
    if (k->cases) {
        for (unsigned i = 0; i < k->n; i++) {
            const ImmCase *c = &k->cases[i];
            uint64_t x = (uint64_t)value >> c->at;
            *field = c->fixed | (c->width ? bit_zext(c->inverted ? ~x : x, c->width) << c->start : 0);
            if (case_value(c, *field, k->value_bits) == value) return true;
        }
        return false;
    }
    unsigned low = 0;
    for (unsigned high = k->n; low < high;) {
        unsigned mid = (low + high) / 2;
        if (k->values[mid] < value) low = mid + 1;
        else high = mid;
    }
    if (low == k->n || k->values[low] != value) return false;
    *field = k->fields[low];
    return true;
}

uint64_t target_imm_field(const Target *t, uint16_t kind, int64_t value) {
    uint64_t field = 0;
    (void)irregular_field(t->imms[kind].irregular, value, &field);
    return field;
}

bool target_imm_fits(const Target *t, uint16_t kind, int64_t value) {
    const ImmKind *k = &t->imms[kind];
    uint64_t field;
    if (k->irregular) return value >= k->lo && value <= k->hi && irregular_field(k->irregular, value, &field);
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
    if (t->stack) return true; // on the operand stack
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

static const Feature *find_feature(const Target *t, const char *name, size_t n) {
    for (unsigned k = 0; k < t->n_features; k++)
        if (strlen(t->features[k].name) == n && !memcmp(t->features[k].name, name, n)) return &t->features[k];
    return NULL;
}

bool target_features(const Target *t, const char *names, uint64_t *features, const char **wrong, size_t *n_wrong) {
    *features = 0;
    if (!strcmp(names, "none")) return true;
    if (!strcmp(names, "all")) {
        *features = target_all_features(t);
        return true;
    }
    for (const char *at = names;; at++) {
        size_t n = strcspn(at, ",");
        const Feature *found = find_feature(t, at, n);
        if (!found) {
            *wrong = at;
            *n_wrong = n;
            return false;
        }
        *features |= found->implies;
        at += n;
        if (!*at) return true;
    }
}

const Target *target_host(void) {
    for (const Target *const *t = targets_all; *t; t++)
        if ((*t)->host_features && (*t)->host_features()) return *t;
    return NULL;
}

const char *vtr_target_name(size_t index) {
    for (const Target *const *t = targets_all; *t; t++)
        if (index-- == 0) return (*t)->name;
    return NULL;
}

const char *vtr_host_target(void) {
    const Target *host = target_host();
    return host ? host->name : NULL;
}

uint64_t target_wide_features(const Target *t) {
    return t->stack->wide_call_reg == NO_MOP ? 0 : t->insts[t->stack->wide_call_reg].features;
}

bool target_wide_table(const Target *t, uint64_t features) {
    uint64_t wide = target_wide_features(t);
    return wide && (features & wide) == wide;
}
