// vitrail run for IR text: one function of the file, interpreted or as machine code.
#include "run_clif.h"

#include <stdio.h>
#include <string.h>

#include "filetest.h"
#include "ir/text.h"
#include "runtime/number.h"
#include "verify/ir_verify.h"

typedef struct ClifRun {
    const ClifArgs *args;
    int code;
} ClifRun;

static bool has_name(const Func *f, const char *name) {
    return !strcmp(name_symbol(f->arena, f->name), name[0] == '%' ? name + 1 : name);
}

static Func *find(const IrFile *file, const char *name) {
    for (uint32_t k = 0; k < file->funcs.n; k++)
        if (!name || has_name(file->funcs.v[k], name)) return file->funcs.v[k];
    return NULL;
}

static vtr_type signed_type(uint8_t type) {
    static const uint8_t types[N_TYPES] = {
        [T_i8] = VTR_I8, [T_i16] = VTR_I16, [T_i32] = VTR_I32, [T_i64] = VTR_I64, [T_f32] = VTR_F32, [T_f64] = VTR_F64};
    return (vtr_type)types[type];
}

// CLIF's integers have no sign: -1 and 255 are the same i8.
static bool read_cell(const char *text, uint8_t type, uint64_t *cell) {
    static const uint8_t unsigned_types[N_TYPES] = {
        [T_i8] = VTR_U8, [T_i16] = VTR_U16, [T_i32] = VTR_U32, [T_i64] = VTR_U64};
    vtr_value value;
    bool ok = number_read(text, signed_type(type), &value);
    if (!ok && type != T_f32 && type != T_f64) ok = number_read(text, (vtr_type)unsigned_types[type], &value);
    if (!ok) return false;
    *cell = value.as.u;
    if (type == T_f32) {
        uint32_t bits;
        memcpy(&bits, &value.as.f32, sizeof bits);
        *cell = bits;
    }
    if (type == T_i8) *cell = (uint8_t)*cell;
    if (type == T_i16) *cell = (uint16_t)*cell;
    if (type == T_i32) *cell = (uint32_t)*cell;
    return true;
}

static void print_cell(uint64_t cell, uint8_t type) {
    char text[NUMBER_TEXT];
    uint32_t low = (uint32_t)cell;
    float narrow;
    double wide;
    memcpy(&narrow, &low, sizeof narrow);
    memcpy(&wide, &cell, sizeof wide);
    switch (type) {
    case T_i8: printf("%d", (int8_t)cell); break;
    case T_i16: printf("%d", (int16_t)cell); break;
    case T_i32: printf("%d", (int32_t)cell); break;
    case T_f32: fputs(number_f32(narrow, text), stdout); break;
    case T_f64: fputs(number_f64(wide, text), stdout); break;
    default: printf("%lld", (long long)cell); break;
    }
}

static int call_function(const ClifArgs *a, const IrFile *file, Func *f, Arena *arena) {
    const FiletestEngine *engine = a->interpret        ? &filetest_interpreter
                                   : a->machine.engine ? (a->speed ? &filetest_engine_speed : &filetest_engine_none)
                                   : a->speed          ? &filetest_native_speed
                                                       : &filetest_native_none;
    FiletestResult result = FILETEST_RAN;
    const char *why = "";
    if (f->sig.n_params != (uint32_t)a->n_args) {
        fprintf(stderr, "vitrail run: the function takes %u argument%s, %d given\n", f->sig.n_params,
                f->sig.n_params == 1 ? "" : "s", a->n_args);
        return 2;
    }
    uint64_t *cells = NEW_ARRAY(arena, uint64_t, f->sig.n_params);
    uint64_t *results = NEW_ARRAY(arena, uint64_t, f->sig.n_results);
    for (uint32_t k = 0; k < f->sig.n_params; k++) {
        if (read_cell(a->args[k], f->sig.params[k].type, &cells[k])) continue;
        fprintf(stderr, "vitrail run: argument %u: '%s' is no %s\n", k + 1, a->args[k],
                number_type_name(signed_type(f->sig.params[k].type)));
        return 2;
    }
    void *state =
        engine->open(a->interpret ? NULL : &a->machine, arena, file, file->funcs.v, file->funcs.n, &result, &why);
    if (state) result = engine->call(state, f, cells, results, &why);
    if (result != FILETEST_RAN || !state) fprintf(stderr, "%s: error: %s\n", a->input->path, why);
    for (uint32_t k = 0; state && result == FILETEST_RAN && k < f->sig.n_results; k++) {
        if (k) putchar(' ');
        print_cell(results[k], f->sig.results[k].type);
    }
    if (state && result == FILETEST_RAN && f->sig.n_results) putchar('\n');
    if (state && engine->close) engine->close(state);
    return state && result == FILETEST_RAN ? 0 : 1;
}

static void clif_body(Ctx *ctx, void *arg) {
    ClifRun *run = arg;
    const Input *in = run->args->input;
    Arena *arena = arena_new(ctx);
    const IrFile *file = verify_read(arena, in->path, in->bytes, in->size);
    Func *f = find(file, run->args->entry);
    if (!f && run->args->entry) ctx_fail(ctx, VTR_ERR_NOT_FOUND, "there is no function '%s'", run->args->entry);
    if (!f) ctx_fail(ctx, VTR_ERR_INPUT, "there is no function in it");
    run->code = call_function(run->args, file, f, arena);
    arena_free(arena);
}

int run_clif(vtr_context *context, const ClifArgs *args) {
    ClifRun run = {args, 1};
    vtr_status status = ctx_try(context, clif_body, &run);
    if (status != VTR_OK) input_report(context, args->input->path, status);
    return run.code;
}
