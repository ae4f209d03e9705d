// A bytecode module in memory: what the reader and the assembler make, and the verifier, the writer, the
// disassembler, the interpreter and irgen use. The tables mirror the sections of the file one to one.
//
// A module that bc_read() returned is verified: every index in it is in range and every operand has the type that
// the specification demands, so its users check nothing. It is immutable from then on.
#ifndef VTR_BYTECODE_MODULE_H
#define VTR_BYTECODE_MODULE_H

#include "bytecode/ops.h"
#include "bytecode/traps.h"
#include "support/ctx.h"

typedef struct vtr_bytecode BcModule;

#define BC_NONE UINT32_MAX // no string, no constant, no record
#define BC_NOREG 0xFFFFu   // no register

// ---- types --------------------------------------------------------------------------------------------------

// A typeref: a primitive below, or BC_TYPE_BASE + index of TBLT.
typedef enum BcPrim {
    BC_VOID,
    BC_I8,
    BC_I16,
    BC_I32,
    BC_I64,
    BC_U8,
    BC_U16,
    BC_U32,
    BC_U64,
    BC_F32,
    BC_F64,
    BC_BOOL,
    BC_PTR,
    BC_REF,
    BC_N_PRIMS,
    BC_TYPE_BASE = 16
} BcPrim;

extern const char *const bc_prim_name[BC_N_PRIMS];

typedef enum BcKind { BC_STRUCT = 1, BC_ARRAY = 2, BC_FUNC = 3 } BcKind;

typedef struct BcField {
    uint32_t name; // string or BC_NONE
    uint32_t type;
    uint32_t offset; // from the start of the payload; fields stand in rising order of it
} BcField;

typedef struct BcType {
    uint8_t kind;     // BcKind
    uint8_t align;    // STRUCT
    uint16_t n;       // fields of a STRUCT, parameters of a FUNC
    uint32_t name;    // STRUCT: string or BC_NONE
    uint32_t size;    // STRUCT: bytes of the payload
    uint32_t n_map;   // STRUCT: words of the reference map
    uint32_t elem;    // ARRAY: element; FUNC: result (BC_VOID = none)
    BcField *fields;  // STRUCT
    uint32_t *map;    // STRUCT: bit k of the map = payload bytes 8k..8k+7 hold a GC reference
    uint32_t *params; // FUNC
} BcType;

// ---- tables -------------------------------------------------------------------------------------------------

typedef struct BcStr {
    const char *bytes; // not NUL-terminated
    uint32_t len;
} BcStr;

enum { BC_CONST_STR = 0x10, BC_CONST_BYTES = 0x11, BC_CONST_FN = 0x12 };

typedef struct BcConst {
    uint8_t tag;   // BcPrim of an integer, float or bool, or BC_CONST_*
    uint64_t bits; // value, zero-extended; or index of the string, DATA blob or function
} BcConst;

enum { BC_KIND_FUNC = 0, BC_KIND_GLOBAL = 1 }; // of imports and exports
enum { BC_ABI_VITTE = 0, BC_ABI_C = 1 };
enum { BC_MUTABLE = 1 };

typedef struct BcImport {
    uint8_t kind;
    uint8_t flags; // BC_MUTABLE, globals only
    uint16_t abi;  // functions only
    uint32_t module;
    uint32_t name;
    uint32_t type;
} BcImport;

typedef struct BcGlobal {
    uint32_t name; // string or BC_NONE
    uint32_t type;
    uint32_t flags; // BC_MUTABLE
    uint32_t init;  // constant or BC_NONE = zero
} BcGlobal;

typedef struct BcExport {
    uint8_t kind;
    uint32_t name;
    uint32_t index; // in the function or global index space
} BcExport;

typedef struct BcData {
    uint32_t name; // string or BC_NONE
    uint32_t align;
    uint32_t len;
    const uint8_t *bytes;
} BcData;

// ---- code ---------------------------------------------------------------------------------------------------

// One decoded instruction; ops.h says which operand of which opcode stands where.
typedef struct BcInst {
    uint16_t op;
    uint8_t m0;    // CMP kind, memory type
    uint16_t r[4]; // registers in the file's order
    uint16_t n;    // elements of the list: arguments, cases, labels
    uint32_t x;    // first wide operand (signed ones as their bits); SWITCH and BRT: the default label
    uint32_t y;    // JIF: the else label; otherwise the first element of the list
} BcInst;

typedef struct BcCase {
    int64_t value; // as stored: extended to 64 bits by the register's signedness
    uint32_t label;
} BcCase;

typedef struct BcBlock {
    uint32_t first; // ordinal of its first instruction in the function
    uint32_t n;     // at least 1; the last one is the terminator
} BcBlock;

enum { BC_FN_LOW = 8 }; // BcFunc.flags

typedef struct BcFunc {
    uint32_t n_regs;
    uint32_t n_params;
    uint32_t n_locals;
    uint32_t n_blocks;
    uint32_t n_insts;
    uint32_t const_off; // added to every KIDX operand
    uint32_t dbg_off;   // record in SYMS or BC_NONE
    uint8_t flags;
    uint32_t name;  // string or BC_NONE
    uint32_t sig;   // typeref of a FUNC
    uint32_t *regs; // type of each register
    BcBlock *blocks;
    BcInst *insts;    // all blocks, one after the other
    uint16_t *args;   // argument lists
    BcCase *cases;    // cases of SWITCH
    uint32_t *labels; // tables of BRT
    uint32_t offset;  // where the first block starts in its section's payload, for messages; 0 when made in memory
} BcFunc;

// ---- SYMS ---------------------------------------------------------------------------------------------------

typedef struct BcLine {
    uint32_t inst; // holds from this instruction to the next entry
    uint32_t file; // index in BcModule.files
    uint32_t line; // from 1; 0 = no source
    uint32_t col;  // from 1; 0 = unknown
} BcLine;

typedef struct BcVar {
    uint16_t reg;
    uint32_t name;
    uint32_t start; // the variable is in reg for start <= inst < end
    uint32_t end;
} BcVar;

typedef struct BcRecord {
    uint32_t func;   // ordinal in FUNC (imports not counted)
    uint32_t pretty; // string or BC_NONE
    uint32_t n_lines;
    uint32_t n_vars;
    BcLine *lines;
    BcVar *vars;
} BcRecord;

// ---- the module ---------------------------------------------------------------------------------------------

struct vtr_bytecode {
    Ctx *ctx;
    Arena *arena;     // holds everything, the module itself included
    const char *file; // what diagnostics call it; arena text

    uint16_t minor;
    uint32_t name;  // string or BC_NONE
    uint32_t entry; // function index or BC_NONE
    bool low;       // some function is `low`
    bool has_syms;

    uint32_t n_strs;
    uint32_t n_consts;
    uint32_t n_types;
    uint32_t n_imports;
    uint32_t n_globals; // of GLOB only
    uint32_t n_funcs;   // of FUNC only
    uint32_t n_exports;
    uint32_t n_datas;
    uint32_t n_files;
    uint32_t n_records;
    BcStr *strs;
    BcConst *consts;
    BcType *types;
    BcImport *imports;
    BcGlobal *globals;
    BcFunc *funcs;
    BcExport *exports;
    BcData *datas;
    uint32_t *files; // strings
    BcRecord *records;

    // The index spaces: imported functions (globals) in IMPT order come before the module's own.
    uint32_t n_imp_funcs;
    uint32_t n_imp_globals;
    uint32_t *imp_funcs;   // function index -> import
    uint32_t *imp_globals; // global index -> import
};

static inline bool bc_is_int(uint32_t t) { return t >= BC_I8 && t <= BC_U64; }
static inline bool bc_is_signed(uint32_t t) { return t >= BC_I8 && t <= BC_I64; }
static inline bool bc_is_float(uint32_t t) { return t == BC_F32 || t == BC_F64; }
static inline bool bc_is_table_type(const BcModule *m, uint32_t t) {
    return t >= BC_TYPE_BASE && t - BC_TYPE_BASE < m->n_types;
}
// The table entry of a typeref, or NULL for a primitive (or one out of range).
static inline const BcType *bc_type(const BcModule *m, uint32_t t) {
    return bc_is_table_type(m, t) ? &m->types[t - BC_TYPE_BASE] : NULL;
}
static inline bool bc_is_kind(const BcModule *m, uint32_t t, BcKind kind) {
    return bc_is_table_type(m, t) && m->types[t - BC_TYPE_BASE].kind == kind;
}
// A reference the collector traces: ref, STRUCT or ARRAY; not ptr and not a function reference.
static inline bool bc_is_gc_ref(const BcModule *m, uint32_t t) {
    return t == BC_REF || (bc_is_table_type(m, t) && m->types[t - BC_TYPE_BASE].kind != BC_FUNC);
}
// Bytes of a value in memory; 0 for void.
static inline uint32_t bc_type_size(uint32_t t) {
    static const uint8_t size[BC_N_PRIMS] = {0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 1, 8, 8};
    return t < BC_N_PRIMS ? size[t] : 8;
}
static inline uint32_t bc_type_width(uint32_t t) { return 8 * bc_type_size(t); }

static inline uint32_t bc_n_functions(const BcModule *m) { return m->n_imp_funcs + m->n_funcs; }
static inline uint32_t bc_n_globals(const BcModule *m) { return m->n_imp_globals + m->n_globals; }
// The module's own function with this function index, or NULL when it is imported.
static inline const BcFunc *bc_local_func(const BcModule *m, uint32_t f) {
    return f < m->n_imp_funcs ? NULL : &m->funcs[f - m->n_imp_funcs];
}
// The signature (a typeref) of a function index; type and mutability of a global index.
uint32_t bc_function_sig(const BcModule *m, uint32_t f);
uint32_t bc_global_type(const BcModule *m, uint32_t g);
bool bc_global_mutable(const BcModule *m, uint32_t g);

// The field of a STRUCT at exactly this offset, or NULL. Binary search.
const BcField *bc_field_at(const BcType *type, uint32_t offset);
// Words that a reference map of a payload of `size` bytes has.
static inline uint32_t bc_map_words(uint32_t size) { return ((size + 7) / 8 + 31) / 32; }

// The export of this kind and name, or NULL.
const BcExport *bc_export_find(const BcModule *m, uint8_t kind, const char *name, size_t len);

// The block that holds an instruction ordinal. Binary search.
uint32_t bc_block_of(const BcFunc *f, uint32_t inst);
// The line entry that covers an instruction of FUNC entry `func`, or NULL. Binary search.
const BcLine *bc_line_at(const BcModule *m, uint32_t func, uint32_t inst);
// The name of a function index for messages: its own, "module.name" of an import, or "#7".
const char *bc_function_name(const BcModule *m, uint32_t f, Arena *arena);
// The printed form of a typeref, in the arena.
const char *bc_type_text(const BcModule *m, uint32_t t, Arena *arena);

// Bytes of an encoded instruction.
uint32_t bc_inst_size(const BcInst *inst);

// True iff taking this edge is a safepoint (a branch to the same or an earlier block).
static inline bool bc_is_back_edge(uint32_t from_block, uint32_t label) { return label <= from_block; }

#endif
