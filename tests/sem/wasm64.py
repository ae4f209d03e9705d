"""Instructions of a stack machine as its description says and as an engine does them.

    wasm64.py --source DIR --mdc PROGRAM --wat2wasm PROGRAM --node PROGRAM [--cases N]

Each instruction that pops and pushes values is a function of its own in one module; its `sem` is evaluated by the prover's
own evaluator on numbers (gen/vtgen/prove_inst.py), so this also tests what proofs rest on. Compared are results, traps
and memory. Float arithmetic is no part of that evaluator: FLOATS names all that is left out, and nothing else may be.
"""
import argparse
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

FLOATS = re.compile(r"f\d\d_(add|sub|mul|div|min|max|sqrt|ceil|floor|trunc|nearest|convert_.*|demote_f64|promote_f32)")
TRAPS = {"int_divz": "divide by zero|remainder by zero|division by zero",
         "int_ovf": "unrepresentable|overflow|out of range"}
BASE, SIZE = 70000, 256     # what loads and stores touch
MODULE = """(module (memory (export "memory") i64 2)
%s)
"""
RUN = """
const {readFileSync} = require('fs');
const [bytes, cases] = [readFileSync(process.argv[1]), JSON.parse(readFileSync(process.argv[2]))];
const {exports} = new WebAssembly.Instance(new WebAssembly.Module(bytes));
const memory = new Uint8Array(exports.memory.buffer);
const out = cases.map(([name, args, from]) => {
    for (let k = 0; k < %(size)d; k++) memory[%(base)d + k] = k * 37 + from;
    try {
        const result = exports[name](...args.map(x => BigInt(x)));
        const after = Buffer.from(memory.subarray(%(base)d, %(base)d + %(size)d)).toString('hex');
        return [result === undefined ? null : BigInt.asUintN(64, result).toString(), after];
    } catch (e) {
        if (!(e instanceof WebAssembly.RuntimeError)) throw e;
        return [e.message, ''];
    }
});
console.log(JSON.stringify(out));
""" % {"base": BASE, "size": SIZE}


def pattern(start):
    return bytearray((k * 37 + start) & 255 for k in range(SIZE))


def wanted(isa, i):
    """Does it only pop, push and touch memory?"""
    if i.branches or i.effects - {"store"} or not i.sem or i.name.endswith("_hint") or i.decode is False:
        return False
    if not all(o.type in ("reg", "imm", "composite") for o in i.opnds):
        return False
    return not any(n.k == "name" and n.name == "undefined" for s in i.sem for e in s.exprs() for n in e.walk())


def text_of(i, o):
    """A WebAssembly text of a function (i64 params) -> i64 for an instruction; o: its immediate number or None."""
    body, n = [], 0
    for p in i.opnds:
        if not p.reads or p.type == "imm":
            continue
        cls = "i64" if p.type == "composite" else p.cls.name
        body.append("local.get %d" % n)
        body += {"i64": [], "i32": ["i32.wrap_i64"], "f64": ["f64.reinterpret_i64"],
                 "f32": ["i32.wrap_i64", "f32.reinterpret_i32"]}[cls]
        n += 1
    text = i.asms[-1].text
    for p in i.opnds:
        if p.type == "composite":
            text = text.replace("{%s}" % p.name, "offset=%d" % o)
        elif p.type == "imm":
            text = text.replace("{%s}" % p.name, str(o))
    body.append(text)
    out = next((p for p in i.opnds if p.writes), None)
    if out is not None:
        body += {"i64": [], "i32": ["i64.extend_i32_u"], "f64": ["i64.reinterpret_f64"],
                 "f32": ["i32.reinterpret_f32", "i64.extend_i32_u"]}[out.cls.name]
    return n, "(param %s)%s %s" % ("i64 " * n, " (result i64)" if out is not None else "", " ".join(body))


def number(rng, k, nth, width, floating):
    """An operand: first all pairs of what divisions look at, then of three two at boundaries, one random."""
    top = 1 << width - 1
    edges = [0, 1, top - 1, top, (1 << width) - 1, 2, 7, width - 1, width, 255, 128, 32768, 65535, (1 << 32) - 1, 1 << 31]
    if floating:
        values = [0.0, -0.0, 1.0, -1.0, 0.5, -0.9, 2147483647.0, 2147483648.0, -2147483648.0, -2147483649.0, 4294967295.0,
                  4294967296.0, 9223372036854775807.0, -9223372036854775808.0, 18446744073709551615.0, float("inf"),
                  float("-inf"), float("nan"), 3.7, 1e-40, 4294967040.0]
        edges = [int.from_bytes(struct.pack("<f" if width == 32 else "<d", v), "little") for v in values]
        edges += [e ^ 1 for e in edges]
    if k < 16 and nth < 2 and not floating:
        return (0, 1, top, 2 * top - 1)[k >> 2 * nth & 3]
    if k % 3:
        return rng.choice(edges) & (1 << width) - 1
    return rng.getrandbits(width) >> rng.choice([0, 0, 0, rng.randrange(width)])


class Test:
    def __init__(self, o):
        sys.path.insert(0, os.path.join(os.path.abspath(o.source), "gen", "vtgen"))
        import emit_select
        import model
        import prove_inst
        import smt
        self.smt, self.prove_inst, self.options = smt, prove_inst, o
        described = model.load(o.mdc, os.path.join(o.source, "md"), ["wasm64"])
        self.isa, self.ir = described.isas["wasm64"], described.ir
        self.imms, self.conds = prove_inst.Imms(self.isa), emit_select.Conds(self.isa, self.ir)
        self.left_out, self.failures = set(), 0

    def expect(self, i, args, imm, start):
        """(result or None, trap or None, memory behind it), or None when the evaluator does not know."""
        smt, const, memory = self.smt, self.smt.const, pattern(start)
        smt.reset()

        class Numbers(self.prove_inst.Exec):
            def load(self, address, width, atomic):
                at = address.value - BASE
                return const(int.from_bytes(memory[at:at + width // 8], "little"), width)
        x = Numbers(self.isa, self.ir, self.imms, self.conds)
        given, args = {}, list(args)
        for p in i.opnds:
            if p.type == "imm":
                given[p.name] = const(imm, p.imm.width)
            elif p.type == "composite":
                given[p.name] = const(args.pop(0) + imm, 64)
            elif p.reads:
                given[p.name] = self.prove_inst.RegVal(const(args.pop(0), p.cls.width))
        made = x.run(i, given)
        terms = [r.term for r in made.values()] + [when for when, _ in x.jumps] + [t for s in x.stores for t in s[:3]]
        if not all(smt.known(t) for t in terms):
            return None
        trap = next((place.code for when, place in self.named(i, x) if when.value), None)
        for when, address, value, _ in x.stores:
            at = address.value - BASE
            memory[at:at + value.width // 8] = value.value.to_bytes(value.width // 8, "little")
        return (next(iter(made.values())).term.value if made else None), trap, memory

    @staticmethod
    def named(i, x):
        """The conditions of its traps with their codes, in order."""
        for trap, (when, place) in zip(i.traps, x.jumps):
            place.code = trap.code
            yield when, place

    def cases(self):
        rng, functions, cases = random.Random(7), [], []
        for i in self.isa.insts.values():
            if not wanted(self.isa, i):
                continue
            addressed = any(p.type == "composite" for p in i.opnds)
            imms = [0, 1, 100] if addressed else [0]
            if any(p.type == "imm" for p in i.opnds):
                imms = [] if i.name.startswith("f") else [0, -1, 63, 64, -64, -65, 2147483647, -2147483648]
            for imm in imms:
                n, body = text_of(i, imm)
                name = "%s.%d" % (i.name, imm)
                functions.append('(func (export "%s") %s)' % (name, body))
                for k in range(self.options.cases if n else 1):
                    args = []
                    for nth, p in enumerate(p for p in i.opnds if p.reads and p.type != "imm"):
                        args.append(BASE + rng.randrange(128) if p.type == "composite" else
                                    number(rng, k, nth, p.cls.width, p.cls.name[0] == "f"))
                    start = rng.randrange(256)
                    due = self.expect(i, args, imm, start)
                    if due is None:
                        self.left_out.add(i.name)
                    else:
                        cases.append((i, name, args, start, due))
        return functions, cases

    def run(self):
        functions, cases = self.cases()
        with tempfile.TemporaryDirectory() as where:
            wat, wasm, given = (os.path.join(where, n) for n in ("m.wat", "m.wasm", "cases.json"))
            with open(wat, "w", encoding="utf-8") as out:
                out.write(MODULE % "\n".join(functions))
            subprocess.run([self.options.wat2wasm, "--enable-memory64", wat, "-o", wasm], check=True)
            with open(given, "w", encoding="utf-8") as out:
                json.dump([[name, list(map(str, args)), start] for _, name, args, start, _ in cases], out)
            got = json.loads(self.node(wasm, given))
        for case, (result, memory) in zip(cases, got):
            self.judge(case, result, memory)
        strange = sorted(n for n in self.left_out if not FLOATS.fullmatch(n))
        names = {c[0].name for c in cases}
        print("%d cases of %d instructions in the engine, %d left out (float arithmetic); %d failures"
              % (len(cases), len(names), len(self.left_out - names), self.failures))
        if strange:
            print("not evaluated: %s" % ", ".join(strange))
        return self.failures or strange or len(names) < 90 or len(got) != len(cases)

    def node(self, wasm, cases):
        flag = "--experimental-wasm-memory64"
        known = subprocess.run([self.options.node, flag, "-e", "0"], capture_output=True, check=False).returncode == 0
        return subprocess.run([self.options.node] + ([flag] if known else []) + ["-e", RUN, wasm, cases],
                              capture_output=True, text=True, check=True).stdout

    def judge(self, case, result, memory):
        i, name, args, _, (due, trap, after) = case
        if trap is not None:
            right = result is not None and re.search(TRAPS[trap], result) is not None
        else:
            right = result == (None if due is None else str(due)) and memory == bytes(after).hex()
        if not right:
            self.failures += 1
            if self.failures < 20:
                print("%s: %s(%s): %s is due, the engine gives %s" % (i.loc, name, ", ".join(map(hex, args)),
                                                                     trap or due, result))


def main():
    options = argparse.ArgumentParser()
    for name in ("source", "mdc", "wat2wasm", "node"):
        options.add_argument("--" + name, required=True)
    options.add_argument("--cases", type=int, default=60)
    return 1 if Test(options.parse_args()).run() else 0


if __name__ == "__main__":
    sys.exit(main())
