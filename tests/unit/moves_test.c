// Parallel moves: every graph over three registers and three slots (of those with constants every fifth), run on
// values.

#include "mfunc_random.h"
#include "regalloc/ra.h"
#include "unit.h"

enum { N_REGS = 3, N_LOCS = 6, NOTHING = N_LOCS, CONSTANT = N_LOCS + 1, N_SOURCES = N_LOCS + 2, IMM = 77 };

static Ra *make_ra(Ctx *ctx, Arena *arena, bool scratch) {
    MFunc *m = test_mfunc(ctx, arena);
    for (unsigned k = 0; k < N_LOCS; k++) test_vreg(m, GPR, 8);
    uint32_t imm = test_imm(m, GPR);
    ck_assert_int_eq(imm, N_LOCS);
    for (unsigned k = 0; k < N_REGS; k++) {
        vec_push(arena, &m->slots, (MSlot){.kind = MSLOT_SPILL, .size = 8, .align = 8});
    }
    Ra *ra = NEW(arena, Ra);
    *ra = (Ra){.m = m, .t = &test_target, .tmp = arena, .old = m->insts.v, .old_slots = m->slots_pool.v};
    ra->scratch[GPR] = scratch ? G_SCRATCH : NO_REG;
    ra->cycle_slot[GPR] = NONE;
    return ra;
}

static Loc location(unsigned k) {
    if (k == CONSTANT) return (Loc){LOC_REMAT, 0};
    return k < N_REGS ? loc_reg(k) : loc_slot(k - N_REGS);
}

static uint32_t *cell(uint32_t *regs, uint32_t *slots, const MOpnd *o) {
    return o->kind == MO_PREG ? &regs[o->preg] : &slots[o->reg];
}

// Runs what was emitted, and compares: location d must hold what sources[d] held before.
static void run(const Ra *ra, const uint8_t *sources) {
    uint32_t regs[N_TEST_REGS] = {0, 1, 2};
    uint32_t slots[8] = {3, 4, 5};
    for (uint32_t i = 0; i < ra->insts.n; i++) {
        const MInst *inst = &ra->insts.v[i];
        const MOpnd *o = &ra->slots.v[inst->slots];
        if (inst->flags & MI_REMAT) {
            regs[o[0].preg] = IMM;
            continue;
        }
        ck_assert(inst->flags & MI_MOVE);
        ck_assert(o[0].kind == MO_PREG || o[1].kind == MO_PREG);
        *cell(regs, slots, &o[0]) = *cell(regs, slots, &o[1]);
    }
    for (unsigned d = 0; d < N_LOCS; d++) {
        uint32_t want = sources[d] == NOTHING ? d : sources[d] == CONSTANT ? IMM : sources[d];
        uint32_t got = d < N_REGS ? regs[d] : slots[d - N_REGS];
        ck_assert_msg(got == want, "sources %u %u %u %u %u %u: location %u holds %u, not %u", sources[0], sources[1],
                      sources[2], sources[3], sources[4], sources[5], d, got, want);
    }
}

static void all_graphs(bool scratch) {
    Ctx *ctx = test_context();
    Arena *arena = arena_new(ctx);
    Ra *ra = make_ra(ctx, arena, scratch);
    unsigned n_graphs = 1;
    for (unsigned k = 0; k < N_LOCS; k++) n_graphs *= N_SOURCES;
    for (unsigned graph = 0; graph < n_graphs; graph++) {
        uint8_t sources[N_LOCS];
        Move moves[N_LOCS + 1];
        uint32_t n = 0;
        bool memory = false;
        bool constant = false;
        for (unsigned d = 0, rest = graph; d < N_LOCS; d++, rest /= N_SOURCES) {
            sources[d] = (uint8_t)(rest % N_SOURCES);
            if (sources[d] == NOTHING) continue;
            memory |= d >= N_REGS;
            constant |= sources[d] == CONSTANT;
            moves[n++] = (Move){location(d), location(sources[d]), sources[d] == CONSTANT ? N_LOCS : sources[d]};
        }
        if (memory && !scratch) continue;    // needs one
        if (constant && graph % 5) continue; // a constant is a leaf: a sample will do
        if (n) moves[n] = moves[graph % n];  // a repeated move changes nothing
        ra->insts.n = 0;
        ra->slots.n = 0;
        moves_emit(ra, moves, n ? n + 1 : 0);
        run(ra, sources);
        ck_assert_uint_le(ra->insts.n, 2 * n + 2);
    }
    vtr_context_free(ctx);
}

START_TEST(with_scratch) { all_graphs(true); }
END_TEST
START_TEST(without_scratch) { all_graphs(false); }
END_TEST

static void two_values(Ctx *ctx, void *arg) {
    (void)ctx;
    Move moves[2] = {{loc_reg(0), loc_reg(1), 1}, {loc_reg(0), loc_reg(2), 2}};
    moves_emit(arg, moves, 2);
}

START_TEST(contradiction) {
    Ctx *ctx = test_context();
    Ra *ra = make_ra(ctx, arena_new(ctx), true);
    ck_assert_int_eq(ctx_try(ctx, two_values, ra), VTR_ERR_INTERNAL);
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 120);
    tcase_add_test(all, with_scratch);
    tcase_add_test(all, without_scratch);
    tcase_add_test(all, contradiction);
    return run_tests("moves", all);
}
