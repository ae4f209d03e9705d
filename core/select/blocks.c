// Blocks of the machine code.
//
// Theory. In postorder a dominator comes after what it dominates, so selecting in postorder visits every use
// before its definition, wherever the blocks stand in the text.
//
// Machine blocks stand in the IR's layout order, cold ones last. Block calls of one terminator to the same block
// without arguments share one edge. An edge is critical when its source ends in more than a jump and its target has
// several edges; it gets a block of its own right after the source (or among the cold ones when the target is cold), so
// that the allocator's moves always have a place. (A table whose entries are all one block has one edge, but reads a
// register: moves cannot stand before it.)
#include "select/blocks.h"
#include "ir/dom.h"

typedef struct Walk {
    uint32_t block;
    uint32_t next; // block call to look at
} Walk;

// What only the landing block of an entry thunk reaches, in postorder: the graph of the function starts at its entry.
static void walk_landing(Sel *s, const Cfg *cfg, BlockOrder *order) {
    const Func *f = s->f;
    uint8_t *seen = NEW_ARRAY(s->tmp, uint8_t, f->blocks.n);
    VEC(Walk) path = {0};
    vec_push(s->tmp, &path, (Walk){f->landing.i, 0});
    seen[f->landing.i] = 1;
    while (path.n) {
        Walk *top = &vec_last(&path);
        uint32_t n;
        const BlockCall *calls = block_targets(f, (Block){top->block}, &n);
        if (top->next == n) {
            order->v[order->n++] = top->block;
            path.n--;
            continue;
        }
        Block to = calls[top->next++].block;
        if (seen[to.i] || cfg_reachable(cfg, to)) continue;
        seen[to.i] = 1;
        vec_push(s->tmp, &path, (Walk){to.i, 0});
    }
}

// Gives each block call of the reached blocks its edge: s->calls[k].edge is the call that stands for it.
static uint32_t *share_edges(Sel *s, const BlockOrder *order) {
    const Func *f = s->f;
    uint32_t *n_preds = NEW_ARRAY(s->tmp, uint32_t, f->blocks.n);
    uint32_t *seen_by = NEW_ARRAY(s->tmp, uint32_t, f->blocks.n); // terminator + 1
    uint32_t *seen_at = NEW_ARRAY(s->tmp, uint32_t, f->blocks.n); // call
    for (uint32_t k = 0; k < order->n; k++) {
        SelBlock *sb = &s->blocks[order->v[k]];
        Inst last = block_get(f, (Block){order->v[k]})->last;
        const InstData *d = inst_get(f, last);
        sb->calls = s->calls.n;
        for (uint32_t t = 0; t < d->n_targets; t++) {
            const BlockCall *call = &f->calls.v[d->targets + t];
            uint32_t to = call->block.i;
            uint32_t at = s->calls.n;
            if (call->args.n == 0 && seen_by[to] == last.i + 1) {
                at = seen_at[to];
            } else {
                n_preds[to]++;
                if (call->args.n == 0) {
                    seen_by[to] = last.i + 1;
                    seen_at[to] = at;
                }
            }
            vec_push(s->tmp, &s->calls, (SelCall){.edge = at, .to = to, .split = NONE});
        }
    }
    return n_preds;
}

static uint32_t add_block(Sel *s, uint32_t ir, uint32_t depth, bool cold) {
    MBlock *b = vec_extend(s->m->arena, &s->m->blocks, 1);
    b->ir = ir;
    b->loop_depth = (uint8_t)(depth < 255 ? depth : 255);
    b->cold = cold;
    return s->m->blocks.n - 1;
}

// Machine blocks of one temperature: a block, then the critical edges that leave it.
static void lay_out(Sel *s, const uint32_t *depth, const uint32_t *n_preds, bool cold) {
    const Func *f = s->f;
    FUNC_BLOCKS(b, f) {
        SelBlock *sb = &s->blocks[b.i];
        if (!sb->reached) continue;
        if (block_get(f, b)->cold == cold) {
            sb->mblock = add_block(s, b.i, depth[b.i], cold);
            s->m->blocks.v[sb->mblock].is_landing = block_eq(b, f->landing);
        }
        const InstData *last = inst_get(f, block_get(f, b)->last);
        if (last->op == OP_jump) continue;
        for (uint32_t k = sb->calls; k < sb->calls + last->n_targets; k++) {
            SelCall *call = &s->calls.v[k];
            if (call->edge != k || n_preds[call->to] < 2) continue;
            bool is_cold = block_get(f, b)->cold || block_get(f, (Block){call->to})->cold;
            if (is_cold != cold) continue;
            uint32_t outer = depth[b.i] < depth[call->to] ? depth[b.i] : depth[call->to];
            call->split = add_block(s, NONE, outer, cold);
        }
    }
}

BlockOrder blocks_make(Sel *s) {
    const Func *f = s->f;
    uint32_t n = f->blocks.n;
    s->blocks = NEW_ARRAY(s->tmp, SelBlock, n);
    for (uint32_t b = 0; b < n; b++) s->blocks[b].mblock = NONE;
    BlockOrder order = {NEW_ARRAY(s->tmp, uint32_t, n), 0};
    const Cfg *cfg = cfg_new(s->tmp, f);
    if (block_ok(f->landing)) walk_landing(s, cfg, &order);
    for (uint32_t k = cfg->n_rpo; k-- > 0;) order.v[order.n++] = cfg->rpo[k].i;
    for (uint32_t k = 0; k < order.n; k++) s->blocks[order.v[k]].reached = true;
    uint32_t *n_preds = share_edges(s, &order);
    lay_out(s, cfg->depth, n_preds, false);
    lay_out(s, cfg->depth, n_preds, true);
    s->first_trap = s->m->blocks.n;
    return order;
}

// ---- edges ----------------------------------------------------------------------------------------

static void connect_block(Sel *s, uint32_t block) {
    MFunc *m = s->m;
    const SelBlock *sb = &s->blocks[block];
    uint32_t n_targets = inst_get(s->f, block_get(s->f, (Block){block})->last)->n_targets;
    m->blocks.v[sb->mblock].succs = m->edges.n;
    for (uint32_t k = sb->calls; k < sb->calls + n_targets; k++) {
        const SelCall *call = &s->calls.v[k];
        if (call->edge != k) continue;
        MEdge edge = {s->blocks[call->to].mblock, call->args, call->n_args};
        vec_push(m->arena, &m->edges, call->split == NONE ? edge : (MEdge){call->split, 0, 0});
    }
    m->blocks.v[sb->mblock].n_succs = m->edges.n - m->blocks.v[sb->mblock].succs;
    for (uint32_t k = sb->calls; k < sb->calls + n_targets; k++) {
        const SelCall *call = &s->calls.v[k];
        if (call->edge != k || call->split == NONE) continue;
        MBlock *split = &m->blocks.v[call->split];
        split->succs = m->edges.n;
        split->n_succs = 1;
        vec_push(m->arena, &m->edges, (MEdge){s->blocks[call->to].mblock, call->args, call->n_args});
    }
}

void blocks_connect(Sel *s) {
    MFunc *m = s->m;
    FUNC_BLOCKS(b, s->f) {
        if (s->blocks[b.i].reached) connect_block(s, b.i);
    }
    for (uint32_t k = 0; k < m->edges.n; k++) m->blocks.v[m->edges.v[k].block].n_preds++;
    uint32_t at = m->lists.n;
    (void)vec_extend(m->arena, &m->lists, m->edges.n);
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        m->blocks.v[b].preds = at;
        at += m->blocks.v[b].n_preds;
        m->blocks.v[b].n_preds = 0;
    }
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        for (uint32_t k = 0; k < m->blocks.v[b].n_succs; k++) {
            MBlock *to = &m->blocks.v[m->edges.v[m->blocks.v[b].succs + k].block];
            m->lists.v[to->preds + to->n_preds++] = b;
        }
    }
}
