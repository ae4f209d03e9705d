// Reading CLIF text: the file and its functions. See read_internal.h.
#include "ir/read_internal.h"

#include <string.h>

enum { MAX_ENTITY = 16 << 20 };

void rd_next(Reader *r) { r->tok = lexer_next(&r->lex); }

bool rd_error(Reader *r, const Tok *tok, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    diag_error_v(r->ctx, (Place){r->file->file, tok->line, tok->col}, fmt, args);
    va_end(args);
    r->failed = true;
    return false;
}

bool rd_skip(Reader *r, const Tok *tok, const char *what, const char *why) {
    if (!r->skip) {
        r->skip = arena_printf(r->arena, "%s %.*s: %s", what, (int)tok->len, tok->s, why);
        r->skip_place = (Place){r->file->file, tok->line, tok->col};
    }
    return false;
}

// What stands there, for messages.
static const char *rd_found(Reader *r) {
    if (r->tok.kind == TOK_END) return "the end of the text";
    uint32_t len = r->tok.len < 40 ? r->tok.len : 40;
    return arena_printf(r->arena, "'%.*s'", (int)len, r->tok.s);
}

bool rd_accept(Reader *r, char c) {
    if (!tok_is(&r->tok, c)) return false;
    rd_next(r);
    return true;
}

bool rd_expect(Reader *r, char c) {
    return rd_accept(r, c) || rd_error(r, &r->tok, "expected '%c', found %s", c, rd_found(r));
}

bool rd_accept_word(Reader *r, const char *word) {
    if (!tok_word(&r->tok, word)) return false;
    rd_next(r);
    return true;
}

bool rd_pay(Reader *r, const Tok *tok, uint32_t n, uint32_t number) {
    if (number < n) return true;
    uint32_t more = number - n + 1;
    if (number >= MAX_ENTITY || more > r->budget) {
        return rd_error(r, tok, "the number %u is too large for a text of this length", (unsigned)number);
    }
    r->budget -= more;
    return true;
}

bool rd_u32(Reader *r, uint32_t *value) {
    if (r->tok.kind != TOK_INT || !text_u32(r->tok.s, r->tok.len, value)) {
        return rd_error(r, &r->tok, "expected a number below 2^32, found %s", rd_found(r));
    }
    rd_next(r);
    return true;
}

bool rd_offset(Reader *r, int64_t *offset) {
    *offset = 0;
    if (r->tok.kind != TOK_INT || (r->tok.s[0] != '+' && r->tok.s[0] != '-')) return true;
    uint64_t x;
    if (!text_int64(r->tok.s, r->tok.len, &x) || (int64_t)x < INT32_MIN || (int64_t)x > INT32_MAX) {
        return rd_error(r, &r->tok, "the offset %s is not in the range of 32 bits", rd_found(r));
    }
    *offset = (int64_t)x;
    rd_next(r);
    return true;
}

bool rd_entity(Reader *r, const char *prefix, uint32_t *number) {
    if (!tok_entity(&r->tok, prefix, number)) {
        return rd_error(r, &r->tok, "expected %sN, found %s", prefix, rd_found(r));
    }
    rd_next(r);
    return true;
}

// %name or uN:M.
bool rd_name(Reader *r, ExtName *name) {
    if (r->tok.kind == TOK_NAME) {
        *name = (ExtName){.kind = NAME_TEXT, .text = arena_text(r->arena, r->tok.s, r->tok.len)};
        rd_next(r);
        return true;
    }
    *name = (ExtName){.kind = NAME_USER};
    if (!tok_entity(&r->tok, "u", &name->space)) {
        return rd_error(r, &r->tok, "expected a name (%%name or uN:M), found %s", rd_found(r));
    }
    rd_next(r);
    return rd_expect(r, ':') && rd_u32(r, &name->index);
}

// Vector types are scalars, an x and a number.
static bool is_vector_type(const Tok *tok) {
    const char *x = memchr(tok->s, 'x', tok->len);
    if (!x) return false;
    uint32_t len = (uint32_t)(x - tok->s);
    Tok lanes = {TOK_WORD, x, tok->len - len, 0, 0};
    uint32_t n;
    return (type_find(tok->s, len) > 0 || ir_unsupported(tok->s, len)) && tok_entity(&lanes, "x", &n);
}

bool rd_type(Reader *r, Type *type) {
    Tok tok = r->tok;
    int found = tok.kind == TOK_WORD ? type_find(tok.s, tok.len) : -1;
    uint32_t n;
    if (found > 0) {
        *type = (Type)found;
        rd_next(r);
        return true;
    }
    if (tok.kind == TOK_WORD) {
        if (is_vector_type(&tok)) return rd_skip(r, &tok, "type", "vectors");
        if (tok_entity(&tok, "dt", &n)) return rd_skip(r, &tok, "type", "dynamic vectors");
        const char *why = tok.len <= 4 ? ir_unsupported(tok.s, tok.len) : NULL;
        if (why) return rd_skip(r, &tok, "type", why);
    }
    return rd_error(r, &tok, "expected a type, found %s", rd_found(r));
}

// ---- functions ----------------------------------------------------------------------------------

// Braces appear nowhere inside a function, so the next closing one ends it.
static void rd_leave_function(Reader *r) {
    while (r->tok.kind != TOK_END && !tok_is(&r->tok, '}') && !tok_word(&r->tok, "function")) rd_next(r);
    rd_accept(r, '}');
}

static void rd_function(Reader *r) {
    Func *f = func_new_in(r->arena);
    Tok start = r->tok;
    r->func = r->func == NONE ? 0 : r->func + 1;
    r->f = f;
    r->skip = NULL;
    r->failed = false;
    r->broken = false;
    r->temps = NONE;
    r->uses.n = 0;
    r->block_line.n = 0;
    f->file = r->file->file;
    f->line = start.line;
    rd_next(r);
    if (rd_name(r, &f->name) && rd_signature(r, &f->sig) && rd_expect(r, '{')) {
        rd_preamble(r);
        if (!r->skip && rd_decl_check(r)) rd_body(r);
    }
    rd_leave_function(r);
    if (r->skip) {
        vec_push(r->arena, &r->file->skipped, (IrSkipped){f->name, r->skip_place, r->skip});
        vec_push(r->arena, &r->file->funcs, NULL);
    } else {
        vec_push(r->arena, &r->file->funcs, f);
    }
}

static void rd_header(Reader *r) {
    while (tok_word(&r->tok, "test") || tok_word(&r->tok, "set") || tok_word(&r->tok, "target") ||
           tok_word(&r->tok, "feature")) {
        uint32_t line = r->tok.line;
        uint32_t len;
        const char *text = lexer_line(&r->lex, &r->tok, &len);
        vec_push(r->arena, &r->file->header, (TextLine){arena_text(r->arena, text, len), line});
        rd_next(r);
    }
}

static void rd_comment(void *arg, const char *text, uint32_t len, uint32_t line) {
    Reader *r = arg;
    vec_push(r->arena, &r->file->comments, (TextLine){arena_text(r->arena, text, len), line});
    vec_push(r->arena, &r->file->comment_func, r->func);
}

// Functions were numbered with the skipped ones (NULL) among them; now these leave, and comments follow.
static void rd_renumber(Reader *r) {
    IrFile *file = r->file;
    uint32_t *to = NEW_ARRAY(r->arena, uint32_t, file->funcs.n);
    uint32_t n = 0;
    uint32_t skipped = 0;
    for (uint32_t k = 0; k < file->funcs.n; k++) {
        to[k] = file->funcs.v[k] ? n : skipped;
        if (file->funcs.v[k]) {
            n++;
        } else {
            skipped++;
        }
    }
    for (uint32_t k = 0; k < file->comment_func.n; k++) {
        uint32_t func = file->comment_func.v[k];
        bool there = func == NONE || file->funcs.v[func] != NULL;
        vec_push(r->arena, &file->comment_skipped, there ? NONE : to[func]);
        file->comment_func.v[k] = func == NONE || !there ? NONE : to[func];
    }
    n = 0;
    for (uint32_t k = 0; k < file->funcs.n; k++) {
        if (file->funcs.v[k]) file->funcs.v[n++] = file->funcs.v[k];
    }
    file->funcs.n = n;
}

static Reader reader_new(Arena *arena, const char *file, const char *text, size_t len, CallConv conv) {
    Ctx *ctx = arena_ctx(arena);
    if (len > UINT32_MAX - 1) ctx_fail(ctx, VTR_ERR_LIMIT, "a text of more than 4 GiB");
    Reader r = {.ctx = ctx, .arena = arena, .conv = conv, .func = NONE};
    r.file = NEW(arena, IrFile);
    r.file->file = file ? arena_text(arena, file, strlen(file)) : NULL;
    r.budget = (uint64_t)len * 64 + 4096;
    r.lex = lexer_new(text, len);
    return r;
}

Sig ir_read_signature(Arena *arena, const char *file, const char *text, CallConv default_conv) {
    Reader r = reader_new(arena, file, text, strlen(text), default_conv);
    Sig sig;
    rd_next(&r);
    bool right = rd_signature(&r, &sig);
    if (r.skip) {
        diag_error(r.ctx, r.skip_place, "unsupported: %s", r.skip);
        ctx_throw(r.ctx, VTR_ERR_UNSUPPORTED);
    }
    if (right && r.tok.kind != TOK_END) right = rd_error(&r, &r.tok, "expected the end of the signature");
    if (!right) ctx_throw(r.ctx, VTR_ERR_INPUT);
    return sig;
}

IrFile *ir_read(Arena *arena, const char *file, const char *text, size_t len, CallConv default_conv) {
    Ctx *ctx = arena_ctx(arena);
    size_t errors = diag_count(ctx);
    Reader r = reader_new(arena, file, text, len, default_conv);
    r.lex.comment = rd_comment;
    r.lex.arg = &r;
    rd_next(&r);
    rd_header(&r);
    while (r.tok.kind != TOK_END) {
        if (tok_word(&r.tok, "function")) {
            rd_function(&r);
            continue;
        }
        rd_error(&r, &r.tok, "expected 'function', found %s", rd_found(&r));
        while (r.tok.kind != TOK_END && !tok_word(&r.tok, "function")) rd_next(&r);
    }
    if (diag_count(ctx) > errors) ctx_throw(ctx, VTR_ERR_INPUT);
    rd_renumber(&r);
    return r.file;
}
