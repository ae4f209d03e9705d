#include "ways_text.h"

#include <stdio.h>
#include <string.h>

enum { NAME_WIDTH = 36, LINE_WIDTH = 118, NAME_BYTES = 128 };

const char *way_word(const OpRow *row) {
    static const char *const words[] = {[WAY_DRIVER] = "core",
                                        [WAY_SELECTED] = "selected",
                                        [WAY_EXPANDED] = "expanded",
                                        [WAY_LIBCALL] = "library",
                                        [WAY_UNSUPPORTED] = "unsupported"};
    return words[row->way];
}

const OpChoice *way_with_feature(const Target *t, const OpRow *row) {
    if (row->way != WAY_EXPANDED && row->way != WAY_LIBCALL) return NULL;
    for (unsigned k = 0; k < row->n; k++) {
        const OpChoice *c = way_choice(t, row, k);
        if (c->features && c->total) return c;
    }
    return NULL;
}

// ---- one machine ----------------------------------------------------------------------------------

static void print_features(const Target *t, uint64_t features) {
    for (unsigned k = 0; k < t->n_features; k++) {
        if (features >> k & 1) printf(" %s", t->features[k].name);
    }
}

// Words that are broken into lines which start under the first of them.
typedef struct Flow {
    int column, indent;
} Flow;

static void flow_word(Flow *flow, const char *word) {
    int width = (int)strlen(word) + 1;
    if (flow->column + width > LINE_WIDTH && flow->column > flow->indent) {
        printf("\n%*s", flow->indent, "");
        flow->column = flow->indent;
    }
    flow->column += width;
    printf(" %s", word);
}

static bool is_pattern(const OpChoice *c) { return c->kind == CHOICE_DERIVED || c->kind == CHOICE_RULE; }

// Whether a choice of the row before the k-th has the same name: forms of one rule.
static bool is_repeated(const Target *t, const OpRow *row, unsigned k) {
    const OpChoice *c = way_choice(t, row, k);
    for (unsigned j = 0; j < k; j++) {
        const OpChoice *d = way_choice(t, row, j);
        if (!strcmp(c->name, d->name) && c->total == d->total && is_pattern(c) == is_pattern(d)) return true;
    }
    return false;
}

static void flow_choices(Flow *flow, const Target *t, const OpRow *row, bool pattern, bool total, const char *before) {
    for (unsigned k = 0; k < row->n; k++) {
        const OpChoice *c = way_choice(t, row, k);
        if (is_pattern(c) != pattern || c->total != total || is_repeated(t, row, k)) continue;
        if (before) flow_word(flow, before);
        before = NULL;
        flow_word(flow, c->name);
    }
}

static void flow_featured(Flow *flow, const Target *t, const OpRow *row) {
    for (unsigned k = 0; k < row->n; k++) {
        const OpChoice *c = way_choice(t, row, k);
        if (!c->total || !c->features || is_repeated(t, row, k)) continue;
        flow_word(flow, "with");
        for (unsigned f = 0; f < t->n_features; f++) {
            if (c->features >> f & 1) flow_word(flow, t->features[f].name);
        }
        flow_word(flow, "by");
        flow_word(flow, c->name);
    }
}

static void print_choice(const Target *t, const OpChoice *c) {
    printf("        %-20s %s", c->name, c->pattern);
    if (c->guard) printf(" if %s", c->guard);
    if (c->features) printf(" requires");
    print_features(t, c->features);
    printf("%s%s  (md/%s.md:%u)\n", *c->result ? "  =>  " : "", c->result, is_pattern(c) ? t->name : "expand", c->line);
}

static void row_name(const OpRow *row, char *name) {
    int n = snprintf(name, NAME_BYTES, "%s", op_name((Op)row->op));
    if (row->control != T_none) n += snprintf(name + n, NAME_BYTES - (size_t)n, ".%s", type_name((Type)row->control));
    if (row->operand != T_none) snprintf(name + n, NAME_BYTES - (size_t)n, " from %s", type_name((Type)row->operand));
}

static void print_row(const Target *t, const OpRow *row, bool patterns) {
    char name[NAME_BYTES];
    row_name(row, name);
    printf("  %-*s %s", NAME_WIDTH, name, way_word(row));
    Flow flow = {.column = NAME_WIDTH + 3 + (int)strlen(way_word(row)), .indent = NAME_WIDTH + 2};
    bool selected = row->way == WAY_SELECTED;
    if (row->way == WAY_UNSUPPORTED) printf(": %s", row->why);
    flow_choices(&flow, t, row, selected, true, selected ? "by" : "as");
    if (!selected) flow_choices(&flow, t, row, false, false, "or");
    if (!selected) flow_featured(&flow, t, row);
    flow_choices(&flow, t, row, true, false, "and in special shapes");
    putchar('\n');
    for (unsigned k = 0; patterns && k < row->n; k++) print_choice(t, way_choice(t, row, k));
}

void ways_print(const Target *t, bool missing, bool patterns) {
    const Ways *w = t->ways;
    for (unsigned k = 0; k < w->n_rows; k++) {
        if (!missing || (w->rows[k].way != WAY_SELECTED && w->rows[k].way != WAY_DRIVER))
            print_row(t, &w->rows[k], patterns);
    }
    if (!patterns) return;
    puts("\nConditions");
    for (unsigned k = 0; k < w->n_conds; k++) print_choice(t, &w->choices[w->lists[w->conds + k]]);
}

// ---- all machines ------------------------------------------------------------------------------------

// Rows stand in the same order on every machine: they are the choices of types in md/ir.md.
static bool same_ways(unsigned a, unsigned b) {
    for (const Target *const *t = targets_all; *t; t++) {
        const OpRow *x = &(*t)->ways->rows[a];
        const OpRow *y = &(*t)->ways->rows[b];
        if (x->way != y->way || !way_with_feature(*t, x) != !way_with_feature(*t, y)) return false;
    }
    return true;
}

static bool in_run(const OpRow *rows, unsigned n, unsigned k, unsigned first) {
    return k < n && rows[k].op == rows[first].op && rows[k].control == rows[first].control;
}

// Whether the rows from a on and from b on, each with one controlling type, have the same operands and ways.
static bool same_runs(const OpRow *rows, unsigned n, unsigned a, unsigned b) {
    unsigned k = 0;
    for (; in_run(rows, n, a + k, a) && in_run(rows, n, b + k, b); k++) {
        if (rows[a + k].operand != rows[b + k].operand || !same_ways(a + k, b + k)) return false;
    }
    return !in_run(rows, n, a + k, a) && !in_run(rows, n, b + k, b);
}

static unsigned end_of_run(const OpRow *rows, unsigned n, unsigned first) {
    unsigned k = first;
    while (in_run(rows, n, k, first)) k++;
    return k;
}

static void print_cells(unsigned row) {
    for (const Target *const *t = targets_all; *t; t++) {
        const OpRow *r = &(*t)->ways->rows[row];
        char cell[32];
        snprintf(cell, sizeof cell, "%s%s", way_word(r), way_with_feature(*t, r) ? "*" : "");
        printf(t[1] ? " %-12s" : " %s", cell);
    }
    putchar('\n');
}

// The rows [first, end) of one controlling type: a line for all operands that are treated alike. `name`: opcode and
// controlling types.
static void print_run(const OpRow *rows, unsigned first, unsigned end, const char *name) {
    for (unsigned k = first; k < end; k++) {
        bool told = false;
        for (unsigned j = first; j < k && !told; j++) told = same_ways(j, k);
        if (told) continue;
        char line[NAME_BYTES];
        size_t at = (size_t)snprintf(line, sizeof line, "%s", name);
        for (unsigned j = k; j < end && rows[k].operand != T_none; j++) {
            if (same_ways(j, k) && at < sizeof line)
                at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", j == k ? " from " : "|",
                                       type_name((Type)rows[j].operand));
        }
        printf("  %-46s", line);
        print_cells(k);
    }
}

void ways_print_matrix(void) {
    if (!targets_all[0]) return;
    const OpRow *rows = targets_all[0]->ways->rows;
    unsigned n = targets_all[0]->ways->n_rows;
    printf("  %-46s", "");
    for (const Target *const *t = targets_all; *t; t++) printf(t[1] ? " %-12s" : " %s", (*t)->name);
    putchar('\n');
    unsigned op_start = 0;
    for (unsigned k = 0; k < n; k = end_of_run(rows, n, k)) {
        if (rows[k].op != rows[op_start].op) op_start = k;
        bool told = false;
        for (unsigned j = op_start; j < k && !told; j = end_of_run(rows, n, j)) told = same_runs(rows, n, j, k);
        if (told) continue;
        char name[NAME_BYTES];
        size_t at = (size_t)snprintf(name, sizeof name, "%s", op_name((Op)rows[k].op));
        for (unsigned j = k; j < n && rows[j].op == rows[k].op; j = end_of_run(rows, n, j)) {
            if (rows[j].control != T_none && same_runs(rows, n, k, j))
                at += (size_t)snprintf(name + at, sizeof name - at, "%c%s", j == k ? '.' : '|',
                                       type_name((Type)rows[j].control));
        }
        print_run(rows, k, end_of_run(rows, n, k), name);
    }
    puts("  * selected as machine instructions where the machine has a feature\n"
         "  core: by the back end itself; library: by a call of the run-time library");
}
