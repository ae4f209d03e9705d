// The reader of .vitbc files: untrusted bytes in, a verified module out.
//
// Theory. Three steps. (1) The frame: sections in their order, the CRC, before any payload is looked at. (2) The
// payloads, each into its table: this step checks what keeps the reader itself safe (bounds, counts against the
// bytes that are left, limits) and what the tables cannot hold (reserved bytes, unknown opcodes, map words).
// (3) bc_verify() on the tables.
//
// Every count is compared with the bytes left over before anything is allocated from it, so memory stays proportional
// to the file. The first fault ends the reading; each primitive throws, so no caller checks.
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "bytecode/read.h"
#include "support/buf.h"
#include "support/vec.h"

const char *const bc_rule_name[BC_N_RULES] = {
#define X(name, about) "V-" #name,
    BC_RULES(X)
#undef X
};

enum { S_HEAD, S_STRS, S_CONS, S_TBLT, S_IMPT, S_GLOB, S_FUNC, S_EXPT, S_DATA, S_SYMS, S_END, N_SECTIONS };
static const char section_tag[N_SECTIONS][5] = {"HEAD", "STRS", "CONS", "TBLT", "IMPT", "GLOB",
                                                "FUNC", "EXPT", "DATA", "SYMS", "END!"};

typedef struct Section {
    const uint8_t *bytes; // NULL = absent
    uint32_t len;         // as stored, the wrapper's inner tag and length not counted
    uint32_t raw_len;
    bool compressed;
} Section;

typedef struct Reader {
    Ctx *ctx;
    Arena *arena;
    Arena *scratch; // freed before the module is handed over
    BcModule *m;
    const char *where; // section tag, or NULL while reading the frame
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    Section sections[N_SECTIONS];
    uint32_t flags; // of HEAD
    // Lists of the function being read, reused from one to the next.
    VEC(uint16_t) args;
    VEC(BcCase) cases;
    VEC(uint32_t) labels;
} Reader;

VTR_NORETURN static void fault(Reader *r, BcRule rule, const uint8_t *at, const char *fmt, ...) VTR_PRINTF(4, 5);

static void fault(Reader *r, BcRule rule, const uint8_t *at, const char *fmt, ...) {
    Buf text = buf_new(r->arena);
    va_list args;
    va_start(args, fmt);
    char message[256];
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    buf_printf(&text, "%s: ", bc_rule_name[rule]);
    if (r->where) buf_printf(&text, "%s+0x%zx: ", r->where, (size_t)(at - r->start));
    else buf_printf(&text, "byte 0x%zx: ", (size_t)(at - r->start));
    buf_text(&text, message);
    diag_error(r->ctx, (Place){r->m->file, 0, 0}, "%s", buf_str(&text));
    ctx_throw(r->ctx, rule == BC_V_LIMIT ? VTR_ERR_LIMIT : VTR_ERR_INPUT);
}

// ---- primitives ---------------------------------------------------------------------------------------------

static size_t left(const Reader *r) { return (size_t)(r->end - r->at); }

static const uint8_t *take(Reader *r, size_t n) {
    if (n > left(r)) fault(r, BC_V_TRUNC, r->at, "%zu more bytes are needed, %zu are left", n, left(r));
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

static uint16_t load16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t load32(const uint8_t *p) { return load16(p) | (uint32_t)load16(p + 2) << 16; }
static uint8_t get8(Reader *r) { return *take(r, 1); }
static uint16_t get16(Reader *r) { return load16(take(r, 2)); }
static uint32_t get32(Reader *r) { return load32(take(r, 4)); }
static uint64_t get64(Reader *r) {
    const uint8_t *p = take(r, 8);
    return load32(p) | (uint64_t)load32(p + 4) << 32;
}

// Bytes of the fixed part of a function's body and of a block, and of the smallest instruction and the smallest
// function: its length, a body without registers, and one block of one instruction.
enum { FUNC_HEAD = 40, BLOCK_HEAD = 8, MIN_INST = 4, MIN_FUNC = 4 + FUNC_HEAD + BLOCK_HEAD + MIN_INST };

// `n` entries of at least `size` bytes each must still be there.
static void need(Reader *r, uint64_t n, uint32_t size) {
    if (n * size > left(r)) {
        fault(r, BC_V_TRUNC, r->at, "%llu entries need at least %llu bytes, %zu are left", (unsigned long long)n,
              (unsigned long long)n * size, left(r));
    }
}

// The entry count at the head of a table section.
static uint32_t get_count(Reader *r, uint32_t limit, uint32_t entry_size) {
    const uint8_t *at = r->at;
    uint32_t n = get32(r);
    if (n == 0) fault(r, BC_V_SECTION, at, "an empty table must be left out");
    if (n > limit) fault(r, BC_V_LIMIT, at, "%u entries, at most %u are allowed", n, limit);
    need(r, n, entry_size);
    return n;
}

static void reserved(Reader *r, uint32_t value, uint32_t bytes) {
    if (value) fault(r, BC_V_RESERVED, r->at - bytes, "reserved byte or flag is 0x%x instead of 0", value);
}

// ---- the frame ----------------------------------------------------------------------------------------------

static int section_find(const uint8_t *tag) {
    for (int i = 0; i < N_SECTIONS; i++) {
        if (!memcmp(tag, section_tag[i], 4)) return i;
    }
    return -1;
}

// The section that a ZSTD wrapper replaces; *s is cut down to the frame.
static int unwrap(Reader *r, Section *s) {
    if (s->len < 8) fault(r, BC_V_TRUNC, s->bytes, "the ZSTD section is shorter than its head");
    int which = section_find(s->bytes);
    if (which <= S_HEAD || which == S_END) fault(r, BC_V_ZSTD, s->bytes, "this section may not be compressed");
    s->raw_len = load32(s->bytes + 4);
    s->compressed = true;
    s->bytes += 8;
    s->len -= 8;
    return which;
}

static void read_sections(Reader *r) {
    int last = -1;
    while (last != S_END) {
        const uint8_t *tag = take(r, 4);
        for (int i = 0; i < 4; i++) {
            if (tag[i] < 0x21 || tag[i] > 0x7E) fault(r, BC_V_SECTION, tag, "a tag is four printable characters");
        }
        Section s = {.len = get32(r)};
        s.bytes = take(r, s.len);
        int which = memcmp(tag, "ZSTD", 4) ? section_find(tag) : unwrap(r, &s);
        if (last < 0 && which != S_HEAD) fault(r, BC_V_SECTION, tag, "HEAD must come first");
        if (which < 0) {
            if (tag[0] >= 'a' && tag[0] <= 'z') continue;
            fault(r, BC_V_SECTION, tag, "unknown section %.4s", (const char *)tag);
        }
        if (which <= last) fault(r, BC_V_SECTION, tag, "section %s out of order or twice", section_tag[which]);
        last = which;
        r->sections[which] = s;
    }
}

static void read_frame(Reader *r) {
    static const char magic[6] = "VITBC";
    if (left(r) > BC_MAX_FILE) fault(r, BC_V_LIMIT, r->at, "the file is larger than 1 GiB");
    size_t known = left(r) < sizeof magic ? left(r) : sizeof magic;
    if (memcmp(r->at, magic, known) != 0) fault(r, BC_V_MAGIC, r->at, "no VITBC module");
    take(r, sizeof magic);
    uint16_t version = get16(r);
    if (version != 1) fault(r, BC_V_VERSION, r->at - 2, "version %u, only 1 is known", version);
    read_sections(r);
    const Section *end = &r->sections[S_END];
    if (end->len != 4) fault(r, BC_V_CRC, end->bytes - 4, "END! has %u bytes instead of 4", end->len);
    if (r->at != r->end) fault(r, BC_V_TRAIL, r->at, "%zu bytes behind END!", left(r));
    uint32_t told = load32(end->bytes);
    size_t covered = (size_t)(end->bytes - 8 - r->start) - sizeof magic;
    uint32_t is = (uint32_t)crc32_z(0, r->start + sizeof magic, covered);
    if (told != is) fault(r, BC_V_CRC, end->bytes, "the CRC is 0x%08X, the content has 0x%08X", told, is);
    if (!r->sections[S_FUNC].bytes) fault(r, BC_V_SECTION, end->bytes - 8, "section FUNC is missing");
    uint64_t raw = 0;
    for (int i = 0; i < N_SECTIONS; i++) raw += r->sections[i].raw_len;
    if (raw > BC_MAX_RAW) fault(r, BC_V_LIMIT, r->start, "compressed sections hold more than 512 MiB");
}

// ---- tables -------------------------------------------------------------------------------------------------

static void read_head(Reader *r) {
    BcModule *m = r->m;
    r->flags = get32(r);
    reserved(r, r->flags & ~7u, 4);
    m->minor = get16(r);
    uint16_t optab = get16(r);
    if (optab == 0 || optab > BC_OPTAB) fault(r, BC_V_VERSION, r->at - 2, "opcode table %u is not known", optab);
    m->name = get32(r);
    m->entry = get32(r);
    if (m->minor > 0) r->at = r->end; // later minors may append fields
    bool compressed = false;
    for (int i = 0; i < N_SECTIONS; i++) compressed |= r->sections[i].compressed;
    if (compressed != (r->flags & 1)) fault(r, BC_V_ZSTD, r->start, "flag bit 0 does not match the sections");
    m->has_syms = r->sections[S_SYMS].bytes != NULL;
    if (m->has_syms != (r->flags >> 1 & 1)) fault(r, BC_V_SYMS, r->start, "flag bit 1 does not match the sections");
    m->low = r->flags >> 2 & 1;
}

static void read_strs(Reader *r) {
    BcModule *m = r->m;
    m->n_strs = get_count(r, BC_MAX_ENTRIES, 4);
    m->strs = NEW_ARRAY(r->arena, BcStr, m->n_strs);
    for (uint32_t i = 0; i < m->n_strs; i++) {
        uint32_t len = get32(r);
        if (len > BC_MAX_STRING) fault(r, BC_V_LIMIT, r->at - 4, "string %u has %u bytes", i, len);
        const char *bytes = (const char *)take(r, len);
        if (!bc_utf8_valid(bytes, len)) fault(r, BC_V_UTF8, r->at - len, "string %u is not UTF-8", i);
        m->strs[i] = (BcStr){bytes, len};
    }
}

static void read_cons(Reader *r) {
    BcModule *m = r->m;
    m->n_consts = get_count(r, BC_MAX_ENTRIES, 2);
    m->consts = NEW_ARRAY(r->arena, BcConst, m->n_consts);
    for (uint32_t i = 0; i < m->n_consts; i++) {
        BcConst *c = &m->consts[i];
        c->tag = get8(r);
        uint32_t size = c->tag >= BC_CONST_STR && c->tag <= BC_CONST_FN ? 4 : bc_type_size(c->tag);
        if (c->tag == BC_VOID || c->tag > BC_CONST_FN || (c->tag > BC_BOOL && c->tag < BC_CONST_STR)) {
            fault(r, BC_V_CONST, r->at - 1, "constant %u has the unknown tag 0x%02x", i, c->tag);
        }
        const uint8_t *p = take(r, size);
        for (uint32_t k = 0; k < size; k++) c->bits |= (uint64_t)p[k] << 8 * k;
    }
}

static void read_struct(Reader *r, BcType *t) {
    t->name = get32(r);
    t->size = get32(r);
    t->n_map = get32(r);
    need(r, t->n, 12);
    t->fields = NEW_ARRAY(r->arena, BcField, t->n);
    for (uint32_t i = 0; i < t->n; i++) {
        t->fields[i].name = get32(r);
        t->fields[i].type = get32(r);
        t->fields[i].offset = get32(r);
    }
    need(r, t->n_map, 4);
    t->map = NEW_ARRAY(r->arena, uint32_t, t->n_map);
    for (uint32_t i = 0; i < t->n_map; i++) t->map[i] = get32(r);
}

static void read_tblt(Reader *r) {
    BcModule *m = r->m;
    m->n_types = get_count(r, BC_MAX_TYPES, 8);
    m->types = NEW_ARRAY(r->arena, BcType, m->n_types);
    for (uint32_t i = 0; i < m->n_types; i++) {
        BcType *t = &m->types[i];
        t->kind = get8(r);
        if (t->kind < BC_STRUCT || t->kind > BC_FUNC) fault(r, BC_V_TYPE, r->at - 1, "type %u: kind %u", i, t->kind);
        t->align = get8(r);
        if (t->kind != BC_STRUCT) reserved(r, t->align, 1);
        t->n = get16(r);
        if (t->kind == BC_ARRAY) reserved(r, t->n, 2);
        if (t->kind == BC_STRUCT) {
            read_struct(r, t);
            continue;
        }
        t->elem = get32(r);
        if (t->n > BC_MAX_PARAMS) fault(r, BC_V_TYPE, r->at - 6, "type %u: %u parameters", i, t->n);
        need(r, t->n, 4);
        t->params = NEW_ARRAY(r->arena, uint32_t, t->n);
        for (uint32_t k = 0; k < t->n; k++) t->params[k] = get32(r);
    }
}

static void read_impt(Reader *r) {
    BcModule *m = r->m;
    m->n_imports = get_count(r, BC_MAX_ENTRIES, 16);
    m->imports = NEW_ARRAY(r->arena, BcImport, m->n_imports);
    for (uint32_t i = 0; i < m->n_imports; i++) {
        BcImport *imp = &m->imports[i];
        imp->kind = get8(r);
        if (imp->kind > BC_KIND_GLOBAL) fault(r, BC_V_IMPORT, r->at - 1, "import %u has kind %u", i, imp->kind);
        imp->flags = get8(r);
        reserved(r, imp->kind == BC_KIND_GLOBAL ? imp->flags & ~BC_MUTABLE : imp->flags, 1);
        imp->abi = get16(r);
        if (imp->kind == BC_KIND_GLOBAL || imp->abi > BC_ABI_C) reserved(r, imp->abi, 2);
        imp->module = get32(r);
        imp->name = get32(r);
        imp->type = get32(r);
    }
}

static void read_glob(Reader *r) {
    BcModule *m = r->m;
    m->n_globals = get_count(r, BC_MAX_ENTRIES, 16);
    m->globals = NEW_ARRAY(r->arena, BcGlobal, m->n_globals);
    for (uint32_t i = 0; i < m->n_globals; i++) {
        BcGlobal *g = &m->globals[i];
        g->name = get32(r);
        g->type = get32(r);
        g->flags = get32(r);
        reserved(r, g->flags & ~(uint32_t)BC_MUTABLE, 4);
        g->init = get32(r);
    }
}

static void read_expt(Reader *r) {
    BcModule *m = r->m;
    m->n_exports = get_count(r, BC_MAX_ENTRIES, 12);
    m->exports = NEW_ARRAY(r->arena, BcExport, m->n_exports);
    for (uint32_t i = 0; i < m->n_exports; i++) {
        BcExport *e = &m->exports[i];
        e->kind = get8(r);
        if (e->kind > BC_KIND_GLOBAL) fault(r, BC_V_EXPORT, r->at - 1, "export %u has kind %u", i, e->kind);
        reserved(r, get8(r), 1);
        reserved(r, get16(r), 2);
        e->name = get32(r);
        e->index = get32(r);
    }
}

static void read_data(Reader *r) {
    BcModule *m = r->m;
    m->n_datas = get_count(r, BC_MAX_ENTRIES, 12);
    m->datas = NEW_ARRAY(r->arena, BcData, m->n_datas);
    for (uint32_t i = 0; i < m->n_datas; i++) {
        BcData *d = &m->datas[i];
        d->name = get32(r);
        d->align = get32(r);
        d->len = get32(r);
        if (d->len > BC_MAX_BLOB) fault(r, BC_V_LIMIT, r->at - 4, "blob %u has %u bytes", i, d->len);
        d->bytes = take(r, d->len);
    }
}

static void read_record(Reader *r, BcRecord *record) {
    record->func = get32(r);
    record->pretty = get32(r);
    record->n_lines = get32(r);
    record->n_vars = get32(r);
    need(r, record->n_lines, 16);
    record->lines = NEW_ARRAY(r->arena, BcLine, record->n_lines);
    for (uint32_t i = 0; i < record->n_lines; i++) {
        BcLine *line = &record->lines[i];
        line->inst = get32(r);
        line->file = get32(r);
        line->line = get32(r);
        line->col = get32(r);
    }
    need(r, record->n_vars, 16);
    record->vars = NEW_ARRAY(r->arena, BcVar, record->n_vars);
    for (uint32_t i = 0; i < record->n_vars; i++) {
        BcVar *var = &record->vars[i];
        var->reg = get16(r);
        reserved(r, get16(r), 2);
        var->name = get32(r);
        var->start = get32(r);
        var->end = get32(r);
    }
}

static void read_syms(Reader *r) {
    BcModule *m = r->m;
    const uint8_t *at = r->at;
    m->n_files = get32(r);
    if (m->n_files > BC_MAX_ENTRIES) fault(r, BC_V_LIMIT, at, "%u source files", m->n_files);
    need(r, m->n_files, 4);
    m->files = NEW_ARRAY(r->arena, uint32_t, m->n_files);
    for (uint32_t i = 0; i < m->n_files; i++) m->files[i] = get32(r);
    m->n_records = get32(r);
    if (m->n_files == 0 && m->n_records == 0) fault(r, BC_V_SECTION, at, "an empty table must be left out");
    if (m->n_records > BC_MAX_ENTRIES) fault(r, BC_V_LIMIT, r->at - 4, "%u records", m->n_records);
    need(r, m->n_records, 16);
    m->records = NEW_ARRAY(r->arena, BcRecord, m->n_records);
    for (uint32_t i = 0; i < m->n_records; i++) read_record(r, &m->records[i]);
}

// ---- code ---------------------------------------------------------------------------------------------------

static void read_list(Reader *r, BcInst *inst, char shape) {
    if (shape == 'a') {
        inst->n = inst->m0;
        inst->y = r->args.n;
        need(r, inst->n, 2);
        for (uint32_t i = 0; i < inst->n; i++) vec_push(r->scratch, &r->args, get16(r));
        return;
    }
    inst->n = get16(r);
    inst->x = get32(r);
    need(r, inst->n, shape == 'w' ? 12 : 4);
    inst->y = shape == 'w' ? r->cases.n : r->labels.n;
    for (uint32_t i = 0; i < inst->n; i++) {
        if (shape == 'w') {
            int64_t value = (int64_t)get64(r);
            vec_push(r->scratch, &r->cases, (BcCase){value, get32(r)});
        } else {
            vec_push(r->scratch, &r->labels, get32(r));
        }
    }
}

static void read_inst(Reader *r, BcInst *inst) {
    const uint8_t *at = r->at;
    inst->op = get16(r);
    inst->m0 = get8(r);
    uint8_t m1 = get8(r);
    const BcOpInfo *info = bc_op(inst->op);
    if (!info) fault(r, BC_V_OPCODE, at, "opcode 0x%04x is unknown or reserved", inst->op);
    if (m1 || (inst->m0 && info->m0 == BC_M0_ZERO)) fault(r, BC_V_RESERVED, at, "a modifier is not 0");
    uint32_t regs = 0;
    uint32_t wides = 0;
    for (const char *shape = info->shape; *shape; shape++) {
        if (strchr("dDsS", *shape)) {
            inst->r[regs++] = get16(r);
        } else if (strchr("awb", *shape)) {
            read_list(r, inst, *shape);
        } else {
            uint32_t value = strchr("cn", *shape) ? get16(r) : get32(r);
            if (wides++) inst->y = value;
            else inst->x = value;
        }
    }
}

static void read_blocks(Reader *r, BcFunc *f) {
    f->offset = (uint32_t)(r->at - r->start);
    f->blocks = NEW_ARRAY(r->arena, BcBlock, f->n_blocks);
    f->insts = NEW_ARRAY(r->arena, BcInst, f->n_insts);
    r->args.n = r->cases.n = r->labels.n = 0;
    uint32_t done = 0;
    for (uint32_t k = 0; k < f->n_blocks; k++) {
        uint32_t label = get32(r);
        if (label != k) fault(r, BC_V_LABEL, r->at - 4, "block %u carries the label %u", k, label);
        uint32_t n = get32(r);
        if (n == 0) fault(r, BC_V_BLOCK, r->at - 4, "block %u is empty", k);
        if (n > f->n_insts - done) fault(r, BC_V_FUNC, r->at - 4, "more instructions than n_insts = %u", f->n_insts);
        f->blocks[k] = (BcBlock){done, n};
        for (uint32_t end = done + n; done < end; done++) read_inst(r, &f->insts[done]);
    }
    if (done != f->n_insts) fault(r, BC_V_FUNC, r->at, "%u instructions, n_insts is %u", done, f->n_insts);
    f->args = arena_copy(r->arena, r->args.v, r->args.n * sizeof *f->args);
    f->cases = arena_copy(r->arena, r->cases.v, r->cases.n * sizeof *f->cases);
    f->labels = arena_copy(r->arena, r->labels.v, r->labels.n * sizeof *f->labels);
}

static void read_body(Reader *r, BcFunc *f) {
    const uint8_t *at = r->at;
    f->n_regs = get32(r);
    f->n_params = get32(r);
    f->n_locals = get32(r);
    f->n_blocks = get32(r);
    f->n_insts = get32(r);
    f->const_off = get32(r);
    f->dbg_off = get32(r);
    f->flags = get8(r);
    reserved(r, f->flags & ~(unsigned)BC_FN_LOW, 1);
    reserved(r, get8(r), 1);
    reserved(r, get16(r), 2);
    f->name = get32(r);
    f->sig = get32(r);
    if (f->n_regs > BC_MAX_REGS) fault(r, BC_V_FUNC, at, "%u registers", f->n_regs);
    if (f->n_blocks > BC_MAX_BLOCKS) fault(r, BC_V_LIMIT, at + 12, "%u blocks", f->n_blocks);
    if (f->n_insts > BC_MAX_INSTS) fault(r, BC_V_LIMIT, at + 16, "%u instructions", f->n_insts);
    if (f->n_blocks == 0) fault(r, BC_V_FUNC, at + 12, "no block");
    need(r, f->n_regs, 4);
    f->regs = NEW_ARRAY(r->arena, uint32_t, f->n_regs);
    for (uint32_t i = 0; i < f->n_regs; i++) f->regs[i] = get32(r);
    need(r, (uint64_t)f->n_blocks * BLOCK_HEAD + (uint64_t)f->n_insts * MIN_INST, 1);
    read_blocks(r, f);
}

static void read_func(Reader *r) {
    BcModule *m = r->m;
    m->n_funcs = get_count(r, BC_MAX_ENTRIES, MIN_FUNC);
    m->funcs = NEW_ARRAY(r->arena, BcFunc, m->n_funcs);
    const uint8_t *end = r->end;
    for (uint32_t i = 0; i < m->n_funcs; i++) {
        uint32_t len = get32(r);
        need(r, len, 1);
        r->end = r->at + len;
        read_body(r, &m->funcs[i]);
        if (r->at != r->end) fault(r, BC_V_TRAIL, r->at, "%zu bytes left over in function %u", left(r), i);
        r->end = end;
    }
}

static void read_section(Reader *r, int which, void (*body)(Reader *)) {
    const Section *s = &r->sections[which];
    if (!s->bytes) return;
    r->where = section_tag[which];
    r->start = r->at = s->bytes;
    r->end = s->bytes + s->len;
    if (s->compressed) {
        const char *why = NULL;
        r->start = r->at = bc_inflate(r->arena, s->bytes, s->len, s->raw_len, &why);
        if (why) fault(r, BC_V_ZSTD, r->at, "%s", why);
        r->end = r->at + s->raw_len;
    }
    body(r);
    if (r->at != r->end) fault(r, BC_V_TRAIL, r->at, "%zu bytes left over", left(r));
}

// ---- verification -------------------------------------------------------------------------------------------

static bool report(void *data, const BcModule *m, const BcFault *fault) {
    Arena *arena = data;
    Buf text = buf_new(arena);
    buf_printf(&text, "%s: ", bc_rule_name[fault->rule]);
    if (fault->inst != BC_NONE) {
        const BcFunc *f = &m->funcs[fault->index];
        uint32_t block = bc_block_of(f, fault->inst);
        uint32_t at = f->offset + 8 * (block + 1);
        for (uint32_t i = 0; i < fault->inst; i++) at += bc_inst_size(&f->insts[i]);
        buf_printf(&text, "FUNC+0x%x: function %s, block %u, instruction %u (%s): ", at,
                   bc_function_name(m, m->n_imp_funcs + fault->index, arena), block, fault->inst,
                   bc_op(f->insts[fault->inst].op)->name);
    } else if (fault->table && !strcmp(fault->table, "FUNC")) {
        buf_printf(&text, "function %s: ", bc_function_name(m, m->n_imp_funcs + fault->index, arena));
    } else if (fault->table && fault->index != BC_NONE) {
        buf_printf(&text, "%s entry %u: ", fault->table, fault->index);
    } else if (fault->table) {
        buf_printf(&text, "%s: ", fault->table);
    }
    buf_text(&text, fault->text);
    diag_error(m->ctx, (Place){m->file, 0, 0}, "%s", buf_str(&text));
    return false;
}

BcModule *bc_read_in(Arena *arena, const char *name, const uint8_t *bytes, size_t n, bool allow_low) {
    BcModule *m = NEW(arena, BcModule);
    m->ctx = arena_ctx(arena);
    m->arena = arena;
    m->file = arena_text(arena, name, strlen(name));
    Arena *scratch = arena_new(m->ctx);
    Reader r = {
        .ctx = m->ctx, .arena = arena, .scratch = scratch, .m = m, .start = bytes, .at = bytes, .end = bytes + n};
    read_frame(&r);
    static void (*const body[S_END])(Reader *) = {read_head, read_strs, read_cons, read_tblt, read_impt,
                                                  read_glob, read_func, read_expt, read_data, read_syms};
    for (int i = S_HEAD; i < S_END; i++) read_section(&r, i, body[i]);
    bc_index_imports(m);
    BcSink sink = {report, scratch, scratch};
    if (!bc_verify(m, &sink)) ctx_throw(m->ctx, VTR_ERR_INPUT);
    if (m->low && !allow_low) {
        BcFault refused = {BC_V_CAP, NULL, BC_NONE, BC_NONE, "the host does not grant the capability `low`"};
        report(scratch, m, &refused);
        ctx_throw(m->ctx, VTR_ERR_INPUT);
    }
    arena_free(scratch);
    return m;
}

BcModule *bc_read(Ctx *ctx, const char *name, const void *bytes, size_t n, bool allow_low) {
    Arena *arena = arena_new(ctx);
    return bc_read_in(arena, name, arena_copy(arena, bytes, n), n, allow_low);
}
