// What compiled bytecode sees of its instance: the hidden first argument of every function points here. irgen turns
// these fields into loads and stores at fixed offsets; nothing else knows them.
//
// Behind the structure stand the cells, 8 bytes each (a narrower value in the low bytes, little-endian):
//   one for each global index      the value; for an imported global the address of its cell
//   one for each CONS entry        the object of a STR or BYTES constant; unused for others
//   one for each DATA blob         its address
//   one for each function import   the address of a C function, 0 = unresolved; unused for VITTE imports
#ifndef VTR_RUNTIME_VMCTX_H
#define VTR_RUNTIME_VMCTX_H

#include "bytecode/module.h"
#include "runtime/heap.h"

typedef struct Instance Instance;

typedef struct VmCtx {
    uint64_t poll;        // not 0: safepoint polls call rt_poll(). Other threads set it; always accessed atomically
    uint64_t stack_limit; // a function whose frame would reach below this address traps STACK
    void *activation;     // of the compiled code that runs now (the JIT's business)
    uint64_t exit_code;   // why compiled code left with RT_TRAP_EXIT: a trap code from 256, or RT_EXIT_*
    Ref raised;           // RT_EXIT_RAISE: the object
    Instance *instance;
    HeapWindow window; // of the heap
    uint64_t cells[];
} VmCtx;

// The trap code by which compiled code leaves when the reason stands in exit_code.
enum { RT_TRAP_EXIT = 200 };

// Reasons to leave all frames beside trap codes (1 to 65535).
enum {
    RT_EXIT_RAISE = 0x10000, // RAISE: Instance.vm->raised
    RT_EXIT_HOST = 0x10001   // a host function failed: Instance.host_status
};

static inline uint32_t vm_cell_global(uint32_t global) { return global; }
static inline uint32_t vm_cell_const(const BcModule *m, uint32_t k) { return bc_n_globals(m) + k; }
static inline uint32_t vm_cell_data(const BcModule *m, uint32_t x) { return vm_cell_const(m, m->n_consts) + x; }
static inline uint32_t vm_cell_import(const BcModule *m, uint32_t func) { return vm_cell_data(m, m->n_datas) + func; }
static inline uint32_t vm_n_cells(const BcModule *m) { return vm_cell_import(m, m->n_imp_funcs); }

// Offset of a cell from the vmctx pointer.
static inline int32_t vm_cell_offset(uint32_t cell) { return (int32_t)(sizeof(VmCtx) + (size_t)cell * 8); }

#endif
