#include "program/program.h"

#include <string.h>

vtr_type value_public_type(const BcModule *m, uint32_t typeref) {
    if (typeref < BC_N_PRIMS) return (vtr_type)typeref;
    return bc_is_gc_ref(m, typeref) ? VTR_REF : VTR_FUNC;
}

vtr_value value_from_word(const BcModule *m, uint32_t typeref, uint64_t word) {
    vtr_value value = {.type = value_public_type(m, typeref)};
    unsigned unused = typeref == BC_VOID ? 0 : 64 - bc_type_width(typeref);
    uint32_t low = (uint32_t)word;
    switch (value.type) {
    case VTR_VOID: break;
    case VTR_I8:
    case VTR_I16:
    case VTR_I32:
    case VTR_I64: value.as.i = (int64_t)(word << unused) >> unused; break;
    case VTR_F32: memcpy(&value.as.f32, &low, sizeof low); break;
    case VTR_BOOL: value.as.b = (word & 0xff) != 0; break;
    case VTR_PTR: value.as.ptr = (void *)(uintptr_t)word; break;
    default: value.as.u = word << unused >> unused; break;
    }
    return value;
}

uint64_t value_to_word(vtr_value value) {
    uint32_t low;
    switch (value.type) {
    case VTR_VOID: return 0;
    case VTR_I8:
    case VTR_U8: return (uint8_t)value.as.u;
    case VTR_I16:
    case VTR_U16: return (uint16_t)value.as.u;
    case VTR_I32:
    case VTR_U32: return (uint32_t)value.as.u;
    case VTR_F32: memcpy(&low, &value.as.f32, sizeof low); return low;
    case VTR_BOOL: return value.as.b;
    case VTR_PTR: return (uint64_t)(uintptr_t)value.as.ptr;
    default: return value.as.u;
    }
}

vtr_status vtr_value_bytes(vtr_program *program, vtr_value value, void **bytes, size_t *n) {
    if (value.type != VTR_REF || !value.as.ref) return VTR_ERR_USAGE;
    const ObjHeader *header = heap_header(value.as.ref);
    const HeapType *type = &program->instance->heap->types[header->type];
    *bytes = heap_payload(value.as.ref);
    *n = type->kind == HEAP_ARRAY ? (size_t)type->size * header->length : type->size;
    return VTR_OK;
}
