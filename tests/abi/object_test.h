// One generated signature, ours in an object file: see AbiCase.
#ifndef OBJECT_TEST_H
#define OBJECT_TEST_H

#include "abi_values.h"

typedef struct ObjectCase {
    void *take, *make; // ours
    const char *signature;
    bool (*call_take)(void *take, unsigned char *buffer);
    bool (*call_make)(void *make, unsigned char *buffer);
} ObjectCase;

extern const ObjectCase cases[];
extern const unsigned n_cases;

#endif
