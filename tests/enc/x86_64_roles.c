// Checks the operand descriptors of x86-64 against the processor, which knows nothing of our description. Every
// instruction that stays in line is executed with random registers, flags and memory:
//   * what is not declared as written keeps its value: registers, flags (unless MD_WRITES_FLAGS), memory (MD_STORES);
//   * what is declared as written depends on declared inputs only: a second run, with every other register changed, the
//     flags changed unless MD_READS_FLAGS and the memory changed unless MD_LOADS, gives the same results.
// An allocation is proved right on the strength of these descriptors, so they must be true.
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "x86_64.h"

enum { PAGE = 4096, GPRS = 16, ROUNDS = 24, DATA = 256, MAX_SLOTS = 16 };
#define ARITHMETIC_FLAGS UINT64_C(0x8d5)

typedef struct State {
    uint64_t gpr[GPRS];
    uint64_t xmm[GPRS][2];
    uint64_t data[DATA / 8]; // 16-byte aligned
    uint64_t flags;
} State;

static uint8_t *code; // one page, followed by the page that holds the state
static State *live;
static sigjmp_buf trapped;
static unsigned long runs;
static unsigned long failures;
static uint64_t seed = 12345;

static uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static void on_trap(int signal) { siglongjmp(trapped, signal); }

// ---- code around the instruction ----------------------------------------------------------------

static MOpnd preg(unsigned r) { return (MOpnd){.kind = MO_PREG, .preg = (uint8_t)r, .fixed = NO_REG}; }

static size_t put(size_t at, uint16_t mop, const MOpnd *slots) {
    Encoded e;
    if (!x86_64_encode(mop, slots, UINT64_MAX, &e)) abort();
    memcpy(code + at, e.bytes, e.n);
    return at + e.n;
}

// mop with a rip-relative operand that names `field` of the live state; reg first or memory first.
static size_t put_state(size_t at, uint16_t mop, unsigned reg, const void *field, bool memory_first, bool has_reg) {
    MOpnd slots[MAX_SLOTS] = {{0}};
    unsigned m = memory_first || !has_reg ? 0 : 1;
    unsigned r = memory_first ? target_x86_64.insts[mop].n_slots - 1u : 0;
    if (has_reg) slots[r] = preg(reg);
    slots[m] = (MOpnd){.kind = MO_FORM, .imm = X86_64_mem_rip};
    for (unsigned pass = 0, size = 7; pass < 2; pass++) {
        Encoded e;
        slots[m + 1] = (MOpnd){.kind = MO_IMM, .imm = (const uint8_t *)field - (code + at + size)};
        if (!x86_64_encode(mop, slots, UINT64_MAX, &e)) abort();
        size = e.n;
    }
    return put(at, mop, slots);
}

static size_t put_saved(size_t at, uint16_t mop, bool up) {
    static const uint8_t saved[] = {X86_64_REG_rbx, X86_64_REG_rbp, X86_64_REG_r12,
                                    X86_64_REG_r13, X86_64_REG_r14, X86_64_REG_r15};
    for (unsigned i = 0; i < sizeof saved; i++) {
        MOpnd o = preg(saved[up ? i : sizeof saved - 1 - i]);
        at = put(at, mop, &o);
    }
    return at;
}

static void build(const Encoded *inst) {
    if (mprotect(code, PAGE, PROT_READ | PROT_WRITE)) abort();
    size_t at = put_saved(0, X86_64_push64_r, true);
    for (unsigned r = 0; r < GPRS; r++)
        at = put_state(at, X86_64_movups_rm, X86_64_REG_xmm0 + r, live->xmm[r], false, true);
    at = put_state(at, X86_64_push64_m, 0, &live->flags, false, false);
    code[at++] = 0x9d; // popfq: leaves the registers alone, as do the loads below the flags
    for (unsigned r = 0; r < GPRS; r++)
        if (r != X86_64_REG_rsp) at = put_state(at, X86_64_mov64_rm, r, &live->gpr[r], false, true);
    memcpy(code + at, inst->bytes, inst->n);
    at += inst->n;
    for (unsigned r = 0; r < GPRS; r++)
        if (r != X86_64_REG_rsp) at = put_state(at, X86_64_mov64_mr, r, &live->gpr[r], true, true);
    code[at++] = 0x9c; // pushfq
    MOpnd rax = preg(X86_64_REG_rax);
    at = put(at, X86_64_pop64_r, &rax);
    at = put_state(at, X86_64_mov64_mr, X86_64_REG_rax, &live->flags, true, true);
    for (unsigned r = 0; r < GPRS; r++)
        at = put_state(at, X86_64_movups_mr, X86_64_REG_xmm0 + r, live->xmm[r], true, true);
    at = put_saved(at, X86_64_pop64_r, false);
    at = put(at, X86_64_ret, NULL);
    if (at > PAGE || mprotect(code, PAGE, PROT_READ | PROT_EXEC)) abort();
}

// False when the instruction trapped (a division).
static bool execute(State *s) {
    *live = *s;
    if (sigsetjmp(trapped, 1)) return false;
    void (*run)(void);
    memcpy(&run, &code, sizeof run);
    run();
    *s = *live;
    s->flags &= ARITHMETIC_FLAGS;
    runs++;
    return true;
}

// ---- operands -----------------------------------------------------------------------------------

typedef struct Case {
    MOpnd slots[MAX_SLOTS];
    RegSet uses, defs;
    uint8_t def_bits[2 * GPRS]; // of each written register
    int base, index;            // of the memory operand, -1 = none
    int64_t disp;
    unsigned scale;
} Case;

static unsigned pick(const OpndDesc *d) {
    if (d->fixed != NO_REG) return d->fixed;
    for (;;) {
        unsigned r = (unsigned)next_random() % (2 * GPRS);
        if (regset_has(target_x86_64.classes[d->cls].regs, r) && r != X86_64_REG_rsp) return r;
    }
}

static void put_reg(Case *c, const OpndDesc *d, unsigned r) {
    c->slots[d->slot] = preg(r);
    if (d->inout) c->slots[d->slot + 1] = preg(r);
    if (d->inout || d->role == ROLE_USE) regset_add(&c->uses, r);
    if (d->role == ROLE_DEF || d->role == ROLE_DEF_EARLY) {
        regset_add(&c->defs, r);
        if (c->def_bits[r] < d->bits) c->def_bits[r] = d->bits;
    }
}

static void put_memory(Case *c, const OpndDesc *d) {
    bool indexed = next_random() & 1;
    MOpnd *m = &c->slots[d->slot];
    do {
        c->base = (int)(next_random() % GPRS);
        c->index = indexed ? (int)(next_random() % GPRS) : -1;
    } while (c->base == X86_64_REG_rsp || c->index == X86_64_REG_rsp || c->base == c->index);
    c->disp = 16 * (int64_t)(next_random() % 4);
    c->scale = (unsigned)next_random() % 4;
    m[0] = (MOpnd){.kind = MO_FORM, .imm = indexed ? X86_64_mem_bisd : X86_64_mem_bd};
    m[1] = preg((unsigned)c->base);
    if (indexed) {
        m[2] = preg((unsigned)c->index);
        m[3] = (MOpnd){.kind = MO_IMM, .imm = c->scale};
        regset_add(&c->uses, (unsigned)c->index);
    }
    m[indexed ? 4 : 2] = (MOpnd){.kind = MO_IMM, .imm = c->disp};
    regset_add(&c->uses, (unsigned)c->base);
}

// False when two results would share a register: the allocator never does that.
static bool choose(const InstDesc *inst, Case *c) {
    memset(c, 0, sizeof *c);
    c->base = c->index = -1;
    for (unsigned i = 0; i < inst->n_opnds; i++) {
        const OpndDesc *d = &inst->opnds[i];
        if (d->type == OT_COMPOSITE) {
            put_memory(c, d);
        } else if (d->type == OT_REG) {
            unsigned r = pick(d);
            if (d->role != ROLE_USE && regset_has(c->defs, r)) return false;
            put_reg(c, d, r);
        } else {
            const ImmKind *k = &target_x86_64.imms[d->kind];
            uint64_t x = k->width < 64 ? next_random() & ((UINT64_C(1) << k->width) - 1) : next_random();
            c->slots[d->slot] =
                (MOpnd){.kind = MO_IMM,
                        .imm = target_imm_fits(&target_x86_64, d->kind, (int64_t)x) ? (int64_t)x : (int64_t)(x % 64)};
        }
    }
    return true;
}

// Small ones let divisions through. None is 0 at 16 bits or more: bsf and bsr leave their result undefined then.
static uint64_t random_value(void) {
    uint64_t x = next_random();
    if (next_random() & 1) x >>= next_random() % 64;
    return x & 0xffff ? x : x | 0x8000;
}

static void randomise(State *s, RegSet keep) {
    for (unsigned r = 0; r < GPRS; r++) {
        if (!regset_has(keep, r)) s->gpr[r] = random_value();
        if (regset_has(keep, GPRS + r)) continue;
        s->xmm[r][0] = random_value();
        s->xmm[r][1] = next_random();
    }
}

static void aim_memory(const Case *c, State *s) {
    if (c->base < 0) return;
    uint64_t at = (uint64_t)live->data + 64 - (uint64_t)c->disp; // 16-byte aligned: the logic forms ask for that
    if (c->index >= 0) {
        s->gpr[c->index] = 16;
        at -= UINT64_C(16) << c->scale;
    }
    s->gpr[c->base] = at;
}

// ---- checks -------------------------------------------------------------------------------------

static void fail(const InstDesc *inst, const char *what, unsigned reg) {
    if (failures++ < 40) fprintf(stderr, "%s: %s %s\n", inst->name, what, target_x86_64.regs[reg].name);
}

static uint64_t low(uint64_t x, unsigned bits) { return bits >= 64 ? x : x & ((UINT64_C(1) << bits) - 1); }

static void check_kept(const InstDesc *inst, const Case *c, const State *before, const State *after) {
    for (unsigned r = 0; r < 2 * GPRS; r++) {
        if (regset_has(c->defs, r) || r == X86_64_REG_rsp) continue;
        const uint64_t *a = r < GPRS ? &before->gpr[r] : before->xmm[r - GPRS];
        const uint64_t *b = r < GPRS ? &after->gpr[r] : after->xmm[r - GPRS];
        if (memcmp(a, b, r < GPRS ? 8 : 16) != 0) fail(inst, "writes an undeclared", r);
    }
    if (!(inst->flags & MD_WRITES_FLAGS) && before->flags != after->flags)
        fail(inst, "writes the undeclared", X86_64_REG_EFLAGS);
    if (!(inst->flags & MD_STORES) && memcmp(before->data, after->data, DATA) != 0)
        fail(inst, "stores, undeclared, at", (unsigned)c->base);
}

static void check_same(const InstDesc *inst, const Case *c, const State *one, const State *two) {
    for (unsigned r = 0; r < 2 * GPRS; r++) {
        if (!regset_has(c->defs, r)) continue;
        unsigned bits = c->def_bits[r];
        uint64_t a = r < GPRS ? one->gpr[r] : one->xmm[r - GPRS][0];
        uint64_t b = r < GPRS ? two->gpr[r] : two->xmm[r - GPRS][0];
        bool same = low(a, bits) == low(b, bits);
        if (bits > 64) same = same && one->xmm[r - GPRS][1] == two->xmm[r - GPRS][1];
        if (!same) fail(inst, "depends on something undeclared in its result", r);
    }
}

static bool runnable(const InstDesc *inst) {
    if (inst->flags & (MD_BRANCH | MD_CALL | MD_RETURN | MD_RELAX)) return false;
    if ((inst->flags & MD_EFFECT) && !(inst->flags & MD_LOADS)) return false; // traps, push
    for (unsigned i = 0; i < inst->n_opnds; i++)
        if (inst->opnds[i].type == OT_LABEL && !(inst->opnds[i].bits == 64)) return false;
    bool moves_stack = !strncmp(inst->name, "push", 4) || !strncmp(inst->name, "pop64", 5);
    return !moves_stack && (inst->features & x86_64_host_features()) == inst->features;
}

static unsigned check(uint16_t mop) {
    const InstDesc *inst = &target_x86_64.insts[mop];
    unsigned done = 0;
    for (unsigned n = 0; n < ROUNDS; n++) {
        Case c;
        Encoded e;
        if (!choose(inst, &c) || !x86_64_encode(mop, c.slots, UINT64_MAX, &e)) continue;
        State before = {0};
        randomise(&before, (RegSet){{0}});
        for (unsigned i = 0; i < DATA / 8; i++) before.data[i] = next_random();
        before.flags = next_random() & ARITHMETIC_FLAGS;
        aim_memory(&c, &before);
        State other = before;
        randomise(&other, c.uses);
        if (!(inst->flags & MD_READS_FLAGS)) other.flags ^= next_random() & ARITHMETIC_FLAGS;
        if (!(inst->flags & MD_LOADS))
            for (unsigned i = 0; i < DATA / 8; i++) other.data[i] = next_random();
        build(&e);
        State one = before;
        State two = other;
        if (!execute(&one)) continue;
        check_kept(inst, &c, &before, &one);
        if (!execute(&two)) {
            fail(inst, "traps by something undeclared, not by", X86_64_REG_rax);
            continue;
        }
        check_kept(inst, &c, &other, &two);
        check_same(inst, &c, &one, &two);
        done++;
    }
    return done;
}

int main(void) {
    uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return 2;
    code = pages;
    live = (State *)(void *)(pages + PAGE);
    signal(SIGFPE, on_trap);
    unsigned checked = 0;
    unsigned skipped = 0;
    for (uint16_t mop = 0; mop < target_x86_64.n_insts; mop++) {
        if (!runnable(&target_x86_64.insts[mop])) {
            skipped++;
            continue;
        }
        unsigned done = check(mop);
        if (!done) fail(&target_x86_64.insts[mop], "was never executed; it wants", X86_64_REG_rax);
        checked++;
    }
    printf("%u instructions executed in %lu runs, %u not run, %lu failures\n", checked, runs, skipped, failures);
    return failures != 0;
}
