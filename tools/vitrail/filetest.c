#include "filetest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "input.h"
#include "ir/text.h"
#include "json.h"
#include "support/bits.h"
#include "verify/ir_verify.h"

enum { MAX_PATH_TEXT = 4096 };

// Where it is told what happened, besides the report.
static FILE *told(const FiletestRun *run) { return run->json ? stderr : stdout; }

// ---- directives ---------------------------------------------------------------------------------

typedef FiletestDirective Directive;

typedef struct Test {
    FiletestRun *run;
    FiletestGroup *group;
    const char *path;
    char *text;
    size_t len;
    // counted here and moved to the run at the end, so that a throw loses nothing
    unsigned passed, failed, skipped;
    const char *skip_why; // the last reason, for the report
} Test;

static bool parse_value(Lexer *lexer, Tok *tok, Type type, uint64_t *bits) {
    bool right = type_is_float(type)
                     ? tok->kind == TOK_FLOAT && text_float(tok->s, tok->len, type_bits(type), bits) == NULL
                     : tok->kind == TOK_INT && text_int(tok->s, tok->len, type_bits(type), bits);
    *tok = lexer_next(lexer);
    return right;
}

static bool parse_values(Lexer *lexer, Tok *tok, char close, const AbiParam *params, uint32_t n, uint64_t *values) {
    for (uint32_t k = 0; k < n; k++) {
        if (k) {
            if (!tok_is(tok, ',')) return false;
            *tok = lexer_next(lexer);
        }
        if (!parse_value(lexer, tok, (Type)params[k].type, &values[k])) return false;
    }
    if (!tok_is(tok, close)) return false;
    *tok = lexer_next(lexer);
    return true;
}

static bool parse_expected(Lexer *lexer, Tok *tok, const Sig *sig, Directive *d) {
    if (sig->n_results == 1) return parse_value(lexer, tok, (Type)sig->results[0].type, &d->expected[0]);
    if (!tok_is(tok, '[')) return false;
    *tok = lexer_next(lexer);
    return parse_values(lexer, tok, ']', sig->results, sig->n_results, d->expected);
}

// The text of a comment after its semicolons and blanks, when it is a directive that runs something.
static bool is_directive(const TextLine *comment, Lexer *lexer, Tok *tok) {
    const char *s = comment->text;
    while (*s == ';' || *s == ' ' || *s == '\t') s++;
    *lexer = lexer_new(s, strlen(s));
    *tok = lexer_next(lexer);
    return tok_word(tok, "run");
}

static bool parse_directive(Arena *arena, Lexer *lexer, Tok *tok, const Sig *sig, Directive *d) {
    *d = (Directive){.n_args = sig->n_params, .n_expected = sig->n_results};
    d->args = NEW_ARRAY(arena, uint64_t, sig->n_params + 1);
    d->expected = NEW_ARRAY(arena, uint64_t, sig->n_results + 1);
    *tok = lexer_next(lexer);
    if (!tok_is(tok, ':')) {
        d->bare = true;
        return sig->n_params == 0 && sig->n_results == 1 && type_is_int((Type)sig->results[0].type);
    }
    *tok = lexer_next(lexer);
    if (tok->kind != TOK_NAME) return false;
    d->name = tok->s;
    d->name_len = tok->len;
    *tok = lexer_next(lexer);
    if (!tok_is(tok, '(')) return false;
    *tok = lexer_next(lexer);
    if (!parse_values(lexer, tok, ')', sig->params, sig->n_params, d->args)) return false;
    d->differs = tok_is(tok, '!');
    if (!d->differs && !tok_is(tok, '=')) return false;
    *tok = lexer_next(lexer);
    if (!tok_is(tok, '=')) return false;
    *tok = lexer_next(lexer);
    return parse_expected(lexer, tok, sig, d);
}

// ---- one file -----------------------------------------------------------------------------------

static bool has_word(const char *line, const char *word) {
    size_t n = strlen(word);
    for (const char *at = strstr(line, word); at; at = strstr(at + 1, word)) {
        bool left = at == line || at[-1] == ' ' || at[-1] == '\t';
        if (left && (at[n] == 0 || at[n] == ' ' || at[n] == '\t' || at[n] == '-')) return true;
    }
    return false;
}

// Whether a `target` line, from behind that word, names what the engine wants.
static bool names_target(const char *line, const char *wanted) {
    if (*wanted) return has_word(line, wanted);
    for (const Target *const *t = targets_all; *t; t++)
        if (has_word(line, (*t)->triple_arch)) return true;
    return false;
}

// Why the engine does not run this file, or NULL.
static const char *file_skipped(Arena *arena, const FiletestEngine *engine, const IrFile *file) {
    bool command = false;
    bool target = engine->target == NULL;
    bool any_target = true; // none is named
    for (uint32_t k = 0; k < file->header.n; k++) {
        const char *line = file->header.v[k].text;
        if (!strncmp(line, "test", 4) && has_word(line + 4, engine->command)) command = true;
        if (!strncmp(line, "target", 6)) any_target = false;
        if (!strncmp(line, "target", 6) && engine->target && names_target(line + 6, engine->target)) target = true;
    }
    if (!command) return arena_printf(arena, "no `test %s`", engine->command);
    return target || any_target ? NULL : arena_printf(arena, "no target %s", *engine->target ? engine->target : "here");
}

static bool same_name(const ExtName *a, const ExtName *b) {
    if (a->kind != b->kind) return false;
    if (a->kind == NAME_USER) return a->space == b->space && a->index == b->index;
    return strcmp(a->text, b->text) == 0;
}

static const char *calls_skipped(const Func *f, const IrSkipped *skipped, uint32_t n) {
    for (uint32_t k = 0; k < f->funcs.n; k++) {
        for (uint32_t s = 0; s < n; s++) {
            if (f->funcs.v[k].declared && same_name(&f->funcs.v[k].name, &skipped[s].name)) return skipped[s].reason;
        }
    }
    return NULL;
}

// The functions that can run: not those that, through however many others, need a skipped one. why[k] tells.
static const char **runnable(Arena *arena, const IrFile *file) {
    const char **why = NEW_ARRAY(arena, const char *, file->funcs.n);
    VEC(IrSkipped) out = {0};
    for (uint32_t k = 0; k < file->skipped.n; k++) vec_push(arena, &out, file->skipped.v[k]);
    for (bool changed = out.n > 0; changed;) {
        changed = false;
        for (uint32_t k = 0; k < file->funcs.n; k++) {
            const Func *f = file->funcs.v[k];
            if (why[k] || !(why[k] = calls_skipped(f, out.v, out.n))) continue;
            vec_push(arena, &out, (IrSkipped){f->name, {f->file, f->line, 0}, why[k]});
            changed = true;
        }
    }
    return why;
}

static void report_failure(const Test *test, const TextLine *comment, const char *why) {
    fprintf(told(test->run), "%s:%u: FAILED: %s\n    %s\n", test->path, (unsigned)comment->line, why, comment->text);
}

static const char *got_text(Arena *arena, const Sig *sig, const uint64_t *results) {
    Buf out = buf_new(arena);
    buf_text(&out, "got ");
    for (uint32_t k = 0; k < sig->n_results; k++) {
        if (k) buf_text(&out, ", ");
        text_put_value(&out, (Type)sig->results[k].type, results[k]);
    }
    return buf_str(&out);
}

// Runs one directive of function f; NULL when it holds, else what is wrong. *skip is set when it cannot run.
static const char *run_directive(Test *test, Arena *arena, void *state, const IrFile *file, const Func *f, Lexer *lexer,
                                 Tok *tok, const TextLine *comment, bool *skip) {
    const FiletestEngine *engine = test->run->engine;
    const Sig *sig = &f->sig;
    Directive d;
    if (!parse_directive(arena, lexer, tok, sig, &d)) return "the directive does not fit its function's signature";
    const Func *called = f;
    if (engine->by_name && !d.bare) {
        called = NULL;
        for (uint32_t k = 0; k < file->funcs.n; k++) {
            const ExtName *name = &file->funcs.v[k]->name;
            if (name->kind != NAME_TEXT || strlen(name->text) != d.name_len) continue;
            if (memcmp(name->text, d.name, d.name_len) == 0) called = file->funcs.v[k];
        }
        if (!called) return "there is no such function";
        if (called->sig.n_params != d.n_args || called->sig.n_results != d.n_expected) return "another signature";
    }
    if (engine->keep) {
        engine->keep(state, called, &d, arena_printf(arena, "%s:%u", test->path, comment->line), comment->text);
        return NULL;
    }
    uint64_t *results = NEW_ARRAY(arena, uint64_t, sig->n_results + 1);
    const char *why = NULL;
    FiletestResult result = engine->call(state, called, d.args, results, &why);
    *skip = result == FILETEST_SKIP;
    if (result != FILETEST_RAN) return why;
    if (d.bare) return results[0] ? NULL : "the result is 0";
    bool equal = memcmp(results, d.expected, sig->n_results * sizeof *results) == 0;
    return equal != d.differs ? NULL : got_text(arena, sig, results);
}

typedef struct Call {
    Test *test;
    Arena *arena;
    void *state;
    const IrFile *file;
    const Func *f;
    Lexer lexer;
    Tok tok;
    const TextLine *comment;
    const char *why;
    bool skip;
} Call;

static void call_body(Ctx *ctx, void *arg) {
    (void)ctx;
    Call *c = arg;
    c->why = run_directive(c->test, c->arena, c->state, c->file, c->f, &c->lexer, &c->tok, c->comment, &c->skip);
}

static const char *first_diagnostic(Arena *arena, Ctx *ctx, vtr_status status) {
    vtr_diagnostic_info info;
    const char *text = vtr_diagnostic(ctx, 0, &info)
                           ? arena_printf(arena, "%s: %s", vtr_status_name(status), info.message)
                           : vtr_status_name(status);
    vtr_diagnostics_clear(ctx);
    return text;
}

static void skip(Test *test, unsigned n, const char *why) {
    test->skipped += n;
    if (n) test->skip_why = why;
}

// All directives, with the engine ready; state NULL = not ready, for the reason given.
static void run_directives(Test *test, Ctx *ctx, Arena *arena, void *state, const IrFile *file, const char **why_not,
                           FiletestResult opened, const char *open_why) {
    for (uint32_t k = 0; k < file->comments.n; k++) {
        Call c = {.test = test, .arena = arena, .state = state, .file = file};
        const TextLine *comment = &file->comments.v[k];
        if (!is_directive(comment, &c.lexer, &c.tok)) continue;
        if (file->comment_skipped.v[k] != NONE) {
            skip(test, 1, file->skipped.v[file->comment_skipped.v[k]].reason);
            continue;
        }
        uint32_t func = file->comment_func.v[k];
        if (func == NONE) continue;
        if (why_not[func]) {
            skip(test, 1, why_not[func]);
            continue;
        }
        c.f = file->funcs.v[func];
        c.comment = comment;
        if (state) {
            vtr_status status = ctx_try(ctx, call_body, &c);
            if (status != VTR_OK) c.why = first_diagnostic(arena, ctx, status);
        } else {
            c.why = open_why;
            c.skip = opened == FILETEST_SKIP;
        }
        if (c.skip) {
            skip(test, 1, c.why);
        } else if (c.why) {
            test->failed++;
            report_failure(test, comment, c.why);
        } else {
            test->passed++;
        }
    }
}

static unsigned count_directives(const IrFile *file) {
    unsigned n = 0;
    for (uint32_t k = 0; k < file->comments.n; k++) {
        Lexer lexer;
        Tok tok;
        n += is_directive(&file->comments.v[k], &lexer, &tok);
    }
    return n;
}

typedef struct Opening {
    const FiletestEngine *engine;
    Arena *arena;
    const IrFile *file;
    Func **funcs;
    uint32_t n;
    FiletestResult result;
    const char *why;
    void *state;
} Opening;

static void open_body(Ctx *ctx, void *arg) {
    (void)ctx;
    Opening *o = arg;
    o->state = o->engine->open(o->engine->options, o->arena, o->file, o->funcs, o->n, &o->result, &o->why);
}

static void test_body(Ctx *ctx, void *arg) {
    Test *test = arg;
    const FiletestEngine *engine = test->run->engine;
    Arena *arena = arena_new(ctx);
    const IrFile *file = ir_read(arena, test->path, test->text, test->len, CC_SYSTEM_V);
    const char *why = file_skipped(arena, engine, file);
    if (why) {
        skip(test, count_directives(file), why);
    } else {
        const char **why_not = runnable(arena, file);
        Opening o = {.engine = engine, .arena = arena, .file = file, .result = FILETEST_FAILED, .why = "not ready"};
        o.funcs = NEW_ARRAY(arena, Func *, file->funcs.n);
        bool right = true;
        for (uint32_t k = 0; k < file->funcs.n; k++) {
            if (!why_not[k]) o.funcs[o.n++] = file->funcs.v[k];
            right = verify_func(file->funcs.v[k]) && right;
        }
        if (!right) ctx_throw(ctx, VTR_ERR_INPUT);
        vtr_status status = ctx_try(ctx, open_body, &o);
        if (status != VTR_OK) {
            o.result = status == VTR_ERR_UNSUPPORTED ? FILETEST_SKIP : FILETEST_FAILED;
            o.why = first_diagnostic(arena, ctx, status);
            o.state = NULL;
        }
        run_directives(test, ctx, arena, o.state, file, why_not, o.result, o.why);
        if (o.state && engine->close) engine->close(o.state);
    }
    if (test->skipped && !test->run->quiet) {
        fprintf(told(test->run), "%s: %u skipped: %s\n", test->path, test->skipped, test->skip_why);
    }
    arena_free(arena);
}

// ---- groups -------------------------------------------------------------------------------------

// The group of a file: from the table when it has one, else the name of its directory, else "-".
static void group_name(const FiletestRun *run, const char *path, char *out, size_t size) {
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    size_t len = strlen(file);
    for (const char *line = run->group_table; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        const char *key = line;
        size_t key_len = strcspn(line, "\t\n");
        for (const char *s = memchr(key, '/', key_len); s; s = memchr(key, '/', key_len)) {
            key_len -= (size_t)(s + 1 - key);
            key = s + 1;
        }
        if (key_len == len && memcmp(key, file, len) == 0 && key[len] == '\t') {
            snprintf(out, size, "%.*s", (int)strcspn(key + len + 1, "\t\n"), key + len + 1);
            return;
        }
    }
    const char *end = slash;
    const char *start = end;
    while (start && start > path && start[-1] != '/') start--;
    if (run->group_table || !end || start == end) {
        snprintf(out, size, "-");
    } else {
        snprintf(out, size, "%.*s", (int)(end - start), start);
    }
}

static FiletestGroup *group_of(FiletestRun *run, const char *path) {
    char name[80];
    group_name(run, path, name, sizeof name);
    for (unsigned k = 0; k < run->n_groups; k++) {
        if (!strcmp(run->groups[k].name, name)) return &run->groups[k];
    }
    FiletestGroup *more = realloc(run->groups, (run->n_groups + 1) * sizeof *more);
    if (!more) return NULL;
    run->groups = more;
    more[run->n_groups] = (FiletestGroup){.name = strdup(name)};
    return more[run->n_groups].name ? &more[run->n_groups++] : NULL;
}

// ---- files and directories ----------------------------------------------------------------------

static bool test_file(FiletestRun *run, const char *path) {
    vtr_context *ctx;
    Input input;
    if (!input_open(path, &input, &ctx)) return false;
    Test test = {.run = run, .path = path, .text = input.bytes, .len = input.size};
    test.group = group_of(run, path);
    if (!test.group) {
        fprintf(stderr, "%s: error: out of memory\n", path);
        vtr_context_free(ctx);
        input_free(&input);
        return false;
    }
    vtr_status status = ctx_try(ctx, test_body, &test);
    if (status != VTR_OK) {
        vtr_diagnostic_info info;
        test.failed++;
        fprintf(told(run), "%s: FAILED: %s\n", path, vtr_status_name(status));
        for (size_t k = 0; vtr_diagnostic(ctx, k, &info); k++) {
            fprintf(told(run), "%s:%u:%u: error: %s\n", info.file ? info.file : path, info.line, info.column,
                    info.message);
        }
    }
    vtr_context_free(ctx);
    input_free(&input);
    test.group->files++;
    test.group->passed += test.passed;
    test.group->failed += test.failed;
    test.group->skipped += test.skipped;
    run->passed += test.passed;
    run->failed += test.failed;
    run->skipped += test.skipped;
    return true;
}

static bool is_clif(const char *name) {
    size_t n = strlen(name);
    return n > 5 && strcmp(name + n - 5, ".clif") == 0;
}

bool filetest_path(FiletestRun *run, const char *path) {
    struct stat about;
    if (stat(path, &about) != 0) {
        fprintf(stderr, "%s: error: %s\n", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(about.st_mode)) return test_file(run, path);
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    bool right = n >= 0;
    for (int k = 0; k < n; k++) {
        char inner[MAX_PATH_TEXT];
        int len = snprintf(inner, sizeof inner, "%s/%s", path, names[k]->d_name);
        bool hidden = names[k]->d_name[0] == '.';
        if (!hidden && len > 0 && (size_t)len < sizeof inner && lstat(inner, &about) == 0 &&
            (S_ISDIR(about.st_mode) || is_clif(inner))) {
            right = filetest_path(run, inner) && right;
        }
        free(names[k]);
    }
    if (n >= 0) free(names);
    return right;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const FiletestGroup *)a)->name, ((const FiletestGroup *)b)->name);
}

static void put_counts(Json *j, unsigned passed, unsigned failed, unsigned skipped) {
    json_number(j, "passed", passed);
    json_number(j, "failed", failed);
    json_number(j, "skipped", skipped);
}

static void report_json(const FiletestRun *run) {
    Json j = json_begin();
    json_open(&j, "groups", '[');
    for (unsigned k = 0; k < run->n_groups; k++) {
        const FiletestGroup *g = &run->groups[k];
        json_open(&j, NULL, '{');
        json_text(&j, "name", g->name);
        json_number(&j, "files", g->files);
        put_counts(&j, g->passed, g->failed, g->skipped);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    put_counts(&j, run->passed, run->failed, run->skipped);
    json_end(&j);
}

void filetest_report(const FiletestRun *run) {
    if (run->n_groups) qsort(run->groups, run->n_groups, sizeof *run->groups, by_name);
    if (run->json) {
        report_json(run);
        return;
    }
    printf("%-32s %6s %7s %7s %7s\n", "group", "files", "passed", "failed", "skipped");
    for (unsigned k = 0; k < run->n_groups; k++) {
        const FiletestGroup *g = &run->groups[k];
        printf("%-32s %6u %7u %7u %7u\n", g->name, g->files, g->passed, g->failed, g->skipped);
    }
    printf("%u passed, %u failed, %u skipped\n", run->passed, run->failed, run->skipped);
}

void filetest_free(FiletestRun *run) {
    for (unsigned k = 0; k < run->n_groups; k++) free(run->groups[k].name);
    free(run->groups);
}
