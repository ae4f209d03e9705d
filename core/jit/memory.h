// The JIT's address range: pages that are inaccessible, writable, or executable, never two of the latter at once.
#ifndef VTR_JIT_MEMORY_H
#define VTR_JIT_MEMORY_H

#include "support/vec.h"

typedef struct PageRun {
    size_t at, n; // bytes from the start of the range, multiples of the page size
} PageRun;

typedef struct CodeMemory {
    Ctx *ctx;
    Arena *arena; // of `free`
    uint8_t *base;
    size_t size;
    size_t page;
    bool executable;   // code is for this machine; else it is read only
    VEC(PageRun) free; // sorted by address, never two that touch; has room for `taken` more
    size_t taken;      // runs handed out
} CodeMemory;

// Reserves `size` bytes of inaccessible addresses. Throws VTR_ERR_SYSTEM.
void code_memory_init(CodeMemory *memory, Arena *arena, size_t size, bool executable);
void code_memory_release(CodeMemory *memory);

// Pages for `size` bytes, writable and not executable; throws VTR_ERR_LIMIT when the range is full, VTR_ERR_SYSTEM
// when the system refuses. The run's true size comes back in *size.
uint8_t *code_memory_take(CodeMemory *memory, size_t *size);
// Makes pages read-only and, where code may be executed, executable, and what the processor fetches from them what was
// written. False when the system refuses.
bool code_memory_seal(CodeMemory *memory, uint8_t *at, size_t size);
// Makes pages inaccessible and gives their contents back to the system; they may be taken again.
void code_memory_return(CodeMemory *memory, uint8_t *at, size_t size);

#endif
