// A second collector behind the heap's interface: generations that do not move, with both barriers. A write barrier
// that is left out somewhere loses an object that only an old one refers to; a read barrier checks what it is given.
#include <stdio.h>
#include <string.h>

#include "bytecode/write.h"
#include "program/program.h"
#include "unit.h"

enum { YOUNG, MARKED, OLD, FREED }; // ObjHeader.gc; a new object has 0

typedef struct Generations {
    VEC(ObjHeader *) young;
    VEC(Ref *) remembered; // slots that were stored to since the last collection
    VEC(ObjHeader *) work;
    unsigned until; // allocations until the next collection
    unsigned collections, loads, stores, freed;
} Generations;

enum { EVERY = 7 };

static void gen_visit(Heap *heap, Ref *slot) {
    Generations *g = heap->state;
    if (!*slot) return;
    ObjHeader *object = heap_header(*slot);
    ck_assert_msg(object->gc <= OLD, "a reference to what is no object");
    if (object->gc != YOUNG) return; // an old one's young ones are remembered
    object->gc = MARKED;
    vec_push(heap->arena, &g->work, object);
}

static void gen_scan(Heap *heap, ObjHeader *object) {
    const HeapType *type = &heap->types[object->type];
    Ref *words = (Ref *)(object + 1);
    if (type->kind == HEAP_ARRAY && type->refs)
        for (uint32_t k = 0; k < object->length; k++) gen_visit(heap, &words[k]);
    for (uint32_t k = 0; type->kind == HEAP_STRUCT && k < type->n_map * 32; k++)
        if (type->map[k / 32] >> k % 32 & 1) gen_visit(heap, &words[k]);
}

// What is young and reached becomes old; other young objects are made unusable.
static void gen_collect(Heap *heap) {
    Generations *g = heap->state;
    heap_each_root(heap, gen_visit);
    for (uint32_t k = 0; k < g->remembered.n; k++) gen_visit(heap, g->remembered.v[k]);
    while (g->work.n) gen_scan(heap, g->work.v[--g->work.n]);
    for (uint32_t k = 0; k < g->young.n; k++) {
        ObjHeader *object = g->young.v[k];
        if (object->gc == MARKED) {
            object->gc = OLD;
        } else {
            memset(object, 0xee, heap_object_bytes(heap, object));
            object->gc = FREED;
            g->freed++;
        }
    }
    g->young.n = g->remembered.n = 0;
    g->until = EVERY;
    g->collections++;
}

static void *gen_alloc(Heap *heap, uint64_t bytes) {
    Generations *g = heap->state;
    if (--g->until == 0) gen_collect(heap);
    ObjHeader *object = arena_alloc(heap->arena, bytes);
    vec_push(heap->arena, &g->young, object);
    return object;
}

static bool gen_start(Heap *heap) {
    Generations *g = NEW(heap->arena, Generations);
    heap->state = g;
    g->until = EVERY;
    return true;
}

static void gen_stop(Heap *heap) { (void)heap; }

static Ref gen_read(Heap *heap, Ref *slot) {
    Generations *g = heap->state;
    g->loads++;
    if (*slot) ck_assert_uint_le(heap_header(*slot)->gc, OLD);
    return *slot;
}

static void gen_write(Heap *heap, Ref *slot, Ref value) {
    Generations *g = heap->state;
    g->stores++;
    ck_assert_uint_eq(*slot, value);
    vec_push(heap->arena, &g->remembered, slot);
}

static const Collector generations = {
    .name = "generations",
    .start = gen_start,
    .stop = gen_stop,
    .alloc = gen_alloc,
    .collect = gen_collect,
    .read_barrier = gen_read,
    .write_barrier = gen_write,
};

// ---- programs on it -----------------------------------------------------------------------------

static const char *const names[] = {"binary_trees", "linked_list", "hash_table", "bytecode_vm", "globals", "shapes"};
enum { N_NAMES = sizeof names / sizeof *names, MAX_TEXT = 1 << 16 };

static const vtr_backend_options engines[] = {
    {.interpret = true}, {.opt = VTR_OPT_NONE}, {.opt = VTR_OPT_SPEED}, {.opt = VTR_OPT_SPEED, .target = "aarch64"}};

typedef struct Output {
    char text[MAX_TEXT];
    size_t n;
} Output;

static bool write_text(void *user, const char *bytes, size_t n) {
    Output *out = user;
    ck_assert_uint_lt(out->n + n, MAX_TEXT);
    memcpy(out->text + out->n, bytes, n);
    out->n += n;
    return true;
}

static size_t read_file(const char *name, const char *extension, char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/programs/%s.%s", VITRAIL_SOURCE, name, extension);
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "%s", path);
    size_t n = fread(text, 1, MAX_TEXT - 1, in);
    fclose(in);
    text[n] = 0;
    return n;
}

typedef struct Job {
    const char *name;
    const vtr_backend_options *options;
    Output out;
    Generations seen;
} Job;

// What vtr_backend_compile() makes, with another collector.
static void run_body(Ctx *ctx, void *arg) {
    Job *job = arg;
    static char text[MAX_TEXT];
    size_t n = read_file(job->name, "vita", text);
    Arena *arena = arena_new(ctx);
    vtr_program *program = NEW(arena, vtr_program);
    program->ctx = ctx;
    program->arena = arena;
    program->text = arena_new(ctx);
    program->options = *job->options;
    program->machine = jit_machine(ctx, job->options->target, NULL, false);
    RtOptions options = {.collector = &generations, .write = write_text, .write_user = &job->out};
    program->instance = rt_instance_new(arena, bc_assemble(ctx, job->name, text, n), &options);
    program->instance->engine = program;
    program_compile(program);
    vtr_value result;
    vtr_status status = vtr_program_run(program, NULL, NULL, 0, &result);
    ck_assert_msg(status == VTR_OK, "%s: %s %s", job->name, vtr_status_name(status), vtr_trap_text(program));
    char line[32] = "";
    if (result.type != VTR_VOID) snprintf(line, sizeof line, "%lld\n", (long long)result.as.i);
    write_text(&job->out, line, strlen(line));
    job->seen = *(Generations *)program->instance->heap->state;
}

START_TEST(generations_that_do_not_move) {
    static Job job;
    static char wanted[MAX_TEXT];
    unsigned collections = 0, stores = 0, loads = 0, freed = 0;
    for (unsigned k = 0; k < N_NAMES; k++) {
        vtr_context *ctx = test_context();
        job = (Job){.name = names[k], .options = &engines[_i]};
        vtr_status status = ctx_try(ctx, run_body, &job);
        vtr_diagnostic_info info = {0};
        vtr_diagnostic(ctx, 0, &info);
        ck_assert_msg(status == VTR_OK, "%s: %s", names[k], info.message ? info.message : "");
        read_file(names[k], "out", wanted);
        ck_assert_msg(!strcmp(job.out.text, wanted), "%s prints\n%s", names[k], job.out.text);
        collections += job.seen.collections;
        stores += job.seen.stores;
        loads += job.seen.loads;
        freed += job.seen.freed;
        vtr_context_free(ctx);
    }
    ck_assert(collections > 100 && stores > 1000 && loads > 1000 && freed > 100);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("collector");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, generations_that_do_not_move, 0, sizeof engines / sizeof *engines);
    return run_tests("collector", tc);
}
