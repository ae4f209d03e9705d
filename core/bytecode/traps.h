// Trap codes of VITBC, their names and diagnostics: the one list (specification 3.9).
#ifndef VTR_BYTECODE_TRAPS_H
#define VTR_BYTECODE_TRAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// X(code, name, diagnostic, meaning)
#define BC_TRAPS(X)                                                                                                    \
    X(1, DIV_ZERO, "E7001", "division by zero")                                                                        \
    X(2, OVERFLOW, "E7002", "result not representable")                                                                \
    X(3, BOUNDS, "E7003", "array index out of bounds")                                                                 \
    X(4, NULL, "E7004", "null reference")                                                                              \
    X(5, UNREACHABLE, "E7005", "unreachable code reached")                                                             \
    X(6, BAD_CAST, "E7006", "object has another type")                                                                 \
    X(7, BAD_CONV, "E7007", "NaN converted to an integer")                                                             \
    X(8, STACK, "E7008", "call depth exhausted")                                                                       \
    X(9, OOM, "E7009", "heap exhausted")                                                                               \
    X(10, BAD_LEN, "E7010", "array length out of range")                                                               \
    X(11, LINK, "E7011", "call of an unresolved import")                                                               \
    X(12, INTERRUPT, "E7012", "interrupted by the host")

// The enumerators paste the name last and directly, so that NULL (a macro) is not expanded on the way.
typedef enum BcTrap {
#define X(code, name, diagnostic, meaning) BC_TRAP_##name = code,
    BC_TRAPS(X)
#undef X
        BC_TRAP_SYSTEM_MAX = 12,
    BC_TRAP_USER_MIN = 256,
    BC_TRAP_USER_MAX = 65535
} BcTrap;

#define BC_TRAP_USER_DIAGNOSTIC "E7100"

// A code that TRAP may carry.
static inline bool bc_trap_valid(uint32_t code) {
    return (code >= 1 && code <= BC_TRAP_SYSTEM_MAX) || (code >= BC_TRAP_USER_MIN && code <= BC_TRAP_USER_MAX);
}

// The name ("DIV_ZERO"), the diagnostic ("E7001") and the meaning of a code. A user code (>= 256) has no name (NULL),
// the diagnostic E7100 and the meaning "user trap"; any other code gives NULL everywhere.
const char *bc_trap_name(uint32_t code);
const char *bc_trap_diagnostic(uint32_t code);
const char *bc_trap_meaning(uint32_t code);

#endif
