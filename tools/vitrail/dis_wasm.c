#include "dis_wasm.h"

#include <inttypes.h>

#include "list_body.h"

typedef struct Listing {
    const Target *t;
    const WasmFile *file;
    uint32_t reloc; // the first that was not printed yet
} Listing;

const Target *wasm_target(void) {
    for (const Target *const *t = targets_all; *t; t++)
        if ((*t)->stack) return *t;
    return NULL;
}

// ---- behind an instruction ----------------------------------------------------------------------------------

static void print_relocs(Listing *l, uint32_t end, Buf *out) {
    for (; l->reloc < l->file->relocs.n && l->file->relocs.v[l->reloc].at < end; l->reloc++) {
        const WasmReloc *x = &l->file->relocs.v[l->reloc];
        const Reloc *known = NULL;
        for (unsigned k = 0; k < l->t->n_relocs; k++)
            if (l->t->relocs[k].elf == x->type) known = &l->t->relocs[k];
        if (known) buf_printf(out, "    ; %s", known->name);
        else buf_printf(out, "    ; relocation %u", x->type);
        const bool of_type = known && (size_t)(known - l->t->relocs) == l->t->stack->reloc_type;
        const char *name = x->index < l->file->symbols.n ? l->file->symbols.v[x->index].name : NULL;
        if (of_type || !name) buf_printf(out, " %" PRIu32, x->index);
        else buf_printf(out, " %s", name);
        if (x->addend) buf_printf(out, "%+" PRId64, x->addend);
    }
}

// The function that a call names.
static void print_callee(const Listing *l, uint16_t mop, const MOpnd *slots, Buf *out) {
    if (mop != l->t->op_call && mop != l->t->op_tail_call) return;
    const int64_t func = slots[l->t->insts[mop].opnds[0].slot].imm;
    if (func < 0 || func >= l->file->funcs.n) return;
    const char *name = l->file->funcs.v[func].name;
    if (name) buf_printf(out, "    ; %s", name);
}

static void comment(void *user, uint32_t end, uint16_t mop, const MOpnd *slots, Buf *out) {
    Listing *l = user;
    if (mop != NO_MOP) print_callee(l, mop, slots, out);
    print_relocs(l, end, out);
}

void wasm_list(Ctx *ctx, const Input *input, const Target *t, Buf *out) {
    const WasmFile *file = wasm_read(ctx, out->arena, input);
    Listing l = {.t = t, .file = file};
    const BodyListing body = {t, (const uint8_t *)input->bytes, comment, &l};
    for (uint32_t k = file->n_imported; k < file->funcs.n; k++) {
        const WasmFunc *f = &file->funcs.v[k];
        if (f->name) buf_printf(out, "%s:\n", f->name);
        else buf_printf(out, "function %" PRIu32 ":\n", k);
        list_body(ctx, &body, f->at, f->end, out);
    }
}
