// The native engine of a program: compile, publish, call, and show the collector the frames.
#include "program/program.h"

#include <time.h>

#include "compile/compile.h"

static ExtName func_name(uint32_t func) { return (ExtName){.kind = NAME_USER, .index = func}; }

// ---- roots in compiled frames -----------------------------------------------------------------------------------

typedef struct FrameVisit {
    Heap *heap;
    HeapVisit *visit;
} FrameVisit;

static bool visit_frame(void *user, const JitFrame *frame) {
    FrameVisit *v = user;
    for (uint32_t i = 0; i < frame->n_refs; i++) v->visit(v->heap, (Ref *)(void *)(frame->sp + frame->refs[i]));
    return true;
}

static void frame_roots(void *data, Heap *heap, HeapVisit *visit) {
    vtr_program *program = data;
    if (program->instance->vm->activation)
        jit_walk(program->instance->vm->activation, visit_frame, &(FrameVisit){heap, visit});
}

// ---- compiling ----------------------------------------------------------------------------------------------------

static void define_helpers(Jit *jit, const Target *target) {
    for (const RtHelper *h = rt_helpers; h->name; h++) {
        ExtName name = name_of(h->name);
        JitAdapter adapter = {h->types, h->call};
        if (h->exits)
            jit_define_exit(jit, name, h->address, &adapter, target->conv[CC_SYSTEM_V], offsetof(VmCtx, activation));
        else jit_define_function(jit, name, h->address, &adapter);
    }
}

// C imports are called through their cells. In a simulator they need guest addresses.
static void define_imports(vtr_program *program) {
    const BcModule *m = program->instance->module;
    Arena *tmp = arena_new(program->ctx);
    for (uint32_t func = 0; func < m->n_imp_funcs && jit_sim(program->jit); func++) {
        uint64_t *cell = &program->instance->vm->cells[vm_cell_import(m, func)];
        if (m->imports[m->imp_funcs[func]].abi != BC_ABI_C || !*cell) continue;
        Sig sig = irgen_c_sig(tmp, m, func);
        *cell = (uint64_t)(uintptr_t)jit_guest_function(program->jit, (void *)(uintptr_t)*cell, &sig);
    }
    arena_free(tmp);
}

static void compile_functions(vtr_program *program, const Target *target) {
    const BcModule *m = program->instance->module;
    Arena *ir = arena_new(program->ctx);
    Arena *code = arena_new(program->ctx);
    Stress stress = {.max_regs = program->options.max_registers,
                     .seed = program->options.register_seed,
                     .squeeze = program->options.squeeze_seed,
                     .frame = program->options.frame_padding};
    CompileOptions options = {
        .target = target,
        .features = program->machine.features,
        .opt = program->options.opt == VTR_OPT_NONE ? OPT_NONE : OPT_SPEED,
        .check = program->options.check,
        .stress = &stress,
        .traps = TRAPS_CALL,
        .scratch = arena_new(program->ctx),
    };
    for (uint32_t f = 0; f < bc_n_functions(m); f++) {
        Func *func = irgen_func(&program->irgen, ir, f);
        program->stats.instructions += func->insts.n;
        const Code *compiled = compile_func(code, func, &options);
        program->stats.code_bytes += compiled->n;
        jit_add(program->jit, compiled);
        arena_reset(ir);
        arena_reset(code);
    }
    program->stats.functions = bc_n_functions(m);
    jit_publish(program->jit);
    arena_free(options.scratch);
    arena_free(code);
    arena_free(ir);
}

static uint64_t function_address(void *user, uint32_t func) {
    vtr_program *program = user;
    return (uint64_t)(uintptr_t)jit_find(program->jit, func_name(func));
}

// C imports, for the interpreter: the JIT's entry thunk knows how to call any signature.
static uint32_t call_c(Instance *instance, uint32_t func, const uint64_t *args, uint64_t *result) {
    vtr_program *program = instance->engine;
    const BcModule *m = instance->module;
    Arena *tmp = arena_new(program->ctx);
    Sig sig = irgen_c_sig(tmp, m, func);
    JitActivation activation = {0};
    void *address = (void *)(uintptr_t)instance->vm->cells[vm_cell_import(m, func)];
    vtr_status status = jit_call(program->jit, address, &sig, args, result, &activation);
    arena_free(tmp);
    if (status == VTR_OK) return 0;
    instance->host_status = VTR_ERR_INTERNAL;
    return RT_EXIT_HOST;
}

enum { SIM_STACK = 8 << 20, SIM_STACK_SLACK = 16 << 10 };

static size_t sim_stack_size(const vtr_backend_options *options) {
    uint64_t wanted = options->stack_size + SIM_STACK_SLACK + SIM_STACK_SLACK;
    return wanted > SIM_STACK ? wanted : SIM_STACK;
}

// Sets the stack limit for code that is about to run.
static void enter_stack(vtr_program *program) {
    VmCtx *vm = program->instance->vm;
    char here;
    rt_stack_enter(program->instance);
    const Sim *sim = jit_sim(program->jit);
    if (!sim) return;
    bool room = (uint64_t)(uintptr_t)&here > vm->stack_limit;
    uint64_t low = (uint64_t)(uintptr_t)sim_stack_low(sim) + SIM_STACK_SLACK;
    uint64_t size = program->options.stack_size;
    uint64_t limit = size ? sim_mark(sim) - size : low;
    vm->stack_limit = !room ? UINT64_MAX : limit > low && limit < sim_mark(sim) ? limit : low;
}

static uint64_t clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

void program_compile(vtr_program *program) {
    Instance *instance = program->instance;
    const Target *target = program->machine.target;
    const Collector *collector = instance->options.collector;
    IrgenOptions options = {.read_barrier = collector->read_barrier != NULL,
                            .write_barrier = collector->write_barrier != NULL};
    program->irgen = irgen_start(instance->module, &options);
    if (program->options.interpret || !target) {
        program->interp = interp_new(instance);
        if (target_host()) program->jit = jit_new(program->arena, target_host(), NULL); // calls C imports
        if (program->jit) instance->call_c = call_c;
        return;
    }
    program->jit = jit_new(program->arena, target,
                           &(JitOptions){.simulate = program->machine.simulate,
                                         .features = program->machine.features,
                                         .stack = sim_stack_size(&program->options),
                                         .fuel = program->options.fuel});
    uint64_t start = clock_now();
    define_helpers(program->jit, target);
    define_imports(program);
    compile_functions(program, target);
    rt_function_globals(instance, function_address, program);
    heap_add_roots(instance->heap, (HeapRoots){frame_roots, program});
    program->stats.nanoseconds = clock_now() - start;
}

// ---- running ------------------------------------------------------------------------------------------------------

// Wrappers of imports are not the program's frames: the call of an import is what trapped. Nor is a function that
// found no room for its frame: STACK is a trap of the call, before the callee's first instruction.
static void record_trap(vtr_program *program, const JitActivation *activation) {
    Instance *instance = program->instance;
    uint32_t n_imports = instance->module->n_imp_funcs;
    uint32_t code = activation->trap;
    code = code == RT_TRAP_EXIT ? (uint32_t)instance->vm->exit_code : irgen_trap_code(code);
    rt_trap_begin(instance, code);
    uint64_t hidden = 0;
    for (uint32_t i = 0; i < activation->n_frames; i++) {
        const JitFrame *frame = &activation->frames[i];
        bool entered = i > 0 || activation->trap != TRAP_stk_ovf;
        if (entered && frame->func.kind == NAME_USER && frame->func.index >= n_imports)
            rt_trap_frame(instance, frame->func.index, frame->srcloc == NONE ? 0 : frame->srcloc);
        else hidden++;
    }
    instance->trap.depth = activation->depth - hidden;
}

uint32_t program_call_native(vtr_program *program, uint32_t func, const uint64_t *args, uint64_t *result) {
    Instance *instance = program->instance;
    VmCtx *vm = instance->vm;
    Arena *tmp = arena_new(program->ctx);
    Sig sig = irgen_sig(&program->irgen, tmp, func);
    uint64_t *words = NEW_ARRAY(tmp, uint64_t, sig.n_params);
    words[0] = (uint64_t)(uintptr_t)vm;
    for (uint32_t k = 1; k < sig.n_params; k++) words[k] = args[k - 1];
    jit_prepare_call(program->jit, &sig);
    // One more than are shown: the innermost may be the wrapper of an import.
    JitFrame frames[RT_MAX_FRAMES + 1];
    JitActivation activation = {.parent = vm->activation, .frames = frames, .max_frames = RT_MAX_FRAMES + 1};
    void *address = jit_find(program->jit, func_name(func));
    vm->activation = &activation;
    enter_stack(program);
    vtr_status status = jit_call(program->jit, address, &sig, words, result, &activation);
    vm->activation = activation.parent;
    arena_free(tmp);
    if (status == VTR_OK) return 0;
    record_trap(program, &activation);
    return instance->trap.code;
}
