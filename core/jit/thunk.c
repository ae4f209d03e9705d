// The small pieces of code between host and compiled code: entry, exit and trap thunks. jit.h tells what each is for.
//
// Entry thunks are ordinary IR and go the way of every function; exit and trap thunks are a few instructions that
// must touch no register but scratch ones, made from the roles of the target record.
#include <string.h>

#include "emit/mach.h"
#include "ir_build.h"
#include "jit/state.h"

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

// trap_exit(base, jit, pc): what a call pushes is taken off again, a link register handed on.
Code *jit_trap_thunk(Arena *arena, const Target *t, bool near) {
    static const ExtName syms[] = {{.kind = NAME_TEXT, .text = JIT_SELF}, {.kind = NAME_TEXT, .text = JIT_TRAP_EXIT}};
    const Abi *abi = t->conv[host_conv];
    unsigned cls = mach_word_class(t);
    unsigned word = mach_word(t);
    unsigned scratch = scratch_reg(arena, t, abi);
    unsigned result = abi->int_results[0];
    unsigned pushed = abi->link == NO_REG ? word : 0;
    Asm a = asm_new(arena, t, (ExtName){.kind = NAME_TEXT, .text = JIT_TRAP}, syms);
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

Code *jit_exit_thunk(Arena *arena, const Target *t, ExtName name, ExtName host, const Abi *abi, uint32_t activation,
                     bool near) {
    unsigned cls = mach_word_class(t);
    unsigned word = mach_word(t);
    unsigned scratch = scratch_reg(arena, t, abi);
    Asm a = asm_new(arena, t, name, &host);
    add(&a, mach_load(t, cls, word, scratch, abi->int_args[0], activation));
    Mach save = mach_store(t, cls, word, t->sp, scratch, offsetof(JitActivation, exit_sp));
    if (mach_fits(t, &save)) {
        add(&a, save);
    } else { // a machine that cannot store its stack pointer as it is
        RegSet taken = {{0, 0}};
        regset_add(&taken, scratch);
        unsigned sp = mach_entry_scratch(t, abi, taken);
        if (sp == NO_REG) ctx_fail(arena_ctx(arena), VTR_ERR_UNSUPPORTED, "%s: no scratch register", t->name);
        add_offset(&a, sp, t->sp, 0);
        add(&a, mach_store(t, cls, word, sp, scratch, offsetof(JitActivation, exit_sp)));
    }
    if (abi->link != NO_REG) add(&a, mach_store(t, cls, word, abi->link, scratch, offsetof(JitActivation, exit_pc)));
    go_to(&a, 0, scratch, near, false);
    return finish(&a);
}

// ---- entry ---------------------------------------------------------------------------------------

enum { SLOT = 8 }; // bytes of an argument or result slot of jit_call()

static Sig copy_sig(Arena *arena, const Sig *sig) {
    Sig copy = *sig;
    copy.params = arena_copy(arena, sig->params, sig->n_params * sizeof *sig->params);
    copy.results = arena_copy(arena, sig->results, sig->n_results * sizeof *sig->results);
    copy.declared = true;
    return copy;
}

Func *jit_entry_func(Ctx *ctx, const Target *t, const Sig *sig) {
    Func *f = func_new(ctx);
    Type ptr = target_ptr_type(t);
    f->sig = (Sig){.n_params = 4, .n_results = 1, .conv = (uint8_t)host_conv, .declared = true};
    f->sig.params = NEW_ARRAY(f->arena, AbiParam, 4);
    f->sig.results = NEW_ARRAY(f->arena, AbiParam, 1);
    f->sig.results[0].type = T_i32;
    vec_push(f->arena, &f->sigs, copy_sig(f->arena, sig));
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
        args[k] = ir_load(&b, (Type)sig->params[k].type, flags, param[1], (int32_t)(SLOT * k));
    Inst call = ir_call_indirect(&b, 0, param[0], args, sig->n_params);
    for (uint32_t k = 0; k < sig->n_results; k++)
        ir_store(&b, flags, inst_result(f, call, k), param[2], (int32_t)(SLOT * k));
    Value status = ir_iconst(&b, T_i32, 0);
    ir_return(&b, &status, 1);
    f->landing = b.at = block_new(f);
    block_append(f, b.at);
    status = ir_iconst(&b, T_i32, 1);
    ir_return(&b, &status, 1);
    return f;
}

static bool param_eq(const AbiParam *a, const AbiParam *b) {
    return a->type == b->type && a->ext == b->ext && a->purpose == b->purpose && a->sarg_size == b->sarg_size;
}

static bool sig_eq(const Sig *a, const Sig *b) {
    if (a->conv != b->conv || a->n_params != b->n_params || a->n_results != b->n_results) return false;
    for (uint32_t k = 0; k < a->n_params; k++)
        if (!param_eq(&a->params[k], &b->params[k])) return false;
    for (uint32_t k = 0; k < a->n_results; k++)
        if (!param_eq(&a->results[k], &b->results[k])) return false;
    return true;
}

static uint64_t sig_hash(const Sig *sig) {
    uint64_t hash = hash_u64(sig->conv + ((uint64_t)sig->n_params << 8) + ((uint64_t)sig->n_results << 36));
    for (uint32_t k = 0; k < sig->n_params; k++)
        hash = hash_u64(hash ^ (sig->params[k].type | (uint32_t)sig->params[k].ext << 8));
    for (uint32_t k = 0; k < sig->n_results; k++) hash = hash_u64(hash ^ sig->results[k].type);
    return hash;
}

static void make_entry(Jit *jit, const Sig *sig, uint64_t hash) {
    if (sig->n_params > INT32_MAX / SLOT || sig->n_results > INT32_MAX / SLOT)
        ctx_fail(jit->ctx, VTR_ERR_LIMIT, "a signature with too many parameters");
    Arena *tmp = arena_new(jit->ctx);
    Func *f = jit_entry_func(jit->ctx, jit->target, sig);
    f->name = (ExtName){.kind = NAME_TEXT, .text = arena_printf(tmp, "__vtr_entry %u", jit->entries.n)};
    // One that was added but not published by an earlier, failed call is pending still.
    jit_free_function(jit, f->name);
    CompileOptions options = {.target = jit->target, .opt = OPT_NONE};
    jit_add(jit, compile_func(tmp, f, &options));
    jit_publish(jit);
    JitEntry entry = {copy_sig(jit->arena, sig), jit_find(jit, f->name), 0};
    vec_reserve(jit->arena, &jit->entries, 1);
    uint32_t *head = map_add(&jit->sigs, hash, 0, NULL);
    entry.next = *head;
    jit->entries.v[jit->entries.n++] = entry;
    *head = jit->entries.n;
    arena_free(f->arena);
    arena_free(tmp);
}

void *jit_entry_thunk(Jit *jit, const Sig *sig) {
    uint64_t hash = sig_hash(sig);
    for (;;) {
        const uint32_t *head = map_find(&jit->sigs, hash);
        for (uint32_t k = head ? *head : 0; k; k = jit->entries.v[k - 1].next)
            if (sig_eq(&jit->entries.v[k - 1].sig, sig)) return jit->entries.v[k - 1].thunk;
        make_entry(jit, sig, hash);
    }
}

void jit_prepare_call(Jit *jit, const Sig *sig) { jit_entry_thunk(jit, sig); }

vtr_status jit_call(Jit *jit, void *fn, const Sig *sig, const uint64_t *args, uint64_t *results,
                    JitActivation *activation) {
    typedef int (*Entry)(void *fn, const uint64_t *args, uint64_t *results, JitActivation *activation);
    void *thunk = jit_entry_thunk(jit, sig);
    for (uint32_t k = 0; k < sig->n_results; k++) results[k] = 0;
    activation->jit = jit;
    activation->exit_sp = NULL;
    activation->trap = 0;
    activation->n_frames = 0;
    activation->depth = 0;
    uint64_t words[4] = {(uintptr_t)fn, (uintptr_t)args, (uintptr_t)results, (uintptr_t)activation};
    int trapped = jit->sim ? jit_simulate(jit, thunk, words) : ((Entry)(uintptr_t)thunk)(fn, args, results, activation);
    return trapped ? VTR_ERR_TRAP : VTR_OK;
}
