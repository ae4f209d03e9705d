// The symbolic checker of the plan of a stack machine's function (stack/stack.h): proves that its operations compute
// what the SSA code does.
//
// Theory. As verify/ra_check.c, whose theory holds here, too: each block's operations run once, abstractly, with what
// each local and each place of the operand stack holds: a vreg's value, what local L held at the block's entry, a frame
// address, 0, or nothing that is known.
//
//   entry                 parameters hold the arguments, other locals 0
//   get, set, tee, drop   move contents between the stack and locals of the same value type
//   instruction           pops its operands: each must be the vreg, or the slot, that the SSA code wants; then pushes
//   its
//                         results. A copy is another name of its vreg and never runs.
//   end of a block        the terminators' operands are on the stack, and nothing else
//   edge                  stands at the end of its block or at the start of the next one (stack.h); leaves nothing
//
// A use of v that finds the entry's L demands that L holds v at the block's entry, which demands at the end of each
// predecessor that it does, or that it holds the argument if v is a parameter; and so on. What a block itself defines
// cannot be demanded at its entry: that would be the value of the round before. A demand that comes back to itself is
// met.
//
// Order. An instruction runs at most once, in its own block; only the definition of a constant (VREG.remat) runs
// anywhere and as often as it likes. What writes or traps runs exactly once. Of two instructions of which one stood in
// front of the other, both still do so unless one is pure, both only read, or the one that stood in front only reads
// and the other one only traps.
//
// Rules for whoever edits it: take nothing from core/stack but its interface, no liveness and no order of its own.
#include "stack/operands.h"
#include "stack/stack.h"
#include "support/bits.h"
#include "support/map.h"

typedef enum Holds {
    HOLDS_NOTHING,
    HOLDS_ZERO,  // 0, as all locals do at first
    HOLDS_ENTRY, // what local n held at the block's entry
    HOLDS_VREG,  // vreg n
    HOLDS_FRAME  // operand slot n
} Holds;

typedef struct Content {
    uint8_t kind, type; // Holds; value type
    uint32_t n;
} Content;

typedef struct Change {
    uint32_t local;
    Content content;
} Change;

typedef struct Spot {
    uint32_t block, op;
} Spot;

typedef struct Demand {
    uint32_t block, local, vreg; // local holds vreg at the block's entry
    Spot use;
    uint32_t next; // another demand for the same local of the same block
} Demand;

enum { FX_READ = 1, FX_TRAP = 2, FX_WRITE = 4 };

typedef struct StackCheck {
    const MFunc *m;
    const StackPlan *plan;
    Arena *arena;
    uint32_t n_locals;
    uint8_t *types; // by local
    // by vreg
    uint32_t *name; // of what it is a copy
    uint32_t *def_block, *param_of, *param_at;
    // by block
    uint32_t *in_first, *in_edges, *from; // `from`: by edge
    uint32_t *first_change;
    VEC(Change) changes;
    // the block at hand: `now` where the stamp is its number + 1
    Content *now;
    uint32_t *stamp;
    VEC(uint32_t) touched;
    VEC(Content) stack;
    Spot at;
    Bits ran;             // by instruction
    uint32_t last_run[8]; // by FX_*: the last instruction of the block that ran, plus 1
    Map demanded;         // block << 32 | local -> first demand
    VEC(Demand) demands;
} StackCheck;

VTR_NORETURN static void wrong(const StackCheck *c, const char *what) {
    ctx_bug(arena_ctx(c->arena), "stack_check: block %u, operation %u: %s", c->at.block, c->at.op, what);
}

// ---- contents -------------------------------------------------------------------------------------

static const char *content_text(const StackCheck *c, Content content) {
    switch (content.kind) {
    case HOLDS_ZERO: return "0";
    case HOLDS_ENTRY: return arena_printf(c->arena, "what local %u held at the block's start", content.n);
    case HOLDS_VREG: return arena_printf(c->arena, "v%u", content.n);
    case HOLDS_FRAME: return arena_printf(c->arena, "the frame for slot %u", content.n);
    default: return "nothing";
    }
}

static uint8_t type_of(const StackCheck *c, uint32_t vreg) {
    return c->m->target->classes[c->m->vregs.v[vreg].cls].value_type;
}

static uint32_t local_of(const StackCheck *c, uint32_t vreg) {
    if (vreg >= c->m->vregs.n || c->plan->local[vreg] >= c->n_locals) wrong(c, "names a vreg without a local");
    return c->plan->local[vreg];
}

static Content local_content(const StackCheck *c, uint32_t local) {
    if (c->stamp[local] == c->at.block + 1) return c->now[local];
    if (c->at.block == 0) return (Content){HOLDS_ZERO, c->types[local], 0};
    return (Content){HOLDS_ENTRY, c->types[local], local};
}

static void write_local(StackCheck *c, uint32_t local, Content content) {
    if (content.type != c->types[local])
        wrong(c, arena_printf(c->arena, "local %u takes %s of another type", local, content_text(c, content)));
    if (c->stamp[local] != c->at.block + 1) vec_push(c->arena, &c->touched, local);
    c->stamp[local] = c->at.block + 1;
    c->now[local] = content;
}

static void push(StackCheck *c, Content content) { vec_push(c->arena, &c->stack, content); }

static Content pop(StackCheck *c, uint32_t floor) {
    if (c->stack.n <= floor) wrong(c, "pops more than there is");
    return c->stack.v[--c->stack.n];
}

// ---- demands --------------------------------------------------------------------------------------

static uint32_t argument(const StackCheck *c, uint32_t edge, uint32_t k) {
    return c->name[c->m->lists.v[c->m->edges.v[edge].args + k]];
}

static void demand(StackCheck *c, uint32_t b, uint32_t local, uint32_t vreg, Spot use) {
    bool added;
    uint32_t *first = map_add(&c->demanded, (uint64_t)b << 32 | local, c->demands.n, &added);
    for (uint32_t d = added ? NONE : *first; d != NONE; d = c->demands.v[d].next)
        if (c->demands.v[d].vreg == vreg) return;
    uint32_t next = added ? NONE : *first;
    *first = c->demands.n;
    vec_push(c->arena, &c->demands, (Demand){b, local, vreg, use, next});
}

// The argument that the only edge to block b passes for a vreg, NONE = it does not.
static uint32_t passed(const StackCheck *c, uint32_t b, uint32_t vreg) {
    uint32_t first = c->in_first[b];
    if (c->param_of[vreg] != b || c->in_first[b + 1] - first != 1) return NONE;
    return argument(c, c->in_edges[first], c->param_at[vreg]);
}

static bool is_zero(const StackCheck *c, uint32_t vreg) {
    uint32_t def = vreg != NONE ? c->m->vregs.v[vreg].remat : NONE;
    if (def == NONE) return false;
    const MInst *i = &c->m->insts.v[def];
    const MOpnd *o = minst_slots(c->m, i);
    return i->mop == c->m->target->classes[o->cls].constant && i->n_slots == 2 && o[1].kind == MO_IMM && o[1].imm == 0;
}

// Whether that is the vreg's value in block b; if that hangs on the block's entry, demands it there.
static bool holds(StackCheck *c, uint32_t b, Content content, uint32_t vreg, Spot use) {
    if (content.kind == HOLDS_ZERO) return is_zero(c, vreg) || is_zero(c, passed(c, b, vreg));
    if (content.kind == HOLDS_VREG) {
        return content.n == vreg || content.n == passed(c, b, vreg);
    }
    if (content.kind != HOLDS_ENTRY || c->def_block[vreg] == b || b == 0) return false;
    demand(c, b, content.n, vreg, use);
    return true;
}

static Content content_at_end(const StackCheck *c, uint32_t b, uint32_t local) {
    uint32_t low = c->first_change[b];
    uint32_t high = c->first_change[b + 1];
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (c->changes.v[mid].local < local) low = mid + 1;
        else high = mid;
    }
    if (low < c->first_change[b + 1] && c->changes.v[low].local == local) return c->changes.v[low].content;
    return (Content){b ? HOLDS_ENTRY : HOLDS_ZERO, c->types[local], local};
}

// Demands of the predecessors what the block's entry is to hold.
static void meet(StackCheck *c, Demand d) {
    for (uint32_t k = c->in_first[d.block]; k < c->in_first[d.block + 1]; k++) {
        uint32_t e = c->in_edges[k];
        uint32_t from = c->from[e];
        uint32_t vreg = c->param_of[d.vreg] == d.block ? argument(c, e, c->param_at[d.vreg]) : d.vreg;
        Content content = content_at_end(c, from, d.local);
        if (holds(c, from, content, vreg, d.use)) continue;
        c->at = d.use;
        wrong(c, arena_printf(c->arena, "reads local %u, which at the end of block %u should hold v%u and holds %s",
                              d.local, from, vreg, content_text(c, content)));
    }
}

// ---- order ----------------------------------------------------------------------------------------

static unsigned effects(const StackCheck *c, const MInst *i) {
    if (mop_is_pseudo(i->mop)) return 0;
    unsigned flags = c->m->target->insts[i->mop].flags;
    unsigned fx = flags & MD_LOADS ? FX_READ : 0;
    if (flags & (MD_STORES | MD_CALL | MD_RETURN | MD_EFFECT)) fx |= FX_WRITE;
    if (i->trap || i->flags & MI_TRAP || flags & MD_BRANCH) fx |= FX_TRAP;
    return fx;
}

static bool is_repeatable(const StackCheck *c, uint32_t n) {
    const MInst *i = &c->m->insts.v[n];
    const MOpnd *o = minst_slots(c->m, i);
    for (unsigned k = 0; k < i->n_slots; k++)
        if (o[k].kind == MO_VREG && stack_is_result(&o[k]) && c->m->vregs.v[o[k].reg].remat == n) return true;
    return false;
}

static void check_order(StackCheck *c, uint32_t n) {
    const MInst *i = &c->m->insts.v[n];
    const MBlock *b = &c->m->blocks.v[c->at.block];
    if (is_repeatable(c, n)) return;
    if (n < b->first || n >= b->first + b->n) wrong(c, "runs an instruction of another block");
    if (bits_has(c->ran, n)) wrong(c, "runs an instruction again");
    bits_add(c->ran, n);
    unsigned fx = effects(c, i);
    for (unsigned other = 1; other < 8 && fx; other++) {
        // `other` stood behind it, if its number is larger, and ran before it.
        bool free = fx == FX_READ && !(other & FX_WRITE);
        if (!free && c->last_run[other] > n + 1)
            wrong(c, arena_printf(c->arena, "instruction %u runs behind instruction %u", n, c->last_run[other] - 1));
    }
    if (c->last_run[fx] < n + 1) c->last_run[fx] = n + 1;
}

// ---- operations -----------------------------------------------------------------------------------

static void pop_operands(StackCheck *c, const MInst *i, uint32_t floor) {
    for (unsigned k = i->n_slots; k-- > 0;) {
        const MOpnd *o = stack_slot(c->m, i, k);
        if (!stack_is_push(o)) continue;
        Content content = pop(c, floor);
        bool is_right = o->kind == MO_SLOT
                            ? content.kind == HOLDS_FRAME && content.n == (uint32_t)(o - c->m->slots_pool.v)
                            : holds(c, c->at.block, content, c->name[o->reg], c->at);
        if (!is_right) {
            const char *what = o->kind == MO_SLOT ? "a frame" : arena_printf(c->arena, "v%u", c->name[o->reg]);
            wrong(c, arena_printf(c->arena, "%s wants %s and gets %s", c->m->target->insts[i->mop].name, what,
                                  content_text(c, content)));
        }
    }
}

static void run_inst(StackCheck *c, uint32_t n, uint32_t floor) {
    const MFunc *m = c->m;
    if (n >= m->insts.n || mop_is_pseudo(m->insts.v[n].mop)) wrong(c, "runs what is no instruction");
    const MInst *i = &m->insts.v[n];
    if (i->flags & MI_TERM) wrong(c, "runs a terminator");
    check_order(c, n);
    pop_operands(c, i, floor);
    for (unsigned k = 0; k < i->n_slots; k++) {
        const MOpnd *o = stack_slot(m, i, k);
        if (!stack_is_result(o)) continue;
        if (o->kind == MO_VREG) push(c, (Content){HOLDS_VREG, type_of(c, o->reg), o->reg});
        else push(c, (Content){HOLDS_NOTHING, m->target->classes[o->cls].value_type, 0});
    }
}

static void run(StackCheck *c, const StackRun *run, uint32_t floor) {
    for (uint32_t k = run->first; k < run->first + run->n; k++) {
        const StackOp *op = &c->plan->ops.v[k];
        c->at.op = k;
        switch (op->kind) {
        case SOP_INST: run_inst(c, op->x, floor); break;
        case SOP_GET: push(c, local_content(c, local_of(c, op->x))); break;
        case SOP_SET: write_local(c, local_of(c, op->x), pop(c, floor)); break;
        case SOP_TEE: {
            Content content = pop(c, floor);
            write_local(c, local_of(c, op->x), content);
            push(c, content);
            break;
        }
        case SOP_DROP: (void)pop(c, floor); break;
        case SOP_FRAME: push(c, (Content){HOLDS_FRAME, 0, op->x}); break;
        default: wrong(c, "is no operation");
        }
    }
}

static void run_edge(StackCheck *c, uint32_t edge) {
    uint32_t floor = c->stack.n;
    run(c, &c->plan->edges[edge], floor);
    if (c->stack.n != floor) wrong(c, "an edge leaves something on the stack");
}

// Keeps what the locals hold at the end of the block at hand; in the order of their numbers.
static void keep_changes(StackCheck *c) {
    uint32_t b = c->at.block;
    c->first_change[b] = c->changes.n;
    // A bucket for each 8 bits of the number.
    uint32_t *from = c->touched.v;
    uint32_t n = c->touched.n;
    uint32_t *to = NEW_ARRAY(c->arena, uint32_t, n);
    for (unsigned shift = 0; shift < 16 && n; shift += 8) {
        uint32_t at[257] = {0};
        for (uint32_t k = 0; k < n; k++) at[(from[k] >> shift & 255) + 1]++;
        for (unsigned k = 0; k < 256; k++) at[k + 1] += at[k];
        for (uint32_t k = 0; k < n; k++) to[at[from[k] >> shift & 255]++] = from[k];
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    for (uint32_t k = 0; k < n; k++) vec_push(c->arena, &c->changes, (Change){from[k], c->now[from[k]]});
    c->first_change[b + 1] = c->changes.n;
    c->touched.n = 0;
}

static void run_block(StackCheck *c, uint32_t block) {
    const MFunc *m = c->m;
    const MBlock *b = &m->blocks.v[block];
    c->at = (Spot){block, c->plan->blocks[block].first};
    c->stack.n = 0;
    for (unsigned k = 0; k < 8; k++) c->last_run[k] = 0;
    if (block == 0 && b->n && m->insts.v[b->first].mop == MOP_ENTRY) {
        const MInst *i = &m->insts.v[b->first];
        const MOpnd *o = minst_slots(m, i);
        uint32_t param = 0;
        for (unsigned k = 0; k < i->n_slots; k++) {
            if (!stack_is_result(&o[k])) continue;
            if (param >= c->plan->n_params) wrong(c, "there are fewer parameters");
            Content nothing = {HOLDS_NOTHING, c->types[param], 0};
            bool used = o[k].kind == MO_VREG;
            write_local(c, param++, used ? (Content){HOLDS_VREG, type_of(c, o[k].reg), o[k].reg} : nothing);
        }
    }
    if (c->in_first[block + 1] - c->in_first[block] == 1) {
        uint32_t e = c->in_edges[c->in_first[block]];
        if (m->blocks.v[c->from[e]].n_succs > 1) run_edge(c, e);
    }
    run(c, &c->plan->blocks[block], 0);
    if (b->n_succs == 1) run_edge(c, b->succs);
    for (uint32_t n = b->first; n < b->first + b->n; n++) {
        const MInst *i = &m->insts.v[n];
        if (i->flags & MI_TERM) pop_operands(c, i, 0);
        else if (effects(c, i) & (FX_TRAP | FX_WRITE) && !bits_has(c->ran, n))
            wrong(c, arena_printf(c->arena, "instruction %u was lost", n));
    }
    if (c->stack.n) wrong(c, "the block leaves something on the stack");
    keep_changes(c);
}

// ---- the graph and the tables ---------------------------------------------------------------------

static void read_graph(StackCheck *c) {
    const MFunc *m = c->m;
    c->in_first = NEW_ARRAY(c->arena, uint32_t, m->blocks.n + 2);
    c->in_edges = NEW_ARRAY(c->arena, uint32_t, m->edges.n);
    c->from = NEW_ARRAY(c->arena, uint32_t, m->edges.n);
    for (uint32_t e = 0; e < m->edges.n; e++) c->in_first[m->edges.v[e].block + 2]++;
    for (uint32_t b = 2; b < m->blocks.n + 2; b++) c->in_first[b] += c->in_first[b - 1];
    for (uint32_t e = 0; e < m->edges.n; e++) c->in_edges[c->in_first[m->edges.v[e].block + 1]++] = e;
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        const MBlock *block = &m->blocks.v[b];
        for (uint32_t k = 0; k < block->n_succs; k++) {
            c->from[block->succs + k] = b;
            uint32_t to = m->edges.v[block->succs + k].block;
            if (block->n_succs > 1 && c->plan->edges[block->succs + k].n && c->in_first[to + 1] - c->in_first[to] > 1)
                wrong(c, "a critical edge has operations");
        }
        for (uint32_t k = 0; k < block->n_params; k++) {
            uint32_t param = m->lists.v[block->params + k];
            c->param_of[param] = b;
            c->param_at[param] = k;
        }
    }
}

static void read_defs(StackCheck *c) {
    const MFunc *m = c->m;
    for (uint32_t v = 0; v < m->vregs.n; v++) c->name[v] = v;
    for (uint32_t b = 0; b < m->blocks.n; b++) {
        for (uint32_t n = m->blocks.v[b].first; n < m->blocks.v[b].first + m->blocks.v[b].n; n++) {
            const MInst *i = &m->insts.v[n];
            const MOpnd *o = minst_slots(m, i);
            for (unsigned k = 0; k < i->n_slots; k++)
                if (o[k].kind == MO_VREG && stack_is_result(&o[k])) c->def_block[o[k].reg] = b;
            if (i->mop == MOP_COPY) c->name[o[0].reg] = o[1].reg;
        }
    }
    for (uint32_t v = 0; v < m->vregs.n; v++) {
        uint32_t name = v;
        while (c->name[name] != name) name = c->name[name];
        for (uint32_t at = v; c->name[at] != at;) {
            uint32_t next = c->name[at];
            c->name[at] = name;
            at = next;
        }
    }
}

static void read_locals(StackCheck *c) {
    const MFunc *m = c->m;
    const StackPlan *plan = c->plan;
    c->n_locals = plan->n_params;
    for (unsigned k = 0; k < plan->n_groups; k++) c->n_locals += plan->groups[k].n;
    c->types = NEW_ARRAY(c->arena, uint8_t, c->n_locals);
    for (uint32_t k = 0; k < plan->n_params; k++) c->types[k] = m->types.v[0].params[k];
    uint32_t at = plan->n_params;
    for (unsigned k = 0; k < plan->n_groups; k++)
        for (uint32_t n = plan->groups[k].n; n > 0; n--) c->types[at++] = plan->groups[k].value_type;
}

void stack_check(const MFunc *m, const StackPlan *plan) {
    Arena *arena = arena_new(m->ctx);
    StackCheck *c = NEW(arena, StackCheck);
    *c = (StackCheck){.m = m, .plan = plan, .arena = arena};
    read_locals(c);
    c->name = NEW_ARRAY(arena, uint32_t, m->vregs.n);
    c->def_block = all_none(arena, m->vregs.n);
    c->param_of = all_none(arena, m->vregs.n);
    c->param_at = NEW_ARRAY(arena, uint32_t, m->vregs.n);
    c->first_change = NEW_ARRAY(arena, uint32_t, m->blocks.n + 1);
    c->now = NEW_ARRAY(arena, Content, c->n_locals);
    c->stamp = NEW_ARRAY(arena, uint32_t, c->n_locals);
    c->ran = bits_new(arena, m->insts.n);
    c->demanded = map_new(arena);
    read_graph(c);
    read_defs(c);
    for (uint32_t b = 0; b < m->blocks.n; b++) run_block(c, b);
    for (uint32_t k = 0; k < c->demands.n; k++) meet(c, c->demands.v[k]);
    arena_free(arena);
}
