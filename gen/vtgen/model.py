"""The model: what the descriptions say, resolved and checked, as plain classes for the emitters.

    model = load(mdc, md_dir, isas)       None after printing errors; in parts: load_common, then add_machine
    model.ir                              Ir: types, conditions, opcodes with semantics
    model.rewrites, model.expands         md/rewrite.md, md/expand.md: [Rule]
    model.isas["x86_64"]                  Isa

Every object has .loc (diag.Loc: file, line, col, stamps). Lists are in the order of the text; dictionaries too. Widths
are in bits. Expressions are tree.Expr; those of a `sem` carry widths and resolved names (sem.Binding in .ref).
Numbers of registers, classes, instructions and so on are their indexes: .index.
"""
import json
import os
import subprocess
import sys

import build_ir
import build_isa
import checks
import stamp
from diag import Diagnostics, Loc


class Model:
    """ir: Ir; names: of all machines, sorted; isas: name -> Isa; rewrites, expands: [Rule]."""

    def __init__(self, names):
        self.ir, self.names = None, names
        self.isas = {}
        self.rewrites = []
        self.expands = []


def parse(mdc, paths):
    """mdc's declarations, or None after it printed its errors."""
    run = subprocess.run([mdc] + paths, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    sys.stderr.write(run.stderr.decode("utf-8", "replace"))
    return json.loads(run.stdout) if run.returncode == 0 else None


def read_all(mdc, paths, diag):
    """path -> its declarations, includes followed; None on errors."""
    files, wanted = {}, list(paths)
    while wanted:
        found = parse(mdc, wanted)
        if found is None:
            return None
        for path in wanted:
            files[path] = []
        for d in found:
            files[d["file"]].append(d)
        wanted = []
        for d in found:
            if d["k"] != "include":
                continue
            path = os.path.join(os.path.dirname(d["file"]), d["path"]["text"])
            if not os.path.isfile(path):
                diag.error(Loc(d["file"], d["path"]["line"], d["path"]["col"]), "there is no file '%s'"
                           % d["path"]["text"])
            elif path not in files and path not in wanted:
                wanted.append(path)
    return files


def closure(files, path, seen):
    """The declarations of a file with those of its includes in their places, each file once."""
    if path in seen or path not in files:
        return []
    seen.add(path)
    out = []
    for d in files[path]:
        if d["k"] == "include":
            out += closure(files, os.path.join(os.path.dirname(path), d["path"]["text"]), seen)
        else:
            out.append(d)
    return out


def paths_of(md_dir, isas):
    """DIR/ir.md, rewrite.md and expand.md (when there), [(machine, its file)]."""
    rules = [os.path.join(md_dir, n + ".md") for n in ("rewrite", "expand")]
    return (os.path.join(md_dir, "ir.md"), [p for p in rules if os.path.exists(p)],
            [(n, os.path.join(md_dir, n + ".md")) for n in sorted(isas)])


def load(mdc, md_dir, isas, total=True):
    """The model of a directory's machines."""
    return load_files(mdc, *paths_of(md_dir, isas), total)


def load_files(mdc, ir_path, rule_paths, machines, total=True):
    """The model of these files; machines: [(name, path)]. `total` = False leaves out the checks that only a complete
    description passes (every opcode covered, every role given)."""
    diag = Diagnostics()
    model, decls = load_common(mdc, ir_path, rule_paths, machines, diag)
    if model is not None and not diag:
        for name in decls:
            add_machine(model, name, decls[name], diag)
        if not diag:
            checks.run(model, diag, total)
    if diag:
        diag.report(sys.stderr)
    return None if diag else model


def load_common(mdc, ir_path, rule_paths, machines, diag):
    """(the model without machines, None after errors of the grammar, which mdc prints; name -> declarations of a
    machine, templates not stamped)."""
    files = read_all(mdc, [ir_path] + rule_paths + [p for _, p in machines], diag)
    if files is None or diag:
        return None, {}
    model = Model(sorted(name for name, _ in machines))
    common = set()
    model.ir = build_ir.build(expanded(closure(files, ir_path, common), diag), diag)
    for path in rule_paths:
        rewrites, expands = build_ir.build_rules(expanded(closure(files, path, set(common)), diag), diag)
        model.rewrites += rewrites
        model.expands += expands
    return model, {name: closure(files, path, set(common)) for name, path in machines}


def add_machine(model, name, decls, diag):
    model.isas[name] = build_isa.build(name, expanded(decls, diag), model.ir, diag)


def expanded(decls, diag):
    return stamp.Stamper(diag).expand(decls)
