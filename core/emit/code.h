// Emitted code: what the back end hands to linking, JIT and object files.
#ifndef VTR_EMIT_CODE_H
#define VTR_EMIT_CODE_H

#include "runtime/frames.h"
#include "select/target.h"

typedef struct CodeReloc {
    uint32_t at;   // offset in bytes
    uint8_t reloc; // Target.relocs
    ExtName name;
    int64_t addend;
    bool colocated;
    uint8_t back;  // Fixup.back
    uint32_t type; // of a stack machine: number in Code.types + 1 of the function named, or of the type wanted
                   // (StackMachine.reloc_type: then there is no name); 0 = none
} CodeReloc;

typedef FrameSite CodeSite;

// One abstract step of a prologue or epilogue, valid from offset `at` on; CFI is printed from these. At a function's
// entry sp is as the caller's call left it, and the return address is at [sp] or in the link register (Abi.link), which
// is saved and reloaded like a preserved register.
typedef enum FrameStepKind {
    STEP_PUSH,
    STEP_ALLOC,
    STEP_SAVE,
    STEP_RELOAD, // what STEP_SAVE stored is in its register again
    STEP_POP,
    STEP_FREE,
    STEP_REMEMBER,
    STEP_RESTORE,
    STEP_RETURN,
    STEP_POPPED, // as STEP_FREE: by the callee, so it holds where the call before returns to
    STEP_ENTRY   // everything is as at the function's entry again
} FrameStepKind;
typedef struct FrameStep {
    uint32_t at;
    uint8_t kind;
    uint8_t reg;    // STEP_PUSH, STEP_SAVE, STEP_RELOAD, STEP_POP
    int32_t amount; // STEP_ALLOC/FREE: bytes; STEP_SAVE: offset from sp as it is here; STEP_RETURN: the return address
                    // now stands at this offset from the frame's canonical address (sp at the call, before a word was
                    // pushed)
} FrameStep;

typedef struct CodeLine {
    uint32_t at;
    uint32_t srcloc;
} CodeLine;

// Of a stack machine `bytes` is the body of a function as it stands in a module, without its size: the declarations of
// locals, instructions, the final `end`. Fields that wait for a number have the width that their relocation says, and
// may be shortened by whoever fills them, since nothing in a body depends on distances. `at` of sites and lines is the
// offset of the instruction itself (call, trapping instruction). Nothing of steps, refs, ret, top and pop is filled.
typedef struct Code {
    const Target *target;
    ExtName name;
    uint8_t *bytes; // code, then constants and jump tables
    uint32_t n;
    uint32_t n_code; // bytes of instructions
    uint32_t pops;   // bytes of stack arguments that it removes when it returns
    uint32_t align;
    VEC(CodeReloc) relocs;
    VEC(CodeSite) sites; // rising `at`
    VEC(int32_t) refs;
    VEC(FrameStep) steps;
    VEC(CodeLine) lines;
    uint32_t landing;    // entry thunks: offset of the landing block, else NONE
    VEC(MType) types;    // of a stack machine: [0] is its own
    uint32_t activation; // entry thunks: offset from sp of the slot that holds the activation, else NONE
} Code;

// What the traps of a function call that is not to trap by itself.
#define CODE_TRAP "__vtr_trap"

typedef enum TrapStyle {
    TRAPS_CALL, // a trap site calls the symbol CODE_TRAP, which never returns there (on a stack machine it is a
                // function without parameters, and the relocation's addend is the trap code)
    TRAPS_INSN  // a trap site executes the target's trapping instruction; its address is in `sites`
} TrapStyle;

// Emits allocated machine code. `arena` receives the Code.
Code *emit_func(Arena *arena, MFunc *m, TrapStyle traps);

#endif
