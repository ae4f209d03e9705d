// Branch relaxation and the final bytes.
//
// Theory. The code is a row of bytes of known size with branches of unknown size between them. A Mark (bytes,
// branches) names a place in it whatever size the branches get. Every branch starts with the first (smallest) row of
// its `relax` declaration; a sweep computes all places and moves each branch that does not reach its target to the
// first later row that does. Rows only ever grow, so the sweeps end; what one sweep found to reach can only be undone
// by growth between branch and target, which the next sweep sees. Chains of branches that push each other out of
// reach could need one sweep each, so after SWEEPS_MAX sweeps whatever still has a choice takes its last row: the
// result is right and a few bytes longer, and time stays linear in the code.
//
//     jmp L1 (2 bytes)  ... 126 bytes ...  jcc L2 (2)  L1:     first sweep: jcc needs 6, jmp reaches (128 - 2 = 126)
//     jmp L1 (2)        ... 126 bytes ...  jcc L2 (6)  L1:     second sweep: jmp does not reach, takes 5
//
// What refers to the constants and jump tables behind the code grows in the same way; "branch" below means both. The
// data move with the code's end, and the last sweep has seen every distance as it stays.
//
// Rows are chosen by the distance from the start of the row to the label (RelaxRow.low, high).
#include "emit/state.h"

#include <stdlib.h>
#include <string.h>

enum { SWEEPS_MAX = 12, ROW_INSTS = 4 };

typedef struct Relaxer {
    Emit *e;
    uint32_t *sum; // sum[k] = bytes of the first k branches
    uint32_t end;  // of the data
} Relaxer;

static uint32_t mark_at(const Relaxer *r, Mark m) { return m.bytes + r->sum[m.branches]; }

// Where a branch or reference goes.
static uint32_t target_at(const Relaxer *r, bool is_sym, uint32_t target) {
    return is_sym ? r->e->sym_at[target] : mark_at(r, r->e->labels[target]);
}

static unsigned row_size(const Emit *e, const Branch *b) {
    Encoded row[ROW_INSTS];
    unsigned n = b->relax->rows[b->row].expand(b->slots, e->m->features, row);
    unsigned size = 0;
    for (unsigned k = 0; k < n; k++) size += row[k].n;
    return size;
}

static void compute_sums(Relaxer *r) {
    Emit *e = r->e;
    uint64_t sum = 0;
    for (uint32_t k = 0; k < e->branches.n; k++) {
        r->sum[k] = (uint32_t)sum;
        sum += e->branches.v[k].size;
    }
    r->sum[e->branches.n] = (uint32_t)sum;
    if (sum + e->bytes.n > INT32_MAX) ctx_fail(e->ctx, VTR_ERR_LIMIT, "a function's code exceeds 2 GiB");
}

// Stress shortens the reach of each branch: that of its first row to something below 64 bytes, of the second below 512,
// of the third below 4096.
static bool row_reaches(const Emit *e, uint32_t branch, unsigned row, int64_t distance) {
    const Stress *stress = e->m->stress;
    const RelaxRow *r = &e->branches.v[branch].relax->rows[row];
    if (stress && stress->squeeze &&
        llabs(distance) >= (int64_t)(stress_choice(stress, branch, 1 + row) % (UINT64_C(64) << 3 * row)))
        return false;
    return r->low <= distance && distance <= r->high;
}

// Takes the first row from `row` on that is for the branch's operands.
static void set_row(const Emit *e, Branch *b, unsigned row) {
    for (b->row = (uint8_t)row;; b->row++) {
        b->size = (uint8_t)row_size(e, b);
        if (b->size) return;
        if (b->row + 1 == b->relax->n_rows)
            ctx_bug(e->ctx, "emit: no row of %s encodes its operands", e->t->insts[b->relax->mop].name);
    }
}

// Lays constants and jump tables out behind the code, and returns the end of them.
static uint32_t place_data(Relaxer *r, uint32_t at) {
    Emit *e = r->e;
    for (uint32_t k = 0; k < e->m->syms.n; k++) {
        const MSym *s = &e->m->syms.v[k];
        e->sym_at[k] = NONE;
        if (!s->is_data && !s->table) continue;
        uint32_t align = s->table ? 4 : s->align ? s->align : 1;
        uint64_t size = s->table ? UINT64_C(4) * e->m->tables.v[s->table - 1].n : s->n;
        if (at + align + size > INT32_MAX) ctx_fail(e->ctx, VTR_ERR_LIMIT, "a function's constants exceed 2 GiB");
        at = (at + align - 1) / align * align;
        if (align > e->code->align) e->code->align = align;
        e->sym_at[k] = at;
        at += (uint32_t)size;
    }
    return at;
}

static bool sweep(Relaxer *r, bool last) {
    Emit *e = r->e;
    bool grown = false;
    compute_sums(r);
    r->end = place_data(r, e->bytes.n + r->sum[e->branches.n]);
    for (uint32_t k = 0; k < e->branches.n; k++) {
        Branch *b = &e->branches.v[k];
        if (b->row + 1 == b->relax->n_rows) continue;
        int64_t distance = (int64_t)target_at(r, b->is_sym, b->target) - ((int64_t)b->bytes + r->sum[k]);
        unsigned row = b->row;
        if (last) row = b->relax->n_rows - 1u;
        else
            while (row + 1u < b->relax->n_rows && !row_reaches(e, k, row, distance)) row++;
        if (row == b->row) continue;
        set_row(e, b, row);
        grown = true;
    }
    return grown;
}

// Fills in a field. What depends on where the code will be is left to the linker, as a reference to the function
// itself.
static void apply_fixup(Relaxer *r, uint32_t field, unsigned back, unsigned reloc, uint32_t target, int64_t addend) {
    Emit *e = r->e;
    if (e->t->relocs[reloc].absolute) {
        CodeReloc later = {.at = field, .reloc = (uint8_t)reloc, .name = e->code->name, .colocated = true};
        later.addend = (int64_t)target + addend;
        later.back = (uint8_t)back;
        vec_push(e->out, &e->code->relocs, later);
        return;
    }
    if (!e->t->relocs[reloc].apply(e->code->bytes + field, field - back, target, addend, target))
        ctx_fail(e->ctx, VTR_ERR_LIMIT, "%s at offset %u does not reach offset %u", e->t->relocs[reloc].name, field,
                 target);
}

static void write_branch(Relaxer *r, uint32_t at, const Branch *b) {
    Encoded row[ROW_INSTS];
    unsigned n = b->relax->rows[b->row].expand(b->slots, r->e->m->features, row);
    for (unsigned k = 0; k < n; k++) {
        memcpy(r->e->code->bytes + at, row[k].bytes, row[k].n);
        for (unsigned j = 0; j < row[k].n_fixups; j++)
            apply_fixup(r, at + row[k].fixups[j].at, row[k].fixups[j].back, row[k].fixups[j].reloc,
                        target_at(r, b->is_sym, b->target), row[k].fixups[j].addend);
        at += row[k].n;
    }
}

static void write_code(Relaxer *r) {
    Emit *e = r->e;
    uint32_t from = 0;
    for (uint32_t k = 0; k < e->branches.n; k++) {
        const Branch *b = &e->branches.v[k];
        if (b->bytes > from) memcpy(e->code->bytes + from + r->sum[k], e->bytes.v + from, b->bytes - from);
        from = b->bytes;
    }
    if (e->bytes.n > from) memcpy(e->code->bytes + from + r->sum[e->branches.n], e->bytes.v + from, e->bytes.n - from);
    for (uint32_t k = 0; k < e->branches.n; k++) write_branch(r, e->branches.v[k].bytes + r->sum[k], &e->branches.v[k]);
}

static void write_table(Relaxer *r, uint32_t at, const MTable *table) {
    Emit *e = r->e;
    for (uint32_t k = 0; k < table->n; k++) {
        uint32_t block = e->forward[e->m->lists.v[table->blocks + k]];
        uint32_t offset = mark_at(r, e->labels[block]) - at;
        for (unsigned j = 0; j < 4; j++) e->code->bytes[at + 4 * k + j] = (uint8_t)(offset >> 8 * j);
    }
}

static void write_data(Relaxer *r) {
    Emit *e = r->e;
    for (uint32_t k = 0; k < e->m->syms.n; k++) {
        const MSym *s = &e->m->syms.v[k];
        if (s->table) write_table(r, e->sym_at[k], &e->m->tables.v[s->table - 1]);
        else if (s->is_data && s->n) memcpy(e->code->bytes + e->sym_at[k], s->data, s->n);
    }
}

static void resolve_marks(Relaxer *r) {
    Emit *e = r->e;
    Code *c = e->code;
    for (uint32_t k = 0; k < c->sites.n; k++) c->sites.v[k].at = mark_at(r, e->site_marks.v[k]);
    for (uint32_t k = 0; k < c->steps.n; k++) c->steps.v[k].at = mark_at(r, e->step_marks.v[k]);
    for (uint32_t k = 0; k < c->lines.n; k++) c->lines.v[k].at = mark_at(r, e->line_marks.v[k]);
    for (uint32_t k = 0; k < e->reloc_marks.n; k++) c->relocs.v[k].at += mark_at(r, e->reloc_marks.v[k]);
    for (uint32_t k = 0; k < e->refs.n; k++) {
        const LocalRef *ref = &e->refs.v[k];
        apply_fixup(r, mark_at(r, ref->start) + ref->at, ref->back, ref->reloc, target_at(r, ref->is_sym, ref->target),
                    ref->addend);
    }
}

void emit_finish(Emit *e) {
    Relaxer r = {.e = e, .sum = NEW_ARRAY(e->tmp, uint32_t, (size_t)e->branches.n + 1)};
    e->sym_at = NEW_ARRAY(e->tmp, uint32_t, e->m->syms.n);
    for (uint32_t k = 0; k < e->branches.n; k++) set_row(e, &e->branches.v[k], 0);
    for (unsigned n = 0; sweep(&r, n >= SWEEPS_MAX); n++) {
    }
    Code *c = e->code;
    c->n_code = e->bytes.n + r.sum[e->branches.n];
    c->n = r.end;
    c->bytes = arena_alloc(e->out, c->n);
    write_code(&r);
    write_data(&r);
    resolve_marks(&r);
    if (c->landing != NONE) c->landing = mark_at(&r, e->labels[c->landing]);
}
