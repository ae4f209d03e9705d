// Numbers of locals.
#include "stack/operands.h"
#include "stack/stack.h"

enum { MAX_LOCALS = 50000 }; // what engines take

// Numbers the function's parameters, whose values the first instruction defines.
static void number_params(MFunc *m, StackPlan *plan) {
    plan->n_params = m->types.n ? m->types.v[0].n_params : 0;
    const MBlock *entry = &m->blocks.v[0];
    if (!entry->n || m->insts.v[entry->first].mop != MOP_ENTRY) return;
    const MInst *i = &m->insts.v[entry->first];
    uint32_t param = 0;
    for (unsigned k = 0; k < i->n_slots; k++) {
        const MOpnd *o = &minst_slots(m, i)[k];
        if (!stack_is_result(o)) continue;
        if (o->kind == MO_VREG) plan->local[o->reg] = param;
        param++;
    }
}

static void number_class(MFunc *m, StackPlan *plan, const bool *named, unsigned cls, uint32_t *next) {
    uint32_t first = *next;
    for (uint32_t v = 0; v < m->vregs.n; v++)
        if (named[v] && plan->local[v] == NONE && m->vregs.v[v].cls == cls) plan->local[v] = (*next)++;
    if (*next == first) return;
    plan->groups[plan->n_groups].value_type = m->target->classes[cls].value_type;
    plan->groups[plan->n_groups++].n = *next - first;
}

void stack_locals(MFunc *m, StackPlan *plan, bool optimise) {
    (void)optimise;
    bool *named = NEW_ARRAY(m->arena, bool, m->vregs.n);
    for (uint32_t k = 0; k < plan->ops.n; k++) {
        const StackOp *op = &plan->ops.v[k];
        if (op->kind == SOP_GET || op->kind == SOP_SET || op->kind == SOP_TEE) named[op->x] = true;
    }
    plan->local = NEW_ARRAY(m->arena, uint32_t, m->vregs.n);
    for (uint32_t v = 0; v < m->vregs.n; v++) plan->local[v] = NONE;
    number_params(m, plan);
    uint32_t next = plan->n_params;
    for (unsigned cls = 0; cls < m->target->n_classes; cls++) number_class(m, plan, named, cls, &next);
    if (next > MAX_LOCALS)
        ctx_fail(m->ctx, VTR_ERR_LIMIT, "stack: the function needs %u locals, more than %u", next,
                 (unsigned)MAX_LOCALS);
}
