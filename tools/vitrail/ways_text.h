// What becomes of each opcode, as text: shared by the forms in which `vitrail targets` prints it.
#ifndef VITRAIL_WAYS_TEXT_H
#define VITRAIL_WAYS_TEXT_H

#include "select/ways.h"

// One word for what becomes of a row: "selected", "expanded", "library", "core", "unsupported".
const char *way_word(const OpRow *row);
// The choice that selects an expanded row whatever its operands are where the machine has its features, or NULL.
const OpChoice *way_with_feature(const Target *t, const OpRow *row);
static inline const OpChoice *way_choice(const Target *t, const OpRow *row, unsigned k) {
    return &t->ways->choices[t->ways->lists[row->first + k]];
}

// All machines in one table: a line for each opcode and the types that are treated alike everywhere.
void ways_print_matrix(void);
// One machine: a line for each row. `missing`: only those that are not selected. `patterns`: every choice on a line.
void ways_print(const Target *t, bool missing, bool patterns);
// Everything about machines as JSON: one, or all in a list when t is NULL.
void targets_print_json(const Target *t);

#endif
