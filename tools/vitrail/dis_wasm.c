#include "dis_wasm.h"

#include <inttypes.h>

#include "listing.h"
#include "support/leb.h"

enum { MAX_SLOTS = 16, MAX_INDENT = 60 };

typedef struct Listing {
    Ctx *ctx;
    const Target *t;
    const WasmFile *file;
    const uint8_t *bytes;
    uint32_t reloc; // the first that was not printed yet
    Buf *out;
} Listing;

const Target *wasm_target(void) {
    for (const Target *const *t = targets_all; *t; t++)
        if ((*t)->stack) return *t;
    return NULL;
}

// ---- behind an instruction ----------------------------------------------------------------------------------

static void print_relocs(Listing *l, uint32_t end) {
    for (; l->reloc < l->file->relocs.n && l->file->relocs.v[l->reloc].at < end; l->reloc++) {
        const WasmReloc *x = &l->file->relocs.v[l->reloc];
        const Reloc *known = NULL;
        for (unsigned k = 0; k < l->t->n_relocs; k++)
            if (l->t->relocs[k].elf == x->type) known = &l->t->relocs[k];
        if (known) buf_printf(l->out, "    ; %s", known->name);
        else buf_printf(l->out, "    ; relocation %u", x->type);
        const bool of_type = known && (size_t)(known - l->t->relocs) == l->t->stack->reloc_type;
        const char *name = x->index < l->file->symbols.n ? l->file->symbols.v[x->index].name : NULL;
        if (of_type || !name) buf_printf(l->out, " %" PRIu32, x->index);
        else buf_printf(l->out, " %s", name);
        if (x->addend) buf_printf(l->out, "%+" PRId64, x->addend);
    }
}

// The function that a call names.
static void print_callee(const Listing *l, uint16_t mop, const MOpnd *slots) {
    if (mop != l->t->op_call && mop != l->t->op_tail_call) return;
    const int64_t func = slots[l->t->insts[mop].opnds[0].slot].imm;
    if (func < 0 || func >= l->file->funcs.n) return;
    const char *name = l->file->funcs.v[func].name;
    if (name) buf_printf(l->out, "    ; %s", name);
}

// ---- functions ------------------------------------------------------------------------------------------------

// Declarations of locals; returns where they end.
static uint32_t list_locals(Listing *l, uint32_t at, uint32_t end) {
    WasmReader r = {l->ctx, l->bytes, at, end};
    uint32_t start = r.at;
    for (uint64_t n = wasm_uleb(&r, 32); n; n--) {
        const uint64_t count = wasm_uleb(&r, 32);
        const uint8_t type = wasm_u8(&r);
        const char *name = NULL;
        for (unsigned k = 0; k < l->t->n_classes; k++)
            if (l->t->classes[k].value_type == type) name = l->t->classes[k].name;
        listing_bytes(l->bytes + start, r.at - start, start, l->out);
        buf_printf(l->out, "locals %" PRIu64 " ", count);
        if (name) buf_printf(l->out, "%s\n", name);
        else buf_printf(l->out, "0x%02x\n", type);
        start = r.at;
    }
    return r.at;
}

// The entries of a branch table, each on a line of its own; returns where they end. What stands behind something that
// is no instruction of ours need not be one.
static uint32_t list_entries(Listing *l, uint64_t n, uint32_t at, uint32_t end, unsigned indent) {
    const Target *t = l->t;
    for (uint64_t k = 0; k <= n; k++) {
        uint64_t label;
        const unsigned size = leb_get(l->bytes + at, end - at, 32, false, &label);
        if (!size) break;
        MOpnd slots[MAX_SLOTS] = {{0}};
        slots[0] = (MOpnd){.kind = MO_IMM, .imm = (int64_t)label};
        listing_bytes(l->bytes + at, size, at, l->out);
        buf_printf(l->out, "%*s", (int)indent, "");
        t->print(t->stack->branch_entry, slots, at, size, l->out);
        buf_char(l->out, '\n');
        at += size;
    }
    return at;
}

static unsigned indent_at(uint32_t depth) { return depth < MAX_INDENT / 2 ? 2 * depth : MAX_INDENT; }

static void list_body(Listing *l, const WasmFunc *f) {
    const StackMachine *s = l->t->stack;
    uint32_t depth = 0;
    for (uint32_t at = list_locals(l, f->at, f->end); at < f->end;) {
        uint16_t mop = NO_MOP;
        MOpnd slots[MAX_SLOTS];
        const unsigned size = l->t->decode(l->bytes + at, f->end - at, &mop, slots);
        if (!size) mop = NO_MOP;
        const bool closes = mop == s->end || mop == s->else_;
        const bool opens = mop == s->block || mop == s->loop || mop == s->if_ || mop == s->else_;
        if (closes && depth) depth--;
        at += listing_line(l->t, l->bytes + at, f->end - at, at, indent_at(depth), l->out);
        if (size) print_callee(l, mop, slots);
        print_relocs(l, at);
        buf_char(l->out, '\n');
        if (size && mop == s->branch_table) {
            const OpndDesc *count = &l->t->insts[mop].opnds[l->t->insts[mop].n_opnds - 1];
            at = list_entries(l, (uint64_t)slots[count->slot].imm, at, f->end, indent_at(depth + 1));
        }
        depth += opens;
    }
}

void wasm_list(Ctx *ctx, const Input *input, const Target *t, Buf *out) {
    const WasmFile *file = wasm_read(ctx, out->arena, input);
    Listing l = {.ctx = ctx, .t = t, .file = file, .bytes = (const uint8_t *)input->bytes, .out = out};
    for (uint32_t k = file->n_imported; k < file->funcs.n; k++) {
        const WasmFunc *f = &file->funcs.v[k];
        if (f->name) buf_printf(out, "%s:\n", f->name);
        else buf_printf(out, "function %" PRIu32 ":\n", k);
        list_body(&l, f);
    }
}
