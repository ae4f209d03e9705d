"""Tests of the description compiler.

    run.py --source DIR --mdc PROGRAM --generated DIR KIND      --generated: what the build has made of md/

ok             every ok/*.md is accepted
err            every err/*.md is rejected with exactly the errors that its comments name, each shown with its line and a
               caret under its column:
                   text of the description   // error COLUMN: TEXT
                   text of the description   // note: TEXT         (a note that must be there)
               An error about a line that has no room for a comment, or about the file, stands at the top:
                   // error LINE:COLUMN: TEXT
                   A line `// case` opens a description of its own; what stands above the first is part of each
               No message of mdc or vtgen is left that none of them names
reference      the descriptions in gen/README.md are accepted or rejected as they say, and those that are accepted have every
               word of the language
deterministic  a run from shuffled input in another directory writes the bytes that the build has written
mutants        small descriptions changed at random are accepted, or rejected with an error that has a place and a caret
refused        of several wrong machines all errors are printed, in their order, and nothing is written
expand         `--expand` prints the stamped declarations

A file's first line may say which description of the IR it is read with: `// ir: FILE` (default: the project's md/ir.md),
a line `// rules: FILE` which expansions; `// total` asks for the checks of completeness, `// emit` for those of the emitters,
of which most find one error at a time.
A file with `op` declarations is itself one of the IR, one with neither `isa` nor `op` is a file of rules.
"""
import argparse
import ast
import contextlib
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

EXPECTED = re.compile(r"//\s*(?:error (?:(\d+):)?(\d+)|note): (.*?)(?=\s*//\s*(?:error|note)\b|$)")
REPORTS = ("error", "fail", "DescriptionError", "RuleError", "Wrong")  # what is called with a message, in vtgen
REPORTED = re.compile(r"(.*?):(\d+):(\d+): (error|note): (.*)")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def kind_of(text):
    if re.search(r"^isa\s+(\w+)", text, re.M):
        return "isa"
    return "ir" if re.search(r"^(op|type)\s", text, re.M) else "rules"


MUTANTS = 15  # of each description
TOKEN = re.compile(r'//[^\n]*|"[^"\n]*"|\w[\w.{}]*|[<>=!&|+.-]+[us]?|\S')


def mutated(text, chance):
    """The text with a token or line left out, written twice, exchanged with the next or put in another's place."""
    how = chance.choice(["line", "token", "swap", "other", "other", "number", "twice"])
    if how in ("line", "twice"):
        lines = text.split("\n")
        at = chance.randrange(len(lines))
        lines[at:at + 1] = [lines[at]] * (2 if how == "twice" else 0)
        return "\n".join(lines)
    found = [m for m in TOKEN.finditer(text) if not m.group().startswith("//")]
    at = chance.randrange(len(found) - 1)
    a, b = found[at], found[at + 1]
    if how == "swap":
        return text[:a.start()] + b.group() + text[a.end():b.start()] + a.group() + text[b.end():]
    if how == "number":
        numbers = [m for m in found if m.group()[0].isdigit()]
        a = chance.choice(numbers)
        new = str(chance.choice([0, 1, 2, 7, 31, 64, 65, 255, 1 << 32, (1 << 64) - 1]))
    else:
        new = "" if how == "token" else chance.choice(found).group()
    return text[:a.start()] + new + text[a.end():]


class Runner:
    def __init__(self, source, mdc, generated):
        self.generated = generated
        self.source, self.mdc = os.path.abspath(source), os.path.abspath(mdc)
        self.here = os.path.join(self.source, "tests", "md")
        sys.path.insert(0, os.path.join(self.source, "gen", "vtgen"))
        import model
        self.model = model
        self.irs, self.build_ir = {}, model.build_ir.build
        model.build_ir.build = self.built_ir

    def built_ir(self, decls, diag):
        """The project's IR is built once: nothing of a machine changes it."""
        path = decls[0]["file"] if decls else ""
        if path != os.path.join(self.source, "md", "ir.md"):
            return self.build_ir(decls, diag)
        if path not in self.irs:
            self.irs[path] = self.build_ir(decls, diag)
        return self.irs[path]

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
            if found is not None and re.search(r"^// emit$", text, re.M):
                found = self.emitted(found)
        return found is not None, printed.getvalue()

    @staticmethod
    def emitted(found):
        """The model, or None when an emitter finds an error."""
        import diag
        import emit_ir
        import emitters
        try:
            for module in emitters.MACHINE if found.isas else [emit_ir]:
                if module.__name__ != "emit_ways":  # of complete machines
                    module.emit(found)
        except diag.DescriptionError as error:
            error.report(sys.stderr)
            return None
        except diag.Rejected as error:
            error.diag.report(sys.stderr)
            return None
        return found

    @contextlib.contextmanager
    def cases(self, path):
        """The descriptions of a file: itself, or one for each `// case`, the lines of the others left empty."""
        lines = read(path).split("\n")
        starts = [n for n, line in enumerate(lines) if line.startswith("// case")]
        if not starts:
            yield [path]
            return
        with tempfile.TemporaryDirectory() as top:
            for name in os.listdir(self.here):
                if name.endswith(".md"):
                    shutil.copy(os.path.join(self.here, name), top)
            found = []
            for start, end in zip(starts, starts[1:] + [len(lines)]):
                os.mkdir(os.path.join(top, str(start + 1)))
                found.append(os.path.join(top, str(start + 1), os.path.basename(path)))
                with open(found[-1], "w", encoding="utf-8") as f:
                    f.write("\n".join(lines[:starts[0]] + [""] * (start - starts[0]) + lines[start:end]))
            yield found

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

    def ok(self):
        failed = 0
        for path in self.each("ok"):
            good, text = self.load(path)
            if not good:
                print("%s: rejected:\n%s" % (path, text))
                failed += 1
        return failed

    def expected(self, path):
        """What the comments of a file, and of the rules that it is read with, name: (line, column, text)."""
        errors, notes = [], []
        for part in [path, self.rules_of(path)]:
            for n, line in enumerate(read(part).split("\n") if part else [], 1):
                for m in EXPECTED.finditer(line):
                    at, col, text = m.groups()
                    entry = (int(at) if at else n, int(col or 0), text.strip())
                    (errors if col else notes).append(entry)
        return errors, notes

    def err(self):
        failed, shown = 0, set()
        with self.watched(shown):
            for path in self.each("err"):
                with self.cases(path) as cases:
                    for case in cases:
                        problems = self.problems(case)
                        if problems:
                            failed += 1
                            print("%s:\n    %s" % (path, "\n    ".join(problems)))
        for where, text in self.unshown(shown):
            failed += 1
            print("%s: no test shows this message: %s" % (where, text))
        return failed

    @contextlib.contextmanager
    def watched(self, shown):
        """Puts (module, line) of every place in vtgen that reports an error into `shown`."""
        import diag
        import emit_rewrite
        import select_arm
        classes = [(diag.Diagnostics, "error"), (diag.DescriptionError, "__init__"), (emit_rewrite.RuleError, "__init__"),
                   (select_arm.Wrong, "__init__")]
        before = [(c, name, getattr(c, name)) for c, name in classes]

        def watch(call):
            def watching(*arguments):
                frame = sys._getframe(1)
                while frame.f_code.co_name in ("error", "fail"):  # they only pass it on
                    frame = frame.f_back
                shown.add((os.path.basename(frame.f_code.co_filename), frame.f_lineno))
                return call(*arguments)
            return watching
        for c, name, call in before:
            setattr(c, name, watch(call))
        try:
            yield
        finally:
            for c, name, call in before:
                setattr(c, name, call)

    def unshown(self, shown):
        """(place, source) of the messages of mdc and vtgen that no test has seen."""
        gen = os.path.join(self.source, "gen")
        for name in sorted(os.listdir(os.path.join(gen, "vtgen"))):
            path = os.path.join(gen, "vtgen", name)
            if not name.endswith(".py"):
                continue
            for call in ast.walk(ast.parse(read(path))):
                called = getattr(call, "func", None)
                if getattr(called, "attr", getattr(called, "id", None)) in REPORTS \
                        and any(isinstance(x, ast.Constant) and isinstance(x.value, str) for x in ast.walk(call)) \
                        and not any(at in range(call.lineno, call.end_lineno + 1) for file, at in shown if file == name):
                    yield "gen/vtgen/%s:%d" % (name, call.lineno), " ".join(ast.unparse(call).split())
        wanted = "\n".join(read(p) for p in self.each("err"))
        for name in ("lex.re", "grammar.y", "mdc.c"):
            text = read(os.path.join(gen, name))
            for m in re.finditer(r'mdc_error\(m, [^"]*"([^"]*)"', text):
                message = ".*".join(map(re.escape, re.split(r"%\.\*s|%[sd]", m.group(1))))
                if not re.search(r"// error [\d:]+: %s" % message, wanted):
                    yield "gen/%s:%d" % (name, text.count("\n", 0, m.start()) + 1), m.group(1)

    def problems(self, path):
        """In what the errors of a description are not those that its comments name."""
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
            if (line, col, want) in left:
                left.remove((line, col, want))
            else:
                problems.append("missing: %d:%d: %s" % (line, col, want))
        for line, col, want in notes:
            if not any(g[0] == line and g[2] == want for g in got_notes):
                problems.append("missing note: %d: %s" % (line, want))
        problems += ["unexpected: %d:%d: %s" % g for g in left]
        return problems + self.carets(text)

    @staticmethod
    def carets(printed):
        """Which errors stand without the line of their text or with a caret elsewhere than under their column."""
        lines, problems = printed.split("\n") + ["", ""], []
        for at, line in enumerate(lines):
            m = REPORTED.match(line)
            if m is None or m.group(4) != "error":
                continue
            source = (read(m.group(1)).split("\n") + [""])[int(m.group(2)) - 1].split("\0")[0]
            pad = "".join("\t" if c == "\t" else " " for c in source[:int(m.group(3)) - 1].ljust(int(m.group(3)) - 1))
            if lines[at + 1:at + 3] != ["    " + source, "    " + pad + "^"]:
                problems.append("no caret: %s" % line)
        return problems

    def vtgen(self, *arguments, cwd=None):
        return subprocess.run([sys.executable, "-B", os.path.join(self.source, "gen", "vtgen"), "--mdc", self.mdc,
                               *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              universal_newlines=True)

    def deterministic(self):
        """The directory's listing is shuffled by copying the files in another order under another path."""
        md = os.path.join(self.source, "md")
        with tempfile.TemporaryDirectory() as top:
            os.mkdir(os.path.join(top, "descriptions"))
            names = sorted(os.listdir(md))
            random.Random(1).shuffle(names)
            for name in names:
                shutil.copy(os.path.join(md, name), os.path.join(top, "descriptions"))
            os.mkdir(os.path.join(top, "out"))
            os.environ["PYTHONHASHSEED"] = "100"
            run = self.vtgen("--md", "descriptions", "--out", "out", cwd=top)
            print(run.stderr)
            if run.returncode:
                return 1
            ours = {n: read(os.path.join(top, "out", n)) for n in os.listdir(os.path.join(top, "out"))}
        theirs = {n: read(os.path.join(self.generated, n)) for n in os.listdir(self.generated)}
        different = [n for n in sorted(set(ours) | set(theirs)) if ours.get(n) != theirs.get(n)]
        for name in different:
            print("%s differs between this run and the build's" % name)
        if not ours:
            print("nothing was written")
        return len(different) + (not ours)

    def mutants(self):
        """Small descriptions with something changed at random, the same in every run."""
        failed = 0
        texts = [read(p) for p in self.each("ok")] + re.findall(
            r"^```\n(// accepted.*?)^```$", read(os.path.join(self.source, "gen", "README.md")), re.M | re.S)
        with tempfile.TemporaryDirectory() as top:
            for name in os.listdir(self.here):
                if name.endswith(".md"):
                    shutil.copy(os.path.join(self.here, name), top)
            os.mkdir(os.path.join(top, "one"))
            for name in ("base.md", "rules_base.md"):
                shutil.copy(os.path.join(self.here, name), os.path.join(top, "one"))
            path = os.path.join(top, "one", "mutant.md")
            chance = random.Random(1)
            for text in texts:
                for _ in range(MUTANTS):
                    with open(path, "w", encoding="utf-8") as f:
                        f.write(mutated(text, chance))
                    try:
                        good, printed = self.load(path)
                        wrong = [] if good else self.carets(printed) or [
                            "no place: %s" % line for line in printed.split("\n") if "error:" in line and not REPORTED.match(line)]
                        if not good and not printed:
                            wrong = ["rejected without an error"]
                    except Exception:  # whatever it is, a wrong description must not end so
                        wrong = [traceback.format_exc()]
                    if wrong:
                        failed += 1
                        print("%s\n%s" % ("\n".join(wrong), read(path)))
        return failed

    def refused(self):
        """Two machines that are wrong, each in its way, and one that is not."""
        small = "isa %s { word 64; }\ninclude \"base.md\"\n%s\n"
        with tempfile.TemporaryDirectory() as top:
            shutil.copy(os.path.join(self.source, "md", "ir.md"), top)
            shutil.copy(os.path.join(self.here, "base.md"), top)
            for name, wrong in (("b", "class k = nobody"), ("a", "feature f implies g"), ("c", "")):
                with open(os.path.join(top, name + ".md"), "w", encoding="utf-8") as f:
                    f.write(small % (name, wrong))
            out = os.path.join(top, "out")
            os.mkdir(out)
            run = self.vtgen("--md", ".", "--out", "out", cwd=top)
            errors = [line.rsplit("/", 1)[-1] for line in run.stderr.split("\n") if ": error: " in line]
            errors = [e for e in errors if not e.startswith("base.md")]  # c has no instructions yet
            wanted = ["a.md:3:19: error: no feature declared before is named 'g'",
                      "b.md:3:11: error: no register is named 'nobody'", "b.md:3:7: error: class 'k' is empty"]
            ours = sorted(e for e in errors if not e.startswith("c.md"))
            if run.returncode != 1 or ours != wanted or errors != sorted(errors, key=lambda e: e[0]) or os.listdir(out):
                print("got %d:\n%s\nwritten: %s" % (run.returncode, run.stderr, os.listdir(out)))
                return 1
        return 0

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
        accepted = " ".join(re.findall(r"^```\n// accepted\n(.*?)^```$", text, re.M | re.S))
        words = set(re.findall(r"[a-z]+", re.sub(r"//.*", "", accepted)))
        for word in re.findall(r'\{"(\w+)", \w+, (?:true|false)\}', read(os.path.join(self.source, "gen", "lex.re"))):
            if word not in words:
                print("no example in the reference has the word '%s'" % word)
                failed += 1
        return failed if count else 1


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--source", required=True)
    options.add_argument("--mdc", required=True)
    options.add_argument("--generated")
    options.add_argument("kind")
    chosen = options.parse_args()
    return 1 if getattr(Runner(chosen.source, chosen.mdc, chosen.generated), chosen.kind)() else 0


if __name__ == "__main__":
    sys.exit(main())
