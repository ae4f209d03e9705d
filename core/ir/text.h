// Tokens and literals of the CLIF text form, for the reader, the writer and run directives.
#ifndef VTR_IR_TEXT_H
#define VTR_IR_TEXT_H

#include "ir_tables.h"
#include "support/buf.h"

typedef enum TokKind {
    TOK_END,
    TOK_PUNCT, // one character, s[0]
    TOK_ARROW, // ->
    TOK_INT,   // with its sign
    TOK_FLOAT,
    TOK_NAME,   // %name; s and len exclude the %
    TOK_STRING, // s and len exclude the quotes
    TOK_SRCLOC, // @hex; s and len exclude the @
    TOK_WORD,
    TOK_BAD // a character that starts no token, or an unclosed string
} TokKind;

typedef struct Tok {
    TokKind kind;
    const char *s;
    uint32_t len;
    uint32_t line, col; // from 1
} Tok;

typedef struct Lexer {
    const char *cur;
    const char *end;
    const char *line_start;
    uint32_t line;
    // Called for each comment, from its `;` to the end of its line, may be NULL.
    void (*comment)(void *arg, const char *text, uint32_t len, uint32_t line);
    void *arg;
} Lexer;

Lexer lexer_new(const char *text, size_t len);
Tok lexer_next(Lexer *lexer);
// Moves to the end of the line that `tok` is on and gives the text from tok to there.
const char *lexer_line(Lexer *lexer, const Tok *tok, uint32_t *len);

static inline bool tok_is(const Tok *tok, char c) { return tok->kind == TOK_PUNCT && tok->s[0] == c; }
bool tok_word(const Tok *tok, const char *word);
// An entity such as block12: prefix and a number without leading zeros.
bool tok_entity(const Tok *tok, const char *prefix, uint32_t *number);

// ---- literals -----------------------------------------------------------------------------------

// 64-bit integers: decimal or hex, underscores, -2^63 .. 2^64-1. False when malformed or out of range.
bool text_int64(const char *s, uint32_t len, uint64_t *value);
// Integers of `bits` bits (8..64): -2^(bits-1) .. 2^bits-1; the value is masked to its width.
bool text_int(const char *s, uint32_t len, unsigned bits, uint64_t *value);
bool text_u32(const char *s, uint32_t len, uint32_t *value);
// Floats of 32 or 64 bits. NULL when right, else what is wrong.
const char *text_float(const char *s, uint32_t len, unsigned bits, uint64_t *value);
// `userN` or a named trap code; 0 when it is none.
uint8_t text_trap(const char *s, uint32_t len);

void text_put_int(Buf *out, int64_t x);    // an integer immediate
void text_put_offset(Buf *out, int64_t x); // +8, -8, nothing for 0
void text_put_float(Buf *out, uint64_t x, unsigned bits);
void text_put_trap(Buf *out, uint8_t code);
// A value of a type as run directives write it: integers signed decimal, floats as above.
void text_put_value(Buf *out, Type type, uint64_t bits);

#endif
