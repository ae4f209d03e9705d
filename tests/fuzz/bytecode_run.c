#include "bytecode_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode_shape.h"
#include "program/program.h"

enum { FUEL = 2000, DEPTH = 50, HEAP = 1 << 18, MOST_ENGINES = 3 };

typedef struct Run {
    vtr_context *ctx;
    const BcModule *m;
    uint64_t seed;
    vtr_program *programs[MOST_ENGINES]; // the interpreter first
    const char *names[MOST_ENGINES];
    bool lost[MOST_ENGINES]; // its state is another since it ran out of something
    RunStats *stats;
} Run;

typedef struct Call {
    vtr_program *program;
    uint32_t func;
    uint64_t args[UINT8_MAX];
    uint64_t result;
    uint32_t code;
} Call;

static void call_body(Ctx *ctx, void *arg) {
    Call *call = arg;
    (void)ctx;
    call->result = 0;
    if (!call->program->interp) {
        call->code = program_call_native(call->program, call->func, call->args, &call->result);
        return;
    }
    interp_set_fuel(call->program->interp, FUEL);
    call->code = interp_call(call->program->interp, call->func, call->args, &call->result);
}

static void complain(const Run *run, const char *engine, const char *what) {
    vtr_diagnostic_info info = {0};
    vtr_diagnostic(run->ctx, 0, &info);
    fprintf(stderr, "seed %llu, %s: %s %s\n", (unsigned long long)run->seed, engine, what,
            info.message ? info.message : "");
    abort();
}

// ---- which modules ------------------------------------------------------------------------

static bool shows_nan(const BcFunc *f, const BcInst *i) {
    if (i->op == BC_BITC) return bc_is_float(f->regs[i->r[1]]) && !bc_is_float(f->regs[i->r[0]]);
    return i->op == BC_INTR && i->x == BC_INTR_copysign;
}

static bool comparable(const BcModule *m) {
    if (m->low || m->n_imp_globals) return false;
    for (uint32_t k = 0; k < m->n_funcs; k++)
        for (uint32_t i = 0; i < m->funcs[k].n_insts; i++)
            if (shows_nan(&m->funcs[k], &m->funcs[k].insts[i])) return false;
    return true;
}

// ---- comparing ------------------------------------------------------------------------

static bool is_nan(uint32_t type, uint64_t word) {
    if (type == BC_F32) return (word & 0x7fffffff) > 0x7f800000;
    return type == BC_F64 && (word & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

static bool same_word(const BcModule *m, uint32_t type, uint64_t a, uint64_t b) {
    if (type == BC_VOID) return true;
    if (type >= BC_REF || bc_type(m, type)) return !a == !b; // addresses
    uint64_t mask = UINT64_MAX >> (64 - bc_type_width(type));
    return (a & mask) == (b & mask) || (is_nan(type, a) && is_nan(type, b));
}

static bool same_trap(const RtTrap *a, const RtTrap *b) {
    return a->code == b->code && a->depth == b->depth && a->n_frames == b->n_frames &&
           !memcmp(a->frames, b->frames, a->n_frames * sizeof *a->frames);
}

static bool own_limit(uint32_t code) {
    return code == BC_TRAP_STACK || code == BC_TRAP_OOM || code == BC_TRAP_INTERRUPT;
}

static void compare(Run *run, const Call *a, const Call *b, unsigned engine) {
    const BcModule *m = run->m;
    Instance *x = a->program->instance;
    Instance *y = b->program->instance;
    uint32_t type = bc_type(m, bc_function_sig(m, a->func))->elem;
    bool same =
        a->code == b->code && (a->code ? same_trap(&x->trap, &y->trap) : same_word(m, type, a->result, b->result));
    for (uint32_t g = 0; g < bc_n_globals(m); g++)
        same &= same_word(m, bc_global_type(m, g), *rt_global(x, g), *rt_global(y, g));
    if (same) return;
    fprintf(stderr, "function %u: 0x%llx, code %u; the interpreter gives 0x%llx, code %u\n", a->func,
            (unsigned long long)b->result, b->code, (unsigned long long)a->result, a->code);
    complain(run, run->names[engine], "another outcome");
}

static uint64_t argument(uint32_t type, uint64_t *state) {
    static const uint64_t edges[] = {0, 1, 2, 7, 10, 63, 64, 255, UINT64_MAX, UINT64_MAX - 1, INT64_MAX, 1u << 31};
    static const double floats[] = {0.0, -0.0, 1.5, -3.75, 1e10, -1e300, 9223372036854775808.0, 0.1};
    uint64_t random = shape_random(state);
    uint64_t word = edges[random % 12];
    if (type >= BC_PTR) return 0;
    if (type == BC_BOOL) return random & 1;
    if (type == BC_F32) {
        float narrow = (float)floats[random % 8];
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        return bits;
    }
    if (type == BC_F64) memcpy(&word, &floats[random % 8], sizeof word);
    if (random >> 32 & 1) word = 1u << (random >> 40) % 32;
    return word & UINT64_MAX >> (64 - bc_type_width(type));
}

static void call_everywhere(Run *run, uint32_t func, uint64_t *state) {
    const BcType *sig = bc_type(run->m, bc_function_sig(run->m, func));
    Call first = {.program = run->programs[0], .func = func};
    for (uint32_t k = 0; k < sig->n; k++) first.args[k] = argument(sig->params[k], state);
    if (ctx_try(run->ctx, call_body, &first) != VTR_OK) complain(run, run->names[0], "failed");
    run->stats->calls++;
    run->stats->traps += first.code != 0;
    run->stats->endless += first.code == BC_TRAP_INTERRUPT;
    run->lost[0] |= own_limit(first.code); // the others may go on, so nothing is comparable from here
    for (unsigned e = 1; e < MOST_ENGINES && !run->lost[0]; e++) {
        Call other = first;
        other.program = run->programs[e];
        if (run->lost[e]) continue;
        if (ctx_try(run->ctx, call_body, &other) != VTR_OK) complain(run, run->names[e], "failed");
        run->lost[e] |= own_limit(other.code);
        if (!run->lost[e]) compare(run, &first, &other, e);
    }
}

// ---- the engines ------------------------------------------------------------------------

static vtr_status five(vtr_program *program, void *user, const vtr_value *args, size_t n, vtr_value *result) {
    (void)program, (void)user, (void)args, (void)n;
    result->as.i = 5;
    return VTR_OK;
}

// False when the module cannot be instantiated (its constants do not fit).
static bool compile(Run *run, const char *target) {
    bool stress = run->seed & 1;
    const vtr_backend_options all[MOST_ENGINES] = {
        {.interpret = true, .max_depth = DEPTH, .heap_limit = HEAP},
        {.opt = VTR_OPT_NONE, .check = true, .target = target, .heap_limit = HEAP, .gc_stress = stress},
        {.opt = VTR_OPT_SPEED, .check = true, .target = target, .heap_limit = HEAP, .gc_stress = stress},
    };
    static const char *const names[MOST_ENGINES] = {"interpreter", "none", "speed"};
    for (unsigned e = 0; e < MOST_ENGINES; e++) {
        vtr_backend *backend;
        run->names[e] = names[e];
        if (vtr_backend_new(run->ctx, &all[e], &backend) != VTR_OK) complain(run, names[e], "no backend");
        if (vtr_backend_define(backend, "time.now_ms", five, NULL) != VTR_OK) complain(run, names[e], "no definition");
        vtr_status status = vtr_backend_compile(backend, run->m, &run->programs[e]);
        vtr_backend_free(backend);
        if (status == VTR_ERR_LIMIT) return false;
        if (status != VTR_OK) complain(run, names[e], vtr_status_name(status));
    }
    return true;
}

// A call that runs into a limit leaves other states behind: all starts again, without that function.
void mutant_run(const BcModule *m, const char *target, uint64_t seed, RunStats *stats) {
    enum { ATTEMPTS = 4, ROUNDS = 3 };
    uint32_t n = bc_n_functions(m);
    uint32_t left_out[ATTEMPTS];
    if (!comparable(m)) return;
    stats->modules++;
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        Run run = {.m = m, .seed = seed, .stats = stats};
        if (vtr_context_new(NULL, &run.ctx) != VTR_OK) abort();
        uint64_t state = seed;
        uint32_t stopped = n;
        for (uint32_t k = 0; stopped == n && k < ROUNDS * n; k++) {
            uint32_t func = (uint32_t)((k + seed) % n);
            bool out = false;
            for (unsigned before = 0; before < attempt; before++) out |= left_out[before] == func;
            if (k == 0 && !compile(&run, target)) break;
            if (!out) call_everywhere(&run, func, &state);
            if (run.lost[0]) stopped = func;
        }
        vtr_context_free(run.ctx);
        if (stopped == n) return;
        left_out[attempt] = stopped;
    }
}
