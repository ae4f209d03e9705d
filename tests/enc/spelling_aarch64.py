"""AArch64: what is only another spelling.

  * white space; `#` before numbers; numbers in hexadecimal, and modulo the width of the first register;
  * the manual's aliases (`cmp` is `subs` into the zero register, `lsl #3` a bit field, ...): both texts become the
    instruction that the alias stands for, with all its operands;
  * `#1, lsl #12` is `#4096`; `ldur` is a load whose offset is not scaled, which the offset tells;
  * `tbz w1, #3` is `tbz x1, #3`, as the manual has it below bit 32;
  * an offset of 0 may be left out;
  * `uxtx` beside the stack pointer may be left out.
What asks for the low bits of an address (`:lo12:`) has a number here; llvm-mc takes that as the plain immediate.
llvm-mc has two encodings for few constants (movz, movn, orr: DOUBLE) and takes the first: the others are checked by
disassembly only.
"""
import re

OPTIONS = ["-triple=aarch64", "-mattr=+v8a"]
CASES = 220
RELOCATION = re.compile(r":[a-z_0-9]+:")
INVERT = dict(zip("eq ne hs lo mi pl vs vc hi ls ge lt gt le".split(), "ne eq lo hs pl mi vc vs ls hi lt ge le gt".split()))
LABELS = re.compile(r"((?:b|bl|b\.[a-z]+|cbn?z|tbn?z|adrp?|ldr)\b.*?)(-?\d+)\Z")


def line(name, ours, text):
    return (name, ours, RELOCATION.sub("", text))


def source(text):
    m = LABELS.match(text)
    return "%s#%s" % m.groups() if m and "[" not in text and "#" not in text[m.start(2) - 1:] else text


def is_branch(_):
    return False


def disassemble_only(name, _, text):
    """One constant, several encodings."""
    if not text.startswith("mov ") or "#" not in text:
        return False
    wide = text.split()[1][0] != "w" and text.split()[1] != "wsp,"
    bits = 64 if wide else 32
    value = int(text.split("#")[1]) % (1 << bits)

    def halves(x):
        return sum(x >> k & 0xffff != 0 for k in range(0, bits, 16))
    movz, movn = halves(value) <= 1, halves(value ^ (1 << bits) - 1) <= 1
    return name.startswith("movn") and movz or name.startswith("movl") and (movz or movn)


def zero(reg):
    return "wzr" if reg[0] == "w" else "xzr"


def bits_of(reg):
    return 32 if reg[0] == "w" else 64


def bitfield(op, d, n, r, s):
    return "%s %s" % (op, ", ".join([d, n, str(r), str(s)]))


def split(rest):
    """Operands: at commas outside of brackets."""
    return [x.strip() for x in re.findall(r"(?:\[[^]]*\]|[^,\[])+", rest)]


def normal(text):
    """One spelling of an instruction's text."""
    text = re.sub(r"\s+", " ", text.split("//")[0]).strip().replace("#", "").replace(", 0]", "]")
    op, _, rest = text.partition(" ")
    a = split(rest)
    width = bits_of(a[0]) if a and a[0] and op not in ("tbz", "tbnz") else 64
    a = [number(x, width) for x in a]
    if len(a) > 2 and a[-1].startswith("lsl ") and re.fullmatch(r"\d+", a[-2]) and not op.startswith("mov"):
        a[-2:] = [str(int(a[-2]) << int(a[-1][4:]))]
    op, a = base(op, a)
    return ("%s %s" % (op, ", ".join(a))).strip()


def number(x, width):
    if re.fullmatch(r"-?(0x[0-9a-f]+|\d+)", x):
        return str(int(x, 0) % (1 << width))
    return re.sub(r"-?\b(0x[0-9a-f]+|\d+)\b(?!\.\d)", lambda m: str(int(m.group(), 0)), x) if "." not in x else x


EXTENDS = {"uxtb": ("ubfm", 7), "uxth": ("ubfm", 15), "sxtb": ("sbfm", 7), "sxth": ("sbfm", 15), "sxtw": ("sbfm", 31)}
TO_ZERO = {"cmp": "subs", "cmn": "adds", "tst": "ands"}
FROM_ZERO = {"neg": "sub", "negs": "subs", "ngc": "sbc", "ngcs": "sbcs", "mvn": "orn"}
LONG = {"smull": "smaddl", "umull": "umaddl", "smnegl": "smsubl", "umnegl": "umsubl"}


def base(op, a):
    """The instruction that an alias stands for."""
    if re.match(r"(ld|st)ur", op):
        op = op.replace("ur", "r", 1)
    if op in ("tbz", "tbnz"):
        a[0] = a[0].replace("w", "x")
    if op in ("mov", "mvn", "neg") and "." in a[0]:
        return ("orr", [a[0], a[1], a[1]]) if op == "mov" else (op, a)
    if op in TO_ZERO:
        op, a = TO_ZERO[op], [zero(a[0])] + a
    elif op in FROM_ZERO:
        op, a = FROM_ZERO[op], [a[0], zero(a[0])] + a[1:]
    elif op == "mov" and re.match(r"[wx]", a[1]) and "sp" not in a[0] + a[1]:
        op, a = "orr", [a[0], zero(a[0]), a[1]]
    elif op == "mov" and "sp" in a[0] + a[1] and not a[1].isdigit():
        op, a = "add", [a[0], a[1], "0"]
    elif op == "orr" and len(a) == 3 and a[1] in ("wzr", "xzr") and a[2].isdigit():
        op, a = "mov", [a[0], a[2]]
    elif op in ("movz", "movn"):
        value = int(a[1]) << (int(a[2][4:]) if len(a) > 2 else 0)
        op, a = "mov", [a[0], str((~value if op == "movn" else value) % (1 << bits_of(a[0])))]
    elif op in ("mul", "mneg"):
        op, a = {"mul": "madd", "mneg": "msub"}[op], a + [zero(a[0])]
    elif op in LONG:
        op, a = LONG[op], a + ["xzr"]
    elif op in ("cset", "csetm"):
        op, a = {"cset": "csinc", "csetm": "csinv"}[op], [a[0], zero(a[0]), zero(a[0]), INVERT[a[1]]]
    elif op in ("cinc", "cinv", "cneg"):
        op, a = {"cinc": "csinc", "cinv": "csinv", "cneg": "csneg"}[op], [a[0], a[1], a[1], INVERT[a[2]]]
    return fields(op, a)


def fields(op, a):
    """Bit fields, and `uxtx` beside the stack pointer."""
    w = bits_of(a[0]) if a and a[0] else 64
    constant = len(a) > 2 and a[2].isdigit()
    if op in ("lsl", "lsr", "asr", "ror") and constant:
        k = int(a[2])
        if op == "ror":
            return "extr", [a[0], a[1], a[1], str(k)]
        low, high = (-k % w, w - 1 - k) if op == "lsl" else (k, w - 1)
        return ("sbfm" if op == "asr" else "ubfm"), [a[0], a[1], str(low), str(high)]
    if op in EXTENDS and len(a) == 2:
        name, top = EXTENDS[op]
        return name, [a[0], a[0][0] + a[1][1:], "0", str(top)]
    if op in ("ubfx", "sbfx", "bfxil"):
        lsb, width = int(a[2]), int(a[3])
        return {"ubfx": "ubfm", "sbfx": "sbfm", "bfxil": "bfm"}[op], [a[0], a[1], str(lsb), str(lsb + width - 1)]
    if op in ("ubfiz", "sbfiz", "bfi", "bfc"):
        if op == "bfc":
            a = [a[0], zero(a[0])] + a[1:]
        lsb, width = int(a[2]), int(a[3])
        return {"ubfiz": "ubfm", "sbfiz": "sbfm"}.get(op, "bfm"), [a[0], a[1], str(-lsb % w), str(width - 1)]
    if len(a) == 4 and a[3] == "uxtx":
        a = a[:3]
    return op, a
