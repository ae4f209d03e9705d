#include "runtime/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Digits that hold a double are at most 17; where the plain form of a number would need more than 16 before the point
// or five zeros behind it, the exponent is shorter.
enum { MAX_DIGITS = 17, FIXED_BELOW = 16, FIXED_FROM = -4 };

static bool same_f64(const char *text, double x) { return strtod(text, NULL) == x; }
static bool same_f32(const char *text, double x) { return (double)strtof(text, NULL) == x; }

static const char *shortest(double x, bool (*same)(const char *text, double x), char *text) {
    if (isnan(x)) return strcpy(text, "nan");
    if (isinf(x)) return strcpy(text, x < 0 ? "-inf" : "inf");
    int digits = 1;
    do snprintf(text, NUMBER_TEXT, "%.*e", digits - 1, x);
    while (!same(text, x) && ++digits <= MAX_DIGITS);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent >= FIXED_FROM && exponent < FIXED_BELOW) {
        int decimals = digits - 1 - exponent;
        snprintf(text, NUMBER_TEXT, "%.*f", decimals < 1 ? 1 : decimals, x);
    }
    return text;
}

const char *number_f64(double x, char *text) { return shortest(x, same_f64, text); }
const char *number_f32(float x, char *text) { return shortest(x, same_f32, text); }

static const struct {
    const char *name;
    int bits; // of an integer; negative = signed
} types[] = {
    [VTR_VOID] = {"void", 0}, [VTR_I8] = {"i8", -8},        [VTR_I16] = {"i16", -16},     [VTR_I32] = {"i32", -32},
    [VTR_I64] = {"i64", -64}, [VTR_U8] = {"u8", 8},         [VTR_U16] = {"u16", 16},      [VTR_U32] = {"u32", 32},
    [VTR_U64] = {"u64", 64},  [VTR_F32] = {"f32", 0},       [VTR_F64] = {"f64", 0},       [VTR_BOOL] = {"bool", 0},
    [VTR_PTR] = {"ptr", 0},   [VTR_REF] = {"reference", 0}, [VTR_FUNC] = {"function", 0},
};

const char *number_type_name(vtr_type type) { return types[type].name; }

static bool read_int(const char *text, int bits, vtr_value *value) {
    char *end;
    const char *digits = text + (*text == '-' || *text == '+');
    int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    errno = 0;
    if (bits < 0) {
        long long max = (long long)((1ULL << (-bits - 1)) - 1);
        value->as.i = strtoll(text, &end, base);
        return end != text && !*end && !errno && value->as.i <= max && value->as.i >= -max - 1;
    }
    if (strchr(text, '-')) return false;
    value->as.u = strtoull(text, &end, base);
    return end != text && !*end && !errno && (bits == 64 || value->as.u >> bits == 0);
}

bool number_read(const char *text, vtr_type type, vtr_value *value) {
    char *end;
    memset(value, 0, sizeof *value);
    value->type = type;
    if (types[type].bits) return read_int(text, types[type].bits, value);
    switch (type) {
    case VTR_F32:
        errno = 0;
        value->as.f32 = strtof(text, &end);
        return end != text && !*end && !(errno && isinf(value->as.f32)); // infinity has a name
    case VTR_F64:
        errno = 0;
        value->as.f64 = strtod(text, &end);
        return end != text && !*end && !(errno && isinf(value->as.f64));
    case VTR_BOOL: value->as.b = !strcmp(text, "true"); return value->as.b || !strcmp(text, "false");
    case VTR_PTR:
    case VTR_REF:
    case VTR_FUNC: return !strcmp(text, "null");
    default: return false;
    }
}
