// A priority queue of pairs of numbers, the least first: a binary heap (J. W. J. Williams: Algorithm 232, Heapsort,
// CACM 7(6), 1964). Pairs order by `key`, then by `item`, so what comes out never depends on the order of going in.
//
//   Queue q = {0};
//   queue_push(arena, &q, position, interval);
//   while (q.v.n) use(queue_pop(&q).item);
#ifndef VTR_SUPPORT_QUEUE_H
#define VTR_SUPPORT_QUEUE_H

#include "support/vec.h"

typedef struct Queued {
    uint32_t key, item;
} Queued;

// The least pair is v.v[0].
typedef struct Queue {
    VEC(Queued) v;
} Queue;

void queue_push(Arena *arena, Queue *q, uint32_t key, uint32_t item);
// Removes and returns the least pair of a queue that is not empty.
Queued queue_pop(Queue *q);

#endif
