// Global value numbering over the dominator tree: an instruction equal to one that dominates it becomes that one.
//
// Blocks are visited in preorder of the dominator tree. One hash table maps the key of an instruction (opcode, type,
// attributes, operands) to the instruction met first with that key; a hit counts only if its block dominates. If it
// does not, its subtree is left for good, so the newer one takes its place: the table stays flat, nothing is missed and
// the pass is linear.
//
// Trapping opcodes that are idempotent (division, conditional traps) take part: a second, dominated one has nothing
// left to do; for a conditional trap that holds whatever its trap code, because the first did not trap. So do loads of
// memory that never changes (`readonly`), whether or not they may trap: the dominating one read the same.
#include "passes/pipeline.h"

#include <string.h>

#include "ir/dom.h"

static bool takes_part(const InstData *inst) {
    if (inst->op == OP_load && inst->memflags & MF_READONLY) return true;
    if (op_has(inst->op, OPF_other_effect | OPF_terminator | OPF_call | OPF_can_load | OPF_can_store)) return false;
    return op_has(inst->op, OPF_pure | OPF_idempotent) && inst->args.n <= OP_MAX_ARGS;
}

static void order_operands(Func *f, InstData *inst) {
    if (!op_has(inst->op, OPF_commutes) || inst->args.n < 2) return;
    uint32_t *pool = &f->pool.v[inst->args.at];
    Value a = list_get(f, inst->args, 0);
    Value b = list_get(f, inst->args, 1);
    // Constants stay on the right (md/rewrite.md relies on it); otherwise lower numbers first.
    Inst def = value_def(f, a);
    bool a_const = inst_ok(def) && inst_get(f, def)->op == OP_iconst;
    def = value_def(f, b);
    bool b_const = inst_ok(def) && inst_get(f, def)->op == OP_iconst;
    if (a_const == b_const && a.i > b.i) {
        pool[0] = b.i;
        pool[1] = a.i;
    }
}

static bool is_conditional_trap(const InstData *inst) { return inst->op == OP_trapz || inst->op == OP_trapnz; }

static uint64_t key_of(const Func *f, const InstData *inst) {
    uint64_t code = is_conditional_trap(inst) ? 0 : inst->code;
    uint64_t key = hash_u64(((uint64_t)inst->op << 32) ^ ((uint64_t)inst->type << 16) ^ code);
    key = hash_u64(key ^ (uint64_t)inst->imm);
    key = hash_u64(key ^ inst->ref ^ (uint64_t)inst->memflags << 32);
    for (uint32_t k = 0; k < inst->args.n; k++) key = hash_u64(key ^ list_get(f, inst->args, k).i);
    return key;
}

static bool same_results(const Func *f, const InstData *a, const InstData *b) {
    if (a->results.n != b->results.n) return false;
    for (uint32_t k = 0; k < a->results.n; k++) {
        uint32_t x = f->pool.v[a->results.at + k];
        uint32_t y = f->pool.v[b->results.at + k];
        if (f->values.v[x].type != f->values.v[y].type) return false;
    }
    return true;
}

static bool same(const Func *f, const InstData *a, const InstData *b) {
    if (a->op != b->op || a->type != b->type || a->imm != b->imm || a->ref != b->ref) return false;
    if (a->code != b->code && !is_conditional_trap(a)) return false;
    if (a->memflags != b->memflags || a->args.n != b->args.n || !same_results(f, a, b)) return false;
    for (uint32_t k = 0; k < a->args.n; k++) {
        if (!value_eq(list_get(f, a->args, k), list_get(f, b->args, k))) return false;
    }
    return true;
}

static void visit(Pass *p, const Cfg *cfg, Map *table, Inst i) {
    Func *f = p->f;
    InstData *inst = inst_get(f, i);
    if (!takes_part(inst)) return;
    order_operands(f, inst);
    bool added;
    uint32_t *slot = map_add(table, key_of(f, inst), i.i, &added);
    if (added) return;
    const InstData *earlier = &f->insts.v[*slot];
    if (!same(f, earlier, inst) || !cfg_dominates(cfg, earlier->block, inst->block)) {
        *slot = i.i;
        return;
    }
    if (!pass_burn(p)) return;
    for (uint32_t k = 0; k < inst->results.n; k++)
        value_alias(f, inst_result(f, i, k), inst_result(f, (Inst){*slot}, k));
    inst_remove(f, i);
}

// Requires verified SSA and only reachable blocks. Keeps them.
void pass_gvn(Pass *p) {
    Func *f = p->f;
    const Cfg *cfg = cfg_new(p->arena, f);
    Map table = map_new(p->arena);
    Block *preorder = NEW_ARRAY(p->arena, Block, cfg->n_rpo);
    for (uint32_t k = 0; k < cfg->n_rpo; k++) preorder[cfg->dom_pre[cfg->rpo[k].i]] = cfg->rpo[k];
    for (uint32_t k = 0; k < cfg->n_rpo; k++) {
        for (Inst i = block_get(f, preorder[k])->first, next; inst_ok(i); i = next) {
            next = inst_get(f, i)->next;
            visit(p, cfg, &table, i);
        }
    }
}
