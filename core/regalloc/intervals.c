// Live intervals: cutting them, and which registers they occupy when.
//
// An interval is a view: positions [start, end) of its value's ranges and uses, which are never copied. What a register
// is taken by stands in three places: ranges of intervals in a skip list per register, fixed ranges in a sorted array
// per register, and clobbers in one sorted array for each distinct set of registers (a call clobbers dozens of them).
#include "regalloc/speed.h"

uint32_t interval_new(Speed *s, uint32_t val, uint32_t start, uint32_t end, uint32_t range) {
    vec_push(s->tmp, &s->intervals, (Interval){val, start, end, range, NO_REG});
    return s->intervals.n - 1;
}

// The first range of the value, from `low` on, that ends behind pos.
static uint32_t range_after(const Speed *s, const Val *v, uint32_t low, uint32_t pos) {
    uint32_t high = v->ranges + v->n_ranges;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->ranges.v[mid].to <= pos) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

uint32_t interval_split(Speed *s, uint32_t i, uint32_t pos) {
    Interval *first = &s->intervals.v[i];
    uint32_t range = range_after(s, &s->vals.v[first->val], first->range, pos);
    uint32_t start = s->ranges.v[range].from > pos ? s->ranges.v[range].from : pos;
    uint32_t second = interval_new(s, first->val, start, first->end, range);
    s->intervals.v[i].end = pos;
    return second;
}

bool interval_lives_at(const Speed *s, uint32_t i, uint32_t pos) {
    const Val *v = &s->vals.v[s->intervals.v[i].val];
    uint32_t range = range_after(s, v, s->intervals.v[i].range, pos);
    return range < v->ranges + v->n_ranges && s->ranges.v[range].from <= pos;
}

// ---- uses -------------------------------------------------------------------------------------------

// The first use of the value at or after pos.
static uint32_t use_after(const Speed *s, const Val *v, uint32_t pos) {
    uint32_t low = v->uses;
    uint32_t high = v->uses + v->n_uses;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->uses[mid].pos < pos) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

uint32_t interval_next_use(const Speed *s, uint32_t i, uint32_t pos, bool must_only) {
    const Interval *in = &s->intervals.v[i];
    const Val *v = &s->vals.v[in->val];
    uint32_t end = v->uses + v->n_uses;
    uint32_t u = use_after(s, v, pos > in->start ? pos : in->start);
    if (u < end && must_only) u = s->next_must[u];
    return u < end && s->uses[u].pos < in->end ? s->uses[u].pos : NONE;
}

uint32_t interval_last_use(const Speed *s, uint32_t i, uint32_t pos) {
    const Interval *in = &s->intervals.v[i];
    const Val *v = &s->vals.v[in->val];
    uint32_t u = use_after(s, v, pos);
    return u > v->uses && s->uses[u - 1].pos >= in->start ? s->uses[u - 1].pos : NONE;
}

bool interval_must_at(const Speed *s, uint32_t i, uint32_t pos) {
    const Val *v = &s->vals.v[s->intervals.v[i].val];
    for (uint32_t u = use_after(s, v, pos); u < v->uses + v->n_uses && s->uses[u].pos == pos; u++) {
        if (s->uses[u].must) return true;
    }
    return false;
}

// ---- skip lists -------------------------------------------------------------------------------------

static SkipNode *new_node(Speed *s, unsigned height) {
    SkipNode *node = s->unused[height];
    if (node) {
        s->unused[height] = node->next[0];
    } else {
        node = arena_alloc(s->tmp, sizeof(SkipNode) + height * sizeof(SkipNode *));
    }
    node->height = (uint8_t)height;
    return node;
}

static SkipNode *head_of(Speed *s, unsigned r) {
    if (!s->occupied[r]) s->occupied[r] = new_node(s, SKIP_LEVELS);
    return s->occupied[r];
}

// The last node of register r that starts before pos (the head if none), and on the way there its like on each level.
static SkipNode *seek(SkipNode *head, uint32_t pos, SkipNode **before) {
    SkipNode *node = head;
    for (unsigned level = SKIP_LEVELS; level-- > 0;) {
        while (node->next[level] && node->next[level]->from < pos) node = node->next[level];
        if (before) before[level] = node;
    }
    return node;
}

static void skip_insert(Speed *s, unsigned r, uint32_t from, uint32_t to, uint32_t interval) {
    SkipNode *before[SKIP_LEVELS];
    seek(head_of(s, r), from, before);
    s->random = s->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    unsigned height = 1;
    for (uint64_t bits = s->random >> 33; (bits & 3) == 3 && height < SKIP_LEVELS; bits >>= 2) height++;
    SkipNode *node = new_node(s, height);
    node->from = from;
    node->to = to;
    node->interval = interval;
    for (unsigned level = 0; level < height; level++) {
        node->next[level] = before[level]->next[level];
        before[level]->next[level] = node;
    }
}

static void skip_remove(Speed *s, unsigned r, uint32_t from) {
    SkipNode *before[SKIP_LEVELS];
    SkipNode *node = seek(head_of(s, r), from, before)->next[0];
    for (unsigned level = 0; level < node->height; level++) before[level]->next[level] = node->next[level];
    node->next[0] = s->unused[node->height];
    s->unused[node->height] = node;
}

// The first node that ends behind pos, NULL = none.
static SkipNode *skip_find(const Speed *s, unsigned r, uint32_t pos) {
    if (!s->occupied[r]) return NULL;
    SkipNode *node = seek(s->occupied[r], pos + 1, NULL);
    return node != s->occupied[r] && node->to > pos ? node : node->next[0];
}

uint32_t interval_at(const Speed *s, unsigned r, uint32_t pos) {
    const SkipNode *node = skip_find(s, r, pos);
    return node && node->from <= pos ? node->interval : NONE;
}

// Range k of the interval's value, clipped to the interval; false when it lies behind it.
static bool clip(const Speed *s, const Interval *in, uint32_t k, uint32_t *lo, uint32_t *hi) {
    const Val *v = &s->vals.v[in->val];
    if (k >= v->ranges + v->n_ranges || s->ranges.v[k].from >= in->end) return false;
    *lo = s->ranges.v[k].from > in->start ? s->ranges.v[k].from : in->start;
    *hi = s->ranges.v[k].to < in->end ? s->ranges.v[k].to : in->end;
    return true;
}

void interval_occupy(Speed *s, uint32_t i, unsigned r) {
    Interval *in = &s->intervals.v[i];
    in->reg = (uint8_t)r;
    regset_del(&s->fresh, r);
    s->vals.v[in->val].last_reg = (uint8_t)r;
    uint32_t lo;
    uint32_t hi;
    for (uint32_t k = in->range; clip(s, in, k, &lo, &hi); k++) {
        if (lo < hi) skip_insert(s, r, lo, hi, i);
    }
}

void interval_vacate(Speed *s, uint32_t i, uint32_t from) {
    const Interval *in = &s->intervals.v[i];
    unsigned r = in->reg;
    uint32_t lo;
    uint32_t hi;
    for (uint32_t k = in->range; clip(s, in, k, &lo, &hi); k++) {
        if (lo >= hi || hi <= from) continue;
        skip_remove(s, r, lo);
        if (lo < from) skip_insert(s, r, lo, from, i);
    }
}

// ---- collisions -------------------------------------------------------------------------------------

// The first position in [lo, hi) at which a fixed range or a clobber stands in the way of `val`.
static uint32_t fixed_conflict(const Speed *s, uint32_t val, unsigned r, uint32_t lo, uint32_t hi) {
    uint32_t best = NONE;
    uint32_t low = 0;
    uint32_t high = s->fixed[r].n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->fixed[r].v[mid].to <= lo) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    // Ends are in order; starts only from step to step.
    for (; low < s->fixed[r].n && s->fixed[r].v[low].from / 2 <= hi / 2; low++) {
        const FixedRange *f = &s->fixed[r].v[low];
        uint32_t at = f->from > lo ? f->from : lo;
        if (f->owner == val || f->to <= lo || at >= hi) continue;
        if (at < best) best = at;
        if (f->from / 2 > lo / 2) break;
    }
    for (uint32_t k = 0; k < s->n_clobbers; k++) {
        if (!regset_has(s->clobbers[k].set, r)) continue;
        low = 0;
        high = s->clobbers[k].at.n;
        while (low < high) {
            uint32_t mid = low + (high - low) / 2;
            if (s->clobbers[k].at.v[mid] < lo) {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        if (low < s->clobbers[k].at.n && s->clobbers[k].at.v[low] < hi && s->clobbers[k].at.v[low] < best) {
            best = s->clobbers[k].at.v[low];
        }
    }
    return best;
}

uint32_t interval_fixed_conflict(const Speed *s, uint32_t i, unsigned r) {
    const Interval *in = &s->intervals.v[i];
    uint32_t lo;
    uint32_t hi;
    for (uint32_t k = in->range; clip(s, in, k, &lo, &hi); k++) {
        uint32_t at = lo < hi ? fixed_conflict(s, in->val, r, lo, hi) : NONE;
        if (at != NONE) return at;
    }
    return NONE;
}

uint32_t interval_conflict(const Speed *s, uint32_t i, unsigned r) {
    const Interval *in = &s->intervals.v[i];
    uint32_t lo;
    uint32_t hi;
    for (uint32_t k = in->range; clip(s, in, k, &lo, &hi); k++) {
        if (lo >= hi) continue;
        uint32_t at = fixed_conflict(s, in->val, r, lo, hi);
        const SkipNode *node = skip_find(s, r, lo);
        if (node && node->from < hi) {
            uint32_t other = node->from > lo ? node->from : lo;
            if (other < at) at = other;
        }
        if (at != NONE) return at;
    }
    return NONE;
}
