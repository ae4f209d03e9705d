"""md/ir.md -> one builder function per opcode: ir_build.h, ir_build.c."""
from emit_ir import BANNER, control_of, format_of, pairs, result_kinds

BANNER = BANNER.replace("emit_ir.py", "emit_ir_build.py")

# attribute kind -> C parameters, and the assignments to `d`
PARAMS = {
    "imm64": ("uint64_t {n}", "d.imm = (int64_t)(type_bits(type) == 64 ? {n} : {n} & ((UINT64_C(1) << type_bits(type)) - 1));"),
    "ieee32": ("uint32_t {n}", "d.imm = (int64_t){n};"),
    "ieee64": ("uint64_t {n}", "d.imm = (int64_t){n};"),
    "intcc": ("IntCC {n}", "d.code = (uint8_t){n};"),
    "floatcc": ("FloatCC {n}", "d.code = (uint8_t){n};"),
    "trapcode": ("uint8_t {n}", "d.code = {n};"),
    "memflags": ("uint8_t {n}", "d.memflags = {n};"),
    "offset": ("int32_t {n}", "d.imm = {n};"),
    "func": ("uint32_t {n}", "d.ref = {n};"),
    "sig": ("uint32_t {n}", "d.ref = {n};"),
    "slot": ("uint32_t {n}", "d.ref = {n};"),
    "global": ("uint32_t {n}", "d.ref = {n};"),
    "block": ("Block {n}, const Value *{n}_args, uint32_t n_{n}_args", None),
    "blocks": ("const BlockCall *{n}, uint32_t n_{n}", None),
}
AFTER_OPERANDS = ("offset", "trapcode", "block", "blocks")  # the text writes these behind the operands


def c_name(name):
    """A parameter name that no parameter of the function frame and no C keyword takes."""
    return {"b": "borrow", "f": "func", "s": "entity", "m": "flags", "values": "args"}.get(name, name)


def prototype(op):
    params = ["Builder *b"]
    if control_of(op)[0] == "REQUIRED":
        params.append("Type type")
    params += [PARAMS[k][0].format(n=c_name(n)) for n, k in pairs(op.attrs) if k not in AFTER_OPERANDS]
    for n, k in pairs(op.params):
        params.append("const Value *args, uint32_t n_args" if k == "values" else "Value " + c_name(n))
    params += [PARAMS[k][0].format(n=c_name(n)) for n, k in pairs(op.attrs) if k in AFTER_OPERANDS]
    result = "Value" if len(result_kinds(op)) == 1 and result_kinds(op)[0] != "values" else "Inst"
    return "%s ir_%s(%s)" % (result, op.name, ", ".join(params))


def header(ir):
    out = [BANNER, "#ifndef VTR_IR_BUILD_H\n#define VTR_IR_BUILD_H\n\n#include \"ir/ir.h\"\n\n"
           "// Where instructions go: at the end of `at` (NO_BLOCK: they are made, and stand nowhere yet).\n"
           "typedef struct Builder {\n    Func *f;\n    Block at;\n    uint32_t srcloc; // given to each; NONE = none\n"
           "} Builder;\n\n"
           "// Appends a record with its operands and results; what all functions below do in the end.\n"
           "Inst ir_insert(Builder *b, const InstData *data, const Value *args, uint32_t n_args);\n\n"
           "// One function per opcode. Operands stand in the order of the text form; a type or attribute before them.\n"
           "// A Value is the only result; an Inst is the instruction (inst_result() gives its results).\n"
           "// Types are not checked here: verify_func() does.\n"]
    out += [prototype(op) + ";\n" for op in ir.ops.values()]
    out.append("\n#endif\n")
    return "".join(out)


def body(op):
    fixed = [c_name(n) for n, k in pairs(op.params) if k != "values"]
    variadic = len(fixed) != len(pairs(op.params))
    suffix, control = control_of(op)
    out = [prototype(op) + " {\n"]
    if suffix == "INFERABLE":
        out.append("    Type type = value_type(b->f, func_value(b->f, %s));\n" % fixed[control])
    out.append("    InstData d = {.op = OP_%s%s};\n" % (op.name, "" if suffix == "NONE" else ", .type = (uint8_t)type"))
    for n, k in pairs(op.attrs):
        if PARAMS[k][1]:
            out.append("    " + PARAMS[k][1].format(n=c_name(n)) + "\n")
    blocks = [c_name(n) for n, k in pairs(op.attrs) if k == "block"]
    lists = [c_name(n) for n, k in pairs(op.attrs) if k == "blocks"]
    if blocks:
        for n in blocks:
            out.append("    BlockCall to_%s = {%s, list_new(b->f, %s_args, n_%s_args)};\n" % (n, n, n, n))
        out.append("    d.targets = b->f->calls.n;\n    d.n_targets = %d;\n" % len(blocks))
        out += ["    vec_push(b->f->arena, &b->f->calls, to_%s);\n" % n for n in blocks]
    for n in lists:
        out.append("    if (n_%s > UINT16_MAX) ctx_fail(b->f->ctx, VTR_ERR_LIMIT, \"more than %%d branch targets\", UINT16_MAX);\n" % n)
        out.append("    d.targets = b->f->calls.n;\n    d.n_targets = (uint16_t)n_%s;\n" % n)
        out.append("    for (uint32_t k = 0; k < n_%s; k++) vec_push(b->f->arena, &b->f->calls, %s[k]);\n" % (n, n))
    if variadic and fixed:
        out.append("    Inst inst = insert_with_first(b, &d, %s, args, n_args);\n" % fixed[0])
    elif variadic:
        out.append("    Inst inst = ir_insert(b, &d, args, n_args);\n")
    elif fixed:
        out.append("    Value operands[] = {%s};\n    Inst inst = ir_insert(b, &d, operands, %d);\n"
                   % (", ".join(fixed), len(fixed)))
    else:
        out.append("    Inst inst = ir_insert(b, &d, NULL, 0);\n")
    out.append("    return %s;\n}\n\n" % ("inst_result(b->f, inst, 0)" if prototype(op).startswith("Value") else "inst"))
    return "".join(out)


def source(ir):
    out = [BANNER, "#include \"ir_build.h\"\n\n"
           "Inst ir_insert(Builder *b, const InstData *data, const Value *args, uint32_t n_args) {\n"
           "    InstData d = *data;\n    d.args = list_new(b->f, args, n_args);\n    d.srcloc = b->srcloc;\n"
           "    Inst inst = inst_new(b->f, &d);\n    inst_make_results(b->f, inst);\n"
           "    if (block_ok(b->at)) inst_append(b->f, inst, b->at);\n    return inst;\n}\n\n"
           "static Inst insert_with_first(Builder *b, const InstData *data, Value first, const Value *args,"
           " uint32_t n_args) {\n"
           "    InstData d = *data;\n    d.args = list_new(b->f, &first, 1);\n"
           "    for (uint32_t k = 0; k < n_args; k++) list_push(b->f, &d.args, args[k]);\n    d.srcloc = b->srcloc;\n"
           "    Inst inst = inst_new(b->f, &d);\n    inst_make_results(b->f, inst);\n"
           "    if (block_ok(b->at)) inst_append(b->f, inst, b->at);\n    return inst;\n}\n\n"]
    out += [body(op) for op in ir.ops.values()]
    return "".join(out)


def outputs(isas):
    return ["ir_build.h", "ir_build.c"]


def emit(model):
    return {"ir_build.h": header(model.ir), "ir_build.c": source(model.ir)}
