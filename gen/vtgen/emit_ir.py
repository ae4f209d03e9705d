"""md/ir.md -> the opcode tables: ir_tables.h, ir_tables.c."""
import re

BANNER = "// Generated from md/ir.md by gen/vtgen/emit_ir.py; do not edit.\n"

# (attribute kinds, number of value operands or "values") -> format. The order is the order of enum OpFormat.
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
FORMAT_OF[(("sig",), 1)] = "call_indirect"

FLAGS = ["pure", "commutes", "idempotent", "can_load", "can_store", "can_trap", "other_effect", "terminator",
         "branch", "call", "return", "variadic"]


class Op:
    """One opcode: name, attrs [(name, kind)], args [(name, kind)], results [kind], vars [(name, [type])],
    props, traps [(code, expr)], sems [expr], conditions [expr]."""


def outputs(isas):
    return ["ir_tables.h", "ir_tables.c"]
