// Writes encodings of every instruction of a target, one a line: name, bytes, text, separated by tabs. Operands are
// boundaries first, then random ones from a fixed seed. On the way it checks what needs no other assembler:
//   decode(encode(x)) is x; operands out of range are refused.
// Usage: enumerate TARGET [CASES], or enumerate TARGET random WORDS: random bytes, where they are decoded. Exit status
// 1 when a check fails.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "select/target.h"
#include "support/bits.h"
#include "support/buf.h"

enum { MAX_SLOTS = 16 };

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
static uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}
static unsigned below(unsigned n) { return (unsigned)(next_random() >> 33) % n; }

static const Target *target;
static unsigned long failures;
static unsigned long cases;

// ---- operands ---------------------------------------------------------------------------------

// The n-th member of a class, counted round.
static uint8_t member(uint8_t cls, unsigned n) {
    RegSet regs = target->classes[cls].regs;
    unsigned count = bit_popcount64(regs.w[0]) + bit_popcount64(regs.w[1]);
    n %= count;
    for (unsigned r = 0; r < 128; r++)
        if (regset_has(regs, r) && n-- == 0) return (uint8_t)r;
    abort();
}

// A legal value of an irregular kind: the least and the greatest field, then ones from a fixed seed.
static int64_t irregular_case(const ImmIrregular *k, unsigned n) {
    int64_t value = 0;
    uint64_t last = (UINT64_C(1) << k->field_bits) - 1;
    uint64_t field = n % 2 ? last - n / 2 : n / 2;
    if (n >= 20) field = next_random() & last;
    while (!imm_irregular_value(k, field & last, &value)) field++;
    return value;
}

static int64_t imm_case(const ImmKind *k, unsigned n) {
    if (k->irregular) return irregular_case(k->irregular, n);
    static const int64_t limits[] = {0,   1,   -1,    2,      127,       -128,       128,         -129,
                                     255, 256, 32767, -32768, 65535,     2147483647, -2147483648, 4294967295,
                                     3,   7,   8,     15,     INT64_MAX, INT64_MIN};
    if (n == 0) return k->lo;
    if (n == 1) return k->hi;
    int64_t x = n - 2 < sizeof limits / sizeof *limits ? limits[n - 2] : (int64_t)next_random();
    if (n - 2 >= sizeof limits / sizeof *limits && below(2)) x >>= below(64);
    uint64_t unit = UINT64_C(1) << k->low_zeros;
    x = (int64_t)((uint64_t)x * unit);
    if (x >= k->lo && x <= k->hi) return x;
    uint64_t span = (uint64_t)k->hi - (uint64_t)k->lo + unit;
    uint64_t step = span ? (uint64_t)x % span : (uint64_t)x;
    return (int64_t)((uint64_t)k->lo + step / unit * unit);
}

static void fill_plain(const OpndDesc *d, MOpnd *o, unsigned n) {
    *o = (MOpnd){.fixed = d->fixed, .reg = NONE};
    if (d->type == OT_REG && target->stack) return; // on the operand stack: no bits
    if (d->type == OT_REG) {
        o->kind = MO_PREG;
        o->preg = d->fixed != NO_REG ? d->fixed : member(d->cls, n);
        if (d->inout) o[1] = *o;
        return;
    }
    o->kind = MO_IMM;
    o->imm = d->kind == NO_KIND ? (int64_t)n : imm_case(&target->imms[d->kind], n);
}

static void fill(const InstDesc *inst, MOpnd *slots, unsigned n) {
    memset(slots, 0, MAX_SLOTS * sizeof *slots);
    for (unsigned i = 0; i < inst->n_opnds; i++) {
        const OpndDesc *d = &inst->opnds[i];
        // Rounds of different length, so that operands do not walk in step.
        unsigned at = n < 48 ? (n + i * 7) % (47 - i) : 1000 + below(1u << 30);
        if (d->type != OT_COMPOSITE) {
            fill_plain(d, &slots[d->slot], at);
            continue;
        }
        const OperandKind *k = &target->operands[d->kind];
        unsigned form = n % k->n_forms;
        slots[d->slot] = (MOpnd){.kind = MO_FORM, .imm = form, .reg = NONE};
        for (unsigned p = 0; p < k->forms[form].n_parts; p++) {
            const OpndDesc *part = &k->forms[form].parts[p];
            unsigned part_at = below(3) ? below(40) : 1000 + below(1u << 30);
            fill_plain(part, &slots[d->slot + part->slot], n < 64 ? n / k->n_forms + p * 5 : part_at);
        }
    }
}

// ---- checks -----------------------------------------------------------------------------------

static void fail(const InstDesc *inst, const char *what, const Encoded *e) {
    fprintf(stderr, "%s: %s:", inst->name, what);
    for (unsigned i = 0; e && i < e->n; i++) fprintf(stderr, " %02x", e->bytes[i]);
    fputc('\n', stderr);
    failures++;
}

static bool same_plain(const OpndDesc *d, const MOpnd *a, const MOpnd *b) {
    if (a->kind != b->kind) return false;
    if (d->type == OT_REG) return a->preg == b->preg && (!d->inout || b[1].preg == a->preg);
    const ImmKind *k = d->kind == NO_KIND ? NULL : &target->imms[d->kind];
    int64_t want = k && k->open ? bit_sext((uint64_t)a->imm, k->width) : a->imm;
    return want == b->imm;
}

static bool same(const InstDesc *inst, const MOpnd *a, const MOpnd *b) {
    for (unsigned i = 0; i < inst->n_opnds; i++) {
        const OpndDesc *d = &inst->opnds[i];
        if (d->type != OT_COMPOSITE) {
            if (!same_plain(d, a + d->slot, b + d->slot)) return false;
            continue;
        }
        if (b[d->slot].kind != MO_FORM || a[d->slot].imm != b[d->slot].imm) return false;
        const FormDesc *form = &target->operands[d->kind].forms[a[d->slot].imm];
        for (unsigned p = 0; p < form->n_parts; p++) {
            unsigned at = d->slot + form->parts[p].slot;
            if (!same_plain(&form->parts[p], a + at, b + at)) return false;
        }
    }
    return true;
}

// A pseudo decodes to the instruction that it stands for: then the bytes must be the same. A sequence decodes to its
// parts.
static void check_decode(uint16_t mop, const MOpnd *slots, const Encoded *e) {
    const InstDesc *inst = &target->insts[mop];
    MOpnd back[MAX_SLOTS];
    uint16_t found = NO_MOP;
    unsigned size = target->decode(e->bytes, e->n, &found, back);
    if (size != e->n) {
        fail(inst, size ? "decoded with another length" : "not decoded", e);
        return;
    }
    Encoded again;
    if (found == mop && !same(inst, slots, back)) fail(inst, "decoded with other operands", e);
    if (!target->encode(found, back, UINT64_MAX, &again) || again.n != e->n || memcmp(again.bytes, e->bytes, e->n))
        fail(inst, "decoded to something else", e);
    if (e->n > 1 && target->decode(e->bytes, e->n - 1u, &found, back) == e->n) fail(inst, "decoded beyond the end", e);
}

// A sequence decodes to instructions that encode to its bytes.
static void check_sequence(const InstDesc *inst, const Encoded *e) {
    for (unsigned at = 0, n; at < e->n; at += n) {
        MOpnd back[MAX_SLOTS];
        uint16_t found = NO_MOP;
        n = target->decode(e->bytes + at, e->n - at, &found, back);
        if (!n) {
            fail(inst, "a part is not decoded", e);
            return;
        }
    }
}

static void refuse(uint16_t mop, const MOpnd *slots, const char *what) {
    Encoded e;
    if (target->encode(mop, slots, UINT64_MAX, &e)) fail(&target->insts[mop], what, &e);
    cases++;
}

static void refuse_plain(uint16_t mop, const OpndDesc *d, MOpnd *slots, unsigned at) {
    MOpnd kept[2] = {slots[at], slots[at + 1]};
    if (d->type == OT_REG && target->stack) return;
    if (d->type == OT_REG) {
        for (unsigned r = 0; r < target->n_regs; r++) {
            bool fits = regset_has(target->classes[d->cls].regs, r) && (d->fixed == NO_REG || d->fixed == r);
            if (fits) continue;
            slots[at].preg = (uint8_t)r;
            if (d->inout) slots[at + 1].preg = (uint8_t)r;
            refuse(mop, slots, "a register of another class was accepted");
        }
        if (d->inout && d->fixed == NO_REG) {
            slots[at] = kept[0];
            slots[at + 1].preg = slots[at].preg == member(d->cls, 0) ? member(d->cls, 1) : member(d->cls, 0);
            refuse(mop, slots, "different registers of a tied operand were accepted");
        }
        slots[at] = kept[0];
        slots[at].kind = MO_IMM;
        refuse(mop, slots, "an immediate in the place of a register was accepted");
    } else {
        if (d->kind == NO_KIND) return; // a label may be anywhere
        const ImmKind *k = &target->imms[d->kind];
        if (k->lo > INT64_MIN) {
            slots[at].imm = k->lo - 1;
            refuse(mop, slots, "a value below the range was accepted");
            slots[at].imm = INT64_MIN;
            refuse(mop, slots, "the least integer was accepted");
        }
        if (k->hi < INT64_MAX) {
            slots[at].imm = k->hi + 1;
            refuse(mop, slots, "a value above the range was accepted");
            slots[at].imm = INT64_MAX;
            refuse(mop, slots, "the greatest integer was accepted");
        }
        slots[at].kind = MO_PREG;
        refuse(mop, slots, "a register in the place of an immediate was accepted");
    }
    slots[at] = kept[0];
    slots[at + 1] = kept[1];
}

static void check_refusals(uint16_t mop) {
    const InstDesc *inst = &target->insts[mop];
    MOpnd slots[MAX_SLOTS];
    for (unsigned n = 0; n < 4; n++) {
        fill(inst, slots, n);
        for (unsigned i = 0; i < inst->n_opnds; i++) {
            const OpndDesc *d = &inst->opnds[i];
            if (d->type != OT_COMPOSITE) {
                refuse_plain(mop, d, slots, d->slot);
                continue;
            }
            const FormDesc *form = &target->operands[d->kind].forms[slots[d->slot].imm];
            for (unsigned p = 0; p < form->n_parts; p++)
                refuse_plain(mop, &form->parts[p], slots, d->slot + form->parts[p].slot);
            MOpnd kept = slots[d->slot];
            slots[d->slot].imm = target->operands[d->kind].n_forms;
            refuse(mop, slots, "a form that does not exist was accepted");
            slots[d->slot] = kept;
        }
    }
}

// The address at which distances print as they are: they count from the end of an instruction where its size varies by
// bytes, from its start elsewhere.
static uint64_t where(unsigned size) { return target->code_align > 1 ? 0 : (uint64_t)0 - size; }

// A stack machine's memory operand without an access: base + displacement, which is several instructions or none.
static bool adds_address(const InstDesc *inst) {
    if (!target->stack || inst->flags & (MD_LOADS | MD_STORES)) return false;
    for (unsigned i = 0; i < inst->n_opnds; i++)
        if (inst->opnds[i].type == OT_COMPOSITE) return true;
    return false;
}

static void one_case(Arena *arena, uint16_t mop, unsigned n) {
    const InstDesc *inst = &target->insts[mop];
    MOpnd slots[MAX_SLOTS];
    Encoded e;
    fill(inst, slots, n);
    cases++;
    if (!target->encode(mop, slots, UINT64_MAX, &e)) {
        fail(inst, "refused", NULL);
        return;
    }
    if (inst->flags & MD_SEQUENCE || adds_address(inst)) {
        check_sequence(inst, &e);
        return;
    }
    if (!target->stack || mop != target->stack->branch_entry) check_decode(mop, slots, &e); // else it is a number
    Buf text = buf_new(arena);
    target->print(mop, slots, where(e.n), e.n, &text);
    printf("%s\t", inst->name);
    for (unsigned i = 0; i < e.n; i++) printf("%02x", e.bytes[i]);
    printf("\t%s\n", buf_str(&text));
}

// Random bytes that are an instruction of ours, as such lines.
static void random_words(Arena *arena, unsigned long n) {
    for (unsigned long k = 0; k < n; k++) {
        uint8_t bytes[16];
        MOpnd slots[MAX_SLOTS];
        uint16_t mop;
        for (unsigned i = 0; i < 2; i++) {
            uint64_t x = next_random();
            memcpy(bytes + 8 * i, &x, 8);
        }
        cases++;
        unsigned size = target->decode(bytes, sizeof bytes, &mop, slots);
        if (!size) continue;
        Buf text = buf_new(arena);
        target->print(mop, slots, where(size), size, &text);
        printf("%s\t", target->insts[mop].name);
        for (unsigned i = 0; i < size; i++) printf("%02x", bytes[i]);
        printf("\t%s\n", buf_str(&text));
        arena_reset(arena);
    }
}

// ---- main ---------------------------------------------------------------------------------------

typedef struct Run {
    unsigned n;
    unsigned long words; // of random bytes, instead of instructions
} Run;

static void run(Ctx *ctx, void *arg) {
    const Run *r = arg;
    Arena *arena = arena_new(ctx);
    if (r->words) random_words(arena, r->words);
    if (r->words) return;
    for (uint16_t mop = 0; mop < target->n_insts; mop++) {
        const InstDesc *inst = &target->insts[mop];
        if (inst->flags & MD_RELAX) continue;
        bool memory = false;
        for (unsigned i = 0; i < inst->n_opnds; i++) memory |= inst->opnds[i].type == OT_COMPOSITE;
        unsigned n = inst->n_opnds ? memory ? r->n * 2 : r->n : 1;
        for (unsigned k = 0; k < n; k++) one_case(arena, mop, k);
        check_refusals(mop);
        arena_reset(arena);
    }
}

int main(int argc, char **argv) {
    Run r = {.n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100};
    if (argc > 3 && !strcmp(argv[2], "random")) r.words = strtoul(argv[3], NULL, 10);
    target = argc > 1 ? target_find(argv[1]) : NULL;
    if (!target) {
        fputs("usage: enumerate TARGET [CASES | random WORDS]\n", stderr);
        return 2;
    }
    Ctx *ctx = NULL;
    if (vtr_context_new(NULL, &ctx) != VTR_OK || ctx_try(ctx, run, &r) != VTR_OK) {
        fputs("enumerate: out of memory\n", stderr);
        return 1;
    }
    vtr_context_free(ctx);
    fprintf(stderr, "%lu cases, %lu failures\n", cases, failures);
    return failures != 0;
}
