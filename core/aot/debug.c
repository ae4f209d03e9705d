// .debug_line and what debuggers need to find it: which source line each instruction is from (DWARF 4, section 6.2), as
// far as the input says so. Without any such place there are no debugging sections.
//
// Theory. A line table is a program for a machine that holds an address and a place in the source; each row that it
// appends holds up to the next row's address. Every function is a sequence of its own, from its first byte to the end
// of its instructions, so the rows of one never reach into another or into what stands between. A row that no source
// line stands for has line 0. The prologue belongs to the function's first line, and a second row of the same line,
// where the prologue ends, tells a debugger where a breakpoint on the function is best:
//
//     f+0    a.src:7              push, sub sp
//     f+6    a.src:7  prologue ends here
//     f+20   a.src:8
//     f+31   (end)
//
// A compile unit (.debug_info, its shape in .debug_abbrev) covers the text section and points to the table; it names
// the functions that have lines, so that debuggers give their frames names also where symbols are stripped.
//
// The form with 64-bit offsets is used since the only relocation that it needs is that of a word, which every machine
// has. Addresses advance in bytes.
#include "aot/object.h"
#include "emit/mach.h"

#include <string.h>

enum {
    LNS_COPY = 1,
    LNS_ADVANCE_PC = 2,
    LNS_ADVANCE_LINE = 3,
    LNS_SET_FILE = 4,
    LNS_SET_COLUMN = 5,
    LNS_SET_PROLOGUE_END = 10,
    LNE_END_SEQUENCE = 1,
    LNE_SET_ADDRESS = 2,
    OPCODE_BASE = 13, // the first opcode that advances both and appends a row
    LINE_BASE = -5,
    LINE_RANGE = 14,
    TAG_COMPILE_UNIT = 0x11,
    TAG_SUBPROGRAM = 0x2e,
    AT_NAME = 0x03,
    AT_STMT_LIST = 0x10,
    AT_LOW_PC = 0x11,
    AT_HIGH_PC = 0x12,
    AT_PRODUCER = 0x25,
    FORM_ADDR = 0x01,
    FORM_DATA8 = 0x07,
    FORM_STRING = 0x08,
    FORM_SEC_OFFSET = 0x17,
    ABBREV_UNIT = 1,
    ABBREV_FUNCTION = 2,
    LINE_VERSION = 4,
    INFO_VERSION = 4,
    LENGTH_SIZE = 12 // of the length that opens a table with 64-bit offsets
};

typedef struct Lines {
    Object *o;
    uint32_t section;
    uint64_t at; // the state of the line machine; an offset in the text section
    ObjPlace now;
} Lines;

static Buf *bytes_of(Object *o, uint32_t section) { return &o->sections.v[section].bytes; }

static void put_text(Buf *out, const char *text) { buf_bytes(out, text, strlen(text) + 1); }

static void put_u64_at(Buf *out, uint32_t at, uint64_t x) {
    for (unsigned k = 0; k < 8; k++) out->bytes.v[at + k] = (char)(x >> 8 * k);
}

// Opens a table: its length comes later.
static uint32_t begin_length(Buf *out) {
    buf_u32(out, UINT32_MAX); // 64-bit offsets
    buf_u64(out, 0);
    return out->bytes.n;
}

static void end_length(Buf *out, uint32_t from) { put_u64_at(out, from - 8, out->bytes.n - from); }

static void put_place(Object *o, uint32_t section, uint64_t text_offset) {
    object_address(o, section, o->sections.v[o->text].sym, (int64_t)text_offset);
}

// ---- the line table ------------------------------------------------------------------------------

// Appends a row. An opcode for address and line together where one can say them.
static void put_row(Lines *l, uint64_t at, ObjPlace place) {
    Buf *out = bytes_of(l->o, l->section);
    if (place.file != l->now.file) {
        buf_u8(out, LNS_SET_FILE);
        buf_uleb(out, (uint64_t)place.file + 1);
    }
    if (place.col != l->now.col) {
        buf_u8(out, LNS_SET_COLUMN);
        buf_uleb(out, place.col);
    }
    int64_t lines = (int64_t)place.line - l->now.line;
    uint64_t delta = at - l->at;
    if (lines < LINE_BASE || lines >= LINE_BASE + LINE_RANGE) {
        buf_u8(out, LNS_ADVANCE_LINE);
        buf_sleb(out, lines);
        lines = 0;
    }
    unsigned step = (unsigned)(lines - LINE_BASE) + OPCODE_BASE;
    if (delta > (UINT8_MAX - step) / LINE_RANGE) {
        buf_u8(out, LNS_ADVANCE_PC);
        buf_uleb(out, delta);
        delta = 0;
    }
    buf_u8(out, (uint8_t)(step + delta * LINE_RANGE));
    l->at = at;
    l->now = place;
}

static void begin_sequence(Lines *l, uint64_t at) {
    Buf *out = bytes_of(l->o, l->section);
    buf_u8(out, 0); // an extended opcode, its length
    buf_uleb(out, 1 + mach_word(l->o->target));
    buf_u8(out, LNE_SET_ADDRESS);
    put_place(l->o, l->section, at);
    l->at = at;
    l->now = (ObjPlace){.line = 1};
}

static void end_sequence(Lines *l, uint64_t at) {
    Buf *out = bytes_of(l->o, l->section);
    buf_u8(out, LNS_ADVANCE_PC);
    buf_uleb(out, at - l->at);
    buf_u8(out, 0);
    buf_uleb(out, 1);
    buf_u8(out, LNE_END_SEQUENCE);
}

static ObjPlace place_of(const Object *o, const ObjFunc *func, uint32_t line) {
    return o->places.v[func->places + line];
}

// The first of the function's lines that is one of the source, or NONE.
static uint32_t first_line(const Object *o, const ObjFunc *func) {
    for (uint32_t k = 0; k < func->n_places; k++)
        if (place_of(o, func, k).line) return k;
    return NONE;
}

static bool same(ObjPlace a, ObjPlace b) { return a.file == b.file && a.line == b.line && a.col == b.col; }

static void put_function(Lines *l, const ObjFunc *func) {
    const Code *code = func->code;
    uint32_t first = first_line(l->o, func);
    if (first == NONE) return;
    begin_sequence(l, func->at);
    if (code->lines.v[first].at) put_row(l, func->at, place_of(l->o, func, first));
    bool entered = false;
    for (uint32_t k = first; k < code->lines.n; k++) {
        uint32_t end = k + 1 < code->lines.n ? code->lines.v[k + 1].at : code->n_code;
        ObjPlace place = place_of(l->o, func, k);
        if (code->lines.v[k].at >= end || (entered && same(place, l->now))) continue;
        if (!entered) buf_u8(bytes_of(l->o, l->section), LNS_SET_PROLOGUE_END);
        put_row(l, func->at + code->lines.v[k].at, place);
        entered = true;
    }
    end_sequence(l, func->at + code->n_code);
}

static void put_line_table(Object *o, uint32_t section) {
    static const uint8_t operands[OPCODE_BASE - 1] = {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1}; // of opcodes from 1 on
    Buf *out = bytes_of(o, section);
    uint32_t start = begin_length(out);
    buf_u16(out, LINE_VERSION);
    buf_u64(out, 0);
    uint32_t header = out->bytes.n;
    buf_u8(out, 1); // unit of addresses
    buf_u8(out, 1); // operations of an instruction
    buf_u8(out, 1); // every row is a good place for a breakpoint
    buf_u8(out, (uint8_t)LINE_BASE);
    buf_u8(out, LINE_RANGE);
    buf_u8(out, OPCODE_BASE);
    buf_bytes(out, operands, sizeof operands);
    buf_u8(out, 0); // no directories: names are as the input has them
    for (uint32_t k = 0; k < o->files.symbols.n; k++) {
        put_text(out, o->files.symbols.v[k].text);
        for (unsigned zero = 0; zero < 3; zero++) buf_uleb(out, 0); // directory, time, size
    }
    buf_u8(out, 0);
    put_u64_at(out, header - 8, out->bytes.n - header);
    Lines l = {.o = o, .section = section};
    for (uint32_t k = 0; k < o->funcs.n; k++) put_function(&l, &o->funcs.v[k]);
    end_length(bytes_of(o, section), start);
}

// ---- the compile unit ----------------------------------------------------------------------------

static void put_abbrev(Buf *out, uint8_t number, uint8_t tag, bool children, const uint8_t *pairs, size_t n) {
    buf_uleb(out, number);
    buf_uleb(out, tag);
    buf_u8(out, children);
    for (size_t k = 0; k < n; k++) buf_uleb(out, pairs[k]);
    buf_uleb(out, 0);
    buf_uleb(out, 0);
}

static void put_abbrevs(Buf *out) {
    static const uint8_t unit[] = {AT_PRODUCER,     FORM_STRING, AT_NAME,   FORM_STRING, AT_STMT_LIST,
                                   FORM_SEC_OFFSET, AT_LOW_PC,   FORM_ADDR, AT_HIGH_PC,  FORM_DATA8};
    static const uint8_t function[] = {AT_NAME, FORM_STRING, AT_LOW_PC, FORM_ADDR, AT_HIGH_PC, FORM_DATA8};
    put_abbrev(out, ABBREV_UNIT, TAG_COMPILE_UNIT, true, unit, sizeof unit);
    put_abbrev(out, ABBREV_FUNCTION, TAG_SUBPROGRAM, false, function, sizeof function);
    buf_uleb(out, 0);
}

static void put_offset(Object *o, uint32_t section, uint32_t of) {
    object_reloc(o, section, bytes_of(o, section)->bytes.n, o->target->reloc_word, o->sections.v[of].sym, 0);
    buf_u64(bytes_of(o, section), 0);
}

static void put_info(Object *o, uint32_t section, uint32_t abbrev, uint32_t line) {
    Buf *out = bytes_of(o, section);
    uint32_t start = begin_length(out);
    buf_u16(out, INFO_VERSION);
    put_offset(o, section, abbrev);
    buf_u8(out, (uint8_t)mach_word(o->target));
    buf_uleb(out, ABBREV_UNIT);
    put_text(out, "Vitrail");
    put_text(out, o->files.symbols.v[0].text);
    put_offset(o, section, line);
    put_place(o, section, 0);
    buf_u64(out, bytes_of(o, o->text)->bytes.n);
    for (uint32_t k = 0; k < o->funcs.n; k++) {
        const ObjFunc *func = &o->funcs.v[k];
        if (first_line(o, func) == NONE) continue;
        buf_uleb(out, ABBREV_FUNCTION);
        put_text(out, o->syms.v[func->sym].name);
        put_place(o, section, func->at);
        buf_u64(out, func->code->n_code);
    }
    buf_u8(out, 0); // no more functions
    end_length(out, start);
}

void object_place(Object *o, const char *file, size_t n, uint32_t line, uint32_t col) {
    ObjFunc *func = &vec_last(&o->funcs);
    ObjPlace place = {0};
    n = strnlen(file, n); // names end there in tables
    if (n && line) place = (ObjPlace){intern(&o->files, file, n), line, col};
    if (!func->n_places) func->places = o->places.n;
    vec_push(o->arena, &o->places, place);
    func->n_places++;
}

void object_debug(Object *o) {
    if (!o->files.symbols.n || o->target->word_bits != 64) return;
    uint32_t abbrev = object_section(o, ".debug_abbrev", OBJ_DEBUG, 1);
    uint32_t line = object_section(o, ".debug_line", OBJ_DEBUG, 1);
    uint32_t info = object_section(o, ".debug_info", OBJ_DEBUG, 1);
    put_abbrevs(bytes_of(o, abbrev));
    put_line_table(o, line);
    put_info(o, info, abbrev, line);
}
