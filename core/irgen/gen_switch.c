// SWITCH and BRT.
//
// Theory. The cases of SWITCH rise strictly. One pass cuts them into clusters: a run whose values fill at least half of
// their range becomes a table, any other case stands alone. A binary search over the clusters finds the one that can
// hold the value; its pending halves wait on a stack. (R. Bernstein, "Producing Good Code for the Case Statement",
// Software: Practice and Experience 15(10), 1985; clusters are grown greedily here, which is linear.)
#include "irgen/gen.h"

#define TABLE_MIN 4
#define TABLE_MAX 65534 // entries of one br_table besides the default

typedef struct Cluster {
    uint32_t first, n; // run of cases
    bool table;
} Cluster;

typedef struct Range {
    uint32_t low, high; // clusters low to high - 1
    Block block;        // where the test goes
} Range;

typedef VEC(Cluster) Clusters;

static void cluster_cases(Gen *g, const BcCase *cases, uint32_t n, Clusters *out) {
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i + 1;
        // The difference fits as an unsigned number whatever the signs.
        while (end < n && (uint64_t)cases[end].value - (uint64_t)cases[i].value < 2 * (uint64_t)(end - i + 1) &&
               (uint64_t)cases[end].value - (uint64_t)cases[i].value < TABLE_MAX)
            end++;
        if (end - i < TABLE_MIN) end = i + 1;
        vec_push(g->arena, out, (Cluster){i, end - i, end - i >= TABLE_MIN});
        i = end;
    }
}

// Branches on `index` (i32): entry k of labels, or the default.
static void gen_br_table(Gen *g, Value index, const uint32_t *labels, uint32_t n, uint32_t other) {
    BlockCall *calls = NEW_ARRAY(g->arena, BlockCall, (size_t)n + 1);
    calls[0].block = g->heads[other];
    for (uint32_t k = 0; k < n; k++) calls[k + 1].block = g->heads[labels[k]];
    ssa_branch(g->ssa, ir_br_table(&g->b, index, calls, n + 1));
}

// A value of any integer type as i32, when everything from 2^32 on has been sent elsewhere.
static Value gen_index32(Gen *g, Value value) {
    Type type = value_type(g->f, func_value(g->f, value));
    if (type == T_i64) return ir_ireduce(&g->b, T_i32, value);
    return type == T_i32 ? value : ir_uextend(&g->b, T_i32, value);
}

// In the current block: sends a value that lies in the cluster to its label, any other to the default.
static void gen_cluster(Gen *g, const BcInst *i, const BcCase *cases, Cluster c) {
    Value value = gen_use(g, i->r[0]);
    Type type = gen_type(gen_reg_type(g, i->r[0]));
    Value low = gen_int(g, type, (uint64_t)cases[c.first].value);
    if (!c.table) {
        gen_brif(g, ir_icmp(&g->b, ICC_eq, value, low), g->heads[cases[c.first].label], g->heads[i->x]);
        return;
    }
    uint64_t base = (uint64_t)cases[c.first].value;
    uint32_t n = (uint32_t)((uint64_t)cases[c.first + c.n - 1].value - base) + 1;
    uint32_t *labels = NEW_ARRAY(g->arena, uint32_t, n);
    for (uint32_t k = 0; k < n; k++) labels[k] = i->x;
    for (uint32_t k = 0; k < c.n; k++) labels[(uint64_t)cases[c.first + k].value - base] = cases[c.first + k].label;
    Value index = ir_isub(&g->b, value, low);
    if (type == T_i64) {
        Block in = gen_block(g);
        gen_brif(g, ir_icmp(&g->b, ICC_ult, index, gen_int(g, type, n)), in, g->heads[i->x]);
        gen_go(g, in);
    }
    gen_br_table(g, gen_index32(g, index), labels, n, i->x);
}

void gen_switch(Gen *g, const BcInst *i) {
    const BcCase *cases = &g->bf->cases[i->y];
    uint32_t type = gen_reg_type(g, i->r[0]);
    Clusters clusters = {0};
    cluster_cases(g, cases, i->n, &clusters);
    if (!clusters.n) {
        gen_jump(g, g->heads[i->x]);
        return;
    }
    VEC(Range) work = {0};
    vec_push(g->arena, &work, (Range){0, clusters.n, NO_BLOCK});
    while (work.n) {
        Range range = vec_last(&work);
        work.n--;
        if (block_ok(range.block)) {
            block_append(g->f, range.block);
            gen_go(g, range.block);
        }
        if (range.high - range.low == 1) {
            gen_cluster(g, i, cases, clusters.v[range.low]);
            continue;
        }
        uint32_t middle = range.low + (range.high - range.low) / 2;
        Value pivot = gen_int(g, gen_type(type), (uint64_t)cases[clusters.v[middle].first].value);
        IntCC less = bc_is_signed(type) ? ICC_slt : ICC_ult;
        Range below = {range.low, middle, block_new(g->f)};
        Range above = {middle, range.high, block_new(g->f)};
        gen_brif(g, ir_icmp(&g->b, less, gen_use(g, i->r[0]), pivot), below.block, above.block);
        vec_push(g->arena, &work, above);
        vec_push(g->arena, &work, below);
    }
}

void gen_table(Gen *g, const BcInst *i) {
    const uint32_t *labels = &g->bf->labels[i->y];
    uint32_t n = i->n;
    Value value = gen_use(g, i->r[0]);
    Type type = gen_type(gen_reg_type(g, i->r[0]));
    if (n > TABLE_MAX) {
        // One entry more than a table may have: the last one is tested before.
        Block rest = gen_block(g);
        n--;
        gen_brif(g, ir_icmp(&g->b, ICC_eq, value, gen_int(g, type, n)), g->heads[labels[n]], rest);
        gen_go(g, rest);
    }
    if (type == T_i64) {
        Block in = gen_block(g);
        gen_brif(g, ir_icmp(&g->b, ICC_ult, value, gen_int(g, type, n)), in, g->heads[i->x]);
        gen_go(g, in);
    }
    gen_br_table(g, gen_index32(g, value), labels, n, i->x);
}
