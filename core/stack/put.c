// Single instructions of a stack machine, their relocations, sites and lines.
#include "stack/body.h"

#include <string.h>

static const OpndDesc *operand_of(const Body *b, uint16_t mop, OpndType type) {
    const InstDesc *d = &b->t->insts[mop];
    for (unsigned k = 0; k < d->n_opnds; k++)
        if (d->opnds[k].type == type) return &d->opnds[k];
    ctx_bug(b->ctx, "stack: %s has no operand of kind %u", d->name, type);
}

bool put_fits(const Body *b, uint16_t mop, const MOpnd *slots) {
    Encoded code;
    memset(&code, 0, sizeof code);
    return b->t->encode(mop, slots, b->m->features, &code);
}

unsigned put_size(const Body *b, uint16_t mop) {
    const InstDesc *d = &b->t->insts[mop];
    MOpnd slots[BODY_SLOTS];
    Encoded code;
    memset(slots, 0, sizeof slots);
    memset(&code, 0, sizeof code);
    for (unsigned k = 0; k < d->n_opnds; k++)
        if (d->opnds[k].type != OT_REG) slots[d->opnds[k].slot] = (MOpnd){.kind = MO_IMM};
    if (!b->t->encode(mop, slots, b->m->features, &code)) ctx_bug(b->ctx, "stack: %s does not take 0", d->name);
    return code.n;
}

static void put_reloc(Body *b, uint32_t start, const Fixup *fix, const MOpnd *o, uint32_t type) {
    CodeReloc r = {.at = start + fix->at, .reloc = fix->reloc, .addend = fix->addend + o->imm, .back = fix->back};
    if (type != NONE && fix->reloc == b->s->reloc_type) {
        r.addend = fix->addend;
        r.type = type + 1;
    } else {
        const MSym *sym = &b->m->syms.v[o->reg];
        if (sym->is_data || sym->table) ctx_bug(b->ctx, "stack: a reference to data in the code");
        r.name = name_copy(b->out, sym->name);
        r.colocated = sym->colocated;
        r.type = sym->type;
    }
    vec_push(b->out, &b->code->relocs, r);
}

void put_inst(Body *b, uint16_t mop, const MOpnd *slots, uint32_t type) {
    Encoded code;
    memset(&code, 0, sizeof code);
    if (!b->t->encode(mop, slots, b->m->features, &code))
        ctx_bug(b->ctx, "stack: %s instruction %s has an operand that cannot be encoded", b->t->name,
                b->t->insts[mop].name);
    uint32_t start = body_at(b);
    buf_bytes(&b->bytes, code.bytes, code.n);
    for (unsigned k = 0; k < code.n_fixups; k++)
        put_reloc(b, start, &code.fixups[k], &slots[code.fixups[k].slot], type);
}

void put_plain(Body *b, uint16_t mop) {
    MOpnd slots[BODY_SLOTS];
    memset(slots, 0, sizeof slots);
    put_inst(b, mop, slots, NONE);
}

static void put_one(Body *b, uint16_t mop, OpndType type, MOpnd o) {
    MOpnd slots[BODY_SLOTS];
    memset(slots, 0, sizeof slots);
    slots[operand_of(b, mop, type)->slot] = o;
    put_inst(b, mop, slots, NONE);
}

void put_imm(Body *b, uint16_t mop, int64_t imm) {
    put_one(b, mop, OT_IMM, (MOpnd){.kind = MO_IMM, .reg = NONE, .fixed = NO_REG, .imm = imm});
}

void put_label(Body *b, uint16_t mop, uint32_t depth) {
    put_one(b, mop, OT_LABEL, (MOpnd){.kind = MO_IMM, .reg = NONE, .fixed = NO_REG, .imm = depth});
}

void put_sym(Body *b, uint16_t mop, uint32_t sym, int64_t addend) {
    const InstDesc *d = &b->t->insts[mop];
    OpndType type = OT_IMM; // what has a symbol's number is a label or an immediate
    for (unsigned k = 0; k < d->n_opnds; k++)
        if (d->opnds[k].type == OT_LABEL) type = OT_LABEL;
    put_one(b, mop, type, (MOpnd){.kind = MO_SYM, .reg = sym, .fixed = NO_REG, .imm = addend});
}

void put_address(Body *b, int64_t value) {
    put_imm(b, b->t->classes[b->t->type_class[target_ptr_type(b->t)]].constant, value);
}

// ---- sites, lines, traps --------------------------------------------------------------------------------

void put_line(Body *b, uint32_t srcloc) {
    CodeLine *last = b->code->lines.n ? &vec_last(&b->code->lines) : NULL;
    if (last ? last->srcloc == srcloc : srcloc == NONE) return;
    if (last && last->at == body_at(b)) last->srcloc = srcloc; // what stood there took no bytes
    else vec_push(b->out, &b->code->lines, (CodeLine){body_at(b), srcloc});
}

void put_site(Body *b, unsigned kind, unsigned trap, uint32_t srcloc) {
    CodeSite site = {.at = body_at(b), .kind = (uint8_t)kind, .trap = (uint8_t)trap, .srcloc = srcloc};
    vec_push(b->out, &b->code->sites, site);
}

static uint32_t trap_symbol(Body *b) {
    if (b->trap_sym != NONE) return b->trap_sym;
    b->trap_type = b->m->types.n;
    for (uint32_t k = b->m->types.n; k-- > 0;)
        if (b->m->types.v[k].n_params == 0 && b->m->types.v[k].n_results == 0) b->trap_type = k;
    if (b->trap_type == b->m->types.n) vec_push(b->m->arena, &b->m->types, (MType){0});
    b->trap_sym = b->m->syms.n;
    vec_push(b->m->arena, &b->m->syms, (MSym){.name = name_of(CODE_TRAP), .type = b->trap_type + 1});
    return b->trap_sym;
}

void put_trap(Body *b, uint8_t trap, uint32_t srcloc) {
    put_line(b, srcloc);
    put_site(b, SITE_TRAP, trap, srcloc);
    if (b->traps == TRAPS_CALL) put_sym(b, b->t->op_call, trap_symbol(b), trap);
    put_plain(b, b->t->op_trap);
}

unsigned put_displacement(const Body *b, uint16_t mop, const MOpnd *slots, unsigned k) {
    const InstDesc *d = &b->t->insts[mop];
    for (unsigned p = 0; p < d->n_opnds; p++) {
        const OpndDesc *opnd = &d->opnds[p];
        if (opnd->type == OT_IMM && opnd->slot > k) return opnd->slot;
        if (opnd->type != OT_COMPOSITE || k <= opnd->slot || k >= opnd->slot + opnd->n_slots) continue;
        const FormDesc *form = &b->t->operands[opnd->kind].forms[slots[opnd->slot].imm];
        return form->disp ? opnd->slot + form->disp : NONE;
    }
    return NONE;
}
