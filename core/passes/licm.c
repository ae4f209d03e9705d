// Loop-invariant code motion: a pure instruction whose operands all come from outside a loop is done once before it.
//
// Where to. For the loop of header h the landing is the nearest dominator of h that is in fewer loops; the instruction
// goes in front of its terminator. That is sound even when the landing may leave for elsewhere, because what moves is
// pure. Every operand defined outside the loop dominates h strictly, hence also each of h's dominators down to its
// own block; the test against the landing is only needed when the landing is not the immediate dominator.
//
// In or out. Let D define an operand of i, and let i be in the loop of h. D and h both dominate i, so one of the two
// dominates the other. If h dominates D, D is in the loop: it reaches i, and i reaches the back edge. Else it is not.
//
// One sweep in reverse postorder, so operands move before their users; an instruction climbs as many loops as it can.
//
// Not moved: constants (selection repeats them where they are used; they move along with what needs them), compares
// (fused with the branch that uses them, which a register would be worse than), anything in a cold block (it runs
// less often than the landing). Loads only when they are marked as free to move.
#include "passes/pipeline.h"

#include "ir/dom.h"
#include "passes/edit.h"

enum { HOPS = 4 }; // dominators looked at for a landing

typedef struct Licm {
    Pass *pass;
    Func *f;
    const Cfg *cfg;
    Block *landing; // by header; itself = not looked for yet, NO_BLOCK = none
} Licm;

static Block find_landing(const Cfg *cfg, Block h) {
    Block b = h;
    for (int n = 0; n < HOPS && block_ok(b); n++) {
        b = cfg->idom[b.i];
        if (block_ok(b) && cfg->depth[b.i] < cfg->depth[h.i]) return b;
    }
    return NO_BLOCK;
}

static bool may_move(const InstData *inst) {
    switch (inst->op) {
    case OP_iconst:
    case OP_f32const:
    case OP_f64const:
    case OP_stack_addr:
    case OP_func_addr:
    case OP_symbol_value:
    case OP_icmp:
    case OP_fcmp: return false;
    case OP_load: {
        uint8_t free = MF_NOTRAP | MF_READONLY | MF_CAN_MOVE;
        return (inst->memflags & free) == free;
    }
    default: return op_has(inst->op, OPF_pure) && inst->results.n == 1;
    }
}

static Block def_block(const Func *f, Value v) {
    Inst def = value_def(f, v);
    if (inst_ok(def)) return inst_get(f, def)->block;
    return (Block){f->values.v[func_value(f, v).i].owner};
}

static bool is_const(const Func *f, Value v) {
    uint64_t bits;
    return value_const(f, v, &bits);
}

// Whether each operand of i is a constant or made outside the loop of h, where `landing` can see it.
static bool is_invariant(const Licm *l, Inst i, Block h, Block landing) {
    const Func *f = l->f;
    ValueList args = inst_get(f, i)->args;
    for (uint32_t k = 0; k < args.n; k++) {
        Value v = list_get(f, args, k);
        if (is_const(f, v)) continue;
        Block def = def_block(f, v);
        if (cfg_dominates(l->cfg, h, def) || !cfg_dominates(l->cfg, def, landing)) return false;
    }
    return true;
}

static void move(Func *f, Inst i, Block to) {
    inst_remove(f, i);
    inst_insert_before(f, i, block_get(f, to)->last);
}

static void hoist(Licm *l, Inst i) {
    Func *f = l->f;
    Block to = NO_BLOCK;
    for (Block h = l->cfg->loop[inst_get(f, i)->block.i]; block_ok(h); h = l->cfg->loop[to.i]) {
        if (block_eq(l->landing[h.i], h)) l->landing[h.i] = find_landing(l->cfg, h);
        Block landing = l->landing[h.i];
        if (!block_ok(landing) || !is_invariant(l, i, h, landing)) break;
        to = landing;
    }
    if (!block_ok(to) || !pass_burn(l->pass)) return;
    ValueList args = inst_get(f, i)->args;
    for (uint32_t k = 0; k < args.n; k++) {
        Value v = list_get(f, args, k);
        if (is_const(f, v) && !cfg_dominates(l->cfg, def_block(f, v), to)) move(f, value_def(f, v), to);
    }
    move(f, i, to);
}

// Requires verified SSA and only reachable blocks. Keeps them. Makes pure work in loops depend on the loop.
void pass_licm(Pass *p) {
    Func *f = p->f;
    Licm l = {.pass = p, .f = f, .cfg = cfg_new(p->arena, f)};
    l.landing = NEW_ARRAY(p->arena, Block, f->blocks.n);
    for (uint32_t b = 0; b < f->blocks.n; b++) l.landing[b] = (Block){b};
    for (uint32_t k = 0; k < l.cfg->n_rpo; k++) {
        Block b = l.cfg->rpo[k];
        if (!block_ok(l.cfg->loop[b.i]) || block_get(f, b)->cold) continue;
        for (Inst i = block_get(f, b)->first, next; inst_ok(i); i = next) {
            next = inst_get(f, i)->next;
            if (may_move(inst_get(f, i))) hoist(&l, i);
        }
    }
}
