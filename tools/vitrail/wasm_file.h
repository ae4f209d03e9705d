// WebAssembly modules and relocatable objects as `vitrail dis` reads them: where functions are, how they are called,
// and the relocations of their code. Offsets count from the start of the file.
#ifndef VITRAIL_WASM_FILE_H
#define VITRAIL_WASM_FILE_H

#include "input.h"
#include "support/buf.h"

typedef struct WasmFunc {
    const char *name; // NULL: it has none
    uint32_t at, end; // of the body: declarations of locals and instructions; 0: it is imported
} WasmFunc;

typedef struct WasmSymbol {
    const char *name; // NULL: what it names has none
} WasmSymbol;

typedef struct WasmReloc {
    uint32_t at; // of the field
    uint8_t type;
    uint32_t index; // into symbols; of a type's number: that
    int64_t addend;
} WasmReloc;

typedef struct WasmFile {
    VEC(WasmFunc) funcs; // by number; imported ones first
    uint32_t n_imported;
    VEC(WasmSymbol) symbols;
    VEC(WasmReloc) relocs; // of the code, in the order of the file
} WasmFile;

// A bounded part of the file that is being read.
typedef struct WasmReader {
    Ctx *ctx;
    const uint8_t *bytes;
    uint32_t at, end;
} WasmReader;

bool wasm_is_module(const Input *input);
// Everything allocated in `arena`. Throws VTR_ERR_INPUT when the file is not as the format says.
WasmFile *wasm_read(Ctx *ctx, Arena *arena, const Input *input);

uint8_t wasm_u8(WasmReader *r);
uint64_t wasm_uleb(WasmReader *r, unsigned width);

#endif
