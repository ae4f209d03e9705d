// File tests: .clif files whose comments say what a call must give (`; run: %f(1, 2) == 3`). Reading and judging
// them stands here, running a function is an engine's business.
#ifndef VITRAIL_FILETEST_H
#define VITRAIL_FILETEST_H

#include "ir/ir.h"
#include "regalloc/regalloc.h"
#include "select/target.h"

typedef enum FiletestResult {
    FILETEST_RAN,    // results are there
    FILETEST_FAILED, // trapped or could not run; *why tells
    FILETEST_SKIP,   // cannot be run here, and that is no fault of the test; *why tells
} FiletestResult;

// A run directive.
typedef struct FiletestDirective {
    const char *name; // as written, without the %
    uint32_t name_len;
    uint64_t *args; // cells, zero-extended bits
    uint64_t *expected;
    uint32_t n_args;
    uint32_t n_expected;
    bool differs; // != instead of ==
    bool bare;    // `run` alone: no arguments, and the result is not 0
} FiletestDirective;

typedef struct FiletestEngine {
    const char *name;
    // The `test` line that a file must have, "interpret" or "run".
    const char *command;
    // NULL, or the architecture that one of the file's `target` lines must name ("x86_64"); "" = that of any machine
    // that this program has code for.
    const char *target;
    // The function called: the one that the directive names (test interpret), or that it is attached to (test run).
    bool by_name;
    // Makes functions ready that have passed the verifier. NULL when that is impossible: *why tells, *result
    // whether it is a failure. May throw; everything in `arena` goes with the file. `options` are the engine's own.
    void *(*open)(const void *options, Arena *arena, const IrFile *file, Func **funcs, uint32_t n,
                  FiletestResult *result, const char **why);
    // One cell per argument and result, zero-extended bits. May throw.
    FiletestResult (*call)(void *state, const Func *f, const uint64_t *args, uint64_t *results, const char **why);
    // Instead of call, where tests are run later: keeps a directive. `place` is its file and line.
    void (*keep)(void *state, const Func *f, const FiletestDirective *d, const char *place, const char *text);
    void (*close)(void *state); // may be NULL
    const void *options;        // filetest_native_*: a FiletestMachine; filetest_object: a FiletestObject
} FiletestEngine;

// How machine code is made and run.
typedef struct FiletestMachine {
    const Target *target; // NULL = the host's; another one is simulated
    bool simulate;        // the host's as well
    const char *features; // as in vtr_backend_options
    Stress stress;
    struct Engine *engine; // what runs the code of a stack machine (engine.h), else NULL
} FiletestMachine;

typedef struct FiletestGroup {
    char *name;
    unsigned files, passed, failed, skipped;
} FiletestGroup;

typedef struct FiletestRun {
    const FiletestEngine *engine;
    bool quiet; // do not name skipped files
    bool json;  // report as JSON on standard output, and say what failed on stderr
    FiletestGroup *groups;
    unsigned n_groups;
    const char *group_table; // text of a table "file <tab> group <tab> ..." that names groups, or NULL
    unsigned passed, failed, skipped;
} FiletestRun;

// Runs one file, or every .clif file under a directory in the order of their names. False: the path cannot be read.
bool filetest_path(FiletestRun *run, const char *path);
// The table by group and the line `N passed, N failed, N skipped`, or the same as JSON, counting directives.
void filetest_report(const FiletestRun *run);
void filetest_free(FiletestRun *run);

// The engine of the IR interpreter.
extern const FiletestEngine filetest_interpreter;
// The engines of machine code, at each level; every allocation is proved. `target` is the caller's to set.
extern const FiletestEngine filetest_native_none;
extern const FiletestEngine filetest_native_speed;
// The same for stack machines, whose code an engine runs: `engine` of the FiletestMachine.
extern const FiletestEngine filetest_engine_none;
extern const FiletestEngine filetest_engine_speed;
// Runs nothing: compiles the functions and keeps the directives in an object, its `options` (a pointer to a
// FiletestObject *), to be linked with something that runs them (tests/aot/run_tests.c).
extern const FiletestEngine filetest_object;
typedef struct FiletestObject FiletestObject;
// The features that its code may use. Throws VTR_ERR_NOT_FOUND.
uint64_t filetest_features(Ctx *ctx, const FiletestMachine *machine);
// In the context, with which it ends. NULL: there is a diagnostic.
FiletestObject *filetest_object_new(vtr_context *context, const FiletestMachine *machine, bool speed);
bool filetest_object_write(FiletestObject *tests, const char *path); // false: errno tells

#endif
