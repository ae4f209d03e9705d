// `vitrail targets --json`.
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "ways_text.h"

static void json_name(const char *name) { json_string(name, strlen(name)); }

// Names on one line.
static void put_regset(Json *j, const char *key, const Target *t, RegSet set) {
    json_element(j, key);
    const char *between = "[";
    for (unsigned r = 0; r < t->n_regs; r++) {
        if (!regset_has(set, r)) continue;
        fputs(between, stdout);
        json_name(t->regs[r].name);
        between = ", ";
    }
    fputs(*between == '[' ? "[]" : "]", stdout);
}

static void put_regs(Json *j, const char *key, const Target *t, const uint8_t *regs, unsigned n) {
    json_element(j, key);
    putchar('[');
    for (unsigned k = 0; k < n; k++) {
        if (k) fputs(", ", stdout);
        json_name(t->regs[regs[k]].name);
    }
    putchar(']');
}

static void put_features(Json *j, const Target *t, uint64_t features) {
    json_open(j, "requires", '[');
    for (unsigned k = 0; k < t->n_features; k++) {
        if (features >> k & 1) json_text(j, NULL, t->features[k].name);
    }
    json_close(j, ']');
}

static void put_choice(Json *j, const Target *t, const OpChoice *c) {
    static const char *const kinds[] = {[CHOICE_DERIVED] = "derived",
                                        [CHOICE_RULE] = "rule",
                                        [CHOICE_EXPANSION] = "expansion",
                                        [CHOICE_LIBCALL] = "library"};
    json_open(j, NULL, '{');
    json_text(j, "name", c->name);
    json_text(j, "kind", kinds[c->kind]);
    json_text(j, "pattern", c->pattern);
    json_text(j, "if", c->guard);
    json_text(j, "result", c->result);
    if (c->features) put_features(j, t, c->features);
    json_bool(j, "any_operands", c->total);
    json_number(j, "line", c->line);
    json_close(j, '}');
}

static void put_rows(Json *j, const Target *t) {
    json_open(j, "opcodes", '[');
    for (unsigned r = 0; r < t->ways->n_rows; r++) {
        const OpRow *row = &t->ways->rows[r];
        json_open(j, NULL, '{');
        json_text(j, "op", op_name((Op)row->op));
        if (row->control != T_none) json_text(j, "type", type_name((Type)row->control));
        if (row->operand != T_none) json_text(j, "from", type_name((Type)row->operand));
        json_text(j, "way", way_word(row));
        json_text(j, "why", row->why);
        json_open(j, "choices", '[');
        for (unsigned k = 0; k < row->n; k++) put_choice(j, t, way_choice(t, row, k));
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
    json_open(j, "conditions", '[');
    for (unsigned k = 0; k < t->ways->n_conds; k++)
        put_choice(j, t, &t->ways->choices[t->ways->lists[t->ways->conds + k]]);
    json_close(j, ']');
}

static void put_conventions(Json *j, const Target *t) {
    json_open(j, "conventions", '[');
    for (unsigned k = 0; k < t->n_abis; k++) {
        const Abi *a = &t->abis[k];
        json_open(j, NULL, '{');
        json_text(j, "name", a->name);
        json_bool(j, "values", a->values);
        put_regs(j, "int_args", t, a->int_args, a->n_int_args);
        put_regs(j, "float_args", t, a->float_args, a->n_float_args);
        put_regs(j, "int_results", t, a->int_results, a->n_int_results);
        put_regs(j, "float_results", t, a->float_results, a->n_float_results);
        put_regset(j, "preserved", t, a->preserved);
        if (a->link != NO_REG) json_text(j, "link", t->regs[a->link].name);
        json_number(j, "stack_align", a->stack_align);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_target(Json *j, const char *key, const Target *t) {
    json_open(j, key, '{');
    json_text(j, "name", t->name);
    json_number(j, "word_bits", t->word_bits);
    json_number(j, "code_align", t->code_align);
    json_number(j, "instructions", t->n_insts);
    json_bool(j, "stack", t->stack != NULL);
    json_open(j, "classes", '{');
    for (unsigned c = 0; c < t->n_classes; c++) put_regset(j, t->classes[c].name, t, t->classes[c].regs);
    json_close(j, '}');
    json_open(j, "types", '{');
    for (unsigned type = 1; type < N_TYPES; type++) {
        if (t->type_class[type] != NO_CLASS) json_text(j, type_name((Type)type), t->classes[t->type_class[type]].name);
    }
    json_close(j, '}');
    json_open(j, "features", '[');
    for (unsigned k = 0; k < t->n_features; k++) json_text(j, NULL, t->features[k].name);
    json_close(j, ']');
    json_open(j, "baseline", '[');
    for (unsigned k = 0; k < t->n_features; k++)
        if (t->baseline >> k & 1) json_text(j, NULL, t->features[k].name);
    json_close(j, ']');
    put_conventions(j, t);
    put_rows(j, t);
    json_close(j, '}');
}

void targets_print_json(const Target *t) {
    Json j = json_begin();
    json_open(&j, "targets", '[');
    for (const Target *const *each = targets_all; *each; each++) {
        if (!t || *each == t) put_target(&j, NULL, *each);
    }
    json_close(&j, ']');
    json_end(&j);
}
