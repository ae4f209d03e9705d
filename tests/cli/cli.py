#!/usr/bin/env python3
"""Runs the program's commands and checks exit status and single facts of what they print.

    cli.py VITRAIL SOURCE_DIR
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

VITRAIL, SOURCE = sys.argv[1:]
VECTORS = os.path.join(SOURCE, "tests", "vectors")
FACT = os.path.join(VECTORS, "fact_fib.vita")
failures = []


def check(arguments, status, out=(), err=(), text=None):
    """`out` and `err` are patterns that must be found; a pattern behind "!" must not."""
    result = subprocess.run([VITRAIL, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False)
    wrong = []
    if result.returncode != status:
        wrong.append("exit status %d, expected %d" % (result.returncode, status))
    for patterns, printed in ((out, result.stdout), (err, result.stderr)):
        for pattern in patterns:
            if bool(re.search(pattern.lstrip("!"), printed, re.M)) == pattern.startswith("!"):
                wrong.append("%r: %s" % (pattern, printed[:800]))
    if wrong:
        failures.append("vitrail %s\n  %s" % (" ".join(arguments), "\n  ".join(wrong)))


def helps():
    check([], 2, err=["^Usage: vitrail COMMAND"])
    check(["--help"], 0, out=["^  run ", "^  targets "])
    check(["fly"], 2, err=["there is no command 'fly'"])
    for command in ("run", "asm", "dis", "verify", "test", "show", "targets"):
        check([command, "--help"], 0, out=["^Usage: vitrail %s " % command])
        check([command, "--no-such-option"], 2)


def readme():
    """Every command that README.md shows, as it stands there."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as f:
        lines = [line.split("  #")[0].strip() for line in f if re.match(r"    vitrail \w", line)]
    if not lines:
        failures.append("README.md shows no command")
    with tempfile.TemporaryDirectory() as top:
        os.symlink(os.path.abspath(os.path.join(SOURCE, "tests")), os.path.join(top, "tests"))
        paths = os.pathsep.join([os.path.dirname(os.path.abspath(VITRAIL)), os.environ["PATH"]])
        for line in lines:
            result = subprocess.run(["sh", "-e", "-c", line], cwd=top, env={**os.environ, "PATH": paths}, timeout=60,
                                    capture_output=True, text=True, check=False)
            if result.returncode or not result.stdout and " -o " not in line:
                failures.append("%s\n  exit status %d: %s" % (line, result.returncode, result.stderr[:800]))


def stages():
    one = ["--func", "fact_acc", FACT]
    check(["show", *one, "--stage", "bytecode"], 0, out=[r"^\.fn fact_acc\(", r"TCALL +fact_acc"])
    check(["show", *one, "--stage", "ir"], 0, out=["smul_overflow", "return_call", "isub", "!function u0:4"])
    check(["show", *one, "--stage", "opt"], 0, out=[r"iadd\.i64 v\d+, v\d+  ; v\d+ = -1", "!isub"])
    check(["show", *one, "--stage", "select"], 0, out=["^block0:", "= entry"])
    check(["show", *one, "--stage", "alloc"], 0, out=["^block0:"])
    check(["show", *one, "--stage", "asm"], 0, out=["^fact_acc:", "imul", "!not an instruction"])
    check(["show", *one, "--stage", "cfg"], 0, out=["^digraph {", "block0 -> block"])
    check(["show", *one, "-O", "none", "--stage", "opt"], 0, out=["isub"])
    check(["show", *one, "-d", "simplify", "--fuel", "1"], 0, out=["^; after simplify"])
    check(["show", *one, "-d", "select"], 0, out=[r"smul_overflow\.i64"])
    check(["show", *one, "-d", "no-such-pass"], 2, err=["there is no pass 'no-such-pass'"])
    check(["show", "-d", "help"], 0, out=["^gvn ", "^dce "])
    check(["show", *one, "--time"], 0, err=["us  pass gvn$", "us  emit$"])
    check(["show", "--func", "nobody", FACT], 1, err=["there is no function 'nobody'"])
    check(["show", "--stage", "bytecode", "-"], 1, err=["no bytecode stage"], text="function %f() { block0: return }\n")


def simulating():
    text = "function %f(i64, f32) -> i64, f32 {\nblock0(v0: i64, v1: f32):\n    v2 = imul v0, v0\n    v3 = fadd v1, v1\n" \
           "    return v2, v3\n}\n"
    check(["run", "--simulate", "-", "7", "1.5"], 0, out=["^49 3.0$"], text=text)
    check(["run", "--target", "aarch64", "-", "7", "1.5"], 0, out=["^49 3.0$"], text=text)
    check(["run", "--target", "aarch64", "-O", "none", FACT, "--entry", "fact", "20"], 0, out=["^2432902008176640000$"])
    check(["run", "--simulate", "--stats", FACT, "--entry", "fact", "20"], 0, err=[r"simulated \d+ instructions in "])
    check(["run", "--simulate", "--features", "bmi1,fma", FACT, "--entry", "fact", "5"], 0, out=["^120$"])
    check(["run", "--features", "bmi3", FACT], 1, err=["x86_64 has no feature 'bmi3'"])
    check(["run", "--target", "aarch64", "--features", "fma", FACT], 1, err=["aarch64 has no feature 'fma'"])
    check(["run", "--target", "pdp11", FACT], 2, err=["there is no target 'pdp11'"])
    check(["run", "--simulate", "-"], 1, err=["simulated x86_64: breakpoint at %stop\\+0x1"],
          text="function %stop() {\nblock0:\n    debugtrap\n    return\n}\n")
    check(["run", "--target", "aarch64", "--timeout", "200", "-"], 1, err=["^trap 12 INTERRUPT"],
          text='.module "m"\n.entry main\n.fn main() -> void\nagain:\n    JMP again\n.end\n')


def features():
    """An object is for every machine of its kind unless something else is asked for, and says what its code uses."""
    source = os.path.join(SOURCE, "tests", "file", "address.clif")
    built = {}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.o")
        for name, chosen in (("baseline", []), ("c", ["--features", "c"]), ("none", ["--features", "none"]),
                             ("zbb", ["--features", "zbb"]), ("all", ["--features", "all"])):
            check(["build", "--target", "riscv64", *chosen, source, "-o", path], 0)
            with open(path, "rb") as made:
                elf = made.read()
            flags, = struct.unpack_from("<I", elf, 0x30)
            text, = struct.unpack_from("<Q", elf, struct.unpack_from("<Q", elf, 0x28)[0] + 64 + 32)
            built[name] = flags, text, elf
        check(["build", "--features", "bmi3", source, "-o", path], 1, err=["x86_64 has no feature 'bmi3'"])
    if built["baseline"][2] != built["c"][2] or {name: made[0] for name, made in built.items()} != {
            "baseline": 5, "c": 5, "none": 4, "zbb": 4, "all": 5}:
        failures.append("build --features: flags %r" % {name: made[0] for name, made in built.items()})
    if built["c"][1] * 10 > built["none"][1] * 9:
        failures.append("build --features: %d bytes with c, %d without" % (built["c"][1], built["none"][1]))
    check(["targets", "riscv64"], 0, out=[r"^  features: c \(baseline\) zba zbb "])
    if json.loads(subprocess.run([VITRAIL, "targets", "--json", "riscv64"], capture_output=True, text=True, timeout=60,
                                 check=True).stdout)["targets"][0]["baseline"] != ["c"]:
        failures.append("targets --json riscv64: another baseline")
    # What is simulated has no more either.
    program = [os.path.join(VECTORS, "sum_array.vita"), "--entry", "run", "10"]
    count = {}
    for chosen in ("", "none", "c", "all"):
        ran = subprocess.run([VITRAIL, "run", "--target", "riscv64", "--stats", *(["--features", chosen] if chosen else []),
                              *program], capture_output=True, text=True, timeout=60, check=False)
        count[chosen] = (re.findall(r"simulated (\d+) instructions", ran.stderr) or [ran.stderr])[0]
    if not count[""] == count["c"] == count["none"] != count["all"]:
        failures.append("run --features: simulated instructions %r" % count)


def listings():
    check(["targets"], 0, out=["^x86_64: 64-bit pointers", r"^  iadd\.i8\|i16\|i32\|i64 .* selected",
                               r"^  ireduce\.i16 from i32\|i64 ", r"^  popcnt\..* expanded\*"])
    check(["targets", "x86_64"], 0, out=[
        r"^  iadd\.i32 +selected by add32_rr and in special shapes lea32_bisd",
        r"^  popcnt\.i64 +expanded as popcnt_i64 with popcnt by popcnt64_rr and in",
        r"^  ceil\.f64 +library as ceil_f64 with sse41 by ceil_f64$", r"^  func_addr\.i32 +unsupported: addresses have 64 bits$",
        r"^    int args +rdi rsi ", r"^  i8 +g$"])
    check(["targets", "-p", "x86_64"], 0, out=[
        r"^ +popcnt64_rr +popcnt\.i64\(a: i64\) requires popcnt  =>  popcnt64_rr  \(md/x86_64\.md:\d+\)$",
        r"^ +\w+ +cond\(icmp\.i32.*=>.*\(md/x86_64\.md:\d+\)$",
        r"^ +cls_i8 .*=>  iadd\.i8\(.*\(md/expand\.md:\d+\)$"])
    check(["targets", "--not-selected", "x86_64"], 0, out=["expanded", r"!^  iadd\.i32 "])
    check(["targets", "--not-selected"], 2, err=["of which target"])
    check(["targets", "pdp11"], 2, err=["there is no target 'pdp11'"])


def json_listing():
    def read(*names):
        printed = subprocess.run([VITRAIL, "targets", "--json", *names], capture_output=True, text=True, timeout=60,
                                 check=True).stdout
        return {t["name"]: t for t in json.loads(printed)["targets"]}
    everything = read()
    for name, target in everything.items():
        if read(name) != {name: target}:
            failures.append("targets --json %s differs from its part of targets --json" % name)
        for row in target["opcodes"]:
            if row["way"] not in ("core", "unsupported") and not row["choices"] or (row["way"] == "unsupported") != ("why" in row):
                failures.append("targets --json: %s: %r" % (name, row))
    rows = [r for r in everything["x86_64"]["opcodes"] if (r["op"], r.get("type")) == ("popcnt", "i64")]
    if len(rows) != 1 or ["popcnt"] not in [c.get("requires") for c in rows[0]["choices"]]:
        failures.append("targets --json: popcnt.i64: %r" % rows)


def disassembling():
    check(["dis", "--target", "x86_64", "4889c8", "c3 06", "e9", "fb", "ff", "ff", "ff"], 0, out=[
        r"^     0:  48 89 c8 +movq %rcx, %rax$", r"^     3:  c3 +retq$", r"^     4:  06 +\.byte 0x06$", r"^     5: .* jmp 5$"])
    check(["dis", "--target", "x86_64", "--address", "0x10000", "eb fe"], 0, out=[r"^ 10000:  eb fe +jmp 65536$"])
    check(["dis", "--target", "x86_64", "e9"], 0, out=[r"^     0:  e9 +\.byte 0xe9$"])  # cut off
    check(["dis", "--target", "x86_64", "e9f"], 1, err=["^e9f: error: .*no bytes in hexadecimal"])
    check(["dis", "--target", "pdp11", "e9"], 2, err=["there is no target 'pdp11'"])
    check(["dis", "--address", "zero", "e9"], 2, err=["'zero' is no address"])
    check(["dis", "--address", "0", FACT], 2, err=["--target is missing"])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "c3")  # reads as hexadecimal, too: the file goes first
        with open(path, "wb") as code:
            code.write(bytes([0x0f, 0x0b, 0x06]))
        check(["dis", "--target", "x86_64", path], 0, out=["^     0:  0f 0b +ud2$", r"^     2:  06 +\.byte 0x06$"])


def running():
    check(["run", "--entry", "fact", FACT, "20"], 0, out=["^2432902008176640000$"])
    check(["run", "--stats", FACT], 0, out=["^fact/fib$"], err=[r"^compiled \d+ functions.*ran natively"])
    check(["run", "--entry", "fact", FACT, "21"], 1, out=["!."], err=["trap 2 OVERFLOW E7002", "at fact,"])
    check(["run", "--entry", "fact", FACT, "many"], 2, err=["'many' is no i64"])
    check(["run", "--entry", "fact", FACT], 2, err=["takes 1 arguments, 0 given"])
    check(["run", "--entry", "nobody", FACT], 1, err=["nobody"])
    check(["run", "/no/such/file"], 1, err=["No such file"])
    clif = "function %twice(i32) -> i32 {\nblock0(v0: i32):\n    v1 = iadd v0, v0\n    return v1\n}\n"
    for engine in ([], ["-O", "none"], ["--interpret"]):
        check(["run", *engine, "--entry", "twice", "-", "21"], 0, out=["^42$"], text=clif)
    check(["run", "-", "1"], 1, err=["^-:3:"], text=clif.replace("iadd", "iaddd"))


def verifying():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cut.vitbc")
        with open(os.path.join(VECTORS, "add.vitbc"), "rb") as whole, open(path, "wb") as cut:
            cut.write(whole.read()[:-1])
        check(["verify", path], 1, err=["V-(TRUNC|CRC)"])
        check(["verify", "--deny-low", os.path.join(VECTORS, "low.vitbc")], 1, err=["V-CAP"])
        check(["verify", os.path.join(VECTORS, "low.vitbc"), FACT], 0, out=["low.vitbc: ok", "fact_fib.vita: ok"])
    wrong = "function %f() -> i32 {\nblock0:\n    v0 = iconst.i64 1\n    return v0\n}\n"
    check(["verify", "-"], 1, err=["v0 has type i64"], text=wrong)


for part in (helps, readme, stages, listings, simulating, features, json_listing, disassembling, running, verifying):
    part()
print("\n".join(failures))
sys.exit(1 if failures else 0)
