// The writer: a module in memory to the bytes of a .vitbc file.
#include <string.h>
#include <zlib.h>

#include "bytecode/read.h"
#include "bytecode/write.h"

// A section in the making: payloads are written behind an 8-byte head that end() fills in.
typedef struct Writer {
    const BcModule *m;
    BcWriteOptions options;
    Buf *out;
    size_t base;  // where the file starts in out
    size_t start; // head of the open section
    bool compressed;
} Writer;

static void patch32(char *at, uint32_t x) {
    for (int i = 0; i < 4; i++) at[i] = (char)(x >> 8 * i);
}

static void begin(Writer *w, const char *tag) {
    w->start = w->out->bytes.n;
    buf_bytes(w->out, tag, 4);
    buf_u32(w->out, 0);
}

static void end(Writer *w) {
    char *head = w->out->bytes.v + w->start;
    uint32_t len = (uint32_t)(w->out->bytes.n - w->start - 8);
    patch32(head + 4, len);
    if (!w->options.compress || !memcmp(head, "HEAD", 4)) return;
    uint32_t frame_len;
    const uint8_t *frame = bc_deflate(w->out->arena, (const uint8_t *)head + 8, len, &frame_len);
    if ((uint64_t)frame_len + 8 >= len) return;
    char tag[4];
    memcpy(tag, head, 4);
    w->out->bytes.n = (uint32_t)w->start;
    begin(w, "ZSTD");
    buf_bytes(w->out, tag, 4);
    buf_u32(w->out, len);
    buf_bytes(w->out, frame, frame_len);
    patch32(w->out->bytes.v + w->start + 4, frame_len + 8);
    w->compressed = true;
}

static void write_tables(Writer *w) {
    const BcModule *m = w->m;
    Buf *out = w->out;
    if (m->n_strs) {
        begin(w, "STRS");
        buf_u32(out, m->n_strs);
        for (uint32_t i = 0; i < m->n_strs; i++) {
            buf_u32(out, m->strs[i].len);
            buf_bytes(out, m->strs[i].bytes, m->strs[i].len);
        }
        end(w);
    }
    if (m->n_consts) {
        begin(w, "CONS");
        buf_u32(out, m->n_consts);
        for (uint32_t i = 0; i < m->n_consts; i++) {
            const BcConst *c = &m->consts[i];
            uint32_t size = c->tag >= BC_CONST_STR ? 4 : bc_type_size(c->tag);
            buf_u8(out, c->tag);
            for (uint32_t k = 0; k < size; k++) buf_u8(out, (uint8_t)(c->bits >> 8 * k));
        }
        end(w);
    }
}

static void write_types(Writer *w) {
    const BcModule *m = w->m;
    Buf *out = w->out;
    if (!m->n_types) return;
    begin(w, "TBLT");
    buf_u32(out, m->n_types);
    for (uint32_t i = 0; i < m->n_types; i++) {
        const BcType *t = &m->types[i];
        buf_u8(out, t->kind);
        buf_u8(out, t->align);
        buf_u16(out, t->n);
        if (t->kind != BC_STRUCT) {
            buf_u32(out, t->elem);
            for (uint32_t k = 0; k < t->n; k++) buf_u32(out, t->params[k]);
            continue;
        }
        buf_u32(out, t->name);
        buf_u32(out, t->size);
        buf_u32(out, t->n_map);
        for (uint32_t k = 0; k < t->n; k++) {
            buf_u32(out, t->fields[k].name);
            buf_u32(out, t->fields[k].type);
            buf_u32(out, t->fields[k].offset);
        }
        for (uint32_t k = 0; k < t->n_map; k++) buf_u32(out, t->map[k]);
    }
    end(w);
}

static void write_imports_globals(Writer *w) {
    const BcModule *m = w->m;
    Buf *out = w->out;
    if (m->n_imports) {
        begin(w, "IMPT");
        buf_u32(out, m->n_imports);
        for (uint32_t i = 0; i < m->n_imports; i++) {
            const BcImport *imp = &m->imports[i];
            buf_u8(out, imp->kind);
            buf_u8(out, imp->flags);
            buf_u16(out, imp->abi);
            buf_u32(out, imp->module);
            buf_u32(out, imp->name);
            buf_u32(out, imp->type);
        }
        end(w);
    }
    if (m->n_globals) {
        begin(w, "GLOB");
        buf_u32(out, m->n_globals);
        for (uint32_t i = 0; i < m->n_globals; i++) {
            buf_u32(out, m->globals[i].name);
            buf_u32(out, m->globals[i].type);
            buf_u32(out, m->globals[i].flags);
            buf_u32(out, m->globals[i].init);
        }
        end(w);
    }
}

static void write_list(Buf *out, const BcFunc *f, const BcInst *in, char shape) {
    if (shape != 'a') {
        buf_u16(out, in->n);
        buf_u32(out, in->x);
    }
    for (uint32_t i = 0; i < in->n; i++) {
        if (shape == 'a') {
            buf_u16(out, f->args[in->y + i]);
        } else if (shape == 'w') {
            buf_u64(out, (uint64_t)f->cases[in->y + i].value);
            buf_u32(out, f->cases[in->y + i].label);
        } else {
            buf_u32(out, f->labels[in->y + i]);
        }
    }
}

static void write_inst(Buf *out, const BcFunc *f, const BcInst *in) {
    const BcOpInfo *info = bc_op(in->op);
    uint32_t regs = 0;
    uint32_t wides = 0;
    buf_u16(out, in->op);
    buf_u16(out, info->m0 == BC_M0_ARGC ? in->n : in->m0);
    for (const char *shape = info->shape; *shape; shape++) {
        if (strchr("dDsS", *shape)) {
            buf_u16(out, in->r[regs++]);
        } else if (strchr("awb", *shape)) {
            write_list(out, f, in, *shape);
        } else {
            uint32_t value = wides++ ? in->y : in->x;
            if (strchr("cn", *shape)) buf_u16(out, (uint16_t)value);
            else buf_u32(out, value);
        }
    }
}

static void write_funcs(Writer *w) {
    const BcModule *m = w->m;
    Buf *out = w->out;
    begin(w, "FUNC");
    buf_u32(out, m->n_funcs);
    for (uint32_t i = 0; i < m->n_funcs; i++) {
        const BcFunc *f = &m->funcs[i];
        size_t at = out->bytes.n;
        buf_u32(out, 0);
        buf_u32(out, f->n_regs);
        buf_u32(out, f->n_params);
        buf_u32(out, f->n_locals);
        buf_u32(out, f->n_blocks);
        buf_u32(out, f->n_insts);
        buf_u32(out, f->const_off);
        buf_u32(out, w->options.strip ? BC_NONE : f->dbg_off);
        buf_u32(out, f->flags);
        buf_u32(out, f->name);
        buf_u32(out, f->sig);
        for (uint32_t k = 0; k < f->n_regs; k++) buf_u32(out, f->regs[k]);
        for (uint32_t k = 0; k < f->n_blocks; k++) {
            const BcBlock *block = &f->blocks[k];
            buf_u32(out, k);
            buf_u32(out, block->n);
            for (uint32_t j = 0; j < block->n; j++) write_inst(out, f, &f->insts[block->first + j]);
        }
        patch32(out->bytes.v + at, (uint32_t)(out->bytes.n - at - 4));
    }
    end(w);
}

static void write_exports_data(Writer *w) {
    const BcModule *m = w->m;
    Buf *out = w->out;
    if (m->n_exports) {
        begin(w, "EXPT");
        buf_u32(out, m->n_exports);
        for (uint32_t i = 0; i < m->n_exports; i++) {
            buf_u32(out, m->exports[i].kind);
            buf_u32(out, m->exports[i].name);
            buf_u32(out, m->exports[i].index);
        }
        end(w);
    }
    if (m->n_datas) {
        begin(w, "DATA");
        buf_u32(out, m->n_datas);
        for (uint32_t i = 0; i < m->n_datas; i++) {
            buf_u32(out, m->datas[i].name);
            buf_u32(out, m->datas[i].align);
            buf_u32(out, m->datas[i].len);
            buf_bytes(out, m->datas[i].bytes, m->datas[i].len);
        }
        end(w);
    }
}

static void write_syms(Writer *w) {
    const BcModule *m = w->m;
    Buf *out = w->out;
    begin(w, "SYMS");
    buf_u32(out, m->n_files);
    for (uint32_t i = 0; i < m->n_files; i++) buf_u32(out, m->files[i]);
    buf_u32(out, m->n_records);
    for (uint32_t i = 0; i < m->n_records; i++) {
        const BcRecord *record = &m->records[i];
        buf_u32(out, record->func);
        buf_u32(out, record->pretty);
        buf_u32(out, record->n_lines);
        buf_u32(out, record->n_vars);
        for (uint32_t k = 0; k < record->n_lines; k++) {
            buf_u32(out, record->lines[k].inst);
            buf_u32(out, record->lines[k].file);
            buf_u32(out, record->lines[k].line);
            buf_u32(out, record->lines[k].col);
        }
        for (uint32_t k = 0; k < record->n_vars; k++) {
            buf_u32(out, record->vars[k].reg);
            buf_u32(out, record->vars[k].name);
            buf_u32(out, record->vars[k].start);
            buf_u32(out, record->vars[k].end);
        }
    }
    end(w);
}

void bc_write(const BcModule *m, BcWriteOptions options, Buf *out) {
    Writer w = {.m = m, .options = options, .out = out, .base = out->bytes.n};
    bool syms = m->has_syms && !options.strip;
    buf_bytes(out, "VITBC", 6);
    buf_u16(out, 1);
    begin(&w, "HEAD");
    size_t flags = out->bytes.n;
    buf_u32(out, (uint32_t)syms << 1 | (uint32_t)m->low << 2);
    buf_u16(out, m->minor);
    buf_u16(out, BC_OPTAB);
    buf_u32(out, m->name);
    buf_u32(out, m->entry);
    end(&w);
    write_tables(&w);
    write_types(&w);
    write_imports_globals(&w);
    write_funcs(&w);
    write_exports_data(&w);
    if (syms) write_syms(&w);
    if (w.compressed) out->bytes.v[flags] |= 1;
    uint32_t crc = (uint32_t)crc32_z(0, (const Bytef *)out->bytes.v + w.base + 6, out->bytes.n - w.base - 6);
    begin(&w, "END!");
    buf_u32(out, crc);
    patch32(out->bytes.v + w.start + 4, 4);
}

void bc_each_string(BcModule *m, void (*visit)(void *data, uint32_t *string), void *data) {
    visit(data, &m->name);
    for (uint32_t i = 0; i < m->n_types; i++) {
        if (m->types[i].kind != BC_STRUCT) continue;
        visit(data, &m->types[i].name);
        for (uint32_t k = 0; k < m->types[i].n; k++) visit(data, &m->types[i].fields[k].name);
    }
    for (uint32_t i = 0; i < m->n_imports; i++) {
        visit(data, &m->imports[i].module);
        visit(data, &m->imports[i].name);
    }
    for (uint32_t i = 0; i < m->n_globals; i++) visit(data, &m->globals[i].name);
    for (uint32_t i = 0; i < m->n_datas; i++) visit(data, &m->datas[i].name);
    for (uint32_t i = 0; i < m->n_consts; i++) {
        if (m->consts[i].tag != BC_CONST_STR) continue;
        uint32_t string = (uint32_t)m->consts[i].bits;
        visit(data, &string);
        m->consts[i].bits = string;
    }
    uint32_t files = 0; // files that have been visited; lines number them as they first occur
    for (uint32_t i = 0; i < m->n_funcs; i++) {
        visit(data, &m->funcs[i].name);
        if (m->funcs[i].dbg_off == BC_NONE) continue;
        BcRecord *record = &m->records[m->funcs[i].dbg_off];
        for (uint32_t k = 0; k < record->n_lines; k++) {
            for (; files <= record->lines[k].file; files++) visit(data, &m->files[files]);
        }
        visit(data, &record->pretty);
        for (uint32_t k = 0; k < record->n_vars; k++) visit(data, &record->vars[k].name);
    }
    for (; files < m->n_files; files++) visit(data, &m->files[files]);
    for (uint32_t i = 0; i < m->n_exports; i++) visit(data, &m->exports[i].name);
}
