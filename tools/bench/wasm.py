#!/usr/bin/env python3
"""Measures the code that Vitrail makes for wasm64 against clang's, program by program.

    wasm.py [--quick] [--size-only] [--rounds N] [--vitrail BUILD/vitrail] [NAME...]

The programs are those of tests/programs that have a C version in tools/bench/c: the same algorithm, printing the same.
The C side is `clang-19 --target=wasm64 -O2`, freestanding, linked by `wasm-ld-19` with fields in their shortest form;
text and memory come from imports, as on the other side. Both are proved to print what the kept output holds.

Size: the bytes of the code section, everything in it counted: on Vitrail's side also the entry functions for hosts and
those that raise traps. Time: whole runs in Node, best and median of several rounds in which both sides take turns, each
the fastest of several batches. The ratios are Vitrail's figure by clang's; at the end stands their geometric mean.

Exit status 77, with the reason: something that this needs is not installed.
"""
import argparse
import glob
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = os.path.join(ROOT, "tests", "programs")
RUN = os.path.join(HERE, "wasm_run.mjs")
LOADER = os.path.join(ROOT, "tools", "wasm", "vitrail.mjs")
CLANG, LINKER = "clang-19", "wasm-ld-19"
TABLE, CODE = 4, 10
MAX_RATIO = 1.5  # of the sizes of each program: what Vitrail promises


def output(command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if result.returncode != 0:
        sys.exit("%s failed:\n%s" % (" ".join(command), result.stderr))
    return result.stdout


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def node_command():
    """Node with the options that it needs for 64-bit memory and tail calls: which, it tells itself."""
    node = shutil.which("node")
    if not node:
        skip("Node is not installed")
    known = output([node, "--v8-options"])
    flags = ["--experimental-wasm-" + name for name in ("memory64", "return-call")
             if "--experimental-wasm-" + name in known]
    probe = "new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 4, 1))"
    if subprocess.run([node, *flags, "-e", probe], capture_output=True, check=False).returncode != 0:
        skip("this Node takes no 64-bit memory")
    return [node, *flags]


def uleb(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def sections(data):
    """Kind, the whole section, its contents."""
    at = 8
    while at < len(data):
        size, start = uleb(data, at + 1)
        yield data[at], data[at:start + size], data[start:start + size]
        at = start + size


def code_size(path):
    with open(path, "rb") as file:
        return sum(len(contents) for kind, _, contents in sections(file.read()) if kind == CODE)


def drop_table(path):
    """wasm-ld makes a table with 64-bit indices even where nothing is in it; not every Node takes one."""
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(data[:8] + b"".join(whole for kind, whole, _ in sections(data) if kind != TABLE))


def build_c(folder, name):
    object_file, module = os.path.join(folder, name + ".o"), os.path.join(folder, name + ".c.wasm")
    output([CLANG, "--target=wasm64", "-O2", "-ffreestanding", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-c",
            os.path.join(HERE, "c", name + ".c"), "-o", object_file])
    output([LINKER, "-mwasm64", "--no-entry", "--gc-sections", "--strip-debug", "--compress-relocations",
            "--export=__heap_base", "--initial-memory=16777216", object_file, "-o", module])
    drop_table(module)
    return module


def build_bytecode(options, folder, name):
    module = os.path.join(folder, name + ".wasm")
    output([options.vitrail, "build", "--target", "wasm64", os.path.join(PROGRAMS, name + ".vita"), "-o", module])
    return module


def proved(command, name):
    """The command, which prints what is kept, and a result that is not kept of programs without one."""
    with open(os.path.join(PROGRAMS, name + ".out"), encoding="utf-8") as kept:
        expected = kept.read()
    printed = output(command)
    if printed not in (expected, expected + "0\n"):
        sys.exit("%s does not print what %s.out holds" % (" ".join(command), name))
    return command


def mean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios)))


def measure(node, folder, options, names):
    rows = []
    for name in names:
        modules = {"c": build_c(folder, name), LOADER: build_bytecode(options, folder, name)}
        sizes = [code_size(path) for path in modules.values()]
        times = [[], []]
        if not options.size_only:
            commands = [proved([*node, RUN, kind, path], name) for kind, path in modules.items()]
            for _ in range(0 if options.quick else options.rounds):
                for command, took in zip(commands, times):
                    took.append(float(output([*command, "3", "50000000"])) / 1000)
        rows.append((name, sizes, times))
    return rows


def show(rows, with_times):
    print("%-14s %8s %8s %6s" % ("code, bytes", "clang", "vitrail", "ratio"), end="")
    print("   %10s %10s %6s | %10s %10s %6s" % ("best, us", "", "ratio", "median, us", "", "ratio") * with_times)
    ratios = [[], [], []]
    for name, sizes, times in rows:
        figures = [sizes] + ([[min(t) for t in times], [statistics.median(t) for t in times]] if with_times else [])
        for column, (c, vitrail) in zip(ratios, figures):
            column.append(vitrail / c)
        print("%-14s %8d %8d %6.2f" % (name, *sizes, ratios[0][-1]), end="")
        if with_times:
            print("   %10.1f %10.1f %6.2f | %10.1f %10.1f %6.2f" % (
                *figures[1], ratios[1][-1], *figures[2], ratios[2][-1]), end="")
        print()
    print("%-14s %17s %6.2f" % ("geometric mean", "", mean(ratios[0])), end="")
    if with_times:
        print("   %21s %6.2f | %21s %6.2f" % ("", mean(ratios[1]), "", mean(ratios[2])), end="")
    print()
    return [name for (name, *_), ratio in zip(rows, ratios[0]) if ratio > MAX_RATIO]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the sizes, and that everything runs")
    parser.add_argument("--size-only", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vitrail", default=os.path.join(ROOT, "build", "vitrail"))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    node = node_command()
    for tool in (CLANG, LINKER):
        if not shutil.which(tool):
            skip(tool + " is not installed")
    names = options.names or sorted(os.path.basename(path)[:-2] for path in glob.glob(os.path.join(HERE, "c", "*.c")))
    with tempfile.TemporaryDirectory() as folder:
        large = show(measure(node, folder, options, names), not (options.size_only or options.quick))
    if large:
        sys.exit("more than %.1f times as large as clang's: %s" % (MAX_RATIO, ", ".join(large)))


if __name__ == "__main__":
    main()
