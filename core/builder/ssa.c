// SSA construction on the fly: M. Braun, S. Buchwald, S. Hack, R. Leissa, C. Mallon, A. Zwinkau, "Simple and
// Efficient Construction of Static Single Assignment Form", CC 2013.
//
// Theory. A sealed block with one predecessor continues that block: together such blocks form trees (extended basic
// blocks), whose roots are joins, blocks not sealed yet, and the entry. What variables were defined to be between the
// root and the end of a block is the block's map, a persistent trie that starts as the predecessor's and shares all
// but the changed paths with it. So a use costs one look-up, however long the chain of blocks since the definition:
//   * the current block's own definitions, then its map: the answer;
//   * otherwise the variable is what it was when control entered the root: the answer noted there, or a new one: zero
//     if the root has no predecessor, else a parameter. If the root is sealed, a task is left to ask every predecessor
//     for its argument; if not, the task is left when it is sealed.
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
//   * A block is opened at the first question about it, after its predecessors' terminators were told; its root and the
//     start of its map are fixed from then on. A block that was opened before it was sealed stays a root.
//   * map(block) lacks the definitions in `dirty` while the block is the current one, and nothing else.
//   * A made parameter has either no arguments yet (args == NONE: its block is not sealed, or its task waits) or one
//     for each predecessor, in the order of the block's predecessor list.
//
// Rules: the function's own parameters (entry block) are never made or removed here; the entry block has no
// predecessors. Trie nodes made before a flush are shared and must not change.
#include "builder/ssa.h"

#define SSA_ROUNDS 4

typedef struct SsaPred {
    uint32_t block;
    uint32_t call; // index into Func.calls
    uint32_t next; // index + 1 of the next predecessor in `preds`, 0 = end
} SsaPred;

// Variables to values: a radix trie, 2 bits of the variable's number per level.
typedef struct SsaNode {
    uint32_t child[4]; // node number (0 = none); on the lowest level value + 1
} SsaNode;
typedef struct SsaMap {
    uint32_t node;
    uint32_t levels; // variables below 4^levels can be in it
} SsaMap;

typedef enum SsaOpen { SSA_CLOSED, SSA_OPENING, SSA_OPEN } SsaOpen;

typedef struct SsaBlock {
    uint32_t first_pred; // index + 1
    uint32_t last_pred;
    uint32_t n_preds;
    uint32_t waiting; // index + 1 into params: made before sealing
    SsaMap map;
    uint32_t root; // once open
    uint8_t open;  // SsaOpen
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
    VEC(uint32_t) path;  // blocks being opened
    VEC(SsaNode) nodes;  // 0 is empty
    Map entering;        // root << 32 | var -> value when control enters the root
    uint32_t zero_block; // where zeros[] stand
    uint32_t zeros[N_TYPES];
    // The current block's values: local[var] holds if stamp[var] == epoch; defined ones wait in dirty for the map.
    uint32_t current;
    uint32_t epoch;
    VEC(uint32_t) local;
    VEC(uint32_t) stamp;
    VEC(uint8_t) defined; // is in dirty
    VEC(uint32_t) dirty;
};

// The pointer is valid until the next call.
static SsaBlock *ssa_block(Ssa *ssa, uint32_t block) {
    if (block >= ssa->blocks.n) (void)vec_extend(ssa->arena, &ssa->blocks, ssa->f->blocks.n - ssa->blocks.n);
    return &ssa->blocks.v[block];
}

// ---- maps -----------------------------------------------------------------------------------------

static uint32_t map_get(const Ssa *ssa, SsaMap map, uint32_t var) {
    if (map.levels == 0 || (uint64_t)var >> 2 * map.levels) return NONE;
    uint32_t node = map.node;
    for (uint32_t level = map.levels - 1; level > 0; level--) {
        node = ssa->nodes.v[node].child[var >> 2 * level & 3];
        if (!node) return NONE;
    }
    return ssa->nodes.v[node].child[var & 3] - 1; // 0 becomes NONE
}

// A node that may be changed: `node` itself if it was made since `own`, else a copy.
static uint32_t map_own(Ssa *ssa, uint32_t node, uint32_t own) {
    if (node >= own) return node;
    SsaNode copy = ssa->nodes.v[node];
    vec_push(ssa->arena, &ssa->nodes, copy);
    return ssa->nodes.n - 1;
}

static SsaMap map_put(Ssa *ssa, SsaMap map, uint32_t var, uint32_t value, uint32_t own) {
    while (map.levels == 0 || (uint64_t)var >> 2 * map.levels) {
        SsaNode top = {{map.node}};
        vec_push(ssa->arena, &ssa->nodes, top);
        map.node = ssa->nodes.n - 1;
        map.levels++;
    }
    map.node = map_own(ssa, map.node, own);
    uint32_t node = map.node;
    for (uint32_t level = map.levels - 1; level > 0; level--) {
        uint32_t at = var >> 2 * level & 3;
        uint32_t child = map_own(ssa, ssa->nodes.v[node].child[at], own);
        ssa->nodes.v[node].child[at] = child;
        node = child;
    }
    ssa->nodes.v[node].child[var & 3] = value + 1;
    return map;
}

// ---- blocks ---------------------------------------------------------------------------------------

// Enters the current block's definitions into its map.
static void ssa_flush(Ssa *ssa) {
    if (!ssa->dirty.n) return;
    uint32_t own = ssa->nodes.n;
    SsaMap map = ssa_block(ssa, ssa->current)->map;
    for (uint32_t i = 0; i < ssa->dirty.n; i++) {
        uint32_t var = ssa->dirty.v[i];
        map = map_put(ssa, map, var, ssa->local.v[var], own);
        ssa->defined.v[var] = 0;
    }
    ssa->dirty.n = 0;
    ssa_block(ssa, ssa->current)->map = map;
}

// Gives the block its root and map, after the chain of blocks that it continues.
static void ssa_open(Ssa *ssa, uint32_t block) {
    if (ssa_block(ssa, block)->open == SSA_OPEN) return;
    ssa->path.n = 0;
    for (;;) {
        SsaBlock *b = ssa_block(ssa, block);
        if (b->open == SSA_OPEN) break;
        bool cycle = b->open == SSA_OPENING; // of blocks that nothing enters: it gets its root here
        if (cycle || !b->sealed || b->n_preds != 1) {
            b->open = SSA_OPEN;
            b->root = block;
            break;
        }
        b->open = SSA_OPENING;
        vec_push(ssa->arena, &ssa->path, block);
        block = ssa->preds.v[b->first_pred - 1].block;
    }
    while (ssa->path.n) {
        SsaBlock *b = ssa_block(ssa, vec_last(&ssa->path));
        ssa->path.n--;
        if (b->open == SSA_OPEN) continue;
        uint32_t pred = ssa->preds.v[b->first_pred - 1].block;
        if (pred == ssa->current) ssa_flush(ssa);
        b->map = ssa_block(ssa, pred)->map;
        b->root = ssa_block(ssa, pred)->root;
        b->open = SSA_OPEN;
    }
}

static void ssa_switch(Ssa *ssa, uint32_t block) {
    if (block == ssa->current) return;
    ssa_flush(ssa);
    ssa->current = block;
    ssa->epoch++;
    ssa_open(ssa, block);
}

// ---- questions ------------------------------------------------------------------------------------

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

// What the variable is when control enters the root; may leave a task.
static uint32_t ssa_entering(Ssa *ssa, uint32_t root, uint32_t var) {
    bool added;
    uint32_t slot = ssa->entering.entries.n;
    uint32_t *known = map_add(&ssa->entering, (uint64_t)root << 32 | var, NONE, &added);
    if (!added) return *known;
    Type type = (Type)ssa->types.v[var];
    SsaBlock *b = ssa_block(ssa, root);
    uint32_t value;
    if (b->sealed && b->n_preds == 0) {
        value = ssa_zero(ssa, root, type);
    } else {
        // Not in the block's list yet: ssa_finish() decides whether and where.
        value = value_new(ssa->f, type, VALUE_PARAM, root, 0).i;
        vec_push(ssa->arena, &ssa->params, (SsaParam){value, root, var, NONE, b->sealed ? 0 : b->waiting});
        if (b->sealed) vec_push(ssa->arena, &ssa->tasks, ssa->params.n - 1);
        else b->waiting = ssa->params.n;
    }
    ssa->entering.entries.v[slot].value = value;
    return value;
}

// The value of var at the end of block as far as it is filled; may leave a task.
static uint32_t ssa_ask(Ssa *ssa, uint32_t block, uint32_t var) {
    bool current = block == ssa->current;
    if (current && ssa->stamp.v[var] == ssa->epoch) return ssa->local.v[var];
    ssa_open(ssa, block);
    uint32_t value = map_get(ssa, ssa_block(ssa, block)->map, var);
    if (value == NONE) value = ssa_entering(ssa, ssa_block(ssa, block)->root, var);
    if (current) {
        ssa->stamp.v[var] = ssa->epoch;
        ssa->local.v[var] = value;
    }
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
    r.index = all_none(ssa->arena, n_values);
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
    ssa->entering = map_new(arena);
    vec_push(arena, &ssa->nodes, (SsaNode){{0}});
    ssa->current = NONE;
    ssa->zero_block = NONE;
    ssa->epoch = 1;
    return ssa;
}

Var ssa_declare(Ssa *ssa, Type type) {
    vec_push(ssa->arena, &ssa->types, (uint8_t)type);
    vec_push(ssa->arena, &ssa->local, 0);
    vec_push(ssa->arena, &ssa->stamp, 0);
    vec_push(ssa->arena, &ssa->defined, 0);
    return (Var){ssa->types.n - 1};
}

void ssa_def(Ssa *ssa, Var var, Block block, Value value) {
    ssa_switch(ssa, block.i);
    ssa->stamp.v[var.i] = ssa->epoch;
    ssa->local.v[var.i] = value.i;
    if (ssa->defined.v[var.i]) return;
    ssa->defined.v[var.i] = 1;
    vec_push(ssa->arena, &ssa->dirty, var.i);
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
