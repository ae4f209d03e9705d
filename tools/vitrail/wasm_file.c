#include "wasm_file.h"

#include <inttypes.h>
#include <string.h>

#include "support/leb.h"
#include "support/vec.h"

// Numbers of the format.
enum { SECTION_CUSTOM, SECTION_IMPORT = 2, SECTION_FUNCTION = 3, SECTION_EXPORT = 7, SECTION_CODE = 10 };
enum { KIND_FUNCTION, KIND_TABLE, KIND_MEMORY, KIND_GLOBAL, KIND_TAG };
enum { NAMES_OF_FUNCTIONS = 1, LINKING_VERSION = 2, LINKING_SYMBOLS = 8 };
enum { SYMBOL_FUNCTION, SYMBOL_DATA, SYMBOL_GLOBAL, SYMBOL_SECTION, SYMBOL_TAG, SYMBOL_TABLE };
enum { SYMBOL_UNDEFINED = 0x10, SYMBOL_NAMED = 0x40 };
enum { HEAD_SIZE = 8, MAX_MODULE = 1 << 30 };

// Who gave a function its name: the greater one counts.
enum { FROM_NOBODY, FROM_IMPORT, FROM_EXPORT, FROM_SYMBOL, FROM_NAMES };

typedef struct Module {
    WasmReader r; // the whole file
    Arena *arena;
    WasmFile *file;
    VEC(uint8_t) from;      // by function: who named it
    VEC(uint32_t) sections; // where their contents start, by number
    uint32_t code;          // number of the code section, UINT32_MAX = there is none
    uint32_t n_bodies;
} Module;

bool wasm_is_module(const Input *input) {
    return input->size >= HEAD_SIZE && !memcmp(input->bytes, "\0asm\1\0\0\0", HEAD_SIZE);
}

// ---- reading ----------------------------------------------------------------------------------------------

VTR_NORETURN static void fail(const WasmReader *r, const char *what) {
    ctx_fail(r->ctx, VTR_ERR_INPUT, "at offset 0x%" PRIx32 ": %s", r->at, what);
}

uint8_t wasm_u8(WasmReader *r) {
    if (r->at >= r->end) fail(r, "a part ends too early");
    return r->bytes[r->at++];
}

static uint64_t leb(WasmReader *r, unsigned width, bool is_signed) {
    uint64_t x = 0;
    const unsigned n = leb_get(r->bytes + r->at, r->end - r->at, width, is_signed, &x);
    if (!n) fail(r, "this is no number of its width");
    r->at += n;
    return x;
}

uint64_t wasm_uleb(WasmReader *r, unsigned width) { return leb(r, width, false); }
static uint32_t u32(WasmReader *r) { return (uint32_t)leb(r, 32, false); }

// The next `size` bytes as a part of their own.
static WasmReader part(WasmReader *r, uint32_t size) {
    if (size > r->end - r->at) fail(r, "a part runs past the end");
    const WasmReader p = {r->ctx, r->bytes, r->at, r->at + size};
    r->at += size;
    return p;
}

static WasmReader sized(WasmReader *r) {
    const uint32_t size = u32(r);
    return part(r, size);
}

// A name as it is shown: what a terminal would not print is escaped.
static const char *name(const Module *m, WasmReader *r) {
    const WasmReader text = sized(r);
    Buf out = buf_new(m->arena);
    buf_text(&out, "");
    for (uint32_t k = text.at; k < text.end; k++) {
        const uint8_t c = text.bytes[k];
        if (c < 0x20 || c == 0x7f) buf_printf(&out, "\\%02x", c);
        else buf_char(&out, (char)c);
    }
    return buf_str(&out);
}

static bool name_is(const WasmReader *text, const char *wanted) {
    const size_t n = strlen(wanted);
    return text->end - text->at == n && !memcmp(text->bytes + text->at, wanted, n);
}

static void give_name(Module *m, uint32_t func, const char *text, uint8_t from) {
    if (func >= m->file->funcs.n || m->from.v[func] >= from) return;
    m->from.v[func] = from;
    m->file->funcs.v[func].name = text;
}

static void add_func(Module *m) {
    vec_push(m->arena, &m->file->funcs, ((WasmFunc){0}));
    vec_push(m->arena, &m->from, FROM_NOBODY);
}

// ---- sections -----------------------------------------------------------------------------------------------

static void skip_limits(WasmReader *r) {
    const uint64_t flags = wasm_uleb(r, 32);
    (void)wasm_uleb(r, 64);
    if (flags & 1) (void)wasm_uleb(r, 64);
}

static void read_imports(Module *m, WasmReader *r) {
    for (uint32_t n = u32(r); n; n--) {
        const char *module = name(m, r);
        const char *field = name(m, r);
        switch (wasm_u8(r)) {
        case KIND_FUNCTION: {
            (void)u32(r);
            Buf text = buf_new(m->arena);
            buf_printf(&text, "%s.%s", module, field);
            add_func(m);
            give_name(m, m->file->n_imported++, buf_str(&text), FROM_IMPORT);
            break;
        }
        case KIND_TABLE:
            (void)wasm_u8(r);
            skip_limits(r);
            break;
        case KIND_MEMORY: skip_limits(r); break;
        case KIND_GLOBAL:
            (void)wasm_u8(r);
            (void)wasm_u8(r);
            break;
        case KIND_TAG:
            (void)wasm_u8(r);
            (void)u32(r);
            break;
        default: fail(r, "there is no such kind of import");
        }
    }
}

static void read_functions(Module *m, WasmReader *r) {
    for (uint32_t n = u32(r); n; n--) {
        (void)u32(r); // its type
        add_func(m);
    }
}

static void read_exports(Module *m, WasmReader *r) {
    for (uint32_t n = u32(r); n; n--) {
        const char *text = name(m, r);
        const uint8_t kind = wasm_u8(r);
        const uint32_t index = u32(r);
        if (kind == KIND_FUNCTION) give_name(m, index, text, FROM_EXPORT);
    }
}

static void read_code(Module *m, WasmReader *r) {
    for (uint32_t n = u32(r); n; n--) {
        const uint32_t func = m->file->n_imported + m->n_bodies++;
        if (func >= m->file->funcs.n) fail(r, "a function has a body, but was not declared");
        const WasmReader body = sized(r);
        m->file->funcs.v[func].at = body.at;
        m->file->funcs.v[func].end = body.end;
    }
}

static void read_names(Module *m, WasmReader *r) {
    while (r->at < r->end) {
        const uint8_t kind = wasm_u8(r);
        WasmReader names = sized(r);
        if (kind != NAMES_OF_FUNCTIONS) continue;
        for (uint32_t n = u32(&names); n; n--) {
            const uint32_t func = u32(&names);
            give_name(m, func, name(m, &names), FROM_NAMES);
        }
    }
}

static void read_symbol(Module *m, WasmReader *r) {
    const uint8_t kind = wasm_u8(r);
    const uint32_t flags = u32(r);
    const bool defined = !(flags & SYMBOL_UNDEFINED);
    WasmSymbol symbol = {0};
    if (kind == SYMBOL_DATA) {
        symbol.name = name(m, r);
        if (defined) {
            (void)u32(r); // segment, place in it, size
            (void)wasm_uleb(r, 64);
            (void)wasm_uleb(r, 64);
        }
    } else {
        const uint32_t index = u32(r);
        if (kind > SYMBOL_TABLE) fail(r, "there is no such kind of symbol");
        if (kind != SYMBOL_SECTION && (defined || flags & SYMBOL_NAMED)) symbol.name = name(m, r);
        if (kind == SYMBOL_FUNCTION && symbol.name) give_name(m, index, symbol.name, FROM_SYMBOL);
        if (kind == SYMBOL_FUNCTION && !symbol.name && index < m->file->funcs.n)
            symbol.name = m->file->funcs.v[index].name;
    }
    vec_push(m->arena, &m->file->symbols, symbol);
}

static void read_linking(Module *m, WasmReader *r) {
    if (u32(r) != LINKING_VERSION) fail(r, "only version 2 of the tool conventions is read");
    while (r->at < r->end) {
        const uint8_t kind = wasm_u8(r);
        WasmReader symbols = sized(r);
        if (kind != LINKING_SYMBOLS) continue;
        for (uint32_t n = u32(&symbols); n; n--) read_symbol(m, &symbols);
    }
}

static bool has_addend(uint8_t type) {
    switch (type) {
    case 3: // addresses of memory, in all widths and ways
    case 4:
    case 5:
    case 11:
    case 14:
    case 15:
    case 16:
    case 17:
    case 21:
    case 23:
    case 25:
    case 8: // places in functions and sections
    case 9:
    case 22: return true;
    default: return false;
    }
}

static void read_relocs(Module *m, WasmReader *r) {
    const uint32_t section = u32(r);
    if (section >= m->sections.n) fail(r, "relocations of a section that does not come before them");
    for (uint32_t n = u32(r); n; n--) {
        WasmReloc x = {.type = wasm_u8(r)};
        const uint32_t at = u32(r);
        x.index = u32(r);
        if (has_addend(x.type)) x.addend = (int64_t)leb(r, 64, true);
        if (at > m->r.end - m->sections.v[section]) fail(r, "a relocation outside of the file");
        x.at = m->sections.v[section] + at;
        if (section == m->code) vec_push(m->arena, &m->file->relocs, x);
    }
}

static void read_custom(Module *m, WasmReader *r) {
    const WasmReader text = sized(r);
    if (name_is(&text, "name")) read_names(m, r);
    else if (name_is(&text, "linking")) read_linking(m, r);
    else if (name_is(&text, "reloc.CODE")) read_relocs(m, r);
}

static void read_section(Module *m) {
    const uint8_t id = wasm_u8(&m->r);
    WasmReader r = sized(&m->r);
    if (id == SECTION_CODE) m->code = m->sections.n;
    vec_push(m->arena, &m->sections, r.at);
    switch (id) {
    case SECTION_CUSTOM: read_custom(m, &r); break;
    case SECTION_IMPORT: read_imports(m, &r); break;
    case SECTION_FUNCTION: read_functions(m, &r); break;
    case SECTION_EXPORT: read_exports(m, &r); break;
    case SECTION_CODE: read_code(m, &r); break;
    default: break;
    }
}

WasmFile *wasm_read(Ctx *ctx, Arena *arena, const Input *input) {
    if (input->size > MAX_MODULE) ctx_fail(ctx, VTR_ERR_LIMIT, "a module of more than %d bytes", MAX_MODULE);
    Module m = {.r = {ctx, (const uint8_t *)input->bytes, HEAD_SIZE, (uint32_t)input->size},
                .arena = arena,
                .file = NEW(arena, WasmFile),
                .code = UINT32_MAX};
    while (m.r.at < m.r.end) read_section(&m);
    if (m.n_bodies != m.file->funcs.n - m.file->n_imported) fail(&m.r, "a function has no body");
    return m.file;
}
