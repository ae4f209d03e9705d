#include "program/program.h"

#include <string.h>

vtr_status vtr_value_bytes(vtr_program *program, vtr_value value, void **bytes, size_t *n) {
    if (value.type != VTR_REF || !value.as.ref) return VTR_ERR_USAGE;
    const ObjHeader *header = heap_header(value.as.ref);
    const HeapType *type = &program->instance->heap->types[header->type];
    *bytes = heap_payload(value.as.ref);
    *n = type->kind == HEAP_ARRAY ? (size_t)type->size * header->length : type->size;
    return VTR_OK;
}

void program_held_roots(void *data, Heap *heap, HeapVisit *visit) {
    vtr_program *program = data;
    for (uint32_t k = 0; k < program->held.n; k++) {
        vtr_value *value = program->held.v[k].value;
        if (value->type == VTR_REF) visit(heap, &value->as.ref);
    }
}

typedef struct Hold {
    vtr_program *program;
    vtr_value *value;
} Hold;

static uint64_t key_of(const vtr_value *value) { return (uint64_t)(uintptr_t)value; }

static void hold_body(Ctx *ctx, void *arg) {
    (void)ctx;
    const Hold *hold = arg;
    vtr_program *program = hold->program;
    uint32_t *at = map_add(&program->held_at, key_of(hold->value), 0, NULL);
    if (!*at) {
        vec_push(program->arena, &program->held, (Held){hold->value, 0});
        *at = program->held.n;
    }
    program->held.v[*at - 1].times++;
}

vtr_status vtr_program_hold(vtr_program *program, vtr_value *value) {
    Hold hold = {program, value};
    return ctx_try(program->ctx, hold_body, &hold);
}

void vtr_program_release(vtr_program *program, vtr_value *value) {
    uint32_t *at = map_find(&program->held_at, key_of(value));
    if (!at || !*at || --program->held.v[*at - 1].times) return;
    Held last = vec_last(&program->held);
    program->held.v[*at - 1] = last;
    *map_find(&program->held_at, key_of(last.value)) = *at;
    *at = 0;
    program->held.n--;
}

typedef struct NewArray {
    vtr_program *program;
    vtr_type element;
    const void *elements;
    size_t n;
    Ref made;
} NewArray;

// The module's type of arrays of a primitive type.
static uint32_t array_type(const vtr_program *program, vtr_type element) {
    const BcModule *m = program->instance->module;
    for (uint32_t t = 0; t < m->n_types; t++)
        if (m->types[t].kind == BC_ARRAY && m->types[t].elem == (uint32_t)element) return t;
    ctx_fail(program->ctx, VTR_ERR_NOT_FOUND, "the module has no type of arrays of this element");
}

static void array_body(Ctx *ctx, void *arg) {
    NewArray *job = arg;
    const uint8_t *bytes = job->elements;
    if (job->element < VTR_I8 || job->element > VTR_BOOL)
        ctx_fail(ctx, VTR_ERR_USAGE, "arrays of a host are of integers, floats or booleans");
    for (size_t k = 0; job->element == VTR_BOOL && bytes && k < job->n; k++)
        if (bytes[k] > 1) ctx_fail(ctx, VTR_ERR_USAGE, "element %zu of an array is no boolean", k);
    uint32_t type = array_type(job->program, job->element);
    if (job->n <= HEAP_MAX_LENGTH) job->made = heap_array(job->program->instance->heap, type, (uint32_t)job->n);
    if (!job->made) ctx_fail(ctx, VTR_ERR_LIMIT, "no room for an array of %zu elements", job->n);
    if (bytes && job->n) memcpy(heap_payload(job->made), bytes, job->n * bc_type_size((uint32_t)job->element));
}

vtr_status vtr_program_array(vtr_program *program, vtr_type element, const void *elements, size_t n, vtr_value *array) {
    NewArray job = {program, element, elements, n, 0};
    vtr_status status = ctx_try(program->ctx, array_body, &job);
    if (status != VTR_OK) return status;
    memset(array, 0, sizeof *array);
    array->type = VTR_REF;
    array->as.ref = job.made;
    return VTR_OK;
}
