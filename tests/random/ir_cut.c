#include "ir_cut.h"

#include "ir_build.h"
#include "ir_case.h"
#include "passes/pipeline.h"

enum { MOST_ARGS = 64 };

// ---- changing -----------------------------------------------------------------------------------

static Value constant(Builder *b, Type type) {
    if (type == T_f32) return ir_f32const(b, 0x3f800000);
    if (type == T_f64) return ir_f64const(b, UINT64_C(0x3ff0000000000000));
    return ir_iconst(b, type, 0);
}

static void end_with_jump(Func *f, Inst i, uint32_t target) {
    const InstData *d = inst_get(f, i);
    Builder b = {.f = f, .at = d->block, .srcloc = NONE};
    BlockCall to = f->calls.v[d->targets + target % d->n_targets];
    Value args[MOST_ARGS];
    for (uint32_t k = 0; k < to.args.n; k++) args[k] = list_get(f, to.args, k);
    inst_remove(f, i);
    ir_jump(&b, to.block, args, to.args.n);
}

static void end_with_return(Func *f, Inst i) {
    Builder b = {.f = f, .at = inst_get(f, i)->block, .srcloc = NONE};
    Value values[CASE_MOST_RESULTS];
    inst_remove(f, i);
    for (uint32_t k = 0; k < f->sig.n_results; k++) values[k] = constant(&b, (Type)f->sig.results[k].type);
    ir_return(&b, values, f->sig.n_results);
}

static void replace_results(Func *f, Inst i) {
    for (uint32_t k = 0; k < inst_get(f, i)->results.n; k++) {
        Value v = inst_result(f, i, k);
        Builder b = {.f = f, .at = NO_BLOCK, .srcloc = NONE};
        Value c = constant(&b, value_type(f, v));
        inst_insert_before(f, value_def(f, c), i);
        value_alias(f, v, c);
    }
    inst_remove(f, i);
}

static bool is_constant(Op op) { return op == OP_iconst || op == OP_f32const || op == OP_f64const; }

// Whether a cut changes anything.
static bool applies(const Func *f, Inst i, CutHow how) {
    const InstData *d = inst_get(f, i);
    if (!block_ok(d->block)) return false;
    bool branches = op_has((Op)d->op, OPF_branch);
    switch (how) {
    case CUT_RETURN: return branches;
    case CUT_FIRST: return branches && d->n_targets > 1;
    case CUT_SECOND: return branches && d->n_targets > 1;
    case CUT_LAST: return branches && d->n_targets > 2;
    case CUT_FEW: return d->op == OP_br_table && d->n_targets > 3;
    default: return !op_has((Op)d->op, OPF_terminator) && !is_constant((Op)d->op);
    }
}

static void cut_inst(Func *f, const Cut *cut) {
    Inst i = {cut->inst};
    if (!applies(f, i, (CutHow)cut->how)) return;
    InstData *d = inst_get(f, i);
    switch ((CutHow)cut->how) {
    case CUT_RETURN: end_with_return(f, i); break;
    case CUT_FIRST: end_with_jump(f, i, 0); break;
    case CUT_SECOND: end_with_jump(f, i, 1); break;
    case CUT_LAST: end_with_jump(f, i, d->n_targets - 1U); break;
    case CUT_FEW: d->n_targets = 3; break;
    default: replace_results(f, i); break;
    }
}

// ---- removing what is not used ------------------------------------------------------------------

static void use_counts(const Func *f, uint32_t *uses) {
    FUNC_BLOCKS(b, f) {
        BLOCK_INSTS(i, f, b) {
            const InstData *d = inst_get(f, i);
            for (uint32_t k = 0; k < d->args.n; k++) uses[inst_arg(f, i, k).i]++;
            for (uint32_t t = 0; t < d->n_targets; t++) {
                ValueList args = f->calls.v[d->targets + t].args;
                for (uint32_t k = 0; k < args.n; k++) uses[list_get(f, args, k).i]++;
            }
        }
    }
}

static bool unused(const Func *f, Inst i, const uint32_t *uses) {
    for (uint32_t k = 0; k < inst_get(f, i)->results.n; k++) {
        if (uses[inst_result(f, i, k).i]) return false;
    }
    return true;
}

// The block that goes only to `b`, by a jump, and nothing else goes there.
static Block only_before(const Func *f, Block b) {
    Block before = NO_BLOCK;
    uint32_t n = 0;
    FUNC_BLOCKS(from, f) {
        const InstData *d = inst_get(f, block_get(f, from)->last);
        for (uint32_t t = 0; t < d->n_targets; t++) {
            if (!block_eq(f->calls.v[d->targets + t].block, b)) continue;
            n++;
            before = d->op == OP_jump ? from : NO_BLOCK;
        }
    }
    return n == 1 && !block_eq(before, b) ? before : NO_BLOCK;
}

static void straighten(Func *f) {
    for (Block b = block_get(f, f->first)->next; block_ok(b);) {
        Block next = block_get(f, b)->next;
        Block before = only_before(f, b);
        if (block_ok(before)) {
            Inst jump = block_get(f, before)->last;
            ValueList args = f->calls.v[inst_get(f, jump)->targets].args;
            for (uint32_t k = 0; k < args.n; k++) value_alias(f, block_param(f, b, k), list_get(f, args, k));
            inst_remove(f, jump);
            for (Inst i = block_get(f, b)->first; inst_ok(i);) {
                Inst after = inst_get(f, i)->next;
                inst_remove(f, i);
                inst_append(f, i, before);
                i = after;
            }
            block_remove(f, b);
        }
        b = next;
    }
}

static void clean(Func *f, bool straight) {
    PassOptions options = {.level = OPT_NONE};
    Pass pass = {.f = f, .arena = arena_new(f->ctx), .options = &options};
    pass_unreachable(&pass);
    if (straight) straighten(f);
    for (bool again = true; again;) {
        again = false;
        uint32_t *uses = NEW_ARRAY(pass.arena, uint32_t, f->values.n);
        use_counts(f, uses);
        FUNC_BLOCKS(b, f) {
            for (Inst i = block_get(f, b)->first; inst_ok(i);) {
                Inst next = inst_get(f, i)->next;
                if (op_has((Op)inst_get(f, i)->op, OPF_pure) && unused(f, i, uses)) {
                    inst_remove(f, i);
                    again = true;
                }
                i = next;
            }
        }
    }
    arena_free(pass.arena);
}

void cut_program(RandomProgram *program, const Cuts *cuts) {
    for (uint32_t k = 0; k < cuts->v.n; k++) cut_inst(program->funcs[cuts->v.v[k].func], &cuts->v.v[k]);
    for (uint32_t k = 0; k < program->n; k++) clean(program->funcs[k], cuts->straight);
}

// The functions that one names, of those that are there.
static uint64_t callees(const RandomProgram *program, uint32_t func) {
    const Func *f = program->funcs[func];
    uint64_t set = 0;
    FUNC_BLOCKS(b, f) {
        BLOCK_INSTS(i, f, b) {
            const InstData *d = inst_get(f, i);
            if (d->op == OP_call || d->op == OP_return_call || d->op == OP_func_addr)
                set |= UINT64_C(1) << f->funcs.v[d->ref].name.index;
        }
    }
    return set;
}

bool cut_needed(const RandomProgram *program, uint32_t func) {
    uint64_t needed = UINT64_C(1) << (program->n - 1);
    for (uint64_t before = 0; before != needed;) {
        before = needed;
        for (uint32_t k = 0; k < program->n; k++)
            if (before >> k & 1) needed |= callees(program, k);
    }
    return needed >> func & 1;
}

// ---- searching ----------------------------------------------------------------------------------

typedef struct Search {
    Arena *arena;
    RandomProgram (*make)(Arena *arena, void *user, const Cuts *cuts);
    bool (*fails)(Ctx *ctx, void *user, const Cuts *cuts);
    void *user;
    Cuts cuts;
    VEC(Cut) candidates;
} Search;

// What can be cut in one way, given the cuts so far.
static void find_candidates(Search *s, CutHow how) {
    Arena *arena = arena_new(arena_ctx(s->arena));
    RandomProgram program = s->make(arena, s->user, &s->cuts);
    s->candidates.n = 0;
    for (uint32_t k = 0; k < program.n; k++) {
        const Func *f = program.funcs[k];
        if (!cut_needed(&program, k)) continue;
        FUNC_BLOCKS(b, f) {
            BLOCK_INSTS(i, f, b) {
                if (applies(f, i, how)) vec_push(s->arena, &s->candidates, (Cut){k, i.i, (uint8_t)how});
            }
        }
    }
    case_free(&program);
    arena_free(arena);
}

// Tries the cuts [from, end) of the candidates together.
static bool try_run(Search *s, uint32_t from, uint32_t end) {
    uint32_t before = s->cuts.v.n;
    for (uint32_t k = from; k < end; k++) vec_push(s->arena, &s->cuts.v, s->candidates.v[k]);
    if (s->fails(arena_ctx(s->arena), s->user, &s->cuts)) return true;
    s->cuts.v.n = before;
    return false;
}

// All cuts of one way: larger and smaller runs of candidates. Tells whether there was one.
static bool search_way(Search *s, CutHow how) {
    bool found = false;
    find_candidates(s, how);
    uint32_t n = s->candidates.n;
    for (uint32_t size = n; size; size = size > 4 ? size / 3 : size - 1) {
        bool here = false;
        for (uint32_t end = s->candidates.n; end;) {
            uint32_t from = end > size ? end - size : 0;
            here |= try_run(s, from, end);
            end = from;
        }
        found |= here;
        if (here) find_candidates(s, how);
        if (size > s->candidates.n) size = s->candidates.n + 1;
    }
    return found;
}

Cuts cut_search(Arena *arena, RandomProgram (*make)(Arena *arena, void *user, const Cuts *cuts),
                bool (*fails)(Ctx *ctx, void *user, const Cuts *cuts), void *user) {
    Search s = {.arena = arena, .make = make, .fails = fails, .user = user};
    s.cuts.straight = true;
    s.cuts.straight = fails(arena_ctx(arena), user, &s.cuts);
    for (bool again = true; again;) {
        again = false;
        for (unsigned how = 0; how < N_CUTS; how++) again |= search_way(&s, (CutHow)how);
    }
    return s.cuts;
}
