// A WebAssembly file while it is being made: a complete module (wasm_module.c) or a relocatable object of the tool
// conventions (wasm_object.c), from the same model.
//
// Theory. Symbols are what relocations refer to; what a symbol is (function, data, global variable) its definition
// says or, when it is not defined here, the relocations that name it: then it is imported. A relocation of a function
// tells the function's type, too. An import is a symbol and a type: a name that is called with two types is imported
// twice.
//
// In a complete module the memory begins with a page that nothing uses: address 0 is no object's, and a sum that
// wraps around 2^64 lands there. The shadow stack comes next and grows down, towards that page and below zero, which
// is the highest address and traps; so a stack that overflows never reaches anything else. Then data with bytes, data
// without, and the heap, which begins at __heap_base:
//
//     0          65536              65536 + stack          __heap_base
//     | (unused) |       <-- shadow stack | data | zeros | heap -->
//
// Functions of a complete module that nobody can reach are left out of it.
//
// The function table has at number 0 nothing (a null pointer), then the functions whose address is taken.
//
// Everything is numbered in the order of its making and written in that order, so the same calls give the same bytes.
#ifndef VTR_AOT_WASM_H
#define VTR_AOT_WASM_H

#include "emit/code.h"

enum { WASM_PAGE = 65536 };

typedef enum WasmSymKind { WASM_UNKNOWN, WASM_FUNC, WASM_DATA, WASM_GLOBAL } WasmSymKind;
typedef enum WasmScope { WASM_LOCAL, WASM_PUBLIC } WasmScope;

typedef struct WasmSym {
    const char *name;
    uint8_t kind;  // WasmSymKind
    uint8_t scope; // WasmScope: whether other objects see it
    bool defined;
    bool in_table;         // it is a function that must be in the function table, whether or not code takes its address
    uint32_t item;         // defined: number in funcs, datas or globals
    uint64_t offset, size; // WASM_DATA: where in the segment
    const char *module;    // imported from; NULL = "env"
    const char *field;     // imported as; NULL = its name
    const char *export_as; // a complete module exports it under this name; NULL = it does not
    // The writer's.
    uint32_t import; // number + 1 of the first of its imports, 0 = none
    uint32_t table;  // number in the function table, 0 = none
} WasmSym;

typedef struct WasmReloc {
    uint32_t at;    // offset in the body or segment
    uint8_t number; // of the relocation, in the tool conventions
    uint32_t sym;   // NONE: of a type
    uint32_t type;  // number of a type, or NONE
    int64_t addend;
} WasmReloc;

typedef struct WasmFunc {
    uint32_t sym;
    uint32_t type;
    Code *code; // a copy without relocations. In a complete module the offsets of sites and lines become those in the
                // body as it is written
    VEC(WasmReloc) relocs;
    uint32_t at, size; // the writer's: the body, from the start of the code section's contents (Wasm.code_at)
} WasmFunc;

// Places in the order in which they stand in memory.
typedef enum WasmDataKind { WASM_READ_ONLY, WASM_WRITABLE, WASM_ZERO, N_WASM_DATA_KINDS } WasmDataKind;

typedef struct WasmData {
    const char *name; // ".rodata"
    uint8_t kind;     // WasmDataKind
    uint32_t align;   // a power of two
    Buf bytes;        // of all kinds but WASM_ZERO
    uint64_t size;    // of WASM_ZERO
    VEC(WasmReloc) relocs;
    uint64_t addr; // the writer's: in a complete module
} WasmData;

typedef struct WasmGlobal {
    uint32_t sym;
    uint8_t type; // value type
    bool writable;
    uint32_t of; // symbol whose address it is, plus `value`, or NONE
    int64_t value;
} WasmGlobal;

struct Wasm;
struct WasmCustom;
// Writes the contents of a custom section when code and data have their places.
typedef void WasmFill(void *user, struct Wasm *w, struct WasmCustom *section);

typedef struct WasmCustom {
    const char *name;
    WasmFill *fill; // NULL: `bytes` are there
    void *user;
    Buf bytes;
    VEC(WasmReloc) relocs;
} WasmCustom;

typedef struct Wasm {
    Ctx *ctx;
    Arena *arena;
    const Target *target;
    uint64_t features; // that its code may use
    Interner type_keys;
    VEC(MType) types;
    VEC(WasmSym) syms;
    Interner names;        // of public symbols
    VEC(uint32_t) by_name; // number in names -> symbol number + 1
    VEC(WasmFunc) funcs;
    VEC(WasmData) datas;
    VEC(WasmGlobal) globals;
    VEC(WasmCustom) customs;
    uint32_t start; // symbol of the function that runs when the module is instantiated, or NONE
    // Of complete modules.
    uint64_t stack_size;     // bytes
    uint64_t max_memory;     // bytes, 0 = no limit
    bool table_may_grow;     // the function table has no maximum
    uint64_t stack_start;    // the writer's: the shadow stack's lowest address
    uint64_t stack_end;      // the writer's: where it begins to grow down from
    uint64_t heap_base;      // the writer's: the first free byte
    uint32_t n_func_imports; // the writer's: functions with the first numbers
    uint64_t code_at;        // the writer's: where the code section's contents start in the file
} Wasm;

// An empty file. Throws VTR_ERR_UNSUPPORTED when the target is no stack machine.
Wasm *wasm_new(Arena *arena, const Target *target, uint64_t features);

// ---- symbols ------------------------------------------------------------------------------------------------

// The symbol that has this name outside: made undefined when it is new.
uint32_t wasm_symbol(Wasm *w, const char *name);
// A symbol of this file only, made anew.
uint32_t wasm_local(Wasm *w, const char *name);
// Says where a symbol comes from when it is not defined. The strings are copied.
void wasm_import(Wasm *w, uint32_t sym, const char *module, const char *field);
// Makes a complete module export a function or global; the name is copied. `sym` need not be defined yet.
void wasm_export(Wasm *w, uint32_t sym, const char *name);

// Makes the function of this name, which is defined, run when the module is instantiated. Throws VTR_ERR_NOT_FOUND, and
// VTR_ERR_INPUT when it has parameters or results.
void wasm_start(Wasm *w, const char *name);

// ---- contents -----------------------------------------------------------------------------------------------

// Adds a function, which `sym` stands for from now on. resolve() gives the symbol of a relocation that has a name. The
// Code is copied. Throws VTR_ERR_INPUT when `sym` is defined already.
uint32_t wasm_code(Wasm *w, const Code *code, uint32_t sym, uint32_t (*resolve)(void *user, const CodeReloc *reloc),
                   void *user);
// Adds a segment; `name` lives as long as the file. Returns its number; bytes go into datas[number].bytes.
uint32_t wasm_data(Wasm *w, const char *name, WasmDataKind kind, uint32_t align);
// Makes a symbol stand for bytes of a segment.
void wasm_define_data(Wasm *w, uint32_t sym, uint32_t data, uint64_t offset, uint64_t size);
// Appends a word to a segment that holds the address of `sym` (of a function: its number in the table) plus addend.
void wasm_address(Wasm *w, uint32_t data, uint32_t sym, bool function, int64_t addend);
// Adds a global variable that holds `value`, or the address of `of` + value when that is not NONE.
void wasm_global(Wasm *w, uint32_t sym, uint8_t type, bool writable, uint32_t of, int64_t value);
// Adds a custom section; `name` lives as long as the file. Returns its number.
uint32_t wasm_custom(Wasm *w, const char *name, WasmFill *fill, void *user);

// ---- files --------------------------------------------------------------------------------------------------

// A complete module. Throws VTR_ERR_INPUT, with diagnostics, when something has the wrong type or no definition where
// an import cannot stand for it; VTR_ERR_LIMIT when the memory is too small.
Buf wasm_module(Wasm *w, Arena *arena);
// A relocatable object.
Buf wasm_object(Wasm *w, Arena *arena);

// ---- for the writers ----------------------------------------------------------------------------------------

// What the field of a relocation holds.
typedef enum WasmField {
    WASM_F_NONE,
    WASM_F_FUNCTION, // the number of a function
    WASM_F_TABLE,    // the number of a function in the table
    WASM_F_ADDRESS,
    WASM_F_TYPE,
    WASM_F_GLOBAL, // the number of a global variable
    WASM_F_CODE    // the place of a function in the code section
} WasmField;
typedef enum WasmForm { WASM_ULEB, WASM_SLEB, WASM_FIXED } WasmForm;
typedef struct WasmRelocKind {
    uint8_t field; // WasmField; WASM_F_NONE: there is no such relocation here
    uint8_t form;  // WasmForm
    uint8_t size;  // bytes in an object
} WasmRelocKind;
// By number in the tool conventions.
WasmRelocKind wasm_reloc_kind(unsigned number);

// Numbers of relocations that are not the target's.
enum { WASM_R_FUNCTION_OFFSET = 8, WASM_R_TABLE_INDEX = 19 };

enum {
    WASM_S_CUSTOM = 0,
    WASM_S_TYPE = 1,
    WASM_S_IMPORT = 2,
    WASM_S_FUNCTION = 3,
    WASM_S_TABLE = 4,
    WASM_S_MEMORY = 5,
    WASM_S_GLOBAL = 6,
    WASM_S_EXPORT = 7,
    WASM_S_START = 8,
    WASM_S_ELEMENT = 9,
    WASM_S_CODE = 10,
    WASM_S_DATA = 11,
    WASM_S_DATA_COUNT = 12,
    // Kinds of imports and exports.
    WASM_X_FUNC = 0,
    WASM_X_TABLE = 1,
    WASM_X_MEMORY = 2,
    WASM_X_GLOBAL = 3,
    // Limits of tables and memories.
    WASM_L_MAX = 1,
    WASM_L_64 = 4
};

// An import: of a function with a type, or of anything else.
typedef struct WasmImport {
    uint32_t sym;
    uint32_t type;  // NONE: no function
    uint32_t index; // number among functions or globals
} WasmImport;

// What the writers share: numbers of functions, globals and functions in the table.
typedef struct WasmNumbers {
    Map by_use; // symbol << 32 | type -> number in imports
    VEC(WasmImport) imports;
    uint32_t n_funcs, n_globals; // imported
    VEC(uint32_t) table;         // the functions in it, symbols; the first has number 1
    bool needs_table;
} WasmNumbers;

// Numbers all that relocations name. Throws VTR_ERR_INPUT when functions are called with types that they do not have.
void wasm_number(Wasm *w, WasmNumbers *numbers);
// The import of a symbol that is not defined; type NONE: any of it.
uint32_t wasm_find_import(const Wasm *w, const WasmNumbers *numbers, uint32_t sym, uint32_t type);
// The number of a function or global.
uint32_t wasm_index(const Wasm *w, const WasmNumbers *numbers, uint32_t sym, uint32_t type);
// The value of a relocation's field. Segments must have their addresses, functions their places where it needs those.
uint64_t wasm_value(const Wasm *w, const WasmNumbers *numbers, const WasmReloc *reloc);
// What a relocation's field holds: it may take the number of a function in the table for an address, and vice versa.
WasmField wasm_field(const Wasm *w, const WasmReloc *reloc);

// Pieces of files.
bool wasm_wide_table(const Wasm *w);      // indices of the function table are as wide as addresses, not of 32 bits
uint8_t wasm_address_type(const Wasm *w); // value type
void wasm_put_name(Buf *out, const char *name);
void wasm_put_header(Buf *file);
void wasm_put_section(Buf *file, unsigned id, Buf *contents);
void wasm_put_custom(Buf *file, const char *name, Buf *contents);
void wasm_put_types(const Wasm *w, Buf *file);
void wasm_put_functions(const Wasm *w, Buf *file);
void wasm_put_elements(const Wasm *w, const WasmNumbers *numbers, Buf *file);
void wasm_put_producers(Buf *file);
// The imported functions and globals, without a section around them. Returns how many.
uint32_t wasm_put_imports(const Wasm *w, const WasmNumbers *numbers, Buf *out);
// An expression that gives a constant of 64 (wide) or 32 bits.
void wasm_put_constant(Buf *out, bool wide, int64_t value);
// Of a table or memory; high 0 = no limit.
void wasm_put_limits(Buf *out, bool wide, uint64_t low, uint64_t high);
// Runs `fill`, then fills the fields of the relocations.
void wasm_fill_custom(Wasm *w, const WasmNumbers *numbers, WasmCustom *custom);
// Fills the fields of a segment's relocations.
void wasm_fill_data(Wasm *w, const WasmNumbers *numbers, WasmData *data);
// A number in exactly kind.size bytes.
void wasm_put_padded(uint8_t *to, WasmRelocKind kind, uint64_t value);

#endif
