// Backends: settings, the host's definitions, and making programs.
#include "program/program.h"

#include <string.h>

typedef struct BackendNew {
    const vtr_backend_options *options;
    vtr_backend *made;
} BackendNew;

static void backend_new(Ctx *ctx, void *arg) {
    BackendNew *request = arg;
    vtr_backend_options options = request->options ? *request->options : (vtr_backend_options){.opt = VTR_OPT_SPEED};
    JitMachine machine = jit_machine(ctx, options.target, options.features, options.simulate);
    Arena *arena = arena_new(ctx);
    vtr_backend *backend = NEW(arena, vtr_backend);
    backend->ctx = ctx;
    backend->arena = arena;
    backend->names = interner_new(arena);
    backend->options = options;
    backend->options.target = backend->options.features = NULL; // the caller's strings
    backend->machine = machine;
    request->made = backend;
}

vtr_status vtr_backend_new(vtr_context *context, const vtr_backend_options *options, vtr_backend **backend) {
    BackendNew request = {options, NULL};
    vtr_status status = ctx_try(context, backend_new, &request);
    if (status == VTR_OK) *backend = request.made;
    return status;
}

vtr_status vtr_backend_new_default(vtr_context *context, vtr_backend **backend) {
    return vtr_backend_new(context, NULL, backend);
}

void vtr_backend_free(vtr_backend *backend) {
    if (backend) arena_free(backend->arena);
}

// ---- definitions ----------------------------------------------------------------------------------------------

typedef struct Define {
    vtr_backend *backend;
    const char *name;
    Definition definition;
} Define;

static void backend_define(Ctx *ctx, void *arg) {
    (void)ctx;
    Define *define = arg;
    vtr_backend *backend = define->backend;
    vec_reserve(backend->arena, &backend->definitions, 1);
    uint32_t number = intern(&backend->names, define->name, strlen(define->name));
    if (number == backend->definitions.n) backend->definitions.n++;
    backend->definitions.v[number] = define->definition;
}

vtr_status vtr_backend_define(vtr_backend *backend, const char *name, vtr_host_function function, void *user) {
    Define define = {backend, name, {DEFINE_FUNCTION, function, user, NULL}};
    return ctx_try(backend->ctx, backend_define, &define);
}

vtr_status vtr_backend_define_c(vtr_backend *backend, const char *name, void (*function)(void)) {
    Define define = {backend, name, {DEFINE_C, NULL, NULL, (void *)(uintptr_t)function}};
    return ctx_try(backend->ctx, backend_define, &define);
}

vtr_status vtr_backend_define_global(vtr_backend *backend, const char *name, uint64_t *cell) {
    Define define = {backend, name, {DEFINE_GLOBAL, NULL, NULL, cell}};
    return ctx_try(backend->ctx, backend_define, &define);
}

// ---- host functions ---------------------------------------------------------------------------------------------

typedef struct HostFunction {
    vtr_program *program;
    const BcType *sig;
    vtr_host_function function;
    void *user;
    vtr_value *args;
} HostFunction;

static uint32_t call_host(Instance *instance, void *user, uint64_t *words, uint64_t *result) {
    const HostFunction *host = user;
    const BcModule *m = instance->module;
    vtr_program *program = host->program;
    vtr_value args[UINT8_MAX];
    for (uint32_t k = 0; k < host->sig->n; k++) args[k] = value_from_word(m, host->sig->params[k], words[k]);
    vtr_value value = value_from_word(m, host->sig->elem, 0);
    program->host_trap = 0;
    instance->trap.code = 0;
    vtr_status status = host->function(program, host->user, args, host->sig->n, &value);
    if (status == VTR_OK) {
        value.type = value_public_type(m, host->sig->elem);
        *result = value_to_word(value);
        return 0;
    }
    uint32_t code = program->host_trap ? program->host_trap : instance->trap.code;
    if (status == VTR_ERR_TRAP && code) return code;
    instance->host_status = status == VTR_ERR_TRAP ? VTR_ERR_USAGE : status;
    return RT_EXIT_HOST;
}

typedef struct ProgramNew {
    vtr_backend *backend;
    const BcModule *module;
    vtr_program *made;
} ProgramNew;

static void resolve(void *user, const BcModule *m, const BcImport *import, const char *key, RtResolved *resolved) {
    const ProgramNew *request = user;
    vtr_backend *backend = request->backend;
    uint32_t number = intern_find(&backend->names, key, strlen(key));
    if (number == UINT32_MAX) return;
    const Definition *definition = &backend->definitions.v[number];
    bool global = import->kind == BC_KIND_GLOBAL;
    DefinitionKind wanted = global ? DEFINE_GLOBAL : import->abi == BC_ABI_C ? DEFINE_C : DEFINE_FUNCTION;
    if (definition->kind != wanted) return;
    resolved->address = definition->address;
    if (wanted != DEFINE_FUNCTION) return;
    HostFunction *host = NEW(request->made->arena, HostFunction);
    host->program = request->made;
    host->sig = bc_type(m, import->type);
    host->function = definition->function;
    host->user = definition->user;
    resolved->function = (RtImport){call_host, host};
}

// ---- programs -----------------------------------------------------------------------------------------------------

static void program_new(Ctx *ctx, void *arg) {
    ProgramNew *request = arg;
    Arena *arena = arena_new(ctx);
    vtr_program *program = NEW(arena, vtr_program);
    program->ctx = ctx;
    program->arena = arena;
    program->text = arena_new(ctx);
    program->held_at = map_new(arena);
    program->options = request->backend->options;
    program->machine = request->backend->machine;
    request->made = program;
    RtOptions options = {
        .heap = {.limit = program->options.heap_limit, .stress = program->options.gc_stress},
        .resolve = resolve,
        .resolve_user = request,
        .write = program->options.write,
        .write_user = program->options.write_user,
        .stack_size = program->options.stack_size,
        .max_depth = program->options.max_depth,
    };
    program->instance = rt_instance_new(arena, request->module, &options);
    program->instance->engine = program;
    heap_add_roots(program->instance->heap, (HeapRoots){program_held_roots, program});
    program_compile(program);
}

vtr_status vtr_backend_compile(vtr_backend *backend, const vtr_bytecode *bytecode, vtr_program **program) {
    ProgramNew request = {backend, bytecode, NULL};
    vtr_status status = ctx_try(backend->ctx, program_new, &request);
    if (status == VTR_OK) *program = request.made;
    return status;
}

void vtr_program_free(vtr_program *program) {
    if (!program) return;
    arena_free(program->text);
    arena_free(program->arena);
}

void vtr_program_statistics(const vtr_program *program, vtr_program_stats *stats) {
    *stats = program->stats;
    const Sim *sim = program->jit ? jit_sim(program->jit) : NULL;
    if (sim) stats->simulated = sim_instructions(sim);
}
