// Canonical CLIF text: Cranelift's own printing, so that texts can be compared with its.
#include "ir/ir.h"
#include "ir/text.h"
#include "support/bits.h"

typedef struct Writer {
    const Func *f;
    Buf *out;
    // For each value the first alias of it, and for each alias the next of the same value; NONE ends. A chain of
    // aliases is printed as aliases of what it ends in: the steps may have been shortened when someone followed it.
    uint32_t *aliases;
    uint32_t *alias_next;
    bool *written; // by instruction; NULL when only one is written
    unsigned indent;
} Writer;

static void put_value(Writer *w, uint32_t v) { buf_printf(w->out, "v%u", (unsigned)v); }

static void put_params(Buf *out, const AbiParam *params, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) {
        if (k) buf_text(out, ", ");
        buf_text(out, type_name((Type)params[k].type));
        if (params[k].ext == EXT_UEXT) buf_text(out, " uext");
        if (params[k].ext == EXT_SEXT) buf_text(out, " sext");
        if (params[k].purpose == PURPOSE_SRET) buf_text(out, " sret");
        if (params[k].purpose == PURPOSE_VMCTX) buf_text(out, " vmctx");
        if (params[k].purpose == PURPOSE_SARG) buf_printf(out, " sarg(%u)", (unsigned)params[k].sarg_size);
    }
}

static void put_sig(Buf *out, const Sig *sig) {
    buf_char(out, '(');
    put_params(out, sig->params, sig->n_params);
    buf_char(out, ')');
    if (sig->n_results) {
        buf_text(out, " -> ");
        put_params(out, sig->results, sig->n_results);
    }
    buf_printf(out, " %s", conv_name[sig->conv]);
}

static void put_memflags(Buf *out, uint8_t flags, uint8_t code, uint8_t region) {
    if (code) {
        buf_char(out, ' ');
        text_put_trap(out, code);
    }
    if (flags & MF_NOTRAP) buf_text(out, " notrap");
    if (flags & MF_ALIGNED) buf_text(out, " aligned");
    if (flags & MF_READONLY) buf_text(out, " readonly");
    if (flags & MF_CAN_MOVE) buf_text(out, " can_move");
    if (flags & MF_BIG) buf_text(out, " big");
    if (flags & MF_LITTLE) buf_text(out, " little");
    if (region) buf_printf(out, " region%u", region - 1U);
}

// ---- preamble -----------------------------------------------------------------------------------

static void put_slots(Buf *out, const Func *f) {
    for (uint32_t k = 0; k < f->slots.n; k++) {
        const StackSlot *slot = &f->slots.v[k];
        if (!slot->declared) continue;
        buf_printf(out, "    ss%u = explicit_slot %u", (unsigned)k, (unsigned)slot->size);
        if (slot->align > 1) buf_printf(out, ", align = %u", (unsigned)slot->align);
        if (slot->has_key) buf_printf(out, ", key = %llu", (unsigned long long)slot->key);
        buf_char(out, '\n');
    }
    for (uint32_t k = 0; k < f->regions.n; k++) {
        buf_printf(out, "    region%u = %u \"%s\"\n", (unsigned)k, (unsigned)f->regions.v[k].id, f->regions.v[k].text);
    }
}

static void put_global(Buf *out, uint32_t number, const GlobalValue *gv) {
    buf_printf(out, "    gv%u = ", (unsigned)number);
    switch ((GlobalKind)gv->kind) {
    case GV_GAP: break;
    case GV_VMCTX: buf_text(out, "vmctx"); break;
    case GV_LOAD:
        buf_printf(out, "load.%s", type_name((Type)gv->type));
        put_memflags(out, gv->memflags, 0, 0);
        buf_printf(out, " gv%u", (unsigned)gv->base);
        text_put_offset(out, gv->offset);
        break;
    case GV_IADD_IMM:
        buf_printf(out, "iadd_imm.%s gv%u, ", type_name((Type)gv->type), (unsigned)gv->base);
        text_put_int(out, gv->offset);
        break;
    case GV_SYMBOL:
        buf_printf(out, "symbol %s", gv->colocated ? "colocated " : "");
        name_put(out, gv->name);
        text_put_offset(out, gv->offset);
        break;
    }
    buf_char(out, '\n');
}

static void put_preamble(Buf *out, const Func *f) {
    uint32_t start = out->bytes.n;
    put_slots(out, f);
    for (uint32_t k = 0; k < f->globals.n; k++) {
        if (f->globals.v[k].kind != GV_GAP) put_global(out, k, &f->globals.v[k]);
    }
    for (uint32_t k = 0; k < f->sigs.n; k++) {
        if (!f->sigs.v[k].declared) continue;
        buf_printf(out, "    sig%u = ", (unsigned)k);
        put_sig(out, &f->sigs.v[k]);
        buf_char(out, '\n');
    }
    for (uint32_t k = 0; k < f->funcs.n; k++) {
        const ExtFunc *func = &f->funcs.v[k];
        if (!func->declared) continue;
        buf_printf(out, "    fn%u = %s%s", (unsigned)k, func->colocated ? "colocated " : "",
                   func->patchable ? "patchable " : "");
        name_put(out, func->name);
        buf_printf(out, " sig%u\n", (unsigned)func->sig);
    }
    for (uint32_t k = 0; k < f->consts.n; k++) {
        if (!f->consts.v[k].declared) continue;
        buf_printf(out, "    const%u = 0x", (unsigned)k);
        for (uint32_t b = f->consts.v[k].n; b-- > 0;) buf_printf(out, "%02x", f->consts.v[k].bytes[b]);
        buf_char(out, '\n');
    }
    if (f->stack_limit != NONE) buf_printf(out, "    stack_limit = gv%u\n", (unsigned)f->stack_limit);
    if (out->bytes.n > start && block_ok(f->first)) buf_char(out, '\n');
}

// ---- instructions -------------------------------------------------------------------------------

static void put_list(Writer *w, ValueList list, uint32_t from) {
    for (uint32_t k = from; k < list.n; k++) {
        if (k > from) buf_text(w->out, ", ");
        put_value(w, list_get(w->f, list, k).i);
    }
}

static void put_block_call(Writer *w, const BlockCall *call) {
    buf_printf(w->out, "block%u", (unsigned)call->block.i);
    if (call->args.n == 0) return;
    buf_char(w->out, '(');
    put_list(w, call->args, 0);
    buf_char(w->out, ')');
}

static int64_t const_value(const InstData *d) {
    return type_bits((Type)d->type) ? bit_sext((uint64_t)d->imm, type_bits((Type)d->type)) : d->imm;
}

static void put_branch(Writer *w, const InstData *d) {
    const BlockCall *calls = d->n_targets ? &w->f->calls.v[d->targets] : NULL;
    put_list(w, d->args, 0);
    bool table = op_info[d->op].format == FMT_br_table;
    for (uint32_t k = 0; k < d->n_targets; k++) {
        if (k || d->args.n) buf_text(w->out, table && k > 1 ? ", " : table && k == 1 ? ", [" : ", ");
        put_block_call(w, &calls[k]);
    }
    if (table) buf_text(w->out, d->n_targets > 1 ? "]" : ", []");
}

static void put_call(Writer *w, const InstData *d) {
    bool direct = op_info[d->op].format == FMT_call;
    buf_printf(w->out, direct ? "fn%u" : "sig%u, ", (unsigned)d->ref);
    if (!direct) put_value(w, list_get(w->f, d->args, 0).i);
    buf_char(w->out, '(');
    put_list(w, d->args, !direct);
    buf_char(w->out, ')');
    if (d->stack_map == 0) return;
    StackMap map = w->f->stack_maps.v[d->stack_map - 1];
    buf_text(w->out, ", stack_map=[");
    for (uint32_t k = 0; k < map.n; k++) {
        const StackMapEntry *e = &w->f->map_entries.v[map.at + k];
        buf_printf(w->out, "%s%s @ ss%u+%u", k ? ", " : "", type_name((Type)e->type), (unsigned)e->slot,
                   (unsigned)e->offset);
    }
    buf_char(w->out, ']');
}

static void put_operands(Writer *w, const InstData *d) {
    Buf *out = w->out;
    switch ((OpFormat)op_info[d->op].format) {
    case FMT_nullary:
    case N_FORMATS: break;
    case FMT_unary:
    case FMT_binary:
    case FMT_ternary:
    case FMT_values: put_list(w, d->args, 0); break;
    case FMT_imm64: text_put_int(out, const_value(d)); break;
    case FMT_ieee32: text_put_float(out, (uint64_t)d->imm, 32); break;
    case FMT_ieee64: text_put_float(out, (uint64_t)d->imm, 64); break;
    case FMT_int_compare:
    case FMT_float_compare:
        buf_printf(out, "%s ", op_info[d->op].format == FMT_int_compare ? icc_name[d->code] : fcc_name[d->code]);
        put_list(w, d->args, 0);
        break;
    case FMT_jump:
    case FMT_brif:
    case FMT_br_table: put_branch(w, d); break;
    case FMT_trap:
    case FMT_cond_trap:
    case FMT_add_trap:
        put_list(w, d->args, 0);
        if (d->args.n) buf_text(out, ", ");
        text_put_trap(out, d->code);
        break;
    case FMT_call:
    case FMT_call_indirect: put_call(w, d); break;
    case FMT_func_addr: buf_printf(out, "fn%u", (unsigned)d->ref); break;
    case FMT_stack_addr:
        buf_printf(out, "ss%u", (unsigned)d->ref);
        text_put_offset(out, d->imm);
        break;
    case FMT_global: buf_printf(out, "gv%u", (unsigned)d->ref); break;
    case FMT_load:
    case FMT_store:
    case FMT_load_no_offset:
    case FMT_store_no_offset:
        put_list(w, d->args, 0);
        text_put_offset(out, d->imm);
        break;
    }
}

// Is the operand that the controlling type is read off defined in the same block as the instruction, and before it? (It
// need not be before in code that cannot be reached, and there a reader wants the type.)
static bool type_is_near(const Writer *w, const InstData *d) {
    const Func *f = w->f;
    const OpInfo *info = &op_info[d->op];
    if (info->suffix != SUFFIX_INFERABLE || info->control_arg >= d->args.n) return false;
    Value v = list_get(f, d->args, info->control_arg);
    const ValueData *data = &f->values.v[v.i];
    if (data->kind == VALUE_PARAM) return data->owner == d->block.i;
    if (w->written && !w->written[data->owner]) return false;
    return block_ok(d->block) && block_eq(inst_get(f, (Inst){data->owner})->block, d->block);
}

static void put_inst(Writer *w, Inst i) {
    const Func *f = w->f;
    const InstData *d = inst_get(f, i);
    for (uint32_t k = 0; k < d->results.n; k++) {
        if (k) buf_text(w->out, ", ");
        put_value(w, inst_result(f, i, k).i);
    }
    if (d->results.n) buf_text(w->out, " = ");
    buf_text(w->out, op_name((Op)d->op));
    if (op_info[d->op].suffix != SUFFIX_NONE && !type_is_near(w, d)) {
        buf_printf(w->out, ".%s", type_name((Type)d->type));
    }
    OpFormat format = (OpFormat)op_info[d->op].format;
    if (format == FMT_load || format == FMT_store || format == FMT_load_no_offset || format == FMT_store_no_offset) {
        put_memflags(w->out, d->memflags, d->code, d->region);
    }
    if (format != FMT_values || d->args.n) buf_char(w->out, ' ');
    put_operands(w, d);
}

// `  ; v1 = 3, v2 = 0x1.0p0` for operands that are constants.
static void put_constants(Writer *w, ValueList list, bool *any) {
    for (uint32_t k = 0; k < list.n; k++) {
        Value v = list_get(w->f, list, k);
        Inst def = value_def(w->f, v);
        if (!inst_ok(def)) continue;
        const InstData *d = inst_get(w->f, def);
        OpFormat format = (OpFormat)op_info[d->op].format;
        if (format != FMT_imm64 && format != FMT_ieee32 && format != FMT_ieee64) continue;
        buf_printf(w->out, "%sv%u = ", *any ? ", " : "  ; ", (unsigned)v.i);
        *any = true;
        put_operands(w, d);
    }
}

static void put_spaces(Buf *out, unsigned n) {
    while (n--) buf_char(out, ' ');
}

static void put_aliases(Writer *w, uint32_t v) {
    for (uint32_t alias = w->aliases[v]; alias != NONE; alias = w->alias_next[alias]) {
        put_spaces(w->out, w->indent);
        buf_printf(w->out, "v%u -> v%u\n", (unsigned)alias, (unsigned)v);
    }
}

static void put_line(Writer *w, Inst i) {
    const InstData *d = inst_get(w->f, i);
    unsigned margin = w->indent;
    if (d->srcloc != NONE) {
        uint32_t start = w->out->bytes.n;
        buf_printf(w->out, "@%04x ", (unsigned)d->srcloc);
        margin = margin > w->out->bytes.n - start ? margin - (w->out->bytes.n - start) : 0;
    }
    put_spaces(w->out, margin);
    put_inst(w, i);
    w->written[i.i] = true;
    bool any = false;
    put_constants(w, d->args, &any);
    for (uint32_t k = 0; k < d->n_targets; k++) put_constants(w, w->f->calls.v[d->targets + k].args, &any);
    buf_char(w->out, '\n');
    for (uint32_t k = 0; k < d->results.n; k++) put_aliases(w, inst_result(w->f, i, k).i);
}

static void put_block(Writer *w, Block b) {
    const BlockData *block = block_get(w->f, b);
    buf_printf(w->out, "block%u", (unsigned)b.i);
    for (uint32_t k = 0; k < block->params.n; k++) {
        Value v = block_param(w->f, b, k);
        buf_printf(w->out, "%sv%u: %s", k ? ", " : "(", (unsigned)v.i, type_name(value_type(w->f, v)));
    }
    if (block->params.n) buf_char(w->out, ')');
    buf_text(w->out, block->cold ? " cold:\n" : ":\n");
    for (uint32_t k = 0; k < block->params.n; k++) put_aliases(w, block_param(w->f, b, k).i);
    BLOCK_INSTS(i, w->f, b) put_line(w, i);
}

static void gather_aliases(Writer *w) {
    const Func *f = w->f;
    w->aliases = all_none(w->out->arena, f->values.n);
    w->alias_next = NEW_ARRAY(w->out->arena, uint32_t, f->values.n);
    for (uint32_t v = f->values.n; v-- > 0;) {
        if (f->values.v[v].kind != VALUE_ALIAS) continue;
        uint32_t to = func_value(f, (Value){v}).i;
        w->alias_next[v] = w->aliases[to];
        w->aliases[to] = v;
    }
}

void ir_write(const Func *f, Buf *out) {
    Writer w = {.f = f, .out = out, .indent = 4};
    w.written = NEW_ARRAY(out->arena, bool, f->insts.n);
    gather_aliases(&w);
    FUNC_BLOCKS(b, f) {
        BLOCK_INSTS(i, f, b) {
            if (inst_get(f, i)->srcloc != NONE) w.indent = 36;
        }
    }
    buf_text(out, "function ");
    name_put(out, f->name);
    put_sig(out, &f->sig);
    buf_text(out, " {\n");
    put_preamble(out, f);
    FUNC_BLOCKS(b, f) {
        if (!block_eq(b, f->first)) buf_char(out, '\n');
        put_block(&w, b);
    }
    buf_text(out, "}\n");
}

void ir_write_inst(const Func *f, Inst i, Buf *out) {
    Writer w = {.f = f, .out = out};
    put_inst(&w, i);
}
