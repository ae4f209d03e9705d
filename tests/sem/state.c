// Values and states, and where a target's registers are in them.
#include <string.h>

#include "sem.h"

static uint64_t seed = UINT64_C(0x243f6a8885a308d3);

uint64_t sem_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

unsigned sem_below(unsigned n) { return (unsigned)((sem_random() >> 32) % n); }

// ---- values ---------------------------------------------------------------------------------------

static const uint64_t integers[] = {0,
                                    1,
                                    2,
                                    3,
                                    7,
                                    UINT64_MAX,
                                    UINT64_MAX - 1,
                                    0x7f,
                                    0x80,
                                    0xff,
                                    0x100,
                                    0x7fff,
                                    0x8000,
                                    0xffff,
                                    0x10000,
                                    0x7fffffff,
                                    0x80000000,
                                    0xffffffff,
                                    0x100000000,
                                    UINT64_C(0xffffffff80000000),
                                    UINT64_C(0xffffffff7fffffff),
                                    UINT64_C(0xffffffffffffff80),
                                    UINT64_C(0xffffffffffff8000),
                                    INT64_MAX,
                                    UINT64_C(0x8000000000000000),
                                    UINT64_C(0x8000000000000001),
                                    UINT64_C(0x5555555555555555),
                                    UINT64_C(0xaaaaaaaaaaaaaaaa)};

// Zeros, ones, halves, infinities, NaNs quiet and signalling with and without a payload, subnormal and extreme numbers,
// bounds of conversions to integers with their neighbours. Then the same with the other sign.
static const uint64_t doubles[] = {0,
                                   UINT64_C(0x3ff0000000000000),
                                   UINT64_C(0x3fe0000000000000),
                                   UINT64_C(0x3ff8000000000000),
                                   UINT64_C(0x4004000000000000),
                                   UINT64_C(0x7ff0000000000000),
                                   UINT64_C(0x7ff8000000000000),
                                   UINT64_C(0x7ff8000000001234),
                                   UINT64_C(0x7ff0000000000001),
                                   UINT64_C(0x7ff4000000005678),
                                   UINT64_C(0x0000000000000001),
                                   UINT64_C(0x000fffffffffffff),
                                   UINT64_C(0x0010000000000000),
                                   UINT64_C(0x7fefffffffffffff),
                                   UINT64_C(0x41dfffffffc00000),
                                   UINT64_C(0x41e0000000000000),
                                   UINT64_C(0x41dfffffffe00000),
                                   UINT64_C(0x41efffffffe00000),
                                   UINT64_C(0x41f0000000000000),
                                   UINT64_C(0x43dfffffffffffff),
                                   UINT64_C(0x43e0000000000000),
                                   UINT64_C(0x43f0000000000000),
                                   UINT64_C(0x43efffffffffffff),
                                   UINT64_C(0x3fefffffffffffff),
                                   UINT64_C(0x4330000000000001),
                                   UINT64_C(0x47efffffe0000000),
                                   UINT64_C(0x47effffff0000000),
                                   UINT64_C(0x3690000000000000),
                                   UINT64_C(0x380fffffe0000001)};
static const uint32_t singles[] = {0,          0x3f800000, 0x3f000000, 0x3fc00000, 0x40200000, 0x7f800000, 0x7fc00000,
                                   0x7fc01234, 0x7f800001, 0x7fa05678, 0x00000001, 0x007fffff, 0x00800000, 0x7f7fffff,
                                   0x4effffff, 0x4f000000, 0x4f7fffff, 0x4f800000, 0x5effffff, 0x5f000000, 0x5f7fffff,
                                   0x5f800000, 0x3f7fffff, 0x4b000001, 0x42fe0000, 0x43000000, 0x437f0000};

#define PICK(list) (list)[sem_below(sizeof(list) / sizeof *(list))]

static uint64_t any_integer(void) {
    switch (sem_below(8)) {
    case 0: return sem_random();
    case 1: return sem_random() >> sem_below(64);
    case 2: return UINT64_C(1) << sem_below(64);
    case 3: return sem_below(64);
    case 4: return 0 - (sem_random() >> sem_below(64));
    default: return PICK(integers);
    }
}

static uint64_t any_double(void) {
    uint64_t sign = sem_random() & UINT64_C(0x8000000000000000);
    switch (sem_below(6)) {
    case 0: return sem_random();
    case 1: return sign | ((UINT64_C(1023) + sem_below(130) - 65) << 52) | sem_random() >> 12; // of moderate size
    default: return sign ^ PICK(doubles);
    }
}

static uint64_t any_single(void) {
    uint32_t sign = (uint32_t)sem_random() & 0x80000000u;
    switch (sem_below(6)) {
    case 0: return (uint32_t)sem_random();
    case 1: return sign | (127 + sem_below(130) - 65) << 23 | ((uint32_t)sem_random() >> 9);
    default: return sign ^ PICK(singles);
    }
}

static uint64_t small_integer(void) {
    uint64_t x = sem_random() >> (48 + sem_below(14));
    return sem_below(4) ? x : 0 - x;
}

// A float of either width: one of 32 bits stands below ones, or below anything.
static uint64_t any_float(void) {
    if (sem_below(2)) return any_double();
    uint64_t above = sem_below(4) ? UINT64_MAX : sem_random();
    return above << 32 | any_single();
}

static uint64_t any_value(void) { return sem_below(4) ? any_integer() : any_float(); }

static uint64_t some_pad(void) { return SEM_CODE + SEM_PAD * (uint64_t)(1 + sem_below(SEM_CODE_SIZE / SEM_PAD - 2)); }

// All instructions that the code area is used for stand before the anchor, and so does what a pad there would hold.
static uint64_t good_pad(void) {
    for (;;) {
        uint64_t pad = some_pad();
        if (pad + SEM_PAD < SEM_ANCHOR - 32 || pad >= SEM_ANCHOR) return pad;
    }
}

void sem_randomise(SemState *s, bool small, bool pads) {
    memset(s, 0, sizeof *s);
    for (unsigned k = 0; k < 32; k++) {
        s->gpr[k] = small ? small_integer() : any_value();
        s->vec[k][0] = sem_below(8) ? any_float() : sem_random();
        s->vec[k][1] = sem_random();
    }
    s->flags = sem_random();
    s->sp = SEM_DATA + SEM_DATA_SIZE / 2;
    for (unsigned k = 0; k < SEM_DATA_SIZE / 8; k++) {
        s->data[k] = pads ? good_pad() : sem_below(3) ? any_value() : sem_below(2) ? any_double() : any_single();
        if (!pads && sem_below(4) == 0) s->data[k] = any_single() << 32 | any_single();
    }
}

// ---- machines --------------------------------------------------------------------------------------

typedef struct Known {
    const char *name;
    unsigned reserved[4]; // general registers, by hardware number; 0 ends
    uint8_t flag_bits[8];
    unsigned n_flags;
    const char *aligned[8];
} Known;

static const Known known[] = {
    {.name = "x86_64",
     .flag_bits = {0, 2, 4, 6, 7, 11},
     .n_flags = 6,
     .aligned = {"andps_rm", "andnps_rm", "orps_rm", "xorps_rm"}},
    {.name = "aarch64", .reserved = {28}, .flag_bits = {28, 29, 30, 31}, .n_flags = 4},
    {.name = "riscv64", .reserved = {3, 4, 31}},
};

static unsigned file_of(const Target *t, Type type) {
    RegSet regs = t->classes[t->type_class[type]].regs;
    for (unsigned r = 0; r < t->n_regs; r++)
        if (regset_has(regs, r)) return t->regs[r].file;
    return 0xff;
}

// The place of a register in its file; the file's first register has number 0.
static unsigned number_in_file(const Target *t, unsigned reg) {
    unsigned n = 0;
    while (reg > n && t->regs[reg - n - 1].file == t->regs[reg].file) n++;
    return n;
}

SemPlace sem_place(const SemMachine *m, SemState *s, unsigned reg) {
    const Target *t = m->target;
    unsigned n = number_in_file(t, reg);
    if (regset_has(t->zero, reg)) return (SemPlace){NULL, 0};
    if (reg == t->flags) return (SemPlace){&s->flags, 1};
    if (t->regs[reg].file == file_of(t, T_i64)) return (SemPlace){&s->gpr[n], 1};
    if (t->regs[reg].file == file_of(t, T_f64)) return (SemPlace){s->vec[n], 2};
    return (SemPlace){reg == t->sp ? &s->sp : NULL, 1};
}

bool sem_machine(const char *name, SemMachine *m) {
    *m = (SemMachine){.target = target_find(name)};
    for (unsigned k = 0; k < sizeof known / sizeof *known && m->target; k++) {
        if (strcmp(known[k].name, name) != 0) continue;
        m->flag_bits = known[k].flag_bits;
        m->n_flags = known[k].n_flags;
        m->aligned = known[k].aligned;
        m->features = m->target == target_host() ? m->target->host_features() : UINT64_MAX;
        for (unsigned r = 0; r < m->target->n_regs; r++) {
            for (const unsigned *n = known[k].reserved; *n; n++) {
                if (m->target->regs[r].file == file_of(m->target, T_i64) && number_in_file(m->target, r) == *n)
                    regset_add(&m->reserved, r);
            }
        }
        return true;
    }
    return false;
}

void sem_to_sim(const SemMachine *m, const SemState *s, SimState *sim) {
    SemState copy = *s;
    memset(sim, 0, sizeof *sim);
    for (unsigned r = 0; r < m->target->n_regs; r++) {
        SemPlace p = sem_place(m, &copy, r);
        if (r == m->target->flags) {
            for (unsigned k = 0; k < m->n_flags; k++) sim->r[r].w[0] |= (s->flags >> m->flag_bits[k] & 1) << k;
        } else if (p.w) {
            memcpy(sim->r[r].w, p.w, 8 * p.words);
        }
    }
}
