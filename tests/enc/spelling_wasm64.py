"""WebAssembly: what is only another spelling, and what llvm-mc takes in one direction only.

The assembler wants a whole function's structure, signatures and symbols: constructs, indirect calls and globals are compared
by disassembly. Floats are compared as their bits; llvm-mc loses whether a NaN of 32 bits was signalling, and reads no
payload. The entries of a branch table are instructions of ours, to llvm-mc they belong to the table.
"""
import re
import struct

OPTIONS = ["--triple=wasm64", "-mattr=+bulk-memory,+sign-ext,+tail-call,+nontrapping-fptoint,+multivalue",
           "--no-type-check"]
CASES = 400
MOST_ENTRIES = 12


def uleb(n):
    out = ""
    while n >= 0x80:
        out, n = out + "%02x" % (n & 0x7f | 0x80), n >> 7
    return out + "%02x" % n


def line(name, ours, text):
    if name == "br_entry":  # a table of two
        return name, "0e01" + ours + ours, "br_table {%s, %s}" % (text, text)
    found = re.fullmatch(r"br_table (\d+)", text)
    if not found:
        return name, ours, text
    labels = range(int(found.group(1)) + 1)
    if len(labels) > MOST_ENTRIES:
        return None
    return name, ours + "".join(map(uleb, labels)), "br_table {%s}" % ", ".join(map(str, labels))


def source(text):
    return re.sub(r"^select$", "i32.select", text)


def is_branch(_):
    return False


def disassemble_only(_, __, text):
    op = text.split()[0]
    return op in ("block", "loop", "if", "else", "end", "call_indirect", "return_call_indirect", "global.get",
                  "global.set") or "nan:" in text


def float_bits(width, text):
    """0x1.8p1, -infinity, nan:0x8000000000001 as an integer; a payload of 32 bits as llvm-mc prints it, of 64."""
    sign = text.startswith("-")
    text = text.lstrip("-")
    if not text.startswith("nan"):
        value = float("inf") if text == "infinity" else float.fromhex(text)
        bits, = struct.unpack("<I" if width == 32 else "<Q", struct.pack("<f" if width == 32 else "<d", value))
    else:
        payload = int(text[4:], 16) if ":" in text else 1 << 51
        if width == 32 and payload < 1 << 23:
            payload <<= 29
        if width == 32:
            payload |= 1 << 51
        bits = 0x7ff << 52 | payload
    return "%s%x" % ("-" if sign else "", bits)


def normal(text):
    text = re.sub(r"\s+", " ", text.split("#")[0]).strip()
    found = re.fullmatch(r"f(32|64)\.const (.*)", text)
    if found:
        return "f%s.const %s" % (found.group(1), float_bits(int(found.group(1)), found.group(2)))
    found = re.fullmatch(r"(block|loop|if) (-?\d+)", text)
    if found:  # numbers of types, and value types that are none of ours
        number = int(found.group(2))
        others = {-5: "v128", -16: "funcref", -17: "externref", -23: "exnref", -32: "func"}
        return "%s %s" % (found.group(1), "unknown_type" if number >= 0 else others.get(number, "invalid_type"))
    return re.sub(r"^[if](32|64)\.select$", "select", text)
