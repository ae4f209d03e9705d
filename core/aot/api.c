// The public interface to object files.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aot/aot.h"
#include "builder/func.h"
#include "verify/ir_verify.h"

enum { DEFAULT_STACK = 1 << 20 }; // bytes of a complete module's shadow stack

struct vtr_object {
    Ctx *ctx;
    Arena *arena;
    Aot aot;
    const char *closed; // why nothing can be added or written any more, or NULL
};

typedef struct NewObject {
    const vtr_object_options *options;
    vtr_object *made;
} NewObject;

static uint64_t choose_features(Ctx *ctx, const Target *target, const vtr_object_options *chosen) {
    uint64_t features = chosen->native && target == target_host() ? target->host_features() : target->baseline;
    const char *wrong;
    size_t n;
    if (target->stack && chosen->relocatable) features |= target_wide_features(target); // as linkers make tables
    if (chosen->features && !target_features(target, chosen->features, &features, &wrong, &n))
        ctx_fail(ctx, VTR_ERR_NOT_FOUND, "%s has no feature '%.*s'", target->name, (int)n, wrong);
    return features;
}

static void new_body(Ctx *ctx, void *arg) {
    NewObject *job = arg;
    vtr_object_options chosen = job->options ? *job->options : (vtr_object_options){.opt = VTR_OPT_SPEED};
    const Target *target = chosen.target ? target_find(chosen.target) : target_host();
    if (!target) ctx_fail(ctx, VTR_ERR_NOT_FOUND, "there is no target '%s'", chosen.target ? chosen.target : "host");
    uint64_t features = choose_features(ctx, target, &chosen);
    Arena *arena = arena_new(ctx);
    vtr_object *object = NEW(arena, vtr_object);
    object->ctx = ctx;
    object->arena = arena;
    if (target->stack) {
        object->aot.wasm = wasm_new(arena, target, features);
        object->aot.wasm->stack_size = chosen.stack_size ? chosen.stack_size : DEFAULT_STACK;
        object->aot.wasm->max_memory = chosen.max_memory;
        object->aot.complete = !chosen.relocatable;
        object->aot.polls = chosen.polls;
    } else {
        object->aot.object = object_new(arena, target, features);
    }
    object->aot.compile = (CompileOptions){.target = target,
                                           .features = features,
                                           .opt = chosen.opt == VTR_OPT_NONE ? OPT_NONE : OPT_SPEED,
                                           .check = chosen.check};
    job->made = object;
}

vtr_status vtr_object_new(vtr_context *context, const vtr_object_options *options, vtr_object **object) {
    NewObject job = {options, NULL};
    vtr_status status = ctx_try(context, new_body, &job);
    if (status == VTR_OK) *object = job.made;
    return status;
}

void vtr_object_free(vtr_object *object) {
    if (object) arena_free(object->arena);
}

typedef struct AddJob {
    vtr_object *object;
    const char *name;
    const char *text;
    size_t len;
} AddJob;

static void want_open(const vtr_object *object) {
    if (object->closed) ctx_fail(object->ctx, VTR_ERR_USAGE, "%s", object->closed);
}

// What was added in part cannot be taken back.
static vtr_status added(vtr_object *object, vtr_status status) {
    if (status != VTR_OK && status != VTR_ERR_USAGE) object->closed = "an earlier text or module was not added whole";
    return status;
}

static void add_funcs(Aot *aot, Func *const *funcs, uint32_t n) {
    if (aot->wasm) aot_wasm_funcs(aot, funcs, n);
    else aot_add_funcs(aot, funcs, n);
}

static void add_clif(Ctx *ctx, void *arg) {
    AddJob *job = arg;
    want_open(job->object);
    Arena *input = arena_new(ctx);
    const IrFile *ir = verify_read(input, job->name, job->text, job->len);
    add_funcs(&job->object->aot, ir->funcs.v, ir->funcs.n);
    arena_free(input);
}

vtr_status vtr_object_add_clif(vtr_object *object, const char *file, const char *text, size_t len) {
    AddJob job = {.object = object, .name = file, .text = text, .len = len};
    return added(object, ctx_try(object->ctx, add_clif, &job));
}

typedef struct FuncJob {
    vtr_object *object;
    vtr_func *func;
} FuncJob;

static void add_func(Ctx *ctx, void *arg) {
    const FuncJob *job = arg;
    want_open(job->object);
    if (func_ctx(job->func) != ctx) ctx_fail(ctx, VTR_ERR_USAGE, "the function was made in another context");
    Func *f = func_take(job->func);
    add_funcs(&job->object->aot, &f, 1);
}

vtr_status vtr_object_add_func(vtr_object *object, vtr_func *func) {
    FuncJob job = {object, func};
    return added(object, ctx_try(object->ctx, add_func, &job));
}

typedef struct ModuleJob {
    vtr_object *object;
    const vtr_bytecode *bytecode;
    const char *entry;
} ModuleJob;

static void add_module(Ctx *ctx, void *arg) {
    (void)ctx;
    ModuleJob *job = arg;
    want_open(job->object);
    if (job->object->aot.wasm) aot_wasm_module(&job->object->aot, job->bytecode, job->entry);
    else aot_add_module(&job->object->aot, job->bytecode, job->entry);
}

vtr_status vtr_object_add_bytecode(vtr_object *object, const vtr_bytecode *bytecode, const char *entry) {
    ModuleJob job = {object, bytecode, entry};
    return added(object, ctx_try(object->ctx, add_module, &job));
}

typedef struct NameJob {
    vtr_object *object;
    const char *name;
    const char *module; // NULL: it is to start
    const char *field;
} NameJob;

static void name_body(Ctx *ctx, void *arg) {
    NameJob *job = arg;
    Aot *aot = &job->object->aot;
    want_open(job->object);
    if (!aot->wasm) ctx_fail(ctx, VTR_ERR_UNSUPPORTED, "imports and start functions are for WebAssembly only");
    if (job->module) wasm_import(aot->wasm, wasm_symbol(aot->wasm, job->name), job->module, job->field);
    else wasm_start(aot->wasm, job->name);
}

vtr_status vtr_object_import(vtr_object *object, const char *name, const char *module, const char *field) {
    NameJob job = {object, name, module, field};
    return ctx_try(object->ctx, name_body, &job);
}

vtr_status vtr_object_start(vtr_object *object, const char *name) {
    NameJob job = {object, name, NULL, NULL};
    return ctx_try(object->ctx, name_body, &job);
}

typedef struct OutJob {
    vtr_object *object;
    const char *path; // NULL = as bytes
    uint8_t *bytes;
    size_t n;
} OutJob;

static Buf make_file(const Aot *aot, Arena *arena) {
    if (aot->wasm) return aot->complete ? wasm_module(aot->wasm, arena) : wasm_object(aot->wasm, arena);
    object_unwind(aot->object);
    object_debug(aot->object);
    return object_elf(aot->object, arena);
}

static void out_body(Ctx *ctx, void *arg) {
    OutJob *job = arg;
    vtr_object *object = job->object;
    want_open(object);
    object->closed = "the object has been written already";
    Arena *arena = arena_new(ctx);
    Buf file = make_file(&object->aot, arena);
    job->n = file.bytes.n;
    if (!job->path) {
        job->bytes = ctx_alloc(ctx, job->n + 1);
        memcpy(job->bytes, file.bytes.v, job->n);
    } else {
        FILE *out = fopen(job->path, "wb");
        bool right = out && fwrite(file.bytes.v, 1, job->n, out) == job->n;
        int why = errno;
        if (out && fclose(out) && right) {
            why = errno;
            right = false;
        }
        if (!right) {
            diag_error(ctx, (Place){.file = job->path}, "the file cannot be written: %s", strerror(why));
            ctx_throw(ctx, VTR_ERR_SYSTEM);
        }
    }
    arena_free(arena);
}

vtr_status vtr_object_bytes(vtr_object *object, uint8_t **bytes, size_t *n) {
    OutJob job = {.object = object};
    vtr_status status = ctx_try(object->ctx, out_body, &job);
    if (status != VTR_OK) return status;
    *bytes = job.bytes;
    *n = job.n;
    return VTR_OK;
}

vtr_status vtr_object_write(vtr_object *object, const char *path) {
    OutJob job = {.object = object, .path = path};
    return ctx_try(object->ctx, out_body, &job);
}
