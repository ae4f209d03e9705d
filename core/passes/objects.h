// Which values are references to the same object, at addresses that a collector may have changed in between.
#ifndef VTR_PASSES_OBJECTS_H
#define VTR_PASSES_OBJECTS_H

#include "ir/dom.h"

typedef struct Objects {
    const Func *f;
    uint32_t *same; // by value, for the first `n`: an earlier value that is the same object, or itself
    uint32_t n;
} Objects;

// Two values v and w are the same object when object_of(v) is object_of(w): then v is 0 exactly when w is, and what
// loads marked `readonly` read at v is what they read at w. The value returned dominates v.
Value object_of(const Objects *objects, Value v);

// Linear. Stays right when values are aliased or removed later; values made later are objects of their own.
Objects objects_find(Arena *arena, const Func *f, const Cfg *cfg);

#endif
