// Unreachable code: blocks that no path from the entry reaches leave the layout.
#include "passes/pipeline.h"

#include "support/bits.h"

// Requires nothing. Makes every block of the layout reachable (an entry thunk's landing counts as reached).
void pass_unreachable(Pass *p) {
    Func *f = p->f;
    Bits seen = bits_new(p->arena, f->blocks.n);
    VEC(Block) work = {0};
    bits_add(seen, f->first.i);
    vec_push(p->arena, &work, f->first);
    if (block_ok(f->landing)) {
        bits_add(seen, f->landing.i);
        vec_push(p->arena, &work, f->landing);
    }
    while (work.n) {
        const InstData *last = inst_get(f, block_get(f, work.v[--work.n])->last);
        for (uint32_t k = 0; k < last->n_targets; k++) {
            Block to = f->calls.v[last->targets + k].block;
            if (bits_has(seen, to.i)) continue;
            bits_add(seen, to.i);
            vec_push(p->arena, &work, to);
        }
    }
    for (Block b = f->first, next; block_ok(b); b = next) {
        next = block_get(f, b)->next;
        if (!bits_has(seen, b.i)) block_remove(f, b);
    }
}
