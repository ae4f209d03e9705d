"""x86-64 in AT&T syntax: what is only another spelling.

  * white space, and comments that llvm-mc adds;
  * an immediate of an 8-, 16- or 32-bit operation may be written signed or unsigned: -1 and 255 are the same byte. The
    last letter of the mnemonic gives the width, in UNSIGNED those whose immediate is a plain unsigned field;
  * a displacement of 0 may be left out.
A branch names its distance from the end of the instruction. llvm-mc reads a number there as an address, so for
assembling it becomes `.+distance+size`; and it always takes the short branch where that reaches, so a long branch over
a short distance is checked by disassembly only.
A pseudo that asks for a relocation writes that behind the number (`12@GOTPCREL(%rip)`), which llvm-mc takes behind a
symbol only: the bytes are those of the number alone, and that is what is compared (RELOCATION).
"""
import re

OPTIONS = ["-triple=x86_64"]
CASES = 100
WIDTH = {"b": 8, "w": 16, "l": 32}
UNSIGNED = {"retq": 16}
RELOCATION = re.compile(r"(?<=\d)@[A-Z]+")
BRANCH = re.compile(r"(j[a-z]+|callq) (-?\d+)\Z")


def line(name, ours, text):
    return (name, ours, RELOCATION.sub("", text))


def source(text):
    return text


def is_branch(text):
    return BRANCH.match(text) is not None


def branch(text, size):
    mnemonic, distance = BRANCH.match(text).groups()
    return "%s .%+d" % (mnemonic, int(distance) + size)


def disassemble_only(_, ours, text):
    return (is_branch(text) and len(ours) > 4 and not text.startswith("callq")
            and -128 <= int(text.split()[1]) + len(ours) // 2 - 2 <= 127)


def normal(text):
    """One spelling of an instruction's text."""
    text = re.sub(r"\s+", " ", text.split("#")[0]).strip()
    mnemonic, _, rest = text.partition(" ")
    rest = re.sub(r"(^|,\s*)0\(", r"\1(", rest)
    width = UNSIGNED.get(mnemonic) or WIDTH.get(mnemonic[-1])
    if width:
        rest = re.sub(r"\$(-?\d+)", lambda m: "$%d" % (int(m.group(1)) % (1 << width)), rest)
    return ("%s %s" % (mnemonic, rest)).strip()
