#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void json_string(const char *text, size_t n) {
    putchar('"');
    for (const char *end = text + n; text < end; text++) {
        if ((unsigned char)*text < 0x20) printf("\\u%04x", (unsigned)*text);
        else printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    putchar('"');
}

void json_element(Json *j, const char *key) {
    printf("%s%*s", j->first ? "\n" : ",\n", (int)(2 * j->depth), "");
    j->first = false;
    if (!key) return;
    json_string(key, strlen(key));
    fputs(": ", stdout);
}

Json json_begin(void) {
    putchar('{');
    return (Json){1, true};
}

void json_open(Json *j, const char *key, char bracket) {
    json_element(j, key);
    putchar(bracket);
    j->depth++;
    j->first = true;
}

void json_close(Json *j, char bracket) {
    j->depth--;
    if (!j->first) printf("\n%*s", (int)(2 * j->depth), "");
    j->first = false;
    putchar(bracket);
}

void json_end(Json *j) {
    json_close(j, '}');
    putchar('\n');
}

void json_text(Json *j, const char *key, const char *text) {
    if (!text) return;
    json_element(j, key);
    json_string(text, strlen(text));
}

void json_number(Json *j, const char *key, uint64_t n) {
    json_element(j, key);
    printf("%" PRIu64, n);
}

void json_bool(Json *j, const char *key, bool x) {
    json_element(j, key);
    fputs(x ? "true" : "false", stdout);
}
