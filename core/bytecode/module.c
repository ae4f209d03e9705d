// The tables of ops.h and traps.h as data, and the look-ups that module.h offers.
#include <string.h>
#include <strings.h>

#include "bytecode/module.h"
#include "support/buf.h"

#define X(code, name, diagnostic, meaning) _Static_assert((int)VTR_TRAP_##name == (code), "a public trap code");
BC_TRAPS(X)
#undef X
_Static_assert((int)VTR_TRAP_USER_MIN == (int)BC_TRAP_USER_MIN && (int)VTR_TRAP_USER_MAX == (int)BC_TRAP_USER_MAX,
               "the range of user codes");

const BcOpInfo *bc_op(uint32_t code) {
    static const BcOpInfo info[BC_N_OPCODES] = {
#define X(code, name, shape, m0, typing, flags) [code] = {#name, shape, BC_M0_##m0, BC_TY_##typing, flags},
        BC_OPS(X)
#undef X
    };
    return code < BC_N_OPCODES && info[code].name ? &info[code] : NULL;
}

int bc_op_find(const char *name, uint32_t len) {
    for (uint32_t code = 0; code < BC_N_OPCODES; code++) {
        const BcOpInfo *info = bc_op(code);
        if (info && strlen(info->name) == len && !strncasecmp(info->name, name, len)) return (int)code;
    }
    return -1;
}

const char *const bc_cmp_name[BC_N_CMPS] = {
#define X(name) #name,
    BC_CMP_KINDS(X)
#undef X
};

const BcIntrInfo *bc_intrinsic(uint32_t id) {
    static const BcIntrInfo info[BC_N_INTRINSICS] = {
#define X(id, name, params, result, flags) [id] = {#name, params, result, flags},
        BC_INTRINSICS(X)
#undef X
    };
    return id < BC_N_INTRINSICS && info[id].name ? &info[id] : NULL;
}

const char *const bc_prim_name[BC_N_PRIMS] = {"void", "i8",  "i16", "i32", "i64",  "u8",  "u16",
                                              "u32",  "u64", "f32", "f64", "bool", "ptr", "ref"};

typedef struct TrapInfo {
    const char *name;
    const char *diagnostic;
    const char *meaning;
} TrapInfo;

static const TrapInfo *trap_info(uint32_t code) {
    static const TrapInfo info[BC_TRAP_SYSTEM_MAX + 1] = {
#define X(code, name, diagnostic, meaning) [code] = {#name, diagnostic, meaning},
        BC_TRAPS(X)
#undef X
    };
    static const TrapInfo user = {NULL, BC_TRAP_USER_DIAGNOSTIC, "user trap"};
    static const TrapInfo none = {NULL, NULL, NULL};
    if (code <= BC_TRAP_SYSTEM_MAX) return &info[code];
    return bc_trap_valid(code) ? &user : &none;
}

const char *bc_trap_name(uint32_t code) { return trap_info(code)->name; }
const char *bc_trap_diagnostic(uint32_t code) { return trap_info(code)->diagnostic; }
const char *bc_trap_meaning(uint32_t code) { return trap_info(code)->meaning; }

// ---- index spaces -------------------------------------------------------------------------------------------

uint32_t bc_function_sig(const BcModule *m, uint32_t f) {
    return f < m->n_imp_funcs ? m->imports[m->imp_funcs[f]].type : m->funcs[f - m->n_imp_funcs].sig;
}

uint32_t bc_global_type(const BcModule *m, uint32_t g) {
    return g < m->n_imp_globals ? m->imports[m->imp_globals[g]].type : m->globals[g - m->n_imp_globals].type;
}

bool bc_global_mutable(const BcModule *m, uint32_t g) {
    uint32_t flags =
        g < m->n_imp_globals ? m->imports[m->imp_globals[g]].flags : m->globals[g - m->n_imp_globals].flags;
    return flags & BC_MUTABLE;
}

void bc_index_imports(BcModule *m) {
    m->imp_funcs = NEW_ARRAY(m->arena, uint32_t, m->n_imports);
    m->imp_globals = NEW_ARRAY(m->arena, uint32_t, m->n_imports);
    m->n_imp_funcs = m->n_imp_globals = 0;
    for (uint32_t i = 0; i < m->n_imports; i++) {
        if (m->imports[i].kind == BC_KIND_FUNC) m->imp_funcs[m->n_imp_funcs++] = i;
        else m->imp_globals[m->n_imp_globals++] = i;
    }
}

const BcExport *bc_export_find(const BcModule *m, uint8_t kind, const char *name, size_t len) {
    for (uint32_t i = 0; i < m->n_exports; i++) {
        const BcStr *s = &m->strs[m->exports[i].name];
        if (m->exports[i].kind == kind && s->len == len && !memcmp(s->bytes, name, len)) return &m->exports[i];
    }
    return NULL;
}

// ---- searches -----------------------------------------------------------------------------------------------

const BcField *bc_field_at(const BcType *type, uint32_t offset) {
    uint32_t low = 0;
    uint32_t high = type->n;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (type->fields[mid].offset == offset) return &type->fields[mid];
        if (type->fields[mid].offset < offset) low = mid + 1;
        else high = mid;
    }
    return NULL;
}

uint32_t bc_block_of(const BcFunc *f, uint32_t inst) {
    uint32_t low = 0;
    uint32_t high = f->n_blocks;
    while (high - low > 1) { // blocks[low].first <= inst < blocks[high].first
        uint32_t mid = low + (high - low) / 2;
        if (f->blocks[mid].first <= inst) low = mid;
        else high = mid;
    }
    return low;
}

const BcLine *bc_line_at(const BcModule *m, uint32_t func, uint32_t inst) {
    if (m->funcs[func].dbg_off >= m->n_records) return NULL;
    const BcRecord *record = &m->records[m->funcs[func].dbg_off];
    uint32_t low = 0;
    uint32_t high = record->n_lines;
    while (low < high) { // lines[low - 1].inst <= inst < lines[high].inst
        uint32_t mid = low + (high - low) / 2;
        if (record->lines[mid].inst <= inst) low = mid + 1;
        else high = mid;
    }
    return low ? &record->lines[low - 1] : NULL;
}

uint32_t bc_inst_size(const BcInst *inst) {
    uint32_t size = 4;
    for (const char *s = bc_op(inst->op)->shape; *s; s++) {
        switch (*s) {
        case 'a': size += 2u * inst->n; break;
        case 'w': size += 6 + 12u * inst->n; break;
        case 'b': size += 6 + 4u * inst->n; break;
        default: size += strchr("dDsScn", *s) ? 2 : 4; break;
        }
    }
    return size;
}

// ---- names for messages -------------------------------------------------------------------------------------

const char *bc_function_name(const BcModule *m, uint32_t f, Arena *arena) {
    const BcStr none = {"", 0};
    uint32_t name = BC_NONE;
    uint32_t module = BC_NONE;
    if (f < m->n_imp_funcs) {
        name = m->imports[m->imp_funcs[f]].name;
        module = m->imports[m->imp_funcs[f]].module;
    } else if (f - m->n_imp_funcs < m->n_funcs) {
        name = m->funcs[f - m->n_imp_funcs].name;
    }
    if (name >= m->n_strs) return arena_printf(arena, "#%u", f);
    const BcStr *home = module < m->n_strs ? &m->strs[module] : &none;
    return arena_printf(arena, "%.*s%s%.*s", (int)home->len, home->bytes, home->len ? "." : "", (int)m->strs[name].len,
                        m->strs[name].bytes);
}

// One level deep: a type inside a type is named, so the length stays small and nothing recurses.
static void type_short(const BcModule *m, uint32_t t, Buf *out) {
    const BcType *type = bc_type(m, t);
    if (t < BC_N_PRIMS) buf_text(out, bc_prim_name[t]);
    else if (type && type->kind == BC_STRUCT && type->name < m->n_strs)
        buf_printf(out, "%.*s", (int)(m->strs[type->name].len & 0xffff), m->strs[type->name].bytes);
    else buf_printf(out, "type %u", t - BC_TYPE_BASE);
}

const char *bc_type_text(const BcModule *m, uint32_t t, Arena *arena) {
    Buf out = buf_new(arena);
    const BcType *type = bc_type(m, t);
    if (type && type->kind == BC_ARRAY) {
        buf_text(&out, "[");
        type_short(m, type->elem, &out);
        buf_text(&out, "]");
    } else if (type && type->kind == BC_FUNC) {
        buf_text(&out, "fn (");
        for (uint32_t i = 0; i < type->n; i++) {
            if (i) buf_text(&out, ", ");
            type_short(m, type->params[i], &out);
        }
        buf_text(&out, ")");
        if (type->elem != BC_VOID) {
            buf_text(&out, " -> ");
            type_short(m, type->elem, &out);
        }
    } else {
        type_short(m, t, &out);
    }
    return buf_str(&out);
}
