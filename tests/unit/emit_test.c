// Emission's jump tidying and branch relaxation, on a machine made up for the purpose: random functions are run as
// machine code of blocks and as the emitted bytes, and must leave the same trace.
#include <stdlib.h>
#include <string.h>

#include "emit/code.h"
#include "unit.h"

enum { MARK, RET, JMP, JCC, SWITCH, TRAP, N_MOPS };
enum { B_MARK = 1, B_RET = 2, B_JMP8 = 16, B_JMP32 = 17, B_JCC8 = 32, B_JCC32 = 33, B_SWITCH = 48, B_TRAP = 64 };
enum { PC8, PC32 };

// ---- the machine -------------------------------------------------------------------------------

static bool apply_pc8(uint8_t *place, uint64_t p, uint64_t s, int64_t a, uint64_t g) {
    (void)g;
    int64_t x = (int64_t)(s + (uint64_t)a - p);
    *place = (uint8_t)x;
    return x == (int8_t)x;
}

static bool apply_pc32(uint8_t *place, uint64_t p, uint64_t s, int64_t a, uint64_t g) {
    (void)g;
    int32_t x = (int32_t)(s + (uint64_t)a - p);
    memcpy(place, &x, sizeof x);
    return true;
}

static void put(Encoded *e, unsigned byte) { e->bytes[e->n++] = (uint8_t)byte; }

static void put_field(Encoded *e, unsigned size, unsigned reloc, unsigned slot) {
    e->fixups[e->n_fixups++] =
        (Fixup){.at = e->n, .reloc = (uint8_t)reloc, .slot = (uint16_t)slot, .addend = -(int64_t)size};
    e->n += (uint8_t)size;
}

static bool encode(uint16_t mop, const MOpnd *o, uint64_t features, Encoded *e) {
    (void)features;
    switch (mop) {
    case MARK:
        put(e, B_MARK);
        put(e, (unsigned)o[0].imm & 255);
        put(e, (unsigned)o[0].imm >> 8 & 255);
        put(e, (unsigned)o[1].imm);
        e->n += (uint8_t)o[1].imm;
        return o[1].imm <= 24;
    case RET: put(e, B_RET); return true;
    case TRAP: put(e, B_TRAP); return true;
    case SWITCH:
        put(e, B_SWITCH);
        put_field(e, 4, PC32, 0);
        return true;
    default: return false;
    }
}

static unsigned jump(const MOpnd *o, Encoded out[4], unsigned op, unsigned size) {
    (void)o;
    memset(out, 0, sizeof *out);
    put(&out[0], op);
    put_field(&out[0], size, size == 1 ? PC8 : PC32, 0);
    return 1;
}

static unsigned branch(const MOpnd *o, Encoded out[4], unsigned op, unsigned size) {
    memset(out, 0, sizeof *out);
    put(&out[0], op);
    put(&out[0], (unsigned)o[0].imm & 255);
    put(&out[0], (unsigned)o[0].imm >> 8 & 255);
    put_field(&out[0], size, size == 1 ? PC8 : PC32, 1);
    return 1;
}

static unsigned jmp8(const MOpnd *o, uint64_t features, Encoded out[4]) {
    (void)features;
    return jump(o, out, B_JMP8, 1);
}
static unsigned jmp32(const MOpnd *o, uint64_t features, Encoded out[4]) {
    (void)features;
    return jump(o, out, B_JMP32, 4);
}
static unsigned jcc8(const MOpnd *o, uint64_t features, Encoded out[4]) {
    (void)features;
    return branch(o, out, B_JCC8, 1);
}
static unsigned jcc32(const MOpnd *o, uint64_t features, Encoded out[4]) {
    (void)features;
    return branch(o, out, B_JCC32, 4);
}

static uint16_t invert(uint16_t mop, MOpnd *o) {
    if (mop != JCC) return NO_MOP;
    o[0].imm ^= 1;
    return mop;
}

static const RelaxRow jmp_rows[] = {{-126, 129, jmp8, 2}, {INT32_MIN, INT32_MAX, jmp32, 5}};
static const RelaxRow jcc_rows[] = {{-124, 131, jcc8, 4}, {INT32_MIN, INT32_MAX, jcc32, 7}};
static const Relax relaxes[] = {{JMP, jmp_rows, 2}, {JCC, jcc_rows, 2}};
static const Reloc relocs[] = {{"PC8", 0, 1, RELOC_S, false, LEB_NONE, apply_pc8},
                               {"PC32", 0, 4, RELOC_S, false, LEB_NONE, apply_pc32}};
static const OpndDesc jmp_opnds[] = {{.name = "t", .type = OT_LABEL, .n_slots = 1}};
static const OpndDesc jcc_opnds[] = {{.name = "c", .type = OT_IMM, .n_slots = 1},
                                     {.name = "t", .type = OT_LABEL, .slot = 1, .n_slots = 1}};
static const OpndDesc two_imms[] = {{.name = "id", .type = OT_IMM, .n_slots = 1},
                                    {.name = "pad", .type = OT_IMM, .slot = 1, .n_slots = 1}};
static const InstDesc insts[N_MOPS] = {
    [MARK] = {.name = "mark", .opnds = two_imms, .n_opnds = 2, .n_slots = 2},
    [RET] = {.name = "ret", .flags = MD_RETURN},
    [JMP] = {.name = "jmp", .opnds = jmp_opnds, .n_opnds = 1, .n_slots = 1, .flags = MD_RELAX | MD_BRANCH},
    [JCC] = {.name = "jcc", .opnds = jcc_opnds, .n_opnds = 2, .n_slots = 2, .flags = MD_RELAX | MD_BRANCH},
    [SWITCH] = {.name = "switch", .opnds = jmp_opnds, .n_opnds = 1, .n_slots = 1, .flags = MD_BRANCH},
    [TRAP] = {.name = "trap"},
};
static const RegClass classes[] = {{.name = "g"}};
static const RegInfo regs[] = {{.name = "r0"}, {.name = "sp"}};
static const Abi abi = {.name = "toy", .stack_align = 16, .link = NO_REG, .red_zone = 128};
static const Target toy = {
    .name = "toy",
    .word_bits = 64,
    .regs = regs,
    .n_regs = 2,
    .classes = classes,
    .n_classes = 1,
    .insts = insts,
    .n_insts = N_MOPS,
    .relocs = relocs,
    .n_relocs = 2,
    .relaxes = relaxes,
    .n_relaxes = 2,
    .sp = 1,
    .op_jump = JMP,
    .op_tail_call = NO_MOP,
    .op_tail_call_reg = NO_MOP,
    .op_ret = RET,
    .op_trap = TRAP,
    .op_push = NO_MOP,
    .encode = encode,
    .invert = invert,
};

// ---- functions ---------------------------------------------------------------------------------

static void add_inst(MFunc *m, unsigned mop, unsigned flags, MOpnd a, MOpnd b) {
    MInst i = {.mop = (uint16_t)mop, .flags = (uint8_t)flags, .n_slots = insts[mop].n_slots, .srcloc = NONE};
    i.slots = m->slots_pool.n;
    vec_push(m->arena, &m->slots_pool, a);
    vec_push(m->arena, &m->slots_pool, b);
    vec_push(m->arena, &m->insts, i);
    vec_last(&m->blocks).n++;
}

static MOpnd imm(int64_t x) { return (MOpnd){.kind = MO_IMM, .imm = x}; }
static MOpnd block(int64_t x) { return (MOpnd){.kind = MO_BLOCK, .imm = x}; }
static MOpnd none(void) { return (MOpnd){.kind = MO_NONE}; }

static uint32_t seed;
static uint32_t rnd(uint32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

static MFunc *new_func(Arena *arena) {
    MFunc *m = NEW(arena, MFunc);
    m->ctx = arena_ctx(arena);
    m->arena = arena;
    m->target = &toy;
    m->abi = &abi;
    return m;
}

static void new_block(MFunc *m) {
    vec_push(m->arena, &m->blocks, (MBlock){.first = m->insts.n, .cold = m->blocks.n > 0 && rnd(8) == 0});
}

static MFunc *random_func(Arena *arena) {
    MFunc *m = new_func(arena);
    uint32_t n = 1 + rnd(60);
    uint32_t pad = rnd(3) * 12;
    for (uint32_t b = 0; b < n; b++) {
        new_block(m);
        uint32_t marks = rnd(3) ? rnd(6) : 0;
        for (uint32_t k = 0; k < marks; k++) add_inst(m, MARK, 0, imm(b * 8 + k), imm(rnd(pad + 1)));
        uint32_t conds = n > 1 ? rnd(3) : 0;
        for (uint32_t k = 0; k < conds; k++)
            add_inst(m, JCC, MI_TERM, imm((b * 4 + k) * 2 + rnd(2)), block(1 + rnd(n - 1)));
        uint32_t end = rnd(12);
        if (end == 0 || n == 1) {
            add_inst(m, RET, MI_TERM, none(), none());
        } else if (end == 1) {
            MTable table = {m->lists.n, 1 + rnd(5)};
            for (uint32_t k = 0; k < table.n; k++) vec_push(arena, &m->lists, 1 + rnd(n - 1));
            vec_push(arena, &m->tables, table);
            vec_push(arena, &m->syms, (MSym){.table = m->tables.n});
            add_inst(m, SWITCH, MI_TERM, (MOpnd){.kind = MO_SYM, .reg = m->syms.n - 1}, none());
        } else if (end == 2) {
            add_inst(m, TRAP, MI_TERM | MI_TRAP, none(), none());
        } else {
            bool next = rnd(2) && b + 1 < n;
            add_inst(m, JMP, MI_TERM, block(next ? b + 1 : 1 + rnd(n - 1)), none());
        }
    }
    return m;
}

// ---- running -----------------------------------------------------------------------------------

enum { TRACE_MAX = 300, IDLE_MAX = 500, END_RET = 1, END_TRAP, END_IDLE, END_LONG };

typedef struct Trace {
    uint32_t n, end, idle;
    uint32_t ids[TRACE_MAX];
} Trace;

// What a condition or switch yields depends on what was marked so far and on nothing else.
static uint32_t choice(const Trace *t, uint32_t id) {
    uint32_t x = (id + 1) * 2654435761u ^ (t->n + 1) * 40503u;
    x ^= x >> 15;
    return (x * 2246822519u) >> 13;
}
static bool taken(const Trace *t, uint32_t c) { return ((choice(t, c / 2) ^ c) & 1) != 0; }

static bool step(Trace *t) {
    if (t->n >= TRACE_MAX) t->end = END_LONG;
    else if (++t->idle > IDLE_MAX) t->end = END_IDLE;
    return t->end == 0;
}

static void mark(Trace *t, uint32_t id) {
    t->ids[t->n++] = id;
    t->idle = 0;
}

static uint32_t run_block(const MFunc *m, uint32_t b, Trace *t) {
    for (uint32_t k = 0; k < m->blocks.v[b].n; k++) {
        const MInst *i = &m->insts.v[m->blocks.v[b].first + k];
        const MOpnd *o = minst_slots(m, i);
        if (!step(t)) return b;
        switch (i->mop) {
        case MARK: mark(t, (uint32_t)o[0].imm); break;
        case JCC:
            if (taken(t, (uint32_t)o[0].imm)) return (uint32_t)o[1].imm;
            break;
        case JMP: return (uint32_t)o[0].imm;
        case SWITCH: {
            const MTable *table = &m->tables.v[m->syms.v[o[0].reg].table - 1];
            return m->lists.v[table->blocks + choice(t, 7777) % table->n];
        }
        case TRAP: t->end = END_TRAP; return b;
        default: t->end = END_RET; return b;
        }
    }
    ck_abort_msg("block %u has no end", b);
}

static int32_t get32(const uint8_t *p) {
    int32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

// Sizes of tables by place, to know how many entries there are: they follow the code in order.
static uint32_t table_size(const MFunc *m, const Code *c, uint32_t at) {
    uint32_t place = (c->n_code + 3) / 4 * 4;
    for (uint32_t k = 0; k < m->syms.n; k++) {
        uint32_t n = m->tables.v[m->syms.v[k].table - 1].n;
        if (place == at) return n;
        place += 4 * n;
    }
    ck_abort_msg("no table at %u", at);
}

static void run_bytes(const MFunc *m, const Code *c, Trace *t) {
    int64_t at = 0;
    while (step(t)) {
        ck_assert(at >= 0 && at < c->n_code);
        const uint8_t *p = c->bytes + at;
        switch (p[0]) {
        case B_MARK:
            mark(t, p[1] | (uint32_t)p[2] << 8);
            at += 4 + p[3];
            break;
        case B_JMP8: at += 2 + (int8_t)p[1]; break;
        case B_JMP32: at += 5 + (int64_t)get32(p + 1); break;
        case B_JCC8: at += 4 + (taken(t, p[1] | (uint32_t)p[2] << 8) ? (int8_t)p[3] : 0); break;
        case B_JCC32: at += 7 + (taken(t, p[1] | (uint32_t)p[2] << 8) ? (int64_t)get32(p + 3) : 0); break;
        case B_SWITCH: {
            uint32_t table = (uint32_t)(at + 5 + get32(p + 1));
            uint32_t k = choice(t, 7777) % table_size(m, c, table);
            at = (int64_t)table + get32(c->bytes + table + 4 * k);
            break;
        }
        case B_TRAP: t->end = END_TRAP; break;
        case B_RET: t->end = END_RET; break;
        default: ck_abort_msg("byte %u at %lld", p[0], (long long)at);
        }
    }
}

static unsigned n_short, n_long;

// No branch is longer than it must be.
static void check_forms(const Code *c) {
    for (uint32_t at = 0; at < c->n_code;) {
        const uint8_t *p = c->bytes + at;
        switch (p[0]) {
        case B_MARK: at += 4u + p[3]; break;
        case B_JMP8: at += 2, n_short++; break;
        case B_JCC8: at += 4, n_short++; break;
        case B_JMP32: {
            int64_t d = get32(p + 1) + 5;
            ck_assert(d < -126 || d > 129);
            at += 5, n_long++;
            break;
        }
        case B_JCC32: {
            int64_t d = get32(p + 3) + 7;
            ck_assert(d < -124 || d > 131);
            at += 7, n_long++;
            break;
        }
        case B_SWITCH: at += 5; break;
        default: at++;
        }
    }
}

static void random_functions(Ctx *ctx, void *arg) {
    (void)arg;
    for (uint32_t k = 0; k < 3000; k++) {
        seed = k;
        Arena *arena = arena_new(ctx);
        MFunc *m = random_func(arena);
        Trace want = {0};
        uint32_t b = 0;
        while (!want.end) b = run_block(m, b, &want);
        Code *c = emit_func(arena, m, TRAPS_INSN);
        Trace got = {0};
        run_bytes(m, c, &got);
        ck_assert_msg(want.end == got.end && want.n == got.n && !memcmp(want.ids, got.ids, want.n * 4),
                      "function %u: ends %u and %u after %u and %u marks", k, want.end, got.end, want.n, got.n);
        check_forms(c);
        for (uint32_t s = 0; s < c->sites.n; s++) ck_assert_uint_eq(c->bytes[c->sites.v[s].at], B_TRAP);
        arena_free(arena);
    }
}

START_TEST(random_functions_keep_their_trace) {
    Ctx *ctx = test_context();
    ck_assert_int_eq(ctx_try(ctx, random_functions, NULL), VTR_OK);
    ck_assert_uint_gt(n_short, 1000);
    ck_assert_uint_gt(n_long, 1000);
    vtr_context_free(ctx);
}
END_TEST

// `jcc 1; jmp 2` with block 1 next becomes one inverted branch; block 2 only jumps on to 3.
static void tidy(Ctx *ctx, void *arg) {
    (void)arg;
    Arena *arena = arena_new(ctx);
    MFunc *m = new_func(arena);
    seed = 1;
    for (unsigned b = 0; b < 4; b++) {
        vec_push(arena, &m->blocks, (MBlock){.first = m->insts.n});
        if (b == 0) {
            add_inst(m, JCC, MI_TERM, imm(10), block(1));
            add_inst(m, JMP, MI_TERM, block(2), none());
        } else if (b == 2) {
            add_inst(m, JMP, MI_TERM, block(3), none());
        } else {
            add_inst(m, MARK, 0, imm(b), imm(0));
            add_inst(m, RET, MI_TERM, none(), none());
        }
    }
    Code *c = emit_func(arena, m, TRAPS_INSN);
    static const uint8_t want[] = {B_JCC8, 11, 0, 5, B_MARK, 1, 0, 0, B_RET, B_MARK, 3, 0, 0, B_RET};
    ck_assert_uint_eq(c->n, sizeof want);
    ck_assert_mem_eq(c->bytes, want, sizeof want);
}

START_TEST(jumps_are_tidied) {
    Ctx *ctx = test_context();
    ck_assert_int_eq(ctx_try(ctx, tidy, NULL), VTR_OK);
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("emit");
    tcase_add_test(tests, random_functions_keep_their_trace);
    tcase_add_test(tests, jumps_are_tidied);
    return run_tests("emit", tests);
}
