// Bodies of functions as core/stack writes them for wasm64: frames, traps, sites, types, limits. Each test names facts
// of the listing rather than all of it; what the code does is tested where it runs (tests/file, tests/programs).
#include <stdio.h>
#include <string.h>

#include "compile/compile.h"
#include "support/buf.h"
#include "support/leb.h"
#include "unit.h"
#include "verify/ir_verify.h"

static Ctx *ctx;
static Code *code;
static const char *listing;

typedef struct Job {
    const char *text;
    TrapStyle traps;
} Job;

// One instruction a line, entries of branch tables behind theirs.
static const char *list(Arena *arena) {
    const Target *t = code->target;
    Buf out = buf_new(arena);
    uint64_t groups = 0;
    uint32_t at = leb_get(code->bytes, code->n, 32, false, &groups);
    for (uint64_t n = 0; groups; groups--) {
        at += leb_get(code->bytes + at, code->n - at, 32, false, &n);
        buf_printf(&out, "locals %u %02x\n", (unsigned)n, code->bytes[at++]);
    }
    while (at < code->n) {
        uint16_t mop;
        MOpnd slots[16];
        unsigned n = t->decode(code->bytes + at, code->n - at, &mop, slots);
        ck_assert_msg(n > 0, "byte %u is no instruction", at);
        t->print(mop, slots, at, n, &out);
        at += n;
        if (mop == t->stack->branch_table) {
            uint64_t entry = 0;
            for (int64_t k = 0; k <= slots[1].imm; k++) {
                at += leb_get(code->bytes + at, code->n - at, 32, false, &entry);
                buf_printf(&out, " %u", (unsigned)entry);
            }
        }
        buf_char(&out, '\n');
    }
    return buf_str(&out);
}

static void body(Ctx *c, void *arg) {
    const Job *job = arg;
    Arena *arena = arena_new(c);
    IrFile *file = ir_read(arena, "test.clif", job->text, strlen(job->text), CC_SYSTEM_V);
    Func *f = file->funcs.v[0];
    if (!verify_func(f)) ctx_throw(c, VTR_ERR_INPUT);
    CompileOptions options = {.target = target_find("wasm64"), .opt = OPT_SPEED, .check = true, .traps = job->traps};
    options.features = target_all_features(options.target);
    code = compile_func(arena, f, &options);
    listing = list(arena);
}

static vtr_status try_compile(const char *text, TrapStyle traps) {
    if (ctx) vtr_context_free(ctx);
    ctx = test_context();
    return ctx_try(ctx, body, &(Job){text, traps});
}

static const char *message(void) {
    vtr_diagnostic_info info;
    return vtr_diagnostic(ctx, 0, &info) ? info.message : "";
}

static void compile_with(const char *text, TrapStyle traps) {
    vtr_status status = try_compile(text, traps);
    ck_assert_msg(status == VTR_OK, "%s: %s", vtr_status_name(status), message());
}
static void compile(const char *text) { compile_with(text, TRAPS_CALL); }

static unsigned count(const char *part) {
    unsigned n = 0;
    for (const char *at = strstr(listing, part); at; at = strstr(at + 1, part)) n++;
    return n;
}
#define times(n, part)                                                                                                 \
    ck_assert_msg(count(part) == (n), "%u times \"%s\", not %u, in\n%s", count(part), (part), (unsigned)(n), listing)
#define has(part) ck_assert_msg(strstr(listing, (part)) != NULL, "no \"%s\" in\n%s", (part), listing)

// ---- frames ------------------------------------------------------------------------------------------------

// Nothing but calls uses memory below the stack pointer.
START_TEST(leaf_leaves_the_pointer) {
    compile("function %f(i64) -> i64 {\n ss0 = explicit_slot 24\nblock0(v0: i64):\n v2 = stack_addr.i64 ss0+8\n"
            " store v0, v2\n v3 = load.i64 v0\n store v0, v3\n v1 = load.i64 v2\n return v1\n}\n");
    times(1, "global.get");
    times(0, "global.set");
    has("i64.const -32\ni64.add\nlocal.set 1\n");
    has("i64.store 8\n");
}
END_TEST

START_TEST(every_way_out_frees_the_frame) {
    compile("function %f(i64) -> i64 tail {\n ss0 = explicit_slot 8\n sig0 = (i64) -> i64 tail\n fn0 = %g sig0\n"
            "block0(v0: i64):\n v1 = stack_addr.i64 ss0\n v2 = call fn0(v1)\n brif v0, block1, block2\n"
            "block1:\n return_call fn0(v2)\nblock2:\n v3 = iadd v2, v0\n return v3\n}\n");
    times(1, "global.get");
    times(3, "global.set");
    has("i64.const 16\ni64.add\nglobal.set 0\nreturn_call 0\n");
    has("i64.const 16\ni64.add\nglobal.set 0\nreturn\nend\n");
}
END_TEST

#define LIMITED(bytes)                                                                                                 \
    "function %f(i64 vmctx, i64) -> i64 {\n gv0 = vmctx\n gv1 = load.i64 notrap aligned gv0+24\n stack_limit = gv1\n"  \
    " ss0 = explicit_slot " bytes "\n sig0 = (i64) -> i64\n fn0 = %g sig0\nblock0(v0: i64, v1: i64):\n"                \
    " v2 = stack_addr.i64 ss0\n v3 = call fn0(v2)\n return v3\n}\n"

START_TEST(limit) {
    compile(LIMITED("16"));
    has("local.tee 2\nlocal.get 0\ni64.load 24\ni64.lt_u\nif\ncall 0\nunreachable\nend\nlocal.get 2\nglobal.set 0\n");
    ck_assert_int_eq(code->sites.v[0].kind, SITE_TRAP);
    ck_assert_int_eq(code->sites.v[0].trap, TRAP_stk_ovf);
    compile(LIMITED("100000")); // might wrap
    has("global.get 0\ni64.const 100000\ni64.lt_u\nif\ncall 0\nunreachable\nend\nlocal.get 0\ni64.load 24\n");
}
END_TEST

// ---- traps, sites, lines -----------------------------------------------------------------------------------

#define CHECKS                                                                                                         \
    "function %f(i64, i64, i64) -> i64 {\nblock0(v0: i64, v1: i64, v2: i64):\n@1 trapz v0, user1\n"                    \
    "@1 trapz v1, user1\n@1 trapz v2, user1\n@2 v3 = iadd v0, v1\n@2 trapz v3, user2\n return v3\n}\n"

START_TEST(traps_are_shared_when_that_is_shorter) {
    compile(CHECKS);
    times(3, "br_if 0");
    times(1, "if\ncall 0\nunreachable\nend\n");
    has("return\nend\ncall 0\nunreachable\nend\n");
    compile_with(CHECKS, TRAPS_INSN); // nothing to call
    times(0, "call");
}
END_TEST

START_TEST(sites_say_where) {
    compile("function %f(i64, i64) -> i64 {\n sig0 = (i64) -> i64\n fn0 = %g sig0\nblock0(v0: i64, v1: i64):\n"
            "@7 v2 = udiv v0, v1\n@8 v3 = call fn0(v2)\n@9 v4 = load.i64 v3+16\n return v4\n}\n");
    ck_assert_uint_eq(code->sites.n, 3);
    static const struct {
        uint8_t byte, kind, trap;
        uint32_t srcloc;
    } want[] = {{0x80, SITE_TRAP, TRAP_int_divz, 7}, {0x10, SITE_CALL, 0, 8}, {0x29, SITE_TRAP, TRAP_heap_oob, 9}};
    for (unsigned k = 0; k < 3; k++) {
        const CodeSite *site = &code->sites.v[k];
        ck_assert_uint_eq(code->bytes[site->at], want[k].byte);
        ck_assert_uint_eq(site->kind, want[k].kind);
        ck_assert_uint_eq(site->trap, want[k].trap);
        ck_assert_uint_eq(site->srcloc, want[k].srcloc);
    }
    for (uint32_t k = 1; k < code->lines.n; k++) ck_assert(code->lines.v[k - 1].at < code->lines.v[k].at);
    ck_assert_uint_eq(code->lines.v[0].srcloc, 7);
}
END_TEST

// ---- types, relocations ------------------------------------------------------------------------------------

START_TEST(calls_know_types) {
    compile("function %f(i64, f32) -> i64, f64 {\n sig0 = (i64, f32) -> i64, f64\n sig1 = (i32) -> i32, i32\n"
            " fn0 = %g sig0\n fn1 = %h sig1\nblock0(v0: i64, v1: f32):\n v2 = func_addr.i64 fn1\n"
            " v3 = iconst.i32 5\n v4, v5 = call_indirect sig1, v2(v3)\n v6, v7 = call fn0(v2, v1)\n"
            " v8 = uextend.i64 v5\n v9 = iadd v6, v8\n return v9, v7\n}\n");
    ck_assert_uint_eq(code->types.n, 2);
    ck_assert_uint_eq(code->types.v[0].n_params, 2);
    ck_assert_uint_eq(code->types.v[0].params[1], 0x7d);
    ck_assert_uint_eq(code->types.v[0].results[1], 0x7c);
    const Target *t = code->target;
    unsigned seen = 0;
    for (uint32_t k = 0; k < code->relocs.n; k++) {
        const CodeReloc *r = &code->relocs.v[k];
        if (r->reloc == t->stack->reloc_type) {
            ck_assert_uint_eq(r->type, 2);
            seen |= 1;
        } else if (r->name.kind == NAME_TEXT && !strcmp(r->name.text, "g")) {
            ck_assert_uint_eq(r->type, 1);
            seen |= 2;
        } else if (r->name.kind == NAME_TEXT && !strcmp(r->name.text, "h")) {
            ck_assert_uint_eq(r->type, 2);
            seen |= 4;
        }
    }
    ck_assert_uint_eq(seen, 7);
}
END_TEST

// Nothing of the caller's frame is left for the callee of a tail call.
START_TEST(structs_of_the_frame_stay) {
    vtr_status status =
        try_compile("function %f(i64) -> i64 tail {\n ss0 = explicit_slot 16\n fn0 = %g(i64 sarg(16)) -> i64 tail\n"
                    "block0(v0: i64):\n v1 = stack_addr.i64 ss0\n return_call fn0(v1)\n}\n",
                    TRAPS_CALL);
    ck_assert_msg(status == VTR_ERR_UNSUPPORTED, "%s", vtr_status_name(status));
    ck_assert_str_eq(message(),
                     "wasm64: a tail call with a struct that is not one of the caller's own: return_call fn0(v1)");
}
END_TEST

// ---- control flow ------------------------------------------------------------------------------------------

START_TEST(table) {
    compile("function %f(i32) -> i64 {\nblock0(v0: i32):\n br_table v0, block3, [block1, block2, block1]\n"
            "block1:\n v1 = iconst.i64 1\n return v1\nblock2:\n v2 = iconst.i64 2\n return v2\n"
            "block3:\n v3 = iconst.i64 3\n return v3\n}\n");
    has("block\nblock\nblock\nlocal.get 0\nbr_table 3 1 2 1 0\nend\ni64.const 3\nreturn\nend\ni64.const "
        "1\nreturn\nend\n"
        "i64.const 2\nend\n");
}
END_TEST

// The opposite of a comparison is another one; an inversion is inverted by leaving it out.
START_TEST(conditions_invert_for_free) {
    compile("function %f(i64, i64) -> i64 {\nblock0(v0: i64, v1: i64):\n jump block1(v0)\nblock1(v2: i64):\n"
            " v3 = isub v2, v1\n v4 = icmp slt v3, v1\n brif v4, block2(v3), block1(v3)\nblock2(v5: i64):\n"
            " return v5\n}\n");
    has("i64.ge_s\nbr_if 0\nend\n");
    times(0, "eqz");
}
END_TEST

// A function whose end nothing reaches is complete all the same.
START_TEST(endless) {
    compile("function %f(i64) -> i64 {\nblock0(v0: i64):\n jump block1(v0)\nblock1(v1: i64):\n v2 = iadd v1, v0\n"
            " store v2, v0\n jump block1(v2)\n}\n");
    has("br 0\nend\nunreachable\nend\n");
}
END_TEST

// ---- limits ------------------------------------------------------------------------------------------------

static void too_much(const char *text, const char *want) {
    vtr_status status = try_compile(text, TRAPS_CALL);
    ck_assert_msg(status == VTR_ERR_LIMIT, "%s", vtr_status_name(status));
    ck_assert_msg(strstr(message(), want) != NULL, "%s", message());
}

START_TEST(limits) {
    Ctx *own = test_context();
    Buf text = buf_new(arena_new(own));
    buf_text(&text, "function %many(");
    for (int k = 0; k < 1001; k++) buf_text(&text, k ? ", i32" : "i32");
    buf_text(&text, ") {\nblock0(");
    for (int k = 0; k < 1001; k++) buf_printf(&text, "%sv%d: i32", k ? ", " : "", k);
    buf_text(&text, "):\n return\n}\n");
    too_much(buf_str(&text), "function many needs more than the 1000 parameters");
    Buf large = buf_new(arena_new(own));
    buf_text(&large, "function %switch(i32) -> i32 {\nblock0(v0: i32):\n br_table v0, block1, [");
    for (int k = 0; k < 65520; k++) buf_printf(&large, "%sblock%d", k ? ", " : "", 2 + k % 3);
    buf_text(&large, "]\n");
    for (int k = 1; k <= 4; k++) buf_printf(&large, "block%d:\n v%d = iconst.i32 %d\n return v%d\n", k, k, k, k);
    buf_text(&large, "}\n");
    too_much(buf_str(&large), "function switch needs more than the 65520 entries of a branch table");
    vtr_context_free(own);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("all");
    tcase_add_test(all, leaf_leaves_the_pointer);
    tcase_add_test(all, every_way_out_frees_the_frame);
    tcase_add_test(all, limit);
    tcase_add_test(all, traps_are_shared_when_that_is_shorter);
    tcase_add_test(all, sites_say_where);
    tcase_add_test(all, calls_know_types);
    tcase_add_test(all, structs_of_the_frame_stay);
    tcase_add_test(all, table);
    tcase_add_test(all, conditions_invert_for_free);
    tcase_add_test(all, endless);
    tcase_add_test(all, limits);
    return run_tests("stack_emit", all);
}
