// How compiled bytecode makes arrays in a WebAssembly module. The loader's function costs a change of worlds, so the
// module has one of its own in front of it, which allocates in the heap's window as irgen does for structs.
//
//     rt_alloc_array(vm, type, length):
//         bytes = 16 + length * (size of an element of `type`), rounded up to 8
//         if bytes > window.end - window.top: return the loader's rt_alloc_array(vm, type, length)
//         object at window.top, whose memory is zero: write type and length; window.top += bytes
#include "aot/wasm_meta.h"
#include "ir_build.h"
#include "runtime/vmctx.h"

void wasm_array_sizes(const BcModule *m, Buf *out) {
    for (uint32_t k = 0; k < m->n_types; k++) {
        uint32_t size = m->types[k].kind == BC_ARRAY ? bc_type_size(m->types[k].elem) : 0;
        uint8_t log = 0;
        while (size >> log > 1) log++;
        buf_u8(out, log);
    }
}

Func *wasm_array_func(Ctx *ctx, const char *loader, const char *sizes) {
    enum { VM, TYPE, LENGTH };
    static const uint8_t types[] = {T_i64, T_i32, T_i32};
    const uint8_t flags = MF_NOTRAP | MF_ALIGNED;
    Func *f = func_new(ctx);
    Sig sig = {.conv = CC_SYSTEM_V, .declared = true, .n_params = 3, .n_results = 1};
    sig.params = NEW_ARRAY(f->arena, AbiParam, 3);
    sig.results = NEW(f->arena, AbiParam);
    sig.results[0].type = T_i64;
    for (unsigned k = 0; k < 3; k++) sig.params[k].type = types[k];
    f->sig = sig;
    vec_push(f->arena, &f->sigs, sig);
    vec_push(f->arena, &f->funcs, (ExtFunc){name_of(loader), 0, .declared = true});
    GlobalValue table = {.kind = GV_SYMBOL, .type = T_i64, .colocated = true, .name = name_of(sizes)};
    vec_push(f->arena, &f->globals, table);
    Builder b = {.f = f, .at = block_new(f), .srcloc = NONE};
    block_append(f, b.at);
    Value args[3];
    for (unsigned k = 0; k < 3; k++) args[k] = block_add_param(f, b.at, (Type)types[k]);
    Block slow = block_new(f);
    Block fast = block_new(f);

    Value place = ir_iadd(&b, ir_symbol_value(&b, T_i64, 0), ir_uextend(&b, T_i64, args[TYPE]));
    Value log = ir_uload8(&b, T_i64, flags, place, 0);
    Value payload = ir_ishl(&b, ir_uextend(&b, T_i64, args[LENGTH]), log);
    Value bytes =
        ir_band(&b, ir_iadd(&b, payload, ir_iconst(&b, T_i64, HEAP_HEADER + 7)), ir_iconst(&b, T_i64, (uint64_t)-8));
    Value top = ir_load(&b, T_i64, flags, args[VM], offsetof(VmCtx, window.top));
    Value end = ir_load(&b, T_i64, flags, args[VM], offsetof(VmCtx, window.end));
    Value full = ir_icmp(&b, ICC_ugt, bytes, ir_isub(&b, end, top));
    ir_brif(&b, full, slow, NULL, 0, fast, NULL, 0);

    block_append(f, fast);
    b.at = fast;
    ir_store(&b, flags, ir_iadd(&b, top, bytes), args[VM], offsetof(VmCtx, window.top));
    Value object = ir_iadd(&b, top, ir_iconst(&b, T_i64, HEAP_HEADER));
    ir_store(&b, flags, args[TYPE], object, HEAP_OFF_TYPE);
    ir_store(&b, flags, args[LENGTH], object, HEAP_OFF_LENGTH);
    ir_return(&b, &object, 1);

    block_append(f, slow);
    b.at = slow;
    Inst call = ir_call(&b, 0, args, 3);
    Value made = inst_result(f, call, 0);
    ir_return(&b, &made, 1);
    return f;
}
