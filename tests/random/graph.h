// Random control-flow graphs, and what shapes are in them. Nothing of the library is used, so that its own
// algorithms are not what decides what is tested.
//
// A graph consists of 1 to 6 regions (a range of nodes each), and an edge mostly stays in its region. Styles of
// regions:
//   any      an edge goes to any node: mostly one irreducible tangle
//   near     forward by 1 to 4, or (one in four) back by up to 8: loops overlap
//   forward  no cycles: joins of joins
//   nest     nested intervals with edges back to their starts, and now and then an edge into the middle of one
//   hub      a switch that most nodes go back to: an interpreter
//   comb     each node goes to the next one and back to the last one: depth is length
// How a node ends: one, two or many ways on, `exits` of it a return, a trap or a tail call. Then most nodes
// get an edge from a node shortly before them, so that most are reached; one graph in six gets nodes that
// are not.
// Sizes, before checks are added: a tenth has 1 to 3 nodes, a quarter 2 to 10, two fifths 5 to 40, a fifth 20 to 120,
// one in twenty 100 to 300; all scaled by `size` percent.
//
// Every cycle of reachable nodes contains a check: a node that counts, and leaves when nothing is left.
#ifndef TESTS_GRAPH_H
#define TESTS_GRAPH_H

#include "random.h"
#include "support/ctx.h"

typedef enum NodeKind { NODE_JUMP, NODE_BRANCH, NODE_SWITCH, NODE_RETURN, NODE_TRAP, NODE_TAIL } NodeKind;
typedef enum CheckKind {
    CHECK_NONE,
    CHECK_BRANCH, // a NODE_BRANCH: on, or out when nothing is left
    CHECK_GUARD   // a trap when nothing is left, before whatever the node does
} CheckKind;

typedef struct Node {
    uint8_t kind;  // NodeKind
    uint8_t check; // CheckKind
    uint8_t out;   // CHECK_BRANCH: which of the two edges is taken when nothing is left
    uint32_t n_to;
    uint32_t *to;
} Node;

// How often a shape occurs.
typedef enum Shape {
    SHAPE_BLOCKS,
    SHAPE_EDGES,
    SHAPE_UNREACHABLE,        // blocks
    SHAPE_RETURNS,            // blocks that end so; everything from here on: reachable ones only
    SHAPE_TRAPS,              //
    SHAPE_TAILS,              //
    SHAPE_SWITCHES,           //
    SHAPE_LARGE_SWITCHES,     // with 32 targets or more
    SHAPE_REPEATED_TARGETS,   // switches with several edges to one block
    SHAPE_BOTH_EDGES,         // branches with both edges to one block
    SHAPE_SELF_LOOPS,         // edges
    SHAPE_CRITICAL_EDGES,     // from a node with several to a node with several
    SHAPE_LOOPS,              // of the nest: strongly connected parts, and those of them without edges to their entries
    SHAPE_NESTED_LOOPS,       // inside others
    SHAPE_DEEP_LOOPS,         // at depth 4 or deeper
    SHAPE_OVERLAPPING,        // loops with several edges back to the one entry
    SHAPE_IRREDUCIBLE,        // loops with several entries
    SHAPE_NESTED_IRREDUCIBLE, // of these, inside others of these
    N_SHAPES
} Shape;
const char *shape_name(Shape shape);

typedef struct Graph {
    Node *nodes; // the entry is number 0; no edge goes to it
    uint32_t n;
    uint32_t *order; // the reachable nodes, in preorder of the dominator tree
    uint32_t n_order;
    uint32_t *idom; // NONE: the entry, unreachable
    uint32_t *n_in; // edges from reachable nodes
    uint32_t shapes[N_SHAPES];
} Graph;

Graph *graph_random(Arena *arena, Random *r, uint32_t size);

static inline bool graph_reachable(const Graph *g, uint32_t n) { return n == 0 || g->idom[n] != UINT32_MAX; }
// Does every path from the entry to b pass a?
bool graph_dominates(const Graph *g, uint32_t a, uint32_t b);

#endif
