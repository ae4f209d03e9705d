// Words, as instances hold values, and the values of the public interface.
#ifndef VTR_RUNTIME_VALUE_H
#define VTR_RUNTIME_VALUE_H

#include "bytecode/module.h"

vtr_type value_public_type(const BcModule *m, uint32_t typeref);
vtr_value value_from_word(const BcModule *m, uint32_t typeref, uint64_t word);
uint64_t value_to_word(vtr_value value);

// A result as programs print it: integers in decimal, floats as the shortest text that reads back the same, true and
// false, null or reference. Written to `text` of VALUE_TEXT bytes, which is returned; NULL for VTR_VOID.
enum { VALUE_TEXT = 48 };
const char *value_text(vtr_value value, char *text);

#endif
