#include "compile/thunk.h"

#include <string.h>

#include "emit/mach.h"
#include "ir_build.h"
#include "runtime/frames.h"

// The convention of the C functions of this process.
static const CallConv host_conv = CC_SYSTEM_V;

// ---- a few instructions as a Code ----------------------------------------------------------------

typedef struct Asm {
    Arena *arena;
    const Target *t;
    Code *code;
    VEC(uint8_t) bytes;
    const ExtName *syms; // what MO_SYM operands number
} Asm;

static Asm asm_new(Arena *arena, const Target *t, ExtName name, const ExtName *syms) {
    Asm a = {.arena = arena, .t = t, .code = NEW(arena, Code), .syms = syms};
    a.code->target = t;
    a.code->name = name;
    a.code->align = 16;
    a.code->landing = NONE;
    a.code->activation = NONE;
    return a;
}

static void add(Asm *a, Mach x) {
    if (x.mop == NO_MOP) return;
    Encoded code[4];
    unsigned n = mach_encode(a->t, x.mop, x.slots, 0, code);
    if (!n) ctx_bug(arena_ctx(a->arena), "thunk: %s cannot encode %s", a->t->name, a->t->insts[x.mop].name);
    for (unsigned j = 0; j < n; j++) {
        for (unsigned k = 0; k < code[j].n_fixups; k++) {
            const Fixup *fix = &code[j].fixups[k];
            const MOpnd *o = &x.slots[fix->slot];
            CodeReloc reloc = {.at = a->bytes.n + fix->at, .reloc = fix->reloc, .name = a->syms[o->reg]};
            reloc.addend = fix->addend + o->imm;
            reloc.back = fix->back;
            vec_push(a->arena, &a->code->relocs, reloc);
        }
        memcpy(vec_extend(a->arena, &a->bytes, code[j].n), code[j].bytes, code[j].n);
    }
}

// dst = base + amount, where a thunk needs it: small amounts.
static void add_offset(Asm *a, unsigned dst, unsigned base, int64_t amount) {
    Mach x;
    if (!mach_offset(a->t, dst, base, amount, &x)) ctx_bug(arena_ctx(a->arena), "thunk: %s has no sum", a->t->name);
    add(a, x);
}

static Code *finish(Asm *a) {
    a->code->bytes = a->bytes.v;
    a->code->n = a->code->n_code = a->bytes.n;
    return a->code;
}

static unsigned scratch_reg(Arena *arena, const Target *t, const Abi *abi) {
    unsigned reg = mach_entry_scratch(t, abi, (RegSet){{0, 0}});
    if (reg == NO_REG) ctx_fail(arena_ctx(arena), VTR_ERR_UNSUPPORTED, "%s: no scratch register", t->name);
    return reg;
}

// ---- traps and exits -----------------------------------------------------------------------------

// Calls or jumps to symbol `sym`: `near` is within reach of the machine's call instruction, or the linker sees to it.
static void go_to(Asm *a, uint32_t sym, unsigned scratch, bool near, bool call) {
    const Target *t = a->t;
    if (near) {
        add(a, mach_sym(t, call ? t->op_call : t->op_tail_call, sym));
        return;
    }
    add(a, mach_addr(t, scratch, sym));
    add(a, mach_reg(t, call ? t->op_call_reg : t->op_tail_call_reg, scratch));
}

static void step(Asm *a, FrameStepKind kind, unsigned reg, int64_t amount) {
    vec_push(a->arena, &a->code->steps,
             (FrameStep){.at = a->bytes.n, .kind = (uint8_t)kind, .reg = (uint8_t)reg, .amount = (int32_t)amount});
}

// trap_exit(base, self, pc): what a call pushes is taken off again, a link register handed on.
Code *thunk_trap(Arena *arena, const Target *t, bool near) {
    static const ExtName syms[] = {{.kind = NAME_TEXT, .text = THUNK_SELF},
                                   {.kind = NAME_TEXT, .text = THUNK_TRAP_EXIT}};
    const Abi *abi = t->conv[host_conv];
    unsigned cls = mach_word_class(t);
    unsigned word = mach_word(t);
    unsigned scratch = scratch_reg(arena, t, abi);
    unsigned result = abi->int_results[0];
    unsigned pushed = abi->link == NO_REG ? word : 0;
    Asm a = asm_new(arena, t, name_of(CODE_TRAP), syms);
    if (pushed) add(&a, mach_load(t, cls, word, abi->int_args[2], t->sp, 0));
    else add(&a, mach_copy(t, cls, abi->int_args[2], abi->link));
    add_offset(&a, abi->int_args[0], t->sp, pushed);
    if (!near) add(&a, mach_addr(t, abi->int_args[1], 0));
    // Trap stubs call with an aligned stack, whatever the call pushed. A link register is kept for who walks the stack.
    int64_t room = abi->stack_align - (int64_t)pushed + abi->shadow;
    add_offset(&a, t->sp, t->sp, -room);
    step(&a, STEP_ALLOC, NO_REG, room);
    if (!pushed) {
        add(&a, mach_store(t, cls, word, abi->link, t->sp, abi->shadow));
        step(&a, STEP_SAVE, abi->link, abi->shadow);
    }
    go_to(&a, 1, scratch, near, true);
    add(&a, mach_load(t, cls, word, scratch, result, word));
    Mach to_sp = mach_load(t, cls, word, t->sp, result, 0);
    if (mach_fits(t, &to_sp)) {
        add(&a, to_sp);
    } else {
        add(&a, mach_load(t, cls, word, result, result, 0));
        add_offset(&a, t->sp, result, 0);
    }
    add(&a, mach_reg(t, t->op_tail_call_reg, scratch));
    return finish(&a);
}

Code *thunk_exit(Arena *arena, const Target *t, ExtName name, ExtName host, const Abi *abi, uint32_t activation,
                 bool near) {
    unsigned cls = mach_word_class(t);
    unsigned word = mach_word(t);
    unsigned scratch = scratch_reg(arena, t, abi);
    Asm a = asm_new(arena, t, name, &host);
    add(&a, mach_load(t, cls, word, scratch, abi->int_args[0], activation));
    Mach save = mach_store(t, cls, word, t->sp, scratch, offsetof(FrameExit, sp));
    if (mach_fits(t, &save)) {
        add(&a, save);
    } else { // a machine that cannot store its stack pointer as it is
        RegSet taken = {{0, 0}};
        regset_add(&taken, scratch);
        unsigned sp = mach_entry_scratch(t, abi, taken);
        if (sp == NO_REG) ctx_fail(arena_ctx(arena), VTR_ERR_UNSUPPORTED, "%s: no scratch register", t->name);
        add_offset(&a, sp, t->sp, 0);
        add(&a, mach_store(t, cls, word, sp, scratch, offsetof(FrameExit, sp)));
    }
    if (abi->link != NO_REG) add(&a, mach_store(t, cls, word, abi->link, scratch, offsetof(FrameExit, pc)));
    go_to(&a, 0, scratch, near, false);
    return finish(&a);
}

// ---- entry ---------------------------------------------------------------------------------------

Func *thunk_entry(Ctx *ctx, const Target *t, const Sig *sig) {
    Func *f = func_new(ctx);
    Type ptr = target_ptr_type(t);
    f->sig = (Sig){.n_params = 4, .n_results = 1, .conv = (uint8_t)host_conv, .declared = true};
    f->sig.params = NEW_ARRAY(f->arena, AbiParam, 4);
    f->sig.results = NEW_ARRAY(f->arena, AbiParam, 1);
    f->sig.results[0].type = T_i32;
    vec_push(f->arena, &f->sigs, sig_copy(f->arena, sig));
    vec_push(f->arena, &f->slots, (StackSlot){.size = mach_word(t), .align = mach_word(t), .declared = true});
    Builder b = {.f = f, .at = block_new(f), .srcloc = NONE};
    block_append(f, b.at);
    Value param[4];
    for (unsigned k = 0; k < 4; k++) {
        f->sig.params[k].type = (uint8_t)ptr;
        param[k] = block_add_param(f, b.at, ptr);
    }
    uint8_t flags = MF_NOTRAP | MF_ALIGNED;
    ir_store(&b, flags, param[3], ir_stack_addr(&b, ptr, 0, 0), 0);
    Value *args = NEW_ARRAY(f->arena, Value, sig->n_params);
    for (uint32_t k = 0; k < sig->n_params; k++)
        args[k] = ir_load(&b, (Type)sig->params[k].type, flags, param[1], (int32_t)(THUNK_CELL * k));
    Inst call = ir_call_indirect(&b, 0, param[0], args, sig->n_params);
    for (uint32_t k = 0; k < sig->n_results; k++)
        ir_store(&b, flags, inst_result(f, call, k), param[2], (int32_t)(THUNK_CELL * k));
    Value status = ir_iconst(&b, T_i32, 0);
    ir_return(&b, &status, 1);
    f->landing = b.at = block_new(f);
    block_append(f, b.at);
    status = ir_iconst(&b, T_i32, 1);
    ir_return(&b, &status, 1);
    return f;
}
