// Relocations in memory: entries for addresses, veneers for calls that do not reach, errors for what gets no help.
#include <string.h>

#include "link/link.h"
#include "unit.h"

enum { CODE = 64, AREA = 256 };

typedef struct Case {
    uint64_t at, sym; // addresses of the part and of the symbol
    uint8_t base;     // RelocBase
    uint8_t size;     // of the field
    bool near;
    bool works;
} Case;

typedef struct Linked {
    uint8_t code[CODE];
    uint8_t area[AREA];
    Link link;
    LinkSym sym;
    bool ok;
} Linked;

static unsigned find_reloc(const Target *t, unsigned base, unsigned size) {
    for (unsigned k = 0; k < t->n_relocs; k++)
        if (t->relocs[k].base == base && t->relocs[k].size == size) return k;
    ck_abort_msg("no relocation over base %u of %u bytes", base, size);
}

static void link_case(Ctx *ctx, const Case *c, Linked *l) {
    enum { AT = 8 };
    const Target *t = target_host();
    memset(l, 0, sizeof *l);
    // Twice the same relocation: one entry or veneer serves both.
    LinkReloc relocs[2] = {{AT, (uint8_t)find_reloc(t, c->base, c->size), 0, -4, 0},
                           {AT + 16, (uint8_t)find_reloc(t, c->base, c->size), 0, -4, 0}};
    if (c->size == 8) relocs[0].addend = relocs[1].addend = 24;
    LinkPart part = {l->code, c->at, relocs, 2};
    l->sym = (LinkSym){.addr = c->sym, .near = c->near, .name = "%it"};
    l->link = (Link){.ctx = ctx, .target = t, .parts = &part, .syms = &l->sym, .n_parts = 1, .n_syms = 1};
    link_plan(&l->link);
    ck_assert_uint_le(l->link.area_size, AREA);
    l->link.area = l->area;
    l->link.area_addr = c->at + CODE;
    l->ok = link_apply(&l->link);
    ck_assert_int_eq(l->ok, c->works);
    if (!l->ok) return;
    for (unsigned k = 0; k < 2; k++) {
        uint64_t p = c->at + relocs[k].at;
        if (c->size == 8) {
            uint64_t field;
            memcpy(&field, l->code + relocs[k].at, 8);
            ck_assert_uint_eq(field, c->sym + 24);
            continue;
        }
        int32_t field;
        memcpy(&field, l->code + relocs[k].at, 4);
        uint64_t to = p + 4 + (uint64_t)(int64_t)field;
        if (c->base == RELOC_G) {
            uint64_t word;
            ck_assert_uint_eq(to, l->link.area_addr + l->sym.got);
            memcpy(&word, l->area + l->sym.got, 8);
            ck_assert_uint_eq(word, c->sym);
        } else if (to != c->sym) { // through a veneer, in which the address stands
            ck_assert_uint_eq(to, l->link.area_addr + l->sym.veneer);
            bool found = false;
            for (unsigned j = l->sym.veneer; j + 8 <= l->link.area_size; j++)
                found |= memcmp(l->area + j, &c->sym, 8) == 0;
            ck_assert(found);
        }
    }
}

static const Case cases[] = {
    {0x10000, 0x20000, RELOC_S, 4, true, true},
    {0x10000, 0x7fff0000, RELOC_S, 4, false, true},
    {0x10000, 0x90000000, RELOC_S, 4, false, false},
    {0x7f0000000000, 0x1000, RELOC_S, 4, false, false},
    {0x7f0000000000, 0x1000, RELOC_S, 8, false, true},
    {0x10000, 0x20000, RELOC_L, 4, true, true},
    {0x10000, 0x20000, RELOC_L, 4, false, true},
    {0x10000, 0x7f0000000000, RELOC_L, 4, false, true},
    {0x7f0000000000, 0x1000, RELOC_L, 4, false, true},
    {0x7f0000000000, 0x1000, RELOC_L, 4, true, false}, // said to be near, and is not
    {0x10000, 0x20000, RELOC_G, 4, true, true},
    {0x10000, 0x7f0000000000, RELOC_G, 4, false, true},
};

static void all_cases(Ctx *ctx, void *arg) {
    (void)arg;
    for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) {
        Linked l;
        link_case(ctx, &cases[k], &l);
        vtr_diagnostic_info info;
        ck_assert_uint_eq(vtr_diagnostic_count(ctx), cases[k].works ? 0 : 1);
        if (!cases[k].works) {
            ck_assert(vtr_diagnostic(ctx, 0, &info));
            ck_assert_ptr_nonnull(strstr(info.message, "%it does not reach"));
        }
        vtr_diagnostics_clear(ctx);
        // A near symbol takes no room, a far call does.
        if (cases[k].base == RELOC_S || (cases[k].base == RELOC_L && cases[k].near))
            ck_assert_uint_eq(l.link.area_size, 0);
        else ck_assert_uint_gt(l.link.area_size, 0);
        if (cases[k].base == RELOC_G) ck_assert_uint_eq(l.link.area_size, 8);
    }
}

START_TEST(relocations_reach_or_say_so) {
    Ctx *ctx = test_context();
    ck_assert_int_eq(ctx_try(ctx, all_cases, NULL), VTR_OK);
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("link");
    tcase_add_test(tests, relocations_reach_or_say_so);
    return run_tests("link", tests);
}
