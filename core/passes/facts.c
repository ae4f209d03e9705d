// Facts: what branches and checks on the way to a place have decided, and what arithmetic cannot exceed.
//
//     block1(v1: i64):                        v1 starts at 0 and goes up by 1
//         v2 = icmp slt v1, v9                v9 = uextend.i64 v8, the length of an array
//         brif v2, block2, block3
//     block2:
//         v3 = icmp uge v1, v9                never: 0 <= v1 < v9
//         trapnz v3, user3                    goes
//
// Theory. The dominator tree is walked from the root; what a branch decides holds in the subtree of a block that only
// this edge enters, what a check decides holds behind it. SSA makes that sound in loops: a place that a fact dominates
// is not reached again, with new values in it, without passing the fact again. Ranges of definitions hold wherever the
// value can be used; ranges that a condition teaches are forgotten where its subtree ends (known.c). Children are
// visited in reverse postorder, so that every predecessor of a block but those behind it comes before it.
//
// Loops. A parameter that receives from behind only itself plus a constant is at least what it started as, if that sum
// never wraps; and it does not when the loop's tests bound the parameter where the sum is made. Those tests are looked
// for among the branches between the loop's head and the sum, which the walk has not met yet. Any other parameter of a
// block that is entered from behind can be anything.
//
// A check goes only when it is proved never to trap; a check that always traps stays. Nothing moves. Pure values that
// can only be one number become that number. Every question costs at most a constant: the pass is linear.
#include "passes/edit.h"
#include "passes/known.h"
#include "passes/pipeline.h"

#include "ir_build.h"

enum { HOPS = 8 }; // branches looked at above a loop's step

typedef struct Facts {
    Pass *pass;
    Func *f;
    const Cfg *cfg;
    Known known;
    bool branches; // were folded
} Facts;

// ---- edges ---------------------------------------------------------------------------------------

// Whether one edge alone enters b; which.
static bool only_edge(const Facts *s, Block b, CfgEdge *edge) {
    const Cfg *cfg = s->cfg;
    if (cfg->pred_at[b.i + 1] - cfg->pred_at[b.i] != 1 || block_eq(b, s->f->first)) return false;
    *edge = cfg->preds[cfg->pred_at[b.i]];
    return true;
}

static void learn_edge(Facts *s, Block b) {
    Func *f = s->f;
    CfgEdge edge;
    if (!only_edge(s, b, &edge)) return;
    Inst branch = block_get(f, edge.from)->last;
    const InstData *inst = inst_get(f, branch);
    uint32_t way = edge.target - inst->targets;
    if (way >= inst->n_targets) return; // the branch was folded, and b is not reached
    if (inst->op == OP_brif) {
        known_learn_zero(&s->known, inst_arg(f, branch, 0), way == 1);
    } else if (inst->op == OP_br_table) {
        Wide last = (Wide)UINT32_MAX;
        bool chosen = way > 0;
        Wide min = chosen ? (Wide)way - 1 : (Wide)inst->n_targets - 1;
        known_learn(&s->known, inst_arg(f, branch, 0), range_unsigned(T_i32, min, chosen ? min : last));
    }
}

// ---- parameters ----------------------------------------------------------------------------------

// What tests say of `param` where block `b` is left, on the way down from `head`.
static Range tested(const Facts *s, Value param, Block b, Block head) {
    const Func *f = s->f;
    Type type = value_type(f, param);
    Range r = range_all(type);
    for (int hop = 0; hop < HOPS && block_ok(b) && !block_eq(b, head); hop++, b = s->cfg->idom[b.i]) {
        CfgEdge edge;
        if (!only_edge(s, b, &edge)) continue;
        Inst branch = block_get(f, edge.from)->last;
        if (inst_get(f, branch)->op != OP_brif) continue;
        Inst test = value_def(f, inst_arg(f, branch, 0));
        if (!inst_ok(test) || inst_get(f, test)->op != OP_icmp) continue;
        uint8_t cc = inst_get(f, test)->code;
        if (edge.target != inst_get(f, branch)->targets) cc = icc_not[cc];
        Value x = inst_arg(f, test, 0);
        Value y = inst_arg(f, test, 1);
        if (value_eq(x, param)) r = range_if(type, (IntCC)cc, r, known_range(&s->known, y));
        else if (value_eq(y, param)) r = range_if(type, (IntCC)icc_swap[cc], r, known_range(&s->known, x));
    }
    return r;
}

// How a parameter changes from one round to the next.
typedef struct Steps {
    Range start; // joined over the edges from before
    bool started;
    Value first;            // what comes from before, if it is one value
    bool any;               // it can be anything
    bool up, down;          // there is a step that way
    bool exact[2];          // no step wraps, without and with sign
    Wide most[2], least[2]; // that a step makes
} Steps;

// From behind comes `param` plus a constant.
static void add_step(const Facts *s, Steps *steps, Value param, Value arg, Block head) {
    const Func *f = s->f;
    Inst def = value_def(f, arg);
    int64_t by;
    if (!inst_ok(def) || !known_is_offset(&s->known, def, &by) || !value_eq(inst_arg(f, def, 0), param)) {
        steps->any = true;
        return;
    }
    Range r = tested(s, param, inst_get(f, def)->block, head);
    if (by > 0) steps->up = true;
    else steps->down = true;
    for (int sign = 0; sign < 2; sign++) {
        steps->exact[sign] = steps->exact[sign] && range_is_exact(value_type(f, param), sign, r, by);
        Wide most = (sign ? (Wide)r.smax : (Wide)r.umax) + by;
        Wide least = (sign ? (Wide)r.smin : (Wide)r.umin) + by;
        if (most > steps->most[sign]) steps->most[sign] = most;
        if (least < steps->least[sign]) steps->least[sign] = least;
    }
}

static Steps find_steps(const Facts *s, Block b, uint32_t k) {
    const Func *f = s->f;
    const Cfg *cfg = s->cfg;
    Value param = block_param(f, b, k);
    Range none = range_all(value_type(f, param));
    Steps steps = {.start = none, .first = NO_VALUE, .exact = {true, true}};
    for (int sign = 0; sign < 2; sign++) {
        steps.most[sign] = sign ? (Wide)none.smin : 0;
        steps.least[sign] = sign ? (Wide)none.smax : (Wide)none.umax;
    }
    bool one = true;
    for (uint32_t e = cfg->pred_at[b.i]; e < cfg->pred_at[b.i + 1] && !steps.any; e++) {
        const CfgEdge *edge = &cfg->preds[e];
        Value arg = list_get(f, f->calls.v[edge->target].args, k);
        if (value_eq(arg, param)) continue;
        if (cfg->rpo_of[edge->from.i] >= cfg->rpo_of[b.i]) {
            add_step(s, &steps, param, arg, b);
            continue;
        }
        Range r = known_range(&s->known, arg);
        steps.start = steps.started ? range_join(steps.start, r) : r;
        one = one && (!steps.started || value_eq(steps.first, arg));
        steps.first = arg;
        steps.started = true;
    }
    if (!one) steps.first = NO_VALUE;
    return steps;
}

static Wide larger(Wide a, Wide b) { return a < b ? b : a; }
static Wide smaller(Wide a, Wide b) { return a < b ? a : b; }

static void define_param(Facts *s, Block b, uint32_t k) {
    Value param = block_param(s->f, b, k);
    Type type = value_type(s->f, param);
    if (!type_is_int(type)) return;
    Range all = range_all(type);
    if (block_eq(b, s->f->first)) {
        known_define(&s->known, param, all);
        return;
    }
    Steps steps = find_steps(s, b, k);
    bool loops = steps.up || steps.down;
    if (steps.any || !steps.started) {
        known_define(&s->known, param, all);
        return;
    }
    Range r = steps.start;
    if (loops) {
        // Where no step wraps: what it started as, and what the steps make of that in one direction.
        Range start = steps.start;
        r = all;
        if (steps.exact[0])
            r = range_unsigned(type, steps.down ? smaller(start.umin, steps.least[0]) : (Wide)start.umin,
                               steps.up ? larger(start.umax, steps.most[0]) : (Wide)start.umax);
        if (steps.exact[1])
            r = range_meet(type, r,
                           range_signed(type, steps.down ? smaller(start.smin, steps.least[1]) : (Wide)start.smin,
                                        steps.up ? larger(start.smax, steps.most[1]) : (Wide)start.smax));
    }
    known_define(&s->known, param, r);
    if (!loops || !value_ok(steps.first)) return;
    for (int sign = 0; sign < 2; sign++) {
        if (!steps.exact[sign]) continue;
        if (!steps.down) known_relate(&s->known, sign, steps.first, param, 0);
        if (!steps.up) known_relate(&s->known, sign, param, steps.first, 0);
    }
}

// ---- instructions --------------------------------------------------------------------------------

static void fold_branch(Facts *s, Block b, Inst i) {
    Func *f = s->f;
    uint64_t bits;
    if (value_const(f, inst_arg(f, i, 0), &bits)) return; // a plain constant is another pass's work
    int zero = known_zero(&s->known, inst_arg(f, i, 0));
    if (zero < 0 || !pass_burn(s->pass)) return;
    block_end_with_jump(f, b, i, f->calls.v[inst_get(f, i)->targets + (uint32_t)zero]);
    s->branches = true;
}

static void check(Facts *s, Inst i) {
    Value v = inst_arg(s->f, i, 0);
    bool traps_on_zero = inst_get(s->f, i)->op == OP_trapz;
    int zero = known_zero(&s->known, v);
    if (zero == !traps_on_zero && pass_burn(s->pass)) inst_remove(s->f, i);
    else known_learn_zero(&s->known, v, !traps_on_zero);
}

// An addition that cannot overflow is a plain one, with a bit that is 0.
static void fold_overflow(Facts *s, Inst i) {
    Func *f = s->f;
    const InstData inst = *inst_get(f, i);
    Op plain;
    switch (inst.op) {
    case OP_sadd_overflow:
    case OP_uadd_overflow: plain = OP_iadd; break;
    case OP_ssub_overflow:
    case OP_usub_overflow: plain = OP_isub; break;
    case OP_smul_overflow:
    case OP_umul_overflow: plain = OP_imul; break;
    default: return;
    }
    if (!range_is_one(known_range(&s->known, inst_result(f, i, 1))) || !pass_burn(s->pass)) return;
    Value bit = inst_result(f, i, 1);
    InstData *now = inst_get(f, i);
    now->op = (uint16_t)plain;
    now->results.n = 1;
    Builder b = {.f = f, .at = NO_BLOCK, .srcloc = inst.srcloc};
    Value zero = ir_iconst(&b, T_i8, 0);
    inst_insert_before(f, value_def(f, zero), i);
    value_alias(f, bit, zero);
}

static void define_results(Facts *s, Inst i) {
    Func *f = s->f;
    const InstData *inst = inst_get(f, i);
    Range args[OP_MAX_ARGS];
    if (!inst->results.n) return;
    bool plain = !op_has(inst->op, OPF_call) && inst->args.n <= OP_MAX_ARGS;
    for (uint32_t k = 0; plain && k < inst->args.n; k++) {
        Value v = list_get(f, inst->args, k);
        if (type_is_int(value_type(f, v))) args[k] = known_range(&s->known, v);
    }
    for (uint32_t k = 0; k < inst->results.n; k++) {
        Value v = inst_result(f, i, k);
        Type type = value_type(f, v);
        if (!type_is_int(type)) continue;
        known_define(&s->known, v, plain ? range_result(f, i, k, args) : range_all(type));
    }
}

static void fold_result(Facts *s, Inst i) {
    Func *f = s->f;
    if (inst_get(f, i)->results.n == 2) fold_overflow(s, i);
    const InstData *inst = inst_get(f, i);
    if (!op_has(inst->op, OPF_pure) || inst->op == OP_iconst) return;
    if (inst->results.n != 1 || !type_is_int(value_type(f, inst_result(f, i, 0)))) return;
    Value v = inst_result(f, i, 0);
    Range r = known_range(&s->known, v);
    if (inst->op == OP_icmp) {
        int holds = known_icmp(&s->known, (IntCC)inst->code, inst_arg(f, i, 0), inst_arg(f, i, 1));
        if (holds >= 0) r = range_const(T_i8, (uint64_t)holds);
    }
    if (!range_is_one(r) || inst->op == OP_select_spectre_guard || !pass_burn(s->pass)) return;
    known_define(&s->known, v, r);
    inst_become_const(f, i, r.umin);
}

static void visit(Facts *s, Block b) {
    Func *f = s->f;
    learn_edge(s, b);
    for (uint32_t k = 0; k < block_get(f, b)->params.n; k++) define_param(s, b, k);
    for (Inst i = block_get(f, b)->first, next; inst_ok(i); i = next) {
        next = inst_get(f, i)->next;
        define_results(s, i);
        switch (inst_get(f, i)->op) {
        case OP_trapz:
        case OP_trapnz: check(s, i); break;
        case OP_brif: fold_branch(s, b, i); break;
        default: fold_result(s, i); break;
        }
    }
}

// ---- the walk ------------------------------------------------------------------------------------

// Requires verified SSA and only reachable blocks. Keeps them.
void pass_facts(Pass *p) {
    Func *f = p->f;
    const Cfg *cfg = cfg_new(p->arena, f);
    Facts s = {.pass = p, .f = f, .cfg = cfg, .known = known_new(p->arena, f, cfg)};
    // Children of the dominator tree, each list in reverse postorder.
    uint32_t *child = all_none(p->arena, f->blocks.n);
    uint32_t *sibling = all_none(p->arena, f->blocks.n);
    for (uint32_t k = cfg->n_rpo; k-- > 1;) {
        uint32_t b = cfg->rpo[k].i;
        sibling[b] = child[cfg->idom[b].i];
        child[cfg->idom[b].i] = b;
    }
    KnownMark *at_end = NEW_ARRAY(p->arena, KnownMark, f->blocks.n);
    Block b = f->first;
    while (block_ok(b)) {
        Block above = cfg->idom[b.i];
        if (block_ok(above)) known_back(&s.known, at_end[above.i]);
        visit(&s, b);
        at_end[b.i] = known_mark(&s.known);
        // Down, or else to the next one beside this or one above it.
        Block next = {child[b.i]};
        for (; !block_ok(next) && block_ok(b); b = cfg->idom[b.i]) next = (Block){sibling[b.i]};
        b = next;
    }
    if (s.branches) pass_unreachable(p);
}
