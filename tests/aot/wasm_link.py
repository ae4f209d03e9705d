#!/usr/bin/env python3
"""Objects for WebAssembly, linked with those of a C compiler: calls in both directions, data, frames, function pointers,
and the places of traps.

    wasm_link.py VITRAIL FOLDER [--cc COMMAND] [--ld COMMAND] [--node COMMAND]

The linker gives function tables indices of 64 bits. Modules with one run in Node if it knows these, else in a browser;
exit status 77, with the reason: there is neither, all else was right.
"""
import argparse
import base64
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "page"))
import webdriver  # pylint: disable=wrong-import-position

SKIP = 77
USER7 = 7
IN_BROWSER = """
const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
try {
    return { check: new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.check() };
} catch (e) {
    return { error: String(e) };
}
"""
# A module with a table whose indices have 64 bits.
WIDE = "WebAssembly.validate(new Uint8Array([0,97,115,109,1,0,0,0,4,4,1,112,4,0]))"


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def must(command):
    done = run(command)
    if done.returncode:
        raise RuntimeError("%s:\n%s%s" % (" ".join(command), done.stdout, done.stderr))
    return done.stdout


def link(options, name, level):
    """The path of the linked module."""
    base = os.path.join(options.folder, "%s.%s" % (name, level))
    source = str(HERE / ("wasm_%s.clif" % name))
    build = [options.vitrail, "build", "-c", "--check", "--target", "wasm64", "-O", level, source, "-o"]
    must(build + [base + ".o"])
    must(build + [base + ".again.o"])
    if pathlib.Path(base + ".o").read_bytes() != pathlib.Path(base + ".again.o").read_bytes():
        raise RuntimeError("two objects of the same text differ")
    must([*options.cc.split(), "--target=wasm64", "-O2", "-Wall", "-Werror", "-c", str(HERE / ("wasm_%s.c" % name)),
          "-o", base + ".c.o"])
    must([*options.ld.split(), "-mwasm64", "--stack-first", "--no-entry", "--fatal-warnings", "--export=check",
          "--export-if-defined=trap", base + ".o", base + ".c.o", "-o", base + ".wasm"])
    return base + ".wasm"


def leb(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def traps(data):
    """Trap codes by the places of instructions in the file, from section vitrail_traps."""
    at, code, rows = 8, None, b""
    while at < len(data):
        kind = data[at]
        size, at = leb(data, at + 1)
        contents = data[at:at + size]
        if kind == 10:
            code = at
        if kind == 0:
            length, start = leb(contents, 0)
            if contents[start:start + length] == b"vitrail_traps":
                rows = contents[start + length:]
        at += size
    return {code + place: trap for place, trap in struct.iter_unpack("<II", rows)}


def check_traps(path, told):
    if told.get("trap") != "unreachable":
        yield "%s: trap() gives %r" % (path, told)
    data = pathlib.Path(path).read_bytes()
    rows = traps(data)
    if rows.get(told.get("at")) != USER7:
        yield "%s: the trap is at %r, the rows are %r" % (path, told.get("at"), rows)
    if any(trap == USER7 and data[place] for place, trap in rows.items()):
        yield "%s: a row leads to no `unreachable`: %r" % (path, rows)


def in_browser(paths):
    with webdriver.Browser() as browser:
        browser.open("data:text/html,<p>")
        return [browser.script(IN_BROWSER, base64.b64encode(pathlib.Path(p).read_bytes()).decode()) for p in paths]


def in_node(options, paths):
    return [json.loads(line) for line in must([options.node, str(HERE / "wasm_run.mjs"), *paths]).splitlines()]


def main():
    parser = argparse.ArgumentParser()
    for name in ("vitrail", "folder"):
        parser.add_argument(name)
    parser.add_argument("--cc", default="clang-19")
    parser.add_argument("--ld", default="wasm-ld-19")
    parser.add_argument("--node", default="node")
    options = parser.parse_args()
    for tool in (options.cc.split()[0], options.ld.split()[0], options.node):
        if not shutil.which(tool):
            print("%s is not installed" % tool)
            return SKIP
    os.makedirs(options.folder, exist_ok=True)
    failures = []
    modules = {name: [link(options, name, level) for level in ("none", "speed")] for name in ("link", "pointers")}
    results = in_node(options, modules["link"])
    for path, told in zip(modules["link"], results):
        failures += check_traps(path, told)
    missing = None
    if must([options.node, "-p", WIDE]).strip() == "true":
        results += in_node(options, modules["pointers"])
    else:
        missing = webdriver.missing()
        results += [] if missing else in_browser(modules["pointers"])
    for path, told in zip(modules["link"] + modules["pointers"], results):
        if told.get("check") != 0:
            failures.append("%s: check() gives %r" % (path, told))
    print("\n".join(failures or ["%d modules are right" % len(results)]))
    if missing:
        print("not run, as this Node has no function tables with indices of 64 bits and %s: function pointers" % missing)
    return 1 if failures else SKIP if missing else 0


if __name__ == "__main__":
    sys.exit(main())
