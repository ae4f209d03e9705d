// The lexer of the description language (re2c). Whole text in memory, NUL-terminated.
// A template hole `{name}` or `{row.column}` may stand anywhere in a name, so names with holes are names: `{op}{w}_rr`.
// A brace followed by anything else (a space, as in every block) is a brace.
#include <string.h>

#include "grammar.h"
#include "mdc.h"

// Keywords are contextual: the grammar's %fallback makes each an ordinary name wherever it has no meaning of its own.
static const struct Keyword {
    const char *text;
    int code;
    bool opens; // opens a declaration
} keywords[] = {
    {"abi", ABI, true},          {"after", AFTER, true},       {"asm", ASM, false},
    {"before", BEFORE, false},   {"byte", BYTE, false},        {"class", CLASS, true},
    {"clobbers", CLOBBERS, false}, {"cond", COND, true},       {"cost", COST, false},
    {"cpu", CPU, true},          {"decode", DECODE, false},    {"early", EARLY, false},      {"else", ELSE, false},
    {"dearer", DEARER, false},    {"encode", ENCODE, false},   {"except", EXCEPT, false},
    {"expand", EXPAND, true},    {"feature", FEATURE, true},   {"file", FILE_, true},
    {"flags", FLAGS, true},      {"fn", FN, true},             {"for", FOR, false},
    {"form", FORM, false},       {"format", FORMAT, true},     {"hold", HOLD, true},
    {"if", IF, false},           {"imm", IMM, true},           {"implies", IMPLIES, false},
    {"in", IN, false},           {"include", INCLUDE, true},   {"inout", INOUT, false},
    {"inst", INST, true},        {"isa", ISA, true},           {"let", LET, false},
    {"moves", MOVES, true},      {"names", NAMES, false},      {"op", OP, true},
    {"operand", OPERAND, true},  {"out", OUT, false},
    {"proves", PROVES, false},   {"pseudo", PSEUDO, true},     {"reach", REACH, false},
    {"reg", REG, true},          {"relax", RELAX, true},       {"reloc", RELOC, true},
    {"requires", REQUIRES, false}, {"rewrite", REWRITE, true}, {"roles", ROLES, true},
    {"rule", RULE, true},        {"select", SELECT, false},    {"sem", SEM, false},
    {"short", SHORT, true},      {"sleb", SLEB, false},
    {"stamp", STAMP, true},      {"table", TABLE, true},       {"template", TEMPLATE, true},
    {"trap", TRAP, false},       {"type", TYPE, true},         {"uleb", ULEB, false},
    {"unsupported", UNSUPPORTED, true}, {"untie", UNTIE, true}, {"value", VALUE, true},       {"view", VIEW, false},
    {"when", WHEN, false},       {"word", WORD, false},
};

bool mdc_opens_decl(int code) {
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (keywords[i].code == code) return keywords[i].opens;
    return false;
}

const char *mdc_sign(int code) {
    static const struct {
        int code;
        const char *text;
    } signs[] = {{LP, "("},    {RP, ")"},     {LB, "{"},   {RB, "}"},     {LS, "["},  {RS, "]"},     {COMMA, ","}, {SEMI, ";"},
                 {COLON, ":"}, {ASSIGN, "="}, {TO, "->"},  {ARROW, "=>"}, {DOT, "."}, {DOTS, ".."}, {LT, "<"},    {GT, ">"},
                 {ID, "a name"}, {NUM, "a number"}, {STR, "a string"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i].code == code) return signs[i].text;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (keywords[i].code == code) return keywords[i].text;
    return NULL;
}

bool mdc_unsigned(int code) { return code == LT || code == GT || code == SLASH; }

static int name_code(const char *s, size_t len) {
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strlen(keywords[i].text) == len && !memcmp(keywords[i].text, s, len)) return keywords[i].code;
    return ID;
}

#define TOKEN(code)                                                                                                    \
    do {                                                                                                               \
        tok->len = (int)(YYCURSOR - s);                                                                                \
        m->cur = YYCURSOR;                                                                                             \
        return (code);                                                                                                 \
    } while (0)

int mdc_lex(Mdc *m, Tok *tok) {
    const char *YYCURSOR = m->cur;
    const char *YYMARKER;
    const char *s;
again:
    s = YYCURSOR;
    tok->s = s;
    tok->line = m->line;
    tok->col = (int)(s - m->line_start) + 1;
    /*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:yyfill:enable = 0;
    L = [A-Za-z_];
    D = [0-9];
    H = "{" L (L | D | ".")* "}";
    E = [^A-Za-z0-9_];

    "\x00" {
        if (s != m->end) {
            mdc_error(m, tok->line, tok->col, "a text has no NUL characters");
            TOKEN(-1);
        }
        YYCURSOR--;
        TOKEN(0);
    }
    [ \t\r]+            { goto again; }
    "\n"                { m->line++; m->line_start = YYCURSOR; goto again; }
    "//" [^\n\x00]*     { goto again; }
    "\"" [\x20-\x21\x23-\x7e]* "\"" { TOKEN(STR); }
    "0x" [0-9A-Fa-f_]+  { TOKEN(NUM); }
    "0b" [01_]+         { TOKEN(NUM); }
    D [0-9_]*           { TOKEN(NUM); }
    D (L | D)*          { mdc_error(m, tok->line, tok->col, "this is no number: decimal, 0x or 0b"); TOKEN(-1); }
    (L | H) (L | D | H)* { TOKEN(name_code(s, (size_t)(YYCURSOR - s))); }
    "=>"   { TOKEN(ARROW); }
    "->"   { TOKEN(TO); }
    ".."   { TOKEN(DOTS); }
    "=="   { TOKEN(EQEQ); }
    "!="   { TOKEN(NE); }
    "&&"   { TOKEN(ANDAND); }
    "||"   { TOKEN(OROR); }
    "<<"   { TOKEN(SHL); }
    ">>u" / E { TOKEN(SHRU); }
    ">>s" / E { TOKEN(SHRS); }
    "<u" / E  { TOKEN(LTU); }
    "<s" / E  { TOKEN(LTS); }
    "<=u" / E { TOKEN(LEU); }
    "<=s" / E { TOKEN(LES); }
    "/u" / E  { TOKEN(DIVU); }
    "/s" / E  { TOKEN(DIVS); }
    "%u" / E  { TOKEN(REMU); }
    "%s" / E  { TOKEN(REMS); }
    "++"   { TOKEN(CAT); }
    "("    { TOKEN(LP); }
    ")"    { TOKEN(RP); }
    "{"    { TOKEN(LB); }
    "}"    { TOKEN(RB); }
    "["    { TOKEN(LS); }
    "]"    { TOKEN(RS); }
    ","    { TOKEN(COMMA); }
    ";"    { TOKEN(SEMI); }
    ":"    { TOKEN(COLON); }
    "."    { TOKEN(DOT); }
    "="    { TOKEN(ASSIGN); }
    "?"    { TOKEN(QUEST); }
    "+"    { TOKEN(PLUS); }
    "-"    { TOKEN(MINUS); }
    "*"    { TOKEN(STAR); }
    "&"    { TOKEN(AND); }
    "|"    { TOKEN(BAR); }
    "^"    { TOKEN(XOR); }
    "~"    { TOKEN(TILDE); }
    "!"    { TOKEN(BANG); }
    "<"    { TOKEN(LT); }
    ">"    { TOKEN(GT); }
    "/"    { TOKEN(SLASH); }
    "@"    { TOKEN(AT); }
    "#"    { TOKEN(HASH); }
    "\""   { mdc_error(m, tok->line, tok->col, "a string ends on its line and has printable characters of ASCII only"); TOKEN(-1); }
    *      { mdc_error(m, tok->line, tok->col, "no token starts with this character"); TOKEN(-1); }
    */
}
