// Running exported functions, and telling how a run ended.
#include "program/program.h"

#include <string.h>

// The function index of an export, or of the entry; BC_NONE if there is none.
static uint32_t find_function(const BcModule *m, const char *name) {
    if (!name) return m->entry;
    const BcExport *found = bc_export_find(m, BC_KIND_FUNC, name, strlen(name));
    return found ? found->index : BC_NONE;
}

static uint32_t want_function(const vtr_program *program, const char *name) {
    const BcModule *m = program->instance->module;
    uint32_t func = find_function(m, name);
    if (func != BC_NONE) return func;
    Place place = {.file = m->file};
    if (name) diag_error(program->ctx, place, "there is no exported function '%s'", name);
    else diag_error(program->ctx, place, "the module has no entry function");
    return BC_NONE;
}

vtr_status vtr_program_signature(vtr_program *program, const char *name, vtr_type *params, size_t capacity,
                                 size_t *n_params, vtr_type *result) {
    const BcModule *m = program->instance->module;
    uint32_t func = want_function(program, name);
    if (func == BC_NONE) return VTR_ERR_NOT_FOUND;
    const BcType *sig = bc_type(m, bc_function_sig(m, func));
    for (uint32_t k = 0; params && k < sig->n && k < capacity; k++) params[k] = value_public_type(m, sig->params[k]);
    if (n_params) *n_params = sig->n;
    if (result) *result = value_public_type(m, sig->elem);
    return VTR_OK;
}

typedef struct Run {
    vtr_program *program;
    uint32_t func;
    uint64_t *words;
    uint64_t result;
    uint32_t code;
} Run;

static void run_body(Ctx *ctx, void *arg) {
    (void)ctx;
    Run *run = arg;
    vtr_program *program = run->program;
    run->code = program->interp ? interp_call(program->interp, run->func, run->words, &run->result)
                                : program_call_native(program, run->func, run->words, &run->result);
}

static vtr_status check_args(const vtr_program *program, const BcType *sig, const char *name, const vtr_value *args,
                             size_t n_args) {
    const BcModule *m = program->instance->module;
    Place place = {.file = m->file};
    const char *shown = name ? name : "the entry function";
    if (n_args != sig->n) {
        diag_error(program->ctx, place, "%s takes %u arguments, not %zu", shown, (unsigned)sig->n, n_args);
        return VTR_ERR_USAGE;
    }
    for (uint32_t k = 0; k < sig->n; k++) {
        if (args[k].type == value_public_type(m, sig->params[k])) continue;
        diag_error(program->ctx, place, "argument %u of %s has the wrong type", (unsigned)k + 1, shown);
        return VTR_ERR_USAGE;
    }
    return VTR_OK;
}

vtr_status vtr_program_run(vtr_program *program, const char *name, const vtr_value *args, size_t n_args,
                           vtr_value *result) {
    const BcModule *m = program->instance->module;
    uint32_t func = want_function(program, name);
    if (func == BC_NONE) return VTR_ERR_NOT_FOUND;
    const BcType *sig = bc_type(m, bc_function_sig(m, func));
    vtr_status status = check_args(program, sig, name, args, n_args);
    if (status != VTR_OK) return status;
    uint64_t words[UINT8_MAX + 1];
    for (size_t k = 0; k < n_args; k++) words[k] = value_to_word(args[k]);
    Run run = {program, func, words, 0, 0};
    // A run that is thrown out of (no memory) leaves no activation and no frames behind.
    void *activation = program->instance->vm->activation;
    uint64_t stack_limit = program->instance->vm->stack_limit;
    uint32_t depth = program->interp ? interp_depth(program->interp) : 0;
    Sim *sim = program->jit ? jit_sim(program->jit) : NULL;
    uint64_t mark = sim ? sim_mark(sim) : 0;
    program->trapped = false;
    arena_reset(program->text);
    status = ctx_try(program->ctx, run_body, &run);
    program->instance->vm->activation = activation;
    program->instance->vm->stack_limit = stack_limit;
    if (status != VTR_OK && program->interp) interp_rewind(program->interp, depth);
    if (sim) sim_rewind(sim, mark);
    if (status != VTR_OK) return status;
    if (run.code == RT_EXIT_HOST) return program->instance->host_status;
    program->trapped = run.code != 0;
    if (run.code) return VTR_ERR_TRAP;
    if (result) *result = value_from_word(m, sig->elem, run.result);
    return VTR_OK;
}

void vtr_program_interrupt(vtr_program *program) { rt_interrupt(program->instance); }

vtr_status vtr_program_trap(vtr_program *program, uint32_t code) {
    if (!bc_trap_valid(code)) return VTR_ERR_USAGE;
    program->host_trap = code;
    return VTR_ERR_TRAP;
}

// ---- how it ended -------------------------------------------------------------------------------------------------

bool vtr_trap_info(const vtr_program *program, vtr_trap *trap) {
    const RtTrap *from = &program->instance->trap;
    if (!program->trapped) return false;
    memset(trap, 0, sizeof *trap);
    trap->object.type = VTR_REF;
    trap->n_frames = from->n_frames;
    trap->depth = from->depth;
    if (from->code == RT_EXIT_RAISE) {
        trap->object.as.ref = program->instance->vm->raised;
        return true;
    }
    trap->code = from->code;
    trap->name = bc_trap_name(from->code);
    trap->diagnostic = bc_trap_diagnostic(from->code);
    return true;
}

typedef struct TrapText {
    vtr_program *program;
    const char *text;
    size_t index;
    vtr_trap_frame frame;
} TrapText;

static void frame_text(Ctx *ctx, void *arg) {
    (void)ctx;
    TrapText *t = arg;
    const BcModule *m = t->program->instance->module;
    RtFrame from = t->program->instance->trap.frames[t->index];
    const BcFunc *f = bc_local_func(m, from.func);
    const BcLine *line = f ? bc_line_at(m, from.func - m->n_imp_funcs, from.inst) : NULL;
    Arena *arena = t->program->text;
    t->frame = (vtr_trap_frame){.function = bc_function_name(m, from.func, arena), .instruction = from.inst};
    if (f) t->frame.block = bc_block_of(f, from.inst);
    if (!line || !line->line) return;
    const BcStr *file = &m->strs[m->files[line->file]];
    t->frame.file = arena_text(arena, file->bytes, file->len);
    t->frame.line = line->line;
    t->frame.column = line->col;
}

bool vtr_trap_frame_at(const vtr_program *program, size_t index, vtr_trap_frame *frame) {
    if (!program->trapped || index >= program->instance->trap.n_frames) return false;
    TrapText text = {.program = (vtr_program *)program, .index = index};
    if (ctx_try(program->ctx, frame_text, &text) != VTR_OK) return false;
    *frame = text.frame;
    return true;
}

static void trap_text(Ctx *ctx, void *arg) {
    (void)ctx;
    TrapText *t = arg;
    Buf out = buf_new(t->program->text);
    rt_trap_print(t->program->instance, &out);
    t->text = buf_str(&out);
}

const char *vtr_trap_text(const vtr_program *program) {
    TrapText text = {.program = (vtr_program *)program, .text = ""};
    if (!program->trapped || ctx_try(program->ctx, trap_text, &text) != VTR_OK) return "";
    return text.text;
}
