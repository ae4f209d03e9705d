"""md/ir.md -> the opcode tables: ir_tables.h, ir_tables.c."""
from diag import DescriptionError

BANNER = "// Generated from md/ir.md by gen/vtgen/emit_ir.py; do not edit.\n"

# (name, attribute kinds, number of value operands or "values"). The order is the order of enum OpFormat.
FORMATS = [
    ("nullary", (), 0), ("unary", (), 1), ("binary", (), 2), ("ternary", (), 3), ("values", (), "values"),
    ("imm64", ("imm64",), 0), ("ieee32", ("ieee32",), 0), ("ieee64", ("ieee64",), 0),
    ("int_compare", ("intcc",), 2), ("float_compare", ("floatcc",), 2),
    ("jump", ("block",), 0), ("brif", ("block", "block"), 1), ("br_table", ("blocks",), 1),
    ("trap", ("trapcode",), 0), ("cond_trap", ("trapcode",), 1), ("add_trap", ("trapcode",), 2),
    ("call", ("func",), "values"), ("call_indirect", ("sig",), "values"),
    ("func_addr", ("func",), 0), ("stack_addr", ("slot", "offset"), 0), ("global", ("global",), 0),
    ("load", ("memflags", "offset"), 1), ("store", ("memflags", "offset"), 2),
    ("load_no_offset", ("memflags",), 1), ("store_no_offset", ("memflags",), 2),
]
FORMAT_OF = {(attrs, n): name for name, attrs, n in FORMATS}

FLAGS = ["pure", "commutes", "idempotent", "can_load", "can_store", "can_trap", "other_effect", "terminator",
         "branch", "call", "return", "variadic"]


def pairs(params):
    return [(p.name, p.kind) for p in params]


def result_kinds(op):
    return [r.kind for r in op.results]


def cond_rows(ir, cond):
    """(name, number, meaning) of every code of a condition."""
    return [(name, item.value, item.when) for item in ir.conds[cond].items for name in item.names]


def flags_of(op):
    props = set(op.props)
    flags = {f for f in ("pure", "commutes", "idempotent", "terminator", "branch", "call", "return") if f in props}
    if "reads" in props:
        flags.add("can_load")
    if "writes" in props:
        flags.add("can_store")
    if "effect" in props:
        flags.add("other_effect")
    faults = any(kind == "memflags" for _, kind in pairs(op.attrs)) and ("reads" in props or "writes" in props)
    if op.traps or faults:
        flags.add("can_trap")
    if any(kind == "values" for _, kind in pairs(op.params)):
        flags.add("variadic")
    return [f for f in FLAGS if f in flags]


def format_of(op):
    fixed = [a for a in pairs(op.params) if a[1] != "values"]
    variadic = len(fixed) != len(pairs(op.params))
    attrs = tuple(kind for _, kind in pairs(op.attrs))
    found = FORMAT_OF.get((attrs, "values" if variadic else len(fixed)))
    if found is None:
        raise DescriptionError(op.loc, "no record holds an opcode with these attributes and operands")
    return found


def control_of(op):
    """(suffix rule, operand that T is read off or None)."""
    if not op.vars:
        return "NONE", None
    fixed = [a for a in pairs(op.params) if a[1] != "values"]
    designated = 1 if len(fixed) == 3 and not pairs(op.attrs) else 0
    if designated < len(fixed) and fixed[designated][1] == op.vars[0][0]:
        return "INFERABLE", designated
    return "REQUIRED", None


def type_set(types):
    return " | ".join("TS_" + t.name for t in types) if types else "0"


def kind_of(op, kind):
    """An operand or result kind as (TypeRule, set of types)."""
    variables = dict(op.vars)
    control = op.vars[0][0] if op.vars else None
    if kind == control:
        return "TR_CONTROL", type_set(variables[kind])
    if kind in variables:
        return "TR_FREE", type_set(variables[kind])
    if kind == "half<%s>" % control:
        return "TR_HALF", "0"
    if kind == "double<%s>" % control:
        return "TR_DOUBLE", "0"
    return "TR_FIXED", "TS_" + kind


def header(ir):
    out = [BANNER, "#ifndef VTR_IR_TABLES_H\n#define VTR_IR_TABLES_H\n\n#include <stdbool.h>\n#include <stdint.h>\n\n"]
    out.append("// ---- types ------------------------------------------------------------------\n\n")
    out.append("typedef enum Type {\n    T_none,\n")
    out += ["    T_%s,\n" % t for t in ir.types]
    out.append("    N_TYPES\n} Type;\n\n")
    out.append("// A set of types: bit T_x.\ntypedef uint16_t TypeSet;\nenum {\n")
    out += ["    TS_%s = 1 << T_%s,\n" % (t, t) for t in ir.types]
    out += ["    TS_%s = %s,\n" % (s, type_set(ir.sets[s])) for s in sorted(ir.sets)]
    out.append("};\n\ntypedef struct TypeInfo {\n    const char *name;\n    uint8_t bits;\n    uint8_t bytes;\n"
               "    uint8_t half;    // Type of half the bits, or T_none\n"
               "    uint8_t twice; // Type of double the bits, or T_none\n} TypeInfo;\n"
               "extern const TypeInfo type_info[N_TYPES];\n\n"
               "static inline const char *type_name(Type t) { return type_info[t].name; }\n"
               "static inline unsigned type_bits(Type t) { return type_info[t].bits; }\n"
               "static inline unsigned type_bytes(Type t) { return type_info[t].bytes; }\n"
               "static inline bool type_in(Type t, TypeSet set) { return set >> t & 1; }\n"
               "static inline bool type_is_int(Type t) { return type_in(t, TS_int); }\n"
               "static inline bool type_is_float(Type t) { return type_in(t, TS_float); }\n\n")
    out.append("// ---- condition codes and trap codes -------------------------------------------\n\n")
    for cond, prefix in (("intcc", "ICC"), ("floatcc", "FCC")):
        rows = cond_rows(ir, cond)
        out.append("typedef enum %s {\n" % {"intcc": "IntCC", "floatcc": "FloatCC"}[cond])
        out += ["    %s_%s = %d,\n" % (prefix, name, number) for name, number, _ in rows]
        out.append("    N_%s\n} %s;\n" % (prefix, {"intcc": "IntCC", "floatcc": "FloatCC"}[cond]))
        low = prefix.lower()
        out.append("extern const char *const %s_name[N_%s];\n" % (low, prefix))
        out.append("extern const uint8_t %s_not[N_%s];  // the code that holds exactly when this one does not\n"
                   % (low, prefix))
        out.append("extern const uint8_t %s_swap[N_%s]; // the code of the same relation with operands exchanged\n\n"
                   % (low, prefix))
    out.append("// A code below the first of these is user N = N.\nenum {\n")
    out += ["    TRAP_%s = %s,\n" % (name, number) for name, number in ir.tables["trapcode"]]
    out.append("    TRAP_first_named = %s\n};\n" % min(int(n) for _, n in ir.tables["trapcode"]))
    out.append("// The name of a trap code that has one, else NULL.\nconst char *trap_name(uint8_t code);\n\n")
    convs = [row[0] for row in ir.tables["callconv"]]
    out.append("// ---- calling conventions ------------------------------------------------------\n\n"
               "typedef enum CallConv {\n%s    N_CONVS\n} CallConv;\n"
               "extern const char *const conv_name[N_CONVS];\n\n" % "".join("    CC_%s,\n" % c.upper() for c in convs))
    out.append("// ---- opcodes ------------------------------------------------------------------\n\n")
    out.append("typedef enum Op {\n")
    out += ["    OP_%s,\n" % op.name for op in ir.ops.values()]
    out.append("    N_OPS\n} Op;\n\n")
    out.append("// How an instruction is written, and which fields of its record it uses.\ntypedef enum OpFormat {\n")
    out += ["    FMT_%s,\n" % name for name, _, _ in FORMATS]
    out.append("    N_FORMATS\n} OpFormat;\n\n")
    out.append("// The type of an operand or result: the controlling type, any type of a set, one type, half or twice the\n"
               "// bits of the controlling type.\n"
               "typedef enum TypeRule { TR_CONTROL, TR_FREE, TR_FIXED, TR_HALF, TR_DOUBLE } TypeRule;\n"
               "typedef struct OpType {\n    uint8_t rule; // TypeRule\n    TypeSet set;  // TR_FREE, TR_FIXED: allowed types\n"
               "} OpType;\n\n"
               "typedef enum OpSuffix { SUFFIX_NONE, SUFFIX_INFERABLE, SUFFIX_REQUIRED } OpSuffix;\n\n"
               "// A relation between widths that the types of an instruction must satisfy beyond their sets.\n"
               "typedef enum OpWhen { WHEN_ANY, WHEN_ARG_NARROWER, WHEN_ARG_WIDER, WHEN_ARG_SAME } OpWhen;\n\n")
    out.append("enum {\n")
    out += ["    OPF_%s = 1 << %d,\n" % (f, i) for i, f in enumerate(FLAGS)]
    out.append("};\n\n#define OP_MAX_ARGS 3\n#define OP_MAX_RESULTS 2\n\n"
               "typedef struct OpInfo {\n    const char *name;\n    uint8_t format;      // OpFormat\n"
               "    uint8_t n_args;      // value operands; more may follow when OPF_variadic\n"
               "    uint8_t n_results;   // calls: those of the signature instead\n"
               "    uint8_t suffix;      // OpSuffix\n"
               "    uint8_t control_arg; // SUFFIX_INFERABLE: the operand that has the controlling type\n"
               "    uint8_t when;        // OpWhen\n    uint16_t flags;      // OPF_*\n"
               "    TypeSet types;       // controlling types; 0 = not polymorphic\n"
               "    OpType args[OP_MAX_ARGS];\n    OpType results[OP_MAX_RESULTS];\n} OpInfo;\n"
               "extern const OpInfo op_info[N_OPS];\n\n"
               "static inline bool op_has(Op op, unsigned flags) { return (op_info[op].flags & flags) != 0; }\n"
               "static inline const char *op_name(Op op) { return op_info[op].name; }\n"
               "// What result k of op has as its type when the controlling type is `control`.\n"
               "Type op_result_type(Op op, unsigned k, Type control);\n\n"
               "// Names as the text form writes them. -1 when there is none.\n"
               "int op_find(const char *name, unsigned len);\nint type_find(const char *name, unsigned len);\n"
               "int icc_find(const char *name, unsigned len);\nint fcc_find(const char *name, unsigned len);\n"
               "int trap_find(const char *name, unsigned len); // named codes only\n"
               "// Why a type or opcode of the text form is not supported, or NULL when it is unknown or supported.\n"
               "const char *ir_unsupported(const char *name, unsigned len);\n\n#endif\n")
    return "".join(out)


INT_SAMPLES = [(x, y) for x in (0, 1, 127, 128, 255) for y in (0, 1, 127, 128, 255)]


def signed(x):
    return x - 256 if x > 127 else x


RELATION = {"eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "ult": lambda a, b: a < b, "ule": lambda a, b: a <= b,
            "slt": lambda a, b: signed(a) < signed(b), "sle": lambda a, b: signed(a) <= signed(b),
            "feq": lambda a, b: a == b, "flt": lambda a, b: a < b, "funo": lambda a, b: a != a or b != b}


def holds(e, env):
    """Whether a condition's meaning holds for these x and y."""
    if e.k == "un":
        return not holds(e.args[0], env)
    if e.k == "call":
        return RELATION[e.name](*[env[a.name] for a in e.args])
    if e.op in ("land", "lor"):
        return (all if e.op == "land" else any)([holds(e.args[0], env), holds(e.args[1], env)])
    return RELATION[e.op](env[e.args[0].name], env[e.args[1].name])


def int_truth(e):
    return tuple(holds(e, {"x": x, "y": y}) for x, y in INT_SAMPLES)


def float_truth(e):
    nan = float("nan")
    return tuple(holds(e, {"x": x, "y": y}) for x, y in ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (nan, 1.0), (1.0, nan)))


def relations(cond, truth, swap):
    """not- and swap-tables of condition codes, computed from what the codes mean."""
    table, inverse, swapped = {}, [], []
    for item in cond.items:
        try:
            other = table.setdefault(truth(item.when), item.name)
        except (KeyError, AttributeError, IndexError):
            raise DescriptionError(item.loc, "the meaning of '%s' is no comparison of x and y" % item.name) from None
        if other != item.name:
            raise DescriptionError(item.loc, "'%s' and '%s' mean the same" % (other, item.name))
    for item in cond.items:
        when = truth(item.when)
        for turned, names, what in ((tuple(not t for t in when), inverse, "the opposite of '%s'"),
                                    (swap(when), swapped, "'%s' of y and x")):
            if turned not in table:
                raise DescriptionError(item.loc, "no condition is " + what % item.name)
            names.append(table[turned])
    return inverse, swapped


def swap_int(t):
    return tuple(t[INT_SAMPLES.index((y, x))] for x, y in INT_SAMPLES)


def swap_float(t):
    return (t[1], t[0], t[2], t[4], t[3])


def finder(name, entries, value):
    """A switch on length and then comparisons: no hash to get wrong, and quick enough."""
    by_len = {}
    for i, e in enumerate(entries):
        by_len.setdefault(len(e), []).append((e, value(i, e)))
    out = []
    for n in sorted(by_len):
        out.append("    case %d:\n" % n)
        for e, v in sorted(by_len[n]):
            out.append("        if (memcmp(name, \"%s\", %d) == 0) return %s;\n" % (e, n, v))
        out.append("        break;\n")
    return "    switch (len) {\n%s    default:\n        break;\n    }\n" % "".join(out)


def when_of(op):
    if not op.whens:
        return "WHEN_ANY"
    e = op.whens[0]
    left, right = e.args[0].args[0].name, e.args[1].args[0].name
    control = op.vars[0][0]
    if e.op == "eq":
        return "WHEN_ARG_SAME"
    return "WHEN_ARG_WIDER" if left == control and right != control else "WHEN_ARG_NARROWER"


def tables(ir):
    out = [BANNER, "#include \"ir_tables.h\"\n\n#include <stddef.h>\n#include <string.h>\n\n"]
    out.append("const TypeInfo type_info[N_TYPES] = {\n    [T_none] = {\"none\", 0, 0, T_none, T_none},\n")
    for t in ir.types:
        bits = int(t[1:])
        half = "%s%d" % (t[0], bits // 2)
        twice = "%s%d" % (t[0], bits * 2)
        out.append("    [T_%s] = {\"%s\", %d, %d, %s, %s},\n" % (
            t, t, bits, bits // 8, *("T_" + x if x in ir.types else "T_none" for x in (half, twice))))
    out.append("};\n\n")
    for cond, prefix, truth, swap in (("intcc", "ICC", int_truth, swap_int), ("floatcc", "FCC", float_truth, swap_float)):
        rows = cond_rows(ir, cond)
        inverse, swapped = relations(ir.conds[cond], truth, swap)
        low = prefix.lower()
        out.append("const char *const %s_name[N_%s] = {%s};\n" % (low, prefix, ", ".join('"%s"' % r[0] for r in rows)))
        out.append("const uint8_t %s_not[N_%s] = {%s};\n" % (low, prefix, ", ".join(prefix + "_" + n for n in inverse)))
        out.append("const uint8_t %s_swap[N_%s] = {%s};\n\n"
                   % (low, prefix, ", ".join(prefix + "_" + n for n in swapped)))
    out.append("const char *trap_name(uint8_t code) {\n    switch (code) {\n")
    for name, number in ir.tables["trapcode"]:
        out.append("    case TRAP_%s:\n        return \"%s\";\n" % (name, name))
    out.append("    default:\n        return NULL;\n    }\n}\n\n")
    out.append("const char *const conv_name[N_CONVS] = {%s};\n\n" % ", ".join('"%s"' % row[0] for row in ir.tables["callconv"]))
    out.append("const OpInfo op_info[N_OPS] = {\n")
    for op in ir.ops.values():
        suffix, control = control_of(op)
        fixed = [a for a in pairs(op.params) if a[1] != "values"]
        results = [r for r in result_kinds(op) if r != "values"]
        args = ", ".join("{%s, %s}" % kind_of(op, k) for _, k in fixed)
        res = ", ".join("{%s, %s}" % kind_of(op, k) for k in results)
        flags = " | ".join("OPF_" + f for f in flags_of(op)) or "0"
        out.append("    [OP_%s] = {\"%s\", FMT_%s, %d, %d, SUFFIX_%s, %s, %s, %s, %s, {%s}, {%s}},\n" % (
            op.name, op.name, format_of(op), len(fixed), len(results), suffix,
            control if control is not None else "UINT8_MAX", when_of(op), flags,
            type_set(op.vars[0][1]) if op.vars else "0", args or "{0, 0}", res or "{0, 0}"))
    out.append("};\n\n")
    out.append("Type op_result_type(Op op, unsigned k, Type control) {\n"
               "    const OpType *t = &op_info[op].results[k];\n    switch ((TypeRule)t->rule) {\n"
               "    case TR_CONTROL:\n        return control;\n"
               "    case TR_HALF:\n        return (Type)type_info[control].half;\n"
               "    case TR_DOUBLE:\n        return (Type)type_info[control].twice;\n"
               "    default:\n        return t->set ? (Type)__builtin_ctz(t->set) : T_none;\n    }\n}\n\n")
    names = [op.name for op in ir.ops.values()]
    for fn, entries, value in (
            ("op", names, lambda i, e: "OP_" + e), ("type", list(ir.types), lambda i, e: "T_" + e),
            ("icc", [r[0] for r in cond_rows(ir, "intcc")], lambda i, e: "ICC_" + e),
            ("fcc", [r[0] for r in cond_rows(ir, "floatcc")], lambda i, e: "FCC_" + e),
            ("trap", [r[0] for r in ir.tables["trapcode"]], lambda i, e: "TRAP_" + e)):
        out.append("int %s_find(const char *name, unsigned len) {\n%s    return -1;\n}\n\n"
                   % (fn, finder(fn, entries, value)))
    why = dict(ir.unsupported)
    out.append("const char *ir_unsupported(const char *name, unsigned len) {\n%s    return NULL;\n}\n"
               % finder("ir_unsupported", [n for n, _ in ir.unsupported], lambda i, e: '"%s"' % why[e]))
    return "".join(out)


def outputs(isas):
    return ["ir_tables.h", "ir_tables.c"]


def emit(model):
    ir = model.ir
    return {"ir_tables.h": header(ir), "ir_tables.c": tables(ir)}
