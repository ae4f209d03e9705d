// The tables of what becomes of every opcode, against what the selector says and what opcodes there are.
#include <stdio.h>
#include <string.h>

#include "select/ways.h"
#include "unit.h"

static TypeSet free_types(Op op) {
    for (unsigned k = 0; k < op_info[op].n_args; k++) {
        if (op_info[op].args[k].rule == TR_FREE) return op_info[op].args[k].set;
    }
    return 0;
}

static bool fits(Op op, Type control, Type operand) {
    switch (op_info[op].when) {
    case WHEN_ARG_NARROWER: return type_bits(operand) < type_bits(control);
    case WHEN_ARG_WIDER: return type_bits(operand) > type_bits(control);
    case WHEN_ARG_SAME: return type_bits(operand) == type_bits(control);
    default: return true;
    }
}

static const char *row_text(const Target *t, const OpRow *row) {
    static char text[96];
    snprintf(text, sizeof text, "%s: %s.%s from %s", t->name, op_name((Op)row->op),
             row->control ? type_name((Type)row->control) : "", row->operand ? type_name((Type)row->operand) : "");
    return text;
}

static unsigned count_row(const Ways *w, unsigned op, unsigned control, unsigned operand) {
    unsigned n = 0;
    for (unsigned k = 0; k < w->n_rows; k++)
        n += w->rows[k].op == op && w->rows[k].control == control && w->rows[k].operand == operand;
    return n;
}

// Every choice of types of every opcode has one row, and there are no others.
START_TEST(rows_are_those_of_the_ir) {
    for (const Target *const *t = targets_all; *t; t++) {
        unsigned n = 0;
        for (unsigned op = 0; op < N_OPS; op++) {
            TypeSet operands = free_types((Op)op);
            for (unsigned control = 0; control < N_TYPES; control++) {
                if (op_info[op].types ? !type_in((Type)control, op_info[op].types) : control != T_none) continue;
                for (unsigned operand = 0; operand < N_TYPES; operand++) {
                    if (operand ? !type_in((Type)operand, operands) : operands != 0) continue;
                    if (operand && !fits((Op)op, (Type)control, (Type)operand)) continue;
                    n++;
                    ck_assert_msg(count_row((*t)->ways, op, control, operand) == 1, "%s: %s.%s: %u rows", (*t)->name,
                                  op_name((Op)op), control ? type_name((Type)control) : "",
                                  count_row((*t)->ways, op, control, operand));
                }
            }
        }
        ck_assert_uint_eq(n, (*t)->ways->n_rows);
    }
}
END_TEST

static bool has_choice(const Target *t, const OpRow *row, bool pattern, bool featured) {
    for (unsigned k = 0; k < row->n; k++) {
        const OpChoice *c = &t->ways->choices[t->ways->lists[row->first + k]];
        bool is_pattern = c->kind == CHOICE_DERIVED || c->kind == CHOICE_RULE;
        ck_assert_msg(c->line > 0 && *c->name && *c->pattern, "%s: an empty choice", row_text(t, row));
        if (c->total && is_pattern == pattern && (c->features != 0) == featured) return true;
    }
    return false;
}

// The rows say what Target.covers says, without features and with all of them.
START_TEST(ways_are_the_selectors) {
    for (const Target *const *t = targets_all; *t; t++) {
        for (unsigned k = 0; k < (*t)->ways->n_rows; k++) {
            const OpRow *row = &(*t)->ways->rows[k];
            bool plain = (*t)->covers((Op)row->op, (Type)row->control, (Type)row->operand, 0);
            bool all = (*t)->covers((Op)row->op, (Type)row->control, (Type)row->operand, UINT64_MAX);
            bool always = row->way == WAY_DRIVER || row->way == WAY_SELECTED;
            ck_assert_msg(plain == always, "%s: covered: %d", row_text(*t, row), plain);
            ck_assert_msg(all == (always || has_choice(*t, row, true, true)), "%s: with all features covered: %d",
                          row_text(*t, row), all);
        }
    }
}
END_TEST

START_TEST(ways_have_choices_or_reasons) {
    for (const Target *const *t = targets_all; *t; t++) {
        unsigned n[WAY_UNSUPPORTED + 1] = {0};
        for (unsigned k = 0; k < (*t)->ways->n_rows; k++) {
            const OpRow *row = &(*t)->ways->rows[k];
            n[row->way]++;
            const char *text = row_text(*t, row);
            if (row->way == WAY_SELECTED) ck_assert_msg(has_choice(*t, row, true, false), "%s: by nothing", text);
            if (row->way == WAY_EXPANDED || row->way == WAY_LIBCALL)
                ck_assert_msg(has_choice(*t, row, false, false), "%s: to nothing", text);
            ck_assert_msg((row->why != NULL) == (row->way == WAY_UNSUPPORTED), "%s: reason", text);
        }
        ck_assert_uint_gt(n[WAY_DRIVER], 5);
        ck_assert_uint_gt(n[WAY_SELECTED], 50);
        ck_assert_uint_gt(n[WAY_EXPANDED], 10);
    }
}
END_TEST

static const OpRow *find(const Target *t, Op op, Type control, Type operand) {
    for (unsigned k = 0; k < t->ways->n_rows; k++) {
        const OpRow *row = &t->ways->rows[k];
        if (row->op == op && row->control == control && row->operand == operand) return row;
    }
    ck_abort_msg("no row");
    return NULL;
}

START_TEST(known_rows) {
    const Target *t = target_find("x86_64");
    ck_assert_uint_eq(find(t, OP_iadd, T_i32, T_none)->way, WAY_SELECTED);
    ck_assert_uint_eq(find(t, OP_jump, T_none, T_none)->way, WAY_DRIVER);
    ck_assert_uint_eq(find(t, OP_ceil, T_f64, T_none)->way, WAY_LIBCALL);
    ck_assert_uint_eq(find(t, OP_bitrev, T_i8, T_none)->way, WAY_EXPANDED);
    const OpRow *row = find(t, OP_func_addr, T_i32, T_none);
    ck_assert_uint_eq(row->way, WAY_UNSUPPORTED);
    ck_assert_str_eq(row->why, "addresses have 64 bits");
    // A pattern that wants a load of another type than the operand's is no choice of the row.
    row = find(t, OP_sextend, T_i64, T_i8);
    for (unsigned k = 0; k < row->n; k++) {
        const OpChoice *c = &t->ways->choices[t->ways->lists[row->first + k]];
        ck_assert_msg(!strstr(c->pattern, "load.i16") && !strstr(c->pattern, "load.i32"), "%s", c->pattern);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("tables");
    tcase_add_test(tc, rows_are_those_of_the_ir);
    tcase_add_test(tc, ways_are_the_selectors);
    tcase_add_test(tc, ways_have_choices_or_reasons);
    tcase_add_test(tc, known_rows);
    return run_tests("ways", tc);
}
