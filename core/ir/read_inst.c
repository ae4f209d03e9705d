// Reading function bodies: blocks, aliases, instructions. See read_internal.h; mnemonics that newer Cranelift no
// longer has stand in read_sugar.c.
#include "ir/read_inst.h"

#include <string.h>

// ---- values and blocks --------------------------------------------------------------------------

// Makes the table of values reach `number`.
static bool rd_value_room(Reader *r, const Tok *tok, uint32_t number) {
    if (number < r->f->values.n) return true;
    if (!rd_pay(r, tok, r->f->values.n, number)) return false;
    (void)vec_extend(r->arena, &r->f->values, number - r->f->values.n + 1);
    return true;
}

bool rd_define(Reader *r, const Tok *tok, uint32_t number, ValueData data) {
    if (!rd_value_room(r, tok, number)) return false;
    ValueData *value = &r->f->values.v[number];
    if (value->kind != VALUE_GAP) return rd_error(r, tok, "v%u is defined twice", (unsigned)number);
    *value = data;
    return true;
}

static bool rd_value(Reader *r, Value *v) {
    Tok tok = r->tok;
    uint32_t number;
    if (tok_entity(&tok, "ret", &number) || tok_entity(&tok, "exn", &number)) {
        return rd_error(r, &tok, "%.*s stands for a result only in the edges of a try_call", (int)tok.len, tok.s);
    }
    if (!rd_entity(r, "v", &number) || !rd_value_room(r, &tok, number)) return false;
    if (r->f->values.v[number].kind == VALUE_GAP) vec_push(r->arena, &r->uses, (Use){number, tok.line, tok.col});
    v->i = number;
    return true;
}

static bool rd_block(Reader *r, Block *block) {
    Tok tok = r->tok;
    uint32_t number;
    if (!rd_entity(r, "block", &number) || !rd_pay(r, &tok, r->f->blocks.n, number)) return false;
    while (r->f->blocks.n <= number) block_new(r->f);
    while (r->block_line.n <= number) vec_push(r->arena, &r->block_line, 0);
    if (r->block_line.v[number] == 0) r->block_line.v[number] = tok.line;
    block->i = number;
    return true;
}

static bool rd_args(Reader *r, char close, ValueList *args) {
    *args = (ValueList){0, 0};
    if (tok_is(&r->tok, close)) return true;
    do {
        Value v;
        if (!rd_value(r, &v)) return false;
        list_push(r->f, args, v);
    } while (rd_accept(r, ','));
    return true;
}

static bool rd_block_call(Reader *r, BlockCall *call) {
    *call = (BlockCall){.args = {0, 0}};
    if (!rd_block(r, &call->block)) return false;
    return !rd_accept(r, '(') || (rd_args(r, ')', &call->args) && rd_expect(r, ')'));
}

// Block calls of one instruction are gathered first, so that they are a run in Func.calls.
static bool rd_targets(Reader *r, InstData *d, const BlockCall *calls, uint32_t n) {
    if (n > UINT16_MAX) return rd_error(r, &r->tok, "more than %d branch targets", UINT16_MAX);
    d->targets = r->f->calls.n;
    d->n_targets = (uint16_t)n;
    for (uint32_t k = 0; k < n; k++) vec_push(r->arena, &r->f->calls, calls[k]);
    return true;
}

static bool rd_br_table(Reader *r, InstData *d) {
    VEC(BlockCall) calls = {0};
    BlockCall call;
    if (!rd_expect(r, ',') || !rd_block_call(r, &call)) return false;
    vec_push(r->arena, &calls, call);
    if (!rd_expect(r, ',') || !rd_expect(r, '[')) return false;
    if (!tok_is(&r->tok, ']')) {
        do {
            if (!rd_block_call(r, &call)) return false;
            vec_push(r->arena, &calls, call);
        } while (rd_accept(r, ','));
    }
    return rd_expect(r, ']') && rd_targets(r, d, calls.v, calls.n);
}

// ---- operands -----------------------------------------------------------------------------------

static bool rd_code(Reader *r, InstData *d, int found, const char *what) {
    if (found < 0) return rd_error(r, &r->tok, "expected %s, found '%.*s'", what, (int)r->tok.len, r->tok.s);
    d->code = (uint8_t)found;
    rd_next(r);
    return true;
}

static bool rd_trap_code(Reader *r, InstData *d) {
    uint8_t code = r->tok.kind == TOK_WORD ? text_trap(r->tok.s, r->tok.len) : 0;
    return rd_code(r, d, code ? code : -1, "a trap code");
}

bool rd_slot_ref(Reader *r, InstData *d) {
    Tok tok = r->tok;
    if (!rd_entity(r, "ss", &d->ref)) return false;
    if (d->ref >= r->f->slots.n || !r->f->slots.v[d->ref].declared) {
        return rd_error(r, &tok, "ss%u is not declared", (unsigned)d->ref);
    }
    return rd_offset(r, &d->imm);
}

static bool rd_func_ref(Reader *r, InstData *d) {
    Tok tok = r->tok;
    if (!rd_entity(r, "fn", &d->ref)) return false;
    if (d->ref < r->f->funcs.n && r->f->funcs.v[d->ref].declared) return true;
    return rd_error(r, &tok, "fn%u is not declared", (unsigned)d->ref);
}

bool rd_global_ref(Reader *r, uint32_t *number) {
    Tok tok = r->tok;
    if (!rd_entity(r, "gv", number)) return false;
    if (*number < r->f->globals.n && r->f->globals.v[*number].kind != GV_GAP) return true;
    return rd_error(r, &tok, "gv%u is not declared", (unsigned)*number);
}

static bool rd_sig_ref(Reader *r, InstData *d) {
    Tok tok = r->tok;
    if (!rd_entity(r, "sig", &d->ref)) return false;
    if (d->ref < r->f->sigs.n && r->f->sigs.v[d->ref].declared) return true;
    return rd_error(r, &tok, "sig%u is not declared", (unsigned)d->ref);
}

static bool rd_push_value(Reader *r, InstData *d) {
    Value v;
    if (!rd_value(r, &v)) return false;
    list_push(r->f, &d->args, v);
    return true;
}

bool rd_values(Reader *r, InstData *d, unsigned n) {
    for (unsigned k = 0; k < n; k++) {
        if ((k && !rd_expect(r, ',')) || !rd_push_value(r, d)) return false;
    }
    return true;
}

// `fn0(v1, v2)` or the rest of `sig0, v0(v1, v2)`.
static bool rd_call_args(Reader *r, InstData *d) {
    if (!rd_expect(r, '(')) return false;
    if (!tok_is(&r->tok, ')')) {
        do {
            if (!rd_push_value(r, d)) return false;
        } while (rd_accept(r, ','));
    }
    return rd_expect(r, ')');
}

static bool rd_float(Reader *r, InstData *d, unsigned bits) {
    uint64_t x;
    const char *wrong = r->tok.kind == TOK_FLOAT ? text_float(r->tok.s, r->tok.len, bits, &x)
                                                 : "a float is 0.0, a hexadecimal number with a point, Inf or NaN";
    if (wrong) return rd_error(r, &r->tok, "'%.*s' is no f%u: %s", (int)r->tok.len, r->tok.s, bits, wrong);
    d->imm = (int64_t)x;
    rd_next(r);
    return true;
}

static bool rd_int(Reader *r, Type type, int64_t *imm) {
    uint64_t x;
    if (r->tok.kind != TOK_INT || !text_int(r->tok.s, r->tok.len, type_bits(type), &x)) {
        return rd_error(r, &r->tok, "'%.*s' is no integer in the range of %s", (int)r->tok.len, r->tok.s,
                        type_name(type));
    }
    *imm = (int64_t)x;
    rd_next(r);
    return true;
}

static bool rd_mem_operands(Reader *r, InstData *d, unsigned n) {
    return rd_memflags(r, &d->memflags, &d->code, &d->region) && rd_values(r, d, n);
}

static bool rd_branch(Reader *r, InstData *d) {
    BlockCall calls[2];
    switch (op_info[d->op].format) {
    case FMT_jump: return rd_block_call(r, &calls[0]) && rd_targets(r, d, calls, 1);
    case FMT_brif:
        return rd_values(r, d, 1) && rd_expect(r, ',') && rd_block_call(r, &calls[0]) && rd_expect(r, ',') &&
               rd_block_call(r, &calls[1]) && rd_targets(r, d, calls, 2);
    default: return rd_values(r, d, 1) && rd_br_table(r, d);
    }
}

static bool rd_operands(Reader *r, InstData *d) {
    const OpInfo *info = &op_info[d->op];
    switch ((OpFormat)info->format) {
    case FMT_nullary: return true;
    case FMT_unary:
    case FMT_binary:
    case FMT_ternary: return rd_values(r, d, info->n_args);
    case FMT_values: {
        uint32_t number;
        if (!tok_entity(&r->tok, "v", &number)) return true;
        do {
            if (!rd_push_value(r, d)) return false;
        } while (rd_accept(r, ','));
        return true;
    }
    case FMT_imm64: return rd_int(r, (Type)d->type, &d->imm);
    case FMT_ieee32: return rd_float(r, d, 32);
    case FMT_ieee64: return rd_float(r, d, 64);
    case FMT_int_compare:
        return rd_code(r, d, icc_find(r->tok.s, r->tok.len), "a condition of icmp") && rd_values(r, d, 2);
    case FMT_float_compare:
        return rd_code(r, d, fcc_find(r->tok.s, r->tok.len), "a condition of fcmp") && rd_values(r, d, 2);
    case FMT_jump:
    case FMT_brif:
    case FMT_br_table: return rd_branch(r, d);
    case FMT_trap: return rd_trap_code(r, d);
    case FMT_cond_trap:
    case FMT_add_trap: return rd_values(r, d, info->n_args) && rd_expect(r, ',') && rd_trap_code(r, d);
    case FMT_call: return rd_func_ref(r, d) && rd_call_args(r, d);
    case FMT_call_indirect: return rd_sig_ref(r, d) && rd_expect(r, ',') && rd_push_value(r, d) && rd_call_args(r, d);
    case FMT_func_addr: return rd_func_ref(r, d);
    case FMT_stack_addr: return rd_slot_ref(r, d);
    case FMT_global: return rd_global_ref(r, &d->ref);
    case FMT_load:
    case FMT_store: return rd_mem_operands(r, d, info->n_args) && rd_offset(r, &d->imm);
    case FMT_load_no_offset:
    case FMT_store_no_offset: return rd_mem_operands(r, d, info->n_args);
    case N_FORMATS: break;
    }
    return false;
}

// `, stack_map=[i64 @ ss0+0, ...]`
static bool rd_stack_map(Reader *r, InstData *d) {
    Func *f = r->f;
    if (!rd_accept_word(r, "stack_map")) return rd_error(r, &r->tok, "expected 'stack_map'");
    if (!rd_expect(r, '=') || !rd_expect(r, '[')) return false;
    StackMap map = {f->map_entries.n, 0};
    while (!tok_is(&r->tok, ']')) {
        Type type;
        InstData place = {0};
        if (map.n && !rd_expect(r, ',')) return false;
        if (!rd_type(r, &type) || !rd_expect(r, '@') || !rd_slot_ref(r, &place)) return false;
        if (place.imm < 0) return rd_error(r, &r->tok, "negative offset");
        vec_push(r->arena, &f->map_entries, (StackMapEntry){(uint8_t)type, place.ref, (uint32_t)place.imm});
        map.n++;
    }
    rd_next(r);
    vec_push(r->arena, &f->stack_maps, map);
    d->stack_map = f->stack_maps.n;
    return true;
}

// ---- instructions -------------------------------------------------------------------------------

// The controlling type: the suffix, or read off an operand that is defined already.
bool rd_control(Reader *r, const Tok *op_tok, Op op, ValueList args, Type suffix, uint8_t *type) {
    const OpInfo *info = &op_info[op];
    *type = T_none;
    if (info->suffix == SUFFIX_NONE) {
        return suffix == T_none || rd_error(r, op_tok, "%s takes no type suffix", info->name);
    }
    if (suffix == T_none && info->suffix == SUFFIX_INFERABLE) {
        const ValueData *value = &r->f->values.v[r->f->pool.v[args.at + info->control_arg]];
        if (value->kind != VALUE_GAP) suffix = (Type)value->type;
    }
    if (suffix == T_none) return rd_error(r, op_tok, "%s needs a type suffix here", info->name);
    if (!type_in(suffix, info->types)) {
        const char *full = arena_printf(r->arena, "%s.%s", info->name, type_name(suffix));
        const char *why = ir_unsupported(full, (unsigned)strlen(full));
        if (why) return rd_skip(r, op_tok, "opcode", why);
        return rd_error(r, op_tok, "%s has no type %s", info->name, type_name(suffix));
    }
    *type = (uint8_t)suffix;
    return true;
}

bool rd_insert(Reader *r, const Tok *op_tok, const InstData *d, const ResultName *names, uint32_t n_names) {
    Func *f = r->f;
    Op op = (Op)d->op;
    Inst inst = inst_new(f, d);
    vec_push(f->arena, &f->lines, op_tok->line);
    bool call = op_has(op, OPF_call) && !op_has(op, OPF_terminator);
    const Sig *sig = call ? inst_sig(f, inst) : NULL;
    uint32_t n = call ? sig->n_results : op_info[op].n_results;
    if (n != n_names) {
        return rd_error(r, op_tok, "%s gives %u results, %u are named", op_info[op].name, (unsigned)n,
                        (unsigned)n_names);
    }
    ValueList results = {0, 0};
    for (uint32_t k = 0; k < n; k++) {
        Type type = call ? (Type)sig->results[k].type : op_result_type(op, k, (Type)d->type);
        ValueData data = {(uint8_t)type, VALUE_RESULT, (uint16_t)k, inst.i};
        if (!rd_define(r, &names[k].tok, names[k].number, data)) return false;
        list_push(f, &results, (Value){names[k].number});
    }
    inst_get(f, inst)->results = results;
    inst_append(f, inst, r->block);
    return true;
}

static bool rd_suffix(Reader *r, Type *suffix) {
    *suffix = T_none;
    return !rd_accept(r, '.') || rd_type(r, suffix);
}

static bool rd_inst(Reader *r, uint32_t srcloc, const ResultName *names, uint32_t n_names) {
    Tok tok = r->tok;
    if (tok.kind != TOK_WORD) {
        return rd_error(r, &tok, "expected an opcode, found '%.*s'", (int)tok.len, tok.s);
    }
    InstData d = {.srcloc = srcloc};
    Type suffix;
    int op = op_find(tok.s, tok.len);
    const Sugar *sugar = op < 0 ? sugar_find(tok.s, tok.len) : NULL;
    if (op < 0 && !sugar) {
        const char *why = ir_unsupported(tok.s, tok.len);
        if (why) return rd_skip(r, &tok, "opcode", why);
        return rd_error(r, &tok, "there is no opcode '%.*s'", (int)tok.len, tok.s);
    }
    rd_next(r);
    if (!rd_suffix(r, &suffix)) return false;
    if (sugar) return rd_sugar(r, &tok, sugar, suffix, srcloc, names, n_names);
    d.op = (uint16_t)op;
    if (op_info[op].suffix == SUFFIX_REQUIRED && !rd_control(r, &tok, (Op)op, d.args, suffix, &d.type)) return false;
    if (!rd_operands(r, &d)) return false;
    if (!rd_control(r, &tok, (Op)op, d.args, suffix, &d.type)) return false;
    if (tok_is(&r->tok, ',') && op_has((Op)op, OPF_call) && !op_has((Op)op, OPF_terminator)) {
        rd_next(r);
        if (!rd_stack_map(r, &d)) return false;
    }
    return rd_insert(r, &tok, &d, names, n_names);
}

static bool rd_alias(Reader *r, const Tok *tok, uint32_t number) {
    Func *f = r->f;
    Tok to_tok = r->tok;
    uint32_t to;
    if (!rd_entity(r, "v", &to)) return false;
    if (to >= f->values.n || f->values.v[to].kind == VALUE_GAP) {
        return rd_error(r, &to_tok, "v%u is not defined before its alias", (unsigned)to);
    }
    if (number < f->values.n && f->values.v[number].kind == VALUE_ALIAS && f->values.v[number].owner == to) return true;
    return rd_define(r, tok, number, (ValueData){f->values.v[to].type, VALUE_ALIAS, 0, to});
}

// One line of a block.
static bool rd_line(Reader *r) {
    VEC(ResultName) names = {0};
    uint32_t srcloc = NONE;
    r->line_tok = r->tok;
    if (!block_ok(r->block)) return rd_error(r, &r->tok, "an instruction before the first block");
    if (tok_is(&r->tok, '<')) return rd_skip(r, &r->tok, "debug tag", "debug tags");
    if (r->tok.kind == TOK_SRCLOC) {
        uint64_t x = 0;
        if (r->tok.len > 8) return rd_error(r, &r->tok, "a source location has at most 8 digits");
        for (uint32_t k = 0; k < r->tok.len; k++) {
            char c = r->tok.s[k];
            x = x << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        srcloc = (uint32_t)x;
        rd_next(r);
    }
    uint32_t number;
    while (tok_entity(&r->tok, "v", &number)) {
        Tok tok = r->tok;
        rd_next(r);
        if (r->tok.kind == TOK_ARROW && names.n == 0) {
            rd_next(r);
            return rd_alias(r, &tok, number);
        }
        vec_push(r->arena, &names, (ResultName){number, tok});
        if (!rd_accept(r, ',')) break;
    }
    if (names.n && !rd_expect(r, '=')) return false;
    return rd_inst(r, srcloc, names.v, names.n);
}

// ---- blocks -------------------------------------------------------------------------------------

static bool rd_block_header(Reader *r) {
    Func *f = r->f;
    Tok tok = r->tok;
    Block b;
    if (!rd_block(r, &b)) return false;
    if (block_get(f, b)->placed) return rd_error(r, &tok, "block%u is defined twice", (unsigned)b.i);
    block_append(f, b);
    block_get(f, b)->line = tok.line;
    r->block = b;
    if (rd_accept(r, '(') && !rd_accept(r, ')')) {
        ValueList params = {0, 0};
        do {
            Tok param = r->tok;
            uint32_t number;
            Type type;
            if (!rd_entity(r, "v", &number) || !rd_expect(r, ':') || !rd_type(r, &type)) return false;
            if (params.n > UINT16_MAX) return rd_error(r, &param, "more than %d block parameters", UINT16_MAX + 1);
            ValueData data = {(uint8_t)type, VALUE_PARAM, (uint16_t)params.n, b.i};
            if (!rd_define(r, &param, number, data)) return false;
            list_push(f, &params, (Value){number});
        } while (rd_accept(r, ','));
        block_get(f, b)->params = params;
        if (!rd_expect(r, ')')) return false;
    }
    block_get(f, b)->cold = rd_accept_word(r, "cold");
    return rd_expect(r, ':');
}

// After the last line: what was used must exist.
static void rd_body_check(Reader *r) {
    Func *f = r->f;
    if (r->broken) return;
    for (uint32_t k = 0; k < r->uses.n; k++) {
        Use use = r->uses.v[k];
        Tok tok = {.line = use.line, .col = use.col};
        if (f->values.v[use.value].kind == VALUE_GAP) {
            rd_error(r, &tok, "v%u is used but never defined", (unsigned)use.value);
        }
    }
    for (uint32_t b = 0; b < r->block_line.n; b++) {
        Tok tok = {.line = r->block_line.v[b]};
        if (tok.line && !f->blocks.v[b].placed) {
            rd_error(r, &tok, "block%u is used but never defined", (unsigned)b);
        }
    }
}

void rd_body(Reader *r) {
    uint32_t number;
    r->block = NO_BLOCK;
    while (r->tok.kind != TOK_END && !tok_is(&r->tok, '}')) {
        uint32_t line = r->tok.line;
        bool header = tok_entity(&r->tok, "block", &number);
        bool ok = header ? rd_block_header(r) : rd_line(r);
        if (ok) continue;
        if (r->skip) return;
        r->broken = true;
        while (r->tok.kind != TOK_END && r->tok.line == line && !tok_is(&r->tok, '}')) rd_next(r);
    }
    if (r->tok.kind == TOK_END) rd_error(r, &r->tok, "the function is not closed by '}'");
    rd_body_check(r);
}
