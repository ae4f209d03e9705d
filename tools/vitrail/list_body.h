// The listing of a function of a stack machine: declarations of locals, instructions indented by their nesting.
#ifndef VITRAIL_LIST_BODY_H
#define VITRAIL_LIST_BODY_H

#include "select/target.h"

typedef struct BodyListing {
    const Target *target;
    const uint8_t *bytes;
    // Appends what stands behind an instruction that ends at `end`; mop is NO_MOP, and slots are not set, where there
    // is none.
    void (*comment)(void *user, uint32_t end, uint16_t mop, const MOpnd *slots, Buf *out);
    void *user;
} BodyListing;

// Appends the listing of bytes [at, end): a body as a module has it, without its size. Throws VTR_ERR_INPUT when the
// declarations are not as the format says.
void list_body(Ctx *ctx, const BodyListing *l, uint32_t at, uint32_t end, Buf *out);

#endif
