// Instruction selection: the driver.
//
// Theory. Blocks are visited so that a use comes before its definition (blocks.c), instructions last to first. An
// instruction is selected when it has an effect or when one of its results was asked for; everything else is dead
// or was folded into its users. The generated matcher looks at a root and the instructions below it (sel_fold()), takes
// one rule, and emits machine instructions in program order; the driver turns the groups of a block around at its end.
//
// Folding moves an instruction down to its root, so what may be folded is decided here alone, for all targets:
//   pure, one use, same block      moves freely
//   a load, one use, same block    moves when no barrier stands between it and the root. A barrier writes memory,
//                                  calls, has another effect or can trap. order[i] counts the barriers before i in its
//                                  block, so the test is a subtraction.
//   repeatable                     is not moved but done again by each user; its own operands then have more
//                                  users than the IR says, so they are counted as used twice and never fold.
//   one of several results         the rule defines all results at the root: nothing between may use the others.
// A folded instruction with an effect of its own (a load that may trap) or with other results is marked as covered, or
// the walk would select it again.
//
// Example: v3 = load v1; v4 = iadd v2, v3; store v4, v1 selects, from the store upward, `add %v2, (%v1)`: v4 has one
// use, v3 has one use and nothing stands between.
//
// A value that is another one unchanged (ireduce in a register whose upper bits nobody reads) gets no instruction:
// its vreg is merged into the other's (sel_rename()), and the last pass puts the final names everywhere.
#include <string.h>

#include "select/blocks.h"

enum { MULTI_REACH = 8 }; // instructions looked at between a several-result instruction and its root

// ---- what instructions are -----------------------------------------------------------------------

static bool is_plain_load(const InstData *d) { return op_info[d->op].format == FMT_load; }

static bool is_load(const InstData *d) { return is_plain_load(d) || d->op == OP_atomic_load; }

static bool can_trap(const InstData *d) {
    return op_has((Op)d->op, OPF_can_trap) && !(is_plain_load(d) && (d->memflags & MF_NOTRAP));
}

static bool has_effect(const InstData *d) {
    return op_has((Op)d->op, OPF_can_store | OPF_other_effect | OPF_terminator | OPF_call) || can_trap(d);
}

static bool is_int_const(const Sel *s, Value v) {
    Inst i = value_def(s->f, v);
    return inst_ok(i) && sel_op(s, i) == OP_iconst;
}

static bool is_offset_sum(const Sel *s, const InstData *d) {
    return d->op == OP_iadd &&
           (is_int_const(s, list_get(s->f, d->args, 0)) || is_int_const(s, list_get(s->f, d->args, 1)));
}

// Repeatable anywhere: no operands in registers.
static bool is_constant(const InstData *d) {
    switch (d->op) {
    case OP_iconst:
    case OP_f32const:
    case OP_f64const:
    case OP_stack_addr:
    case OP_func_addr:
    case OP_symbol_value: return true;
    default: return false;
    }
}

static bool is_compare(const InstData *d) { return d->op == OP_icmp || d->op == OP_fcmp; }

// Memory in the other byte order, or at an address narrower than the machine's: no pattern knows either.
static bool is_odd_access(const Sel *s, const InstData *d) {
    if (!op_has((Op)d->op, OPF_can_load | OPF_can_store) || d->args.n == 0) return false;
    if (d->op == OP_call || d->op == OP_return_call) return false;
    uint32_t address = op_has((Op)d->op, OPF_call) ? 0 : d->args.n - 1;
    Type type = value_type(s->f, list_get(s->f, d->args, address));
    return d->memflags & MF_BIG || type_bits(type) != s->t->word_bits;
}

// ---- matching --------------------------------------------------------------------------------------

bool sel_squeezed(const Sel *s, uint64_t x) {
    const Stress *stress = s->m->stress;
    return stress && stress->squeeze && stress_choice(stress, s->root.i, x) & 1;
}

bool sel_const(const Sel *s, Value v, int64_t *c) {
    v = func_value(s->f, v);
    Inst i = value_def(s->f, v);
    if (!inst_ok(i) || sel_op(s, i) != OP_iconst || sel_squeezed(s, i.i)) return false;
    *c = bit_sext((uint64_t)sel_data(s, i)->imm, type_bits(value_type(s->f, v)));
    return true;
}

Inst sel_fold(const Sel *s, Value v) {
    v = func_value(s->f, v);
    Inst i = value_def(s->f, v);
    if (!inst_ok(i)) return NO_INST;
    const InstData *d = sel_data(s, i);
    if (is_constant(d)) return i;
    if (!s->fold || d->results.n != 1) return NO_INST;
    const InstData *root = sel_data(s, s->root);
    if (is_offset_sum(s, d)) return i;
    if (!block_eq(d->block, root->block)) return NO_INST;
    if (is_compare(d)) return i;
    if (s->uses[v.i] != 1) return NO_INST;
    if (op_has((Op)d->op, OPF_pure)) return i;
    if (!is_load(d) || is_odd_access(s, d)) return NO_INST;
    uint32_t itself = has_effect(d) ? 1 : 0;
    return s->order[s->root.i] - s->order[i.i] == itself ? i : NO_INST;
}

static bool uses_result(const Sel *s, Inst user, Inst i) {
    const InstData *d = sel_data(s, user);
    for (uint32_t k = 0; k < d->args.n; k++) {
        if (inst_eq(value_def(s->f, list_get(s->f, d->args, k)), i)) return true;
    }
    return d->n_targets > 0; // a terminator is always the root
}

Inst sel_fold_multi(const Sel *s, Value v, unsigned result) {
    v = func_value(s->f, v);
    Inst i = value_def(s->f, v);
    if (!s->fold || !inst_ok(i)) return NO_INST;
    const InstData *d = sel_data(s, i);
    if (d->results.n < 2 || s->f->values.v[v.i].num != result) return NO_INST;
    if (s->uses[v.i] != 1 || !op_has((Op)d->op, OPF_pure)) return NO_INST;
    if (!block_eq(d->block, sel_data(s, s->root)->block) || bits_has(s->covered, i.i)) return NO_INST;
    Inst at = d->next;
    for (unsigned n = 0; n < MULTI_REACH && inst_ok(at); n++, at = sel_data(s, at)->next) {
        if (inst_eq(at, s->root)) return i;
        if (uses_result(s, at, i)) return NO_INST;
    }
    return NO_INST;
}

// ---- taking a rule ---------------------------------------------------------------------------------

void sel_take(Sel *s, const char *rule) {
    s->rule = rule;
    if (!s->trace) return;
    buf_printf(s->trace, "    %-20s ", rule);
    ir_write_inst(s->f, s->root, s->trace);
    buf_char(s->trace, '\n');
}

void sel_cover(Sel *s, Inst i) {
    const InstData *d = sel_data(s, i);
    if (s->trace) {
        buf_printf(s->trace, "    %-20s   ", "");
        ir_write_inst(s->f, i, s->trace);
        buf_char(s->trace, '\n');
    }
    if (is_load(d)) s->access = i;
    if (has_effect(d) || d->results.n > 1) bits_add(s->covered, i.i);
}

static uint32_t new_vreg(Sel *s, uint8_t cls, unsigned size, uint32_t value) {
    uint32_t r = mfunc_vreg(s->m, cls, (uint8_t)size, value);
    vec_push(s->tmp, &s->merged, r);
    return r;
}

uint32_t sel_use(Sel *s, Value v) {
    v = func_value(s->f, v);
    if (s->vregs[v.i] == NONE) {
        Type type = value_type(s->f, v);
        s->vregs[v.i] = new_vreg(s, s->t->type_class[type], s->t->type_size[type], v.i);
    }
    return s->vregs[v.i];
}

uint32_t sel_result(Sel *s, Inst i, unsigned k) { return sel_use(s, inst_result(s->f, i, k)); }

uint32_t sel_result_of(Sel *s, Inst i, unsigned k, unsigned size) {
    uint32_t r = sel_result(s, i, k);
    VReg *v = &s->m->vregs.v[r];
    if (v->size < size) v->size = (uint8_t)size;
    return r;
}

uint32_t sel_temp(Sel *s, unsigned cls, unsigned size) { return new_vreg(s, (uint8_t)cls, size, NONE); }

static uint32_t merged(Sel *s, uint32_t r) {
    while (s->merged.v[r] != r) {
        s->merged.v[r] = s->merged.v[s->merged.v[r]];
        r = s->merged.v[r];
    }
    return r;
}

void sel_rename_reg(Sel *s, Inst i, unsigned k, uint32_t vreg) {
    uint32_t name = merged(s, sel_result(s, i, k));
    uint32_t of = merged(s, vreg);
    VReg *v = s->m->vregs.v;
    if (name == of) return;
    s->merged.v[name] = of;
    if (v[of].size < v[name].size) v[of].size = v[name].size;
}

void sel_rename(Sel *s, Inst i, unsigned k, Value v) { sel_rename_reg(s, i, k, sel_use(s, v)); }

MOpnd *sel_inst(Sel *s, uint16_t mop, unsigned n_slots) {
    const InstData *d = sel_data(s, s->root);
    MInst inst = {
        .mop = mop, .n_slots = (uint16_t)n_slots, .slots = s->m->slots_pool.n, .srcloc = d->srcloc, .ir = s->root.i};
    vec_push(s->tmp, &s->group, inst);
    return vec_extend(s->m->arena, &s->m->slots_pool, n_slots);
}

// ---- blocks and symbols ------------------------------------------------------------------------------

uint32_t sel_target(Sel *s, unsigned k) {
    const SelBlock *from = &s->blocks[sel_data(s, s->root)->block.i];
    const SelCall *call = &s->calls.v[s->calls.v[from->calls + k].edge];
    return call->split != NONE ? call->split : s->blocks[call->to].mblock;
}

uint32_t sel_trap_block(Sel *s, uint8_t code) {
    bool added;
    uint64_t key = (uint64_t)code << 32 | sel_data(s, s->root)->srcloc;
    uint32_t *at = map_add(&s->sites, key, s->m->blocks.n, &added);
    if (added) {
        MBlock *b = vec_extend(s->m->arena, &s->m->blocks, 1);
        b->ir = NONE;
        b->cold = true;
    }
    return *at;
}

static uint32_t add_sym(Sel *s, uint64_t key, MSym sym) {
    bool added;
    uint32_t *at = map_add(&s->syms, key, s->m->syms.n, &added);
    if (added) vec_push(s->m->arena, &s->m->syms, sym);
    return *at;
}

enum { KEY_FUNC, KEY_GLOBAL, KEY_TABLE };

uint32_t sel_sym_func(Sel *s, uint32_t func) {
    const ExtFunc *e = &s->f->funcs.v[func];
    uint32_t *old = map_find(&s->syms, (uint64_t)KEY_FUNC << 32 | func);
    if (old) return *old;
    MSym sym = {.name = e->name, .colocated = e->colocated};
    if (s->abi.abi->values) sym.type = sel_func_type(s, &s->f->sigs.v[e->sig]) + 1;
    return add_sym(s, (uint64_t)KEY_FUNC << 32 | func, sym);
}

uint32_t sel_sym_global(Sel *s, uint32_t global) {
    const GlobalValue *g = &s->f->globals.v[global];
    return add_sym(s, (uint64_t)KEY_GLOBAL << 32 | global, (MSym){.name = g->name, .colocated = g->colocated});
}

uint32_t sel_sym_table(Sel *s) {
    const InstData *d = sel_data(s, s->root);
    MFunc *m = s->m;
    bool is_old = map_find(&s->syms, (uint64_t)KEY_TABLE << 32 | s->root.i) != NULL;
    uint32_t at = add_sym(s, (uint64_t)KEY_TABLE << 32 | s->root.i,
                          (MSym){.align = 4, .table = m->tables.n + 1, .colocated = true});
    if (is_old) return at;
    MTable table = {m->lists.n, d->n_targets};
    uint32_t *list = vec_extend(m->arena, &m->lists, d->n_targets);
    for (uint32_t k = 1; k < d->n_targets; k++) list[k - 1] = sel_target(s, k);
    list[d->n_targets - 1] = sel_target(s, 0);
    vec_push(m->arena, &m->tables, table);
    return at;
}

static uint32_t const_data(Sel *s, const void *bytes, uint32_t n, uint32_t align) {
    MFunc *m = s->m;
    bool added;
    uint64_t key = hash_bytes(bytes, n) * 31 + align;
    uint32_t *at = map_add(&s->consts, key, m->syms.n, &added);
    const MSym *old = added ? NULL : &m->syms.v[*at];
    if (old && old->n == n && old->align == align && memcmp(old->data, bytes, n) == 0) return *at;
    MSym sym = {.is_data = true, .colocated = true, .align = align, .n = n};
    sym.data = arena_copy(m->arena, bytes, n);
    vec_push(m->arena, &m->syms, sym);
    return m->syms.n - 1;
}

uint32_t sel_sym_bits(Sel *s, int64_t bits, unsigned n) {
    uint8_t bytes[16] = {0};
    for (unsigned k = 0; k < 8 && k < n; k++) bytes[k] = (uint8_t)((uint64_t)bits >> 8 * k);
    return const_data(s, bytes, n, n);
}

uint32_t sel_stack_slot(Sel *s, uint32_t slot) {
    if (s->slots[slot] == NONE) {
        const StackSlot *d = &s->f->slots.v[slot];
        uint32_t word = s->t->word_bits / 8;
        s->slots[slot] = mfunc_slot(s->m, MSLOT_LOCAL, d->size, d->align < word ? word : d->align);
        vec_last(&s->m->slots).ir = slot;
    }
    return s->slots[slot];
}

// ---- one instruction -----------------------------------------------------------------------------------

VTR_NORETURN static void unsupported(Sel *s, Inst i) {
    const InstData *d = sel_data(s, i);
    Buf text = buf_new(s->tmp);
    ir_write_inst(s->f, i, &text);
    ctx_fail(s->ctx, VTR_ERR_UNSUPPORTED, "%s cannot select %s%s%s: %s", s->t->name, op_name((Op)d->op),
             d->type == T_none ? "" : ".", d->type == T_none ? "" : type_name((Type)d->type), buf_str(&text));
}

// Makes the tables by value and by instruction cover all there are, and as many again.
static void make_room(Sel *s) {
    if (s->f->values.n > s->cap_values || !s->vregs) {
        uint32_t cap = s->vregs ? s->f->values.n * 2 : s->f->values.n;
        uint32_t *vregs = all_none(s->tmp, cap);
        uint8_t *uses = NEW_ARRAY(s->tmp, uint8_t, cap);
        for (uint32_t k = 0; k < s->cap_values; k++) {
            vregs[k] = s->vregs[k];
            uses[k] = s->uses[k];
        }
        s->vregs = vregs;
        s->uses = uses;
        s->cap_values = cap;
    }
    if (s->f->insts.n > s->cap_insts || !s->order) {
        uint32_t cap = s->order ? s->f->insts.n * 2 : s->f->insts.n;
        uint32_t *order = NEW_ARRAY(s->tmp, uint32_t, cap);
        Bits covered = bits_new(s->tmp, cap);
        for (uint32_t k = 0; k < s->cap_insts; k++) {
            order[k] = s->order[k];
            if (bits_has(s->covered, k)) bits_add(covered, k);
        }
        s->order = order;
        s->covered = covered;
        s->cap_insts = cap;
    }
}

Inst sel_spot(Sel *s, const InstData *data) {
    InstData d = *data;
    d.prev = d.next = NO_INST;
    Inst i = inst_new(s->f, &d);
    inst_make_results(s->f, i);
    make_room(s);
    s->order[i.i] = NONE; // no load may be folded: the group's accesses are the root's
    for (uint32_t k = 0; k < sel_data(s, i)->results.n; k++) s->uses[inst_result(s->f, i, k).i] = 1;
    return i;
}

Value sel_spot_value(Sel *s, uint32_t vreg, Type type) {
    Value v = block_add_param(s->f, block_new(s->f), type);
    make_room(s);
    s->vregs[v.i] = vreg;
    return v;
}

// Of a stack machine: a rule says how many entries a branch table has, but the blocks stand in the jump table.
static void name_table(Sel *s) {
    uint32_t sym = sel_sym_table(s);
    const MInst *i = &vec_last(&s->group);
    MOpnd *o = minst_slots(s->m, i);
    for (unsigned k = 0; k < i->n_slots; k++)
        if (o[k].kind == MO_IMM) o[k] = sel_sym(sym, 0);
}

// Selects one instruction, which need not be in the layout, as part of the group being made.
static void select_one(Sel *s, Inst i) {
    s->root = i;
    s->access = i;
    if (is_odd_access(s, sel_data(s, i))) unsupported(s, i);
    switch (sel_op(s, i)) {
    case OP_call:
    case OP_call_indirect:
    case OP_return_call:
    case OP_return_call_indirect: sel_call(s, i); return;
    case OP_return: sel_return(s, i); return;
    case OP_jump: sel_jump(s); return;
    case OP_trap: sel_trap(s, i); return;
    case OP_nop:
    case OP_sequence_point: return;
    default:
        if (!s->t->select(s, i)) unsupported(s, i);
        if (s->t->stack && sel_op(s, i) == OP_br_table) name_table(s);
    }
}

void sel_spot_one(Sel *s, Inst i) {
    Inst root = s->root;
    Inst access = s->access;
    select_one(s, i);
    s->root = root;
    s->access = access;
}

static bool is_trap_exit(const Sel *s, const MInst *i) {
    const MOpnd *o = minst_slots(s->m, i);
    for (unsigned k = 0; k < i->n_slots; k++)
        if (o[k].kind == MO_BLOCK && o[k].imm >= (int64_t)s->first_trap) return true;
    return false;
}

// Marks the writers of flags that a later instruction of the group reads.
static void mark_flags(Sel *s) {
    bool wanted = false;
    for (uint32_t k = s->group.n; k-- > 0;) {
        MInst *i = &s->group.v[k];
        if (mop_is_pseudo(i->mop)) continue;
        unsigned flags = s->t->insts[i->mop].flags;
        if (wanted && flags & MD_WRITES_FLAGS) {
            i->flags |= MI_FLAGS;
            wanted = false;
        }
        if (flags & MD_READS_FLAGS) wanted = true;
    }
}

// What follows for the machine instructions from the IR instruction as a whole.
static void finish_group(Sel *s) {
    const InstData *root = sel_data(s, s->root);
    const InstData *access = sel_data(s, s->access);
    bool may_fault = op_info[access->op].n_args && op_has((Op)access->op, OPF_can_load | OPF_can_store) &&
                     !op_has((Op)access->op, OPF_call) && !(access->memflags & MF_NOTRAP);
    bool safe = inst_divides_safely(s->f, s->root);
    for (uint32_t k = 0; k < s->group.n; k++) {
        MInst *i = &s->group.v[k];
        if (mop_is_pseudo(i->mop)) continue;
        unsigned flags = s->t->insts[i->mop].flags;
        if (op_has((Op)root->op, OPF_terminator) && (flags & (MD_BRANCH | MD_RETURN)) && !is_trap_exit(s, i))
            i->flags |= MI_TERM;
        if (may_fault && (flags & (MD_LOADS | MD_STORES)) && !(i->flags & (MI_CALL | MI_TERM)))
            i->trap = access->code ? access->code : TRAP_heap_oob;
        // What traps by itself on a machine with registers is guarded, so that it does not.
        if (s->t->stack && !safe && s->t->insts[i->mop].traps[0]) i->trap = s->t->insts[i->mop].traps[0];
    }
    mark_flags(s);
    for (uint32_t k = s->group.n; k-- > 0;) vec_push(s->tmp, &s->reversed, s->group.v[k]);
    s->group.n = 0;
}

static bool is_wanted(const Sel *s, Inst i) {
    const InstData *d = sel_data(s, i);
    if (bits_has(s->covered, i.i)) return false;
    if (has_effect(d)) return true;
    for (uint32_t k = 0; k < d->results.n; k++)
        if (s->vregs[inst_result(s->f, i, k).i] != NONE) return true;
    return false;
}

// ---- blocks ----------------------------------------------------------------------------------------

static void ask_for_edge_args(Sel *s, uint32_t block) {
    const SelBlock *sb = &s->blocks[block];
    const InstData *last = inst_get(s->f, block_get(s->f, (Block){block})->last);
    for (uint32_t k = 0; k < last->n_targets; k++) {
        SelCall *call = &s->calls.v[sb->calls + k];
        if (call->edge != sb->calls + k) continue;
        ValueList args = s->f->calls.v[last->targets + k].args;
        call->args = s->m->lists.n;
        call->n_args = args.n;
        for (uint32_t a = 0; a < args.n; a++) vec_push(s->m->arena, &s->m->lists, sel_use(s, list_get(s->f, args, a)));
    }
}

static void end_block(Sel *s, uint32_t mblock) {
    MBlock *b = &s->m->blocks.v[mblock];
    b->first = s->m->insts.n;
    b->n = s->reversed.n;
    MInst *to = vec_extend(s->m->arena, &s->m->insts, s->reversed.n);
    for (uint32_t k = 0; k < b->n; k++) to[k] = s->reversed.v[b->n - 1 - k];
    s->reversed.n = 0;
}

static void select_block(Sel *s, uint32_t block) {
    const BlockData *d = block_get(s->f, (Block){block});
    if (s->trace) buf_printf(s->trace, "block%u:\n", block);
    ask_for_edge_args(s, block);
    for (Inst i = d->last; inst_ok(i); i = sel_data(s, i)->prev) {
        if (!is_wanted(s, i)) continue;
        select_one(s, i);
        finish_group(s);
    }
    MFunc *m = s->m;
    uint32_t mblock = s->blocks[block].mblock;
    if (block == s->f->first.i) {
        s->root = s->access = d->first;
        sel_entry(s);
        finish_group(s);
    } else {
        m->blocks.v[mblock].params = m->lists.n;
        m->blocks.v[mblock].n_params = d->params.n;
        for (uint32_t k = 0; k < d->params.n; k++)
            vec_push(m->arena, &m->lists, sel_use(s, (Value){s->f->pool.v[d->params.at + k]}));
    }
    end_block(s, mblock);
}

// Split edges hold a jump, trap blocks the trap.
static void fill_small_blocks(Sel *s) {
    for (uint32_t k = 0; k < s->calls.n; k++) {
        const SelCall *call = &s->calls.v[k];
        if (call->edge != k || call->split == NONE) continue;
        s->root = s->access = block_get(s->f, (Block){call->to})->first;
        sel_jump_to(s, s->blocks[call->to].mblock);
        vec_last(&s->group).flags |= MI_TERM;
        vec_last(&s->group).srcloc = NONE;
        vec_last(&s->group).ir = NONE;
        vec_push(s->tmp, &s->reversed, s->group.v[--s->group.n]);
        end_block(s, call->split);
    }
    for (uint32_t k = 0; k < s->sites.entries.n; k++) {
        MapEntry site = s->sites.entries.v[k];
        (void)sel_inst(s, s->t->op_trap, s->t->insts[s->t->op_trap].n_slots);
        MInst *i = &vec_last(&s->group);
        i->flags |= MI_TRAP | MI_TERM;
        i->trap = (uint8_t)(site.key >> 32);
        i->srcloc = (uint32_t)site.key;
        i->ir = NONE;
        vec_push(s->tmp, &s->reversed, s->group.v[--s->group.n]);
        end_block(s, site.value);
    }
}

// ---- before and after ------------------------------------------------------------------------------------

static void count_use(Sel *s, Value v) {
    if (s->uses[v.i] < 2) s->uses[v.i]++;
}

static void count_uses(Sel *s, Inst i) {
    const InstData *d = sel_data(s, i);
    for (uint32_t k = 0; k < d->args.n; k++) count_use(s, list_get(s->f, d->args, k));
    for (uint32_t t = 0; t < d->n_targets; t++) {
        ValueList args = s->f->calls.v[d->targets + t].args;
        for (uint32_t k = 0; k < args.n; k++) count_use(s, list_get(s->f, args, k));
    }
}

static void look_at_blocks(Sel *s, const BlockOrder *order) {
    for (uint32_t k = 0; k < order->n; k++) {
        uint32_t barriers = 0;
        BLOCK_INSTS(i, s->f, ((Block){order->v[k]})) {
            s->order[i.i] = barriers;
            barriers += has_effect(sel_data(s, i));
            count_uses(s, i);
        }
    }
    // Operands of what is repeated have one user more than the IR shows.
    for (uint32_t k = 0; k < order->n; k++) {
        for (Inst i = block_get(s->f, (Block){order->v[k]})->last; inst_ok(i); i = sel_data(s, i)->prev) {
            const InstData *d = sel_data(s, i);
            if (!is_compare(d) && !is_offset_sum(s, d)) continue;
            if (s->uses[inst_result(s->f, i, 0).i] < 2) continue;
            for (uint32_t a = 0; a < d->args.n; a++) s->uses[list_get(s->f, d->args, a).i] = 2;
        }
    }
}

static void put_final_names(Sel *s) {
    MFunc *m = s->m;
    for (uint32_t k = 0; k < m->slots_pool.n; k++)
        if (m->slots_pool.v[k].kind == MO_VREG) m->slots_pool.v[k].reg = merged(s, m->slots_pool.v[k].reg);
    for (uint32_t b = 0; b < m->blocks.n; b++)
        for (uint32_t k = 0; k < m->blocks.v[b].n_params; k++) {
            uint32_t *r = &m->lists.v[m->blocks.v[b].params + k];
            *r = merged(s, *r);
        }
    for (uint32_t e = 0; e < m->edges.n; e++)
        for (uint32_t k = 0; k < m->edges.v[e].n_args; k++) {
            uint32_t *r = &m->lists.v[m->edges.v[e].args + k];
            *r = merged(s, *r);
        }
}

// May this instruction be done again instead of spilling its only def?
static bool is_repeatable(const Sel *s, const MInst *i, uint32_t *def) {
    if (mop_is_pseudo(i->mop) || i->flags || (s->t->insts[i->mop].flags & ~MD_LOADS)) return false;
    bool loads = s->t->insts[i->mop].flags & MD_LOADS;
    bool constant = false;
    *def = NONE;
    const MOpnd *o = minst_slots(s->m, i);
    for (unsigned k = 0; k < i->n_slots; k++) {
        if (o[k].kind == MO_SYM) constant = s->m->syms.v[o[k].reg].is_data;
        bool zero = o[k].kind == MO_PREG && o[k].role == ROLE_USE && regset_has(s->t->zero, o[k].preg);
        if ((o[k].kind == MO_PREG && !zero) ||
            (o[k].kind == MO_VREG && (o[k].role == ROLE_USE || o[k].fixed != NO_REG)))
            return false;
        if (o[k].kind != MO_VREG) continue;
        if (*def != NONE) return false;
        *def = o[k].reg;
    }
    return *def != NONE && (!loads || constant);
}

static void mark_repeatable(Sel *s) {
    for (uint32_t k = 0; k < s->m->insts.n; k++) {
        uint32_t def;
        if (is_repeatable(s, &s->m->insts.v[k], &def)) s->m->vregs.v[def].remat = k;
    }
}

static MFunc *select_into(Sel *s, Arena *arena, const Stress *stress) {
    Func *f = s->f;
    MFunc *m = NEW(arena, MFunc);
    *m = (MFunc){.ctx = s->ctx, .arena = arena, .stress = stress, .target = s->t, .ir = f};
    s->m = m;
    vec_push(arena, &m->clobbers, (RegSet){{0, 0}});
    vec_reserve(arena, &m->insts, f->insts.n); // about what will be needed
    vec_reserve(arena, &m->slots_pool, (size_t)f->insts.n * 4);
    vec_reserve(arena, &m->vregs, f->values.n);
    vec_reserve(s->tmp, &s->merged, f->values.n);
    s->abi = abi_place(s->tmp, s->t, &f->sig);
    m->abi = s->abi.abi;
    m->features = s->features;
    m->in_arg_size = m->abi->values ? 0 : s->abi.stack_size;
    m->callee_pops = m->abi->callee_pops;
    make_room(s);
    s->slots = all_none(s->tmp, f->slots.n);
    s->clobbers = NEW_ARRAY(s->tmp, uint16_t, s->t->n_abis);
    s->area = s->in_slot = s->out_slot = s->area_slot = NONE;
    s->syms = map_new(s->tmp);
    s->tails = map_new(s->tmp);
    s->sites = map_new(s->tmp);
    s->consts = map_new(s->tmp);
    s->types = map_new(s->tmp);
    if (m->abi->values) (void)sel_func_type(s, &f->sig);
    BlockOrder order = blocks_make(s);
    look_at_blocks(s, &order);
    sel_find_zeros(s);
    for (uint32_t k = 0; k < order.n; k++) select_block(s, order.v[k]);
    fill_small_blocks(s);
    blocks_connect(s);
    put_final_names(s);
    mark_repeatable(s);
    return m;
}

MFunc *select_func(Arena *arena, Func *f, const Target *t, const SelOptions *options) {
    Sel *s = NEW(arena, Sel);
    *s = (Sel){
        .ctx = f->ctx, .f = f, .t = t, .features = options->features, .fold = options->fold, .trace = options->trace};
    s->tmp = arena_new(f->ctx);
    MFunc *m = select_into(s, arena, options->stress);
    arena_free(s->tmp);
    return m;
}
