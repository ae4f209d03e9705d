#include "regalloc/ra.h"
void speed_allocate(Ra *ra) { fast_allocate(ra); }
