"""Tests of the description compiler.

    run.py --source DIR --mdc PROGRAM KIND

ok             every ok/*.md is accepted
err            every err/*.md is rejected with exactly the errors that its comments name:
                   text of the description   // error: TEXT
                   text of the description   // error 12: TEXT     (the column too)
                   text of the description   // note: TEXT         (a note that must be there)
               An error about a line that has no room for a comment, or about the file, stands at the top:
                   // error 7:3: TEXT
samples        samples/*.md, machines of other kinds, pass every check but that of completeness
total          md/ itself passes every check
reference      the descriptions in gen/README.md are accepted or rejected as they say
deterministic  two runs from shuffled input and from another directory write the same bytes
expand         `--expand` prints the stamped declarations

A file's first line may say which description of the IR it is read with: `// ir: FILE` (default: the project's md/ir.md),
a line `// rules: FILE` which expansions; `// total` asks for the checks of completeness, `// encoder` for those of the emitter of encodings.
A file with `op` declarations is itself one of the IR, one with neither `isa` nor `op` is a file of rules.
"""
import argparse
import contextlib
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

EXPECTED = re.compile(r"//\s*(error|note)(?: (?:(\d+):)?(\d+))?: (.*?)(?=\s*//\s*(?:error|note)\b|$)")
REPORTED = re.compile(r"(.*?):(\d+):(\d+): (error|note): (.*)")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def kind_of(text):
    if re.search(r"^isa\s+(\w+)", text, re.M):
        return "isa"
    return "ir" if re.search(r"^(op|type)\s", text, re.M) else "rules"


class Runner:
    def __init__(self, source, mdc):
        self.source, self.mdc = os.path.abspath(source), os.path.abspath(mdc)
        self.here = os.path.join(self.source, "tests", "md")
        sys.path.insert(0, os.path.join(self.source, "gen", "vtgen"))
        import model
        self.model = model

    def load(self, path):
        """(accepted, what was printed)."""
        text = read(path)
        first = re.match(r"// ir: (\S+)", text)
        ir = os.path.join(os.path.dirname(path), first.group(1)) if first else os.path.join(self.source, "md", "ir.md")
        total = bool(re.search(r"^// total$", text, re.M))
        kind = kind_of(text)
        machines = [(re.search(r"^isa\s+(\w+)", text, re.M).group(1), path)] if kind == "isa" else []
        rules = [path] if kind == "rules" else [self.rules_of(path)] if self.rules_of(path) else []
        printed = io.StringIO()
        with contextlib.redirect_stderr(printed):
            found = self.model.load_files(self.mdc, path if kind == "ir" else ir, rules, machines, total)
            if found is not None and re.search(r"^// encoder$", text, re.M):
                found = self.encoder(found)
        return found is not None, printed.getvalue()

    @staticmethod
    def encoder(found):
        """The model, or None when the tables of its encoder cannot be made."""
        import emit_encode
        import machine
        try:
            emit_encode.emit(found)
        except machine.DescriptionError as error:
            error.report(sys.stderr)
            return None
        return found

    @staticmethod
    def rules_of(path):
        """The file of rules that a description is read with (`// rules: FILE`), or None."""
        found = re.search(r"^// rules: (\S+)$", read(path), re.M)
        return os.path.join(os.path.dirname(path), found.group(1)) if found else None

    def each(self, folder):
        directory = os.path.join(self.here, folder)
        names = sorted(n for n in os.listdir(directory) if n.endswith(".md"))
        if not names:
            raise SystemExit("no tests in %s" % directory)
        return [os.path.join(directory, n) for n in names]

    def ok(self, folder="ok"):
        failed = 0
        for path in self.each(folder):
            good, text = self.load(path)
            if not good:
                print("%s: rejected:\n%s" % (path, text))
                failed += 1
        return failed

    def samples(self):
        return self.ok("samples")

    def expected(self, path):
        """What the comments of a file, and of the rules that it is read with, name: (line, column or None, text)."""
        errors, notes = [], []
        for part in [path, self.rules_of(path)]:
            for n, line in enumerate(read(part).split("\n") if part else [], 1):
                for m in EXPECTED.finditer(line):
                    what, at, col, text = m.groups()
                    entry = (int(at) if at else n, int(col) if col else None, text.strip())
                    (errors if what == "error" else notes).append(entry)
        return errors, notes

    def err(self):
        failed = 0
        for path in self.each("err"):
            good, text = self.load(path)
            errors, notes = self.expected(path)
            got_errors, got_notes = [], []
            names = [os.path.basename(p) for p in (path, self.rules_of(path)) if p]
            for line in text.split("\n"):
                m = REPORTED.match(line)
                if m and os.path.basename(m.group(1)) in names:
                    (got_errors if m.group(4) == "error" else got_notes).append(
                        (int(m.group(2)), int(m.group(3)), m.group(5)))
                elif m and m.group(4) == "error":
                    got_errors.append((0, 0, line))
            problems = []
            if good:
                problems.append("accepted")
            if not errors:
                problems.append("names no error")
            left = list(got_errors)
            for line, col, want in errors:
                hit = next((g for g in left if g[0] == line and g[2] == want and col in (None, g[1])), None)
                if hit is None:
                    problems.append("missing: %d: %s" % (line, want))
                else:
                    left.remove(hit)
            for line, col, want in notes:
                if not any(g[0] == line and g[2] == want for g in got_notes):
                    problems.append("missing note: %d: %s" % (line, want))
            problems += ["unexpected: %d:%d: %s" % g for g in left]
            caret = [l for l in text.split("\n") if l.strip() == "^"]
            if not good and not caret:
                problems.append("no caret")
            if problems:
                failed += 1
                print("%s:\n    %s" % (path, "\n    ".join(problems)))
        return failed

    def vtgen(self, *arguments, cwd=None):
        return subprocess.run([sys.executable, "-B", os.path.join(self.source, "gen", "vtgen"), "--mdc", self.mdc,
                               *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              universal_newlines=True)

    def total(self):
        with tempfile.TemporaryDirectory() as out:
            run = self.vtgen("--md", os.path.join(self.source, "md"), "--out", out)
            print(run.stderr)
            return run.returncode

    def deterministic(self):
        """The directory's listing is shuffled by copying the files in another order under another path."""
        md = os.path.join(self.source, "md")
        outputs = []
        for seed in (1, 2):
            with tempfile.TemporaryDirectory() as top:
                directory = os.path.join(top, "d" * (seed * 7))
                os.mkdir(directory)
                names = sorted(os.listdir(md))
                random.Random(seed).shuffle(names)
                for name in names:
                    shutil.copy(os.path.join(md, name), directory)
                out = os.path.join(top, "out")
                os.mkdir(out)
                os.environ["PYTHONHASHSEED"] = str(seed * 100)
                relative = os.path.relpath(directory, top) if seed == 2 else directory
                run = self.vtgen("--md", relative, "--out", out, cwd=top)
                if run.returncode:
                    print(run.stderr)
                    return 1
                outputs.append({n: read(os.path.join(out, n)) for n in sorted(os.listdir(out))})
        different = [n for n in sorted(set(outputs[0]) | set(outputs[1])) if outputs[0].get(n) != outputs[1].get(n)]
        for name in different:
            print("%s differs between two runs" % name)
        if not outputs[0]:
            print("nothing was written")
        return len(different) + (not outputs[0])

    def expand(self):
        run = self.vtgen("--md", ".", "--expand", os.path.join(self.here, "ok", "template.md"))
        want = read(os.path.join(self.here, "ok", "template.expanded"))
        if run.returncode or run.stdout != want:
            print("got:\n%s%s\nwanted:\n%s" % (run.stdout, run.stderr, want))
            return 1
        return 0

    def reference(self):
        """gen/README.md: a block that starts with `// accepted` is a description that must be accepted; one that starts
        with `// rejected: TEXT` must be rejected with that error."""
        text = read(os.path.join(self.source, "gen", "README.md"))
        failed = count = 0
        for block in re.findall(r"^```\n(// (?:accepted|rejected).*?)^```$", text, re.M | re.S):
            count += 1
            with tempfile.TemporaryDirectory() as top:
                path = os.path.join(top, "block.md")
                for base in ("base.md", "rules_base.md"):
                    shutil.copy(os.path.join(self.here, base), top)
                with open(path, "w", encoding="utf-8") as f:
                    f.write(block)
                good, printed = self.load(path)
            want = re.match(r"// rejected: (.*)", block)
            if want and (good or want.group(1) not in printed) or not want and not good:
                failed += 1
                print("README block:\n%s\n%s" % (block, printed))
        if not count:
            print("the reference has no descriptions to test")
            failed += 1
        return failed


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--source", required=True)
    options.add_argument("--mdc", required=True)
    options.add_argument("kind")
    chosen = options.parse_args()
    return 1 if getattr(Runner(chosen.source, chosen.mdc), chosen.kind)() else 0


if __name__ == "__main__":
    sys.exit(main())
