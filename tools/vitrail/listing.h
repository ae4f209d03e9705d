// Machine code as lines of text: address, bytes, instruction.
#ifndef VITRAIL_LISTING_H
#define VITRAIL_LISTING_H

#include "select/target.h"
#include "support/buf.h"

// Appends the line, without its end, of what stands at `bytes` (n > 0 of them), whose address is `at`, and returns how
// many bytes that is. What is no instruction of the machine is written as data, up to the next address where an
// instruction may stand. `indent`: blanks before it.
unsigned listing_line(const Target *t, const uint8_t *bytes, size_t n, uint64_t at, unsigned indent, Buf *out);
// Appends the start of such a line: the address and these bytes.
void listing_bytes(const uint8_t *bytes, size_t n, uint64_t at, Buf *out);

#endif
