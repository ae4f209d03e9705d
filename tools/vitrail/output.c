#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *with_extension(const char *input, const char *extension) {
    const char *slash = strrchr(input, '/');
    const char *name = slash ? slash + 1 : input;
    const char *dot = strrchr(name, '.');
    size_t stem = dot && dot != name ? (size_t)(dot - input) : strlen(input);
    char *path = malloc(stem + strlen(extension) + 1);
    if (path) sprintf(path, "%.*s%s", (int)stem, input, extension);
    return path;
}

bool output_write(const char *path, const char *input, const char *extension, const void *bytes, size_t n) {
    if (!path && !strcmp(input, "-")) path = "-";
    char *own = path ? NULL : with_extension(input, extension);
    if (own) path = own;
    bool to_stdout = path && !strcmp(path, "-");
    FILE *file = !path ? NULL : to_stdout ? stdout : fopen(path, "wb");
    bool done = file && fwrite(bytes, 1, n, file) == n;
    if (file && (to_stdout ? fflush(file) : fclose(file)) != 0) done = false;
    if (!done) fprintf(stderr, "%s: error: %s\n", path ? path : input, strerror(errno));
    free(own);
    return done;
}
