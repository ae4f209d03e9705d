// Calls, safepoints, exits, and the wrappers of imported functions.
#include "irgen/gen.h"

#include "runtime/instance.h"

#include <string.h>

// ---- runtime helpers ------------------------------------------------------------------------------------------

// Parameter and result types by letter: l i64, i i32, b i8.
static const struct {
    const char *name;
    const char *params;
    const char *result;
} helpers[N_GEN_HELPERS] = {
    [GH_ALLOC_STRUCT] = {"rt_alloc_struct", "li", "l"},
    [GH_ALLOC_ARRAY] = {"rt_alloc_array", "lii", "l"},
    [GH_POLL] = {"rt_poll", "l", "i"},
    [GH_IMPORT] = {"rt_import", "lill", "i"},
    [GH_LEAVE] = {"rt_leave", "l", ""},
    [GH_READ_BARRIER] = {"rt_read_barrier", "ll", "l"},
    [GH_WRITE_BARRIER] = {"rt_write_barrier", "lll", ""},
    [GH_MEMMOVE] = {"memmove", "lll", "l"},
    [GH_MEMSET] = {"memset", "lil", "l"},
};

static AbiParam helper_param(char letter) {
    return (AbiParam){.type = letter == 'l' ? T_i64 : letter == 'i' ? T_i32 : T_i8};
}

static Sig helper_sig(Arena *arena, const char *params, const char *result) {
    Sig sig = {.conv = CC_SYSTEM_V, .declared = true};
    sig.n_params = (uint32_t)strlen(params);
    sig.n_results = (uint32_t)strlen(result);
    sig.params = NEW_ARRAY(arena, AbiParam, sig.n_params);
    sig.results = NEW_ARRAY(arena, AbiParam, sig.n_results);
    for (uint32_t k = 0; k < sig.n_params; k++) sig.params[k] = helper_param(params[k]);
    for (uint32_t k = 0; k < sig.n_results; k++) sig.results[k] = helper_param(result[k]);
    return sig;
}

Inst gen_helper(Gen *g, enum GenHelper helper, const Value *args, uint32_t n) {
    Func *f = g->f;
    bool added;
    uint32_t *at = map_add(&g->helpers, helper, f->funcs.n, &added);
    uint32_t ref = *at;
    if (added) {
        vec_push(f->arena, &f->sigs, helper_sig(f->arena, helpers[helper].params, helpers[helper].result));
        ExtName name = name_of(helpers[helper].name);
        vec_push(f->arena, &f->funcs, (ExtFunc){name, f->sigs.n - 1, .declared = true});
    }
    return ir_call(&g->b, ref, args, n);
}

// ---- references across safepoints ---------------------------------------------------------------------------------

static LivePoint gen_point(const Gen *g) { return g->live ? g->live->points.v[g->safepoint] : (LivePoint){0, 0}; }

static uint32_t gen_slot(Gen *g, uint16_t reg) {
    if (g->ref_slot[reg] == NONE) {
        vec_push(g->f->arena, &g->f->slots, (StackSlot){.size = 8, .align = 8, .declared = true});
        g->ref_slot[reg] = g->f->slots.n - 1;
    }
    return g->ref_slot[reg];
}

bool gen_stores_writes(const Gen *g, uint16_t reg) {
    return g->irgen->options.pinned && g->live && g->live->at_writes[reg];
}

void gen_store_ref(Gen *g, uint16_t reg, Value value) {
    ir_store(&g->b, MF_NOTRAP | MF_ALIGNED, value, ir_stack_addr(&g->b, T_i64, gen_slot(g, reg), 0), 0);
}

void gen_spill_refs(Gen *g) {
    LivePoint point = gen_point(g);
    for (uint32_t k = 0; k < point.n; k++) {
        uint16_t reg = g->live->regs.v[point.at + k];
        if (gen_stores_writes(g, reg)) continue;
        Value value = gen_use(g, reg);
        // Stored or reloaded before and not changed since.
        if (block_eq(g->slot_block[reg], g->b.at) && g->slot_value[reg] == value.i) continue;
        g->slot_value[reg] = value.i;
        g->slot_block[reg] = g->b.at;
        gen_store_ref(g, reg, value);
    }
}

void gen_reload_refs(Gen *g, Inst call) {
    LivePoint point = gen_point(g);
    Func *f = g->f;
    g->safepoint++;
    if (!point.n) return;
    vec_push(f->arena, &f->stack_maps, (StackMap){f->map_entries.n, point.n});
    inst_get(f, call)->stack_map = f->stack_maps.n;
    for (uint32_t k = 0; k < point.n; k++) {
        uint16_t reg = g->live->regs.v[point.at + k];
        vec_push(f->arena, &f->map_entries, (StackMapEntry){T_i64, gen_slot(g, reg), 0});
        if (g->irgen->options.pinned) continue;
        Value address = ir_stack_addr(&g->b, T_i64, gen_slot(g, reg), 0);
        Value value = ir_load(&g->b, T_i64, MF_NOTRAP | MF_ALIGNED, address, 0);
        gen_def(g, reg, value);
        g->slot_value[reg] = value.i;
        g->slot_block[reg] = g->b.at;
    }
}

// brif flag, slow, on;  slow: rt_poll; on: ...
void gen_poll(Gen *g) {
    if (g->irgen->options.no_polls) {
        g->safepoint++;
        return;
    }
    Value flag = ir_atomic_load(&g->b, T_i64, MF_NOTRAP | MF_ALIGNED, g->vm);
    Block slow = gen_cold(g);
    Block on = gen_block(g);
    gen_brif(g, flag, slow, on);
    gen_go(g, slow);
    gen_spill_refs(g);
    Inst call = gen_helper(g, GH_POLL, &g->vm, 1);
    ir_trapnz(&g->b, inst_result(g->f, call, 0), BC_TRAP_INTERRUPT);
    gen_reload_refs(g, call);
    gen_jump(g, on);
    gen_go(g, on);
}

void gen_exit(Gen *g, uint32_t code) {
    ir_store(&g->b, MF_NOTRAP | MF_ALIGNED, gen_int(g, T_i64, code), g->vm, offsetof(VmCtx, exit_code));
    ir_trap(&g->b, RT_TRAP_EXIT);
}

// ---- calls --------------------------------------------------------------------------------------------------------

static Value *gen_args(Gen *g, const BcInst *i) {
    Value *args = NEW_ARRAY(g->arena, Value, (size_t)i->n + 1);
    args[0] = g->vm;
    for (uint32_t k = 0; k < i->n; k++) args[k + 1] = gen_use(g, g->bf->args[i->y + k]);
    return args;
}

void gen_call(Gen *g, const BcInst *i) {
    Inst call;
    Value *args = gen_args(g, i);
    if (i->op == BC_ICALL) {
        Value callee = gen_use(g, i->r[1]);
        uint32_t sig = gen_sig(g, gen_reg_type(g, i->r[1]) - BC_TYPE_BASE);
        ir_trapz(&g->b, callee, BC_TRAP_NULL);
        gen_spill_refs(g);
        call = ir_call_indirect(&g->b, sig, callee, args, i->n + 1u);
    } else {
        uint32_t ref = gen_func_ref(g, i->x);
        gen_spill_refs(g);
        call = ir_call(&g->b, ref, args, i->n + 1u);
    }
    gen_reload_refs(g, call);
    if (i->r[0] != BC_NOREG) gen_def(g, i->r[0], inst_result(g->f, call, 0));
}

void gen_tail_call(Gen *g, const BcInst *i) {
    Value *args = gen_args(g, i);
    ir_return_call(&g->b, gen_func_ref(g, i->x), args, i->n + 1u);
}

// ---- imports --------------------------------------------------------------------------------------------------------

static Value gen_widen(Gen *g, Value value, uint32_t typeref) {
    if (typeref == BC_F32) value = ir_bitcast(&g->b, T_i32, 0, value);
    return bc_type_size(typeref) == 8 ? value : ir_uextend(&g->b, T_i64, value);
}

static void gen_import_c(Gen *g, const BcType *type) {
    Func *f = g->f;
    Value address = gen_cell(g, vm_cell_import(g->m, g->func), T_i64, MF_NOTRAP | MF_ALIGNED | MF_READONLY);
    ir_trapz(&g->b, address, BC_TRAP_LINK);
    // The function may run the program again, whose collector then walks over this frame: the call of the helper, which
    // is made as the function's, tells where it stands. Without frames to walk nobody asks.
    if (!g->irgen->options.pinned) gen_helper(g, GH_LEAVE, &g->vm, 1);
    vec_push(f->arena, &f->sigs, irgen_c_sig(f->arena, g->m, g->func));
    Value *args = NEW_ARRAY(g->arena, Value, type->n);
    for (uint32_t k = 0; k < type->n; k++) args[k] = block_param(f, f->first, k + 1);
    Inst call = ir_call_indirect(&g->b, f->sigs.n - 1, address, args, type->n);
    Value result = type->elem == BC_VOID ? NO_VALUE : inst_result(f, call, 0);
    // A C bool is 0 or 1 by the platform's rules; anything else would break ours.
    if (type->elem == BC_BOOL) result = ir_icmp(&g->b, ICC_ne, result, gen_int(g, T_i8, 0));
    ir_return(&g->b, &result, value_ok(result));
}

// The arguments as words in a stack slot, references among them in the stack map, and one more word for the result.
static void gen_import_vitte(Gen *g, const BcType *type) {
    Func *f = g->f;
    vec_push(f->arena, &f->slots, (StackSlot){.size = (type->n + 1u) * 8, .align = 8, .declared = true});
    uint32_t slot = f->slots.n - 1;
    StackMap map = {f->map_entries.n, 0};
    for (uint32_t k = 0; k < type->n; k++) {
        Value word = gen_widen(g, block_param(f, f->first, k + 1), type->params[k]);
        ir_store(&g->b, MF_NOTRAP | MF_ALIGNED, word, ir_stack_addr(&g->b, T_i64, slot, (int32_t)k * 8), 0);
        if (!bc_is_gc_ref(g->m, type->params[k])) continue;
        vec_push(f->arena, &f->map_entries, (StackMapEntry){T_i64, slot, k * 8});
        map.n++;
    }
    int32_t at_result = type->n * 8;
    Value args[4] = {g->vm, gen_int(g, T_i32, g->func), ir_stack_addr(&g->b, T_i64, slot, 0),
                     ir_stack_addr(&g->b, T_i64, slot, at_result)};
    Inst call = gen_helper(g, GH_IMPORT, args, 4);
    if (map.n) {
        vec_push(f->arena, &f->stack_maps, map);
        inst_get(f, call)->stack_map = f->stack_maps.n;
    }
    ir_trapnz(&g->b, inst_result(f, call, 0), RT_TRAP_EXIT);
    Value result = NO_VALUE;
    if (type->elem != BC_VOID)
        result = ir_load(&g->b, gen_type(type->elem), MF_NOTRAP | MF_ALIGNED | MF_LITTLE,
                         ir_stack_addr(&g->b, T_i64, slot, at_result), 0);
    ir_return(&g->b, &result, value_ok(result));
}

void gen_import(Gen *g) {
    const BcType *type = bc_type(g->m, bc_function_sig(g->m, g->func));
    g->b.srcloc = NONE;
    if (g->m->imports[g->m->imp_funcs[g->func]].abi == BC_ABI_C) gen_import_c(g, type);
    else gen_import_vitte(g, type);
}
