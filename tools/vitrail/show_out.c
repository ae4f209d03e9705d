// The writers of IR and machine code print a block as a line that begins with its name and indented lines below it.
// What is not text is made of these lines, and of where each block leads.
#include "show_out.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/dom.h"

// Where blocks lead: the k-th successor of a block, NONE behind the last.
typedef struct Graph {
    const Func *f;
    const MFunc *m;
} Graph;

static uint32_t successor(const Graph *g, uint32_t block, uint32_t k) {
    if (g->m) {
        const MBlock *b = &g->m->blocks.v[block];
        return k < b->n_succs ? g->m->edges.v[b->succs + k].block : NONE;
    }
    uint32_t n;
    const BlockCall *calls = block_targets(g->f, (Block){block}, &n);
    return k < n ? calls[k].block.i : NONE;
}

// The next line of a text without its newline; NULL at the end.
static const char *next_line(Arena *arena, const char **text) {
    if (!**text) return NULL;
    size_t n = strcspn(*text, "\n");
    const char *line = arena_text(arena, *text, n);
    *text += n + ((*text)[n] == '\n');
    return line;
}

static const char *without_indent(const char *line) {
    while (*line == ' ') line++;
    return line;
}

static bool begins_block(const char *line, uint32_t *block) { return sscanf(line, "block%u", block) == 1; }

// ---- JSON ---------------------------------------------------------------------------------------------------

static void open_function(ShowOut *out) {
    json_open(&out->json, NULL, '{');
    json_text(&out->json, "name", out->function);
}

static void end_block(Json *j, const Graph *g, uint32_t block) {
    json_close(j, ']');
    json_open(j, "to", '[');
    for (uint32_t k = 0; successor(g, block, k) != NONE; k++) {
        char name[24];
        snprintf(name, sizeof name, "block%u", successor(g, block, k));
        json_text(j, NULL, name);
    }
    json_close(j, ']');
    json_close(j, '}');
}

static void json_blocks(ShowOut *out, Arena *arena, const Graph *g, const char *text) {
    Json *j = &out->json;
    uint32_t block = NONE;
    open_function(out);
    json_open(j, "declarations", '[');
    next_line(arena, &text); // the function's own
    for (const char *line; (line = next_line(arena, &text));) {
        uint32_t number;
        if (begins_block(line, &number)) {
            if (block == NONE) {
                json_close(j, ']');
                json_open(j, "blocks", '[');
            } else {
                end_block(j, g, block);
            }
            block = number;
            json_open(j, NULL, '{');
            json_text(j, "block", line);
            json_open(j, "lines", '[');
        } else if (*line && *line != '}') {
            json_text(j, NULL, without_indent(line));
        }
    }
    if (block != NONE) end_block(j, g, block);
    json_close(j, ']');
    json_close(j, '}');
}

// ---- Graphviz -------------------------------------------------------------------------------------------------

static void dot_string(const char *text) {
    for (; *text; text++) printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void dot_edges(const Graph *g, uint32_t block) {
    if (block == NONE) return;
    puts("\"]");
    for (uint32_t k = 0; successor(g, block, k) != NONE; k++)
        printf("    block%u -> block%u\n", block, successor(g, block, k));
}

static void dot_blocks(const ShowOut *out, Arena *arena, const Graph *g, const char *text) {
    uint32_t block = NONE;
    fputs("digraph \"", stdout);
    dot_string(out->function);
    puts("\" {\n    node [shape=box fontname=monospace]");
    next_line(arena, &text);
    for (const char *line; (line = next_line(arena, &text));) {
        uint32_t number;
        if (begins_block(line, &number)) {
            dot_edges(g, block);
            block = number;
            printf("    block%u [label=\"", block);
        }
        if (block == NONE || !*line || *line == '}') continue;
        dot_string(without_indent(line));
        fputs("\\l", stdout);
    }
    dot_edges(g, block);
    puts("}");
}

// ---- the interface --------------------------------------------------------------------------------------------

void show_begin(ShowOut *out, const char *file, const char *stage, const char *target) {
    if (out->format != SHOW_JSON) return;
    out->json = json_begin();
    json_text(&out->json, "file", file);
    json_text(&out->json, "stage", stage);
    json_text(&out->json, "target", target);
    json_open(&out->json, "functions", '[');
}

void show_end(ShowOut *out) {
    if (out->format != SHOW_JSON) return;
    json_close(&out->json, ']');
    json_end(&out->json);
}

static void show_blocks(ShowOut *out, Arena *arena, const Graph *g, Buf *text) {
    if (out->format == SHOW_JSON) json_blocks(out, arena, g, buf_str(text));
    else if (out->format == SHOW_DOT) dot_blocks(out, arena, g, buf_str(text));
    else puts(buf_str(text));
}

void show_ir(ShowOut *out, const Func *f) {
    Arena *arena = arena_new(f->ctx);
    Buf text = buf_new(arena);
    ir_write(f, &text);
    show_blocks(out, arena, &(Graph){.f = f}, &text);
    arena_free(arena);
}

void show_machine(ShowOut *out, const MFunc *m) {
    Arena *arena = arena_new(m->ir->ctx);
    Buf text = buf_new(arena);
    mfunc_write(m, &text);
    show_blocks(out, arena, &(Graph){.m = m}, &text);
    arena_free(arena);
}

static bool is_byte(const char *c, const char *end) {
    return end - c >= 3 && *c == ' ' && isxdigit((unsigned char)c[1]) && isxdigit((unsigned char)c[2]) &&
           (end - c == 3 || c[3] == ' ');
}

// A line of a listing: `     3:  48 89 c8   movq %rcx, %rax`.
static void json_code_line(Json *j, const char *line, const char *end) {
    const char *c = memchr(line, ':', (size_t)(end - line));
    json_open(j, NULL, '{');
    json_number(j, "at", strtoull(line, NULL, 16));
    json_element(j, "bytes");
    putchar('"');
    for (c = c ? c + 2 : end; is_byte(c, end); c += 3) printf("%.2s", c + 1);
    putchar('"');
    while (c < end && *c == ' ') c++;
    json_element(j, "text");
    json_string(c, (size_t)(end - c));
    json_close(j, '}');
}

void show_code(ShowOut *out, const char *listing) {
    if (out->format != SHOW_JSON) {
        printf("%s:\n%s\n", out->function, listing);
        return;
    }
    open_function(out);
    json_open(&out->json, "code", '[');
    for (const char *line = listing; *line;) {
        size_t n = strcspn(line, "\n");
        json_code_line(&out->json, line, line + n);
        line += n + (line[n] == '\n');
    }
    json_close(&out->json, ']');
    json_close(&out->json, '}');
}

void show_lines(ShowOut *out, const char *text) {
    if (out->format != SHOW_JSON) {
        fputs(text, stdout);
        return;
    }
    open_function(out);
    json_open(&out->json, "lines", '[');
    while (*text) {
        size_t n = strcspn(text, "\n");
        json_element(&out->json, NULL);
        json_string(text, n);
        text += n + (text[n] == '\n');
    }
    json_close(&out->json, ']');
    json_close(&out->json, '}');
}
