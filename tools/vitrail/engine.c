#include "engine.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "installed.h"

extern char **environ;

struct Engine {
    pid_t child; // 0 = there is none
    int socket;
    uint32_t timeout; // of the module
    char *text;       // the last answer, NUL-terminated behind its contents
    size_t size;      // of its contents
    char kind;
    uint32_t trap;
};

enum {
    MESSAGE_MAX = 1 << 30,
    HEAD = 5,               // bytes of a message before its contents
    GRACE = 5000,           // milliseconds that an interrupted call may need to come back
    STACK_MAX = 256 << 10,  // KiB of stack that Node is told to use at most
    STACK_LEFT = 1024,      // KiB of the thread's stack that it does not use itself
    CELL = sizeof(uint64_t) // of an argument or result
};

// ---- errors ------------------------------------------------------------------------------------------

// Keeps a text as the answer to the last request.
__attribute__((format(printf, 2, 3))) static EngineResult fail(Engine *e, const char *format, ...) {
    va_list args;
    char text[1024];
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    free(e->text);
    e->text = strdup(text);
    e->size = n < 0 ? 0 : strlen(text);
    return ENGINE_ERROR;
}

const char *engine_text(const Engine *engine) { return engine->text ? engine->text : "out of memory"; }
uint32_t engine_trap(const Engine *engine) { return engine->trap; }

static void end_child(Engine *e, bool kill_it, int *status) {
    if (kill_it) kill(e->child, SIGKILL);
    close(e->socket);
    while (waitpid(e->child, status, 0) < 0 && errno == EINTR) continue;
    e->child = 0;
}

// The socket does not answer any more.
static EngineResult lost(Engine *e) {
    int status = 0;
    end_child(e, false, &status);
    if (WIFSIGNALED(status)) return fail(e, "Node.js was ended by signal %d", WTERMSIG(status));
    return fail(e, "Node.js ended with status %d", WEXITSTATUS(status));
}

// ---- starting ----------------------------------------------------------------------------------------

// As much stack as native code would have.
static unsigned stack_size(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0) return STACK_LEFT;
    rlim_t size = limit.rlim_cur == RLIM_INFINITY ? STACK_MAX : limit.rlim_cur / 1024;
    if (size > STACK_MAX) size = STACK_MAX;
    return size > (rlim_t)2 * STACK_LEFT ? (unsigned)size - STACK_LEFT : STACK_LEFT;
}

static int spawn(Engine *e, const char *node, char *script, int end) {
    char stack[48];
    snprintf(stack, sizeof stack, "--stack-size=%u", stack_size());
    char *words[] = {(char *)node, stack, script, NULL};
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions)) return ENOMEM;
    // Whatever it prints by itself goes where our errors go.
    int error = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, end, STDIN_FILENO);
    if (!error) error = posix_spawnp(&e->child, node, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

Engine *engine_start(void) {
    const char *chosen = getenv("VITRAIL_NODE");
    const char *node = chosen && *chosen ? chosen : "node";
    char script[PATH_MAX];
    int ends[2];
    Engine *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    static const char *const places[] = {"share/vitrail", "../share/vitrail", NULL};
    if (!installed_find(places, "engine.mjs", script, sizeof script)) {
        fail(e, "the loader of WebAssembly modules (share/vitrail/engine.mjs) is not installed beside this program");
        return e;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        fail(e, "no socket for Node.js: %s", strerror(errno));
        return e;
    }
    int error = spawn(e, node, script, ends[1]);
    close(ends[1]);
    e->socket = ends[0];
    if (!error) return e;
    e->child = 0;
    close(ends[0]);
    fail(e,
         "WebAssembly runs in Node.js, but '%s' cannot be started: %s; install it (Debian: apt-get install nodejs) or "
         "name it in VITRAIL_NODE",
         node, strerror(error));
    return e;
}

void engine_stop(Engine *engine) {
    int status;
    if (!engine) return;
    if (engine->child) end_child(engine, true, &status);
    free(engine->text);
    free(engine);
}

// ---- messages ----------------------------------------------------------------------------------------

static bool send_bytes(const Engine *e, const void *bytes, size_t n) {
    for (const char *at = bytes; n;) {
        ssize_t sent = send(e->socket, at, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

// Waits until there is something to read; `until` 0 = for ever.
static bool wait_for(const Engine *e, uint64_t until) {
    for (;;) {
        uint64_t now = until ? now_ms() : 0;
        if (until && now >= until) return false;
        struct pollfd one = {.fd = e->socket, .events = POLLIN};
        int got = poll(&one, 1, until ? (int)(until - now) : -1);
        if (got > 0) return true;
        if (got < 0 && errno != EINTR) return true; // reading tells
    }
}

typedef enum Receive { RECEIVED, TOO_LATE, CLOSED } Receive;

static Receive receive_bytes(const Engine *e, void *bytes, size_t n, uint64_t until) {
    for (char *at = bytes; n;) {
        if (!wait_for(e, until)) return TOO_LATE;
        ssize_t got = recv(e->socket, at, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return CLOSED;
        at += got;
        n -= (size_t)got;
    }
    return RECEIVED;
}

static uint32_t read_u32(const void *bytes) {
    uint32_t x;
    memcpy(&x, bytes, sizeof x);
    return x;
}

// The next message, into kind, text and size.
static Receive receive(Engine *e, uint64_t until) {
    char head[HEAD];
    Receive r = receive_bytes(e, head, HEAD, until);
    if (r != RECEIVED) return r;
    uint32_t n = read_u32(head);
    if (!n || n > MESSAGE_MAX) return CLOSED;
    e->kind = head[HEAD - 1];
    e->size = n - 1;
    free(e->text);
    e->text = malloc(e->size + 1);
    if (!e->text) return CLOSED;
    e->text[e->size] = 0;
    return receive_bytes(e, e->text, e->size, until);
}

static EngineResult stuck(Engine *e) {
    int status;
    end_child(e, true, &status);
    return fail(e, "Node.js did not answer in time and was ended");
}

// Waits for the answer of this kind, and passes on what is printed meanwhile.
static EngineResult answer(Engine *e, char kind, const EngineCall *call) {
    uint64_t until = call && e->timeout ? now_ms() + e->timeout + GRACE : 0;
    for (;;) {
        Receive r = receive(e, until);
        if (r == TOO_LATE) return stuck(e);
        if (r == CLOSED) return lost(e);
        if (e->kind == kind) return ENGINE_DONE;
        if (e->kind == 'o') {
            if (!call || !call->write || !e->size || call->write(call->user, e->text, e->size)) continue;
            int status;
            end_child(e, true, &status);
            return fail(e, "the program's output cannot be written");
        }
        if (e->kind == 't' && e->size >= sizeof e->trap) {
            e->trap = read_u32(e->text);
            memmove(e->text, e->text + sizeof e->trap, e->size - sizeof e->trap + 1);
            return ENGINE_TRAP;
        }
        return ENGINE_ERROR;
    }
}

static void put_u32(char *at, uint32_t x) { memcpy(at, &x, sizeof x); }

// ---- requests ----------------------------------------------------------------------------------------

EngineResult engine_load(Engine *engine, const EngineModule *module) {
    char head[HEAD + 8];
    if (!engine->child) return ENGINE_ERROR;
    if (module->n > MESSAGE_MAX - sizeof head) return fail(engine, "the module is too large");
    put_u32(head, (uint32_t)(1 + 8 + module->n));
    head[HEAD - 1] = 'M';
    put_u32(head + HEAD, module->gc_stress ? 1 : 0);
    put_u32(head + HEAD + 4, module->timeout);
    engine->timeout = module->timeout;
    if (!send_bytes(engine, head, sizeof head) || !send_bytes(engine, module->bytes, module->n)) return lost(engine);
    return answer(engine, 'k', NULL);
}

EngineResult engine_call(Engine *engine, const EngineCall *call) {
    char head[HEAD + 8];
    size_t name = strlen(call->name);
    size_t args = (size_t)call->n_args * CELL;
    if (!engine->child) return ENGINE_ERROR;
    if (args + name > MESSAGE_MAX - sizeof head) return fail(engine, "too many arguments");
    put_u32(head, (uint32_t)(1 + 8 + args + name));
    head[HEAD - 1] = call->bytecode ? 'V' : 'C';
    put_u32(head + HEAD, call->n_results);
    put_u32(head + HEAD + 4, call->n_args);
    if (!send_bytes(engine, head, sizeof head) || !send_bytes(engine, call->args, args) ||
        !send_bytes(engine, call->name, name))
        return lost(engine);
    EngineResult result = answer(engine, 'r', call);
    if (result != ENGINE_DONE) return result;
    if (engine->size != (size_t)call->n_results * CELL) return fail(engine, "Node.js gave another number of results");
    if (engine->size) memcpy(call->results, engine->text, engine->size);
    return ENGINE_DONE;
}
