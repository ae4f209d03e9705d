// Expression trees: in which order instructions stand, and which values stay on the operand stack.
//
// Theory. A value needs no local when its definition stands where it is used: `get a; get b; add; get c; mul` is the
// tree (a + b) * c. The code of a block is made backwards, last operation first, by a walk that never looks further
// than the next operand (as LLVM's RegStackify and, for Forth, Koopman's stack scheduling do; the order of effects is
// kept with two cursors instead of searches, so the time is linear):
//
//   roots    from the last instruction up, each that was not placed yet is placed: its operands follow, last one first
//   operand  write `get v`. If v is defined in this block and may stand here, place its definition here.
//   place    write `set v` for each result (the first one next to the code behind), the instruction, then its operands.
//            Where `set v` meets `get v` both go: the value stays on the stack. When there are more uses they become
//            `tee v`: as the walk goes backwards, the use at hand is the first one when all others are written.
//
// So the definition d of v may stand here when every use of its results in this block is written, and when it may pass
// what is not written yet but stood behind it: everything pure passes; what only reads memory may not pass a write;
// what traps or writes may pass nothing that reads, traps or writes. The last write that is not written yet (cursor
// LAST_WRITE) and the last of all (LAST_ANY) decide that. Roots pass nothing, since all behind them is written. Pure
// includes reads of other vregs: code is SSA, a local has one value while it lives, and locals.c sees the final order.
//
//   v1 = load a        the root `store b, v2` asks for v2, whose definition asks for v1 and c: `get b; get a; load;
//   v2 = add v1, c     get c; add; store`. With a call between v1 and the store, v1 could not pass it: `get a; load;
//   store b, v2        set v1; call; get b; get v1; get c; add; store`.
//
// The terminators' operands are a root, and so is the edge out of a block with one successor: its arguments are pushed,
// in the order of their definitions, then popped into the parameters, which is a correct parallel move. An edge's trees
// take the block's instructions with them.
//
// What may not stand at its use may still wait on the stack below what is done in between: `v = load a; check i; store
// b, v` becomes `get b; get a; load; get i; check; store`. The walk then goes on with roots, all in one, until it comes
// to the definition. Operands that are pushed below v are computed in front of it, so what they are made of behind it
// must be pure; looking for that ends after REACH instructions, and DEPTH of those that are being written. Roots that
// are left for later since such an operand needs them are placed with it.
//
// Constants (VReg.remat) are repeated when that is no longer than a local; copies are other names of what they copy;
// what nobody needs (unused results, parameters that only feed themselves) does not become code.
//
// Rules for whoever edits it: no recursion (trees are as deep as blocks are long); `here` counts the uses in the block
// at hand that are not written; nothing below `floor` of the reversed code may be changed any more.
#include <stdlib.h>

#include "stack/operands.h"
#include "stack/stack.h"
#include "support/bits.h"

enum { FX_READ = 1, FX_TRAP = 2, FX_WRITE = 4 };
enum { LAST_WRITE, LAST_ANY, N_CURSORS };
enum { REACH = 24, DEPTH = 128 };

// What is still to be written.
typedef struct Frame {
    uint32_t inst, left; // operands: the first `left` of an instruction or, inst = NONE, of an edge (Trees.args)
    bool waits;          // roots behind `inst`, then `inst`, whose result waits on the stack
} Frame;

typedef struct EdgeArg {
    uint32_t arg, param;
    uint32_t order; // where the argument is defined in the block, 0 = elsewhere
} EdgeArg;

typedef struct Trees {
    MFunc *m;
    StackPlan *plan;
    Arena *tmp;
    uint32_t *name;     // by vreg: what it is a copy of, or itself
    uint32_t *def;      // by vreg: the instruction that defines it, NONE = it is a parameter
    uint32_t *param_of; // by vreg: block that it is a parameter of, NONE = none
    uint32_t *param_at; // which one
    uint32_t *in_first; // by block: run in in_edges; one more element for the end
    uint32_t *in_edges;
    uint8_t *fx;     // by instruction: FX_*, 0 for what is not needed
    Bits live;       // instructions that are needed
    Bits placed;     // instructions that are written
    Bits needed;     // vregs that are
    Bits repeat;     // vregs whose definition stands at each use
    uint32_t *total; // by vreg: uses
    uint32_t *here;  // by vreg: uses in the block that defines it, not written yet
    VEC(uint32_t) work;
    VEC(Frame) frames;
    VEC(StackOp) rev; // the block's code, last operation first
    uint32_t floor;
    VEC(EdgeArg) args;
    uint32_t first, end;        // the block at hand
    uint32_t cursor[N_CURSORS]; // one behind the instruction they mean
    uint32_t root;              // one behind the next root
} Trees;

static void put(Trees *t, StackOpKind kind, uint32_t x) {
    vec_push(t->m->arena, &t->plan->ops, (StackOp){(uint8_t)kind, x});
}

static uint32_t slot_number(const Trees *t, const MOpnd *o) { return (uint32_t)(o - t->m->slots_pool.v); }

// ---- every value in its local ---------------------------------------------------------------------

static void push_operands(Trees *t, const MInst *i) {
    for (unsigned k = 0; k < i->n_slots; k++) {
        const MOpnd *o = stack_slot(t->m, i, k);
        if (!stack_is_push(o)) continue;
        if (o->kind == MO_SLOT) put(t, SOP_FRAME, slot_number(t, o));
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
    for (uint32_t k = 0; k < e->n_args; k++) put(t, SOP_GET, m->lists.v[e->args + k]);
    for (uint32_t k = e->n_args; k-- > 0;) put(t, SOP_SET, m->lists.v[m->blocks.v[e->block].params + k]);
}

static void plain(Trees *t) {
    const MFunc *m = t->m;
    StackPlan *plan = t->plan;
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        plan->blocks[b].first = plan->ops.n;
        plain_block(t, &m->blocks.v[b]);
        plan->blocks[b].n = plan->ops.n - plan->blocks[b].first;
    }
    for (uint32_t e = 0; e < m->edges.n; e++) {
        plan->edges[e].first = plan->ops.n;
        plain_edge(t, &m->edges.v[e]);
        plan->edges[e].n = plan->ops.n - plan->edges[e].first;
    }
}

// ---- definitions, copies, effects -----------------------------------------------------------------

static unsigned effects(const Trees *t, const MInst *i) {
    if (mop_is_pseudo(i->mop)) return 0;
    unsigned flags = t->m->target->insts[i->mop].flags;
    unsigned fx = 0;
    if (flags & (MD_STORES | MD_CALL | MD_RETURN | MD_EFFECT)) fx |= FX_WRITE;
    if (i->trap || i->flags & MI_TRAP || flags & MD_BRANCH) fx |= FX_TRAP;
    if (flags & MD_LOADS) fx |= FX_READ;
    return fx;
}

static uint32_t name_value(Trees *t, uint32_t v) {
    while (t->name[v] != v) {
        t->name[v] = t->name[t->name[v]];
        v = t->name[v];
    }
    return v;
}

static void find_defs(Trees *t) {
    const MFunc *m = t->m;
    for (uint32_t v = 0; v < m->vregs.n; v++) {
        t->name[v] = v;
        t->def[v] = t->param_of[v] = NONE;
    }
    for (uint32_t n = 0; n < m->insts.n; n++) {
        const MInst *i = &m->insts.v[n];
        const MOpnd *o = minst_slots(m, i);
        for (unsigned k = 0; k < i->n_slots; k++)
            if (o[k].kind == MO_VREG && stack_is_result(&o[k])) t->def[o[k].reg] = n;
        if (i->mop == MOP_COPY) t->name[o[0].reg] = o[1].reg;
    }
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        for (uint32_t k = 0; k < m->blocks.v[b].n_params; k++) {
            uint32_t v = m->lists.v[m->blocks.v[b].params + k];
            t->param_of[v] = b;
            t->param_at[v] = k;
        }
    }
}

static void find_edges(Trees *t) {
    const MFunc *m = t->m;
    for (uint32_t e = 0; e < m->edges.n; e++) t->in_first[m->edges.v[e].block + 1]++;
    for (uint32_t b = 0; b < m->blocks.n; b++) t->in_first[b + 1] += t->in_first[b];
    uint32_t *at = arena_copy(t->tmp, t->in_first, (m->blocks.n + 1) * sizeof *at);
    for (uint32_t e = 0; e < m->edges.n; e++) t->in_edges[at[m->edges.v[e].block]++] = e;
}

// ---- what is needed -------------------------------------------------------------------------------

static void need_inst(Trees *t, uint32_t n) {
    if (bits_has(t->live, n)) return;
    bits_add(t->live, n);
    const MInst *i = &t->m->insts.v[n];
    const MOpnd *o = minst_slots(t->m, i);
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (o[k].kind != MO_VREG || stack_is_result(&o[k])) continue;
        uint32_t v = name_value(t, o[k].reg);
        t->total[v]++;
        if (bits_has(t->needed, v)) continue;
        bits_add(t->needed, v);
        vec_push(t->tmp, &t->work, v);
    }
}

static void need_args(Trees *t, uint32_t param) {
    const MFunc *m = t->m;
    uint32_t b = t->param_of[param];
    for (uint32_t k = t->in_first[b]; k < t->in_first[b + 1]; k++) {
        const MEdge *e = &m->edges.v[t->in_edges[k]];
        uint32_t v = name_value(t, m->lists.v[e->args + t->param_at[param]]);
        if (v == param) continue;
        t->total[v]++;
        if (bits_has(t->needed, v)) continue;
        bits_add(t->needed, v);
        vec_push(t->tmp, &t->work, v);
    }
}

static void find_needed(Trees *t) {
    const MFunc *m = t->m;
    for (uint32_t n = 0; n < m->insts.n; n++) {
        const MInst *i = &m->insts.v[n];
        if (i->flags & MI_TERM || effects(t, i) & (FX_TRAP | FX_WRITE)) need_inst(t, n);
    }
    while (t->work.n) {
        uint32_t v = t->work.v[--t->work.n];
        if (t->param_of[v] != NONE) need_args(t, v);
        else if (t->def[v] != NONE) need_inst(t, t->def[v]);
    }
    for (uint32_t n = 0; n < m->insts.n; n++)
        if (bits_has(t->live, n)) t->fx[n] = (uint8_t)effects(t, &m->insts.v[n]);
}

// ---- constants ------------------------------------------------------------------------------------

enum { SYM_SIZE = 4, FRAME_SIZE = 2, LOCAL_SIZE = 2 };

// Bytes of an instruction without uses. An address of a symbol has few digits when all is linked.
static unsigned size_of(const Trees *t, const MInst *i) {
    unsigned size = 0;
    const MOpnd *o = minst_slots(t->m, i);
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (o[k].kind == MO_SYM) return SYM_SIZE;
        if (o[k].kind == MO_SLOT) size += FRAME_SIZE;
    }
    Encoded code;
    if (size || !t->m->target->encode(i->mop, o, t->m->features, &code)) return size + SYM_SIZE;
    return code.n;
}

// A local costs `set` and `get`s, of which the first may be one `tee`.
static void find_repeated(Trees *t) {
    const MFunc *m = t->m;
    for (uint32_t v = 0; v < m->vregs.n; v++) {
        if (t->name[v] != v || !t->total[v] || m->vregs.v[v].remat == NONE) continue;
        uint64_t uses = t->total[v];
        uint64_t size = size_of(t, &m->insts.v[m->vregs.v[v].remat]);
        if (uses * size > size + LOCAL_SIZE * uses) continue;
        bits_add(t->repeat, v);
        bits_del(t->live, m->vregs.v[v].remat); // it is no instruction of its block any more
    }
}

// ---- writing backwards ----------------------------------------------------------------------------

static void write(Trees *t, StackOpKind kind, uint32_t x) { vec_push(t->tmp, &t->rev, (StackOp){(uint8_t)kind, x}); }

static bool is_of_block(const Trees *t, uint32_t inst) { return inst >= t->first && inst < t->end; }

// Whether instruction d of the block, which is not written, may stand in front of all that is, behind all that is not.
static bool may_pass(Trees *t, uint32_t d) {
    if (!t->fx[d]) return true;
    unsigned which = t->fx[d] == FX_READ ? LAST_WRITE : LAST_ANY;
    unsigned mask = t->fx[d] == FX_READ ? FX_WRITE : FX_READ | FX_TRAP | FX_WRITE;
    uint32_t *at = &t->cursor[which];
    while (*at > d + 1 && (bits_has(t->placed, *at - 1) || !(t->fx[*at - 1] & mask))) --*at;
    return *at <= d + 1;
}

// Whether uses of what it defines are not written yet.
static bool is_awaited(const Trees *t, uint32_t n) {
    const MInst *i = &t->m->insts.v[n];
    const MOpnd *o = minst_slots(t->m, i);
    for (unsigned k = 0; k < i->n_slots; k++)
        if (o[k].kind == MO_VREG && stack_is_result(&o[k]) && t->here[o[k].reg]) return true;
    return false;
}

static bool may_move(const Trees *t, uint32_t d) {
    const MInst *i = &t->m->insts.v[d];
    if (!is_of_block(t, d) || bits_has(t->placed, d) || i->mop == MOP_ENTRY || i->flags & MI_TERM) return false;
    return !is_awaited(t, d);
}

static bool may_stand(Trees *t, uint32_t d) { return may_move(t, d) && may_pass(t, d); }

// Adds the definitions behind d that an operand is made of to `work`; false when one is not pure.
static bool add_later_def(Trees *t, const MOpnd *o, uint32_t d) {
    if (o->kind != MO_VREG || stack_is_result(o)) return true;
    uint32_t v = name_value(t, o->reg);
    uint32_t def = t->def[v];
    if (bits_has(t->repeat, v) || def == NONE || def < d || !is_of_block(t, def)) return true;
    vec_push(t->tmp, &t->work, def);
    return !t->fx[def] && !bits_has(t->placed, def);
}

// Whether the operands that are to be pushed below the result of d can be computed in front of it.
static bool are_early(Trees *t, uint32_t d) {
    uint32_t reach = REACH;
    uint32_t depth = DEPTH;
    uint32_t f = t->frames.n;
    t->work.n = 0;
    for (; f-- > 0 && !t->frames.v[f].waits;) {
        const Frame *frame = &t->frames.v[f];
        if (!depth--) return false;
        for (uint32_t k = 0; k < frame->left; k++) {
            MOpnd arg = {.kind = MO_VREG, .role = ROLE_USE};
            if (frame->inst == NONE) arg.reg = t->args.v[k].arg;
            else arg = *stack_slot(t->m, &t->m->insts.v[frame->inst], k);
            if (!reach-- || !add_later_def(t, &arg, d)) return false;
        }
    }
    if (f != NONE && d <= t->frames.v[f].inst) return false; // behind what waits below
    while (t->work.n) {
        const MInst *i = &t->m->insts.v[t->work.v[--t->work.n]];
        const MOpnd *o = minst_slots(t->m, i);
        if (!reach--) return false;
        for (unsigned k = 0; k < i->n_slots; k++)
            if (!add_later_def(t, &o[k], d)) return false;
    }
    return true;
}

// Whether the one result of d may wait on the stack while what stands behind d is done.
static bool may_wait(Trees *t, uint32_t d) {
    if (!may_move(t, d) || d >= t->root) return false;
    const MInst *i = &t->m->insts.v[d];
    const MOpnd *o = minst_slots(t->m, i);
    unsigned results = 0;
    for (unsigned k = 0; k < i->n_slots; k++) results += stack_is_result(&o[k]);
    return results == 1 && are_early(t, d);
}

static void write_result(Trees *t, uint32_t v) {
    if (!t->total[v]) {
        write(t, SOP_DROP, 0);
    } else if (t->rev.n > t->floor && vec_last(&t->rev).kind == SOP_GET && vec_last(&t->rev).x == v) {
        if (t->total[v] == 1) t->rev.n--;
        else vec_last(&t->rev).kind = SOP_TEE;
    } else {
        write(t, SOP_SET, v);
    }
}

static void write_inst(Trees *t, uint32_t n) {
    write(t, SOP_INST, n);
    vec_push(t->tmp, &t->frames, (Frame){n, t->m->insts.v[n].n_slots, false});
}

static void place(Trees *t, uint32_t n) {
    const MInst *i = &t->m->insts.v[n];
    bits_add(t->placed, n);
    for (unsigned k = 0; k < i->n_slots; k++) {
        const MOpnd *o = stack_slot(t->m, i, k);
        if (!stack_is_result(o)) continue;
        if (o->kind == MO_VREG) write_result(t, o->reg);
        else write(t, SOP_DROP, 0);
    }
    write_inst(t, n);
}

static void write_use(Trees *t, uint32_t v) {
    if (bits_has(t->repeat, v)) {
        write_inst(t, t->m->vregs.v[v].remat);
        return;
    }
    uint32_t d = t->def[v];
    write(t, SOP_GET, v);
    if (d == NONE || !is_of_block(t, d)) return;
    t->here[v]--;
    if (may_stand(t, d)) {
        place(t, d);
    } else if (may_wait(t, d)) {
        t->rev.n--;
        vec_push(t->tmp, &t->frames, (Frame){d, 0, true});
    }
}

// Places the next root behind instruction `end`; false when there is none.
static bool next_root(Trees *t, uint32_t end) {
    while (t->root > end) {
        uint32_t n = --t->root;
        if (!bits_has(t->live, n) || bits_has(t->placed, n) || mop_is_pseudo(t->m->insts.v[n].mop)) continue;
        if (is_awaited(t, n)) continue;
        place(t, n);
        return true;
    }
    return false;
}

// Roots behind what waits, one at a time; at last itself.
static void write_waiting(Trees *t, uint32_t d) {
    if (next_root(t, d + 1)) return;
    t->frames.n--;
    t->root = d;
    bits_add(t->placed, d);
    const MInst *i = &t->m->insts.v[d];
    for (unsigned k = 0; k < i->n_slots; k++) {
        const MOpnd *o = stack_slot(t->m, i, k);
        if (stack_is_result(o) && t->total[o->reg] > 1) write(t, SOP_TEE, o->reg);
    }
    write_inst(t, d);
}

// Writes what is to be written until `base` frames are left.
static void write_operands(Trees *t, uint32_t base) {
    while (t->frames.n > base) {
        Frame *f = &vec_last(&t->frames);
        if (f->waits) {
            write_waiting(t, f->inst);
            continue;
        }
        if (!f->left) {
            t->frames.n--;
            continue;
        }
        f->left--;
        if (f->inst == NONE) {
            write_use(t, t->args.v[f->left].arg);
            continue;
        }
        const MOpnd *o = stack_slot(t->m, &t->m->insts.v[f->inst], f->left);
        if (!stack_is_push(o)) continue;
        if (o->kind == MO_SLOT) write(t, SOP_FRAME, slot_number(t, o));
        else write_use(t, name_value(t, o->reg));
    }
}

// ---- edges ----------------------------------------------------------------------------------------

static int compare_args(const void *x, const void *y) {
    const EdgeArg *a = x;
    const EdgeArg *b = y;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    return a->param < b->param ? -1 : a->param > b->param;
}

// What an edge has to move.
static void find_args(Trees *t, uint32_t edge) {
    const MFunc *m = t->m;
    const MEdge *e = &m->edges.v[edge];
    t->args.n = 0;
    for (uint32_t k = 0; k < e->n_args; k++) {
        uint32_t param = m->lists.v[m->blocks.v[e->block].params + k];
        uint32_t arg = name_value(t, m->lists.v[e->args + k]);
        if (!bits_has(t->needed, param) || arg == param) continue;
        uint32_t d = t->def[arg];
        bool moves = d != NONE && is_of_block(t, d) && !bits_has(t->repeat, arg);
        vec_push(t->tmp, &t->args, (EdgeArg){arg, param, moves ? d + 1 : 0});
    }
    if (t->args.n > 1) qsort(t->args.v, t->args.n, sizeof *t->args.v, compare_args);
}

static void write_edge(Trees *t, uint32_t edge) {
    find_args(t, edge);
    for (uint32_t k = 0; k < t->args.n; k++) write(t, SOP_SET, t->args.v[k].param);
    vec_push(t->tmp, &t->frames, (Frame){NONE, t->args.n, false});
    write_operands(t, t->frames.n - 1);
}

// ---- blocks ---------------------------------------------------------------------------------------

// Counts the uses in the block of what it defines.
static void count_uses(Trees *t, const MBlock *b) {
    const MFunc *m = t->m;
    for (uint32_t n = b->first; n < b->first + b->n; n++) {
        if (!bits_has(t->live, n)) continue;
        const MInst *i = &m->insts.v[n];
        const MOpnd *o = minst_slots(m, i);
        for (unsigned k = 0; k < i->n_slots; k++) {
            if (o[k].kind != MO_VREG || stack_is_result(&o[k])) continue;
            uint32_t v = name_value(t, o[k].reg);
            if (t->def[v] != NONE && is_of_block(t, t->def[v])) t->here[v]++;
        }
    }
    if (b->n_succs != 1) return;
    find_args(t, b->succs);
    for (uint32_t k = 0; k < t->args.n; k++)
        if (t->args.v[k].order) t->here[t->args.v[k].arg]++;
}

// Moves reversed code [from, to) to the plan.
static StackRun keep(Trees *t, uint32_t from, uint32_t to) {
    StackRun run = {t->plan->ops.n, to - from};
    for (uint32_t k = to; k-- > from;) put(t, (StackOpKind)t->rev.v[k].kind, t->rev.v[k].x);
    return run;
}

static void make_block(Trees *t, uint32_t block) {
    const MFunc *m = t->m;
    const MBlock *b = &m->blocks.v[block];
    uint32_t body = b->first + stack_body(m, b);
    t->first = b->first;
    t->end = b->first + b->n;
    for (unsigned k = 0; k < N_CURSORS; k++) t->cursor[k] = body;
    t->root = body;
    t->rev.n = t->floor = 0;
    count_uses(t, b);
    for (uint32_t n = t->end; n-- > body;) vec_push(t->tmp, &t->frames, (Frame){n, m->insts.v[n].n_slots, false});
    if (b->n_succs == 1) write_edge(t, b->succs);
    uint32_t edge_end = t->floor = t->rev.n;
    write_operands(t, 0);
    while (next_root(t, t->first)) write_operands(t, 0);
    t->plan->blocks[block] = keep(t, edge_end, t->rev.n);
    if (b->n_succs == 1) t->plan->edges[b->succs] = keep(t, 0, edge_end);
}

// Edges out of a block with several successors stand at the start of theirs.
static void make_edges(Trees *t, const MBlock *b) {
    if (b->n_succs < 2) return;
    t->first = t->end = 0;
    for (uint32_t e = b->succs; e < b->succs + b->n_succs; e++) {
        t->rev.n = t->floor = 0;
        write_edge(t, e);
        t->plan->edges[e] = keep(t, 0, t->rev.n);
    }
}

static void optimised(Trees *t) {
    const MFunc *m = t->m;
    t->name = NEW_ARRAY(t->tmp, uint32_t, m->vregs.n);
    t->def = NEW_ARRAY(t->tmp, uint32_t, m->vregs.n);
    t->param_of = NEW_ARRAY(t->tmp, uint32_t, m->vregs.n);
    t->param_at = NEW_ARRAY(t->tmp, uint32_t, m->vregs.n);
    t->in_first = NEW_ARRAY(t->tmp, uint32_t, m->blocks.n + 1);
    t->in_edges = NEW_ARRAY(t->tmp, uint32_t, m->edges.n);
    t->fx = NEW_ARRAY(t->tmp, uint8_t, m->insts.n);
    t->live = bits_new(t->tmp, m->insts.n);
    t->placed = bits_new(t->tmp, m->insts.n);
    t->needed = bits_new(t->tmp, m->vregs.n);
    t->repeat = bits_new(t->tmp, m->vregs.n);
    t->total = NEW_ARRAY(t->tmp, uint32_t, m->vregs.n);
    t->here = NEW_ARRAY(t->tmp, uint32_t, m->vregs.n);
    find_defs(t);
    find_edges(t);
    find_needed(t);
    find_repeated(t);
    for (uint32_t b = 0; b < m->blocks.n; b++) make_block(t, b);
    for (uint32_t b = 0; b < m->blocks.n; b++) make_edges(t, &m->blocks.v[b]);
}

void stack_trees(MFunc *m, StackPlan *plan, bool optimise) {
    Trees t = {.m = m, .plan = plan, .tmp = arena_new(m->ctx)};
    plan->blocks = NEW_ARRAY(m->arena, StackRun, m->blocks.n);
    plan->edges = NEW_ARRAY(m->arena, StackRun, m->edges.n);
    if (optimise) optimised(&t);
    else plain(&t);
    arena_free(t.tmp);
}
