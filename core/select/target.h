// The target record: everything the core knows of a machine. One constant `Target` per machine is generated from
// md/<isa>.md (gen/vtgen); targets_all[] lists them. Nothing here is written by hand for a machine.
#ifndef VTR_SELECT_TARGET_H
#define VTR_SELECT_TARGET_H

#include "select/mfunc.h"

// ---- registers --------------------------------------------------------------------------------

typedef struct RegInfo {
    const char *name; // widest name
    uint8_t file;     // register file number
    uint8_t dwarf;    // number in debug and unwind tables, or NO_DWARF
} RegInfo;
#define NO_DWARF 0xff

typedef struct RegClass {
    const char *name;
    RegSet regs;        // members
    RegSet allocatable; // members the allocator may hand out
    uint8_t spill_size; // bytes of a spill slot
    // Instructions that move a whole register of this class without touching flags:
    // copy(d: out, s), load(d: out, m: mem), store(m: mem, s). Chosen by operand bytes: [0]=1, [1]=2, [2]=4, [3]=8;
    // NO_MOP where a size has none (then the next larger is used).
    uint16_t copy;
    uint16_t load[4];
    uint16_t store[4];
    // Whole-register save and restore for prologues, where that is more than load[3]/store[3]:
    // save_size bytes; 0 = none is needed.
    uint16_t save, restore;
    uint8_t save_size;
    // Of a stack machine: the number of this value type in function types and declarations of locals, and the
    // instruction that pushes a constant (d: out, imm).
    uint8_t value_type;
    uint16_t constant;
} RegClass;

#define NO_MOP 0xffff

// ---- instructions -----------------------------------------------------------------------------

typedef enum OpndType { OT_REG, OT_IMM, OT_LABEL, OT_COMPOSITE } OpndType;

typedef struct OpndDesc {
    const char *name;
    uint8_t type; // OpndType
    uint8_t role; // MRole (OT_REG); an inout operand is ROLE_DEF with inout = true and takes two slots
    bool inout;
    uint8_t cls;   // class (OT_REG)
    uint8_t bits;  // width of the view read or written
    uint8_t fixed; // register or NO_REG
    uint16_t kind; // OT_IMM, OT_LABEL: immediate kind (Target.imms) or NO_KIND; OT_COMPOSITE: Target.operands
    uint8_t slot;  // first slot
    uint8_t n_slots;
} OpndDesc;

#define NO_KIND 0xffff

// An immediate that is not one run of its field's bits. Of a few cases, each of which is a run: the field has the bits
// `fixed` under `fixed_mask`, the value is `base` and, from bit `at` on, `width` bits of the field from `start` on, all
// inverted or none, the last repeated above them or not. Or a table of all values, ascending.
typedef struct ImmCase {
    uint64_t fixed, fixed_mask, base;
    uint8_t at, start, width;
    bool inverted, is_signed;
} ImmCase;
typedef struct ImmIrregular {
    uint8_t field_bits, value_bits;
    const ImmCase *cases; // NULL: a table. Ascending by field
    uint16_t n;           // of cases or values
    const int64_t *values;
    const uint16_t *fields; // of the values
    const uint16_t *places; // by field: number of its value, UINT16_MAX = that field is not used
} ImmIrregular;

// An immediate kind or a set of conditions: which values there are and how they are written. A value is `width` bits
// of field above `low_zeros` zero bits, extended to 64 bits.
typedef struct ImmKind {
    const char *name;
    int64_t lo, hi; // both included
    uint8_t width;
    uint8_t low_zeros;
    bool is_signed;           // the field's top bit is a sign
    bool open;                // no wider than the operand: -1 and 255 are the same i8. The signed reading is canonical
    bool is_float;            // written as the float it is; of one run of bits in hexadecimal, which says all of them
    uint8_t reloc;            // relocation that fills it, or NO_RELOC
    const char *const *names; // how each value is written, or NULL: as a number
    const ImmIrregular *irregular; // NULL: one run of bits
} ImmKind;
#define NO_RELOC 0xff

// A composite operand: one of several forms, each with its parts. OpndDesc.slot of a part counts from the slot that
// holds the form number.
typedef struct FormDesc {
    const char *name;
    const OpndDesc *parts;
    uint8_t n_parts;
    uint8_t disp; // slot of the part that is a displacement, 0 = none
} FormDesc;
typedef struct OperandKind {
    const char *name;
    const FormDesc *forms;
    uint8_t n_forms;
    uint8_t n_slots;
} OperandKind;

enum {
    MD_READS_FLAGS = 1,
    MD_WRITES_FLAGS = 2,
    MD_LOADS = 4,
    MD_STORES = 8,
    MD_BRANCH = 16,
    MD_CALL = 32,
    MD_RETURN = 64,
    MD_EFFECT = 128,  // anything else that must not be removed
    MD_RELAX = 256,   // a `relax` pseudo: emission picks a row
    MD_SEQUENCE = 512 // several instructions in a row, which decode one by one
};

typedef struct InstDesc {
    const char *name;
    const OpndDesc *opnds;
    uint8_t n_opnds;
    uint8_t n_slots;
    uint8_t traps[3]; // codes of its `trap` clauses in their order, 0 behind the last
    uint16_t flags;   // MD_*
    RegSet clobbers;
    uint16_t untie_mop; // three-address twin used when a tied input lives on, NO_MOP = none
    uint64_t features;  // feature bits required
} InstDesc;

// ---- encoding ---------------------------------------------------------------------------------

// A field of an encoded instruction that waits for an address.
typedef struct Fixup {
    uint8_t at;     // byte offset of the field in the instruction
    uint8_t reloc;  // index into Target.relocs
    uint8_t back;   // of a relocation that belongs to another one (its formula names H): bytes back to that one's field
    uint16_t slot;  // operand slot that holds the MO_BLOCK or MO_SYM
    int64_t addend; // A: includes the distance from the field to the end of the instruction where the formula wants it
} Fixup;

typedef struct Encoded {
    uint8_t bytes[32];
    uint8_t n;
    uint8_t n_fixups;
    uint8_t form; // 0: the long one; k: the k-th short form of the instruction, as they stand in the description
    Fixup fixups[4];
} Encoded;

typedef enum RelocBase {
    RELOC_S, // the formula uses S
    RELOC_G, // it uses G: `g` is the address of a word that holds the symbol's address
    RELOC_L  // it uses L: `g` is the symbol's address or that of a veneer (PLT entry) that jumps there
} RelocBase;

typedef enum RelocLeb { LEB_NONE, LEB_UNSIGNED, LEB_SIGNED } RelocLeb; // of 32 bits in 5 bytes, of 64 bits in 10

typedef struct Reloc {
    const char *name; // as in the description, R_X86_64_PC32
    uint32_t elf;     // number in ELF objects
    uint8_t size;     // bytes patched
    uint8_t base;     // RelocBase: what `g` is
    bool absolute;    // depends on where the code is, not only on how far the symbol is from it
    uint8_t leb;      // RelocLeb: how the field is written, `size` bytes wide. Whoever fills it may shorten it instead
    // Writes the field at `place` (address P, symbol S, addend A, GOT/PLT address G). False when out of range. A
    // relocation that belongs to another one takes that one's address as `p` (Fixup.back before its own).
    bool (*apply)(uint8_t *place, uint64_t p, uint64_t s, int64_t a, uint64_t g);
} Reloc;

// One way to emit a relaxable branch, load or address: up to 4 instructions of the target, when the distance from the
// start of the row to the label lies in [low, high].
typedef struct RelaxRow {
    int64_t low, high;
    // Fills `out` with the row's instructions for the operands of the pseudo; returns how many, 0 when the row is not
    // for these operands or asks for other features.
    unsigned (*expand)(const MOpnd *slots, uint64_t features, Encoded out[4]);
    uint8_t max_size;
} RelaxRow;
typedef struct Relax {
    uint16_t mop;
    const RelaxRow *rows; // smallest first; the last reaches everywhere the machine can
    uint8_t n_rows;
} Relax;

// ---- calling conventions -----------------------------------------------------------------------

// Who widens narrow integer arguments and results, and how far.
typedef enum AbiExtend {
    EXTEND_NOBODY,
    EXTEND_TO_32,  // the giver, to 32 bits, what the signature marks uext or sext
    EXTEND_TO_WORD // the giver, to a word: i8 and i16 as the signature says, i32 always with its sign
} AbiExtend;

typedef struct Abi {
    const char *name;
    const uint8_t *int_args, *float_args, *int_results, *float_results; // physical registers in order
    uint8_t n_int_args, n_float_args, n_int_results, n_float_results;
    bool slots;          // arguments take positions shared by both files (Windows)
    bool callee_pops;    // the callee removes its stack arguments
    bool floats_in_ints; // a float argument that finds no float register takes the next integer register
    uint8_t extend;      // AbiExtend
    RegSet preserved;    // callee-saved
    RegSet clobbered;    // everything else a call may change, flags included
    uint8_t stack_align; // at calls
    uint8_t arg_slot;    // bytes per stack argument
    uint16_t red_zone;
    uint16_t shadow;        // bytes the caller leaves above the arguments (Windows: 32)
    uint8_t variadic_count; // register that holds the number of float arguments of a variadic call, or NO_REG
    uint8_t sret_result;    // register that returns the struct-return pointer, or NO_REG
    uint8_t sret_arg;       // register that passes it and is no argument register, or NO_REG: it is passed like others
    uint8_t link;           // register that holds the return address at entry, or NO_REG (it is on the stack)
    bool values; // of a stack machine: each argument and result is a value of its type's class, and there are no others
} Abi;

// ---- stack machines ------------------------------------------------------------------------------
//
// On a stack machine (`machine stack`) an instruction pops its register operands, the last one first, and pushes its
// results; the encoder writes its immediates only. A class is a value type: it has no physical registers, and its
// vregs are values on the operand stack or locals (core/stack decides). Control flow is structured: a label is written
// as the number of enclosing constructs between the branch and the one it leaves, or, of a loop, repeats.
//
// Instructions that core/stack asks for by name. All constructs take nothing from the stack and leave nothing.
// Roles that all machines have keep their meaning: op_jump (t: label), op_call and op_tail_call (symbol), op_call_reg
// and op_tail_call_reg (f: the number in the function table, a use; t: imm, the number of a type), op_ret, op_trap,
// op_add (d: out, a, b), op_load_addr (d: out, symbol).
typedef struct StackMachine {
    uint16_t get, set, tee;    // (imm: number of a local): push it, pop it, copy the top to it
    uint16_t drop;             // pop and forget (any class)
    uint16_t block, loop, end; // no operands
    uint16_t if_, else_;       // if_ (c: use): the first part when c is not 0
    uint16_t branch_if;        // (c: use, t: label): when c is not 0
    uint16_t branch_table;     // (c: use, n: imm): c-th of the n + 1 entries that follow, the last when there is none
                               // Selected code has it with the MO_SYM of a jump table (MTable) as its n; core/stack
                               // writes the number and the entries
    uint16_t branch_entry;     // (t: label): an entry of a branch table; no instruction by itself
    uint16_t eqz;              // (d: out, c: use): 1 when a condition is 0, else 0
    uint16_t below;            // of addresses, (d: out, a, b): a condition, 1 when a < b, unsigned, else 0
    // op_call_reg and op_tail_call_reg of a function table whose indices are as wide as addresses, or NO_MOP. The
    // features that they require say that tables are so.
    uint16_t wide_call_reg, wide_tail_call_reg;
    uint16_t sp_get, sp_set; // the shadow stack's pointer, a global symbol: (d: out, symbol), (s: use, symbol)
    const char *sp_symbol;   // its name
    uint8_t reloc_type;      // relocation of a function type's number in op_call_reg and op_tail_call_reg
    uint8_t function_type;   // introduces a function type
    // What a function may have at most (parameters and locals together; entries of a branch table; bytes of a body);
    // 0 = any number.
    uint32_t max_params, max_results, max_locals, max_entries, max_bytes;
} StackMachine;

// ---- selection ---------------------------------------------------------------------------------

struct Sel;

// Executes one decoded instruction: its `sem` (sim/state.h).
struct SimState;
struct SimInst;
typedef void SimRun(struct SimState *s, const struct SimInst *i);

typedef struct Feature {
    const char *name;
    uint64_t implies;   // closure, itself included
    uint32_t elf_flags; // bits of e_flags that say that code uses it
} Feature;

typedef struct Target {
    const char *name;        // "x86_64"
    const char *triple_arch; // first part of a target triple
    uint8_t word_bits;       // pointer width
    uint8_t code_align;      // of instructions
    // What object files say (core/aot).
    uint16_t elf_machine; // e_machine, 0 = ELF is not described
    uint32_t elf_flags;   // e_flags, to which features add theirs
    uint8_t dwarf_return; // the column of unwind tables that tells where the return address is, or NO_DWARF
    uint8_t reloc_word;   // relocation of a whole word that holds an address (S + A), or NO_RELOC
    uint8_t reloc_place;  // relocation of 32 bits that hold a distance (S + A - P), or NO_RELOC
    const RegInfo *regs;
    uint8_t n_regs;
    const RegClass *classes;
    uint8_t n_classes;
    uint8_t type_class[32]; // class that holds a Type, NO_CLASS = unsupported
    uint8_t type_size[32];  // bytes of a register that matter for a Type: what it is held extended to counts
    const InstDesc *insts;
    uint16_t n_insts;
    const ImmKind *imms;
    const OperandKind *operands;
    const Reloc *relocs;
    uint8_t n_relocs;
    const Relax *relaxes;
    uint8_t n_relaxes;
    const Feature *features;
    uint8_t n_features;
    uint64_t baseline; // features that every machine of this kind has
    const Abi *abis;
    uint8_t n_abis;
    const Abi *conv[N_CONVS]; // NULL = unsupported

    // Named roles (the `roles` of the description). An instruction that names a symbol may be a relax pseudo with the
    // symbol as its label: then its last row is what stands for it. No role but op_cmp changes the flags where an
    // operand of a load, store or move may be out of range (mach.h).
    uint8_t sp, flags; // physical registers (flags: NO_REG if the machine has none)
    RegSet zero;       // registers that always read as 0
    // Kept out of every allocatable class: for emission, move cycles, and the rows of relax pseudos, which may change
    // the last one. The first word register among them moves values from memory to memory; where a displacement in a
    // frame may be out of an instruction's range, there is a second one for addresses.
    RegSet scratch;
    uint16_t op_jump;                        // relax pseudo: jump to a label
    uint16_t op_call, op_call_reg;           // call a symbol / a register
    uint16_t op_tail_call, op_tail_call_reg; // jump to a symbol / a register as a tail call
    uint16_t op_ret;                         // return
    uint16_t op_ret_pop;      // return and remove imm bytes; NO_MOP where the link register has the address
    uint16_t op_push, op_pop; // NO_MOP where the machine has none
    // Add an immediate to / subtract it from a register that may be the stack pointer: (inout, imm) or (out, in, imm).
    // op_sp_sub is NO_MOP where op_sp_add takes negative ones.
    uint16_t op_sp_add, op_sp_sub;
    // The sum of two registers, of which the first may be the stack pointer: (inout, in) or (out, in, in); of the
    // latter, the result may be the stack pointer, too. NO_MOP where every displacement in a frame fits.
    uint16_t op_add;
    uint16_t op_trap;      // an instruction that traps
    uint16_t op_lea;       // (out, mem) or (out, in, imm): the address of a memory operand; base + displacement
    uint16_t op_load_addr; // d: out, symbol -- an absolute 64-bit address
    // Branch when one word is below another, unsigned. With flags: op_cmp (a: reg, b: reg) sets them, and op_branch is
    // the relax pseudo (c: cond, t: label), for which cond_below says that a was below b. Without: op_cmp is NO_MOP and
    // op_branch is the relax pseudo (a: reg, b: reg, t: label) that branches when a is below b.
    uint16_t op_cmp, op_branch;
    int64_t cond_below;
    uint8_t mem_form; // form number base + displacement of the composite operands used by load/store: one for all

    // Generated functions.
    // Encodes one instruction with physical operands, in the shortest way that these features allow; false when an
    // operand does not fit or the instruction asks for other features.
    bool (*encode)(uint16_t mop, const MOpnd *slots, uint64_t features, Encoded *out);
    // Decodes the instruction at `bytes`; returns its length, 0 when it is none of ours. slots has 16 elements.
    unsigned (*decode)(const uint8_t *bytes, size_t n, uint16_t *mop, MOpnd *slots);
    // Assembler text of one instruction; `at` is its address, `size` its length.
    void (*print)(uint16_t mop, const MOpnd *slots, uint64_t at, unsigned size, Buf *out);
    // The conditional branch (relax pseudo) with the opposite condition: another instruction with the same operands,
    // or the same one with the condition in its slots changed. NO_MOP, and nothing changed, when it has none. From
    // `cond`'s pairs of opposite expressions, and from pairs of branches whose semantics are opposite. On a
    // stack machine: the instruction whose result is 1 when that of `mop` is 0, and else 0, for the same operands.
    uint16_t (*invert)(uint16_t mop, MOpnd *slots);
    // Selects IR instruction `i` (select/select.h).
    bool (*select)(struct Sel *sel, Inst i);
    // Whether the target selects an opcode with these features; what it does not is expanded (md/expand.md). control:
    // the controlling type; operand: the type of the value operand that the opcode's types leave free (the source of
    // a conversion, a shift amount, a condition; TR_FREE in OpInfo.args), T_none when there is none.
    bool (*covers)(Op op, Type control, Type operand, uint64_t features);
    // Whether the one result of an opcode, of a type above which a register may hold anything, has zeros there, when
    // z[k] says whether operand k has. NULL: nobody asks.
    bool (*zeros)(Op op, Type control, Type result, const bool *z);
    // What becomes of every opcode, for people and tools (select/ways.h).
    const struct Ways *ways;
    // The simulator: by instruction what executes it, NULL for pseudos and relax rows. Decoded code has only others.
    SimRun *const *sim;
    // What only a stack machine has; NULL = a machine with registers.
    const StackMachine *stack;
    // Features of the machine this library runs on; 0 when it is another machine.
    uint64_t (*host_features)(void);
} Target;

#define NO_CLASS 0xff

// Whether physical operands are what the description allows: registers of their class, immediates in range, forms
// and their parts.
bool target_operands_fit(const Target *t, uint16_t mop, const MOpnd *slots);
// Whether one value is of an immediate kind.
bool target_imm_fits(const Target *t, uint16_t kind, int64_t value);
// The field of an irregular kind for a value that fits, the least of several; and the value of a field, false when no
// value has this field.
uint64_t target_imm_field(const Target *t, uint16_t kind, int64_t value);
bool imm_irregular_value(const ImmIrregular *k, uint64_t field, int64_t *value);

// The type of an address.
static inline Type target_ptr_type(const Target *t) { return t->word_bits == 64 ? T_i64 : T_i32; }

// Of a stack machine: the features by which code takes indices of function tables as wide as addresses, 0 = it cannot;
// and whether they are among `features`.
uint64_t target_wide_features(const Target *t);
bool target_wide_table(const Target *t, uint64_t features);

// All targets of this build, NULL-terminated (generated).
extern const Target *const targets_all[];
const Target *target_find(const char *name); // NULL if unknown
const Target *target_host(void);             // NULL if there is none
// The features that a list of names asks for ("bmi1,fma"; "none", "all"), what they imply included. False: there is no
// such feature, named by *wrong (of *n_wrong bytes).
bool target_features(const Target *t, const char *names, uint64_t *features, const char **wrong, size_t *n_wrong);
// Every feature that the description knows.
static inline uint64_t target_all_features(const Target *t) {
    return t->n_features ? UINT64_MAX >> (64 - t->n_features) : 0;
}

#endif
