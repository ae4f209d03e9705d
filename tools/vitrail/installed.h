// Files that belong to this program.
#ifndef VITRAIL_INSTALLED_H
#define VITRAIL_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>

// The path of a file that can be read: `name` in one of `places` (ends with NULL), which are seen from the folder of
// this program: as it was built, then as it is installed. False when there is none.
bool installed_find(const char *const *places, const char *name, char *path, size_t size);

#endif
