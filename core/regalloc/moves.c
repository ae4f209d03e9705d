// Parallel moves: many moves at one place, of which all sources are read before any destination is written, turned
// into a sequence.
//
// Theory. Draw an arrow from each move's source to its destination. Every location has at most one arrow in, so each
// connected piece is a tree, or one cycle with trees hanging off it. A move may be emitted as soon as no pending move
// reads its destination: that eats the trees from their tips. What is left are pure cycles, in which every location is
// read exactly once. A cycle is opened by saving the first destination aside, and its last move then reads the saved
// value:
//
//     a <- b, b <- c, c <- a      becomes      temp <- a, a <- b, b <- c, c <- temp
//
// The place aside is the scratch register of the class (Target.scratch) or, when a move inside the cycle goes from
// memory to memory and needs the scratch register itself, a spill slot kept for that.
//
// Linear in the number of moves: readers and writers are found by location number in tables that are never cleared
// (`stamp` tells entries of this call from older ones).
#include "regalloc/ra.h"

static uint32_t loc_index(Loc l) { return l.kind == LOC_REG ? l.n : MAX_REGS + l.n; }
static bool loc_stored(Loc l) { return l.kind == LOC_REG || l.kind == LOC_SLOT; }

// Makes the tables cover every slot there is.
static void grow_tables(Ra *ra) {
    uint32_t need = MAX_REGS + ra->m->slots.n;
    if (need <= ra->n_locs) return;
    uint32_t cap = need + need / 2;
    uint32_t *tables[3] = {ra->readers, ra->writer, ra->stamp};
    for (unsigned k = 0; k < 3; k++) {
        uint32_t *table = NEW_ARRAY(ra->tmp, uint32_t, cap);
        for (uint32_t i = 0; i < ra->n_locs; i++) table[i] = tables[k][i];
        tables[k] = table;
    }
    ra->readers = tables[0];
    ra->writer = tables[1];
    ra->stamp = tables[2];
    ra->n_locs = cap;
}

static uint32_t touch(Ra *ra, Loc l) {
    uint32_t i = loc_index(l);
    if (ra->stamp[i] != ra->now) {
        ra->stamp[i] = ra->now;
        ra->readers[i] = 0;
        ra->writer[i] = NONE;
    }
    return i;
}

// One move; through the scratch register where the machine has no such move.
static void emit_one(Ra *ra, Loc dst, Loc src, uint32_t vreg) {
    if (dst.kind == LOC_SLOT && src.kind != LOC_REG) {
        uint8_t scratch = ra->scratch[ra->m->vregs.v[vreg].cls];
        if (scratch == NO_REG) {
            ctx_fail(ra->m->ctx, VTR_ERR_UNSUPPORTED, "regalloc: class %s of %s has no scratch register",
                     ra->t->classes[ra->m->vregs.v[vreg].cls].name, ra->t->name);
        }
        ra_put_move(ra, loc_reg(scratch), src, vreg);
        src = loc_reg(scratch);
    }
    ra_put_move(ra, dst, src, vreg);
}

static uint32_t cycle_slot(Ra *ra, uint8_t cls) {
    if (ra->cycle_slot[cls] == NONE) ra->cycle_slot[cls] = ra_new_slot(ra, ra->t->classes[cls].spill_size);
    return ra->cycle_slot[cls];
}

// Emits the cycle that move k is part of; `writer` is complete for it.
static void emit_cycle(Ra *ra, const Move *moves, uint32_t k) {
    Loc first = moves[k].dst;
    bool through_memory = false;
    uint32_t last = k; // the move that reads `first`
    for (uint32_t i = k;; i = ra->writer[loc_index(moves[i].src)]) {
        if (moves[i].dst.kind == LOC_SLOT && moves[i].src.kind == LOC_SLOT) through_memory = true;
        if (loc_eq(moves[i].src, first)) {
            last = i;
            break;
        }
    }
    uint8_t cls = ra->m->vregs.v[moves[last].vreg].cls;
    bool in_slot = through_memory || ra->scratch[cls] == NO_REG;
    Loc temp = in_slot ? loc_slot(cycle_slot(ra, cls)) : loc_reg(ra->scratch[cls]);
    emit_one(ra, temp, first, moves[last].vreg);
    uint32_t i = k;
    while (i != last) {
        uint32_t next = ra->writer[loc_index(moves[i].src)];
        emit_one(ra, moves[i].dst, moves[i].src, moves[i].vreg);
        ra->writer[loc_index(moves[i].dst)] = NONE;
        i = next;
    }
    emit_one(ra, moves[last].dst, temp, moves[last].vreg);
    ra->writer[loc_index(moves[last].dst)] = NONE;
}

void moves_emit(Ra *ra, const Move *moves, uint32_t n) {
    if (!n) return;
    grow_tables(ra);
    ra->now++;
    for (uint32_t k = 0; k < n; k++) {
        if (loc_eq(moves[k].dst, moves[k].src)) continue;
        uint32_t d = touch(ra, moves[k].dst);
        if (ra->writer[d] != NONE) {
            if (loc_eq(moves[ra->writer[d]].src, moves[k].src)) continue;
            ctx_bug(ra->m->ctx, "regalloc: two values of a parallel move have one destination (v%u, v%u)",
                    moves[ra->writer[d]].vreg, moves[k].vreg);
        }
        ra->writer[d] = k;
        if (loc_stored(moves[k].src)) ra->readers[touch(ra, moves[k].src)]++;
    }
    uint32_t *ready = NEW_ARRAY(ra->tmp, uint32_t, n);
    uint32_t n_ready = 0;
    for (uint32_t k = n; k-- > 0;) {
        if (loc_eq(moves[k].dst, moves[k].src)) continue;
        uint32_t d = loc_index(moves[k].dst);
        if (ra->writer[d] == k && !ra->readers[d]) ready[n_ready++] = k;
    }
    while (n_ready) {
        const Move *move = &moves[ready[--n_ready]];
        emit_one(ra, move->dst, move->src, move->vreg);
        ra->writer[loc_index(move->dst)] = NONE;
        if (!loc_stored(move->src)) continue;
        uint32_t s = loc_index(move->src);
        if (!--ra->readers[s] && ra->writer[s] != NONE) ready[n_ready++] = ra->writer[s];
    }
    for (uint32_t k = 0; k < n; k++) {
        if (loc_eq(moves[k].dst, moves[k].src)) continue;
        if (ra->writer[loc_index(moves[k].dst)] == k) emit_cycle(ra, moves, k);
    }
}
