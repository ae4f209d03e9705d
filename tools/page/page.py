#!/usr/bin/env python3
"""Writes the example page: one HTML file that holds modules compiled by `vitrail build --target wasm64`, and their loader.

    page.py -o PAGE.html --vitrail build/vitrail [-O LEVEL]

The file needs no server: a browser that takes WebAssembly with 64-bit memory shows it from the disk. test.py opens it.
"""
import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tools", "wasm"))
import join  # noqa: E402

PICTURE = os.path.join(HERE, "picture.vita")
PROGRAMS = [
    ("mandelbrot", "The same set as text, and as the packed bits of a portable bitmap."),
    ("sieve", "Primes by sieve, over an array of the heap; then totients."),
    ("nbody", "Planets attracting each other for 1000 steps: the energy before and after."),
    ("sha256", "Digests of four messages."),
    ("binary_trees", "Trees of objects that the collector takes back."),
    ("checked_trap", "Checked arithmetic that overflows, calls deep: the trap's report, with the lines of the source."),
]


def run(command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if result.returncode != 0:
        sys.exit("%s failed:\n%s" % (" ".join(command), result.stderr))


def entry(vitrail, level, folder, source, about=""):
    """A module of the page: its name, the size of its bytecode, and the compiled module in base64."""
    name = os.path.basename(source)[:-len(".vita")]
    bytecode, module = (os.path.join(folder, name + suffix) for suffix in (".vitbc", ".wasm"))
    run([vitrail, "asm", source, "-o", bytecode])
    run([vitrail, "build", "--target", "wasm64", "-O", level, bytecode, "-o", module])
    with open(module, "rb") as file:
        wasm = base64.b64encode(file.read()).decode()
    return {"name": name, "about": about, "bytecode": os.path.getsize(bytecode), "wasm": wasm}


def modules(vitrail, level):
    """What the page shows, compiled."""
    programs = os.path.join(ROOT, "tests", "programs")
    with tempfile.TemporaryDirectory() as folder:
        return {
            "picture": entry(vitrail, level, folder, PICTURE),
            "programs": [entry(vitrail, level, folder, os.path.join(programs, name + ".vita"), about)
                         for name, about in PROGRAMS],
        }


def write(path, content):
    """The page of these modules."""
    with open(os.path.join(HERE, "template.html"), encoding="utf-8") as file:
        template = file.read()
    loader = join.joined()
    data = json.dumps(content).replace("<", "\\u003c")
    if "</script" in loader:
        sys.exit("the loader's text would end the script in which it stands")
    with open(path, "w", encoding="utf-8") as file:
        file.write(template.replace("@LOADER@", loader).replace("@MODULES@", data))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", dest="output", required=True)
    parser.add_argument("--vitrail", default=os.path.join(ROOT, "build", "vitrail"))
    parser.add_argument("-O", dest="level", choices=["none", "speed"], default="speed")
    options = parser.parse_args()
    write(options.output, modules(options.vitrail, options.level))


if __name__ == "__main__":
    main()
