// The functions a module may import without the host's help.
#include "runtime/instance.h"

#include <string.h>
#include <time.h>

static uint32_t native_write(Instance *instance, const void *bytes, size_t n) {
    if (!instance->options.write || !n || instance->options.write(instance->options.write_user, bytes, n)) return 0;
    instance->host_status = VTR_ERR_SYSTEM;
    return RT_EXIT_HOST;
}

static uint32_t native_print(Instance *instance, void *user, uint64_t *args, uint64_t *result) {
    (void)user;
    (void)result;
    if (!args[0]) return BC_TRAP_NULL;
    return native_write(instance, heap_payload(args[0]), heap_header(args[0])->length);
}

static uint32_t native_println(Instance *instance, void *user, uint64_t *args, uint64_t *result) {
    uint32_t code = native_print(instance, user, args, result);
    return code ? code : native_write(instance, "\n", 1);
}

static uint32_t native_now_ms(Instance *instance, void *user, uint64_t *args, uint64_t *result) {
    (void)instance;
    (void)user;
    (void)args;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *result = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return 0;
}

static bool takes_bytes(const BcModule *m, const BcType *sig) {
    if (sig->n != 1 || sig->elem != BC_VOID) return false;
    const BcType *param = bc_type(m, sig->params[0]);
    return param && param->kind == BC_ARRAY && param->elem == BC_U8;
}

static bool gives_count(const BcModule *m, const BcType *sig) {
    (void)m;
    return sig->n == 0 && (sig->elem == BC_I64 || sig->elem == BC_U64);
}

static const struct {
    const char *key;
    bool (*accepts)(const BcModule *m, const BcType *sig);
    RtFunction *function;
} natives[] = {
    {"io.print", takes_bytes, native_print},
    {"io.println", takes_bytes, native_println},
    {"time.now_ms", gives_count, native_now_ms},
};

bool rt_native(const char *key, const BcModule *m, const BcImport *import, RtFunction **function) {
    for (size_t i = 0; i < sizeof natives / sizeof *natives; i++) {
        if (strcmp(key, natives[i].key) != 0 || !natives[i].accepts(m, bc_type(m, import->type))) continue;
        *function = natives[i].function;
        return true;
    }
    return false;
}
