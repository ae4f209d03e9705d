#include "listing.h"

#include <inttypes.h>

enum { BYTES_SHOWN = 8, MAX_SLOTS = 16 };

static unsigned data_size(const Target *t, size_t n, uint64_t at) {
    unsigned size = (unsigned)(t->code_align - at % t->code_align);
    return size < n ? size : (unsigned)n;
}

static void print_data(const uint8_t *bytes, unsigned n, Buf *out) {
    for (unsigned k = 0; k < n; k++) buf_printf(out, "%s0x%02x", k ? ", " : ".byte ", bytes[k]);
}

void listing_bytes(const uint8_t *bytes, size_t n, uint64_t at, Buf *out) {
    buf_printf(out, "%6" PRIx64 ": ", at);
    for (size_t k = 0; k < n || k < BYTES_SHOWN; k++) {
        if (k < n) buf_printf(out, " %02x", bytes[k]);
        else buf_text(out, "   ");
    }
    buf_text(out, "  ");
}

unsigned listing_line(const Target *t, const uint8_t *bytes, size_t n, uint64_t at, unsigned indent, Buf *out) {
    uint16_t mop;
    MOpnd slots[MAX_SLOTS];
    unsigned size = at % t->code_align ? 0 : t->decode(bytes, n, &mop, slots);
    unsigned width = size ? size : data_size(t, n, at);
    listing_bytes(bytes, width, at, out);
    buf_printf(out, "%*s", (int)indent, "");
    if (size) t->print(mop, slots, at, size, out);
    else print_data(bytes, width, out);
    return width;
}
