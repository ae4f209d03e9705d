// What compiled code and the interpreter call while a program runs.
#include "runtime/instance.h"

#include <string.h>

uint32_t rt_call_import(Instance *instance, uint32_t func, uint64_t *args, uint64_t *result) {
    const BcModule *m = instance->module;
    *result = 0;
    if (m->imports[m->imp_funcs[func]].abi == BC_ABI_C) {
        if (!instance->call_c || !instance->vm->cells[vm_cell_import(m, func)]) return BC_TRAP_LINK;
        uint32_t code = instance->call_c(instance, func, args, result);
        // A C bool is 0 or 1 by the platform's rules; anything else would break ours.
        if (bc_type(m, bc_function_sig(m, func))->elem == BC_BOOL) *result = (uint8_t)*result != 0;
        return code;
    }
    const RtImport *import = &instance->imports[func];
    return import->call ? import->call(instance, import->user, args, result) : (uint32_t)BC_TRAP_LINK;
}

uint32_t rt_safepoint(Instance *instance) {
    // Lower the flag before reading the reason: an interrupt that arrives in between raises it again.
    __atomic_store_n(&instance->vm->poll, instance->heap->options.stress, __ATOMIC_SEQ_CST);
    if (__atomic_exchange_n(&instance->interrupt, 0, __ATOMIC_SEQ_CST)) return BC_TRAP_INTERRUPT;
    heap_safepoint(instance->heap);
    return 0;
}

void rt_interrupt(Instance *instance) {
    __atomic_store_n(&instance->interrupt, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&instance->vm->poll, 1, __ATOMIC_SEQ_CST);
}

Ref rt_alloc_struct(VmCtx *vm, uint32_t type) { return heap_struct(vm->instance->heap, type); }

Ref rt_alloc_array(VmCtx *vm, uint32_t type, uint32_t length) { return heap_array(vm->instance->heap, type, length); }

uint32_t rt_poll(VmCtx *vm) { return rt_safepoint(vm->instance); }

uint32_t rt_import(VmCtx *vm, uint32_t func, uint64_t *args, uint64_t *result) {
    vm->exit_code = rt_call_import(vm->instance, func, args, result);
    return vm->exit_code != 0;
}

void rt_leave(VmCtx *vm) { (void)vm; }

Ref rt_read_barrier(VmCtx *vm, Ref *slot) { return heap_load_ref(vm->instance->heap, slot); }

void rt_write_barrier(VmCtx *vm, Ref *slot, Ref value) {
    const Collector *collector = vm->instance->heap->collector;
    if (collector->write_barrier) collector->write_barrier(vm->instance->heap, slot, value);
}

// ---- the same with words for arguments and results ---------------------------------------------------------------

#define PTR(x) ((void *)(uintptr_t)(x))
#define CALL(name, ...)                                                                                                \
    static void call_##name(void *ctx, const uint64_t *a, uint64_t *r) {                                               \
        (void)ctx;                                                                                                     \
        (void)r;                                                                                                       \
        __VA_ARGS__;                                                                                                   \
    }
CALL(alloc_struct, r[0] = rt_alloc_struct(PTR(a[0]), (uint32_t)a[1]))
CALL(alloc_array, r[0] = rt_alloc_array(PTR(a[0]), (uint32_t)a[1], (uint32_t)a[2]))
CALL(poll, r[0] = rt_poll(PTR(a[0])))
CALL(import, r[0] = rt_import(PTR(a[0]), (uint32_t)a[1], PTR(a[2]), PTR(a[3])))
CALL(leave, rt_leave(PTR(a[0])))
CALL(read_barrier, r[0] = rt_read_barrier(PTR(a[0]), PTR(a[1])))
CALL(write_barrier, rt_write_barrier(PTR(a[0]), PTR(a[1]), a[2]))
CALL(memmove, r[0] = (uint64_t)(uintptr_t)memmove(PTR(a[0]), PTR(a[1]), a[2]))
CALL(memset, r[0] = (uint64_t)(uintptr_t)memset(PTR(a[0]), (int)a[1], a[2]))

const RtHelper rt_helpers[] = {
    {"rt_alloc_struct", (void *)rt_alloc_struct, true, "pi:l", call_alloc_struct},
    {"rt_alloc_array", (void *)rt_alloc_array, true, "pii:l", call_alloc_array},
    {"rt_poll", (void *)rt_poll, true, "p:i", call_poll},
    {"rt_import", (void *)rt_import, true, "pipp:i", call_import},
    {"rt_leave", (void *)rt_leave, true, "p:", call_leave},
    {"rt_read_barrier", (void *)rt_read_barrier, false, "pp:l", call_read_barrier},
    {"rt_write_barrier", (void *)rt_write_barrier, false, "ppl:", call_write_barrier},
    {"memmove", (void *)memmove, false, "ppp:p", call_memmove},
    {"memset", (void *)memset, false, "pip:p", call_memset},
    {NULL, NULL, false, NULL, NULL},
};
