// Random functions over random control-flow graphs (graph.h).
//
// Blocks are filled in an order in which immediate dominators come first, and the pool of a block begins as that of its
// dominator's end; so every value is available where it is used, and used far away.
//
// Two things go through every function: what is left (`fuel`: checks count it down, so that every run ends) and the way
// that was taken (`trail`: blocks mix their numbers and values into it, and it becomes a result or goes to memory).
// Each is a parameter of every block with several edges to it, or in a stack slot, or, fuel, in memory behind the
// buffer where all functions of the program share it. There is also a cell that counts the calls; a function that finds
// it used up returns at once, so that any function may call any function.
#include "graph.h"
#include "ir_random_gen.h"

enum { MAX_PARAMS = 6, MAX_TABLE_PARAMS = 2 };

typedef enum Keep { KEEP_VALUE, KEEP_SLOT, KEEP_SHARED } Keep;

// Something that goes through the function.
typedef struct Thread {
    uint8_t keep; // Keep
    uint8_t type; // Type
    uint32_t slot;
    uint32_t *param; // KEEP_VALUE: by block, which of its parameters it is; NONE = the dominator's value
    Value *out;      // its value where the block ends
    Value now;       // and here
} Thread;

typedef struct Fill {
    Gen *g;
    const Graph *graph;
    Block *blocks;
    uint32_t *pool_n; // by node: items of the pool where it ends
    Thread fuel, trail;
    uint32_t node;
    uint32_t statements; // per block, at most
    uint32_t marks;      // percent of the blocks that leave a mark on the trail
    uint32_t calls;      // percent of the statements
} Fill;

// ---- threads ------------------------------------------------------------------------------------

static Value cell(Fill *s, const Thread *t, int32_t *offset) {
    *offset = t == &s->fuel ? RANDOM_FUEL : RANDOM_TRAIL;
    if (t->keep == KEEP_SHARED) return s->g->memory;
    *offset = 0;
    return ir_stack_addr(&s->g->b, T_i64, t->slot, 0);
}

static Value thread_get(Fill *s, Thread *t) {
    if (t->keep == KEEP_VALUE) return t->now;
    int32_t offset;
    Value p = cell(s, t, &offset);
    return ir_load(&s->g->b, (Type)t->type, 0, p, offset);
}

static void thread_set(Fill *s, Thread *t, Value v) {
    t->now = v;
    if (t->keep == KEEP_VALUE) return;
    int32_t offset;
    Value p = cell(s, t, &offset);
    ir_store(&s->g->b, 0, v, p, offset);
}

static void thread_make(Fill *s, Thread *t, Type type, Keep keep) {
    Func *f = s->g->b.f;
    t->keep = (uint8_t)keep;
    t->type = (uint8_t)type;
    t->param = NEW_ARRAY(f->arena, uint32_t, s->graph->n);
    t->out = NEW_ARRAY(f->arena, Value, s->graph->n);
    for (uint32_t k = 0; k < s->graph->n; k++) t->param[k] = NONE;
    if (keep != KEEP_SLOT) return;
    t->slot = f->slots.n;
    vec_push(f->arena, &f->slots, (StackSlot){.size = type_bytes(type), .align = type_bytes(type), .declared = true});
}

// Where a block begins.
static void thread_enter(Fill *s, Thread *t) {
    if (t->keep != KEEP_VALUE || s->node == 0) return;
    Gen *g = s->g;
    uint32_t param = t->param[s->node];
    if (param != NONE) t->now = block_param(g->b.f, s->blocks[s->node], param);
    else if (graph_reachable(s->graph, s->node)) t->now = t->out[s->graph->idom[s->node]];
    else t->now = ir_iconst(&g->b, (Type)t->type, 1);
}

static Value fuel_down(Fill *s) {
    Type type = (Type)s->fuel.type;
    Value less = ir_iconst(&s->g->b, type, UINT64_MAX >> (64 - type_bits(type)));
    Value fuel = ir_iadd(&s->g->b, thread_get(s, &s->fuel), less);
    thread_set(s, &s->fuel, fuel);
    return fuel;
}

// Whether something is left, or, inverted, nothing. Shared fuel may be used up long before.
static Value fuel_left(Fill *s, Value fuel, bool inverted) {
    Builder *b = &s->g->b;
    Value zero = ir_iconst(b, (Type)s->fuel.type, 0);
    if (s->fuel.keep == KEEP_SHARED || pick(&s->g->r, 3) == 0)
        return inverted ? ir_icmp(b, ICC_sle, fuel, zero) : ir_icmp(b, ICC_sgt, fuel, zero);
    if (inverted) return ir_icmp(b, ICC_eq, fuel, zero);
    return pick(&s->g->r, 2) ? fuel : ir_icmp(b, ICC_ne, fuel, zero);
}

static Value widened(Fill *s, Value v) {
    Builder *b = &s->g->b;
    if (value_type(b->f, v) == T_i64) return v;
    return pick(&s->g->r, 2) ? ir_uextend(b, T_i64, v) : ir_sextend(b, T_i64, v);
}

// Leaves a mark on the trail.
static void mark(Fill *s) {
    Gen *g = s->g;
    Builder *b = &g->b;
    Value trail = thread_get(s, &s->trail);
    switch (pick(&g->r, 4)) {
    case 0: trail = ir_iadd(b, ir_imul(b, trail, ir_iconst(b, T_i64, 31)), ir_iconst(b, T_i64, s->node)); break;
    case 1: trail = ir_bxor(b, ir_rotl(b, trail, ir_iconst(b, T_i32, 7)), ir_iconst(b, T_i64, s->node + 1)); break;
    default: {
        Value v = widened(s, gen_operand(g, type_of_set(&g->r, TS_int)));
        trail = ir_iadd(b, ir_rotl(b, trail, ir_iconst(b, T_i64, 5)), v);
        break;
    }
    }
    thread_set(s, &s->trail, trail);
}

// Puts the trail where the runs are compared.
static void deposit(Fill *s) {
    if (s->trail.keep == KEEP_SHARED) return;
    Builder *b = &s->g->b;
    Value sum = ir_load(b, T_i64, 0, s->g->memory, RANDOM_TRAIL);
    Value trail = thread_get(s, &s->trail);
    ir_store(b, 0, ir_bxor(b, ir_rotl(b, sum, ir_iconst(b, T_i32, 1)), trail), s->g->memory, RANDOM_TRAIL);
}

// ---- edges --------------------------------------------------------------------------------------

// Where the fuel and the trail are values, every block with several edges to it has them as parameters, anywhere among
// the others.
static void make_params(Fill *s, uint32_t node) {
    Gen *g = s->g;
    Func *f = g->b.f;
    const Graph *graph = s->graph;
    bool join = graph->n_in[node] > 1 || !graph_reachable(graph, node);
    uint32_t most = graph->n_in[node] > 8 ? MAX_TABLE_PARAMS : MAX_PARAMS;
    uint32_t n = pick(&g->r, join ? 4 : 8) < 3 ? pick(&g->r, most + 1) : 0;
    uint32_t fuel = s->fuel.keep == KEEP_VALUE && (join || pick(&g->r, 10) == 0) ? pick(&g->r, n + 1) : NONE;
    uint32_t trail = s->trail.keep == KEEP_VALUE && (join || pick(&g->r, 10) == 0) ? pick(&g->r, n + 1) : NONE;
    Type type = type_of_set(&g->r, TS_int | TS_float);
    for (uint32_t k = 0; k <= n; k++) {
        if (fuel == k) {
            s->fuel.param[node] = block_get(f, s->blocks[node])->params.n;
            block_add_param(f, s->blocks[node], (Type)s->fuel.type);
        }
        if (trail == k) {
            s->trail.param[node] = block_get(f, s->blocks[node])->params.n;
            block_add_param(f, s->blocks[node], T_i64);
        }
        if (k == n) break;
        if (pick(&g->r, 3) == 0) type = type_of_set(&g->r, TS_int | TS_float);
        block_add_param(f, s->blocks[node], type);
    }
}

// Fits the parameters of a successor. On the way back to a block that dominates this one, its parameters may change
// places.
static uint32_t edge_args(Fill *s, uint32_t to, Value *args) {
    Gen *g = s->g;
    Func *f = g->b.f;
    Block block = s->blocks[to];
    uint32_t n = block_get(f, block)->params.n;
    bool back = graph_reachable(s->graph, s->node) && graph_dominates(s->graph, to, s->node) && pick(&g->r, 4);
    uint32_t shift = pick(&g->r, n + 1);
    for (uint32_t k = 0; k < n; k++) {
        Type type = value_type(f, block_param(f, block, k));
        Value own = block_param(f, block, (k + shift) % n);
        if (k == s->fuel.param[to]) args[k] = s->fuel.now;
        else if (k == s->trail.param[to]) args[k] = s->trail.now;
        else if (back && value_type(f, own) == type && pick(&g->r, 8)) args[k] = own;
        else args[k] = gen_operand(g, type);
    }
    return n;
}

static void end_jump(Fill *s, uint32_t to) {
    Value args[MAX_PARAMS + 2];
    uint32_t n = edge_args(s, to, args);
    ir_jump(&s->g->b, s->blocks[to], args, n);
}

static void end_branch(Fill *s, Value c, const uint32_t *to) {
    Value args[2][MAX_PARAMS + 2];
    uint32_t n[2];
    for (unsigned k = 0; k < 2; k++) n[k] = edge_args(s, to[k], args[k]);
    ir_brif(&s->g->b, c, s->blocks[to[0]], args[0], n[0], s->blocks[to[1]], args[1], n[1]);
}

// Some bits of the trail, which differ from one time to the next.
static Value stray(Fill *s, Type type) {
    Builder *b = &s->g->b;
    Value x = ir_ushr(b, thread_get(s, &s->trail), ir_iconst(b, T_i64, pick(&s->g->r, 32)));
    return type == T_i64 ? x : ir_ireduce(b, type, x);
}

static Value branch_condition(Fill *s) {
    Gen *g = s->g;
    if (pick(&g->r, 2)) return gen_condition(g);
    Type type = type_of_set(&g->r, TS_int);
    Value x = stray(s, type);
    if (pick(&g->r, 2)) return ir_band(&g->b, x, ir_iconst(&g->b, type, 1 + pick(&g->r, 3)));
    return ir_icmp(&g->b, (IntCC)pick(&g->r, N_ICC), x, gen_operand(g, type));
}

static void end_switch(Fill *s, const Node *node) {
    Gen *g = s->g;
    Value x = pick(&g->r, 3) ? stray(s, T_i32) : gen_operand(g, T_i32);
    uint64_t mask = 1;
    while (mask < node->n_to) mask = mask * 2 + 1;
    switch (pick(&g->r, 5)) {
    case 0: break;
    case 1: x = ir_urem(&g->b, x, ir_iconst(&g->b, T_i32, node->n_to)); break;
    default: x = ir_band(&g->b, x, ir_iconst(&g->b, T_i32, mask)); break;
    }
    BlockCall *calls = NEW_ARRAY(g->b.f->arena, BlockCall, node->n_to);
    for (uint32_t k = 0; k < node->n_to; k++) {
        Value args[MAX_PARAMS + 2];
        uint32_t n = edge_args(s, node->to[k], args);
        calls[k] = (BlockCall){s->blocks[node->to[k]], list_new(g->b.f, args, n)};
    }
    ir_br_table(&g->b, x, calls, node->n_to);
}

static void end_return(Fill *s) {
    Gen *g = s->g;
    const Sig *sig = &g->b.f->sig;
    Value *values = NEW_ARRAY(g->b.f->arena, Value, sig->n_results + 1);
    bool told = false;
    for (uint32_t k = 0; k < sig->n_results; k++) {
        Type type = (Type)sig->results[k].type;
        if (type == T_i64 && (!told || pick(&g->r, 4) == 0)) {
            values[k] = thread_get(s, &s->trail);
            told = true;
        } else {
            values[k] = gen_operand(g, type);
        }
    }
    if (!told || pick(&g->r, 8) == 0) deposit(s);
    ir_return(&g->b, values, sig->n_results);
}

static void end_block(Fill *s) {
    Gen *g = s->g;
    const Node *node = &s->graph->nodes[s->node];
    switch ((NodeKind)node->kind) {
    case NODE_JUMP: end_jump(s, node->to[0]); break;
    case NODE_BRANCH: {
        if (node->check != CHECK_BRANCH) {
            end_branch(s, branch_condition(s), node->to);
            break;
        }
        Value fuel = fuel_down(s);
        end_branch(s, fuel_left(s, fuel, node->out == 0), node->to);
        break;
    }
    case NODE_SWITCH: end_switch(s, node); break;
    case NODE_TRAP:
        deposit(s);
        ir_trap(&g->b, (uint8_t)(1 + pick(&g->r, 100)));
        break;
    case NODE_TAIL:
        deposit(s);
        if (!gen_tail_call(g)) end_return(s);
        break;
    default: end_return(s); break;
    }
}

// ---- blocks -------------------------------------------------------------------------------------

static void statement(Fill *s) {
    Gen *g = s->g;
    uint32_t what = pick(&g->r, 100);
    if (what < s->calls) gen_call(g);
    else if (what < 12) gen_select(g);
    else if (what < 14) gen_trap(g);
    else if (what < 20) gen_shape(g);
    else if (what < 26) gen_add(g, gen_condition(g), false);
    else if (what < 50) gen_memory(g);
    else gen_inst(g);
}

static void fill_block(Fill *s, uint32_t node) {
    Gen *g = s->g;
    Func *f = g->b.f;
    const Graph *graph = s->graph;
    s->node = node;
    g->b.at = s->blocks[node];
    if (node) {
        g->pool.n = graph_reachable(graph, node) ? s->pool_n[graph->idom[node]] : 0;
        for (uint32_t k = 0; k < block_get(f, s->blocks[node])->params.n; k++)
            gen_add(g, block_param(f, s->blocks[node], k), true);
    }
    thread_enter(s, &s->fuel);
    thread_enter(s, &s->trail);
    if (graph->nodes[node].check == CHECK_GUARD) {
        Value fuel = fuel_down(s);
        bool inverted = pick(&g->r, 2);
        uint8_t code = (uint8_t)(1 + pick(&g->r, 100));
        if (inverted) ir_trapnz(&g->b, fuel_left(s, fuel, true), code);
        else ir_trapz(&g->b, fuel_left(s, fuel, false), code);
    }
    if (chance(&g->r, s->marks)) mark(s);
    if (pick(&g->r, 4)) {
        for (uint32_t n = pick(&g->r, s->statements + 1); n; n--) statement(s);
    }
    end_block(s);
    s->fuel.out[node] = s->fuel.now;
    s->trail.out[node] = s->trail.now;
    s->pool_n[node] = g->pool.n;
}

// ---- functions ----------------------------------------------------------------------------------

// Blocks stand in any order, the entry first.
static void make_blocks(Fill *s, Block entry) {
    Func *f = s->g->b.f;
    Random *r = &s->g->r;
    uint32_t n = s->graph->n;
    uint32_t *order = NEW_ARRAY(f->arena, uint32_t, n);
    uint32_t stirred = pick(r, 3); // 0 = not at all, 1 = a few
    for (uint32_t k = 0; k < n; k++) order[k] = k;
    for (uint32_t k = 1; k < n && stirred; k++) {
        if (stirred == 1 && pick(r, 8)) continue;
        uint32_t other = 1 + pick(r, k);
        uint32_t x = order[k];
        order[k] = order[other];
        order[other] = x;
    }
    s->blocks[0] = entry;
    for (uint32_t k = 1; k < n; k++) {
        s->blocks[order[k]] = block_new(f);
        block_append(f, s->blocks[order[k]]);
    }
}

// A call too many returns at once.
static void count_call(Fill *s) {
    Gen *g = s->g;
    Builder *b = &g->b;
    Func *f = b->f;
    Value left = ir_load(b, T_i64, 0, g->memory, RANDOM_CALLS);
    Block on = block_new(f);
    Block out = block_new(f);
    block_append(f, pick(&g->r, 2) ? on : out);
    block_append(f, block_get(f, on)->placed ? out : on);
    ir_brif(b, left, on, NULL, 0, out, NULL, 0);
    b->at = out;
    Value *values = NEW_ARRAY(f->arena, Value, f->sig.n_results + 1);
    for (uint32_t k = 0; k < f->sig.n_results; k++) values[k] = gen_operand(g, (Type)f->sig.results[k].type);
    ir_return(b, values, f->sig.n_results);
    b->at = on;
    ir_store(b, 0, ir_iadd(b, left, ir_iconst(b, T_i64, UINT64_MAX)), g->memory, RANDOM_CALLS);
}

// How much fuel there is at first.
static Value fuel_first(Fill *s) {
    Gen *g = s->g;
    Type type = (Type)s->fuel.type;
    uint64_t most = 1 + pick(&g->r, s->graph->n < 30 ? 24 : 60);
    Value v = ir_iconst(&g->b, type, most);
    if (pick(&g->r, 2)) v = ir_iadd(&g->b, v, ir_band(&g->b, gen_operand(g, type), ir_iconst(&g->b, type, 15)));
    return v;
}

static void fill_func(Fill *s) {
    static const Type types[] = {T_i64, T_i32, T_i32, T_i16, T_i8};
    Gen *g = s->g;
    const Graph *graph = s->graph;
    gen_entry(g);
    if (g->program->n > 1 || s->calls) count_call(s);
    Block first = g->b.at;
    if (pick(&g->r, 2)) gen_slots(g);
    Keep fuel = pick(&g->r, 5) < 3 ? KEEP_VALUE : pick(&g->r, 2) ? KEEP_SLOT : KEEP_SHARED;
    Keep trail = pick(&g->r, 5) < 3 ? KEEP_VALUE : pick(&g->r, 2) ? KEEP_SLOT : KEEP_SHARED;
    thread_make(s, &s->fuel, fuel == KEEP_SHARED ? T_i64 : types[pick(&g->r, 5)], fuel);
    thread_make(s, &s->trail, T_i64, trail);
    if (fuel != KEEP_SHARED) thread_set(s, &s->fuel, fuel_first(s));
    if (trail != KEEP_SHARED) thread_set(s, &s->trail, ir_iconst(&g->b, T_i64, random_word(&g->r)));
    make_blocks(s, first);
    for (uint32_t k = 1; k < graph->n; k++) make_params(s, k);
    for (uint32_t k = 0; k < graph->n_order; k++) fill_block(s, graph->order[k]);
    for (uint32_t k = 0; k < graph->n; k++) {
        if (!graph_reachable(graph, k)) fill_block(s, k);
    }
}

static void graph_func(Gen *g, uint32_t index) {
    Func *f = g->program->funcs[index];
    gen_start(g, index, f);
    g->n_callees = g->program->n;
    g->spread = pick(&g->r, 3) == 0;
    g->tame = true;
    g->shared = true;
    Arena *scratch = arena_new(f->ctx);
    Graph *graph = graph_random(scratch, &g->r, g->options->size);
    Fill s = {.g = g, .graph = graph};
    s.blocks = NEW_ARRAY(scratch, Block, graph->n);
    s.pool_n = NEW_ARRAY(scratch, uint32_t, graph->n);
    s.statements = graph->n < 12 ? 8 : graph->n < 60 ? 5 : 3;
    s.marks = pick(&g->r, 4) ? 70 : 25;
    s.calls = pick(&g->r, 2) ? 1 + pick(&g->r, 4) : 0;
    fill_func(&s);
    for (unsigned k = 0; k < N_SHAPES; k++) {
        g->program->shapes[k] += graph->shapes[k];
        g->program->with_shape[k] += graph->shapes[k] != 0;
    }
    arena_free(scratch);
}

void random_graph_funcs(Gen *g) {
    const RandomProgram *program = g->program;
    for (uint32_t k = 0; k < program->n; k++) { // any may call any
        gen_start(g, k, program->funcs[k]);
        gen_sig(g);
    }
    for (uint32_t k = 0; k < program->n; k++) graph_func(g, k);
}
