// Global value numbering over the dominator tree: an instruction equal to one that dominates it becomes that one.
//
// Blocks are visited in preorder of the dominator tree. One hash table maps the key of an instruction (opcode, type,
// attributes, operands) to the instruction met first with that key; a hit counts only if its block dominates. If it
// does not, its subtree is left for good, so the newer one takes its place: the table stays flat, nothing is missed and
// the pass is linear.
//
// Trapping opcodes that are idempotent (division, conditional traps) take part: a second, dominated one has nothing
// left to do; for a conditional trap that holds whatever its trap code, because the first did not trap. So do loads of
// memory that never changes (`readonly`), whether or not they may trap: the dominating one read the same. Where such a
// load or a conditional trap looks at a reference, any reference to the same object will do (objects.h).
//
// What a store puts where such a load looks is what the load finds, as it does not change: it becomes the value stored.
#include "passes/objects.h"
#include "passes/pipeline.h"

#include <string.h>

typedef struct Gvn {
    Pass *pass;
    Func *f;
    const Cfg *cfg;
    Objects objects;
    Map table;
} Gvn;

// A look at memory that never changes, or a store that may say what such a look finds.
static bool is_look(const InstData *inst) {
    return inst->op == OP_store || (inst->op == OP_load && inst->memflags & MF_READONLY);
}

static bool takes_part(const InstData *inst) {
    if (is_look(inst)) return true;
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

// What an instruction is the same in as those that it may replace: of a look, its address; else all operands.
static uint32_t n_operands(const InstData *inst) { return is_look(inst) ? 1 : inst->args.n; }
static Value operand(const Gvn *g, const InstData *inst, uint32_t k) {
    if (is_look(inst)) return object_of(&g->objects, list_get(g->f, inst->args, inst->op == OP_store));
    Value v = list_get(g->f, inst->args, k);
    return is_conditional_trap(inst) ? object_of(&g->objects, v) : v;
}

static uint64_t key_of(const Gvn *g, const InstData *inst) {
    bool any_code = is_look(inst) || is_conditional_trap(inst);
    uint64_t op = is_look(inst) ? (uint64_t)OP_load : inst->op;
    uint64_t flags = is_look(inst) ? 0 : inst->memflags;
    uint64_t key = hash_u64(op << 32 ^ (uint64_t)inst->type << 16 ^ (any_code ? 0 : inst->code));
    key = hash_u64(key ^ (uint64_t)inst->imm);
    key = hash_u64(key ^ inst->ref ^ flags << 32);
    for (uint32_t k = 0; k < n_operands(inst); k++) key = hash_u64(key ^ operand(g, inst, k).i);
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

// Do a and b differ in flags or codes in a way that matters, a coming first?
static bool same_flags(const InstData *a, const InstData *b) {
    // After the store the load traps for no reason; the byte order is the same.
    if (is_look(a) && a->op == OP_store) return !((a->memflags ^ b->memflags) & (MF_LITTLE | MF_BIG));
    return (a->code == b->code || is_conditional_trap(a)) && a->memflags == b->memflags;
}

// Is what b computes, or looks at, what a did before it?
static bool same(const Gvn *g, const InstData *a, const InstData *b) {
    bool looks = is_look(a) && is_look(b) && b->op == OP_load;
    if (!looks && (a->op != b->op || a->args.n != b->args.n || !same_results(g->f, a, b))) return false;
    if (a->type != b->type || a->imm != b->imm || a->ref != b->ref || !same_flags(a, b)) return false;
    for (uint32_t k = 0; k < n_operands(b); k++) {
        if (!value_eq(operand(g, a, k), operand(g, b, k))) return false;
    }
    return true;
}

static void visit(Gvn *g, Inst i) {
    Func *f = g->f;
    InstData *inst = inst_get(f, i);
    if (!takes_part(inst)) return;
    order_operands(f, inst);
    bool added;
    uint32_t *slot = map_add(&g->table, key_of(g, inst), i.i, &added);
    if (added) return;
    Inst earlier = {*slot};
    const InstData *first = inst_get(f, earlier);
    if (inst->op == OP_store || !same(g, first, inst) || !cfg_dominates(g->cfg, first->block, inst->block)) {
        *slot = i.i;
        return;
    }
    if (!pass_burn(g->pass)) return;
    for (uint32_t k = 0; k < inst->results.n; k++) {
        Value v = first->op == OP_store ? inst_arg(f, earlier, 0) : inst_result(f, earlier, k);
        value_alias(f, inst_result(f, i, k), v);
    }
    inst_remove(f, i);
}

// Requires verified SSA and only reachable blocks. Keeps them.
void pass_gvn(Pass *p) {
    Func *f = p->f;
    const Cfg *cfg = cfg_new(p->arena, f);
    Gvn g = {.pass = p, .f = f, .cfg = cfg, .objects = objects_find(p->arena, f, cfg), .table = map_new(p->arena)};
    Block *preorder = NEW_ARRAY(p->arena, Block, cfg->n_rpo);
    for (uint32_t k = 0; k < cfg->n_rpo; k++) preorder[cfg->dom_pre[cfg->rpo[k].i]] = cfg->rpo[k];
    for (uint32_t k = 0; k < cfg->n_rpo; k++) {
        for (Inst i = block_get(f, preorder[k])->first, next; inst_ok(i); i = next) {
            next = inst_get(f, i)->next;
            visit(&g, i);
        }
    }
}
