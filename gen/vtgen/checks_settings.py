"""Checks of what a machine says of itself in rows of words: conventions, moves, roles, costs."""
import re

from build_isa import Binding

# ---- calling conventions ---------------------------------------------------------------------------------------

# What emit_target.py reads: the first words of each row, and what stands behind them: NAMES of calling conventions of
# the IR, one REG, REGS, pairs of them, N, a POWER of 2, BYTES of a place.
ABI_ROWS = {
    ("conv",): "NAMES",
    ("int", "args"): "REGS then stack BYTES",
    ("float", "args"): "REGS [then int] then stack BYTES",
    ("int", "results"): "REGS",
    ("float", "results"): "REGS",
    ("slots",): "PAIRS then stack BYTES",
    ("variadic",): "REG float count",
    ("sret", "arg"): "REG",
    ("sret",): "REG",
    ("preserved", "low64"): "REGS",
    ("preserved",): "REGS",
    ("stack",): "align POWER redzone N shadow N",
    ("extend",): "caller [word]",
    ("callee",): "pops",
    ("link",): "REG",
}
STACK_ABI_ROWS = {("conv",): "NAMES", ("values",): "", ("stack",): "align POWER"}  # of a stack machine
SHAPES = {"NAMES": r"( \w+)+", "REG": r" \w+", "REGS": r"( (?!then\b)\w+)*", "PAIRS": r"( \w+/\w+)+", "N": r" \d+",
          "POWER": " (1|2|4|8|16|32|64|128)", "BYTES": " (4|8)"}


def shape(text):
    """What stands behind the first words of a row, as a regular expression."""
    out = ""
    for word in text.split():
        inner = word.strip("[]")
        out += "(" * word.startswith("[") + SHAPES.get(inner, " " + inner) + ")?" * word.endswith("]")
    return out


def check_abi(isa, ir, abi, convs, diag):
    """convs: calling convention of the IR -> the Abi that serves it, of those before this one."""
    if not abi.rows:
        diag.error(abi.loc, "calling convention '%s' is empty" % abi.name)
        return
    rows, seen, kind = (STACK_ABI_ROWS if isa.is_stack else ABI_ROWS), set(), " of a stack machine" * isa.is_stack
    for row, at in zip(abi.rows, abi.places):
        found = next((k for k in rows if tuple(row[:len(k)]) == k), None)
        if found is None:
            diag.error(at, "a calling convention%s has no '%s'" % (kind, row[0]))
            continue
        what, rest = " ".join(found), row[len(found):]
        if found in seen:
            diag.error(at, "'%s' is given twice" % what)
        seen.add(found)
        if not re.fullmatch(shape(rows[found]), "".join(" " + w for w in rest)):
            diag.error(at, "what belongs here is '%s'" % " ".join([what] + rows[found].split()))
        elif rows[found] == "NAMES":
            check_convs(ir, abi, rest, convs, at, diag)
        elif "REG" in rows[found] or "PAIRS" in rows[found]:
            regs = rest[:rest.index("then")] if "then" in rows[found] else rest[:1] if rows[found].startswith("REG ") else rest
            for name in [n for word in regs for n in word.split("/")]:
                if name not in isa.reg_names:
                    diag.error(at, "no register is named '%s'" % name)
    if isa.is_stack:
        if ("values",) not in seen:
            diag.error(abi.loc, "a calling convention of a stack machine says 'values'")
        return
    for words in (("int", "args"), ("int", "results")):
        if words not in seen and not (words[1] == "args" and ("slots",) in seen):
            diag.error(abi.loc, "calling convention '%s' does not say '%s'" % (abi.name, " ".join(words)))


def check_convs(ir, abi, names, convs, at, diag):
    for name in names:
        if name not in [row[0] for row in ir.tables.get("callconv", [])]:
            diag.error(at, "the IR has no calling convention '%s'" % name)
        elif name in convs:
            diag.error(at, "'%s' serves '%s' already" % (convs[name].name, name), (convs[name].loc, "it is here"))
        convs[name] = abi


# ---- moves -----------------------------------------------------------------------------------------------------

def moved(inst, call):
    """The bits that an instruction loads or stores, or None."""
    found = [e for s in inst.sem for top in s.exprs() for e in top.walk() if e.k == "call" and e.name == call]
    return (found[0].width if call == "load" else found[0].args[1].width) if len(found) == 1 else None


def is_copy(inst):
    """Does it nothing but `d = a`?"""
    if len(inst.opnds) != 2 or len(inst.sem) != 1 or inst.sem[0].k != "assign":
        return False
    to, of = inst.sem[0].target, inst.sem[0].value
    return all(e.k == "name" and isinstance(e.ref, Binding) and e.ref.kind == "opnd" for e in (to, of)) \
        and to.ref.obj.writes and of.ref.obj.reads and to.ref.obj is not of.ref.obj


def check_moves(isa, moves, diag):
    if moves.copy is not None and not is_copy(moves.copy):
        diag.error(moves.at["copy"], "'%s' is no copy: its sem is not 'd = a'" % moves.copy.name, (moves.copy.loc, "it is here"))
    for call, rows in (("load", moves.load), ("store", moves.store)):
        for size, inst in rows.items():
            if moved(inst, call) != 8 * size:
                diag.error(moves.at[call], "'%s' does not %s %d bytes" % (inst.name, call, size), (inst.loc, "it is here"))


def check_held(isa, ir, diag):
    """What the code generator stores and loads must have moves: every type that a class holds."""
    for hold in isa.holds:
        moves = isa.moves.get(hold.cls.name) or isa.moves.get(hold.cls.file.name)
        for t in hold.types:
            size = (hold.cls.file.width if hold.upper not in ("any", "none") else ir.types[t].width) // 8
            lacks = [] if moves is None else [w for w, rows in (("load", moves.load), ("store", moves.store)) if size not in rows]
            if moves is None or (moves.constant if isa.is_stack else moves.copy) is None:
                diag.error(hold.loc, "no 'moves' have a '%s' of what class '%s' holds" % (
                    "constant" if isa.is_stack else "copy", hold.cls.name))
                return
            if lacks:
                diag.error(hold.loc, "the moves of '%s' have no '%s %d' for %s" % (moves.name, lacks[0], size, t),
                           (moves.loc, "they are here"))


# ---- roles, costs ------------------------------------------------------------------------------------------------

ROLE_KINDS = {"sp": "reg", "flags": "reg", "scratch": "reg", "jump": "inst", "call": "inst",
              "call_reg": "inst", "tail_call": "inst", "tail_call_reg": "inst", "ret": "inst", "ret_pop": "inst",
              "push": "inst", "pop": "inst", "sp_add": "inst", "sp_sub": "inst", "add": "inst", "trap": "inst",
              "lea": "inst", "load_addr": "inst", "cmp": "inst", "branch": "inst", "mem_form": "form", "cond_below": "cond",
              "host_features": "function"}


# Of stack machines, beside jump, call, call_reg, tail_call, tail_call_reg, ret, trap, add, load_addr and lea.
STACK_ROLE_KINDS = dict.fromkeys((
    "get", "set", "tee", "drop", "block", "loop", "end", "if_", "else_", "branch_if", "branch_table", "branch_entry",
    "eqz", "below", "sp_get", "sp_set", "wide_call_reg", "wide_tail_call_reg"), "inst")
STACK_LIMITS = ("max_params", "max_results", "max_locals", "max_entries", "max_bytes")  # of functions
STACK_ROLE_KINDS.update(dict.fromkeys(STACK_LIMITS, "limit"), sp_symbol="symbol", reloc_type="relocation",
                        function_type="number")


def check_roles(isa, diag):
    from diag import Loc
    at = isa.loc or Loc(isa.name, 1, 1)
    forms = {f.name for c in isa.operands.values() for f in c.forms}
    for role, words in isa.roles.items():
        kind = ROLE_KINDS.get(role) or isa.is_stack and STACK_ROLE_KINDS.get(role) or None
        if kind is None:
            diag.error(at, "there is no role '%s'" % role)
            continue
        if not words:
            diag.error(at, "role '%s' is empty" % role)
        for word in words:
            known = {"reg": word in isa.reg_names or word in isa.flags, "inst": isa.inst(word) is not None,
                     "form": word in forms, "cond": any(c.find(word) for c in isa.conds.values()), "function": True,
                     "symbol": True, "relocation": word in isa.relocs, "number": word.isdigit() and int(word) < 256,
                     "limit": word.isdigit() and 0 < int(word) < 1 << 32}[kind]
            if not known:
                diag.error(at, "role '%s': no %s is named '%s'"
                           % (role, {"reg": "register", "inst": "instruction", "cond": "condition"}.get(kind, kind), word))


def check_costs(isa, diag):
    for inst in isa.insts.values():
        if inst.cost is None and inst.is_pseudo and not inst.sem:
            continue  # an alias for the assembler
        if inst.cost is None:
            diag.error(inst.loc, "instruction '%s' has no cost" % inst.name)
            continue
        for cpu in isa.cpus.values():
            if inst.cost not in cpu.kinds:
                diag.error(inst.cost_loc, "cpu '%s' has no kind '%s'" % (cpu.name, inst.cost), (cpu.loc, "the cpu is here"))
    used = {i.cost for i in isa.insts.values()}
    for cpu in isa.cpus.values():
        for kind in cpu.kinds:
            if kind not in used:
                diag.error(cpu.loc, "kind '%s' of cpu '%s' is no instruction's cost" % (kind, cpu.name))


def check(isa, ir, diag, total):
    convs = {}
    for abi in isa.abis.values():
        check_abi(isa, ir, abi, convs, diag)
    for moves in isa.moves.values():
        check_moves(isa, moves, diag)
    check_costs(isa, diag)
    check_roles(isa, diag)
    if total:
        check_held(isa, ir, diag)
        for role in [r for r in STACK_ROLE_KINDS if r not in isa.roles] if isa.is_stack else []:
            diag.error(isa.loc, "a stack machine needs the role '%s'" % role)
