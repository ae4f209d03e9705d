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

MAX_FUNCTION = 65

MACHINES = {"x86", "x64", "amd64", "i386", "aarch64", "arm64", "riscv", "riscv64", "wasm32", "wasm64"}
# Names of instructions that are also words of C, of the IR's and the bytecode's own vocabulary, or just words.
WORDS = set("add and block call cls cmp drop else end fcvt if lea loop max min not or rem return rev set sll slt str tail "
            "test unreachable".split())
# What core/ may ask its compiler about.
CONDITIONS = {"defined", "endif", "NULL", "VTR_CHECKING", "VTR_NO_ZSTD", "__SANITIZE_ADDRESS__", "__has_feature",
              "address_sanitizer", "HAS_ASAN", "__BYTE_ORDER__", "__ORDER_BIG_ENDIAN__", "__cplusplus", "__GNUC__", "__clang__"}


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


def machine_words(source, build):
    """Registers, mnemonics and relocations of the described machines, from what was generated: word -> what it is."""
    words = {name: "a machine" for name in MACHINES}
    for path in sorted(glob.glob(os.path.join(build, "generated", "*_print.c"))):
        isa = os.path.basename(path)[:-len("_print.c")]
        if isa == "template": # no machine
            continue
        text = read(source, path)
        names = {"a register": [name for row in re.findall(r"names_\d+\[\] = \{([^}]*)\}", text)
                                for name in re.findall(r'"([^"]+)"', row)],
                 "an instruction": re.findall(r'pieces_\d+\[\] = \{\{"([a-z][a-z0-9]*)[ "]', text),
                 "a relocation": re.findall(r'"(R_\w+)"', read(source, path.replace("_print.c", "_target.c")))}
        for kind, found in names.items():
            if not found and (kind, isa) != ("a register", "wasm64"):
                yield f"{isa}: the names of {kind[2:]}s are not where this rule looks for them", None
            # Two letters (sp, al, ...) are words that C code uses for other things; so is zero.
            words.update({name.lower(): f"{kind} of {isa}" for name in found if len(name) > 2 and name != "zero"})
    own = re.findall(r"^op (\w+)", read(source, "md/ir.md"), re.M)
    own += re.findall(r"X\(\w+, (\w+),", read(source, "core/bytecode/ops.h"))
    for name in [name.lower() for name in own] + sorted(WORDS):
        words.pop(name, None)
    yield None, words


def rule_machines(source, build, _mdc):
    """core/ names no machine: none itself, nor a register, instruction or relocation of one; and it is the same C for
    every host. The tools may name machines in what they print."""
    words = {}
    for wrong, found in machine_words(source, build):
        if wrong:
            yield wrong
        else:
            words = found
    for name in tracked(source, "core/*.c", "core/*.h", "tools/vitrail/*.[ch]", "tools/runtime/*.[ch]"):
        text = without_comments(read(source, name))
        if name.startswith("tools/"):
            text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
        guard = set(re.findall(r"VTR_\w+_H\b", text))
        for number, line in enumerate(text.split("\n"), 1):
            for word in re.findall(r"\b[A-Za-z_]\w*", line):
                for part in {word.lower(), *re.split(r"_+", word.lower())} & words.keys():
                    yield f"{name}:{number}: {word} names {words[part]}"
            asked = re.match(r"\s*#\s*(?:el)?if(?:n?def)?\b(.*)", line) if re.match("core/(?!include)", name) else None
            for word in set(re.findall(r"\b[A-Za-z_]\w*", asked.group(1)) if asked else ()) - CONDITIONS - guard:
                yield f"{name}:{number}: the code depends on {word}"


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


def functions(text):
    """The functions of formatted C text: line number, name, number of lines."""
    start = None
    for number, line in enumerate(text.split("\n"), 1):
        opened = re.match(r"(?!typedef|struct|enum|union|extern|#|//)(?=\w).*?(\w+)\(", line)
        if opened:
            start = number, opened.group(1)
        elif line == "}" and start:
            yield *start, number - start[0] + 1
            start = None


def rule_lines(source, _build, _mdc):
    """Hand-written code stays in files and functions that one can read: about 800 and 60 lines."""
    for name in tracked(source, "*.c", "*.h", "*.py", "*.re", "*.y", "*.mjs"):
        text = read(source, name)
        if text.count("\n") > MAX_LINES:
            yield f"{name}: {text.count(chr(10))} lines, {MAX_LINES} allowed"
        for number, function, count in functions(text) if re.match(r"(core|targets|tools)/.*\.[ch]$", name) else ():
            if count > MAX_FUNCTION:
                yield f"{name}:{number}: {function}() has {count} lines, {MAX_FUNCTION} allowed"


def rule_mentions(source, build, _mdc):
    """Functions and files that comments and README.md name exist."""
    everything = set(tracked(source))
    generated = {path: read(source, path) for path in glob.glob(os.path.join(build, "generated", "*.[ch]"))}
    files = {os.path.basename(name) for name in [*everything, *generated]}
    texts = {name: read(source, name) for name in sorted(everything) if name.endswith((".c", ".h", ".py", ".mjs", ".S"))}
    known = set()
    for name, text in [*texts.items(), *generated.items()]:
        known.update(re.findall(r"\w+", without_comments(text) if name.endswith((".c", ".h")) else text))
    for name, text in texts.items():
        if not name.endswith((".c", ".h")) or not name.startswith(("core/", "targets/", "tools/")):
            continue
        code = without_comments(text).split("\n")
        for number, line in enumerate(text.split("\n"), 1):
            comment = line if len(code[number - 1].strip()) == 0 else line[len(code[number - 1].rstrip()):]
            for function in set(re.findall(r"\b([a-z]\w+)\(\)", comment)) - known:
                yield f"{name}:{number}: there is no {function}()"
            for path in re.findall(r"(?<![\w<>*/])([a-z][\w/]*\.(?:c|h|py|mjs))\b", comment):
                missing = os.path.basename(path) not in files or \
                    ("/" in path and not any(f.endswith(path) for f in everything))
                if missing and path.islower():
                    yield f"{name}:{number}: there is no {path}"
    for number, line in enumerate(read(source, "README.md").split("\n"), 1):
        for path in re.findall(r"[`(](?!build/)((?:core|gen|md|targets|tests|tools)/[\w/.-]*)[`)]", line):
            if not os.path.exists(os.path.join(source, path)):
                yield f"README.md:{number}: there is no {path}"
    for folder in sorted({"/".join(name.split("/")[:2]) for name in everything if name.startswith("core/")}):
        if f"`{folder}`" not in read(source, "README.md") and folder != "core/include":
            yield f"README.md: does not say where {folder} belongs"


def rule_externs(source, build, _mdc):
    """What a file of the library gives to others, another file of the tree uses: the rest is static, or dead."""
    defined, used = {}, {}
    objects = glob.glob(os.path.join(build, "**", "*.dir", "**", "*.o"), recursive=True)
    library = re.compile(r".*/vitrail_(?:objects|bytecode)\.dir/")
    table = subprocess.run(["nm", "-A", "-p", *objects], check=True, capture_output=True, text=True).stdout
    for path, kind, symbol in re.findall(r"^([^:\n]+):.* ([A-Z]) (\w+)$", table, re.M):
        if kind == "U":
            used.setdefault(symbol, set()).add(library.sub("", path)[:-len(".o")])
        elif library.match(path) and library.sub("", path).startswith("core/"):
            defined[symbol] = library.sub("", path)[:-len(".o")]
    main = "tools/runtime/main.c" # compiled by tools/runtime/build, with the runtime's files: their archive hides names
    for symbol in re.findall(r"\w+", without_comments(read(source, main))):
        used.setdefault(symbol, set()).add(main)
    if len(defined) < 100:
        yield f"only {len(defined)} names found: this rule does not see the library"
    for name, path in sorted(defined.items()):
        if name.startswith("vtr_") or used.get(name, set()) - {path} or not os.path.exists(os.path.join(source, path)):
            continue
        if f'"{name}"' not in read(source, path): # or compiled code calls it, by its name
            yield f"{path}: nothing else uses {name}"


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
    """Only vtr_ symbols leave the libraries."""
    for library, which in (("libvitrail.so", "-D"), ("libvitrail.a", "-g")):
        table = subprocess.run(["nm", which, "--defined-only", os.path.join(build, library)],
                               check=True, capture_output=True, text=True).stdout
        names = re.findall(r" [A-Z] (\S+)$", table, re.M)
        if not any(name.startswith("vtr_") for name in names):
            yield f"no vtr_ symbol leaves {library}"
        for name in names:
            if not name.startswith("vtr_"):
                yield f"{library} exports {name}"


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
