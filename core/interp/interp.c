// The interpreter's loop.
//
// Theory. Registers of all frames live on a stack of words made of chunks, so frames never move and a host function
// may call back in while a caller's arguments are on it. A frame is a function, its registers and the instruction it
// is at; nothing recurses on the host's stack, whatever the program does. A call of an import pushes a frame too, with
// its arguments as registers, so the heap sees them as roots.
//
// Roots: every register of GC reference type of every frame. References stand nowhere else across a safepoint; who
// edits this keeps no reference in a C variable over heap_struct(), heap_array(), rt_safepoint(), rt_call_import().
//
// Words: integers are kept zero-extended from their width, so equal values are equal words; a function reference is
// its index + 1, null is 0.
#include "interp/interp.h"

#include <string.h>

#include "interp/arith.h"

enum { CHUNK_WORDS = 1 << 13, WORDS_PER_FRAME = 16, WORDS_AT_LEAST = 1 << 18 };

typedef struct Chunk {
    uint64_t *words;
    uint32_t cap;
    uint32_t used;
} Chunk;

typedef struct Frame {
    uint64_t *regs;
    uint32_t func;  // function index
    uint32_t pc;    // ordinal of the instruction it is at
    uint32_t block; // that pc is in
    uint32_t chunk; // that regs are in
    uint32_t n;     // words
} Frame;

struct Interp {
    Instance *instance;
    const BcModule *m;
    VEC(Frame) frames;
    VEC(Chunk) chunks;
    uint32_t chunk;     // the one on top
    uint64_t max_words; // of all chunks
    uint64_t n_words;
    uint32_t max_depth;
    uint64_t fuel;
    uint32_t *ref_first; // by function index: its part of refs
    uint32_t *refs;      // registers (parameters of imports) of GC reference type
};

// ---- roots --------------------------------------------------------------------------------------------------

static void interp_roots(void *data, Heap *heap, HeapVisit *visit) {
    Interp *in = data;
    for (uint32_t i = 0; i < in->frames.n; i++) {
        const Frame *frame = &in->frames.v[i];
        for (uint32_t k = in->ref_first[frame->func]; k < in->ref_first[frame->func + 1]; k++) {
            visit(heap, &frame->regs[in->refs[k]]);
        }
    }
}

static void list_refs(Interp *in) {
    const BcModule *m = in->m;
    VEC(uint32_t) refs = {0};
    in->ref_first = NEW_ARRAY(in->instance->arena, uint32_t, (size_t)bc_n_functions(m) + 1);
    for (uint32_t f = 0; f < bc_n_functions(m); f++) {
        const BcFunc *local = bc_local_func(m, f);
        const BcType *sig = bc_type(m, bc_function_sig(m, f));
        const uint32_t *types = local ? local->regs : sig->params;
        uint32_t n = local ? local->n_regs : sig->n;
        in->ref_first[f] = refs.n;
        for (uint32_t i = 0; i < n; i++) {
            if (bc_is_gc_ref(m, types[i])) vec_push(in->instance->arena, &refs, i);
        }
    }
    in->ref_first[bc_n_functions(m)] = refs.n;
    in->refs = refs.v;
}

static uint64_t function_reference(void *user, uint32_t func) {
    (void)user;
    return (uint64_t)func + 1;
}

// ---- frames -------------------------------------------------------------------------------------------------

// Room for n words; NULL when the stack is full.
static uint64_t *push_words(Interp *in, uint32_t n) {
    Arena *arena = in->instance->arena;
    uint32_t before = in->chunk;
    while (in->chunk < in->chunks.n && in->chunks.v[in->chunk].cap - in->chunks.v[in->chunk].used < n) in->chunk++;
    if (in->chunk == in->chunks.n) {
        uint32_t cap = n > CHUNK_WORDS ? n : CHUNK_WORDS;
        if (cap > in->max_words - in->n_words) {
            in->chunk = before;
            return NULL;
        }
        vec_push(arena, &in->chunks, (Chunk){NEW_ARRAY(arena, uint64_t, cap), cap, 0});
        in->n_words += cap;
    }
    Chunk *chunk = &in->chunks.v[in->chunk];
    uint64_t *words = chunk->words + chunk->used;
    chunk->used += n;
    memset(words, 0, n * sizeof *words);
    return words;
}

// Pushes a frame of `func` with its arguments, or returns BC_TRAP_STACK.
static uint32_t push_frame(Interp *in, uint32_t func, const uint64_t *args, uint32_t n_args) {
    const BcFunc *f = bc_local_func(in->m, func);
    uint32_t n = f ? f->n_regs : n_args;
    if (in->frames.n >= in->max_depth) return BC_TRAP_STACK;
    uint64_t *regs = push_words(in, n);
    if (!regs) return BC_TRAP_STACK;
    if (n_args) memcpy(regs, args, n_args * sizeof *regs);
    vec_push(in->instance->arena, &in->frames, (Frame){regs, func, 0, 0, in->chunk, n});
    return 0;
}

static void pop_frame(Interp *in) {
    const Frame *frame = &in->frames.v[--in->frames.n];
    in->chunks.v[frame->chunk].used -= frame->n;
    in->chunk = in->frames.n ? in->frames.v[in->frames.n - 1].chunk : 0;
}

// Undoes pop_frame() when nothing was pushed since.
static void restore_frame(Interp *in, Frame frame) {
    in->frames.n++;
    in->chunks.v[frame.chunk].used += frame.n;
    in->chunk = frame.chunk;
}

// ---- memory -------------------------------------------------------------------------------------------------

// Values in memory are little-endian on every host.
static uint64_t load_bytes(const uint8_t *p, uint32_t size) {
    uint64_t x = 0;
    for (uint32_t i = 0; i < size; i++) x |= (uint64_t)p[i] << 8 * i;
    return x;
}

static void store_bytes(uint8_t *p, uint32_t size, uint64_t x) {
    for (uint32_t i = 0; i < size; i++) p[i] = (uint8_t)(x >> 8 * i);
}

static uint64_t load_slot(Interp *in, uint32_t t, void *slot) {
    if (bc_is_gc_ref(in->m, t)) return heap_load_ref(in->instance->heap, slot);
    return load_bytes(slot, bc_type_size(t));
}

static void store_slot(Interp *in, uint32_t t, void *slot, uint64_t value) {
    if (bc_is_gc_ref(in->m, t)) heap_store_ref(in->instance->heap, slot, value);
    else store_bytes(slot, bc_type_size(t), value);
}

// ---- the machine --------------------------------------------------------------------------------------------

// What the loop works on: the top frame, unpacked.
typedef struct State {
    Interp *in;
    const BcFunc *f;
    uint64_t *r;
    uint32_t pc;
    uint32_t block; // that pc is in
} State;

static uint32_t type_at(const State *s, const BcInst *i, uint32_t operand) { return s->f->regs[i->r[operand]]; }

static uint32_t safepoint(State *s) {
    Interp *in = s->in;
    Frame *frame = &in->frames.v[in->frames.n - 1];
    frame->pc = s->pc;
    frame->block = s->block;
    if (in->fuel != UINT64_MAX && in->fuel-- == 0) {
        in->fuel = 0;
        return BC_TRAP_INTERRUPT;
    }
    return rt_poll_wanted(in->instance) ? rt_safepoint(in->instance) : 0;
}

static void resume(State *s) {
    const Frame *frame = &s->in->frames.v[s->in->frames.n - 1];
    s->f = bc_local_func(s->in->m, frame->func);
    s->r = frame->regs;
    s->pc = frame->pc;
    s->block = frame->block;
}

static uint32_t branch(State *s, uint32_t label) {
    uint32_t trap = bc_is_back_edge(s->block, label) ? safepoint(s) : 0;
    if (trap) return trap;
    s->block = label;
    s->pc = s->f->blocks[label].first;
    return 0;
}

// The label that a SWITCH takes. Cases rise, so this is a binary search.
static uint32_t switch_label(const State *s, const BcInst *i) {
    uint32_t t = type_at(s, i, 0);
    uint64_t bias = bc_is_signed(t) ? UINT64_C(1) << 63 : 0; // maps the signed order to the unsigned one
    uint64_t value = arith_extend(t, s->r[i->r[0]]) ^ bias;
    const BcCase *cases = s->f->cases + i->y;
    uint32_t low = 0;
    uint32_t high = i->n;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        uint64_t at = (uint64_t)cases[mid].value ^ bias;
        if (at == value) return cases[mid].label;
        if (at < value) low = mid + 1;
        else high = mid;
    }
    return i->x;
}

static uint32_t call_import(State *s, uint32_t func, const uint64_t *args, uint32_t n, uint64_t *result) {
    Interp *in = s->in;
    uint32_t trap = push_frame(in, func, args, n);
    if (trap) return trap;
    *result = 0;
    trap = rt_call_import(in->instance, func, in->frames.v[in->frames.n - 1].regs, result);
    pop_frame(in);
    return trap;
}

// CALL, TCALL and ICALL.
static uint32_t call(State *s, const BcInst *i) {
    Interp *in = s->in;
    uint32_t func = i->x;
    if (i->op == BC_ICALL) {
        if (s->r[i->r[1]] == 0) return BC_TRAP_NULL;
        func = (uint32_t)(s->r[i->r[1]] - 1);
    }
    uint32_t trap = safepoint(s);
    if (trap) return trap;
    uint64_t args[UINT8_MAX];
    for (uint32_t k = 0; k < i->n; k++) args[k] = s->r[s->f->args[i->y + k]];
    if (bc_local_func(in->m, func)) {
        Frame old = in->frames.v[in->frames.n - 1];
        if (i->op == BC_TCALL) pop_frame(in);
        trap = push_frame(in, func, args, i->n);
        if (!trap) resume(s);
        else if (i->op == BC_TCALL) restore_frame(in, old);
        return trap;
    }
    uint64_t result;
    trap = call_import(s, func, args, i->n, &result);
    if (trap) return trap;
    if (i->r[0] != BC_NOREG) s->r[i->r[0]] = arith_trim(type_at(s, i, 0), result);
    s->pc++;
    return 0;
}

static uint32_t intrinsic(State *s, const BcInst *i) {
    uint64_t a[3] = {0};
    for (uint32_t k = 0; k < i->n; k++) a[k] = s->r[s->f->args[i->y + k]];
    uint32_t t = i->n ? s->f->regs[s->f->args[i->y]] : BC_VOID;
    uint32_t trap = safepoint(s);
    if (trap) return trap;
    switch (i->x) {
    case BC_INTR_memcpy:
    case BC_INTR_memmove:
        if (a[2]) memmove((void *)(uintptr_t)a[0], (const void *)(uintptr_t)a[1], a[2]);
        break;
    case BC_INTR_memset:
        if (a[2]) memset((void *)(uintptr_t)a[0], (int)a[1], a[2]);
        break;
    case BC_INTR_fence: __atomic_thread_fence(__ATOMIC_SEQ_CST); break;
    default: a[0] = arith_intrinsic(i->x, t, a[0], a[1]); break;
    }
    if (i->r[0] != BC_NOREG) s->r[i->r[0]] = a[0];
    return 0;
}

static uint32_t field(State *s, const BcInst *i) {
    bool load = i->op == BC_LDF;
    uint32_t base = load ? 1 : 0;
    uint64_t object = s->r[i->r[base]];
    if (!object) return BC_TRAP_NULL;
    void *slot = (uint8_t *)heap_payload(object) + i->x;
    uint32_t value = load ? 0 : 1;
    uint32_t t = type_at(s, i, value);
    if (load) s->r[i->r[0]] = load_slot(s->in, t, slot);
    else store_slot(s->in, t, slot, s->r[i->r[1]]);
    return 0;
}

static uint32_t element(State *s, const BcInst *i) {
    bool load = i->op == BC_ARR_GET;
    uint32_t base = load ? 1 : 0;
    uint64_t array = s->r[i->r[base]];
    if (!array) return BC_TRAP_NULL;
    uint64_t index = arith_extend(type_at(s, i, base + 1), s->r[i->r[base + 1]]);
    if (index >= heap_header(array)->length) return BC_TRAP_BOUNDS;
    uint32_t value = load ? 0 : 2;
    uint32_t t = type_at(s, i, value);
    void *slot = (uint8_t *)heap_payload(array) + index * bc_type_size(t);
    if (load) s->r[i->r[0]] = load_slot(s->in, t, slot);
    else store_slot(s->in, t, slot, s->r[i->r[2]]);
    return 0;
}

static void raw_memory(State *s, const BcInst *i) {
    uint32_t memory = i->m0;
    uint64_t address = s->r[i->r[i->op == BC_LD ? 1 : 0]] + (uint64_t)(int64_t)(int32_t)i->x;
    uint8_t *place = (uint8_t *)(uintptr_t)address;
    if (i->op == BC_ST) {
        store_bytes(place, bc_type_size(memory), s->r[i->r[1]]);
        return;
    }
    uint64_t value = load_bytes(place, bc_type_size(memory));
    if (memory == BC_BOOL) value = value != 0;
    s->r[i->r[0]] = arith_trim(type_at(s, i, 0), arith_extend(memory, value));
}

static uint32_t allocate(State *s, const BcInst *i) {
    Heap *heap = s->in->instance->heap;
    uint64_t length = 0;
    if (i->op == BC_ARR_NEW) {
        length = arith_extend(type_at(s, i, 1), s->r[i->r[1]]);
        if (length > HEAP_MAX_LENGTH) return BC_TRAP_BAD_LEN;
    }
    uint32_t trap = safepoint(s);
    if (trap) return trap;
    uint32_t type = i->op == BC_ALOC ? i->x : type_at(s, i, 0) - BC_TYPE_BASE;
    Ref object = i->op == BC_ALOC ? heap_struct(heap, type) : heap_array(heap, type, (uint32_t)length);
    if (!object) return BC_TRAP_OOM;
    s->r[i->r[0]] = object;
    return 0;
}

static uint32_t cast(State *s, const BcInst *i) {
    Ref object = s->r[i->r[1]];
    if (i->op == BC_RTST) {
        s->r[i->r[0]] = object && heap_header(object)->type == i->x;
        return 0;
    }
    if (object && heap_header(object)->type != type_at(s, i, 0) - BC_TYPE_BASE) return BC_TRAP_BAD_CAST;
    s->r[i->r[0]] = object;
    return 0;
}

static void constant(State *s, const BcInst *i) {
    uint32_t k = s->f->const_off + i->x;
    const BcConst *c = &s->in->m->consts[k];
    uint64_t value = c->bits;
    if (c->tag == BC_CONST_FN) value = function_reference(NULL, (uint32_t)c->bits);
    else if (c->tag >= BC_CONST_STR) value = *rt_const(s->in->instance, k);
    s->r[i->r[0]] = value;
}

static void global(State *s, const BcInst *i) {
    uint32_t t = bc_global_type(s->in->m, i->x);
    void *cell = rt_global(s->in->instance, i->x);
    if (i->op == BC_LDG) s->r[i->r[0]] = load_slot(s->in, t, cell);
    else store_slot(s->in, t, cell, s->r[i->r[0]]);
}

static uint32_t terminator(State *s, const BcInst *i) {
    switch (i->op) {
    case BC_JMP: return branch(s, i->x);
    case BC_JIF: return branch(s, s->r[i->r[0]] ? i->x : i->y);
    case BC_SWITCH: return branch(s, switch_label(s, i));
    case BC_BRT: return branch(s, s->r[i->r[0]] < i->n ? s->f->labels[i->y + s->r[i->r[0]]] : i->x);
    case BC_TCALL: return call(s, i);
    case BC_RAISE: s->in->instance->vm->raised = s->r[i->r[0]]; return RT_EXIT_RAISE;
    default: return i->x; // TRAP
    }
}

// One instruction that neither calls nor ends a block.
static uint32_t step(State *s, const BcInst *i) {
    uint64_t *r = s->r;
    switch (i->op) {
    case BC_NOP: return 0;
    case BC_MOV: r[i->r[0]] = r[i->r[1]]; return 0;
    case BC_K32: {
        uint32_t t = type_at(s, i, 0);
        uint64_t value = bc_is_signed(t) ? (uint64_t)(int64_t)(int32_t)i->x : i->x;
        r[i->r[0]] = arith_trim(t, value);
        return 0;
    }
    case BC_KIDX: constant(s, i); return 0;
    case BC_CMP: r[i->r[0]] = arith_compare(i->m0, type_at(s, i, 1), r[i->r[1]], r[i->r[2]]); return 0;
    case BC_SEL: r[i->r[0]] = r[i->r[1]] ? r[i->r[2]] : r[i->r[3]]; return 0;
    case BC_CVT:
    case BC_CVT_CHK:
        return arith_convert(i->op == BC_CVT_CHK, type_at(s, i, 0), type_at(s, i, 1), r[i->r[1]], &r[i->r[0]]);
    case BC_BITC: r[i->r[0]] = r[i->r[1]]; return 0;
    case BC_FADD:
    case BC_FSUB:
    case BC_FMUL:
    case BC_FDIV: r[i->r[0]] = arith_float(i->op, type_at(s, i, 0), r[i->r[1]], r[i->r[2]]); return 0;
    case BC_FNEG: r[i->r[0]] = arith_float(i->op, type_at(s, i, 0), r[i->r[1]], 0); return 0;
    case BC_LDF:
    case BC_STF: return field(s, i);
    case BC_LD:
    case BC_ST: raw_memory(s, i); return 0;
    case BC_ALOC:
    case BC_ARR_NEW: return allocate(s, i);
    case BC_ARR_GET:
    case BC_ARR_SET: return element(s, i);
    case BC_ARR_LEN:
        if (!r[i->r[1]]) return BC_TRAP_NULL;
        r[i->r[0]] = heap_header(r[i->r[1]])->length;
        return 0;
    case BC_LDG:
    case BC_STG: global(s, i); return 0;
    case BC_RCAST:
    case BC_RTST: return cast(s, i);
    case BC_DPTR: r[i->r[0]] = (uint64_t)(uintptr_t)rt_data(s->in->instance, i->x); return 0;
    case BC_PADD: r[i->r[0]] = r[i->r[1]] + r[i->r[2]]; return 0;
    case BC_INTR: return intrinsic(s, i);
    case BC_NEG:
    case BC_NOT:
    case BC_NEG_CHK: return arith_int(i->op, type_at(s, i, 0), r[i->r[1]], 0, &r[i->r[0]]);
    default: { // binary integer operations
        uint64_t value = 0;
        uint32_t trap = arith_int(i->op, type_at(s, i, 0), r[i->r[1]], r[i->r[2]], &value);
        if (!trap) r[i->r[0]] = value;
        return trap;
    }
    }
}

// Leaves the top frame; true when it was the last above `base`.
static bool return_value(State *s, const BcInst *i, uint32_t base, uint64_t *result) {
    uint64_t value = i->r[0] == BC_NOREG ? 0 : s->r[i->r[0]];
    pop_frame(s->in);
    if (s->in->frames.n == base) {
        *result = value;
        return true;
    }
    resume(s);
    const BcInst *caller = &s->f->insts[s->pc++];
    if (caller->r[0] != BC_NOREG) s->r[caller->r[0]] = value;
    return false;
}

static uint32_t run(State *s, uint32_t base, uint64_t *result) {
    for (;;) {
        const BcInst *i = &s->f->insts[s->pc];
        uint32_t trap = 0;
        switch (i->op) {
        case BC_RET:
            if (return_value(s, i, base, result)) return 0;
            break;
        case BC_CALL:
        case BC_ICALL: trap = call(s, i); break;
        case BC_JMP:
        case BC_JIF:
        case BC_SWITCH:
        case BC_BRT:
        case BC_TCALL:
        case BC_TRAP:
        case BC_RAISE: trap = terminator(s, i); break;
        default:
            trap = step(s, i);
            s->pc += !trap;
            break;
        }
        if (trap) return trap;
    }
}

// Records the frames above `base`, innermost first, and drops them.
static void unwind(Interp *in, uint32_t base, uint32_t code) {
    rt_trap_begin(in->instance, code);
    while (in->frames.n > base) {
        const Frame *frame = &in->frames.v[in->frames.n - 1];
        if (bc_local_func(in->m, frame->func)) rt_trap_frame(in->instance, frame->func, frame->pc);
        pop_frame(in);
    }
}

Interp *interp_new(Instance *instance) {
    Interp *in = NEW(instance->arena, Interp);
    in->instance = instance;
    in->m = instance->module;
    in->fuel = UINT64_MAX;
    in->max_depth = instance->options.max_depth ? instance->options.max_depth : RT_DEFAULT_DEPTH;
    in->max_words = (uint64_t)in->max_depth * WORDS_PER_FRAME + WORDS_AT_LEAST;
    list_refs(in);
    heap_add_roots(instance->heap, (HeapRoots){interp_roots, in});
    rt_function_globals(instance, function_reference, NULL);
    return in;
}

void interp_set_fuel(Interp *interp, uint64_t fuel) { interp->fuel = fuel; }

uint32_t interp_call(Interp *in, uint32_t func, const uint64_t *args, uint64_t *result) {
    State s = {.in = in};
    uint32_t base = in->frames.n;
    uint32_t n_args = bc_type(in->m, bc_function_sig(in->m, func))->n;
    uint32_t trap;
    if (!bc_local_func(in->m, func)) {
        trap = call_import(&s, func, args, n_args, result);
    } else {
        trap = push_frame(in, func, args, n_args);
        if (!trap) {
            resume(&s);
            trap = run(&s, base, result);
            if (trap) in->frames.v[in->frames.n - 1].pc = s.pc;
        }
    }
    if (trap) unwind(in, base, trap);
    return trap;
}

uint32_t interp_depth(const Interp *in) { return in->frames.n; }

void interp_rewind(Interp *in, uint32_t depth) {
    while (in->frames.n > depth) pop_frame(in);
    if (depth) return;
    // A throw may have come between taking words and pushing their frame.
    for (uint32_t i = 0; i < in->chunks.n; i++) in->chunks.v[i].used = 0;
    in->chunk = 0;
}
