// One generated signature: the two functions of ours and the two of the C compiler's.
#ifndef ABI_TEST_H
#define ABI_TEST_H

#include "abi_values.h"

typedef struct AbiCase {
    const char *take;      // our function that C calls: stores its arguments, returns results
    const char *make;      // our function that calls C's: loads the arguments, stores the results
    const char *signature; // for messages
    bool (*call_take)(void *take, unsigned char *buffer); // C caller: are arguments and results right?
    void *callee;                                         // C callee: checks its arguments, returns results
    const char *callee_name;                              // by which `make` calls it
    bool (*call_make)(void *make, unsigned char *buffer); // fills the buffer, calls, checks
} AbiCase;

typedef struct AbiPart {
    const char *name; // of the .clif file
    const AbiCase *cases;
    unsigned n;
} AbiPart;

extern const AbiPart abi_sysv_0, abi_sysv_1, abi_win_0, abi_win_1;

#endif
