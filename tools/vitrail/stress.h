// The options that make register allocation hard, for testing: every command that compiles has them.
#ifndef VITRAIL_STRESS_H
#define VITRAIL_STRESS_H

#include <argp.h>

#include "regalloc/regalloc.h"

// Options --max-regs and --ra-seed. A child parser whose input is a RaStress.
extern const struct argp stress_argp;

#endif
