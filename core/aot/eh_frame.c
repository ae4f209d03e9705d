// .eh_frame: how to walk through the frames of our functions, at every instruction (DWARF 4, section 6.4, in the form
// that the Linux Standard Base gives it).
//
// Theory. The canonical frame address (CFA) is what sp will be when the function has returned, for an unwinder takes it
// for the caller's sp. Since the stack pointer is the only frame register, the CFA is always sp + some offset, which
// each FrameStep changes; a saved register stands at a place relative to the CFA that does not change any more. One
// entry common to all functions (CIE) tells the state at a function's entry, and each function's (FDE) replays its
// steps:
//
//     push reg        CFA = sp + 16, reg at CFA-16
//     sub 32, sp      CFA = sp + 48
//
// Where the callee removes stack arguments, the caller's sp behind the call differs from that before it. An unwinder
// looks a caller up by the address before the one it returns to, so the row that counts the arguments as gone begins at
// the last byte of the call: while the call is being executed, it stands at its first. (That it is the sp behind the
// call, not the one before, which callees have in common, shows in chains of tail calls: each removes its own
// arguments, of another size than those that the caller pushed for the first.) So a function that removes arguments has
// a row of its own at its entry, and addresses count in bytes on every machine.
//
// Offsets are written as multiples of -8, the factor in the CIE. `remember` and `restore` around an epilogue are
// DWARF's own, so the code that follows an epilogue has the state from before it.
#include "aot/object.h"
#include "emit/mach.h"
#include "support/bits.h"

enum {
    CFA_ADVANCE_LOC = 0x40,
    CFA_OFFSET = 0x80,
    CFA_RESTORE = 0xc0,
    CFA_NOP = 0x00,
    CFA_ADVANCE_LOC1 = 0x02,
    CFA_ADVANCE_LOC2 = 0x03,
    CFA_ADVANCE_LOC4 = 0x04,
    CFA_RESTORE_EXTENDED = 0x06,
    CFA_REMEMBER_STATE = 0x0a,
    CFA_RESTORE_STATE = 0x0b,
    CFA_DEF_CFA = 0x0c,
    CFA_DEF_CFA_OFFSET = 0x0e,
    CFA_OFFSET_EXTENDED_SF = 0x11,
    CFA_DEF_CFA_OFFSET_SF = 0x13,
    DATA_FACTOR = -8,
    SHORT_MAX = 63,       // operands in the low bits of an opcode
    POINTER_PLACE4 = 0x1b // addresses are 4 signed bytes, relative to their own place
};

typedef struct State {
    int64_t cfa;  // from sp
    RegSet saved; // registers that are in memory
} State;

typedef struct Fde {
    Object *o;
    Buf *out;
    State now, remembered;
    uint32_t pops; // Code.pops
    uint32_t at;   // offset in the function that the rows so far have come to
} Fde;

static unsigned link_register(const Target *t) { return t->n_abis ? t->abis[0].link : NO_REG; }

static int64_t entry_cfa(const Target *t) { return link_register(t) == NO_REG ? mach_word(t) : 0; }

static void put_offset(Buf *out, unsigned dwarf, int64_t from_cfa) {
    int64_t factored = from_cfa / DATA_FACTOR;
    if (factored >= 0 && dwarf <= SHORT_MAX) {
        buf_u8(out, (uint8_t)(CFA_OFFSET | dwarf));
        buf_uleb(out, (uint64_t)factored);
    } else {
        buf_u8(out, CFA_OFFSET_EXTENDED_SF);
        buf_uleb(out, dwarf);
        buf_sleb(out, factored);
    }
}

static void put_restore(Buf *out, unsigned dwarf) {
    if (dwarf <= SHORT_MAX) {
        buf_u8(out, (uint8_t)(CFA_RESTORE | dwarf));
    } else {
        buf_u8(out, CFA_RESTORE_EXTENDED);
        buf_uleb(out, dwarf);
    }
}

static void put_cfa(Buf *out, int64_t cfa) {
    if (cfa >= 0) {
        buf_u8(out, CFA_DEF_CFA_OFFSET);
        buf_uleb(out, (uint64_t)cfa);
    } else {
        buf_u8(out, CFA_DEF_CFA_OFFSET_SF);
        buf_sleb(out, cfa / DATA_FACTOR);
    }
}

static void advance(Fde *f, uint32_t to) {
    uint32_t delta = to - f->at;
    f->at = to;
    if (!delta) return;
    if (delta <= SHORT_MAX) {
        buf_u8(f->out, (uint8_t)(CFA_ADVANCE_LOC | delta));
    } else if (delta <= UINT8_MAX) {
        buf_u8(f->out, CFA_ADVANCE_LOC1);
        buf_u8(f->out, (uint8_t)delta);
    } else if (delta <= UINT16_MAX) {
        buf_u8(f->out, CFA_ADVANCE_LOC2);
        buf_u16(f->out, (uint16_t)delta);
    } else {
        buf_u8(f->out, CFA_ADVANCE_LOC4);
        buf_u32(f->out, delta);
    }
}

static void move_cfa(Fde *f, int64_t by) {
    f->now.cfa += by;
    put_cfa(f->out, f->now.cfa);
}

static unsigned dwarf_of(const Fde *f, unsigned reg) {
    unsigned dwarf = f->o->target->regs[reg].dwarf;
    if (dwarf == NO_DWARF)
        ctx_fail(f->o->ctx, VTR_ERR_UNSUPPORTED, "%s: register %s has no DWARF number", f->o->target->name,
                 f->o->target->regs[reg].name);
    return dwarf;
}

static void save(Fde *f, unsigned reg, int64_t from_cfa) {
    put_offset(f->out, dwarf_of(f, reg), from_cfa);
    regset_add(&f->now.saved, reg);
}

static void reload(Fde *f, unsigned reg) {
    put_restore(f->out, dwarf_of(f, reg));
    f->now.saved.w[reg >> 6] &= ~(UINT64_C(1) << (reg & 63));
}

// Back to how things are at the function's entry.
static void enter(Fde *f) {
    const Target *t = f->o->target;
    for (unsigned r = 0; r < t->n_regs; r++)
        if (regset_has(f->now.saved, r)) reload(f, r);
    if (link_register(t) == NO_REG) put_offset(f->out, t->dwarf_return, -(int64_t)mach_word(t) - f->pops);
    f->now.cfa = entry_cfa(t) + f->pops;
    put_cfa(f->out, f->now.cfa);
}

static void put_step(Fde *f, const FrameStep *step) {
    const Target *t = f->o->target;
    int64_t word = mach_word(t);
    advance(f, step->kind == STEP_POPPED ? step->at - 1 : step->at);
    switch ((FrameStepKind)step->kind) {
    case STEP_PUSH:
        move_cfa(f, word);
        save(f, step->reg, -f->now.cfa);
        break;
    case STEP_POP:
        move_cfa(f, -word);
        reload(f, step->reg);
        break;
    case STEP_ALLOC: move_cfa(f, step->amount); break;
    case STEP_POPPED:
    case STEP_FREE: move_cfa(f, -(int64_t)step->amount); break;
    case STEP_SAVE: save(f, step->reg, step->amount - f->now.cfa); break;
    case STEP_RELOAD: reload(f, step->reg); break;
    case STEP_RETURN: put_offset(f->out, t->dwarf_return, step->amount - (int64_t)f->pops); break;
    case STEP_REMEMBER:
        buf_u8(f->out, CFA_REMEMBER_STATE);
        f->remembered = f->now;
        break;
    case STEP_RESTORE:
        buf_u8(f->out, CFA_RESTORE_STATE);
        f->now = f->remembered;
        break;
    case STEP_ENTRY: enter(f); break;
    }
}

// ---- the section ---------------------------------------------------------------------------------

static void put_u32_at(Buf *out, uint32_t at, uint32_t x) {
    for (unsigned k = 0; k < 4; k++) out->bytes.v[at + k] = (char)(x >> 8 * k);
}

// Pads an entry that starts at `start` to whole words and fills its length in.
static void end_entry(Buf *out, uint32_t start) {
    while ((out->bytes.n - start) % 8) buf_u8(out, CFA_NOP);
    put_u32_at(out, start, out->bytes.n - start - 4);
}

static void put_cie(Object *o, Buf *out) {
    const Target *t = o->target;
    uint32_t start = out->bytes.n;
    buf_u32(out, 0);
    buf_u32(out, 0); // a CIE
    buf_u8(out, 1);  // version
    buf_bytes(out, "zR", 3);
    buf_uleb(out, 1); // unit of addresses
    buf_sleb(out, DATA_FACTOR);
    buf_u8(out, t->dwarf_return);
    buf_uleb(out, 1); // bytes of augmentation data
    buf_u8(out, POINTER_PLACE4);
    buf_u8(out, CFA_DEF_CFA);
    buf_uleb(out, t->regs[t->sp].dwarf);
    buf_uleb(out, (uint64_t)entry_cfa(t));
    if (link_register(t) == NO_REG) put_offset(out, t->dwarf_return, -(int64_t)mach_word(t));
    end_entry(out, start);
}

static void put_fde(Object *o, uint32_t section, const ObjFunc *func) {
    Buf *out = &o->sections.v[section].bytes;
    uint32_t start = out->bytes.n;
    buf_u32(out, 0);
    buf_u32(out, out->bytes.n); // from here back to the CIE, which stands at 0
    object_reloc(o, section, out->bytes.n, o->target->reloc_place, o->sections.v[o->text].sym, (int64_t)func->at);
    buf_u32(out, 0);
    buf_u32(out, func->code->n_code);
    buf_uleb(out, 0); // bytes of augmentation data
    Fde f = {.o = o, .out = out, .pops = func->code->pops, .now = {.cfa = entry_cfa(o->target)}};
    if (f.pops) enter(&f);
    for (uint32_t k = 0; k < func->code->steps.n; k++) put_step(&f, &func->code->steps.v[k]);
    end_entry(out, start);
}

void object_unwind(Object *o) {
    if (!o->funcs.n) return;
    uint32_t section = object_section(o, ".eh_frame", OBJ_UNWIND, 8);
    put_cie(o, &o->sections.v[section].bytes);
    for (uint32_t k = 0; k < o->funcs.n; k++) put_fde(o, section, &o->funcs.v[k]);
}
