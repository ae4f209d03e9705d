// Order of instructions and what stays on the operand stack.
#include "stack/operands.h"
#include "stack/stack.h"

typedef struct Trees {
    MFunc *m;
    StackPlan *plan;
} Trees;

static void put(Trees *t, StackOpKind kind, uint32_t x) {
    vec_push(t->m->arena, &t->plan->ops, (StackOp){(uint8_t)kind, x});
}

// ---- every value in its local ---------------------------------------------------------------------

static void push_operands(Trees *t, const MInst *i) {
    for (unsigned k = 0; k < i->n_slots; k++) {
        const MOpnd *o = stack_slot(t->m, i, k);
        if (!stack_is_push(o)) continue;
        if (o->kind == MO_SLOT) put(t, SOP_FRAME, (uint32_t)(o - t->m->slots_pool.v));
        else put(t, SOP_GET, o->reg);
    }
}

static void pop_results(Trees *t, const MInst *i) {
    for (unsigned k = i->n_slots; k-- > 0;) {
        const MOpnd *o = stack_slot(t->m, i, k);
        if (!stack_is_result(o)) continue;
        if (o->kind == MO_VREG) put(t, SOP_SET, o->reg);
        else put(t, SOP_DROP, 0);
    }
}

static void plain_block(Trees *t, const MBlock *b) {
    uint32_t body = stack_body(t->m, b);
    for (uint32_t k = 0; k < body; k++) {
        const MInst *i = &t->m->insts.v[b->first + k];
        if (i->mop == MOP_ENTRY) continue;
        push_operands(t, i);
        if (i->mop != MOP_COPY) put(t, SOP_INST, b->first + k);
        pop_results(t, i);
    }
    for (uint32_t k = b->n; k-- > body;) push_operands(t, &t->m->insts.v[b->first + k]);
}

static void plain_edge(Trees *t, const MEdge *e) {
    const MFunc *m = t->m;
    const uint32_t *params = &m->lists.v[m->blocks.v[e->block].params];
    for (uint32_t k = 0; k < e->n_args; k++) put(t, SOP_GET, m->lists.v[e->args + k]);
    for (uint32_t k = e->n_args; k-- > 0;) put(t, SOP_SET, params[k]);
}

void stack_trees(MFunc *m, StackPlan *plan, bool optimise) {
    (void)optimise;
    Trees t = {.m = m, .plan = plan};
    plan->blocks = NEW_ARRAY(m->arena, StackRun, m->blocks.n);
    plan->edges = NEW_ARRAY(m->arena, StackRun, m->edges.n);
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        plan->blocks[b].first = plan->ops.n;
        plain_block(&t, &m->blocks.v[b]);
        plan->blocks[b].n = plan->ops.n - plan->blocks[b].first;
    }
    for (uint32_t e = 0; e < m->edges.n; e++) {
        plan->edges[e].first = plan->ops.n;
        if (m->edges.v[e].n_args) plain_edge(&t, &m->edges.v[e]);
        plan->edges[e].n = plan->ops.n - plan->edges[e].first;
    }
}
