#include "link_exe.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "installed.h"

extern char **environ;

enum { MAX_WORDS = 64 };

char *link_temporary(const char *output) {
    size_t size = strlen(output) + sizeof ".XXXXXX.o";
    char *path = malloc(size);
    if (!path) return NULL;
    snprintf(path, size, "%s.XXXXXX.o", output);
    int file = mkstemps(path, 2);
    if (file >= 0) {
        close(file);
        return path;
    }
    free(path);
    return NULL;
}

// The runtime's library.
static bool find_runtime(const char *target, char *path, size_t size) {
    static const char *const places[] = {"lib/vitrail", "../lib/vitrail", "../lib64/vitrail", NULL};
    char name[PATH_MAX];
    int len = snprintf(name, sizeof name, "%s/libvitrail_rt.a", target);
    return len > 0 && (size_t)len < sizeof name && installed_find(places, name, path, size);
}

static bool run(char **words) {
    pid_t child;
    int status;
    int error = posix_spawnp(&child, words[0], NULL, NULL, words, environ);
    if (error) {
        fprintf(stderr, "vitrail build: %s: %s\n", words[0], strerror(error));
        return false;
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    fprintf(stderr, "vitrail build: %s failed\n", words[0]);
    return false;
}

bool link_exe(const LinkExe *link, const char *object, const char *output) {
    char found[PATH_MAX];
    char command[PATH_MAX];
    const char *runtime = link->runtime;
    if (!runtime) {
        if (!find_runtime(link->target, found, sizeof found)) {
            fprintf(stderr,
                    "vitrail build: there is no runtime for %s; tools/runtime/build makes one, --runtime names it\n",
                    link->target);
            return false;
        }
        runtime = found;
    }
    if (link->linker) snprintf(command, sizeof command, "%s", link->linker);
    else if (link->arch) snprintf(command, sizeof command, "%s-linux-gnu-gcc", link->arch);
    else snprintf(command, sizeof command, "cc");
    char *words[MAX_WORDS + 8];
    unsigned n = 0;
    for (char *word = strtok(command, " "); word && n < MAX_WORDS; word = strtok(NULL, " ")) words[n++] = word;
    const char *const rest[] = {"-o", output, object, runtime, "-lm", "-lpthread"};
    for (size_t k = 0; k < sizeof rest / sizeof *rest; k++) words[n++] = (char *)rest[k];
    words[n] = NULL;
    return run(words);
}
