// Writes the body of a function: the declarations of locals, then the steps of its structured code.
//
// Theory. flow.c, dispatch.c, order.c and shape.c turn the control flow into a row of steps; here each becomes
// instructions. A label's depth is a subtraction: what encloses the branch now, less what enclosed the construct when
// it was opened.
//
// Traps. A conditional branch out of the middle of a block leads to a trap block. With few users the trap stands
// where the branch was, in an `if`; with more, the branch goes to the end of a block around the whole function, behind
// which the trap stands, when that is shorter. Nothing falls into these traps: the code before them ends in a return.
//
// Conditions are inverted by dropping an inversion that stands in front of the branch, by the opposite instruction
// (Target.invert), else by another inversion.
#include "stack/body.h"

#include <string.h>

#include "stack/operands.h"

typedef struct Writer {
    Body *b;
    FlowShape *shape;
    uint32_t depth;       // constructs that are open
    uint32_t *block_at;   // by node: what was open when its block was opened
    uint32_t *loop_at;    // by node: when its loop was
    uint32_t *trap_at;    // by MBlock: when the block in front of a shared trap was, NONE = the trap is not shared
    VEC(uint32_t) shared; // shared trap blocks, outermost first
    uint32_t *entry;      // by MBlock: edge of the branch table being written
} Writer;

static void check_limit(const Body *b, uint64_t n, uint32_t limit, const char *what) {
    if (limit && n > limit)
        ctx_fail(b->ctx, VTR_ERR_LIMIT, "%s: function %s needs more than the %u %s that there may be", b->t->name,
                 name_symbol(b->tmp, b->code->name), limit, what);
}

// ---- operations -----------------------------------------------------------------------------------------

static uint32_t local_of(const Body *b, uint32_t vreg) {
    uint32_t local = b->plan->local[vreg];
    if (local == NONE) ctx_bug(b->ctx, "stack: vreg %u has no local", vreg);
    return local;
}

// The number of the type that a call is for: its first slot beyond the description.
static uint32_t call_type(const Body *b, const MInst *i) {
    unsigned at = b->t->insts[i->mop].n_slots;
    return at < i->n_slots ? (uint32_t)minst_slots(b->m, i)[at].imm : NONE;
}

// An instruction that names a function type.
static bool is_indirect(const Body *b, uint16_t mop) {
    return mop == b->t->op_call_reg || mop == b->t->op_tail_call_reg || mop == b->s->wide_call_reg ||
           mop == b->s->wide_tail_call_reg;
}

// Described slots, ready for the encoder.
static void described(const Body *b, const MInst *i, MOpnd *slots) {
    const InstDesc *d = &b->t->insts[i->mop];
    memcpy(slots, minst_slots(b->m, i), d->n_slots * sizeof *slots);
    shadow_lower(b, i, slots);
    if (!is_indirect(b, i->mop)) return;
    for (unsigned k = 0; k < d->n_opnds; k++)
        if (d->opnds[k].type == OT_IMM) slots[d->opnds[k].slot] = (MOpnd){.kind = MO_SYM, .reg = NONE};
}

// A site for each reason for which an instruction traps.
static void put_traps(Body *b, const MInst *i) {
    const uint8_t *traps = b->t->insts[i->mop].traps;
    put_site(b, SITE_TRAP, i->trap, i->srcloc);
    for (unsigned k = 1; i->trap == traps[0] && k < sizeof b->t->insts->traps && traps[k]; k++)
        put_site(b, SITE_TRAP, traps[k], i->srcloc);
}

static void write_inst(Body *b, const MInst *i, uint16_t mop) {
    MOpnd slots[BODY_SLOTS];
    memset(slots, 0, sizeof slots);
    if (b->t->insts[i->mop].n_slots) described(b, i, slots);
    put_line(b, i->srcloc);
    if (i->trap) put_traps(b, i);
    else if ((i->flags & MI_CALL) && i->srcloc != NONE) put_site(b, SITE_CALL, 0, i->srcloc);
    put_inst(b, mop, slots, is_indirect(b, mop) ? call_type(b, i) : NONE);
}

// A conditional branch to a trap.
static void write_exit(Writer *w, const MInst *i, uint32_t block) {
    Body *b = w->b;
    put_line(b, i->srcloc);
    if (w->trap_at[block] != NONE) {
        put_label(b, b->s->branch_if, w->depth - w->trap_at[block] - 1);
        return;
    }
    const MBlock *trap = &b->m->blocks.v[block];
    const MInst *t = &b->m->insts.v[trap->first + trap->n - 1];
    put_plain(b, b->s->if_);
    put_trap(b, t->trap, t->srcloc);
    put_plain(b, b->s->end);
}

static void write_ops(Writer *w, StackRun run) {
    Body *b = w->b;
    for (uint32_t k = run.first; k < run.first + run.n; k++) {
        const StackOp *op = &b->plan->ops.v[k];
        switch ((StackOpKind)op->kind) {
        case SOP_INST: {
            const MInst *i = &b->m->insts.v[op->x];
            const MOpnd *block = i->mop == b->s->branch_if ? stack_label(b->m, i) : NULL;
            if (block) write_exit(w, i, (uint32_t)block->imm);
            else write_inst(b, i, i->mop);
            break;
        }
        case SOP_GET: put_imm(b, b->s->get, local_of(b, op->x)); break;
        case SOP_SET: put_imm(b, b->s->set, local_of(b, op->x)); break;
        case SOP_TEE: put_imm(b, b->s->tee, local_of(b, op->x)); break;
        case SOP_DROP: put_plain(b, b->s->drop); break;
        case SOP_FRAME: shadow_push(b, op->x); break;
        }
    }
}

static void write_label(Body *b, uint32_t label) {
    put_imm(b, b->t->classes[b->t->insts[b->s->eqz].opnds[1].cls].constant, label);
    put_imm(b, b->s->set, b->dispatch);
}

// ---- nodes ----------------------------------------------------------------------------------------------

// The operations of a node; `inverted`: with the opposite condition at the end.
static void write_node(Writer *w, uint32_t x, bool inverted) {
    Body *b = w->b;
    const FlowNode *node = &b->flow->nodes.v[x];
    if (node->kind == FLOW_DISPATCH) {
        put_imm(b, b->s->get, b->dispatch);
        if (inverted) put_plain(b, b->s->eqz);
        return;
    }
    if (node->kind == FLOW_EDGE) {
        if (node->x != NONE) write_ops(w, b->plan->edges[node->x]);
        return;
    }
    StackRun run = b->plan->blocks[node->x];
    uint16_t mop;
    if (inverted && flow_inverts(b->flow, x, &mop)) {
        run.n--;
        write_ops(w, run);
        if (mop != NO_MOP) write_inst(b, &b->m->insts.v[b->plan->ops.v[run.first + run.n].x], mop);
        return;
    }
    write_ops(w, run);
    if (inverted) put_plain(b, b->s->eqz);
}

static uint32_t depth_of(const Writer *w, uint32_t node, bool repeats) {
    return w->depth - (repeats ? w->loop_at[node] : w->block_at[node]) - 1;
}

// A loop's block is closed before anything behind it is written, so a node whose loop is open is branched back to.
static void write_entry(Writer *w, const FlowEdge *e) {
    bool repeats = w->loop_at[e->to] != NONE;
    put_label(w->b, w->b->s->branch_entry, depth_of(w, e->to, repeats));
}

static void write_table(Writer *w, uint32_t x) {
    Body *b = w->b;
    const MFunc *m = b->m;
    const FlowNode *node = &b->flow->nodes.v[x];
    if (node->kind == FLOW_DISPATCH) {
        check_limit(b, node->n, b->s->max_entries, "entries of a branch table");
        put_imm(b, b->s->branch_table, node->n - 1);
        for (uint32_t k = 0; k < node->n; k++) write_entry(w, &b->flow->edges.v[node->first + k]);
        return;
    }
    const MBlock *block = &m->blocks.v[node->x];
    put_line(b, m->insts.v[block->first + block->n - 1].srcloc);
    const MTable *table = &m->tables.v[node->table];
    for (uint32_t k = 0; k < node->n; k++) w->entry[m->edges.v[block->succs + k].block] = node->first + k;
    check_limit(b, table->n, b->s->max_entries, "entries of a branch table");
    put_imm(b, b->s->branch_table, table->n - 1);
    for (uint32_t k = 0; k < table->n; k++) write_entry(w, &b->flow->edges.v[w->entry[m->lists.v[table->blocks + k]]]);
}

// Return, tail call or trap. A return at the very end needs no instruction.
static void write_leave(Writer *w, uint32_t x, bool at_end) {
    Body *b = w->b;
    const MBlock *block = &b->m->blocks.v[b->flow->nodes.v[x].x];
    const MInst *i = &b->m->insts.v[block->first + block->n - 1];
    if (i->flags & MI_TRAP) {
        put_trap(b, i->trap, i->srcloc);
        return;
    }
    put_line(b, i->srcloc);
    shadow_leave(b);
    if (!(at_end && i->mop == b->t->op_ret && !w->shared.n)) write_inst(b, i, i->mop);
}

// ---- steps ----------------------------------------------------------------------------------------------

static void open(Writer *w, uint16_t mop, uint32_t *at) {
    put_plain(w->b, mop);
    if (at) *at = w->depth;
    w->depth++;
}

static void close(Writer *w, uint32_t *at) {
    put_plain(w->b, w->b->s->end);
    if (at) *at = NONE;
    w->depth--;
}

static void write_step(Writer *w, uint32_t k) {
    Body *b = w->b;
    const StackMachine *s = b->s;
    const Shape *at = &w->shape->steps.v[k];
    switch ((ShapeKind)at->kind) {
    case SHAPE_NODE: write_node(w, at->x, k + 1 < w->shape->steps.n && at[1].kind == SHAPE_NOT); break;
    case SHAPE_NOT: break; // done by the node
    case SHAPE_OPS: write_ops(w, b->plan->edges[at->x]); break;
    case SHAPE_LABEL: write_label(b, at->x); break;
    case SHAPE_DROP: put_plain(b, s->drop); break;
    case SHAPE_BLOCK:
        if (w->shape->uses[at->x]) open(w, s->block, &w->block_at[at->x]);
        break;
    case SHAPE_END:
        if (w->shape->uses[at->x]) close(w, &w->block_at[at->x]);
        break;
    case SHAPE_LOOP: open(w, s->loop, &w->loop_at[at->x]); break;
    case SHAPE_ENDLOOP: close(w, &w->loop_at[at->x]); break;
    case SHAPE_IF: open(w, s->if_, NULL); break;
    case SHAPE_ELSE: put_plain(b, s->else_); break;
    case SHAPE_ENDIF: close(w, NULL); break;
    case SHAPE_BR: put_label(b, b->t->op_jump, depth_of(w, at->x, false)); break;
    case SHAPE_REPEAT: put_label(b, b->t->op_jump, depth_of(w, at->x, true)); break;
    case SHAPE_BR_IF: put_label(b, s->branch_if, depth_of(w, at->x, false)); break;
    case SHAPE_REPEAT_IF: put_label(b, s->branch_if, depth_of(w, at->x, true)); break;
    case SHAPE_TABLE: write_table(w, at->x); break;
    case SHAPE_LEAVE: write_leave(w, at->x, k + 1 == w->shape->steps.n); break;
    }
    check_limit(b, body_at(b), s->max_bytes, "bytes of code");
}

// ---- shared traps ---------------------------------------------------------------------------------------

// How many branches lead to each trap block; reached nodes only.
static void count_exits(const Body *b, const FlowOrder *order, uint32_t *users) {
    for (uint32_t n = 0; n < b->m->blocks.n; n++) {
        if (order->number[n] == NONE) continue;
        StackRun run = b->plan->blocks[n];
        for (uint32_t k = run.first; k < run.first + run.n; k++) {
            const StackOp *op = &b->plan->ops.v[k];
            if (op->kind != SOP_INST || b->m->insts.v[op->x].mop != b->s->branch_if) continue;
            const MOpnd *block = stack_label(b->m, &b->m->insts.v[op->x]);
            if (block) users[block->imm]++;
        }
    }
}

// A trap in an `if` takes that and itself for each user; a shared one takes itself and its block once, and a branch for
// each.
static void share_traps(Writer *w, const FlowOrder *order) {
    Body *b = w->b;
    uint32_t n = b->m->blocks.n;
    uint32_t *users = NEW_ARRAY(b->tmp, uint32_t, n);
    uint32_t itself = put_size(b, b->t->op_trap) + (b->traps == TRAPS_CALL ? put_size(b, b->t->op_call) : 0);
    uint32_t alone = put_size(b, b->s->if_) + itself + put_size(b, b->s->end);
    uint32_t once = put_size(b, b->s->block) + itself + put_size(b, b->s->end);
    uint32_t each = put_size(b, b->s->branch_if);
    w->trap_at = NEW_ARRAY(b->tmp, uint32_t, n);
    count_exits(b, order, users);
    for (uint32_t t = 0; t < n; t++) {
        w->trap_at[t] = NONE;
        if (users[t] * alone <= users[t] * each + once) continue;
        w->trap_at[t] = w->shared.n;
        vec_push(b->tmp, &w->shared, t);
    }
}

static void write_shared(Writer *w) {
    Body *b = w->b;
    if (!w->shared.n) return;
    const Shape *last = &vec_last(&w->shape->steps);
    bool ends = last->kind == SHAPE_LEAVE || last->kind == SHAPE_BR || last->kind == SHAPE_REPEAT;
    if (!ends && !b->m->types.v[0].n_results) put_plain(b, b->t->op_ret);
    while (w->shared.n) {
        uint32_t block = w->shared.v[--w->shared.n];
        const MBlock *trap = &b->m->blocks.v[block];
        const MInst *i = &b->m->insts.v[trap->first + trap->n - 1];
        close(w, &w->trap_at[block]);
        put_trap(b, i->trap, i->srcloc);
    }
}

// ---- the function ---------------------------------------------------------------------------------------

static void write_locals(Body *b, uint32_t n_words, bool dispatch) {
    const Target *t = b->t;
    const StackPlan *p = b->plan;
    uint8_t word = t->classes[t->type_class[target_ptr_type(t)]].value_type;
    uint8_t condition = t->classes[t->insts[b->s->eqz].opnds[1].cls].value_type;
    buf_uleb(&b->bytes, p->n_groups + (n_words > 0) + dispatch);
    for (unsigned k = 0; k < p->n_groups; k++) {
        buf_uleb(&b->bytes, p->groups[k].n);
        buf_u8(&b->bytes, p->groups[k].value_type);
    }
    if (n_words) {
        buf_uleb(&b->bytes, n_words);
        buf_u8(&b->bytes, word);
    }
    if (dispatch) {
        buf_uleb(&b->bytes, 1);
        buf_u8(&b->bytes, condition);
    }
}

static void write_body(Writer *w) {
    Body *b = w->b;
    for (uint32_t k = 0; k < w->shared.n; k++) open(w, b->s->block, NULL);
    for (uint32_t k = 0; k < w->shape->steps.n; k++) write_step(w, k);
    uint8_t last = vec_last(&w->shape->steps).kind;
    if (w->shared.n) write_shared(w);
    else if (last != SHAPE_LEAVE && b->m->types.v[0].n_results) put_plain(b, b->t->op_trap); // nothing gets here
    put_plain(b, b->s->end);
}

static void copy_types(Body *b) {
    for (uint32_t k = 0; k < b->m->types.n; k++) {
        MType type = b->m->types.v[k];
        check_limit(b, type.n_params, b->s->max_params, "parameters");
        check_limit(b, type.n_results, b->s->max_results, "results");
        type.params = arena_copy(b->out, type.params, type.n_params);
        type.results = arena_copy(b->out, type.results, type.n_results);
        vec_push(b->out, &b->code->types, type);
    }
}

Code *stack_emit(Arena *arena, MFunc *m, TrapStyle traps, bool optimise, bool check) {
    Arena *tmp = m->arena;
    StackPlan *plan = NEW(tmp, StackPlan);
    stack_trees(m, plan, optimise);
    stack_locals(m, plan, optimise);
    if (check) stack_check(m, plan);
    Flow *flow = flow_make(tmp, m, plan);
    FlowOrder *order = flow_reduce(tmp, flow);
    Code *code = NEW(arena, Code);
    *code = (Code){.target = m->target, .align = 1, .landing = NONE, .activation = NONE};
    if (m->ir) code->name = name_copy(arena, m->ir->name);
    Body *b = NEW(tmp, Body);
    *b = (Body){.ctx = m->ctx, .tmp = tmp, .out = arena, .m = m, .t = m->target, .s = m->target->stack};
    b->plan = plan;
    b->flow = flow;
    b->code = code;
    b->traps = traps;
    b->bytes = buf_new(arena);
    b->trap_sym = b->sp_sym = NONE;
    Writer w = {.b = b, .shape = flow_shape(tmp, flow, order, flow_places(tmp, flow, order))};
    w.block_at = all_none(tmp, flow->nodes.n);
    w.loop_at = all_none(tmp, flow->nodes.n);
    w.entry = NEW_ARRAY(tmp, uint32_t, m->blocks.n);
    share_traps(&w, order);
    uint32_t first = plan->n_params;
    for (unsigned k = 0; k < plan->n_groups; k++) first += plan->groups[k].n;
    uint32_t next = shadow_plan(b, first);
    b->dispatch = next;
    check_limit(b, (uint64_t)next + (flow->n_labels > 0), b->s->max_locals, "locals");
    write_locals(b, next - first, flow->n_labels > 0);
    shadow_enter(b);
    write_body(&w);
    copy_types(b);
    code->bytes = (uint8_t *)b->bytes.bytes.v;
    code->n = code->n_code = body_at(b);
    return code;
}
