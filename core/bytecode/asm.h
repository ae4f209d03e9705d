// The assembler's parts: tokens (asm_lex.c), declarations (asm.c), types (asm_type.c), function bodies (asm_body.c).
//
// Theory. The text is cut into tokens once. A first walk notes each directive as an item; names may be used before
// they are declared, so items are then worked off by kind: types, imports, globals, data, constants, heads of
// functions, exports, bodies. Strings get provisional numbers on the way; bc_each_string() gives them their final
// order at the end, so the order of working does not show in the file. Every error is recorded with its place and the
// walk goes on with the next line; what comes out is verified, and faults are mapped back to lines.
#ifndef VTR_BYTECODE_ASM_H
#define VTR_BYTECODE_ASM_H

#include "bytecode/read.h"
#include "support/map.h"

typedef enum TokKind { TOK_END, TOK_NEWLINE, TOK_NAME, TOK_INT, TOK_FLOAT, TOK_STRING, TOK_PUNCT } TokKind;

typedef struct Tok {
    uint8_t kind; // TokKind
    char punct;
    bool too_big; // an integer beyond 64 bits
    bool hex;     // an integer written 0x...
    bool quoted;  // a name in `quotes`, which is never a word of the language
    uint32_t line;
    uint32_t col;
    uint32_t len;
    const char *text; // spelling; of strings and quoted names the content
    uint64_t value;   // of an integer
} Tok;

typedef enum Space {
    SPACE_TYPE,
    SPACE_FUNC,
    SPACE_GLOBAL,
    SPACE_CONST,
    SPACE_DATA,
    SPACE_REG, // names of these two carry the function's number
    SPACE_LABEL
} Space;

typedef struct AsmFunc {
    uint32_t head;      // token behind .fn
    uint32_t body;      // first token of the line after it
    uint32_t *inst_tok; // token of each instruction, for errors
} AsmFunc;

typedef struct Asm {
    Ctx *ctx;
    Arena *arena;   // the module's
    Arena *scratch; // freed at the end
    BcModule *m;
    const Tok *toks;
    uint32_t at; // the next token
    uint32_t errors;
    Interner names;         // spellings
    Map symbols;            // (space, owner, spelling) -> index
    Interner strings;       // provisional string numbers
    Interner types;         // encodings of ARRAY and FUNC entries
    VEC(uint32_t) type_ids; // by number in types
    VEC(BcType) table;
    VEC(BcImport) imports;
    VEC(BcGlobal) globals;
    VEC(BcData) datas;
    VEC(BcConst) consts;
    VEC(BcExport) exports;
    VEC(BcFunc) funcs;
    VEC(AsmFunc) sources;
    VEC(uint32_t) files;
    Map file_ids; // string -> file
    VEC(BcRecord) records;
    VEC(uint32_t) pool; // strings that the text wants first
    uint32_t owner;     // function that registers and labels belong to
} Asm;

// asm_lex.c
const Tok *asm_lex(Asm *a, const char *text, size_t len);

// asm.c: places and small phrases. Those that return bool record an error and return false when the phrase is wrong.
bool asm_bad(Asm *a, const Tok *tok, const char *fmt, ...) VTR_PRINTF(3, 4);
static inline const Tok *asm_peek(const Asm *a) { return &a->toks[a->at]; }
bool asm_at_punct(const Asm *a, char c);
bool asm_take_punct(Asm *a, char c); // true and past it, if it is next
bool asm_take_word(Asm *a, const char *word);
bool asm_want_punct(Asm *a, char c);
bool asm_want_name(Asm *a, const char *what, const Tok **name);
bool asm_want_string(Asm *a, const char *what, const Tok **string);
bool asm_want_int(Asm *a, uint64_t max, const char *what, uint64_t *value);
// An integer of `width` bits, perhaps negative: -2^(width-1) to 2^width-1, as its bits.
bool asm_want_signed(Asm *a, unsigned width, uint64_t *bits);
bool asm_want_end_of_line(Asm *a);
void asm_skip_line(Asm *a); // past the next newline

// The number of a string; of a name as it goes into the file: without its %suffix, BC_NONE when nothing is left.
uint32_t asm_string(Asm *a, const char *text, size_t len);
uint32_t asm_file_name(Asm *a, const Tok *name);
bool asm_define(Asm *a, Space space, const Tok *name, uint32_t index);
bool asm_find(Asm *a, Space space, const Tok *name, uint32_t *index);    // false: not there, no error
bool asm_lookup(Asm *a, Space space, const char *what, uint32_t *index); // takes a name token

// asm_type.c
bool asm_type(Asm *a, uint32_t *type); // takes a type
// Takes a signature; names (if not NULL) receives the parameters' name tokens, at most BC_MAX_PARAMS.
bool asm_sig(Asm *a, const Tok **names, uint32_t *type);
void asm_types(Asm *a, const uint32_t *items, uint32_t n); // all .type lines, by the token behind .type

// asm_body.c
void asm_body(Asm *a, uint32_t func);

#endif
