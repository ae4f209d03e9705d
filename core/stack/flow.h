// The control flow of a function of a stack machine, as body.c writes it: a graph of its own, since edges with work to
// do and dispatches are nodes in it, while blocks that do nothing are not.
#ifndef VTR_STACK_FLOW_H
#define VTR_STACK_FLOW_H

#include "stack/stack.h"

typedef enum FlowKind {
    FLOW_BLOCK,   // MBlock `x`
    FLOW_EDGE,    // the operations of MFunc.edges `x`, for an edge out of a block with several successors
    FLOW_DISPATCH // branches to its k-th edge when the dispatch local is k
} FlowKind;

// How a node ends.
typedef enum FlowEnd {
    END_LEAVE,  // with a return, a tail call or a trap: no edges
    END_JUMP,   // edge 0
    END_BRANCH, // a condition is on the stack: edge 0 when it is not 0, else edge 1
    END_TABLE   // a number is on the stack: an edge of each entry
} FlowEnd;

typedef struct FlowNode {
    uint8_t kind, end;
    bool drops; // END_JUMP: what is on the stack selects between equals
    uint32_t x;
    uint32_t first, n; // in Flow.edges
    uint32_t table;    // END_TABLE of a block: number in MFunc.tables
} FlowNode;

typedef struct FlowEdge {
    uint32_t from, to; // nodes
    uint32_t ops;      // the operations of MFunc.edges `ops` on the way, NONE = none. Only of an END_JUMP
    uint32_t label;    // then the dispatch local becomes this, NONE = nothing does
} FlowEdge;

typedef struct Flow {
    Arena *arena;
    const MFunc *m;
    const StackPlan *plan;
    VEC(FlowNode) nodes; // by number of MBlock, then others. 0 is the entry
    VEC(FlowEdge) edges; // by number in MFunc.edges, then others
    uint32_t n_labels;   // of the largest dispatch; 0 = none
} Flow;

// What order.c finds out. All arrays but rpo are by node.
typedef struct FlowOrder {
    uint32_t *rpo;    // nodes in a reverse postorder
    uint32_t n_rpo;   // how many are reached
    uint32_t *number; // position in rpo, NONE = not reached
    uint32_t *idom;   // immediate dominator, NONE of the entry
    // Natural loops: the header of the innermost one around a node (its own, of a header), NONE = none.
    uint32_t *loop;
    uint32_t *loop_parent; // of a header: the header of the loop around its loop, NONE = none
    bool *is_header;
    bool irreducible; // some cycle is entered at several places: then loops were not looked for
    // The dominator tree as intervals: a dominates b if b's start lies in a's.
    uint32_t *start, *size;
    // Edges into node v from reached nodes: preds[preds_first[v]] to preds[preds_first[v + 1]].
    uint32_t *preds_first, *preds;
} FlowOrder;

// Where nodes stand (order.c, last section).
typedef struct FlowPlaces {
    // A node that is no part of the code of its predecessor stands behind the code of a dominator: inside its loop, or
    // behind the loop. Lists of such nodes, last one first, by dominator; NONE = the end.
    uint32_t *inside, *behind, *next;
    bool *placed; // is on one of these lists
} FlowPlaces;

Flow *flow_make(Arena *arena, const MFunc *m, const StackPlan *plan);
// Puts a node on an edge, which does the operations of MFunc.edges `ops` and then sets the dispatch local to `label`
// (NONE: nothing). Returns the edge that leads on from there.
uint32_t flow_split(Flow *f, uint32_t edge, uint32_t ops, uint32_t label);

// Whether the condition that a node leaves can be inverted where it is made, and by which instruction; NO_MOP: by none.
bool flow_inverts(const Flow *f, uint32_t node, uint16_t *mop);

FlowOrder *flow_order(Arena *arena, const Flow *f);
FlowPlaces *flow_places(Arena *arena, const Flow *f, const FlowOrder *order);
// Gives every cycle a header that dominates it, and makes the order of what comes out.
FlowOrder *flow_reduce(Arena *arena, Flow *f);

// One step of structured code.
typedef enum ShapeKind {
    SHAPE_NODE,  // the operations of a node in front of its end
    SHAPE_OPS,   // the operations of MFunc.edges `x`
    SHAPE_LABEL, // the dispatch local becomes `x`
    SHAPE_DROP,  // pops what would have selected
    SHAPE_BLOCK, // opens: branches to node `x` go to its end
    SHAPE_LOOP,  // opens: branches to node `x` go to its start
    SHAPE_END,   // of the block of node `x`
    SHAPE_ENDLOOP,
    SHAPE_IF, // pops a condition
    SHAPE_ELSE,
    SHAPE_ENDIF,
    SHAPE_NOT,    // inverts the condition that node `x` left
    SHAPE_BR,     // to node `x`, forwards
    SHAPE_REPEAT, // to node `x`, a loop
    SHAPE_BR_IF,
    SHAPE_REPEAT_IF,
    SHAPE_TABLE, // the branch table at the end of node `x`
    SHAPE_LEAVE  // what ends node `x`: return, tail call, trap
} ShapeKind;
typedef struct Shape {
    uint8_t kind;
    uint32_t x;
} Shape;

typedef struct FlowShape {
    VEC(Shape) steps;
    uint32_t *uses; // by node: branches to the end of its block; a block without any is not written
} FlowShape;
FlowShape *flow_shape(Arena *arena, const Flow *f, const FlowOrder *order, const FlowPlaces *places);

#endif
