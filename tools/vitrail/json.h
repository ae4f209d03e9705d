// JSON on standard output, one element a line.
#ifndef VITRAIL_JSON_H
#define VITRAIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Json {
    unsigned depth;
    bool first; // nothing stands yet between the innermost brackets
} Json;

// The whole is an object.
Json json_begin(void);
void json_end(Json *j);

// Keys are NULL in lists, and for texts that are NULL nothing is printed.
void json_open(Json *j, const char *key, char bracket);
void json_close(Json *j, char bracket);
void json_text(Json *j, const char *key, const char *text);
void json_number(Json *j, const char *key, uint64_t n);
void json_bool(Json *j, const char *key, bool x);

// For what is put on one line: begins an element (what separates it from the one before, and its key); quotes a text.
void json_element(Json *j, const char *key);
void json_string(const char *text, size_t n);

#endif
