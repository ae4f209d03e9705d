// LEB128: numbers in groups of seven bits, the lowest first; the top bit of a byte says that another one follows. Of a
// signed number the last group's top bit is the sign.
#ifndef VTR_SUPPORT_LEB_H
#define VTR_SUPPORT_LEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEB_MAX = 10 }; // bytes of 64 bits

static inline uint64_t leb_rest(uint64_t x, bool is_signed) { return is_signed && x >> 63 ? ~(~x >> 7) : x >> 7; }

// In as few bytes as hold it, at most LEB_MAX; returns how many. x: of a signed number its two's complement.
static inline unsigned leb_put(uint8_t *out, uint64_t x, bool is_signed) {
    unsigned n = 0;
    for (;;) {
        uint8_t group = x & 0x7f;
        x = leb_rest(x, is_signed);
        const bool last = is_signed && group & 0x40 ? x == UINT64_MAX : x == 0;
        out[n++] = last ? group : group | 0x80;
        if (last) return n;
    }
}

// In `size` bytes, which hold it.
static inline void leb_put_wide(uint8_t *out, unsigned size, uint64_t x, bool is_signed) {
    for (unsigned i = 0; i < size; i++) {
        out[i] = (uint8_t)((x & 0x7f) | (i + 1 < size ? 0x80 : 0));
        x = leb_rest(x, is_signed);
    }
}

// Reads a number of `width` bits (1..64) from n bytes; returns its length. 0: it does not end in time, or has other
// bits than copies of the sign (zeros) above its width.
static inline unsigned leb_get(const uint8_t *bytes, size_t n, unsigned width, bool is_signed, uint64_t *x) {
    const unsigned most = (width + 6) / 7;
    uint64_t value = 0;
    for (unsigned i = 0; i < most && i < n; i++) {
        const unsigned at = 7 * i;
        const unsigned room = width - at < 7 ? width - at : 7; // bits of this group that count
        const uint64_t group = bytes[i] & 0x7f;
        const bool minus = is_signed && group >> (room - 1) & 1;
        value |= group << at;
        if (bytes[i] & 0x80) continue;
        if (room < 7 && group >> room != (minus ? UINT64_C(0x7f) >> room : 0)) return 0;
        if (is_signed && group & 0x40 && at + 7 < 64) value |= UINT64_MAX << (at + 7);
        *x = value;
        return i + 1;
    }
    return 0;
}

#endif
