// vitrail run for IR text.
#ifndef VITRAIL_RUN_CLIF_H
#define VITRAIL_RUN_CLIF_H

#include "input.h"
#include "regalloc/regalloc.h"

typedef struct ClifArgs {
    const Input *input;
    const char *entry; // a function's name; NULL = the first of the file
    char **args;
    int n_args;
    bool interpret;
    bool speed;
    Stress stress;
} ClifArgs;

// Returns the program's exit status.
int run_clif(vtr_context *context, const ClifArgs *args);

#endif
