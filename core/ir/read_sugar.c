// Mnemonics that Cranelift removed in 2026 and older producers still print: each becomes a few instructions. Values
// that the text does not name get numbers above all that it does.
#include "ir/read_inst.h"

#include <string.h>

enum { SUGAR_IMM, SUGAR_IMM_FIRST, SUGAR_COMPARE, SUGAR_NOT, SUGAR_STACK_LOAD, SUGAR_STACK_STORE, SUGAR_GLOBAL };

static const Sugar sugars[] = {
    {"iadd_imm", SUGAR_IMM, OP_iadd},
    {"imul_imm", SUGAR_IMM, OP_imul},
    {"udiv_imm", SUGAR_IMM, OP_udiv},
    {"sdiv_imm", SUGAR_IMM, OP_sdiv},
    {"urem_imm", SUGAR_IMM, OP_urem},
    {"srem_imm", SUGAR_IMM, OP_srem},
    {"band_imm", SUGAR_IMM, OP_band},
    {"bor_imm", SUGAR_IMM, OP_bor},
    {"bxor_imm", SUGAR_IMM, OP_bxor},
    {"rotl_imm", SUGAR_IMM, OP_rotl},
    {"rotr_imm", SUGAR_IMM, OP_rotr},
    {"ishl_imm", SUGAR_IMM, OP_ishl},
    {"ushr_imm", SUGAR_IMM, OP_ushr},
    {"sshr_imm", SUGAR_IMM, OP_sshr},
    {"irsub_imm", SUGAR_IMM_FIRST, OP_isub},
    {"icmp_imm", SUGAR_COMPARE, OP_icmp},
    {"band_not", SUGAR_NOT, OP_band},
    {"bor_not", SUGAR_NOT, OP_bor},
    {"bxor_not", SUGAR_NOT, OP_bxor},
    {"stack_load", SUGAR_STACK_LOAD, OP_load},
    {"stack_store", SUGAR_STACK_STORE, OP_store},
    {"global_value", SUGAR_GLOBAL, OP_symbol_value},
};

enum { MAX_GLOBAL_CHAIN = 64 };

const Sugar *sugar_find(const char *name, uint32_t len) {
    for (unsigned k = 0; k < sizeof sugars / sizeof *sugars; k++) {
        if (strlen(sugars[k].name) == len && memcmp(sugars[k].name, name, len) == 0) return &sugars[k];
    }
    return NULL;
}

// A number for a value that the text does not name: the first call looks at the rest of the function.
static ResultName rd_temp(Reader *r, const Tok *tok) {
    if (r->temps == NONE) {
        Lexer rest = r->lex;
        rest.comment = NULL;
        rest.cur = r->line_tok.s;
        r->temps = r->f->values.n;
        for (Tok t = lexer_next(&rest); t.kind != TOK_END && !tok_is(&t, '}'); t = lexer_next(&rest)) {
            uint32_t number;
            if (tok_entity(&t, "v", &number) && number >= r->temps) r->temps = number + 1;
        }
    }
    return (ResultName){r->temps++, *tok};
}

// op(x, y) or op(x), of a type, to a name.
static bool rd_simple(Reader *r, const Tok *tok, InstData d, Op op, Type type, const Value *args, uint32_t n,
                      ResultName to) {
    d.op = (uint16_t)op;
    d.type = (uint8_t)type;
    d.args = list_new(r->f, args, n);
    return rd_insert(r, tok, &d, &to, 1);
}

static bool rd_const_temp(Reader *r, const Tok *tok, uint32_t srcloc, Type type, uint64_t bits, Value *v) {
    InstData d = {.srcloc = srcloc};
    ResultName to = rd_temp(r, tok);
    unsigned width = type_bits(type);
    d.imm = (int64_t)(width == 64 ? bits : bits & ((UINT64_C(1) << width) - 1));
    v->i = to.number;
    return rd_simple(r, tok, d, OP_iconst, type, NULL, 0, to);
}

// `x, imm`, with the condition of icmp_imm before it.
static bool rd_with_imm(Reader *r, const Tok *tok, const Sugar *sugar, Type suffix, uint32_t srcloc, ResultName to) {
    InstData d = {.srcloc = srcloc};
    uint8_t type;
    uint64_t imm;
    if (sugar->kind == SUGAR_COMPARE) {
        int code = icc_find(r->tok.s, r->tok.len);
        if (code < 0) return rd_error(r, &r->tok, "expected a condition of icmp");
        d.code = (uint8_t)code;
        rd_next(r);
    }
    if (!rd_values(r, &d, 1) || !rd_expect(r, ',')) return false;
    if (r->tok.kind != TOK_INT || !text_int64(r->tok.s, r->tok.len, &imm)) {
        return rd_error(r, &r->tok, "expected an integer");
    }
    rd_next(r);
    if (!rd_control(r, tok, (Op)sugar->op, d.args, suffix, &type)) return false;
    if (!type_is_int((Type)type)) return rd_error(r, tok, "%s has no type %s", sugar->name, type_name((Type)type));
    Value args[2] = {{r->f->pool.v[d.args.at]}, NO_VALUE};
    if (!rd_const_temp(r, tok, srcloc, (Type)type, imm, &args[1])) return false;
    if (sugar->kind == SUGAR_IMM_FIRST) {
        Value x = args[0];
        args[0] = args[1];
        args[1] = x;
    }
    return rd_simple(r, tok, d, (Op)sugar->op, (Type)type, args, 2, to);
}

static bool rd_with_not(Reader *r, const Tok *tok, const Sugar *sugar, Type suffix, uint32_t srcloc, ResultName to) {
    InstData d = {.srcloc = srcloc};
    uint8_t type;
    if (!rd_values(r, &d, 2) || !rd_control(r, tok, (Op)sugar->op, d.args, suffix, &type)) return false;
    Value args[2] = {{r->f->pool.v[d.args.at]}, {r->f->pool.v[d.args.at + 1]}};
    ResultName inverted = rd_temp(r, tok);
    if (!rd_simple(r, tok, (InstData){.srcloc = srcloc}, OP_bnot, (Type)type, &args[1], 1, inverted)) return false;
    args[1].i = inverted.number;
    return rd_simple(r, tok, d, (Op)sugar->op, (Type)type, args, 2, to);
}

static bool rd_stack_access(Reader *r, const Tok *tok, const Sugar *sugar, Type suffix, uint32_t srcloc,
                            const ResultName *names, uint32_t n_names) {
    bool store = sugar->kind == SUGAR_STACK_STORE;
    InstData d = {.op = sugar->op, .srcloc = srcloc, .memflags = MF_NOTRAP};
    InstData address = {.srcloc = srcloc};
    if (store && (!rd_values(r, &d, 1) || !rd_expect(r, ','))) return false;
    if (!rd_slot_ref(r, &address) || !rd_control(r, tok, (Op)sugar->op, d.args, suffix, &d.type)) return false;
    ResultName pointer = rd_temp(r, tok);
    if (!rd_simple(r, tok, address, OP_stack_addr, T_i64, NULL, 0, pointer)) return false;
    list_push(r->f, &d.args, (Value){pointer.number});
    return rd_insert(r, tok, &d, names, n_names);
}

// The address in a global value: its chain of loads and additions from vmctx or a symbol.
static bool rd_global_value(Reader *r, const Tok *tok, uint32_t srcloc, ResultName to) {
    Func *f = r->f;
    uint32_t chain[MAX_GLOBAL_CHAIN];
    uint32_t n = 0;
    uint32_t number;
    if (!rd_global_ref(r, &number)) return false;
    for (;; number = f->globals.v[number].base) {
        if (n == MAX_GLOBAL_CHAIN) return rd_error(r, tok, "a chain of more than %d global values", MAX_GLOBAL_CHAIN);
        chain[n++] = number;
        uint8_t kind = f->globals.v[number].kind;
        if (kind != GV_LOAD && kind != GV_IADD_IMM) break;
    }
    Value at = NO_VALUE;
    while (n--) {
        const GlobalValue *gv = &f->globals.v[chain[n]];
        InstData d = {.srcloc = srcloc, .ref = gv->kind == GV_SYMBOL ? chain[n] : 0};
        Type type = (Type)gv->type;
        if (gv->kind == GV_VMCTX) {
            for (uint32_t k = 0; k < f->sig.n_params && k < block_get(f, f->first)->params.n; k++) {
                if (f->sig.params[k].purpose == PURPOSE_VMCTX) at = block_param(f, f->first, k);
            }
            if (!value_ok(at)) return rd_error(r, tok, "the function has no vmctx parameter");
            if (n) continue;
            return rd_define(r, &to.tok, to.number, (ValueData){f->values.v[at.i].type, VALUE_ALIAS, 0, at.i});
        }
        ResultName name = n ? rd_temp(r, tok) : to;
        Value args[2] = {at, NO_VALUE};
        if (gv->kind == GV_LOAD) {
            d.memflags = gv->memflags;
            d.imm = gv->offset;
            if (!rd_simple(r, tok, d, OP_load, type, args, 1, name)) return false;
        } else if (gv->kind == GV_SYMBOL) {
            if (!rd_simple(r, tok, d, OP_symbol_value, type, NULL, 0, name)) return false;
        } else if (!rd_const_temp(r, tok, srcloc, type, (uint64_t)gv->offset, &args[1]) ||
                   !rd_simple(r, tok, d, OP_iadd, type, args, 2, name)) {
            return false;
        }
        at.i = name.number;
    }
    return true;
}

bool rd_sugar(Reader *r, const Tok *tok, const Sugar *sugar, Type suffix, uint32_t srcloc, const ResultName *names,
              uint32_t n_names) {
    if (sugar->kind == SUGAR_STACK_LOAD || sugar->kind == SUGAR_STACK_STORE) {
        return rd_stack_access(r, tok, sugar, suffix, srcloc, names, n_names);
    }
    if (n_names != 1) return rd_error(r, tok, "%s gives 1 result, %u are named", sugar->name, (unsigned)n_names);
    if (sugar->kind == SUGAR_GLOBAL) return rd_global_value(r, tok, srcloc, names[0]);
    if (sugar->kind == SUGAR_NOT) return rd_with_not(r, tok, sugar, suffix, srcloc, names[0]);
    return rd_with_imm(r, tok, sugar, suffix, srcloc, names[0]);
}
