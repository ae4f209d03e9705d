// Constant folding and the rules of md/rewrite.md, in one sweep in reverse postorder, so that operands are simple
// before their users are looked at. Constants stand on the right of commutative opcodes from here on: the rules rely
// on it.
#include "passes/rewrite.h"

#include <string.h>

#include "ir/dom.h"
#include "ir_eval.h"
#include "passes/edit.h"

enum { TRIES = 8 }; // rules applied to one instruction and what it became

// ---- what generated rules use --------------------------------------------------------------------

Rewriter rw_new(Pass *p, bool must) {
    return (Rewriter){.f = p->f,
                      .pass = p,
                      .b = {.f = p->f, .at = NO_BLOCK, .srcloc = NONE},
                      .before = NO_INST,
                      .first = NO_INST,
                      .must = must};
}

bool rw_begin(Rewriter *r, Inst i) {
    if (!r->must && !pass_burn(r->pass)) return false;
    r->before = i;
    r->first = NO_INST;
    r->b.srcloc = inst_get(r->f, i)->srcloc;
    return true;
}

Inst rw_put_inst(Rewriter *r, Inst made) {
    inst_insert_before(r->f, made, r->before);
    if (!inst_ok(r->first)) r->first = made;
    return made;
}

Value rw_put(Rewriter *r, Value v) {
    Inst def = rw_put_inst(r, value_def(r->f, v));
    // A rule over integers and floats alike writes `iconst`: for a float type that is a constant of its own opcode.
    const InstData *made = inst_get(r->f, def);
    if (made->op == OP_iconst && type_is_float(value_type(r->f, v))) inst_become_const(r->f, def, (uint64_t)made->imm);
    return v;
}

void rw_replace(Rewriter *r, Inst i, uint32_t k, Value v) { value_alias(r->f, inst_result(r->f, i, k), v); }
void rw_end(Rewriter *r, Inst i) { inst_remove(r->f, i); }

static uint32_t libcall_func(Func *f, const char *name, const Sig *sig) {
    for (uint32_t k = 0; k < f->funcs.n; k++) {
        const ExtFunc *func = &f->funcs.v[k];
        if (func->declared && func->name.kind == NAME_TEXT && !strcmp(func->name.text, name)) return k;
    }
    vec_push(f->arena, &f->sigs, *sig);
    ExtFunc func = {.name = name_of(name), .sig = f->sigs.n - 1, .declared = true};
    vec_push(f->arena, &f->funcs, func);
    return f->funcs.n - 1;
}

Value rw_libcall(Rewriter *r, const char *name, Type type, const Value *args, uint32_t n_args) {
    Func *f = r->f;
    Sig sig = {.params = NEW_ARRAY(f->arena, AbiParam, n_args),
               .results = NEW(f->arena, AbiParam),
               .n_params = n_args,
               .n_results = 1,
               .conv = CC_SYSTEM_V,
               .declared = true};
    for (uint32_t k = 0; k < n_args; k++) sig.params[k].type = (uint8_t)value_type(f, args[k]);
    sig.results[0].type = (uint8_t)type;
    Inst call = rw_put_inst(r, ir_call(&r->b, libcall_func(f, name, &sig), args, n_args));
    return inst_result(f, call, 0);
}

bool rw_is_number(const Func *f, Value v, int64_t number) {
    uint64_t bits;
    Type type = value_type(f, v);
    return type_is_int(type) && value_const(f, v, &bits) && bits == rw_zext((uint64_t)number, type);
}

bool rw_selects(const Rewriter *r, Op op, Type type) {
    const PassOptions *o = r->pass->options;
    return !o->covers || o->covers(op, type, T_none, o->features);
}

void rw_set_access(Func *f, Inst i, uint8_t code, uint8_t region) {
    inst_get(f, i)->code = code;
    inst_get(f, i)->region = region;
}

// ---- folding -------------------------------------------------------------------------------------

// Evaluates i if all its operands are constants. Not if that traps: the trap stays where it is.
static bool fold(Pass *p, Inst i) {
    Func *f = p->f;
    const InstData *inst = inst_get(f, i);
    uint64_t args[OP_MAX_ARGS];
    Type types[OP_MAX_ARGS];
    if (inst->args.n == 0 || inst->args.n > OP_MAX_ARGS || !inst->results.n) return false;
    if (op_has(inst->op, OPF_other_effect | OPF_can_load | OPF_can_store | OPF_terminator | OPF_call)) return false;
    for (uint32_t k = 0; k < inst->args.n; k++) {
        Value v = inst_arg(f, i, k);
        if (!value_const(f, v, &args[k])) return false;
        types[k] = value_type(f, v);
    }
    uint64_t results[OP_MAX_RESULTS];
    uint8_t trap;
    if (!ir_eval(inst->op, inst->type, inst->code, args, types, results, &trap) || trap || !pass_burn(p)) return false;
    if (inst->results.n == 1) {
        inst_become_const(f, i, results[0]);
        return true;
    }
    Builder b = {.f = f, .at = NO_BLOCK, .srcloc = inst->srcloc};
    for (uint32_t k = 0; k < inst_get(f, i)->results.n; k++) {
        Value old = inst_result(f, i, k);
        Value made = ir_iconst(&b, value_type(f, old), results[k]);
        inst_insert_before(f, value_def(f, made), i);
        value_alias(f, old, made);
    }
    inst_remove(f, i);
    return true;
}

static void constant_to_the_right(Func *f, Inst i) {
    InstData *inst = inst_get(f, i);
    uint64_t bits;
    if (inst->args.n < 2 || !value_const(f, inst_arg(f, i, 0), &bits) || value_const(f, inst_arg(f, i, 1), &bits))
        return;
    if (inst->op == OP_icmp) inst->code = icc_swap[inst->code];
    else if (inst->op == OP_fcmp) inst->code = fcc_swap[inst->code];
    else if (!op_has(inst->op, OPF_commutes)) return;
    uint32_t *pool = &f->pool.v[inst->args.at];
    uint32_t first = pool[0];
    pool[0] = pool[1];
    pool[1] = first;
}

// Simplifies i and what replaces it.
static void simplify_inst(Rewriter *r, Inst i) {
    Inst last = inst_get(r->f, i)->next; // everything built stands before this
    for (int tries = 0; tries < TRIES; tries++) {
        constant_to_the_right(r->f, i);
        if (fold(r->pass, i) || !rewrite_inst(r, i)) return;
        // Look at what was built, operands first; the last of it is what stands for i now.
        if (!inst_ok(r->first)) return;
        Inst built = r->first;
        for (Inst next; inst_ok(next = inst_get(r->f, built)->next) && !inst_eq(next, last); built = next) {
            constant_to_the_right(r->f, built);
            fold(r->pass, built);
        }
        i = built;
    }
}

// Requires verified SSA. Keeps it. Makes constants stand on the right of commutative opcodes and comparisons.
void pass_simplify(Pass *p) {
    Func *f = p->f;
    const Cfg *cfg = cfg_new(p->arena, f);
    Rewriter r = rw_new(p, false);
    for (uint32_t k = 0; k < cfg->n_rpo; k++) {
        for (Inst i = block_get(f, cfg->rpo[k])->first, next; inst_ok(i); i = next) {
            next = inst_get(f, i)->next;
            simplify_inst(&r, i);
        }
    }
}
