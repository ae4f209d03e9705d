"""The classes of a machine's description. Widths are in bits; `loc` is a diag.Loc."""


class Isa:
    """A machine. settings: word -> list of values (`word 64` -> ["64"], `code align 1` -> ["align", "1"]).

    files, regs ([Reg], numbered through), reg_names (name -> (Reg, View or None)), classes, holds ([Hold]), flags
    (name -> Flags), conds, after ([After]), imms, operands (name -> Composite), formats, insts (name -> Inst, with
    the `pseudo` declarations, which have .of), shorts, relaxes, unties, relocs, abis, features, cpus, rules,
    unsupported ([(name, reason, Loc)]), fns, roles (name -> [words]), moves (class name -> Moves).
    Dictionaries by name unless said otherwise.
    """

    def __init__(self, name):
        self.name, self.loc, self.settings = name, None, {}
        self.files, self.regs, self.reg_names, self.classes = {}, [], {}, {}
        self.holds, self.flags, self.conds, self.after = [], {}, {}, []
        self.imms, self.operands, self.formats = {}, {}, {}
        self.insts, self.shorts, self.relaxes, self.unties = {}, {}, {}, []
        self.relocs, self.abis, self.features, self.cpus = {}, {}, {}, {}
        self.rules, self.unsupported = [], []
        self.fns, self.roles, self.moves = {}, {}, {}
        self.inlined = set()  # functions of encode lines
        self.word = 64
        self.patterns = None  # patterns.Patterns, when the checks have passed

    @property
    def is_stack(self):
        """A stack machine: its classes are value types."""
        return self.settings.get("machine") == ["stack"]

    def inst(self, name):
        """The Inst (or pseudo) or Relax of that name, or None."""
        return self.insts.get(name) or self.relaxes.get(name)


class View:
    """Part of a register: bits [hi:lo]. write: what a write does to the rest ("zero", "keep"). names per register."""

    def __init__(self, name, hi, lo, write, names, loc):
        self.name, self.hi, self.lo, self.write, self.names, self.loc = name, hi, lo, write, names, loc

    @property
    def width(self):
        return self.hi - self.lo + 1


class RegFile:
    """regs in hardware order; views by name. A lone `reg` is a file of one. values: the number of a value type of a stack
    machine, which has no registers, or None."""

    def __init__(self, name, width, loc):
        self.name, self.width, self.loc = name, width, loc
        self.regs, self.views, self.values = [], {}, None
        self.index = 0


class Reg:
    """hw: number inside the file; dwarf: number or None; constant: the value a read always gives, or None."""

    def __init__(self, name, file, hw, index, loc):
        self.name, self.file, self.hw, self.index, self.loc = name, file, hw, index, loc
        self.dwarf, self.constant = None, None

    @property
    def width(self):
        return self.file.width

    def __repr__(self):
        return self.name


class RegClass:
    """regs: [Reg] in the order written; codes: the number that encodes each (its hw, or given by `@`, or its place when
    the class is named by places); view: View or None (class v = V.xmm); values: the RegFile of a value type."""

    def __init__(self, name, loc, values=None):
        self.name, self.loc, self.values = name, loc, values
        self.regs, self.codes, self.view = [], [], None
        self.index = 0

    @property
    def file(self):
        return self.regs[0].file if self.regs else self.values

    @property
    def width(self):
        return self.view.width if self.view else self.file.width

    @property
    def code_bits(self):
        """Bits that encode one of its registers: none of a value type."""
        return (max(self.codes).bit_length() or 1) if self.codes else 0


class Hold:
    """`hold i8 i16 in g upper any`: types (names), cls (RegClass), upper: "any", "zero", "sign", "none"."""

    def __init__(self, types, cls, upper, loc):
        self.types, self.cls, self.upper, self.loc = types, cls, upper, loc


class Flags:
    """A flags register: bits = names, lowest first; index in the row of registers is .reg.index."""

    def __init__(self, name, bits, reg, loc):
        self.name, self.bits, self.reg, self.loc = name, bits, reg, loc


class After:
    """`after cmp(a, b) proves`: params; items: [(condition name, Expr, Loc)]."""

    def __init__(self, name, params, items, loc):
        self.name, self.params, self.items, self.loc = name, params, items, loc


class Imm:
    """An immediate kind. fields: [(name, width)]; guard: Expr or None (which field values are legal); value: Expr over
    the fields, with widths; names: how each value of a small field is written, or []; table: {value: least field} of what was
    enumerated, else None."""

    def __init__(self, name, fields, guard, value, names, loc):
        self.name, self.fields, self.guard, self.value, self.names, self.loc = name, fields, guard, value, names, loc
        self.index, self.table = 0, None

    @property
    def width(self):
        return self.value.width

    @property
    def bits(self):
        """Bits of all fields together."""
        return sum(w for _, w in self.fields)


class Opnd:
    """An operand of an instruction, a part of a form, or a parameter of a format.

    role: in, out, early (written before the last read), inout. type:
      reg        cls, view (View or None)            width = the view's
      fixed      reg, cls None, view                 width = the view's
      imm        imm (Imm)                           width = its value's
      composite  comp (Composite)                    width = of its value (an address)
      cond       cond (Cond)                         width = of its encoding
      label      a place in the code                 width = word
      field      a bare number of bits (s: 2)        width
    index: position among the operands.
    """

    def __init__(self, name, role, type_, width, loc):
        self.name, self.role, self.type, self.width, self.loc = name, role, type_, width, loc
        self.cls = self.view = self.reg = self.imm = self.comp = self.cond = None
        self.index = 0

    @property
    def reads(self):
        return self.role in ("in", "inout")

    @property
    def writes(self):
        return self.role in ("out", "early", "inout")

    def __repr__(self):
        return "<%s %s %s>" % (self.name, self.role, self.type)


class AsmPiece:
    """kind: "text" (text), "opnd" (opnd, part = name of a part or None)."""

    def __init__(self, kind, text=None, opnd=None, part=None):
        self.kind, self.text, self.opnd, self.part = kind, text, opnd, part

    def __repr__(self):
        return repr(self.text) if self.kind == "text" else "{%s}" % self.opnd.name


class Asm:
    """One way to write it: text as in the description, pieces ([AsmPiece]), when (Expr or None). The first whose `when`
    holds is printed."""

    def __init__(self, text, pieces, when, loc):
        self.text, self.pieces, self.when, self.loc = text, pieces, when, loc


class Form:
    """A form of a composite operand: params ([Opnd]), value (Expr with widths), asms ([Asm]), encodes
    ([(Expr call, guard Expr or None)], tried in order). most: the greatest displacement that the selector puts in, or
    None: what its kind holds."""

    def __init__(self, name, loc):
        self.name, self.loc = name, loc
        self.params, self.value, self.asms, self.encodes = [], None, [], []
        self.most = None
        self.index = 0


class Composite:
    """`operand NAME -> type`: forms."""

    def __init__(self, name, width, loc):
        self.name, self.width, self.loc = name, width, loc
        self.forms = []
        self.index = 0

    @property
    def max_parts(self):
        return max((len(f.params) for f in self.forms), default=0)


class Field:
    """Of a fixed format, most significant first. kind "field" (name, width), "bits" (value, width), "part" (name, hi,
    lo, width: bits hi..lo of the argument)."""

    def __init__(self, kind, name, width, loc, value=None, hi=None, lo=None):
        self.kind, self.name, self.width, self.loc = kind, name, width, loc
        self.value, self.hi, self.lo = value, hi, lo


class Group:
    """Of a variable-length format, in order. kind "byte", "word" (pieces: [(Expr, width)], most significant first; a
    word is little endian), "uleb", "sleb" (value), "let" (name, value); when: Expr or None."""

    def __init__(self, kind, loc, pieces=(), value=None, name=None, when=None):
        self.kind, self.loc, self.pieces, self.value, self.name, self.when = kind, loc, list(pieces), value, name, when


class Format:
    """fixed: width in bits and fields; otherwise width None and groups. params: names; an argument that is left
    out is 0 (variable formats only)."""

    def __init__(self, name, loc):
        self.name, self.loc = name, loc
        self.width, self.fields, self.groups, self.params = None, [], [], []


class Encode:
    """format: Format; args: name -> Expr with constants folded and functions put in (names: .ref = Binding "opnd").
    parts: for `seq(...)`, the calls of other instructions (format is None then)."""

    def __init__(self, format_, args, parts, loc):
        self.format, self.args, self.parts, self.loc = format_, args, parts, loc


class Inst:
    """An instruction or, with `of`, a pseudo: another reading of instruction of.name(of.args).

    opnds ([Opnd]); asms ([Asm]); encode (Encode or None for pseudos); sem ([Stmt] with widths); select: words of the
    clause ([] = exact width); cost: name or None; requires; clobbers ([Reg]); traps ([build_ir.Trap]);
    decode: False when the decoder leaves it out; dearer: Loc of the mark or None; of: Expr call or None; when: Expr or None.
    reads_flags, writes_flags: names of flags registers that the sem reads (before writing them) and writes.
    loads, stores: whether memory is touched; branches: whether pc is assigned; effects: names of effect functions.
    """

    def __init__(self, name, loc):
        self.name, self.loc = name, loc
        self.opnds, self.asms, self.encode, self.sem = [], [], None, []
        self.select, self.cost, self.requires, self.clobbers, self.traps = [], None, [], [], []
        self.decode, self.of, self.when = True, None, None
        self.cost_loc = self.select_loc = self.dearer = None
        self.reads_flags, self.writes_flags = set(), set()
        self.loads = self.stores = self.branches = False
        self.effects = set()
        self.index = 0

    def opnd(self, name):
        return next((o for o in self.opnds if o.name == name), None)

    @property
    def is_pseudo(self):
        return self.of is not None


class Short:
    """A shorter encoding of instruction of.name, taken when its operands fit its own kinds and `when` holds."""

    def __init__(self, name, loc):
        self.name, self.loc = name, loc
        self.opnds, self.of, self.when, self.asms, self.encode, self.requires = [], None, None, [], None, []


class RelaxRow:
    """low, high: distances from the start of the row to the label, None = any; result: tree.Seq of instructions."""

    def __init__(self, low, high, result, loc):
        self.low, self.high, self.result, self.loc = low, high, result, loc


class Relax:
    """What grows until it reaches its label: opnds, rows (shortest first)."""

    def __init__(self, name, loc):
        self.name, self.loc, self.opnds, self.rows = name, loc, [], []
        self.index = 0


class Spot:
    """A field that a relocation patches: `at` bytes behind its place; imm: Imm whose field it is, or (format, name) of a
    fixed format's field, or bits of a plain word; value: Expr in S, A, P, G, L, H."""

    def __init__(self, imm, field, bits, at, value, loc):
        self.imm, self.field, self.bits, self.at, self.value, self.loc = imm, field, bits, at, value, loc


class Reloc:
    """number: the ELF type; spots: [Spot]. imm: the immediate kind that it fills, or None."""

    def __init__(self, name, number, spots, loc):
        self.name, self.number, self.spots, self.loc = name, number, spots, loc
        self.imm = spots[0].imm
        self.index = 0

    def letters(self):
        """S, A, P, ...: what the formulas name."""
        return {e.name for s in self.spots for e in s.value.walk() if e.k == "name"}


class Abi:
    """rows of words. rows: [[text]]; a range of registers is expanded, an `a/b` pair is "a/b". places: their [Loc]."""

    def __init__(self, name, rows, places, loc):
        self.name, self.rows, self.places, self.loc = name, rows, places, loc

    def get(self, *words):
        """What follows these words in the first row that starts with them, or None."""
        for row in self.rows:
            if tuple(row[:len(words)]) == words:
                return row[len(words):]
        return None


class Moves:
    """name: of a register file or class. copy: Inst; load, store: bytes -> Inst; save, restore, save_bytes: whole
    registers in a prologue, None where load and store do. constant: pushes a constant of a value type. at: first word of
    a row -> Loc."""

    def __init__(self, name, loc):
        self.name, self.loc, self.copy, self.load, self.store = name, loc, None, {}, {}
        self.save = self.restore = self.save_bytes = self.constant = None
        self.at = {}


class Feature:
    """implies: names. baseline: every machine of the kind has it. elf_flags: what it adds to those of an object file."""

    def __init__(self, name, implies, loc):
        self.name, self.implies, self.loc = name, implies, loc
        self.baseline, self.elf_flags = False, 0
        self.index = 0


class Cpu:
    """kinds: cost name -> latency in cycles."""

    def __init__(self, name, loc):
        self.name, self.loc, self.kinds = name, loc, {}
