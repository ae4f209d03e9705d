// `vitrail show`: one function or all of them at any stage of the way.
#include <inttypes.h>
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/read.h"
#include "bytecode/write.h"
#include "commands.h"
#include "input.h"
#include "irgen/irgen.h"
#include "compile/compile.h"
#include "list_body.h"
#include "listing.h"
#include "number.h"
#include "show_out.h"
#include "stress.h"
#include "verify/ir_verify.h"

typedef enum Stage { SHOW_BYTECODE, SHOW_IR, SHOW_OPT, SHOW_SELECT, SHOW_ALLOC, SHOW_ASM, N_SHOW } Stage;
static const char *const stage_names[N_SHOW] = {"bytecode", "ir", "opt", "select", "alloc", "asm"};

typedef struct Show {
    Input input;
    const Target *target;
    Stress stress;
    Stage stage;
    OptLevel opt;
    const char *func; // NULL = all
    const char *pass; // print the IR after this pass instead
    uint64_t fuel;
    ShowOut out;
    bool time; // say how long each pass and stage took
    bool found;
} Show;

typedef struct CodeListing {
    const Code *code;
    uint32_t reloc; // the first that was not printed yet; they rise
} CodeListing;

// The relocations of the instruction that ends at `end`.
static void print_relocs(void *user, uint32_t end, uint16_t mop, const MOpnd *slots, Buf *out) {
    CodeListing *l = user;
    (void)mop;
    (void)slots;
    for (; l->reloc < l->code->relocs.n && l->code->relocs.v[l->reloc].at < end; l->reloc++) {
        const CodeReloc *reloc = &l->code->relocs.v[l->reloc];
        buf_printf(out, "    ; %s ", l->code->target->relocs[reloc->reloc].name);
        if (l->code->target->stack && reloc->reloc == l->code->target->stack->reloc_type)
            buf_printf(out, "type %u", reloc->type - 1);
        else name_put(out, reloc->name);
        if (reloc->addend) buf_printf(out, "%+" PRId64, reloc->addend);
    }
}

static void print_code(Show *show, Arena *arena, const Code *code) {
    const Target *t = code->target;
    Buf out = buf_new(arena);
    CodeListing l = {.code = code};
    if (t->stack) {
        list_body(arena_ctx(arena), &(BodyListing){t, code->bytes, print_relocs, &l}, 0, code->n_code, &out);
    } else {
        for (uint32_t at = 0; at < code->n_code;) {
            at += listing_line(t, code->bytes + at, code->n_code - at, at, 0, &out);
            print_relocs(&l, at, NO_MOP, NULL, &out);
            buf_char(&out, '\n');
        }
    }
    if (code->n > code->n_code)
        buf_printf(&out, "%6x:  %u bytes of constants and tables\n", code->n_code, code->n - code->n_code);
    show_code(&show->out, buf_str(&out));
}

static void on_stage(void *user, const CompileView *view) {
    Show *show = user;
    if (show->pass) return;
    if (view->stage == STAGE_OPT && show->stage == SHOW_OPT) show_ir(&show->out, view->func);
    if (view->stage == STAGE_SELECT && show->stage == SHOW_SELECT) show_machine(&show->out, view->mfunc);
    if (view->stage == STAGE_ALLOC && show->stage == SHOW_ALLOC) show_machine(&show->out, view->mfunc);
    if (view->stage == STAGE_ASM && show->stage == SHOW_ASM) print_code(show, view->func->arena, view->code);
}

static void on_pass(void *user, const char *pass, const Func *f) {
    Show *show = user;
    if (!show->pass || strcmp(show->pass, pass) != 0) return;
    if (show->out.format == SHOW_TEXT) printf("; after %s\n", pass);
    show_ir(&show->out, f);
}

static void on_pass_time(void *user, const char *pass, uint64_t nanoseconds) {
    (void)user;
    fprintf(stderr, "%10.1f us  pass %s\n", (double)nanoseconds / 1e3, pass);
}

static void print_times(const uint64_t *times) {
    static const char *const names[N_STAGES] = {[STAGE_IR] = "verify",
                                                [STAGE_OPT] = "all passes",
                                                [STAGE_SELECT] = "select",
                                                [STAGE_ALLOC] = "allocate, and prove it",
                                                [STAGE_ASM] = "emit"};
    for (unsigned k = 0; k < N_STAGES; k++) fprintf(stderr, "%10.1f us  %s\n", (double)times[k] / 1e3, names[k]);
}

// Compiles a function; the callbacks above print on the way what was asked for.
static void compile_and_show(Arena *out, Show *show, Func *f, const char *name) {
    bool derivation = show->pass && !strcmp(show->pass, "select");
    Buf trace = buf_new(out);
    uint64_t times[N_STAGES] = {0};
    CompileOptions options = {.target = show->target,
                              .features = show->target == target_host() ? show->target->host_features()
                                                                        : show->target->baseline,
                              .opt = show->opt,
                              .fuel = show->fuel,
                              .check = true,
                              .stress = &show->stress,
                              .dump = on_stage,
                              .dump_pass = on_pass,
                              .time_pass = show->time ? on_pass_time : NULL,
                              .dump_user = show,
                              .trace = derivation ? &trace : NULL,
                              .times = show->time ? times : NULL};
    if (show->time) fprintf(stderr, "%s:\n", name);
    compile_func(out, f, &options);
    if (derivation && show->out.format == SHOW_TEXT) printf("%s:\n%s\n", name, buf_str(&trace));
    else if (derivation) show_lines(&show->out, buf_str(&trace));
    if (show->time) print_times(times);
}

static void show_func(Ctx *ctx, Show *show, Func *f, const char *name) {
    if (show->func && strcmp(show->func, name) != 0) return;
    show->found = true;
    show->out.function = name;
    if (show->stage == SHOW_IR && !show->pass) {
        show_ir(&show->out, f);
        return;
    }
    Arena *out = arena_new(ctx);
    compile_and_show(out, show, f, name);
    arena_free(out);
}

// Whether `name` is a pass, or `select`, whose derivation can be shown as well.
static bool is_pass(const char *name) {
    const char *pass;
    for (unsigned k = 0; passes_describe(k, &pass, NULL); k++) {
        if (!strcmp(name, pass)) return true;
    }
    return !strcmp(name, "select");
}

static void list_passes(void) {
    const char *name;
    const char *why;
    for (unsigned k = 0; passes_describe(k, &name, &why); k++) printf("%-18s %s\n", name, why);
    printf("%-18s %s\n", "select", "shows which rule covered which values");
}

static void show_clif(Ctx *ctx, Show *show, Arena *arena) {
    if (show->stage == SHOW_BYTECODE) ctx_fail(ctx, VTR_ERR_INPUT, "this is CLIF: it has no bytecode stage");
    IrFile *file = ir_read(arena, show->input.path, show->input.bytes, show->input.size, CC_SYSTEM_V);
    bool right = true;
    for (uint32_t k = 0; k < file->skipped.n; k++) {
        const IrSkipped *skipped = &file->skipped.v[k];
        if (!show->func || strcmp(show->func, name_symbol(arena, skipped->name)) != 0) continue;
        diag_error(ctx, skipped->place, "unsupported: %s", skipped->reason);
        ctx_throw(ctx, VTR_ERR_UNSUPPORTED);
    }
    for (uint32_t k = 0; k < file->funcs.n; k++) right = verify_func(file->funcs.v[k]) && right;
    if (!right) ctx_throw(ctx, VTR_ERR_INPUT);
    for (uint32_t k = 0; k < file->funcs.n; k++)
        show_func(ctx, show, file->funcs.v[k], name_symbol(arena, file->funcs.v[k]->name));
}

static void show_module(Ctx *ctx, Show *show, Arena *arena) {
    const Input *in = &show->input;
    BcModule *m = in->kind == INPUT_VITA ? bc_assemble(ctx, in->path, in->bytes, in->size)
                                         : bc_read(ctx, in->path, in->bytes, in->size, true);
    if (show->stage == SHOW_BYTECODE) {
        Buf text = buf_new(arena);
        bc_disassemble(m, &text);
        show->out.function = NULL;
        show_lines(&show->out, buf_str(&text));
        show->found = true;
        return;
    }
    IrgenOptions engine = irgen_engine(false);
    Irgen irgen = irgen_start(m, show->target && show->target->stack ? &engine : NULL);
    for (uint32_t k = 0; k < bc_n_functions(m); k++) {
        Arena *own = arena_new(ctx);
        show_func(ctx, show, irgen_func(&irgen, own, k), bc_function_name(m, k, own));
        arena_free(own);
    }
}

static void show_input(Ctx *ctx, void *arg) {
    Show *show = arg;
    Arena *arena = arena_new(ctx);
    show_begin(&show->out, show->input.path, show->pass ? show->pass : stage_names[show->stage], show->target->name);
    if (show->input.kind == INPUT_CLIF) show_clif(ctx, show, arena);
    else show_module(ctx, show, arena);
    show_end(&show->out);
    if (!show->found && show->func) ctx_fail(ctx, VTR_ERR_NOT_FOUND, "there is no function '%s'", show->func);
    if (!show->found) ctx_fail(ctx, VTR_ERR_INPUT, "there is no function in it");
    arena_free(arena);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    Show *show = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &show->stress; return 0;
    case 's':
        if (!strcmp(arg, "cfg")) {
            show->stage = SHOW_OPT;
            show->out.format = SHOW_DOT;
            return 0;
        }
        for (show->stage = 0; show->stage < N_SHOW; show->stage++) {
            if (!strcmp(stage_names[show->stage], arg)) return 0;
        }
        argp_error(state, "there is no stage '%s'", arg);
        return 0;
    case 'f': show->func = arg[0] == '%' ? arg + 1 : arg; return 0;
    case 'd':
        if (!strcmp(arg, "help")) {
            list_passes();
            exit(0);
        }
        if (!is_pass(arg)) argp_error(state, "there is no pass '%s'; '-d help' lists them", arg);
        show->pass = arg;
        return 0;
    case 'F':
        if (!strcmp(arg, "text")) show->out.format = SHOW_TEXT;
        else if (!strcmp(arg, "json")) show->out.format = SHOW_JSON;
        else if (!strcmp(arg, "dot")) show->out.format = SHOW_DOT;
        else argp_error(state, "--format takes text, json or dot, not '%s'", arg);
        return 0;
    case 'j': show->out.format = SHOW_JSON; return 0;
    case 'T': show->time = true; return 0;
    case 'u': show->fuel = read_number(state, "--fuel", arg, UINT64_MAX); return 0;
    case 't':
        show->target = target_find(arg);
        if (!show->target) argp_error(state, "there is no target '%s'", arg);
        return 0;
    case 'O':
        if (strcmp(arg, "none") != 0 && strcmp(arg, "speed") != 0) argp_error(state, "-O takes none or speed");
        show->opt = strcmp(arg, "none") != 0 ? OPT_SPEED : OPT_NONE;
        return 0;
    case ARGP_KEY_ARG:
        if (show->input.path) return ARGP_ERR_UNKNOWN;
        show->input.path = arg;
        return 0;
    case ARGP_KEY_END:
        if (!show->input.path) argp_error(state, "which file?");
        if (show->stage == SHOW_ALLOC && show->target && show->target->stack)
            argp_error(state, "%s has no registers to allocate, and no such stage", show->target->name);
        if (show->out.format == SHOW_DOT && !show->pass && (show->stage == SHOW_BYTECODE || show->stage == SHOW_ASM))
            argp_error(state, "graphs are of the stages ir, opt, select and alloc");
        if (show->out.format == SHOW_DOT && show->pass && !strcmp(show->pass, "select"))
            argp_error(state, "what selection did is no graph");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int cmd_show(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"stage", 's', "STAGE", 0, "bytecode, ir, opt, select, alloc, asm (the default) or cfg", 0},
        {"format", 'F', "FORMAT", 0, "text (the default), json, or dot (a graph of blocks, for Graphviz)", 0},
        {"json", 'j', NULL, 0, "The same as --format json", 0},
        {"func", 'f', "NAME", 0, "Only this function", 0},
        {"target", 't', "TARGET", 0, "The machine; this one by default", 0},
        {"optimise", 'O', "LEVEL", 0, "none or speed (the default)", 0},
        {"dump", 'd', "PASS", 0,
         "Print the IR after this pass instead; select: which rule covered which values; "
         "help: list the passes, with why each stands where it does",
         0},
        {"time", 'T', NULL, 0, "Say on stderr how long each pass and stage took", 0},
        {"fuel", 'u', "N", 0, "Stop optimising after N rewrites, to find the one that breaks a program", 0},
        {0},
    };
    static const struct argp_child children[] = {{&stress_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        "FILE",
        "Shows what a .vitbc, .vita or .clif file becomes on its way to machine code."
        "\vStages: bytecode (as assembler text), ir (as it comes in), opt (after the passes), select (machine "
        "instructions on virtual registers), alloc (on physical ones), asm (the encoded instructions); cfg is opt with "
        "--format dot, for `dot -Tsvg`.",
        children,
        NULL,
        NULL};
    argp_err_exit_status = EXIT_USAGE;
    Show show = {.stage = SHOW_ASM, .opt = OPT_SPEED, .target = target_host()};
    argp_parse(&argp, argc, argv, 0, NULL, &show);
    if (!show.target) {
        fputs("vitrail show: this machine is no target; name one with --target\n", stderr);
        return EXIT_USAGE;
    }
    Ctx *ctx;
    if (!input_open(show.input.path, &show.input, &ctx)) return EXIT_INPUT;
    vtr_status status = ctx_try(ctx, show_input, &show);
    if (status != VTR_OK) input_report(ctx, show.input.path, status);
    vtr_context_free(ctx);
    input_free(&show.input);
    return status == VTR_OK ? 0 : EXIT_INPUT;
}
