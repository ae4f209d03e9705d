// Linking code in memory: applying relocations once every part and every symbol has an address.
//
// Theory. The caller lays the parts out, gives each symbol its address and each distinct symbol a small number.
// link_plan() then looks which relocations need help and lays out a stub area: a word with the symbol's address (the
// GOT entry of a formula over G), and a veneer, a jump to the absolute address, for a formula over L whose symbol may
// be out of reach. The caller places the area within reach of the parts and calls link_apply(). A formula over S
// gets no help: what does not reach is an error.
#ifndef VTR_LINK_LINK_H
#define VTR_LINK_LINK_H

#include "select/target.h"

typedef struct LinkReloc {
    uint32_t at;   // offset in its part
    uint8_t reloc; // Target.relocs
    uint32_t sym;  // LinkSym number
    int64_t addend;
    uint8_t back; // Fixup.back
} LinkReloc;

typedef struct LinkPart {
    uint8_t *bytes; // where the bytes are now
    uint64_t addr;  // where they will run
    const LinkReloc *relocs;
    uint32_t n_relocs;
} LinkPart;

typedef struct LinkSym {
    uint64_t addr;
    bool near;            // within reach of every part
    const char *name;     // for diagnostics
    uint32_t got, veneer; // link_plan(): offsets in the stub area, NONE = not needed
} LinkSym;

typedef struct Link {
    Ctx *ctx;
    const Target *target;
    LinkPart *parts;
    LinkSym *syms;
    uint32_t n_parts, n_syms;
    uint8_t *area;      // the stub area: where it is now
    uint64_t area_addr; // where it will be, 16-byte aligned
    uint32_t area_size; // link_plan(): bytes
} Link;

// Computes got, veneer and area_size. Needs the parts' relocations and the symbols' `near`, but no address.
// Throws VTR_ERR_LIMIT when the area would exceed 1 GiB.
void link_plan(Link *link);
// Writes the stub area and patches the parts. False, with a diagnostic, when a relocation does not reach.
bool link_apply(Link *link);

#endif
