// The IR: functions of typed SSA instructions in blocks with parameters. It is Cranelift's (opcode names,
// semantics, text form); what an opcode is stands in md/ir.md, from which ir_tables.h is generated.
//
// Data layout. Everything is an index (a typed 32-bit reference) into arrays of the Func; nothing is allocated
// per node. Lists of values (operands, results, block parameters, block-call arguments) are runs in one pool.
// Instructions and blocks are doubly linked by index, so inserting and removing moves nothing.
// Order never depends on addresses.
#ifndef VTR_IR_IR_H
#define VTR_IR_IR_H

#include "ir_tables.h" // generated: enums Op, Type, CallConv, condition codes, trap codes, op_info[]
#include "support/buf.h"
#include "support/map.h"
#include "support/vec.h"

#define NONE UINT32_MAX
// n numbers that are all NONE.
static inline uint32_t *all_none(Arena *arena, uint32_t n) {
    uint32_t *list = NEW_ARRAY(arena, uint32_t, n);
    for (uint32_t k = 0; k < n; k++) list[k] = NONE;
    return list;
}

// ---- references -------------------------------------------------------------------------------

#define IR_REF(Name, prefix)                                                                                           \
    typedef struct Name {                                                                                              \
        uint32_t i;                                                                                                    \
    } Name;                                                                                                            \
    static inline bool prefix##_eq(Name a, Name b) { return a.i == b.i; }                                              \
    static inline bool prefix##_ok(Name a) { return a.i != NONE; }

IR_REF(Value, value)
IR_REF(Inst, inst)
IR_REF(Block, block)

#define NO_VALUE ((Value){NONE})
#define NO_INST ((Inst){NONE})
#define NO_BLOCK ((Block){NONE})

// A run of values in Func.pool.
typedef struct ValueList {
    uint32_t at;
    uint32_t n;
} ValueList;

// ---- entities ---------------------------------------------------------------------------------

typedef enum ValueKind {
    VALUE_GAP,    // number never defined (sparse numbering of a text)
    VALUE_RESULT, // owner = instruction, num = which result
    VALUE_PARAM,  // owner = block, num = which parameter
    VALUE_ALIAS   // owner = the value it renames
} ValueKind;

typedef struct ValueData {
    uint8_t type; // Type
    uint8_t kind; // ValueKind
    uint16_t num; // capped at UINT16_MAX; a function with more results or parameters is VTR_ERR_LIMIT
    uint32_t owner;
} ValueData;

// Memory flags; a trap code other than heap_oob stands in InstData.code.
enum { MF_NOTRAP = 1, MF_ALIGNED = 2, MF_READONLY = 4, MF_CAN_MOVE = 8, MF_LITTLE = 16, MF_BIG = 32 };

// What the fields mean depends on op_info[op].format (see md/ir.md): unused ones are 0.
typedef struct InstData {
    uint16_t op;      // Op
    uint8_t type;     // controlling type, or T_none when the opcode is not polymorphic
    uint8_t code;     // condition code (CC_*/FC_*), or trap code (TRAP_*), by format
    uint8_t memflags; // MF_*
    uint8_t region;   // alias region + 1; 0 = none
    uint16_t n_targets;
    uint32_t targets; // first of n_targets block calls in Func.calls (brif: then, else; br_table: default first)
    ValueList args;   // value operands in text order (call_indirect: callee first, then arguments)
    ValueList results;
    uint32_t ref;       // stack slot / function / signature / global value / constant number
    uint32_t stack_map; // index + 1 into Func.stack_maps; 0 = none
    int64_t imm;        // iconst: zero-extended bits; f32const/f64const: IEEE bits; loads, stores, stack_addr: offset
    uint32_t srcloc;    // opaque number from the producer, NONE = none
    Block block;        // NO_BLOCK while not in the layout
    Inst prev, next;
} InstData;

typedef struct BlockCall {
    Block block;
    ValueList args;
} BlockCall;

typedef struct BlockData {
    ValueList params;
    Inst first, last;
    Block prev, next;
    uint32_t line; // of its head in Func.file, 0 = not from a text
    bool cold;
    bool placed; // in the layout
} BlockData;

typedef enum ParamExt { EXT_NONE, EXT_UEXT, EXT_SEXT } ParamExt;
typedef enum ParamPurpose { PURPOSE_NORMAL, PURPOSE_SRET, PURPOSE_VMCTX, PURPOSE_SARG } ParamPurpose;

typedef struct AbiParam {
    uint8_t type;
    uint8_t ext;        // ParamExt
    uint8_t purpose;    // ParamPurpose
    uint32_t sarg_size; // PURPOSE_SARG: bytes copied
} AbiParam;

typedef struct Sig {
    AbiParam *params;
    AbiParam *results;
    uint32_t n_params;
    uint32_t n_results;
    uint8_t conv;  // CallConv
    bool declared; // written (or implied by an inline signature); false for a gap in sparse numbering
} Sig;

typedef enum NameKind { NAME_TEXT, NAME_USER } NameKind; // %text, uN:M

// The name of a function or data object: text as an interned C string without the %, or a pair of numbers.
typedef struct ExtName {
    uint8_t kind;
    const char *text; // arena text
    uint32_t space, index;
} ExtName;

static inline ExtName name_of(const char *text) { return (ExtName){.kind = NAME_TEXT, .text = text}; }
ExtName name_copy(Arena *arena, ExtName name); // with a text of its own
// The name as IR text writes it, %gcd or u0:1, and as symbols are called, without the %. An absent text is empty.
void name_put(Buf *out, ExtName name);
const char *name_text(Arena *arena, ExtName name);
const char *name_symbol(Arena *arena, ExtName name);

typedef struct ExtFunc {
    ExtName name;
    uint32_t sig; // index into Func.sigs
    bool colocated, patchable, declared;
} ExtFunc;

typedef struct StackSlot {
    uint32_t size;
    uint32_t align; // a power of two
    bool declared;
    bool has_key; // an opaque number of the producer
    uint64_t key;
} StackSlot;

// An alias region: accesses in two different ones never overlap.
typedef struct Region {
    uint32_t id; // the producer's number
    const char *text;
} Region;

typedef enum GlobalKind { GV_GAP, GV_VMCTX, GV_LOAD, GV_IADD_IMM, GV_SYMBOL } GlobalKind;
typedef struct GlobalValue {
    uint8_t kind;
    uint8_t type;     // of the value (GV_LOAD, GV_IADD_IMM); the pointer type otherwise
    uint8_t memflags; // GV_LOAD
    bool colocated;
    uint32_t base; // GV_LOAD, GV_IADD_IMM
    int64_t offset;
    ExtName name; // GV_SYMBOL
} GlobalValue;

typedef struct ConstData {
    const uint8_t *bytes; // little-endian
    uint32_t n;
    bool declared;
} ConstData;

// One live reference of a call that is a safepoint: `type` at `slot`+`offset`. After it: the same object (md/ir.md).
typedef struct StackMapEntry {
    uint8_t type;
    uint32_t slot;
    uint32_t offset;
} StackMapEntry;
typedef struct StackMap {
    uint32_t at, n; // run in Func.map_entries
} StackMap;

typedef struct Func {
    Ctx *ctx;
    Arena *arena;
    ExtName name;
    Sig sig;
    VEC(InstData) insts;
    VEC(BlockData) blocks;
    VEC(ValueData) values;
    VEC(uint32_t) pool; // value lists
    VEC(BlockCall) calls;
    VEC(Sig) sigs;
    VEC(ExtFunc) funcs;
    VEC(StackSlot) slots;
    VEC(GlobalValue) globals;
    VEC(ConstData) consts;
    VEC(Region) regions;
    VEC(StackMap) stack_maps;
    VEC(StackMapEntry) map_entries;
    Block first, last;    // layout; first is the entry block
    uint32_t stack_limit; // global value, or NONE
    Block landing;        // entry thunks only: where a trap resumes (a block without predecessors); else NO_BLOCK
    const char *file;     // for diagnostics, may be NULL
    uint32_t line;        // of `function` in file
    VEC(uint32_t) lines;  // of the instructions that were read from file; those made since have none
} Func;

// ---- making and reading (ir/func.c) -------------------------------------------------------------

// An empty function in its own arena (func->arena; free that to free the function).
Func *func_new(Ctx *ctx);
// The same in an arena that exists.
Func *func_new_in(Arena *arena);

// The value after following aliases.
Value func_value(const Func *f, Value v);
static inline Type value_type(const Func *f, Value v) { return (Type)f->values.v[v.i].type; }
// The instruction that defines v, or NO_INST for a block parameter.
Inst value_def(const Func *f, Value v);

static inline InstData *inst_get(const Func *f, Inst i) { return &f->insts.v[i.i]; }
static inline BlockData *block_get(const Func *f, Block b) { return &f->blocks.v[b.i]; }

// The k-th value operand / result / block parameter / block-call argument, aliases followed.
static inline Value list_get(const Func *f, ValueList list, uint32_t k) {
    return func_value(f, (Value){f->pool.v[list.at + k]});
}
static inline Value inst_arg(const Func *f, Inst i, uint32_t k) { return list_get(f, inst_get(f, i)->args, k); }
// Is i an integer division or remainder by a constant that it traps for with no dividend?
bool inst_divides_safely(const Func *f, Inst i);
static inline Value inst_result(const Func *f, Inst i, uint32_t k) {
    return (Value){f->pool.v[inst_get(f, i)->results.at + k]};
}
static inline Value block_param(const Func *f, Block b, uint32_t k) {
    return (Value){f->pool.v[block_get(f, b)->params.at + k]};
}

// Lists. Only a list made by these two may be pushed to, never a part of one.
ValueList list_new(Func *f, const Value *values, uint32_t n);
void list_push(Func *f, ValueList *list, Value v); // amortised constant

// Entities. New instructions and blocks are not in the layout yet.
Value value_new(Func *f, Type type, ValueKind kind, uint32_t owner, uint32_t num);
Block block_new(Func *f);
Value block_add_param(Func *f, Block b, Type type);
// Appends an instruction record (copied) without results.
Inst inst_new(Func *f, const InstData *data);
// Adds the results that op and type (and, for calls, the signature) demand; see op_info.
void inst_make_results(Func *f, Inst i);

// Layout.
void block_append(Func *f, Block b);        // at the end
void block_remove(Func *f, Block b);        // out of the layout, with its instructions
void inst_append(Func *f, Inst i, Block b); // at the end of b
void inst_insert_before(Func *f, Inst i, Inst before);
void inst_remove(Func *f, Inst i); // out of the layout; its values stay, unused

// Makes `from` (a result or parameter) another name of `to`. The caller sees to it that no cycle arises.
void value_alias(Func *f, Value from, Value to);

// A copy with lists of its own, declared.
Sig sig_copy(Arena *arena, const Sig *sig);
// The signature of a call instruction (call, call_indirect, return_call, return_call_indirect).
const Sig *inst_sig(const Func *f, Inst i);

#define FUNC_BLOCKS(b, f) for (Block b = (f)->first; block_ok(b); b = block_get((f), b)->next)
#define BLOCK_INSTS(i, f, b) for (Inst i = block_get((f), b)->first; inst_ok(i); i = inst_get((f), i)->next)

// ---- a file of functions ------------------------------------------------------------------------

// What a .clif text holds: header lines and functions, each with the comments attached to it (section 1.10 of
// the format: `; run:` directives are comments).
typedef struct TextLine {
    const char *text;
    uint32_t line;
} TextLine;
// A function that uses something of the format that is known but not supported; it is not among the funcs.
typedef struct IrSkipped {
    ExtName name;
    Place place;
    const char *reason; // "type i128: 128-bit integers"
} IrSkipped;
typedef struct IrFile {
    const char *file;
    VEC(TextLine) header;          // `test`, `set`, `target`, `feature` lines, in order
    VEC(TextLine) comments;        // all comments, in order; the next two tell of which function
    VEC(uint32_t) comment_func;    // index into funcs, NONE = before the first function or of a skipped one
    VEC(uint32_t) comment_skipped; // index into skipped, NONE = not of a skipped one
    VEC(Func *) funcs;
    VEC(IrSkipped) skipped;
} IrFile;

// ---- text (ir/read.c, ir/write.c) ----------------------------------------------------------------

// Reads CLIF text of `len` bytes. Everything is made in `arena` (each Func->arena is that arena too). default_conv
// is used where a signature names no convention. On errors, diagnostics are recorded and VTR_ERR_INPUT thrown.
// Nothing but the form is checked: run verify_func() on each function before anything else, or call verify_read().
IrFile *ir_read(Arena *arena, const char *file, const char *text, size_t len, CallConv default_conv);

// Reads a signature such as `(i64, i8 uext) -> f64 system_v`; `file` is what diagnostics call the text. Throws
// VTR_ERR_INPUT or VTR_ERR_UNSUPPORTED with a diagnostic.
Sig ir_read_signature(Arena *arena, const char *file, const char *text, CallConv default_conv);

// Canonical text of a function.
void ir_write(const Func *f, Buf *out);
// One instruction as text, without indentation or newline; for diagnostics and dumps.
void ir_write_inst(const Func *f, Inst i, Buf *out);

#endif
