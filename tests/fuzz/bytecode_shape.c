// Each change is made to a copy of a function's lists (or to a constant), tried with the verifier, and taken back when
// the module is none any more.
#include "bytecode_shape.h"

#include <string.h>

#include "bytecode/read.h"
#include "support/vec.h"

enum { MOST_INSTS = 600, MOST_BLOCKS = 80, TRIES = 24 };

typedef struct Shape {
    BcModule *m;
    uint64_t *state;
    BcFunc *f;
    uint32_t func; // of FUNC
} Shape;

static uint32_t below(Shape *s, uint64_t n) { return n ? (uint32_t)(shape_random(s->state) % n) : 0; }

static bool stop_at_fault(void *data, const BcModule *m, const BcFault *fault) {
    (void)data, (void)m, (void)fault;
    return false;
}

static bool is_module(const BcModule *m) {
    Arena *scratch = arena_new(m->ctx);
    bool good = bc_verify(m, &(BcSink){stop_at_fault, NULL, scratch});
    arena_free(scratch);
    return good;
}

// ---- lists of the function ------------------------------------------------------------------------

static uint32_t list_length(const BcFunc *f, char shape) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n_insts; i++)
        if (strchr(bc_op(f->insts[i].op)->shape, shape)) n += f->insts[i].n;
    return n;
}

// Gives the function lists of its own, with room for `insts` more instructions and `blocks` more blocks.
static void own_lists(Shape *s, uint32_t insts, uint32_t blocks) {
    BcFunc *f = s->f;
    Arena *arena = s->m->arena;
    BcInst *old = f->insts;
    BcBlock *old_blocks = f->blocks;
    f->insts = NEW_ARRAY(arena, BcInst, f->n_insts + insts);
    memcpy(f->insts, old, f->n_insts * sizeof *old);
    f->blocks = NEW_ARRAY(arena, BcBlock, f->n_blocks + blocks);
    memcpy(f->blocks, old_blocks, f->n_blocks * sizeof *old_blocks);
    f->regs = arena_copy(arena, f->regs, f->n_regs * sizeof *f->regs);
    f->args = arena_copy(arena, f->args, list_length(f, 'a') * sizeof *f->args);
    f->cases = arena_copy(arena, f->cases, list_length(f, 'w') * sizeof *f->cases);
    f->labels = arena_copy(arena, f->labels, list_length(f, 'b') * sizeof *f->labels);
}

// Gives the copy of an instruction a list of its own.
static void own_list(Shape *s, BcInst *to) {
    BcFunc *f = s->f;
    Arena *arena = s->m->arena;
    const char *shape = bc_op(to->op)->shape;
    uint32_t args = list_length(f, 'a'), cases = list_length(f, 'w'), labels = list_length(f, 'b');
    if (strchr(shape, 'a')) {
        uint16_t *old = f->args;
        f->args = NEW_ARRAY(arena, uint16_t, args + to->n + 1u);
        memcpy(f->args, old, args * sizeof *old);
        memcpy(f->args + args, old + to->y, to->n * sizeof *old);
        to->y = args;
    } else if (strchr(shape, 'w')) {
        BcCase *old = f->cases;
        f->cases = NEW_ARRAY(arena, BcCase, cases + to->n + 1u);
        memcpy(f->cases, old, cases * sizeof *old);
        memcpy(f->cases + cases, old + to->y, to->n * sizeof *old);
        to->y = cases;
    } else if (strchr(shape, 'b')) {
        uint32_t *old = f->labels;
        f->labels = NEW_ARRAY(arena, uint32_t, labels + to->n + 1u);
        memcpy(f->labels, old, labels * sizeof *old);
        memcpy(f->labels + labels, old + to->y, to->n * sizeof *old);
        to->y = labels;
    }
}

static void insert(Shape *s, uint32_t at, BcInst inst) {
    BcFunc *f = s->f;
    memmove(f->insts + at + 1, f->insts + at, (f->n_insts - at) * sizeof *f->insts);
    f->insts[at] = inst;
    uint32_t block = bc_block_of(f, at);
    f->blocks[block].n++;
    for (uint32_t k = block + 1; k < f->n_blocks; k++) f->blocks[k].first++;
    f->n_insts++;
}

// ---- operands ------------------------------------------------------------------------

static uint16_t like(Shape *s, uint16_t reg) {
    const BcFunc *f = s->f;
    if (reg >= f->n_regs) return reg;
    for (unsigned k = 0; k < TRIES; k++) {
        uint32_t other = below(s, f->n_regs);
        if (f->regs[other] == f->regs[reg]) return (uint16_t)other;
    }
    return reg;
}

static uint32_t n_regs_of(uint16_t op) {
    uint32_t n = 0;
    for (const char *p = bc_op(op)->shape; *p; p++) n += strchr("dDsS", *p) != NULL;
    return n;
}

static void change_register(Shape *s, BcInst *i) {
    uint32_t regs = n_regs_of(i->op);
    bool list = strchr(bc_op(i->op)->shape, 'a') && i->n;
    if (list && (!regs || below(s, 2))) {
        uint16_t *arg = &s->f->args[i->y + below(s, i->n)];
        *arg = like(s, *arg);
    } else if (regs) {
        uint32_t k = below(s, regs);
        bool optional = strchr(bc_op(i->op)->shape, 'D') && k == 0;
        if (optional && below(s, 8) == 0) i->r[0] = BC_NOREG;
        else i->r[k] = like(s, i->r[k]);
    }
}

static uint32_t immediate(Shape *s) {
    static const uint32_t edges[] = {
        0,   1,     2,     3,     7,     8,    31,     32,         63,         64,         127,        128,       255,
        256, 32767, 32768, 65535, 65536, 1000, 100000, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0xffff8000};
    uint32_t value = edges[below(s, sizeof edges / sizeof *edges)];
    return below(s, 4) ? value : below(s, 300);
}

static uint32_t other_wide(Shape *s, char shape, uint32_t now) {
    const BcModule *m = s->m;
    switch (shape) {
    case 'i': return below(s, 3) ? immediate(s) : now + below(s, 3) - 1;
    case 'l': return below(s, s->f->n_blocks);
    case 'k': return m->n_consts ? below(s, m->n_consts) : now;
    case 't': return below(s, m->n_types);
    case 'g': return below(s, bc_n_globals(m));
    case 'f': return below(s, bc_n_functions(m));
    case 'c': return below(s, 2) ? 1 + below(s, 12) : 256 + below(s, 1000);
    case 'n': return 1 + below(s, BC_N_INTRINSICS - 1);
    case 'o': {
        const BcType *type = m->n_types ? &m->types[below(s, m->n_types)] : NULL;
        return type && type->kind == BC_STRUCT && type->n ? type->fields[below(s, type->n)].offset : now;
    }
    default: return now;
    }
}

static void change_wide(Shape *s, BcInst *i) {
    uint32_t *place = &i->x;
    for (const char *p = bc_op(i->op)->shape; *p; p++) {
        if (strchr("dDsSa", *p)) continue;
        if (strchr("wb", *p)) {
            uint32_t k = below(s, i->n + 1u);
            if (k == i->n) i->x = below(s, s->f->n_blocks);
            else if (*p == 'b') s->f->labels[i->y + k] = below(s, s->f->n_blocks);
            else if (below(s, 2)) s->f->cases[i->y + k].label = below(s, s->f->n_blocks);
            else s->f->cases[i->y + k].value += (int64_t)below(s, 5) - 2;
            return;
        }
        if (below(s, 2)) *place = other_wide(s, *p, *place);
        place = &i->y;
    }
}

static bool same_frame(const BcOpInfo *a, const BcOpInfo *b) {
    return !strcmp(a->shape, b->shape) && a->m0 == b->m0 && (a->flags & BC_TERM) == (b->flags & BC_TERM);
}

static void change_opcode(Shape *s, BcInst *i) {
    for (unsigned k = 0; k < 200; k++) {
        uint32_t code = below(s, BC_N_OPCODES);
        if (!bc_op(code) || !same_frame(bc_op(code), bc_op(i->op))) continue;
        i->op = (uint16_t)code;
        return;
    }
}

static void change_modifier(Shape *s, BcInst *i) {
    if (bc_op(i->op)->m0 == BC_M0_KIND) i->m0 = (uint8_t)below(s, BC_N_CMPS);
    if (bc_op(i->op)->m0 == BC_M0_MEMORY) i->m0 = (uint8_t)(1 + below(s, BC_PTR));
}

// A register of a type that the operand may well have: one of those that an instruction nearby uses, or any.
static uint16_t some_register(Shape *s, uint32_t at) {
    const BcInst *near = &s->f->insts[at];
    uint32_t regs = n_regs_of(near->op);
    if (regs && below(s, 2)) {
        uint16_t reg = near->r[below(s, regs)];
        if (reg < s->f->n_regs) return like(s, reg);
    }
    return (uint16_t)below(s, s->f->n_regs);
}

static BcInst new_inst(Shape *s, uint32_t at) {
    const BcOpInfo *info = NULL;
    BcInst i = {0};
    while (!info || (info->flags & (BC_TERM | BC_LOW)) || strchr(info->shape, 'a')) {
        i.op = (uint16_t)below(s, BC_N_OPCODES);
        info = bc_op(i.op);
    }
    uint32_t regs = 0;
    uint16_t first = some_register(s, at);
    bool alike = below(s, 2);
    uint32_t *wide = &i.x;
    for (const char *p = info->shape; *p; p++) {
        if (strchr("dDsS", *p)) {
            i.r[regs] = regs && alike ? like(s, first) : some_register(s, at);
            regs++;
        } else {
            *wide = other_wide(s, *p, 0);
            wide = &i.y;
        }
    }
    change_modifier(s, &i);
    return i;
}

// ---- larger changes ------------------------------------------------------------------------

static uint32_t any_type(Shape *s) {
    return s->m->n_types && below(s, 4) == 0 ? BC_TYPE_BASE + below(s, s->m->n_types) : BC_I8 + below(s, BC_REF);
}

// A register, or all of one type, gets another type.
static void change_types(Shape *s) {
    BcFunc *f = s->f;
    if (f->n_regs == f->n_params) return;
    uint32_t reg = f->n_params + below(s, f->n_regs - f->n_params);
    uint32_t old = f->regs[reg];
    uint32_t type = any_type(s);
    bool all = below(s, 2);
    for (uint32_t r = f->n_params; r < f->n_regs; r++)
        if (r == reg || (all && f->regs[r] == old)) f->regs[r] = type;
}

static void add_register(Shape *s) {
    BcFunc *f = s->f;
    uint32_t *old = f->regs;
    f->regs = NEW_ARRAY(s->m->arena, uint32_t, f->n_regs + 1u);
    memcpy(f->regs, old, f->n_regs * sizeof *old);
    f->regs[f->n_regs++] = any_type(s);
}

// A copy of a block at the end, and an edge that leads to it.
static void copy_block(Shape *s) {
    BcFunc *f = s->f;
    BcBlock from = f->blocks[below(s, f->n_blocks)];
    f->blocks[f->n_blocks] = (BcBlock){f->n_insts, from.n};
    f->n_blocks++;
    for (uint32_t k = 0; k < from.n; k++) {
        BcInst *to = &f->insts[f->n_insts];
        *to = f->insts[from.first + k];
        own_list(s, to);
        f->n_insts++;
    }
    BcBlock other = f->blocks[below(s, f->n_blocks)];
    BcInst *end = &f->insts[other.first + other.n - 1];
    for (unsigned k = 0; k < TRIES && end->x != f->n_blocks - 1; k++) change_wide(s, end);
}

static void change_function(Shape *s) {
    BcFunc *f = s->f;
    uint32_t at = below(s, f->n_insts);
    BcInst *i = &f->insts[at];
    bool last = at == f->blocks[bc_block_of(f, at)].first + f->blocks[bc_block_of(f, at)].n - 1;
    uint32_t how = below(s, 16);
    if (how < 3) change_register(s, i);
    else if (how < 6) change_wide(s, i);
    else if (how < 8) change_opcode(s, i);
    else if (how == 8) change_modifier(s, i);
    else if (how < 12 && f->n_regs && f->n_insts < MOST_INSTS) insert(s, at, new_inst(s, at));
    else if (how == 12 && !last && !(bc_op(i[1].op)->flags & BC_TERM)) {
        BcInst first = i[0];
        i[0] = i[1];
        i[1] = first;
    } else if (how == 13) change_types(s);
    else if (how == 14 && f->n_regs < 60) add_register(s);
    else if (how == 15 && f->n_blocks < MOST_BLOCKS && f->n_insts < MOST_INSTS) copy_block(s);
}

static void change_constant(BcConst *c, Shape *s) {
    static const uint64_t edges[] = {0,
                                     1,
                                     UINT64_MAX,
                                     UINT64_C(1) << 63,
                                     INT64_MAX,
                                     UINT64_C(0x3ff0000000000000),
                                     UINT64_C(0x7ff8000000000000),
                                     UINT64_C(0xfff0000000000000),
                                     UINT64_C(0x43e0000000000000),
                                     UINT64_C(0xc1e0000000200000),
                                     0x7f800000,
                                     0x7fc00000,
                                     0x4f000000,
                                     0xcf000001};
    if (c->tag >= BC_CONST_STR) c->bits = below(s, 4);
    else if (c->tag == BC_BOOL) c->bits ^= 1;
    else
        c->bits = (below(s, 2) ? edges[below(s, 14)] : shape_random(s->state) >> below(s, 64)) &
                  UINT64_MAX >> (64 - bc_type_width(c->tag));
}

static bool change_once(Shape *s) {
    BcModule *m = s->m;
    if (m->n_consts && below(s, 16) == 0) {
        BcConst *c = &m->consts[below(s, m->n_consts)];
        BcConst old = *c;
        change_constant(c, s);
        if (is_module(m)) return true;
        *c = old;
        return false;
    }
    s->func = below(s, m->n_funcs);
    s->f = &m->funcs[s->func];
    BcFunc old = *s->f;
    own_lists(s, s->f->n_insts + 1, 1);
    change_function(s);
    if (is_module(m)) return true;
    *s->f = old;
    return false;
}

unsigned shape_change(BcModule *m, uint64_t *state, unsigned changes) {
    Shape s = {.m = m, .state = state};
    unsigned made = 0;
    for (unsigned k = 0; k < changes * TRIES && made < changes; k++) made += change_once(&s);
    return made;
}
