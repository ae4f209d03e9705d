// One bytecode function to IR: the driver.
//
// Theory. A bytecode register is a variable of the SSA builder; a bytecode block starts at an IR block of its own
// (its head) and may be continued in others (slow paths of polls, switch nodes). The entry block of the IR is a fresh
// one, because block 0 may be branched to. Blocks that cannot be reached are left out.
//
//   entry(vmctx, parameters): registers get the parameters (all others read as zero); poll; jump to head of block 0
//   head of block k: instructions; before a terminator with a back edge, a poll
//
// References and the moving collector. The collector may run in any call that is a safepoint. What is live across it
// (irgen/live.c) is stored to stack slots before, named in the call's stack map, and reloaded after; the reload is a
// new definition of the register, so no stale value can be used. A poll's call stands in a cold block of its own, so
// a loop that is not interrupted keeps its references in machine registers.
//
// A collector that moves nothing needs no reloads, and a slot may be stored to wherever its register is written: then
// it holds the register's value, or an older one, at every safepoint. Of the two places the one with fewer stores is
// taken, register by register (Live.at_writes). Null and constant objects, which are roots, are not stored at all.
//
// Rules: nothing may hold a reference Value in a C variable across gen_spill_refs()/gen_reload_refs(); use the register
// again. Every call that may reach a collector goes between those two.
#include "irgen/gen.h"

#include "runtime/instance.h"

Type gen_type(uint32_t typeref) {
    static const uint8_t types[BC_N_PRIMS] = {T_none, T_i8,  T_i16, T_i32, T_i64, T_i8,  T_i16,
                                              T_i32,  T_i64, T_f32, T_f64, T_i8,  T_i64, T_i64};
    return typeref < BC_N_PRIMS ? (Type)types[typeref] : T_i64;
}

Value gen_use(Gen *g, uint16_t reg) { return ssa_use(g->ssa, (Var){reg}, g->b.at); }

void gen_def(Gen *g, uint16_t reg, Value value) {
    gen_def_rooted(g, reg, value);
    if (gen_stores_writes(g, reg)) gen_store_ref(g, reg, value);
}

void gen_def_rooted(Gen *g, uint16_t reg, Value value) { ssa_def(g->ssa, (Var){reg}, g->b.at, value); }

Value gen_int(Gen *g, Type type, uint64_t bits) {
    static const uint8_t width[N_TYPES] = {[T_i8] = 8, [T_i16] = 16, [T_i32] = 32, [T_i64] = 64};
    return ir_iconst(&g->b, type, width[type] == 64 ? bits : bits & ((UINT64_C(1) << width[type]) - 1));
}

Block gen_block(Gen *g) {
    Block block = block_new(g->f);
    block_append(g->f, block);
    return block;
}

Block gen_cold(Gen *g) {
    Block block = block_new(g->f);
    block_get(g->f, block)->cold = true;
    vec_push(g->arena, &g->cold, block);
    return block;
}

void gen_jump(Gen *g, Block to) { ssa_branch(g->ssa, ir_jump(&g->b, to, NULL, 0)); }

void gen_brif(Gen *g, Value c, Block then, Block other) {
    ssa_branch(g->ssa, ir_brif(&g->b, c, then, NULL, 0, other, NULL, 0));
}

void gen_go(Gen *g, Block to) {
    ssa_seal(g->ssa, to);
    g->b.at = to;
}

// ---- control flow -----------------------------------------------------------------------------------------

static void count_pred(void *data, uint32_t label) {
    Gen *g = data;
    g->preds_left[label]++;
}

static void told_pred(void *data, uint32_t label) {
    Gen *g = data;
    if (--g->preds_left[label] == 0) ssa_seal(g->ssa, g->heads[label]);
}

typedef struct Reach {
    bool *reached;
    Arena *arena;
    VEC(uint32_t) work;
} Reach;

static void reach_label(void *data, uint32_t label) {
    Reach *reach = data;
    if (reach->reached[label]) return;
    reach->reached[label] = true;
    vec_push(reach->arena, &reach->work, label);
}

static const BcInst *gen_terminator(const BcFunc *bf, uint32_t block) {
    return &bf->insts[bf->blocks[block].first + bf->blocks[block].n - 1];
}

// Finds the blocks that can be reached, counts the edges into them and makes their heads.
static bool *gen_reach(Gen *g) {
    Reach reach = {NEW_ARRAY(g->arena, bool, g->bf->n_blocks), g->arena, {0}};
    g->preds_left = NEW_ARRAY(g->arena, uint32_t, g->bf->n_blocks);
    g->heads = NEW_ARRAY(g->arena, Block, g->bf->n_blocks);
    reach_label(&reach, 0);
    while (reach.work.n) {
        uint32_t block = vec_last(&reach.work);
        reach.work.n--;
        live_targets(g->bf, gen_terminator(g->bf, block), reach_label, &reach);
        live_targets(g->bf, gen_terminator(g->bf, block), count_pred, g);
    }
    g->preds_left[0]++; // from the entry block
    for (uint32_t k = 0; k < g->bf->n_blocks; k++) g->heads[k] = reach.reached[k] ? block_new(g->f) : NO_BLOCK;
    return reach.reached;
}

static void gen_return(Gen *g, const BcInst *i) {
    Value value = i->r[0] == BC_NOREG ? NO_VALUE : gen_use(g, i->r[0]);
    ir_return(&g->b, &value, value_ok(value));
}

static void gen_raise(Gen *g, const BcInst *i) {
    ir_store(&g->b, MF_NOTRAP | MF_ALIGNED, gen_use(g, i->r[0]), g->vm, offsetof(VmCtx, raised));
    gen_exit(g, RT_EXIT_RAISE);
}

static bool gen_control(Gen *g, const BcInst *i) {
    switch (i->op) {
    case BC_NOP: return true;
    case BC_JMP: gen_jump(g, g->heads[i->x]); return true;
    case BC_JIF: gen_brif(g, gen_use(g, i->r[0]), g->heads[i->x], g->heads[i->y]); return true;
    case BC_SWITCH: gen_switch(g, i); return true;
    case BC_BRT: gen_table(g, i); return true;
    case BC_RET: gen_return(g, i); return true;
    case BC_TRAP:
        if (i->x < BC_TRAP_USER_MIN) ir_trap(&g->b, (uint8_t)i->x);
        else gen_exit(g, i->x);
        return true;
    case BC_RAISE: gen_raise(g, i); return true;
    case BC_CALL:
    case BC_ICALL: gen_call(g, i); return true;
    case BC_TCALL: gen_tail_call(g, i); return true;
    case BC_INTR: gen_intrinsic(g, i); return true;
    default: return false;
    }
}

static void gen_inst(Gen *g, const BcInst *i) {
    if (gen_arith(g, i) || gen_convert(g, i) || gen_memory(g, i) || gen_control(g, i)) return;
    ctx_bug(arena_ctx(g->arena), "irgen: opcode 0x%04x is not known", i->op);
}

static void gen_bc_block(Gen *g, uint32_t k) {
    const BcBlock *block = &g->bf->blocks[k];
    block_append(g->f, g->heads[k]);
    g->b.at = g->heads[k];
    for (uint32_t n = 0; n < block->n; n++) {
        const BcInst *inst = &g->bf->insts[block->first + n];
        g->b.srcloc = block->first + n;
        if (n == block->n - 1 && live_kind(g->bf, k, inst) == LIVE_BEFORE) gen_poll(g);
        gen_inst(g, inst);
    }
    live_targets(g->bf, gen_terminator(g->bf, k), told_pred, g);
}

// A function without calls ends soon or polls in a loop; any other polls at entry, so that recursion is interrupted.
static bool gen_polls_entry(const BcFunc *bf) {
    for (uint32_t i = 0; i < bf->n_insts; i++) {
        uint16_t op = bf->insts[i].op;
        if (op == BC_CALL || op == BC_ICALL || op == BC_TCALL) return true;
    }
    return false;
}

// ---- signatures ---------------------------------------------------------------------------------------------

// Tail calls need their own convention; without them the fast one keeps more in registers across calls.
static uint8_t gen_conv(const BcModule *m) {
    for (uint32_t f = 0; f < m->n_funcs; f++)
        for (uint32_t b = 0; b < m->funcs[f].n_blocks; b++)
            if (gen_terminator(&m->funcs[f], b)->op == BC_TCALL) return CC_TAIL;
    return CC_FAST;
}

Irgen irgen_start(const BcModule *m, const IrgenOptions *options) {
    return (Irgen){m, options ? *options : (IrgenOptions){0}, gen_conv(m)};
}

static Sig sig_make(Arena *arena, const BcType *type, uint8_t conv, bool vmctx, bool extend) {
    Sig sig = {.conv = conv, .declared = true, .n_params = type->n + vmctx, .n_results = type->elem != BC_VOID};
    sig.params = NEW_ARRAY(arena, AbiParam, sig.n_params);
    sig.results = NEW_ARRAY(arena, AbiParam, sig.n_results);
    if (vmctx) sig.params[0] = (AbiParam){.type = T_i64, .purpose = PURPOSE_VMCTX};
    for (uint32_t k = 0; k < type->n; k++) {
        uint32_t t = type->params[k];
        uint8_t ext = !extend || bc_type_size(t) == 8 || bc_is_float(t) ? EXT_NONE
                      : bc_is_signed(t)                                 ? EXT_SEXT
                                                                        : EXT_UEXT;
        sig.params[k + vmctx] = (AbiParam){.type = (uint8_t)gen_type(t), .ext = ext};
    }
    if (sig.n_results) sig.results[0] = (AbiParam){.type = (uint8_t)gen_type(type->elem)};
    return sig;
}

Sig irgen_sig(const Irgen *irgen, Arena *arena, uint32_t func) {
    return sig_make(arena, bc_type(irgen->m, bc_function_sig(irgen->m, func)), irgen->conv, true, false);
}

Sig irgen_c_sig(Arena *arena, const BcModule *m, uint32_t func) {
    return sig_make(arena, bc_type(m, bc_function_sig(m, func)), CC_SYSTEM_V, false, true);
}

uint32_t gen_sig(Gen *g, uint32_t table_index) {
    bool added;
    uint32_t *at = map_add(&g->sigs, table_index, g->f->sigs.n, &added);
    if (added) {
        Sig sig = sig_make(g->f->arena, &g->m->types[table_index], g->irgen->conv, true, false);
        vec_push(g->f->arena, &g->f->sigs, sig);
    }
    return *at;
}

uint32_t gen_func_ref(Gen *g, uint32_t func) {
    bool added;
    uint32_t *at = map_add(&g->funcs, func, g->f->funcs.n, &added);
    uint32_t ref = *at;
    if (added) {
        uint32_t sig = gen_sig(g, bc_function_sig(g->m, func) - BC_TYPE_BASE);
        ExtFunc ext = {{NAME_USER, NULL, 0, func}, sig, .colocated = true, .declared = true};
        vec_push(g->f->arena, &g->f->funcs, ext);
    }
    return ref;
}

uint32_t irgen_trap_code(uint32_t ir_code) {
    switch (ir_code) {
    case TRAP_int_divz: return BC_TRAP_DIV_ZERO;
    case TRAP_int_ovf: return BC_TRAP_OVERFLOW;
    case TRAP_bad_toint: return BC_TRAP_BAD_CONV;
    case TRAP_stk_ovf: return BC_TRAP_STACK;
    default: return ir_code;
    }
}

// ---- the function ---------------------------------------------------------------------------------------------

static void gen_stack_limit(Gen *g) {
    Func *f = g->f;
    GlobalValue vm = {.kind = GV_VMCTX, .type = T_i64};
    GlobalValue limit = {.kind = GV_LOAD, .type = T_i64, .memflags = MF_NOTRAP | MF_ALIGNED};
    limit.base = f->globals.n;
    limit.offset = offsetof(VmCtx, stack_limit);
    f->stack_limit = f->globals.n + 1;
    vec_push(f->arena, &f->globals, vm);
    vec_push(f->arena, &f->globals, limit);
}

static void gen_body(Gen *g) {
    const BcFunc *bf = g->bf;
    const bool *reached = gen_reach(g);
    g->live = live_refs(g->arena, g->m, bf, reached);
    g->ref_slot = NEW_ARRAY(g->arena, uint32_t, bf->n_regs);
    g->slot_value = NEW_ARRAY(g->arena, uint32_t, bf->n_regs);
    g->slot_block = NEW_ARRAY(g->arena, Block, bf->n_regs);
    for (uint32_t r = 0; r < bf->n_regs; r++) {
        g->ref_slot[r] = NONE;
        g->slot_block[r] = NO_BLOCK;
        ssa_declare(g->ssa, gen_type(bf->regs[r]));
    }
    for (uint32_t r = 0; r < bf->n_params; r++) gen_def(g, (uint16_t)r, block_param(g->f, g->f->first, r + 1));
    g->b.srcloc = 0;
    if (gen_polls_entry(bf)) gen_poll(g);
    else g->safepoint++;
    gen_jump(g, g->heads[0]);
    told_pred(g, 0);
    for (uint32_t k = 0; k < bf->n_blocks; k++)
        if (reached[k]) gen_bc_block(g, k);
    for (uint32_t k = 0; k < g->cold.n; k++) block_append(g->f, g->cold.v[k]);
    ssa_finish(g->ssa);
}

Func *irgen_func(const Irgen *irgen, Arena *arena, uint32_t func) {
    const BcModule *m = irgen->m;
    Func *f = func_new_in(arena);
    Gen g = {.arena = arena_new(arena_ctx(arena)),
             .m = m,
             .bf = bc_local_func(m, func),
             .func = func,
             .irgen = irgen,
             .f = f};
    f->name = (ExtName){NAME_USER, NULL, 0, func};
    f->file = m->file;
    f->sig = irgen_sig(irgen, arena, func);
    g.sigs = map_new(g.arena);
    g.funcs = map_new(g.arena);
    g.helpers = map_new(g.arena);
    g.ssa = ssa_new(g.arena, f);
    g.b = (Builder){f, block_new(f), 0};
    block_append(f, g.b.at);
    for (uint32_t k = 0; k < f->sig.n_params; k++) block_add_param(f, g.b.at, (Type)f->sig.params[k].type);
    g.vm = block_param(f, g.b.at, 0);
    ssa_seal(g.ssa, g.b.at);
    gen_stack_limit(&g);
    if (g.bf) gen_body(&g);
    else gen_import(&g);
    arena_free(g.arena);
    return f;
}
