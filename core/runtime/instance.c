// Making an instance: memory for cells and blobs, imports, constant objects, globals.
#include "runtime/instance.h"

#include <pthread.h>
#include <string.h>

// Machine stack that compiled code leaves to host functions and the runtime: so much, of a small stack the half.
#define STACK_RESERVE (UINT64_C(256) << 10)

static const HeapType *instance_types(Arena *arena, const BcModule *m) {
    HeapType *types = NEW_ARRAY(arena, HeapType, m->n_types);
    for (uint32_t t = 0; t < m->n_types; t++) {
        const BcType *from = &m->types[t];
        HeapType *to = &types[t];
        if (from->kind == BC_STRUCT) {
            to->kind = HEAP_STRUCT;
            to->size = from->size;
            to->n_map = from->n_map;
            to->map = from->map;
            for (uint32_t w = 0; w < from->n_map; w++) to->refs |= from->map[w] != 0;
        } else if (from->kind == BC_ARRAY) {
            to->kind = HEAP_ARRAY;
            to->size = bc_type_size(from->elem);
            to->refs = bc_is_gc_ref(m, from->elem);
        }
    }
    return types;
}

static void instance_roots(void *data, Heap *heap, HeapVisit *visit) {
    Instance *instance = data;
    for (uint32_t i = 0; i < instance->n_roots; i++) visit(heap, instance->roots[i]);
    visit(heap, &instance->vm->raised);
}

static bool const_is_object(const BcConst *k) { return k->tag == BC_CONST_STR || k->tag == BC_CONST_BYTES; }

static void instance_list_roots(Instance *instance) {
    const BcModule *m = instance->module;
    uint32_t n = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        n = 0;
        for (uint32_t g = 0; g < bc_n_globals(m); g++) {
            if (!bc_is_gc_ref(m, bc_global_type(m, g))) continue;
            if (pass) instance->roots[n] = rt_global(instance, g);
            n++;
        }
        for (uint32_t k = 0; k < m->n_consts; k++) {
            if (!const_is_object(&m->consts[k])) continue;
            if (pass) instance->roots[n] = rt_const(instance, k);
            n++;
        }
        if (!pass) instance->roots = NEW_ARRAY(instance->arena, Ref *, n);
    }
    instance->n_roots = n;
}

static void instance_resolve(Instance *instance) {
    const BcModule *m = instance->module;
    uint64_t *cells = instance->vm->cells;
    uint32_t func = 0;
    uint32_t global = 0;
    instance->imports = NEW_ARRAY(instance->arena, RtImport, m->n_imp_funcs);
    for (uint32_t i = 0; i < m->n_imports; i++) {
        const BcImport *import = &m->imports[i];
        const BcStr *module = &m->strs[import->module];
        const BcStr *name = &m->strs[import->name];
        const char *key =
            arena_printf(instance->arena, "%.*s.%.*s", (int)module->len, module->bytes, (int)name->len, name->bytes);
        RtResolved resolved = {0};
        if (instance->options.resolve)
            instance->options.resolve(instance->options.resolve_user, m, import, key, &resolved);
        if (import->kind == BC_KIND_GLOBAL) {
            if (!resolved.address) ctx_fail(instance->ctx, VTR_ERR_NOT_FOUND, "imported global %s is not defined", key);
            cells[vm_cell_global(global++)] = (uint64_t)(uintptr_t)resolved.address;
        } else if (import->abi == BC_ABI_C) {
            cells[vm_cell_import(m, func++)] = (uint64_t)(uintptr_t)resolved.address;
        } else {
            if (!resolved.function.call) rt_native(key, m, import, &resolved.function.call);
            instance->imports[func++] = resolved.function;
        }
    }
}

static void instance_place_data(Instance *instance) {
    const BcModule *m = instance->module;
    for (uint32_t x = 0; x < m->n_datas; x++) {
        const BcData *data = &m->datas[x];
        // One byte at least, so that every blob has an address of its own.
        uint8_t *memory = arena_alloc(instance->arena, (size_t)data->len + data->align);
        uintptr_t place = ((uintptr_t)memory + data->align - 1) & ~((uintptr_t)data->align - 1);
        if (data->len) memcpy((void *)place, data->bytes, data->len);
        instance->vm->cells[vm_cell_data(m, x)] = place;
    }
}

// The ARRAY-of-u8 type, or BC_NONE: then no register can load a string constant either.
static uint32_t instance_bytes_type(const BcModule *m) {
    for (uint32_t t = 0; t < m->n_types; t++)
        if (m->types[t].kind == BC_ARRAY && m->types[t].elem == BC_U8) return t;
    return BC_NONE;
}

static void instance_make_consts(Instance *instance) {
    const BcModule *m = instance->module;
    uint32_t type = instance_bytes_type(m);
    if (type == BC_NONE) return;
    for (uint32_t k = 0; k < m->n_consts; k++) {
        const BcConst *constant = &m->consts[k];
        if (!const_is_object(constant)) continue;
        bool str = constant->tag == BC_CONST_STR;
        const void *bytes = str ? (const void *)m->strs[constant->bits].bytes : m->datas[constant->bits].bytes;
        uint32_t len = str ? m->strs[constant->bits].len : m->datas[constant->bits].len;
        Ref object = heap_array(instance->heap, type, len);
        if (!object) ctx_fail(instance->ctx, VTR_ERR_LIMIT, "the module's constants do not fit the heap");
        if (len) memcpy(heap_payload(object), bytes, len);
        heap_store_ref(instance->heap, rt_const(instance, k), object);
    }
}

static void instance_init_globals(Instance *instance) {
    const BcModule *m = instance->module;
    for (uint32_t i = 0; i < m->n_globals; i++) {
        uint32_t init = m->globals[i].init;
        if (init == BC_NONE) continue;
        const BcConst *constant = &m->consts[init];
        uint64_t *cell = rt_global(instance, m->n_imp_globals + i);
        if (const_is_object(constant)) heap_store_ref(instance->heap, cell, *rt_const(instance, init));
        else if (constant->tag != BC_CONST_FN) *cell = constant->bits;
    }
}

void rt_function_globals(Instance *instance, uint64_t (*reference)(void *user, uint32_t func), void *user) {
    const BcModule *m = instance->module;
    for (uint32_t i = 0; i < m->n_globals; i++) {
        uint32_t init = m->globals[i].init;
        if (init == BC_NONE || m->consts[init].tag != BC_CONST_FN) continue;
        *rt_global(instance, m->n_imp_globals + i) = reference(user, (uint32_t)m->consts[init].bits);
    }
}

void rt_stack_enter(Instance *instance) {
    char here;
    uint64_t top = (uint64_t)(uintptr_t)&here;
    if (instance->options.stack_size) {
        instance->vm->stack_limit = top > instance->options.stack_size ? top - instance->options.stack_size : 0;
        return;
    }
    uint64_t self = (uint64_t)pthread_self();
    if (instance->stack_thread != self) {
        pthread_attr_t attr;
        // Where the system does not tell, assume the smallest stack that threads are given in practice.
        size_t size = (size_t)512 << 10;
        void *low = (void *)(uintptr_t)(top - size);
        if (!pthread_getattr_np(pthread_self(), &attr)) {
            pthread_attr_getstack(&attr, &low, &size);
            pthread_attr_destroy(&attr);
        }
        uint64_t reserve = size / 2 < STACK_RESERVE ? size / 2 : STACK_RESERVE;
        instance->thread_limit = (uint64_t)(uintptr_t)low + reserve;
        instance->stack_thread = self;
    }
    instance->vm->stack_limit = instance->thread_limit;
}

Instance *rt_instance_new(Arena *arena, const BcModule *m, const RtOptions *options) {
    Instance *instance = NEW(arena, Instance);
    instance->ctx = arena_ctx(arena);
    instance->arena = arena;
    instance->module = m;
    if (options) instance->options = *options;
    if (!instance->options.collector) instance->options.collector = &heap_semispace;
    if (!instance->options.max_depth) instance->options.max_depth = RT_DEFAULT_DEPTH;
    // Offsets of cells are 32-bit in compiled code; the module's limits keep far below.
    instance->vm = arena_alloc(arena, sizeof(VmCtx) + (size_t)vm_n_cells(m) * 8);
    instance->vm->instance = instance;
    instance->vm->poll = instance->options.heap.stress;
    instance->options.heap.window = &instance->vm->window;
    instance_resolve(instance);
    instance->heap =
        heap_new(arena, instance_types(arena, m), m->n_types, instance->options.collector, &instance->options.heap);
    instance_list_roots(instance);
    heap_add_roots(instance->heap, (HeapRoots){instance_roots, instance});
    instance_place_data(instance);
    instance_make_consts(instance);
    instance_init_globals(instance);
    return instance;
}
