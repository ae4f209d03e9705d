// The main program of an executable that `vitrail build --exe` makes of a module: what `vitrail run` does with it, on
// code that is there already. Options come in the environment variable VITRAIL_RT, separated by commas:
//     gc-stress      move every object at every safepoint and unmap the old place
//     timeout=MS     interrupt the program (trap 12) after so many milliseconds
//     heap=BYTES     limit of the heap
//     entry=NAME     run this exported function
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "runtime/image.h"
#include "runtime/number.h"
#include "runtime/value.h"

// The module, in the object that this is linked with.
extern const RtImage vitrail_image;

enum { EXIT_INPUT = 1, EXIT_USAGE = 2 };

typedef struct Program {
    const char *name; // argv[0]
    char **args;
    int n_args;
    RtOptions options;
    unsigned long timeout; // milliseconds, 0 = none
    const char *entry;     // NULL = the one that was built in
    bool midline;          // the output so far does not end in a newline
    int status;
} Program;

static Instance *running; // for the signal handler

static void on_alarm(int signal) {
    (void)signal;
    // Two atomic stores. NOLINTNEXTLINE(bugprone-signal-handler): it knows the functions of the standard only
    if (running) rt_interrupt(running);
}

const void *const *vtr_rt_trap_exit(const char *sp, void *unused, const char *pc);
const void *const *vtr_rt_trap_exit(const char *sp, void *unused, const char *pc) {
    (void)unused;
    return rt_image_trap(&vitrail_image, sp, pc);
}

// ---- options -------------------------------------------------------------------------------------------

static bool number_option(const char *text, const char *name, uint64_t *value) {
    size_t n = strlen(name);
    if (strncmp(text, name, n) != 0 || text[n] != '=') return false;
    char *end;
    *value = strtoull(text + n + 1, &end, 10);
    return text[n + 1] && !*end;
}

static bool read_option(Program *p, char *text) {
    uint64_t number;
    if (!strcmp(text, "gc-stress")) p->options.heap.stress = true;
    else if (number_option(text, "timeout", &number)) p->timeout = number;
    else if (number_option(text, "heap", &number)) p->options.heap.limit = number;
    else if (!strncmp(text, "entry=", 6)) p->entry = text + 6;
    else return false;
    return true;
}

static bool read_options(Program *p) {
    const char *from = getenv("VITRAIL_RT");
    char *text = from ? strdup(from) : NULL; // lives as long as the program: options may point into it
    for (char *at = text ? strtok(text, ",") : NULL; at; at = strtok(NULL, ",")) {
        if (read_option(p, at)) continue;
        fprintf(stderr, "%s: VITRAIL_RT has no option '%s'\n", p->name, at);
        return false;
    }
    return true;
}

// ---- output --------------------------------------------------------------------------------------------

static bool output_write(void *user, const char *bytes, size_t n) {
    Program *p = user;
    p->midline = bytes[n - 1] != '\n';
    return fwrite(bytes, 1, n, stdout) == n;
}

static void report(const Program *p, Ctx *ctx, vtr_status status) {
    vtr_diagnostic_info info;
    for (size_t k = 0; vtr_diagnostic(ctx, k, &info); k++) fprintf(stderr, "%s: error: %s\n", p->name, info.message);
    if (!vtr_diagnostic_count(ctx)) fprintf(stderr, "%s: error: %s\n", p->name, vtr_status_name(status));
}

// ---- running -------------------------------------------------------------------------------------------

static uint32_t find_entry(const Program *p) {
    const BcModule *m = vitrail_image.module;
    if (!p->entry) return vitrail_image.entry;
    const BcExport *found = bc_export_find(m, BC_KIND_FUNC, p->entry, strlen(p->entry));
    return found ? found->index : BC_NONE;
}

static bool read_args(const Program *p, const BcType *sig, uint64_t *words) {
    if (sig->n != p->n_args) {
        fprintf(stderr, "%s: the function takes %u arguments, %d given\n", p->name, (unsigned)sig->n, p->n_args);
        return false;
    }
    for (uint32_t k = 0; k < sig->n; k++) {
        vtr_value value;
        vtr_type type = value_public_type(vitrail_image.module, sig->params[k]);
        if (!number_read(p->args[k], type, &value)) {
            fprintf(stderr, "%s: argument %u: '%s' is no %s\n", p->name, (unsigned)k + 1, p->args[k],
                    number_type_name(type));
            return false;
        }
        words[k] = value_to_word(value);
    }
    return true;
}

static void start_timer(const Program *p) {
    if (!p->timeout) return;
    struct itimerval timer = {.it_value = {(time_t)(p->timeout / 1000), (suseconds_t)(p->timeout % 1000) * 1000}};
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void program_body(Ctx *ctx, void *arg) {
    Program *p = arg;
    const BcModule *m = vitrail_image.module;
    uint32_t func = find_entry(p);
    if (func == BC_NONE) {
        if (p->entry) fprintf(stderr, "%s: error: there is no exported function '%s'\n", p->name, p->entry);
        else fprintf(stderr, "%s: error: the module has no entry function\n", p->name);
        p->status = EXIT_INPUT;
        return;
    }
    const BcType *sig = bc_type(m, bc_function_sig(m, func));
    uint64_t words[UINT8_MAX + 1];
    uint64_t result;
    if (!read_args(p, sig, words)) {
        p->status = EXIT_USAGE;
        return;
    }
    Arena *arena = arena_new(ctx);
    p->options.write = output_write;
    p->options.write_user = p;
    running = rt_image_instance(arena, &vitrail_image, &p->options);
    start_timer(p);
    uint32_t code = rt_image_call(running, func, words, &result);
    char text[VALUE_TEXT];
    if (!code && value_text(value_from_word(m, sig->elem, result), text)) {
        if (p->midline) putchar('\n');
        puts(text);
    }
    fflush(stdout);
    if (code == RT_EXIT_HOST) {
        fprintf(stderr, "%s: error: %s\n", p->name, vtr_status_name(running->host_status));
    } else if (code) {
        Buf out = buf_new(arena);
        rt_trap_print(running, &out);
        fputs(buf_str(&out), stderr);
    }
    p->status = code ? EXIT_INPUT : 0;
    running = NULL;
    arena_free(arena);
}

int main(int argc, char **argv) {
    Program p = {.name = argv[0], .args = argv + 1, .n_args = argc - 1};
    if (p.n_args && !strcmp(p.args[0], "--")) { // as `vitrail run` lets negative arguments be told from options
        p.args++;
        p.n_args--;
    }
    if (!read_options(&p)) return EXIT_USAGE;
    if (!rt_image_check(&vitrail_image)) {
        fprintf(stderr, "%s: error: the module was compiled for another version of the runtime\n", p.name);
        return EXIT_INPUT;
    }
    Ctx *ctx;
    if (vtr_context_new(NULL, &ctx) != VTR_OK) return EXIT_INPUT;
    vtr_status status = ctx_try(ctx, program_body, &p);
    if (status != VTR_OK) {
        report(&p, ctx, status);
        p.status = EXIT_INPUT;
    }
    vtr_context_free(ctx);
    return p.status;
}
