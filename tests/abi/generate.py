#!/usr/bin/env python3
"""Random signatures as C and as CLIF.

    generate.py PART FOLDER                    writes FOLDER/PART.c and FOLDER/PART.clif; PART is CONVENTION_SEED
    generate.py PART FOLDER MACHINE COUNT      for an object file of that machine, to be linked with the C text

Every signature has one pointer parameter at a random place: the buffer where our function puts what it received. What
each argument and result is stands as a constant in the C text. The values are compared by tables, and the functions of
one calling convention stand together: compilers take most of this test's time, and gcc several times as long when
the convention changes from function to function.
"""
import random
import struct
import sys

COUNT = 500  # signatures per part
INTS = {"i8": ("int8_t", "uint8_t", 8), "i16": ("int16_t", "uint16_t", 16), "i32": ("int32_t", "uint32_t", 32),
        "i64": ("int64_t", "uint64_t", 64)}
FLOATS = {"f32": ("float", 32), "f64": ("double", 64)}
TYPES = ["i8", "i16", "i32", "i64", "i64", "f32", "f64", "f64"]


class Param:
    """A parameter or result: CLIF type, signedness of its C type, the value it has."""

    def __init__(self, chance, kind):
        self.kind = kind
        self.signed = chance.random() < 0.5
        if kind in INTS:
            width = INTS[kind][2]
            self.bits = chance.choice([chance.getrandbits(width), chance.getrandbits(width), 0, (1 << width) - 1,
                                       1 << (width - 1)])
        else:
            self.bits = self.float_bits(chance)

    def float_bits(self, chance):
        value = chance.choice([chance.uniform(-1e6, 1e6), chance.uniform(-1, 1), 0.0, -0.0, 1.5])
        if self.kind == "f32":
            return struct.unpack("<I", struct.pack("<f", value))[0]
        return struct.unpack("<Q", struct.pack("<d", value))[0]

    @property
    def c_type(self):
        if self.kind in FLOATS:
            return FLOATS[self.kind][0]
        return INTS[self.kind][0 if self.signed else 1]

    @property
    def size(self):
        return int(self.kind[1:]) // 8

    def clif(self, extend=True):
        narrow = self.kind in INTS and INTS[self.kind][2] < 64
        return self.kind + (" " + ("sext" if self.signed else "uext") if narrow and extend else "")

    def c_value(self):
        """A C expression with exactly these bits."""
        if self.kind in FLOATS:
            union = "union { uint%d_t i; %s f; }" % (self.size * 8, self.c_type)
            return "((%s){.i = %#xu%s}).f" % (union, self.bits, "ll" if self.size == 8 else "")
        return "(%s)%#xull" % (self.c_type, self.bits)

    def c_row(self):
        """As an AbiValue in C."""
        return "{%#xull, %d}" % (self.bits, self.size)


def result_kinds(chance, windows, machine):
    """Of several results: the fields of a C structure that comes back in registers, one field in each."""
    n = chance.choice([0, 1, 1, 1] if windows else [0, 1, 1, 2])
    if n < 2:
        return [chance.choice(TYPES) for _ in range(n)]
    if machine == "aarch64":  # two words, or up to four floats of one kind
        return chance.choice([["i64"] * 2, [chance.choice(["f32", "f64"])] * chance.choice([2, 3, 4])])
    if machine == "riscv64":  # a structure with a float is taken apart, one of integers comes in words
        return chance.choice([["i64"] * 2, ["i64", "f64"], ["f64", "i32"], ["f32", "f32"], ["f64", "f32"]])
    return [chance.choice(["i64", "f64"]) for _ in range(2)]  # two eightbytes


def signature(chance, windows, machine):
    params = [Param(chance, chance.choice(TYPES)) for _ in range(chance.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 20]))]
    results = [Param(chance, kind) for kind in result_kinds(chance, windows, machine)]
    return params, results, chance.randint(0, len(params))


def case(k, chance, windows, machine, callees, c, clif):
    params, results, place = signature(chance, windows, machine)
    conv = "windows_fastcall" if windows else "system_v"
    attr = "__attribute__((ms_abi)) " if windows else ""
    result_at = len(params)  # the slot of the first result

    returns = ""
    if results:
        returns = " -> " + ", ".join(r.clif() for r in results)
    fields = "abcd"[:len(results)]
    for name, values in (("params", params), ("results", results)):
        callees.append("static const AbiValue %s_%d[] = {%s};" % (name, k, ", ".join(v.c_row() for v in values)))
    if len(results) > 1:
        callees.append("typedef struct { %s } R%d;" % (
            " ".join("%s %s;" % (r.c_type, f) for r, f in zip(results, fields)), k))
        c_result = "R%d" % k
    else:
        c_result = results[0].c_type if results else "void"
    names = ["a%d" % i for i in range(len(params))]
    c_params = ["%s %s" % (p.c_type, n) for p, n in zip(params, names)]
    take_params = c_params[:place] + ["unsigned char *buffer"] + c_params[place:]
    values = [p.c_value() for p in params]
    take_values = values[:place] + ["buffer"] + values[place:]
    types = [p.clif() for p in params]
    take_types = types[:place] + ["i64"] + types[place:]

    # C calls ours.
    c.append("typedef %s (%s*Take%d)(%s);" % (c_result, attr, k, ", ".join(take_params)))
    c.append("static bool call_take_%d(void *take, unsigned char *buffer) {" % k)
    c.append("    abi_put(buffer + %d, results_%d, %d);" % (8 * result_at, k, len(results)))
    call = "((Take%d)take)(%s)" % (k, ", ".join(take_values))
    c.append("    %s%s;" % (c_result + " r = " if results else "", call))
    c.append("    unsigned char got[%d];" % (8 * max(len(results), 1)))
    c += gather("got", ["r." + f for f in fields] if len(results) > 1 else ["r"] * len(results))
    c.append("    return abi_same(buffer, params_%d, %d) && abi_same(got, results_%d, %d);\n}" % (
        k, len(params), k, len(results)))
    entry = ["v%d: %s" % (i, t.split()[0]) for i, t in enumerate(take_types)]
    buffer = "v%d" % place
    args = ["v%d" % i for i in range(len(take_types)) if i != place]
    clif.append("function %%take_%d(%s)%s %s {\nblock0(%s):" % (k, ", ".join(take_types), returns, conv, ", ".join(entry)))
    for slot, arg in enumerate(args):
        clif.append("    store %s, %s+%d" % (arg, buffer, 8 * slot))
    n = len(take_types)
    loaded = []
    for slot, r in enumerate(results, result_at):
        clif.append("    v%d = load.%s %s+%d" % (n, r.kind, buffer, 8 * slot))
        loaded.append("v%d" % n)
        n += 1
    clif.append("    return %s\n}\n" % ", ".join(loaded))

    # Ours calls C.
    callees.append("%s%s %scallee_%d(%s) {" % (
        "" if machine else "static ", c_result, attr, k, ", ".join(c_params) or "void"))
    callees += gather("abi_got", names)
    if len(results) > 1:
        callees.append("    return (R%d){%s};" % (k, ", ".join(r.c_value() for r in results)))
    elif results:
        callees.append("    return %s;" % results[0].c_value())
    callees.append("}")
    c.append("static bool call_make_%d(void *make, unsigned char *buffer) {" % k)
    c.append("    abi_put(buffer, params_%d, %d);" % (k, len(params)))
    c.append("    ((void (%s*)(unsigned char *))make)(buffer);" % attr)
    c.append("    abi_arguments_right = abi_same(abi_got, params_%d, %d);" % (k, len(params)))
    c.append("    return abi_same(buffer + %d, results_%d, %d);\n}" % (8 * result_at, k, len(results)))
    clif.append("function %%make_%d(i64) %s {" % (k, conv))
    clif.append("    fn0 = %%callee_%d(%s)%s %s\nblock0(v0: i64):" % (k, ", ".join(types), returns, conv))
    n, loaded = 1, []
    for slot, p in enumerate(params):
        clif.append("    v%d = load.%s v0+%d" % (n, p.kind, 8 * slot))
        loaded.append("v%d" % n)
        n += 1
    got = ["v%d" % (n + i) for i in range(len(results))]
    clif.append("    %scall fn0(%s)" % (", ".join(got) + " = " if got else "", ", ".join(loaded)))
    for slot, v in enumerate(got, result_at):
        clif.append("    store %s, v0+%d" % (v, 8 * slot))
    clif.append("    return\n}\n")
    text = "(%s)%s %s" % (", ".join(take_types), returns, conv)
    if machine:
        c.append("extern char take_%d[], make_%d[];" % (k, k))
        return '{take_%d, make_%d, "%s", call_take_%d, call_make_%d},' % (k, k, text, k, k)
    return '{"take_%d", "make_%d", "%s", call_take_%d, (void *)callee_%d, "callee_%d", call_make_%d},' % (
        k, k, text, k, k, k, k)


def gather(slots, expressions):
    """C that copies values, one into each slot."""
    return ["    memcpy(%s + %d, &%s, sizeof %s);" % (slots, 8 * k, e, e) for k, e in enumerate(expressions)]


def main():
    part, folder = sys.argv[1:3]
    machine, count = (sys.argv[3], int(sys.argv[4])) if len(sys.argv) > 3 else (None, COUNT)
    windows, seed = part.startswith("win"), part
    chance = random.Random(seed)
    c = ['#include "%s.h"' % ("object_test" if machine else "abi_test"), "#include <string.h>"]
    callees, callers, clif = [], [], []
    rows = [case(k, chance, windows, machine, callees, callers, clif) for k in range(count)]
    c += callees + callers
    c.append("%s cases[] = {\n%s\n};" % ("const ObjectCase" if machine else "static const AbiCase", "\n".join(rows)))
    if machine:
        c.append("const unsigned n_cases = %d;" % count)
    else:
        c.append('const AbiPart abi_%s = {"%s", cases, %d};' % (part, part, count))
    for suffix, lines in (("c", c), ("clif", clif)):
        with open("%s/%s.%s" % (folder, part, suffix), "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")


main()
