#include "wasm_case.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aot/aot.h"
#include "aot/wasm_meta.h"
#include "select/select.h"
#include "stack/stack.h"

// Where things are in the area.
enum { AREA_RESULTS = 512, AREA_MEMORY = 1024, AREA_SIZE = 1024 + 128 };

// What trapped, as wasm_run.mjs numbers it.
enum { KIND_NONE, KIND_UNREACHABLE, KIND_DIVIDE_BY_ZERO, KIND_DIVIDE, KIND_TRUNCATE, KIND_MEMORY };

// ---- the engine ---------------------------------------------------------------------------------

struct WasmEngine {
    Ctx *ctx;
    pid_t pid;
    FILE *to, *from;
};

static void engine_end(void *data) {
    WasmEngine *e = data;
    fclose(e->to);
    fclose(e->from);
    kill(e->pid, SIGKILL);
    waitpid(e->pid, NULL, 0);
}

WasmEngine *wasm_engine_new(Arena *arena) {
    int to[2];
    int from[2];
    if (pipe(to) || pipe(from)) return NULL;
    WasmEngine *e = NEW(arena, WasmEngine);
    e->ctx = arena_ctx(arena);
    fflush(stdout);
    e->pid = fork();
    if (e->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int k = 0; k < 2; k++) {
            close(to[k]);
            close(from[k]);
        }
        execlp("node", "node", RANDOM_SOURCE "/wasm_run.mjs", (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    e->to = fdopen(to[1], "w");
    e->from = fdopen(from[0], "r");
    arena_on_free(arena, engine_end, e);
    return e;
}

int wasm_engine_process(const WasmEngine *engine) { return engine->pid; }

static void engine_get(WasmEngine *e, void *to, size_t n) {
    if (fread(to, 1, n, e->from) != n) ctx_fail(e->ctx, VTR_ERR_INTERNAL, "the engine ended");
}

static uint32_t engine_u32(WasmEngine *e) {
    uint32_t x;
    engine_get(e, &x, sizeof x);
    return x;
}

// ---- modules ------------------------------------------------------------------------------------

typedef struct Call {
    uint32_t number;
    Arguments args;
} Call;

struct WasmCase {
    Arena *arena;
    Wasm *w;
    uint32_t area;          // segment
    VEC(const Sig *) sigs;  // by number
    VEC(uint32_t) pointers; // which argument is the pointer
    VEC(Call) calls;
};

WasmCase *wasm_case_new(Arena *arena, const Target *target) {
    WasmCase *c = NEW(arena, WasmCase);
    c->arena = arena;
    c->w = wasm_new(arena, target, target->baseline);
    c->w->stack_size = 1 << 18;
    c->area = wasm_data(c->w, ".bss", WASM_ZERO, 16);
    c->w->datas.v[c->area].size = AREA_SIZE;
    return c;
}

static uint32_t resolve(void *user, const CodeReloc *r) {
    WasmCase *c = user;
    if (r->name.kind == NAME_TEXT) {
        const char *function = aot_libcall(r->name.text);
        uint32_t sym = wasm_symbol(c->w, function ? function : r->name.text);
        if (function) wasm_import(c->w, sym, "vitrail", function);
        return sym;
    }
    return wasm_symbol(c->w, name_symbol(c->arena, r->name));
}

uint32_t wasm_case_add(WasmCase *c, const RandomProgram *program, const Way *way) {
    Arena *arena = arena_new(arena_ctx(c->arena));
    uint32_t number = c->sigs.n;
    Sig *sig = NEW(c->arena, Sig);
    *sig = program->entry->sig;
    vec_push(c->arena, &c->sigs, sig);
    vec_push(c->arena, &c->pointers, program->memory_arg);
    Func *entry = wasm_entry_func(arena_ctx(arena), way->target, sig, program->entry->name);
    for (uint32_t k = 0; k <= program->n; k++) {
        Func *f = k < program->n ? program->funcs[k] : entry;
        CodeReloc own = {.name = f->name};
        uint32_t sym = k < program->n ? resolve(c, &own) : wasm_local(c->w, arena_printf(c->arena, "e%u", number));
        wasm_code(c->w, case_code(arena, f, way), sym, resolve, c);
        if (k == program->n) wasm_export(c->w, sym, c->w->syms.v[sym].name);
        arena_reset(arena);
    }
    arena_free(entry->arena);
    arena_free(arena);
    return number;
}

void wasm_case_call(WasmCase *c, uint32_t number, const Arguments *args) {
    vec_push(c->arena, &c->calls, (Call){number, *args});
}

static void send(WasmCase *c, WasmEngine *e, const Buf *file) {
    uint64_t area = c->w->datas.v[c->area].addr;
    uint32_t head[2] = {file->bytes.n, c->calls.n};
    fwrite(head, sizeof head, 1, e->to);
    fwrite(&area, sizeof area, 1, e->to);
    fwrite(file->bytes.v, file->bytes.n, 1, e->to);
    for (uint32_t k = 0; k < c->calls.n; k++) {
        Call *call = &c->calls.v[k];
        const Sig *sig = c->sigs.v[call->number];
        uint32_t of_call[4] = {call->number, sig->n_params, sig->n_results, RANDOM_ROOM};
        uint32_t pointer = c->pointers.v[call->number];
        if (pointer != NONE) call->args.values[pointer] = area + AREA_MEMORY;
        fwrite(of_call, sizeof of_call, 1, e->to);
        fwrite(call->args.values, sizeof *call->args.values, sig->n_params, e->to);
        fwrite(call->args.memory, RANDOM_ROOM, 1, e->to);
    }
    if (fflush(e->to)) ctx_fail(e->ctx, VTR_ERR_INTERNAL, "the engine ended");
}

// Whether an instruction of a kind may trap with a code.
static bool fits(uint32_t kind, uint8_t trap) {
    switch (kind) {
    case KIND_DIVIDE_BY_ZERO: return trap == TRAP_int_divz;
    case KIND_DIVIDE: return trap == TRAP_int_ovf;
    case KIND_TRUNCATE: return trap == TRAP_int_ovf || trap == TRAP_bad_toint;
    default: return true;
    }
}

// The trap code of what trapped at a place in the file, 0 = there is none.
static uint8_t trap_at(const WasmCase *c, uint32_t kind, uint32_t place) {
    const Wasm *w = c->w;
    for (uint32_t k = 0; k < w->funcs.n; k++) {
        const WasmFunc *f = &w->funcs.v[k];
        uint64_t first = w->code_at + f->at;
        if (place < first || place >= first + f->size) continue;
        for (uint32_t s = 0; s < f->code->sites.n; s++) {
            const CodeSite *site = &f->code->sites.v[s];
            if (site->kind == SITE_TRAP && first + site->at == place && fits(kind, site->trap)) return site->trap;
        }
    }
    return 0;
}

static void receive(WasmCase *c, WasmEngine *e, Outcome *outcomes) {
    if (engine_u32(e)) {
        uint32_t n = engine_u32(e);
        char *text = arena_alloc(c->arena, n + 1);
        engine_get(e, text, n);
        ctx_fail(e->ctx, VTR_ERR_INTERNAL, "not valid: %s", text);
    }
    for (uint32_t k = 0; k < c->calls.n; k++) {
        Outcome *out = &outcomes[k];
        *out = (Outcome){.status = IR_INTERP_OK};
        uint32_t kind = engine_u32(e);
        uint32_t place = engine_u32(e);
        engine_get(e, out->results, c->sigs.v[c->calls.v[k].number]->n_results * sizeof *out->results);
        engine_get(e, out->memory, RANDOM_ROOM);
        if (!kind) continue;
        out->status = IR_INTERP_TRAP;
        out->trap = trap_at(c, kind, place);
    }
}

static void write_file(WasmCase *c, const char *name, const Buf *bytes) {
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(bytes->bytes.v, 1, bytes->bytes.n, file) != bytes->bytes.n || fclose(file))
        ctx_fail(arena_ctx(c->arena), VTR_ERR_SYSTEM, "%s: not written", name);
}

static void validate_file(WasmCase *c, const char *name) {
    char *command =
        arena_printf(c->arena, "wasm-validate --enable-memory64 --enable-tail-call '%s' >/dev/null 2>&1", name);
    if (system(command)) ctx_fail(arena_ctx(c->arena), VTR_ERR_INTERNAL, "not valid: %s", command);
}

void wasm_case_run(WasmCase *c, WasmEngine *engine, const char *keep, bool validate, Outcome *outcomes) {
    Buf file = wasm_module(c->w, c->arena);
    char *name = arena_printf(c->arena, "%s", keep ? keep : "random.wasm.XXXXXX");
    if (validate && !keep) close(mkstemp(name));
    if (keep || validate) write_file(c, name, &file);
    if (validate) validate_file(c, name);
    if (validate && !keep) unlink(name);
    send(c, engine, &file);
    receive(c, engine, outcomes);
}
