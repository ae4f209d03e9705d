// The control flow of selected code as body.c writes it.
//
// A block that only jumps on, with nothing to do on the way, is no part of it: what leads there leads to where it jumps
// (split edges are such blocks once their moves vanish). An edge out of a block with several successors that has
// something to do becomes a node of its own, so that every other node finds its work at its jump.
#include "stack/flow.h"

#include <string.h>

#include "stack/operands.h"

static uint32_t block_end(const Flow *f, const MBlock *b) { return b->first + stack_body(f->m, b); }

// Where a block goes that does nothing; the block itself when it does something.
static uint32_t jumps_on(const Flow *f, uint32_t b) {
    const MFunc *m = f->m;
    const MBlock *block = &m->blocks.v[b];
    if (b == 0 || f->plan->blocks[b].n || block->n_succs != 1 || f->plan->edges[block->succs].n) return b;
    uint32_t end = block_end(f, block);
    if (end == block->first + block->n || m->insts.v[end].mop != m->target->op_jump) return b;
    return m->edges.v[block->succs].block;
}

// By MBlock: the block that jumps to it lead to. Chains are followed once; a cycle of empty blocks (an endless loop)
// leads to one of its members.
static uint32_t *skip_empty(const Flow *f) {
    uint32_t n = f->m->blocks.n;
    uint32_t *skip = all_none(f->arena, n);
    uint32_t *seen = NEW_ARRAY(f->arena, uint32_t, n); // the walk (number + 1) that met the block
    for (uint32_t b = 0; b < n; b++) {
        uint32_t at = b;
        while (skip[at] == NONE && seen[at] != b + 1) {
            seen[at] = b + 1;
            uint32_t next = jumps_on(f, at);
            if (next == at) break;
            at = next;
        }
        uint32_t end = skip[at] == NONE ? at : skip[at];
        for (uint32_t x = b; skip[x] == NONE;) {
            uint32_t next = jumps_on(f, x);
            skip[x] = end;
            x = next;
        }
    }
    return skip;
}

static uint32_t table_of(const MFunc *m, const MInst *i) {
    const MOpnd *o = minst_slots(m, i);
    for (unsigned k = 0; k < i->n_slots; k++)
        if (o[k].kind == MO_SYM && m->syms.v[o[k].reg].table) return m->syms.v[o[k].reg].table - 1;
    ctx_bug(m->ctx, "stack: a branch table without a table");
}

// How a block ends. The edges stand as in the machine code, but for a branch: where it goes when taken comes first.
static void find_end(Flow *f, FlowNode *node) {
    const MFunc *m = f->m;
    const MBlock *b = &m->blocks.v[node->x];
    const StackMachine *s = m->target->stack;
    uint32_t at = block_end(f, b);
    uint32_t n = b->first + b->n - at;
    const MInst *i = &m->insts.v[at];
    node->first = b->succs;
    node->n = b->n_succs;
    if (!n) ctx_bug(m->ctx, "stack: block%u does not end", node->x);
    if (i->mop == m->target->op_jump) {
        node->end = END_JUMP;
    } else if (i->mop == s->branch_table) {
        node->end = b->n_succs == 1 ? END_JUMP : END_TABLE;
        node->drops = b->n_succs == 1;
        node->table = table_of(m, i);
    } else if (i->mop == s->branch_if && n == 2 && i[1].mop == m->target->op_jump) {
        node->end = b->n_succs == 1 ? END_JUMP : END_BRANCH;
        node->drops = b->n_succs == 1;
        if (b->n_succs == 1 || m->edges.v[b->succs].block == (uint32_t)stack_label(m, i)->imm) return;
        FlowEdge taken = f->edges.v[b->succs + 1];
        f->edges.v[b->succs + 1] = f->edges.v[b->succs];
        f->edges.v[b->succs] = taken;
    } else if (b->n_succs == 0) {
        node->end = END_LEAVE;
    } else {
        ctx_bug(m->ctx, "stack: block%u ends in branches of no known kind", node->x);
    }
}

uint32_t flow_split(Flow *f, uint32_t edge, uint32_t ops, uint32_t label) {
    uint32_t node = f->nodes.n;
    FlowEdge on = {node, f->edges.v[edge].to, NONE, label};
    vec_push(f->arena, &f->nodes,
             (FlowNode){.kind = FLOW_EDGE, .end = END_JUMP, .x = ops, .first = f->edges.n, .n = 1});
    vec_push(f->arena, &f->edges, on);
    f->edges.v[edge].to = node;
    return f->edges.n - 1;
}

Flow *flow_make(Arena *arena, const MFunc *m, const StackPlan *plan) {
    Flow *f = NEW(arena, Flow);
    *f = (Flow){.arena = arena, .m = m, .plan = plan};
    const uint32_t *skip = skip_empty(f);
    vec_reserve(arena, &f->nodes, m->blocks.n);
    vec_reserve(arena, &f->edges, m->edges.n);
    for (uint32_t e = 0; e < m->edges.n; e++)
        vec_push(arena, &f->edges, (FlowEdge){.to = skip[m->edges.v[e].block], .ops = NONE, .label = NONE});
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        const MBlock *block = &m->blocks.v[b];
        for (uint32_t k = 0; k < block->n_succs; k++) {
            uint32_t e = block->succs + k;
            f->edges.v[e].from = b;
            if (plan->edges[e].n) f->edges.v[e].ops = e;
        }
        FlowNode node = {.kind = FLOW_BLOCK, .x = b};
        find_end(f, &node);
        vec_push(arena, &f->nodes, node);
    }
    for (uint32_t e = 0; e < m->edges.n; e++) {
        FlowEdge *edge = &f->edges.v[e];
        if (edge->ops == NONE || f->nodes.v[edge->from].end == END_JUMP) continue;
        uint32_t ops = edge->ops;
        edge->ops = NONE;
        (void)flow_split(f, e, ops, NONE);
    }
    return f;
}

bool flow_inverts(const Flow *f, uint32_t node, uint16_t *mop) {
    const MFunc *m = f->m;
    const FlowNode *n = &f->nodes.v[node];
    StackRun run = n->kind == FLOW_BLOCK ? f->plan->blocks[n->x] : (StackRun){0, 0};
    if (!run.n || f->plan->ops.v[run.first + run.n - 1].kind != SOP_INST) return false;
    const MInst *i = &m->insts.v[f->plan->ops.v[run.first + run.n - 1].x];
    if (stack_label(m, i)) return false;
    *mop = NO_MOP;
    if (i->mop == m->target->stack->eqz) return true;
    unsigned n_slots = m->target->insts[i->mop].n_slots;
    MOpnd slots[16] = {0};
    if (n_slots > sizeof slots / sizeof *slots) return false;
    if (n_slots) memcpy(slots, minst_slots(m, i), n_slots * sizeof *slots);
    *mop = m->target->invert(i->mop, slots);
    return *mop != NO_MOP;
}
