// Entry functions: ordinary IR that goes the way of every function.
#include "aot/wasm_meta.h"
#include "ir_build.h"

enum { CELL = 8 };

static Sig entry_sig(Arena *arena, Type ptr) {
    Sig sig = {.n_params = 2, .conv = CC_SYSTEM_V, .declared = true};
    sig.params = NEW_ARRAY(arena, AbiParam, 2);
    for (unsigned k = 0; k < 2; k++) sig.params[k].type = (uint8_t)ptr;
    return sig;
}

Func *wasm_entry_func(Ctx *ctx, const Target *t, const Sig *sig, ExtName callee) {
    if (sig->n_params > INT32_MAX / CELL || sig->n_results > INT32_MAX / CELL)
        ctx_fail(ctx, VTR_ERR_LIMIT, "a signature with too many parameters");
    Func *f = func_new(ctx);
    Type ptr = target_ptr_type(t);
    f->sig = entry_sig(f->arena, ptr);
    vec_push(f->arena, &f->sigs, sig_copy(f->arena, sig));
    vec_push(f->arena, &f->funcs, (ExtFunc){callee, 0, .colocated = true, .declared = true});
    Builder b = {.f = f, .at = block_new(f), .srcloc = NONE};
    block_append(f, b.at);
    Value from = block_add_param(f, b.at, ptr);
    Value to = block_add_param(f, b.at, ptr);
    uint8_t flags = MF_NOTRAP | MF_ALIGNED;
    Value *args = NEW_ARRAY(f->arena, Value, sig->n_params);
    for (uint32_t k = 0; k < sig->n_params; k++)
        args[k] = ir_load(&b, (Type)sig->params[k].type, flags, from, (int32_t)(CELL * k));
    Inst call = ir_call(&b, 0, args, sig->n_params);
    for (uint32_t k = 0; k < sig->n_results; k++) ir_store(&b, flags, inst_result(f, call, k), to, (int32_t)(CELL * k));
    ir_return(&b, NULL, 0);
    return f;
}
