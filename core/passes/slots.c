// Stack slots that are aligned beyond what the stack is.
//
// Theory. A frame's slots stand at fixed distances from a stack pointer that is aligned to so many bytes and no more. A
// slot that wants 64 where the stack has 16 gets 48 bytes more than its size, and its address is rounded up wherever it
// is taken:
//
//     v1 = stack_addr ss0+8      becomes      v5 = stack_addr ss0;  v6 = iadd v5, 48;  v7 = band v6, -64;  v1 = iadd
//     v7, 8
//
// It always is the same address, as sp is the same everywhere in a function. So no machine needs a second frame
// register for it, and equal addresses are shared or recomputed like all others.
#include "passes/rewrite.h"

static void realign(Rewriter *r, Inst i, uint32_t align, uint32_t have) {
    const InstData d = *inst_get(r->f, i);
    Type type = (Type)d.type;
    Builder *b = &r->b;
    if (!rw_begin(r, i)) return;
    Value base = rw_put(r, ir_stack_addr(b, type, d.ref, 0));
    Value sum = rw_put(r, ir_iadd(b, base, rw_put(r, ir_iconst(b, type, align - have))));
    Value at = rw_put(r, ir_band(b, sum, rw_put(r, ir_iconst(b, type, -(uint64_t)align & rw_ones(type)))));
    if (d.imm) at = rw_put(r, ir_iadd(b, at, rw_put(r, ir_iconst(b, type, (uint64_t)d.imm))));
    rw_replace(r, i, 0, at);
    rw_end(r, i);
}

// The frame's walk finds references at fixed places.
static void refuse_references(const Func *f, const uint32_t *align) {
    for (uint32_t k = 0; k < f->map_entries.n; k++)
        if (align[f->map_entries.v[k].slot])
            ctx_fail(f->ctx, VTR_ERR_UNSUPPORTED, "references in ss%u, which is aligned to %u bytes",
                     f->map_entries.v[k].slot, align[f->map_entries.v[k].slot]);
}

// Requires verified SSA. Makes every slot's alignment one that the stack has.
void pass_slots(Pass *p) {
    Func *f = p->f;
    uint32_t have = p->options->stack_align;
    uint32_t *align = NEW_ARRAY(p->arena, uint32_t, f->slots.n); // of those to be realigned, else 0
    bool any = false;
    for (uint32_t k = 0; have && k < f->slots.n; k++) {
        StackSlot *slot = &f->slots.v[k];
        if (slot->align <= have) continue;
        if (slot->align - have > UINT32_MAX - slot->size) ctx_fail(f->ctx, VTR_ERR_LIMIT, "ss%u is too large", k);
        any = true;
        align[k] = slot->align;
        slot->size += slot->align - have;
        slot->align = have;
    }
    if (!any) return;
    refuse_references(f, align);
    Rewriter r = rw_new(p, true);
    FUNC_BLOCKS(b, f) {
        for (Inst i = block_get(f, b)->first, next; inst_ok(i); i = next) {
            next = inst_get(f, i)->next;
            const InstData *d = inst_get(f, i);
            if (d->op == OP_stack_addr && align[d->ref]) realign(&r, i, align[d->ref], have);
        }
    }
}
