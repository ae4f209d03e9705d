#include "passes/edit.h"

bool inst_must_stay(const Func *f, Inst i) {
    const InstData *inst = inst_get(f, i);
    if (op_has(inst->op, OPF_terminator | OPF_other_effect | OPF_can_store | OPF_call)) return true;
    if (op_has(inst->op, OPF_can_load)) return !(inst->memflags & MF_NOTRAP);
    return op_has(inst->op, OPF_can_trap) && !inst_divides_safely(f, i);
}

bool value_const(const Func *f, Value v, uint64_t *bits) {
    Inst def = value_def(f, v);
    if (!inst_ok(def)) return false;
    const InstData *inst = inst_get(f, def);
    if (inst->op != OP_iconst && inst->op != OP_f32const && inst->op != OP_f64const) return false;
    *bits = (uint64_t)inst->imm;
    return true;
}

void inst_become_const(Func *f, Inst i, uint64_t bits) {
    InstData *inst = inst_get(f, i);
    Type type = value_type(f, inst_result(f, i, 0));
    inst->op = type == T_f32 ? OP_f32const : type == T_f64 ? OP_f64const : OP_iconst;
    inst->type = inst->op == OP_iconst ? type : T_none;
    inst->imm = (int64_t)bits;
    inst->args.n = 0;
    inst->code = inst->memflags = inst->region = 0;
    inst->ref = 0;
}

void block_end_with_jump(Func *f, Block b, Inst i, BlockCall call) {
    for (Inst next; inst_ok(i); i = next) {
        next = inst_get(f, i)->next;
        inst_remove(f, i);
    }
    InstData jump = {.op = OP_jump, .n_targets = 1, .targets = f->calls.n, .srcloc = NONE};
    vec_push(f->arena, &f->calls, call);
    inst_append(f, inst_new(f, &jump), b);
}

ValueList list_copy(Func *f, ValueList list) {
    ValueList copy = {f->pool.n, 0};
    for (uint32_t k = 0; k < list.n; k++) list_push(f, &copy, (Value){f->pool.v[list.at + k]});
    return copy;
}
