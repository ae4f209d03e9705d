// vitrail run for modules of bytecode whose code is a WebAssembly module.
#ifndef VITRAIL_RUN_ENGINE_H
#define VITRAIL_RUN_ENGINE_H

#include "engine.h"
#include "regalloc/regalloc.h"
#include "select/target.h"
#include "vitrail.h"

typedef struct EngineRun {
    const char *file;  // for messages
    const char *entry; // exported function, NULL = the module's entry
    char **args;
    int n_args;
    const Target *target;
    const char *features; // as in vtr_backend_options
    Stress stress;
    bool speed;
    bool check;
    bool gc_stress;
    bool stats;
    uint64_t timeout; // milliseconds, 0 = none
    bool (*write)(void *user, const char *bytes, size_t n);
    void *write_user;
} EngineRun;

// Returns the exit status; 0: *result is what the function returned.
int run_engine(vtr_context *context, vtr_bytecode *module, const EngineRun *run, vtr_value *result);

// cmd_run.c: reads the arguments of a function with parameters of these types, or says on stderr what is wrong.
bool run_read_args(const vtr_type *types, size_t n, char **args, int n_args, vtr_value *values);

#endif
