// The parts of a target record that encoding tests do not reach: relocations, relaxation, opposite conditions, register
// sets of conventions.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "select/target.h"
#include "x86_64.h"
#include "unit.h"

static const Target *t(void) { return target_find("x86_64"); }

static const Reloc *reloc(const char *name) {
    for (unsigned i = 0; i < t()->n_relocs; i++)
        if (!strcmp(t()->relocs[i].name, name)) return &t()->relocs[i];
    ck_abort_msg("no relocation %s", name);
    return NULL;
}

START_TEST(relocations_reach_what_their_field_holds) {
    const Reloc *r = reloc("R_X86_64_PC32");
    uint8_t place[4] = {0};
    const uint64_t p = UINT64_C(0x7f0000001000);
    ck_assert_uint_eq(r->size, 4);
    ck_assert(r->apply(place, p, p + 4 + 0x123, -4, 0));
    ck_assert_mem_eq(place, "\x23\x01\x00\x00", 4);
    ck_assert(r->apply(place, p, p + INT32_MAX, 0, 0));
    ck_assert_mem_eq(place, "\xff\xff\xff\x7f", 4);
    ck_assert(r->apply(place, p, p - (UINT64_C(1) << 31), 0, 0));
    ck_assert_mem_eq(place, "\x00\x00\x00\x80", 4);
    ck_assert(!r->apply(place, p, p + INT32_MAX, 1, 0));
    ck_assert(!r->apply(place, p, p - (UINT64_C(1) << 31), -1, 0));
    const Reloc *got = reloc("R_X86_64_GOTPCREL");
    ck_assert_int_eq(got->base, RELOC_G);
    ck_assert(got->apply(place, p, 0, -4, p + 20));
    ck_assert_mem_eq(place, "\x10\x00\x00\x00", 4);
    uint8_t word[8];
    ck_assert(reloc("R_X86_64_64")->apply(word, p, UINT64_C(0x8877665544332200), 0x11, 0));
    ck_assert_mem_eq(word, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
}
END_TEST

START_TEST(branches_grow_and_turn_round) {
    for (unsigned i = 0; i < t()->n_relaxes; i++) {
        const Relax *r = &t()->relaxes[i];
        ck_assert(t()->insts[r->mop].flags & MD_RELAX);
        MOpnd slots[4] = {{.kind = MO_IMM, .imm = 4}, {.kind = MO_BLOCK, .imm = 9}};
        unsigned label = t()->insts[r->mop].n_slots - 1u;
        if (label == 0) slots[0] = slots[1];
        for (unsigned k = 0; k < r->n_rows; k++) {
            Encoded out[4];
            ck_assert_uint_eq(r->rows[k].expand(slots, 0, out), 1);
            ck_assert_uint_eq(out[0].n, r->rows[k].max_size);
            ck_assert_uint_eq(out[0].n_fixups, 1);
            ck_assert_uint_eq(out[0].fixups[0].slot, label);
            const Fixup *f = &out[0].fixups[0];
            ck_assert_int_eq(f->addend, (int64_t)f->at - out[0].n);
            // The ends of the row's reach are the ends of the field's range.
            const Reloc *rel = &t()->relocs[f->reloc];
            uint64_t start = UINT64_C(1) << 40;
            uint8_t place[8];
            if (k + 1u == r->n_rows) continue;
            ck_assert(rel->apply(place, start + f->at, start + (uint64_t)r->rows[k].low, f->addend, 0));
            ck_assert(rel->apply(place, start + f->at, start + (uint64_t)r->rows[k].high, f->addend, 0));
            ck_assert(!rel->apply(place, start + f->at, start + (uint64_t)r->rows[k].low - 1, f->addend, 0));
            ck_assert(!rel->apply(place, start + f->at, start + (uint64_t)r->rows[k].high + 1, f->addend, 0));
        }
    }
    for (int c = 0; c < 16; c++) {
        MOpnd slots[2] = {{.kind = MO_IMM, .imm = c}, {.kind = MO_BLOCK, .imm = 1}};
        ck_assert_uint_eq(t()->invert(t()->op_branch, slots), t()->op_branch);
        ck_assert_int_eq(slots[0].imm, c ^ 1);
    }
    MOpnd jump = {.kind = MO_BLOCK};
    ck_assert_uint_eq(t()->invert(t()->op_jump, &jump), NO_MOP);
}
END_TEST

START_TEST(sets_of_registers_are_consistent) {
    for (unsigned i = 0; i < t()->n_classes; i++) {
        const RegClass *c = &t()->classes[i];
        for (unsigned r = 0; r < t()->n_regs; r++) {
            if (!regset_has(c->allocatable, r)) continue;
            ck_assert(regset_has(c->regs, r));
            ck_assert(r != t()->sp && !regset_has(t()->scratch, r));
        }
        ck_assert_uint_ne(c->copy, NO_MOP);
        ck_assert_uint_eq(t()->insts[c->copy].flags & (MD_WRITES_FLAGS | MD_EFFECT), 0);
        for (unsigned k = 0; k < 4; k++) {
            if (c->load[k] != NO_MOP) ck_assert(t()->insts[c->load[k]].flags == MD_LOADS);
            if (c->store[k] != NO_MOP) ck_assert(t()->insts[c->store[k]].flags == MD_STORES);
        }
    }
    for (unsigned i = 0; i < t()->n_abis; i++) {
        const Abi *a = &t()->abis[i];
        for (unsigned r = 0; r < t()->n_regs; r++)
            ck_assert(regset_has(a->preserved, r) != regset_has(a->clobbered, r));
        for (unsigned k = 0; k < a->n_int_results; k++) ck_assert(regset_has(a->clobbered, a->int_results[k]));
        ck_assert(regset_has(a->clobbered, t()->flags));
        ck_assert(regset_has(a->preserved, t()->sp));
    }
    const Abi *windows = t()->conv[CC_WINDOWS_FASTCALL];
    ck_assert(windows->slots && windows->shadow == 32);
    ck_assert(regset_has(windows->preserved, X86_64_REG_xmm6) && !regset_has(windows->preserved, X86_64_REG_xmm5));
    ck_assert(t()->conv[CC_TAIL]->callee_pops);
    // An argument register must be left for the target of an indirect tail call.
    const Abi *tail = t()->conv[CC_TAIL];
    RegSet left = t()->classes[X86_64_CLASS_g].allocatable;
    for (unsigned k = 0; k < tail->n_int_args; k++) regset_del(&left, tail->int_args[k]);
    ck_assert(left.w[0] != 0);
    for (unsigned i = 0; i < t()->n_insts; i++) {
        uint16_t twin = t()->insts[i].untie_mop;
        if (twin == NO_MOP) continue;
        ck_assert_uint_eq(t()->insts[twin].n_slots, t()->insts[i].n_slots);
        ck_assert_uint_eq(t()->insts[twin].flags & MD_WRITES_FLAGS, 0);
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("record");
    tcase_add_test(tests, relocations_reach_what_their_field_holds);
    tcase_add_test(tests, branches_grow_and_turn_round);
    tcase_add_test(tests, sets_of_registers_are_consistent);
    return run_tests("target", tests);
}
