// `vitrail dis` of WebAssembly modules and relocatable objects.
#ifndef VITRAIL_DIS_WASM_H
#define VITRAIL_DIS_WASM_H

#include "select/target.h"
#include "wasm_file.h"

// The target whose instructions modules have, NULL when there is none.
const Target *wasm_target(void);

// Appends the listing of every function: its name, declarations of locals, instructions indented by their nesting, and
// behind them the names of functions called and the relocations that apply. Throws VTR_ERR_INPUT when the file is not
// as the format says.
void wasm_list(Ctx *ctx, const Input *input, const Target *t, Buf *out);

#endif
