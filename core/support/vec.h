// Growable arrays in an arena.
//
//   VEC(uint32_t) numbers = {0};
//   vec_push(arena, &numbers, 7);
//   for (size_t i = 0; i < numbers.n; i++) use(numbers.v[i]);
//
// Growth doubles, so pushing is amortised constant and the abandoned copies sum to less than the final size.
// A zeroed vector is empty and valid. Elements may move on push: keep indices, not pointers.
#ifndef VTR_SUPPORT_VEC_H
#define VTR_SUPPORT_VEC_H

#include "support/ctx.h"

#define VEC(type)                                                                                                      \
    struct {                                                                                                           \
        type *v;                                                                                                       \
        uint32_t n;                                                                                                    \
        uint32_t cap;                                                                                                  \
    }

// Makes room for `extra` more elements. Throws VTR_ERR_LIMIT beyond 2^32-1 elements.
#define vec_reserve(arena, vec, extra)                                                                                 \
    ((vec)->v = vec_grow_((arena), (vec)->v, (vec)->n, &(vec)->cap, (extra), sizeof *(vec)->v))

#define vec_push(arena, vec, ...) (vec_reserve((arena), (vec), 1), (vec)->v[(vec)->n++] = (__VA_ARGS__))

// Appends `count` elements and yields a pointer to the first (NULL if there is none). They are zero unless the vector
// was longer before.
#define vec_extend(arena, vec, count)                                                                                  \
    (vec_reserve((arena), (vec), (count)), (vec)->n += (uint32_t)(count),                                              \
     (vec)->v ? &(vec)->v[(vec)->n - (count)] : NULL)

#define vec_last(vec) ((vec)->v[(vec)->n - 1])

void *vec_grow_(Arena *arena, void *old, uint32_t n, uint32_t *cap, size_t extra, size_t size);

#endif
