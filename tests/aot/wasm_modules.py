#!/usr/bin/env python3
"""Complete WebAssembly modules: two engines' validators, what hosts see of them, options, the same bytes every time.

    wasm_modules.py VITRAIL FOLDER [--node COMMAND] [--validator COMMAND] PATH...

Every file (.clif, .vita) becomes a module at both levels; what the target refuses by name counts as refused. Exit
status 77, with the reason: a tool is not installed.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SKIP = 77
MOST_REFUSED = 2  # files
# stack, largest memory
PROGRAM = str(HERE.parent / "programs" / "sieve.vita")
TEXT = str(HERE / "wasm_modules.clif")
NAMES = str(HERE / "wasm_names.clif")
NAMED = ["--import", "told=host.say.it", "--import", "doubled=math.double", "--start", "begin"]
# What is refused: input, options, exit status, error.
REFUSED = [
    (PROGRAM, ["-c"], 1, "a module of bytecode becomes a complete module only"),
    (PROGRAM, ["--exe"], 2, "--exe is not for wasm64, whose modules are complete"),
    (TEXT, ["--max-memory", "65536"], 1, "stack and data do not fit into the memory"),
    (TEXT, ["--stack-size", str((1 << 64) - 1)], 1, "stack and data do not fit into the memory"),
    (TEXT, ["--stack-size", "many"], 2, "--stack-size takes a number of bytes, not 'many'"),
    (NAMES, ["--start", "nothing"], 1, "there is no function 'nothing' to start with"),
    (NAMES, ["--start", "told"], 1, "there is no function 'told' to start with"),
    (NAMES, ["--start", "from_env"], 1, "'from_env' has parameters or results, so it cannot start a module"),
    (PROGRAM, ["--start", "main"], 1, "there is no function 'main' to start with"),
    (NAMES, ["--import", "told=host"], 2, "--import takes NAME=MODULE.FIELD, not 'told=host'"),
    (NAMES, ["--import", "=host.say"], 2, "--import takes NAME=MODULE.FIELD, not '=host.say'"),
    (str(HERE / "wasm_link.clif"), [], 1, "%counter is data that nothing defines; it takes an object and a linker"),
]
LAYOUTS = [(0, 0), (65536 * 3 + 8, 1 << 24), (1 << 22, 0)]


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def check_refusals(options):
    for source, more, status, text in REFUSED:
        out = os.path.join(options.folder, "refused.wasm")
        told = run([options.vitrail, "build", source, "--target", "wasm64", *more, "-o", out])
        if told.returncode != status or text not in told.stderr or os.path.exists(out):
            yield "%s %s: status %d: %s" % (source, more, told.returncode, told.stderr)


class Builder:
    def __init__(self, options):
        self.options = options
        self.made, self.refused, self.failures = [], set(), []

    def build(self, source, name, level, *more):
        out = os.path.join(self.options.folder, "%s.%s.wasm" % (name, level))
        command = [self.options.vitrail, "build", source, "--target", "wasm64", "--allow-low", "--check", "-O", level, *more]
        told = run([*command, "-o", out])
        if told.returncode == 1 and re.search(r"unsupported: ", told.stderr):
            self.refused.add(source)
            return None
        again = run([*command, "-o", out + ".again"])
        if told.returncode or again.returncode:
            self.failures.append("%s -O %s: %s" % (source, level, told.stderr + again.stderr))
            return None
        if pathlib.Path(out).read_bytes() != pathlib.Path(out + ".again").read_bytes():
            self.failures.append("%s: two modules differ" % out)
        os.unlink(out + ".again")
        self.made.append(out)
        return out


def main():
    parser = argparse.ArgumentParser()
    for name in ("vitrail", "folder"):
        parser.add_argument(name)
    parser.add_argument("--node", default="node")
    parser.add_argument("--validator", default="wasm-validate")
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    missing = [tool for tool in (options.node, options.validator) if not shutil.which(tool)]
    builder = Builder(options)
    laid_out, named = [], []
    for level in ("none", "speed"):
        for path in options.paths:
            builder.build(path, os.path.basename(path), level)
        for number, (stack, memory) in enumerate(LAYOUTS):
            more = (["--stack-size", str(stack)] if stack else []) + (["--max-memory", str(memory)] if memory else [])
            file = builder.build(TEXT, "layout%d" % number, level, *more)
            laid_out.append((file, str(stack), str(memory)))
        named.append(builder.build(NAMES, "names", level, *NAMED))
    builder.failures += check_refusals(options)
    if len(builder.refused) > MOST_REFUSED:
        builder.failures.append("too many files are refused: %s" % ", ".join(sorted(builder.refused)))
    script = str(HERE / "wasm_modules.mjs")
    commands = [[options.validator, "--enable-memory64", "--enable-tail-call", file] for file in builder.made]
    commands += [[options.node, script, "validate", *builder.made]]
    commands += [[options.node, script, "run", *layout] for layout in laid_out if layout[0]]
    commands += [[options.node, script, "names", file] for file in named if file]
    for command in commands:
        if command[0] in missing:
            continue
        told = run(command)
        if told.returncode:
            builder.failures.append("%s\n%s%s" % (" ".join(command), told.stdout, told.stderr))
    print("\n".join(builder.failures))
    print("%d modules, %d files refused" % (len(builder.made), len(builder.refused)))
    if missing:
        print("not installed: " + ", ".join(missing))
    return 1 if builder.failures else SKIP if missing else 0


if __name__ == "__main__":
    sys.exit(main())
