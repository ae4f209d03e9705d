// The disassembler: a verified module to .vita text that assembles back to the same module.
//
// Names in a file need be neither present nor different nor plain; those of the text must be. So a name is written as
// it is when it is plain and the first of its kind, and otherwise gets a %suffix, which the assembler drops
// (asm_lex.c). What the assembler would choose by itself (order of strings, types of signatures at the end of the
// table) is compared with what the module has, and written down only where it differs.
//
// Not expressible, and therefore lost: ancillary sections, compression, strings that stand in the table twice, records
// of SYMS in another order than their functions.
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/read.h"
#include "bytecode/write.h"
#include "support/map.h"

typedef struct Dis {
    const BcModule *m;
    Arena *arena; // freed at the end
    Buf *out;
    uint32_t named_types; // entries from here on are written in place
    const char **types;
    const char **funcs;
    const char **globals;
    const char **consts;
    const char **datas;
    const char **regs; // of the function being written
} Dis;

// ---- names and strings --------------------------------------------------------------------------------------

static void quote(Buf *out, const char *bytes, uint32_t len, char mark) {
    buf_char(out, mark);
    for (uint32_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == (unsigned char)mark || c == '\\') buf_printf(out, "\\%c", c);
        else if (c == '\n') buf_text(out, "\\n");
        else if (c == '\t') buf_text(out, "\\t");
        else if (c < 0x20 || c == 0x7F) buf_printf(out, "\\x%02x", c);
        else buf_char(out, (char)c);
    }
    buf_char(out, mark);
}

static void quote_str(Dis *d, uint32_t s) { quote(d->out, d->m->strs[s].bytes, d->m->strs[s].len, '"'); }

static bool is_plain(const BcStr *s) {
    for (uint32_t i = 0; i < s->len; i++) {
        char c = s->bytes[i];
        if (!(isalpha((unsigned char)c) || c == '_' || c == '$' || (i && isdigit((unsigned char)c)))) return false;
    }
    return s->len > 0 && !(s->len == 1 && s->bytes[0] == '_');
}

static bool is_one_of(const BcStr *s, const char *const *words) {
    for (; words && *words; words++) {
        if (strlen(*words) == s->len && !memcmp(*words, s->bytes, s->len)) return true;
    }
    return false;
}

// The text name of entry `index` whose name in the file is `name`; `taken` has the names given so far.
static const char *unique(Dis *d, Interner *taken, uint32_t name, uint32_t index, const char *const *reserved) {
    Buf text = buf_new(d->arena);
    if (name == BC_NONE) {
        buf_printf(&text, "%%%" PRIu32, index);
        return buf_str(&text);
    }
    const BcStr *s = &d->m->strs[name];
    if (is_plain(s)) buf_bytes(&text, s->bytes, s->len);
    else quote(&text, s->bytes, s->len, '`');
    uint32_t before = taken->symbols.n;
    intern(taken, s->bytes, s->len);
    if (taken->symbols.n == before || is_one_of(s, reserved)) buf_printf(&text, "%%%" PRIu32, index);
    return buf_str(&text);
}

static const char *const type_words[] = {"void", "i8",   "i16", "i32", "i64",    "u8",    "u16", "u32", "u64", "f32",
                                         "f64",  "bool", "ptr", "ref", "struct", "array", "fn",  "mut", NULL};

static void choose_names(Dis *d) {
    const BcModule *m = d->m;
    Interner types = interner_new(d->arena);
    Interner funcs = interner_new(d->arena);
    Interner globals = interner_new(d->arena);
    Interner datas = interner_new(d->arena);
    d->types = NEW_ARRAY(d->arena, const char *, m->n_types);
    d->funcs = NEW_ARRAY(d->arena, const char *, bc_n_functions(m));
    d->globals = NEW_ARRAY(d->arena, const char *, bc_n_globals(m));
    d->consts = NEW_ARRAY(d->arena, const char *, m->n_consts);
    d->datas = NEW_ARRAY(d->arena, const char *, m->n_datas);
    for (uint32_t i = 0; i < m->n_types; i++) {
        bool own = m->types[i].kind == BC_STRUCT;
        d->types[i] = unique(d, &types, own ? m->types[i].name : BC_NONE, i, type_words);
    }
    for (uint32_t i = 0; i < bc_n_functions(m); i++) {
        const BcFunc *f = bc_local_func(m, i);
        d->funcs[i] = unique(d, &funcs, f ? f->name : m->imports[m->imp_funcs[i]].name, i, NULL);
    }
    for (uint32_t i = 0; i < bc_n_globals(m); i++) {
        bool imported = i < m->n_imp_globals;
        uint32_t name = imported ? m->imports[m->imp_globals[i]].name : m->globals[i - m->n_imp_globals].name;
        d->globals[i] = unique(d, &globals, name, i, NULL);
    }
    for (uint32_t i = 0; i < m->n_consts; i++) d->consts[i] = arena_printf(d->arena, "c%" PRIu32, i);
    for (uint32_t i = 0; i < m->n_datas; i++) d->datas[i] = unique(d, &datas, m->datas[i].name, i, NULL);
}

// ---- types --------------------------------------------------------------------------------------------------

static void put_type(Dis *d, uint32_t t);

static void put_sig(Dis *d, const BcType *sig, const char **names) {
    buf_char(d->out, '(');
    for (uint32_t i = 0; i < sig->n; i++) {
        if (i) buf_text(d->out, ", ");
        if (names) buf_printf(d->out, "%s: ", names[i]);
        put_type(d, sig->params[i]);
    }
    buf_char(d->out, ')');
    if (sig->elem == BC_VOID) return;
    buf_text(d->out, " -> ");
    put_type(d, sig->elem);
}

// Types written in place are named by no other type, so this goes one level deep.
static void put_type(Dis *d, uint32_t t) {
    if (t < BC_TYPE_BASE) {
        buf_text(d->out, bc_prim_name[t]);
    } else if (t - BC_TYPE_BASE < d->named_types) {
        buf_text(d->out, d->types[t - BC_TYPE_BASE]);
    } else {
        buf_text(d->out, "fn ");
        put_sig(d, bc_type(d->m, t), NULL);
    }
}

// Signatures at the end of the table appear by themselves when they are first needed: by imports, then by functions.
// Finds the shortest beginning of the table that must be written.
static uint32_t count_named_types(Dis *d) {
    const BcModule *m = d->m;
    bool *inner = NEW_ARRAY(d->arena, bool, m->n_types); // used by another type, a global or a register
    bool *seen = NEW_ARRAY(d->arena, bool, m->n_types);
    VEC(uint32_t) order = {0};
#define USE(t)                                                                                                         \
    do {                                                                                                               \
        if ((t) >= BC_TYPE_BASE) inner[(t)-BC_TYPE_BASE] = true;                                                       \
    } while (0)
    for (uint32_t i = 0; i < m->n_types; i++) {
        const BcType *t = &m->types[i];
        if (t->kind != BC_STRUCT) USE(t->elem);
        for (uint32_t k = 0; k < t->n; k++) USE(t->kind == BC_STRUCT ? t->fields[k].type : t->params[k]);
    }
    for (uint32_t g = 0; g < bc_n_globals(m); g++) USE(bc_global_type(m, g));
    for (uint32_t i = 0; i < m->n_funcs; i++) {
        for (uint32_t r = 0; r < m->funcs[i].n_regs; r++) USE(m->funcs[i].regs[r]);
    }
#undef USE
    for (uint32_t f = 0; f < bc_n_functions(m); f++) {
        uint32_t t = bc_function_sig(m, f) - BC_TYPE_BASE;
        if (!seen[t]) vec_push(d->arena, &order, t);
        seen[t] = true;
    }
    uint32_t named = m->n_types; // entries from here on are in `order`, in this sequence
    uint32_t floor = 0;          // must be named: stands behind one of them in `order`
    for (uint32_t i = order.n; i-- > 0 && named > floor;) {
        if (order.v[i] == named - 1 && !inner[named - 1]) named--;
        else if (order.v[i] + 1 > floor) floor = order.v[i] + 1;
    }
    return named > floor ? named : floor;
}

static bool natural_layout(const BcType *t) {
    uint32_t end = 0;
    uint32_t align = 1;
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t size = bc_type_size(t->fields[i].type);
        if (size > align) align = size;
        end = (end + size - 1) / size * size;
        if (t->fields[i].offset != end) return false;
        end += size;
    }
    return t->align == align && t->size == (end + align - 1) / align * align;
}

static void put_struct(Dis *d, const BcType *t) {
    bool natural = natural_layout(t);
    Interner names = interner_new(d->arena);
    buf_text(d->out, "struct ");
    if (!natural) buf_printf(d->out, "align %u size %" PRIu32 " ", t->align, t->size);
    buf_char(d->out, '{');
    for (uint32_t i = 0; i < t->n; i++) {
        buf_printf(d->out, "%s%s: ", i ? ", " : " ", unique(d, &names, t->fields[i].name, i, NULL));
        put_type(d, t->fields[i].type);
        if (!natural) buf_printf(d->out, " @%" PRIu32, t->fields[i].offset);
    }
    buf_text(d->out, " }");
}

static void put_types(Dis *d) {
    for (uint32_t i = 0; i < d->named_types; i++) {
        const BcType *t = &d->m->types[i];
        buf_printf(d->out, ".type %s = ", d->types[i]);
        if (t->kind == BC_STRUCT) {
            put_struct(d, t);
        } else if (t->kind == BC_ARRAY) {
            buf_text(d->out, "array ");
            put_type(d, t->elem);
        } else {
            buf_text(d->out, "fn ");
            put_sig(d, t, NULL);
        }
        buf_char(d->out, '\n');
    }
}

// ---- tables -------------------------------------------------------------------------------------------------

static void put_imports(Dis *d) {
    const BcModule *m = d->m;
    uint32_t next[2] = {0, 0};
    for (uint32_t i = 0; i < m->n_imports; i++) {
        const BcImport *imp = &m->imports[i];
        bool global = imp->kind == BC_KIND_GLOBAL;
        const char *name = global ? d->globals[next[1]++] : d->funcs[next[0]++];
        Buf key = buf_new(d->arena);
        buf_bytes(&key, m->strs[imp->module].bytes, m->strs[imp->module].len);
        buf_char(&key, '.');
        buf_bytes(&key, m->strs[imp->name].bytes, m->strs[imp->name].len);
        buf_printf(d->out, ".import %s", global ? "global " : imp->abi == BC_ABI_C ? "c fn " : "fn ");
        quote(d->out, key.bytes.v, key.bytes.n, '"');
        buf_text(d->out, global ? (imp->flags & BC_MUTABLE ? ": mut " : ": ") : " ");
        if (global) put_type(d, imp->type);
        else put_sig(d, bc_type(m, imp->type), NULL);
        const BcStr *own = &m->strs[imp->name];
        if (strlen(name) != own->len || memcmp(name, own->bytes, own->len) != 0) buf_printf(d->out, " as %s", name);
        buf_char(d->out, '\n');
    }
}

static void put_float(Dis *d, const BcConst *c) {
    double value;
    float narrow;
    uint32_t low = (uint32_t)c->bits;
    memcpy(&value, &c->bits, sizeof value);
    memcpy(&narrow, &low, sizeof narrow);
    if (c->tag == BC_F32) value = (double)narrow;
    if (isfinite(value)) buf_printf(d->out, "%.*g", c->tag == BC_F32 ? 9 : 17, value);
    else buf_printf(d->out, "0x%0*" PRIx64, c->tag == BC_F32 ? 8 : 16, c->bits);
}

static void put_consts(Dis *d) {
    const BcModule *m = d->m;
    bool leading = true; // strings at the front have a directive of their own
    for (uint32_t i = 0; i < m->n_consts; i++) {
        const BcConst *c = &m->consts[i];
        leading &= c->tag == BC_CONST_STR;
        buf_printf(d->out, "%s %s = ", leading ? ".string" : ".const", d->consts[i]);
        if (c->tag == BC_CONST_STR) {
            if (!leading) buf_text(d->out, "string ");
            quote_str(d, (uint32_t)c->bits);
        } else if (c->tag == BC_CONST_BYTES) {
            buf_printf(d->out, "bytes %s", d->datas[c->bits]);
        } else if (c->tag == BC_CONST_FN) {
            buf_printf(d->out, "fn %s", d->funcs[c->bits]);
        } else {
            buf_printf(d->out, "%s ", bc_prim_name[c->tag]);
            unsigned shift = 64 - bc_type_width(c->tag);
            if (c->tag == BC_BOOL) buf_text(d->out, c->bits ? "true" : "false");
            else if (bc_is_float(c->tag)) put_float(d, c);
            else if (bc_is_signed(c->tag)) buf_printf(d->out, "%" PRId64, (int64_t)(c->bits << shift) >> shift);
            else buf_printf(d->out, "%" PRIu64, c->bits);
        }
        buf_char(d->out, '\n');
    }
}

static void put_globals_data(Dis *d) {
    const BcModule *m = d->m;
    for (uint32_t i = 0; i < m->n_globals; i++) {
        const BcGlobal *g = &m->globals[i];
        buf_printf(d->out, ".global %s: %s", d->globals[m->n_imp_globals + i], g->flags & BC_MUTABLE ? "mut " : "");
        put_type(d, g->type);
        if (g->init != BC_NONE) buf_printf(d->out, " = const:%s", d->consts[g->init]);
        buf_char(d->out, '\n');
    }
    for (uint32_t i = 0; i < m->n_datas; i++) {
        const BcData *data = &m->datas[i];
        buf_printf(d->out, ".data %s align %" PRIu32 " = [", d->datas[i], data->align);
        for (uint32_t k = 0; k < data->len; k++) buf_printf(d->out, "%s%u", k ? ", " : "", data->bytes[k]);
        buf_text(d->out, "]\n");
    }
}

static void put_exports(Dis *d) {
    const BcModule *m = d->m;
    for (uint32_t i = 0; i < m->n_exports; i++) {
        const BcExport *e = &m->exports[i];
        bool global = e->kind == BC_KIND_GLOBAL;
        const char *name = global ? d->globals[e->index] : d->funcs[e->index];
        const BcStr *shown = &m->strs[e->name];
        buf_printf(d->out, ".export %s%s", global ? "global " : "", name);
        if (!is_plain(shown) || strlen(name) != shown->len || memcmp(name, shown->bytes, shown->len) != 0) {
            buf_text(d->out, " as ");
            quote_str(d, e->name);
        }
        buf_char(d->out, '\n');
    }
    if (m->entry != BC_NONE) buf_printf(d->out, ".entry %s\n", d->funcs[m->entry]);
}

// ---- functions ----------------------------------------------------------------------------------------------

static void put_reg(Dis *d, uint32_t reg) { buf_text(d->out, reg == BC_NOREG ? "_" : d->regs[reg]); }

static void put_list(Dis *d, const BcFunc *f, const BcInst *in, char shape) {
    if (shape == 'a') buf_printf(d->out, "%u [", in->n);
    else buf_printf(d->out, "@L%" PRIu32 ", %c", in->x, shape == 'w' ? '{' : '[');
    bool is_signed = shape == 'w' && bc_is_signed(f->regs[in->r[0]]);
    for (uint32_t i = 0; i < in->n; i++) {
        if (i) buf_text(d->out, ", ");
        if (shape == 'a') {
            put_reg(d, f->args[in->y + i]);
        } else if (shape == 'b') {
            buf_printf(d->out, "@L%" PRIu32, f->labels[in->y + i]);
        } else {
            const BcCase *c = &f->cases[in->y + i];
            if (is_signed) buf_printf(d->out, "%" PRId64 ": @L%" PRIu32, c->value, c->label);
            else buf_printf(d->out, "%" PRIu64 ": @L%" PRIu32, (uint64_t)c->value, c->label);
        }
    }
    buf_char(d->out, shape == 'w' ? '}' : ']');
}

static void put_wide(Dis *d, const BcFunc *f, const BcInst *in, char shape, uint32_t value) {
    bool is_unsigned = bc_is_int(f->n_regs ? f->regs[in->r[0] < f->n_regs ? in->r[0] : 0] : 0) &&
                       !bc_is_signed(f->regs[in->r[0] < f->n_regs ? in->r[0] : 0]);
    switch (shape) {
    case 'i':
        if (is_unsigned) buf_printf(d->out, "%" PRIu32, value);
        else buf_printf(d->out, "%" PRId32, (int32_t)value);
        break;
    case 'k': buf_printf(d->out, "const:%s", d->consts[f->const_off + value]); break;
    case 'l': buf_printf(d->out, "@L%" PRIu32, value); break;
    case 't': put_type(d, value + BC_TYPE_BASE); break;
    case 'g': buf_text(d->out, d->globals[value]); break;
    case 'f': buf_text(d->out, d->funcs[value]); break;
    case 'x': buf_text(d->out, d->datas[value]); break;
    case 'c':
        if (bc_trap_name(value)) buf_text(d->out, bc_trap_name(value));
        else buf_printf(d->out, "%" PRIu32, value);
        break;
    case 'n': buf_text(d->out, bc_intrinsic(value)->name); break;
    default: buf_printf(d->out, "%" PRId32, (int32_t)value); break; // o
    }
}

// " + 8" or " - 8" inside the brackets of an address.
static void put_offset(Dis *d, int32_t offset) {
    if (offset) buf_printf(d->out, " %c %" PRId64, offset < 0 ? '-' : '+', offset < 0 ? -(int64_t)offset : offset);
    buf_char(d->out, ']');
}

// A field whose name is plain and the first of its kind in the struct may be written by name.
static bool put_field(Dis *d, const BcFunc *f, uint32_t base, uint32_t offset) {
    const BcType *t = bc_type(d->m, f->regs[base]);
    const BcField *field = bc_field_at(t, offset);
    if (field->name == BC_NONE || !is_plain(&d->m->strs[field->name])) return false;
    const BcStr *name = &d->m->strs[field->name];
    for (uint32_t i = 0; i < t->n && i < 64; i++) { // beyond, offsets are as good
        if (&t->fields[i] == field) {
            buf_printf(d->out, ".%.*s", (int)name->len, name->bytes);
            return true;
        }
        if (t->fields[i].name == BC_NONE) continue;
        const BcStr *other = &d->m->strs[t->fields[i].name];
        if (other->len == name->len && !memcmp(other->bytes, name->bytes, name->len)) return false;
    }
    return false;
}

static void put_inst(Dis *d, const BcFunc *f, const BcInst *in) {
    const BcOpInfo *info = bc_op(in->op);
    uint32_t regs = 0;
    uint32_t wides = 0;
    buf_printf(d->out, "    %s", info->name);
    if (info->m0 == BC_M0_MEMORY) buf_printf(d->out, ".%s", bc_prim_name[in->m0]);
    for (const char *shape = info->shape; *shape; shape++) {
        if (*shape != 'm') buf_text(d->out, shape == info->shape ? " " : ", ");
        if (strchr("dDsS", *shape)) {
            if (shape[1] == 'm') buf_char(d->out, '[');
            put_reg(d, in->r[regs++]);
        } else if (strchr("awb", *shape)) {
            put_list(d, f, in, *shape);
        } else if (*shape == 'm') {
            put_offset(d, (int32_t)in->x);
        } else {
            uint32_t value = wides++ ? in->y : in->x;
            if (*shape != 'o' || !put_field(d, f, in->r[regs - 1], value)) put_wide(d, f, in, *shape, value);
        }
    }
    if (info->m0 == BC_M0_KIND) buf_printf(d->out, ", %s", bc_cmp_name[in->m0]);
    buf_char(d->out, '\n');
}

// Variables can be written as register names if they cover the whole function, one per register, in order.
static bool variables_are_names(const BcFunc *f, const BcRecord *record) {
    for (uint32_t i = 0; i < record->n_vars; i++) {
        const BcVar *var = &record->vars[i];
        if (var->start != 0 || var->end != f->n_insts) return false;
        if (i && var->reg <= record->vars[i - 1].reg) return false;
    }
    return true;
}

// Like r12: the assembler takes such a name for the register's number.
static bool is_number_name(const BcStr *s) {
    for (uint32_t i = 1; i < s->len; i++) {
        if (!isdigit((unsigned char)s->bytes[i])) return false;
    }
    return s->len > 1 && s->bytes[0] == 'r';
}

static bool name_registers(Dis *d, const BcFunc *f, const BcRecord *record, Arena *arena) {
    d->regs = NEW_ARRAY(arena, const char *, f->n_regs);
    for (uint32_t i = 0; i < f->n_regs; i++) d->regs[i] = arena_printf(arena, "r%" PRIu32, i);
    if (!record || !variables_are_names(f, record)) return false;
    Interner taken = interner_new(arena);
    Arena *before = d->arena;
    d->arena = arena;
    for (uint32_t i = 0; i < record->n_vars; i++) {
        uint32_t reg = record->vars[i].reg;
        d->regs[reg] = unique(d, &taken, record->vars[i].name, reg, NULL);
        if (is_number_name(&d->m->strs[record->vars[i].name])) d->regs[reg] = arena_printf(arena, "%s%%", d->regs[reg]);
    }
    d->arena = before;
    return true;
}

static void put_record(Dis *d, const BcRecord *record, bool named) {
    if (record->pretty != BC_NONE) {
        buf_text(d->out, "    .pretty ");
        quote_str(d, record->pretty);
        buf_char(d->out, '\n');
    }
    if (!record->n_lines && !record->n_vars && record->pretty == BC_NONE) buf_text(d->out, "    .record\n");
    for (uint32_t i = 0; i < record->n_vars && !named; i++) {
        const BcVar *var = &record->vars[i];
        buf_text(d->out, "    .var ");
        quote(d->out, d->m->strs[var->name].bytes, d->m->strs[var->name].len, '`');
        buf_printf(d->out, " %s %" PRIu32 " %" PRIu32 "\n", d->regs[var->reg], var->start, var->end);
    }
}

static void put_func(Dis *d, uint32_t index) {
    const BcModule *m = d->m;
    const BcFunc *f = &m->funcs[index];
    const BcRecord *record = f->dbg_off == BC_NONE ? NULL : &m->records[f->dbg_off];
    Arena *arena = arena_new(m->ctx);
    bool named = name_registers(d, f, record, arena);
    buf_printf(d->out, "\n.fn %s", d->funcs[m->n_imp_funcs + index]);
    put_sig(d, bc_type(m, f->sig), d->regs);
    buf_text(d->out, f->flags & BC_FN_LOW ? " low\n" : "\n");
    if (f->const_off) buf_printf(d->out, "    .constoff %" PRIu32 "\n", f->const_off);
    for (uint32_t r = f->n_params; r < f->n_regs; r++) {
        buf_printf(d->out, "    .%s %s: ", r < f->n_params + f->n_locals ? "local" : "reg", d->regs[r]);
        put_type(d, f->regs[r]);
        buf_char(d->out, '\n');
    }
    if (record) put_record(d, record, named);
    uint32_t line = 0;
    for (uint32_t b = 0; b < f->n_blocks; b++) {
        buf_printf(d->out, "L%" PRIu32 ":\n", b);
        for (uint32_t i = f->blocks[b].first; i < f->blocks[b].first + f->blocks[b].n; i++) {
            if (record && line < record->n_lines && record->lines[line].inst == i) {
                const BcLine *at = &record->lines[line++];
                buf_text(d->out, "    .loc ");
                quote_str(d, m->files[at->file]);
                buf_printf(d->out, " %" PRIu32, at->line);
                if (at->col) buf_printf(d->out, " %" PRIu32, at->col);
                buf_char(d->out, '\n');
            }
            put_inst(d, f, &f->insts[i]);
        }
    }
    buf_text(d->out, ".end\n");
    arena_free(arena);
}

// ---- the whole ----------------------------------------------------------------------------------------------

typedef struct Order {
    bool *met;
    uint32_t n;
    bool canonical; // each string met for the first time is the next one of the table
} Order;

static void check_order(void *data, uint32_t *string) {
    Order *order = data;
    if (*string == BC_NONE || order->met[*string]) return;
    order->met[*string] = true;
    order->canonical &= *string == order->n++;
}

static void put_pool(Dis *d) {
    Order order = {NEW_ARRAY(d->arena, bool, d->m->n_strs), 0, true};
    bc_each_string((BcModule *)d->m, check_order, &order); // which only looks
    if (order.canonical && order.n == d->m->n_strs) return;
    for (uint32_t i = 0; i < d->m->n_strs; i++) {
        buf_text(d->out, ".pool ");
        quote_str(d, i);
        buf_char(d->out, '\n');
    }
}

// Source files, where they are not numbered as lines first name them.
static void put_files(Dis *d) {
    const BcModule *m = d->m;
    uint32_t next = 0;
    bool canonical = true;
    for (uint32_t i = 0; i < m->n_records; i++) {
        for (uint32_t k = 0; k < m->records[i].n_lines; k++) {
            uint32_t file = m->records[i].lines[k].file;
            canonical &= file <= next;
            next += file == next;
        }
    }
    if (canonical && next == m->n_files) return;
    for (uint32_t i = 0; i < m->n_files; i++) {
        buf_text(d->out, ".file ");
        quote_str(d, m->files[i]);
        buf_char(d->out, '\n');
    }
}

void bc_disassemble(const BcModule *m, Buf *out) {
    Dis d = {.m = m, .arena = arena_new(m->ctx), .out = out};
    if (m->name != BC_NONE) {
        buf_text(out, ".module ");
        quote_str(&d, m->name);
        buf_char(out, '\n');
    }
    choose_names(&d);
    d.named_types = count_named_types(&d);
    put_pool(&d);
    put_files(&d);
    put_types(&d);
    put_imports(&d);
    put_globals_data(&d);
    put_consts(&d);
    put_exports(&d);
    for (uint32_t i = 0; i < m->n_funcs; i++) put_func(&d, i);
    arena_free(d.arena);
}
