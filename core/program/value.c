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
