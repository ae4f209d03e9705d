// How `vitrail show` prints what it has to show: as text, as JSON, or as graphs for Graphviz.
#ifndef VITRAIL_SHOW_OUT_H
#define VITRAIL_SHOW_OUT_H

#include "json.h"
#include "select/mfunc.h"

typedef enum ShowFormat { SHOW_TEXT, SHOW_JSON, SHOW_DOT } ShowFormat;

typedef struct ShowOut {
    ShowFormat format;
    Json json;
    const char *function; // its name
} ShowOut;

void show_begin(ShowOut *out, const char *file, const char *stage, const char *target);
void show_end(ShowOut *out);

// The current function at a stage where it has blocks.
void show_ir(ShowOut *out, const Func *f);
void show_machine(ShowOut *out, const MFunc *m);
// The lines of its code: address, bytes, and the instruction.
void show_code(ShowOut *out, const char *listing);
// Any other text, of a function or of the whole file.
void show_lines(ShowOut *out, const char *text);

#endif
