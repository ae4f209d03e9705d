#include "cases.h"

// One block, each instruction using the two before.
static void straight(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64, i64) -> i64 system_v {\nblock0(v0: i64, v1: i64):\n");
    for (uint32_t k = 2; k < n + 2; k++) {
        static const char *const ops[] = {"iadd", "bxor", "imul", "isub"};
        buf_printf(b, "    v%u = %s v%u, v%u\n", k, ops[k % 4], k - 2, k - 1);
    }
    buf_printf(b, "    return v%u\n}\n", n + 1);
}

// Pure values with one use each, so that selection looks ever deeper.
static void deep(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64, i64) -> i64 system_v {\nblock0(v0: i64, v1: i64):\n");
    for (uint32_t k = 0; k < n; k++) {
        uint32_t v = 2 + 3 * k;
        uint32_t last = k ? v - 1 : 1;
        buf_printf(b, "    v%u = iconst.i64 %u\n    v%u = ishl v0, v%u\n    v%u = iadd v%u, v%u\n", v, k % 4, v + 1, v,
                   v + 2, v + 1, last);
    }
    buf_printf(b, "    return v%u\n}\n", 3 * n + 1);
}

// Diamonds in a row.
static void blocks(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n    jump block1(v0)\n");
    for (uint32_t k = 0; k < n; k++) {
        uint32_t v = 1 + 3 * k;
        uint32_t at = 1 + 3 * k;
        buf_printf(b, "block%u(v%u: i64):\n    brif v%u, block%u, block%u\n", at, v, v, at + 1, at + 2);
        buf_printf(b, "block%u:\n    v%u = iadd v%u, v0\n    jump block%u(v%u)\n", at + 1, v + 1, v, at + 3, v + 1);
        buf_printf(b, "block%u:\n    v%u = imul v%u, v0\n    jump block%u(v%u)\n", at + 2, v + 2, v, at + 3, v + 2);
    }
    buf_printf(b, "block%u(v%u: i64):\n    return v%u\n}\n", 1 + 3 * n, 1 + 3 * n, 1 + 3 * n);
}

// Loops one inside the other, each going on with what the inner one left, and invariant work in the innermost. (Values
// that live through many levels are another matter: n of them in n blocks each are n * n facts.)
static void loops(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n    jump block1(v0)\n");
    for (uint32_t k = 1; k <= n; k++) buf_printf(b, "block%u(v%u: i64):\n    jump block%u(v%u)\n", k, k, k + 1, k);
    uint32_t v = n + 1;
    buf_printf(b, "block%u(v%u: i64):\n    v%u = imul v0, v0\n    v%u = isub v%u, v%u\n    jump block%u(v%u)\n", n + 1,
               v, v + 1, v + 2, v, v + 1, n + 2, v + 2);
    for (uint32_t k = 0; k < n; k++) {
        v = n + 4 + 2 * k;
        buf_printf(b, "block%u(v%u: i64):\n    v%u = isub v%u, v0\n    brif v%u, block%u(v%u), block%u(v%u)\n",
                   n + 2 + k, v, v + 1, v, v + 1, n - k, v + 1, n + 3 + k, v + 1);
    }
    buf_printf(b, "block%u(v%u: i64):\n    return v%u\n}\n", 2 * n + 2, v + 2, v + 2);
}

// Many blocks that all jump to one, with an argument each.
static void preds(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n    jump block1\n");
    for (uint32_t k = 0; k < n; k++) {
        uint32_t v = 1 + 2 * k;
        buf_printf(
            b,
            "block%u:\n    v%u = iconst.i64 %u\n    v%u = icmp eq v0, v%u\n    brif v%u, block%u(v%u, v0), block%u\n",
            k + 1, v, k, v + 1, v, v + 1, n + 2, v, k + 2);
    }
    buf_printf(b, "block%u:\n    return v0\n", n + 1);
    buf_printf(b, "block%u(v%u: i64, v%u: i64):\n    v%u = iadd v%u, v%u\n    return v%u\n}\n", n + 2, 2 * n + 1,
               2 * n + 2, 2 * n + 3, 2 * n + 1, 2 * n + 2, 2 * n + 3);
}

// A jump table, each entry with an argument of its own.
static void table(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i32) -> i32 system_v {\nblock0(v0: i32):\n    br_table v0, block1, [");
    for (uint32_t k = 0; k < n; k++) buf_printf(b, "%sblock%u", k ? ", " : "", 2 + k);
    buf_printf(b, "]\nblock1:\n    return v0\n");
    for (uint32_t k = 0; k < n; k++)
        buf_printf(b, "block%u:\n    v%u = iconst.i32 %u\n    v%u = imul v0, v%u\n    jump block%u(v%u)\n", 2 + k,
                   1 + 2 * k, 3 + k, 2 + 2 * k, 1 + 2 * k, n + 2, 2 + 2 * k);
    buf_printf(b, "block%u(v%u: i32):\n    return v%u\n}\n", n + 2, 2 * n + 1, 2 * n + 1);
}

static void list(Buf *b, uint32_t first, uint32_t n, const char *type) {
    for (uint32_t k = 0; k < n; k++) buf_printf(b, "%sv%u%s", k ? ", " : "", first + k, type);
}

// A loop that carries and rotates many values.
static void params(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n    jump block1(");
    for (uint32_t k = 0; k < n; k++) buf_text(b, k ? ", v0" : "v0");
    buf_text(b, ")\nblock1(");
    list(b, 1, n, ": i64");
    buf_printf(b, "):\n    v%u = isub v1, v2\n    brif v%u, block1(", n + 1, n + 1);
    list(b, 2, n - 1, "");
    buf_printf(b, ", v%u), block2\nblock2:\n    return v%u\n}\n", n + 1, n);
}

// Calls with a thousand arguments and more.
static void args(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\n    sig0 = (");
    for (uint32_t k = 0; k < n; k++) buf_text(b, k ? ", i64" : "i64");
    buf_text(b, ") -> i64 system_v\n    fn0 = %g sig0\nblock0(v0: i64):\n");
    for (uint32_t k = 1; k <= n; k++) buf_printf(b, "    v%u = iadd v%u, v0\n", k, k - 1);
    buf_printf(b, "    v%u = call fn0(", n + 1);
    list(b, 1, n, "");
    buf_printf(b, ")\n    v%u = call fn0(", n + 2);
    list(b, 2, n, "");
    buf_printf(b, ")\n    return v%u\n}\n", n + 2);
}

// Values that all live across a call and until the last was made.
static void live(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\n    sig0 = () system_v\n    fn0 = %g sig0\nblock0(v0: i64):\n");
    for (uint32_t k = 1; k <= n; k++) buf_printf(b, "    v%u = load.i64 v0+%u\n", k, 8 * k);
    buf_text(b, "    call fn0()\n");
    for (uint32_t k = 1; k <= n; k++) buf_printf(b, "    v%u = bxor v%u, v%u\n", n + k, k, k == 1 ? 1 : n + k - 1);
    buf_printf(b, "    return v%u\n}\n", 2 * n);
}

// Few values that live through many blocks, loops among them, with calls.
static void through(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\n    sig0 = (i64) -> i64 system_v\n    fn0 = %g sig0\n"
                "block0(v0: i64):\n");
    for (uint32_t k = 1; k <= 20; k++) buf_printf(b, "    v%u = load.i64 v0+%u\n", k, 8 * k);
    buf_text(b, "    jump block1\n");
    for (uint32_t k = 0; k < n; k++) {
        uint32_t v = 21 + 2 * k;
        buf_printf(b, "block%u:\n    v%u = call fn0(v%u)\n    v%u = iadd v%u, v%u\n    brif v%u, block%u, block%u\n",
                   k + 1, v, 1 + k % 20, v + 1, v, 1 + k * 7 % 20, v + 1, k + 1, k + 2);
    }
    buf_printf(b, "block%u:\n    return v20\n}\n", n + 1);
}

// Bounds checks and accesses, each its own trap site.
static void traps(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64, i64) -> i64 system_v {\nblock0(v0: i64, v1: i64):\n");
    for (uint32_t k = 0; k < n; k++) {
        uint32_t v = 2 + 4 * k;
        buf_printf(b, "@%x    v%u = load.i64 v0+%u\n", k, v, k % 1000 * 8);
        buf_printf(b, "@%x    v%u = icmp uge v%u, v1\n@%x    trapnz v%u, user%u\n", k, v + 1, v, k, v + 1, 1 + k % 50);
        buf_printf(b, "@%x    v%u = udiv v1, v%u\n@%x    v%u = iadd v%u, v0\n", k, v + 2, v, k, v + 3, v + 2);
        buf_printf(b, "@%x    store v%u, v0+%u\n", k, v + 3, k % 1000 * 8);
    }
    buf_text(b, "    return v0\n}\n");
}

// Stack slots, all used.
static void slots(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\n");
    for (uint32_t k = 0; k < n; k++) buf_printf(b, "    ss%u = explicit_slot %u\n", k, 1 + k % 24);
    buf_text(b, "block0(v0: i64):\n");
    for (uint32_t k = 0; k < n; k++)
        buf_printf(b, "    v%u = stack_addr.i64 ss%u\n    istore8 v0, v%u\n", k + 1, k, k + 1);
    buf_text(b, "    return v0\n}\n");
}

// Many functions that call each other.
static void functions(Buf *b, uint32_t n) {
    for (uint32_t k = 0; k < n; k++) {
        buf_printf(b, "function %%f%u(i64) -> i64 system_v {\n    sig0 = (i64) -> i64 system_v\n    fn0 = %%f%u sig0\n",
                   k, k / 2);
        buf_text(b, "block0(v0: i64):\n    v1 = iadd v0, v0\n    v2 = call fn0(v1)\n    v3 = bxor v2, v1\n"
                    "    return v3\n}\n\n");
    }
}

// Blocks in blocks: each ends in a condition whose other arm is everything after it, and all meet at the end.
static void arms(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n    jump block1\n");
    for (uint32_t k = 1; k <= n; k++)
        buf_printf(b,
                   "block%u:\n    v%u = iadd_imm v0, %u\n    brif v%u, block%u, block%u\n"
                   "block%u:\n    store v%u, v0\n    jump block%u\n",
                   2 * k - 1, k, k, k, 2 * k, 2 * k + 1, 2 * k, k, 2 * n + 2);
    buf_printf(b, "block%u:\n    jump block%u\nblock%u:\n    return v0\n}\n", 2 * n + 1, 2 * n + 2, 2 * n + 2);
}

// A path that can be walked both ways and is entered at both ends: each block is an entry of some cycle.
static void tangle(Buf *b, uint32_t n) {
    buf_printf(b, "function %%f(i64, i64) -> i64 system_v {\nblock0(v0: i64, v1: i64):\n    brif v0, block1, block%u\n",
               n);
    for (uint32_t k = 1; k <= n; k++)
        buf_printf(b, "block%u:\n    v%u = load.i64 v0+%u\n    brif v%u, block%u, block%u\n", k, k + 1, k, k + 1,
                   k > 1 ? k - 1 : n + 1, k < n ? k + 1 : n + 1);
    buf_printf(b, "block%u:\n    return v1\n}\n", n + 1);
}

// Loops one inside the other, each with a value of its own that is made before the inner loops and read behind them: n
// values live through n blocks.
static void nest(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n    jump block1(v0)\n");
    for (uint32_t k = 1; k <= n; k++)
        buf_printf(b, "block%u(v%u: i64):\n    v%u = load.i64 v0+%u\n    jump block%u(v%u)\n", k, 2 * k - 1, 2 * k,
                   8 * k, k + 1, 2 * k - 1);
    uint32_t v = 2 * n + 1;
    buf_printf(b, "block%u(v%u: i64):\n    jump block%u(v%u)\n", n + 1, v, n + 2, v);
    for (uint32_t k = n; k > 0; k--) {
        uint32_t at = 2 * n + 2 - k;
        buf_printf(b, "block%u(v%u: i64):\n    v%u = isub v%u, v%u\n    brif v%u, block%u(v%u), block%u(v%u)\n", at,
                   v + 1, v + 2, v + 1, 2 * k, v + 2, k, v + 2, at + 1, v + 2);
        v += 2;
    }
    buf_printf(b, "block%u(v%u: i64):\n    return v%u\n}\n", 2 * n + 2, v + 1, v + 1);
}

// Values that all live through all of as many blocks.
static void dense(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n");
    for (uint32_t k = 1; k <= n; k++) buf_printf(b, "    v%u = load.i64 v0+%u\n", k, 8 * k);
    buf_text(b, "    jump block1\n");
    for (uint32_t k = 1; k <= n; k++)
        buf_printf(b, "block%u:\n    store v%u, v0\n    brif v%u, block%u, block%u\n", k, k, k,
                   k % 4 ? k + 1 : k - k % 3, k + 1);
    buf_printf(b, "block%u:\n", n + 1);
    for (uint32_t k = 1; k <= n; k++) buf_printf(b, "    v%u = bxor v%u, v%u\n", n + k, k, k == 1 ? 1 : n + k - 1);
    buf_printf(b, "    return v%u\n}\n", 2 * n);
}

// Functions of many parameters and results, and calls of them.
static void results(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\n    sig0 = () -> ");
    for (uint32_t k = 0; k < n; k++) buf_text(b, k ? ", i64" : "i64");
    buf_text(b, " system_v\n    fn0 = %g sig0\nblock0(v0: i64):\n    ");
    list(b, 1, n, "");
    buf_text(b, " = call fn0()\n");
    for (uint32_t k = 1; k <= n; k++) buf_printf(b, "    v%u = bxor v%u, v%u\n", n + k, k, k == 1 ? 1 : n + k - 1);
    buf_printf(b, "    return v%u\n}\nfunction %%g(", 2 * n);
    for (uint32_t k = 0; k < n; k++) buf_text(b, k ? ", i64" : "i64");
    buf_text(b, ") -> ");
    for (uint32_t k = 0; k < n; k++) buf_text(b, k ? ", i64" : "i64");
    buf_text(b, " system_v {\nblock0(");
    list(b, 0, n, ": i64");
    buf_text(b, "):\n    return ");
    list(b, 1, n - 1, "");
    buf_text(b, ", v0\n}\n");
}

// A jump table whose entries are all one block, each with arguments of its own.
static void edges(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i32, i32) -> i32 system_v {\nblock0(v0: i32, v1: i32):\n"
                "    v2 = iadd v0, v1\n    v3 = imul v0, v1\n    br_table v0, block1(v1, v2, v3), [");
    for (uint32_t k = 0; k < n; k++)
        buf_printf(b, "%sblock1(v%u, v%u, v%u)", k ? ", " : "", k % 4, k / 4 % 4, k / 16 % 4);
    buf_text(b,
             "]\nblock1(v4: i32, v5: i32, v6: i32):\n    v7 = isub v4, v5\n    v8 = bxor v7, v6\n    return v8\n}\n");
}

// Different constants, of which many need a place in memory.
static void constants(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) system_v {\nblock0(v0: i64):\n");
    for (uint32_t k = 0; k < n; k++)
        buf_printf(b,
                   "    v%u = iconst.i64 0x%x00000001\n    store v%u, v0\n    v%u = f64const 0x1.%05xp1\n"
                   "    store v%u, v0+8\n",
                   2 * k + 1, k + 1, 2 * k + 1, 2 * k + 2, k, 2 * k + 2);
    buf_text(b, "    return\n}\n");
}

// A condition made of many.
static void conditions(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64, i64) -> i64 system_v {\nblock0(v0: i64, v1: i64):\n    v2 = icmp eq v0, v1\n");
    for (uint32_t k = 1; k <= n; k++)
        buf_printf(b, "    v%u = icmp_imm ult v%u, %u\n    v%u = %s v%u, v%u\n", 2 * k + 1, k % 2, k, 2 * k + 2,
                   k % 3 ? "band" : "bor", 2 * k, 2 * k + 1);
    buf_printf(b, "    brif v%u, block1, block2\nblock1:\n    return v0\nblock2:\n    return v1\n}\n", 2 * n + 2);
}

// Values that are other names of values.
static void aliases(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\nblock0(v0: i64):\n");
    for (uint32_t k = 1; k <= n; k++) buf_printf(b, "    v%u -> v%u\n", k, k - 1);
    for (uint32_t k = 1; k <= n; k++) buf_printf(b, "    v%u = iadd v%u, v%u\n", n + k, k, k == 1 ? 0 : n + k - 1);
    buf_printf(b, "    return v%u\n}\n", 2 * n);
}

// Calls in a row, with values that live across some of them.
static void calls(Buf *b, uint32_t n) {
    buf_text(b, "function %f(i64) -> i64 system_v {\n    sig0 = (i64, f64) -> i64, f64 system_v\n    fn0 = %g sig0\n"
                "block0(v0: i64):\n    v1 = f64const 0x1.0p0\n    v2 = iadd v0, v0\n    v3 = fadd v1, v1\n");
    for (uint32_t k = 1; k <= n; k++) {
        uint32_t v = 2 * k;
        buf_printf(b, "@%x    v%u, v%u = call fn0(v%u, v%u)\n", k, v + 2, v + 3, v - (k > 9 ? 16 : 0), v + 1);
    }
    buf_printf(b, "    return v%u\n}\n", 2 * n + 2);
}

const GrowthCase growth_cases[] = {
    {"straight", 32768, 0, straight},
    {"deep", 16384, 0, deep},
    {"blocks", 8192, 0, blocks},
    {"far", 4096, GROWTH_SQUEEZE, blocks},
    {"loops", 4096, 0, loops},
    {"nest", 4096, 0, nest},
    {"dense", 4096, 0, dense},
    {"prove", 2048, GROWTH_CHECK | GROWTH_REGISTERS, dense},
    {"preds", 8192, 0, preds},
    {"table", 8192, 0, table},
    {"edges", 8192, 0, edges},
    {"params", 8192, 0, params},
    {"args", 8192, GROWTH_REGISTERS, args},
    {"results", 8192, GROWTH_REGISTERS, results},
    {"live", 16384, 0, live},
    {"through", 8192, 0, through},
    {"calls", 8192, 0, calls},
    {"traps", 8192, 0, traps},
    {"slots", 8192, 0, slots},
    {"constants", 8192, 0, constants},
    {"conditions", 8192, 0, conditions},
    {"aliases", 16384, 0, aliases},
    {"arms", 8192, 0, arms},
    {"tangle", 8192, 0, tangle},
    {"functions", 2048, 0, functions},
    {"object", 2048, GROWTH_OBJECT, functions},
    {"batches", 2048, GROWTH_BATCHES | GROWTH_REGISTERS, functions},
};
const unsigned n_growth_cases = sizeof growth_cases / sizeof *growth_cases;
