// The frame of a function on the shadow stack: memory of its own for what needs an address.
//
// Theory. The stack pointer is a global; a frame is the memory from it upwards, and a local keeps its address, since
// a local is cheaper to read and the pointer is not needed until the next call. A function that calls moves the pointer
// below its frame, and back before it returns or tail-calls; one that does not leaves it where it is: nothing but calls
// uses memory below. A trap leaves the pointer where it was, so whoever catches it has to put it back.
//
// Overflow. With Func.stack_limit the frame's address is compared with the limit at the entry, as on other machines.
// Without, nothing is tested. Memory is laid out with the shadow stack right above the first 64 KiB, in which nothing
// else lies: below the stack's end a frame reaches these, then addresses "below 0", huge as unsigned numbers, where
// every access traps, offsets included, since the machine adds these without wrapping. So a frame that does not fit
// never touches what is not part of the stack, and traps before it uses more than 64 KiB that nobody owns.
//
// Example: 24 bytes, calls:   global.get sp; i64.const -32; i64.add; local.tee base; global.set sp
//                       ...   local.get base; i64.const 32; i64.add; global.set sp; return
#include "stack/body.h"

#include <string.h>

enum { UNUSED_BYTES = 65536, MAX_FRAME = 0x7fff0000 };

static uint64_t align_up(uint64_t x, uint64_t to) { return (x + to - 1) / to * to; }

// No slot is aligned beyond the convention's stack: passes/slots.c saw to that. Largest alignment first would save
// padding; frames are small and slots mostly words, so they stand as they come.
static void place_slots(Body *b) {
    MFunc *m = b->m;
    Shadow *f = &b->shadow;
    uint64_t at = m->stress ? align_up(m->stress->frame, m->abi->stack_align) : 0;
    for (uint32_t k = 0; k < m->slots.n; k++) {
        MSlot *slot = &m->slots.v[k];
        at = align_up(at, slot->align ? slot->align : 1);
        if (at + slot->size > MAX_FRAME) ctx_fail(b->ctx, VTR_ERR_LIMIT, "a frame of more than 2 GiB");
        slot->offset = (int32_t)at;
        at += slot->size;
    }
    f->size = (uint32_t)align_up(at, m->abi->stack_align);
}

// Where a frame slot's displacement is out of the instruction's reach.
static void look_at_slots(Body *b, const MInst *i) {
    const MOpnd *o = minst_slots(b->m, i);
    unsigned n = b->t->insts[i->mop].n_slots;
    for (unsigned k = 0; k < n; k++) {
        if (o[k].kind != MO_SLOT) continue;
        int64_t place = b->m->slots.v[o[k].reg].offset + o[k].imm;
        unsigned disp = put_displacement(b, i->mop, o, k);
        if (disp != NONE) {
            MOpnd slots[BODY_SLOTS];
            memcpy(slots, o, n * sizeof *o);
            slots[k] = (MOpnd){0};
            slots[disp].imm += place;
            if (place >= 0 && put_fits(b, i->mop, slots)) continue;
        }
        bool added;
        *map_add(&b->shadow.far, i->slots + k, 0, &added) = 1;
    }
}

static bool wants_frame(Body *b) {
    const StackPlan *plan = b->plan;
    bool any = false;
    for (uint32_t k = 0; k < plan->ops.n; k++) {
        if (plan->ops.v[k].kind == SOP_FRAME) any = true;
        if (plan->ops.v[k].kind == SOP_INST) look_at_slots(b, &b->m->insts.v[plan->ops.v[k].x]);
    }
    return any;
}

uint32_t shadow_plan(Body *b, uint32_t next) {
    Shadow *f = &b->shadow;
    f->far = map_new(b->tmp);
    place_slots(b);
    if (!wants_frame(b)) f->size = 0;
    else if (!f->size) f->size = b->m->abi->stack_align; // slots without bytes have addresses, too
    if (!f->size) return next;
    f->moves = b->m->has_calls;
    f->checks = b->m->ir && b->m->ir->stack_limit != NONE;
    f->base = next;
    return next + 1;
}

// ---- entry --------------------------------------------------------------------------------------------

static void get(Body *b, uint32_t local) { put_imm(b, b->s->get, local); }

static void add(Body *b, int64_t value) {
    if (!value) return;
    put_address(b, value);
    put_plain(b, b->t->op_add);
}

static uint32_t vmctx_local(Body *b) {
    const Sig *sig = &b->m->ir->sig;
    for (uint32_t k = 0; k < sig->n_params; k++)
        if (sig->params[k].purpose == PURPOSE_VMCTX) return k;
    ctx_fail(b->ctx, VTR_ERR_INPUT, "stack_limit needs a vmctx parameter");
}

// A load of a word at the address on the stack, plus an offset.
static void load_slots(const Body *b, uint16_t mop, int64_t offset, MOpnd *slots) {
    const Target *t = b->t;
    const InstDesc *d = &t->insts[mop];
    memset(slots, 0, BODY_SLOTS * sizeof *slots);
    for (unsigned k = 0; k < d->n_opnds; k++) {
        if (d->opnds[k].type != OT_COMPOSITE) continue;
        unsigned at = d->opnds[k].slot;
        slots[at] = (MOpnd){.kind = MO_FORM, .imm = t->mem_form};
        slots[at + t->operands[d->opnds[k].kind].forms[t->mem_form].disp] = (MOpnd){.kind = MO_IMM, .imm = offset};
    }
}

static void load_word(Body *b, int64_t offset) {
    const Target *t = b->t;
    uint16_t mop = t->classes[t->type_class[target_ptr_type(t)]].load[t->word_bits == 64 ? 3 : 2];
    MOpnd slots[BODY_SLOTS];
    load_slots(b, mop, offset, slots);
    if (offset < 0 || !put_fits(b, mop, slots)) {
        add(b, offset);
        load_slots(b, mop, 0, slots);
    }
    put_inst(b, mop, slots, NONE);
}

// Pushes global value `gv`. A chain is walked from its end (the vmctx) to its head.
static void push_global(Body *b, uint32_t gv) {
    const Func *f = b->m->ir;
    VEC(uint32_t) chain = {0};
    while (f->globals.v[gv].kind == GV_LOAD || f->globals.v[gv].kind == GV_IADD_IMM) {
        vec_push(b->tmp, &chain, gv);
        gv = f->globals.v[gv].base;
        if (chain.n > f->globals.n) ctx_fail(b->ctx, VTR_ERR_INPUT, "gv%u depends on itself", gv);
    }
    if (f->globals.v[gv].kind != GV_VMCTX) ctx_fail(b->ctx, VTR_ERR_UNSUPPORTED, "stack_limit from anything but vmctx");
    get(b, vmctx_local(b));
    while (chain.n) {
        const GlobalValue *g = &f->globals.v[chain.v[--chain.n]];
        if (g->kind == GV_LOAD) load_word(b, g->offset);
        else add(b, g->offset);
    }
}

static void trap_if(Body *b) {
    put_plain(b, b->s->if_);
    put_trap(b, TRAP_stk_ovf, NONE);
    put_plain(b, b->s->end);
}

// The stack pointer is never below the limit, and that is above the unused bytes: a frame of at most that many does not
// wrap. A larger one is compared with the pointer first. The frame's address is on the stack.
static void check_limit(Body *b) {
    const Shadow *f = &b->shadow;
    if (f->size > UNUSED_BYTES) {
        put_sym(b, b->s->sp_get, b->sp_sym, 0);
        put_address(b, f->size);
        put_plain(b, b->s->below);
        trap_if(b);
    }
    push_global(b, b->m->ir->stack_limit);
    put_plain(b, b->s->below);
    trap_if(b);
}

void shadow_enter(Body *b) {
    const Shadow *f = &b->shadow;
    if (!f->size) return;
    b->sp_sym = b->m->syms.n;
    vec_push(b->m->arena, &b->m->syms, (MSym){.name = name_of(b->s->sp_symbol)});
    put_sym(b, b->s->sp_get, b->sp_sym, 0);
    add(b, -(int64_t)f->size);
    put_imm(b, f->checks || f->moves ? b->s->tee : b->s->set, f->base);
    if (f->checks) check_limit(b);
    if (f->checks && f->moves) get(b, f->base);
    if (f->moves) put_sym(b, b->s->sp_set, b->sp_sym, 0);
}

void shadow_leave(Body *b) {
    const Shadow *f = &b->shadow;
    if (!f->size || !f->moves) return;
    get(b, f->base);
    add(b, f->size);
    put_sym(b, b->s->sp_set, b->sp_sym, 0);
}

// ---- operands -----------------------------------------------------------------------------------------

static int64_t place_of(const Body *b, const MOpnd *o) { return b->m->slots.v[o->reg].offset + o->imm; }

void shadow_push(Body *b, uint32_t slot) {
    get(b, b->shadow.base);
    if (map_find(&b->shadow.far, slot)) add(b, place_of(b, &b->m->slots_pool.v[slot]));
}

void shadow_lower(const Body *b, const MInst *i, MOpnd *slots) {
    unsigned n = b->t->insts[i->mop].n_slots;
    for (unsigned k = 0; k < n; k++) {
        if (slots[k].kind != MO_SLOT) continue;
        int64_t place = map_find(&b->shadow.far, i->slots + k) ? 0 : place_of(b, &slots[k]);
        unsigned disp = put_displacement(b, i->mop, slots, k);
        if (disp != NONE) slots[disp].imm += place;
        slots[k] = (MOpnd){0};
    }
}
