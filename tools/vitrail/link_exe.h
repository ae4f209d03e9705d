// Executables: running the system's linker, by way of its C compiler.
#ifndef VITRAIL_LINK_EXE_H
#define VITRAIL_LINK_EXE_H

#include <stdbool.h>

typedef struct LinkExe {
    const char *target;  // for the runtime's folder
    const char *arch;    // of another machine's cross compiler, NULL = this machine
    const char *linker;  // command with options, NULL = the default
    const char *runtime; // path, NULL = the one that belongs to this program
} LinkExe;

// A new empty file next to `output`; the caller frees the name and removes the file. NULL: errno tells.
char *link_temporary(const char *output);

// Links object and runtime. On failure says why on stderr (the linker does) and returns false.
bool link_exe(const LinkExe *link, const char *object, const char *output);

#endif
