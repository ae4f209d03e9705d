// Random programs as WebAssembly, run by an engine in a process of its own: wasm_run.mjs in Node.
#ifndef TESTS_WASM_CASE_H
#define TESTS_WASM_CASE_H

#include "ir_case.h"

typedef struct WasmEngine WasmEngine;
// Starts the engine; NULL when there is none. It ends with the arena.
WasmEngine *wasm_engine_new(Arena *arena);

int wasm_engine_process(const WasmEngine *engine); // its id

// A module with several programs, and calls of their entries.
typedef struct WasmCase WasmCase;
WasmCase *wasm_case_new(Arena *arena, const Target *target);
// Compiles a program into it, which changes it, and returns its number. Programs of one module have different spaces.
uint32_t wasm_case_add(WasmCase *c, const RandomProgram *program, const Way *way);
// Calls the entry of program `number`. The pointer among the arguments is set here.
void wasm_case_call(WasmCase *c, uint32_t number, const Arguments *args);
// Makes the module and does the calls: outcomes are in their order. Throws VTR_ERR_INTERNAL when the module is not
// valid or the engine ends. `keep`: the file that the module is written to, or NULL; `validate`: then wabt must accept
// it, too.
void wasm_case_run(WasmCase *c, WasmEngine *engine, const char *keep, bool validate, Outcome *outcomes);

#endif
