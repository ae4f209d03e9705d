// vitrail run for IR text.
#ifndef VITRAIL_RUN_CLIF_H
#define VITRAIL_RUN_CLIF_H

#include "filetest.h"
#include "input.h"

typedef struct ClifArgs {
    const Input *input;
    const char *entry; // a function's name; NULL = the first of the file
    char **args;
    int n_args;
    bool interpret;
    bool speed;
    FiletestMachine machine;
} ClifArgs;

// Returns the program's exit status.
int run_clif(vtr_context *context, const ClifArgs *args);

#endif
