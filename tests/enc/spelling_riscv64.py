"""RISC-V: what is only another spelling. Both texts are without aliases, so it is white space alone.

Instructions of two bytes are written `c.*`; llvm-mc is told not to choose such a form for the others. A sequence is
written by its parts.
"""
import re

OPTIONS = ["-triple=riscv64", "-mattr=+m,+f,+d,+c,+zba,+zbb,+zbs,+zicond,+zfa", "-M", "no-aliases"]
CASES = 260


def line(name, ours, text):
    return (name, ours, text)


def source(text):
    return text if text.startswith("c.") else ".option norvc\n%s\n.option rvc" % text


def is_branch(_):
    return False


def disassemble_only(*_):
    return False


def normal(text):
    return re.sub(r"\s+", " ", text.split("#")[0]).strip()
