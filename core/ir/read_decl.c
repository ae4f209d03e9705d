// Reading signatures and preambles. See read_internal.h.
#include "ir/read_internal.h"

#include <string.h>

// ---- signatures ---------------------------------------------------------------------------------

static bool rd_param(Reader *r, AbiParam *param) {
    Type type;
    if (!rd_type(r, &type)) return false;
    *param = (AbiParam){.type = (uint8_t)type};
    for (;;) {
        if (rd_accept_word(r, "uext")) {
            param->ext = EXT_UEXT;
        } else if (rd_accept_word(r, "sext")) {
            param->ext = EXT_SEXT;
        } else if (rd_accept_word(r, "sret")) {
            param->purpose = PURPOSE_SRET;
        } else if (rd_accept_word(r, "vmctx")) {
            param->purpose = PURPOSE_VMCTX;
        } else if (rd_accept_word(r, "normal")) {
            param->purpose = PURPOSE_NORMAL;
        } else if (rd_accept_word(r, "sarg")) {
            param->purpose = PURPOSE_SARG;
            if (!rd_expect(r, '(') || !rd_u32(r, &param->sarg_size) || !rd_expect(r, ')')) return false;
        } else {
            return true;
        }
    }
}

static bool rd_params(Reader *r, AbiParam **params, uint32_t *n) {
    VEC(AbiParam) list = {0};
    do {
        AbiParam param;
        if (!rd_param(r, &param)) return false;
        vec_push(r->arena, &list, param);
    } while (rd_accept(r, ','));
    if (list.n > UINT16_MAX) return rd_error(r, &r->tok, "more than %d parameters", UINT16_MAX);
    *params = list.v;
    *n = list.n;
    return true;
}

bool rd_signature(Reader *r, Sig *sig) {
    *sig = (Sig){.conv = (uint8_t)r->conv, .declared = true};
    if (!rd_expect(r, '(')) return false;
    if (!tok_is(&r->tok, ')') && !rd_params(r, &sig->params, &sig->n_params)) return false;
    if (!rd_expect(r, ')')) return false;
    if (r->tok.kind == TOK_ARROW) {
        rd_next(r);
        if (!rd_params(r, &sig->results, &sig->n_results)) return false;
    }
    for (unsigned k = 0; k < N_CONVS; k++) {
        if (rd_accept_word(r, conv_name[k])) {
            sig->conv = (uint8_t)k;
            break;
        }
    }
    return true;
}

// ---- memory flags -------------------------------------------------------------------------------

static const struct {
    const char *name;
    uint8_t flag;
} flag_names[] = {{"notrap", MF_NOTRAP},     {"aligned", MF_ALIGNED}, {"readonly", MF_READONLY},
                  {"can_move", MF_CAN_MOVE}, {"little", MF_LITTLE},   {"big", MF_BIG}};

bool rd_memflags(Reader *r, uint8_t *flags, uint8_t *code, uint8_t *region) {
    for (;;) {
        bool found = false;
        for (unsigned k = 0; k < sizeof flag_names / sizeof *flag_names && !found; k++) {
            found = rd_accept_word(r, flag_names[k].name);
            if (found) *flags |= flag_names[k].flag;
        }
        if (found) continue;
        if (r->tok.kind != TOK_WORD) break;
        uint32_t number;
        uint8_t trap = text_trap(r->tok.s, r->tok.len);
        if (trap) {
            *code = trap == TRAP_heap_oob ? 0 : trap;
        } else if (tok_entity(&r->tok, "region", &number)) {
            if (number >= r->f->regions.n) return rd_error(r, &r->tok, "region%u is not declared", (unsigned)number);
            if (*region) return rd_error(r, &r->tok, "more than one alias region");
            *region = (uint8_t)(number + 1);
        } else {
            break;
        }
        rd_next(r);
    }
    if ((*flags & MF_LITTLE) && (*flags & MF_BIG)) return rd_error(r, &r->tok, "both little and big");
    return true;
}

// ---- declarations -------------------------------------------------------------------------------

// Makes room for entity `number` in a table and tells whether it is new.
#define RD_SLOT(r, tok, table, number)                                                                                 \
    (rd_pay((r), (tok), (table)->n, (number)) &&                                                                       \
     ((number) < (table)->n || vec_extend((r)->arena, (table), (number) - (table)->n + 1)))

static bool rd_slot(Reader *r, const Tok *tok, uint32_t number) {
    Func *f = r->f;
    StackSlot slot = {.align = 1, .declared = true};
    if (tok_word(&r->tok, "explicit_dynamic_slot")) return rd_skip(r, &r->tok, "declaration", "dynamic vectors");
    if (!rd_accept_word(r, "explicit_slot")) return rd_error(r, &r->tok, "expected 'explicit_slot'");
    if (!rd_u32(r, &slot.size)) return false;
    while (rd_accept(r, ',')) {
        bool key = rd_accept_word(r, "key");
        if (!key && !rd_accept_word(r, "align")) return rd_error(r, &r->tok, "expected 'align' or 'key'");
        if (!rd_expect(r, '=')) return false;
        if (key) {
            slot.has_key = true;
            if (r->tok.kind != TOK_INT || !text_int64(r->tok.s, r->tok.len, &slot.key)) {
                return rd_error(r, &r->tok, "expected a number");
            }
            rd_next(r);
        } else if (!rd_u32(r, &slot.align) || slot.align == 0 || (slot.align & (slot.align - 1))) {
            return rd_error(r, &r->tok, "an alignment is a power of two");
        }
    }
    if (!RD_SLOT(r, tok, &f->slots, number)) return false;
    if (f->slots.v[number].declared) return rd_error(r, tok, "ss%u is declared twice", (unsigned)number);
    f->slots.v[number] = slot;
    return true;
}

static bool rd_global_body(Reader *r, GlobalValue *gv) {
    Type type = T_i64;
    uint8_t code = 0;
    uint8_t region = 0;
    gv->type = T_i64;
    if (rd_accept_word(r, "vmctx")) {
        gv->kind = GV_VMCTX;
        return true;
    }
    if (rd_accept_word(r, "load")) {
        gv->kind = GV_LOAD;
        if (!rd_expect(r, '.') || !rd_type(r, &type) || !rd_memflags(r, &gv->memflags, &code, &region) ||
            !rd_entity(r, "gv", &gv->base) || !rd_offset(r, &gv->offset)) {
            return false;
        }
    } else if (rd_accept_word(r, "iadd_imm")) {
        gv->kind = GV_IADD_IMM;
        if (!rd_expect(r, '.') || !rd_type(r, &type) || !rd_entity(r, "gv", &gv->base) || !rd_expect(r, ',')) {
            return false;
        }
        uint64_t x;
        if (r->tok.kind != TOK_INT || !text_int64(r->tok.s, r->tok.len, &x)) {
            return rd_error(r, &r->tok, "expected a number");
        }
        gv->offset = (int64_t)x;
        rd_next(r);
    } else if (rd_accept_word(r, "symbol")) {
        gv->kind = GV_SYMBOL;
        gv->colocated = rd_accept_word(r, "colocated");
        if (tok_word(&r->tok, "tls")) return rd_skip(r, &r->tok, "symbol", "thread-local storage");
        if (!rd_name(r, &gv->name) || !rd_offset(r, &gv->offset)) return false;
    } else if (tok_word(&r->tok, "dyn_scale_target_const")) {
        return rd_skip(r, &r->tok, "global value", "dynamic vectors");
    } else {
        return rd_error(r, &r->tok, "expected vmctx, load, iadd_imm or symbol");
    }
    gv->type = (uint8_t)type;
    return true;
}

static bool rd_global(Reader *r, const Tok *tok, uint32_t number) {
    GlobalValue gv = {0};
    if (!rd_global_body(r, &gv) || !RD_SLOT(r, tok, &r->f->globals, number)) return false;
    if (r->f->globals.v[number].kind != GV_GAP) return rd_error(r, tok, "gv%u is declared twice", (unsigned)number);
    r->f->globals.v[number] = gv;
    return true;
}

static bool rd_sig(Reader *r, const Tok *tok, uint32_t number) {
    Sig sig;
    if (!rd_signature(r, &sig) || !RD_SLOT(r, tok, &r->f->sigs, number)) return false;
    if (r->f->sigs.v[number].declared) return rd_error(r, tok, "sig%u is declared twice", (unsigned)number);
    r->f->sigs.v[number] = sig;
    return true;
}

static bool rd_func_decl(Reader *r, const Tok *tok, uint32_t number) {
    Func *f = r->f;
    ExtFunc func = {.declared = true};
    uint32_t n;
    for (;;) {
        if (rd_accept_word(r, "colocated")) {
            func.colocated = true;
        } else if (rd_accept_word(r, "patchable")) {
            func.patchable = true;
        } else {
            break;
        }
    }
    if (tok_entity(&r->tok, "userextname", &n)) return rd_error(r, &r->tok, "userextname%u is not declared", n);
    if (!rd_name(r, &func.name)) return false;
    if (tok_is(&r->tok, '(')) {
        Sig sig;
        if (!rd_signature(r, &sig)) return false;
        func.sig = f->sigs.n; // an inline signature takes the next free number
        vec_push(r->arena, &f->sigs, sig);
    } else if (!rd_entity(r, "sig", &func.sig)) {
        return false;
    }
    if (!RD_SLOT(r, tok, &f->funcs, number)) return false;
    if (f->funcs.v[number].declared) return rd_error(r, tok, "fn%u is declared twice", (unsigned)number);
    f->funcs.v[number] = func;
    return true;
}

static bool rd_const(Reader *r, const Tok *tok, uint32_t number) {
    if (r->tok.kind == TOK_WORD) {
        Type type;
        return rd_type(r, &type) && rd_skip(r, tok, "constant", "typed constants");
    }
    VEC(uint8_t) digits = {0};
    if (r->tok.kind != TOK_INT || r->tok.len < 4 || memcmp(r->tok.s, "0x", 2) != 0) {
        return rd_error(r, &r->tok, "expected 0x and an even number of digits");
    }
    for (uint32_t k = 2; k < r->tok.len; k++) {
        char c = r->tok.s[k];
        if (c == '_') continue;
        const char *found = strchr("0123456789abcdef", c | 0x20);
        if (c < '0' || !found) return rd_error(r, &r->tok, "wrong hexadecimal digit");
        vec_push(r->arena, &digits, (uint8_t)(found - "0123456789abcdef"));
    }
    if (digits.n % 2 || digits.n == 0 || digits.n > 32) {
        return rd_error(r, &r->tok, "expected an even number of digits, at most 32");
    }
    uint32_t n = digits.n / 2;
    uint8_t *bytes = NEW_ARRAY(r->arena, uint8_t, n);
    for (size_t k = 0; k < n; k++) bytes[n - 1 - k] = (uint8_t)(digits.v[2 * k] << 4 | digits.v[2 * k + 1]);
    rd_next(r);
    if (!RD_SLOT(r, tok, &r->f->consts, number)) return false;
    if (r->f->consts.v[number].declared) return rd_error(r, tok, "const%u is declared twice", (unsigned)number);
    r->f->consts.v[number] = (ConstData){bytes, n, true};
    return true;
}

static bool rd_region(Reader *r, const Tok *tok, uint32_t number) {
    Region region;
    if (number != r->f->regions.n) return rd_error(r, tok, "regions are declared in the order region0, region1, ...");
    if (number > 253) return rd_error(r, tok, "more than 254 alias regions");
    if (!rd_u32(r, &region.id)) return false;
    if (r->tok.kind != TOK_STRING) return rd_error(r, &r->tok, "expected a string");
    region.text = arena_text(r->arena, r->tok.s, r->tok.len);
    rd_next(r);
    vec_push(r->arena, &r->f->regions, region);
    return true;
}

static bool rd_decl(Reader *r) {
    static const struct {
        const char *prefix;
        bool (*read)(Reader *r, const Tok *tok, uint32_t number);
    } kinds[] = {{"ss", rd_slot},      {"gv", rd_global},   {"sig", rd_sig},
                 {"fn", rd_func_decl}, {"const", rd_const}, {"region", rd_region}};
    Tok tok = r->tok;
    uint32_t number;
    if (rd_accept_word(r, "stack_limit")) {
        if (!rd_expect(r, '=')) return false;
        if (r->f->stack_limit != NONE) return rd_error(r, &tok, "stack_limit is declared twice");
        return rd_entity(r, "gv", &r->f->stack_limit);
    }
    if (tok_entity(&tok, "dss", &number) || tok_entity(&tok, "dt", &number)) {
        return rd_skip(r, &tok, "declaration", "dynamic vectors");
    }
    for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        if (!tok_entity(&tok, kinds[k].prefix, &number)) continue;
        rd_next(r);
        return rd_expect(r, '=') && kinds[k].read(r, &tok, number);
    }
    return rd_error(r, &tok, "expected a declaration or a block, found '%.*s'", (int)tok.len, tok.s);
}

void rd_preamble(Reader *r) {
    uint32_t number;
    while (r->tok.kind != TOK_END && !tok_is(&r->tok, '}') && !tok_entity(&r->tok, "block", &number)) {
        uint32_t line = r->tok.line;
        if (rd_decl(r)) continue;
        if (r->skip) return;
        r->broken = true;
        while (r->tok.kind != TOK_END && r->tok.line == line && !tok_is(&r->tok, '}')) rd_next(r);
    }
}

bool rd_decl_check(Reader *r) {
    Func *f = r->f;
    Tok here = {.line = f->line, .col = 1};
    bool ok = true;
    if (r->broken) return true;
    for (uint32_t k = 0; k < f->funcs.n; k++) {
        const ExtFunc *func = &f->funcs.v[k];
        if (!func->declared || (func->sig < f->sigs.n && f->sigs.v[func->sig].declared)) continue;
        ok = rd_error(r, &here, "fn%u has sig%u, which is not declared", (unsigned)k, (unsigned)func->sig);
    }
    for (uint32_t k = 0; k < f->globals.n; k++) {
        const GlobalValue *gv = &f->globals.v[k];
        if (gv->kind != GV_LOAD && gv->kind != GV_IADD_IMM) continue;
        if (gv->base < f->globals.n && f->globals.v[gv->base].kind != GV_GAP) continue;
        ok = rd_error(r, &here, "gv%u uses gv%u, which is not declared", (unsigned)k, (unsigned)gv->base);
    }
    if (f->stack_limit != NONE && (f->stack_limit >= f->globals.n || f->globals.v[f->stack_limit].kind == GV_GAP)) {
        ok = rd_error(r, &here, "stack_limit is gv%u, which is not declared", (unsigned)f->stack_limit);
    }
    return ok;
}
