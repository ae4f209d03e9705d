// Constants for the stages behind selection.
#include "ir_build.h"
#include "select/select.h"

static Func *constant_func(Ctx *ctx, const Target *t, int64_t value) {
    Func *f = func_new(ctx);
    Type type = target_ptr_type(t);
    unsigned conv = 0;
    while (conv + 1 < N_CONVS && !t->conv[conv]) conv++;
    f->sig = (Sig){.n_results = 1, .conv = (uint8_t)conv, .declared = true};
    f->sig.results = NEW_ARRAY(f->arena, AbiParam, 1);
    f->sig.results[0].type = (uint8_t)type;
    Builder b = {.f = f, .at = block_new(f), .srcloc = NONE};
    block_append(f, b.at);
    Value v = ir_iconst(&b, type, (uint64_t)value);
    ir_return(&b, &v, 1);
    return f;
}

// Drops entry and return, and checks that one register will do.
static void keep_constant(MFunc *m) {
    MBlock *block = &m->blocks.v[0];
    uint32_t first = block->first;
    uint32_t n = 0;
    uint32_t last = NONE; // what the instruction before defines
    for (uint32_t k = block->first; k < block->first + block->n; k++) {
        const MInst i = m->insts.v[k];
        if (mop_is_pseudo(i.mop) || i.flags & MI_TERM) continue;
        uint32_t def = NONE;
        const MOpnd *o = minst_slots(m, &i);
        for (unsigned s = 0; s < i.n_slots; s++) {
            if (o[s].kind == MO_VREG && o[s].role == ROLE_USE && o[s].reg != last)
                ctx_fail(m->ctx, VTR_ERR_UNSUPPORTED, "%s: a constant that needs two registers", m->target->name);
            if (o[s].kind == MO_VREG && o[s].role != ROLE_USE) def = o[s].reg;
            if (o[s].kind == MO_SYM)
                ctx_fail(m->ctx, VTR_ERR_UNSUPPORTED, "%s: a constant from memory", m->target->name);
        }
        last = def;
        m->insts.v[first + n++] = i;
    }
    block->n = n;
}

const MFunc *select_constant(Arena *arena, const Target *t, int64_t value) {
    Func *f = constant_func(arena_ctx(arena), t, value);
    SelOptions options = {0};
    MFunc *m = select_func(arena, f, t, &options);
    keep_constant(m);
    m->ir = NULL;
    arena_free(f->arena);
    return m;
}
