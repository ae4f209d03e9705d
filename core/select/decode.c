// Reading machine code with the generated tables; tables.h has the theory.
#include <string.h>

#include "select/tables.h"
#include "support/bits.h"
#include "support/leb.h"

enum { MAX_SLOTS = 16, MAX_SIZE = 24, MAX_WIDE = 40 };

// `width` bits of the instruction from bit `at`.
static uint64_t read_bits(const uint8_t *bytes, unsigned at, unsigned width) {
    uint64_t x = 0;
    for (unsigned done = 0; done < width;) {
        unsigned shift = (at + done) & 7;
        unsigned take = 8 - shift < width - done ? 8 - shift : width - done;
        uint64_t part = bytes[(at + done) >> 3] >> shift & ((1u << take) - 1);
        x |= part << done;
        done += take;
    }
    return x;
}

static void add_run(const DecodeRun *run, const uint8_t *bytes, uint64_t *fields) {
    uint64_t x = run->flags & RUN_CONST ? run->from : read_bits(bytes, run->from, run->width);
    if (run->flags & RUN_INVERTED) x = ~x & (UINT64_MAX >> (64 - run->width));
    uint64_t *field = &fields[run->slot];
    *field |= x << run->to;
    unsigned end = run->to + run->width;
    if ((run->flags & RUN_SIGN) && x >> (run->width - 1) && end < 64) *field |= UINT64_MAX << end;
}

static int64_t imm_value(const ImmKind *k, uint64_t field) {
    uint64_t x = bit_zext(field, k->width) << k->low_zeros;
    unsigned width = k->width + k->low_zeros;
    return k->is_signed || k->open ? bit_sext(x, width) : (int64_t)x;
}

// The instruction with eight bytes for each LEB; returns its length as it is, 0 = it ends too early or a LEB is none.
static unsigned widen(const DecodeTables *t, const DecodeRow *row, const uint8_t *bytes, size_t n, uint8_t *wide) {
    unsigned from = 0;
    unsigned to = 0;
    for (unsigned i = 0; i <= row->n_lebs; i++) {
        const DecodeLeb *leb = i < row->n_lebs ? &t->lebs[row->lebs + i] : NULL;
        const unsigned plain = (leb ? leb->at : row->size) - to;
        if (plain > n - from) return 0;
        memcpy(wide + to, bytes + from, plain);
        from += plain;
        to += plain;
        if (!leb) break;
        uint64_t x;
        const unsigned used = leb_get(bytes + from, n - from, leb->width, leb->is_signed, &x);
        if (!used) return 0;
        for (unsigned k = 0; k < 8; k++) wide[to + k] = (uint8_t)(x >> 8 * k);
        from += used;
        to += 8;
    }
    return from;
}

static bool set_plain(const DecodeTables *t, const OpndDesc *d, uint64_t field, MOpnd *o) {
    *o = (MOpnd){.kind = MO_IMM, .cls = d->cls, .fixed = d->fixed, .reg = NONE};
    if (d->type != OT_REG) {
        o->cls = 0;
        const ImmKind *k = d->kind == NO_KIND ? NULL : &t->target->imms[d->kind];
        if (k && k->irregular) return imm_irregular_value(k->irregular, field, &o->imm);
        o->imm = k ? imm_value(k, field) : (int64_t)field;
        return true;
    }
    if (t->target->stack) { // popped or pushed: no bits
        o->kind = MO_NONE;
        o->role = d->role;
        return true;
    }
    uint8_t reg = d->fixed;
    if (reg == NO_REG) reg = field < t->n_class_regs[d->cls] ? t->class_regs[d->cls][field] : NO_REG;
    o->kind = MO_PREG;
    o->role = d->role;
    o->preg = reg;
    if (d->inout) {
        o[1] = *o;
        o[1].role = ROLE_USE;
        o[1].tied = 1;
    }
    return reg != NO_REG;
}

static bool set_slots(const DecodeTables *t, const DecodeRow *row, const uint8_t *bytes, MOpnd *slots) {
    uint64_t fields[MAX_SLOTS] = {0};
    for (unsigned i = 0; i < row->n_runs; i++) add_run(&t->runs[row->runs + i], bytes, fields);
    const InstDesc *inst = &t->target->insts[row->mop];
    for (unsigned i = 0; i < MAX_SLOTS; i++) slots[i] = (MOpnd){.kind = MO_NONE, .fixed = NO_REG, .reg = NONE};
    for (unsigned i = 0; i < inst->n_opnds; i++) {
        const OpndDesc *d = &inst->opnds[i];
        if (d->type != OT_COMPOSITE) {
            if (!set_plain(t, d, fields[d->slot], &slots[d->slot])) return false;
            continue;
        }
        const FormDesc *form = &t->target->operands[d->kind].forms[row->form];
        slots[d->slot].kind = MO_FORM;
        slots[d->slot].imm = row->form;
        for (unsigned k = 0; k < form->n_parts; k++) {
            unsigned at = d->slot + form->parts[k].slot;
            if (!set_plain(t, &form->parts[k], fields[at], &slots[at])) return false;
        }
    }
    return true;
}

static const DecodeLeaf *find_leaf(const DecodeTables *t, const uint8_t *head) {
    const DecodeNode *node = t->nodes;
    for (;;) {
        const DecodeBranch *b = &t->branches[node->first];
        while (b->last < head[node->byte]) b++;
        if (b->leaf) return &t->leaves[b->to];
        node = &t->nodes[b->to];
    }
}

unsigned decode_inst(const DecodeTables *t, const uint8_t *bytes, size_t n, uint16_t *mop, MOpnd *slots) {
    uint8_t padded[MAX_SIZE] = {0};
    memcpy(padded, bytes, n < MAX_SIZE ? n : MAX_SIZE);
    uint64_t first = 0;
    for (unsigned i = 0; i < 8; i++) first |= (uint64_t)padded[i] << 8 * i;
    const DecodeLeaf *leaf = find_leaf(t, padded);
    for (unsigned i = 0; i < leaf->n; i++) {
        const DecodeRow *row = &t->rows[t->lists[leaf->first + i]];
        if ((first & row->mask) != row->match) continue;
        uint8_t wide[MAX_WIDE];
        const unsigned size = widen(t, row, padded, n < MAX_SIZE ? n : MAX_SIZE, wide);
        if (!size || !set_slots(t, row, wide, slots)) continue;
        Encoded again;
        uint8_t again_wide[MAX_WIDE];
        if (!t->target->encode(row->mop, slots, row->features, &again)) continue;
        if (widen(t, row, again.bytes, again.n, again_wide) != again.n) continue;
        if (memcmp(again_wide, wide, row->size) != 0) continue;
        *mop = row->mop;
        return size;
    }
    return 0;
}
