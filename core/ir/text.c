#include "ir/text.h"

#include <ctype.h>
#include <string.h>

#include "support/bits.h"

// ---- tokens -------------------------------------------------------------------------------------

Lexer lexer_new(const char *text, size_t len) {
    return (Lexer){.cur = text, .end = text + len, .line_start = text, .line = 1};
}

static int at(const Lexer *x, size_t k) { return (size_t)(x->end - x->cur) > k ? (unsigned char)x->cur[k] : -1; }

static bool starts(const Lexer *x, size_t k, const char *word) {
    size_t n = strlen(word);
    return (size_t)(x->end - x->cur) >= k + n && memcmp(x->cur + k, word, n) == 0;
}

static bool is_word(int c) { return c >= 0 && (isalnum(c) || c == '_'); }

// Skips blanks and comments.
static void skip_blanks(Lexer *x) {
    while (x->cur < x->end) {
        char c = *x->cur;
        if (c == '\n') {
            x->line++;
            x->line_start = ++x->cur;
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            x->cur++;
        } else if (c == ';') {
            const char *from = x->cur;
            const char *stop = memchr(from, '\n', (size_t)(x->end - from));
            x->cur = stop ? stop : x->end;
            const char *to = x->cur;
            if (to > from && to[-1] == '\r') to--;
            if (x->comment) x->comment(x->arg, from, (uint32_t)(to - from), x->line);
        } else {
            return;
        }
    }
}

// Does a number start here? A sign counts only when it is followed by something that can start a number.
static bool number_starts(const Lexer *x) {
    int c = at(x, 0);
    if (c >= '0' && c <= '9') return true;
    if (starts(x, 0, "NaN") || starts(x, 0, "Inf")) return true;
    if (c != '+' && c != '-') return false;
    int d = at(x, 1);
    if (c == '-' && d == '>') return false;
    return (d >= '0' && d <= '9') || d == '.' || starts(x, 1, "NaN") || starts(x, 1, "Inf") || starts(x, 1, "sNaN");
}

static void scan_number(Lexer *x, Tok *tok) {
    size_t sign = at(x, 0) == '+' || at(x, 0) == '-';
    bool nan = starts(x, sign, "NaN") || starts(x, sign, "sNaN");
    bool is_float = nan || starts(x, sign, "Inf");
    x->cur += sign;
    while (is_word(at(x, 0)) || at(x, 0) == '.' || at(x, 0) == '-' || (nan && at(x, 0) == ':')) {
        if (at(x, 0) == '-' && at(x, 1) == '>') break;
        if (*x->cur == '.') is_float = true;
        if (*x->cur == ':') nan = false;
        x->cur++;
    }
    tok->kind = is_float ? TOK_FLOAT : TOK_INT;
    tok->len = (uint32_t)(x->cur - tok->s);
}

static void scan_string(Lexer *x, Tok *tok) {
    tok->s = ++x->cur;
    while (x->cur < x->end && *x->cur != '"') {
        if (*x->cur == '\n') {
            x->line++;
            x->line_start = x->cur + 1;
        }
        x->cur++;
    }
    tok->len = (uint32_t)(x->cur - tok->s);
    tok->kind = x->cur < x->end ? TOK_STRING : TOK_BAD;
    if (x->cur < x->end) x->cur++;
}

Tok lexer_next(Lexer *x) {
    skip_blanks(x);
    Tok tok = {TOK_END, x->cur, 0, x->line, (uint32_t)(x->cur - x->line_start) + 1};
    int c = at(x, 0);
    if (c < 0) return tok;
    if (number_starts(x)) {
        scan_number(x, &tok);
    } else if (isalpha(c)) {
        while (is_word(at(x, 0))) x->cur++;
        tok.kind = TOK_WORD;
        tok.len = (uint32_t)(x->cur - tok.s);
    } else if (c == '%') {
        tok.s = ++x->cur;
        while (is_word(at(x, 0))) x->cur++;
        tok.kind = TOK_NAME;
        tok.len = (uint32_t)(x->cur - tok.s);
    } else if (c == '"') {
        scan_string(x, &tok);
    } else if (c == '@' && at(x, 1) >= 0 && isxdigit(at(x, 1))) {
        tok.s = ++x->cur;
        while (at(x, 0) >= 0 && isxdigit(at(x, 0))) x->cur++;
        tok.kind = TOK_SRCLOC;
        tok.len = (uint32_t)(x->cur - tok.s);
    } else if (c == '-' && at(x, 1) == '>') {
        tok.kind = TOK_ARROW;
        tok.len = 2;
        x->cur += 2;
    } else {
        tok.kind = strchr("(){}[]<>,.:=!+-*@", c) && c ? TOK_PUNCT : TOK_BAD;
        tok.len = 1;
        x->cur++;
    }
    return tok;
}

const char *lexer_line(Lexer *x, const Tok *tok, uint32_t *len) {
    const char *stop = memchr(tok->s, '\n', (size_t)(x->end - tok->s));
    if (!stop) stop = x->end;
    x->cur = stop;
    while (stop > tok->s && (stop[-1] == '\r' || stop[-1] == ' ')) stop--;
    *len = (uint32_t)(stop - tok->s);
    return tok->s;
}

bool tok_word(const Tok *tok, const char *word) {
    return tok->kind == TOK_WORD && tok->len == strlen(word) && memcmp(tok->s, word, tok->len) == 0;
}

bool tok_entity(const Tok *tok, const char *prefix, uint32_t *number) {
    uint32_t n = (uint32_t)strlen(prefix);
    if (tok->kind != TOK_WORD || tok->len <= n || tok->len > n + 10 || memcmp(tok->s, prefix, n) != 0) return false;
    uint64_t value = 0;
    for (uint32_t k = n; k < tok->len; k++) {
        if (tok->s[k] < '0' || tok->s[k] > '9') return false;
        value = value * 10 + (unsigned)(tok->s[k] - '0');
    }
    if ((tok->s[n] == '0' && tok->len > n + 1) || value >= UINT32_MAX) return false;
    *number = (uint32_t)value;
    return true;
}

// ---- integers -----------------------------------------------------------------------------------

// Sign and magnitude; false when malformed or above 2^64-1.
static bool parse_magnitude(const char *s, uint32_t len, bool *negative, bool *hex, bool *underscore, uint64_t *value) {
    const char *end = s + len;
    *negative = s < end && *s == '-';
    if (s < end && (*s == '-' || *s == '+')) s++;
    *hex = end - s > 2 && s[0] == '0' && s[1] == 'x';
    *underscore = false;
    if (*hex) s += 2;
    unsigned base = *hex ? 16 : 10;
    uint64_t x = 0;
    unsigned digits = 0;
    for (; s < end; s++) {
        if (*s == '_') {
            *underscore = true;
            continue;
        }
        if (!isxdigit((unsigned char)*s) || (!*hex && !isdigit((unsigned char)*s))) return false;
        unsigned d = isdigit((unsigned char)*s) ? (unsigned)(*s - '0') : (unsigned)(*s | 0x20) - 'a' + 10;
        if (x > (UINT64_MAX - d) / base) return false;
        x = x * base + d;
        digits++;
    }
    *value = x;
    return digits > 0 && !(*hex && digits > 16);
}

bool text_int64(const char *s, uint32_t len, uint64_t *value) {
    bool negative, hex, underscore;
    if (!parse_magnitude(s, len, &negative, &hex, &underscore, value)) return false;
    if (!negative) return true;
    if (*value > UINT64_C(1) << 63) return false;
    *value = 0 - *value;
    return true;
}

bool text_int(const char *s, uint32_t len, unsigned bits, uint64_t *value) {
    if (bits == 64) return text_int64(s, len, value);
    bool negative, hex, underscore;
    if (!parse_magnitude(s, len, &negative, &hex, &underscore, value)) return false;
    if (underscore && !hex) return false;
    if (negative ? *value > UINT64_C(1) << (bits - 1) : *value >> bits != 0) return false;
    *value = bit_zext(negative ? 0 - *value : *value, bits);
    return true;
}

bool text_u32(const char *s, uint32_t len, uint32_t *value) {
    uint64_t x;
    if (!text_int64(s, len, &x) || x > UINT32_MAX || *s == '-') return false;
    *value = (uint32_t)x;
    return true;
}

// ---- floats -------------------------------------------------------------------------------------

typedef struct FloatShape {
    unsigned bits;
    unsigned fraction; // bits of the trailing significand
    int least;         // exponent of the smallest normal number
    int most;          // and of the largest
} FloatShape;

static FloatShape float_shape(unsigned bits) {
    return bits == 32 ? (FloatShape){32, 23, -126, 127} : (FloatShape){64, 52, -1022, 1023};
}

__extension__ typedef unsigned __int128 Wide;

// sig * 2^exp as IEEE bits without sign, exactly or not at all.
static const char *float_pack(Wide sig, int exp, FloatShape shape, uint64_t *value) {
    if (sig == 0) {
        *value = 0;
        return NULL;
    }
    while ((sig & 1) == 0) {
        sig >>= 1;
        exp++;
    }
    int top = 0;
    while (sig >> top > 1) top++;
    int e = exp + top; // the value is 1.xxx * 2^e
    if (e > shape.most) return "the number is too large";
    int unit = (e < shape.least ? shape.least : e) - (int)shape.fraction; // exponent of the last place
    if (exp < unit) return e < shape.least ? "the number is too small" : "too many significant bits";
    uint64_t fraction = (uint64_t)(sig << (exp - unit));
    uint64_t biased = e < shape.least ? 0 : (uint64_t)(e - shape.least + 1);
    *value = biased << shape.fraction | (fraction & ((UINT64_C(1) << shape.fraction) - 1));
    return NULL;
}

static const char *float_hex(const char *s, const char *end, FloatShape shape, uint64_t *value) {
    Wide sig = 0;
    int exp = 0;
    unsigned digits = 0;
    bool point = false;
    for (; s < end && *s != 'p'; s++) {
        if (*s == '_') continue;
        if (*s == '.') {
            if (point) return "two points in a number";
            point = true;
            continue;
        }
        if (!isxdigit((unsigned char)*s)) return "wrong hexadecimal digit";
        if (++digits > 32) return "more than 32 digits";
        sig = sig << 4 | (isdigit((unsigned char)*s) ? (unsigned)(*s - '0') : (unsigned)(*s | 0x20) - 'a' + 10);
        if (point) exp -= 4;
    }
    if (digits == 0 || !point) return "digits and a point expected";
    if (s < end) {
        bool negative = ++s < end && *s == '-';
        if (negative) s++;
        if (s == end) return "exponent expected";
        int x = 0;
        for (; s < end; s++) {
            if (!isdigit((unsigned char)*s)) return "wrong digit in the exponent";
            if (x < 100000) x = x * 10 + (*s - '0');
        }
        exp += negative ? -x : x;
    }
    return float_pack(sig, exp, shape, value);
}

const char *text_float(const char *s, uint32_t len, unsigned bits, uint64_t *value) {
    FloatShape shape = float_shape(bits);
    const char *end = s + len;
    bool sign = len && *s == '-';
    if (len && (*s == '-' || *s == '+')) s++;
    uint64_t infinity = (UINT64_C(1) << (bits - 1)) - (UINT64_C(1) << shape.fraction);
    uint64_t quiet = UINT64_C(1) << (shape.fraction - 1);
    size_t left = (size_t)(end - s);
    const char *wrong = NULL;
    bool signalling = left > 5 && memcmp(s, "sNaN:", 5) == 0;
    if (left == 3 && memcmp(s, "0.0", 3) == 0) {
        *value = 0;
    } else if (left == 3 && memcmp(s, "Inf", 3) == 0) {
        *value = infinity;
    } else if (left == 3 && memcmp(s, "NaN", 3) == 0) {
        *value = infinity | quiet;
    } else if (signalling || (left > 4 && memcmp(s, "NaN:", 4) == 0)) {
        const char *payload = s + (signalling ? 5 : 4);
        uint64_t x;
        if (end - payload < 3 || memcmp(payload, "0x", 2) != 0 || !text_int64(payload, (uint32_t)(end - payload), &x) ||
            x >= quiet || (signalling && x == 0)) {
            return "wrong NaN payload";
        }
        *value = infinity | (signalling ? 0 : quiet) | x;
    } else if (left > 2 && memcmp(s, "0x", 2) == 0) {
        wrong = float_hex(s + 2, end, shape, value);
    } else {
        return "a float is 0.0, a hexadecimal number with a point, Inf or NaN";
    }
    if (!wrong && sign) *value |= UINT64_C(1) << (bits - 1);
    return wrong;
}

uint8_t text_trap(const char *s, uint32_t len) {
    int named = trap_find(s, len);
    if (named > 0) return (uint8_t)named;
    Tok tok = {TOK_WORD, s, len, 0, 0};
    uint32_t number;
    if (!tok_entity(&tok, "user", &number) || number == 0 || number >= TRAP_first_named) return 0;
    return (uint8_t)number;
}

// ---- printing -----------------------------------------------------------------------------------

// Hexadecimal in groups of four digits.
static void put_hex(Buf *out, uint64_t x) {
    unsigned pos = x ? (63 - bit_clz64(x)) & 0x30 : 0;
    buf_printf(out, "0x%04x", (unsigned)(x >> pos & 0xffff));
    while (pos) {
        pos -= 16;
        buf_printf(out, "_%04x", (unsigned)(x >> pos & 0xffff));
    }
}

void text_put_int(Buf *out, int64_t x) {
    if (x < 10000) {
        buf_printf(out, "%lld", (long long)x);
    } else {
        put_hex(out, (uint64_t)x);
    }
}

void text_put_offset(Buf *out, int64_t x) {
    if (x == 0) return;
    buf_char(out, x < 0 ? '-' : '+');
    text_put_int(out, x < 0 ? -x : x);
}

void text_put_float(Buf *out, uint64_t x, unsigned bits) {
    FloatShape shape = float_shape(bits);
    bool sign = x >> (bits - 1);
    uint64_t fraction = x & ((UINT64_C(1) << shape.fraction) - 1);
    int biased = (int)(x >> shape.fraction & ((UINT64_C(1) << (bits - 1 - shape.fraction)) - 1));
    uint64_t quiet = UINT64_C(1) << (shape.fraction - 1);
    unsigned digits = (shape.fraction + 3) / 4;
    uint64_t shown = fraction << (digits * 4 - shape.fraction);
    if (biased == shape.most - shape.least + 2) {
        buf_char(out, sign ? '-' : '+');
        if (fraction == 0) {
            buf_text(out, "Inf");
        } else if (fraction & quiet) {
            buf_text(out, "NaN");
            if (fraction != quiet) buf_printf(out, ":0x%llx", (unsigned long long)(fraction & ~quiet));
        } else {
            buf_printf(out, "sNaN:0x%llx", (unsigned long long)fraction);
        }
        return;
    }
    if (sign) buf_char(out, '-');
    if (biased == 0 && fraction == 0) {
        buf_text(out, "0.0");
    } else {
        int exp = biased ? biased + shape.least - 1 : shape.least;
        buf_printf(out, "0x%d.%0*llxp%d", biased != 0, (int)digits, (unsigned long long)shown, exp);
    }
}

void text_put_trap(Buf *out, uint8_t code) {
    const char *name = trap_name(code);
    if (name) {
        buf_text(out, name);
    } else {
        buf_printf(out, "user%u", code);
    }
}

void text_put_value(Buf *out, Type type, uint64_t bits) {
    if (type_is_float(type)) {
        text_put_float(out, bits, type_bits(type));
    } else {
        buf_printf(out, "%lld", (long long)bit_sext(bits, type_bits(type)));
    }
}
