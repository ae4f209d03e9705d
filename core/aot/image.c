// The image of a module (runtime/image.h) as data of an object.
//
// Theory. A structure of the image is written as its bytes here, pointers zero, with a relocation for each pointer;
// what pointers lead to is written first. That needs the host to lay structures out as the target's C compiler does:
// both have 64-bit little-endian words and natural alignment, and the runtime checks the sizes when it starts.
// Structures are copied field by field onto zeroed memory, so that padding does not make the bytes differ.
#include "aot/image.h"

#include <string.h>

typedef struct Writer {
    Object *o;
    uint32_t plain, relro; // sections: data without addresses, data with
} Writer;

// A place in one of the sections, or nowhere.
typedef struct At {
    uint32_t sym; // NONE = a null pointer
    uint64_t offset;
} At;

enum { ALIGN = 8 };

static At put_plain(Writer *w, const void *bytes, size_t size) {
    if (!size) return (At){NONE, 0};
    At at = {w->o->sections.v[w->plain].sym, object_align(w->o, w->plain, ALIGN)};
    buf_bytes(&w->o->sections.v[w->plain].bytes, bytes, size);
    return at;
}

// Starts an array of structures with pointers: everything that they point to has been written.
static At open_array(Writer *w) { return (At){w->o->sections.v[w->relro].sym, object_align(w->o, w->relro, ALIGN)}; }

static void point(Writer *w, uint64_t at, At to) {
    if (to.sym != NONE) object_reloc(w->o, w->relro, at, w->o->target->reloc_word, to.sym, (int64_t)to.offset);
}

// Appends a structure and says where its k-th pointer, which stands at offset `where`, leads.
typedef struct Pointer {
    size_t where;
    At to;
} Pointer;

static void put_struct(Writer *w, const void *bytes, size_t size, const Pointer *pointers, unsigned n) {
    Buf *out = &w->o->sections.v[w->relro].bytes;
    uint64_t at = out->bytes.n;
    buf_bytes(out, bytes, size);
    for (unsigned k = 0; k < n; k++) point(w, at + pointers[k].where, pointers[k].to);
}

#define PUT(w, record, ...)                                                                                            \
    do {                                                                                                               \
        const Pointer pointers_[] = {__VA_ARGS__};                                                                     \
        put_struct((w), &(record), sizeof(record), pointers_, sizeof pointers_ / sizeof *pointers_);                   \
    } while (0)

// ---- the module's tables -----------------------------------------------------------------------------

static At put_strings(Writer *w, const BcModule *m) {
    At *bytes = NEW_ARRAY(w->o->arena, At, m->n_strs);
    for (uint32_t k = 0; k < m->n_strs; k++) bytes[k] = put_plain(w, m->strs[k].bytes, m->strs[k].len);
    At at = open_array(w);
    for (uint32_t k = 0; k < m->n_strs; k++) {
        BcStr out;
        memset(&out, 0, sizeof out);
        out.len = m->strs[k].len;
        PUT(w, out, {offsetof(BcStr, bytes), bytes[k]});
    }
    return at;
}

static At put_types(Writer *w, const BcModule *m) {
    At *maps = NEW_ARRAY(w->o->arena, At, m->n_types);
    At *params = NEW_ARRAY(w->o->arena, At, m->n_types);
    At *fields = NEW_ARRAY(w->o->arena, At, m->n_types);
    for (uint32_t k = 0; k < m->n_types; k++) {
        const BcType *t = &m->types[k];
        maps[k] = put_plain(w, t->map, t->kind == BC_STRUCT ? t->n_map * sizeof *t->map : 0);
        params[k] = put_plain(w, t->params, t->kind == BC_FUNC ? t->n * sizeof *t->params : 0);
        fields[k] = put_plain(w, t->fields, t->kind == BC_STRUCT ? t->n * sizeof *t->fields : 0);
    }
    At at = open_array(w);
    for (uint32_t k = 0; k < m->n_types; k++) {
        const BcType *t = &m->types[k];
        BcType out;
        memset(&out, 0, sizeof out);
        out.kind = t->kind;
        out.align = t->align;
        out.n = t->n;
        out.name = t->name;
        out.size = t->size;
        out.n_map = t->n_map;
        out.elem = t->elem;
        PUT(w, out, {offsetof(BcType, map), maps[k]}, {offsetof(BcType, params), params[k]},
            {offsetof(BcType, fields), fields[k]});
    }
    return at;
}

static At put_consts(Writer *w, const BcModule *m) {
    BcConst *out = NEW_ARRAY(w->o->arena, BcConst, m->n_consts);
    for (uint32_t k = 0; k < m->n_consts; k++) {
        out[k].tag = m->consts[k].tag;
        out[k].bits = m->consts[k].bits;
    }
    return put_plain(w, out, m->n_consts * sizeof *out);
}

static At put_exports(Writer *w, const BcModule *m) {
    BcExport *out = NEW_ARRAY(w->o->arena, BcExport, m->n_exports);
    for (uint32_t k = 0; k < m->n_exports; k++) {
        out[k].kind = m->exports[k].kind;
        out[k].name = m->exports[k].name;
        out[k].index = m->exports[k].index;
    }
    return put_plain(w, out, m->n_exports * sizeof *out);
}

static At put_datas(Writer *w, const BcModule *m) {
    At *bytes = NEW_ARRAY(w->o->arena, At, m->n_datas);
    for (uint32_t k = 0; k < m->n_datas; k++) bytes[k] = put_plain(w, m->datas[k].bytes, m->datas[k].len);
    At at = open_array(w);
    for (uint32_t k = 0; k < m->n_datas; k++) {
        BcData out;
        memset(&out, 0, sizeof out);
        out.name = m->datas[k].name;
        out.align = m->datas[k].align;
        out.len = m->datas[k].len;
        PUT(w, out, {offsetof(BcData, bytes), bytes[k]});
    }
    return at;
}

static At put_funcs(Writer *w, const BcModule *m) {
    At *blocks = NEW_ARRAY(w->o->arena, At, m->n_funcs);
    for (uint32_t k = 0; k < m->n_funcs; k++)
        blocks[k] = put_plain(w, m->funcs[k].blocks, m->funcs[k].n_blocks * sizeof(BcBlock));
    At at = open_array(w);
    for (uint32_t k = 0; k < m->n_funcs; k++) {
        const BcFunc *f = &m->funcs[k];
        BcFunc out;
        memset(&out, 0, sizeof out);
        out.n_params = f->n_params;
        out.n_blocks = f->n_blocks;
        out.n_insts = f->n_insts;
        out.dbg_off = f->dbg_off;
        out.flags = f->flags;
        out.name = f->name;
        out.sig = f->sig;
        PUT(w, out, {offsetof(BcFunc, blocks), blocks[k]});
    }
    return at;
}

static At put_records(Writer *w, const BcModule *m) {
    At *lines = NEW_ARRAY(w->o->arena, At, m->n_records);
    for (uint32_t k = 0; k < m->n_records; k++)
        lines[k] = put_plain(w, m->records[k].lines, m->records[k].n_lines * sizeof(BcLine));
    At at = open_array(w);
    for (uint32_t k = 0; k < m->n_records; k++) {
        BcRecord out;
        memset(&out, 0, sizeof out);
        out.func = m->records[k].func;
        out.pretty = m->records[k].pretty;
        out.n_lines = m->records[k].n_lines;
        PUT(w, out, {offsetof(BcRecord, lines), lines[k]});
    }
    return at;
}

static At put_module(Writer *w, const BcModule *m) {
    At strs = put_strings(w, m);
    At types = put_types(w, m);
    At consts = put_consts(w, m);
    At imports = put_plain(w, m->imports, m->n_imports * sizeof *m->imports);
    At globals = put_plain(w, m->globals, m->n_globals * sizeof *m->globals);
    At funcs = put_funcs(w, m);
    At exports = put_exports(w, m);
    At datas = put_datas(w, m);
    At files = put_plain(w, m->files, m->n_files * sizeof *m->files);
    At records = put_records(w, m);
    At imp_funcs = put_plain(w, m->imp_funcs, m->n_imp_funcs * sizeof *m->imp_funcs);
    At imp_globals = put_plain(w, m->imp_globals, m->n_imp_globals * sizeof *m->imp_globals);
    At file = put_plain(w, m->file, m->file ? strlen(m->file) + 1 : 0);
    BcModule out;
    memset(&out, 0, sizeof out);
    out.minor = m->minor;
    out.name = m->name;
    out.entry = m->entry;
    out.low = m->low;
    out.has_syms = m->has_syms;
    out.n_strs = m->n_strs;
    out.n_consts = m->n_consts;
    out.n_types = m->n_types;
    out.n_imports = m->n_imports;
    out.n_globals = m->n_globals;
    out.n_funcs = m->n_funcs;
    out.n_exports = m->n_exports;
    out.n_datas = m->n_datas;
    out.n_files = m->n_files;
    out.n_records = m->n_records;
    out.n_imp_funcs = m->n_imp_funcs;
    out.n_imp_globals = m->n_imp_globals;
    At at = open_array(w);
    PUT(w, out, {offsetof(BcModule, strs), strs}, {offsetof(BcModule, types), types},
        {offsetof(BcModule, consts), consts}, {offsetof(BcModule, imports), imports},
        {offsetof(BcModule, globals), globals}, {offsetof(BcModule, funcs), funcs},
        {offsetof(BcModule, exports), exports}, {offsetof(BcModule, datas), datas}, {offsetof(BcModule, files), files},
        {offsetof(BcModule, records), records}, {offsetof(BcModule, imp_funcs), imp_funcs},
        {offsetof(BcModule, imp_globals), imp_globals}, {offsetof(BcModule, file), file});
    return at;
}

// ---- code --------------------------------------------------------------------------------------------

static At put_sites(Writer *w, const Code *code, uint8_t (*trap)(uint8_t code)) {
    FrameSite *out = NEW_ARRAY(w->o->arena, FrameSite, code->sites.n);
    for (uint32_t k = 0; k < code->sites.n; k++) {
        const FrameSite *s = &code->sites.v[k];
        FrameSite *to = &out[k];
        to->at = s->at;
        to->kind = s->kind;
        to->trap = trap(s->trap);
        to->srcloc = s->srcloc;
        to->refs = s->refs;
        to->n_refs = s->n_refs;
        to->ret = s->ret;
        to->top = s->top;
        to->pop = s->pop;
    }
    return put_plain(w, out, code->sites.n * sizeof *out);
}

static At put_code(Writer *w, const ImageCode *code) {
    At *sites = NEW_ARRAY(w->o->arena, At, w->o->funcs.n);
    At *refs = NEW_ARRAY(w->o->arena, At, w->o->funcs.n);
    for (uint32_t k = 0; k < w->o->funcs.n; k++) {
        const Code *c = w->o->funcs.v[k].code;
        sites[k] = put_sites(w, c, code->trap);
        refs[k] = put_plain(w, c->refs.v, c->refs.n * sizeof *c->refs.v);
    }
    At at = open_array(w);
    for (uint32_t k = 0; k < w->o->funcs.n; k++) {
        const Code *c = w->o->funcs.v[k].code;
        RtImageFunc out;
        memset(&out, 0, sizeof out);
        out.n_code = c->n_code;
        out.func = c->name.kind == NAME_USER ? c->name.index : BC_NONE;
        out.landing = c->landing;
        out.activation = c->activation;
        out.n_sites = c->sites.n;
        At text = {w->o->sections.v[w->o->text].sym, w->o->funcs.v[k].at};
        PUT(w, out, {offsetof(RtImageFunc, code), text}, {offsetof(RtImageFunc, sites), sites[k]},
            {offsetof(RtImageFunc, refs), refs[k]});
    }
    return at;
}

static At put_addresses(Writer *w, const uint32_t *syms, uint32_t n) {
    if (!n) return (At){NONE, 0};
    At at = open_array(w);
    for (uint32_t k = 0; k < n; k++) object_address(w->o, w->relro, syms[k], 0);
    return at;
}

void image_write(Object *o, const BcModule *m, const ImageCode *code) {
    Writer w = {.o = o};
    w.plain = object_section(o, ".rodata", OBJ_READ_ONLY, ALIGN);
    w.relro = object_section(o, ".data.rel.ro", OBJ_RELRO, ALIGN);
    At module = put_module(&w, m);
    At funcs = put_code(&w, code);
    At addresses = put_addresses(&w, code->functions, bc_n_functions(m));
    At entries = put_addresses(&w, code->entries, bc_n_functions(m));
    At externs = put_addresses(&w, code->externs, m->n_imports);
    At at = open_array(&w);
    RtImage out;
    memset(&out, 0, sizeof out);
    out.version = RT_IMAGE_VERSION;
    out.size = (uint32_t)RT_IMAGE_SIZE;
    out.n_funcs = o->funcs.n;
    out.entry = code->entry;
    PUT(&w, out, {offsetof(RtImage, module), module}, {offsetof(RtImage, funcs), funcs},
        {offsetof(RtImage, addresses), addresses}, {offsetof(RtImage, entries), entries},
        {offsetof(RtImage, externs), externs});
    object_define(o, object_symbol(o, "vitrail_image"), OBJ_HIDDEN, OBJ_OBJECT, w.relro, at.offset, sizeof out);
}
