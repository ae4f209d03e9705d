// Machine functions: entities and the listing.
#include "select/target.h"

uint32_t mfunc_vreg(MFunc *m, uint8_t cls, uint8_t size, uint32_t value) {
    vec_push(m->arena, &m->vregs, (VReg){.cls = cls, .size = size, .value = value, .remat = NONE});
    return m->vregs.n - 1;
}

uint32_t mfunc_slot(MFunc *m, MSlotKind kind, uint32_t size, uint32_t align) {
    vec_push(m->arena, &m->slots, (MSlot){.kind = (uint8_t)kind, .size = size, .align = align, .ir = NONE});
    return m->slots.n - 1;
}

// ---- listing ----------------------------------------------------------------------------------------
//
//   block1(%3, %4):   ; ir block2, loop depth 1, preds block0
//       %5:gpr = add64_rr %3^, %4
//       jcc 5, block3
//   -> block2(%5), block3
//
// %n is a vreg, n=reg a physical register with the vreg it was; ^ tied to the def, @reg fixed, ! early; the forms of
// composite operands stand as #form[parts]; what a call or return uses and defines beyond its description follows a |.

static const char *const slot_kinds[] = {"local", "spill", "in", "out", "tail"};

static void write_name(const MFunc *m, uint32_t sym, Buf *out) {
    const MSym *s = &m->syms.v[sym];
    if (s->table) {
        buf_printf(out, "table%u", s->table - 1);
    } else if (s->is_data) {
        buf_text(out, "data 0x");
        for (uint32_t k = s->n; k-- > 0;) buf_printf(out, "%02x", s->data[k]);
    } else {
        name_put(out, s->name);
    }
}

static void write_opnd(const MFunc *m, const MOpnd *o, Buf *out) {
    const Target *t = m->target;
    switch (o->kind) {
    case MO_VREG:
        buf_printf(out, "%%%u", o->reg);
        if (o->role != ROLE_USE) buf_printf(out, ":%s", t->classes[m->vregs.v[o->reg].cls].name);
        break;
    case MO_PREG:
        if (o->reg != NONE) buf_printf(out, "%u=", o->reg);
        buf_text(out, t->regs[o->preg].name);
        break;
    case MO_IMM: buf_printf(out, "%lld", (long long)o->imm); break;
    case MO_BLOCK: buf_printf(out, "block%lld", (long long)o->imm); break;
    case MO_SYM:
        write_name(m, o->reg, out);
        if (o->imm) buf_printf(out, "%+lld", (long long)o->imm);
        break;
    case MO_SLOT:
        buf_printf(out, "%s%u", slot_kinds[m->slots.v[o->reg].kind], o->reg);
        if (o->imm) buf_printf(out, "%+lld", (long long)o->imm);
        break;
    default: buf_char(out, '_');
    }
    if (o->tied) buf_char(out, '^');
    if (o->role == ROLE_DEF_EARLY) buf_char(out, '!');
    if (o->kind == MO_VREG && o->fixed != NO_REG) buf_printf(out, "@%s", t->regs[o->fixed].name);
}

static bool is_def(const MOpnd *o) { return o->role == ROLE_DEF || o->role == ROLE_DEF_EARLY; }

static void write_defs(const MFunc *m, const MOpnd *o, unsigned n, Buf *out) {
    bool any = false;
    for (unsigned k = 0; k < n; k++) {
        if (!is_def(&o[k])) continue;
        if (any) buf_text(out, ", ");
        write_opnd(m, &o[k], out);
        any = true;
    }
    if (any) buf_text(out, " = ");
}

// Uses from slot `from` on; a composite's parts in brackets.
static void write_uses(const MFunc *m, const MInst *i, Buf *out) {
    const MOpnd *o = minst_slots(m, i);
    unsigned described = mop_is_pseudo(i->mop) ? i->n_slots : m->target->insts[i->mop].n_slots;
    const char *separator = " ";
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (k == described) separator = " | ";
        if (is_def(&o[k])) continue;
        if (o[k].kind == MO_NONE) continue;
        buf_text(out, separator);
        separator = ", ";
        if (o[k].kind == MO_FORM) {
            buf_printf(out, "#%lld[", (long long)o[k].imm);
            separator = "";
            unsigned end = k + 1;
            for (unsigned p = 0; p < (mop_is_pseudo(i->mop) ? 0u : m->target->insts[i->mop].n_opnds); p++) {
                const OpndDesc *d = &m->target->insts[i->mop].opnds[p];
                if (d->slot == k) end = k + d->n_slots;
            }
            for (k++; k < end; k++) {
                if (o[k].kind == MO_NONE) continue;
                buf_text(out, separator);
                write_opnd(m, &o[k], out);
                separator = ", ";
            }
            k--;
            buf_char(out, ']');
            separator = ", ";
        } else {
            write_opnd(m, &o[k], out);
        }
    }
}

static void write_inst(const MFunc *m, const MInst *i, Buf *out) {
    buf_text(out, "    ");
    write_defs(m, minst_slots(m, i), i->n_slots, out);
    buf_text(out, i->mop == MOP_ENTRY   ? "entry"
                  : i->mop == MOP_COPY  ? "copy"
                  : i->flags & MI_MOVE  ? "move"
                  : i->flags & MI_REMAT ? "remat"
                                        : m->target->insts[i->mop].name);
    write_uses(m, i, out);
    if (i->flags & MI_TRAP || i->trap) {
        const char *name = trap_name(i->trap);
        if (name) {
            buf_printf(out, "  ; trap %s", name);
        } else {
            buf_printf(out, "  ; trap user%u", i->trap);
        }
    }
    buf_char(out, '\n');
}

static void write_vregs(const MFunc *m, uint32_t at, uint32_t n, Buf *out) {
    if (!n) return;
    for (uint32_t k = 0; k < n; k++) buf_printf(out, "%s%%%u", k ? ", " : "(", m->lists.v[at + k]);
    buf_char(out, ')');
}

static void write_block(const MFunc *m, uint32_t block, Buf *out) {
    const MBlock *b = &m->blocks.v[block];
    buf_printf(out, "block%u", block);
    write_vregs(m, b->params, b->n_params, out);
    buf_char(out, ':');
    if (b->ir != NONE) buf_printf(out, "  ; ir block%u", b->ir);
    if (b->loop_depth) buf_printf(out, "%s loop depth %u", b->ir != NONE ? "," : "  ;", b->loop_depth);
    if (b->cold) buf_text(out, b->ir != NONE || b->loop_depth ? ", cold" : "  ; cold");
    buf_char(out, '\n');
    for (uint32_t k = 0; k < b->n; k++) write_inst(m, &m->insts.v[b->first + k], out);
    for (uint32_t k = 0; k < b->n_succs; k++) {
        const MEdge *e = &m->edges.v[b->succs + k];
        buf_printf(out, "%sblock%u", k ? ", " : "    -> ", e->block);
        write_vregs(m, e->args, e->n_args, out);
    }
    if (b->n_succs) buf_char(out, '\n');
}

void mfunc_write(const MFunc *m, Buf *out) {
    buf_text(out, "machine ");
    name_put(out, m->ir->name);
    buf_printf(out, " %s {\n", m->target->name);
    for (uint32_t k = 0; k < m->slots.n; k++) {
        const MSlot *s = &m->slots.v[k];
        buf_printf(out, "    %s%u: %u bytes, align %u\n", slot_kinds[s->kind], k, s->size, s->align);
    }
    for (uint32_t k = 0; k < m->tables.n; k++) {
        buf_printf(out, "    table%u:", k);
        for (uint32_t e = 0; e < m->tables.v[k].n; e++)
            buf_printf(out, " block%u", m->lists.v[m->tables.v[k].blocks + e]);
        buf_char(out, '\n');
    }
    for (uint32_t b = 0; b < m->blocks.n; b++) write_block(m, b, out);
    buf_text(out, "}\n");
}
