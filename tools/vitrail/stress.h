// The options that make code generation hard, for testing: every command that compiles has them.
#ifndef VITRAIL_STRESS_H
#define VITRAIL_STRESS_H

#include <argp.h>

#include "regalloc/regalloc.h"

// Options --max-regs, --ra-seed, --squeeze and --frame-pad. A child parser whose input is a Stress.
extern const struct argp stress_argp;

#endif
