// The public interface to building IR.
//
// Theory. A mistake (or running out of memory) is recorded once, in the function, and every later call does nothing:
// a front end asks when it is done. So the maps from variables to values, which a throw may leave half changed, are
// never looked at again. Numbers that come from the client are checked before anything is made of them; what needs the
// whole function (dominance, types across blocks) is the verifier's, in func_take().
#include "builder/func.h"

#include <string.h>

#include "builder/ssa.h"
#include "verify/ir_verify.h"

enum { ALL_FLAGS = MF_NOTRAP | MF_ALIGNED | MF_READONLY | MF_CAN_MOVE | MF_LITTLE | MF_BIG };

#define SAME(flag) _Static_assert((int)VTR_MEM_##flag == (int)MF_##flag, "the public flags are the IR's")
SAME(NOTRAP);
SAME(ALIGNED);
SAME(READONLY);
SAME(CAN_MOVE);
SAME(LITTLE);
SAME(BIG);

typedef struct FuncBlock {
    bool sealed; // nothing more may lead to it
    bool filled; // has its terminator
} FuncBlock;

struct vtr_func {
    Ctx *ctx;
    Arena *arena;
    Func *f;
    Ssa *ssa;
    Block at;          // instructions go to its end; NO_BLOCK behind a terminator
    vtr_status status; // the first mistake
    bool complete;     // all blocks are sealed, variables are values
    bool taken;
    VEC(FuncBlock) blocks;
    VEC(uint8_t) variables; // their types
};

// ---- calls from outside -----------------------------------------------------------------------------

// What a call hands to its body, and what that hands back.
typedef struct FuncCall {
    vtr_func *func;
    const char *name;
    const char *text;
    const FuncOp *op;
    vtr_ir_value *results;
    uint32_t number;
    uint32_t value;
    uint64_t size;
    vtr_type type;
} FuncCall;

VTR_NORETURN static void wrong(const vtr_func *func, const char *what) {
    ctx_fail(func->ctx, VTR_ERR_USAGE, "function '%s': %s", func->f->name.text, what);
}

// Runs a body unless there was a mistake before; `number` is NONE then.
static uint32_t attempt(FuncCall *call, void (*body)(Ctx *ctx, void *arg)) {
    vtr_func *func = call->func;
    if (func->status == VTR_OK) func->status = ctx_try(func->ctx, body, call);
    return func->status == VTR_OK ? call->number : NONE;
}

static void want_open(const vtr_func *func) {
    if (func->complete) wrong(func, "it is complete, nothing can be added");
}

static void want_place(const vtr_func *func) {
    want_open(func);
    if (!block_ok(func->at)) wrong(func, "nothing can stand behind a terminator: vtr_func_enter() another block first");
}

static Type want_type(const vtr_func *func, vtr_type type) {
    static const uint8_t types[] = {
        [VTR_I8] = T_i8, [VTR_I16] = T_i16, [VTR_I32] = T_i32, [VTR_I64] = T_i64, [VTR_F32] = T_f32, [VTR_F64] = T_f64};
    if ((unsigned)type >= sizeof types || !types[type])
        wrong(func, "a type of IR is VTR_I8, VTR_I16, VTR_I32, VTR_I64, VTR_F32 or VTR_F64");
    return (Type)types[type];
}

static Value want_value(const vtr_func *func, uint32_t value) {
    if (value >= func->f->values.n) wrong(func, "an operand is not a value of it");
    return (Value){value};
}

static Block want_block(const vtr_func *func, uint32_t block) {
    if (block >= func->blocks.n) wrong(func, "a block is not one of its blocks");
    return (Block){block};
}

static uint32_t want_variable(const vtr_func *func, uint32_t variable) {
    if (variable >= func->variables.n) wrong(func, "a variable is not one of its variables");
    return variable;
}

static Block make_block(vtr_func *func) {
    vec_push(func->arena, &func->blocks, (FuncBlock){false, false});
    return block_new(func->f);
}

static void seal(vtr_func *func, uint32_t block) {
    if (func->blocks.v[block].sealed) return;
    func->blocks.v[block].sealed = true;
    ssa_seal(func->ssa, (Block){block});
}

// ---- instructions -----------------------------------------------------------------------------------

static void want_attributes(const vtr_func *func, const InstData *d) {
    const Func *f = func->f;
    uint8_t format = op_info[d->op].format;
    const char *name = op_info[d->op].name;
    const char *none = NULL;
    if (format == FMT_int_compare && d->code >= N_ICC) none = "condition";
    if (format == FMT_float_compare && d->code >= N_FCC) none = "condition";
    if ((format == FMT_trap || format == FMT_cond_trap || format == FMT_add_trap) && !d->code) none = "trap code";
    if ((format == FMT_call || format == FMT_func_addr) && d->ref >= f->funcs.n) none = "callee of the function";
    if (format == FMT_call_indirect && d->ref >= f->sigs.n) none = "signature of the function";
    if (format == FMT_stack_addr && d->ref >= f->slots.n) none = "stack slot of the function";
    if (format == FMT_global && d->ref >= f->globals.n) none = "symbol of the function";
    bool both = (d->memflags & (MF_LITTLE | MF_BIG)) == (MF_LITTLE | MF_BIG);
    if ((d->memflags & ~ALL_FLAGS) || both) none = "combination of memory flags";
    if (none) ctx_fail(func->ctx, VTR_ERR_USAGE, "function '%s': %s: no such %s", f->name.text, name, none);
}

static Type control_type(const vtr_func *func, const FuncOp *op) {
    const OpInfo *info = &op_info[op->data.op];
    if (info->suffix == SUFFIX_NONE) return T_none;
    Type type = info->suffix == SUFFIX_REQUIRED
                    ? want_type(func, op->type)
                    : value_type(func->f, want_value(func, op->fixed[info->control_arg].id));
    if (!type_in(type, info->types))
        ctx_fail(func->ctx, VTR_ERR_USAGE, "function '%s': %s has no type %s", func->f->name.text, info->name,
                 type_name(type));
    return type;
}

static ValueList operands(vtr_func *func, const FuncOp *op) {
    if (op->n_more > UINT16_MAX)
        ctx_fail(func->ctx, VTR_ERR_LIMIT, "function '%s': more than %d operands", func->f->name.text, UINT16_MAX);
    ValueList list = list_new(func->f, NULL, 0);
    for (uint32_t k = 0; k < op->n_fixed; k++) list_push(func->f, &list, want_value(func, op->fixed[k].id));
    for (size_t k = 0; k < op->n_more; k++) list_push(func->f, &list, want_value(func, op->more[k].id));
    return list;
}

static void add_target(vtr_func *func, const vtr_ir_target *target) {
    Block to = want_block(func, target->block.id);
    if (func->blocks.v[to.i].sealed)
        wrong(func, to.i ? "a branch leads to a sealed block" : "a branch leads to the entry block");
    if (target->n_args > UINT16_MAX)
        ctx_fail(func->ctx, VTR_ERR_LIMIT, "function '%s': more than %d arguments of a block", func->f->name.text,
                 UINT16_MAX);
    BlockCall call = {to, list_new(func->f, NULL, 0)};
    for (size_t k = 0; k < target->n_args; k++) list_push(func->f, &call.args, want_value(func, target->args[k].id));
    vec_push(func->arena, &func->f->calls, call);
}

static void op_body(Ctx *ctx, void *arg) {
    FuncCall *call = arg;
    vtr_func *func = call->func;
    const FuncOp *op = call->op;
    InstData d = op->data;
    want_place(func);
    want_attributes(func, &d);
    d.type = (uint8_t)control_type(func, op);
    if (d.op == OP_iconst) d.imm &= (int64_t)(UINT64_MAX >> (64 - type_bits((Type)d.type)));
    if (d.op == OP_br_table && op->n_targets == 0) wrong(func, "br_table has no default");
    if (op->n_targets > UINT16_MAX)
        ctx_fail(ctx, VTR_ERR_LIMIT, "function '%s': more than %d branch targets", func->f->name.text, UINT16_MAX);
    d.args = operands(func, op);
    d.targets = func->f->calls.n;
    d.n_targets = (uint16_t)op->n_targets;
    for (size_t k = 0; k < op->n_targets; k++) add_target(func, &op->targets[k]);
    Inst inst = inst_new(func->f, &d);
    inst_make_results(func->f, inst);
    inst_append(func->f, inst, func->at);
    uint32_t n = inst_get(func->f, inst)->results.n;
    if (n) call->number = inst_result(func->f, inst, 0).i;
    for (uint32_t k = 0; k < n && call->results; k++) call->results[k].id = inst_result(func->f, inst, k).i;
    if (!op_has((Op)d.op, OPF_terminator)) return;
    ssa_branch(func->ssa, inst);
    func->blocks.v[func->at.i].filled = true;
    func->at = NO_BLOCK;
}

vtr_ir_value func_op(vtr_func *func, const FuncOp *op, vtr_ir_value *results) {
    FuncCall call = {.func = func, .op = op, .results = results, .number = NONE};
    return (vtr_ir_value){attempt(&call, op_body)};
}

// ---- what a function has ----------------------------------------------------------------------------

static void param_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    const Func *f = call->func->f;
    if (call->number >= f->sig.n_params) wrong(call->func, "it has no such parameter");
    call->number = block_param(f, f->first, call->number).i;
}

vtr_ir_value vtr_func_param(vtr_func *func, size_t index) {
    FuncCall call = {.func = func, .number = index < NONE ? (uint32_t)index : NONE};
    return (vtr_ir_value){attempt(&call, param_body)};
}

static void block_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    want_open(call->func);
    call->number = make_block(call->func).i;
}

vtr_ir_block vtr_func_block(vtr_func *func) {
    FuncCall call = {.func = func};
    return (vtr_ir_block){attempt(&call, block_body)};
}

static void block_param_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    want_open(call->func);
    Block block = want_block(call->func, call->number);
    if (block.i == 0) wrong(call->func, "the entry block has the parameters of the signature");
    call->number = block_add_param(call->func->f, block, want_type(call->func, call->type)).i;
}

vtr_ir_value vtr_func_block_param(vtr_func *func, vtr_ir_block block, vtr_type type) {
    FuncCall call = {.func = func, .number = block.id, .type = type};
    return (vtr_ir_value){attempt(&call, block_param_body)};
}

static void enter_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    vtr_func *func = call->func;
    want_open(func);
    Block block = want_block(func, call->number);
    if (func->blocks.v[block.i].filled) wrong(func, "a block that has its terminator is entered again");
    if (!block_get(func->f, block)->placed) block_append(func->f, block);
    func->at = block;
}

void vtr_func_enter(vtr_func *func, vtr_ir_block block) {
    FuncCall call = {.func = func, .number = block.id};
    attempt(&call, enter_body);
}

bool vtr_func_open(const vtr_func *func) { return func->status == VTR_OK && block_ok(func->at); }

static void seal_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    want_open(call->func);
    seal(call->func, want_block(call->func, call->number).i);
}

void vtr_func_seal(vtr_func *func, vtr_ir_block block) {
    FuncCall call = {.func = func, .number = block.id};
    attempt(&call, seal_body);
}

static void variable_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    vtr_func *func = call->func;
    want_open(func);
    Type type = want_type(func, call->type);
    vec_push(func->arena, &func->variables, (uint8_t)type);
    call->number = ssa_declare(func->ssa, type).i;
}

vtr_ir_variable vtr_func_variable(vtr_func *func, vtr_type type) {
    FuncCall call = {.func = func, .type = type};
    return (vtr_ir_variable){attempt(&call, variable_body)};
}

static void set_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    vtr_func *func = call->func;
    want_place(func);
    uint32_t variable = want_variable(func, call->number);
    Value value = want_value(func, call->value);
    if (value_type(func->f, value) != (Type)func->variables.v[variable])
        wrong(func, "a variable is set to a value of another type");
    ssa_def(func->ssa, (Var){variable}, func->at, value);
}

void vtr_func_set(vtr_func *func, vtr_ir_variable variable, vtr_ir_value value) {
    FuncCall call = {.func = func, .number = variable.id, .value = value.id};
    attempt(&call, set_body);
}

static void get_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    want_place(call->func);
    uint32_t variable = want_variable(call->func, call->number);
    call->number = ssa_use(call->func->ssa, (Var){variable}, call->func->at).i;
}

vtr_ir_value vtr_func_get(vtr_func *func, vtr_ir_variable variable) {
    FuncCall call = {.func = func, .number = variable.id};
    return (vtr_ir_value){attempt(&call, get_body)};
}

// ---- entities ---------------------------------------------------------------------------------------

static ExtName copied_name(const vtr_func *func, const char *name) { return name_copy(func->arena, name_of(name)); }

static uint32_t add_signature(vtr_func *func, const char *text) {
    want_open(func);
    Sig sig = ir_read_signature(func->arena, func->f->name.text, text, CC_SYSTEM_V);
    vec_push(func->arena, &func->f->sigs, sig);
    return func->f->sigs.n - 1;
}

static void signature_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    call->number = add_signature(call->func, call->text);
}

vtr_ir_signature vtr_func_signature(vtr_func *func, const char *signature) {
    FuncCall call = {.func = func, .text = signature};
    return (vtr_ir_signature){attempt(&call, signature_body)};
}

static void callee_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    vtr_func *func = call->func;
    ExtFunc callee = {.sig = add_signature(func, call->text), .declared = true};
    callee.name = copied_name(func, call->name);
    vec_push(func->arena, &func->f->funcs, callee);
    call->number = func->f->funcs.n - 1;
}

vtr_ir_callee vtr_func_callee(vtr_func *func, const char *name, const char *signature) {
    FuncCall call = {.func = func, .name = name, .text = signature};
    return (vtr_ir_callee){attempt(&call, callee_body)};
}

static void slot_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    vtr_func *func = call->func;
    want_open(func);
    uint32_t align = call->value;
    if (!align || (align & (align - 1))) wrong(func, "the alignment of a stack slot is no power of two");
    if (call->size > UINT32_MAX) ctx_fail(func->ctx, VTR_ERR_LIMIT, "a stack slot of more than 4 GiB");
    vec_push(func->arena, &func->f->slots, (StackSlot){.size = (uint32_t)call->size, .align = align, .declared = true});
    call->number = func->f->slots.n - 1;
}

vtr_ir_slot vtr_func_slot(vtr_func *func, size_t size, uint32_t align) {
    FuncCall call = {.func = func, .size = size, .value = align};
    return (vtr_ir_slot){attempt(&call, slot_body)};
}

static void symbol_body(Ctx *ctx, void *arg) {
    (void)ctx;
    FuncCall *call = arg;
    vtr_func *func = call->func;
    want_open(func);
    GlobalValue symbol = {.kind = GV_SYMBOL, .type = T_i64, .name = copied_name(func, call->name)};
    vec_push(func->arena, &func->f->globals, symbol);
    call->number = func->f->globals.n - 1;
}

vtr_ir_symbol vtr_func_symbol(vtr_func *func, const char *name) {
    FuncCall call = {.func = func, .name = name};
    return (vtr_ir_symbol){attempt(&call, symbol_body)};
}

// ---- the whole --------------------------------------------------------------------------------------

typedef struct NewFunc {
    const char *name;
    const char *signature;
    vtr_func *made;
} NewFunc;

static void new_body(Ctx *ctx, void *arg) {
    NewFunc *job = arg;
    Arena *arena = arena_new(ctx);
    vtr_func *func = NEW(arena, vtr_func);
    func->ctx = ctx;
    func->arena = arena;
    func->f = func_new_in(arena);
    func->f->name = copied_name(func, job->name);
    func->f->sig = ir_read_signature(arena, func->f->name.text, job->signature, CC_SYSTEM_V);
    func->ssa = ssa_new(arena, func->f);
    func->at = make_block(func);
    block_append(func->f, func->at);
    for (uint32_t k = 0; k < func->f->sig.n_params; k++)
        block_add_param(func->f, func->at, (Type)func->f->sig.params[k].type);
    seal(func, func->at.i);
    job->made = func;
}

vtr_status vtr_func_new(vtr_context *context, const char *name, const char *signature, vtr_func **func) {
    NewFunc job = {name, signature, NULL};
    vtr_status status = ctx_try(context, new_body, &job);
    if (status == VTR_OK) *func = job.made;
    return status;
}

void vtr_func_free(vtr_func *func) {
    if (func) arena_free(func->arena);
}

Ctx *func_ctx(const vtr_func *func) { return func->ctx; }

static void finish_body(Ctx *ctx, void *arg) {
    FuncCall *call = arg;
    vtr_func *func = call->func;
    if (func->complete) return;
    for (uint32_t k = 0; k < func->f->calls.n; k++)
        if (!block_get(func->f, func->f->calls.v[k].block)->placed)
            wrong(func, "a branch leads to a block that is never entered");
    for (uint32_t k = 0; k < func->blocks.n; k++) seal(func, k);
    ssa_finish(func->ssa);
    func->complete = true;
    if (!verify_func(func->f)) ctx_throw(ctx, VTR_ERR_INPUT);
}

vtr_status vtr_func_finish(vtr_func *func) {
    FuncCall call = {.func = func};
    attempt(&call, finish_body);
    return func->status;
}

Func *func_take(vtr_func *func) {
    vtr_status status = vtr_func_finish(func);
    if (status != VTR_OK) ctx_throw(func->ctx, status);
    if (func->taken) wrong(func, "it has been compiled already");
    func->taken = true;
    return func->f;
}

typedef struct FuncText {
    const vtr_func *func;
    char *text;
    size_t n;
} FuncText;

static void text_body(Ctx *ctx, void *arg) {
    FuncText *job = arg;
    if (job->func->taken) wrong(job->func, "it has been compiled already");
    Arena *arena = arena_new(ctx);
    Buf text = buf_new(arena);
    ir_write(job->func->f, &text);
    job->n = text.bytes.n;
    job->text = ctx_alloc(ctx, job->n + 1);
    memcpy(job->text, buf_str(&text), job->n);
    arena_free(arena);
}

vtr_status vtr_func_text(vtr_func *func, char **text, size_t *n) {
    FuncText job = {.func = func};
    vtr_status status = vtr_func_finish(func);
    if (status == VTR_OK) status = ctx_try(func->ctx, text_body, &job);
    if (status != VTR_OK) return status;
    *text = job.text;
    *n = job.n;
    return VTR_OK;
}
