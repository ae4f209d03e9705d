// Function bodies of .vita text: registers, labels, instructions, source places.
//
// Blocks are numbered as their labels appear. A label that is used before it appears gets its block's number when it
// does; until then the operand holds the token of the use, and a fix-up list remembers it.
#include <string.h>
#include <strings.h>

#include "bytecode/asm.h"

typedef struct Fixup {
    uint32_t kind; // 'x', 'y': that field of instruction `index`; 'w', 'b': case or table entry `index`
    uint32_t index;
    uint32_t tok;
} Fixup;

typedef struct Body {
    Asm *a;
    uint32_t func;
    bool open;    // the last block waits for instructions
    uint32_t loc; // token of the .loc that waits for an instruction, or BC_NONE
    uint32_t n_params;
    uint32_t n_locals;
    uint32_t const_off;
    uint32_t pretty;
    bool record; // wanted even if empty
    VEC(uint32_t) regs;
    VEC(BcBlock) blocks;
    VEC(BcInst) insts;
    VEC(uint32_t) inst_tok;
    VEC(uint16_t) args;
    VEC(BcCase) cases;
    VEC(uint32_t) labels;
    VEC(Fixup) fixups;
    VEC(BcLine) lines;
    VEC(BcVar) vars;
} Body;

// ---- registers ----------------------------------------------------------------------------------------------

// True for r and digits only; such a name is no variable, and must have its register's number.
static bool is_number_name(const Tok *name, uint32_t *number) {
    *number = 0;
    if (name->len < 2 || name->text[0] != 'r' || name->quoted) return false;
    for (uint32_t i = 1; i < name->len; i++) {
        if (name->text[i] < '0' || name->text[i] > '9') return false;
        *number = *number > BC_MAX_REGS ? *number : *number * 10 + (uint32_t)(name->text[i] - '0');
    }
    return true;
}

// Notes the name of register `reg`.
static bool name_register(Body *b, const Tok *name, uint32_t reg) {
    uint32_t number;
    if (is_number_name(name, &number)) {
        return number == reg ||
               asm_bad(b->a, name, "register %u cannot be called %.*s", reg, (int)name->len, name->text);
    }
    uint32_t string = asm_file_name(b->a, name);
    if (string != BC_NONE)
        vec_push(b->a->scratch, &b->vars, (BcVar){.reg = (uint16_t)reg, .name = string, .end = BC_NONE});
    return true;
}

static bool declare_register(Body *b, bool local) {
    Asm *a = b->a;
    const Tok *name;
    uint32_t type;
    if (!asm_want_name(a, "a register's name", &name) || !asm_want_punct(a, ':') || !asm_type(a, &type)) return false;
    if (local && b->regs.n > b->n_params + b->n_locals)
        return asm_bad(a, name, ".local must stand before the first .reg");
    if (b->regs.n == BC_MAX_REGS) return asm_bad(a, name, "more than %u registers", BC_MAX_REGS);
    b->n_locals += local;
    vec_push(a->scratch, &b->regs, type);
    return asm_define(a, SPACE_REG, name, b->regs.n - 1) && name_register(b, name, b->regs.n - 1);
}

static bool want_register(Body *b, bool optional, uint16_t *reg) {
    Asm *a = b->a;
    uint32_t index;
    *reg = BC_NOREG;
    if (optional && asm_take_word(a, "_")) return true;
    if (!asm_lookup(a, SPACE_REG, "register", &index)) return false;
    *reg = (uint16_t)index;
    return true;
}

// ---- labels and blocks --------------------------------------------------------------------------------------

static bool want_label(Body *b, uint32_t kind, uint32_t index) {
    const Tok *name;
    asm_take_punct(b->a, '@');
    if (!asm_want_name(b->a, "a label", &name)) return false;
    vec_push(b->a->scratch, &b->fixups, (Fixup){kind, index, b->a->at - 1});
    return true;
}

static void fix_labels(Body *b) {
    for (uint32_t i = 0; i < b->fixups.n; i++) {
        const Fixup *f = &b->fixups.v[i];
        const Tok *name = &b->a->toks[f->tok];
        uint32_t block = 0;
        if (!asm_find(b->a, SPACE_LABEL, name, &block)) {
            asm_bad(b->a, name, "there is no label %.*s", (int)name->len, name->text);
        }
        switch (f->kind) {
        case 'x': b->insts.v[f->index].x = block; break;
        case 'y': b->insts.v[f->index].y = block; break;
        case 'w': b->cases.v[f->index].label = block; break;
        default: b->labels.v[f->index] = block; break;
        }
    }
}

static void push_inst(Body *b, BcInst in, uint32_t tok) {
    vec_push(b->a->scratch, &b->insts, in);
    vec_push(b->a->scratch, &b->inst_tok, tok);
    vec_last(&b->blocks).n++;
}

static void open_block(Body *b) {
    if (!b->open) vec_push(b->a->scratch, &b->blocks, (BcBlock){b->insts.n, 0});
    b->open = true;
}

// A block that runs into a label ends with a jump there.
static bool define_label(Body *b, const Tok *name, uint32_t tok) {
    if (b->open && vec_last(&b->blocks).n) {
        push_inst(b, (BcInst){.op = BC_JMP, .x = b->blocks.n}, tok);
        b->open = false;
    }
    open_block(b);
    return asm_define(b->a, SPACE_LABEL, name, b->blocks.n - 1);
}

// ---- operands -----------------------------------------------------------------------------------------------

static bool want_arguments(Body *b, BcInst *in) {
    Asm *a = b->a;
    const Tok *start = asm_peek(a);
    uint64_t told = BC_NONE;
    uint16_t reg;
    if (start->kind == TOK_INT && !asm_want_int(a, UINT8_MAX, "a count", &told)) return false;
    if (!asm_want_punct(a, '[')) return false;
    in->y = b->args.n;
    while (!asm_at_punct(a, ']')) {
        if (b->args.n > in->y && !asm_want_punct(a, ',')) return false;
        if (!want_register(b, false, &reg)) return false;
        vec_push(a->scratch, &b->args, reg);
    }
    a->at++;
    uint32_t n = b->args.n - in->y;
    if (told != BC_NONE && told != n) return asm_bad(a, start, "%u arguments are given, not %u", n, (unsigned)told);
    if (n > UINT8_MAX) return asm_bad(a, start, "more than %u arguments", UINT8_MAX);
    in->n = (uint16_t)n;
    in->m0 = (uint8_t)n;
    return true;
}

static bool want_case(Body *b, const BcInst *in) {
    Asm *a = b->a;
    const Tok *start = asm_peek(a);
    uint64_t bits = 0;
    if (b->cases.n > in->y && !asm_want_punct(a, ',')) return false;
    if (!asm_want_signed(a, 64, &bits) || !asm_want_punct(a, ':')) return false;
    if (b->cases.n - in->y == UINT16_MAX) return asm_bad(a, start, "more than %u cases", UINT16_MAX);
    vec_push(a->scratch, &b->cases, (BcCase){(int64_t)bits, 0});
    return want_label(b, 'w', b->cases.n - 1);
}

static bool want_table_entry(Body *b, const BcInst *in) {
    Asm *a = b->a;
    const Tok *start = asm_peek(a);
    if (b->labels.n > in->y && !asm_want_punct(a, ',')) return false;
    if (b->labels.n - in->y == UINT16_MAX) return asm_bad(a, start, "more than %u labels", UINT16_MAX);
    vec_push(a->scratch, &b->labels, 0);
    return want_label(b, 'b', b->labels.n - 1);
}

// SWITCH's and BRT's default label and list.
static bool want_targets(Body *b, BcInst *in, bool cases) {
    Asm *a = b->a;
    char close = cases ? '}' : ']';
    in->y = cases ? b->cases.n : b->labels.n;
    if (!want_label(b, 'x', b->insts.n) || !asm_want_punct(a, ',') || !asm_want_punct(a, cases ? '{' : '['))
        return false;
    while (!asm_at_punct(a, close)) {
        if (!(cases ? want_case(b, in) : want_table_entry(b, in))) return false;
    }
    a->at++;
    in->n = (uint16_t)((cases ? b->cases.n : b->labels.n) - in->y);
    return true;
}

// .name of the struct in register `base`, or a number.
static bool want_field(Body *b, uint16_t base, uint32_t *offset) {
    Asm *a = b->a;
    const Tok *name;
    uint64_t value;
    if (!asm_take_punct(a, '.')) {
        if (!asm_want_signed(a, 32, &value)) return false;
        *offset = (uint32_t)value;
        return true;
    }
    if (!asm_want_name(a, "a field's name", &name)) return false;
    uint32_t type = b->regs.v[base];
    const BcType *t = type >= BC_TYPE_BASE ? &a->table.v[type - BC_TYPE_BASE] : NULL;
    uint32_t wanted = asm_file_name(a, name);
    for (uint32_t i = 0; t && t->kind == BC_STRUCT && i < t->n; i++) {
        if (t->fields[i].name != wanted || wanted == BC_NONE) continue;
        *offset = t->fields[i].offset;
        return true;
    }
    return asm_bad(a, name, "the type of the base has no field %.*s", (int)name->len, name->text);
}

// [reg + off]; the register's shape letter stands before this one.
static bool want_address(Body *b, uint16_t *reg, uint32_t *offset) {
    Asm *a = b->a;
    uint64_t value = 0;
    if (!asm_want_punct(a, '[') || !want_register(b, false, reg)) return false;
    if (asm_at_punct(a, '-')) {
        if (!asm_want_signed(a, 32, &value)) return false;
    } else if (asm_take_punct(a, '+') && !asm_want_int(a, INT32_MAX, "an offset", &value)) {
        return false;
    }
    *offset = (uint32_t)value;
    return asm_want_punct(a, ']');
}

static bool want_trap(Asm *a, uint32_t *code) {
    const Tok *tok = asm_peek(a);
    uint64_t value;
    if (tok->kind == TOK_INT) {
        if (!asm_want_int(a, BC_TRAP_USER_MAX, "a trap code", &value)) return false;
        *code = (uint32_t)value;
        return true;
    }
    for (uint32_t c = 1; c <= BC_TRAP_SYSTEM_MAX; c++) {
        if (!asm_take_word(a, bc_trap_name(c))) continue;
        *code = c;
        return true;
    }
    return asm_bad(a, tok, "a trap's name or code is expected");
}

static bool want_intrinsic(Asm *a, uint32_t *id) {
    const Tok *tok = asm_peek(a);
    for (uint32_t i = 0; i < BC_N_INTRINSICS; i++) {
        if (!bc_intrinsic(i) || !asm_take_word(a, bc_intrinsic(i)->name)) continue;
        *id = i;
        return true;
    }
    return asm_bad(a, tok, "an intrinsic's name is expected");
}

static bool want_constant(Body *b, uint32_t *k) {
    Asm *a = b->a;
    const Tok *tok = asm_peek(a);
    if (!asm_take_word(a, "const")) return asm_bad(a, tok, "const:NAME is expected");
    if (!asm_want_punct(a, ':') || !asm_lookup(a, SPACE_CONST, "constant", k)) return false;
    *k -= b->const_off;
    return *k <= INT32_MAX || asm_bad(a, tok, "the constant stands before the function's .constoff");
}

static bool want_wide(Body *b, BcInst *in, char shape, uint32_t regs, uint32_t *value, bool second) {
    Asm *a = b->a;
    uint64_t bits;
    switch (shape) {
    case 'i':
        if (!asm_want_signed(a, 32, &bits)) return false;
        *value = (uint32_t)bits;
        return true;
    case 'k': return want_constant(b, value);
    case 'l': return want_label(b, second ? 'y' : 'x', b->insts.n);
    case 't': {
        const Tok *tok = asm_peek(a);
        if (!asm_type(a, value)) return false;
        if (*value < BC_TYPE_BASE) return asm_bad(a, tok, "a declared type is expected");
        *value -= BC_TYPE_BASE;
        return true;
    }
    case 'g': return asm_lookup(a, SPACE_GLOBAL, "global", value);
    case 'f': return asm_lookup(a, SPACE_FUNC, "function", value);
    case 'x': return asm_lookup(a, SPACE_DATA, "data blob", value);
    case 'c': return want_trap(a, value);
    case 'n': return want_intrinsic(a, value);
    default: return want_field(b, in->r[regs - 1], value); // o
    }
}

static bool want_operands(Body *b, BcInst *in, const BcOpInfo *info) {
    Asm *a = b->a;
    uint32_t regs = 0;
    uint32_t wides = 0;
    for (const char *shape = info->shape; *shape; shape++) {
        if (shape > info->shape && !asm_want_punct(a, ',')) return false;
        if (*shape == 'S' && asm_peek(a)->kind == TOK_NEWLINE) {
            in->r[regs++] = BC_NOREG; // RET alone
        } else if (shape[1] == 'm') {
            if (!want_address(b, &in->r[regs++], &in->x)) return false;
            shape++;
        } else if (strchr("dDsS", *shape)) {
            if (!want_register(b, *shape == 'D' || *shape == 'S', &in->r[regs++])) return false;
        } else if (*shape == 'a') {
            if (!want_arguments(b, in)) return false;
        } else if (*shape == 'w' || *shape == 'b') {
            if (!want_targets(b, in, *shape == 'w')) return false;
        } else {
            bool second = wides++ > 0;
            if (!want_wide(b, in, *shape, regs, second ? &in->y : &in->x, second)) return false;
        }
    }
    return true;
}

// CMP's last operand.
static bool want_kind(Asm *a, uint8_t *kind) {
    const Tok *tok;
    if (!asm_want_punct(a, ',') || !asm_want_name(a, "a comparison", &tok)) return false;
    for (unsigned k = 0; k < BC_N_CMPS; k++) {
        *kind = (uint8_t)k;
        if (strlen(bc_cmp_name[k]) == tok->len && !strncasecmp(bc_cmp_name[k], tok->text, tok->len)) return true;
    }
    return asm_bad(a, tok, "there is no comparison %.*s", (int)tok->len, tok->text);
}

// The .type behind LD and ST.
static bool want_memory(Asm *a, uint8_t *memory) {
    const Tok *tok;
    if (!asm_want_punct(a, '.') || !asm_want_name(a, "a memory type", &tok)) return false;
    for (unsigned t = BC_I8; t <= BC_PTR; t++) {
        *memory = (uint8_t)t;
        if (strlen(bc_prim_name[t]) == tok->len && !memcmp(bc_prim_name[t], tok->text, tok->len)) return true;
    }
    return asm_bad(a, tok, "%.*s is no memory type", (int)tok->len, tok->text);
}

// ---- statements ---------------------------------------------------------------------------------------------

static bool set_line(Body *b) {
    Asm *a = b->a;
    const Tok *file;
    uint64_t line = 0;
    uint64_t col = 0;
    uint32_t back = a->at;
    a->at = b->loc;
    b->loc = BC_NONE;
    if (!asm_want_string(a, "a source file", &file) || !asm_want_int(a, UINT32_MAX, "a line", &line)) return false;
    if (asm_peek(a)->kind == TOK_INT && !asm_want_int(a, UINT32_MAX, "a column", &col)) return false;
    if (!asm_want_end_of_line(a)) return false;
    a->at = back;
    uint32_t name = asm_string(a, file->text, file->len);
    bool added;
    uint32_t id = *map_add(&a->file_ids, name, a->files.n, &added);
    if (added) vec_push(a->scratch, &a->files, name);
    vec_push(a->scratch, &b->lines, (BcLine){b->insts.n, id, (uint32_t)line, (uint32_t)col});
    return true;
}

static bool do_instruction(Body *b) {
    Asm *a = b->a;
    uint32_t start = a->at;
    const Tok *tok = &a->toks[a->at++];
    int op = bc_op_find(tok->text, tok->len);
    if (op < 0) return asm_bad(a, tok, "there is no instruction %.*s", (int)tok->len, tok->text);
    const BcOpInfo *info = bc_op((uint32_t)op);
    BcInst in = {.op = (uint16_t)op};
    if (!b->open && b->blocks.n) return asm_bad(a, tok, "a label is expected behind the end of a block");
    open_block(b);
    if (b->loc != BC_NONE && !set_line(b)) return false;
    if (info->m0 == BC_M0_MEMORY && !want_memory(a, &in.m0)) return false;
    if (!want_operands(b, &in, info)) return false;
    if (info->m0 == BC_M0_KIND && !want_kind(a, &in.m0)) return false;
    push_inst(b, in, start);
    if (info->flags & BC_TERM) b->open = false;
    return asm_want_end_of_line(a);
}

// .var NAME reg start end: a variable that is not its register's name.
static bool do_var(Body *b) {
    Asm *a = b->a;
    const Tok *name;
    BcVar var = {0};
    uint64_t start;
    uint64_t end;
    if (!asm_want_name(a, "a variable's name", &name) || !want_register(b, false, &var.reg)) return false;
    if (!asm_want_int(a, UINT32_MAX, "an instruction", &start) ||
        !asm_want_int(a, BC_MAX_INSTS, "an instruction", &end)) {
        return false;
    }
    var.name = asm_file_name(a, name);
    var.start = (uint32_t)start;
    var.end = (uint32_t)end;
    vec_push(a->scratch, &b->vars, var);
    return asm_want_end_of_line(a);
}

static bool do_directive(Body *b) {
    Asm *a = b->a;
    const Tok *start = &a->toks[a->at++];
    const Tok *string;
    uint64_t value;
    if (asm_take_word(a, "local")) return declare_register(b, true) && asm_want_end_of_line(a);
    if (asm_take_word(a, "reg")) return declare_register(b, false) && asm_want_end_of_line(a);
    if (asm_take_word(a, "var")) return do_var(b);
    if (asm_take_word(a, "loc")) {
        b->loc = a->at;
        return true;
    }
    if (asm_take_word(a, "record")) {
        b->record = true;
        return asm_want_end_of_line(a);
    }
    if (asm_take_word(a, "pretty")) {
        if (!asm_want_string(a, "a name", &string)) return false;
        b->pretty = asm_string(a, string->text, string->len);
        return asm_want_end_of_line(a);
    }
    if (asm_take_word(a, "constoff")) {
        if (!asm_want_int(a, INT32_MAX, "an offset", &value)) return false;
        b->const_off = (uint32_t)value;
        return asm_want_end_of_line(a);
    }
    return asm_bad(a, start, "unknown directive in a function");
}

static void do_line(Body *b) {
    Asm *a = b->a;
    if (asm_at_punct(a, '.')) {
        do_directive(b);
        return;
    }
    while (asm_peek(a)->kind == TOK_NAME && a->toks[a->at + 1].kind == TOK_PUNCT && a->toks[a->at + 1].punct == ':') {
        if (!define_label(b, asm_peek(a), a->at)) return;
        a->at += 2;
    }
    if (asm_peek(a)->kind == TOK_NAME) do_instruction(b);
    else asm_want_end_of_line(a);
}

static void finish(Body *b) {
    Asm *a = b->a;
    BcFunc *f = &a->funcs.v[b->func];
    const Tok *head = &a->toks[a->sources.v[b->func].head];
    if (!b->blocks.n || !vec_last(&b->blocks).n) asm_bad(a, head, "the function's last block is empty");
    fix_labels(b);
    f->n_regs = b->regs.n;
    f->n_params = b->n_params;
    f->n_locals = b->n_locals;
    f->n_blocks = b->blocks.n;
    f->n_insts = b->insts.n;
    f->const_off = b->const_off;
    f->regs = arena_copy(a->arena, b->regs.v, b->regs.n * sizeof *b->regs.v);
    f->blocks = arena_copy(a->arena, b->blocks.v, b->blocks.n * sizeof *b->blocks.v);
    f->insts = arena_copy(a->arena, b->insts.v, b->insts.n * sizeof *b->insts.v);
    f->args = arena_copy(a->arena, b->args.v, b->args.n * sizeof *b->args.v);
    f->cases = arena_copy(a->arena, b->cases.v, b->cases.n * sizeof *b->cases.v);
    f->labels = arena_copy(a->arena, b->labels.v, b->labels.n * sizeof *b->labels.v);
    a->sources.v[b->func].inst_tok = b->inst_tok.v;
    if (b->insts.n > BC_MAX_INSTS || b->blocks.n > BC_MAX_BLOCKS) asm_bad(a, head, "the function is too large");
    if (!b->lines.n && !b->vars.n && b->pretty == BC_NONE && !b->record) return;
    BcRecord record = {.func = b->func, .pretty = b->pretty, .n_lines = b->lines.n, .n_vars = b->vars.n};
    for (uint32_t i = 0; i < b->vars.n; i++) {
        if (b->vars.v[i].end == BC_NONE) b->vars.v[i].end = f->n_insts;
    }
    record.lines = arena_copy(a->arena, b->lines.v, b->lines.n * sizeof *b->lines.v);
    record.vars = arena_copy(a->arena, b->vars.v, b->vars.n * sizeof *b->vars.v);
    f->dbg_off = a->records.n;
    vec_push(a->scratch, &a->records, record);
}

void asm_body(Asm *a, uint32_t func) {
    Body b = {.a = a, .func = func, .loc = BC_NONE, .pretty = BC_NONE};
    const BcType sig = a->table.v[a->funcs.v[func].sig - BC_TYPE_BASE];
    const AsmFunc *source = &a->sources.v[func];
    uint32_t errors = a->errors;
    a->owner = func;
    // Parameters' names stand in the head: NAME ( NAME : type , NAME : type ...
    uint32_t depth = 0;
    b.n_params = sig.n;
    for (uint32_t at = source->head + 1; b.regs.n < sig.n; at++) {
        const Tok *tok = &a->toks[at];
        if (tok->kind == TOK_PUNCT && strchr("([", tok->punct)) depth++;
        if (tok->kind == TOK_PUNCT && strchr(")]", tok->punct)) depth--;
        bool before_name = tok->kind == TOK_PUNCT && strchr("(,", tok->punct) && depth == 1;
        if (!before_name) continue;
        uint32_t type = sig.params[b.regs.n];
        vec_push(a->scratch, &b.regs, type);
        name_register(&b, tok + 1, b.regs.n - 1);
    }
    a->at = source->body;
    for (; asm_peek(a)->kind != TOK_END; asm_skip_line(a)) {
        if (asm_at_punct(a, '.') && a->toks[a->at + 1].kind == TOK_NAME && a->toks[a->at + 1].len == 3 &&
            !memcmp(a->toks[a->at + 1].text, "end", 3)) {
            break;
        }
        do_line(&b);
    }
    if (a->errors == errors) finish(&b);
}
