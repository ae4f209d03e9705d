// mdc: the front half of the description compiler. `mdc FILE...` parses each description and prints one JSON array with
// every declaration of every file in order; gen/README.md lists the objects. Errors go to stderr as
//
//     file:line:col: error: TEXT
//         the line of the text
//         ^
//
// and the exit status is 1; 2 is a wrong use. After a syntax error parsing resumes at the next line that opens a
// declaration in its first column, so that one run reports several.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar.h"
#include "mdc.h"

void *MdAlloc(void *(*alloc)(size_t));
void Md(void *parser, int code, Tok tok, Mdc *m);
void MdFree(void *parser, void (*release)(void *));

// ---- memory: one arena, freed at the end -------------------------------------------------------------

typedef struct Chunk {
    struct Chunk *next;
    size_t used;
    size_t size;
    max_align_t bytes[];
} Chunk;

void *mdc_alloc(Mdc *m, size_t size) {
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!m->chunks || m->chunks->size - m->chunks->used < size) {
        size_t room = size > 65536 ? size : 65536;
        Chunk *c = malloc(sizeof *c + room);
        if (!c) {
            fputs("mdc: out of memory\n", stderr);
            exit(2);
        }
        *c = (Chunk){m->chunks, 0, room};
        m->chunks = c;
    }
    char *p = (char *)m->chunks->bytes + m->chunks->used;
    m->chunks->used += size;
    return memset(p, 0, size);
}

static void free_all(Mdc *m) {
    while (m->chunks) {
        Chunk *next = m->chunks->next;
        free(m->chunks);
        m->chunks = next;
    }
}

// ---- diagnostics --------------------------------------------------------------------------------------

void mdc_error(Mdc *m, int line, int col, const char *fmt, ...) {
    m->errors++;
    fprintf(stderr, "%s:%d:%d: error: ", m->file, line, col);
    va_list list;
    va_start(list, fmt);
    vfprintf(stderr, fmt, list);
    va_end(list);
    const char *s = line == m->line ? m->line_start : m->text;
    for (int i = line == m->line ? line : 1; s && i < line; i++) {
        s = strchr(s, '\n');
        if (s) s++;
    }
    int len = s ? (int)strcspn(s, "\r\n") : 0;
    fprintf(stderr, "\n    %.*s\n    ", len, s ? s : "");
    for (int i = 0; i + 1 < col; i++) fputc(i < len && s[i] == '\t' ? '\t' : ' ', stderr);
    fputs("^\n", stderr);
}

// ---- tree ----------------------------------------------------------------------------------------------

static Node *node_new(Mdc *m, NodeType type) {
    Node *n = mdc_alloc(m, sizeof *n);
    n->type = type;
    return n;
}

Node *md_null(Mdc *m) { return node_new(m, NODE_NULL); }
Node *md_list(Mdc *m) { return node_new(m, NODE_LIST); }

Node *md_text(Mdc *m, Tok t) {
    Node *n = node_new(m, NODE_STR);
    n->s = t.s;
    n->len = (size_t)t.len;
    return n;
}

Node *md_word(Mdc *m, const char *s) { return md_text(m, (Tok){s, (int)strlen(s), 0, 0}); }

static int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return (c | 32) - 'a' + 10;
}

Node *md_num(Mdc *m, Tok t, bool negative) {
    Node *n = node_new(m, NODE_NUM);
    unsigned base = 10;
    int i = 0;
    if (t.len > 2 && t.s[0] == '0' && (t.s[1] == 'x' || t.s[1] == 'b')) {
        base = t.s[1] == 'x' ? 16 : 2;
        i = 2;
    }
    for (; i < t.len; i++) {
        if (t.s[i] == '_') continue;
        if (__builtin_mul_overflow(n->num, (uint64_t)base, &n->num) ||
            __builtin_add_overflow(n->num, (uint64_t)digit_value(t.s[i]), &n->num)) {
            mdc_error(m, t.line, t.col, "a number has at most 64 bits");
            break;
        }
    }
    n->negative = negative && n->num != 0;
    return n;
}

static void grow(Mdc *m, Node *n) {
    if (n->n < n->cap) return;
    int cap = n->cap ? n->cap * 2 : 4;
    Node **items = mdc_alloc(m, (size_t)cap * sizeof *items);
    const char **keys = mdc_alloc(m, (size_t)cap * sizeof *keys);
    if (n->n) {
        memcpy(items, n->items, (size_t)n->n * sizeof *items);
        memcpy(keys, n->keys, (size_t)n->n * sizeof *keys);
    }
    n->items = items;
    n->keys = keys;
    n->cap = cap;
}

static Tok node_place(const Node *obj);

Node *md_put(Mdc *m, Node *obj, const char *key, Node *value) {
    grow(m, obj);
    obj->keys[obj->n] = key;
    obj->items[obj->n++] = value;
    if (obj->depth <= value->depth) obj->depth = value->depth + 1;
    if (obj->depth > MD_MAX_DEPTH && obj->type == NODE_OBJ && !m->failed) {
        m->failed = true;
        Tok at = node_place(obj);
        mdc_error(m, at.line, at.col, "nested more than %d deep", MD_MAX_DEPTH);
    }
    return obj;
}

Node *md_push(Mdc *m, Node *list, Node *item) { return md_put(m, list, NULL, item); }

static Node *int_node(Mdc *m, int i) {
    Node *n = node_new(m, NODE_NUM);
    n->num = (uint64_t)i;
    return n;
}

Node *md_obj(Mdc *m, const char *kind, Tok at) {
    Node *n = node_new(m, NODE_OBJ);
    md_put(m, n, "k", md_word(m, kind));
    md_put(m, n, "line", int_node(m, at.line));
    return md_put(m, n, "col", int_node(m, at.col));
}

Node *md_decl(Mdc *m, const char *kind, Tok name) {
    Node *n = md_obj(m, kind, name);
    md_put(m, n, "file", md_word(m, m->file));
    return md_put(m, n, "name", md_text(m, name));
}

Node *md_name(Mdc *m, Tok t) { return md_put(m, md_obj(m, "name", t), "name", md_text(m, t)); }

Node *md_number(Mdc *m, Tok t, bool negative) {
    return md_put(m, md_obj(m, "num", t), "value", md_num(m, t, negative));
}

Node *md_string(Mdc *m, Tok t) {
    Tok inner = {t.s + 1, t.len - 2, t.line, t.col + 1};
    return md_put(m, md_obj(m, "str", t), "text", md_text(m, inner));
}

Node *md_bin(Mdc *m, const char *op, Tok at, Node *a, Node *b) {
    Node *n = md_put(m, md_obj(m, "bin", at), "op", md_word(m, op));
    return md_put(m, md_put(m, n, "a", a), "b", b);
}

Node *md_un(Mdc *m, const char *op, Tok at, Node *a) {
    return md_put(m, md_put(m, md_obj(m, "un", at), "op", md_word(m, op)), "a", a);
}

static Node *field(const Node *obj, const char *key) {
    for (int i = 0; i < obj->n; i++)
        if (!strcmp(obj->keys[i], key)) return obj->items[i];
    return NULL;
}

static bool is_kind(const Node *obj, const char *kind) {
    const Node *k = obj->type == NODE_OBJ ? field(obj, "k") : NULL;
    return k && k->len == strlen(kind) && !memcmp(k->s, kind, k->len);
}

// The dotted name that an expression spells (`icmp.i64`, `mem.bd`), or NULL.
static Node *callee_name(Mdc *m, Node *e) {
    if (is_kind(e, "name")) return field(e, "name");
    if (!is_kind(e, "dot")) return NULL;
    Node *base = callee_name(m, field(e, "base"));
    if (!base) return NULL;
    Node *last = field(e, "name");
    char *s = mdc_alloc(m, base->len + last->len + 1);
    memcpy(s, base->s, base->len);
    s[base->len] = '.';
    memcpy(s + base->len + 1, last->s, last->len);
    Node *n = node_new(m, NODE_STR);
    n->s = s;
    n->len = base->len + last->len + 1;
    return n;
}

static Tok node_place(const Node *obj) {
    return (Tok){"", 0, (int)field(obj, "line")->num, (int)field(obj, "col")->num};
}

Node *md_call(Mdc *m, Tok at, Node *callee, Node *attrs, Node *args) {
    if (!attrs && is_kind(callee, "index")) { // name[attributes](arguments)
        attrs = field(callee, "args");
        callee = field(callee, "base");
    }
    Node *name = callee_name(m, callee);
    if (!name) {
        mdc_error(m, at.line, at.col, "only a name can be called");
        name = md_word(m, "?");
    }
    const Node *first = callee;
    while (is_kind(first, "dot")) first = field(first, "base");
    Node *n = md_put(m, md_obj(m, "call", node_place(first)), "name", name);
    md_put(m, n, "attrs", attrs ? attrs : md_list(m));
    return md_put(m, n, "args", args ? args : md_list(m));
}

// Also the attributes of a call to come, so the number of arguments is checked by the model, not here.
Node *md_index(Mdc *m, Tok at, Node *base, Node *args) {
    return md_put(m, md_put(m, md_obj(m, "index", at), "base", base), "args", args);
}

Tok md_join(Mdc *m, Tok a, Tok b) {
    if (a.len + b.len > MD_MAX_NAME && !m->failed) {
        m->failed = true;
        mdc_error(m, a.line, a.col, "a name has at most %d characters", MD_MAX_NAME);
    }
    if (m->failed) return a;
    char *s = mdc_alloc(m, (size_t)(a.len + b.len + 1));
    memcpy(s, a.s, (size_t)a.len);
    s[a.len] = '.';
    memcpy(s + a.len + 1, b.s, (size_t)b.len);
    return (Tok){s, a.len + b.len + 1, a.line, a.col};
}

// ---- JSON -----------------------------------------------------------------------------------------------

static void write_string(const char *s, size_t len) {
    putchar('"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') printf("\\%c", c);
        else if (c < 32) printf("\\u%04x", c);
        else putchar(c);
    }
    putchar('"');
}

static void write_node(const Node *n) {
    switch (n->type) {
    case NODE_NULL: fputs("null", stdout); break;
    case NODE_NUM: printf("%s%llu", n->negative ? "-" : "", (unsigned long long)n->num); break;
    case NODE_STR: write_string(n->s, n->len); break;
    case NODE_LIST:
    case NODE_OBJ:
        putchar(n->type == NODE_LIST ? '[' : '{');
        for (int i = 0; i < n->n; i++) {
            if (i) putchar(',');
            if (n->type == NODE_OBJ) {
                write_string(n->keys[i], strlen(n->keys[i]));
                putchar(':');
            }
            write_node(n->items[i]);
        }
        putchar(n->type == NODE_LIST ? ']' : '}');
        break;
    }
}

// ---- driver -----------------------------------------------------------------------------------------------

static char *read_file(Mdc *m, const char *path) {
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t len = 0;
    if (f) {
        size_t room = 1 << 16;
        text = mdc_alloc(m, room);
        size_t n;
        while ((n = fread(text + len, 1, room - 1 - len, f)) > 0) {
            len += n;
            if (len < room - 1) continue;
            char *more = mdc_alloc(m, room * 2);
            memcpy(more, text, len);
            text = more;
            room *= 2;
        }
    }
    if (!f || ferror(f)) {
        fprintf(stderr, "mdc: %s: %s\n", path, strerror(errno));
        text = NULL;
    } else {
        text[len] = 0;
        m->end = text + len;
    }
    if (f) fclose(f);
    return text;
}

// Skips to the next token that opens a declaration in column 1.
static int resume(Mdc *m, Tok *tok) {
    int code;
    do code = mdc_lex(m, tok);
    while (code != 0 && !(tok->col == 1 && mdc_opens_decl(code)));
    return code;
}

static void parse_file(Mdc *m) {
    Tok tok;
    int code = mdc_lex(m, &tok);
    for (;;) {
        void *parser = MdAlloc(malloc);
        m->failed = false;
        for (;;) {
            if (code < 0) m->failed = true;
            m->last = tok;
            if (!m->failed) Md(parser, code, tok, m);
            if (m->failed || code == 0) break;
            code = mdc_lex(m, &tok);
        }
        MdFree(parser, free);
        if (!m->failed || code == 0) return;
        if (!(tok.col == 1 && mdc_opens_decl(code))) code = resume(m, &tok);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fputs("usage: mdc FILE...\n", stderr);
        return 2;
    }
    Mdc m = {0};
    m.decls = md_list(&m);
    for (int i = 1; i < argc; i++) {
        m.file = argv[i];
        m.text = read_file(&m, argv[i]);
        if (!m.text) {
            m.errors++;
            continue;
        }
        m.cur = m.line_start = m.text;
        m.line = 1;
        parse_file(&m);
    }
    if (!m.errors) {
        putchar('[');
        for (int i = 0; i < m.decls->n; i++) {
            fputs(i ? ",\n" : "\n", stdout);
            write_node(m.decls->items[i]);
        }
        fputs("\n]\n", stdout);
        if (fflush(stdout) != 0) {
            perror("mdc");
            m.errors++;
        }
    }
    int status = m.errors != 0;
    free_all(&m);
    return status;
}
