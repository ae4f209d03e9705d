/* Vitrail: a retargetable code generator.
 *
 * This is the public header; only who builds IR by calls wants vitrail_ir.h beside it, too. It compiles alone as C99,
 * C11 and C++17.
 *
 * Rules that hold for every function here:
 *   - A context (vtr_context) and everything made from it belong to one thread at a time. Contexts are
 *     independent of each other; nothing is shared but immutable tables. Only vtr_program_interrupt() may be
 *     called from any thread.
 *   - A function that can fail returns vtr_status. VTR_OK is 0. On failure, outputs are untouched and the
 *     context stays usable; vtr_diagnostic() tells what went wrong and where. VTR_ERR_MEMORY and VTR_ERR_INTERNAL are
 *     possible everywhere and not listed. (Building IR is different, see vtr_func_new().)
 *   - Nothing here exits, aborts or prints.
 *   - Strings are NUL-terminated UTF-8 unless a length is given.
 */
#ifndef VITRAIL_H
#define VITRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define VTR_API
#elif defined(__GNUC__)
#define VTR_API __attribute__((visibility("default")))
#else
#define VTR_API
#endif

/* The version of this header, and that of the library, "0.1.0". Within one minor version they fit each other. */
#define VTR_VERSION_MAJOR 0
#define VTR_VERSION_MINOR 1
#define VTR_VERSION_PATCH 0
VTR_API const char *vtr_version(void);

typedef enum vtr_status {
    VTR_OK = 0,
    VTR_ERR_MEMORY = 1,      /* the allocator returned NULL */
    VTR_ERR_INPUT = 2,       /* the input is wrong; diagnostics say where */
    VTR_ERR_LIMIT = 3,       /* the input is right but larger than a documented limit */
    VTR_ERR_UNSUPPORTED = 4, /* the target cannot do this; the diagnostic names instruction, type and target */
    VTR_ERR_NOT_FOUND = 5,   /* a name that was asked for does not exist */
    VTR_ERR_TRAP = 6,        /* the program trapped; vtr_trap_info() tells where */
    VTR_ERR_SYSTEM = 7,      /* the operating system refused (mapping memory, reading a file) */
    VTR_ERR_USAGE = 8,       /* a function was called against its documentation */
    VTR_ERR_INTERNAL = 9     /* a bug of Vitrail; the diagnostic names pass, function and value */
} vtr_status;

typedef struct vtr_context vtr_context;

/* The memory source of a context. resize() is realloc() with the old size told: old == NULL allocates, new_size
 * 0 frees and returns NULL, and NULL for a non-zero new_size means out of memory (the old block then still
 * stands). Blocks are aligned for any object. */
typedef struct vtr_allocator {
    void *(*resize)(void *user, void *old, size_t old_size, size_t new_size);
    void *user;
} vtr_allocator;

/* Makes a context. allocator NULL means malloc and free; the structure is copied. The caller frees the context
 * with vtr_context_free() after everything made from it. Errors: VTR_ERR_MEMORY. */
VTR_API vtr_status vtr_context_new(const vtr_allocator *allocator, vtr_context **context);
VTR_API void vtr_context_free(vtr_context *context);

/* One collected error. file may be NULL; line and column count from 1, 0 = unknown. The strings belong to the
 * context and live until vtr_diagnostics_clear() or vtr_context_free(). */
typedef struct vtr_diagnostic_info {
    const char *file;
    uint32_t line;
    uint32_t column;
    const char *message;
} vtr_diagnostic_info;

/* How many diagnostics are held (at most 100), and the index-th of them; false when index is out of range. */
VTR_API size_t vtr_diagnostic_count(const vtr_context *context);
VTR_API bool vtr_diagnostic(const vtr_context *context, size_t index, vtr_diagnostic_info *info);
VTR_API void vtr_diagnostics_clear(vtr_context *context);

/* The name of a status as it stands above, for example "VTR_ERR_INPUT". */
VTR_API const char *vtr_status_name(vtr_status status);

/* The machines that code can be made for: the index-th name, or NULL behind the last. vtr_host_target() is the one that
 * this runs on, NULL when Vitrail has no description of it. */
VTR_API const char *vtr_target_name(size_t index);
VTR_API const char *vtr_host_target(void);

/* ---- bytecode ---------------------------------------------------------------------------------------
 *
 * Modules in Vitte's bytecode (.vitbc) and its text form (.vita). Reading checks everything that running relies on, so
 * input may come from anyone: memory stays proportional to the file, time linear. */

typedef struct vtr_bytecode vtr_bytecode;

enum {
    VTR_ALLOW_LOW = 1, /* reading: accept modules with raw-memory functions; otherwise rule V-CAP refuses them */
    VTR_STRIP = 2,     /* writing: leave debug information out */
    VTR_COMPRESS = 4   /* writing: zstd-compress sections that get smaller */
};

/* Reads a module. The diagnostic of a refused one opens with the rule it breaks ("V-CRC: ..."). name is what
 * diagnostics call the input; the n bytes are copied. flags: 0 or VTR_ALLOW_LOW. The module belongs to the context and
 * is freed by vtr_bytecode_free(), before the context. vtr_bytecode_load() reads the file at `path`,
 * with flags 0.
 * Errors: VTR_ERR_INPUT, VTR_ERR_LIMIT, VTR_ERR_UNSUPPORTED (compressed, in a build without zstd), VTR_ERR_SYSTEM (the
 * file cannot be read), VTR_ERR_MEMORY. */
VTR_API vtr_status vtr_bytecode_load(vtr_context *context, const char *path, vtr_bytecode **bytecode);
VTR_API vtr_status vtr_bytecode_read(vtr_context *context, const char *name, const void *bytes, size_t n,
                                     unsigned flags, vtr_bytecode **bytecode);
VTR_API void vtr_bytecode_free(vtr_bytecode *bytecode);

/* The names of the functions that a module exports, and of what it imports, "module.name": those that
 * vtr_program_run() and vtr_backend_define() take. index counts from 0; false behind the last. Of the name, what fits
 * into `capacity` bytes with its NUL is written. *global, which may be NULL: it is a global. */
VTR_API bool vtr_bytecode_export(const vtr_bytecode *bytecode, size_t index, char *name, size_t capacity);
VTR_API bool vtr_bytecode_import(const vtr_bytecode *bytecode, size_t index, char *name, size_t capacity, bool *global);

/* Writes a module as the bytes of a .vitbc file; flags: VTR_STRIP, VTR_COMPRESS. The caller frees the bytes with
 * vtr_bytes_free(). */
VTR_API vtr_status vtr_bytecode_write(const vtr_bytecode *bytecode, unsigned flags, uint8_t **bytes, size_t *n);

/* Assembles `len` bytes of .vita text to the bytes of a .vitbc file, which the caller frees with vtr_bytes_free().
 * Errors: VTR_ERR_INPUT with one diagnostic (line and column) per error. */
VTR_API vtr_status vtr_bytecode_assemble(vtr_context *context, const char *name, const char *text, size_t len,
                                         uint8_t **bytes, size_t *n);

/* A module as .vita text that assembles back to the same module. The text ends with a NUL that *n does not count; the
 * caller frees it with vtr_bytes_free(). */
VTR_API vtr_status vtr_bytecode_disassemble(const vtr_bytecode *bytecode, char **text, size_t *n);

/* Frees what one of the functions above gave, with the n it told. NULL is allowed. */
VTR_API void vtr_bytes_free(vtr_context *context, void *bytes, size_t n);

/* ---- running bytecode ------------------------------------------------------------------------------
 *
 *   vtr_backend *backend;
 *   vtr_program *program;
 *   vtr_value result;
 *   vtr_backend_new_default(context, &backend);
 *   vtr_backend_compile(backend, bytecode, &program);
 *   if (vtr_program_run(program, "main", NULL, 0, &result) == VTR_ERR_TRAP) puts(vtr_trap_text(program));
 *   vtr_program_free(program);
 *   vtr_backend_free(backend);
 *
 * A backend holds settings and the host's definitions for imports; a program is a module compiled and instantiated:
 * its code, globals and heap. */

typedef struct vtr_backend vtr_backend;
typedef struct vtr_program vtr_program;

/* The numbers are those of VITBC's primitive types. */
typedef enum vtr_type {
    VTR_VOID = 0,
    VTR_I8 = 1,
    VTR_I16 = 2,
    VTR_I32 = 3,
    VTR_I64 = 4,
    VTR_U8 = 5,
    VTR_U16 = 6,
    VTR_U32 = 7,
    VTR_U64 = 8,
    VTR_F32 = 9,
    VTR_F64 = 10,
    VTR_BOOL = 11,
    VTR_PTR = 12, /* a raw address */
    VTR_REF = 13, /* any object reference: ref, a structure or an array type */
    VTR_FUNC = 14 /* a function reference; opaque */
} vtr_type;

/* A value. Signed integers stand in as.i, unsigned ones in as.u, both at full width. as.ref is 0 for null; an object
 * may move whenever its program runs or allocates, so a reference is good until the next call that does, or while it is
 * held: see vtr_program_hold(). */
typedef struct vtr_value {
    vtr_type type;
    union {
        int64_t i;
        uint64_t u;
        float f32;
        double f64;
        bool b;
        void *ptr;
        uint64_t ref;
    } as;
} vtr_value;

typedef enum vtr_opt { VTR_OPT_NONE = 0, VTR_OPT_SPEED = 1 } vtr_opt;

typedef struct vtr_backend_options {
    bool interpret;         /* run the bytecode itself instead of compiling it */
    vtr_opt opt;            /* how hard to work on the code */
    bool check;             /* prove each register allocation while compiling (slower) */
    bool gc_stress;         /* move every object at every safepoint */
    uint32_t max_registers; /* for tests: compiled code makes do with so many of each class where it can; 0 = all */
    uint64_t register_seed; /* for tests: another order of preference of registers for each; 0 = the best one */
    uint64_t squeeze_seed;  /* for tests: takes constants, displacements and distances for too large, others for each; 0
                               = none */
    uint32_t frame_padding; /* for tests: bytes that every stack frame of compiled code is larger */
    uint64_t heap_limit;    /* bytes of objects; 0 = 1 GiB */
    uint64_t stack_size;    /* bytes of machine stack for compiled code; 0 = what the running thread has */
    uint32_t max_depth;     /* frames when interpreting; 0 = a default */
    const char *target;     /* the machine to compile for, by name ("aarch64"); NULL = the one this runs on */
    /* The features of it that may be used, by name with commas between ("bmi1,fma"), or "none" or "all"; NULL = those
     * of this machine, or when simulated those that every machine of the target has. */
    const char *features;
    bool simulate; /* run the code in the simulator although it is this machine's */
    uint64_t fuel; /* instructions that simulated code may execute; 0 = no limit */
    /* Receives what io.print and io.println write, n bytes at a time; false makes the program fail with
     * VTR_ERR_SYSTEM. NULL = the text is dropped. */
    bool (*write)(void *user, const char *bytes, size_t n);
    void *write_user;
} vtr_backend_options;

/* Makes a backend. options NULL = compile for this machine at VTR_OPT_SPEED with defaults elsewhere; the structure is
 * copied. On a machine that Vitrail has no description of, programs are interpreted. The caller frees the backend,
 * which may be before its programs. Errors: VTR_ERR_NOT_FOUND for an unknown target or feature.
 *
 * Code for another machine runs in a simulator. It shares the
 * addresses of this process, so host functions, objects and traps work as in compiled code, and a wild access of raw
 * memory is the fault of this process that it is there. Its stack is its own: stack_size, at least 8 MiB. Programs of
 * one backend are simulated each on a machine of its own. Without fuel left vtr_program_run() returns VTR_ERR_LIMIT;
 * when the machine stops otherwise (an instruction that is none, an undefined flag that is read) VTR_ERR_INTERNAL, and
 * the diagnostic names the place. C functions behind imports are called by code made for this machine, which must be
 * one that Vitrail describes (else VTR_ERR_UNSUPPORTED from vtr_backend_compile()). */
VTR_API vtr_status vtr_backend_new(vtr_context *context, const vtr_backend_options *options, vtr_backend **backend);
VTR_API vtr_status vtr_backend_new_default(vtr_context *context, vtr_backend **backend);
VTR_API void vtr_backend_free(vtr_backend *backend);

/* A host function for a VITTE import. args has the n values of the import's signature; *result has the result's type
 * and is zero. Returning VTR_OK goes on; any other status leaves the program, and vtr_program_run() returns it;
 * VTR_ERR_TRAP leaves it with the trap of vtr_program_trap() or of the inner run that just trapped. The function may
 * run other functions of the program; objects may move then, so it reads what args refer to before, or holds copies
 * of args. */
typedef vtr_status (*vtr_host_function)(vtr_program *program, void *user, const vtr_value *args, size_t n,
                                        vtr_value *result);

/* Defines the import "module.name" for programs compiled from now on. The name is copied; a later definition of the
 * same name wins, also over the built-in io.print, io.println and time.now_ms.
 * vtr_backend_define_c(): a C function for an import with the C convention; it is called directly, must have the
 * import's signature, and may run the program again. Programs that are interpreted reach it only where compiling is
 * possible.
 * vtr_backend_define_global(): the cell of an imported global, 8 bytes, the value in its low bytes; it must live as
 * long as the programs. */
VTR_API vtr_status vtr_backend_define(vtr_backend *backend, const char *name, vtr_host_function function, void *user);
VTR_API vtr_status vtr_backend_define_c(vtr_backend *backend, const char *name, void (*function)(void));
VTR_API vtr_status vtr_backend_define_global(vtr_backend *backend, const char *name, uint64_t *cell);

/* Compiles every function of the module and makes an instance of it. The module must outlive the program; it may be of
 * another context, and of several programs in several threads at once, as nothing changes it. Errors:
 * VTR_ERR_NOT_FOUND when an imported global is not defined (an undefined function traps when it is called),
 * VTR_ERR_LIMIT and VTR_ERR_UNSUPPORTED naming the function. */
VTR_API vtr_status vtr_backend_compile(vtr_backend *backend, const vtr_bytecode *bytecode, vtr_program **program);
VTR_API void vtr_program_free(vtr_program *program);

/* The signature of the exported function `name` (NULL: the module's entry): the first `capacity` parameter types, how
 * many there are, and the result type. Each output may be NULL. Errors: VTR_ERR_NOT_FOUND. */
VTR_API vtr_status vtr_program_signature(vtr_program *program, const char *name, vtr_type *params, size_t capacity,
                                         size_t *n_params, vtr_type *result);

/* Runs the exported function `name` (NULL: the module's entry). args must match its parameters in number and type.
 * result may be NULL; for a function without result its type is set to VTR_VOID. Errors: VTR_ERR_NOT_FOUND,
 * VTR_ERR_USAGE, VTR_ERR_TRAP (see vtr_trap_info()), or what a host function returned. After a trap the program can be
 * run again; its globals are as the trap left them. */
VTR_API vtr_status vtr_program_run(vtr_program *program, const char *name, const vtr_value *args, size_t n_args,
                                   vtr_value *result);

/* From any thread: what the program runs now, or runs next, traps INTERRUPT at its next safepoint. The program must
 * not be freed meanwhile. */
VTR_API void vtr_program_interrupt(vtr_program *program);

/* From a host function: `return vtr_program_trap(program, code);` leaves the program with this vtr_trap_code
 * (but for VTR_TRAP_RAISE), as if the calling instruction had trapped. */
VTR_API vtr_status vtr_program_trap(vtr_program *program, uint32_t code);

/* Makes an array of the program, for an argument or the result of a host function: `n` elements of an integer or float
 * type, or VTR_BOOL (bytes 0 and 1), copied from `elements`; NULL for zeros. The array is good until the program runs
 * or allocates again, or while it is held. Errors: VTR_ERR_NOT_FOUND when the module has no such array type,
 * VTR_ERR_LIMIT when the heap is full or n above 2^31 - 1 (a host function may go on to `return
 * vtr_program_trap(program, VTR_TRAP_OOM)`), VTR_ERR_USAGE for another type of element. */
VTR_API vtr_status vtr_program_array(vtr_program *program, vtr_type element, const void *elements, size_t n,
                                     vtr_value *array);

/* Holds the object that *value refers to: it lives on, and *value, which must stay where it is until it is released or
 * the program freed, follows when it moves. The same value may be held again; each release undoes one hold, and one too
 * many does nothing. */
VTR_API vtr_status vtr_program_hold(vtr_program *program, vtr_value *value);
VTR_API void vtr_program_release(vtr_program *program, vtr_value *value);

/* The bytes of a structure or the elements of an array, in place, and how many bytes; good as long as the reference
 * is. Errors: VTR_ERR_USAGE for null or another type of value. */
VTR_API vtr_status vtr_value_bytes(vtr_program *program, vtr_value value, void **bytes, size_t *n);

/* The trap codes of bytecode. */
typedef enum vtr_trap_code {
    VTR_TRAP_RAISE = 0,       /* an object was raised: vtr_trap.object */
    VTR_TRAP_DIV_ZERO = 1,    /* integer division by zero */
    VTR_TRAP_OVERFLOW = 2,    /* a result that its type cannot represent */
    VTR_TRAP_BOUNDS = 3,      /* array index out of bounds */
    VTR_TRAP_NULL = 4,        /* null reference */
    VTR_TRAP_UNREACHABLE = 5, /* code that cannot be reached was */
    VTR_TRAP_BAD_CAST = 6,    /* an object has another type */
    VTR_TRAP_BAD_CONV = 7,    /* NaN converted to an integer */
    VTR_TRAP_STACK = 8,       /* calls too deep */
    VTR_TRAP_OOM = 9,         /* heap exhausted */
    VTR_TRAP_BAD_LEN = 10,    /* array length out of range */
    VTR_TRAP_LINK = 11,       /* call of an import that nothing defines */
    VTR_TRAP_INTERRUPT = 12,  /* vtr_program_interrupt() */
    VTR_TRAP_USER_MIN = 256,  /* codes of programs and hosts: from here */
    VTR_TRAP_USER_MAX = 65535 /* to here */
} vtr_trap_code;

/* Why the last run returned VTR_ERR_TRAP. The strings belong to the program and live until it runs again. */
typedef struct vtr_trap {
    uint32_t code;          /* a vtr_trap_code, or a user code */
    const char *name;       /* "OVERFLOW"; NULL for user codes and RAISE */
    const char *diagnostic; /* "E7002"; NULL for RAISE */
    vtr_value object;       /* RAISE: the object, VTR_REF */
    size_t n_frames;        /* how many vtr_trap_frame_at() gives, innermost first */
    uint64_t depth;         /* how many there were */
} vtr_trap;
typedef struct vtr_trap_frame {
    const char *function;
    uint32_t block;
    uint32_t instruction; /* ordinal in the function */
    const char *file;     /* NULL = no source is known */
    uint32_t line;        /* from 1, 0 = unknown */
    uint32_t column;      /* from 1, 0 = unknown */
} vtr_trap_frame;

/* false when the last run did not end in VTR_ERR_TRAP, or when index is out of range. */
VTR_API bool vtr_trap_info(const vtr_program *program, vtr_trap *trap);
VTR_API bool vtr_trap_frame_at(const vtr_program *program, size_t index, vtr_trap_frame *frame);
/* The same as text: a line with code, name and diagnostic, then a line for each frame. "" when there was no trap. */
VTR_API const char *vtr_trap_text(const vtr_program *program);

/* What compiling took and made. */
typedef struct vtr_program_stats {
    uint32_t functions;    /* compiled, wrappers of imports included; 0 when interpreting */
    uint64_t instructions; /* of IR, as made from the bytecode */
    uint64_t code_bytes;
    uint64_t nanoseconds; /* from bytecode to callable code */
    uint64_t simulated;   /* machine instructions executed by the simulator so far; 0 when code runs natively */
} vtr_program_stats;
VTR_API void vtr_program_statistics(const vtr_program *program, vtr_program_stats *stats);

/* ---- building IR ------------------------------------------------------------------------------------
 *
 * Functions of Cranelift's IR, made by calls. Here is what stands around instructions; vitrail_ir.h has a function for
 * each opcode. A function that is complete goes into a vtr_jit or a vtr_object.
 *
 *   vtr_func *f;                              // sum(n) = n + (n - 1) + ... + 1
 *   vtr_func_new(context, "sum", "(i64) -> i64", &f);
 *   vtr_ir_variable n = vtr_func_variable(f, VTR_I64), sum = vtr_func_variable(f, VTR_I64);
 *   vtr_ir_block loop = vtr_func_block(f), more = vtr_func_block(f), done = vtr_func_block(f);
 *   vtr_func_set(f, n, vtr_func_param(f, 0));
 *   vtr_func_set(f, sum, vtr_ir_iconst(f, VTR_I64, 0));
 *   vtr_ir_jump(f, loop, NULL, 0);
 *   vtr_func_enter(f, loop);
 *   vtr_ir_brif(f, vtr_func_get(f, n), more, NULL, 0, done, NULL, 0);
 *   vtr_func_enter(f, more);
 *   vtr_func_set(f, sum, vtr_ir_iadd(f, vtr_func_get(f, sum), vtr_func_get(f, n)));
 *   vtr_func_set(f, n, vtr_ir_isub(f, vtr_func_get(f, n), vtr_ir_iconst(f, VTR_I64, 1)));
 *   vtr_ir_jump(f, loop, NULL, 0);
 *   vtr_func_enter(f, done);
 *   vtr_ir_value result = vtr_func_get(f, sum);
 *   vtr_ir_return(f, &result, 1);
 *   if (vtr_jit_add_func(jit, f) != VTR_OK) ...
 *   vtr_func_free(f);
 */

typedef struct vtr_func vtr_func;

/* What a function has, by number. Each is good in the function that gave it; {UINT32_MAX} is none. */
typedef struct vtr_ir_value {
    uint32_t id;
} vtr_ir_value;
typedef struct vtr_ir_block {
    uint32_t id;
} vtr_ir_block;
typedef struct vtr_ir_variable {
    uint32_t id;
} vtr_ir_variable;
typedef struct vtr_ir_signature {
    uint32_t id;
} vtr_ir_signature;
typedef struct vtr_ir_callee {
    uint32_t id;
} vtr_ir_callee;
typedef struct vtr_ir_slot {
    uint32_t id;
} vtr_ir_slot;
typedef struct vtr_ir_symbol {
    uint32_t id;
} vtr_ir_symbol;

/* Where a branch leads, with the values of the block's parameters; args may be NULL with n_args 0. */
typedef struct vtr_ir_target {
    vtr_ir_block block;
    const vtr_ir_value *args;
    size_t n_args;
} vtr_ir_target;

/* What is known of an access to memory. Without flags it is as wide as its type, may have any address, and is in the
 * machine's byte order. Nothing catches an access that faults: it is the fault of this process. */
enum {
    VTR_MEM_NOTRAP = 1,   /* the access cannot fault: it may be left out when its value is not used */
    VTR_MEM_ALIGNED = 2,  /* the address is a multiple of the size */
    VTR_MEM_READONLY = 4, /* once read or stored to, nothing changes it while the function runs */
    VTR_MEM_CAN_MOVE = 8, /* with NOTRAP: it may be done where the program would not come */
    VTR_MEM_LITTLE = 16,  /* little-endian */
    VTR_MEM_BIG = 32      /* big-endian */
};

/* Begins a function: its entry block is the current one. The name is the one without `%`, the signature as IR text
 * writes it:
 *
 *   (i64, i8 uext) -> f64 system_v
 *
 * types i8 i16 i32 i64 f32 f64; uext or sext behind an integer narrower than a register says who extends it as C
 * conventions want it; several results stand behind `->` with commas between, none without `->`. The convention is
 * system_v, the default, for the C convention of each machine (of x86_64 outside Windows); windows_fastcall; tail,
 * which return_call needs; or fast, for functions that only such code calls. Both texts are copied. The caller frees
 * the function before the context. Errors: VTR_ERR_INPUT, VTR_ERR_UNSUPPORTED (i128) for the signature.
 *
 * Functions that add to it return no status: the first mistake is kept in the function, with its diagnostic in the
 * context; later calls do nothing and give values that are none. vtr_func_finish(), vtr_jit_add_func() and
 * vtr_object_add_func() return it: VTR_ERR_USAGE for what a call can see (a value that is none, an opcode that has no
 * such type, code behind a terminator), VTR_ERR_INPUT for what the verifier finds in the whole (types of operands, a
 * definition that does not reach a use, a block without terminator), VTR_ERR_LIMIT. */
VTR_API vtr_status vtr_func_new(vtr_context *context, const char *name, const char *signature, vtr_func **func);
VTR_API void vtr_func_free(vtr_func *func);

/* The value of a parameter of the signature, from 0. */
VTR_API vtr_ir_value vtr_func_param(vtr_func *func, size_t index);

/* A new block. vtr_func_enter() makes it the current one, to whose end instructions go until a terminator (jump, brif,
 * br_table, return, return_call, trap) ends it. Blocks are laid out in the order in which they are first entered; one
 * that is left half-done can be entered again. No branch may lead to the entry block. */
VTR_API vtr_ir_block vtr_func_block(vtr_func *func);
VTR_API void vtr_func_enter(vtr_func *func, vtr_ir_block block);
/* Whether an instruction could be added now: false behind a terminator and after a mistake. */
VTR_API bool vtr_func_open(const vtr_func *func);
/* A parameter of a block, in order: each branch to the block says its value. Variables do it without. */
VTR_API vtr_ir_value vtr_func_block_param(vtr_func *func, vtr_ir_block block, vtr_type type);

/* Variables: what is set in one block is got in another, whatever way control takes; SSA form is made of it. Got before
 * it was set, a variable is 0. type is that of IR: VTR_I8, VTR_I16, VTR_I32, VTR_I64, VTR_F32 or VTR_F64. */
VTR_API vtr_ir_variable vtr_func_variable(vtr_func *func, vtr_type type);
VTR_API void vtr_func_set(vtr_func *func, vtr_ir_variable variable, vtr_ir_value value);
VTR_API vtr_ir_value vtr_func_get(vtr_func *func, vtr_ir_variable variable);
/* Says that every branch to the block has been made. Optional: it saves work when it comes early. */
VTR_API void vtr_func_seal(vtr_func *func, vtr_ir_block block);

/* For vtr_ir_call(), vtr_ir_return_call() and vtr_ir_func_addr(): the function `name`, which may be this one, one that
 * was or will be added, or of the host (see vtr_jit_define(), vtr_jit_options.use_dlsym, vtr_object_add_clif()). */
VTR_API vtr_ir_callee vtr_func_callee(vtr_func *func, const char *name, const char *signature);
/* For vtr_ir_call_indirect() and vtr_ir_return_call_indirect(). */
VTR_API vtr_ir_signature vtr_func_signature(vtr_func *func, const char *signature);
/* For vtr_ir_stack_addr(): `size` bytes of the stack frame, at a multiple of `align`, a power of two. */
VTR_API vtr_ir_slot vtr_func_slot(vtr_func *func, size_t size, uint32_t align);
/* For vtr_ir_symbol_value(): the address of the data (or function) `name`. */
VTR_API vtr_ir_symbol vtr_func_symbol(vtr_func *func, const char *name);

/* Completes the function and verifies it; returns its first mistake. Nothing can be added afterwards. Optional: adding
 * it to a vtr_jit or a vtr_object does it first. */
VTR_API vtr_status vtr_func_finish(vtr_func *func);

/* Completes the function and gives it as IR text, NUL-terminated, which the caller frees with vtr_bytes_free(). To be
 * called before the function is added to anything. Errors: those of vtr_func_finish(), VTR_ERR_USAGE. */
VTR_API vtr_status vtr_func_text(vtr_func *func, char **text, size_t *n);

/* ---- running IR ------------------------------------------------------------------------------------------
 *
 * Functions of IR, as Cranelift's IR text (.clif) or built by calls, compiled into this process. A vtr_jit holds
 * functions that can call each other and the host functions that were defined for it.
 *
 *   vtr_jit_new(context, NULL, &jit);
 *   vtr_jit_add_clif(jit, "add.clif", text, strlen(text));
 *   vtr_jit_publish(jit);
 *   uint64_t args[] = {40, 2}, sum;
 *   vtr_jit_call(jit, "add", args, 2, &sum, 1, NULL);
 */

typedef struct vtr_jit vtr_jit;

typedef struct vtr_jit_options {
    vtr_opt opt;          /* how hard to work on the code */
    bool check;           /* verify after every pass and prove each register allocation (slower) */
    bool use_dlsym;       /* look up functions that nothing defines in the running program */
    size_t reserve;       /* bytes of address space for code; 0 = 64 MiB */
    const char *target;   /* the machine to compile for, by name; NULL = the one this runs on */
    const char *features; /* as in vtr_backend_options */
    bool simulate;        /* run the code in the simulator although it is this machine's */
    uint64_t fuel;        /* instructions that simulated code may execute; 0 = no limit */
    /* Asked while publishing for what nothing defines: the address of `name` in the host, or NULL. NULL = nobody is */
    void *(*resolve)(void *user, const char *name);
    void *resolve_user;
} vtr_jit_options;

/* Makes an empty one. options NULL = for this machine at VTR_OPT_SPEED, defaults elsewhere; the structure is copied.
 * The caller frees it, and with it all its code, before the context. Code for another machine is simulated, see
 * vtr_backend_new(). Errors: VTR_ERR_UNSUPPORTED on a machine that Vitrail has no description of, VTR_ERR_NOT_FOUND
 * for an unknown target or feature, VTR_ERR_SYSTEM. */
VTR_API vtr_status vtr_jit_new(vtr_context *context, const vtr_jit_options *options, vtr_jit **jit);
VTR_API void vtr_jit_free(vtr_jit *jit);

/* Gives `%name` an address in the host: a C function's, or that of data, for what is published from now on. The name is
 * copied. What nothing defines is looked for with vtr_jit_options.resolve, then, with use_dlsym, in the running
 * program. Simulated code calls a function with the signature that the IR declares for it, through code made for this
 * machine. */
VTR_API vtr_status vtr_jit_define(vtr_jit *jit, const char *name, void *address);

/* Reads `len` bytes of IR text, compiles every function in it and adds them, callable after vtr_jit_publish(). file is
 * what diagnostics call the text. On an error nothing of this text is added. Errors: VTR_ERR_INPUT with diagnostics,
 * VTR_ERR_UNSUPPORTED and VTR_ERR_LIMIT naming the instruction, VTR_ERR_USAGE for a name that is taken. */
VTR_API vtr_status vtr_jit_add_clif(vtr_jit *jit, const char *file, const char *text, size_t len);

/* The same for one function that was built by calls, in the same context. It is used up, also by an error: then it can
 * only be freed. Errors: those of vtr_func_finish(); VTR_ERR_UNSUPPORTED and VTR_ERR_LIMIT naming the instruction,
 * VTR_ERR_USAGE for a name that is taken. */
VTR_API vtr_status vtr_jit_add_func(vtr_jit *jit, vtr_func *func);

/* Takes a function out; its name can be added again. Nothing may run in its code, return to it or hold its address, and
 * functions that call it must be removed before. Its memory is freed with the last function that was published together
 * with it. Errors: VTR_ERR_NOT_FOUND. */
VTR_API vtr_status vtr_jit_remove(vtr_jit *jit, const char *name);

/* Makes everything added callable. Errors: VTR_ERR_NOT_FOUND naming the functions that nothing defines (they can be
 * defined, and this called again), VTR_ERR_LIMIT when `reserve` is used up, VTR_ERR_SYSTEM. */
VTR_API vtr_status vtr_jit_publish(vtr_jit *jit);

/* The address of a published function, to be called through a pointer of its signature and convention; NULL when there
 * is none. A function called this way must not trap: use vtr_jit_call() for one that may. The address of a simulated
 * function is of no use to the host. */
VTR_API void *vtr_jit_find(const vtr_jit *jit, const char *name);

/* Calls a published function. args and results are 8-byte slots: integers in the low bytes (zero-extended in
 * results), floats as their bits. *trap receives the IR's trap code (VTR_IR_TRAP_* of vitrail_ir.h, or a
 * number of the code's own) when the result is VTR_ERR_TRAP; it may be NULL.
 * Errors: VTR_ERR_NOT_FOUND, VTR_ERR_USAGE when the counts are not those of its signature, VTR_ERR_TRAP; simulated
 * also VTR_ERR_LIMIT without fuel, VTR_ERR_INTERNAL when the machine stops (see vtr_backend_new()). */
VTR_API vtr_status vtr_jit_call(vtr_jit *jit, const char *name, const uint64_t *args, size_t n_args, uint64_t *results,
                                size_t n_results, unsigned *trap);

/* ---- object files -----------------------------------------------------------------------------------
 *
 * Relocatable ELF objects for the system's linker, for any target whose description has the numbers of ELF. For
 * WebAssembly complete modules, or with `relocatable` objects of the tool conventions for a linker such as wasm-ld.
 *
 *   vtr_object_new(context, NULL, &object);
 *   vtr_object_add_clif(object, "add.clif", text, strlen(text));
 *   vtr_object_write(object, "add.o");
 *   vtr_object_free(object);
 *
 * Objects of modules that say which source lines their instructions are from tell debuggers (DWARF line tables).
 *
 * The code may stand in any executable, position-independent or not; it is not for shared libraries. The same input
 * gives the same bytes. */

typedef struct vtr_object vtr_object;

typedef struct vtr_object_options {
    vtr_opt opt;        /* how hard to work on the code */
    bool check;         /* verify after every pass and prove each register allocation (slower) */
    bool native;        /* use what the processor has that this runs on; else what every machine of the target has */
    const char *target; /* "x86_64", ...; NULL = the machine this runs on */
    /* The features that the code may use, by name with commas between, or "none" or "all"; NULL = as `native` says */
    const char *features;
    /* Of WebAssembly only. */
    bool relocatable;    /* an object for a linker instead of a complete module; by default for one whose function
                          * tables have indices of 64 bits, as wasm-ld makes them from version 19 on */
    uint64_t stack_size; /* of a complete module: bytes of its shadow stack; 0 = 1 MiB */
    uint64_t max_memory; /* of a complete module: bytes to which its memory may grow; 0 = no limit */
    bool polls;          /* of a module of bytecode: it polls, so that the loader can interrupt it */
} vtr_object_options;

/* Makes an empty object. options NULL = VTR_OPT_SPEED, defaults elsewhere; the structure is copied. The caller frees
 * it before the context. Errors: VTR_ERR_NOT_FOUND for an unknown target or feature, VTR_ERR_UNSUPPORTED when its
 * description lacks the numbers of ELF. */
VTR_API vtr_status vtr_object_new(vtr_context *context, const vtr_object_options *options, vtr_object **object);
VTR_API void vtr_object_free(vtr_object *object);

/* Reads `len` bytes of IR text and compiles every function in it. `%name` becomes the global symbol `name`, to be
 * called with the convention that its signature tells; names that are called and not defined are left to the linker,
 * the library functions that some opcodes need (ceil, fma, memcpy, ...) to libc and libm. A trap executes the
 * machine's trapping instruction; section `vitrail_traps` has a row for each: its distance from the row, and the trap
 * code, 4 bytes each. file is what diagnostics call the text. After an error the object can only be freed, all else is
 * VTR_ERR_USAGE. A complete WebAssembly module exports every function under its name, `memory`, `__heap_base` (the
 * first address that nothing uses) and, if there are any, `__stack_pointer` and `__indirect_function_table`. It imports
 * what is called and not defined from the module "env", library functions from "vitrail". Of objects of WebAssembly the
 * rows of `vitrail_traps` have the instruction's place in the code section. Errors: VTR_ERR_INPUT with diagnostics,
 * VTR_ERR_UNSUPPORTED and VTR_ERR_LIMIT naming the instruction. */
VTR_API vtr_status vtr_object_add_clif(vtr_object *object, const char *file, const char *text, size_t len);

/* The same for one function that was built by calls, in the same context. It is used up, also by an error. A function
 * that is called like one of those of the library must be added before what calls it.
 * Errors: those of vtr_func_finish(); VTR_ERR_UNSUPPORTED and VTR_ERR_LIMIT naming the instruction. */
VTR_API vtr_status vtr_object_add_func(vtr_object *object, vtr_func *func);

/* Compiles a module of bytecode into an object that, linked with the runtime (libvitrail_rt.a of the target), is an
 * executable which runs the exported function `entry` (NULL: the module's entry function) as `vitrail run` does.
 * Nothing else may be in the object. An import with the C convention is the C function of its name (without the
 * module's), an imported global the 8-byte variable of its name; what nothing defines is an unresolved import. The
 * module must outlive the object. After an error the object can only be freed.
 * Of WebAssembly only complete modules can be made; the JavaScript loader runs them.
 * Errors: VTR_ERR_NOT_FOUND, VTR_ERR_LIMIT and VTR_ERR_UNSUPPORTED naming the function, VTR_ERR_USAGE. */
VTR_API vtr_status vtr_object_add_bytecode(vtr_object *object, const vtr_bytecode *bytecode, const char *entry);

/* Of WebAssembly: what IR text calls `name` and nothing defines is imported as `field` of `module`, not as `name` of
 * "env". Errors: VTR_ERR_UNSUPPORTED for another target, VTR_ERR_USAGE after writing. */
VTR_API vtr_status vtr_object_import(vtr_object *object, const char *name, const char *module, const char *field);

/* Of WebAssembly: the function `name` of an IR text that was added, without parameters and results, runs when the
 * module is instantiated. Errors: VTR_ERR_NOT_FOUND, VTR_ERR_INPUT for a function of another type,
 * VTR_ERR_UNSUPPORTED for another target, VTR_ERR_USAGE after writing. */
VTR_API vtr_status vtr_object_start(vtr_object *object, const char *name);

/* The object as the bytes of a file, which the caller frees with vtr_bytes_free(); or written to a file. Nothing may
 * be added afterwards. Errors: VTR_ERR_SYSTEM (the file cannot be written), VTR_ERR_USAGE (a second time). */
VTR_API vtr_status vtr_object_bytes(vtr_object *object, uint8_t **bytes, size_t *n);
VTR_API vtr_status vtr_object_write(vtr_object *object, const char *path);

#ifdef __cplusplus
}
#endif

#endif
