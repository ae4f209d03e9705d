// Instructions with states that they can be executed on.
//
// Theory. Nothing here knows what an instruction does, yet its memory operand must hit the data, and its jump a pad. So
// the simulator executes it first. An access anywhere else is a fault whose address the system tells; a jump elsewhere
// shows in pc. Addresses are sums, so adding the distance from there to a good place to the right operand repairs it;
// which operand is right, trying tells. A register may count several times (an index), so the distance is tried with
// shifts, too.
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sem.h"
#include "support/bits.h"

enum { MAX_SLOTS = 16, TRIES = 400 };

static sigjmp_buf faulted;
static volatile uint64_t fault_address;

static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)context;
    fault_address = (uint64_t)(uintptr_t)info->si_addr;
    siglongjmp(faulted, 1);
}

void sem_make_init(const SemMachine *m) {
    (void)m;
    void *p = mmap((void *)SEM_DATA, SEM_PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (void *)SEM_DATA) abort();
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

// ---- executing -------------------------------------------------------------------------------------

typedef enum Outcome { RAN, BAD_ACCESS, BAD_PC } Outcome;

static bool is_pad(uint64_t pc) {
    if (pc < SEM_CODE || pc >= SEM_CODE + SEM_CODE_SIZE || pc % SEM_PAD) return false;
    return pc >= SEM_ANCHOR || pc + SEM_PAD < SEM_ANCHOR - 32;
}

// Lets the simulator execute the instruction on a state. `where`: the address that is at fault.
static Outcome run(const SemMachine *m, const SemBlock *b, const SemState *start, SimState *end, uint64_t *data,
                   uint64_t *where) {
    static const uint8_t zeros[SEM_PAGE - SEM_DATA_SIZE];
    uint8_t *rest = (uint8_t *)SEM_DATA + SEM_DATA_SIZE;
    memcpy((void *)SEM_DATA, start->data, SEM_DATA_SIZE);
    sem_to_sim(m, start, end);
    end->pc = SEM_ANCHOR - b->size;
    if (sigsetjmp(faulted, 0)) {
        *where = fault_address;
        return BAD_ACCESS;
    }
    SimEvent event = sim_step(m->target, end, b->bytes, b->size, m->features);
    memcpy(data, (const void *)SEM_DATA, SEM_DATA_SIZE);
    *where = end->pc;
    if (memcmp(rest, zeros, sizeof zeros) != 0) { // stored where nobody looks
        memset(rest, 0, sizeof zeros);
        *where = 0;
        return BAD_ACCESS;
    }
    return event || is_pad(end->pc) ? RAN : BAD_PC;
}

// ---- operands --------------------------------------------------------------------------------------

// A member of a class. The same one as before now and then, and one of the middle of its file, which short encodings
// name.
static uint8_t pick_reg(const SemMachine *m, uint8_t cls, uint8_t last) {
    RegSet regs = m->target->classes[cls].regs;
    if (last != NO_REG && regset_has(regs, last) && sem_below(4) == 0) return last;
    for (unsigned k = 0; k < 10000; k++) {
        unsigned r = sem_below(3) ? sem_below(m->target->n_regs) : 8 + sem_below(8);
        if (r < m->target->n_regs && regset_has(regs, r) && !regset_has(m->reserved, r)) return (uint8_t)r;
    }
    abort();
}

static int64_t pick_imm(const SemMachine *m, const OpndDesc *d) {
    static const int64_t some[] = {0,  1,  2,  3,   4,    7,   8,   16,     31,        32,
                                   63, -1, -2, 127, -128, 128, 255, 0xff00, 0x55555555};
    const ImmKind *k = d->kind == NO_KIND ? NULL : &m->target->imms[d->kind];
    if (d->type == OT_LABEL || (k && k->reloc != NO_RELOC)) {
        int64_t low = k && k->lo > -SEM_CODE_SIZE / 2 ? k->lo : -SEM_CODE_SIZE / 2;
        int64_t high = k && k->hi < SEM_CODE_SIZE / 2 ? k->hi : SEM_CODE_SIZE / 2 - 1;
        int64_t to = SEM_PAD * (low / SEM_PAD + (int64_t)sem_below((unsigned)(high / SEM_PAD - low / SEM_PAD + 1)));
        int64_t coarse = k ? INT64_C(1) << k->low_zeros : 1; // pages, which nobody jumps to
        return to % coarse ? coarse * ((int64_t)sem_below(16) - 8) : to;
    }
    if (!k) return sem_below(16);
    int64_t value;
    if (k->irregular && sem_below(2) &&
        imm_irregular_value(k->irregular, bit_zext(sem_random(), k->irregular->field_bits), &value))
        return value;
    uint64_t unit = UINT64_C(1) << k->low_zeros;
    uint64_t span = (uint64_t)k->hi - (uint64_t)k->lo;
    switch (sem_below(6)) {
    case 0: return k->lo;
    case 1: return k->hi;
    case 2: return some[sem_below(sizeof some / sizeof *some)];
    case 3: return (int64_t)(unit * sem_below(64));
    default:
        return (int64_t)((uint64_t)k->lo +
                         (span == UINT64_MAX ? sem_random() : sem_random() % (span + 1)) / unit * unit);
    }
}

static void fill_plain(const SemMachine *m, const OpndDesc *d, MOpnd *o, uint8_t *last) {
    *o = (MOpnd){.kind = MO_IMM, .cls = d->cls, .fixed = d->fixed, .reg = NONE};
    if (d->type != OT_REG) {
        o->imm = pick_imm(m, d);
        return;
    }
    o->kind = MO_PREG;
    o->role = d->role;
    o->preg = *last = d->fixed != NO_REG ? d->fixed : pick_reg(m, d->cls, *last);
    if (!d->inout) return;
    o[1] = *o;
    o[1].role = ROLE_USE;
}

static void fill(const SemMachine *m, uint16_t mop, unsigned form, MOpnd *slots) {
    const InstDesc *inst = &m->target->insts[mop];
    uint8_t last = NO_REG;
    memset(slots, 0, MAX_SLOTS * sizeof *slots);
    for (unsigned i = 0; i < inst->n_opnds; i++) {
        const OpndDesc *d = &inst->opnds[i];
        if (d->type != OT_COMPOSITE) {
            fill_plain(m, d, &slots[d->slot], &last);
            continue;
        }
        const FormDesc *f = &m->target->operands[d->kind].forms[form];
        slots[d->slot] = (MOpnd){.kind = MO_FORM, .imm = form, .reg = NONE};
        for (unsigned p = 0; p < f->n_parts; p++)
            fill_plain(m, &f->parts[p], &slots[d->slot + f->parts[p].slot], &last);
    }
}

static const OpndDesc *operand_at(const SemMachine *m, const SemCase *c, unsigned slot) {
    const InstDesc *inst = &m->target->insts[c->mop];
    for (unsigned i = 0; i < inst->n_opnds; i++) {
        const OpndDesc *d = &inst->opnds[i];
        if (d->type != OT_COMPOSITE && d->slot == slot) return d;
        if (d->type != OT_COMPOSITE || slot <= d->slot) continue;
        const FormDesc *f = &m->target->operands[d->kind].forms[c->slots[d->slot].imm];
        for (unsigned p = 0; p < f->n_parts; p++)
            if (d->slot + f->parts[p].slot == slot) return &f->parts[p];
    }
    return NULL;
}

// Whether the slot is a part of a composite operand.
static bool is_part(const SemMachine *m, const SemCase *c, unsigned slot) {
    const InstDesc *inst = &m->target->insts[c->mop];
    const OpndDesc *d = operand_at(m, c, slot);
    return d && !(d >= inst->opnds && d < inst->opnds + inst->n_opnds);
}

// Changes bits of the encoding as long as it stays the same instruction: this finds the values of immediates that are
// sparse among all numbers.
static void mutate(const SemMachine *m, SemCase *c) {
    for (unsigned n = sem_below(24); n; n--) {
        uint8_t bytes[16];
        uint16_t mop;
        MOpnd slots[MAX_SLOTS];
        memcpy(bytes, c->block.bytes, sizeof bytes);
        unsigned bit = sem_below(8 * c->block.size);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (m->target->decode(bytes, c->block.size, &mop, slots) != c->block.size || mop != c->mop) continue;
        bool same_form = true;
        for (unsigned k = 0; k < MAX_SLOTS; k++)
            same_form = same_form && (slots[k].kind != MO_FORM || slots[k].imm == c->slots[k].imm);
        if (!same_form) continue;
        memcpy(c->block.bytes, bytes, sizeof bytes);
        memcpy(c->slots, slots, sizeof slots);
    }
}

// No reserved register, no two results in one register (the code generator never asks for that), and no register twice
// in an address (which could not be repaired).
static bool acceptable(const SemMachine *m, const SemCase *c) {
    RegSet defs = {{0, 0}};
    RegSet parts = {{0, 0}};
    for (unsigned k = 0; k < m->target->insts[c->mop].n_slots; k++) {
        const MOpnd *o = &c->slots[k];
        if (o->kind != MO_PREG) continue;
        if (regset_has(m->reserved, o->preg)) return false;
        if (is_part(m, c, k)) {
            if (regset_has(parts, o->preg)) return false;
            regset_add(&parts, o->preg);
        }
        if (o->role != ROLE_DEF && o->role != ROLE_DEF_EARLY) continue;
        if (regset_has(defs, o->preg)) return false;
        regset_add(&defs, o->preg);
    }
    return true;
}

static bool encode(const SemMachine *m, SemCase *c) {
    Encoded e;
    if (!m->target->encode(c->mop, c->slots, m->features, &e) || e.n > sizeof c->block.bytes) return false;
    c->block.size = e.n;
    memset(c->block.bytes, 0, sizeof c->block.bytes);
    memcpy(c->block.bytes, e.bytes, e.n);
    return true;
}

unsigned sem_decoded_as(const SemMachine *m, uint16_t mop) {
    static SemCase c;
    uint16_t seen = NO_MOP;
    c.mop = mop;
    for (unsigned tries = 0; tries < TRIES && seen != mop; tries++) {
        uint16_t again;
        MOpnd slots[MAX_SLOTS];
        fill(m, mop, 0, c.slots);
        if (encode(m, &c) && m->target->decode(c.block.bytes, c.block.size, &again, slots)) seen = again;
    }
    return seen;
}

// ---- repairs ----------------------------------------------------------------------------------------

static bool needs_alignment(const SemMachine *m, const InstDesc *inst) {
    for (unsigned i = 0; i < inst->n_opnds && inst->flags & MD_EFFECT; i++)
        if (inst->opnds[i].type == OT_COMPOSITE) return true; // atomics
    for (const char *const *name = m->aligned; *name; name++)
        if (!strcmp(*name, inst->name)) return true;
    return false;
}

// Of pads, that behind `where` now and then: a short branch reaches no other.
static uint64_t good_place(const SemMachine *m, const InstDesc *inst, Outcome what, uint64_t where) {
    if (what == BAD_ACCESS)
        return SEM_DATA + 64 + 16 * sem_below(7) +
               (needs_alignment(m, inst) || (inst->flags & MD_BRANCH) ? 0 : sem_below(16));
    uint64_t next = where + SEM_PAD - where % SEM_PAD;
    if (is_pad(next) && sem_below(2)) return next;
    for (;;) {
        uint64_t pad = SEM_CODE + SEM_PAD * (uint64_t)sem_below(SEM_CODE_SIZE / SEM_PAD);
        if (is_pad(pad)) return pad;
    }
}

static bool try_again(const SemMachine *m, SemCase *c, unsigned k) {
    uint64_t where;
    return run(m, &c->block, &c->start[k], &c->end[k], c->data[k], &where) == RAN;
}

// Moves what operand `slot` holds in state k so that `distance` more comes out.
static bool repair_reg(const SemMachine *m, SemCase *c, unsigned k, unsigned reg, uint64_t distance) {
    SemPlace p = sem_place(m, &c->start[k], reg);
    if (!p.w) return false;
    uint64_t old = *p.w;
    for (unsigned shift = 0; shift < 4; shift++) {
        *p.w = old + (uint64_t)((int64_t)distance >> shift);
        if (try_again(m, c, k)) return true;
    }
    *p.w = old;
    return false;
}

static bool repair_imm(const SemMachine *m, SemCase *c, unsigned k, unsigned slot, uint64_t distance) {
    SemCase old;
    old.block = c->block;
    memcpy(old.slots, c->slots, sizeof old.slots);
    c->slots[slot].imm += (int64_t)distance;
    if (encode(m, c) && c->block.size == old.block.size && try_again(m, c, k)) return true;
    c->block = old.block;
    memcpy(c->slots, old.slots, sizeof old.slots);
    return false;
}

// Registers of addresses: at first where nothing is, near 0 so that sums stay there. A narrow one has anything above.
static void clear_addresses(const SemMachine *m, SemCase *c, unsigned k) {
    bool first = true;
    for (unsigned slot = 0; slot < MAX_SLOTS; slot++) {
        const OpndDesc *d = c->slots[slot].kind == MO_PREG ? operand_at(m, c, slot) : NULL;
        if (!d) continue;
        SemPlace p = sem_place(m, &c->start[k], c->slots[slot].preg);
        if (!p.w || p.words > 1 || c->slots[slot].preg == m->target->flags) continue;
        uint64_t x = first ? UINT64_C(0x10000000) + 16 * sem_below(1000) : 16 * sem_below(64);
        *p.w = d->bits == 32 && !first ? x | sem_random() << 32 : x;
        first = false;
    }
}

static bool repair(const SemMachine *m, SemCase *c, unsigned k, Outcome what, uint64_t where) {
    const InstDesc *inst = &m->target->insts[c->mop];
    uint64_t distance = good_place(m, inst, what, where) - where;
    // Parts of composite operands go first: of the others, most are data.
    for (unsigned composite = 2; composite-- > 0;) {
        for (unsigned slot = 0; slot < MAX_SLOTS; slot++) {
            if (c->slots[slot].kind != MO_PREG && c->slots[slot].kind != MO_IMM) continue;
            const OpndDesc *d = operand_at(m, c, slot);
            if (!d || is_part(m, c, slot) != (bool)composite) continue;
            if (c->slots[slot].kind == MO_PREG ? repair_reg(m, c, k, c->slots[slot].preg, distance)
                                               : repair_imm(m, c, k, slot, distance))
                return true;
        }
    }
    uint8_t link = m->target->n_abis ? m->target->abis[0].link : NO_REG;
    if (link != NO_REG && (inst->flags & MD_RETURN) && repair_reg(m, c, k, link, distance)) return true;
    return repair_reg(m, c, k, m->target->sp, distance);
}

// Whether the first access of state k, if there is one, is to a multiple of 16.
static bool is_aligned(const SemMachine *m, const SemCase *c, unsigned k) {
    static SimState end;
    volatile uint64_t where = 0;
    memcpy((void *)SEM_DATA, c->start[k].data, SEM_DATA_SIZE);
    sem_to_sim(m, &c->start[k], &end);
    if (mprotect((void *)SEM_DATA, SEM_PAGE, PROT_NONE)) abort();
    end.pc = SEM_ANCHOR - c->block.size;
    if (sigsetjmp(faulted, 0)) where = fault_address;
    else sim_step(m->target, &end, c->block.bytes, c->block.size, m->features);
    if (mprotect((void *)SEM_DATA, SEM_PAGE, PROT_READ | PROT_WRITE)) abort();
    return where % 16 == 0;
}

static bool make_state(const SemMachine *m, SemCase *c, unsigned k) {
    const InstDesc *inst = &m->target->insts[c->mop];
    bool jumps = inst->flags & (MD_BRANCH | MD_CALL | MD_RETURN);
    uint64_t where;
    sem_randomise(&c->start[k], sem_below(4) == 0, jumps);
    uint64_t flags = 0;
    for (unsigned f = 0; f < m->n_flags; f++) flags |= UINT64_C(1) << m->flag_bits[f];
    c->start[k].flags &= flags;
    if (m->target->sp != NO_REG) *sem_place(m, &c->start[k], m->target->sp).w = c->start[k].sp;
    Outcome what = run(m, &c->block, &c->start[k], &c->end[k], c->data[k], &where);
    if (what == BAD_ACCESS) {
        clear_addresses(m, c, k);
        what = run(m, &c->block, &c->start[k], &c->end[k], c->data[k], &where);
    }
    if (what != RAN && !repair(m, c, k, what, where)) return false;
    return !needs_alignment(m, inst) || is_aligned(m, c, k);
}

bool sem_make(const SemMachine *m, uint16_t mop, unsigned form, unsigned n, SemCase *c) {
    c->mop = mop;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        fill(m, mop, form, c->slots);
        if (!encode(m, c)) continue;
        mutate(m, c);
        if (!acceptable(m, c)) continue;
        unsigned done = 0;
        for (unsigned k = 0; k < 4 * n && done < n; k++) {
            SemBlock before = c->block;
            bool good = make_state(m, c, done);
            // A repair that changed the instruction changed it for the states before, too.
            if (memcmp(&before, &c->block, sizeof before) != 0) done = 0;
            else done += good;
        }
        c->block.n_states = done;
        if (done) return true;
    }
    return false;
}
