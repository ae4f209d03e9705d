#include "link/link.h"

#include <inttypes.h>
#include <string.h>

#include "emit/mach.h"

enum { AREA_MAX = 1 << 30, VENEER_ALIGN = 8 };

// A veneer: the address into a scratch register, and a jump through it. Returns its size and, with `place`, writes
// it; false from `ok` when it cannot be built.
static unsigned veneer(const Target *t, uint8_t *place, uint64_t addr, uint64_t target, bool *ok) {
    const RegSet *words = &t->classes[mach_word_class(t)].regs;
    unsigned scratch = 0;
    while (scratch < t->n_regs && !(regset_has(t->scratch, scratch) && regset_has(*words, scratch))) scratch++;
    *ok = scratch < t->n_regs;
    if (!*ok) return 0;
    Mach code[2] = {mach_addr(t, scratch, 0), mach_reg(t, t->op_tail_call_reg, scratch)};
    unsigned size = 0;
    for (unsigned k = 0; k < 2; k++) {
        Encoded x;
        memset(&x, 0, sizeof x);
        if (!t->encode(code[k].mop, code[k].slots, 0, &x)) *ok = false;
        if (place && *ok) {
            memcpy(place + size, x.bytes, x.n);
            for (unsigned j = 0; j < x.n_fixups; j++) {
                const Fixup *fix = &x.fixups[j];
                uint32_t at = size + fix->at;
                *ok &= t->relocs[fix->reloc].apply(place + at, addr + at - fix->back, target, fix->addend, target);
            }
        }
        size += x.n;
    }
    return size;
}

void link_plan(Link *link) {
    const Target *t = link->target;
    uint64_t size = 0;
    bool ok;
    uint64_t veneer_size = veneer(t, NULL, 0, 0, &ok);
    for (uint32_t k = 0; k < link->n_syms; k++) link->syms[k].got = link->syms[k].veneer = NONE;
    for (uint32_t p = 0; p < link->n_parts; p++)
        for (uint32_t k = 0; k < link->parts[p].n_relocs; k++) {
            const LinkReloc *r = &link->parts[p].relocs[k];
            LinkSym *s = &link->syms[r->sym];
            uint8_t base = t->relocs[r->reloc].base;
            if (base == RELOC_G && s->got == NONE) {
                s->got = (uint32_t)size;
                size += mach_word(t);
            } else if (base == RELOC_L && s->veneer == NONE && !s->near && ok) {
                s->veneer = (uint32_t)size;
                size += (veneer_size + VENEER_ALIGN - 1) / VENEER_ALIGN * VENEER_ALIGN;
            }
            if (size > AREA_MAX) ctx_fail(link->ctx, VTR_ERR_LIMIT, "more than 1 GiB of symbol addresses");
        }
    link->area_size = (uint32_t)size;
}

static bool write_area(Link *link) {
    const Target *t = link->target;
    for (uint32_t k = 0; k < link->n_syms; k++) {
        const LinkSym *s = &link->syms[k];
        if (s->got != NONE)
            for (unsigned j = 0; j < mach_word(t); j++) link->area[s->got + j] = (uint8_t)(s->addr >> 8 * j);
        if (s->veneer == NONE) continue;
        bool ok;
        veneer(t, link->area + s->veneer, link->area_addr + s->veneer, s->addr, &ok);
        if (ok) continue;
        diag_error(link->ctx, (Place){0}, "no veneer can reach %s", s->name);
        return false;
    }
    return true;
}

static bool apply(Link *link, const LinkPart *part, const LinkReloc *r) {
    const Reloc *reloc = &link->target->relocs[r->reloc];
    const LinkSym *s = &link->syms[r->sym];
    uint64_t g = reloc->base == RELOC_G ? link->area_addr + s->got : s->addr;
    uint8_t *place = part->bytes + r->at;
    if (reloc->apply(place, part->addr + r->at - r->back, s->addr, r->addend, g)) return true;
    if (reloc->base == RELOC_L && s->veneer != NONE) {
        g = link->area_addr + s->veneer;
        if (reloc->apply(place, part->addr + r->at - r->back, s->addr, r->addend, g)) return true;
    }
    diag_error(link->ctx, (Place){0}, "%s against %s does not reach from 0x%" PRIx64 " to 0x%" PRIx64, reloc->name,
               s->name, part->addr + r->at, s->addr);
    return false;
}

bool link_apply(Link *link) {
    if (!write_area(link)) return false;
    for (uint32_t p = 0; p < link->n_parts; p++)
        for (uint32_t k = 0; k < link->parts[p].n_relocs; k++)
            if (!apply(link, &link->parts[p], &link->parts[p].relocs[k])) return false;
    return true;
}
