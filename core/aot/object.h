// A relocatable object while it is being made: sections, symbols, relocations, the code of functions. Nothing here
// knows a file format; elf.c writes one.
//
// Everything is numbered in the order of its making and written in that order, so the same calls give the same bytes.
#ifndef VTR_AOT_OBJECT_H
#define VTR_AOT_OBJECT_H

#include "emit/code.h"

typedef enum ObjSectionKind {
    OBJ_CODE,
    OBJ_READ_ONLY,
    OBJ_RELRO, // read-only once the loader has put addresses into it
    OBJ_DATA,
    OBJ_UNWIND,
    OBJ_DEBUG // not loaded
} ObjSectionKind;

typedef struct ObjReloc {
    uint64_t at;  // offset in the section
    uint32_t elf; // number of the relocation
    uint32_t sym; // symbol number
    int64_t addend;
} ObjReloc;

typedef struct ObjSection {
    const char *name;
    ObjSectionKind kind;
    uint32_t align;
    uint32_t sym; // the symbol of its start
    Buf bytes;
    VEC(ObjReloc) relocs;
} ObjSection;

typedef enum ObjScope {
    OBJ_LOCAL,  // not seen outside the object
    OBJ_GLOBAL, // defined here, or wanted from outside
    OBJ_HIDDEN, // global, but not beyond the executable or shared library that it is linked into
    OBJ_WEAK    // wanted from outside, its address is 0 when nothing defines it
} ObjScope;

typedef enum ObjSymKind { OBJ_NOTYPE, OBJ_FUNC, OBJ_OBJECT, OBJ_SECTION, OBJ_FILE } ObjSymKind;

typedef struct ObjSym {
    const char *name; // may be empty
    uint8_t scope;    // ObjScope
    uint8_t kind;     // ObjSymKind
    uint32_t section; // section number, NONE = not defined here
    uint64_t value;   // offset in the section
    uint64_t size;
    uint32_t word; // symbol number + 1 of a word that holds its address (near.c), 0 = none
} ObjSym;

// A function that stands in the text section.
typedef struct ObjFunc {
    uint32_t sym;
    uint64_t at;
    const Code *code; // in the object's arena; without bytes and relocations
    uint32_t places;  // Object.places: one for each of code->lines
    uint32_t n_places;
} ObjFunc;

// A place in the input's source.
typedef struct ObjPlace {
    uint32_t file; // number in Object.files
    uint32_t line; // 0 = none
    uint32_t col;  // 0 = unknown
} ObjPlace;

typedef struct Object {
    Ctx *ctx;
    Arena *arena;
    const Target *target;
    uint64_t features; // that its code may use
    VEC(ObjSection) sections;
    VEC(ObjSym) syms;
    Interner names;        // of global, hidden and weak symbols
    VEC(uint32_t) by_name; // number in names -> symbol number + 1
    VEC(ObjFunc) funcs;    // by address
    VEC(ObjPlace) places;  // of the functions that have source lines
    Interner files;        // names of source files
    uint32_t text;         // section number
} Object;

// An empty object with a text section. Throws VTR_ERR_UNSUPPORTED when the target's description lacks what objects
// need.
Object *object_new(Arena *arena, const Target *target, uint64_t features);

// A new section; `name` lives as long as the object.
uint32_t object_section(Object *o, const char *name, ObjSectionKind kind, uint32_t align);
// Appends zeros up to a multiple of `align`, which the section's own becomes at least; returns the offset.
uint64_t object_align(Object *o, uint32_t section, uint32_t align);

// A local symbol, made anew.
uint32_t object_local(Object *o, const char *name, ObjSymKind kind, uint32_t section, uint64_t value, uint64_t size);
// The symbol that has this name outside: made undefined when it is new.
uint32_t object_symbol(Object *o, const char *name);
// The same, weak if it is new.
uint32_t object_weak(Object *o, const char *name);
// Defines it. Throws VTR_ERR_INPUT when it is defined already.
void object_define(Object *o, uint32_t sym, ObjScope scope, ObjSymKind kind, uint32_t section, uint64_t value,
                   uint64_t size);

void object_reloc(Object *o, uint32_t section, uint64_t at, unsigned reloc, uint32_t sym, int64_t addend);
// Appends a word that holds the address of `sym` + addend, or 0 when sym is NONE.
void object_address(Object *o, uint32_t section, uint32_t sym, int64_t addend);

// Appends a function's code to the text section and makes `sym`, which must not be defined, stand for it. Names that
// its relocations refer to become symbols by resolve(user, name). The Code is copied.
void object_code(Object *o, const Code *code, uint32_t sym, ObjScope scope,
                 uint32_t (*resolve)(void *user, ExtName name), void *user);

// debug.c: says what place in the source the next of code->lines of the function that was added last stands for: either
// all of them have one or none. The file's name has n bytes; 0 = no place.
void object_place(Object *o, const char *file, size_t n, uint32_t line, uint32_t col);
// Appends the sections of a debugger when there are places.
void object_debug(Object *o);

// eh_frame.c: appends the unwind section for all functions so far.
void object_unwind(Object *o);

// elf.c: the file. The bytes are in `arena`.
Buf object_elf(Object *o, Arena *arena);

#endif
