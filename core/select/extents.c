// Where values may be live, rounded up to runs of blocks.
//
// Theory. Liveness names each block that a value lives through, so n values that live through n blocks are n * n facts,
// and exact liveness takes as long to write down. A bound that takes a logarithm for each value does with less: number
// the blocks in a reverse postorder of a depth-first search. A value lives in blocks that its definition's block d
// dominates, and these have larger numbers than d. Walk backwards from its uses, of which the last has number u: along
// an edge p -> q numbers fall, unless the edge goes back (number p >= number q). So the walk stays in [d, c], where c
// is the largest number that back edges into (d, u] lead to, and those into what they lead to, and so on. For one block
// h call that closed(h); then c is u or the largest closed(h) of h in (d, u]. closed() is found from the last number to
// the first, closed(h) itself being the largest one in (h, p] for the last back edge p -> h, as all of these are closed
// already.
//
// The search takes later blocks first, so that the numbers follow the layout where it is a sensible one, and [d, c] is
// a run of blocks but for the cold ones, which stand at the end. So what comes out is the run around those of its
// blocks that are warm, and the run around the cold ones.
//
//   1: jump 2   2: brif 3, 5   3: brif 2, 4   4: jump 2      v of block 1, read in block 2, lives in 3 and 4, too: the
//                                                           last back edge into 2 is 4 -> 2. Block 5 is out.
#include "select/extents.h"

struct Extents {
    const MFunc *m;
    uint32_t n;
    uint32_t n_warm; // blocks from here on are cold
    uint32_t *number;
    // Trees of maxima by number: closed(); and each block's index + 1 where it is warm or cold, and n - index, so that
    // the largest is the first block. 0 = none.
    uint32_t *closed, *warm_last, *warm_first, *cold_last, *cold_first;
};

// ---- trees of maxima: leaf k is at n + k, the parent of k at k / 2 ----------------------------------

static void raise(uint32_t *tree, uint32_t n, uint32_t at, uint32_t x) {
    for (at += n; at > 0 && tree[at] < x; at /= 2) tree[at] = x;
}

// The largest of leaves [from, to).
static uint32_t largest(const uint32_t *tree, uint32_t n, uint32_t from, uint32_t to) {
    uint32_t most = 0;
    for (from += n, to += n; from < to; from /= 2, to /= 2) {
        if (from & 1 && tree[from] > most) most = tree[from];
        if (to & 1 && tree[to - 1] > most) most = tree[to - 1];
        from += from & 1;
    }
    return most;
}

// ---- the order --------------------------------------------------------------------------------------

typedef struct Step {
    uint32_t block;
    uint32_t left; // successors that are still to be visited
} Step;

typedef struct Search {
    uint32_t *first; // by block: run in succs; one more element for the end
    uint32_t *succs; // ascending
    VEC(Step) path;
    bool *seen;
    uint32_t next; // number + 1
} Search;

static void list_succs(Search *search, Arena *tmp, const MFunc *m) {
    uint32_t n = m->blocks.n;
    search->first = NEW_ARRAY(tmp, uint32_t, n + 2);
    for (uint32_t b = 0; b < n; b++) search->first[b + 2] = search->first[b + 1] + m->blocks.v[b].n_succs;
    search->succs = NEW_ARRAY(tmp, uint32_t, search->first[n + 1]);
    for (uint32_t b = 0; b < n; b++)
        for (uint32_t k = 0; k < m->blocks.v[b].n_preds; k++)
            search->succs[search->first[m->lists.v[m->blocks.v[b].preds + k] + 1]++] = b;
}

static void visit(Search *search, Arena *tmp, uint32_t block) {
    search->seen[block] = true;
    vec_push(tmp, &search->path, (Step){block, search->first[block + 1] - search->first[block]});
}

static void number_blocks(Extents *e, Arena *tmp) {
    Search search = {.next = e->n, .seen = NEW_ARRAY(tmp, bool, e->n)};
    list_succs(&search, tmp, e->m);
    // What the entry does not reach, such as trap blocks, is in front of all.
    for (uint32_t root = 0; root < e->n; root++) {
        if (!search.seen[root]) visit(&search, tmp, root);
        while (search.path.n) {
            Step *top = &vec_last(&search.path);
            if (top->left == 0) {
                e->number[top->block] = --search.next;
                search.path.n--;
                continue;
            }
            uint32_t to = search.succs[search.first[top->block] + --top->left];
            if (!search.seen[to]) visit(&search, tmp, to);
        }
    }
}

static void close_loops(Extents *e, Arena *tmp) {
    uint32_t *block = NEW_ARRAY(tmp, uint32_t, e->n);
    for (uint32_t b = 0; b < e->n; b++) block[e->number[b]] = b;
    for (uint32_t h = e->n; h-- > 0;) {
        const MBlock *to = &e->m->blocks.v[block[h]];
        uint32_t last = h;
        for (uint32_t k = 0; k < to->n_preds; k++) {
            uint32_t p = e->number[e->m->lists.v[to->preds + k]];
            if (p > last) last = p;
        }
        uint32_t inner = largest(e->closed, e->n, h + 1, last + 1);
        raise(e->closed, e->n, h, inner > last ? inner : last);
    }
}

Extents *extents_new(Arena *arena, const MFunc *m) {
    Arena *tmp = arena_new(m->ctx);
    Extents *e = NEW(arena, Extents);
    uint32_t n = m->blocks.n;
    *e = (Extents){.m = m, .n = n, .n_warm = n, .number = NEW_ARRAY(arena, uint32_t, n)};
    while (e->n_warm && m->blocks.v[e->n_warm - 1].cold) e->n_warm--;
    uint32_t **trees[] = {&e->closed, &e->warm_last, &e->warm_first, &e->cold_last, &e->cold_first};
    for (unsigned k = 0; k < sizeof trees / sizeof *trees; k++) *trees[k] = NEW_ARRAY(arena, uint32_t, (size_t)2 * n);
    number_blocks(e, tmp);
    close_loops(e, tmp);
    for (uint32_t b = 0; b < n; b++) {
        bool cold = b >= e->n_warm;
        raise(cold ? e->cold_last : e->warm_last, n, e->number[b], b + 1);
        raise(cold ? e->cold_first : e->warm_first, n, e->number[b], n - b);
    }
    arena_free(tmp);
    return e;
}

uint32_t extents_number(const Extents *e, uint32_t block) { return e->number[block]; }

unsigned extents_runs(const Extents *e, uint32_t def, uint32_t last, BlockRun runs[2]) {
    uint32_t n = e->n;
    uint32_t from = e->number[def];
    uint32_t closed = largest(e->closed, n, from + 1, last + 1);
    uint32_t to = (closed > last ? closed : last) + 1;
    unsigned k = 0;
    uint32_t first = largest(e->warm_first, n, from, to);
    if (first) runs[k++] = (BlockRun){n - first, largest(e->warm_last, n, from, to)};
    first = largest(e->cold_first, n, from, to);
    if (first) runs[k++] = (BlockRun){n - first, largest(e->cold_last, n, from, to)};
    return k;
}
