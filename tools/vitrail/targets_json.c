// `vitrail targets --json`.
#include <stdio.h>

#include "ways_text.h"

typedef struct Json {
    unsigned depth;
    bool first; // nothing stands yet between the innermost brackets
} Json;

static void print_string(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20) printf("\\u%04x", (unsigned)*text);
        else printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    putchar('"');
}

// Begins an element: what separates it from the one before, and its key (NULL in lists).
static void element(Json *j, const char *key) {
    printf("%s%*s", j->first ? "\n" : ",\n", (int)(2 * j->depth), "");
    j->first = false;
    if (!key) return;
    print_string(key);
    fputs(": ", stdout);
}

static void open(Json *j, const char *key, char bracket) {
    element(j, key);
    putchar(bracket);
    j->depth++;
    j->first = true;
}

static void close(Json *j, char bracket) {
    j->depth--;
    if (!j->first) printf("\n%*s", (int)(2 * j->depth), "");
    j->first = false;
    putchar(bracket);
}

static void put_text(Json *j, const char *key, const char *text) {
    if (!text) return;
    element(j, key);
    print_string(text);
}

static void put_number(Json *j, const char *key, unsigned n) {
    element(j, key);
    printf("%u", n);
}

static void put_bool(Json *j, const char *key, bool x) {
    element(j, key);
    fputs(x ? "true" : "false", stdout);
}

// Names on one line.
static void put_regset(Json *j, const char *key, const Target *t, RegSet set) {
    element(j, key);
    const char *between = "[";
    for (unsigned r = 0; r < t->n_regs; r++) {
        if (!regset_has(set, r)) continue;
        fputs(between, stdout);
        print_string(t->regs[r].name);
        between = ", ";
    }
    fputs(*between == '[' ? "[]" : "]", stdout);
}

static void put_regs(Json *j, const char *key, const Target *t, const uint8_t *regs, unsigned n) {
    element(j, key);
    putchar('[');
    for (unsigned k = 0; k < n; k++) {
        if (k) fputs(", ", stdout);
        print_string(t->regs[regs[k]].name);
    }
    putchar(']');
}

static void put_features(Json *j, const Target *t, uint64_t features) {
    open(j, "requires", '[');
    for (unsigned k = 0; k < t->n_features; k++) {
        if (features >> k & 1) put_text(j, NULL, t->features[k].name);
    }
    close(j, ']');
}

static void put_choice(Json *j, const Target *t, const OpChoice *c) {
    static const char *const kinds[] = {[CHOICE_DERIVED] = "derived",
                                        [CHOICE_RULE] = "rule",
                                        [CHOICE_EXPANSION] = "expansion",
                                        [CHOICE_LIBCALL] = "library"};
    open(j, NULL, '{');
    put_text(j, "name", c->name);
    put_text(j, "kind", kinds[c->kind]);
    put_text(j, "pattern", c->pattern);
    put_text(j, "if", c->guard);
    put_text(j, "result", c->result);
    if (c->features) put_features(j, t, c->features);
    put_bool(j, "any_operands", c->total);
    put_number(j, "line", c->line);
    close(j, '}');
}

static void put_rows(Json *j, const Target *t) {
    open(j, "opcodes", '[');
    for (unsigned r = 0; r < t->ways->n_rows; r++) {
        const OpRow *row = &t->ways->rows[r];
        open(j, NULL, '{');
        put_text(j, "op", op_name((Op)row->op));
        if (row->control != T_none) put_text(j, "type", type_name((Type)row->control));
        if (row->operand != T_none) put_text(j, "from", type_name((Type)row->operand));
        put_text(j, "way", way_word(row));
        put_text(j, "why", row->why);
        open(j, "choices", '[');
        for (unsigned k = 0; k < row->n; k++) put_choice(j, t, way_choice(t, row, k));
        close(j, ']');
        close(j, '}');
    }
    close(j, ']');
    open(j, "conditions", '[');
    for (unsigned k = 0; k < t->ways->n_conds; k++)
        put_choice(j, t, &t->ways->choices[t->ways->lists[t->ways->conds + k]]);
    close(j, ']');
}

static void put_conventions(Json *j, const Target *t) {
    open(j, "conventions", '[');
    for (unsigned k = 0; k < t->n_abis; k++) {
        const Abi *a = &t->abis[k];
        open(j, NULL, '{');
        put_text(j, "name", a->name);
        put_bool(j, "values", a->values);
        put_regs(j, "int_args", t, a->int_args, a->n_int_args);
        put_regs(j, "float_args", t, a->float_args, a->n_float_args);
        put_regs(j, "int_results", t, a->int_results, a->n_int_results);
        put_regs(j, "float_results", t, a->float_results, a->n_float_results);
        put_regset(j, "preserved", t, a->preserved);
        if (a->link != NO_REG) put_text(j, "link", t->regs[a->link].name);
        put_number(j, "stack_align", a->stack_align);
        close(j, '}');
    }
    close(j, ']');
}

static void put_target(Json *j, const char *key, const Target *t) {
    open(j, key, '{');
    put_text(j, "name", t->name);
    put_number(j, "word_bits", t->word_bits);
    put_number(j, "code_align", t->code_align);
    put_number(j, "instructions", t->n_insts);
    put_bool(j, "stack", t->stack != NULL);
    open(j, "classes", '{');
    for (unsigned c = 0; c < t->n_classes; c++) put_regset(j, t->classes[c].name, t, t->classes[c].regs);
    close(j, '}');
    open(j, "types", '{');
    for (unsigned type = 1; type < N_TYPES; type++) {
        if (t->type_class[type] != NO_CLASS) put_text(j, type_name((Type)type), t->classes[t->type_class[type]].name);
    }
    close(j, '}');
    open(j, "features", '[');
    for (unsigned k = 0; k < t->n_features; k++) put_text(j, NULL, t->features[k].name);
    close(j, ']');
    open(j, "baseline", '[');
    for (unsigned k = 0; k < t->n_features; k++)
        if (t->baseline >> k & 1) put_text(j, NULL, t->features[k].name);
    close(j, ']');
    put_conventions(j, t);
    put_rows(j, t);
    close(j, '}');
}

void targets_print_json(const Target *t) {
    Json j = {0, true};
    putchar('{');
    j.depth = 1;
    open(&j, "targets", '[');
    for (const Target *const *each = targets_all; *each; each++) {
        if (!t || *each == t) put_target(&j, NULL, *each);
    }
    close(&j, ']');
    close(&j, '}');
    putchar('\n');
}
