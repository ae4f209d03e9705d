// Ranges and relations, with scopes; and the search that combines them.
//
// Theory. A relation x <= y + c is an edge of weight c from x to y, and what follows from several of them is a path:
// Bodik, Gupta, Sarkar, "ABCD: Eliminating Array Bounds Checks on Demand" (PLDI 2000), demand-driven as there: a query
// walks from x towards y, adding weights, and holds when it arrives with no more than c - or at a value whose largest
// is at most y's least. Besides what branches taught, a value's definition is an edge (v = iadd x, 1 that cannot wrap
// is x + 1; urem x, n is at most n - 1), so no node of the graph is ever built. Numbers with and without sign are two
// graphs over the same values. An edge of one holds in the other where both its ends are the same number either way:
//
//     i >=s 0, i <s n     means     i <u n     for n > i >= 0
//
// which is what makes a loop's test imply the bounds check in its body. LLVM's ConstraintElimination keeps the same two
// systems and moves facts between them so.
//
// A search looks at ROOM nodes and no more, each of them at EDGES learned relations: queries take constant time.
#include "passes/known.h"

#include "passes/edit.h"

enum {
    ROOM = 24,  // nodes of one search
    EDGES = 6,  // newest relations followed from one node
    BASES = 4,  // values that a query's right side is known to exceed
    HOPS = 4,   // definitions a range is passed up through
    SPLITS = 4, // conditions taken apart
};
#define FAR ((Wide)1 << 62) // weights beyond are not followed: no sum of ROOM of them leaves Wide

Known known_new(Arena *arena, const Func *f, const Cfg *cfg) {
    uint32_t n = f->values.n;
    return (Known){.f = f,
                   .arena = arena,
                   .objects = objects_find(arena, f, cfg),
                   .n_values = n,
                   .range = NEW_ARRAY(arena, Range, n),
                   .ranged = bits_new(arena, n),
                   .first = all_none(arena, n)};
}

KnownMark known_mark(const Known *k) { return (KnownMark){k->relations.n, k->changes.n}; }

void known_back(Known *k, KnownMark mark) {
    while (k->relations.n > mark.relations) {
        const Relation *last = &vec_last(&k->relations);
        k->first[last->x] = last->next;
        k->relations.n--;
    }
    while (k->changes.n > mark.changes) {
        const RangeChange *last = &vec_last(&k->changes);
        k->range[last->value] = last->before;
        k->changes.n--;
    }
}

static bool is_ranged(const Known *k, Value v) { return v.i < k->n_values && bits_has(k->ranged, v.i); }

Range known_range(const Known *k, Value v) {
    v = func_value(k->f, v);
    if (is_ranged(k, v)) return k->range[v.i];
    uint64_t bits;
    Type type = value_type(k->f, v);
    return value_const(k->f, v, &bits) ? range_const(type, bits) : range_all(type);
}

void known_define(Known *k, Value v, Range r) {
    if (v.i >= k->n_values) return;
    k->range[v.i] = r;
    bits_add(k->ranged, v.i);
}

// ---- learning ------------------------------------------------------------------------------------

static bool set_range(Known *k, Value v, Range r) {
    if (!is_ranged(k, v)) return false;
    Range now = k->range[v.i];
    r = range_meet(value_type(k->f, v), now, r);
    if (r.umin == now.umin && r.umax == now.umax && r.smin == now.smin && r.smax == now.smax) return false;
    vec_push(k->arena, &k->changes, (RangeChange){v.i, now});
    k->range[v.i] = r;
    return true;
}

bool known_is_offset(const Known *k, Inst def, int64_t *by) {
    uint64_t bits;
    if (inst_get(k->f, def)->op != OP_iadd || !value_const(k->f, inst_arg(k->f, def, 1), &bits)) return false;
    *by = bit_sext(bits, type_bits(value_type(k->f, inst_result(k->f, def, 0))));
    return true;
}

// The operand that v is made of, and its range that follows from v's range r.
static bool operand_range(const Known *k, Value v, Range r, Value *operand, Range *out) {
    const Func *f = k->f;
    Inst def = value_def(f, v);
    if (!inst_ok(def) || !inst_get(f, def)->args.n) return false;
    Value x = inst_arg(f, def, 0);
    Type type = value_type(f, x);
    if (!type_is_int(type)) return false;
    Range now = known_range(k, x);
    int64_t by;
    *operand = x;
    switch (inst_get(f, def)->op) {
    case OP_uextend: *out = range_unsigned(type, r.umin, r.umax); break;
    case OP_sextend: *out = range_signed(type, r.smin, r.smax); break;
    case OP_ireduce:
        if (now.umax > range_all(value_type(f, v)).umax) return false;
        *out = range_unsigned(type, r.umin, r.umax);
        break;
    case OP_iadd:
        if (!known_is_offset(k, def, &by)) return false;
        // Whether or not the sum wraps: where all of r less the constant are numbers of the type, they are what x can
        // be.
        *out = range_meet(type, range_signed(type, (Wide)r.smin - by, (Wide)r.smax - by),
                          range_unsigned(type, (Wide)r.umin - by, (Wide)r.umax - by));
        break;
    default: return false;
    }
    return true;
}

void known_learn(Known *k, Value v, Range r) {
    v = func_value(k->f, v);
    for (int hop = 0; hop < HOPS && set_range(k, v, r); hop++) {
        Value operand;
        Range of_operand;
        if (!operand_range(k, v, known_range(k, v), &operand, &of_operand)) return;
        v = operand;
        r = of_operand;
    }
}

void known_relate(Known *k, bool sign, Value x, Value y, int64_t c) {
    x = func_value(k->f, x);
    y = func_value(k->f, y);
    uint64_t bits;
    // What a constant bounds stands in the ranges.
    if (!is_ranged(k, x) || !is_ranged(k, y) || value_const(k->f, x, &bits) || value_const(k->f, y, &bits)) return;
    vec_push(k->arena, &k->relations, (Relation){.x = x.i, .y = y.i, .next = k->first[x.i], .sign = sign, .c = c});
    k->first[x.i] = k->relations.n - 1;
}

// Here, x cc y.
static void learn_icmp(Known *k, IntCC cc, Value x, Value y) {
    Type type = value_type(k->f, x);
    Range of_x = known_range(k, x);
    Range of_y = known_range(k, y);
    known_learn(k, x, range_if(type, cc, of_x, of_y));
    known_learn(k, y, range_if(type, (IntCC)icc_swap[cc], of_y, of_x));
    switch (cc) {
    case ICC_eq:
        for (int sign = 0; sign < 2; sign++) {
            known_relate(k, sign, x, y, 0);
            known_relate(k, sign, y, x, 0);
        }
        break;
    case ICC_slt: known_relate(k, true, x, y, -1); break;
    case ICC_sle: known_relate(k, true, x, y, 0); break;
    case ICC_sgt: known_relate(k, true, y, x, -1); break;
    case ICC_sge: known_relate(k, true, y, x, 0); break;
    case ICC_ult: known_relate(k, false, x, y, -1); break;
    case ICC_ule: known_relate(k, false, x, y, 0); break;
    case ICC_ugt: known_relate(k, false, y, x, -1); break;
    case ICC_uge: known_relate(k, false, y, x, 0); break;
    default: break;
    }
}

void known_learn_zero(Known *k, Value v, bool zero) {
    const Func *f = k->f;
    Value work[SPLITS] = {func_value(f, v)};
    for (int n = 1, at = 0; at < n; at++) {
        v = work[at];
        Type type = value_type(f, v);
        Range all = range_all(type);
        Range r = zero ? range_const(type, 0) : range_unsigned(type, 1, all.umax);
        known_learn(k, v, r);
        Value object = object_of(&k->objects, v);
        if (!value_eq(object, v)) known_learn(k, object, r);
        Inst def = value_def(f, v);
        if (!inst_ok(def)) continue;
        Op op = (Op)inst_get(f, def)->op;
        if (op == OP_icmp) {
            uint8_t cc = inst_get(f, def)->code;
            learn_icmp(k, (IntCC)(zero ? icc_not[cc] : cc), inst_arg(f, def, 0), inst_arg(f, def, 1));
        } else if ((op == OP_band && !zero) || (op == OP_bor && zero)) {
            // Bits that both sides have, or that neither has.
            for (uint32_t a = 0; a < 2 && n < SPLITS; a++) work[n++] = inst_arg(f, def, a);
        }
    }
}

// ---- searching -----------------------------------------------------------------------------------

// The query `node <= y + c`, on the way there.
typedef struct Node {
    Value v;
    Wide c;
} Node;

typedef struct Search {
    const Known *k;
    bool sign;
    Node bases[BASES]; // each v + c is at most the query's right side
    int n_bases;
    Wide least; // the right side is at least this
    Node nodes[ROOM];
    int n_nodes;
} Search;

static Wide least_of(Range r, bool sign) { return sign ? (Wide)r.smin : (Wide)r.umin; }
static Wide most_of(Range r, bool sign) { return sign ? (Wide)r.smax : (Wide)r.umax; }

static bool no_sign(const Known *k, Value v) { return range_no_sign(known_range(k, v)); }

// v is made of its operand alone, and is the same number.
static bool is_same_number(const Known *k, bool sign, Inst def) {
    const Func *f = k->f;
    Value x = inst_arg(f, def, 0);
    Type narrow = value_type(f, inst_result(f, def, 0));
    Range r;
    switch (inst_get(f, def)->op) {
    case OP_uextend: return !sign || no_sign(k, x);
    case OP_sextend: return sign || no_sign(k, x);
    case OP_ireduce: r = known_range(k, x); return range_fits(narrow, sign, least_of(r, sign), most_of(r, sign));
    default: return false;
    }
}

// Is v = iadd(x, y) or isub(x, y) exact, for all that x and y can be here?
static bool is_exact_pair(const Known *k, bool sign, Inst def) {
    const Func *f = k->f;
    Range x = known_range(k, inst_arg(f, def, 0));
    Range y = known_range(k, inst_arg(f, def, 1));
    Type type = value_type(f, inst_result(f, def, 0));
    bool less = inst_get(f, def)->op == OP_isub;
    Wide min = least_of(x, sign) + (less ? -most_of(y, sign) : least_of(y, sign));
    Wide max = most_of(x, sign) + (less ? -least_of(y, sign) : most_of(y, sign));
    return range_fits(type, sign, min, max);
}

static void search_go(Search *s, Value v, Wide c) {
    if (s->n_nodes < ROOM && c < FAR && c > -FAR) s->nodes[s->n_nodes++] = (Node){func_value(s->k->f, v), c};
}

// Follows the edges that v's definition is: values that v is at most, plus a constant.
static void search_definition(Search *s, Inst def, Wide c) {
    const Known *k = s->k;
    const Func *f = k->f;
    const InstData *inst = inst_get(f, def);
    if (!inst->args.n || !type_is_int(value_type(f, inst_arg(f, def, 0)))) return;
    Value x = inst_arg(f, def, 0);
    Value y = inst->args.n > 1 ? inst_arg(f, def, 1) : x;
    bool sign = s->sign;
    bool x_fits = !sign || no_sign(k, x); // so that what is at most x without sign is at most x in this search
    bool y_fits = !sign || no_sign(k, y);
    Range of_x = known_range(k, x);
    Range of_y = known_range(k, y);
    int64_t by;
    switch (inst->op) {
    case OP_uextend:
    case OP_sextend:
    case OP_ireduce:
        if (is_same_number(k, sign, def)) search_go(s, x, c);
        break;
    case OP_iadd:
        if (known_is_offset(k, def, &by)) {
            if (range_is_exact(value_type(f, x), sign, of_x, by)) search_go(s, x, c - by);
        } else if (is_exact_pair(k, sign, def)) {
            search_go(s, x, c - most_of(of_y, sign));
            search_go(s, y, c - most_of(of_x, sign));
        }
        break;
    case OP_isub:
        if (is_exact_pair(k, sign, def)) search_go(s, x, c + least_of(of_y, sign));
        break;
    case OP_band:
        if (x_fits) search_go(s, x, c);
        if (y_fits) search_go(s, y, c);
        break;
    case OP_ushr:
    case OP_udiv:
        if (x_fits) search_go(s, x, c);
        break;
    case OP_urem:
        if (x_fits) search_go(s, x, c);
        if (y_fits) search_go(s, y, c + 1);
        break;
    case OP_sshr:
        if (range_no_sign(of_x)) search_go(s, x, c);
        break;
    case OP_sdiv:
        if (range_no_sign(of_x) && range_no_sign(of_y)) search_go(s, x, c);
        break;
    case OP_srem: // has the sign of x
        if (range_no_sign(of_x)) search_go(s, x, c);
        if (range_no_sign(of_y) && (sign || range_no_sign(of_x))) search_go(s, y, c + 1);
        break;
    case OP_umin:
    case OP_smin:
        if (sign == (inst->op == OP_smin) || (range_no_sign(of_x) && range_no_sign(of_y))) {
            search_go(s, x, c);
            search_go(s, y, c);
        }
        break;
    default: break;
    }
}

// Adds what the definition of a base is known to exceed.
static void search_base(Search *s, Node base) {
    const Known *k = s->k;
    const Func *f = k->f;
    Inst def = value_def(f, base.v);
    if (!inst_ok(def) || !inst_get(f, def)->args.n || !type_is_int(value_type(f, inst_arg(f, def, 0)))) return;
    Value x = inst_arg(f, def, 0);
    int64_t by = 0;
    bool sum = known_is_offset(k, def, &by) && range_is_exact(value_type(f, x), s->sign, known_range(k, x), by);
    if (sum || is_same_number(k, s->sign, def)) s->bases[s->n_bases++] = (Node){x, base.c + by};
}

static void search_relations(Search *s, Value v, Wide c) {
    const Known *k = s->k;
    if (v.i >= k->n_values) return;
    uint32_t at = k->first[v.i];
    for (int n = 0; n < EDGES && at != NONE; n++, at = k->relations.v[at].next) {
        const Relation *r = &k->relations.v[at];
        Value y = func_value(k->f, (Value){r->y});
        bool holds = r->sign == s->sign;
        // From the other graph: both ends must be the same number in either. A value that is at most one without its
        // sign bit has none itself.
        if (!holds && s->sign) holds = no_sign(k, y) && (r->c <= 0 || no_sign(k, v));
        else if (!holds) holds = no_sign(k, v) && (r->c <= 0 || no_sign(k, y));
        if (holds) search_go(s, y, c - r->c);
    }
}

// Does x <= y + c follow? Looks at a bounded number of facts.
static bool at_most(const Known *k, bool sign, Value x, Value y, int64_t c) {
    Search s = {.k = k, .sign = sign};
    s.bases[s.n_bases++] = (Node){func_value(k->f, y), 0};
    for (int n = 0; n < s.n_bases && s.n_bases < BASES; n++) search_base(&s, s.bases[n]);
    s.least = least_of(known_range(k, y), sign);
    for (int n = 1; n < s.n_bases; n++) {
        Wide least = least_of(known_range(k, s.bases[n].v), sign) + s.bases[n].c;
        if (least > s.least) s.least = least;
    }
    search_go(&s, x, c);
    for (int at = 0; at < s.n_nodes; at++) {
        Node node = s.nodes[at];
        if (most_of(known_range(k, node.v), sign) <= s.least + node.c) return true;
        for (int n = 0; n < s.n_bases; n++)
            if (value_eq(node.v, s.bases[n].v) && s.bases[n].c + node.c >= 0) return true;
        Inst def = value_def(k->f, node.v);
        if (inst_ok(def)) search_definition(&s, def, node.c);
        search_relations(&s, node.v, node.c);
    }
    return false;
}

// ---- questions -----------------------------------------------------------------------------------

static bool below(const Known *k, bool sign, Value x, Value y) { return at_most(k, sign, x, y, -1); }

int known_icmp(const Known *k, IntCC cc, Value x, Value y) {
    Range of_x = known_range(k, x);
    Range of_y = known_range(k, y);
    if (cc == ICC_eq || cc == ICC_ne) {
        if (range_is_one(of_x) && range_is_one(of_y) && of_x.umin == of_y.umin) return cc == ICC_eq;
        for (int sign = 0; sign < 2; sign++)
            if (below(k, sign, x, y) || below(k, sign, y, x)) return cc == ICC_ne;
        return -1;
    }
    // As x < y, or not.
    bool sign = cc == ICC_slt || cc == ICC_sge || cc == ICC_sgt || cc == ICC_sle;
    bool swap = cc == ICC_sgt || cc == ICC_sle || cc == ICC_ugt || cc == ICC_ule;
    bool negated = cc == ICC_sge || cc == ICC_sle || cc == ICC_uge || cc == ICC_ule;
    Value a = swap ? y : x;
    Value b = swap ? x : y;
    if (below(k, sign, a, b)) return !negated;
    if (at_most(k, sign, b, a, 0)) return negated;
    return -1;
}

int known_zero(const Known *k, Value v) {
    Range r = known_range(k, v);
    if (!range_has_zero(r)) return 0;
    if (range_is_one(r)) return 1;
    Value object = object_of(&k->objects, v);
    if (value_eq(object, func_value(k->f, v))) return -1;
    r = known_range(k, object);
    return !range_has_zero(r) ? 0 : range_is_one(r) ? 1 : -1;
}
