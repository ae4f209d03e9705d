// The IR interpreter; see interp.h.
//
// A frame is a run of value cells (one per value number) and a run of the stack memory for its slots; both are
// stacks, so a call pushes and a return pops. A tail call gathers its arguments, then reuses the frame's place.
#include "ir/interp.h"

#include <string.h>

#include "ir_eval.h"
#include "ir/eval_ops.h"

enum { DEFAULT_DEPTH = 10000, DEFAULT_STACK = 1 << 20, MOST_STACK = 1 << 26, STACK_ALIGN = 64, MAX_CELLS = 1 << 24 };

// What a name stands for: a function of the file, or the host's. Function addresses point at these.
typedef struct Callee {
    const Func *f; // NULL = the host's
    ExtName name;
} Callee;

typedef struct FuncInfo {
    const Func *f;
    uint32_t *callees;     // per ExtFunc: index into IrInterp.callees
    uint32_t *slot_offset; // per stack slot
    uint64_t slots_size;
} FuncInfo;

typedef struct Frame {
    const FuncInfo *info;
    Inst inst;
    uint32_t cells; // where its values start in IrInterp.cells
    uint32_t bytes; // where its slots start in the stack
    uint32_t bytes_end;
} Frame;

struct IrInterp {
    Ctx *ctx;
    Arena *arena;
    IrInterpOptions options;
    FuncInfo *infos;
    uint32_t n_funcs;
    Map func_of; // address of a Func -> index into infos
    Interner names;
    Map callee_of; // name key -> index into callees
    VEC(Callee) callees;
    VEC(uint64_t) cells;
    VEC(Frame) frames;
    VEC(uint64_t) moves;     // arguments on their way
    VEC(uint64_t) from_host; // results of a host function
    uint8_t *stack;
    uint32_t stack_size;
    uint64_t left; // fuel
    uint64_t executed;
    uint8_t trap;
    const char *error;
};

// ---- set-up -------------------------------------------------------------------------------------

// Text names count up from 0; user names are told from them by the top bit.
static uint64_t name_key(IrInterp *in, const ExtName *name) {
    if (name->kind == NAME_USER) return UINT64_C(1) << 63 | (uint64_t)name->space << 32 | name->index;
    return intern(&in->names, name->text, strlen(name->text));
}

static uint32_t callee_index(IrInterp *in, const ExtName *name) {
    bool added;
    uint32_t *at = map_add(&in->callee_of, name_key(in, name), in->callees.n, &added);
    uint32_t index = *at;
    if (added) vec_push(in->arena, &in->callees, (Callee){NULL, *name});
    return index;
}

static void info_init(IrInterp *in, FuncInfo *info, const Func *f) {
    info->f = f;
    info->callees = NEW_ARRAY(in->arena, uint32_t, f->funcs.n);
    for (uint32_t k = 0; k < f->funcs.n; k++) {
        if (f->funcs.v[k].declared) info->callees[k] = callee_index(in, &f->funcs.v[k].name);
    }
    info->slot_offset = NEW_ARRAY(in->arena, uint32_t, f->slots.n);
    for (uint32_t k = 0; k < f->slots.n; k++) {
        uint64_t align = f->slots.v[k].align > 8 ? f->slots.v[k].align : 8;
        info->slots_size = (info->slots_size + align - 1) & ~(align - 1);
        info->slot_offset[k] = (uint32_t)info->slots_size;
        info->slots_size += f->slots.v[k].size;
        if (info->slots_size > UINT32_MAX / 2) ctx_fail(in->ctx, VTR_ERR_LIMIT, "stack slots of more than 2 GiB");
    }
}

// Room for every function's slots once, and for small frames besides.
static uint32_t default_stack(const IrInterp *in) {
    uint64_t size = DEFAULT_STACK;
    for (uint32_t k = 0; k < in->n_funcs; k++) {
        size += in->infos[k].slots_size + STACK_ALIGN;
        if (size > MOST_STACK) return MOST_STACK;
    }
    return (uint32_t)size;
}

IrInterp *ir_interp_new(Arena *arena, Func *const *funcs, uint32_t n_funcs, const IrInterpOptions *options) {
    IrInterp *in = NEW(arena, IrInterp);
    in->ctx = arena_ctx(arena);
    in->arena = arena;
    if (options) in->options = *options;
    if (in->options.max_depth == 0) in->options.max_depth = DEFAULT_DEPTH;
    in->names = interner_new(arena);
    in->callee_of = map_new(arena);
    in->func_of = map_new(arena);
    in->n_funcs = n_funcs;
    in->infos = NEW_ARRAY(arena, FuncInfo, n_funcs);
    for (uint32_t k = 0; k < n_funcs; k++) {
        uint32_t callee = callee_index(in, &funcs[k]->name); // may move the table
        in->callees.v[callee].f = funcs[k];
        map_add(&in->func_of, (uint64_t)(uintptr_t)funcs[k], k, NULL);
    }
    for (uint32_t k = 0; k < n_funcs; k++) info_init(in, &in->infos[k], funcs[k]);
    in->stack_size = in->options.stack_size ? in->options.stack_size : default_stack(in);
    uint8_t *raw = arena_alloc(arena, (size_t)in->stack_size + STACK_ALIGN);
    in->stack = raw + (STACK_ALIGN - (uintptr_t)raw % STACK_ALIGN);
    // From here on `callees` does not move: function addresses point into it.
    return in;
}

// ---- frames -------------------------------------------------------------------------------------

static IrInterpStatus fail(IrInterp *in, const char *what, const ExtName *name) {
    in->error = name ? arena_printf(in->arena, "%s %s", what, name_text(in->arena, *name)) : what;
    return IR_INTERP_ERROR;
}

static IrInterpStatus trapped(IrInterp *in, uint8_t code) {
    in->trap = code;
    return IR_INTERP_TRAP;
}

static uint64_t *cell(IrInterp *in, const Frame *frame, Value v) {
    return &in->cells.v[frame->cells + func_value(frame->info->f, v).i];
}

static uint64_t list_cell(IrInterp *in, const Frame *frame, ValueList list, uint32_t k) {
    return *cell(in, frame, list_get(frame->info->f, list, k));
}

// Puts in->moves into a list of values.
static void land(IrInterp *in, const Frame *frame, ValueList list) {
    for (uint32_t k = 0; k < list.n; k++) {
        in->cells.v[frame->cells + frame->info->f->pool.v[list.at + k]] = in->moves.v[k];
    }
}

static void gather(IrInterp *in, const Frame *frame, ValueList list, uint32_t from) {
    in->moves.n = 0;
    for (uint32_t k = from; k < list.n; k++) vec_push(in->arena, &in->moves, list_cell(in, frame, list, k));
}

// A frame whose arguments are in->moves.
static IrInterpStatus enter(IrInterp *in, const Func *f) {
    const FuncInfo *info = &in->infos[*map_find(&in->func_of, (uint64_t)(uintptr_t)f)];
    uint32_t bytes = in->frames.n ? vec_last(&in->frames).bytes_end : 0;
    if (in->frames.n >= in->options.max_depth || info->slots_size > in->stack_size - bytes ||
        f->values.n > MAX_CELLS - in->cells.n) {
        return trapped(in, TRAP_stk_ovf);
    }
    uint32_t end = bytes + (uint32_t)info->slots_size;
    if (end > in->stack_size - (STACK_ALIGN - 1)) return trapped(in, TRAP_stk_ovf);
    memset(in->stack + bytes, 0, end - bytes);
    Frame frame = {info, block_get(f, f->first)->first, in->cells.n, bytes,
                   (end + STACK_ALIGN - 1) & ~(STACK_ALIGN - 1U)};
    (void)vec_extend(in->arena, &in->cells, f->values.n);
    vec_push(in->arena, &in->frames, frame);
    land(in, &vec_last(&in->frames), block_get(f, f->first)->params);
    return IR_INTERP_OK;
}

static void leave(IrInterp *in) {
    in->cells.n = vec_last(&in->frames).cells;
    in->frames.n--;
}

// ---- memory -------------------------------------------------------------------------------------

// Where a value of `size` bytes at this address lies, NULL = outside (32-bit addresses only).
static uint8_t *locate(IrInterp *in, Type type, uint64_t address, int64_t offset, unsigned size) {
    if (type_bits(type) == 64) return (uint8_t *)(uintptr_t)(address + (uint64_t)offset);
    int64_t at = (int64_t)address + offset;
    if (at < 0 || at > (int64_t)in->stack_size - (int64_t)size) return NULL;
    return in->stack + at;
}

static bool swapped(uint8_t memflags) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return memflags & MF_LITTLE;
#else
    return memflags & MF_BIG;
#endif
}

static uint64_t get_bytes(const uint8_t *from, unsigned size, uint8_t memflags) {
    uint64_t x = 0;
    for (unsigned k = 0; k < size; k++) x |= (uint64_t)from[swapped(memflags) ? size - 1 - k : k] << (8 * k);
    return x;
}

static void put_bytes(uint8_t *to, uint64_t x, unsigned size, uint8_t memflags) {
    for (unsigned k = 0; k < size; k++) to[swapped(memflags) ? size - 1 - k : k] = (uint8_t)(x >> (8 * k));
}

// Bytes in memory and sign of the narrow forms; plain loads and stores are as wide as their type.
static unsigned access_size(const InstData *d, Type type, bool *sign) {
    *sign = d->op == OP_sload8 || d->op == OP_sload16 || d->op == OP_sload32;
    switch ((Op)d->op) {
    case OP_uload8:
    case OP_sload8:
    case OP_istore8: return 1;
    case OP_uload16:
    case OP_sload16:
    case OP_istore16: return 2;
    case OP_uload32:
    case OP_sload32:
    case OP_istore32: return 4;
    default: return type_bytes(type);
    }
}

static IrInterpStatus memory(IrInterp *in, const Frame *frame, Inst i, bool load) {
    const Func *f = frame->info->f;
    const InstData *d = inst_get(f, i);
    Value pointer = inst_arg(f, i, load ? 0 : 1);
    Type type = value_type(f, load ? inst_result(f, i, 0) : inst_arg(f, i, 0));
    bool sign;
    unsigned size = access_size(d, type, &sign);
    uint8_t *at = locate(in, value_type(f, pointer), *cell(in, frame, pointer), d->imm, size);
    if (!at) return trapped(in, d->code ? d->code : TRAP_heap_oob);
    if (load) {
        uint64_t x = get_bytes(at, size, d->memflags);
        if (sign) x = ev_zx((uint64_t)ev_sx(x, size * 8), type_bits(type));
        *cell(in, frame, inst_result(f, i, 0)) = x;
    } else {
        put_bytes(at, *cell(in, frame, inst_arg(f, i, 0)), size, d->memflags);
    }
    return IR_INTERP_OK;
}

// ---- addresses ----------------------------------------------------------------------------------

static IrInterpStatus address(IrInterp *in, const Frame *frame, Inst i) {
    const Func *f = frame->info->f;
    const InstData *d = inst_get(f, i);
    bool narrow = type_bits((Type)d->type) == 32;
    uint64_t x = 0;
    if (d->op == OP_stack_addr) {
        uint64_t offset = frame->bytes + frame->info->slot_offset[d->ref] + (uint64_t)d->imm;
        x = narrow ? offset : (uint64_t)(uintptr_t)in->stack + offset;
    } else if (d->op == OP_func_addr) {
        uint32_t index = frame->info->callees[d->ref];
        x = narrow ? index + 1 : (uint64_t)(uintptr_t)&in->callees.v[index];
    } else {
        const GlobalValue *gv = &f->globals.v[d->ref];
        void *at = in->options.host.symbol ? in->options.host.symbol(in->options.host.data, &gv->name) : NULL;
        if (!at) return fail(in, "there is no symbol", &gv->name);
        x = (uint64_t)(uintptr_t)at + (uint64_t)gv->offset;
    }
    *cell(in, frame, inst_result(f, i, 0)) = narrow ? (uint32_t)x : x;
    return IR_INTERP_OK;
}

static const Callee *callee_at(const IrInterp *in, Type type, uint64_t x) {
    uint64_t base = type_bits(type) == 64 ? (uint64_t)(uintptr_t)in->callees.v : 1;
    uint64_t step = type_bits(type) == 64 ? sizeof(Callee) : 1;
    uint64_t index = (x - base) / step;
    return index < in->callees.n && (x - base) % step == 0 ? &in->callees.v[index] : NULL;
}

// ---- calls --------------------------------------------------------------------------------------

static bool same_types(const AbiParam *a, uint32_t n, const AbiParam *b, uint32_t m) {
    if (n != m) return false;
    for (uint32_t k = 0; k < n; k++) {
        if (a[k].type != b[k].type) return false;
    }
    return true;
}

static IrInterpStatus call_host(IrInterp *in, const Callee *callee, const Sig *sig, uint64_t **results) {
    in->from_host.n = 0;
    *results = vec_extend(in->arena, &in->from_host, sig->n_results + 1);
    int code = -1;
    if (in->options.host.call) {
        code = in->options.host.call(in->options.host.data, &callee->name, sig, in->moves.v, *results);
    }
    if (code < 0) return fail(in, "there is no function", &callee->name);
    return code ? trapped(in, (uint8_t)code) : IR_INTERP_OK;
}

static IrInterpStatus give_results(IrInterp *in, const uint64_t *values, uint32_t n, uint64_t *results);

static IrInterpStatus call(IrInterp *in, Inst i, uint64_t *results) {
    Frame *frame = &vec_last(&in->frames);
    const Func *f = frame->info->f;
    const InstData *d = inst_get(f, i);
    bool tail = op_has((Op)d->op, OPF_return);
    bool indirect = op_info[d->op].format == FMT_call_indirect;
    const Sig *sig = inst_sig(f, i);
    const Callee *callee;
    if (indirect) {
        Value pointer = inst_arg(f, i, 0);
        callee = callee_at(in, value_type(f, pointer), *cell(in, frame, pointer));
        if (!callee) return fail(in, "a call through an address that is no function's", NULL);
    } else {
        callee = &in->callees.v[frame->info->callees[d->ref]];
    }
    gather(in, frame, d->args, indirect);
    if (!callee->f) {
        uint64_t *values;
        IrInterpStatus status = call_host(in, callee, sig, &values);
        if (status != IR_INTERP_OK) return status;
        if (tail) return give_results(in, values, sig->n_results, results);
        for (uint32_t k = 0; k < sig->n_results; k++) *cell(in, frame, inst_result(f, i, k)) = values[k];
        frame->inst = d->next;
        return IR_INTERP_OK;
    }
    const Sig *own = &callee->f->sig;
    if (!same_types(own->params, own->n_params, sig->params, sig->n_params) ||
        !same_types(own->results, own->n_results, sig->results, sig->n_results)) {
        return fail(in, "the signature of the call is not that of the function", &callee->name);
    }
    if (tail) leave(in);
    return enter(in, callee->f);
}

// Values come back to the calling frame, or to the host when there is none. The frame that gives them is left.
static IrInterpStatus give_results(IrInterp *in, const uint64_t *values, uint32_t n, uint64_t *results) {
    leave(in);
    if (in->frames.n == 0) {
        for (uint32_t k = 0; k < n; k++) results[k] = values[k];
        return IR_INTERP_OK;
    }
    Frame *frame = &vec_last(&in->frames);
    const Func *f = frame->info->f;
    const InstData *d = inst_get(f, frame->inst);
    for (uint32_t k = 0; k < n; k++) *cell(in, frame, inst_result(f, frame->inst, k)) = values[k];
    frame->inst = d->next;
    return IR_INTERP_OK;
}

// ---- the loop -----------------------------------------------------------------------------------

static IrInterpStatus branch(IrInterp *in, Frame *frame, Inst i) {
    const Func *f = frame->info->f;
    const InstData *d = inst_get(f, i);
    uint32_t target = 0;
    if (d->op == OP_brif) {
        target = list_cell(in, frame, d->args, 0) == 0;
    } else if (d->op == OP_br_table) {
        uint64_t x = list_cell(in, frame, d->args, 0);
        target = x < d->n_targets - 1U ? (uint32_t)x + 1 : 0;
    }
    const BlockCall *to = &f->calls.v[d->targets + target];
    gather(in, frame, to->args, 0);
    land(in, frame, block_get(f, to->block)->params);
    frame->inst = block_get(f, to->block)->first;
    return IR_INTERP_OK;
}

// An opcode that is a function of its operands.
static IrInterpStatus evaluate(IrInterp *in, const Frame *frame, Inst i) {
    const Func *f = frame->info->f;
    const InstData *d = inst_get(f, i);
    uint64_t args[OP_MAX_ARGS];
    Type types[OP_MAX_ARGS];
    uint64_t results[OP_MAX_RESULTS];
    uint8_t trap;
    for (uint32_t k = 0; k < d->args.n && k < OP_MAX_ARGS; k++) {
        Value v = list_get(f, d->args, k);
        args[k] = *cell(in, frame, v);
        types[k] = value_type(f, v);
    }
    if (!ir_eval((Op)d->op, (Type)d->type, d->code, args, types, results, &trap)) {
        return fail(in, "the interpreter does not know this opcode", NULL);
    }
    if (trap) return trapped(in, trap);
    for (uint32_t k = 0; k < d->results.n; k++) *cell(in, frame, inst_result(f, i, k)) = results[k];
    return IR_INTERP_OK;
}

// One instruction of the innermost frame. Calls, branches and returns move on by themselves.
static IrInterpStatus step(IrInterp *in, uint64_t *results) {
    Frame *frame = &vec_last(&in->frames);
    const Func *f = frame->info->f;
    Inst i = frame->inst;
    const InstData *d = inst_get(f, i);
    IrInterpStatus status = IR_INTERP_OK;
    switch ((OpFormat)op_info[d->op].format) {
    case FMT_imm64:
    case FMT_ieee32:
    case FMT_ieee64: *cell(in, frame, inst_result(f, i, 0)) = (uint64_t)d->imm; break;
    case FMT_nullary: // nop, fence, sequence_point, debugtrap: nothing to see in one thread
        break;
    case FMT_jump:
    case FMT_brif:
    case FMT_br_table: return branch(in, frame, i);
    case FMT_call:
    case FMT_call_indirect: return call(in, i, results);
    case FMT_values: gather(in, frame, d->args, 0); return give_results(in, in->moves.v, in->moves.n, results);
    case FMT_load:
    case FMT_load_no_offset: status = d->op == OP_bitcast ? evaluate(in, frame, i) : memory(in, frame, i, true); break;
    case FMT_store:
    case FMT_store_no_offset: status = memory(in, frame, i, false); break;
    case FMT_func_addr:
    case FMT_stack_addr:
    case FMT_global: status = address(in, frame, i); break;
    default: status = evaluate(in, frame, i); break;
    }
    if (status == IR_INTERP_OK) frame->inst = d->next;
    return status;
}

IrInterpStatus ir_interp_call(IrInterp *in, const Func *f, const uint64_t *args, uint64_t *results) {
    in->frames.n = 0;
    in->cells.n = 0;
    in->moves.n = 0;
    in->trap = 0;
    in->error = NULL;
    in->executed = 0;
    in->left = in->options.fuel ? in->options.fuel : UINT64_MAX;
    for (uint32_t k = 0; k < f->sig.n_params; k++) vec_push(in->arena, &in->moves, args[k]);
    IrInterpStatus status = enter(in, f);
    while (status == IR_INTERP_OK && in->frames.n) {
        if (in->left-- == 0) {
            status = IR_INTERP_FUEL;
            break;
        }
        in->executed++;
        status = step(in, results);
    }
    return status;
}

uint8_t ir_interp_trap(const IrInterp *in) { return in->trap; }
const char *ir_interp_error(const IrInterp *in) { return in->error; }
uint64_t ir_interp_executed(const IrInterp *in) { return in->executed; }

bool ir_interp_frame(const IrInterp *in, uint32_t k, IrInterpFrame *frame) {
    if (k >= in->frames.n) return false;
    const Frame *at = &in->frames.v[in->frames.n - 1 - k];
    *frame = (IrInterpFrame){at->info->f, at->inst};
    return true;
}

// ---- libcalls -----------------------------------------------------------------------------------

int ir_interp_libcall(void *data, const ExtName *name, const Sig *sig, const uint64_t *args, uint64_t *results) {
    static const struct {
        const char *name;
        uint8_t op;
        uint8_t type;
    } calls[] = {{"CeilF32", OP_ceil, T_f32},       {"CeilF64", OP_ceil, T_f64},       {"FloorF32", OP_floor, T_f32},
                 {"FloorF64", OP_floor, T_f64},     {"TruncF32", OP_trunc, T_f32},     {"TruncF64", OP_trunc, T_f64},
                 {"NearestF32", OP_nearest, T_f32}, {"NearestF64", OP_nearest, T_f64}, {"FmaF32", OP_fma, T_f32},
                 {"FmaF64", OP_fma, T_f64}};
    (void)data;
    if (name->kind != NAME_TEXT) return -1;
    for (unsigned k = 0; k < sizeof calls / sizeof *calls; k++) {
        if (strcmp(name->text, calls[k].name) != 0) continue;
        Type types[3] = {(Type)calls[k].type, (Type)calls[k].type, (Type)calls[k].type};
        uint8_t trap;
        if (sig->n_params != op_info[calls[k].op].n_args || sig->n_results != 1) return -1;
        return ir_eval((Op)calls[k].op, types[0], 0, args, types, results, &trap) ? trap : -1;
    }
    bool three = sig->n_params == 3;
    void *to = three ? (void *)(uintptr_t)args[0] : NULL;
    const void *from = three ? (const void *)(uintptr_t)args[1] : NULL;
    if (three && !strcmp(name->text, "Memcpy")) {
        memcpy(to, from, args[2]);
    } else if (three && !strcmp(name->text, "Memmove")) {
        memmove(to, from, args[2]);
    } else if (three && !strcmp(name->text, "Memset")) {
        memset(to, (int)(args[1] & 0xff), args[2]);
    } else if (three && !strcmp(name->text, "Memcmp")) {
        if (sig->n_results) results[0] = (uint32_t)memcmp(to, from, args[2]);
        return 0;
    } else {
        return -1;
    }
    if (sig->n_results) results[0] = args[0];
    return 0;
}
