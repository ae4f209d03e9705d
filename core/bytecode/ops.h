// Opcode table 1 of VITBC, stated once: reader, writer, verifier, assembler and disassembler all work from it.
//
// Theory. An instruction is an opcode word (opcode, m0, m1 = 0) followed by operands. Its `shape` is a string with one
// letter per operand in the file's order, which is also the order of the text form:
//
//   d  destination register          D  destination register or NOREG      u16
//   s  source register               S  source register or NOREG           u16
//   i  immediate i32                 k  constant, counted from const_off    u32
//   l  label                         t  entry of TBLT                       u32
//   g  global                        f  function                            u32
//   x  DATA blob                     o  field offset i32                    u32
//   m  address offset i32; in text it joins the register before it: [r1 + 8]
//   c  trap code                     n  intrinsic                           u16
//   a  m0 argument registers: u16 each; text: 2 [r1, r2]
//   w  switch: u16 n, u32 default, n x (i64 value, u32 label)
//   b  branch table: u16 n, u32 default, n x u32 label
//
// In memory (BcInst) registers fill r[0], r[1], ... in that order; the wide operands i k l t g f x o m c n and the
// default of w and b fill x, then y (only JIF has two); a, w and b put their count in n and the index of their first
// element (in BcFunc.args, .cases, .labels) in y.
//
// `m0` says what modifier 0 means; `typing` names the rule that the verifier applies (3.6, 3.7); `flags` say what
// an instruction is besides.
#ifndef VTR_BYTECODE_OPS_H
#define VTR_BYTECODE_OPS_H

#include <stdbool.h>
#include <stdint.h>

#define BC_OPTAB 1

// X(code, mnemonic, shape, m0, typing, flags)
#define BC_OPS(X)                                                                                                      \
    X(0x0000, NOP, "", ZERO, NONE, 0)                                                                                  \
    X(0x0001, MOV, "ds", ZERO, MOVE, 0)                                                                                \
    X(0x0002, K32, "di", ZERO, IMMEDIATE, 0)                                                                           \
    X(0x0003, KIDX, "dk", ZERO, CONSTANT, 0)                                                                           \
    X(0x0010, ADD, "dss", ZERO, INTS, 0)                                                                               \
    X(0x0011, SUB, "dss", ZERO, INTS, 0)                                                                               \
    X(0x0012, MUL, "dss", ZERO, INTS, 0)                                                                               \
    X(0x0013, DIV, "dss", ZERO, INTS, 0)                                                                               \
    X(0x0014, MOD, "dss", ZERO, INTS, 0)                                                                               \
    X(0x0015, NEG, "ds", ZERO, INTS, 0)                                                                                \
    X(0x0018, ADD_CHK, "dss", ZERO, INTS, 0)                                                                           \
    X(0x0019, SUB_CHK, "dss", ZERO, INTS, 0)                                                                           \
    X(0x001A, MUL_CHK, "dss", ZERO, INTS, 0)                                                                           \
    X(0x001B, DIV_CHK, "dss", ZERO, INTS, 0)                                                                           \
    X(0x001D, NEG_CHK, "ds", ZERO, INTS, 0)                                                                            \
    X(0x0020, FADD, "dss", ZERO, FLOATS, 0)                                                                            \
    X(0x0021, FSUB, "dss", ZERO, FLOATS, 0)                                                                            \
    X(0x0022, FMUL, "dss", ZERO, FLOATS, 0)                                                                            \
    X(0x0023, FDIV, "dss", ZERO, FLOATS, 0)                                                                            \
    X(0x0024, FNEG, "ds", ZERO, FLOATS, 0)                                                                             \
    X(0x0030, AND, "dss", ZERO, LOGIC, 0)                                                                              \
    X(0x0031, OR, "dss", ZERO, LOGIC, 0)                                                                               \
    X(0x0032, XOR, "dss", ZERO, LOGIC, 0)                                                                              \
    X(0x0033, NOT, "ds", ZERO, LOGIC, 0)                                                                               \
    X(0x0034, SHL, "dss", ZERO, SHIFT, 0)                                                                              \
    X(0x0035, SHR, "dss", ZERO, SHIFT, 0)                                                                              \
    X(0x0036, SAR, "dss", ZERO, SHIFT, 0)                                                                              \
    X(0x0040, CMP, "dss", KIND, COMPARE, 0)                                                                            \
    X(0x0041, SEL, "dsss", ZERO, SELECT, 0)                                                                            \
    X(0x0050, CVT, "ds", ZERO, CONVERT, 0)                                                                             \
    X(0x0051, CVT_CHK, "ds", ZERO, CONVERT, 0)                                                                         \
    X(0x0052, BITC, "ds", ZERO, BITCAST, 0)                                                                            \
    X(0x0060, JMP, "l", ZERO, NONE, BC_TERM)                                                                           \
    X(0x0061, JIF, "sll", ZERO, BRANCH, BC_TERM)                                                                       \
    X(0x0062, SWITCH, "sw", ZERO, SWITCH, BC_TERM)                                                                     \
    X(0x0063, BRT, "sb", ZERO, INTS, BC_TERM)                                                                          \
    X(0x0064, RET, "S", ZERO, RETURN, BC_TERM)                                                                         \
    X(0x0065, TRAP, "c", ZERO, TRAP, BC_TERM)                                                                          \
    X(0x0070, LDF, "dso", ZERO, FIELD, 0)                                                                              \
    X(0x0071, STF, "sos", ZERO, FIELD, 0)                                                                              \
    X(0x0072, LD, "dsm", MEMORY, RAW, BC_LOW)                                                                          \
    X(0x0073, ST, "sms", MEMORY, RAW, BC_LOW)                                                                          \
    X(0x0074, ALOC, "dt", ZERO, NEW_STRUCT, 0)                                                                         \
    X(0x0075, ARR_NEW, "ds", ZERO, NEW_ARRAY, 0)                                                                       \
    X(0x0076, ARR_GET, "dss", ZERO, ELEMENT, 0)                                                                        \
    X(0x0077, ARR_SET, "sss", ZERO, ELEMENT, 0)                                                                        \
    X(0x0078, ARR_LEN, "ds", ZERO, LENGTH, 0)                                                                          \
    X(0x0079, LDG, "dg", ZERO, GLOBAL, 0)                                                                              \
    X(0x007A, STG, "gs", ZERO, GLOBAL, 0)                                                                              \
    X(0x007B, RCAST, "ds", ZERO, CAST, 0)                                                                              \
    X(0x007C, RTST, "dst", ZERO, CAST, 0)                                                                              \
    X(0x007D, DPTR, "dx", ZERO, DATA, BC_LOW)                                                                          \
    X(0x007E, PADD, "dss", ZERO, POINTER_ADD, BC_LOW)                                                                  \
    X(0x0080, CALL, "Dfa", ARGC, CALL, 0)                                                                              \
    X(0x0081, TCALL, "fa", ARGC, CALL, BC_TERM)                                                                        \
    X(0x0082, ICALL, "Dsa", ARGC, CALL, 0)                                                                             \
    X(0x0083, INTR, "Dna", ARGC, INTRINSIC, 0)                                                                         \
    X(0x0090, RAISE, "s", ZERO, RAISE, BC_TERM)

#define BC_TERM 1 // ends a block, and stands nowhere else
#define BC_LOW 2  // only in functions with the `low` flag

typedef enum BcOp {
#define X(code, name, shape, m0, typing, flags) BC_##name = code,
    BC_OPS(X)
#undef X
        BC_N_OPCODES = 0x91 // above every code of the table
} BcOp;

typedef enum BcModifier { BC_M0_ZERO, BC_M0_KIND, BC_M0_MEMORY, BC_M0_ARGC } BcModifier;

typedef enum BcTyping {
    BC_TY_NONE,
    BC_TY_MOVE,
    BC_TY_IMMEDIATE,
    BC_TY_CONSTANT,
    BC_TY_INTS,
    BC_TY_FLOATS,
    BC_TY_LOGIC,
    BC_TY_SHIFT,
    BC_TY_COMPARE,
    BC_TY_SELECT,
    BC_TY_CONVERT,
    BC_TY_BITCAST,
    BC_TY_BRANCH,
    BC_TY_SWITCH,
    BC_TY_RETURN,
    BC_TY_TRAP,
    BC_TY_FIELD,
    BC_TY_RAW,
    BC_TY_NEW_STRUCT,
    BC_TY_NEW_ARRAY,
    BC_TY_ELEMENT,
    BC_TY_LENGTH,
    BC_TY_GLOBAL,
    BC_TY_CAST,
    BC_TY_DATA,
    BC_TY_POINTER_ADD,
    BC_TY_CALL,
    BC_TY_INTRINSIC,
    BC_TY_RAISE
} BcTyping;

typedef struct BcOpInfo {
    const char *name;  // the mnemonic, upper case
    const char *shape; // see above
    uint8_t m0;        // BcModifier
    uint8_t typing;    // BcTyping
    uint8_t flags;     // BC_TERM, BC_LOW
} BcOpInfo;

// The entry of an opcode, or NULL when the table has none.
const BcOpInfo *bc_op(uint32_t code);
// The opcode with this mnemonic in any case, or -1.
int bc_op_find(const char *name, uint32_t len);

// Kinds of CMP (modifier 0).
#define BC_CMP_KINDS(X)                                                                                                \
    X(EQ) X(NE) X(LT) X(LE) X(GT) X(GE) X(ULT) X(ULE) X(UGT) X(UGE) X(SLT) X(SLE) X(SGT) X(SGE) X(ORD) X(UNO)
typedef enum BcCmp {
#define X(name) BC_CMP_##name,
    BC_CMP_KINDS(X)
#undef X
        BC_N_CMPS
} BcCmp;
extern const char *const bc_cmp_name[BC_N_CMPS];

// Intrinsics table 1: X(id, name, parameters, result, flags). Letters: p ptr, l u64, b u8, T one integer type (the
// same everywhere), W such a type of 16 bits or more, F one float type, v nothing.
#define BC_INTRINSICS(X)                                                                                               \
    X(1, memcpy, "ppl", 'v', BC_LOW)                                                                                   \
    X(2, memset, "pbl", 'v', BC_LOW)                                                                                   \
    X(3, fence, "", 'v', 0)                                                                                            \
    X(4, sqrt, "F", 'F', 0)                                                                                            \
    X(5, ctz, "T", 'T', 0)                                                                                             \
    X(6, memmove, "ppl", 'v', BC_LOW)                                                                                  \
    X(7, clz, "T", 'T', 0)                                                                                             \
    X(8, popcnt, "T", 'T', 0)                                                                                          \
    X(9, fabs, "F", 'F', 0)                                                                                            \
    X(10, floor, "F", 'F', 0)                                                                                          \
    X(11, ceil, "F", 'F', 0)                                                                                           \
    X(12, trunc, "F", 'F', 0)                                                                                          \
    X(13, nearest, "F", 'F', 0)                                                                                        \
    X(14, fmin, "FF", 'F', 0)                                                                                          \
    X(15, fmax, "FF", 'F', 0)                                                                                          \
    X(16, copysign, "FF", 'F', 0)                                                                                      \
    X(17, rotl, "TT", 'T', 0)                                                                                          \
    X(18, rotr, "TT", 'T', 0)                                                                                          \
    X(19, bswap, "W", 'W', 0)

typedef enum BcIntrinsic {
#define X(id, name, params, result, flags) BC_INTR_##name = id,
    BC_INTRINSICS(X)
#undef X
        BC_N_INTRINSICS = 20
} BcIntrinsic;

typedef struct BcIntrInfo {
    const char *name;
    const char *params;
    char result;
    uint8_t flags;
} BcIntrInfo;

// The entry of an intrinsic, or NULL when the table has none.
const BcIntrInfo *bc_intrinsic(uint32_t id);

#endif
