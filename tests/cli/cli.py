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
    check(["--version"], 0, out=[r"^vitrail \d+\.\d+\.\d+$"])
    for command in re.findall(r"^  (\w+) ", subprocess.run([VITRAIL, "help"], capture_output=True, text=True, timeout=60,
                                                          check=True).stdout, re.M):
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
    check(["show", *one, "--stage", "cfg"], 0, out=["^digraph \"fact_acc\" {", "block0 -> block"])
    check(["show", *one, "-O", "none", "--stage", "opt"], 0, out=["isub"])
    check(["show", *one, "-d", "simplify", "--fuel", "1"], 0, out=["^; after simplify"])
    check(["show", *one, "-d", "select"], 0, out=[r"smul_overflow\.i64"])
    check(["show", *one, "-d", "no-such-pass"], 2, err=["there is no pass 'no-such-pass'"])
    check(["show", "-d", "help"], 0, out=["^gvn ", "^dce "])
    check(["show", *one, "--time"], 0, err=["us  pass gvn$", "us  emit$"])
    check(["show", "--func", "nobody", FACT], 1, err=["there is no function 'nobody'"])
    check(["show", "--stage", "bytecode", "-"], 1, err=["no bytecode stage"], text="function %f() { block0: return }\n")


def formats():
    """Every stage as JSON, and as a graph where it is one; the same blocks in both."""
    def show(*arguments):
        return subprocess.run([VITRAIL, "show", FACT, *arguments], capture_output=True, text=True, timeout=60,
                              check=True).stdout
    for target in ("x86_64", "riscv64", "wasm64"):
        for stage in ("bytecode", "ir", "opt", "select", "alloc", "asm"):
            if target == "wasm64" and stage == "alloc":
                continue
            shown = json.loads(show("--target", target, "--stage", stage, "--json"))
            if (shown["stage"], shown["target"]) != (stage, target) or not shown["functions"]:
                failures.append("show --json --stage %s: %r" % (stage, shown))
            for function in shown["functions"] if "blocks" in shown["functions"][0] else ():
                names = [re.match(r"block\d+", block["block"]).group() for block in function["blocks"]]
                edges = [(name, to) for name, block in zip(names, function["blocks"]) for to in block["to"]]
                graph = show("--target", target, "--stage", stage, "--format", "dot", "--func", function["name"])
                drawn = re.findall(r"^    (block\d+) -> (block\d+)$", graph, re.M)
                nodes = re.findall(r'^    (block\d+) \[label="(?:[^"\\]|\\.)*"\]$', graph, re.M)
                if nodes != names or drawn != edges or not set(sum(edges, ())) <= set(names):
                    failures.append("show --stage %s of %s: %r and %r\n%s" % (stage, function["name"], names, edges, graph))
    # What the JSON of code says of its bytes is what the text says.
    code = json.loads(show("--json", "--func", "fact"))["functions"][0]["code"]
    joined = "".join(line["bytes"] for line in code)
    ends = [line["at"] + len(line["bytes"]) // 2 for line in code]
    if len(code) < 10 or ends[:-1] != [line["at"] for line in code][1:] or not all(line["text"] for line in code):
        failures.append("show --json: code %r" % code)
    printed = show("--func", "fact")
    if "".join(re.findall(r"^ *\w+:  ((?:\w\w )+)", printed, re.M)).replace(" ", "") != joined:
        failures.append("show --json: bytes %s, not those of\n%s" % (joined, printed))
    check(["show", "--format", "dot", FACT], 2, err=["graphs are of the stages"])
    check(["show", "--format", "svg", FACT], 2, err=["takes text, json or dot"])
    check(["show", "--stage", "alloc", "--target", "wasm64", FACT], 2, err=["no such stage"])
    check(["show", "--fuel", "much", FACT], 2, err=["--fuel wants a number"])


def bench():
    check(["bench", "--rounds", "2", FACT], 0, out=[r"^ +\d+ +\d+ .*  fact_acc$", r"^ +\d+ +\d+ .*  all$", "^IR insts"])
    check(["bench", "--rounds", "0", FACT], 2)
    check(["bench", "--func", "nobody", FACT], 1, err=["there is no function 'nobody'"])
    for more in ([], ["-O", "none"], ["--target", "wasm64"], ["--func", "fact"]):
        ran = subprocess.run([VITRAIL, "bench", "--json", "--rounds", "2", *more, FACT], capture_output=True, text=True,
                             timeout=60, check=True)
        made = json.loads(ran.stdout)
        rows = made["functions"]
        times = [row["nanoseconds"] for row in rows]
        if len(rows) != (1 if "--func" in more else 6) or any(sum(t.values()) != 2 * t["total"] for t in times) or \
                sum(t["total"] for t in times) != made["all"]["nanoseconds"]["total"] or \
                [t["total"] for t in times] != sorted((t["total"] for t in times), reverse=True) or \
                not all(row["bytes"] and row["instructions"] for row in rows):
            failures.append("bench --json %s: %r" % (more, made))


def testing():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "three.clif")
        with open(path, "w", encoding="utf-8") as out:
            out.write("test interpret\ntest run\ntarget x86_64\nfunction %f(i32) -> i32 {\nblock0(v0: i32):\n"
                      "    v1 = iadd v0, v0\n    return v1\n}\n; run: %f(2) == 4\n; run: %f(-1) == -2\n; run: %f(3) == 7\n")
        check(["test", "-i", path], 1, out=[r"three\.clif:11: FAILED", "^2 passed, 1 failed, 0 skipped$"])
        ran = subprocess.run([VITRAIL, "test", "-i", "--json", folder], capture_output=True, text=True, timeout=60,
                             check=False)
        expected = {"passed": 2, "failed": 1, "skipped": 0}
        if ran.returncode != 1 or "three.clif:11: FAILED" not in ran.stderr or json.loads(ran.stdout) != {
                "groups": [{"name": os.path.basename(folder), "files": 1, **expected}], **expected}:
            failures.append("test --json: %d %s%s" % (ran.returncode, ran.stdout, ran.stderr))


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
    check(["run", "--entry", "fact", FACT], 2, err=["takes 1 argument, 0 given"])
    check(["run", "--entry", "nobody", FACT], 1, err=["nobody"])
    check(["run", "/no/such/file"], 1, err=["No such file"])
    clif = "function %twice(i32) -> i32 {\nblock0(v0: i32):\n    v1 = iadd v0, v0\n    return v1\n}\n"
    for engine in ([], ["-O", "none"], ["--interpret"]):
        check(["run", *engine, "--entry", "twice", "-", "21"], 0, out=["^42$"], text=clif)
    check(["run", "-", "1"], 1, err=["^-:3:"], text=clif.replace("iadd", "iaddd"))


def output_fails():
    """What cannot be printed is an error, whichever command prints it, argp included."""
    for command in (["--help"], ["--version"], ["run", "--help"], ["targets"], ["targets", "--json"], ["show", FACT],
                    ["verify", FACT], ["run", FACT, "--entry", "fact", "5"], ["dis", "--target", "x86_64", "90"],
                    ["bench", FACT, "--rounds", "1"], ["asm", FACT, "-o", "-"]):
        with open("/dev/full", "wb") as full:
            results = [subprocess.run([VITRAIL, *command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                                      check=False)]
        results.append(subprocess.run(["sh", "-c", '"$@" >&-', "sh", VITRAIL, *command], capture_output=True, text=True,
                                      timeout=60, check=False))
        for result in results:
            if result.returncode != 1 or not re.search("No space left|Bad file descriptor", result.stderr):
                failures.append("vitrail %s, nowhere to print: %d %r" % (command, result.returncode, result.stderr))
    with tempfile.TemporaryDirectory() as folder:
        for command in (["asm", FACT], ["build", FACT], ["build", os.path.join(SOURCE, "tests", "file", "calls.clif")]):
            check([*command, "-o", "/dev/full"], 1, err=["^/dev/full: error: .*No space left on device"])
            check([*command, "-o", os.path.join(folder, "no", "x")], 1, err=["error: .*No such file or directory"])
            check([*command, "-o", folder], 1, err=["error: .*Is a directory"])


def nothing_there():
    """An input without content is no success."""
    for text in ("", " \n; nothing\n"):
        for command in ("run", "show", "bench", "verify", "asm", "dis"):
            check([command, "-"], 1, out=["!."], err=["^-: error: "], text=text)
    with tempfile.TemporaryDirectory() as folder:
        empty = os.path.join(folder, "empty.txt")
        with open(empty, "w", encoding="utf-8"):
            pass
        check(["test", folder], 1, err=["there is no .clif file"])
        check(["test", empty], 1, err=["the file is empty"])
        check(["build", empty, "-o", os.path.join(folder, "x")], 1, err=["the file is empty"])
        for command in ("run", "show", "bench", "verify", "asm", "dis"):
            check([command, folder], 1, err=["Is a directory"])
            check([command, os.path.join(folder, "none")], 1, err=["No such file or directory"])
    # Functions that are left out are named.
    check(["show", "-", "--func", "f"], 1, err=["unsupported: type i128"],
          text="function %f(i128) {\nblock0(v0: i128):\n    return\n}\n")
    check(["run", "-", "0"], 1, err=["unsupported: type i128"],
          text="function %f(i128) {\nblock0(v0: i128):\n    return\n}\n")
    # Text that is no right function is refused by everything that takes it.
    wrong = "function %f(i64) -> i64 {\nblock0(v0: i64):\n    v1 = iadd v0, v0\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        for command in (["run", "-", "1"], ["show", "-"], ["bench", "-"], ["verify", "-"],
                        ["build", "-", "-o", os.path.join(folder, "x")],
                        ["build", "--target", "wasm64", "-", "-o", os.path.join(folder, "x")]):
            check(command, 1, err=[r"error: function %f, block0.*terminator"], text=wrong)


def values():
    """Arguments and results of every type, at the ends of their ranges; the same for both engines."""
    kinds = {
        "i8": ({"-128": "-128", "127": "127", "0x7f": "127"}, ("128", "-129", "", "1.5", "x")),
        "u8": ({"255": "255", "0": "0"}, ("256", "-1")),
        "i64": ({"-9223372036854775808": "-9223372036854775808"}, ("9223372036854775808",)),
        "u64": ({"18446744073709551615": "18446744073709551615"}, ("18446744073709551616", "-1")),
        "f32": ({"0.1": "0.1", "16777217": "16777216.0", "nan": "nan", "-0": "-0.0", "-inf": "-inf", "1e-46": "0.0"},
                ("1e39", "1_0", "")),
        "f64": ({"0.1": "0.1", "5e-324": "5e-324", "1e22": "1e+22", "123456789": "123456789.0", "0x1p-3": "0.125"},
                ("1e400", "one")),
        "bool": ({"true": "true", "false": "false"}, ("1", "TRUE")),
        "ref": ({"null": "null"}, ("1", "0")),
    }
    text = ".module \"m\"\n" + "".join(".export %s_f\n" % k for k in kinds) + ".export void_f\n" + "".join(
        ".fn %s_f(x: %s) -> %s\ne:\n    RET x\n.end\n" % (k, k, k) for k in kinds)
    text += ".fn void_f() -> void\ne:\n    RET\n.end\n"
    for engine in ([], ["--interpret"]):
        for kind, (right, wrong) in kinds.items():
            for given, printed in right.items():
                check(["run", *engine, "--entry", kind + "_f", "-", "--", given], 0, out=[r"\A%s\n\Z" % re.escape(printed)],
                      text=text)
            for given in wrong:
                check(["run", *engine, "--entry", kind + "_f", "-", "--", given], 2, out=["!."],
                      err=["argument 1: '%s' is no %s" % (given, "reference: only null" if kind == "ref" else kind)],
                      text=text)
        check(["run", *engine, "--entry", "void_f", "-"], 0, out=["!."], text=text)
        check(["run", *engine, "--entry", "i8_f", "-"], 2, err=["takes 1 argument, 0 given"], text=text)
    for timeout in ("-1", "0", "x", "99999999999"):
        check(["run", "--timeout=" + timeout, FACT], 2, err=["--timeout wants"])


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


for part in (helps, readme, stages, formats, bench, listings, simulating, features, json_listing, disassembling, running,
             testing, values, output_fails, nothing_there, verifying):
    part()
print("\n".join(failures))
sys.exit(1 if failures else 0)
