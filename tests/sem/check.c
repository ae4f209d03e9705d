// Every instruction of a machine, executed by the simulator and by the machine itself, on many states:
//
//     check TARGET NAMES RUNNER...
//
// RUNNER executes on the machine (runner.c), for a foreign one in an emulator. NAMES is a file with the names of the
// instructions that this machine lacks, one a line: each must be refused there, and no other may. `wrong NAME` is one
// that the emulator gets wrong on some states: it must differ on some, and agree on most.
// Compared are registers, flags, memory, where control goes, and which exception is raised. What the description leaves
// undefined is not.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sem.h"
#include "support/buf.h"

enum { LEAST = 100, BLOCKS = 24, STATES = 8, SHOWN_EACH = 2, SHOWN = 60 };

static SemMachine machine;
static int to_runner, from_runner;
static Arena *arena;
static unsigned long failures, executed, exceptions, shown;

// ---- the machine ------------------------------------------------------------------------------------

static void start_runner(char **command) {
    int down[2];
    int up[2];
    if (pipe(down) || pipe(up)) abort();
    pid_t child = fork();
    if (child < 0) abort();
    if (!child) {
        dup2(down[0], STDIN_FILENO);
        dup2(up[1], STDOUT_FILENO);
        close(down[1]);
        close(up[0]);
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    close(down[0]);
    close(up[1]);
    to_runner = down[1];
    from_runner = up[0];
}

static void exchange(SemCase *c, SemState *out) {
    const struct {
        const void *at;
        size_t n;
    } parts[] = {{&c->block, sizeof c->block}, {c->start, c->block.n_states * sizeof *c->start}};
    for (unsigned k = 0; k < 2; k++) {
        for (size_t at = 0; at < parts[k].n;) {
            ssize_t n = write(to_runner, (const char *)parts[k].at + at, parts[k].n - at);
            if (n <= 0) {
                perror("writing to the runner");
                exit(2);
            }
            at += (size_t)n;
        }
    }
    for (size_t at = 0; at < parts[1].n;) {
        ssize_t n = read(from_runner, (char *)out + at, parts[1].n - at);
        if (n <= 0) {
            fprintf(stderr, "%s: the runner died\n", machine.target->insts[c->mop].name);
            exit(2);
        }
        at += (size_t)n;
    }
}

// ---- comparison --------------------------------------------------------------------------------------

static void begin(const SemCase *c, const char *what) {
    Buf text = buf_new(arena);
    machine.target->print(c->mop, c->slots, SEM_ANCHOR - c->block.size, c->block.size, &text);
    fprintf(stderr, "%s:", machine.target->insts[c->mop].name);
    for (unsigned k = 0; k < c->block.size; k++) fprintf(stderr, " %02x", c->block.bytes[k]);
    fprintf(stderr, " \"%s\": %s\n", buf_str(&text), what);
}

static void show(const char *name, uint64_t before, uint64_t simulated, uint64_t real) {
    fprintf(stderr, "    %-6s %016" PRIx64 " became %016" PRIx64 ", on the machine %016" PRIx64 "\n", name, before,
            simulated, real);
}

static void show_inputs(const SemCase *c, SemState *start) {
    for (unsigned k = 0; k < machine.target->insts[c->mop].n_slots; k++) {
        if (c->slots[k].kind != MO_PREG || !sem_place(&machine, start, c->slots[k].preg).w) continue;
        SemPlace p = sem_place(&machine, start, c->slots[k].preg);
        fprintf(stderr, "    %s = %016" PRIx64 "\n", machine.target->regs[c->slots[k].preg].name, p.w[0]);
    }
}

static uint64_t flags_of(uint64_t real) {
    uint64_t flags = 0;
    for (unsigned k = 0; k < machine.n_flags; k++) flags |= (real >> machine.flag_bits[k] & 1) << k;
    return flags;
}

// The words of a register that the description has: it may be narrower than the machine's.
static unsigned words_of(unsigned reg) {
    unsigned bits = 64;
    for (uint16_t mop = 0; mop < machine.target->n_insts; mop++) {
        const InstDesc *inst = &machine.target->insts[mop];
        for (unsigned i = 0; i < inst->n_opnds; i++) {
            const OpndDesc *d = &inst->opnds[i];
            if (d->type == OT_REG && d->cls != NO_CLASS && regset_has(machine.target->classes[d->cls].regs, reg) &&
                d->bits > bits)
                bits = d->bits;
        }
    }
    return bits / 64;
}

// The number of differences; `say`: shows them.
static unsigned compare_registers(SemCase *c, unsigned k, SemState *real, bool say) {
    static uint8_t words[SIM_REGS];
    unsigned n = 0;
    const SimState *end = &c->end[k];
    for (unsigned r = 0; r < machine.target->n_regs; r++) {
        SemPlace was = sem_place(&machine, &c->start[k], r);
        SemPlace is = sem_place(&machine, real, r);
        if (!is.w || regset_has(machine.reserved, r) || regset_has(end->unknown, r)) continue;
        if (!words[r]) words[r] = (uint8_t)words_of(r);
        if (r == machine.target->flags) {
            uint64_t defined = ~end->r[r].w[1] & ((UINT64_C(1) << machine.n_flags) - 1);
            if (!((end->r[r].w[0] ^ flags_of(*is.w)) & defined)) continue;
            n++;
            if (say) show("flags", flags_of(*was.w), end->r[r].w[0] & defined, flags_of(*is.w) & defined);
            continue;
        }
        for (unsigned w = 0; w < is.words && w < words[r]; w++) {
            if (end->r[r].w[w] == is.w[w]) continue;
            n++;
            if (say) show(machine.target->regs[r].name, was.w[w], end->r[r].w[w], is.w[w]);
        }
    }
    return n;
}

static unsigned compare(SemCase *c, unsigned k, SemState *real, bool say) {
    const SimState *end = &c->end[k];
    unsigned n = 0;
    bool raised = real->signal == SIGILL || real->signal == SIGTRAP || real->signal == SIGFPE;
    bool agree = end->event == SIM_NONE    ? !real->signal
                 : end->event == SIM_FAULT ? real->signal == SIGFPE
                 : end->event == SIM_BREAK ? real->signal == SIGTRAP
                                           : end->event == SIM_TRAP && raised && real->signal != SIGFPE;
    if (!agree) {
        if (say)
            fprintf(stderr, "    %s, on the machine signal %u\n", sim_event_text((SimEvent)end->event),
                    (unsigned)real->signal);
        return 1;
    }
    if (end->event != SIM_BREAK && end->pc != real->pc) {
        n++;
        if (say) show("pc", SEM_ANCHOR - c->block.size, end->pc, real->pc);
    }
    if (end->event) return n; // the machine's registers are those before
    n += compare_registers(c, k, real, say);
    for (unsigned w = 0; w < SEM_DATA_SIZE / 8; w++) {
        if (c->data[k][w] == real->data[w]) continue;
        n++;
        if (say) {
            char name[16];
            snprintf(name, sizeof name, "@%u", 8 * w);
            show(name, c->start[k].data[w], c->data[k][w], real->data[w]);
        }
    }
    return n;
}

// ---- instructions -------------------------------------------------------------------------------------

typedef struct Tally {
    unsigned states, raised, refused, different;
} Tally;

static void check_case(SemCase *c, Tally *tally, bool wrong) {
    static SemState real[SEM_MAX_STATES];
    exchange(c, real);
    for (unsigned k = 0; k < c->block.n_states; k++) {
        if (c->end[k].event == SIM_NONE && real[k].signal == SIGILL) {
            tally->refused++;
            continue;
        }
        tally->states++;
        tally->raised += c->end[k].event != SIM_NONE;
        if (!compare(c, k, &real[k], false)) continue;
        failures += !wrong;
        if (tally->different++ >= SHOWN_EACH || wrong || shown++ >= SHOWN) continue;
        begin(c, "simulated differently");
        show_inputs(c, &c->start[k]);
        compare(c, k, &real[k], true);
    }
}

static void fail(const InstDesc *inst, const char *why) {
    fprintf(stderr, "%s: %s\n", inst->name, why);
    failures++;
}

static unsigned n_forms(const InstDesc *inst) {
    for (unsigned i = 0; i < inst->n_opnds; i++)
        if (inst->opnds[i].type == OT_COMPOSITE) return machine.target->operands[inst->opnds[i].kind].n_forms;
    return 1;
}

// False when the machine refused it.
static bool check_inst(uint16_t mop, bool wrong) {
    static SemCase c;
    const InstDesc *inst = &machine.target->insts[mop];
    Tally tally = {0};
    unsigned forms = n_forms(inst);
    for (unsigned form = 0; form < forms; form++) {
        Tally before = tally;
        unsigned blocks = forms > 1 ? BLOCKS / 2 : BLOCKS;
        for (unsigned k = 0; k < blocks && !tally.refused; k++)
            if (sem_make(&machine, mop, form, STATES, &c)) check_case(&c, &tally, wrong);
        if (tally.states == before.states && !tally.refused) {
            char why[64];
            snprintf(why, sizeof why, "form %u of its operand was never executed", form);
            fail(inst, why);
        }
        arena_reset(arena);
    }
    executed += tally.states;
    exceptions += tally.raised;
    if (tally.refused) return false;
    bool always = tally.states == tally.raised; // a trap
    if (tally.states < LEAST || (!always && tally.states - tally.raised < LEAST / 4)) fail(inst, "too few states");
    if (wrong && !tally.different) fail(inst, "the emulator gets it right: it does not belong on the list");
    if (wrong && tally.different > tally.states / 2) fail(inst, "most states differ");
    return true;
}

static char *read_names(const char *path) {
    FILE *file = fopen(path, "r");
    static char text[1 << 16];
    if (!file) {
        perror(path);
        exit(2);
    }
    text[0] = '\n';
    size_t n = fread(text + 1, 1, sizeof text - 3, file);
    text[n + 1] = '\n';
    fclose(file);
    return text;
}

static bool is_listed(const char *names, const char *name) {
    char line[128];
    snprintf(line, sizeof line, "\n%s\n", name);
    return strstr(names, line) != NULL;
}

static void check_all(Ctx *ctx, void *arg) {
    const char *names = arg;
    unsigned n = 0;
    unsigned lacking = 0;
    unsigned absent = 0;
    arena = arena_new(ctx);
    for (uint16_t mop = 0; mop < machine.target->n_insts; mop++) {
        const InstDesc *inst = &machine.target->insts[mop];
        if (!machine.target->sim[mop]) continue;
        if (inst->features & ~machine.features) {
            absent++;
            continue;
        }
        unsigned decoded = sem_decoded_as(&machine, mop);
        if (decoded == NO_MOP) fail(inst, "what it is encoded as is not decoded");
        if (decoded != mop) continue; // executed under that name
        n++;
        char wrong[96];
        snprintf(wrong, sizeof wrong, "wrong %s", inst->name);
        bool has = check_inst(mop, is_listed(names, wrong));
        bool listed = is_listed(names, inst->name);
        lacking += !has;
        if (!has && !listed) fail(inst, "the machine refuses it");
        if (has && listed) fail(inst, "the machine has it: it does not belong on the list");
    }
    printf(
        "%s: %u instructions on %lu states, %lu of them raise an exception; %u the machine lacks, %u this processor; "
        "%lu failures\n",
        machine.target->name, n, executed, exceptions, lacking, absent, failures);
}

int main(int argc, char **argv) {
    Ctx *ctx = NULL;
    if (argc < 4 || !sem_machine(argv[1], &machine)) {
        fputs("usage: check TARGET NAMES RUNNER...\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    start_runner(argv + 3);
    sem_make_init(&machine);
    if (vtr_context_new(NULL, &ctx) != VTR_OK || ctx_try(ctx, check_all, read_names(argv[2])) != VTR_OK) return 2;
    vtr_context_free(ctx);
    return failures != 0;
}
