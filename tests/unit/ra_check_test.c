// The allocation checker objects: one right allocation by hand, and every way to spoil it.

#include <stdlib.h>

#include "mfunc_run.h"
#include "unit.h"

enum { G1 = 1, G2, G3, G4, G5 };

// Instructions of the allocated code below.
enum {
    A_ENTRY,
    A_STORE, // slot0 <- g1 (v1)
    A_OP,
    A_OTHER, // slot1 <- g2 (v2)
    A_TIED,
    A_ARG, // g0 <- g2 (v3)
    A_CALL,
    A_RELOAD, // g1 <- slot0 (v1)
    A_EARLY,
    A_REMAT, // g4 (v8)
    A_USE_IMM,
    A_EDGE, // g0 <- g3 (v5)
    A_JUMP,
    A_LOW,
    A_RET
};

// entry v0 v1; v2 = op v0; v3 = tied v2, v1; v4 = call(v3); v5 = early op v4, v1; v8 = imm; op v8; jump block1(v5, v1)
// block1(v6, v7): op v7 (low); ret v6, v7
static MFunc *make_before(Ctx *ctx, Arena *arena) {
    MFunc *m = test_mfunc(ctx, arena);
    for (unsigned k = 0; k < 8; k++) test_vreg(m, GPR, 8);
    test_block(m);
    test_inst(m, MOP_ENTRY, 0);
    test_def(m, 0, 0);
    test_def(m, 1, 1);
    test_inst(m, T_OP, 0);
    test_def(m, 2, NO_REG);
    test_use(m, 0, NO_REG);
    test_inst(m, T_TIED, 0);
    test_def(m, 3, NO_REG);
    test_use(m, 2, NO_REG)->tied = 1;
    test_use(m, 1, NO_REG);
    test_inst(m, T_CALL, MI_CALL)->clobbers = 1;
    test_use(m, 3, 0);
    test_def(m, 4, 0);
    test_inst(m, T_OP, 0);
    test_def(m, 5, NO_REG)->role = ROLE_DEF_EARLY;
    test_use(m, 4, NO_REG);
    test_use(m, 1, NO_REG);
    uint32_t imm = test_imm(m, GPR);
    test_inst(m, T_OP, 0);
    test_use(m, imm, NO_REG);
    test_inst(m, T_JUMP, MI_TERM);
    test_end_block(m);
    m->blocks.v[0].n_succs = 1;
    vec_push(arena, &m->edges, (MEdge){1, m->lists.n, 2});
    vec_push(arena, &m->lists, 5);
    vec_push(arena, &m->lists, 1);
    MBlock *b = test_block(m);
    b->n_params = 2;
    vec_push(arena, &m->lists, 6);
    vec_push(arena, &m->lists, 7);
    test_inst(m, T_OP, 0);
    test_use(m, 7, NO_REG)->cls = LOW;
    test_inst(m, T_RET, MI_TERM);
    test_use(m, 6, 0);
    test_use(m, 7, 1);
    test_end_block(m);
    test_preds(m);
    return m;
}

static MOpnd preg(uint8_t role, unsigned r, uint32_t v) {
    return (MOpnd){.kind = MO_PREG, .role = role, .cls = GPR, .fixed = NO_REG, .preg = (uint8_t)r, .reg = v};
}
static MOpnd slot(uint8_t role, uint32_t s) {
    return (MOpnd){.kind = MO_SLOT, .role = role, .cls = GPR, .fixed = NO_REG, .reg = s};
}

// Instruction i of `before` with these registers.
static void put(MFunc *after, const MFunc *before, uint32_t i, const uint8_t *regs) {
    MInst inst = before->insts.v[i];
    const MOpnd *from = minst_slots(before, &inst);
    inst.slots = after->slots_pool.n;
    for (unsigned k = 0; k < inst.n_slots; k++) {
        MOpnd o = from[k];
        if (o.kind == MO_VREG) {
            o.kind = MO_PREG;
            o.preg = regs[k];
        }
        vec_push(after->arena, &after->slots_pool, o);
    }
    vec_push(after->arena, &after->insts, inst);
}

static void put_move(MFunc *after, MOpnd dst, MOpnd src) {
    test_inst(after, MOP_COPY, MI_MOVE);
    test_opnd(after, dst);
    test_opnd(after, src);
}

static MFunc *make_after(const MFunc *before) {
    MFunc *m = mfunc_copy(before->arena, before);
    m->insts.n = m->slots_pool.n = 0;
    m->insts.cap = m->slots_pool.cap = 0;
    m->insts.v = NULL;
    m->slots_pool.v = NULL;
    m->used = (RegSet){{GPRS | FPRS | BIT(F_SCRATCH) | BIT(FLAGS), 0}};
    for (unsigned k = 0; k < 2; k++) {
        vec_push(m->arena, &m->slots, (MSlot){.kind = MSLOT_SPILL, .size = 8, .align = 8});
    }
    put(m, before, 0, (uint8_t[]){0, G1});
    put_move(m, slot(ROLE_DEF, 0), preg(ROLE_USE, G1, 1));
    put(m, before, 1, (uint8_t[]){G2, 0});
    put_move(m, slot(ROLE_DEF, 1), preg(ROLE_USE, G2, 2));
    put(m, before, 2, (uint8_t[]){G2, G2, G1});
    put_move(m, preg(ROLE_DEF, 0, 3), preg(ROLE_USE, G2, 3));
    put(m, before, 3, (uint8_t[]){0, 0});
    put_move(m, preg(ROLE_DEF, G1, 1), slot(ROLE_USE, 0));
    put(m, before, 4, (uint8_t[]){G3, 0, G1});
    put(m, before, 5, (uint8_t[]){G4, 0}); // stands for the definition and is marked as its repetition
    vec_last(&m->insts).flags |= MI_REMAT;
    put(m, before, 6, (uint8_t[]){G4});
    put_move(m, preg(ROLE_DEF, 0, 5), preg(ROLE_USE, G3, 5));
    put(m, before, 7, (uint8_t[]){0});
    m->blocks.v[0].first = 0;
    m->blocks.v[0].n = m->insts.n;
    m->blocks.v[1].first = m->insts.n;
    put(m, before, 8, (uint8_t[]){G1});
    put(m, before, 9, (uint8_t[]){0, G1});
    m->blocks.v[1].n = 2;
    return m;
}

typedef struct Pair {
    MFunc *before;
    MFunc *after;
} Pair;

static void run_check(Ctx *ctx, void *arg) {
    (void)ctx;
    Pair *pair = arg;
    ra_check(pair->before, pair->after);
}

static MOpnd *operand(MFunc *m, unsigned inst, unsigned k) { return &minst_slots(m, &m->insts.v[inst])[k]; }
static void no_move(MFunc *m, unsigned inst) { *operand(m, inst, 0) = *operand(m, inst, 1) = preg(ROLE_DEF, G5, 1); }

static void spoil_nothing(MFunc *m) { (void)m; }
static void spoil_register(MFunc *m) { operand(m, A_OP, 1)->preg = G4; }
static void spoil_move(MFunc *m) { no_move(m, A_ARG); }
static void spoil_reload(MFunc *m) { no_move(m, A_RELOAD); }
static void spoil_clobber(MFunc *m) {
    *operand(m, A_STORE, 0) = preg(ROLE_DEF, G4, 1);
    *operand(m, A_RELOAD, 1) = preg(ROLE_USE, G4, 1);
}
static void spoil_tie(MFunc *m) { operand(m, A_TIED, 0)->preg = G3; }
static void spoil_fixed(MFunc *m) { operand(m, A_CALL, 0)->preg = G2; }
static void spoil_early(MFunc *m) { operand(m, A_EARLY, 0)->preg = G1; }
static void spoil_edge(MFunc *m) { operand(m, A_EDGE, 1)->preg = G1; }
static void spoil_slot(MFunc *m) { operand(m, A_OTHER, 0)->reg = 0; }
static void spoil_slot_size(MFunc *m) { m->slots.v[0].size = 4; }
static void spoil_slot_kind(MFunc *m) { m->slots.v[0].kind = MSLOT_LOCAL; }
static void spoil_class(MFunc *m) { operand(m, A_LOW, 0)->preg = G5; }
static void spoil_lost(MFunc *m) {
    m->blocks.v[1].first++;
    m->blocks.v[1].n--;
}
static void spoil_end(MFunc *m) { m->blocks.v[1].n--; }
static void spoil_used(MFunc *m) { m->used = (RegSet){{BIT(0) | BIT(1), 0}}; }
static void spoil_remat(MFunc *m) { operand(m, A_REMAT, 1)->imm++; }
static void spoil_remat_reg(MFunc *m) { operand(m, A_REMAT, 0)->preg = F0; }
static void spoil_results(MFunc *m) { operand(m, A_ENTRY, 0)->preg = G1; }
static void spoil_scratch(MFunc *m) {
    operand(m, A_REMAT, 0)->preg = operand(m, A_USE_IMM, 0)->preg = G_SCRATCH;
    regset_add(&m->used, G_SCRATCH);
}
static void spoil_memory(MFunc *m) { *operand(m, A_RELOAD, 0) = slot(ROLE_DEF, 1); }
static void spoil_place(MFunc *m) {
    MInst move = m->insts.v[A_EDGE];
    m->insts.v[A_EDGE] = m->insts.v[A_JUMP];
    m->insts.v[A_JUMP] = move;
}
static void spoil_operand(MFunc *m) { operand(m, A_OP, 1)->reg = 1; }

static const struct {
    void (*spoil)(MFunc *m);
    const char *message;
} cases[] = {
    {spoil_nothing, NULL},
    {spoil_register, "instruction 1 (op), slot 1: expected v0 in g4, found nothing"},
    {spoil_move, "instruction 3 (call), slot 0: expected v3 in g0, found v0"},
    {spoil_reload, "instruction 4 (op), slot 2: expected v1 in g1, found nothing"},
    {spoil_clobber, "instruction 4 (op), slot 2: expected v1 in g1, found nothing"},
    {spoil_tie, "instruction 2 (tied), slot 1: is tied and g2 is not the result's g3"},
    {spoil_fixed, "instruction 3 (call), slot 0: must be g0 and is g2"},
    {spoil_early, "instruction 4 (op), slot 0: g1 is written early and slot 2 is read from it"},
    {spoil_edge, "block 1, instruction 9 (ret), slot 0: expected v6 in g0, found"},
    {spoil_slot, "instruction 4 (op), slot 2: expected v1 in g1, found v2"},
    {spoil_slot_size, "slot0 has 4 bytes, v1 has 8"},
    {spoil_slot_kind, "moves to or from a slot that is the program's"},
    {spoil_class, "instruction 8 (op), slot 0: g5 is not of class low"},
    {spoil_lost, "instruction 8 (op), slot 0: was lost or changed"},
    {spoil_end, "instruction 9 (ret), slot 0: was lost"},
    {spoil_used, "is written and not in `used`"},
    {spoil_remat, "is not the definition it repeats"},
    {spoil_remat_reg, "repeats a definition in a register it cannot have"},
    {spoil_results, "instruction 0 (entry), slot 0: must be g0 and is g1"},
    {spoil_scratch, "g8 is a scratch register"},
    {spoil_memory, "moves from memory to memory"},
    {spoil_place, "stands between terminators"},
    {spoil_operand, "was lost or changed"},
};

static void expect(Ctx *ctx, Pair pair, const char *message) {
    vtr_status status = ctx_try(ctx, run_check, &pair);
    vtr_diagnostic_info info;
    const char *text = vtr_diagnostic(ctx, 0, &info) ? info.message : "";
    if (!message) {
        ck_assert_msg(status == VTR_OK, "%s", text);
    } else {
        ck_assert_int_eq(status, VTR_ERR_INTERNAL);
        ck_assert_msg(strstr(text, message) != NULL, "expected \"%s\", got \"%s\"", message, text);
    }
}

START_TEST(objects) {
    Ctx *ctx = test_context();
    Pair pair = {make_before(ctx, arena_new(ctx)), NULL};
    pair.after = make_after(pair.before);
    cases[_i].spoil(pair.after);
    expect(ctx, pair, cases[_i].message);
    vtr_context_free(ctx);
}
END_TEST

// ---- through blocks ---------------------------------------------------------------------------------

// entry v0 v1; block1: v2 = op v0; block2: op v1; ret v1
static MFunc *make_waiting(Ctx *ctx, Arena *arena) {
    MFunc *m = test_mfunc(ctx, arena);
    for (unsigned k = 0; k < 3; k++) test_vreg(m, GPR, 8);
    for (unsigned b = 0; b < 3; b++) {
        test_block(m);
        if (b == 0) {
            test_inst(m, MOP_ENTRY, 0);
            test_def(m, 0, 0);
            test_def(m, 1, 1);
        } else {
            test_inst(m, T_OP, 0);
            if (b == 1) test_def(m, 2, NO_REG);
            test_use(m, b == 1 ? 0 : 1, NO_REG);
        }
        test_inst(m, b < 2 ? T_JUMP : T_RET, MI_TERM);
        if (b == 2) test_use(m, 1, 0);
        test_end_block(m);
        m->blocks.v[b].succs = m->edges.n;
        m->blocks.v[b].n_succs = b < 2;
        if (b < 2) vec_push(arena, &m->edges, (MEdge){b + 1, m->lists.n, 0});
    }
    test_preds(m);
    return m;
}

enum { W_STORE = 1, W_OTHER = 4, W_RELOAD = 6 };

// v1 waits in slot0 while block 1 uses slot1.
static MFunc *make_waited(const MFunc *before) {
    MFunc *m = mfunc_copy(before->arena, before);
    m->insts.n = m->slots_pool.n = 0;
    m->insts.cap = m->slots_pool.cap = 0;
    m->insts.v = NULL;
    m->slots_pool.v = NULL;
    m->used = (RegSet){{GPRS, 0}};
    for (unsigned k = 0; k < 2; k++) {
        vec_push(m->arena, &m->slots, (MSlot){.kind = MSLOT_SPILL, .size = 8, .align = 8});
    }
    put(m, before, 0, (uint8_t[]){0, G1});
    put_move(m, slot(ROLE_DEF, 0), preg(ROLE_USE, G1, 1));
    put(m, before, 1, NULL);
    put(m, before, 2, (uint8_t[]){G1, 0});
    put_move(m, slot(ROLE_DEF, 1), preg(ROLE_USE, G1, 2));
    put(m, before, 3, NULL);
    put_move(m, preg(ROLE_DEF, 0, 1), slot(ROLE_USE, 0));
    put(m, before, 4, (uint8_t[]){0});
    put(m, before, 5, (uint8_t[]){0});
    static const uint32_t first[] = {0, 3, 6, 9};
    for (unsigned b = 0; b < 3; b++) {
        m->blocks.v[b].first = first[b];
        m->blocks.v[b].n = first[b + 1] - first[b];
    }
    return m;
}

static void spoil_waiting(MFunc *m) { operand(m, W_OTHER, 0)->reg = 0; }
static void spoil_never(MFunc *m) { operand(m, W_STORE, 0)->reg = 1; }
static void spoil_wrong(MFunc *m) { operand(m, W_STORE, 1)->preg = 0; }
static void spoil_late(MFunc *m) {
    // Block 1 stores what is its own value by then.
    *operand(m, W_OTHER, 0) = slot(ROLE_DEF, 0);
    *operand(m, W_STORE, 0) = slot(ROLE_DEF, 1);
}

static const struct {
    void (*spoil)(MFunc *m);
    const char *message;
} waiting_cases[] = {
    {spoil_nothing, NULL},
    {spoil_waiting,
     "block 2, instruction 4 (op), slot 0: expected v1 in g0, found v2 (v1 in slot0 at the end of block 1)"},
    {spoil_never, "expected v1 in g0, found nothing (v1 in slot0 at the end of block 0)"},
    {spoil_wrong, "expected v1 in g0, found v0 (v1 in slot0 at the end of block 0)"},
    {spoil_late, "expected v1 in g0, found v2"},
};

START_TEST(follows) {
    Ctx *ctx = test_context();
    Pair pair = {make_waiting(ctx, arena_new(ctx)), NULL};
    pair.after = make_waited(pair.before);
    waiting_cases[_i].spoil(pair.after);
    expect(ctx, pair, waiting_cases[_i].message);
    vtr_context_free(ctx);
}
END_TEST

// ---- at random --------------------------------------------------------------------------------------

typedef struct Trial {
    MFunc *before, *after;
    RaKind kind;
    Stress stress;
} Trial;

static void allocate(Ctx *ctx, void *arg) {
    (void)ctx;
    Trial *t = arg;
    ra_allocate(t->after, t->kind, &t->stress);
    ra_check(t->before, t->after);
}

static void spoil_operand_at_random(Random *r, MFunc *m, MInst *i) {
    if (!i->n_slots) return;
    MOpnd *o = minst_slots(m, i);
    MOpnd *x = &o[rnd(r, i->n_slots)];
    MOpnd *y = &o[rnd(r, i->n_slots)];
    switch (rnd(r, 4)) {
    case 0: // another register
        if (x->kind == MO_PREG) x->preg = (uint8_t)rnd(r, N_TEST_REGS);
        break;
    case 1: // another slot
        if (x->kind == MO_SLOT) x->reg = rnd(r, m->slots.n);
        break;
    case 2: { // each other's register
        uint8_t preg = x->preg;
        x->preg = y->preg;
        y->preg = preg;
        break;
    }
    default: // another value's name on a move
        if (i->flags & MI_MOVE && x->kind == MO_PREG) x->reg = rnd(r, m->vregs.n);
    }
}

static void spoil_at_random(MFunc *m, uint64_t seed) {
    Random r = {.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    MBlock *b = &m->blocks.v[rnd(&r, m->blocks.n)];
    MInst *insts = &m->insts.v[b->first];
    uint32_t a = rnd(&r, b->n);
    uint32_t c = rnd(&r, b->n);
    // What the allocator added comes twice as often.
    if (!(insts[a].flags & (MI_MOVE | MI_REMAT))) a = rnd(&r, b->n);
    MInst swap = insts[a];
    switch (rnd(&r, 6)) {
    case 0: // two instructions change places
        insts[a] = insts[c];
        insts[c] = swap;
        break;
    case 1: // one is lost
        memmove(insts + a, insts + a + 1, (b->n - a - 1) * sizeof *insts);
        b->n--;
        break;
    case 2: // one is there twice
        insts[c] = swap;
        break;
    case 3: // a slot is too small
        if (m->slots.n) m->slots.v[rnd(&r, m->slots.n)].size = 1;
        break;
    default: spoil_operand_at_random(&r, m, &insts[a]);
    }
}

static uint64_t rounds(void) {
    const char *text = getenv("VITRAIL_RA_ROUNDS");
    return text ? strtoull(text, NULL, 10) : 2000;
}

// Allocated code does what it did before; and when it is spoilt and the checker takes it all the same, it still does.
START_TEST(spoilt_random) {
    Ctx *ctx = test_context();
    unsigned taken = 0;
    unsigned wrong = 0;
    for (uint64_t seed = 1; seed <= rounds(); seed++) {
        Arena *arena = arena_new(ctx);
        Trial t = {.after = random_mfunc(ctx, arena, seed, 8), .kind = seed % 3 ? RA_SPEED : RA_NONE};
        t.stress = (Stress){.max_regs = seed % 2 ? 4 : 0, .seed = seed % 5, .edges = seed % 7};
        number_insts(t.after);
        t.before = mfunc_copy(arena, t.after);
        ck_assert_int_eq(ctx_try(ctx, allocate, &t), VTR_OK);
        for (uint64_t input = 0; input < 2; input++)
            ck_assert_msg(run_mfunc(t.after, true, input) == run_mfunc(t.before, false, input), "seed %llu differs",
                          (unsigned long long)seed);
        spoil_at_random(t.after, seed);
        Pair pair = {t.before, t.after};
        bool is_taken = ctx_try(ctx, run_check, &pair) == VTR_OK;
        vtr_diagnostics_clear(ctx);
        taken += is_taken;
        bool is_right = true;
        for (uint64_t input = 0; input < 8 && is_right; input++)
            is_right = run_mfunc(t.after, true, input) == run_mfunc(t.before, false, input);
        wrong += !is_right;
        ck_assert_msg(is_right || !is_taken, "seed %llu: wrong code is taken", (unsigned long long)seed);
        arena_free(arena);
    }
    ck_assert_msg(wrong > rounds() / 5 && taken < rounds() * 2 / 3, "%u taken, %u wrong", taken, wrong);
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("objects");
    tcase_add_loop_test(all, objects, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(all, follows, 0, sizeof waiting_cases / sizeof *waiting_cases);
    tcase_add_test(all, spoilt_random);
    tcase_set_timeout(all, 60);
    return run_tests("ra_check", all);
}
