// Object files as `vitrail dis` reads them.
#ifndef VITRAIL_DIS_ELF_H
#define VITRAIL_DIS_ELF_H

#include "input.h"
#include "select/target.h"
#include "support/buf.h"

bool elf_is_object(const Input *input);
// The target whose machine the file is for, NULL when there is none.
const Target *elf_target(const Input *input);

// Appends the listing of every section of instructions: labels, instructions, and behind them the relocations that
// apply to them. Throws VTR_ERR_INPUT when the file is not as ELF says.
void elf_list(Ctx *ctx, const Input *input, const Target *t, Buf *out);

#endif
