// Executes instructions on the machine this is compiled for: reads blocks from standard input, writes states to
// standard output (case.h). What depends on the machine is the code around: <isa>.S, and runner_* there or here.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "case.h"

_Static_assert(offsetof(SemState, vec) == SEM_VEC && offsetof(SemState, sp) == SEM_SP, "offsets");
_Static_assert(offsetof(SemState, flags) == SEM_FLAGS && offsetof(SemState, pc) == SEM_PC, "offsets");
_Static_assert(offsetof(SemState, host_sp) == SEM_HOST_SP && offsetof(SemState, temp) == SEM_TEMP, "offsets");

// Loads the state at SEM_STATE and goes to its entry; a pad comes back through sem_save.
void sem_run(void);
void sem_save(void);
#if !defined(__x86_64__)
extern const char sem_pad[], sem_pad_end[];
extern const char sem_entry[], sem_entry_end[]; // what stands before the instruction
#endif

static SemState *const live = (SemState *)SEM_STATE;
static uint8_t *const data = (uint8_t *)SEM_DATA;
static sigjmp_buf stopped;

#if defined(__x86_64__)
#define PC_OF(context) ((uint64_t)(context)->uc_mcontext.gregs[REG_RIP])
#define PAD_OFFSET 0 // from a pad to the pc it saves

// movl $pad, pc; jmp *save
static void fill_pads(uint8_t *code) {
    static const uint8_t text[] = {0xc7, 0x04, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x24, 0x25, 0, 0, 0, 0};
    const uint32_t pc = SEM_STATE + SEM_PC;
    const uint32_t save = SEM_STATE + SEM_SAVE;
    for (uint32_t at = 0; at < SEM_CODE_SIZE; at += SEM_PAD) {
        const uint32_t pad = SEM_CODE + at;
        memcpy(code + at, text, sizeof text);
        memcpy(code + at + 3, &pc, 4);
        memcpy(code + at + 7, &pad, 4);
        memcpy(code + at + 14, &save, 4);
    }
}
static uint8_t *put_entry(uint8_t *at) { return at; }
#else
#if defined(__aarch64__)
#define PC_OF(context) ((uint64_t)(context)->uc_mcontext.pc)
#else
#define PC_OF(context) ((uint64_t)(context)->uc_mcontext.__gregs[0])
#endif
#define PAD_OFFSET 4

static void fill_pads(uint8_t *code) {
    for (uint32_t at = 0; at < SEM_CODE_SIZE; at += SEM_PAD)
        memcpy(code + at, sem_pad, (size_t)(sem_pad_end - sem_pad));
}
// Loads the register that the way here needed.
static uint8_t *put_entry(uint8_t *at) {
    size_t n = (size_t)(sem_entry_end - sem_entry);
    return memcpy(at - n, sem_entry, n);
}
#endif

static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)info;
    live->signal = (uint64_t)signal;
    live->pc = PC_OF((ucontext_t *)context);
    siglongjmp(stopped, 1);
}

static void *map(uint64_t at, size_t n, int protection) {
    void *p = mmap((void *)at, n, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (void *)at) _exit(3);
    return p;
}

static void read_all(void *to, size_t n) {
    for (char *p = to; n;) {
        ssize_t got = read(STDIN_FILENO, p, n);
        if (got <= 0) _exit(p == (char *)to ? 0 : 4);
        p += got;
        n -= (size_t)got;
    }
}

static void write_all(const void *from, size_t n) {
    for (const char *p = from; n;) {
        ssize_t put = write(STDOUT_FILENO, p, n);
        if (put <= 0) _exit(5);
        p += put;
        n -= (size_t)put;
    }
}

static void run_one(SemState *state, uint64_t entry) {
    memcpy(data, state->data, SEM_DATA_SIZE);
    *live = *state;
    live->entry = entry;
    live->save = (uint64_t)(uintptr_t)sem_save;
    live->signal = 0;
    live->pc = 0;
    if (!sigsetjmp(stopped, 1)) {
        sem_run();
        live->pc -= PAD_OFFSET;
    }
    *state = *live;
    memcpy(state->data, data, SEM_DATA_SIZE);
}

static void catch_signals(void) {
    static char stack[1 << 16];
    static const int signals[] = {SIGILL, SIGTRAP, SIGFPE, SIGSEGV, SIGBUS};
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaltstack(&own, NULL);
    for (unsigned k = 0; k < sizeof signals / sizeof *signals; k++) sigaction(signals[k], &action, NULL);
}

int main(void) {
    static SemState states[SEM_MAX_STATES];
    uint8_t *code = map(SEM_CODE, SEM_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    map(SEM_DATA, SEM_PAGE, PROT_READ | PROT_WRITE);
    map(SEM_STATE, SEM_PAGE, PROT_READ | PROT_WRITE);
    fill_pads(code);
    catch_signals();
    uint8_t *anchor = code + (SEM_ANCHOR - SEM_CODE);
    for (;;) {
        SemBlock block;
        read_all(&block, sizeof block);
        if (block.n_states > SEM_MAX_STATES || block.size > sizeof block.bytes) return 6;
        read_all(states, block.n_states * sizeof *states);
        memcpy(anchor - block.size, block.bytes, block.size);
        uint8_t *entry = put_entry(anchor - block.size);
        __builtin___clear_cache((char *)anchor - 64, (char *)anchor);
        for (uint32_t k = 0; k < block.n_states; k++) run_one(&states[k], (uint64_t)(uintptr_t)entry);
        write_all(states, block.n_states * sizeof *states);
    }
}
