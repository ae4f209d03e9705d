// The optimiser: the table of passes and the one driver that runs it.
#ifndef VTR_PASSES_PIPELINE_H
#define VTR_PASSES_PIPELINE_H

#include "ir/ir.h"

typedef enum OptLevel { OPT_NONE, OPT_SPEED } OptLevel;

struct PassOptions;

// What a pass works with. One per run of the pipeline.
typedef struct Pass {
    Func *f;
    Arena *arena; // freed after the pass
    const struct PassOptions *options;
    uint64_t fuel; // rewrites still allowed
} Pass;

// Takes one unit of fuel; false when there is none left and the rewrite must not happen.
bool pass_burn(Pass *p);

typedef struct PassOptions {
    OptLevel level;
    bool verify;   // run the verifier first and after every pass
    uint64_t fuel; // rewrites allowed in all, for bisecting a miscompile; UINT64_MAX = no limit

    // Which opcodes the target selects itself (Target.covers); the others are expanded. NULL = expand nothing.
    bool (*covers)(Op op, Type control, Type operand, uint64_t features);
    uint64_t features;
    uint32_t stack_align; // of the function's frames; slots aligned beyond it are realigned. 0 = they stay

    // Called after each pass; either may be NULL. `nanoseconds` is the time the pass took.
    void (*dump)(void *user, const char *pass, const Func *f);
    void (*timing)(void *user, const char *pass, uint64_t nanoseconds);
    void *user;
} PassOptions;

// Runs the passes of options->level over f, in table order. Throws VTR_ERR_INTERNAL naming the pass if the verifier
// objects after one, and VTR_ERR_UNSUPPORTED if an opcode is neither covered nor expanded.
void passes_run(Func *f, const PassOptions *options);

// The table, for listings: the index-th pass's name and reason (why may be NULL); false past the end.
bool passes_describe(unsigned index, const char **name, const char **why);

// ---- the passes (each in the file of its name) ---------------------------------------------------

void pass_unreachable(Pass *p);
void pass_simplify(Pass *p);
void pass_branches(Pass *p);
void pass_gvn(Pass *p);
void pass_facts(Pass *p);
void pass_licm(Pass *p);
void pass_dce(Pass *p);
void pass_expand(Pass *p);
void pass_slots(Pass *p);

#endif
