// Assembler text from the generated tables.
#include <inttypes.h>
#include <string.h>

#include "select/tables.h"
#include "support/bits.h"
#include "support/buf.h"

typedef struct Printer {
    const AsmTables *t;
    uint64_t at, end; // addresses of the instruction and after it
    Buf *out;
} Printer;

static void print_number(Buf *out, int64_t x) { buf_printf(out, "%" PRId64, x); }

static void print_float(Buf *out, uint64_t bits, unsigned width) {
    double d;
    float f;
    if (width == 64) {
        memcpy(&d, &bits, sizeof d);
    } else {
        uint32_t low = (uint32_t)bits;
        memcpy(&f, &low, sizeof f);
        d = f;
    }
    buf_printf(out, "%.8f", d);
}

// Any float of 32 or 64 bits, so that its text has all of them: 0x1.8p+1, infinity, nan:0x400001 (payload).
static void print_exact_float(Buf *out, uint64_t bits, unsigned width) {
    const unsigned n = width == 64 ? 52 : 23; // bits of the fraction
    const int bias = width == 64 ? 1023 : 127;
    const int top = 2 * bias + 1;
    const uint64_t mask = (UINT64_C(1) << n) - 1;
    const uint64_t fraction = bits & mask;
    int exponent = (int)(bits >> n) & top;
    if (bits >> (width - 1) & 1) buf_char(out, '-');
    if (exponent == top) {
        buf_text(out, fraction ? "nan" : "infinity");
        if (fraction && fraction != (mask >> 1) + 1) buf_printf(out, ":0x%" PRIx64, fraction);
        return;
    }
    const bool normal = exponent != 0;
    exponent = normal ? exponent - bias : fraction ? 1 - bias : 0;
    uint64_t digits = fraction << (n == 23); // whole digits
    unsigned count = n == 23 ? 6 : 13;
    for (; count && !(digits & 15); count--) digits >>= 4;
    buf_printf(out, "0x%d", normal);
    if (count) buf_printf(out, ".%0*" PRIx64, (int)count, digits);
    buf_printf(out, "p%+d", exponent);
}

static void print_imm(Printer *p, uint16_t kind, int64_t value) {
    if (kind == NO_KIND) {
        print_number(p->out, value);
        return;
    }
    const ImmKind *k = &p->t->target->imms[kind];
    if (k->is_float) {
        if (k->irregular) print_float(p->out, (uint64_t)value, k->irregular->value_bits);
        else print_exact_float(p->out, (uint64_t)value, k->width);
        return;
    }
    if (k->open) value = bit_sext((uint64_t)value, k->width + k->low_zeros);
    if (k->names && value >= 0 && value <= k->hi && k->names[value]) buf_text(p->out, k->names[value]);
    else print_number(p->out, value);
}

static void print_symbol(Printer *p, const MOpnd *o) {
    buf_printf(p->out, "%s%" PRIu32, o->kind == MO_SYM ? "sym" : "slot", o->reg);
    if (o->imm) buf_printf(p->out, "%+" PRId64, o->imm);
}

// `from`: what a distance counts from.
static void print_place(Printer *p, const MOpnd *o, uint64_t from) {
    if (o->kind == MO_BLOCK) buf_printf(p->out, "block%" PRId64, o->imm);
    else if (o->kind == MO_SYM) print_symbol(p, o);
    else print_number(p->out, (int64_t)(from + (uint64_t)o->imm));
}

static void print_reg(Printer *p, const AsmPiece *piece, const MOpnd *o) {
    if (o->kind == MO_PREG) buf_printf(p->out, "%s%s", p->t->prefix, p->t->names[piece->arg][o->preg]);
    else if (o->kind == MO_VREG) buf_printf(p->out, "%sv%" PRIu32, p->t->prefix, o->reg);
    else print_symbol(p, o);
}

static const AsmText *choose(const AsmInst *inst, const MOpnd *s) {
    for (unsigned i = 0; i < inst->n; i++)
        if (!inst->texts[i].when || inst->texts[i].when(s)) return &inst->texts[i];
    return NULL;
}

static void print_piece(Printer *p, const AsmPiece *piece, const MOpnd *s) {
    const MOpnd *o = &s[piece->slot];
    switch ((AsmKind)piece->kind) {
    case ASM_TEXT: buf_text(p->out, piece->text); break;
    case ASM_REG: print_reg(p, piece, o); break;
    case ASM_IMM:
        if (o->kind == MO_IMM) print_imm(p, piece->arg, o->imm);
        else print_place(p, o, 0);
        break;
    case ASM_FIELD:
        print_number(p->out, (int64_t)bit_zext((uint64_t)o->imm >> p->t->target->imms[piece->arg].low_zeros,
                                               p->t->target->imms[piece->arg].width));
        break;
    case ASM_LABEL: print_place(p, o, p->end); break;
    case ASM_PLACE: print_place(p, o, p->at); break;
    case ASM_DIST: print_place(p, o, 0); break;
    case ASM_FORM: {
        const AsmText *text = choose(&p->t->forms[piece->arg][o->imm], o);
        for (unsigned i = 0; text && i < text->n; i++) {
            const AsmPiece *part = &text->pieces[i];
            if (part->kind != ASM_FORM) print_piece(p, part, o); // no form has a composite part
        }
        break;
    }
    }
}

// How an instruction of this size is written: short forms may have texts of their own.
static const AsmInst *as_short(const AsmTables *t, uint16_t mop, const MOpnd *slots, unsigned size) {
    const AsmInst *inst = &t->insts[mop];
    Encoded code;
    if (!inst->shorts || !t->target->encode(mop, slots, UINT64_MAX, &code) || code.n != size || !code.form) return inst;
    return inst->shorts[code.form - 1].n ? &inst->shorts[code.form - 1] : inst;
}

void asm_print(const AsmTables *t, uint16_t mop, const MOpnd *slots, uint64_t at, unsigned size, Buf *out) {
    Printer p = {t, at, at + size, out};
    MOpnd stood[16];
    const AsmInst *inst = &t->insts[mop];
    if (!inst->n && inst->stands_for) {
        mop = inst->stands_for(slots, stood);
        slots = stood;
    }
    const AsmText *text = choose(as_short(t, mop, slots, size), slots);
    for (unsigned i = 0; text && i < text->n; i++) print_piece(&p, &text->pieces[i], slots);
}
