// The IR verifier. Order matters: entities and numbers are checked before anything follows them, the layout before
// the control-flow graph is built, and definitions before dominance. Uses in unreachable blocks need no dominance.
#include "verify/ir_verify.h"

#include <stdio.h>

#include "ir/dom.h"
#include "support/bits.h"

enum { MAX_MISTAKES = 20 };

typedef struct Verifier {
    const Func *f;
    Arena *scratch;
    const Cfg *cfg;
    uint32_t *order; // per instruction: its place in its block
    Block block;     // being checked
    Inst inst;       // being checked, or NO_INST
    Inst broken;     // the same when its text cannot be written
    unsigned mistakes;
} Verifier;

static bool bad(Verifier *v, const char *fmt, ...) VTR_PRINTF(2, 3);

// Of the instruction, the block or the function: the nearest that is known.
static uint32_t line_of(const Verifier *v) {
    const Func *f = v->f;
    Inst i = inst_ok(v->inst) ? v->inst : v->broken;
    if (inst_ok(i) && i.i < f->lines.n) return f->lines.v[i.i];
    if (block_ok(v->block) && block_get(f, v->block)->line) return block_get(f, v->block)->line;
    return f->line;
}

static bool bad(Verifier *v, const char *fmt, ...) {
    if (v->mistakes++ >= MAX_MISTAKES) return false;
    const Func *f = v->f;
    Buf text = buf_new(v->scratch);
    va_list args;
    va_start(args, fmt);
    va_list copy;
    va_copy(copy, args);
    int n = vsnprintf(NULL, 0, fmt, copy);
    va_end(copy);
    char *reason = NEW_ARRAY(v->scratch, char, (size_t)(n < 0 ? 0 : n) + 1);
    if (n >= 0) vsnprintf(reason, (size_t)n + 1, fmt, args);
    va_end(args);
    buf_text(&text, "function ");
    name_put(&text, f->name);
    if (block_ok(v->block)) buf_printf(&text, ", block%u", (unsigned)v->block.i);
    if (inst_ok(v->inst)) {
        buf_text(&text, ", `");
        ir_write_inst(f, v->inst, &text);
        buf_char(&text, '`');
    }
    diag_error(f->ctx, (Place){f->file, line_of(v), 0}, "%s: %s", buf_str(&text), reason);
    return false;
}

static const char *type_text(Type t) { return t > T_none && t < N_TYPES ? type_name(t) : "no type"; }

// ---- numbers and entities -----------------------------------------------------------------------

static bool list_sound(const Func *f, ValueList list) {
    if (list.at > f->pool.n || list.n > f->pool.n - list.at) return false;
    for (uint32_t k = 0; k < list.n; k++) {
        uint32_t v = f->pool.v[list.at + k];
        if (v >= f->values.n || f->values.v[v].kind == VALUE_GAP) return false;
    }
    return true;
}

// Alias chains end: each step is followed once, marked with the round in which it was seen.
static bool check_aliases(Verifier *v) {
    const Func *f = v->f;
    uint32_t *seen = NEW_ARRAY(v->scratch, uint32_t, f->values.n);
    for (uint32_t k = 0; k < f->values.n; k++) {
        const ValueData *value = &f->values.v[k];
        if ((value->kind == VALUE_RESULT && value->owner >= f->insts.n) ||
            (value->kind == VALUE_PARAM && value->owner >= f->blocks.n)) {
            return bad(v, "v%u is defined by something that does not exist", (unsigned)k);
        }
        uint32_t at = k;
        while (f->values.v[at].kind == VALUE_ALIAS && seen[at] == 0) {
            seen[at] = k + 1;
            uint32_t to = f->values.v[at].owner;
            if (to >= f->values.n || f->values.v[to].kind == VALUE_GAP) {
                return bad(v, "v%u is an alias of v%u, which does not exist", (unsigned)at, (unsigned)to);
            }
            if (f->values.v[to].type != f->values.v[at].type) {
                return bad(v, "v%u is an alias of v%u of another type", (unsigned)at, (unsigned)to);
            }
            at = to;
        }
        if (f->values.v[at].kind == VALUE_ALIAS && seen[at] == k + 1) {
            return bad(v, "v%u is an alias of itself", (unsigned)at);
        }
    }
    return true;
}

static bool sig_known(const Func *f, uint32_t sig) { return sig < f->sigs.n && f->sigs.v[sig].declared; }

static void check_params(Verifier *v, const char *what, const AbiParam *params, uint32_t n, bool results) {
    for (uint32_t k = 0; k < n; k++) {
        if (params[k].type == T_none || params[k].type >= N_TYPES)
            bad(v, "%s: parameter %u has no type", what, (unsigned)k);
        else if (params[k].ext != EXT_NONE && !type_is_int((Type)params[k].type)) {
            bad(v, "%s: uext and sext are for integers only", what);
        }
        if (results && params[k].purpose == PURPOSE_SARG) bad(v, "%s: sarg is for parameters only", what);
    }
}

static void check_sig(Verifier *v, const char *what, const Sig *sig) {
    check_params(v, what, sig->params, sig->n_params, false);
    check_params(v, what, sig->results, sig->n_results, true);
    if (sig->conv == CC_PRESERVE_ALL && sig->n_results) bad(v, "%s: preserve_all returns nothing", what);
}

static bool has_vmctx(const Sig *sig) {
    for (uint32_t k = 0; k < sig->n_params; k++) {
        if (sig->params[k].purpose == PURPOSE_VMCTX) return true;
    }
    return false;
}

// A load gives an address or what one is computed from; additions keep the type.
static void check_global(Verifier *v, uint32_t k) {
    const Func *f = v->f;
    const GlobalValue *gv = &f->globals.v[k];
    if (gv->kind != GV_LOAD && gv->kind != GV_IADD_IMM) return;
    if (!type_is_int((Type)gv->type)) bad(v, "gv%u has type %s", (unsigned)k, type_text((Type)gv->type));
    if (gv->base >= f->globals.n) return; // has been said
    Type base = (Type)f->globals.v[gv->base].type;
    if (gv->kind == GV_IADD_IMM && gv->type != base)
        bad(v, "gv%u has type %s, gv%u has type %s", (unsigned)k, type_text((Type)gv->type), (unsigned)gv->base,
            type_text(base));
    if (gv->kind == GV_LOAD && base != T_i64)
        bad(v, "gv%u loads from gv%u, which is no address", (unsigned)k, (unsigned)gv->base);
    if (gv->kind == GV_LOAD && (~gv->memflags & (MF_NOTRAP | MF_ALIGNED)))
        bad(v, "gv%u loads without notrap and aligned", (unsigned)k);
}

static void check_regions(Verifier *v) {
    const Func *f = v->f;
    Map ids = map_new(v->scratch);
    for (uint32_t k = 0; k < f->regions.n; k++) {
        bool added;
        const uint32_t *first = map_add(&ids, f->regions.v[k].id, k, &added);
        if (!added) bad(v, "region%u has the number of region%u", (unsigned)k, (unsigned)*first);
    }
}

static void check_globals(Verifier *v) {
    const Func *f = v->f;
    uint32_t *seen = NEW_ARRAY(v->scratch, uint32_t, f->globals.n);
    for (uint32_t k = 0; k < f->globals.n; k++) {
        uint32_t at = k;
        const GlobalValue *gv = &f->globals.v[k];
        if (gv->kind == GV_VMCTX && !has_vmctx(&f->sig)) bad(v, "gv%u is vmctx, but no parameter is", (unsigned)k);
        check_global(v, k);
        while (f->globals.v[at].kind == GV_LOAD || f->globals.v[at].kind == GV_IADD_IMM) {
            if (seen[at]) break;
            seen[at] = k + 1;
            uint32_t base = f->globals.v[at].base;
            if (base >= f->globals.n || f->globals.v[base].kind == GV_GAP) {
                bad(v, "gv%u uses gv%u, which does not exist", (unsigned)at, (unsigned)base);
                break;
            }
            at = base;
            if (seen[at] == k + 1) bad(v, "gv%u depends on itself", (unsigned)at);
        }
    }
    if (f->stack_limit != NONE && (f->stack_limit >= f->globals.n || f->globals.v[f->stack_limit].kind == GV_GAP)) {
        bad(v, "stack_limit is gv%u, which does not exist", (unsigned)f->stack_limit);
    }
}

static void check_entities(Verifier *v) {
    const Func *f = v->f;
    check_sig(v, "signature", &f->sig);
    for (uint32_t k = 0; k < f->sigs.n; k++) {
        if (f->sigs.v[k].declared) check_sig(v, arena_printf(v->scratch, "sig%u", (unsigned)k), &f->sigs.v[k]);
    }
    for (uint32_t k = 0; k < f->funcs.n; k++) {
        const ExtFunc *func = &f->funcs.v[k];
        if (func->declared && !sig_known(f, func->sig)) bad(v, "fn%u has no signature", (unsigned)k);
        if (func->patchable && !func->colocated) bad(v, "fn%u is patchable but not colocated", (unsigned)k);
        if (func->patchable && sig_known(f, func->sig) && f->sigs.v[func->sig].n_results)
            bad(v, "fn%u is patchable but has results", (unsigned)k);
    }
    for (uint32_t k = 0; k < f->slots.n; k++) {
        uint32_t align = f->slots.v[k].align;
        if (f->slots.v[k].declared && (align == 0 || (align & (align - 1)))) {
            bad(v, "the alignment of ss%u is no power of two", (unsigned)k);
        }
    }
    check_regions(v);
    check_globals(v);
}

// ---- layout -------------------------------------------------------------------------------------

// Is everything that an instruction's record points to there? Nothing else may be looked at before.
static bool check_record(Verifier *v, Inst i) {
    const Func *f = v->f;
    const InstData *d = inst_get(f, i);
    v->inst = NO_INST;
    v->broken = i;
    if (d->op >= N_OPS) return bad(v, "instruction %u has no opcode", (unsigned)i.i);
    const OpInfo *info = &op_info[d->op];
    if (!list_sound(f, d->args)) return bad(v, "%s uses a value that does not exist", info->name);
    if (d->args.n < info->n_args) return bad(v, "%s has too few operands", info->name);
    if (!list_sound(f, d->results)) return bad(v, "%s has a result that does not exist", info->name);
    if (d->targets + d->n_targets > f->calls.n) return bad(v, "%s has targets that do not exist", info->name);
    for (uint32_t k = 0; k < d->n_targets; k++) {
        const BlockCall *call = &f->calls.v[d->targets + k];
        if (call->block.i >= f->blocks.n || !f->blocks.v[call->block.i].placed || !list_sound(f, call->args)) {
            return bad(v, "%s goes to a block or passes a value that does not exist", info->name);
        }
    }
    OpFormat format = (OpFormat)info->format;
    bool func = format == FMT_call || format == FMT_func_addr;
    if (func && (d->ref >= f->funcs.n || !f->funcs.v[d->ref].declared || !sig_known(f, f->funcs.v[d->ref].sig))) {
        return bad(v, "%s names fn%u, which is not declared", info->name, (unsigned)d->ref);
    }
    if (format == FMT_call_indirect && !sig_known(f, d->ref)) {
        return bad(v, "%s names sig%u, which is not declared", info->name, (unsigned)d->ref);
    }
    if (format == FMT_stack_addr && (d->ref >= f->slots.n || !f->slots.v[d->ref].declared)) {
        return bad(v, "%s names ss%u, which is not declared", info->name, (unsigned)d->ref);
    }
    if (format == FMT_global && (d->ref >= f->globals.n || f->globals.v[d->ref].kind != GV_SYMBOL)) {
        return bad(v, "%s names gv%u, which is no symbol", info->name, (unsigned)d->ref);
    }
    if ((format == FMT_int_compare && d->code >= N_ICC) || (format == FMT_float_compare && d->code >= N_FCC)) {
        return bad(v, "%s has no condition", info->name);
    }
    if ((info->suffix == SUFFIX_NONE) != (d->type == T_none) || d->type >= N_TYPES) {
        return bad(v, "%s has a wrong controlling type", info->name);
    }
    if (d->stack_map > f->stack_maps.n) return bad(v, "%s has a stack map that does not exist", info->name);
    return true;
}

static bool check_layout(Verifier *v) {
    const Func *f = v->f;
    if (!block_ok(f->first)) return bad(v, "the function has no block");
    FUNC_BLOCKS(b, f) {
        v->block = b;
        v->inst = NO_INST;
        const BlockData *block = block_get(f, b);
        if (!list_sound(f, block->params)) return bad(v, "a block parameter does not exist");
        if (!inst_ok(block->first)) return bad(v, "the block is empty");
        uint32_t n = 0;
        BLOCK_INSTS(i, f, b) {
            if (!check_record(v, i)) return false;
            v->order[i.i] = n++;
        }
        v->broken = NO_INST;
        BLOCK_INSTS(i, f, b) {
            bool last = inst_eq(i, block->last);
            v->inst = i;
            if (op_has((Op)inst_get(f, i)->op, OPF_terminator) == last) continue;
            return bad(v, last ? "the block does not end in a terminator" : "a terminator inside the block");
        }
    }
    v->block = NO_BLOCK;
    v->inst = NO_INST;
    return true;
}

// ---- types --------------------------------------------------------------------------------------

static void check_operand_types(Verifier *v, const InstData *d) {
    const OpInfo *info = &op_info[d->op];
    if (info->suffix != SUFFIX_NONE && !type_in((Type)d->type, info->types)) {
        bad(v, "%s has no type %s", info->name, type_text((Type)d->type));
        return;
    }
    bool variadic = info->flags & OPF_variadic;
    if (d->args.n < info->n_args || (d->args.n > info->n_args && !variadic)) {
        bad(v, "%u operands, %u expected", (unsigned)d->args.n, (unsigned)info->n_args);
        return;
    }
    for (uint32_t k = 0; k < info->n_args; k++) {
        Value arg = list_get(v->f, d->args, k);
        Type type = value_type(v->f, arg);
        bool control = info->args[k].rule == TR_CONTROL;
        if (control ? type == d->type : type_in(type, info->args[k].set)) continue;
        Type wanted = control                                  ? (Type)d->type
                      : bit_popcount64(info->args[k].set) == 1 ? (Type)bit_ctz64(info->args[k].set)
                                                               : T_none;
        bad(v, "v%u has type %s, %s expected", (unsigned)arg.i, type_text(type),
            wanted ? type_text(wanted) : "another");
    }
    if (info->when == WHEN_ANY) return;
    Type from = value_type(v->f, list_get(v->f, d->args, 0));
    unsigned have = type_bits(from);
    unsigned want = type_bits((Type)d->type);
    bool right = info->when == WHEN_ARG_NARROWER ? have < want
                 : info->when == WHEN_ARG_WIDER  ? have > want
                                                 : have == want;
    if (!right) bad(v, "%s does not go from %s to %s", info->name, type_text(from), type_text((Type)d->type));
}

static void check_results(Verifier *v, Inst i, const InstData *d) {
    const Func *f = v->f;
    Op op = (Op)d->op;
    bool call = op_has(op, OPF_call) && !op_has(op, OPF_terminator);
    const Sig *sig = call ? inst_sig(f, i) : NULL;
    uint32_t n = call ? sig->n_results : op_info[op].n_results;
    if (n != d->results.n) {
        bad(v, "%u results, %u expected", (unsigned)d->results.n, (unsigned)n);
        return;
    }
    for (uint32_t k = 0; k < n; k++) {
        Value r = inst_result(f, i, k);
        const ValueData *value = &f->values.v[r.i];
        if (value->kind == VALUE_ALIAS) continue; // replaced; the instruction is dead
        Type want = call ? (Type)sig->results[k].type : op_result_type(op, k, (Type)d->type);
        if (value->kind != VALUE_RESULT || value->owner != i.i || value->num != k) {
            bad(v, "v%u does not know that it is result %u here", (unsigned)r.i, (unsigned)k);
        } else if (value->type != want) {
            bad(v, "result v%u has type %s, %s expected", (unsigned)r.i, type_text((Type)value->type), type_text(want));
        }
    }
}

// Values against the types of a signature.
static void check_list(Verifier *v, const char *what, ValueList list, uint32_t from, const AbiParam *params,
                       uint32_t n) {
    if (list.n - from != n) {
        bad(v, "%u %s, the signature has %u", (unsigned)(list.n - from), what, (unsigned)n);
        return;
    }
    for (uint32_t k = 0; k < n; k++) {
        Value x = list_get(v->f, list, from + k);
        if (value_type(v->f, x) == params[k].type) continue;
        bad(v, "v%u has type %s, the signature says %s", (unsigned)x.i, type_text(value_type(v->f, x)),
            type_text((Type)params[k].type));
    }
}

static void check_call(Verifier *v, Inst i, const InstData *d) {
    const Sig *own = &v->f->sig;
    const Sig *sig = inst_sig(v->f, i);
    uint32_t from = op_info[d->op].format == FMT_call_indirect;
    if (d->args.n >= from) check_list(v, "arguments", d->args, from, sig->params, sig->n_params);
    if (!op_has((Op)d->op, OPF_return)) return;
    if (own->conv != CC_TAIL || sig->conv != CC_TAIL) bad(v, "a tail call needs caller and callee of convention tail");
    bool same = own->n_results == sig->n_results;
    for (uint32_t k = 0; same && k < sig->n_results; k++) same = own->results[k].type == sig->results[k].type;
    if (!same) bad(v, "a tail call needs the same results in caller and callee");
    if (d->stack_map) bad(v, "a tail call has no stack map");
    if (op_info[d->op].format == FMT_call && v->f->funcs.v[d->ref].patchable)
        bad(v, "a tail call of a patchable function");
}

static void check_targets(Verifier *v, const InstData *d) {
    const Func *f = v->f;
    for (uint32_t k = 0; k < d->n_targets; k++) {
        const BlockCall *call = &f->calls.v[d->targets + k];
        ValueList params = block_get(f, call->block)->params;
        if (block_eq(call->block, f->first)) bad(v, "a branch to the entry block");
        if (params.n != call->args.n) {
            bad(v, "%u arguments for block%u, it has %u parameters", (unsigned)call->args.n, (unsigned)call->block.i,
                (unsigned)params.n);
            continue;
        }
        for (uint32_t a = 0; a < params.n; a++) {
            Value arg = list_get(f, call->args, a);
            Type want = value_type(f, block_param(f, call->block, a));
            if (value_type(f, arg) == want) continue;
            bad(v, "v%u has type %s, block%u wants %s", (unsigned)arg.i, type_text(value_type(f, arg)),
                (unsigned)call->block.i, type_text(want));
        }
    }
}

static void check_stack_map(Verifier *v, const InstData *d) {
    const Func *f = v->f;
    StackMap map = f->stack_maps.v[d->stack_map - 1];
    if (!op_has((Op)d->op, OPF_call)) bad(v, "only calls have stack maps");
    for (uint32_t k = 0; k < map.n; k++) {
        const StackMapEntry *entry = &f->map_entries.v[map.at + k];
        if (entry->slot >= f->slots.n) {
            bad(v, "the stack map names no slot");
        } else if ((uint64_t)entry->offset + type_bits((Type)entry->type) / 8 > f->slots.v[entry->slot].size) {
            bad(v, "the stack map leaves ss%u", (unsigned)entry->slot);
        }
    }
}

static void check_details(Verifier *v, Inst i, const InstData *d) {
    const Func *f = v->f;
    OpFormat format = (OpFormat)op_info[d->op].format;
    if (format == FMT_br_table || format == FMT_jump || format == FMT_brif) {
        unsigned least = format == FMT_brif ? 2 : 1;
        if (d->n_targets < least || (format != FMT_br_table && d->n_targets > least)) bad(v, "wrong number of targets");
        check_targets(v, d);
    } else if (d->n_targets) {
        bad(v, "%s has no targets", op_name((Op)d->op));
    }
    if (format == FMT_imm64 && type_bits((Type)d->type) < 64 && (uint64_t)d->imm >> type_bits((Type)d->type)) {
        bad(v, "the constant has bits above its type");
    }
    if (format == FMT_stack_addr && (d->imm < 0 || (d->imm && d->imm >= f->slots.v[d->ref].size))) {
        bad(v, "the offset is outside ss%u", (unsigned)d->ref);
    }
    if (format == FMT_global && d->type != f->globals.v[d->ref].type) {
        bad(v, "gv%u has type %s", (unsigned)d->ref, type_text((Type)f->globals.v[d->ref].type));
    }
    if ((d->memflags & MF_LITTLE) && (d->memflags & MF_BIG)) bad(v, "both little and big");
    if ((d->memflags & MF_READONLY) && op_has((Op)d->op, OPF_can_store)) bad(v, "a store cannot be readonly");
    if (d->op == OP_bitcast && (d->memflags & ~(MF_LITTLE | MF_BIG))) bad(v, "bitcast knows little and big only");
    if ((format == FMT_trap || format == FMT_cond_trap || format == FMT_add_trap) && d->code == 0) {
        bad(v, "no trap code");
    }
    if (op_has((Op)d->op, OPF_call)) check_call(v, i, d);
    if (d->op == OP_return) check_list(v, "results", d->args, 0, f->sig.results, f->sig.n_results);
    if (d->stack_map) check_stack_map(v, d);
}

// ---- dominance ----------------------------------------------------------------------------------

static void check_use(Verifier *v, Value x) {
    const Func *f = v->f;
    const ValueData *value = &f->values.v[x.i];
    Block home = value->kind == VALUE_PARAM ? (Block){value->owner} : inst_get(f, (Inst){value->owner})->block;
    if (!block_ok(home) || !block_get(f, home)->placed) {
        bad(v, "v%u is defined by something that is not in the function", (unsigned)x.i);
        return;
    }
    if (!cfg_reachable(v->cfg, v->block)) return;
    if (!block_eq(home, v->block)) {
        if (!cfg_dominates(v->cfg, home, v->block)) {
            bad(v, "v%u is defined in block%u, which does not dominate this use", (unsigned)x.i, (unsigned)home.i);
        }
    } else if (value->kind == VALUE_RESULT && v->order[value->owner] >= v->order[v->inst.i]) {
        bad(v, "v%u is used before its definition", (unsigned)x.i);
    }
}

static void check_uses(Verifier *v, const InstData *d) {
    const Func *f = v->f;
    for (uint32_t k = 0; k < d->args.n; k++) check_use(v, list_get(f, d->args, k));
    for (uint32_t t = 0; t < d->n_targets; t++) {
        ValueList args = f->calls.v[d->targets + t].args;
        for (uint32_t k = 0; k < args.n; k++) check_use(v, list_get(f, args, k));
    }
}

static void check_entry(Verifier *v) {
    const Func *f = v->f;
    const BlockData *entry = block_get(f, f->first);
    v->block = f->first;
    if (entry->cold) bad(v, "the entry block is cold");
    if (entry->params.n != f->sig.n_params) {
        bad(v, "the entry block has %u parameters, the signature %u", (unsigned)entry->params.n,
            (unsigned)f->sig.n_params);
        return;
    }
    for (uint32_t k = 0; k < f->sig.n_params; k++) {
        Type have = value_type(f, block_param(f, f->first, k));
        if (have == f->sig.params[k].type) continue;
        bad(v, "parameter %u has type %s, the signature says %s", (unsigned)k, type_text(have),
            type_text((Type)f->sig.params[k].type));
    }
}

static void check_body(Verifier *v) {
    const Func *f = v->f;
    v->cfg = cfg_new(v->scratch, f);
    check_entry(v);
    FUNC_BLOCKS(b, f) {
        v->block = b;
        v->inst = NO_INST;
        for (uint32_t k = 0; k < block_get(f, b)->params.n; k++) {
            Value p = block_param(f, b, k);
            const ValueData *value = &f->values.v[p.i];
            if (value->kind != VALUE_ALIAS && (value->kind != VALUE_PARAM || value->owner != b.i || value->num != k)) {
                bad(v, "v%u does not know that it is parameter %u here", (unsigned)p.i, (unsigned)k);
            }
        }
        BLOCK_INSTS(i, f, b) {
            const InstData *d = inst_get(f, i);
            v->inst = i;
            unsigned before = v->mistakes;
            check_operand_types(v, d);
            if (v->mistakes == before) check_details(v, i, d);
            check_results(v, i, d);
            check_uses(v, d);
        }
    }
}

bool verify_func(const Func *f) {
    Arena *scratch = arena_new(f->ctx);
    Verifier v = {.f = f, .scratch = scratch, .block = NO_BLOCK, .inst = NO_INST, .broken = NO_INST};
    v.order = NEW_ARRAY(scratch, uint32_t, f->insts.n);
    if (check_aliases(&v)) {
        check_entities(&v);
        if (v.mistakes == 0 && check_layout(&v)) check_body(&v);
    }
    bool right = v.mistakes == 0;
    arena_free(scratch);
    return right;
}

IrFile *verify_read(Arena *arena, const char *name, const char *text, size_t len) {
    Ctx *ctx = arena_ctx(arena);
    IrFile *file = ir_read(arena, name, text, len, CC_SYSTEM_V);
    bool right = true;
    for (uint32_t k = 0; k < file->funcs.n; k++) right = verify_func(file->funcs.v[k]) && right;
    if (!right) ctx_throw(ctx, VTR_ERR_INPUT);
    for (uint32_t k = 0; k < file->skipped.n; k++)
        diag_error(ctx, file->skipped.v[k].place, "unsupported: %s", file->skipped.v[k].reason);
    if (file->skipped.n) ctx_throw(ctx, VTR_ERR_UNSUPPORTED);
    return file;
}
