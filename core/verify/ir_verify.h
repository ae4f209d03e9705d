// The IR verifier: what every producer and every pass must leave true.
#ifndef VTR_VERIFY_IR_VERIFY_H
#define VTR_VERIFY_IR_VERIFY_H

#include "ir/ir.h"

// Checks a function: layout, types, uses dominated by definitions, signatures of calls and returns, entities. Records
// one diagnostic per mistake (at most a score per function), each naming function, block and instruction, and tells
// whether there was none. Time is n log n in the size of the function; nothing is changed.
bool verify_func(const Func *f);

// Reads CLIF text of which every function is needed. Throws VTR_ERR_INPUT, or VTR_ERR_UNSUPPORTED, with diagnostics;
// what it returns has been verified. See ir_read(); signatures that name no convention have system_v.
IrFile *verify_read(Arena *arena, const char *name, const char *text, size_t len);

#endif
