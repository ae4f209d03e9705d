#!/usr/bin/env python3
"""The rules of the house, one function each. Prints every violation; exit status 1 if there is one.

    house.py --source DIR --build DIR [--mdc PROGRAM] RULE...
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = {"md", "gen", "core", "targets", "tools", "tests", "CMakeLists.txt", "README.md", "LICENSE"}

MAX_LINES = 800

# Words that only a machine's own files may use. Registers come from the descriptions.
MACHINES = ["x86_64", "x86", "amd64", "i386", "aarch64", "arm64", "riscv64", "riscv", "wasm64", "wasm32"]


def tracked(source, *patterns):
    names = subprocess.run(["git", "-C", source, "ls-files", "-co", "--exclude-standard", "--", *patterns],
                           check=True, capture_output=True, text=True).stdout.split("\n")
    return [name for name in names if name and os.path.exists(os.path.join(source, name))]


def read(source, name):
    with open(os.path.join(source, name), encoding="utf-8") as text:
        return text.read()


def without_comments(text):
    """C text with comments blanked (strings are kept), line numbers unchanged."""
    def blank(match):
        piece = match.group(0)
        return piece if piece[0] in "\"'" else re.sub(r"[^\n]", " ", piece)
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', blank, text, flags=re.S)


def rule_layout(source, _build, _mdc):
    """The top level is exactly the fixed set, besides dotfiles."""
    for name in sorted({name.split("/")[0] for name in tracked(source)}):
        if name not in TOP and not name.startswith("."):
            yield f"{name}: does not belong at the top level"
    for name in sorted(TOP):
        if not os.path.exists(os.path.join(source, name)):
            yield f"{name}: missing at the top level"


# The folders of core/ in layers: a file includes from its own folder and from lower layers only. verify/ checks
# allocations as well as IR, so it stands above the allocators, and what verifies IR, builder/ and passes/, above it.
LAYERS = [("support",), ("ir", "bytecode"), ("runtime", "select"), ("interp", "regalloc", "emit"),
          ("link", "sim", "stack"), ("verify",), ("builder", "passes"), ("irgen", "compile"), ("jit", "aot"), ("program",)]


def rule_includes(source, _build, _mdc):
    """Includes between the folders of core/ point down the layers, so there is no cycle, and never out of core/."""
    level = {folder: k for k, layer in enumerate(LAYERS) for folder in layer}
    seen = set()
    for name in tracked(source, "core/*.c", "core/*.h"):
        here = name.split("/")[1]
        if here == "include":
            continue
        seen.add(here)
        for number, line in enumerate(read(source, name).split("\n"), 1):
            match = re.match(r'\s*#\s*include\s+["<](?:\.\./)*([a-z_0-9]+)/', line)
            there = match and match.group(1)
            if not match or there in (here, "sys", "sanitizer"):
                continue
            if here not in level or there not in level:
                yield f"{name}:{number}: {there if here in level else here}/ has no place in the layers of core/"
            elif level[there] >= level[here]:
                yield f"{name}:{number}: {here}/ includes from {there}/, which is not below it"
    for folder in sorted(level.keys() - seen):
        yield f"core/{folder}: has a place in the layers and no files"


def register_names(source, mdc):
    """Every register name of the described machines, from the parsed descriptions."""
    files = sorted(glob.glob(os.path.join(source, "md", "*.md")))
    parsed = subprocess.run([mdc, *files], check=True, capture_output=True, text=True).stdout
    names = set()
    for decl in json.loads(parsed):
        for clause in decl.get("clauses", []) if decl["k"] in ("file", "reg") else []:
            for reg in clause.get("regs", []):
                names.update(numbered(reg["lo"], reg["hi"]) if reg["k"] == "range" else [reg["name"]])
    return names


def numbered(low, high):
    """xmm0..xmm15, r8d..r15d"""
    stem, first, rest = re.fullmatch(r"([a-z]+)(\d+)([a-z]*)", low).groups()
    last = re.fullmatch(r"[a-z]+(\d+)[a-z]*", high).group(1)
    return [f"{stem}{n}{rest}" for n in range(int(first), int(last) + 1)]


def rule_machines(source, _build, mdc):
    """core/ names no machine: no register, no machine name."""
    # Two-letter names (sp, al, ...) are words that C code uses for other things; so is zero.
    registers = {name for name in register_names(source, mdc) if len(name) > 2} - {"zero"}
    if len(registers) < 20:
        yield f"only {len(registers)} register names found in md/: this rule sees nothing"
    word = re.compile(r"\b(" + "|".join(sorted(map(re.escape, registers | set(MACHINES)), key=len, reverse=True)) + r")\b")
    for name in tracked(source, "core/*.c", "core/*.h"):
        for number, line in enumerate(without_comments(read(source, name)).split("\n"), 1):
            match = word.search(line)
            if match:
                yield f"{name}:{number}: core/ names a machine: {match.group(1)}"


def rule_format(source, _build, _mdc):
    """Hand-written C is formatted by .clang-format."""
    names = tracked(source, "*.c", "*.h")
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *names], cwd=source, capture_output=True, text=True)
    if result.returncode:
        yield from sorted({line.split(": ")[0].rsplit(":", 1)[0] + ": not formatted"
                           for line in result.stderr.split("\n") if "clang-formatted" in line})


def rule_tidy(source, build, _mdc):
    """The library and the tools pass .clang-tidy's checks."""
    names = tracked(source, "core/*.c", "targets/*.c", ":(glob)tools/*/*.c")
    jobs = [subprocess.Popen(["clang-tidy", "--quiet", "-p", build, *names[k::2]], cwd=source, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True) for k in range(2)]
    for job in jobs:
        output, errors = job.communicate()
        found = sorted({line for line in output.split("\n") if re.search(r": (error|warning): ", line)})
        yield from (os.path.relpath(line, source) if line.startswith(source) else line for line in found)
        if job.returncode and not found:
            yield f"clang-tidy failed: {errors}"


def rule_lines(source, _build, _mdc):
    """Hand-written code stays in files that one can read."""
    for name in tracked(source, "*.c", "*.h", "*.py", "*.re", "*.y"):
        count = read(source, name).count("\n")
        if count > MAX_LINES:
            yield f"{name}: {count} lines, {MAX_LINES} allowed"


def rule_header(source, build, _mdc):
    """Each public header compiles alone as C99, C11 and C++17, without a warning."""
    include = os.path.join(source, "core", "include")
    for header in (os.path.join(include, "vitrail.h"), os.path.join(build, "generated", "vitrail_ir.h")):
        yield from header_alone(header, include)


def header_alone(header, include):
    for compiler, language, standard in (("gcc", "c", "c99"), ("gcc", "c", "c11"), ("g++", "c++", "c++17"),
                                         ("clang", "c", "c99"), ("clang", "c", "c11"), ("clang", "c++", "c++17")):
        with tempfile.NamedTemporaryFile("w", suffix=".c") as unit:
            unit.write(f'#include "{header}"\n')
            unit.flush()
            result = subprocess.run([compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Wconversion",
                                     "-Wshadow", "-pedantic", "-Werror", "-I" + include, "-fsyntax-only", unit.name], capture_output=True, text=True)
        if result.returncode:
            yield f"{os.path.basename(header)} as {standard} with {compiler}:\n{result.stderr}"


def rule_data(_source, build, _mdc):
    """The library holds no writable data."""
    sizes = subprocess.run(["size", "-A", os.path.join(build, "libvitrail.a")], check=True, capture_output=True, text=True)
    unit, seen = "", 0
    for line in sizes.stdout.split("\n"):
        match = re.match(r"(\S+)\s+\(ex ", line)
        if match:
            unit, seen = match.group(1), seen + 1
        match = re.match(r"(\.(?:data|bss|tdata|tbss)\S*)\s+(\d+)", line)
        if match and int(match.group(2)) and not match.group(1).startswith(".data.rel.ro"):
            yield f"{unit}: {match.group(2)} bytes of {match.group(1)}"
    if not seen:
        yield "no object files seen in libvitrail.a"


def rule_symbols(_source, build, _mdc):
    """Only vtr_ symbols leave the shared library."""
    table = subprocess.run(["nm", "-D", "--defined-only", os.path.join(build, "libvitrail.so")],
                           check=True, capture_output=True, text=True).stdout
    names = [line.split()[-1] for line in table.split("\n") if line]
    if not any(name.startswith("vtr_") for name in names):
        yield "no vtr_ symbol is exported at all"
    for name in names:
        if not name.startswith("vtr_"):
            yield f"exported: {name}"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--source", required=True)
    options.add_argument("--build", required=True)
    options.add_argument("--mdc", help="the description compiler; for the rule `machines`")
    options.add_argument("rules", nargs="+")
    chosen = options.parse_args()
    failed = 0
    for rule in chosen.rules:
        for violation in globals()["rule_" + rule](chosen.source, chosen.build, chosen.mdc):
            print(f"{rule}: {violation}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
