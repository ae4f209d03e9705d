#include "runtime/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/number.h"

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

const char *value_text(vtr_value value, char *text) {
    switch (value.type) {
    case VTR_VOID: return NULL;
    case VTR_I8:
    case VTR_I16:
    case VTR_I32:
    case VTR_I64: snprintf(text, VALUE_TEXT, "%" PRId64, value.as.i); break;
    case VTR_F32: return number_f32(value.as.f32, text);
    case VTR_F64: return number_f64(value.as.f64, text);
    case VTR_BOOL: return strcpy(text, value.as.b ? "true" : "false");
    case VTR_REF:
    case VTR_FUNC: return strcpy(text, value.as.u ? "reference" : "null");
    default: snprintf(text, VALUE_TEXT, "%" PRIu64, value.as.u); break;
    }
    return text;
}
