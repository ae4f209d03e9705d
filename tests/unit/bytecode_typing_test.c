// The typing rules of bytecode instructions (3.6 to 3.8), over every combination of opcode and operand types: what the
// verifier refuses is what the specification's table, written down here once more, does not allow.
#include <stdio.h>
#include <string.h>

#include "bytecode/read.h"
#include "bytecode/write.h"
#include "unit.h"

// One register of each type, S and u8 first; S and P are structures, B is an array of bytes, Q one of S, F a function
// (S, u8) -> i64.
enum { S = BC_TYPE_BASE, P, B, Q, F, N_REGS = BC_REF + F - BC_TYPE_BASE + 1, OWN = BC_NOREG - 1 };
static const char *const base_text =
    ".type S = struct { a: i32, b: u8 @4, c: S @8 }\n"
    ".type P = struct { a: S }\n.type B = array u8\n.type Q = array S\n"
    ".type F = fn (S, u8) -> i64\n.import fn \"m.f\" (S, u8) -> i64 as f\n"
    ".import fn \"m.v\" () as v\n.global g0: mut i32\n.global g1: Q\n"
    ".const C0 = i32 1\n.const C1 = u64 1\n.const C2 = f32 1.0\n.const C3 = bool true\n"
    ".const C4 = string \"x\"\n.const C5 = fn f\n.const C6 = bytes D\n.data D = [1]\n"
    ".fn own(a: S, b: u8) -> i64 low\n TRAP 5\n.end\n"
    ".fn other(a: S, b: u8) -> i32\n TRAP 5\n.end\n.fn main() -> i64\n TRAP 5\n.end\n";
enum { FUNC_F, FUNC_V, FUNC_OWN, FUNC_OTHER, FUNC_MAIN };

// ---- what the specification says ------------------------------------------------------------------------

enum { GOOD = -1 };

static uint32_t types[N_REGS];
static bool low;

static uint32_t of(uint32_t reg) { return types[reg]; }
static bool integer(uint32_t t) { return t >= BC_I8 && t <= BC_U64; }
static bool floating(uint32_t t) { return t == BC_F32 || t == BC_F64; }
static bool traced(uint32_t t) { return t == BC_REF || t == S || t == P || t == B || t == Q; }
static bool index_type(uint32_t t) { return t == BC_I32 || t == BC_U32 || t == BC_I64 || t == BC_U64; }
static bool word(uint32_t t) { return t == BC_I64 || t == BC_U64; }
static uint32_t size_of(uint32_t t) {
    static const uint8_t sizes[] = {0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 1, 8, 8};
    return t <= BC_REF ? sizes[t] : 8;
}

static bool k32(uint32_t t, uint32_t bits) {
    int64_t number = (int32_t)bits;
    switch (t) {
    case BC_I8: return number >= -128 && number <= 127;
    case BC_I16: return number >= -32768 && number <= 32767;
    case BC_U8: return bits <= 255;
    case BC_U16: return bits <= 65535;
    case BC_BOOL: return bits <= 1;
    case BC_I32:
    case BC_I64:
    case BC_U32:
    case BC_U64: return true;
    case BC_F32:
    case BC_F64: return false;
    default: return bits == 0;
    }
}

static bool kidx(uint32_t t, uint32_t k) {
    static const uint32_t loads[] = {BC_I32, BC_U64, BC_F32, BC_BOOL, B, F, B};
    return k < 7 && loads[k] == t;
}

static bool cmp(uint32_t kind, uint32_t a, uint32_t b) {
    if (kind <= 1) return a == b || (traced(a) && traced(b));
    if (a != b) return false;
    if (kind <= 5) return integer(a) || floating(a) || a == BC_PTR;
    return kind <= 13 ? integer(a) : kind <= 15 && floating(a);
}

static bool field(uint32_t base, uint32_t offset, uint32_t value) {
    if (base == S)
        return (offset == 0 && value == BC_I32) || (offset == 4 && value == BC_U8) || (offset == 8 && value == S);
    return base == P && offset == 0 && value == S;
}

static bool raw(uint32_t memory, uint32_t address, uint32_t value) {
    if (address != BC_PTR || memory < BC_I8 || memory > BC_PTR) return false;
    return integer(memory) ? integer(value) && size_of(value) >= size_of(memory) : value == memory;
}

static bool converts(uint32_t to, uint32_t from) {
    if (integer(to)) return integer(from) || floating(from) || from == BC_BOOL;
    return floating(to) && (integer(from) || floating(from));
}

static bool element(uint32_t array, uint32_t index, uint32_t value) {
    return index_type(index) && ((array == B && value == BC_U8) || (array == Q && value == S));
}

static int cast_bits(uint32_t to, uint32_t from) {
    if ((to == BC_PTR && word(from)) || (word(to) && from == BC_PTR)) return low ? GOOD : BC_V_CAP;
    bool plain = (integer(to) || floating(to)) && (integer(from) || floating(from));
    return plain && size_of(to) == size_of(from) ? GOOD : BC_V_TYPING;
}

static bool intrinsic(const BcInst *i, const uint16_t *args) {
    uint32_t a = i->n > 0 ? of(args[0]) : BC_VOID;
    uint32_t b = i->n > 1 ? of(args[1]) : BC_VOID;
    uint32_t c = i->n > 2 ? of(args[2]) : BC_VOID;
    bool none = i->r[0] == BC_NOREG;
    bool gives_a = none || of(i->r[0]) == a;
    switch (i->x) {
    case 1:
    case 6: return i->n == 3 && a == BC_PTR && b == BC_PTR && c == BC_U64 && none;
    case 2: return i->n == 3 && a == BC_PTR && b == BC_U8 && c == BC_U64 && none;
    case 3: return i->n == 0 && none;
    case 4:
    case 9:
    case 10:
    case 11:
    case 12:
    case 13: return i->n == 1 && floating(a) && gives_a;
    case 5:
    case 7:
    case 8: return i->n == 1 && integer(a) && gives_a;
    case 14:
    case 15:
    case 16: return i->n == 2 && floating(a) && a == b && gives_a;
    case 17:
    case 18: return i->n == 2 && integer(a) && a == b && gives_a;
    case 19: return i->n == 1 && integer(a) && size_of(a) >= 2 && gives_a;
    default: return false;
    }
}

static bool call(const BcInst *i, const uint16_t *args) {
    bool taken = i->n == 2 && of(args[0]) == S && of(args[1]) == BC_U8;
    if (i->op == BC_TCALL)
        return i->x == FUNC_OWN ? taken : i->x == FUNC_MAIN && i->n == 0; // the others' results differ
    bool indirect = i->op == BC_ICALL;
    if (indirect && of(i->r[1]) != F) return false;
    uint32_t result = indirect || i->x == FUNC_F || i->x == FUNC_OWN ? BC_I64 : i->x == FUNC_OTHER ? BC_I32 : BC_VOID;
    if (!indirect && i->x > FUNC_OTHER)
        return i->x == FUNC_MAIN && i->n == 0 && (i->r[0] == BC_NOREG || of(i->r[0]) == BC_I64);
    if (!indirect && i->x == FUNC_V) return i->n == 0 && i->r[0] == BC_NOREG;
    return taken && (i->r[0] == BC_NOREG || of(i->r[0]) == result);
}

// GOOD, or the rule that refuses the instruction. Its registers exist.
static int expected(const BcInst *i, const uint16_t *args) {
    uint32_t r[4];
    for (unsigned k = 0; k < 4; k++) r[k] = i->r[k] < N_REGS ? of(i->r[k]) : BC_VOID;
    bool good = false;
    switch (i->op) {
    case BC_MOV: good = r[0] == r[1] || (r[0] == BC_REF && traced(r[1])); break;
    case BC_K32: good = k32(r[0], i->x); break;
    case BC_KIDX: good = kidx(r[0], i->x); break;
    case BC_ADD:
    case BC_SUB:
    case BC_MUL:
    case BC_DIV:
    case BC_MOD:
    case BC_ADD_CHK:
    case BC_SUB_CHK:
    case BC_MUL_CHK:
    case BC_DIV_CHK: good = integer(r[0]) && r[0] == r[1] && r[0] == r[2]; break;
    case BC_NEG:
    case BC_NEG_CHK: good = integer(r[0]) && r[0] == r[1]; break;
    case BC_FADD:
    case BC_FSUB:
    case BC_FMUL:
    case BC_FDIV: good = floating(r[0]) && r[0] == r[1] && r[0] == r[2]; break;
    case BC_FNEG: good = floating(r[0]) && r[0] == r[1]; break;
    case BC_AND:
    case BC_OR:
    case BC_XOR: good = (integer(r[0]) || r[0] == BC_BOOL) && r[0] == r[1] && r[0] == r[2]; break;
    case BC_NOT: good = (integer(r[0]) || r[0] == BC_BOOL) && r[0] == r[1]; break;
    case BC_SHL:
    case BC_SHR:
    case BC_SAR: good = integer(r[0]) && r[0] == r[1] && integer(r[2]); break;
    case BC_CMP: good = r[0] == BC_BOOL && cmp(i->m0, r[1], r[2]); break;
    case BC_SEL: good = r[1] == BC_BOOL && r[0] == r[2] && r[0] == r[3]; break;
    case BC_CVT:
    case BC_CVT_CHK: good = converts(r[0], r[1]); break;
    case BC_BITC: return cast_bits(r[0], r[1]);
    case BC_JIF: good = r[0] == BC_BOOL; break;
    case BC_SWITCH:
    case BC_BRT: good = integer(r[0]); break;
    case BC_RET: good = r[0] == BC_I64; break; // and nothing else: the function has a result
    case BC_RAISE: good = traced(r[0]); break;
    case BC_LDF: good = field(r[1], i->x, r[0]); break;
    case BC_STF: good = field(r[0], i->x, r[1]); break;
    case BC_LD:
        if (!low) return BC_V_CAP;
        good = raw(i->m0, r[1], r[0]);
        break;
    case BC_ST:
        if (!low) return BC_V_CAP;
        good = raw(i->m0, r[0], r[1]);
        break;
    case BC_ALOC:
        good = (i->x == 0 && (r[0] == S || r[0] == BC_REF)) || (i->x == 1 && (r[0] == P || r[0] == BC_REF));
        break;
    case BC_ARR_NEW: good = (r[0] == B || r[0] == Q) && index_type(r[1]); break;
    case BC_ARR_GET: good = element(r[1], r[2], r[0]); break;
    case BC_ARR_SET: good = element(r[0], r[1], r[2]); break;
    case BC_ARR_LEN: good = word(r[0]) && (r[1] == B || r[1] == Q); break;
    case BC_LDG: good = (i->x == 0 && r[0] == BC_I32) || (i->x == 1 && r[0] == Q); break;
    case BC_STG:
        if (i->x == 1) return BC_V_GLOBAL; // it is constant
        good = i->x == 0 && r[0] == BC_I32;
        break;
    case BC_RCAST: good = traced(r[0]) && r[0] != BC_REF && traced(r[1]); break;
    case BC_RTST: good = r[0] == BC_BOOL && traced(r[1]) && i->x <= Q - S; break;
    case BC_DPTR:
        if (!low) return BC_V_CAP;
        good = i->x == 0 && r[0] == BC_PTR;
        break;
    case BC_PADD:
        if (!low) return BC_V_CAP;
        good = r[0] == BC_PTR && r[1] == BC_PTR && word(r[2]);
        break;
    case BC_INTR:
        if (!low && (i->x == 1 || i->x == 2 || i->x == 6)) return BC_V_CAP;
        return intrinsic(i, args) ? GOOD : BC_V_CALL;
    case BC_CALL:
    case BC_TCALL:
    case BC_ICALL: return call(i, args) ? GOOD : BC_V_CALL;
    case BC_TRAP: return (i->x >= 1 && i->x <= 12) || i->x >= 256 ? GOOD : BC_V_TRAP;
    default: good = true; // NOP, JMP
    }
    return good ? GOOD : BC_V_TYPING;
}

// ---- all of them ------------------------------------------------------------

typedef struct Code {
    Arena *arena;
    VEC(BcInst) insts; // terminators behind the others
    VEC(BcInst) ends;
    VEC(uint16_t) args;
    int *found; // by instruction: the rule that refused it
} Code;

static void add(Code *c, BcInst i) {
    if (bc_op(i.op)->flags & BC_TERM) vec_push(c->arena, &c->ends, i);
    else vec_push(c->arena, &c->insts, i);
}

// Every choice of registers for the operands from `k` on.
static void registers(Code *c, BcInst i, unsigned k, unsigned n) {
    if (k == n || k == 4) {
        add(c, i);
        return;
    }
    for (uint16_t r = 0; r < N_REGS; r++) {
        i.r[k] = r;
        registers(c, i, k + 1, n);
    }
}

static void arguments(Code *c, BcInst i, uint16_t n, const uint16_t *args) {
    i.n = i.m0 = (uint8_t)n;
    i.y = c->args.n;
    if (n) memcpy(vec_extend(c->arena, &c->args, n), args, n * sizeof *args);
    add(c, i);
}

static void every_call(Code *c, BcInst i) {
    static const uint16_t good[] = {0, 1, 0}; // S, u8
    for (uint16_t n = 0; n <= 3; n++) arguments(c, i, n, good);
    for (uint16_t r = 0; r < N_REGS; r++) {
        arguments(c, i, 2, (uint16_t[]){r, good[1]});
        arguments(c, i, 2, (uint16_t[]){good[0], r});
    }
}

static void every_argument(Code *c, BcInst i) {
    arguments(c, i, 0, NULL);
    for (uint16_t a = 0; a < N_REGS; a++) {
        arguments(c, i, 1, &a);
        for (uint16_t b = 0; b < N_REGS; b++) {
            arguments(c, i, 2, (uint16_t[]){a, b});
            bool three = i.x == 1 || i.x == 2 || i.x == 6;
            for (uint16_t d = 0; three && i.r[0] == BC_NOREG && d < N_REGS; d++)
                arguments(c, i, 3, (uint16_t[]){a, b, d});
        }
    }
}

static void every_operand(Code *c, uint16_t op) {
    static const uint32_t wides[] = {
        0,   1,          2,          3,          4,          5,          6,          7,     8,     12,
        127, 128,        255,        256,        257,        32767,      32768,      65535, 65536, 0x7fffffff,
        16,  0x80000000, 0xffffffff, 0xffffff80, 0xffffff7f, 0xffff8000, 0xffff7fff, 13,    19,    20,
        9,   10,         11,         14,         15,         17,         18};
    const BcOpInfo *info = bc_op(op);
    unsigned regs = 0;
    bool list = strchr(info->shape, 'a');
    for (const char *p = info->shape; *p; p++) regs += strchr("dDsS", *p) != NULL;
    bool wide = strpbrk(info->shape, "iktgfxomcn") != NULL;
    for (unsigned w = 0; w < (wide ? sizeof wides / sizeof *wides : 1); w++) {
        for (unsigned m0 = 0; m0 < (info->m0 == BC_M0_KIND ? 18 : info->m0 == BC_M0_MEMORY ? 15 : 1); m0++) {
            if (info->m0 == BC_M0_MEMORY && w) break; // any offset is right
            BcInst i = {.op = op, .m0 = (uint8_t)m0, .x = wide ? wides[w] : 0};
            if (op == BC_TRAP) i.x &= 0xffff;
            if (!list) {
                registers(c, i, 0, regs);
                continue;
            }
            for (uint32_t d = 0; d < (regs ? N_REGS + 1 : 1); d++) {
                i.r[0] = d < N_REGS ? (uint16_t)d : BC_NOREG;
                if (op == BC_INTR) every_argument(c, i);
                else if (op != BC_ICALL) every_call(c, i);
                for (i.r[1] = 0; op == BC_ICALL && !w && i.r[1] < N_REGS; i.r[1]++) every_call(c, i);
            }
        }
    }
    if (op == BC_RET) add(c, (BcInst){.op = op, .r = {BC_NOREG}});
}

static bool note(void *data, const BcModule *m, const BcFault *fault) {
    Code *c = data;
    (void)m;
    if (fault->inst == BC_NONE || fault->index != 0) ck_abort_msg("%s", fault->text);
    c->found[fault->inst] = (int)fault->rule;
    return true;
}

// Gives the function these instructions: one block of all that end none, and one for each that does.
static void fill(Code *c, BcFunc *f) {
    add(c, (BcInst){.op = BC_JMP});
    f->n_blocks = c->ends.n;
    f->blocks = NEW_ARRAY(c->arena, BcBlock, f->n_blocks);
    uint32_t n = c->insts.n;
    for (uint32_t k = 0; k < f->n_blocks; k++) f->blocks[k] = (BcBlock){n + k, 1};
    f->blocks[0] = (BcBlock){0, n + 1};
    f->n_insts = n + c->ends.n;
    f->insts = NEW_ARRAY(c->arena, BcInst, f->n_insts);
    memcpy(f->insts, c->insts.v, n * sizeof *f->insts);
    memcpy(f->insts + n, c->ends.v, c->ends.n * sizeof *f->insts);
    f->args = c->args.v;
    f->n_regs = N_REGS;
    f->regs = types;
    f->flags = low ? BC_FN_LOW : 0;
}

static void check_all(Ctx *ctx, void *arg) {
    (void)arg;
    Arena *arena = arena_new(ctx);
    BcModule *m = bc_assemble(ctx, "base", base_text, strlen(base_text));
    Code c = {.arena = arena};
    uint32_t n = 0;
    types[n++] = S;
    types[n++] = BC_U8;
    for (uint32_t t = BC_I8; t <= F; t++) {
        if (t == BC_REF + 1) t = P;
        if (t != BC_U8) types[n++] = t;
    }
    ck_assert_uint_eq(n, N_REGS);
    for (uint32_t code = 0; code < BC_N_OPCODES; code++)
        if (bc_op(code)) every_operand(&c, (uint16_t)code);
    fill(&c, &m->funcs[0]);
    m->low = low;
    c.found = NEW_ARRAY(arena, int, m->funcs[0].n_insts);
    for (uint32_t i = 0; i < m->funcs[0].n_insts; i++) c.found[i] = GOOD;
    ck_assert(!bc_verify(m, &(BcSink){note, &c, arena}));
    uint32_t allowed = 0;
    for (uint32_t i = 0; i < m->funcs[0].n_insts; i++) {
        const BcInst *in = &m->funcs[0].insts[i];
        int wanted = expected(in, c.args.v + in->y);
        allowed += wanted == GOOD;
        if (wanted == c.found[i]) continue;
        ck_abort_msg("%s m0 %u registers %u %u %u %u of %u %u, operand %#x, %u arguments: %s instead of %s",
                     bc_op(in->op)->name, in->m0, in->r[0], in->r[1], in->r[2], in->r[3], types[in->r[0] % N_REGS],
                     types[in->r[1] % N_REGS], in->x, in->n, c.found[i] == GOOD ? "nothing" : bc_rule_name[c.found[i]],
                     wanted == GOOD ? "nothing" : bc_rule_name[wanted]);
    }
    printf("%u instructions, %u of them allowed\n", m->funcs[0].n_insts, allowed);
}

START_TEST(refuses_what_is_not_allowed) {
    vtr_context *ctx = test_context();
    low = _i;
    ck_assert_int_eq(ctx_try(ctx, check_all, NULL), VTR_OK);
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("typing");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, refuses_what_is_not_allowed, 0, 2);
    return run_tests("typing", tc);
}
