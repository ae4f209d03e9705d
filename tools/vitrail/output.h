// Writing results of subcommands.
#ifndef VITRAIL_OUTPUT_H
#define VITRAIL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

// Writes n bytes to the file `path` ("-" = standard output; NULL = the input's name with its extension replaced, or
// standard output when the input is standard input). On failure says why on stderr and returns false.
bool output_write(const char *path, const char *input, const char *extension, const void *bytes, size_t n);

#endif
