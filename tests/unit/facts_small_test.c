// Little functions of two i8, on all that they can be called with: what the facts fold changes no result and no trap.
//
// Functions are grown from seeds: nested branches, switches, checks, and loops that count, over few values that are
// compared with each other again and again, so that most of them have something to fold. Then the pass runs - alone, or
// behind those that the pipeline runs first - and where it folded something, the function as it was and the function as
// it is are interpreted on pairs (x, y): all x with some y and all y with some x, and for each 16th function all
// 65,536. Programs that run long in loops are cut off; what a cut-off run does is not compared.
//
// VITRAIL_FACTS_ROUNDS functions (and VITRAIL_FACTS_SEED, the first) go on where the suite's short run ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "passes/pipeline.h"
#include "ir_run.h"
#include "verify/ir_verify.h"

#ifdef VTR_CHECKING
enum { ROUNDS = 60 }; // everything is several times slower there
#else
enum { ROUNDS = 300 };
#endif

enum { LIVE = 40, DEPTH = 3, FUEL = 900, SOME = 10 };

// Values of i8 and i16 that can be used here. (What draws a random number stands alone in a C call: C compilers differ
// in the order of arguments, and a seed should mean one function.)
typedef struct Grow {
    uint64_t state;
    Buf text;
    uint32_t next, next_block, next_trap;
    uint32_t live[2][LIVE];
    uint32_t of[2][LIVE]; // an operand of the same type that it was made of, or NONE
    uint32_t n[2];
    int size; // statements left
} Grow;

static const char *const types[2] = {"i8", "i16"};

static uint32_t below(Grow *g, uint32_t n) {
    g->state = g->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((g->state >> 33) % n);
}

static uint32_t keep_of(Grow *g, int t, uint32_t v, uint32_t of) {
    uint32_t at = g->n[t] < LIVE ? g->n[t]++ : below(g, LIVE);
    g->live[t][at] = v;
    g->of[t][at] = of;
    return v;
}

static uint32_t keep(Grow *g, int t, uint32_t v) { return keep_of(g, t, v, NONE); }

// One of the first (the parameters) or one of the last few, mostly.
static uint32_t pick(Grow *g, int t) {
    uint32_t n = g->n[t];
    uint32_t few = n < 4 ? n : 4;
    switch (below(g, 5)) {
    case 0: return g->live[t][below(g, n)];
    case 1:
    case 2: return g->live[t][n - 1 - below(g, few)];
    default: return g->live[t][below(g, few)];
    }
}

static uint32_t put_const(Grow *g, int t) {
    static const int corners[] = {0, 1, 1, -1, 2, -2, 3, 5, 7, 8, 15, 16, 64, 100, 126, 127, -127, -128};
    int c = corners[below(g, sizeof corners / sizeof *corners)];
    if (below(g, 6) == 0) c = (int)below(g, 256) - 128;
    if (t == 1 && below(g, 2)) c = below(g, 2) ? c & 255 : c * 256 + (int)below(g, 2);
    buf_printf(&g->text, " v%u = iconst.%s %d\n", g->next, types[t], c);
    return g->next++;
}

static uint32_t put_binary(Grow *g, const char *op, uint32_t x, uint32_t y) {
    buf_printf(&g->text, " v%u = %s v%u, v%u\n", g->next, op, x, y);
    return g->next++;
}

static uint32_t put_icmp(Grow *g, uint32_t x, uint32_t y) {
    bool swap = below(g, 2);
    buf_printf(&g->text, " v%u = icmp %s v%u, v%u\n", g->next, icc_name[below(g, N_ICC)], swap ? y : x, swap ? x : y);
    return g->next++;
}

static uint32_t put_test(Grow *g) {
    int t = below(g, 4) == 0;
    uint32_t x = pick(g, t);
    uint32_t y = below(g, 3) ? pick(g, t) : put_const(g, t);
    // A value and what it was made of have more to do with each other than any two.
    uint32_t at = below(g, g->n[t]);
    if (below(g, 2) && g->of[t][at] != NONE) {
        x = g->live[t][at];
        y = g->of[t][at];
    }
    return put_icmp(g, x, y);
}

// Something that branches and traps look at: mostly a comparison.
static uint32_t put_condition(Grow *g) {
    switch (below(g, 9)) {
    case 0: return pick(g, (int)below(g, 2));
    case 1: {
        uint32_t a = put_test(g);
        uint32_t b = put_test(g);
        return put_binary(g, below(g, 2) ? "band" : "bor", a, b);
    }
    case 2: {
        uint32_t a = put_test(g);
        buf_printf(&g->text, " v%u = iconst.i8 0\n v%u = icmp eq v%u, v%u\n", g->next, g->next + 1, a, g->next);
        g->next += 2;
        return g->next - 1;
    }
    default: return put_test(g);
    }
}

static void put_other(Grow *g, int t) {
    static const char *const binary[] = {"isub", "isub", "band", "band", "bor",  "bxor", "isub", "imul", "ishl",
                                         "ushr", "ushr", "sshr", "sshr", "urem", "urem", "udiv", "srem", "sdiv",
                                         "umin", "umax", "smin", "smax", "umin", "smin", "srem", "rotl", "iadd"};
    static const char *const unary[] = {"ineg", "iabs", "bnot", "popcnt", "clz"};
    static const char *const overflow[] = {"uadd", "sadd", "usub", "ssub", "umul", "smul"};
    uint32_t x = pick(g, t);
    switch (below(g, 9)) {
    case 0:
        buf_printf(&g->text, " v%u = %s v%u\n", g->next, unary[below(g, 5)], x);
        keep(g, t, g->next++);
        break;
    case 1: {
        uint32_t c = put_condition(g);
        buf_printf(&g->text, " v%u = select v%u, v%u, v%u\n", g->next, c, x, pick(g, t));
        keep(g, t, g->next++);
        break;
    }
    case 2: { // two results; or a sum that traps
        uint32_t y = below(g, 2) ? pick(g, t) : put_const(g, t);
        buf_printf(&g->text, " v%u, v%u = %s_overflow v%u, v%u\n", g->next, g->next + 1, overflow[below(g, 6)], x, y);
        if (below(g, 2)) buf_printf(&g->text, " trapnz v%u, user%u\n", g->next + 1, g->next_trap++);
        else keep(g, 0, g->next + 1);
        keep_of(g, t, g->next, x);
        g->next += 2;
        break;
    }
    default: {
        uint32_t y = below(g, 3) ? pick(g, t) : put_const(g, t);
        uint32_t v = put_binary(g, binary[below(g, sizeof binary / sizeof *binary)], x, y);
        keep_of(g, t, v, below(g, 2) ? x : y);
        break;
    }
    }
}

static void put_value(Grow *g) {
    int t = below(g, 3) == 0;
    switch (below(g, 6)) {
    case 0:
    case 1: { // a little more or less: the sums that relations are made of
        uint32_t x = pick(g, t);
        uint32_t c = put_const(g, t);
        keep_of(g, t, put_binary(g, "iadd", x, c), x);
        break;
    }
    case 2: { // widen or narrow
        const char *op = t ? "ireduce.i8" : below(g, 2) ? "uextend.i16" : "sextend.i16";
        buf_printf(&g->text, " v%u = %s v%u\n", g->next, op, pick(g, t));
        keep(g, !t, g->next++);
        break;
    }
    default: put_other(g, t); break;
    }
}

// What is live goes into the result.
static void put_return(Grow *g) {
    uint32_t sum = put_const(g, 1);
    for (uint32_t k = 0; k < 3; k++) {
        uint32_t x = k ? pick(g, 0) : put_test(g);
        buf_printf(&g->text, " v%u = uextend.i16 v%u\n", g->next, x);
        uint32_t wide = g->next++;
        buf_printf(&g->text, " v%u = iconst.i16 %u\n v%u = imul v%u, v%u\n v%u = iadd v%u, v%u\n", g->next, 31,
                   g->next + 1, sum, g->next, g->next + 2, g->next + 1, wide);
        sum = g->next + 2;
        g->next += 3;
    }
    uint32_t all = put_binary(g, "bxor", sum, pick(g, 1));
    buf_printf(&g->text, " return v%u\n", all);
}

static void put_statements(Grow *g, int depth);

// Values made since are dead where paths meet.
typedef struct Scope {
    uint32_t live[2][LIVE];
    uint32_t of[2][LIVE];
    uint32_t n[2];
} Scope;

static Scope enter(const Grow *g) {
    Scope s;
    memcpy(s.live, g->live, sizeof s.live);
    memcpy(s.of, g->of, sizeof s.of);
    memcpy(s.n, g->n, sizeof s.n);
    return s;
}

static void leave(Grow *g, const Scope *s) {
    memcpy(g->live, s->live, sizeof s->live);
    memcpy(g->of, s->of, sizeof s->of);
    memcpy(g->n, s->n, sizeof s->n);
}

static void put_label(Grow *g, uint32_t block) { buf_printf(&g->text, "block%u:\n", block); }

static void put_if(Grow *g, int depth) {
    uint32_t then = g->next_block;
    g->next_block += 3;
    uint32_t c = put_condition(g);
    uint32_t x = pick(g, 0);
    if (below(g, 8) == 0) { // both ways lead to one block
        buf_printf(&g->text, " brif v%u, block%u(v%u), block%u(v%u)\nblock%u(v%u: i8):\n", c, then, x, then, pick(g, 0),
                   then, g->next);
        keep(g, 0, g->next++);
        return;
    }
    bool swap = below(g, 2);
    bool no_else = below(g, 4) == 0;
    uint32_t other = then + 1 + no_else;
    char to_end[32] = "";
    if (no_else) snprintf(to_end, sizeof to_end, "(v%u)", x);
    if (swap) buf_printf(&g->text, " brif v%u, block%u%s, block%u\n", c, other, to_end, then);
    else buf_printf(&g->text, " brif v%u, block%u, block%u%s\n", c, then, other, to_end);
    for (uint32_t side = 0; side < (no_else ? 1 : 2); side++) {
        Scope s = enter(g);
        put_label(g, then + side);
        put_statements(g, depth + 1);
        buf_printf(&g->text, " jump block%u(v%u)\n", then + 2, pick(g, 0));
        leave(g, &s);
    }
    buf_printf(&g->text, "block%u(v%u: i8):\n", then + 2, g->next);
    keep(g, 0, g->next++);
}

static void put_switch(Grow *g, int depth) {
    uint32_t block = g->next_block;
    g->next_block += 5;
    uint32_t ways = 1 + below(g, 3);
    const char *op = below(g, 2) ? "uextend" : "sextend";
    buf_printf(&g->text, " v%u = %s.i32 v%u\n br_table v%u, block%u, [", g->next, op, pick(g, 0), g->next, block);
    g->next++;
    uint32_t twice = below(g, 3) == 0; // the last way is the first
    for (uint32_t k = 0; k < ways; k++)
        buf_printf(&g->text, "%sblock%u", k ? ", " : "", block + (twice && k + 1 == ways ? 0 : 1 + k));
    buf_printf(&g->text, "]\n");
    for (uint32_t k = 0; k <= ways - twice; k++) {
        Scope s = enter(g);
        put_label(g, block + k);
        put_statements(g, depth + 1);
        buf_printf(&g->text, " jump block%u\n", block + 4);
        leave(g, &s);
    }
    put_label(g, block + 4);
}

static uint32_t put_small(Grow *g, int t) {
    buf_printf(&g->text, " v%u = iconst.%s %d\n", g->next, types[t], (int)below(g, 7) - 3);
    return g->next++;
}

static void put_trap(Grow *g, uint32_t c) {
    buf_printf(&g->text, " trap%s v%u, user%u\n", below(g, 2) ? "z" : "nz", c, g->next_trap++);
}

typedef struct Loop {
    int t; // type of the counter
    uint32_t head, start, limit, by, counter, carried;
    bool entered; // in its middle, too
} Loop;

static void put_loop_head(Grow *g, Loop *l) {
    uint32_t carried = pick(g, 0);
    uint32_t way = below(g, 8);
    l->entered = way == 0;
    if (way < 2) {
        uint32_t c = put_condition(g);
        buf_printf(&g->text, " brif v%u, block%u(v%u, v%u), block%u", c, l->head, l->start, carried,
                   l->head + l->entered);
        if (l->entered) buf_printf(&g->text, "\n");
        else buf_printf(&g->text, "(v%u, v%u)\n", pick(g, l->t), carried);
    } else {
        buf_printf(&g->text, " jump block%u(v%u, v%u)\n", l->head, l->start, carried);
    }
    l->counter = g->next++;
    l->carried = g->next++;
    buf_printf(&g->text, "block%u(v%u: %s, v%u: i8):\n", l->head, l->counter, types[l->t], l->carried);
}

static void keep_loop(Grow *g, const Loop *l) {
    keep_of(g, l->t, l->counter, l->start);
    keep_of(g, l->t, l->counter, l->limit);
    keep(g, 0, l->carried);
}

// A counter and a value that changes with it; steps up, down or both; the test first, or in the middle, or last. Now
// and then the loop begins with one of two values, or its body is entered from outside, too.
static void put_loop(Grow *g, int depth) {
    Loop l = {.t = below(g, 5) == 0, .head = g->next_block};
    g->next_block += 4;
    l.start = below(g, 2) ? pick(g, l.t) : put_const(g, l.t);
    l.limit = below(g, 3) ? pick(g, l.t) : put_const(g, l.t);
    l.by = below(g, 4) ? put_small(g, l.t) : put_const(g, l.t);
    uint32_t other = put_small(g, l.t);
    put_loop_head(g, &l);
    Scope s = enter(g);
    if (!l.entered) keep_loop(g, &l);
    uint32_t how = below(g, 3);
    uint32_t sum = NONE;
    if (how == 0 && !l.entered) sum = put_binary(g, "iadd", l.counter, l.by);
    uint32_t c = put_icmp(g, sum != NONE && below(g, 2) ? sum : l.counter, l.limit);
    bool swap = below(g, 2);
    buf_printf(&g->text, " brif v%u, block%u, block%u\nblock%u:\n", c, l.head + (swap ? 2 : 1), l.head + (swap ? 1 : 2),
               l.head + 1);
    if (!l.entered && below(g, 2)) put_trap(g, put_icmp(g, l.counter, below(g, 2) ? l.start : l.limit));
    put_statements(g, depth + 1);
    // Now and then it goes on from something else.
    if (sum == NONE && l.entered) sum = put_binary(g, "iadd", l.start, l.by);
    if (sum == NONE) sum = put_binary(g, "iadd", below(g, 8) ? l.counter : pick(g, l.t), l.by);
    if (how == 1 && !l.entered) { // two ways back
        c = put_condition(g);
        buf_printf(&g->text, " brif v%u, block%u(v%u, v%u), block%u\nblock%u:\n", c, l.head,
                   below(g, 4) ? sum : l.counter, l.carried, l.head + 3, l.head + 3);
        sum = put_binary(g, "iadd", below(g, 4) ? l.counter : sum, other);
    }
    buf_printf(&g->text, " jump block%u(v%u, v%u)\nblock%u:\n", l.head, sum, pick(g, 0), l.head + 2);
    leave(g, &s);
    keep_loop(g, &l);
}

static void put_statement(Grow *g, int depth) {
    uint32_t nested = depth < DEPTH ? 12 : 5;
    switch (below(g, nested)) {
    case 0:
    case 1:
    case 2: put_value(g); break;
    case 3: put_trap(g, put_condition(g)); break;
    case 4: { // leaves early
        uint32_t block = g->next_block;
        g->next_block += 2;
        bool swap = below(g, 2);
        uint32_t c = put_condition(g);
        buf_printf(&g->text, " brif v%u, block%u, block%u\n", c, block + swap, block + !swap);
        put_label(g, block);
        put_return(g);
        put_label(g, block + 1);
        break;
    }
    case 5:
    case 6: put_loop(g, depth); break;
    case 7: put_switch(g, depth); break;
    default: put_if(g, depth); break;
    }
}

static void put_statements(Grow *g, int depth) {
    for (uint32_t n = 1 + below(g, depth ? 4 : 9); n-- > 0 && g->size-- > 0;) put_statement(g, depth);
}

static Buf grow(Arena *arena, uint64_t seed) {
    Grow g = {.state = seed * 2 + 1, .text = buf_new(arena), .next = 2, .next_block = 1, .next_trap = 1, .size = 24};
    buf_printf(&g.text, "function %%f(i8, i8) -> i16 system_v {\nblock0(v0: i8, v1: i8):\n");
    keep(&g, 0, 0);
    keep(&g, 0, 1);
    for (uint32_t k = 0; k < 2; k++) {
        buf_printf(&g.text, " v%u = %s.i16 v%u\n", g.next, below(&g, 3) ? "uextend" : "sextend", k);
        keep(&g, 1, g.next++);
    }
    put_statements(&g, 0);
    put_return(&g);
    buf_printf(&g.text, "}\n");
    return g.text;
}

// ---- running --------------------------------------------------------------------------------------

typedef struct Job {
    uint64_t seed;
    uint64_t folds;    // of all seeds
    uint64_t folded;   // functions
    uint64_t compared; // calls
    char *what;        // is wrong; malloc()ed
} Job;

static uint64_t run_pass(Arena *arena, Func *f, void (*pass)(Pass *p)) {
    PassOptions options = {.level = OPT_SPEED};
    Pass p = {.f = f, .arena = arena, .options = &options, .fuel = UINT64_MAX};
    pass(&p);
    return UINT64_MAX - p.fuel;
}

static void complain(Job *job, Arena *arena, const char *text, const Func *f, const char *what) {
    Buf all = buf_new(arena);
    buf_printf(&all, "seed %llu: %s\n%s\n", (unsigned long long)job->seed, what, text);
    ir_write(f, &all);
    job->what = strdup(buf_str(&all));
}

static void compare(Job *job, Arena *arena, const char *text, const Func *was, const Func *is) {
    static const uint8_t corners[] = {0, 1, 127, 128, 255};
    IrInterpOptions limits = {.fuel = FUEL, .max_depth = 1, .stack_size = 64};
    IrInterp *before = ir_interp_new(arena, (Func *const *)&was, 1, &limits);
    limits.fuel = FUEL * 5; // expansions are longer
    IrInterp *after = ir_interp_new(arena, (Func *const *)&is, 1, &limits);
    Grow random = {.state = job->seed};
    bool some[256] = {false};
    for (uint32_t k = 0; k < sizeof corners; k++) some[corners[k]] = true;
    for (uint32_t k = 0; k < SOME; k++) some[below(&random, 256)] = true;
    bool all = job->seed % 16 == 0;
    uint32_t cut_off = 0;
    for (uint64_t at = 0; at < 65536 && cut_off < 400; at++) {
        uint64_t x = at & 255;
        uint64_t y = at >> 8;
        if (!all && !some[x] && !some[y]) continue;
        Result want = call(before, was, (uint64_t[]){x, y});
        cut_off += want.status == IR_INTERP_FUEL;
        if (want.status == IR_INTERP_FUEL) continue;
        Result got = call(after, is, (uint64_t[]){x, y});
        job->compared++;
        if (got.status == want.status && got.value == want.value) continue;
        char what[200];
        snprintf(what, sizeof what, "of %u and %u: status %d, %llu instead of %d, %llu", (unsigned)x, (unsigned)y,
                 (int)got.status, (unsigned long long)got.value, (int)want.status, (unsigned long long)want.value);
        complain(job, arena, text, is, what);
        return;
    }
}

static void run_seed(Ctx *ctx, void *arg) {
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    Buf buf = grow(arena, job->seed);
    const char *text = buf_str(&buf);
    Func *was = ir_read(arena, "small", text, strlen(text), CC_SYSTEM_V)->funcs.v[0];
    Func *is = ir_read(arena, "small", text, strlen(text), CC_SYSTEM_V)->funcs.v[0];
    ck_assert_msg(verify_func(was), "does not verify:\n%s", text);
    run_pass(arena, is, pass_unreachable);
    if (job->seed % 3 == 0) { // what the pipeline shows it
        run_pass(arena, is, pass_simplify);
        run_pass(arena, is, pass_branches);
        run_pass(arena, is, pass_gvn);
        run_pass(arena, is, pass_simplify);
    }
    uint64_t folds = run_pass(arena, is, pass_facts);
    if (!verify_func(is)) complain(job, arena, text, is, "does not verify any more");
    else if (folds) compare(job, arena, text, was, is);
    job->folds += folds;
    job->folded += folds != 0;
    arena_free(arena);
}

// ---- references -----------------------------------------------------------------------------------
//
// Functions of references in slots, behind safepoints, through branches and loops: checks for null and looks at lengths
// find what they found. live[1] are references that are not null, live[0] any; slot 1 is given the former only.

static uint32_t put_look(Grow *g) {
    buf_printf(&g->text, " v%u = load.i32 notrap readonly v%u\n", g->next, pick(g, 1));
    return g->next++;
}

static uint32_t pick_ref(Grow *g, int t) { return pick(g, t || below(g, 3) == 0); }

static void put_ref_statements(Grow *g, int depth);

static void put_ref_if(Grow *g, int depth) {
    uint32_t block = g->next_block;
    g->next_block += 3;
    int t = (int)below(g, 2);
    uint32_t c = below(g, 2) ? 3 : pick_ref(g, 0);
    buf_printf(&g->text, " brif v%u, block%u, block%u\n", c, block, block + 1);
    for (uint32_t side = 0; side < 2; side++) {
        Scope s = enter(g);
        put_label(g, block + side);
        put_ref_statements(g, depth + 1);
        buf_printf(&g->text, " jump block%u(v%u)\n", block + 2, pick_ref(g, t));
        leave(g, &s);
    }
    buf_printf(&g->text, "block%u(v%u: i64):\n", block + 2, g->next);
    keep(g, t, g->next++);
}

// A few rounds, with a reference that goes round.
static void put_ref_loop(Grow *g, int depth) {
    uint32_t head = g->next_block;
    g->next_block += 2;
    int t = (int)below(g, 2);
    uint32_t v = g->next;
    g->next += 6;
    buf_printf(&g->text, " v%u = iconst.i8 0\n jump block%u(v%u, v%u)\nblock%u(v%u: i64, v%u: i8):\n", v, head,
               pick_ref(g, t), v, head, v + 1, v + 2);
    keep(g, t, v + 1);
    Scope s = enter(g);
    put_ref_statements(g, depth + 1);
    buf_printf(&g->text, " v%u = iconst.i8 1\n v%u = iadd v%u, v%u\n v%u = icmp ult v%u, v3\n", v + 3, v + 4, v + 2,
               v + 3, v + 5, v + 4);
    buf_printf(&g->text, " brif v%u, block%u(v%u, v%u), block%u\nblock%u:\n", v + 5, head, pick_ref(g, t), v + 4,
               head + 1, head + 1);
    leave(g, &s);
}

static void put_ref_statement(Grow *g, int depth) {
    int t = (int)below(g, 2);
    switch (below(g, depth < DEPTH ? 12 : 9)) {
    case 0:
    case 1:
    case 2: buf_printf(&g->text, " store notrap v%u, v%d\n", pick_ref(g, t), 4 + t); break;
    case 3: buf_printf(&g->text, " call fn0(), stack_map=[i64 @ ss0+0, i64 @ ss1+0]\n"); break;
    case 4:
    case 5:
        buf_printf(&g->text, " v%u = load.i64 notrap v%d\n", g->next, 4 + t);
        keep(g, t, g->next++);
        break;
    case 6: put_trap(g, pick_ref(g, 0)); break;
    case 7:
    case 8: {
        uint32_t x = put_look(g);
        uint32_t y = put_look(g);
        put_trap(g, put_icmp(g, x, y));
        break;
    }
    case 9: put_ref_loop(g, depth); break;
    default: put_ref_if(g, depth); break;
    }
}

static void put_ref_statements(Grow *g, int depth) {
    for (uint32_t n = 2 + below(g, depth ? 5 : 9); n-- > 0 && g->size-- > 0;) put_ref_statement(g, depth);
}

// v0 and v1 are not null, v2 may be; v3 is a number; v4 and v5 are the slots' addresses.
static Buf grow_refs(Arena *arena, uint64_t seed) {
    Grow g = {.state = seed * 2 + 1, .text = buf_new(arena), .next = 6, .next_block = 1, .next_trap = 1, .size = 40};
    buf_printf(&g.text, "function %%f(i64, i64, i64, i8) -> i32 system_v {\n ss0 = explicit_slot 8\n"
                        " ss1 = explicit_slot 8\n sig0 = () system_v\n fn0 = %%g sig0\n"
                        "block0(v0: i64, v1: i64, v2: i64, v3: i8):\n v4 = stack_addr.i64 ss0\n"
                        " v5 = stack_addr.i64 ss1\n store notrap v2, v4\n store notrap v0, v5\n");
    keep(&g, 0, 2);
    keep(&g, 1, 0);
    keep(&g, 1, 1);
    put_ref_statements(&g, 0);
    put_trap(&g, pick_ref(&g, 0));
    buf_printf(&g.text, " return v%u\n}\n", put_look(&g));
    return g.text;
}

static int safepoint(void *data, const ExtName *name, const Sig *sig, const uint64_t *args, uint64_t *results) {
    (void)data;
    (void)name;
    (void)sig;
    (void)args;
    (void)results;
    return 0;
}

static void run_refs(Ctx *ctx, void *arg) {
    static const int32_t lengths[2] = {11, 22};
    Job *job = arg;
    Arena *arena = arena_new(ctx);
    Buf buf = grow_refs(arena, job->seed);
    const char *text = buf_str(&buf);
    Func *was = ir_read(arena, "refs", text, strlen(text), CC_SYSTEM_V)->funcs.v[0];
    Func *is = ir_read(arena, "refs", text, strlen(text), CC_SYSTEM_V)->funcs.v[0];
    if (!verify_func(was)) ck_abort_msg("seed %llu does not verify", (unsigned long long)job->seed);
    uint64_t folds = run_pass(arena, is, pass_gvn);
    folds += run_pass(arena, is, pass_facts);
    job->folds += folds;
    job->folded += folds != 0;
    IrInterpOptions limits = {.host.call = safepoint, .fuel = 20000, .max_depth = 2, .stack_size = 256};
    IrInterp *before = ir_interp_new(arena, &was, 1, &limits);
    IrInterp *after = ir_interp_new(arena, &is, 1, &limits);
    for (uint32_t n = 0; n < 2 * 2 * 3 * 4 && !job->what; n++) {
        uint64_t args[4] = {(uintptr_t)&lengths[n & 1], (uintptr_t)&lengths[n >> 1 & 1], 0, n / 12};
        if (n / 4 % 3) args[2] = (uintptr_t)&lengths[n / 4 % 3 - 1];
        Result want = call(before, was, args);
        Result got = call(after, is, args);
        job->compared++;
        if (got.status != want.status || got.value != want.value) complain(job, arena, text, is, "another result");
    }
    arena_free(arena);
}

static uint64_t number_of(const char *variable, uint64_t otherwise) {
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static Job run_rounds(uint64_t rounds, void (*run)(Ctx *ctx, void *job)) {
    Job job = {.seed = number_of("VITRAIL_FACTS_SEED", 1)};
    for (uint64_t n = 0; n < rounds; n++, job.seed++) {
        Ctx *ctx = test_context();
        vtr_status status = ctx_try(ctx, run, &job);
        vtr_diagnostic_info info = {.message = ""};
        vtr_diagnostic(ctx, 0, &info);
        ck_assert_msg(status == VTR_OK, "seed %llu: %s", (unsigned long long)job.seed, info.message);
        if (job.what) fputs(job.what, stderr); // longer than a message of Check's
        ck_assert_msg(!job.what, "seed %llu", (unsigned long long)job.seed);
        vtr_context_free(ctx);
    }
    if (getenv("VITRAIL_FACTS_ROUNDS"))
        printf("%llu folds in %llu functions of %llu, %llu calls\n", (unsigned long long)job.folds,
               (unsigned long long)job.folded, (unsigned long long)rounds, (unsigned long long)job.compared);
    return job;
}

// Tests that fold nothing test nothing: hence the counts.
START_TEST(little_functions_mean_the_same_for_all_arguments) {
    uint64_t rounds = number_of("VITRAIL_FACTS_ROUNDS", ROUNDS);
    Job job = run_rounds(rounds, run_seed);
    ck_assert_uint_ge(job.folds, rounds * 5);
    ck_assert_uint_ge(job.folded, rounds / 2);
    ck_assert_uint_ge(job.compared, rounds * 1000);
}
END_TEST

START_TEST(references_stay_the_objects_that_they_are) {
    uint64_t rounds = number_of("VITRAIL_FACTS_ROUNDS", ROUNDS) * 4;
    Job job = run_rounds(rounds, run_refs);
    ck_assert_uint_ge(job.folds, rounds);
    ck_assert_uint_ge(job.folded, rounds / 2);
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("small");
    tcase_set_timeout(cases, 3600);
    tcase_add_test(cases, little_functions_mean_the_same_for_all_arguments);
    tcase_add_test(cases, references_stay_the_objects_that_they_are);
    return run_tests("facts_small", cases);
}
