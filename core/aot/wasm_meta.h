// What the loader (tools/wasm/vitrail.mjs) has to know of a WebAssembly module, as two custom sections of it, and the
// functions through which it passes values bit by bit. The loader relies on these exports, too:
//
//   memory                       the memory
//   __stack_pointer              the shadow stack's pointer, a mutable i64 global
//   __indirect_function_table    the function table, if there is one; of modules of bytecode without a maximum
//
// and of modules of bytecode on the imports, all from the module "vitrail": the helpers (rt_helpers[]) by their names,
// and `trap` (i32: the code), which never returns.
//
// The sections are made last, when every instruction has its place in the file. Numbers are LEB128, texts are a length
// and bytes. vitrail.code, of every module:
//
//   version 2; flags (1: there is a section vitrail.module; 2: the code polls, so it can be interrupted)
//   shadow stack: lowest and one past its highest address; heap base: first address that nothing uses
//   functions with sites, n, in rising order; each:
//       number in the module, less that of the one before (of the first: itself)
//       function index of bytecode + 1, or 0
//       sites, n; each:
//           place in the file of the instruction that calls or traps, less that of the site before (in this function
//           or an earlier one; of the first: itself); several for one instruction that traps for several reasons
//           trap code, 0 = a call
//           signed: source location + 1 (0 = none), less that of the site before (of a function's first: itself)
//
// vitrail.module, of modules of bytecode: the tables of BcModule that instances and trap reports need; wasm_meta.c
// writes them in one order, and the loader reads them in it. They begin with what compiled code takes for granted of
// the structure at its first argument (runtime/vmctx.h) and of objects (runtime/heap.h), so that the loader need not
// know it.
#ifndef VTR_AOT_WASM_META_H
#define VTR_AOT_WASM_META_H

#include "bytecode/module.h"
#include "emit/code.h"

// A function that the module defines.
typedef struct WasmMetaFunc {
    const Code *code; // its sites
    uint32_t number;  // in the function index space of the module: rising
    uint32_t func;    // function index of bytecode, NONE = it is none of the program's
} WasmMetaFunc;

typedef struct WasmMeta {
    const BcModule *m; // NULL: not made from bytecode
    const WasmMetaFunc *funcs;
    uint32_t n_funcs;
    uint64_t stack_low, stack_high; // addresses of the shadow stack
    uint64_t heap_base;             // the first address behind data and stack
    bool polls;
    // Where the instruction at offset `at` of funcs[k].code stands in the file.
    uint64_t (*place)(const void *user, uint32_t k, uint32_t at);
    const void *user;
    // Of modules of bytecode, by function index: its number in the function table, 0 = it has none (every function
    // that a FN constant names has one); the name by which the module exports it, NULL = it does not (every exported
    // function and the entry are).
    const uint32_t *table;
    const char *const *exports;
    uint32_t entry; // function index of what the program runs, BC_NONE = nothing
} WasmMeta;

#define WASM_META_CODE "vitrail.code"
#define WASM_META_MODULE "vitrail.module"

// The contents of the sections, without their names.
void wasm_meta_code(const WasmMeta *meta, Buf *out);
void wasm_meta_module(const WasmMeta *meta, Buf *out);

// wasm_entry.c: a function (args: pointer, results: pointer) that calls `callee`, which has this signature, with
// arguments from cells of 8 bytes and stores the results to cells: a host that cannot pass every value unchanged, such
// as NaNs, calls this. In an arena of its own.
Func *wasm_entry_func(Ctx *ctx, const Target *t, const Sig *sig, ExtName callee);
// What the module exports it as: this and the name of the function as IR text writes it, without the %.
#define WASM_ENTRY "entry "

// wasm_array.c: the function of this name that compiled code calls, which calls the loader's where it must. In an arena
// of its own. `sizes` names the bytes that wasm_array_sizes() appends, one for each type.
#define WASM_ARRAY "rt_alloc_array"
Func *wasm_array_func(Ctx *ctx, const char *loader, const char *sizes);
void wasm_array_sizes(const BcModule *m, Buf *out);

#endif
