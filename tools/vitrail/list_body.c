#include "list_body.h"

#include <inttypes.h>

#include "listing.h"
#include "support/leb.h"
#include "wasm_file.h"

enum { MAX_SLOTS = 16, MAX_INDENT = 60 };

// Declarations of locals; returns where they end.
static uint32_t list_locals(Ctx *ctx, const BodyListing *l, uint32_t at, uint32_t end, Buf *out) {
    WasmReader r = {ctx, l->bytes, at, end};
    for (uint64_t n = wasm_uleb(&r, 32); n; n--) {
        const uint32_t start = r.at;
        const uint64_t count = wasm_uleb(&r, 32);
        const uint8_t type = wasm_u8(&r);
        const char *name = NULL;
        for (unsigned k = 0; k < l->target->n_classes; k++)
            if (l->target->classes[k].value_type == type) name = l->target->classes[k].name;
        listing_bytes(l->bytes + start, r.at - start, start, out);
        buf_printf(out, "locals %" PRIu64 " ", count);
        if (name) buf_printf(out, "%s\n", name);
        else buf_printf(out, "0x%02x\n", type);
    }
    return r.at;
}

// The entries of a branch table, each on a line of its own; returns where they end. What stands behind something that
// is no instruction of ours need not be one.
static uint32_t list_entries(const BodyListing *l, uint64_t n, uint32_t at, uint32_t end, unsigned indent, Buf *out) {
    const Target *t = l->target;
    for (uint64_t k = 0; k <= n; k++) {
        uint64_t label;
        const unsigned size = leb_get(l->bytes + at, end - at, 32, false, &label);
        if (!size) break;
        MOpnd slots[MAX_SLOTS] = {{0}};
        slots[0] = (MOpnd){.kind = MO_IMM, .imm = (int64_t)label};
        listing_bytes(l->bytes + at, size, at, out);
        buf_printf(out, "%*s", (int)indent, "");
        t->print(t->stack->branch_entry, slots, at, size, out);
        buf_char(out, '\n');
        at += size;
    }
    return at;
}

// What an instruction is decoded as: one that stands for another is that one.
static uint16_t decoded(const Target *t, uint16_t mop) {
    Encoded e;
    MOpnd slots[MAX_SLOTS] = {{0}};
    uint16_t found = NO_MOP;
    return t->encode(mop, slots, UINT64_MAX, &e) && t->decode(e.bytes, e.n, &found, slots) ? found : mop;
}

static unsigned indent_at(uint32_t depth) { return depth < MAX_INDENT / 2 ? 2 * depth : MAX_INDENT; }

void list_body(Ctx *ctx, const BodyListing *l, uint32_t at, uint32_t end, Buf *out) {
    const StackMachine *s = l->target->stack;
    const uint16_t openers[] = {decoded(l->target, s->block), decoded(l->target, s->loop), decoded(l->target, s->if_)};
    uint32_t depth = 0;
    for (at = list_locals(ctx, l, at, end, out); at < end;) {
        uint16_t mop = NO_MOP;
        MOpnd slots[MAX_SLOTS];
        const unsigned size = l->target->decode(l->bytes + at, end - at, &mop, slots);
        if (!size) mop = NO_MOP;
        const bool closes = mop == s->end || mop == s->else_;
        bool opens = mop == s->else_;
        for (unsigned k = 0; k < sizeof openers / sizeof *openers; k++) opens |= mop == openers[k];
        if (closes && depth) depth--;
        at += listing_line(l->target, l->bytes + at, end - at, at, indent_at(depth), out);
        l->comment(l->user, at, mop, slots, out);
        buf_char(out, '\n');
        if (size && mop == s->branch_table) {
            const OpndDesc *count = &l->target->insts[mop].opnds[l->target->insts[mop].n_opnds - 1];
            at = list_entries(l, (uint64_t)slots[count->slot].imm, at, end, indent_at(depth + 1), out);
        }
        depth += opens;
    }
}
