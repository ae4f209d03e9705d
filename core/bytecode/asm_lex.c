// Tokens of .vita text.
//
//   name     [A-Za-z_$][A-Za-z0-9_$]* or `any text`, then perhaps %[A-Za-z0-9_]*; or that suffix alone
//   integer  digits or 0x digits, with _ between        float  digits with . or an exponent
//   string   "..." with \n \t \r \0 \\ \" \` \xHH        comment  ; or // to the end of the line
//
// The %suffix belongs to the text only: `f%2` is written to the file as f, `%2` as no name. It lets every module be
// written down, also one with equal or missing names.
#include <ctype.h>
#include <string.h>

#include "bytecode/asm.h"
#include "support/buf.h"

typedef struct Lexer {
    Asm *a;
    const char *at;
    const char *end;
    const char *line_start;
    uint32_t line;
    VEC(Tok) toks;
} Lexer;

static char peek(const Lexer *l, size_t k) {
    if ((size_t)(l->end - l->at) <= k) return '\0';
    return l->at[k];
}
static bool name_start(char c) { return isalpha((unsigned char)c) || c == '_' || c == '$'; }
static bool name_char(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$'; }

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The content between two quotes, escapes resolved; at the opening quote.
static void quoted(Lexer *l, Tok *tok) {
    Buf out = buf_new(l->a->arena);
    char quote = *l->at++;
    while (l->at < l->end && *l->at != quote && *l->at != '\n') {
        char c = *l->at++;
        if (c == '\\' && l->at < l->end) {
            static const char from[] = "ntr0\\\"`";
            static const char to[] = {'\n', '\t', '\r', 0, '\\', '"', '`'};
            char escape = *l->at++;
            const char *known = escape ? strchr(from, escape) : NULL;
            if (escape == 'x' && hex_digit(peek(l, 0)) >= 0 && hex_digit(peek(l, 1)) >= 0) {
                c = (char)(hex_digit(l->at[0]) << 4 | hex_digit(l->at[1]));
                l->at += 2;
            } else if (known) {
                c = to[known - from];
            } else {
                asm_bad(l->a, tok, "unknown escape in the string");
            }
        }
        buf_char(&out, c);
    }
    if (peek(l, 0) == quote) l->at++;
    else asm_bad(l->a, tok, "the string does not end on its line");
    tok->len = out.bytes.n;
    tok->text = buf_str(&out);
}

static void number(Lexer *l, Tok *tok) {
    const char *start = l->at;
    tok->kind = TOK_INT;
    tok->hex = peek(l, 0) == '0' && tolower((unsigned char)peek(l, 1)) == 'x' && hex_digit(peek(l, 2)) >= 0;
    if (tok->hex) l->at += 2;
    unsigned base = tok->hex ? 16 : 10;
    for (; l->at < l->end; l->at++) {
        if (*l->at == '_') continue;
        int digit = hex_digit(*l->at);
        if (digit < 0 || digit >= (int)base) break;
        if (tok->value > (UINT64_MAX - (unsigned)digit) / base) tok->too_big = true;
        tok->value = tok->value * base + (unsigned)digit;
    }
    if (!tok->hex) {
        if (peek(l, 0) == '.' && isdigit((unsigned char)peek(l, 1))) {
            tok->kind = TOK_FLOAT;
            for (l->at++; isdigit((unsigned char)peek(l, 0));) l->at++;
        }
        size_t sign = peek(l, 1) == '-' || peek(l, 1) == '+';
        if (tolower((unsigned char)peek(l, 0)) == 'e' && isdigit((unsigned char)peek(l, 1 + sign))) {
            tok->kind = TOK_FLOAT;
            for (l->at += 1 + sign; isdigit((unsigned char)peek(l, 0));) l->at++;
        }
    }
    tok->text = start;
    tok->len = (uint32_t)(l->at - start);
}

static void name(Lexer *l, Tok *tok) {
    tok->kind = TOK_NAME;
    const char *start = l->at;
    if (*l->at == '`') {
        quoted(l, tok);
        tok->quoted = true;
    } else {
        while (l->at < l->end && name_char(*l->at)) l->at++;
        tok->text = start;
        tok->len = (uint32_t)(l->at - start);
    }
    if (peek(l, 0) != '%') return;
    const char *suffix = l->at++;
    while (l->at < l->end && (name_char(*l->at))) l->at++;
    // Content and suffix in one spelling; a NUL keeps them apart, as no name contains one.
    tok->text = arena_printf(l->a->arena, "%.*s%c%.*s", (int)tok->len, tok->text, 0, (int)(l->at - suffix), suffix);
    tok->len += 1 + (uint32_t)(l->at - suffix);
}

static void skip_blank(Lexer *l) {
    while (l->at < l->end && (*l->at == ' ' || *l->at == '\t' || *l->at == '\r')) l->at++;
    if (peek(l, 0) == ';' || (peek(l, 0) == '/' && peek(l, 1) == '/')) {
        while (l->at < l->end && *l->at != '\n') l->at++;
    }
}

static Tok next(Lexer *l) {
    skip_blank(l);
    Tok tok = {.kind = TOK_PUNCT, .line = l->line, .col = (uint32_t)(l->at - l->line_start) + 1, .len = 1};
    tok.text = l->at;
    if (l->at == l->end) {
        tok.kind = TOK_END;
        tok.len = 0;
        return tok;
    }
    char c = *l->at;
    if (c == '\n') {
        l->at++;
        l->line++;
        l->line_start = l->at;
        tok.kind = TOK_NEWLINE;
    } else if (c == '"') {
        tok.kind = TOK_STRING;
        quoted(l, &tok);
    } else if (name_start(c) || c == '`' || c == '%') {
        name(l, &tok);
    } else if (isdigit((unsigned char)c)) {
        number(l, &tok);
    } else {
        tok.punct = c;
        l->at++;
        if (!strchr(".,:=(){}[]@+->", c) || !c) asm_bad(l->a, &tok, "unexpected character");
    }
    return tok;
}

const Tok *asm_lex(Asm *a, const char *text, size_t len) {
    Lexer l = {.a = a, .at = text, .end = text + len, .line_start = text, .line = 1};
    for (;;) {
        Tok tok = next(&l);
        if (tok.kind == TOK_END)
            vec_push(a->scratch, &l.toks, (Tok){.kind = TOK_NEWLINE, .line = tok.line, .text = ""});
        vec_push(a->scratch, &l.toks, tok);
        if (tok.kind == TOK_END) return l.toks.v;
    }
}
