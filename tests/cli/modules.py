#!/usr/bin/env python3
"""`vitrail dis` of WebAssembly modules against wabt's wasm-objdump: at every offset the same instruction at the same depth,
functions and callees by the same names, the same relocations.

    modules.py VITRAIL SOURCE_DIR FOLDER WASM-OBJDUMP WAT2WASM CLANG

Modules: tests/cli/modules/*.wat, those that we build of tests/programs, objects of
tests/file, and those that clang makes of foreign.c. Also
damaged ones: an error that says where, or a listing, never a crash.
"""
import glob
import os
import random
import re
import subprocess
import sys

VITRAIL, SOURCE, FOLDER, OBJDUMP, WAT2WASM, CLANG = sys.argv[1:7]
OURS = re.compile(r"^ *([0-9a-f]+):  ((?:[0-9a-f]{2} )*[0-9a-f]{2}) +?(?:   )*  ( *)(\S.*)$")
THEIRS = re.compile(r"^ ([0-9a-f]{6}): ((?:[0-9a-f]{2} )+) *\| ( *)(\S.*)$")
MORE = re.compile(r"^ ([0-9a-f]{6}): ((?:[0-9a-f]{2} )+) *\| $")
# Types that our own code has no use for.
UNNAMED = {"relocation 14": "R_WASM_MEMORY_ADDR_LEB64"}
failures = []


def fail(text):
    failures.append(text)
    if len(failures) < 20:
        print(text)


def run(command, status=(0,)):
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if done.returncode not in status:
        fail("%s: exit status %d: %s" % (" ".join(command), done.returncode, done.stderr.decode()[:300]))
    return done


def number(text, width):
    return str(int(text, 0) & (1 << width) - 1)


def plain(text):
    """An instruction as both tools' texts are compared."""
    words = text.replace(",", "").split()
    if words[0] in ("i32.const", "i64.const"):
        words[1] = number(words[1], int(words[0][1:3]))
    if words[0] in ("f32.const", "f64.const"):
        if words[1].lstrip("-") not in ("inf", "infinity") and "nan" not in words[1]:
            words[1] = float.fromhex(words[1].replace(".p", "p")).hex()
        words[1] = words[1].replace("infinity", "inf")
    return " ".join(words)


def ours(path, relocs):
    """[(offset, depth, text, callee)], function names, and the relocations when they are wanted."""
    lines, labels, table = [], [], None
    for line in run([VITRAIL, "dis", path]).stdout.decode().splitlines():
        if line.endswith(":") and not OURS.match(line):
            labels.append(re.sub(r"^function \d+:$", "", line)[:-1] if not line.startswith("function ") else "")
            continue
        offset = int(line.split(":")[0], 16)
        rest = line.split(":", 1)[1]
        raw = re.match(r"(?: [0-9a-f]{2})+", rest[1:]).group(0).split()
        shown = rest[2 + max(3 * len(raw), 24) + 1:]
        text, *notes = shown.split("    ; ")
        depth = (len(text) - len(text.lstrip())) // 2
        text = text.strip()
        if text.startswith("locals "):
            lines.append([offset, 0, text, None])
            continue
        if table is not None and table > 0:
            lines[-1][2] += " " + text
            table -= 1
            continue
        found = re.fullmatch(r"br_table (\d+)", text)
        table = int(found.group(1)) + 1 if found else None
        notes = [UNNAMED.get(n.rsplit(" ", 1)[0], n) for n in notes]
        moved = [n for n in notes if n.startswith("R_WASM")]
        callee = next((n for n in notes if not n.startswith("R_WASM")), None)
        lines.append([offset, depth, "br_table" if found else plain(text), callee])
        relocs += [(offset, n) for n in moved]
    return lines, labels


def theirs(path, relocs):
    lines, labels, local = [], [], None
    for line in run([OBJDUMP, "-d", "-r", path]).stdout.decode("utf-8", "replace").replace("\n\">", "\\0a\">").splitlines():
        found = re.match(r"^[0-9a-f]{6} func\[\d+\](?: <(.*)>)?:$", line)
        if found:
            labels.append(found.group(1) or "")
            continue
        found = re.match(r"^ +([0-9a-f]{6}): (R_WASM\w+) (.*)$", line)
        if found:
            relocs.append((lines[-1][0], found.group(2)))
            continue
        found = THEIRS.match(line)
        if not found:
            continue
        offset, depth, text = int(found.group(1), 16), len(found.group(3)) // 2, found.group(4).strip()
        local = re.fullmatch(r"local\[(\d+)(?:\.\.(\d+))?\] type=(\w+)", text)
        if local:
            first, last = int(local.group(1)), int(local.group(2) or local.group(1))
            lines.append([offset, 0, "locals %d %s" % (last - first + 1, local.group(3)), None])
            continue
        callee = re.search(r" <(.*)>\)?$", text)
        text = re.sub(r" <.*>", "", text)
        access = re.fullmatch(r"([if]\d\d)(\.(?:load|store)(\d*)\S*) (\d+) (\d+)", text)
        if access:
            bits = int(access.group(3) or access.group(1)[1:])
            hint = "" if 8 << int(access.group(4)) == bits else ":p2align=" + access.group(4)
            text = "%s%s %s%s" % (access.group(1), access.group(2), access.group(5), hint)
        text = re.sub(r"^call_indirect \d+ \(type (\d+).*$", r"call_indirect \1", text)
        text = re.sub(r"^return_call_indirect (\d+) (\d+)$", r"return_call_indirect \1", text)
        lines.append([offset, depth, plain(text), callee.group(1) if callee and text.startswith("call ") else None])
    return lines, labels


def compare(path):
    """The number of lines that are equal."""
    our_relocs, their_relocs = [], []
    a, names_a = ours(path, our_relocs)
    b, names_b = theirs(path, their_relocs)
    if names_a != names_b:
        fail("%s: functions %r, wasm-objdump says %r" % (path, names_a[:9], names_b[:9]))
    first = next((k for k, (x, y) in enumerate(zip(a, b)) if x[:3] != y[:3] or (y[3] and x[3] != y[3])), None)
    if first is not None:
        fail("%s: %r, wasm-objdump says %r" % (path, a[first], b[first]))
    elif len(a) != len(b):
        fail("%s: %d lines, wasm-objdump has %d" % (path, len(a), len(b)))
    kinds = [(at, note.split()[0]) for at, note in our_relocs]
    if kinds != their_relocs:
        fail("%s: relocations %r, wasm-objdump says %r" % (path, kinds[:5], their_relocs[:5]))
    return len(a), len(kinds)


def damaged(path, rounds, rng):
    with open(path, "rb") as whole:
        text = whole.read()
    errors = 0
    for _ in range(rounds):
        wrong = bytearray(text)
        if rng.randrange(3) == 0:
            wrong = wrong[:rng.randrange(8, len(text))]
        for _ in range(rng.randrange(1, 5)):
            wrong[rng.randrange(8, len(wrong)) if len(wrong) > 8 else 0] = rng.choice([0, 1, 0x7f, 0xff, rng.randrange(256)])
        broken = os.path.join(FOLDER, "broken.wasm")
        with open(broken, "wb") as out:
            out.write(wrong)
        done = run([VITRAIL, "dis", "--target", "wasm64", broken], (0, 1))
        if done.returncode:
            errors += 1
            if b"error: at offset 0x" not in done.stderr and b"error: 'vitrail" not in done.stderr:
                fail("damaged: %r" % done.stderr[:200])
    return errors


def main():
    os.makedirs(FOLDER, exist_ok=True)
    modules = []
    for old in glob.glob(os.path.join(FOLDER, "*")):
        os.remove(old)
    for wat in sorted(glob.glob(os.path.join(SOURCE, "tests", "cli", "modules", "*.wat"))):
        modules.append(os.path.join(FOLDER, os.path.basename(wat)[:-4] + ".wasm"))
        run([WAT2WASM, "--enable-memory64", "--enable-tail-call", "--debug-names", wat, "-o", modules[-1]])
    for text in sorted(glob.glob(os.path.join(SOURCE, "tests", "programs", "*.vita"))):
        modules.append(os.path.join(FOLDER, os.path.basename(text)[:-5] + ".wasm"))
        run([VITRAIL, "build", "--target", "wasm64", "--allow-low", "-o", modules[-1], text])
    for name in ("calls", "address", "edges", "slot_align"):
        modules.append(os.path.join(FOLDER, name + ".o"))
        run([VITRAIL, "build", "--target", "wasm64", "-c", "-o", modules[-1],
             os.path.join(SOURCE, "tests", "file", name + ".clif")])
    for level in "012s":
        modules.append(os.path.join(FOLDER, "foreign%s.o" % level))
        run([CLANG, "--target=wasm64", "-O" + level, "-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext",
             "-ffreestanding", "-c", os.path.join(SOURCE, "tests", "cli", "modules", "foreign.c"), "-o", modules[-1]])
    lines = relocs = 0
    modules = [path for path in modules if os.path.exists(path)]
    for path in modules:
        found = compare(path)
        lines, relocs = lines + found[0], relocs + found[1]
    rng, errors = random.Random(1), 0
    for path in rng.sample(modules, min(len(modules), 6)):
        errors += damaged(path, 40, rng)
    print("%d modules, %d lines and %d relocations alike, %d errors in damaged ones; %d failures"
          % (len(modules), lines, relocs, errors, len(failures)))
    if lines < 20000 or relocs < 80 or errors < 30:
        fail("hardly anything was compared")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
