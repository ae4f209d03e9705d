// Shared by the parts of the CLIF reader: read.c (file, functions), read_decl.c (preamble, signatures) and
// read_inst.c (instructions).
//
// Theory. A recursive-descent parser whose recursion is bounded by the grammar, one token ahead. A parsing function
// returns false after recording an error; the caller gives up its construct too, up to the line, where reading goes
// on, so a file's other errors are found as well. Something known but unsupported sets `skip` instead: then the
// function is left out and the file's other functions stay.
//
// Numbers of entities are kept as written. What a large number costs is paid from `budget`, which is proportional
// to the length of the text, so a short text cannot make large tables.
#ifndef VTR_IR_READ_INTERNAL_H
#define VTR_IR_READ_INTERNAL_H

#include "ir/ir.h"
#include "ir/text.h"

typedef struct Use {
    uint32_t value;
    uint32_t line, col;
} Use;

typedef struct Reader {
    Ctx *ctx;
    Arena *arena;
    IrFile *file;
    CallConv conv;
    Lexer lex;
    Tok tok; // the current token
    uint64_t budget;

    uint32_t func; // number of the function comments belong to, NONE before the first; counts skipped ones too
    Func *f;
    Block block;      // being filled
    Tok line_tok;     // first token of the line being read
    const char *skip; // why this function is left out, or NULL
    Place skip_place;
    bool failed;              // this function has an error
    bool broken;              // an instruction could not be read, so undefined values are no news
    uint32_t temps;           // next number for a value that the text does not write; NONE = not counted yet
    VEC(Use) uses;            // of values not defined yet when used
    VEC(uint32_t) block_line; // per block: line of its first mention
} Reader;

// ---- read.c -------------------------------------------------------------------------------------

void rd_next(Reader *r);
bool rd_error(Reader *r, const Tok *tok, const char *fmt, ...) VTR_PRINTF(3, 4); // false
bool rd_skip(Reader *r, const Tok *tok, const char *what, const char *why);      // false
bool rd_expect(Reader *r, char c);
bool rd_accept(Reader *r, char c);
bool rd_accept_word(Reader *r, const char *word);
// Pays for growing a table from n to `number` + 1 elements.
bool rd_pay(Reader *r, const Tok *tok, uint32_t n, uint32_t number);
bool rd_u32(Reader *r, uint32_t *value);
bool rd_offset(Reader *r, int64_t *offset); // absent = 0
bool rd_name(Reader *r, ExtName *name);
bool rd_type(Reader *r, Type *type);
// An entity of which `n` are known and of which `declared` says whether this number is.
bool rd_entity(Reader *r, const char *prefix, uint32_t *number);

// ---- read_decl.c --------------------------------------------------------------------------------

bool rd_signature(Reader *r, Sig *sig);
bool rd_memflags(Reader *r, uint8_t *flags, uint8_t *code, uint8_t *region);
void rd_preamble(Reader *r);
bool rd_decl_check(Reader *r); // what the preamble refers to is declared

// ---- read_inst.c --------------------------------------------------------------------------------

void rd_body(Reader *r);

#endif
