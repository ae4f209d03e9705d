// Shared by the lexer, the grammar and the driver of mdc. The tree that the grammar builds is generic: objects with
// named fields, lists, strings and numbers, printed as JSON in the order in which the fields were put.
#ifndef MDC_H
#define MDC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Tok {
    const char *s; // points into the source text
    int len;
    int line;
    int col; // both from 1; columns count bytes
} Tok;

typedef enum NodeType { NODE_NULL, NODE_STR, NODE_NUM, NODE_LIST, NODE_OBJ } NodeType;

typedef struct Node {
    NodeType type;
    const char *s; // NODE_STR
    size_t len;
    uint64_t num;  // NODE_NUM
    bool negative; // NODE_NUM
    struct Node **items;
    const char **keys; // NODE_OBJ
    int n;
    int cap;
    int depth; // of the tree below, of a node that is complete
} Node;

enum {
    MD_MAX_DEPTH = 100, // of a declaration: what reads the tree calls itself
    MD_MAX_NAME = 1000, // bytes of a name with dots
};

typedef struct Mdc {
    const char *file;
    const char *text; // NUL-terminated
    const char *end;  // of the text: its NUL
    const char *cur;
    const char *line_start;
    int line;
    Tok last;    // what the parser was given
    Node *decls; // all declarations of all files
    int errors;
    bool failed; // the parser gave up on the current declaration
    struct Chunk *chunks;
} Mdc;

// Next token into *tok; returns its code, 0 at the end, -1 for a character that starts no token (already reported).
int mdc_lex(Mdc *m, Tok *tok);
// Whether a token code is a keyword that can open a declaration.
bool mdc_opens_decl(int code);
// How a token is written, in words for a name, number or string; NULL for operators.
const char *mdc_sign(int code);
// Is it an operator that must say its sign (`<u`, `<s`) and does not?
bool mdc_unsigned(int code);
void mdc_error(Mdc *m, int line, int col, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void *mdc_alloc(Mdc *m, size_t size);

Node *md_null(Mdc *m);
Node *md_text(Mdc *m, Tok t);               // the token as it stands
Node *md_word(Mdc *m, const char *s);       // a fixed word
Node *md_num(Mdc *m, Tok t, bool negative); // a number token
Node *md_list(Mdc *m);
Node *md_push(Mdc *m, Node *list, Node *item);
Node *md_obj(Mdc *m, const char *kind, Tok at);    // {"k": kind, "line":, "col":}
Node *md_decl(Mdc *m, const char *kind, Tok name); // the same with "file" and "name"
Node *md_put(Mdc *m, Node *obj, const char *key, Node *value);

// Expressions.
Node *md_name(Mdc *m, Tok t);
Node *md_number(Mdc *m, Tok t, bool negative);
Node *md_string(Mdc *m, Tok t);
Node *md_bin(Mdc *m, const char *op, Tok at, Node *a, Node *b);
Node *md_un(Mdc *m, const char *op, Tok at, Node *a);
// base[args](args): a call with attributes; NULL attrs or args = empty.
Node *md_call(Mdc *m, Tok at, Node *callee, Node *attrs, Node *args);
Node *md_index(Mdc *m, Tok at, Node *base, Node *args);
// name.name with both tokens: the text "name.name".
Tok md_join(Mdc *m, Tok a, Tok b);

#endif
