// The allocator `speed`: linear scan over live intervals with holes, splitting and second chance, on SSA form.
//
// Theory. C. Wimmer and H. Mössenböck, "Optimized Interval Splitting in a Linear Scan Register Allocator" (VEE 2005),
// and C. Wimmer and M. Franz, "Linear Scan Register Allocation on SSA Form" (CGO 2010), with these differences:
//
//   * Positions. Step k (a block head, an instruction, or a terminator group) has positions 2k, where it reads, and
//     2k+1, where it writes. The gap in front of step k belongs to position 2k: an interval that begins at 2k gets its
//     value from a move there. All moves of a gap are one parallel move that reads the locations of position 2k-1.
//   * A value is stored to its slot once, right behind its definition, or in the gap in front of each step where it
//     leaves a register (resolve.c decides). So an interval may leave its register anywhere, even between 2k and 2k+1;
//     only coming back to a register needs a gap of its own. A value that can be computed again has no slot: it is
//     computed in the gap instead, and the original definition is dropped.
//   * Operands that want a certain register (`fixed`, tied, a class narrower than the vreg's) do not put their value's
//     interval under constraint. The register is blocked at the operand's position (fixed), or is that of the def's
//     interval, which then begins at 2k (tied), or of a temporary that lives there only (narrow), and a move in the gap
//     brings the value from wherever it is. A hint asks for the same register, and the move is then none. A blocked
//     range does not collide with the value that it is blocked for.
//   * An edge is resolved by comparing locations at its two ends, so an interval that is cut at the start of a block
//     needs no care.
//   * Per register a skip list says who has it when, instead of active and inactive sets, so that a query costs
//     logarithmically, whatever has accumulated.
//
// The scan takes intervals by start. One that fits a register to its end gets it: a hinted one, else the first in order
// of preference (registers that calls destroy first). One that fits for a while is cut before the collision, at the
// block boundary in between that runs least often. If no register is free, the one whose value is needed latest (next
// use weighed by loop depth) loses: the interval itself, or the holder, which is cut at the best place behind its last
// use and comes back before its next use, if it gets a register again (second chance).
//
// Example: `v` in g0 meets a call that clobbers g0..g4 and is used behind it in a loop: if no preserved register is
// free, [def, call) keeps g0, [call, start of the loop) is the slot, and the rest gets a register, loaded on the edge
// into the loop.
//
// Progress: each round gives an interval its final location or cuts it, always behind its start; an interval with a use
// that must have a register at its start evicts one that has none there, and an operand of a narrow class evicts one
// with a wider class. Intervals are born with at most MAX_RANGES ranges, so cutting and evicting cost little.
#include "regalloc/speed.h"

enum { MAX_RANGES = 32, MAX_HINTS = 6 };

static void enqueue(Speed *s, uint32_t i) { queue_push(s->tmp, &s->queue, s->intervals.v[i].start, i); }

static void make_intervals(Speed *s) {
    for (uint32_t v = 0; v < s->vals.n; v++) {
        const Val *val = &s->vals.v[v];
        for (uint32_t k = 0; k < val->n_ranges; k += MAX_RANGES) {
            uint32_t last = (k + MAX_RANGES < val->n_ranges ? k + MAX_RANGES : val->n_ranges) - 1;
            uint32_t from = s->ranges.v[val->ranges + k].from;
            enqueue(s, interval_new(s, v, from, s->ranges.v[val->ranges + last].to, val->ranges + k));
        }
    }
}

// ---- where to cut -----------------------------------------------------------------------------------

// The best place to cut in (min, max]: the latest among those that run least often. Odd only when it must be.
static uint32_t best_cut(const Speed *s, uint32_t min, uint32_t max) {
    uint32_t low = speed_block_at(s, min);
    uint32_t b = speed_block_at(s, max);
    uint32_t best = b;
    for (uint32_t o = s->outer[b]; b != low && o != NONE && o >= low; o = s->outer[o]) best = o;
    if (best != b) return s->block_from[best + 1];
    return max & 1 && max - 1 > min ? max - 1 : max;
}

// The end of what must stay in one register from the interval's start on.
static uint32_t least_end(const Speed *s, uint32_t i) {
    uint32_t end = s->intervals.v[i].start;
    while (interval_must_at(s, i, end) && end < s->intervals.v[i].start + 2) end++;
    return end;
}

// Leaves the interval without register up to its next use behind `min` that must have one.
static void spill(Speed *s, uint32_t i, uint32_t min) {
    Interval *in = &s->intervals.v[i];
    in->reg = NO_REG;
    uint32_t use = interval_next_use(s, i, in->start, true);
    if (use != NONE) {
        uint32_t cut = best_cut(s, min > in->start ? min : in->start, use);
        if (cut & 1) cut--; // a use that begins at 2k+1 only continues one at 2k
        enqueue(s, interval_split(s, i, cut));
    }
}

// Gives interval i register r up to `conflict` (NONE = to its end), and the rest another chance.
// False, and nothing changed, when that is not enough to be of use.
static bool take(Speed *s, uint32_t i, unsigned r, uint32_t conflict) {
    const Interval *in = &s->intervals.v[i];
    if (conflict < in->end) {
        uint32_t least = least_end(s, i);
        if (conflict <= in->start || conflict < least) return false;
        uint32_t use = interval_next_use(s, i, in->start, true);
        if (use == NONE || use >= conflict) return false;
        uint32_t last = interval_last_use(s, i, conflict);
        uint32_t cut = best_cut(s, last > in->start && last != NONE ? last : in->start, conflict);
        if (cut & 1 && interval_must_at(s, i, cut)) cut--;
        if (cut <= in->start || cut < least) return false;
        enqueue(s, interval_split(s, i, cut));
    }
    interval_occupy(s, i, r);
    return true;
}

// ---- a free register --------------------------------------------------------------------------------

static unsigned add_hint(RegSet allowed, unsigned r, uint8_t *hints, unsigned n) {
    if (r == NO_REG || n == MAX_HINTS || !regset_has(allowed, r)) return n;
    for (unsigned k = 0; k < n; k++) {
        if (hints[k] == r) return n;
    }
    hints[n] = (uint8_t)r;
    return n + 1;
}

static uint32_t first_hint(const Speed *s, const Val *v, uint32_t pos) {
    uint32_t low = v->hints;
    uint32_t high = v->hints + v->n_hints;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->hints[mid].pos < pos) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

// Registers that would save moves, the likeliest first.
static unsigned gather_hints(const Speed *s, uint32_t i, RegSet allowed, uint8_t *hints) {
    const Interval *in = &s->intervals.v[i];
    const Val *v = &s->vals.v[in->val];
    unsigned n = add_hint(allowed, v->last_reg, hints, 0);
    uint32_t end = v->hints + v->n_hints;
    uint32_t first = first_hint(s, v, in->start);
    for (uint32_t k = first; k < end && k < first + 8 && s->hints[k].pos <= in->end; k++) {
        const Hint *hint = &s->hints[k];
        if (hint->val == NONE) {
            n = add_hint(allowed, hint->preg, hints, n);
            continue;
        }
        const Val *other = &s->vals.v[hint->val];
        n = add_hint(allowed, other->last_reg, hints, n);
        if (other->last_reg != NO_REG) continue;
        // Not allocated yet: what it will wish for.
        uint32_t to = other->hints + other->n_hints;
        for (uint32_t j = other->hints; j < to && j < other->hints + 3; j++) {
            if (s->hints[j].val == NONE) {
                n = add_hint(allowed, s->hints[j].preg, hints, n);
            } else {
                n = add_hint(allowed, s->vals.v[s->hints[j].val].last_reg, hints, n);
            }
        }
    }
    return n;
}

// Whether a collision at `pos` costs interval i nothing where it counts: i starts in code that runs, the collision is
// in code that hardly ever does. Then a hinted register is worth more than one that lasts.
static bool only_cold(const Speed *s, uint32_t i, uint32_t pos) {
    return pos != NONE && s->weight[speed_block_at(s, pos)] == 0 &&
           s->weight[speed_block_at(s, s->intervals.v[i].start)] > 0;
}

// `frugal`: no preserved register is saved by the prologue for the sake of cold code, neither for an interval that
// starts there nor for one that collides with something there only.
static bool try_free(Speed *s, uint32_t i, unsigned n_regs, bool frugal) {
    const Ra *ra = s->ra;
    unsigned cls = s->vals.v[s->intervals.v[i].val].cls;
    RegSet allowed = {{0, 0}};
    for (unsigned k = 0; k < n_regs; k++) regset_add(&allowed, ra->order[cls][k]);
    uint8_t hints[MAX_HINTS];
    unsigned n_hints = gather_hints(s, i, allowed, hints);
    uint32_t best = 0;
    unsigned best_reg = NO_REG;
    bool cold = s->weight[speed_block_at(s, s->intervals.v[i].start)] == 0;
    for (unsigned k = 0; k < n_hints + n_regs; k++) {
        unsigned r = k < n_hints ? hints[k] : ra->order[cls][k - n_hints];
        if (frugal && regset_has(s->fresh, r) && (cold || (best && only_cold(s, i, best)))) continue;
        uint32_t conflict = interval_conflict(s, i, r);
        if (k < n_hints && only_cold(s, i, conflict) && take(s, i, r, conflict)) return true;
        if (conflict <= best) continue;
        best = conflict;
        best_reg = r;
        if (best == NONE) break;
    }
    if (best_reg != NO_REG && take(s, i, best_reg, best)) return true;
    return frugal && !cold && try_free(s, i, n_regs, false);
}

// ---- somebody loses ---------------------------------------------------------------------------------

// How little interval i needs a register from pos on: the distance of its next use, nearer when that is in a loop.
static uint64_t patience(const Speed *s, uint32_t i, uint32_t pos) {
    const Interval *in = &s->intervals.v[i];
    uint32_t use = interval_next_use(s, i, pos, false);
    if (use == NONE) use = in->end;
    uint64_t distance = ((uint64_t)(use - pos) + 1) << 24;
    if (s->vals.v[in->val].remat) distance <<= 2;
    return distance >> (3 * s->weight[speed_block_at(s, use < in->end ? use : in->end - 1)]);
}

// Takes the register away from interval j, which has no use at pos that must have one.
static void evict(Speed *s, uint32_t j, uint32_t pos) {
    Interval *in = &s->intervals.v[j];
    uint32_t last = interval_last_use(s, j, pos);
    uint32_t min = last != NONE && last > in->start ? last : in->start;
    uint32_t cut = in->start < pos ? best_cut(s, min, pos) : pos;
    if (cut & 1 && interval_must_at(s, j, cut)) cut--;
    if (cut <= in->start) {
        interval_vacate(s, j, in->start);
        spill(s, j, pos);
        return;
    }
    interval_vacate(s, j, cut);
    uint32_t rest = interval_split(s, j, cut);
    spill(s, rest, pos);
}

// Makes interval j, which needs a register at pos but may have more of them than the newcomer, look for another.
static bool displace(Speed *s, uint32_t j, uint32_t pos) {
    Interval *in = &s->intervals.v[j];
    if (in->start < pos && pos & 1) return false;
    interval_vacate(s, j, pos);
    if (in->start == pos) {
        in->reg = NO_REG;
        enqueue(s, j);
    } else {
        enqueue(s, interval_split(s, j, pos));
    }
    return true;
}

static bool try_evict(Speed *s, uint32_t i, unsigned n_regs) {
    const Ra *ra = s->ra;
    uint32_t pos = s->intervals.v[i].start;
    unsigned cls = s->vals.v[s->intervals.v[i].val].cls;
    bool must = interval_must_at(s, i, pos);
    uint32_t least = least_end(s, i);
    unsigned victim = NO_REG;
    uint64_t best = must ? 0 : patience(s, i, pos);
    for (unsigned k = 0; k < n_regs; k++) {
        unsigned r = ra->order[cls][k];
        uint32_t j = interval_at(s, r, pos);
        if (j == NONE || interval_must_at(s, j, pos)) continue;
        uint32_t conflict = interval_fixed_conflict(s, i, r);
        if (conflict < least || conflict <= pos) continue;
        uint64_t p = patience(s, j, pos);
        if (p <= best) continue;
        best = p;
        victim = r;
    }
    if (victim == NO_REG) return false;
    if (!must) {
        // Only if the register then lasts to the first use.
        uint32_t use = interval_next_use(s, i, pos, true);
        if (use == NONE || interval_fixed_conflict(s, i, victim) <= use) return false;
    }
    evict(s, interval_at(s, victim, pos), pos);
    return take(s, i, victim, interval_conflict(s, i, victim));
}

static bool try_displace(Speed *s, uint32_t i) {
    const Ra *ra = s->ra;
    uint32_t pos = s->intervals.v[i].start;
    unsigned cls = s->vals.v[s->intervals.v[i].val].cls;
    for (unsigned k = 0; k < ra->n_full[cls]; k++) {
        unsigned r = ra->order[cls][k];
        uint32_t j = interval_at(s, r, pos);
        if (j == NONE || ra->n_full[s->vals.v[s->intervals.v[j].val].cls] <= ra->n_full[cls]) continue;
        uint32_t conflict = interval_fixed_conflict(s, i, r);
        if (conflict < least_end(s, i) || conflict <= pos) continue;
        if (displace(s, j, pos)) return take(s, i, r, interval_conflict(s, i, r));
    }
    return false;
}

static void allocate(Speed *s, uint32_t i) {
    const Interval *in = &s->intervals.v[i];
    const Val *v = &s->vals.v[in->val];
    unsigned n = s->ra->n_order[v->cls];
    uint32_t pos = in->start;
    uint32_t use = interval_next_use(s, i, pos, true);
    // A piece that begins between reading and writing comes from a register that ends there.
    bool halfway = pos & 1 && pos != v->start;
    if (halfway || (v->remat && use != pos && pos == v->start)) {
        spill(s, i, pos);
        return;
    }
    if (try_free(s, i, n, true) || try_evict(s, i, n)) return;
    if (use != pos) {
        spill(s, i, pos);
        return;
    }
    if (try_free(s, i, n, false)) return;
    // Only when told to do with few registers, or for the sake of narrow classes.
    if (try_displace(s, i) || try_free(s, i, s->ra->n_full[v->cls], false) || try_evict(s, i, s->ra->n_full[v->cls]))
        return;
    ra_stuck(s->ra, s->step_inst[pos / 2], "no register is left for an operand");
}

// Lists each value's intervals in order of start.
static void sort_children(Speed *s) {
    uint32_t n = s->intervals.n;
    uint32_t *by_step = NEW_ARRAY(s->tmp, uint32_t, n);
    uint32_t *count = NEW_ARRAY(s->tmp, uint32_t, 2 * s->n_steps + 2);
    for (uint32_t i = 0; i < n; i++) count[s->intervals.v[i].start + 1]++;
    for (uint32_t p = 0; p <= 2 * s->n_steps; p++) count[p + 1] += count[p];
    for (uint32_t i = 0; i < n; i++) by_step[count[s->intervals.v[i].start]++] = i;
    s->children = NEW_ARRAY(s->tmp, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) s->vals.v[s->intervals.v[i].val].n_children++;
    uint32_t at = 0;
    for (uint32_t v = 0; v < s->vals.n; v++) {
        s->vals.v[v].first = at;
        at += s->vals.v[v].n_children;
        s->vals.v[v].n_children = 0;
    }
    for (uint32_t k = 0; k < n; k++) {
        Val *v = &s->vals.v[s->intervals.v[by_step[k]].val];
        s->children[v->first + v->n_children++] = by_step[k];
        if (s->intervals.v[by_step[k]].reg == NO_REG) v->in_slot = true;
    }
}

void speed_allocate(Ra *ra) {
    Speed *s = NEW(ra->tmp, Speed);
    s->ra = ra;
    s->m = ra->m;
    s->tmp = ra->tmp;
    s->random = 1;
    if (s->m->abi && !s->m->saves_all) s->fresh = s->m->abi->preserved;
    live_build(s);
    make_intervals(s);
    while (s->queue.v.n) allocate(s, queue_pop(&s->queue).item);
    sort_children(s);
    speed_assign_slots(s);
    speed_rewrite(s);
}
