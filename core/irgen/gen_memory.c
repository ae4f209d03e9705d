// Constants, globals, objects, arrays, raw memory.
#include "irgen/gen.h"

#define OBJECT (MF_NOTRAP | MF_ALIGNED)
#define HEADER (OBJECT | MF_READONLY) // of an object: its type and length never change

Value gen_cell(Gen *g, uint32_t cell, Type type, uint8_t flags) {
    return ir_load(&g->b, type, flags, g->vm, vm_cell_offset(cell));
}

// A cell that never changes once the instance runs.
static Value gen_fixed_cell(Gen *g, uint32_t cell) {
    return gen_cell(g, cell, T_i64, OBJECT | MF_READONLY | MF_CAN_MOVE);
}

// ---- constants ------------------------------------------------------------------------------------------------

static void gen_immediate(Gen *g, const BcInst *i) {
    uint32_t type = gen_reg_type(g, i->r[0]);
    // u64 takes the 32 bits zero-extended, everything else the sign-extended ones (null is 0).
    uint64_t bits = type == BC_U64 ? i->x : (uint64_t)(int64_t)(int32_t)i->x;
    gen_def_rooted(g, i->r[0], gen_int(g, gen_type(type), bits));
}

static void gen_constant(Gen *g, const BcInst *i) {
    uint32_t k = g->bf->const_off + i->x;
    const BcConst *constant = &g->m->consts[k];
    Value value;
    switch (constant->tag) {
    case BC_F32: value = ir_f32const(&g->b, (uint32_t)constant->bits); break;
    case BC_F64: value = ir_f64const(&g->b, constant->bits); break;
    case BC_CONST_STR:
    // A root: the collector may have moved the object, so the cell is read anew each time.
    case BC_CONST_BYTES: value = gen_cell(g, vm_cell_const(g->m, k), T_i64, OBJECT); break;
    case BC_CONST_FN: value = ir_func_addr(&g->b, T_i64, gen_func_ref(g, (uint32_t)constant->bits)); break;
    default: value = gen_int(g, gen_type(constant->tag), constant->bits); break;
    }
    gen_def_rooted(g, i->r[0], value);
}

// ---- loads and stores of values -------------------------------------------------------------------------------

static Value gen_load_value(Gen *g, uint32_t type, Value base, int32_t offset) {
    if (g->irgen->options.read_barrier && bc_is_gc_ref(g->m, type)) {
        Value slot = ir_iadd(&g->b, base, gen_int(g, T_i64, (uint64_t)(int64_t)offset));
        return inst_result(g->f, gen_helper(g, GH_READ_BARRIER, (Value[]){g->vm, slot}, 2), 0);
    }
    return ir_load(&g->b, gen_type(type), OBJECT, base, offset);
}

static void gen_store_value(Gen *g, uint32_t type, Value value, Value base, int32_t offset) {
    ir_store(&g->b, OBJECT, value, base, offset);
    if (!g->irgen->options.write_barrier || !bc_is_gc_ref(g->m, type)) return;
    Value slot = ir_iadd(&g->b, base, gen_int(g, T_i64, (uint64_t)(int64_t)offset));
    gen_helper(g, GH_WRITE_BARRIER, (Value[]){g->vm, slot, value}, 3);
}

// Base and offset of a global's cell.
static Value gen_global(Gen *g, uint32_t global, int32_t *offset) {
    *offset = vm_cell_offset(vm_cell_global(global));
    if (global >= g->m->n_imp_globals) return g->vm;
    Value cell = gen_fixed_cell(g, vm_cell_global(global));
    *offset = 0;
    return cell;
}

static void gen_load_global(Gen *g, const BcInst *i) {
    int32_t offset;
    Value base = gen_global(g, i->x, &offset);
    gen_def(g, i->r[0], gen_load_value(g, gen_reg_type(g, i->r[0]), base, offset));
}

static void gen_store_global(Gen *g, const BcInst *i) {
    int32_t offset;
    Value base = gen_global(g, i->x, &offset);
    gen_store_value(g, gen_reg_type(g, i->r[0]), gen_use(g, i->r[0]), base, offset);
}

// ---- objects --------------------------------------------------------------------------------------------------

static Value gen_not_null(Gen *g, uint16_t reg) {
    Value object = gen_use(g, reg);
    ir_trapz(&g->b, object, BC_TRAP_NULL);
    return object;
}

// The length of an array, which is not null. To be done first with an array: no other access to it looks for null.
static Value gen_array_length(Gen *g, Value array) {
    if (!g->irgen->options.null_faults) return ir_load(&g->b, T_i32, HEADER, array, HEAP_OFF_LENGTH);
    Value length = ir_load(&g->b, T_i32, HEADER & ~MF_NOTRAP, array, HEAP_OFF_LENGTH);
    inst_get(g->f, value_def(g->f, length))->code = BC_TRAP_NULL;
    return length;
}

static Value gen_array(Gen *g, uint16_t reg) {
    return g->irgen->options.null_faults ? gen_use(g, reg) : gen_not_null(g, reg);
}

static void gen_load_field(Gen *g, const BcInst *i) {
    Value object = gen_not_null(g, i->r[1]);
    gen_def(g, i->r[0], gen_load_value(g, gen_reg_type(g, i->r[0]), object, (int32_t)i->x));
}

static void gen_store_field(Gen *g, const BcInst *i) {
    Value object = gen_not_null(g, i->r[0]);
    gen_store_value(g, gen_reg_type(g, i->r[1]), gen_use(g, i->r[1]), object, (int32_t)i->x);
}

static void gen_new(Gen *g, uint16_t reg, enum GenHelper helper, const Value *args, uint32_t n) {
    gen_spill_refs(g);
    Inst call = gen_helper(g, helper, args, n);
    ir_trapz(&g->b, inst_result(g->f, call, 0), BC_TRAP_OOM);
    gen_reload_refs(g, call);
    gen_def(g, reg, inst_result(g->f, call, 0));
}

// In the heap's window if it fits there, by a call otherwise. The window's memory is zero, so of the header only the
// type is written (the length is 0).
static void gen_new_struct(Gen *g, const BcInst *i) {
    Builder *b = &g->b;
    uint64_t bytes = HEAP_HEADER + (((uint64_t)g->m->types[i->x].size + 7) & ~UINT64_C(7));
    Value top = ir_load(b, T_i64, OBJECT, g->vm, offsetof(VmCtx, window.top));
    Value end = ir_load(b, T_i64, OBJECT, g->vm, offsetof(VmCtx, window.end));
    Value next = ir_iadd(b, top, gen_int(g, T_i64, bytes));
    Value full = ir_icmp(b, ICC_ugt, next, end);
    Block slow = gen_cold(g);
    Block fast = gen_block(g);
    Block done = block_new(g->f);
    gen_brif(g, full, slow, fast);
    gen_go(g, slow);
    gen_new(g, i->r[0], GH_ALLOC_STRUCT, (Value[]){g->vm, gen_int(g, T_i32, i->x)}, 2);
    gen_jump(g, done);
    gen_go(g, fast);
    ir_store(b, OBJECT, next, g->vm, offsetof(VmCtx, window.top));
    Value object = ir_iadd(b, top, gen_int(g, T_i64, HEAP_HEADER));
    ir_store(b, OBJECT, gen_int(g, T_i32, i->x), object, HEAP_OFF_TYPE);
    gen_def(g, i->r[0], object);
    gen_jump(g, done);
    block_append(g->f, done);
    gen_go(g, done);
}

// Negative lengths are large unsigned ones, so one comparison does.
static void gen_new_array(Gen *g, const BcInst *i) {
    uint32_t type = gen_reg_type(g, i->r[1]);
    Value length = gen_use(g, i->r[1]);
    Value bad = ir_icmp(&g->b, ICC_ugt, length, gen_int(g, gen_type(type), HEAP_MAX_LENGTH));
    ir_trapnz(&g->b, bad, BC_TRAP_BAD_LEN);
    if (bc_type_size(type) == 8) length = ir_ireduce(&g->b, T_i32, length);
    uint32_t array = gen_reg_type(g, i->r[0]) - BC_TYPE_BASE;
    gen_new(g, i->r[0], GH_ALLOC_ARRAY, (Value[]){g->vm, gen_int(g, T_i32, array), length}, 3);
    // It is there already; the passes learn that each later look at the length finds this value.
    ir_store(&g->b, OBJECT, length, gen_use(g, i->r[0]), HEAP_OFF_LENGTH);
}

// The address of an element, after the checks.
static Value gen_element(Gen *g, uint16_t array, uint16_t index, uint32_t elem) {
    Builder *b = &g->b;
    uint32_t type = gen_reg_type(g, index);
    bool wide = bc_type_size(type) == 8;
    Value object = gen_array(g, array);
    Value i = gen_use(g, index);
    Value length = gen_array_length(g, object);
    // Lengths are below 2^31, so unsigned comparison catches negative indices too.
    ir_trapnz(b, ir_icmp(b, ICC_uge, i, wide ? ir_uextend(b, T_i64, length) : length), BC_TRAP_BOUNDS);
    if (!wide) i = ir_uextend(b, T_i64, i);
    uint32_t shift = (uint32_t)__builtin_ctz(bc_type_size(elem));
    if (shift) i = ir_ishl(b, i, gen_int(g, T_i64, shift));
    return ir_iadd(b, object, i);
}

static void gen_get(Gen *g, const BcInst *i) {
    uint32_t elem = gen_reg_type(g, i->r[0]);
    Value address = gen_element(g, i->r[1], i->r[2], elem);
    gen_def(g, i->r[0], gen_load_value(g, elem, address, 0));
}

static void gen_set(Gen *g, const BcInst *i) {
    uint32_t elem = gen_reg_type(g, i->r[2]);
    Value address = gen_element(g, i->r[0], i->r[1], elem);
    gen_store_value(g, elem, gen_use(g, i->r[2]), address, 0);
}

static void gen_length(Gen *g, const BcInst *i) {
    Value length = gen_array_length(g, gen_array(g, i->r[1]));
    gen_def(g, i->r[0], ir_uextend(&g->b, T_i64, length));
}

// ---- type tests -----------------------------------------------------------------------------------------------

// In a new block, reached when the object is not null: does it have this type? `done` is where null goes.
static Value gen_has_type(Gen *g, Value object, uint32_t table_index, Block done) {
    Block test = gen_block(g);
    gen_brif(g, object, test, done);
    gen_go(g, test);
    Value type = ir_load(&g->b, T_i32, HEADER, object, HEAP_OFF_TYPE);
    return ir_icmp(&g->b, ICC_eq, type, gen_int(g, T_i32, table_index));
}

static void gen_cast(Gen *g, const BcInst *i) {
    Value object = gen_use(g, i->r[1]);
    Block done = block_new(g->f);
    Value same = gen_has_type(g, object, gen_reg_type(g, i->r[0]) - BC_TYPE_BASE, done);
    ir_trapz(&g->b, same, BC_TRAP_BAD_CAST);
    gen_jump(g, done);
    block_append(g->f, done);
    gen_go(g, done);
    gen_def(g, i->r[0], object);
}

static void gen_test(Gen *g, const BcInst *i) {
    Value object = gen_use(g, i->r[1]);
    Block done = block_new(g->f);
    gen_def(g, i->r[0], gen_int(g, T_i8, 0));
    Value same = gen_has_type(g, object, i->x, done);
    gen_def(g, i->r[0], same);
    gen_jump(g, done);
    block_append(g->f, done);
    gen_go(g, done);
}

// ---- raw memory -----------------------------------------------------------------------------------------------

static void gen_raw_load(Gen *g, const BcInst *i) {
    uint32_t mem = i->m0;
    Type type = gen_type(gen_reg_type(g, i->r[0]));
    Value value = ir_load(&g->b, gen_type(mem), MF_LITTLE, gen_use(g, i->r[1]), (int32_t)i->x);
    if (mem == BC_BOOL) value = ir_icmp(&g->b, ICC_ne, value, gen_int(g, T_i8, 0));
    else if (gen_type(mem) != type)
        value = bc_is_signed(mem) ? ir_sextend(&g->b, type, value) : ir_uextend(&g->b, type, value);
    gen_def(g, i->r[0], value);
}

static void gen_raw_store(Gen *g, const BcInst *i) {
    Value value = gen_use(g, i->r[1]);
    if (gen_type(i->m0) != gen_type(gen_reg_type(g, i->r[1]))) value = ir_ireduce(&g->b, gen_type(i->m0), value);
    ir_store(&g->b, MF_LITTLE, value, gen_use(g, i->r[0]), (int32_t)i->x);
}

bool gen_memory(Gen *g, const BcInst *i) {
    switch (i->op) {
    case BC_MOV: gen_def(g, i->r[0], gen_use(g, i->r[1])); return true;
    case BC_K32: gen_immediate(g, i); return true;
    case BC_KIDX: gen_constant(g, i); return true;
    case BC_LDF: gen_load_field(g, i); return true;
    case BC_STF: gen_store_field(g, i); return true;
    case BC_LD: gen_raw_load(g, i); return true;
    case BC_ST: gen_raw_store(g, i); return true;
    case BC_ALOC: gen_new_struct(g, i); return true;
    case BC_ARR_NEW: gen_new_array(g, i); return true;
    case BC_ARR_GET: gen_get(g, i); return true;
    case BC_ARR_SET: gen_set(g, i); return true;
    case BC_ARR_LEN: gen_length(g, i); return true;
    case BC_LDG: gen_load_global(g, i); return true;
    case BC_STG: gen_store_global(g, i); return true;
    case BC_RCAST: gen_cast(g, i); return true;
    case BC_RTST: gen_test(g, i); return true;
    case BC_DPTR: gen_def(g, i->r[0], gen_fixed_cell(g, vm_cell_data(g->m, i->x))); return true;
    default: return false;
    }
}
