// Branch simplification: four linear steps over the control-flow graph.
//
//   fold     a branch on a constant, or with equal targets, becomes a jump; a condition loses what does not change
//            whether it is zero (brif(uextend x), brif(icmp ne x, 0)); constant conditional traps go or become `trap`
//   thread   a branch to a block that only jumps on goes where that jump goes
//   params   a block parameter that always receives one value becomes that value
//   join     a block whose only predecessor jumps only to it is appended to that predecessor
//
// Threading is sound without renaming because the forwarding block is empty: a value that dominates it strictly
// dominates each of its predecessors too.
#include "passes/edit.h"
#include "passes/pipeline.h"

enum {
    HOPS = 16,  // jumps followed through empty blocks; bounds cycles of empty blocks as well
    ROUNDS = 3, // of parameter elimination; each round exposes at most what the one before fed
    STRIPS = 8  // wrappers taken off one condition
};

static Inst last_of(const Func *f, Block b) { return block_get(f, b)->last; }

static bool list_same(const Func *f, ValueList a, ValueList b) {
    if (a.n != b.n) return false;
    for (uint32_t k = 0; k < a.n; k++) {
        if (!value_eq(list_get(f, a, k), list_get(f, b, k))) return false;
    }
    return true;
}

static bool call_same(const Func *f, const BlockCall *a, const BlockCall *b) {
    return block_eq(a->block, b->block) && list_same(f, a->args, b->args);
}

// ---- fold --------------------------------------------------------------------------------------

// A value that is zero exactly when v is (*invert false) or when v is not (*invert true).
static Value strip_condition(const Func *f, Value v, bool *invert) {
    for (int n = 0; n < STRIPS; n++) {
        Inst def = value_def(f, v);
        if (!inst_ok(def)) return v;
        const InstData *inst = inst_get(f, def);
        uint64_t bits;
        if (inst->op == OP_uextend || inst->op == OP_sextend || inst->op == OP_bmask) {
            v = inst_arg(f, def, 0);
        } else if (inst->op == OP_icmp && (inst->code == ICC_ne || inst->code == ICC_eq) &&
                   value_const(f, inst_arg(f, def, 1), &bits) && bits == 0) {
            if (inst->code == ICC_eq) *invert = !*invert;
            v = inst_arg(f, def, 0);
        } else {
            return v;
        }
    }
    return v;
}

static void set_condition(Func *f, Inst i, Value v) {
    InstData *inst = inst_get(f, i);
    f->pool.v[inst->args.at] = v.i;
    inst->type = value_type(f, v);
}

static void fold_brif(Pass *p, Block b, Inst i) {
    Func *f = p->f;
    BlockCall then = f->calls.v[inst_get(f, i)->targets];
    BlockCall other = f->calls.v[inst_get(f, i)->targets + 1];
    bool invert = false;
    Value c = strip_condition(f, inst_arg(f, i, 0), &invert);
    uint64_t bits;
    if (value_const(f, c, &bits)) {
        if (pass_burn(p)) block_end_with_jump(f, b, i, ((bits != 0) != invert) ? then : other);
    } else if (call_same(f, &then, &other)) {
        if (pass_burn(p)) block_end_with_jump(f, b, i, then);
    } else if (!value_eq(c, inst_arg(f, i, 0)) && pass_burn(p)) {
        set_condition(f, i, c);
        if (!invert) return;
        f->calls.v[inst_get(f, i)->targets] = other;
        f->calls.v[inst_get(f, i)->targets + 1] = then;
    }
}

static void fold_br_table(Pass *p, Block b, Inst i) {
    Func *f = p->f;
    const InstData *inst = inst_get(f, i);
    const BlockCall *calls = &f->calls.v[inst->targets];
    uint64_t index;
    if (value_const(f, inst_arg(f, i, 0), &index)) {
        BlockCall to = calls[index + 1 < inst->n_targets ? index + 1 : 0];
        if (pass_burn(p)) block_end_with_jump(f, b, i, to);
        return;
    }
    for (uint32_t k = 1; k < inst->n_targets; k++) {
        if (!call_same(f, &calls[0], &calls[k])) return;
    }
    BlockCall to = calls[0];
    if (pass_burn(p)) block_end_with_jump(f, b, i, to);
}

// Tells whether i became a `trap`, so that the rest of its block is gone.
static bool fold_cond_trap(Pass *p, Block b, Inst i) {
    Func *f = p->f;
    bool invert = false;
    Value c = strip_condition(f, inst_arg(f, i, 0), &invert);
    uint64_t bits;
    if (!value_const(f, c, &bits)) {
        if (value_eq(c, inst_arg(f, i, 0)) || !pass_burn(p)) return false;
        set_condition(f, i, c);
        if (invert) inst_get(f, i)->op = inst_get(f, i)->op == OP_trapz ? OP_trapnz : OP_trapz;
        return false;
    }
    if (!pass_burn(p)) return false;
    bool holds = (bits != 0) != invert;
    InstData trap = {.op = OP_trap, .code = inst_get(f, i)->code, .srcloc = inst_get(f, i)->srcloc};
    bool traps = (inst_get(f, i)->op == OP_trapnz) == holds;
    if (!traps) {
        inst_remove(f, i);
        return false;
    }
    for (Inst next; inst_ok(i); i = next) {
        next = inst_get(f, i)->next;
        inst_remove(f, i);
    }
    inst_append(f, inst_new(f, &trap), b);
    return true;
}

static void fold_block(Pass *p, Block b) {
    Func *f = p->f;
    for (Inst i = block_get(f, b)->first, next; inst_ok(i); i = next) {
        next = inst_get(f, i)->next;
        switch (inst_get(f, i)->op) {
        case OP_brif: fold_brif(p, b, i); break;
        case OP_br_table: fold_br_table(p, b, i); break;
        case OP_trapz:
        case OP_trapnz:
            if (fold_cond_trap(p, b, i)) return;
            break;
        default: break;
        }
    }
}

// ---- thread ------------------------------------------------------------------------------------

static void thread_block(Pass *p, Block b) {
    Func *f = p->f;
    const InstData *last = inst_get(f, last_of(f, b));
    for (uint32_t k = 0; k < last->n_targets; k++) {
        BlockCall *call = &f->calls.v[last->targets + k];
        for (int hop = 0; hop < HOPS; hop++) {
            const BlockData *to = block_get(f, call->block);
            if (to->params.n || !inst_eq(to->first, to->last) || inst_get(f, to->first)->op != OP_jump) break;
            BlockCall next = f->calls.v[inst_get(f, to->first)->targets];
            if (block_eq(next.block, call->block) || !pass_burn(p)) break;
            next.args = list_copy(f, next.args); // lists are edited in place: no two calls share one
            *call = next;
        }
    }
}

// ---- params ------------------------------------------------------------------------------------

// For each parameter of each block: the one value that arrives, NONE = none yet, NONE - 1 = several.
enum { SEVERAL = NONE - 1 };

static void collect_arrivals(const Func *f, uint32_t *arrives) {
    FUNC_BLOCKS(b, f) {
        const InstData *last = inst_get(f, last_of(f, b));
        for (uint32_t k = 0; k < last->n_targets; k++) {
            const BlockCall *call = &f->calls.v[last->targets + k];
            for (uint32_t a = 0; a < call->args.n; a++) {
                uint32_t param = block_param(f, call->block, a).i;
                uint32_t v = list_get(f, call->args, a).i;
                if (v == param || arrives[param] == v) continue;
                arrives[param] = arrives[param] == NONE ? v : SEVERAL;
            }
        }
    }
}

// Removes from `list` the positions whose parameter (in `params`) was renamed.
static void drop_renamed(Func *f, ValueList *list, ValueList params) {
    uint32_t n = 0;
    uint32_t *pool = f->pool.v;
    for (uint32_t k = 0; k < list->n; k++) {
        if (f->values.v[pool[params.at + k]].kind == VALUE_PARAM) pool[list->at + n++] = pool[list->at + k];
    }
    list->n = n;
}

static bool params_round(Pass *p) {
    Func *f = p->f;
    uint32_t *arrives = all_none(p->arena, f->values.n);
    collect_arrivals(f, arrives);
    bool changed = false;
    FUNC_BLOCKS(b, f) {
        ValueList params = block_get(f, b)->params;
        if (block_eq(b, f->first)) continue;
        for (uint32_t k = 0; k < params.n; k++) {
            Value param = {f->pool.v[params.at + k]};
            uint32_t v = arrives[param.i];
            // What arrives may itself have been renamed a moment ago, even to this parameter.
            if (v >= SEVERAL || value_eq(func_value(f, (Value){v}), param) || !pass_burn(p)) continue;
            value_alias(f, param, func_value(f, (Value){v}));
            changed = true;
        }
    }
    if (!changed) return false;
    FUNC_BLOCKS(b, f) {
        const InstData *last = inst_get(f, last_of(f, b));
        for (uint32_t k = 0; k < last->n_targets; k++) {
            BlockCall *call = &f->calls.v[last->targets + k];
            drop_renamed(f, &call->args, block_get(f, call->block)->params);
        }
    }
    FUNC_BLOCKS(b, f) {
        ValueList *params = &block_get(f, b)->params;
        drop_renamed(f, params, *params);
        for (uint32_t k = 0; k < params->n; k++) f->values.v[f->pool.v[params->at + k]].num = (uint16_t)k;
    }
    return true;
}

// ---- join --------------------------------------------------------------------------------------

// The block that b alone leads to and that only b leads to, or NO_BLOCK.
static Block only_successor(const Func *f, Block b, const uint32_t *n_preds) {
    const InstData *last = inst_get(f, last_of(f, b));
    if (last->op != OP_jump) return NO_BLOCK;
    Block to = f->calls.v[last->targets].block;
    bool joins = n_preds[to.i] == 1 && !block_eq(to, f->first) && !block_eq(to, f->landing) && !block_eq(to, b);
    return joins ? to : NO_BLOCK;
}

static void append_block(Func *f, Block b, Block to) {
    BlockCall call = f->calls.v[inst_get(f, last_of(f, b))->targets];
    inst_remove(f, last_of(f, b));
    for (uint32_t k = 0; k < call.args.n; k++) value_alias(f, block_param(f, to, k), list_get(f, call.args, k));
    for (Inst i = block_get(f, to)->first, next; inst_ok(i); i = next) {
        next = inst_get(f, i)->next;
        inst_remove(f, i);
        inst_append(f, i, b);
    }
    block_remove(f, to);
}

static void join_blocks(Pass *p) {
    Func *f = p->f;
    uint32_t *n_preds = NEW_ARRAY(p->arena, uint32_t, f->blocks.n);
    bool *absorbed = NEW_ARRAY(p->arena, bool, f->blocks.n); // is some block's only successor
    FUNC_BLOCKS(b, f) {
        const InstData *last = inst_get(f, last_of(f, b));
        for (uint32_t k = 0; k < last->n_targets; k++) n_preds[f->calls.v[last->targets + k].block.i]++;
    }
    FUNC_BLOCKS(b, f) {
        Block to = only_successor(f, b, n_preds);
        if (block_ok(to)) absorbed[to.i] = true;
    }
    // Only the head of a chain absorbs, so that every instruction moves once.
    for (Block b = f->first, next; block_ok(b); b = next) {
        if (!absorbed[b.i]) {
            Block to;
            while (block_ok(to = only_successor(f, b, n_preds)) && pass_burn(p)) append_block(f, b, to);
        }
        next = block_get(f, b)->next;
    }
}

// Requires verified SSA. Keeps it. Breaks any control-flow graph computed before.
void pass_branches(Pass *p) {
    Func *f = p->f;
    FUNC_BLOCKS(b, f) fold_block(p, b);
    FUNC_BLOCKS(b, f) thread_block(p, b);
    pass_unreachable(p);
    for (int round = 0; round < ROUNDS && params_round(p); round++) {
    }
    join_blocks(p);
}
