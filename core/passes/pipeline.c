#include "passes/pipeline.h"

#include <time.h>

#include "verify/ir_verify.h"

enum { AT_NONE = 1, AT_SPEED = 2 };

typedef struct PassInfo {
    const char *name;
    void (*run)(Pass *p);
    unsigned levels;
    const char *why;
} PassInfo;

// The pipeline, top to bottom. All passes require and keep verified SSA; "makes" and "breaks" stand with each pass.
static const PassInfo table[] = {
    {"unreachable", pass_unreachable, AT_NONE | AT_SPEED,
     "selection and the passes below see only blocks that can run"},
    {"simplify", pass_simplify, AT_SPEED, "folds constants and applies md/rewrite.md, which exposes constant branches"},
    {"branches", pass_branches, AT_SPEED, "folds branches, joins blocks and drops parameters that are one value"},
    {"gvn", pass_gvn, AT_SPEED, "after block parameters became plain values, more expressions are equal"},
    {"simplify-late", pass_simplify, AT_SPEED, "joined blocks and shared values match rules that did not match before"},
    {"facts", pass_facts, AT_SPEED,
     "sees what the source said with equal values equal; the constants it finds are folded after expansion"},
    {"slots", pass_slots, AT_NONE | AT_SPEED,
     "frames have one alignment; the arithmetic of others is code like all other"},
    {"expand", pass_expand, AT_NONE | AT_SPEED, "last to look at opcodes: what the target lacks becomes simpler ones"},
    {"simplify-expanded", pass_simplify, AT_SPEED, "expansions are written for the general case"},
    {"gvn-expanded", pass_gvn, AT_SPEED, "expansions of neighbours share constants and masks"},
    {"expand-again", pass_expand, AT_SPEED, "the rewrites since may have put an opcode back that the target lacks"},
    {"licm", pass_licm, AT_SPEED, "what is left is pure or has to stay; equal values are one, so each moves once"},
    {"dce", pass_dce, AT_SPEED, "removes what the passes above left without users"},
};
enum { N_PASSES = sizeof table / sizeof *table };

bool pass_burn(Pass *p) {
    if (p->fuel == 0) return false;
    p->fuel--;
    return true;
}

bool passes_describe(unsigned index, const char **name, const char **why) {
    if (index >= N_PASSES) return false;
    *name = table[index].name;
    if (why) *why = table[index].why;
    return true;
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void check_after(const PassInfo *pass, const Func *f) {
    if (verify_func(f)) return;
    Buf text = buf_new(f->arena);
    ir_write(f, &text);
    ctx_bug(f->ctx, "pass %s broke the IR of this function:\n%s", pass->name, buf_str(&text));
}

void passes_run(Func *f, const PassOptions *options) {
    unsigned level = options->level == OPT_NONE ? AT_NONE : AT_SPEED;
    Pass p = {.f = f, .options = options, .fuel = options->fuel};
    if (options->verify && !verify_func(f)) ctx_bug(f->ctx, "the IR is wrong before any pass");
    for (unsigned i = 0; i < N_PASSES; i++) {
        if (!(table[i].levels & level)) continue;
        uint64_t start = options->timing ? now_ns() : 0;
        p.arena = arena_new(f->ctx);
        table[i].run(&p);
        arena_free(p.arena);
        if (options->timing) options->timing(options->user, table[i].name, now_ns() - start);
        if (options->verify) check_after(&table[i], f);
        if (options->dump) options->dump(options->user, table[i].name, f);
    }
}
