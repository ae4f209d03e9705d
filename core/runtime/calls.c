// What compiled code and the interpreter call while a program runs.
#include "runtime/instance.h"

#include <string.h>

uint32_t rt_call_import(Instance *instance, uint32_t func, uint64_t *args, uint64_t *result) {
    const BcModule *m = instance->module;
    *result = 0;
    if (m->imports[m->imp_funcs[func]].abi == BC_ABI_C) {
        if (!instance->call_c || !instance->vm->cells[vm_cell_import(m, func)]) return BC_TRAP_LINK;
        return instance->call_c(instance, func, args, result);
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

Ref rt_read_barrier(VmCtx *vm, Ref *slot) { return heap_load_ref(vm->instance->heap, slot); }

void rt_write_barrier(VmCtx *vm, Ref *slot, Ref value) {
    const Collector *collector = vm->instance->heap->collector;
    if (collector->write_barrier) collector->write_barrier(vm->instance->heap, slot, value);
}

const RtHelper rt_helpers[] = {
    {"rt_alloc_struct", (void *)rt_alloc_struct, true},
    {"rt_alloc_array", (void *)rt_alloc_array, true},
    {"rt_poll", (void *)rt_poll, true},
    {"rt_import", (void *)rt_import, true},
    {"rt_read_barrier", (void *)rt_read_barrier, false},
    {"rt_write_barrier", (void *)rt_write_barrier, false},
    {"memmove", (void *)memmove, false},
    {"memset", (void *)memset, false},
    {NULL, NULL, false},
};
