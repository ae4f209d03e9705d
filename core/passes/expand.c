// Expansion: opcodes that the target does not select become simpler ones or library calls, by the rules of
// md/expand.md. What an expansion builds is looked at again, so expansions may lean on each other; the description
// compiler sees to it that this ends.
#include "passes/rewrite.h"

enum { DEPTH = 64 }; // instructions of one expansion's expansions; a cycle in md/expand.md would pass it

// The type of the operand that the opcode's types leave free, which coverage may depend on.
static Type free_operand(const Func *f, Inst i) {
    const OpInfo *info = &op_info[inst_get(f, i)->op];
    for (uint32_t k = 0; k < info->n_args; k++) {
        if (info->args[k].rule == TR_FREE) return value_type(f, inst_arg(f, i, k));
    }
    return T_none;
}

static bool covered(const Pass *p, Inst i) {
    const InstData *inst = inst_get(p->f, i);
    return p->options->covers(inst->op, inst->type, free_operand(p->f, i), p->options->features);
}

// Expands i and what it becomes. Everything built stands between i's place and `stop`.
static void expand(Rewriter *r, Inst i) {
    Inst stop = inst_get(r->f, i)->next;
    int budget = DEPTH;
    while (inst_ok(i) && !inst_eq(i, stop)) {
        Inst next = inst_get(r->f, i)->next;
        if (!covered(r->pass, i)) {
            Inst before = inst_get(r->f, i)->prev;
            Block block = inst_get(r->f, i)->block;
            const InstData *inst = inst_get(r->f, i);
            Op op = inst->op;
            Type type = inst->type;
            if (budget-- == 0 || !expand_inst(r, i))
                ctx_fail(r->f->ctx, VTR_ERR_UNSUPPORTED, "%s.%s is neither selected by the target nor expanded",
                         op_name(op), type == T_none ? "none" : type_name(type));
            next = inst_ok(before) ? inst_get(r->f, before)->next : block_get(r->f, block)->first;
        }
        i = next;
    }
}

// Requires verified SSA. Makes every opcode one that the target covers.
void pass_expand(Pass *p) {
    Func *f = p->f;
    if (!p->options->covers) return;
    Rewriter r = rw_new(p, true);
    FUNC_BLOCKS(b, f) {
        for (Inst i = block_get(f, b)->first, next; inst_ok(i); i = next) {
            next = inst_get(f, i)->next;
            if (!covered(p, i)) expand(&r, i);
        }
    }
}
