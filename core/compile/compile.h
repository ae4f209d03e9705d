// The pipeline of one function: verify, passes, expansion, selection, allocation (checked when asked), emission.
#ifndef VTR_COMPILE_COMPILE_H
#define VTR_COMPILE_COMPILE_H

#include "emit/code.h"
#include "passes/pipeline.h"
#include "regalloc/regalloc.h"

typedef enum CompileStage {
    STAGE_IR,     // as given
    STAGE_OPT,    // after the passes; opcodes the target lacks are expanded
    STAGE_SELECT, // machine instructions with virtual registers
    STAGE_ALLOC,  // with physical registers; not on a stack machine
    STAGE_ASM,    // emitted bytes
    N_STAGES
} CompileStage;

// What a dump callback is shown: the parts that exist at the stage, the others NULL.
typedef struct CompileView {
    CompileStage stage;
    const Func *func;
    const MFunc *mfunc;
    const Code *code;
} CompileView;

typedef struct CompileOptions {
    const Target *target;
    uint64_t features; // target features that may be used (Target.host_features() for the host)
    OptLevel opt;
    bool check;    // verify after every pass and prove the allocation (verify/ra_check.c)
    uint64_t fuel; // rewrites the passes may make, for bisecting a miscompile; 0 = no limit
    TrapStyle traps;
    const Stress *stress; // NULL = none
    Arena *scratch;       // for everything that dies with the compile; reset at its end. NULL = one is made and freed
    void (*dump)(void *user, const CompileView *view);                     // NULL = none
    void (*dump_pass)(void *user, const char *pass, const Func *f);        // called after each pass; NULL = none
    void (*time_pass)(void *user, const char *pass, uint64_t nanoseconds); // likewise
    void *dump_user;                                                       // for these three
    Buf *trace; // gets the rules that selection takes; NULL = none
    // Nanoseconds spent per stage are added here (N_STAGES entries); NULL = not measured.
    uint64_t *times;
} CompileOptions;

// Compiles `f`, which has passed the verifier and which the passes may change, and makes the code in `out`. Throws
// VTR_ERR_UNSUPPORTED or VTR_ERR_LIMIT naming the instruction when the target cannot do it.
// f->arena may be any arena but options->scratch.
Code *compile_func(Arena *out, Func *f, const CompileOptions *options);

#endif
