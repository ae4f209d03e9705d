// Reading and checking modules; the errors that both report.
#ifndef VTR_BYTECODE_READ_H
#define VTR_BYTECODE_READ_H

#include "bytecode/module.h"

// The rules of 3.10, by the names that a tool prints.
// X(name, what it is about)
#define BC_RULES(X)                                                                                                    \
    X(MAGIC, "no module")                                                                                              \
    X(VERSION, "version or opcode table unknown")                                                                      \
    X(TRUNC, "ends early")                                                                                             \
    X(TRAIL, "bytes left over")                                                                                        \
    X(CRC, "checksum")                                                                                                 \
    X(SECTION, "order, repetition, unknown, missing or empty section")                                                 \
    X(ZSTD, "wrapper")                                                                                                 \
    X(LIMIT, "too large or too many")                                                                                  \
    X(RESERVED, "a reserved bit is set")                                                                               \
    X(UTF8, "string encoding")                                                                                         \
    X(STR, "string index")                                                                                             \
    X(NAME, "empty, too long, or with NUL")                                                                            \
    X(TYPE, "type table")                                                                                              \
    X(CONST, "constant")                                                                                               \
    X(DATA, "blob")                                                                                                    \
    X(GLOBAL, "global")                                                                                                \
    X(IMPORT, "import")                                                                                                \
    X(EXPORT, "export")                                                                                                \
    X(ENTRY, "entry")                                                                                                  \
    X(FUNC, "head of a function")                                                                                      \
    X(LABEL, "branch target")                                                                                          \
    X(BLOCK, "shape of a block")                                                                                       \
    X(OPCODE, "unknown instruction")                                                                                   \
    X(REG, "register number")                                                                                          \
    X(TYPING, "operand")                                                                                               \
    X(CALL, "callee or arguments")                                                                                     \
    X(TRAP, "trap code")                                                                                               \
    X(CAP, "raw memory without `low`")                                                                                 \
    X(SYMS, "debug information")
typedef enum BcRule {
#define X(name, about) BC_V_##name,
    BC_RULES(X)
#undef X
        BC_N_RULES
} BcRule;
extern const char *const bc_rule_name[BC_N_RULES]; // "V-MAGIC"

// Limits of rule V-LIMIT.
#define BC_MAX_FILE (UINT32_C(1) << 30)
#define BC_MAX_RAW (UINT64_C(512) << 20) // sum of the raw lengths of compressed sections
#define BC_MAX_STRING (UINT32_C(64) << 20)
#define BC_MAX_BLOB (UINT32_C(256) << 20)
#define BC_MAX_ENTRIES UINT32_C(1000000)
#define BC_MAX_TYPES UINT32_C(65536)
#define BC_MAX_BLOCKS UINT32_C(1000000)
#define BC_MAX_INSTS UINT32_C(10000000)
#define BC_MAX_PARAMS 255
#define BC_MAX_REGS 65535
#define BC_MAX_NAME 65535
#define BC_MAX_STRUCT (UINT32_C(16) << 20)

// What a check found wrong, and where: an entry of a table, or an instruction of a function.
typedef struct BcFault {
    BcRule rule;
    const char *table; // section tag; NULL = the module as a whole
    uint32_t index;    // entry of that table, or BC_NONE
    uint32_t inst;     // instruction ordinal when table is FUNC, or BC_NONE
    const char *text;
} BcFault;

// Who hears of faults. report() returns whether the check should go on to find more.
typedef struct BcSink {
    bool (*report)(void *data, const BcModule *m, const BcFault *fault);
    void *data;
    Arena *scratch; // for the texts
} BcSink;

// Applies every rule of 3.10 that concerns the content of a module: names, types, tables, functions, SYMS. True when
// all hold. Linear in the size of the module. The module's counts and pointers must be sound, its indices need not.
bool bc_verify(const BcModule *m, const BcSink *sink);

// Reads and verifies a module; throws after recording a diagnostic that opens with the rule's name. The bytes are
// copied. allow_low: modules with `low` functions are acceptable.
BcModule *bc_read(Ctx *ctx, const char *name, const void *bytes, size_t n, bool allow_low);

// Like bc_read(), for bytes that already live in `arena`, which becomes the module's.
BcModule *bc_read_in(Arena *arena, const char *name, const uint8_t *bytes, size_t n, bool allow_low);

// Fills imp_funcs and imp_globals from the import table.
void bc_index_imports(BcModule *m);

bool bc_utf8_valid(const char *bytes, size_t n);

// The content of one zstd frame that fills `frame` exactly and holds exactly raw_len bytes; NULL when it does not
// (then *why says how). Throws VTR_ERR_UNSUPPORTED in a build without zstd.
const uint8_t *bc_inflate(Arena *arena, const uint8_t *frame, uint32_t len, uint32_t raw_len, const char **why);
// One zstd frame of the bytes. Throws VTR_ERR_UNSUPPORTED in a build without zstd.
const uint8_t *bc_deflate(Arena *arena, const uint8_t *bytes, uint32_t len, uint32_t *frame_len);

#endif
