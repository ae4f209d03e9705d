// Numbers on the command line.
#ifndef VITRAIL_NUMBER_H
#define VITRAIL_NUMBER_H

#include <argp.h>
#include <stdint.h>

// A decimal number of at most `max`; anything else ends the program with what `option` wants.
uint64_t read_number(struct argp_state *state, const char *option, const char *text, uint64_t max);

#endif
