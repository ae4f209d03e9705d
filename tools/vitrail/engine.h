// A process of Node.js that runs WebAssembly modules, one at a time. tools/wasm/engine.mjs is the other side and says
// what the messages are.
#ifndef VITRAIL_ENGINE_H
#define VITRAIL_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Engine Engine;

typedef enum EngineResult {
    ENGINE_DONE,
    ENGINE_TRAP,  // engine_text(): the report, engine_trap(): the code
    ENGINE_ERROR, // engine_text() tells; the engine may be gone, and then every later request fails, too
} EngineResult;

typedef struct EngineModule {
    const void *bytes;
    size_t n;
    bool gc_stress;   // collect at every safepoint, overwrite what is freed
    uint32_t timeout; // milliseconds until a call is interrupted, 0 = never
} EngineModule;

typedef struct EngineCall {
    bool bytecode;    // an exported function of bytecode; else a function of IR that has an entry function
    const char *name; // "" = of bytecode the module's entry
    const uint64_t *args;
    uint64_t *results;
    uint32_t n_args, n_results;
    // Receives what the program prints; false = it cannot be written, and the call fails. NULL = it is dropped.
    bool (*write)(void *user, const char *bytes, size_t n);
    void *user;
} EngineCall;

// Starts the process: the program that the environment variable VITRAIL_NODE names, else `node`. NULL: no memory. One
// that cannot be started answers every request with an error that says why.
Engine *engine_start(void);
void engine_stop(Engine *engine); // NULL: nothing happens

// Makes this module the one that is called.
EngineResult engine_load(Engine *engine, const EngineModule *module);
EngineResult engine_call(Engine *engine, const EngineCall *call);

// About the last request; valid until the next one.
const char *engine_text(const Engine *engine);
uint32_t engine_trap(const Engine *engine);

#endif
