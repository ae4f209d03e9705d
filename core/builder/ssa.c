// SSA construction on the fly: M. Braun, S. Buchwald, S. Hack, R. Leissa, C. Mallon, A. Zwinkau, "Simple and
// Efficient Construction of Static Single Assignment Form", CC 2013.
//
// Theory. For each block and variable the table knows the value at the block's end as far as anyone asked. A use looks
// in its own block; then
//   * a sealed block with one predecessor: the answer is the predecessor's;
//   * a sealed block with several: a parameter is made and is the answer (that ends cycles); a task is left to ask
//     every predecessor for its argument;
//   * a block not sealed: a parameter is made, and the task is left when the block is sealed.
// Where Braun recurses over predecessors and removes a trivial parameter at once, tasks are run from a stack and all
// removal waits for ssa_finish(): the parameter is already a valid name for the value, whatever becomes of it.
//
// Many of the parameters made are redundant, alone or in cycles with one value from outside:
//
//   b1(x): jump b2(x)     b2(y): brif c, b1(y), b3      x and y only ever hold what entered b1
//
// ssa_finish() finds those by an optimistic analysis over the parameters alone: each starts as "nothing known", takes
// the one value its arguments have, and falls to "itself" when two differ. A parameter changes at most twice and each
// change visits the edges out of it, so the work is linear. A parameter that fell late may have pulled others down
// with it although they only copy it, so the analysis is repeated on what is left, at most SSA_ROUNDS times.
// Only what remains is entered into the blocks' parameter lists and the block calls.
//
// Invariants:
//   * table[block, var] is the value at the end of the block; for the current block the dense array `local` is newer.
//   * A made parameter has either no arguments yet (args == NONE: its block is not sealed, or its task waits) or one
//     for each predecessor, in the order of the block's predecessor list.
//
// Rules: the function's own parameters (entry block) are never made or removed here; the entry block has no
// predecessors.
#include "builder/ssa.h"

#define SSA_ROUNDS 4

typedef struct SsaPred {
    uint32_t block;
    uint32_t call; // index into Func.calls
    uint32_t next; // index + 1 of the next predecessor in `preds`, 0 = end
} SsaPred;

typedef struct SsaBlock {
    uint32_t first_pred; // index + 1
    uint32_t last_pred;
    uint32_t n_preds;
    uint32_t waiting; // index + 1 into params: made before sealing
    uint32_t seen;    // cycle guard of the chain walk
    bool sealed;
} SsaBlock;

// A parameter that a variable asked for.
typedef struct SsaParam {
    uint32_t value;
    uint32_t block;
    uint32_t var;
    uint32_t args;  // first of n_preds arguments in Ssa.args, NONE = not asked yet
    uint32_t waits; // index + 1 of the next parameter that waits for the same block to be sealed
} SsaParam;

struct Ssa {
    Arena *arena;
    Func *f;
    VEC(uint8_t) types; // of variables
    VEC(SsaBlock) blocks;
    VEC(SsaPred) preds;
    VEC(SsaParam) params;
    VEC(uint32_t) tasks; // indices into params
    VEC(uint32_t) args;  // values
    VEC(uint32_t) path;  // blocks of a chain walk
    Map table;           // block << 32 | var -> value
    uint32_t walk;       // number of the current chain walk
    uint32_t zero_block; // where zeros[] stand
    uint32_t zeros[N_TYPES];
    // The current block's values: local[var] holds if stamp[var] == epoch; changed ones wait in dirty.
    uint32_t current;
    uint32_t epoch;
    VEC(uint32_t) local;
    VEC(uint32_t) stamp;
    VEC(uint32_t) dirty;
};

// The pointer is valid until the next call.
static SsaBlock *ssa_block(Ssa *ssa, uint32_t block) {
    if (block >= ssa->blocks.n) (void)vec_extend(ssa->arena, &ssa->blocks, ssa->f->blocks.n - ssa->blocks.n);
    return &ssa->blocks.v[block];
}

static uint64_t ssa_key(uint32_t block, uint32_t var) { return (uint64_t)block << 32 | var; }

static void ssa_write(Ssa *ssa, uint32_t block, uint32_t var, uint32_t value) {
    if (block == ssa->current) {
        if (ssa->stamp.v[var] != ssa->epoch) vec_push(ssa->arena, &ssa->dirty, var);
        ssa->stamp.v[var] = ssa->epoch;
        ssa->local.v[var] = value;
        return;
    }
    *map_add(&ssa->table, ssa_key(block, var), value, NULL) = value;
}

// The value known at the end of the block, or NONE.
static uint32_t ssa_read(const Ssa *ssa, uint32_t block, uint32_t var) {
    if (block == ssa->current && ssa->stamp.v[var] == ssa->epoch) return ssa->local.v[var];
    const uint32_t *value = map_find(&ssa->table, ssa_key(block, var));
    return value ? *value : NONE;
}

static void ssa_switch(Ssa *ssa, uint32_t block) {
    if (block == ssa->current) return;
    uint32_t old = ssa->current;
    ssa->current = NONE;
    for (uint32_t i = 0; i < ssa->dirty.n; i++) ssa_write(ssa, old, ssa->dirty.v[i], ssa->local.v[ssa->dirty.v[i]]);
    ssa->dirty.n = 0;
    ssa->current = block;
    ssa->epoch++;
}

// Zero, at the very start of a block without predecessors.
static uint32_t ssa_zero(Ssa *ssa, uint32_t block, Type type) {
    Func *f = ssa->f;
    if (ssa->zero_block != block) {
        ssa->zero_block = block;
        for (unsigned t = 0; t < N_TYPES; t++) ssa->zeros[t] = NONE;
    }
    if (ssa->zeros[type] != NONE) return ssa->zeros[type];
    InstData data = {.op = OP_iconst, .type = type, .srcloc = NONE};
    if (type == T_f32) data.op = OP_f32const;
    if (type == T_f64) data.op = OP_f64const;
    if (data.op != OP_iconst) data.type = T_none;
    Inst zero = inst_new(f, &data);
    inst_make_results(f, zero);
    Inst first = block_get(f, (Block){block})->first;
    if (inst_ok(first)) inst_insert_before(f, zero, first);
    else inst_append(f, zero, (Block){block});
    ssa->zeros[type] = inst_result(f, zero, 0).i;
    return ssa->zeros[type];
}

// Follows the chain of single predecessors from `block` to where the variable is known or more must be asked; the
// blocks passed are in ssa->path. A chain that closes on itself (unreachable code) ends at its last new block.
static uint32_t ssa_chain(Ssa *ssa, uint32_t block, uint32_t var, uint32_t *value) {
    ssa->path.n = 0;
    ssa->walk++;
    for (;;) {
        *value = ssa_read(ssa, block, var);
        if (*value != NONE) return block;
        SsaBlock *b = ssa_block(ssa, block);
        if (!b->sealed || b->n_preds != 1) return block;
        b->seen = ssa->walk;
        uint32_t pred = ssa->preds.v[b->first_pred - 1].block;
        if (ssa_block(ssa, pred)->seen == ssa->walk) return block;
        vec_push(ssa->arena, &ssa->path, block);
        block = pred;
    }
}

// The value of var at the end of block; may leave tasks.
static uint32_t ssa_ask(Ssa *ssa, uint32_t block, uint32_t var) {
    uint32_t value;
    uint32_t at = ssa_chain(ssa, block, var, &value);
    if (value == NONE) {
        Type type = (Type)ssa->types.v[var];
        SsaBlock *b = ssa_block(ssa, at);
        if (b->sealed && b->n_preds == 0) {
            value = ssa_zero(ssa, at, type);
        } else {
            // Not in the block's list yet: ssa_finish() decides whether and where.
            value = value_new(ssa->f, type, VALUE_PARAM, at, 0).i;
            vec_push(ssa->arena, &ssa->params, (SsaParam){value, at, var, NONE, b->sealed ? 0 : b->waiting});
            if (b->sealed) vec_push(ssa->arena, &ssa->tasks, ssa->params.n - 1);
            else b->waiting = ssa->params.n;
        }
        ssa_write(ssa, at, var, value);
    }
    for (uint32_t i = 0; i < ssa->path.n; i++) ssa_write(ssa, ssa->path.v[i], var, value);
    return value;
}

static void ssa_run(Ssa *ssa) {
    while (ssa->tasks.n) {
        uint32_t p = vec_last(&ssa->tasks);
        ssa->tasks.n--;
        const SsaBlock *b = ssa_block(ssa, ssa->params.v[p].block);
        uint32_t pred = b->first_pred;
        uint32_t at = ssa->args.n;
        (void)vec_extend(ssa->arena, &ssa->args, b->n_preds);
        ssa->params.v[p].args = at;
        for (; pred; pred = ssa->preds.v[pred - 1].next) {
            uint32_t value = ssa_ask(ssa, ssa->preds.v[pred - 1].block, ssa->params.v[p].var);
            ssa->args.v[at++] = value;
        }
    }
}

// ---- redundant parameters -----------------------------------------------------------------------

typedef struct SsaRound {
    Ssa *ssa;
    uint32_t *index; // by value: its parameter, or NONE
    uint32_t *known; // by parameter: NONE = nothing yet, else a value; its own = more than one
    uint32_t *first; // by parameter: first index into users; one more element at the end
    uint32_t *users; // parameters that have it as an argument
    VEC(uint32_t) work;
} SsaRound;

static void round_meet(SsaRound *r, uint32_t p, uint32_t value) {
    uint32_t self = r->ssa->params.v[p].value;
    if (value == self || r->known[p] == value || r->known[p] == self) return;
    r->known[p] = r->known[p] == NONE ? value : self;
    vec_push(r->ssa->arena, &r->work, p);
}

// Fills first and users: counts, sums, then places.
static void round_link(SsaRound *r) {
    Ssa *ssa = r->ssa;
    uint32_t n = ssa->params.n;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t p = 0; p < n; p++) {
            const SsaParam *param = &ssa->params.v[p];
            uint32_t n_args = ssa_block(ssa, param->block)->n_preds;
            for (uint32_t k = 0; k < n_args; k++) {
                uint32_t from = r->index[ssa->args.v[param->args + k]];
                if (from == NONE) continue;
                if (pass == 0) r->first[from + 1]++;
                else r->users[r->first[from]++] = p;
            }
        }
        if (pass) break;
        for (uint32_t p = 0; p < n; p++) r->first[p + 1] += r->first[p];
        r->users = NEW_ARRAY(ssa->arena, uint32_t, r->first[n]);
    }
    // Placing moved each start to its end, which is the next one's start.
    for (uint32_t p = n; p > 0; p--) r->first[p] = r->first[p - 1];
    r->first[0] = 0;
}

static void round_solve(SsaRound *r) {
    Ssa *ssa = r->ssa;
    for (uint32_t p = 0; p < ssa->params.n; p++) {
        const SsaParam *param = &ssa->params.v[p];
        uint32_t n_args = ssa_block(ssa, param->block)->n_preds;
        for (uint32_t k = 0; k < n_args; k++) {
            uint32_t arg = ssa->args.v[param->args + k];
            if (r->index[arg] == NONE) round_meet(r, p, arg);
        }
    }
    while (r->work.n) {
        uint32_t p = vec_last(&r->work);
        r->work.n--;
        for (uint32_t u = r->first[p]; u < r->first[p + 1]; u++) round_meet(r, r->users[u], r->known[p]);
    }
}

// Replaces arguments by what they are names of, and forgets the parameters that were found redundant.
static void ssa_compact(Ssa *ssa) {
    uint32_t kept = 0;
    for (uint32_t p = 0; p < ssa->params.n; p++) {
        SsaParam param = ssa->params.v[p];
        if (ssa->f->values.v[param.value].kind == VALUE_ALIAS) continue;
        uint32_t n_args = ssa_block(ssa, param.block)->n_preds;
        for (uint32_t k = 0; k < n_args; k++) {
            uint32_t *arg = &ssa->args.v[param.args + k];
            *arg = func_value(ssa->f, (Value){*arg}).i;
        }
        ssa->params.v[kept++] = param;
    }
    ssa->params.n = kept;
}

// Returns whether a parameter was removed.
static bool ssa_round(Ssa *ssa) {
    uint32_t n = ssa->params.n;
    uint32_t n_values = ssa->f->values.n;
    SsaRound r = {.ssa = ssa};
    r.index = NEW_ARRAY(ssa->arena, uint32_t, n_values);
    for (uint32_t v = 0; v < n_values; v++) r.index[v] = NONE;
    r.known = NEW_ARRAY(ssa->arena, uint32_t, n);
    r.first = NEW_ARRAY(ssa->arena, uint32_t, (size_t)n + 1);
    for (uint32_t p = 0; p < n; p++) {
        r.index[ssa->params.v[p].value] = p;
        r.known[p] = NONE;
    }
    round_link(&r);
    round_solve(&r);
    bool removed = false;
    for (uint32_t p = 0; p < n; p++) {
        uint32_t value = ssa->params.v[p].value;
        if (r.known[p] == NONE || r.known[p] == value) continue;
        value_alias(ssa->f, (Value){value}, (Value){r.known[p]});
        removed = true;
    }
    if (removed) ssa_compact(ssa);
    return removed;
}

// Enters the parameters that remain into their blocks and their arguments into the block calls.
static void ssa_enter(Ssa *ssa) {
    Func *f = ssa->f;
    for (uint32_t p = 0; p < ssa->params.n; p++) {
        SsaParam param = ssa->params.v[p];
        uint32_t num = block_get(f, (Block){param.block})->params.n;
        if (num == UINT16_MAX)
            ctx_fail(f->ctx, VTR_ERR_LIMIT, "a block needs more than %u parameters", (unsigned)UINT16_MAX);
        f->values.v[param.value].num = (uint16_t)num;
        list_push(f, &block_get(f, (Block){param.block})->params, (Value){param.value});
        uint32_t arg = param.args;
        for (uint32_t pred = ssa_block(ssa, param.block)->first_pred; pred; pred = ssa->preds.v[pred - 1].next)
            list_push(f, &f->calls.v[ssa->preds.v[pred - 1].call].args, (Value){ssa->args.v[arg++]});
    }
}

// ---- the interface ------------------------------------------------------------------------------

Ssa *ssa_new(Arena *arena, Func *f) {
    Ssa *ssa = NEW(arena, Ssa);
    ssa->arena = arena;
    ssa->f = f;
    ssa->table = map_new(arena);
    ssa->current = NONE;
    ssa->zero_block = NONE;
    ssa->epoch = 1;
    return ssa;
}

Var ssa_declare(Ssa *ssa, Type type) {
    vec_push(ssa->arena, &ssa->types, (uint8_t)type);
    vec_push(ssa->arena, &ssa->local, 0);
    vec_push(ssa->arena, &ssa->stamp, 0);
    return (Var){ssa->types.n - 1};
}

void ssa_def(Ssa *ssa, Var var, Block block, Value value) {
    ssa_switch(ssa, block.i);
    ssa_write(ssa, block.i, var.i, value.i);
}

Value ssa_use(Ssa *ssa, Var var, Block block) {
    ssa_switch(ssa, block.i);
    uint32_t value = ssa_ask(ssa, block.i, var.i);
    ssa_run(ssa);
    return (Value){value};
}

void ssa_branch(Ssa *ssa, Inst terminator) {
    const InstData *data = inst_get(ssa->f, terminator);
    for (uint32_t k = 0; k < data->n_targets; k++) {
        uint32_t call = data->targets + k;
        SsaBlock *to = ssa_block(ssa, ssa->f->calls.v[call].block.i);
        vec_push(ssa->arena, &ssa->preds, (SsaPred){data->block.i, call, 0});
        if (to->last_pred) ssa->preds.v[to->last_pred - 1].next = ssa->preds.n;
        else to->first_pred = ssa->preds.n;
        to->last_pred = ssa->preds.n;
        to->n_preds++;
    }
}

void ssa_seal(Ssa *ssa, Block block) {
    SsaBlock *b = ssa_block(ssa, block.i);
    b->sealed = true;
    for (uint32_t p = b->waiting; p; p = ssa->params.v[p - 1].waits) vec_push(ssa->arena, &ssa->tasks, p - 1);
    b->waiting = 0;
    ssa_run(ssa);
}

void ssa_finish(Ssa *ssa) {
    for (unsigned round = 0; round < SSA_ROUNDS && ssa_round(ssa); round++) continue;
    ssa_enter(ssa);
}
