#include "link/link.h"

#include <inttypes.h>
#include <string.h>

#include "emit/mach.h"

enum { AREA_MAX = 1 << 30, VENEER_ALIGN = 8 };

// A veneer: the address into a scratch register, and a jump through it. Returns its size, 0 when the machine has none;
// `got`: whether it reads the address from the symbol's word. With `place`, writes it; *ok: the words are in reach.
static unsigned veneer(const Target *t, uint8_t *place, uint64_t addr, uint64_t target, uint64_t word, bool *got,
                       bool *ok) {
    unsigned scratch = mach_scratch(t, (RegSet){{0, 0}});
    if (scratch == NO_REG) return 0;
    Mach code[2] = {mach_addr(t, scratch, 0), mach_reg(t, t->op_tail_call_reg, scratch)};
    unsigned size = 0;
    for (unsigned k = 0; k < 2; k++) {
        Encoded x[4];
        unsigned n = mach_encode(t, code[k].mop, code[k].slots, 0, x);
        if (n == 0) return 0;
        for (unsigned i = 0; i < n; i++) {
            if (place) memcpy(place + size, x[i].bytes, x[i].n);
            for (unsigned j = 0; j < x[i].n_fixups; j++) {
                const Fixup *fix = &x[i].fixups[j];
                const Reloc *reloc = &t->relocs[fix->reloc];
                uint32_t at = size + fix->at;
                bool is_got = reloc->base == RELOC_G;
                *got |= is_got;
                if (place)
                    *ok &= reloc->apply(place + at, addr + at - fix->back, target, fix->addend, is_got ? word : target);
            }
            size += x[i].n;
        }
    }
    return size;
}

void link_plan(Link *link) {
    const Target *t = link->target;
    uint64_t size = 0;
    bool ok = true;
    bool got = false;
    uint64_t veneer_size = veneer(t, NULL, 0, 0, 0, &got, &ok);
    for (uint32_t k = 0; k < link->n_syms; k++) link->syms[k].got = link->syms[k].veneer = NONE;
    for (uint32_t p = 0; p < link->n_parts; p++)
        for (uint32_t k = 0; k < link->parts[p].n_relocs; k++) {
            const LinkReloc *r = &link->parts[p].relocs[k];
            LinkSym *s = &link->syms[r->sym];
            uint8_t base = t->relocs[r->reloc].base;
            bool by_veneer = base == RELOC_L && s->veneer == NONE && !s->near && veneer_size;
            if ((base == RELOC_G || (by_veneer && got)) && s->got == NONE) {
                s->got = (uint32_t)size;
                size += mach_word(t);
            }
            if (by_veneer) {
                size = (size + VENEER_ALIGN - 1) / VENEER_ALIGN * VENEER_ALIGN;
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
        bool ok = true;
        bool got = false;
        uint64_t word = s->got != NONE ? link->area_addr + s->got : 0;
        veneer(t, link->area + s->veneer, link->area_addr + s->veneer, s->addr, word, &got, &ok);
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
