#include "jit/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void code_memory_init(CodeMemory *memory, Arena *arena, size_t size, bool executable) {
    Ctx *ctx = arena_ctx(arena);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    *memory = (CodeMemory){.ctx = ctx, .arena = arena, .page = page, .executable = executable};
    memory->size = (size + page - 1) / page * page;
    vec_push(arena, &memory->free, (PageRun){0, memory->size});
    void *base = mmap(NULL, memory->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        ctx_fail(ctx, VTR_ERR_SYSTEM, "reserving %zu bytes for code: %s", memory->size, strerror(errno));
    memory->base = base;
}

void code_memory_release(CodeMemory *memory) {
    if (memory->base) munmap(memory->base, memory->size);
    memory->base = NULL;
}

// The lowest run that is large enough, so that code stays together.
static uint32_t find_free(const CodeMemory *memory, size_t size) {
    uint32_t k = 0;
    while (k < memory->free.n && memory->free.v[k].n < size) k++;
    return k;
}

uint8_t *code_memory_take(CodeMemory *memory, size_t *size) {
    if (*size > memory->size) ctx_fail(memory->ctx, VTR_ERR_LIMIT, "%zu bytes of code exceed the code range", *size);
    size_t want = (*size + memory->page - 1) / memory->page * memory->page;
    // Returning pages may need a new entry for each run handed out, and must not fail then.
    vec_reserve(memory->arena, &memory->free, memory->taken + 1);
    uint32_t k = find_free(memory, want);
    if (k == memory->free.n) ctx_fail(memory->ctx, VTR_ERR_LIMIT, "the code range of %zu bytes is full", memory->size);
    uint8_t *at = memory->base + memory->free.v[k].at;
    if (mprotect(at, want, PROT_READ | PROT_WRITE) != 0)
        ctx_fail(memory->ctx, VTR_ERR_SYSTEM, "making %zu bytes writable: %s", want, strerror(errno));
    memory->free.v[k].at += want;
    memory->free.v[k].n -= want;
    if (memory->free.v[k].n == 0) {
        memory->free.n--;
        memmove(memory->free.v + k, memory->free.v + k + 1, (memory->free.n - k) * sizeof(PageRun));
    }
    *size = want;
    memory->taken++;
    return at;
}

bool code_memory_seal(CodeMemory *memory, uint8_t *at, size_t size) {
    if (mprotect(at, size, memory->executable ? PROT_READ | PROT_EXEC : PROT_READ) != 0) return false;
    if (memory->executable) __builtin___clear_cache((char *)at, (char *)at + size);
    return true;
}

void code_memory_return(CodeMemory *memory, uint8_t *at, size_t size) {
    // A fresh mapping in place drops contents and rights at once. When the system refuses even that, the pages stay
    // as they are: never reused, so never writable and executable.
    if (mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) return;
    memory->taken--;
    PageRun run = {(size_t)(at - memory->base), size};
    uint32_t low = 0;
    uint32_t high = memory->free.n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (memory->free.v[mid].at < run.at) low = mid + 1;
        else high = mid;
    }
    bool joins_next = low < memory->free.n && run.at + run.n == memory->free.v[low].at;
    bool joins_prev = low > 0 && memory->free.v[low - 1].at + memory->free.v[low - 1].n == run.at;
    if (joins_prev && joins_next) {
        memory->free.v[low - 1].n += run.n + memory->free.v[low].n;
        memory->free.n--;
        memmove(memory->free.v + low, memory->free.v + low + 1, (memory->free.n - low) * sizeof(PageRun));
    } else if (joins_prev) {
        memory->free.v[low - 1].n += run.n;
    } else if (joins_next) {
        memory->free.v[low].at = run.at;
        memory->free.v[low].n += run.n;
    } else {
        memmove(memory->free.v + low + 1, memory->free.v + low, (memory->free.n - low) * sizeof(PageRun));
        memory->free.v[low] = run;
        memory->free.n++;
    }
}
