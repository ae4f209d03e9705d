#include "bytecode_random.h"

enum {
    N_INTS = 8,
    FIRST_FLOAT = N_INTS,
    BOOL = 10,
    N_PRIMS = 11,
    NODE = N_PRIMS,
    REF,
    FUNCREF,
    FIRST_ARRAY,
    N_ARRAYS = N_PRIMS + 1, // of each primitive, and of nodes
    N_TYPES_OF_VITA = FIRST_ARRAY + N_ARRAYS,
    N_CONSTS = 4,
    ARRAY_LENGTH = 8, // a power of two
    MAX_BLOCKS = 9,
    MAX_ARGS = 8
};

static const char *const prims[N_PRIMS] = {"i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool"};
static const Type ir_types[N_PRIMS] = {T_i8, T_i16, T_i32, T_i64, T_i8, T_i16, T_i32, T_i64, T_f32, T_f64, T_i8};

typedef struct Sig {
    uint8_t params[MAX_ARGS];
    uint8_t n;
    uint8_t result; // N_TYPES_OF_VITA = none
} Sig;

typedef struct Gen {
    Random r;
    Buf *out;
    Arena *arena;
    uint32_t index; // of the function
    Sig sigs[BYTECODE_FUNCTIONS];
    uint8_t globals[BYTECODE_GLOBALS];
    uint8_t favoured[4]; // primitive types the function works with most
    bool low;
    bool mild; // few checks that fail
} Gen;

static const char *type_text(Gen *g, unsigned t) {
    if (t < N_PRIMS) return prims[t];
    if (t == NODE) return "node";
    if (t == REF) return "ref";
    if (t == FUNCREF) return "unop";
    return t == N_TYPES_OF_VITA - 1 ? "nodes" : arena_printf(g->arena, "%s_s", prims[t - FIRST_ARRAY]);
}

// ---- operands -----------------------------------------------------------------------------------

static const char *numbered(Gen *g, unsigned t, unsigned k) {
    return arena_printf(g->arena, "v_%s%u", type_text(g, t), k);
}

static unsigned how_many(unsigned t) { return t < N_PRIMS ? 3 : t == NODE ? 3 : 1; }

static const char *reg(Gen *g, unsigned t) { return numbered(g, t, pick(&g->r, how_many(t))); }

static unsigned some_int(Gen *g) {
    unsigned t = g->favoured[pick(&g->r, 4)];
    return t < N_INTS && pick(&g->r, 4) ? t : pick(&g->r, N_INTS);
}
static unsigned some_float(Gen *g) { return FIRST_FLOAT + pick(&g->r, 2); }
static unsigned some_prim(Gen *g) { return pick(&g->r, 3) ? g->favoured[pick(&g->r, 4)] : pick(&g->r, N_PRIMS); }
static unsigned some_type(Gen *g) {
    return pick(&g->r, 4) ? some_prim(g) : N_PRIMS + pick(&g->r, N_TYPES_OF_VITA - N_PRIMS);
}

static bool risky(Gen *g) { return pick(&g->r, g->mild ? 200 : 12) == 0; }

static void put_int(Gen *g, unsigned t) {
    uint64_t x = random_int(&g->r, ir_types[t]);
    unsigned unused = 64 - type_bits(ir_types[t]);
    if (t < 4) buf_printf(g->out, "%lld", (long long)((int64_t)(x << unused) >> unused));
    else buf_printf(g->out, "%llu", (unsigned long long)x);
}

static const char *constant(Gen *g, unsigned t) {
    return arena_printf(g->arena, "const:C_%s%u", prims[t], pick(&g->r, N_CONSTS));
}

static const char *index_type(Gen *g, unsigned *t) { return reg(g, *t = 2 + pick(&g->r, 2) + 4 * pick(&g->r, 2)); }

// An index within the arrays, mostly.
static const char *element_index(Gen *g) {
    unsigned t;
    const char *i = index_type(g, &t);
    if (!risky(g))
        buf_printf(g->out, "    K32 m_%s, %u\n    AND %s, %s, m_%s\n", prims[t], ARRAY_LENGTH - 1, i, i, prims[t]);
    return i;
}

// No NaN from here on.
static void tighten(Gen *g, const char *x, unsigned t) {
    buf_printf(g->out, "    CMP m_bool, %s, %s, UNO\n    KIDX m_%s, const:ONE_%s\n    SEL %s, m_bool, m_%s, %s\n", x, x,
               prims[t], prims[t], x, prims[t], x);
}

// ---- instructions -------------------------------------------------------------------------------

static void integer_inst(Gen *g) {
    static const char *const ops[] = {"ADD", "SUB", "MUL", "AND", "OR", "XOR", "ADD", "SUB"};
    static const char *const checked[] = {"ADD_CHK", "SUB_CHK", "MUL_CHK", "ADD_CHK"};
    static const char *const divisions[] = {"DIV", "MOD", "DIV_CHK", "DIV"};
    static const char *const shifts[] = {"SHL", "SHR", "SAR"};
    static const char *const one[] = {"NEG", "NOT"};
    static const char *const counts[] = {"ctz", "clz", "popcnt"};
    unsigned t = some_int(g);
    const char *d = reg(g, t);
    const char *a = reg(g, t);
    const char *b = reg(g, t);
    switch (pick(&g->r, 12)) {
    case 0:
        if (risky(g)) buf_printf(g->out, "    NEG_CHK %s, %s\n", d, a);
        else buf_printf(g->out, "    %s %s, %s, %s\n", checked[pick(&g->r, 4)], d, a, risky(g) ? b : numbered(g, t, 2));
        break;
    case 1:
        if (!risky(g)) {
            buf_printf(g->out, "    K32 m_%s, 1\n    OR m_%s, m_%s, %s\n", prims[t], prims[t], prims[t], b);
            b = arena_printf(g->arena, "m_%s", prims[t]);
        }
        buf_printf(g->out, "    %s %s, %s, %s\n", divisions[g->mild ? pick(&g->r, 2) : pick(&g->r, 4)], d, a, b);
        break;
    case 2: buf_printf(g->out, "    %s %s, %s, %s\n", shifts[pick(&g->r, 3)], d, a, reg(g, some_int(g))); break;
    case 3: buf_printf(g->out, "    %s %s, %s\n", one[pick(&g->r, 2)], d, a); break;
    case 4:
        if (pick(&g->r, 2)) buf_printf(g->out, "    INTR %s, %s, 1 [%s]\n", d, counts[pick(&g->r, 3)], a);
        else if (t % 4 && pick(&g->r, 2)) buf_printf(g->out, "    INTR %s, bswap, 1 [%s]\n", d, a);
        else buf_printf(g->out, "    INTR %s, rot%c, 2 [%s, %s]\n", d, pick(&g->r, 2) ? 'l' : 'r', a, b);
        break;
    case 5: buf_printf(g->out, "    KIDX %s, %s\n", d, constant(g, t)); break;
    case 6:
        buf_printf(g->out, "    K32 %s, %d\n", d, t < 4 ? (int)pick(&g->r, 256) - 128 : (int)pick(&g->r, 256));
        break;
    default: buf_printf(g->out, "    %s %s, %s, %s\n", ops[pick(&g->r, 8)], d, a, b); break;
    }
}

static void float_inst(Gen *g) {
    static const char *const ops[] = {"FADD", "FSUB", "FMUL", "FDIV"};
    static const char *const one[] = {"sqrt", "fabs", "floor", "ceil", "trunc", "nearest"};
    unsigned t = some_float(g);
    const char *d = reg(g, t);
    const char *a = reg(g, t);
    const char *b = reg(g, t);
    switch (pick(&g->r, 6)) {
    case 0: buf_printf(g->out, "    FNEG %s, %s\n", d, a); break;
    case 1: buf_printf(g->out, "    INTR %s, %s, 1 [%s]\n", d, one[pick(&g->r, 6)], a); break;
    case 2: buf_printf(g->out, "    INTR %s, fm%s, 2 [%s, %s]\n", d, pick(&g->r, 2) ? "in" : "ax", a, b); break;
    case 3:
        if (pick(&g->r, 2)) {
            buf_printf(g->out, "    KIDX %s, %s\n", d, constant(g, t));
        } else {
            tighten(g, b, t);
            buf_printf(g->out, "    INTR %s, copysign, 2 [%s, %s]\n", d, a, b);
        }
        break;
    default: buf_printf(g->out, "    %s %s, %s, %s\n", ops[pick(&g->r, 4)], d, a, b); break;
    }
}

static void convert_inst(Gen *g) {
    unsigned from = some_prim(g);
    unsigned to = pick(&g->r, 3) ? some_int(g) : some_float(g);
    if (from == BOOL && to >= FIRST_FLOAT) to = some_int(g);
    const char *s = reg(g, from);
    bool same = from != BOOL && type_bits(ir_types[from]) == type_bits(ir_types[to]);
    if (same && pick(&g->r, 2)) {
        if (from >= FIRST_FLOAT) tighten(g, s, from);
        buf_printf(g->out, "    BITC %s, %s\n", reg(g, to), s);
        return;
    }
    buf_printf(g->out, "    CVT%s %s, %s\n", risky(g) ? "_CHK" : "", reg(g, to), s);
}

static void compare_inst(Gen *g) {
    static const char *const kinds[] = {"EQ",  "NE",  "LT",  "LE",  "GT",  "GE",  "ULT",
                                        "ULE", "UGT", "UGE", "SLT", "SLE", "SGT", "SGE"};
    unsigned t = some_prim(g);
    unsigned n = t < N_INTS ? 14 : t == BOOL ? 2 : 6;
    if (pick(&g->r, 8) == 0) t = N_PRIMS + pick(&g->r, FIRST_ARRAY - N_PRIMS), n = 2;
    const char *a = reg(g, t);
    const char *kind = kinds[pick(&g->r, n)];
    if (n == 6 && pick(&g->r, 4) == 0) kind = pick(&g->r, 2) ? "ORD" : "UNO";
    const char *c = reg(g, BOOL);
    buf_printf(g->out, "    CMP %s, %s, %s, %s\n", c, a, reg(g, t), kind);
    if (pick(&g->r, 3) == 0) {
        t = some_type(g);
        a = reg(g, t);
        buf_printf(g->out, "    SEL %s, %s, %s, %s\n", reg(g, t), c, a, reg(g, t));
    }
}

static void object_inst(Gen *g) {
    unsigned t = pick(&g->r, 2) ? some_prim(g) : NODE;
    const char *field = t == NODE ? "next" : arena_printf(g->arena, "f_%s", prims[t]);
    unsigned array = FIRST_ARRAY + (t == NODE ? N_ARRAYS - 1 : t);
    const char *i;
    switch (pick(&g->r, 10)) {
    case 0: buf_printf(g->out, "    ALOC %s, node\n", reg(g, NODE)); break;
    case 1: buf_printf(g->out, "    LDF %s, %s, .%s\n", reg(g, t), reg(g, NODE), field); break;
    case 2:
    case 3: buf_printf(g->out, "    STF %s, .%s, %s\n", reg(g, NODE), field, reg(g, t)); break;
    case 4: buf_printf(g->out, "    ARR_LEN %s, %s\n", reg(g, 3), reg(g, array)); break;
    case 5:
    case 6:
        i = element_index(g);
        buf_printf(g->out, "    ARR_GET %s, %s, %s\n", reg(g, t), reg(g, array), i);
        break;
    case 7:
        i = element_index(g);
        buf_printf(g->out, "    ARR_SET %s, %s, %s\n", reg(g, array), i, reg(g, t));
        break;
    case 8: buf_printf(g->out, "    MOV %s, %s\n", reg(g, REF), reg(g, pick(&g->r, 2) ? NODE : array)); break;
    default:
        if (risky(g)) buf_printf(g->out, "    RCAST %s, %s\n", reg(g, NODE), reg(g, REF));
        else buf_printf(g->out, "    RTST %s, %s, %s\n", reg(g, BOOL), reg(g, REF), pick(&g->r, 2) ? "node" : "nodes");
        break;
    }
}

// A node whose next is null would end most functions soon.
static void guard_node(Gen *g) {
    for (unsigned k = 0; k < how_many(NODE); k++) {
        if (risky(g)) continue;
        const char *x = numbered(g, NODE, k);
        buf_printf(g->out, "    CMP m_bool, %s, m_node, EQ\n    SEL %s, m_bool, keep, %s\n", x, x, x);
    }
}

static void raw_inst(Gen *g) {
    unsigned t = pick(&g->r, N_PRIMS);
    unsigned size = type_bytes(ir_types[t]);
    unsigned at = pick(&g->r, 33 - size);
    unsigned base = pick(&g->r, 65);
    unsigned r = t; // of the register: an integer may be wider
    if (t < N_INTS) r = t % 4 + pick(&g->r, 4 - t % 4) + 4 * pick(&g->r, 2);
    buf_printf(g->out, "    DPTR m_ptr, blob\n    K32 m_i64, %u\n    PADD m_ptr, m_ptr, m_i64\n", base);
    int offset = (int)at - (int)base;
    const char *place =
        offset < 0 ? arena_printf(g->arena, "[m_ptr - %d]", -offset) : arena_printf(g->arena, "[m_ptr + %d]", offset);
    const char *x = reg(g, r);
    if (pick(&g->r, 2)) {
        buf_printf(g->out, "    LD.%s %s, %s\n", prims[t], x, place);
    } else {
        if (t == FIRST_FLOAT || t == FIRST_FLOAT + 1) tighten(g, x, t);
        buf_printf(g->out, "    ST.%s %s, %s\n", prims[t], place, x);
    }
}

static void arguments(Gen *g, const Sig *sig) {
    buf_printf(g->out, "%u [", sig->n);
    for (unsigned k = 0; k < sig->n; k++) buf_printf(g->out, "%s%s", k ? ", " : "", reg(g, sig->params[k]));
    buf_text(g->out, "]\n");
}

static void call_inst(Gen *g) {
    if (pick(&g->r, 4) == 0) {
        const char *f = reg(g, FUNCREF);
        if (!risky(g)) buf_printf(g->out, "    KIDX %s, const:U%u\n", f, pick(&g->r, 2));
        buf_printf(g->out, "    ICALL %s, %s, 1 [%s]\n", reg(g, 3), f, reg(g, 3));
        return;
    }
    if (!g->index) return;
    unsigned callee = pick(&g->r, g->index);
    const Sig *sig = &g->sigs[callee];
    bool keep = sig->result < N_TYPES_OF_VITA && pick(&g->r, 8);
    buf_printf(g->out, "    CALL %s, f%u, ", keep ? reg(g, sig->result) : "_", callee);
    arguments(g, sig);
}

static void global_inst(Gen *g) {
    unsigned k = pick(&g->r, BYTECODE_GLOBALS);
    if (pick(&g->r, 2)) buf_printf(g->out, "    LDG %s, g%u\n", reg(g, g->globals[k]), k);
    else buf_printf(g->out, "    STG g%u, %s\n", k, reg(g, g->globals[k]));
}

static void statement(Gen *g) {
    uint32_t what = pick(&g->r, 100);
    unsigned t;
    if (what < 35) integer_inst(g);
    else if (what < 47) float_inst(g);
    else if (what < 57) convert_inst(g);
    else if (what < 67) compare_inst(g);
    else if (what < 78) object_inst(g);
    else if (what < 82) raw_inst(g);
    else if (what < 85) call_inst(g);
    else if (what < 90) global_inst(g);
    else if (what < 92) guard_node(g);
    else if (what < 94)
        buf_printf(g->out, "    %s %s, %s, %s\n", what == 92 ? "AND" : "XOR", reg(g, BOOL), reg(g, BOOL), reg(g, BOOL));
    else if (what < 95) buf_printf(g->out, "    NOT %s, %s\n", reg(g, BOOL), reg(g, BOOL));
    else if (what < 97 && risky(g))
        buf_printf(g->out, "    ARR_NEW %s, %s\n", reg(g, FIRST_ARRAY + pick(&g->r, N_ARRAYS)), reg(g, 2));
    else t = some_type(g), buf_printf(g->out, "    MOV %s, %s\n", reg(g, t), reg(g, t));
}

// ---- blocks -------------------------------------------------------------------------------------

static void finish_function(Gen *g) {
    unsigned result = g->sigs[g->index].result;
    if (g->index && pick(&g->r, 2)) {
        unsigned callee = pick(&g->r, g->index);
        if (g->sigs[callee].result == result) {
            buf_printf(g->out, "    TCALL f%u, ", callee);
            arguments(g, &g->sigs[callee]);
            return;
        }
    }
    buf_printf(g->out, "    RET %s\n", result < N_TYPES_OF_VITA ? reg(g, result) : "_");
}

static unsigned ahead(Gen *g, unsigned b, unsigned n) { return b + 1 + pick(&g->r, n - b - 1); }

static void put_switch(Gen *g, unsigned b, unsigned n) {
    unsigned t = some_int(g);
    const char *x = reg(g, t);
    if (pick(&g->r, 2)) buf_printf(g->out, "    K32 m_%s, 7\n    AND %s, %s, m_%s\n", prims[t], x, x, prims[t]);
    if (pick(&g->r, 2)) {
        buf_printf(g->out, "    BRT %s, @b%u, [@b%u", x, ahead(g, b, n), ahead(g, b, n));
        for (unsigned k = pick(&g->r, 7); k; k--) buf_printf(g->out, ", @b%u", ahead(g, b, n));
        buf_text(g->out, "]\n");
        return;
    }
    uint64_t values[8];
    unsigned used = 1 + pick(&g->r, 8);
    unsigned unused = 64 - type_bits(ir_types[t]);
    for (unsigned k = 0; k < used; k++) {
        uint64_t v = pick(&g->r, 2) ? pick(&g->r, 8) : random_int(&g->r, ir_types[t]);
        if (t < 4) v = (uint64_t)((int64_t)(v << unused) >> unused) ^ UINT64_C(1) << 63; // orders as unsigned
        unsigned at = k;
        for (; at > 0 && values[at - 1] > v; at--) values[at] = values[at - 1];
        values[at] = v;
    }
    buf_printf(g->out, "    SWITCH %s, @b%u, {", x, ahead(g, b, n));
    for (unsigned k = 0; k < used; k++) {
        if (k && values[k] == values[k - 1]) continue;
        uint64_t v = t < 4 ? values[k] ^ UINT64_C(1) << 63 : values[k];
        if (t < 4) buf_printf(g->out, "%s%lld: @b%u", k ? ", " : "", (long long)v, ahead(g, b, n));
        else buf_printf(g->out, "%s%llu: @b%u", k ? ", " : "", (unsigned long long)v, ahead(g, b, n));
    }
    buf_text(g->out, "}\n");
}

static void finish_block(Gen *g, unsigned b, unsigned n) {
    if (b + 1 == n) {
        finish_function(g);
        return;
    }
    switch (pick(&g->r, 12)) {
    case 0: buf_printf(g->out, "    JMP @b%u\n", ahead(g, b, n)); break;
    case 1:
        if (risky(g)) {
            if (pick(&g->r, 2)) buf_printf(g->out, "    TRAP %u\n", 256 + pick(&g->r, 1000));
            else buf_printf(g->out, "    RAISE %s\n", reg(g, NODE));
        } else {
            finish_function(g);
        }
        break;
    case 2:
    case 3: put_switch(g, b, n); break;
    case 4:
    case 5:
    case 6:
    case 7:
        buf_printf(
            g->out,
            "    K32 m_i64, 1\n    ADD rounds, rounds, m_i64\n    K32 m_i64, %u\n    CMP m_bool, rounds, m_i64, LT\n"
            "    JIF m_bool, @b%u, @b%u\n",
            2 + pick(&g->r, 4), pick(&g->r, b + 1), b + 1);
        break;
    default:
        compare_inst(g);
        buf_printf(g->out, "    JIF %s, @b%u, @b%u\n", reg(g, BOOL), ahead(g, b, n), ahead(g, b, n));
        break;
    }
}

static void put_registers(Gen *g) {
    for (unsigned t = 0; t < N_TYPES_OF_VITA; t++) {
        for (unsigned k = 0; k < how_many(t); k++)
            buf_printf(g->out, "    .reg %s: %s\n", numbered(g, t, k), type_text(g, t));
        if (t <= NODE) buf_printf(g->out, "    .reg m_%s: %s\n", type_text(g, t), type_text(g, t));
    }
    buf_text(g->out, "    .reg m_ptr: ptr\n    .reg rounds: i64\n    .reg keep: node\n");
}

static void random_function(Gen *g, uint32_t size) {
    Sig *sig = &g->sigs[g->index];
    sig->n = (uint8_t)pick(&g->r, MAX_ARGS + 1);
    sig->result = (uint8_t)(pick(&g->r, 8) ? some_prim(g) : pick(&g->r, 2) ? NODE : N_TYPES_OF_VITA);
    if (g->index && pick(&g->r, 2)) sig->result = g->sigs[g->index - 1].result; // for tail calls
    for (unsigned k = 0; k < 4; k++) g->favoured[k] = (uint8_t)pick(&g->r, N_PRIMS);
    buf_printf(g->out, ".fn f%u(", g->index);
    for (unsigned k = 0; k < sig->n; k++) {
        // The last function is called from outside, with primitive arguments.
        sig->params[k] = (uint8_t)(pick(&g->r, 5) ? some_prim(g) : NODE);
        buf_printf(g->out, "%sp%u: %s", k ? ", " : "", k, type_text(g, sig->params[k]));
    }
    buf_text(g->out, ")");
    if (sig->result < N_TYPES_OF_VITA) buf_printf(g->out, " -> %s", type_text(g, sig->result));
    buf_text(g->out, " low\n");
    put_registers(g);
    buf_text(g->out, "    ALOC keep, node\n");
    for (unsigned t = FIRST_ARRAY; t < N_TYPES_OF_VITA; t++)
        if (pick(&g->r, 2)) buf_printf(g->out, "    K32 m_i64, %u\n    ARR_NEW %s, m_i64\n", ARRAY_LENGTH, reg(g, t));
    for (unsigned k = 0; k < sig->n; k++) buf_printf(g->out, "    MOV %s, p%u\n", reg(g, sig->params[k]), k);
    guard_node(g);
    unsigned n = 1 + pick(&g->r, MAX_BLOCKS);
    for (unsigned b = 0; b < n; b++) {
        buf_printf(g->out, "b%u:\n", b);
        for (uint32_t k = 1 + pick(&g->r, size); k; k--) statement(g);
        finish_block(g, b, n);
    }
    buf_text(g->out, ".end\n");
}

static void put_header(Gen *g) {
    buf_text(g->out, ".module \"random\"\n.type unop = fn (i64) -> i64\n.type node = struct { next: node");
    for (unsigned t = 0; t < N_PRIMS; t++) buf_printf(g->out, ", f_%s: %s", prims[t], prims[t]);
    buf_text(g->out, " }\n.type nodes = array node\n");
    for (unsigned t = 0; t < N_PRIMS; t++) buf_printf(g->out, ".type %s_s = array %s\n", prims[t], prims[t]);
    buf_text(g->out, ".const ONE_f32 = f32 1.0\n.const ONE_f64 = f64 1.0\n.const U0 = fn un0\n.const U1 = fn un1\n");
    for (unsigned t = 0; t < N_PRIMS; t++) {
        for (unsigned k = 0; k < N_CONSTS; k++) {
            buf_printf(g->out, ".const C_%s%u = %s ", prims[t], k, prims[t]);
            if (t < N_INTS) put_int(g, t);
            else if (t == BOOL) buf_text(g->out, k % 2 ? "true" : "false");
            else buf_printf(g->out, "0x%llx", (unsigned long long)random_float(&g->r, ir_types[t]));
            buf_text(g->out, "\n");
        }
    }
    buf_text(g->out, ".data blob align 16 = [0, 1, 2, 3, 4, 5, 6, 7, 128, 129, 130, 255, 254, 253, 0, 0, 0, 0, 240, 63,"
                     " 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 127, 255]\n");
    for (unsigned k = 0; k < BYTECODE_GLOBALS; k++) {
        g->globals[k] = (uint8_t)(k ? pick(&g->r, N_PRIMS) : NODE);
        buf_printf(g->out, ".global g%u: mut %s\n", k, type_text(g, g->globals[k]));
        buf_printf(g->out, ".export get%u\n.fn get%u() -> %s\n    .reg x: %s\n    LDG x, g%u\n    RET x\n.end\n", k, k,
                   type_text(g, g->globals[k]), type_text(g, g->globals[k]), k);
    }
    buf_text(g->out,
             ".fn un0(x: i64) -> i64\n    MUL x, x, x\n    RET x\n.end\n"
             ".fn un1(x: i64) -> i64\n    .reg y: i64\n    K32 y, 9\n    XOR x, x, y\n    TCALL un0, 1 [x]\n.end\n");
}

uint32_t random_module(Buf *out, uint64_t seed, uint32_t size) {
    Gen gen = {.r = random_new(seed), .out = out, .arena = out->arena};
    Gen *g = &gen;
    g->mild = pick(&g->r, 4) != 0;
    put_header(g);
    uint32_t n = 1 + pick(&g->r, BYTECODE_FUNCTIONS);
    for (g->index = 0; g->index < n; g->index++) {
        buf_printf(g->out, ".export f%u\n", g->index);
        random_function(g, size);
    }
    return n;
}
