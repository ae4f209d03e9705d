#!/usr/bin/env python3
"""The test vectors of the bytecode format: the same bytes both ways, and the results and traps in every engine.

    run.py VITRAIL
"""
import os
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ENGINES = [["--interpret"], ["-O", "none", "--check"], ["-O", "speed", "--check"], ["--interpret", "--gc-stress"],
           ["-O", "none", "--check", "--gc-stress"], ["-O", "speed", "--check", "--gc-stress"],
           ["-O", "none", "--simulate"], ["-O", "speed", "--simulate", "--gc-stress"]]

# Module: size, field CRC-32, and its strings, constants, types, functions, blocks and instructions.
MODULES = {
    "add": (207, 0xF66750F8, 1, 0, 1, 1, 1, 2),
    "fact_fib": (1246, 0x07F9CCC0, 15, 2, 5, 5, 11, 33),
    "sum_array": (1328, 0x385AAD15, 21, 1, 4, 2, 12, 42),
    "low": (727, 0x99318456, 9, 1, 3, 4, 4, 14),
}

MIN = -2 ** 63
# Module, entry (None: the module's), arguments, what it prints.
RESULTS = [
    ("add", "add", (40, 2), "42\n"),
    ("add", "add", (2 ** 63 - 1, 1), "%d\n" % MIN),
    ("fact_fib", "fact", (20,), "2432902008176640000\n"),
    ("fact_fib", "factTail", (20,), "2432902008176640000\n"),
    ("fact_fib", "fib", (20,), "6765\n"),
    ("fact_fib", "main", (), "fact/fib\n2432902008176640000\n"),
    ("fact_fib", None, (), "fact/fib\n2432902008176640000\n"),
    ("sum_array", "run", (10,), "142.5\n"),
    ("sum_array", "run", (0,), "0.0\n"),
    ("sum_array", "kind", (-1,), "100\n"),
    ("sum_array", "kind", (0,), "200\n"),
    ("sum_array", "kind", (1,), "300\n"),
    ("sum_array", "kind", (2,), "300\n"),
    ("low", "second", (), "255\n"),
    ("low", "apply", (5,), "-5\n"),
    ("low", "narrow", (-3.5,), "-4\n"),
]
# Module, entry, arguments, the opening of the trap's first line, and its frames.
FACT_FRAMES = ["fact, block 2, instruction 6, fact_fib.vitte:3:5", "fact, block 2, instruction 5, fact_fib.vitte:3:5"]
TRAPS = [
    ("fact_fib", "fact", (21,), "trap 2 OVERFLOW E7002", FACT_FRAMES[:1]),
    ("fact_fib", "fact", (22,), "trap 2 OVERFLOW E7002", FACT_FRAMES),
    ("fact_fib", "factTail", (21,), "trap 2 OVERFLOW E7002", ["fact_acc, block 2, instruction 4"]),
    ("sum_array", "run", (-1,), "trap 10 BAD_LEN E7010", ["run, block 0, instruction 5"]),
    ("sum_array", "kind", (7,), "trap 256 E7100: user trap 256", ["kind, block 4, instruction 7"]),
    ("low", "apply", (MIN,), "trap 2 OVERFLOW E7002",
     ["negate, block 0, instruction 0", "apply, block 0, instruction 1"]),
    ("low", "narrow", (200.0,), "trap 2 OVERFLOW E7002", ["narrow, block 0, instruction 1"]),
    ("low", "narrow", ("nan",), "trap 7 BAD_CONV E7007", ["narrow, block 0, instruction 1"]),
]

DESCRIPTIONS = os.path.join(HERE, "..", "..", "md")
for machine in ("aarch64", "riscv64"):
    if os.path.exists(os.path.join(DESCRIPTIONS, machine + ".md")):
        ENGINES.append(["-O", "speed", "--target", machine, "--features", "all", "--gc-stress"])

failures = []


def check(good, *what):
    if not good:
        failures.append(" ".join(map(str, what)))


def vitrail(*arguments):
    return subprocess.run([sys.argv[1], *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def vector(name, extension):
    return os.path.join(HERE, name + "." + extension)


def sections(module):
    """The payloads by tag."""
    at, out = 8, {}
    while at < len(module):
        tag, length = module[at:at + 4].decode(), struct.unpack_from("<I", module, at + 4)[0]
        out[tag] = module[at + 8:at + 8 + length]
        at += 8 + length
    return out


def check_bytes(name, folder):
    """Text to bytes, bytes to text to bytes, and that the bytes are those that the description counts."""
    stored = read(vector(name, "vitbc"))
    size, crc, *counts = MODULES[name]
    parts = sections(stored)
    check(len(stored) == size, name, "has", len(stored), "bytes")
    check(struct.unpack("<I", parts["END!"])[0] == crc == zlib.crc32(stored[6:-12]), name, "has another CRC")
    numbers = [struct.unpack_from("<I", parts.get(tag, bytes(4)))[0] for tag in ("STRS", "CONS", "TBLT", "FUNC")]
    at, blocks, insts = 4, 0, 0
    for _ in range(numbers[3]):
        body, _, _, _, n_blocks, n_insts = struct.unpack_from("<6I", parts["FUNC"], at)
        at, blocks, insts = at + 4 + body, blocks + n_blocks, insts + n_insts
    check(numbers + [blocks, insts] == counts, name, "counts", numbers, blocks, insts)

    made, text, again, packed = (os.path.join(folder, name + end)
                                 for end in (".vitbc", ".vita", "-again.vitbc", "-packed.vitbc"))
    for step in (["asm", vector(name, "vita"), "-o", made], ["dis", vector(name, "vitbc"), "-o", text],
                 ["asm", text, "-o", again], ["verify", vector(name, "vitbc"), text]):
        result = vitrail(*step)
        check(result.returncode == 0, *step, "failed:\n" + result.stderr)
    vitrail("asm", "-z", vector(name, "vita"), "-o", packed)
    check(os.path.exists(packed) and b"ZSTD" in read(packed), name, "has nothing to compress")
    result = vitrail("dis", packed, "-o", text)
    check(result.returncode == 0 and vitrail("asm", text, "-o", packed).returncode == 0 and read(packed) == stored,
          name, "changes when it is compressed")
    check(os.path.exists(made) and read(made) == stored, name, "assembles to other bytes")
    check(os.path.exists(again) and read(again) == stored, name, "disassembles to text that assembles to other bytes")


def run(engine, name, extension, entry, arguments, allow_low=True):
    command = ["run", *engine, vector(name, extension)]
    if allow_low and name == "low":
        command.append("--allow-low")
    if entry:
        command += ["--entry", entry]
    return vitrail(*command, "--", *arguments)


def check_runs(engine, extension):
    for name, entry, arguments, expected in RESULTS:
        result = run(engine, name, extension, entry, arguments)
        check((result.returncode, result.stdout, result.stderr) == (0, expected, ""),
              *engine, name, extension, entry, arguments, "gave", result)
    for name, entry, arguments, trap, frames in TRAPS:
        result = run(engine, name, extension, entry, arguments)
        first, *rest = result.stderr.splitlines() or [""]
        check(result.returncode == 1 and result.stdout == "" and first.startswith(trap),
              *engine, name, extension, entry, arguments, "gave", result)
        check(rest == ["    at " + frame for frame in frames], *engine, name, entry, arguments, "has the frames", rest)
    for entry, arguments in (("apply", (5,)), ("second", ())):
        result = run(engine, "low", extension, entry, arguments, allow_low=False)
        check(result.returncode == 1 and result.stdout == "" and "V-CAP" in result.stderr,
              *engine, "low ran without the capability:", result)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in MODULES:
            check_bytes(name, folder)
    result = vitrail("verify", "--deny-low", vector("low", "vitbc"))
    check(result.returncode == 1 and "V-CAP" in result.stderr + result.stdout, "verify --deny-low gave", result)
    for engine in ENGINES:
        for extension in ("vitbc", "vita"):
            check_runs(engine, extension)
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
