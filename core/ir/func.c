// Making and editing functions.
//
// A list in the pool always has room for its length rounded up to a power of two, so pushing needs no stored
// capacity: a list whose length is 0 or a power of two is full. Hence a part of a list (at + 1, say) may be read
// as a list but never be pushed to.
#include <string.h>

#include "ir/ir.h"

Func *func_new_in(Arena *arena) {
    Func *f = NEW(arena, Func);
    f->ctx = arena_ctx(arena);
    f->arena = arena;
    f->first = NO_BLOCK;
    f->last = NO_BLOCK;
    f->landing = NO_BLOCK;
    f->stack_limit = NONE;
    return f;
}

Func *func_new(Ctx *ctx) { return func_new_in(arena_new(ctx)); }

Value func_value(const Func *f, Value v) {
    ValueData *values = f->values.v;
    while (values[v.i].kind == VALUE_ALIAS) {
        uint32_t next = values[v.i].owner;
        // Path halving: long chains (passes that replace a value over and over) stay cheap.
        if (values[next].kind == VALUE_ALIAS) values[v.i].owner = values[next].owner;
        v.i = next;
    }
    return v;
}

Inst value_def(const Func *f, Value v) {
    const ValueData *data = &f->values.v[func_value(f, v).i];
    return data->kind == VALUE_RESULT ? (Inst){data->owner} : NO_INST;
}

// ---- lists --------------------------------------------------------------------------------------

static bool list_full(uint32_t n) { return (n & (n - 1)) == 0; }

static uint32_t list_room(uint32_t n) {
    uint32_t room = 1;
    while (room < n) room *= 2;
    return n ? room : 0;
}

ValueList list_new(Func *f, const Value *values, uint32_t n) {
    if (n > UINT32_MAX / 4) ctx_fail(f->ctx, VTR_ERR_LIMIT, "a list of %u values", (unsigned)n);
    ValueList list = {f->pool.n, n};
    if (n == 0) return list;
    uint32_t *place = vec_extend(f->arena, &f->pool, list_room(n));
    for (uint32_t k = 0; k < n; k++) place[k] = values[k].i;
    return list;
}

void list_push(Func *f, ValueList *list, Value v) {
    if (list_full(list->n)) {
        uint32_t more = list->n ? list->n : 1;
        if (list->n > UINT32_MAX / 4) ctx_fail(f->ctx, VTR_ERR_LIMIT, "a list of %u values", (unsigned)list->n);
        if (list->n == 0 || list->at + list->n != f->pool.n) {
            uint32_t from = list->at;
            list->at = f->pool.n;
            (void)vec_extend(f->arena, &f->pool, list->n);
            for (uint32_t k = 0; k < list->n; k++) f->pool.v[list->at + k] = f->pool.v[from + k];
        }
        (void)vec_extend(f->arena, &f->pool, more);
    }
    f->pool.v[list->at + list->n++] = v.i;
}

// ---- entities -----------------------------------------------------------------------------------

Value value_new(Func *f, Type type, ValueKind kind, uint32_t owner, uint32_t num) {
    if (num > UINT16_MAX) {
        ctx_fail(f->ctx, VTR_ERR_LIMIT, "more than %d results or block parameters", UINT16_MAX + 1);
    }
    vec_push(f->arena, &f->values, (ValueData){(uint8_t)type, (uint8_t)kind, (uint16_t)num, owner});
    return (Value){f->values.n - 1};
}

Block block_new(Func *f) {
    vec_push(f->arena, &f->blocks, (BlockData){.first = NO_INST, .last = NO_INST, .prev = NO_BLOCK, .next = NO_BLOCK});
    return (Block){f->blocks.n - 1};
}

Value block_add_param(Func *f, Block b, Type type) {
    Value v = value_new(f, type, VALUE_PARAM, b.i, block_get(f, b)->params.n);
    ValueList params = block_get(f, b)->params;
    list_push(f, &params, v);
    block_get(f, b)->params = params;
    return v;
}

Inst inst_new(Func *f, const InstData *data) {
    InstData d = *data;
    d.block = NO_BLOCK;
    d.prev = NO_INST;
    d.next = NO_INST;
    d.results = (ValueList){0, 0};
    vec_push(f->arena, &f->insts, d);
    return (Inst){f->insts.n - 1};
}

ExtName name_copy(Arena *arena, ExtName name) {
    if (name.kind == NAME_TEXT && name.text) name.text = arena_text(arena, name.text, strlen(name.text));
    return name;
}

const char *name_symbol(Arena *arena, ExtName name) {
    if (name.kind == NAME_TEXT) return name.text ? name.text : "";
    return arena_printf(arena, "u%u:%u", (unsigned)name.space, (unsigned)name.index);
}

const char *name_text(Arena *arena, ExtName name) {
    const char *symbol = name_symbol(arena, name);
    return name.kind == NAME_TEXT ? arena_printf(arena, "%%%s", symbol) : symbol;
}

void name_put(Buf *out, ExtName name) {
    if (name.kind == NAME_TEXT) buf_printf(out, "%%%s", name.text ? name.text : "");
    else buf_printf(out, "u%u:%u", (unsigned)name.space, (unsigned)name.index);
}

Sig sig_copy(Arena *arena, const Sig *sig) {
    Sig copy = *sig;
    copy.params = arena_copy(arena, sig->params, sig->n_params * sizeof *sig->params);
    copy.results = arena_copy(arena, sig->results, sig->n_results * sizeof *sig->results);
    copy.declared = true;
    return copy;
}

const Sig *inst_sig(const Func *f, Inst i) {
    const InstData *d = inst_get(f, i);
    return &f->sigs.v[op_info[d->op].format == FMT_call ? f->funcs.v[d->ref].sig : d->ref];
}

void inst_make_results(Func *f, Inst i) {
    const InstData *d = inst_get(f, i);
    Op op = (Op)d->op;
    Type control = (Type)d->type;
    bool call = op_has(op, OPF_call) && !op_has(op, OPF_terminator);
    const Sig *sig = call ? inst_sig(f, i) : NULL;
    uint32_t n = call ? sig->n_results : op_info[op].n_results;
    ValueList results = {0, 0};
    for (uint32_t k = 0; k < n; k++) {
        Type type = call ? (Type)sig->results[k].type : op_result_type(op, k, control);
        list_push(f, &results, value_new(f, type, VALUE_RESULT, i.i, k));
    }
    inst_get(f, i)->results = results;
}

// ---- layout -------------------------------------------------------------------------------------

void block_append(Func *f, Block b) {
    BlockData *data = block_get(f, b);
    data->prev = f->last;
    data->next = NO_BLOCK;
    data->placed = true;
    if (block_ok(f->last)) {
        block_get(f, f->last)->next = b;
    } else {
        f->first = b;
    }
    f->last = b;
}

void block_remove(Func *f, Block b) {
    BlockData *data = block_get(f, b);
    for (Inst i = data->first; inst_ok(i);) {
        InstData *inst = inst_get(f, i);
        i = inst->next;
        inst->block = NO_BLOCK;
        inst->prev = NO_INST;
        inst->next = NO_INST;
    }
    if (block_ok(data->prev)) {
        block_get(f, data->prev)->next = data->next;
    } else {
        f->first = data->next;
    }
    if (block_ok(data->next)) {
        block_get(f, data->next)->prev = data->prev;
    } else {
        f->last = data->prev;
    }
    data->first = NO_INST;
    data->last = NO_INST;
    data->prev = NO_BLOCK;
    data->next = NO_BLOCK;
    data->placed = false;
}

void inst_append(Func *f, Inst i, Block b) {
    BlockData *block = block_get(f, b);
    InstData *inst = inst_get(f, i);
    inst->block = b;
    inst->prev = block->last;
    inst->next = NO_INST;
    if (inst_ok(block->last)) {
        inst_get(f, block->last)->next = i;
    } else {
        block->first = i;
    }
    block->last = i;
}

void inst_insert_before(Func *f, Inst i, Inst before) {
    InstData *inst = inst_get(f, i);
    InstData *next = inst_get(f, before);
    inst->block = next->block;
    inst->prev = next->prev;
    inst->next = before;
    if (inst_ok(next->prev)) {
        inst_get(f, next->prev)->next = i;
    } else {
        block_get(f, next->block)->first = i;
    }
    next->prev = i;
}

void inst_remove(Func *f, Inst i) {
    InstData *inst = inst_get(f, i);
    BlockData *block = block_get(f, inst->block);
    if (inst_ok(inst->prev)) {
        inst_get(f, inst->prev)->next = inst->next;
    } else {
        block->first = inst->next;
    }
    if (inst_ok(inst->next)) {
        inst_get(f, inst->next)->prev = inst->prev;
    } else {
        block->last = inst->prev;
    }
    inst->block = NO_BLOCK;
    inst->prev = NO_INST;
    inst->next = NO_INST;
}

bool inst_divides_safely(const Func *f, Inst i) {
    const InstData *inst = inst_get(f, i);
    bool is_signed = inst->op == OP_sdiv;
    if (!is_signed && inst->op != OP_udiv && inst->op != OP_urem && inst->op != OP_srem) return false;
    Inst def = value_def(f, inst_arg(f, i, 1));
    if (!inst_ok(def) || inst_get(f, def)->op != OP_iconst || type_bits((Type)inst->type) > 64) return false;
    uint64_t ones = UINT64_MAX >> (64 - type_bits((Type)inst->type));
    uint64_t divisor = (uint64_t)inst_get(f, def)->imm & ones;
    return divisor != 0 && !(is_signed && divisor == ones);
}

void value_alias(Func *f, Value from, Value to) {
    to = func_value(f, to);
    ValueData *data = &f->values.v[from.i];
    data->kind = VALUE_ALIAS;
    data->owner = to.i;
    data->num = 0;
}
