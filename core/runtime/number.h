// Values of arguments and results as text.
#ifndef VTR_RUNTIME_NUMBER_H
#define VTR_RUNTIME_NUMBER_H

#include "vitrail.h"

enum { NUMBER_TEXT = 40 };

// The shortest decimal text that reads back as the same number, with a point or an exponent: 0.1, 3.0, 1e+22, -inf,
// nan. Written to `text` of NUMBER_TEXT bytes, which is returned.
const char *number_f64(double x, char *text);
const char *number_f32(float x, char *text);

// Reads all of `text` as a value of the type: integers in decimal or 0x..., within the type's range; floats; true and
// false; null. false when it is none.
bool number_read(const char *text, vtr_type type, vtr_value *value);

const char *number_type_name(vtr_type type);

#endif
