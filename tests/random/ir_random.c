#include "ir_random_gen.h"

enum { MAX_DEPTH = 3, MAX_JOIN = 5 };

// Where a `break` or `continue` of the innermost loop goes.
typedef struct Loop {
    Block header, exit;
    Value counter;
    uint32_t n_carried;
    uint32_t n_exit;
    struct Loop *outer;
} Loop;

// ---- control flow -------------------------------------------------------------------------------

static void statements(Gen *g, uint32_t n, unsigned depth);

static void random_return(Gen *g) {
    const Sig *sig = &g->b.f->sig;
    if (pick(&g->r, 3) && gen_tail_call(g)) return;
    Value *values = NEW_ARRAY(gen_arena(g), Value, sig->n_results + 1);
    for (uint32_t k = 0; k < sig->n_results; k++) values[k] = gen_operand(g, (Type)sig->results[k].type);
    ir_return(&g->b, values, sig->n_results);
}

static Block new_block(Gen *g) { return block_new(g->b.f); }

static void start(Gen *g, Block b) {
    block_append(g->b.f, b);
    g->b.at = b;
}

// Gives a block parameters of random types.
static uint32_t random_params(Gen *g, Block b, uint32_t most) {
    uint32_t n = pick(&g->r, most + 1);
    Type type = type_of_set(&g->r, TS_int | TS_float);
    for (uint32_t k = 0; k < n; k++) {
        if (pick(&g->r, 3) == 0) type = type_of_set(&g->r, TS_int | TS_float); // several of one type can be swapped
        block_add_param(g->b.f, b, type);
    }
    return n;
}

static void add_params(Gen *g, Block b, uint32_t from) {
    for (uint32_t k = from; k < block_get(g->b.f, b)->params.n; k++) gen_add(g, block_param(g->b.f, b, k), true);
}

// Fits the parameters of b from number `from` on.
static void edge_args(Gen *g, Block b, uint32_t from, Value *args) {
    Func *f = g->b.f;
    uint32_t n = block_get(f, b)->params.n;
    for (uint32_t k = from; k < n; k++) {
        Type type = value_type(f, block_param(f, b, k));
        Value own = block_param(f, b, from + pick(&g->r, n - from));
        bool swap = g->loop && b.i == g->loop->header.i && pick(&g->r, 2) && value_type(f, own) == type;
        args[k] = swap ? own : gen_operand(g, type);
    }
}

static void jump_to(Gen *g, Block b) {
    Value args[2 * MAX_JOIN];
    edge_args(g, b, 0, args);
    ir_jump(&g->b, b, args, block_get(g->b.f, b)->params.n);
}

// The end of a round of the innermost loop: counts, and goes on or leaves.
static void latch(Gen *g) {
    Loop *loop = g->loop;
    Type type = value_type(g->b.f, loop->counter);
    Value again[2 * MAX_JOIN];
    Value out[2 * MAX_JOIN];
    edge_args(g, loop->header, 1, again);
    edge_args(g, loop->exit, 0, out);
    again[0] = ir_iadd(&g->b, loop->counter, ir_iconst(&g->b, type, UINT64_MAX >> (64 - type_bits(type))));
    Value c = again[0];
    bool inverted = false;
    switch (pick(&g->r, 4)) {
    case 0: c = ir_icmp(&g->b, ICC_ne, again[0], ir_iconst(&g->b, type, 0)); break;
    case 1: c = ir_icmp(&g->b, ICC_ult, ir_iconst(&g->b, type, 1), loop->counter); break;
    case 2:
        c = ir_icmp(&g->b, ICC_sle, again[0], ir_iconst(&g->b, type, 0));
        inverted = true;
        break;
    default: break;
    }
    if (inverted) ir_brif(&g->b, c, loop->exit, out, loop->n_exit, loop->header, again, loop->n_carried + 1);
    else ir_brif(&g->b, c, loop->header, again, loop->n_carried + 1, loop->exit, out, loop->n_exit);
}

// Ends the block: mostly on to `next`, else out of the loop or the function.
static void finish_arm(Gen *g, Block next, bool must) {
    uint32_t how = must ? 9 : pick(&g->r, 20);
    if (how == 0) random_return(g);
    else if (how == 1) ir_trap(&g->b, (uint8_t)(1 + pick(&g->r, 100)));
    else if (how <= 3 && g->loop) latch(g);
    else if (how == 4 && g->loop) jump_to(g, g->loop->exit);
    else jump_to(g, next);
}

static void random_if(Gen *g, unsigned depth) {
    Block arms[2] = {new_block(g), new_block(g)};
    Block join = new_block(g);
    random_params(g, join, MAX_JOIN);
    Value args[2][MAX_JOIN];
    uint32_t direct = pick(&g->r, 8); // 0 to 2: an edge straight to the join, 3: both
    for (unsigned k = 0; k < 2; k++) {
        if (direct == k || direct == 3) arms[k] = join;
        else random_params(g, arms[k], 2);
    }
    Value c = gen_condition(g);
    for (unsigned k = 0; k < 2; k++) edge_args(g, arms[k], 0, args[k]);
    const Func *f = g->b.f;
    ir_brif(&g->b, c, arms[0], args[0], block_get(f, arms[0])->params.n, arms[1], args[1],
            block_get(f, arms[1])->params.n);
    uint32_t kept = g->pool.n;
    bool reached = direct <= 1 || direct == 3;
    for (unsigned k = 0; k < 2; k++) {
        if (block_eq(arms[k], join)) continue;
        start(g, arms[k]);
        g->pool.n = kept;
        add_params(g, arms[k], 0);
        statements(g, pick(&g->r, 5), depth + 1);
        finish_arm(g, join, k == 1 && !reached);
    }
    start(g, join);
    g->pool.n = kept;
    add_params(g, join, 0);
}

static void random_switch(Gen *g, unsigned depth) {
    enum { ARMS = 3, MOST = 7 };
    Block arms[ARMS + 1];
    for (unsigned k = 0; k <= ARMS; k++) {
        arms[k] = new_block(g);
        if (pick(&g->r, 4)) random_params(g, arms[k], k < ARMS ? 2 : MAX_JOIN);
    }
    Value x = gen_operand(g, T_i32);
    if (pick(&g->r, 3)) x = ir_band(&g->b, x, ir_iconst(&g->b, T_i32, pick(&g->r, 2) ? 3 : 7));
    BlockCall calls[MOST + 1];
    bool used[ARMS + 1] = {false};
    uint32_t n = 1 + pick(&g->r, MOST);
    uint32_t n_arms = pick(&g->r, 6) ? ARMS + 1 : 1;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t arm = ARMS - pick(&g->r, n_arms);
        Value args[MAX_JOIN];
        used[arm] = true;
        edge_args(g, arms[arm], 0, args);
        calls[k].block = arms[arm];
        calls[k].args = list_new(g->b.f, args, block_get(g->b.f, arms[arm])->params.n);
    }
    ir_br_table(&g->b, x, calls, n);
    uint32_t kept = g->pool.n;
    bool reached = used[ARMS];
    for (unsigned k = 0; k < ARMS; k++) {
        if (!used[k]) continue;
        start(g, arms[k]);
        g->pool.n = kept;
        add_params(g, arms[k], 0);
        statements(g, pick(&g->r, 3), depth + 1);
        finish_arm(g, arms[ARMS], !reached);
        reached = true;
    }
    start(g, arms[ARMS]);
    g->pool.n = kept;
    add_params(g, arms[ARMS], 0);
}

static void random_loop(Gen *g, unsigned depth) {
    Loop loop = {.header = new_block(g), .exit = new_block(g), .outer = g->loop};
    Type type = type_of_set(&g->r, TS_int);
    loop.counter = block_add_param(g->b.f, loop.header, type);
    loop.n_carried = random_params(g, loop.header, MAX_JOIN);
    loop.n_exit = random_params(g, loop.exit, MAX_JOIN);
    Value args[2 * MAX_JOIN];
    edge_args(g, loop.header, 1, args);
    args[0] = ir_iconst(&g->b, type, 1 + pick(&g->r, 4));
    ir_jump(&g->b, loop.header, args, loop.n_carried + 1);
    start(g, loop.header);
    gen_add(g, loop.counter, false);
    add_params(g, loop.header, 1);
    uint32_t kept = g->pool.n;
    g->loop = &loop;
    statements(g, 1 + pick(&g->r, 6), depth + 1);
    latch(g);
    g->loop = loop.outer;
    start(g, loop.exit);
    g->pool.n = kept; // the header comes before every way out
    add_params(g, loop.exit, 0);
}

static void statement(Gen *g, unsigned depth) {
    bool effects = !g->options->values_only;
    uint32_t what = pick(&g->r, 100);
    if (what < 4 && depth < MAX_DEPTH) random_if(g, depth);
    else if (what < 6 && depth < MAX_DEPTH) random_loop(g, depth);
    else if (what < 8 && depth < MAX_DEPTH) random_switch(g, depth);
    else if (what < 12) gen_select(g);
    else if (what < 13) gen_trap(g);
    else if (what < 16) gen_shape(g);
    else if (what < 18) gen_add(g, gen_condition(g), false);
    else if (what < 42 && effects) gen_memory(g);
    else if (what < 46 && effects && g->index) gen_call(g);
    else gen_inst(g);
}

static void statements(Gen *g, uint32_t n, unsigned depth) {
    for (; n; n--) statement(g, depth);
}

// ---- functions ----------------------------------------------------------------------------------

static void random_func(Gen *g) {
    gen_sig(g);
    gen_entry(g);
    if (!g->options->values_only) gen_slots(g);
    statements(g, 1 + pick(&g->r, g->options->size), 0);
    random_return(g);
}

static void structured_funcs(Gen *g) {
    for (uint32_t k = 0; k < g->program->n; k++) {
        gen_start(g, k, g->program->funcs[k]);
        random_func(g);
    }
}

RandomProgram random_program(Arena *arena, const RandomOptions *options) {
    RandomProgram program = {.memory_arg = NONE};
    Gen *g = NEW(arena, Gen);
    g->r = random_new(options->seed);
    g->options = options;
    g->program = &program;
    program.n = 1 + pick(&g->r, options->n_funcs);
    program.funcs = NEW_ARRAY(arena, Func *, program.n);
    for (uint32_t k = 0; k < program.n; k++) {
        program.funcs[k] = func_new(arena_ctx(arena));
        program.funcs[k]->name = (ExtName){.kind = NAME_USER, .space = options->space, .index = k};
    }
    if (options->graphs) random_graph_funcs(g);
    else structured_funcs(g);
    program.entry = program.funcs[program.n - 1];
    if (!options->values_only) program.memory_arg = g->memory_arg[program.n - 1];
    return program;
}
